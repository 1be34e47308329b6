/* The columns of a snapshot to a tree; see columns.h. */
#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"
#include "format/column.h"
#include "tree/columns.h"
#include "tree/index.h"
#include "tree/operation.h"

typedef struct decoder {
    grove__tree *tree;
    grove_reader columns[COLUMN_COUNT];
    grove_reader content;
    size_t node_count, place_count, attribute_count, deletion_count;
    size_t replica_count, name_count;
    size_t nodes_met;
    uint64_t *sequences, *aheads; /* of each replica */
    grove__fugue_place *list;     /* of the places of one list */
    size_t list_capacity;
    grove_error *error_out;
} decoder;

static grove_status fail(const decoder *work, enum grove__tree_column column,
                         const char *what)
{
    return grove__fail_at(work->error_out, GROVE_CORRUPT, work->columns[column].offset,
                          "a tree's snapshot: %s", what);
}

static uint64_t take(decoder *work, enum grove__tree_column column)
{
    return grove__reader_varint(&work->columns[column]);
}

/* --- head --- */

/* Gives each column a reader of its own, whose offsets are the frame's. */
static grove_status find_columns(decoder *work, grove_bytes structure)
{
    grove_reader sizes = grove_reader_of(structure);
    uint64_t size[COLUMN_COUNT];
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        size[column] = grove_reader_varint(&sizes);
    }
    size_t at = sizes.offset;
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        if (sizes.failed || size[column] > structure.size - at) {
            return grove__fail_at(work->error_out, GROVE_CORRUPT, sizes.offset,
                                  "a tree's snapshot: its columns are too long");
        }
        work->columns[column] = (grove_reader){
            .data = structure.data, .offset = at, .size = at + (size_t)size[column]};
        at += (size_t)size[column];
    }
    if (at != structure.size) {
        return grove__fail_at(work->error_out, GROVE_CORRUPT, at,
                              "a tree's snapshot: bytes are left over");
    }
    return GROVE_OK;
}

static size_t bytes_in(const decoder *work, enum grove__tree_column column)
{
    return grove_reader_left(&work->columns[column]);
}

/* Counts are bounded by the columns that have a byte for each. */
static grove_status read_counts(decoder *work)
{
    work->tree->settled = take(work, COLUMN_HEAD);
    uint64_t nodes = take(work, COLUMN_HEAD);
    uint64_t attributes = take(work, COLUMN_HEAD);
    uint64_t deletions = take(work, COLUMN_HEAD);
    uint64_t replicas = take(work, COLUMN_HEAD);
    uint64_t names = take(work, COLUMN_HEAD);
    work->place_count = bytes_in(work, COLUMN_PLACES);
    if (work->columns[COLUMN_HEAD].failed ||
        work->tree->settled >= GROVE_DOCUMENT_EVENTS_MAX || nodes == 0 ||
        nodes - 1 > bytes_in(work, COLUMN_TYPES) ||
        nodes > bytes_in(work, COLUMN_COUNTS) || nodes >= GROVE__TREE_NO_EFFECT ||
        attributes > bytes_in(work, COLUMN_ATTRIBUTES) ||
        attributes >= GROVE__TREE_NONE || deletions > bytes_in(work, COLUMN_DELETIONS) ||
        work->place_count >= GROVE__TREE_NO_EFFECT ||
        replicas > bytes_in(work, COLUMN_HEAD) ||
        names > bytes_in(work, COLUMN_HEAD) - replicas) {
        return fail(work, COLUMN_HEAD, "it has more of something than there is room for");
    }
    work->node_count = (size_t)nodes;
    work->attribute_count = (size_t)attributes;
    work->deletion_count = (size_t)deletions;
    work->replica_count = (size_t)replicas;
    work->name_count = (size_t)names;
    return GROVE_OK;
}

