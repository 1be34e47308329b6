/* Arrays that grow as things are appended to them. */
#ifndef CLI_GROW_H
#define CLI_GROW_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Makes room for `more` items of `item_bytes` beside the `count` that an
 * array has; NULL is an empty one. Capacity doubles, so that growth costs what
 * the array holds. The array may move, and comes back: NULL when out of
 * memory, and the old one stays as it was.
 */
void *cli_grow(void *items, size_t *capacity, size_t count, size_t more,
               size_t item_bytes);

#endif
