/*
 * Lamport times that are not true, in the store and from a peer, and what is
 * short of memory.
 */
#include "document/damage.h"
#include "document/stamps.h"
#include "format/exchange.h"
#include "kv/value.h"
#include "support/dump.h"
#include "support/faulty_allocator.h"
#include "support/ledger_type.h"

static const char NAME[] = "ledger";
static const uint8_t BYTES[] = "0123456789";

static grove_event_run run_of(const char *replica, uint64_t sequence, uint32_t count,
                              const grove_event_id *parents, size_t parent_count)
{
    return (grove_event_run){
        .first = event_of(replica, sequence),
        .parents = parents,
        .parent_count = parent_count,
        .timestamp = 1,
        .operation = {TEST_TYPING_INSERT, count, 0, {BYTES, count}},
    };
}

static grove_document *open_ledger(store_fixture *fixture)
{
    return open_manual(fixture, NAME, &ledger_type);
}

static void add(store_fixture *fixture, grove_document *document, const char *replica,
                uint64_t sequence, uint32_t count, const grove_event_id *parent)
{
    grove_event_run run = run_of(replica, sequence, count, parent, parent != NULL);
    assert_ok(fixture, grove_document_add(document, &run, &fixture->error));
}

static void save_ledger(store_fixture *fixture, grove_document *document,
                        bool wants_snapshot)
{
    document->wants_snapshot = wants_snapshot;
    assert_ok(fixture, grove_document_save(document, NULL, NULL, &fixture->error));
}

/* The time that a state was told of an event; 0: it has not come. */
static uint64_t told(const grove_document *document, const char *replica,
                     uint64_t sequence)
{
    const grove_event_id id = event_of(replica, sequence);
    size_t count;
    const ledger_entry *entries = ledger_entries(document->state, &count);
    for (size_t index = 0; index < count; index++) {
        if (entries[index].sequence == sequence &&
            entries[index].replica.size == id.replica.size &&
            memcmp(entries[index].replica.bytes, id.replica.bytes, id.replica.size) ==
                0) {
            return entries[index].time;
        }
    }
    return 0;
}

/* --- in the store --- */

/*
 *   clock   0  1  2 | 3  4      m0 to m2, a snapshot if there is to be one, and
 *   event   m0 m1 m2| n0 n1     n0 after `parent`, of which a batch says `time`
 */
static void make_stored(store_fixture *fixture, bool has_snapshot, uint64_t parent,
                        uint64_t time)
{
    const grove_event_id id = event_of("m", parent);
    grove_event_run run = run_of("n", 0, 2, &id, 1);
    grove_document *document = open_ledger(fixture);
    grove__events events;
    grove_buffer block;
    grove__txn txn;
    grove__key key;
    add(fixture, document, "m", 0, 3, NULL);
    save_ledger(fixture, document, has_snapshot);
    add(fixture, document, "n", 0, 2, &id);
    save_ledger(fixture, document, false);
    cr_assert_eq(document->meta.batches, 2);
    grove_document_close(document);
    grove__events_init(&events, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    assert_ok(fixture, grove__events_append_timed(&events, &ledger_type, &run, &time,
                                                  &fixture->error));
    assert_ok(fixture,
              grove__batch_encode(&events, &ledger_type, parent + 1,
                                  grove__batch_packing_usual(), &block, &fixture->error));
    grove__batch_place(block.data, 3);
    grove__key_of_clock(&key, grove_bytes_of(NAME), 3);
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_WRITE, &txn,
                                        &fixture->error));
    assert_ok(fixture, grove__value_put(&txn, GROVE__TABLE_EVENTS, grove__key_view(&key),
                                        grove_buffer_view(&block), &fixture->error));
    assert_ok(fixture, grove__txn_commit(&txn, &fixture->error));
    grove_buffer_release(&block);
    grove__events_release(&events);
}

static grove_status load_ledger(store_fixture *fixture, grove_document **document_out)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = &ledger_type;
    return grove_document_load(fixture->store, grove_bytes_of(NAME), &options,
                               document_out, &fixture->error);
}

static bool note_finding(void *context, const grove_finding *finding)
{
    ((bool *)context)[finding->kind] = true;
    return true;
}

