#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "replicas.h"
#include "verdict.h"
#include "view.h"

/* A stored event, as the document gave it. */
typedef struct found_event {
    uint64_t sum; /* of the hashes of this replica's events up to it */
    uint64_t clock;
} found_event;

typedef struct found_replica {
    found_event *events;
    uint64_t count;
    uint64_t room;
} found_replica;

typedef struct judgement {
    stress_board *board;
    uint32_t index;
    bool is_text;
    bool has_events; /* all of its history was read, not only how much it is */
    uint64_t events;
    replicas known; /* the number is how many events, or index + 1 of `found` */
    found_replica *found;
    size_t found_count;
} judgement;

static found_replica *find_replica(judgement *work, const grove_replica *replica)
{
    uint64_t *number = replicas_next(&work->known, replica);
    if (*number == 0) {
        size_t bytes = (work->found_count + 1) * sizeof *work->found;
        found_replica *larger = realloc(work->found, bytes);
        if (larger == NULL) {
            stress_fail(work->board, "out of memory");
        }
        work->found = larger;
        work->found[work->found_count++] = (found_replica){NULL, 0, 0};
        *number = work->found_count;
    }
    return &work->found[*number - 1];
}

static void add_event(judgement *work, found_replica *replica, uint64_t hash,
                      uint64_t clock)
{
    if (replica->count == replica->room) {
        replica->room = 2 * replica->room + 8;
        found_event *larger =
            realloc(replica->events, replica->room * sizeof *replica->events);
        if (larger == NULL) {
            stress_fail(work->board, "out of memory");
        }
        replica->events = larger;
    }
    uint64_t sum = replica->count > 0 ? replica->events[replica->count - 1].sum : 0;
    replica->events[replica->count++] = (found_event){sum + hash, clock};
}

/* The hash of the run's event with this offset; moves over what it reads. */
static uint64_t next_hash(const judgement *work, uint64_t sequence,
                          const grove_operation *operation, grove_bytes *content)
{
    if (!work->is_text) {
        return event_hash_payload(sequence, operation->content);
    }
    if (operation->kind != GROVE_TEXT_INSERT) {
        return event_hash_deletion(sequence);
    }
    size_t bytes = 1;
    while (bytes < content->size && (content->data[bytes] & 0xc0) == 0x80) {
        bytes++;
    }
    grove_bytes point = {content->data, bytes};
    content->data += bytes;
    content->size -= bytes;
    return event_hash_insertion(sequence, point);
}

static bool take_run(void *context, uint64_t clock, const grove_event_run *run)
{
    judgement *work = context;
    found_replica *replica = find_replica(work, &run->first.replica);
    grove_bytes content = run->operation.content;
    if (run->first.sequence != replica->count || clock != work->events) {
        stress_fail(
            work->board,
            "document %u: at clock %llu, after %llu events, a replica goes on "
            "with sequence %llu, and had %llu",
            work->index, (unsigned long long)clock, (unsigned long long)work->events,
            (unsigned long long)run->first.sequence, (unsigned long long)replica->count);
    }
    for (uint32_t offset = 0; offset < run->operation.count; offset++) {
        uint64_t hash = next_hash(work, replica->count, &run->operation, &content);
        add_event(work, replica, hash, clock + offset);
    }
    work->events += run->operation.count;
    return true;
}

static void read_history(judgement *work, grove_document *document)
{
    grove_error error;
    grove_version_vector vector;
    grove_status status = GROVE_OK;
    if (work->has_events) {
        status = grove_document_events(document, 0, take_run, work, &error);
        (void)stress_answer(work->board, CALL_EVENTS, WHEN_ANY, status, &error);
        return;
    }
    status = grove_document_version_vector(document, &vector, &error);
    (void)stress_answer(work->board, CALL_VERSION, WHEN_ANY, status, &error);
    for (size_t index = 0; index < vector.count; index++) {
        *replicas_next(&work->known, &vector.entries[index].replica) =
            vector.entries[index].sequence;
        work->events += vector.entries[index].sequence;
    }
}

/* How many events of the record are there, by their ids. */
static uint64_t count_present(judgement *work, const ledger_record *record)
{
    grove_replica replica = {.size = record->replica_bytes};
    memcpy(replica.bytes, record->replica, sizeof record->replica);
    uint64_t number = *replicas_next(&work->known, &replica);
    uint64_t count = number;
    if (work->has_events && number > 0) {
        count = work->found[number - 1].count;
    }
    uint64_t after = count > record->sequence ? count - record->sequence : 0;
    return after < record->events ? after : record->events;
}

/* Those that are there: the very ones. */
static void check_events(judgement *work, const ledger_record *record)
{
    grove_replica replica = {.size = record->replica_bytes};
    memcpy(replica.bytes, record->replica, sizeof record->replica);
    const found_replica *found = &work->found[*replicas_next(&work->known, &replica) - 1];
    const found_event *last = &found->events[record->sequence + record->events - 1];
    uint64_t before = record->sequence > 0 ? found->events[record->sequence - 1].sum : 0;
    if (last->sum - before != record->event_sum) {
        stress_fail(work->board,
                    "document %u: events %u and on of author %u are not what was saved",
                    work->index, record->number, record->author);
    }
    for (uint64_t event = 0; record->kind == LEDGER_ACKED && event < record->events;
         event++) {
        uint64_t clock = found->events[record->sequence + event].clock;
        if (clock < record->first_clock ||
            clock >= record->first_clock + record->saved_events) {
            stress_fail(work->board,
                        "document %u: an event of author %u was acknowledged at another "
                        "clock than it has",
                        work->index, record->author);
        }
    }
}

