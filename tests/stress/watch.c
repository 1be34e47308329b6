/* Watching: what a reader sees is told at once, if it was not told before. */
#include <grove/watch.h>

#include "actions.h"

static uint64_t newest_commit(stress_worker *self)
{
    grove_error error;
    uint64_t commit = 0;
    worker_begins(self, CALL_STORE_COMMIT);
    grove_status status = grove_store_commit(self->store, &commit, &error);
    (void)worker_answer(self, CALL_STORE_COMMIT, WHEN_ANY, status, &error);
    return commit;
}

void act_watch(stress_worker *self)
{
    grove_error error;
    grove_watch *watch = NULL;
    uint64_t told = 0;
    worker_begins(self, CALL_WATCH);
    grove_status status = grove_watch_open(self->store, &watch, &told, &error);
    (void)worker_answer(self, CALL_WATCH, WHEN_ANY, status, &error);
    for (uint32_t turn = worker_below(self, 20); turn > 0; turn--) {
        uint64_t before = told;
        uint64_t seen = newest_commit(self);
        uint32_t wait_ms = seen > told ? 0 : worker_below(self, 20);
        worker_begins(self, CALL_WATCH);
        status = grove_watch_wait(watch, wait_ms, &told, &error);
        (void)worker_answer(self, CALL_WATCH, WHEN_ANY, status, &error);
        if (told < seen || (status == GROVE_OK) != (told > before)) {
            stress_fail(self->board,
                        "a watch that told of commit %llu says %s, and commit %llu; "
                        "commit %llu was seen before",
                        (unsigned long long)before, grove_status_name(status),
                        (unsigned long long)told, (unsigned long long)seen);
        }
    }
    grove_watch_close(watch);
}
