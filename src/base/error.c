#include "base/error.h"

#include <stdarg.h>
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

void grove__error_say(grove_error *error_out, const char *format, ...)
{
    if (error_out == NULL) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error_out->message, sizeof error_out->message, format, arguments);
    va_end(arguments);
}
