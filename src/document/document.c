/* Opening, closing and refreshing a handle. */
#include <grove/feed.h>

#include "document/document.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"

enum { LEVEL_MAX = 19, RANDOM_REPLICA_BYTES = 16 };

grove_status grove__document_check(const grove_document *document, grove_error *error_out)
{
    if (document->failed) {
        return grove__fail(
            error_out, GROVE_FAILED,
            "an earlier failure left this handle without a state; close it and "
            "load the document anew");
    }
    return grove__store_check(document->store, error_out);
}

void grove__document_hold(grove_document *document)
{
    if (document->handle.pin != 0) {
        grove__handle_move(document->store, &document->handle,
                           grove__min_u64(document->stored, document->unsaved_reach));
    }
}

grove_status grove__document_check_live(const grove_document *document,
                                        grove_error *error_out)
{
    grove_status status = grove__document_check_editable(document, error_out);
    if (status == GROVE_OK && document->is_changing) {
        return grove__fail(error_out, GROVE_INVALID,
                           "a change is open: end or cancel it first");
    }
    return status;
}

grove_status grove__document_check_editable(const grove_document *document,
                                            grove_error *error_out)
{
    grove_status status = grove__document_check(document, error_out);
    if (status == GROVE_OK && document->is_past) {
        return grove__fail(error_out, GROVE_INVALID,
                           "this handle is a view of the past and can only be read");
    }
    return status;
}

static grove_status check_options(const grove_document_options *given,
                                  grove_document_options *options_out,
                                  grove_error *error_out)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    if (given != NULL && given->size == sizeof options) {
        options = *given;
    } else if (given != NULL) {
        return grove__fail(error_out, GROVE_INVALID,
                           "grove_document_options: initialize it with "
                           "GROVE_DOCUMENT_OPTIONS_INIT");
    }
    if (options.level < 1 || options.level > LEVEL_MAX) {
        return grove__fail(error_out, GROVE_INVALID, "level is %d; it may be 1 to %d",
                           (int)options.level, LEVEL_MAX);
    }
    if (options.replica.size > GROVE_REPLICA_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT, "the replica has more than %d bytes",
                           GROVE_REPLICA_BYTES_MAX);
    }
    const grove_document_type *type = options.type;
    if (type != NULL &&
        (type->abi != GROVE_DOCUMENT_TYPE_ABI || type->name == NULL ||
         type->name[0] == '\0' || strlen(type->name) > GROVE_TYPE_NAME_BYTES_MAX)) {
        return grove__fail(
            error_out, GROVE_INVALID,
            "the document type is of another ABI, or its name is not 1 to %d "
            "bytes",
            GROVE_TYPE_NAME_BYTES_MAX);
    }
    if (type != NULL && type->timed != NULL &&
        (type->merge != NULL || (type->capabilities & GROVE_TYPE_CONCURRENT) == 0)) {
        return grove__fail(error_out, GROVE_INVALID,
                           "the document type is timed and has a merge, or takes no "
                           "concurrent operations");
    }
    *options_out = options;
    return GROVE_OK;
}

const grove_document_type *grove__document_type_at(size_t index)
{
    switch (index) {
    case 0:
        return grove_type_text();
    case 1:
        return grove_type_tree();
    case 2:
        return grove_type_opaque();
    default:
        return NULL;
    }
}

const grove_document_type *grove__document_type_named(const char *name)
{
    const grove_document_type *type = NULL;
    for (size_t index = 0; (type = grove__document_type_at(index)) != NULL; index++) {
        if (strcmp(type->name, name) == 0) {
            break;
        }
    }
    return type;
}

/* The table for what is stored under a name, or the one that was asked for. */
static grove_status choose_type(grove_document *document, grove_error *error_out)
{
    const char *stored = document->meta.type_name;
    if (document->exists && document->type == NULL) {
        document->type = grove__document_type_named(stored);
    }
    if (document->type == NULL && !document->exists) {
        document->type = grove_type_text();
    }
    if (document->type == NULL ||
        (document->exists && strcmp(document->type->name, stored) != 0)) {
        return grove__fail(error_out, GROVE_INVALID,
                           "the document is of type %s; hand in the table of that type",
                           stored);
    }
    if (document->exists && document->meta.type_format > document->type->format) {
        return grove__fail(
            error_out, GROVE_FORMAT_NEWER,
            "the document has format %u of type %s, this program knows up to %u",
            (unsigned)document->meta.type_format, stored,
            (unsigned)document->type->format);
    }
    return GROVE_OK;
}

