/*
 * A document handle, and what the files of this room share.
 *
 *   events    0 ........ base ........ snapshot ........ stored ..... end
 *             removed    |  batches in the store         |  `unsaved`
 *                        |             `graph` holds these ids ......|
 *
 *   D1  `state` is exactly the first `end` events; `graph` starts at the clock
 *       of the snapshot that was loaded (0 without one) and ends at `end`.
 *   D2  `unsaved` holds the events from `stored` to `end`, in this order.
 *   D3  `meta` is the stored record as of the last look at it; when nothing is
 *       stored, `exists` is false and `meta` is that of an empty document.
 *       `stored` may lag behind meta.events, never the other way.
 *   D4  After a failure inside a change of `state` that could not be taken
 *       back the handle is `failed`: only close is left.
 *   D5  Whatever a save, compact or seal prepared is written only if the meta
 *       record is still byte for byte `meta`: every change of a document
 *       renews its revision.
 */
#ifndef GROVE_DOCUMENT_DOCUMENT_H
#define GROVE_DOCUMENT_DOCUMENT_H

#include <grove/text.h>

#include "commit/store.h"
#include "document/merging.h"
#include "format/events_mark.h"
#include "format/batch.h"
#include "format/key.h"
#include "format/record.h"
#include "format/snapshot.h"
#include "format/vector.h"
#include "graph/arrival.h"
#include "rollup/rollup.h"

/* A run that waits; see pending.h. */
typedef struct grove__pending_item {
    grove_event_id first;
    uint32_t count;
    bool is_stored;
    bool is_gone;
    bool is_aside;
    grove__events *events; /* the run alone */
} grove__pending_item;

typedef struct grove__pending {
    grove_buffer items; /* grove__pending_item records */
    grove__index index; /* the first of them, by their first events */
    uint64_t events;
    uint64_t revision; /* of the meta record, when they were read */
    bool is_loaded;
    /* All were looked at since something came that they may wait for. */
    bool is_tried;
} grove__pending;

/* Changes of a tree that can be undone, or redone; see tree_edit.h. */
typedef struct grove__tree_row {
    grove_buffer records; /* grove__tree_record */
    grove_buffer values;
    size_t changes;
} grove__tree_row;

/* What a handle knows of the batches or snapshots that are stored: the newest
 * ones, ascending. Stale when `revision` is not that of the meta record. */
typedef struct grove__pieces {
    grove_buffer items; /* grove__piece records */
    bool is_known;
    uint64_t revision;
} grove__pieces;

/* How far a handle has come with unsaved events, to go back to when the state
 * is as it was. */
typedef struct grove__document_mark {
    grove__events_mark unsaved;
    uint64_t end; /* of the graph */
    uint64_t next_sequence;
} grove__document_mark;

struct grove_document {
    grove_store *store;
    const grove_allocator *allocator;
    /* What no compaction may remove: handle.clock is `stored`, or less when
     * unsaved events have parents further back. */
    grove__handle handle;
    uint8_t id_bytes[GROVE_DOCUMENT_ID_BYTES_MAX];
    grove_bytes id;
    const grove_document_type *type;
    grove_snapshot_policy policy;
    int32_t level;
    bool failed;
    /* A view of the past: `meta.events` is where it ends, and nothing is
     * unsaved. */
    bool is_past;
    /* A snapshot is due with the next save whatever the policy says: the
     * application handed in a state, or the newest snapshot is damaged. */
    bool wants_snapshot;

    bool exists;
    grove__meta_record meta;
    uint64_t stored;

    grove_replica replica;
    uint64_t next_sequence;
    void *state;
    grove__graph graph;
    grove__walk walk; /* over `graph` */
    grove__merge merge;
    grove__events unsaved;
    /* 1 + the least clock of their parents among the stored ones; 0 for an
     * event without parents; UINT64_MAX: there are none. */
    uint64_t unsaved_reach;
    /* The newest unsaved event was made here, and is the only head. */
    bool made_last;
    /* The first sequence of unsaved events that were made here; UINT64_MAX. */
    uint64_t made_first;
    /* Heads as ids, for grove_document_version, and what is known of each
     * replica, for grove_document_version_vector. */
    grove_buffer version;
    grove__vector vector;
    /* Who listens to edits of a text. */
    grove_text_edit_fn edited;
    void *edited_context;

