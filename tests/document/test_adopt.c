/* Exports of documents whose history was removed. */
#include "support/exchange.h"

/* a has "base", its history removed, and " and more" after that. */
static exported export_compacted(peers *all)
{
    peer_write(&all->a, 0, "bse");
    peer_write(&all->a, 1, "a");
    peer_compact(&all->a, 0);
    peer_write(&all->a, 4, " and");
    peer_write(&all->a, 8, " more");
    return peer_export(&all->a, NULL);
}

static bool see_nothing(void *context, uint64_t clock, const grove_event_run *run)
{
    (void)context, (void)clock, (void)run;
    return true;
}

/* One of them is told apart from the other's unless it is equal. */
static void check_equal(peer *one, peer *other)
{
    peer_state a = peer_state_of(one);
    peer_state b = peer_state_of(other);
    cr_assert(peer_states_equal(&a, &b));
    grove_version version;
    grove_version others;
    assert_ok(&one->store,
              grove_document_version(one->document, &version, &one->store.error));
    assert_ok(&other->store,
              grove_document_version(other->document, &others, &other->store.error));
    cr_assert_eq(version.head_count, others.head_count);
    for (size_t index = 0; index < version.head_count; index++) {
        cr_assert_eq(version.heads[index].sequence, others.heads[index].sequence);
    }
}

PEERS_TEST(adopt, of_a_newcomer_takes_snapshot_events_and_clocks)
{
    exported whole = export_compacted(all);
    grove_import_result result = peer_import(&all->b, &whole);
    cr_assert(result.adopted && result.events == 13 && result.known == 0 &&
              result.waiting == 0);
    peer_check(&all->b, "base and more");
    check_equal(&all->a, &all->b);
    cr_assert_eq(grove_document_unsaved(all->b.document), 0);
    cr_assert_eq(grove_document_clock(all->b.document), 13);
    peer_reopen(&all->b);
    cr_assert_eq(grove_document_damaged_snapshots(all->b.document), 0);
    check_equal(&all->a, &all->b);
    cr_assert_eq(statistics_of(&all->b.store, EXCHANGED).base_clock, 4);
    assert_fails(&all->b.store, GROVE_HISTORY_REMOVED,
                 grove_document_events(all->b.document, 0, see_nothing, NULL,
                                       &all->b.store.error));
    assert_ok(&all->b.store, grove_document_events(all->b.document, 4, see_nothing, NULL,
                                                   &all->b.store.error));
    /* It goes on, to and fro. */
    peer_write(&all->b, 13, "!");
    cr_assert_eq(peer_bring(&all->b, &all->a).events, 1);
    peer_save(&all->a);
    peer_check(&all->a, "base and more!");
    result = peer_bring(&all->b, &all->c);
    cr_assert(result.adopted);
    peer_check(&all->c, "base and more!");
    exported_free(&whole);
}

PEERS_TEST(adopt, twice_changes_nothing)
{
    exported whole = export_compacted(all);
    (void)peer_import(&all->b, &whole);
    uint64_t revision = statistics_of(&all->b.store, EXCHANGED).revision;
    grove_import_result result = peer_import(&all->b, &whole);
    cr_assert(!result.adopted && result.events == 0 && result.known == 9);
    cr_assert_eq(statistics_of(&all->b.store, EXCHANGED).revision, revision);
    exported_free(&whole);
}

PEERS_TEST(adopt, replaces_a_document_that_the_export_contains)
{
    peer_write(&all->a, 0, "bse");
    (void)peer_bring(&all->a, &all->b);
    peer_save(&all->b);
    peer other = all->b;
    other.options.replica = event_of("dd", 0).replica;
    peer_open(&other);
    peer_write(&all->a, 1, "a");
    peer_compact(&all->a, 0);
    peer_write(&all->a, 4, "d");
    exported whole = peer_export(&all->a, &all->b);
    grove_import_result result = peer_import(&all->b, &whole);
    cr_assert(result.adopted);
    check_equal(&all->a, &all->b);
    /* The other handle is of what was replaced. */
    uint64_t events;
    assert_fails(&other.store, GROVE_NONE,
                 grove_document_refresh(other.document, &events, &other.store.error));
    insert(&other.store, other.document, 0, "x");
    assert_fails(&other.store, GROVE_CONFLICT,
                 grove_document_save(other.document, NULL, NULL, &other.store.error));
    assert_fails(&other.store, GROVE_CONFLICT,
                 grove_document_import(other.document, exported_view(&whole), NULL,
                                       &other.store.error));
    grove_document_close(other.document);
    peer_reopen(&all->b);
    check_equal(&all->a, &all->b);
    exported_free(&whole);
}

