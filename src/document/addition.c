#include "document/addition.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "document/stamps.h"
#include "graph/version.h"

grove__addition *grove__addition_new(grove_document *document, grove__txn *txn)
{
    grove__addition *adding = grove__allocate(document->allocator, sizeof *adding);
    if (adding != NULL) {
        adding->document = document;
        adding->txn = txn;
        adding->is_import = false;
        adding->own = UINT64_MAX;
        adding->has_looked = false;
        grove__known_init(&adding->known, document, txn);
    }
    return adding;
}

void grove__addition_free(grove__addition *adding)
{
    if (adding != NULL) {
        grove__known_release(&adding->known);
        grove__deallocate(adding->document->allocator, adding, sizeof *adding);
    }
}

grove_status grove__addition_begin(grove__addition *adding, const grove_event_run *run,
                                   grove_error *error_out)
{
    const grove_document_type *type = adding->document->type;
    grove_status status = grove__key_check_replica(&run->first.replica, error_out);
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
    adding->run = *run;
    return status;
}

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
static grove_status look(grove__addition *adding, grove_error *error_out)
{
    if (adding->has_looked) {
        return GROVE_OK;
    }
    grove_status status =
        grove__document_look_again(adding->document, adding->txn, error_out);
    adding->has_looked = status == GROVE_OK;
    return status;
}

static grove_status resolve_parents(grove__addition *adding, grove_error *error_out)
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
            adding->waits = true;
            adding->missing = *parent;
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

/* Takes the first `count` events, which are known, off the run. */
static void drop_events(grove__addition *adding, uint32_t count)
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

/* How many events of the run are known, with nothing left to compare. */
static grove_status count_removed(grove__addition *adding, uint64_t clock,
                                  uint32_t *count_out, grove_error *error_out)
{
    grove__replica_run run;
    const grove_event_id *id = &adding->run.first;
    grove_status status =
        grove__replica_run_of(adding->document, adding->txn, id, &run, error_out);
    if (status == GROVE_OK) {
        uint64_t count = run.sequence + run.count - id->sequence;
        uint64_t removed = adding->document->meta.base_clock - clock;
        count = count < removed ? count : removed;
        *count_out = count < adding->run.operation.count ? (uint32_t)count
                                                         : adding->run.operation.count;
        status = GROVE_DUPLICATE;
    }
    return status;
}

/* Compares the run's beginning with the known events at `clock`. */
static grove_status compare(grove__addition *adding, uint64_t clock, uint32_t *count_out,
                            grove_error *error_out)
{
    if (clock >= adding->own) {
        return grove__fail(error_out, GROVE_MALFORMED, "an event comes twice");
    }
    if (adding->is_import && adding->known.steps > GROVE_IMPORT_STEPS_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "its known events come in an order in which they cannot be "
                           "compared in good time");
    }
    grove_status status =
        grove__known_compare(&adding->known, &adding->run, clock, count_out, error_out);
    return status == GROVE_HISTORY_REMOVED && adding->is_import
               ? count_removed(adding, clock, count_out, error_out)
               : status;
}

grove_status grove__addition_drop_known(grove__addition *adding, grove_error *error_out)
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
        status = compare(adding, clock, &count, error_out);
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

/* Sequences go on without gaps: the run's first event is not known, the one
 * before it is. */
static grove_status check_sequence(grove__addition *adding, grove_error *error_out)
{
    const grove_event_id *id = &adding->run.first;
    uint64_t clock;
    if (id->sequence == 0) {
        return GROVE_OK;
    }
    grove_status status = grove__document_find(
        adding->document, adding->txn, &id->replica, id->sequence - 1, &clock, error_out);
    if (status == GROVE_NONE) {
        adding->waits = true;
        adding->missing = *id;
        adding->missing.sequence--;
        return grove__fail(error_out, GROVE_REPLICA_REUSED,
                           "event %llu of the replica is not the next that is known",
                           (unsigned long long)id->sequence);
    }
    return status;
}

/* Whether the graph takes the run, and the type can follow. */
static grove_status check_place(grove__addition *adding, grove__frontier *parents_out,
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
    if (status == GROVE_OK && !grove__document_merges(document)) {
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

/* Whether a merge of the run needs events that were removed: its parents lie
 * further back than the version that history begins with. */
static grove_status check_removed(grove__addition *adding, grove_error *error_out)
{
    const grove_document *document = adding->document;
    grove_status status = GROVE_OK;
    uint64_t least = adding->run.parent_count == 0 ? 0 : UINT64_MAX;
    for (size_t index = 0; index < adding->run.parent_count; index++) {
        uint64_t clock = adding->clocks[index] + 1;
        least = clock < least ? clock : least;
    }
    /* Where something is merged, the merge looks. */
    if (grove__document_is_timed(document) && least < document->stored) {
        status = look(adding, error_out);
    }
    if (status == GROVE_OK && grove__document_reaches_back(document) &&
        least < document->meta.base_clock) {
        status =
            grove__fail(error_out, GROVE_HISTORY_REMOVED,
                        "a compaction removed the events that this one would have to "
                        "be merged with");
    }
    return status;
}

grove_status grove__addition_place(grove__addition *adding, grove__frontier *parents_out,
                                   grove_error *error_out)
{
    grove_document *document = adding->document;
    for (;;) {
        uint64_t untimed = UINT64_MAX;
        adding->waits = false;
        grove_status status = check_place(adding, parents_out, error_out);
        bool is_placed = status == GROVE_OK;
        if (is_placed) {
            status = check_removed(adding, error_out);
            untimed =
                grove__stamps_lacking(document, adding->clocks, adding->run.parent_count);
        }
        if (is_placed ? status != GROVE_OK || untimed == UINT64_MAX
                      : status != GROVE_HISTORY_REMOVED) {
            return status;
        }
        /* Each time further back, or it fails. */
        status = look(adding, error_out);
        if (status == GROVE_OK) {
            status = is_placed
                         ? grove__stamps_deepen(document, adding->txn, untimed, error_out)
                         : grove__document_deepen(document, adding->txn,
                                                  document->walk.needed.from,
                                                  document->graph.end, error_out);
        }
        if (status != GROVE_OK) {
            return status;
        }
    }
}
