/* Text operations at rest; docs/FORMAT.md, "Text operations", is normative. */
#include "text/operation.h"

#include "base/error.h"
#include "format/column.h"
#include "base/utf8.h"

/* The head byte of an operation. */
enum {
    KIND_MASK = 3,
    MOVED = 1 << 2,
    COUNT_SHIFT = 3,
    COUNT_ELSEWHERE = 31 /* count - 1 from here on is in the column of counts */
};

/* The columns of the structure in their order. */
enum { HEADS, MOVES, MOVES_REST, COUNTS, COLUMNS };

/* Lower than the position of any operation. */
#define POSITION_END GROVE_DOCUMENT_EVENTS_MAX

static void put_operation(grove_buffer columns[COLUMNS], const grove_operation *operation,
                          uint64_t *cursor)
{
    uint32_t kind = operation->kind;
    /* A single deletion is stored as whichever way does not move. */
    if (kind == GROVE_TEXT_DELETE && operation->count == 1 &&
        operation->position != *cursor) {
        kind = GROVE_TEXT_BACKSPACE;
    }
    uint64_t at = operation->position;
    if (kind == GROVE_TEXT_BACKSPACE) {
        at += operation->count;
    }
    uint32_t short_count = operation->count - 1;
    if (short_count >= COUNT_ELSEWHERE) {
        grove__column_put(&columns[COUNTS], &columns[COUNTS],
                          short_count - COUNT_ELSEWHERE);
        short_count = COUNT_ELSEWHERE;
    }
    uint32_t moved = 0;
    if (at != *cursor) {
        moved = MOVED;
        grove__column_put(&columns[MOVES], &columns[MOVES_REST],
                          grove__zigzag((int64_t)(at - *cursor)));
    }
    grove_buffer_u8(&columns[HEADS],
                    (uint8_t)(kind | moved | short_count << COUNT_SHIFT));
    *cursor = operation->position;
    if (kind == GROVE_TEXT_INSERT) {
        *cursor += operation->count;
    }
}

/* Appends the sizes and the columns, and says where columns begin. False: no
 * memory. */
static bool put_columns(const grove_buffer columns[COLUMNS], grove_type_buffers *buffers)
{
    grove_buffer *structure = &buffers->structure;
    for (size_t column = 0; column < COLUMNS; column++) {
        grove_buffer_varint(structure, columns[column].size);
    }
    for (size_t column = 0; column < COLUMNS; column++) {
        bool is_cut = column > 0 && columns[column].size > 0 &&
                      buffers->structure_cut_count < GROVE_TYPE_CUTS_MAX;
        if (is_cut) {
            buffers->structure_cuts[buffers->structure_cut_count++] = structure->size;
        }
        grove_buffer_append(structure, columns[column].data, columns[column].size);
    }
    return !structure->failed;
}

static grove_status put_all(grove_buffer columns[COLUMNS], grove_operations operations,
                            grove_type_buffers *buffers, grove_error *error_out)
{
    uint64_t cursor = 0;
    uint64_t content_bytes = 0;
    if (grove_buffer_reserve(&columns[HEADS], operations.count) == NULL) {
        return grove__fail_memory(error_out);
    }
    for (size_t index = 0; index < operations.count; index++) {
        put_operation(columns, &operations.items[index], &cursor);
        content_bytes += operations.items[index].content.size;
    }
    uint64_t structure_bytes = 0;
    for (size_t column = 0; column < COLUMNS; column++) {
        if (columns[column].failed) {
            return grove__fail_memory(error_out);
        }
        structure_bytes += columns[column].size;
    }
    if (structure_bytes > GROVE_FRAME_BYTES_MAX ||
        content_bytes > GROVE_FRAME_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "operations fill more than GROVE_FRAME_BYTES_MAX");
    }
    if (!put_columns(columns, buffers) ||
        grove_buffer_reserve(&buffers->content, (size_t)content_bytes) == NULL) {
        return grove__fail_memory(error_out);
    }
    for (size_t index = 0; index < operations.count; index++) {
        grove_bytes content = operations.items[index].content;
        grove_buffer_append(&buffers->content, content.data, content.size);
    }
    return GROVE_OK;
}

/* Takes back what was appended since the buffer had `size` bytes. */
static void rewind_buffer(grove_buffer *buffer, size_t size)
{
    buffer->size = size;
    buffer->failed = false;
}

