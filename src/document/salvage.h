/* Copying what is sound of a document into another store. */
#ifndef GROVE_DOCUMENT_SALVAGE_H
#define GROVE_DOCUMENT_SALVAGE_H

#include "document/verify.h"

/* Where losses go. */
typedef struct grove__losses {
    grove_loss_fn each; /* NULL: they are only counted */
    void *context;
    uint64_t count;
    bool stopped; /* `each` wants no more, and gets no more */
} grove__losses;

/* Reports what is lost, with a sentence of its own. */
void grove__losses_add(grove__losses *losses, const grove_loss *what);

typedef struct grove__salvage_result {
    bool is_copied;
    bool is_whole;
    uint64_t events;
    uint64_t events_lost;
} grove__salvage_result;

/*
 * Copies a document, as `txn` of the source sees it, into a store that has
 * nothing of it. GROVE_OK whatever is lost. GROVE_FULL, GROVE_IO,
 * GROVE_NO_MEMORY, GROVE_BUSY.
 */
grove_status grove__salvage_document(grove_store *source, grove__txn *txn, grove_bytes id,
                                     const grove__survey_options *options,
                                     grove_store *destination, grove__losses *losses,
                                     grove__salvage_result *result_out,
                                     grove_error *error_out);

#endif
