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
static void look_at(grove__clock_look *look, uint64_t number,
                    const grove__commits *commits)
{
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
}

grove_status grove__clock_look_at_records(grove__clock_look *look, grove__txn *txn,
                                          uint64_t aged, grove__commits *commits,
                                          grove_error *error_out)
{
    grove__cursor cursor;
    grove__key first;
    grove_bytes key;
    grove_bytes value;
    grove_status status =
        grove__cursor_open(txn, GROVE__TABLE_COMMITS, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__key_of_commit(&first, aged + 1);
    status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove__key_view(&first),
                                &key, &value, error_out);
    while (status == GROVE_OK) {
        uint64_t number;
        status = grove__key_parse_commit(key, &number, error_out);
        if (status == GROVE_OK && grove__commits_is_pack(value)) {
            status = grove__fail(error_out, GROVE_CORRUPT,
                                 "commit %llu is packed and has not aged",
                                 (unsigned long long)number);
        }
        if (status == GROVE_OK) {
            status = grove__commits_read(number, value, commits, error_out);
        }
        if (status == GROVE_OK) {
            look_at(look, number, commits);
            status = grove__cursor_next(&cursor, &key, &value, error_out);
        }
    }
    grove__cursor_close(&cursor);
    return status == GROVE_NONE ? GROVE_OK : status;
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
    grove__commits commits;
    grove__commits_init(&commits, store->allocator);
    status = grove__clock_look_at_records(look, txn, aging.aged, &commits, error_out);
    grove__commits_release(&commits);
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