grove_status grove__text_operations_encode(grove_operations operations,
                                           grove_type_buffers *buffers,
                                           grove_error *error_out)
{
    if (operations.count == 0) {
        return GROVE_OK;
    }
    if (buffers->structure.failed || buffers->content.failed) {
        return grove__fail_memory(error_out);
    }
    size_t structure_bytes = buffers->structure.size;
    size_t content_bytes = buffers->content.size;
    size_t cut_count = buffers->structure_cut_count;
    grove_buffer columns[COLUMNS];
    for (size_t column = 0; column < COLUMNS; column++) {
        grove_buffer_init(&columns[column], buffers->structure.allocator);
    }
    grove_status status = put_all(columns, operations, buffers, error_out);
    for (size_t column = 0; column < COLUMNS; column++) {
        grove_buffer_release(&columns[column]);
    }
    if (status != GROVE_OK) {
        rewind_buffer(&buffers->structure, structure_bytes);
        rewind_buffer(&buffers->content, content_bytes);
        buffers->structure_cut_count = cut_count;
    }
    return status;
}

/* A decoder: its columns, and what the operations so far leave. */
struct decoder {
    grove_reader columns[COLUMNS];
    size_t starts[COLUMNS]; /* of the columns within the structure */
    uint64_t cursor;
    uint64_t events_left;
    /* What of the content no insertion has taken yet. */
    bool has_content;
    grove_bytes content;
    size_t points_left;
    /* The first fault, and the column at whose reader it was found. */
    const char *fault;
    size_t fault_column;
};

static void fail_column(struct decoder *decoder, size_t column, const char *fault)
{
    decoder->fault = fault;
    decoder->fault_column = column;
}

static grove_status fail_structure(grove_error *error_out, size_t offset,
                                   const char *fault)
{
    return grove__fail_at(error_out, GROVE_CORRUPT, offset,
                          "the structure of text operations: %s", fault);
}

/* Finds the columns. */
static grove_status open_columns(struct decoder *decoder, grove_bytes structure,
                                 grove_error *error_out)
{
    grove_reader reader = grove_reader_of(structure);
    uint64_t sizes[COLUMNS];
    for (size_t column = 0; column < COLUMNS; column++) {
        sizes[column] = grove_reader_varint(&reader);
    }
    for (size_t column = 0; column < COLUMNS && !reader.failed; column++) {
        decoder->starts[column] = reader.offset;
        reader.failed = sizes[column] > grove_reader_left(&reader);
        grove_bytes bytes = grove_reader_bytes(&reader, (size_t)sizes[column]);
        decoder->columns[column] = grove_reader_of(bytes);
    }
    if (!grove_reader_done(&reader)) {
        return fail_structure(error_out, reader.offset, "columns of other sizes");
    }
    if (sizes[HEADS] == 0 || sizes[HEADS] > decoder->events_left) {
        return fail_structure(error_out, 0, "more operations than events, or none");
    }
    return GROVE_OK;
}

/* Events of the operation with this head byte, or 0. */
static uint32_t take_count(struct decoder *decoder, uint8_t head)
{
    uint64_t more = head >> COUNT_SHIFT;
    if (more == COUNT_ELSEWHERE) {
        grove_reader *counts = &decoder->columns[COUNTS];
        more = grove__column_get(counts, counts);
        if (counts->failed) {
            fail_column(decoder, COUNTS, "a count is not a number");
            return 0;
        }
        more = more > UINT64_MAX - COUNT_ELSEWHERE ? UINT64_MAX : more + COUNT_ELSEWHERE;
    }
    if (more >= decoder->events_left) {
        fail_column(decoder, HEADS, "the counts add up to more than the events");
        return 0;
    }
    decoder->events_left -= more + 1;
    return (uint32_t)(more + 1);
}

/* Moves the cursor to where the operation with this head byte begins. */
static bool move_cursor(struct decoder *decoder, uint8_t head)
{
    if ((head & MOVED) == 0) {
        return true;
    }
    grove_reader *moves = &decoder->columns[MOVES];
    grove_reader *rest = &decoder->columns[MOVES_REST];
    int64_t move = grove__unzigzag(grove__column_get(moves, rest));
    if (moves->failed || rest->failed) {
        fail_column(decoder, moves->failed ? MOVES : MOVES_REST, "a move is no number");
        return false;
    }
    if (move == 0) {
        fail_column(decoder, MOVES, "a move that moves nothing");
        return false;
    }
    /* The cursor is at most 2^48, so that a move below zero or too far shows as
     * a large number; nothing wraps around to a small one. */
    decoder->cursor += (uint64_t)move;
    if (decoder->cursor > POSITION_END) {
        fail_column(decoder, MOVES, "a move leads out of every text");
        return false;
    }
    return true;
}

