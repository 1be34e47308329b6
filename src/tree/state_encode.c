/* A tree to the columns of a snapshot; see columns.h. */
#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "format/column.h"
#include "tree/columns.h"
#include "tree/tree.h"

/* What is remembered of a replica: its number in the snapshot, its last
 * sequence, and the last difference between a time and a sequence. */
typedef struct replica_state {
    uint32_t number; /* GROVE__TREE_NONE: not met yet */
    uint64_t sequence;
    uint64_t ahead;
} replica_state;

typedef struct encoder {
    const grove__tree *tree;
    uint64_t settled;
    grove_buffer columns[COLUMN_COUNT];
    uint8_t *roles;      /* of each place; PLACE_ROLE: left out */
    uint32_t *bases;     /* of each node */
    uint32_t *order;     /* nodes, as they are numbered */
    uint32_t *numbers;   /* of each node; GROVE__TREE_NONE: not met yet */
    uint32_t *positions; /* of each place, in its list, without those left out */
    replica_state *replicas;
    uint32_t *names;                        /* numbers in the snapshot */
    grove_buffer replica_order, name_order; /* uint32_t: numbers in the tree */
    size_t node_count;
    uint64_t deletion_count, attribute_count;
    grove_buffer ids, values; /* of the content */
    grove_buffer sorted;
} encoder;

/* Arrays of the encoder, to allocate and to give back. */
typedef struct array {
    void **items;
    size_t bytes;
} array;

enum { ARRAYS = 7 };

static void list_arrays(encoder *work, array arrays[ARRAYS])
{
    const grove__tree *tree = work->tree;
    array all[ARRAYS] = {
        {(void **)&work->roles, tree->place_count},
        {(void **)&work->bases, tree->node_count * sizeof(uint32_t)},
        {(void **)&work->order, tree->node_count * sizeof(uint32_t)},
        {(void **)&work->numbers, tree->node_count * sizeof(uint32_t)},
        {(void **)&work->positions, tree->place_count * sizeof(uint32_t)},
        {(void **)&work->replicas, tree->replicas.count * sizeof *work->replicas},
        {(void **)&work->names, tree->names.count * sizeof(uint32_t)},
    };
    memcpy(arrays, all, sizeof all);
}

static void release(encoder *work)
{
    array arrays[ARRAYS];
    list_arrays(work, arrays);
    for (size_t index = 0; index < ARRAYS; index++) {
        grove__deallocate(work->tree->allocator, *arrays[index].items,
                          arrays[index].bytes);
    }
    for (size_t index = 0; index < COLUMN_COUNT; index++) {
        grove_buffer_release(&work->columns[index]);
    }
    grove_buffer_release(&work->replica_order);
    grove_buffer_release(&work->name_order);
    grove_buffer_release(&work->ids);
    grove_buffer_release(&work->values);
    grove_buffer_release(&work->sorted);
}

/* False: no memory. */
static bool prepare(encoder *work)
{
    const grove_allocator *allocator = work->tree->allocator;
    for (size_t index = 0; index < COLUMN_COUNT; index++) {
        grove_buffer_init(&work->columns[index], allocator);
    }
    grove_buffer_init(&work->replica_order, allocator);
    grove_buffer_init(&work->name_order, allocator);
    grove_buffer_init(&work->ids, allocator);
    grove_buffer_init(&work->values, allocator);
    grove_buffer_init(&work->sorted, allocator);
    array arrays[ARRAYS];
    list_arrays(work, arrays);
    for (size_t index = 0; index < ARRAYS; index++) {
        size_t bytes = arrays[index].bytes;
        if (bytes == 0) {
            continue;
        }
        *arrays[index].items = grove__allocate(allocator, bytes);
        if (*arrays[index].items == NULL) {
            return false;
        }
        /* GROVE__TREE_NONE in each, and PLACE_ROLE for all bits of a role. */
        memset(*arrays[index].items, 0xff, bytes);
    }
    return true;
}

/* --- what is kept --- */

static bool is_settled(const encoder *work, uint32_t place)
{
    return grove__stamp_time(work->tree->places[place].stamp) <= work->settled;
}

/* Where a node goes back to when all is undone that may be undone. */
static uint32_t find_base(const encoder *work, uint32_t node)
{
    const grove__tree *tree = work->tree;
    uint32_t place = tree->nodes[node].place;
    while (place != tree->nodes[node].base && !is_settled(work, place)) {
        place = tree->places[place].before;
    }
    return place;
}

/* Keeps a place, if it was not yet, and the anchors that its order needs. */
static void keep(encoder *work, uint32_t place, uint8_t role)
{
    const grove__fugue_links *links = work->tree->fugue.links;
    if (work->roles[place] > role) {
        work->roles[place] = role;
    }
    for (uint32_t at = links[place].anchor;
         at != GROVE__TREE_NONE && work->roles[at] > PLACE_EMPTY; at = links[at].anchor) {
        work->roles[at] = PLACE_EMPTY;
    }
}

