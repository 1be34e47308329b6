/*
 * Documents of type `opaque`: payloads and snapshots whose meaning only the
 * application knows, for authors of other CRDTs who keep their own replay.
 *
 * A load gives the newest snapshot that the application handed in and the
 * events after it, in causal order. Events may be concurrent: use
 * grove_document_add to give ids and parents of one's own, with one operation
 * of kind 0, count 1 and the payload as content.
 */
#ifndef GROVE_OPAQUE_H
#define GROVE_OPAQUE_H

#include <grove/document.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Appends one event with this payload, its parents being the version the
 * handle stands at. GROVE_LIMIT: over GROVE_CONTENT_BYTES_MAX.
 */
GROVE_API grove_status grove_opaque_append(grove_document *document, grove_bytes payload,
                                           grove_error *error_out);

/*
 * Hands in the application's state, in which every event of the handle,
 * unsaved ones included, is contained. The next save or compact stores it as
 * the snapshot, unless further events were made before. Copied. Events before
 * it are no longer held in memory. GROVE_LIMIT: not below
 * GROVE_FRAME_BYTES_MAX.
 */
GROVE_API grove_status grove_opaque_set_state(grove_document *document, grove_bytes state,
                                              grove_error *error_out);

/*
 * The state that was last handed in (*is_set_out false: none was), and how
 * many payloads came after it. Borrowed until the handle next changes.
 */
GROVE_API grove_status grove_opaque_state(const grove_document *document,
                                          bool *is_set_out, grove_bytes *state_out,
                                          uint64_t *payloads_out, grove_error *error_out);

/* The index-th payload after the state, from 0; borrowed as above.
 * GROVE_INVALID: there are not so many. O(1). */
GROVE_API grove_status grove_opaque_payload(const grove_document *document,
                                            uint64_t index, grove_bytes *payload_out,
                                            grove_error *error_out);

#ifdef __cplusplus
}
#endif

#endif
