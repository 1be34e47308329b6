/*
 * Checking that the table `clocks` has what commits touched that have aged.
 *
 * Each commit that gave a document events has to be there with the clock that
 * the document stood at after it, unless a later commit deleted the document or
 * made it anew (commit/clocks.h: L1). So one that is not there leaves a doubt,
 * which such a commit takes away; those that are left in the end are findings,
 * one for a document.
 */
#include "base/bytes.h"
#include "base/error.h"
#include "commit/clocks.h"
#include "format/commits.h"
#include "store/verify.h"

/* A document that lacks the clock of a commit. */
typedef struct doubt {
    uint64_t commit; /* the first; 0: it was taken away */
    uint8_t name[GROVE_DOCUMENT_ID_BYTES_MAX];
    uint8_t name_bytes;
} doubt;

typedef struct clocks_check {
    grove__verify_work *work;
    grove__txn *txn;
    uint64_t aged;
    uint64_t next; /* the commit that comes behind those before */
    grove_buffer doubts;
    grove__sorted order; /* of the doubts, by name */
} clocks_check;

static grove_bytes name_of(const doubt *one)
{
    return (grove_bytes){one->name, one->name_bytes};
}

static int compare_names(const void *a, const void *b)
{
    return grove__bytes_compare(name_of(a), name_of(b));
}

static doubt *doubts_of(const clocks_check *check, size_t *count_out)
{
    *count_out = check->doubts.size / sizeof(doubt);
    return (doubt *)(void *)check->doubts.data;
}

/* What is in doubt of a document; NULL: nothing ever was. */
static doubt *find_doubt(const clocks_check *check, const doubt *wanted)
{
    size_t count;
    doubt *doubts = doubts_of(check, &count);
    grove__sorted_items items = {doubts, sizeof *doubts, compare_names};
    uint32_t found = grove__sorted_floor(&check->order, &items, wanted);
    return found != GROVE__SORTED_NONE && compare_names(&doubts[found], wanted) == 0
               ? &doubts[found]
               : NULL;
}

static grove_status add_doubt(clocks_check *check, const doubt *added, grove_error *error)
{
    const grove_allocator *allocator = check->work->store->allocator;
    grove_buffer_append(&check->doubts, added, sizeof *added);
    size_t count;
    const doubt *doubts = doubts_of(check, &count);
    grove__sorted_items items = {doubts, sizeof *doubts, compare_names};
    return check->doubts.failed ||
                   !grove__sorted_cover(&check->order, allocator, &items, count)
               ? grove__fail_memory(error)
               : GROVE_OK;
}

/* Whether the table has the clock that a commit took a document to. */
static grove_status check_touch(clocks_check *check, uint64_t commit,
                                const grove__touch *touch, grove_error *error)
{
    doubt wanted = {.commit = commit, .name_bytes = (uint8_t)touch->name.size};
    memcpy(wanted.name, touch->name.data, touch->name.size);
    doubt *known = find_doubt(check, &wanted);
    if (touch->first_clock == 0 && known != NULL) {
        known->commit = 0;
    }
    if (commit > check->aged || touch->count == 0) {
        return GROVE_OK;
    }
    uint64_t clock = 0;
    grove_status status = grove__clocks_find(check->txn, check->work->store->allocator,
                                             touch->name, commit, &clock, error);
    bool is_there = status == GROVE_OK && clock == touch->first_clock + touch->count;
    bool is_judged = status == GROVE_OK || status == GROVE_FAILED;
    if (is_there || (!is_judged && !grove__finding_is(status))) {
        return status;
    }
    if (known == NULL) {
        return add_doubt(check, &wanted, error);
    }
    known->commit = known->commit == 0 ? commit : known->commit;
    return GROVE_OK;
}

static grove_status check_commits(clocks_check *check, const grove__commits *commits,
                                  grove_error *error)
{
    const grove__touch *touch = grove__commits_touches(commits);
    size_t count = grove__commits_count(commits);
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        size_t left = grove__commits_entries(commits)[index].touch_count;
        for (; status == GROVE_OK && left > 0; left--, touch++) {
            if (touch->kind == GROVE__TOUCH_DOCUMENT) {
                status = check_touch(check, commits->first + index, touch, error);
            }
        }
    }
    return status;
}

