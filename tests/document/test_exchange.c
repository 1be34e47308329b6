/*
 * Long random histories of a text, spread over several stores that exchange
 * what they have in any order: whole, in pieces, again, from older vectors or
 * from ones that promise too much. Each of them always has the text that the
 * oracle finds for the events of its version vector.
 */
#include "support/exchange.h"
#include "support/text_document.h"

#ifdef GROVE_TINY_LIMITS
enum { HISTORIES = 100 };
#else
enum { HISTORIES = 300 };
#endif

enum { KEPT = 6 };

/* How often it happened: a test without these would test little. */
typedef struct tally {
    uint64_t imports;
    uint64_t merges;
    uint64_t repetitions;
    uint64_t waits;
    uint64_t releases; /* of events that waited, by an import */
    uint64_t adoptions;
} tally;

typedef struct session {
    test_random *random;
    const text_history *history;
    peer peers[PEERS_MAX];
    uint32_t peer_count;
    exported kept[KEPT]; /* exports of some time */
    tally *tally;
    bool compacts;
    char place[64];
} session;

static uint32_t below(session *run, uint32_t bound)
{
    return (uint32_t)test_random_below(run->random, bound);
}

static peer *any_peer(session *run)
{
    return &run->peers[below(run, run->peer_count)];
}

/* The events of the history that the handle says that it has. */
static uint32_t note_known(session *run, peer *one, bool *has_out)
{
    grove_version_vector vector;
    uint32_t count = 0;
    assert_ok(&one->store,
              grove_document_version_vector(one->document, &vector, &one->store.error));
    for (uint32_t number = 0; number < run->history->oracle.count; number++) {
        grove_event_id next = run->history->oracle.events[number].id;
        has_out[number] = false;
        for (size_t index = 0; index < vector.count; index++) {
            grove_event_id known = vector.entries[index];
            uint64_t sequence = known.sequence;
            known.sequence = next.sequence;
            has_out[number] = has_out[number] || (text_id_compare(&known, &next) == 0 &&
                                                  sequence > next.sequence);
        }
        count += has_out[number];
    }
    return count;
}

static uint32_t check(session *run, peer *one)
{
    bool has[TEXT_EVENTS_MAX];
    uint32_t count = note_known(run, one, has);
    text_document_check(&one->store, one->document, run->history, has, run->place);
    text_document_check_heads(&one->store, one->document, run->history, has);
    cr_assert_eq(grove_document_clock(one->document) +
                     grove_document_unsaved(one->document),
                 count);
    return count;
}

static uint64_t waiting_of(peer *one)
{
    uint64_t waiting;
    uint64_t aside;
    assert_ok(&one->store,
              grove_document_pending(one->document, &waiting, &aside, &one->store.error));
    cr_assert_eq(aside, 0);
    return waiting;
}

static void step_save(session *run, peer *one)
{
    peer_save(one);
    (void)check(run, one);
}

static void step_load_anew(session *run, peer *one)
{
    uint64_t waiting = waiting_of(one);
    peer_save(one);
    peer_reopen(one);
    (void)check(run, one);
    cr_assert_leq(waiting_of(one), waiting);
}

/* --- exchange --- */

/* A vector to export by: the one of any of the stores, now and then without
 * some of its entries; or that of `from` less a few events of each replica. */
static grove_version_vector choose_vector(session *run, peer *from, peer *to,
                                          grove_event_id *entries)
{
    grove_version_vector known = {NULL, 0};
    bool promises = below(run, 3) == 0;
    peer *whose = promises ? from : below(run, 3) == 0 ? any_peer(run) : to;
    assert_ok(&whose->store, grove_document_version_vector(whose->document, &known,
                                                           &whose->store.error));
    cr_assert_leq(known.count, MODEL_REPLICAS_MAX);
    if (promises) {
        for (size_t index = 0; index < known.count; index++) {
            uint64_t left_out = below(run, 9);
            entries[index] = known.entries[index];
            entries[index].sequence -=
                left_out < entries[index].sequence ? left_out : entries[index].sequence;
        }
        known.entries = entries;
    } else if (known.count > 0 && below(run, 4) == 0) {
        known.count -= 1 + below(run, (uint32_t)known.count);
    }
    return known;
}

