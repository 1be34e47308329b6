#include "commit/commit.h"

#include "base/assert.h"
#include "base/error.h"
#include "commit/age.h"

/* What one transaction takes. */
enum { GROUP_MAX = 256 };
#define GROUP_BYTES_MAX ((size_t)16 << 20)

typedef struct grove__commit_request grove__commit_request;

/* A set on its way; on the stack of the thread that commits it. */
struct grove__commit_request {
    struct grove__commit_request *next;
    const grove__write_set *set;
    const grove__write_set *along; /* NULL: nothing goes along */
    int64_t time;                  /* of the commit */
    uint64_t commit;               /* its number; 0: it takes none */
    grove_status status;
    grove_error error;
    bool is_led;   /* its leader began to wait after it came */
    bool is_taken; /* a leader has it */
    bool is_done;  /* by its leader */
    bool is_told;  /* its thread may go on */
    bool was_put;  /* its changes are in the transaction */
    pthread_cond_t changed;
};

void grove__commit_queue_init(grove__commit_queue *queue)
{
    *queue = (grove__commit_queue){.first = NULL, .has_leader = false};
    (void)pthread_mutex_init(&queue->mutex, NULL);
}

void grove__commit_queue_release(grove__commit_queue *queue)
{
    GROVE_ASSERT(queue->first == NULL);
    (void)pthread_mutex_destroy(&queue->mutex);
}

static void finish(grove__commit_request *request, grove_status status)
{
    request->status = status;
    request->is_done = true;
}

/* Makes the change that goes along, unless others have made it, or a document
 * of it is gone: then the next commit looks again. */
static grove_status put_along(grove_store *store, grove__txn *txn,
                              grove__commit_request *request)
{
    uint64_t none;
    if (request->along == NULL) {
        return GROVE_OK;
    }
    grove_status status =
        grove__write_set_check(store, txn, request->along, &request->error);
    if (status == GROVE_OK) {
        status = grove__write_set_apply(store, txn, request->along, request->time, &none,
                                        &request->error);
    }
    if (status == GROVE_CONFLICT) {
        atomic_store(&store->age_at, 0);
        status = GROVE_OK;
    }
    return status;
}

/* Puts one set; a set that does not fit the store as it is changes nothing. */
static grove_status put_request(grove_store *store, grove__txn *txn,
                                grove__commit_request *request, bool *is_spoiled_out)
{
    grove_status status =
        grove__write_set_check(store, txn, request->set, &request->error);
    *is_spoiled_out = false;
    if (status != GROVE_OK) {
        *is_spoiled_out = txn->failed;
        return status;
    }
    status = grove__write_set_apply(store, txn, request->set, request->time,
                                    &request->commit, &request->error);
    if (status == GROVE_OK) {
        status = put_along(store, txn, request);
    }
    *is_spoiled_out = status != GROVE_OK;
    request->was_put = status == GROVE_OK;
    return status;
}

/* Once the transaction is over, the same for all whose sets are in it. */
static void finish_put(grove__commit_request *group, grove_status status,
                       const grove_error *error)
{
    for (grove__commit_request *request = group; request != NULL;
         request = request->next) {
        if (request->was_put) {
            request->error = *error;
            finish(request, status);
        }
    }
}

/* Puts and commits a group, and ends the transaction. What is not done then
 * was in a transaction that another's failure spoiled. */
static void run_group(grove_store *store, grove__txn *txn, grove__commit_request *group)
{
    bool is_spoiled = false;
    bool has_put = false;
    for (grove__commit_request *request = group; request != NULL && !is_spoiled;
         request = request->next) {
        grove_status status = put_request(store, txn, request, &is_spoiled);
        has_put = has_put || request->was_put;
        /* Alone it may be less than is left. */
        if (status != GROVE_OK && status != GROVE_FULL) {
            finish(request, status);
        }
    }
    if (is_spoiled || !has_put) {
        grove__txn_abort(txn);
        return;
    }
    grove_error error = {.status = GROVE_OK};
    grove_status status = grove__txn_commit(txn, &error);
    if (status != GROVE_FULL) {
        finish_put(group, status, &error);
    }
}

