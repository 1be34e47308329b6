/* A salvage in which memory or a backend fails: what was copied before is
 * sound, the source is as it was, and nothing leaks. */
#include "support/faulty_allocator.h"
#include "support/faulty_backend.h"
#include "support/verified_store.h"

/* The first batch of one of the documents is gone. */
static void make_damaged(store_fixture *fixture)
{
    write_together(fixture, "a", 8, true);
    write_together(fixture, "b", 3, false);
    make_waiting(fixture, "waiting");
    save_large_group(fixture, "group", 70000);
    grove__key key;
    grove__key_of_clock(&key, grove_bytes_of("a"), 0);
    grove__key_add_number(&key, 0);
    row_put(fixture, GROVE__TABLE_EVENTS, &key, NULL, 0);
    grove__key_of_document(&key, grove_bytes_of("b"));
    row_put(fixture, GROVE__TABLE_META, &key, NULL, 0);
}

static grove_status salvage_all(store_fixture *from, store_fixture *to,
                                grove_salvage_report *report)
{
    return grove_store_salvage(from->store, to->store, NULL, NULL, NULL, report,
                               &from->error);
}

/* What was copied is sound. */
static void finish(store_fixture *to)
{
    store_fixture_close(to);
    to->options.allocator = NULL;
    store_fixture_open(to);
    assert_sound(to->store, "what was copied");
    store_fixture_close(to);
    store_fixture_release(to);
}

Test(salvage_document, tells_when_an_allocation_of_either_store_fails)
{
    store_fixture from;
    store_fixture_init(&from, "memory");
    store_fixture_open(&from);
    make_damaged(&from);
    store_fixture_close(&from);
    for (int side = 0; side < 2; side++) {
        bool has_failed = true;
        size_t nth = 1;
        for (; has_failed; nth++) {
            store_fixture to;
            faulty_allocator faulty;
            grove_salvage_report report = {.documents = 77};
            store_fixture_init(&to, "memory");
            faulty_allocator_init(&faulty, 0);
            from.options.allocator = side == 0 ? &faulty.allocator : NULL;
            to.options.allocator = side == 1 ? &faulty.allocator : NULL;
            store_fixture_open(&from);
            store_fixture_open(&to);
            faulty.fails_at = faulty.calls + nth;
            grove_status status = salvage_all(&from, &to, &report);
            has_failed = faulty.has_failed;
            /* The packing of older commits may fail without harm. */
            cr_assert_eq(status, has_failed ? GROVE_NO_MEMORY : GROVE_OK, "%d, %zu: %s",
                         side, nth, from.error.message);
            cr_assert_eq(report.documents, has_failed ? 77 : 3);
            finish(&to);
            store_fixture_close(&from);
            faulty_allocator_finish(&faulty);
        }
        cr_assert_gt(nth, 50);
    }
    store_fixture_release(&from);
}

Test(salvage_document, tells_when_a_call_of_either_backend_fails)
{
    store_fixture from;
    store_fixture_init(&from, "memory");
    store_fixture_open(&from);
    make_damaged(&from);
    store_fixture_close(&from);
    const grove_backend *under = from.options.backend;
    for (int side = 0; side < 2; side++) {
        bool has_failed = true;
        size_t nth = 1;
        for (; has_failed; nth++) {
            store_fixture to;
            faulty_backend faulty;
            store_fixture_init(&to, "memory");
            store_fixture *with = side == 0 ? &from : &to;
            faulty_backend_init(&faulty, under, 0, GROVE_IO);
            faulty.under_context = with->disk;
            with->options.backend = &faulty.table;
            with->options.backend_context = &faulty;
            store_fixture_open(&from);
            store_fixture_open(&to);
            faulty.fails_at = faulty.calls + nth;
            grove_status status = salvage_all(&from, &to, NULL);
            has_failed = faulty.has_failed;
            cr_assert_eq(status, has_failed ? GROVE_IO : GROVE_OK, "%d, %zu: %s", side,
                         nth, from.error.message);
            store_fixture_close(&from);
            store_fixture_close(&to);
            with->options.backend = under;
            with->options.backend_context = with->disk;
            store_fixture_open(&to);
            assert_sound(to.store, "what was copied");
            store_fixture_close(&to);
            store_fixture_release(&to);
            faulty_backend_finish(&faulty);
        }
        cr_assert_gt(nth, 50);
    }
    store_fixture_release(&from);
}
