/* Documents that are given the events of a history, beside its oracle. */
#ifndef GROVE_TESTS_TEXT_DOCUMENT_H
#define GROVE_TESTS_TEXT_DOCUMENT_H

#include <stdio.h>

#include "support/store_fixture.h"
#include "support/text_history.h"

/* The document's text, with a NUL behind it. */
static inline void text_document_read(store_fixture *fixture,
                                      const grove_document *document,
                                      char text_out[TEXT_BYTES_MAX])
{
    size_t bytes;
    uint64_t points;
    assert_ok(fixture,
              grove_text_read(document, 0, TEXT_EVENTS_MAX, text_out, TEXT_BYTES_MAX - 1,
                              &bytes, &points, &fixture->error));
    text_out[bytes] = '\0';
}

/* Tells the events, so that a failure can be made by hand. */
static inline void text_history_print(const text_history *history)
{
    const text_oracle *oracle = &history->oracle;
    for (uint32_t number = 0; number < oracle->count; number++) {
        const text_event *event = &oracle->events[number];
        (void)fprintf(stderr, "  %3u = %.*s %llu, after", number, event->id.replica.size,
                      (const char *)event->id.replica.bytes,
                      (unsigned long long)event->id.sequence);
        for (uint32_t index = 0; index < event->parent_count; index++) {
            (void)fprintf(stderr, " %u", event->parents[index]);
        }
        (void)fprintf(stderr, ": %s %s at %u\n", event->deletes ? "delete" : "insert",
                      event->utf8, event->index);
    }
}

/* The document has exactly the events of `has`. `place` says where that is. */
static inline void text_document_check(store_fixture *fixture,
                                       const grove_document *document,
                                       const text_history *history, const bool *has,
                                       const char *place)
{
    char text[TEXT_BYTES_MAX];
    char expected[TEXT_BYTES_MAX];
    text_document_read(fixture, document, text);
    text_oracle_text(&history->oracle, has, expected);
    if (strcmp(text, expected) != 0) {
        text_history_print(history);
    }
    cr_assert_str_eq(text, expected, "%s: \"%s\" instead of \"%s\"", place, text,
                     expected);
}

/* The document stands at the heads of the events of `has`. */
static inline void text_document_check_heads(store_fixture *fixture,
                                             grove_document *document,
                                             const text_history *history, const bool *has)
{
    const text_oracle *oracle = &history->oracle;
    grove_version version;
    size_t wanted = 0;
    size_t found = 0;
    assert_ok(fixture, grove_document_version(document, &version, &fixture->error));
    for (uint32_t number = 0; number < oracle->count; number++) {
        bool is_head = has[number];
        for (uint32_t later = number + 1; later < oracle->count; later++) {
            is_head = is_head && !(has[later] && oracle->history[later][number]);
        }
        wanted += is_head;
        for (size_t index = 0; is_head && index < version.head_count; index++) {
            found +=
                text_id_compare(&version.heads[index], &oracle->events[number].id) == 0;
        }
    }
    cr_assert_eq(version.head_count, wanted);
    cr_assert_eq(found, wanted);
}

/* Hands in a piece and says so in `has`. */
static inline void text_document_add(store_fixture *fixture, grove_document *document,
                                     const text_history *history, text_piece piece,
                                     bool *has)
{
    text_run run;
    text_run_make(&history->oracle, piece, &run);
    grove_status status = grove_document_add(document, &run.run, &fixture->error);
    if (status != GROVE_OK) {
        text_history_print(history);
    }
    cr_assert_eq(status, GROVE_OK, "events %u to %u: %s", piece.first, piece.end - 1,
                 fixture->error.message);
    memset(&has[piece.first], true, piece.end - piece.first);
}

#endif
