/* Which event has which clock, by all that says something about it. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/verify.h"

static int compare_runs(const void *a, const void *b)
{
    const grove__survey_run *one = a;
    const grove__survey_run *other = b;
    return (one->clock > other->clock) - (one->clock < other->clock);
}

/* Runs by clock, on their way into the ids. */
typedef struct run_list {
    grove__survey_run *items;
    size_t count;
    size_t next; /* the first that may have the clock that is looked for */
} run_list;

static run_list sort_runs(const grove_buffer *runs)
{
    run_list list = {(grove__survey_run *)(void *)runs->data,
                     runs->size / sizeof(grove__survey_run), 0};
    if (list.count > 0) {
        qsort(list.items, list.count, sizeof *list.items, compare_runs);
    }
    return list;
}

static grove_status add_ids(grove__survey *survey, uint32_t replica, uint64_t sequence,
                            uint64_t count)
{
    if (!grove__ids_reserve(&survey->ids, replica)) {
        return grove__fail_memory(&survey->error);
    }
    grove__ids_append(&survey->ids, replica, sequence, count);
    return GROVE_OK;
}

/* The replica of a run, as `ids` numbers it. */
static grove_status intern(grove__survey *survey, const grove__survey_run *run,
                           uint32_t *replica_out)
{
    return grove__ids_intern(&survey->ids, grove__ids_name(&survey->names, run->replica),
                             replica_out, &survey->error);
}

static void reset_ids(grove__survey *survey)
{
    grove__ids_release(&survey->ids);
    grove__ids_init(&survey->ids, survey->store->allocator, 0);
}

grove_status grove__survey_make_ids(grove__survey *survey, uint64_t *end_out)
{
    run_list list = sort_runs(&survey->runs);
    uint64_t clock = 0;
    grove_status status = GROVE_OK;
    reset_ids(survey);
    for (; list.next < list.count; list.next++) {
        const grove__survey_run *run = &list.items[list.next];
        uint32_t replica;
        status = intern(survey, run, &replica);
        if (status != GROVE_OK) {
            return status;
        }
        if (run->clock != clock ||
            run->sequence != grove__ids_next_sequence(&survey->ids, replica)) {
            break;
        }
        status = add_ids(survey, replica, run->sequence, run->count);
        if (status != GROVE_OK) {
            return status;
        }
        clock += run->count;
    }
    survey->ids_are_sound = list.next == list.count && clock == survey->meta.events;
    *end_out = clock;
    return GROVE_OK;
}

/* --- made anew --- */

enum { SOURCES = 3, MADE_UP_REPLICA_BYTES = 16 };

typedef struct rebuild {
    grove__survey *survey;
    run_list sources[SOURCES]; /* those that are believed first come first */
    grove_buffer heads;        /* of the last source */
    grove_buffer known;        /* runs, one after the other */
    grove_buffer gaps;         /* runs that nothing says the clocks of */
    size_t next_gap;
    uint32_t made_up; /* number of a replica in `ids`, once it is needed */
    bool has_made_up;
    grove__range *range;
} rebuild;

/* The run of a source that has a clock, from it on; false: there is none. */
static bool run_at(run_list *list, uint64_t clock, grove__survey_run *run_out)
{
    while (list->next < list->count &&
           list->items[list->next].clock + list->items[list->next].count <= clock) {
        list->next++;
    }
    if (list->next == list->count || list->items[list->next].clock > clock) {
        return false;
    }
    uint64_t before = clock - list->items[list->next].clock;
    *run_out = list->items[list->next];
    run_out->clock = clock;
    run_out->count -= before;
    run_out->sequence += before;
    return true;
}

/* Where the next run of a source begins, after `clock`. */
static uint64_t next_begin(const run_list *list)
{
    return list->next < list->count ? list->items[list->next].clock : UINT64_MAX;
}

/* The heads of sound snapshots, as runs of one event. */
static grove_status list_heads(rebuild *work)
{
    grove__survey *survey = work->survey;
    size_t count;
    const grove__survey_piece *pieces = grove__survey_pieces(&survey->snapshots, &count);
    const grove__head *heads = (const grove__head *)(const void *)survey->heads.data;
    for (size_t index = 0; index < count; index++) {
        for (size_t nth = 0; pieces[index].is_sound && nth < pieces[index].head_count;
             nth++) {
            const grove__head *head = &heads[pieces[index].head_first + nth];
            grove__survey_run run = {head->clock, 1, head->id.sequence, 0};
            grove_status status = grove__ids_intern(&survey->names, &head->id.replica,
                                                    &run.replica, &survey->error);
            if (status != GROVE_OK) {
                return status;
            }
            grove_buffer_append(&work->heads, &run, sizeof run);
        }
    }
    return work->heads.failed ? grove__fail_memory(&survey->error) : GROVE_OK;
}

/* Lists what is known of the clocks before `end`, each once. */
static grove_status list_known(rebuild *work, uint64_t end)
{
    uint64_t clock = 0;
    while (clock < end) {
        grove__survey_run run;
        uint64_t until = end;
        bool is_found = false;
        for (size_t source = 0; source < SOURCES && !is_found; source++) {
            is_found = run_at(&work->sources[source], clock, &run);
            until = is_found ? until
                             : grove__min_u64(until, next_begin(&work->sources[source]));
        }
        if (is_found) {
            run.count = grove__min_u64(run.count, until - clock);
            grove_buffer_append(&work->known, &run, sizeof run);
            until = clock + run.count;
        }
        clock = until;
    }
    return work->known.failed ? grove__fail_memory(&work->survey->error) : GROVE_OK;
}

