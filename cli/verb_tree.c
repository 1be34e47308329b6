/* The verb tree show: the nodes of a tree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "open.h"
#include "output.h"

/* Deeper nodes are not indented further: of a million levels the blanks alone
 * would be a terabyte. */
enum { INDENTED_LEVELS_MAX = 64 };

/* --- lines --- */

static void print_hex(grove_bytes bytes)
{
    (void)fputs("x\"", stdout);
    for (size_t index = 0; index < bytes.size; index++) {
        printf("%02x", bytes.data[index]);
    }
    (void)putchar('"');
}

static void print_id(grove_bytes id)
{
    if (cli_id_is_printable(id)) {
        cli_id_print(id, stdout);
    } else {
        print_hex(id);
    }
}

/* In as few digits as give it back, and not like an integer. */
static void print_number(double number)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    bool is_like_integer = strspn(text, "-0123456789") == strlen(text);
    printf("%s%s", text, is_like_integer ? ".0" : "");
}

static void print_text(grove_bytes utf8)
{
    json_t *text = json_stringn(utf8.size == 0 ? "" : (const char *)utf8.data, utf8.size);
    (void)json_dumpf(text, stdout, JSON_ENCODE_ANY);
    json_decref(text);
}

static void print_value(const grove_value *value)
{
    switch (value->kind) {
    case GROVE_VALUE_NULL:
        (void)fputs("null", stdout);
        break;
    case GROVE_VALUE_BOOLEAN:
        (void)fputs(value->boolean ? "true" : "false", stdout);
        break;
    case GROVE_VALUE_INTEGER:
        printf("%lld", (long long)value->integer);
        break;
    case GROVE_VALUE_DOUBLE:
        print_number(value->number);
        break;
    case GROVE_VALUE_TEXT:
        print_text(value->bytes);
        break;
    case GROVE_VALUE_BYTES:
        print_hex(value->bytes);
        break;
    }
}

static bool print_attribute(void *context, const grove_attribute *attribute)
{
    (void)context;
    (void)putchar(' ');
    cli_id_print(attribute->name, stdout);
    (void)putchar('=');
    print_value(&attribute->value);
    return true;
}

typedef struct showing {
    const grove_document *document;
    grove_status status;
    grove_error error;
} showing;

static grove_status print_node(showing *show, grove_node node)
{
    grove_tree_info info;
    grove_tree_id_bytes id;
    grove_status status = grove_tree_info_get(show->document, node, &info, &show->error);
    if (status == GROVE_OK) {
        status = grove_tree_id(show->document, node, &id, &show->error);
    }
    if (status != GROVE_OK) {
        return status;
    }
    if (node == GROVE_NODE_ROOT) {
        (void)fputs("root", stdout);
    } else {
        (void)fputs(info.type.size == 0 ? "-" : "", stdout);
        cli_id_print(info.type, stdout);
        (void)putchar(' ');
        print_id((grove_bytes){id.bytes, id.size});
    }
    status =
        grove_tree_attributes(show->document, node, print_attribute, NULL, &show->error);
    (void)fputs(info.is_deleted ? " (deleted)\n" : "\n", stdout);
    return status;
}

static bool show_node(void *context, grove_node node, uint32_t depth)
{
    showing *show = context;
    for (uint32_t level = 0; level < depth && level < INDENTED_LEVELS_MAX; level++) {
        (void)fputs("  ", stdout);
    }
    show->status = print_node(show, node);
    return show->status == GROVE_OK && ferror(stdout) == 0;
}

/* --- the verb --- */

static bool print_piece(void *context, grove_bytes piece)
{
    (void)context;
    return fwrite(piece.data, 1, piece.size, stdout) == piece.size;
}

static int print_tree(const cli_options *options, const grove_document *document)
{
    unsigned flags = options->deleted ? GROVE_TREE_DELETED_TOO : 0;
    showing show = {.document = document, .status = GROVE_OK};
    grove_status status = GROVE_OK;
    if (options->json) {
        status = grove_tree_write_data(document, GROVE_NODE_ROOT, flags, print_piece,
                                       NULL, &show.error);
        (void)putchar('\n');
        /* That the output failed is found when it is finished. */
        status = status == GROVE_FAILED ? GROVE_OK : status;
    } else {
        status = grove_tree_walk(document, GROVE_NODE_ROOT,
                                 options->has_depth ? options->depth : UINT32_MAX, flags,
                                 show_node, &show, &show.error);
        status = status == GROVE_OK ? show.status : status;
    }
    return status == GROVE_OK ? CLI_OK : cli_failed(&show.error, "read the tree");
}

static int show_in(const cli_options *options, grove_store *store)
{
    grove_document *document = NULL;
    int code =
        cli_document_load_as(options, store, grove_type_tree(), "tree show", &document);
    if (code == CLI_OK) {
        code = print_tree(options, document);
    }
    grove_document_close(document);
    return code;
}

int cli_tree_show(const cli_options *options)
{
    return cli_in_store(options, show_in);
}