    /* Of a tree: whether a change is open, which then is not saved, and how far
     * the handle was; what can be undone and redone, and where events are
     * noted meanwhile. */
    bool is_changing;
    struct {
        grove__document_mark mark;
        uint64_t unsaved_reach;
        bool made_last;
        size_t records, values;
    } change;
    grove__tree_row undo, redo;
    grove__tree_row *noting;
    grove_buffer stand_ins; /* grove__tree_stand_in, ascending by sequence */
    bool is_redoing;        /* or undoing */

    /* The tail that is stored, for the snapshot policy. */
    uint64_t tail_operations;
    uint64_t tail_batches;
    uint64_t tail_bytes;
    uint64_t damaged_snapshots;
    uint64_t bytes_read;

    grove__pieces batches;
    grove__pending pending;
    grove__packer packer;
};

/* Batches whose sizes a save looks at when it rolls up. */
enum { GROVE__PIECES_MAX = 128 };

/* --- reading: load.c, batches.c, take_in.c --- */

/* The meta record as `txn` sees it. GROVE_NONE. */
grove_status grove__document_meta_read(grove__txn *txn, grove_bytes id,
                                       grove__meta_record *meta_out,
                                       grove_error *error_out);

/* Fills state, graph, stored and tail from the store, as of `txn`, for a
 * handle that holds nothing yet and whose meta is read. */
grove_status grove__document_load_state(grove_document *document, grove__txn *txn,
                                        grove_error *error_out);

/* Takes the events from `stored` to meta.events into graph and state, in the
 * order of clocks. Unsaved events must not be there, unless the type is
 * concurrent. */
grove_status grove__document_load_tail(grove_document *document, grove__txn *txn,
                                       grove_error *error_out);

/* A batch as it is read; reused from one to the next. */
typedef struct grove__batch_reader {
    grove_buffer joined;
    grove_bytes bytes;
    grove__block block;
    grove__batch_header header;
} grove__batch_reader;

void grove__batch_reader_init(grove__batch_reader *reader,
                              const grove_allocator *allocator);
void grove__batch_reader_release(grove__batch_reader *reader);
/* Reads the batch that begins at `clock`; verifies its header and that it
 * stands at its place. A batch that is not there is GROVE_CORRUPT. What was
 * read is borrowed from `txn`. */
grove_status grove__batch_read(grove_document *document, grove__txn *txn, uint64_t clock,
                               grove__batch_reader *reader, grove_error *error_out);
/*
 * The newest border between batches at or before `target`, and before `start`,
 * that is a critical version: no event from it on has a parent before the
 * event before it, and nothing before it is a head. `bound` is 1 + the least
 * clock of those heads and parents of events from `start` on that lie before
 * `start`. Reads headers only. GROVE_HISTORY_REMOVED: all such were removed.
 */
grove_status grove__batch_border(grove_document *document, grove__txn *txn,
                                 uint64_t start, uint64_t bound, uint64_t target,
                                 uint64_t *border_out, grove_error *error_out);

/* The first clock of the batch that holds the event at `clock`. */
grove_status grove__batch_find(grove_document *document, grove__txn *txn, uint64_t clock,
                               uint64_t *first_clock_out, grove_error *error_out);

/*
 * Appends to `pieces_out` the newest batches (or snapshots) of a document,
 * ascending, at most `count_max`, read from keys and sizes alone.
 */
grove_status grove__pieces_read(grove_document *document, grove__txn *txn,
                                grove__table table, size_t count_max,
                                grove_buffer *pieces_out, grove_error *error_out);

/* The clock of an event that is stored: from the graph, or from the table
 * `replicas`. GROVE_NONE: not known. */
grove_status grove__document_clock_of(grove_document *document, grove__txn *txn,
                                      const grove_replica *replica, uint64_t sequence,
                                      uint64_t *clock_out, grove_error *error_out);

/* The newest run of a replica that is stored: its first sequence, first clock
 * and count. GROVE_NONE: it has no event. */
