#include "grow.h"

#include <stdint.h>
#include <stdlib.h>

enum { ITEMS_MIN = 64 };

void *cli_grow(void *items, size_t *capacity, size_t count, size_t more,
               size_t item_bytes)
{
    if (items != NULL && more <= *capacity - count) {
        return items;
    }
    size_t items_max = SIZE_MAX / 2 / item_bytes;
    if (more > items_max - count) {
        return NULL;
    }
    size_t wanted = *capacity < ITEMS_MIN ? ITEMS_MIN : *capacity;
    while (wanted < count + more) {
        wanted *= 2;
    }
    void *grown = realloc(items, wanted * item_bytes);
    if (grown != NULL) {
        *capacity = wanted;
    }
    return grown;
}
