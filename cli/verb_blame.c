/* The verb blame: who wrote what of a text, and when. */
#include <stdio.h>
#include <stdlib.h>

#include "iso8601.h"
#include "open.h"
#include "output.h"
#include "utf8.h"

typedef struct blaming {
    /* What of the text was not told of yet. */
    const char *text;
    size_t bytes;
    /* The stretches; NULL: they are printed one by one. */
    json_t *list;
    bool failed;
} blaming;

/* A stretch as an object; its replica is null when nobody knows it. */
static json_t *stretch_value(const grove_text_authorship *stretch, json_t *text)
{
    grove_bytes replica = {stretch->event.replica.bytes, stretch->event.replica.size};
    bool is_known = replica.size > 0;
    char time[CLI_TIME_BYTES];
    cli_time_format(stretch->timestamp, time);
    return json_pack("{so, so, so, so, so, so, so}", "position",
                     cli_number(stretch->position), "characters",
                     cli_number(stretch->count), "replica",
                     is_known ? cli_id_value(replica) : json_null(), "sequence",
                     is_known ? cli_number(stretch->event.sequence) : json_null(),
                     "clock", is_known ? cli_number(stretch->clock) : json_null(), "time",
                     is_known ? json_string(time) : json_null(), "text", text);
}

/* A stretch as a line. */
static bool print_stretch(const grove_text_authorship *stretch, json_t *text)
{
    grove_bytes replica = {stretch->event.replica.bytes, stretch->event.replica.size};
    char time[CLI_TIME_BYTES];
    char name[CLI_ID_TEXT_BYTES];
    cli_time_format(stretch->timestamp, time);
    cli_id_format(replica, name);
    printf("%-24s  %s  ", replica.size > 0 ? time : "unknown",
           replica.size > 0 ? name : "unknown");
    bool printed = json_dumpf(text, stdout, JSON_ENCODE_ANY) == 0;
    (void)putchar('\n');
    json_decref(text);
    return printed;
}

static bool take_stretch(void *context, const grove_text_authorship *stretch)
{
    blaming *work = context;
    size_t bytes = cli_utf8_prefix(work->text, work->bytes, stretch->count);
    json_t *text = json_stringn(work->text, bytes);
    work->text += bytes;
    work->bytes -= bytes;
    if (work->list == NULL) {
        work->failed = text == NULL || !print_stretch(stretch, text);
    } else {
        work->failed =
            json_array_append_new(work->list, stretch_value(stretch, text)) != 0;
    }
    return !work->failed;
}

/* Tells of the part of a text that the options name. */
static int blame_text(const cli_options *options, grove_document *document, char *text,
                      size_t bytes)
{
    uint64_t length = cli_utf8_length(text, bytes);
    uint64_t left = options->from < length ? length - options->from : 0;
    uint64_t count = options->has_count ? options->count : left;
    size_t before = cli_utf8_prefix(text, bytes, options->from);
    blaming work = {.text = text + before,
                    .bytes = bytes - before,
                    .list = options->json ? json_array() : NULL};
    grove_error error;
    grove_status status =
        grove_text_blame(document, options->from, count, take_stretch, &work, &error);
    int code = CLI_OK;
    if (status != GROVE_OK) {
        code = cli_failed(&error, "tell who wrote the text");
        code = status == GROVE_INVALID ? CLI_INPUT : code;
    } else if (work.failed) {
        code = cli_report(options, NULL);
    } else if (options->json) {
        code =
            cli_report(options, json_pack("{so, sO}", "document",
                                          cli_id_value(cli_id_view(&options->document)),
                                          "stretches", work.list));
    }
    json_decref(work.list);
    return code;
}

static int blame_in(const cli_options *options, grove_store *store)
{
    grove_document *document = NULL;
    int code =
        cli_document_load_as(options, store, grove_type_text(), "blame", &document);
    if (code == CLI_OK) {
        grove_error error;
        char *text = NULL;
        size_t bytes = 0;
        if (cli_document_text(document, &text, &bytes, &error) == GROVE_OK) {
            code = blame_text(options, document, text, bytes);
        } else {
            code = cli_failed(&error, "read the text");
        }
        free(text);
    }
    grove_document_close(document);
    return code;
}

int cli_blame(const cli_options *options)
{
    return cli_in_store(options, blame_in);
}
