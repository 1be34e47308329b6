/*
 * Who wrote what of a text: a walker sees all history that is stored, and its
 * spans, from left to right, name the events that inserted what is there.
 */
#include <grove/text.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/document.h"
#include "text/state.h"
#include "text/walker.h"

/* From this clock on events have the timestamp. */
typedef struct time_change {
    uint64_t clock;
    int64_t timestamp;
} time_change;

typedef struct blame_work {
    grove_document *document;
    grove_text_authorship_fn each;
    void *context;
    uint64_t position; /* wanted characters */
    uint64_t end;
    grove_buffer times; /* time_change records, ascending */
    /* What was found and not handed out yet; a count of 0: nothing. */
    grove_text_authorship found;
    bool goes_on;
} blame_work;

static grove_status add_times(blame_work *work, const grove__events *events,
                              uint64_t first_clock, grove_error *error_out)
{
    time_change change = {first_clock, 0};
    for (size_t index = 0; index < events->time_run_count; index++) {
        change.timestamp = events->time_runs[index].timestamp;
        grove_buffer_append(&work->times, &change, sizeof change);
        change.clock += events->time_runs[index].count;
    }
    return work->times.failed ? grove__fail_memory(error_out) : GROVE_OK;
}

/* The timestamps of all events from clock `base` on. */
static grove_status read_times(blame_work *work, grove__txn *txn, uint64_t base,
                               grove_error *error_out)
{
    grove_document *document = work->document;
    grove__batch_reader reader;
    grove__events events;
    grove__batch_reader_init(&reader, document->allocator);
    grove__events_init(&events, document->allocator);
    grove_status status = GROVE_OK;
    for (uint64_t clock = base; status == GROVE_OK && clock < document->stored;) {
        uint64_t first = 0;
        status = grove__batch_find(document, txn, clock, &first, error_out);
        if (status == GROVE_OK) {
            status = grove__batch_read(document, txn, first, &reader, error_out);
        }
        if (status == GROVE_OK) {
            status = grove__batch_decode(&reader.block, document->type,
                                         GROVE__DECODE_TIMESTAMPS, &events, error_out);
        }
        if (status == GROVE_OK) {
            status = add_times(work, &events, first, error_out);
            clock = first + reader.header.event_count;
        }
    }
    if (status == GROVE_OK) {
        /* What others stored under the clocks of unsaved events goes. */
        while (work->times.size > 0 &&
               ((const time_change *)(const void *)(work->times.data + work->times.size -
                                                    sizeof(time_change)))
                       ->clock >= document->stored) {
            work->times.size -= sizeof(time_change);
        }
        status = add_times(work, &document->unsaved, document->stored, error_out);
    }
    grove__events_release(&events);
    grove__batch_reader_release(&reader);
    return status;
}

/* The timestamp of the event at `clock`, and in *end_out where the next one
 * may begin. */
static int64_t find_time(const blame_work *work, uint64_t clock, uint64_t *end_out)
{
    const time_change *changes = (const time_change *)(const void *)work->times.data;
    size_t low = 0;
    size_t high = work->times.size / sizeof *changes;
    *end_out = UINT64_MAX;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (changes[middle].clock <= clock) {
            low = middle;
        } else {
            high = middle;
            *end_out = changes[middle].clock;
        }
    }
    return changes[low].timestamp;
}

static void hand_out(blame_work *work)
{
    if (work->found.count > 0 && work->goes_on) {
        work->goes_on = work->each(work->context, &work->found);
    }
    work->found.count = 0;
}

/* Adds characters to what was found last, or hands that out first. */
static void find(blame_work *work, const grove_text_authorship *next)
{
    grove_text_authorship *found = &work->found;
    if (found->count > 0 && found->timestamp == next->timestamp &&
        grove__replica_equal(&found->event.replica, &next->event.replica)) {
        found->count += next->count;
        return;
    }
    hand_out(work);
    *found = *next;
}

/* Finds who made the events from `clock` on, whose characters are `count` from
 * `position` on. */
static void find_events(blame_work *work, uint64_t position, uint64_t clock,
                        uint64_t count)
{
    const grove__ids *ids = &work->document->graph.ids;
    while (count > 0) {
        grove__id_span span;
        uint64_t time_end;
        (void)grove__ids_at(ids, clock, &span);
        grove_text_authorship next = {.position = position, .clock = clock};
        next.event.replica = *grove__ids_name(ids, span.replica);
        next.event.sequence = span.sequence;
        next.timestamp = find_time(work, clock, &time_end);
        next.count = grove__min_u64(grove__min_u64(count, span.count), time_end - clock);
        find(work, &next);
        position += next.count;
        clock += next.count;
        count -= next.count;
    }
}

/* Goes through the spans that are in the text. */
static void find_all(blame_work *work, const grove__text_walker *walker)
{
    const grove__spans *spans = &walker->tracker.spans;
    uint64_t position = 0;
    for (grove__place place = {0, 0};
         work->goes_on && position < work->end && grove__spans_normalize(spans, &place);
         place.index++) {
        const grove__span *span = grove__spans_at(spans, place);
        uint64_t end = position + grove__span_effect(span);
        uint64_t from = grove__max_u64(position, work->position);
        uint64_t until = grove__min_u64(end, work->end);
        if (from < until && span->first < GROVE__SPANS_BEFORE) {
            find_events(work, from, walker->base + span->first + (from - position),
                        until - from);
        } else if (from < until) {
            grove_text_authorship unknown = {.position = from, .count = until - from};
            find(work, &unknown);
        }
        position = end;
    }
    hand_out(work);
}

/* Lets the walker of `merge` see all history that is stored. */
static grove_status walk_history(blame_work *work, grove__txn *txn, grove__merge *merge,
                                 grove_error *error_out)
{
    grove_document *document = work->document;
    grove_status status = grove__document_look(document, txn, error_out);
    if (status == GROVE_OK && document->graph.base > document->meta.base_clock) {
        status = grove__document_deepen(document, txn, document->meta.base_clock,
                                        document->graph.end, error_out);
    }
    uint64_t base = grove__max_u64(document->graph.base, document->meta.base_clock);
    if (status == GROVE_OK) {
        status = read_times(work, txn, base, error_out);
    }
    return status == GROVE_OK
               ? grove__document_walk_all(document, txn, base, merge, error_out)
               : status;
}

grove_status grove_text_blame(grove_document *document, uint64_t position, uint64_t count,
                              grove_text_authorship_fn each, void *context,
                              grove_error *error_out)
{
    uint64_t length;
    grove_status status = grove__document_check_live(document, error_out);
    if (status == GROVE_OK) {
        status = grove_text_length(document, &length, NULL, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    if (position > length || count > length - position) {
        return grove__fail(error_out, GROVE_INVALID,
                           "position %llu with %llu characters reaches beyond the end, "
                           "%llu",
                           (unsigned long long)position, (unsigned long long)count,
                           (unsigned long long)length);
    }
    blame_work work = {.document = document,
                       .each = each,
                       .context = context,
                       .position = position,
                       .end = position + count,
                       .goes_on = true};
    grove_buffer_init(&work.times, document->allocator);
    grove__merge merge;
    grove__merge_init(&merge, document->allocator);
    grove__txn txn;
    status = grove__txn_begin(&document->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status == GROVE_OK) {
        status = walk_history(&work, &txn, &merge, error_out);
        grove__txn_abort(&txn);
    }
    if (status == GROVE_OK) {
        find_all(&work, merge.walker);
    }
    grove__merge_release(&merge, document->type);
    grove_buffer_release(&work.times);
    return status;
}
