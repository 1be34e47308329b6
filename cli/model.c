#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

enum { CHUNK_POINTS = 2 * CLI_MODEL_INSERT_MAX };

void cli_model_init(cli_model *model)
{
    memset(model, 0, sizeof *model);
}

void cli_model_release(cli_model *model)
{
    for (size_t index = 0; index < model->count; index++) {
        free(model->chunks[index].points);
    }
    free(model->chunks);
    cli_model_init(model);
}

/*
 * Moves to the chunk that holds the character at `position`, or, at a border
 * and for an insertion, to the chunk that ends there. Returns the offset in it.
 */
static size_t seek(cli_model *model, uint64_t position, bool inserting)
{
    while (model->near_index > 0 && (position < model->near_begin ||
                                     (inserting && position == model->near_begin))) {
        model->near_index--;
        model->near_begin -= model->chunks[model->near_index].count;
    }
    while (model->near_index < model->count) {
        size_t count = model->chunks[model->near_index].count;
        uint64_t offset = position - model->near_begin;
        if (offset < count || (inserting && offset == count)) {
            break;
        }
        model->near_begin += count;
        model->near_index++;
    }
    return (size_t)(position - model->near_begin);
}

/* Puts a new empty chunk at `index`. */
static bool add_chunk(cli_model *model, size_t index)
{
    if (model->count == model->capacity) {
        size_t capacity = model->capacity == 0 ? 16 : 2 * model->capacity;
        cli_model_chunk *grown = realloc(model->chunks, capacity * sizeof *model->chunks);
        if (grown == NULL) {
            return false;
        }
        model->chunks = grown;
        model->capacity = capacity;
    }
    uint32_t *points = malloc(CHUNK_POINTS * sizeof *points);
    if (points == NULL) {
        return false;
    }
    memmove(model->chunks + index + 1, model->chunks + index,
            (model->count - index) * sizeof *model->chunks);
    model->chunks[index] = (cli_model_chunk){points, 0};
    model->count++;
    return true;
}

static void remove_chunk(cli_model *model, size_t index)
{
    free(model->chunks[index].points);
    model->count--;
    memmove(model->chunks + index, model->chunks + index + 1,
            (model->count - index) * sizeof *model->chunks);
}

/* Moves what lies behind `offset` of a chunk into a new one after it. */
static bool split(cli_model *model, size_t index, size_t offset)
{
    if (!add_chunk(model, index + 1)) {
        return false;
    }
    cli_model_chunk *left = &model->chunks[index];
    cli_model_chunk *right = &model->chunks[index + 1];
    right->count = left->count - offset;
    memcpy(right->points, left->points + offset, right->count * sizeof *right->points);
    left->count = offset;
    return true;
}

bool cli_model_insert(cli_model *model, uint64_t position, const uint32_t *points,
                      size_t count)
{
    if (count == 0) {
        return true;
    }
    if (model->count == 0 && !add_chunk(model, 0)) {
        return false;
    }
    size_t offset = seek(model, position, true);
    size_t used = model->chunks[model->near_index].count;
    if (used + count > CHUNK_POINTS) {
        /* Halves, so that the next insertions find room on either side; the
         * half the text goes to has at most CHUNK_POINTS / 2. */
        size_t half = used / 2;
        if (!split(model, model->near_index, half)) {
            return false;
        }
        offset = seek(model, position, true);
    }
    cli_model_chunk *chunk = &model->chunks[model->near_index];
    memmove(chunk->points + offset + count, chunk->points + offset,
            (chunk->count - offset) * sizeof *points);
    memcpy(chunk->points + offset, points, count * sizeof *points);
    chunk->count += count;
    model->length += count;
    return true;
}

void cli_model_delete(cli_model *model, uint64_t position, uint64_t count)
{
    model->length -= count;
    while (count > 0) {
        size_t offset = seek(model, position, false);
        cli_model_chunk *chunk = &model->chunks[model->near_index];
        size_t here = chunk->count - offset;
        here = here > count ? (size_t)count : here;
        memmove(chunk->points + offset, chunk->points + offset + here,
                (chunk->count - offset - here) * sizeof *chunk->points);
        chunk->count -= here;
        count -= here;
        if (chunk->count == 0) {
            remove_chunk(model, model->near_index);
        }
    }
}

void cli_model_copy(cli_model *model, uint64_t position, uint32_t *points_out,
                    size_t count)
{
    while (count > 0) {
        size_t offset = seek(model, position, false);
        const cli_model_chunk *chunk = &model->chunks[model->near_index];
        size_t here = chunk->count - offset;
        here = here > count ? count : here;
        memcpy(points_out, chunk->points + offset, here * sizeof *points_out);
        points_out += here;
        position += here;
        count -= here;
    }
}

char *cli_model_utf8(const cli_model *model, size_t *bytes_out)
{
    char *text = malloc((size_t)model->length * CLI_UTF8_BYTES_MAX + 1);
    if (text == NULL) {
        return NULL;
    }
    size_t bytes = 0;
    for (size_t index = 0; index < model->count; index++) {
        const cli_model_chunk *chunk = &model->chunks[index];
        for (size_t at = 0; at < chunk->count; at++) {
            bytes += cli_utf8_write(chunk->points[at], text + bytes);
        }
    }
    text[bytes] = '\0';
    *bytes_out = bytes;
    return text;
}
