/* Numbers in columns: see column.h. */
#include "format/column.h"

enum { LONG_BASE = 239, LONG_BYTES_MAX = 8 };

void grove__column_put_long(grove_buffer *first, grove_buffer *rest, uint64_t value)
{
    if (value < GROVE__COLUMN_TWO_BYTES_END) {
        uint64_t above = value - GROVE__COLUMN_ONE_BYTE_END;
        grove_buffer_u8(first, (uint8_t)(GROVE__COLUMN_ONE_BYTE_END + (above >> 8)));
        grove_buffer_u8(rest, (uint8_t)above);
        return;
    }
    uint64_t above = value - GROVE__COLUMN_TWO_BYTES_END;
    uint8_t bytes[LONG_BYTES_MAX];
    size_t count = 0;
    do {
        bytes[count++] = (uint8_t)above;
        above >>= 8;
    } while (above > 0);
    grove_buffer_u8(first, (uint8_t)(LONG_BASE + count));
    grove_buffer_append(rest, bytes, count);
}

/* The value in `bytes` bytes of `rest`, or 0 with that reader failed. */
static uint64_t get_rest(grove_reader *rest, size_t bytes)
{
    size_t offset = rest->offset;
    grove_bytes view = grove_reader_bytes(rest, bytes);
    uint64_t above = 0;
    for (size_t index = 0; index < view.size; index++) {
        above |= (uint64_t)view.data[index] << (8 * index);
    }
    bool is_longer_than_needed = bytes > 1 && above >> (8 * (bytes - 1)) == 0;
    if (is_longer_than_needed || above > UINT64_MAX - GROVE__COLUMN_TWO_BYTES_END) {
        rest->offset = offset;
        rest->failed = true;
    }
    return rest->failed ? 0 : above + GROVE__COLUMN_TWO_BYTES_END;
}

uint64_t grove__column_get_long(grove_reader *first, grove_reader *rest)
{
    uint8_t head = grove_reader_u8(first);
    if (head <= LONG_BASE) {
        /* Also the zero of a failed reader. */
        if (head < GROVE__COLUMN_ONE_BYTE_END) {
            return head;
        }
        uint64_t high = (uint64_t)(head - GROVE__COLUMN_ONE_BYTE_END) << 8;
        uint8_t low = grove_reader_u8(rest);
        return rest->failed ? 0 : GROVE__COLUMN_ONE_BYTE_END + (high | low);
    }
    if (head > LONG_BASE + LONG_BYTES_MAX) {
        first->offset--;
        first->failed = true;
        return 0;
    }
    return get_rest(rest, (size_t)(head - LONG_BASE));
}
