#include "format/key.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"

/* A group: eight bytes of the string, then how many of them count. */
enum { GROUP_BYTES = 8, MARK_MORE = 9, GROUP_STORED_BYTES = 9, NUMBER_BYTES = 8 };

/* The longest string of any key. */
enum { STRING_BYTES_MAX = GROVE_DOCUMENT_ID_BYTES_MAX };

/* What a string of `bytes` > 0 bytes takes in a key. */
#define STORED_BYTES(bytes) \
    (((bytes) + GROUP_BYTES - 1) / GROUP_BYTES * GROUP_STORED_BYTES)

_Static_assert(GROVE_GROUP_NAME_BYTES_MAX <= STRING_BYTES_MAX, "parsed into one array");
_Static_assert(GROVE_REPLICA_BYTES_MAX <= STRING_BYTES_MAX, "parsed into one array");
_Static_assert(STORED_BYTES(GROVE_DOCUMENT_ID_BYTES_MAX) +
                       STORED_BYTES(GROVE_REPLICA_BYTES_MAX) + 2 * NUMBER_BYTES <=
                   GROVE__KEY_BYTES_MAX,
               "<document, replica, sequence, part> fits");

grove_status grove__key_check_document(grove_bytes document, grove_error *error_out)
{
    if (document.size == 0) {
        return grove__fail(error_out, GROVE_INVALID, "the document's id is empty");
    }
    if (document.size > GROVE_DOCUMENT_ID_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "the document's id has %zu bytes, more than the %d of "
                           "GROVE_DOCUMENT_ID_BYTES_MAX",
                           document.size, GROVE_DOCUMENT_ID_BYTES_MAX);
    }
    return GROVE_OK;
}

grove_status grove__key_check_group(grove_bytes name, grove_error *error_out)
{
    if (name.size == 0) {
        return grove__fail(error_out, GROVE_INVALID, "the group's name is empty");
    }
    if (name.size > GROVE_GROUP_NAME_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "the group's name has %zu bytes, more than the %d of "
                           "GROVE_GROUP_NAME_BYTES_MAX",
                           name.size, GROVE_GROUP_NAME_BYTES_MAX);
    }
    return GROVE_OK;
}

grove_status grove__key_check_replica(const grove_replica *replica,
                                      grove_error *error_out)
{
    if (replica->size == 0) {
        return grove__fail(error_out, GROVE_INVALID, "the replica's id is empty");
    }
    if (replica->size > GROVE_REPLICA_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "the replica's id has %d bytes, more than the %d of "
                           "GROVE_REPLICA_BYTES_MAX",
                           replica->size, GROVE_REPLICA_BYTES_MAX);
    }
    return GROVE_OK;
}

/* Appends a string as groups. */
static void add_string(grove__key *key, grove_bytes string)
{
    GROVE_ASSERT(string.size <= STRING_BYTES_MAX);
    GROVE_ASSERT(key->size + STORED_BYTES(string.size) + GROUP_STORED_BYTES <=
                 GROVE__KEY_BYTES_MAX);
    const uint8_t *from = string.data;
    size_t left = string.size;
    uint8_t *to = key->bytes + key->size;
    while (left > GROUP_BYTES) {
        memcpy(to, from, GROUP_BYTES);
        to[GROUP_BYTES] = MARK_MORE;
        to += GROUP_STORED_BYTES;
        from += GROUP_BYTES;
        left -= GROUP_BYTES;
    }
    memset(to, 0, GROUP_BYTES);
    if (left > 0) {
        memcpy(to, from, left);
    }
    to[GROUP_BYTES] = (uint8_t)left;
    to += GROUP_STORED_BYTES;
    key->size = (size_t)(to - key->bytes);
}

void grove__key_add_number(grove__key *key, uint64_t number)
{
    GROVE_ASSERT(key->size + NUMBER_BYTES <= GROVE__KEY_BYTES_MAX);
    grove_write_u64(key->bytes + key->size, number);
    key->size += NUMBER_BYTES;
}

void grove__key_of_document(grove__key *key_out, grove_bytes document)
{
    key_out->size = 0;
    add_string(key_out, document);
}

void grove__key_of_group(grove__key *key_out, grove_bytes name)
{
    key_out->size = 0;
    add_string(key_out, name);
}

void grove__key_of_clock(grove__key *key_out, grove_bytes document, uint64_t clock)
{
    grove__key_of_document(key_out, document);
    grove__key_add_number(key_out, clock);
}

void grove__key_of_document_commit(grove__key *key_out, grove_bytes document,
                                   uint64_t commit)
{
    grove__key_of_document(key_out, document);
    grove__key_add_number(key_out, commit);
}

void grove__key_of_replica(grove__key *key_out, grove_bytes document,
                           const grove_replica *replica)
{
    grove__key_of_document(key_out, document);
    add_string(key_out, grove__replica_bytes(replica));
}

void grove__key_of_event(grove__key *key_out, grove_bytes document,
                         const grove_replica *replica, uint64_t sequence)
{
    grove__key_of_replica(key_out, document, replica);
    grove__key_add_number(key_out, sequence);
}

