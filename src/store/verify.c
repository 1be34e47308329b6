/* Checking everything: the way through the tables, and those whose entries
 * belong to no document. */
#include "store/verify.h"

#include "base/bytes.h"
#include "base/error.h"
#include "commit/write_set.h"
#include "kv/value.h"
#include "store/visit.h"

enum { NUMBER_BYTES = 8 };

/* What the table `store` has. */
typedef enum own_key { KEY_STORE, KEY_UNFINISHED, KEY_AGING, KEY_INCARNATIONS } own_key;
enum { OWN_KEYS = 4 };

static const char *const KEYS[OWN_KEYS] = {
    [KEY_STORE] = "store",
    [KEY_UNFINISHED] = "unfinished",
    [KEY_AGING] = "aging",
    [KEY_INCARNATIONS] = "incarnations",
};

void grove__verify_find(grove__verify_work *work, grove_finding_kind kind,
                        grove__table table, grove_bytes key, grove_bytes document,
                        const grove_error *error)
{
    grove_finding what = {.kind = kind,
                          .table = grove__table_name(table),
                          .key = key,
                          .document = document};
    grove__findings_add(&work->findings, &what, error);
}

bool grove__verify_go_to(grove__verify_work *work, grove__table table, grove_bytes name)
{
    if (!grove__verify_has_stopped(work) && work->options.at != NULL &&
        !work->options.at(work->findings.context, grove__table_name(table), name)) {
        work->stopped = true;
    }
    return !grove__verify_has_stopped(work);
}

static void report_unreadable(void *context, grove__table table, grove_bytes key,
                              const grove_error *error)
{
    grove__verify_work *work = context;
    grove__verify_find(work, GROVE_FINDING_UNREADABLE, table, key, (grove_bytes){NULL, 0},
                       error);
}

/* A failure to read the name of a key: a finding, or none of the store's. */
static grove_status judge_key(grove__verify_work *work, const grove__visit_entry *entry,
                              grove_status status, const grove_error *error)
{
    if (!grove__finding_is(status)) {
        return status;
    }
    grove__verify_find(work, GROVE_FINDING_KEY, entry->table, entry->key,
                       (grove_bytes){NULL, 0}, error);
    return GROVE_OK;
}

/* --- the store's own records --- */

/* Decodes one of them. */
static grove_status decode_own(grove__verify_work *work, own_key which, grove_bytes value,
                               grove_error *error)
{
    grove__store_record record;
    grove__aging_record aging;
    switch (which) {
    case KEY_STORE:
        return grove__store_record_decode(value, &record, error);
    case KEY_AGING:
        return grove__aging_record_decode(value, &aging, error);
    case KEY_INCARNATIONS:
        grove_buffer_reset(&work->joined);
        return grove__incarnations_record_decode(value, &work->joined, error);
    default:
        return grove__fail(error, GROVE_CORRUPT,
                           "a dump was being loaded and did not come to its end");
    }
}

static grove_status visit_store(void *context, grove__visit_entry *entry, bool *stops,
                                grove_error *error)
{
    grove__verify_work *work = context;
    grove_finding_kind kind = GROVE_FINDING_STORE;
    int which = 0;
    while (which < OWN_KEYS &&
           !grove__bytes_equal(entry->key, grove_bytes_of(KEYS[which]))) {
        which++;
    }
    grove_status status;
    if (which < OWN_KEYS) {
        status = decode_own(work, (own_key)which, entry->value, error);
    } else {
        kind = GROVE_FINDING_KEY;
        status = grove__fail(error, GROVE_CORRUPT,
                             "table store has an entry that is none of its records");
    }
    if (grove__finding_is(status)) {
        grove__verify_find(work, kind, entry->table, entry->key, (grove_bytes){NULL, 0},
                           error);
        status = GROVE_OK;
    }
    *stops = grove__verify_has_stopped(work);
    return status;
}

