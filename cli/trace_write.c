/* Writing a trace, piece by piece: a long one never stands in memory twice. */
#include "trace.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <zlib.h>

#include "fail.h"
#include "iso8601.h"

/* Bytes of JSON that zlib gathers before it works on them. */
enum { BUFFER_BYTES = 128 * 1024 };

static int write_piece(const char *text, size_t bytes, void *context)
{
    gzFile file = context;
    /* gzwrite takes an unsigned count and says 0 for a failure. */
    while (bytes > 0) {
        unsigned piece = bytes > BUFFER_BYTES ? BUFFER_BYTES : (unsigned)bytes;
        if (gzwrite(file, text, piece) == 0) {
            return -1;
        }
        text += piece;
        bytes -= piece;
    }
    return 0;
}

static bool write_text(gzFile file, const char *text)
{
    return write_piece(text, strlen(text), file) == 0;
}

/* Writes a value that jansson made, and gives it back. NULL: out of memory. */
static bool write_value(gzFile file, json_t *value)
{
    bool written =
        value != NULL &&
        json_dump_callback(value, write_piece, file, JSON_COMPACT | JSON_ENCODE_ANY) == 0;
    json_decref(value);
    return written;
}

/* The patches from `*next` on that share its time, as one transaction. */
static json_t *transaction_at(const cli_trace *trace, size_t *next)
{
    int64_t timestamp = trace->patches[*next].timestamp;
    char time[CLI_TIME_BYTES];
    cli_time_format(timestamp, time);
    json_t *patches = json_array();
    while (*next < trace->patch_count && trace->patches[*next].timestamp == timestamp) {
        const cli_patch *patch = &trace->patches[*next];
        json_t *item = json_pack(
            "[I, I, s%]", (json_int_t)patch->position, (json_int_t)patch->deleted,
            patch->text_bytes == 0 ? "" : trace->text + patch->text_offset,
            patch->text_bytes);
        if (json_array_append_new(patches, item) != 0) {
            json_decref(patches);
            return NULL;
        }
        (*next)++;
    }
    return json_pack("{s: s, s: o}", "time", time, "patches", patches);
}

static bool write_trace(gzFile file, const cli_trace *trace)
{
    const char *end = trace->end_bytes == 0 ? "" : trace->end_text;
    bool written = write_text(file, "{\"startContent\":\"\",\"endContent\":") &&
                   write_value(file, json_stringn(end, trace->end_bytes)) &&
                   write_text(file, ",\"txns\":[");
    size_t next = 0;
    while (written && next < trace->patch_count) {
        written = (next == 0 || write_text(file, ",\n")) &&
                  write_value(file, transaction_at(trace, &next));
    }
    return written && write_text(file, "]}\n");
}

grove_status cli_trace_write(const cli_trace *trace, const char *path,
                             grove_error *error_out)
{
    size_t bytes = strlen(path);
    bool compressed = bytes >= 3 && strcmp(path + bytes - 3, ".gz") == 0;
    errno = 0;
    gzFile file = gzopen(path, compressed ? "wb" : "wbT");
    if (file == NULL) {
        return errno == 0
                   ? cli_fail(error_out, GROVE_NO_MEMORY, "out of memory opening %s",
                              path)
                   : cli_fail(error_out, GROVE_IO, "%s: %s", path, strerror(errno));
    }
    (void)gzbuffer(file, BUFFER_BYTES);
    bool written = write_trace(file, trace);
    int failure = errno;
    if (gzclose_w(file) != Z_OK && written) {
        failure = errno;
        written = false;
    }
    if (!written) {
        cli_discard_file(path);
        return cli_fail(error_out, GROVE_IO, "%s could not be written: %s", path,
                        failure == 0 ? "out of memory" : strerror(failure));
    }
    return GROVE_OK;
}
