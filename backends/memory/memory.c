/*
 * The memory backend: grove/sys/backend.h over copy-on-write trees.
 *
 * It is also the example for authors of backends, and a strict teacher:
 *
 *   M1  Its limits are the least that the contract allows.
 *   M2  Keys and values are handed out as copies that are poisoned when their
 *       time is over (loans.h). Room that put hands out is taken back, into
 *       the tree, by the transaction's next call.
 *   M3  Calls that the contract forbids are refused, or end the program where
 *       they have no way to refuse (teacher.h).
 *   M4  After a failure that leaves only abort (C7), everything else says
 *       GROVE_FAILED.
 *
 * A transaction holds a state (disk.h): a reader the committed one, the
 * writer a copy of that which it changes and which commit puts in its place.
 */
#include <grove/backend_memory.h>

#include "btree.h"
#include "loans.h"
#include "memory_env.h"
#include "teacher.h"

enum { KEY_BYTES_MAX = 384, VALUE_BYTES_MAX = 1 << 20 };

struct grove_backend_txn {
    grove_backend_env *env;
    grove_txn_mode mode;
    pthread_t thread; /* the writer's */
    uint32_t slot;    /* a reader's */
    grove__state *state;
    grove__loans loans;
    /* The room that the last put handed out, until the next call, and where
     * its bytes go then; NULL: there is none. */
    grove__loans room_loan;
    const uint8_t *room;
    grove__blob *room_of;
    /* Puts and removes so far: a cursor from before one has no place. */
    uint64_t changes;
    uint32_t cursor_count;
    bool failed;
};

struct grove_backend_cursor {
    grove_backend_txn *txn;
    const grove__btree *tree;
    /* The key given last; NULL: the cursor needs a seek. */
    grove__blob *key;
    uint64_t changes;
};

static void *allocate(const grove_allocator *allocator, size_t bytes)
{
    return allocator->allocate(allocator->context, bytes);
}

static grove_status fail_begin(const grove_backend_env *env, grove_txn_mode mode,
                               grove_status status, grove_error *error_out)
{
    switch (status) {
    case GROVE_BUSY:
        return mode == GROVE_TXN_READ
                   ? grove__teacher_fail(error_out, status,
                                         "%d read transactions are open, the most there "
                                         "can be",
                                         (int)GROVE__VOLUME_READERS_MAX)
                   : grove__teacher_fail(error_out, status,
                                         "another write transaction did not end in %lu "
                                         "ms: a thread of process %ld, this one, has it",
                                         (unsigned long)env->wait_ms_max,
                                         (long)env->process);
    case GROVE_INVALID:
        return grove__teacher_fail(error_out, status,
                                   "this thread has a write transaction open and would "
                                   "wait for itself");
    default:
        return grove__memory_fail_volume(error_out, status);
    }
}

static grove_status memory_begin(grove_backend_env *env, grove_txn_mode mode,
                                 grove_backend_txn **txn_out, grove_error *error_out)
{
    const grove_allocator *allocator = env->allocator;
    grove_status status;
    if (grove__memory_is_forked(env)) {
        return grove__memory_fail_forked(error_out);
    }
    grove_backend_txn *txn = allocate(allocator, sizeof *txn);
    if (txn == NULL) {
        return grove__teacher_fail_heap(error_out, GROVE_NO_MEMORY);
    }
    memset(txn, 0, sizeof *txn);
    if (mode != GROVE_TXN_READ) {
        uint64_t limit = env->size_limit_bytes -
                         (mode == GROVE_TXN_WRITE_TO_FREE ? 0 : env->reserve_bytes);
        status = grove__volume_enter_writer(env->volume, env->cuts, limit,
                                            env->wait_ms_max, &txn->state);
    } else {
        status =
            grove__volume_enter_reader(env->volume, env->cuts, &txn->state, &txn->slot);
    }
    if (status != GROVE_OK) {
        allocator->deallocate(allocator->context, txn, sizeof *txn);
        return fail_begin(env, mode, status, error_out);
    }
    txn->env = env;
    txn->mode = mode;
    txn->thread = pthread_self();
    grove__loans_init(&txn->loans, allocator);
    grove__loans_init(&txn->room_loan, allocator);
    (void)atomic_fetch_add(&env->txn_count, 1);
    *txn_out = txn;
    return GROVE_OK;
}

