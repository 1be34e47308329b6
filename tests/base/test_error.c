#include <criterion/criterion.h>

#include "base/error.h"

Test(error, fail_fills_the_error_and_returns_the_status)
{
    grove_error error;
    memset(&error, 0xff, sizeof error);
    cr_assert_eq(grove__fail(&error, GROVE_LIMIT, "%d of %s", 3, "these"), GROVE_LIMIT);
    cr_assert_eq(error.status, GROVE_LIMIT);
    cr_assert_eq(error.offset, 0);
    cr_assert_str_eq(error.message, "3 of these");
}

Test(error, fail_at_says_where)
{
    grove_error error;
    cr_assert_eq(grove__fail_at(&error, GROVE_CORRUPT, UINT64_C(1) << 40, "damaged"),
                 GROVE_CORRUPT);
    cr_assert_eq(error.offset, UINT64_C(1) << 40);
    cr_assert_str_eq(error.message, "damaged");
}

Test(error, status_is_evaluated_once)
{
    grove_error error;
    int next = GROVE_INVALID;
    cr_assert_eq(grove__fail(&error, (grove_status)next++, "once"), GROVE_INVALID);
    cr_assert_eq(next, GROVE_INVALID + 1);
}

Test(error, nobody_has_to_want_the_detail)
{
    grove_error *none = NULL;
    cr_assert_eq(grove__fail(none, GROVE_IO, "unheard"), GROVE_IO);
    cr_assert_eq(grove__fail_at(none, GROVE_IO, 7, "unheard"), GROVE_IO);
    cr_assert_eq(grove__fail_memory(none), GROVE_NO_MEMORY);
}

Test(error, a_long_sentence_is_cut_and_terminated)
{
    grove_error error;
    (void)grove__fail(&error, GROVE_IO, "%0*d", 2 * GROVE_ERROR_MESSAGE_BYTES, 1);
    cr_assert_eq(strlen(error.message), GROVE_ERROR_MESSAGE_BYTES - 1);
}

Test(error, every_status_has_a_name_and_no_other_number)
{
    for (int number = GROVE_OK; number <= GROVE_FORMAT_NEWER; number++) {
        const char *name = grove_status_name((grove_status)number);
        cr_assert_eq(strncmp(name, "GROVE_", 6), 0);
        cr_assert_str_neq(name, "GROVE_?");
    }
    cr_assert_str_eq(grove_status_name(GROVE_CONFLICT), "GROVE_CONFLICT");
    cr_assert_str_eq(grove_status_name((grove_status)(GROVE_FORMAT_NEWER + 1)),
                     "GROVE_?");
    cr_assert_str_eq(grove_status_name((grove_status)-1), "GROVE_?");
}
