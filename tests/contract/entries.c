/* C1: tables, keys, values. C14: outputs and errors. */
#include <stdlib.h>

#include "check.h"

static grove_bytes bytes_of(const char *data, size_t size)
{
    grove_bytes bytes = {(const uint8_t *)data, size};
    return bytes;
}

/* Puts `count` keys, of which the i-th has i as its value, in an order that is
 * not theirs. */
static void put_numbered(grove__check *check, const grove_bytes *keys, size_t count)
{
    uint8_t number[8];
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    /* 7 and count have no common divisor, or one more step is taken. */
    size_t step = count % 7 == 0 ? 5 : 7;
    for (size_t index = 0; index < count; index++) {
        size_t chosen = index * step % count;
        grove__check_put(&txn, 0, keys[chosen], grove__check_number(chosen, number));
    }
    grove__check_commit(&txn);
}

static void check_numbered(grove__check *check, const grove_bytes *keys, size_t count)
{
    uint8_t number[8];
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_READ);
    for (size_t index = 0; index < count; index++) {
        grove__check_holds(&txn, 0, keys[index], grove__check_number(index, number));
    }
    grove__check_abort(&txn);
}

static void check_table_of_functions(grove__check *check)
{
    const grove_backend *backend = check->backend;
    grove__check_that(check, backend->abi == GROVE_BACKEND_ABI, "abi is %u, not %u",
                      backend->abi, GROVE_BACKEND_ABI);
    grove__check_that(check, backend->name != NULL && backend->name[0] != '\0',
                      "the backend has no name");
    grove__check_that(check, backend->key_bytes_max >= 384, "key_bytes_max is %zu",
                      backend->key_bytes_max);
    grove__check_that(check, backend->value_bytes_max >= 1 << 20,
                      "value_bytes_max is %llu",
                      (unsigned long long)backend->value_bytes_max);
    grove__check_that(check, backend->page_bytes > 16, "page_bytes is %u",
                      backend->page_bytes);
    for (const char *letter = backend->name; letter != NULL && *letter != '\0';
         letter++) {
        grove__check_that(
            check, *letter > ' ' && *letter < 0x7f && (*letter < 'A' || *letter > 'Z'),
            "the name is not in lower-case ASCII");
    }
}

static void check_tables_are_apart(grove__check *check)
{
    grove_bytes key = grove_bytes_of("key");
    static const char *const values[] = {"in a", "in b", "in c"};
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    for (uint32_t table = 0; table < GROVE__CHECK_TABLES; table++) {
        grove__check_put(&txn, table, key, grove_bytes_of(values[table]));
    }
    grove__check_commit(&txn);
    for (uint32_t table = 0; table < GROVE__CHECK_TABLES; table++) {
        grove__check_finds(check, table, key, grove_bytes_of(values[table]));
    }
    txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_remove(&txn, 1, key);
    grove__check_commit(&txn);
    grove__check_finds(check, 0, key, grove_bytes_of(values[0]));
    grove__check_misses(check, 1, key);
    grove__check_finds(check, 2, key, grove_bytes_of(values[2]));
}

static void check_any_byte_in_a_key(grove__check *check)
{
    uint8_t letters[256];
    grove_bytes keys[256];
    for (size_t index = 0; index < 256; index++) {
        letters[index] = (uint8_t)index;
        keys[index].data = &letters[index];
        keys[index].size = 1;
    }
    grove__check_open(check, NULL);
    put_numbered(check, keys, 256);
    check_numbered(check, keys, 256);
}

/* In order. */
#define KEY(string)                                   \
    {                                                 \
        (const uint8_t *)(string), sizeof(string) - 1 \
    }
static const grove_bytes EDGE_KEYS[] = {
    KEY("\0"),         KEY("\0\0"),     KEY("\0\0\0"),    KEY("\0\1"),
    KEY("\0a"),        KEY("\1"),       KEY("\1\0"),      KEY("A"),
    KEY("a"),          KEY("a\0"),      KEY("a\0\0"),     KEY("a\0\0\0\0\0\0\0\0"),
    KEY("a\0a"),       KEY("a\0b"),     KEY("a\1"),       KEY("aa"),
    KEY("ab"),         KEY("abcdefg"),  KEY("abcdefgh"),  KEY("abcdefghi"),
    KEY("abcdefgi"),   KEY("b"),        KEY("b\x7f"),     KEY("b\x80"),
    KEY("b\xff"),      KEY("b\xff\0"),  KEY("b\xff\xff"), KEY("c"),
    KEY("\x7f"),       KEY("\x7f\xff"), KEY("\x80"),      KEY("\x80\0"),
    KEY("\xff"),       KEY("\xff\0"),   KEY("\xff\xfe"),  KEY("\xff\xff"),
    KEY("\xff\xff\0"),
};
#undef KEY
enum { EDGE_KEY_COUNT = sizeof EDGE_KEYS / sizeof *EDGE_KEYS };

