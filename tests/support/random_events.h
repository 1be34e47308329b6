/*
 * Random histories: events one by one, as plainly as can be, and the lists
 * that must hold the same.
 *
 * A history has several replicas with ids of all sizes, roots, merges, parents
 * outside, gaps between sequences, replicas that work on two branches and
 * sequences that come in another order than they count. Of a timed type each
 * event has its Lamport time, also those outside.
 */
#ifndef GROVE_TESTS_RANDOM_EVENTS_H
#define GROVE_TESTS_RANDOM_EVENTS_H

#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "format/event_ids.h"
#include "format/events.h"
#include "support/random.h"
#include "support/test_types.h"

enum { TEST_REPLICAS_MAX = 12, TEST_RANGES = 8 };

/* A list of runs of one event each, which own their parents and contents. */
typedef struct test_history {
    const grove_document_type *type;
    grove_event_run *runs;
    uint64_t *times; /* 0 where the type is not timed */
    size_t count;
    /* Given to a batch's encoder: 0 when an event is a root. */
    uint64_t reach;
} test_history;

/* Who makes a history. */
typedef struct test_author {
    grove_replica replica;
    uint64_t base;
    uint64_t next;        /* sequence of its next event */
    unsigned ranges_left; /* bit k: base + k * 2^20 was not begun yet */
    size_t last;          /* its newest event; SIZE_MAX: none */
} test_author;

typedef struct test_generator {
    test_random *random;
    test_history *history;
    test_author authors[TEST_REPLICAS_MAX];
    size_t author_count;
    uint64_t cursor; /* where typing goes on */
    int64_t now;
} test_generator;

static inline void *test_allocate(size_t bytes)
{
    void *memory = malloc(bytes == 0 ? 1 : bytes);
    cr_assert_not_null(memory);
    return memory;
}

static inline bool test_chance(test_random *random, unsigned percent)
{
    return test_random_below(random, 100) < percent;
}

/* A number of any magnitude. */
static inline uint64_t test_random_number(test_random *random)
{
    return test_random_next(random) >> test_random_below(random, 64);
}

static inline void test_author_begin_range(test_generator *generator, test_author *author)
{
    unsigned range;
    if (author->ranges_left == 0) {
        return;
    }
    do {
        range = (unsigned)test_random_below(generator->random, TEST_RANGES);
    } while ((author->ranges_left & 1u << range) == 0);
    author->ranges_left &= ~(1u << range);
    author->next = author->base + ((uint64_t)range << 20);
}

static inline void test_author_init(test_generator *generator, test_author *author,
                                    size_t number)
{
    static const uint64_t bases[] = {0,
                                     0,
                                     0,
                                     1,
                                     100,
                                     1u << 21,
                                     UINT64_C(1) << 40,
                                     (UINT64_C(1) << 48) - (UINT64_C(1) << 23)};
    test_random *random = generator->random;
    memset(author, 0, sizeof *author);
    author->replica.size =
        (uint8_t)(1 + test_random_below(random, GROVE_REPLICA_BYTES_MAX));
    test_random_bytes(random, author->replica.bytes, author->replica.size);
    /* Distinct, also when short. */
    author->replica.bytes[0] = (uint8_t)number;
    author->base = bases[test_random_below(random, sizeof bases / sizeof *bases)];
    author->ranges_left = (1u << TEST_RANGES) - 1;
    author->next = author->base;
    author->ranges_left &= ~1u;
    author->last = SIZE_MAX;
    if (test_chance(random, 30)) {
        author->ranges_left |= 1u;
        test_author_begin_range(generator, author);
    }
}

static inline grove_bytes test_copy(const void *data, size_t size)
{
    uint8_t *copy = test_allocate(size);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return (grove_bytes){copy, size};
}

static inline grove_operation test_random_typing(test_generator *generator)
{
    test_random *random = generator->random;
    grove_operation operation = {0, 1, 0, {NULL, 0}};
    uint8_t byte = (uint8_t)('a' + test_random_below(random, 26));
    if (test_chance(random, 10)) {
        generator->cursor = test_random_below(random, 1000);
    }
    unsigned choice = (unsigned)test_random_below(random, 10);
    if (choice < 6 || generator->cursor == 0) {
        operation.content = test_copy(&byte, 1);
        operation.position = generator->cursor++;
    } else if (choice < 8) {
        operation.kind = TEST_TYPING_DELETE;
        operation.position = generator->cursor;
    } else {
        operation.kind = TEST_TYPING_DELETE;
        operation.position = --generator->cursor;
    }
    return operation;
}

