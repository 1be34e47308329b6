/*
 * What was to be done, and what was acknowledged: a file to which all processes
 * append records of one size. What a process wrote before it was killed is
 * there, and whole. The order is that of time.
 */
#ifndef GROVE_STRESS_LEDGER_H
#define GROVE_STRESS_LEDGER_H

#include "board.h"

typedef enum ledger_kind {
    /* Before the call. What comes of it says the next record of the same
     * author about the same thing; if there is none, nobody knows. */
    LEDGER_INTENDED = 1,
    LEDGER_ACKED = 2,
    LEDGER_FAILED = 3, /* with a status that promises that nothing changed */
    /* Given by the verdict to what was intended, and never told the end of. */
    LEDGER_STORED = 4,
    LEDGER_UNKNOWN = 5
} ledger_kind;

typedef enum ledger_what {
    LEDGER_EVENTS = 1,
    LEDGER_DELETION = 2, /* of a document */
    LEDGER_GROUP = 3
} ledger_what;

/* For events: those of one author, and one replica, in one save. */
typedef struct ledger_record {
    uint8_t kind;
    uint8_t what;
    uint8_t replica_bytes;
    uint8_t unused;
    uint32_t author;
    uint32_t document; /* for groups which of the author's */
    uint32_t number;   /* of the first line or payload; for groups the version */
    uint32_t count;
    uint32_t gone; /* of the first line that is deleted */
    uint32_t gone_count;
    uint32_t events;
    uint64_t sequence; /* of the first event */
    uint64_t event_sum;
    uint64_t content_sum;
    uint64_t commit;
    uint64_t first_clock; /* of all that was saved together */
    uint64_t saved_events;
    uint64_t call; /* the same in all records of one, and in no other */
    uint8_t replica[16];
    uint64_t reserved[3];
} ledger_record;

_Static_assert(sizeof(ledger_record) == 128, "appended as a whole, within a page");

/* A number for `call`. */
uint64_t ledger_new_call(stress_board *board);

void ledger_append(stress_board *board, const ledger_record *record);

/* All records, in one piece of malloc's. */
ledger_record *ledger_read(stress_board *board, size_t *count_out);

#endif
