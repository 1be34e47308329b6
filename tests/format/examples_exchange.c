/* The examples of exports: see test_format_examples.c. */
#include "base/alloc.h"
#include "format/examples.h"
#include "format/exchange.h"

void check_exchange_example(grove_bytes page)
{
    grove__exchange_header header;
    grove__exchange_item item;
    uint64_t events;
    grove_reader reader = grove_reader_of(page);
    grove_buffer again;
    cr_assert_eq(grove__exchange_header_decode(&reader, &header, NULL), GROVE_OK);
    cr_assert_str_eq(header.type_name, "text");
    cr_assert_eq(header.type_format, 1);
    cr_assert_eq(grove__exchange_item_decode(&reader, &item, NULL), GROVE_OK);
    cr_assert_eq(item.kind, GROVE__EXCHANGE_END);
    cr_assert_eq(grove__exchange_end_decode(&item, &events, NULL), GROVE_OK);
    cr_assert_eq(events, 0);
    grove_buffer_init(&again, &grove__allocator_system);
    grove__exchange_header_encode(&header, &again);
    grove__exchange_end_encode(events, &again);
    assert_bytes(grove_buffer_view(&again), page);
    grove_buffer_release(&again);
}

/* Decodes a payload of ids and encodes it again, if there is nothing wrong. */
static grove_status check_ids(grove_bytes page, uint64_t *events_out)
{
    const grove__exchange_item item = {GROVE__EXCHANGE_IDS, page, 0};
    grove_buffer replicas;
    grove_buffer runs;
    grove_buffer again;
    grove_buffer_init(&replicas, &grove__allocator_system);
    grove_buffer_init(&runs, &grove__allocator_system);
    grove_buffer_init(&again, &grove__allocator_system);
    grove_status status = grove__exchange_ids_decode(&item, &grove__allocator_system,
                                                     &replicas, &runs, events_out, NULL);
    if (status == GROVE_OK) {
        grove__exchange_ids_encode((const grove_replica *)(const void *)replicas.data,
                                   replicas.size / sizeof(grove_replica),
                                   (const grove__exchange_run *)(const void *)runs.data,
                                   runs.size / sizeof(grove__exchange_run), &again);
        assert_bytes(grove_buffer_view(&again), page);
    }
    grove_buffer_release(&replicas);
    grove_buffer_release(&runs);
    grove_buffer_release(&again);
    return status;
}

void check_exchange_ids_example(grove_bytes page)
{
    uint64_t events = 0;
    cr_assert_eq(check_ids(page, &events), GROVE_OK);
    cr_assert_eq(events, 303);
}

void check_bad_exchange_ids_example(grove_bytes page)
{
    uint64_t events = 0;
    cr_assert_eq(check_ids(page, &events), GROVE_MALFORMED);
}
