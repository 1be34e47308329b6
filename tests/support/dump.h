/*
 * Dumps of stores, whole in memory, and stores made of them; and a store that
 * has something of everything that can be stored.
 */
#ifndef GROVE_TESTS_DUMP_H
#define GROVE_TESTS_DUMP_H

#include "commit/commit.h"
#include "commit/incarnations.h"
#include "support/exchange.h"
#include "support/random.h"

static inline exported dump_of(store_fixture *fixture)
{
    exported whole = {NULL, 0, 0, 0};
    grove_dump_result result;
    assert_ok(fixture, grove_store_dump(fixture->store, exported_write, &whole, &result,
                                        &fixture->error));
    cr_assert_eq(result.bytes, whole.size);
    return whole;
}

/* Bytes that are read in pieces of any size. */
typedef struct dump_reader {
    grove_bytes left;
    size_t piece_bytes;
    size_t fails_after; /* bytes; 0: never */
} dump_reader;

static inline bool dump_read(void *context, uint8_t *room, size_t bytes,
                             size_t *bytes_out)
{
    dump_reader *reader = context;
    size_t count = bytes < reader->piece_bytes ? bytes : reader->piece_bytes;
    count = count < reader->left.size ? count : reader->left.size;
    if (reader->fails_after > 0 && reader->fails_after <= count) {
        return false;
    }
    reader->fails_after -= reader->fails_after > 0 ? count : 0;
    if (count > 0) {
        memcpy(room, reader->left.data, count);
    }
    reader->left.data += count;
    reader->left.size -= count;
    *bytes_out = count;
    return true;
}

static inline grove_status undump(store_fixture *fixture, grove_bytes text,
                                  grove_dump_result *result_out)
{
    dump_reader reader = {text, SIZE_MAX, 0};
    return grove_store_undump(fixture->dir.path, &fixture->options, dump_read, &reader,
                              result_out, &fixture->error);
}

/* A fixture whose store is made of a dump, and open. */
static inline void undump_init(store_fixture *fixture, const char *backend,
                               const exported *whole)
{
    store_fixture_init(fixture, backend);
    grove_dump_result result;
    assert_ok(fixture, undump(fixture, exported_view(whole), &result));
    cr_assert_eq(result.bytes, whole->size);
    store_fixture_open(fixture);
}

static inline void undump_release(store_fixture *fixture)
{
    store_fixture_close(fixture);
    store_fixture_release(fixture);
}

/* --- a store of many things --- */

/* A document's id of any bytes. */
static const uint8_t DUMP_ODD_ID[] = {'a', 0, '\n', ' ', '%', 0xff, '=', 0x7f, '~', 0};

static inline grove_bytes dump_odd_id(void)
{
    return (grove_bytes){DUMP_ODD_ID, sizeof DUMP_ODD_ID};
}

static inline grove_document *dump_open(store_fixture *fixture, grove_bytes id,
                                        const char *replica,
                                        const grove_document_type *type)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    grove_document *document = NULL;
    options.type = type;
    options.policy.automatic = false;
    options.replica = event_of(replica, 0).replica;
    assert_ok(fixture, grove_document_open(fixture->store, id, &options, &document,
                                           &fixture->error));
    return document;
}

/* Two who write at once, save by save. */
static inline void dump_make_merged(store_fixture *fixture, grove_bytes id, int saves)
{
    grove_document *a = dump_open(fixture, id, "ann", NULL);
    grove_document *b = dump_open(fixture, id, "b\n%", NULL);
    insert(fixture, a, 0, "Hello, ");
    (void)save(fixture, a);
    assert_ok(fixture, grove_document_refresh(b, NULL, &fixture->error));
    for (int index = 0; index < saves; index++) {
        fixture->now += 1000;
        insert(fixture, a, 0, index % 3 == 0 ? "ä" : "ab");
        insert(fixture, b, 5, "xyz");
        assert_ok(fixture, grove_text_delete(b, 2, 1, &fixture->error));
        (void)save(fixture, a);
        (void)save(fixture, b);
        assert_ok(fixture, grove_document_refresh(a, NULL, &fixture->error));
    }
    grove_document_close(a);
    grove_document_close(b);
}

static inline void dump_compact(store_fixture *fixture, grove_bytes id, uint64_t window)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = window;
    grove_document *document = dump_open(fixture, id, "com", NULL);
    assert_ok(fixture, grove_document_compact(document, &options, NULL, &fixture->error));
    grove_document_close(document);
}

/* One that has events which wait: it got the last event of a chain alone. */
static inline void dump_make_waiting(store_fixture *fixture, grove_bytes id)
{
    peer a;
    peer b;
    peer_init(&a, "memory", "far", NULL);
    peer_init(&b, "memory", "away", NULL);
    peer_write(&a, 0, "base");
    exported base = peer_export(&a, NULL);
    peer_write(&a, 4, " and");
    (void)peer_bring(&a, &b);
    peer_save(&b);
    peer_write(&b, 0, "its end");
    (void)peer_bring(&b, &a);
    peer_write(&a, 2, "late");
    exported late = peer_export(&a, &b);
    grove_document *document = dump_open(fixture, id, "w", NULL);
    assert_ok(fixture, grove_document_import(document, exported_view(&base), NULL,
                                             &fixture->error));
    assert_ok(fixture, grove_document_import(document, exported_view(&late), NULL,
                                             &fixture->error));
    (void)save(fixture, document);
    grove_document_close(document);
    exported_free(&base);
    exported_free(&late);
    peer_release(&a);
    peer_release(&b);
}

