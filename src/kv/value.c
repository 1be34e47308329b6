#include "kv/value.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/hash.h"

enum { PART_NUMBER_BYTES = 8, HASH_BYTES = 8 };

/* A value's key and room for a part's number after it. */
typedef struct part_key {
    size_t prefix_bytes;
    uint8_t bytes[GROVE__KV_KEY_BYTES_MAX];
} part_key;

static void part_key_init(part_key *key_out, grove_bytes key)
{
    GROVE_ASSERT(key.size >= 1);
    GROVE_ASSERT(key.size + PART_NUMBER_BYTES <= GROVE__KV_KEY_BYTES_MAX);
    key_out->prefix_bytes = key.size;
    memcpy(key_out->bytes, key.data, key.size);
}

/* Borrowed until the next number is set. */
static grove_bytes part_key_of(part_key *key, uint64_t number)
{
    grove_write_u64(key->bytes + key->prefix_bytes, number);
    grove_bytes view = {key->bytes, key->prefix_bytes + PART_NUMBER_BYTES};
    return view;
}

/* The parts of a value as they are stored. */
typedef struct part_list {
    const grove_allocator *allocator;
    grove_bytes *parts;
    size_t count;
    size_t capacity;
    uint64_t bytes;
} part_list;

static void part_list_release(part_list *list)
{
    grove__deallocate(list->allocator, list->parts, list->capacity * sizeof *list->parts);
}

static grove_status put_part(grove__txn *txn, grove__table table, grove_bytes key,
                             grove_bytes payload, uint64_t number, bool is_last,
                             grove_error *error_out)
{
    uint8_t *room;
    grove_status status = grove__kv_put_room(
        txn, table, key, payload.size + GROVE__PART_OVERHEAD_BYTES, &room, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (payload.size > 0) {
        memcpy(room, payload.data, payload.size);
    }
    room[payload.size] = is_last ? 1 : 0;
    grove_bytes hashed = {room, payload.size + 1};
    grove_write_u64(room + hashed.size, grove__hash(hashed, number));
    return GROVE_OK;
}

/* Removes the value's parts from `number` on, which an older value left. */
static grove_status remove_from(grove__txn *txn, grove__table table, part_key *key,
                                uint64_t number, grove_error *error_out)
{
    grove__cursor cursor;
    grove_bytes prefix = {key->bytes, key->prefix_bytes};
    grove_status status = grove__cursor_open(txn, table, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    for (;;) {
        grove_bytes found;
        grove_bytes value;
        status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER,
                                    part_key_of(key, number), &found, &value, error_out);
        if (status != GROVE_OK || !grove__bytes_begin_with(found, prefix)) {
            break;
        }
        grove_bytes own_key = {cursor.key, cursor.key_bytes};
        status = grove__kv_remove(txn, table, own_key, error_out);
        if (status != GROVE_OK) {
            break;
        }
    }
    grove__cursor_close(&cursor);
    return status == GROVE_NONE ? GROVE_OK : status;
}

grove_status grove__value_put(grove__txn *txn, grove__table table, grove_bytes key,
                              grove_bytes value, grove_error *error_out)
{
    if (value.size > GROVE_VALUE_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "a value of %zu bytes is over GROVE_VALUE_BYTES_MAX, %llu",
                           value.size, (unsigned long long)GROVE_VALUE_BYTES_MAX);
    }
    size_t payload_bytes_max = txn->kv->part_bytes - GROVE__PART_OVERHEAD_BYTES;
    size_t offset = 0;
    uint64_t number = 0;
    part_key numbered;
    part_key_init(&numbered, key);
    do {
        size_t left = value.size - offset;
        grove_bytes payload = {value.size == 0 ? NULL : value.data + offset,
                               left < payload_bytes_max ? left : payload_bytes_max};
        grove_status status = put_part(txn, table, part_key_of(&numbered, number),
                                       payload, number, payload.size == left, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        offset += payload.size;
        number++;
    } while (offset < value.size);
    return remove_from(txn, table, &numbered, number, error_out);
}

/* Takes an entry whose key begins with the value's into the list. */
static grove_status add_part(part_list *list, grove_bytes key, size_t prefix_bytes,
                             grove_bytes part, grove_error *error_out)
{
    if (key.size != prefix_bytes + PART_NUMBER_BYTES) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "after part %zu of a value comes a key that is not a part's",
                           list->count);
    }
    uint64_t number = grove_read_u64(key.data + prefix_bytes);
    if (number != list->count) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "part %zu of a value is missing: part %llu comes next",
                           list->count, (unsigned long long)number);
    }
    if (part.size < GROVE__PART_OVERHEAD_BYTES) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "part %zu of a value is damaged: it has only %zu bytes",
                           list->count, part.size);
    }
    size_t payload_bytes = part.size - GROVE__PART_OVERHEAD_BYTES;
    if (payload_bytes > GROVE_VALUE_BYTES_MAX - list->bytes) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "part %zu takes a value over GROVE_VALUE_BYTES_MAX",
                           list->count);
    }
    if (!grove__array_reserve(list->allocator, (void **)&list->parts, &list->capacity,
                              list->count, sizeof *list->parts)) {
        return grove__fail_memory(error_out);
    }
    list->parts[list->count++] = part;
    list->bytes += payload_bytes;
    return GROVE_OK;
}

/*
 * Finds all parts without touching their bytes, so that a backend on disk has
 * been asked for the last before the first is read.
 */
