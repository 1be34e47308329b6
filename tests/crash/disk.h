/*
 * The disk that a recorded program wrote to, record by record: what has
 * certainly reached it, and what is on its way and may arrive in any order, by
 * halves, or never.
 *
 *   D1  A sync makes those writes to its file certain that stand before its
 *       begin in the log, when its end is reached. A write that is_synced is
 *       certain itself and makes no other so.
 *   D2  Content on its way arrives in sectors of 512 bytes, each for itself. Of
 *       several writes to a sector any may be the last that arrived.
 *   D3  Names of a directory are made certain by syncing it, not by syncing the
 *       files. Those on their way arrive in their order: a journal keeps that.
 *   D4  A name and the content of its file know nothing of one another.
 */
#ifndef GROVE_TESTS_CRASH_DISK_H
#define GROVE_TESTS_CRASH_DISK_H

#include "crash/recorder.h"
#include "support/random.h"

typedef struct disk_model disk_model;

/* What of that on its way arrives. */
typedef enum disk_luck {
    DISK_NOTHING,
    DISK_EVERYTHING,
    DISK_SOME, /* drawn */
} disk_luck;

/* Nothing is on it. */
disk_model *disk_new(void);
void disk_free(disk_model *disk);

/* Takes the next record. `content` follows it in the log, which is borrowed
 * until disk_free. */
void disk_apply(disk_model *disk, const recorder_record *record, const uint8_t *content);

/* Whether something is on its way: else the three kinds of luck are one. */
bool disk_is_busy(const disk_model *disk);

/* Empties the directory `root` and writes to it what a power cut now leaves.
 * `random` is for DISK_SOME. Failures end the process. */
void disk_write_out(const disk_model *disk, disk_luck luck, test_random *random,
                    const char *root);

#endif
