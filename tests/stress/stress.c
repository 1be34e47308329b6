/*
 * Many processes, or many threads, at work on one store for a given time, and
 * then a comparison of what is stored with what was acknowledged. --help says
 * how to run it; each part of it is told in the header of its file.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <grove/backend_memory.h>

#include "process.h"
#include "run.h"
#include "verdict.h"

static const char HELP[] =
    "stress [--seconds N] [--processes N] [--threads N] [--seed S]\n"
    "       [--backend NAME] [--size-limit BYTES] [--directory PATH] [--break WHAT]\n"
    "\n"
    "Lets processes save, load, merge, compact, seal, delete, watch and so on at\n"
    "once in one store, while some are stopped and some are killed; then compares\n"
    "what is stored with what was acknowledged. Exit status 0: all is well.\n"
    "\n"
    "  --seconds N       how long; 10\n"
    "  --processes N     2 to 16, or 1: threads in this process alone, none of\n"
    "                    which forks; 4\n"
    "  --threads N       of each process at most, 1 to 8; 3. With one process so\n"
    "                    many\n"
    "  --seed S          of all choices; the times at which they are made are the\n"
    "                    machine's. Printed; else from GROVE_SEED, or the clock\n"
    "  --backend NAME    lmdb, or with one process memory; lmdb\n"
    "  --size-limit B    of the store, 1 GiB. Near it, saves may fail for want of\n"
    "                    room: with 32 MiB that is the rule\n"
    "  --directory PATH  where a directory for the store is made; TMPDIR, or /tmp.\n"
    "                    It is left there if the run fails\n"
    "  --break WHAT      spoils one thing, which the run then has to find:\n"
    "                    lost-event, other-content, commit-twice, never-stored,\n"
    "                    wrong-status\n"
    "\n"
    "A long run: stress --seconds 600 --processes 12\n";

static uint64_t seed_by_default(void)
{
    struct timespec now;
    const char *given = getenv("GROVE_SEED");
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return given != NULL ? strtoull(given, NULL, 0)
                         : (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static _Noreturn void misuse(const char *what)
{
    (void)fprintf(stderr, "stress: %s; --help says what there is\n", what);
    exit(2);
}

/* A number from `least` to `most`. */
static uint64_t number_of(const char *text, uint64_t least, uint64_t most)
{
    char *end;
    uint64_t number = strtoull(text, &end, 0);
    if (*text == '\0' || *end != '\0' || number < least || number > most) {
        misuse("a number is none, or out of range");
    }
    return number;
}

static stress_options read_options(int count, char **arguments)
{
    static const struct option NAMES[] = {
        {"seconds", required_argument, NULL, 's'},
        {"processes", required_argument, NULL, 'p'},
        {"threads", required_argument, NULL, 't'},
        {"seed", required_argument, NULL, 'r'},
        {"backend", required_argument, NULL, 'b'},
        {"size-limit", required_argument, NULL, 'l'},
        {"directory", required_argument, NULL, 'd'},
        {"break", required_argument, NULL, 'x'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *parent = getenv("TMPDIR");
    stress_options options = {
        .seed = seed_by_default(),
        .seconds = 10,
        .processes = 4,
        .threads = 3,
        .size_limit_bytes = UINT64_C(1) << 30,
        .backend = "lmdb",
        .directory = parent != NULL ? parent : "/tmp",
        .sabotage = "",
    };
    int option;
    while ((option = getopt_long(count, arguments, "", NAMES, NULL)) != -1) {
        switch (option) {
        case 's':
            options.seconds = (uint32_t)number_of(optarg, 1, 1000000);
            break;
        case 'p':
            options.processes = (uint32_t)number_of(optarg, 1, PROCESSES_MAX);
            break;
        case 't':
            options.threads = (uint32_t)number_of(optarg, 1, THREADS_MAX);
            break;
        case 'r':
            options.seed = number_of(optarg, 0, UINT64_MAX);
            break;
        case 'b':
            options.backend = optarg;
            break;
        case 'l':
            options.size_limit_bytes = number_of(optarg, 1 << 20, UINT64_C(1) << 40);
            break;
        case 'd':
            options.directory = optarg;
            break;
        case 'x':
            options.sabotage = optarg;
            break;
        case 'h':
            (void)fputs(HELP, stdout);
            exit(0);
        default:
            misuse("there is no such option");
        }
    }
    if (optind != count || grove_backend_find(options.backend) == NULL) {
        misuse("an argument means nothing");
    }
    if (options.processes > 1 && strcmp(options.backend, "lmdb") != 0) {
        misuse("only lmdb can be shared by processes");
    }
    return options;
}

/* One process: threads, and a clock. */

static void *end_in_time(void *context)
{
    stress_board *board = context;
    struct timespec time = {(time_t)board->options.seconds, 0};
    (void)nanosleep(&time, NULL);
    atomic_store(&board->is_over, true);
    return NULL;
}

static bool run_threads(stress_board *board)
{
    pthread_t clock;
    if (pthread_create(&clock, NULL, end_in_time, board) != 0) {
        stress_fail(board, "no thread");
    }
    process_run(board, 0, board->options.seed, true);
    (void)pthread_join(clock, NULL);
    return true;
}

static void judge(stress_board *board)
{
    grove_error error;
    grove_store *store = NULL;
    grove_status status =
        stress_store_open(board, GROVE_DURABILITY_FULL, 0, &store, &error);
    (void)stress_answer(board, CALL_STORE_OPEN, WHEN_ANY, status, &error);
    verdict_run(board, store);
    grove_store_close(store);
}

static int remove_entry(const char *path, const struct stat *about, int kind,
                        struct FTW *position)
{
    (void)about;
    (void)kind;
    (void)position;
    return remove(path);
}

int main(int count, char **arguments)
{
    stress_options options = read_options(count, arguments);
    char root[512];
    char store[560];
    char ledger[560];
    (void)snprintf(root, sizeof root, "%s/grove-stress-XXXXXX", options.directory);
    if (mkdtemp(root) == NULL) {
        (void)fprintf(stderr, "stress: %s: %s\n", root, strerror(errno));
        return 2;
    }
    (void)snprintf(store, sizeof store, "%s/store", root);
    (void)snprintf(ledger, sizeof ledger, "%s/ledger", root);
    options.directory = store;
    stress_board *board = stress_board_new(&options);
    if (board == NULL) {
        (void)fprintf(stderr, "stress: out of memory\n");
        return 2;
    }
    board->ledger = open(ledger, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    grove_memory_disk *disk = grove_memory_disk_new(NULL);
    board->backend_context = strcmp(options.backend, "memory") == 0 ? disk : NULL;
    (void)printf("stress: --seed %llu, %u processes, %u threads each at most, %u s, %s\n",
                 (unsigned long long)options.seed, options.processes, options.threads,
                 options.seconds, root);
    (void)fflush(stdout);
    bool is_good = options.processes == 1 ? run_threads(board) : run_processes(board);
    if (!is_good) {
        return 1;
    }
    judge(board);
    stress_calls_print(board);
    grove_memory_disk_free(disk);
    (void)nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    (void)printf("stress: all is well\n");
    return 0;
}