/* Adds names that must be new, in this order; `first` of them are there. */
static grove_status read_names(decoder *work, grove__names *names, size_t count,
                               size_t bytes_min, size_t bytes_max)
{
    for (size_t index = 0; index < count; index++) {
        uint64_t size = take(work, COLUMN_HEAD);
        if (size < bytes_min || size > bytes_max ||
            size > grove_reader_left(&work->content)) {
            return fail(work, COLUMN_HEAD, "a name that cannot be");
        }
        size_t known = names->count;
        uint32_t number;
        grove_bytes bytes = grove_reader_bytes(&work->content, (size_t)size);
        if (grove__names_intern(names, bytes, &number) != GROVE_OK) {
            return grove__fail_memory(work->error_out);
        }
        if (number != known) {
            return fail(work, COLUMN_HEAD, "a name twice");
        }
    }
    return GROVE_OK;
}

/* The names of a new tree begin with the root's type, which is empty. So they
 * are read into a table of their own order. */
static grove_status read_all_names(decoder *work)
{
    grove__tree *tree = work->tree;
    grove_status status = read_names(work, &tree->replicas, work->replica_count, 1,
                                     GROVE_REPLICA_BYTES_MAX);
    if (status != GROVE_OK) {
        return status;
    }
    grove__names_release(&tree->names);
    status = read_names(work, &tree->names, work->name_count, 0,
                        GROVE_ATTRIBUTE_NAME_BYTES_MAX);
    for (size_t index = 0; status == GROVE_OK && index < tree->names.count; index++) {
        if (!grove__utf8_is(grove__names_at(&tree->names, (uint32_t)index))) {
            status = fail(work, COLUMN_HEAD, "a name that is not UTF-8");
        }
    }
    if (status == GROVE_OK && grove__names_intern(&tree->names, (grove_bytes){NULL, 0},
                                                  &tree->nodes[0].type) != GROVE_OK) {
        status = grove__fail_memory(work->error_out);
    }
    return status;
}

static grove_status reserve(decoder *work)
{
    grove__tree *tree = work->tree;
    const grove_allocator *allocator = tree->allocator;
    size_t replica_bytes = work->replica_count * sizeof(uint64_t);
    bool has_memory =
        grove__array_reserve_to(allocator, (void **)&tree->nodes, &tree->node_capacity,
                                work->node_count, sizeof *tree->nodes) &&
        grove__array_reserve_to(allocator, (void **)&tree->places, &tree->place_capacity,
                                work->place_count, sizeof *tree->places) &&
        grove__fugue_reserve(&tree->fugue, work->place_count) &&
        grove__array_reserve_to(allocator, (void **)&tree->attributes,
                                &tree->attribute_capacity, work->attribute_count,
                                sizeof *tree->attributes) &&
        grove__array_reserve_to(allocator, (void **)&tree->deletions,
                                &tree->deletion_capacity, work->deletion_count,
                                sizeof *tree->deletions) &&
        grove__numbers_reserve(&tree->place_numbers, allocator, work->place_count,
                               grove__tree_place_rule(tree)) &&
        grove__numbers_reserve(&tree->attribute_numbers, allocator, work->attribute_count,
                               grove__tree_attribute_rule(tree));
    if (has_memory && replica_bytes > 0) {
        work->sequences = grove__allocate_zeroed(allocator, replica_bytes);
        work->aheads = grove__allocate_zeroed(allocator, replica_bytes);
        has_memory = work->sequences != NULL && work->aheads != NULL;
    }
    return has_memory ? GROVE_OK : grove__fail_memory(work->error_out);
}

/* --- places --- */

static grove_status read_stamp(decoder *work, grove__stamp *stamp_out)
{
    uint64_t replica = take(work, COLUMN_REPLICAS);
    if (work->columns[COLUMN_REPLICAS].failed || replica >= work->replica_count) {
        return fail(work, COLUMN_REPLICAS, "a stamp of no replica");
    }
    uint64_t *sequence = &work->sequences[replica];
    uint64_t *ahead = &work->aheads[replica];
    *sequence += (uint64_t)grove__unzigzag(take(work, COLUMN_SEQUENCES));
    *ahead += (uint64_t)grove__unzigzag(take(work, COLUMN_TIMES));
    uint64_t time = *sequence + *ahead;
    if (work->columns[COLUMN_SEQUENCES].failed || work->columns[COLUMN_TIMES].failed ||
        *sequence >= GROVE_DOCUMENT_EVENTS_MAX || time == 0 ||
        time >= GROVE_DOCUMENT_EVENTS_MAX) {
        return fail(work, COLUMN_SEQUENCES, "a stamp that cannot be");
    }
    *stamp_out = grove__stamp_of(time, (uint32_t)replica, *sequence);
    return GROVE_OK;
}

