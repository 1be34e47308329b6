#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "lmdb_child.h"
#include "lmdb_fixture.h"

#include "lmdb/lmdb_gate.h"

#define MS UINT64_C(1000000)
/* Of a wait that does not fail. */
#define LONG_NS (20000 * MS)
#define SHORT_NS (40 * MS)

enum { PROCESSES = 4, TURNS = 400 };

/* What the processes of a test share. */
typedef struct board {
    char path[TEMP_DIR_PATH_BYTES];
    atomic_uint turns_left;
    atomic_uint turns[PROCESSES];
    atomic_uint starters;
    /* The process that is inside; the test clears it of one that it killed. */
    atomic_int inside;
} board;

/* Of the next child, which has what was there when it was forked. */
static unsigned child_number;

typedef struct gate_fixture {
    temp_dir dir;
    board *board;
    grove__control control; /* the test's own */
} gate_fixture;

static void gate_fixture_make(gate_fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    temp_dir_make(&fixture->dir);
    fixture->board = mmap(NULL, sizeof *fixture->board, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(fixture->board, MAP_FAILED);
    (void)temp_dir_path(&fixture->dir, "grove.lock", fixture->board->path);
}

/* The test's own control, after the children have forked. */
static void gate_fixture_open(gate_fixture *fixture)
{
    cr_assert_eq(grove__control_open(&fixture->control, fixture->board->path, 0600), 0);
}

static void gate_fixture_remove(gate_fixture *fixture)
{
    grove__control_close(&fixture->control);
    cr_assert_eq(munmap(fixture->board, sizeof *fixture->board), 0);
    temp_dir_remove(&fixture->dir);
}

static bool enter(grove__control *control, uint64_t ns)
{
    return grove__gate_enter(control, grove__now_ns() + ns);
}

static void linger(long microseconds)
{
    struct timespec time = {0, microseconds * 1000};
    (void)nanosleep(&time, NULL);
}

static bool take_turns(const lmdb_peer *test, void *context)
{
    board *shared = context;
    grove__control control;
    (void)test;
    if (grove__control_open(&control, shared->path, 0600) != 0) {
        return false;
    }
    (void)atomic_fetch_add(&shared->starters, 1);
    while (atomic_load(&shared->starters) < PROCESSES) {
    }
    while (atomic_load(&shared->turns_left) > 0) {
        if (!enter(&control, LONG_NS)) {
            return false;
        }
        if (atomic_load(&shared->turns_left) > 0) {
            (void)atomic_fetch_sub(&shared->turns_left, 1);
            (void)atomic_fetch_add(&shared->turns[child_number], 1);
        }
        /* In this time the others come back to where they wait. */
        linger(500);
        (void)grove__gate_leave(&control);
    }
    grove__control_close(&control);
    return true;
}

Test(lmdb_gate, turns_go_round_between_processes)
{
    gate_fixture fixture;
    lmdb_peer children[PROCESSES];
    gate_fixture_make(&fixture);
    atomic_store(&fixture.board->turns_left, TURNS);
    for (unsigned number = 0; number < PROCESSES; number++) {
        child_number = number;
        children[number] = lmdb_child_start(take_turns, fixture.board);
    }
    for (unsigned number = 0; number < PROCESSES; number++) {
        lmdb_child_end(&children[number]);
    }
    for (unsigned number = 0; number < PROCESSES; number++) {
        cr_expect_geq(atomic_load(&fixture.board->turns[number]), TURNS / PROCESSES / 4);
    }
    gate_fixture_open(&fixture);
    gate_fixture_remove(&fixture);
}

static bool hold_until_told(const lmdb_peer *test, void *context)
{
    board *shared = context;
    grove__control control;
    if (grove__control_open(&control, shared->path, 0600) != 0 ||
        !enter(&control, LONG_NS)) {
        return false;
    }
    lmdb_peer_tell(test);
    lmdb_peer_wait(test);
    (void)grove__gate_leave(&control);
    grove__control_close(&control);
    return true;
}

Test(lmdb_gate, a_holder_is_known_and_keeps_the_gate_while_it_is_stopped)
{
    gate_fixture fixture;
    uint64_t process;
    uint64_t held_ms;
    gate_fixture_make(&fixture);
    lmdb_peer child = lmdb_child_start(hold_until_told, fixture.board);
    lmdb_peer_wait(&child);
    gate_fixture_open(&fixture);
    cr_assert_not(enter(&fixture.control, SHORT_NS));
    lmdb_child_stop(&child);
    cr_assert_not(enter(&fixture.control, 3 * SHORT_NS));
    grove__gate_look(&fixture.control, &process, &held_ms);
    cr_assert_eq(process, (uint64_t)child.process);
    cr_assert_geq(held_ms, 4 * SHORT_NS / MS);
    lmdb_child_continue(&child);
    lmdb_peer_tell(&child);
    cr_assert(enter(&fixture.control, LONG_NS));
    lmdb_child_end(&child);
    grove__gate_look(&fixture.control, &process, &held_ms);
    cr_assert_eq(process, (uint64_t)getpid());
    cr_assert_not(grove__gate_leave(&fixture.control), "nobody waits");
    grove__gate_look(&fixture.control, &process, &held_ms);
    cr_assert_eq(process, 0);
    cr_assert_eq(held_ms, 0);
    gate_fixture_remove(&fixture);
}

Test(lmdb_gate, a_holder_that_is_killed_loses_the_gate_to_who_looks)
{
    gate_fixture fixture;
    gate_fixture_make(&fixture);
    for (int again = 0; again < 5; again++) {
        lmdb_peer child = lmdb_child_start(hold_until_told, fixture.board);
        lmdb_peer_wait(&child);
        if (again == 0) {
            gate_fixture_open(&fixture);
        }
        lmdb_child_kill(&child);
        cr_assert(enter(&fixture.control, LONG_NS));
        (void)grove__gate_leave(&fixture.control);
    }
    gate_fixture_remove(&fixture);
}

static bool wait_for_turn(const lmdb_peer *test, void *context)
{
    board *shared = context;
    grove__control control;
    if (grove__control_open(&control, shared->path, 0600) != 0) {
        return false;
    }
    lmdb_peer_tell(test);
    if (!enter(&control, LONG_NS)) {
        return false;
    }
    lmdb_peer_tell(test);
    lmdb_peer_wait(test);
    (void)grove__gate_leave(&control);
    grove__control_close(&control);
    return true;
}

/* The waiter that is in the gate, once there is one. */
static const grove__gate_waiter *find_waiter(const gate_fixture *fixture)
{
    const grove__gate *gate = &fixture->control.map->gate;
    for (;;) {
        for (size_t index = 0; index < GROVE__WAITERS_MAX; index++) {
            const _Atomic uint32_t *owner = &gate->waiters[index].owner;
            if (*owner != 0) {
                return &gate->waiters[index];
            }
        }
        linger(1000);
    }
}

static uint32_t absence(const grove__gate_waiter *waiter)
{
    const volatile uint32_t *is_absent = &waiter->is_absent;
    return *is_absent;
}

Test(lmdb_gate, an_heir_that_is_stopped_is_passed_over_until_it_shows_up)
{
    gate_fixture fixture;
    gate_fixture_make(&fixture);
    gate_fixture_open(&fixture);
    cr_assert(enter(&fixture.control, LONG_NS));
    lmdb_peer child = lmdb_child_start(wait_for_turn, fixture.board);
    lmdb_peer_wait(&child);
    const grove__gate_waiter *waiter = find_waiter(&fixture);
    lmdb_child_stop(&child);
    cr_assert(grove__gate_leave(&fixture.control), "the child is offered the gate");
    for (int again = 0; again < 3; again++) {
        cr_assert(enter(&fixture.control, LONG_NS), "the offer expires");
        cr_assert_eq(absence(waiter), 1);
        cr_assert_not(grove__gate_leave(&fixture.control), "the child is not asked");
    }
    cr_assert(enter(&fixture.control, LONG_NS));
    lmdb_child_continue(&child);
    while (absence(waiter) != 0) {
        linger(1000);
    }
    cr_assert(grove__gate_leave(&fixture.control), "it is asked again");
    lmdb_peer_wait(&child);
    cr_assert_not(enter(&fixture.control, SHORT_NS), "it has the gate");
    lmdb_peer_tell(&child);
    lmdb_child_end(&child);
    cr_assert(enter(&fixture.control, LONG_NS));
    (void)grove__gate_leave(&fixture.control);
    gate_fixture_remove(&fixture);
}

Test(lmdb_gate, an_heir_that_is_killed_is_passed_over)
{
    gate_fixture fixture;
    gate_fixture_make(&fixture);
    gate_fixture_open(&fixture);
    for (int again = 0; again < 3; again++) {
        cr_assert(enter(&fixture.control, LONG_NS));
        lmdb_peer child = lmdb_child_start(wait_for_turn, fixture.board);
        lmdb_peer_wait(&child);
        const grove__gate_waiter *waiter = find_waiter(&fixture);
        lmdb_child_kill(&child);
        cr_assert(grove__gate_leave(&fixture.control));
        cr_assert(enter(&fixture.control, LONG_NS));
        (void)grove__gate_leave(&fixture.control);
        grove__control_reclaim(&fixture.control);
        cr_assert_eq(waiter->owner, 0, "what it left is taken back");
    }
    gate_fixture_remove(&fixture);
}

Test(lmdb_gate, who_gives_up_hands_an_offer_on)
{
    gate_fixture fixture;
    gate_fixture_make(&fixture);
    gate_fixture_open(&fixture);
    cr_assert(enter(&fixture.control, LONG_NS));
    cr_assert_not(enter(&fixture.control, SHORT_NS));
    const grove__gate *gate = &fixture.control.map->gate;
    for (size_t index = 0; index < GROVE__WAITERS_MAX; index++) {
        cr_assert_eq(gate->waiters[index].owner, 0, "it is no longer in the row");
    }
    cr_assert_not(grove__gate_leave(&fixture.control));
    cr_assert(enter(&fixture.control, 0), "a free gate needs no wait");
    (void)grove__gate_leave(&fixture.control);
    gate_fixture_remove(&fixture);
}

static bool die_with_the_latch(const lmdb_peer *test, void *context)
{
    board *shared = context;
    grove__control control;
    (void)test;
    if (grove__control_open(&control, shared->path, 0600) != 0 ||
        !grove__control_latch(&control, grove__now_ns() + LONG_NS)) {
        return false;
    }
    /* Half an offer, to a waiter that cannot be. */
    control.map->gate.heir = 12345;
    control.map->gate.offered_until_ns = UINT64_MAX;
    (void)raise(SIGKILL);
    return false;
}

Test(lmdb_gate, who_dies_with_the_latch_leaves_a_gate_that_works)
{
    gate_fixture fixture;
    gate_fixture_make(&fixture);
    gate_fixture_open(&fixture);
    for (int again = 0; again < 10; again++) {
        int status;
        lmdb_peer child = lmdb_child_start(die_with_the_latch, fixture.board);
        lmdb_child_reap(&child, &status);
        cr_assert(WIFSIGNALED(status));
        cr_assert(grove__control_latch(&fixture.control, grove__now_ns() + LONG_NS));
        cr_assert_eq(fixture.control.map->gate.heir, 0, "half an offer is none");
        grove__control_unlatch(&fixture.control);
        cr_assert(enter(&fixture.control, LONG_NS));
        cr_assert_not(grove__gate_leave(&fixture.control));
    }
    gate_fixture_remove(&fixture);
}

/* Whether nobody is inside, once the test has cleared away the dead. */
static bool is_alone(board *shared, int self)
{
    uint64_t until = grove__now_ns() + LONG_NS;
    int nobody = 0;
    while (!atomic_compare_exchange_weak(&shared->inside, &nobody, self)) {
        if (grove__now_ns() > until) {
            return false;
        }
        nobody = 0;
    }
    return true;
}

static bool come_and_go(const lmdb_peer *test, void *context)
{
    board *shared = context;
    grove__control control;
    bool is_sound = grove__control_open(&control, shared->path, 0600) == 0;
    lmdb_peer_tell(test);
    while (is_sound) {
        is_sound = enter(&control, LONG_NS) && is_alone(shared, getpid());
        atomic_store(&shared->inside, 0);
        (void)grove__gate_leave(&control);
    }
    return false;
}

/* Killed at any instruction, with the latch or without, waiting or inside. */
Test(lmdb_gate, processes_that_are_killed_anywhere_leave_a_gate_that_works)
{
    enum { ROUNDS = 300, CHILDREN = 3 };
    gate_fixture fixture;
    lmdb_peer children[CHILDREN];
    unsigned seed = 1;
    gate_fixture_make(&fixture);
    gate_fixture_open(&fixture);
    for (int number = 0; number < CHILDREN; number++) {
        children[number] = lmdb_child_start(come_and_go, fixture.board);
        lmdb_peer_wait(&children[number]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        lmdb_peer *child = &children[round % CHILDREN];
        int killed = child->process;
        int status;
        seed = seed * 1103515245u + 12345u;
        linger(seed / 65536 % 1500);
        cr_assert_eq(kill(child->process, SIGKILL), 0);
        lmdb_child_reap(child, &status);
        cr_assert(WIFSIGNALED(status), "a child found two inside, or waited in vain");
        (void)atomic_compare_exchange_strong(&fixture.board->inside, &killed, 0);
        cr_assert(enter(&fixture.control, LONG_NS));
        cr_assert(is_alone(fixture.board, getpid()));
        atomic_store(&fixture.board->inside, 0);
        (void)grove__gate_leave(&fixture.control);
        *child = lmdb_child_start(come_and_go, fixture.board);
        lmdb_peer_wait(child);
    }
    for (int number = 0; number < CHILDREN; number++) {
        lmdb_child_kill(&children[number]);
    }
    gate_fixture_remove(&fixture);
}

static void *enter_and_leave(void *argument)
{
    grove__control *control = argument;
    if (!enter(control, LONG_NS)) {
        return control;
    }
    (void)grove__gate_leave(control);
    return NULL;
}

Test(lmdb_gate, more_threads_wait_than_the_row_has_room_for)
{
    enum { THREADS = GROVE__WAITERS_MAX + 40 };
    static pthread_t threads[THREADS];
    gate_fixture fixture;
    size_t in_vain = 0;
    gate_fixture_make(&fixture);
    gate_fixture_open(&fixture);
    cr_assert(enter(&fixture.control, LONG_NS));
    for (size_t index = 0; index < THREADS; index++) {
        cr_assert_eq(
            pthread_create(&threads[index], NULL, enter_and_leave, &fixture.control), 0);
    }
    linger(50000);
    (void)grove__gate_leave(&fixture.control);
    for (size_t index = 0; index < THREADS; index++) {
        void *result;
        cr_assert_eq(pthread_join(threads[index], &result), 0);
        in_vain += result != NULL;
    }
    cr_assert_eq(in_vain, 0);
    gate_fixture_remove(&fixture);
}
