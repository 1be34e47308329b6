/*
 * What is stored of a document, read without trust: for verify and salvage.
 *
 * A survey reads the document's entries of all tables, in one read
 * transaction, and keeps what it found: which batches and snapshots there are,
 * which of them are sound, how far the events go. What is wrong it reports.
 *
 *   V1  `batches` and `snapshots` have each value that has a sound key,
 *       ascending by clock; of those that are not sound only the clock is
 *       known.
 *   V2  Where `ids_are_sound`, `ids` has the id of every event from clock 0 to
 *       `meta.events` - 1, as the table `replicas` says.
 *   V3  The graph of `draft` has the events from `meta.base_clock` to
 *       `graph_end` - 1: it ends where a batch is missing or damaged, or
 *       contradicts those before it.
 *   V4  Damage is reported once: what follows from it alone is not.
 */
#ifndef GROVE_DOCUMENT_VERIFY_H
#define GROVE_DOCUMENT_VERIFY_H

#include <grove/verify.h>

#include "document/document.h"
#include "format/clock_row.h"

/* Where findings go. */
typedef struct grove__findings {
    grove_finding_fn each; /* NULL: they are only counted */
    void *context;
    uint64_t count;
    bool stopped; /* `each` wants no more, and gets no more */
} grove__findings;

/* Reports what is wrong: `what` with the offset and the sentence of `error`. */
void grove__findings_add(grove__findings *findings, const grove_finding *what,
                         const grove_error *error);

/* Whether a status says that what was read is not sound, rather than that it
 * could not be read. */
bool grove__finding_is(grove_status status);

/* What a survey looks for. */
typedef struct grove__survey_options {
    bool replay;
    /* Takes values whose own parts are sound whatever else is there. */
    bool is_salvage;
    const grove_document_type *const *types;
    size_t type_count;
    /* The type of a document without a sound record; NULL: not known. */
    const grove_document_type *guess;
} grove__survey_options;

/* A batch, a snapshot, or a run that waits, as it was found. */
typedef struct grove__survey_piece {
    uint64_t clock;  /* of a batch or a snapshot */
    uint64_t events; /* of a batch or a run that waits */
    uint64_t bytes;
    /* Of a batch what its header says; of a snapshot 1 + its least head's
     * clock, UINT64_MAX without any. */
    uint64_t reach;
    grove_event_id id; /* of a run that waits */
    /* Of a snapshot: its part of `heads`. */
    size_t head_first, head_count;
    bool is_sound;
} grove__survey_piece;

/* A run of a replica's events. */
typedef struct grove__survey_run {
    uint64_t clock;
    uint64_t count;
    uint64_t sequence;
    uint32_t replica; /* number in `names` */
} grove__survey_run;

typedef struct grove__survey {
    grove_store *store;
    grove__txn *txn;
    const grove__survey_options *options;
    grove__findings *findings;
    grove_bytes id;
    grove__key prefix; /* of all its keys but those of other tables */

    bool has_meta; /* else `meta` is what the rest lets one guess */
    grove__meta_record meta;
    const grove_document_type *type; /* NULL: another one */
    /* The backend cannot read on; nothing more was looked at. */
    bool is_unreadable;

    grove_buffer batches;    /* grove__survey_piece records */
    grove_buffer snapshots;  /* the same */
    grove_buffer pending;    /* the same, in the order of their keys */
    grove_buffer heads;      /* grove__head records */
    grove_buffer runs;       /* grove__survey_run records: of table `replicas`, */
    grove_buffer batch_runs; /* and of sound batches */
    bool has_damaged_runs;
    grove__ids names; /* replicas by number; no events */
    grove__ids ids;
    bool ids_are_sound;

    /* The last of table `clocks`; commit 0: none. */
    grove__commit_clock newest_clock;

    grove_document *draft; /* NULL until its graph begins */
    uint64_t graph_end;
    /* How far the events make states, if that was looked at. */
    uint64_t replay_end;
    uint64_t snapshots_replayed;

    /* For reading one value after the other, and what is wrong with it. */
    grove_buffer joined;
    grove_buffer scratch;
    grove__packer packer;
    grove_error error;
} grove__survey;

