/*
 * A store that has something of everything, made by real sessions; what verify
 * finds in it; and its rows, to be changed behind the library's back.
 */
#ifndef GROVE_TESTS_VERIFIED_STORE_H
#define GROVE_TESTS_VERIFIED_STORE_H

#include "support/exchange.h"

#include "commit/store.h"
#include "format/key.h"
#include "format/record.h"

/* --- what is found --- */

enum { FOUND_MAX = 64, FOUND_NAME_BYTES = 64 };

typedef struct found {
    grove_finding_kind kind;
    char table[16];
    char document[FOUND_NAME_BYTES];
    char message[GROVE_ERROR_MESSAGE_BYTES];
} found;

typedef struct findings {
    size_t count; /* may be more than are kept */
    found items[FOUND_MAX];
    grove_verify_report report;
} findings;

static inline bool findings_take(void *context, const grove_finding *finding)
{
    findings *all = context;
    cr_assert_not_null(finding->table);
    cr_assert_neq(finding->message[0], '\0');
    if (all->count < FOUND_MAX) {
        found *one = &all->items[all->count];
        memset(one, 0, sizeof *one);
        one->kind = finding->kind;
        (void)snprintf(one->table, sizeof one->table, "%s", finding->table);
        (void)snprintf(one->document, sizeof one->document, "%.*s",
                       (int)finding->document.size, (const char *)finding->document.data);
        (void)snprintf(one->message, sizeof one->message, "%s", finding->message);
    }
    all->count++;
    return true;
}

static inline void findings_print(const findings *all)
{
    for (size_t index = 0; index < all->count && index < FOUND_MAX; index++) {
        const found *one = &all->items[index];
        (void)fprintf(stderr, "  %s in %s of '%s': %s\n",
                      grove_finding_kind_name(one->kind), one->table, one->document,
                      one->message);
    }
}

static inline void verify_store(grove_store *store, bool replay, findings *all)
{
    grove_verify_options options = GROVE_VERIFY_OPTIONS_INIT;
    grove_error error;
    options.replay = replay;
    all->count = 0;
    grove_status status =
        grove_store_verify(store, &options, findings_take, all, &all->report, &error);
    cr_assert_eq(status, GROVE_OK, "%s", error.message);
    cr_assert_eq(all->report.findings, all->count);
}

static inline bool findings_have(const findings *all, grove_finding_kind kind)
{
    for (size_t index = 0; index < all->count && index < FOUND_MAX; index++) {
        if (all->items[index].kind == kind) {
            return true;
        }
    }
    return false;
}

static inline void assert_sound(grove_store *store, const char *what)
{
    findings all;
    verify_store(store, true, &all);
    if (all.count > 0) {
        findings_print(&all);
    }
    cr_assert_eq(all.count, 0, "%s: there are %zu findings", what, all.count);
}

/* --- the store --- */

static inline grove_document *open_named(store_fixture *fixture, const char *id,
                                         const char *replica, bool automatic)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.replica = event_of(replica, 0).replica;
    options.policy.automatic = automatic;
    options.policy.events_min = 40;
    options.policy.cost_percent = 0;
    options.policy.older_percent = 100000;
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of(id), &options,
                                           &document, &fixture->error));
    return document;
}

/* Two people write at once, again and again. */
static inline void write_together(store_fixture *fixture, const char *id, int rounds,
                                  bool automatic)
{
    grove_document *ann = open_named(fixture, id, "ann", automatic);
    grove_document *bob = open_named(fixture, id, "bob", automatic);
    for (int round = 0; round < rounds; round++) {
        fixture->now += 1000;
        insert(fixture, ann, 0, "from ann ");
        insert(fixture, bob, 0, "bob's ");
        if (round % 3 == 2) {
            assert_ok(fixture, grove_text_delete(bob, 1, 2, &fixture->error));
        }
        (void)save(fixture, ann);
        (void)save(fixture, bob);
        if (round % 4 == 3) {
            /* All that was written at once is behind this. */
            insert(fixture, bob, 2, "-");
            (void)save(fixture, bob);
            assert_ok(fixture, grove_document_refresh(ann, NULL, &fixture->error));
        }
    }
    grove_document_close(ann);
    grove_document_close(bob);
}

/* A text whose version always has two heads. */
static inline void write_apart(store_fixture *fixture, const char *id)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.policy.events_min = 20;
    options.policy.cost_percent = 0;
    options.policy.uncritical_events = 21;
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of(id), &options,
                                           &document, &fixture->error));
    for (uint64_t round = 0; round < 60; round++) {
        for (int side = 0; side < 2; side++) {
            const char *name = side == 0 ? "left" : "right";
            grove_event_id parent = event_of(name, round - 1);
            peer one = {.store = *fixture, .document = document};
            peer_add(&one, text_run_of(event_of(name, round), &parent, round > 0, 0,
                                       side == 0 ? "l" : "r"));
        }
        (void)save(fixture, document);
    }
    grove_document_close(document);
}