void grove__key_of_commit(grove__key *key_out, uint64_t commit)
{
    key_out->size = 0;
    grove__key_add_number(key_out, commit);
}

void grove__key_of_prefix(grove__key *key_out, grove_bytes prefix)
{
    key_out->size = 0;
    if (prefix.size > 0) {
        /* The last group without its padding and mark: both are open. */
        add_string(key_out, prefix);
        size_t in_last_group = key_out->bytes[key_out->size - 1];
        key_out->size -= GROUP_STORED_BYTES - in_last_group;
    }
}

/* A string out of a key. */
typedef struct parsed_string {
    size_t size;
    uint8_t bytes[STRING_BYTES_MAX + GROUP_BYTES];
} parsed_string;

/*
 * Checks the padding and the mark of a last group, of which `count` bytes
 * belong to the string. `offset` is where the group begins in its key.
 */
static grove_status check_last_group(const uint8_t *group, size_t count, bool is_first,
                                     size_t offset, grove_error *error_out)
{
    if (count > GROUP_BYTES) {
        return grove__fail_at(error_out, GROVE_CORRUPT, offset + GROUP_BYTES,
                              "a group of a key has the mark %zu, over 9", count);
    }
    if (count == 0 && !is_first) {
        return grove__fail_at(error_out, GROVE_CORRUPT, offset + GROUP_BYTES,
                              "the last group of a key's string adds nothing to it");
    }
    for (size_t index = count; index < GROUP_BYTES; index++) {
        if (group[index] != 0) {
            return grove__fail_at(error_out, GROVE_CORRUPT, offset + index,
                                  "the padding of a key's string is not zero");
        }
    }
    return GROVE_OK;
}

/* Reads a string of 1 to `bytes_max` bytes. */
static grove_status parse_string(grove_reader *key, size_t bytes_max,
                                 parsed_string *string_out, grove_error *error_out)
{
    size_t start = key->offset;
    size_t mark;
    string_out->size = 0;
    do {
        size_t offset = key->offset;
        const uint8_t *group = grove_reader_bytes(key, GROUP_STORED_BYTES).data;
        if (group == NULL) {
            return grove__fail_at(error_out, GROVE_CORRUPT, offset,
                                  "a key ends within a group of its string");
        }
        mark = group[GROUP_BYTES];
        size_t count = GROUP_BYTES;
        if (mark != MARK_MORE) {
            grove_status status =
                check_last_group(group, mark, offset == start, offset, error_out);
            if (status != GROVE_OK) {
                return status;
            }
            count = mark;
        }
        if (string_out->size + count > bytes_max) {
            return grove__fail_at(error_out, GROVE_CORRUPT, offset,
                                  "a string in a key is longer than %zu bytes",
                                  bytes_max);
        }
        memcpy(string_out->bytes + string_out->size, group, GROUP_BYTES);
        string_out->size += count;
    } while (mark == MARK_MORE);
    if (string_out->size == 0) {
        return grove__fail_at(error_out, GROVE_CORRUPT, start,
                              "a string in a key is empty");
    }
    return GROVE_OK;
}

/* Reads a number of 0 to `number_max`. */
static grove_status parse_number(grove_reader *key, uint64_t number_max,
                                 uint64_t *number_out, grove_error *error_out)
{
    size_t offset = key->offset;
    uint64_t number = grove_reader_u64(key);
    if (key->failed) {
        return grove__fail_at(error_out, GROVE_CORRUPT, offset,
                              "a key ends within a number");
    }
    if (number > number_max) {
        return grove__fail_at(error_out, GROVE_CORRUPT, offset,
                              "a number in a key is %llu, over %llu",
                              (unsigned long long)number, (unsigned long long)number_max);
    }
    *number_out = number;
    return GROVE_OK;
}

/* Replaces what the buffer holds; untouched when there is no memory. */
static grove_status give_string(const parsed_string *string, grove_buffer *buffer,
                                grove_error *error_out)
{
    bool had_failed = buffer->failed;
    buffer->failed = false;
    if (grove_buffer_reserve(buffer, string->size) == NULL) {
        buffer->failed = had_failed;
        return grove__fail_memory(error_out);
    }
    grove_buffer_reset(buffer);
    grove_buffer_append(buffer, string->bytes, string->size);
    return GROVE_OK;
}

/* What a key consists of: strings, then numbers. */
typedef struct key_shape {
    size_t string_count;
    size_t string_bytes_max[2];
    size_t number_count;
    uint64_t number_max[2];
} key_shape;

typedef struct parsed_key {
    parsed_string strings[2];
    uint64_t numbers[2];
} parsed_key;

