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

/* --- what is noted of an event --- */

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
    if (attribute != GROVE__TREE_NONE) {
        value = grove__tree_value_at(tree, attribute);
    }
    record.kind = GROVE__TREE_RECORD_VALUE;
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
    note(document->noting, record, none);
    record.kind = GROVE__TREE_RECORD_PLACE;
    record.place = tree->nodes[record.node].place;
    note(document->noting, record, none);
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
    const grove__tree *tree = document->state;
    grove__tree_row *row = document->noting;
    grove__tree_record record = {.node = node, .sequence = document->next_sequence};
    grove_bytes none = {NULL, 0};
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
        record.kind = GROVE__TREE_RECORD_PLACE;
        record.place = tree->nodes[node].place;
        note(row, record, none);
        break;
    case GROVE_TREE_DELETE:
        record.kind = GROVE__TREE_RECORD_DELETION;
        note(row, record, none);
        break;
    case GROVE_TREE_RESTORE:
        record.kind = GROVE__TREE_RECORD_RESTORAL;
        note(row, record, none);
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
    if (document->failed) {
        return grove__fail_memory(error_out);
    }
    grove__document_hold(document);
    return GROVE_OK;
}

/* --- undoing --- */

/* Whether the handle's event of the record wrote what has the stamp. */
static bool is_of(const grove_document *document, const grove__tree_record *record,
                  grove__stamp stamp)
{
    const grove__tree *tree = document->state;
    return grove__stamp_sequence(stamp) == record->sequence &&
           grove__bytes_equal(
               grove__names_at(&tree->replicas, grove__stamp_replica(stamp)),
               grove__replica_bytes(&document->replica));
}

static grove_status emit_flag(grove_document *document, uint32_t node,
                              grove_tree_kind kind, grove_bytes metadata,
                              grove_error *error_out)
{
    grove__tree_operation operation = {.kind = kind, .metadata = metadata};
    return grove__tree_emit(document, &operation, node, NULL, error_out);
}

/* The type that a node had; it stays where it stands. */
static grove_status undo_type(grove_document *document, const grove__tree_record *record,
                              grove_bytes metadata, grove_error *error_out)
{
    const grove__tree *tree = document->state;
    const grove__tree_node *node = &tree->nodes[record->node];
    grove_tree_id_bytes id;
    if (!is_of(document, record, tree->places[node->typed].stamp)) {
        return GROVE_OK;
    }
    grove__tree_id(tree, record->node, &id);
    grove__tree_spot spot = grove__tree_spot_of(tree, node->place);
    grove__tree_operation operation = {
        .kind = GROVE_TREE_PUT,
        .id = {id.bytes, id.size},
        .type = grove__names_at(&tree->names, record->name),
        .metadata = metadata,
    };
    return grove__tree_emit(document, &operation, record->node, &spot, error_out);
}

/* Where a node stood, unless that is below it now. */
static grove_status undo_place(grove_document *document, const grove__tree_record *record,
                               grove_bytes metadata, grove_error *error_out)
{
    const grove__tree *tree = document->state;
    uint32_t place = tree->nodes[record->node].place;
    if (!is_of(document, record, tree->places[place].stamp) ||
        grove__tree_is_above(tree, record->node, tree->places[record->place].parent)) {
        return GROVE_OK;
    }
    grove__tree_spot spot = grove__tree_spot_of(tree, record->place);
    grove__tree_operation operation = {.kind = GROVE_TREE_MOVE, .metadata = metadata};
    return grove__tree_emit(document, &operation, record->node, &spot, error_out);
}

static grove_status undo_value(grove_document *document, const grove__tree_record *record,
                               grove_bytes value, grove_bytes metadata,
                               grove_error *error_out)
{
    const grove__tree *tree = document->state;
    grove_bytes name = grove__names_at(&tree->names, record->name);
    uint32_t number = grove__tree_attribute_of(tree, record->node, name);
    if (number == GROVE__TREE_NONE ||
        !is_of(document, record, tree->attributes[number].stamp) ||
        (value.size == 0 && tree->attributes[number].size == 0)) {
        return GROVE_OK;
    }
    grove__tree_operation operation = {
        .kind = value.size == 0 ? GROVE_TREE_UNSET : GROVE_TREE_SET,
        .name = name,
        .value = value,
        .metadata = metadata,
    };
    return grove__tree_emit(document, &operation, record->node, NULL, error_out);
}

static grove_status undo_record(grove_document *document,
                                const grove__tree_record *record, grove_bytes value,
                                grove_bytes metadata, grove_error *error_out)
{
    const grove__tree *tree = document->state;
    uint32_t node = record->node;
    bool is_deleted = grove__tree_is_deleted(tree, node);
    bool is_flag_ours =
        tree->nodes[node].deletion != GROVE__TREE_NONE &&
        is_of(document, record, tree->deletions[tree->nodes[node].deletion].stamp);
    switch (record->kind) {
    case GROVE__TREE_RECORD_MARK:
        break;
    case GROVE__TREE_RECORD_NEW:
        return is_deleted
                   ? GROVE_OK
                   : emit_flag(document, node, GROVE_TREE_DELETE, metadata, error_out);
    case GROVE__TREE_RECORD_TYPE:
        return undo_type(document, record, metadata, error_out);
    case GROVE__TREE_RECORD_PLACE:
        return undo_place(document, record, metadata, error_out);
    case GROVE__TREE_RECORD_VALUE:
        return undo_value(document, record, value, metadata, error_out);
    case GROVE__TREE_RECORD_DELETION:
    case GROVE__TREE_RECORD_RESTORAL:
        return is_flag_ours
                   ? emit_flag(document, node,
                               is_deleted ? GROVE_TREE_RESTORE : GROVE_TREE_DELETE,
                               metadata, error_out)
                   : GROVE_OK;
    }
    return GROVE_OK;
}

/* Undoes the records of a row's last change, the last first; where they begin. */
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
