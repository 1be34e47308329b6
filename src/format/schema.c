/*
 * Operations of document types with a schema, as columns.
 *
 * The frame `structure`, all numbers LEB128:
 *   kinds       runs of operations of one kind, neighbours of different kinds:
 *               (operations - 1) * 64 + kind
 *   positions   of each operation of a positioned kind: the difference to the
 *               one before it, from 0, modulo 2^64, zigzag
 *   fields      for each kind in ascending order, for each of its fields: one
 *               number an operation (zigzag for GROVE_FIELD_SIGNED; the size
 *               for GROVE_FIELD_BYTES). A kind without fields and position has
 *               a column of zero bytes, one an operation.
 *
 * The frame `content`: the bytes of all GROVE_FIELD_BYTES, in the order of the
 * operations, within each in the order of its fields.
 *
 * Each operation thus has at least one byte of `structure`: what a decoder
 * allocates is bounded by what it was given.
 */
#include <grove/sys/document_type.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "format/column.h"

enum {
    KINDS_MAX = GROVE_SCHEMA_KINDS_MAX,
    FIELDS_MAX = GROVE_SCHEMA_FIELDS_MAX,
    COLUMNS_MAX = KINDS_MAX * FIELDS_MAX
};

/* A field of an operation's content. */
typedef struct field_value {
    uint64_t number;   /* as in its column */
    grove_bytes bytes; /* empty for fields that are numbers */
} field_value;

static const grove_schema *schema_of(const grove_document_type *type)
{
    const grove_schema *schema = type->schema;
    GROVE_ASSERT_ARG(schema != NULL);
    GROVE_ASSERT_ARG(schema->kind_count >= 1 && schema->kind_count <= KINDS_MAX);
    return schema;
}

/* Whether the content is the bytes of the only field, without their size. */
static bool is_bare(const grove_schema_kind *kind)
{
    return kind->field_count == 1 && kind->fields[0] == GROVE_FIELD_BYTES;
}

/* Whether operations of the kind need a column of zeros. */
static bool is_void(const grove_schema_kind *kind)
{
    return kind->field_count == 0 && !kind->positioned;
}

/* Takes the next field off an operation's content. */
static field_value take_field(const grove_schema_kind *kind, size_t field,
                              grove_reader *content)
{
    field_value value = {0, {NULL, 0}};
    if (is_bare(kind)) {
        value.number = grove_reader_left(content);
    } else {
        value.number = grove__reader_varint(content);
    }
    if (kind->fields[field] == GROVE_FIELD_BYTES) {
        value.bytes = grove_reader_bytes(content, (size_t)value.number);
    }
    return value;
}

grove_status grove_schema_operation_check(const grove_document_type *type,
                                          const grove_operation *operation,
                                          grove_error *error_out)
{
    const grove_schema *schema = schema_of(type);
    if (operation->kind >= schema->kind_count) {
        return grove__fail(error_out, GROVE_INVALID, "%s: there is no kind %u",
                           type->name, operation->kind);
    }
    const grove_schema_kind *kind = &schema->kinds[operation->kind];
    GROVE_ASSERT_ARG(kind->field_count <= FIELDS_MAX);
    if (operation->count != 1) {
        return grove__fail(error_out, GROVE_INVALID,
                           "%s: an operation is one event, not %u", type->name,
                           operation->count);
    }
    if (operation->position != 0 && !kind->positioned) {
        return grove__fail(error_out, GROVE_INVALID,
                           "%s: operations of kind %u have no position", type->name,
                           operation->kind);
    }
    if (operation->content.size > GROVE_CONTENT_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "%s: an operation's content has at most %llu bytes "
                           "(GROVE_CONTENT_BYTES_MAX)",
                           type->name, (unsigned long long)GROVE_CONTENT_BYTES_MAX);
    }
    grove_reader content = grove_reader_of(operation->content);
    for (size_t field = 0; field < kind->field_count; field++) {
        (void)take_field(kind, field, &content);
    }
    if (!grove_reader_done(&content)) {
        return grove__fail_at(error_out, GROVE_INVALID, content.offset,
                              "%s: the content does not fit the fields of kind %u",
                              type->name, operation->kind);
    }
    return GROVE_OK;
}

