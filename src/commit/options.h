/* What callers say of a commit that they make. */
#ifndef GROVE_COMMIT_OPTIONS_H
#define GROVE_COMMIT_OPTIONS_H

#include <grove/feed.h>

/* The meta in the options (NULL: the defaults), borrowed from the caller.
 * GROVE_INVALID: another struct; GROVE_LIMIT: too many bytes. */
grove_status grove__commit_options_meta(const grove_commit_options *options,
                                        grove_bytes *meta_out, grove_error *error_out);

#endif
