/* Copying what is sound into a new store: the way through the old one. */
#include "base/bytes.h"
#include "base/error.h"
#include "commit/commit.h"
#include "document/salvage.h"
#include "format/block.h"
#include "kv/value.h"
#include "store/visit.h"

enum { NUMBER_BYTES = 8 };

typedef struct salvage_work {
    grove_store *source;
    grove_store *destination;
    grove_salvage_options options;
    grove__survey_options survey;
    grove__losses losses;
    grove_salvage_report report;
    grove_buffer name;
    grove_buffer joined;
    bool stopped;
} salvage_work;

static bool has_stopped(const salvage_work *work)
{
    return work->stopped || work->losses.stopped;
}

static bool go_to(salvage_work *work, grove__table table, grove_bytes name)
{
    if (!has_stopped(work) && work->options.at != NULL &&
        !work->options.at(work->losses.context, grove__table_name(table), name)) {
        work->stopped = true;
    }
    return !has_stopped(work);
}

static void lose_whole(salvage_work *work, grove__table table, grove_bytes name,
                       const char *message)
{
    grove_loss loss = {.kind = GROVE_LOSS_WHOLE,
                       .table = grove__table_name(table),
                       .name = name,
                       .message = message};
    grove__losses_add(&work->losses, &loss);
}

/* The name of what cannot be read is not known. */
static void report_unreadable(void *context, grove__table table, grove_bytes key,
                              const grove_error *error)
{
    (void)key;
    bool is_group = table == GROVE__TABLE_GROUPS;
    lose_whole(context, is_group ? table : GROVE__TABLE_META, (grove_bytes){NULL, 0},
               error->message);
}

/* --- documents --- */

static grove_status copy_document(salvage_work *work, grove__txn *txn, grove_bytes id,
                                  grove_error *error)
{
    grove__salvage_result result = {.is_copied = false};
    grove_status status =
        grove__salvage_document(work->source, txn, id, &work->survey, work->destination,
                                &work->losses, &result, error);
    if (status == GROVE_OK) {
        work->report.documents += result.is_copied ? 1 : 0;
        work->report.documents_in_part += result.is_copied && !result.is_whole ? 1 : 0;
        work->report.documents_lost += result.is_copied ? 0 : 1;
        work->report.events += result.events;
        work->report.events_lost += result.events_lost;
    }
    return status;
}

static grove_status visit_meta(void *context, grove__visit_entry *entry, bool *stops,
                               grove_error *error)
{
    salvage_work *work = context;
    grove_status status = grove__key_parse_document(entry->key, &work->name, error);
    grove_bytes id = grove_buffer_view(&work->name);
    if (status == GROVE_CORRUPT) {
        status = GROVE_OK;
    } else if (status == GROVE_OK && go_to(work, entry->table, id)) {
        status = copy_document(work, entry->txn, id, error);
    }
    *stops = has_stopped(work);
    return status;
}

/* Whether the source has anything of a document in a table. */
static grove_status find_entries(grove__txn *txn, grove__table table, grove_bytes id,
                                 bool *is_found_out, grove_error *error)
{
    grove__cursor cursor;
    grove__key key;
    grove_bytes found;
    grove_bytes value;
    grove__key_of_document(&key, id);
    grove_status status = grove__cursor_open(txn, table, &cursor, error);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, grove__key_view(&key),
                                &found, &value, error);
    grove__cursor_close(&cursor);
    *is_found_out =
        status == GROVE_OK && grove__bytes_begin_with(found, grove__key_view(&key));
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* A document without a record is copied where the first of its entries are
 * found. */
static grove_status visit_part(void *context, grove__visit_entry *entry, bool *stops,
                               grove_error *error)
{
    salvage_work *work = context;
    grove_status status = grove__key_parse_name(entry->key, &work->name, error);
    grove_bytes id = grove_buffer_view(&work->name);
    if (status != GROVE_OK) {
        return status == GROVE_CORRUPT ? GROVE_OK : status;
    }
    grove__visit_behind_name(&entry->next, id);
    bool is_done = false;
    for (int table = GROVE__TABLE_META;
         status == GROVE_OK && !is_done && table < (int)entry->table; table++) {
        status = find_entries(entry->txn, (grove__table)table, id, &is_done, error);
    }
    if (grove__finding_is(status) || status == GROVE_FAILED) {
        /* Where that cannot be read the document was lost before. */
        status = GROVE_OK;
    } else if (status == GROVE_OK && !is_done && go_to(work, entry->table, id)) {
        status = copy_document(work, entry->txn, id, error);
    }
    *stops = has_stopped(work);
    return status;
}

/* --- groups --- */

/* Whether a group's block can be read. */
static grove_status check_state(const salvage_work *work, grove_bytes bytes,
                                grove_error *error)
{
    grove__block block;
    grove_status status = grove__block_open(bytes, GROVE__BLOCK_STATE, &block, error);
    grove_buffer buffer;
    grove_buffer_init(&buffer, work->source->allocator);
    for (size_t index = 0; status == GROVE_OK && index < block.frame_count; index++) {
        grove_bytes frame;
        status = grove__block_frame_view(&block, block.frames[index].id, &buffer, &frame,
                                         error);
    }
    grove_buffer_release(&buffer);
    return status;
}

static grove_status put_group(const salvage_work *work, grove_bytes name, grove_bytes key,
                              grove_bytes bytes, grove_error *error)
{
    grove__write_set set;
    grove__write_set_init(&set, work->destination->allocator);
    grove__write_set_put_value(&set, GROVE__TABLE_GROUPS, key, bytes);
    grove__write_set_touch(&set, &(grove__touch){GROVE__TOUCH_GROUP, name, 0, 0});
    grove_status status = grove__commit(work->destination, &set, NULL, error);
    grove__write_set_release(&set);
    return status;
}

