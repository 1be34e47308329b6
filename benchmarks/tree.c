/*
 * Trees: replay of histories of several shapes, moves that were all made at
 * once, loading from a snapshot, memory, and bytes at rest.
 *
 * Histories are made through the public interface by handles of one store that
 * know more or less of one another, from a seed, and loaded without a
 * snapshot. All attributes hold booleans and nulls, so that what is measured of
 * bytes is the tree.
 */
#include <stdlib.h>
#include <unistd.h>

#include <grove/sys/bytes.h>

#include "bench.h"
#include "memory.h"
#include "tree.h"

enum {
    WRITERS_MAX = 10,
    PUT_PERCENT = 60,
    SET_PERCENT = 25,
    MOVE_PERCENT = 10,
    SEALED_LEVEL = 19
};

/* A source of numbers that is the same everywhere (SplitMix64). */
typedef struct numbers {
    uint64_t state;
} numbers;

static uint64_t next_number(numbers *from, uint64_t below)
{
    from->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = from->state;
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return (mixed ^ mixed >> 31) % below;
}

static const grove_bytes NO_METADATA = {NULL, 0};

static grove_document *open_tree(grove_store *store, const char *id, bool makes_snapshot)
{
    return bench_document_of(store, grove_type_tree(), id, makes_snapshot);
}

static grove_node some_node(grove_document *tree, numbers *from, bool may_be_root)
{
    uint64_t count = 0;
    grove_error error;
    bench_must(grove_tree_count(tree, &count, &error), &error, "counting nodes");
    uint64_t least = may_be_root ? 0 : 1;
    return (grove_node)(least + next_number(from, count - least));
}

static grove_node put(grove_document *tree, numbers *from)
{
    static const char *const TYPES[] = {"section", "paragraph", "list", "item"};
    grove_attribute attribute = {grove_bytes_of("done"),
                                 grove_value_boolean(next_number(from, 2) == 0)};
    grove_tree_item item = {
        {NULL, 0}, grove_bytes_of(TYPES[next_number(from, 4)]), &attribute, 1};
    grove_tree_place place = {some_node(tree, from, true), GROVE_TREE_LAST, 0};
    grove_node node;
    grove_error error;
    bench_must(grove_tree_put(tree, &item, place, NO_METADATA, &node, &error), &error,
               "putting a node");
    return node;
}

/* Moves a node to where it may be; what would be below itself is tried anew. */
static void move(grove_document *tree, numbers *from)
{
    grove_status status = GROVE_INVALID;
    grove_error error;
    while (status == GROVE_INVALID) {
        grove_tree_place place = {some_node(tree, from, true), GROVE_TREE_LAST, 0};
        status = grove_tree_move(tree, some_node(tree, from, false), place, NO_METADATA,
                                 &error);
    }
    bench_must(status, &error, "moving a node");
}

static void set(grove_document *tree, numbers *from)
{
    static const char *const NAMES[] = {"done", "folded", "marked"};
    grove_value value =
        next_number(from, 2) == 0 ? grove_value_null() : grove_value_boolean(true);
    grove_error error;
    bench_must(grove_tree_set(tree, some_node(tree, from, false),
                              grove_bytes_of(NAMES[next_number(from, 3)]), &value,
                              NO_METADATA, &error),
               &error, "setting an attribute");
}

static void delete_or_restore(grove_document *tree, numbers *from)
{
    grove_node node = some_node(tree, from, false);
    grove_error error;
    grove_status status = grove_tree_delete(tree, node, NO_METADATA, &error);
    if (status == GROVE_NONE) {
        status = grove_tree_restore(tree, node, NO_METADATA, &error);
    }
    bench_must(status, &error, "deleting or restoring a node");
}

static void edit(grove_document *tree, numbers *from, uint64_t events)
{
    for (uint64_t made = 0; made < events; made++) {
        uint64_t kind = next_number(from, 100);
        uint64_t count = 0;
        grove_error error;
        bench_must(grove_tree_count(tree, &count, &error), &error, "counting nodes");
        if (kind < PUT_PERCENT || count < 2) {
            (void)put(tree, from);
        } else if (kind < PUT_PERCENT + SET_PERCENT) {
            set(tree, from);
        } else if (kind < PUT_PERCENT + SET_PERCENT + MOVE_PERCENT) {
            move(tree, from);
        } else {
            delete_or_restore(tree, from);
        }
    }
}

