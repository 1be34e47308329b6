/*
 * Real and made histories, from the directory that GROVE_TRACES names: small
 * ones against a matrix of ancestors, large ones against what others counted.
 */
#include <criterion/criterion.h>
#include <jansson.h>

#include "model.h"
#include "support/trace.h"

enum { MATRIX_EVENTS_MAX = 512 };

/* ancestors[a][b]: b is an ancestor of a, or a itself. */
typedef struct ancestor_matrix {
    uint32_t count;
    bool ancestors[MATRIX_EVENTS_MAX][MATRIX_EVENTS_MAX];
} ancestor_matrix;

static uint64_t number_of(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static uint32_t intern(grove__graph *graph, const char *name)
{
    grove_replica replica = {.size = (uint8_t)strlen(name)};
    memcpy(replica.bytes, name, replica.size);
    uint32_t number;
    cr_assert_eq(grove__ids_intern(&graph->ids, &replica, &number, NULL), GROVE_OK);
    return number;
}

static void add_run(graph_subject *subject, uint32_t replica, uint64_t sequence,
                    uint64_t count, grove__frontier parents)
{
    grove__arrival arrival = {replica, sequence, count, parents, 0};
    grove__verdict verdict;
    grove_error error = {0};
    uint64_t end = subject->graph.end;
    cr_assert_eq(
        grove__arrival_add(&subject->graph, &subject->walk, &arrival, &verdict, &error),
        GROVE_OK, "at clock %llu: %s", (unsigned long long)end, error.message);
    cr_assert_eq(verdict.clock, end);
}

/* One transaction of a conformance case, into the graph and the matrix. */
static void add_txn(graph_subject *subject, ancestor_matrix *matrix, const json_t *txn)
{
    static uint64_t parents[MATRIX_EVENTS_MAX];
    const json_t *span = json_object_get(txn, "span");
    uint32_t from = (uint32_t)json_integer_value(json_array_get(span, 0));
    uint32_t end = (uint32_t)json_integer_value(json_array_get(span, 1));
    const json_t *parent_list = json_object_get(txn, "parents");
    size_t parent_count = json_array_size(parent_list);
    cr_assert(from == matrix->count && end > from && end <= MATRIX_EVENTS_MAX);
    for (uint32_t event = from; event < end; event++) {
        memset(matrix->ancestors[event], 0, sizeof matrix->ancestors[event]);
        matrix->ancestors[event][event] = true;
        for (size_t index = 0; event == from && index < parent_count; index++) {
            parents[index] =
                (uint64_t)json_integer_value(json_array_get(parent_list, index));
            for (uint32_t other = 0; other <= parents[index]; other++) {
                matrix->ancestors[event][other] |=
                    matrix->ancestors[parents[index]][other];
            }
        }
        for (uint32_t other = 0; event > from && other < event; other++) {
            matrix->ancestors[event][other] = matrix->ancestors[event - 1][other];
        }
    }
    matrix->count = end;
    uint32_t replica =
        intern(&subject->graph, json_string_value(json_object_get(txn, "agent")));
    add_run(subject, replica, number_of(txn, "seqStart"), end - from,
            (grove__frontier){parents, parent_count});
}

static bool is_in(grove__ranges ranges, uint64_t clock)
{
    for (size_t index = 0; index < ranges.count; index++) {
        if (ranges.items[index].from <= clock && clock < ranges.items[index].end) {
            return true;
        }
    }
    return false;
}

static void check_pairs(graph_subject *subject, const ancestor_matrix *matrix,
                        test_random *random)
{
    for (int pick = 0; pick < 200; pick++) {
        uint64_t a = test_random_below(random, matrix->count);
        uint64_t b = test_random_below(random, matrix->count);
        bool contains;
        cr_assert_eq(grove__version_contains(&subject->walk, (grove__frontier){&a, 1}, b,
                                             &contains, NULL),
                     GROVE_OK);
        cr_assert_eq(contains, matrix->ancestors[a][b]);
        grove__ranges only_a;
        grove__ranges only_b;
        cr_assert_eq(grove__difference_find(&subject->walk, (grove__frontier){&a, 1},
                                            (grove__frontier){&b, 1}, &only_a, &only_b,
                                            NULL),
                     GROVE_OK);
        for (uint32_t event = 0; event < matrix->count; event++) {
            bool in_a = matrix->ancestors[a][event];
            bool in_b = matrix->ancestors[b][event];
            cr_assert_eq(is_in(only_a, event), in_a && !in_b);
            cr_assert_eq(is_in(only_b, event), in_b && !in_a);
        }
    }
}

static void check_critical(const graph_subject *subject, const ancestor_matrix *matrix)
{
    grove__range_list clocks = {0};
    cr_assert_eq(
        grove__critical_all(&subject->graph, &grove__allocator_system, &clocks, NULL),
        GROVE_OK);
    for (uint32_t clock = 1; clock <= matrix->count; clock++) {
        bool is_critical = true;
        for (uint32_t event = 0; event < matrix->count; event++) {
            is_critical =
                is_critical && (event < clock ? matrix->ancestors[clock - 1][event]
                                              : matrix->ancestors[event][clock - 1]);
        }
        cr_assert_eq(is_in(grove__range_list_view(&clocks), clock), is_critical);
    }
    grove__range_list_release(&clocks, &grove__allocator_system);
}

/* Each event once, and after all its ancestors. */
static void check_order(graph_subject *subject, const ancestor_matrix *matrix)
{
    grove__range all = {0, matrix->count};
    cr_assert_eq(grove__order_make(&subject->order, &subject->graph,
                                   (grove__ranges){&all, 1}, NULL),
                 GROVE_OK);
    static bool done[MATRIX_EVENTS_MAX];
    memset(done, 0, sizeof done);
    uint32_t count = 0;
    for (size_t index = 0; index < subject->order.ranges.count; index++) {
        grove__range range = subject->order.ranges.items[index];
        for (uint64_t event = range.from; event < range.end; event++) {
            cr_assert_not(done[event]);
            done[event] = true;
            count++;
            for (uint32_t other = 0; other < matrix->count; other++) {
                cr_assert(done[other] || !matrix->ancestors[event][other]);
            }
        }
    }
    cr_assert_eq(count, matrix->count);
}

Test(traces, conformance_graphs_are_what_a_matrix_of_ancestors_says)
{
    grove_buffer text;
    grove_buffer_init(&text, &grove__allocator_system);
    trace_read("conformance-100.jsonl.gz", &text);
    test_random random = test_random_of("conformance");
    static ancestor_matrix matrix;
    size_t offset = 0;
    uint32_t cases = 0;
    while (offset + 1 < text.size) {
        json_error_t error;
        json_t *json = json_loadb((const char *)text.data + offset, text.size - offset,
                                  JSON_DISABLE_EOF_CHECK, &error);
        cr_assert_not_null(json, "case %u is not JSON", cases);
        offset += (size_t)error.position;
        graph_model none = {0};
        graph_subject subject;
        subject_init(&subject, &none, 0, &grove__allocator_system);
        matrix.count = 0;
        size_t index;
        const json_t *txn;
        json_array_foreach(json_object_get(json, "txns"), index, txn)
        {
            add_txn(&subject, &matrix, txn);
        }
        check_pairs(&subject, &matrix, &random);
        check_critical(&subject, &matrix);
        check_order(&subject, &matrix);
        subject_release(&subject);
        json_decref(json);
        cases++;
    }
    cr_assert_eq(cases, 100);
    grove_buffer_release(&text);
}

static uint64_t count_code_points(const json_t *string)
{
    uint64_t count = 0;
    const char *bytes = json_string_value(string);
    for (size_t index = 0; index < json_string_length(string); index++) {
        count += ((unsigned char)bytes[index] & 0xc0) != 0x80;
    }
    return count;
}

static uint64_t count_events(const json_t *txn)
{
    uint64_t count = 0;
    size_t index;
    const json_t *patch;
    json_array_foreach(json_object_get(txn, "patches"), index, patch)
    {
        count += (uint64_t)json_integer_value(json_array_get(patch, 1)) +
                 count_code_points(json_array_get(patch, 2));
    }
    return count;
}

/* A concurrent trace into a graph. Transactions without events stand for
 * their parents. */
static void import_trace(graph_subject *subject, const char *name)
{
    grove_buffer text;
    grove_buffer_init(&text, &grove__allocator_system);
    trace_read(name, &text);
    json_t *trace = json_loadb((const char *)text.data, text.size, JSON_ALLOW_NUL, NULL);
    cr_assert_not_null(trace);
    grove_buffer_release(&text);
    graph_model none = {0};
    subject_init(subject, &none, 0, &grove__allocator_system);
    const json_t *txns = json_object_get(trace, "txns");
    uint64_t *last = calloc(json_array_size(txns), sizeof *last);
    cr_assert_not_null(last);
    size_t index;
    const json_t *txn;
    json_array_foreach(txns, index, txn)
    {
        char agent[32];
        (void)snprintf(agent, sizeof agent, "%llu",
                       (unsigned long long)number_of(txn, "agent"));
        uint32_t replica = intern(&subject->graph, agent);
        uint64_t parents[64];
        const json_t *list = json_object_get(txn, "parents");
        size_t count = json_array_size(list);
        cr_assert_leq(count, 64);
        for (size_t parent = 0; parent < count; parent++) {
            parents[parent] = last[json_integer_value(json_array_get(list, parent))];
        }
        uint64_t events = count_events(txn);
        if (events == 0) {
            cr_assert_eq(count, 1);
            last[index] = parents[0];
            continue;
        }
        add_run(subject, replica, grove__ids_next_sequence(&subject->graph.ids, replica),
                events, (grove__frontier){parents, count});
        last[index] = subject->graph.end - 1;
    }
    free(last);
    json_decref(trace);
}

static void expect_counts(const graph_subject *subject, uint64_t events, size_t runs,
                          uint64_t critical_events, size_t critical_ranges)
{
    cr_expect_eq(subject->graph.end, events);
    cr_expect_eq(subject->graph.run_count, runs, "%zu runs", subject->graph.run_count);
    grove__range_list clocks = {0};
    cr_assert_eq(
        grove__critical_all(&subject->graph, &grove__allocator_system, &clocks, NULL),
        GROVE_OK);
    uint64_t count = 0;
    for (size_t index = 0; index < clocks.count; index++) {
        count += clocks.items[index].end - clocks.items[index].from;
    }
    /* Clock 0 is no event. */
    cr_expect_eq(count - 1, critical_events, "%llu events",
                 (unsigned long long)count - 1);
    cr_expect_eq(clocks.count, critical_ranges, "%zu ranges", clocks.count);
    grove__range_list_release(&clocks, &grove__allocator_system);
}

Test(traces, friendsforever_is_critical_where_it_is_known_to_be)
{
    graph_subject subject;
    import_trace(&subject, "friendsforever.json.gz");
    expect_counts(&subject, 26078, 2405, 9178, 147);
    cr_expect_lt(subject.walk.steps, 4 * subject.graph.run_count);
    subject_release(&subject);
}

Test(traces, a2_is_critical_at_54_events)
{
    graph_subject subject;
    import_trace(&subject, "A2.json.gz");
    expect_counts(&subject, 697638, 2007, 54, 3);
    cr_expect_lt(subject.walk.steps, 30 * subject.graph.run_count);
    subject_release(&subject);
}
