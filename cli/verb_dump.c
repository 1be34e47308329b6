/* The verbs that carry whole stores: dump and undump. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <grove/dump.h>

#include "directory.h"
#include "open.h"
#include "output.h"

static json_t *report_of(const char *key, const char *path,
                         const grove_dump_result *result)
{
    return json_pack("{ss, so, so, so, so, so, so}", key, path, "file_bytes",
                     cli_number(result->bytes), "lines", cli_number(result->lines),
                     "commit", cli_number(result->commit), "groups",
                     cli_number(result->groups), "documents",
                     cli_number(result->documents), "events", cli_number(result->events));
}

/* --- dump --- */

/* A file in the making: written under another name, then renamed. What is there
 * and no file, a pipe or a terminal, is written to as it is. */
typedef struct output_file {
    const char *path;
    char *made; /* NULL: `path` itself is written to */
    FILE *stream;
} output_file;

static int write_failed(const output_file *file, int why)
{
    return cli_refuse(CLI_FAILURE, "%s could not be written: %s", file->path,
                      strerror(why));
}

static int open_file(const char *path, output_file *file)
{
    static const char SUFFIX[] = ".XXXXXX";
    struct stat about;
    *file = (output_file){.path = path};
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) {
        file->stream = fopen(path, "wb");
        return file->stream != NULL ? CLI_OK : write_failed(file, errno);
    }
    size_t bytes = strlen(path) + sizeof SUFFIX;
    file->made = malloc(bytes);
    if (file->made == NULL) {
        return write_failed(file, ENOMEM);
    }
    (void)snprintf(file->made, bytes, "%s%s", path, SUFFIX);
    int descriptor = mkstemp(file->made);
    file->stream = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (file->stream == NULL) {
        (void)write_failed(file, errno);
        if (descriptor >= 0) {
            (void)close(descriptor);
            (void)unlink(file->made);
        }
        free(file->made);
        return CLI_FAILURE;
    }
    return CLI_OK;
}

/* Closes the file and gives it its name, or removes it after a failure. */
static int close_file(output_file *file, int code)
{
    int why = 0;
    bool is_written = fflush(file->stream) == 0 &&
                      (file->made == NULL || fsync(fileno(file->stream)) == 0);
    why = is_written ? 0 : errno;
    if (fclose(file->stream) != 0 && why == 0) {
        why = errno;
    }
    if (code == CLI_OK && why == 0 && file->made != NULL &&
        rename(file->made, file->path) != 0) {
        why = errno;
    }
    if (code == CLI_OK && why != 0) {
        code = write_failed(file, why);
    }
    if (code != CLI_OK && file->made != NULL) {
        (void)unlink(file->made);
    }
    free(file->made);
    return code;
}

static bool write_piece(void *context, grove_bytes piece)
{
    FILE *stream = context;
    return fwrite(piece.data, 1, piece.size, stream) == piece.size;
}

static int dump_to(grove_store *store, const char *name, FILE *stream,
                   grove_dump_result *result_out)
{
    grove_error error;
    errno = 0;
    grove_status status =
        grove_store_dump(store, write_piece, stream, result_out, &error);
    if (status == GROVE_FAILED) {
        return cli_refuse(CLI_FAILURE, "%s could not be written: %s", name,
                          strerror(errno));
    }
    return status == GROVE_OK ? CLI_OK : cli_failed(&error, "dump the store");
}

static int dump_in(const cli_options *options, grove_store *store)
{
    grove_dump_result result;
    output_file file;
    if (options->out == NULL) {
        return dump_to(store, "the output", stdout, &result);
    }
    double begin = cli_now_ms();
    int code = open_file(options->out, &file);
    if (code != CLI_OK) {
        return code;
    }
    code = close_file(&file, dump_to(store, options->out, file.stream, &result));
    if (code != CLI_OK) {
        return code;
    }
    json_t *report = report_of("file", options->out, &result);
    if (report != NULL) {
        (void)json_object_set_new(report, "dump_ms", json_real(cli_now_ms() - begin));
    }
    return cli_report(options, report);
}