static inline void compact_document(store_fixture *fixture, const char *id,
                                    uint64_t window)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    grove_document *document = open_named(fixture, id, "carl", false);
    options.window_events = window;
    assert_ok(fixture, grove_document_compact(document, &options, NULL, &fixture->error));
    grove_document_close(document);
}

static inline void seal_document(store_fixture *fixture, const char *id)
{
    grove_document *document = open_named(fixture, id, "carl", false);
    assert_ok(fixture, grove_document_seal(document, NULL, NULL, &fixture->error));
    grove_document_close(document);
}

/* One document in which events wait for what never comes. */
static inline void make_waiting(store_fixture *fixture, const char *id)
{
    peer a;
    peer b;
    peer_init(&a, "memory", "aa", NULL);
    peer_init(&b, "memory", "bb", NULL);
    peer_write(&a, 0, "base");
    exported base = peer_export(&a, NULL);
    (void)peer_import(&b, &base);
    peer_save(&b);
    peer_write(&a, 4, " missing");
    (void)peer_bring(&a, &b);
    peer_save(&b);
    peer_write(&b, 0, "late ");
    peer_write(&b, 9, "later ");
    exported late = {NULL, 0, 0, 0};
    grove_version_vector known;
    assert_ok(&a.store,
              grove_document_version_vector(a.document, &known, &a.store.error));
    assert_ok(&b.store, grove_document_export(b.document, &known, exported_write, &late,
                                              &b.store.error));
    grove_document *document = open_named(fixture, id, "cc", false);
    assert_ok(fixture, grove_document_import(document, exported_view(&base), NULL,
                                             &fixture->error));
    (void)save(fixture, document);
    assert_ok(fixture, grove_document_import(document, exported_view(&late), NULL,
                                             &fixture->error));
    (void)save(fixture, document);
    uint64_t waiting;
    uint64_t aside;
    assert_ok(fixture,
              grove_document_pending(document, &waiting, &aside, &fixture->error));
    cr_assert_gt(waiting, 0);
    grove_document_close(document);
    exported_free(&base);
    exported_free(&late);
    peer_release(&a);
    peer_release(&b);
}

static inline void make_opaque(store_fixture *fixture, const char *id)
{
    grove_document *first = open_manual(fixture, id, grove_type_opaque());
    grove_document *second = open_manual(fixture, id, grove_type_opaque());
    for (int round = 0; round < 6; round++) {
        assert_ok(fixture, grove_opaque_append(first, grove_bytes_of("one payload"),
                                               &fixture->error));
        assert_ok(fixture, grove_opaque_append(second, grove_bytes_of("another"),
                                               &fixture->error));
        (void)save(fixture, first);
        (void)save(fixture, second);
        assert_ok(fixture, grove_document_refresh(first, NULL, &fixture->error));
        if (round == 3) {
            assert_ok(fixture, grove_opaque_set_state(first, grove_bytes_of("a state"),
                                                      &fixture->error));
            (void)save(fixture, first);
        }
    }
    grove_document_close(second);
    grove_document_close(first);
}

/* Bytes that no compressor makes smaller. */
static inline void save_large_group(store_fixture *fixture, const char *name, size_t size)
{
    uint8_t *bytes = malloc(size);
    uint64_t state = 1;
    for (size_t index = 0; index < size; index++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[index] = (uint8_t)(state >> 56);
    }
    assert_ok(fixture,
              grove_group_save(fixture->store, grove_bytes_of(name),
                               (grove_bytes){bytes, size}, NULL, &fixture->error));
    free(bytes);
}

/* A text that takes several parts. */
static inline void make_large(store_fixture *fixture, const char *id)
{
    enum { BYTES = 150000 };
    char *text = malloc(BYTES + 1);
    uint64_t state = 7;
    for (size_t index = 0; index < BYTES; index++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        text[index] = (char)(' ' + (state >> 57) % 90);
    }
    text[BYTES] = '\0';
    grove_document *document = open_named(fixture, id, "dora", false);
    insert(fixture, document, 0, text);
    (void)save(fixture, document);
    insert(fixture, document, 5, "and more");
    (void)save(fixture, document);
    free(text);
    grove_document_close(document);
}

static inline void make_everything(store_fixture *fixture)
{
    write_together(fixture, "plain", 12, true);
    write_together(fixture, "cut", 8, false);
    compact_document(fixture, "cut", 20);
    write_together(fixture, "cut", 5, true);
    write_together(fixture, "cut whole", 4, false);
    compact_document(fixture, "cut whole", 0);
    write_together(fixture, "sealed", 8, true);
    seal_document(fixture, "sealed");
    write_together(fixture, "sealed", 3, true);
    write_together(fixture, "gone", 3, true);
    assert_ok(fixture, grove_document_delete(fixture->store, grove_bytes_of("gone"), NULL,
                                             &fixture->error));
    make_waiting(fixture, "waiting");
    make_opaque(fixture, "opaque");
    make_large(fixture, "large");
    save_large_group(fixture, "big group", 150000);
    assert_ok(fixture, grove_group_save(fixture->store, grove_bytes_of("counter"),
                                        grove_bytes_of("42"), NULL, &fixture->error));
    assert_ok(fixture, grove_group_save(fixture->store, grove_bytes_of("empty"),
                                        (grove_bytes){NULL, 0}, NULL, &fixture->error));
}

