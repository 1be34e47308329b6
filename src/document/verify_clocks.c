#include "base/bytes.h"
#include "base/error.h"
#include "document/clock_at.h"
#include "document/verify.h"
#include "format/commits.h"

enum { NUMBER_BYTES = 8 };

grove_status grove__survey_read_aging(grove__txn *txn, grove__aging_record *record_out,
                                      bool *is_known_out, grove_error *error_out)
{
    grove_bytes value;
    grove_error none;
    *record_out = (grove__aging_record){0, 0, 0};
    *is_known_out = true;
    grove_status status = grove__kv_get(txn, GROVE__TABLE_STORE, grove_bytes_of("aging"),
                                        &value, error_out);
    if (status == GROVE_OK) {
        *is_known_out = grove__aging_record_decode(value, record_out, &none) == GROVE_OK;
    }
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* What is damaged in another table is found there. */
static grove_status pass_over(grove_status status)
{
    return grove__finding_is(status) ? GROVE_OK : status;
}

static grove_status report(grove__survey *survey, grove_status status)
{
    return grove__survey_judge(survey, status, GROVE_FINDING_CLOCKS, GROVE__TABLE_CLOCKS,
                               grove__key_view(&survey->prefix));
}

/* Finds the entry that has a commit. The status is the backend's, or says that
 * there is none. */
static grove_status find_commit(grove__survey *survey, uint64_t commit,
                                grove_bytes *key_out, grove_bytes *value_out)
{
    grove__cursor cursor;
    grove__key behind;
    grove__key_of_commit(&behind, commit);
    behind.bytes[behind.size++] = 0;
    grove_status status =
        grove__cursor_open(survey->txn, GROVE__TABLE_COMMITS, &cursor, &survey->error);
    if (status == GROVE_OK) {
        status = grove__cursor_seek(&cursor, GROVE_SEEK_BEFORE, grove__key_view(&behind),
                                    key_out, value_out, &survey->error);
        grove__cursor_close(&cursor);
    }
    return status;
}

/* Reads the entry. GROVE_NONE: it does not have the commit. */
static grove_status read_commits(grove__survey *survey, uint64_t commit, grove_bytes key,
                                 grove_bytes value, grove__commits *commits)
{
    uint64_t first = 0;
    grove_status status = grove__key_parse_commit(key, &first, &survey->error);
    if (status == GROVE_OK) {
        status = grove__commits_read(first, value, commits, &survey->error);
    }
    return status == GROVE_OK && commit - first >= grove__commits_count(commits)
               ? GROVE_NONE
               : status;
}

/* Whether one of the commits that were read took the document to the clock. */
static bool has_touch(const grove__survey *survey, const grove__commits *commits,
                      const grove__commit_clock *item)
{
    const grove__touch *touch = grove__commits_touches(commits);
    for (uint64_t before = commits->first; before < item->commit; before++) {
        touch += grove__commits_entries(commits)[before - commits->first].touch_count;
    }
    size_t left =
        grove__commits_entries(commits)[item->commit - commits->first].touch_count;
    for (; left > 0; left--, touch++) {
        if (touch->kind == GROVE__TOUCH_DOCUMENT && touch->count > 0 &&
            grove__bytes_equal(touch->name, survey->id) &&
            touch->first_clock + touch->count == item->clock) {
            return true;
        }
    }
    return false;
}

/* Compares the first commit of a row, if it still is stored. */
static grove_status check_first(grove__survey *survey, const grove__commit_clock *first,
                                grove_bytes row)
{
    grove_bytes key;
    grove_bytes value;
    grove_status status = find_commit(survey, first->commit, &key, &value);
    if (status != GROVE_OK) {
        return status == GROVE_NONE
                   ? GROVE_OK
                   : grove__survey_judge(survey, status, GROVE_FINDING_UNREADABLE,
                                         GROVE__TABLE_COMMITS, (grove_bytes){NULL, 0});
    }
    grove__commits commits;
    grove__commits_init(&commits, survey->store->allocator);
    status = read_commits(survey, first->commit, key, value, &commits);
    if (status != GROVE_OK) {
        status = pass_over(status);
    } else if (!has_touch(survey, &commits, first)) {
        status = grove__fail(&survey->error, GROVE_CORRUPT,
                             "commit %llu did not take the document to clock %llu",
                             (unsigned long long)first->commit,
                             (unsigned long long)first->clock);
        status = grove__survey_judge(survey, status, GROVE_FINDING_CLOCKS,
                                     GROVE__TABLE_CLOCKS, row);
    }
    grove__commits_release(&commits);
    return status;
}

/* Takes a row in, which goes on where the one before it ended. */
static grove_status take_row(grove__survey *survey, grove__table table, grove_bytes key,
                             grove_bytes value)
{
    uint64_t first = 0;
    if (key.size == survey->prefix.size + NUMBER_BYTES) {
        first = grove_read_u64(key.data + survey->prefix.size);
    }
    if (first == 0) {
        grove_status status = grove__fail(&survey->error, GROVE_CORRUPT,
                                          "a row of clocks has a key without a commit");
        return grove__survey_judge(survey, status, GROVE_FINDING_KEY, table, key);
    }
    grove_buffer_reset(&survey->scratch);
    grove_status status =
        grove__clock_row_decode(first, value, &survey->scratch, &survey->error);
    if (status != GROVE_OK) {
        return grove__survey_judge(survey, status, GROVE_FINDING_CLOCKS, table, key);
    }
    const grove__commit_clock *items =
        (const grove__commit_clock *)(const void *)survey->scratch.data;
    grove__commit_clock before = survey->newest_clock;
    survey->newest_clock = items[survey->scratch.size / sizeof *items - 1];
    if (items[0].commit <= before.commit || items[0].clock < before.clock) {
        status =
            grove__fail(&survey->error, GROVE_CORRUPT,
                        "the row of commit %llu does not go on where the one before "
                        "it ended, at commit %llu",
                        (unsigned long long)first, (unsigned long long)before.commit);
        return grove__survey_judge(survey, status, GROVE_FINDING_CLOCKS, table, key);
    }
    return check_first(survey, &items[0], key);
}

/* Whether the clocks stay within the events. A commit that has not aged may
 * have made the document anew: then they are those of the one before. */
static grove_status check_clock(grove__survey *survey, uint64_t aged)
{
    uint64_t clock = survey->newest_clock.clock;
    if (clock <= survey->meta.events) {
        return GROVE_OK;
    }
    grove__clock_look look = {.document = survey->id, .commit = UINT64_MAX};
    grove_status status = grove__clock_look_at_records(
        &look, survey->txn, survey->store->allocator, aged, &survey->error);
    if (status != GROVE_OK || look.made != 0) {
        return pass_over(status);
    }
    return report(survey, grove__fail(&survey->error, GROVE_CORRUPT,
                                      "commits took the document to clock %llu, and it "
                                      "has %llu events",
                                      (unsigned long long)clock,
                                      (unsigned long long)survey->meta.events));
}

grove_status grove__survey_check_clocks(grove__survey *survey)
{
    grove__aging_record aging;
    grove_status status = grove__survey_each_row(survey, GROVE__TABLE_CLOCKS, take_row);
    if (status != GROVE_OK || survey->is_unreadable || survey->newest_clock.commit == 0) {
        return status;
    }
    bool is_known;
    status = grove__survey_read_aging(survey->txn, &aging, &is_known, &survey->error);
    if (status != GROVE_OK) {
        return grove__survey_judge(survey, status, GROVE_FINDING_UNREADABLE,
                                   GROVE__TABLE_STORE, (grove_bytes){NULL, 0});
    }
    if (!is_known || aging.aged == 0) {
        /* That there are clocks all the same is found with the commits. */
        return GROVE_OK;
    }
    if (survey->newest_clock.commit > aging.aged) {
        return report(survey,
                      grove__fail(&survey->error, GROVE_CORRUPT,
                                  "there is a clock of commit %llu, and commits have "
                                  "aged up to %llu",
                                  (unsigned long long)survey->newest_clock.commit,
                                  (unsigned long long)aging.aged));
    }
    return check_clock(survey, aging.aged);
}