/* Whether verify finds something of a kind, and nothing else. */
static void check_findings(store_fixture *fixture, bool knows_type, bool is_wrong,
                           grove_finding_kind kind)
{
    const grove_document_type *const types[] = {&ledger_type};
    grove_verify_options options = GROVE_VERIFY_OPTIONS_INIT;
    grove_verify_report report;
    bool found[32] = {false};
    options.types = types;
    options.type_count = knows_type;
    options.replay = true;
    assert_ok(fixture, grove_store_verify(fixture->store, &options, note_finding, found,
                                          &report, &fixture->error));
    cr_assert_eq(report.findings > 0, is_wrong);
    cr_assert_eq(found[kind], is_wrong);
}

static void delete_ledger(store_fixture *fixture)
{
    assert_ok(fixture, grove_document_delete(fixture->store, grove_bytes_of(NAME), NULL,
                                             &fixture->error));
}

STORE_TEST(stamps_damage, a_batch_that_contradicts_the_events_before_is_corrupt)
{
    for (uint64_t time = 1; time <= 4; time++) {
        grove_document *document = NULL;
        make_stored(fixture, false, 1, time);
        grove_status status = load_ledger(fixture, &document);
        cr_assert_eq(status, time == 2 ? GROVE_OK : GROVE_CORRUPT, "%s",
                     fixture->error.message);
        check_findings(fixture, true, time != 2, GROVE_FINDING_GRAPH);
        check_findings(fixture, false, false, GROVE_FINDING_GRAPH);
        if (status == GROVE_OK) {
            cr_assert_eq(told(document, "n", 1), 4);
            grove_document_close(document);
        }
        delete_ledger(fixture);
    }
}

STORE_TEST(stamps_damage, a_handle_that_refuses_such_a_batch_is_as_it_was)
{
    grove_document *document = open_ledger(fixture);
    add(fixture, document, "own", 0, 1, NULL);
    make_stored(fixture, false, 1, 1);
    for (int tries = 0; tries < 2; tries++) {
        assert_fails(fixture, GROVE_CORRUPT,
                     grove_document_refresh(document, NULL, &fixture->error));
        cr_assert_eq(grove_document_clock(document), 0);
        cr_assert_eq(grove_document_unsaved(document), 1);
        cr_assert(told(document, "own", 0) == 1 && told(document, "n", 0) == 0);
    }
    grove_document_close(document);
}

STORE_TEST(stamps_damage, what_is_said_of_a_parent_behind_the_snapshot_is_compared_later)
{
    for (uint64_t time = 1; time <= 3; time++) {
        const grove_event_id m0 = event_of("m", 0);
        grove_document *document = NULL;
        make_stored(fixture, true, 1, time);
        grove_status status = load_ledger(fixture, &document);
        /* Of two events none is the third. */
        cr_assert_eq(status, time <= 2 ? GROVE_OK : GROVE_CORRUPT);
        check_findings(fixture, true, time != 2, GROVE_FINDING_GRAPH);
        if (status == GROVE_OK) {
            cr_assert_eq(document->graph.base, 3);
            cr_assert_eq(told(document, "n", 0), time + 1);
            /* Takes in the older ones. */
            grove_event_run late = run_of("late", 0, 1, &m0, 1);
            status = grove_document_add(document, &late, &fixture->error);
            cr_assert_eq(status, time == 2 ? GROVE_OK : GROVE_CORRUPT);
            cr_assert_eq(told(document, "late", 0), time == 2 ? 2 : 0);
            cr_assert_eq(document->graph.base, time == 2 ? 0 : 3);
            grove_document_close(document);
        }
        delete_ledger(fixture);
    }
}

/* Writes the snapshot at clock 3 anew, with another time of its head; 0: with
 * none. */
