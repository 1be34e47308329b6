/*
 * A plain text of code points that can be edited anywhere: what a generated
 * session works on, and what says in the end how its text reads.
 *
 * A list of chunks, and the place that was last touched: an editing session
 * works where it worked before, so finding a position is short.
 */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cli_model_chunk {
    uint32_t *points;
    size_t count;
} cli_model_chunk;

/*
 * No chunk is empty. `near_index` is a chunk, or `count` at the end, and
 * `near_begin` the code points before it.
 */
typedef struct cli_model {
    cli_model_chunk *chunks;
    size_t count;
    size_t capacity;
    uint64_t length;
    size_t near_index;
    uint64_t near_begin;
} cli_model;

/* The most code points that go in at a time. */
enum { CLI_MODEL_INSERT_MAX = 1024 };

void cli_model_init(cli_model *model);
void cli_model_release(cli_model *model);

/* `position` is at most the length. False when out of memory: the text is
 * then unchanged. */
bool cli_model_insert(cli_model *model, uint64_t position, const uint32_t *points,
                      size_t count);

/* The range lies within the text. */
void cli_model_delete(cli_model *model, uint64_t position, uint64_t count);

/* Copies code points out; the range lies within the text. */
void cli_model_copy(cli_model *model, uint64_t position, uint32_t *points_out,
                    size_t count);

/* The text as UTF-8, NUL-terminated; the caller frees it. NULL: no memory. */
char *cli_model_utf8(const cli_model *model, size_t *bytes_out);

#endif
