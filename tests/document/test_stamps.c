#include "document/stamps.h"

#include "document/handles.h"
#include "support/ledger_type.h"

/*
 *   clock   0  1  2  3  4  5     6       7     8
 *   event   m0 m1 m2 n0 n1 o0    m3      m4    n2
 *   parents    m0 m1 m0 n0 none  m2, n1  m3    o0, m2
 *   time    1  2  3  2  3  1     4       5     4
 */
static grove_status add(store_fixture *fixture, grove_document *document,
                        const char *replica, uint64_t sequence, uint32_t count,
                        const grove_event_id *parents, size_t parent_count)
{
    grove_event_run run = {
        .first = {replica_of(replica), sequence},
        .parents = parents,
        .parent_count = parent_count,
        .timestamp = 1,
        .operation = {TEST_TYPING_INSERT,
                      count,
                      0,
                      {(const uint8_t *)"0123456789", count}},
    };
    return grove_document_add(document, &run, &fixture->error);
}

static grove_document *open_ledger(store_fixture *fixture)
{
    return open_manual(fixture, "a", &ledger_type);
}

static void save_ledger(store_fixture *fixture, grove_document *document)
{
    assert_ok(fixture, grove_document_save(document, NULL, NULL, &fixture->error));
}

static void add_all(store_fixture *fixture, grove_document *document)
{
    const grove_event_id m0 = {replica_of("m"), 0};
    const grove_event_id two[] = {{replica_of("n"), 1}, {replica_of("m"), 2}};
    const grove_event_id late[] = {{replica_of("o"), 0}, {replica_of("m"), 2}};
    assert_ok(fixture, add(fixture, document, "m", 0, 3, NULL, 0));
    assert_ok(fixture, add(fixture, document, "n", 0, 2, &m0, 1));
    assert_ok(fixture, add(fixture, document, "o", 0, 1, NULL, 0));
    assert_ok(fixture, add(fixture, document, "m", 3, 2, two, 2));
    assert_ok(fixture, add(fixture, document, "n", 2, 1, late, 2));
}

static const uint64_t TIMES[] = {1, 2, 3, 2, 3, 1, 4, 5, 4};
enum { ALL = 9 };

/* The stamps of each part of the events are those of the events, in runs that
 * go up by one. */
static void check_stamps(grove_document *document, uint64_t base)
{
    for (uint64_t from = base; from <= ALL; from++) {
        for (uint64_t end = from; end <= ALL; end++) {
            grove_buffer runs;
            uint64_t clock = from;
            grove_buffer_init(&runs, document->allocator);
            cr_assert_eq(grove__stamps_add(document, from, end, &runs, NULL), GROVE_OK);
            grove_stamps stamps = grove__stamps_view(&runs);
            for (size_t index = 0; index < stamps.count; index++) {
                const grove_stamp_run *run = &stamps.items[index];
                cr_assert_gt(run->count, 0);
                for (uint32_t event = 0; event < run->count; event++, clock++) {
                    grove__id_span span;
                    cr_assert(grove__ids_at(&document->graph.ids, clock, &span));
                    cr_assert_eq(run->sequence + event, span.sequence);
                    cr_assert_eq(run->time + event, TIMES[clock]);
                    cr_assert_eq(run->replica,
                                 grove__ids_name(&document->graph.ids, span.replica));
                }
            }
            cr_assert_eq(clock, end);
            grove_buffer_release(&runs);
        }
    }
}

STORE_TEST(stamps, say_of_each_event_who_made_it_and_when)
{
    grove_document *document = open_ledger(fixture);
    add_all(fixture, document);
    check_stamps(document, 0);
    save_ledger(fixture, document);
    grove_document_close(document);
    document = open_ledger(fixture);
    check_stamps(document, 0);
    grove_document_close(document);
}

STORE_TEST(stamps, are_none_for_types_without_times)
{
    grove_document *document = open_manual(fixture, "a", NULL);
    grove_buffer runs;
    grove_buffer_init(&runs, document->allocator);
    insert(fixture, document, 0, "abc");
    cr_assert_eq(grove__stamps_add(document, 0, 3, &runs, NULL), GROVE_OK);
    cr_assert_eq(grove__stamps_view(&runs).count, 0);
    cr_assert_eq(grove__graph_time(&document->graph, 2), 0);
    const uint64_t clock = 0;
    cr_assert_eq(grove__stamps_lacking(document, &clock, 1), UINT64_MAX);
    grove_document_close(document);
}

