/*
 * Floors: the least that any store like this one has to do. The same stored
 * bytes are fetched from a bare LMDB environment, the same frames decompressed
 * by bare zstd, the same text copied; for a history, its numbers are decoded
 * as plain varints. Nothing is verified, and contexts and transactions are
 * kept between runs.
 */
#ifndef BENCHMARKS_FLOOR_H
#define BENCHMARKS_FLOOR_H

#include <lmdb.h>

#include "bench.h"

enum { FLOOR_FRAMES_MAX = 4, FLOOR_PART_BYTES = 65520 };

typedef struct floor_frame {
    size_t stored_bytes;
    size_t raw_bytes;
    bool is_packed;
    bool is_varints;
} floor_frame;

/* What was put for one thing that is measured. */
typedef struct floor_value {
    uint32_t number;
    size_t stored_bytes;
    size_t text_bytes; /* of the text that is copied at the end */
    size_t frame_count;
    floor_frame frames[FLOOR_FRAMES_MAX];
} floor_value;

/* A value while it is made. */
typedef struct floor_draft {
    floor_value value;
    uint8_t *bytes;
} floor_draft;

typedef struct floor_env floor_env;

floor_env *floor_open(const bench *run, const char *name);
void floor_close(floor_env *env);

void floor_draft_init(floor_draft *draft, size_t text_bytes);
/* Adds a text; under `raw_bytes_max`, and where zstd gains little, as it is. */
void floor_draft_text(floor_draft *draft, const char *text, size_t bytes,
                      size_t raw_bytes_max, int level);
/* Patches from index `from` to before `to`. */
typedef struct floor_patches {
    const cli_trace *trace;
    size_t from;
    size_t to;
    bool with_times;
} floor_patches;

/*
 * Adds patches: their numbers as varints in one frame, the text they insert in
 * another. Typing and deleting that go on where the last patch ended are one
 * operation; times are runs of equal gaps.
 */
void floor_draft_patches(floor_draft *draft, const floor_patches *patches,
                         size_t raw_bytes_max, int level);
/* Puts it, with zeros up to `stored_bytes`; the draft is used up. */
floor_value floor_put(floor_env *env, floor_draft *draft, uint32_t number,
                      size_t stored_bytes);

/* Makes room for whatever a run of this value needs: before the first. */
void floor_room(floor_env *env, const floor_value *value);
/* One run: gets, unpacks, decodes, copies. In microseconds. */
double floor_run(floor_env *env, const floor_value *value);

/* cold.c: drops what the kernel holds of a file, which nobody may have mapped;
 * false when pages stay. */
bool cold_make(const char *path);
/* Writes a file of so many bytes. */
void cold_write(const char *path, size_t bytes);
/* A plain read of the whole file, in microseconds. */
double cold_read(const char *path, size_t bytes);

#endif
