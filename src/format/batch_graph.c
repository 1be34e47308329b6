/* The graph of a batch: see batch_columns.h. */
#include "format/batch_columns.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/error.h"
#include "format/column.h"
#include "format/event_ids.h"

/*
 * The frame, all numbers LEB128. A chain of events by one replica that goes
 * on from its last event, which is elsewhere, has the table and four numbers.
 *
 *   replicas    how many; of each its size and bytes
 *   id runs     how many, i
 *   parent runs how many, p
 *   then columns:
 *   counts      i - 1: events of each run but the last, less 1
 *   owners      i: 2 x replica, + 1 when the sequence does not go on where the
 *               replica's last run ended (from 0 when it had none)
 *   jumps       of those + 1: how far from there, zigzag
 *   events      p - 1: distance from the event with the entry before, less 1
 *   numbers     p: 0 when the only parent is the predecessor (the same
 *               replica's event before), else 1 + how many parents
 *   parents     of those that say how many: 0 the predecessor; 2 x distance,
 *               backwards, of a parent inside; 2 x replica + 1, outside
 *   sequences   of each parent outside but the predecessor: its sequence
 *   times       of timed types: of each parent outside, also the predecessor,
 *               its Lamport time
 */
enum { PREDECESSOR = 0 };

static void put_replicas(const grove__events *events, grove_buffer *bytes)
{
    grove_buffer_varint(bytes, events->replica_count);
    for (size_t index = 0; index < events->replica_count; index++) {
        const grove_replica *replica = &events->replicas[index];
        grove_buffer_u8(bytes, replica->size);
        grove_buffer_append(bytes, replica->bytes, replica->size);
    }
}

/* Puts owners, then jumps. `ends` has a number for each replica. */
static void put_ids(const grove__events *events, uint64_t *ends, bool is_jumps,
                    grove_buffer *bytes)
{
    memset(ends, 0, events->replica_count * sizeof *ends);
    for (size_t index = 0; index < events->id_run_count; index++) {
        const grove__id_run *run = &events->id_runs[index];
        bool is_jump = run->sequence != ends[run->replica];
        if (!is_jumps) {
            grove_buffer_varint(bytes, (uint64_t)run->replica << 1 | is_jump);
        } else if (is_jump) {
            grove_buffer_signed(bytes, (int64_t)(run->sequence - ends[run->replica]));
        }
        ends[run->replica] = run->sequence + run->count;
    }
}

/* Whether the parent is the event before by the same replica as `event`, whose
 * id is `id`. */
static bool is_predecessor(const grove__events *events, grove__parent id,
                           grove__parent parent)
{
    if (parent.replica == GROVE__PARENT_INSIDE) {
        parent = grove__event_ids_at(events, (uint32_t)parent.sequence);
    }
    return parent.replica == id.replica && parent.sequence + 1 == id.sequence;
}

/* The columns of parents. */
enum { NUMBERS, PARENTS, SEQUENCES };

static void put_parent(const grove__events *events, uint32_t event, grove__parent id,
                       grove__parent parent, int column, grove_buffer *bytes)
{
    bool is_inside = parent.replica == GROVE__PARENT_INSIDE;
    if (is_predecessor(events, id, parent)) {
        if (column == PARENTS) {
            grove_buffer_varint(bytes, PREDECESSOR);
        }
    } else if (column == PARENTS) {
        grove_buffer_varint(bytes, is_inside ? (event - parent.sequence) << 1
                                             : (uint64_t)parent.replica << 1 | 1);
    } else if (!is_inside) {
        grove_buffer_varint(bytes, parent.sequence);
    }
}