bool grove_schema_operation_join(const grove_document_type *type, grove_operation *last,
                                 const grove_operation *next)
{
    (void)type;
    (void)last;
    (void)next;
    return false;
}

void grove_schema_operation_cut(const grove_document_type *type,
                                const grove_operation *operation, uint32_t count,
                                grove_operation *first_out, grove_operation *rest_out)
{
    (void)type;
    (void)operation;
    (void)count;
    (void)first_out;
    (void)rest_out;
    /* Operations of one event each are never cut. */
    GROVE_ASSERT(false);
}

static size_t varint_bytes(uint64_t value)
{
    size_t bytes = 1;
    while (value >= 0x80) {
        value >>= 7;
        bytes++;
    }
    return bytes;
}

static size_t put_varint(uint8_t *room, uint64_t value)
{
    size_t bytes = 0;
    while (value >= 0x80) {
        room[bytes++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    room[bytes++] = (uint8_t)value;
    return bytes;
}

/* The difference between two positions as a signed number, modulo 2^64. */
static uint64_t position_step(uint64_t from, uint64_t to)
{
    uint64_t step = to - from;
    return step >> 63 == 0 ? step << 1 : ~(step << 1);
}

/* What has to be written. */
typedef struct measure {
    size_t kinds, positions;
    size_t fields[COLUMNS_MAX];
    size_t content;
} measure;

static size_t column_of(uint32_t kind, size_t field)
{
    return (size_t)kind * FIELDS_MAX + field;
}

/* The number of operations from `index` on that have its kind. */
static size_t kind_run(grove_operations operations, size_t index)
{
    size_t end = index + 1;
    while (end < operations.count &&
           operations.items[end].kind == operations.items[index].kind) {
        end++;
    }
    return end - index;
}

static uint64_t kind_run_number(size_t operations, uint32_t kind)
{
    return (uint64_t)(operations - 1) * KINDS_MAX + kind;
}

/* Checks all operations and adds up the bytes of each column. */
static grove_status measure_operations(const grove_document_type *type,
                                       grove_operations operations, measure *sizes,
                                       grove_error *error_out)
{
    const grove_schema *schema = schema_of(type);
    uint64_t position = 0;
    size_t run_end = 0;
    for (size_t index = 0; index < operations.count; index++) {
        const grove_operation *item = &operations.items[index];
        grove_status status = grove_schema_operation_check(type, item, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        const grove_schema_kind *kind = &schema->kinds[item->kind];
        if (index == run_end) {
            size_t run = kind_run(operations, index);
            sizes->kinds += varint_bytes(kind_run_number(run, item->kind));
            run_end += run;
        }
        if (kind->positioned) {
            sizes->positions += varint_bytes(position_step(position, item->position));
            position = item->position;
        }
        if (is_void(kind)) {
            sizes->fields[column_of(item->kind, 0)]++;
        }
        grove_reader content = grove_reader_of(item->content);
        for (size_t field = 0; field < kind->field_count; field++) {
            field_value value = take_field(kind, field, &content);
            sizes->fields[column_of(item->kind, field)] += varint_bytes(value.number);
            sizes->content += value.bytes.size;
        }
    }
    return GROVE_OK;
}

/* Where each column goes on. */
typedef struct column_places {
    uint8_t *kinds, *positions;
    uint8_t *fields[COLUMNS_MAX];
    uint8_t *content;
} column_places;

static void write_operations(const grove_document_type *type, grove_operations operations,
                             column_places *places)
{
    uint64_t position = 0;
    size_t run_end = 0;
    for (size_t index = 0; index < operations.count; index++) {
        const grove_operation *item = &operations.items[index];
        const grove_schema_kind *kind = &type->schema->kinds[item->kind];
        if (index == run_end) {
            size_t run = kind_run(operations, index);
            places->kinds += put_varint(places->kinds, kind_run_number(run, item->kind));
            run_end += run;
        }
        if (kind->positioned) {
            places->positions +=
                put_varint(places->positions, position_step(position, item->position));
            position = item->position;
        }
        if (is_void(kind)) {
            *places->fields[column_of(item->kind, 0)]++ = 0;
        }
        grove_reader content = grove_reader_of(item->content);
        for (size_t field = 0; field < kind->field_count; field++) {
            field_value value = take_field(kind, field, &content);
            uint8_t **place = &places->fields[column_of(item->kind, field)];
            *place += put_varint(*place, value.number);
            if (value.bytes.size > 0) {
                GROVE_ASSERT(places->content != NULL);
                memcpy(places->content, value.bytes.data, value.bytes.size);
                places->content += value.bytes.size;
            }
        }
    }
}

/* Room in a buffer, which may be none at all. */
static bool reserve(grove_buffer *buffer, size_t bytes, uint8_t **room_out)
{
    *room_out = bytes == 0 ? NULL : grove_buffer_reserve(buffer, bytes);
    return bytes == 0 || *room_out != NULL;
}

grove_status grove_schema_operations_encode(const grove_document_type *type,
                                            grove_operations operations,
                                            grove_type_buffers *buffers,
                                            grove_error *error_out)
{
    if (operations.count == 0) {
        return GROVE_OK;
    }
    measure sizes = {0, 0, {0}, 0};
    grove_status status = measure_operations(type, operations, &sizes, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    size_t structure = sizes.kinds + sizes.positions;
    size_t columns = type->schema->kind_count * FIELDS_MAX;
    for (size_t column = 0; column < columns; column++) {
        structure += sizes.fields[column];
    }
    uint8_t *room;
    uint8_t *content;
    if (!reserve(&buffers->structure, structure, &room) ||
        !reserve(&buffers->content, sizes.content, &content)) {
        return grove__fail_memory(error_out);
    }
    GROVE_ASSERT(room != NULL);
    size_t base = buffers->structure.size;
    size_t offset = sizes.kinds + sizes.positions;
    column_places places = {room, room + sizes.kinds, {NULL}, content};
    if (sizes.positions > 0) {
        grove__column_cut(buffers->structure_cuts, &buffers->structure_cut_count,
                          base + sizes.kinds);
    }
    for (size_t column = 0; column < columns; column++) {
        places.fields[column] = room + offset;
        if (sizes.fields[column] > 0) {
            grove__column_cut(buffers->structure_cuts, &buffers->structure_cut_count,
                              base + offset);
        }
        offset += sizes.fields[column];
    }
    write_operations(type, operations, &places);
    grove_buffer_grow(&buffers->structure, structure);
    grove_buffer_grow(&buffers->content, sizes.content);
    return GROVE_OK;
}

/* What decoding knows after it has verified `structure`. */
typedef struct frame_layout {
    size_t counts[KINDS_MAX];    /* operations of each kind */
    size_t columns[COLUMNS_MAX]; /* where each begins, then where it goes on */
    size_t positions;
    uint64_t content; /* bytes of the frame `content` */
    uint64_t scratch; /* bytes of contents that have to be put together */
} frame_layout;

static grove_status fail_structure(grove_error *error_out, size_t offset,
                                   const char *what)
{
    return grove__fail_at(error_out, GROVE_CORRUPT, offset, "operations: %s", what);
}

/* Reads the kinds; the reader is then at the positions. */
static grove_status survey_kinds(const grove_schema *schema, uint64_t event_count,
                                 grove_reader *reader, frame_layout *layout,
                                 grove_error *error_out)
{
    uint64_t events = 0;
    uint64_t kind_before = KINDS_MAX;
    while (events < event_count) {
        size_t offset = reader->offset;
        uint64_t number = grove__reader_varint(reader);
        uint64_t kind = number % KINDS_MAX;
        uint64_t more = number / KINDS_MAX;
        if (reader->failed) {
            return fail_structure(error_out, offset, "the column of kinds ends early");
        }
        if (kind >= schema->kind_count || kind == kind_before) {
            return fail_structure(error_out, offset, "a run of a kind that cannot be");
        }
        if (more >= event_count - events) {
            return fail_structure(error_out, offset, "more operations than events");
        }
        layout->counts[kind] += (size_t)more + 1;
        events += more + 1;
        kind_before = kind;
    }
    return GROVE_OK;
}

/* Reads a column of `count` numbers; sizes are added up. */
static grove_status survey_column(grove_field_type field, size_t count,
                                  grove_reader *reader, uint64_t *bytes_out,
                                  grove_error *error_out)
{
    uint64_t bytes = 0;
    for (size_t index = 0; index < count; index++) {
        size_t offset = reader->offset;
        uint64_t number = grove__reader_varint(reader);
        if (reader->failed) {
            return fail_structure(error_out, offset, "a column of numbers ends early");
        }
        if (field == GROVE_FIELD_BYTES) {
            /* At most 2^28 numbers of at most 2^30: no overflow. */
            if (number > GROVE_CONTENT_BYTES_MAX) {
                return fail_structure(error_out, offset, "a field that is too large");
            }
            bytes += number;
        }
    }
    *bytes_out = bytes;
    return GROVE_OK;
}

static grove_status survey_void(size_t count, grove_reader *reader,
                                grove_error *error_out)
{
    for (size_t index = 0; index < count; index++) {
        size_t offset = reader->offset;
        if (grove_reader_u8(reader) != 0 || reader->failed) {
            return fail_structure(error_out, offset, "a column of zeros is not");
        }
    }
    return GROVE_OK;
}

static grove_status survey_kind(const grove_schema_kind *kind, size_t count,
                                size_t *columns, grove_reader *reader,
                                frame_layout *layout, grove_error *error_out)
{
    if (is_void(kind)) {
        return survey_void(count, reader, error_out);
    }
    for (size_t field = 0; field < kind->field_count; field++) {
        uint64_t bytes;
        size_t begin = reader->offset;
        grove_status status =
            survey_column(kind->fields[field], count, reader, &bytes, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        columns[field] = begin;
        layout->content += bytes;
        if (!is_bare(kind)) {
            layout->scratch += bytes + (reader->offset - begin);
        }
    }
    return GROVE_OK;
}

/* Verifies both frames but for the sizes of whole contents. */
static grove_status survey(const grove_document_type *type, grove_type_frames frames,
                           uint64_t event_count, frame_layout *layout,
                           grove_error *error_out)
{
    const grove_schema *schema = schema_of(type);
    grove_reader reader = grove_reader_of(frames.structure);
    grove_status status = survey_kinds(schema, event_count, &reader, layout, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    size_t positioned = 0;
    for (size_t kind = 0; kind < schema->kind_count; kind++) {
        positioned += schema->kinds[kind].positioned ? layout->counts[kind] : 0;
    }
    uint64_t none;
    layout->positions = reader.offset;
    status = survey_column(GROVE_FIELD_SIGNED, positioned, &reader, &none, error_out);
    for (uint32_t kind = 0; kind < schema->kind_count && status == GROVE_OK; kind++) {
        status =
            survey_kind(&schema->kinds[kind], layout->counts[kind],
                        &layout->columns[column_of(kind, 0)], &reader, layout, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    if (!grove_reader_done(&reader)) {
        return fail_structure(error_out, reader.offset, "bytes after the last column");
    }
    if (frames.is_content_left_out) {
        layout->scratch = 0;
        return GROVE_OK;
    }
    if (layout->content != frames.content.size) {
        return grove__fail_at(error_out, GROVE_CORRUPT, 0,
                              "content: %zu bytes, where the operations have %llu",
                              frames.content.size, (unsigned long long)layout->content);
    }
    return GROVE_OK;
}

/* Reading what `survey` has verified. */
typedef struct schema_decoder {
    const grove_schema *schema;
    frame_layout *layout;
    grove_bytes structure;
    bool has_contents;
    uint64_t position;
    const uint8_t *content;
    uint8_t *scratch;
} schema_decoder;

/* The next number of a column; the bytes it has are copied to `copy_out`,
 * unless NULL, which moves on. */
static uint64_t next_number(const schema_decoder *decoder, size_t *offset,
                            uint8_t **copy_out)
{
    grove_reader reader = grove_reader_of(decoder->structure);
    reader.offset = *offset;
    uint64_t number = grove__reader_varint(&reader);
    if (copy_out != NULL) {
        size_t bytes = reader.offset - *offset;
        memcpy(*copy_out, decoder->structure.data + *offset, bytes);
        *copy_out += bytes;
    }
    *offset = reader.offset;
    return number;
}

/* Puts the content of an operation together in `scratch`. */
static grove_bytes join_fields(schema_decoder *decoder, uint32_t number,
                               const grove_schema_kind *kind)
{
    uint8_t *begin = decoder->scratch;
    for (size_t field = 0; field < kind->field_count; field++) {
        size_t *column = &decoder->layout->columns[column_of(number, field)];
        uint64_t value = next_number(decoder, column, &decoder->scratch);
        if (kind->fields[field] == GROVE_FIELD_BYTES && value > 0) {
            memcpy(decoder->scratch, decoder->content, (size_t)value);
            decoder->scratch += value;
            decoder->content += value;
        }
    }
    return (grove_bytes){begin, (size_t)(decoder->scratch - begin)};
}

static grove_operation next_operation(schema_decoder *decoder, uint32_t number)
{
    const grove_schema_kind *kind = &decoder->schema->kinds[number];
    grove_operation operation = {number, 1, 0, {NULL, 0}};
    if (kind->positioned) {
        uint64_t step = next_number(decoder, &decoder->layout->positions, NULL);
        decoder->position += (step & 1) == 0 ? step >> 1 : ~(step >> 1);
        operation.position = decoder->position;
    }
    if (!decoder->has_contents) {
        return operation;
    }
    if (is_bare(kind)) {
        size_t *column = &decoder->layout->columns[column_of(number, 0)];
        operation.content.size = (size_t)next_number(decoder, column, NULL);
        operation.content.data = decoder->content;
        decoder->content += operation.content.size;
    } else if (kind->field_count > 0) {
        operation.content = join_fields(decoder, number, kind);
    }
    return operation;
}

/* Fills in all operations, which there is room for. */
static grove_status fill_operations(schema_decoder *decoder, grove_operation *items,
                                    uint64_t event_count, grove_error *error_out)
{
    GROVE_ASSERT(items != NULL || event_count == 0);
    grove_reader kinds = grove_reader_of(decoder->structure);
    uint64_t index = 0;
    while (index < event_count) {
        size_t offset = kinds.offset;
        uint64_t number = grove__reader_varint(&kinds);
        uint64_t end = index + number / KINDS_MAX + 1;
        for (; index < end; index++) {
            items[index] = next_operation(decoder, (uint32_t)(number % KINDS_MAX));
            if (items[index].content.size > GROVE_CONTENT_BYTES_MAX) {
                return fail_structure(error_out, offset,
                                      "fields that are too large together");
            }
        }
    }
    return GROVE_OK;
}

/* What an empty content points to: no offset may be added to a null pointer. */
static const uint8_t NOTHING = 0;

grove_status grove_schema_operations_decode(
    const grove_document_type *type, grove_type_frames frames, uint64_t event_count,
    grove_buffer *operations_out, grove_buffer *scratch_out, grove_error *error_out)
{
    frame_layout layout = {{0}, {0}, 0, 0, 0};
    grove_status status = survey(type, frames, event_count, &layout, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    /* Neither can be too large: both are a few times what `frames` hold. */
    size_t bytes = (size_t)event_count * sizeof(grove_operation);
    uint8_t *items;
    uint8_t *scratch;
    if (!reserve(operations_out, bytes, &items) ||
        !reserve(scratch_out, (size_t)layout.scratch, &scratch)) {
        return grove__fail_memory(error_out);
    }
    schema_decoder decoder = {.schema = type->schema,
                              .layout = &layout,
                              .structure = frames.structure,
                              .has_contents = !frames.is_content_left_out,
                              .content = frames.content.size > 0 ? frames.content.data
                                                                 : &NOTHING,
                              .scratch = scratch};
    status = fill_operations(&decoder, (grove_operation *)(void *)items, event_count,
                             error_out);
    if (status == GROVE_OK) {
        grove_buffer_grow(operations_out, bytes);
        grove_buffer_grow(scratch_out, (size_t)layout.scratch);
    }
    return status;
}