/*
 * All functions that work on a survey leave the sentence of a failure in its
 * `error`. They return GROVE_OK whatever is wrong with what they read; else
 * GROVE_IO, GROVE_NO_MEMORY, GROVE_BUSY.
 */

/* --- verify.c --- */

/* `id` and `txn` are borrowed until the release. */
void grove__survey_init(grove__survey *survey, grove_store *store, grove__txn *txn,
                        grove_bytes id, const grove__survey_options *options,
                        grove__findings *findings);
void grove__survey_release(grove__survey *survey);

/* Looks at everything that is stored of the document. */
grove_status grove__survey_make(grove__survey *survey);

grove__survey_piece *grove__survey_pieces(const grove_buffer *pieces, size_t *count_out);

/*
 * What the status of a look at an entry means, which left its sentence in
 * `error`: nothing, a finding of `kind`, or the end of the survey because the
 * backend cannot read on. A status that says neither is returned.
 */
grove_status grove__survey_judge(grove__survey *survey, grove_status status,
                                 grove_finding_kind kind, grove__table table,
                                 grove_bytes key);

/* Reads a value, into `joined` where it has several parts. Statuses of
 * grove__value_get. */
grove_status grove__survey_value(grove__survey *survey, grove__table table,
                                 grove_bytes key, grove_bytes *value_out);

/* The table of a document type, as it is stored by name; NULL: another one. */
const grove_document_type *grove__survey_type(const grove__survey_options *options,
                                              const char *name);

/* --- verify_rows.c: which entries there are --- */

/* Reads the record, the keys of all tables, the headers of batches and
 * snapshots, and the runs of replicas. */
grove_status grove__survey_read_rows(grove__survey *survey);

/* What is made of an entry; a status that is not GROVE_OK ends the way. */
typedef grove_status (*grove__survey_take)(grove__survey *survey, grove__table table,
                                           grove_bytes key, grove_bytes value);

/* Hands over each entry that the document has in a table. */
grove_status grove__survey_each_row(grove__survey *survey, grove__table table,
                                    grove__survey_take take);

/* --- verify_ids.c: which event has which clock --- */

/*
 * Makes `ids` of the runs of table `replicas`, as far as they cover the clocks
 * from 0 on once, and the sequences of each replica go on; *end_out is where
 * they no longer do. They are sound if they all do, up to `meta.events`.
 */
grove_status grove__survey_make_ids(grove__survey *survey, uint64_t *end_out);

/*
 * The same for a salvage: of what batches, the table and the heads of
 * snapshots say, the first that says something of a clock is believed. Clocks
 * below `end` of which nothing is known get the sequences that are missing
 * before others, and of a replica that is made up; the range of them is set. As
 * all events of sound batches are known, these are events that are removed or
 * lost. *end_out: `end`, or less, if what is known cannot be true.
 */
grove_status grove__survey_rebuild_ids(grove__survey *survey, uint64_t end,
                                       grove__range *made_up_out, uint64_t *end_out);

/* --- verify_events.c: what is in them --- */

/* Decodes batches, snapshots and what waits, and makes the graph. */
grove_status grove__survey_read_events(grove__survey *survey);

/* A handle without a state, which takes the survey's record for true. */
grove_status grove__survey_draft(grove__survey *survey, grove_document **draft_out);

/* --- verify_clocks.c --- */

/* The aging record; `is_known_out` false: it is damaged, which is said where
 * the store's records are looked at. The status is the backend's. */
grove_status grove__survey_read_aging(grove__txn *txn, grove__aging_record *record_out,
                                      bool *is_known_out, grove_error *error_out);

/* Whether the rows of table `clocks` ascend, stay within the document's events
 * and the commits that have aged, and begin with what the commits say. */
grove_status grove__survey_check_clocks(grove__survey *survey);

/* --- verify_replay.c --- */

/* Makes the states of all snapshots from the events, and compares. */
grove_status grove__survey_replay(grove__survey *survey);

#endif
