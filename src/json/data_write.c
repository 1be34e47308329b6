/* A node and all below it as plain data. */
#include <grove/json.h>

#include "base/error.h"
#include "base/utf8.h"
#include "json/data.h"
#include "json/write.h"

typedef struct writing {
    const grove_document *document;
    grove__json_writer writer;
    grove_error *error_out;
    grove_status status; /* of what was read in callbacks */
    uint32_t depth;      /* of the node that was written last */
    bool is_begun;
    bool has_attributes; /* of the node at hand, written so far */
    bool is_list;        /* its attributes are a list of pairs */
} writing;

static void write_name(grove__json_writer *writer, const char *name)
{
    grove__json_write(writer, "\"");
    grove__json_write(writer, name);
    grove__json_write(writer, "\":");
}

/* {"bytes":"..."}, {"double":"..."} */
static void write_hex_object(grove__json_writer *writer, const char *name,
                             grove_bytes bytes)
{
    grove__json_write(writer, "{");
    write_name(writer, name);
    grove__json_write_hex(writer, bytes);
    grove__json_write(writer, "}");
}

static void write_value(grove__json_writer *writer, const grove_value *value)
{
    if (value->kind == GROVE_VALUE_BYTES) {
        write_hex_object(writer, GROVE__DATA_BYTES, value->bytes);
        return;
    }
    bool is_finite =
        value->kind != GROVE_VALUE_DOUBLE || value->number - value->number == 0;
    if (is_finite) {
        grove__json_write_scalar(writer, value);
        return;
    }
    uint8_t bytes[sizeof value->number];
    grove_write_u64(bytes, grove__json_bits_of(value->number));
    write_hex_object(writer, GROVE__DATA_DOUBLE, (grove_bytes){bytes, sizeof bytes});
}

static bool write_attribute(void *context, const grove_attribute *attribute)
{
    writing *data = context;
    grove__json_writer *writer = &data->writer;
    grove__json_write(writer, data->has_attributes ? "," : data->is_list ? "[" : "{");
    data->has_attributes = true;
    grove__json_write(writer, data->is_list ? "[" : "");
    grove__json_write_string(writer, attribute->name);
    grove__json_write(writer, data->is_list ? "," : ":");
    write_value(writer, &attribute->value);
    grove__json_write(writer, data->is_list ? "]" : "");
    return grove__json_writer_status(writer) == GROVE_OK;
}

/* How many attributes there are, and whether each name can be a key. */
typedef struct names {
    bool is_any;
    bool has_nul;
} names;

static bool look_at_name(void *context, const grove_attribute *attribute)
{
    names *all = context;
    all->is_any = true;
    all->has_nul = memchr(attribute->name.data, 0, attribute->name.size) != NULL;
    return !all->has_nul;
}

static grove_status write_attributes(writing *data, grove_node node)
{
    names all = {false, false};
    grove_status status =
        grove_tree_attributes(data->document, node, look_at_name, &all, data->error_out);
    if (status != GROVE_OK || !all.is_any) {
        return status;
    }
    grove__json_write(&data->writer, ",");
    write_name(&data->writer, GROVE__DATA_ATTRIBUTES);
    data->has_attributes = false;
    data->is_list = all.has_nul;
    status = grove_tree_attributes(data->document, node, write_attribute, data,
                                   data->error_out);
    grove__json_write(&data->writer, data->is_list ? "]" : "}");
    return status;
}

/* All of a node but its children and its end. */
static grove_status write_node(writing *data, grove_node node)
{
    grove_tree_id_bytes id;
    grove_tree_info info;
    size_t points;
    size_t offset;
    grove_status status = grove_tree_id(data->document, node, &id, data->error_out);
    if (status == GROVE_OK) {
        status = grove_tree_info_get(data->document, node, &info, data->error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    const grove_bytes bytes = {id.bytes, id.size};
    grove__json_write(&data->writer, "{");
    write_name(&data->writer, GROVE__DATA_ID);
    if (grove__utf8_check(bytes, &points, &offset)) {
        grove__json_write_string(&data->writer, bytes);
    } else {
        write_hex_object(&data->writer, GROVE__DATA_BYTES, bytes);
    }
    grove__json_write(&data->writer, ",");
    write_name(&data->writer, GROVE__DATA_TYPE);
    grove__json_write_string(&data->writer, info.type);
    if (info.is_deleted) {
        grove__json_write(&data->writer, ",");
        write_name(&data->writer, GROVE__DATA_DELETED);
        grove__json_write(&data->writer, "true");
    }
    return write_attributes(data, node);
}

/* Goes to a node `depth` levels down: ends those that it is not in. */
static void go_to(writing *data, uint32_t depth)
{
    if (data->is_begun && depth > data->depth) {
        grove__json_write(&data->writer, ",");
        write_name(&data->writer, GROVE__DATA_CHILDREN);
        grove__json_write(&data->writer, "[");
    } else if (data->is_begun) {
        for (; data->depth > depth; data->depth--) {
            grove__json_write(&data->writer, "}]");
        }
        grove__json_write(&data->writer, "},");
    }
    data->is_begun = true;
    data->depth = depth;
}

static bool take_node(void *context, grove_node node, uint32_t depth)
{
    writing *data = context;
    go_to(data, depth);
    data->status = write_node(data, node);
    return data->status == GROVE_OK &&
           grove__json_writer_status(&data->writer) == GROVE_OK;
}

grove_status grove_tree_write_data(const grove_document *document, grove_node node,
                                   unsigned flags, grove_write_fn write, void *context,
                                   grove_error *error_out)
{
    writing data = {.document = document, .error_out = error_out};
    grove__json_writer_init(&data.writer, write, context);
    grove_status status =
        grove_tree_walk(document, node, UINT32_MAX, flags, take_node, &data, error_out);
    if (status == GROVE_OK) {
        status = data.status;
    }
    if (status != GROVE_OK) {
        return status;
    }
    for (; data.depth > 0; data.depth--) {
        grove__json_write(&data.writer, "}]");
    }
    grove__json_write(&data.writer, data.is_begun ? "}" : "");
    return grove__json_writer_finish(&data.writer, error_out);
}
