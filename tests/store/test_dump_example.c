/* The example of docs/DUMP.md is what it says it is. */
#include "support/dump.h"

/* The lines between "```dump" and "```". */
static exported read_example(void)
{
    exported example = {NULL, 0, 0, 0};
    char line[2048];
    bool is_in = false;
    FILE *page = fopen(GROVE_SOURCE_DIR "/docs/DUMP.md", "r");
    cr_assert_not_null(page);
    while (fgets(line, sizeof line, page) != NULL) {
        if (strcmp(line, "```dump\n") == 0) {
            is_in = true;
        } else if (strcmp(line, "```\n") == 0) {
            is_in = false;
        } else if (is_in) {
            (void)exported_write(&example, grove_bytes_of(line));
        }
    }
    (void)fclose(page);
    return example;
}

Test(dump_example, makes_the_store_that_the_page_tells_of)
{
    exported example = read_example();
    store_fixture loaded;
    undump_init(&loaded, "memory", &example);
    assert_stored_text(&loaded, "notes/2026", "Hello!");
    cr_assert_eq(statistics_of(&loaded, "notes/2026").batches, 2);
    grove_bytes state;
    assert_ok(&loaded, grove_group_load(loaded.store, grove_bytes_of("last seen"), &state,
                                        &loaded.error));
    cr_assert(state.size == 2 && memcmp(state.data, "42", 2) == 0);
    grove_bytes_free(loaded.store, state);
    uint64_t commit;
    assert_ok(&loaded, grove_store_commit(loaded.store, &commit, &loaded.error));
    cr_assert_eq(commit, 3);
    uint64_t clock = 0;
    assert_ok(&loaded, grove_document_clock_at(loaded.store, grove_bytes_of("notes/2026"),
                                               2, &clock, &loaded.error));
    cr_assert_eq(clock, 5);
    exported again = dump_of(&loaded);
    cr_assert(again.size == example.size &&
              memcmp(again.data, example.data, again.size) == 0);
    exported_free(&again);
    exported_free(&example);
    undump_release(&loaded);
}
