/*
 * Several stores with one document each, and what they export for each other.
 */
#ifndef GROVE_TESTS_EXCHANGE_H
#define GROVE_TESTS_EXCHANGE_H

#include "support/store_fixture.h"

/* A store with a document of its own. */
typedef struct peer {
    store_fixture store;
    grove_document *document;
    grove_document_options options;
} peer;

enum { PEERS_MAX = 4, EXCHANGE_BYTES_MAX = 4096 };

static const char EXCHANGED[] = "exchanged";

/* An export, whole. `stops_after` > 0: the write with this number says no. */
typedef struct exported {
    uint8_t *data;
    size_t size;
    size_t writes;
    size_t stops_after;
} exported;

static inline bool exported_write(void *context, grove_bytes bytes)
{
    exported *whole = context;
    uint8_t *data = realloc(whole->data, whole->size + bytes.size + 1);
    cr_assert_not_null(data);
    memcpy(data + whole->size, bytes.data, bytes.size);
    whole->data = data;
    whole->size += bytes.size;
    whole->writes++;
    return whole->writes != whole->stops_after;
}

static inline void exported_free(exported *whole)
{
    free(whole->data);
    *whole = (exported){NULL, 0, 0, 0};
}

static inline grove_bytes exported_view(const exported *whole)
{
    return (grove_bytes){whole->data, whole->size};
}

static inline grove_event_id event_of(const char *replica, uint64_t sequence)
{
    grove_event_id id = {.sequence = sequence};
    id.replica.size = (uint8_t)strlen(replica);
    memcpy(id.replica.bytes, replica, strlen(replica));
    return id;
}

static inline void peer_open(peer *one)
{
    assert_ok(&one->store,
              grove_document_open(one->store.store, grove_bytes_of(EXCHANGED),
                                  &one->options, &one->document, &one->store.error));
}

static inline void peer_reopen(peer *one)
{
    grove_document_close(one->document);
    peer_open(one);
}

/* `replica` is the name of the handle's; NULL: the allocator of the system. */
static inline void peer_init_with(peer *one, const char *backend, const char *replica,
                                  const grove_document_type *type,
                                  const grove_allocator *allocator)
{
    store_fixture_init(&one->store, backend);
    one->store.options.allocator = allocator;
    store_fixture_open(&one->store);
    one->options = (grove_document_options)GROVE_DOCUMENT_OPTIONS_INIT;
    one->options.type = type;
    one->options.policy.automatic = false;
    one->options.replica = event_of(replica, 0).replica;
    peer_open(one);
}

static inline void peer_init(peer *one, const char *backend, const char *replica,
                             const grove_document_type *type)
{
    peer_init_with(one, backend, replica, type, NULL);
}

static inline void peer_release(peer *one)
{
    grove_document_close(one->document);
    store_fixture_close(&one->store);
    store_fixture_release(&one->store);
}

static inline void peer_insert(peer *one, uint64_t position, const char *utf8)
{
    insert(&one->store, one->document, position, utf8);
}

static inline void peer_save(peer *one)
{
    (void)save(&one->store, one->document);
}

/* Inserts and saves. */
static inline void peer_write(peer *one, uint64_t position, const char *utf8)
{
    peer_insert(one, position, utf8);
    peer_save(one);
}

static inline void peer_compact(peer *one, uint64_t window_events)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = window_events;
    assert_ok(&one->store,
              grove_document_compact(one->document, &options, NULL, &one->store.error));
}

/* What `to` lacks of what `from` stored; NULL: everything. */
static inline exported peer_export(peer *from, peer *to)
{
    exported whole = {NULL, 0, 0, 0};
    grove_version_vector known;
    if (to != NULL) {
        assert_ok(&to->store,
                  grove_document_version_vector(to->document, &known, &to->store.error));
    }
    assert_ok(&from->store,
              grove_document_export(from->document, to == NULL ? NULL : &known,
                                    exported_write, &whole, &from->store.error));
    return whole;
}

static inline grove_import_result peer_import(peer *one, const exported *whole)
{
    grove_import_result result;
    assert_ok(&one->store, grove_document_import(one->document, exported_view(whole),
                                                 &result, &one->store.error));
    return result;
}

/* Brings what `to` lacks of what `from` stored; it is unsaved there. */
static inline grove_import_result peer_bring(peer *from, peer *to)
{
    exported whole = peer_export(from, to);
    grove_import_result result = peer_import(to, &whole);
    exported_free(&whole);
    return result;
}

/* How many events of a replica the handle knows. */
static inline uint64_t peer_knows(peer *one, const grove_replica *replica)
{
    grove_version_vector known;
    uint64_t sequence = 0;
    assert_ok(&one->store,
              grove_document_version_vector(one->document, &known, &one->store.error));
    for (size_t index = 0; index < known.count; index++) {
        const grove_event_id *entry = &known.entries[index];
        if (entry->replica.size == replica->size &&
            memcmp(entry->replica.bytes, replica->bytes, replica->size) == 0) {
            cr_assert_eq(sequence, 0, "a replica has two entries");
            cr_assert_gt(entry->sequence, 0);
            sequence = entry->sequence;
        }
    }
    return sequence;
}