/* Commits are missing, or cannot be read: they may have made any document
 * anew. */
static void forget_doubts(clocks_check *check)
{
    size_t count;
    doubt *doubts = doubts_of(check, &count);
    for (size_t index = 0; index < count; index++) {
        doubts[index].commit = 0;
    }
}

/* Checks an entry, or passes over it: what is wrong with it was said when the
 * commits were gone through. */
static grove_status check_entry(clocks_check *check, grove_bytes key, grove_bytes value,
                                grove__commits *commits, grove_error *error)
{
    uint64_t first = 0;
    grove_status status = grove__key_parse_commit(key, &first, error);
    if (status == GROVE_OK) {
        status = grove__commits_read(first, value, commits, error);
    }
    if (grove__finding_is(status)) {
        forget_doubts(check);
        return GROVE_OK;
    }
    if (first != check->next) {
        forget_doubts(check);
    }
    check->next = first + grove__commits_count(commits);
    return status == GROVE_OK ? check_commits(check, commits, error) : status;
}

static grove_status check_all(clocks_check *check, grove__commits *commits,
                              grove_error *error)
{
    grove__cursor cursor;
    grove_bytes key = {(const uint8_t *)"", 1};
    grove_bytes value;
    grove_status status =
        grove__cursor_open(check->txn, GROVE__TABLE_COMMITS, &cursor, error);
    if (status != GROVE_OK) {
        return status;
    }
    status =
        grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, key, &key, &value, error);
    while (status == GROVE_OK && !grove__verify_has_stopped(check->work)) {
        status = check_entry(check, key, value, commits, error);
        if (status == GROVE_OK) {
            status = grove__cursor_next(&cursor, &key, &value, error);
        }
    }
    grove__cursor_close(&cursor);
    return status == GROVE_NONE ? GROVE_OK : status;
}

static void report_doubts(clocks_check *check)
{
    size_t count;
    const doubt *doubts = doubts_of(check, &count);
    for (size_t index = 0; index < count; index++) {
        grove__key key;
        grove_error error;
        const doubt *one = &doubts[index];
        if (one->commit != 0) {
            grove__key_of_document(&key, name_of(one));
            (void)grove__fail(&error, GROVE_CORRUPT,
                              "there is no row with the clock that commit %llu took the "
                              "document to",
                              (unsigned long long)one->commit);
            grove__verify_find(check->work, GROVE_FINDING_CLOCKS, GROVE__TABLE_CLOCKS,
                               grove__key_view(&key), name_of(one), &error);
        }
    }
}

/* No commit has aged: there are no clocks. */
static grove_status check_none(grove__verify_work *work, grove__txn *txn,
                               grove_error *error)
{
    grove__cursor cursor;
    grove_bytes key = {NULL, 0};
    grove_bytes value;
    grove_status status = grove__cursor_open(txn, GROVE__TABLE_CLOCKS, &cursor, error);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__cursor_seek(&cursor, GROVE_SEEK_BEFORE, key, &key, &value, error);
    grove__cursor_close(&cursor);
    if (status == GROVE_OK) {
        (void)grove__fail(error, GROVE_CORRUPT,
                          "no commit is said to have aged, and there are clocks of some");
        grove__verify_find(work, GROVE_FINDING_STORE, GROVE__TABLE_STORE,
                           grove_bytes_of("aging"), (grove_bytes){NULL, 0}, error);
    }
    return status == GROVE_NONE ? GROVE_OK : status;
}

grove_status grove__verify_clocks(grove__verify_work *work, grove__txn *txn,
                                  const grove__aging_record *aging,
                                  grove_error *error_out)
{
    clocks_check check = {.work = work, .txn = txn, .aged = aging->aged};
    grove__commits commits;
    grove_status status;
    grove_buffer_init(&check.doubts, work->store->allocator);
    grove__commits_init(&commits, work->store->allocator);
    if (aging->aged == 0) {
        status = check_none(work, txn, error_out);
    } else {
        status = check_all(&check, &commits, error_out);
        if (status == GROVE_OK && !grove__verify_has_stopped(work)) {
            report_doubts(&check);
        }
    }
    grove__commits_release(&commits);
    grove__sorted_release(&check.order, work->store->allocator);
    grove_buffer_release(&check.doubts);
    return status;
}
