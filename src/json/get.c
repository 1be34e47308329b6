/* Reading the JSON of a document. */
#include <grove/json.h>

#include "json/pointer.h"
#include "json/walk.h"
#include "json/write.h"

typedef struct getting {
    const grove_document *document;
    grove__json_writer writer;
    bool is_behind; /* a value of the container at hand was written */
} getting;

static grove_status get_enter(void *context, const grove__json_view *view, bool is_member,
                              grove_error *error_out)
{
    getting *get = context;
    if (get->is_behind) {
        grove__json_write(&get->writer, ",");
    }
    if (is_member) {
        grove__json_write_string(&get->writer, view->key);
        grove__json_write(&get->writer, ":");
    }
    get->is_behind = view->kind == GROVE__JSON_SCALAR;
    if (view->kind != GROVE__JSON_SCALAR) {
        grove__json_write(&get->writer, view->kind == GROVE__JSON_OBJECT ? "{" : "[");
        return grove__json_writer_status(&get->writer);
    }
    grove_value scalar;
    grove_status status =
        grove__json_scalar(get->document, view->node, &scalar, error_out);
    if (status == GROVE_OK) {
        grove__json_write_scalar(&get->writer, &scalar);
        status = grove__json_writer_status(&get->writer);
    }
    return status;
}

static grove_status get_leave(void *context, grove__json_kind kind,
                              grove_error *error_out)
{
    getting *get = context;
    (void)error_out;
    grove__json_write(&get->writer, kind == GROVE__JSON_OBJECT ? "}" : "]");
    get->is_behind = true;
    return grove__json_writer_status(&get->writer);
}

grove_status grove_json_get(const grove_document *document, grove_bytes pointer,
                            grove_write_fn write, void *context, grove_error *error_out)
{
    grove__json_pointer way;
    grove__json_target target;
    grove_status status = grove__json_pointer_init(&way, pointer, error_out);
    if (status == GROVE_OK) {
        status = grove__json_resolve_shown(document, &way, &target, error_out);
    }
    grove__json_pointer_release(&way);
    if (status != GROVE_OK) {
        return status;
    }
    getting get = {.document = document};
    const grove__json_visitor visitor = {&get, get_enter, get_leave};
    grove__json_writer_init(&get.writer, write, context);
    status = grove__json_walk(document, &target.view, &visitor, error_out);
    if (status == GROVE_OK || grove__json_writer_status(&get.writer) != GROVE_OK) {
        status = grove__json_writer_finish(&get.writer, error_out);
    }
    return status;
}
