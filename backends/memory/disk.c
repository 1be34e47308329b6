#include "disk.h"

#include <unistd.h>

#include "teacher.h"

struct grove_memory_disk {
    const grove_allocator *allocator;
    /* Guards the list. Taken before a volume's mutex, never after. */
    pthread_mutex_t mutex;
    grove__volume *volumes;
    uint64_t volumes_made;
    pid_t process; /* a child of fork has no use for it */
};

static void *allocate(const grove_allocator *allocator, size_t bytes)
{
    return allocator->allocate(allocator->context, bytes);
}

static void deallocate(const grove_allocator *allocator, void *memory, size_t bytes)
{
    if (memory != NULL) {
        allocator->deallocate(allocator->context, memory, bytes);
    }
}

static char *copy_string(const grove_allocator *allocator, const char *string)
{
    size_t bytes = strlen(string) + 1;
    char *copy = allocate(allocator, bytes);
    if (copy != NULL) {
        memcpy(copy, string, bytes);
    }
    return copy;
}

static void free_string(const grove_allocator *allocator, char *string)
{
    if (string != NULL) {
        deallocate(allocator, string, strlen(string) + 1);
    }
}

/* States */

static size_t state_bytes(size_t table_count)
{
    return sizeof(grove__state) + table_count * sizeof(grove__btree);
}

/* A state of `table_count` tables that shares what `from` has; `from` may be
 * NULL. NULL when out of memory. */
static grove__state *new_state(const grove_allocator *allocator, const grove__state *from,
                               size_t table_count)
{
    grove__state *state = allocate(allocator, state_bytes(table_count));
    if (state == NULL) {
        return NULL;
    }
    atomic_init(&state->references.count, 1);
    state->table_count = table_count;
    for (size_t table = 0; table < table_count; table++) {
        if (from != NULL && table < from->table_count) {
            state->tables[table] = grove__btree_share(&from->tables[table]);
        } else {
            state->tables[table] = (grove__btree){.root = NULL, .entries = 0};
        }
    }
    return state;
}

static grove__state *share_state(grove__state *state)
{
    if (state != NULL) {
        grove__references_add(&state->references);
    }
    return state;
}

void grove__state_release(grove__volume *volume, grove__state *state)
{
    if (state == NULL || !grove__references_drop(&state->references)) {
        return;
    }
    for (size_t table = 0; table < state->table_count; table++) {
        grove__btree_release(&volume->heap, &state->tables[table]);
    }
    deallocate(volume->heap.allocator, state, state_bytes(state->table_count));
}

/* Volumes */

static bool init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    bool done = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(condition, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return done;
}

static grove__volume *new_volume(const grove_allocator *allocator, const char *path)
{
    grove__volume *volume = allocate(allocator, sizeof *volume);
    if (volume == NULL) {
        return NULL;
    }
    memset(volume, 0, sizeof *volume);
    grove__heap_init(&volume->heap, allocator);
    volume->path = copy_string(allocator, path);
    if (volume->path == NULL) {
        goto out;
    }
    if (pthread_mutex_init(&volume->mutex, NULL) != 0) {
        goto out;
    }
    grove__pins_init(&volume->pins, allocator);
    volume->bell.mutex = &volume->mutex;
    if (init_condition(&volume->writer_left)) {
        return volume;
    }
    (void)pthread_mutex_destroy(&volume->mutex);

out:
    free_string(allocator, volume->path);
    deallocate(allocator, volume, sizeof *volume);
    return NULL;
}

static void free_volume(grove__volume *volume)
{
    const grove_allocator *allocator = volume->heap.allocator;
    grove__teacher_insist(volume->handles == 0, "a disk is freed while a store is open");
    grove__state_release(volume, volume->committed);
    grove__state_release(volume, volume->synced);
    grove__teacher_insist(atomic_load(&volume->heap.bytes) == 0,
                          "a volume is freed and something still holds its nodes");
    for (size_t index = 0; index < volume->name_count; index++) {
        free_string(allocator, volume->names[index]);
    }
    deallocate(allocator, volume->names, volume->name_count * sizeof *volume->names);
    free_string(allocator, volume->path);
    grove__pins_release(&volume->pins);
    (void)pthread_cond_destroy(&volume->writer_left);
    (void)pthread_mutex_destroy(&volume->mutex);
    deallocate(allocator, volume, sizeof *volume);
}