/* What the backend says of one of them; it can be looked at if GROVE_OK. */
static grove_status get_own(grove__verify_work *work, grove__txn *txn, own_key which,
                            grove_bytes *value_out, grove_error *error)
{
    grove_bytes key = grove_bytes_of(KEYS[which]);
    grove_status status = grove__kv_get(txn, GROVE__TABLE_STORE, key, value_out, error);
    if (status == GROVE_CORRUPT || status == GROVE_FAILED) {
        grove__verify_find(work, GROVE_FINDING_UNREADABLE, GROVE__TABLE_STORE, key,
                           (grove_bytes){NULL, 0}, error);
    }
    return status;
}

/* Whether the last incarnation is that of the record. */
static grove_status compare_incarnations(grove__verify_work *work, grove__txn *txn,
                                         uint64_t incarnation, grove_error *error)
{
    grove_bytes value;
    grove_status status = get_own(work, txn, KEY_INCARNATIONS, &value, error);
    if (status == GROVE_OK) {
        status = decode_own(work, KEY_INCARNATIONS, value, error);
    }
    if (status != GROVE_OK) {
        return status;
    }
    const grove__incarnation *items =
        (const grove__incarnation *)(const void *)work->joined.data;
    if (items[work->joined.size / sizeof *items - 1].incarnation != incarnation) {
        (void)grove__fail(error, GROVE_CORRUPT,
                          "the last incarnation is not that of the store's record");
        grove__verify_find(work, GROVE_FINDING_STORE, GROVE__TABLE_STORE,
                           grove_bytes_of(KEYS[KEY_INCARNATIONS]), (grove_bytes){NULL, 0},
                           error);
    }
    return GROVE_OK;
}

/* Whether there is a record, and what it has to do with others. What is in
 * each is looked at as an entry is. */
static grove_status compare_own(grove__verify_work *work, grove__txn *txn,
                                grove_error *error)
{
    grove_bytes value;
    grove__store_record record;
    grove_status status = get_own(work, txn, KEY_STORE, &value, error);
    if (status == GROVE_OK) {
        status = grove__store_record_decode(value, &record, error);
        return status == GROVE_OK
                   ? compare_incarnations(work, txn, record.incarnation, error)
                   : status;
    }
    if (status == GROVE_NONE) {
        status = get_own(work, txn, KEY_UNFINISHED, &value, error);
    }
    if (status == GROVE_NONE) {
        (void)grove__fail(error, GROVE_CORRUPT, "the store has no record");
        grove__verify_find(work, GROVE_FINDING_STORE, GROVE__TABLE_STORE,
                           grove_bytes_of(KEYS[KEY_STORE]), (grove_bytes){NULL, 0},
                           error);
    }
    return status;
}

