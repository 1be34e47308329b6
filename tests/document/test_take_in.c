/*
 * Two handles of one store that were given what the same peers sent: what both
 * have is stored once, whoever saves first, and is told to nobody twice.
 */
#include "document/document.h"
#include "document/known.h"
#include "kv/value.h"
#include "support/exchange.h"
#include "support/faulty_allocator.h"
#include "support/verified_store.h"

/* Another handle on a peer's store. */
static peer second_of(const peer *one, const char *replica)
{
    peer second = *one;
    second.options.replica = event_of(replica, 0).replica;
    peer_open(&second);
    return second;
}

static void refresh(peer *one)
{
    assert_ok(&one->store,
              grove_document_refresh(one->document, NULL, &one->store.error));
}

/* What a peer has stored comes to a handle, which need not lack it. */
static void give(peer *to, const exported *whole)
{
    if (whole->size > 0) {
        (void)peer_import(to, whole);
    }
}

/* A save or a refresh that fails and changes nothing. */
static void assert_takes_nothing_in(peer *one, grove_status wanted)
{
    peer_state before = peer_state_of(one);
    assert_fails(&one->store, wanted,
                 grove_document_refresh(one->document, NULL, &one->store.error));
    assert_fails(&one->store, wanted,
                 grove_document_save(one->document, NULL, NULL, &one->store.error));
    peer_state after = peer_state_of(one);
    cr_assert(peer_states_equal(&before, &after));
}

PEERS_TEST(take_in, what_both_were_given_is_stored_once)
{
    peer second = second_of(&all->a, "a2");
    peer_write(&all->b, 0, "from b");
    exported whole = peer_export(&all->b, NULL);
    give(&all->a, &whole);
    give(&second, &whole);
    cr_assert_eq(grove_document_unsaved(second.document), 6);
    peer_save(&all->a);
    grove_save_result result;
    assert_ok(&second.store,
              grove_document_save(second.document, NULL, &result, &second.store.error));
    cr_assert_eq(result.events, 0);
    cr_assert_eq(result.commit, 0);
    cr_assert_eq(grove_document_unsaved(second.document), 0);
    cr_assert_eq(grove_document_clock(second.document), 6);
    peer_check(&second, "from b");
    /* Nothing of it is held for the second one's sake. */
    peer_compact(&all->a, 0);
    cr_assert_eq(statistics_of(&all->a.store, EXCHANGED).base_clock, 6);
    peer_write(&second, 6, "!");
    refresh(&all->a);
    peer_check(&all->a, "from b!");
    exported_free(&whole);
    grove_document_close(second.document);
}

/* --- all ways in which two handles can have been given some of it --- */

enum { OF_B = 4, OF_C = 3 };

typedef struct sent {
    exported b[OF_B + 1], c[OF_C + 1]; /* by how many changes are in it */
    uint64_t b_events[OF_B + 1], c_events[OF_C + 1];
} sent;

/* Changes of two peers, of which the second one's go on from the first's. */
static void make_sent(peers *all, sent *made)
{
    static const char *const WORDS[] = {"bee", "B", "bb", "bumble"};
    memset(made, 0, sizeof *made);
    for (size_t count = 0; count < OF_B; count++) {
        peer_write(&all->b, count, WORDS[count]);
        made->b[count + 1] = peer_export(&all->b, NULL);
        made->b_events[count + 1] = grove_document_clock(all->b.document);
    }
    give(&all->c, &made->b[1]);
    for (size_t count = 0; count < OF_C; count++) {
        peer_write(&all->c, 1 + count, count % 2 == 0 ? "sea" : "C");
        made->c[count + 1] = peer_export(&all->c, NULL);
        made->c_events[count + 1] =
            grove_document_clock(all->c.document) - made->b_events[1];
    }
}

static void free_sent(sent *made)
{
    for (size_t count = 0; count <= OF_B; count++) {
        exported_free(&made->b[count]);
    }
    for (size_t count = 0; count <= OF_C; count++) {
        exported_free(&made->c[count]);
    }
}

