#include "format/commits.h"

#include "base/bytes.h"
#include "base/error.h"
#include "format/block.h"
#include "format/column.h"

enum { FRAME_COLUMNS = 1, FIELDS_BYTES = 12, LEVEL = 3, COLUMN_COUNT = 7 };

/* The columns, in the order in which they are stored. */
typedef enum column { NAMES, TIMES, SIZES, THINGS, CLOCKS, COUNTS, METAS } column;

/* A thing that is named once, and how far its events go in this pack. */
typedef struct thing {
    grove__touch_kind kind;
    grove_bytes name;
    uint64_t end;
} thing;

void grove__commits_init(grove__commits *commits, const grove_allocator *allocator)
{
    commits->first = 0;
    grove_buffer_init(&commits->entries, allocator);
    grove_buffer_init(&commits->touches, allocator);
    grove_buffer_init(&commits->bytes, allocator);
}

void grove__commits_release(grove__commits *commits)
{
    grove_buffer_release(&commits->entries);
    grove_buffer_release(&commits->touches);
    grove_buffer_release(&commits->bytes);
}

void grove__commits_reset(grove__commits *commits)
{
    grove_buffer_reset(&commits->entries);
    grove_buffer_reset(&commits->touches);
    grove_buffer_reset(&commits->bytes);
}

bool grove__commits_is_pack(grove_bytes value)
{
    return grove__bytes_begin_with(value, grove_bytes_of("GROVE_CM"));
}

/* The thing that is touched; one that is new is added. NULL: no memory. */
static thing *name_thing(grove_buffer *things, const grove__touch *touch)
{
    thing *items = (thing *)(void *)things->data;
    size_t count = things->size / sizeof *items;
    for (size_t index = 0; index < count; index++) {
        if (items[index].kind == touch->kind &&
            grove__bytes_equal(items[index].name, touch->name)) {
            return &items[index];
        }
    }
    thing added = {touch->kind, touch->name, 0};
    grove_buffer_append(things, &added, sizeof added);
    if (things->failed) {
        return NULL;
    }
    items = (thing *)(void *)things->data;
    return &items[count];
}

static void put_touch(grove_buffer *columns, grove_buffer *things,
                      const grove__touch *touch)
{
    thing *touched = name_thing(things, touch);
    if (touched == NULL) {
        return;
    }
    size_t index = (size_t)(touched - (thing *)(void *)things->data);
    grove_buffer_varint(&columns[THINGS], index);
    if (touch->kind == GROVE__TOUCH_DOCUMENT) {
        grove_buffer_signed(&columns[CLOCKS],
                            (int64_t)(touch->first_clock - touched->end));
        grove_buffer_varint(&columns[COUNTS], touch->count);
        touched->end = touch->first_clock + touch->count;
    }
}

static void put_names(grove_buffer *names, const grove_buffer *things)
{
    const thing *items = (const thing *)(const void *)things->data;
    size_t count = things->size / sizeof *items;
    grove_buffer_varint(names, count);
    for (size_t index = 0; index < count; index++) {
        grove_buffer_u8(names, (uint8_t)items[index].kind);
        grove_buffer_varint(names, items[index].name.size);
        grove_buffer_append(names, items[index].name.data, items[index].name.size);
    }
}

static void put_columns(const grove__commits *commits, grove_buffer *columns,
                        grove_buffer *things)
{
    const grove__touch *touch = grove__commits_touches(commits);
    uint64_t time = 0;
    for (size_t index = 0; index < grove__commits_count(commits); index++) {
        const grove__commits_entry *entry = &grove__commits_entries(commits)[index];
        grove_buffer_signed(&columns[TIMES], (int64_t)((uint64_t)entry->time - time));
        time = (uint64_t)entry->time;
        grove_buffer_varint(&columns[SIZES], entry->touch_count);
        grove_buffer_varint(&columns[METAS], entry->meta.size);
        grove_buffer_append(&columns[METAS], entry->meta.data, entry->meta.size);
        for (size_t nth = 0; nth < entry->touch_count; nth++) {
            put_touch(columns, things, touch++);
        }
    }
    put_names(&columns[NAMES], things);
}

