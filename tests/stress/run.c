#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "process.h"

enum {
    TICK_MS = 10,
    STOPPED_MS_MAX = 300,
    /* In so many ticks one process, on average, is stopped, or killed. */
    TICKS_PER_STOP = 40,
    TICKS_PER_KILL = 25,
    /* Longer than any call may take, stopped processes included: what goes on
     * then has come to a standstill. */
    PATIENCE_MS = 120000
};

/* Each child is the leader of a group, which has what it forks itself. */
typedef struct child {
    pid_t group; /* 0: none */
    bool is_stopped;
    uint64_t resume_ms;
} child;

typedef struct run {
    stress_board *board;
    test_random random;
    child children[SLOTS_MAX];
    uint64_t started;
    uint64_t kills;
    uint64_t stops;
    bool has_failed;
} run;

typedef void (*child_fn)(stress_board *board, uint32_t slot, uint64_t seed);

static void run_usual(stress_board *board, uint32_t slot, uint64_t seed)
{
    process_run(board, slot, seed, false);
}

static void run_keeper(stress_board *board, uint32_t slot, uint64_t seed)
{
    (void)slot;
    process_keep(board, seed);
}

static void run_late(stress_board *board, uint32_t slot, uint64_t seed)
{
    process_late(board, slot == 1, seed);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void sleep_tick(void)
{
    struct timespec time = {0, TICK_MS * 1000000};
    (void)nanosleep(&time, NULL);
}

static void start(run *work, uint32_t slot, child_fn function)
{
    uint64_t seed = test_random_next(&work->random);
    (void)fflush(NULL);
    pid_t supervisor = getpid();
    pid_t process = fork();
    if (process == 0) {
        (void)setpgid(0, 0);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != supervisor) {
            _exit(1);
        }
        function(work->board, slot, seed);
        _exit(0);
    }
    if (process < 0) {
        stress_fail(work->board, "fork: %s", strerror(errno));
    }
    (void)setpgid(process, process);
    work->children[slot] = (child){.group = process};
    work->started++;
}

/* Says what the threads of a process are about. */
static void tell_doing(const run *work, uint32_t slot)
{
    (void)fprintf(stderr,
                  "stress: process %ld in slot %u:", (long)work->children[slot].group,
                  slot);
    for (uint32_t thread = 0; thread < THREADS_MAX; thread++) {
        uint32_t call = atomic_load(&work->board->doing[slot][thread]);
        if (call != CALL_NONE) {
            (void)fprintf(stderr, " %s", stress_call_name((stress_call)call));
        }
    }
    (void)fprintf(stderr, "\n");
}

/* Sees a child end, and what it forked with it. Its leader is the last that is
 * taken note of, so that the group's number is nobody else's before. */
