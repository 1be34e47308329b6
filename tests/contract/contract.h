/*
 * The contract suite: checks every clause of grove/sys/backend.h on a
 * backend. For authors of backends; it needs no test framework, only libgrove
 * (for the names of statuses) and threads.
 *
 * Checks bear the number of the clause they check. Each has a place of its
 * own, opens the backend there through its table alone, and leaves the place
 * closed. Every call is watched besides: arguments are overwritten as soon
 * as a function returns (C9), outputs must be untouched unless it
 * returned GROVE_OK, and failures must bear a sentence (C14).
 *
 * A backend that waits where it must not makes the suite wait as well, and
 * one that crashes takes the suite along: run it with a time limit, and once
 * under AddressSanitizer and ThreadSanitizer.
 */
#ifndef GROVE_CONTRACT_H
#define GROVE_CONTRACT_H

#include <grove/sys/backend.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { GROVE_CONTRACT_CLAUSES = 18, GROVE_CONTRACT_PATH_BYTES_MAX = 1024 };

/* Where an environment is made: what the backend's open is given. */
typedef struct grove_contract_place {
    char path[GROVE_CONTRACT_PATH_BYTES_MAX];
    void *context;
} grove_contract_place;

typedef enum grove_contract_outcome {
    GROVE_CONTRACT_PASSED = 0,
    GROVE_CONTRACT_FAILED = 1,
    /* The backend does not claim what is checked, or the place cannot do it. */
    GROVE_CONTRACT_SKIPPED = 2
} grove_contract_outcome;

typedef struct grove_contract_result {
    /* The clause that was broken; of a check that passed, the one it is for. */
    unsigned clause;
    const char *name; /* the check, a claim in words; static */
    grove_contract_outcome outcome;
    /* Why it failed or was skipped; empty when it passed. Until the call that
     * it is given to returns. */
    const char *message;
} grove_contract_result;

/* All functions are mandatory; the thread that runs the suite calls them. */
typedef struct grove_contract_options {
    /* sizeof this struct. */
    size_t size;
    const grove_backend *backend;
    /* For the functions below. */
    void *context;
    /* Fills in a place where nothing is; copies are made below it, with the
     * same context. False: there is none to be had; the check fails. */
    bool (*place_make)(void *context, grove_contract_place *place_out);
    /* Removes the place with all that is there. No environment is open. */
    void (*place_remove)(void *context, grove_contract_place *place);
    /*
     * Plays a power cut: what is not durable is lost. Environments that are
     * open there will only be closed afterwards. False: cannot be played; the
     * check is skipped.
     */
    bool (*power_cut)(void *context, grove_contract_place *place);
    /*
     * Lets the next sync of what is open there fail, be it of the function sync
     * or of a commit in GROVE_DURABILITY_FULL. False: cannot be played; the
     * check is skipped.
     */
    bool (*sync_fail)(void *context, grove_contract_place *place);
    /* Called once for every check, as it ends. */
    void (*report)(void *context, const grove_contract_result *result);
    /* Only the checks for this clause; 0: all. */
    unsigned only_clause;
    /* Only the check of this name; NULL: all. */
    const char *only_check;
    /* For the random checks: the same seed gives the same calls. */
    uint64_t seed;
} grove_contract_options;

/*
 * Runs the suite and returns how many clauses were found broken, so that 0 is
 * success. Forks, kills and stops children of its own. Takes some ten seconds,
 * and some 100 MB of memory or disk.
 */
size_t grove_contract_run(const grove_contract_options *options);

#ifdef __cplusplus
}
#endif

#endif
