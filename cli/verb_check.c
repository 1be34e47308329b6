/* The verbs for stores that may be damaged: verify and salvage. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "child.h"
#include "open.h"
#include "output.h"

/* A check or a salvage. What stands below `options` is the parent's. */
typedef struct check {
    const cli_options *options;
    json_t *found; /* list of findings or of losses */
    json_t *report;
    uint64_t count;
    uint64_t crashes;
    int code; /* of a failure that the child told of */
} check;

/* --- what a child says --- */

enum { KEY_DIGITS_MAX = 2 * 400 };

static json_t *key_value(grove_bytes key)
{
    static const char DIGITS[] = "0123456789abcdef";
    char text[KEY_DIGITS_MAX + 1];
    size_t count = 0;
    for (size_t index = 0; index < key.size && count + 2 <= KEY_DIGITS_MAX; index++) {
        text[count++] = DIGITS[key.data[index] >> 4];
        text[count++] = DIGITS[key.data[index] & 15];
    }
    return json_stringn(text, count);
}

/* A sentence, which may have bytes of a damaged store in it. */
static json_t *sentence_value(const char *sentence)
{
    json_t *value = json_string(sentence);
    if (value != NULL) {
        return value;
    }
    size_t size = strlen(sentence);
    grove_bytes bytes = grove_bytes_of(sentence);
    bytes.size = size < GROVE_DOCUMENT_ID_BYTES_MAX ? size : GROVE_DOCUMENT_ID_BYTES_MAX;
    return cli_id_value(bytes);
}

static bool say_finding(void *context, const grove_finding *finding)
{
    json_t *document =
        finding->document.size > 0 ? cli_id_value(finding->document) : json_null();
    cli_child_say(context, json_pack("{s{ss, ss, so, so, so, so}}", "found", "kind",
                                     grove_finding_kind_name(finding->kind), "table",
                                     finding->table, "document", document, "key",
                                     key_value(finding->key), "offset",
                                     cli_number(finding->offset), "message",
                                     sentence_value(finding->message)));
    return true;
}

static bool say_loss(void *context, const grove_loss *loss)
{
    bool is_group = strcmp(loss->table, "groups") == 0;
    json_t *name = loss->name.size > 0 ? cli_id_value(loss->name) : json_null();
    cli_child_say(context, json_pack("{s{ss, so, so, so, so}}", "found", "kind",
                                     grove_loss_kind_name(loss->kind),
                                     is_group ? "group" : "document", name, "first_clock",
                                     cli_number(loss->first_clock), "end_clock",
                                     cli_number(loss->end_clock), "message",
                                     sentence_value(loss->message)));
    return true;
}

static bool say_place(void *context, const char *table, grove_bytes name)
{
    cli_child_say_at(context, table, name);
    return true;
}

/* Says what failed; the parent says it to the user. */
static int say_failure(FILE *out, const cli_options *options, const char *path,
                       const grove_error *error)
{
    (void)options;
    cli_child_say(out,
                  json_pack("{s{si, so, ss}}", "failed", "status", error->status,
                            "message", sentence_value(error->message), "path", path));
    return CLI_FAILURE;
}

static grove_status open_damaged(const check *work, grove_store **store_out,
                                 grove_error *error_out)
{
    grove_store_options wanted = GROVE_STORE_OPTIONS_INIT;
    wanted.backend = work->options->backend;
    return grove_store_open_damaged(work->options->store_path, &wanted, store_out,
                                    error_out);
}

static int verify_in_child(void *context, const cli_place *after, FILE *out)
{
    const check *work = context;
    const cli_options *options = work->options;
    grove_store *store = NULL;
    grove_error error;
    if (open_damaged(work, &store, &error) != GROVE_OK) {
        return say_failure(out, options, options->store_path, &error);
    }
    grove_verify_options wanted = GROVE_VERIFY_OPTIONS_INIT;
    grove_verify_report report;
    wanted.replay = options->replay;
    wanted.one_document = options->has_document;
    wanted.prefix = cli_id_view(&options->document);
    wanted.after_table = after->table;
    wanted.after_name = cli_id_view(&after->name);
    wanted.at = say_place;
    grove_status status =
        grove_store_verify(store, &wanted, say_finding, out, &report, &error);
    grove_store_close(store);
    if (status != GROVE_OK) {
        return say_failure(out, options, options->store_path, &error);
    }
    cli_child_say(
        out, json_pack("{s{so, so, so, so, so, so, so, so, so}}", "report", "documents",
                       cli_number(report.documents), "documents_of_other_types",
                       cli_number(report.documents_of_other_types), "events",
                       cli_number(report.events), "batches", cli_number(report.batches),
                       "snapshots", cli_number(report.snapshots), "snapshots_replayed",
                       cli_number(report.snapshots_replayed), "waiting",
                       cli_number(report.pending), "groups", cli_number(report.groups),
                       "commits", cli_number(report.commits)));
    return CLI_OK;
}

