/*
 * Batches: whatever decodes keeps the rules of lists of events (events.h),
 * and encoding it and decoding that again gives the same list. Each input is
 * tried as operations of `text`, of a type with a schema and of one that is
 * timed as well, with its checksums made true.
 */
#include "target.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "format/batch.h"
#include "format/event_ids.h"
#include "schema_type.h"
#include "support/reseal.h"

/* ---- The rules of a list ---- */

static void check_ids(const grove__events *events)
{
    uint64_t count = 0;
    for (size_t index = 0; index < events->id_run_count; index++) {
        const grove__id_run *run = &events->id_runs[index];
        FUZZ_CHECK(run->count > 0 && run->replica < events->replica_count);
        FUZZ_CHECK(run->sequence + run->count <= GROVE_DOCUMENT_EVENTS_MAX);
        FUZZ_CHECK(run->event == count);
        count += run->count;
        /* E5, for lists that are not too long for it. */
        for (size_t other = 0; other < index && index < 300; other++) {
            const grove__id_run *before = &events->id_runs[other];
            FUZZ_CHECK(run->replica != before->replica ||
                       run->sequence >= before->sequence + before->count ||
                       before->sequence >= run->sequence + run->count);
        }
    }
    FUZZ_CHECK(count == events->count);
    for (size_t index = 0; index < events->replica_count; index++) {
        FUZZ_CHECK(events->replicas[index].size >= 1);
        FUZZ_CHECK(events->replicas[index].size <= GROVE_REPLICA_BYTES_MAX);
    }
}

static void check_parent(const grove__events *events, const grove__parent_run *run,
                         uint32_t index)
{
    const grove__parent *parent = &events->parents[run->first + index];
    if (parent->replica == GROVE__PARENT_INSIDE) {
        FUZZ_CHECK(parent->sequence < run->event);
    } else {
        FUZZ_CHECK(parent->replica < events->replica_count);
        FUZZ_CHECK(parent->sequence < GROVE_DOCUMENT_EVENTS_MAX);
    }
    for (uint32_t other = 0; other < index; other++) {
        const grove__parent *before = &events->parents[run->first + other];
        FUZZ_CHECK(before->replica != parent->replica ||
                   before->sequence != parent->sequence);
    }
}

static void check_parents(const grove__events *events)
{
    FUZZ_CHECK((events->parent_run_count > 0) == (events->count > 0));
    for (size_t index = 0; index < events->parent_run_count; index++) {
        const grove__parent_run *run = &events->parent_runs[index];
        FUZZ_CHECK(index == 0 ? run->event == 0
                              : run->event > events->parent_runs[index - 1].event);
        FUZZ_CHECK(run->event < events->count);
        FUZZ_CHECK(run->count <= GROVE_EVENT_PARENTS_MAX);
        FUZZ_CHECK((size_t)run->first + run->count <= events->parent_count);
        for (uint32_t parent = 0; parent < run->count; parent++) {
            check_parent(events, run, parent);
        }
    }
}

/* E6: each event has the time that its parents lead to. */
static void check_lamport_times(const grove__events *events, bool is_timed)
{
    for (size_t index = 0; index < events->parent_run_count; index++) {
        const grove__parent_run *run = &events->parent_runs[index];
        uint64_t time = is_timed ? 1 : 0;
        for (uint32_t nth = 0; is_timed && nth < run->count; nth++) {
            const grove__parent *parent = &events->parents[run->first + nth];
            uint64_t before = parent->time;
            if (parent->replica == GROVE__PARENT_INSIDE) {
                before = grove__event_ids_time(events, (uint32_t)parent->sequence);
            }
            FUZZ_CHECK(before > 0);
            time = before >= time ? before + 1 : time;
        }
        FUZZ_CHECK(grove__event_ids_time(events, run->event) == time);
        FUZZ_CHECK(time <= GROVE_DOCUMENT_EVENTS_MAX);
    }
}

static void check_times(const grove__events *events)
{
    uint64_t count = 0;
    for (size_t index = 0; index < events->time_run_count; index++) {
        FUZZ_CHECK(events->time_runs[index].count > 0);
        count += events->time_runs[index].count;
    }
    FUZZ_CHECK(count == events->count);
}

static void check_operations(grove__events *events, const grove_document_type *type)
{
    grove_operations operations = grove__events_operations(events);
    uint64_t count = 0;
    for (size_t index = 0; index < operations.count; index++) {
        const grove_operation *operation = &operations.items[index];
        FUZZ_CHECK(type->operation_check(type, operation, NULL) == GROVE_OK);
        count += operation->count;
    }
    FUZZ_CHECK(count == events->count);
}

/* ---- Again ---- */

