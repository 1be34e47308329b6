/* Headers, items and ids of exports. */
#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "format/exchange.h"
#include "support/faulty_allocator.h"

enum { HEADER_BYTES = 37, TYPE_AT = 9, SUM_BYTES = 8 };

static const grove__exchange_header HEADER = {"text", 7};
static const grove_replica REPLICAS[] = {{1, "a"}, {2, "bc"}};
static const grove__exchange_run RUNS[] = {{0, 0, 300}, {1, 0, 1}, {0, 300, 2}};
static const grove__exchange_run SWAPPED[] = {{1, 0, 1}, {0, 0, 1}};

static void renew_sum(uint8_t *bytes, size_t size)
{
    grove_write_u64(bytes + size - SUM_BYTES,
                    grove__hash((grove_bytes){bytes, size - SUM_BYTES}, 0));
}

/* --- header --- */

static grove_status decode_header(grove_bytes bytes, grove__exchange_header *header_out,
                                  grove_error *error)
{
    grove_reader reader = grove_reader_of(bytes);
    *error = (grove_error){GROVE_OK, 0, ""};
    grove_status status = grove__exchange_header_decode(&reader, header_out, error);
    cr_assert_eq(error->status, status);
    cr_assert_leq(error->offset, bytes.size);
    cr_assert(status != GROVE_OK || reader.offset == HEADER_BYTES);
    return status;
}

Test(exchange_format, header_comes_back_and_any_other_is_refused)
{
    grove_buffer buffer;
    grove__exchange_header header;
    grove_error error;
    grove_buffer_init(&buffer, &grove__allocator_system);
    grove__exchange_header_encode(&HEADER, &buffer);
    cr_assert_eq(buffer.size, HEADER_BYTES);
    grove_bytes bytes = grove_buffer_view(&buffer);
    cr_assert_eq(decode_header(bytes, &header, &error), GROVE_OK);
    cr_assert_str_eq(header.type_name, "text");
    cr_assert_eq(header.type_format, 7);
    for (size_t size = 0; size < HEADER_BYTES; size++) {
        cr_assert_eq(decode_header((grove_bytes){bytes.data, size}, &header, &error),
                     GROVE_MALFORMED);
    }
    for (size_t bit = 0; bit < 8 * (size_t)HEADER_BYTES; bit++) {
        buffer.data[bit / 8] ^= (uint8_t)(1u << (bit & 7));
        grove_status status = decode_header(bytes, &header, &error);
        /* Byte 8 is the version, and a later one says nothing of the rest. */
        cr_assert_eq(status, bit / 8 == 8 && buffer.data[8] > 1 ? GROVE_FORMAT_NEWER
                                                                : GROVE_MALFORMED);
        buffer.data[bit / 8] ^= (uint8_t)(1u << (bit & 7));
    }
    grove_buffer_release(&buffer);
}

Test(exchange_format, a_name_ends_in_zeros_and_is_not_empty)
{
    static const char *const NAMES[] = {"\0\0\0\0", "te\0t", "0123456789abcdef"};
    static const size_t SIZES[] = {4, 4, 16};
    for (size_t index = 0; index < 3; index++) {
        grove_buffer buffer;
        grove__exchange_header header;
        grove_error error;
        grove_buffer_init(&buffer, &grove__allocator_system);
        grove__exchange_header_encode(&HEADER, &buffer);
        memcpy(buffer.data + TYPE_AT, NAMES[index], SIZES[index]);
        renew_sum(buffer.data, buffer.size);
        cr_assert_eq(decode_header(grove_buffer_view(&buffer), &header, &error),
                     GROVE_MALFORMED);
        grove_buffer_release(&buffer);
    }
}

/* --- items --- */

static grove_status decode_item(grove_bytes bytes, grove__exchange_item *item_out)
{
    grove_reader reader = grove_reader_of(bytes);
    grove_error error = {GROVE_OK, 0, ""};
    grove_status status = grove__exchange_item_decode(&reader, item_out, &error);
    cr_assert_eq(error.status, status);
    cr_assert_leq(error.offset, bytes.size);
    return status;
}