typedef struct grove__replica_run {
    uint64_t sequence;
    uint64_t clock;
    uint64_t count;
} grove__replica_run;

/* The run that has an event. GROVE_NONE: it is not stored. */
grove_status grove__replica_run_of(grove_document *document, grove__txn *txn,
                                   const grove_event_id *id, grove__replica_run *run_out,
                                   grove_error *error_out);

grove_status grove__replica_run_newest(grove_document *document, grove__txn *txn,
                                       const grove_replica *replica,
                                       grove__replica_run *run_out,
                                       grove_error *error_out);

/* Looks at the stored document anew. GROVE_NONE: the document that this handle
 * is of is no longer stored. */
grove_status grove__document_look(grove_document *document, grove__txn *txn,
                                  grove_error *error_out);

/* The same for a call that goes on with the handle: GROVE_CONFLICT instead of
 * GROVE_NONE. */
grove_status grove__document_look_again(grove_document *document, grove__txn *txn,
                                        grove_error *error_out);

/*
 * Takes in the events that are stored and that the handle lacks, before its
 * unsaved ones; of these, those that were stored meanwhile are unsaved no
 * longer. GROVE_REPLICA_REUSED: other events are stored by the ids of unsaved
 * ones, or some of the handle's own replica. GROVE_UNSUPPORTED: that would make
 * a merge, and the type has none. GROVE_HISTORY_REMOVED: they are no longer
 * stored.
 */
grove_status grove__document_take_in(grove_document *document, grove__txn *txn,
                                     grove_error *error_out);

/* --- the graph of a handle: edit.c, rebuild.c --- */

/* The clock of an event that the handle knows, unsaved ones included.
 * GROVE_NONE: it is not known. */
grove_status grove__document_find(grove_document *document, grove__txn *txn,
                                  const grove_replica *replica, uint64_t sequence,
                                  uint64_t *clock_out, grove_error *error_out);

/* Events `from` to `end` - 1 of a list, whose first has the clock
 * `first_clock`. */
typedef struct grove__list_part {
    grove__events *events;
    uint64_t first_clock;
    uint32_t from;
    uint32_t end;
} grove__list_part;

/* Applies events of a list, which the graph has, to the state, where no event
 * after them is yet but those that were there before them; `bound` and
 * `misfit` are those of a grove__merge_job. */
grove_status grove__document_apply_list(grove_document *document, grove__txn *txn,
                                        const grove__list_part *part, uint64_t bound,
                                        grove_status misfit, grove_error *error_out);

/*
 * Appends events to the graph. GROVE_UNSUPPORTED: concurrent, and the type
 * cannot merge; nothing is changed. GROVE_CORRUPT: they contradict the graph;
 * GROVE_HISTORY_REMOVED: it reaches not far enough back. Some of the events
 * may then be in the graph.
 */
grove_status grove__document_add_list(grove_document *document, grove__txn *txn,
                                      const grove__list_part *part,
                                      grove_error *error_out);

/* The same; takes older events into the graph when that is what is lacking. */
grove_status grove__document_add_stored(grove_document *document, grove__txn *txn,
                                        const grove__list_part *part,
                                        grove_error *error_out);

/*
 * Makes the graph reach back to `target`, or further: to a critical version.
 * It keeps its events up to clock `end`. On failure it is as it was.
 * GROVE_HISTORY_REMOVED: what that needs is no longer stored.
 */
grove_status grove__document_deepen(grove_document *document, grove__txn *txn,
                                    uint64_t target, uint64_t end,
                                    grove_error *error_out);

/* Takes the events from clock `end` on out of the graph. GROVE_NO_MEMORY: it
 * is as it was. */
grove_status grove__document_cut_graph(grove_document *document, uint64_t end,
                                       grove_error *error_out);

/*
 * The graph with `stored` after the events that were known to be stored, and
 * then `unsaved`; graph_out is the caller's, the handle keeps its own.
 * Statuses as grove__document_add_stored.
 */
grove_status grove__document_order_anew(grove_document *document, grove__txn *txn,
                                        grove__events *stored, grove__events *unsaved,
                                        grove__graph *graph_out, grove_error *error_out);

