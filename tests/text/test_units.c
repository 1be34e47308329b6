#include "text/units.h"

#include "base/alloc.h"
#include "model.h"

enum {
    UNITS = 3,
    LEAF = GROVE__ROPE_LEAF_BYTES,
    IS_TINY = LEAF < 100,
    /* A few leaves, and enough for a rope of three levels in any case. */
    SMALL = IS_TINY ? 20 * LEAF : 2 * LEAF,
    LARGE = 40 * LEAF,
    POINTS_MAX = LARGE
};

/* A text as a rope and as an array, with the places between code points in
 * each unit. */
struct sample {
    grove__rope rope;
    uint32_t points[POINTS_MAX];
    size_t count;
    uint64_t places[UNITS][POINTS_MAX + 1];
};

static struct sample sample;

static void find_places(void)
{
    for (size_t index = 0; index < sample.count; index++) {
        uint8_t bytes[4];
        uint32_t point = sample.points[index];
        sample.places[GROVE_TEXT_POINTS][index + 1] = index + 1;
        sample.places[GROVE_TEXT_BYTES][index + 1] =
            sample.places[GROVE_TEXT_BYTES][index] + utf8_put(bytes, point);
        sample.places[GROVE_TEXT_UTF16][index + 1] =
            sample.places[GROVE_TEXT_UTF16][index] + (point > 0xffff ? 2 : 1);
    }
}

/* Makes a rope of the sample's code points. */
static void build(void)
{
    find_places();
    grove_bytes utf8 = utf8_of(sample.points, sample.count);
    grove__rope_init(&sample.rope, &grove__allocator_system);
    cr_assert_eq(grove__rope_build(&sample.rope, utf8, sample.count), GROVE_OK);
    utf8_free(utf8);
}

/* Converts a place between two code points from each unit into each. */
static void check_place(size_t index)
{
    for (int from = 0; from < UNITS; from++) {
        for (int to = 0; to < UNITS; to++) {
            uint64_t converted = 12345;
            grove_status status = grove__units_convert(
                &sample.rope, sample.places[from][index], (grove_text_unit)from,
                (grove_text_unit)to, &converted, NULL);
            cr_assert_eq(status, GROVE_OK);
            cr_assert_eq(converted, sample.places[to][index],
                         "%zu from unit %d to %d: %llu instead of %llu", index, from, to,
                         (unsigned long long)converted,
                         (unsigned long long)sample.places[to][index]);
        }
    }
}

static void check_refused(uint64_t position, int from, const char *sentence)
{
    for (int to = 0; to < UNITS; to++) {
        uint64_t converted = 12345;
        grove_error error = {.status = GROVE_OK};
        grove_status status =
            grove__units_convert(&sample.rope, position, (grove_text_unit)from,
                                 (grove_text_unit)to, &converted, &error);
        cr_assert_eq(status, GROVE_INVALID, "%llu of unit %d",
                     (unsigned long long)position, from);
        cr_assert_eq(error.status, GROVE_INVALID);
        cr_assert_not_null(strstr(error.message, sentence), "%s", error.message);
        cr_assert_eq(converted, 12345, "the output was written");
    }
}

/* The places inside the code point after a place. */
static void check_inside(size_t index)
{
    for (int from = 0; from < UNITS; from++) {
        for (uint64_t position = sample.places[from][index] + 1;
             position < sample.places[from][index + 1]; position++) {
            check_refused(position, from, "is inside a code point");
        }
    }
}

static void check_beyond(void)
{
    for (int from = 0; from < UNITS; from++) {
        uint64_t end = sample.places[from][sample.count];
        char said[32];
        (void)snprintf(said, sizeof said, "the text has %llu", (unsigned long long)end);
        check_refused(end + 1, from, said);
        check_refused(end + 4 * LEAF, from, said);
        check_refused(UINT64_MAX, from, said);
    }
}

static void check_everywhere(void)
{
    for (size_t index = 0; index < sample.count; index++) {
        check_place(index);
        check_inside(index);
    }
    check_place(sample.count);
    check_beyond();
}

Test(units, of_short_texts_are_those_of_a_table)
{
    static const struct {
        const char *utf8;
        uint64_t bytes;
        uint64_t utf16;
    } table[] = {
        {"", 0, 0},
        {"a", 1, 1},
        {"\xc3\xa9", 2, 1},
        {"\xe2\x82\xac", 3, 1},
        {"\xef\xbf\xbf", 3, 1},
        {"\xf0\x90\x80\x80", 4, 2},
        {"\xf4\x8f\xbf\xbf", 4, 2},
        {"a\xf0\x9f\x98\x80\xc3\xa9", 7, 4},
    };
    for (size_t index = 0; index < sizeof table / sizeof *table; index++) {
        grove_bytes utf8 = grove_bytes_of(table[index].utf8);
        uint64_t points = 0;
        uint64_t bytes = 0;
        uint64_t utf16 = 0;
        for (size_t byte = 0; byte < utf8.size; byte++) {
            points += (utf8.data[byte] & 0xc0) != 0x80;
        }
        grove__rope rope;
        grove__rope_init(&rope, &grove__allocator_system);
        cr_assert_eq(grove__rope_build(&rope, utf8, points), GROVE_OK);
        cr_assert_eq(grove__units_convert(&rope, points, GROVE_TEXT_POINTS,
                                          GROVE_TEXT_BYTES, &bytes, NULL),
                     GROVE_OK);
        cr_assert_eq(grove__units_convert(&rope, points, GROVE_TEXT_POINTS,
                                          GROVE_TEXT_UTF16, &utf16, NULL),
                     GROVE_OK);
        cr_assert_eq(bytes, table[index].bytes, "%s", table[index].utf8);
        cr_assert_eq(utf16, table[index].utf16, "%s", table[index].utf8);
        grove__rope_release(&rope);
    }
}

