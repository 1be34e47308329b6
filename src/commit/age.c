#include "commit/age.h"

#include "format/commits.h"
#include "format/key.h"

/* How far back one look goes, to find ranges that others left. */
enum { RANGES_BACK_MAX = 5 };

/* Appends the record of a commit. GROVE_NONE: it is a pack. */
static grove_status read_record(grove__txn *txn, uint64_t commit, grove__commits *commits)
{
    grove__key key;
    grove_bytes value;
    grove__key_of_commit(&key, commit);
    grove_status status =
        grove__kv_get(txn, GROVE__TABLE_COMMITS, grove__key_view(&key), &value, NULL);
    if (status != GROVE_OK) {
        return status;
    }
    if (grove__commits_is_pack(value)) {
        return GROVE_NONE;
    }
    size_t before = commits->touches.size;
    grove__commits_entry entry = {0, 0};
    status = grove__commit_record_decode(value, &entry.time, &commits->touches, NULL);
    if (status != GROVE_OK) {
        return status;
    }
    entry.touch_count = (commits->touches.size - before) / sizeof(grove__touch);
    grove_buffer_append(&commits->entries, &entry, sizeof entry);
    return GROVE_OK;
}

/* Packs the range that begins at `first`. GROVE_NONE: it is packed. */
static grove_status pack_range(grove__txn *txn, uint64_t first, grove_buffer *block_out)
{
    grove__commits commits;
    grove__commits_init(&commits, block_out->allocator);
    commits.first = first;
    grove_status status = GROVE_OK;
    for (uint64_t commit = first;
         status == GROVE_OK && commit < first + GROVE__PACKED_COMMITS; commit++) {
        status = read_record(txn, commit, &commits);
    }
    if (status == GROVE_OK && (commits.entries.failed || commits.touches.failed)) {
        status = GROVE_NO_MEMORY;
    }
    if (status == GROVE_OK) {
        status = grove__commits_encode(&commits, block_out, NULL);
    }
    grove__commits_release(&commits);
    return status;
}

bool grove__age_pack(grove_store *store, uint64_t *first_out, grove_buffer *block_out)
{
    /* What this process has seen: a hint that costs nothing to look at. */
    uint64_t ranges = atomic_load(&store->commit_seen) / GROVE__PACKED_COMMITS;
    grove__txn txn;
    if (ranges < 2 || ranges == atomic_load(&store->ranges_aged) ||
        grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, NULL) != GROVE_OK) {
        return false;
    }
    /* The newest range stays as it is; from the one before, back. */
    grove_status status = GROVE_NONE;
    uint64_t first = 0;
    for (uint64_t back = 2;
         status != GROVE_OK && back <= ranges && back <= RANGES_BACK_MAX; back++) {
        first = (ranges - back) * GROVE__PACKED_COMMITS + 1;
        status = pack_range(&txn, first, block_out);
    }
    grove__txn_abort(&txn);
    if (status != GROVE_OK) {
        atomic_store(&store->ranges_aged, ranges);
        return false;
    }
    *first_out = first;
    return true;
}
