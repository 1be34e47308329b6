#include "format/record.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/hash.h"

enum {
    SEED_STORE = 1,
    SEED_META = 2,
    SEED_RUN = 3,
    SEED_COMMIT = 4,
    SEED_AGING = 5,
    SEED_INCARNATIONS = 6,
    CHECKSUM_BYTES = 8,
    META_FORMAT = 1,
    COMMIT_FORMAT = 1,
    AGING_FORMAT = 1,
    INCARNATIONS_FORMAT = 1,
    TYPE_NAME_BYTES = GROVE_TYPE_NAME_BYTES_MAX + 1
};

/* Writes the checksum over the first `bytes` behind them. */
static void seal_record(uint8_t *record, size_t bytes, uint64_t seed)
{
    grove_write_u64(record + bytes, grove__hash((grove_bytes){record, bytes}, seed));
}

/* Whether a record has the right size and the right checksum. */
static grove_status open_record(grove_bytes bytes, size_t expected_bytes, uint64_t seed,
                                const char *what, grove_error *error_out)
{
    if (bytes.size != expected_bytes) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "%s record has %zu bytes instead of %zu", what, bytes.size,
                           expected_bytes);
    }
    size_t body = bytes.size - CHECKSUM_BYTES;
    uint64_t checksum = grove__hash((grove_bytes){bytes.data, body}, seed);
    if (grove_read_u64(bytes.data + body) != checksum) {
        return grove__fail_at(error_out, GROVE_CORRUPT, body, "%s record: wrong checksum",
                              what);
    }
    return GROVE_OK;
}

/* Whether this library knows the format that a record claims. 0 is none. */
static grove_status check_format(uint32_t format, uint32_t known, const char *what,
                                 grove_error *error_out)
{
    if (format > known) {
        return grove__fail(error_out, GROVE_FORMAT_NEWER,
                           "%s record has format %lu, this library knows up to %lu", what,
                           (unsigned long)format, (unsigned long)known);
    }
    if (format == 0) {
        return grove__fail(error_out, GROVE_CORRUPT, "%s record has format 0", what);
    }
    return GROVE_OK;
}

void grove__store_record_encode(const grove__store_record *record,
                                uint8_t bytes_out[GROVE__STORE_RECORD_BYTES])
{
    grove_write_u32(bytes_out, record->format);
    grove_write_u64(bytes_out + 4, record->incarnation);
    grove_write_u64(bytes_out + 12, (uint64_t)record->created);
    grove_write_u64(bytes_out + 20, record->place);
    grove_write_u64(bytes_out + 28, record->boot);
    bytes_out[36] = (uint8_t)record->durability;
    seal_record(bytes_out, 37, SEED_STORE);
}

grove_status grove__store_record_decode(grove_bytes bytes,
                                        grove__store_record *record_out,
                                        grove_error *error_out)
{
    /* The version first: a later one may have another size. */
    grove_status status = GROVE_OK;
    if (bytes.size >= 4) {
        status = check_format(grove_read_u32(bytes.data), GROVE__STORE_FORMAT,
                              "the store's", error_out);
    }
    if (status == GROVE_OK) {
        status = open_record(bytes, GROVE__STORE_RECORD_BYTES, SEED_STORE, "the store's",
                             error_out);
    }
    if (status == GROVE_OK && bytes.data[36] > GROVE_DURABILITY_NONE) {
        status = grove__fail_at(error_out, GROVE_CORRUPT, 36,
                                "the store's record has no such durability");
    }
    if (status != GROVE_OK) {
        return status;
    }
    record_out->format = grove_read_u32(bytes.data);
    record_out->incarnation = grove_read_u64(bytes.data + 4);
    record_out->created = (int64_t)grove_read_u64(bytes.data + 12);
    record_out->place = grove_read_u64(bytes.data + 20);
    record_out->boot = grove_read_u64(bytes.data + 28);
    record_out->durability = (grove_durability)bytes.data[36];
    return GROVE_OK;
}

/* The numbers of a meta record in the order in which they are stored. */
#define META_NUMBERS(record)                                                            \
    {                                                                                   \
        &(record)->incarnation, &(record)->revision, &(record)->events,                 \
            &(record)->base_clock, &(record)->batches, &(record)->batch_bytes,          \
            &(record)->snapshots, &(record)->snapshot_bytes, &(record)->snapshot_clock, \
            &(record)->newest_snapshot_bytes, &(record)->sealed_clock,                  \
            &(record)->pending                                                          \
    }