static int end_group(pid_t group)
{
    siginfo_t about;
    int status = 0;
    pid_t ended;
    while (waitid(P_PID, (id_t)group, &about, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    (void)kill(-group, SIGKILL);
    do {
        int other;
        ended = waitpid(-group, &other, 0);
        status = ended == group ? other : status;
    } while (ended > 0 || (ended < 0 && errno == EINTR));
    return status;
}

/* Takes note of a child that ended; `was_killed`: by us. */
static void take_end(run *work, uint32_t slot, bool was_killed)
{
    int status = end_group(work->children[slot].group);
    bool is_good = WIFEXITED(status) ? WEXITSTATUS(status) == 0
                                     : was_killed && WTERMSIG(status) == SIGKILL;
    if (!is_good) {
        (void)fprintf(stderr, "stress: a process ended with %#x\n", (unsigned)status);
        tell_doing(work, slot);
        work->has_failed = true;
    }
    work->children[slot] = (child){.group = 0};
    for (uint32_t thread = 0; thread < THREADS_MAX; thread++) {
        atomic_store(&work->board->doing[slot][thread], CALL_NONE);
    }
}

/* Whether the child in the slot has ended. */
static bool reap(run *work, uint32_t slot)
{
    siginfo_t about = {.si_pid = 0};
    if (work->children[slot].group == 0) {
        return true;
    }
    if (waitid(P_PID, (id_t)work->children[slot].group, &about,
               WEXITED | WNOHANG | WNOWAIT) != 0 ||
        about.si_pid == 0) {
        return false;
    }
    take_end(work, slot, false);
    return true;
}

static void kill_child(run *work, uint32_t slot)
{
    (void)kill(-work->children[slot].group, SIGKILL);
    take_end(work, slot, true);
    work->kills++;
}

static void stop_child(run *work, uint32_t slot)
{
    child *victim = &work->children[slot];
    victim->is_stopped = true;
    victim->resume_ms = now_ms() + test_random_below(&work->random, STOPPED_MS_MAX);
    (void)kill(-victim->group, SIGSTOP);
    work->stops++;
}

static void resume_child(run *work, uint32_t slot)
{
    work->children[slot].is_stopped = false;
    (void)kill(-work->children[slot].group, SIGCONT);
}

static bool is_going_on(const run *work)
{
    return !work->has_failed && atomic_load(&work->board->failures) == 0;
}

/* Waits until the children in slots below `end` have ended; once something has
 * failed, they are ended. */
static void wait_for_all(run *work, uint32_t end)
{
    uint64_t until = now_ms() + PATIENCE_MS;
    bool are_all_gone = false;
    while (!are_all_gone && is_going_on(work) && now_ms() < until) {
        are_all_gone = true;
        for (uint32_t slot = 0; slot < end; slot++) {
            are_all_gone = reap(work, slot) && are_all_gone;
        }
        sleep_tick();
    }
    for (uint32_t slot = 0; slot < end; slot++) {
        if (work->children[slot].group == 0) {
            continue;
        }
        if (is_going_on(work)) {
            (void)fprintf(stderr, "stress: a process does not come to an end\n");
            tell_doing(work, slot);
            work->has_failed = true;
        }
        kill_child(work, slot);
    }
}

static void tick(run *work)
{
    uint32_t processes = work->board->options.processes;
    for (uint32_t slot = 0; slot < processes; slot++) {
        if (work->children[slot].is_stopped &&
            now_ms() >= work->children[slot].resume_ms) {
            resume_child(work, slot);
        }
        if (reap(work, slot) && is_going_on(work)) {
            start(work, slot, run_usual);
        }
    }
    uint32_t slot = (uint32_t)test_random_below(&work->random, processes);
    if (work->children[slot].group == 0) {
        return;
    }
    if (test_random_below(&work->random, TICKS_PER_KILL) == 0) {
        kill_child(work, slot);
    } else if (!work->children[slot].is_stopped &&
               test_random_below(&work->random, TICKS_PER_STOP) == 0) {
        stop_child(work, slot);
    }
}

/* Some are killed, the others told to end. */
static void end_processes(run *work)
{
    uint32_t processes = work->board->options.processes;
    for (uint32_t slot = 0; slot < processes; slot++) {
        if (work->children[slot].group != 0 && is_going_on(work) &&
            test_random_below(&work->random, 2) == 0) {
            kill_child(work, slot);
        } else if (work->children[slot].group != 0) {
            resume_child(work, slot);
        }
    }
    atomic_store(&work->board->is_over, true);
    wait_for_all(work, processes);
}

bool run_processes(stress_board *board)
{
    run work = {.board = board, .random = {board->options.seed}};
    /* Orphans of those that are killed come to us, so that we see them end. */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        stress_fail(board, "orphans would go astray: %s", strerror(errno));
    }
    start(&work, PROCESSES_MAX, run_keeper);
    while (!atomic_load(&board->is_kept) && !reap(&work, PROCESSES_MAX)) {
        sleep_tick();
    }
    start(&work, 0, run_late);
    start(&work, 1, run_late);
    wait_for_all(&work, 2);
    uint64_t until = now_ms() + (uint64_t)board->options.seconds * 1000;
    while (now_ms() < until && is_going_on(&work)) {
        tick(&work);
        sleep_tick();
    }
    end_processes(&work);
    if (!is_going_on(&work) && work.children[PROCESSES_MAX].group != 0) {
        kill_child(&work, PROCESSES_MAX);
    }
    atomic_store(&board->is_left, true);
    wait_for_all(&work, SLOTS_MAX);
    if (waitpid(-1, NULL, 0) != -1 || errno != ECHILD) {
        (void)fprintf(stderr, "stress: a process is left over\n");
        work.has_failed = true;
    }
    (void)printf("  %llu processes, %llu killed, %llu stopped for a while\n",
                 (unsigned long long)work.started, (unsigned long long)work.kills,
                 (unsigned long long)work.stops);
    return is_going_on(&work);
}