static void check_keys_with_nuls(grove__check *check)
{
    grove__check_open(check, NULL);
    put_numbered(check, EDGE_KEYS, EDGE_KEY_COUNT);
    check_numbered(check, EDGE_KEYS, EDGE_KEY_COUNT);
    grove__check_misses(check, 0, bytes_of("a\0c", 3));
    grove__check_misses(check, 0, bytes_of("\0\0\0\0", 4));
}

static void check_order_of_keys(grove__check *check)
{
    grove__check_open(check, NULL);
    put_numbered(check, EDGE_KEYS, EDGE_KEY_COUNT);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_cursor cursor = grove__check_cursor_open(&txn, 0);
    grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, EDGE_KEYS[0], EDGE_KEYS[0]);
    for (size_t index = 1; index < EDGE_KEY_COUNT; index++) {
        grove__check_next(&cursor, EDGE_KEYS[index]);
    }
    grove__check_next(&cursor, grove__check_empty());
    grove__check_cursor_close(&cursor);
    grove__check_abort(&txn);
}

/* Values of every size near an edge of anything; the sizes end with 0. */
static void fill_sizes(const grove_backend *backend, size_t sizes[40])
{
    size_t page = backend->page_bytes;
    const size_t chosen[] = {
        1,
        2,
        7,
        8,
        9,
        255,
        256,
        257,
        page / 4,
        page / 2,
        page - 17,
        page - 16,
        page - 15,
        page - 1,
        page,
        page + 1,
        2 * page - 16,
        2 * page - 15,
        3 * page - 16,
        3 * page,
        16 * page - 16,
        16 * page,
        65535,
        65536,
        100000,
        (1 << 20) - 1,
        1 << 20,
    };
    memset(sizes, 0, 40 * sizeof *sizes);
    memcpy(sizes, chosen, sizeof chosen);
}

static void check_sizes_of_values(grove__check *check)
{
    size_t sizes[40];
    uint8_t key[8];
    fill_sizes(check->backend, sizes);
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    for (size_t index = 0; sizes[index] > 0; index++) {
        uint8_t *data = grove__check_bytes(sizes[index], index);
        grove_bytes value = {data, sizes[index]};
        grove__check_put(&txn, 0, grove__check_number(index, key), value);
        grove__check_holds(&txn, 0, grove__check_number(index, key), value);
        free(data);
    }
    grove__check_commit(&txn);
    txn = grove__check_begin(check, GROVE_TXN_READ);
    for (size_t index = 0; sizes[index] > 0; index++) {
        uint8_t *data = grove__check_bytes(sizes[index], index);
        grove_bytes value = {data, sizes[index]};
        grove__check_holds(&txn, 0, grove__check_number(index, key), value);
        free(data);
    }
    grove__check_abort(&txn);
}

static void check_empty_values(grove__check *check)
{
    grove_bytes key = grove_bytes_of("key");
    grove_bytes found = {NULL, 1};
    grove__check_open(check, NULL);
    grove__check_save(check, 0, key, grove__check_empty());
    grove__check_finds(check, 0, key, grove__check_empty());
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_cursor cursor = grove__check_cursor_open(&txn, 0);
    grove_bytes given;
    if (!grove__check_has_failed(check)) {
        grove__check_status(
            check,
            grove__check_try_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, key, &given, &found),
            GROVE_OK, "a seek to an entry with an empty value");
        grove__check_that(check, found.size == 0, "a cursor gave %zu bytes, not 0",
                          found.size);
    }
    grove__check_cursor_close(&cursor);
    grove__check_abort(&txn);
    grove__check_save(check, 0, key, grove_bytes_of("full"));
    grove__check_finds(check, 0, key, grove_bytes_of("full"));
    grove__check_save(check, 0, key, grove__check_empty());
    grove__check_finds(check, 0, key, grove__check_empty());
}

