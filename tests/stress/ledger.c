#include "ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t ledger_new_call(stress_board *board)
{
    return atomic_fetch_add(&board->calls, 1) + 1;
}

void ledger_append(stress_board *board, const ledger_record *record)
{
    ssize_t written = write(board->ledger, record, sizeof *record);
    if (written != (ssize_t)sizeof *record) {
        stress_fail(board, "the ledger cannot be written: %s", strerror(errno));
    }
}

ledger_record *ledger_read(stress_board *board, size_t *count_out)
{
    struct stat about;
    if (fstat(board->ledger, &about) != 0) {
        stress_fail(board, "the ledger is gone: %s", strerror(errno));
    }
    size_t bytes = (size_t)about.st_size;
    ledger_record *records = malloc(bytes + 1);
    size_t done = 0;
    while (records != NULL && done < bytes) {
        ssize_t got =
            pread(board->ledger, (char *)records + done, bytes - done, (off_t)done);
        if (got <= 0) {
            break;
        }
        done += (size_t)got;
    }
    if (done != bytes || bytes % sizeof *records != 0) {
        stress_fail(board, "the ledger cannot be read");
    }
    *count_out = bytes / sizeof *records;
    return records;
}
