/* JSON Pointer, RFC 6901, and what one leads to in a tree. */
#ifndef GROVE_JSON_POINTER_H
#define GROVE_JSON_POINTER_H

#include "json/put.h"

/*
 * A pointer on its way through a tree. In the messages of errors it is cut
 * off after GROVE__JSON_POINTER_SHOWN bytes.
 */
typedef struct grove__json_pointer {
    grove_bytes text;
    grove_buffer key; /* the token at hand, unescaped */
} grove__json_pointer;

enum { GROVE__JSON_POINTER_SHOWN = 80 };

/* The arguments of "%.*s" for a pointer. */
#define GROVE__JSON_POINTER_ARGUMENTS(text)                                     \
    (int)((text).size < GROVE__JSON_POINTER_SHOWN ? (text).size                 \
                                                  : GROVE__JSON_POINTER_SHOWN), \
        (const char *)((text).size == 0 ? (const uint8_t *)"" : (text).data)

/* Borrows the text. To be released even if it fails. GROVE_INVALID: it is no
 * pointer, and the offset says where; GROVE_UNSUPPORTED: it has U+0000. */
grove_status grove__json_pointer_init(grove__json_pointer *pointer, grove_bytes text,
                                      grove_error *error_out);
void grove__json_pointer_release(grove__json_pointer *pointer);

/*
 * Where it leads to, or would lead to: the last token may name a member that
 * there is not, or the place behind the last element of an array. In an array
 * target_out->place is where an element has to be put to stand there.
 *
 * `without` is left out, as if it had been removed; GROVE_NODE_NONE: nothing.
 * target_out->key is the pointer's, until it is released.
 *
 *   GROVE_INVALID  what the last token stands behind is not there, or takes no
 *                  such token
 */
grove_status grove__json_resolve(const grove_document *document,
                                 grove__json_pointer *pointer, grove_node without,
                                 grove__json_target *target_out, grove_error *error_out);

/* The same for what has to be there: GROVE_INVALID, if it is not. */
grove_status grove__json_resolve_shown(const grove_document *document,
                                       grove__json_pointer *pointer,
                                       grove__json_target *target_out,
                                       grove_error *error_out);

#endif