static inline void dump_save_group(store_fixture *fixture, const char *name,
                                   const void *state, size_t bytes)
{
    assert_ok(fixture,
              grove_group_save(fixture->store, grove_bytes_of(name),
                               (grove_bytes){state, bytes}, NULL, &fixture->error));
}

/* One commit of which something is said. */
static inline void dump_save_meta(store_fixture *fixture, const void *meta, size_t bytes)
{
    grove_commit_options options = GROVE_COMMIT_OPTIONS_INIT;
    options.meta = (grove_bytes){meta, bytes};
    assert_ok(fixture, grove_group_save_with(fixture->store, grove_bytes_of("meta"),
                                             (grove_bytes){meta, bytes}, &options, NULL,
                                             &fixture->error));
}

/* Removes commits but the newest `kept`, which is what is kept from now on. */
static inline void dump_trim(store_fixture *fixture, uint64_t kept)
{
    grove_feed_retention retention = {kept, 1000000000};
    uint64_t removed = 1;
    assert_ok(fixture,
              grove_feed_retention_set(fixture->store, &retention, &fixture->error));
    while (removed > 0) {
        assert_ok(fixture,
                  grove_feed_trim(fixture->store, 1000, &removed, &fixture->error));
    }
}

/* What comes next is made in another incarnation, as after a restore. */
static inline void dump_renew(store_fixture *fixture, uint64_t incarnation)
{
    grove__txn txn;
    grove__write_set set;
    grove__write_set_init(&set, fixture->store->allocator);
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    assert_ok(fixture,
              grove__incarnations_append(&txn, incarnation, &set, &fixture->error));
    grove__txn_abort(&txn);
    assert_ok(fixture, grove__commit(fixture->store, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
}

/* Commits of which some are removed; a document that was there before, and was
 * made again in one that is kept. */
static inline void dump_make_past(store_fixture *fixture)
{
    const uint8_t odd[] = {'b', 0, ' ', '%', 0xff, '='};
    dump_make_merged(fixture, grove_bytes_of("again"), 2);
    dump_make_merged(fixture, grove_bytes_of("past"), 5);
    dump_save_meta(fixture, "removed", 7);
    dump_renew(fixture, 4711);
    dump_save_meta(fixture, odd, sizeof odd);
    dump_trim(fixture, 4);
    assert_ok(fixture, grove_document_delete(fixture->store, grove_bytes_of("again"),
                                             NULL, &fixture->error));
    dump_make_merged(fixture, grove_bytes_of("again"), 1);
    dump_make_merged(fixture, grove_bytes_of("young"), 1);
    dump_save_meta(fixture, "m", 1);
    dump_renew(fixture, 4712);
    dump_save_group(fixture, "meta", "x", 1);
    dump_save_group(fixture, "meta", "y", 1);
}

static inline void dump_make_groups(store_fixture *fixture, int saves)
{
    static uint8_t noise[70000];
    test_random random = {7};
    test_random_bytes(&random, noise, sizeof noise);
    dump_save_group(fixture, "noise", noise, sizeof noise);
    dump_save_group(fixture, "empty", "", 0);
    dump_save_group(fixture, "\xff odd %41", "state", 5);
    dump_save_group(fixture, "gone", "x", 1);
    assert_ok(fixture, grove_group_delete(fixture->store, grove_bytes_of("gone"), NULL,
                                          &fixture->error));
    for (int index = 0; index < saves; index++) {
        fixture->now += index % 7;
        dump_save_group(fixture, "counter", &index, sizeof index);
    }
}

/* Events of a type that takes any bytes. */
static inline void dump_make_bytes(store_fixture *fixture, const char *id,
                                   const grove_document_type *type)
{
    grove_document *box = dump_open(fixture, grove_bytes_of(id), "box", type);
    for (int index = 0; index < 5; index++) {
        grove_operation update = {0, 1, 0, grove_bytes_of("update of a stranger")};
        grove_event_run run = {.first = event_of("peer", (uint64_t)index),
                               .parents = NULL,
                               .timestamp = -index,
                               .operation = update};
        assert_ok(fixture, grove_document_add(box, &run, &fixture->error));
        (void)save(fixture, box);
    }
    grove_document_close(box);
}

/* `commits` more than the documents need. */
static inline void dump_make_store(store_fixture *fixture, int commits)
{
    dump_make_groups(fixture, commits);
    dump_make_merged(fixture, grove_bytes_of("merged"), 12);
    dump_make_merged(fixture, dump_odd_id(), 3);
    dump_make_merged(fixture, grove_bytes_of("compacted"), 10);
    dump_compact(fixture, grove_bytes_of("compacted"), 12);
    dump_make_merged(fixture, grove_bytes_of("only a state"), 2);
    dump_compact(fixture, grove_bytes_of("only a state"), 0);
    dump_make_merged(fixture, grove_bytes_of("sealed"), 9);
    grove_document *sealed = dump_open(fixture, grove_bytes_of("sealed"), "s", NULL);
    assert_ok(fixture, grove_document_seal(sealed, NULL, NULL, &fixture->error));
    insert(fixture, sealed, 0, "more");
    (void)save(fixture, sealed);
    grove_document_close(sealed);
    dump_make_merged(fixture, grove_bytes_of("deleted"), 1);
    assert_ok(fixture, grove_document_delete(fixture->store, grove_bytes_of("deleted"),
                                             NULL, &fixture->error));
    dump_make_waiting(fixture, grove_bytes_of("waiting"));
    dump_make_bytes(fixture, "box", grove_type_opaque());
    /* A type that a load knows nothing of. */
    grove_document_type own = *grove_type_opaque();
    own.name = "a type = 5 %";
    dump_make_bytes(fixture, "own", &own);
    dump_save_meta(fixture, "who", 3);
}

#endif
