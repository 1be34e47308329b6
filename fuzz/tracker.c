/*
 * The state of a merge: whatever decodes is a sound tracker, comes back from
 * its own bytes, and stays sound under calls of any kind with further events.
 *
 * An input is the number of events in 4 bytes, big-endian, the number of
 * calls in 1, the calls in 4 bytes each, and the state. A call is what to do,
 * a count, and a position of 2 bytes.
 */
#include "target.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "sequence/tracker_bytes.h"

/* Ids: in no particular order. */
static bool is_before(const void *context, uint32_t event, uint32_t other)
{
    (void)context;
    return event * UINT32_C(2654435761) < other * UINT32_C(2654435761);
}

static void check_sound(const grove__tracker *tracker)
{
    FUZZ_CHECK(grove__spans_check(&tracker->spans) == NULL);
}

/* One call; adds the events that it applied. False: the tracker can only be
 * cleared. */
static bool call(grove__tracker *tracker, uint32_t *events_inout, const uint8_t code[4])
{
    uint32_t events = *events_inout;
    uint32_t count = 1 + code[1];
    uint64_t position = (uint64_t)code[2] << 8 | code[3];
    uint32_t from = events > 0 ? (uint32_t)(position % events) : 0;
    uint32_t end = events - from > count ? from + count : events;
    uint64_t effect;
    grove__deletion deletion = {0, 0, false};
    grove_status status = GROVE_OK;
    /* Also at the far end of what was before. */
    position += (code[0] & 8) != 0 ? GROVE__SPANS_BEFORE_COUNT - 32768 : 0;
    switch (code[0] & 3) {
    case 0:
        status = grove__tracker_insert(tracker, events, count, position, &effect, NULL);
        *events_inout += status == GROVE_OK ? count : 0;
        break;
    case 1:
        status = grove__tracker_delete(tracker, events, count, position,
                                       (code[0] & 4) != 0, &deletion, NULL);
        *events_inout += deletion.count;
        break;
    case 2:
        status = grove__tracker_retreat(tracker, from, end, NULL);
        break;
    default:
        status = grove__tracker_advance(tracker, from, end, NULL);
        break;
    }
    FUZZ_CHECK(status == GROVE_OK || status == GROVE_CORRUPT ||
               status == GROVE_NO_MEMORY || status == GROVE_LIMIT);
    return status == GROVE_OK || status == GROVE_CORRUPT;
}

static void check_again(const grove__tracker *tracker, uint32_t events)
{
    grove__tracker decoded;
    grove_buffer bytes;
    grove_buffer again;
    grove_buffer_init(&bytes, &grove__allocator_system);
    grove_buffer_init(&again, &grove__allocator_system);
    grove__tracker_init(&decoded, &grove__allocator_system, tracker->order);
    FUZZ_CHECK(grove__tracker_encode(tracker, events, &bytes) == GROVE_OK);
    FUZZ_CHECK(grove__tracker_decode(&decoded, events, grove_buffer_view(&bytes), NULL) ==
               GROVE_OK);
    check_sound(&decoded);
    FUZZ_CHECK(grove__tracker_encode(&decoded, events, &again) == GROVE_OK);
    FUZZ_CHECK(grove__bytes_equal(grove_buffer_view(&bytes), grove_buffer_view(&again)));
    grove__tracker_release(&decoded);
    grove_buffer_release(&again);
    grove_buffer_release(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    grove_reader reader = grove_reader_of((grove_bytes){data, size});
    uint32_t events = grove_reader_u32(&reader);
    grove_bytes calls = grove_reader_bytes(&reader, (size_t)4 * grove_reader_u8(&reader));
    grove_bytes state = grove_reader_bytes(&reader, grove_reader_left(&reader));
    grove__budget budget;
    grove__tracker tracker;
    grove_error error;
    grove__budget_init(&budget, &grove__allocator_system, FUZZ_MEMORY_BYTES);
    grove__tracker_init(&tracker, &budget.allocator,
                        (grove__event_order){NULL, is_before});
    if (!reader.failed) {
        grove_status status = grove__tracker_decode(&tracker, events, state, &error);
        if (status == GROVE_OK) {
            check_sound(&tracker);
            check_again(&tracker, events);
            bool is_usable = true;
            for (size_t at = 0; is_usable && at < calls.size; at += 4) {
                is_usable = call(&tracker, &events, calls.data + at);
                check_sound(&tracker);
            }
        } else {
            FUZZ_CHECK(status == GROVE_CORRUPT || status == GROVE_NO_MEMORY);
            FUZZ_CHECK(status != GROVE_CORRUPT || error.offset <= state.size);
        }
    }
    grove__tracker_release(&tracker);
    return 0;
}
