/*
 * Edits that are a function of their number and a seed: whoever knows how many
 * events a document has knows its text, without being told.
 */
#ifndef GROVE_TESTS_CRASH_EDITS_H
#define GROVE_TESTS_CRASH_EDITS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grove/grove.h>

#include "support/random.h"

enum { EDITS_TEXT_BYTES_MAX = 1 << 22, EDITS_FAILED = 3 };

/* What the event of one number does to a text of one length. */
typedef struct edits_one {
    size_t position;
    char inserted; /* NUL: a deletion */
} edits_one;

static inline edits_one edits_of(uint64_t seed, uint64_t number, size_t length)
{
    test_random random = {seed ^ (number / 16 * 0x9e3779b9u)};
    size_t place = test_random_below(&random, length + 1);
    random.state += number;
    uint64_t drawn = test_random_next(&random);
    /* Runs of 16 events stay close together, as a typist does. */
    size_t position = place + number % 16 <= length ? place + number % 16 : length;
    if (drawn % 4 == 0 && position < length) {
        return (edits_one){position, '\0'};
    }
    return (edits_one){position, (char)('a' + drawn % 26)};
}

/* The text after the first `clock` events. */
typedef struct edits_model {
    uint64_t seed;
    uint64_t clock;
    size_t length;
    char *text; /* room for EDITS_TEXT_BYTES_MAX */
} edits_model;

static inline void edits_model_init(edits_model *model, uint64_t seed)
{
    *model = (edits_model){seed, 0, 0, malloc(EDITS_TEXT_BYTES_MAX)};
    if (model->text == NULL) {
        (void)fprintf(stderr, "no memory for a text\n");
        _exit(EDITS_FAILED);
    }
}

/* Forwards from where it is, or from the beginning. */
static inline void edits_model_move(edits_model *model, uint64_t clock)
{
    if (clock < model->clock) {
        model->clock = 0;
        model->length = 0;
    }
    for (; model->clock < clock; model->clock++) {
        edits_one next = edits_of(model->seed, model->clock, model->length);
        char *at = model->text + next.position;
        size_t behind = model->length - next.position;
        if (next.inserted == '\0') {
            memmove(at, at + 1, behind - 1);
            model->length--;
        } else {
            memmove(at + 1, at, behind);
            *at = next.inserted;
            model->length++;
        }
    }
}

/* The next so many edits on a handle, which saves them or not. */
static inline grove_status edits_make(grove_document *document, uint64_t seed,
                                      uint64_t count, grove_error *error_out)
{
    uint64_t from = grove_document_clock(document) + grove_document_unsaved(document);
    grove_status status = GROVE_OK;
    for (uint64_t number = from; status == GROVE_OK && number < from + count; number++) {
        uint64_t length = 0;
        status = grove_text_length(document, &length, NULL, error_out);
        if (status != GROVE_OK) {
            break;
        }
        edits_one next = edits_of(seed, number, length);
        grove_bytes letter = {(const uint8_t *)&next.inserted, 1};
        status = next.inserted == '\0'
                     ? grove_text_delete(document, next.position, 1, error_out)
                     : grove_text_insert(document, next.position, letter, error_out);
    }
    return status;
}

/* Whether a handle's text is the model's at the handle's clock. */
static inline bool edits_match(const grove_document *document, edits_model *model)
{
    static char text[EDITS_TEXT_BYTES_MAX];
    uint64_t length = 0;
    uint64_t points = 0;
    size_t bytes = 0;
    grove_error error;
    edits_model_move(model, grove_document_clock(document));
    return grove_text_length(document, &length, NULL, &error) == GROVE_OK &&
           grove_text_read(document, 0, length, text, sizeof text, &bytes, &points,
                           &error) == GROVE_OK &&
           bytes == model->length && memcmp(text, model->text, bytes) == 0;
}

#endif
