/*
 * The store's own record: which store this is, and whether it still is.
 *
 * The record says where the store was when it was last looked at (place), and
 * whether it is used in a mode that a power cut makes lose commits (boot and
 * durability). Opening compares:
 *
 *   another place            a copy, or put back from one: others may have seen
 *                            commits that this one has not
 *   another boot, and marked the power was cut under commits that others may
 *                            have seen
 *
 * In both cases the store gets a new incarnation, so that what others remember
 * of the old one is not taken for this one's. With GROVE_DURABILITY_NONE it may
 * be broken besides, and is refused.
 *
 * The mark is on disk before the first commit of that mode, and goes when the
 * last handle of such a mode closes, or when a handle in full durability finds
 * none. All of them hold a pin of one name.
 */
#ifndef GROVE_STORE_IDENTITY_H
#define GROVE_STORE_IDENTITY_H

#include "commit/store.h"

/* Reads the record, makes it, or brings it up to date. GROVE_NONE: there is
 * none, and must_exist. GROVE_CORRUPT: see above. */
grove_status grove__identity_settle(grove_store *store,
                                    const grove_store_options *options,
                                    grove_error *error_out);
/* Only reads the record, if there is a sound one: for a store that may be
 * damaged or unfinished, which is not to be written. */
grove_status grove__identity_look(grove_store *store, grove_error *error_out);
/* Before the store is closed. */
void grove__identity_leave(grove_store *store);

/* Makes a copy of a store, which nobody else knows yet, free of the mark: it
 * is whole on disk. */
grove_status grove__identity_clear(grove_store *store, grove_error *error_out);

#endif
