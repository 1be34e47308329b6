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

/* Opens the document as a named replica. */
static grove_status open_as(store_fixture *fixture, const char *name, bool may_continue,
                            grove_document **document_out)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = grove_type_text();
    options.replica.size = (uint8_t)strlen(name);
    memcpy(options.replica.bytes, name, options.replica.size);
    options.may_continue = may_continue;
    return grove_document_open(fixture->store, grove_bytes_of("d"), &options,
                               document_out, &fixture->error);
}

static void type_and_save(store_fixture *fixture, grove_document *document)
{
    assert_ok(fixture,
              grove_text_insert(document, 0, grove_bytes_of("x"), &fixture->error));
    assert_ok(fixture, grove_document_save(document, NULL, NULL, &fixture->error));
}

Test(identity, a_replica_that_may_have_gone_further_is_not_continued)
{
    store_fixture fixture;
    grove_document *document;
    store_fixture_init(&fixture, "memory");
    fixture.options.durability = GROVE_DURABILITY_RELAXED;
    store_fixture_open(&fixture);
    assert_ok(&fixture, open_as(&fixture, "a", false, &document));
    type_and_save(&fixture, document);
    assert_ok(&fixture, grove_store_sync(fixture.store, &fixture.error));
    /* Another process could have read this one, and sent it on. */
    type_and_save(&fixture, document);
    grove_document_close(document);
    grove_memory_disk_cut_power(fixture.disk);
    store_fixture_close(&fixture);
    store_fixture_open(&fixture);
    grove_document *none = NULL;
    assert_fails(&fixture, GROVE_REPLICA_REUSED, open_as(&fixture, "a", false, &none));
    cr_assert_null(none);
    /* Others are not concerned, nor is it for good. */
    assert_ok(&fixture, open_as(&fixture, "b", false, &document));
    type_and_save(&fixture, document);
    grove_document_close(document);
    assert_ok(&fixture, open_as(&fixture, "b", false, &document));
    grove_document_close(document);
    assert_ok(&fixture, open_as(&fixture, "a", true, &document));
    type_and_save(&fixture, document);
    grove_document_close(document);
    assert_ok(&fixture, open_as(&fixture, "a", false, &document));
    grove_document_close(document);
    store_fixture_close(&fixture);
    store_fixture_release(&fixture);
}

static bool stop_at_once(void *context, const grove_feed_commit *commit)
{
    (void)context;
    (void)commit;
    return false;
}

STORE_TEST(identity, a_backup_that_is_opened_continues_neither_replicas_nor_the_feed)
{
    char path[TEMP_DIR_PATH_BYTES];
    grove_document *document;
    grove_feed_token at_backup;
    grove_feed_token later;
    grove_feed_result read;
    (void)temp_dir_path(&fixture->dir, "copy", path);
    assert_ok(fixture, open_as(fixture, "a", false, &document));
    type_and_save(fixture, document);
    assert_ok(fixture, grove_feed_now(fixture->store, &at_backup, &fixture->error));
    assert_ok(fixture,
              grove_store_backup(fixture->store, path, NULL, NULL, &fixture->error));
    type_and_save(fixture, document);
    grove_document_close(document);
    assert_ok(fixture, grove_feed_now(fixture->store, &later, &fixture->error));
    /* The original goes on as it was. */
    assert_ok(fixture, open_as(fixture, "a", false, &document));
    grove_document_close(document);
    grove_store *original = fixture->store;
    grove_store_options options = fixture->options;
    options.must_exist = true;
    assert_ok(fixture,
              grove_store_open(path, &options, &fixture->store, &fixture->error));
    assert_fails(fixture, GROVE_REPLICA_REUSED, open_as(fixture, "a", false, &document));
    assert_ok(fixture, open_as(fixture, "b", false, &document));
    type_and_save(fixture, document);
    grove_document_close(document);
    /* Commit 2 is another one here. */
    assert_ok(fixture, grove_feed_read(fixture->store, &at_backup, 10, stop_at_once, NULL,
                                       &read, &fixture->error));
    cr_assert_eq(read.commits, 1);
    assert_fails(fixture, GROVE_CONFLICT,
                 grove_feed_read(fixture->store, &later, 10, stop_at_once, NULL, &read,
                                 &fixture->error));
    grove_store_close(fixture->store);
    fixture->store = original;
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
