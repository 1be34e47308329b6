#include "calls.h"

#include <stdio.h>

#include "board.h"

static const char *const NAMES[CALL_COUNT] = {
    [CALL_NONE] = "nothing",
    [CALL_STORE_OPEN] = "store_open",
    [CALL_STORE_OPEN_OTHERWISE] = "store_open, otherwise",
    [CALL_STORE_COMMIT] = "store_commit",
    [CALL_STORE_STATISTICS] = "store_statistics",
    [CALL_STORE_SYNC] = "store_sync",
    [CALL_OPEN] = "document_open",
    [CALL_LOAD] = "document_load",
    [CALL_LOAD_AT] = "document_load_at",
    [CALL_REFRESH] = "document_refresh",
    [CALL_MAKE] = "insert, delete, append",
    [CALL_READ] = "text_each, payload",
    [CALL_SAVE] = "document_save",
    [CALL_COMPACT] = "document_compact",
    [CALL_SEAL] = "document_seal",
    [CALL_DELETE] = "document_delete",
    [CALL_EVENTS] = "document_events",
    [CALL_VERSION] = "version_vector",
    [CALL_STATISTICS] = "document_statistics",
    [CALL_BLAME] = "text_blame",
    [CALL_LIST] = "list",
    [CALL_EXPORT] = "document_export",
    [CALL_IMPORT] = "document_import",
    [CALL_BRANCH] = "in a branch's store",
    [CALL_GROUP_SAVE] = "group_save",
    [CALL_GROUP_LOAD] = "group_load",
    [CALL_GROUP_DELETE] = "group_delete",
    [CALL_WATCH] = "watch",
    [CALL_FEED] = "feed_read",
    [CALL_VERIFY] = "verify",
    [CALL_FORKED] = "in a forked child",
};

typedef struct rule {
    stress_call call;
    grove_status status;
    uint32_t when; /* in any of these circumstances */
} rule;

/* Beside GROVE_OK, which each may say but for those of the last part. */
static const rule RULES[] = {
    /* Opening may write that the store is in use. */
    {CALL_STORE_OPEN, GROVE_BUSY, WHEN_IMPATIENT},

    {CALL_LOAD, GROVE_NONE, WHEN_DELETABLE},
    {CALL_LOAD_AT, GROVE_NONE, WHEN_DELETABLE},
    /* Deleted and made anew between the look at its length and the load. */
    {CALL_LOAD_AT, GROVE_INVALID, WHEN_DELETABLE},
    {CALL_LOAD_AT, GROVE_HISTORY_REMOVED, WHEN_COMPACTED},
    {CALL_REFRESH, GROVE_NONE, WHEN_DELETABLE},
    {CALL_STATISTICS, GROVE_NONE, WHEN_DELETABLE},
    {CALL_VERIFY, GROVE_NONE, WHEN_DELETABLE},
    {CALL_BLAME, GROVE_NONE, WHEN_DELETABLE},
    {CALL_EXPORT, GROVE_NONE, WHEN_DELETABLE},
    {CALL_EXPORT, GROVE_HISTORY_REMOVED, WHEN_COMPACTED},
    {CALL_VERSION, GROVE_CONFLICT, WHEN_DELETABLE},
    {CALL_IMPORT, GROVE_CONFLICT, WHEN_DELETABLE},
    {CALL_EVENTS, GROVE_NONE, WHEN_DELETABLE},
    {CALL_EVENTS, GROVE_HISTORY_REMOVED, WHEN_COMPACTED},

    /* Others wrote the document before each of many attempts. */
    {CALL_SAVE, GROVE_BUSY, WHEN_ANY},
    {CALL_SAVE, GROVE_CONFLICT, WHEN_EXPECTED | WHEN_DELETABLE},
    {CALL_SAVE, GROVE_FULL, WHEN_FULL},
    {CALL_COMPACT, GROVE_BUSY, WHEN_ANY},
    {CALL_COMPACT, GROVE_CONFLICT, WHEN_DELETABLE},
    {CALL_COMPACT, GROVE_FULL, WHEN_FULL},
    /* Somebody saved after the state was handed in. */
    {CALL_COMPACT, GROVE_UNSUPPORTED, WHEN_OPAQUE},
    {CALL_SEAL, GROVE_BUSY, WHEN_ANY},
    {CALL_SEAL, GROVE_CONFLICT, WHEN_DELETABLE},
    {CALL_SEAL, GROVE_FULL, WHEN_FULL},
    {CALL_DELETE, GROVE_BUSY, WHEN_IMPATIENT},
    {CALL_GROUP_SAVE, GROVE_BUSY, WHEN_IMPATIENT},
    {CALL_GROUP_SAVE, GROVE_FULL, WHEN_FULL},
    {CALL_GROUP_LOAD, GROVE_NONE, WHEN_ANY},
    {CALL_GROUP_DELETE, GROVE_BUSY, WHEN_IMPATIENT},
    /* Nothing happened in the time that was waited. */
    {CALL_WATCH, GROVE_NONE, WHEN_ANY},

    {CALL_STORE_OPEN_OTHERWISE, GROVE_INVALID, WHEN_ANY},
    {CALL_FORKED, GROVE_FORKED, WHEN_ANY},
};

const char *stress_call_name(stress_call call)
{
    return NAMES[call];
}

static bool is_allowed(stress_call call, uint32_t when, grove_status status)
{
    if (status == GROVE_OK) {
        return call != CALL_STORE_OPEN_OTHERWISE && call != CALL_FORKED;
    }
    for (size_t index = 0; index < sizeof RULES / sizeof *RULES; index++) {
        const rule *allowed = &RULES[index];
        if (allowed->call == call && allowed->status == status &&
            (allowed->when & (when | WHEN_ANY)) != 0) {
            return true;
        }
    }
    return false;
}

grove_status stress_answer(stress_board *board, stress_call call, uint32_t when,
                           grove_status status, const grove_error *error)
{
    if ((unsigned)status >= STRESS_STATUSES) {
        stress_fail(board, "%s said %d", NAMES[call], (int)status);
    }
    (void)atomic_fetch_add(&board->statuses[call][status], 1);
    if (!is_allowed(call, when, status)) {
        stress_fail(board, "%s said %s: %s", NAMES[call], grove_status_name(status),
                    status == GROVE_OK ? "where it must not" : error->message);
    }
    return status;
}

void stress_calls_print(stress_board *board)
{
    for (int call = CALL_NONE + 1; call < CALL_COUNT; call++) {
        (void)printf("  %-24s", NAMES[call]);
        for (int status = 0; status < STRESS_STATUSES; status++) {
            uint64_t count = atomic_load(&board->statuses[call][status]);
            if (count > 0) {
                (void)printf(" %s %llu", grove_status_name((grove_status)status),
                             (unsigned long long)count);
            }
        }
        (void)printf("\n");
    }
}
