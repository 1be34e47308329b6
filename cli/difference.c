#include "difference.h"

#include <git2.h>
#include <string.h>

#include "fail.h"
#include "utf8.h"

/* A place at the beginning of a line. */
typedef struct place {
    size_t line; /* from 0 */
    size_t offset;
} place;

typedef struct difference {
    cli_trace *trace;
    cli_text before;
    cli_text after;
    int64_t timestamp;
    place before_at;
    place after_at;
    /* Code points of `after` up to after_at. */
    uint64_t position;
    grove_status status;
    grove_error *error_out;
} difference;

/* Goes forward to a line, or to the end of the text. */
static void go_to_line(place *at, cli_text text, size_t line)
{
    while (at->line < line && at->offset < text.bytes) {
        const char *rest = text.data + at->offset;
        const char *end = memchr(rest, '\n', text.bytes - at->offset);
        at->offset = end == NULL ? text.bytes : (size_t)(end - text.data) + 1;
        at->line++;
    }
}

/* Bytes that both begin with, whole code points. */
static size_t common_prefix(cli_text a, cli_text b)
{
    size_t most = a.bytes < b.bytes ? a.bytes : b.bytes;
    size_t bytes = 0;
    while (bytes < most && a.data[bytes] == b.data[bytes]) {
        bytes++;
    }
    /* What differs inside of a code point differs in all of it. */
    while (bytes > 0 && bytes < a.bytes && !cli_utf8_begins(a.data[bytes])) {
        bytes--;
    }
    return bytes;
}

/* Bytes that both end with, whole code points. */
static size_t common_suffix(cli_text a, cli_text b)
{
    size_t most = a.bytes < b.bytes ? a.bytes : b.bytes;
    size_t bytes = 0;
    while (bytes < most && a.data[a.bytes - bytes - 1] == b.data[b.bytes - bytes - 1]) {
        bytes++;
    }
    while (bytes > 0 && !cli_utf8_begins(a.data[a.bytes - bytes])) {
        bytes--;
    }
    return bytes;
}

/* The text from one place to another. */
static cli_text part_of(cli_text text, size_t from, size_t end)
{
    return (cli_text){text.data + from, end - from};
}

static void replace(difference *work, cli_text before, cli_text after)
{
    size_t prefix = common_prefix(before, after);
    cli_text old = part_of(before, prefix, before.bytes);
    cli_text new = part_of(after, prefix, after.bytes);
    size_t suffix = common_suffix(old, new);
    cli_patch patch = {
        .position = work->position + cli_utf8_length(after.data, prefix),
        .deleted = cli_utf8_length(old.data, old.bytes - suffix),
        .text_bytes = new.bytes - suffix,
        .timestamp = work->timestamp,
    };
    work->status = cli_trace_append(work->trace, &patch, new.data, work->error_out);
}

/* The first of some lines, counted from 0; git counts from 1, and names the
 * line before when there are none. */
static size_t first_line(int start, int lines)
{
    return (size_t)start - (lines > 0 ? 1 : 0);
}

static int take_hunk(const git_diff_delta *delta, const git_diff_hunk *hunk,
                     void *context)
{
    (void)delta;
    difference *work = context;
    go_to_line(&work->before_at, work->before,
               first_line(hunk->old_start, hunk->old_lines));
    size_t before_from = work->before_at.offset;
    go_to_line(&work->before_at, work->before,
               work->before_at.line + (size_t)hunk->old_lines);
    cli_text before = part_of(work->before, before_from, work->before_at.offset);

    size_t same_from = work->after_at.offset;
    go_to_line(&work->after_at, work->after,
               first_line(hunk->new_start, hunk->new_lines));
    size_t after_from = work->after_at.offset;
    work->position +=
        cli_utf8_length(work->after.data + same_from, after_from - same_from);
    go_to_line(&work->after_at, work->after,
               work->after_at.line + (size_t)hunk->new_lines);
    cli_text after = part_of(work->after, after_from, work->after_at.offset);

    replace(work, before, after);
    work->position += cli_utf8_length(after.data, after.bytes);
    return work->status == GROVE_OK ? 0 : GIT_EUSER;
}

grove_status cli_difference_append(cli_trace *trace, cli_text before, cli_text after,
                                   int64_t timestamp, grove_error *error_out)
{
    difference work = {.trace = trace,
                       .before = before,
                       .after = after,
                       .timestamp = timestamp,
                       .error_out = error_out};
    git_diff_options options;
    int failed = git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
    options.flags = GIT_DIFF_FORCE_TEXT;
    options.context_lines = 0;
    options.max_size = -1;
    if (failed == 0) {
        failed =
            git_diff_buffers(before.data, before.bytes, NULL, after.data, after.bytes,
                             NULL, &options, NULL, NULL, take_hunk, NULL, &work);
    }
    if (work.status != GROVE_OK || failed == 0) {
        return work.status;
    }
    const git_error *why = git_error_last();
    return cli_fail(error_out, GROVE_IO, "the texts cannot be compared: %s",
                    why == NULL ? "libgit2 failed" : why->message);
}
