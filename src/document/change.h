/* One change of what is stored of a document. */
#ifndef GROVE_DOCUMENT_CHANGE_H
#define GROVE_DOCUMENT_CHANGE_H

#include "commit/write_set.h"
#include "document/document.h"

/*
 * A write set that goes through only if the document's meta record is still
 * what the handle knows (D5), and the record that it leaves. The revision
 * after is one more than before.
 */
typedef struct grove__change {
    grove__write_set set;
    grove__meta_record meta;
    /* The meta record counts fewer pieces than are there. */
    bool is_corrupt;
} grove__change;

/* Makes a change of the document as `document->meta` says it is. */
void grove__change_init(grove__change *change, grove_document *document);
void grove__change_release(grove__change *change);

/* Batches: keeps count of them and of their bytes. */
void grove__change_put_batch(grove__change *change, grove_document *document,
                             uint64_t clock, grove_bytes block);
void grove__change_remove_batch(grove__change *change, grove_document *document,
                                const grove__piece *batch);

/* Snapshots, likewise. A new one is newer than all there are. */
void grove__change_put_snapshot(grove__change *change, grove_document *document,
                                uint64_t clock, grove_bytes block);
void grove__change_remove_snapshot(grove__change *change, grove_document *document,
                                   const grove__piece *snapshot);

/*
 * Writes it, within `writer` when there is one, a write transaction, and ends
 * that. On GROVE_OK the handle's meta is the new one. GROVE_CONFLICT:
 * the meta record is another by now, and nothing was written; GROVE_CORRUPT:
 * it cannot be true.
 */
grove_status grove__change_commit(grove__change *change, grove_document *document,
                                  grove__txn *writer, uint64_t *commit_out,
                                  grove_error *error_out);

#endif
