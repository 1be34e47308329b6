/*
 * Watching: what was committed after a watch last told is told at once. The
 * store's public face has no watch of its own yet; this is what one is made of.
 */
#include "actions.h"
#include "commit/store.h"

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
    grove__kv_watch watch;
    worker_begins(self, CALL_WATCH);
    grove_status status = grove__kv_watch_open(&self->store->kv, &watch, &error);
    (void)worker_answer(self, CALL_WATCH, WHEN_ANY, status, &error);
    /* All up to this commit has been told, or was there before the watch. */
    uint64_t told = newest_commit(self);
    for (uint32_t turn = worker_below(self, 20); turn > 0; turn--) {
        bool is_due = newest_commit(self) > told;
        worker_begins(self, CALL_WATCH);
        status =
            grove__kv_watch_wait(&watch, is_due ? 0 : worker_below(self, 20), &error);
        (void)worker_answer(self, CALL_WATCH, WHEN_ANY, status, &error);
        if (status == GROVE_NONE && is_due) {
            stress_fail(self->board, "a watch did not tell of a commit after commit %llu",
                        (unsigned long long)told);
        }
        if (status == GROVE_OK) {
            told = newest_commit(self);
        }
    }
    grove__kv_watch_close(&watch);
}
