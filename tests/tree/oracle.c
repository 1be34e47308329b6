#include "tree/oracle.h"

#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "tree/operation.h"

/* --- sets and bytes --- */

enum { WORDS = ORACLE_EVENTS_MAX / 64 };

void oracle_join(oracle_set *set, const oracle_set *other)
{
    for (uint32_t word = 0; word < WORDS; word++) {
        set->words[word] |= other->words[word];
    }
}

bool oracle_is_within(const oracle_set *set, const oracle_set *other)
{
    for (uint32_t word = 0; word < WORDS; word++) {
        if ((set->words[word] & ~other->words[word]) != 0) {
            return false;
        }
    }
    return true;
}

oracle_bytes oracle_bytes_of(const char *text)
{
    oracle_bytes bytes = {(uint8_t)strlen(text), {0}};
    cr_assert_leq(bytes.size, ORACLE_BYTES_MAX);
    memcpy(bytes.bytes, text, bytes.size);
    return bytes;
}

grove_bytes oracle_view(const oracle_bytes *bytes)
{
    return (grove_bytes){bytes->bytes, bytes->size};
}

static bool is_same(const oracle_bytes *a, const oracle_bytes *b)
{
    return grove__bytes_equal(oracle_view(a), oracle_view(b));
}

static int compare(const oracle_bytes *a, const oracle_bytes *b)
{
    return grove__bytes_compare(oracle_view(a), oracle_view(b));
}

/* --- events --- */

void oracle_clear(tree_oracle *oracle)
{
    static const char *const names[] = {"m", "a", "mm", "\xff", "b", "az"};
    oracle->count = 0;
    for (uint32_t replica = 0; replica < ORACLE_REPLICAS_MAX; replica++) {
        grove_replica *made = &oracle->replicas[replica];
        memset(made, 0, sizeof *made);
        made->size = (uint8_t)strlen(names[replica]);
        memcpy(made->bytes, names[replica], made->size);
    }
}

static grove__tree_reference reference_to(const tree_oracle *oracle,
                                          const oracle_event *from, uint32_t number)
{
    if (number == ORACLE_NONE) {
        return (grove__tree_reference){0};
    }
    const oracle_event *to = &oracle->events[number];
    if (to->replica == from->replica) {
        return (grove__tree_reference){
            GROVE__TREE_REFERENCE_OWN, from->sequence - to->sequence, {NULL, 0}};
    }
    return (grove__tree_reference){GROVE__TREE_REFERENCE_OTHER, to->sequence,
                                   grove__replica_bytes(&oracle->replicas[to->replica])};
}

static void encode(const tree_oracle *oracle, oracle_event *event)
{
    grove_buffer attributes;
    grove_buffer content;
    grove__tree_operation operation = {.kind = event->kind};
    grove_buffer_init(&attributes, &grove__allocator_system);
    grove_buffer_init(&content, &grove__allocator_system);
    if (event->kind != GROVE_TREE_PUT) {
        operation.node = reference_to(oracle, event, event->node);
    }
    if (event->kind == GROVE_TREE_PUT || event->kind == GROVE_TREE_MOVE) {
        operation.parent = reference_to(oracle, event, event->parent);
        operation.anchor = reference_to(oracle, event, event->anchor);
        operation.is_left = event->is_left;
    }
    for (uint32_t index = 0; index < event->write_count; index++) {
        const oracle_write *write = &event->writes[index];
        operation.name = oracle_view(&write->name);
        operation.value = oracle_view(&write->value);
        grove_buffer_varint(&attributes, write->name.size);
        grove_buffer_append(&attributes, write->name.bytes, write->name.size);
        grove_buffer_varint(&attributes, write->value.size);
        grove_buffer_append(&attributes, write->value.bytes, write->value.size);
    }
    operation.id = oracle_view(&event->id);
    operation.type = oracle_view(&event->type);
    operation.attributes = grove_buffer_view(&attributes);
    operation.metadata = oracle_view(&event->metadata);
    grove__tree_operation_encode(&operation, &content);
    cr_assert(!content.failed && content.size <= sizeof event->content);
    memcpy(event->content, content.data, content.size);
    event->content_bytes = content.size;
    grove_buffer_release(&attributes);
    grove_buffer_release(&content);
}

