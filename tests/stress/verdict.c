#include "verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"

typedef struct verdict {
    stress_board *board;
    grove_store *store;
    ledger_record *records;
    size_t count;
    ledger_record **sorted; /* pointers to them, for one purpose or another */
} verdict;

static void *take_memory(stress_board *board, size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    if (memory == NULL) {
        stress_fail(board, "out of memory");
    }
    return memory;
}

/* What came of what was intended */

/* One that nobody knows the end of, before the next of the same author: that
 * one was made knowing. */
static void settle(stress_board *board, ledger_record *open, const ledger_record *next)
{
    if (next->number == open->number) {
        open->kind = LEDGER_FAILED;
    } else if (next->number == open->number + open->count) {
        open->kind = LEDGER_STORED;
    } else {
        stress_fail(board,
                    "author %u goes on in document %u with event %u, after %u to %u",
                    next->author, next->document, next->number, open->number,
                    open->number + open->count);
    }
}

static size_t subject_of(const ledger_record *record)
{
    switch (record->what) {
    case LEDGER_EVENTS:
        return (size_t)record->document * AUTHORS_MAX + record->author;
    case LEDGER_DELETION:
        return (size_t)DOCUMENTS_MAX * AUTHORS_MAX + record->document;
    default:
        return (size_t)DOCUMENTS_MAX * (AUTHORS_MAX + 1) +
               (size_t)record->author * GROUPS + record->document;
    }
}

/* Leaves of each call one record that counts: acknowledged, stored, unknown. */
static void pair_records(verdict *work)
{
    size_t subjects =
        (size_t)DOCUMENTS_MAX * (AUTHORS_MAX + 1) + (size_t)AUTHORS_MAX * GROUPS;
    ledger_record **open = take_memory(work->board, subjects, sizeof(ledger_record *));
    for (size_t index = 0; index < work->count; index++) {
        ledger_record *record = &work->records[index];
        ledger_record **before = &open[subject_of(record)];
        if (record->kind != LEDGER_INTENDED) {
            /* Told its end: the record of that stands for both. */
            if (*before != NULL) {
                (*before)->kind = LEDGER_FAILED;
            }
            *before = NULL;
            continue;
        }
        if (*before != NULL && record->what == LEDGER_EVENTS) {
            settle(work->board, *before, record);
        } else if (*before != NULL) {
            (*before)->kind = LEDGER_UNKNOWN;
        }
        *before = record;
    }
    for (size_t subject = 0; subject < subjects; subject++) {
        if (open[subject] != NULL) {
            open[subject]->kind = LEDGER_UNKNOWN;
        }
    }
    free(open);
}

/* Documents */

static int compare_documents(const void *left, const void *right)
{
    const ledger_record *a = *(ledger_record *const *)left;
    const ledger_record *b = *(ledger_record *const *)right;
    if (a->document != b->document) {
        return a->document < b->document ? -1 : 1;
    }
    return a < b ? -1 : a > b; /* in the order of time */
}

static void judge_documents(verdict *work)
{
    size_t count = 0;
    for (size_t index = 0; index < work->count; index++) {
        ledger_record *record = &work->records[index];
        if (record->what != LEDGER_GROUP && record->kind != LEDGER_FAILED) {
            work->sorted[count++] = record;
        }
    }
    qsort(work->sorted, count, sizeof *work->sorted, compare_documents);
    for (size_t begin = 0; begin < count;) {
        size_t end = begin;
        uint32_t document = work->sorted[begin]->document;
        while (end < count && work->sorted[end]->document == document) {
            end++;
        }
        verdict_document(work->board, work->store, document, work->sorted + begin,
                         end - begin);
        begin = end;
    }
}

/* Groups */

static void judge_group(verdict *work, uint32_t author, uint32_t which)
{
    stress_board *board = work->board;
    const stress_mark *mark = &board->groups[author][which];
    uint32_t acked = atomic_load(&mark->acked);
    uint32_t intended = atomic_load(&mark->intended);
    char name[32];
    grove_error error;
    grove_bytes state;
    stress_label label = {0};
    if (intended == 0) {
        return;
    }
    (void)snprintf(name, sizeof name, "group-%u-%u", author, which);
    grove_status status =
        grove_group_load(work->store, grove_bytes_of(name), &state, &error);
    (void)stress_answer(board, CALL_GROUP_LOAD, WHEN_ANY, status, &error);
    if (status == GROVE_OK) {
        bool is_whole = payload_parse(state, &label);
        grove_bytes_free(work->store, state);
        if (!is_whole || label.author != author || label.document != which) {
            stress_fail(board, "the state of group %s is not what was saved", name);
        }
    }
    bool may_be_none = acked % 4 == 0 || intended % 4 == 0;
    if (status == GROVE_NONE ? !may_be_none
                             : label.number != acked && label.number != intended) {
        stress_fail(board, "group %s has version %u, not %u or %u", name, label.number,
                    acked, intended);
    }
}