static void put_parents(const grove__events *events, int column, grove_buffer *bytes)
{
    for (size_t index = 0; index < events->parent_run_count; index++) {
        const grove__parent_run *run = &events->parent_runs[index];
        const grove__parent *parents =
            run->count > 0 ? &events->parents[run->first] : NULL;
        grove__parent id = grove__event_ids_at(events, run->event);
        bool is_usual = run->count == 1 && is_predecessor(events, id, parents[0]);
        if (column == NUMBERS) {
            grove_buffer_varint(bytes, is_usual ? 0 : (uint64_t)run->count + 1);
            continue;
        }
        for (uint32_t each = 0; each < run->count && !is_usual; each++) {
            put_parent(events, run->event, id, parents[each], column, bytes);
        }
    }
}

static void put_times(const grove__events *events, grove_buffer *bytes)
{
    for (size_t index = 0; index < events->parent_count; index++) {
        const grove__parent *parent = &events->parents[index];
        if (parent->replica != GROVE__PARENT_INSIDE) {
            GROVE_ASSERT(parent->time > 0);
            grove_buffer_varint(bytes, parent->time);
        }
    }
}

static void cut(grove__frame_buffer *frame)
{
    grove__column_cut(frame->cuts, &frame->cut_count, frame->bytes.size);
}

grove_status grove__batch_graph_encode(const grove__events *events,
                                       grove__graph_times times,
                                       grove__frame_buffer *frame)
{
    if (events->count == 0) {
        return GROVE_OK;
    }
    grove_buffer *bytes = &frame->bytes;
    size_t ends_bytes = events->replica_count * sizeof(uint64_t);
    uint64_t *ends = grove__allocate(events->allocator, ends_bytes);
    if (ends == NULL) {
        return GROVE_NO_MEMORY;
    }
    put_replicas(events, bytes);
    grove_buffer_varint(bytes, events->id_run_count);
    grove_buffer_varint(bytes, events->parent_run_count);
    cut(frame);
    for (size_t index = 0; index + 1 < events->id_run_count; index++) {
        grove_buffer_varint(bytes, (uint64_t)events->id_runs[index].count - 1);
    }
    cut(frame);
    put_ids(events, ends, false, bytes);
    cut(frame);
    put_ids(events, ends, true, bytes);
    cut(frame);
    for (size_t index = 1; index < events->parent_run_count; index++) {
        const grove__parent_run *run = &events->parent_runs[index];
        grove_buffer_varint(bytes, (uint64_t)(run->event - run[-1].event) - 1);
    }
    for (int column = NUMBERS; column <= SEQUENCES; column++) {
        cut(frame);
        put_parents(events, column, bytes);
    }
    if (times == GROVE__GRAPH_TIMES_ALL) {
        cut(frame);
        put_times(events, bytes);
    }
    /* The last column may be empty: nothing begins at the end. */
    if (frame->cut_count > 0 && frame->cuts[frame->cut_count - 1] == bytes->size) {
        frame->cut_count--;
    }
    grove__deallocate(events->allocator, ends, ends_bytes);
    return bytes->failed ? GROVE_NO_MEMORY : GROVE_OK;
}

static grove_status fail_graph(grove_error *error_out, size_t offset, const char *fault)
{
    return grove__fail_at(error_out, GROVE_CORRUPT, offset, "graph: %s", fault);
}

/* The frame, of which columns are read side by side once they are found. */
typedef struct graph_reader {
    grove__events *events;
    uint32_t event_count;
    bool is_timed;                 /* `times` has one for each parent outside */
    uint64_t id_runs, parent_runs; /* that were not read yet */
    uint64_t *ends;                /* of each replica's last id run */
    grove_reader all;              /* what comes next */
    grove_reader counts, owners, jumps, distances, numbers, parents, sequences, times;
} graph_reader;

/* Gives a column of `count` numbers to a reader of its own, and goes on after
 * it. The offsets are those in the frame. */
static bool skip_column(graph_reader *reader, uint64_t count, grove_reader *column_out)
{
    *column_out = reader->all;
    for (uint64_t index = 0; index < count && !reader->all.failed; index++) {
        (void)grove_reader_varint(&reader->all);
    }
    column_out->size = reader->all.offset;
    return !reader->all.failed;
}

