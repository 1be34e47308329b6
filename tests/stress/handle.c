#include "handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"

enum { LINES_KEPT = 6 };

static stress_mark *made_mark(const stress_handle *handle, uint32_t author)
{
    return &handle->worker->board->made[handle->index][author];
}

static stress_mark *gone_mark(const stress_handle *handle, uint32_t author)
{
    return &handle->worker->board->gone[handle->index][author];
}

static bool is_text(const stress_handle *handle)
{
    return handle->worker->board->documents[handle->index].is_text;
}

/* Opening */

/* What a call that was under way when its process was killed came to: all of it
 * or nothing. */
static void resolve_mark(stress_handle *handle, stress_mark *mark, uint32_t shown,
                         uint32_t author)
{
    uint32_t acked = atomic_load(&mark->acked);
    uint32_t intended = atomic_load(&mark->intended);
    if (shown != acked && shown != intended) {
        stress_fail(handle->worker->board,
                    "document %u shows %u events of author %u: neither the %u that are "
                    "acknowledged nor all of the %u that were intended",
                    handle->index, shown, author, acked, intended);
    }
    atomic_store(&mark->acked, shown);
    atomic_store(&mark->intended, shown);
}

static void resolve_own(stress_handle *handle)
{
    uint32_t first = handle->worker->first_author;
    for (uint32_t author = first; author < first + AUTHORS_OF_THREAD; author++) {
        resolve_mark(handle, made_mark(handle, author), handle->view.made[author],
                     author);
        resolve_mark(handle, gone_mark(handle, author), handle->view.gone[author],
                     author);
    }
}

/* Whether what was loaded is at its place, and not something older. */
static void find_index(stress_handle *handle)
{
    stress_board *board = handle->worker->board;
    uint32_t found = handle->view.document;
    if (found == NO_DOCUMENT || found == handle->index) {
        return;
    }
    if (found >= DOCUMENTS_MAX || found < handle->index ||
        board->documents[found].place != board->documents[handle->index].place) {
        stress_fail(board, "document %u is where document %u was made", found,
                    handle->index);
    }
    /* Made anew between the look at the board and the load. */
    handle->index = found;
    memset(&handle->floor, 0, sizeof handle->floor);
}

static grove_status open_document(stress_handle *handle, grove_store *store,
                                  bool may_begin, bool is_named)
{
    stress_worker *self = handle->worker;
    const stress_document *about = &self->board->documents[handle->index];
    grove_error error;
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = about->is_text ? grove_type_text() : grove_type_opaque();
    options.level = 1;
    options.policy.events_min = 50 + worker_below(self, 1000);
    options.policy.cost_percent = worker_below(self, 50);
    if (is_named) {
        int size =
            snprintf((char *)options.replica.bytes, 16, "author-%u", handle->author);
        options.replica.size = (uint8_t)size;
    }
    stress_call call = may_begin ? CALL_OPEN : CALL_LOAD;
    grove_bytes id = grove_bytes_of(about->id);
    worker_begins(self, call);
    grove_status status =
        may_begin ? grove_document_open(store, id, &options, &handle->document, &error)
                  : grove_document_load(store, id, &options, &handle->document, &error);
    uint32_t when = handle->when;
    if (status == GROVE_NONE && handle->view.document == NO_DOCUMENT) {
        /* Nobody has saved to it yet, or who did has not been told. */
        bool is_begun = false;
        for (uint32_t author = 0; author < AUTHORS_MAX; author++) {
            is_begun = is_begun || handle->floor.made[author] > 0;
        }
        when |= is_begun && !atomic_load(&about->is_being_deleted) ? 0 : WHEN_DELETABLE;
    }
    return worker_answer(self, call, when, status, &error);
}

stress_handle *handle_open(stress_worker *self, grove_store *store, uint32_t place,
                           uint32_t author, bool may_begin, bool is_named)
{
    stress_board *board = self->board;
    stress_handle *handle = calloc(1, sizeof *handle);
    if (handle == NULL) {
        stress_fail(board, "out of memory");
    }
    handle->worker = self;
    handle->author = author;
    handle->index = stress_place_document(board, place);
    handle->view.document = NO_DOCUMENT;
    const stress_document *about = &board->documents[handle->index];
    handle->when = self->when | (about->is_compacted ? WHEN_COMPACTED : 0) |
                   (about->is_text ? 0 : WHEN_OPAQUE);
    floor_take(board, handle->index, &handle->floor);
    if (open_document(handle, store, may_begin, is_named) == GROVE_NONE) {
        free(handle);
        return NULL;
    }
    handle->when |= about->is_deletable ? WHEN_DELETABLE : 0;
    view_read(board, handle->document, about->is_text, &handle->view);
    find_index(handle);
    bool may_be_gone = atomic_load(&board->documents[handle->index].is_being_deleted);
    if (may_begin && may_be_gone && handle->view.document == NO_DOCUMENT) {
        /* A new one, in place of one that is deleted; a save makes it. */
        return handle;
    }
    view_check(board, &handle->view, handle->index, &handle->floor, self->first_author);
    resolve_own(handle);
    return handle;
}

