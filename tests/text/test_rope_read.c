#include "base/alloc.h"
#include "model.h"
#include "text/rope.h"
#include "base/utf8.h"

enum { LEAF = GROVE__ROPE_LEAF_BYTES, POINTS = LEAF < 100 ? 30 * LEAF : 5 * LEAF };

/* A text of POINTS random code points, as a rope and flat. */
struct sample {
    grove__rope rope;
    grove_bytes utf8;
    size_t offsets[POINTS + 1];
};

static void sample_init(struct sample *sample, test_random *random, size_t bytes_max)
{
    static uint32_t points[POINTS];
    random_points(random, points, POINTS, bytes_max);
    sample->utf8 = utf8_of(points, POINTS);
    sample->offsets[0] = 0;
    for (size_t index = 0; index < POINTS; index++) {
        uint8_t bytes[4];
        sample->offsets[index + 1] =
            sample->offsets[index] + utf8_put(bytes, points[index]);
    }
    grove__rope_init(&sample->rope, &grove__allocator_system);
    cr_assert_eq(grove__rope_build(&sample->rope, sample->utf8, POINTS), GROVE_OK);
}

static void sample_release(struct sample *sample)
{
    grove__rope_release(&sample->rope);
    utf8_free(sample->utf8);
}

Test(rope_read, pieces_from_every_position_make_the_rest_of_the_text)
{
    static struct sample sample;
    test_random random = test_random_of("rope chunks");
    for (size_t bytes_max = 1; bytes_max <= 4; bytes_max++) {
        sample_init(&sample, &random, bytes_max);
        for (size_t position = 0; position <= POINTS; position += LEAF < 100 ? 1 : 97) {
            grove__rope_chunks chunks;
            grove__rope_chunk chunk;
            size_t at = sample.offsets[position];
            uint64_t points = position;
            grove__rope_chunks_init(&chunks, &sample.rope, position);
            while (grove__rope_chunks_next(&chunks, &chunk)) {
                cr_assert_gt(chunk.utf8.size, 0);
                cr_assert_leq(chunk.utf8.size, sample.utf8.size - at);
                cr_assert_eq(
                    memcmp(chunk.utf8.data, sample.utf8.data + at, chunk.utf8.size), 0);
                cr_assert_eq(grove__utf8_count(chunk.utf8), chunk.points);
                at += chunk.utf8.size;
                points += chunk.points;
                cr_assert_eq(at, sample.offsets[points], "a piece cuts a code point");
            }
            cr_assert_eq(at, sample.utf8.size);
            cr_assert_not(grove__rope_chunks_next(&chunks, &chunk));
        }
        sample_release(&sample);
    }
}

Test(rope_read, every_range_reads_as_it_stands_in_the_text)
{
    static struct sample sample;
    static uint8_t buffer[4 * POINTS];
    test_random random = test_random_of("rope read");
    sample_init(&sample, &random, 4);
    for (size_t step = 0; step < 20000; step++) {
        size_t position = (size_t)test_random_below(&random, POINTS + 1);
        size_t count = (size_t)test_random_below(&random, POINTS + 10);
        uint64_t points = 0;
        size_t end = count > POINTS - position ? POINTS : position + count;
        size_t bytes = grove__rope_read(&sample.rope, position, count, buffer,
                                        sizeof buffer, &points);
        cr_assert_eq(points, end - position);
        cr_assert_eq(bytes, sample.offsets[end] - sample.offsets[position]);
        cr_assert_eq(memcmp(buffer, sample.utf8.data + sample.offsets[position], bytes),
                     0);
    }
    sample_release(&sample);
}

Test(rope_read, a_small_buffer_gets_as_many_whole_characters_as_fit)
{
    static struct sample sample;
    test_random random = test_random_of("rope small read");
    sample_init(&sample, &random, 4);
    for (size_t step = 0; step < 5000; step++) {
        size_t position = (size_t)test_random_below(&random, POINTS);
        size_t capacity = (size_t)test_random_below(&random, 3 * LEAF);
        uint64_t points = 0;
        uint8_t *buffer = malloc(capacity + 1);
        cr_assert_not_null(buffer);
        size_t bytes = grove__rope_read(&sample.rope, position, UINT64_MAX, buffer,
                                        capacity, &points);
        size_t end = position + points;
        cr_assert_leq(bytes, capacity);
        cr_assert_eq(bytes, sample.offsets[end] - sample.offsets[position]);
        cr_assert(end == POINTS ||
                      sample.offsets[end + 1] - sample.offsets[position] > capacity,
                  "one more would have fitted");
        cr_assert_eq(memcmp(buffer, sample.utf8.data + sample.offsets[position], bytes),
                     0);
        free(buffer);
    }
    sample_release(&sample);
}

Test(rope_read, the_check_finds_each_kind_of_damage)
{
    static struct sample sample;
    test_random random = test_random_of("rope check");
    sample_init(&sample, &random, 1);
    grove__rope *rope = &sample.rope;
    cr_assert_null(grove__rope_check(rope));
    rope->points++;
    cr_assert_not_null(grove__rope_check(rope), "a sum of code points");
    rope->points--;
    rope->bytes--;
    cr_assert_not_null(grove__rope_check(rope), "a sum of bytes");
    rope->bytes++;
    grove__rope_node *node = rope->root.node;
    for (size_t level = 1; level < rope->height; level++) {
        node = node->children[0].node;
    }
    node->points[0]++;
    cr_assert_not_null(grove__rope_check(rope), "a leaf's code points");
    node->points[0]--;
    uint8_t byte = node->children[0].leaf[0];
    node->children[0].leaf[0] = 0x80;
    cr_assert_not_null(grove__rope_check(rope), "a leaf's bytes");
    node->children[0].leaf[0] = byte;
    grove__rope_delete(rope, 0, 1);
    cr_assert(rope->place.is_set);
    rope->place.start++;
    cr_assert_not_null(grove__rope_check(rope), "the place's start");
    rope->place.start--;
    rope->place.byte++;
    cr_assert_not_null(grove__rope_check(rope), "the place's offsets");
    rope->place.byte--;
    rope->place.leaf_bytes++;
    cr_assert_not_null(grove__rope_check(rope), "the place's sums");
    rope->place.leaf_bytes--;
    cr_assert_null(grove__rope_check(rope));
    sample_release(&sample);
}
