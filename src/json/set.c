#include "json/set.h"

#include <stdlib.h>

#include <grove/json.h>

#include "base/error.h"
#include "json/compare.h"
#include "json/memory.h"
#include "json/text.h"

/* A container that is there, and what goes into it. */
typedef struct task {
    grove_node node;
    size_t index;
    grove__json_mode mode;
} task;

typedef struct assignment {
    const grove__json_change *change;
    grove_buffer tasks; /* of task, those that are done included */
    grove_buffer kept;  /* of grove_node: the members of the object at hand */
} assignment;

/* Of an object that goes onto a target; arrays are exact in any case. */
static grove__json_mode mode_below(const grove__json_target *target,
                                   grove__json_mode mode)
{
    if (mode == GROVE__JSON_EXACT) {
        return GROVE__JSON_EXACT;
    }
    bool was_object = target->is_shown && target->view.kind == GROVE__JSON_OBJECT;
    return mode == GROVE__JSON_MERGE && was_object ? GROVE__JSON_MERGE
                                                   : GROVE__JSON_STRIP;
}

/* The node alone; what goes into it becomes a task. */
static grove_status assign_node(assignment *work, const grove__json_target *target,
                                size_t index, grove__json_mode mode, grove_node *node_out,
                                grove_error *error_out)
{
    grove__json_kind kind = grove__json_item_at(work->change->value, index)->kind;
    task next = {.index = index, .mode = mode_below(target, mode)};
    grove_status status =
        grove__json_put(work->change, target, index, &next.node, error_out);
    if (status == GROVE_OK && kind != GROVE__JSON_SCALAR) {
        grove_buffer_append(&work->tasks, &next, sizeof next);
        if (work->tasks.failed) {
            status = grove__fail_memory(error_out);
        }
    }
    if (status == GROVE_OK) {
        *node_out = next.node;
    }
    return status;
}

static grove_status delete_node(const assignment *work, grove_node node,
                                grove_error *error_out)
{
    return grove_tree_delete(work->change->document, node, work->change->metadata,
                             error_out);
}

/* --- objects --- */