Test(units, convert_at_every_position_of_texts_of_any_characters, .timeout = 120)
{
    test_random random = test_random_of("units");
    for (size_t bytes_max = 1; bytes_max <= 4; bytes_max++) {
        sample.count = SMALL;
        random_points(&random, sample.points, sample.count, bytes_max);
        build();
        check_everywhere();
        grove__rope_release(&sample.rope);
    }
}

Test(units, convert_at_every_position_of_an_edited_text, .timeout = 120)
{
    test_random random = test_random_of("units edited");
    text_model model = {NULL, 0, 0};
    grove__rope_init(&sample.rope, &grove__allocator_system);
    for (size_t step = 0; step < 400; step++) {
        size_t position = (size_t)test_random_below(&random, model.count + 1);
        if (test_random_below(&random, 3) == 0) {
            size_t count = (size_t)test_random_below(&random, model.count - position + 1);
            count = count < LEAF / 8 ? count : LEAF / 8;
            grove__rope_delete(&sample.rope, position, count);
            model_delete(&model, position, count);
        } else if (model.count < SMALL) {
            uint32_t points[LEAF / 4];
            size_t count = (size_t)test_random_below(&random, LEAF / 4);
            random_points(&random, points, count, 1 + test_random_below(&random, 4));
            grove_bytes utf8 = utf8_of(points, count);
            cr_assert_eq(grove__rope_insert(&sample.rope, position, utf8, count),
                         GROVE_OK);
            utf8_free(utf8);
            model_insert(&model, position, points, count);
        }
    }
    memcpy(sample.points, model.points, model.count * sizeof *model.points);
    sample.count = model.count;
    find_places();
    check_everywhere();
    grove__rope_release(&sample.rope);
    model_release(&model);
}

Test(units, convert_in_a_rope_of_several_levels, .timeout = 120)
{
    test_random random = test_random_of("units large");
    for (size_t round = 0; round < 5; round++) {
        sample.count = LARGE;
        size_t stretch = 1 + (size_t)test_random_below(&random, 8 * LEAF);
        size_t bytes_max = round;
        for (size_t index = 0; index < sample.count; index++) {
            /* The first round has long stretches of one kind of text. */
            if (round == 0 && index % stretch == 0) {
                bytes_max = 1 + 3 * test_random_below(&random, 2);
            }
            sample.points[index] = random_point(&random, bytes_max);
        }
        build();
        cr_assert_geq(sample.rope.height, 2);
        for (size_t step = 0; step < 300; step++) {
            size_t index = (size_t)test_random_below(&random, sample.count);
            check_place(index);
            check_inside(index);
        }
        check_place(0);
        check_place(sample.count);
        check_beyond();
        grove__rope_release(&sample.rope);
    }
}

/* Where the tree has its first leaf. */
static uint8_t **first_leaf(void)
{
    grove__rope_child *child = &sample.rope.root;
    for (size_t level = 0; level < sample.rope.height; level++) {
        child = &child->node->children[0];
    }
    return &child->leaf;
}

Test(units, need_no_look_at_leaves_but_for_utf16_and_then_at_none_that_is_ascii)
{
    for (int is_ascii = 0; is_ascii < 2; is_ascii++) {
        sample.count = LARGE;
        for (size_t index = 0; index < sample.count; index++) {
            bool is_x = is_ascii && index < LARGE / 2;
            sample.points[index] = is_x ? 'x' : 0x1f600;
        }
        build();
        uint8_t *leaf = *first_leaf();
        *first_leaf() = NULL;
        for (size_t index = LARGE / 4; index <= LARGE; index += LARGE / 4) {
            if (is_ascii) {
                check_place(index);
            } else {
                uint64_t converted = 0;
                cr_assert_eq(grove__units_convert(&sample.rope, index, GROVE_TEXT_POINTS,
                                                  GROVE_TEXT_BYTES, &converted, NULL),
                             GROVE_OK);
                cr_assert_eq(converted, 4 * index);
            }
        }
        *first_leaf() = leaf;
        grove__rope_release(&sample.rope);
    }
}

Test(units, that_are_none_are_refused)
{
    sample.count = 1;
    sample.points[0] = 'x';
    build();
    for (int bad = UNITS; bad >= -1; bad -= UNITS + 1) {
        for (int is_wanted = 0; is_wanted < 2; is_wanted++) {
            uint64_t converted = 12345;
            grove_error error = {.status = GROVE_OK};
            grove_text_unit unit = is_wanted ? GROVE_TEXT_POINTS : (grove_text_unit)bad;
            grove_text_unit wanted = is_wanted ? (grove_text_unit)bad : GROVE_TEXT_POINTS;
            cr_assert_eq(
                grove__units_convert(&sample.rope, 0, unit, wanted, &converted, &error),
                GROVE_INVALID);
            cr_assert_not_null(strstr(error.message, "grove_text_unit"));
            cr_assert_eq(converted, 12345);
        }
    }
    grove__rope_release(&sample.rope);
}