static void refresh(grove_document *tree)
{
    grove_error error;
    bench_must(grove_document_refresh(tree, NULL, &error), &error, "refreshing");
}

/* --- histories --- */

static void make_sequential(grove_store *store, uint64_t events)
{
    numbers from = {1};
    grove_document *tree = open_tree(store, "sequential", false);
    edit(tree, &from, events);
    bench_document_save(tree);
    grove_document_close(tree);
}

/*
 * Five replicas in rounds. Four go on from one another; the fifth begins with
 * the first and is the last to save, so that a fifth of all events arrive after
 * events that come later in the order.
 */
static void make_reordered(grove_store *store, uint64_t events)
{
    enum { WRITERS = 5, STRETCH = 40 };
    numbers from = {2};
    grove_document *trees[WRITERS];
    for (size_t index = 0; index < WRITERS; index++) {
        trees[index] = open_tree(store, "reordered", false);
    }
    for (uint64_t made = 0; made < events; made += (uint64_t)WRITERS * STRETCH) {
        refresh(trees[WRITERS - 1]);
        edit(trees[WRITERS - 1], &from, STRETCH);
        for (size_t index = 0; index + 1 < WRITERS; index++) {
            refresh(trees[index]);
            edit(trees[index], &from, STRETCH);
            bench_document_save(trees[index]);
        }
        bench_document_save(trees[WRITERS - 1]);
    }
    for (size_t index = 0; index < WRITERS; index++) {
        grove_document_close(trees[index]);
    }
}

/* Ten replicas that know a few nodes, and nothing of one another. */
static void make_concurrent(grove_store *store, uint64_t events)
{
    enum { COMMON = 100 };
    numbers from = {3};
    grove_document *trees[WRITERS_MAX];
    trees[0] = open_tree(store, "concurrent", false);
    for (int index = 0; index < COMMON; index++) {
        (void)put(trees[0], &from);
    }
    bench_document_save(trees[0]);
    for (size_t index = 1; index < WRITERS_MAX; index++) {
        trees[index] = open_tree(store, "concurrent", false);
    }
    for (size_t index = 0; index < WRITERS_MAX; index++) {
        edit(trees[index], &from, events / WRITERS_MAX);
    }
    for (size_t index = 0; index < WRITERS_MAX; index++) {
        bench_document_save(trees[index]);
        grove_document_close(trees[index]);
    }
}

static void measure_replay(bench *run, grove_store *store, const char *id, double limit)
{
    uint64_t events = bench_statistics(store, id).events;
    bench_samples *times = bench_allocate(sizeof *times);
    times->count = 0;
    double loop_begun = bench_now_us();
    while (bench_goes_on(run, times, loop_begun, 5)) {
        double begun = bench_now_us();
        grove_document *tree = bench_document_load(store, id);
        bench_add(times, bench_now_us() - begun);
        grove_document_close(tree);
    }
    char row[96];
    (void)snprintf(row, sizeof row, "load without snapshot, tree, %s", id);
    bench_row(run, "tree", row, events, times);
    (void)snprintf(row, sizeof row, "tree-replay-%s", id);
    bench_bar(run, row, bench_median(times) / (double)events, limit, "us an event",
              false);
    free(times);
}

/* --- bytes --- */

static void measure_bytes(bench *run, grove_store *store)
{
    grove_error error;
    grove_document_statistics stored = bench_statistics(store, "sequential");
    double bytes = (double)stored.batch_bytes / (double)stored.events;
    bench_value(run, "tree", "bytes of an event, as saved", stored.events, bytes,
                "bytes");
    bench_bar(run, "tree-event-bytes", bytes, 6, "bytes an event", false);
    grove_document *tree = bench_document_load(store, "sequential");
    bench_must(grove_document_seal(tree, NULL, NULL, &error), &error, "sealing");
    grove_document_close(tree);
    stored = bench_statistics(store, "sequential");
    bytes = (double)stored.batch_bytes / (double)stored.events;
    bench_value(run, "tree", "bytes of an event, sealed", stored.events, bytes, "bytes");
}

/* --- a snapshot --- */

