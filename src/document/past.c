/*
 * Views of the past.
 *
 * At a clock that is a load that ends earlier. For a version, which need not be
 * what the store once held:
 *
 *     clocks   0 . . . . p . . . . . end     # in the version's history
 *              ##########  ###  ##  #
 *              | a view at |  merged into
 *              | clock p   |  that view
 */
#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/document.h"
#include "graph/difference.h"

/* A view that nothing was read into yet. */
static grove_status new_view(grove_store *store, grove_bytes id,
                             const grove_document_options *options,
                             grove_document **view_out, grove_error *error_out)
{
    grove_status status = grove__document_new(store, id, options, view_out, error_out);
    if (status == GROVE_OK) {
        (*view_out)->is_past = true;
    }
    return status;
}

/* A view at a clock, as `txn` sees the store. */
static grove_status load_view(grove_store *store, grove_bytes id, uint64_t clock,
                              const grove_document_options *options, grove__txn *txn,
                              grove_document **view_out, grove_error *error_out)
{
    grove_document *view = NULL;
    grove_status status = new_view(store, id, options, &view, error_out);
    if (status == GROVE_OK) {
        status = grove__document_fill(view, txn, true, clock, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__document_set_version(view, &view->graph,
                                             grove__graph_heads(&view->graph), error_out);
    }
    if (status != GROVE_OK) {
        grove_document_close(view);
        return status;
    }
    *view_out = view;
    return GROVE_OK;
}

grove_status grove_document_load_at(grove_store *store, grove_bytes id, uint64_t clock,
                                    const grove_document_options *options,
                                    grove_document **document_out, grove_error *error_out)
{
    grove__txn txn;
    grove_status status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status == GROVE_OK) {
        status = load_view(store, id, clock, options, &txn, document_out, error_out);
        grove__txn_abort(&txn);
    }
    return status;
}

/* A version and its history, in the graph of a handle on the whole document. */
typedef struct past_version {
    grove_document *whole;
    uint64_t *clocks; /* of the heads */
    size_t count;
    grove__frontier heads; /* ascending, none after another */
    grove__range_list history;
} past_version;

/* Finds the heads. GROVE_UNKNOWN_PARENT: one is not stored. */
static grove_status find_heads(past_version *version, grove__txn *txn,
                               const grove_version *given, grove_error *error_out)
{
    grove_document *whole = version->whole;
    if (given->head_count == 0) {
        return GROVE_OK;
    }
    version->clocks =
        grove__allocate(whole->allocator, given->head_count * sizeof *version->clocks);
    if (version->clocks == NULL) {
        return grove__fail_memory(error_out);
    }
    version->count = given->head_count;
    for (size_t index = 0; index < given->head_count; index++) {
        const grove_event_id *head = &given->heads[index];
        grove_status status = grove__key_check_replica(&head->replica, error_out);
        if (status == GROVE_OK) {
            status = grove__document_find(whole, txn, &head->replica, head->sequence,
                                          &version->clocks[index], error_out);
        }
        if (status == GROVE_NONE) {
            return grove__fail_at(error_out, GROVE_UNKNOWN_PARENT, index,
                                  "head %zu, event %llu of its replica, is not stored",
                                  index, (unsigned long long)head->sequence);
        }
        if (status != GROVE_OK) {
            return status;
        }
    }
    return GROVE_OK;
}

/* Finds the history of the heads, with a graph that reaches back far enough. */
static grove_status find_history(past_version *version, grove__txn *txn,
                                 grove_error *error_out)
{
    grove_document *whole = version->whole;
    grove__ranges history = {NULL, 0};
    grove_status status = GROVE_HISTORY_REMOVED;
    while (status == GROVE_HISTORY_REMOVED) {
        status = grove__version_reduce(&whole->walk, version->clocks, version->count,
                                       &version->heads, error_out);
        if (status == GROVE_OK) {
            version->count = version->heads.count;
            for (size_t index = 0; index < version->count; index++) {
                version->clocks[index] = version->heads.clocks[index];
            }
            version->heads.clocks = version->clocks;
            status = grove__difference_history(&whole->walk, version->heads, &history,
                                               error_out);
        }
        if (status == GROVE_HISTORY_REMOVED) {
            /* Who has an event from the base clock on has all before it. */
            uint64_t target =
                grove__max_u64(whole->walk.needed.from, whole->meta.base_clock);
            grove_status deeper =
                grove__document_deepen(whole, txn, target, whole->graph.end, error_out);
            status = deeper == GROVE_OK ? GROVE_HISTORY_REMOVED : deeper;
            if (deeper == GROVE_HISTORY_REMOVED) {
                break;
            }
        }
    }
    for (size_t index = 0; status == GROVE_OK && index < history.count; index++) {
        if (!grove__range_list_append(&version->history, whole->allocator,
                                      history.items[index].from,
                                      history.items[index].end)) {
            status = grove__fail_memory(error_out);
        }
    }
    return status;
}

/* Gives the view the graph of the whole, and merges what it lacks. */
static grove_status merge_rest(past_version *version, grove_document *view,
                               grove__txn *txn, uint64_t known, grove__ranges rest,
                               grove_error *error_out)
{
    grove__graph swapped = view->graph;
    view->graph = version->whole->graph;
    version->whole->graph = swapped;
    grove_status status =
        grove__document_set_version(view, &view->graph, version->heads, error_out);
    if (status == GROVE_OK && rest.count > 0) {
        /* What is read now lies beyond the view's own end. */
        uint64_t events = view->meta.events;
        view->meta.events = version->whole->meta.events;
        status = grove__document_merge_ranges(view, txn, known, rest, error_out);
        view->meta.events = events;
    }
    return status;
}

static grove_status load_version(past_version *version, grove__txn *txn,
                                 const grove_version *given,
                                 const grove_document_options *options,
                                 grove_document **view_out, grove_error *error_out)
{
    grove_document *whole = version->whole;
    grove_status status = grove__document_fill(whole, txn, true, UINT64_MAX, error_out);
    if (status == GROVE_OK) {
        status = find_heads(version, txn, given, error_out);
    }
    if (status == GROVE_OK) {
        status = find_history(version, txn, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove__ranges rest = grove__range_list_view(&version->history);
    uint64_t known = 0;
    if (rest.count > 0 && rest.items[0].from == 0) {
        known = rest.items[0].end;
        rest.items++;
        rest.count--;
    }
    grove_document *view = NULL;
    status = load_view(whole->store, whole->id, known, options, txn, &view, error_out);
    if (status == GROVE_OK) {
        status = merge_rest(version, view, txn, known, rest, error_out);
        if (status != GROVE_OK) {
            grove_document_close(view);
            return status;
        }
        *view_out = view;
    }
    return status;
}

grove_status grove_document_load_version(grove_store *store, grove_bytes id,
                                         const grove_version *version,
                                         const grove_document_options *options,
                                         grove_document **document_out,
                                         grove_error *error_out)
{
    past_version past = {.whole = NULL};
    grove__txn txn;
    grove_status status = grove__document_new(store, id, options, &past.whole, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status == GROVE_OK) {
        status = load_version(&past, &txn, version, options, document_out, error_out);
        grove__txn_abort(&txn);
    }
    grove__deallocate(past.whole->allocator, past.clocks,
                      version->head_count * sizeof *past.clocks);
    grove__range_list_release(&past.history, past.whole->allocator);
    grove_document_close(past.whole);
    return status;
}
