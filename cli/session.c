/*
 * How a session comes out as it was ordered.
 *
 * With N events and a final text of F characters, exactly (N + F) / 2 are
 * insertions and the rest deletions. Both are budgets from the start; every
 * patch is cut to what is left of them, and the session ends when both are
 * spent. Since  length + inserts_left - deletes_left = F  always holds, there
 * is always something left to delete when only deletions remain, and only a
 * choice of actions has to keep the length near its course on the way.
 */
#include "session.h"

#include <stdlib.h>

#include "fail.h"
#include "model.h"
#include "utf8.h"
#include "words.h"

enum {
    PASTE_POINTS_MAX = 600,
    PATCH_POINTS_MAX = 1024,
    SEARCH_POINTS = 64, /* how far a border between words is looked for */
    MS_A_SECOND = 1000,
    MS_A_MINUTE = 60 * MS_A_SECOND
};

/* 2024-01-01T08:00:00Z */
static const int64_t BEGIN_MS = INT64_C(1704096000000);

typedef struct session {
    cli_trace *trace;
    cli_model text;
    cli_random random;
    uint64_t inserts_left;
    uint64_t deletes_left;
    uint64_t events;
    uint64_t final_length;
    uint64_t cursor;
    int64_t now;
    grove_status status;
    grove_error *error_out;
} session;

uint64_t cli_session_final_length(uint64_t events)
{
    return events * 2 / 5;
}