enum { META_NUMBER_COUNT = 12, META_NUMBERS_OFFSET = 1 + TYPE_NAME_BYTES + 4 };

void grove__meta_record_encode(const grove__meta_record *record,
                               uint8_t bytes_out[GROVE__META_RECORD_BYTES])
{
    const uint64_t *numbers[META_NUMBER_COUNT] = META_NUMBERS(record);
    bytes_out[0] = META_FORMAT;
    memcpy(bytes_out + 1, record->type_name, TYPE_NAME_BYTES);
    grove_write_u32(bytes_out + 1 + TYPE_NAME_BYTES, record->type_format);
    for (size_t index = 0; index < META_NUMBER_COUNT; index++) {
        grove_write_u64(bytes_out + META_NUMBERS_OFFSET + 8 * index, *numbers[index]);
    }
    seal_record(bytes_out, GROVE__META_RECORD_BYTES - CHECKSUM_BYTES, SEED_META);
}

/* Whether a name has at least one byte and one zero, and zeros from then on. */
static bool name_is_sound(const char *name)
{
    size_t bytes = 0;
    while (bytes < TYPE_NAME_BYTES && name[bytes] != '\0') {
        bytes++;
    }
    bool is_sound = bytes > 0 && bytes < TYPE_NAME_BYTES;
    for (; bytes < TYPE_NAME_BYTES; bytes++) {
        is_sound = is_sound && name[bytes] == '\0';
    }
    return is_sound;
}

/* Whether the numbers of a record can all be true. */
static bool meta_is_sound(const grove__meta_record *record)
{
    if (record->events > GROVE_DOCUMENT_EVENTS_MAX ||
        record->pending > GROVE_DOCUMENT_EVENTS_MAX ||
        record->base_clock > record->events || record->sealed_clock > record->events) {
        return false;
    }
    if (record->snapshot_clock == GROVE__NO_SNAPSHOT) {
        return record->snapshots == 0 && record->base_clock == 0;
    }
    return record->snapshots > 0 && record->snapshot_clock <= record->events &&
           record->snapshot_clock >= record->base_clock;
}

grove_status grove__meta_record_decode(grove_bytes bytes, grove__meta_record *record_out,
                                       grove_error *error_out)
{
    grove_status status = GROVE_OK;
    if (bytes.size >= 1) {
        status = check_format(bytes.data[0], META_FORMAT, "meta", error_out);
    }
    if (status == GROVE_OK) {
        status =
            open_record(bytes, GROVE__META_RECORD_BYTES, SEED_META, "meta", error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove__meta_record record;
    uint64_t *numbers[META_NUMBER_COUNT] = META_NUMBERS(&record);
    memcpy(record.type_name, bytes.data + 1, TYPE_NAME_BYTES);
    record.type_format = grove_read_u32(bytes.data + 1 + TYPE_NAME_BYTES);
    for (size_t index = 0; index < META_NUMBER_COUNT; index++) {
        *numbers[index] = grove_read_u64(bytes.data + META_NUMBERS_OFFSET + 8 * index);
    }
    if (!name_is_sound(record.type_name) || !meta_is_sound(&record)) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "the meta record contradicts itself");
    }
    *record_out = record;
    return GROVE_OK;
}

void grove__run_record_encode(const grove__run_record *record,
                              uint8_t bytes_out[GROVE__RUN_RECORD_BYTES])
{
    grove_write_u64(bytes_out, record->clock);
    grove_write_u64(bytes_out + 8, record->count);
    seal_record(bytes_out, 16, SEED_RUN);
}

grove_status grove__run_record_decode(grove_bytes bytes, grove__run_record *record_out,
                                      grove_error *error_out)
{
    grove_status status =
        open_record(bytes, GROVE__RUN_RECORD_BYTES, SEED_RUN, "replica run", error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint64_t clock = grove_read_u64(bytes.data);
    uint64_t count = grove_read_u64(bytes.data + 8);
    if (count == 0 || clock > GROVE_DOCUMENT_EVENTS_MAX ||
        count > GROVE_DOCUMENT_EVENTS_MAX - clock) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "a replica's run reaches out of all clocks");
    }
    record_out->clock = clock;
    record_out->count = count;
    return GROVE_OK;
}

