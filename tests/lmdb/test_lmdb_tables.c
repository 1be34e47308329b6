#include "lmdb_fixture.h"

#include "lmdb/lmdb_tables.h"

static grove_backend_options options_of(const char *const *names, uint32_t count)
{
    return (grove_backend_options){.table_names = names, .table_count = count};
}

Test(lmdb_tables, sets_of_names_are_equal_name_by_name)
{
    static const char *const names[] = {"one", "two", "three"};
    static const char *const turned[] = {"two", "one", "three"};
    static const char *const joined[] = {"onetwo", "three"};
    static const char *const longer[] = {"one", "two", "three", ""};
    static const char *const shorter[] = {"one", "two", "thre"};
    const struct {
        const char *const *names;
        uint32_t count;
        bool are_equal;
    } cases[] = {{names, 3, true},   {turned, 3, false},  {joined, 2, false},
                 {longer, 4, false}, {shorter, 3, false}, {names, 2, false},
                 {names, 0, false}};
    char kept[64];
    grove_backend_options options = options_of(names, 3);
    size_t bytes = grove__lmdb_names_bytes(&options);
    cr_assert_eq(bytes, strlen("one") + strlen("two") + strlen("three") + 3);
    grove__lmdb_names_copy(&options, kept);
    cr_assert_arr_eq(kept, "one\0two\0three", bytes);
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        options = options_of(cases[index].names, cases[index].count);
        cr_expect_eq(grove__lmdb_names_equal(&options, kept, bytes),
                     cases[index].are_equal, "case %zu", index);
    }
}

/* Opens the tables of an environment that has these entries in its main one. */
static grove_status open_tables(const char *entry, bool must_exist, grove_error *error)
{
    static const char *const names[] = {"one", "two"};
    temp_dir dir;
    MDB_env *mdb;
    MDB_txn *txn;
    MDB_dbi main_table;
    MDB_dbi tables[2];
    temp_dir_make(&dir);
    cr_assert_eq(mdb_env_create(&mdb), 0);
    cr_assert_eq(mdb_env_set_maxdbs(mdb, 4), 0);
    cr_assert_eq(mdb_env_open(mdb, dir.path, 0, 0600), 0);
    if (entry != NULL) {
        char word[16] = "";
        MDB_val val = {strlen(entry), word};
        memcpy(word, entry, strlen(entry));
        cr_assert_eq(mdb_txn_begin(mdb, NULL, 0, &txn), 0);
        cr_assert_eq(mdb_dbi_open(txn, NULL, 0, &main_table), 0);
        cr_assert_eq(mdb_put(txn, main_table, &val, &val, 0), 0);
        cr_assert_eq(mdb_txn_commit(txn), 0);
    }
    grove_backend_options options = options_of(names, 2);
    options.path = dir.path;
    options.must_exist = must_exist;
    grove_status status = grove__lmdb_tables_open(mdb, &options, tables, error);
    if (status == GROVE_OK) {
        cr_assert_neq(tables[0], tables[1]);
        /* The second time there is nothing to make. */
        cr_assert_eq(grove__lmdb_tables_open(mdb, &options, tables, error), GROVE_OK);
    }
    mdb_env_close(mdb);
    temp_dir_remove(&dir);
    return status;
}

Test(lmdb_tables, are_made_in_what_is_empty_and_in_nothing_else)
{
    grove_error error = {.status = GROVE_OK};
    cr_assert_eq(open_tables(NULL, false, &error), GROVE_OK);
    cr_assert_eq(open_tables(NULL, true, &error), GROVE_NONE);
    cr_assert_not_null(strstr(error.message, "there is no store"));
    cr_assert_eq(open_tables("other", false, &error), GROVE_INVALID);
    cr_assert_not_null(strstr(error.message, "of another program"));
    cr_assert_eq(open_tables("other", true, &error), GROVE_INVALID);
    cr_assert_eq(open_tables("two", false, &error), GROVE_INVALID);
    cr_assert_not_null(strstr(error.message, "something else under the name"));
}

Test(lmdb_tables, one_that_is_missing_is_not_made_where_nothing_is_to_be_written)
{
    static const char *const more[] = {"one", "two", "three", "four"};
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 10, 10);
    grove_bytes before = lmdb_read_file(fixture.data);
    grove_backend_env *env = NULL;
    fixture.options.table_names = more;
    fixture.options.table_count = 4;
    fixture.options.must_exist = true;
    fixture.options.may_be_damaged = true;
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_CORRUPT);
    fixture.options.table_names = LMDB_TABLES;
    fixture.options.table_count = LMDB_TABLE_COUNT;
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_OK);
    fixture.backend->close(env);
    grove_bytes after = lmdb_read_file(fixture.data);
    cr_assert_eq(after.size, before.size);
    cr_assert_eq(memcmp(after.data, before.data, after.size), 0);
    free((void *)(uintptr_t)before.data);
    free((void *)(uintptr_t)after.data);
    lmdb_fixture_remove(&fixture);
}