int cli_dump(const cli_options *options)
{
    return cli_in_store(options, dump_in);
}

/* --- undump --- */

static bool read_piece(void *context, uint8_t *room, size_t bytes, size_t *bytes_out)
{
    FILE *stream = context;
    *bytes_out = fread(room, 1, bytes, stream);
    return ferror(stream) == 0;
}

/* Makes a store at `path`, which the user does not know of. */
static int undump_to(const cli_options *options, const char *path, FILE *stream,
                     grove_dump_result *result_out)
{
    grove_store_options wanted = GROVE_STORE_OPTIONS_INIT;
    grove_error error;
    wanted.backend = options->backend;
    errno = 0;
    grove_status status =
        grove_store_undump(path, &wanted, read_piece, stream, result_out, &error);
    if (status == GROVE_FAILED) {
        return cli_refuse(CLI_INPUT, "%s could not be read: %s", options->file,
                          strerror(errno));
    }
    return status == GROVE_OK ? CLI_OK : cli_failed(&error, "load %s", options->file);
}

static int make_failed(const cli_options *options)
{
    return cli_refuse(CLI_FAILURE, "cannot make the store %s: %s", options->store_path,
                      strerror(errno));
}

/* Brings the entries of the directory that has `path` to the disk. */
static bool sync_parent(const char *path)
{
    char *parent = strdup(path);
    if (parent == NULL) {
        return false;
    }
    size_t bytes = strlen(parent);
    while (bytes > 0 && parent[bytes - 1] == '/') {
        bytes--;
    }
    while (bytes > 0 && parent[bytes - 1] != '/') {
        bytes--;
    }
    parent[bytes] = '\0';
    int directory = open(bytes > 0 ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = directory >= 0 && fsync(directory) == 0;
    if (directory >= 0) {
        (void)close(directory);
    }
    free(parent);
    return is_synced;
}

/* Gives the directory its name, for good. */
static int put_in_place(const cli_options *options, const char *made)
{
    return rename(made, options->store_path) == 0 && sync_parent(options->store_path)
               ? CLI_OK
               : make_failed(options);
}

/* Makes it under another name first, so that it is whole or not there. */
static int undump_on_disk(const cli_options *options, FILE *stream,
                          grove_dump_result *result_out)
{
    struct stat about;
    if (lstat(options->store_path, &about) == 0) {
        return cli_refuse(CLI_CONFLICT,
                          "there is something at %s already: name a new directory with "
                          "--store",
                          options->store_path);
    }
    char *made = cli_directory_make(options->store_path, ".undump-XXXXXX");
    if (made == NULL) {
        return make_failed(options);
    }
    int code = undump_to(options, made, stream, result_out);
    if (code == CLI_OK) {
        code = put_in_place(options, made);
    }
    if (code != CLI_OK && lstat(made, &about) == 0) {
        (void)cli_directory_remove(made);
    }
    free(made);
    return code;
}

int cli_undump(const cli_options *options)
{
    grove_dump_result result;
    bool is_input = strcmp(options->file, "-") == 0;
    FILE *stream = is_input ? stdin : fopen(options->file, "rb");
    if (stream == NULL) {
        return cli_refuse(CLI_INPUT, "%s could not be read: %s", options->file,
                          strerror(errno));
    }
    double begin = cli_now_ms();
    bool persistent = (options->backend->capabilities & GROVE_BACKEND_PERSISTENT) != 0;
    int code = persistent ? undump_on_disk(options, stream, &result)
                          : undump_to(options, options->store_path, stream, &result);
    if (!is_input) {
        (void)fclose(stream);
    }
    if (code != CLI_OK) {
        return code;
    }
    json_t *report = report_of("store", options->store_path, &result);
    if (report != NULL) {
        (void)json_object_set_new(report, "undump_ms", json_real(cli_now_ms() - begin));
    }
    return cli_report(options, report);
}