static inline void test_random_field(test_random *random, grove_buffer *content,
                                     grove_field_type field, bool is_alone)
{
    uint8_t bytes[400];
    size_t size;
    switch (field) {
    case GROVE_FIELD_UNSIGNED:
        grove_buffer_varint(content, test_random_number(random));
        break;
    case GROVE_FIELD_SIGNED:
        grove_buffer_signed(content, (int64_t)test_random_number(random) *
                                         (test_chance(random, 50) ? 1 : -1));
        break;
    case GROVE_FIELD_BYTES:
        size = test_random_below(random, test_chance(random, 10) ? sizeof bytes : 8);
        test_random_bytes(random, bytes, size);
        if (!is_alone) {
            grove_buffer_varint(content, size);
        }
        grove_buffer_append(content, bytes, size);
        break;
    }
}

static inline grove_operation test_random_schema(test_generator *generator)
{
    test_random *random = generator->random;
    const grove_schema *schema = generator->history->type->schema;
    grove_operation operation = {0, 1, 0, {NULL, 0}};
    operation.kind = (uint32_t)test_random_below(random, schema->kind_count);
    const grove_schema_kind *kind = &schema->kinds[operation.kind];
    if (kind->positioned) {
        operation.position =
            test_chance(random, 80) ? generator->cursor++ : test_random_number(random);
    }
    grove_buffer content;
    grove_buffer_init(&content, &grove__allocator_system);
    for (size_t index = 0; index < kind->field_count; index++) {
        test_random_field(random, &content, kind->fields[index], kind->field_count == 1);
    }
    operation.content = test_copy(content.data, content.size);
    grove_buffer_release(&content);
    return operation;
}

static inline grove_event_id test_random_outside(test_generator *generator)
{
    test_random *random = generator->random;
    grove_event_id id;
    memset(&id, 0, sizeof id);
    const test_author *author =
        &generator->authors[test_random_below(random, generator->author_count)];
    if (author->base >= 100 && test_chance(random, 50)) {
        id.replica = author->replica;
        id.sequence = author->base - 1 - test_random_below(random, 100);
        return id;
    }
    id.replica.size = 2;
    id.replica.bytes[0] = 0xff;
    id.replica.bytes[1] = (uint8_t)test_random_below(random, 3);
    id.sequence = test_random_below(random, 1000);
    return id;
}

static inline bool test_id_equal(const grove_event_id *a, const grove_event_id *b)
{
    return a->sequence == b->sequence && grove__replica_equal(&a->replica, &b->replica);
}

/* Adds a parent unless the event has it. */
static inline void test_add_parent(grove_event_run *run, grove_event_id *parents,
                                   const grove_event_id *parent)
{
    for (size_t index = 0; index < run->parent_count; index++) {
        if (test_id_equal(&parents[index], parent)) {
            return;
        }
    }
    parents[run->parent_count++] = *parent;
}

/* Parents of event number `event` by this author. */
static inline void test_random_parents(test_generator *generator, grove_event_run *run,
                                       const test_author *author, size_t event)
{
    test_random *random = generator->random;
    const grove_event_run *runs = generator->history->runs;
    grove_event_id *parents = test_allocate(64 * sizeof *parents);
    unsigned choice = (unsigned)test_random_below(random, 100);
    run->parents = parents;
    run->parent_count = 0;
    if (event == 0) {
        if (author->next > 0 && choice < 50 && author->base == author->next) {
            grove_event_id before = {author->replica, author->next - 1};
            test_add_parent(run, parents, &before);
        } else if (choice < 80) {
            grove_event_id outside = test_random_outside(generator);
            test_add_parent(run, parents, &outside);
        }
        return;
    }
    if (choice < 60) {
        test_add_parent(run, parents, &runs[event - 1].first);
        return;
    }
    if (choice < 80 && author->last != SIZE_MAX) {
        test_add_parent(run, parents, &runs[author->last].first);
    } else if (choice < 82) {
        return;
    }
    size_t wanted = 1 + test_random_below(random, choice == 99 ? 40 : 3);
    for (size_t index = 0; index < wanted && choice >= 75; index++) {
        if (test_chance(random, 15)) {
            grove_event_id outside = test_random_outside(generator);
            test_add_parent(run, parents, &outside);
        } else {
            test_add_parent(run, parents, &runs[test_random_below(random, event)].first);
        }
    }
}

