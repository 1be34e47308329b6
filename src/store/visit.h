/*
 * Going through the entries of a table that may be damaged, each in a read
 * transaction of its own.
 */
#ifndef GROVE_STORE_VISIT_H
#define GROVE_STORE_VISIT_H

#include <grove/verify.h>

#include "commit/store.h"
#include "format/key.h"

/* An entry, as `txn` sees it, which ends after the call. */
typedef struct grove__visit_entry {
    grove__txn *txn;
    grove__table table;
    grove_bytes key;
    grove_bytes value;
    /* Where to go on: behind the entry, unless the visitor sets it. */
    grove__key next;
} grove__visit_entry;

typedef struct grove__visitor {
    grove_store *store;
    void *context;
    /* What comes of an entry; `stops` ends the way. */
    grove_status (*entry)(void *context, grove__visit_entry *entry, bool *stops,
                          grove_error *error_out);
    /* The backend could not give the entries from `key` on; some are passed
     * over. */
    void (*unreadable)(void *context, grove__table table, grove_bytes key,
                       const grove_error *error);
} grove__visitor;

/*
 * Visits the entries of a table whose keys begin with `prefix` (may be empty),
 * from `from` on. Statuses: those of `entry`, and of beginning transactions.
 */
grove_status grove__visit_table(const grove__visitor *visitor, grove__table table,
                                const grove__key *prefix, grove__key from,
                                grove_error *error_out);

/* The first key behind all that begin with that of a document or a group. */
void grove__visit_behind_name(grove__key *key_out, grove_bytes name);
/* The first key behind `key`. */
void grove__visit_behind_key(grove__key *key_out, grove_bytes key);

/*
 * Where an option says that a way through all tables goes on. GROVE_INVALID:
 * there is no such table. Without a table it begins with the first one.
 */
grove_status grove__visit_after(const char *table_name, grove_bytes name,
                                grove__table *table_out, grove__key *from_out,
                                grove_error *error_out);

#endif