/* M2: what the caller wrote to the room of the last put goes into the tree. */
static void collect_room(grove_backend_txn *txn)
{
    if (txn->room_of != NULL) {
        memcpy(txn->room_of->bytes, txn->room, txn->room_of->size);
        txn->room_of = NULL;
        txn->room = NULL;
        grove__loans_end(&txn->room_loan);
    }
}

/* What every call on a transaction begins with. */
static grove_status enter_txn(grove_backend_txn *txn, grove_error *error_out)
{
    if (grove__memory_is_forked(txn->env)) {
        return grove__memory_fail_forked(error_out);
    }
    if (txn->mode != GROVE_TXN_READ && !pthread_equal(txn->thread, pthread_self())) {
        return grove__teacher_fail(error_out, GROVE_INVALID,
                                   "a write transaction is used by another thread than "
                                   "the one that began it (C10)");
    }
    if (txn->failed) {
        return grove__teacher_fail(error_out, GROVE_FAILED,
                                   "an earlier failure leaves only abort (C7)");
    }
    collect_room(txn);
    return GROVE_OK;
}

static grove_status check_table(const grove_backend_txn *txn, uint32_t table,
                                grove_error *error_out)
{
    if (table >= txn->env->table_count) {
        return grove__teacher_fail(error_out, GROVE_INVALID,
                                   "there is no table %u, only %u (C1)", (unsigned)table,
                                   (unsigned)txn->env->table_count);
    }
    return GROVE_OK;
}

static grove_status check_key(grove_bytes key, size_t size_min, grove_error *error_out)
{
    if (key.size < size_min || key.size > KEY_BYTES_MAX) {
        return grove__teacher_fail(error_out, GROVE_LIMIT,
                                   "a key of %zu bytes; %zu to %d are allowed (C1)",
                                   key.size, size_min, (int)KEY_BYTES_MAX);
    }
    return GROVE_OK;
}

static grove_status check_writable(const grove_backend_txn *txn, grove_error *error_out)
{
    if (txn->mode == GROVE_TXN_READ) {
        return grove__teacher_fail(error_out, GROVE_INVALID,
                                   "a read transaction is asked to change something");
    }
    return GROVE_OK;
}

static grove__btree *tree_of(const grove_backend_txn *txn, uint32_t table)
{
    size_t number = txn->env->tables[table];
    return number < txn->state->table_count ? &txn->state->tables[number] : NULL;
}

/* A failure of the heap or the allocator: final in a write transaction. */
static grove_status fail_txn(grove_backend_txn *txn, grove_status status,
                             grove_error *error_out)
{
    if (txn->mode != GROVE_TXN_READ) {
        txn->failed = true;
    }
    return grove__teacher_fail_heap(error_out, status);
}

/* What commit and abort have in common; the state is left to the caller. */
static void free_txn(grove_backend_txn *txn)
{
    grove_backend_env *env = txn->env;
    grove__teacher_insist(txn->cursor_count == 0,
                          "a transaction ends and one of its cursors is open");
    grove__loans_end(&txn->loans);
    grove__loans_end(&txn->room_loan);
    (void)atomic_fetch_sub(&env->txn_count, 1);
    env->allocator->deallocate(env->allocator->context, txn, sizeof *txn);
}

static void memory_abort(grove_backend_txn *txn)
{
    grove_backend_env *env = txn->env;
    grove_txn_mode mode = txn->mode;
    uint32_t slot = txn->slot;
    grove__state *state = txn->state;
    grove__teacher_insist(mode == GROVE_TXN_READ ||
                              pthread_equal(txn->thread, pthread_self()),
                          "a write transaction is ended by another thread (C10)");
    free_txn(txn);
    if (grove__memory_is_forked(env)) {
        return; /* the state is the parent's */
    }
    grove__state_release(env->volume, state);
    if (mode != GROVE_TXN_READ) {
        (void)grove__volume_leave_writer(env->volume, env->cuts, NULL, false);
    } else {
        grove__volume_leave_reader(env->volume, slot);
    }
}

static grove_status memory_commit(grove_backend_txn *txn, grove_error *error_out)
{
    grove_backend_env *env = txn->env;
    grove__state *state = txn->state;
    grove_status status = enter_txn(txn, error_out);
    if (status != GROVE_OK || txn->mode == GROVE_TXN_READ) {
        memory_abort(txn);
        return status;
    }
    free_txn(txn);
    status = grove__volume_leave_writer(env->volume, env->cuts, state,
                                        env->durability == GROVE_DURABILITY_FULL);
    return status == GROVE_OK ? GROVE_OK : grove__memory_fail_volume(error_out, status);
}