/* Joins the columns into one frame, the block. */
static grove_status join_columns(const grove__commits *commits,
                                 const grove_buffer *columns, grove_buffer *joined,
                                 grove_buffer *block_out, grove_error *error_out)
{
    size_t cuts[GROVE_TYPE_CUTS_MAX];
    size_t cut_count = 0;
    bool has_failed = false;
    for (size_t index = 0; index + 1 < COLUMN_COUNT; index++) {
        grove_buffer_varint(joined, columns[index].size);
    }
    for (size_t index = 0; index < COLUMN_COUNT; index++) {
        grove__column_cut(cuts, &cut_count, joined->size);
        grove_buffer_append(joined, columns[index].data, columns[index].size);
        has_failed = has_failed || columns[index].failed;
    }
    if (has_failed || joined->failed) {
        return grove__fail_memory(error_out);
    }
    uint8_t fields[FIELDS_BYTES];
    grove_write_u64(fields, commits->first);
    grove_write_u32(fields + 8, (uint32_t)grove__commits_count(commits));
    grove__frame frame = {
        .id = FRAME_COLUMNS,
        .bytes = grove_buffer_view(joined),
        .packing = {.level = LEVEL},
        .cuts = cuts,
        .cut_count = cut_count,
    };
    return grove__block_encode(GROVE__BLOCK_COMMITS, 0,
                               (grove_bytes){fields, sizeof fields}, &frame, 1, block_out,
                               error_out);
}

grove_status grove__commits_encode(const grove__commits *commits, grove_buffer *block_out,
                                   grove_error *error_out)
{
    size_t touches = commits->touches.size / sizeof(grove__touch);
    if (touches > GROVE__COMMITS_TOUCHES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT, "%zu things are too many for a pack",
                           touches);
    }
    const grove_allocator *allocator = commits->entries.allocator;
    grove_buffer columns[COLUMN_COUNT];
    grove_buffer things;
    grove_buffer joined;
    for (size_t index = 0; index < COLUMN_COUNT; index++) {
        grove_buffer_init(&columns[index], allocator);
    }
    grove_buffer_init(&things, allocator);
    grove_buffer_init(&joined, allocator);
    put_columns(commits, columns, &things);
    grove_status status =
        things.failed ? grove__fail_memory(error_out)
                      : join_columns(commits, columns, &joined, block_out, error_out);
    grove_buffer_release(&joined);
    grove_buffer_release(&things);
    for (size_t index = 0; index < COLUMN_COUNT; index++) {
        grove_buffer_release(&columns[index]);
    }
    return status;
}

/* ---- Decoding ---- */

typedef struct column_decoder {
    grove_reader columns[COLUMN_COUNT];
    grove_buffer things;
} column_decoder;

/* Finds the columns in the frame. */
static bool open_columns(column_decoder *decoder, grove_bytes frame)
{
    grove_reader head = grove_reader_of(frame);
    uint64_t sizes[COLUMN_COUNT];
    for (size_t index = 0; index + 1 < COLUMN_COUNT; index++) {
        sizes[index] = grove_reader_varint(&head);
    }
    for (size_t index = 0; index + 1 < COLUMN_COUNT; index++) {
        if (head.failed || sizes[index] > grove_reader_left(&head)) {
            return false;
        }
        decoder->columns[index] =
            grove_reader_of(grove_reader_bytes(&head, (size_t)sizes[index]));
    }
    decoder->columns[COLUMN_COUNT - 1] =
        grove_reader_of(grove_reader_bytes(&head, grove_reader_left(&head)));
    return !head.failed;
}

static bool read_names(column_decoder *decoder)
{
    grove_reader *names = &decoder->columns[NAMES];
    uint64_t count = grove_reader_varint(names);
    for (uint64_t index = 0; index < count; index++) {
        uint8_t kind = grove_reader_u8(names);
        uint64_t size = grove_reader_varint(names);
        if (names->failed || kind > GROVE__TOUCH_DOCUMENT || size == 0 ||
            size > GROVE_DOCUMENT_ID_BYTES_MAX) {
            return false;
        }
        thing added = {(grove__touch_kind)kind, grove_reader_bytes(names, (size_t)size),
                       0};
        if (names->failed) {
            return false;
        }
        grove_buffer_append(&decoder->things, &added, sizeof added);
    }
    return grove_reader_done(names);
}

static bool read_touch(column_decoder *decoder, grove__touch *touch_out)
{
    thing *things = (thing *)(void *)decoder->things.data;
    uint64_t index = grove_reader_varint(&decoder->columns[THINGS]);
    if (decoder->columns[THINGS].failed ||
        index >= decoder->things.size / sizeof *things) {
        return false;
    }
    thing *touched = &things[index];
    *touch_out = (grove__touch){touched->kind, touched->name, 0, 0};
    if (touched->kind == GROVE__TOUCH_DOCUMENT) {
        int64_t gap = grove_reader_signed(&decoder->columns[CLOCKS]);
        touch_out->count = grove_reader_varint(&decoder->columns[COUNTS]);
        touch_out->first_clock = touched->end + (uint64_t)gap;
        if (touch_out->first_clock > GROVE_DOCUMENT_EVENTS_MAX ||
            touch_out->count > GROVE_DOCUMENT_EVENTS_MAX - touch_out->first_clock) {
            return false;
        }
        touched->end = touch_out->first_clock + touch_out->count;
    }
    return !decoder->columns[CLOCKS].failed && !decoder->columns[COUNTS].failed;
}