/* Lists the sequences that are missing before those that are known. */
static grove_status list_gaps(rebuild *work)
{
    grove__survey *survey = work->survey;
    size_t replicas = survey->names.replica_count;
    size_t bytes = replicas * sizeof(uint64_t);
    if (bytes == 0) {
        return GROVE_OK;
    }
    uint64_t *next = grove__allocate_zeroed(survey->store->allocator, bytes);
    if (next == NULL) {
        return grove__fail_memory(&survey->error);
    }
    const grove__survey_run *runs =
        (const grove__survey_run *)(const void *)work->known.data;
    for (size_t index = 0; index < work->known.size / sizeof *runs; index++) {
        const grove__survey_run *run = &runs[index];
        if (run->sequence > next[run->replica]) {
            grove__survey_run gap = {run->clock, run->sequence - next[run->replica],
                                     next[run->replica], run->replica};
            grove_buffer_append(&work->gaps, &gap, sizeof gap);
        }
        next[run->replica] =
            grove__max_u64(next[run->replica], run->sequence + run->count);
    }
    grove__deallocate(survey->store->allocator, next, bytes);
    return work->gaps.failed ? grove__fail_memory(&survey->error) : GROVE_OK;
}

/* Gives `count` clocks, of which nothing is known, to events of a replica that
 * nobody has. */
static grove_status add_made_up(rebuild *work, uint64_t count)
{
    grove__survey *survey = work->survey;
    if (!work->has_made_up) {
        grove_replica name = {.size = MADE_UP_REPLICA_BYTES};
        grove_status status = grove__store_random(survey->store, name.bytes,
                                                  MADE_UP_REPLICA_BYTES, &survey->error);
        if (status == GROVE_OK) {
            status =
                grove__ids_intern(&survey->ids, &name, &work->made_up, &survey->error);
        }
        if (status != GROVE_OK) {
            return status;
        }
        work->has_made_up = true;
    }
    return add_ids(survey, work->made_up,
                   grove__ids_next_sequence(&survey->ids, work->made_up), count);
}

/* Gives clocks up to `end`, of which nothing is known, to missing events. */
static grove_status fill(rebuild *work, uint64_t clock, uint64_t end)
{
    grove__survey_run *gaps = (grove__survey_run *)(void *)work->gaps.data;
    size_t gap_count = work->gaps.size / sizeof *gaps;
    grove_status status = GROVE_OK;
    if (clock < end) {
        work->range->from =
            work->range->end == 0 ? clock : grove__min_u64(work->range->from, clock);
        work->range->end = end;
    }
    while (status == GROVE_OK && clock < end && work->next_gap < gap_count) {
        grove__survey_run *gap = &gaps[work->next_gap];
        uint64_t count = grove__min_u64(gap->count, end - clock);
        uint32_t replica;
        status = intern(work->survey, gap, &replica);
        if (status == GROVE_OK) {
            status = add_ids(work->survey, replica, gap->sequence, count);
        }
        gap->sequence += count;
        gap->count -= count;
        clock += count;
        work->next_gap += gap->count == 0 ? 1 : 0;
    }
    return status == GROVE_OK && clock < end ? add_made_up(work, end - clock) : status;
}

static grove_status add_known(rebuild *work, uint64_t end, uint64_t *end_out)
{
    const grove__survey_run *runs =
        (const grove__survey_run *)(const void *)work->known.data;
    size_t count = work->known.size / sizeof *runs;
    uint64_t clock = 0;
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        const grove__survey_run *run = &runs[index];
        uint32_t replica = 0;
        status = fill(work, clock, run->clock);
        if (status == GROVE_OK) {
            status = intern(work->survey, run, &replica);
        }
        clock = run->clock;
        if (status == GROVE_OK &&
            grove__ids_next_sequence(&work->survey->ids, replica) != run->sequence) {
            *end_out = clock;
            return GROVE_OK;
        }
        if (status == GROVE_OK) {
            status = add_ids(work->survey, replica, run->sequence, run->count);
        }
        clock += run->count;
    }
    if (status == GROVE_OK) {
        status = fill(work, clock, end);
        *end_out = end;
    }
    return status;
}

grove_status grove__survey_rebuild_ids(grove__survey *survey, uint64_t end,
                                       grove__range *made_up_out, uint64_t *end_out)
{
    rebuild work = {.survey = survey, .range = made_up_out};
    grove_buffer_init(&work.heads, survey->store->allocator);
    grove_buffer_init(&work.known, survey->store->allocator);
    grove_buffer_init(&work.gaps, survey->store->allocator);
    *made_up_out = (grove__range){0, 0};
    reset_ids(survey);
    grove_status status = list_heads(&work);
    if (status == GROVE_OK) {
        work.sources[0] = sort_runs(&survey->batch_runs);
        work.sources[1] = sort_runs(&survey->runs);
        work.sources[2] = sort_runs(&work.heads);
        status = list_known(&work, end);
    }
    if (status == GROVE_OK) {
        status = list_gaps(&work);
    }
    if (status == GROVE_OK) {
        status = add_known(&work, end, end_out);
    }
    grove_buffer_release(&work.gaps);
    grove_buffer_release(&work.known);
    grove_buffer_release(&work.heads);
    return status;
}