/* The node of a place: the next new one, or one that was met. */
static grove_status read_node(decoder *work, uint64_t bits, uint32_t *node_out)
{
    grove__tree *tree = work->tree;
    if ((bits & PLACE_IS_MET) != 0) {
        uint64_t node = take(work, COLUMN_NODES);
        if (work->columns[COLUMN_NODES].failed || node == 0 || node >= work->nodes_met) {
            return fail(work, COLUMN_NODES, "a place of no node");
        }
        *node_out = (uint32_t)node;
        return GROVE_OK;
    }
    if (work->nodes_met == work->node_count) {
        return fail(work, COLUMN_PLACES, "more nodes than there are");
    }
    *node_out = (uint32_t)work->nodes_met++;
    tree->nodes[*node_out] = (grove__tree_node){
        .place = GROVE__TREE_NONE,
        .base = GROVE__TREE_NONE,
        .made = GROVE__TREE_NONE,
        .id = GROVE__TREE_NONE,
        .children = GROVE__FUGUE_EMPTY,
        .attribute = GROVE__TREE_NONE,
        .deletion = GROVE__TREE_NONE,
        .typed = GROVE__TREE_NONE,
    };
    return GROVE_OK;
}

/* What the bits of a place say of its node. */
static grove_status take_bits(decoder *work, uint64_t bits, uint32_t place)
{
    grove__tree *tree = work->tree;
    const grove__tree_place_record *record = &tree->places[place];
    grove__tree_node *node = &tree->nodes[record->node];
    if ((bits & PLACE_ROLE) == PLACE_BASE) {
        if (node->base != GROVE__TREE_NONE) {
            return fail(work, COLUMN_PLACES, "a node with two bases");
        }
        node->base = place;
    }
    if ((bits & PLACE_NAMES_NODE) != 0) {
        if (node->made != GROVE__TREE_NONE) {
            return fail(work, COLUMN_PLACES, "a node that two puts name");
        }
        node->made = place;
    }
    if (record->is_put &&
        (node->typed == GROVE__TREE_NONE ||
         grove__tree_is_later(tree, record->stamp, tree->places[node->typed].stamp))) {
        node->typed = place;
    }
    if ((bits & PLACE_ROLE) == PLACE_EMPTY &&
        grove__stamp_time(record->stamp) > tree->settled) {
        return fail(work, COLUMN_PLACES, "a move that is not settled is left out");
    }
    if ((bits & PLACE_ROLE) == PLACE_MOVE) {
        if (grove__stamp_time(record->stamp) <= tree->settled) {
            return fail(work, COLUMN_PLACES, "a move that is settled");
        }
        if (!grove__array_reserve(tree->allocator, (void **)&tree->moves,
                                  &tree->move_capacity, tree->move_count,
                                  sizeof *tree->moves)) {
            return grove__fail_memory(work->error_out);
        }
        tree->moves[tree->move_count++] = place;
    }
    return GROVE_OK;
}

/* The anchor of the place at `position` of a list of `count`. */
static grove_status read_anchor(decoder *work, size_t position, size_t count,
                                grove__fugue_place *place_out)
{
    uint64_t number = take(work, COLUMN_ANCHORS);
    int64_t at = (int64_t)position;
    int64_t anchor = at - 1;
    bool is_left = false;
    if (number > 0) {
        is_left = ((number - 1) & 1) != 0;
        int64_t distance = grove__unzigzag((number - 1) / 2);
        bool is_near = distance <= at + 1 && distance > at - (int64_t)count;
        anchor = is_near ? at - distance : at;
    }
    /* What is left of an element comes before it, what is right after. */
    if (work->columns[COLUMN_ANCHORS].failed || anchor == at ||
        (anchor > at) != is_left) {
        return fail(work, COLUMN_ANCHORS, "an anchor that cannot be");
    }
    uint32_t first = (uint32_t)(work->tree->place_count - position);
    place_out->anchor = anchor < 0 ? GROVE__FUGUE_NONE : first + (uint32_t)anchor;
    place_out->is_left = is_left;
    return GROVE_OK;
}

