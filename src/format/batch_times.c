/* The timestamps of a batch: see batch_columns.h. */
#include "format/batch_columns.h"

#include "base/error.h"
#include "format/column.h"
#include "format/event_times.h"

/* The head byte of a run of equal timestamps. */
enum {
    GAP_MASK = 7,
    GAP_ELSEWHERE = 7, /* below: the gap, in units, less 1 */
    COUNT_SHIFT = 3,
    COUNT_ELSEWHERE = 31 /* count - 1 from here on is in the other columns */
};

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

/* The gap before a run, modulo 2^64: 0 for the first. */
static int64_t gap_before(const grove__events *events, size_t index)
{
    if (index == 0) {
        return 0;
    }
    const grove__time_run *run = &events->time_runs[index];
    return (int64_t)((uint64_t)run->timestamp - (uint64_t)run[-1].timestamp);
}

/* The greatest number that divides all gaps; 1 when there are none. */
static uint64_t common_unit(const grove__events *events)
{
    uint64_t unit = 0;
    for (size_t index = 1; index < events->time_run_count && unit != 1; index++) {
        uint64_t rest = magnitude(gap_before(events, index));
        while (rest != 0) {
            uint64_t divided = unit % rest;
            unit = rest;
            rest = divided;
        }
    }
    return unit == 0 ? 1 : unit;
}

/* A gap in units; the unit divides it. */
static int64_t gap_in_units(int64_t gap, uint64_t unit)
{
    uint64_t units = magnitude(gap) / unit;
    return gap < 0 ? (int64_t)(0 - units) : (int64_t)units;
}

enum { HEADS, FIRSTS, RESTS, COLUMNS };

static void put_run(grove_buffer columns[COLUMNS], int64_t units, uint32_t count)
{
    uint64_t head_gap = GAP_ELSEWHERE;
    uint32_t head_count = COUNT_ELSEWHERE;
    if (units >= 1 && units <= GAP_ELSEWHERE) {
        head_gap = (uint64_t)units - 1;
    } else {
        grove__column_put(&columns[FIRSTS], &columns[RESTS], grove__zigzag(units));
    }
    if (count - 1 < COUNT_ELSEWHERE) {
        head_count = count - 1;
    } else {
        grove__column_put(&columns[FIRSTS], &columns[RESTS],
                          (uint64_t)count - 1 - COUNT_ELSEWHERE);
    }
    grove_buffer_u8(&columns[HEADS], (uint8_t)(head_gap | head_count << COUNT_SHIFT));
}

grove_status grove__batch_times_encode(const grove__events *events,
                                       grove__frame_buffer *frame)
{
    if (events->time_run_count == 0) {
        return GROVE_OK;
    }
    uint64_t unit = common_unit(events);
    grove_buffer columns[COLUMNS];
    for (size_t column = 0; column < COLUMNS; column++) {
        grove_buffer_init(&columns[column], events->allocator);
    }
    for (size_t index = 0; index < events->time_run_count; index++) {
        put_run(columns, gap_in_units(gap_before(events, index), unit),
                events->time_runs[index].count);
    }
    grove_buffer_signed(&frame->bytes, events->time_runs[0].timestamp);
    grove_buffer_varint(&frame->bytes, unit);
    grove_buffer_varint(&frame->bytes, columns[HEADS].size);
    grove_buffer_varint(&frame->bytes, columns[FIRSTS].size);
    for (size_t column = 0; column < COLUMNS; column++) {
        frame->bytes.failed = frame->bytes.failed || columns[column].failed;
        if (columns[column].size > 0) {
            grove__column_cut(frame->cuts, &frame->cut_count, frame->bytes.size);
            grove_buffer_append(&frame->bytes, columns[column].data,
                                columns[column].size);
        }
        grove_buffer_release(&columns[column]);
    }
    return frame->bytes.failed ? GROVE_NO_MEMORY : GROVE_OK;
}

static grove_status fail_times(grove_error *error_out, size_t offset, const char *fault)
{
    return grove__fail_at(error_out, GROVE_CORRUPT, offset, "timestamps: %s", fault);
}

/* The frame's head and columns. */
typedef struct times_reader {
    uint64_t unit;
    int64_t timestamp;
    grove_reader columns[COLUMNS];
    size_t starts[COLUMNS];
} times_reader;

