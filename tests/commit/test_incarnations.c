#include "support/store_fixture.h"

#include "commit/incarnations.h"
#include "commit/commit.h"
#include "support/faulty_allocator.h"

static void read_list(store_fixture *fixture, grove_buffer *list)
{
    grove__txn txn;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    assert_ok(fixture, grove__incarnations_read(&txn, list, &fixture->error));
    grove__txn_abort(&txn);
}

/* The incarnation of a commit, 0 for none that is known. */
static uint64_t incarnation_of(store_fixture *fixture, uint64_t commit)
{
    grove_buffer list;
    uint64_t incarnation = 0;
    grove_buffer_init(&list, fixture->store->allocator);
    read_list(fixture, &list);
    if (grove__incarnations_find(&list, commit, &incarnation) != GROVE_OK) {
        cr_assert_eq(incarnation, 0);
    }
    grove_buffer_release(&list);
    return incarnation;
}

static size_t count_of(store_fixture *fixture)
{
    grove_buffer list;
    grove_buffer_init(&list, fixture->store->allocator);
    read_list(fixture, &list);
    size_t count = list.size / sizeof(grove__incarnation);
    grove_buffer_release(&list);
    return count;
}

static void prepare(store_fixture *fixture, uint64_t incarnation, grove__write_set *set)
{
    grove__txn txn;
    grove__write_set_init(set, fixture->store->allocator);
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    assert_ok(fixture,
              grove__incarnations_append(&txn, incarnation, set, &fixture->error));
    grove__txn_abort(&txn);
}

static void renew(store_fixture *fixture, uint64_t incarnation)
{
    grove__write_set set;
    prepare(fixture, incarnation, &set);
    assert_ok(fixture, grove__commit(fixture->store, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
}

static void commit(store_fixture *fixture)
{
    assert_ok(fixture, grove_group_save(fixture->store, grove_bytes_of("g"),
                                        grove_bytes_of("s"), NULL, &fixture->error));
}

STORE_TEST(incarnations, are_those_in_which_the_commits_were_made)
{
    const uint64_t first = fixture->store->incarnation;
    cr_assert_eq(incarnation_of(fixture, 0), first);
    cr_assert_eq(incarnation_of(fixture, 99), first);
    commit(fixture);
    commit(fixture);
    renew(fixture, 11);
    cr_assert_eq(incarnation_of(fixture, 2), first);
    cr_assert_eq(incarnation_of(fixture, 3), 11);
    commit(fixture);
    renew(fixture, 12);
    renew(fixture, 13);
    cr_assert_eq(count_of(fixture), 3, "one without commits gave way");
    commit(fixture);
    store_fixture_close(fixture);
    store_fixture_open(fixture);
    const uint64_t expected[] = {first, first, first, 11, 13, 13};
    for (uint64_t number = 0; number < 6; number++) {
        cr_assert_eq(incarnation_of(fixture, number), expected[number]);
    }
}

STORE_TEST(incarnations, of_an_empty_store_keep_the_one_it_was_made_in)
{
    const uint64_t first = fixture->store->incarnation;
    renew(fixture, 11);
    renew(fixture, 12);
    cr_assert_eq(incarnation_of(fixture, 0), first);
    cr_assert_eq(incarnation_of(fixture, 1), 12);
    cr_assert_eq(count_of(fixture), 2);
}

STORE_TEST(incarnations, are_renewed_by_one_at_a_time)
{
    grove__write_set one;
    grove__write_set other;
    prepare(fixture, 11, &one);
    prepare(fixture, 12, &other);
    assert_ok(fixture, grove__commit(fixture->store, &one, NULL, &fixture->error));
    assert_fails(fixture, GROVE_CONFLICT,
                 grove__commit(fixture->store, &other, NULL, &fixture->error));
    grove__write_set_release(&other);
    grove__write_set_release(&one);
    prepare(fixture, 13, &one);
    commit(fixture);
    assert_fails(fixture, GROVE_CONFLICT,
                 grove__commit(fixture->store, &one, NULL, &fixture->error));
    grove__write_set_release(&one);
    cr_assert_eq(incarnation_of(fixture, 1), 11);
}

STORE_TEST(incarnations, beyond_the_limit_forget_the_oldest)
{
    for (uint64_t number = 1; number <= GROVE_INCARNATIONS_MAX + 1; number++) {
        commit(fixture);
        renew(fixture, 1000 + number);
        size_t expected =
            number < GROVE_INCARNATIONS_MAX ? number + 1 : GROVE_INCARNATIONS_MAX;
        cr_assert_eq(count_of(fixture), expected);
    }
    cr_assert_eq(incarnation_of(fixture, 0), 0);
    cr_assert_eq(incarnation_of(fixture, 2), 0);
    cr_assert_eq(incarnation_of(fixture, 3), 1002);
    cr_assert_eq(incarnation_of(fixture, 1000), 1999);
    cr_assert_eq(incarnation_of(fixture, 1002), 2001);
    /* A feed begins with the oldest that is known. */
    grove_feed_token now;
    assert_ok(fixture, grove_feed_now(fixture->store, &now, &fixture->error));
}

STORE_TEST(incarnations, that_are_damaged_are_not_guessed)
{
    grove__write_set set;
    grove_buffer list;
    grove__txn txn;
    grove__write_set_init(&set, fixture->store->allocator);
    grove__write_set_put(&set, GROVE__TABLE_STORE, grove_bytes_of("incarnations"),
                         grove_bytes_of("nonsense"));
    assert_ok(fixture, grove__commit(fixture->store, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
    grove_buffer_init(&list, fixture->store->allocator);
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    grove_status status = grove__incarnations_read(&txn, &list, &fixture->error);
    cr_assert(status == GROVE_CORRUPT || status == GROVE_FORMAT_NEWER);
    grove__txn_abort(&txn);
    grove_buffer_release(&list);
    grove_feed_token now;
    cr_assert_eq(grove_feed_now(fixture->store, &now, &fixture->error), status);
}

STORE_TEST(incarnations, are_renewed_or_not_when_memory_is_out)
{
    const grove_allocator *usual = fixture->store->allocator;
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        grove__write_set set;
        grove__txn txn;
        faulty_allocator_init(&faulty, nth);
        grove__write_set_init(&set, &faulty.allocator);
        assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                            &fixture->error));
        grove_status status = grove__incarnations_append(&txn, nth, &set, NULL);
        grove__txn_abort(&txn);
        if (status == GROVE_OK) {
            status = grove__commit(fixture->store, &set, NULL, NULL);
        }
        grove__write_set_release(&set);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            assert_ok(fixture, status);
            cr_assert_gt(nth, 3);
            break;
        }
        cr_assert_eq(status, GROVE_NO_MEMORY);
        cr_assert_eq(count_of(fixture), 1);
    }
    cr_assert_eq(fixture->store->allocator, usual);
}
