/*
 * Power cuts. Processes that write to one store are recorded; then every prefix
 * of the record is made into the disks that a power cut at that moment could
 * leave, and each is opened and compared with what was acknowledged by then:
 *
 *   full      no acknowledged commit is missing, and what is there is the state
 *             of a commit
 *   relaxed   what is there is the state of a commit, and none is missing that
 *             was synced
 *
 * Controls, which must fail: relaxed taken for full loses commits, and without
 * any sync there are states that are broken.
 *
 *   test-power [--long]
 *
 * GROVE_SEED repeats the choice of what arrives on the disk; how the processes
 * take turns is the system's.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "crash/disk.h"
#include "crash/power_work.h"
#include "crash/scratch.h"

enum {
    SYNC_US = 100,
    DRAWN_SHORT = 2,
    DRAWN_LONG = 16,
    PATH_BYTES = SCRATCH_PATH_BYTES + 8
};

#ifdef __SANITIZE_ADDRESS__
enum { CALLS_SHORT = 12, CALLS_LONG = 200 };
#else
enum { CALLS_SHORT = 40, CALLS_LONG = 400 };
#endif

typedef struct power_scenario {
    const char *name;
    grove_durability durability;
    /* Each acknowledged commit is taken to be promised. */
    bool is_taken_for_full;
    power_verdict wanted; /* POWER_SOUND: of each state; else of one */
} power_scenario;

static const power_scenario SCENARIOS[] = {
    {"full", GROVE_DURABILITY_FULL, false, POWER_SOUND},
    {"relaxed", GROVE_DURABILITY_RELAXED, false, POWER_SOUND},
    {"control: relaxed taken for full", GROVE_DURABILITY_RELAXED, true, POWER_LOST},
    {"control: none", GROVE_DURABILITY_NONE, false, POWER_BROKEN},
};

/* Of one moment; in memory that the child which looks shares with us. */
typedef struct power_counts {
    uint64_t states;
    uint64_t verdicts[POWER_BROKEN + 1];
    uint64_t state_now; /* in case the child dies of it */
} power_counts;

typedef struct power_replay {
    const power_scenario *scenario;
    power_work work;
    power_ledger ledger;
    char root[PATH_BYTES]; /* where disks are made; the store is in it */
    const uint8_t *log;
    size_t log_bytes;
    disk_model *disk;
    uint64_t moment;
    uint64_t promised;
    unsigned drawn;
    uint64_t seed;
    power_counts *counts;
} power_replay;

static void need(bool is_fine, const char *what)
{
    if (!is_fine) {
        perror(what);
        _exit(EDITS_FAILED);
    }
}