/* What a batch of the list that begins at `first_clock` has as its reach. */
grove_status grove__document_reach(grove_document *document, grove__txn *txn,
                                   const grove__events *events, uint64_t first_clock,
                                   uint64_t *reach_out, grove_error *error_out);

/* Appends a new run that the graph takes, with its parents' clocks, to
 * `unsaved`, the state and the graph, or, on failure, to none of them. `txn`
 * is NULL for a run that was made here, on the version the handle stands at.
 * GROVE_MALFORMED: the operation does not fit the state. */
grove_status grove__document_push(grove_document *document, grove__txn *txn,
                                  const grove_event_run *run, grove__frontier parents,
                                  grove_error *error_out);

/* Appends a run to `unsaved` and the graph, but not to the state. */
grove_status grove__document_append(grove_document *document, const grove_event_run *run,
                                    grove__frontier parents, grove_error *error_out);

/* The unsaved events from clock `from` on, which were appended so, go into the
 * state. GROVE_MALFORMED: an operation does not fit; the state is unchanged. */
grove_status grove__document_take_unsaved(grove_document *document, grove__txn *txn,
                                          uint64_t from, grove_error *error_out);

/* Finds anew how far back the unsaved events reach; grove__document_hold then
 * says so. */
void grove__document_find_reach(grove_document *document);

grove__document_mark grove__document_mark_of(const grove_document *document);
/* Takes back what was appended since. */
void grove__document_rewind(grove_document *document, const grove__document_mark *mark);

/* Pushes the next events of the handle's own replica, as the child of the
 * version it stands at. O(1) beside the state's cost. */
grove_status grove__document_make(grove_document *document,
                                  const grove_operation *operation,
                                  grove_error *error_out);

/* --- merging: merge.c; see merging.h --- */

void grove__merge_init(grove__merge *merge, const grove_allocator *allocator);
void grove__merge_release(grove__merge *merge, const grove_document_type *type);

/*
 * Merges events into the state, and reports the edits; the meta record that the
 * handle knows is that of `txn`. The job's `misfit`: an operation does not fit
 * what was there when it was made; nothing changed.
 * GROVE_HISTORY_REMOVED: what has to be seen again is no longer stored.
 */
grove_status grove__document_merge(grove_document *document, grove__txn *txn,
                                   const grove__merge_job *job, grove_error *error_out);

/*
 * Merges stored events, as ranges of clocks from `known` on, into a state that
 * has exactly the events before `known`; the graph has them all. For a handle
 * that is then used for reading only. Statuses as above.
 */
grove_status grove__document_merge_ranges(grove_document *document, grove__txn *txn,
                                          uint64_t known, grove__ranges events,
                                          grove_error *error_out);

/*
 * Appends what a walker knows that has seen all events of the graph since some
 * critical clock, with that clock before it: the frame `merge` of a snapshot.
 */
grove_status grove__merge_state_encode(grove_document *document, grove__txn *txn,
                                       grove_buffer *bytes_out, grove_error *error_out);

/* Lets a walker see all events from a critical clock on, without a change of
 * the state. */
grove_status grove__document_walk_all(grove_document *document, grove__txn *txn,
                                      uint64_t base, grove__merge *merge,
                                      grove_error *error_out);

/* Whether the type takes events that are concurrent. */
static inline bool grove__document_merges(const grove_document *document)
{
    return (document->type->capabilities & GROVE_TYPE_CONCURRENT) != 0 ||
           document->type->merge != NULL;
}

/* Whether events need what they are concurrent with: to be merged, or to get
 * their Lamport times. */
static inline bool grove__document_reaches_back(const grove_document *document)
{
    return document->type->merge != NULL || document->type->timed != NULL;
}

/* Whether events can be merged that have no parent before clock `reach` - 1.
 * GROVE_HISTORY_REMOVED: nobody could merge them who loads the document. */
grove_status grove__document_check_reach(const grove_document *document, uint64_t reach,
                                         grove_error *error_out);

/* Tells who listens of operations that others made and the state has taken. */
void grove__document_report(grove_document *document, grove_operations operations);

