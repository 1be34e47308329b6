/*
 * The copy is made in PATH.part, and gets its name when it is whole and on
 * disk:
 *
 *   make and lock PATH.part ─► data.mdb from LMDB ─► flush it, flush PATH.part
 *                           ─► rename to PATH ─► flush the directory above
 *
 * A rename of a directory never replaces one that is not empty. What a crash
 * left behind as PATH.part is used again by the next copy to the same path, if
 * there is no more in it than a copy can leave.
 */
#include "lmdb_copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lmdb_create.h"
#include "lmdb_error.h"

enum { ADOPTIONS_MAX = 16 };

/* What LMDB copies of the last commit, which others may have let grow. */
static int write_pages(grove_backend_env *env, int file, bool is_compact)
{
    int code = MDB_MAP_RESIZED;
    for (int try = 0; code == MDB_MAP_RESIZED && try < ADOPTIONS_MAX; try++) {
        code = try == 0 ? 0 : grove__lmdb_map_adopt(env->shared);
        if (code == 0 && !grove__lmdb_enter(env->shared)) {
            code = EBUSY;
        }
        if (code == 0) {
            code =
                mdb_env_copyfd2(env->shared->mdb, file, is_compact ? MDB_CP_COMPACT : 0);
            grove__lmdb_leave(env->shared);
        }
    }
    return code;
}

/* Writes and flushes data.mdb in the directory. */
static int write_data(grove_backend_env *env, int directory, bool is_compact)
{
    int file = openat(directory, "data.mdb", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                      (mode_t)env->file_mode);
    if (file < 0) {
        return errno;
    }
    int code = write_pages(env, file, is_compact);
    if (code == 0 && fsync(file) != 0) {
        code = errno;
    }
    if (close(file) != 0 && code == 0) {
        code = errno;
    }
    return code == 0 ? grove__lmdb_flush_directory(directory) : code;
}

/* ENOTEMPTY: there is more in the directory than a copy leaves. */
static int check_rest(int directory)
{
    int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = own < 0 ? NULL : fdopendir(own);
    if (listing == NULL) {
        int code = errno;
        if (own >= 0) {
            (void)close(own);
        }
        return code;
    }
    int code = 0;
    const struct dirent *entry;
    while (code == 0 && (entry = readdir(listing)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strcmp(entry->d_name, "data.mdb") != 0) {
            code = ENOTEMPTY;
        }
    }
    (void)closedir(listing);
    return code;
}

/* The directory PATH.part is open and made by us, or left by a crash. */
static int fill(grove_backend_env *env, int directory, const char *part, const char *path,
                bool is_compact)
{
    if (flock(directory, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? EBUSY : errno;
    }
    /* Another copy may have been finished, and have its name, since we opened
     * it. */
    int code = grove__lmdb_has_name(directory, part) ? check_rest(directory) : EBUSY;
    if (code != 0) {
        return code;
    }
    code = write_data(env, directory, is_compact);
    if (code == 0 && rename(part, path) != 0) {
        code = errno;
    }
    if (code == 0) {
        int above = openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        code = above < 0 ? errno : grove__lmdb_flush_directory(above);
        if (above >= 0) {
            (void)close(above);
        }
    } else {
        (void)unlinkat(directory, "data.mdb", 0);
        (void)rmdir(part);
    }
    return code;
}

static int copy_to(grove_backend_env *env, const char *part, const char *path,
                   bool is_compact)
{
    if (mkdir(part, (mode_t)env->directory_mode) != 0 && errno != EEXIST) {
        return errno;
    }
    int directory = open(part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) {
        return errno;
    }
    int code = fill(env, directory, part, path, is_compact);
    (void)close(directory);
    return code;
}

grove_status grove__lmdb_copy(grove_backend_env *env, const char *path, bool is_compact,
                              grove_error *error_out)
{
    static const char SUFFIX[] = ".part";
    struct stat about;
    if (grove__lmdb_is_forked(env)) {
        return grove__lmdb_fail_forked(error_out);
    }
    size_t path_bytes = strlen(path);
    while (path_bytes > 1 && path[path_bytes - 1] == '/') {
        path_bytes--;
    }
    if (path_bytes == 0 || lstat(path, &about) == 0) {
        return grove__lmdb_fail(error_out, GROVE_INVALID,
                                "'%s' exists; a copy never replaces anything: name a "
                                "path where nothing is",
                                grove__lmdb_path_tail(path));
    }
    size_t part_bytes = path_bytes + sizeof SUFFIX;
    char *part = grove__lmdb_take(env->allocator, part_bytes);
    if (part == NULL) {
        return grove__lmdb_fail_path(error_out, ENOMEM, path);
    }
    memcpy(part, path, path_bytes);
    memcpy(part + path_bytes, SUFFIX, sizeof SUFFIX);
    int code = copy_to(env, part, path, is_compact);
    grove__lmdb_return(env->allocator, part, part_bytes);
    if (code == ENOTEMPTY || code == EEXIST) {
        return grove__lmdb_fail(error_out, GROVE_INVALID,
                                "'%s' exists by now, or '%s.part' holds more than the "
                                "rest of a copy; name another path",
                                grove__lmdb_path_tail(path), grove__lmdb_path_tail(path));
    }
    return code == 0 ? GROVE_OK : grove__lmdb_fail_path(error_out, code, path);
}
