/* Events that wait for others, in handles and in the store. */
#include "support/exchange.h"

/* All three have "abc"; a has made "d" and then "e", each exported alone. */
static void prepare_waiting(peers *all, exported *first, exported *second)
{
    peer_write(&all->a, 0, "abc");
    (void)peer_bring(&all->a, &all->b);
    (void)peer_bring(&all->a, &all->c);
    peer_save(&all->b);
    peer_save(&all->c);
    peer_write(&all->a, 3, "d");
    *first = peer_export(&all->a, &all->b);
    (void)peer_import(&all->b, first);
    peer_write(&all->b, 4, "xy");
    (void)peer_bring(&all->b, &all->a);
    peer_write(&all->a, 6, "e");
    *second = peer_export(&all->a, &all->b);
}

PEERS_TEST(pending, events_wait_for_what_they_depend_on_also_in_the_store)
{
    exported first;
    exported second;
    prepare_waiting(all, &first, &second);
    grove_import_result result = peer_import(&all->c, &second);
    cr_assert(result.events == 0 && result.known == 0 && result.waiting == 1 &&
              result.aside == 0);
    assert_waiting(&all->c, 1, 0);
    peer_check(&all->c, "abc");
    cr_assert_eq(grove_document_unsaved(all->c.document), 0);
    /* Unsaved, they are gone with the handle. */
    peer_reopen(&all->c);
    assert_waiting(&all->c, 0, 0);
    (void)peer_import(&all->c, &second);
    peer_save(&all->c);
    assert_waiting(&all->c, 1, 0);
    peer_reopen(&all->c);
    assert_waiting(&all->c, 1, 0);
    /* Its replica's next has come, its other parent has not. */
    result = peer_import(&all->c, &first);
    cr_assert(result.events == 1 && result.waiting == 0);
    assert_waiting(&all->c, 1, 0);
    peer_check(&all->c, "abcd");
    peer_save(&all->c);
    peer_reopen(&all->c);
    assert_waiting(&all->c, 1, 0);
    result = peer_bring(&all->b, &all->c);
    cr_assert(result.events == 3 && result.waiting == 0);
    peer_check(&all->c, "abcdxye");
    assert_waiting(&all->c, 0, 0);
    peer_save(&all->c);
    peer_reopen(&all->c);
    assert_waiting(&all->c, 0, 0);
    peer_check(&all->c, "abcdxye");
    exported_free(&first);
    exported_free(&second);
}

PEERS_TEST(pending, events_that_wait_already_wait_once)
{
    exported first;
    exported second;
    prepare_waiting(all, &first, &second);
    (void)peer_import(&all->c, &second);
    grove_import_result result = peer_import(&all->c, &second);
    cr_assert(result.waiting == 0 && result.known == 1 && result.events == 0);
    assert_waiting(&all->c, 1, 0);
    peer_save(&all->c);
    (void)peer_import(&all->c, &second);
    assert_waiting(&all->c, 1, 0);
    grove_save_result saved = save(&all->c.store, all->c.document);
    cr_assert_eq(saved.commit, 0);
    peer_reopen(&all->c);
    (void)peer_import(&all->c, &second);
    assert_waiting(&all->c, 1, 0);
    exported_free(&first);
    exported_free(&second);
}

PEERS_TEST(pending, a_gap_in_a_replica_waits)
{
    grove_event_id root = event_of("r", 0);
    peer_add(&all->a, text_run_of(root, NULL, 0, 0, "a"));
    peer_save(&all->a);
    (void)peer_bring(&all->a, &all->c);
    peer_save(&all->c);
    peer_add(&all->a, text_run_of(event_of("r", 1), &root, 1, 1, "b"));
    peer_save(&all->a);
    (void)peer_bring(&all->a, &all->b);
    peer_save(&all->b);
    /* Its parent is known to c, the event before it of its replica is not. */
    peer_add(&all->a, text_run_of(event_of("r", 2), &root, 1, 0, "c"));
    peer_save(&all->a);
    exported gap = peer_export(&all->a, &all->b);
    grove_import_result result = peer_import(&all->c, &gap);
    cr_assert(result.events == 0 && result.waiting == 1);
    peer_save(&all->c);
    peer_reopen(&all->c);
    result = peer_bring(&all->b, &all->c);
    cr_assert_eq(result.events, 2);
    assert_waiting(&all->c, 0, 0);
    peer_check(&all->c, "cab");
    exported_free(&gap);
}

