/* The events that touched a node. */
#include "base/bytes.h"
#include "base/error.h"
#include "document/tree_edit.h"

typedef struct history {
    const grove_document *document;
    uint32_t node;
    grove_tree_event_fn each;
    void *context;
    grove_status status;
    grove_error *error_out;
} history;

/* The node that a reference of an event names; the root for none. */
static uint32_t node_of(const grove__tree *tree, const grove_event_id *event,
                        const grove__tree_reference *reference)
{
    uint32_t place = GROVE__TREE_NONE;
    switch (reference->kind) {
    case GROVE__TREE_REFERENCE_NONE:
        return GROVE_NODE_ROOT;
    case GROVE__TREE_REFERENCE_OWN:
        place = grove__tree_place_of(tree, grove__replica_bytes(&event->replica),
                                     event->sequence - reference->number);
        break;
    case GROVE__TREE_REFERENCE_OTHER:
        place = grove__tree_place_of(tree, reference->replica, reference->number);
        break;
    }
    return place == GROVE__TREE_NONE ? GROVE__TREE_NONE : tree->places[place].node;
}

/* The node that an event touched. */
static uint32_t touched(const grove__tree *tree, const grove_event_id *event,
                        const grove__tree_operation *operation)
{
    if (operation->kind != GROVE_TREE_PUT) {
        return node_of(tree, event, &operation->node);
    }
    uint32_t place = grove__tree_place_of(tree, grove__replica_bytes(&event->replica),
                                          event->sequence);
    return place == GROVE__TREE_NONE ? GROVE__TREE_NONE : tree->places[place].node;
}

static bool tell(history *work, const grove_event_run *run,
                 const grove__tree_operation *operation)
{
    const grove__tree *tree = work->document->state;
    grove_tree_event event = {
        .id = run->first,
        .timestamp = run->timestamp,
        .kind = operation->kind,
        .node = work->node,
        .parent = GROVE_NODE_NONE,
        .type = operation->type,
        .name = operation->name,
        .value = grove_value_null(),
        .metadata = operation->metadata,
    };
    if (operation->kind == GROVE_TREE_PUT || operation->kind == GROVE_TREE_MOVE) {
        event.parent = node_of(tree, &run->first, &operation->parent);
    }
    if (operation->kind == GROVE_TREE_SET) {
        (void)grove__tree_value_decode(operation->value, &event.value);
    }
    return work->each(work->context, &event);
}

static bool look_at(void *context, uint64_t clock, const grove_event_run *run)
{
    history *work = context;
    grove__tree_operation operation;
    (void)clock;
    work->status =
        grove__tree_operation_decode(&run->operation, &operation, work->error_out);
    if (work->status != GROVE_OK) {
        return false;
    }
    return touched(work->document->state, &run->first, &operation) != work->node ||
           tell(work, run, &operation);
}

grove_status grove_tree_history(grove_document *document, grove_node node,
                                grove_tree_event_fn each, void *context,
                                grove_error *error_out)
{
    grove__tree *tree = NULL;
    grove_status status = grove__tree_editable(document, &tree, error_out);
    if (status == GROVE_OK) {
        status = grove__tree_check_node(tree, node, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    history work = {document, node, each, context, GROVE_OK, error_out};
    uint64_t from = document->meta.base_clock;
    status = grove_document_events(document, from, look_at, &work, error_out);
    return status == GROVE_OK ? work.status : status;
}
