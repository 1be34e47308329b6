#include "commit/age.h"

#include "base/checked.h"
#include "base/error.h"
#include "commit/clocks.h"

/* What a commit that is made anyway may remove, so that removing keeps up, and
 * how long the next ones do not look after a failure. */
enum {
    ALONG_REMOVED_MAX = 2 * GROVE__PACKED_COMMITS,
    LOOK_AGAIN_COMMITS = GROVE__PACKED_COMMITS / 8
};

grove_bytes grove__age_key(void)
{
    return grove_bytes_of("aging");
}

grove_status grove__age_read(grove__txn *txn, grove__aging_record *record_out,
                             grove_error *error_out)
{
    grove_bytes bytes;
    grove_status status =
        grove__kv_get(txn, GROVE__TABLE_STORE, grove__age_key(), &bytes, error_out);
    if (status == GROVE_OK) {
        return grove__aging_record_decode(bytes, record_out, error_out);
    }
    if (status == GROVE_NONE) {
        *record_out = (grove__aging_record){0, 0, 0};
        status = GROVE_OK;
    }
    return status;
}

grove_status grove__age_write(grove__txn *txn, const grove__aging_record *record,
                              grove__write_set *set, grove_error *error_out)
{
    grove_bytes before;
    grove_status status =
        grove__kv_get(txn, GROVE__TABLE_STORE, grove__age_key(), &before, error_out);
    if (status != GROVE_OK && status != GROVE_NONE) {
        return status;
    }
    uint8_t after[GROVE__AGING_RECORD_BYTES];
    grove__aging_record_encode(record, after);
    grove__write_set_expect(set, GROVE__TABLE_STORE, grove__age_key(),
                            status == GROVE_OK ? &before : NULL);
    grove__write_set_put(set, GROVE__TABLE_STORE, grove__age_key(),
                         (grove_bytes){after, sizeof after});
    return GROVE_OK;
}

/* Reads the entry of one commit and hands it on. */
static grove_status give_young(grove_bytes key, grove_bytes value,
                               grove__commits *commits, grove__age_fn each, void *context,
                               grove_error *error_out)
{
    uint64_t number;
    grove_status status = grove__key_parse_commit(key, &number, error_out);
    if (status == GROVE_OK && grove__commits_is_pack(value)) {
        status = grove__fail(error_out, GROVE_CORRUPT,
                             "commit %llu is packed and has not aged",
                             (unsigned long long)number);
    }
    if (status == GROVE_OK) {
        status = grove__commits_read(number, value, commits, error_out);
    }
    return status == GROVE_OK ? each(context, number, commits, error_out) : status;
}

grove_status grove__age_each_young(grove__txn *txn, const grove_allocator *allocator,
                                   uint64_t aged, grove__age_fn each, void *context,
                                   grove_error *error_out)
{
    grove__cursor cursor;
    grove__key first;
    grove_bytes key;
    grove_bytes value;
    grove__commits commits;
    grove_status status =
        grove__cursor_open(txn, GROVE__TABLE_COMMITS, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__commits_init(&commits, allocator);
    grove__key_of_commit(&first, aged + 1);
    status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove__key_view(&first),
                                &key, &value, error_out);
    while (status == GROVE_OK) {
        status = give_young(key, value, &commits, each, context, error_out);
        if (status == GROVE_OK) {
            status = grove__cursor_next(&cursor, &key, &value, error_out);
        }
    }
    grove__commits_release(&commits);
    grove__cursor_close(&cursor);
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* One look at a store, from one read transaction. */
typedef struct aging {
    grove__txn txn;
    grove__write_set *set;
    grove__aging_record record;
    uint64_t newest;
    int64_t now;
    uint64_t oldest; /* of the commits that stay */
    grove__commits commits;
    grove_buffer block;
    grove__clocks clocks;
    grove__age_result result;
} aging;

/* Takes in what commits touched that have not aged, and lets them age. */
static grove_status gather_clocks(aging *work, grove_error *error_out)
{
    const grove__commits *commits = &work->commits;
    const grove__touch *touch = grove__commits_touches(commits);
    size_t count = grove__commits_count(commits);
    uint64_t last = commits->first + count - 1;
    if (last <= work->record.aged) {
        return GROVE_OK;
    }
    if (commits->first <= work->record.aged) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "the commits from %llu on have aged in part",
                           (unsigned long long)commits->first);
    }
    for (size_t index = 0; index < count; index++) {
        size_t left = grove__commits_entries(commits)[index].touch_count;
        for (; left > 0; left--) {
            grove_status status = grove__clocks_gather(
                &work->clocks, commits->first + index, touch++, error_out);
            if (status != GROVE_OK) {
                return status;
            }
        }
    }
    work->record.aged = last;
    return GROVE_OK;
}

