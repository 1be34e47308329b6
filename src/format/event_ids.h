/*
 * The ids of a list of events: replicas, id runs and parents, each added at
 * the end and found again. What events.h promises about ids (E3 to E5) is kept
 * here, for those who build a list: events.c and batch.c.
 *
 * On GROVE_NO_MEMORY and every other failure of a function that adds, the list
 * is as it was, but for replicas that were added before.
 */
#ifndef GROVE_FORMAT_EVENT_IDS_H
#define GROVE_FORMAT_EVENT_IDS_H

#include "format/event_list.h"

/* The index of a replica, or UINT32_MAX. GROVE_NO_MEMORY. */
grove_status grove__event_ids_find_replica(grove__events *events,
                                           const grove_replica *replica,
                                           uint32_t *index_out);

/* The same; a replica that the list does not name is added. */
grove_status grove__event_ids_add_replica(grove__events *events,
                                          const grove_replica *replica,
                                          uint32_t *index_out);

/* The index of the event with this id. GROVE_NONE, GROVE_NO_MEMORY. */
grove_status grove__event_ids_find(grove__events *events, uint32_t replica,
                                   uint64_t sequence, uint32_t *event_out);

/* The number of the id run that has the event with this index. */
size_t grove__event_ids_run_at(const grove__events *events, uint32_t event);

/* The number of the last parent run that begins at or before an event. */
size_t grove__event_ids_parent_run_at(const grove__events *events, uint32_t event);

/* The way back: replica and sequence of the event with this index. */
grove__parent grove__event_ids_at(const grove__events *events, uint32_t event);

/* Its Lamport time; 0: not known (E6). Its parents are there. */
uint64_t grove__event_ids_time(const grove__events *events, uint32_t event);

/*
 * Gives the list's next `count` events, at least 1, the ids from `sequence`
 * on. The caller has checked the limits.
 * GROVE_REPLICA_REUSED: the list has one of them; GROVE_INVALID: an event of
 * the list names one of them as a parent outside; GROVE_NO_MEMORY.
 */
grove_status grove__event_ids_add(grove__events *events, uint32_t replica,
                                  uint64_t sequence, uint32_t count,
                                  grove_error *error_out);

/* Appends a parent, for grove__event_ids_close_parents. GROVE_NO_MEMORY. */
grove_status grove__event_ids_add_parent(grove__events *events, grove__parent parent);

/*
 * Makes the parents from number `first` on those of `event`, which is after
 * all that have an entry, and with `is_timed` finds its Lamport time. A single
 * parent that is the event before needs no entry and is taken back.
 * GROVE_INVALID: a parent twice; GROVE_NO_MEMORY.
 */
grove_status grove__event_ids_close_parents(grove__events *events, uint32_t event,
                                            size_t first, bool is_timed,
                                            grove_error *error_out);

/* Gives back what grove__event_ids_* has allocated, or empties it. */
void grove__event_ids_release(grove__events *events);
void grove__event_ids_reset(grove__events *events);

/* How much there is of everything, to come back to. */
typedef struct grove__event_ids_mark {
    uint32_t count;
    size_t replica_count, id_run_count, parent_run_count, parent_count;
    uint32_t last_run_count; /* events of the last id run */
} grove__event_ids_mark;

grove__event_ids_mark grove__event_ids_mark_of(const grove__events *events);
/* Takes back all that was added since. O(runs). */
void grove__event_ids_rewind(grove__events *events, const grove__event_ids_mark *mark);

#endif
