#include "json/pointer.h"

#include "base/error.h"
#include "json/memory.h"

/* Where a pointer may be wrong by itself. */
static grove_status check_syntax(grove_bytes text, grove_error *error_out)
{
    if (text.size > 0 && text.data[0] != '/') {
        return grove__fail(error_out, GROVE_INVALID,
                           "the pointer %.*s is neither empty nor begins with /",
                           GROVE__JSON_POINTER_ARGUMENTS(text));
    }
    for (size_t at = 0; at < text.size; at++) {
        bool escapes = text.data[at] == '~';
        if (escapes && (at + 1 == text.size ||
                        (text.data[at + 1] != '0' && text.data[at + 1] != '1'))) {
            return grove__fail_at(error_out, GROVE_INVALID, at,
                                  "the pointer %.*s has a ~ without 0 or 1 at byte %zu",
                                  GROVE__JSON_POINTER_ARGUMENTS(text), at);
        }
        if (text.data[at] == 0) {
            return grove__fail_at(error_out, GROVE_UNSUPPORTED, at,
                                  "the pointer has U+0000 at byte %zu", at);
        }
    }
    return GROVE_OK;
}

grove_status grove__json_pointer_init(grove__json_pointer *pointer, grove_bytes text,
                                      grove_error *error_out)
{
    pointer->text = text;
    grove_buffer_init(&pointer->key, &grove__json_allocator);
    return check_syntax(text, error_out);
}

void grove__json_pointer_release(grove__json_pointer *pointer)
{
    grove_buffer_release(&pointer->key);
}

/* Takes the token whose / is at *at, and goes behind it. */
static grove_status take_token(grove__json_pointer *pointer, size_t *at,
                               grove_error *error_out)
{
    grove_bytes text = pointer->text;
    size_t from = *at + 1;
    grove_buffer_reset(&pointer->key);
    for (; from < text.size && text.data[from] != '/'; from++) {
        uint8_t byte = text.data[from];
        if (byte == '~') {
            byte = text.data[++from] == '0' ? '~' : '/';
        }
        grove_buffer_u8(&pointer->key, byte);
    }
    *at = from;
    return pointer->key.failed ? grove__fail_memory(error_out) : GROVE_OK;
}

/* What array tokens may be. */
enum { INDEX_DIGITS_MAX = 18 };

/* Digits without a leading zero. */
static bool read_index(grove_bytes token, size_t *index_out)
{
    bool is_index = token.size >= 1 && token.size <= INDEX_DIGITS_MAX &&
                    (token.data[0] != '0' || token.size == 1);
    size_t index = 0;
    for (size_t at = 0; at < token.size && is_index; at++) {
        is_index = token.data[at] >= '0' && token.data[at] <= '9';
        index = index * 10 + (size_t)(token.data[at] - '0');
    }
    if (is_index) {
        *index_out = index;
    }
    return is_index;
}

static grove_status fail_nowhere(const grove__json_pointer *pointer, const char *why,
                                 grove_error *error_out)
{
    return grove__fail(error_out, GROVE_INVALID, "the pointer %.*s leads nowhere: %s",
                       GROVE__JSON_POINTER_ARGUMENTS(pointer->text), why);
}

/* The element that a token names, or the place behind the last one. */
static grove_status enter_array(const grove_document *document,
                                const grove__json_pointer *pointer, grove_node without,
                                grove__json_target *target, grove_error *error_out)
{
    grove_bytes token = grove_buffer_view(&pointer->key);
    bool is_behind = token.size == 1 && token.data[0] == '-';
    size_t left = SIZE_MAX;
    if (!is_behind && !read_index(token, &left)) {
        return fail_nowhere(pointer, "an array has numbers without leading zeros, and -",
                            error_out);
    }
    grove_node before = GROVE_NODE_NONE;
    grove__json_view at = {.node = GROVE_NODE_NONE};
    grove_status status = grove__json_first(document, &target->parent, &at, error_out);
    while (status == GROVE_OK && (left > 0 || at.node == without)) {
        if (at.node != without) {
            before = at.node;
            left--;
        }
        status = grove__json_next(document, &target->parent, &at, &at, error_out);
    }
    if (status != GROVE_OK && status != GROVE_NONE) {
        return status;
    }
    if (status == GROVE_NONE && left > 0 && !is_behind) {
        return fail_nowhere(pointer, "the array has not so many elements", error_out);
    }
    target->is_shown = status == GROVE_OK;
    target->view = at;
    target->place = grove__json_place_after(target->parent.node, before);
    return GROVE_OK;
}

/* One token further down. */
static grove_status enter(const grove_document *document,
                          const grove__json_pointer *pointer, grove_node without,
                          grove__json_target *target, grove_error *error_out)
{
    if (!target->is_shown) {
        return fail_nowhere(pointer, "something above is not there", error_out);
    }
    grove__json_view parent = target->view;
    if (parent.kind == GROVE__JSON_SCALAR) {
        return fail_nowhere(pointer, "there is nothing in a scalar", error_out);
    }
    if (parent.kind == GROVE__JSON_OBJECT) {
        return grove__json_target_member(
            document, parent.node, grove_buffer_view(&pointer->key), target, error_out);
    }
    *target = (grove__json_target){.parent = parent};
    return enter_array(document, pointer, without, target, error_out);
}

grove_status grove__json_resolve(const grove_document *document,
                                 grove__json_pointer *pointer, grove_node without,
                                 grove__json_target *target_out, grove_error *error_out)
{
    const grove_bytes no_key = {NULL, 0};
    grove__json_target target;
    grove_status status =
        grove__json_target_member(document, GROVE_NODE_ROOT, no_key, &target, error_out);
    for (size_t at = 0; at < pointer->text.size && status == GROVE_OK;) {
        status = take_token(pointer, &at, error_out);
        if (status == GROVE_OK) {
            status = enter(document, pointer, without, &target, error_out);
        }
    }
    if (status == GROVE_OK) {
        *target_out = target;
    }
    return status;
}

grove_status grove__json_resolve_shown(const grove_document *document,
                                       grove__json_pointer *pointer,
                                       grove__json_target *target_out,
                                       grove_error *error_out)
{
    grove__json_target target;
    grove_status status =
        grove__json_resolve(document, pointer, GROVE_NODE_NONE, &target, error_out);
    if (status == GROVE_OK && !target.is_shown) {
        status = fail_nowhere(pointer, "there is nothing", error_out);
    }
    if (status == GROVE_OK) {
        *target_out = target;
    }
    return status;
}
