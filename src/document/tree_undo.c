/* Changes of a tree: several edits as one, taken back, undone and redone. */
#include "base/bytes.h"
#include "base/error.h"
#include "document/tree_edit.h"

/* --- rows of records --- */

void grove__tree_row_init(grove__tree_row *row, const grove_allocator *allocator)
{
    grove_buffer_init(&row->records, allocator);
    grove_buffer_init(&row->values, allocator);
    row->changes = 0;
}

void grove__tree_row_release(grove__tree_row *row)
{
    grove_buffer_release(&row->records);
    grove_buffer_release(&row->values);
    row->changes = 0;
}

static grove__tree_record *records_of(const grove__tree_row *row, size_t *count_out)
{
    *count_out = row->records.size / sizeof(grove__tree_record);
    return (grove__tree_record *)(void *)row->records.data;
}

/* Drops the older half of a row that is full. */
static void drop_oldest(grove__tree_row *row)
{
    size_t count;
    grove__tree_record *records = records_of(row, &count);
    size_t drop = row->changes / 2;
    size_t first = 0;
    size_t values = 0;
    for (; drop > 0; first++) {
        values += records[first].value_size;
        if (records[first].kind == GROVE__TREE_RECORD_MARK) {
            drop--;
            row->changes--;
        }
    }
    memmove(records, records + first, (count - first) * sizeof *records);
    row->records.size -= first * sizeof *records;
    if (values > 0) {
        memmove(row->values.data, row->values.data + values, row->values.size - values);
        row->values.size -= values;
    }
}

void grove__tree_close_change(grove_document *document)
{
    grove__tree_row *row = document->noting;
    size_t count;
    const grove__tree_record *records = records_of(row, &count);
    if (count == 0 || records[count - 1].kind == GROVE__TREE_RECORD_MARK) {
        return;
    }
    /* There is room: each record is appended with one for the mark. */
    grove__tree_record mark = {.kind = GROVE__TREE_RECORD_MARK};
    grove_buffer_append(&row->records, &mark, sizeof mark);
    row->changes++;
    if (row->changes > GROVE_TREE_UNDO_CHANGES_MAX) {
        drop_oldest(row);
    }
    if (!document->is_redoing) {
        grove__tree_row_release(&document->redo);
    }
}

void grove__tree_forget(grove_document *document, size_t records, size_t values)
{
    grove__tree_row *row = document->noting;
    row->records.size = records;
    row->records.failed = false;
    row->values.size = values;
    row->values.failed = false;
}

static void note(grove__tree_row *row, grove__tree_record record, grove_bytes value)
{
    record.value_size = value.size;
    if (grove_buffer_reserve(&row->records, 2 * sizeof record) != NULL) {
        grove_buffer_append(&row->records, &record, sizeof record);
        grove_buffer_append(&row->values, value.data, value.size);
    }
}

/* --- events that stand in for others --- */

/* What a stamp of the handle's own replica stands for; UINT64_MAX: it is of
 * another one. */
static uint64_t stands_for(const grove_document *document, grove__tree_record_kind kind,
                           uint64_t sequence)
{
    const grove__tree_stand_in *items =
        (const grove__tree_stand_in *)(const void *)document->stand_ins.data;
    size_t low = 0;
    size_t high = document->stand_ins.size / sizeof *items;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items[middle].sequence < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t count = document->stand_ins.size / sizeof *items;
    for (; low < count && items[low].sequence == sequence; low++) {
        if (items[low].kind == kind) {
            return items[low].for_sequence;
        }
    }
    return sequence;
}

static uint64_t writer_of(const grove_document *document, grove__tree_record_kind kind,
                          grove__stamp stamp)
{
    const grove__tree *tree = document->state;
    bool is_ours =
        grove__bytes_equal(grove__names_at(&tree->replicas, grove__stamp_replica(stamp)),
                           grove__replica_bytes(&document->replica));
    return is_ours ? stands_for(document, kind, grove__stamp_sequence(stamp))
                   : UINT64_MAX;
}

/* Whether what has the stamp is what the event of a record wrote. */
static bool is_of(const grove_document *document, const grove__tree_record *record,
                  grove__tree_record_kind kind, grove__stamp stamp)
{
    return writer_of(document, kind, stamp) ==
           stands_for(document, kind, record->sequence);
}

/* More than the rows can need: what is forgotten is only not undone. */
enum { STAND_INS_MAX = 1 << 16 };

