/* grove-benchmark: what is measured, and how to ask for it. */
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "memory.h"
#include "tree.h"

typedef struct section {
    const char *name;
    void (*measure)(bench *run);
} section;

static const section SECTIONS[] = {
    {"load", bench_load},       {"save", bench_save},     {"replay", bench_replay},
    {"merge", bench_merge},     {"traces", bench_traces}, {"decode", bench_decode},
    {"sizes", bench_sizes},     {"memory", bench_memory}, {"open", bench_open},
    {"sharing", bench_sharing}, {"space", bench_space},   {"tree", bench_tree},
};

enum { SECTION_COUNT = sizeof SECTIONS / sizeof *SECTIONS };

static const char USAGE[] =
    "usage: grove-benchmark [--quick | --full | --tiny] [--out DIR] [--only SECTION]\n"
    "\n"
    "  --quick         under a minute; fewer samples\n"
    "  --full          more samples, and documents of ten million events\n"
    "  --tiny          a run that shows that it works; its times mean nothing\n"
    "  --out DIR       where benchmark.csv, bars.txt and load.svg go, and the\n"
    "                  stores while it runs (default: benchmark-results)\n"
    "  --only SECTION  load, save, replay, merge, traces, decode, sizes,\n"
    "                  memory, open, sharing,\n"
    "                  space or tree\n"
    "\n"
    "GROVE_TRACES names a directory with automerge-paper.json.gz and the like; what\n"
    "needs them is skipped without. Missed bars do not change the exit status.\n";

static bool parse(int count, char **words, bench_options *options_out)
{
    bench_options options = {.size = BENCH_USUAL, .out = "benchmark-results"};
    for (int index = 1; index < count; index++) {
        const char *word = words[index];
        if (strcmp(word, "--quick") == 0) {
            options.size = BENCH_QUICK;
        } else if (strcmp(word, "--tiny") == 0) {
            options.size = BENCH_TINY;
        } else if (strcmp(word, "--full") == 0) {
            options.size = BENCH_FULL;
            options.ten_million = true;
        } else if (strcmp(word, "--out") == 0 && index + 1 < count) {
            index++;
            options.out = words[index];
        } else if (strcmp(word, "--only") == 0 && index + 1 < count) {
            index++;
            options.only = words[index];
        } else {
            return false;
        }
    }
    bool is_known = options.only == NULL;
    for (size_t index = 0; index < SECTION_COUNT; index++) {
        is_known = is_known || strcmp(options.only, SECTIONS[index].name) == 0;
    }
    options.traces = getenv("GROVE_TRACES");
    *options_out = options;
    return is_known;
}

static FILE *open_output(const bench *run, const char *name)
{
    char path[BENCH_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", run->options.out, name);
    FILE *file = fopen(path, "w");
    bench_need(file != NULL, path);
    return file;
}

static int remove_entry(const char *path, const struct stat *status, int kind,
                        struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static void begin(bench *run)
{
    if (mkdir(run->options.out, 0777) != 0 && errno != EEXIST) {
        bench_need(false, run->options.out);
    }
    /* The stores lie where the results go: on the disk that is meant. */
    (void)snprintf(run->work, sizeof run->work, "%s/work-XXXXXX", run->options.out);
    bench_need(mkdtemp(run->work) != NULL, "making a directory for the stores");
    run->csv = open_output(run, "benchmark.csv");
    run->bars = open_output(run, "bars.txt");
    (void)fputs("section,name,events,unit,median,p10,p90,samples\n", run->csv);
}

int main(int count, char **words)
{
    if (count == 4 && strcmp(words[1], TREE_WORD) == 0) {
        return tree_load_and_time(words[2], words[3]);
    }
    if (count == 4 && strcmp(words[1], MEMORY_WORD) == 0) {
        return memory_load_and_tell(words[2], words[3]);
    }
    bench *run = calloc(1, sizeof *run);
    bench_need(run != NULL, "calloc");
    if (!parse(count, words, &run->options)) {
        bool is_help = count == 2 && strcmp(words[1], "--help") == 0;
        (void)fputs(USAGE, is_help ? stdout : stderr);
        free(run);
        return is_help ? EXIT_SUCCESS : 2;
    }
    begin(run);
    double begun_us = bench_now_us();
    for (size_t index = 0; index < SECTION_COUNT; index++) {
        if (run->options.only == NULL ||
            strcmp(run->options.only, SECTIONS[index].name) == 0) {
            SECTIONS[index].measure(run);
        }
    }
    bench_plot(run);
    (void)printf("\n%u bars met, %u missed; %.0f s; results in %s\n", run->bars_met,
                 run->bars_missed, (bench_now_us() - begun_us) / 1e6, run->options.out);
    bool is_written = fclose(run->csv) == 0;
    is_written = fclose(run->bars) == 0 && is_written;
    bench_need(is_written, "writing the results");
    (void)nftw(run->work, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(run);
    return EXIT_SUCCESS;
}
