#include "program.h"

#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "tree/operation.h"

/* --- replicas --- */

void program_clear(tree_program *program)
{
    oracle_clear(&program->oracle);
    memset(program->known, 0, sizeof program->known);
    memset(program->sequences, 0, sizeof program->sequences);
}

uint32_t program_add(tree_program *program, uint32_t replica, oracle_event *event)
{
    event->replica = replica;
    event->sequence = program->sequences[replica]++;
    event->past = program->known[replica];
    uint32_t number = oracle_add(&program->oracle, event);
    oracle_include(&program->known[replica], number);
    return number;
}

void program_forget(tree_program *program, uint32_t event, const oracle_set *known)
{
    uint32_t replica = program->oracle.events[event].replica;
    cr_assert_eq(event + 1, program->oracle.count);
    program->oracle.count--;
    program->sequences[replica]--;
    program->known[replica] = *known;
}

uint32_t program_put_of(const tree_program *program, const oracle_state *state,
                        const oracle_set *known, uint32_t node)
{
    uint32_t event = 0;
    if (node == 0) {
        return ORACLE_NONE;
    }
    while (!oracle_has(known, event) ||
           program->oracle.events[event].kind != GROVE_TREE_PUT ||
           state->node_of[event] != node) {
        event++;
    }
    return event;
}

/* Whether anything hangs right of a place, or of the beginning of a list. */
static bool has_right(const tree_program *program, const uint32_t *places, uint32_t count,
                      uint32_t anchor)
{
    for (uint32_t index = 0; index < count; index++) {
        const oracle_event *event = &program->oracle.events[places[index]];
        if (event->anchor == anchor && !event->is_left) {
            return true;
        }
    }
    return false;
}

void program_go(const tree_program *program, const oracle_state *state,
                const oracle_set *known, program_place place, uint32_t moved,
                oracle_event *event)
{
    static uint32_t places[ORACLE_EVENTS_MAX];
    static uint32_t standing[ORACLE_EVENTS_MAX];
    uint32_t count = oracle_places(&program->oracle, state, known, place.parent, places);
    uint32_t stands = 0;
    uint32_t at = 0;
    for (uint32_t index = 0; index < count; index++) {
        uint32_t node = state->node_of[places[index]];
        if (state->nodes[node].place == places[index] && node != moved) {
            if (node == place.sibling) {
                at = stands + (place.where == GROVE_TREE_AFTER ? 1 : 0);
            }
            standing[stands++] = places[index];
        }
    }
    if (place.where == GROVE_TREE_LAST) {
        at = stands;
    } else if (place.where == GROVE_TREE_FIRST) {
        at = 0;
    }
    uint32_t left = at == 0 ? ORACLE_NONE : standing[at - 1];
    uint32_t right = at == stands ? ORACLE_NONE : standing[at];
    event->parent = program_put_of(program, state, known, place.parent);
    event->is_left = right != ORACLE_NONE && has_right(program, places, count, left);
    event->anchor = event->is_left ? right : left;
}

oracle_bytes program_integer(int64_t number)
{
    oracle_bytes bytes = {0};
    grove_buffer buffer;
    const grove_value value = grove_value_integer(number);
    grove_buffer_init(&buffer, &grove__allocator_system);
    grove__tree_value_encode(&value, &buffer);
    bytes.size = (uint8_t)buffer.size;
    memcpy(bytes.bytes, buffer.data, buffer.size);
    grove_buffer_release(&buffer);
    return bytes;
}

/* --- edits --- */

/* The last node that it may be; ORACLE_NONE. */
static uint32_t find_node(const oracle_state *state, const char *id)
{
    for (uint32_t node = 0; *id == '.' && node < state->count; node++) {
        if (memchr(state->nodes[node].id.bytes, '.', state->nodes[node].id.size) !=
            NULL) {
            return node;
        }
    }
    return oracle_find(state, grove_bytes_of(id));
}

/* Where a node may go: a parent that is there and not below it, and a sibling
 * that is another child of it. */
static bool find_place(const oracle_state *state, const program_edit *edit,
                       uint32_t moved, program_place *place_out)
{
    place_out->where = edit->where;
    place_out->sibling = ORACLE_NONE;
    place_out->parent = find_node(state, edit->parent);
    if (place_out->parent == ORACLE_NONE ||
        (moved != ORACLE_NONE && oracle_is_above(state, moved, place_out->parent))) {
        return false;
    }
    if (edit->sibling != NULL) {
        place_out->sibling = find_node(state, edit->sibling);
        return place_out->sibling != ORACLE_NONE && place_out->sibling != moved &&
               state->nodes[place_out->sibling].parent == place_out->parent;
    }
    return true;
}

