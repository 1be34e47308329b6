/* The feed against what was acknowledged: each commit is in it, in its place,
 * and tells of what it was acknowledged for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grove/feed.h>

#include "verdict.h"

enum { COMMITS_AT_ONCE = 1000 };

typedef struct feed_work {
    stress_board *board;
    ledger_record **records; /* acknowledged ones, by their commits */
    size_t count;
    size_t index;    /* of the next */
    uint64_t number; /* of the last commit that was given */
} feed_work;

/* What a record's commit has to have touched. */
static grove_feed_touch touch_of(const stress_board *board, const ledger_record *record,
                                 char *name, size_t size)
{
    grove_feed_touch touch = {.kind = GROVE_FEED_DOCUMENT};
    if (record->what == LEDGER_GROUP) {
        touch.kind = GROVE_FEED_GROUP;
        (void)snprintf(name, size, "group-%u-%u", record->author, record->document);
    } else {
        (void)snprintf(name, size, "%s", board->documents[record->document].id);
    }
    touch.name = grove_bytes_of(name);
    touch.first_clock = record->first_clock;
    touch.count = record->saved_events;
    return touch;
}

static bool is_touched(const grove_feed_commit *commit, const grove_feed_touch *wanted)
{
    for (size_t index = 0; index < commit->touch_count; index++) {
        const grove_feed_touch *touch = &commit->touches[index];
        if (touch->kind == wanted->kind && touch->first_clock == wanted->first_clock &&
            touch->count == wanted->count && touch->name.size == wanted->name.size &&
            memcmp(touch->name.data, wanted->name.data, wanted->name.size) == 0) {
            return true;
        }
    }
    return false;
}

static bool take_commit(void *context, const grove_feed_commit *commit)
{
    feed_work *work = context;
    if (commit->number != work->number + 1) {
        stress_fail(work->board, "the feed has commit %llu after commit %llu",
                    (unsigned long long)commit->number, (unsigned long long)work->number);
    }
    work->number = commit->number;
    for (; work->index < work->count &&
           work->records[work->index]->commit <= commit->number;
         work->index++) {
        const ledger_record *record = work->records[work->index];
        char name[48];
        grove_feed_touch wanted = touch_of(work->board, record, name, sizeof name);
        if (record->commit == commit->number && !is_touched(commit, &wanted)) {
            stress_fail(work->board,
                        "the feed does not tell of commit %llu that it is of %s",
                        (unsigned long long)commit->number, name);
        }
    }
    return true;
}

void verdict_feed(stress_board *board, grove_store *store, ledger_record **records,
                  size_t count, uint64_t newest)
{
    grove_feed_result read = {.commits = 1};
    feed_work work = {.board = board, .records = records, .count = count};
    const grove_feed_token *from = NULL;
    while (read.commits > 0) {
        grove_error error;
        grove_status status = grove_feed_read(store, from, COMMITS_AT_ONCE, take_commit,
                                              &work, &read, &error);
        (void)stress_answer(board, CALL_FEED, WHEN_ANY, status, &error);
        from = &read.next;
    }
    if (work.number != newest) {
        stress_fail(board, "the feed ends with commit %llu, the store is at %llu",
                    (unsigned long long)work.number, (unsigned long long)newest);
    }
}
