/* Events that are handed in with ids and parents of their own. */
#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "document/document.h"
#include "graph/version.h"

/* A run that is being added: what is left of it, and its parents' clocks. */
typedef struct addition {
    grove_document *document;
    grove__txn *txn;
    grove_event_run run;
    grove_event_id parent; /* of the rest of a run that is partly known */
    uint64_t clocks[GROVE_EVENT_PARENTS_MAX];
} addition;

/* Names an event in a message: its replica in hexadecimal, cut short. */
enum { NAME_BYTES = 48 };

static const char *name_event(const grove_event_id *id, char name[NAME_BYTES])
{
    static const char DIGITS[] = "0123456789abcdef";
    size_t shown =
        id->replica.size < NAME_BYTES / 2 - 1 ? id->replica.size : NAME_BYTES / 2 - 1;
    for (size_t index = 0; index < shown; index++) {
        name[2 * index] = DIGITS[id->replica.bytes[index] >> 4];
        name[2 * index + 1] = DIGITS[id->replica.bytes[index] & 15];
    }
    name[2 * shown] = '\0';
    return name;
}

/* Looks at what is stored now: others may have removed history. */
static grove_status look(addition *adding, grove_error *error_out)
{
    grove_status status = grove__document_look(adding->document, adding->txn, error_out);
    if (status == GROVE_NONE) {
        status = grove__fail(error_out, GROVE_CONFLICT,
                             "the document was deleted under this handle; load it anew");
    }
    return status;
}

static grove_status resolve_parents(addition *adding, grove_error *error_out)
{
    const grove_event_run *run = &adding->run;
    for (size_t index = 0; index < run->parent_count; index++) {
        const grove_event_id *parent = &run->parents[index];
        grove_status status = grove__key_check_replica(&parent->replica, error_out);
        if (status == GROVE_OK) {
            status =
                grove__document_find(adding->document, adding->txn, &parent->replica,
                                     parent->sequence, &adding->clocks[index], error_out);
        }
        if (status == GROVE_NONE) {
            char name[NAME_BYTES];
            return grove__fail_at(error_out, GROVE_UNKNOWN_PARENT, index,
                                  "parent %zu, event %llu of replica %s, is not known",
                                  index, (unsigned long long)parent->sequence,
                                  name_event(parent, name));
        }
        if (status != GROVE_OK) {
            return status;
        }
    }
    return GROVE_OK;
}