void handle_close(stress_handle *handle)
{
    if (handle != NULL) {
        grove_document_close(handle->document);
        free(handle);
    }
}

/* Reading */

/* Exactly what the author saved, and made since. */
static void check_author(const stress_handle *handle, uint32_t author,
                         const ledger_record *unsaved)
{
    uint32_t made = atomic_load(&made_mark(handle, author)->acked) + unsaved->count;
    uint32_t gone = atomic_load(&gone_mark(handle, author)->acked) + unsaved->gone_count;
    if (handle->view.made[author] != made || handle->view.gone[author] != gone) {
        stress_fail(handle->worker->board,
                    "a handle of document %u shows %u events and %u deletions of its own "
                    "author %u, not %u and %u",
                    handle->index, handle->view.made[author], handle->view.gone[author],
                    author, made, gone);
    }
}

void handle_read(stress_handle *handle)
{
    view_read(handle->worker->board, handle->document, is_text(handle), &handle->view);
    check_author(handle, handle->author, &handle->own);
    if (handle->merged.events > 0) {
        check_author(handle, handle->merged.author, &handle->merged);
    }
}

bool handle_refresh(stress_handle *handle)
{
    stress_worker *self = handle->worker;
    grove_error error;
    floor_take(self->board, handle->index, &handle->floor);
    worker_begins(self, CALL_REFRESH);
    grove_status status = grove_document_refresh(handle->document, NULL, &error);
    if (worker_answer(self, CALL_REFRESH, handle->when, status, &error) == GROVE_NONE) {
        return false;
    }
    handle_read(handle);
    view_check(self->board, &handle->view, handle->index, &handle->floor,
               self->first_author);
    return true;
}

/* Making */

void record_begin(ledger_record *record, uint32_t author, uint32_t index, uint32_t number,
                  uint32_t gone, const grove_document *document)
{
    grove_event_id id = grove_document_replica(document);
    memset(record, 0, sizeof *record);
    record->what = LEDGER_EVENTS;
    record->author = author;
    record->document = index;
    record->number = number;
    record->gone = gone;
    record->replica_bytes = id.replica.size;
    memcpy(record->replica, id.replica.bytes, sizeof record->replica);
    record->sequence = id.sequence;
}

/* A label for the record's next event, with a cause that the view has. */
static stress_label next_label(stress_worker *self, const ledger_record *record,
                               const stress_view *view)
{
    uint32_t number = record->number + record->count;
    stress_label label = {record->document, record->author, number, record->author,
                          number};
    uint32_t begin = worker_below(self, AUTHORS_MAX);
    for (uint32_t step = 0; step < AUTHORS_MAX; step++) {
        uint32_t author = (begin + step) % AUTHORS_MAX;
        if (view->made[author] > 0 && author != record->author) {
            label.cause_author = author;
            label.cause_number = view->made[author] - 1;
            break;
        }
    }
    return label;
}

static void answer_make(stress_worker *self, grove_status status,
                        const grove_error *error)
{
    (void)worker_answer(self, CALL_MAKE, WHEN_ANY, status, error);
}

static void make_payload(stress_worker *self, grove_document *document,
                         const stress_view *view, ledger_record *record)
{
    uint8_t payload[PAYLOAD_BYTES_MAX];
    grove_error error;
    stress_label label = next_label(self, record, view);
    size_t size = PAYLOAD_BYTES_MIN;
    size += worker_below(
        self, worker_has_chance(self, 3) ? PAYLOAD_BYTES_MAX - PAYLOAD_BYTES_MIN : 100);
    payload_make(&label, size, payload);
    grove_bytes bytes = {payload, size};
    worker_begins(self, CALL_MAKE);
    answer_make(self, grove_opaque_append(document, bytes, &error), &error);
    record->event_sum += event_hash_payload(record->sequence + record->events, bytes);
    record->content_sum += stress_hash(payload, size, 0);
    record->events++;
    record->count++;
}

