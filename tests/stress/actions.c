#include "actions.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "content.h"

enum {
    /* A document that has more is left to itself, and another one begun. */
    OPAQUE_EVENTS_MAX = 4000,
    TEXT_EVENTS_MAX = 40000,
    BATCH_MAX = 40
};

static const stress_document *about(const stress_handle *handle)
{
    return &handle->worker->board->documents[handle->index];
}

static void rest(stress_worker *self, uint32_t ms_max)
{
    struct timespec time = {0, (long)worker_below(self, ms_max * 1000) * 1000};
    (void)nanosleep(&time, NULL);
}

/* Saving */

bool act_save(stress_handle *handle)
{
    stress_worker *self = handle->worker;
    uint32_t count = worker_has_chance(self, 75) ? 1 : 1 + worker_below(self, BATCH_MAX);
    if (!handle_make(handle, count)) {
        return false;
    }
    if (worker_has_chance(self, 15)) {
        return true; /* later, with more */
    }
    if (!handle_save(handle, worker_has_chance(self, 10))) {
        return false;
    }
    if (handle->own.events == 0 && worker_has_chance(self, 10)) {
        handle_read(handle);
    }
    uint64_t events_max = about(handle)->is_text ? TEXT_EVENTS_MAX : OPAQUE_EVENTS_MAX;
    if (grove_document_clock(handle->document) > events_max &&
        !about(handle)->is_deletable) {
        (void)stress_place_advance(self->board, handle->index);
        return false;
    }
    return true;
}

bool act_save_late(stress_handle *handle)
{
    stress_worker *self = handle->worker;
    if (!handle_make(handle, 1 + worker_below(self, 4))) {
        return false;
    }
    rest(self, 100);
    return handle_save(handle, false);
}

bool act_refresh(stress_handle *handle)
{
    return handle_refresh(handle);
}

/* Rearranging */

bool act_hand_in_state(stress_handle *handle)
{
    stress_worker *self = handle->worker;
    grove_error error;
    if (about(handle)->is_text || !handle_refresh(handle) ||
        handle->view.document == NO_DOCUMENT) {
        return true;
    }
    uint8_t *memory = malloc(view_state_bytes_max());
    if (memory == NULL) {
        stress_fail(self->board, "out of memory");
    }
    grove_bytes state = view_state(&handle->view, memory);
    worker_begins(self, CALL_MAKE);
    grove_status status = grove_opaque_set_state(handle->document, state, &error);
    (void)worker_answer(self, CALL_MAKE, WHEN_ANY, status, &error);
    free(memory);
    return worker_has_chance(self, 50) ? handle_save(handle, false) : true;
}

bool act_compact(stress_handle *handle)
{
    stress_worker *self = handle->worker;
    grove_error error;
    grove_compact_result result;
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    if (!about(handle)->is_text && !act_hand_in_state(handle)) {
        return false;
    }
    if (grove_document_clock(handle->document) == 0) {
        return true;
    }
    options.window_events = worker_has_chance(self, 60) ? 0 : worker_below(self, 500);
    if (!about(handle)->is_compacted) {
        options.window_events = UINT64_MAX;
    }
    worker_begins(self, CALL_COMPACT);
    grove_status status =
        grove_document_compact(handle->document, &options, &result, &error);
    uint32_t when = handle->when | worker_when_full(self, status);
    (void)worker_answer(self, CALL_COMPACT, when, status, &error);
    if (status == GROVE_OK && result.base_clock > result.snapshot_clock) {
        stress_fail(self->board, "a compaction removed what its snapshot lacks");
    }
    return status != GROVE_CONFLICT;
}

bool act_seal(stress_handle *handle)
{
    stress_worker *self = handle->worker;
    grove_error error;
    grove_seal_options options = GROVE_SEAL_OPTIONS_INIT;
    if (grove_document_clock(handle->document) == 0) {
        return true;
    }
    options.level = 1 + (int32_t)worker_below(self, 8);
    worker_begins(self, CALL_SEAL);
    grove_status status = grove_document_seal(handle->document, &options, NULL, &error);
    uint32_t when = handle->when | worker_when_full(self, status);
    (void)worker_answer(self, CALL_SEAL, when, status, &error);
    return status != GROVE_CONFLICT;
}

/* Reading */

void act_load(stress_worker *self)
{
    uint32_t place = worker_chooses_place(self);
    handle_close(
        handle_open(self, self->store, place, self->first_author + CHILD, false, false));
}

