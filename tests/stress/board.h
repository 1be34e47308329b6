/*
 * What all processes of a run see: in shared memory made before the first
 * fork, so that what a process wrote there is left when it is killed.
 *
 * Terms. A *slot* is a place for a process: when its process ends, another one
 * is started in it. An *author* makes events, one after the other: each thread
 * of each slot has three, one that works directly, one for a branch in a store
 * of its own, and one for children it forks. The events that an author makes
 * in a document are numbered from 0; whoever takes a slot over goes on where
 * the store is.
 *
 * A *place* is where documents follow each other: at the same id, when they are
 * deleted and made anew, or at new ids, when one has become long. A *document*
 * is known by its index here, which all that is written in it bears.
 */
#ifndef GROVE_STRESS_BOARD_H
#define GROVE_STRESS_BOARD_H

#include <stdatomic.h>

#include <grove/grove.h>

#include "calls.h"

enum {
    PROCESSES_MAX = 16,
    THREADS_MAX = 8,
    SLOTS_MAX = PROCESSES_MAX + 1, /* the last one is the keeper's */
    AUTHORS_MAX = SLOTS_MAX * THREADS_MAX * 3,
    DOCUMENTS_MAX = 2048,
    SHARED_PLACES = 5,
    PLACES_MAX = SHARED_PLACES + PROCESSES_MAX * THREADS_MAX,
    GROUPS = 4, /* of each author that works directly */
    NO_DOCUMENT = DOCUMENTS_MAX
};

/* What of an author is stored: at least `acked` and at most `intended`, which
 * differ only while a call is under way, or was when its process was killed. */
typedef struct stress_mark {
    _Atomic uint32_t acked;
    _Atomic uint32_t intended;
} stress_mark;

typedef struct stress_document {
    uint32_t place;
    uint32_t number; /* of those at this place, from 0 */
    bool is_text;
    bool is_compacted; /* else its history is all kept */
    bool is_deletable;
    atomic_bool is_being_deleted; /* or was */
    char id[32];
} stress_document;

typedef struct stress_options {
    uint64_t seed;
    uint32_t seconds;
    uint32_t processes;
    uint32_t threads; /* of each process, at most; exactly, if there is one */
    uint64_t size_limit_bytes;
    const char *backend;
    const char *directory; /* of the store */
    const char *sabotage;  /* what the run has to find; "" for nothing */
} stress_options;

typedef struct stress_board {
    stress_options options;
    int ledger; /* the descriptor of its file */
    void *backend_context;
    atomic_bool is_over;
    atomic_bool is_kept; /* the keeper has the store open */
    atomic_bool is_left; /* by all but the keeper */
    atomic_bool was_sabotaged;
    _Atomic uint32_t failures;
    _Atomic uint64_t calls;
    _Atomic uint32_t late_turn; /* late.c */
    _Atomic uint64_t late_clock;
    _Atomic uint32_t document_count;
    stress_document documents[DOCUMENTS_MAX];
    _Atomic uint32_t current[PLACES_MAX];
    stress_mark made[DOCUMENTS_MAX][AUTHORS_MAX]; /* events, or lines */
    stress_mark gone[DOCUMENTS_MAX][AUTHORS_MAX]; /* lines deleted again */
    stress_mark groups[AUTHORS_MAX][GROUPS];
    /* What each thread is about, for who looks why nothing goes on. */
    _Atomic uint32_t doing[SLOTS_MAX][THREADS_MAX];
    _Atomic uint64_t statuses[CALL_COUNT][STRESS_STATUSES];
} stress_board;

stress_board *stress_board_new(const stress_options *options);

/* The document that is now at a place. */
uint32_t stress_place_document(stress_board *board, uint32_t place);
/* Lets another document follow `document` at its place, unless somebody did
 * so already. False: there is no room for one. */
bool stress_place_advance(stress_board *board, uint32_t document);

/* Whether the run is to find what `name` spoils; true once. */
bool stress_sabotage(stress_board *board, const char *name);

/* Says what is wrong and ends the process. The board keeps that it failed. */
_Noreturn void stress_fail(stress_board *board, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Opens the run's store. */
grove_status stress_store_open(const stress_board *board, grove_durability durability,
                               uint32_t wait_ms_max, grove_store **store_out,
                               grove_error *error_out);

#endif
