/*
 * Tests that go wrong in the ways that run-test has to notice. Only
 * test_run_test.py runs them, one at a time.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>

static void fail(void)
{
    cr_assert(0, "outside the test");
}

static void overflow(void)
{
    volatile int most = 0x7fffffff;
    most = most + 1;
}

Test(astray, passes)
{
    cr_assert(1);
}

Test(astray, fails)
{
    cr_assert(0);
}

Test(astray, crashes)
{
    (void)raise(SIGSEGV);
}

Test(astray, fails_in_setup, .init = fail)
{
}

Test(astray, fails_in_teardown, .fini = fail)
{
}

Test(astray, leaks)
{
    void *volatile lost = malloc(100);
    lost = NULL;
    (void)lost;
}

Test(astray, writes_beyond_the_end)
{
    char *volatile bytes = malloc(4);
    volatile int end = 4;
    bytes[end] = 1;
    free(bytes);
}

Test(astray, overflows)
{
    overflow();
}

Test(astray, overflows_in_a_child)
{
    if (fork() == 0) {
        overflow();
        _exit(0);
    }
    (void)sleep(1);
}

Test(astray, takes_too_long, .timeout = 1)
{
    (void)sleep(100);
}

Test(astray, skips)
{
    cr_skip_test("there is nothing to do");
}

Test(astray, is_disabled, .disabled = true)
{
}