typedef struct told {
    char text[64];
    size_t edits;
} told;

/* Makes the edit in a copy of the text. */
static void take_edit(void *context, const grove_text_edit *edit)
{
    told *copy = context;
    size_t size = strlen(copy->text);
    cr_assert_leq(edit->position + edit->deleted, size);
    cr_assert_lt(size + edit->utf8.size, sizeof copy->text);
    char *at = copy->text + edit->position;
    memmove(at + edit->utf8.size, at + edit->deleted,
            size - edit->position - edit->deleted + 1);
    memcpy(at, edit->utf8.data, edit->utf8.size);
    copy->edits++;
}

PEERS_TEST(adopt, tells_a_listener_of_one_replacement)
{
    told copy = {"", 0};
    peer_write(&all->b, 0, "bse");
    exported first = peer_export(&all->b, NULL);
    peer_release(&all->a);
    peer_init(&all->a, all->b.store.options.backend->name, "aa", NULL);
    (void)peer_import(&all->a, &first);
    peer_save(&all->a);
    peer_write(&all->a, 1, "a");
    peer_compact(&all->a, 0);
    peer_write(&all->a, 4, " and");
    peer_write(&all->a, 8, " more");
    (void)snprintf(copy.text, sizeof copy.text, "bse");
    assert_ok(&all->b.store,
              grove_text_on_edit(all->b.document, take_edit, &copy, &all->b.store.error));
    exported whole = peer_export(&all->a, NULL);
    cr_assert(peer_import(&all->b, &whole).adopted);
    cr_assert_str_eq(copy.text, "base and more");
    cr_assert_eq(copy.edits, 1);
    exported_free(&first);
    exported_free(&whole);
}

/* Another handle on a store of which a handle adopts something else. */
PEERS_TEST(adopt, leaves_other_handles_of_the_store_behind)
{
    exported whole = export_compacted(all);
    peer behind = all->b;
    behind.options.replica = event_of("b2", 0).replica;
    peer_write(&all->b, 0, "b");
    peer_open(&behind);
    assert_ok(&all->b.store,
              grove_document_delete(all->b.store.store, grove_bytes_of(EXCHANGED), NULL,
                                    &all->b.store.error));
    peer_reopen(&all->b);
    cr_assert(peer_import(&all->b, &whole).adopted);
    grove_version_vector vector;
    assert_fails(
        &behind.store, GROVE_CONFLICT,
        grove_document_version_vector(behind.document, &vector, &behind.store.error));
    /* It holds a clock before the base, which holds back more than there is. */
    peer_compact(&all->b, 0);
    cr_assert_eq(statistics_of(&all->b.store, EXCHANGED).base_clock, 4);
    grove_document_close(behind.document);
    peer_compact(&all->b, 0);
    cr_assert_eq(statistics_of(&all->b.store, EXCHANGED).base_clock, 13);
    exported_free(&whole);
}

PEERS_TEST(adopt, does_not_go_with_unsaved_events)
{
    peer_write(&all->a, 0, "bse");
    exported first = peer_export(&all->a, NULL);
    (void)peer_import(&all->b, &first);
    peer_write(&all->a, 1, "a");
    peer_compact(&all->a, 0);
    exported whole = peer_export(&all->a, NULL);
    assert_refuses(&all->b, exported_view(&whole), GROVE_CONFLICT);
    peer_save(&all->b);
    cr_assert(peer_import(&all->b, &whole).adopted);
    peer_check(&all->b, "base");
    exported_free(&first);
    exported_free(&whole);
}

PEERS_TEST(adopt, is_not_for_a_document_with_events_of_its_own)
{
    peer_write(&all->a, 0, "bse");
    (void)peer_bring(&all->a, &all->b);
    peer_write(&all->b, 3, "b");
    peer_write(&all->a, 1, "a");
    peer_compact(&all->a, 0);
    peer_write(&all->a, 4, "d");
    exported whole = peer_export(&all->a, NULL);
    /* What was removed there cannot come; what came after it waits. */
    grove_import_result result = peer_import(&all->b, &whole);
    cr_assert(!result.adopted && result.events == 0 && result.waiting == 1);
    peer_save(&all->b);
    peer_check(&all->b, "bseb");
    peer_reopen(&all->b);
    peer_check(&all->b, "bseb");
    assert_waiting(&all->b, 1, 0);
    /* Nor is there a place for b's event where history was removed. */
    exported rest = peer_export(&all->b, &all->a);
    result = peer_import(&all->a, &rest);
    cr_assert(result.events == 0 && result.waiting == 1 && result.aside == 1);
    peer_save(&all->a);
    peer_reopen(&all->a);
    assert_waiting(&all->a, 1, 1);
    peer_check(&all->a, "based");
    exported_free(&rest);
    exported_free(&whole);
}