static void put_snapshot(store_fixture *fixture, uint64_t time)
{
    grove__snapshot_header header;
    grove__block opened;
    grove__txn txn;
    grove__key key;
    grove_buffer joined;
    grove_buffer heads;
    grove_buffer block;
    grove_buffer frames[2];
    grove_bytes bytes;
    grove_bytes views[2];
    grove_buffer *all[] = {&joined, &heads, &block, &frames[0], &frames[1]};
    for (size_t index = 0; index < 5; index++) {
        grove_buffer_init(all[index], &grove__allocator_system);
    }
    grove__key_of_clock(&key, grove_bytes_of(NAME), 3);
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_WRITE, &txn,
                                        &fixture->error));
    assert_ok(fixture,
              grove__value_get(&txn, GROVE__TABLE_SNAPSHOTS, grove__key_view(&key),
                               &joined, &bytes, &fixture->error));
    assert_ok(fixture,
              grove__snapshot_open(bytes, &opened, &header, &heads, &fixture->error));
    for (uint8_t index = 0; index < 2; index++) {
        assert_ok(fixture,
                  grove__block_frame_view(&opened, (uint8_t)(index + 1), &frames[index],
                                          &views[index], &fixture->error));
    }
    grove__head *head = (grove__head *)(void *)heads.data;
    head->time = time;
    assert_ok(fixture,
              grove__snapshot_encode(
                  &header, head, &(grove__snapshot_frames){views[0], views[1], {NULL, 0}},
                  grove__batch_packing_usual(), &block, &fixture->error));
    assert_ok(fixture,
              grove__value_put(&txn, GROVE__TABLE_SNAPSHOTS, grove__key_view(&key),
                               grove_buffer_view(&block), &fixture->error));
    assert_ok(fixture, grove__txn_commit(&txn, &fixture->error));
    for (size_t index = 0; index < 5; index++) {
        grove_buffer_release(all[index]);
    }
}

STORE_TEST(stamps_damage, a_snapshot_without_times_is_passed_over)
{
    grove_document *document = NULL;
    make_stored(fixture, true, 2, 3);
    put_snapshot(fixture, 0);
    check_findings(fixture, true, true, GROVE_FINDING_SNAPSHOT);
    assert_ok(fixture, load_ledger(fixture, &document));
    cr_assert_eq(grove_document_damaged_snapshots(document), 1);
    cr_assert_eq(told(document, "n", 1), 5);
    grove_document_close(document);
}

STORE_TEST(stamps_damage, a_snapshot_whose_heads_have_other_times_is_found)
{
    grove_document *document = NULL;
    make_stored(fixture, true, 2, 3);
    put_snapshot(fixture, 3);
    check_findings(fixture, true, false, GROVE_FINDING_SNAPSHOT);
    put_snapshot(fixture, 2);
    check_findings(fixture, true, true, GROVE_FINDING_SNAPSHOT);
    assert_fails(fixture, GROVE_CORRUPT, load_ledger(fixture, &document));
    put_snapshot(fixture, 4);
    assert_ok(fixture, load_ledger(fixture, &document));
    cr_assert_eq(grove_document_damaged_snapshots(document), 1);
    grove_document_close(document);
}

/* A snapshot within a sealed batch: the batch begins before it. */
STORE_TEST(stamps_damage, a_snapshot_within_a_batch_is_compared_with_it)
{
    for (uint64_t time = 1; time <= 3; time++) {
        grove_document *document = NULL;
        grove__key key;
        make_stored(fixture, true, 2, 3);
        document = open_ledger(fixture);
        const grove_event_id n1 = event_of("n", 1);
        add(fixture, document, "n", 2, 1, &n1);
        save_ledger(fixture, document, true);
        assert_ok(fixture, grove_document_seal(document, NULL, NULL, &fixture->error));
        cr_assert_eq(document->meta.batches, 1);
        cr_assert_eq(document->meta.snapshots, 2);
        grove_document_close(document);
        put_snapshot(fixture, time);
        key = part_key(NAME, 6);
        flip(fixture, GROVE__TABLE_SNAPSHOTS, &key, 12);
        cr_assert_eq(load_ledger(fixture, &document),
                     time == 3 ? GROVE_OK : GROVE_CORRUPT);
        if (time == 3) {
            cr_assert_eq(document->graph.base, 3);
            cr_assert_eq(told(document, "n", 2), 6);
            grove_document_close(document);
        }
        delete_ledger(fixture);
    }
}

/* --- from a peer --- */

/* An export of ledgers in the making. */
static void begin_export(grove_buffer *bytes)
{
    grove__exchange_header header = {.type_name = "test-ledger", .type_format = 1};
    grove_buffer_init(bytes, &grove__allocator_system);
    grove__exchange_header_encode(&header, bytes);
}

static void put_item(grove_buffer *bytes, grove__exchange_kind kind, grove_bytes payload)
{
    grove__exchange_item_encode(kind, payload.size, bytes);
    grove_buffer_append(bytes, payload.data, payload.size);
}

/* A batch of a run whose parents are said to have these times, after another
 * one if that is not NULL; and the end. */
