/*
 * The traces as lists of events. A trace without agents has one, and each of
 * its transactions comes after the one before. An agent's sequences count its
 * events in the order of the file.
 */
#ifndef GROVE_TESTS_TRACE_EVENTS_H
#define GROVE_TESTS_TRACE_EVENTS_H

#include <time.h>

#include <jansson.h>

#include <grove/text.h>

#include "base/alloc.h"
#include "format/events.h"
#include "support/trace.h"

enum { TRACE_PARENTS_MAX = 64 };

/* A trace while it is read. */
typedef struct trace_import {
    grove__events *events;
    const json_t *names;  /* of the agents; NULL: their numbers */
    json_t *sequences;    /* by replica: of its next event */
    grove_event_id *last; /* of each transaction: its last event */
    uint64_t *counts;     /* of each transaction: its events */
} trace_import;

static inline json_t *trace_json(const char *name)
{
    grove_buffer text;
    grove_buffer_init(&text, &grove__allocator_system);
    trace_read(name, &text);
    json_t *json = json_loadb((const char *)text.data, text.size, JSON_ALLOW_NUL, NULL);
    cr_assert_not_null(json, "%s is not JSON", name);
    grove_buffer_release(&text);
    return json;
}

/* The next number of a time; what stands behind it is skipped. */
static inline int trace_time_part(const char **text)
{
    char *end;
    long part = strtol(*text, &end, 10);
    *text = end + (*end != '\0');
    return (int)part;
}

/* Times are as 2021-04-19T06:06:58.219Z or 1970-01-01T00:00:00+00:00. */
static inline int64_t trace_time_ms(const json_t *txn)
{
    const char *text = json_string_value(json_object_get(txn, "time"));
    struct tm parts = {0};
    parts.tm_year = trace_time_part(&text) - 1900;
    parts.tm_mon = trace_time_part(&text) - 1;
    parts.tm_mday = trace_time_part(&text);
    parts.tm_hour = trace_time_part(&text);
    parts.tm_min = trace_time_part(&text);
    parts.tm_sec = trace_time_part(&text);
    return (int64_t)timegm(&parts) * 1000 + trace_time_part(&text);
}

static inline grove_event_id trace_next_id(const trace_import *import, const json_t *txn)
{
    char number[24];
    json_int_t agent = json_integer_value(json_object_get(txn, "agent"));
    (void)snprintf(number, sizeof number, "%lld", (long long)agent);
    const char *name =
        import->names == NULL
            ? number
            : json_string_value(json_array_get(import->names, (size_t)agent));
    grove_event_id id;
    memset(&id, 0, sizeof id);
    id.replica.size = (uint8_t)strlen(name);
    memcpy(id.replica.bytes, name, id.replica.size);
    id.sequence = (uint64_t)json_integer_value(json_object_get(import->sequences, name));
    return id;
}

/* Appends an operation of a transaction, whose first event has `parents`. */
static inline void trace_append(trace_import *import, size_t txn_index,
                                grove_event_run *run, grove_operation operation)
{
    grove_error error = {GROVE_OK, 0, {0}};
    grove_event_id before = import->last[txn_index];
    if (import->counts[txn_index] > 0) {
        run->parents = &before;
        run->parent_count = 1;
    }
    run->operation = operation;
    cr_assert_eq(grove__events_append(import->events, grove_type_text(), run, &error),
                 GROVE_OK, "transaction %zu: %s", txn_index, error.message);
    run->first.sequence += operation.count;
    import->counts[txn_index] += operation.count;
    import->last[txn_index] = run->first;
    import->last[txn_index].sequence--;
}

static inline uint32_t trace_points(grove_bytes text)
{
    uint32_t points = 0;
    for (size_t index = 0; index < text.size; index++) {
        points += (text.data[index] & 0xc0) != 0x80;
    }
    return points;
}

static inline void trace_append_patches(trace_import *import, size_t txn_index,
                                        const json_t *txn, grove_event_run *run)
{
    size_t index;
    const json_t *patch;
    json_array_foreach(json_object_get(txn, "patches"), index, patch)
    {
        uint64_t position = (uint64_t)json_integer_value(json_array_get(patch, 0));
        uint32_t deleted = (uint32_t)json_integer_value(json_array_get(patch, 1));
        const json_t *typed = json_array_get(patch, 2);
        grove_bytes text = {(const uint8_t *)json_string_value(typed),
                            json_string_length(typed)};
        if (deleted > 0) {
            trace_append(
                import, txn_index, run,
                (grove_operation){GROVE_TEXT_DELETE, deleted, position, {NULL, 0}});
        }
        if (text.size > 0) {
            trace_append(
                import, txn_index, run,
                (grove_operation){GROVE_TEXT_INSERT, trace_points(text), position, text});
        }
    }
}

/* Finds the parents; a transaction without events stands for its own. */
static inline size_t trace_parents(const trace_import *import, size_t txn_index,
                                   const json_t *txn, grove_event_id *parents)
{
    const json_t *list = json_object_get(txn, "parents");
    size_t count = json_array_size(list);
    cr_assert_leq(count, TRACE_PARENTS_MAX);
    for (size_t index = 0; index < count; index++) {
        parents[index] = import->last[json_integer_value(json_array_get(list, index))];
    }
    if (list == NULL && txn_index > 0) {
        parents[count++] = import->last[txn_index - 1];
    }
    return count;
}

static inline void trace_append_txn(trace_import *import, size_t txn_index,
                                    const json_t *txn)
{
    grove_event_id parents[TRACE_PARENTS_MAX];
    size_t parent_count = trace_parents(import, txn_index, txn, parents);
    grove_event_run run = {
        trace_next_id(import, txn), parents, parent_count, trace_time_ms(txn), {0}};
    grove_replica replica = run.first.replica;
    trace_append_patches(import, txn_index, txn, &run);
    if (import->counts[txn_index] == 0) {
        cr_assert_eq(parent_count, 1);
        import->last[txn_index] = parents[0];
    }
    json_object_setn_new(import->sequences, (const char *)replica.bytes, replica.size,
                         json_integer((json_int_t)run.first.sequence));
}

/*
 * Appends all events of a trace to a list. `names_file` has the agents' names,
 * or is NULL. Skips the test, with the reason, when a file is not there.
 */
static inline void trace_events(const char *name, const char *names_file,
                                grove__events *events)
{
    json_t *trace = trace_json(name);
    json_t *names = names_file != NULL ? trace_json(names_file) : NULL;
    const json_t *txns = json_object_get(trace, "txns");
    trace_import import = {events, names, json_object(),
                           calloc(json_array_size(txns), sizeof *import.last),
                           calloc(json_array_size(txns), sizeof *import.counts)};
    cr_assert(import.sequences != NULL && import.last != NULL && import.counts != NULL);
    size_t index;
    const json_t *txn;
    json_array_foreach(txns, index, txn)
    {
        trace_append_txn(&import, index, txn);
    }
    free(import.last);
    free(import.counts);
    json_decref(import.sequences);
    json_decref(names);
    json_decref(trace);
}

#endif
