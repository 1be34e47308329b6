/* The examples of batches and schemas in docs/FORMAT.md. */
#include "format/examples.h"

#include <grove/text.h>

#include "format/batch_columns.h"
#include "format/batch_operations.h"
#include "format/batches.h"

static grove__frame_buffer new_frame(void)
{
    grove__frame_buffer frame = {.cut_count = 0};
    grove_buffer_init(&frame.bytes, &grove__allocator_system);
    return frame;
}

/* ---- The graph ---- */

/* The graph, with operations of the type that has these: ann's, then bob's. */
static void append_graph(grove__events *events, const grove_document_type *type,
                         const grove_operation operations[5])
{
    const grove_event_id ann4 = id_of("ann", 4);
    const grove_event_id ann5 = id_of("ann", 5);
    const grove_event_id ann6 = id_of("ann", 6);
    const grove_event_id merged[] = {id_of("ann", 7), id_of("bob", 0)};
    const grove_event_id cem9 = id_of("cem", 9);
    const grove_event_run runs[] = {{ann5, &ann4, 1, 0, operations[0]},
                                    {merged[1], &ann5, 1, 0, operations[3]},
                                    {merged[0], &ann6, 1, 0, operations[1]},
                                    {id_of("ann", 8), merged, 2, 0, operations[2]},
                                    {id_of("bob", 1), &cem9, 1, 0, operations[4]}};
    const uint64_t times[][2] = {{7}, {8}, {9}, {10, 9}, {3}};
    for (size_t index = 0; index < sizeof runs / sizeof *runs; index++) {
        cr_assert_eq(grove__events_append_timed(events, type, &runs[index],
                                                type->timed != NULL ? times[index] : NULL,
                                                NULL),
                     GROVE_OK);
    }
}

void check_graph_example(grove_bytes page)
{
    static const uint8_t page_heads[] = {2, 1, 1};
    grove__frame_buffer frame = new_frame();
    grove__events events;
    grove__events decoded;
    grove_buffer heads;
    grove__events_init(&events, &grove__allocator_system);
    grove__events_init(&decoded, &grove__allocator_system);
    grove_buffer_init(&heads, &grove__allocator_system);
    const grove_operation operations[] = {deletes(2), deletes(1), deletes(1), deletes(1),
                                          deletes(1)};
    append_graph(&events, &test_type_typing, operations);
    cr_assert_eq(grove__batch_graph_encode(&events, GROVE__GRAPH_TIMES_NONE, &frame),
                 GROVE_OK);
    assert_bytes(grove_buffer_view(&frame.bytes), page);
    cr_assert_eq(
        grove__batch_graph_decode(page, 6, GROVE__GRAPH_TIMES_NONE, &decoded, NULL),
        GROVE_OK);
    cr_assert_eq(decoded.count, 6);
    cr_assert_eq(decoded.parent_run_count, events.parent_run_count);
    cr_assert_eq(decoded.parents[decoded.parent_count - 1].sequence, 9);
    cr_assert_eq(grove__batch_heads_encode(&decoded, &heads), GROVE_OK);
    assert_bytes(grove_buffer_view(&heads), (grove_bytes){page_heads, sizeof page_heads});
    grove_buffer_release(&heads);
    grove_buffer_release(&frame.bytes);
    grove__events_release(&events);
    grove__events_release(&decoded);
}

void check_bad_graph_example(grove_bytes page)
{
    /* One replica: one event; two: three. */
    uint32_t event_count = page.data[0] == 1 ? 1 : 3;
    grove__events events;
    grove_error error;
    grove__events_init(&events, &grove__allocator_system);
    cr_assert_eq(grove__batch_graph_decode(page, event_count, GROVE__GRAPH_TIMES_NONE,
                                           &events, &error),
                 GROVE_CORRUPT);
    cr_assert_str_eq(error.message, event_count == 1
                                        ? "graph: a parent that is not outside"
                                        : "graph: an id twice");
    grove__events_release(&events);
}

void check_timed_graph_example(grove_bytes page)
{
    static const uint64_t times[] = {8, 9, 9, 10, 11, 4};
    const grove_operation operations[] = {deletes(2), deletes(1), deletes(1), deletes(1),
                                          deletes(1)};
    grove__frame_buffer frame = new_frame();
    grove__events events;
    grove__events decoded;
    grove__events_init(&events, &grove__allocator_system);
    grove__events_init(&decoded, &grove__allocator_system);
    append_graph(&events, &ledger_type, operations);
    cr_assert_eq(grove__batch_graph_encode(&events, GROVE__GRAPH_TIMES_ALL, &frame),
                 GROVE_OK);
    assert_bytes(grove_buffer_view(&frame.bytes), page);
    cr_assert_eq(
        grove__batch_graph_decode(page, 6, GROVE__GRAPH_TIMES_ALL, &decoded, NULL),
        GROVE_OK);
    for (uint32_t event = 0; event < 6; event++) {
        cr_assert_eq(grove__event_ids_time(&events, event), times[event]);
        cr_assert_eq(grove__event_ids_time(&decoded, event), times[event]);
    }
    grove_buffer_release(&frame.bytes);
    grove__events_release(&events);
    grove__events_release(&decoded);
}