static grove_status find_parts(grove__txn *txn, grove__table table, grove_bytes key,
                               part_list *list, grove_error *error_out)
{
    grove__cursor cursor;
    grove_bytes found;
    grove_bytes part;
    grove_status status = grove__cursor_open(txn, table, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, key, &found, &part,
                                error_out);
    while (status == GROVE_OK && grove__bytes_begin_with(found, key)) {
        status = add_part(list, found, key.size, part, error_out);
        if (status == GROVE_OK) {
            status = grove__cursor_next(&cursor, &found, &part, error_out);
        }
    }
    grove__cursor_close(&cursor);
    if (status != GROVE_OK && status != GROVE_NONE) {
        return status;
    }
    return list->count == 0 ? GROVE_NONE : GROVE_OK;
}

/* Verifies part `number` and gives its payload. */
static grove_status verify_part(const part_list *list, size_t number,
                                grove_bytes *payload_out, grove_error *error_out)
{
    grove_bytes part = list->parts[number];
    grove_bytes hashed = {part.data, part.size - HASH_BYTES};
    size_t payload_bytes = hashed.size - 1;
    if (grove__hash(hashed, number) != grove_read_u64(part.data + hashed.size) ||
        part.data[payload_bytes] > 1) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "part %zu of %zu of a value is damaged: its checksum is wrong",
                           number, list->count);
    }
    bool is_last = part.data[payload_bytes] == 1;
    if (is_last && number + 1 < list->count) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "part %zu of a value is surplus: part %zu is its last",
                           number + 1, number);
    }
    if (!is_last && number + 1 == list->count) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "part %zu of a value is missing: part %zu is not its last",
                           number + 1, number);
    }
    size_t first_bytes = list->parts[0].size - GROVE__PART_OVERHEAD_BYTES;
    if (is_last ? payload_bytes > first_bytes || (payload_bytes == 0 && number > 0)
                : payload_bytes != first_bytes || payload_bytes == 0) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "part %zu of %zu of a value has the wrong size: %zu bytes",
                           number, list->count, part.size);
    }
    payload_out->data = part.data;
    payload_out->size = payload_bytes;
    return GROVE_OK;
}

/* Verifies and joins; leaves `joined` empty when it fails. */
static grove_status join_parts(const part_list *list, grove_buffer *joined,
                               grove_error *error_out)
{
    if (list->bytes > SIZE_MAX ||
        grove_buffer_reserve(joined, (size_t)list->bytes) == NULL) {
        grove_buffer_reset(joined);
        return grove__fail_memory(error_out);
    }
    for (size_t number = 0; number < list->count; number++) {
        grove_bytes payload;
        grove_status status = verify_part(list, number, &payload, error_out);
        if (status != GROVE_OK) {
            grove_buffer_reset(joined);
            return status;
        }
        grove_buffer_append(joined, payload.data, payload.size);
    }
    return GROVE_OK;
}

/* Gives what the parts of a list are together. */
static grove_status give_parts(const part_list *list, grove_buffer *joined,
                               grove_bytes *value_out, grove_error *error_out)
{
    if (list->count == 1) {
        return verify_part(list, 0, value_out, error_out);
    }
    grove_status status = join_parts(list, joined, error_out);
    if (status == GROVE_OK) {
        *value_out = grove_buffer_view(joined);
    }
    return status;
}

grove_status grove__value_get(grove__txn *txn, grove__table table, grove_bytes key,
                              grove_buffer *joined, grove_bytes *value_out,
                              grove_error *error_out)
{
    GROVE_ASSERT(key.size + PART_NUMBER_BYTES <= GROVE__KV_KEY_BYTES_MAX);
    part_list list = {.allocator = txn->kv->allocator};
    grove_buffer_reset(joined);
    grove_status status = find_parts(txn, table, key, &list, error_out);
    if (status == GROVE_OK) {
        status = give_parts(&list, joined, value_out, error_out);
    }
    part_list_release(&list);
    return status;
}

/* Finds the parts from 0 to the first that says that it is the last. */
static grove_status find_own_parts(grove__txn *txn, grove__table table, grove_bytes key,
                                   part_list *list, grove_error *error_out)
{
    part_key numbered;
    part_key_init(&numbered, key);
    for (;;) {
        grove_bytes own = part_key_of(&numbered, list->count);
        grove_bytes part;
        grove_status status = grove__kv_get(txn, table, own, &part, error_out);
        if (status == GROVE_NONE && list->count > 0) {
            return grove__fail(error_out, GROVE_CORRUPT, "part %zu of a value is missing",
                               list->count);
        }
        if (status == GROVE_OK) {
            status = add_part(list, own, key.size, part, error_out);
        }
        if (status != GROVE_OK ||
            part.data[part.size - GROVE__PART_OVERHEAD_BYTES] == 1) {
            return status;
        }
    }
}

grove_status grove__value_get_alone(grove__txn *txn, grove__table table, grove_bytes key,
                                    grove_buffer *joined, grove_bytes *value_out,
                                    grove_error *error_out)
{
    part_list list = {.allocator = txn->kv->allocator};
    grove_buffer_reset(joined);
    grove_status status = find_own_parts(txn, table, key, &list, error_out);
    if (status == GROVE_OK) {
        status = give_parts(&list, joined, value_out, error_out);
    }
    part_list_release(&list);
    return status;
}

grove_status grove__value_remove(grove__txn *txn, grove__table table, grove_bytes key,
                                 grove_error *error_out)
{
    uint64_t removed = 0;
    grove_status status = grove__kv_remove_prefix(txn, table, key, &removed, error_out);
    if (status == GROVE_OK && removed == 0) {
        return GROVE_NONE;
    }
    return status;
}
