#include "watch.h"

#include <stdlib.h>

/* What outputs hold before a call: a failed one must leave them so (C14). */
static const uint8_t UNTOUCHED_BYTE = 0;
enum { UNTOUCHED_SIZE = 77777 };

/* C14: a status that is a failure comes with its sentence. */
void grove__watch_error(grove__check *check, grove_status status,
                        const grove_error *error, const char *doing)
{
    if (status == GROVE_OK || status == GROVE_NONE) {
        return;
    }
    grove__check_clause(check, 14, error->status == status,
                        "%s gave %s, and an error that says %s", doing,
                        grove_status_name(status), grove_status_name(error->status));
    grove__check_clause(check, 14,
                        error->message[0] != '\0' &&
                            memchr(error->message, '\0', sizeof error->message) != NULL,
                        "%s gave %s without a sentence", doing,
                        grove_status_name(status));
}

void grove__watch_init(grove_error *error)
{
    memset(error, 0, sizeof *error);
}

grove_bytes grove__watch_untouched(void)
{
    grove_bytes bytes = {&UNTOUCHED_BYTE, UNTOUCHED_SIZE};
    return bytes;
}

void grove__watch_bytes(grove__check *check, grove_status status, grove_bytes bytes,
                        const char *doing)
{
    bool is_untouched = bytes.data == &UNTOUCHED_BYTE && bytes.size == UNTOUCHED_SIZE;
    grove__check_clause(check, 14, status == GROVE_OK || is_untouched,
                        "%s gave %s and wrote to an output", doing,
                        grove_status_name(status));
    grove__check_clause(check, 14, status != GROVE_OK || !is_untouched,
                        "%s gave GROVE_OK and did not write an output", doing);
}

void grove__watch_pointer(grove__check *check, grove_status status, const void *pointer,
                          const void *untouched, const char *doing)
{
    grove__check_clause(check, 14, (status == GROVE_OK) == (pointer != untouched),
                        "%s gave %s and %s its output", doing, grove_status_name(status),
                        status == GROVE_OK ? "did not write" : "wrote");
}

/* C9: arguments are copies that are overwritten after the call, and freed some
 * calls later: a backend that looks at them soon finds nonsense, one that looks
 * at them late is for AddressSanitizer. */

grove_bytes grove__watch_lend(grove_bytes bytes)
{
    grove_bytes copy = {NULL, bytes.size};
    if (bytes.size > 0) {
        uint8_t *data = grove__check_memory(bytes.size);
        memcpy(data, bytes.data, bytes.size);
        copy.data = data;
    }
    return copy;
}

void grove__watch_scribble(grove__check *check, void *memory, size_t bytes)
{
    if (memory == NULL) {
        return;
    }
    memset(memory, 0xee, bytes);
    (void)pthread_mutex_lock(&check->mutex);
    void **place = &check->kept[check->kept_next++ % GROVE__CHECK_KEPT];
    void *oldest = *place;
    *place = memory;
    (void)pthread_mutex_unlock(&check->mutex);
    free(oldest);
}

void grove__watch_finish(grove__check *check)
{
    for (size_t index = 0; index < GROVE__CHECK_KEPT; index++) {
        free(check->kept[index]);
        check->kept[index] = NULL;
    }
}

void grove__watch_take(grove__check *check, grove_bytes lent)
{
    union {
        const uint8_t *lent;
        uint8_t *own;
    } data = {.lent = lent.data};
    grove__watch_scribble(check, data.own, lent.size);
}

char *grove__watch_lend_string(const char *string)
{
    size_t bytes = strlen(string) + 1;
    char *copy = grove__check_memory(bytes);
    memcpy(copy, string, bytes);
    return copy;
}
