#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/faulty_allocator.h"

#include "memory/bell.h"

typedef struct bell_fixture {
    pthread_mutex_t mutex;
    grove__bell bell;
    faulty_allocator memory;
} bell_fixture;

static void bell_fixture_make(bell_fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    cr_assert_eq(pthread_mutex_init(&fixture->mutex, NULL), 0);
    fixture->bell.mutex = &fixture->mutex;
    faulty_allocator_init(&fixture->memory, 0);
}

static void bell_fixture_release(bell_fixture *fixture)
{
    cr_assert_null(fixture->bell.watches);
    faulty_allocator_finish(&fixture->memory);
    (void)pthread_mutex_destroy(&fixture->mutex);
}

static void ring(bell_fixture *fixture)
{
    (void)pthread_mutex_lock(&fixture->mutex);
    grove__memory_bell_ring(&fixture->bell);
    (void)pthread_mutex_unlock(&fixture->mutex);
}

static grove_backend_watch *watch(bell_fixture *fixture)
{
    grove_backend_watch *opened = NULL;
    cr_assert_eq(grove__memory_bell_watch(&fixture->bell, &fixture->memory.allocator,
                                          fixture->bell.cuts, &opened),
                 GROVE_OK);
    return opened;
}

static bool is_readable(const grove_backend_watch *opened)
{
    struct pollfd told = {.fd = grove__memory_bell_descriptor(opened), .events = POLLIN};
    return poll(&told, 1, 0) == 1;
}

Test(bell, tells_every_watch_once_of_what_came_after_it)
{
    bell_fixture fixture;
    bell_fixture_make(&fixture);
    ring(&fixture);
    grove_backend_watch *first = watch(&fixture);
    cr_assert_not(is_readable(first));
    cr_assert_eq(grove__memory_bell_wait(first, 0), GROVE_NONE);
    ring(&fixture);
    grove_backend_watch *second = watch(&fixture);
    ring(&fixture);
    cr_assert(is_readable(first));
    cr_assert(is_readable(second));
    cr_assert_eq(grove__memory_bell_wait(first, 1000), GROVE_OK);
    cr_assert_not(is_readable(first));
    cr_assert(is_readable(second), "each has its own");
    cr_assert_eq(grove__memory_bell_wait(first, 1), GROVE_NONE);
    cr_assert_eq(grove__memory_bell_wait(second, 0), GROVE_OK);
    grove__memory_bell_close(first, false);
    ring(&fixture);
    cr_assert_eq(grove__memory_bell_wait(second, 0), GROVE_OK);
    cr_assert_eq(grove__memory_bell_process(second), getpid());
    grove__memory_bell_close(second, false);
    bell_fixture_release(&fixture);
}

Test(bell, does_not_wait_for_a_watcher_that_does_not_look)
{
    bell_fixture fixture;
    bell_fixture_make(&fixture);
    grove_backend_watch *opened = watch(&fixture);
    /* More than a pipe holds. */
    for (int count = 0; count < 100000; count++) {
        ring(&fixture);
    }
    cr_assert_eq(grove__memory_bell_wait(opened, 0), GROVE_OK);
    cr_assert_not(is_readable(opened));
    cr_assert_eq(grove__memory_bell_wait(opened, 0), GROVE_NONE);
    grove__memory_bell_close(opened, false);
    bell_fixture_release(&fixture);
}

static void *ring_later(void *argument)
{
    (void)poll(NULL, 0, 20);
    ring(argument);
    return NULL;
}

Test(bell, wakes_who_waits)
{
    bell_fixture fixture;
    pthread_t thread;
    bell_fixture_make(&fixture);
    grove_backend_watch *opened = watch(&fixture);
    cr_assert_eq(pthread_create(&thread, NULL, ring_later, &fixture), 0);
    cr_assert_eq(grove__memory_bell_wait(opened, 60000), GROVE_OK);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    grove__memory_bell_close(opened, false);
    bell_fixture_release(&fixture);
}

Test(bell, is_of_no_use_after_a_power_cut)
{
    bell_fixture fixture;
    bell_fixture_make(&fixture);
    grove_backend_watch *opened = watch(&fixture);
    ring(&fixture);
    fixture.bell.cuts++;
    cr_assert_eq(grove__memory_bell_wait(opened, 0), GROVE_IO);
    grove__memory_bell_close(opened, false);
    opened = watch(&fixture);
    ring(&fixture);
    cr_assert_eq(grove__memory_bell_wait(opened, 0), GROVE_OK);
    grove__memory_bell_close(opened, false);
    bell_fixture_release(&fixture);
}

Test(bell, without_memory_or_descriptors_there_is_no_watch)
{
    bell_fixture fixture;
    struct rlimit usual;
    struct rlimit few;
    grove_backend_watch *opened = NULL;
    bell_fixture_make(&fixture);
    fixture.memory.fails_at = 1;
    cr_assert_eq(
        grove__memory_bell_watch(&fixture.bell, &fixture.memory.allocator, 0, &opened),
        GROVE_NO_MEMORY);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);
    few = usual;
    few.rlim_cur = 3;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    cr_assert_eq(
        grove__memory_bell_watch(&fixture.bell, &fixture.memory.allocator, 0, &opened),
        GROVE_BUSY);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &usual), 0);
    cr_assert_null(opened);
    bell_fixture_release(&fixture);
}

Test(bell, the_clock_does_not_go_back)
{
    uint64_t last = 0;
    for (int again = 0; again < 1000; again++) {
        uint64_t now = grove__memory_now_ms();
        cr_assert_geq(now, last);
        last = now;
    }
}
