#include "commit/options.h"

#include "base/error.h"

grove_status grove__commit_options_meta(const grove_commit_options *options,
                                        grove_bytes *meta_out, grove_error *error_out)
{
    if (options == NULL) {
        *meta_out = (grove_bytes){NULL, 0};
        return GROVE_OK;
    }
    if (options->size != sizeof *options) {
        return grove__fail(error_out, GROVE_INVALID,
                           "grove_commit_options has %zu bytes, this library expects "
                           "%zu; initialize it with GROVE_COMMIT_OPTIONS_INIT",
                           options->size, sizeof *options);
    }
    if (options->meta.size > GROVE_COMMIT_META_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "the meta of the commit has %zu bytes, more than the %d of "
                           "GROVE_COMMIT_META_BYTES_MAX",
                           options->meta.size, GROVE_COMMIT_META_BYTES_MAX);
    }
    *meta_out = options->meta;
    return GROVE_OK;
}
