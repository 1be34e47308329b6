/*
 * Numbers in columns: the split prefix varint.
 *
 * A number's first byte says how many more bytes it has, and goes to one
 * column; those further bytes go to another. The first column is then of one
 * kind, which an entropy coder likes, and a decoder that meets a first byte
 * knows the rest without a loop.
 *
 *   value          first byte              rest
 *   < 192          value                   none
 *   < 12,480       192 + (v >> 8)          v & 255         v = value - 192
 *   any other      239 + k, k = 1 to 8     v in k bytes    v = value - 12,480,
 *                                                          low bytes first,
 *                                                          the fewest possible
 *
 * First bytes 248 to 255 are none. Each number has one form. The two columns
 * may be the same: then the rest follows its first byte.
 */
#ifndef GROVE_FORMAT_COLUMN_H
#define GROVE_FORMAT_COLUMN_H

#include <grove/sys/document_type.h>

enum { GROVE__COLUMN_ONE_BYTE_END = 192, GROVE__COLUMN_TWO_BYTES_END = 12480 };

static inline uint64_t grove__zigzag(int64_t value)
{
    uint64_t folded = (uint64_t)value << 1;
    return value < 0 ? ~folded : folded;
}

static inline int64_t grove__unzigzag(uint64_t folded)
{
    uint64_t value = folded >> 1;
    return (int64_t)((folded & 1) != 0 ? ~value : value);
}

/* A number of 192 or more; see grove__column_put. */
void grove__column_put_long(grove_buffer *first, grove_buffer *rest, uint64_t value);

/* Appends a number. The buffers make room themselves; failure is sticky. */
static inline void grove__column_put(grove_buffer *first, grove_buffer *rest,
                                     uint64_t value)
{
    if (value < GROVE__COLUMN_ONE_BYTE_END) {
        grove_buffer_u8(first, (uint8_t)value);
    } else {
        grove__column_put_long(first, rest, value);
    }
}

/* A number whose first byte is 192 or more; see grove__column_get. */
uint64_t grove__column_get_long(grove_reader *first, grove_reader *rest);

/*
 * Reads a number. A first byte that is none, a form longer than needed, more
 * than 64 bits, or the end of a column mark the reader at fault failed; the
 * number is then 0.
 */
static inline uint64_t grove__column_get(grove_reader *first, grove_reader *rest)
{
    if (!first->failed && first->offset < first->size &&
        first->data[first->offset] < GROVE__COLUMN_ONE_BYTE_END) {
        return first->data[first->offset++];
    }
    return grove__column_get_long(first, rest);
}

/* Columns shorter than this share the entropy tables of the one before. */
enum { GROVE__COLUMN_CUT_BYTES_MIN = 128 };

/* Says that a column begins at `offset`, unless it is too near to another or
 * there are GROVE_TYPE_CUTS_MAX already. */
static inline void grove__column_cut(size_t cuts[GROVE_TYPE_CUTS_MAX], size_t *cut_count,
                                     size_t offset)
{
    size_t last = *cut_count == 0 ? 0 : cuts[*cut_count - 1];
    if (*cut_count < GROVE_TYPE_CUTS_MAX &&
        offset - last >= GROVE__COLUMN_CUT_BYTES_MIN) {
        cuts[(*cut_count)++] = offset;
    }
}

#endif
