/* Verifying documents of other types, and when memory or the backend fails. */
#include "support/faulty_allocator.h"
#include "support/faulty_backend.h"
#include "support/test_types.h"
#include "support/verified_store.h"

#include "base/hash.h"
#include "format/batch.h"
#include "kv/value.h"

/* --- other types --- */

static void make_of_other_type(store_fixture *fixture, const grove_document_type *type)
{
    grove_document *document = open_manual(fixture, "other", type);
    for (uint64_t round = 0; round < 5; round++) {
        grove_event_id parent = event_of("r", 2 * round - 1);
        for (uint64_t nth = 0; nth < 2; nth++) {
            grove_event_run run = {.first = event_of("r", 2 * round + nth),
                                   .parents = &parent,
                                   .parent_count = round + nth > 0 ? 1 : 0,
                                   .operation = {0, 1, 0, grove_bytes_of("payload")}};
            assert_ok(fixture, grove_document_add(document, &run, &fixture->error));
            parent = run.first;
        }
        (void)save(fixture, document);
    }
    grove_document_close(document);
}

STORE_TEST(verify_document, of_another_type_has_its_structure_checked)
{
    grove_document_type type = *grove_type_opaque();
    type.name = "another";
    make_of_other_type(fixture, &type);
    const grove_document_type *types[] = {&type};
    grove_verify_options options = GROVE_VERIFY_OPTIONS_INIT;
    grove_verify_report report;
    for (size_t count = 0; count < 2; count++) {
        options.types = types;
        options.type_count = count;
        assert_ok(fixture, grove_store_verify(fixture->store, &options, NULL, NULL,
                                              &report, &fixture->error));
        cr_assert_eq(report.findings, 0);
        cr_assert_eq(report.documents, 1);
        cr_assert_eq(report.documents_of_other_types, 1 - count);
        cr_assert_eq(report.events, 10);
    }
    /* The frames that nobody decodes have checksums. */
    rows all = rows_read(fixture);
    for (size_t index = 0; index < all.count; index++) {
        const row *one = &all.items[index];
        if (one->table == GROVE__TABLE_EVENTS) {
            findings found_all;
            uint8_t *copy = malloc(one->value_bytes);
            memcpy(copy, one->value, one->value_bytes);
            copy[one->value_bytes - 20] ^= 1;
            size_t hashed = one->value_bytes - 8;
            grove_write_u64(copy + hashed, grove__hash((grove_bytes){copy, hashed}, 0));
            row_put(fixture, one->table, &one->key, copy, one->value_bytes);
            free(copy);
            verify_store(fixture->store, false, &found_all);
            cr_assert(findings_have(&found_all, GROVE_FINDING_BATCH));
            row_restore(fixture, one);
        }
    }
    rows_free(&all);
}

STORE_TEST(verify_document, of_another_type_is_salvaged_without_its_table)
{
    grove_document_type type = *grove_type_opaque();
    type.name = "another";
    make_of_other_type(fixture, &type);
    store_fixture to;
    store_fixture_init(&to, "memory");
    store_fixture_open(&to);
    grove_salvage_report report;
    assert_ok(fixture, grove_store_salvage(fixture->store, to.store, NULL, NULL, NULL,
                                           &report, &fixture->error));
    cr_assert_eq(report.losses, 0);
    cr_assert_eq(report.events, 10);
    assert_sound(to.store, "of another type");
    cr_assert_str_eq(statistics_of(&to, "other").type_name, "another");
    store_fixture_close(&to);
    store_fixture_release(&to);
}

/* --- events that do not fit --- */

/* Stores a batch of bob's in place of the one at clock 5, with these parents
 * of its first event and the reach that they give it. */
static void put_batch(store_fixture *fixture, const grove_event_id *parents,
                      size_t parent_count, uint64_t reach)
{
    grove_event_run run =
        text_run_of(event_of("bob", 0), parents, parent_count, 0, "54321");
    grove__events events;
    grove_buffer block;
    grove__txn txn;
    grove__key key;
    grove__events_init(&events, fixture->store->allocator);
    grove_buffer_init(&block, fixture->store->allocator);
    assert_ok(fixture,
              grove__events_append(&events, grove_type_text(), &run, &fixture->error));
    assert_ok(fixture,
              grove__batch_encode(&events, grove_type_text(), reach,
                                  grove__batch_packing_usual(), &block, &fixture->error));
    grove__batch_place(block.data, 5);
    grove__key_of_clock(&key, grove_bytes_of("a"), 5);
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_WRITE, &txn,
                                        &fixture->error));
    assert_ok(fixture, grove__value_put(&txn, GROVE__TABLE_EVENTS, grove__key_view(&key),
                                        grove_buffer_view(&block), &fixture->error));
    assert_ok(fixture, grove__txn_commit(&txn, &fixture->error));
    grove_buffer_release(&block);
    grove__events_release(&events);
}

STORE_TEST(verify_document, finds_parents_that_cannot_be)
{
    static const char *const REPLICAS[] = {"ann", "bob"};
    for (size_t index = 0; index < 2; index++) {
        grove_document *document = open_named(fixture, "a", REPLICAS[index], false);
        insert(fixture, document, 0, "12345");
        (void)save(fixture, document);
        grove_document_close(document);
    }
    const grove_event_id parents[] = {event_of("ann", 4), event_of("ann", 3),
                                      event_of("ann", 7)};
    findings all;
    put_batch(fixture, parents, 1, 5);
    verify_store(fixture->store, false, &all);
    cr_assert_not(findings_have(&all, GROVE_FINDING_GRAPH));
    /* One that the other comes after. */
    put_batch(fixture, parents, 2, 4);
    verify_store(fixture->store, false, &all);
    cr_assert(findings_have(&all, GROVE_FINDING_GRAPH));
    /* One that is not stored. */
    put_batch(fixture, parents + 2, 1, 5);
    verify_store(fixture->store, false, &all);
    cr_assert(findings_have(&all, GROVE_FINDING_GRAPH));
}

