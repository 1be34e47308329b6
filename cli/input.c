#include "input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fail.h"

/* What is asked of zlib at a time; also the least room. */
enum { PIECE_BYTES = 1 << 17 };

static grove_status out_of_memory(const char *path, grove_error *error_out)
{
    return cli_fail(error_out, GROVE_NO_MEMORY, "out of memory reading %s", path);
}

/* Why zlib gave no more: GROVE_OK when the file is sound and at its end. */
static grove_status check_end(gzFile file, const char *path, grove_error *error_out)
{
    int code = Z_OK;
    const char *reason = gzerror(file, &code);
    switch (code) {
    case Z_OK:
    case Z_STREAM_END:
        return GROVE_OK;
    case Z_MEM_ERROR:
        return out_of_memory(path, error_out);
    case Z_ERRNO:
        return cli_fail(error_out, GROVE_IO, "%s", reason);
    default:
        return cli_fail(error_out, GROVE_MALFORMED, "damaged or cut short: %s", reason);
    }
}

/* Makes room for another piece. */
static bool grow(cli_input *input, size_t *capacity)
{
    if (*capacity - input->bytes >= PIECE_BYTES) {
        return true;
    }
    size_t wanted = *capacity == 0 ? (size_t)4 * PIECE_BYTES : 2 * *capacity;
    char *grown = realloc(input->text, wanted);
    if (grown == NULL) {
        return false;
    }
    input->text = grown;
    *capacity = wanted;
    return true;
}

static grove_status read_all(gzFile file, const char *path, uint64_t bytes_max,
                             cli_input *input, grove_error *error_out)
{
    size_t capacity = 0;
    int got = 0;
    do {
        if (!grow(input, &capacity)) {
            return out_of_memory(path, error_out);
        }
        got = gzread(file, input->text + input->bytes, PIECE_BYTES);
        input->bytes += got > 0 ? (size_t)got : 0;
        if (input->bytes > bytes_max) {
            return cli_fail(error_out, GROVE_LIMIT, "%s holds more than %llu bytes", path,
                            (unsigned long long)bytes_max);
        }
    } while (got > 0);
    return check_end(file, path, error_out);
}

grove_status cli_input_open(const char *path, uint64_t bytes_max, cli_input *input_out,
                            grove_error *error_out)
{
    errno = 0;
    gzFile file = gzopen(path, "rb");
    if (file == NULL) {
        return errno == 0
                   ? out_of_memory(path, error_out)
                   : cli_fail(error_out, GROVE_IO, "%s: %s", path, strerror(errno));
    }
    (void)gzbuffer(file, PIECE_BYTES);
    cli_input input = {NULL, 0, 0};
    grove_status status = read_all(file, path, bytes_max, &input, error_out);
    (void)gzclose_r(file);
    if (status != GROVE_OK) {
        cli_input_release(&input);
        return status;
    }
    *input_out = input;
    return GROVE_OK;
}

void cli_input_release(cli_input *input)
{
    free(input->text);
    *input = (cli_input){NULL, 0, 0};
}

static void skip_blanks(cli_input *input)
{
    while (input->at < input->bytes &&
           strchr(" \t\r\n", input->text[input->at]) != NULL &&
           input->text[input->at] != '\0') {
        input->at++;
    }
}

bool cli_input_take(cli_input *input, char mark)
{
    skip_blanks(input);
    if (input->at == input->bytes || input->text[input->at] != mark) {
        return false;
    }
    input->at++;
    return true;
}

bool cli_input_at_end(cli_input *input)
{
    skip_blanks(input);
    return input->at == input->bytes;
}

grove_status cli_input_unexpected(const cli_input *input, const char *wanted,
                                  grove_error *error_out)
{
    grove_status status = cli_fail(error_out, GROVE_MALFORMED,
                                   "not JSON as it should be: %s is missing at byte %zu",
                                   wanted, input->at);
    if (error_out != NULL) {
        error_out->offset = input->at;
    }
    return status;
}

json_t *cli_input_value(cli_input *input, grove_error *error_out)
{
    json_error_t detail;
    json_t *value = json_loadb(input->text + input->at, input->bytes - input->at,
                               JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK |
                                   JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
                               &detail);
    size_t read = detail.position > 0 ? (size_t)detail.position : 0;
    if (value != NULL) {
        input->at += read;
        return value;
    }
    /* Of most failed allocations jansson says nothing at all. */
    if (detail.text[0] == '\0' || json_error_code(&detail) == json_error_out_of_memory) {
        (void)cli_fail(error_out, GROVE_NO_MEMORY, "out of memory reading JSON");
        return NULL;
    }
    (void)cli_fail(error_out, GROVE_MALFORMED,
                   "not JSON as it should be: %.120s at byte %zu", detail.text,
                   input->at + read);
    if (error_out != NULL) {
        error_out->offset = input->at + read;
    }
    return NULL;
}
