#define _GNU_SOURCE
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, PIECES_MAX = 1024, SECTOR_BYTES = 512 };

/* Set before anything is recorded; the functions of the C library have no
 * argument that could lead to it. */
static struct {
    bool is_on;
    int log; /* -1: none */
    unsigned sync_us;
    const char *root;
    size_t root_bytes;
    _Atomic uint64_t syncs;
    _Atomic recorder_fault fault;
    _Atomic uint64_t until; /* calls before the one that fails */
    _Atomic bool is_met;
    _Atomic uint64_t met_offset;
} recorder = {.log = -1};

#define EXPORTED __attribute__((visibility("default")))

bool recorder_begin(const recorder_options *options)
{
    recorder.root = options->root;
    recorder.root_bytes = strlen(options->root);
    recorder.sync_us = options->sync_us;
    if (options->log != NULL) {
        recorder.log = (int)syscall(SYS_openat, AT_FDCWD, options->log,
                                    O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
        if (recorder.log < 0) {
            return false;
        }
    }
    recorder.is_on = true;
    return true;
}

static void append(recorder_record *record, const struct iovec *pieces, size_t count)
{
    struct iovec all[PIECES_MAX + 1] = {{record, sizeof *record}};
    record->bytes = 0;
    for (size_t index = 0; index < count; index++) {
        all[index + 1] = pieces[index];
        record->bytes += pieces[index].iov_len;
    }
    long wanted = (long)(sizeof *record + record->bytes);
    if (recorder.log >= 0 &&
        syscall(SYS_writev, recorder.log, all, count + 1) != wanted) {
        static const char SENTENCE[] = "the log of the recorder is full\n";
        (void)syscall(SYS_write, STDERR_FILENO, SENTENCE, sizeof SENTENCE - 1);
        abort();
    }
}

void recorder_mark(const void *bytes, size_t size)
{
    recorder_record record = {.kind = RECORDER_MARK};
    struct iovec piece = {(void *)(uintptr_t)bytes, size};
    append(&record, &piece, 1);
}

void recorder_fail(recorder_fault fault, uint64_t nth)
{
    recorder.until = nth - 1;
    recorder.is_met = false;
    recorder.fault = fault;
}

bool recorder_mend(uint64_t *offset_out)
{
    recorder.fault = RECORDER_FAULT_NONE;
    *offset_out = recorder.met_offset;
    return recorder.is_met;
}

/* Whether this call, of a kind that the fault is about, fails. */
static bool meets_fault(off_t offset)
{
    uint64_t until = recorder.until;
    while (until > 0 &&
           !atomic_compare_exchange_weak(&recorder.until, &until, until - 1)) {
    }
    if (until == 0 && !recorder.is_met) {
        recorder.met_offset = (uint64_t)offset;
        recorder.is_met = true;
    }
    return until == 0;
}

/* --- which file --- */

/* The part of an absolute path below the directory; false: it is elsewhere. */
static bool relate(const char *path, recorder_record *record)
{
    if (!recorder.is_on || strncmp(path, recorder.root, recorder.root_bytes) != 0 ||
        (path[recorder.root_bytes] != '/' && path[recorder.root_bytes] != '\0')) {
        return false;
    }
    const char *below = path + recorder.root_bytes;
    below += *below == '/';
    (void)snprintf(record->path, sizeof record->path, "%s", below);
    return true;
}

/* The same of an open file; fills in its inode. */
static bool relate_file(int file, recorder_record *record)
{
    char link[64];
    char path[PATH_BYTES];
    struct stat about;
    if (!recorder.is_on) {
        return false;
    }
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t bytes = readlink(link, path, sizeof path - 1);
    if (bytes <= 0) {
        return false;
    }
    path[bytes] = '\0';
    if (!relate(path, record) || fstat(file, &about) != 0 ||
        (!S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode))) {
        return false;
    }
    record->inode = about.st_ino;
    record->is_directory = S_ISDIR(about.st_mode);
    return true;
}

/* The same of a path as the *at functions take it. */
static bool relate_at(int directory, const char *path, recorder_record *record)
{
    if (path[0] == '/' || directory == AT_FDCWD) {
        return relate(path, record);
    }
    recorder_record above = {.kind = 0};
    int bytes = 0;
    if (relate_file(directory, &above)) {
        bytes = snprintf(record->path, sizeof record->path, "%s%s%s", above.path,
                         above.path[0] == '\0' ? "" : "/", path);
    }
    return bytes > 0;
}

/* --- names --- */

static void append_named(recorder_record *record, int directory, const char *path)
{
    struct stat about;
    int saved = errno;
    if (fstatat(directory, path, &about, AT_SYMLINK_NOFOLLOW) == 0) {
        record->kind = RECORDER_NAMED;
        record->inode = about.st_ino;
        record->is_directory = S_ISDIR(about.st_mode);
        append(record, NULL, 0);
    }
    errno = saved;
}