static void make_snapshot(grove_store *store, uint64_t nodes, uint64_t after)
{
    numbers from = {4};
    grove_document *tree = open_tree(store, "snapshot", true);
    for (uint64_t index = 0; index < nodes; index++) {
        (void)put(tree, &from);
    }
    bench_document_save(tree);
    grove_document_close(tree);
    tree = open_tree(store, "snapshot", false);
    edit(tree, &from, after);
    bench_document_save(tree);
    grove_document_close(tree);
}

int tree_load_and_time(const char *path, const char *id)
{
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    options.must_exist = true;
    options.durability = GROVE_DURABILITY_NONE;
    grove_store *store;
    grove_error error;
    bench_must(grove_store_open(path, &options, &store, &error), &error, path);
    double begun = bench_now_us();
    grove_document *tree = bench_document_load(store, id);
    (void)printf("%.1f\n", bench_now_us() - begun);
    grove_document_close(tree);
    grove_store_close(store);
    return EXIT_SUCCESS;
}

/* A load in a process of its own, in microseconds. */
static double first_load(bench *run, const char *id)
{
    char program[BENCH_PATH_BYTES];
    ssize_t bytes = readlink("/proc/self/exe", program, sizeof program - 1);
    bench_need(bytes > 0, "finding this program");
    program[bytes] = '\0';
    char store[BENCH_PATH_BYTES];
    bench_path(run, "tree", store);
    char command[3 * BENCH_PATH_BYTES];
    (void)snprintf(command, sizeof command, "'%s' %s '%s' %s", program, TREE_WORD, store,
                   id);
    FILE *told = popen(command, "r");
    char line[128];
    bench_need(told != NULL && fgets(line, sizeof line, told) != NULL,
               "hearing of a load");
    bench_need(pclose(told) == 0, "loading in a process of its own");
    return strtod(line, NULL);
}

static void measure_snapshot(bench *run, grove_store *store, uint64_t nodes)
{
    grove_document_statistics stored = bench_statistics(store, "snapshot");
    bench_samples *times = bench_allocate(2 * sizeof *times);
    times[0].count = 0;
    times[1].count = 0;
    double loop_begun = bench_now_us();
    while (bench_goes_on(run, &times[0], loop_begun, 7)) {
        bench_add(&times[0], first_load(run, "snapshot"));
    }
    loop_begun = bench_now_us();
    while (bench_goes_on(run, &times[1], loop_begun, 7)) {
        double begun = bench_now_us();
        grove_document *tree = bench_document_load(store, "snapshot");
        bench_add(&times[1], bench_now_us() - begun);
        grove_document_close(tree);
    }
    bench_row(run, "tree", "load of a snapshot, first in a process", nodes, &times[0]);
    bench_row(run, "tree", "load of a snapshot, warm", nodes, &times[1]);
    bench_bar(run, "tree-load-first", bench_median(&times[0]) / 1000, 45, "ms", false);
    bench_bar(run, "tree-load-warm", bench_median(&times[1]) / 1000, 25, "ms", false);
    bench_bar(run, "tree-snapshot-bytes",
              (double)stored.newest_snapshot_bytes / (double)nodes, 12, "bytes a node",
              false);
    free(times);
}

static void measure_memory(bench *run, uint64_t nodes)
{
    memory_count counted = {0, 0};
    grove_allocator allocator = memory_counting(&counted);
    grove_store *store = bench_store(run, "tree", GROVE_DURABILITY_NONE, &allocator);
    size_t before = counted.bytes;
    grove_document *tree = bench_document_load(store, "snapshot");
    double bytes = (double)(counted.bytes - before) / (double)nodes;
    bench_bar(run, "tree-memory", bytes, 200, "bytes a node with one attribute", false);
    grove_document_close(tree);
    grove_store_close(store);
}

/* --- moves that were made at once --- */

enum { MOVERS = 10, ORDERS = 10 };

/* The exports of a common tree and of each mover's moves on it. */
typedef struct moves {
    grove_buffer common;
    grove_buffer made[MOVERS];
} moves;

static bool keep_bytes(void *context, grove_bytes bytes)
{
    grove_buffer *kept = context;
    grove_buffer_append(kept, bytes.data, bytes.size);
    return !kept->failed;
}

/* A tree in a store of its own, of what was exported. */
static grove_document *import_tree(grove_store *store, const char *id,
                                   const grove_buffer *common)
{
    grove_error error;
    grove_document *tree = open_tree(store, id, false);
    bench_must(grove_document_import(tree, grove_buffer_view(common), NULL, &error),
               &error, "importing a tree");
    return tree;
}