/* Commits */

static int compare_commits(const void *left, const void *right)
{
    const ledger_record *a = *(ledger_record *const *)left;
    const ledger_record *b = *(ledger_record *const *)right;
    if (a->commit != b->commit) {
        return a->commit < b->commit ? -1 : 1;
    }
    return a->call < b->call ? -1 : a->call > b->call;
}

static int compare_calls(const void *left, const void *right)
{
    const ledger_record *a = *(ledger_record *const *)left;
    const ledger_record *b = *(ledger_record *const *)right;
    return a->call < b->call ? -1 : a->call > b->call;
}

/* Sorts the records of one kind, or another, by what `compare` says. */
static size_t gather(verdict *work, ledger_kind kind, ledger_kind or_kind,
                     int (*compare)(const void *, const void *))
{
    size_t count = 0;
    for (size_t index = 0; index < work->count; index++) {
        ledger_record *record = &work->records[index];
        if (record->kind == kind || record->kind == or_kind) {
            work->sorted[count++] = record;
        }
    }
    qsort(work->sorted, count, sizeof *work->sorted, compare);
    return count;
}

/* Calls that were not acknowledged: how many have stored something for sure,
 * and how many may have. */
static void count_silent(verdict *work, uint64_t *stored_out, uint64_t *unknown_out)
{
    size_t count = gather(work, LEDGER_STORED, LEDGER_UNKNOWN, compare_calls);
    *stored_out = 0;
    *unknown_out = 0;
    for (size_t index = 0; index < count;) {
        uint64_t call = work->sorted[index]->call;
        bool is_stored = false;
        for (; index < count && work->sorted[index]->call == call; index++) {
            is_stored = is_stored || work->sorted[index]->kind == LEDGER_STORED;
        }
        *(is_stored ? stored_out : unknown_out) += 1;
    }
}

/* Acknowledged commits: none was given to two calls. */
static uint64_t count_given(verdict *work, uint64_t newest)
{
    uint64_t given = 0;
    uint64_t last = 0;
    uint64_t last_call = 0;
    size_t count = gather(work, LEDGER_ACKED, LEDGER_ACKED, compare_commits);
    for (size_t index = 0; index < count; index++) {
        const ledger_record *record = work->sorted[index];
        if (record->commit == last && record->call != last_call) {
            stress_fail(work->board, "commit %llu was acknowledged twice",
                        (unsigned long long)last);
        }
        given += record->commit != last ? 1 : 0;
        last = record->commit;
        last_call = record->call;
    }
    if (last > newest) {
        stress_fail(work->board, "commit %llu was acknowledged, and the store is at %llu",
                    (unsigned long long)last, (unsigned long long)newest);
    }
    verdict_feed(work->board, work->store, work->sorted, count, newest);
    return given;
}

/* Numbers from 1 to the newest: each was given out once, or to a call whose
 * process did not live to say so. */
static void judge_commits(verdict *work)
{
    grove_error error;
    uint64_t newest = 0;
    uint64_t stored;
    uint64_t unknown;
    grove_status status = grove_store_commit(work->store, &newest, &error);
    (void)stress_answer(work->board, CALL_STORE_COMMIT, WHEN_ANY, status, &error);
    uint64_t given = count_given(work, newest);
    count_silent(work, &stored, &unknown);
    if (newest < given + stored || newest > given + stored + unknown) {
        stress_fail(work->board,
                    "the store is at commit %llu; %llu were acknowledged, %llu are "
                    "stored besides, of %llu nobody knows",
                    (unsigned long long)newest, (unsigned long long)given,
                    (unsigned long long)stored, (unsigned long long)unknown);
    }
    (void)printf("  %llu commits: %llu acknowledged, %llu by calls that were cut short\n",
                 (unsigned long long)newest, (unsigned long long)given,
                 (unsigned long long)(newest - given));
}

void verdict_run(stress_board *board, grove_store *store)
{
    verdict work = {.board = board, .store = store};
    work.records = ledger_read(board, &work.count);
    work.sorted = take_memory(board, work.count, sizeof *work.sorted);
    pair_records(&work);
    judge_documents(&work);
    for (uint32_t author = 0; author < AUTHORS_MAX; author++) {
        for (uint32_t which = 0; which < GROUPS; which++) {
            judge_group(&work, author, which);
        }
    }
    judge_commits(&work);
    verdict_verify(board, store);
    free(work.sorted);
    free(work.records);
}
