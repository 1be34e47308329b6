/* What others of this room need of groups. */
#ifndef GROVE_STORE_GROUP_H
#define GROVE_STORE_GROUP_H

#include <grove/store.h>

/* Whether the bytes are what is stored of a group. GROVE_CORRUPT with the
 * offset; GROVE_FORMAT_NEWER, GROVE_NO_MEMORY. */
grove_status grove__group_check(grove_store *store, grove_bytes bytes,
                                grove_error *error_out);

#endif