/* The handle's newest event stands in for an earlier one. */
static grove_status stand_in(grove_document *document, grove__tree_record_kind kind,
                             uint64_t sequence, grove_error *error_out)
{
    grove_buffer *items = &document->stand_ins;
    grove__tree_stand_in item = {document->next_sequence - 1, sequence, kind};
    if (sequence == UINT64_MAX) {
        return GROVE_OK;
    }
    if (items->size >= STAND_INS_MAX * sizeof item) {
        size_t kept = STAND_INS_MAX / 2 * sizeof item;
        memmove(items->data, items->data + items->size - kept, kept);
        items->size = kept;
    }
    grove_buffer_append(items, &item, sizeof item);
    if (items->failed) {
        items->failed = false;
        return grove__fail_memory(error_out);
    }
    return GROVE_OK;
}

/* Drops what is said of events that were taken back. */
static void forget_stand_ins(grove_document *document)
{
    grove__tree_stand_in last;
    while (document->stand_ins.size > 0) {
        size_t rest = document->stand_ins.size - sizeof last;
        memcpy(&last, document->stand_ins.data + rest, sizeof last);
        if (last.sequence < document->next_sequence) {
            break;
        }
        document->stand_ins.size = rest;
    }
}

/* --- what is noted of an event --- */

/* Deletions and restorals write one flag. */
static grove__tree_record_kind written_by(grove__tree_record_kind kind)
{
    return kind == GROVE__TREE_RECORD_RESTORAL ? GROVE__TREE_RECORD_DELETION : kind;
}

static void note_place(grove_document *document, grove__tree_record record)
{
    const grove__tree *tree = document->state;
    record.kind = GROVE__TREE_RECORD_PLACE;
    record.place = tree->nodes[record.node].place;
    record.before = writer_of(document, record.kind, tree->places[record.place].stamp);
    note(document->noting, record, (grove_bytes){NULL, 0});
}

static void note_flag(grove_document *document, grove__tree_record record)
{
    const grove__tree *tree = document->state;
    uint32_t deletion = tree->nodes[record.node].deletion;
    if (deletion != GROVE__TREE_NONE) {
        record.before = writer_of(document, GROVE__TREE_RECORD_DELETION,
                                  tree->deletions[deletion].stamp);
    }
    note(document->noting, record, (grove_bytes){NULL, 0});
}

/* Notes what an attribute was. */
static grove_status note_value(grove_document *document, grove__tree_record record,
                               grove_bytes name, grove_error *error_out)
{
    grove__tree *tree = document->state;
    if (grove__names_intern(&tree->names, name, &record.name) != GROVE_OK) {
        return grove__fail_memory(error_out);
    }
    grove_bytes value = {NULL, 0};
    uint32_t attribute = record.node < tree->node_count
                             ? grove__tree_attribute_of(tree, record.node, name)
                             : GROVE__TREE_NONE;
    record.kind = GROVE__TREE_RECORD_VALUE;
    if (attribute != GROVE__TREE_NONE) {
        value = grove__tree_value_at(tree, attribute);
        record.before =
            writer_of(document, record.kind, tree->attributes[attribute].stamp);
    }
    note(document->noting, record, value);
    return GROVE_OK;
}

static grove_status note_put(grove_document *document, grove__tree_record record,
                             const grove__tree_operation *operation,
                             grove_error *error_out)
{
    const grove__tree *tree = document->state;
    grove_bytes none = {NULL, 0};
    if (record.node == tree->node_count) {
        record.kind = GROVE__TREE_RECORD_NEW;
        note(document->noting, record, none);
        return GROVE_OK;
    }
    record.kind = GROVE__TREE_RECORD_TYPE;
    record.name = tree->nodes[record.node].type;
    record.before = writer_of(document, record.kind,
                              tree->places[tree->nodes[record.node].typed].stamp);
    note(document->noting, record, none);
    note_place(document, record);
    record.before = UINT64_MAX;
    grove_reader attributes = grove_reader_of(operation->attributes);
    grove__tree_written written;
    grove_status status = GROVE_OK;
    while (status == GROVE_OK && grove__tree_attribute_next(&attributes, &written)) {
        status = note_value(document, record, written.name, error_out);
    }
    return status;
}

