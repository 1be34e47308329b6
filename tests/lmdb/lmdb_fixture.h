/* Stores on disk, and the bytes of their files. */
#ifndef GROVE_TESTS_LMDB_FIXTURE_H
#define GROVE_TESTS_LMDB_FIXTURE_H

#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <lmdb.h>

#include <grove/sys/backend.h>

#include "base/alloc.h"
#include "support/temp_dir.h"

static const char *const LMDB_TABLES[] = {"one", "two", "three"};
enum { LMDB_TABLE_COUNT = sizeof LMDB_TABLES / sizeof *LMDB_TABLES };

typedef struct lmdb_fixture {
    const grove_backend *backend;
    temp_dir dir;
    char path[TEMP_DIR_PATH_BYTES]; /* of the store, in `dir` */
    char data[TEMP_DIR_PATH_BYTES]; /* its data.mdb */
    grove_backend_options options;
    grove_error error;
} lmdb_fixture;

static inline void lmdb_fixture_make(lmdb_fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->backend = grove_backend_find("lmdb");
    temp_dir_make(&fixture->dir);
    (void)temp_dir_path(&fixture->dir, "store", fixture->path);
    (void)temp_dir_path(&fixture->dir, "store/data.mdb", fixture->data);
    fixture->options = (grove_backend_options){
        .wait_ms_max = 60000,
        .path = fixture->path,
        .table_names = LMDB_TABLES,
        .table_count = LMDB_TABLE_COUNT,
        .directory_mode = 0700,
        .file_mode = 0600,
        .size_limit_bytes = UINT64_C(1) << 28,
        .durability = GROVE_DURABILITY_NONE,
        .allocator = &grove__allocator_system,
    };
}

static inline void lmdb_fixture_remove(lmdb_fixture *fixture)
{
    temp_dir_remove(&fixture->dir);
}

static inline grove_status lmdb_try_open(lmdb_fixture *fixture, grove_backend_env **env)
{
    memset(&fixture->error, 0, sizeof fixture->error);
    grove_status status = fixture->backend->open(&fixture->options, env, &fixture->error);
    if (status != GROVE_OK) {
        cr_assert_eq(fixture->error.status, status);
        cr_assert_neq(fixture->error.message[0], '\0');
    }
    return status;
}

static inline grove_backend_env *lmdb_open_env(lmdb_fixture *fixture)
{
    grove_backend_env *env = NULL;
    cr_assert_eq(lmdb_try_open(fixture, &env), GROVE_OK, "%s", fixture->error.message);
    return env;
}

static inline grove_backend_txn *lmdb_begin_txn(lmdb_fixture *fixture,
                                                grove_backend_env *env,
                                                grove_txn_mode mode)
{
    grove_backend_txn *txn = NULL;
    cr_assert_eq(fixture->backend->begin(env, mode, &txn, &fixture->error), GROVE_OK,
                 "%s", fixture->error.message);
    return txn;
}

/* Puts `bytes` bytes, each the low byte of `number`, under `number`. */
static inline grove_status lmdb_put_number(lmdb_fixture *fixture, grove_backend_txn *txn,
                                           uint32_t number, size_t bytes)
{
    uint8_t *room;
    grove_bytes key = {(const uint8_t *)&number, sizeof number};
    grove_status status =
        fixture->backend->put(txn, 0, key, bytes, &room, &fixture->error);
    if (status == GROVE_OK) {
        memset(room, (int)(number & 0xff), bytes);
    }
    return status;
}

static inline bool lmdb_has_number(lmdb_fixture *fixture, grove_backend_txn *txn,
                                   uint32_t number)
{
    grove_bytes value;
    grove_bytes key = {(const uint8_t *)&number, sizeof number};
    grove_status status = fixture->backend->get(txn, 0, key, &value, &fixture->error);
    cr_assert(status == GROVE_OK || status == GROVE_NONE, "%s", fixture->error.message);
    for (size_t index = 0; status == GROVE_OK && index < value.size; index++) {
        cr_assert_eq(value.data[index], number & 0xff);
    }
    return status == GROVE_OK;
}

/* A store with the numbers from 0 to `count` - 1, of `bytes` bytes each. */
static inline void lmdb_fill(lmdb_fixture *fixture, uint32_t count, size_t bytes)
{
    grove_backend_env *env = lmdb_open_env(fixture);
    grove_backend_txn *txn = lmdb_begin_txn(fixture, env, GROVE_TXN_WRITE);
    for (uint32_t number = 0; number < count; number++) {
        cr_assert_eq(lmdb_put_number(fixture, txn, number, bytes), GROVE_OK);
    }
    cr_assert_eq(fixture->backend->commit(txn, NULL), GROVE_OK);
    fixture->backend->close(env);
}

/* A whole file; to be freed. */
static inline grove_bytes lmdb_read_file(const char *path)
{
    struct stat about;
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fstat(fileno(file), &about), 0);
    size_t size = (size_t)about.st_size;
    uint8_t *bytes = malloc(size + 1);
    cr_assert_not_null(bytes);
    cr_assert_eq(fread(bytes, 1, size, file), size);
    (void)fclose(file);
    return (grove_bytes){bytes, size};
}

static inline void lmdb_write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

static inline size_t lmdb_count_entries(const char *path)
{
    size_t count = 0;
    DIR *directory = opendir(path);
    cr_assert_not_null(directory, "%s", path);
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(directory);
    return count;
}

static inline bool lmdb_is_there(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

#endif
