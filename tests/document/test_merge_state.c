/*
 * What a snapshot keeps of a merge: a document whose branches never met is
 * opened, and goes on merging, without the operations of its events.
 */
#include "handles.h"

#include <grove/verify.h>

#include "base/alloc.h"
#include "document/document.h"
#include "commit/commit.h"
#include "kv/value.h"
#include "support/random.h"

enum { EVENTS = 3000, WINDOW = 1000000 };

static grove_document *open_branch(store_fixture *fixture, const char *replica,
                                   test_random *random)
{
    grove_document *document = open_as(fixture, replica);
    uint64_t length = 10;
    for (int index = 0; index < EVENTS; index++) {
        if (length > 0 && test_random_below(random, 3) == 0) {
            erase(fixture, document, test_random_below(random, length), 1);
            length--;
        } else {
            insert(fixture, document, test_random_below(random, length + 1), replica);
            length++;
        }
    }
    return document;
}

/* Two branches from one batch, each in a batch of its own, that no event
 * joins; then a snapshot. Returns the last event of the first branch. */
static grove_event_id make_branches(store_fixture *fixture)
{
    test_random random = test_random_of("merge-state");
    make_base(fixture, "0123456789");
    grove_document *documents[] = {open_branch(fixture, "a", &random),
                                   open_branch(fixture, "b", &random)};
    save_all(fixture, documents, 2);
    refresh(fixture, documents[0]);
    grove_event_id last = grove_document_replica(documents[0]);
    last.sequence--;
    compact(fixture, documents[0], WINDOW);
    grove_document_close(documents[0]);
    grove_document_close(documents[1]);
    return last;
}

/* Whoever opens it knows none of its events, and makes the snapshot anew. */
STORE_TEST(merge_state, a_snapshot_made_again_tells_from_where_it_is)
{
    grove_verify_report report;
    (void)make_branches(fixture);
    grove_document *document = open_as(fixture, "d");
    compact(fixture, document, WINDOW);
    grove_document_close(document);
    assert_ok(fixture, grove_store_verify(fixture->store, NULL, NULL, NULL, &report,
                                          &fixture->error));
    cr_assert_eq(report.snapshots, 1);
    cr_assert_eq(report.findings, 0);
}

/* One event of a third replica after the first branch. */
static grove_status add_event(store_fixture *fixture, grove_document *document,
                              const grove_event_id *parent)
{
    grove_event_run run = {.first = {.replica = replica_of("c")},
                           .parents = parent,
                           .parent_count = 1,
                           .operation = {GROVE_TEXT_INSERT, 1, 7, grove_bytes_of("C")}};
    return grove_document_add(document, &run, &fixture->error);
}

/* Adds it to a handle of its own, which may use what the snapshot has. */
static grove_status try_event(store_fixture *fixture, const grove_event_id *parent,
                              bool may_use_state, char **text_out)
{
    grove_document *document = open_as(fixture, "d");
    cr_assert_neq(document->merge.state_clock, GROVE__NO_SNAPSHOT);
    if (!may_use_state) {
        document->merge.state_clock = GROVE__NO_SNAPSHOT;
    }
    grove_status status = add_event(fixture, document, parent);
    *text_out = status == GROVE_OK ? text_of(fixture, document) : NULL;
    grove_document_close(document);
    return status;
}

/* Flips a bit in a frame of a block, whose parts are then sound. */
static void flip_frame(store_fixture *fixture, grove__table table, grove__block_kind kind,
                       uint64_t clock, uint8_t id)
{
    grove__key key;
    grove__txn txn;
    grove_bytes value;
    grove_buffer joined;
    grove__block block;
    grove_buffer_init(&joined, &grove__allocator_system);
    grove__key_of_clock(&key, grove_bytes_of("a"), clock);
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_WRITE, &txn,
                                        &fixture->error));
    assert_ok(fixture, grove__value_get(&txn, table, grove__key_view(&key), &joined,
                                        &value, &fixture->error));
    uint8_t *copy = malloc(value.size);
    memcpy(copy, value.data, value.size);
    value.data = copy;
    assert_ok(fixture, grove__block_open(value, kind, &block, &fixture->error));
    size_t index = 0;
    while (index < block.frame_count && block.frames[index].id != id) {
        index++;
    }
    cr_assert_lt(index, block.frame_count);
    copy[block.frames[index].offset] ^= 0x10;
    assert_ok(fixture, grove__value_put(&txn, table, grove__key_view(&key), value,
                                        &fixture->error));
    assert_ok(fixture, grove__txn_commit(&txn, &fixture->error));
    grove_buffer_release(&joined);
    free(copy);
}

