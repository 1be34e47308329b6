#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

grove_status cli_fail(grove_error *error_out, grove_status status, const char *format,
                      ...)
{
    if (error_out != NULL) {
        va_list arguments;
        va_start(arguments, format);
        error_out->status = status;
        error_out->offset = 0;
        (void)vsnprintf(error_out->message, sizeof error_out->message, format, arguments);
        va_end(arguments);
    }
    return status;
}

void cli_discard_file(const char *path)
{
    struct stat about;
    if (stat(path, &about) == 0 && S_ISREG(about.st_mode)) {
        (void)unlink(path);
    }
}
