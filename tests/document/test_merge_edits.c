/*
 * What a document reports of its merges: a copy that makes the reported edits
 * has the merged text. Handles that save and take in are followed in
 * test_merge_sessions.c.
 */
#include "support/text_copy.h"
#include "support/text_small.h"

/* In one order: each event changes one character, or none that is there. */
static void follow_small(store_fixture *fixture, const text_history *history,
                         const uint32_t *order)
{
    char place[64];
    bool has[TEXT_EVENTS_MAX] = {false};
    text_copy copy;
    grove_document *document = open_document(fixture, "small");
    text_copy_follow(&copy, fixture, document);
    for (uint32_t count = 0; count < history->oracle.count; count++) {
        text_document_add(fixture, document, history, history->pieces[order[count]], has);
        (void)snprintf(place, sizeof place, "order %u %u %u %u, at %u", order[0],
                       order[1], order[2], order[3], count);
        text_document_check(fixture, document, history, has, place);
        text_copy_check(&copy, fixture, document, place);
        cr_assert_leq(copy.changed, count + 1);
    }
    grove_document_close(document);
}

static void follow_in_all_orders(const text_history *history, const graph_model *graph,
                                 void *context)
{
    uint32_t order[TEXT_SMALL_MAX] = {0};
    model_order_first(graph, order);
    do {
        follow_small(context, history, order);
    } while (model_order_next(graph, order));
}

Test(merge_edits, of_every_history_of_up_to_4_events_make_its_text, .timeout = 300)
{
    store_fixture fixture;
    store_fixture_init(&fixture, "memory");
    store_fixture_open(&fixture);
    for (uint32_t count = 1; count <= 4; count++) {
        text_small_each(count, 0, NULL, follow_in_all_orders, &fixture);
    }
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

/* Runs of several characters, as they come and by what a second handle says
 * of a whole save at a time. */
static void follow_long(store_fixture *fixture, test_random *random,
                        const text_history *history, const char *id)
{
    bool has[TEXT_EVENTS_MAX] = {false};
    uint32_t order[TEXT_EVENTS_MAX];
    uint64_t events = 0;
    text_copy copies[2];
    grove_document *writer = open_document(fixture, id);
    grove_document *reader = open_document(fixture, id);
    text_copy_follow(&copies[0], fixture, writer);
    text_copy_follow(&copies[1], fixture, reader);
    text_history_order(history, random, (uint32_t)test_random_below(random, 100), order);
    for (uint32_t count = 0; count < history->piece_count; count++) {
        text_piece piece = history->pieces[order[count]];
        text_document_add(fixture, writer, history, piece, has);
        text_copy_check(&copies[0], fixture, writer, id);
        events += piece.end - piece.first;
        cr_assert_leq(copies[0].changed, events);
        if (count + 1 == history->piece_count || test_random_below(random, 5) == 0) {
            (void)save(fixture, writer);
            assert_ok(fixture, grove_document_refresh(reader, NULL, &fixture->error));
            text_document_check(fixture, reader, history, has, id);
            text_copy_check(&copies[1], fixture, reader, id);
            cr_assert_leq(copies[1].changed, events);
        }
    }
    grove_document_close(reader);
    grove_document_close(writer);
}

Test(merge_edits, of_long_runs_change_no_more_characters_than_there_are_events,
     .timeout = 300)
{
    static text_history history;
    store_fixture fixture;
    test_random random = test_random_of("merge edits");
    store_fixture_init(&fixture, "memory");
    store_fixture_open(&fixture);
    for (uint32_t number = 0; number < 200; number++) {
        char id[32];
        (void)snprintf(id, sizeof id, "history %u", number);
        text_history_random(&history, &random,
                            20 + (uint32_t)test_random_below(&random, 174));
        text_history_cut(&history, &random);
        follow_long(&fixture, &random, &history, id);
    }
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}