/* The time of an event of the history; of any other one that is its own. */
static inline uint64_t test_history_time(const test_history *history,
                                         const grove_event_id *id)
{
    for (size_t event = 0; event < history->count; event++) {
        if (test_id_equal(&history->runs[event].first, id)) {
            return history->times[event];
        }
    }
    return 1 + (id->sequence * 7 + id->replica.bytes[0] * 13u) % 2000;
}

static inline uint64_t test_history_time_after(const test_history *history,
                                               const grove_event_run *run)
{
    uint64_t time = history->type->timed != NULL ? 1 : 0;
    for (size_t index = 0; time > 0 && index < run->parent_count; index++) {
        uint64_t parent = test_history_time(history, &run->parents[index]);
        time = parent >= time ? parent + 1 : time;
    }
    return time;
}

static inline void test_generate_event(test_generator *generator, size_t event,
                                       test_author **author)
{
    static const int64_t gaps[] = {1, 1, 1000, 60000, -1000, 0};
    test_random *random = generator->random;
    test_history *history = generator->history;
    if (*author == NULL || test_chance(random, 12)) {
        *author = &generator->authors[test_random_below(random, generator->author_count)];
    }
    if (test_chance(random, 3)) {
        test_author_begin_range(generator, *author);
    }
    if (test_chance(random, 20)) {
        /* From the end of time to its beginning, too. */
        int64_t gap = gaps[test_random_below(random, sizeof gaps / sizeof *gaps)];
        generator->now = (int64_t)((uint64_t)generator->now + (uint64_t)gap);
    }
    grove_event_run *run = &history->runs[event];
    memset(run, 0, sizeof *run);
    run->first.replica = (*author)->replica;
    run->first.sequence = (*author)->next;
    run->timestamp = generator->now;
    test_random_parents(generator, run, *author, event);
    run->operation = history->type->schema == NULL ? test_random_typing(generator)
                                                   : test_random_schema(generator);
    history->times[event] = test_history_time_after(history, run);
    (*author)->next++;
    (*author)->last = event;
    if (run->parent_count == 0) {
        history->reach = 0;
    }
}

/* `count` events; 1 to GROVE_TESTS_REPLICAS_MAX replicas. */
static inline test_history test_history_generate(test_random *random,
                                                 const grove_document_type *type,
                                                 size_t count)
{
    static const int64_t starts[] = {INT64_C(1700000000000), 0, -5, INT64_MAX - 100000,
                                     INT64_C(1700000000123)};
    test_history history = {type, test_allocate(count * sizeof *history.runs),
                            test_allocate(count * sizeof *history.times), count, 1};
    memset(history.runs, 0, count * sizeof *history.runs);
    test_generator generator;
    memset(&generator, 0, sizeof generator);
    generator.random = random;
    generator.history = &history;
    generator.now = starts[test_random_below(random, sizeof starts / sizeof *starts)];
    generator.author_count = 1 + test_random_below(random, TEST_REPLICAS_MAX);
    for (size_t index = 0; index < generator.author_count; index++) {
        test_author_init(&generator, &generator.authors[index], index);
    }
    test_author *author = NULL;
    for (size_t event = 0; event < count; event++) {
        test_generate_event(&generator, event, &author);
    }
    return history;
}

static inline void test_history_free(test_history *history)
{
    for (size_t index = 0; index < history->count; index++) {
        free((void *)(uintptr_t)history->runs[index].parents);
        free((void *)(uintptr_t)history->runs[index].operation.content.data);
    }
    free(history->runs);
    free(history->times);
    history->runs = NULL;
}

/* Appends a run of the history's events, with the times of its parents. */
static inline grove_status test_history_append_run(const test_history *history,
                                                   const grove_event_run *run,
                                                   grove__events *events,
                                                   grove_error *error_out)
{
    uint64_t times[64];
    if (history->type->timed == NULL) {
        return grove__events_append(events, history->type, run, error_out);
    }
    for (size_t index = 0; index < run->parent_count; index++) {
        times[index] = test_history_time(history, &run->parents[index]);
    }
    return grove__events_append_timed(events, history->type, run, times, error_out);
}

/* Appends events `from` to `end` - 1 one by one. */
static inline void test_history_append(const test_history *history, size_t from,
                                       size_t end, grove__events *events)
{
    for (size_t index = from; index < end; index++) {
        grove_error error;
        grove_status status =
            test_history_append_run(history, &history->runs[index], events, &error);
        cr_assert_eq(status, GROVE_OK, "event %zu: %s", index,
                     status == GROVE_OK ? "" : error.message);
    }
}

