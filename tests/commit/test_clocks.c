#include "support/store_fixture.h"

#include "commit/clocks.h"
#include "commit/commit.h"
#include "format/clock_row.h"

enum { ROW = GROVE__CLOCK_ROW_COMMITS };

static grove_bytes of(const char *name)
{
    return grove_bytes_of(name);
}

/* A document that there is, as far as rows are concerned. */
static void make_document(store_fixture *fixture, const char *name)
{
    grove__write_set set;
    grove__key key;
    grove__write_set_init(&set, fixture->store->allocator);
    grove__key_of_document(&key, of(name));
    grove__write_set_put(&set, GROVE__TABLE_META, grove__key_view(&key), of("meta"));
    assert_ok(fixture, grove__commit(fixture->store, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
}

typedef struct gathered {
    uint64_t commit;
    grove__touch touch;
} gathered;

static grove_status put(store_fixture *fixture, const gathered *items, size_t count)
{
    grove__clocks clocks;
    grove__write_set set;
    grove__txn txn;
    grove__clocks_init(&clocks, fixture->store->allocator);
    grove__write_set_init(&set, fixture->store->allocator);
    for (size_t index = 0; index < count; index++) {
        assert_ok(fixture, grove__clocks_gather(&clocks, items[index].commit,
                                                &items[index].touch, &fixture->error));
    }
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    grove_status status = grove__clocks_put(&clocks, &txn, &set, &fixture->error);
    grove__txn_abort(&txn);
    if (status == GROVE_OK) {
        status = grove__commit(fixture->store, &set, NULL, &fixture->error);
    }
    grove__write_set_release(&set);
    grove__clocks_release(&clocks);
    return status;
}

/* The clock at a commit; UINT64_MAX: none. */
static uint64_t find(store_fixture *fixture, const char *name, uint64_t commit)
{
    grove__txn txn;
    uint64_t clock = UINT64_MAX;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    grove_status status = grove__clocks_find(&txn, fixture->store->allocator, of(name),
                                             commit, &clock, &fixture->error);
    grove__txn_abort(&txn);
    cr_assert(status == GROVE_OK || (status == GROVE_NONE && clock == UINT64_MAX));
    return clock;
}

#define TOUCH(commit, name, first, count)                             \
    {                                                                 \
        commit,                                                       \
        {                                                             \
            GROVE__TOUCH_DOCUMENT, grove_bytes_of(name), first, count \
        }                                                             \
    }

STORE_TEST(clocks, are_found_at_a_commit_and_until_the_next)
{
    const gathered items[] = {TOUCH(3, "a", 0, 5), TOUCH(4, "b", 0, 1),
                              TOUCH(7, "a", 5, 2), TOUCH(9, "a", 7, 1)};
    const uint64_t none = UINT64_MAX;
    const uint64_t expected[] = {none, none, none, 5, 5, 5, 5, 7, 7, 8, 8};
    make_document(fixture, "a");
    make_document(fixture, "b");
    make_document(fixture, "ab");
    assert_ok(fixture, put(fixture, items, 4));
    for (uint64_t commit = 0; commit <= 10; commit++) {
        cr_assert_eq(find(fixture, "a", commit), expected[commit]);
        cr_assert_eq(find(fixture, "ab", commit), none);
        cr_assert_eq(find(fixture, "b", commit), commit < 4 ? none : 1);
    }
    cr_assert_eq(find(fixture, "a", UINT64_MAX), 8);
}

STORE_TEST(clocks, of_groups_and_of_documents_that_are_gone_take_no_row)
{
    const gathered items[] = {TOUCH(1, "gone", 0, 5),
                              {2, {GROVE__TOUCH_GROUP, grove_bytes_of("a"), 0, 0}}};
    make_document(fixture, "a");
    assert_ok(fixture, put(fixture, items, 2));
    cr_assert_eq(find(fixture, "gone", 9), UINT64_MAX);
    cr_assert_eq(find(fixture, "a", 9), UINT64_MAX);
}

STORE_TEST(clocks, fill_rows_one_after_the_other)
{
    make_document(fixture, "a");
    uint64_t end = 2 * ROW + 3;
    for (uint64_t commit = 1; commit < end; commit += 3) {
        const gathered items[] = {TOUCH(commit, "a", commit - 1, 1),
                                  TOUCH(commit + 1, "a", commit, 1),
                                  TOUCH(commit + 2, "a", commit + 1, 1)};
        assert_ok(fixture, put(fixture, items, 3));
    }
    for (uint64_t commit = 1; commit < end; commit++) {
        cr_assert_eq(find(fixture, "a", commit), commit);
    }
    grove__txn txn;
    grove_bytes row;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    for (uint64_t commit = 1; commit < end; commit++) {
        grove__key key;
        grove__key_of_document_commit(&key, of("a"), commit);
        cr_assert_eq(
            grove__kv_get(&txn, GROVE__TABLE_CLOCKS, grove__key_view(&key), &row, NULL),
            commit % ROW == 1 ? GROVE_OK : GROVE_NONE);
    }
    grove__txn_abort(&txn);
}

STORE_TEST(clocks, begin_anew_with_a_document_that_was_made_again)
{
    const gathered before[] = {TOUCH(1, "a", 0, 5), TOUCH(2, "a", 5, 5)};
    const gathered deleted[] = {TOUCH(3, "a", 10, 1), TOUCH(4, "a", 0, 0)};
    const gathered again[] = {TOUCH(6, "a", 0, 2), TOUCH(7, "a", 0, 0),
                              TOUCH(8, "a", 0, 3), TOUCH(9, "a", 3, 4)};
    make_document(fixture, "a");
    assert_ok(fixture, put(fixture, before, 2));
    cr_assert_eq(find(fixture, "a", 2), 10);
    assert_ok(fixture, put(fixture, deleted, 2));
    cr_assert_eq(find(fixture, "a", 9), UINT64_MAX);
    assert_ok(fixture, put(fixture, before, 2));
    assert_ok(fixture, put(fixture, again, 4));
    cr_assert_eq(find(fixture, "a", 7), UINT64_MAX);
    cr_assert_eq(find(fixture, "a", 8), 3);
    cr_assert_eq(find(fixture, "a", 9), 7);
}

STORE_TEST(clocks, that_go_back_are_damage)
{
    const gathered sound[] = {TOUCH(5, "a", 0, 5), TOUCH(6, "a", 5, 5)};
    const gathered same_commit[] = {TOUCH(6, "a", 10, 1)};
    const gathered earlier_clock[] = {TOUCH(7, "a", 8, 1)};
    make_document(fixture, "a");
    assert_ok(fixture, put(fixture, sound, 2));
    assert_fails(fixture, GROVE_CORRUPT, put(fixture, same_commit, 1));
    assert_fails(fixture, GROVE_CORRUPT, put(fixture, earlier_clock, 1));
    cr_assert_eq(find(fixture, "a", 7), 10);
}

STORE_TEST(clocks, of_a_damaged_row_are_not_guessed)
{
    grove__write_set set;
    grove__key key;
    grove__txn txn;
    uint64_t clock;
    grove__write_set_init(&set, fixture->store->allocator);
    grove__key_of_document_commit(&key, of("a"), 5);
    grove__write_set_put(&set, GROVE__TABLE_CLOCKS, grove__key_view(&key),
                         of("\1nonsense, nonsense"));
    grove__key_of_document_commit(&key, of("b"), 5);
    grove__key_add_number(&key, 1);
    grove__write_set_put(&set, GROVE__TABLE_CLOCKS, grove__key_view(&key), of("\1"));
    assert_ok(fixture, grove__commit(fixture->store, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    assert_fails(fixture, GROVE_CORRUPT,
                 grove__clocks_find(&txn, fixture->store->allocator, of("a"), 7, &clock,
                                    &fixture->error));
    assert_fails(fixture, GROVE_CORRUPT,
                 grove__clocks_find(&txn, fixture->store->allocator, of("b"), 7, &clock,
                                    &fixture->error));
    grove__txn_abort(&txn);
}
