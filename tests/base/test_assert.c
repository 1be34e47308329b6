#include <signal.h>

#include <criterion/criterion.h>

#include "base/assert.h"

Test(assertion, that_holds_lets_pass_and_is_evaluated_once)
{
    int evaluated = 0;
    GROVE_ASSERT(++evaluated == 1);
    GROVE_ASSERT_ARG(++evaluated == 2);
    cr_assert_eq(evaluated, 2);
}

/* In every build: NDEBUG has no say. */
Test(assertion, that_fails_ends_the_process, .signal = SIGABRT)
{
    GROVE_ASSERT(1 + 1 == 3);
}

Test(assertion, about_an_argument_ends_the_process, .signal = SIGABRT)
{
    GROVE_ASSERT_ARG(1 + 1 == 3);
}