/* Appends the checksum of what was appended since `start`. */
static void seal_appended(grove_buffer *record, size_t start, uint64_t seed)
{
    if (grove_buffer_reserve(record, CHECKSUM_BYTES) != NULL) {
        seal_record(record->data + start, record->size - start, seed);
        grove_buffer_grow(record, CHECKSUM_BYTES);
    }
}

/* Whether a record of any size is of a known format and has the checksum. */
static grove_status open_sized(grove_bytes bytes, uint32_t format, uint64_t seed,
                               const char *what, grove_error *error_out)
{
    if (bytes.size < CHECKSUM_BYTES) {
        return grove__fail(error_out, GROVE_CORRUPT, "%s record has %zu bytes", what,
                           bytes.size);
    }
    grove_status status = check_format(bytes.data[0], format, what, error_out);
    return status == GROVE_OK ? open_record(bytes, bytes.size, seed, what, error_out)
                              : status;
}

void grove__commit_record_encode(int64_t time, grove_bytes meta,
                                 const grove__touch *touches, size_t touch_count,
                                 grove_buffer *record_out)
{
    size_t start = record_out->size;
    grove_buffer_u8(record_out, COMMIT_FORMAT);
    grove_buffer_signed(record_out, time);
    grove_buffer_varint(record_out, meta.size);
    grove_buffer_append(record_out, meta.data, meta.size);
    grove_buffer_varint(record_out, touch_count);
    for (size_t index = 0; index < touch_count; index++) {
        const grove__touch *touch = &touches[index];
        grove_buffer_u8(record_out, (uint8_t)touch->kind);
        grove_buffer_varint(record_out, touch->name.size);
        grove_buffer_append(record_out, touch->name.data, touch->name.size);
        if (touch->kind == GROVE__TOUCH_DOCUMENT) {
            grove_buffer_varint(record_out, touch->first_clock);
            grove_buffer_varint(record_out, touch->count);
        }
    }
    seal_appended(record_out, start, SEED_COMMIT);
}

/* Reads one touch; a failed reader, or false, says that it is none. */
static bool read_touch(grove_reader *reader, grove__touch *touch_out)
{
    uint8_t kind = grove_reader_u8(reader);
    uint64_t name_bytes = grove_reader_varint(reader);
    if (reader->failed || kind > GROVE__TOUCH_DOCUMENT || name_bytes == 0 ||
        name_bytes > GROVE_DOCUMENT_ID_BYTES_MAX) {
        return false;
    }
    touch_out->kind = (grove__touch_kind)kind;
    touch_out->name = grove_reader_bytes(reader, (size_t)name_bytes);
    touch_out->first_clock = 0;
    touch_out->count = 0;
    if (touch_out->kind == GROVE__TOUCH_DOCUMENT) {
        touch_out->first_clock = grove_reader_varint(reader);
        touch_out->count = grove_reader_varint(reader);
    }
    if (touch_out->first_clock > GROVE_DOCUMENT_EVENTS_MAX ||
        touch_out->count > GROVE_DOCUMENT_EVENTS_MAX - touch_out->first_clock) {
        return false;
    }
    return !reader->failed;
}

/* The size of the meta in front of it. */
static grove_bytes read_meta(grove_reader *reader)
{
    uint64_t bytes = grove_reader_varint(reader);
    reader->failed = reader->failed || bytes > GROVE_COMMIT_META_BYTES_MAX;
    return grove_reader_bytes(reader, reader->failed ? 0 : (size_t)bytes);
}

grove_status grove__commit_record_decode(grove_bytes bytes, int64_t *time_out,
                                         grove_bytes *meta_out, grove_buffer *touches_out,
                                         grove_error *error_out)
{
    grove_status status =
        open_sized(bytes, COMMIT_FORMAT, SEED_COMMIT, "commit", error_out);
    if (status != GROVE_OK) {
        return status;
    }
    size_t touches_before = touches_out->size;
    bool had_failed = touches_out->failed;
    grove_reader reader =
        grove_reader_of((grove_bytes){bytes.data, bytes.size - CHECKSUM_BYTES});
    (void)grove_reader_u8(&reader);
    int64_t time = grove_reader_signed(&reader);
    grove_bytes meta = read_meta(&reader);
    uint64_t touch_count = grove_reader_varint(&reader);
    for (uint64_t index = 0; index < touch_count && !touches_out->failed; index++) {
        grove__touch touch;
        if (!read_touch(&reader, &touch)) {
            touches_out->size = touches_before;
            return grove__fail_at(error_out, GROVE_CORRUPT, reader.offset,
                                  "the commit record is malformed");
        }
        grove_buffer_append(touches_out, &touch, sizeof touch);
    }
    if (touches_out->failed) {
        touches_out->size = touches_before;
        touches_out->failed = had_failed;
        return grove__fail_memory(error_out);
    }
    if (!grove_reader_done(&reader)) {
        touches_out->size = touches_before;
        return grove__fail_at(error_out, GROVE_CORRUPT, reader.offset,
                              "the commit record has bytes left over");
    }
    *time_out = time;
    *meta_out = meta;
    return GROVE_OK;
}

