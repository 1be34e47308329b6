/*
 * The operations of a text: what is well-formed, how runs join and part, and
 * how an array of them is stored. The kinds: grove/text.h.
 *
 *   O1  An insertion's content is UTF-8 of `count` code points, a deletion's
 *       is empty.
 *   O2  1 <= count <= GROVE_BATCH_EVENTS_MAX, and position + count <=
 *       GROVE_DOCUMENT_EVENTS_MAX, as no text is longer than its events.
 *   O3  A single deletion has no direction and is GROVE_TEXT_DELETE, so that
 *       one event has one name however it was made.
 *
 * All functions but _check expect operations for which this holds, and give
 * such.
 */
#ifndef GROVE_TEXT_OPERATION_H
#define GROVE_TEXT_OPERATION_H

#include <grove/text.h>

/* GROVE_INVALID: O1 or O3 does not hold, an unknown kind; where the content is
 * not UTF-8, the offset says where. GROVE_LIMIT: O2 does not hold. */
grove_status grove__text_operation_check(const grove_operation *operation,
                                         grove_error *error_out);

/* As grove_document_type.operation_join. Typing goes on at the end of what was
 * typed, deleting where it was, backspacing in front of it; of two single
 * deletions the second gives the direction. */
bool grove__text_operation_join(grove_operation *last, const grove_operation *next);

/* As grove_document_type.operation_cut. Contents that were left out are none
 * in both parts. */
void grove__text_operation_cut(const grove_operation *operation, uint32_t count,
                               grove_operation *first_out, grove_operation *rest_out);

/*
 * The columns; docs/FORMAT.md, "Text operations". Appends to the buffers, whose
 * column starts become cuts. GROVE_LIMIT: a frame over GROVE_FRAME_BYTES_MAX;
 * GROVE_NO_MEMORY. The buffers are then as they were.
 */
grove_status grove__text_operations_encode(grove_operations operations,
                                           grove_type_buffers *buffers,
                                           grove_error *error_out);

/*
 * Appends the operations, grove_operation records with O1 to O3, to
 * `operations_out`; their contents lie one after the other in
 * `frames.content`, or are empty where that was left out. About 32 bytes are
 * allocated for each byte of structure at most. GROVE_CORRUPT: anything that
 * encode would not have written, with its offset in the frame that the message
 * names; GROVE_NO_MEMORY. The buffer's contents are then as they were.
 */
grove_status grove__text_operations_decode(grove_type_frames frames, uint64_t event_count,
                                           grove_buffer *operations_out,
                                           grove_error *error_out);

#endif
