/* A branch: a copy of a document in a store of its own, edited there while
 * others edit the document, and merged. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <grove/backend_memory.h>

#include "actions.h"

typedef struct branch {
    stress_handle *main;
    grove_memory_disk *disk;
    grove_store *store;
    grove_document *document;
    uint8_t *bytes; /* what is carried over */
    size_t size;
    size_t room;
} branch;

static void answer(branch *work, grove_status status, const grove_error *error)
{
    (void)worker_answer(work->main->worker, CALL_BRANCH, WHEN_ANY, status, error);
}

static bool collect(void *context, grove_bytes bytes)
{
    branch *work = context;
    if (work->size + bytes.size > work->room) {
        size_t room = 2 * (work->size + bytes.size);
        uint8_t *larger = realloc(work->bytes, room);
        if (larger == NULL) {
            return false;
        }
        work->bytes = larger;
        work->room = room;
    }
    memcpy(work->bytes + work->size, bytes.data, bytes.size);
    work->size += bytes.size;
    return true;
}

static void open_branch(branch *work)
{
    const stress_handle *main = work->main;
    grove_error error;
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    grove_document_options document_options = GROVE_DOCUMENT_OPTIONS_INIT;
    work->disk = grove_memory_disk_new(NULL);
    options.backend = grove_backend_find("memory");
    options.backend_context = work->disk;
    answer(work, grove_store_open("branch", &options, &work->store, &error), &error);
    document_options.type = main->worker->board->documents[main->index].is_text
                                ? grove_type_text()
                                : grove_type_opaque();
    answer(work,
           grove_document_open(work->store, grove_bytes_of("branch"), &document_options,
                               &work->document, &error),
           &error);
}

/* Carries the document over. False: it, or its history, was removed meanwhile.
 * */
static bool carry_over(branch *work)
{
    stress_handle *main = work->main;
    grove_error error;
    worker_begins(main->worker, CALL_EXPORT);
    grove_status status =
        grove_document_export(main->document, NULL, collect, work, &error);
    if (worker_answer(main->worker, CALL_EXPORT, main->when, status, &error) !=
        GROVE_OK) {
        return false;
    }
    grove_import_result result;
    grove_bytes bytes = {work->bytes, work->size};
    worker_begins(main->worker, CALL_BRANCH);
    answer(work, grove_document_import(work->document, bytes, &result, &error), &error);
    answer(work, grove_document_save(work->document, NULL, NULL, &error), &error);
    if (result.waiting > 0 || result.aside > 0) {
        stress_fail(main->worker->board, "a whole export of document %u lacks something",
                    main->index);
    }
    return true;
}

/* Makes events in the branch and gives them to the document's handle. False:
 * the document was deleted. */
static bool merge_back(branch *work)
{
    stress_handle *main = work->main;
    stress_worker *self = main->worker;
    stress_board *board = self->board;
    grove_error error;
    uint32_t author = self->first_author + BRANCH;
    bool is_text = board->documents[main->index].is_text;
    uint32_t made = atomic_load(&board->made[main->index][author].acked);
    uint32_t gone = atomic_load(&board->gone[main->index][author].acked);
    stress_view view;
    view_read(board, work->document, is_text, &view);
    ledger_record record;
    record_begin(&record, author, main->index, made, gone, work->document);
    make_events(self, work->document, &view, is_text, 1 + worker_below(self, 8), &record);
    answer(work, grove_document_save(work->document, NULL, NULL, &error), &error);
    grove_version_vector known;
    worker_begins(self, CALL_VERSION);
    grove_status status = grove_document_version_vector(main->document, &known, &error);
    if (worker_answer(self, CALL_VERSION, main->when, status, &error) != GROVE_OK) {
        return false;
    }
    work->size = 0;
    answer(work, grove_document_export(work->document, &known, collect, work, &error),
           &error);
    grove_import_result result;
    worker_begins(self, CALL_IMPORT);
    status = grove_document_import(main->document, (grove_bytes){work->bytes, work->size},
                                   &result, &error);
    if (worker_answer(self, CALL_IMPORT, main->when, status, &error) != GROVE_OK) {
        return false;
    }
    if (result.events != record.events || result.waiting > 0 || result.aside > 0 ||
        result.adopted) {
        stress_fail(
            board,
            "of %u events of a branch of document %u %llu were merged; %llu wait, "
            "%llu for what is gone",
            record.events, main->index, (unsigned long long)result.events,
            (unsigned long long)result.waiting, (unsigned long long)result.aside);
    }
    main->merged = record;
    handle_read(main);
    return true;
}

bool act_branch(stress_handle *handle)
{
    stress_worker *self = handle->worker;
    if (!handle_refresh(handle)) {
        return false;
    }
    if (handle->merged.events > 0 || grove_document_clock(handle->document) == 0) {
        return true;
    }
    branch work = {.main = handle};
    bool is_useful = true;
    open_branch(&work);
    if (carry_over(&work)) {
        struct timespec time = {0, (long)worker_below(self, 20000) * 1000};
        (void)nanosleep(&time, NULL);
        is_useful = merge_back(&work) && handle_save(handle, false);
    }
    grove_document_close(work.document);
    grove_store_close(work.store);
    grove_memory_disk_free(work.disk);
    free(work.bytes);
    return is_useful;
}
