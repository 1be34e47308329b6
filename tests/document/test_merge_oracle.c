/*
 * Texts that were edited at once become what the oracle says
 * (support/text_oracle.h), in whatever order the events come: all small
 * histories, and those that others' programs agree on.
 */
#include "support/conformance.h"
#include "support/text_document.h"
#include "support/text_small.h"

/* A test's store and what it has done so far. */
typedef struct progress {
    store_fixture *fixture;
    test_random *random;
    uint64_t histories;
    uint64_t deliveries;
} progress;

static void run_in_memory(void (*claim)(progress *), const char *name)
{
    store_fixture fixture;
    test_random random = test_random_of(name);
    progress done = {&fixture, &random, 0, 0};
    store_fixture_init(&fixture, "memory");
    store_fixture_open(&fixture);
    claim(&done);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

/* --- small histories --- */

static void deliver_small(progress *done, const text_history *history,
                          const uint32_t *order)
{
    char place[64];
    bool has[TEXT_EVENTS_MAX] = {false};
    grove_document *document = open_document(done->fixture, "small");
    for (uint32_t count = 0; count < history->oracle.count; count++) {
        text_document_add(done->fixture, document, history, history->pieces[order[count]],
                          has);
        (void)snprintf(place, sizeof place, "history %llu, order %u %u %u %u %u, at %u",
                       (unsigned long long)done->histories, order[0], order[1], order[2],
                       order[3], order[4], count);
        text_document_check(done->fixture, document, history, has, place);
    }
    text_document_check_heads(done->fixture, document, history, has);
    cr_assert_eq(grove_document_unsaved(document), history->oracle.count);
    grove_document_close(document);
    done->deliveries++;
}

static void deliver_in_all_orders(const text_history *history, const graph_model *graph,
                                  void *context)
{
    uint32_t order[TEXT_SMALL_MAX] = {0};
    model_order_first(graph, order);
    do {
        deliver_small(context, history, order);
    } while (model_order_next(graph, order));
    ((progress *)context)->histories++;
}

static void deliver_all_up_to_4_events(progress *done)
{
    for (uint32_t count = 1; count <= 4; count++) {
        text_small_each(count, 0, NULL, deliver_in_all_orders, done);
    }
    cr_assert_eq(done->histories, 3 + 33 + 694 + 26883);
    cr_assert_eq(done->deliveries, 3 + 36 + 945 + 49086);
}

Test(merge_oracle, every_history_of_up_to_4_events_in_every_order, .timeout = 300)
{
    run_in_memory(deliver_all_up_to_4_events, "merge of 4");
}

/* All operations would be 1,763,511 histories and 4,602,663 deliveries. */
#ifdef __SANITIZE_ADDRESS__
enum { SAMPLES = 1 };
#else
enum { SAMPLES = 3 };
#endif

static void deliver_some_of_5_events(progress *done)
{
    text_small_each(5, SAMPLES, done->random, deliver_in_all_orders, done);
    cr_assert_eq(done->histories, SAMPLES * 24753);
    cr_assert_eq(done->deliveries, SAMPLES * 86751);
}

Test(merge_oracle, some_operations_on_every_graph_of_5_events_in_every_order,
     .timeout = 300)
{
    run_in_memory(deliver_some_of_5_events, "merge of 5");
}

/* The event as one that reaches beyond the text at its parents. */
static void refuse_beyond(store_fixture *fixture, grove_document *document,
                          const text_history *history, text_piece piece)
{
    const text_event *event = &history->oracle.events[piece.first];
    uint32_t length =
        text_oracle_length(&history->oracle, event->parents, event->parent_count);
    const grove_operation beyond[] = {
        {GROVE_TEXT_INSERT, 1, length + 1, grove_bytes_of("x")},
        {GROVE_TEXT_INSERT, 2, length + 1, grove_bytes_of("xy")},
        {GROVE_TEXT_DELETE, 1, length, {NULL, 0}},
        {GROVE_TEXT_DELETE, length + 1, 0, {NULL, 0}},
        {GROVE_TEXT_BACKSPACE, length + 2, 0, {NULL, 0}},
    };
    uint64_t unsaved = grove_document_unsaved(document);
    text_run run;
    text_run_make(&history->oracle, piece, &run);
    for (size_t index = 0; index < sizeof beyond / sizeof *beyond; index++) {
        run.run.operation = beyond[index];
        assert_fails(fixture, GROVE_MALFORMED,
                     grove_document_add(document, &run.run, &fixture->error));
        cr_assert_eq(grove_document_unsaved(document), unsaved);
    }
}

static void refuse_before_each_event(const text_history *history,
                                     const graph_model *graph, void *context)
{
    progress *done = context;
    uint32_t order[TEXT_SMALL_MAX];
    model_order_first(graph, order);
    do {
        bool has[TEXT_EVENTS_MAX] = {false};
        grove_document *document = open_document(done->fixture, "small");
        for (uint32_t count = 0; count < graph->count; count++) {
            text_piece piece = history->pieces[order[count]];
            refuse_beyond(done->fixture, document, history, piece);
            text_document_check(done->fixture, document, history, has, "refused");
            text_document_add(done->fixture, document, history, piece, has);
            text_document_check(done->fixture, document, history, has, "then taken");
        }
        text_document_check_heads(done->fixture, document, history, has);
        grove_document_close(document);
    } while (model_order_next(graph, order));
}

static void refuse_in_all_of_3_events(progress *done)
{
    for (uint32_t count = 1; count <= 3; count++) {
        text_small_each(count, 0, NULL, refuse_before_each_event, done);
    }
}

Test(merge_oracle, an_event_beyond_the_text_at_its_parents_changes_nothing)
{
    run_in_memory(refuse_in_all_of_3_events, "beyond");
}

/* --- histories that others' programs agree on --- */

static void check_end(store_fixture *fixture, grove_document *document,
                      const text_history *history, const char *end_text)
{
    bool all[TEXT_EVENTS_MAX];
    memset(all, true, sizeof all);
    assert_text(fixture, document, end_text);
    text_document_check_heads(fixture, document, history, all);
}

/* In one handle, with the text checked at each step. */
static void deliver_pieces(progress *done, const text_history *history,
                           const uint32_t *order, const char *end_text, uint32_t number)
{
    char place[64];
    bool has[TEXT_EVENTS_MAX] = {false};
    grove_document *document = open_document(done->fixture, "one handle");
    for (uint32_t count = 0; count < history->piece_count; count++) {
        text_document_add(done->fixture, document, history, history->pieces[order[count]],
                          has);
        (void)snprintf(place, sizeof place, "history %u, piece %u, number %u to come",
                       number, order[count], count);
        text_document_check(done->fixture, document, history, has, place);
    }
    check_end(done->fixture, document, history, end_text);
    grove_document_close(document);
}

static void deliver_in_two_orders(uint32_t number, text_history *history,
                                  const char *end_text, void *context)
{
    progress *done = context;
    uint32_t order[TEXT_EVENTS_MAX];
    for (uint32_t index = 0; index < history->piece_count; index++) {
        order[index] = index;
    }
    deliver_pieces(done, history, order, end_text, number);
    text_history_cut(history, done->random);
    text_history_order(history, done->random,
                       (uint32_t)test_random_below(done->random, 100), order);
    deliver_pieces(done, history, order, end_text, number);
}

static void deliver_conformance_histories(progress *done)
{
    conformance_each(deliver_in_two_orders, done);
}

Test(merge_oracle, conformance_histories_in_the_order_of_the_file_and_another)
{
    run_in_memory(deliver_conformance_histories, "conformance");
}

/* Whether the piece after this one was made right on it, in one transaction. */
static bool goes_on(const text_history *history, uint32_t index)
{
    if (index + 1 == history->piece_count) {
        return false;
    }
    uint32_t next = history->pieces[index + 1].first;
    const text_event *event = &history->oracle.events[next];
    return event->parent_count == 1 && event->parents[0] == next - 1 &&
           history->before[next] == next - 1;
}

/* One handle saves each transaction, another takes it in at once. */
static void follow_with_a_second_handle(uint32_t number, text_history *history,
                                        const char *end_text, void *context)
{
    progress *done = context;
    store_fixture *fixture = done->fixture;
    char id[32];
    char place[64];
    bool has[TEXT_EVENTS_MAX] = {false};
    (void)snprintf(id, sizeof id, "history %u", number);
    grove_document *writer = open_document(fixture, id);
    grove_document *reader = open_document(fixture, id);
    for (uint32_t index = 0; index < history->piece_count; index++) {
        text_document_add(fixture, writer, history, history->pieces[index], has);
        if (goes_on(history, index)) {
            continue;
        }
        uint64_t events;
        cr_assert_gt(save(fixture, writer).events, 0);
        assert_ok(fixture, grove_document_refresh(reader, &events, &fixture->error));
        cr_assert_gt(events, 0);
        (void)snprintf(place, sizeof place, "history %u, second handle at piece %u",
                       number, index);
        text_document_check(fixture, reader, history, has, place);
        text_document_check_heads(fixture, reader, history, has);
    }
    check_end(fixture, reader, history, end_text);
    grove_document_close(reader);
    grove_document_close(writer);
    assert_stored_text(fixture, id, end_text);
}

static void follow_conformance_histories(progress *done)
{
    conformance_each(follow_with_a_second_handle, done);
}

Test(merge_oracle, conformance_histories_step_by_step_in_a_second_handle)
{
    run_in_memory(follow_conformance_histories, "conformance");
}