/* --- its rows --- */

typedef struct row {
    grove__table table;
    grove__key key;
    uint8_t *value;
    size_t value_bytes;
} row;

typedef struct rows {
    row *items;
    size_t count;
} rows;

static inline rows rows_read(store_fixture *fixture)
{
    rows all = {NULL, 0};
    grove__txn txn;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    for (int table = 0; table < GROVE__TABLE_COUNT; table++) {
        grove__cursor cursor;
        grove_bytes key;
        grove_bytes value;
        uint8_t zero = 0;
        assert_ok(fixture, grove__cursor_open(&txn, (grove__table)table, &cursor,
                                              &fixture->error));
        grove_status status =
            grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, (grove_bytes){&zero, 1},
                               &key, &value, &fixture->error);
        while (status == GROVE_OK) {
            all.items = realloc(all.items, (all.count + 1) * sizeof *all.items);
            row *one = &all.items[all.count++];
            one->table = (grove__table)table;
            one->key.size = key.size;
            memcpy(one->key.bytes, key.data, key.size);
            one->value = malloc(value.size + 1);
            memcpy(one->value, value.data, value.size);
            one->value_bytes = value.size;
            status = grove__cursor_next(&cursor, &key, &value, &fixture->error);
        }
        cr_assert_eq(status, GROVE_NONE);
        grove__cursor_close(&cursor);
    }
    grove__txn_abort(&txn);
    return all;
}

static inline void rows_free(rows *all)
{
    for (size_t index = 0; index < all->count; index++) {
        free(all->items[index].value);
    }
    free(all->items);
}

/* Puts a row; with `value` NULL removes it, if it is there. */
static inline void row_put(store_fixture *fixture, grove__table table,
                           const grove__key *key, const uint8_t *value, size_t bytes)
{
    grove__txn txn;
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_WRITE, &txn,
                                        &fixture->error));
    grove_status status =
        value != NULL
            ? grove__kv_put(&txn, table, grove__key_view(key),
                            (grove_bytes){value, bytes}, &fixture->error)
            : grove__kv_remove(&txn, table, grove__key_view(key), &fixture->error);
    cr_assert(status == GROVE_OK || status == GROVE_NONE);
    assert_ok(fixture, grove__txn_commit(&txn, &fixture->error));
}

static inline void row_restore(store_fixture *fixture, const row *one)
{
    row_put(fixture, one->table, &one->key, one->value, one->value_bytes);
}

/* Whether a table has its values in parts. */
static inline bool is_in_parts(grove__table table)
{
    return table == GROVE__TABLE_EVENTS || table == GROVE__TABLE_SNAPSHOTS ||
           table == GROVE__TABLE_PENDING || table == GROVE__TABLE_GROUPS;
}

/* The document that a row is of; empty: of none. */
static inline void row_document(const row *one, char name_out[FOUND_NAME_BYTES])
{
    name_out[0] = '\0';
    if ((one->table >= GROVE__TABLE_META && one->table <= GROVE__TABLE_PENDING) ||
        one->table == GROVE__TABLE_CLOCKS) {
        grove_buffer name;
        grove_buffer_init(&name, &grove__allocator_system);
        cr_assert_eq(grove__key_parse_name(grove__key_view(&one->key), &name, NULL),
                     GROVE_OK);
        (void)snprintf(name_out, FOUND_NAME_BYTES, "%.*s", (int)name.size,
                       (const char *)name.data);
        grove_buffer_release(&name);
    }
}

/* The clock in the key of a batch or a snapshot. */
static inline uint64_t row_clock(const row *one)
{
    return grove_read_u64(one->key.bytes + one->key.size - 16);
}

/* The number of the part that a row is; 0 in tables without parts. */
static inline uint64_t row_part(const row *one)
{
    return is_in_parts(one->table) ? grove_read_u64(one->key.bytes + one->key.size - 8)
                                   : 0;
}

/* Whether a row is the only part of its value. */
static inline bool is_whole(const rows *all, size_t index)
{
    const row *one = &all->items[index];
    bool has_next =
        index + 1 < all->count && all->items[index + 1].table == one->table &&
        all->items[index + 1].key.size == one->key.size &&
        memcmp(all->items[index + 1].key.bytes, one->key.bytes, one->key.size - 8) == 0;
    return row_part(one) == 0 && !(is_in_parts(one->table) && has_next);
}

#endif