EXPORTED int openat(int directory, const char *path, int flags, ...)
{
    unsigned mode = 0;
    if ((flags & (O_CREAT | __O_TMPFILE)) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, unsigned);
        va_end(arguments);
    }
    int file = (int)syscall(SYS_openat, directory, path, flags, mode);
    recorder_record record = {.kind = RECORDER_NAMED};
    if (file >= 0 && (flags & (O_CREAT | O_TRUNC)) != 0 && relate_file(file, &record)) {
        append(&record, NULL, 0);
        if ((flags & O_TRUNC) != 0) {
            record.kind = RECORDER_TRUNCATE;
            append(&record, NULL, 0);
        }
    }
    return file;
}

EXPORTED int open(const char *path, int flags, ...)
{
    unsigned mode = 0;
    if ((flags & (O_CREAT | __O_TMPFILE)) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, unsigned);
        va_end(arguments);
    }
    return openat(AT_FDCWD, path, flags, mode);
}

EXPORTED int mkdirat(int directory, const char *path, mode_t mode)
{
    int code = (int)syscall(SYS_mkdirat, directory, path, mode);
    recorder_record record = {.kind = RECORDER_NAMED};
    if (code == 0 && relate_at(directory, path, &record)) {
        append_named(&record, directory, path);
    }
    return code;
}

EXPORTED int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

EXPORTED int linkat(int directory, const char *path, int new_directory,
                    const char *new_path, int flags)
{
    int code = (int)syscall(SYS_linkat, directory, path, new_directory, new_path, flags);
    recorder_record record = {.kind = RECORDER_NAMED};
    if (code == 0 && relate_at(new_directory, new_path, &record)) {
        append_named(&record, new_directory, new_path);
    }
    return code;
}

EXPORTED int link(const char *path, const char *new_path)
{
    return linkat(AT_FDCWD, path, AT_FDCWD, new_path, 0);
}

EXPORTED int renameat2(int directory, const char *path, int new_directory,
                       const char *new_path, unsigned flags)
{
    int code =
        (int)syscall(SYS_renameat2, directory, path, new_directory, new_path, flags);
    recorder_record record = {.kind = RECORDER_RENAME};
    recorder_record target = {.kind = RECORDER_RENAME};
    if (code == 0 && relate_at(directory, path, &record) &&
        relate_at(new_directory, new_path, &target)) {
        struct iovec piece = {target.path, sizeof target.path};
        append(&record, &piece, 1);
    }
    return code;
}

EXPORTED int renameat(int directory, const char *path, int new_directory,
                      const char *new_path)
{
    return renameat2(directory, path, new_directory, new_path, 0);
}

EXPORTED int rename(const char *path, const char *new_path)
{
    return renameat2(AT_FDCWD, path, AT_FDCWD, new_path, 0);
}

EXPORTED int unlinkat(int directory, const char *path, int flags)
{
    int code = (int)syscall(SYS_unlinkat, directory, path, flags);
    recorder_record record = {.kind = RECORDER_UNLINK};
    if (code == 0 && relate_at(directory, path, &record)) {
        append(&record, NULL, 0);
    }
    return code;
}

EXPORTED int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

/* --- content --- */

static bool is_through(int file)
{
    return (fcntl(file, F_GETFL) & O_DSYNC) != 0;
}

/* Whether a write fails here; *bytes then becomes what of it is done. */
static bool fails_to_write(int file, off_t offset, size_t *bytes)
{
    recorder_fault fault = recorder.fault;
    if (fault == RECORDER_FAULT_NONE ||
        (fault == RECORDER_FAULT_SYNC && !is_through(file))) {
        return false;
    }
    bool was_met = recorder.is_met;
    if (!meets_fault(offset >= 0 ? offset : lseek(file, 0, SEEK_CUR))) {
        return false;
    }
    bool is_cut = fault == RECORDER_FAULT_SHORT && !was_met && *bytes > SECTOR_BYTES;
    *bytes = is_cut ? *bytes / 2 : 0;
    if (!is_cut) {
        errno = fault == RECORDER_FAULT_SYNC ? EIO : ENOSPC;
    }
    return true;
}

/* Cuts the pieces to so many bytes; how many pieces are left. */
static int cut(struct iovec *pieces, int count, size_t bytes)
{
    for (int index = 0; index < count; index++) {
        if (pieces[index].iov_len >= bytes) {
            pieces[index].iov_len = bytes;
            return index + 1;
        }
        bytes -= pieces[index].iov_len;
    }
    return count;
}