bool program_do(tree_program *program, uint32_t replica, const program_edit *edit)
{
    static oracle_state made;
    oracle_state *state = &made;
    const oracle_set *known = &program->known[replica];
    oracle_event event = {.kind = edit->kind, .anchor = ORACLE_NONE};
    oracle_make(&program->oracle, known, state);
    bool makes_node = edit->kind == GROVE_TREE_PUT && *edit->node == '\0';
    uint32_t node = makes_node ? ORACLE_NONE : find_node(state, edit->node);
    program_place place;
    if (node == ORACLE_NONE && edit->kind != GROVE_TREE_PUT) {
        return false;
    }
    if (edit->parent != NULL) {
        if (!find_place(state, edit, node, &place)) {
            return false;
        }
        program_go(program, state, known, place, node, &event);
    }
    if (edit->kind == GROVE_TREE_PUT) {
        const grove_replica *name = &program->oracle.replicas[replica];
        event.id = oracle_bytes_of(edit->node);
        event.type = name->bytes[0] < 0x80
                         ? (oracle_bytes){name->size, {name->bytes[0], name->bytes[1]}}
                         : oracle_bytes_of("?");
    } else {
        event.node = program_put_of(program, state, known, node);
    }
    if (edit->kind <= GROVE_TREE_UNSET) {
        event.write_count = 1;
        event.writes[0].name = oracle_bytes_of("x");
        event.writes[0].value = program_integer(program->oracle.count);
    }
    if (edit->kind == GROVE_TREE_UNSET) {
        event.writes[0].value.size = 0;
    }
    (void)program_add(program, replica, &event);
    return true;
}

static void draw_write(oracle_write *write, test_random *random, bool is_unset)
{
    static const char *const names[] = {"a", "b", "bb", "c", "name"};
    static const grove_bytes values[] = {
        {(const uint8_t *)"\0", 1},        {(const uint8_t *)"\1", 1},
        {(const uint8_t *)"\2", 1},        {(const uint8_t *)"\5text", 5},
        {(const uint8_t *)"\6\0bytes", 7}, {(const uint8_t *)"\4\0\0\0\0\0\0\0\1", 9},
    };
    write->name = oracle_bytes_of(names[test_random_below(random, 5)]);
    write->value = program_integer((int64_t)test_random_next(random));
    uint64_t kind = test_random_below(random, 12);
    if (kind < 6) {
        write->value.size = (uint8_t)values[kind].size;
        memcpy(write->value.bytes, values[kind].data, values[kind].size);
    }
    if (is_unset) {
        write->value.size = 0;
    }
}

/* Ascending by names, none twice. */
static void draw_writes(oracle_event *event, test_random *random)
{
    uint64_t count = test_random_below(random, ORACLE_WRITES_MAX + 1);
    while (event->write_count < count) {
        oracle_write *write = &event->writes[event->write_count];
        draw_write(write, random, false);
        if (event->write_count > 0 &&
            grove__bytes_compare(oracle_view(&write[-1].name),
                                 oracle_view(&write->name)) >= 0) {
            return;
        }
        event->write_count++;
    }
}

/* A place for `moved` that is not below it; false: none was found. */
static bool draw_place(const tree_program *program, const oracle_state *state,
                       const oracle_set *known, uint32_t moved, test_random *random,
                       program_place *place_out)
{
    static uint32_t children[ORACLE_EVENTS_MAX];
    place_out->parent = (uint32_t)test_random_below(random, state->count);
    place_out->where = (grove_tree_where)test_random_below(random, 4);
    if (moved != ORACLE_NONE && oracle_is_above(state, moved, place_out->parent)) {
        return false;
    }
    if (place_out->where == GROVE_TREE_LAST || place_out->where == GROVE_TREE_FIRST) {
        return true;
    }
    uint32_t count =
        oracle_children(&program->oracle, state, known, place_out->parent, children);
    if (count == 0) {
        return false;
    }
    place_out->sibling = children[test_random_below(random, count)];
    return place_out->sibling != moved;
}

/* What a put is of: mostly a new node, else one of a few ids that others put
 * as well. */
