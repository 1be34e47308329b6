#include "document/known.h"

#include "base/bytes.h"
#include "base/error.h"

/* Runs from one mark to the next. */
enum { MARK_RUNS = 32 };

void grove__known_init(grove__known *known, grove_document *document, grove__txn *txn)
{
    known->document = document;
    known->txn = txn;
    known->events = NULL;
    known->steps = 0;
    grove__events_init(&known->batch, document->allocator);
    grove_buffer_init(&known->marks, document->allocator);
}

void grove__known_release(grove__known *known)
{
    grove__events_release(&known->batch);
    grove_buffer_release(&known->marks);
}

/* --- going through events --- */

/* Sets a mark at the next run. Without memory there is none, and going back
 * costs more. */
static void set_mark(grove__known *known)
{
    const grove__known_mark mark = {known->cursor, known->clock};
    grove_buffer_append(&known->marks, &mark, sizeof mark);
    known->marks.failed = false;
    known->since_mark = 0;
}

/* Begins with the first run of some events. */
static void begin(grove__known *known, grove__events *events, uint64_t first_clock)
{
    known->events = events;
    known->first_clock = first_clock;
    grove__events_cursor_init(&known->cursor, events, known->document->type,
                              known->parents);
    known->clock = first_clock;
    known->furthest = first_clock;
    grove_buffer_reset(&known->marks);
    set_mark(known);
    (void)grove__events_cursor_next(&known->cursor, &known->run);
    known->content = events->content.data;
    known->count = events->count;
}

/* Goes to the next run. */
static void go_on(grove__known *known)
{
    known->clock += known->run.operation.count;
    known->steps++;
    if (known->clock > known->furthest) {
        known->furthest = known->clock;
        if (++known->since_mark == MARK_RUNS) {
            set_mark(known);
        }
    }
    (void)grove__events_cursor_next(&known->cursor, &known->run);
}

/* The last mark at or before a clock, or NULL. */
static const grove__known_mark *find_mark(const grove__known *known, uint64_t clock)
{
    const grove__known_mark *marks =
        (const grove__known_mark *)(const void *)known->marks.data;
    size_t low = 0;
    size_t high = known->marks.size / sizeof *marks;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (marks[middle].clock <= clock) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? NULL : &marks[low - 1];
}

/* Goes to the run that has the event at `clock`, which is one of the events. */
static void go_to(grove__known *known, uint64_t clock)
{
    const grove__known_mark *mark = find_mark(known, clock);
    if (mark != NULL && (clock < known->clock || mark->clock > known->clock)) {
        known->cursor = mark->cursor;
        known->clock = mark->clock;
        (void)grove__events_cursor_next(&known->cursor, &known->run);
    } else if (clock < known->clock) {
        begin(known, known->events, known->first_clock);
    }
    while (clock - known->clock >= known->run.operation.count) {
        go_on(known);
    }
}

/* Reads the batch that has a stored event. */
static grove_status read_batch(grove__known *known, uint64_t clock,
                               grove_error *error_out)
{
    grove_document *document = known->document;
    grove_status status = grove__document_look_again(document, known->txn, error_out);
    if (status == GROVE_OK && clock < document->meta.base_clock) {
        status =
            grove__fail(error_out, GROVE_HISTORY_REMOVED,
                        "the event at clock %llu is known, but its content was removed",
                        (unsigned long long)clock);
    }
    uint64_t first = 0;
    grove__batch_reader reader;
    grove__batch_reader_init(&reader, document->allocator);
    known->events = NULL;
    if (status == GROVE_OK) {
        status = grove__batch_find(document, known->txn, clock, &first, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__batch_read(document, known->txn, first, &reader, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__batch_decode(&reader.block, document->type, GROVE__DECODE_ALL,
                                     &known->batch, error_out);
    }
    if (status == GROVE_OK && clock - first >= known->batch.count) {
        status = grove__fail(error_out, GROVE_CORRUPT,
                             "no batch holds the event at clock %llu",
                             (unsigned long long)clock);
    }
    grove__batch_reader_release(&reader);
    if (status == GROVE_OK) {
        /* Decoding looked at each. */
        known->steps += known->batch.id_run_count + known->batch.parent_run_count +
                        known->batch.operations.size / sizeof(grove_operation);
        begin(known, &known->batch, first);
    }
    return status;
}

/* Goes to the run that has the known event at `clock`. */
static grove_status find(grove__known *known, uint64_t clock, grove_error *error_out)
{
    grove__events *unsaved = &known->document->unsaved;
    bool is_stored = clock < known->document->stored;
    bool is_there = known->events == (is_stored ? &known->batch : unsaved) &&
                    clock >= known->first_clock &&
                    clock - known->first_clock < known->events->count;
    if (!is_there && is_stored) {
        grove_status status = read_batch(known, clock, error_out);
        if (status != GROVE_OK) {
            return status;
        }
    } else if (!is_there || known->content != known->events->content.data ||
               clock - known->first_clock >= known->count) {
        begin(known, unsaved, known->document->stored);
    }
    go_to(known, clock);
    return GROVE_OK;
}

/* Events `from` to `from + count - 1` of an operation. */
static grove_operation slice(const grove_document_type *type, grove_operation operation,
                             uint32_t from, uint32_t count)
{
    grove_operation cut_off;
    grove_operation left = operation;
    if (from > 0) {
        type->operation_cut(type, &operation, from, &cut_off, &left);
    }
    if (left.count > count) {
        grove_operation kept;
        type->operation_cut(type, &left, count, &kept, &cut_off);
        return kept;
    }
    return left;
}

static bool operation_equal(const grove_operation *a, const grove_operation *b)
{
    return a->kind == b->kind && a->count == b->count && a->position == b->position &&
           grove__bytes_equal(a->content, b->content);
}

static bool parents_equal(const grove_event_run *a, const grove_event_run *b)
{
    if (a->parent_count != b->parent_count) {
        return false;
    }
    for (size_t index = 0; index < a->parent_count; index++) {
        bool is_found = false;
        for (size_t other = 0; other < b->parent_count && !is_found; other++) {
            is_found = a->parents[index].sequence == b->parents[other].sequence &&
                       grove__replica_equal(&a->parents[index].replica,
                                            &b->parents[other].replica);
        }
        if (!is_found) {
            return false;
        }
    }
    return true;
}

grove_status grove__known_compare(grove__known *known, const grove_event_run *run,
                                  uint64_t clock, uint32_t *count_out,
                                  grove_error *error_out)
{
    const grove_document_type *type = known->document->type;
    grove_status status = find(known, clock, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_event_run is = known->run;
    uint32_t from = (uint32_t)(clock - known->clock);
    uint32_t count = is.operation.count - from;
    count = count < run->operation.count ? count : run->operation.count;
    is.operation = slice(type, is.operation, from, count);
    grove_operation should = slice(type, run->operation, 0, count);
    grove_event_id before = is.first;
    if (from > 0) {
        before.sequence += from - 1;
        is.parents = &before;
        is.parent_count = 1;
    }
    bool is_same = operation_equal(&is.operation, &should) &&
                   is.timestamp == run->timestamp && parents_equal(&is, run);
    *count_out = count;
    return is_same ? GROVE_DUPLICATE : GROVE_REPLICA_REUSED;
}
