#include "crash/disk.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 64, NAMES_MAX = 64, SYNCS_MAX = 64, SECTOR_BYTES = 512 };

/* One thing on its way to a file: a write, or with content NULL a new size. */
typedef struct disk_change {
    uint64_t place; /* in the log, counted in records */
    uint64_t offset;
    uint64_t bytes;
    const uint8_t *content;
    bool is_certain; /* D1: kept here because older ones come before it */
} disk_change;

typedef struct disk_content {
    uint8_t *bytes;
    size_t count;
    size_t capacity;
} disk_content;

typedef struct disk_file {
    uint64_t inode;
    disk_content certain;
    disk_change *changes;
    size_t change_count;
    size_t change_capacity;
} disk_file;

/* A path and what it names; inode 0: nothing any more. */
typedef struct disk_name {
    char path[RECORDER_PATH_BYTES];
    uint64_t inode;
    bool is_directory;
} disk_name;

typedef struct disk_name_change {
    uint64_t place;
    disk_name set;
    bool is_move; /* of what `from` names, then nothing, to set.path */
    char from[RECORDER_PATH_BYTES];
} disk_name_change;

typedef struct disk_names {
    disk_name list[NAMES_MAX];
    size_t count;
} disk_names;

typedef struct disk_sync {
    uint64_t number; /* 0: unused */
    uint64_t place;
} disk_sync;

struct disk_model {
    uint64_t place;
    disk_file files[FILES_MAX];
    size_t file_count;
    disk_names certain;
    disk_names latest;
    disk_name_change changes[NAMES_MAX];
    size_t change_count;
    disk_sync syncs[SYNCS_MAX];
};

static void need(bool is_fine, const char *what)
{
    if (!is_fine) {
        perror(what);
        _exit(4);
    }
}

disk_model *disk_new(void)
{
    disk_model *made = calloc(1, sizeof *made);
    need(made != NULL, "calloc");
    return made;
}

void disk_free(disk_model *disk)
{
    for (size_t index = 0; disk != NULL && index < disk->file_count; index++) {
        free(disk->files[index].certain.bytes);
        free(disk->files[index].changes);
    }
    free(disk);
}

/* --- content --- */

static void resize(disk_content *content, size_t bytes)
{
    if (bytes > content->capacity) {
        content->capacity = 2 * bytes;
        content->bytes = realloc(content->bytes, content->capacity);
        need(content->bytes != NULL, "realloc");
    }
    if (bytes > content->count) {
        memset(content->bytes + content->count, 0, bytes - content->count);
    }
    content->count = bytes;
}

static void put(disk_content *content, uint64_t offset, const uint8_t *bytes,
                uint64_t count)
{
    if (count == 0) {
        return;
    }
    if (offset + count > content->count) {
        resize(content, offset + count);
    }
    memcpy(content->bytes + offset, bytes, count);
}

static void put_change(disk_content *content, const disk_change *change)
{
    if (change->content == NULL) {
        resize(content, change->offset);
    } else {
        put(content, change->offset, change->content, change->bytes);
    }
}

/* D2: all of it, nothing, or sector by sector. */
static void put_some(disk_content *content, const disk_change *change,
                     test_random *random)
{
    enum { ALL, NOTHING, TORN, KINDS };
    uint64_t kind = test_random_below(random, KINDS);
    if (kind == ALL || (kind == TORN && change->content == NULL)) {
        put_change(content, change);
    }
    if (kind != TORN || change->content == NULL) {
        return;
    }
    for (uint64_t from = 0; from < change->bytes;) {
        uint64_t to = from + SECTOR_BYTES - (change->offset + from) % SECTOR_BYTES;
        to = to < change->bytes ? to : change->bytes;
        if (test_random_below(random, 2) == 0) {
            put(content, change->offset + from, change->content + from, to - from);
        }
        from = to;
    }
}

static const disk_file *find_file(const disk_model *disk, uint64_t inode)
{
    for (size_t index = 0; index < disk->file_count; index++) {
        if (disk->files[index].inode == inode) {
            return &disk->files[index];
        }
    }
    return NULL;
}

static disk_file *file_of(disk_model *disk, uint64_t inode)
{
    const disk_file *found = find_file(disk, inode);
    if (found != NULL) {
        return &disk->files[found - disk->files];
    }
    need(disk->file_count < FILES_MAX, "too many files");
    disk->files[disk->file_count].inode = inode;
    return &disk->files[disk->file_count++];
}