/* The number of the table, or the number of names when it is not known. */
static size_t find_name(const grove__volume *volume, const char *name)
{
    size_t table = 0;
    while (table < volume->name_count && strcmp(volume->names[table], name) != 0) {
        table++;
    }
    return table;
}

/* Gives `name` the next number. False when out of memory. */
static bool add_name(grove__volume *volume, const char *name)
{
    const grove_allocator *allocator = volume->heap.allocator;
    size_t count = volume->name_count;
    char *copy = copy_string(allocator, name);
    char **names = allocate(allocator, (count + 1) * sizeof *names);
    if (copy == NULL || names == NULL) {
        free_string(allocator, copy);
        deallocate(allocator, names, (count + 1) * sizeof *names);
        return false;
    }
    if (count > 0) {
        memcpy(names, volume->names, count * sizeof *names);
    }
    names[count] = copy;
    deallocate(allocator, volume->names, count * sizeof *names);
    volume->names = names;
    volume->name_count = count + 1;
    return true;
}

static void forget_options(grove__volume *volume)
{
    deallocate(volume->heap.allocator, volume->options.tables,
               volume->options.table_count * sizeof *volume->options.tables);
    volume->options = (grove__volume_options){.tables = NULL};
}

/* C11: the first handle says what the others have to say as well. */
static grove_status agree_on_options(grove__volume *volume,
                                     const grove_backend_options *options,
                                     const size_t *tables)
{
    const grove__volume_options *agreed = &volume->options;
    size_t bytes = options->table_count * sizeof *tables;
    if (volume->handles > 0) {
        bool are_same = agreed->size_limit_bytes == options->size_limit_bytes &&
                        agreed->durability == options->durability &&
                        agreed->table_count == options->table_count &&
                        memcmp(agreed->tables, tables, bytes) == 0;
        return are_same ? GROVE_OK : GROVE_INVALID;
    }
    size_t *kept = allocate(volume->heap.allocator, bytes);
    if (kept == NULL) {
        return GROVE_NO_MEMORY;
    }
    memcpy(kept, tables, bytes);
    volume->options = (grove__volume_options){
        options->size_limit_bytes, options->durability, kept, options->table_count};
    volume->has_failed = false;
    return GROVE_OK;
}

/* Opens what is there, or makes it: the volume's mutex is held. A name that
 * was added before a failure stays: it is a table with nothing in it, which
 * nobody can tell from none. */
static grove_status mount_volume(grove__volume *volume,
                                 const grove_backend_options *options, size_t *tables)
{
    for (uint32_t index = 0; index < options->table_count; index++) {
        tables[index] = find_name(volume, options->table_names[index]);
        if (tables[index] == volume->name_count &&
            !add_name(volume, options->table_names[index])) {
            return GROVE_NO_MEMORY;
        }
    }
    grove_status status = agree_on_options(volume, options, tables);
    if (status != GROVE_OK) {
        return status;
    }
    if (volume->committed == NULL) {
        volume->committed = new_state(volume->heap.allocator, NULL, volume->name_count);
        if (volume->committed == NULL) {
            forget_options(volume);
            return GROVE_NO_MEMORY;
        }
        if (options->durability == GROVE_DURABILITY_FULL) {
            volume->synced = share_state(volume->committed);
        }
    }
    volume->handles++;
    return GROVE_OK;
}

/* The volume at a path; NULL when there is none. The disk's mutex is held. */
static grove__volume *find_volume(const grove_memory_disk *disk, const char *path)
{
    grove__volume *volume = disk->volumes;
    while (volume != NULL && strcmp(volume->path, path) != 0) {
        volume = volume->next;
    }
    return volume;
}

static void add_volume(grove_memory_disk *disk, grove__volume *volume)
{
    volume->number = ++disk->volumes_made;
    volume->next = disk->volumes;
    disk->volumes = volume;
}