static inline void test_operation_check_equal(const grove_operation *a,
                                              const grove_operation *b, size_t event)
{
    cr_assert_eq(a->kind, b->kind, "event %zu: kind %u, %u", event, a->kind, b->kind);
    cr_assert_eq(a->count, b->count, "event %zu", event);
    cr_assert_eq(a->position, b->position, "event %zu", event);
    cr_assert(grove__bytes_equal(a->content, b->content), "event %zu", event);
}

/* The event of a history that a run of a list begins with, parents and all. */
static inline void test_run_check_begin(const grove_event_run *run,
                                        const grove_event_run *expected, size_t event)
{
    cr_assert(test_id_equal(&run->first, &expected->first), "event %zu", event);
    cr_assert_eq(run->parent_count, expected->parent_count, "event %zu: %zu, %zu", event,
                 run->parent_count, expected->parent_count);
    for (size_t index = 0; index < run->parent_count; index++) {
        cr_assert(test_id_equal(&run->parents[index], &expected->parents[index]),
                  "event %zu, parent %zu", event, index);
    }
}

/* The list is exactly events `from` to `end` - 1 of the history. */
static inline void test_history_check(const test_history *history, size_t from,
                                      size_t end, grove__events *events)
{
    const grove_document_type *type = history->type;
    grove_event_id *room = test_allocate(GROVE_EVENT_PARENTS_MAX * sizeof *room);
    grove__events_cursor cursor;
    grove_event_run run;
    size_t event = from;
    cr_assert_eq(events->count, end - from);
    grove__events_cursor_init(&cursor, events, type, room);
    while (grove__events_cursor_next(&cursor, &run)) {
        grove_operation rest = run.operation;
        uint32_t count = run.operation.count;
        cr_assert_leq(count, end - event);
        test_run_check_begin(&run, &history->runs[event], event);
        for (uint32_t index = 0; index < count; index++, event++) {
            const grove_event_run *expected = &history->runs[event];
            grove_operation first = rest;
            if (index + 1 < count) {
                grove_operation whole = rest;
                type->operation_cut(type, &whole, 1, &first, &rest);
            }
            grove_event_id id = {run.first.replica, run.first.sequence + index};
            cr_assert(test_id_equal(&id, &expected->first), "event %zu", event);
            cr_assert_eq(run.timestamp, expected->timestamp, "event %zu", event);
            if (index > 0) {
                cr_assert_eq(expected->parent_count, 1, "event %zu", event);
                cr_assert(
                    test_id_equal(expected->parents, &history->runs[event - 1].first));
            }
            test_operation_check_equal(&first, &expected->operation, event);
        }
    }
    cr_assert_eq(event, end);
    for (uint32_t index = 0; index < events->count; index++) {
        cr_assert_eq(grove__event_ids_time(events, index), history->times[from + index],
                     "event %zu", from + index);
    }
    free(room);
}

/* Two lists are the same, run by run; replicas may be numbered otherwise. */
static inline void test_events_check_same(grove__events *a, grove__events *b)
{
    cr_assert_eq(a->count, b->count);
    cr_assert_eq(a->id_run_count, b->id_run_count);
    for (size_t index = 0; index < a->id_run_count; index++) {
        const grove__id_run *left = &a->id_runs[index];
        const grove__id_run *right = &b->id_runs[index];
        cr_assert(grove__replica_equal(&a->replicas[left->replica],
                                       &b->replicas[right->replica]));
        cr_assert_eq(left->count, right->count);
        cr_assert_eq(left->sequence, right->sequence);
        cr_assert_eq(left->event, right->event);
    }
    cr_assert_eq(a->parent_run_count, b->parent_run_count);
    for (size_t index = 0; index < a->parent_run_count; index++) {
        const grove__parent_run *left = &a->parent_runs[index];
        const grove__parent_run *right = &b->parent_runs[index];
        cr_assert_eq(left->event, right->event);
        cr_assert_eq(left->count, right->count);
        cr_assert_eq(left->time, right->time);
        for (uint32_t each = 0; each < left->count; each++) {
            grove__parent p = a->parents[left->first + each];
            grove__parent q = b->parents[right->first + each];
            bool is_inside = p.replica == GROVE__PARENT_INSIDE;
            cr_assert_eq(p.sequence, q.sequence);
            cr_assert_eq(p.time, q.time);
            cr_assert_eq(is_inside, q.replica == GROVE__PARENT_INSIDE);
            cr_assert(is_inside || grove__replica_equal(&a->replicas[p.replica],
                                                        &b->replicas[q.replica]));
        }
    }
    cr_assert_eq(a->time_run_count, b->time_run_count);
    for (size_t index = 0; index < a->time_run_count; index++) {
        cr_assert_eq(a->time_runs[index].timestamp, b->time_runs[index].timestamp);
        cr_assert_eq(a->time_runs[index].count, b->time_runs[index].count);
    }
    grove_operations left = grove__events_operations(a);
    grove_operations right = grove__events_operations(b);
    cr_assert_eq(left.count, right.count);
    for (size_t index = 0; index < left.count; index++) {
        test_operation_check_equal(&left.items[index], &right.items[index], index);
    }
}

