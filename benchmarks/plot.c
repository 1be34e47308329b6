/* The plot: a script for gnuplot, with its data in it, and a run of gnuplot. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* Whether the series of a point was drawn with an earlier point. */
static bool is_known(const bench *run, size_t index)
{
    for (size_t before = 0; before < index; before++) {
        if (strcmp(run->points[before].series, run->points[index].series) == 0) {
            return true;
        }
    }
    return false;
}

static void write_data(const bench *run, FILE *script)
{
    for (size_t first = 0; first < run->point_count; first++) {
        if (is_known(run, first)) {
            continue;
        }
        (void)fprintf(script, "$series%zu << END\n", first);
        for (size_t index = first; index < run->point_count; index++) {
            const bench_point *point = &run->points[index];
            if (strcmp(point->series, run->points[first].series) == 0) {
                (void)fprintf(script, "%llu %.6f\n", (unsigned long long)point->events,
                              point->us / 1e3);
            }
        }
        (void)fputs("END\n", script);
    }
}

void bench_plot(bench *run)
{
    if (run->point_count == 0) {
        return;
    }
    char path[BENCH_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/load.gnuplot", run->options.out);
    FILE *script = fopen(path, "w");
    bench_need(script != NULL, "opening the script of the plot");
    (void)fputs("set terminal svg size 900,560 background '#ffffff'\n"
                "set output 'load.svg'\n"
                "set logscale xy\n"
                "set format x '%.0s%c'\n"
                "set xlabel 'events of the document'\n"
                "set ylabel 'time to load, ms'\n"
                "set title 'Loading a document: texts of the same length'\n"
                "set grid\n"
                "set key outside right noenhanced\n",
                script);
    write_data(run, script);
    (void)fputs("plot ", script);
    for (size_t index = 0; index < run->point_count; index++) {
        if (!is_known(run, index)) {
            (void)fprintf(script, "%s$series%zu with linespoints title '%s'",
                          index > 0 ? ", " : "", index, run->points[index].series);
        }
    }
    (void)fputs("\n", script);
    bench_need(fclose(script) == 0, "writing the script of the plot");
    char command[BENCH_PATH_BYTES + 64];
    (void)snprintf(command, sizeof command, "cd '%s' && gnuplot load.gnuplot",
                   run->options.out);
    if (system(command) == 0) {
        (void)printf("\nplot: %s/load.svg\n", run->options.out);
    } else {
        (void)printf("\nno plot: gnuplot failed or is not installed; its script is %s\n",
                     path);
    }
}
