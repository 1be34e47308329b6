#include "support/store_fixture.h"

#include "commit/commit.h"

static const grove_bytes KEY = {(const uint8_t *)"key", 3};
static const grove_bytes OTHER = {(const uint8_t *)"other", 5};
static const grove_bytes ONE = {(const uint8_t *)"one", 3};
static const grove_bytes TWO = {(const uint8_t *)"two", 3};

/* Puts one value under an expectation. */
static grove_status put(store_fixture *fixture, const grove_bytes *expected,
                        grove_bytes value, bool touches, uint64_t *commit)
{
    grove__write_set set;
    grove__write_set_init(&set, fixture->store->allocator);
    grove__write_set_expect(&set, GROVE__TABLE_PENDING, KEY, expected);
    grove__write_set_put(&set, GROVE__TABLE_PENDING, KEY, value);
    if (touches) {
        grove__touch touch = {GROVE__TOUCH_DOCUMENT, KEY, 5, 2};
        grove__write_set_touch(&set, &touch);
    }
    grove_status status = grove__commit(fixture->store, &set, commit, &fixture->error);
    grove__write_set_release(&set);
    return status;
}

STORE_TEST(write_set, goes_through_only_if_what_it_expects_holds)
{
    uint64_t commit = 0;
    assert_fails(fixture, GROVE_CONFLICT, put(fixture, &ONE, ONE, true, &commit));
    assert_ok(fixture, put(fixture, NULL, ONE, true, &commit));
    cr_assert_eq(commit, 1);
    assert_fails(fixture, GROVE_CONFLICT, put(fixture, NULL, TWO, true, &commit));
    assert_fails(fixture, GROVE_CONFLICT, put(fixture, &TWO, TWO, true, &commit));
    assert_ok(fixture, put(fixture, &ONE, TWO, true, &commit));
    cr_assert_eq(commit, 2, "failed attempts use up no number");
}

STORE_TEST(write_set, that_touches_nothing_takes_no_number)
{
    uint64_t commit = 9;
    assert_ok(fixture, put(fixture, NULL, ONE, false, &commit));
    cr_assert_eq(commit, 0);
    assert_ok(fixture, grove_store_commit(fixture->store, &commit, &fixture->error));
    cr_assert_eq(commit, 0);
}

STORE_TEST(write_set, changes_happen_in_order_and_all_at_once)
{
    grove__write_set set;
    grove__write_set_init(&set, fixture->store->allocator);
    grove__write_set_put(&set, GROVE__TABLE_PENDING, KEY, ONE);
    grove__write_set_put(&set, GROVE__TABLE_PENDING, OTHER, ONE);
    grove__write_set_remove(&set, GROVE__TABLE_PENDING, OTHER);
    grove__write_set_put(&set, GROVE__TABLE_PENDING, KEY, TWO);
    assert_ok(fixture, grove__commit(fixture->store, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
    uint64_t commit;
    assert_ok(fixture, put(fixture, &TWO, ONE, false, &commit));
    grove__write_set_init(&set, fixture->store->allocator);
    grove__write_set_expect_present(&set, GROVE__TABLE_PENDING, OTHER);
    grove__write_set_put(&set, GROVE__TABLE_PENDING, KEY, TWO);
    assert_fails(fixture, GROVE_CONFLICT,
                 grove__commit(fixture->store, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
    assert_ok(fixture, put(fixture, &ONE, TWO, false, &commit));
}

STORE_TEST(write_set, leaves_a_record_of_what_the_commit_touched)
{
    uint64_t commit;
    fixture->now = 1234567890123;
    assert_ok(fixture, put(fixture, NULL, ONE, true, &commit));
    grove__txn txn;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    grove__key key;
    grove__key_of_commit(&key, commit);
    grove_bytes value;
    assert_ok(fixture, grove__kv_get(&txn, GROVE__TABLE_COMMITS, grove__key_view(&key),
                                     &value, &fixture->error));
    grove_buffer touches;
    grove_buffer_init(&touches, fixture->store->allocator);
    int64_t time;
    grove_bytes meta;
    assert_ok(fixture, grove__commit_record_decode(value, &time, &meta, &touches,
                                                   &fixture->error));
    cr_assert_eq(meta.size, 0);
    cr_assert_eq(time, 1234567890123);
    cr_assert_eq(touches.size, sizeof(grove__touch));
    const grove__touch *touch = (const grove__touch *)(const void *)touches.data;
    cr_assert_eq(touch->kind, GROVE__TOUCH_DOCUMENT);
    cr_assert_eq(touch->name.size, 3);
    cr_assert_eq(touch->first_clock, 5);
    cr_assert_eq(touch->count, 2);
    grove_buffer_release(&touches);
    grove__txn_abort(&txn);
}

/* Puts one value along with a commit of another key. */
static grove_status put_along(store_fixture *fixture, const grove_bytes *expected,
                              grove_bytes value, uint64_t *commit)
{
    grove__write_set set;
    grove__write_set along;
    grove__touch touch = {GROVE__TOUCH_GROUP, OTHER, 0, 0};
    grove__write_set_init(&set, fixture->store->allocator);
    grove__write_set_init(&along, fixture->store->allocator);
    grove__write_set_put(&set, GROVE__TABLE_PENDING, OTHER, value);
    grove__write_set_touch(&set, &touch);
    grove__write_set_expect(&along, GROVE__TABLE_PENDING, KEY, expected);
    grove__write_set_put(&along, GROVE__TABLE_PENDING, KEY, value);
    grove_status status =
        grove__commit_along(fixture->store, &set, &along, commit, &fixture->error);
    grove__write_set_release(&along);
    grove__write_set_release(&set);
    return status;
}

STORE_TEST(write_set, that_goes_along_is_left_out_when_it_no_longer_fits)
{
    uint64_t commit = 0;
    assert_ok(fixture, put_along(fixture, NULL, ONE, &commit));
    assert_ok(fixture, put_along(fixture, NULL, TWO, &commit));
    cr_assert_eq(commit, 2);
    /* The key still has what the first put, the other what the second did. */
    grove__write_set set;
    grove__write_set_init(&set, fixture->store->allocator);
    grove__write_set_expect(&set, GROVE__TABLE_PENDING, KEY, &ONE);
    grove__write_set_expect(&set, GROVE__TABLE_PENDING, OTHER, &TWO);
    assert_ok(fixture, grove__commit(fixture->store, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
}

STORE_TEST(write_set, says_what_its_caller_said)
{
    grove__write_set set;
    grove__txn txn;
    grove__key key;
    grove_bytes value;
    grove_bytes meta;
    grove_buffer touches;
    int64_t time;
    grove__touch touch = {GROVE__TOUCH_GROUP, KEY, 0, 0};
    grove__write_set_init(&set, fixture->store->allocator);
    grove__write_set_touch(&set, &touch);
    grove__write_set_meta(&set, TWO);
    assert_ok(fixture, grove__commit(fixture->store, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
    grove_buffer_init(&touches, fixture->store->allocator);
    grove__key_of_commit(&key, 1);
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    assert_ok(fixture, grove__kv_get(&txn, GROVE__TABLE_COMMITS, grove__key_view(&key),
                                     &value, &fixture->error));
    assert_ok(fixture, grove__commit_record_decode(value, &time, &meta, &touches,
                                                   &fixture->error));
    cr_assert_eq(meta.size, 3);
    cr_assert_eq(memcmp(meta.data, TWO.data, 3), 0);
    grove__txn_abort(&txn);
    grove_buffer_release(&touches);
}
