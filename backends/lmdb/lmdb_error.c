#include "lmdb_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <lmdb.h>

enum { PATH_BYTES_SHOWN = 100 };

typedef struct translation {
    int code;
    grove_status status;
    const char *sentence;
} translation;

static const translation OF_TRANSACTIONS[] = {
    {MDB_MAP_FULL, GROVE_FULL,
     "the store has reached its size limit; open it with a larger one, or compact it"},
    {MDB_MAP_RESIZED, GROVE_BUSY,
     "other processes let the store grow faster than it could be mapped; try again"},
    {MDB_TXN_FULL, GROVE_FULL,
     "the transaction changes too many pages; split it into smaller ones"},
    {ENOSPC, GROVE_FULL, "the disk is full; free some space on it"},
    {EDQUOT, GROVE_FULL, "the disk quota is used up; free some space"},
    {EFBIG, GROVE_FULL, "the file system, or `ulimit -f`, allows no larger file"},
    {ENOMEM, GROVE_NO_MEMORY, "out of memory"},
    {MDB_READERS_FULL, GROVE_BUSY,
     "every reader slot is taken by a read transaction of a live process; end some"},
    {MDB_TLS_FULL, GROVE_BUSY, "the process has no thread-local keys left"},
    {EAGAIN, GROVE_BUSY, "a lock is held by another process; try again"},
    {EBUSY, GROVE_BUSY, "a lock is held by another process; try again"},
    {MDB_PAGE_NOTFOUND, GROVE_CORRUPT, "a page refers to one that is not there"},
    {MDB_CORRUPTED, GROVE_CORRUPT, "a page is not of the kind it should be"},
    {MDB_PAGE_FULL, GROVE_CORRUPT, "a page holds more than fits it"},
    {MDB_CURSOR_FULL, GROVE_CORRUPT, "a tree is deeper than any sound one"},
    {MDB_PANIC, GROVE_FAILED,
     "an earlier write of the header failed; close the store and open it again"},
    {MDB_BAD_TXN, GROVE_FAILED,
     "an earlier failure left this transaction unusable; abort it"},
};

static const translation OF_OPENING[] = {
    {EACCES, GROVE_INVALID,
     "permission denied; let this user read and write the directory and its files"},
    {EPERM, GROVE_INVALID,
     "operation not permitted; let this user read and write the directory and its files"},
    {EROFS, GROVE_INVALID,
     "the file system is read-only, and even readers write to lock.mdb"},
    {ENOENT, GROVE_INVALID, "a directory above it does not exist; create that first"},
    {ENOTDIR, GROVE_INVALID, "it, or something above it, is not a directory"},
    {EISDIR, GROVE_INVALID, "a directory is in the place of a file"},
    {ENAMETOOLONG, GROVE_INVALID, "the path is too long; choose a shorter one"},
    {ELOOP, GROVE_INVALID, "the path goes round in symbolic links"},
    {MDB_INVALID, GROVE_INVALID,
     "lock.mdb or data.mdb is not LMDB's; is the directory another program's?"},
    {MDB_VERSION_MISMATCH, GROVE_INVALID,
     "lock.mdb or data.mdb is in use by, or made by, another version of LMDB"},
    {MDB_INCOMPATIBLE, GROVE_INVALID,
     "data.mdb holds something else under the name of one of the store's tables"},
    {ENOMEM, GROVE_NO_MEMORY,
     "out of memory, or of address space to reserve; choose a smaller size limit, or "
     "raise `ulimit -v`"},
    {EPROTO, GROVE_INVALID,
     "it is in use by a process with another build of the library; end that first"},
    {EMFILE, GROVE_IO, "too many open files; raise `ulimit -n`"},
    {ENFILE, GROVE_IO, "the system has too many open files"},
};

static const translation *find(const translation *table, size_t count, int code)
{
    for (size_t index = 0; index < count; index++) {
        if (table[index].code == code) {
            return &table[index];
        }
    }
    return NULL;
}

static const translation *find_in_transactions(int code)
{
    return find(OF_TRANSACTIONS, sizeof OF_TRANSACTIONS / sizeof *OF_TRANSACTIONS, code);
}

const char *grove__lmdb_path_tail(const char *path)
{
    size_t bytes = strlen(path);
    return bytes <= PATH_BYTES_SHOWN ? path : path + bytes - PATH_BYTES_SHOWN;
}

grove_status grove__lmdb_fail(grove_error *error_out, grove_status status,
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

grove_status grove__lmdb_fail_code(grove_error *error_out, int code, const char *doing)
{
    const translation *found = find_in_transactions(code);
    if (found != NULL) {
        return grove__lmdb_fail(error_out, found->status, "cannot %s: %s", doing,
                                found->sentence);
    }
    return grove__lmdb_fail(error_out, GROVE_IO, "cannot %s: %s", doing,
                            mdb_strerror(code));
}

grove_status grove__lmdb_fail_path(grove_error *error_out, int code, const char *path)
{
    const translation *found =
        find(OF_OPENING, sizeof OF_OPENING / sizeof *OF_OPENING, code);
    if (found == NULL) {
        found = find_in_transactions(code);
    }
    grove_status status = found != NULL ? found->status : GROVE_IO;
    const char *sentence = found != NULL ? found->sentence : mdb_strerror(code);
    const char *tail = grove__lmdb_path_tail(path);
    return grove__lmdb_fail(error_out, status, "cannot open '%s%s': %s",
                            tail == path ? "" : "...", tail, sentence);
}

int grove__lmdb_txn_commit(MDB_txn *txn)
{
    errno = 0;
    int code = mdb_txn_commit(txn);
    /* No call failed: then it was LMDB that was not content. */
    return code == EIO && errno == 0 ? ENOSPC : code;
}
