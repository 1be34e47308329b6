/*
 * The conformance histories, from the directory that GROVE_TRACES names: three
 * replicas on several branches at once, and the text that others' programs
 * end with.
 */
#ifndef GROVE_TESTS_CONFORMANCE_H
#define GROVE_TESTS_CONFORMANCE_H

#include <jansson.h>

#include "base/alloc.h"
#include "support/text_history.h"
#include "support/trace.h"

enum { CONFORMANCE_HISTORIES = 100 };

static inline uint32_t conformance_number(const json_t *value)
{
    cr_assert(json_is_integer(value) && json_integer_value(value) >= 0);
    return (uint32_t)json_integer_value(value);
}

/* Adds an operation, which lists position, deleted count and inserted text, as
 * one piece. The event has its id and parents. */
static inline void conformance_add(text_history *history, text_event *event,
                                   const json_t *operation)
{
    uint32_t position = conformance_number(json_array_get(operation, 0));
    uint32_t deleted = conformance_number(json_array_get(operation, 1));
    const json_t *inserted = json_array_get(operation, 2);
    const char *text = json_string_value(inserted);
    uint32_t count = deleted > 0 ? deleted : (uint32_t)json_string_length(inserted);
    cr_assert((deleted > 0) != (json_string_length(inserted) > 0));
    for (uint32_t made = 0; made < count; made++) {
        event->deletes = deleted > 0;
        event->index = position + (deleted > 0 ? 0 : made);
        event->utf8[0] = deleted > 0 ? '\0' : text[made];
        text_history_add(history, event, made > 0);
        event->parents[0] = history->oracle.count - 1;
        event->parent_count = 1;
        event->id.sequence++;
    }
}

static inline void conformance_add_txn(text_history *history, const json_t *txn)
{
    const json_t *span = json_object_get(txn, "span");
    const json_t *parents = json_object_get(txn, "parents");
    const char *name = json_string_value(json_object_get(txn, "agent"));
    text_event event = {.parent_count = (uint32_t)json_array_size(parents)};
    size_t index;
    const json_t *operation;
    event.id.replica.size = (uint8_t)strlen(name);
    memcpy(event.id.replica.bytes, name, event.id.replica.size);
    event.id.sequence = conformance_number(json_object_get(txn, "seqStart"));
    cr_assert_leq(event.parent_count, TEXT_PARENTS_MAX);
    for (index = 0; index < event.parent_count; index++) {
        event.parents[index] = conformance_number(json_array_get(parents, index));
    }
    cr_assert_eq(conformance_number(json_array_get(span, 0)), history->oracle.count);
    json_array_foreach(json_object_get(txn, "ops"), index, operation)
    {
        conformance_add(history, &event, operation);
    }
    cr_assert_eq(conformance_number(json_array_get(span, 1)), history->oracle.count);
}

/* `number` counts from 0; the text is what the history must end in. */
typedef void conformance_visit(uint32_t number, text_history *history,
                               const char *end_text, void *context);

/* Calls for each history. Skips the test, with the reason, without traces. */
static inline void conformance_each(conformance_visit *visit, void *context)
{
    static text_history history;
    grove_buffer text;
    size_t offset = 0;
    uint32_t number = 0;
    grove_buffer_init(&text, &grove__allocator_system);
    trace_read("conformance-100.jsonl.gz", &text);
    while (offset + 1 < text.size) {
        json_error_t error;
        json_t *json = json_loadb((const char *)text.data + offset, text.size - offset,
                                  JSON_DISABLE_EOF_CHECK, &error);
        cr_assert_not_null(json, "history %u is not JSON", number);
        offset += (size_t)error.position;
        size_t index;
        const json_t *txn;
        text_history_clear(&history);
        json_array_foreach(json_object_get(json, "txns"), index, txn)
        {
            conformance_add_txn(&history, txn);
        }
        visit(number, &history, json_string_value(json_object_get(json, "endContent")),
              context);
        json_decref(json);
        number++;
    }
    cr_assert_eq(number, CONFORMANCE_HISTORIES);
    grove_buffer_release(&text);
}

#endif
