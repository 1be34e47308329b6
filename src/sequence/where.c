#include "sequence/where.h"

#include "base/alloc.h"
#include "base/assert.h"

enum { WORD_BITS = 64, WORD_SHIFT = 6, LEVELS = GROVE__WHERE_LEVELS };

#ifdef GROVE_TINY_LIMITS
enum { CAPACITY_MIN = 64 };
#else
enum { CAPACITY_MIN = 1024 };
#endif

/* Words of a level, for so many numbers. */
static size_t words_on(uint32_t numbers, int level)
{
    size_t words = numbers;
    for (int at = 0; at <= level; at++) {
        words = (words + WORD_BITS - 1) / WORD_BITS;
    }
    return words;
}

/* Points the arrays into memory for so many numbers, or into none, and
 * returns how many bytes they take. */
static size_t lay_out(grove__where *where, uint64_t *memory, uint32_t capacity)
{
    size_t words = 0;
    for (int level = 0; level < LEVELS; level++) {
        where->levels[level] = memory == NULL ? NULL : memory + words;
        words += words_on(capacity, level);
    }
    size_t bits = words_on(capacity, 0);
    where->deletions = memory == NULL ? NULL : memory + words;
    where->backwards = memory == NULL ? NULL : memory + words + bits;
    words += 2 * bits;
    where->values = memory == NULL ? NULL : (uint32_t *)(memory + words);
    return words * sizeof *memory + capacity * sizeof *where->values;
}

void grove__where_init(grove__where *where, const grove_allocator *allocator)
{
    *where = (grove__where){.allocator = allocator};
}

void grove__where_release(grove__where *where)
{
    grove__deallocate(where->allocator, where->levels[0], where->bytes);
    grove__where_init(where, where->allocator);
}

void grove__where_clear(grove__where *where)
{
    for (int level = 0; where->end > 0 && level < LEVELS; level++) {
        memset(where->levels[level], 0, words_on(where->end, level) * sizeof(uint64_t));
    }
    where->end = 0;
}

/* Copies what has been put. */
static void copy_pieces(grove__where *to, const grove__where *from)
{
    if (from->end == 0) {
        return;
    }
    for (int level = 0; level < LEVELS; level++) {
        memcpy(to->levels[level], from->levels[level],
               words_on(from->end, level) * sizeof(uint64_t));
    }
    size_t bits = words_on(from->end, 0) * sizeof(uint64_t);
    memcpy(to->deletions, from->deletions, bits);
    memcpy(to->backwards, from->backwards, bits);
    memcpy(to->values, from->values, from->end * sizeof *from->values);
    to->end = from->end;
}

bool grove__where_reserve(grove__where *where, uint32_t end)
{
    GROVE_ASSERT(end <= GROVE__WHERE_NUMBERS_MAX);
    if (end <= where->capacity) {
        return true;
    }
    uint32_t capacity = where->capacity + where->capacity / 2;
    capacity = capacity < CAPACITY_MIN ? CAPACITY_MIN : capacity;
    capacity = capacity < end ? end : capacity;
    capacity = (capacity + WORD_BITS - 1) / WORD_BITS * WORD_BITS;
    grove__where grown;
    grove__where_init(&grown, where->allocator);
    grown.bytes = lay_out(&grown, NULL, capacity);
    uint64_t *memory = grove__allocate(where->allocator, grown.bytes);
    if (memory == NULL) {
        return false;
    }
    (void)lay_out(&grown, memory, capacity);
    memset(memory, 0, grown.bytes - capacity * sizeof *grown.values);
    grown.capacity = capacity;
    copy_pieces(&grown, where);
    grove__where_release(where);
    *where = grown;
    return true;
}

static uint64_t bit_of(uint32_t number)
{
    return UINT64_C(1) << (number % WORD_BITS);
}

static void put_bit(uint64_t *bits, uint32_t number, bool is_set)
{
    if (is_set) {
        bits[number / WORD_BITS] |= bit_of(number);
    } else {
        bits[number / WORD_BITS] &= ~bit_of(number);
    }
}

void grove__where_put(grove__where *where, grove__where_piece piece)
{
    GROVE_ASSERT(piece.first < where->capacity);
    uint32_t at = piece.first;
    for (int level = 0; level < LEVELS; level++) {
        uint64_t *word = &where->levels[level][at / WORD_BITS];
        bool was_zero = *word == 0;
        *word |= bit_of(at);
        if (!was_zero) {
            break;
        }
        at /= WORD_BITS;
    }
    put_bit(where->deletions, piece.first, piece.is_deletion);
    put_bit(where->backwards, piece.first, piece.is_backward);
    where->values[piece.first] = piece.value;
    where->end = piece.first < where->end ? where->end : piece.first + 1;
}

grove__where_piece grove__where_find(const grove__where *where, uint32_t number)
{
    uint32_t at = number < where->end ? number : where->end - 1;
    int level = 0;
    uint64_t bits = where->levels[0][at / WORD_BITS] & (bit_of(at) * 2 - 1);
    while (bits == 0) {
        at /= WORD_BITS;
        level++;
        GROVE_ASSERT(level < LEVELS);
        bits = where->levels[level][at / WORD_BITS] & (bit_of(at) - 1);
    }
    for (;;) {
        at = at / WORD_BITS * WORD_BITS + 63 - (uint32_t)__builtin_clzll(bits);
        if (level == 0) {
            break;
        }
        level--;
        bits = where->levels[level][at];
        at *= WORD_BITS;
    }
    return (grove__where_piece){
        .first = at,
        .value = where->values[at],
        .is_deletion = (where->deletions[at / WORD_BITS] & bit_of(at)) != 0,
        .is_backward = (where->backwards[at / WORD_BITS] & bit_of(at)) != 0,
    };
}

uint32_t grove__where_next(const grove__where *where, uint32_t number, uint32_t end)
{
    uint32_t at = number + 1;
    if (at >= where->end || at >= end) {
        return end;
    }
    int level = 0;
    uint64_t bits = where->levels[0][at / WORD_BITS] & ~(bit_of(at) - 1);
    while (bits == 0) {
        at /= WORD_BITS;
        level++;
        if (level == LEVELS) {
            return end;
        }
        bits = at % WORD_BITS == WORD_BITS - 1
                   ? 0
                   : where->levels[level][at / WORD_BITS] & ~(bit_of(at) * 2 - 1);
    }
    for (;;) {
        at = at / WORD_BITS * WORD_BITS + (uint32_t)__builtin_ctzll(bits);
        if (level == 0) {
            return at < end ? at : end;
        }
        level--;
        bits = where->levels[level][at];
        at *= WORD_BITS;
    }
}
