/* Through a JSON value that a tree holds, without memory or recursion. */
#ifndef GROVE_JSON_WALK_H
#define GROVE_JSON_WALK_H

#include "json/node.h"

/*
 * Told of each value before those in it, and of each container after them.
 * `is_member` says that `key` counts. GROVE_OK goes on; another status is that
 * of the walk.
 */
typedef struct grove__json_visitor {
    void *context;
    grove_status (*enter)(void *context, const grove__json_view *view, bool is_member,
                          grove_error *error_out);
    grove_status (*leave)(void *context, grove__json_kind kind, grove_error *error_out);
} grove__json_visitor;

/* From `view` on, which is told of as what it is by itself, not as a member.
 * The handle must not change meanwhile. */
grove_status grove__json_walk(const grove_document *document,
                              const grove__json_view *view,
                              const grove__json_visitor *visitor, grove_error *error_out);

/* Copies the value of a node, of at most `count_max` values; the caller
 * releases *value_out. GROVE_LIMIT: they are more. */
grove_status grove__json_copy(const grove_document *document,
                              const grove__json_view *view, size_t count_max,
                              grove__json_value *value_out, grove_error *error_out);

#endif