grove_status grove__tree_remember(grove_document *document,
                                  const grove__tree_operation *operation, uint32_t node,
                                  grove_error *error_out)
{
    const grove__tree_row *row = document->noting;
    grove__tree_record record = {
        .node = node, .sequence = document->next_sequence, .before = UINT64_MAX};
    grove_status status = GROVE_OK;
    switch (operation->kind) {
    case GROVE_TREE_PUT:
        status = note_put(document, record, operation, error_out);
        break;
    case GROVE_TREE_SET:
    case GROVE_TREE_UNSET:
        status = note_value(document, record, operation->name, error_out);
        break;
    case GROVE_TREE_MOVE:
        note_place(document, record);
        break;
    case GROVE_TREE_DELETE:
        record.kind = GROVE__TREE_RECORD_DELETION;
        note_flag(document, record);
        break;
    case GROVE_TREE_RESTORE:
        record.kind = GROVE__TREE_RECORD_RESTORAL;
        note_flag(document, record);
        break;
    }
    return status == GROVE_OK && (row->records.failed || row->values.failed)
               ? grove__fail_memory(error_out)
               : status;
}

/* --- several edits as one --- */

grove_status grove_tree_begin(grove_document *document, grove_error *error_out)
{
    grove__tree *tree = NULL;
    grove_status status = grove__tree_editable(document, &tree, error_out);
    if (status == GROVE_OK && document->is_changing) {
        return grove__fail(error_out, GROVE_INVALID, "a change has begun already");
    }
    if (status != GROVE_OK) {
        return status;
    }
    document->change.mark = grove__document_mark_of(document);
    document->change.unsaved_reach = document->unsaved_reach;
    document->change.made_last = document->made_last;
    document->change.records = document->noting->records.size;
    document->change.values = document->noting->values.size;
    grove__tree_begin(tree);
    document->is_changing = true;
    return GROVE_OK;
}

static grove_status check_change(const grove_document *document, grove__tree **tree_out,
                                 grove_error *error_out)
{
    grove_status status = grove__tree_editable(document, tree_out, error_out);
    if (status == GROVE_OK && !document->is_changing) {
        return grove__fail(error_out, GROVE_INVALID, "no change has begun");
    }
    return status;
}

grove_status grove_tree_end(grove_document *document, grove_error *error_out)
{
    grove__tree *tree = NULL;
    grove_status status = check_change(document, &tree, error_out);
    if (status == GROVE_OK) {
        grove__tree_end(tree);
        document->is_changing = false;
        grove__tree_close_change(document);
    }
    return status;
}