static uint64_t smaller(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

static bool chance(session *writer, uint64_t percent)
{
    return cli_random_below(&writer->random, 100) < percent;
}

/* A number from `low` to `high`. */
static uint64_t between(session *writer, uint64_t low, uint64_t high)
{
    return low + cli_random_below(&writer->random, high - low + 1);
}

static bool going(const session *writer)
{
    return writer->status == GROVE_OK && writer->inserts_left + writer->deletes_left > 0;
}

static void pass(session *writer, uint64_t low_ms, uint64_t high_ms)
{
    writer->now += (int64_t)between(writer, low_ms, high_ms);
}

/*
 * Every edit goes through here: cuts it to the budgets and the text, makes it,
 * and leaves the cursor behind it. Without `points` nothing is inserted.
 */
static void edit(session *writer, uint64_t position, uint64_t deleted,
                 const uint32_t *points, size_t count)
{
    char utf8[PATCH_POINTS_MAX * CLI_UTF8_BYTES_MAX];
    if (writer->status != GROVE_OK) {
        return;
    }
    position = smaller(position, writer->text.length);
    deleted =
        smaller(deleted, smaller(writer->deletes_left, writer->text.length - position));
    count = points == NULL ? 0 : (size_t)smaller(count, writer->inserts_left);
    cli_patch patch = {.position = position, .deleted = deleted};
    for (size_t index = 0; index < count; index++) {
        patch.text_bytes += cli_utf8_write(points[index], utf8 + patch.text_bytes);
    }
    patch.timestamp = writer->now;
    if (deleted > 0) {
        cli_model_delete(&writer->text, position, deleted);
    }
    if (!cli_model_insert(&writer->text, position, points, count)) {
        writer->status = cli_fail(writer->error_out, GROVE_NO_MEMORY,
                                  "out of memory making a session");
        return;
    }
    writer->status = cli_trace_append(writer->trace, &patch, utf8, writer->error_out);
    writer->inserts_left -= count;
    writer->deletes_left -= deleted;
    writer->cursor = position + count;
}

static void erase(session *writer, uint64_t position, uint64_t count)
{
    edit(writer, position, count, NULL, 0);
}

/* Types what stands in `points`, at 90 to 260 ms a character. */
static void type(session *writer, const uint32_t *points, size_t count)
{
    pass(writer, 90 * count, 260 * count);
    edit(writer, writer->cursor, 0, points, count);
}

static void backspace(session *writer, uint64_t count)
{
    for (; count > 0 && writer->cursor > 0 && writer->deletes_left > 0; count--) {
        pass(writer, 60, 180);
        erase(writer, writer->cursor - 1, 1);
    }
}

/* A word, with what comes after it: a blank, an end of sentence, a line. */
static size_t compose(session *writer, uint32_t *points)
{
    size_t count = cli_word(&writer->random, points);
    uint64_t follows = cli_random_below(&writer->random, 100);
    if (follows < 7) {
        points[count++] = follows < 5 ? '.' : '?';
    } else if (follows < 13) {
        points[count++] = ',';
    }
    bool line = follows == 0 || follows == 99;
    points[count++] = line ? '\n' : ' ';
    return count;
}

/* Types a few words; some go wrong and are mended at once. */
static void type_burst(session *writer)
{
    uint64_t words = between(writer, 1, 14);
    for (; words > 0 && going(writer) && writer->inserts_left > 0; words--) {
        uint32_t points[CLI_WORD_POINTS_MAX + 2];
        size_t count = compose(writer, points);
        if (count > 3 && chance(writer, 8)) {
            size_t wrong = (size_t)between(writer, 1, smaller(count - 1, 4));
            uint32_t slip = 'a' + (uint32_t)cli_random_below(&writer->random, 26);
            type(writer, points, count - wrong);
            type(writer, &slip, 1);
            backspace(writer, 1);
            type(writer, points + (count - wrong), wrong);
        } else {
            type(writer, points, count);
        }
    }
}

/* The border between words at or shortly after a position. */
static uint64_t word_border(session *writer, uint64_t position)
{
    uint32_t points[SEARCH_POINTS];
    size_t count = (size_t)smaller(SEARCH_POINTS, writer->text.length - position);
    cli_model_copy(&writer->text, position, points, count);
    for (size_t index = 0; index < count; index++) {
        if (points[index] == ' ' || points[index] == '\n') {
            return position + index + 1;
        }
    }
    return position + count;
}

/* Mostly close by; now and then anywhere. */
static void jump(session *writer)
{
    uint64_t reach =
        chance(writer, 80) ? smaller(400, writer->text.length) : writer->text.length;
    uint64_t low = writer->cursor > reach ? writer->cursor - reach : 0;
    uint64_t high = smaller(writer->text.length, writer->cursor + reach);
    writer->cursor = word_border(writer, between(writer, low, high));
    pass(writer, 400, 6000);
}

/* A passage from elsewhere in the text, or one from outside. */
static void paste(session *writer)
{
    uint32_t points[PASTE_POINTS_MAX + CLI_WORD_POINTS_MAX + 2] = {0};
    size_t wanted = (size_t)between(writer, 20, PASTE_POINTS_MAX);
    size_t count = 0;
    if (chance(writer, 60) && writer->text.length > wanted) {
        uint64_t from = between(writer, 0, writer->text.length - wanted);
        cli_model_copy(&writer->text, from, points, wanted);
        count = wanted;
    }
    while (count < wanted) {
        count += compose(writer, points + count);
    }
    pass(writer, 800, 5000);
    edit(writer, writer->cursor, 0, points, count);
}

/* Selects a word and types another over it. */
static void replace_word(session *writer)
{
    uint32_t points[CLI_WORD_POINTS_MAX + 2];
    uint64_t begin = word_border(writer, writer->cursor);
    uint64_t end = word_border(writer, begin);
    size_t count = compose(writer, points);
    pass(writer, 600, 3000);
    edit(writer, begin, end - begin, points, count);
}

/* Throws away some words before or behind the cursor, or a longer passage. */
static void delete_range(session *writer)
{
    uint64_t count =
        chance(writer, 70) ? between(writer, 2, 40) : between(writer, 40, 700);
    uint64_t begin = writer->cursor;
    if (begin == writer->text.length || chance(writer, 50)) {
        begin -= smaller(begin, count);
    }
    pass(writer, 500, 4000);
    erase(writer, begin, count);
}

/* The length the text should have by now. */
static uint64_t course(const session *writer)
{
    uint64_t done = writer->events - writer->inserts_left - writer->deletes_left;
    return smaller(writer->final_length,
                   writer->final_length * 5 / 3 * done / writer->events + 1);
}

static void shorten(session *writer)
{
    uint64_t what = cli_random_below(&writer->random, 100);
    if (what < 25) {
        jump(writer);
    }
    if (what < 75) {
        delete_range(writer);
    } else {
        backspace(writer, between(writer, 1, 12));
    }
}

static void lengthen(session *writer)
{
    uint64_t what = cli_random_below(&writer->random, 100);
    if (what < 18) {
        jump(writer);
    }
    if (what < 90) {
        type_burst(writer);
    } else if (what < 93) {
        paste(writer);
    } else if (what < 97) {
        replace_word(writer);
    } else {
        backspace(writer, between(writer, 1, 8));
    }
}

static void next_action(session *writer)
{
    uint64_t length = writer->text.length;
    uint64_t wanted = course(writer);
    bool long_enough =
        length > wanted && chance(writer, length > wanted + wanted / 32 + 64 ? 85 : 45);
    if (writer->inserts_left == 0) {
        delete_range(writer);
    } else if (long_enough && writer->deletes_left > 0) {
        shorten(writer);
    } else {
        lengthen(writer);
    }
    if (chance(writer, 1)) {
        pass(writer, MS_A_MINUTE, 480 * (uint64_t)MS_A_MINUTE);
    } else {
        pass(writer, 200, 5000);
    }
}

static grove_status check_options(const cli_session_options *options,
                                  grove_error *error_out)
{
    if (options->events < 1 || options->events > CLI_SESSION_EVENTS_MAX) {
        return cli_fail(error_out, GROVE_INVALID, "a session has 1 to %llu events",
                        (unsigned long long)CLI_SESSION_EVENTS_MAX);
    }
    if (options->final_length > options->events) {
        return cli_fail(error_out, GROVE_INVALID,
                        "%llu events cannot leave a text of %llu characters",
                        (unsigned long long)options->events,
                        (unsigned long long)options->final_length);
    }
    return GROVE_OK;
}

grove_status cli_session_make(const cli_session_options *options, cli_trace *trace_out,
                              grove_error *error_out)
{
    grove_status status = check_options(options, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    cli_trace trace;
    cli_trace_init(&trace);
    session writer = {.trace = &trace,
                      .random = {options->seed},
                      .events = options->events,
                      .final_length = options->final_length,
                      .now = BEGIN_MS,
                      .error_out = error_out};
    writer.inserts_left = (options->events + options->final_length + 1) / 2;
    writer.deletes_left = options->events - writer.inserts_left;
    cli_model_init(&writer.text);
    while (going(&writer)) {
        next_action(&writer);
    }
    if (writer.status == GROVE_OK) {
        trace.end_text = cli_model_utf8(&writer.text, &trace.end_bytes);
        if (trace.end_text == NULL) {
            writer.status =
                cli_fail(error_out, GROVE_NO_MEMORY, "out of memory making a session");
        }
    }
    cli_model_release(&writer.text);
    if (writer.status != GROVE_OK) {
        cli_trace_release(&trace);
        return writer.status;
    }
    *trace_out = trace;
    return GROVE_OK;
}
