#include "output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LABEL_COLUMNS = 24, PROGRESS_MS = 100 };

/* A whole number with its thousands set apart. */
static void print_grouped(json_int_t number)
{
    char digits[32];
    int count = snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, number);
    for (int index = 0; index < count; index++) {
        bool border = index > 0 && digits[index - 1] != '-' && (count - index) % 3 == 0;
        if (border) {
            (void)putchar(',');
        }
        (void)putchar(digits[index]);
    }
}

static void print_value(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_INTEGER:
        print_grouped(json_integer_value(value));
        break;
    case JSON_REAL:
        printf("%.3f", json_real_value(value));
        break;
    case JSON_STRING:
        (void)fwrite(json_string_value(value), 1, json_string_length(value), stdout);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        (void)fputs(json_is_true(value) ? "yes" : "no", stdout);
        break;
    default:
        (void)fputs("none", stdout);
        break;
    }
}

static void print_table(json_t *report)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(report, key, value)
    {
        int column = 0;
        for (const char *at = key; *at != '\0'; at++, column++) {
            (void)putchar(*at == '_' ? ' ' : *at);
        }
        printf("%*s", column < LABEL_COLUMNS ? LABEL_COLUMNS - column : 1, "");
        print_value(value);
        (void)putchar('\n');
    }
}

int cli_output_finish(int code)
{
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        int failed = cli_refuse(CLI_FAILURE, "the output could not be written");
        return code == CLI_OK ? failed : code;
    }
    return code;
}

int cli_report(const cli_options *options, json_t *report)
{
    if (report == NULL) {
        return cli_refuse(CLI_FAILURE, "out of memory");
    }
    if (!options->json) {
        print_table(report);
    } else if (json_dumpf(report, stdout, JSON_INDENT(2)) == 0) {
        (void)putchar('\n');
    }
    json_decref(report);
    return CLI_OK;
}

json_t *cli_number(uint64_t number)
{
    return number == UINT64_MAX ? json_null() : json_integer((json_int_t)number);
}

json_t *cli_hexadecimal(uint64_t bits)
{
    char text[17];
    (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)bits);
    return json_string(text);
}

json_t *cli_id_value(grove_bytes id)
{
    char text[CLI_ID_TEXT_BYTES];
    cli_id_format(id, text);
    return json_string(text);
}

static int code_of(grove_status status)
{
    switch (status) {
    case GROVE_OK:
        return CLI_OK;
    case GROVE_NONE:
        return CLI_NONE;
    case GROVE_LIMIT:
    case GROVE_MALFORMED:
    case GROVE_HISTORY_REMOVED:
    case GROVE_UNSUPPORTED:
        return CLI_INPUT;
    case GROVE_CONFLICT:
    case GROVE_BUSY:
    case GROVE_REPLICA_REUSED:
        return CLI_CONFLICT;
    default:
        return CLI_FAILURE;
    }
}

/* What somebody at a command line can do about it; NULL where nothing helps
 * that the failure's own sentence does not say. */
static const char *advice(grove_status status)
{
    switch (status) {
    case GROVE_CORRUPT:
        return "the stored data is damaged: restore the store from a backup";
    case GROVE_CONFLICT:
    case GROVE_BUSY:
        return "another process writes to the store: try again";
    case GROVE_FULL:
        return "make room on the disk, or remove or compact documents";
    case GROVE_FORMAT_NEWER:
        return "use a newer version of grove";
    case GROVE_HISTORY_REMOVED:
        return "a compaction removed the events; they cannot be had back";
    default:
        return NULL;
    }
}

int cli_failed(const grove_error *error, const char *doing, ...)
{
    va_list arguments;
    va_start(arguments, doing);
    (void)fputs("grove: cannot ", stderr);
    (void)vfprintf(stderr, doing, arguments);
    va_end(arguments);
    (void)fprintf(stderr, ": %s (%s)\n", error->message,
                  grove_status_name(error->status));
    const char *help = advice(error->status);
    if (help != NULL) {
        (void)fprintf(stderr, "grove: %s\n", help);
    }
    return code_of(error->status);
}

int cli_refuse(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("grove: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    return code;
}

double cli_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

cli_progress cli_progress_begin(const cli_options *options, const char *doing,
                                uint64_t total)
{
    cli_progress progress = {doing, total, false, 0};
    progress.shown = !options->json && isatty(STDERR_FILENO) == 1;
    return progress;
}

void cli_progress_at(cli_progress *progress, uint64_t done)
{
    if (!progress->shown) {
        return;
    }
    double now = cli_now_ms();
    if (now - progress->last_ms < PROGRESS_MS) {
        return;
    }
    progress->last_ms = now;
    (void)fprintf(stderr, "\r%s %llu of %llu events\033[K", progress->doing,
                  (unsigned long long)done, (unsigned long long)progress->total);
}

void cli_progress_end(cli_progress *progress)
{
    if (progress->shown) {
        (void)fputs("\r\033[K", stderr);
        progress->shown = false;
    }
}
