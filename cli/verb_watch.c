/*
 * The verb watch: each commit as it is made.
 *
 * The watch says that there is something new, the feed what it is. The place in
 * the feed is taken before the watch begins, so that nothing falls between.
 */
#include <inttypes.h>
#include <stdio.h>

#include <grove/feed.h>

#include "iso8601.h"
#include "open.h"
#include "output.h"

enum { COMMITS_AT_ONCE = 256 };

typedef struct watching {
    const cli_options *options;
    double until_ms;
    /* The first line told of all commits up to this one. */
    uint64_t known;
    uint64_t told;
    int code;
} watching;

static bool is_complete(const watching *work)
{
    return work->options->has_count && work->told >= work->options->count;
}

/* A document without new events was deleted. */
static json_t *document_value(const grove_feed_touch *touch)
{
    bool is_deleted = touch->count == 0;
    return json_pack("{so, so, so}", "document", cli_id_value(touch->name), "clock",
                     is_deleted ? json_null() : cli_number(touch->first_clock), "events",
                     cli_number(touch->count));
}

static int print_object(const grove_feed_commit *commit, const char *time)
{
    json_t *documents = json_array();
    json_t *groups = json_array();
    bool has_failed = false;
    for (size_t index = 0; index < commit->touch_count; index++) {
        const grove_feed_touch *touch = &commit->touches[index];
        has_failed |= touch->kind == GROVE_FEED_DOCUMENT
                          ? json_array_append_new(documents, document_value(touch)) != 0
                          : json_array_append_new(groups, cli_id_value(touch->name)) != 0;
    }
    json_t *object =
        json_pack("{so, ss, so, so, so}", "commit", cli_number(commit->number), "time",
                  time, "incarnation", cli_hexadecimal(commit->incarnation), "documents",
                  documents, "groups", groups);
    if (object == NULL || has_failed) {
        json_decref(object);
        return cli_refuse(CLI_FAILURE, "out of memory");
    }
    (void)json_dumpf(object, stdout, 0);
    (void)putchar('\n');
    json_decref(object);
    return CLI_OK;
}

static void print_touch(const grove_feed_touch *touch)
{
    char name[CLI_ID_TEXT_BYTES];
    cli_id_format(touch->name, name);
    if (touch->kind == GROVE_FEED_GROUP) {
        printf("  group %s", name);
    } else if (touch->count == 0) {
        printf("  document %s deleted", name);
    } else {
        printf("  document %s %" PRIu64 "+%" PRIu64, name, touch->first_clock,
               touch->count);
    }
}

static void print_line(const grove_feed_commit *commit, const char *time)
{
    printf("%" PRIu64 "  %s", commit->number, time);
    for (size_t index = 0; index < commit->touch_count; index++) {
        print_touch(&commit->touches[index]);
    }
    (void)putchar('\n');
}

/* Each line goes out at once: somebody may wait for it at the end of a pipe. */
static bool tell(void *context, const grove_feed_commit *commit)
{
    watching *work = context;
    char time[CLI_TIME_BYTES];
    if (commit->number <= work->known) {
        return true;
    }
    cli_time_format(commit->time, time);
    if (work->options->json) {
        work->code = print_object(commit, time);
    } else {
        print_line(commit, time);
    }
    work->code = cli_output_finish(work->code);
    work->told++;
    return work->code == CLI_OK && !is_complete(work);
}

static int tell_start(watching *work)
{
    printf(work->options->json ? "{\"commit\": %" PRIu64 "}\n" : "%" PRIu64 "\n",
           work->known);
    return cli_output_finish(CLI_OK);
}

/* Tells of all that there is by now. */
static int tell_new(watching *work, grove_store *store, grove_feed_token *at)
{
    grove_feed_result read = {*at, 0};
    grove_status status = GROVE_OK;
    grove_error error;
    do {
        status = grove_feed_read(store, &read.next, COMMITS_AT_ONCE, tell, work, &read,
                                 &error);
    } while (status == GROVE_OK && read.commits > 0 && work->code == CLI_OK &&
             !is_complete(work));
    *at = read.next;
    if (status == GROVE_CONFLICT || status == GROVE_HISTORY_REMOVED) {
        return cli_refuse(CLI_FAILURE, "commits were missed, so watch anew: %s",
                          error.message);
    }
    return status == GROVE_OK ? work->code : cli_failed(&error, "read the feed");
}

/* How long the next wait may be; without a timeout, as long as can be said. */
static uint32_t wait_ms_left(const watching *work)
{
    double left = work->until_ms - cli_now_ms();
    if (!work->options->has_timeout || left > UINT32_MAX) {
        return UINT32_MAX;
    }
    return left > 0 ? (uint32_t)left : 0;
}

/* When the time is over: whether that is a failure. */
static int finish(const watching *work)
{
    return !work->options->has_count
               ? CLI_OK
               : cli_refuse(CLI_NONE, "the time is over, and there were fewer commits");
}

static int watch_on(watching *work, grove_store *store, grove_watch *watch,
                    grove_feed_token *at)
{
    for (;;) {
        int code = is_complete(work) ? CLI_OK : tell_new(work, store, at);
        if (code != CLI_OK || is_complete(work)) {
            return code;
        }
        grove_error error;
        grove_status status = grove_watch_wait(watch, wait_ms_left(work), NULL, &error);
        if (status == GROVE_NONE && work->options->has_timeout &&
            cli_now_ms() >= work->until_ms) {
            return finish(work);
        }
        if (status != GROVE_OK && status != GROVE_NONE) {
            return cli_failed(&error, "watch the store");
        }
    }
}

static int watch_in(const cli_options *options, grove_store *store)
{
    watching work = {.options = options,
                     .until_ms = cli_now_ms() + (double)options->timeout_s * 1e3};
    grove_watch *watch = NULL;
    grove_feed_token at;
    grove_error error;
    if (grove_feed_now(store, &at, &error) != GROVE_OK ||
        grove_watch_open(store, &watch, &work.known, &error) != GROVE_OK) {
        return cli_failed(&error, "watch the store");
    }
    int code = tell_start(&work);
    if (code == CLI_OK) {
        code = watch_on(&work, store, watch, &at);
    }
    grove_watch_close(watch);
    return code;
}

int cli_watch(const cli_options *options)
{
    return cli_in_store(options, watch_in);
}