static grove_status fill_member(assignment *work, const task *object, size_t index,
                                grove_error *error_out)
{
    const grove__json_value *value = work->change->value;
    bool is_null = grove__json_is_null(value, index);
    grove__json_target target;
    grove_node node;
    grove_status status =
        grove__json_target_member(work->change->document, object->node,
                                  grove__json_key_of(value, index), &target, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (is_null && object->mode == GROVE__JSON_MERGE) {
        return target.is_shown ? delete_node(work, target.view.node, error_out)
                               : GROVE_OK;
    }
    if (is_null && object->mode == GROVE__JSON_STRIP) {
        return GROVE_OK;
    }
    status = assign_node(work, &target, index, object->mode, &node, error_out);
    if (status == GROVE_OK) {
        grove_buffer_append(&work->kept, &node, sizeof node);
        if (work->kept.failed) {
            status = grove__fail_memory(error_out);
        }
    }
    return status;
}

static int compare_nodes(const void *one, const void *other)
{
    grove_node a = *(const grove_node *)one;
    grove_node b = *(const grove_node *)other;
    return (a > b) - (a < b);
}

/* Deletes the members that were not kept. */
static grove_status delete_others(const assignment *work, const task *object,
                                  grove_error *error_out)
{
    const grove_document *document = work->change->document;
    const grove__json_view container = {.node = object->node, .kind = GROVE__JSON_OBJECT};
    size_t kept_count = work->kept.size / sizeof(grove_node);
    grove_tree_info info;
    grove_status status = grove_tree_info_get(document, object->node, &info, error_out);
    if (status != GROVE_OK || info.children == kept_count) {
        return status; /* All children are members that were kept. */
    }
    if (kept_count > 0) {
        qsort(work->kept.data, kept_count, sizeof(grove_node), compare_nodes);
    }
    grove__json_view child;
    status = grove__json_first(document, &container, &child, error_out);
    while (status == GROVE_OK) {
        grove__json_view next;
        grove_status following =
            grove__json_next(document, &container, &child, &next, error_out);
        bool is_kept =
            kept_count > 0 && bsearch(&child.node, work->kept.data, kept_count,
                                      sizeof(grove_node), compare_nodes) != NULL;
        status = is_kept ? GROVE_OK : delete_node(work, child.node, error_out);
        if (status == GROVE_OK) {
            status = following;
            child = next;
        }
    }
    return status == GROVE_NONE ? GROVE_OK : status;
}

static grove_status fill_object(assignment *work, const task *object,
                                grove_error *error_out)
{
    const grove__json_value *value = work->change->value;
    size_t end = grove__json_item_at(value, object->index)->end;
    grove_status status = GROVE_OK;
    grove_buffer_reset(&work->kept);
    for (size_t at = object->index + 1; at < end && status == GROVE_OK;
         at = grove__json_item_at(value, at)->end) {
        status = fill_member(work, object, at, error_out);
    }
    if (status == GROVE_OK && object->mode != GROVE__JSON_MERGE) {
        status = delete_others(work, object, error_out);
    }
    return status;
}

/* --- arrays --- */

/* Elements that are there, and those that they are to become. */
typedef struct stretch {
    grove__json_view array;
    size_t old_count;
    size_t new_count;
    grove__json_view at; /* the first of the old ones, if there is one */
    size_t index;        /* the item of the first new one */
    grove_node before;   /* the element before them, or GROVE_NODE_NONE */
} stretch;

static grove_status compare_exactly(const assignment *work, const grove__json_view *view,
                                    size_t index, grove_error *error_out)
{
    return grove__json_compare(work->change->document, view, work->change->value, index,
                               grove__json_scalars_same, error_out);
}

static size_t item_behind(const assignment *work, size_t index)
{
    return grove__json_item_at(work->change->value, index)->end;
}

/* To the next old element, if one of `left` is left. */
static grove_status step_old(const assignment *work, const stretch *of, size_t left,
                             grove__json_view *at, grove_error *error_out)
{
    return left == 0
               ? GROVE_OK
               : grove__json_next(work->change->document, &of->array, at, at, error_out);
}

/* Takes equal elements off the front. */
static grove_status narrow_front(const assignment *work, stretch *of,
                                 grove_error *error_out)
{
    grove_status status = GROVE_OK;
    while (status == GROVE_OK && of->old_count > 0 && of->new_count > 0) {
        status = compare_exactly(work, &of->at, of->index, error_out);
        if (status == GROVE_OK) {
            of->old_count--;
            of->new_count--;
            of->before = of->at.node;
            of->index = item_behind(work, of->index);
            status = step_old(work, of, of->old_count, &of->at, error_out);
        }
    }
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* The same from the end. */
static grove_status narrow_back(const assignment *work, stretch *of,
                                grove_error *error_out)
{
    size_t shorter = of->old_count < of->new_count ? of->old_count : of->new_count;
    grove__json_view at = of->at;
    size_t index = of->index;
    size_t equal_count = 0;
    grove_status status = GROVE_OK;
    for (size_t skip = of->new_count - shorter; skip > 0; skip--) {
        index = item_behind(work, index);
    }
    for (size_t skip = of->old_count - shorter; skip > 0 && status == GROVE_OK; skip--) {
        status = step_old(work, of, skip - 1 + shorter, &at, error_out);
    }
    for (size_t left = shorter; left > 0 && status == GROVE_OK; left--) {
        status = compare_exactly(work, &at, index, error_out);
        if (status == GROVE_OK || status == GROVE_NONE) {
            equal_count = status == GROVE_OK ? equal_count + 1 : 0;
            index = item_behind(work, index);
            status = step_old(work, of, left - 1, &at, error_out);
        }
    }
    if (status == GROVE_OK) {
        of->old_count -= equal_count;
        of->new_count -= equal_count;
    }
    return status;
}

static grove_status replace_elements(assignment *work, const stretch *of,
                                     grove_error *error_out)
{
    grove_status status = GROVE_OK;
    grove__json_view at = of->at;
    for (size_t left = of->old_count; left > 0 && status == GROVE_OK; left--) {
        grove_node node = at.node;
        status = step_old(work, of, left - 1, &at, error_out);
        if (status == GROVE_OK) {
            status = delete_node(work, node, error_out);
        }
    }
    size_t index = of->index;
    grove__json_target target = {.parent = of->array};
    grove_node before = of->before;
    for (size_t left = of->new_count; left > 0 && status == GROVE_OK; left--) {
        target.place = grove__json_place_after(of->array.node, before);
        status = assign_node(work, &target, index, GROVE__JSON_EXACT, &before, error_out);
        index = item_behind(work, index);
    }
    return status;
}

/* Each of as many elements by itself. */
static grove_status set_elements(assignment *work, const stretch *of,
                                 grove_error *error_out)
{
    grove__json_target target = {.parent = of->array, .is_shown = true, .view = of->at};
    size_t index = of->index;
    grove_node node;
    grove_status status = GROVE_OK;
    for (size_t left = of->new_count; left > 0 && status == GROVE_OK; left--) {
        grove__json_view next = target.view;
        status = step_old(work, of, left - 1, &next, error_out);
        if (status == GROVE_OK) {
            status =
                assign_node(work, &target, index, GROVE__JSON_EXACT, &node, error_out);
        }
        target.view = next;
        index = item_behind(work, index);
    }
    return status;
}

static grove_status fill_array(assignment *work, const task *array,
                               grove_error *error_out)
{
    const grove_document *document = work->change->document;
    stretch all = {.index = array->index + 1, .before = GROVE_NODE_NONE};
    all.array = (grove__json_view){array->node, GROVE__JSON_ARRAY, {NULL, 0}};
    all.new_count = grove__json_item_at(work->change->value, array->index)->is.count;
    grove_status status =
        grove__json_count(document, &all.array, &all.old_count, error_out);
    if (status == GROVE_OK && all.old_count > 0) {
        status = grove__json_first(document, &all.array, &all.at, error_out);
    }
    if (status == GROVE_OK && all.old_count == all.new_count) {
        return set_elements(work, &all, error_out);
    }
    if (status == GROVE_OK) {
        status = narrow_front(work, &all, error_out);
    }
    if (status == GROVE_OK) {
        status = narrow_back(work, &all, error_out);
    }
    return status == GROVE_OK ? replace_elements(work, &all, error_out) : status;
}

/* --- all of it --- */

static grove_status do_tasks(assignment *work, grove_error *error_out)
{
    grove_status status = GROVE_OK;
    for (size_t at = 0; at < work->tasks.size && status == GROVE_OK; at += sizeof(task)) {
        task next;
        memcpy(&next, work->tasks.data + at, sizeof next);
        bool is_array = grove__json_item_at(work->change->value, next.index)->kind ==
                        GROVE__JSON_ARRAY;
        status = is_array ? fill_array(work, &next, error_out)
                          : fill_object(work, &next, error_out);
    }
    return status;
}

grove_status grove__json_assign(const grove__json_change *change,
                                const grove__json_target *target, size_t index,
                                grove__json_mode mode, grove_error *error_out)
{
    assignment work = {.change = change};
    grove_node node;
    grove_buffer_init(&work.tasks, &grove__json_allocator);
    grove_buffer_init(&work.kept, &grove__json_allocator);
    grove_status status = assign_node(&work, target, index, mode, &node, error_out);
    if (status == GROVE_OK) {
        status = do_tasks(&work, error_out);
    }
    grove_buffer_release(&work.tasks);
    grove_buffer_release(&work.kept);
    return status;
}

grove_status grove__json_set_whole(grove_document *document, grove_bytes text,
                                   grove__json_mode mode, grove_bytes metadata,
                                   grove_error *error_out)
{
    grove__json_value value;
    grove_status status = grove__json_text_read(text, &value, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    const grove__json_change change = {document, metadata, &value};
    const grove_bytes no_key = {NULL, 0};
    grove__json_target whole;
    status = grove__json_begin(document, error_out);
    if (status == GROVE_OK) {
        status = grove__json_target_member(document, GROVE_NODE_ROOT, no_key, &whole,
                                           error_out);
        if (status == GROVE_OK) {
            status = grove__json_assign(&change, &whole, 0, mode, error_out);
        }
        status = grove__json_end(document, status, error_out);
    }
    grove__json_value_release(&value);
    return status;
}

grove_status grove_json_set(grove_document *document, grove_bytes text,
                            grove_bytes metadata, grove_error *error_out)
{
    return grove__json_set_whole(document, text, GROVE__JSON_EXACT, metadata, error_out);
}