typedef struct authors {
    uint64_t points;
    uint64_t unknown;
} authors;

static bool count_authors(void *context, const grove_text_authorship *authorship)
{
    authors *found = context;
    found->points += authorship->count;
    found->unknown += authorship->event.replica.size == 0 ? authorship->count : 0;
    return true;
}

PEERS_TEST(adopt, keeps_who_wrote_what_and_older_versions)
{
    exported whole = export_compacted(all);
    (void)peer_import(&all->b, &whole);
    authors here = {0, 0};
    authors there = {0, 0};
    assert_ok(&all->a.store, grove_text_blame(all->a.document, 0, 13, count_authors,
                                              &there, &all->a.store.error));
    assert_ok(&all->b.store, grove_text_blame(all->b.document, 0, 13, count_authors,
                                              &here, &all->b.store.error));
    cr_assert(here.points == 13 && here.unknown == 4);
    cr_assert(there.points == 13 && there.unknown == 4);
    grove_document *past = NULL;
    assert_ok(&all->b.store,
              grove_document_load_at(all->b.store.store, grove_bytes_of(EXCHANGED), 8,
                                     NULL, &past, &all->b.store.error));
    assert_text(&all->b.store, past, "base and");
    grove_document_close(past);
    exported_free(&whole);
}

PEERS_TEST(adopt, with_nothing_after_the_snapshot)
{
    peer_write(&all->a, 0, "base");
    peer_compact(&all->a, 0);
    cr_assert(peer_bring(&all->a, &all->b).adopted);
    check_equal(&all->a, &all->b);
    peer_reopen(&all->b);
    peer_check(&all->b, "base");
    peer_write(&all->b, 4, "!");
    cr_assert_eq(peer_bring(&all->b, &all->a).events, 1);
    peer_check(&all->a, "base!");
}

static void check_opaque(peer *one, const char *state, uint64_t payloads)
{
    grove_bytes bytes;
    bool is_set;
    uint64_t count;
    assert_ok(&one->store, grove_opaque_state(one->document, &is_set, &bytes, &count,
                                              &one->store.error));
    cr_assert_eq(is_set, state != NULL);
    cr_assert(state == NULL || (bytes.size == strlen(state) &&
                                memcmp(bytes.data, state, bytes.size) == 0));
    cr_assert_eq(count, payloads);
}

static void append(peer *one, const char *payload)
{
    assert_ok(&one->store, grove_opaque_append(one->document, grove_bytes_of(payload),
                                               &one->store.error));
    peer_save(one);
}

static void exchange_opaque(peers *all)
{
    append(&all->a, "one");
    cr_assert_eq(peer_bring(&all->a, &all->b).events, 1);
    append(&all->b, "two");
    append(&all->a, "three");
    cr_assert_eq(peer_bring(&all->b, &all->a).events, 1);
    peer_save(&all->a);
    check_opaque(&all->a, NULL, 3);
    assert_ok(&all->a.store,
              grove_opaque_set_state(all->a.document, grove_bytes_of("all three"),
                                     &all->a.store.error));
    append(&all->a, "four");
    assert_ok(&all->a.store,
              grove_opaque_set_state(all->a.document, grove_bytes_of("all four"),
                                     &all->a.store.error));
    peer_compact(&all->a, 0);
    append(&all->a, "five");
    grove_import_result result = peer_bring(&all->a, &all->c);
    cr_assert(result.adopted && result.events == 5);
    check_opaque(&all->c, "all four", 1);
    peer_reopen(&all->c);
    check_opaque(&all->c, "all four", 1);
    append(&all->c, "six");
    cr_assert_eq(peer_bring(&all->c, &all->a).events, 1);
    check_opaque(&all->a, "all four", 2);
}

Test(adopt, opaque_documents_exchange_and_are_adopted)
{
    run_peers("lmdb", grove_type_opaque(), exchange_opaque);
    run_peers("memory", grove_type_opaque(), exchange_opaque);
}