static grove_status read_place(decoder *work, uint32_t parent, size_t position,
                               size_t count)
{
    grove__tree *tree = work->tree;
    uint64_t bits = take(work, COLUMN_PLACES);
    bool is_put = (bits & PLACE_IS_NO_PUT) == 0;
    if (work->columns[COLUMN_PLACES].failed || bits >= PLACE_BITS_END ||
        (bits & PLACE_ROLE) == PLACE_ROLE ||
        (!is_put && (bits & PLACE_NAMES_NODE) != 0)) {
        return fail(work, COLUMN_PLACES, "a place that cannot be");
    }
    uint32_t place = (uint32_t)tree->place_count;
    uint32_t node = 0;
    grove__stamp stamp = {0, 0};
    grove_status status = read_node(work, bits, &node);
    if (status == GROVE_OK) {
        status = read_stamp(work, &stamp);
    }
    if (status == GROVE_OK) {
        status = read_anchor(work, position, count, &work->list[position]);
    }
    if (status != GROVE_OK) {
        return status;
    }
    uint32_t replica = grove__stamp_replica(stamp);
    uint64_t sequence = grove__stamp_sequence(stamp);
    if (grove__tree_find_place(tree, replica, sequence) != GROVE__TREE_NONE) {
        return fail(work, COLUMN_SEQUENCES, "two places of one event");
    }
    tree->places[place] = (grove__tree_place_record){
        .stamp = stamp,
        .node = node & GROVE__TREE_NONE,
        .is_put = is_put,
        .parent = parent,
        .before = GROVE__TREE_NO_EFFECT,
        .home = GROVE__TREE_NONE,
    };
    grove__numbers_add(&tree->place_numbers, grove__tree_place_hash(replica, sequence),
                       place);
    tree->place_count++;
    return take_bits(work, bits, place);
}

/* An anchor was there before what hangs on it. */
static grove_status check_anchors(decoder *work, uint32_t first, size_t count)
{
    const grove__tree *tree = work->tree;
    for (size_t index = 0; index < count; index++) {
        uint32_t anchor = work->list[index].anchor;
        if (anchor != GROVE__FUGUE_NONE &&
            !grove__tree_is_later(tree, tree->places[first + index].stamp,
                                  tree->places[anchor].stamp)) {
            return fail(work, COLUMN_ANCHORS, "an anchor that is later than its place");
        }
    }
    return GROVE_OK;
}

static grove_status read_list(decoder *work, uint32_t node)
{
    grove__tree *tree = work->tree;
    uint64_t count = take(work, COLUMN_COUNTS);
    uint32_t first = (uint32_t)tree->place_count;
    if (work->columns[COLUMN_COUNTS].failed || count > work->place_count - first) {
        return fail(work, COLUMN_COUNTS, "more places than there are");
    }
    if (!grove__array_reserve_to(tree->allocator, (void **)&work->list,
                                 &work->list_capacity, (size_t)count,
                                 sizeof *work->list)) {
        return grove__fail_memory(work->error_out);
    }
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        status = read_place(work, node, index, (size_t)count);
    }
    if (status == GROVE_OK) {
        status = check_anchors(work, first, (size_t)count);
    }
    if (status == GROVE_OK &&
        !grove__fugue_load(&tree->fugue, &tree->nodes[node].children,
                           grove__tree_place_order(tree), work->list, (size_t)count)) {
        return fail(work, COLUMN_ANCHORS, "a list in another order than its anchors say");
    }
    return status;
}

static grove_status read_places(decoder *work)
{
    grove_status status = GROVE_OK;
    work->nodes_met = 1;
    for (uint32_t node = 0; status == GROVE_OK && node < work->node_count; node++) {
        if (node == work->nodes_met) {
            return fail(work, COLUMN_PLACES, "a node without a place");
        }
        status = read_list(work, node);
    }
    work->tree->node_count = work->node_count;
    return status;
}