static grove_status read_replicas(graph_reader *reader, grove_error *error_out)
{
    uint64_t count = grove_reader_varint(&reader->all);
    for (uint64_t index = 0; index < count && !reader->all.failed; index++) {
        size_t offset = reader->all.offset;
        grove_replica replica;
        uint32_t number;
        memset(&replica, 0, sizeof replica);
        replica.size = grove_reader_u8(&reader->all);
        grove_bytes bytes = grove_reader_bytes(&reader->all, replica.size);
        if (bytes.size == 0 || bytes.size > GROVE_REPLICA_BYTES_MAX) {
            return fail_graph(error_out, offset, "a replica that cannot be");
        }
        memcpy(replica.bytes, bytes.data, bytes.size);
        if (grove__event_ids_add_replica(reader->events, &replica, &number) != GROVE_OK) {
            return grove__fail_memory(error_out);
        }
        if (number != index) {
            return fail_graph(error_out, offset, "a replica twice");
        }
    }
    return reader->all.failed
               ? fail_graph(error_out, reader->all.offset, "the replicas end early")
               : GROVE_OK;
}

/* Adds the next id run. */
static grove_status read_id_run(graph_reader *reader, uint32_t count,
                                grove_error *error_out)
{
    grove__events *events = reader->events;
    size_t offset = reader->owners.offset;
    size_t runs_before = events->id_run_count;
    uint64_t owner = grove_reader_varint(&reader->owners);
    uint64_t replica = owner >> 1;
    if (replica >= events->replica_count) {
        return fail_graph(error_out, offset, "an id run of no replica");
    }
    uint64_t sequence = reader->ends[replica];
    if ((owner & 1) != 0) {
        int64_t jump = grove_reader_signed(&reader->jumps);
        sequence += (uint64_t)jump;
        if (reader->jumps.failed || jump == 0) {
            return fail_graph(error_out, reader->jumps.offset, "a jump that is none");
        }
    }
    if (sequence >= GROVE_DOCUMENT_EVENTS_MAX ||
        count > GROVE_DOCUMENT_EVENTS_MAX - sequence) {
        return fail_graph(error_out, offset, "sequences that are too large");
    }
    grove_status status =
        grove__event_ids_add(events, (uint32_t)replica, sequence, count, NULL);
    if (status == GROVE_NO_MEMORY) {
        return grove__fail_memory(error_out);
    }
    if (status != GROVE_OK) {
        return fail_graph(error_out, offset,
                          status == GROVE_INVALID
                              ? "an id after one that has it as a parent"
                              : "an id twice");
    }
    if (events->id_run_count == runs_before) {
        return fail_graph(error_out, offset, "an id run in two pieces");
    }
    reader->ends[replica] = sequence + count;
    return GROVE_OK;
}

/* Adds id runs until the list has event number `event`. */
static grove_status read_id_runs(graph_reader *reader, uint64_t event,
                                 grove_error *error_out)
{
    grove__events *events = reader->events;
    grove_status status = GROVE_OK;
    while (events->count <= event && reader->id_runs > 0 && status == GROVE_OK) {
        uint32_t left = reader->event_count - events->count;
        uint64_t runs_left = --reader->id_runs;
        size_t offset = reader->counts.offset;
        /* The last run has what is left, each other one leaves one for each
         * run after it. */
        uint64_t less = runs_left > 0 ? grove_reader_varint(&reader->counts) : left - 1;
        if (less >= left - runs_left) {
            return fail_graph(error_out, offset, "id runs of more events than there are");
        }
        status = read_id_run(reader, (uint32_t)less + 1, error_out);
    }
    return status;
}

/* Where the parents of an event are found, and its own id. */
typedef struct child_event {
    uint32_t event;
    grove__parent id;
} child_event;

/* The time of the next parent outside. As many events may follow it as the
 * batch has. */