grove_status grove_tree_cancel(grove_document *document, grove_error *error_out)
{
    grove__tree *tree = NULL;
    grove_status status = check_change(document, &tree, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__tree_cancel(tree);
    document->is_changing = false;
    grove__tree_forget(document, document->change.records, document->change.values);
    grove__document_rewind(document, &document->change.mark);
    document->made_last = document->change.made_last;
    document->unsaved_reach = document->change.unsaved_reach;
    forget_stand_ins(document);
    if (document->failed) {
        return grove__fail_memory(error_out);
    }
    grove__document_hold(document);
    return GROVE_OK;
}

/* --- undoing --- */

/* Makes an event that puts back what was before the record's. */
static grove_status put_back(grove_document *document, const grove__tree_record *record,
                             grove__tree_operation *operation,
                             const grove__tree_spot *spot, grove_error *error_out)
{
    grove_status status =
        grove__tree_emit(document, operation, record->node, spot, error_out);
    return status == GROVE_OK
               ? stand_in(document, written_by(record->kind), record->before, error_out)
               : status;
}

static grove_status undo_put(grove_document *document, const grove__tree_record *record,
                             grove_bytes metadata, grove_error *error_out)
{
    grove__tree_operation operation = {.kind = GROVE_TREE_DELETE, .metadata = metadata};
    return grove__tree_is_deleted(document->state, record->node)
               ? GROVE_OK
               : grove__tree_emit(document, &operation, record->node, NULL, error_out);
}

static grove_status undo_flag(grove_document *document, const grove__tree_record *record,
                              grove_bytes metadata, grove_error *error_out)
{
    const grove__tree *tree = document->state;
    uint32_t deletion = tree->nodes[record->node].deletion;
    grove__tree_operation operation = {.kind = record->kind == GROVE__TREE_RECORD_DELETION
                                                   ? GROVE_TREE_RESTORE
                                                   : GROVE_TREE_DELETE,
                                       .metadata = metadata};
    return is_of(document, record, GROVE__TREE_RECORD_DELETION,
                 tree->deletions[deletion].stamp)
               ? put_back(document, record, &operation, NULL, error_out)
               : GROVE_OK;
}

/* --- where a node goes back to --- */

/* Notes for which place the one stands in where a node stands now. */
static void set_home(grove_document *document, uint32_t node, uint32_t home)
{
    grove__tree *tree = document->state;
    tree->places[tree->nodes[node].place].home = home;
}

/*
 * Whether what stood at a place belongs before what stood at another of the
 * list. A place that stands in for an empty one may be on the wrong side of
 * older ones, for no new place can be hung on these: then it counts as the one
 * that it stands in for. A step for each place between the two, on both sides.
 */
static bool belongs_before(const grove__tree *tree, uint32_t place, uint32_t other)
{
    const grove__fugue_links *links = tree->fugue.links;
    for (;;) {
        uint32_t *newer = place > other ? &place : &other;
        uint32_t home = tree->places[*newer].home;
        if (place == other || home == GROVE__TREE_NONE) {
            break;
        }
        *newer = home;
    }
    uint32_t left = place;
    uint32_t right = place;
    while (left != other && right != other) {
        left = left == GROVE__TREE_NONE ? left : links[left].previous;
        right = right == GROVE__TREE_NONE ? right : links[right].next;
    }
    return right == other;
}

/* The places between which one goes. */
typedef struct neighbours {
    uint32_t left, right;
} neighbours;

/* Looks from a place in one direction for the first node that belongs there;
 * of those before it, which belong on the other side, for the last. */
static neighbours look(const grove__tree *tree, uint32_t place, uint32_t without,
                       bool forwards)
{
    neighbours found = {GROVE__TREE_NONE, GROVE__TREE_NONE};
    uint32_t *near = forwards ? &found.right : &found.left;
    uint32_t *across = forwards ? &found.left : &found.right;
    uint32_t at = place;
    for (;;) {
        const grove__fugue_links *links = &tree->fugue.links[at];
        at = grove__tree_pass(tree, forwards ? links->next : links->previous, forwards,
                              true);
        if (at == GROVE__TREE_NONE) {
            return found;
        }
        if (at == without) {
            continue;
        }
        if (belongs_before(tree, place, at) == forwards) {
            *near = at;
            return found;
        }
        *across = at;
    }
}

/* Where a node goes that stood at a place, which is not where it stands. */
static grove__tree_spot find_way_back(const grove__tree *tree, uint32_t place,
                                      uint32_t node)
{
    uint32_t without = tree->nodes[node].place;
    uint32_t parent = tree->places[place].parent;
    neighbours found = look(tree, place, without, false);
    if (found.right == GROVE__TREE_NONE) {
        neighbours ahead = look(tree, place, without, true);
        found.right = ahead.right;
        found.left = ahead.left == GROVE__TREE_NONE ? found.left : ahead.left;
    }
    return (grove__tree_spot){parent, grove__fugue_between(&tree->fugue,
                                                           &tree->nodes[parent].children,
                                                           found.left, found.right)};
}

/* The type that a node had; it stays where it stands. */
static grove_status undo_type(grove_document *document, const grove__tree_record *record,
                              grove_bytes metadata, grove_error *error_out)
{
    const grove__tree *tree = document->state;
    const grove__tree_node *node = &tree->nodes[record->node];
    grove_tree_id_bytes id;
    if (!is_of(document, record, record->kind, tree->places[node->typed].stamp)) {
        return GROVE_OK;
    }
    grove__tree_id(tree, record->node, &id);
    grove__tree_spot spot = grove__tree_spot_of(tree, node->place);
    uint64_t placed =
        writer_of(document, GROVE__TREE_RECORD_PLACE, tree->places[node->place].stamp);
    uint32_t home = node->place;
    grove__tree_operation operation = {
        .kind = GROVE_TREE_PUT,
        .id = {id.bytes, id.size},
        .type = grove__names_at(&tree->names, record->name),
        .metadata = metadata,
    };
    grove_status status = put_back(document, record, &operation, &spot, error_out);
    if (status == GROVE_OK) {
        set_home(document, record->node, home);
        status = stand_in(document, GROVE__TREE_RECORD_PLACE, placed, error_out);
    }
    return status;
}

/* Where a node stood, unless that is below it now. */
static grove_status undo_place(grove_document *document, const grove__tree_record *record,
                               grove_bytes metadata, grove_error *error_out)
{
    const grove__tree *tree = document->state;
    uint32_t place = tree->nodes[record->node].place;
    if (!is_of(document, record, record->kind, tree->places[place].stamp) ||
        grove__tree_is_above(tree, record->node, tree->places[record->place].parent)) {
        return GROVE_OK;
    }
    grove__tree_spot spot = find_way_back(tree, record->place, record->node);
    grove__tree_operation operation = {.kind = GROVE_TREE_MOVE, .metadata = metadata};
    grove_status status = put_back(document, record, &operation, &spot, error_out);
    if (status == GROVE_OK) {
        set_home(document, record->node, record->place);
    }
    return status;
}

static grove_status undo_value(grove_document *document, const grove__tree_record *record,
                               grove_bytes value, grove_bytes metadata,
                               grove_error *error_out)
{
    const grove__tree *tree = document->state;
    grove_bytes name = grove__names_at(&tree->names, record->name);
    uint32_t number = grove__tree_attribute_of(tree, record->node, name);
    if (number == GROVE__TREE_NONE ||
        !is_of(document, record, record->kind, tree->attributes[number].stamp) ||
        (value.size == 0 && tree->attributes[number].size == 0)) {
        return GROVE_OK;
    }
    grove__tree_operation operation = {
        .kind = value.size == 0 ? GROVE_TREE_UNSET : GROVE_TREE_SET,
        .name = name,
        .value = value,
        .metadata = metadata,
    };
    return put_back(document, record, &operation, NULL, error_out);
}

static grove_status undo_record(grove_document *document,
                                const grove__tree_record *record, grove_bytes value,
                                grove_bytes metadata, grove_error *error_out)
{
    switch (record->kind) {
    case GROVE__TREE_RECORD_MARK:
        break;
    case GROVE__TREE_RECORD_NEW:
        return undo_put(document, record, metadata, error_out);
    case GROVE__TREE_RECORD_TYPE:
        return undo_type(document, record, metadata, error_out);
    case GROVE__TREE_RECORD_PLACE:
        return undo_place(document, record, metadata, error_out);
    case GROVE__TREE_RECORD_VALUE:
        return undo_value(document, record, value, metadata, error_out);
    case GROVE__TREE_RECORD_DELETION:
    case GROVE__TREE_RECORD_RESTORAL:
        return undo_flag(document, record, metadata, error_out);
    }
    return GROVE_OK;
}

/* Undoes the records of a row's last change from the last on; what is left. */
static grove_status undo_change(grove_document *document, const grove__tree_row *from,
                                grove_bytes metadata, size_t *records_left,
                                size_t *values_left, grove_error *error_out)
{
    size_t index;
    const grove__tree_record *records = records_of(from, &index);
    size_t values = from->values.size;
    grove_status status = GROVE_OK;
    index--; /* the mark */
    while (status == GROVE_OK && index > 0 &&
           records[index - 1].kind != GROVE__TREE_RECORD_MARK) {
        const grove__tree_record *record = &records[--index];
        values -= record->value_size;
        grove_bytes value = {NULL, 0};
        if (record->value_size > 0) {
            value = (grove_bytes){from->values.data + values, record->value_size};
        }
        status = undo_record(document, record, value, metadata, error_out);
    }
    *records_left = index * sizeof *records;
    *values_left = values;
    return status;
}

/* Undoes the last change of a row, which becomes one of the other. */
static grove_status undo_last(grove_document *document, grove__tree_row *from,
                              grove__tree_row *to, grove_bytes metadata,
                              grove_error *error_out)
{
    size_t records_left = 0;
    size_t values_left = 0;
    grove__tree *tree = NULL;
    grove_status status = grove__tree_editable(document, &tree, error_out);
    if (status == GROVE_OK && metadata.size > GROVE_TREE_METADATA_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT, "metadata has %zu bytes",
                           metadata.size);
    }
    if (status == GROVE_OK && document->is_changing) {
        return grove__fail(error_out, GROVE_INVALID, "a change has begun");
    }
    if (status == GROVE_OK && from->changes == 0) {
        return grove__fail(error_out, GROVE_NONE, "there is no such change");
    }
    if (status != GROVE_OK) {
        return status;
    }
    document->noting = to;
    document->is_redoing = true;
    status = grove_tree_begin(document, error_out);
    if (status == GROVE_OK) {
        status =
            undo_change(document, from, metadata, &records_left, &values_left, error_out);
        grove_status ended = status == GROVE_OK ? grove_tree_end(document, error_out)
                                                : grove_tree_cancel(document, NULL);
        status = status == GROVE_OK ? ended : status;
    }
    document->noting = &document->undo;
    document->is_redoing = false;
    if (status == GROVE_OK) {
        from->records.size = records_left;
        from->values.size = values_left;
        from->changes--;
    }
    return status;
}

grove_status grove_tree_undo(grove_document *document, grove_bytes metadata,
                             grove_error *error_out)
{
    return undo_last(document, &document->undo, &document->redo, metadata, error_out);
}

grove_status grove_tree_redo(grove_document *document, grove_bytes metadata,
                             grove_error *error_out)
{
    return undo_last(document, &document->redo, &document->undo, metadata, error_out);
}