/* --- nodes --- */

/* What apply.c keeps of every event: a place is later than a put of its parent,
 * and a node's moves are later than its base, which is its earliest put unless
 * what was before is settled. Only so can nothing come below itself when events
 * arrive. `places` of nodes are used for earliest puts. */
static grove_status check_turns(decoder *work)
{
    grove__tree *tree = work->tree;
    for (uint32_t place = 0; place < tree->place_count; place++) {
        uint32_t *earliest = &tree->nodes[tree->places[place].node].place;
        if (tree->places[place].is_put &&
            (*earliest == GROVE__TREE_NONE ||
             grove__tree_is_place_later(tree, *earliest, place))) {
            *earliest = place;
        }
    }
    for (uint32_t place = 0; place < tree->place_count; place++) {
        uint32_t parent = tree->places[place].parent;
        uint32_t put = tree->nodes[parent].place;
        if (parent != GROVE_NODE_ROOT &&
            (put == GROVE__TREE_NONE || !grove__tree_is_place_later(tree, place, put))) {
            return fail(work, COLUMN_PLACES, "a place that is earlier than its parent");
        }
    }
    for (size_t index = 0; index < tree->move_count; index++) {
        uint32_t base = tree->nodes[tree->places[tree->moves[index]].node].base;
        if (base == GROVE__TREE_NONE ||
            !grove__tree_is_place_later(tree, tree->moves[index], base)) {
            return fail(work, COLUMN_PLACES, "a move that is earlier than its base");
        }
    }
    for (uint32_t node = 1; node < tree->node_count; node++) {
        grove__tree_node *record = &tree->nodes[node];
        if (record->base != GROVE__TREE_NONE && record->base != record->place &&
            grove__stamp_time(tree->places[record->base].stamp) > tree->settled) {
            return fail(work, COLUMN_PLACES, "a base that is not the first put");
        }
        record->place = GROVE__TREE_NONE;
    }
    return GROVE_OK;
}

/* Whether the bases make a tree: each way up, over nodes that were not seen
 * on another, ends at one that was. `places` of nodes are used for marks. */
static grove_status check_bases(decoder *work)
{
    grove__tree *tree = work->tree;
    for (uint32_t node = 1; node < tree->node_count; node++) {
        const grove__tree_node *record = &tree->nodes[node];
        if (record->base == GROVE__TREE_NONE || record->typed == GROVE__TREE_NONE) {
            return fail(work, COLUMN_PLACES, "a node without a base or a put");
        }
    }
    for (uint32_t node = 1; node < tree->node_count; node++) {
        uint32_t at = node;
        while (at != GROVE_NODE_ROOT && tree->nodes[at].place == GROVE__TREE_NONE) {
            tree->nodes[at].place = node;
            at = tree->places[tree->nodes[at].base].parent;
        }
        if (at != GROVE_NODE_ROOT && tree->nodes[at].place == node) {
            return fail(work, COLUMN_PLACES, "nodes that are below themselves");
        }
    }
    return GROVE_OK;
}

static grove_status read_id(decoder *work, uint32_t node, size_t size)
{
    grove__tree *tree = work->tree;
    grove_bytes id = grove_reader_bytes(&work->content, size);
    uint32_t number;
    if (grove__names_intern(&tree->ids, id, &number) != GROVE_OK ||
        !grove__array_reserve_to(tree->allocator, (void **)&tree->id_nodes,
                                 &tree->id_node_capacity, tree->ids.capacity,
                                 sizeof *tree->id_nodes)) {
        return grove__fail_memory(work->error_out);
    }
    if (number != tree->id_count) {
        return fail(work, COLUMN_IDS, "an id twice");
    }
    tree->id_nodes[tree->id_count++] = node;
    tree->nodes[node].id = number;
    tree->nodes[node].made = tree->nodes[node].typed;
    tree->printed_ids += grove__tree_is_printed_id(id) ? 1 : 0;
    return GROVE_OK;
}

