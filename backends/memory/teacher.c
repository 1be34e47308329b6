#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "teacher.h"

grove_status grove__teacher_fail(grove_error *error_out, grove_status status,
                                 const char *format, ...)
{
    if (error_out == NULL) {
        return status;
    }
    error_out->status = status;
    error_out->offset = 0;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error_out->message, sizeof error_out->message, format, arguments);
    va_end(arguments);
    return status;
}

grove_status grove__teacher_fail_heap(grove_error *error_out, grove_status status)
{
    if (status == GROVE_FULL) {
        return grove__teacher_fail(error_out, status,
                                   "the environment has reached its size limit");
    }
    return grove__teacher_fail(error_out, status, "out of memory");
}

void grove__teacher_insist(bool holds, const char *sentence)
{
    if (!holds) {
        (void)fprintf(stderr, "grove memory backend: %s\n", sentence);
        abort();
    }
}