/* Whether the retention lets go what was read last: all of it. */
static bool may_go(const aging *work)
{
    const grove__aging_record *record = &work->record;
    const grove__commits *commits = &work->commits;
    size_t count = grove__commits_count(commits);
    uint64_t last = commits->first + count - 1;
    if (last >= work->newest) {
        return false;
    }
    if (record->commits_max > 0 && work->newest - last >= record->commits_max) {
        return true;
    }
    bool is_old = record->age_ms_max > 0;
    for (size_t index = 0; is_old && index < count; index++) {
        int64_t time = grove__commits_entries(commits)[index].time;
        is_old =
            time < work->now && (uint64_t)work->now - (uint64_t)time > record->age_ms_max;
    }
    return is_old;
}

static void remove_commit(aging *work, uint64_t commit)
{
    grove__key key;
    grove__key_of_commit(&key, commit);
    grove__write_set_remove(work->set, GROVE__TABLE_COMMITS, grove__key_view(&key));
}

/* Removes one entry that may go. GROVE_NONE: it may not. */
static grove_status remove_entry(aging *work, grove_bytes key, grove_bytes value,
                                 grove_error *error_out)
{
    uint64_t number;
    grove_status status = grove__key_parse_commit(key, &number, error_out);
    if (status == GROVE_OK && work->result.removed == 0) {
        work->oldest = number;
    }
    if (status == GROVE_OK && number != work->oldest) {
        status = grove__fail(error_out, GROVE_CORRUPT, "commit %llu is missing",
                             (unsigned long long)work->oldest);
    }
    if (status == GROVE_OK) {
        status = grove__commits_read(number, value, &work->commits, error_out);
    }
    if (status != GROVE_OK || !may_go(work)) {
        return status == GROVE_OK ? GROVE_NONE : status;
    }
    status = gather_clocks(work, error_out);
    if (status == GROVE_OK) {
        remove_commit(work, number);
        work->result.removed += grove__commits_count(&work->commits);
        work->oldest += grove__commits_count(&work->commits);
    }
    return status;
}

