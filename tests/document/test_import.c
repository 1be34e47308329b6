/* Exports that are taken in, known already, or refused. */
#include "support/exchange.h"

PEERS_TEST(import, exchange_of_all_and_of_what_is_lacking_makes_equal_texts)
{
    peer_write(&all->a, 0, "hello world");
    grove_import_result result = peer_bring(&all->a, &all->b);
    cr_assert(result.events == 11 && result.known == 0 && result.waiting == 0 &&
              result.aside == 0 && !result.adopted);
    peer_check(&all->b, "hello world");
    cr_assert_eq(grove_document_unsaved(all->b.document), 11);
    cr_assert_eq(grove_document_clock(all->b.document), 0);
    peer_write(&all->b, 5, " big");
    peer_write(&all->a, 11, "!");
    result = peer_bring(&all->b, &all->a);
    cr_assert(result.events == 4 && result.known == 0);
    peer_save(&all->a);
    result = peer_bring(&all->a, &all->b);
    cr_assert(result.events == 1 && result.known == 0);
    peer_save(&all->b);
    peer_check(&all->a, "hello big world!");
    peer_check(&all->b, "hello big world!");
    peer_reopen(&all->b);
    peer_check(&all->b, "hello big world!");
    grove_replica replica = event_of("aa", 0).replica;
    cr_assert_eq(peer_knows(&all->b, &replica), 12);
    replica = event_of("bb", 0).replica;
    cr_assert_eq(peer_knows(&all->a, &replica), 4);
    result = peer_bring(&all->a, &all->b);
    cr_assert(result.events == 0 && result.known == 0 && result.waiting == 0);
}

PEERS_TEST(import, what_is_known_changes_nothing)
{
    peer_write(&all->a, 0, "abc");
    exported first = peer_export(&all->a, NULL);
    (void)peer_import(&all->b, &first);
    grove_import_result result = peer_import(&all->b, &first);
    cr_assert(result.events == 0 && result.known == 3 && result.waiting == 0);
    cr_assert_eq(grove_document_unsaved(all->b.document), 3);
    peer_write(&all->b, 3, "d");
    peer_write(&all->a, 3, "ef");
    exported second = peer_export(&all->a, NULL);
    result = peer_import(&all->b, &second);
    cr_assert(result.events == 2 && result.known == 3);
    peer_save(&all->b);
    result = peer_import(&all->b, &first);
    cr_assert(result.events == 0 && result.known == 3);
    cr_assert_eq(grove_document_unsaved(all->b.document), 0);
    grove_save_result saved = save(&all->b.store, all->b.document);
    cr_assert_eq(saved.commit, 0);
    exported_free(&first);
    exported_free(&second);
}

PEERS_TEST(import, the_same_event_with_other_content_is_refused)
{
    peer_write(&all->b, 0, "b");
    (void)peer_bring(&all->b, &all->a);
    (void)peer_bring(&all->b, &all->c);
    peer_add(&all->a, text_run_of(event_of("r", 0), NULL, 0, 0, "abc"));
    peer_add(&all->c, text_run_of(event_of("r", 0), NULL, 0, 0, "abx"));
    peer_save(&all->a);
    exported whole = peer_export(&all->a, NULL);
    assert_refuses(&all->c, exported_view(&whole), GROVE_REPLICA_REUSED);
    peer_save(&all->c);
    assert_refuses(&all->c, exported_view(&whole), GROVE_REPLICA_REUSED);
    peer_reopen(&all->c);
    assert_refuses(&all->c, exported_view(&whole), GROVE_REPLICA_REUSED);
    exported_free(&whole);
}

static void check_other_type(peers *all)
{
    peer text;
    peer_init(&text, "memory", "tt", NULL);
    peer_write(&text, 0, "abc");
    exported whole = peer_export(&text, NULL);
    assert_refuses(&all->a, exported_view(&whole), GROVE_INVALID);
    exported_free(&whole);
    assert_ok(&all->a.store,
              grove_opaque_append(all->a.document, grove_bytes_of("payload"),
                                  &all->a.store.error));
    peer_save(&all->a);
    whole = peer_export(&all->a, NULL);
    assert_refuses(&text, exported_view(&whole), GROVE_INVALID);
    exported_free(&whole);
    peer_release(&text);
}

Test(import, of_documents_of_other_types_is_refused)
{
    run_peers("memory", grove_type_opaque(), check_other_type);
}