grove_status grove__volume_mount(grove_memory_disk *disk,
                                 const grove_backend_options *options, size_t *tables,
                                 grove__volume **volume_out, uint64_t *cuts_out)
{
    grove_status status = GROVE_OK;
    const char *path = options->path != NULL ? options->path : "";
    (void)pthread_mutex_lock(&disk->mutex);
    grove__volume *volume = find_volume(disk, path);
    bool is_new = volume == NULL;
    if (is_new && options->must_exist) {
        status = GROVE_NONE;
        goto out;
    }
    if (is_new) {
        volume = new_volume(disk->allocator, path);
        if (volume == NULL) {
            status = GROVE_NO_MEMORY;
            goto out;
        }
    }
    (void)pthread_mutex_lock(&volume->mutex);
    if (options->must_exist && volume->committed == NULL) {
        status = GROVE_NONE;
    } else {
        status = mount_volume(volume, options, tables);
    }
    *cuts_out = volume->bell.cuts;
    (void)pthread_mutex_unlock(&volume->mutex);
    if (is_new && status == GROVE_OK) {
        add_volume(disk, volume);
    } else if (is_new) {
        free_volume(volume);
    }
    if (status == GROVE_OK) {
        *volume_out = volume;
    }

out:
    (void)pthread_mutex_unlock(&disk->mutex);
    return status;
}

void grove__volume_unmount(grove__volume *volume)
{
    (void)pthread_mutex_lock(&volume->mutex);
    if (--volume->handles == 0) {
        forget_options(volume);
    }
    (void)pthread_mutex_unlock(&volume->mutex);
}

/* Copies one tree into another heap, entry by entry. */
static grove_status copy_tree(grove__heap *heap, const grove__btree *from,
                              grove__btree *to)
{
    grove_bytes key = {NULL, 0};
    const grove__btree_slot *entry =
        grove__btree_find(from, GROVE__BTREE_FIRST_AT_OR_AFTER, key);
    while (entry != NULL) {
        grove__blob *value;
        key = grove__blob_view(entry->key);
        grove_status status = grove__btree_put(heap, to, key, entry->value->size, &value);
        if (status != GROVE_OK) {
            return status;
        }
        memcpy(value->bytes, entry->value->bytes, entry->value->size);
        entry = grove__btree_find(from, GROVE__BTREE_FIRST_AFTER, key);
    }
    return GROVE_OK;
}

/* Fills an empty volume that nobody else knows yet. */
static grove_status copy_state(const grove__volume *from, const grove__state *state,
                               grove__volume *to)
{
    for (size_t index = 0; index < state->table_count; index++) {
        if (!add_name(to, from->names[index])) {
            return GROVE_NO_MEMORY;
        }
    }
    to->heap.limit = UINT64_MAX;
    to->committed = new_state(to->heap.allocator, NULL, state->table_count);
    if (to->committed == NULL) {
        return GROVE_NO_MEMORY;
    }
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < state->table_count; index++) {
        status =
            copy_tree(&to->heap, &state->tables[index], &to->committed->tables[index]);
    }
    to->synced = share_state(to->committed);
    return status;
}

grove_status grove__volume_copy(grove_memory_disk *disk, grove__volume *from,
                                uint64_t cuts, const char *path)
{
    grove__state *state;
    uint32_t slot;
    grove_status status = grove__volume_enter_reader(from, cuts, &state, &slot);
    if (status != GROVE_OK) {
        return status;
    }
    (void)pthread_mutex_lock(&disk->mutex);
    if (find_volume(disk, path) != NULL) {
        status = GROVE_INVALID;
    } else {
        grove__volume *volume = new_volume(disk->allocator, path);
        status = volume == NULL ? GROVE_NO_MEMORY : copy_state(from, state, volume);
        if (status == GROVE_OK) {
            add_volume(disk, volume);
        } else if (volume != NULL) {
            free_volume(volume);
        }
    }
    (void)pthread_mutex_unlock(&disk->mutex);
    grove__state_release(from, state);
    grove__volume_leave_reader(from, slot);
    return status;
}

