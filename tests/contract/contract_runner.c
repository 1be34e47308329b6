/*
 * contract-runner NAME [CLAUSE]: the contract suite on a backend of this
 * build. GROVE_SEED=N repeats a run's random checks. Ends with 0 when the
 * backend keeps every clause.
 */
#include <errno.h>
#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <grove/backend_memory.h>

#include "contract.h"

/* Environments are made below a folder of this run's. */
typedef struct runner {
    char folder[256];
    unsigned places;
    grove_memory_disk *disk; /* for "memory" */
    size_t failed, passed, skipped;
} runner;

static bool make_place(void *context, grove_contract_place *place_out)
{
    runner *self = context;
    int length = snprintf(place_out->path, sizeof place_out->path, "%s/%u", self->folder,
                          self->places++);
    place_out->context = self->disk;
    return length > 0 && (size_t)length < sizeof place_out->path;
}

static int remove_one(const char *path, const struct stat *status, int kind,
                      struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static void remove_place(void *context, grove_contract_place *place)
{
    (void)context;
    if (nftw(place->path, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT) {
        (void)fprintf(stderr, "cannot remove %s\n", place->path);
    }
}

static bool cut_power(void *context, grove_contract_place *place)
{
    runner *self = context;
    (void)place;
    if (self->disk != NULL) {
        grove_memory_disk_cut_power(self->disk);
    }
    return self->disk != NULL;
}

/* For backends on disk: the next flush of file data fails, as on a bad disk. */
static atomic_bool flush_fails;

/* In the place of the C library's, also for other libraries. */
__attribute__((visibility("default"))) int fdatasync(int descriptor)
{
    if (atomic_exchange(&flush_fails, false)) {
        errno = EIO;
        return -1;
    }
    return fsync(descriptor);
}

static bool fail_sync(void *context, grove_contract_place *place)
{
    runner *self = context;
    (void)place;
    if (self->disk != NULL) {
        grove_memory_disk_fail_sync(self->disk);
    } else {
        atomic_store(&flush_fails, true);
    }
    return true;
}

static void report(void *context, const grove_contract_result *result)
{
    runner *self = context;
    static const char *const words[] = {"ok     ", "FAILED ", "skipped"};
    (void)printf("%s C%-2u %s%s%s\n", words[result->outcome], result->clause,
                 result->name, result->message[0] != '\0' ? ": " : "", result->message);
    (void)fflush(stdout);
    self->passed += result->outcome == GROVE_CONTRACT_PASSED;
    self->failed += result->outcome == GROVE_CONTRACT_FAILED;
    self->skipped += result->outcome == GROVE_CONTRACT_SKIPPED;
}

static uint64_t choose_seed(void)
{
    const char *given = getenv("GROVE_SEED");
    struct timespec now = {0, 0};
    if (given != NULL) {
        return strtoull(given, NULL, 0);
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool make_folder(runner *self)
{
    const char *parent = getenv("TMPDIR");
    int length = snprintf(self->folder, sizeof self->folder, "%s/grove-contract.XXXXXX",
                          parent != NULL ? parent : "/tmp");
    return length > 0 && (size_t)length < sizeof self->folder &&
           mkdtemp(self->folder) != NULL;
}

int main(int argument_count, char **arguments)
{
    runner self;
    grove_contract_options options;
    memset(&self, 0, sizeof self);
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.backend = argument_count > 1 ? grove_backend_find(arguments[1]) : NULL;
    if (options.backend == NULL || argument_count > 3) {
        (void)fputs("usage: contract-runner NAME [CLAUSE]\nbackends:", stderr);
        for (size_t index = 0; grove_backend_name(index) != NULL; index++) {
            (void)fprintf(stderr, " %s", grove_backend_name(index));
        }
        (void)fputs("\n", stderr);
        return 2;
    }
    options.only_clause =
        argument_count > 2 ? (unsigned)strtoul(arguments[2], NULL, 10) : 0;
    if (!make_folder(&self)) {
        perror("contract-runner: a folder for environments");
        return 2;
    }
    if (strcmp(options.backend->name, "memory") == 0) {
        self.disk = grove_memory_disk_new(NULL);
    }
    options.context = &self;
    options.place_make = make_place;
    options.place_remove = remove_place;
    options.power_cut = cut_power;
    options.sync_fail = fail_sync;
    options.report = report;
    options.seed = choose_seed();
    (void)printf("%s: GROVE_SEED=%llu\n", options.backend->name,
                 (unsigned long long)options.seed);
    size_t broken = grove_contract_run(&options);
    grove_memory_disk_free(self.disk);
    (void)rmdir(self.folder);
    (void)printf("%s: %zu checks passed, %zu failed, %zu skipped; clauses broken: %zu\n",
                 options.backend->name, self.passed, self.failed, self.skipped, broken);
    return broken == 0 && self.passed > 0 ? 0 : 1;
}
