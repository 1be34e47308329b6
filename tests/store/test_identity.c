/* Which store it is, after copies, and after the power was cut. */
#include <stdio.h>

#include "commit/store.h"
#include "commit/commit.h"
#include "support/store_fixture.h"

static uint64_t incarnation_of(store_fixture *fixture)
{
    grove_store_statistics statistics;
    assert_ok(fixture,
              grove_store_statistics_get(fixture->store, &statistics, &fixture->error));
    return statistics.incarnation;
}

static void save_group(store_fixture *fixture)
{
    assert_ok(fixture, grove_group_save(fixture->store, grove_bytes_of("g"),
                                        grove_bytes_of("1"), NULL, &fixture->error));
}

static uint64_t incarnation_after_power_cut(store_fixture *fixture)
{
    save_group(fixture);
    grove_memory_disk_cut_power(fixture->disk);
    store_fixture_close(fixture);
    store_fixture_open(fixture);
    return incarnation_of(fixture);
}

STORE_TEST(identity, a_store_that_is_closed_and_opened_stays_the_same)
{
    const grove_durability modes[] = {GROVE_DURABILITY_FULL, GROVE_DURABILITY_RELAXED,
                                      GROVE_DURABILITY_NONE};
    uint64_t before = incarnation_of(fixture);
    cr_assert_neq(before, 0);
    for (size_t index = 0; index < 3; index++) {
        store_fixture_close(fixture);
        fixture->options.durability = modes[index];
        store_fixture_open(fixture);
        save_group(fixture);
        cr_assert_eq(incarnation_of(fixture), before);
    }
}

Test(identity, a_power_cut_changes_it_unless_every_commit_was_durable)
{
    store_fixture fixture;
    store_fixture_init(&fixture, "memory");
    fixture.options.durability = GROVE_DURABILITY_FULL;
    store_fixture_open(&fixture);
    uint64_t before = incarnation_of(&fixture);
    cr_assert_eq(incarnation_after_power_cut(&fixture), before);
    store_fixture_close(&fixture);
    fixture.options.durability = GROVE_DURABILITY_RELAXED;
    store_fixture_open(&fixture);
    uint64_t after = incarnation_after_power_cut(&fixture);
    cr_assert_neq(after, before);
    /* And again, though nothing was saved since but what was lost. */
    cr_assert_neq(incarnation_after_power_cut(&fixture), after);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

Test(identity, a_power_cut_after_a_clean_close_changes_nothing)
{
    store_fixture fixture;
    store_fixture_init(&fixture, "memory");
    fixture.options.durability = GROVE_DURABILITY_NONE;
    store_fixture_open(&fixture);
    uint64_t before = incarnation_of(&fixture);
    save_group(&fixture);
    store_fixture_close(&fixture);
    grove_memory_disk_cut_power(fixture.disk);
    store_fixture_open(&fixture);
    cr_assert_eq(incarnation_of(&fixture), before);
    grove_bytes state;
    assert_ok(&fixture, grove_group_load(fixture.store, grove_bytes_of("g"), &state,
                                         &fixture.error));
    grove_bytes_free(fixture.store, state);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

Test(identity, the_mark_stays_until_the_last_handle_that_may_lose_commits_is_closed)
{
    store_fixture fixture;
    grove_store *other;
    store_fixture_init(&fixture, "memory");
    fixture.options.durability = GROVE_DURABILITY_RELAXED;
    store_fixture_open(&fixture);
    uint64_t before = incarnation_of(&fixture);
    assert_ok(&fixture, grove_store_open(fixture.dir.path, &fixture.options, &other,
                                         &fixture.error));
    grove_store_close(other);
    cr_assert_neq(incarnation_after_power_cut(&fixture), before);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

Test(identity, what_was_used_without_durability_is_refused_after_a_power_cut)
{
    store_fixture fixture;
    store_fixture_init(&fixture, "memory");
    fixture.options.durability = GROVE_DURABILITY_NONE;
    store_fixture_open(&fixture);
    uint64_t before = incarnation_of(&fixture);
    save_group(&fixture);
    grove_memory_disk_cut_power(fixture.disk);
    store_fixture_close(&fixture);
    for (int mode = GROVE_DURABILITY_FULL; mode <= GROVE_DURABILITY_NONE; mode++) {
        fixture.options.durability = (grove_durability)mode;
        assert_fails(&fixture, GROVE_CORRUPT,
                     grove_store_open(fixture.dir.path, &fixture.options, &fixture.store,
                                      &fixture.error));
    }
    fixture.options.may_be_broken = true;
    store_fixture_open(&fixture);
    cr_assert_neq(incarnation_of(&fixture), before);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

static void copy_file(const char *from, const char *to)
{
    char bytes[4096];
    size_t got;
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    cr_assert(in != NULL && out != NULL);
    while ((got = fread(bytes, 1, sizeof bytes, in)) > 0) {
        cr_assert_eq(fwrite(bytes, 1, got, out), got);
    }
    cr_assert_eq(fclose(in) | fclose(out), 0);
}

Test(identity, a_copy_of_the_files_is_another_store)
{
    store_fixture fixture;
    char data[TEMP_DIR_PATH_BYTES];
    char copy[TEMP_DIR_PATH_BYTES];
    store_fixture_init(&fixture, "lmdb");
    fixture.options.durability = GROVE_DURABILITY_FULL;
    store_fixture_open(&fixture);
    uint64_t before = incarnation_of(&fixture);
    save_group(&fixture);
    store_fixture_close(&fixture);
    (void)temp_dir_path(&fixture.dir, "data.mdb", data);
    (void)temp_dir_path(&fixture.dir, "copy.mdb", copy);
    copy_file(data, copy);
    cr_assert_eq(rename(copy, data), 0);
    store_fixture_open(&fixture);
    uint64_t after = incarnation_of(&fixture);
    cr_assert_neq(after, before);
    store_fixture_close(&fixture);
    store_fixture_open(&fixture);
    cr_assert_eq(incarnation_of(&fixture), after);
    uint64_t commit;
    assert_ok(&fixture, grove_store_commit(fixture.store, &commit, &fixture.error));
    cr_assert_eq(commit, 1);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}