STORE_TEST(merge_state, stands_for_the_operations_of_its_events)
{
    char *walked;
    char *restored;
    grove_event_id last = make_branches(fixture);
    assert_ok(fixture, try_event(fixture, &last, false, &walked));
    assert_ok(fixture, try_event(fixture, &last, true, &restored));
    cr_assert_str_eq(restored, walked);
    free(restored);

    flip_frame(fixture, GROVE__TABLE_EVENTS, GROVE__BLOCK_EVENTS, 10,
               GROVE__FRAME_OPERATIONS);
    assert_ok(fixture, try_event(fixture, &last, true, &restored));
    cr_assert_str_eq(restored, walked);
    free(restored);
    cr_assert_eq(try_event(fixture, &last, false, &restored), GROVE_CORRUPT);
    free(walked);
}

STORE_TEST(merge_state, that_is_damaged_gives_way_to_the_events)
{
    char *walked;
    char *restored;
    grove_event_id last = make_branches(fixture);
    uint64_t clock = statistics_of(fixture, "a").newest_snapshot_clock;
    assert_ok(fixture, try_event(fixture, &last, false, &walked));
    flip_frame(fixture, GROVE__TABLE_SNAPSHOTS, GROVE__BLOCK_SNAPSHOT, clock,
               GROVE__SNAPSHOT_FRAME_MERGE);
    assert_ok(fixture, try_event(fixture, &last, true, &restored));
    cr_assert_str_eq(restored, walked);
    free(restored);
    free(walked);
}

/* There is always an unsaved edit, so that no version becomes critical. */
STORE_TEST(merge_state, is_in_each_snapshot_that_follows)
{
    test_random random = test_random_of("merge-state");
    make_base(fixture, "0123456789");
    grove_document *documents[] = {open_branch(fixture, "a", &random),
                                   open_branch(fixture, "b", &random)};
    save_all(fixture, documents, 2);
    for (size_t round = 0; round < 6; round++) {
        insert(fixture, documents[round % 2], 5, "xyz");
        grove_document *saving = documents[1 - round % 2];
        (void)save(fixture, saving);
        compact(fixture, saving, WINDOW);
        grove_document *opened = open_as(fixture, "d");
        cr_assert_neq(opened->merge.state_clock, GROVE__NO_SNAPSHOT);
        char *text = text_of(fixture, saving);
        assert_text(fixture, opened, text);
        free(text);
        (void)save(fixture, documents[round % 2]);
        insert(fixture, saving, 2, "-");
        refresh(fixture, opened);
        text = text_of(fixture, documents[round % 2]);
        assert_text(fixture, opened, text);
        free(text);
        grove_document_close(opened);
        (void)save(fixture, saving);
        (void)save(fixture, documents[round % 2]);
    }
    grove_document_close(documents[0]);
    grove_document_close(documents[1]);
}

STORE_TEST(merge_state, is_not_kept_where_all_is_critical)
{
    make_base(fixture, "0123456789");
    grove_document *document = open_as(fixture, "a");
    for (int index = 0; index < EVENTS; index++) {
        insert(fixture, document, 0, "a");
    }
    (void)save(fixture, document);
    compact(fixture, document, WINDOW);
    grove_document_close(document);
    document = open_as(fixture, "a");
    cr_assert_eq(statistics_of(fixture, "a").newest_snapshot_clock, EVENTS + 10);
    cr_assert_eq(document->merge.state_clock, GROVE__NO_SNAPSHOT);
    grove_document_close(document);
}