static uint32_t draw_id(const oracle_state *state, oracle_event *event,
                        test_random *random)
{
    static const char *const ids[] = {"A", "B", "C", "D", "6d.3", "61.0"};
    static const char *const types[] = {"", "p", "list", "p\xc3\xa4"};
    event->type = oracle_bytes_of(types[test_random_below(random, 4)]);
    if (test_random_below(random, 3) > 0) {
        return ORACLE_NONE;
    }
    event->id = oracle_bytes_of(ids[test_random_below(random, 6)]);
    return oracle_find(state, oracle_view(&event->id));
}

uint32_t program_draw(tree_program *program, uint32_t replica, test_random *random)
{
    static oracle_state made;
    const oracle_state *state = &made;
    const oracle_set *known = &program->known[replica];
    oracle_make(&program->oracle, known, &made);
    for (;;) {
        static const grove_tree_kind kinds[] = {
            GROVE_TREE_PUT,  GROVE_TREE_PUT,   GROVE_TREE_PUT,    GROVE_TREE_MOVE,
            GROVE_TREE_MOVE, GROVE_TREE_MOVE,  GROVE_TREE_SET,    GROVE_TREE_SET,
            GROVE_TREE_SET,  GROVE_TREE_UNSET, GROVE_TREE_DELETE, GROVE_TREE_RESTORE,
        };
        oracle_event event = {.anchor = ORACLE_NONE};
        uint32_t node = (uint32_t)test_random_below(random, state->count);
        program_place place;
        event.kind = kinds[test_random_below(random, sizeof kinds / sizeof *kinds)];
        if (event.kind == GROVE_TREE_PUT) {
            node = draw_id(state, &event, random);
            draw_writes(&event, random);
        } else if (event.kind == GROVE_TREE_SET || event.kind == GROVE_TREE_UNSET) {
            draw_write(&event.writes[event.write_count++], random,
                       event.kind == GROVE_TREE_UNSET);
        } else if (node == 0) {
            continue;
        }
        if (event.kind == GROVE_TREE_PUT || event.kind == GROVE_TREE_MOVE) {
            if (!draw_place(program, state, known, node, random, &place)) {
                continue;
            }
            program_go(program, state, known, place, node, &event);
        }
        if (event.kind != GROVE_TREE_PUT) {
            event.node = program_put_of(program, state, known, node);
        }
        event.metadata.size = (uint8_t)test_random_below(random, 3);
        return program_add(program, replica, &event);
    }
}

void program_learn(tree_program *program, uint32_t replica, uint32_t from)
{
    oracle_join(&program->known[replica], &program->known[from]);
}

/* --- trees --- */

grove__tree *program_tree(const grove_allocator *allocator)
{
    const grove_document_type *type = grove_type_tree();
    void *state = NULL;
    cr_assert_eq(type->state_new(type, allocator, &state), GROVE_OK);
    return state;
}

/* Stamps in runs as long as can be. */
static size_t add_stamp(const tree_oracle *oracle, grove_stamp_run *runs, size_t count,
                        const oracle_event *event)
{
    const grove_replica *replica = &oracle->replicas[event->replica];
    grove_stamp_run *last = count == 0 ? NULL : &runs[count - 1];
    if (last != NULL && last->replica == replica &&
        last->sequence + last->count == event->sequence &&
        last->time + last->count == event->time) {
        last->count++;
        return count;
    }
    runs[count] = (grove_stamp_run){replica, event->sequence, event->time, 1};
    return count + 1;
}

grove_status program_apply(const tree_program *program, grove__tree *tree,
                           const uint32_t *events, uint32_t count, grove_error *error_out)
{
    static grove_operation items[ORACLE_EVENTS_MAX];
    static grove_stamp_run runs[ORACLE_EVENTS_MAX];
    const grove_document_type *type = grove_type_tree();
    size_t run_count = 0;
    for (uint32_t index = 0; index < count; index++) {
        const oracle_event *event = &program->oracle.events[events[index]];
        items[index] = (grove_operation){
            (uint8_t)event->kind, 1, 0, {event->content, event->content_bytes}};
        run_count = add_stamp(&program->oracle, runs, run_count, event);
    }
    return type->state_apply(type, tree, (grove_operations){items, count},
                             (grove_stamps){runs, run_count}, error_out);
}

