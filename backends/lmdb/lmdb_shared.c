#include "lmdb_shared.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lmdb_create.h"
#include "lmdb_error.h"
#include "lmdb_tables.h"

enum { READERS_MAX = 1024, ADOPTIONS_MAX = 16 };

/* How long who wants to move the map waits for the transactions of the
 * process, and they for it. */
#define MOVE_NS_MAX UINT64_C(5000000000)
/* The same for taking the reserve away, which is not worth a long wait; and how
 * long not to try again. */
#define SHRINK_NS_MAX UINT64_C(50000000)
#define SHRINK_PAUSE_NS UINT64_C(1000000000)
#define RESERVE_BYTES_MAX (UINT64_C(64) << 20)
#define RESERVE_SHARE 8
/* Below this, too little address space is a failure. */
#define MAP_BYTES_MIN (UINT64_C(1) << 20)

static pthread_mutex_t environments_mutex = PTHREAD_MUTEX_INITIALIZER;
static grove__lmdb_shared *environments;
static grove__lmdb_shared *inherited; /* S2 */
static _Atomic uint32_t forks;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

uint32_t grove__lmdb_generation(void)
{
    return atomic_load_explicit(&forks, memory_order_relaxed);
}

/* Fork: nobody is in the middle of opening or closing. */

static void before_fork(void)
{
    (void)pthread_mutex_lock(&environments_mutex);
}

static void after_fork_in_parent(void)
{
    (void)pthread_mutex_unlock(&environments_mutex);
}

static void after_fork_in_child(void)
{
    (void)atomic_fetch_add(&forks, 1);
    grove__lmdb_shared **end = &inherited;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = environments;
    environments = NULL;
    (void)pthread_mutex_unlock(&environments_mutex);
}

static void watch_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* The map */

uint64_t grove__lmdb_last_txn(const grove__lmdb_shared *shared)
{
    MDB_envinfo info;
    return mdb_env_info(shared->mdb, &info) == 0 ? info.me_last_txnid : 0;
}

static uint64_t usual_bytes(const grove__lmdb_shared *shared)
{
    return shared->size_limit_bytes - shared->reserve_bytes;
}

