/* What kv does with a backend that breaks its contract (K2, K3). */
#include "kv_fixture.h"

/* What the lying cursor adds to the first byte of the keys it gives. */
static int lie_of_seek;
static int lie_of_next;
static uint8_t lie_key[GROVE__KV_KEY_BYTES_MAX];

static grove_bytes lie(grove_bytes key, int by)
{
    memcpy(lie_key, key.data, key.size);
    lie_key[0] = (uint8_t)(lie_key[0] + by);
    return (grove_bytes){lie_key, key.size};
}

static grove_status lying_seek(grove_backend_cursor *cursor, grove_seek seek,
                               grove_bytes key, grove_bytes *key_out,
                               grove_bytes *value_out, grove_error *error_out)
{
    grove_status status = grove_backend_find("lmdb")->cursor_seek(
        cursor, seek, key, key_out, value_out, error_out);
    if (status == GROVE_OK) {
        *key_out = lie(*key_out, lie_of_seek);
    }
    return status;
}

static grove_status lying_next(grove_backend_cursor *cursor, grove_bytes *key_out,
                               grove_bytes *value_out, grove_error *error_out)
{
    grove_status status =
        grove_backend_find("lmdb")->cursor_next(cursor, key_out, value_out, error_out);
    if (status == GROVE_OK) {
        *key_out = lie(*key_out, lie_of_next);
    }
    return status;
}

Test(kv, a_cursor_that_gives_wrong_keys_is_corrupt_and_fails_a_write)
{
    static const struct {
        grove_seek seek;
        const char *key;
        int of_seek, of_next;
        grove_status sought, next;
    } LIES[] = {
        {GROVE_SEEK_AT_OR_AFTER, "b", 0, 0, GROVE_OK, GROVE_OK},
        {GROVE_SEEK_AT_OR_AFTER, "b", -1, 0, GROVE_CORRUPT, GROVE_FAILED},
        {GROVE_SEEK_BEFORE, "c", 1, 0, GROVE_CORRUPT, GROVE_FAILED},
        {GROVE_SEEK_BEFORE, "c", 0, -1, GROVE_OK, GROVE_CORRUPT},
        {GROVE_SEEK_AT_OR_AFTER, "b", 0, -2, GROVE_OK, GROVE_CORRUPT},
    };
    kv_fixture fixture;
    kv_fixture_prepare(&fixture, "lmdb");
    grove_backend liar = *fixture.backend;
    liar.cursor_seek = lying_seek;
    liar.cursor_next = lying_next;
    fixture.backend = &liar;
    kv_fixture_open(&fixture);
    for (size_t index = 0; index < sizeof LIES / sizeof *LIES; index++) {
        grove__txn txn;
        grove__cursor cursor;
        grove_error error;
        grove_bytes key;
        grove_bytes value;
        lie_of_seek = LIES[index].of_seek;
        lie_of_next = LIES[index].of_next;
        kv_begin(&fixture, GROVE_TXN_WRITE, &txn);
        kv_put(&txn, "b", "1");
        kv_put(&txn, "c", "2");
        cr_assert_eq(grove__cursor_open(&txn, GROVE__TABLE_GROUPS, &cursor, NULL),
                     GROVE_OK);
        cr_assert_eq(grove__cursor_seek(&cursor, LIES[index].seek,
                                        grove_bytes_of(LIES[index].key), &key, &value,
                                        &error),
                     LIES[index].sought);
        cr_assert_eq(grove__cursor_next(&cursor, &key, &value, &error), LIES[index].next);
        cr_assert_eq(txn.failed, LIES[index].next != GROVE_OK);
        grove__cursor_close(&cursor);
        grove__txn_abort(&txn);
    }
    grove__kv_close(&fixture.kv);
    temp_dir_remove(&fixture.dir);
}

/* What the next lie is made of, whatever was asked for. */
static grove_bytes false_key;
static grove_bytes false_value;

static grove_status false_get(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                              grove_bytes *value_out, grove_error *error_out)
{
    (void)txn;
    (void)table;
    (void)key;
    (void)error_out;
    *value_out = false_value;
    return GROVE_OK;
}

static grove_status false_seek(grove_backend_cursor *cursor, grove_seek seek,
                               grove_bytes key, grove_bytes *key_out,
                               grove_bytes *value_out, grove_error *error_out)
{
    (void)cursor;
    (void)seek;
    (void)key;
    (void)error_out;
    *key_out = false_key;
    *value_out = false_value;
    return GROVE_OK;
}