static exported export_some(session *run, peer *from, peer *to)
{
    exported whole = {NULL, 0, 0, 0};
    grove_event_id entries[MODEL_REPLICAS_MAX];
    grove_version_vector known = choose_vector(run, from, to, entries);
    grove_status status =
        grove_document_export(from->document, below(run, 8) == 0 ? NULL : &known,
                              exported_write, &whole, &from->store.error);
    cr_assert(status == GROVE_OK || status == GROVE_NONE, "%s",
              from->store.error.message);
    return whole;
}

static void import_kept(session *run, peer *to, const exported *whole)
{
    grove_import_result result = {0, 0, 0, 0, false};
    uint64_t waited = waiting_of(to);
    uint32_t before = check(run, to);
    uint64_t clock = grove_document_clock(to->document);
    grove_status status = grove_document_import(to->document, exported_view(whole),
                                                &result, &to->store.error);
    if (status == GROVE_CONFLICT) {
        cr_assert_gt(grove_document_unsaved(to->document), 0);
        step_save(run, to);
        status = grove_document_import(to->document, exported_view(whole), &result,
                                       &to->store.error);
    }
    uint32_t after = check(run, to);
    uint64_t waits = waiting_of(to);
    run->tally->imports++;
    if (status == GROVE_LIMIT) {
        cr_assert_eq(before, after);
        cr_assert_eq(waited, waits);
        return;
    }
    cr_assert_eq(status, GROVE_OK, "%s: %s", run->place, to->store.error.message);
    run->tally->merges += result.events > 0 && clock > 0;
    run->tally->repetitions += result.events == 0 && result.known > 0;
    run->tally->waits += result.waiting > 0;
    run->tally->releases += waits < waited && !result.adopted;
    run->tally->adoptions += result.adopted;
    if (!result.adopted) {
        cr_assert_eq(result.events, after - before);
        cr_assert_leq(waits, waited + result.waiting);
    }
}

static void step_exchange(session *run)
{
    peer *from = any_peer(run);
    peer *to = any_peer(run);
    exported *slot = &run->kept[below(run, KEPT)];
    if (from != to) {
        exported whole = export_some(run, from, to);
        if (whole.size > 0) {
            exported_free(slot);
            *slot = whole;
        }
    }
    slot = &run->kept[below(run, KEPT)];
    if (slot->size > 0) {
        import_kept(run, to, slot);
    }
}

/* --- compaction --- */

typedef struct order {
    session *run;
    uint32_t events[TEXT_EVENTS_MAX]; /* of the history, by clock */
} order;

static bool note_order(void *context, uint64_t clock, const grove_event_run *run)
{
    order *found = context;
    const text_oracle *oracle = &found->run->history->oracle;
    for (uint32_t index = 0; index < run->operation.count; index++) {
        grove_event_id id = run->first;
        id.sequence += index;
        for (uint32_t number = 0; number < oracle->count; number++) {
            if (text_id_compare(&oracle->events[number].id, &id) == 0) {
                found->events[clock + index] = number;
            }
        }
    }
    return true;
}

/* How many of the stored events, by clock, all others of the history come
 * after: only those are removed, so that nothing is ever put aside. */
static uint64_t count_settled(session *run, peer *one, uint64_t stored)
{
    static order found;
    const text_oracle *oracle = &run->history->oracle;
    bool is_first[TEXT_EVENTS_MAX] = {false};
    uint64_t settled = 0;
    found.run = run;
    assert_ok(&one->store, grove_document_events(one->document, 0, note_order, &found,
                                                 &one->store.error));
    for (uint64_t clock = 0; clock < stored; clock++) {
        bool is_settled = true;
        is_first[found.events[clock]] = true;
        for (uint32_t event = 0; is_settled && event < oracle->count; event++) {
            for (uint64_t first = 0; is_settled && first <= clock; first++) {
                is_settled =
                    is_first[event] || oracle->history[event][found.events[first]];
            }
        }
        settled = is_settled ? clock + 1 : settled;
    }
    return settled;
}

static void step_compact(session *run, peer *one)
{
    peer_save(one);
    grove_document_statistics before = {.base_clock = 0};
    if (grove_document_clock(one->document) == 0) {
        return;
    }
    before = statistics_of(&one->store, EXCHANGED);
    if (before.base_clock == 0) {
        uint64_t settled = count_settled(run, one, before.events);
        if (settled > 0) {
            peer_compact(one, before.events - settled);
        }
    }
    (void)check(run, one);
}

/* --- sessions --- */

