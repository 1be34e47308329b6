/*
 * Handles on one text document, of replicas with names, and a replay of what
 * they saved.
 */
#ifndef GROVE_TESTS_DOCUMENT_HANDLES_H
#define GROVE_TESTS_DOCUMENT_HANDLES_H

#include "support/store_fixture.h"

static inline grove_replica replica_of(const char *name)
{
    grove_replica replica = {.size = (uint8_t)strlen(name)};
    memcpy(replica.bytes, name, strlen(name));
    return replica;
}

static inline grove_document *open_with(store_fixture *fixture, const char *replica,
                                        const grove_snapshot_policy *policy)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.policy = *policy;
    options.replica = replica_of(replica);
    grove_document *document = NULL;
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of("a"), &options,
                                           &document, &fixture->error));
    return document;
}

/* A handle of the replica, with snapshots on request. */
static inline grove_document *open_as(store_fixture *fixture, const char *replica)
{
    grove_snapshot_policy policy = GROVE_SNAPSHOT_POLICY_INIT;
    policy.automatic = false;
    return open_with(fixture, replica, &policy);
}

static inline void erase(store_fixture *fixture, grove_document *document,
                         uint64_t position, uint64_t count)
{
    assert_ok(fixture, grove_text_delete(document, position, count, &fixture->error));
}

static inline void refresh(store_fixture *fixture, grove_document *document)
{
    assert_ok(fixture, grove_document_refresh(document, NULL, &fixture->error));
}

static inline void delete_document(store_fixture *fixture)
{
    assert_ok(fixture, grove_document_delete(fixture->store, grove_bytes_of("a"), NULL,
                                             &fixture->error));
}

/* A document of one batch. */
static inline void make_base(store_fixture *fixture, const char *text)
{
    grove_document *document = open_as(fixture, "m");
    insert(fixture, document, 0, text);
    (void)save(fixture, document);
    grove_document_close(document);
}

static inline void compact(store_fixture *fixture, grove_document *document,
                           uint64_t window)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = window;
    assert_ok(fixture, grove_document_compact(document, &options, NULL, &fixture->error));
}

/* The document as somebody finds it who loads it now. */
static inline void assert_loads(store_fixture *fixture, const char *expected)
{
    assert_stored_text(fixture, "a", expected);
}

/* A handle's text with a NUL; the caller frees it. */
static inline char *text_of(store_fixture *fixture, const grove_document *document)
{
    uint64_t length;
    uint64_t bytes;
    size_t read;
    assert_ok(fixture, grove_text_length(document, &length, &bytes, &fixture->error));
    char *text = malloc(bytes + 1);
    cr_assert_not_null(text);
    assert_ok(fixture, grove_text_read(document, 0, length, text, bytes, &read, &length,
                                       &fixture->error));
    text[read] = '\0';
    return text;
}

/* All have the text of the first, and so has who loads it now. */
static inline void assert_same(store_fixture *fixture, grove_document *const *documents,
                               size_t count)
{
    char *text = text_of(fixture, documents[0]);
    for (size_t index = 1; index < count; index++) {
        assert_text(fixture, documents[index], text);
    }
    assert_loads(fixture, text);
    free(text);
}

static inline void save_all(store_fixture *fixture, grove_document *const *documents,
                            size_t count)
{
    for (size_t index = 0; index < count; index++) {
        (void)save(fixture, documents[index]);
    }
    for (size_t index = 0; index < count; index++) {
        refresh(fixture, documents[index]);
    }
}

/* --- a replay --- */

/* Another document in memory, which is given each event alone. */
typedef struct replay {
    store_fixture *fixture;
    grove_document *document;
    uint64_t end; /* clocks that it has seen */
} replay;

static inline bool take_event(void *context, uint64_t clock, const grove_event_run *run)
{
    replay *all = context;
    grove_operation left = run->operation;
    grove_event_run one = *run;
    grove_event_id before;
    cr_assert_eq(clock, all->end);
    while (left.count > 0) {
        grove_operation rest = left;
        one.operation = left;
        rest.count = 0;
        if (left.count > 1) {
            const grove_document_type *type = grove_type_text();
            type->operation_cut(type, &left, 1, &one.operation, &rest);
        }
        assert_ok(all->fixture,
                  grove_document_add(all->document, &one, &all->fixture->error));
        before = one.first;
        one.first.sequence++;
        one.parents = &before;
        one.parent_count = 1;
        left = rest;
        all->end++;
    }
    return true;
}

static inline replay replay_begin(store_fixture *fixture)
{
    return (replay){fixture, open_manual(fixture, "replay", NULL), 0};
}

/* Gives it what is stored by now. */
static inline void replay_go_on(replay *all, grove_document *source)
{
    assert_ok(all->fixture, grove_document_events(source, all->end, take_event, all,
                                                  &all->fixture->error));
}

static inline void replay_end(replay *all, grove_document *source)
{
    replay_go_on(all, source);
    char *text = text_of(all->fixture, all->document);
    assert_text(all->fixture, source, text);
    assert_loads(all->fixture, text);
    free(text);
    grove_document_close(all->document);
}

/* Adds characters of a replica `far` as children of an event. */
static inline grove_status add_far(store_fixture *fixture, grove_document *document,
                                   const grove_event_id *parent, uint64_t sequence,
                                   uint64_t position, const char *utf8)
{
    grove_event_run run = {
        .first = {.replica = replica_of("far"), .sequence = sequence},
        .parents = parent,
        .parent_count = 1,
        .timestamp = 1,
        .operation = {GROVE_TEXT_INSERT, (uint32_t)strlen(utf8), position,
                      grove_bytes_of(utf8)},
    };
    return grove_document_add(document, &run, &fixture->error);
}

#endif
