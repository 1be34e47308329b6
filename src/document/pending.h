/*
 * Events that wait for others: for a parent, or for the one before it of its
 * replica. They are kept in the handle, and after a save in table `pending`,
 * until an import or a save finds that what they wait for has come.
 *
 *   N1  Each item is one run with the ids and parents that it came with.
 *   N2  `events` is the sum of the items' counts, without those that are gone.
 *   N3  Items that are stored are those of the table as of the meta record's
 *       `revision`; `meta.pending` counts them.
 *   N4  An item that is gone has become part of the document, or was a part
 *       before, or another one has its events; the next save removes what is
 *       stored of it.
 *   N5  No two items begin with the same event, unless one of them is gone:
 *       one key of the table is one item's.
 */
#ifndef GROVE_DOCUMENT_PENDING_H
#define GROVE_DOCUMENT_PENDING_H

#include "document/addition.h"
#include "document/change.h"

/* The events of the document's handle that wait, as `txn` sees them: reads
 * what others stored. */
grove_status grove__pending_load(grove_document *document, grove__txn *txn,
                                 grove_error *error_out);

/* Makes an item, which has an empty list, of a stored run with the id of its
 * key and its block. */
grove_status grove__pending_decode(grove_document *document, const grove_event_id *id,
                                   grove_bytes bytes, grove__pending_item *item,
                                   grove_error *error_out);

/* Keeps what of a run does not wait already; *known_out is how much does.
 * `aside`: it can no longer be merged. GROVE_LIMIT: more than
 * GROVE_PENDING_EVENTS_MAX. */
grove_status grove__pending_add(grove_document *document, const grove_event_run *run,
                                bool aside, uint64_t *known_out, grove_error *error_out);

/*
 * Adds to the graph and to `unsaved`, but not to the state, all that no longer
 * has to wait. Each item is looked at once, and again when what it waited for
 * came: O(n log n) for n of them.
 */
grove_status grove__pending_place(grove_document *document, grove__addition *adding,
                                  grove_error *error_out);

/* Looks which items can no longer be merged, and counts their events. */
grove_status grove__pending_count_aside(grove_document *document, grove__addition *adding,
                                        uint64_t *events_out, grove_error *error_out);

/* Whether a save has something to store or to remove. */
bool grove__pending_has_changes(const grove_document *document);
/* Puts and removes it, and sets the meta record's count. Blocks are appended
 * to `blocks`, which has to live as long as the change. */
grove_status grove__pending_save(grove_document *document, grove__change *change,
                                 grove_buffer *blocks, grove_error *error_out);
/* After that went through. */
void grove__pending_saved(grove_document *document);

/* How far items have come, to go back to. */
typedef struct grove__pending_mark {
    grove_buffer items;
    uint64_t events;
} grove__pending_mark;

grove_status grove__pending_mark_of(const grove_document *document,
                                    grove__pending_mark *mark_out,
                                    grove_error *error_out);
/* Takes back all since. */
void grove__pending_rewind(grove_document *document, const grove__pending_mark *mark);
void grove__pending_mark_release(grove__pending_mark *mark);

#endif
