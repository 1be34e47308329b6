/*
 * Dumps that were changed: taken apart into lines, put together again, with
 * the sums of the lines as they were, or renewed, so that a lie reaches the
 * checks behind the sums. Written apart from src/format/dump_line.c, on the
 * word of docs/DUMP.md alone.
 */
#ifndef GROVE_TESTS_DUMP_FORGE_H
#define GROVE_TESTS_DUMP_FORGE_H

#include "base/hash.h"
#include "support/dump.h"

enum { FORGE_SUM_BYTES = 21 }; /* " sum=" and sixteen digits */

/* Lines with their LF, borrowed from a text. */
typedef struct forge {
    grove_bytes *lines;
    size_t count;
} forge;

static inline forge forge_of(const exported *whole)
{
    forge all = {NULL, 0};
    const uint8_t *at = whole->data;
    const uint8_t *end = whole->data + whole->size;
    while (at < end) {
        const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
        cr_assert_not_null(stop);
        all.lines = realloc(all.lines, (all.count + 1) * sizeof *all.lines);
        cr_assert_not_null(all.lines);
        all.lines[all.count++] = (grove_bytes){at, (size_t)(stop - at) + 1};
        at = stop + 1;
    }
    return all;
}

static inline void forge_free(forge *all)
{
    free(all->lines);
}

static inline void forge_append(exported *text, const void *bytes, size_t size)
{
    (void)exported_write(text, (grove_bytes){bytes, size});
}

/* Appends a line; with a `sum` it is renewed. */
static inline void forge_put(exported *text, grove_bytes line, uint64_t *sum)
{
    if (sum == NULL) {
        forge_append(text, line.data, line.size);
        return;
    }
    char digits[32];
    grove_bytes body = {line.data, line.size - 1 - FORGE_SUM_BYTES};
    *sum = grove__hash(body, *sum);
    (void)snprintf(digits, sizeof digits, " sum=%016llx\n", (unsigned long long)*sum);
    forge_append(text, body.data, body.size);
    forge_append(text, digits, strlen(digits));
}

static inline exported forge_join(const forge *all, bool renew)
{
    exported text = {NULL, 0, 0, 0};
    uint64_t sum = 0;
    for (size_t index = 0; index < all->count; index++) {
        forge_put(&text, all->lines[index], renew ? &sum : NULL);
    }
    return text;
}

#endif
