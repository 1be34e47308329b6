/*
 * The operations of a batch: what has to hold of them whatever the document's
 * type is, and their order. Their columns are the type's.
 *
 * A batch has them replica after replica, in the order of its table: where
 * several write at once, each goes on where it was itself, and its text reads
 * on. The id runs say how they are put back among each other.
 */
#ifndef GROVE_FORMAT_BATCH_OPERATIONS_H
#define GROVE_FORMAT_BATCH_OPERATIONS_H

#include "format/events.h"

/* Appends both frames. GROVE_NO_MEMORY; what the type's operations_encode
 * returns. */
grove_status grove__batch_operations_encode(grove__events *events,
                                            const grove_document_type *type,
                                            grove_type_buffers *buffers,
                                            grove_error *error_out);

/*
 * Adds the operations to a list that has its graph; with contents,
 * `events->content` is that frame, else it is empty. GROVE_CORRUPT: counts that
 * do not add up, E2 does not hold, a content that is too large or was left out;
 * GROVE_NO_MEMORY; what the type's operations_decode returns. The list then has
 * to be reset.
 */
grove_status grove__batch_operations_decode(grove_bytes structure, bool has_contents,
                                            const grove_document_type *type,
                                            grove__events *events,
                                            grove_error *error_out);

#endif
