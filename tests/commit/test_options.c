#include <criterion/criterion.h>

#include "commit/options.h"

Test(options, of_a_commit_are_the_defaults_when_left_out)
{
    grove_bytes meta = {(const uint8_t *)"x", 1};
    cr_assert_eq(grove__commit_options_meta(NULL, &meta, NULL), GROVE_OK);
    cr_assert_eq(meta.size, 0);
    const grove_commit_options defaults = GROVE_COMMIT_OPTIONS_INIT;
    meta.size = 1;
    cr_assert_eq(grove__commit_options_meta(&defaults, &meta, NULL), GROVE_OK);
    cr_assert_eq(meta.size, 0);
}

Test(options, of_a_commit_are_refused_beyond_the_limit_or_of_another_size)
{
    static const uint8_t bytes[GROVE_COMMIT_META_BYTES_MAX + 1];
    grove_commit_options options = GROVE_COMMIT_OPTIONS_INIT;
    grove_bytes meta = {NULL, 77};
    grove_error error;
    options.meta = (grove_bytes){bytes, sizeof bytes};
    cr_assert_eq(grove__commit_options_meta(&options, &meta, &error), GROVE_LIMIT);
    options.meta.size--;
    options.size++;
    cr_assert_eq(grove__commit_options_meta(&options, &meta, &error), GROVE_INVALID);
    cr_assert_eq(meta.size, 77);
    options.size--;
    cr_assert_eq(grove__commit_options_meta(&options, &meta, &error), GROVE_OK);
    cr_assert_eq(meta.size, GROVE_COMMIT_META_BYTES_MAX);
}