static grove_status copy_group(salvage_work *work, grove__txn *txn, grove_bytes name,
                               grove_error *error)
{
    grove__key key;
    grove__key_of_group(&key, name);
    grove_bytes view = grove__key_view(&key);
    grove_bytes bytes;
    grove_status status = grove__value_get_alone(txn, GROVE__TABLE_GROUPS, view,
                                                 &work->joined, &bytes, error);
    if (status == GROVE_NONE) {
        status = grove__fail(error, GROVE_CORRUPT, "part 0 of a value is missing");
    }
    if (status == GROVE_OK) {
        status = check_state(work, bytes, error);
    }
    if (grove__finding_is(status) || status == GROVE_FAILED) {
        lose_whole(work, GROVE__TABLE_GROUPS, name, error->message);
        work->report.groups_lost++;
        return GROVE_OK;
    }
    if (status == GROVE_OK) {
        status = put_group(work, name, view, bytes, error);
    }
    work->report.groups += status == GROVE_OK ? 1 : 0;
    return status;
}

static grove_status visit_group(void *context, grove__visit_entry *entry, bool *stops,
                                grove_error *error)
{
    salvage_work *work = context;
    uint64_t part;
    grove_status status =
        grove__key_parse_group_part(entry->key, &work->name, &part, error);
    grove_bytes name = grove_buffer_view(&work->name);
    if (status == GROVE_CORRUPT) {
        status = GROVE_OK;
    } else if (status == GROVE_OK && go_to(work, entry->table, name)) {
        grove__visit_behind_name(&entry->next, name);
        status = copy_group(work, entry->txn, name, error);
    }
    *stops = has_stopped(work);
    return status;
}

/* --- all of it --- */

/* Whether the destination has nothing but its own record. */
static grove_status check_empty(grove_store *destination, grove_error *error_out)
{
    grove__txn txn;
    grove_status status =
        grove__txn_begin(&destination->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    for (int table = GROVE__TABLE_META; status == GROVE_OK && table < GROVE__TABLE_COUNT;
         table++) {
        grove__cursor cursor;
        grove_bytes key;
        grove_bytes value;
        status = grove__cursor_open(&txn, (grove__table)table, &cursor, error_out);
        if (status == GROVE_OK) {
            status = grove__cursor_seek(&cursor, GROVE_SEEK_BEFORE,
                                        (grove_bytes){NULL, 0}, &key, &value, error_out);
            grove__cursor_close(&cursor);
            if (status == GROVE_OK) {
                status = grove__fail(error_out, GROVE_INVALID,
                                     "the store to salvage to is not empty");
            }
            status = status == GROVE_NONE ? GROVE_OK : status;
        }
    }
    grove__txn_abort(&txn);
    return status;
}

static grove_status copy_all(salvage_work *work, grove_error *error_out)
{
    static grove_status (*const VISITS[GROVE__TABLE_COUNT])(void *, grove__visit_entry *,
                                                            bool *, grove_error *) = {
        [GROVE__TABLE_META] = visit_meta,      [GROVE__TABLE_EVENTS] = visit_part,
        [GROVE__TABLE_SNAPSHOTS] = visit_part, [GROVE__TABLE_REPLICAS] = visit_part,
        [GROVE__TABLE_PENDING] = visit_part,   [GROVE__TABLE_GROUPS] = visit_group,
    };
    grove__table first;
    grove__key from;
    grove__key none = {.size = 0};
    grove_status status = grove__visit_after(
        work->options.after_table, work->options.after_name, &first, &from, error_out);
    for (int table = (int)first; status == GROVE_OK && table < GROVE__TABLE_COUNT;
         table++) {
        if (VISITS[table] != NULL && !has_stopped(work)) {
            grove__visitor visitor = {work->source, work, VISITS[table],
                                      report_unreadable};
            status =
                grove__visit_table(&visitor, (grove__table)table, &none, from, error_out);
        }
        from = none;
    }
    return status;
}

grove_status grove_store_salvage(grove_store *source, grove_store *destination,
                                 const grove_salvage_options *options, grove_loss_fn each,
                                 void *context, grove_salvage_report *report_out,
                                 grove_error *error_out)
{
    salvage_work work = {.source = source,
                         .destination = destination,
                         .options = GROVE_SALVAGE_OPTIONS_INIT,
                         .losses = {.each = each, .context = context}};
    if (options != NULL && options->size != sizeof *options) {
        return grove__fail(error_out, GROVE_INVALID,
                           "grove_salvage_options: initialize it with "
                           "GROVE_SALVAGE_OPTIONS_INIT");
    }
    if (source == destination) {
        return grove__fail(error_out, GROVE_INVALID,
                           "a store cannot be salvaged to itself");
    }
    work.options = options != NULL ? *options : work.options;
    work.survey = (grove__survey_options){.types = work.options.types,
                                          .type_count = work.options.type_count};
    grove_status status = GROVE_OK;
    if (work.options.after_table == NULL) {
        status = check_empty(destination, error_out);
    }
    grove_buffer_init(&work.name, source->allocator);
    grove_buffer_init(&work.joined, source->allocator);
    if (status == GROVE_OK) {
        status = copy_all(&work, error_out);
    }
    grove_buffer_release(&work.joined);
    grove_buffer_release(&work.name);
    if (status == GROVE_OK && report_out != NULL) {
        work.report.losses = work.losses.count;
        work.report.stopped = has_stopped(&work);
        *report_out = work.report;
    }
    return status;
}