/* The block of the list; `bytes` is emptied first. False without memory. */
static bool encode(grove__events *events, const grove_document_type *type, uint64_t reach,
                   grove_buffer *bytes)
{
    grove_buffer_reset(bytes);
    grove_status status = grove__batch_encode(events, type, reach,
                                              grove__batch_packing_usual(), bytes, NULL);
    FUZZ_CHECK(status == GROVE_OK || status == GROVE_NO_MEMORY);
    return status == GROVE_OK;
}

static void check_again(grove__events *events, const grove_document_type *type,
                        const grove__batch_header *header,
                        const grove_allocator *allocator)
{
    grove__block block;
    grove__batch_header header_again;
    grove__events again;
    grove_buffer first;
    grove_buffer second;
    grove__events_init(&again, allocator);
    grove_buffer_init(&first, allocator);
    grove_buffer_init(&second, allocator);
    if (encode(events, type, header->reach, &first)) {
        FUZZ_CHECK(grove__batch_open(grove_buffer_view(&first), &block, &header_again,
                                     NULL) == GROVE_OK);
        FUZZ_CHECK(header_again.event_count == header->event_count);
        grove_status status =
            grove__batch_decode(&block, type, GROVE__DECODE_ALL, &again, NULL);
        FUZZ_CHECK(status == GROVE_OK || status == GROVE_NO_MEMORY);
        if (status == GROVE_OK && encode(&again, type, header_again.reach, &second)) {
            FUZZ_CHECK(grove__bytes_equal(grove_buffer_view(&first),
                                          grove_buffer_view(&second)));
        }
    }
    grove__events_release(&again);
    grove_buffer_release(&first);
    grove_buffer_release(&second);
}

/* The events are the same without the contents of their operations. */
static void check_without_contents(const grove__block *block,
                                   const grove_document_type *type, grove__events *events,
                                   const grove_allocator *allocator)
{
    grove__events bare;
    grove__events_init(&bare, allocator);
    uint32_t parts = GROVE__DECODE_ALL & ~(uint32_t)GROVE__DECODE_CONTENTS;
    grove_status status = grove__batch_decode(block, type, parts, &bare, NULL);
    FUZZ_CHECK(status == GROVE_OK || status == GROVE_NO_MEMORY);
    if (status == GROVE_OK) {
        grove_operations all = grove__events_operations(events);
        grove_operations some = grove__events_operations(&bare);
        FUZZ_CHECK(all.count == some.count && bare.content.size == 0);
        for (size_t index = 0; index < all.count; index++) {
            FUZZ_CHECK(all.items[index].kind == some.items[index].kind);
            FUZZ_CHECK(all.items[index].count == some.items[index].count);
            FUZZ_CHECK(all.items[index].position == some.items[index].position);
            FUZZ_CHECK(some.items[index].content.size == 0);
        }
    }
    grove__events_release(&bare);
}

static void check_batch(grove_bytes bytes, const grove_document_type *type)
{
    grove__block block;
    grove__batch_header header;
    grove__budget budget;
    grove__events events;
    grove_error error = {GROVE_OK, 0, ""};
    grove_status status = grove__batch_open(bytes, &block, &header, &error);
    if (status != GROVE_OK) {
        FUZZ_CHECK(status == GROVE_CORRUPT || status == GROVE_FORMAT_NEWER);
        FUZZ_CHECK(error.status == status && error.offset <= bytes.size);
        return;
    }
    grove__budget_init(&budget, &grove__allocator_system, FUZZ_MEMORY_BYTES);
    grove__events_init(&events, &budget.allocator);
    status = grove__batch_decode(&block, type, GROVE__DECODE_ALL, &events, &error);
    if (status == GROVE_OK) {
        FUZZ_CHECK(events.count == header.event_count);
        check_ids(&events);
        check_parents(&events);
        check_lamport_times(&events, type->timed != NULL);
        check_times(&events);
        check_operations(&events, type);
        check_without_contents(&block, type, &events, &budget.allocator);
        check_again(&events, type, &header, &budget.allocator);
    } else {
        FUZZ_CHECK(status == GROVE_CORRUPT || status == GROVE_NO_MEMORY);
        FUZZ_CHECK(error.status == status && events.count == 0);
    }
    grove__events_release(&events);
    FUZZ_CHECK(atomic_load(&budget.used) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *sealed = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(sealed != NULL);
    if (size > 0) {
        memcpy(sealed, data, size);
    }
    reseal(sealed, size);
    check_batch((grove_bytes){sealed, size}, grove_type_text());
    check_batch((grove_bytes){sealed, size}, &FUZZ_SCHEMA_TYPE);
    check_batch((grove_bytes){sealed, size}, &FUZZ_TIMED_TYPE);
    free(sealed);
    return 0;
}