/* Whether a child, which `child` is in the parent, ended well. */
static bool ended_well(pid_t child)
{
    int status = 0;
    need(child > 0 && waitpid(child, &status, 0) == child, "waitpid");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* --- recording --- */

static void record(const power_work *work, const char *root, const char *log)
{
    pid_t children[POWER_PROCESSES];
    recorder_options options = {root, log, SYNC_US};
    need(recorder_begin(&options), log);
    for (unsigned process = 0; process < POWER_PROCESSES; process++) {
        children[process] = fork();
        if (children[process] == 0) {
            power_work_do(work, process);
            _exit(0);
        }
    }
    bool is_good = true;
    for (unsigned process = 0; process < POWER_PROCESSES; process++) {
        is_good = ended_well(children[process]) && is_good;
    }
    _exit(is_good ? 0 : EDITS_FAILED);
}

static void map_log(power_replay *replay, const char *path)
{
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    need(file >= 0 && fstat(file, &about) == 0, path);
    replay->log_bytes = (size_t)about.st_size;
    void *log = mmap(NULL, replay->log_bytes, PROT_READ, MAP_PRIVATE, file, 0);
    need(log != MAP_FAILED, path);
    replay->log = log;
    (void)close(file);
}

/* The record at *offset, which moves behind it; false: that was the last. */
static bool next_record(const power_replay *replay, size_t *offset,
                        recorder_record *record_out, const uint8_t **content_out)
{
    if (*offset == replay->log_bytes) {
        return false;
    }
    memcpy(record_out, replay->log + *offset, sizeof *record_out);
    *content_out = replay->log + *offset + sizeof *record_out;
    *offset += sizeof *record_out + record_out->bytes;
    return true;
}

static bool next_mark(const power_replay *replay, size_t *offset, power_mark *mark_out)
{
    recorder_record record;
    const uint8_t *content;
    while (next_record(replay, offset, &record, &content)) {
        if (record.kind == RECORDER_MARK) {
            memcpy(mark_out, content, sizeof *mark_out);
            return true;
        }
    }
    return false;
}

/* In the order of the commits' numbers, which need not be that of the marks. */
static void make_ledger(power_replay *replay)
{
    power_ledger *ledger = &replay->ledger;
    power_mark mark;
    size_t rows = 1;
    for (size_t offset = 0; next_mark(replay, &offset, &mark);) {
        rows = mark.commit >= rows ? mark.commit + 1 : rows;
    }
    ledger->versions = calloc(rows, sizeof *ledger->versions);
    bool *is_told = calloc(rows, sizeof *is_told);
    need(ledger->versions != NULL && is_told != NULL, "calloc");
    for (size_t offset = 0; next_mark(replay, &offset, &mark);) {
        if (mark.subject < POWER_SUBJECTS) {
            ledger->versions[mark.commit][mark.subject] = mark.version;
            is_told[mark.commit] = true;
        }
    }
    ledger->commits = rows - 1;
    for (size_t row = 1; row < rows; row++) {
        errno = EPROTO;
        need(is_told[row], "a commit that nobody made");
        for (size_t subject = 0; subject < POWER_SUBJECTS; subject++) {
            uint64_t before = ledger->versions[row - 1][subject];
            uint64_t *version = &ledger->versions[row][subject];
            *version = *version > before ? *version : before;
        }
    }
    free(is_told);
}

/* --- replaying --- */

/* The disks of this moment from state `from` on, in a child. */
static void look(const power_replay *replay, uint64_t from)
{
    uint64_t states = disk_is_busy(replay->disk) ? 2 + replay->drawn : 1;
    bool is_loud = replay->scenario->wanted == POWER_SOUND;
    for (uint64_t state = from; state < states; state++) {
        test_random random = {replay->seed + replay->moment * 1000 + state};
        disk_luck luck = state < 2 ? (disk_luck)state : DISK_SOME;
        replay->counts->state_now = state;
        disk_write_out(replay->disk, luck, &random, replay->root);
        power_verdict verdict =
            power_inspect(&replay->work, &replay->ledger, replay->promised, is_loud);
        replay->counts->states++;
        replay->counts->verdicts[verdict]++;
        if (is_loud && verdict != POWER_SOUND) {
            (void)fprintf(stderr, "at record %llu, state %llu\n",
                          (unsigned long long)replay->moment, (unsigned long long)state);
            _exit(0);
        }
    }
    _exit(0);
}

/* A child that dies of a state has seen a broken one; the next goes on. */
static void look_at_all(power_replay *replay)
{
    uint64_t from = 0;
    for (;;) {
        pid_t child = fork();
        if (child == 0) {
            if (replay->scenario->wanted != POWER_SOUND) {
                /* Broken states are meant to be met: what is said about them
                 * is of no interest. */
                need(freopen("/dev/null", "w", stderr) != NULL, "stderr");
            }
            look(replay, from);
        }
        int status = 0;
        need(child > 0 && waitpid(child, &status, 0) == child, "waitpid");
        if (WIFEXITED(status)) {
            errno = EPROTO;
            need(WEXITSTATUS(status) == 0, "making a disk");
            return;
        }
        replay->counts->states++;
        replay->counts->verdicts[POWER_BROKEN]++;
        from = replay->counts->state_now + 1;
    }
}

/* The first such verdict of a control ends it; so does any of the others. */
static bool is_decided(const power_replay *replay)
{
    const uint64_t *verdicts = replay->counts->verdicts;
    return replay->scenario->wanted == POWER_SOUND
               ? verdicts[POWER_LOST] + verdicts[POWER_BROKEN] > 0
               : verdicts[replay->scenario->wanted] > 0;
}

static bool is_visible(const recorder_record *record)
{
    return record->kind != RECORDER_SYNC_BEGIN;
}

static bool run_replay(power_replay *replay)
{
    recorder_record record;
    const uint8_t *content;
    uint64_t moments = 0;
    for (size_t offset = 0; next_record(replay, &offset, &record, &content);) {
        disk_apply(replay->disk, &record, content);
        replay->moment++;
        if (record.kind == RECORDER_MARK) {
            power_mark mark;
            memcpy(&mark, content, sizeof mark);
            bool is_promise = mark.is_durable || replay->scenario->is_taken_for_full;
            if (is_promise && mark.commit > replay->promised) {
                replay->promised = mark.commit;
            }
        }
        if (is_visible(&record)) {
            moments++;
            look_at_all(replay);
        }
        if (is_decided(replay)) {
            break;
        }
    }
    const power_counts *counts = replay->counts;
    bool is_good = is_decided(replay) == (replay->scenario->wanted != POWER_SOUND);
    (void)printf("%-32s %6llu states at %5llu moments of %3llu commits: "
                 "%llu lost, %llu broken%s\n",
                 replay->scenario->name, (unsigned long long)counts->states,
                 (unsigned long long)moments, (unsigned long long)replay->ledger.commits,
                 (unsigned long long)counts->verdicts[POWER_LOST],
                 (unsigned long long)counts->verdicts[POWER_BROKEN],
                 is_good ? "" : "  FAILED");
    (void)fflush(stdout);
    return is_good;
}

static bool run_scenario(const power_scenario *scenario, const char *home, uint64_t seed,
                         bool is_long)
{
    char log[PATH_BYTES];
    char store[PATH_BYTES + 8];
    power_replay replay = {.scenario = scenario,
                           .disk = disk_new(),
                           .drawn = is_long ? DRAWN_LONG : DRAWN_SHORT,
                           .seed = seed};
    (void)snprintf(log, sizeof log, "%s/log", home);
    (void)snprintf(replay.root, sizeof replay.root, "%s/disk", home);
    (void)snprintf(store, sizeof store, "%s/store", replay.root);
    replay.work = (power_work){store, scenario->durability, seed,
                               is_long ? CALLS_LONG : CALLS_SHORT};
    need(mkdir(replay.root, 0700) == 0 || errno == EEXIST, replay.root);
    disk_write_out(replay.disk, DISK_NOTHING, NULL, replay.root);
    replay.counts = mmap(NULL, sizeof *replay.counts, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need(replay.counts != MAP_FAILED, "mmap");
    pid_t child = fork();
    if (child == 0) {
        record(&replay.work, replay.root, log);
    }
    bool is_good = ended_well(child);
    if (is_good) {
        map_log(&replay, log);
        make_ledger(&replay);
        is_good = run_replay(&replay);
        (void)munmap((void *)(uintptr_t)replay.log, replay.log_bytes);
    }
    free(replay.ledger.versions);
    (void)munmap(replay.counts, sizeof *replay.counts);
    disk_free(replay.disk);
    return is_good;
}

int main(int count, char **words)
{
    test_random random = test_random_of("power");
    char home[SCRATCH_PATH_BYTES];
    bool is_long = count == 2 && strcmp(words[1], "--long") == 0;
    bool is_good = true;
    scratch_make("power", home);
    for (size_t index = 0; index < sizeof SCENARIOS / sizeof *SCENARIOS; index++) {
        is_good = run_scenario(&SCENARIOS[index], home, random.state, is_long) && is_good;
    }
    scratch_remove(home, !is_good);
    return is_good ? 0 : 1;
}
