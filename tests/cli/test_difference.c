#include <criterion/criterion.h>
#include <git2.h>
#include <stdlib.h>

#include "difference.h"
#include "support/random.h"
#include "utf8.h"

enum { TEXT_BYTES = 4096 };

static void start_git(void)
{
    cr_assert_geq(git_libgit2_init(), 0);
}

static void stop_git(void)
{
    cr_assert_geq(git_libgit2_shutdown(), 0);
}

TestSuite(difference, .init = start_git, .fini = stop_git);

/* A concurrent trace of one transaction, in which `before` was inserted. */
static void begin_trace(cli_trace *trace, cli_text before)
{
    cli_trace_init(trace);
    cr_assert_eq(cli_trace_begin(trace, 0, NULL, 0, NULL), GROVE_OK);
    cli_patch all = {.text_bytes = before.bytes};
    cr_assert_eq(cli_trace_append(trace, &all, before.data, NULL), GROVE_OK);
}

/* Makes the patches from `first` on in a text. */
static cli_text apply(const cli_trace *trace, size_t first, cli_text before,
                      char room[TEXT_BYTES])
{
    cli_text text = {room, before.bytes};
    memcpy(room, before.data, before.bytes);
    for (size_t index = first; index < trace->patch_count; index++) {
        const cli_patch *patch = &trace->patches[index];
        size_t from = cli_utf8_prefix(room, text.bytes, patch->position);
        size_t gone = cli_utf8_prefix(room + from, text.bytes - from, patch->deleted);
        cr_assert_eq(cli_utf8_length(room, from), patch->position);
        cr_assert_eq(cli_utf8_length(room + from, gone), patch->deleted);
        cr_assert_leq(text.bytes + patch->text_bytes, TEXT_BYTES);
        memmove(room + from + patch->text_bytes, room + from + gone,
                text.bytes - from - gone);
        memcpy(room + from, trace->text + patch->text_offset, patch->text_bytes);
        text.bytes = text.bytes - gone + patch->text_bytes;
        cr_assert_eq(patch->timestamp, 77);
    }
    return text;
}

typedef struct example {
    const char *before;
    const char *after;
    /* Position, deleted count and inserted text of each patch. */
    const char *patches;
} example;

static const example EXAMPLES[] = {
    {"", "", ""},
    {"a\n", "a\n", ""},
    {"", "a\nb", "0-0+'a\nb' "},
    {"a\nb", "", "0-3+'' "},
    {"a", "a\n", "1-0+'\n' "},
    {"a\n", "a", "1-1+'' "},
    {"one\ntwo\n", "one\ntwo words\n", "7-0+' words' "},
    {"one\ntwo\n", "zero\none\ntwo\n", "0-0+'zero\n' "},
    {"one\ntwo\n", "one\ntwo\nthree", "8-0+'three' "},
    {"a\nb\nc\n", "A\nb\nC\n", "0-1+'A' 4-1+'C' "},
    {"a\nb\nc\n", "b\n", "0-2+'' 2-2+'' "},
    {"aaa\n", "aa\n", "2-1+'' "},
    {"aa\n", "aaa\n", "2-0+'a' "},
    /* The first bytes are the same, or the last: characters are whole. */
    {"x\u00e4\n", "x\u00e5\n", "1-1+'\u00e5' "},
    {"\u65e5\n", "\u66f0\n", "0-1+'\u66f0' "},
    {"\u00a4\n", "\u00e4\n", "0-1+'\u00e4' "},
    {"\u65e5a\n\u65e5b\n\u65e5c\n", "\u65e5a\n\u65e5B\n\u65e5c\n", "4-1+'B' "},
    {"a\r\nb\r\n", "a\nb\r\n", "1-1+'' "},
};

Test(difference, is_as_small_as_lines_and_characters_allow)
{
    for (size_t index = 0; index < sizeof EXAMPLES / sizeof *EXAMPLES; index++) {
        const example *wanted = &EXAMPLES[index];
        cli_text before = {wanted->before, strlen(wanted->before)};
        cli_text after = {wanted->after, strlen(wanted->after)};
        cli_trace trace;
        grove_error error;
        begin_trace(&trace, before);
        size_t first = trace.patch_count;
        cr_assert_eq(cli_difference_append(&trace, before, after, 77, &error), GROVE_OK,
                     "%s", error.message);
        char text[256] = "";
        size_t used = 0;
        for (size_t nth = first; nth < trace.patch_count; nth++) {
            const cli_patch *patch = &trace.patches[nth];
            used += (size_t)snprintf(
                text + used, sizeof text - used, "%llu-%llu+'%.*s' ",
                (unsigned long long)patch->position, (unsigned long long)patch->deleted,
                (int)patch->text_bytes, trace.text + patch->text_offset);
        }
        cr_expect_str_eq(text, wanted->patches, "%zu: %s", index, text);
        cli_trace_release(&trace);
    }
}

/* Few letters, so that lines are often alike. */
static cli_text random_text(test_random *random, char room[TEXT_BYTES])
{
    static const char *const LETTERS[] = {"a",      "b",      "\n",         "\n",
                                          "\u00e4", "\u00e5", "\U0001f333", "\r\n"};
    cli_text text = {room, 0};
    for (size_t left = test_random_below(random, 60); left > 0; left--) {
        const char *letter = LETTERS[test_random_below(random, 8)];
        memcpy(room + text.bytes, letter, strlen(letter));
        text.bytes += strlen(letter);
    }
    if (test_random_below(random, 8) == 0) {
        room[text.bytes++] = '\0';
    }
    return text;
}

Test(difference, makes_any_text_any_other)
{
    static char rooms[3][TEXT_BYTES];
    test_random random = test_random_of("difference");
    for (size_t round = 0; round < 5000; round++) {
        cli_trace trace;
        grove_error error;
        cli_text before = random_text(&random, rooms[0]);
        cli_text after = random_text(&random, rooms[1]);
        begin_trace(&trace, before);
        size_t first = trace.patch_count;
        cr_assert_eq(cli_difference_append(&trace, before, after, 77, &error), GROVE_OK,
                     "%s", error.message);
        cli_text made = apply(&trace, first, before, rooms[2]);
        cr_assert_eq(made.bytes, after.bytes);
        cr_assert_eq(memcmp(made.data, after.data, made.bytes), 0);
        cli_trace_release(&trace);
    }
}

/* The texts are not those of the trace: its own check comes through. */
Test(difference, a_patch_that_the_trace_refuses_ends_it)
{
    cli_trace trace;
    grove_error error;
    cli_text before = {"abc\nd\ne\n", 8};
    cli_text after = {"abc\n", 4};
    begin_trace(&trace, (cli_text){"a", 1});
    cr_assert_eq(cli_difference_append(&trace, before, after, 77, &error), GROVE_INVALID);
    cr_assert(strstr(error.message, "position 4 lies beyond") != NULL, "%s",
              error.message);
    cr_assert_eq(trace.patch_count, 1);
    cli_trace_release(&trace);
}