static grove_status read_time(graph_reader *reader, uint64_t *time_out,
                              grove_error *error_out)
{
    size_t offset = reader->times.offset;
    *time_out = grove_reader_varint(&reader->times);
    if (reader->times.failed || *time_out == 0 ||
        *time_out > GROVE_DOCUMENT_EVENTS_MAX - reader->event_count) {
        return fail_graph(error_out, offset, "a time that cannot be");
    }
    return GROVE_OK;
}

/* Adds the parent with this id, inside or outside. */
static grove_status add_parent_by_id(graph_reader *reader, const child_event *child,
                                     grove__parent parent, bool may_be_inside,
                                     grove_error *error_out)
{
    uint32_t inside;
    size_t offset = reader->parents.offset;
    grove_status status =
        grove__event_ids_find(reader->events, parent.replica, parent.sequence, &inside);
    if (status == GROVE_OK) {
        if (!may_be_inside || inside >= child->event) {
            return fail_graph(error_out, offset, "a parent that is not outside");
        }
        parent = (grove__parent){GROVE__PARENT_INSIDE, inside, 0};
    } else if (status == GROVE_NONE && reader->is_timed) {
        status = read_time(reader, &parent.time, error_out);
        if (status != GROVE_OK) {
            return status;
        }
    }
    if (status == GROVE_NO_MEMORY ||
        grove__event_ids_add_parent(reader->events, parent) != GROVE_OK) {
        return grove__fail_memory(error_out);
    }
    return GROVE_OK;
}

static grove_status add_predecessor(graph_reader *reader, const child_event *child,
                                    grove_error *error_out)
{
    if (child->id.sequence == 0) {
        return fail_graph(error_out, reader->parents.offset, "the first has none before");
    }
    grove__parent before = {child->id.replica, child->id.sequence - 1, 0};
    return add_parent_by_id(reader, child, before, true, error_out);
}

static grove_status read_parent(graph_reader *reader, const child_event *child,
                                grove_error *error_out)
{
    size_t offset = reader->parents.offset;
    uint64_t number = grove_reader_varint(&reader->parents);
    if (reader->parents.failed) {
        return fail_graph(error_out, offset, "the parents end early");
    }
    if (number == PREDECESSOR) {
        return add_predecessor(reader, child, error_out);
    }
    if ((number & 1) == 0) {
        uint64_t distance = number >> 1;
        if (distance > child->event) {
            return fail_graph(error_out, offset, "a parent before the first event");
        }
        grove__parent inside = {GROVE__PARENT_INSIDE, child->event - distance, 0};
        if (is_predecessor(reader->events, child->id, inside)) {
            return fail_graph(error_out, offset, "a predecessor by its distance");
        }
        return grove__event_ids_add_parent(reader->events, inside) == GROVE_OK
                   ? GROVE_OK
                   : grove__fail_memory(error_out);
    }
    grove__parent outside = {0, grove_reader_varint(&reader->sequences), 0};
    if (reader->sequences.failed || number >> 1 >= reader->events->replica_count ||
        outside.sequence >= GROVE_DOCUMENT_EVENTS_MAX) {
        return fail_graph(error_out, offset, "a parent outside that cannot be");
    }
    outside.replica = (uint32_t)(number >> 1);
    if (is_predecessor(reader->events, child->id, outside)) {
        return fail_graph(error_out, offset, "a predecessor by its id");
    }
    return add_parent_by_id(reader, child, outside, false, error_out);
}