Test(exchange_format, items_come_back_and_do_not_reach_beyond_the_bytes)
{
    for (uint8_t kind = 0; kind < 6; kind++) {
        grove_buffer buffer;
        grove__exchange_item item;
        grove_buffer_init(&buffer, &grove__allocator_system);
        grove__exchange_item_encode((grove__exchange_kind)kind, 3, &buffer);
        cr_assert_eq(buffer.size, 9);
        grove_buffer_append(&buffer, "abc", 3);
        grove_bytes bytes = grove_buffer_view(&buffer);
        if (kind > GROVE__EXCHANGE_BATCH) {
            cr_assert_eq(decode_item(bytes, &item), GROVE_MALFORMED);
            grove_buffer_release(&buffer);
            continue;
        }
        cr_assert_eq(decode_item(bytes, &item), GROVE_OK);
        cr_assert_eq((uint8_t)item.kind, kind);
        cr_assert_eq(item.offset, 9);
        cr_assert(grove__bytes_equal(item.payload, grove_bytes_of("abc")));
        for (bytes.size = 0; bytes.size < buffer.size; bytes.size++) {
            cr_assert_eq(decode_item(bytes, &item), GROVE_MALFORMED);
        }
        grove_write_u64(buffer.data + 1, UINT64_MAX);
        cr_assert_eq(decode_item(bytes, &item), GROVE_MALFORMED);
        grove_buffer_release(&buffer);
    }
}

Test(exchange_format, nothing_comes_after_the_end)
{
    grove_buffer buffer;
    grove__exchange_item item;
    uint64_t events = 0;
    grove_buffer_init(&buffer, &grove__allocator_system);
    grove__exchange_end_encode(4711, &buffer);
    cr_assert_eq(decode_item(grove_buffer_view(&buffer), &item), GROVE_OK);
    cr_assert_eq(item.kind, GROVE__EXCHANGE_END);
    cr_assert_eq(grove__exchange_end_decode(&item, &events, NULL), GROVE_OK);
    cr_assert_eq(events, 4711);
    item.payload.size--;
    events = 1;
    cr_assert_eq(grove__exchange_end_decode(&item, &events, NULL), GROVE_MALFORMED);
    cr_assert_eq(events, 1);
    grove_buffer_u8(&buffer, 0);
    cr_assert_eq(decode_item(grove_buffer_view(&buffer), &item), GROVE_MALFORMED);
    grove_buffer_release(&buffer);
}

/* --- ids --- */

static grove_status decode_ids(grove_bytes bytes, const grove_allocator *allocator,
                               grove_buffer *replicas, grove_buffer *runs,
                               uint64_t *events)
{
    const grove__exchange_item item = {GROVE__EXCHANGE_IDS, bytes, 100};
    grove_error error = {GROVE_OK, 0, ""};
    grove_buffer_init(replicas, allocator);
    grove_buffer_init(runs, allocator);
    grove_status status =
        grove__exchange_ids_decode(&item, allocator, replicas, runs, events, &error);
    cr_assert_eq(error.status, status);
    if (status == GROVE_MALFORMED) {
        cr_assert(error.offset >= 100 && error.offset <= 100 + bytes.size);
    }
    return status;
}

static void refuse_ids(grove_bytes bytes)
{
    grove_buffer replicas;
    grove_buffer runs;
    uint64_t events = 7;
    cr_assert_eq(decode_ids(bytes, &grove__allocator_system, &replicas, &runs, &events),
                 GROVE_MALFORMED);
    cr_assert_eq(events, 7);
    grove_buffer_release(&replicas);
    grove_buffer_release(&runs);
}

static void encode_good(grove_buffer *buffer)
{
    grove_buffer_init(buffer, &grove__allocator_system);
    grove__exchange_ids_encode(REPLICAS, 2, RUNS, 3, buffer);
}