static void put_runs(grove_buffer *bytes, const grove_event_run *before,
                     const grove_event_run *run, const uint64_t *times)
{
    grove__events events;
    grove_buffer block;
    grove__events_init(&events, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    if (before != NULL) {
        cr_assert_eq(grove__events_append(&events, &ledger_type, before, NULL), GROVE_OK);
    }
    cr_assert_eq(grove__events_append_timed(&events, &ledger_type, run, times, NULL),
                 GROVE_OK);
    cr_assert_eq(grove__batch_encode(&events, &ledger_type, 0,
                                     grove__batch_packing_usual(), &block, NULL),
                 GROVE_OK);
    put_item(bytes, GROVE__EXCHANGE_BATCH, grove_buffer_view(&block));
    grove__exchange_end_encode(events.count, bytes);
    grove_buffer_release(&block);
    grove__events_release(&events);
}

static void put_batch(grove_buffer *bytes, const grove_event_run *run, uint64_t time)
{
    put_runs(bytes, NULL, run, &time);
}

STORE_TEST(stamps_damage, what_a_peer_says_of_new_events_is_not_believed)
{
    const grove_event_id m1 = event_of("m", 1);
    const grove_event_run run = run_of("n", 0, 2, &m1, 1);
    grove_document *document = open_ledger(fixture);
    grove_import_result result;
    grove_buffer bytes;
    add(fixture, document, "m", 0, 3, NULL);
    begin_export(&bytes);
    put_batch(&bytes, &run, 77);
    assert_ok(fixture, grove_document_import(document, grove_buffer_view(&bytes), &result,
                                             &fixture->error));
    cr_assert_eq(result.events, 2);
    cr_assert(told(document, "n", 0) == 3 && told(document, "n", 1) == 4);
    grove_buffer_release(&bytes);
    /* An export has to have times all the same. */
    begin_export(&bytes);
    put_batch(&bytes, &run, 0);
    assert_fails(fixture, GROVE_MALFORMED,
                 grove_document_import(document, grove_buffer_view(&bytes), &result,
                                       &fixture->error));
    grove_buffer_release(&bytes);
    save_ledger(fixture, document, false);
    check_findings(fixture, true, false, GROVE_FINDING_GRAPH);
    grove_document_close(document);
}

STORE_TEST(stamps_damage, events_that_waited_get_the_times_that_they_have_then)
{
    const grove_event_id m1 = event_of("m", 1);
    const grove_event_run run = run_of("n", 0, 2, &m1, 1);
    for (int saves = 0; saves < 2; saves++) {
        grove_document *document = open_ledger(fixture);
        grove_import_result result;
        grove_buffer bytes;
        begin_export(&bytes);
        put_batch(&bytes, &run, 77);
        add(fixture, document, "m", 0, 1, NULL);
        assert_ok(fixture, grove_document_import(document, grove_buffer_view(&bytes),
                                                 &result, &fixture->error));
        cr_assert_eq(result.waiting, 2);
        if (saves > 0) {
            save_ledger(fixture, document, false);
            check_findings(fixture, true, false, GROVE_FINDING_PENDING);
            check_findings(fixture, false, false, GROVE_FINDING_PENDING);
            grove_document_close(document);
            document = open_ledger(fixture);
        }
        const grove_event_id m0 = event_of("m", 0);
        add(fixture, document, "m", 1, 1, &m0);
        save_ledger(fixture, document, false);
        cr_assert(told(document, "n", 0) == 3 && told(document, "n", 1) == 4);
        grove_document_close(document);
        delete_ledger(fixture);
        grove_buffer_release(&bytes);
    }
}

/* What an export with a snapshot says: m0 and m1 were removed, m2 is retained
 * and, if the snapshot is at clock 3, in the state. */
typedef struct claim {
    uint64_t clock;
    uint64_t head_time;
    uint64_t parent_time; /* of m1; UINT64_MAX: m2 has no parent */
    bool is_good;
    bool has_root; /* n0 comes before m2, which has it as a parent as well */
} claim;

static void put_claim(grove_buffer *bytes, const claim *says)
{
    const grove_event_id parents[] = {event_of("m", 1), event_of("n", 0)};
    const grove__exchange_run removed = {0, 0, 2};
    const grove__snapshot_header header = {says->clock, says->clock, 1, 1};
    grove__head head;
    grove_type_buffers frames = {.structure_cut_count = 0};
    grove_buffer payload;
    void *state;
    memset(&head, 0, sizeof head);
    head = (grove__head){says->clock - 1, event_of("m", says->clock - 1 - says->has_root),
                         says->head_time};
    grove_buffer_init(&frames.structure, &grove__allocator_system);
    grove_buffer_init(&frames.content, &grove__allocator_system);
    grove_buffer_init(&payload, &grove__allocator_system);
    grove__exchange_ids_encode(&head.id.replica, 1, &removed, 1, &payload);
    begin_export(bytes);
    put_item(bytes, GROVE__EXCHANGE_IDS, grove_buffer_view(&payload));
    cr_assert_eq(ledger_new(&ledger_type, &grove__allocator_system, &state), GROVE_OK);
    grove_event_run run = run_of("m", 0, (uint32_t)says->clock, NULL, 0);
    const grove_stamp_run stamp = {&run.first.replica, 0, 1, (uint32_t)says->clock};
    cr_assert_eq(ledger_apply(&ledger_type, state, (grove_operations){&run.operation, 1},
                              (grove_stamps){&stamp, 1}, NULL),
                 GROVE_OK);
    cr_assert_eq(ledger_encode(&ledger_type, state, &frames, NULL), GROVE_OK);
    ledger_free(&ledger_type, state);
    grove_buffer_reset(&payload);
    cr_assert_eq(grove__snapshot_encode(
                     &header, &head,
                     &(grove__snapshot_frames){grove_buffer_view(&frames.structure),
                                               grove_buffer_view(&frames.content),
                                               {NULL, 0}},
                     grove__batch_packing_usual(), &payload, NULL),
                 GROVE_OK);
    put_item(bytes, GROVE__EXCHANGE_SNAPSHOT, grove_buffer_view(&payload));
    const grove_event_run root = run_of("n", 0, 1, NULL, 0);
    const uint64_t times[] = {says->parent_time, 1};
    run = run_of("m", 2, 1, parents,
                 (says->parent_time != UINT64_MAX) + (size_t)says->has_root);
    put_runs(bytes, says->has_root ? &root : NULL, &run, times);
    grove_buffer_release(&payload);
    grove_buffer_release(&frames.structure);
    grove_buffer_release(&frames.content);
}

STORE_TEST(stamps_damage, what_is_adopted_says_the_same_times_everywhere)
{
    static const claim claims[] = {
        {2, 2, 2, true, false},
        {3, 3, 2, true, false},
        {2, 0, 2, false, false},
        {2, 1, 2, false, false},
        {2, 2, 1, false, false},
        {3, 3, 1, false, false},
        {3, 2, 2, false, false},
        {3, 4, 3, false, false},
        {3, 3, UINT64_MAX, false, false},
        /* Not all go on from what was removed. */
        {4, 3, 2, false, true},
        /* As far as anybody can tell. */
        {2, 1, 1, true, false},
    };
    for (size_t index = 0; index < sizeof claims / sizeof *claims; index++) {
        const claim *says = &claims[index];
        grove_document *document = open_ledger(fixture);
        grove_import_result result = {.adopted = false};
        grove_buffer bytes;
        put_claim(&bytes, says);
        grove_status status = grove_document_import(document, grove_buffer_view(&bytes),
                                                    &result, &fixture->error);
        cr_assert_eq(status, says->is_good ? GROVE_OK : GROVE_MALFORMED, "%zu: %s", index,
                     fixture->error.message);
        cr_assert_eq(result.adopted, says->is_good);
        if (says->is_good) {
            check_findings(fixture, true, false, GROVE_FINDING_GRAPH);
            cr_assert_eq(told(document, "m", 2), says->parent_time + 1);
            delete_ledger(fixture);
        }
        grove_buffer_release(&bytes);
        grove_document_close(document);
    }
}

/* --- copies --- */

STORE_TEST(stamps_damage, a_dump_and_a_salvage_keep_them_whether_the_type_is_known_or_not)
{
    const grove_document_type *const types[] = {&ledger_type};
    const grove_event_id m1 = event_of("m", 1);
    for (int round = 0; round < 3; round++) {
        store_fixture to;
        grove_document *document = NULL;
        make_stored(fixture, round > 0, 1, 2);
        document = open_ledger(fixture);
        add(fixture, document, "late", 0, 2, &m1);
        save_ledger(fixture, document, false);
        if (round == 2) {
            grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
            options.window_events = 4;
            assert_ok(fixture,
                      grove_document_compact(document, &options, NULL, &fixture->error));
        }
        for (int way = 0; way < 3; way++) {
            grove_document *copy = NULL;
            if (way == 0) {
                exported whole = dump_of(fixture);
                undump_init(&to, "memory", &whole);
                exported_free(&whole);
            } else {
                grove_salvage_options options = GROVE_SALVAGE_OPTIONS_INIT;
                grove_salvage_report report;
                options.types = types;
                options.type_count = way == 1 ? 1 : 0;
                store_fixture_init(&to, "memory");
                store_fixture_open(&to);
                assert_ok(fixture,
                          grove_store_salvage(fixture->store, to.store, &options, NULL,
                                              NULL, &report, &fixture->error));
                cr_assert_eq(report.losses, 0);
            }
            assert_ok(&to, load_ledger(&to, &copy));
            cr_assert(ledger_equal(document->state, copy->state));
            check_findings(&to, true, false, GROVE_FINDING_GRAPH);
            grove_document_close(copy);
            store_fixture_close(&to);
            store_fixture_release(&to);
        }
        grove_document_close(document);
        delete_ledger(fixture);
    }
}

/* --- memory --- */

/* Tries again what there was no memory for; a handle that failed is loaded
 * anew. */
static bool again(store_fixture *fixture, grove_document **document, grove_status status)
{
    cr_assert(status == GROVE_OK || status == GROVE_NO_MEMORY || status == GROVE_FAILED ||
                  status == GROVE_DUPLICATE,
              "%s", fixture->error.message);
    if (document != NULL && status == GROVE_FAILED) {
        grove_document_close(*document);
        *document = NULL;
        while (load_ledger(fixture, document) == GROVE_NO_MEMORY) {
        }
    }
    return status != GROVE_OK && status != GROVE_DUPLICATE;
}

/* Everything that finds a time: a load, a late event behind a snapshot, events
 * of others before unsaved ones, a save, a compaction, and a version. */
static void use_all(store_fixture *fixture)
{
    const grove_event_id m0 = event_of("m", 0);
    const grove_event_id heads[] = {event_of("n", 0), event_of("late", 0)};
    const grove_event_run late = run_of("late", 0, 2, &m0, 1);
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    grove_document *document = NULL;
    grove_document *other = NULL;
    grove_document *view = NULL;
    options.type = &ledger_type;
    while (again(fixture, NULL, load_ledger(fixture, &document))) {
    }
    while (again(fixture, NULL, load_ledger(fixture, &other))) {
    }
    while (
        again(fixture, &document, grove_document_add(document, &late, &fixture->error))) {
    }
    const grove_event_run more = run_of("more", 0, 2, &heads[0], 1);
    while (
        again(fixture, &other, grove_document_add(other, &more, &fixture->error)) ||
        again(fixture, &other, grove_document_save(other, NULL, NULL, &fixture->error))) {
    }
    while (
        again(fixture, &document,
              grove_document_refresh(document, NULL, &fixture->error)) ||
        again(fixture, &document, grove_document_add(document, &late, &fixture->error)) ||
        again(fixture, &document,
              grove_document_save(document, NULL, NULL, &fixture->error))) {
    }
    while (again(fixture, NULL,
                 grove_document_load_version(fixture->store, grove_bytes_of(NAME),
                                             &(grove_version){heads, 2}, &options, &view,
                                             &fixture->error))) {
    }
    cr_assert(told(view, "late", 0) == 2 && told(view, "n", 0) == 3);
    cr_assert(told(view, "late", 1) == 0 && told(view, "more", 0) == 0);
    grove_document_close(view);
    while (again(fixture, &document,
                 grove_document_compact(document, NULL, NULL, &fixture->error))) {
    }
    cr_assert(told(document, "late", 1) == 3 && told(document, "more", 1) == 5);
    grove_document_close(document);
    grove_document_close(other);
}

Test(stamps_damage, none_is_lost_when_any_allocation_fails, .timeout = 120)
{
    bool has_failed = true;
    for (size_t nth = 1; has_failed; nth++) {
        store_fixture fixture;
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, 0);
        store_fixture_init(&fixture, "memory");
        store_fixture_open(&fixture);
        make_stored(&fixture, true, 1, 2);
        store_fixture_close(&fixture);
        fixture.options.allocator = &faulty.allocator;
        store_fixture_open(&fixture);
        faulty.fails_at = faulty.calls + nth;
        use_all(&fixture);
        has_failed = faulty.has_failed;
        faulty.fails_at = 0;
        check_findings(&fixture, true, false, GROVE_FINDING_GRAPH);
        store_fixture_close(&fixture);
        store_fixture_release(&fixture);
        faulty_allocator_finish(&faulty);
    }
}