static void choose(encoder *work)
{
    const grove__tree *tree = work->tree;
    for (uint32_t node = 1; node < tree->node_count; node++) {
        work->bases[node] = find_base(work, node);
        keep(work, work->bases[node], PLACE_BASE);
    }
    for (size_t index = 0; index < tree->move_count; index++) {
        uint32_t move = tree->moves[index];
        if (!is_settled(work, move)) {
            keep(work, move, PLACE_MOVE);
        }
    }
    for (uint32_t place = 0; place < tree->place_count; place++) {
        if (tree->places[place].is_put) {
            keep(work, place, PLACE_EMPTY);
        }
    }
}

/* --- columns --- */

static void put(encoder *work, enum grove__tree_column column, uint64_t number)
{
    grove_buffer_varint(&work->columns[column], number);
}

/* The number in the snapshot of something of the tree's, the next at its first
 * mention. */
static uint32_t number_of(uint32_t *number, grove_buffer *order, uint32_t item)
{
    if (*number == UINT32_MAX) {
        *number = (uint32_t)(order->size / sizeof item);
        grove_buffer_append(order, &item, sizeof item);
    }
    return *number;
}

static void put_stamp(encoder *work, grove__stamp stamp)
{
    uint32_t replica = grove__stamp_replica(stamp);
    uint64_t sequence = grove__stamp_sequence(stamp);
    uint64_t ahead = grove__stamp_time(stamp) - sequence;
    replica_state *state = &work->replicas[replica];
    if (state->number == UINT32_MAX) {
        state->sequence = 0;
        state->ahead = 0;
    }
    put(work, COLUMN_REPLICAS, number_of(&state->number, &work->replica_order, replica));
    put(work, COLUMN_SEQUENCES, grove__zigzag((int64_t)(sequence - state->sequence)));
    put(work, COLUMN_TIMES, grove__zigzag((int64_t)(ahead - state->ahead)));
    state->sequence = sequence;
    state->ahead = ahead;
}

static void put_anchor(encoder *work, uint32_t place)
{
    const grove__fugue_links *links = &work->tree->fugue.links[place];
    int64_t position = work->positions[place];
    int64_t anchor =
        links->anchor == GROVE__TREE_NONE ? -1 : (int64_t)work->positions[links->anchor];
    bool is_usual = !links->is_left && anchor == position - 1;
    uint64_t number = grove__zigzag(position - anchor) * 2 + (links->is_left ? 1 : 0);
    put(work, COLUMN_ANCHORS, is_usual ? 0 : 1 + number);
}

static void put_place(encoder *work, uint32_t place)
{
    const grove__tree *tree = work->tree;
    const grove__tree_place_record *record = &tree->places[place];
    uint32_t node = record->node;
    bool is_met = work->numbers[node] != GROVE__INDEX_NONE;
    bool names_node = record->is_put && grove__tree_naming_put(tree, node) == place;
    put(work, COLUMN_PLACES,
        work->roles[place] | (record->is_put ? 0u : PLACE_IS_NO_PUT) |
            (is_met ? PLACE_IS_MET : 0u) | (names_node ? PLACE_NAMES_NODE : 0u));
    if (is_met) {
        put(work, COLUMN_NODES, work->numbers[node]);
    } else {
        work->numbers[node] = (uint32_t)work->node_count;
        work->order[work->node_count++] = node;
    }
    put_stamp(work, record->stamp);
    put_anchor(work, place);
}

static void put_places(encoder *work)
{
    const grove__tree *tree = work->tree;
    work->numbers[GROVE_NODE_ROOT] = 0;
    work->order[0] = GROVE_NODE_ROOT;
    work->node_count = 1;
    for (size_t index = 0; index < work->node_count; index++) {
        uint32_t first = tree->nodes[work->order[index]].children.first;
        uint32_t count = 0;
        for (uint32_t at = first; at != GROVE__TREE_NONE;
             at = tree->fugue.links[at].next) {
            if (work->roles[at] <= PLACE_EMPTY) {
                work->positions[at] = count++;
            }
        }
        put(work, COLUMN_COUNTS, count);
        for (uint32_t at = first; at != GROVE__TREE_NONE;
             at = tree->fugue.links[at].next) {
            if (work->roles[at] <= PLACE_EMPTY) {
                put_place(work, at);
            }
        }
    }
}

static void put_node(encoder *work, uint32_t node)
{
    const grove__tree *tree = work->tree;
    const grove__tree_node *record = &tree->nodes[node];
    put(work, COLUMN_TYPES,
        number_of(&work->names[record->type], &work->name_order, record->type));
    grove_bytes id = {NULL, 0};
    /* An id that names a put of the node is not kept, even if it was given: the
     * same events say the same, whichever of them came first. */
    if (grove__tree_naming_put(tree, node) == GROVE__TREE_NONE) {
        id = grove__names_at(&tree->ids, record->id);
    }
    put(work, COLUMN_IDS, id.size);
    grove_buffer_append(&work->ids, id.data, id.size);
}