/* Waits for our turn; the mutex is held. False: it did not come in time. */
static bool wait_for_turn(grove__volume *volume, uint32_t wait_ms_max)
{
    grove__waiter self = {NULL};
    grove__waiter **end = &volume->waiters;
    uint64_t until_ms = grove__memory_now_ms() + wait_ms_max;
    struct timespec until = {(time_t)(until_ms / 1000),
                             (long)(until_ms % 1000) * 1000000};
    int code = 0;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = &self;
    while (code == 0 && (volume->has_writer || volume->waiters != &self)) {
        code = pthread_cond_timedwait(&volume->writer_left, &volume->mutex, &until);
    }
    bool is_ours = !volume->has_writer && volume->waiters == &self;
    for (end = &volume->waiters; *end != &self; end = &(*end)->next) {
    }
    *end = self.next;
    if (!is_ours) {
        /* The next one may have been waiting for us alone. */
        (void)pthread_cond_broadcast(&volume->writer_left);
    }
    return is_ours;
}

/* Readers, the writer */

/* Whether a handle is of use, which knows of so many power cuts. */
static grove_status check_volume(const grove__volume *volume, uint64_t cuts)
{
    if (volume->bell.cuts != cuts) {
        return GROVE_IO;
    }
    return volume->has_failed ? GROVE_FAILED : GROVE_OK;
}

grove_status grove__volume_enter_reader(grove__volume *volume, uint64_t cuts,
                                        grove__state **state_out, uint32_t *slot_out)
{
    uint32_t slot = 0;
    (void)pthread_mutex_lock(&volume->mutex);
    grove_status status = check_volume(volume, cuts);
    while (slot < GROVE__VOLUME_READERS_MAX && volume->readers[slot].is_used) {
        slot++;
    }
    if (status == GROVE_OK && slot == GROVE__VOLUME_READERS_MAX) {
        status = GROVE_BUSY;
    }
    if (status == GROVE_OK) {
        volume->readers[slot] = (grove__reader){true, volume->commits};
        *slot_out = slot;
        *state_out = share_state(volume->committed);
    }
    (void)pthread_mutex_unlock(&volume->mutex);
    return status;
}

void grove__volume_leave_reader(grove__volume *volume, uint32_t slot)
{
    (void)pthread_mutex_lock(&volume->mutex);
    volume->readers[slot].is_used = false;
    (void)pthread_mutex_unlock(&volume->mutex);
}

grove_status grove__volume_enter_writer(grove__volume *volume, uint64_t cuts,
                                        uint64_t limit, uint32_t wait_ms_max,
                                        grove__state **state_out)
{
    grove_status status = GROVE_OK;
    (void)pthread_mutex_lock(&volume->mutex);
    if (volume->has_writer && pthread_equal(volume->writer, pthread_self())) {
        status = GROVE_INVALID;
        goto out;
    }
    if ((volume->has_writer || volume->waiters != NULL) &&
        !wait_for_turn(volume, wait_ms_max)) {
        status = GROVE_BUSY;
        goto out;
    }
    status = check_volume(volume, cuts);
    if (status != GROVE_OK) {
        goto out;
    }
    grove__state *state =
        new_state(volume->heap.allocator, volume->committed, volume->name_count);
    if (state == NULL) {
        status = GROVE_NO_MEMORY;
        goto out;
    }
    volume->heap.limit = limit;
    volume->has_writer = true;
    volume->writer = pthread_self();
    volume->writer_since_ms = grove__memory_now_ms();
    *state_out = state;

out:
    (void)pthread_mutex_unlock(&volume->mutex);
    return status;
}

/* The committed state becomes the synced one; the mutex is held. */
static grove_status make_synced(grove__volume *volume, grove__state **desynced_out)
{
    if (volume->sync_fails) {
        volume->sync_fails = false;
        volume->has_failed = true;
        return GROVE_IO;
    }
    *desynced_out = volume->synced;
    volume->synced = share_state(volume->committed);
    return GROVE_OK;
}

grove_status grove__volume_leave_writer(grove__volume *volume, uint64_t cuts,
                                        grove__state *state, bool is_durable)
{
    grove_status status = GROVE_OK;
    grove__state *replaced = NULL;
    grove__state *desynced = NULL;
    bool has_committed = false;
    (void)pthread_mutex_lock(&volume->mutex);
    if (state != NULL) {
        status = check_volume(volume, cuts);
        has_committed = status == GROVE_OK;
        replaced = has_committed ? volume->committed : state;
    }
    if (has_committed) {
        volume->committed = state;
        volume->commits++;
        /* With the change itself, so that nobody sees what is not told. */
        grove__memory_bell_ring(&volume->bell);
        if (is_durable) {
            status = make_synced(volume, &desynced);
        }
    }
    (void)pthread_mutex_unlock(&volume->mutex);
    /* Outside the mutex, as it may be a whole tree; before the next writer
     * comes, who is to find its bytes given back. */
    grove__state_release(volume, replaced);
    grove__state_release(volume, desynced);
    (void)pthread_mutex_lock(&volume->mutex);
    volume->has_writer = false;
    (void)pthread_cond_broadcast(&volume->writer_left);
    (void)pthread_mutex_unlock(&volume->mutex);
    return status;
}