/* After GROVE_FULL: GROVE_OK when it is worth another try. A store that has
 * room but cannot take it now is not full: it says what is in the way. */
static grove_status grow(grove_store *store, grove_error *error)
{
    grove_error of_growing = {.status = GROVE_OK};
    grove_status status = grove__kv_grow(&store->kv, &of_growing);
    if (status == GROVE_NONE) {
        return GROVE_FULL;
    }
    if (status != GROVE_OK) {
        *error = of_growing;
    }
    return status;
}

/* Runs one set in the transaction, and in others as long as the store grows. */
static void run_alone(grove_store *store, grove__txn *txn, grove__commit_request *request)
{
    grove_txn_mode mode = grove__write_set_mode(request->set);
    grove_status status = GROVE_OK;
    while (status == GROVE_OK) {
        bool is_spoiled;
        status = put_request(store, txn, request, &is_spoiled);
        if (status == GROVE_OK) {
            status = grove__txn_commit(txn, &request->error);
        } else {
            grove__txn_abort(txn);
        }
        if (status != GROVE_FULL) {
            break;
        }
        status = grow(store, &request->error);
        if (status == GROVE_OK) {
            status = grove__txn_begin(&store->kv, mode, txn, &request->error);
        }
    }
    finish(request, status);
}

/* Gives each set that is not done a transaction of its own. */
static void run_each(grove_store *store, grove__commit_request *group)
{
    for (grove__commit_request *request = group; request != NULL;
         request = request->next) {
        grove__txn txn;
        grove_status status = GROVE_OK;
        if (!request->is_done) {
            status = grove__txn_begin(&store->kv, grove__write_set_mode(request->set),
                                      &txn, &request->error);
        }
        if (status != GROVE_OK) {
            finish(request, status);
        } else if (!request->is_done) {
            run_alone(store, &txn, request);
        }
    }
}

/* Unlinks what fits one transaction with the first set: the mutex is held. */
static grove__commit_request *take_group(grove__commit_queue *queue)
{
    grove__commit_request *group = queue->first;
    grove__commit_request *last = group;
    grove_txn_mode mode = grove__write_set_mode(group->set);
    size_t bytes = grove__write_set_bytes(group->set);
    group->is_taken = true;
    for (int count = 1; last->next != NULL && count < GROUP_MAX; count++) {
        bytes += grove__write_set_bytes(last->next->set);
        if (bytes > GROUP_BYTES_MAX || grove__write_set_mode(last->next->set) != mode) {
            break;
        }
        last = last->next;
        last->is_taken = true;
    }
    queue->first = last->next;
    last->next = NULL;
    return group;
}

/* Unlinks the sets that have waited as long as their leader; the mutex is
 * held. */
static grove__commit_request *take_led(grove__commit_queue *queue)
{
    grove__commit_request *group = queue->first;
    grove__commit_request *last = group;
    group->is_taken = true;
    while (last->next != NULL && last->next->is_led) {
        last = last->next;
        last->is_taken = true;
    }
    queue->first = last->next;
    last->next = NULL;
    return group;
}

/* The mutex is held: somebody who waits and is in no group is to lead. */
static void give_up_lead(grove__commit_queue *queue)
{
    queue->has_leader = false;
    if (queue->first != NULL) {
        (void)pthread_cond_signal(&queue->first->changed);
    }
}

/* Leads a group, of which `self` is the first. The mutex is held before and
 * after, not while the store is written. */