uint32_t oracle_add(tree_oracle *oracle, const oracle_event *event)
{
    cr_assert_lt(oracle->count, ORACLE_EVENTS_MAX);
    oracle_event *made = &oracle->events[oracle->count];
    *made = *event;
    made->time = 1;
    for (uint32_t index = 0; index < oracle->count; index++) {
        if (oracle_has(&made->past, index) && oracle->events[index].time >= made->time) {
            made->time = oracle->events[index].time + 1;
        }
    }
    encode(oracle, made);
    return oracle->count++;
}

bool oracle_is_later(const tree_oracle *oracle, uint32_t event, uint32_t other)
{
    const oracle_event *a = &oracle->events[event];
    const oracle_event *b = &oracle->events[other];
    int order = grove__bytes_compare(grove__replica_bytes(&oracle->replicas[a->replica]),
                                     grove__replica_bytes(&oracle->replicas[b->replica]));
    if (a->time != b->time) {
        return a->time > b->time;
    }
    return order != 0 ? order > 0 : a->sequence > b->sequence;
}

/* --- the state --- */

static uint32_t find_id(const oracle_state *state, const oracle_bytes *id)
{
    for (uint32_t node = 0; node < state->count; node++) {
        if (is_same(&state->nodes[node].id, id)) {
            return node;
        }
    }
    return ORACLE_NONE;
}

uint32_t oracle_find(const oracle_state *state, grove_bytes id)
{
    oracle_bytes bytes = {(uint8_t)id.size, {0}};
    cr_assert_leq(id.size, ORACLE_BYTES_MAX);
    memcpy(bytes.bytes, id.data, id.size);
    return find_id(state, &bytes);
}

bool oracle_is_above(const oracle_state *state, uint32_t node, uint32_t below)
{
    while (below != node && below != 0) {
        below = state->nodes[below].parent;
    }
    return below == node;
}

static void write_attribute(oracle_node *node, const oracle_write *write)
{
    uint32_t at = 0;
    while (at < node->attribute_count &&
           compare(&node->attributes[at].name, &write->name) < 0) {
        at++;
    }
    bool is_there =
        at < node->attribute_count && is_same(&node->attributes[at].name, &write->name);
    if (is_there && write->value.size == 0) {
        node->attribute_count--;
        for (; at < node->attribute_count; at++) {
            node->attributes[at] = node->attributes[at + 1];
        }
    } else if (is_there) {
        node->attributes[at] = *write;
    } else if (write->value.size > 0) {
        cr_assert_lt(node->attribute_count, ORACLE_NAMES_MAX);
        for (uint32_t index = node->attribute_count++; index > at; index--) {
            node->attributes[index] = node->attributes[index - 1];
        }
        node->attributes[at] = *write;
    }
}

/* The id that a put gives, or that its own names make. */
static oracle_bytes id_of(const tree_oracle *oracle, const oracle_event *put)
{
    char text[ORACLE_BYTES_MAX + 1];
    size_t size = 0;
    if (put->id.size > 0) {
        return put->id;
    }
    const grove_replica *replica = &oracle->replicas[put->replica];
    for (uint8_t index = 0; index < replica->size; index++) {
        size += (size_t)snprintf(text + size, sizeof text - size, "%02x",
                                 (unsigned)replica->bytes[index]);
    }
    (void)snprintf(text + size, sizeof text - size, ".%llu",
                   (unsigned long long)put->sequence);
    return oracle_bytes_of(text);
}

/* A put or a move at its turn: without effect where it would make a cycle. */
static void stand(oracle_state *state, uint32_t node, uint32_t parent, uint32_t event)
{
    if (!oracle_is_above(state, node, parent)) {
        state->nodes[node].parent = parent;
        state->nodes[node].place = event;
    }
}

static uint32_t put(const tree_oracle *oracle, oracle_state *state, uint32_t number)
{
    const oracle_event *event = &oracle->events[number];
    const oracle_bytes id = id_of(oracle, event);
    uint32_t parent = state->node_of[event->parent];
    uint32_t node = find_id(state, &id);
    if (node == ORACLE_NONE) {
        node = state->count++;
        state->nodes[node] = (oracle_node){.id = id, .place = number, .parent = parent};
    } else {
        stand(state, node, parent, number);
    }
    state->nodes[node].type = event->type;
    return node;
}

