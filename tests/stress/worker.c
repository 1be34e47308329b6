#include "worker.h"

#include <string.h>
#include <time.h>

#include "actions.h"

void worker_begins(stress_worker *self, stress_call call)
{
    atomic_store(&self->board->doing[self->slot][self->thread], (uint32_t)call);
}

grove_status worker_answer(stress_worker *self, stress_call call, uint32_t when,
                           grove_status status, const grove_error *error)
{
    worker_begins(self, CALL_NONE);
    return stress_answer(self->board, call, when, status, error);
}

uint32_t worker_when_full(stress_worker *self, grove_status status)
{
    enum { NEAR_BYTES = 4 << 20 };
    grove_error error;
    grove_store_statistics statistics;
    if (status != GROVE_FULL) {
        return 0;
    }
    grove_status asked = grove_store_statistics_get(self->store, &statistics, &error);
    (void)worker_answer(self, CALL_STORE_STATISTICS, WHEN_ANY, asked, &error);
    const grove_backend_statistics *backend = &statistics.backend;
    return backend->size_bytes + backend->reserve_bytes + NEAR_BYTES >
                   backend->size_limit_bytes
               ? WHEN_FULL
               : 0;
}

void worker_takes_commit(stress_worker *self, uint64_t commit)
{
    if (commit <= self->last_commit) {
        stress_fail(self->board, "commit %llu was acknowledged after commit %llu",
                    (unsigned long long)commit, (unsigned long long)self->last_commit);
    }
    self->last_commit = commit;
}

bool worker_has_chance(stress_worker *self, uint32_t percent)
{
    return test_random_below(&self->random, 100) < percent;
}

uint32_t worker_below(stress_worker *self, uint32_t bound)
{
    return (uint32_t)test_random_below(&self->random, bound);
}

grove_store *worker_opens_store(stress_worker *self)
{
    grove_error error;
    grove_store *store = NULL;
    while (store == NULL) {
        worker_begins(self, CALL_STORE_OPEN);
        grove_status status = stress_store_open(self->board, self->durability,
                                                self->wait_ms_max, &store, &error);
        (void)worker_answer(self, CALL_STORE_OPEN, self->when, status, &error);
    }
    return store;
}

uint32_t worker_own_place(const stress_worker *self)
{
    return SHARED_PLACES + self->slot * THREADS_MAX + self->thread;
}

uint32_t worker_chooses_place(stress_worker *self)
{
    const stress_options *options = &self->board->options;
    if (worker_has_chance(self, 80)) {
        return worker_below(self, SHARED_PLACES);
    }
    return SHARED_PLACES + worker_below(self, options->processes) * THREADS_MAX +
           worker_below(self, options->threads);
}

/* Handles */

/* One of the worker's own open documents. NULL: there is none there. */
static stress_handle **find_handle(stress_worker *self)
{
    stress_handle **handle = &self->handles[worker_below(self, HANDLES_MAX)];
    if (*handle != NULL) {
        return handle;
    }
    uint32_t place = worker_chooses_place(self);
    if (place == worker_own_place(self)) {
        return NULL;
    }
    bool is_open = false;
    for (int index = 0; index < HANDLES_MAX; index++) {
        const stress_handle *other = self->handles[index];
        is_open = is_open ||
                  (other != NULL && self->board->documents[other->index].place == place);
    }
    if (is_open) {
        /* An author's unsaved events are in one handle. */
        return NULL;
    }
    bool is_shared = place < SHARED_PLACES;
    *handle = handle_open(self, self->store, place, self->first_author + DIRECT,
                          is_shared, is_shared && worker_has_chance(self, 50));
    return *handle != NULL ? handle : NULL;
}

static void drop(stress_handle **handle)
{
    handle_close(*handle);
    *handle = NULL;
}

static bool act_close(stress_handle *handle)
{
    (void)handle;
    return false;
}

static void act_rest(stress_worker *self)
{
    struct timespec time = {0, (long)worker_below(self, 10000) * 1000};
    (void)nanosleep(&time, NULL);
}

typedef struct action {
    uint32_t weight;
    bool (*on_handle)(stress_handle *handle);
    void (*alone)(stress_worker *self);
} action;

static const action ACTIONS[] = {
    {40, act_save, NULL},        {4, act_save_late, NULL},
    {10, act_refresh, NULL},     {6, act_compact, NULL},
    {4, act_seal, NULL},         {4, act_hand_in_state, NULL},
    {3, act_history, NULL},      {2, act_blame, NULL},
    {5, act_branch, NULL},       {6, act_close, NULL},
    {10, NULL, act_load},        {4, NULL, act_load_past},
    {4, NULL, act_statistics},   {2, NULL, act_list},
    {1, NULL, act_sync},         {6, NULL, act_own_document},
    {2, NULL, act_second_store}, {8, NULL, act_group},
    {3, NULL, act_watch},        {2, NULL, act_fork},
    {3, NULL, act_rest},         {1, NULL, act_verify},
};

enum { ACTION_COUNT = sizeof ACTIONS / sizeof *ACTIONS };

static const action *choose(stress_worker *self)
{
    uint32_t sum = 0;
    size_t index = 0;
    for (size_t each = 0; each < ACTION_COUNT; each++) {
        sum += ACTIONS[each].weight;
    }
    uint32_t choice = worker_below(self, sum);
    while (choice >= ACTIONS[index].weight) {
        choice -= ACTIONS[index].weight;
        index++;
    }
    return &ACTIONS[index];
}

void worker_run(stress_worker *self)
{
    bool is_endless = self->actions_left == 0;
    while (!atomic_load(&self->board->is_over) &&
           (is_endless || self->actions_left-- > 0)) {
        const action *next = choose(self);
        if (next->alone != NULL) {
            next->alone(self);
            continue;
        }
        stress_handle **handle = find_handle(self);
        if (handle != NULL && !next->on_handle(*handle)) {
            drop(handle);
        }
    }
    for (int index = 0; index < HANDLES_MAX; index++) {
        drop(&self->handles[index]);
    }
}