static grove_status parse_key(grove_bytes key, const key_shape *shape,
                              parsed_key *parsed_out, grove_error *error_out)
{
    grove_reader reader = grove_reader_of(key);
    grove_status status = GROVE_OK;
    memset(parsed_out->numbers, 0, sizeof parsed_out->numbers);
    for (size_t index = 0; index < shape->string_count && status == GROVE_OK; index++) {
        status = parse_string(&reader, shape->string_bytes_max[index],
                              &parsed_out->strings[index], error_out);
    }
    for (size_t index = 0; index < shape->number_count && status == GROVE_OK; index++) {
        status = parse_number(&reader, shape->number_max[index],
                              &parsed_out->numbers[index], error_out);
    }
    if (status == GROVE_OK && !grove_reader_done(&reader)) {
        status =
            grove__fail_at(error_out, GROVE_CORRUPT, reader.offset,
                           "a key has %zu bytes left over", grove_reader_left(&reader));
    }
    return status;
}

grove_status grove__key_parse_name(grove_bytes key, grove_buffer *name_out,
                                   grove_error *error_out)
{
    grove_reader reader = grove_reader_of(key);
    parsed_string name;
    grove_status status =
        parse_string(&reader, GROVE_DOCUMENT_ID_BYTES_MAX, &name, error_out);
    if (status == GROVE_OK) {
        status = give_string(&name, name_out, error_out);
    }
    return status;
}

grove_status grove__key_parse_document(grove_bytes key, grove_buffer *document_out,
                                       grove_error *error_out)
{
    static const key_shape shape = {1, {GROVE_DOCUMENT_ID_BYTES_MAX}, 0, {0}};
    parsed_key parsed;
    grove_status status = parse_key(key, &shape, &parsed, error_out);
    if (status == GROVE_OK) {
        status = give_string(&parsed.strings[0], document_out, error_out);
    }
    return status;
}

grove_status grove__key_parse_clock(grove_bytes key, grove_buffer *document_out,
                                    uint64_t *clock_out, grove_error *error_out)
{
    static const key_shape shape = {
        1, {GROVE_DOCUMENT_ID_BYTES_MAX}, 1, {GROVE_DOCUMENT_EVENTS_MAX}};
    parsed_key parsed;
    grove_status status = parse_key(key, &shape, &parsed, error_out);
    if (status == GROVE_OK) {
        status = give_string(&parsed.strings[0], document_out, error_out);
    }
    if (status == GROVE_OK) {
        *clock_out = parsed.numbers[0];
    }
    return status;
}

grove_status grove__key_parse_clock_part(grove_bytes key, grove_buffer *document_out,
                                         uint64_t *clock_out, uint64_t *part_out,
                                         grove_error *error_out)
{
    static const key_shape shape = {
        1, {GROVE_DOCUMENT_ID_BYTES_MAX}, 2, {GROVE_DOCUMENT_EVENTS_MAX, UINT64_MAX}};
    parsed_key parsed;
    grove_status status = parse_key(key, &shape, &parsed, error_out);
    if (status == GROVE_OK) {
        status = give_string(&parsed.strings[0], document_out, error_out);
    }
    if (status == GROVE_OK) {
        *clock_out = parsed.numbers[0];
        *part_out = parsed.numbers[1];
    }
    return status;
}

grove_status grove__key_parse_event(grove_bytes key, grove_buffer *document_out,
                                    grove_replica *replica_out, uint64_t *sequence_out,
                                    grove_error *error_out)
{
    static const key_shape shape = {
        2,
        {GROVE_DOCUMENT_ID_BYTES_MAX, GROVE_REPLICA_BYTES_MAX},
        1,
        {GROVE_DOCUMENT_EVENTS_MAX - 1}};
    parsed_key parsed;
    grove_status status = parse_key(key, &shape, &parsed, error_out);
    if (status == GROVE_OK) {
        status = give_string(&parsed.strings[0], document_out, error_out);
    }
    if (status == GROVE_OK) {
        const parsed_string *replica = &parsed.strings[1];
        memset(replica_out, 0, sizeof *replica_out);
        replica_out->size = (uint8_t)replica->size;
        memcpy(replica_out->bytes, replica->bytes, replica->size);
        *sequence_out = parsed.numbers[0];
    }
    return status;
}

grove_status grove__key_parse_group_part(grove_bytes key, grove_buffer *name_out,
                                         uint64_t *part_out, grove_error *error_out)
{
    static const key_shape shape = {1, {GROVE_GROUP_NAME_BYTES_MAX}, 1, {UINT64_MAX}};
    parsed_key parsed;
    grove_status status = parse_key(key, &shape, &parsed, error_out);
    if (status == GROVE_OK) {
        status = give_string(&parsed.strings[0], name_out, error_out);
    }
    if (status == GROVE_OK) {
        *part_out = parsed.numbers[0];
    }
    return status;
}

grove_status grove__key_parse_commit(grove_bytes key, uint64_t *commit_out,
                                     grove_error *error_out)
{
    static const key_shape shape = {0, {0}, 1, {UINT64_MAX}};
    parsed_key parsed;
    grove_status status = parse_key(key, &shape, &parsed, error_out);
    if (status == GROVE_OK) {
        *commit_out = parsed.numbers[0];
    }
    return status;
}
