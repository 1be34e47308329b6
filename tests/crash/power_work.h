/*
 * What test_power.c records, and how it knows what the store then has to hold.
 *
 * Each of several processes edits a document of its own and saves a group of
 * its own, and tells after each call what was committed. A document's text is a
 * function of its number of events, a group's state one of its version, so the
 * number of the newest commit says what all of them are.
 */
#ifndef GROVE_TESTS_CRASH_POWER_WORK_H
#define GROVE_TESTS_CRASH_POWER_WORK_H

#include "crash/edits.h"

enum {
    POWER_PROCESSES = 2,
    /* A document and a group of each process. */
    POWER_SUBJECTS = 2 * POWER_PROCESSES,
    POWER_STATE_BYTES_MAX = 20000
};

typedef struct power_work {
    const char *path; /* of the store */
    grove_durability durability;
    uint64_t seed;
    uint64_t calls; /* of each process */
} power_work;

/* What a process tells: recorder_mark. */
typedef struct power_mark {
    uint64_t commit;
    /* What it changed, and the version since; POWER_SUBJECTS: nothing. */
    uint64_t subject;
    uint64_t version;
    /* All commits up to this one are promised to survive a power cut. */
    bool is_durable;
} power_mark;

typedef enum power_verdict {
    POWER_SOUND,
    POWER_LOST,  /* less than was promised */
    POWER_BROKEN /* what is there is not the state of a commit */
} power_verdict;

/* The versions of all subjects after each commit. */
typedef struct power_ledger {
    uint64_t commits; /* there are marks of 1 to this */
    uint64_t (*versions)[POWER_SUBJECTS];
} power_ledger;

/* In each process, which ends with its exit status. */
void power_work_do(const power_work *work, unsigned process);

/* Opens what a power cut left. `promised` is a commit. What was found out of
 * order is printed when `is_loud`. */
power_verdict power_inspect(const power_work *work, const power_ledger *ledger,
                            uint64_t promised, bool is_loud);

#endif