void check_bad_timed_graph_example(grove_bytes page)
{
    grove__events events;
    grove_error error;
    grove__events_init(&events, &grove__allocator_system);
    cr_assert_eq(
        grove__batch_graph_decode(page, 1, GROVE__GRAPH_TIMES_ALL, &events, &error),
        GROVE_CORRUPT);
    cr_assert_str_eq(error.message, "graph: a time that cannot be");
    grove__events_reset(&events);
    cr_assert_eq(
        grove__batch_graph_decode(page, 1, GROVE__GRAPH_TIMES_NONE, &events, NULL),
        GROVE_OK);
    grove__events_release(&events);
}

/* ---- Timestamps ---- */

void check_timestamps_example(grove_bytes page)
{
    static const grove__time_run runs[] = {{INT64_C(1700000000000), 2},
                                           {INT64_C(1700000001000), 1},
                                           {INT64_C(1700000009000), 40}};
    grove__frame_buffer frame = new_frame();
    grove__events events;
    grove__events_init(&events, &grove__allocator_system);
    cr_assert_eq(grove__batch_times_decode(page, 43, &events, NULL), GROVE_OK);
    cr_assert_eq(events.time_run_count, 3);
    for (size_t index = 0; index < 3; index++) {
        cr_assert_eq(events.time_runs[index].timestamp, runs[index].timestamp);
        cr_assert_eq(events.time_runs[index].count, runs[index].count);
    }
    cr_assert_eq(grove__batch_times_encode(&events, &frame), GROVE_OK);
    assert_bytes(grove_buffer_view(&frame.bytes), page);
    grove_buffer_release(&frame.bytes);
    grove__events_release(&events);
}

/* ---- A whole batch ---- */