static void check_replacing(grove__check *check)
{
    static const size_t sizes[] = {10, 9, 11, 0, 1 << 17, 5, 1 << 17, (1 << 17) + 1, 64};
    grove_bytes key = grove_bytes_of("replaced");
    grove__check_open(check, NULL);
    grove__check_save(check, 0, grove_bytes_of("before"), grove_bytes_of("1"));
    grove__check_save(check, 0, grove_bytes_of("s"), grove_bytes_of("2"));
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        uint8_t *data = grove__check_bytes(sizes[index], index);
        grove_bytes value = {data, sizes[index]};
        grove__check_save(check, 0, key, value);
        grove__check_finds(check, 0, key, value);
        free(data);
    }
    grove__check_finds(check, 0, grove_bytes_of("before"), grove_bytes_of("1"));
    grove__check_finds(check, 0, grove_bytes_of("s"), grove_bytes_of("2"));
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_cursor cursor = grove__check_cursor_open(&txn, 0);
    grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, key, key);
    grove__check_next(&cursor, grove_bytes_of("s"));
    grove__check_cursor_close(&cursor);
    grove__check_abort(&txn);
}

static void check_removing(grove__check *check)
{
    enum { COUNT = 3000 };
    uint8_t key[8];
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    for (uint64_t number = 0; number < COUNT; number++) {
        grove_bytes name = grove__check_number(number * 7 % COUNT, key);
        grove__check_put(&txn, 0, name, name);
    }
    for (uint64_t number = 0; number < COUNT; number++) {
        if (number % 3 != 0) {
            grove__check_remove(&txn, 0, grove__check_number(number, key));
        }
    }
    grove__check_commit(&txn);
    txn = grove__check_begin(check, GROVE_TXN_WRITE);
    for (uint64_t number = 0; number < COUNT && !grove__check_has_failed(check);
         number++) {
        grove_bytes name = grove__check_number(number, key);
        if (number % 3 == 0) {
            grove__check_holds(&txn, 0, name, name);
            continue;
        }
        grove__check_status(check, grove__check_try_remove(&txn, 0, name), GROVE_NONE,
                            "remove of an entry that is gone");
    }
    grove__check_put(&txn, 0, grove__check_number(1, key), grove_bytes_of("again"));
    grove__check_commit(&txn);
    grove__check_finds(check, 0, grove__check_number(1, key), grove_bytes_of("again"));
}

static void check_limits_of_keys(grove__check *check)
{
    size_t max = check->backend->key_bytes_max;
    uint8_t *data = grove__check_bytes(max + 1, 1);
    grove_bytes key = {data, max};
    grove_bytes shorter = {data, max - 1};
    grove_bytes longer = {data, max + 1};
    grove__check_open(check, NULL);
    grove__check_save(check, 0, shorter, grove_bytes_of("minus one"));
    grove__check_save(check, 0, key, grove_bytes_of("at"));
    data[max - 1] ^= 1;
    grove__check_save(check, 0, key, grove_bytes_of("other"));
    data[max - 1] ^= 1;
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&txn, 0, grove_bytes_of("k"), grove_bytes_of("kept"));
    if (!grove__check_has_failed(check)) {
        grove__check_status(check, grove__check_try_put_room(&txn, 0, longer, 1),
                            GROVE_LIMIT, "put of a key over the limit");
        grove__check_status(check,
                            grove__check_try_put_room(&txn, 0, grove__check_empty(), 1),
                            GROVE_LIMIT, "put of an empty key");
    }
    grove__check_commit(&txn);
    grove__check_finds(check, 0, grove_bytes_of("k"), grove_bytes_of("kept"));
    grove__check_finds(check, 0, shorter, grove_bytes_of("minus one"));
    grove__check_finds(check, 0, key, grove_bytes_of("at"));
    data[max - 1] ^= 1;
    grove__check_finds(check, 0, key, grove_bytes_of("other"));
    free(data);
}

static void check_limits_of_values(grove__check *check)
{
    /* Larger limits than this are taken on trust. */
    enum { TRIED_BYTES_MAX = 16 << 20 };
    uint64_t max = check->backend->value_bytes_max;
    uint8_t *data = grove__check_bytes(TRIED_BYTES_MAX, 1);
    grove_bytes key = grove_bytes_of("key");
    grove__check_open(check, NULL);
    for (size_t less = 0; less < 2 && max <= TRIED_BYTES_MAX; less++) {
        grove_bytes value = {data, (size_t)max - less};
        grove__check_save(check, 0, key, value);
        grove__check_finds(check, 0, key, value);
    }
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&txn, 0, grove_bytes_of("k"), grove_bytes_of("kept"));
    if (!grove__check_has_failed(check) && max < SIZE_MAX) {
        grove__check_status(check,
                            grove__check_try_put_room(&txn, 0, key, (size_t)max + 1),
                            GROVE_LIMIT, "put of a value over the limit");
    }
    grove__check_commit(&txn);
    grove__check_finds(check, 0, grove_bytes_of("k"), grove_bytes_of("kept"));
    if (max <= TRIED_BYTES_MAX) {
        grove_bytes value = {data, (size_t)max - 1};
        grove__check_finds(check, 0, key, value);
    }
    free(data);
}

