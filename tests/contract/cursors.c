/* C8: cursors. */
#include <stdlib.h>

#include "check.h"

enum { MANY = 4000 };

/* Table 0 gets "b", "d", "f", … with the key as value. */
static const char *const LETTERS[] = {"b", "d", "f", "h", "j", "l"};
enum { LETTER_COUNT = sizeof LETTERS / sizeof *LETTERS };

static void open_with_letters(grove__check *check)
{
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    for (size_t index = 0; index < LETTER_COUNT; index++) {
        grove_bytes letter = grove_bytes_of(LETTERS[index]);
        grove__check_put(&txn, 0, letter, letter);
    }
    grove__check_commit(&txn);
}

static void check_seeks(grove__check *check)
{
    static const struct {
        const char *key;
        const char *at_or_after; /* "": none */
        const char *before;
    } cases[] = {
        {"", "b", "l"},    {"a", "b", ""},  {"b", "b", ""},  {"b0", "d", "b"},
        {"c", "d", "b"},   {"d", "d", "b"}, {"e", "f", "d"}, {"k", "l", "j"},
        {"l", "l", "j"},   {"l0", "", "l"}, {"m", "", "l"},  {"\xff", "", "l"},
        {"\x01", "b", ""},
    };
    open_with_letters(check);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_cursor cursor = grove__check_cursor_open(&txn, 0);
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove_bytes key = grove_bytes_of(cases[index].key);
        grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, key,
                          grove_bytes_of(cases[index].at_or_after));
        grove__check_seek(&cursor, GROVE_SEEK_BEFORE, key,
                          grove_bytes_of(cases[index].before));
    }
    grove__check_cursor_close(&cursor);
    cursor = grove__check_cursor_open(&txn, 1);
    grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove__check_empty(),
                      grove__check_empty());
    grove__check_seek(&cursor, GROVE_SEEK_BEFORE, grove__check_empty(),
                      grove__check_empty());
    grove__check_seek(&cursor, GROVE_SEEK_BEFORE, grove_bytes_of("z"),
                      grove__check_empty());
    grove__check_cursor_close(&cursor);
    grove__check_abort(&txn);
}

static void check_walks(grove__check *check)
{
    open_with_letters(check);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_cursor cursor = grove__check_cursor_open(&txn, 0);
    for (size_t first = 0; first < LETTER_COUNT; first++) {
        grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove_bytes_of(LETTERS[first]),
                          grove_bytes_of(LETTERS[first]));
        for (size_t index = first + 1; index < LETTER_COUNT; index++) {
            grove__check_next(&cursor, grove_bytes_of(LETTERS[index]));
        }
        grove__check_next(&cursor, grove__check_empty());
    }
    /* On from the place a seek backwards found; and after a failed seek. */
    grove__check_seek(&cursor, GROVE_SEEK_BEFORE, grove_bytes_of("e"),
                      grove_bytes_of("d"));
    grove__check_next(&cursor, grove_bytes_of("f"));
    grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove_bytes_of("z"),
                      grove__check_empty());
    grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove_bytes_of("g"),
                      grove_bytes_of("h"));
    grove__check_next(&cursor, grove_bytes_of("j"));
    grove__check_seek(&cursor, GROVE_SEEK_BEFORE, grove__check_empty(),
                      grove_bytes_of("l"));
    grove__check_next(&cursor, grove__check_empty());
    grove__check_cursor_close(&cursor);
    grove__check_abort(&txn);
}

static void check_values(grove__check *check)
{
    enum { BYTES = 70000 };
    uint8_t key[8];
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    uint8_t *data = grove__check_bytes(BYTES, 3);
    for (size_t size = 0; size < BYTES; size = size * 3 + 1) {
        grove_bytes value = {data, size};
        grove__check_put(&txn, 0, grove__check_number(size, key), value);
    }
    grove__check_cursor cursor = grove__check_cursor_open(&txn, 0);
    grove_bytes given;
    grove_bytes value;
    grove_status status = GROVE_OK;
    for (size_t size = 0; size < BYTES && !grove__check_has_failed(check);
         size = size * 3 + 1) {
        grove_bytes wanted = {data, size};
        status = size == 0 ? grove__check_try_seek(&cursor, GROVE_SEEK_AT_OR_AFTER,
                                                   grove__check_empty(), &given, &value)
                           : grove__check_try_next(&cursor, &given, &value);
        grove__check_status(check, status, GROVE_OK, "a walk over values");
        grove__check_that(check, status != GROVE_OK || grove__check_equal(value, wanted),
                          "a cursor gave another value than the one of %zu bytes", size);
    }
    grove__check_cursor_close(&cursor);
    grove__check_abort(&txn);
    free(data);
}

static void check_own_changes(grove__check *check)
{
    open_with_letters(check);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_cursor cursor = grove__check_cursor_open(&txn, 0);
    grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove_bytes_of("b"),
                      grove_bytes_of("b"));
    grove__check_put(&txn, 0, grove_bytes_of("c"), grove_bytes_of("new"));
    grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove_bytes_of("b"),
                      grove_bytes_of("b"));
    grove__check_next(&cursor, grove_bytes_of("c"));
    grove__check_remove(&txn, 0, grove_bytes_of("d"));
    grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove_bytes_of("d"),
                      grove_bytes_of("f"));
    grove__check_remove(&txn, 0, grove_bytes_of("l"));
    grove__check_seek(&cursor, GROVE_SEEK_BEFORE, grove__check_empty(),
                      grove_bytes_of("j"));
    grove__check_cursor_close(&cursor);
    grove__check_abort(&txn);
}

