/*
 * A timed document type to test with. Its operations are the inserts of
 * test_type_typing, of which each event has one byte. Its state is the list of
 * all events with what was said of them, in the order of time, replica and
 * sequence: whoever tells a state something wrong is seen in it.
 *
 * A settled state remembers up to which time, and fails the test when an event
 * comes that is not after it.
 */
#ifndef GROVE_TESTS_LEDGER_TYPE_H
#define GROVE_TESTS_LEDGER_TYPE_H

#include <stdlib.h>
#include <string.h>

#include "support/test_types.h"

typedef struct ledger_entry {
    uint64_t time;
    uint64_t sequence;
    grove_replica replica;
    uint8_t byte;
} ledger_entry;

typedef struct ledger {
    const grove_allocator *allocator;
    grove_buffer entries; /* ledger_entry records, in order */
    uint64_t settled;
} ledger;

static inline const ledger_entry *ledger_entries(const ledger *book, size_t *count_out)
{
    *count_out = book->entries.size / sizeof(ledger_entry);
    return (const ledger_entry *)(const void *)book->entries.data;
}

static inline int ledger_compare(const ledger_entry *a, const ledger_entry *b)
{
    size_t size = a->replica.size < b->replica.size ? a->replica.size : b->replica.size;
    int order = (a->time > b->time) - (a->time < b->time);
    order = order != 0 ? order : memcmp(a->replica.bytes, b->replica.bytes, size);
    order = order != 0 ? order : (int)a->replica.size - (int)b->replica.size;
    return order != 0 ? order : (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

static inline bool ledger_equal(const ledger *a, const ledger *b)
{
    size_t count;
    size_t other_count;
    const ledger_entry *entries = ledger_entries(a, &count);
    const ledger_entry *others = ledger_entries(b, &other_count);
    bool is_equal = count == other_count;
    for (size_t index = 0; is_equal && index < count; index++) {
        is_equal = ledger_compare(&entries[index], &others[index]) == 0 &&
                   entries[index].byte == others[index].byte;
    }
    return is_equal;
}

static inline grove_status ledger_new(const grove_document_type *type,
                                      const grove_allocator *allocator, void **state_out)
{
    (void)type;
    ledger *book = allocator->allocate(allocator->context, sizeof *book);
    if (book == NULL) {
        return GROVE_NO_MEMORY;
    }
    *book = (ledger){.allocator = allocator};
    grove_buffer_init(&book->entries, allocator);
    *state_out = book;
    return GROVE_OK;
}

static inline void ledger_free(const grove_document_type *type, void *state)
{
    (void)type;
    ledger *book = state;
    if (book != NULL) {
        const grove_allocator *allocator = book->allocator;
        grove_buffer_release(&book->entries);
        allocator->deallocate(allocator->context, book, sizeof *book);
    }
}

/* Puts an entry into its place, for which there is room. */
static inline void ledger_put(ledger *book, const ledger_entry *entry)
{
    size_t at = book->entries.size / sizeof *entry;
    ledger_entry *entries = (ledger_entry *)(void *)book->entries.data;
    cr_assert_gt(entry->time, book->settled, "an event comes that is settled");
    grove_buffer_append(&book->entries, entry, sizeof *entry);
    for (; at > 0 && ledger_compare(&entries[at - 1], entry) > 0; at--) {
        entries[at] = entries[at - 1];
    }
    cr_assert(at == 0 || ledger_compare(&entries[at - 1], entry) != 0,
              "an event comes twice");
    entries[at] = *entry;
}

static inline grove_status ledger_apply(const grove_document_type *type, void *state,
                                        grove_operations operations, grove_stamps stamps,
                                        grove_error *error_out)
{
    (void)type;
    (void)error_out;
    ledger *book = state;
    size_t run = 0;
    uint32_t in_run = 0;
    uint64_t events = 0;
    for (size_t index = 0; index < operations.count; index++) {
        events += operations.items[index].count;
    }
    if (grove_buffer_reserve(&book->entries, events * sizeof(ledger_entry)) == NULL) {
        book->entries.failed = false;
        return GROVE_NO_MEMORY;
    }
    for (size_t index = 0; index < operations.count; index++) {
        const grove_operation *operation = &operations.items[index];
        for (uint32_t event = 0; event < operation->count; event++) {
            cr_assert_lt(run, stamps.count, "fewer stamps than events");
            const grove_stamp_run *stamp = &stamps.items[run];
            ledger_entry entry;
            memset(&entry, 0, sizeof entry);
            entry.time = stamp->time + in_run;
            entry.sequence = stamp->sequence + in_run;
            entry.replica.size = stamp->replica->size;
            memcpy(entry.replica.bytes, stamp->replica->bytes, entry.replica.size);
            entry.byte = operation->content.data[event];
            ledger_put(book, &entry);
            if (++in_run == stamp->count) {
                run++;
                in_run = 0;
            }
        }
    }
    cr_assert(run == stamps.count && in_run == 0, "more stamps than events");
    return GROVE_OK;
}

static inline grove_status ledger_encode_settled(const grove_document_type *type,
                                                 const void *state, uint64_t settled,
                                                 grove_type_buffers *buffers,
                                                 grove_error *error_out)
{
    (void)type;
    (void)error_out;
    const ledger *book = state;
    size_t count;
    const ledger_entry *entries = ledger_entries(book, &count);
    grove_buffer *structure = &buffers->structure;
    grove_buffer_varint(structure, settled > book->settled ? settled : book->settled);
    for (size_t index = 0; index < count; index++) {
        grove_buffer_varint(structure, entries[index].time);
        grove_buffer_varint(structure, entries[index].sequence);
        grove_buffer_u8(structure, entries[index].replica.size);
        grove_buffer_append(structure, entries[index].replica.bytes,
                            entries[index].replica.size);
        grove_buffer_u8(&buffers->content, entries[index].byte);
    }
    return structure->failed || buffers->content.failed ? GROVE_NO_MEMORY : GROVE_OK;
}

static inline grove_status ledger_encode(const grove_document_type *type,
                                         const void *state, grove_type_buffers *buffers,
                                         grove_error *error_out)
{
    return ledger_encode_settled(type, state, 0, buffers, error_out);
}

static inline grove_status ledger_decode(const grove_document_type *type,
                                         const grove_allocator *allocator,
                                         grove_type_frames frames, void **state_out,
                                         grove_error *error_out)
{
    (void)error_out;
    void *state = NULL;
    grove_status status = ledger_new(type, allocator, &state);
    if (status != GROVE_OK) {
        return status;
    }
    ledger *book = state;
    grove_reader reader = grove_reader_of(frames.structure);
    grove_reader content = grove_reader_of(frames.content);
    book->settled = grove_reader_varint(&reader);
    while (!reader.failed && !grove_reader_done(&reader)) {
        ledger_entry entry;
        memset(&entry, 0, sizeof entry);
        entry.time = grove_reader_varint(&reader);
        entry.sequence = grove_reader_varint(&reader);
        entry.replica.size = grove_reader_u8(&reader);
        grove_bytes bytes = grove_reader_bytes(&reader, entry.replica.size);
        if (bytes.size > 0) {
            memcpy(entry.replica.bytes, bytes.data, bytes.size);
        }
        entry.byte = grove_reader_u8(&content);
        grove_buffer_append(&book->entries, &entry, sizeof entry);
    }
    if (book->entries.failed || reader.failed || !grove_reader_done(&content)) {
        status = book->entries.failed ? GROVE_NO_MEMORY : GROVE_CORRUPT;
        ledger_free(type, book);
        return status;
    }
    *state_out = book;
    return GROVE_OK;
}

/* Of the entries; what is settled does not show. */
static inline grove_status ledger_digest(const grove_document_type *type,
                                         const void *state, uint8_t *digest_out,
                                         grove_error *error_out)
{
    (void)type;
    (void)error_out;
    size_t count;
    const ledger_entry *entries = ledger_entries(state, &count);
    uint64_t sum = UINT64_C(14695981039346656037);
    for (size_t index = 0; index < count; index++) {
        const uint64_t words[] = {entries[index].time, entries[index].sequence,
                                  entries[index].byte};
        for (size_t byte = 0; byte < sizeof words; byte++) {
            sum = (sum ^ (words[byte / 8] >> byte % 8 * 8 & 255)) * 1099511628211u;
        }
        for (size_t byte = 0; byte < entries[index].replica.size; byte++) {
            sum = (sum ^ entries[index].replica.bytes[byte]) * 1099511628211u;
        }
    }
    memset(digest_out, 0, GROVE_DIGEST_BYTES);
    memcpy(digest_out, &sum, sizeof sum);
    return GROVE_OK;
}

static inline uint64_t ledger_bytes(const grove_document_type *type, const void *state)
{
    (void)type;
    return ((const ledger *)state)->entries.size / 4;
}

static const grove_timed_type ledger_timed = {ledger_encode_settled, ledger_digest};

static const grove_document_type ledger_type = {
    .abi = GROVE_DOCUMENT_TYPE_ABI,
    .name = "test-ledger",
    .format = 1,
    .capabilities = GROVE_TYPE_CONCURRENT,
    .timed = &ledger_timed,
    .operation_check = test_typing_check,
    .operation_join = test_typing_join,
    .operation_cut = test_typing_cut,
    .operations_encode = test_typing_encode,
    .operations_decode = test_typing_decode,
    .state_new = ledger_new,
    .state_free = ledger_free,
    .state_apply = ledger_apply,
    .state_encode = ledger_encode,
    .state_decode = ledger_decode,
    .state_bytes = ledger_bytes,
};

#endif
