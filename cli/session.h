/*
 * A made-up editing session: somebody writes in bursts, mistypes and takes it
 * back, jumps about, pastes, rewrites words and throws passages away.
 *
 * Nothing in it is left to chance: the same options give the same patches,
 * times and text on every machine. This file knows no store.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <stdint.h>

#include "trace.h"

#define CLI_SESSION_EVENTS_MAX UINT64_C(100000000)

typedef struct cli_session_options {
    /* One for each inserted and each deleted character: exactly so many.
     * 1 to CLI_SESSION_EVENTS_MAX. */
    uint64_t events;
    uint64_t seed;
    /*
     * Characters at the end, at most `events`. Met exactly; when the two
     * differ by an odd number, which no edits can end in, one more is left.
     * The text grows to this length in the first three fifths of the session
     * and is then revised.
     */
    uint64_t final_length;
} cli_session_options;

/* What a session of so many events commonly leaves: two fifths. */
uint64_t cli_session_final_length(uint64_t events);

/*
 * Makes a session; the caller releases *trace_out. Cost: proportional to the
 * events. GROVE_INVALID: an option; GROVE_NO_MEMORY.
 */
grove_status cli_session_make(const cli_session_options *options, cli_trace *trace_out,
                              grove_error *error_out);

#endif
