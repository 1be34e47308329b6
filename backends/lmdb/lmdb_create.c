/*
 * A new environment is built in data.mdb.new, under a lock on that file, and
 * then renamed to data.mdb:
 *
 *   open and lock data.mdb.new ─► data.mdb exists by now ─► unlink, done
 *                              ─► it is no longer what has that name ─► again
 *                              ─► empty it, build, flush, rename
 *
 * The lock goes with the process that held it, so what a crash left behind is
 * only the next one's raw material.
 */
#include "lmdb_create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lmdb_error.h"

/* An empty environment has some pages, whatever the size limit; a map of the
 * limit may be more than the address space has (lmdb_shared.h). */
enum { TRIES_MAX = 100, EMPTY_BYTES_MAX = 1 << 20 };

unsigned grove__lmdb_durability_flags(grove_durability durability)
{
    switch (durability) {
    case GROVE_DURABILITY_NONE:
        return MDB_NOSYNC;
    case GROVE_DURABILITY_RELAXED:
    case GROVE_DURABILITY_FULL: /* lmdb_durable.h does the rest */
    default:
        return MDB_NOMETASYNC;
    }
}

size_t grove__lmdb_map_bytes(const grove_backend_options *options)
{
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t bytes = options->size_limit_bytes / page_bytes * page_bytes;
    return bytes > SIZE_MAX ? 0 : (size_t)bytes;
}

int grove__lmdb_open_tables(MDB_txn *txn, const grove_backend_options *options,
                            unsigned flags, MDB_dbi *tables_out)
{
    for (uint32_t index = 0; index < options->table_count; index++) {
        MDB_dbi table;
        unsigned table_flags;
        int code = mdb_dbi_open(txn, options->table_names[index], flags, &table);
        if (code == 0) {
            code = mdb_dbi_flags(txn, table, &table_flags);
        }
        /* Somebody else's table of that name, sorted in another way. */
        if (code == 0 && table_flags != 0) {
            code = MDB_INCOMPATIBLE;
        }
        if (code != 0) {
            return code;
        }
        if (tables_out != NULL) {
            tables_out[index] = table;
        }
    }
    return 0;
}

/* Makes an environment with all tables in the empty file `new_path`. */
static int build(const grove_backend_options *options, const char *new_path)
{
    MDB_env *env;
    MDB_txn *txn = NULL;
    unsigned flags = MDB_NOSUBDIR | MDB_NOLOCK;
    if (options->durability == GROVE_DURABILITY_NONE) {
        flags |= MDB_NOSYNC;
    }
    size_t limit = grove__lmdb_map_bytes(options);
    size_t bytes = limit < EMPTY_BYTES_MAX ? limit : EMPTY_BYTES_MAX;
    int code = mdb_env_create(&env);
    if (code != 0) {
        return code;
    }
    code = mdb_env_set_maxdbs(env, options->table_count);
    if (code == 0) {
        code = mdb_env_set_mapsize(env, bytes);
    }
    if (code == 0) {
        code = mdb_env_open(env, new_path, flags, (mdb_mode_t)options->file_mode);
    }
    if (code == 0) {
        code = mdb_txn_begin(env, NULL, 0, &txn);
    }
    if (code == 0) {
        code = grove__lmdb_open_tables(txn, options, MDB_CREATE, NULL);
    }
    if (code == 0) {
        code = grove__lmdb_txn_commit(txn);
        txn = NULL;
    }
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return code;
}

int grove__lmdb_flush_directory(int directory)
{
    return fsync(directory) == 0 || errno == EINVAL ? 0 : errno;
}

/* Makes the name of data.mdb, and of its directory, survive a power cut. */
static int flush_names(const char *path)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        return errno;
    }
    int code = grove__lmdb_flush_directory(directory);
    /* A parent that we may not read was not made by us. */
    int parent = openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (code == 0 && parent >= 0) {
        code = grove__lmdb_flush_directory(parent);
    }
    if (parent >= 0) {
        (void)close(parent);
    }
    (void)close(directory);
    return code;
}

bool grove__lmdb_has_name(int descriptor, const char *path)
{
    struct stat by_descriptor;
    struct stat by_name;
    return fstat(descriptor, &by_descriptor) == 0 && stat(path, &by_name) == 0 &&
           by_descriptor.st_dev == by_name.st_dev &&
           by_descriptor.st_ino == by_name.st_ino;
}

static bool exists(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

/* The body of the critical section: we hold the lock on `new_path`. */
static int build_locked(const grove_backend_options *options, const char *data_path,
                        const char *new_path, int descriptor)
{
    int code = ftruncate(descriptor, 0) == 0 ? 0 : errno;
    if (code == 0) {
        code = build(options, new_path);
    }
    if (code == 0 && rename(new_path, data_path) != 0) {
        code = errno;
    }
    if (code != 0) {
        (void)unlink(new_path);
    } else if (options->durability != GROVE_DURABILITY_NONE) {
        code = flush_names(options->path);
    }
    return code;
}

/* One try; *again_out when the file's name went to another meanwhile. */
static int try_to_create(const grove_backend_options *options, const char *data_path,
                         const char *new_path, bool *again_out)
{
    int code = 0;
    int descriptor =
        open(new_path, O_RDWR | O_CREAT | O_CLOEXEC, (mode_t)options->file_mode);
    if (descriptor < 0) {
        return errno;
    }
    while (code == 0 && flock(descriptor, LOCK_EX) != 0) {
        code = errno == EINTR ? 0 : errno;
    }
    if (code == 0) {
        bool ours = grove__lmdb_has_name(descriptor, new_path);
        bool made = exists(data_path);
        *again_out = !ours && !made;
        if (ours && made) {
            (void)unlink(new_path);
        } else if (ours) {
            code = build_locked(options, data_path, new_path, descriptor);
        }
    }
    (void)close(descriptor);
    return code;
}

grove_status grove__lmdb_create(const grove_backend_options *options,
                                const char *data_path, grove_error *error_out)
{
    static const char SUFFIX[] = ".new";
    const grove_allocator *allocator = options->allocator;
    if (mkdir(options->path, (mode_t)options->directory_mode) != 0 && errno != EEXIST) {
        return grove__lmdb_fail_path(error_out, errno, options->path);
    }
    if (exists(data_path)) {
        return GROVE_OK;
    }
    size_t data_path_bytes = strlen(data_path);
    size_t new_path_bytes = data_path_bytes + sizeof SUFFIX;
    char *new_path = allocator->allocate(allocator->context, new_path_bytes);
    if (new_path == NULL) {
        return grove__lmdb_fail_path(error_out, ENOMEM, options->path);
    }
    memcpy(new_path, data_path, data_path_bytes);
    memcpy(new_path + data_path_bytes, SUFFIX, sizeof SUFFIX);

    bool again = true;
    int code = 0;
    for (size_t try = 0; code == 0 && again && try < TRIES_MAX; try++) {
        again = false;
        code = try_to_create(options, data_path, new_path, &again);
    }
    allocator->deallocate(allocator->context, new_path, new_path_bytes);
    if (code == 0 && again) {
        code = EBUSY;
    }
    return code == 0 ? GROVE_OK : grove__lmdb_fail_path(error_out, code, options->path);
}