/* No given id is another node's as well, or names a put of its own node, and
 * would not have been kept. */
static grove_status check_ids(decoder *work)
{
    const grove__tree *tree = work->tree;
    for (uint32_t number = 0; tree->printed_ids > 0 && number < tree->id_count;
         number++) {
        grove_bytes id = grove__names_at(&tree->ids, number);
        if (grove__tree_find_printed(tree, id) != GROVE__TREE_NONE ||
            grove__tree_naming_put(tree, tree->id_nodes[number]) != GROVE__TREE_NONE) {
            return fail(work, COLUMN_IDS, "an id twice");
        }
    }
    return GROVE_OK;
}

static grove_status read_nodes(decoder *work)
{
    grove__tree *tree = work->tree;
    grove_status status = GROVE_OK;
    for (uint32_t node = 1; status == GROVE_OK && node < tree->node_count; node++) {
        uint64_t type = take(work, COLUMN_TYPES);
        uint64_t id_bytes = take(work, COLUMN_IDS);
        if (work->columns[COLUMN_TYPES].failed || type >= work->name_count ||
            grove__names_at(&tree->names, (uint32_t)type).size >
                GROVE_NODE_TYPE_BYTES_MAX) {
            return fail(work, COLUMN_TYPES, "a type that cannot be");
        }
        if (work->columns[COLUMN_IDS].failed || id_bytes > GROVE_NODE_ID_BYTES_MAX ||
            id_bytes > grove_reader_left(&work->content)) {
            return fail(work, COLUMN_IDS, "an id that cannot be");
        }
        tree->nodes[node].type = (uint32_t)type;
        if ((id_bytes > 0) != (tree->nodes[node].made == GROVE__TREE_NONE)) {
            return fail(work, COLUMN_IDS, "a node with no id, or with two");
        }
        if (id_bytes > 0) {
            status = read_id(work, node, (size_t)id_bytes);
        }
    }
    return status == GROVE_OK ? check_ids(work) : status;
}

static grove_status read_deletions(decoder *work)
{
    grove__tree *tree = work->tree;
    uint64_t node = 0;
    for (size_t index = 0; index < work->deletion_count; index++) {
        uint64_t number = take(work, COLUMN_DELETIONS);
        if (work->columns[COLUMN_DELETIONS].failed ||
            number / 2 >= tree->node_count - node - 1) {
            return fail(work, COLUMN_DELETIONS, "a deletion of no node");
        }
        node += number / 2 + 1;
        grove__tree_deletion *deletion = &tree->deletions[index];
        deletion->is_deleted = (uint32_t)(number & 1);
        grove_status status = read_stamp(work, &deletion->stamp);
        if (status != GROVE_OK) {
            return status;
        }
        tree->nodes[node].deletion = (uint32_t)index;
        tree->deletion_count++;
    }
    return GROVE_OK;
}

/* --- attributes --- */

static grove_status read_value(decoder *work, grove__tree_attribute *attribute,
                               uint64_t size)
{
    grove_value value;
    if (size > grove_reader_left(&work->content) || size > GROVE_CONTENT_BYTES_MAX) {
        return fail(work, COLUMN_SIZES, "a value that is too long");
    }
    grove_bytes bytes = grove_reader_bytes(&work->content, (size_t)size);
    if (size > 0 && !grove__tree_value_decode(bytes, &value)) {
        return fail(work, COLUMN_SIZES, "a value that is none");
    }
    attribute->value = work->tree->values.size;
    attribute->size = (uint32_t)size;
    grove_buffer_append(&work->tree->values, bytes.data, bytes.size);
    return work->tree->values.failed ? grove__fail_memory(work->error_out) : GROVE_OK;
}

