/*
 * Peak memory of a load, in a fresh process: one that had made the document
 * would have memory at hand that no peak shows.
 */
#include "memory.h"

#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

static void count(memory_count *counted, size_t taken, size_t returned)
{
    counted->bytes += taken;
    counted->bytes -= returned;
    if (counted->bytes > counted->peak_bytes) {
        counted->peak_bytes = counted->bytes;
    }
}

static void *take(void *context, size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory != NULL) {
        count(context, bytes, 0);
    }
    return memory;
}

static void *change(void *context, void *memory, size_t bytes_old, size_t bytes_new)
{
    void *changed = realloc(memory, bytes_new);
    if (changed != NULL) {
        count(context, bytes_new, bytes_old);
    }
    return changed;
}

static void give_back(void *context, void *memory, size_t bytes)
{
    if (memory != NULL) {
        count(context, 0, bytes);
        free(memory);
    }
}

grove_allocator memory_counting(memory_count *counted)
{
    return (grove_allocator){counted, take, change, give_back};
}

/* VmHWM of this process in bytes; 0 where the system does not tell. */
static size_t peak_resident(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    unsigned long long kilobytes = 0;
    while (status != NULL && kilobytes == 0 && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            kilobytes = strtoull(line + 6, NULL, 10);
        }
    }
    if (status != NULL) {
        (void)fclose(status);
    }
    return (size_t)kilobytes * 1024;
}

int memory_load_and_tell(const char *path, const char *id)
{
    memory_count counted = {0, 0};
    grove_allocator allocator = memory_counting(&counted);
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    options.allocator = &allocator;
    options.must_exist = true;
    options.durability = GROVE_DURABILITY_NONE;
    grove_store *store;
    grove_error error;
    bench_must(grove_store_open(path, &options, &store, &error), &error, path);
    size_t before = peak_resident();
    grove_document *document = bench_document_load(store, id);
    size_t after = peak_resident();
    (void)printf("%zu %zu\n", after - before, counted.peak_bytes);
    grove_document_close(document);
    grove_store_close(store);
    return EXIT_SUCCESS;
}

static void measure_load(bench *run, const char *store_name, const char *name,
                         const char *id, const cli_trace *trace)
{
    char program[BENCH_PATH_BYTES];
    ssize_t bytes = readlink("/proc/self/exe", program, sizeof program - 1);
    bench_need(bytes > 0, "finding this program");
    program[bytes] = '\0';
    char store[BENCH_PATH_BYTES];
    bench_path(run, store_name, store);
    char command[3 * BENCH_PATH_BYTES];
    (void)snprintf(command, sizeof command, "'%s' %s '%s' %s", program, MEMORY_WORD,
                   store, id);
    FILE *told = popen(command, "r");
    bench_need(told != NULL, "starting a process");
    char line[128];
    bench_need(fgets(line, sizeof line, told) != NULL, "hearing of a load");
    bench_need(pclose(told) == 0, "loading in a process of its own");
    char *rest;
    double resident = (double)strtoull(line, &rest, 10);
    double counted = (double)strtoull(rest, NULL, 10);
    double limit = 4.0 * (double)trace->end_bytes + 8.0 * 1024 * 1024;
    char row[96];
    (void)snprintf(row, sizeof row, "peak resident, %s, %s", name, id);
    bench_value(run, "memory", row, trace->events, resident, "bytes");
    (void)snprintf(row, sizeof row, "peak allocated, %s, %s", name, id);
    bench_value(run, "memory", row, trace->events, counted, "bytes");
    (void)snprintf(row, sizeof row, "memory-%s-%s", name, id);
    bench_bar(run, row, resident > counted ? resident : counted, limit, "bytes", false);
}

static void measure_trace(bench *run, const char *name, const cli_trace *trace)
{
    grove_store *store = bench_store(run, "memory", GROVE_DURABILITY_NONE, NULL);
    static const char *const IDS[] = {"history", "snapshot"};
    for (size_t index = 0; index < sizeof IDS / sizeof *IDS; index++) {
        grove_document *document = bench_document(store, IDS[index], index == 1);
        bench_edit(run, document, trace, 0, trace->patch_count);
        bench_document_save(document);
        grove_document_close(document);
    }
    grove_store_close(store);
    measure_load(run, "memory", name, IDS[0], trace);
    measure_load(run, "memory", name, IDS[1], trace);
}

void bench_memory(bench *run)
{
    bench_title("Memory to load");
    cli_trace trace;
    if (run->options.size == BENCH_TINY) {
        bench_session(1000, 500, &trace);
        measure_trace(run, "session", &trace);
    } else if (bench_trace(run, "rustcode", &trace)) {
        measure_trace(run, "rustcode", &trace);
    } else {
        return;
    }
    cli_trace_release(&trace);
}
