#include "support/store_fixture.h"

static void save_group(store_fixture *fixture, const char *name, grove_bytes state)
{
    assert_ok(fixture, grove_group_save(fixture->store, grove_bytes_of(name), state, NULL,
                                        &fixture->error));
}

static void assert_group(store_fixture *fixture, const char *name, grove_bytes expected)
{
    grove_bytes state;
    assert_ok(fixture, grove_group_load(fixture->store, grove_bytes_of(name), &state,
                                        &fixture->error));
    cr_assert_eq(state.size, expected.size);
    cr_assert(expected.size == 0 || memcmp(state.data, expected.data, state.size) == 0);
    grove_bytes_free(fixture->store, state);
}

STORE_TEST(group, that_was_never_saved_is_none)
{
    grove_bytes state = {NULL, 7};
    assert_fails(
        fixture, GROVE_NONE,
        grove_group_load(fixture->store, grove_bytes_of("a"), &state, &fixture->error));
    cr_assert_eq(state.size, 7);
    uint64_t commit = 9;
    assert_fails(fixture, GROVE_NONE,
                 grove_group_delete(fixture->store, grove_bytes_of("a"), &commit,
                                    &fixture->error));
    cr_assert_eq(commit, 9);
}

STORE_TEST(group, is_saved_replaced_and_deleted_a_commit_each)
{
    uint64_t commit;
    assert_ok(fixture, grove_group_save(fixture->store, grove_bytes_of("a"),
                                        grove_bytes_of("one"), &commit, &fixture->error));
    cr_assert_eq(commit, 1);
    assert_ok(fixture, grove_group_save(fixture->store, grove_bytes_of("a"),
                                        grove_bytes_of("two"), &commit, &fixture->error));
    cr_assert_eq(commit, 2);
    store_fixture_close(fixture);
    store_fixture_open(fixture);
    assert_group(fixture, "a", grove_bytes_of("two"));
    assert_ok(fixture, grove_group_delete(fixture->store, grove_bytes_of("a"), &commit,
                                          &fixture->error));
    cr_assert_eq(commit, 3);
    grove_bytes state;
    assert_fails(
        fixture, GROVE_NONE,
        grove_group_load(fixture->store, grove_bytes_of("a"), &state, &fixture->error));
}

STORE_TEST(group, may_have_any_size_and_shrink)
{
    const size_t sizes[] = {3000000, 8167, 8168, 8176, 0, 1, 4071, 4072, 200000};
    uint8_t *bytes = malloc(3000000);
    uint64_t drawn = 1;
    for (size_t index = 0; index < 3000000; index++) {
        drawn = drawn * 6364136223846793005u + 1442695040888963407u;
        bytes[index] = (uint8_t)(drawn >> 56);
    }
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        save_group(fixture, "a", (grove_bytes){bytes, sizes[index]});
        assert_group(fixture, "a", (grove_bytes){bytes, sizes[index]});
    }
    free(bytes);
}

STORE_TEST(group, names_have_1_to_240_bytes_of_any_value)
{
    uint8_t bytes[GROVE_GROUP_NAME_BYTES_MAX + 1] = {0};
    const size_t sizes[] = {1, GROVE_GROUP_NAME_BYTES_MAX - 1,
                            GROVE_GROUP_NAME_BYTES_MAX};
    for (size_t index = 0; index < 3; index++) {
        grove_bytes name = {bytes, sizes[index]};
        assert_ok(fixture,
                  grove_group_save(fixture->store, name, name, NULL, &fixture->error));
        grove_bytes state;
        assert_ok(fixture,
                  grove_group_load(fixture->store, name, &state, &fixture->error));
        cr_assert_eq(state.size, sizes[index]);
        grove_bytes_free(fixture->store, state);
    }
    grove_bytes state = {NULL, 0};
    grove_bytes too_long = {bytes, sizeof bytes};
    assert_fails(
        fixture, GROVE_LIMIT,
        grove_group_save(fixture->store, too_long, state, NULL, &fixture->error));
    grove_bytes none = {bytes, 0};
    assert_fails(fixture, GROVE_INVALID,
                 grove_group_save(fixture->store, none, state, NULL, &fixture->error));
}

typedef struct listed {
    char text[256];
    size_t size;
    size_t left;
} listed;

static bool add_name(void *context, grove_bytes name)
{
    listed *names = context;
    cr_assert_leq(names->size + name.size + 2, sizeof names->text);
    memcpy(names->text + names->size, name.data, name.size);
    names->size += name.size;
    names->text[names->size++] = ' ';
    names->text[names->size] = '\0';
    return --names->left > 0;
}

static void list(store_fixture *fixture, const char *prefix, const char *after,
                 size_t count, const char *expected)
{
    listed names = {.left = count};
    assert_ok(fixture,
              grove_group_list(fixture->store, grove_bytes_of(prefix),
                               grove_bytes_of(after), add_name, &names, &fixture->error));
    cr_assert_str_eq(names.text, expected);
}

STORE_TEST(group, listing_has_a_prefix_and_a_point_to_resume)
{
    const char *names[] = {"counter", "count",    "county",  "b",
                           "d",       "country1", "country2"};
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        save_group(fixture, names[index], grove_bytes_of("x"));
    }
    list(fixture, "", "", 100, "b count counter country1 country2 county d ");
    list(fixture, "count", "", 100, "count counter country1 country2 county ");
    list(fixture, "count", "", 2, "count counter ");
    list(fixture, "count", "counter", 2, "country1 country2 ");
    list(fixture, "count", "counter~", 100, "country1 country2 county ");
    list(fixture, "", "d", 100, "");
    list(fixture, "x", "", 100, "");
    list(fixture, "", "country", 1, "country1 ");
}

STORE_TEST(group, listing_by_a_prefix_that_ends_in_nuls_is_exact)
{
    const grove_bytes names[] = {{(const uint8_t *)"a", 1},
                                 {(const uint8_t *)"a\0", 2},
                                 {(const uint8_t *)"a\0\0", 3},
                                 {(const uint8_t *)"ab", 2}};
    for (size_t index = 0; index < 4; index++) {
        assert_ok(fixture, grove_group_save(fixture->store, names[index], names[index],
                                            NULL, &fixture->error));
    }
    listed found = {.left = 100};
    assert_ok(fixture, grove_group_list(fixture->store, names[1], (grove_bytes){NULL, 0},
                                        add_name, &found, &fixture->error));
    cr_assert_eq(100 - found.left, 2);
}
