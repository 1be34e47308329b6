/* Lines of a text that comes in pieces. */
#include "store/dump_source.h"
#include "format/dump_line.h"
#include "support/dump.h"
#include "support/faulty_allocator.h"

/* Takes all lines of a text; the status that ends it, and their number. */
static grove_status take(grove_bytes text, size_t piece_bytes,
                         const grove_allocator *allocator, uint64_t *lines_out,
                         uint64_t *offset_out)
{
    grove__dump_source source;
    grove_bytes line;
    grove_error error;
    dump_reader reader = {text, piece_bytes, 0};
    grove__dump_source_init(&source, allocator, dump_read, &reader);
    grove_status status = GROVE_OK;
    uint64_t lines = 0;
    while (status == GROVE_OK) {
        status = grove__dump_source_next(&source, &line, &error);
        if (status == GROVE_OK) {
            cr_assert_eq(source.line, ++lines);
            cr_assert_eq(memcmp(line.data, text.data + source.offset, line.size), 0);
            cr_assert_eq(text.data[source.offset + line.size], '\n');
            cr_assert_eq(source.next_offset, source.offset + line.size + 1);
        }
    }
    *lines_out = lines;
    *offset_out = source.offset;
    grove__dump_source_release(&source);
    return status;
}

static const grove_allocator *allocator_of(faulty_allocator *faulty)
{
    faulty_allocator_init(faulty, 0);
    return &faulty->allocator;
}

Test(dump_source, gives_the_lines_whatever_the_pieces)
{
    const char *text = "one\n\nthree\nfour is longer than the others\n";
    faulty_allocator faulty;
    uint64_t lines;
    uint64_t offset;
    for (size_t piece = 1; piece < 60; piece++) {
        cr_assert_eq(
            take(grove_bytes_of(text), piece, allocator_of(&faulty), &lines, &offset),
            GROVE_NONE);
        cr_assert_eq(lines, 4);
        faulty_allocator_finish(&faulty);
    }
}

Test(dump_source, refuses_a_last_line_without_its_end)
{
    faulty_allocator faulty;
    uint64_t lines;
    uint64_t offset;
    cr_assert_eq(
        take(grove_bytes_of("one\ntwo"), 3, allocator_of(&faulty), &lines, &offset),
        GROVE_MALFORMED);
    cr_assert_eq(lines, 1);
    cr_assert_eq(offset, 4);
    faulty_allocator_finish(&faulty);
    cr_assert_eq(take(grove_bytes_of(""), 3, allocator_of(&faulty), &lines, &offset),
                 GROVE_NONE);
    faulty_allocator_finish(&faulty);
}

Test(dump_source, takes_lines_up_to_their_limit_and_holds_no_more)
{
    enum { BYTES = 1 << 22 };
    char *text = malloc(BYTES);
    cr_assert_not_null(text);
    memset(text, 'a', BYTES);
    for (int more = -1; more < 2; more++) {
        size_t size = (size_t)(GROVE__DUMP_LINE_BYTES_MAX + more);
        faulty_allocator faulty;
        uint64_t lines;
        uint64_t offset;
        text[size - 1] = '\n';
        grove_status status = take((grove_bytes){(const uint8_t *)text, size}, SIZE_MAX,
                                   allocator_of(&faulty), &lines, &offset);
        cr_assert_eq(status, more <= 0 ? GROVE_NONE : GROVE_MALFORMED, "%d", more);
        text[size - 1] = 'a';
        faulty_allocator_finish(&faulty);
        /* A line that never ends. */
        status = take((grove_bytes){(const uint8_t *)text, BYTES}, 100,
                      allocator_of(&faulty), &lines, &offset);
        cr_assert_eq(status, GROVE_MALFORMED);
        cr_assert_lt(faulty.bytes_peak, 1 << 18);
        faulty_allocator_finish(&faulty);
    }
    free(text);
}

Test(dump_source, says_when_it_cannot_read_or_memory_ends)
{
    faulty_allocator faulty;
    grove__dump_source source;
    grove_bytes line;
    grove_error error;
    dump_reader reader = {grove_bytes_of("one\ntwo\n"), 4, 6};
    grove__dump_source_init(&source, allocator_of(&faulty), dump_read, &reader);
    cr_assert_eq(grove__dump_source_next(&source, &line, &error), GROVE_OK);
    cr_assert_eq(grove__dump_source_next(&source, &line, &error), GROVE_FAILED);
    grove__dump_source_release(&source);
    faulty_allocator_finish(&faulty);
    reader = (dump_reader){grove_bytes_of("one\n"), 4, 0};
    faulty_allocator_init(&faulty, 1);
    grove__dump_source_init(&source, &faulty.allocator, dump_read, &reader);
    cr_assert_eq(grove__dump_source_next(&source, &line, &error), GROVE_NO_MEMORY);
    grove__dump_source_release(&source);
    faulty_allocator_finish(&faulty);
}