PEERS_TEST(pending, a_save_merges_what_waited_for_events_of_another_handle)
{
    exported first;
    exported second;
    prepare_waiting(all, &first, &second);
    peer other = all->c;
    other.options.replica = event_of("dd", 0).replica;
    peer_open(&other);
    (void)peer_import(&all->c, &second);
    peer_save(&all->c);
    (void)peer_import(&other, &first);
    (void)peer_bring(&all->b, &other);
    peer_save(&other);
    peer_write(&all->c, 0, "c");
    peer_check(&all->c, "cabcdxye");
    assert_waiting(&all->c, 0, 0);
    cr_assert_eq(grove_document_unsaved(all->c.document), 0);
    peer_write(&other, 0, "d");
    assert_waiting(&other, 0, 0);
    peer_check(&other, "cdabcdxye");
    grove_document_close(other.document);
    peer_reopen(&all->c);
    peer_check(&all->c, "cdabcdxye");
    assert_waiting(&all->c, 0, 0);
    exported_free(&first);
    exported_free(&second);
}

/* A run of r whose parent nobody has yet. */
static exported export_orphan(peers *all, uint64_t events)
{
    char *letters = malloc(events + 1);
    cr_assert_not_null(letters);
    memset(letters, 'o', events);
    letters[events] = '\0';
    grove_event_id parent = event_of("q", 0);
    peer_add(&all->a, text_run_of(parent, NULL, 0, 0, "q"));
    peer_save(&all->a);
    (void)peer_bring(&all->a, &all->b);
    peer_add(&all->a, text_run_of(event_of("r", 0), &parent, 1, 1, letters));
    peer_save(&all->a);
    exported orphan = peer_export(&all->a, &all->b);
    free(letters);
    return orphan;
}

static void check_pending_limit(peers *all, uint64_t events, bool fits)
{
    exported orphan = export_orphan(all, events);
    if (fits) {
        cr_assert_eq(peer_import(&all->c, &orphan).waiting, events);
        assert_waiting(&all->c, events, 0);
        peer_save(&all->c);
        peer_reopen(&all->c);
        assert_waiting(&all->c, events, 0);
    } else {
        assert_refuses(&all->c, exported_view(&orphan), GROVE_LIMIT);
        assert_waiting(&all->c, 0, 0);
    }
    cr_assert_eq(peer_bring(&all->a, &all->c).events, events + 1);
    exported_free(&orphan);
}

static void wait_below_the_limit(peers *all)
{
    check_pending_limit(all, GROVE_PENDING_EVENTS_MAX - 1, true);
}

static void wait_at_the_limit(peers *all)
{
    check_pending_limit(all, GROVE_PENDING_EVENTS_MAX, true);
}

static void wait_above_the_limit(peers *all)
{
    check_pending_limit(all, GROVE_PENDING_EVENTS_MAX + UINT64_C(1), false);
}

/* What this handle keeps and what another saved are together too many. */
static void save_above_the_limit(peers *all)
{
    const uint64_t half = GROVE_PENDING_EVENTS_MAX / 2;
    exported first = export_orphan(all, half);
    (void)peer_bring(&all->a, &all->b);
    char *letters = malloc(half + 2);
    cr_assert_not_null(letters);
    memset(letters, 's', half + 1);
    letters[half + 1] = '\0';
    grove_event_id parent = event_of("q", 0);
    peer_add(&all->a, text_run_of(event_of("s", 0), &parent, 1, 1, letters));
    peer_save(&all->a);
    exported second = peer_export(&all->a, &all->b);
    peer other = all->c;
    other.options.replica = event_of("dd", 0).replica;
    peer_open(&other);
    cr_assert_eq(peer_import(&all->c, &second).waiting, half + 1);
    cr_assert_eq(peer_import(&other, &first).waiting, half);
    peer_save(&other);
    grove_document_close(other.document);

    peer_write(&all->c, 0, "c");
    peer_save(&all->c);
    cr_assert_eq(grove_document_unsaved(all->c.document), 0);
    assert_waiting(&all->c, half, 0);
    cr_assert_eq(peer_bring(&all->a, &all->c).events, 2 * half + 2);
    assert_waiting(&all->c, 0, 0);
    exported_free(&first);
    exported_free(&second);
    free(letters);
}