static grove_status read_attribute(decoder *work, uint32_t number, uint32_t *owner)
{
    grove__tree *tree = work->tree;
    uint64_t name = take(work, COLUMN_ATTRIBUTES);
    if ((name & 1) != 0) {
        uint64_t less = take(work, COLUMN_OWNERS);
        if (work->columns[COLUMN_OWNERS].failed ||
            less >= tree->node_count - *owner - 1) {
            return fail(work, COLUMN_OWNERS, "an attribute of no node");
        }
        *owner += (uint32_t)less + 1;
    }
    uint64_t size = take(work, COLUMN_SIZES);
    grove__tree_node *node = &tree->nodes[*owner];
    bool has_stamp = (size & 1) != 0;
    if (work->columns[COLUMN_ATTRIBUTES].failed || name / 2 >= work->name_count ||
        grove__names_at(&tree->names, (uint32_t)(name / 2)).size == 0 ||
        work->columns[COLUMN_SIZES].failed ||
        (!has_stamp && node->typed == GROVE__TREE_NONE) ||
        grove__tree_find_attribute(tree, *owner, (uint32_t)(name / 2)) !=
            GROVE__TREE_NONE) {
        return fail(work, COLUMN_ATTRIBUTES, "an attribute that cannot be");
    }
    grove__tree_attribute *attribute = &tree->attributes[number];
    *attribute = (grove__tree_attribute){
        .node = *owner, .name = (uint32_t)(name / 2), .next = node->attribute};
    grove_status status = GROVE_OK;
    if (has_stamp) {
        status = read_stamp(work, &attribute->stamp);
    } else {
        attribute->stamp = tree->places[node->typed].stamp;
    }
    if (status == GROVE_OK) {
        status = read_value(work, attribute, size / 2);
    }
    if (status == GROVE_OK) {
        node->attribute = number;
        tree->attribute_count++;
        grove__numbers_add(&tree->attribute_numbers,
                           grove__tree_attribute_hash(*owner, attribute->name), number);
    }
    return status;
}

static grove_status read_attributes(decoder *work)
{
    uint32_t owner = 0;
    grove_status status = GROVE_OK;
    size_t left = grove_reader_left(&work->content);
    if (work->attribute_count > 0 && left > 0 &&
        grove_buffer_reserve(&work->tree->values, left) == NULL) {
        return grove__fail_memory(work->error_out);
    }
    for (uint32_t index = 0; status == GROVE_OK && index < work->attribute_count;
         index++) {
        status = read_attribute(work, index, &owner);
    }
    return status;
}

/* --- all of it --- */

static grove_status check_end(const decoder *work)
{
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        if (!grove_reader_done(&work->columns[column])) {
            return fail(work, (enum grove__tree_column)column, "a column is too long");
        }
    }
    if (!grove_reader_done(&work->content)) {
        return fail(work, COLUMN_SIZES, "there is content that nothing has");
    }
    return GROVE_OK;
}

static grove_status decode(decoder *work, grove_bytes structure)
{
    grove_status (*const steps[])(decoder *) = {
        read_counts, read_all_names, reserve,        read_places,     check_turns,
        check_bases, read_nodes,     read_deletions, read_attributes,
    };
    grove_status status = find_columns(work, structure);
    for (size_t step = 0; status == GROVE_OK && step < sizeof steps / sizeof *steps;
         step++) {
        status = steps[step](work);
    }
    if (status == GROVE_OK) {
        status = check_end(work);
    }
    if (status == GROVE_OK) {
        grove__tree_stand_all(work->tree);
    }
    return status;
}

grove_status grove__tree_decode(const grove_allocator *allocator,
                                grove_type_frames frames, grove__tree **tree_out,
                                grove_error *error_out)
{
    decoder work = {.content = grove_reader_of(frames.content), .error_out = error_out};
    if (grove__tree_new(allocator, &work.tree) != GROVE_OK) {
        return grove__fail_memory(error_out);
    }
    grove_status status = decode(&work, frames.structure);
    size_t replica_bytes = work.replica_count * sizeof(uint64_t);
    grove__deallocate(allocator, work.sequences, replica_bytes);
    grove__deallocate(allocator, work.aheads, replica_bytes);
    grove__deallocate(allocator, work.list, work.list_capacity * sizeof *work.list);
    if (status != GROVE_OK) {
        grove__tree_free(work.tree);
        return status;
    }
    *tree_out = work.tree;
    return GROVE_OK;
}