/* Entries */

static grove_status memory_get(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                               grove_bytes *value_out, grove_error *error_out)
{
    grove_status status = enter_txn(txn, error_out);
    if (status == GROVE_OK) {
        status = check_table(txn, table, error_out);
    }
    if (status == GROVE_OK) {
        status = check_key(key, 1, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    const grove__btree *tree = tree_of(txn, table);
    const grove__blob *value = tree != NULL ? grove__btree_get(tree, key) : NULL;
    if (value == NULL) {
        return grove__teacher_fail(error_out, GROVE_NONE, "no such key");
    }
    status = grove__loans_lend(&txn->loans, grove__blob_view(value), value_out);
    return status == GROVE_OK ? GROVE_OK : fail_txn(txn, status, error_out);
}

static grove_status memory_put(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                               size_t bytes, uint8_t **value_out, grove_error *error_out)
{
    grove_status status = enter_txn(txn, error_out);
    if (status == GROVE_OK) {
        status = check_writable(txn, error_out);
    }
    if (status == GROVE_OK) {
        status = check_table(txn, table, error_out);
    }
    if (status == GROVE_OK) {
        status = check_key(key, 1, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    if (bytes > VALUE_BYTES_MAX) {
        return grove__teacher_fail(error_out, GROVE_LIMIT,
                                   "a value of %zu bytes; %d are allowed (C1)", bytes,
                                   (int)VALUE_BYTES_MAX);
    }
    txn->changes++;
    grove__loans_end(&txn->loans);
    uint8_t *room;
    grove__blob *value;
    status = grove__loans_lend_room(&txn->room_loan, bytes, &room);
    if (status == GROVE_OK) {
        status = grove__btree_put(&txn->env->volume->heap, tree_of(txn, table), key,
                                  bytes, &value);
    }
    if (status != GROVE_OK) {
        return fail_txn(txn, status, error_out);
    }
    txn->room = room;
    txn->room_of = value;
    *value_out = room;
    return GROVE_OK;
}

static grove_status memory_remove(grove_backend_txn *txn, uint32_t table, grove_bytes key,
                                  grove_error *error_out)
{
    grove_status status = enter_txn(txn, error_out);
    if (status == GROVE_OK) {
        status = check_writable(txn, error_out);
    }
    if (status == GROVE_OK) {
        status = check_table(txn, table, error_out);
    }
    if (status == GROVE_OK) {
        status = check_key(key, 1, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    txn->changes++;
    grove__loans_end(&txn->loans);
    status = grove__btree_remove(&txn->env->volume->heap, tree_of(txn, table), key);
    if (status == GROVE_NONE) {
        return grove__teacher_fail(error_out, GROVE_NONE, "no such key");
    }
    return status == GROVE_OK ? GROVE_OK : fail_txn(txn, status, error_out);
}

/* Cursors */

static const grove__btree EMPTY_TREE = {.root = NULL, .entries = 0};

static grove_status memory_cursor_open(grove_backend_txn *txn, uint32_t table,
                                       grove_backend_cursor **cursor_out,
                                       grove_error *error_out)
{
    grove_status status = enter_txn(txn, error_out);
    if (status == GROVE_OK) {
        status = check_table(txn, table, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove_backend_cursor *cursor = allocate(txn->env->allocator, sizeof *cursor);
    if (cursor == NULL) {
        return fail_txn(txn, GROVE_NO_MEMORY, error_out);
    }
    const grove__btree *tree = tree_of(txn, table);
    cursor->txn = txn;
    cursor->tree = tree != NULL ? tree : &EMPTY_TREE;
    cursor->key = NULL;
    cursor->changes = txn->changes;
    txn->cursor_count++;
    *cursor_out = cursor;
    return GROVE_OK;
}

static void forget_place(grove_backend_cursor *cursor)
{
    if (grove__memory_is_forked(cursor->txn->env)) {
        return;
    }
    grove__blob_release(&cursor->txn->env->volume->heap, cursor->key);
    cursor->key = NULL;
}

static void memory_cursor_close(grove_backend_cursor *cursor)
{
    grove_backend_txn *txn = cursor->txn;
    const grove_allocator *allocator = txn->env->allocator;
    forget_place(cursor);
    txn->cursor_count--;
    allocator->deallocate(allocator->context, cursor, sizeof *cursor);
}

/* Hands out an entry and makes it the cursor's place. */
static grove_status give_entry(grove_backend_cursor *cursor,
                               const grove__btree_slot *entry, grove_bytes *key_out,
                               grove_bytes *value_out, grove_error *error_out)
{
    grove_backend_txn *txn = cursor->txn;
    grove_bytes key;
    grove_bytes value;
    grove_status status =
        grove__loans_lend(&txn->loans, grove__blob_view(entry->key), &key);
    if (status == GROVE_OK) {
        status = grove__loans_lend(&txn->loans, grove__blob_view(entry->value), &value);
    }
    if (status != GROVE_OK) {
        return fail_txn(txn, status, error_out);
    }
    grove__blob *place = grove__blob_share(entry->key);
    forget_place(cursor);
    cursor->key = place;
    cursor->changes = txn->changes;
    *key_out = key;
    *value_out = value;
    return GROVE_OK;
}

static grove_status memory_cursor_seek(grove_backend_cursor *cursor, grove_seek seek,
                                       grove_bytes key, grove_bytes *key_out,
                                       grove_bytes *value_out, grove_error *error_out)
{
    grove_status status = enter_txn(cursor->txn, error_out);
    if (status == GROVE_OK) {
        status = check_key(key, 0, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove__btree_seek how = GROVE__BTREE_FIRST_AT_OR_AFTER;
    if (seek == GROVE_SEEK_BEFORE) {
        how = key.size == 0 ? GROVE__BTREE_LAST : GROVE__BTREE_LAST_BEFORE;
    }
    const grove__btree_slot *entry = grove__btree_find(cursor->tree, how, key);
    if (entry == NULL) {
        forget_place(cursor);
        return grove__teacher_fail(error_out, GROVE_NONE, "no such entry");
    }
    return give_entry(cursor, entry, key_out, value_out, error_out);
}

static grove_status memory_cursor_next(grove_backend_cursor *cursor, grove_bytes *key_out,
                                       grove_bytes *value_out, grove_error *error_out)
{
    grove_status status = enter_txn(cursor->txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (cursor->key == NULL) {
        return grove__teacher_fail(error_out, GROVE_INVALID,
                                   "a cursor that stands nowhere is asked for the next "
                                   "entry; seek first");
    }
    if (cursor->changes != cursor->txn->changes) {
        return grove__teacher_fail(error_out, GROVE_INVALID,
                                   "a put or a remove made this cursor invalid; seek "
                                   "first (C8)");
    }
    const grove__btree_slot *entry = grove__btree_find(
        cursor->tree, GROVE__BTREE_FIRST_AFTER, grove__blob_view(cursor->key));
    if (entry == NULL) {
        return grove__teacher_fail(error_out, GROVE_NONE, "that was the last entry");
    }
    return give_entry(cursor, entry, key_out, value_out, error_out);
}

extern const grove_backend grove_backend_memory;
const grove_backend grove_backend_memory = {
    .abi = GROVE_BACKEND_ABI,
    .name = "memory",
    .capabilities = 0,
    .key_bytes_max = KEY_BYTES_MAX,
    .value_bytes_max = VALUE_BYTES_MAX,
    .page_bytes = GROVE__MEMORY_PAGE_BYTES,
    .open = grove__memory_open,
    .close = grove__memory_close,
    .is_forked = grove__memory_is_forked,
    .sync = grove__memory_sync,
    .statistics = grove__memory_statistics,
    .readers = grove__memory_readers,
    .identity = grove__memory_identity,
    .reclaim = grove__memory_reclaim,
    .grow = grove__memory_grow,
    .copy = grove__memory_copy,
    .pin_open = grove__memory_pin_open,
    .pin_move = grove__memory_pin_move,
    .pin_close = grove__memory_pin_close,
    .pin_least = grove__memory_pin_least,
    .watch_open = grove__memory_watch_open,
    .watch_wait = grove__memory_watch_wait,
    .watch_descriptor = grove__memory_bell_descriptor,
    .watch_close = grove__memory_watch_close,
    .begin = memory_begin,
    .commit = memory_commit,
    .abort = memory_abort,
    .get = memory_get,
    .put = memory_put,
    .remove = memory_remove,
    .cursor_open = memory_cursor_open,
    .cursor_close = memory_cursor_close,
    .cursor_seek = memory_cursor_seek,
    .cursor_next = memory_cursor_next,
};
