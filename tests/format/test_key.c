#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "format/key.h"
#include "support/faulty_allocator.h"
#include "support/random.h"

/* Bytes that are likely to expose a wrong order or a wrong end. */
static const uint8_t ALPHABET[] = {0x00, 0x01, 'a', 0xff};

typedef struct string {
    size_t size;
    uint8_t bytes[GROVE_DOCUMENT_ID_BYTES_MAX + 1];
} string;

static grove_bytes view(const string *of)
{
    return (grove_bytes){of->bytes, of->size};
}

/* `bytes_min` to `bytes_max` bytes of the alphabet. */
static string random_string(test_random *random, size_t bytes_min, size_t bytes_max)
{
    string made;
    made.size = bytes_min + test_random_below(random, bytes_max - bytes_min + 1);
    for (size_t index = 0; index < made.size; index++) {
        made.bytes[index] = ALPHABET[test_random_below(random, sizeof ALPHABET)];
    }
    return made;
}

/* Like `like`, or cut, or extended, or anything. */
static string random_relative(test_random *random, const string *like)
{
    string made = *like;
    switch (test_random_below(random, 4)) {
    case 0:
        made.size = 1 + test_random_below(random, made.size);
        break;
    case 1:
        made.bytes[made.size++] = ALPHABET[test_random_below(random, sizeof ALPHABET)];
        break;
    case 2:
        made.bytes[test_random_below(random, made.size)] =
            ALPHABET[test_random_below(random, sizeof ALPHABET)];
        break;
    default:
        made = random_string(random, 1, 20);
        break;
    }
    return made;
}

static uint64_t random_number(test_random *random)
{
    return test_random_next(random) >> test_random_below(random, 64);
}