static void export_tree(grove_document *tree, grove_buffer *bytes_out)
{
    grove_error error;
    bench_document_save(tree);
    bench_must(grove_document_export(tree, NULL, keep_bytes, bytes_out, &error), &error,
               "exporting");
}

static void make_moves(grove_store *store, uint64_t nodes, uint64_t count, moves *made)
{
    numbers from = {5};
    grove_document *tree = open_tree(store, "common", false);
    for (uint64_t index = 0; index < nodes; index++) {
        (void)put(tree, &from);
    }
    export_tree(tree, &made->common);
    grove_document_close(tree);
    for (size_t mover = 0; mover < MOVERS; mover++) {
        char id[32];
        (void)snprintf(id, sizeof id, "mover-%zu", mover);
        tree = import_tree(store, id, &made->common);
        for (uint64_t index = 0; index < count / MOVERS; index++) {
            move(tree, &from);
        }
        export_tree(tree, &made->made[mover]);
        grove_document_close(tree);
    }
}

/* Imports the moves of one after the other, in a random order; microseconds. */
static double deliver(grove_store *store, const moves *made, numbers *from,
                      uint8_t digest_out[GROVE_DIGEST_BYTES])
{
    grove_error error;
    size_t order[MOVERS];
    for (size_t index = 0; index < MOVERS; index++) {
        size_t other = (size_t)next_number(from, index + 1);
        order[index] = order[other];
        order[other] = index;
    }
    grove_document *tree = import_tree(store, "receiver", &made->common);
    double begun = bench_now_us();
    for (size_t index = 0; index < MOVERS; index++) {
        bench_must(grove_document_import(
                       tree, grove_buffer_view(&made->made[order[index]]), NULL, &error),
                   &error, "importing moves");
    }
    double us = bench_now_us() - begun;
    bench_must(grove_tree_digest(tree, digest_out, &error), &error, "a digest");
    grove_document_close(tree);
    return us;
}

static void measure_moves(bench *run, uint64_t nodes, uint64_t count)
{
    memory_count counted = {0, 0};
    grove_allocator allocator = memory_counting(&counted);
    grove_store *store =
        bench_store(run, "tree-moves", GROVE_DURABILITY_NONE, &allocator);
    moves made;
    grove_buffer_init(&made.common, &allocator);
    for (size_t index = 0; index < MOVERS; index++) {
        grove_buffer_init(&made.made[index], &allocator);
    }
    make_moves(store, nodes, count, &made);
    numbers from = {6};
    bench_samples *times = bench_allocate(sizeof *times);
    times->count = 0;
    uint8_t first[GROVE_DIGEST_BYTES];
    uint8_t digest[GROVE_DIGEST_BYTES];
    for (int order = 0; order < ORDERS; order++) {
        bench_add(times, deliver(store, &made, &from, order == 0 ? first : digest));
        bench_need(order == 0 || memcmp(first, digest, sizeof first) == 0,
                   "comparing the trees that two orders of arrival make");
    }
    bench_row(run, "tree", "moves made at once, 1,000 at a time", count, times);
    bench_bar(run, "tree-moves", bench_median(times) / (double)count, 5, "us a move",
              false);
    free(times);
    for (size_t index = 0; index < MOVERS; index++) {
        grove_buffer_release(&made.made[index]);
    }
    grove_buffer_release(&made.common);
    grove_store_close(store);
}

void bench_tree(bench *run)
{
    bench_title("Trees");
    bool is_tiny = run->options.size == BENCH_TINY;
    uint64_t events = is_tiny ? 2000 : 100000;
    grove_store *store = bench_store(run, "tree", GROVE_DURABILITY_NONE, NULL);
    make_sequential(store, events);
    measure_replay(run, store, "sequential", 0.6);
    make_reordered(store, events);
    measure_replay(run, store, "reordered", 1.2);
    make_concurrent(store, events);
    measure_replay(run, store, "concurrent", 2.0);
    measure_bytes(run, store);
    make_snapshot(store, events, events / 100);
    measure_snapshot(run, store, events);
    grove_store_close(store);
    measure_memory(run, events);
    measure_moves(run, is_tiny ? 100 : 1000, is_tiny ? 1000 : 10000);
}