static bool read_meta(column_decoder *decoder, grove_bytes *meta_out)
{
    grove_reader *metas = &decoder->columns[METAS];
    uint64_t bytes = grove_reader_varint(metas);
    if (metas->failed || bytes > GROVE_COMMIT_META_BYTES_MAX) {
        return false;
    }
    *meta_out = grove_reader_bytes(metas, (size_t)bytes);
    return !metas->failed;
}

static bool read_commits(column_decoder *decoder, uint32_t count, grove__commits *commits)
{
    uint64_t time = 0;
    size_t touches = 0;
    for (uint32_t index = 0; index < count; index++) {
        time += (uint64_t)grove_reader_signed(&decoder->columns[TIMES]);
        uint64_t size = grove_reader_varint(&decoder->columns[SIZES]);
        if (decoder->columns[TIMES].failed || decoder->columns[SIZES].failed ||
            size > GROVE__COMMITS_TOUCHES_MAX - touches) {
            return false;
        }
        touches += (size_t)size;
        grove__commits_entry entry = {(int64_t)time, (size_t)size, {NULL, 0}};
        if (!read_meta(decoder, &entry.meta)) {
            return false;
        }
        grove_buffer_append(&commits->entries, &entry, sizeof entry);
        for (uint64_t nth = 0; nth < size; nth++) {
            grove__touch touch;
            if (!read_touch(decoder, &touch)) {
                return false;
            }
            grove_buffer_append(&commits->touches, &touch, sizeof touch);
        }
    }
    bool is_done = true;
    for (size_t index = TIMES; index < COLUMN_COUNT; index++) {
        is_done = is_done && grove_reader_done(&decoder->columns[index]);
    }
    return is_done;
}

static grove_status decode(grove_bytes bytes, grove__commits *commits,
                           column_decoder *decoder, grove_error *error_out)
{
    grove__block block;
    grove_status status =
        grove__block_open(bytes, GROVE__BLOCK_COMMITS, &block, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__block_frame_decode(&block, FRAME_COLUMNS, &commits->bytes, error_out);
    if (status != GROVE_OK && status != GROVE_NONE) {
        return status;
    }
    if (block.fields.size != FIELDS_BYTES || status == GROVE_NONE) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "packed commits without their number or their columns");
    }
    commits->first = grove_read_u64(block.fields.data);
    bool is_sound = open_columns(decoder, grove_buffer_view(&commits->bytes)) &&
                    read_names(decoder) &&
                    read_commits(decoder, grove_read_u32(block.fields.data + 8), commits);
    /* First: a name that was not kept makes the rest look wrong. */
    if (decoder->things.failed || commits->entries.failed || commits->touches.failed) {
        return grove__fail_memory(error_out);
    }
    if (!is_sound) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "packed commits contradict themselves");
    }
    return GROVE_OK;
}

grove_status grove__commits_decode(grove_bytes block, grove__commits *commits,
                                   grove_error *error_out)
{
    grove__commits_reset(commits);
    column_decoder decoder;
    grove_buffer_init(&decoder.things, commits->entries.allocator);
    grove_status status = decode(block, commits, &decoder, error_out);
    grove_buffer_release(&decoder.things);
    if (status != GROVE_OK) {
        grove__commits_reset(commits);
    }
    return status;
}

grove_status grove__commits_add_record(grove__commits *commits, grove_bytes value,
                                       grove_error *error_out)
{
    size_t before = commits->touches.size;
    grove__commits_entry entry = {0};
    grove_status status = grove__commit_record_decode(value, &entry.time, &entry.meta,
                                                      &commits->touches, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    entry.touch_count = (commits->touches.size - before) / sizeof(grove__touch);
    grove_buffer_append(&commits->entries, &entry, sizeof entry);
    if (commits->entries.failed) {
        commits->entries.failed = false;
        commits->touches.size = before;
        return grove__fail_memory(error_out);
    }
    return GROVE_OK;
}

grove_status grove__commits_read(uint64_t number, grove_bytes value,
                                 grove__commits *commits, grove_error *error_out)
{
    grove__commits_reset(commits);
    if (!grove__commits_is_pack(value)) {
        commits->first = number;
        return grove__commits_add_record(commits, value, error_out);
    }
    grove_status status = grove__commits_decode(value, commits, error_out);
    if (status == GROVE_OK &&
        (commits->first != number || grove__commits_count(commits) == 0 ||
         number > UINT64_MAX - grove__commits_count(commits))) {
        grove__commits_reset(commits);
        return grove__fail(error_out, GROVE_CORRUPT,
                           "commits are packed under a number that is not theirs");
    }
    return status;
}
