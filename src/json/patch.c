/* JSON Patch, RFC 6902. */
#include <grove/json.h>

#include "base/bytes.h"
#include "base/error.h"
#include "json/compare.h"
#include "json/pointer.h"
#include "json/set.h"
#include "json/text.h"
#include "json/walk.h"

/* A patch, and the operation at hand, its pointers ready to be followed. */
typedef struct patch_step {
    const grove__json_change *change; /* its value is the patch */
    size_t copies_left;               /* values that may still be copied */
    size_t value;                     /* the item of its "value" */
    grove__json_pointer path;
    grove__json_pointer from;
} patch_step;

/* Puts `value`'s item where the path leads to: over a member, before an
 * element. */
static grove_status put_at(const patch_step *operation, grove__json_target *target,
                           const grove__json_value *value, size_t index,
                           grove_error *error_out)
{
    const grove__json_change change = {operation->change->document,
                                       operation->change->metadata, value};
    if (target->parent.kind == GROVE__JSON_ARRAY) {
        target->is_shown = false;
    }
    return grove__json_assign(&change, target, index, GROVE__JSON_EXACT, error_out);
}

/* Copies what is there, as long as the patch may. */
static grove_status copy_value(patch_step *operation, const grove__json_view *view,
                               grove__json_value *value_out, grove_error *error_out)
{
    grove_status status = grove__json_copy(operation->change->document, view,
                                           operation->copies_left, value_out, error_out);
    if (status == GROVE_OK) {
        operation->copies_left -= grove__json_item_count(value_out);
    }
    return status;
}

static grove_status do_add(patch_step *operation, grove_error *error_out)
{
    grove__json_target target;
    grove_status status =
        grove__json_resolve(operation->change->document, &operation->path,
                            GROVE_NODE_NONE, &target, error_out);
    if (status == GROVE_OK) {
        status = put_at(operation, &target, operation->change->value, operation->value,
                        error_out);
    }
    return status;
}

static grove_status delete_node(const patch_step *operation, grove_node node,
                                grove_error *error_out)
{
    return grove_tree_delete(operation->change->document, node,
                             operation->change->metadata, error_out);
}

static grove_status do_remove(patch_step *operation, grove_error *error_out)
{
    grove__json_target target;
    grove_status status = grove__json_resolve_shown(operation->change->document,
                                                    &operation->path, &target, error_out);
    if (status == GROVE_OK) {
        status = delete_node(operation, target.view.node, error_out);
    }
    return status;
}

static grove_status do_replace(patch_step *operation, grove_error *error_out)
{
    grove__json_target target;
    grove_status status = grove__json_resolve_shown(operation->change->document,
                                                    &operation->path, &target, error_out);
    if (status == GROVE_OK) {
        status = grove__json_assign(operation->change, &target, operation->value,
                                    GROVE__JSON_EXACT, error_out);
    }
    return status;
}

static grove_status do_test(patch_step *operation, grove_error *error_out)
{
    grove__json_target target;
    grove_status status = grove__json_resolve_shown(operation->change->document,
                                                    &operation->path, &target, error_out);
    if (status == GROVE_OK) {
        status = grove__json_compare(operation->change->document, &target.view,
                                     operation->change->value, operation->value,
                                     grove__json_scalars_equal, error_out);
    }
    return status == GROVE_NONE
               ? grove__fail(error_out, GROVE_CONFLICT, "%s", "another value is there")
               : status;
}

/* Whether `from` leads to something that `path` leads into. */
static bool leads_into_itself(const patch_step *operation)
{
    grove_bytes from = operation->from.text;
    grove_bytes path = operation->path.text;
    return path.size > from.size && path.data[from.size] == '/' &&
           grove__bytes_begin_with(path, from);
}

