/* A check on its way, shared by the files that check the store's tables. */
#ifndef GROVE_STORE_VERIFY_H
#define GROVE_STORE_VERIFY_H

#include "document/verify.h"

typedef struct grove__verify_work {
    grove_store *store;
    grove_verify_options options;
    grove__survey_options survey;
    grove__findings findings;
    grove_verify_report report;
    grove_buffer name;   /* of the entry that is looked at */
    grove_buffer group;  /* name of the group that was looked at last */
    grove_buffer joined; /* a value */
    bool stopped;
} grove__verify_work;

static inline bool grove__verify_has_stopped(const grove__verify_work *work)
{
    return work->stopped || work->findings.stopped;
}

/* Reports what is wrong with an entry. */
void grove__verify_find(grove__verify_work *work, grove_finding_kind kind,
                        grove__table table, grove_bytes key, grove_bytes document,
                        const grove_error *error);

/* Tells what comes next. False: the caller wants no more. */
bool grove__verify_go_to(grove__verify_work *work, grove__table table, grove_bytes name);

/* --- verify_commits.c --- */

/* Checks the table `commits` from a key on, and what is said of it. The status
 * of what could not be read for no fault of the store's. */
grove_status grove__verify_commits(grove__verify_work *work, grove__key from,
                                   grove_error *error_out);

/* --- verify_clocks.c --- */

/* Whether what aged commits touched is in the table `clocks`, as `txn` sees
 * both. The status of the backend, where it cannot give the commits. */
grove_status grove__verify_clocks(grove__verify_work *work, grove__txn *txn,
                                  const grove__aging_record *aging,
                                  grove_error *error_out);

#endif