static void apply(const tree_oracle *oracle, oracle_state *state, uint32_t number)
{
    const oracle_event *event = &oracle->events[number];
    uint32_t node = event->kind == GROVE_TREE_PUT ? put(oracle, state, number)
                                                  : state->node_of[event->node];
    state->node_of[number] = node;
    switch (event->kind) {
    case GROVE_TREE_PUT:
    case GROVE_TREE_SET:
    case GROVE_TREE_UNSET:
        for (uint32_t index = 0; index < event->write_count; index++) {
            write_attribute(&state->nodes[node], &event->writes[index]);
        }
        break;
    case GROVE_TREE_MOVE:
        stand(state, node, state->node_of[event->parent], number);
        break;
    case GROVE_TREE_DELETE:
    case GROVE_TREE_RESTORE:
        state->nodes[node].is_deleted = event->kind == GROVE_TREE_DELETE;
        break;
    }
}

void oracle_make(const tree_oracle *oracle, const oracle_set *known,
                 oracle_state *state_out)
{
    uint32_t sorted[ORACLE_EVENTS_MAX];
    uint32_t count = 0;
    for (uint32_t event = 0; event < oracle->count; event++) {
        if (!oracle_has(known, event)) {
            continue;
        }
        uint32_t at = count++;
        for (; at > 0 && oracle_is_later(oracle, sorted[at - 1], event); at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = event;
    }
    state_out->nodes[0] = (oracle_node){.place = ORACLE_NONE};
    state_out->node_of[ORACLE_NONE] = 0;
    state_out->count = 1;
    for (uint32_t index = 0; index < count; index++) {
        apply(oracle, state_out, sorted[index]);
    }
}

/* --- siblings --- */

/* Whether a place is another or hangs on it; `*branch_out` is the last before
 * `top` on the way up. */
static bool hangs_on(const tree_oracle *oracle, uint32_t place, uint32_t top,
                     uint32_t *branch_out)
{
    *branch_out = ORACLE_NONE;
    while (place != top && place != ORACLE_NONE) {
        *branch_out = place;
        place = oracle->events[place].anchor;
    }
    return place == top;
}

/* Which of two places of a list comes first: by the ways that lead to them
 * from the beginning; left first; of two on one side the later is nearer. */
static bool is_before(const tree_oracle *oracle, uint32_t a, uint32_t b)
{
    uint32_t branch;
    uint32_t other;
    if (hangs_on(oracle, b, a, &branch)) {
        return !oracle->events[branch].is_left;
    }
    if (hangs_on(oracle, a, b, &branch)) {
        return oracle->events[branch].is_left;
    }
    uint32_t top = oracle->events[a].anchor;
    while (!hangs_on(oracle, b, top, &other)) {
        top = oracle->events[top].anchor;
    }
    (void)hangs_on(oracle, a, top, &branch);
    bool is_left = oracle->events[branch].is_left;
    if (is_left != oracle->events[other].is_left) {
        return is_left;
    }
    return oracle_is_later(oracle, branch, other) != is_left;
}

static bool makes_place(const oracle_event *event)
{
    return event->kind == GROVE_TREE_PUT || event->kind == GROVE_TREE_MOVE;
}

uint32_t oracle_places(const tree_oracle *oracle, const oracle_state *state,
                       const oracle_set *known, uint32_t node, uint32_t *events_out)
{
    uint32_t count = 0;
    for (uint32_t event = 0; event < oracle->count; event++) {
        const oracle_event *item = &oracle->events[event];
        if (!oracle_has(known, event) || !makes_place(item) ||
            state->node_of[item->parent] != node) {
            continue;
        }
        uint32_t at = count++;
        for (; at > 0 && is_before(oracle, event, events_out[at - 1]); at--) {
            events_out[at] = events_out[at - 1];
        }
        events_out[at] = event;
    }
    return count;
}

uint32_t oracle_children(const tree_oracle *oracle, const oracle_state *state,
                         const oracle_set *known, uint32_t node, uint32_t *nodes_out)
{
    uint32_t count = 0;
    uint32_t places = oracle_places(oracle, state, known, node, nodes_out);
    for (uint32_t index = 0; index < places; index++) {
        uint32_t child = state->node_of[nodes_out[index]];
        if (state->nodes[child].place == nodes_out[index]) {
            nodes_out[count++] = child;
        }
    }
    return count;
}

/* --- comparing --- */

static uint32_t number_in(const oracle_state *state, const grove__tree *tree,
                          uint32_t node)
{
    uint32_t number = grove__tree_find(tree, oracle_view(&state->nodes[node].id));
    cr_assert_lt(number, tree->node_count, "node %u has no number", node);
    return number;
}

static void compare_attributes(const oracle_node *node, const grove__tree *tree,
                               uint32_t number)
{
    grove_buffer sorted;
    uint32_t index = 0;
    grove_buffer_init(&sorted, &grove__allocator_system);
    cr_assert(grove__tree_sort_attributes(tree, number, &sorted));
    const grove__tree_named *named = (const grove__tree_named *)(const void *)sorted.data;
    for (size_t nth = 0; nth < sorted.size / sizeof *named; nth++) {
        grove_bytes value = grove__tree_value_at(tree, named[nth].attribute);
        cr_assert_eq(grove__tree_attribute_of(tree, number, named[nth].name),
                     named[nth].attribute);
        if (value.size > 0) {
            cr_assert_lt(index, node->attribute_count);
            const oracle_write *expected = &node->attributes[index++];
            cr_assert(grove__bytes_equal(named[nth].name, oracle_view(&expected->name)));
            cr_assert(grove__bytes_equal(value, oracle_view(&expected->value)));
        }
    }
    cr_assert_eq(index, node->attribute_count);
    grove_buffer_release(&sorted);
}

/* Children, there and back, and how many of them are not deleted. */
static void compare_children(const tree_oracle *oracle, const oracle_set *known,
                             const oracle_state *state, const grove__tree *tree,
                             uint32_t node)
{
    static uint32_t children[ORACLE_EVENTS_MAX];
    uint32_t number = number_in(state, tree, node);
    uint32_t count = oracle_children(oracle, state, known, node, children);
    uint32_t shown = 0;
    uint32_t at = grove__tree_step(tree, number, GROVE_TREE_TO_FIRST, true);
    uint32_t before = GROVE__TREE_NONE;
    for (uint32_t index = 0; index < count; index++) {
        cr_assert_eq(at, number_in(state, tree, children[index]), "child %u of node %u",
                     index, node);
        cr_assert_eq(grove__tree_step(tree, at, GROVE_TREE_TO_PREVIOUS, true), before);
        cr_assert_eq(grove__tree_step(tree, at, GROVE_TREE_TO_PARENT, true), number);
        shown += state->nodes[children[index]].is_deleted ? 0 : 1;
        before = at;
        at = grove__tree_step(tree, at, GROVE_TREE_TO_NEXT, true);
    }
    cr_assert_eq(at, GROVE__TREE_NONE);
    cr_assert_eq(grove__tree_step(tree, number, GROVE_TREE_TO_LAST, true), before);
    cr_assert_eq(tree->nodes[number].child_count, shown);
}

void oracle_compare(const tree_oracle *oracle, const oracle_set *known,
                    const oracle_state *state, const grove__tree *tree)
{
    const char *fault = grove__tree_check(tree);
    cr_assert_null(fault, "%s", fault);
    cr_assert_eq(tree->node_count, state->count);
    for (uint32_t node = 0; node < state->count; node++) {
        const oracle_node *expected = &state->nodes[node];
        uint32_t number = number_in(state, tree, node);
        grove_tree_id_bytes id;
        grove__tree_id(tree, number, &id);
        cr_assert(grove__bytes_equal((grove_bytes){id.bytes, id.size},
                                     oracle_view(&expected->id)));
        cr_assert_eq(grove__tree_parent(tree, number),
                     node == 0 ? GROVE__TREE_NONE
                               : number_in(state, tree, expected->parent));
        cr_assert_eq(grove__tree_is_deleted(tree, number), expected->is_deleted);
        cr_assert(
            grove__bytes_equal(grove__names_at(&tree->names, tree->nodes[number].type),
                               oracle_view(&expected->type)));
        compare_attributes(expected, tree, number);
        compare_children(oracle, known, state, tree, node);
    }
}