/* The next `count` code points of the content, or nothing where it was left
 * out. */
static bool take_content(struct decoder *decoder, uint32_t count,
                         grove_bytes *content_out)
{
    if (!decoder->has_content) {
        return true;
    }
    if (count > decoder->points_left) {
        fail_column(decoder, HEADS, "more is inserted than the content has");
        return false;
    }
    grove_bytes taken = {decoder->content.data, count};
    if (decoder->points_left != decoder->content.size) {
        taken.size = grove__utf8_offset(decoder->content, count);
    }
    decoder->content.data += taken.size;
    decoder->content.size -= taken.size;
    decoder->points_left -= count;
    *content_out = taken;
    return true;
}

/* Decodes the next operation; false with the fault noted. */
static bool take_operation(struct decoder *decoder, grove_operation *operation_out)
{
    static const grove_bytes none = {NULL, 0};
    grove_reader *heads = &decoder->columns[HEADS];
    uint8_t head = heads->data[heads->offset];
    uint32_t kind = head & KIND_MASK;
    uint32_t count = take_count(decoder, head);
    if (count == 0 || !move_cursor(decoder, head)) {
        return false;
    }
    operation_out->count = count;
    operation_out->content = none;
    uint64_t position = decoder->cursor;
    if (kind == GROVE_TEXT_BACKSPACE) {
        if (count > position) {
            fail_column(decoder, HEADS, "a deletion begins before the text");
            return false;
        }
        position -= count;
        decoder->cursor = position;
        kind = count == 1 ? GROVE_TEXT_DELETE : GROVE_TEXT_BACKSPACE;
    } else if (count > POSITION_END - position) {
        fail_column(decoder, HEADS, "a position leads out of every text");
        return false;
    } else if (kind == GROVE_TEXT_INSERT) {
        if (!take_content(decoder, count, &operation_out->content)) {
            return false;
        }
        decoder->cursor += count;
    } else if (kind != GROVE_TEXT_DELETE) {
        fail_column(decoder, HEADS, "an unknown kind of operation");
        return false;
    }
    operation_out->kind = kind;
    operation_out->position = position;
    heads->offset++;
    return true;
}

/* Whether everything was used up. */
static bool is_used_up(struct decoder *decoder)
{
    for (size_t column = 0; column < COLUMNS; column++) {
        if (!grove_reader_done(&decoder->columns[column])) {
            fail_column(decoder, column, "a column is longer than the operations need");
            return false;
        }
    }
    if (decoder->events_left != 0 || decoder->points_left != 0) {
        fail_column(decoder, HEADS,
                    decoder->events_left != 0
                        ? "the counts add up to less than the events"
                        : "less is inserted than the content has");
        return false;
    }
    return true;
}

grove_status grove__text_operations_decode(grove_type_frames frames, uint64_t event_count,
                                           grove_buffer *operations_out,
                                           grove_error *error_out)
{
    if (event_count == 0 && frames.structure.size == 0 && frames.content.size == 0) {
        return GROVE_OK;
    }
    if (event_count > GROVE_BATCH_EVENTS_MAX) {
        return fail_structure(error_out, 0, "more events than GROVE_BATCH_EVENTS_MAX");
    }
    struct decoder decoder = {.events_left = event_count,
                              .has_content = !frames.is_content_left_out,
                              .content = frames.content};
    grove_status status = open_columns(&decoder, frames.structure, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    size_t offset = 0;
    if (!grove__utf8_check(frames.content, &decoder.points_left, &offset)) {
        return grove__fail_at(error_out, GROVE_CORRUPT, offset,
                              "the content of text operations is not UTF-8");
    }
    size_t count = decoder.columns[HEADS].size;
    size_t bytes = count * sizeof(grove_operation);
    uint8_t *room = grove_buffer_reserve(operations_out, bytes);
    if (room == NULL) {
        return grove__fail_memory(error_out);
    }
    grove_operation *operations = (grove_operation *)(void *)room;
    size_t done = 0;
    while (done < count && take_operation(&decoder, &operations[done])) {
        done++;
    }
    if (decoder.fault != NULL || !is_used_up(&decoder)) {
        size_t column = decoder.fault_column;
        return fail_structure(error_out,
                              decoder.starts[column] + decoder.columns[column].offset,
                              decoder.fault);
    }
    grove_buffer_grow(operations_out, bytes);
    return GROVE_OK;
}