/* The record of a document that is not stored yet. */
static grove_status new_meta(grove_document *document, grove_error *error_out)
{
    memset(&document->meta, 0, sizeof document->meta);
    memcpy(document->meta.type_name, document->type->name, strlen(document->type->name));
    document->meta.type_format = document->type->format;
    document->meta.snapshot_clock = GROVE__NO_SNAPSHOT;
    return grove__store_random(document->store, &document->meta.incarnation,
                               sizeof document->meta.incarnation, error_out);
}

/* Whose handle it is, and the sequence of its next event. */
static grove_status choose_replica(grove_document *document, grove__txn *txn,
                                   grove_error *error_out)
{
    document->next_sequence = 0;
    if (document->replica.size == 0) {
        document->replica.size = RANDOM_REPLICA_BYTES;
        return grove__store_random(document->store, document->replica.bytes,
                                   RANDOM_REPLICA_BYTES, error_out);
    }
    if (!document->exists) {
        return GROVE_OK;
    }
    grove__replica_run run;
    grove_status status =
        grove__replica_run_newest(document, txn, &document->replica, &run, error_out);
    if (status == GROVE_NONE) {
        return GROVE_OK;
    }
    if (status == GROVE_OK) {
        document->next_sequence = run.sequence + run.count;
    }
    return status;
}

/* An empty shell: nothing read, nothing but the struct to free. */
static grove_document *document_new(grove_store *store, grove_bytes id)
{
    grove_document *document = grove__allocate_zeroed(store->allocator, sizeof *document);
    if (document == NULL) {
        return NULL;
    }
    document->store = store;
    document->allocator = store->allocator;
    memcpy(document->id_bytes, id.data, id.size);
    document->id = (grove_bytes){document->id_bytes, id.size};
    grove__events_init(&document->unsaved, document->allocator);
    document->unsaved_reach = UINT64_MAX;
    document->made_first = UINT64_MAX;
    grove_buffer_init(&document->version, document->allocator);
    grove__vector_init(&document->vector, document->allocator);
    grove_buffer_init(&document->batches.items, document->allocator);
    grove__packer_init(&document->packer, document->allocator);
    grove__merge_init(&document->merge, document->allocator);
    grove__pending_init(&document->pending, document->allocator);
    grove__tree_row_init(&document->undo, document->allocator);
    grove__tree_row_init(&document->redo, document->allocator);
    document->noting = &document->undo;
    grove_buffer_init(&document->stand_ins, document->allocator);
    return document;
}

