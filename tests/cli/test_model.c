#include <criterion/criterion.h>

#include "model.h"
#include "support/random.h"

/* The obvious text: an array. */
enum { PLAIN_POINTS_MAX = 200000 };
static uint32_t plain[PLAIN_POINTS_MAX];
static size_t plain_count;

static void check_same(cli_model *model)
{
    static uint32_t copy[PLAIN_POINTS_MAX];
    cr_assert_eq(model->length, plain_count);
    cli_model_copy(model, 0, copy, plain_count);
    cr_assert(memcmp(copy, plain, plain_count * sizeof *plain) == 0);
}

static void insert_some(cli_model *model, test_random *random)
{
    uint32_t points[CLI_MODEL_INSERT_MAX];
    size_t most = test_random_below(random, 4) == 0 ? CLI_MODEL_INSERT_MAX : 20;
    size_t count = test_random_below(random, most + 1);
    size_t position = test_random_below(random, plain_count + 1);
    if (plain_count + count > PLAIN_POINTS_MAX) {
        return;
    }
    for (size_t index = 0; index < count; index++) {
        points[index] = (uint32_t)test_random_below(random, 0x10FFFF);
    }
    cr_assert(cli_model_insert(model, position, points, count));
    memmove(plain + position + count, plain + position,
            (plain_count - position) * sizeof *plain);
    memcpy(plain + position, points, count * sizeof *plain);
    plain_count += count;
}

static void delete_some(cli_model *model, test_random *random)
{
    size_t most = test_random_below(random, 8) == 0 ? plain_count : 30;
    size_t position = test_random_below(random, plain_count + 1);
    size_t count = test_random_below(random, most + 1);
    count = count > plain_count - position ? plain_count - position : count;
    cli_model_delete(model, position, count);
    plain_count -= count;
    memmove(plain + position, plain + position + count,
            (plain_count - position) * sizeof *plain);
}

Test(model, random_edits_give_the_text_of_a_plain_array)
{
    test_random random = test_random_of("model");
    cli_model model;
    cli_model_init(&model);
    for (size_t round = 0; round < 20000; round++) {
        if (test_random_below(&random, 100) < 60) {
            insert_some(&model, &random);
        } else {
            delete_some(&model, &random);
        }
        if (round % 16 == 0) {
            check_same(&model);
        }
    }
    check_same(&model);
    cli_model_delete(&model, 0, model.length);
    cr_assert_eq(model.count, 0);
    cli_model_release(&model);
}

Test(model, reads_as_utf8)
{
    /* The least and the greatest code point of each number of bytes. */
    const uint32_t points[] = {0, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF};
    const char utf8[] = "\0\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"
                        "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";
    cli_model model;
    cli_model_init(&model);
    cr_assert(cli_model_insert(&model, 0, points, sizeof points / sizeof *points));
    size_t bytes = 0;
    char *text = cli_model_utf8(&model, &bytes);
    cr_assert_eq(bytes, sizeof utf8 - 1);
    cr_assert(memcmp(text, utf8, sizeof utf8) == 0);
    free(text);
    cli_model_release(&model);
}