/* Each payload is an event, so that they tell the clock. */
static uint64_t count_payloads(stress_worker *self, const grove_document *document)
{
    stress_view view;
    uint64_t payloads = 0;
    view_read(self->board, document, false, &view);
    for (uint32_t author = 0; author < AUTHORS_MAX; author++) {
        payloads += view.made[author];
    }
    return payloads;
}

void act_load_past(stress_worker *self)
{
    stress_handle *now = handle_open(self, self->store, worker_chooses_place(self),
                                     self->first_author + CHILD, false, false);
    if (now == NULL) {
        return;
    }
    grove_error error;
    grove_document *past = NULL;
    const stress_document *what = about(now);
    uint64_t clock =
        test_random_next(&self->random) % (grove_document_clock(now->document) + 1);
    worker_begins(self, CALL_LOAD_AT);
    grove_status status = grove_document_load_at(self->store, grove_bytes_of(what->id),
                                                 clock, NULL, &past, &error);
    (void)worker_answer(self, CALL_LOAD_AT, now->when, status, &error);
    if (status == GROVE_OK) {
        /* A text may be cut within a line there. */
        if (grove_document_clock(past) != clock ||
            (!what->is_text && count_payloads(self, past) != clock)) {
            stress_fail(self->board, "document %u at clock %llu has other events",
                        now->index, (unsigned long long)clock);
        }
        grove_document_close(past);
    }
    handle_close(now);
}

typedef struct blame_work {
    uint64_t position;
    bool is_gapless;
    bool is_all_known;
} blame_work;

static bool take_authorship(void *context, const grove_text_authorship *authorship)
{
    blame_work *work = context;
    work->is_gapless = work->is_gapless && authorship->position == work->position;
    work->is_all_known = work->is_all_known && authorship->event.replica.size > 0;
    work->position += authorship->count;
    return true;
}

bool act_blame(stress_handle *handle)
{
    stress_worker *self = handle->worker;
    grove_error error;
    uint64_t length = 0;
    blame_work work = {0, true, true};
    if (!about(handle)->is_text) {
        return true;
    }
    grove_status status = grove_text_length(handle->document, &length, NULL, &error);
    (void)worker_answer(self, CALL_READ, WHEN_ANY, status, &error);
    worker_begins(self, CALL_BLAME);
    status =
        grove_text_blame(handle->document, 0, length, take_authorship, &work, &error);
    (void)worker_answer(self, CALL_BLAME, handle->when, status, &error);
    if (status == GROVE_OK && (!work.is_gapless || work.position != length ||
                               (!about(handle)->is_compacted && !work.is_all_known))) {
        stress_fail(
            self->board, "document %u: authors of %llu characters are told of %llu",
            handle->index, (unsigned long long)work.position, (unsigned long long)length);
    }
    return status != GROVE_NONE;
}

void act_statistics(stress_worker *self)
{
    grove_error error;
    grove_store_statistics store;
    grove_document_statistics statistics;
    uint64_t commit = 0;
    worker_begins(self, CALL_STORE_STATISTICS);
    grove_status status = grove_store_statistics_get(self->store, &store, &error);
    (void)worker_answer(self, CALL_STORE_STATISTICS, WHEN_ANY, status, &error);
    status = grove_store_commit(self->store, &commit, &error);
    (void)worker_answer(self, CALL_STORE_COMMIT, WHEN_ANY, status, &error);
    if (store.commit < self->last_commit || commit < store.commit ||
        store.backend.size_bytes > self->board->options.size_limit_bytes) {
        stress_fail(
            self->board,
            "the statistics tell of commit %llu and %llu bytes, after commit %llu",
            (unsigned long long)store.commit,
            (unsigned long long)store.backend.size_bytes,
            (unsigned long long)self->last_commit);
    }
    uint32_t index = stress_place_document(self->board, worker_chooses_place(self));
    /* The first save may not have been yet. */
    worker_begins(self, CALL_STATISTICS);
    status = grove_document_statistics_get(
        self->store, grove_bytes_of(self->board->documents[index].id), &statistics,
        &error);
    (void)worker_answer(self, CALL_STATISTICS, WHEN_DELETABLE, status, &error);
    if (status == GROVE_OK && statistics.base_clock > statistics.events) {
        stress_fail(self->board, "document %u has lost more events than it had", index);
    }
}

typedef struct list_work {
    char last[GROVE_DOCUMENT_ID_BYTES_MAX + 1];
    size_t last_bytes;
    uint32_t left; /* until it stops, to go on anew */
    uint32_t count;
    bool is_sorted;
} list_work;

