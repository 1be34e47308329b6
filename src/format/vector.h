/*
 * How many events are known of each replica: a version vector. Entries are in
 * the order in which their replicas came, each with the sequence of the first
 * event that is not known.
 */
#ifndef GROVE_FORMAT_VECTOR_H
#define GROVE_FORMAT_VECTOR_H

#include <grove/document.h>

#include "format/events.h"

typedef struct grove__vector {
    grove_buffer entries; /* grove_event_id */
    grove__sorted order;  /* of all of them, by replica */
} grove__vector;

void grove__vector_init(grove__vector *vector, const grove_allocator *allocator);
void grove__vector_release(grove__vector *vector);
/* Empties it; keeps the memory. */
void grove__vector_reset(grove__vector *vector);

/* The entries; borrowed until the vector changes. */
grove_version_vector grove__vector_view(const grove__vector *vector);

/* The events of a replica before `next` are known too. O(log entries), O(1)
 * for the replica that came last. False: no memory. */
bool grove__vector_raise(grove__vector *vector, const grove_replica *replica,
                         uint64_t next);

/* All events of a list are known too. False: no memory. */
bool grove__vector_raise_all(grove__vector *vector, const grove__events *events);

/* How many events of a replica are known. O(log² entries). */
uint64_t grove__vector_next(const grove__vector *vector, const grove_replica *replica);

/* Appends the events `from` to `end` - 1 of a list that are not known to
 * another one. Statuses as grove__events_append_list. */
grove_status grove__vector_append_lacking(const grove__vector *vector,
                                          const grove_document_type *type,
                                          grove__events *list, uint32_t from,
                                          uint32_t end, grove__events *lacking,
                                          grove_error *error_out);

#endif
