/*
 * Late edits: one process has a document open while the other saves to it and
 * compacts it down to its snapshot. What the first made meanwhile, and makes
 * then, it can save, and nothing is lost.
 */
#include <time.h>

#include "actions.h"
#include "process.h"

enum { ROUNDS = 4, EVENTS = 20 };

static void await(stress_worker *self, uint32_t turn)
{
    struct timespec time = {0, 200000};
    while (atomic_load(&self->board->late_turn) < turn) {
        (void)nanosleep(&time, NULL);
    }
}

static void tell(stress_worker *self, uint32_t turn)
{
    atomic_store(&self->board->late_turn, turn);
}

static void must(stress_worker *self, bool is_so)
{
    if (!is_so) {
        stress_fail(self->board, "a document that nobody deletes is gone");
    }
}

static stress_handle *open_handle(stress_worker *self, uint32_t place)
{
    return handle_open(self, self->store, place, self->first_author, true, false);
}

static void save(stress_worker *self, stress_handle *handle, uint32_t count)
{
    must(self, handle_make(handle, count) && handle_save(handle, false));
    if (handle->own.events > 0) {
        stress_fail(self->board, "a save did not come about, with one other process");
    }
}

static void compact_all(stress_worker *self, stress_handle *handle, uint64_t clock_held)
{
    grove_error error;
    grove_compact_result result;
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = 0;
    must(self, act_hand_in_state(handle));
    grove_status status =
        grove_document_compact(handle->document, &options, &result, &error);
    if (worker_answer(self, CALL_COMPACT, WHEN_ANY, status, &error) != GROVE_OK) {
        stress_fail(self->board, "nobody else is there, and a compaction says %s",
                    error.message);
    }
    if (result.base_clock > clock_held) {
        stress_fail(self->board,
                    "a compaction removed events up to clock %llu; a handle of another "
                    "process stands at %llu",
                    (unsigned long long)result.base_clock,
                    (unsigned long long)clock_held);
    }
}

/* `turn` is the first of six. */
static void play_early(stress_worker *self, uint32_t place, uint32_t turn)
{
    stress_handle *handle = open_handle(self, place);
    save(self, handle, EVENTS);
    tell(self, turn + 1);
    await(self, turn + 2);
    uint64_t clock_held = atomic_load(&self->board->late_clock);
    save(self, handle, EVENTS);
    compact_all(self, handle, clock_held);
    handle_close(handle);
    tell(self, turn + 3);
    await(self, turn + 4);
    handle = open_handle(self, place);
    save(self, handle, 1);
    compact_all(self, handle, grove_document_clock(handle->document));
    handle_close(handle);
    tell(self, turn + 5);
}

static void play_late(stress_worker *self, uint32_t place, uint32_t turn)
{
    await(self, turn + 1);
    stress_handle *handle = open_handle(self, place);
    atomic_store(&self->board->late_clock, grove_document_clock(handle->document));
    /* In every other round there are unsaved events before the compaction. */
    if (turn / 6 % 2 == 1) {
        must(self, handle_make(handle, 2));
    }
    tell(self, turn + 2);
    await(self, turn + 3);
    save(self, handle, 3);
    must(self, handle_refresh(handle));
    handle_close(handle);
    tell(self, turn + 4);
    await(self, turn + 5);
}

void process_late(stress_board *board, bool is_late, uint64_t seed)
{
    uint32_t turn = 0;
    stress_worker self = process_worker(board, is_late ? 1 : 0, 0, seed);
    self.is_alone = true;
    self.store = worker_opens_store(&self);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t place = 0; place < SHARED_PLACES; place++) {
            if (!board->documents[stress_place_document(board, place)].is_compacted) {
                continue;
            }
            if (is_late) {
                play_late(&self, place, turn);
            } else {
                play_early(&self, place, turn);
            }
            turn += 6;
        }
    }
    grove_store_close(self.store);
}