static grove_status read_parent_run(graph_reader *reader, uint32_t event,
                                    grove_error *error_out)
{
    grove__events *events = reader->events;
    child_event child = {event, grove__event_ids_at(events, event)};
    size_t offset = reader->numbers.offset;
    size_t first = events->parent_count;
    size_t runs_before = events->parent_run_count;
    uint64_t number = grove_reader_varint(&reader->numbers);
    if (number > (uint64_t)GROVE_EVENT_PARENTS_MAX + 1) {
        return fail_graph(error_out, offset, "too many parents");
    }
    grove_status status = GROVE_OK;
    if (number == 0) {
        status = add_predecessor(reader, &child, error_out);
    }
    for (uint64_t each = 1; each < number && status == GROVE_OK; each++) {
        status = read_parent(reader, &child, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    if (number == 2 && is_predecessor(events, child.id, events->parents[first])) {
        return fail_graph(error_out, offset, "a predecessor among others, alone");
    }
    status = grove__event_ids_close_parents(events, event, first, reader->is_timed, NULL);
    if (status == GROVE_NO_MEMORY) {
        return grove__fail_memory(error_out);
    }
    if (status != GROVE_OK) {
        return fail_graph(error_out, offset, "a parent twice");
    }
    if (events->parent_run_count == runs_before) {
        return fail_graph(error_out, offset, "parents that go without saying");
    }
    return GROVE_OK;
}

/* Reads id runs and parents side by side, in the order of the events: most
 * parents are then found among the ids that were added last. */
static grove_status read_runs(graph_reader *reader, grove_error *error_out)
{
    uint32_t event = 0;
    grove_status status = read_id_runs(reader, event, error_out);
    while (status == GROVE_OK) {
        status = read_parent_run(reader, event, error_out);
        if (status != GROVE_OK || --reader->parent_runs == 0) {
            break;
        }
        size_t offset = reader->distances.offset;
        uint64_t less = grove_reader_varint(&reader->distances);
        if (less >= reader->event_count - 1 - event) {
            return fail_graph(error_out, offset, "parents of an event after the last");
        }
        event += (uint32_t)less + 1;
        status = read_id_runs(reader, event, error_out);
    }
    return status == GROVE_OK ? read_id_runs(reader, reader->event_count, error_out)
                              : status;
}

/* Counts the numbers of a column that say that another column has one more. */
static uint64_t count_odd(grove_reader column)
{
    uint64_t odd = 0;
    while (!grove_reader_done(&column)) {
        odd += grove_reader_varint(&column) & 1;
    }
    return odd;
}

/* Finds the columns; each number is read once to find where the next begins. */
static grove_status find_columns(graph_reader *reader, grove__graph_times times,
                                 grove_error *error_out)
{
    reader->id_runs = grove_reader_varint(&reader->all);
    reader->parent_runs = grove_reader_varint(&reader->all);
    if (reader->id_runs == 0 || reader->id_runs > reader->event_count ||
        reader->parent_runs == 0 || reader->parent_runs > reader->event_count) {
        return fail_graph(error_out, reader->all.offset,
                          "more runs than events, or none");
    }
    bool is_found = skip_column(reader, reader->id_runs - 1, &reader->counts) &&
                    skip_column(reader, reader->id_runs, &reader->owners) &&
                    skip_column(reader, count_odd(reader->owners), &reader->jumps) &&
                    skip_column(reader, reader->parent_runs - 1, &reader->distances) &&
                    skip_column(reader, reader->parent_runs, &reader->numbers);
    uint64_t parents = 0;
    grove_reader numbers = reader->numbers;
    while (is_found && !grove_reader_done(&numbers)) {
        uint64_t number = grove_reader_varint(&numbers);
        /* Too large a number is refused when it is used. */
        parents += number > GROVE_EVENT_PARENTS_MAX + 1 || number == 0 ? 0 : number - 1;
    }
    is_found = is_found && skip_column(reader, parents, &reader->parents);
    if (is_found && times != GROVE__GRAPH_TIMES_NONE) {
        is_found = skip_column(reader, count_odd(reader->parents), &reader->sequences);
        reader->times = reader->all;
    } else {
        reader->sequences = reader->all;
    }
    if (!is_found) {
        return fail_graph(error_out, reader->all.offset, "the columns end early");
    }
    reader->is_timed =
        times == GROVE__GRAPH_TIMES_ALL ||
        (times == GROVE__GRAPH_TIMES_ANY && !grove_reader_done(&reader->times));
    return GROVE_OK;
}

/* Whether the columns were read to their ends and all replicas are used. */
static grove_status check_end(const graph_reader *reader, grove_error *error_out)
{
    if (!grove_reader_done(&reader->sequences)) {
        return fail_graph(error_out, reader->sequences.offset, "bytes after the last");
    }
    if (reader->is_timed && !grove_reader_done(&reader->times)) {
        return fail_graph(error_out, reader->times.offset, "more times than parents");
    }
    const grove__events *events = reader->events;
    for (size_t index = 0; index < events->replica_count; index++) {
        if (events->spans[index].end == 0 && events->spans[index].outside_end == 0) {
            return fail_graph(error_out, 0, "a replica without an event");
        }
    }
    return GROVE_OK;
}

grove_status grove__batch_graph_decode(grove_bytes frame, uint32_t event_count,
                                       grove__graph_times times, grove__events *events,
                                       grove_error *error_out)
{
    if (event_count == 0) {
        return frame.size == 0 ? GROVE_OK : fail_graph(error_out, 0, "of no events");
    }
    graph_reader reader = {.events = events, .event_count = event_count};
    reader.all = grove_reader_of(frame);
    grove_status status = read_replicas(&reader, error_out);
    if (status == GROVE_OK) {
        status = find_columns(&reader, times, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    if (events->replica_count == 0) {
        return fail_graph(error_out, 0, "no replica");
    }
    size_t bytes = events->replica_count * sizeof(uint64_t);
    reader.ends = grove__allocate_zeroed(events->allocator, bytes);
    if (reader.ends == NULL) {
        return grove__fail_memory(error_out);
    }
    status = read_runs(&reader, error_out);
    grove__deallocate(events->allocator, reader.ends, bytes);
    return status == GROVE_OK ? check_end(&reader, error_out) : status;
}

/* The last event of a parent run: only these can be heads. */
static uint32_t parent_run_last(const grove__events *events, size_t index)
{
    return index + 1 < events->parent_run_count ? events->parent_runs[index + 1].event - 1
                                                : events->count - 1;
}

grove_status grove__batch_heads_encode(const grove__events *events, grove_buffer *fields)
{
    size_t runs = events->parent_run_count;
    if (runs <= 1) {
        grove_buffer_varint(fields, runs);
        if (runs == 1) {
            grove_buffer_varint(fields, 1);
        }
        return fields->failed ? GROVE_NO_MEMORY : GROVE_OK;
    }
    bool *is_parent = grove__allocate_zeroed(events->allocator, runs * sizeof *is_parent);
    if (is_parent == NULL) {
        return GROVE_NO_MEMORY;
    }
    for (size_t index = 0; index < events->parent_count; index++) {
        const grove__parent *parent = &events->parents[index];
        if (parent->replica == GROVE__PARENT_INSIDE) {
            size_t run =
                grove__event_ids_parent_run_at(events, (uint32_t)parent->sequence);
            is_parent[run] =
                is_parent[run] || parent->sequence == parent_run_last(events, run);
        }
    }
    uint64_t heads = 0;
    for (size_t index = 0; index < runs; index++) {
        heads += is_parent[index] ? 0 : 1;
    }
    heads = heads > GROVE__BATCH_HEADS_MAX ? 0 : heads;
    grove_buffer_varint(fields, heads);
    uint32_t before = events->count;
    for (size_t index = runs; index > 0 && heads > 0; index--) {
        if (!is_parent[index - 1]) {
            uint32_t head = parent_run_last(events, index - 1);
            grove_buffer_varint(fields, before - head);
            before = head;
        }
    }
    grove__deallocate(events->allocator, is_parent, runs * sizeof *is_parent);
    return fields->failed ? GROVE_NO_MEMORY : GROVE_OK;
}

bool grove__batch_has_root(const grove__events *events)
{
    for (size_t index = 0; index < events->parent_run_count; index++) {
        if (events->parent_runs[index].count == 0) {
            return true;
        }
    }
    return false;
}
