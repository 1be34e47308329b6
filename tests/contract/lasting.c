/* What outlives an environment. C5: power cuts. C9: borrowed arguments. C11:
 * closing and opening. C12: an open that fails. */
#include <dirent.h>
#include <stdlib.h>

#include "check.h"

/* Commits 1 to 10 with a sync after `synced`, cuts the power, looks. */
static void cut_after_ten(grove__check *check, grove_durability durability,
                          uint64_t synced, uint64_t least)
{
    grove_backend_options options = grove__check_options(check);
    options.durability = durability;
    grove__check_open(check, &options);
    for (uint64_t number = 1; number <= 10; number++) {
        grove__check_save_state(check, number);
        if (number == synced) {
            grove__check_sync(check);
        }
    }
    if (grove__check_has_failed(check)) {
        return;
    }
    if (!check->options->power_cut(check->options->context, &check->place)) {
        grove__check_skip(check, "no power cut can be played here");
        return;
    }
    grove__check_reopen(check, &options);
    (void)grove__check_state(check, least, 10);
    grove__check_save_state(check, 11);
}

static void check_full_survives(grove__check *check)
{
    cut_after_ten(check, GROVE_DURABILITY_FULL, 0, 10);
}

static void check_relaxed_survives_to_its_sync(grove__check *check)
{
    cut_after_ten(check, GROVE_DURABILITY_RELAXED, 7, 7);
}

static void check_synced_survives(grove__check *check)
{
    static const grove_durability modes[] = {
        GROVE_DURABILITY_FULL, GROVE_DURABILITY_RELAXED, GROVE_DURABILITY_NONE};
    for (size_t mode = 0; mode < 3 && !check->is_skipped; mode++) {
        cut_after_ten(check, modes[mode], 10, 10);
        grove__check_close(check);
        grove__check_move(check);
    }
}

static void check_arguments_are_not_kept(grove__check *check)
{
    uint8_t key[8];
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_cursor cursor = grove__check_cursor_open(&txn, 1);
    for (uint64_t number = 0; number < 300; number++) {
        grove_bytes name = grove__check_number(number, key);
        grove__check_put(&txn, 1, name, name);
    }
    grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove__check_number(10, key),
                      grove__check_number(10, key));
    grove__check_next(&cursor, grove__check_number(11, key));
    grove__check_next(&cursor, grove__check_number(12, key));
    grove__check_cursor_close(&cursor);
    grove__check_commit(&txn);
    grove__check_reopen(check, NULL);
    for (uint64_t number = 0; number < 300; number++) {
        grove__check_finds(check, 1, grove__check_number(number, key),
                           grove__check_number(number, key));
    }
}

static void check_reopening(grove__check *check)
{
    uint8_t *data = grove__check_bytes(200000, 9);
    grove_bytes large = {data, 200000};
    grove_backend_options options = grove__check_options(check);
    grove__check_open(check, &options);
    options.must_exist = true;
    for (uint64_t number = 1; number <= 5; number++) {
        grove__check_save_state(check, number);
        grove__check_save(check, 1, grove_bytes_of("large"), large);
        grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
        grove__check_put(&txn, 0, grove_bytes_of("number"), grove_bytes_of("lost"));
        grove__check_abort(&txn);
        grove__check_reopen(check, &options);
        (void)grove__check_state(check, number, number);
        grove__check_finds(check, 1, grove_bytes_of("large"), large);
    }
    free(data);
}

static void check_reopening_nothing(grove__check *check)
{
    grove_backend_options options = grove__check_options(check);
    grove__check_open(check, NULL);
    options.must_exist = true;
    grove__check_reopen(check, &options);
    grove__check_misses(check, 0, grove_bytes_of("key"));
    grove__check_save(check, 0, grove_bytes_of("key"), grove_bytes_of("value"));
    grove__check_reopen(check, &options);
    grove__check_finds(check, 0, grove_bytes_of("key"), grove_bytes_of("value"));
}

/* C12: nothing, or an empty directory, is at the path. */
static void check_left_nothing(grove__check *check)
{
    grove_backend_options options = grove__check_options(check);
    if (grove__check_has_failed(check)) {
        return;
    }
    if ((check->backend->capabilities & GROVE_BACKEND_PERSISTENT) != 0) {
        size_t names = 0;
        DIR *directory = opendir(check->place.path);
        while (directory != NULL && readdir(directory) != NULL) {
            names++;
        }
        if (directory != NULL) {
            (void)closedir(directory);
        }
        grove__check_that(check, names <= 2, "a failed open left files behind");
    }
    options.must_exist = true;
    grove__check_status(check, grove__check_try_open(check, &options, &check->env),
                        GROVE_NONE, "open of what must exist, and does not,");
}

static void check_must_exist(grove__check *check)
{
    check_left_nothing(check);
    check_left_nothing(check);
    grove__check_open(check, NULL);
    grove__check_misses(check, 0, grove_bytes_of("key"));
}

static void check_open_without_memory(grove__check *check)
{
    for (size_t nth = 1; !grove__check_has_failed(check); nth++) {
        grove_backend_options options = grove__check_options(check);
        atomic_store(&check->allocator.has_failed, false);
        atomic_store(&check->allocator.fails_at,
                     atomic_load(&check->allocator.calls) + nth);
        grove_status status = grove__check_try_open(check, &options, &check->env);
        atomic_store(&check->allocator.fails_at, 0);
        if (!atomic_load(&check->allocator.has_failed)) {
            grove__check_status(check, status, GROVE_OK, "open");
            break;
        }
        if (status != GROVE_OK) {
            grove__check_status(check, status, GROVE_NO_MEMORY,
                                "open with an allocation that failed");
            grove__check_that(check, atomic_load(&check->allocator.bytes) == 0,
                              "a failed open kept memory");
            check_left_nothing(check);
        }
        grove__check_close(check);
        grove__check_move(check);
    }
}

const grove__check_case grove__contract_lasting[] = {
    {5, "a full commit survives a power cut", check_full_survives},
    {5, "a power cut leaves the state of a commit since the last sync",
     check_relaxed_survives_to_its_sync},
    {5, "what was synced survives a power cut in every mode", check_synced_survives},
    {9, "arguments are not needed after the call", check_arguments_are_not_kept},
    {11, "opening gives the state of the last commit", check_reopening},
    {11, "an environment in which nothing was put is there", check_reopening_nothing},
    {12, "what must exist is not made", check_must_exist},
    {12, "an open that lacks memory leaves nothing behind", check_open_without_memory},
    {0, NULL, NULL},
};