/* Lines that are typed one after the other are one insertion now and then. */
static void make_lines(stress_worker *self, grove_document *document,
                       const stress_view *view, uint32_t count, ledger_record *record)
{
    enum { AT_ONCE_MAX = 16 };
    char lines[AT_ONCE_MAX * LINE_BYTES_MAX];
    grove_error error;
    while (count > 0) {
        size_t bytes = 0;
        uint32_t at_once =
            1 + worker_below(self, count < AT_ONCE_MAX ? count : AT_ONCE_MAX);
        at_once = at_once > count ? count : at_once;
        count -= at_once;
        for (uint32_t line = 0; line < at_once; line++) {
            stress_label label = next_label(self, record, view);
            bytes += line_make(&label, lines + bytes);
            record->count++;
        }
        uint64_t length = 0;
        answer_make(self, grove_text_length(document, &length, NULL, &error), &error);
        uint64_t position =
            (test_random_next(&self->random) % (length / LINE_POINTS + 1)) * LINE_POINTS;
        grove_bytes utf8 = {(const uint8_t *)lines, bytes};
        worker_begins(self, CALL_MAKE);
        answer_make(self, grove_text_insert(document, position, utf8, &error), &error);
        record->event_sum +=
            event_hash_insertion(record->sequence + record->events, utf8);
        record->events += at_once * LINE_POINTS;
    }
}

void make_events(stress_worker *self, grove_document *document, const stress_view *view,
                 bool is_text, uint32_t count, ledger_record *record)
{
    if (is_text) {
        make_lines(self, document, view, count, record);
    } else {
        for (uint32_t index = 0; index < count; index++) {
            make_payload(self, document, view, record);
        }
    }
    uint64_t sequence = grove_document_replica(document).sequence;
    if (sequence != record->sequence + record->events) {
        stress_fail(self->board, "a replica stands at sequence %llu, not at %llu",
                    (unsigned long long)sequence,
                    (unsigned long long)(record->sequence + record->events));
    }
}

typedef struct line_search {
    uint32_t author;
    uint32_t number;
    uint64_t position; /* in lines */
    char line[LINE_BYTES_MAX];
    size_t bytes;
    bool is_found;
} line_search;

static bool search_line(void *context, grove_bytes utf8)
{
    line_search *search = context;
    for (size_t index = 0; index < utf8.size; index++) {
        search->line[search->bytes++] = (char)utf8.data[index];
        if (utf8.data[index] != '\n') {
            continue;
        }
        stress_label label;
        size_t bytes;
        grove_bytes line = {(const uint8_t *)search->line, search->bytes};
        if (line_parse(line, &label, &bytes) && label.author == search->author &&
            label.number == search->number) {
            search->is_found = true;
            return false;
        }
        search->position++;
        search->bytes = 0;
    }
    return true;
}

/* Deletes the oldest of the author's lines. */
static void delete_line(stress_handle *handle)
{
    stress_worker *self = handle->worker;
    ledger_record *own = &handle->own;
    grove_error error;
    line_search search = {.author = own->author, .number = own->gone + own->gone_count};
    answer_make(self, grove_text_each(handle->document, search_line, &search, &error),
                &error);
    if (!search.is_found) {
        stress_fail(self->board, "line %u of author %u is not in document %u",
                    search.number, own->author, handle->index);
    }
    answer_make(self,
                grove_text_delete(handle->document, search.position * LINE_POINTS,
                                  LINE_POINTS, &error),
                &error);
    for (uint32_t point = 0; point < LINE_POINTS; point++) {
        own->event_sum += event_hash_deletion(own->sequence + own->events++);
    }
    own->gone_count++;
}

bool handle_make(stress_handle *handle, uint32_t count)
{
    uint32_t made = atomic_load(&made_mark(handle, handle->author)->acked);
    uint32_t gone = atomic_load(&gone_mark(handle, handle->author)->acked);
    /* Another handle of the author may have saved since. */
    if (handle->own.events == 0 && handle->view.made[handle->author] != made &&
        !handle_refresh(handle)) {
        return false;
    }
    if (handle->own.events == 0) {
        record_begin(&handle->own, handle->author, handle->index, made, gone,
                     handle->document);
    }
    ledger_record *own = &handle->own;
    uint32_t live = own->number + own->count - own->gone - own->gone_count;
    for (; is_text(handle) && live > LINES_KEPT; live--) {
        delete_line(handle);
    }
    make_events(handle->worker, handle->document, &handle->view, is_text(handle), count,
                own);
    handle->view.made[handle->author] = own->number + own->count;
    handle->view.gone[handle->author] = own->gone + own->gone_count;
    return true;
}

/* Saving */