static void lead(grove_store *store, grove__commit_request *self)
{
    grove__commit_queue *queue = &store->queue;
    grove__txn txn;
    GROVE_ASSERT(queue->first == self);
    queue->has_leader = true;
    for (grove__commit_request *request = self; request != NULL;
         request = request->next) {
        request->is_led = true;
    }
    (void)pthread_mutex_unlock(&queue->mutex);
    grove_status status = grove__txn_begin(&store->kv, grove__write_set_mode(self->set),
                                           &txn, &self->error);
    (void)pthread_mutex_lock(&queue->mutex);
    grove__commit_request *group =
        status == GROVE_OK ? take_group(queue) : take_led(queue);
    give_up_lead(queue);
    (void)pthread_mutex_unlock(&queue->mutex);
    if (status != GROVE_OK) {
        /* Who came later has its own time to wait. */
        grove_error error = self->error;
        for (grove__commit_request *request = group; request != NULL;
             request = request->next) {
            request->error = error;
            finish(request, status);
        }
    } else if (group->next == NULL) {
        run_alone(store, &txn, group);
    } else {
        run_group(store, &txn, group);
        run_each(store, group);
    }
    (void)pthread_mutex_lock(&queue->mutex);
    for (grove__commit_request *request = group; request != NULL;) {
        /* Once it is told, its thread may be gone, and the request with it. */
        grove__commit_request *next = request->next;
        request->is_told = true;
        (void)pthread_cond_signal(&request->changed);
        request = next;
    }
}

static void run(grove_store *store, grove__commit_request *request)
{
    grove__commit_queue *queue = &store->queue;
    (void)pthread_cond_init(&request->changed, NULL);
    (void)pthread_mutex_lock(&queue->mutex);
    grove__commit_request **end = &queue->first;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = request;
    while (!request->is_told) {
        if (!request->is_taken && !queue->has_leader && queue->first == request) {
            lead(store, request);
        } else {
            (void)pthread_cond_wait(&request->changed, &queue->mutex);
        }
    }
    (void)pthread_mutex_unlock(&queue->mutex);
    (void)pthread_cond_destroy(&request->changed);
}

/* What the caller is told of a request that is over. */
static grove_status settle(grove_store *store, const grove__commit_request *request,
                           grove_status status, uint64_t *commit_out,
                           grove_error *error_out)
{
    if (status != GROVE_OK) {
        if (error_out != NULL) {
            *error_out = request->error;
        }
        return status;
    }
    if (request->commit > 0) {
        atomic_store(&store->commit_seen, request->commit);
    }
    if (commit_out != NULL) {
        *commit_out = request->commit;
    }
    return GROVE_OK;
}

grove_status grove__commit_along(grove_store *store, const grove__write_set *set,
                                 const grove__write_set *along, uint64_t *commit_out,
                                 grove_error *error_out)
{
    GROVE_ASSERT(along == NULL || along->touches.size == 0);
    grove_status status = grove__store_check(store, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__commit_request request = {
        .set = set, .along = along, .time = grove__store_now(store)};
    if (grove__write_set_has_failed(set)) {
        request.status = grove__fail_memory(&request.error);
    } else {
        run(store, &request);
    }
    return settle(store, &request, request.status, commit_out, error_out);
}

grove_status grove__commit(grove_store *store, const grove__write_set *set,
                           uint64_t *commit_out, grove_error *error_out)
{
    grove__write_set along;
    grove__write_set_init(&along, store->allocator);
    if (set->touches.size > 0 && grove__store_check(store, NULL) == GROVE_OK) {
        grove__age_along(store, &along);
    }
    grove_status status = grove__commit_along(
        store, set, along.changes.size > 0 ? &along : NULL, commit_out, error_out);
    grove__write_set_release(&along);
    return status;
}

grove_status grove__commit_within(grove_store *store, grove__txn *txn,
                                  const grove__write_set *set, uint64_t *commit_out,
                                  grove_error *error_out)
{
    grove__commit_request request = {.set = set, .time = grove__store_now(store)};
    bool is_spoiled;
    grove_status status;
    if (grove__write_set_has_failed(set)) {
        status = grove__fail_memory(&request.error);
    } else {
        status = put_request(store, txn, &request, &is_spoiled);
    }
    if (status == GROVE_OK) {
        status = grove__txn_commit(txn, &request.error);
    } else {
        grove__txn_abort(txn);
    }
    if (status == GROVE_FULL) {
        status = grow(store, &request.error);
        status = status == GROVE_OK ? GROVE_CONFLICT : status;
    }
    return settle(store, &request, status, commit_out, error_out);
}
