#include "base/error.h"

#include <stdio.h>

static const char *const STATUS_NAMES[] = {
    "GROVE_OK",
    "GROVE_NONE",
    "GROVE_INVALID",
    "GROVE_LIMIT",
    "GROVE_NO_MEMORY",
    "GROVE_IO",
    "GROVE_CORRUPT",
    "GROVE_MALFORMED",
    "GROVE_CONFLICT",
    "GROVE_REPLICA_REUSED",
    "GROVE_DUPLICATE",
    "GROVE_UNKNOWN_PARENT",
    "GROVE_HISTORY_REMOVED",
    "GROVE_UNSUPPORTED",
    "GROVE_BUSY",
    "GROVE_FULL",
    "GROVE_FORKED",
    "GROVE_FAILED",
    "GROVE_FORMAT_NEWER",
};

const char *grove_status_name(grove_status status)
{
    size_t index = (size_t)status;
    if (index >= sizeof STATUS_NAMES / sizeof *STATUS_NAMES) {
        return "GROVE_?";
    }
    return STATUS_NAMES[index];
}

__attribute__((format(printf, 4, 0))) static void fill(grove_error *error_out,
                                                       grove_status status,
                                                       uint64_t offset,
                                                       const char *format,
                                                       va_list arguments)
{
    if (error_out == NULL) {
        return;
    }
    error_out->status = status;
    error_out->offset = offset;
    (void)vsnprintf(error_out->message, sizeof error_out->message, format, arguments);
}

grove_status grove__fail(grove_error *error_out, grove_status status, const char *format,
                         ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(error_out, status, 0, format, arguments);
    va_end(arguments);
    return status;
}

grove_status grove__fail_at(grove_error *error_out, grove_status status, uint64_t offset,
                            const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(error_out, status, offset, format, arguments);
    va_end(arguments);
    return status;
}

grove_status grove__fail_memory(grove_error *error_out)
{
    return grove__fail(error_out, GROVE_NO_MEMORY,
                       "out of memory, or over the store's memory budget");
}