static grove_status open_times(grove_bytes frame, times_reader *reader_out,
                               grove_error *error_out)
{
    grove_reader reader = grove_reader_of(frame);
    uint64_t sizes[COLUMNS];
    reader_out->timestamp = grove_reader_signed(&reader);
    reader_out->unit = grove_reader_varint(&reader);
    sizes[HEADS] = grove_reader_varint(&reader);
    sizes[FIRSTS] = grove_reader_varint(&reader);
    size_t left = grove_reader_left(&reader);
    if (reader.failed || sizes[HEADS] > left || sizes[FIRSTS] > left - sizes[HEADS]) {
        return fail_times(error_out, reader.offset, "columns that are not there");
    }
    if (reader_out->unit == 0) {
        return fail_times(error_out, reader.offset, "a unit of 0");
    }
    sizes[RESTS] = left - sizes[HEADS] - sizes[FIRSTS];
    for (size_t column = 0; column < COLUMNS; column++) {
        reader_out->starts[column] = reader.offset;
        reader_out->columns[column] =
            grove_reader_of(grove_reader_bytes(&reader, (size_t)sizes[column]));
    }
    return GROVE_OK;
}

/* Takes the next gap into the timestamp. False: none that was written. */
static bool take_gap(times_reader *reader, uint8_t head, bool is_first)
{
    int64_t units = (head & GAP_MASK) + 1;
    if ((head & GAP_MASK) == GAP_ELSEWHERE) {
        units = grove__unzigzag(
            grove__column_get(&reader->columns[FIRSTS], &reader->columns[RESTS]));
        if ((units >= 1 && units <= GAP_ELSEWHERE) || (units == 0) != is_first) {
            return false;
        }
    } else if (is_first) {
        return false;
    }
    uint64_t gap_max = (uint64_t)INT64_MAX + (units < 0 ? 1 : 0);
    if (units != 0 && reader->unit > gap_max / magnitude(units)) {
        return false;
    }
    uint64_t gap = (uint64_t)units * reader->unit;
    reader->timestamp = (int64_t)((uint64_t)reader->timestamp + gap);
    return true;
}

static uint64_t take_count(times_reader *reader, uint8_t head)
{
    uint64_t more = head >> COUNT_SHIFT;
    if (more == COUNT_ELSEWHERE) {
        uint64_t beyond =
            grove__column_get(&reader->columns[FIRSTS], &reader->columns[RESTS]);
        if (beyond > GROVE_BATCH_EVENTS_MAX) {
            beyond = GROVE_BATCH_EVENTS_MAX;
        }
        more += beyond;
    }
    return more + 1;
}

grove_status grove__batch_times_decode(grove_bytes frame, uint32_t event_count,
                                       grove__events *events, grove_error *error_out)
{
    if (event_count == 0) {
        return frame.size == 0 ? GROVE_OK : fail_times(error_out, 0, "of no events");
    }
    times_reader reader;
    grove_status status = open_times(frame, &reader, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint64_t left = event_count;
    grove_reader *heads = &reader.columns[HEADS];
    while (left > 0) {
        size_t offset = reader.starts[HEADS] + heads->offset;
        uint8_t head = grove_reader_u8(heads);
        if (heads->failed) {
            return fail_times(error_out, offset, "fewer than events");
        }
        bool is_gap = take_gap(&reader, head, left == event_count);
        uint64_t count = take_count(&reader, head);
        if (!is_gap || reader.columns[FIRSTS].failed || reader.columns[RESTS].failed) {
            return fail_times(error_out, offset, "a gap or count that cannot be");
        }
        if (count > left) {
            return fail_times(error_out, offset, "more than events");
        }
        if (grove__event_times_add(events, reader.timestamp, (uint32_t)count) !=
            GROVE_OK) {
            return grove__fail_memory(error_out);
        }
        left -= count;
    }
    for (size_t column = 0; column < COLUMNS; column++) {
        if (!grove_reader_done(&reader.columns[column])) {
            return fail_times(error_out,
                              reader.starts[column] + reader.columns[column].offset,
                              "bytes after the last");
        }
    }
    return GROVE_OK;
}