/* The way to remove what begins with a prefix. */
static void check_removing_on_the_way(grove__check *check)
{
    uint8_t key[8];
    uint8_t first[8];
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    for (uint64_t number = 0; number < MANY; number++) {
        grove__check_put(&txn, 0, grove__check_number(number, key), grove_bytes_of("v"));
    }
    grove__check_cursor cursor = grove__check_cursor_open(&txn, 0);
    for (uint64_t number = 1000; number < 3000; number++) {
        grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER,
                          grove__check_number(1000, first),
                          grove__check_number(number, key));
        grove__check_remove(&txn, 0, grove__check_number(number, key));
    }
    grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove__check_number(1000, first),
                      grove__check_number(3000, key));
    grove__check_seek(&cursor, GROVE_SEEK_BEFORE, grove__check_number(3000, first),
                      grove__check_number(999, key));
    grove__check_cursor_close(&cursor);
    grove__check_commit(&txn);
}

static void check_several_cursors(grove__check *check)
{
    open_with_letters(check);
    grove__check_save(check, 1, grove_bytes_of("x"), grove_bytes_of("y"));
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_cursor first = grove__check_cursor_open(&txn, 0);
    grove__check_cursor second = grove__check_cursor_open(&txn, 0);
    grove__check_cursor third = grove__check_cursor_open(&txn, 1);
    grove__check_seek(&first, GROVE_SEEK_AT_OR_AFTER, grove_bytes_of("b"),
                      grove_bytes_of("b"));
    grove__check_seek(&second, GROVE_SEEK_AT_OR_AFTER, grove_bytes_of("j"),
                      grove_bytes_of("j"));
    grove__check_seek(&third, GROVE_SEEK_AT_OR_AFTER, grove__check_empty(),
                      grove_bytes_of("x"));
    grove__check_next(&first, grove_bytes_of("d"));
    grove__check_holds(&txn, 0, grove_bytes_of("l"), grove_bytes_of("l"));
    grove__check_next(&second, grove_bytes_of("l"));
    grove__check_next(&first, grove_bytes_of("f"));
    grove__check_next(&third, grove__check_empty());
    grove__check_cursor_close(&second);
    grove__check_lacks(&txn, 0, grove_bytes_of("g"));
    grove__check_next(&first, grove_bytes_of("h"));
    grove__check_cursor_close(&first);
    grove__check_cursor_close(&third);
    grove__check_abort(&txn);
}

static void check_undisturbed(grove__check *check)
{
    open_with_letters(check);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_cursor cursor = grove__check_cursor_open(&txn, 0);
    grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove_bytes_of("d"),
                      grove_bytes_of("d"));
    grove__check_txn writer = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&writer, 0, grove_bytes_of("e"), grove_bytes_of("new"));
    grove__check_remove(&writer, 0, grove_bytes_of("f"));
    grove__check_remove(&writer, 0, grove_bytes_of("d"));
    grove__check_commit(&writer);
    grove__check_next(&cursor, grove_bytes_of("f"));
    grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove_bytes_of("d"),
                      grove_bytes_of("d"));
    grove__check_cursor_close(&cursor);
    grove__check_abort(&txn);
}

/* Even numbers are there: each seek, at and beside each entry. */
static void check_many(grove__check *check)
{
    uint8_t key[8];
    uint8_t wanted[8];
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    for (uint64_t number = 0; number < MANY; number++) {
        uint64_t even = 2 * (number * 7 % MANY) + 2;
        grove__check_put(&txn, 0, grove__check_number(even, key), grove_bytes_of("v"));
    }
    grove__check_commit(&txn);
    txn = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_cursor cursor = grove__check_cursor_open(&txn, 0);
    grove_bytes none = grove__check_empty();
    for (uint64_t number = 0; number <= 2 * MANY + 2; number++) {
        uint64_t after = number < 2 ? 2 : number + number % 2;
        grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER,
                          grove__check_number(number, key),
                          after <= 2 * MANY ? grove__check_number(after, wanted) : none);
        if (after + 2 <= 2 * MANY) {
            grove__check_next(&cursor, grove__check_number(after + 2, wanted));
        }
        uint64_t before = number < 3 ? 0 : number - 2 + number % 2;
        grove__check_seek(&cursor, GROVE_SEEK_BEFORE, grove__check_number(number, key),
                          before > 0 ? grove__check_number(before, wanted) : none);
    }
    grove__check_seek(&cursor, GROVE_SEEK_BEFORE, none,
                      grove__check_number(2 * MANY, wanted));
    grove__check_cursor_close(&cursor);
    grove__check_abort(&txn);
}

const grove__check_case grove__contract_cursors[] = {
    {8, "seeks find the entry at, after or before a key", check_seeks},
    {8, "next goes through all entries in order and ends", check_walks},
    {8, "a cursor gives the values that were put", check_values},
    {8, "a cursor sees its transaction's changes", check_own_changes},
    {8, "entries can be removed on the way", check_removing_on_the_way},
    {8, "cursors of a transaction have a place each", check_several_cursors},
    {8, "commits of others do not move a cursor", check_undisturbed},
    {8, "seeks are right among many entries", check_many},
    {0, NULL, NULL},
};