static grove_replica replica_of(grove_bytes bytes)
{
    grove_replica replica = {(uint8_t)bytes.size, {0}};
    memcpy(replica.bytes, bytes.data, bytes.size);
    return replica;
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static void assert_key_is(const grove__key *key, const void *bytes, size_t size)
{
    cr_assert_eq(key->size, size, "%zu bytes instead of %zu", key->size, size);
    cr_assert_eq(memcmp(key->bytes, bytes, size), 0);
}

Test(key, strings_become_groups_of_eight_with_a_mark)
{
    static const struct {
        const char *string;
        size_t string_bytes;
        const char *key;
        size_t key_bytes;
    } cases[] = {
        {"a", 1, "a\0\0\0\0\0\0\0\1", 9},
        {"\0", 1, "\0\0\0\0\0\0\0\0\1", 9},
        {"a\0", 2, "a\0\0\0\0\0\0\0\2", 9},
        {"1234567", 7, "1234567\0\7", 9},
        {"12345678", 8, "12345678\10", 9},
        {"123456789", 9,
         "12345678\11"
         "9\0\0\0\0\0\0\0\1",
         18},
        {"12345678\0", 9,
         "12345678\11"
         "\0\0\0\0\0\0\0\0\1",
         18},
        {"\xff\xff\xff\xff\xff\xff\xff\xff", 8, "\xff\xff\xff\xff\xff\xff\xff\xff\10", 9},
        {"1234567812345678", 16,
         "12345678\11"
         "12345678\10",
         18},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove_bytes of = {(const uint8_t *)cases[index].string,
                          cases[index].string_bytes};
        grove__key key;
        grove__key_of_document(&key, of);
        assert_key_is(&key, cases[index].key, cases[index].key_bytes);
        grove__key_of_group(&key, of);
        assert_key_is(&key, cases[index].key, cases[index].key_bytes);
    }
}

Test(key, numbers_follow_big_endian)
{
    const grove_replica replica = replica_of(grove_bytes_of("r"));
    grove__key key;
    grove__key_of_clock(&key, grove_bytes_of("d"), 0x0102030405060708);
    assert_key_is(&key, "d\0\0\0\0\0\0\0\1\1\2\3\4\5\6\7\10", 17);
    grove__key_of_event(&key, grove_bytes_of("d"), &replica, 1);
    assert_key_is(&key, "d\0\0\0\0\0\0\0\1r\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1", 26);
    grove__key_of_commit(&key, UINT64_MAX);
    assert_key_is(&key, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    grove__key_add_number(&key, 256);
    assert_key_is(&key, "\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\1\0", 16);
}

Test(key, bytes_order_is_the_order_of_the_types)
{
    test_random random = test_random_of("key order");
    for (size_t round = 0; round < 200000; round++) {
        string document[2];
        string replica[2];
        uint64_t sequence[2];
        grove__key key[2];
        document[0] = random_string(&random, 1, 20);
        document[1] = random_relative(&random, &document[0]);
        replica[0] = random_string(&random, 1, 20);
        replica[1] = random_relative(&random, &replica[0]);
        if (test_random_below(&random, 2) == 0) {
            document[1] = document[0];
        }
        for (size_t side = 0; side < 2; side++) {
            grove_replica of = replica_of(view(&replica[side]));
            sequence[side] = random_number(&random);
            grove__key_of_event(&key[side], view(&document[side]), &of, sequence[side]);
        }
        int expected = grove__bytes_compare(view(&document[0]), view(&document[1]));
        if (expected == 0) {
            expected = grove__bytes_compare(view(&replica[0]), view(&replica[1]));
        }
        if (expected == 0) {
            expected = compare_numbers(sequence[0], sequence[1]);
        }
        cr_assert_eq(sign(grove__bytes_compare(grove__key_view(&key[0]),
                                               grove__key_view(&key[1]))),
                     sign(expected));
    }
}

Test(key, no_string_begins_another)
{
    test_random random = test_random_of("key prefixes");
    for (size_t round = 0; round < 100000; round++) {
        string a = random_string(&random, 1, 20);
        string b = random_relative(&random, &a);
        grove__key key_a;
        grove__key key_b;
        grove__key_of_document(&key_a, view(&a));
        grove__key_of_document(&key_b, view(&b));
        cr_assert_eq(
            grove__bytes_begin_with(grove__key_view(&key_b), grove__key_view(&key_a)),
            grove__bytes_equal(view(&a), view(&b)));
    }
}

Test(key, a_scan_by_prefix_meets_exactly_the_strings_that_begin_with_it)
{
    test_random random = test_random_of("key scans");
    for (size_t round = 0; round < 200000; round++) {
        string prefix = random_string(&random, 0, 20);
        string of = prefix.size == 0 ? random_string(&random, 1, 20)
                                     : random_relative(&random, &prefix);
        grove__key first;
        grove__key common;
        grove__key key;
        first.size = 0;
        if (prefix.size > 0) {
            grove__key_of_group(&first, view(&prefix));
        }
        grove__key_of_prefix(&common, view(&prefix));
        grove__key_of_group(&key, view(&of));
        bool is_met =
            grove__bytes_compare(grove__key_view(&key), grove__key_view(&first)) >= 0 &&
            grove__bytes_begin_with(grove__key_view(&key), grove__key_view(&common));
        cr_assert_eq(is_met, grove__bytes_begin_with(view(&of), view(&prefix)));
    }
}

Test(key, the_longest_key_fits)
{
    string document;
    grove__key key;
    document.size = GROVE_DOCUMENT_ID_BYTES_MAX;
    memset(document.bytes, 0, sizeof document.bytes);
    grove_replica replica = {GROVE_REPLICA_BYTES_MAX, {0}};
    cr_assert_eq(grove__key_check_document(view(&document), NULL), GROVE_OK);
    cr_assert_eq(grove__key_check_replica(&replica, NULL), GROVE_OK);
    grove__key_of_event(&key, view(&document), &replica, UINT64_MAX);
    grove__key_add_number(&key, UINT64_MAX);
    cr_assert_eq(key.size, 270 + 72 + 8 + 8);
    cr_assert_leq(key.size, GROVE__KEY_BYTES_MAX);
}

Test(key, limits_of_ids_hold_to_the_byte)
{
    string of;
    grove_error error;
    memset(of.bytes, 'x', sizeof of.bytes);
    for (of.size = 1; of.size <= GROVE_DOCUMENT_ID_BYTES_MAX; of.size++) {
        cr_assert_eq(grove__key_check_document(view(&of), NULL), GROVE_OK);
        cr_assert_eq(grove__key_check_group(view(&of), NULL), GROVE_OK);
    }
    cr_assert_eq(grove__key_check_document(view(&of), &error), GROVE_LIMIT);
    cr_assert_not_null(strstr(error.message, "240 of GROVE_DOCUMENT_ID_BYTES_MAX"));
    cr_assert_eq(grove__key_check_group(view(&of), &error), GROVE_LIMIT);
    cr_assert_not_null(strstr(error.message, "240 of GROVE_GROUP_NAME_BYTES_MAX"));
    of.size = 0;
    cr_assert_eq(grove__key_check_document(view(&of), &error), GROVE_INVALID);
    cr_assert_eq(error.status, GROVE_INVALID);
    cr_assert_eq(grove__key_check_group(view(&of), &error), GROVE_INVALID);

    grove_replica replica = {0, {0}};
    cr_assert_eq(grove__key_check_replica(&replica, &error), GROVE_INVALID);
    for (replica.size = 1; replica.size <= GROVE_REPLICA_BYTES_MAX; replica.size++) {
        cr_assert_eq(grove__key_check_replica(&replica, NULL), GROVE_OK);
    }
    cr_assert_eq(grove__key_check_replica(&replica, &error), GROVE_LIMIT);
    cr_assert_not_null(strstr(error.message, "64 of GROVE_REPLICA_BYTES_MAX"));
}

Test(key, every_kind_of_key_comes_apart_as_it_was_built)
{
    test_random random = test_random_of("key round trip");
    grove_buffer name;
    grove_buffer_init(&name, &grove__allocator_system);
    for (size_t round = 0; round < 20000; round++) {
        string document = random_string(&random, 1, GROVE_DOCUMENT_ID_BYTES_MAX);
        string of = random_string(&random, 1, GROVE_REPLICA_BYTES_MAX);
        grove_replica replica = replica_of(view(&of));
        uint64_t clock = random_number(&random) % (GROVE_DOCUMENT_EVENTS_MAX + 1);
        uint64_t part = random_number(&random);
        grove__key key;

        grove__key_of_document(&key, view(&document));
        cr_assert_eq(grove__key_parse_document(grove__key_view(&key), &name, NULL),
                     GROVE_OK);
        cr_assert(grove__bytes_equal(grove_buffer_view(&name), view(&document)));

        uint64_t clock_read = 1;
        uint64_t part_read = 1;
        grove__key_of_clock(&key, view(&document), clock);
        grove_buffer_reset(&name);
        cr_assert_eq(
            grove__key_parse_clock(grove__key_view(&key), &name, &clock_read, NULL),
            GROVE_OK);
        cr_assert(grove__bytes_equal(grove_buffer_view(&name), view(&document)));
        cr_assert_eq(clock_read, clock);

        grove__key_add_number(&key, part);
        grove_buffer_reset(&name);
        clock_read = 1;
        cr_assert_eq(grove__key_parse_clock_part(grove__key_view(&key), &name,
                                                 &clock_read, &part_read, NULL),
                     GROVE_OK);
        cr_assert(grove__bytes_equal(grove_buffer_view(&name), view(&document)));
        cr_assert_eq(clock_read, clock);
        cr_assert_eq(part_read, part);

        grove_replica replica_read;
        uint64_t sequence = clock % GROVE_DOCUMENT_EVENTS_MAX;
        uint64_t sequence_read = 1;
        grove__key_of_event(&key, view(&document), &replica, sequence);
        cr_assert_eq(grove__key_parse_event(grove__key_view(&key), &name, &replica_read,
                                            &sequence_read, NULL),
                     GROVE_OK);
        cr_assert(grove__bytes_equal(grove_buffer_view(&name), view(&document)));
        cr_assert(grove__replica_equal(&replica_read, &replica));
        cr_assert_eq(sequence_read, sequence);

        grove__key_of_group(&key, view(&document));
        grove__key_add_number(&key, part);
        part_read = 1;
        cr_assert_eq(
            grove__key_parse_group_part(grove__key_view(&key), &name, &part_read, NULL),
            GROVE_OK);
        cr_assert(grove__bytes_equal(grove_buffer_view(&name), view(&document)));
        cr_assert_eq(part_read, part);

        grove__key_of_commit(&key, part);
        part_read = 1;
        cr_assert_eq(grove__key_parse_commit(grove__key_view(&key), &part_read, NULL),
                     GROVE_OK);
        cr_assert_eq(part_read, part);
    }
    grove_buffer_release(&name);
}

/* Parses as one kind and builds the same again. */
typedef grove_status (*reparse)(grove_bytes bytes, grove_buffer *name,
                                grove__key *again_out, grove_error *error_out);

static grove_status reparse_document(grove_bytes bytes, grove_buffer *name,
                                     grove__key *again_out, grove_error *error_out)
{
    grove_status status = grove__key_parse_document(bytes, name, error_out);
    if (status == GROVE_OK) {
        grove__key_of_document(again_out, grove_buffer_view(name));
    }
    return status;
}

static grove_status reparse_clock(grove_bytes bytes, grove_buffer *name,
                                  grove__key *again_out, grove_error *error_out)
{
    uint64_t clock = 4711;
    grove_status status = grove__key_parse_clock(bytes, name, &clock, error_out);
    if (status == GROVE_OK) {
        grove__key_of_clock(again_out, grove_buffer_view(name), clock);
    } else {
        cr_assert_eq(clock, 4711);
    }
    return status;
}

static grove_status reparse_clock_part(grove_bytes bytes, grove_buffer *name,
                                       grove__key *again_out, grove_error *error_out)
{
    uint64_t clock = 4711;
    uint64_t part = 4712;
    grove_status status =
        grove__key_parse_clock_part(bytes, name, &clock, &part, error_out);
    if (status == GROVE_OK) {
        grove__key_of_clock(again_out, grove_buffer_view(name), clock);
        grove__key_add_number(again_out, part);
    } else {
        cr_assert_eq(clock, 4711);
        cr_assert_eq(part, 4712);
    }
    return status;
}

static grove_status reparse_event(grove_bytes bytes, grove_buffer *name,
                                  grove__key *again_out, grove_error *error_out)
{
    grove_replica replica = {47, {11}};
    uint64_t sequence = 4711;
    grove_status status =
        grove__key_parse_event(bytes, name, &replica, &sequence, error_out);
    if (status == GROVE_OK) {
        grove__key_of_event(again_out, grove_buffer_view(name), &replica, sequence);
    } else {
        cr_assert_eq(replica.size, 47);
        cr_assert_eq(replica.bytes[0], 11);
        cr_assert_eq(sequence, 4711);
    }
    return status;
}

static grove_status reparse_group_part(grove_bytes bytes, grove_buffer *name,
                                       grove__key *again_out, grove_error *error_out)
{
    uint64_t part = 4711;
    grove_status status = grove__key_parse_group_part(bytes, name, &part, error_out);
    if (status == GROVE_OK) {
        grove__key_of_group(again_out, grove_buffer_view(name));
        grove__key_add_number(again_out, part);
    } else {
        cr_assert_eq(part, 4711);
    }
    return status;
}

static grove_status reparse_commit(grove_bytes bytes, grove_buffer *name,
                                   grove__key *again_out, grove_error *error_out)
{
    (void)name;
    uint64_t commit = 4711;
    grove_status status = grove__key_parse_commit(bytes, &commit, error_out);
    if (status == GROVE_OK) {
        grove__key_of_commit(again_out, commit);
    } else {
        cr_assert_eq(commit, 4711);
    }
    return status;
}

static const reparse REPARSES[] = {
    reparse_document, reparse_clock,      reparse_clock_part,
    reparse_event,    reparse_group_part, reparse_commit,
};

enum { REPARSE_COUNT = sizeof REPARSES / sizeof *REPARSES };

/* A valid key of each kind, in the order of REPARSES. */
static void build(size_t kind, grove_bytes document, grove__key *key)
{
    grove_replica replica = replica_of(grove_bytes_of("a replica"));
    switch (kind) {
    case 0:
        grove__key_of_document(key, document);
        break;
    case 1:
        grove__key_of_clock(key, document, 77);
        break;
    case 2:
        grove__key_of_clock(key, document, GROVE_DOCUMENT_EVENTS_MAX);
        grove__key_add_number(key, 3);
        break;
    case 3:
        grove__key_of_event(key, document, &replica, 12345678);
        break;
    case 4:
        grove__key_of_group(key, document);
        grove__key_add_number(key, 0);
        break;
    default:
        grove__key_of_commit(key, 99);
        break;
    }
}

/*
 * Every kind of parser on some bytes: it either takes them for a key, and
 * building it again gives exactly these bytes, or says GROVE_CORRUPT with an
 * offset in them and leaves its outputs alone. True: all refused.
 */
static bool refused_by_all_or_exact(grove_bytes bytes)
{
    bool is_refused = true;
    grove_buffer name;
    grove_buffer_init(&name, &grove__allocator_system);
    for (size_t kind = 0; kind < REPARSE_COUNT; kind++) {
        grove__key again;
        grove_error error;
        grove_buffer_reset(&name);
        grove_buffer_append(&name, "before", 6);
        grove_status status = REPARSES[kind](bytes, &name, &again, &error);
        if (status == GROVE_OK) {
            cr_assert(grove__bytes_equal(grove__key_view(&again), bytes));
            is_refused = false;
            continue;
        }
        cr_assert_eq(status, GROVE_CORRUPT);
        cr_assert_eq(error.status, GROVE_CORRUPT);
        cr_assert_leq(error.offset, bytes.size);
        cr_assert_neq(error.message[0], '\0');
        cr_assert(grove__bytes_equal(grove_buffer_view(&name), grove_bytes_of("before")));
    }
    grove_buffer_release(&name);
    return is_refused;
}

static const char *const DOCUMENTS[] = {"d", "12345678", "123456789012345678901234"};

/* On a copy of exactly the key's size: a sanitizer sees a read beyond it. */
static bool refused_on_the_heap(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    cr_assert_not_null(copy);
    memcpy(copy, bytes, size);
    bool is_refused = refused_by_all_or_exact((grove_bytes){copy, size});
    free(copy);
    return is_refused;
}

Test(key, every_truncation_is_refused_or_another_valid_key)
{
    for (size_t kind = 0; kind < REPARSE_COUNT; kind++) {
        for (size_t index = 0; index < sizeof DOCUMENTS / sizeof *DOCUMENTS; index++) {
            grove__key key;
            build(kind, grove_bytes_of(DOCUMENTS[index]), &key);
            cr_assert_not(refused_on_the_heap(key.bytes, key.size));
            for (size_t size = 0; size < key.size; size++) {
                (void)refused_on_the_heap(key.bytes, size);
                grove__key again;
                grove_buffer name;
                grove_buffer_init(&name, &grove__allocator_system);
                cr_assert_eq(
                    REPARSES[kind]((grove_bytes){key.bytes, size}, &name, &again, NULL),
                    GROVE_CORRUPT);
                grove_buffer_release(&name);
            }
        }
    }
}

Test(key, every_change_of_a_byte_is_refused_or_another_valid_key)
{
    for (size_t kind = 0; kind < REPARSE_COUNT; kind++) {
        for (size_t index = 0; index < sizeof DOCUMENTS / sizeof *DOCUMENTS; index++) {
            grove__key key;
            build(kind, grove_bytes_of(DOCUMENTS[index]), &key);
            for (size_t at = 0; at < key.size; at++) {
                uint8_t before = key.bytes[at];
                for (unsigned value = 0; value < 256; value++) {
                    key.bytes[at] = (uint8_t)value;
                    (void)refused_on_the_heap(key.bytes, key.size);
                }
                key.bytes[at] = before;
            }
        }
    }
}

Test(key, what_is_wrong_is_found_where_it_is)
{
    static const struct {
        const char *what;
        const char *bytes;
        size_t size;
        size_t kind;
        uint64_t offset;
        const char *message;
    } cases[] = {
        {"nothing", "", 0, 0, 0, "ends within a group"},
        {"a short group", "abcdefgh", 8, 0, 0, "ends within a group"},
        {"a short second group", "abcdefgh\11abc", 12, 0, 9, "ends within a group"},
        {"a mark over 9", "abcdefgh\12", 9, 0, 8, "mark 10"},
        {"a mark of 255", "abcdefgh\377", 9, 0, 8, "mark 255"},
        {"padding", "abc\0\0\0\0x\3", 9, 0, 7, "padding"},
        {"padding that is no longer string", "abc\0\0\0\0\0\2", 9, 0, 2, "padding"},
        {"the empty string", "\0\0\0\0\0\0\0\0\0", 9, 0, 0, "empty"},
        {"an end that says nothing", "abcdefgh\11\0\0\0\0\0\0\0\0\0", 18, 0, 17,
         "adds nothing"},
        {"bytes left over", "a\0\0\0\0\0\0\0\1x", 10, 0, 9, "1 bytes left over"},
        {"no clock", "a\0\0\0\0\0\0\0\1", 9, 1, 9, "within a number"},
        {"half a clock", "a\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0", 16, 1, 9, "within a number"},
        {"a clock over 2^48", "a\0\0\0\0\0\0\0\1\0\1\0\0\0\0\0\1", 17, 1, 9,
         "281474976710657, over 281474976710656"},
        {"no part", "a\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1", 17, 2, 17, "within a number"},
        {"no replica", "a\0\0\0\0\0\0\0\1", 9, 3, 9, "ends within a group"},
        {"an empty replica", "a\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 26, 3,
         9, "empty"},
        {"a sequence of 2^48", "a\0\0\0\0\0\0\0\1b\0\0\0\0\0\0\0\1\0\1\0\0\0\0\0\0", 26,
         3, 18, "281474976710656, over"},
        {"a commit of nine bytes", "\0\0\0\0\0\0\0\1\0", 9, 5, 8, "left over"},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove_bytes bytes = {(const uint8_t *)cases[index].bytes, cases[index].size};
        grove_error error = {GROVE_OK, 4711, ""};
        grove_buffer name;
        grove__key again;
        grove_buffer_init(&name, &grove__allocator_system);
        cr_assert_eq(REPARSES[cases[index].kind](bytes, &name, &again, &error),
                     GROVE_CORRUPT, "%s", cases[index].what);
        cr_assert_eq(error.offset, cases[index].offset, "%s: offset %llu",
                     cases[index].what, (unsigned long long)error.offset);
        cr_assert_not_null(strstr(error.message, cases[index].message), "%s: %s",
                           cases[index].what, error.message);
        grove_buffer_release(&name);
    }
}

Test(key, a_string_over_its_limit_is_refused_where_it_passes_it)
{
    /* One byte more than allowed, built by hand: 31 groups. */
    uint8_t bytes[31 * 9 + 8] = {0};
    for (size_t group = 0; group < 31; group++) {
        memset(bytes + group * 9, 'x', 8);
        bytes[group * 9 + 8] = 9;
    }
    memset(bytes + 30 * 9, 0, 9);
    bytes[30 * 9] = 'x';
    bytes[30 * 9 + 8] = 1;
    grove_buffer name;
    grove_error error;
    grove_buffer_init(&name, &grove__allocator_system);
    cr_assert_eq(grove__key_parse_document((grove_bytes){bytes, 31 * 9}, &name, &error),
                 GROVE_CORRUPT);
    cr_assert_eq(error.offset, 30 * 9);
    cr_assert_not_null(strstr(error.message, "longer than 240"));

    /* A document of one group, then a replica of 65 bytes. */
    memmove(bytes + 9, bytes, 8 * 9);
    memset(bytes + 9 * 9, 0, 9);
    bytes[8] = 8;
    bytes[9 * 9] = 'x';
    bytes[9 * 9 + 8] = 1;
    grove_replica replica;
    uint64_t sequence;
    cr_assert_eq(grove__key_parse_event((grove_bytes){bytes, 10 * 9 + 8}, &name, &replica,
                                        &sequence, &error),
                 GROVE_CORRUPT);
    cr_assert_eq(error.offset, 9 * 9);
    cr_assert_not_null(strstr(error.message, "longer than 64"));
    grove_buffer_release(&name);
}

Test(key, without_memory_nothing_changes)
{
    grove__key key;
    build(3, grove_bytes_of("document"), &key);
    for (size_t kind = 0; kind < 5; kind++) {
        build(kind, grove_bytes_of("document"), &key);
        for (size_t nth = 1;; nth++) {
            faulty_allocator faulty;
            faulty_allocator_init(&faulty, nth);
            grove_buffer name;
            grove__key again;
            grove_buffer_init(&name, &faulty.allocator);
            grove_status status =
                REPARSES[kind](grove__key_view(&key), &name, &again, NULL);
            if (faulty.has_failed) {
                cr_assert_eq(status, GROVE_NO_MEMORY);
                cr_assert_not(name.failed);
                cr_assert_eq(name.size, 0);
            } else {
                cr_assert_eq(status, GROVE_OK);
            }
            grove_buffer_release(&name);
            faulty_allocator_finish(&faulty);
            if (!faulty.has_failed) {
                break;
            }
        }
    }
}
