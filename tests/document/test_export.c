/* What exports hold, and when there are none. */
#include "support/exchange.h"

PEERS_TEST(export, unsaved_events_are_known_but_not_exported)
{
    exported none = {NULL, 0, 0, 0};
    peer_insert(&all->a, 0, "abc");
    assert_fails(&all->a.store, GROVE_NONE,
                 grove_document_export(all->a.document, NULL, exported_write, &none,
                                       &all->a.store.error));
    cr_assert_eq(none.writes, 0);
    grove_replica replica = event_of("aa", 0).replica;
    cr_assert_eq(peer_knows(&all->a, &replica), 3);
    peer_save(&all->a);
    peer_insert(&all->a, 3, "def");
    cr_assert_eq(peer_bring(&all->a, &all->b).events, 3);
    peer_check(&all->b, "abc");
}

PEERS_TEST(export, an_export_ends_when_the_callback_says_so)
{
    peer_write(&all->a, 0, "abc");
    exported whole = peer_export(&all->a, NULL);
    cr_assert_gt(whole.writes, 1);
    for (size_t stop = 1; stop <= whole.writes; stop++) {
        exported part = {.stops_after = stop};
        assert_fails(&all->a.store, GROVE_FAILED,
                     grove_document_export(all->a.document, NULL, exported_write, &part,
                                           &all->a.store.error));
        cr_assert_eq(part.writes, stop);
        cr_assert_eq(memcmp(part.data, whole.data, part.size), 0);
        exported_free(&part);
    }
    peer_check(&all->a, "abc");
    (void)peer_import(&all->b, &whole);
    peer_check(&all->b, "abc");
    exported_free(&whole);
}
