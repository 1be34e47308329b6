/*
 * Byte strings that occur again and again, as numbers: each is kept once and
 * never moves. Numbers ascend from 0.
 */
#ifndef GROVE_TREE_NAMES_H
#define GROVE_TREE_NAMES_H

#include "graph/index.h"

#define GROVE__NAMES_NONE GROVE__INDEX_NONE

typedef struct grove__names_block {
    struct grove__names_block *next;
    size_t size, used;
    uint8_t bytes[];
} grove__names_block;

/* Names that were asked for lately are found without a search. */
enum { GROVE__NAMES_RECENT = 16 };

typedef struct grove__names {
    const grove_allocator *allocator;
    grove_bytes *items;
    size_t count, capacity;
    grove__index index; /* of the items, by their bytes */
    grove__names_block *blocks;
    uint32_t recent[GROVE__NAMES_RECENT]; /* 1 + a number; 0: none */
} grove__names;

/* No names; owns nothing. The allocator is borrowed. */
void grove__names_init(grove__names *names, const grove_allocator *allocator);
void grove__names_release(grove__names *names);

/* The number of a string; GROVE__NAMES_NONE. O(log names). */
uint32_t grove__names_find(const grove__names *names, grove_bytes bytes);

/* The same; a new one gets the next number. GROVE_NO_MEMORY. */
grove_status grove__names_intern(grove__names *names, grove_bytes bytes,
                                 uint32_t *number_out);

/* The string; it lives as long as the names. */
static inline grove_bytes grove__names_at(const grove__names *names, uint32_t number)
{
    return names->items[number];
}

#endif