void check_batch_example(grove_bytes page)
{
    const grove_document_type *type = grove_type_text();
    const grove_event_id before = id_of("alice", 6);
    const grove_event_run run = {id_of("alice", 7),
                                 &before,
                                 1,
                                 INT64_C(1700000000000),
                                 {GROVE_TEXT_INSERT, 1, 3, grove_bytes_of("x")}};
    grove__events events;
    grove__events decoded;
    grove__block opened;
    grove__batch_header header;
    grove_buffer block;
    grove__events_init(&events, &grove__allocator_system);
    grove__events_init(&decoded, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    cr_assert_eq(grove__events_append(&events, type, &run, NULL), GROVE_OK);
    encode(&events, type, 41, grove__batch_packing_usual(), &block);
    grove__batch_place(block.data, 41);
    assert_bytes(grove_buffer_view(&block), page);
    cr_assert_eq(grove__batch_open(page, &opened, &header, NULL), GROVE_OK);
    cr_assert_eq(header.first_clock, 41);
    cr_assert_eq(header.reach, 41);
    decode_all(page, type, &decoded);
    test_events_check_same(&events, &decoded);
    grove_buffer_release(&block);
    grove__events_release(&events);
    grove__events_release(&decoded);
}

/* ---- Operations of two replicas ---- */

static void append_two(grove__events *events)
{
    const grove_operation operations[] = {{GROVE_TEXT_INSERT, 2, 0, grove_bytes_of("ab")},
                                          {GROVE_TEXT_INSERT, 1, 2, grove_bytes_of("c")},
                                          {GROVE_TEXT_INSERT, 1, 4, grove_bytes_of("d")},
                                          {GROVE_TEXT_INSERT, 1, 0, grove_bytes_of("x")},
                                          {GROVE_TEXT_INSERT, 1, 9, grove_bytes_of("y")}};
    append_graph(events, grove_type_text(), operations);
}

/* Decodes the operations of the page beside the graph of `events`. */
static grove_status decode_two(const grove__events *events, grove_bytes page,
                               grove__events *decoded)
{
    grove__frame_buffer graph = new_frame();
    cr_assert_eq(grove__batch_graph_encode(events, GROVE__GRAPH_TIMES_NONE, &graph),
                 GROVE_OK);
    cr_assert_eq(grove__batch_graph_decode(grove_buffer_view(&graph.bytes), 6,
                                           GROVE__GRAPH_TIMES_NONE, decoded, NULL),
                 GROVE_OK);
    grove_buffer_append(&decoded->content, "abcdxy", 6);
    grove_buffer_release(&graph.bytes);
    return grove__batch_operations_decode(page, true, grove_type_text(), decoded, NULL);
}

void check_order_example(grove_bytes page)
{
    grove__events events;
    grove__events decoded;
    grove_type_buffers buffers = {.structure_cut_count = 0};
    grove__events_init(&events, &grove__allocator_system);
    grove__events_init(&decoded, &grove__allocator_system);
    grove_buffer_init(&buffers.structure, &grove__allocator_system);
    grove_buffer_init(&buffers.content, &grove__allocator_system);
    append_two(&events);
    cr_assert_eq(
        grove__batch_operations_encode(&events, grove_type_text(), &buffers, NULL),
        GROVE_OK);
    assert_bytes(grove_buffer_view(&buffers.structure), page);
    assert_bytes(grove_buffer_view(&buffers.content), grove_bytes_of("abcdxy"));
    cr_assert_eq(decode_two(&events, page, &decoded), GROVE_OK);
    grove_operations all = grove__events_operations(&events);
    grove_operations again = grove__events_operations(&decoded);
    cr_assert_eq(again.count, all.count);
    for (size_t index = 0; index < all.count; index++) {
        test_operation_check_equal(&again.items[index], &all.items[index], index);
    }
    grove_buffer_release(&buffers.structure);
    grove_buffer_release(&buffers.content);
    grove__events_release(&events);
    grove__events_release(&decoded);
}

void check_bad_order_example(grove_bytes page)
{
    grove__events events;
    grove__events decoded;
    grove__events_init(&events, &grove__allocator_system);
    grove__events_init(&decoded, &grove__allocator_system);
    append_two(&events);
    cr_assert_eq(decode_two(&events, page, &decoded), GROVE_CORRUPT);
    grove__events_release(&events);
    grove__events_release(&decoded);
}

/* ---- Operations by schema ---- */

static const uint8_t POINT[] = {0x96, 0x01, 0x05};
static const uint8_t PAIR[] = {1, 'x', 7, 2, 'y', 'z'};
static const char SCHEMA_CONTENT[] = "abxyz";

void check_schema_example(grove_bytes page)
{
    const grove_document_type *type = &test_type_mixed;
    const grove_operation items[] = {{TEST_MIXED_PLACED, 1, 10, grove_bytes_of("ab")},
                                     {TEST_MIXED_POINT, 1, 9, {POINT, sizeof POINT}},
                                     {TEST_MIXED_PING, 1, 0, {NULL, 0}},
                                     {TEST_MIXED_PING, 1, 0, {NULL, 0}},
                                     {TEST_MIXED_PAIR, 1, 0, {PAIR, sizeof PAIR}}};
    enum { COUNT = sizeof items / sizeof *items };
    grove_type_buffers buffers = {.structure_cut_count = 0};
    grove_buffer decoded;
    grove_buffer scratch;
    grove_buffer_init(&buffers.structure, &grove__allocator_system);
    grove_buffer_init(&buffers.content, &grove__allocator_system);
    grove_buffer_init(&decoded, &grove__allocator_system);
    grove_buffer_init(&scratch, &grove__allocator_system);
    cr_assert_eq(grove_schema_operations_encode(type, (grove_operations){items, COUNT},
                                                &buffers, NULL),
                 GROVE_OK);
    assert_bytes(grove_buffer_view(&buffers.structure), page);
    assert_bytes(grove_buffer_view(&buffers.content), grove_bytes_of(SCHEMA_CONTENT));
    const grove_type_frames frames = {page, grove_bytes_of(SCHEMA_CONTENT), false};
    cr_assert_eq(
        grove_schema_operations_decode(type, frames, COUNT, &decoded, &scratch, NULL),
        GROVE_OK);
    cr_assert_eq(decoded.size, sizeof items);
    for (size_t index = 0; index < COUNT; index++) {
        const grove_operation *all = (const grove_operation *)(void *)decoded.data;
        test_operation_check_equal(&all[index], &items[index], index);
    }
    grove_buffer_release(&buffers.structure);
    grove_buffer_release(&buffers.content);
    grove_buffer_release(&decoded);
    grove_buffer_release(&scratch);
}

void check_schema_content_example(grove_bytes page)
{
    assert_bytes(grove_bytes_of(SCHEMA_CONTENT), page);
}

void check_bad_schema_example(grove_bytes page)
{
    const grove_type_frames frames = {page, {NULL, 0}, false};
    grove_buffer decoded;
    grove_buffer scratch;
    grove_error error;
    grove_buffer_init(&decoded, &grove__allocator_system);
    grove_buffer_init(&scratch, &grove__allocator_system);
    cr_assert_eq(grove_schema_operations_decode(&test_type_mixed, frames, 2, &decoded,
                                                &scratch, &error),
                 GROVE_CORRUPT);
    cr_assert_eq(error.offset, 1);
    grove_buffer_release(&decoded);
    grove_buffer_release(&scratch);
}
