/*
 * The clock that a document stood at after a commit: from the table `clocks`
 * for commits that have aged, from the records of those that have not.
 */
#include "document/clock_at.h"

#include <grove/feed.h>

#include "base/bytes.h"
#include "base/error.h"
#include "commit/age.h"
#include "commit/clocks.h"

/* Takes in what one commit touched. */
static grove_status look_at(void *context, uint64_t number, const grove__commits *commits,
                            grove_error *error_out)
{
    (void)error_out;
    grove__clock_look *look = context;
    const grove__touch *touches = grove__commits_touches(commits);
    size_t count = commits->touches.size / sizeof *touches;
    for (size_t index = 0; index < count; index++) {
        const grove__touch *touch = &touches[index];
        if (touch->kind != GROVE__TOUCH_DOCUMENT ||
            !grove__bytes_equal(touch->name, look->document)) {
            continue;
        }
        if (touch->first_clock == 0) {
            look->made = number;
            look->was_touched = false;
        }
        if (number <= look->commit && touch->count > 0) {
            look->was_touched = true;
            look->clock = touch->first_clock + touch->count;
        }
    }
    return GROVE_OK;
}

grove_status grove__clock_look_at_records(grove__clock_look *look, grove__txn *txn,
                                          const grove_allocator *allocator, uint64_t aged,
                                          grove_error *error_out)
{
    return grove__age_each_young(txn, allocator, aged, look_at, look, error_out);
}

static grove_status fail_unknown(grove_error *error_out)
{
    return grove__fail(error_out, GROVE_NONE,
                       "there is no document of this id, or there was none then");
}

/* Whether there is the document now, and was the commit. */
static grove_status check_question(const grove__clock_look *look, grove__txn *txn,
                                   grove_error *error_out)
{
    grove__key key;
    grove_bytes meta;
    uint64_t newest;
    grove__key_of_document(&key, look->document);
    grove_status status =
        grove__kv_get(txn, GROVE__TABLE_META, grove__key_view(&key), &meta, error_out);
    if (status == GROVE_NONE) {
        return fail_unknown(error_out);
    }
    if (status == GROVE_OK) {
        status = grove__commit_newest(txn, &newest, error_out);
    }
    if (status == GROVE_OK && look->commit > newest) {
        return grove__fail(error_out, GROVE_INVALID,
                           "there are %llu commits, there is no commit %llu",
                           (unsigned long long)newest, (unsigned long long)look->commit);
    }
    return status;
}

static grove_status find_clock(grove__clock_look *look, grove_store *store,
                               grove__txn *txn, grove_error *error_out)
{
    grove__aging_record aging;
    grove_status status = check_question(look, txn, error_out);
    if (status == GROVE_OK) {
        status = grove__age_read(txn, &aging, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    status =
        grove__clock_look_at_records(look, txn, store->allocator, aging.aged, error_out);
    if (status != GROVE_OK || look->was_touched) {
        return status;
    }
    if (look->made > look->commit) {
        return fail_unknown(error_out);
    }
    status = grove__clocks_find(txn, store->allocator, look->document, look->commit,
                                &look->clock, error_out);
    return status == GROVE_NONE ? fail_unknown(error_out) : status;
}

grove_status grove_document_clock_at(grove_store *store, grove_bytes id, uint64_t commit,
                                     uint64_t *clock_out, grove_error *error_out)
{
    grove__txn txn;
    grove_status status = grove__key_check_document(id, error_out);
    if (status == GROVE_OK) {
        status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove__clock_look look = {.document = id, .commit = commit};
    status = find_clock(&look, store, &txn, error_out);
    grove__txn_abort(&txn);
    if (status == GROVE_OK) {
        *clock_out = look.clock;
    }
    return status;
}
