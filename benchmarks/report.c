/* Time, samples, and what is printed. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

static const double BUDGETS_US[] = {2e3, 1e5, 4e5, 1.5e6};

void bench_must(grove_status status, const grove_error *error, const char *what)
{
    if (status != GROVE_OK) {
        (void)fprintf(stderr, "grove-benchmark: %s: %s: %s\n", what,
                      grove_status_name(status), error->message);
        exit(EXIT_FAILURE);
    }
}

void bench_need(bool is_fine, const char *what)
{
    if (!is_fine) {
        (void)fprintf(stderr, "grove-benchmark: %s failed\n", what);
        exit(EXIT_FAILURE);
    }
}

void *bench_allocate(size_t bytes)
{
    void *memory = malloc(bytes > 0 ? bytes : 1);
    bench_need(memory != NULL, "malloc");
    return memory;
}

double bench_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

void bench_add(bench_samples *samples, double us)
{
    if (samples->count < BENCH_SAMPLES_MAX) {
        samples->us[samples->count] = us;
        samples->count++;
    }
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

double bench_quantile(const bench_samples *samples, double quantile)
{
    static const size_t NONE = 0;
    if (samples->count == NONE) {
        return 0;
    }
    bench_samples *sorted = bench_allocate(sizeof *sorted);
    *sorted = *samples;
    qsort(sorted->us, sorted->count, sizeof *sorted->us, compare);
    double us = sorted->us[(size_t)(quantile * (double)(sorted->count - 1) + 0.5)];
    free(sorted);
    return us;
}

double bench_median(const bench_samples *samples)
{
    return bench_quantile(samples, 0.5);
}

bool bench_goes_on(const bench *run, const bench_samples *samples, double begun_us,
                   size_t least)
{
    if (run->options.size == BENCH_TINY) {
        least = 2;
    }
    return samples->count < least ||
           (samples->count < BENCH_SAMPLES_MAX &&
            bench_now_us() - begun_us < BUDGETS_US[run->options.size]);
}

void bench_title(const char *text)
{
    (void)printf("\n%s\n", text);
    for (size_t index = 0; index < strlen(text); index++) {
        (void)putchar('-');
    }
    (void)putchar('\n');
    (void)fflush(stdout);
}

void bench_row(bench *run, const char *section, const char *name, uint64_t events,
               const bench_samples *samples)
{
    double median = bench_median(samples);
    double low = bench_quantile(samples, 0.1);
    double high = bench_quantile(samples, 0.9);
    (void)printf("%10llu  %-44s %12.1f us   p10 %11.1f   p90 %11.1f   n %zu\n",
                 (unsigned long long)events, name, median, low, high, samples->count);
    (void)fprintf(run->csv, "%s,\"%s\",%llu,us,%.3f,%.3f,%.3f,%zu\n", section, name,
                  (unsigned long long)events, median, low, high, samples->count);
    (void)fflush(stdout);
}

void bench_value(bench *run, const char *section, const char *name, uint64_t events,
                 double value, const char *unit)
{
    (void)printf("%10llu  %-44s %12.*f %s\n", (unsigned long long)events, name,
                 value < 100 ? 2 : 0, value, unit);
    (void)fprintf(run->csv, "%s,\"%s\",%llu,%s,%.3f,,,1\n", section, name,
                  (unsigned long long)events, unit, value);
    (void)fflush(stdout);
}

void bench_bar(bench *run, const char *name, double value, double limit, const char *unit,
               bool least)
{
    bool is_met = least ? value >= limit : value <= limit;
    int digits = limit < 100 ? 3 : 0;
    FILE *const outputs[] = {stdout, run->bars};
    for (size_t index = 0; index < sizeof outputs / sizeof *outputs; index++) {
        (void)fprintf(outputs[index], "bar %s: %.*f %s (limit %s %.*f) %s\n", name,
                      digits, value, unit, least ? ">=" : "<=", digits, limit,
                      is_met ? "ok" : "MISSED");
        (void)fflush(outputs[index]);
    }
    run->bars_met += is_met ? 1 : 0;
    run->bars_missed += is_met ? 0 : 1;
}

void bench_skip(bench *run, const char *name, const char *why)
{
    (void)printf("skipped %s: %s\n", name, why);
    (void)fprintf(run->bars, "skipped %s: %s\n", name, why);
}

void bench_plot_point(bench *run, const char *series, uint64_t events, double us)
{
    if (run->point_count < BENCH_SERIES_MAX) {
        bench_point *point = &run->points[run->point_count];
        (void)snprintf(point->series, sizeof point->series, "%s", series);
        point->events = events;
        point->us = us;
        run->point_count++;
    }
}