static bool take_name(void *context, grove_bytes name)
{
    list_work *work = context;
    size_t bytes = name.size < work->last_bytes ? name.size : work->last_bytes;
    int order = memcmp(work->last, name.data, bytes);
    work->is_sorted =
        work->is_sorted && (order < 0 || (order == 0 && work->last_bytes < name.size));
    memcpy(work->last, name.data, name.size);
    work->last_bytes = name.size;
    work->count++;
    return --work->left > 0;
}

void act_list(stress_worker *self)
{
    bool is_groups = worker_has_chance(self, 50);
    grove_bytes prefix = grove_bytes_of(is_groups ? "group" : "");
    list_work work = {.is_sorted = true};
    uint32_t page = 1 + worker_below(self, 20);
    do {
        grove_error error;
        grove_bytes after = {(const uint8_t *)work.last, work.last_bytes};
        char copy[sizeof work.last];
        memcpy(copy, work.last, work.last_bytes);
        after.data = (const uint8_t *)copy;
        work.left = page;
        worker_begins(self, CALL_LIST);
        grove_status status = is_groups ? grove_group_list(self->store, prefix, after,
                                                           take_name, &work, &error)
                                        : grove_document_list(self->store, prefix, after,
                                                              take_name, &work, &error);
        (void)worker_answer(self, CALL_LIST, WHEN_ANY, status, &error);
    } while (work.left == 0);
    if (!work.is_sorted) {
        stress_fail(self->board, "a list is out of order");
    }
}

void act_sync(stress_worker *self)
{
    grove_error error;
    worker_begins(self, CALL_STORE_SYNC);
    grove_status status = grove_store_sync(self->store, &error);
    (void)worker_answer(self, CALL_STORE_SYNC, WHEN_ANY, status, &error);
}

/* Documents that come and go */

static void delete_own(stress_worker *self, uint32_t index)
{
    stress_board *board = self->board;
    grove_error error;
    uint64_t commit;
    ledger_record record = {.kind = LEDGER_INTENDED,
                            .what = LEDGER_DELETION,
                            .author = self->first_author,
                            .document = index};
    record.call = ledger_new_call(board);
    atomic_store(&board->documents[index].is_being_deleted, true);
    ledger_append(board, &record);
    worker_begins(self, CALL_DELETE);
    grove_status status = grove_document_delete(
        self->store, grove_bytes_of(board->documents[index].id), &commit, &error);
    record.kind = LEDGER_FAILED;
    if (status == GROVE_OK) {
        record.kind = LEDGER_ACKED;
        record.commit = commit;
        worker_takes_commit(self, commit);
        (void)stress_place_advance(board, index);
    }
    ledger_append(board, &record);
    (void)worker_answer(self, CALL_DELETE, self->when, status, &error);
}

void act_own_document(stress_worker *self)
{
    stress_board *board = self->board;
    uint32_t place = worker_own_place(self);
    uint32_t index = stress_place_document(board, place);
    stress_handle *handle =
        handle_open(self, self->store, place, self->first_author, true, true);
    if (handle->view.document == NO_DOCUMENT &&
        atomic_load(&board->documents[index].is_being_deleted)) {
        /* Whoever deleted it was killed before it could say so. */
        handle_close(handle);
        if (!stress_place_advance(board, index)) {
            return;
        }
        handle = handle_open(self, self->store, place, self->first_author, true, true);
    }
    index = handle->index;
    bool is_saved = handle_make(handle, 1 + worker_below(self, 5)) &&
                    handle_save(handle, false) && handle->own.events == 0;
    if (is_saved && worker_has_chance(self, 30)) {
        is_saved = act_compact(handle);
    }
    handle_close(handle);
    if (is_saved && worker_has_chance(self, 20) &&
        atomic_load(&board->document_count) < DOCUMENTS_MAX - PLACES_MAX) {
        delete_own(self, index);
    }
}

/* A second handle of the store: one environment in the process. */
void act_second_store(stress_worker *self)
{
    grove_error error;
    grove_store *second = worker_opens_store(self);
    grove_store *other = NULL;
    if (worker_has_chance(self, 10)) {
        worker_begins(self, CALL_STORE_OPEN_OTHERWISE);
        grove_status status = stress_store_open(self->board, GROVE_DURABILITY_NONE,
                                                self->wait_ms_max, &other, &error);
        (void)worker_answer(self, CALL_STORE_OPEN_OTHERWISE, WHEN_ANY, status, &error);
    }
    stress_handle *handle = handle_open(self, second, worker_chooses_place(self),
                                        self->first_author + CHILD, false, false);
    if (handle != NULL && handle_make(handle, 1)) {
        (void)handle_save(handle, false);
    }
    if (worker_has_chance(self, 50)) {
        act_load(self);
    }
    handle_close(handle);
    grove_store_close(second);
    act_load(self);
}