/* All that a failed import must leave as it was. */
typedef struct peer_state {
    char text[EXCHANGE_BYTES_MAX];
    grove_event_id known[64];
    size_t known_count;
    uint64_t clock, unsaved, waiting, aside;
} peer_state;

static inline peer_state peer_state_of(peer *one)
{
    peer_state state;
    grove_version_vector known;
    size_t bytes;
    uint64_t points;
    memset(&state, 0, sizeof state);
    if (one->options.type == NULL) {
        assert_ok(&one->store, grove_text_read(one->document, 0, EXCHANGE_BYTES_MAX,
                                               state.text, EXCHANGE_BYTES_MAX - 1, &bytes,
                                               &points, &one->store.error));
    }
    assert_ok(&one->store,
              grove_document_version_vector(one->document, &known, &one->store.error));
    cr_assert_leq(known.count, 64);
    state.known_count = known.count;
    for (size_t index = 0; index < known.count; index++) {
        state.known[index] = known.entries[index];
    }
    state.clock = grove_document_clock(one->document);
    state.unsaved = grove_document_unsaved(one->document);
    assert_ok(&one->store, grove_document_pending(one->document, &state.waiting,
                                                  &state.aside, &one->store.error));
    return state;
}

static inline bool peer_states_equal(const peer_state *a, const peer_state *b)
{
    bool equal = strcmp(a->text, b->text) == 0 && a->known_count == b->known_count &&
                 a->clock == b->clock && a->unsaved == b->unsaved &&
                 a->waiting == b->waiting && a->aside == b->aside;
    for (size_t index = 0; equal && index < a->known_count; index++) {
        const grove_event_id *one = &a->known[index];
        const grove_event_id *other = &b->known[index];
        equal = one->sequence == other->sequence &&
                one->replica.size == other->replica.size &&
                memcmp(one->replica.bytes, other->replica.bytes, one->replica.size) == 0;
    }
    return equal;
}

/* An import that fails, and changes nothing. */
static inline void assert_refuses(peer *one, grove_bytes bytes, grove_status wanted)
{
    peer_state before = peer_state_of(one);
    grove_import_result result = {1, 2, 3, 4, true};
    assert_fails(&one->store, wanted,
                 grove_document_import(one->document, bytes, &result, &one->store.error));
    cr_assert(result.events == 1 && result.known == 2 && result.waiting == 3 &&
              result.aside == 4 && result.adopted);
    peer_state after = peer_state_of(one);
    cr_assert(peer_states_equal(&before, &after), "a failed import changed something");
}

static inline void assert_waiting(peer *one, uint64_t waiting, uint64_t aside)
{
    uint64_t found;
    uint64_t found_aside;
    assert_ok(&one->store, grove_document_pending(one->document, &found, &found_aside,
                                                  &one->store.error));
    cr_assert_eq(found, waiting, "%llu events wait instead of %llu",
                 (unsigned long long)found, (unsigned long long)waiting);
    cr_assert_eq(found_aside, aside, "%llu events aside instead of %llu",
                 (unsigned long long)found_aside, (unsigned long long)aside);
}

/* --- three of them --- */

typedef struct peers {
    peer a, b, c;
} peers;

static inline void run_peers(const char *backend, const grove_document_type *type,
                             void (*claim)(peers *))
{
    peers all;
    peer_init(&all.a, backend, "aa", type);
    peer_init(&all.b, backend, "bb", type);
    peer_init(&all.c, backend, "cc", type);
    claim(&all);
    peer_release(&all.a);
    peer_release(&all.b);
    peer_release(&all.c);
}

/* A claim about three stores with texts, on both backends. */
#define PEERS_TEST(suite, claim)          \
    static void claim(peers *all);        \
    Test(suite, claim##_on_lmdb)          \
    {                                     \
        run_peers("lmdb", NULL, claim);   \
    }                                     \
    Test(suite, claim##_in_memory)        \
    {                                     \
        run_peers("memory", NULL, claim); \
    }                                     \
    static void claim(peers *all)

static inline void peer_check(peer *one, const char *text)
{
    assert_text(&one->store, one->document, text);
}

static inline grove_event_run text_run_of(grove_event_id first,
                                          const grove_event_id *parents,
                                          size_t parent_count, uint64_t position,
                                          const char *utf8)
{
    grove_event_run run = {
        .first = first, .parents = parents, .parent_count = parent_count, .timestamp = 7};
    run.operation = (grove_operation){GROVE_TEXT_INSERT, (uint32_t)strlen(utf8), position,
                                      grove_bytes_of(utf8)};
    return run;
}

static inline void peer_add(peer *one, grove_event_run run)
{
    assert_ok(&one->store, grove_document_add(one->document, &run, &one->store.error));
}

#endif