/* --- faults --- */

/* A small store that has something of everything, also of what is damaged. */
static void make_small(store_fixture *fixture)
{
    write_together(fixture, "a", 5, true);
    write_together(fixture, "cut", 4, false);
    compact_document(fixture, "cut", 10);
    make_opaque(fixture, "opaque");
    make_waiting(fixture, "waiting");
    save_large_group(fixture, "group", 70000);
}

static grove_status verify_all(store_fixture *fixture, findings *all)
{
    grove_verify_options options = GROVE_VERIFY_OPTIONS_INIT;
    options.replay = true;
    all->count = 0;
    return grove_store_verify(fixture->store, &options, findings_take, all, &all->report,
                              &fixture->error);
}

/* A salvage that fails leaves a store that is sound as far as it goes. */
static grove_status salvage_all(store_fixture *from, store_fixture *to)
{
    return grove_store_salvage(from->store, to->store, NULL, NULL, NULL, NULL,
                               &from->error);
}

Test(verify_document, tells_when_any_allocation_fails_and_leaks_nothing)
{
    store_fixture fixture;
    store_fixture_init(&fixture, "memory");
    store_fixture_open(&fixture);
    make_small(&fixture);
    store_fixture_close(&fixture);
    size_t nth = 1;
    for (bool has_failed = true; has_failed; nth++) {
        faulty_allocator faulty;
        findings all;
        faulty_allocator_init(&faulty, 0);
        fixture.options.allocator = &faulty.allocator;
        store_fixture_open(&fixture);
        faulty.fails_at = faulty.calls + nth;
        grove_status status = verify_all(&fixture, &all);
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK, "%zu: %s",
                     nth, fixture.error.message);
        cr_assert_eq(all.count, 0, "no memory was taken for damage, at %zu", nth);
        has_failed = faulty.has_failed;
        faulty.fails_at = 0;
        cr_assert_eq(verify_all(&fixture, &all), GROVE_OK);
        cr_assert_eq(all.count, 0);
        store_fixture_close(&fixture);
        faulty_allocator_finish(&faulty);
    }
    cr_assert_gt(nth, 100);
    store_fixture_release(&fixture);
}

Test(verify_document, tells_when_any_call_of_the_backend_fails)
{
    store_fixture fixture;
    store_fixture_init(&fixture, "memory");
    store_fixture_open(&fixture);
    make_small(&fixture);
    store_fixture_close(&fixture);
    const grove_backend *under = fixture.options.backend;
    size_t nth = 1;
    for (bool has_failed = true; has_failed; nth++) {
        faulty_backend faulty;
        findings all;
        faulty_backend_init(&faulty, under, 0, GROVE_IO);
        faulty.under_context = fixture.disk;
        fixture.options.backend = &faulty.table;
        fixture.options.backend_context = &faulty;
        store_fixture_open(&fixture);
        faulty.fails_at = faulty.calls + nth;
        grove_status status = verify_all(&fixture, &all);
        cr_assert_eq(status, faulty.has_failed ? GROVE_IO : GROVE_OK, "%zu: %s", nth,
                     fixture.error.message);
        cr_assert_eq(all.count, 0);
        has_failed = faulty.has_failed;
        store_fixture_close(&fixture);
        faulty_backend_finish(&faulty);
    }
    cr_assert_gt(nth, 100);
    store_fixture_release(&fixture);
}

Test(verify_document, passes_over_what_the_backend_finds_damaged)
{
    store_fixture fixture;
    store_fixture_init(&fixture, "memory");
    store_fixture_open(&fixture);
    make_small(&fixture);
    store_fixture_close(&fixture);
    const grove_backend *under = fixture.options.backend;
    bool has_failed = true;
    for (size_t nth = 1; has_failed; nth++) {
        faulty_backend faulty;
        findings all;
        store_fixture to;
        faulty_backend_init(&faulty, under, 0, GROVE_CORRUPT);
        faulty.under_context = fixture.disk;
        fixture.options.backend = &faulty.table;
        fixture.options.backend_context = &faulty;
        store_fixture_open(&fixture);
        faulty.fails_at = faulty.calls + nth;
        grove_status status = verify_all(&fixture, &all);
        /* To begin a transaction is no look at anything. */
        bool is_begin = faulty.has_failed && strcmp(faulty.failed_call, "begin") == 0;
        cr_assert_eq(status, is_begin ? GROVE_CORRUPT : GROVE_OK, "%zu, %s: %s", nth,
                     faulty.failed_call, fixture.error.message);
        cr_assert(is_begin || (all.count > 0) == faulty.has_failed, "call %zu, %s", nth,
                  faulty.failed_call);
        has_failed = faulty.has_failed;
        faulty.has_failed = false;
        faulty.fails_at = faulty.calls + nth;
        store_fixture_init(&to, "memory");
        store_fixture_open(&to);
        status = salvage_all(&fixture, &to);
        is_begin = faulty.has_failed && strcmp(faulty.failed_call, "begin") == 0;
        cr_assert_eq(status, is_begin ? GROVE_CORRUPT : GROVE_OK, "%zu, %s: %s", nth,
                     faulty.failed_call, fixture.error.message);
        assert_sound(to.store, "salvaged");
        has_failed = has_failed || faulty.has_failed;
        store_fixture_close(&to);
        store_fixture_release(&to);
        store_fixture_close(&fixture);
        faulty_backend_finish(&faulty);
    }
    store_fixture_release(&fixture);
}