static void check_tables_by_name(grove__check *check)
{
    static const char *const other_names[] = {"c", "new", "a", "b"};
    static const uint32_t places[] = {2, 3, 0};
    grove_bytes key = grove_bytes_of("key");
    static const char *const values[] = {"in a", "in b", "in c"};
    grove__check_open(check, NULL);
    for (uint32_t table = 0; table < GROVE__CHECK_TABLES; table++) {
        grove__check_save(check, table, key, grove_bytes_of(values[table]));
    }
    grove_backend_options options = grove__check_options(check);
    options.table_names = other_names;
    options.table_count = 4;
    grove__check_reopen(check, &options);
    for (uint32_t table = 0; table < GROVE__CHECK_TABLES; table++) {
        grove__check_finds(check, places[table], key, grove_bytes_of(values[table]));
    }
    grove__check_misses(check, 1, key);
    grove__check_save(check, 1, key, grove_bytes_of("in new"));
    grove__check_reopen(check, NULL);
    for (uint32_t table = 0; table < GROVE__CHECK_TABLES; table++) {
        grove__check_finds(check, table, key, grove_bytes_of(values[table]));
    }
    grove__check_reopen(check, &options);
    grove__check_finds(check, 1, key, grove_bytes_of("in new"));
}

/* C14: every call is watched anyway; here each fails in turn. */
static void check_outputs_of_failures(grove__check *check)
{
    grove_bytes key = grove_bytes_of("none");
    grove_bytes value;
    grove_bytes given;
    grove_backend_options options = grove__check_options(check);
    options.must_exist = true;
    (void)grove__check_try_open(check, &options, &check->env);
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_cursor cursor = grove__check_cursor_open(&txn, 0);
    if (!grove__check_has_failed(check)) {
        (void)grove__check_try_get(&txn, 0, key, &value);
        (void)grove__check_try_remove(&txn, 0, key);
        (void)grove__check_try_put_room(&txn, 0, grove__check_empty(), 1);
        (void)grove__check_try_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, key, &given, &value);
        (void)grove__check_try_seek(&cursor, GROVE_SEEK_BEFORE, key, &given, &value);
    }
    grove__check_put(&txn, 0, key, key);
    grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, key, key);
    grove__check_next(&cursor, grove__check_empty());
    grove__check_cursor_close(&cursor);
    grove__check_commit(&txn);
}

/* C14: whoever wants no detail passes NULL. */
static void check_no_error_wanted(grove__check *check)
{
    grove_bytes key = grove_bytes_of("none");
    grove_bytes value;
    uint8_t *room;
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    if (!grove__check_has_failed(check)) {
        const grove_backend *backend = check->backend;
        grove__check_status(check, backend->get(txn.txn, 0, key, &value, NULL),
                            GROVE_NONE, "get without an error");
        grove__check_status(check, backend->remove(txn.txn, 0, key, NULL), GROVE_NONE,
                            "remove without an error");
        grove__check_status(
            check, backend->put(txn.txn, 0, grove__check_empty(), 1, &room, NULL),
            GROVE_LIMIT, "put of an empty key without an error");
    }
    grove__check_abort(&txn);
}

const grove__check_case grove__contract_entries[] = {
    {1, "the table of functions states its limits", check_table_of_functions},
    {1, "tables are apart", check_tables_are_apart},
    {1, "any byte may stand in a key", check_any_byte_in_a_key},
    {1, "a NUL in a key is a byte like any other", check_keys_with_nuls},
    {1, "keys compare as unsigned bytes, a prefix first", check_order_of_keys},
    {1, "values of every size come back", check_sizes_of_values},
    {1, "a value may be empty", check_empty_values},
    {1, "a put replaces what was there", check_replacing},
    {1, "what is removed is gone, and nothing else", check_removing},
    {1, "keys keep to the limit", check_limits_of_keys},
    {1, "values keep to the limit", check_limits_of_values},
    {1, "tables are known by name", check_tables_by_name},
    {14, "outputs are written on success only", check_outputs_of_failures},
    {14, "an error that nobody wants is not written", check_no_error_wanted},
    {0, NULL, NULL},
};
