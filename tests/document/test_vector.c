/* What a handle knows of each replica. */
#include "support/exchange.h"

static void check_vector(peer *one, uint64_t a, uint64_t b, size_t count)
{
    grove_version_vector vector;
    grove_replica replica = event_of("aa", 0).replica;
    cr_assert_eq(peer_knows(one, &replica), a);
    replica = event_of("bb", 0).replica;
    cr_assert_eq(peer_knows(one, &replica), b);
    assert_ok(&one->store,
              grove_document_version_vector(one->document, &vector, &one->store.error));
    cr_assert_eq(vector.count, count);
}

PEERS_TEST(vector, has_saved_unsaved_and_removed_events_but_not_waiting_ones)
{
    check_vector(&all->a, 0, 0, 0);
    peer_insert(&all->a, 0, "abc");
    check_vector(&all->a, 3, 0, 1);
    peer_save(&all->a);
    check_vector(&all->a, 3, 0, 1);
    (void)peer_bring(&all->a, &all->b);
    peer_insert(&all->b, 3, "de");
    check_vector(&all->b, 3, 2, 2);
    peer_save(&all->b);
    exported rest = peer_export(&all->b, &all->a);
    (void)peer_import(&all->a, &rest);
    peer_insert(&all->a, 5, "f");
    check_vector(&all->a, 4, 2, 2);
    peer_save(&all->a);
    peer_compact(&all->a, 0);
    check_vector(&all->a, 4, 2, 2);
    peer_reopen(&all->a);
    check_vector(&all->a, 4, 2, 2);
    (void)peer_import(&all->c, &rest);
    check_vector(&all->c, 0, 0, 0);
    assert_waiting(&all->c, 2, 0);
    exported_free(&rest);
}

PEERS_TEST(vector, is_of_the_events_that_the_handle_has)
{
    peer other = all->a;
    other.options.replica = event_of("bb", 0).replica;
    peer_open(&other);
    peer_write(&all->a, 0, "abc");
    check_vector(&other, 0, 0, 0);
    assert_ok(&other.store,
              grove_document_refresh(other.document, NULL, &other.store.error));
    check_vector(&other, 3, 0, 1);
    peer_write(&other, 3, "d");
    check_vector(&all->a, 3, 0, 1);
    grove_document_close(other.document);
}

PEERS_TEST(vector, with_replicas_that_cannot_be_is_refused_by_an_export)
{
    grove_event_id entry = event_of("bb", 3);
    const grove_version_vector known = {&entry, 1};
    exported whole = {NULL, 0, 0, 0};
    peer_write(&all->a, 0, "abc");
    const uint8_t sizes[] = {0, GROVE_REPLICA_BYTES_MAX + 1};
    for (size_t index = 0; index < sizeof sizes; index++) {
        entry.replica.size = sizes[index];
        assert_fails(&all->a.store, index == 0 ? GROVE_INVALID : GROVE_LIMIT,
                     grove_document_export(all->a.document, &known, exported_write,
                                           &whole, &all->a.store.error));
    }
    cr_assert_eq(whole.writes, 0);
}
