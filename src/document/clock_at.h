/* What the commits that have not aged say of one document. */
#ifndef GROVE_DOCUMENT_CLOCK_AT_H
#define GROVE_DOCUMENT_CLOCK_AT_H

#include "kv/kv.h"

typedef struct grove__clock_look {
    grove_bytes document;
    uint64_t commit; /* the one that is asked for */
    /* The commit that made the document that is there now, or deleted one, if
     * it is among them; else 0. */
    uint64_t made;
    bool was_touched; /* at or before the commit, and since it was made */
    uint64_t clock;   /* then: after the last time */
} grove__clock_look;

/*
 * Goes through the records of the commits after `aged`. `look` begins with the
 * question and zeros.
 * GROVE_CORRUPT, GROVE_FORMAT_NEWER, GROVE_NO_MEMORY, GROVE_IO.
 */
grove_status grove__clock_look_at_records(grove__clock_look *look, grove__txn *txn,
                                          const grove_allocator *allocator, uint64_t aged,
                                          grove_error *error_out);

#endif