static void add_change(disk_file *file, const disk_change *change)
{
    if (file->change_count == file->change_capacity) {
        file->change_capacity = 2 * file->change_capacity + 16;
        file->changes =
            realloc(file->changes, file->change_capacity * sizeof *file->changes);
        need(file->changes != NULL, "realloc");
    }
    file->changes[file->change_count++] = *change;
}

/* D1: what stood before `place` is certain now. */
static void settle_file(disk_file *file, uint64_t place)
{
    size_t left = 0;
    for (size_t index = 0; index < file->change_count; index++) {
        if (file->changes[index].place < place) {
            put_change(&file->certain, &file->changes[index]);
        } else {
            file->changes[left++] = file->changes[index];
        }
    }
    file->change_count = left;
}

/* --- names --- */

static disk_name *find_name(disk_names *names, const char *path)
{
    for (size_t index = 0; index < names->count; index++) {
        if (strcmp(names->list[index].path, path) == 0) {
            return &names->list[index];
        }
    }
    return NULL;
}

static void apply_name(disk_names *names, const disk_name_change *change)
{
    disk_name set = change->set;
    if (change->is_move) {
        disk_name *from = find_name(names, change->from);
        need(from != NULL, "a disk_name that was moved");
        set.inode = from->inode;
        set.is_directory = from->is_directory;
        from->inode = 0;
    }
    disk_name *found = find_name(names, set.path);
    if (found == NULL) {
        need(names->count < NAMES_MAX, "too many names");
        found = &names->list[names->count++];
    }
    *found = set;
}

/* The number of a file that lost its last name goes to the next one: what the
 * disk still knows of it gets a number that no file has. */
static void retire(disk_model *disk, uint64_t inode)
{
    for (size_t index = 0; index < disk->latest.count; index++) {
        if (disk->latest.list[index].inode == inode) {
            return;
        }
    }
    uint64_t retired = UINT64_MAX - disk->place;
    for (size_t index = 0; index < disk->certain.count; index++) {
        disk_name *name = &disk->certain.list[index];
        name->inode = name->inode == inode ? retired : name->inode;
    }
    for (size_t index = 0; index < disk->change_count; index++) {
        disk_name *set = &disk->changes[index].set;
        set->inode = set->inode == inode ? retired : set->inode;
    }
    for (size_t index = 0; index < disk->file_count; index++) {
        disk_file *file = &disk->files[index];
        file->inode = file->inode == inode ? retired : file->inode;
    }
}

static void add_name_change(disk_model *disk, const disk_name_change *change)
{
    const disk_name *replaced = find_name(&disk->latest, change->set.path);
    uint64_t inode = replaced == NULL ? 0 : replaced->inode;
    need(disk->change_count < NAMES_MAX, "too many disk_names on their way");
    disk->changes[disk->change_count++] = *change;
    apply_name(&disk->latest, change);
    if (inode != 0) {
        retire(disk, inode);
    }
}

/* Whether the path lies right in the directory. */
static bool is_in(const char *path, const char *directory)
{
    size_t bytes = strlen(directory);
    if (bytes == 0) {
        return strchr(path, '/') == NULL;
    }
    return strncmp(path, directory, bytes) == 0 && path[bytes] == '/' &&
           strchr(path + bytes + 1, '/') == NULL;
}

/* D3 */
static void settle_names(disk_model *disk, const char *directory, uint64_t place)
{
    size_t left = 0;
    for (size_t index = 0; index < disk->change_count; index++) {
        disk_name_change *change = &disk->changes[index];
        if (change->place < place && is_in(change->set.path, directory)) {
            apply_name(&disk->certain, change);
        } else {
            disk->changes[left++] = *change;
        }
    }
    disk->change_count = left;
}

/* --- records --- */

static void begin_sync(disk_model *disk, uint64_t number)
{
    size_t index = 0;
    while (index < SYNCS_MAX && disk->syncs[index].number != 0) {
        index++;
    }
    need(index < SYNCS_MAX, "too many syncs at a time");
    disk->syncs[index] = (disk_sync){number, disk->place};
}

static void end_sync(disk_model *disk, const recorder_record *record)
{
    size_t index = 0;
    while (index < SYNCS_MAX && disk->syncs[index].number != record->offset) {
        index++;
    }
    need(index < SYNCS_MAX, "a sync that did not begin");
    settle_file(file_of(disk, record->inode), disk->syncs[index].place);
    settle_names(disk, record->path, disk->syncs[index].place);
    disk->syncs[index].number = 0;
}