Test(exchange_format, ids_come_back_with_their_sequences)
{
    grove_buffer buffer;
    encode_good(&buffer);
    for (size_t nth = 0;; nth++) {
        faulty_allocator faulty;
        grove_buffer replicas;
        grove_buffer runs;
        uint64_t events = 0;
        faulty_allocator_init(&faulty, nth);
        grove_status status = decode_ids(grove_buffer_view(&buffer), &faulty.allocator,
                                         &replicas, &runs, &events);
        if (status == GROVE_OK) {
            const grove__exchange_run *found =
                (const grove__exchange_run *)(const void *)runs.data;
            cr_assert_eq(events, 303);
            cr_assert_eq(replicas.size, sizeof REPLICAS);
            cr_assert_eq(memcmp(replicas.data, REPLICAS, sizeof REPLICAS), 0);
            cr_assert_eq(runs.size, sizeof RUNS);
            for (size_t index = 0; index < 3; index++) {
                cr_assert(found[index].replica == RUNS[index].replica &&
                          found[index].sequence == RUNS[index].sequence &&
                          found[index].count == RUNS[index].count);
            }
        } else {
            cr_assert_eq(status, GROVE_NO_MEMORY);
        }
        grove_buffer_release(&replicas);
        grove_buffer_release(&runs);
        faulty_allocator_finish(&faulty);
        if (nth > 0 && !faulty.has_failed) {
            cr_assert_gt(nth, 3);
            break;
        }
    }
    grove_buffer_release(&buffer);
}

Test(exchange_format, damaged_ids_are_refused)
{
    grove_buffer buffer;
    encode_good(&buffer);
    grove_bytes bytes = grove_buffer_view(&buffer);
    for (size_t bit = 0; bit < 8 * buffer.size; bit++) {
        buffer.data[bit / 8] ^= (uint8_t)(1u << (bit & 7));
        refuse_ids(bytes);
        buffer.data[bit / 8] ^= (uint8_t)(1u << (bit & 7));
    }
    for (bytes.size = 0; bytes.size < buffer.size; bytes.size++) {
        refuse_ids(bytes);
    }
    grove_buffer_release(&buffer);
}

Test(exchange_format, ids_that_cannot_be_are_refused)
{
    /* Bodies, to which the checksum is added. */
    static const struct {
        size_t size;
        const char *bytes;
    } BODIES[] = {
        {2, "\0\0"},            /* no replica */
        {5, "\1\1a\0"},         /* one, without events */
        {8, "\2\1a\1b\1\0\1"},  /* of two, one without */
        {6, "\1\1a\1\0\0"},     /* a run of none */
        {6, "\1\1a\1\1\1"},     /* of a replica that is not there */
        {8, "\1\1a\2\0\1\0\1"}, /* two that could be one */
        {7, "\1\1a\1\0\1\0"},   /* bytes behind */
        {6, "\1\0a\1\0\1"},     /* a replica of no bytes */
        {6, "\1\101a\1\0\1"},   /* one of 65 bytes */
        {6, "\1\7a\1\0\1"},     /* one that ends beyond */
        {6, "\177\1a\1\0\1"},   /* more replicas than fit */
        {6, "\1\1a\177\0\1"},   /* more runs than fit */
        {12, "\1\1a\1\0\377\377\377\377\377\377\177"}, /* too many events */
        {3, "\1\1a"},                                  /* no runs at all */
    };
    for (size_t index = 0; index < sizeof BODIES / sizeof *BODIES; index++) {
        uint8_t bytes[32];
        size_t size = BODIES[index].size + SUM_BYTES;
        memcpy(bytes, BODIES[index].bytes, BODIES[index].size);
        renew_sum(bytes, size);
        refuse_ids((grove_bytes){bytes, size});
    }
}

Test(exchange_format, runs_of_replicas_come_in_any_order)
{
    grove_buffer buffer;
    grove_buffer replicas;
    grove_buffer runs;
    uint64_t events;
    grove_buffer_init(&buffer, &grove__allocator_system);
    grove__exchange_ids_encode(REPLICAS, 2, SWAPPED, 2, &buffer);
    cr_assert_eq(decode_ids(grove_buffer_view(&buffer), &grove__allocator_system,
                            &replicas, &runs, &events),
                 GROVE_OK);
    cr_assert_eq(events, 2);
    grove_buffer_release(&replicas);
    grove_buffer_release(&runs);
    grove_buffer_release(&buffer);
}