static grove_status check_store(grove__verify_work *work, grove_error *error_out)
{
    grove__visitor visitor = {work->store, work, visit_store, report_unreadable};
    grove__key none = {.size = 0};
    grove__txn txn;
    grove_error error;
    if (!grove__verify_go_to(work, GROVE__TABLE_STORE, (grove_bytes){NULL, 0})) {
        return GROVE_OK;
    }
    grove_status status =
        grove__txn_begin(&work->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = compare_own(work, &txn, &error);
    grove__txn_abort(&txn);
    if (status == GROVE_OK || status == GROVE_FAILED || grove__finding_is(status)) {
        return grove__visit_table(&visitor, GROVE__TABLE_STORE, &none, none, error_out);
    }
    if (error_out != NULL) {
        *error_out = error;
    }
    return status;
}

/* --- documents --- */

/* Checks all that is stored of a document, and counts it. */
static grove_status check_document(grove__verify_work *work, grove__txn *txn,
                                   grove_bytes id, grove_error *error)
{
    grove__survey survey;
    grove__survey_init(&survey, work->store, txn, id, &work->survey, &work->findings);
    grove_status status = grove__survey_make(&survey);
    if (status == GROVE_OK) {
        size_t count;
        const grove__survey_piece *pieces = grove__survey_pieces(&survey.batches, &count);
        work->report.batches += count;
        for (size_t index = 0; index < count; index++) {
            work->report.events += pieces[index].events;
        }
        pieces = grove__survey_pieces(&survey.pending, &count);
        for (size_t index = 0; index < count; index++) {
            work->report.pending += pieces[index].events;
        }
        (void)grove__survey_pieces(&survey.snapshots, &count);
        work->report.snapshots += count;
        work->report.snapshots_replayed += survey.snapshots_replayed;
        work->report.documents++;
        bool is_other = survey.has_meta && survey.type == NULL;
        work->report.documents_of_other_types += is_other ? 1 : 0;
    } else {
        *error = survey.error;
    }
    grove__survey_release(&survey);
    return status;
}

static grove_status visit_meta(void *context, grove__visit_entry *entry, bool *stops,
                               grove_error *error)
{
    grove__verify_work *work = context;
    grove_status status = grove__key_parse_document(entry->key, &work->name, error);
    if (status != GROVE_OK) {
        status = judge_key(work, entry, status, error);
    } else if (grove__bytes_begin_with(grove_buffer_view(&work->name),
                                       work->options.prefix) &&
               grove__verify_go_to(work, entry->table, grove_buffer_view(&work->name))) {
        status = check_document(work, entry->txn, grove_buffer_view(&work->name), error);
    }
    *stops = grove__verify_has_stopped(work);
    return status;
}

/* What a document has, of which there should be a record. */
static grove_status visit_part(void *context, grove__visit_entry *entry, bool *stops,
                               grove_error *error)
{
    grove__verify_work *work = context;
    grove_status status = grove__key_parse_name(entry->key, &work->name, error);
    if (status != GROVE_OK) {
        status = judge_key(work, entry, status, error);
        *stops = grove__verify_has_stopped(work);
        return status;
    }
    grove_bytes name = grove_buffer_view(&work->name);
    grove__visit_behind_name(&entry->next, name);
    if (!grove__bytes_begin_with(name, work->options.prefix) ||
        !grove__verify_go_to(work, entry->table, name)) {
        *stops = grove__verify_has_stopped(work);
        return GROVE_OK;
    }
    grove__key key;
    grove_bytes value;
    grove__key_of_document(&key, name);
    status = grove__kv_get(entry->txn, GROVE__TABLE_META, grove__key_view(&key), &value,
                           error);
    if (status == GROVE_NONE) {
        status = grove__fail(error, GROVE_CORRUPT,
                             "there is no record of the document that has this entry");
    }
    if (grove__finding_is(status)) {
        grove__verify_find(work, GROVE_FINDING_ORPHAN, entry->table, entry->key, name,
                           error);
        status = GROVE_OK;
    }
    *stops = grove__verify_has_stopped(work);
    /* Reported where documents are looked for. */
    return status == GROVE_FAILED ? GROVE_OK : status;
}

/* --- groups --- */

static grove_status check_group(grove__verify_work *work, grove__txn *txn,
                                grove_bytes key, grove_error *error)
{
    grove_bytes bytes;
    grove__block block;
    grove_status status =
        grove__value_get(txn, GROVE__TABLE_GROUPS, key, &work->joined, &bytes, error);
    if (status == GROVE_OK) {
        status = grove__block_open(bytes, GROVE__BLOCK_STATE, &block, error);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer buffer;
    grove_buffer_init(&buffer, work->store->allocator);
    for (size_t index = 0; status == GROVE_OK && index < block.frame_count; index++) {
        grove_bytes frame;
        status = grove__block_frame_view(&block, block.frames[index].id, &buffer, &frame,
                                         error);
    }
    grove_buffer_release(&buffer);
    return status;
}

/* Takes a part of a group: the first one stands for all. */
static grove_status visit_group(void *context, grove__visit_entry *entry, bool *stops,
                                grove_error *error)
{
    grove__verify_work *work = context;
    uint64_t part;
    grove_status status =
        grove__key_parse_group_part(entry->key, &work->name, &part, error);
    grove_bytes name = grove_buffer_view(&work->name);
    if (status != GROVE_OK) {
        status = judge_key(work, entry, status, error);
    } else if (!grove__bytes_equal(name, grove_buffer_view(&work->group)) &&
               grove__verify_go_to(work, entry->table, name)) {
        grove_bytes key = {entry->key.data, entry->key.size - NUMBER_BYTES};
        status = check_group(work, entry->txn, key, error);
        if (grove__finding_is(status) || status == GROVE_FAILED) {
            grove__verify_find(work, GROVE_FINDING_GROUP, entry->table, key,
                               (grove_bytes){NULL, 0}, error);
            status = GROVE_OK;
        }
        work->report.groups++;
        grove_buffer_reset(&work->group);
        grove_buffer_append(&work->group, name.data, name.size);
        if (status == GROVE_OK && work->group.failed) {
            status = grove__fail_memory(error);
        }
    }
    *stops = grove__verify_has_stopped(work);
    return status;
}

/* --- everything --- */

static bool is_of_documents(grove__table table)
{
    return (table >= GROVE__TABLE_META && table <= GROVE__TABLE_PENDING) ||
           table == GROVE__TABLE_CLOCKS;
}

static grove_status check_table(grove__verify_work *work, grove__table table,
                                grove__key from, grove_error *error_out)
{
    static grove_status (*const VISITS[GROVE__TABLE_COUNT])(void *, grove__visit_entry *,
                                                            bool *, grove_error *) = {
        [GROVE__TABLE_META] = visit_meta,      [GROVE__TABLE_EVENTS] = visit_part,
        [GROVE__TABLE_SNAPSHOTS] = visit_part, [GROVE__TABLE_REPLICAS] = visit_part,
        [GROVE__TABLE_PENDING] = visit_part,   [GROVE__TABLE_GROUPS] = visit_group,
        [GROVE__TABLE_CLOCKS] = visit_part,
    };
    bool is_part = work->options.prefix.size > 0;
    if (is_part && !is_of_documents(table)) {
        return GROVE_OK;
    }
    if (table == GROVE__TABLE_STORE) {
        return check_store(work, error_out);
    }
    if (table == GROVE__TABLE_COMMITS) {
        return grove__verify_commits(work, from, error_out);
    }
    grove__visitor visitor = {work->store, work, VISITS[table], report_unreadable};
    grove__key prefix = {.size = 0};
    if (is_part) {
        grove__key_of_prefix(&prefix, work->options.prefix);
    }
    if (grove__bytes_compare(grove__key_view(&from), grove__key_view(&prefix)) < 0) {
        from = prefix;
    }
    return grove__visit_table(&visitor, table, &prefix, from, error_out);
}

static grove_status check_all(grove__verify_work *work, grove_error *error_out)
{
    grove__table first;
    grove__key from;
    grove_status status = grove__visit_after(
        work->options.after_table, work->options.after_name, &first, &from, error_out);
    for (int table = (int)first; status == GROVE_OK && table < GROVE__TABLE_COUNT;
         table++) {
        if (!grove__verify_has_stopped(work)) {
            status = check_table(work, (grove__table)table, from, error_out);
        }
        from.size = 0;
    }
    return status;
}

/* Whether anything is stored under the document's name. */
static grove_status look_for(grove__verify_work *work, grove__txn *txn,
                             bool *is_there_out, bool *has_record_out, grove_error *error)
{
    grove_status status = GROVE_OK;
    grove__key key;
    grove__key_of_document(&key, work->options.prefix);
    *is_there_out = false;
    for (int table = GROVE__TABLE_META; table < GROVE__TABLE_COUNT; table++) {
        grove__cursor cursor;
        grove_bytes found;
        grove_bytes value;
        if (!is_of_documents((grove__table)table)) {
            continue;
        }
        status = grove__cursor_open(txn, (grove__table)table, &cursor, error);
        if (status != GROVE_OK) {
            return status;
        }
        status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER,
                                    grove__key_view(&key), &found, &value, error);
        grove__cursor_close(&cursor);
        bool is_there =
            status == GROVE_OK && grove__bytes_begin_with(found, grove__key_view(&key));
        *is_there_out = *is_there_out || is_there;
        if (table == GROVE__TABLE_META) {
            *has_record_out = is_there;
        }
        if (status != GROVE_OK && status != GROVE_NONE) {
            return status;
        }
    }
    return GROVE_OK;
}

static grove_status check_one(grove__verify_work *work, grove_error *error_out)
{
    bool is_there = false;
    bool has_record = false;
    grove_error error;
    grove_bytes id = work->options.prefix;
    grove__txn txn;
    grove_status status =
        grove__txn_begin(&work->store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__key key;
    grove__key_of_document(&key, id);
    status = look_for(work, &txn, &is_there, &has_record, &error);
    if (status == GROVE_CORRUPT || status == GROVE_FAILED) {
        grove__verify_find(work, GROVE_FINDING_UNREADABLE, GROVE__TABLE_META,
                           grove__key_view(&key), id, &error);
        status = GROVE_OK;
    } else if (status == GROVE_OK && !is_there) {
        status = grove__fail(&error, GROVE_NONE, "there is no document of this id");
    } else if (status == GROVE_OK && grove__verify_go_to(work, GROVE__TABLE_META, id)) {
        if (!has_record) {
            (void)grove__fail(&error, GROVE_CORRUPT, "the document has no record");
            grove__verify_find(work, GROVE_FINDING_ORPHAN, GROVE__TABLE_META,
                               grove__key_view(&key), id, &error);
        }
        status = check_document(work, &txn, id, &error);
    }
    grove__txn_abort(&txn);
    if (status != GROVE_OK && error_out != NULL) {
        *error_out = error;
    }
    return status;
}

static grove_status check_options(const grove_verify_options *given,
                                  grove_verify_options *options_out,
                                  grove_error *error_out)
{
    grove_verify_options options = GROVE_VERIFY_OPTIONS_INIT;
    if (given != NULL && given->size != sizeof options) {
        return grove__fail(error_out, GROVE_INVALID,
                           "grove_verify_options: initialize it with "
                           "GROVE_VERIFY_OPTIONS_INIT");
    }
    options = given != NULL ? *given : options;
    *options_out = options;
    if (options.one_document) {
        return grove__key_check_document(options.prefix, error_out);
    }
    if (options.prefix.size > GROVE_DOCUMENT_ID_BYTES_MAX) {
        return grove__fail(error_out, GROVE_LIMIT, "the prefix has more than %d bytes",
                           GROVE_DOCUMENT_ID_BYTES_MAX);
    }
    return GROVE_OK;
}

grove_status grove_store_verify(grove_store *store, const grove_verify_options *options,
                                grove_finding_fn each, void *context,
                                grove_verify_report *report_out, grove_error *error_out)
{
    grove__verify_work work = {.store = store,
                               .findings = {.each = each, .context = context}};
    grove_status status = check_options(options, &work.options, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    work.survey = (grove__survey_options){.replay = work.options.replay,
                                          .types = work.options.types,
                                          .type_count = work.options.type_count};
    grove_buffer_init(&work.name, store->allocator);
    grove_buffer_init(&work.group, store->allocator);
    grove_buffer_init(&work.joined, store->allocator);
    status = work.options.one_document ? check_one(&work, error_out)
                                       : check_all(&work, error_out);
    grove_buffer_release(&work.joined);
    grove_buffer_release(&work.group);
    grove_buffer_release(&work.name);
    if (status == GROVE_OK && report_out != NULL) {
        work.report.findings = work.findings.count;
        work.report.stopped = grove__verify_has_stopped(&work);
        *report_out = work.report;
    }
    return status;
}