/* The events of the batch, or of the unsaved ones, that hold `clock`. */
static grove_status read_events_at(addition *adding, uint64_t clock,
                                   grove__events *scratch, grove__events **events_out,
                                   uint64_t *first_clock_out, grove_error *error_out)
{
    grove_document *document = adding->document;
    if (clock >= document->stored) {
        *events_out = &document->unsaved;
        *first_clock_out = document->stored;
        return GROVE_OK;
    }
    grove_status status = look(adding, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (clock < document->meta.base_clock) {
        return grove__fail(
            error_out, GROVE_HISTORY_REMOVED,
            "the event at clock %llu is known, but its content was removed",
            (unsigned long long)clock);
    }
    grove__batch_reader reader;
    grove__batch_reader_init(&reader, document->allocator);
    status = grove__batch_find(document, adding->txn, clock, first_clock_out, error_out);
    if (status == GROVE_OK) {
        status = grove__batch_read(document, adding->txn, *first_clock_out, &reader,
                                   error_out);
    }
    if (status == GROVE_OK) {
        status = grove__batch_decode(&reader.block, document->type, GROVE__DECODE_ALL,
                                     scratch, error_out);
    }
    if (status == GROVE_OK && clock - *first_clock_out >= scratch->count) {
        status = grove__fail(error_out, GROVE_CORRUPT,
                             "no batch holds the event at clock %llu",
                             (unsigned long long)clock);
    }
    grove__batch_reader_release(&reader);
    *events_out = scratch;
    return status;
}

/* Events `from` to `from + count - 1` of an operation. */
static grove_operation slice(const grove_document_type *type, grove_operation operation,
                             uint32_t from, uint32_t count)
{
    grove_operation cut_off;
    grove_operation left = operation;
    if (from > 0) {
        type->operation_cut(type, &operation, from, &cut_off, &left);
    }
    if (left.count > count) {
        grove_operation kept;
        type->operation_cut(type, &left, count, &kept, &cut_off);
        return kept;
    }
    return left;
}

static bool operation_equal(const grove_operation *a, const grove_operation *b)
{
    return a->kind == b->kind && a->count == b->count && a->position == b->position &&
           grove__bytes_equal(a->content, b->content);
}

static bool parents_equal(const grove_event_run *a, const grove_event_run *b)
{
    if (a->parent_count != b->parent_count) {
        return false;
    }
    for (size_t index = 0; index < a->parent_count; index++) {
        bool is_found = false;
        for (size_t other = 0; other < b->parent_count && !is_found; other++) {
            is_found = a->parents[index].sequence == b->parents[other].sequence &&
                       grove__replica_equal(&a->parents[index].replica,
                                            &b->parents[other].replica);
        }
        if (!is_found) {
            return false;
        }
    }
    return true;
}

/*
 * Compares the run's beginning with the known events at `clock`, as far as
 * these are one run too: parents, time, operation. GROVE_DUPLICATE: *count_out
 * events are the same; GROVE_REPLICA_REUSED: they are not.
 */
static grove_status compare_known(addition *adding, uint64_t clock, uint32_t *count_out,
                                  grove_error *error_out)
{
    const grove_document_type *type = adding->document->type;
    const grove_allocator *allocator = adding->document->allocator;
    size_t parents_bytes = GROVE_EVENT_PARENTS_MAX * sizeof(grove_event_id);
    grove_event_id *parents = grove__allocate(allocator, parents_bytes);
    if (parents == NULL) {
        return grove__fail_memory(error_out);
    }
    grove__events scratch;
    grove__events_init(&scratch, allocator);
    grove__events *events = NULL;
    uint64_t first_clock = 0;
    grove_status status =
        read_events_at(adding, clock, &scratch, &events, &first_clock, error_out);
    if (status == GROVE_OK) {
        grove__events_cursor cursor;
        grove_event_run known = {0};
        grove__events_cursor_init(&cursor, events, type, parents);
        while (grove__events_cursor_next(&cursor, &known) &&
               clock - first_clock >= known.operation.count) {
            first_clock += known.operation.count;
        }
        uint32_t from = (uint32_t)(clock - first_clock);
        uint32_t count = known.operation.count - from;
        count = count < adding->run.operation.count ? count : adding->run.operation.count;
        grove_operation is = slice(type, known.operation, from, count);
        grove_operation should = slice(type, adding->run.operation, 0, count);
        grove_event_id before = known.first;
        if (from > 0) {
            before.sequence += from - 1;
            known.parents = &before;
            known.parent_count = 1;
        }
        bool is_same = operation_equal(&is, &should) &&
                       known.timestamp == adding->run.timestamp &&
                       parents_equal(&known, &adding->run);
        status = is_same ? GROVE_DUPLICATE : GROVE_REPLICA_REUSED;
        *count_out = count;
    }
    grove__events_release(&scratch);
    grove__deallocate(allocator, parents, parents_bytes);
    return status;
}

/* Takes the first `count` events, which are known, off the run. */
static void drop_events(addition *adding, uint32_t count)
{
    const grove_document_type *type = adding->document->type;
    grove_operation first;
    grove_operation rest;
    type->operation_cut(type, &adding->run.operation, count, &first, &rest);
    adding->run.first.sequence += count;
    adding->parent = adding->run.first;
    adding->parent.sequence--;
    adding->run.operation = rest;
    adding->run.parents = &adding->parent;
    adding->run.parent_count = 1;
}

/* Takes off the run what is known. GROVE_DUPLICATE: that is all of it. */
static grove_status drop_known(addition *adding, grove_error *error_out)
{
    for (;;) {
        const grove_event_id *id = &adding->run.first;
        uint64_t clock;
        uint32_t count;
        grove_status status = grove__document_find(
            adding->document, adding->txn, &id->replica, id->sequence, &clock, error_out);
        if (status != GROVE_OK) {
            return status == GROVE_NONE ? GROVE_OK : status;
        }
        status = compare_known(adding, clock, &count, error_out);
        if (status == GROVE_REPLICA_REUSED) {
            return grove__fail(error_out, GROVE_REPLICA_REUSED,
                               "event %llu of the replica is known with other content",
                               (unsigned long long)id->sequence);
        }
        if (status != GROVE_DUPLICATE) {
            return status;
        }
        if (adding->run.operation.count == count) {
            return grove__fail(error_out, GROVE_DUPLICATE,
                               "the events are known already");
        }
        drop_events(adding, count);
    }
}

/* Sequences go on without gaps. */
static grove_status check_sequence(addition *adding, grove_error *error_out)
{
    grove_document *document = adding->document;
    const grove__ids *ids = &document->graph.ids;
    const grove_event_id *id = &adding->run.first;
    uint32_t number = grove__ids_find_replica(ids, &id->replica);
    uint64_t next =
        number == GROVE__INDEX_NONE ? 0 : grove__ids_next_sequence(ids, number);
    if (document->graph.base > 0 && document->exists) {
        grove__replica_run run;
        grove_status status = grove__replica_run_newest(document, adding->txn,
                                                        &id->replica, &run, error_out);
        if (status == GROVE_OK && run.sequence + run.count > next) {
            next = run.sequence + run.count;
        } else if (status != GROVE_OK && status != GROVE_NONE) {
            return status;
        }
    }
    if (id->sequence != next) {
        return grove__fail(error_out, GROVE_REPLICA_REUSED,
                           "the replica's next event is %llu, not %llu",
                           (unsigned long long)next, (unsigned long long)id->sequence);
    }
    return GROVE_OK;
}

/* Whether the graph takes the run, and the type can follow. */
static grove_status check_place(addition *adding, grove__frontier *parents_out,
                                grove_error *error_out)
{
    grove_document *document = adding->document;
    grove_status status = resolve_parents(adding, error_out);
    if (status == GROVE_OK) {
        status = check_sequence(adding, error_out);
    }
    grove__arrival arrival = {
        .sequence = adding->run.first.sequence,
        .count = adding->run.operation.count,
        .parents = {adding->clocks, adding->run.parent_count},
    };
    if (status == GROVE_OK) {
        status = grove__ids_intern(&document->graph.ids, &adding->run.first.replica,
                                   &arrival.replica, error_out);
    }
    grove__verdict verdict;
    if (status == GROVE_OK) {
        status = grove__arrival_check(&document->walk, &arrival, &verdict, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__version_sort(&document->walk, adding->clocks,
                                     adding->run.parent_count, parents_out, error_out);
    }
    if (status == GROVE_OK && document->type->merge == NULL &&
        (document->type->capabilities & GROVE_TYPE_CONCURRENT) == 0) {
        grove__frontier heads = grove__graph_heads(&document->graph);
        if (heads.count != parents_out->count ||
            (heads.count > 0 && memcmp(heads.clocks, parents_out->clocks,
                                       heads.count * sizeof *heads.clocks) != 0)) {
            status =
                grove__fail(error_out, GROVE_UNSUPPORTED,
                            "the event is concurrent with others, and documents of type "
                            "%s cannot merge them",
                            document->type->name);
        }
    }
    return status;
}

static grove_status add_run(addition *adding, grove_error *error_out)
{
    grove_document *document = adding->document;
    grove_status status = drop_known(adding, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__frontier parents;
    status = check_place(adding, &parents, error_out);
    if (status == GROVE_HISTORY_REMOVED) {
        status = look(adding, error_out);
        if (status == GROVE_OK) {
            status =
                grove__document_deepen(document, adding->txn, document->walk.needed.from,
                                       document->graph.end, error_out);
        }
        if (status == GROVE_OK) {
            status = check_place(adding, &parents, error_out);
        }
    }
    if (status == GROVE_OK) {
        status =
            grove__document_push(document, adding->txn, &adding->run, parents, error_out);
        document->made_last = document->made_last && status != GROVE_OK;
    }
    return status;
}

grove_status grove_document_add(grove_document *document, const grove_event_run *run,
                                grove_error *error_out)
{
    grove_status status = grove__document_check_live(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    const grove_document_type *type = document->type;
    status = grove__key_check_replica(&run->first.replica, error_out);
    if (status == GROVE_OK && run->parent_count > GROVE_EVENT_PARENTS_MAX) {
        status = grove__fail(error_out, GROVE_LIMIT, "%zu parents; the limit is %d",
                             run->parent_count, GROVE_EVENT_PARENTS_MAX);
    }
    if (status == GROVE_OK &&
        (run->operation.count == 0 || run->operation.count > GROVE_BATCH_EVENTS_MAX ||
         run->first.sequence > GROVE_DOCUMENT_EVENTS_MAX)) {
        status = grove__fail(error_out, GROVE_LIMIT,
                             "the run's count or sequence is beyond all "
                             "limits");
    }
    if (status == GROVE_OK) {
        status = type->operation_check(type, &run->operation, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    addition *adding = grove__allocate(document->allocator, sizeof *adding);
    if (adding == NULL) {
        return grove__fail_memory(error_out);
    }
    adding->document = document;
    adding->run = *run;
    grove__txn txn;
    adding->txn = &txn;
    status = grove__txn_begin(&document->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status == GROVE_OK) {
        status = add_run(adding, error_out);
        grove__txn_abort(&txn);
    }
    grove__deallocate(document->allocator, adding, sizeof *adding);
    return status;
}