static void put_deletions(encoder *work)
{
    const grove__tree *tree = work->tree;
    size_t before = 0;
    for (size_t index = 1; index < work->node_count; index++) {
        uint32_t number = tree->nodes[work->order[index]].deletion;
        if (number == GROVE__TREE_NONE) {
            continue;
        }
        const grove__tree_deletion *deletion = &tree->deletions[number];
        if (deletion->is_deleted == 0 &&
            grove__stamp_time(deletion->stamp) <= work->settled) {
            continue;
        }
        put(work, COLUMN_DELETIONS,
            (index - before - 1) * 2 + (deletion->is_deleted != 0 ? 1 : 0));
        put_stamp(work, deletion->stamp);
        before = index;
        work->deletion_count++;
    }
}

static void put_attribute(encoder *work, uint32_t node, uint32_t number, bool is_first,
                          size_t distance)
{
    const grove__tree *tree = work->tree;
    const grove__tree_attribute *attribute = &tree->attributes[number];
    uint32_t name =
        number_of(&work->names[attribute->name], &work->name_order, attribute->name);
    uint32_t typed = tree->nodes[node].typed;
    bool is_usual = typed != GROVE__TREE_NONE &&
                    grove__stamp_equal(attribute->stamp, tree->places[typed].stamp);
    put(work, COLUMN_ATTRIBUTES, (uint64_t)name * 2 + (is_first ? 1 : 0));
    if (is_first) {
        put(work, COLUMN_OWNERS, distance - 1);
    }
    put(work, COLUMN_SIZES, (uint64_t)attribute->size * 2 + (is_usual ? 0 : 1));
    if (!is_usual) {
        put_stamp(work, attribute->stamp);
    }
    grove_bytes value = grove__tree_value_at(tree, number);
    grove_buffer_append(&work->values, value.data, value.size);
    work->attribute_count++;
}

static bool put_attributes(encoder *work)
{
    const grove__tree *tree = work->tree;
    size_t owner = 0;
    for (size_t index = 0; index < work->node_count; index++) {
        uint32_t node = work->order[index];
        if (!grove__tree_sort_attributes(tree, node, &work->sorted)) {
            return false;
        }
        const grove__tree_named *named =
            (const grove__tree_named *)(const void *)work->sorted.data;
        for (size_t nth = 0; nth < work->sorted.size / sizeof *named; nth++) {
            uint32_t number = named[nth].attribute;
            const grove__tree_attribute *attribute = &tree->attributes[number];
            if (attribute->size > 0 ||
                grove__stamp_time(attribute->stamp) > work->settled) {
                put_attribute(work, node, number, owner != index, index - owner);
                owner = index;
            }
        }
    }
    return true;
}

/* --- head and content --- */

static void put_names(encoder *work, const grove__names *names, const grove_buffer *order,
                      grove_buffer *content)
{
    const uint32_t *numbers = (const uint32_t *)(const void *)order->data;
    for (size_t index = 0; index < order->size / sizeof *numbers; index++) {
        grove_bytes name = grove__names_at(names, numbers[index]);
        put(work, COLUMN_HEAD, name.size);
        grove_buffer_append(content, name.data, name.size);
    }
}

static grove_status finish(encoder *work, grove_type_buffers *buffers,
                           grove_error *error_out)
{
    grove_buffer *structure = &buffers->structure;
    grove_buffer *content = &buffers->content;
    put(work, COLUMN_HEAD, work->settled);
    put(work, COLUMN_HEAD, work->node_count);
    put(work, COLUMN_HEAD, work->attribute_count);
    put(work, COLUMN_HEAD, work->deletion_count);
    put(work, COLUMN_HEAD, work->replica_order.size / sizeof(uint32_t));
    put(work, COLUMN_HEAD, work->name_order.size / sizeof(uint32_t));
    put_names(work, &work->tree->replicas, &work->replica_order, content);
    put_names(work, &work->tree->names, &work->name_order, content);
    grove_buffer_append(content, work->ids.data, work->ids.size);
    grove_buffer_append(content, work->values.data, work->values.size);
    bool failed = work->replica_order.failed || work->name_order.failed ||
                  work->ids.failed || work->values.failed;
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        failed = failed || work->columns[column].failed;
        grove_buffer_varint(structure, work->columns[column].size);
    }
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        const grove_buffer *bytes = &work->columns[column];
        if (bytes->size > 0) {
            grove__column_cut(buffers->structure_cuts, &buffers->structure_cut_count,
                              structure->size);
            grove_buffer_append(structure, bytes->data, bytes->size);
        }
    }
    return failed || structure->failed || content->failed ? grove__fail_memory(error_out)
                                                          : GROVE_OK;
}

grove_status grove__tree_encode(const grove__tree *tree, uint64_t settled,
                                grove_type_buffers *buffers, grove_error *error_out)
{
    encoder work = {.tree = tree, .settled = grove__max_u64(settled, tree->settled)};
    bool has_memory = prepare(&work);
    if (has_memory) {
        choose(&work);
        put_places(&work);
        for (size_t index = 1; index < work.node_count; index++) {
            put_node(&work, work.order[index]);
        }
        put_deletions(&work);
        has_memory = put_attributes(&work);
    }
    grove_status status =
        has_memory ? finish(&work, buffers, error_out) : grove__fail_memory(error_out);
    release(&work);
    return status;
}
