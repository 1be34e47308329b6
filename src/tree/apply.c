/* Events into a tree. */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"
#include "tree/index.h"
#include "tree/operation.h"

/* An event on its way in. */
typedef struct arrival {
    grove__tree *tree;
    grove__tree_operation operation;
    grove__stamp stamp;
    uint32_t replica;
} arrival;

static grove_status misfit(grove_error *error_out, const char *what)
{
    return grove__fail(error_out, GROVE_CORRUPT, "a tree's operation %s", what);
}

/* Notes what is about to change; what it takes back is there then. */
static grove_status note(grove__tree *tree, grove__tree_entry_kind kind, uint32_t number,
                         const grove__tree_before *before, grove_error *error_out)
{
    return grove__tree_note(tree, kind, number, before) == GROVE_OK
               ? GROVE_OK
               : grove__fail_memory(error_out);
}

/* --- what an operation names --- */

/* The place that the event made which a reference names; it happened before. */
static grove_status resolve(const arrival *event, const grove__tree_reference *reference,
                            uint32_t *place_out, grove_error *error_out)
{
    const grove__tree *tree = event->tree;
    uint32_t replica = event->replica;
    uint64_t sequence = reference->number;
    if (reference->kind == GROVE__TREE_REFERENCE_OTHER) {
        replica = grove__names_find(&tree->replicas, reference->replica);
        if (replica == GROVE__NAMES_NONE || replica == event->replica) {
            return misfit(error_out, "names an event of no other replica");
        }
    } else {
        uint64_t own = grove__stamp_sequence(event->stamp);
        if (reference->number > own) {
            return misfit(error_out, "names an event before the first");
        }
        sequence = own - reference->number;
    }
    uint32_t place = grove__tree_find_place(tree, replica, sequence);
    if (place == GROVE__TREE_NONE) {
        return misfit(error_out, "names an event that put or moved nothing");
    }
    if (grove__stamp_time(tree->places[place].stamp) >= grove__stamp_time(event->stamp)) {
        return misfit(error_out, "names an event that did not happen before it");
    }
    *place_out = place;
    return GROVE_OK;
}

static grove_status resolve_node(const arrival *event,
                                 const grove__tree_reference *reference,
                                 uint32_t *node_out, grove_error *error_out)
{
    if (reference->kind == GROVE__TREE_REFERENCE_NONE) {
        *node_out = GROVE_NODE_ROOT;
        return GROVE_OK;
    }
    uint32_t place = 0;
    grove_status status = resolve(event, reference, &place, error_out);
    if (status == GROVE_OK && !event->tree->places[place].is_put) {
        return misfit(error_out, "names a node by an event that is no put");
    }
    if (status == GROVE_OK) {
        *node_out = event->tree->places[place].node;
    }
    return status;
}

/* A node that may be moved and deleted. */
static grove_status resolve_child(const arrival *event, uint32_t *node_out,
                                  grove_error *error_out)
{
    grove_status status =
        resolve_node(event, &event->operation.node, node_out, error_out);
    if (status == GROVE_OK && *node_out == GROVE_NODE_ROOT) {
        return misfit(error_out, "moves or deletes the root");
    }
    return status;
}

/* Where the operation's place is to be. */
typedef struct place_target {
    uint32_t parent;
    grove__fugue_place place;
} place_target;

static grove_status resolve_target(const arrival *event, place_target *target_out,
                                   grove_error *error_out)
{
    place_target made = {0, {GROVE__FUGUE_NONE, event->operation.is_left}};
    grove_status status =
        resolve_node(event, &event->operation.parent, &made.parent, error_out);
    if (status == GROVE_OK &&
        event->operation.anchor.kind != GROVE__TREE_REFERENCE_NONE) {
        status = resolve(event, &event->operation.anchor, &made.place.anchor, error_out);
        if (status == GROVE_OK &&
            event->tree->places[made.place.anchor].parent != made.parent) {
            status = misfit(error_out, "has an anchor below another parent");
        }
    }
    if (status == GROVE_OK) {
        *target_out = made;
    }
    return status;
}