Test(kv, keys_and_values_beyond_their_limits_are_corrupt_and_not_touched)
{
    static const uint8_t long_key[GROVE__KV_KEY_BYTES_MAX + 1] = "a";
    const grove_bytes key = {long_key, 1};
    const struct {
        grove_bytes key, value;
        grove_status got, sought;
    } LIES[] = {
        {key, {long_key, 1}, GROVE_OK, GROVE_OK},
        {key, {NULL, 0}, GROVE_OK, GROVE_OK},
        {key, {NULL, 1}, GROVE_CORRUPT, GROVE_CORRUPT},
        {key, {long_key, (size_t)1 << 31}, GROVE_CORRUPT, GROVE_CORRUPT},
        {{NULL, 0}, {long_key, 1}, GROVE_OK, GROVE_CORRUPT},
        {{NULL, 1}, {long_key, 1}, GROVE_OK, GROVE_CORRUPT},
        {{long_key, 384}, {long_key, 1}, GROVE_OK, GROVE_OK},
        {{long_key, 385}, {long_key, 1}, GROVE_OK, GROVE_CORRUPT},
    };
    kv_fixture fixture;
    kv_fixture_prepare(&fixture, "lmdb");
    grove_backend liar = *fixture.backend;
    liar.get = false_get;
    liar.cursor_seek = false_seek;
    fixture.backend = &liar;
    kv_fixture_open(&fixture);
    for (size_t index = 0; index < sizeof LIES / sizeof *LIES; index++) {
        grove__txn txn;
        grove__cursor cursor;
        grove_bytes found;
        grove_bytes value;
        false_key = LIES[index].key;
        false_value = LIES[index].value;
        kv_begin(&fixture, GROVE_TXN_READ, &txn);
        cr_assert_eq(grove__kv_get(&txn, GROVE__TABLE_META, key, &value, NULL),
                     LIES[index].got, "%zu", index);
        cr_assert_eq(grove__cursor_open(&txn, GROVE__TABLE_META, &cursor, NULL),
                     GROVE_OK);
        cr_assert_eq(grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, key, &found,
                                        &value, NULL),
                     LIES[index].sought, "%zu", index);
        grove__cursor_close(&cursor);
        grove__txn_abort(&txn);
    }
    grove__kv_close(&fixture.kv);
    temp_dir_remove(&fixture.dir);
}

static grove_status silent_sync(grove_backend_env *env, grove_error *error_out)
{
    (void)env;
    (void)error_out;
    return GROVE_IO;
}

Test(kv, a_failure_never_comes_without_a_sentence)
{
    kv_fixture fixture;
    grove_error error = {.status = GROVE_OK};
    kv_fixture_prepare(&fixture, "lmdb");
    grove_backend silent = *fixture.backend;
    silent.sync = silent_sync;
    fixture.backend = &silent;
    kv_fixture_open(&fixture);
    cr_assert_eq(grove__kv_sync(&fixture.kv, &error), GROVE_IO);
    cr_assert_eq(error.status, GROVE_IO);
    cr_assert_neq(error.message[0], '\0');
    cr_assert_eq(grove__kv_sync(&fixture.kv, NULL), GROVE_IO);
    grove__kv_close(&fixture.kv);
    temp_dir_remove(&fixture.dir);
}

Test(kv, a_backend_outside_its_contract_is_refused)
{
    kv_fixture fixture;
    kv_fixture_prepare(&fixture, "lmdb");
    const grove_backend *good = fixture.backend;
    grove_backend bad[7];
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++) {
        bad[index] = *good;
    }
    bad[0].abi = GROVE_BACKEND_ABI + 1;
    bad[1].name = NULL;
    bad[2].remove = NULL;
    bad[3].key_bytes_max = 383;
    bad[4].value_bytes_max = (1u << 20) - 1;
    bad[5].page_bytes = 511;
    bad[6].page_bytes = 65537;
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++) {
        grove__kv kv;
        grove_error error = {.status = GROVE_OK};
        cr_assert_eq(grove__kv_open(&bad[index], &fixture.options, &kv, &error),
                     GROVE_INVALID, "%zu", index);
        cr_assert_eq(error.status, GROVE_INVALID);
    }
    temp_dir_remove(&fixture.dir);
}
