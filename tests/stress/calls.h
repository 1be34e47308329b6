/* Which call may say what, and when. */
#ifndef GROVE_STRESS_CALLS_H
#define GROVE_STRESS_CALLS_H

#include <grove/types.h>

struct stress_board;

typedef enum stress_call {
    CALL_NONE, /* at rest */
    CALL_STORE_OPEN,
    CALL_STORE_OPEN_OTHERWISE,
    CALL_STORE_COMMIT,
    CALL_STORE_STATISTICS,
    CALL_STORE_SYNC,
    CALL_OPEN,
    CALL_LOAD,
    CALL_LOAD_AT,
    CALL_REFRESH,
    CALL_MAKE,
    CALL_READ,
    CALL_SAVE,
    CALL_COMPACT,
    CALL_SEAL,
    CALL_DELETE,
    CALL_EVENTS,
    CALL_VERSION,
    CALL_STATISTICS,
    CALL_BLAME,
    CALL_LIST,
    CALL_EXPORT,
    CALL_IMPORT,
    CALL_BRANCH,
    CALL_GROUP_SAVE,
    CALL_GROUP_LOAD,
    CALL_GROUP_DELETE,
    CALL_WATCH,
    CALL_FEED,
    CALL_VERIFY,
    CALL_FORKED,
    CALL_COUNT
} stress_call;

enum { STRESS_STATUSES = GROVE_FORMAT_NEWER + 1 };

/* Circumstances. */
enum {
    WHEN_ANY = 1u << 0,
    WHEN_DELETABLE = 1u << 1, /* the document may be deleted, or was */
    WHEN_COMPACTED = 1u << 2, /* its history may be removed */
    WHEN_OPAQUE = 1u << 3,
    WHEN_EXPECTED = 1u << 4,  /* a save told its clock */
    WHEN_IMPATIENT = 1u << 5, /* the store was opened with a short wait */
    WHEN_FULL = 1u << 6       /* the store is near its size limit */
};

const char *stress_call_name(stress_call call);

/* Counts the answer, and ends the run when it is not in the table. Returns
 * it. */
grove_status stress_answer(struct stress_board *board, stress_call call, uint32_t when,
                           grove_status status, const grove_error *error);

void stress_calls_print(struct stress_board *board);

#endif
