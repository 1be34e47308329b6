/*
 * Whether what is said to be all of a document fits together: its pieces are
 * handed in one after the other, and each is compared with those before.
 *
 *   S1  Runs of replicas give each clock from 0 on one id, and leave out no
 *       sequence.
 *   S2  Batches cover the clocks from the base on. Their events have the ids
 *       that the runs say, and parents that are known and not later than they
 *       are; their reach is what these say.
 *   S3  A snapshot's heads are those of the events before its clock.
 *   S4  Whatever of a piece can be decoded decodes: operations and states only
 *       of types that are built in, all else of every type. What a snapshot
 *       knows for merging is looked at when it is used.
 *
 * Nothing is replayed: whether a state is the one that its events make is not
 * said. In memory: one piece, the document's graph, 28 bytes a run.
 */
#ifndef GROVE_DOCUMENT_SOUNDNESS_H
#define GROVE_DOCUMENT_SOUNDNESS_H

#include "document/document.h"

typedef struct grove__soundness grove__soundness;

/*
 * Begins a document. Of `said` what no piece can tell is taken: type,
 * incarnation, revision, events, base clock, sealed clock. GROVE_CORRUPT: they
 * contradict each other; GROVE_INVALID, GROVE_LIMIT: the id; GROVE_NO_MEMORY.
 */
grove_status grove__soundness_new(grove_store *store, grove_bytes id,
                                  const grove__meta_record *said,
                                  grove__soundness **soundness_out,
                                  grove_error *error_out);
/* Accepts NULL. */
void grove__soundness_free(grove__soundness *soundness);

/*
 * The pieces, kind after kind in this order, each kind in the order of its
 * table; `bytes` are borrowed for the call. GROVE_CORRUPT: a piece is damaged,
 * or does not fit those before; GROVE_FORMAT_NEWER; GROVE_NO_MEMORY. After any
 * of these only free is left.
 */
grove_status grove__soundness_run(grove__soundness *soundness,
                                  const grove_event_id *first, grove__run_record said,
                                  grove_error *error_out);
grove_status grove__soundness_snapshot(grove__soundness *soundness, uint64_t clock,
                                       grove_bytes bytes, grove_error *error_out);
grove_status grove__soundness_batch(grove__soundness *soundness, uint64_t clock,
                                    grove_bytes bytes, grove_error *error_out);
grove_status grove__soundness_pending(grove__soundness *soundness,
                                      const grove_event_id *first, grove_bytes bytes,
                                      grove_error *error_out);

/* That was all: *meta_out is the document's record, with what was counted. */
grove_status grove__soundness_end(grove__soundness *soundness,
                                  grove__meta_record *meta_out, grove_error *error_out);

#endif