STORE_TEST(stamps, that_are_said_are_those_in_the_graph_or_can_be)
{
    static const struct {
        uint64_t clock, time;
        bool is_right;
    } cases[] = {{0, 1, true},  {0, 0, false}, {0, 2, false}, {8, 4, true},
                 {8, 5, false}, {8, 3, false}, {8, 0, false}, {6, 4, true}};
    grove_document *document = open_ledger(fixture);
    add_all(fixture, document);
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        cr_assert_eq(grove__stamps_check(document, cases[index].clock, cases[index].time,
                                         &fixture->error),
                     cases[index].is_right ? GROVE_OK : GROVE_CORRUPT, "%zu", index);
    }
    save_ledger(fixture, document);
    compact(fixture, document, 0);
    grove_document_close(document);
    document = open_ledger(fixture);
    /* Nothing is known of those behind the snapshot that are no heads of it. */
    cr_assert_eq(grove__stamps_check(document, 3, 4, NULL), GROVE_OK);
    cr_assert_eq(grove__stamps_check(document, 3, 5, NULL), GROVE_CORRUPT);
    cr_assert_eq(grove__stamps_check(document, 7, 5, NULL), GROVE_OK);
    cr_assert_eq(grove__stamps_check(document, 7, 4, NULL), GROVE_CORRUPT);
    const uint64_t clocks[] = {8, 3, 6};
    cr_assert_eq(grove__stamps_lacking(document, clocks, 3), 3);
    cr_assert_eq(grove__stamps_lacking(document, clocks, 1), UINT64_MAX);
    grove_document_close(document);
}

STORE_TEST(stamps, of_an_event_behind_the_snapshot_are_found_in_the_batches)
{
    grove_document *document = open_ledger(fixture);
    grove_txn_mode mode = GROVE_TXN_READ;
    add_all(fixture, document);
    save_ledger(fixture, document);
    document->wants_snapshot = true;
    save_ledger(fixture, document);
    grove_document_close(document);
    for (uint64_t clock = 0; clock < ALL; clock++) {
        uint64_t time;
        grove__txn txn;
        document = open_ledger(fixture);
        cr_assert_eq(document->graph.base, ALL);
        assert_ok(fixture,
                  grove__txn_begin(&document->store->kv, mode, &txn, &fixture->error));
        assert_ok(fixture,
                  grove__stamps_time(document, &txn, clock, &time, &fixture->error));
        cr_assert_eq(time, TIMES[clock]);
        cr_assert_eq(document->graph.base, clock < 7 ? 0 : ALL);
        check_stamps(document, document->graph.base);
        grove__txn_abort(&txn);
        grove_document_close(document);
    }
}

STORE_TEST(stamps, of_late_events_come_from_older_ones_that_the_handle_takes_in)
{
    const grove_event_id n0 = {replica_of("n"), 0};
    grove_document *document = open_ledger(fixture);
    add_all(fixture, document);
    save_ledger(fixture, document);
    document->wants_snapshot = true;
    save_ledger(fixture, document);
    grove_document_close(document);
    document = open_ledger(fixture);
    cr_assert_eq(document->graph.base, ALL);
    assert_ok(fixture, add(fixture, document, "late", 0, 2, &n0, 1));
    cr_assert_eq(grove__graph_time(&document->graph, ALL), 3);
    cr_assert_eq(grove__event_ids_time(&document->unsaved, 1), 4);
    size_t count;
    const ledger_entry *entries = ledger_entries(document->state, &count);
    cr_assert_eq(count, ALL + 2);
    cr_assert(entries[4].time == 3 && entries[4].replica.size == 4);
    save_ledger(fixture, document);
    grove_document_close(document);
    document = open_ledger(fixture);
    cr_assert_eq(document->graph.base, ALL, "the batch says the time of the parent");
    cr_assert_eq(grove__graph_time(&document->graph, ALL + 1), 4);
    grove_document_close(document);
}

STORE_TEST(stamps, of_events_that_go_on_from_removed_ones_are_not_made_up)
{
    const grove_event_id m0 = {replica_of("m"), 0};
    const grove_event_id last[] = {{replica_of("m"), 4}, {replica_of("n"), 2}};
    grove_document *document = open_ledger(fixture);
    add_all(fixture, document);
    assert_ok(fixture, add(fixture, document, "m", 5, 1, last, 2));
    save_ledger(fixture, document);
    compact(fixture, document, 0);
    cr_assert_eq(document->meta.base_clock, ALL + 1);
    assert_fails(fixture, GROVE_HISTORY_REMOVED,
                 add(fixture, document, "late", 0, 1, &m0, 1));
    grove_document_close(document);
    document = open_ledger(fixture);
    cr_assert_eq(((const ledger *)document->state)->settled, 6);
    assert_fails(fixture, GROVE_HISTORY_REMOVED,
                 add(fixture, document, "late", 0, 1, &m0, 1));
    assert_fails(fixture, GROVE_HISTORY_REMOVED,
                 add(fixture, document, "late", 0, 1, NULL, 0));
    grove_document_close(document);
}

