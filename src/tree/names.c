#include "tree/names.h"

#include "base/bytes.h"

enum { BLOCK_BYTES_MIN = 256, BLOCK_BYTES_MAX = 1 << 16 };

void grove__names_init(grove__names *names, const grove_allocator *allocator)
{
    *names = (grove__names){.allocator = allocator};
}

void grove__names_release(grove__names *names)
{
    while (names->blocks != NULL) {
        grove__names_block *block = names->blocks;
        names->blocks = block->next;
        grove__deallocate(names->allocator, block, sizeof *block + block->size);
    }
    grove__deallocate(names->allocator, names->items,
                      names->capacity * sizeof *names->items);
    grove__index_release(&names->index, names->allocator);
    grove__names_init(names, names->allocator);
}

static const void *key_of(const void *context, uint32_t item)
{
    const grove__names *names = context;
    return &names->items[item];
}

static int compare(const void *key, const void *other)
{
    return grove__bytes_compare(*(const grove_bytes *)key, *(const grove_bytes *)other);
}

static grove__index_rule rule_of(const grove__names *names)
{
    return (grove__index_rule){names, key_of, compare};
}

/* Where a name is among the recent ones. */
static size_t slot_of(grove_bytes bytes)
{
    size_t mixed = bytes.size;
    if (bytes.size > 0) {
        mixed += 5 * (size_t)bytes.data[0] + 3 * (size_t)bytes.data[bytes.size - 1];
    }
    return mixed % GROVE__NAMES_RECENT;
}

uint32_t grove__names_find(const grove__names *names, grove_bytes bytes)
{
    uint32_t number = grove__index_at_or_before(&names->index, rule_of(names), &bytes);
    return number != GROVE__INDEX_NONE && grove__bytes_equal(names->items[number], bytes)
               ? number
               : GROVE__NAMES_NONE;
}

/* Room for so many bytes that stays where it is; NULL: no memory. */
static uint8_t *reserve_bytes(grove__names *names, size_t bytes)
{
    grove__names_block *block = names->blocks;
    if (block != NULL && block->size - block->used >= bytes) {
        return block->bytes + block->used;
    }
    size_t size = block == NULL ? BLOCK_BYTES_MIN : block->size * 2;
    size = size > BLOCK_BYTES_MAX ? BLOCK_BYTES_MAX : size;
    size = size < bytes ? bytes : size;
    grove__names_block *made = grove__allocate(names->allocator, sizeof *made + size);
    if (made == NULL) {
        return NULL;
    }
    *made = (grove__names_block){.next = block, .size = size};
    names->blocks = made;
    return made->bytes;
}

grove_status grove__names_intern(grove__names *names, grove_bytes bytes,
                                 uint32_t *number_out)
{
    uint32_t *recent = &names->recent[slot_of(bytes)];
    if (*recent > 0 && grove__bytes_equal(names->items[*recent - 1], bytes)) {
        *number_out = *recent - 1;
        return GROVE_OK;
    }
    uint32_t number = grove__names_find(names, bytes);
    if (number != GROVE__NAMES_NONE) {
        *recent = number + 1;
        *number_out = number;
        return GROVE_OK;
    }
    if (!grove__array_reserve(names->allocator, (void **)&names->items, &names->capacity,
                              names->count, sizeof *names->items) ||
        !grove__index_reserve(&names->index, names->allocator)) {
        return GROVE_NO_MEMORY;
    }
    uint8_t *room = reserve_bytes(names, bytes.size);
    if (room == NULL) {
        return GROVE_NO_MEMORY;
    }
    if (bytes.size > 0) {
        memcpy(room, bytes.data, bytes.size);
    }
    names->blocks->used += bytes.size;
    number = (uint32_t)names->count++;
    names->items[number] = (grove_bytes){room, bytes.size};
    grove__index_add(&names->index, rule_of(names), number);
    *number_out = number;
    return GROVE_OK;
}