void grove__aging_record_encode(const grove__aging_record *record,
                                uint8_t bytes_out[GROVE__AGING_RECORD_BYTES])
{
    bytes_out[0] = AGING_FORMAT;
    grove_write_u64(bytes_out + 1, record->aged);
    grove_write_u64(bytes_out + 9, record->commits_max);
    grove_write_u64(bytes_out + 17, record->age_ms_max);
    seal_record(bytes_out, GROVE__AGING_RECORD_BYTES - CHECKSUM_BYTES, SEED_AGING);
}

grove_status grove__aging_record_decode(grove_bytes bytes,
                                        grove__aging_record *record_out,
                                        grove_error *error_out)
{
    grove_status status = GROVE_OK;
    if (bytes.size >= 1) {
        status = check_format(bytes.data[0], AGING_FORMAT, "aging", error_out);
    }
    if (status == GROVE_OK) {
        status =
            open_record(bytes, GROVE__AGING_RECORD_BYTES, SEED_AGING, "aging", error_out);
    }
    if (status == GROVE_OK) {
        record_out->aged = grove_read_u64(bytes.data + 1);
        record_out->commits_max = grove_read_u64(bytes.data + 9);
        record_out->age_ms_max = grove_read_u64(bytes.data + 17);
    }
    return status;
}

void grove__incarnations_record_encode(const grove__incarnation *items, size_t count,
                                       grove_buffer *record_out)
{
    size_t start = record_out->size;
    grove_buffer_u8(record_out, INCARNATIONS_FORMAT);
    grove_buffer_u32(record_out, (uint32_t)count);
    for (size_t index = 0; index < count; index++) {
        grove_buffer_u64(record_out, items[index].first_commit);
        grove_buffer_u64(record_out, items[index].incarnation);
    }
    seal_appended(record_out, start, SEED_INCARNATIONS);
}

/* Reads the list behind the record's format; false: it is none. */
static bool read_incarnations(grove_reader *reader, grove_buffer *items)
{
    uint32_t count = grove_reader_u32(reader);
    uint64_t end = 0;
    if (reader->failed || count == 0 || count > GROVE_INCARNATIONS_MAX) {
        return false;
    }
    for (uint32_t index = 0; index < count; index++) {
        grove__incarnation item;
        item.first_commit = grove_reader_u64(reader);
        item.incarnation = grove_reader_u64(reader);
        if (reader->failed || item.first_commit < end ||
            item.first_commit == UINT64_MAX) {
            return false;
        }
        end = item.first_commit + 1;
        grove_buffer_append(items, &item, sizeof item);
    }
    return grove_reader_done(reader);
}

grove_status grove__incarnations_record_decode(grove_bytes bytes, grove_buffer *items_out,
                                               grove_error *error_out)
{
    grove_status status = open_sized(bytes, INCARNATIONS_FORMAT, SEED_INCARNATIONS,
                                     "incarnations", error_out);
    if (status != GROVE_OK) {
        return status;
    }
    size_t before = items_out->size;
    bool had_failed = items_out->failed;
    grove_reader reader =
        grove_reader_of((grove_bytes){bytes.data, bytes.size - CHECKSUM_BYTES});
    (void)grove_reader_u8(&reader);
    if (!read_incarnations(&reader, items_out)) {
        items_out->size = before;
        return grove__fail_at(error_out, GROVE_CORRUPT, reader.offset,
                              "the incarnations of the store contradict themselves");
    }
    if (items_out->failed) {
        items_out->size = before;
        items_out->failed = had_failed;
        return grove__fail_memory(error_out);
    }
    return GROVE_OK;
}