/* The event before those that are retained is said by the first of these. */
STORE_TEST(stamps, of_events_that_go_on_from_the_last_removed_one_are_known)
{
    const grove_event_id m4 = {replica_of("m"), 4};
    const grove_event_id m5 = {replica_of("m"), 5};
    const grove_event_id last[] = {{replica_of("m"), 4}, {replica_of("n"), 2}};
    grove_document *document = open_ledger(fixture);
    add_all(fixture, document);
    assert_ok(fixture, add(fixture, document, "m", 5, 1, last, 2));
    save_ledger(fixture, document);
    assert_ok(fixture, add(fixture, document, "m", 6, 3, &m5, 1));
    save_ledger(fixture, document);
    compact(fixture, document, 3);
    cr_assert_eq(document->meta.base_clock, ALL + 1);
    grove_document_close(document);
    document = open_ledger(fixture);
    cr_assert_eq(document->graph.base, ALL + 4);
    cr_assert_eq(((const ledger *)document->state)->settled, 6);
    assert_ok(fixture, add(fixture, document, "late", 0, 1, &m5, 1));
    cr_assert_eq(document->graph.base, ALL + 1);
    cr_assert_eq(grove__event_ids_time(&document->unsaved, 0), 7);
    assert_fails(fixture, GROVE_HISTORY_REMOVED,
                 add(fixture, document, "later", 0, 1, &m4, 1));
    save_ledger(fixture, document);
    /* The floor stays where it is, and so does what is settled. */
    compact(fixture, document, 3);
    grove_document_close(document);
    document = open_ledger(fixture);
    cr_assert_eq(((const ledger *)document->state)->settled, 6);
    grove_document_close(document);
}

/* Nothing held the history that an unsaved event needs. */
STORE_TEST(stamps, of_events_whose_history_goes_before_they_are_saved_are_not_stored)
{
    const grove_event_id m0 = {replica_of("m"), 0};
    const grove_event_id last[] = {{replica_of("m"), 4}, {replica_of("n"), 2}};
    grove_document *document = open_ledger(fixture);
    add_all(fixture, document);
    assert_ok(fixture, add(fixture, document, "m", 5, 1, last, 2));
    save_ledger(fixture, document);
    assert_ok(fixture, add(fixture, document, "late", 0, 1, &m0, 1));
    document->unsaved_reach = UINT64_MAX;
    grove__document_hold(document);
    grove_document *other = open_ledger(fixture);
    compact(fixture, other, 0);
    cr_assert_eq(other->meta.base_clock, ALL + 1);
    assert_fails(fixture, GROVE_HISTORY_REMOVED,
                 grove_document_save(document, NULL, NULL, &fixture->error));
    grove_document_close(other);
    grove_document_close(document);
}

/* Another handle removed history since this one last looked. */
STORE_TEST(stamps, of_a_handle_that_lags_behind_a_compaction_are_not_made_up)
{
    const grove_event_id m0 = {replica_of("m"), 0};
    const grove_event_id last[] = {{replica_of("m"), 4}, {replica_of("n"), 2}};
    grove_document *document = open_ledger(fixture);
    add_all(fixture, document);
    assert_ok(fixture, add(fixture, document, "m", 5, 1, last, 2));
    save_ledger(fixture, document);
    grove_document *other = open_ledger(fixture);
    compact(fixture, other, 0);
    assert_fails(fixture, GROVE_HISTORY_REMOVED,
                 add(fixture, document, "late", 0, 1, &m0, 1));
    grove_document_close(other);
    grove_document_close(document);
}

STORE_TEST(stamps, are_asked_for_by_types_that_take_any_order_and_merge_nothing)
{
    grove_document_type type = ledger_type;
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    grove_document *document = NULL;
    options.type = &type;
    type.capabilities = 0;
    assert_fails(fixture, GROVE_INVALID,
                 grove_document_open(fixture->store, grove_bytes_of("b"), &options,
                                     &document, &fixture->error));
    type.capabilities = GROVE_TYPE_CONCURRENT;
    type.merge = grove_type_text()->merge;
    assert_fails(fixture, GROVE_INVALID,
                 grove_document_open(fixture->store, grove_bytes_of("b"), &options,
                                     &document, &fixture->error));
    type.merge = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("b"), &options,
                                           &document, &fixture->error));
    grove_document_close(document);
}
