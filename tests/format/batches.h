/* What the tests of batches and of their damage share. */
#ifndef GROVE_TESTS_FORMAT_BATCHES_H
#define GROVE_TESTS_FORMAT_BATCHES_H

#include <criterion/criterion.h>

#include "base/alloc.h"
#include "format/batch.h"
#include "support/ledger_type.h"
#include "support/random_events.h"

static const grove__packing RAW = {0, 0, NULL};

enum { TYPE_COUNT = 4 };
static const grove_document_type *const TYPES[TYPE_COUNT] = {
    &test_type_typing, &test_type_payload, &test_type_mixed, &ledger_type};

static inline void encode(grove__events *events, const grove_document_type *type,
                          uint64_t reach, grove__packing packing, grove_buffer *block_out)
{
    grove_error error = {GROVE_OK, 0, {0}};
    cr_assert_eq(grove__batch_encode(events, type, reach, packing, block_out, &error),
                 GROVE_OK, "%s", error.message);
}

static inline grove_status decode(grove_bytes bytes, const grove_document_type *type,
                                  uint32_t parts, grove__events *events,
                                  grove_error *error)
{
    grove__block block;
    grove__batch_header header;
    *error = (grove_error){GROVE_OK, 0, {0}};
    grove__events_reset(events);
    grove_status status = grove__batch_open(bytes, &block, &header, error);
    if (status == GROVE_OK) {
        status = grove__batch_decode(&block, type, parts, events, error);
    }
    cr_assert_eq(error->status, status);
    cr_assert(status == GROVE_OK || error->message[0] != '\0');
    return status;
}

static inline void decode_all(grove_bytes bytes, const grove_document_type *type,
                              grove__events *events)
{
    grove_error error;
    cr_assert_eq(decode(bytes, type, GROVE__DECODE_ALL, events, &error), GROVE_OK, "%s",
                 error.message);
}

static inline grove_event_id id_of(const char *replica, uint64_t sequence)
{
    grove_event_id id;
    memset(&id, 0, sizeof id);
    id.replica.size = (uint8_t)strlen(replica);
    memcpy(id.replica.bytes, replica, id.replica.size);
    id.sequence = sequence;
    return id;
}

static inline void append(grove__events *events, grove_event_id id,
                          const grove_event_id *parents, size_t parent_count,
                          grove_operation operation)
{
    grove_event_run run = {id, parents, parent_count, INT64_C(1700000000000), operation};
    grove_error error = {GROVE_OK, 0, {0}};
    cr_assert_eq(grove__events_append(events, &test_type_typing, &run, &error), GROVE_OK,
                 "%s", error.message);
}

static inline grove_operation deletes(uint32_t count)
{
    uint32_t kind = count == 1 ? TEST_TYPING_DELETE : TEST_TYPING_FORWARD;
    return (grove_operation){kind, count, 0, {NULL, 0}};
}

#endif
