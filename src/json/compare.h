/* A value in a tree against one in memory. */
#ifndef GROVE_JSON_COMPARE_H
#define GROVE_JSON_COMPARE_H

#include "json/node.h"

/* Which scalars count as equal: grove__json_scalars_same, or _equal. */
typedef bool grove__json_scalar_fn(const grove_value *one, const grove_value *other);

/*
 * Whether what a node shows equals item `index` of a value and all in it:
 * objects whatever the order of their members. GROVE_NONE: it does not.
 */
grove_status grove__json_compare(const grove_document *document,
                                 const grove__json_view *view,
                                 const grove__json_value *value, size_t index,
                                 grove__json_scalar_fn *are_equal,
                                 grove_error *error_out);

#endif