/* What a handle is given, in what order. */
typedef struct given {
    size_t b, c;
    bool is_c_first, makes_own;
} given;

static given given_of(uint32_t number)
{
    return (given){number % (OF_B + 1), number / (OF_B + 1) % (OF_C + 1),
                   number / ((OF_B + 1) * (OF_C + 1)) == 1, number % 3 != 0};
}

enum { WAYS = 2 * (OF_B + 1) * (OF_C + 1) };

static void make_own(peer *one, given what, uint64_t position)
{
    if (what.makes_own) {
        peer_insert(one, position, "own");
    }
}

static uint64_t own_events(given what)
{
    return what.makes_own ? 6 : 0;
}

static void give_all(peer *to, const sent *made, given what)
{
    give(to, what.is_c_first ? &made->c[what.c] : &made->b[what.b]);
    make_own(to, what, 0);
    give(to, what.is_c_first ? &made->b[what.b] : &made->c[what.c]);
    make_own(to, what, 1);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* All handles, and who gets it from them, show the same. */
static void check_end(peer *first, peer *second, uint64_t events)
{
    char text[EXCHANGE_BYTES_MAX];
    peer other;
    findings all;
    peer_state state = peer_state_of(first);
    memcpy(text, state.text, sizeof text);
    cr_assert_eq(state.clock, events);
    cr_assert_eq(state.unsaved, 0);
    state = peer_state_of(second);
    cr_assert_eq(state.clock, events);
    cr_assert_eq(state.unsaved, 0);
    cr_assert_str_eq(state.text, text);
    verify_store(first->store.store, true, &all);
    cr_assert_eq(all.count, 0);
    peer_init(&other, "memory", "dd", NULL);
    (void)peer_bring(first, &other);
    peer_check(&other, text);
    peer_release(&other);
}

static void check_way(const sent *made, const char *backend, given one, given two)
{
    peer first;
    peer_init(&first, backend, "aa", NULL);
    peer second = second_of(&first, "a2");
    give_all(&first, made, one);
    give_all(&second, made, two);
    peer_save(&first);
    /* Concurrent with all that the second one has left. */
    peer_insert(&first, 0, "on");
    refresh(&second);
    peer_state state = peer_state_of(&second);
    peer_save(&second);
    peer_check(&second, state.text);
    peer_save(&first);
    refresh(&second);
    /* c goes on from b's first change. */
    size_t c = larger(one.c, two.c);
    size_t b = larger(larger(one.b, two.b), c > 0);
    check_end(&first, &second,
              made->b_events[b] + made->c_events[c] + 2 + own_events(one) +
                  own_events(two));
    grove_document_close(second.document);
    peer_release(&first);
}

static void check_ways(peers *all, const char *backend, uint32_t stride)
{
    sent made;
    make_sent(all, &made);
    for (uint32_t way = 0; way < WAYS * WAYS; way += stride) {
        check_way(&made, backend, given_of(way % WAYS), given_of(way / WAYS));
    }
    free_sent(&made);
}

PEERS_TEST(take_in, each_may_have_any_part_of_it)
{
    bool is_on_disk = strcmp(all->a.store.options.backend->name, "lmdb") == 0;
    check_ways(all, all->a.store.options.backend->name, is_on_disk ? 61 : 1);
}

/* --- what is told --- */

typedef struct told {
    uint64_t edits, inserted;
} told;

static void count_edit(void *context, const grove_text_edit *edit)
{
    told *all = context;
    all->edits++;
    all->inserted += edit->inserted;
    cr_assert_eq(edit->deleted, 0);
}

PEERS_TEST(take_in, only_what_is_new_is_told)
{
    peer second = second_of(&all->a, "a2");
    told heard = {0, 0};
    peer_write(&all->b, 0, "one");
    exported begin = peer_export(&all->b, NULL);
    peer_write(&all->b, 3, " and two");
    give(&second, &begin);
    (void)peer_bring(&all->b, &all->a);
    peer_save(&all->a);
    peer_insert(&second, 0, "mine, ");
    assert_ok(&second.store, grove_text_on_edit(second.document, count_edit, &heard,
                                                &second.store.error));
    peer_save(&second);
    peer_check(&second, "mine, one and two");
    cr_assert_eq(heard.edits, 1);
    cr_assert_eq(heard.inserted, 8);
    exported_free(&begin);
    grove_document_close(second.document);
}

/* --- what is refused --- */

PEERS_TEST(take_in, other_events_by_the_same_ids_are_refused)
{
    peer second = second_of(&all->a, "a2");
    peer_add(&all->a, text_run_of(event_of("far", 0), NULL, 0, 0, "same, then one"));
    peer_add(&second, text_run_of(event_of("far", 0), NULL, 0, 0, "same, then two"));
    peer_save(&all->a);
    assert_takes_nothing_in(&second, GROVE_REPLICA_REUSED);
    peer_reopen(&second);
    peer_check(&second, "same, then one");
    grove_document_close(second.document);
}

/* Events that were made here are never taken for another's, even if they say
 * the same: the clock stands still. */
STORE_TEST(take_in, what_two_writers_made_as_one_replica_is_refused)
{
    peer first = {.store = *fixture, .options = GROVE_DOCUMENT_OPTIONS_INIT};
    first.options.replica = event_of("aa", 0).replica;
    peer_open(&first);
    peer second = second_of(&first, "aa");
    peer_insert(&first, 0, "same");
    peer_insert(&second, 0, "same");
    peer_save(&first);
    assert_takes_nothing_in(&second, GROVE_REPLICA_REUSED);
    grove_document_close(second.document);
    grove_document_close(first.document);
}

/* Events of the handle's own replica that it did not make come from a peer. */
PEERS_TEST(take_in, own_events_that_were_made_elsewhere_are_shared_like_others)
{
    peer lost = second_of(&all->b, "aa");
    peer_write(&all->a, 0, "my ");
    peer second = second_of(&all->a, "a2");
    (void)peer_bring(&all->a, &lost);
    peer_save(&lost);
    peer_write(&lost, 3, "old");
    exported whole = peer_export(&lost, NULL);
    give(&all->a, &whole);
    give(&second, &whole);
    peer_insert(&all->a, 6, " and new");
    peer_save(&second);
    peer_save(&all->a);
    peer_check(&all->a, "my old and new");
    cr_assert_eq(grove_document_clock(all->a.document), 14);
    refresh(&second);
    peer_check(&second, "my old and new");
    exported_free(&whole);
    grove_document_close(lost.document);
    grove_document_close(second.document);
}

/* What is stored by now is held for nobody's sake, though something is left. */
PEERS_TEST(take_in, what_is_left_holds_no_more_than_it_needs)
{
    peer second = second_of(&all->a, "a2");
    peer_write(&all->b, 0, "from b.");
    exported whole = peer_export(&all->b, NULL);
    give(&all->a, &whole);
    give(&second, &whole);
    peer_insert(&second, 7, "end");
    peer_save(&all->a);
    refresh(&second);
    cr_assert_eq(grove_document_unsaved(second.document), 3);
    peer_compact(&all->a, 0);
    cr_assert_eq(statistics_of(&all->a.store, EXCHANGED).base_clock, 7);
    peer_save(&second);
    refresh(&all->a);
    peer_check(&all->a, "from b.end");
    exported_free(&whole);
    grove_document_close(second.document);
}

/* A batch in which a replica's events begin anywhere. */
static void forge_gap(peer *one, uint64_t clock, const grove_event_id *parent)
{
    grove__events events;
    grove_buffer block;
    grove__events_init(&events, one->document->allocator);
    grove_buffer_init(&block, one->document->allocator);
    const grove_event_run run = text_run_of(event_of("far", 100), parent, 1, 0, "gap");
    assert_ok(&one->store,
              grove__events_append(&events, grove_type_text(), &run, &one->store.error));
    assert_ok(&one->store, grove__batch_encode(&events, grove_type_text(), clock,
                                               grove__batch_packing_usual(), &block,
                                               &one->store.error));
    grove__batch_place(block.data, clock);
    grove__txn txn;
    grove__key key;
    grove__key_of_clock(&key, grove_bytes_of(EXCHANGED), clock);
    assert_ok(&one->store, grove__txn_begin(&one->store.store->kv, GROVE_TXN_WRITE, &txn,
                                            &one->store.error));
    assert_ok(&one->store,
              grove__value_put(&txn, GROVE__TABLE_EVENTS, grove__key_view(&key),
                               grove_buffer_view(&block), &one->store.error));
    assert_ok(&one->store, grove__txn_commit(&txn, &one->store.error));
    grove_buffer_release(&block);
    grove__events_release(&events);
}

PEERS_TEST(take_in, stored_events_with_a_gap_before_them_are_refused)
{
    grove_event_id last = event_of("aa", 3);
    peer_write(&all->a, 0, "base");
    peer_compact(&all->a, 0);
    peer second = second_of(&all->a, "a2");
    peer_add(&second, text_run_of(event_of("far", 0), &last, 1, 0, "xy"));
    peer_write(&all->a, 4, "abc");
    forge_gap(&all->a, 4, &last);
    assert_takes_nothing_in(&second, GROVE_CORRUPT);
    grove_document_close(second.document);
}

/* --- in any order --- */

/* Events of two replicas in turns, compared one replica after the other. */
PEERS_TEST(take_in, comparing_goes_back_and_forth_in_few_steps)
{
    enum { TURNS = 1000 };
    static const char *const NAMES[] = {"xx", "yy"};
    for (uint64_t turn = 0; turn < TURNS; turn++) {
        for (size_t lane = 0; lane < 2; lane++) {
            grove_event_id before = event_of(NAMES[lane], turn > 0 ? turn - 1 : 0);
            peer_add(&all->a, text_run_of(event_of(NAMES[lane], turn), &before, turn > 0,
                                          0, lane == 0 ? "x" : "y"));
        }
    }
    grove__txn txn;
    grove__known *known = malloc(sizeof *known);
    assert_ok(&all->a.store, grove__txn_begin(&all->a.store.store->kv, GROVE_TXN_READ,
                                              &txn, &all->a.store.error));
    grove__known_init(known, all->a.document, &txn);
    for (size_t lane = 0; lane < 2; lane++) {
        for (uint64_t turn = 0; turn < TURNS; turn++) {
            grove_event_id before = event_of(NAMES[lane], turn > 0 ? turn - 1 : 0);
            grove_event_run run = text_run_of(event_of(NAMES[lane], turn), &before,
                                              turn > 0, 0, lane == 0 ? "x" : "y");
            uint32_t count = 0;
            cr_assert_eq(grove__known_compare(known, &run, 2 * turn + lane, &count, NULL),
                         GROVE_DUPLICATE);
            cr_assert_eq(count, 1);
            run.operation.content = grove_bytes_of("z");
            /* And far off, and back. */
            cr_assert_eq(grove__known_compare(known, &run, 2 * (TURNS - 1 - turn) + lane,
                                              &count, NULL),
                         GROVE_REPLICA_REUSED);
        }
    }
    cr_assert_lt(known->steps, 4 * TURNS * 40);
    grove__known_release(known);
    free(known);
    grove__txn_abort(&txn);
}

/* --- documents that cannot be merged --- */

/* A chain of so many payloads. */
static void add_payloads(peer *one, uint32_t count)
{
    static const char PAYLOADS[] = "abcdefgh";
    grove_event_id before = event_of("far", 0);
    for (uint32_t nth = 0; nth < count; nth++) {
        before.sequence = nth > 0 ? nth - 1 : 0;
        grove_event_run run = {
            .first = event_of("far", nth),
            .parents = &before,
            .parent_count = nth > 0,
            .timestamp = 3,
            .operation = {0, 1, 0, {(const uint8_t *)PAYLOADS + nth, 1}}};
        peer_add(one, run);
    }
}

/* A chain of which the first handle is given so many, and the second so many
 * and then makes one of its own. */
static void check_chain(const char *backend, uint32_t first_has, uint32_t second_has,
                        bool makes_own)
{
    grove_document_type type = *grove_type_opaque();
    peer first;
    type.name = "plain";
    type.capabilities = 0;
    peer_init(&first, backend, "aa", &type);
    peer second = second_of(&first, "a2");
    add_payloads(&first, first_has);
    add_payloads(&second, second_has);
    if (makes_own) {
        grove_operation own = {0, 1, 0, grove_bytes_of("own")};
        assert_ok(&second.store,
                  grove__document_make(second.document, &own, &second.store.error));
    }
    peer_save(&first);
    if (makes_own && first_has > second_has) {
        assert_takes_nothing_in(&second, GROVE_UNSUPPORTED);
    } else {
        refresh(&second);
        peer_save(&second);
        refresh(&first);
        uint64_t events = larger(first_has, second_has) + makes_own;
        cr_assert_eq(grove_document_clock(second.document), events);
        cr_assert_eq(grove_document_clock(first.document), events);
        cr_assert_eq(grove_document_unsaved(second.document), 0);
    }
    grove_document_close(second.document);
    peer_release(&first);
}

Test(take_in, a_chain_is_taken_in_where_nothing_is_concurrent)
{
    for (uint32_t first = 1; first <= 4; first++) {
        for (uint32_t second = 1; second <= 4; second++) {
            check_chain("memory", first, second, false);
            check_chain("memory", first, second, true);
        }
    }
    check_chain("lmdb", 3, 2, true);
    check_chain("lmdb", 2, 3, true);
}

/* --- memory --- */

/* With the nth allocation of a refresh failing; false: it has not as many. */
static bool check_allocation(const sent *made, const char *backend, size_t nth,
                             size_t *intact)
{
    faulty_allocator faulty;
    peer first;
    faulty_allocator_init(&faulty, 0);
    peer_init_with(&first, backend, "aa", NULL, &faulty.allocator);
    peer second = second_of(&first, "a2");
    give_all(&first, made, (given){4, 1, false, true});
    give_all(&second, made, (given){2, 3, true, true});
    peer_save(&first);
    peer_state before = peer_state_of(&second);
    faulty.fails_at = faulty.calls + nth;
    grove_status status =
        grove_document_refresh(second.document, NULL, &second.store.error);
    faulty.fails_at = 0;
    bool has_failed = faulty.has_failed;
    if (status != GROVE_OK && second.document->failed) {
        /* Half of the edits are in the text: what was unsaved is lost. */
        peer_reopen(&second);
        give_all(&second, made, (given){2, 3, true, true});
    } else if (status != GROVE_OK) {
        peer_state after = peer_state_of(&second);
        cr_assert(peer_states_equal(&before, &after));
        (*intact)++;
    }
    cr_assert(status == GROVE_OK || status == GROVE_NO_MEMORY);
    peer_save(&second);
    refresh(&first);
    check_end(&first, &second, made->b_events[4] + made->c_events[3] + 12);
    grove_document_close(second.document);
    peer_release(&first);
    faulty_allocator_finish(&faulty);
    return has_failed;
}

PEERS_TEST(take_in, each_allocation_may_fail)
{
    sent made;
    size_t intact = 0;
    make_sent(all, &made);
    for (size_t nth = 1;
         check_allocation(&made, all->a.store.options.backend->name, nth, &intact);
         nth++) {
    }
    cr_assert_gt(intact, 20);
    free_sent(&made);
}
