/* An export that was taken apart: what import.c and adopt.c share. */
#ifndef GROVE_DOCUMENT_EXCHANGE_H
#define GROVE_DOCUMENT_EXCHANGE_H

#include "document/document.h"
#include "format/exchange.h"

typedef struct grove__exchange {
    grove_document *document;
    grove__txn *txn;
    grove__exchange_header header;
    bool has_snapshot;
    grove__exchange_item ids, snapshot; /* if it has them */
    grove_buffer batches;               /* grove__exchange_item records */
    uint64_t events;                    /* in the batches, as the end says */
    /* From the ids: grove_replica and grove__exchange_run records, and how many
     * events they are of. */
    grove_buffer replicas;
    grove_buffer runs;
    uint64_t removed;
} grove__exchange;

/* What a decoder of stored bytes said, for bytes that were handed in:
 * GROVE_CORRUPT becomes GROVE_MALFORMED, with the offset in the whole. */
grove_status grove__exchange_fault(const grove__exchange_item *item, grove_status status,
                                   grove_error *error_out);

/* Decodes a batch of the export. */
grove_status grove__exchange_decode(const grove__exchange *exchange,
                                    const grove__exchange_item *item,
                                    grove__events *events, grove_error *error_out);

/* Makes an empty vector that of the ids: of the events whose history was
 * removed where it was exported. */
grove_status grove__exchange_removed(const grove__exchange *exchange,
                                     grove__vector *vector, grove_error *error_out);

/*
 * Replaces what is stored of the document by the export, which has a snapshot,
 * in one commit, and loads it into the handle, which has nothing unsaved.
 * GROVE_MALFORMED: it contradicts itself, and nothing changed.
 */
grove_status grove__document_adopt(grove__exchange *exchange, grove_error *error_out);

#endif
