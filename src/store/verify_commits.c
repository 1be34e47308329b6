/*
 * Checking the table `commits`: that its numbers go on, that each entry can be
 * read, and that those that the record `aging` says have aged are packed, and
 * no others (commit/age.h: A1, A2).
 */
#include "base/error.h"
#include "format/commits.h"
#include "store/verify.h"

typedef struct commits_check {
    grove__verify_work *work;
    grove__aging_record aging;
    bool knows_aging; /* and has not found it to be wrong */
    uint64_t first;   /* of the entries that were looked at; 0: none */
    uint64_t next;    /* 0: not known */
    /* The first commit of the last incarnation; 0: not known, or the first. */
    uint64_t incarnation_first;
    /* Records of commits that have aged, one after the other. */
    struct {
        uint64_t first; /* 0: none */
        size_t touches;
        bool is_partial; /* there may have been more of them */
    } aged;
    bool was_damaged; /* the entry before */
    grove__commits commits;
} commits_check;

static void report(commits_check *check, uint64_t commit, const grove_error *error)
{
    grove__key key;
    grove__key_of_commit(&key, commit);
    grove__verify_find(check->work, GROVE_FINDING_COMMIT, GROVE__TABLE_COMMITS,
                       grove__key_view(&key), (grove_bytes){NULL, 0}, error);
}

/* The record is not true of the commits: said once. */
static void report_aging(commits_check *check, const grove_error *error)
{
    check->knows_aging = false;
    grove__verify_find(check->work, GROVE_FINDING_STORE, GROVE__TABLE_STORE,
                       grove_bytes_of("aging"), (grove_bytes){NULL, 0}, error);
}

/* Whether a commit is the one after those before, or the first that the
 * retention keeps: those before it have aged. */
static void check_number(commits_check *check, uint64_t commit, grove_error *error)
{
    uint64_t next = check->next;
    if (check->first == 0) {
        check->first = commit;
        bool may_begin = next == 0 || !check->knows_aging || commit <= next ||
                         commit - 1 <= check->aging.aged;
        next = may_begin && commit > 0 ? commit : next;
    }
    if (next != 0 && commit != next) {
        (void)grove__fail(error, GROVE_CORRUPT,
                          "commit %llu is next, and commit %llu comes",
                          (unsigned long long)next, (unsigned long long)commit);
        report(check, commit, error);
    }
}

/* Ends a stretch of records that have aged: they are left as they are only
 * where they touch too many things. */
static void end_stretch(commits_check *check)
{
    grove_error error;
    if (check->aged.first != 0 && !check->aged.is_partial &&
        check->aged.touches <= GROVE__COMMITS_TOUCHES_MAX) {
        (void)grove__fail(&error, GROVE_CORRUPT,
                          "commits up to %llu are said to have aged, and that of commit "
                          "%llu is not packed",
                          (unsigned long long)check->aging.aged,
                          (unsigned long long)check->aged.first);
        report_aging(check, &error);
    }
    check->aged.first = 0;
}

/* Whether what was read has aged as the record says. */
static void check_age(commits_check *check, uint64_t commit, bool is_pack)
{
    size_t count = grove__commits_count(&check->commits);
    grove_error error;
    if (!check->knows_aging) {
        return;
    }
    if (is_pack && commit + count - 1 > check->aging.aged) {
        (void)grove__fail(&error, GROVE_CORRUPT,
                          "commit %llu is packed, and commits are said to have aged up "
                          "to %llu",
                          (unsigned long long)(commit + count - 1),
                          (unsigned long long)check->aging.aged);
        report_aging(check, &error);
    } else if (is_pack || commit > check->aging.aged) {
        end_stretch(check);
    } else {
        if (check->aged.first == 0) {
            check->aged.first = commit;
            check->aged.touches = 0;
            /* The retention removes records one by one. */
            check->aged.is_partial =
                check->was_damaged || (commit == check->first && commit > 1);
        }
        check->aged.touches += grove__commits_entries(&check->commits)[0].touch_count;
    }
}

static grove_status check_entry(commits_check *check, grove_bytes key, grove_bytes value,
                                grove_error *error)
{
    uint64_t commit = 0;
    grove__verify_work *work = check->work;
    grove_status status = grove__key_parse_commit(key, &commit, error);
    if (grove__finding_is(status)) {
        grove__verify_find(work, GROVE_FINDING_KEY, GROVE__TABLE_COMMITS, key,
                           (grove_bytes){NULL, 0}, error);
        return GROVE_OK;
    }
    if (status != GROVE_OK || !grove__verify_go_to(work, GROVE__TABLE_COMMITS, key)) {
        return status;
    }
    check_number(check, commit, error);
    status = grove__commits_read(commit, value, &check->commits, error);
    if (grove__finding_is(status)) {
        report(check, commit, error);
        /* A pack, if it was one, has any number of them. */
        check->next = 0;
        check->aged.first = 0;
        check->was_damaged = true;
        return GROVE_OK;
    }
    if (status == GROVE_OK) {
        size_t count = grove__commits_count(&check->commits);
        check_age(check, commit, grove__commits_is_pack(value));
        check->next = commit + count;
        check->was_damaged = false;
        work->report.commits += count;
    }
    return status;
}

