#include "commit/commit.h"

#include "base/assert.h"
#include "base/error.h"
#include "commit/age.h"

/* Makes the change that goes along, unless others have made it. */
static grove_status run_along(grove_store *store, grove__txn *txn,
                              const grove__write_set *along, grove_error *error_out)
{
    uint64_t none;
    grove_status status = grove__write_set_check(txn, along, error_out);
    if (status == GROVE_OK) {
        status = grove__write_set_apply(store, txn, along, &none, error_out);
    }
    return status == GROVE_CONFLICT ? GROVE_OK : status;
}

grove_status grove__commit_along(grove_store *store, const grove__write_set *set,
                                 const grove__write_set *along, uint64_t *commit_out,
                                 grove_error *error_out)
{
    GROVE_ASSERT(along->touches.size == 0);
    grove__txn txn;
    grove_status status = grove__txn_begin(&store->kv, GROVE_TXN_WRITE, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    uint64_t commit = 0;
    status = grove__write_set_check(&txn, set, error_out);
    if (status == GROVE_OK) {
        status = grove__write_set_apply(store, &txn, set, &commit, error_out);
    }
    if (status == GROVE_OK) {
        status = run_along(store, &txn, along, error_out);
    }
    if (status != GROVE_OK) {
        grove__txn_abort(&txn);
        return status;
    }
    status = grove__txn_commit(&txn, error_out);
    if (status == GROVE_OK) {
        *commit_out = commit;
    }
    return status;
}

grove_status grove__commit(grove_store *store, grove__write_set *set,
                           uint64_t *commit_out, grove_error *error_out)
{
    if (grove__write_set_has_failed(set)) {
        return grove__fail_memory(error_out);
    }
    grove__write_set along;
    grove__write_set_init(&along, store->allocator);
    if (set->touches.size > 0) {
        grove__age_along(store, &along);
    }
    uint64_t commit = 0;
    grove_status status = grove__commit_along(store, set, &along, &commit, error_out);
    grove__write_set_release(&along);
    if (status != GROVE_OK) {
        return status;
    }
    if (commit > 0) {
        atomic_store(&store->commit_seen, commit);
    }
    if (commit_out != NULL) {
        *commit_out = commit;
    }
    return GROVE_OK;
}