/* E1 and E2, by looking at each run. */
static inline void test_events_check_runs(grove__events *events,
                                          const grove_document_type *type)
{
    bool *begins = test_allocate(events->count * sizeof *begins);
    memset(begins, 0, events->count * sizeof *begins);
    uint32_t at = 0;
    for (size_t index = 0; index < events->id_run_count; index++) {
        const grove__id_run *run = &events->id_runs[index];
        cr_assert_eq(run->event, at);
        cr_assert_gt(run->count, 0);
        cr_assert(index == 0 || run[-1].replica != run->replica ||
                      run[-1].sequence + run[-1].count != run->sequence,
                  "E1: id run %zu", index);
        begins[at] = true;
        at += run->count;
    }
    cr_assert_eq(at, events->count);
    for (size_t index = 0; index < events->parent_run_count; index++) {
        const grove__parent_run *run = &events->parent_runs[index];
        cr_assert(index == 0 ? run->event == 0 : run->event > run[-1].event);
        cr_assert_lt(run->event, events->count);
        begins[run->event] = true;
    }
    at = 0;
    for (size_t index = 0; index < events->time_run_count; index++) {
        const grove__time_run *run = &events->time_runs[index];
        cr_assert_gt(run->count, 0);
        cr_assert(index == 0 || run[-1].timestamp != run->timestamp, "E1: time run");
        at += run->count;
    }
    cr_assert_eq(at, events->count);
    grove_operations operations = grove__events_operations(events);
    at = 0;
    for (size_t index = 0; index < operations.count; index++) {
        const grove_operation *item = &operations.items[index];
        if (index > 0 && !begins[at]) {
            grove_operation last = item[-1];
            grove_operation first = *item;
            grove_operation rest;
            if (item->count > 1) {
                type->operation_cut(type, item, 1, &first, &rest);
            }
            cr_assert_not(type->operation_join(type, &last, &first),
                          "E1: operation %zu takes what comes after", index - 1);
        }
        for (uint32_t each = 1; each < item->count; each++) {
            cr_assert_not(begins[at + each], "E2: operation %zu", index);
        }
        at += item->count;
    }
    cr_assert_eq(at, events->count);
    free(begins);
}

/* E3 to E5, by looking at each pair. */
static inline void test_events_check_ids(const grove__events *events)
{
    for (size_t index = 0; index < events->id_run_count; index++) {
        const grove__id_run *run = &events->id_runs[index];
        for (size_t other = 0; other < index; other++) {
            const grove__id_run *before = &events->id_runs[other];
            cr_assert(run->replica != before->replica ||
                          run->sequence >= before->sequence + before->count ||
                          before->sequence >= run->sequence + run->count,
                      "E5: id runs %zu and %zu", other, index);
        }
    }
    for (size_t index = 0; index < events->parent_run_count; index++) {
        const grove__parent_run *run = &events->parent_runs[index];
        const grove__parent *parents = &events->parents[run->first];
        for (uint32_t each = 0; each < run->count; each++) {
            for (uint32_t other = 0; other < each; other++) {
                cr_assert(parents[each].replica != parents[other].replica ||
                              parents[each].sequence != parents[other].sequence,
                          "E4: event %u", run->event);
            }
            if (parents[each].replica == GROVE__PARENT_INSIDE) {
                cr_assert_lt(parents[each].sequence, run->event);
                cr_assert(run->count > 1 || parents[each].sequence + 1 != run->event,
                          "E3: event %u needs no entry", run->event);
                continue;
            }
            for (size_t id = 0; id < events->id_run_count; id++) {
                const grove__id_run *ids = &events->id_runs[id];
                cr_assert(ids->replica != parents[each].replica ||
                              parents[each].sequence < ids->sequence ||
                              parents[each].sequence >= ids->sequence + ids->count,
                          "E3: event %u", run->event);
            }
        }
    }
}

static inline void test_events_check(grove__events *events,
                                     const grove_document_type *type)
{
    test_events_check_runs(events, type);
    test_events_check_ids(events);
}

#endif