void disk_apply(disk_model *disk, const recorder_record *record, const uint8_t *bytes)
{
    disk_name_change change = {.place = disk->place, .set.inode = record->inode};
    change.set.is_directory = record->is_directory;
    memcpy(change.set.path, record->path, sizeof change.set.path);
    const disk_name *known;
    switch (record->kind) {
    case RECORDER_NAMED:
        known = find_name(&disk->latest, record->path);
        if (known == NULL || known->inode != record->inode) {
            add_name_change(disk, &change);
        }
        break;
    case RECORDER_WRITE:
        add_change(file_of(disk, record->inode),
                   &(disk_change){disk->place, record->offset, record->bytes, bytes,
                                  record->is_synced});
        break;
    case RECORDER_TRUNCATE:
        add_change(file_of(disk, record->inode),
                   &(disk_change){.place = disk->place, .offset = record->offset});
        break;
    case RECORDER_SYNC_BEGIN:
        begin_sync(disk, record->offset);
        break;
    case RECORDER_SYNC_END:
        end_sync(disk, record);
        break;
    case RECORDER_RENAME:
        change.is_move = true;
        memcpy(change.from, record->path, sizeof change.from);
        memcpy(change.set.path, bytes, sizeof change.set.path);
        add_name_change(disk, &change);
        break;
    case RECORDER_UNLINK:
        change.set.inode = 0;
        add_name_change(disk, &change);
        break;
    case RECORDER_MARK:
    default:
        break;
    }
    disk->place++;
}

bool disk_is_busy(const disk_model *disk)
{
    bool is_busy = disk->change_count > 0;
    for (size_t index = 0; index < disk->file_count; index++) {
        is_busy = is_busy || disk->files[index].change_count > 0;
    }
    return is_busy;
}

/* --- what is left --- */

static int remove_entry(const char *path, const struct stat *status, int kind,
                        struct FTW *place)
{
    (void)status;
    (void)kind;
    return place->level == 0 ? 0 : remove(path);
}

static void write_file(const char *path, const disk_content *content)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    need(descriptor >= 0, path);
    need(write(descriptor, content->bytes, content->count) == (ssize_t)content->count,
         path);
    need(close(descriptor) == 0, path);
}

static void write_content(const disk_file *file, disk_luck luck, test_random *random,
                          const char *path)
{
    disk_content left = {NULL, 0, 0};
    resize(&left, file->certain.count);
    put(&left, 0, file->certain.bytes, file->certain.count);
    for (size_t index = 0; index < file->change_count; index++) {
        const disk_change *change = &file->changes[index];
        if (luck == DISK_EVERYTHING || change->is_certain) {
            put_change(&left, change);
        } else if (luck == DISK_SOME) {
            put_some(&left, change, random);
        }
    }
    write_file(path, &left);
    free(left.bytes);
}

/* D3: those that are certain, and the first so many on their way. */
static disk_names choose_names(const disk_model *disk, disk_luck luck,
                               test_random *random)
{
    disk_names chosen = disk->certain;
    size_t count = 0;
    if (luck == DISK_EVERYTHING) {
        count = disk->change_count;
    } else if (luck == DISK_SOME) {
        count = test_random_below(random, disk->change_count + 1);
    }
    for (size_t index = 0; index < count; index++) {
        apply_name(&chosen, &disk->changes[index]);
    }
    return chosen;
}

static bool is_above_reached(const disk_names *names, const char *path)
{
    char above[RECORDER_PATH_BYTES];
    (void)snprintf(above, sizeof above, "%s", path);
    char *slash = strrchr(above, '/');
    if (slash == NULL) {
        return true;
    }
    *slash = '\0';
    for (size_t index = 0; index < names->count; index++) {
        if (strcmp(names->list[index].path, above) == 0) {
            return names->list[index].inode != 0;
        }
    }
    return false;
}

/* Writes the directories, or the files, that have a name. */
static void write_names(const disk_model *disk, const disk_names *names, bool directories,
                        disk_luck luck, test_random *random, const char *root)
{
    char path[4096];
    for (size_t index = 0; index < names->count; index++) {
        const disk_name *name = &names->list[index];
        if (name->inode == 0 || name->is_directory != directories ||
            !is_above_reached(names, name->path)) {
            continue;
        }
        (void)snprintf(path, sizeof path, "%s/%s", root, name->path);
        if (directories) {
            need(mkdir(path, 0700) == 0, path);
        } else {
            static const disk_file EMPTY;
            const disk_file *file = find_file(disk, name->inode);
            write_content(file == NULL ? &EMPTY : file, luck, random, path);
        }
    }
}

void disk_write_out(const disk_model *disk, disk_luck luck, test_random *random,
                    const char *root)
{
    disk_names chosen = choose_names(disk, luck, random);
    need(nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0, root);
    write_names(disk, &chosen, true, luck, random, root);
    write_names(disk, &chosen, false, luck, random, root);
}
