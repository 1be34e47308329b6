/*
 * The operations of a batch: what has to hold of them whatever the document's
 * type is. Their columns are the type's.
 */
#ifndef GROVE_FORMAT_BATCH_OPERATIONS_H
#define GROVE_FORMAT_BATCH_OPERATIONS_H

#include "format/events.h"

/*
 * Adds the operations of `event_count` events to a list that has the other
 * parts that were asked for; with contents, `events->content` is that frame,
 * else it is empty. GROVE_CORRUPT: counts that do not add up, E2 does not hold
 * (as far as there is a graph), a content that is too large or was left out;
 * GROVE_NO_MEMORY; what the type's operations_decode returns. The list then has
 * to be reset.
 */
grove_status grove__batch_operations_decode(grove_bytes structure, bool has_contents,
                                            uint32_t event_count,
                                            const grove_document_type *type,
                                            grove__events *events,
                                            grove_error *error_out);

#endif