/* Removes from the oldest commit on what may go, and finds the oldest. */
static grove_status remove_due(aging *work, uint64_t removed_max, grove_error *error_out)
{
    grove__cursor cursor;
    grove_bytes key = {(const uint8_t *)"", 1};
    grove_bytes value;
    grove_status status =
        grove__cursor_open(&work->txn, GROVE__TABLE_COMMITS, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status =
        grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, key, &key, &value, error_out);
    while (status == GROVE_OK) {
        status = remove_entry(work, key, value, error_out);
        if (status == GROVE_OK && work->result.removed >= removed_max) {
            work->result.has_more = true;
            break;
        }
        if (status == GROVE_OK) {
            status = grove__cursor_next(&cursor, &key, &value, error_out);
        }
    }
    grove__cursor_close(&cursor);
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* Reads a run of records. */
static grove_status read_run(aging *work, uint64_t first, grove_error *error_out)
{
    grove__commits_reset(&work->commits);
    work->commits.first = first;
    grove_status status = GROVE_OK;
    for (uint64_t commit = first;
         status == GROVE_OK && commit < first + GROVE__PACKED_COMMITS; commit++) {
        grove__key key;
        grove_bytes value;
        grove__key_of_commit(&key, commit);
        status = grove__kv_get(&work->txn, GROVE__TABLE_COMMITS, grove__key_view(&key),
                               &value, error_out);
        if (status == GROVE_NONE) {
            return grove__fail(error_out, GROVE_CORRUPT, "commit %llu is missing",
                               (unsigned long long)commit);
        }
        if (status == GROVE_OK) {
            status = grove__commits_add_record(&work->commits, value, error_out);
        }
    }
    return status;
}

/* Packs the run of commits that is the next to age, if it is time. */
static grove_status pack_due(aging *work, grove_error *error_out)
{
    uint64_t first = grove__max_u64(work->record.aged + 1, work->oldest);
    if (work->newest < 2 * (uint64_t)GROVE__PACKED_COMMITS ||
        first > work->newest - 2 * (uint64_t)GROVE__PACKED_COMMITS + 1) {
        return GROVE_OK;
    }
    grove_status status = read_run(work, first, error_out);
    if (status == GROVE_OK) {
        status = gather_clocks(work, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__commits_encode(&work->commits, &work->block, error_out);
    if (status == GROVE_LIMIT) {
        /* Of too many things: the records stay. */
        return GROVE_OK;
    }
    if (status == GROVE_OK) {
        for (uint64_t commit = first; commit <= work->record.aged; commit++) {
            remove_commit(work, commit);
        }
        grove__key key;
        grove__key_of_commit(&key, first);
        grove__write_set_put(work->set, GROVE__TABLE_COMMITS, grove__key_view(&key),
                             grove_buffer_view(&work->block));
    }
    return status;
}

static grove_status prepare(aging *work, uint64_t removed_max, grove_error *error_out)
{
    grove_status status = grove__age_read(&work->txn, &work->record, error_out);
    uint64_t aged = work->record.aged;
    if (status == GROVE_OK) {
        status = grove__commit_newest(&work->txn, &work->newest, error_out);
    }
    if (status == GROVE_OK) {
        status = remove_due(work, removed_max, error_out);
    }
    if (status == GROVE_OK) {
        status = pack_due(work, error_out);
    }
    work->result.aged = work->record.aged;
    if (status == GROVE_OK && work->record.aged == aged && work->result.removed == 0) {
        return GROVE_NONE;
    }
    if (status == GROVE_OK) {
        status = grove__clocks_put(&work->clocks, &work->txn, work->set, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__age_write(&work->txn, &work->record, work->set, error_out);
    }
    if (status == GROVE_OK && grove__write_set_has_failed(work->set)) {
        status = grove__fail_memory(error_out);
    }
    return status;
}

grove_status grove__age_prepare(grove_store *store, uint64_t removed_max,
                                grove__write_set *set, grove__age_result *result_out,
                                grove_error *error_out)
{
    aging work = {.set = set, .now = grove__store_now(store)};
    grove_status status =
        grove__txn_begin(&store->kv, GROVE_TXN_READ, &work.txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__commits_init(&work.commits, store->allocator);
    grove_buffer_init(&work.block, store->allocator);
    grove__clocks_init(&work.clocks, store->allocator);
    status = prepare(&work, removed_max, error_out);
    /* The set has copies of its own: nothing of this is needed any more. */
    grove__clocks_release(&work.clocks);
    grove_buffer_release(&work.block);
    grove__commits_release(&work.commits);
    grove__txn_abort(&work.txn);
    if (status == GROVE_OK || status == GROVE_NONE) {
        *result_out = work.result;
    }
    return status;
}

void grove__age_along(grove_store *store, grove__write_set *set)
{
    /* What this process has seen: a hint that costs nothing to look at. */
    uint64_t seen = atomic_load(&store->commit_seen);
    if (seen < 2 * (uint64_t)GROVE__PACKED_COMMITS ||
        seen < atomic_load(&store->age_at)) {
        return;
    }
    grove__age_result result = {0, 0, false};
    grove_status status =
        grove__age_prepare(store, ALONG_REMOVED_MAX, set, &result, NULL);
    uint64_t age_at = result.aged + 2 * (uint64_t)GROVE__PACKED_COMMITS;
    if (status != GROVE_OK && status != GROVE_NONE) {
        grove__write_set_reset(set);
        age_at = seen + LOOK_AGAIN_COMMITS;
    }
    if (result.has_more || age_at <= seen) {
        age_at = seen + 1;
    }
    atomic_store(&store->age_at, age_at);
}