grove__tree *program_run(const tree_program *program, uint32_t count)
{
    grove__tree *tree = program_tree(&grove__allocator_system);
    for (uint32_t event = 0; event < count; event++) {
        cr_assert_eq(program_apply(program, tree, &event, 1, NULL), GROVE_OK);
    }
    return tree;
}

static void append(char *text, const void *bytes, size_t size)
{
    size_t length = strlen(text);
    cr_assert_lt(length + size, OUTLINE_MAX);
    memcpy(text + length, bytes, size);
    text[length + size] = '\0';
}

void program_outline(const grove__tree *tree, bool deleted_too, char *text_out)
{
    uint32_t depth = 0;
    uint32_t before = 0;
    *text_out = '\0';
    for (uint32_t node = 0; node != GROVE__TREE_NONE;
         node = grove__tree_next(tree, 0, node, true, deleted_too, &depth)) {
        grove_tree_id_bytes id;
        grove__tree_id(tree, node, &id);
        append(text_out, "(", depth > before && before > 0 ? 1 : 0);
        for (uint32_t level = depth; level < before; level++) {
            append(text_out, ")", 1);
        }
        append(text_out, ",", depth <= before && node != 0 ? 1 : 0);
        append(text_out, id.bytes, id.size);
        before = depth;
    }
    for (uint32_t level = 1; level < before; level++) {
        append(text_out, ")", 1);
    }
}

void program_encode(const grove__tree *tree, uint64_t settled,
                    grove_type_buffers *buffers)
{
    const grove_document_type *type = grove_type_tree();
    grove_buffer_init(&buffers->structure, &grove__allocator_system);
    grove_buffer_init(&buffers->content, &grove__allocator_system);
    buffers->structure_cut_count = 0;
    grove_status status =
        settled == 0
            ? type->state_encode(type, tree, buffers, NULL)
            : type->timed->state_encode_settled(type, tree, settled, buffers, NULL);
    cr_assert_eq(status, GROVE_OK);
}

grove_type_frames program_frames(const grove_type_buffers *buffers)
{
    return (grove_type_frames){grove_buffer_view(&buffers->structure),
                               grove_buffer_view(&buffers->content), false};
}

void program_release(grove_type_buffers *buffers)
{
    grove_buffer_release(&buffers->structure);
    grove_buffer_release(&buffers->content);
}

grove__tree *program_decode(const grove_type_buffers *buffers)
{
    const grove_document_type *type = grove_type_tree();
    grove_error error = {GROVE_OK, 0, ""};
    void *state = NULL;
    cr_assert_eq(type->state_decode(type, &grove__allocator_system,
                                    program_frames(buffers), &state, &error),
                 GROVE_OK, "%s", error.message);
    return state;
}

void program_reload(grove__tree **tree, uint64_t settled)
{
    grove_type_buffers buffers;
    program_encode(*tree, settled, &buffers);
    grove__tree_free(*tree);
    *tree = program_decode(&buffers);
    program_release(&buffers);
}

tree_digest program_digest(const grove__tree *tree)
{
    const grove_document_type *type = grove_type_tree();
    tree_digest digest;
    cr_assert_eq(type->timed->state_digest(type, tree, digest.bytes, NULL), GROVE_OK);
    return digest;
}

bool program_is_digest(const grove__tree *tree, const tree_digest *digest)
{
    const tree_digest own = program_digest(tree);
    return memcmp(own.bytes, digest->bytes, sizeof own.bytes) == 0;
}

/* --- orders --- */

bool program_next_order(uint32_t *order, uint32_t count)
{
    uint32_t index = count;
    while (index > 1 && order[index - 2] > order[index - 1]) {
        index--;
    }
    if (index <= 1) {
        return false;
    }
    uint32_t larger = count - 1;
    while (order[larger] < order[index - 2]) {
        larger--;
    }
    uint32_t held = order[larger];
    order[larger] = order[index - 2];
    order[index - 2] = held;
    for (uint32_t low = index - 1, high = count - 1; low < high; low++, high--) {
        held = order[low];
        order[low] = order[high];
        order[high] = held;
    }
    return true;
}

bool program_is_causal(const tree_program *program, const oracle_set *known,
                       const uint32_t *order, uint32_t count)
{
    oracle_set delivered = *known;
    for (uint32_t index = 0; index < count; index++) {
        if (!oracle_is_within(&program->oracle.events[order[index]].past, &delivered)) {
            return false;
        }
        oracle_include(&delivered, order[index]);
    }
    return true;
}
