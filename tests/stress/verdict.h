/*
 * The end of a run: what is stored against what was acknowledged.
 *
 *   - Every acknowledged event is there exactly once, with its id, at its
 *     clocks, with its content; and nothing is there that nobody intended.
 *   - Of a call that nobody knows the end of, all is there or nothing.
 *   - Commits are numbered without a gap, and no number was given twice.
 *   - The feed tells of each what it was acknowledged for.
 *   - The library's own check finds nothing.
 *   - Groups have the state of their newest version.
 *   - What is deleted is gone.
 */
#ifndef GROVE_STRESS_VERDICT_H
#define GROVE_STRESS_VERDICT_H

#include "ledger.h"

void verdict_run(stress_board *board, grove_store *store);

/* verdict_document.c: one document against its records; turns those that are
 * unknown into stored ones, or failed ones. */
void verdict_document(stress_board *board, grove_store *store, uint32_t index,
                      ledger_record **records, size_t count);

/* verify.c: the library's own check finds nothing. */
void verdict_verify(stress_board *board, grove_store *store);

/* verdict_feed.c: the feed against acknowledged records, which are sorted by
 * their commits. */
void verdict_feed(stress_board *board, grove_store *store, ledger_record **records,
                  size_t count, uint64_t newest);

#endif
