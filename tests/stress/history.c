/* Reading the events of a document back: parents come before what they are
 * parents of, and a replica's events in their order. */
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "replicas.h"

typedef struct history_work {
    stress_board *board;
    replicas known;
    uint64_t clock;
    bool is_whole; /* from the beginning on */
    bool is_wrong;
} history_work;

static bool take_run(void *context, uint64_t clock, const grove_event_run *run)
{
    history_work *work = context;
    uint64_t *next = replicas_next(&work->known, &run->first.replica);
    bool is_next =
        clock == work->clock && (!work->is_whole || run->first.sequence == *next);
    *next = run->first.sequence + run->operation.count;
    for (size_t index = 0; work->is_whole && index < run->parent_count; index++) {
        const grove_event_id *parent = &run->parents[index];
        uint64_t known = *replicas_next(&work->known, &parent->replica);
        bool is_own = parent->replica.size == run->first.replica.size &&
                      memcmp(parent->replica.bytes, run->first.replica.bytes,
                             parent->replica.size) == 0;
        is_next = is_next && parent->sequence < (is_own ? run->first.sequence : known);
    }
    work->clock += run->operation.count;
    work->is_wrong = !is_next;
    return is_next;
}

bool act_history(stress_handle *handle)
{
    stress_worker *self = handle->worker;
    bool is_compacted = self->board->documents[handle->index].is_compacted;
    uint64_t end = grove_document_clock(handle->document);
    history_work work = {.board = self->board, .is_whole = !is_compacted};
    if (end == 0) {
        return true;
    }
    if (is_compacted) {
        work.clock = end - 1 - test_random_next(&self->random) % (end < 100 ? end : 100);
    }
    grove_error error;
    uint64_t begin = work.clock;
    replicas_init(&work.known, self->board);
    worker_begins(self, CALL_EVENTS);
    grove_status status =
        grove_document_events(handle->document, begin, take_run, &work, &error);
    (void)worker_answer(self, CALL_EVENTS, handle->when, status, &error);
    if (work.is_wrong || (status == GROVE_OK && work.clock < end)) {
        stress_fail(self->board,
                    "document %u: its events from clock %llu on are not in order, or end "
                    "at %llu of %llu",
                    handle->index, (unsigned long long)begin,
                    (unsigned long long)work.clock, (unsigned long long)end);
    }
    replicas_release(&work.known);
    return status != GROVE_NONE;
}