/* Hands the piece in wherever it fits; false: nowhere yet. */
static bool hand_in(session *run, text_piece piece)
{
    uint32_t from = below(run, run->peer_count);
    for (uint32_t index = 0; index < run->peer_count; index++) {
        peer *one = &run->peers[(from + index) % run->peer_count];
        bool has[TEXT_EVENTS_MAX];
        (void)note_known(run, one, has);
        if (text_history_is_ready(run->history, has, piece.first)) {
            text_document_add(&one->store, one->document, run->history, piece, has);
            (void)check(run, one);
            return true;
        }
    }
    return false;
}

static void step(session *run)
{
    switch (below(run, 8)) {
    case 0:
    case 1:
        step_save(run, any_peer(run));
        break;
    case 2:
        step_load_anew(run, any_peer(run));
        break;
    case 3:
        if (run->compacts) {
            step_compact(run, any_peer(run));
        }
        break;
    default:
        step_exchange(run);
        break;
    }
}

/* Everybody gets what everybody has. */
static void bring_all(session *run)
{
    for (uint32_t round = 0; round < 2 * run->peer_count; round++) {
        peer *from = &run->peers[round % run->peer_count];
        peer_save(from);
        for (uint32_t index = 0; index < run->peer_count; index++) {
            peer *to = &run->peers[index];
            peer_save(to);
            if (to != from && grove_document_clock(from->document) > 0) {
                exported whole = peer_export(from, to);
                import_kept(run, to, &whole);
                exported_free(&whole);
                peer_save(to);
            }
        }
    }
}

static void finish(session *run)
{
    for (uint32_t index = 0; index < run->peer_count; index++) {
        peer *one = &run->peers[index];
        cr_assert_eq(check(run, one), run->history->oracle.count);
        cr_assert_eq(waiting_of(one), 0);
        peer_reopen(one);
        cr_assert_eq(check(run, one), run->history->oracle.count);
        peer_release(one);
    }
    for (size_t index = 0; index < KEPT; index++) {
        exported_free(&run->kept[index]);
    }
}

static void run_session(test_random *random, tally *happened, const text_history *history,
                        uint32_t number, const char *backend)
{
    static const char *const NAMES[] = {"aa", "bb", "cc", "dd"};
    static session run;
    uint32_t pieces[TEXT_EVENTS_MAX];
    memset(&run, 0, sizeof run);
    run.random = random;
    run.tally = happened;
    run.history = history;
    run.peer_count = 2 + below(&run, PEERS_MAX - 1);
    run.compacts = below(&run, 2) == 0;
    for (uint32_t index = 0; index < run.peer_count; index++) {
        peer_init(&run.peers[index], backend, NAMES[index], NULL);
    }
    text_history_order(history, random, below(&run, 100), pieces);
    for (uint32_t count = 0; count < history->piece_count; count++) {
        (void)snprintf(run.place, sizeof run.place, "history %u, piece %u, number %u",
                       number, pieces[count], count);
        if (!hand_in(&run, history->pieces[pieces[count]])) {
            bring_all(&run);
            cr_assert(hand_in(&run, history->pieces[pieces[count]]));
        }
        for (uint32_t steps = below(&run, 5); steps > 0; steps--) {
            step(&run);
        }
    }
    bring_all(&run);
    finish(&run);
}

static tally run_sessions(const char *backend, uint32_t histories)
{
    static text_history history;
    tally happened = {0};
    test_random random = test_random_of("exchange sessions");
    for (uint32_t number = 0; number < histories; number++) {
        test_random own = {test_random_next(&random)};
        text_history_random(&history, &own, 20 + (uint32_t)test_random_below(&own, 100));
        text_history_cut(&history, &own);
        run_session(&own, &happened, &history, number, backend);
    }
    return happened;
}

Test(exchange, of_stores_in_memory_shows_what_the_oracle_says_at_each_step,
     .timeout = 600)
{
    tally happened = run_sessions("memory", HISTORIES);
    cr_expect_gt(happened.imports, 10 * HISTORIES);
    cr_expect_gt(happened.merges, 3 * HISTORIES);
    cr_expect_gt(happened.repetitions, HISTORIES);
    cr_expect_gt(happened.waits, HISTORIES / 6);
    cr_expect_gt(happened.releases, HISTORIES / 8);
    cr_expect_gt(happened.adoptions, HISTORIES / 40);
}

Test(exchange, of_stores_on_lmdb_shows_what_the_oracle_says_at_each_step, .timeout = 600)
{
    tally happened = run_sessions("lmdb", HISTORIES / 20);
    cr_expect_gt(happened.imports, HISTORIES / 2);
}