/* All writes. A negative offset: at the file's own, which moves. */
static ssize_t write_pieces(int file, const struct iovec *given, int count, off_t offset)
{
    recorder_record record = {.kind = RECORDER_WRITE};
    bool is_ours = file != recorder.log && relate_file(file, &record);
    struct iovec pieces[PIECES_MAX];
    size_t bytes = 0;
    if (count < 0 || count > PIECES_MAX) {
        errno = EINVAL;
        return -1;
    }
    for (int index = 0; index < count; index++) {
        pieces[index] = given[index];
        bytes += pieces[index].iov_len;
    }
    if (is_ours && fails_to_write(file, offset, &bytes)) {
        if (bytes == 0) {
            return -1;
        }
        count = cut(pieces, count, bytes);
    }
    ssize_t written = offset >= 0
                          ? (ssize_t)syscall(SYS_pwritev, file, pieces, count, offset, 0)
                          : (ssize_t)syscall(SYS_writev, file, pieces, count);
    if (is_ours && written > 0) {
        int saved = errno;
        off_t end = offset >= 0 ? offset + written : lseek(file, 0, SEEK_CUR);
        record.offset = (uint64_t)(end - written);
        record.is_synced = is_through(file);
        count = cut(pieces, count, (size_t)written);
        append(&record, pieces, (size_t)count);
        errno = saved;
    }
    return written;
}

EXPORTED ssize_t write(int file, const void *bytes, size_t count)
{
    struct iovec piece = {(void *)(uintptr_t)bytes, count};
    return write_pieces(file, &piece, 1, -1);
}

EXPORTED ssize_t writev(int file, const struct iovec *pieces, int count)
{
    return write_pieces(file, pieces, count, -1);
}

EXPORTED ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset)
{
    struct iovec piece = {(void *)(uintptr_t)bytes, count};
    return write_pieces(file, &piece, 1, offset);
}

EXPORTED ssize_t pwritev(int file, const struct iovec *pieces, int count, off_t offset)
{
    return write_pieces(file, pieces, count, offset);
}

EXPORTED int ftruncate(int file, off_t bytes)
{
    recorder_record record = {.kind = RECORDER_TRUNCATE, .offset = (uint64_t)bytes};
    int code = (int)syscall(SYS_ftruncate, file, bytes);
    if (code == 0 && relate_file(file, &record)) {
        record.offset = (uint64_t)bytes;
        append(&record, NULL, 0);
    }
    return code;
}

/* No caller needs it; it would have to be modelled. */
EXPORTED int fallocate(int file, int mode, off_t offset, off_t bytes)
{
    recorder_record record = {.kind = RECORDER_TRUNCATE};
    if (relate_file(file, &record)) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return (int)syscall(SYS_fallocate, file, mode, offset, bytes);
}

/* Copies inside the kernel have no content to record: callers fall back. */
EXPORTED ssize_t copy_file_range(int from, off_t *from_offset, int to, off_t *to_offset,
                                 size_t bytes, unsigned flags)
{
    recorder_record record = {.kind = RECORDER_WRITE};
    if (relate_file(to, &record)) {
        errno = ENOSYS;
        return -1;
    }
    return (ssize_t)syscall(SYS_copy_file_range, from, from_offset, to, to_offset, bytes,
                            flags);
}

/* --- syncs --- */

static int sync_file(int file, long call)
{
    recorder_record record = {.kind = RECORDER_SYNC_BEGIN};
    if (!relate_file(file, &record)) {
        return (int)syscall(call, file);
    }
    if (recorder.fault == RECORDER_FAULT_SYNC && meets_fault(0)) {
        errno = EIO;
        return -1;
    }
    /* Told apart from those of other processes. */
    record.offset = (uint64_t)getpid() << 32 | (atomic_fetch_add(&recorder.syncs, 1) + 1);
    append(&record, NULL, 0);
    if (recorder.sync_us > 0) {
        (void)usleep(recorder.sync_us);
    }
    record.kind = RECORDER_SYNC_END;
    append(&record, NULL, 0);
    return 0;
}

EXPORTED int fsync(int file)
{
    return sync_file(file, SYS_fsync);
}

EXPORTED int fdatasync(int file)
{
    return sync_file(file, SYS_fdatasync);
}

/* Where off_t has 64 bits these are other names of the same. */
EXPORTED int open64(const char *, int, ...) __attribute__((alias("open")));
EXPORTED int openat64(int, const char *, int, ...) __attribute__((alias("openat")));
EXPORTED int ftruncate64(int, off_t) __attribute__((alias("ftruncate")));
EXPORTED ssize_t pwrite64(int, const void *, size_t, off_t)
    __attribute__((alias("pwrite")));
EXPORTED ssize_t pwritev64(int, const struct iovec *, int, off_t)
    __attribute__((alias("pwritev")));