/* --- places --- */

static grove_status fail_limit(grove_error *error_out, const char *what)
{
    return grove__fail(error_out, GROVE_LIMIT, "a tree has at most 2^31 %s", what);
}

static grove_status reserve_place(grove__tree *tree, grove_error *error_out)
{
    size_t count = tree->place_count + 1;
    if (count >= GROVE__TREE_NO_EFFECT) {
        return fail_limit(error_out, "puts and moves");
    }
    if (!grove__array_reserve_to(tree->allocator, (void **)&tree->places,
                                 &tree->place_capacity, count, sizeof *tree->places) ||
        !grove__fugue_reserve(&tree->fugue, 1) ||
        !grove__numbers_reserve(&tree->place_numbers, tree->allocator, count,
                                grove__tree_place_rule(tree))) {
        return grove__fail_memory(error_out);
    }
    return GROVE_OK;
}

/* Adds the event's place, of a node that may be added next. */
static grove_status add_place(arrival *event, uint32_t node, const place_target *target,
                              uint32_t *place_out, grove_error *error_out)
{
    grove__tree *tree = event->tree;
    uint64_t sequence = grove__stamp_sequence(event->stamp);
    if (grove__tree_find_place(tree, event->replica, sequence) != GROVE__TREE_NONE) {
        return misfit(error_out, "is known already");
    }
    uint32_t place = (uint32_t)tree->place_count;
    grove_status status = reserve_place(tree, error_out);
    if (status == GROVE_OK) {
        status = note(tree, GROVE__TREE_ENTRY_PLACE, place, NULL, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    tree->places[place] = (grove__tree_place_record){
        .stamp = event->stamp,
        .node = node & GROVE__TREE_NONE,
        .is_put = event->operation.kind == GROVE_TREE_PUT,
        .parent = target->parent,
        .before = GROVE__TREE_NO_EFFECT,
        .home = GROVE__TREE_NONE,
    };
    tree->place_count++;
    grove__numbers_add(&tree->place_numbers,
                       grove__tree_place_hash(event->replica, sequence), place);
    grove__fugue_add(&tree->fugue, &tree->nodes[target->parent].children,
                     grove__tree_place_order(tree), target->place);
    *place_out = place;
    return GROVE_OK;
}

/* The place goes into the log when all is in. */
static grove_status add_move(grove__tree *tree, uint32_t place, grove_error *error_out)
{
    size_t count = tree->move_count + tree->arrival_count + 1;
    if (!grove__array_reserve(tree->allocator, (void **)&tree->arrivals,
                              &tree->arrival_capacity, tree->arrival_count,
                              sizeof *tree->arrivals) ||
        !grove__array_reserve_to(tree->allocator, (void **)&tree->moves,
                                 &tree->move_capacity, count, sizeof *tree->moves) ||
        grove_buffer_reserve(&tree->journal, (tree->arrival_count + 1) *
                                                 sizeof(grove__tree_entry)) == NULL) {
        tree->journal.failed = false;
        return grove__fail_memory(error_out);
    }
    tree->arrivals[tree->arrival_count++] = place;
    return GROVE_OK;
}

/* --- attributes, types and flags: the latest write wins --- */

static grove_status add_attribute(grove__tree *tree, uint32_t node, uint32_t name,
                                  uint32_t *number_out, grove_error *error_out)
{
    uint32_t number = (uint32_t)tree->attribute_count;
    if (number >= GROVE__TREE_NONE - 1) {
        return fail_limit(error_out, "attributes");
    }
    if (!grove__array_reserve_to(tree->allocator, (void **)&tree->attributes,
                                 &tree->attribute_capacity, tree->attribute_count + 1,
                                 sizeof *tree->attributes) ||
        !grove__numbers_reserve(&tree->attribute_numbers, tree->allocator,
                                tree->attribute_count + 1,
                                grove__tree_attribute_rule(tree))) {
        return grove__fail_memory(error_out);
    }
    grove_status status =
        note(tree, GROVE__TREE_ENTRY_ATTRIBUTE, number, NULL, error_out);
    if (status == GROVE_OK) {
        tree->attributes[number] = (grove__tree_attribute){
            .node = node, .name = name, .next = tree->nodes[node].attribute};
        tree->attribute_count++;
        tree->nodes[node].attribute = number;
        grove__numbers_add(&tree->attribute_numbers,
                           grove__tree_attribute_hash(node, name), number);
        *number_out = number;
    }
    return status;
}

/* Notes what an attribute was, if the event's write wins. GROVE_NONE: it does
 * not. */
static grove_status win_attribute(arrival *event, uint32_t number, grove_error *error_out)
{
    grove__tree *tree = event->tree;
    const grove__tree_attribute *attribute = &tree->attributes[number];
    if (!grove__tree_is_later(tree, event->stamp, attribute->stamp)) {
        return GROVE_NONE;
    }
    grove__tree_before before = {
        .stamp = attribute->stamp, .value = attribute->value, .size = attribute->size};
    return note(tree, GROVE__TREE_ENTRY_VALUE, number, &before, error_out);
}

/* Writes an attribute; an empty value unsets it. A new node has none. */
static grove_status write_attribute(arrival *event, uint32_t node, bool is_new,
                                    const grove__tree_written *written,
                                    grove_error *error_out)
{
    grove_bytes value = written->value;
    grove__tree *tree = event->tree;
    uint32_t name_number;
    if (grove__names_intern(&tree->names, written->name, &name_number) != GROVE_OK ||
        (value.size > 0 && grove_buffer_reserve(&tree->values, value.size) == NULL)) {
        tree->values.failed = false;
        return grove__fail_memory(error_out);
    }
    uint32_t number =
        is_new ? GROVE__TREE_NONE : grove__tree_find_attribute(tree, node, name_number);
    grove_status status = number == GROVE__TREE_NONE
                              ? add_attribute(tree, node, name_number, &number, error_out)
                              : win_attribute(event, number, error_out);
    if (status != GROVE_OK) {
        return status == GROVE_NONE ? GROVE_OK : status;
    }
    grove__tree_attribute *attribute = &tree->attributes[number];
    tree->value_garbage += attribute->size;
    attribute->stamp = event->stamp;
    attribute->value = tree->values.size;
    attribute->size = (uint32_t)value.size;
    grove_buffer_append(&tree->values, value.data, value.size);
    return GROVE_OK;
}

static grove_status write_type(arrival *event, uint32_t node, uint32_t place,
                               grove_error *error_out)
{
    grove__tree *tree = event->tree;
    grove__tree_node *record = &tree->nodes[node];
    uint32_t type;
    if (!grove__tree_is_place_later(tree, place, record->typed)) {
        return GROVE_OK;
    }
    if (grove__names_intern(&tree->names, event->operation.type, &type) != GROVE_OK) {
        return grove__fail_memory(error_out);
    }
    grove__tree_before before = {.other = record->type, .size = record->typed};
    grove_status status = note(tree, GROVE__TREE_ENTRY_TYPE, node, &before, error_out);
    if (status == GROVE_OK) {
        record->type = type;
        record->typed = place;
    }
    return status;
}

static grove_status add_deletion(grove__tree *tree, uint32_t node, grove_error *error_out)
{
    if (!grove__array_reserve(tree->allocator, (void **)&tree->deletions,
                              &tree->deletion_capacity, tree->deletion_count,
                              sizeof *tree->deletions)) {
        return grove__fail_memory(error_out);
    }
    grove_status status = note(tree, GROVE__TREE_ENTRY_DELETION, node, NULL, error_out);
    if (status == GROVE_OK) {
        tree->nodes[node].deletion = (uint32_t)tree->deletion_count++;
        tree->deletions[tree->nodes[node].deletion] = (grove__tree_deletion){{0, 0}, 0};
    }
    return status;
}

static grove_status write_flag(arrival *event, grove_error *error_out)
{
    grove__tree *tree = event->tree;
    bool is_deleted = event->operation.kind == GROVE_TREE_DELETE;
    uint32_t node = 0;
    grove_status status = resolve_child(event, &node, error_out);
    if (status == GROVE_OK && tree->nodes[node].deletion == GROVE__TREE_NONE) {
        status = add_deletion(tree, node, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove__tree_deletion *deletion = &tree->deletions[tree->nodes[node].deletion];
    if (!grove__tree_is_later(tree, event->stamp, deletion->stamp)) {
        return GROVE_OK;
    }
    grove__tree_before before = {.stamp = deletion->stamp, .other = deletion->is_deleted};
    status = note(tree, GROVE__TREE_ENTRY_FLAG, node, &before, error_out);
    if (status == GROVE_OK) {
        deletion->stamp = event->stamp;
        grove__tree_set_deleted(tree, node, is_deleted);
    }
    return status;
}

/* --- nodes --- */

/* The node that the put is of; _NONE: a new one, and the number of its id, if
 * one was given. */
static grove_status find_node(arrival *event, uint32_t *node_out, uint32_t *id_out,
                              grove_error *error_out)
{
    grove__tree *tree = event->tree;
    grove_bytes id = event->operation.id;
    grove_tree_id_bytes printed;
    *id_out = GROVE__TREE_NONE;
    if (id.size == 0 && tree->printed_ids == 0) {
        *node_out = GROVE__TREE_NONE;
        return GROVE_OK;
    }
    if (id.size == 0) {
        grove__tree_print_id(grove__names_at(&tree->replicas, event->replica),
                             grove__stamp_sequence(event->stamp), &printed);
        id = (grove_bytes){printed.bytes, printed.size};
    }
    *node_out = grove__tree_find(tree, id);
    if (*node_out != GROVE__TREE_NONE || event->operation.id.size == 0) {
        return GROVE_OK;
    }
    uint32_t number;
    if (grove__names_intern(&tree->ids, id, &number) != GROVE_OK ||
        !grove__array_reserve_to(tree->allocator, (void **)&tree->id_nodes,
                                 &tree->id_node_capacity, tree->ids.capacity,
                                 sizeof *tree->id_nodes)) {
        return grove__fail_memory(error_out);
    }
    /* Those before it without a slot are of puts without memory. */
    while (number >= tree->id_count) {
        grove_bytes known = grove__names_at(&tree->ids, (uint32_t)tree->id_count);
        tree->printed_ids += grove__tree_is_printed_id(known) ? 1 : 0;
        tree->id_nodes[tree->id_count++] = GROVE__TREE_NONE;
    }
    *id_out = number;
    return GROVE_OK;
}

/* The next node, which stands at the place. */
static grove_status add_node(arrival *event, uint32_t id, uint32_t place,
                             grove_error *error_out)
{
    grove__tree *tree = event->tree;
    uint32_t node = (uint32_t)tree->node_count;
    uint32_t type;
    if (node >= GROVE__TREE_NO_EFFECT) {
        return fail_limit(error_out, "nodes");
    }
    if (grove__names_intern(&tree->names, event->operation.type, &type) != GROVE_OK ||
        !grove__array_reserve_to(tree->allocator, (void **)&tree->nodes,
                                 &tree->node_capacity, tree->node_count + 1,
                                 sizeof *tree->nodes)) {
        return grove__fail_memory(error_out);
    }
    grove_status status = note(tree, GROVE__TREE_ENTRY_NODE, node, NULL, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    tree->nodes[node] = (grove__tree_node){
        .place = place,
        .base = place,
        .made = place,
        .id = id,
        .type = type,
        .children = GROVE__FUGUE_EMPTY,
        .attribute = GROVE__TREE_NONE,
        .deletion = GROVE__TREE_NONE,
        .typed = place,
    };
    tree->node_count++;
    tree->nodes[tree->places[place].parent].child_count++;
    if (id != GROVE__TREE_NONE) {
        tree->id_nodes[id] = node;
    }
    return GROVE_OK;
}

/* One more put of a node: a move, or, if it is the earliest, what the node
 * goes back to, and what was that is a move. */
static grove_status put_again(arrival *event, uint32_t node, uint32_t place,
                              grove_error *error_out)
{
    grove__tree *tree = event->tree;
    uint32_t base = tree->nodes[node].base;
    if (!grove__tree_is_place_later(tree, base, place)) {
        return add_move(tree, place, error_out);
    }
    grove_status status = add_move(tree, base, error_out);
    if (status == GROVE_OK) {
        grove__tree_before before = {.other = base};
        status = note(tree, GROVE__TREE_ENTRY_BASE, node, &before, error_out);
    }
    if (status == GROVE_OK) {
        tree->nodes[node].base = place;
    }
    return status;
}

static grove_status apply_put(arrival *event, grove_error *error_out)
{
    grove__tree *tree = event->tree;
    place_target target;
    uint32_t node;
    uint32_t id;
    uint32_t place = 0;
    grove_status status = resolve_target(event, &target, error_out);
    if (status == GROVE_OK) {
        status = find_node(event, &node, &id, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    bool is_new = node == GROVE__TREE_NONE;
    if (is_new) {
        node = (uint32_t)tree->node_count;
    }
    status = add_place(event, node, &target, &place, error_out);
    if (status == GROVE_OK) {
        status = is_new ? add_node(event, id, place, error_out)
                        : put_again(event, node, place, error_out);
    }
    if (status == GROVE_OK && !is_new) {
        status = write_type(event, node, place, error_out);
    }
    grove_reader attributes = grove_reader_of(event->operation.attributes);
    grove__tree_written written;
    while (status == GROVE_OK && grove__tree_attribute_next(&attributes, &written)) {
        status = write_attribute(event, node, is_new, &written, error_out);
    }
    return status;
}

static grove_status apply_move(arrival *event, grove_error *error_out)
{
    place_target target;
    uint32_t node = 0;
    uint32_t place = 0;
    grove_status status = resolve_child(event, &node, error_out);
    if (status == GROVE_OK) {
        status = resolve_target(event, &target, error_out);
    }
    if (status == GROVE_OK) {
        status = add_place(event, node, &target, &place, error_out);
    }
    return status == GROVE_OK ? add_move(event->tree, place, error_out) : status;
}

static grove_status apply_write(arrival *event, grove_error *error_out)
{
    uint32_t node = 0;
    grove__tree_written written = {event->operation.name, event->operation.value};
    grove_status status = resolve_node(event, &event->operation.node, &node, error_out);
    return status == GROVE_OK ? write_attribute(event, node, false, &written, error_out)
                              : status;
}

static grove_status apply_event(arrival *event, grove_error *error_out)
{
    if (grove__stamp_time(event->stamp) <= event->tree->settled) {
        return misfit(error_out, "is concurrent with history that was removed");
    }
    switch (event->operation.kind) {
    case GROVE_TREE_PUT:
        return apply_put(event, error_out);
    case GROVE_TREE_MOVE:
        return apply_move(event, error_out);
    case GROVE_TREE_SET:
    case GROVE_TREE_UNSET:
        return apply_write(event, error_out);
    case GROVE_TREE_DELETE:
    case GROVE_TREE_RESTORE:
        break;
    }
    return write_flag(event, error_out);
}

/* --- all of them --- */

/* Makes room for what the operations will add for sure, at once. */
static grove_status reserve_all(grove__tree *tree, grove_operations operations,
                                grove_error *error_out)
{
    size_t puts = 0;
    size_t moves = 0;
    for (size_t index = 0; index < operations.count; index++) {
        puts += operations.items[index].kind == GROVE_TREE_PUT ? 1 : 0;
        moves += operations.items[index].kind == GROVE_TREE_MOVE ? 1 : 0;
    }
    size_t places = tree->place_count + puts + moves;
    if (grove__array_reserve_to(tree->allocator, (void **)&tree->places,
                                &tree->place_capacity, places, sizeof *tree->places) &&
        grove__array_reserve_to(tree->allocator, (void **)&tree->nodes,
                                &tree->node_capacity, tree->node_count + puts,
                                sizeof *tree->nodes) &&
        grove__fugue_reserve(&tree->fugue, puts + moves) &&
        grove__numbers_reserve(&tree->place_numbers, tree->allocator, places,
                               grove__tree_place_rule(tree))) {
        return GROVE_OK;
    }
    return grove__fail_memory(error_out);
}

/* Values that nothing holds any more are left out when they are the most. */
enum { GARBAGE_BYTES_MIN = 1 << 16, JOURNAL_BYTES_KEPT = 1 << 14 };

static void collect_garbage(grove__tree *tree)
{
    if (tree->value_garbage < GARBAGE_BYTES_MIN ||
        tree->value_garbage < tree->values.size / 2) {
        return;
    }
    grove_buffer kept;
    grove_buffer_init(&kept, tree->allocator);
    if (grove_buffer_reserve(&kept, tree->values.size - tree->value_garbage + 1) ==
        NULL) {
        return;
    }
    for (size_t index = 0; index < tree->attribute_count; index++) {
        grove_bytes value = grove__tree_value_at(tree, (uint32_t)index);
        tree->attributes[index].value = kept.size;
        grove_buffer_append(&kept, value.data, value.size);
    }
    GROVE_ASSERT(!kept.failed);
    grove_buffer_release(&tree->values);
    tree->values = kept;
    tree->value_garbage = 0;
}

static grove_status apply_run(arrival *event, const grove_stamp_run *run,
                              const grove_operation *operations, size_t *index,
                              grove_error *error_out)
{
    grove__tree *tree = event->tree;
    grove_bytes name = grove__replica_bytes(run->replica);
    if (grove__names_intern(&tree->replicas, name, &event->replica) != GROVE_OK) {
        return grove__fail_memory(error_out);
    }
    grove_status status = GROVE_OK;
    for (uint32_t nth = 0; status == GROVE_OK && nth < run->count; nth++) {
        uint64_t time = run->time + nth;
        if (time >= GROVE_DOCUMENT_EVENTS_MAX) {
            return misfit(error_out, "has a time that cannot be");
        }
        event->stamp = grove__stamp_of(time, event->replica, run->sequence + nth);
        status = grove__tree_operation_decode(&operations[*index], &event->operation,
                                              error_out);
        if (status == GROVE_OK) {
            status = apply_event(event, error_out);
        }
        if (status == GROVE_OK) {
            ++*index;
        }
    }
    return status;
}

grove_status grove__tree_apply(grove__tree *tree, grove_operations operations,
                               grove_stamps stamps, grove_error *error_out)
{
    arrival event = {.tree = tree};
    size_t before = tree->journal.size;
    size_t index = 0;
    grove_status status = reserve_all(tree, operations, error_out);
    for (size_t run = 0; status == GROVE_OK && run < stamps.count; run++) {
        GROVE_ASSERT(stamps.items[run].count <= operations.count - index);
        status =
            apply_run(&event, &stamps.items[run], operations.items, &index, error_out);
    }
    if (status != GROVE_OK) {
        grove__tree_take_back(tree, before);
        if (status == GROVE_CORRUPT && error_out != NULL) {
            error_out->offset = index;
        }
        return status;
    }
    GROVE_ASSERT(index == operations.count);
    grove__tree_settle(tree);
    if (!tree->is_open) {
        if (tree->journal.capacity > JOURNAL_BYTES_KEPT) {
            grove_buffer_release(&tree->journal);
        }
        grove_buffer_reset(&tree->journal);
        collect_garbage(tree);
    }
    return GROVE_OK;
}