static int salvage_in_child(void *context, const cli_place *after, FILE *out)
{
    const check *work = context;
    const cli_options *options = work->options;
    grove_store *source = NULL;
    grove_store *destination = NULL;
    grove_error error;
    if (open_damaged(work, &source, &error) != GROVE_OK) {
        return say_failure(out, options, options->store_path, &error);
    }
    grove_store_options made = GROVE_STORE_OPTIONS_INIT;
    made.backend = options->backend;
    made.durability = options->durability;
    made.must_exist = after->table != NULL;
    grove_status status = grove_store_open(options->out, &made, &destination, &error);
    if (status != GROVE_OK) {
        grove_store_close(source);
        return say_failure(out, options, options->out, &error);
    }
    grove_salvage_options wanted = GROVE_SALVAGE_OPTIONS_INIT;
    grove_salvage_report report;
    wanted.after_table = after->table;
    wanted.after_name = cli_id_view(&after->name);
    wanted.at = say_place;
    status =
        grove_store_salvage(source, destination, &wanted, say_loss, out, &report, &error);
    if (status == GROVE_OK) {
        status = grove_store_sync(destination, &error);
    }
    grove_store_close(destination);
    grove_store_close(source);
    if (status != GROVE_OK) {
        return say_failure(out, options, options->out, &error);
    }
    cli_child_say(out, json_pack("{s{so, so, so, so, so, so, so}}", "report", "documents",
                                 cli_number(report.documents), "documents_in_part",
                                 cli_number(report.documents_in_part), "documents_lost",
                                 cli_number(report.documents_lost), "events",
                                 cli_number(report.events), "events_lost",
                                 cli_number(report.events_lost), "groups",
                                 cli_number(report.groups), "groups_lost",
                                 cli_number(report.groups_lost)));
    return CLI_OK;
}

/* --- what the parent makes of it --- */

static void print_found(json_t *found)
{
    const char *key = NULL;
    json_t *value = NULL;
    (void)fputs(json_string_value(json_object_get(found, "kind")), stdout);
    json_object_foreach(found, key, value)
    {
        if (strcmp(key, "kind") == 0 || strcmp(key, "message") == 0) {
            continue;
        }
        if (json_is_string(value) && json_string_length(value) > 0) {
            (void)printf(", %s %s", key, json_string_value(value));
        } else if (json_is_integer(value) && json_integer_value(value) != 0) {
            (void)printf(", %s %" JSON_INTEGER_FORMAT, key, json_integer_value(value));
        }
    }
    (void)printf(": %s\n", json_string_value(json_object_get(found, "message")));
}

/* Takes a finding or a loss over. */
static void add_found(check *work, json_t *found)
{
    work->count++;
    if (work->options->json) {
        (void)json_array_append_new(work->found, found);
    } else {
        print_found(found);
        json_decref(found);
    }
}

static void take_failure(check *work, const json_t *failed)
{
    grove_error error = {
        .status = (grove_status)json_integer_value(json_object_get(failed, "status"))};
    const char *message = json_string_value(json_object_get(failed, "message"));
    const char *path = json_string_value(json_object_get(failed, "path"));
    (void)snprintf(error.message, sizeof error.message, "%s",
                   message == NULL ? "" : message);
    work->code = cli_failed(&error, "work on %s", path == NULL ? "the store" : path);
}

static void take_said(void *context, const json_t *said)
{
    check *work = context;
    json_t *found = json_object_get(said, "found");
    json_t *report = json_object_get(said, "report");
    const json_t *failed = json_object_get(said, "failed");
    if (found != NULL) {
        add_found(work, json_incref(found));
    }
    if (report != NULL) {
        json_decref(work->report);
        work->report = json_incref(report);
    }
    if (failed != NULL) {
        take_failure(work, failed);
    }
}

static void take_crash(void *context, const cli_place *at, const char *how)
{
    check *work = context;
    bool is_group = strcmp(at->table, "groups") == 0;
    bool has_name = at->name.size > 0 && strcmp(at->table, "commits") != 0;
    json_t *name = has_name ? cli_id_value(cli_id_view(&at->name)) : json_null();
    char message[GROVE_ERROR_MESSAGE_BYTES];
    (void)snprintf(message, sizeof message,
                   "the process that looked at table %s, here or behind, %s", at->table,
                   how);
    work->crashes++;
    add_found(work, json_pack("{ss, ss, so, ss}", "kind", "crash", "table", at->table,
                              is_group ? "group" : "document", name, "message", message));
}

/* What a process counted that ended early is not known. */
static void forget_counts(json_t *report)
{
    const char *key = NULL;
    json_t *value = NULL;
    void *next = NULL;
    json_object_foreach_safe(report, next, key, value)
    {
        (void)json_object_set_new(report, key, json_null());
    }
}

/* The end: prints the report, and says in the exit code what was found. */
static int finish(check *work, const char *list, int code)
{
    if (work->code != CLI_OK) {
        code = work->code;
    }
    if (code != CLI_OK) {
        json_decref(work->found);
        json_decref(work->report);
        return code;
    }
    json_t *report = work->report != NULL ? work->report : json_object();
    if (work->crashes > 0) {
        forget_counts(report);
    }
    if (work->options->json) {
        (void)json_object_set(report, list, work->found);
    } else {
        (void)json_object_set_new(report, list, cli_number(work->count));
    }
    (void)json_object_set_new(report, "crashes", cli_number(work->crashes));
    json_decref(work->found);
    code = cli_report(work->options, report);
    return code == CLI_OK && work->count > 0 ? CLI_FOUND : code;
}

static int run_check(const cli_options *options, const char *list,
                     int (*run)(void *, const cli_place *, FILE *))
{
    check checking = {.options = options, .found = json_array()};
    enum { PATIENCE_S = 60 };
    uint64_t patience_s = options->has_timeout ? options->timeout_s : PATIENCE_S;
    cli_work work = {&checking, run, take_said, take_crash, (uint32_t)patience_s};
    return finish(&checking, list, cli_child_work(&work));
}

int cli_verify(const cli_options *options)
{
    return run_check(options, "findings", verify_in_child);
}

int cli_salvage(const cli_options *options)
{
    struct stat about;
    if (lstat(options->out, &about) == 0) {
        return cli_refuse(CLI_CONFLICT, "%s is there already: name a new directory",
                          options->out);
    }
    return run_check(options, "losses", salvage_in_child);
}