grove_status grove__document_fill(grove_document *document, grove__txn *txn,
                                  bool must_exist, uint64_t end, grove_error *error_out)
{
    grove_status status =
        grove__document_meta_read(txn, document->id, &document->meta, error_out);
    if (status != GROVE_OK && (status != GROVE_NONE || must_exist)) {
        return status;
    }
    document->exists = status == GROVE_OK;
    if (document->is_past && end > document->meta.events) {
        return grove__fail(error_out, GROVE_INVALID,
                           "clock %llu lies ahead: the document has %llu events",
                           (unsigned long long)end,
                           (unsigned long long)document->meta.events);
    }
    if (document->is_past) {
        document->meta.events = end;
    }
    status = choose_type(document, error_out);
    if (status == GROVE_OK && !document->exists) {
        status = new_meta(document, error_out);
    }
    if (status == GROVE_OK) {
        status = choose_replica(document, txn, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__document_load_state(document, txn, error_out);
        /* It would be most of a small document's memory. */
        grove__packer_release(&document->packer);
    }
    return status;
}

grove_status grove__document_new(grove_store *store, grove_bytes id,
                                 const grove_document_options *given,
                                 grove_document **document_out, grove_error *error_out)
{
    grove_document_options options;
    grove_status status = grove__key_check_document(id, error_out);
    if (status == GROVE_OK) {
        status = check_options(given, &options, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove_document *document = document_new(store, id);
    if (document == NULL) {
        return grove__fail_memory(error_out);
    }
    document->type = options.type;
    document->policy = options.policy;
    document->level = options.level;
    document->replica = options.replica;
    *document_out = document;
    return GROVE_OK;
}

/* Refuses a replica that made events before the store got its present
 * incarnation: others may have seen more of them. */
static grove_status check_continued(grove_document *document, grove_error *error_out)
{
    uint64_t clock;
    grove_store *store = document->store;
    if (store->renewed_after == 0 || document->next_sequence == 0) {
        return GROVE_OK;
    }
    grove_status status = grove_document_clock_at(
        store, document->id, store->renewed_after, &clock, error_out);
    if (status != GROVE_OK) {
        /* NONE: it was made since. */
        return status == GROVE_NONE ? GROVE_OK : status;
    }
    grove__txn txn;
    grove__replica_run run = {0, 0, 0};
    status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status == GROVE_OK) {
        status = grove__replica_run_newest(document, &txn, &document->replica, &run,
                                           error_out);
        grove__txn_abort(&txn);
    }
    if (status == GROVE_OK && run.clock + run.count <= clock) {
        status = grove__fail(
            error_out, GROVE_REPLICA_REUSED,
            "the replica made events before the store was put back or lost commits, and "
            "perhaps others that are not here: name another, or set may_continue");
    }
    return status == GROVE_NONE ? GROVE_OK : status;
}

static grove_status open_document(grove_store *store, grove_bytes id,
                                  const grove_document_options *options, bool must_exist,
                                  grove_document **document_out, grove_error *error_out)
{
    grove_document *document = NULL;
    grove_status status = grove__document_new(store, id, options, &document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    /* Pinned before it reads, so that no compaction removes what it is about
     * to have; at clock 0 until it knows better. */
    grove__txn txn;
    status = grove__handle_open(store, document->id, 0, &document->handle, error_out);
    if (status == GROVE_OK) {
        status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__document_fill(document, &txn, must_exist, UINT64_MAX, error_out);
        grove__txn_abort(&txn);
    }
    if (status == GROVE_OK && options != NULL && options->replica.size > 0 &&
        !options->may_continue) {
        status = check_continued(document, error_out);
    }
    if (status != GROVE_OK) {
        grove_document_close(document);
        return status;
    }
    grove__document_hold(document);
    *document_out = document;
    return GROVE_OK;
}

grove_status grove_document_open(grove_store *store, grove_bytes id,
                                 const grove_document_options *options,
                                 grove_document **document_out, grove_error *error_out)
{
    return open_document(store, id, options, false, document_out, error_out);
}

grove_status grove_document_load(grove_store *store, grove_bytes id,
                                 const grove_document_options *options,
                                 grove_document **document_out, grove_error *error_out)
{
    return open_document(store, id, options, true, document_out, error_out);
}

grove_status grove__document_open_stored(const grove_document *document, grove__txn *txn,
                                         grove_document **copy_out,
                                         grove_error *error_out)
{
    grove_document *copy = document_new(document->store, document->id);
    if (copy == NULL) {
        return grove__fail_memory(error_out);
    }
    copy->type = document->type;
    copy->policy = document->policy;
    copy->level = document->level;
    copy->replica = document->replica;
    grove_status status = grove__document_fill(copy, txn, true, UINT64_MAX, error_out);
    if (status != GROVE_OK) {
        grove_document_close(copy);
        return status;
    }
    *copy_out = copy;
    return GROVE_OK;
}

void grove__document_unload(grove_document *document)
{
    if (document->state != NULL) {
        document->type->state_free(document->type, document->state);
        document->state = NULL;
    }
    grove__tree_row_release(&document->undo);
    grove__tree_row_release(&document->redo);
    grove_buffer_release(&document->stand_ins);
    grove__walk_release(&document->walk);
    grove__graph_release(&document->graph);
    grove__pending_release(&document->pending);
    grove__pending_init(&document->pending, document->allocator);
    document->merge.is_warm = false;
    document->merge.state_clock = GROVE__NO_SNAPSHOT;
    document->batches.is_known = false;
    document->tail_operations = 0;
    document->tail_batches = 0;
    document->tail_bytes = 0;
}

void grove_document_close(grove_document *document)
{
    if (document == NULL) {
        return;
    }
    if (document->handle.pin != 0) {
        grove__handle_close(document->store, &document->handle);
    }
    grove__document_unload(document);
    grove__merge_release(&document->merge, document->type);
    grove__events_release(&document->unsaved);
    grove_buffer_release(&document->version);
    grove__vector_release(&document->vector);
    grove_buffer_release(&document->batches.items);
    grove__packer_release(&document->packer);
    grove__deallocate(document->allocator, document, sizeof *document);
}

grove_status grove__document_look(grove_document *document, grove__txn *txn,
                                  grove_error *error_out)
{
    grove__meta_record meta;
    grove_status status = grove__document_meta_read(txn, document->id, &meta, error_out);
    if (status == GROVE_NONE && !document->exists) {
        return GROVE_OK;
    }
    if (status != GROVE_OK) {
        return status;
    }
    if (document->exists && meta.incarnation != document->meta.incarnation) {
        return grove__fail(error_out, GROVE_NONE,
                           "the document was deleted and made anew under this handle");
    }
    if (strcmp(meta.type_name, document->type->name) != 0) {
        return grove__fail(error_out, GROVE_INVALID,
                           "the document was made meanwhile, with type %s",
                           meta.type_name);
    }
    if (meta.events < document->stored) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "the document has lost events: %llu are left of %llu",
                           (unsigned long long)meta.events,
                           (unsigned long long)document->stored);
    }
    document->meta = meta;
    document->exists = true;
    return GROVE_OK;
}

grove_status grove__document_look_again(grove_document *document, grove__txn *txn,
                                        grove_error *error_out)
{
    grove_status status = grove__document_look(document, txn, error_out);
    return status == GROVE_NONE
               ? grove__fail(error_out, GROVE_CONFLICT,
                             "the document was deleted under this handle; load it anew")
               : status;
}

grove_status grove__document_begin_change(grove_document *document, grove__txn *txn_out,
                                          grove_error *error_out)
{
    grove_status status =
        grove__txn_begin(&document->store->kv, GROVE_TXN_READ, txn_out, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__document_look_again(document, txn_out, error_out);
    if (status == GROVE_OK && !document->exists) {
        status =
            grove__fail(error_out, GROVE_NONE, "nothing of this document is stored yet");
    }
    if (status != GROVE_OK) {
        grove__txn_abort(txn_out);
    }
    return status;
}

grove_status grove_document_refresh(grove_document *document, uint64_t *events_out,
                                    grove_error *error_out)
{
    grove_status status = grove__document_check_live(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__txn txn;
    status = grove__txn_begin(&document->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint64_t before = document->stored;
    status = grove__document_look(document, &txn, error_out);
    if (status == GROVE_OK) {
        status = grove__document_take_in(document, &txn, error_out);
    }
    grove__txn_abort(&txn);
    if (status == GROVE_OK && events_out != NULL) {
        *events_out = document->stored - before;
    }
    return status;
}

grove_status grove_document_version(grove_document *document, grove_version *version_out,
                                    grove_error *error_out)
{
    grove_status status = grove__document_check(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    /* A view of the past was told its heads when it was loaded. */
    if (!document->is_past) {
        status = grove__document_set_version(
            document, &document->graph, grove__graph_heads(&document->graph), error_out);
        if (status != GROVE_OK) {
            return status;
        }
    }
    version_out->heads = (const grove_event_id *)(const void *)document->version.data;
    version_out->head_count = document->version.size / sizeof(grove_event_id);
    return GROVE_OK;
}

grove_status grove__document_set_version(grove_document *document,
                                         const grove__graph *graph, grove__frontier heads,
                                         grove_error *error_out)
{
    grove_buffer_reset(&document->version);
    for (size_t index = 0; index < heads.count; index++) {
        grove__id_span span;
        (void)grove__ids_at(&graph->ids, heads.clocks[index], &span);
        grove_event_id id;
        memset(&id, 0, sizeof id);
        id.replica = *grove__ids_name(&graph->ids, span.replica);
        id.sequence = span.sequence;
        grove_buffer_append(&document->version, &id, sizeof id);
    }
    return document->version.failed ? grove__fail_memory(error_out) : GROVE_OK;
}

uint64_t grove_document_clock(const grove_document *document)
{
    return document->stored;
}

uint64_t grove_document_unsaved(const grove_document *document)
{
    return document->unsaved.count;
}

grove_event_id grove_document_replica(const grove_document *document)
{
    grove_event_id id;
    memset(&id, 0, sizeof id);
    id.replica = document->replica;
    id.sequence = document->next_sequence;
    return id;
}

uint64_t grove_document_damaged_snapshots(const grove_document *document)
{
    return document->damaged_snapshots;
}

uint64_t grove_document_bytes_read(const grove_document *document)
{
    return document->bytes_read;
}