/* Finds out what became of the unknown ones, and compares what is there. */
static void judge_events(judgement *work, const stress_view *view,
                         ledger_record **records, size_t count)
{
    stress_view expected;
    uint64_t events = 0;
    memset(&expected, 0, sizeof expected);
    for (size_t index = 0; index < count; index++) {
        ledger_record *record = records[index];
        if (record->what != LEDGER_EVENTS) {
            continue;
        }
        uint64_t present = count_present(work, record);
        if (present == 0 && record->kind == LEDGER_UNKNOWN) {
            record->kind = LEDGER_FAILED;
            continue;
        }
        if (present != record->events) {
            stress_fail(work->board,
                        "document %u: of %u events of author %u, %s, %llu are there",
                        work->index, record->events, record->author,
                        record->kind == LEDGER_UNKNOWN ? "saved by a call without an end"
                                                       : "acknowledged",
                        (unsigned long long)present);
        }
        record->kind = record->kind == LEDGER_ACKED ? LEDGER_ACKED : LEDGER_STORED;
        if (work->has_events) {
            check_events(work, record);
        }
        events += record->events;
        expected.made[record->author] += record->count;
        expected.gone[record->author] += record->gone_count;
        expected.sums[record->author] += record->content_sum;
    }
    if (events != work->events) {
        stress_fail(work->board, "document %u has %llu events; %llu were saved",
                    work->index, (unsigned long long)work->events,
                    (unsigned long long)events);
    }
    for (uint32_t author = 0; author < AUTHORS_MAX; author++) {
        if (expected.made[author] != view->made[author] ||
            expected.gone[author] != view->gone[author] ||
            (!work->is_text && expected.sums[author] != view->sums[author])) {
            stress_fail(work->board,
                        "document %u shows %u events of author %u, %u deleted; %u were "
                        "saved, %u deletions",
                        work->index, view->made[author], author, view->gone[author],
                        expected.made[author], expected.gone[author]);
        }
    }
}

/* In the order of their commits, saves lie one after the other. */
static void check_clocks(judgement *work, ledger_record **records, size_t count)
{
    uint64_t end = 0;
    uint64_t commit = 0;
    for (size_t index = 0; index < count; index++) {
        const ledger_record *record = records[index];
        if (record->what != LEDGER_EVENTS || record->kind != LEDGER_ACKED) {
            continue;
        }
        if (record->commit != commit && record->first_clock < end) {
            stress_fail(work->board,
                        "document %u: commit %llu ended at clock %llu, commit %llu after "
                        "it began at %llu",
                        work->index, (unsigned long long)commit, (unsigned long long)end,
                        (unsigned long long)record->commit,
                        (unsigned long long)record->first_clock);
        }
        commit = record->commit;
        end = record->first_clock + record->saved_events;
    }
}

/* The commit that deleted the document; 0: none did, for all we know. */
static uint64_t check_deletion(stress_board *board, ledger_record **records, size_t count)
{
    uint64_t deleted = 0;
    for (size_t index = 0; index < count; index++) {
        if (records[index]->what == LEDGER_DELETION &&
            records[index]->kind == LEDGER_ACKED) {
            deleted = records[index]->commit;
        }
    }
    for (size_t index = 0; deleted > 0 && index < count; index++) {
        const ledger_record *record = records[index];
        if (record->kind == LEDGER_ACKED && record->commit > deleted) {
            stress_fail(board,
                        "commit %llu saved to document %u, which commit %llu deleted",
                        (unsigned long long)record->commit, record->document,
                        (unsigned long long)deleted);
        }
    }
    return deleted;
}

static int compare_commits(const void *left, const void *right)
{
    const ledger_record *a = *(ledger_record *const *)left;
    const ledger_record *b = *(ledger_record *const *)right;
    return a->commit < b->commit ? -1 : a->commit > b->commit;
}

static void judge_loaded(judgement *work, grove_document *document,
                         ledger_record **records, size_t count)
{
    stress_view view;
    replicas_init(&work->known, work->board);
    view_read(work->board, document, work->is_text, &view);
    if (view.document != work->index) {
        stress_fail(work->board, "document %u is in the place of document %u",
                    view.document, work->index);
    }
    if (grove_document_damaged_snapshots(document) > 0) {
        stress_fail(work->board, "document %u has a damaged snapshot", work->index);
    }
    read_history(work, document);
    judge_events(work, &view, records, count);
    qsort(records, count, sizeof *records, compare_commits);
    check_clocks(work, records, count);
    for (size_t index = 0; index < work->found_count; index++) {
        free(work->found[index].events);
    }
    free(work->found);
    replicas_release(&work->known);
}

void verdict_document(stress_board *board, grove_store *store, uint32_t index,
                      ledger_record **records, size_t count)
{
    const stress_document *about = &board->documents[index];
    grove_error error;
    grove_document *document = NULL;
    bool may_be_gone = true;
    for (size_t each = 0; each < count; each++) {
        may_be_gone = may_be_gone && records[each]->kind == LEDGER_UNKNOWN;
    }
    for (size_t each = 0; each < count; each++) {
        may_be_gone = may_be_gone || records[each]->what == LEDGER_DELETION;
    }
    bool is_followed = stress_place_document(board, about->place) != index;
    if (check_deletion(board, records, count) > 0 ||
        (about->is_deletable && is_followed)) {
        return; /* at its id is what came after it, or nothing */
    }
    grove_status status =
        grove_document_load(store, grove_bytes_of(about->id), NULL, &document, &error);
    (void)stress_answer(board, CALL_LOAD, may_be_gone ? WHEN_DELETABLE : WHEN_ANY, status,
                        &error);
    if (status == GROVE_OK) {
        judgement work = {.board = board,
                          .index = index,
                          .is_text = about->is_text,
                          .has_events = !about->is_compacted};
        judge_loaded(&work, document, records, count);
        grove_document_close(document);
    }
}