/* --- snapshots: snapshots.c --- */

/* The snapshot of `state` as a block; of a timed type without what only events
 * could need that are concurrent with one up to the time `settled`. GROVE_NONE:
 * the type makes none now. */
grove_status grove__document_encode_snapshot(grove_document *document, grove__txn *txn,
                                             uint64_t settled, grove_buffer *block_out,
                                             grove_error *error_out);

struct grove__change;

/* Puts a snapshot and thins out the older ones; those before `floor` go. */
grove_status grove__document_put_snapshot(grove_document *document, grove__txn *txn,
                                          struct grove__change *change, uint64_t clock,
                                          uint64_t floor, grove_bytes block,
                                          grove_error *error_out);

/* --- save.c --- */

/* What the handle knows of stored batches: the last `replaced` became one. */
void grove__document_replace_batches(grove_document *document, size_t replaced,
                                     const grove__piece *piece);

/* --- vector.c --- */

/* Makes `vector` what the handle knows, unsaved events included. */
grove_status grove__document_vector(grove_document *document, grove__txn *txn,
                                    grove_error *error_out);

/* --- pending.c --- */

void grove__pending_init(grove__pending *pending, const grove_allocator *allocator);
void grove__pending_release(grove__pending *pending);

/* --- document.c --- */

/* Begins a read transaction for a change of what is stored, and looks.
 * GROVE_NONE: nothing is stored. GROVE_CONFLICT: no longer the document that
 * the handle is of. */
grove_status grove__document_begin_change(grove_document *document, grove__txn *txn_out,
                                          grove_error *error_out);

/* Another handle on the document as `txn` sees it, for the library's own use:
 * not linked, so that compaction does not wait for it. */
grove_status grove__document_open_stored(const grove_document *document, grove__txn *txn,
                                         grove_document **copy_out,
                                         grove_error *error_out);

/* Says anew which clocks the handle still needs. */
void grove__document_hold(grove_document *document);

/* Whether a handle can be used. GROVE_FAILED: it is only good for close;
 * GROVE_FORKED. */
grove_status grove__document_check(const grove_document *document,
                                   grove_error *error_out);

/* Whether a handle can be edited. GROVE_FAILED; GROVE_INVALID: it is a view of
 * the past. */
grove_status grove__document_check_editable(const grove_document *document,
                                            grove_error *error_out);

/* Whether it can be changed in other ways too. GROVE_INVALID: a change is open,
 * too. */
grove_status grove__document_check_live(const grove_document *document,
                                        grove_error *error_out);

/* --- text.c --- */

/* The length of a text, 0 for documents of other types. */
uint64_t grove__text_points(const grove_document *document);
/* Tells who listens that the text, of which there were so many characters, was
 * replaced by what is there now. */
grove_status grove__text_report_all(grove_document *document, uint64_t replaced,
                                    grove_error *error_out);

/* --- tree_undo.c --- */

void grove__tree_row_init(grove__tree_row *row, const grove_allocator *allocator);
/* Gives the memory back; the row is then as after init. */
void grove__tree_row_release(grove__tree_row *row);

/* --- what is shared by document.c, past.c and adopt.c --- */

/* The library's own types, from 0 on, the most particular first; NULL: no more.
 * And the one of this name, or NULL. */
const grove_document_type *grove__document_type_at(size_t index);
const grove_document_type *grove__document_type_named(const char *name);

/* Gives back what was read into a handle. */
void grove__document_unload(grove_document *document);

/* Makes `version` the ids of heads that a graph has. */
grove_status grove__document_set_version(grove_document *document,
                                         const grove__graph *graph, grove__frontier heads,
                                         grove_error *error_out);

/* Reads everything into a handle, as `txn` sees it; up to clock `end` for a
 * view of the past. */
grove_status grove__document_fill(grove_document *document, grove__txn *txn,
                                  bool must_exist, uint64_t end, grove_error *error_out);

/* A handle that nothing was read into, not linked, with the options. */
grove_status grove__document_new(grove_store *store, grove_bytes id,
                                 const grove_document_options *given,
                                 grove_document **document_out, grove_error *error_out);

#endif