/* The one part of a save, or the other; `kind` says what became of it. */
static void note(stress_handle *handle, ledger_record *part, ledger_kind kind)
{
    stress_board *board = handle->worker->board;
    if (part->events == 0) {
        return;
    }
    stress_mark *made = made_mark(handle, part->author);
    stress_mark *gone = gone_mark(handle, part->author);
    uint32_t made_end = part->number + part->count;
    uint32_t gone_end = part->gone + part->gone_count;
    part->kind = (uint8_t)kind;
    if (kind == LEDGER_INTENDED) {
        ledger_append(board, part);
        atomic_store(&made->intended, made_end);
        atomic_store(&gone->intended, gone_end);
    } else if (kind == LEDGER_ACKED) {
        ledger_append(board, part);
        atomic_store(&made->acked, made_end);
        atomic_store(&gone->acked, gone_end);
    } else {
        atomic_store(&made->intended, part->number);
        atomic_store(&gone->intended, part->gone);
        ledger_append(board, part);
    }
}

static void check_result(stress_handle *handle, const grove_save_result *result)
{
    stress_worker *self = handle->worker;
    uint64_t events = (uint64_t)handle->own.events + handle->merged.events;
    uint64_t end = result->first_clock + result->events;
    if (result->events != events || (result->commit == 0) != (events == 0) ||
        end != grove_document_clock(handle->document) ||
        grove_document_unsaved(handle->document) != 0) {
        stress_fail(self->board,
                    "a save of %llu events says that it saved %llu, from clock %llu on, "
                    "as commit %llu; the handle is at %llu",
                    (unsigned long long)events, (unsigned long long)result->events,
                    (unsigned long long)result->first_clock,
                    (unsigned long long)result->commit,
                    (unsigned long long)grove_document_clock(handle->document));
    }
}

/* Lies, so that the checks are seen to find it. */
static void spoil(stress_worker *self, ledger_record *part)
{
    ledger_record forged = *part;
    if (stress_sabotage(self->board, "lost-event")) {
        forged.sequence += 1000000;
        forged.commit = 0;
        forged.kind = LEDGER_ACKED;
        ledger_append(self->board, &forged);
    }
    if (stress_sabotage(self->board, "other-content")) {
        part->event_sum++;
        part->content_sum++;
    }
    if (stress_sabotage(self->board, "commit-twice")) {
        forged.kind = LEDGER_ACKED;
        forged.what = LEDGER_GROUP;
        forged.document = 0;
        forged.call = ledger_new_call(self->board);
        ledger_append(self->board, &forged);
    }
    if (stress_sabotage(self->board, "never-stored")) {
        part->count++;
    }
}

static void take_saved(stress_handle *handle, const grove_save_result *result)
{
    ledger_record *parts[] = {&handle->own, &handle->merged};
    check_result(handle, result);
    for (size_t index = 0; index < 2; index++) {
        ledger_record *part = parts[index];
        part->commit = result->commit;
        part->first_clock = result->first_clock;
        part->saved_events = result->events;
        bool is_lasting = !handle->worker->board->documents[handle->index].is_deletable;
        if (index == 0 && part->events > 0 && is_lasting) {
            spoil(handle->worker, part);
        }
        note(handle, part, LEDGER_ACKED);
        memset(part, 0, sizeof *part);
    }
    if (result->commit > 0) {
        worker_takes_commit(handle->worker, result->commit);
    }
}

bool handle_save(stress_handle *handle, bool tells_clock)
{
    stress_worker *self = handle->worker;
    grove_error error;
    grove_save_result result;
    uint64_t clock = grove_document_clock(handle->document);
    handle->own.call = ledger_new_call(self->board);
    handle->merged.call = handle->own.call;
    note(handle, &handle->own, LEDGER_INTENDED);
    note(handle, &handle->merged, LEDGER_INTENDED);
    worker_begins(self, CALL_SAVE);
    grove_status status = grove_document_save(
        handle->document, tells_clock ? &clock : NULL, &result, &error);
    if (status == GROVE_OK) {
        take_saved(handle, &result);
    } else {
        note(handle, &handle->own, LEDGER_FAILED);
        note(handle, &handle->merged, LEDGER_FAILED);
    }
    uint32_t when =
        handle->when | (tells_clock ? WHEN_EXPECTED : 0) | worker_when_full(self, status);
    if (stress_sabotage(self->board, "wrong-status")) {
        status = GROVE_CORRUPT;
        (void)snprintf(error.message, sizeof error.message, "a lie");
    }
    (void)worker_answer(self, CALL_SAVE, when, status, &error);
    if (status == GROVE_CONFLICT && !tells_clock) {
        return false;
    }
    return true;
}