Test(pending, that_others_saved_does_not_keep_edits_from_being_saved, .timeout = 120)
{
    run_peers("memory", NULL, save_above_the_limit);
}

Test(pending, as_many_events_wait_as_the_limit_says, .timeout = 120)
{
    run_peers("memory", NULL, wait_below_the_limit);
    run_peers("memory", NULL, wait_at_the_limit);
    run_peers("memory", NULL, wait_above_the_limit);
}

PEERS_TEST(pending, what_waits_in_two_handles_is_stored_once)
{
    exported first;
    exported second;
    prepare_waiting(all, &first, &second);
    peer other = all->c;
    other.options.replica = event_of("dd", 0).replica;
    peer_open(&other);
    (void)peer_import(&all->c, &second);
    (void)peer_import(&other, &second);
    peer_save(&all->c);
    peer_write(&other, 0, "d");
    assert_waiting(&other, 1, 0);
    assert_waiting(&all->c, 1, 0);
    (void)peer_import(&other, &first);
    (void)peer_bring(&all->b, &other);
    peer_save(&other);
    assert_waiting(&other, 0, 0);
    assert_waiting(&all->c, 0, 0);
    grove_document_close(other.document);
    peer_reopen(&all->c);
    assert_waiting(&all->c, 0, 0);
    peer_check(&all->c, "dabcdxye");
    exported_free(&first);
    exported_free(&second);
}

PEERS_TEST(pending, of_a_longer_run_the_rest_waits_as_well)
{
    grove_event_id parent = event_of("q", 0);
    peer_add(&all->a, text_run_of(parent, NULL, 0, 0, "q"));
    peer_save(&all->a);
    (void)peer_bring(&all->a, &all->b);
    peer_add(&all->a, text_run_of(event_of("r", 0), &parent, 1, 1, "ab"));
    peer_save(&all->a);
    exported shorter = peer_export(&all->a, &all->b);
    peer_add(&all->a, text_run_of(event_of("r", 0), &parent, 1, 1, "abcd"));
    peer_save(&all->a);
    exported longer = peer_export(&all->a, &all->b);
    cr_assert_eq(peer_import(&all->c, &shorter).waiting, 2);
    grove_import_result result = peer_import(&all->c, &longer);
    cr_assert(result.waiting == 2 && result.known == 2);
    assert_waiting(&all->c, 4, 0);
    peer_save(&all->c);
    peer_reopen(&all->c);
    assert_waiting(&all->c, 4, 0);
    result = peer_import(&all->c, &longer);
    cr_assert(result.waiting == 0 && result.known == 4);
    peer_save(&all->b);
    cr_assert_eq(peer_bring(&all->b, &all->c).events, 5);
    assert_waiting(&all->c, 0, 0);
    peer_check(&all->c, "qabcd");
    exported_free(&shorter);
    exported_free(&longer);
}

PEERS_TEST(pending, what_waited_and_comes_again_is_let_go)
{
    peer_write(&all->a, 0, "abc");
    (void)peer_bring(&all->a, &all->b);
    (void)peer_bring(&all->a, &all->c);
    peer_write(&all->a, 3, "d");
    (void)peer_bring(&all->a, &all->b);
    peer_write(&all->a, 0, "e");
    exported last = peer_export(&all->a, &all->b);
    cr_assert_eq(peer_import(&all->c, &last).waiting, 1);
    exported whole = peer_export(&all->a, NULL);
    /* Unsaved events are known, new ones come after them, and what waited is
     * one of these. */
    grove_import_result result = peer_import(&all->c, &whole);
    cr_assert(result.events == 2 && result.known == 3 && result.waiting == 0);
    assert_waiting(&all->c, 0, 0);
    peer_check(&all->c, "eabcd");
    peer_save(&all->c);
    peer_reopen(&all->c);
    peer_check(&all->c, "eabcd");
    exported_free(&last);
    exported_free(&whole);
}