/* Looks at the entries from a key on. */
static grove_status check_entries(commits_check *check, grove__txn *txn, grove_bytes key,
                                  grove_error *error)
{
    grove__cursor cursor;
    grove_bytes value;
    grove_status status = grove__cursor_open(txn, GROVE__TABLE_COMMITS, &cursor, error);
    if (status != GROVE_OK) {
        return status;
    }
    status =
        grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, key, &key, &value, error);
    while (status == GROVE_OK && !grove__verify_has_stopped(check->work)) {
        status = check_entry(check, key, value, error);
        if (status == GROVE_OK) {
            status = grove__cursor_next(&cursor, &key, &value, error);
        }
    }
    grove__cursor_close(&cursor);
    return status;
}

/* All were looked at: the newest of them is always kept as it was made, and no
 * incarnation begins beyond the next. */
static void check_end(commits_check *check)
{
    grove_error error;
    end_stretch(check);
    if (check->next != 0 && check->incarnation_first > check->next) {
        (void)grove__fail(&error, GROVE_CORRUPT,
                          "the last incarnation begins with commit %llu, and the newest "
                          "is %llu",
                          (unsigned long long)check->incarnation_first,
                          (unsigned long long)check->next - 1);
        grove__verify_find(check->work, GROVE_FINDING_STORE, GROVE__TABLE_STORE,
                           grove_bytes_of("incarnations"), (grove_bytes){NULL, 0},
                           &error);
    }
    if (check->knows_aging && check->next != 0 && check->aging.aged > 0 &&
        check->aging.aged >= check->next - 1) {
        (void)grove__fail(&error, GROVE_CORRUPT,
                          "commits are said to have aged up to %llu, and the newest is "
                          "%llu",
                          (unsigned long long)check->aging.aged,
                          (unsigned long long)check->next - 1);
        report_aging(check, &error);
    }
}

/* Which commit the last incarnation begins with, if that can be told. */
static grove_status read_incarnation(commits_check *check, grove__txn *txn,
                                     grove_error *error)
{
    grove_bytes value;
    grove_buffer *list = &check->work->joined;
    grove_status status = grove__kv_get(txn, GROVE__TABLE_STORE,
                                        grove_bytes_of("incarnations"), &value, error);
    if (status != GROVE_OK) {
        return status == GROVE_NONE ? GROVE_OK : status;
    }
    grove_buffer_reset(list);
    status = grove__incarnations_record_decode(value, list, error);
    if (status == GROVE_OK) {
        const grove__incarnation *items =
            (const grove__incarnation *)(const void *)list->data;
        check->incarnation_first = items[list->size / sizeof *items - 1].first_commit;
    }
    return grove__finding_is(status) ? GROVE_OK : status;
}

/* All in one transaction: others may pack commits at any time. */
static grove_status check_all(commits_check *check, grove__txn *txn, grove__key from,
                              grove_error *error)
{
    bool is_all = from.size == 0;
    if (is_all) {
        from.bytes[from.size++] = 0;
        check->next = 1;
    }
    grove_status status =
        grove__survey_read_aging(txn, &check->aging, &check->knows_aging, error);
    if (status == GROVE_OK) {
        status = read_incarnation(check, txn, error);
    }
    if (status == GROVE_OK) {
        status = check_entries(check, txn, grove__key_view(&from), error);
    }
    bool is_end = status == GROVE_NONE;
    if (is_end) {
        check_end(check);
        status = GROVE_OK;
    }
    if (is_end && is_all && check->knows_aging) {
        status = grove__verify_clocks(check->work, txn, &check->aging, error);
    }
    if (status == GROVE_CORRUPT || status == GROVE_FAILED) {
        grove__verify_find(check->work, GROVE_FINDING_UNREADABLE, GROVE__TABLE_COMMITS,
                           grove__key_view(&from), (grove_bytes){NULL, 0}, error);
        status = GROVE_OK;
    }
    return status;
}

grove_status grove__verify_commits(grove__verify_work *work, grove__key from,
                                   grove_error *error_out)
{
    commits_check check = {.work = work};
    grove__txn txn;
    grove_error error;
    grove_status status =
        grove__txn_begin(&work->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__commits_init(&check.commits, work->store->allocator);
    status = check_all(&check, &txn, from, &error);
    grove__commits_release(&check.commits);
    grove__txn_abort(&txn);
    if (status != GROVE_OK && error_out != NULL) {
        *error_out = error;
    }
    return status;
}