/* Bytes of the file that hold pages, free ones included. */
static uint64_t used_bytes(const grove__lmdb_shared *shared)
{
    MDB_envinfo info;
    MDB_stat stat;
    if (mdb_env_info(shared->mdb, &info) != 0 || mdb_env_stat(shared->mdb, &stat) != 0) {
        return 0;
    }
    return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

bool grove__lmdb_enter(grove__lmdb_shared *shared)
{
    (void)atomic_fetch_add(&shared->live, 1);
    while (atomic_load(&shared->is_moving)) {
        grove__lmdb_leave(shared);
        struct timespec until = grove__realtime_after(MOVE_NS_MAX);
        int code = 0;
        (void)pthread_mutex_lock(&shared->move_mutex);
        while (code == 0 && atomic_load(&shared->is_moving)) {
            code = pthread_cond_timedwait(&shared->moved, &shared->move_mutex, &until);
        }
        (void)pthread_mutex_unlock(&shared->move_mutex);
        if (code != 0) {
            return false;
        }
        (void)atomic_fetch_add(&shared->live, 1);
    }
    return true;
}

void grove__lmdb_leave(grove__lmdb_shared *shared)
{
    if (atomic_fetch_sub(&shared->live, 1) == 1 && atomic_load(&shared->is_moving)) {
        (void)pthread_mutex_lock(&shared->move_mutex);
        (void)pthread_cond_broadcast(&shared->moved);
        (void)pthread_mutex_unlock(&shared->move_mutex);
    }
}

/* Whether the address space has so much more: LMDB gives its map up before it
 * asks for the larger one. */
static bool has_room(uint64_t bytes)
{
    void *room = mmap(NULL, (size_t)bytes, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return room != MAP_FAILED && munmap(room, (size_t)bytes) == 0;
}

/* The map gets the size that `choose` says, once nobody uses it. */
static int move_map(grove__lmdb_shared *shared,
                    uint64_t (*choose)(const grove__lmdb_shared *), uint64_t wait_ns_max)
{
    struct timespec until = grove__realtime_after(wait_ns_max);
    int code = 0;
    (void)pthread_mutex_lock(&shared->move_mutex);
    while (code == 0 && atomic_load(&shared->is_moving)) {
        code = pthread_cond_timedwait(&shared->moved, &shared->move_mutex, &until);
    }
    if (code != 0) {
        (void)pthread_mutex_unlock(&shared->move_mutex);
        return EBUSY;
    }
    atomic_store(&shared->is_moving, true);
    while (code == 0 && atomic_load(&shared->live) != 0) {
        code = pthread_cond_timedwait(&shared->moved, &shared->move_mutex, &until);
    }
    if (code != 0) {
        code = EBUSY;
    } else {
        uint64_t now = atomic_load(&shared->map_bytes);
        uint64_t wanted = choose(shared);
        if (wanted > now && !has_room(wanted - now)) {
            code = ENOMEM;
        } else if (wanted != now) {
            code = mdb_env_set_mapsize(shared->mdb, (size_t)wanted);
            /* LMDB has no map now, or an old one. */
            atomic_store(&shared->has_failed, code != 0);
            atomic_store(&shared->map_bytes, wanted);
        }
    }
    atomic_store(&shared->is_moving, false);
    (void)pthread_cond_broadcast(&shared->moved);
    (void)pthread_mutex_unlock(&shared->move_mutex);
    return code;
}

static uint64_t at_most(uint64_t number, uint64_t most)
{
    return number < most ? number : most;
}

static uint64_t at_least(uint64_t number, uint64_t least)
{
    return number > least ? number : least;
}

/* Room for what is there, and again as much while the limit allows. */
static uint64_t choose_adopted(const grove__lmdb_shared *shared)
{
    uint64_t used = used_bytes(shared);
    uint64_t map = atomic_load(&shared->map_bytes);
    if (used <= map) {
        return map;
    }
    return at_least(used, at_most(2 * used, usual_bytes(shared)));
}

static uint64_t choose_grown(const grove__lmdb_shared *shared)
{
    return at_most(2 * atomic_load(&shared->map_bytes), usual_bytes(shared));
}

static uint64_t choose_limit(const grove__lmdb_shared *shared)
{
    return at_least(atomic_load(&shared->map_bytes), shared->size_limit_bytes);
}

static uint64_t choose_usual(const grove__lmdb_shared *shared)
{
    return at_least(used_bytes(shared), usual_bytes(shared));
}

int grove__lmdb_map_adopt(grove__lmdb_shared *shared)
{
    return move_map(shared, choose_adopted, MOVE_NS_MAX);
}

int grove__lmdb_map_grow(grove__lmdb_shared *shared)
{
    if (atomic_load(&shared->map_bytes) >= usual_bytes(shared)) {
        return MDB_MAP_FULL;
    }
    return move_map(shared, choose_grown, MOVE_NS_MAX);
}

/* An ordinary write is to go on beside a reader that stays open; it may then
 * find more room than it should, until the reader has ended. */
static int take_reserve_away(grove__lmdb_shared *shared)
{
    uint64_t now = grove__now_ns();
    if (now < atomic_load(&shared->shrink_after_ns)) {
        return 0;
    }
    int code = move_map(shared, choose_usual, SHRINK_NS_MAX);
    if (code != EBUSY) {
        return code;
    }
    atomic_store(&shared->shrink_after_ns, now + SHRINK_PAUSE_NS);
    return 0;
}

int grove__lmdb_map_set_reserve(grove__lmdb_shared *shared, bool is_wanted)
{
    uint64_t usual = usual_bytes(shared);
    if (!is_wanted && atomic_load(&shared->map_bytes) <= usual) {
        return 0;
    }
    if (!grove__lmdb_enter(shared)) {
        return EBUSY;
    }
    uint64_t map = atomic_load(&shared->map_bytes);
    uint64_t used = used_bytes(shared);
    grove__lmdb_leave(shared);
    /* It may be larger than usual: others have used the reserve. */
    if (is_wanted && map >= usual && map < shared->size_limit_bytes &&
        used + shared->reserve_bytes > usual) {
        return move_map(shared, choose_limit, MOVE_NS_MAX);
    }
    if (!is_wanted && map > at_least(used, usual)) {
        return take_reserve_away(shared);
    }
    return 0;
}

bool grove__lmdb_map_has_reserve(const grove__lmdb_shared *shared)
{
    return atomic_load(&shared->map_bytes) > usual_bytes(shared);
}

int grove__lmdb_turn_over(grove__lmdb_shared *shared)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(shared->mdb, NULL, 0, &txn);
    if (code != 0) {
        return code;
    }
    /* An entry is put and taken out again, under a key that is not taken. */
    code = MDB_KEYEXIST;
    for (unsigned byte = 0; code == MDB_KEYEXIST && byte <= UINT8_MAX; byte++) {
        uint8_t name = (uint8_t)byte;
        MDB_val key = {sizeof name, &name};
        MDB_val value = {0, NULL};
        code = mdb_put(txn, shared->tables[0], &key, &value, MDB_NOOVERWRITE);
        if (code == 0) {
            code = mdb_del(txn, shared->tables[0], &key, NULL);
        }
    }
    if (code != 0) {
        mdb_txn_abort(txn);
        return code;
    }
    return grove__lmdb_txn_commit(txn);
}

int grove__lmdb_txn_begin(grove__lmdb_shared *shared, unsigned flags, MDB_txn **txn)
{
    int code = MDB_MAP_RESIZED;
    for (int try = 0; code == MDB_MAP_RESIZED && try < ADOPTIONS_MAX; try++) {
        code = try == 0 ? 0 : grove__lmdb_map_adopt(shared);
        if (code == 0 && !grove__lmdb_enter(shared)) {
            code = EBUSY;
        }
        if (code != 0) {
            break;
        }
        bool is_kept = *txn != NULL;
        code =
            is_kept ? mdb_txn_renew(*txn) : mdb_txn_begin(shared->mdb, NULL, flags, txn);
        if (code == MDB_READERS_FULL) {
            int dead = 0;
            code = mdb_reader_check(shared->mdb, &dead);
            if (code == 0) {
                code = mdb_txn_begin(shared->mdb, NULL, flags, txn);
            }
        }
        if (code != 0) {
            if (is_kept) {
                mdb_txn_abort(*txn);
            }
            *txn = NULL;
            grove__lmdb_leave(shared);
        }
    }
    return code;
}

/* Opening */

static void free_shared(grove__lmdb_shared *shared)
{
    (void)pthread_mutex_destroy(&shared->flush_mutex);
    (void)pthread_mutex_destroy(&shared->move_mutex);
    (void)pthread_cond_destroy(&shared->moved);
    free(shared->names);
    free(shared);
}

/* From malloc: it may outlive the handle, and the allocator, that made it. */
static grove__lmdb_shared *new_shared(const grove_backend_options *options)
{
    grove__lmdb_shared *shared =
        calloc(1, sizeof *shared + options->table_count * sizeof *shared->tables);
    if (shared == NULL) {
        return NULL;
    }
    shared->names_bytes = grove__lmdb_names_bytes(options);
    shared->names = malloc(shared->names_bytes);
    if (shared->names == NULL) {
        free(shared);
        return NULL;
    }
    grove__lmdb_names_copy(options, shared->names);
    (void)pthread_mutex_init(&shared->flush_mutex, NULL);
    (void)pthread_mutex_init(&shared->move_mutex, NULL);
    (void)pthread_cond_init(&shared->moved, NULL);
    shared->references = 1;
    shared->generation = grove__lmdb_generation();
    shared->system_page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    shared->size_limit_bytes = grove__lmdb_map_bytes(options);
    shared->reserve_bytes =
        at_most(shared->size_limit_bytes / RESERVE_SHARE, RESERVE_BYTES_MAX) /
        shared->system_page_bytes * shared->system_page_bytes;
    shared->durability = options->durability;
    shared->table_count = options->table_count;
    return shared;
}

/* Opens LMDB with a map of so many bytes; its code. */
static int open_mdb(grove__lmdb_shared *shared, const grove_backend_options *options,
                    uint64_t map_bytes)
{
    unsigned flags =
        MDB_NOTLS | MDB_NORDAHEAD | grove__lmdb_durability_flags(options->durability);
    int code = mdb_env_create(&shared->mdb);
    if (code != 0) {
        return code;
    }
    code = mdb_env_set_maxreaders(shared->mdb, READERS_MAX);
    if (code == 0) {
        code = mdb_env_set_maxdbs(shared->mdb, options->table_count);
    }
    if (code == 0) {
        code = mdb_env_set_mapsize(shared->mdb, (size_t)map_bytes);
    }
    if (code == 0) {
        code = mdb_env_open(shared->mdb, options->path, flags,
                            (mdb_mode_t)options->file_mode);
    }
    if (code != 0) {
        mdb_env_close(shared->mdb);
    }
    return code;
}

/* As large a map as the address space has. */
static int open_largest(grove__lmdb_shared *shared, const grove_backend_options *options)
{
    uint64_t bytes = usual_bytes(shared);
    int code = open_mdb(shared, options, bytes);
    while (code == ENOMEM && bytes / 2 >= MAP_BYTES_MIN) {
        /* Half of what there is is left to the rest of the program. */
        bytes = bytes / 2 / shared->system_page_bytes * shared->system_page_bytes;
        code = has_room(2 * bytes) ? open_mdb(shared, options, bytes) : ENOMEM;
    }
    if (code == 0) {
        /* LMDB makes it as large as the file at least. */
        MDB_envinfo info;
        code = mdb_env_info(shared->mdb, &info);
        atomic_store(&shared->map_bytes, code == 0 ? info.me_mapsize : 0);
        if (code != 0) {
            mdb_env_close(shared->mdb);
        }
    }
    return code;
}

static grove_status open_environment(grove__lmdb_shared *shared,
                                     const grove_backend_options *options,
                                     const char *control_path, grove_error *error_out)
{
    int dead;
    int code = open_largest(shared, options);
    if (code != 0) {
        return grove__lmdb_fail_path(error_out, code, options->path);
    }
    code = mdb_reader_check(shared->mdb, &dead);
    grove_status status =
        code == 0 ? GROVE_OK : grove__lmdb_fail_path(error_out, code, options->path);
    if (status == GROVE_OK && mdb_env_get_maxkeysize(shared->mdb) < LMDB_KEY_BYTES_MAX) {
        status =
            grove__lmdb_fail(error_out, GROVE_UNSUPPORTED,
                             "this build of LMDB allows keys of %d bytes only; %d "
                             "are needed",
                             mdb_env_get_maxkeysize(shared->mdb), LMDB_KEY_BYTES_MAX);
    }
    if (status == GROVE_OK) {
        status = grove__lmdb_tables_open(shared->mdb, options, shared->tables, error_out);
    }
    if (status == GROVE_OK) {
        code = grove__control_open(&shared->control, control_path, options->file_mode);
        if (code != 0) {
            status = grove__lmdb_fail_path(error_out, code, control_path);
        }
    }
    if (status == GROVE_OK) {
        grove__control_reclaim(&shared->control);
    } else {
        mdb_env_close(shared->mdb);
    }
    return status;
}

static grove_status check_same(const grove__lmdb_shared *shared,
                               const grove_backend_options *options,
                               grove_error *error_out)
{
    const char *other = NULL;
    if (shared->size_limit_bytes != grove__lmdb_map_bytes(options)) {
        other = "size limit";
    } else if (shared->durability != options->durability) {
        other = "durability";
    } else if (!grove__lmdb_names_equal(options, shared->names, shared->names_bytes)) {
        other = "set of tables";
    }
    if (other == NULL) {
        return GROVE_OK;
    }
    return grove__lmdb_fail(error_out, GROVE_INVALID,
                            "this process has '%s' open with another %s; one process "
                            "has one environment",
                            grove__lmdb_path_tail(options->path), other);
}

/* Finds the process's own, or opens it; under environments_mutex. */
static grove_status find_or_open(const grove_backend_options *options,
                                 const char *data_path, const char *control_path,
                                 grove__lmdb_shared **shared_out, grove_error *error_out)
{
    struct stat about;
    if (stat(data_path, &about) != 0) {
        return grove__lmdb_fail_path(error_out, errno, data_path);
    }
    for (grove__lmdb_shared *shared = environments; shared != NULL;
         shared = shared->next) {
        if (shared->device == about.st_dev && shared->inode == about.st_ino) {
            grove_status status = check_same(shared, options, error_out);
            if (status == GROVE_OK) {
                shared->references++;
                *shared_out = shared;
            }
            return status;
        }
    }
    grove__lmdb_shared *shared = new_shared(options);
    if (shared == NULL) {
        return grove__lmdb_fail_path(error_out, ENOMEM, options->path);
    }
    shared->device = about.st_dev;
    shared->inode = about.st_ino;
    grove_status status = open_environment(shared, options, control_path, error_out);
    if (status != GROVE_OK) {
        free_shared(shared);
        return status;
    }
    shared->next = environments;
    environments = shared;
    *shared_out = shared;
    return GROVE_OK;
}

grove_status grove__lmdb_shared_open(const grove_backend_options *options,
                                     const char *data_path,
                                     grove__lmdb_shared **shared_out,
                                     grove_error *error_out)
{
    static const char NAME[] = "/grove.lock";
    size_t path_bytes = strlen(options->path);
    char *control_path = malloc(path_bytes + sizeof NAME);
    if (control_path == NULL) {
        return grove__lmdb_fail_path(error_out, ENOMEM, options->path);
    }
    memcpy(control_path, options->path, path_bytes);
    memcpy(control_path + path_bytes, NAME, sizeof NAME);
    (void)pthread_once(&fork_once, watch_forks);
    (void)pthread_mutex_lock(&environments_mutex);
    grove_status status =
        find_or_open(options, data_path, control_path, shared_out, error_out);
    (void)pthread_mutex_unlock(&environments_mutex);
    free(control_path);
    return status;
}

void grove__lmdb_shared_close(grove__lmdb_shared *shared)
{
    if (shared->generation != grove__lmdb_generation()) {
        return; /* S2 */
    }
    (void)pthread_mutex_lock(&environments_mutex);
    if (--shared->references == 0) {
        grove__lmdb_shared **place = &environments;
        while (*place != shared) {
            place = &(*place)->next;
        }
        *place = shared->next;
        grove__control_close(&shared->control);
        mdb_env_close(shared->mdb);
        free_shared(shared);
    }
    (void)pthread_mutex_unlock(&environments_mutex);
}