/* Moves an element; nothing is to be done if it stands there. */
static grove_status move_element(const patch_step *operation, grove_node node,
                                 grove_tree_place place, grove_error *error_out)
{
    grove_document *document = operation->change->document;
    grove_tree_info info;
    grove_node before = GROVE_NODE_NONE;
    const grove__json_view array = {place.parent, GROVE__JSON_ARRAY, {NULL, 0}};
    grove_status status = grove_tree_info_get(document, node, &info, error_out);
    if (status == GROVE_OK && info.parent == place.parent) {
        grove__json_view at;
        status = grove__json_first(document, &array, &at, error_out);
        while (status == GROVE_OK && at.node != node) {
            before = at.node;
            status = grove__json_next(document, &array, &at, &at, error_out);
        }
        grove_tree_place is = grove__json_place_after(place.parent, before);
        if (status == GROVE_OK && is.where == place.where &&
            (before == GROVE_NODE_NONE || before == place.sibling)) {
            return GROVE_OK;
        }
    }
    return status == GROVE_OK ? grove_tree_move(document, node, place,
                                                operation->change->metadata, error_out)
                              : status;
}

/* Takes a copy away from where it was and puts it to where it goes. */
static grove_status move_value(patch_step *operation, const grove__json_view *moved,
                               grove_error *error_out)
{
    grove_document *document = operation->change->document;
    grove__json_value value;
    grove__json_target target;
    grove_status status = copy_value(operation, moved, &value, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = delete_node(operation, moved->node, error_out);
    if (status == GROVE_OK) {
        status = grove__json_resolve(document, &operation->path, GROVE_NODE_NONE, &target,
                                     error_out);
    }
    if (status == GROVE_OK) {
        status = put_at(operation, &target, &value, 0, error_out);
    }
    grove__json_value_release(&value);
    return status;
}

static grove_status do_move(patch_step *operation, grove_error *error_out)
{
    grove_document *document = operation->change->document;
    grove__json_target from;
    grove__json_target to;
    grove_status status =
        grove__json_resolve_shown(document, &operation->from, &from, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (leads_into_itself(operation)) {
        return grove__fail(error_out, GROVE_INVALID, "%s",
                           "a value cannot be moved into itself");
    }
    if (grove__bytes_equal(operation->from.text, operation->path.text)) {
        return GROVE_OK;
    }
    if (from.parent.kind != GROVE__JSON_ARRAY) {
        return move_value(operation, &from.view, error_out);
    }
    status =
        grove__json_resolve(document, &operation->path, from.view.node, &to, error_out);
    if (status == GROVE_OK) {
        status = to.parent.kind == GROVE__JSON_ARRAY
                     ? move_element(operation, from.view.node, to.place, error_out)
                     : move_value(operation, &from.view, error_out);
    }
    return status;
}

static grove_status do_copy(patch_step *operation, grove_error *error_out)
{
    grove_document *document = operation->change->document;
    grove__json_target from;
    grove__json_target to;
    grove__json_value value;
    grove_status status =
        grove__json_resolve_shown(document, &operation->from, &from, error_out);
    if (status == GROVE_OK) {
        status = copy_value(operation, &from.view, &value, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    status =
        grove__json_resolve(document, &operation->path, GROVE_NODE_NONE, &to, error_out);
    if (status == GROVE_OK) {
        status = put_at(operation, &to, &value, 0, error_out);
    }
    grove__json_value_release(&value);
    return status;
}

typedef struct verb {
    const char *name;
    bool has_value;
    bool has_from;
    grove_status (*run)(patch_step *operation, grove_error *error_out);
} verb;

static const verb VERBS[] = {
    {"add", true, false, do_add},         {"remove", false, false, do_remove},
    {"replace", true, false, do_replace}, {"move", false, true, do_move},
    {"copy", false, true, do_copy},       {"test", true, false, do_test},
};

static const verb *find_verb(grove_bytes name)
{
    for (size_t index = 0; index < sizeof VERBS / sizeof *VERBS; index++) {
        if (grove__bytes_equal(name, grove_bytes_of(VERBS[index].name))) {
            return &VERBS[index];
        }
    }
    return NULL;
}

/* The text of a member that has to be one. */
static grove_status take_text(const grove__json_value *patch, size_t item,
                              const char *name, grove_bytes *text_out,
                              grove_error *error_out)
{
    size_t member = grove__json_member_of(patch, item, grove_bytes_of(name));
    if (member == SIZE_MAX || !grove__json_is_text(patch, member)) {
        return grove__fail(error_out, GROVE_INVALID, "it has no \"%s\" that is a string",
                           name);
    }
    *text_out = grove__json_scalar_of(patch, member).bytes;
    return GROVE_OK;
}

/* Does the operation in item `item`; *path_out is its path as far as it is
 * known. */
static grove_status do_operation(patch_step *operation, size_t item,
                                 grove_bytes *path_out, grove_error *error_out)
{
    const grove__json_value *patch = operation->change->value;
    grove_bytes name = {NULL, 0};
    grove_bytes from = {NULL, 0};
    if (grove__json_item_at(patch, item)->kind != GROVE__JSON_OBJECT) {
        return grove__fail(error_out, GROVE_INVALID, "%s", "it is no object");
    }
    grove_status status = take_text(patch, item, "op", &name, error_out);
    if (status == GROVE_OK) {
        status = take_text(patch, item, "path", path_out, error_out);
    }
    const verb *does = find_verb(name);
    if (status == GROVE_OK && does == NULL) {
        status = grove__fail(error_out, GROVE_INVALID, "there is no operation %.*s",
                             GROVE__JSON_POINTER_ARGUMENTS(name));
    }
    if (status == GROVE_OK && does->has_from) {
        status = take_text(patch, item, "from", &from, error_out);
    }
    operation->value = grove__json_member_of(patch, item, grove_bytes_of("value"));
    if (status == GROVE_OK && does->has_value && operation->value == SIZE_MAX) {
        status = grove__fail(error_out, GROVE_INVALID, "%s", "it has no \"value\"");
    }
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__json_pointer_init(&operation->path, *path_out, error_out);
    grove_status status_from = grove__json_pointer_init(
        &operation->from, from, status == GROVE_OK ? error_out : NULL);
    status = status == GROVE_OK ? status_from : status;
    if (status == GROVE_OK) {
        status = does->run(operation, error_out);
    }
    grove__json_pointer_release(&operation->path);
    grove__json_pointer_release(&operation->from);
    return status;
}

static grove_status do_operations(const grove__json_change *change,
                                  grove_error *error_out)
{
    const grove__json_value *patch = change->value;
    size_t end = grove__json_item_at(patch, 0)->end;
    patch_step operation = {.change = change, .copies_left = GROVE_JSON_COPIES_MAX};
    size_t count = 0;
    for (size_t item = 1; item < end; item = grove__json_item_at(patch, item)->end) {
        grove_bytes path = {NULL, 0};
        grove_error why;
        grove_status status = do_operation(&operation, item, &path, &why);
        if (status != GROVE_OK) {
            return grove__fail_at(error_out, status, count,
                                  "operation %zu, at \"%.*s\": %s", count,
                                  GROVE__JSON_POINTER_ARGUMENTS(path), why.message);
        }
        count++;
    }
    return GROVE_OK;
}

grove_status grove_json_patch(grove_document *document, grove_bytes text,
                              grove_bytes metadata, grove_error *error_out)
{
    grove__json_value patch;
    grove_status status = grove__json_text_read(text, &patch, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    const grove__json_change change = {document, metadata, &patch};
    if (grove__json_item_at(&patch, 0)->kind != GROVE__JSON_ARRAY) {
        status = grove__fail(error_out, GROVE_INVALID, "%s",
                             "a patch is an array of operations");
    } else {
        status = grove__json_begin(document, error_out);
        if (status == GROVE_OK) {
            status = do_operations(&change, error_out);
            status = grove__json_end(document, status, error_out);
        }
    }
    grove__json_value_release(&patch);
    return status;
}