grove_status grove__volume_sync(grove__volume *volume, uint64_t cuts)
{
    grove__state *desynced = NULL;
    (void)pthread_mutex_lock(&volume->mutex);
    grove_status status = check_volume(volume, cuts);
    if (status == GROVE_OK) {
        status = make_synced(volume, &desynced);
    }
    (void)pthread_mutex_unlock(&volume->mutex);
    grove__state_release(volume, desynced);
    return status;
}

grove_status grove__volume_count(grove__volume *volume, uint64_t cuts,
                                 grove__volume_figures *figures_out)
{
    grove_status status = GROVE_OK;
    (void)pthread_mutex_lock(&volume->mutex);
    if (volume->bell.cuts != cuts) {
        status = GROVE_IO;
    } else {
        figures_out->readers = 0;
        for (uint32_t slot = 0; slot < GROVE__VOLUME_READERS_MAX; slot++) {
            if (volume->readers[slot].is_used) {
                figures_out->lags[figures_out->readers++] =
                    volume->commits - volume->readers[slot].commit;
            }
        }
        figures_out->has_writer = volume->has_writer;
        figures_out->writer_ms =
            volume->has_writer ? grove__memory_now_ms() - volume->writer_since_ms : 0;
        figures_out->entries = 0;
        for (size_t table = 0; table < volume->committed->table_count; table++) {
            figures_out->entries += volume->committed->tables[table].entries;
        }
    }
    (void)pthread_mutex_unlock(&volume->mutex);
    return status;
}

/* The disk: see grove/backend_memory.h. */

grove_memory_disk *grove_memory_disk_new(const grove_allocator *allocator)
{
    if (allocator == NULL) {
        allocator = &grove__heap_system_allocator;
    }
    grove_memory_disk *disk = allocate(allocator, sizeof *disk);
    if (disk == NULL) {
        return NULL;
    }
    disk->allocator = allocator;
    disk->volumes = NULL;
    disk->volumes_made = 0;
    disk->process = getpid();
    if (pthread_mutex_init(&disk->mutex, NULL) != 0) {
        deallocate(allocator, disk, sizeof *disk);
        return NULL;
    }
    return disk;
}

void grove_memory_disk_free(grove_memory_disk *disk)
{
    /* In a child of fork, locks and counts are those of some moment. */
    if (disk == NULL || disk->process != getpid()) {
        return;
    }
    while (disk->volumes != NULL) {
        grove__volume *volume = disk->volumes;
        disk->volumes = volume->next;
        free_volume(volume);
    }
    (void)pthread_mutex_destroy(&disk->mutex);
    deallocate(disk->allocator, disk, sizeof *disk);
}

void grove_memory_disk_cut_power(grove_memory_disk *disk)
{
    (void)pthread_mutex_lock(&disk->mutex);
    for (grove__volume *volume = disk->volumes; volume != NULL; volume = volume->next) {
        (void)pthread_mutex_lock(&volume->mutex);
        grove__state *lost = volume->committed;
        volume->committed = share_state(volume->synced);
        volume->bell.cuts++;
        (void)pthread_mutex_unlock(&volume->mutex);
        grove__state_release(volume, lost);
    }
    (void)pthread_mutex_unlock(&disk->mutex);
}

void grove_memory_disk_fail_sync(grove_memory_disk *disk)
{
    (void)pthread_mutex_lock(&disk->mutex);
    for (grove__volume *volume = disk->volumes; volume != NULL; volume = volume->next) {
        (void)pthread_mutex_lock(&volume->mutex);
        volume->sync_fails = true;
        (void)pthread_mutex_unlock(&volume->mutex);
    }
    (void)pthread_mutex_unlock(&disk->mutex);
}
