/* A whole store as text: docs/DUMP.md. */
#include <grove/dump.h>

#include "base/bytes.h"
#include "base/error.h"
#include "commit/incarnations.h"
#include "document/soundness.h"
#include "format/commits.h"
#include "format/dump_line.h"
#include "kv/value.h"
#include "store/group.h"
#include "store/past.h"

/* Text is handed out in pieces of about this size. */
enum { PIECE_BYTES = 1 << 16 };

typedef struct dumping {
    grove_store *store;
    grove__txn txn;
    grove_write_fn write;
    void *context;
    grove_buffer text;
    grove__dump_writer writer;
    grove_buffer joined; /* a value of several parts */
    grove_buffer name;   /* of a key that is taken apart */
    grove__past past;
    grove_dump_result result;
    grove__soundness *soundness; /* of the document that is written */
} dumping;

/* --- out --- */

static grove_status hand_out(dumping *work, grove_error *error_out)
{
    if (work->text.failed) {
        return grove__fail_memory(error_out);
    }
    if (!work->write(work->context, grove_buffer_view(&work->text))) {
        return grove__fail(error_out, GROVE_FAILED, "the dump was not taken any further");
    }
    work->result.bytes += work->text.size;
    grove_buffer_reset(&work->text);
    return GROVE_OK;
}

/* Ends a line. */
static grove_status end_line(dumping *work, grove_error *error_out)
{
    grove__dump_end(&work->writer);
    return work->text.failed || work->text.size >= PIECE_BYTES ? hand_out(work, error_out)
                                                               : GROVE_OK;
}

/* Ends the line that announces a value, and puts the value's lines. */
static grove_status put_value(dumping *work, grove_bytes value, grove_error *error_out)
{
    grove__dump_put_number(&work->writer, "bytes", value.size);
    grove_status status = end_line(work, error_out);
    for (size_t at = 0; status == GROVE_OK && at < value.size;
         at += GROVE__DUMP_DATA_BYTES) {
        size_t left = value.size - at;
        grove_bytes piece = {value.data + at, left < GROVE__DUMP_DATA_BYTES
                                                  ? left
                                                  : GROVE__DUMP_DATA_BYTES};
        grove__dump_begin(&work->writer, "data");
        grove__dump_put_data(&work->writer, "base64", piece);
        status = end_line(work, error_out);
    }
    return status;
}

/* --- through a table --- */

/* Writes what is stored under one key, which it gets without a part. */
typedef grove_status (*dump_fn)(dumping *work, grove_bytes key, grove_bytes value,
                                grove_error *error_out);

/*
 * Calls `each` for the entries of a table whose keys begin with `prefix`, or
 * for its values where it has them in parts.
 */
static grove_status each_entry(dumping *work, grove__table table, grove_bytes prefix,
                               bool has_parts, dump_fn each, grove_error *error_out)
{
    grove__cursor cursor;
    grove_status status = grove__cursor_open(&work->txn, table, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    /* No key comes before a single zero. */
    grove__key key = {1, {0}};
    if (prefix.size > 0) {
        memcpy(key.bytes, prefix.data, prefix.size);
        key.size = prefix.size;
    }
    for (;;) {
        grove_bytes found;
        grove_bytes value;
        status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER,
                                    grove__key_view(&key), &found, &value, error_out);
        if (status != GROVE_OK || !grove__bytes_begin_with(found, prefix)) {
            break;
        }
        size_t part_bytes = has_parts ? 8 : 0;
        if (found.size <= part_bytes || found.size + 8 > sizeof key.bytes) {
            status =
                grove__fail(error_out, GROVE_CORRUPT, "a key has %zu bytes", found.size);
            break;
        }
        key.size = found.size - part_bytes;
        memcpy(key.bytes, found.data, key.size);
        if (has_parts) {
            status = grove__value_get(&work->txn, table, grove__key_view(&key),
                                      &work->joined, &value, error_out);
        }
        if (status == GROVE_OK) {
            status = each(work, grove__key_view(&key), value, error_out);
        }
        if (status != GROVE_OK) {
            break;
        }
        /* Behind it, and behind all its parts. */
        grove__key_add_number(&key, UINT64_MAX);
    }
    grove__cursor_close(&cursor);
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* --- commits --- */

static grove_status put_commit(dumping *work, const grove__commits_entry *entry,
                               const grove__touch *touches, grove_error *error_out)
{
    grove__dump_writer *writer = &work->writer;
    grove__dump_begin(writer, "commit");
    grove__dump_put_number(writer, "number", ++work->result.commit);
    grove__dump_put_signed(writer, "time", entry->time);
    grove__dump_put_string(writer, "meta", entry->meta);
    grove__dump_put_number(writer, "touched", entry->touch_count);
    grove_status status = end_line(work, error_out);
    for (size_t index = 0; status == GROVE_OK && index < entry->touch_count; index++) {
        const grove__touch *touch = &touches[index];
        bool is_group = touch->kind == GROVE__TOUCH_GROUP;
        grove__dump_begin(writer, is_group ? "touched-group" : "touched-document");
        grove__dump_put_string(writer, is_group ? "name" : "id", touch->name);
        if (!is_group) {
            grove__dump_put_number(writer, "clock", touch->first_clock);
            grove__dump_put_number(writer, "count", touch->count);
        }
        status = end_line(work, error_out);
    }
    return status;
}

static grove_status put_commits(dumping *work, grove_bytes key, grove_bytes value,
                                grove_error *error_out)
{
    uint64_t number;
    grove__commits commits;
    grove__commits_init(&commits, work->store->allocator);
    grove_status status = grove__key_parse_commit(key, &number, error_out);
    if (status == GROVE_OK && number != work->result.commit + 1) {
        status = grove__fail(error_out, GROVE_CORRUPT, "commit %llu is missing",
                             (unsigned long long)(work->result.commit + 1));
    }
    if (status == GROVE_OK) {
        status = grove__commits_read(number, value, &commits, error_out);
    }
    const grove__commits_entry *entries = grove__commits_entries(&commits);
    const grove__touch *touches = grove__commits_touches(&commits);
    size_t count = grove__commits_count(&commits);
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        size_t touched = entries[index].touch_count;
        status = put_commit(work, &entries[index], touches, error_out);
        touches = touched > 0 ? touches + touched : touches;
    }
    grove__commits_release(&commits);
    return status;
}

/* In which incarnations commits were made. One that has none yet is no more
 * than that of the place; and a load needs room to add its own. */
static grove_status put_incarnations(dumping *work, const grove_buffer *list,
                                     size_t first, size_t end, grove_error *error_out)
{
    const grove__incarnation *items =
        (const grove__incarnation *)(const void *)list->data;
    grove_status status = GROVE_OK;
    for (size_t index = first; status == GROVE_OK && index < end; index++) {
        grove__dump_begin(&work->writer, "incarnation");
        grove__dump_put_number(&work->writer, "first", items[index].first_commit);
        grove__dump_put_number(&work->writer, "value", items[index].incarnation);
        status = end_line(work, error_out);
    }
    return status;
}

/* What is said of all commits. */
static grove_status put_head(dumping *work, grove_error *error_out)
{
    const grove__past *past = &work->past;
    grove__dump_writer *writer = &work->writer;
    grove_buffer list;
    grove_buffer_init(&list, work->store->allocator);
    grove_status status = grove__incarnations_read(&work->txn, &list, error_out);
    if (status == GROVE_OK) {
        const grove__incarnation *items =
            (const grove__incarnation *)(const void *)list.data;
        size_t end = list.size / sizeof *items;
        while (end > 0 && items[end - 1].first_commit > past->newest) {
            end--;
        }
        size_t first =
            end > GROVE__DUMP_INCARNATIONS_MAX ? end - GROVE__DUMP_INCARNATIONS_MAX : 0;
        grove__dump_begin(writer, "commits");
        grove__dump_put_number(writer, "oldest", past->oldest);
        grove__dump_put_number(writer, "newest", past->newest);
        grove__dump_put_number(writer, "commits_max", past->aging.commits_max);
        grove__dump_put_number(writer, "age_ms_max", past->aging.age_ms_max);
        grove__dump_put_number(writer, "incarnations", end - first);
        status = end_line(work, error_out);
        if (status == GROVE_OK) {
            status = put_incarnations(work, &list, first, end, error_out);
        }
    }
    grove_buffer_release(&list);
    return status;
}

static grove_status put_all_commits(dumping *work, grove_error *error_out)
{
    grove_status status = put_head(work, error_out);
    work->result.commit = work->past.oldest - 1;
    if (status == GROVE_OK) {
        status = each_entry(work, GROVE__TABLE_COMMITS, (grove_bytes){NULL, 0}, false,
                            put_commits, error_out);
    }
    if (status == GROVE_OK && work->result.commit != work->past.newest) {
        status = grove__fail(error_out, GROVE_CORRUPT, "the newest commit is packed");
    }
    return status;
}

/* --- groups --- */

static grove_status put_group(dumping *work, grove_bytes key, grove_bytes value,
                              grove_error *error_out)
{
    /* With the number of a part again, which the parser wants. */
    grove__key first_part = {key.size, {0}};
    uint64_t part;
    memcpy(first_part.bytes, key.data, key.size);
    grove__key_add_number(&first_part, 0);
    grove_status status = grove__key_parse_group_part(grove__key_view(&first_part),
                                                      &work->name, &part, error_out);
    if (status == GROVE_OK) {
        status = grove__group_check(work->store, value, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    work->result.groups++;
    grove__dump_begin(&work->writer, "group");
    grove__dump_put_string(&work->writer, "name", grove_buffer_view(&work->name));
    return put_value(work, value, error_out);
}

/* --- documents --- */

/* How far the document went in commits that are no longer kept. */
static grove_status put_clocks(dumping *work, grove_error *error_out)
{
    const grove__commit_clock *items = grove__past_items(&work->past);
    size_t count = grove__past_item_count(&work->past);
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        grove__dump_begin(&work->writer, "clock");
        grove__dump_put_number(&work->writer, "commit", items[index].commit);
        grove__dump_put_number(&work->writer, "clock", items[index].clock);
        status = end_line(work, error_out);
    }
    return status;
}

static grove_status put_run(dumping *work, grove_bytes key, grove_bytes value,
                            grove_error *error_out)
{
    grove_event_id id;
    grove__run_record run;
    memset(&id, 0, sizeof id);
    grove_status status =
        grove__key_parse_event(key, &work->name, &id.replica, &id.sequence, error_out);
    if (status == GROVE_OK) {
        status = grove__run_record_decode(value, &run, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__soundness_run(work->soundness, &id, run, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove__dump_begin(&work->writer, "run");
    grove__dump_put_string(&work->writer, "replica", grove__replica_bytes(&id.replica));
    grove__dump_put_number(&work->writer, "sequence", id.sequence);
    grove__dump_put_number(&work->writer, "clock", run.clock);
    grove__dump_put_number(&work->writer, "count", run.count);
    return end_line(work, error_out);
}

/* A snapshot or a batch. */
static grove_status put_piece(dumping *work, const char *word, grove_bytes key,
                              grove_bytes value,
                              grove_status (*check)(grove__soundness *soundness,
                                                    uint64_t clock, grove_bytes bytes,
                                                    grove_error *error_out),
                              grove_error *error_out)
{
    uint64_t clock;
    grove_status status = grove__key_parse_clock(key, &work->name, &clock, error_out);
    if (status == GROVE_OK) {
        status = check(work->soundness, clock, value, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove__dump_begin(&work->writer, word);
    grove__dump_put_number(&work->writer, "clock", clock);
    return put_value(work, value, error_out);
}

static grove_status put_snapshot(dumping *work, grove_bytes key, grove_bytes value,
                                 grove_error *error_out)
{
    return put_piece(work, "snapshot", key, value, grove__soundness_snapshot, error_out);
}

static grove_status put_batch(dumping *work, grove_bytes key, grove_bytes value,
                              grove_error *error_out)
{
    return put_piece(work, "batch", key, value, grove__soundness_batch, error_out);
}

static grove_status put_pending(dumping *work, grove_bytes key, grove_bytes value,
                                grove_error *error_out)
{
    grove_event_id id;
    memset(&id, 0, sizeof id);
    grove_status status =
        grove__key_parse_event(key, &work->name, &id.replica, &id.sequence, error_out);
    if (status == GROVE_OK) {
        status = grove__soundness_pending(work->soundness, &id, value, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove__dump_begin(&work->writer, "pending");
    grove__dump_put_string(&work->writer, "replica", grove__replica_bytes(&id.replica));
    grove__dump_put_number(&work->writer, "sequence", id.sequence);
    return put_value(work, value, error_out);
}

/* The pieces of the document whose keys begin with `prefix`. */
static grove_status put_pieces(dumping *work, grove_bytes prefix, grove_error *error_out)
{
    static const struct {
        grove__table table;
        bool has_parts;
        dump_fn put;
    } PIECES[] = {{GROVE__TABLE_REPLICAS, false, put_run},
                  {GROVE__TABLE_SNAPSHOTS, true, put_snapshot},
                  {GROVE__TABLE_EVENTS, true, put_batch},
                  {GROVE__TABLE_PENDING, true, put_pending}};
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < sizeof PIECES / sizeof *PIECES;
         index++) {
        status = each_entry(work, PIECES[index].table, prefix, PIECES[index].has_parts,
                            PIECES[index].put, error_out);
    }
    return status;
}

static grove_status put_record(dumping *work, grove_bytes id,
                               const grove__meta_record *meta, grove_error *error_out)
{
    grove__dump_writer *writer = &work->writer;
    grove__dump_begin(writer, "document");
    grove__dump_put_string(writer, "id", id);
    grove__dump_put_string(writer, "type", grove_bytes_of(meta->type_name));
    grove__dump_put_number(writer, "format", meta->type_format);
    grove__dump_put_number(writer, "incarnation", meta->incarnation);
    grove__dump_put_number(writer, "revision", meta->revision);
    grove__dump_put_number(writer, "events", meta->events);
    grove__dump_put_number(writer, "base", meta->base_clock);
    grove__dump_put_number(writer, "sealed", meta->sealed_clock);
    grove__dump_put_number(writer, "clocks", grove__past_item_count(&work->past));
    return end_line(work, error_out);
}

/* Whether the record counts the pieces that are there. */
static grove_status check_counts(const grove__meta_record *meta,
                                 const grove__meta_record *counted,
                                 grove_error *error_out)
{
    uint8_t bytes[2][GROVE__META_RECORD_BYTES];
    grove__meta_record_encode(meta, bytes[0]);
    grove__meta_record_encode(counted, bytes[1]);
    return memcmp(bytes[0], bytes[1], sizeof bytes[0]) == 0
               ? GROVE_OK
               : grove__fail(error_out, GROVE_CORRUPT,
                             "the document has other pieces than its record says");
}

/* Puts in front of a message which document it is about. */
static void name_document(grove_bytes id, grove_error *error_out)
{
    if (error_out == NULL) {
        return;
    }
    grove_error error = *error_out;
    char name[32];
    size_t size = id.size < sizeof name - 1 ? id.size : sizeof name - 1;
    for (size_t index = 0; index < size; index++) {
        bool is_plain = id.data[index] >= ' ' && id.data[index] < 0x7f;
        name[index] = is_plain ? (char)id.data[index] : '?';
    }
    name[size] = '\0';
    grove__error_say(error_out, "document %s%s: %s", name, size < id.size ? "..." : "",
                     error.message);
}

static grove_status put_document(dumping *work, grove_bytes key, grove_bytes value,
                                 grove_error *error_out)
{
    grove__meta_record meta;
    grove__meta_record counted;
    uint8_t id_bytes[GROVE_DOCUMENT_ID_BYTES_MAX];
    grove_status status = grove__key_parse_document(key, &work->name, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    /* The pieces' keys are taken apart into the same buffer. */
    grove_bytes id = {id_bytes, work->name.size};
    memcpy(id_bytes, work->name.data, work->name.size);
    status = grove__meta_record_decode(value, &meta, error_out);
    if (status == GROVE_OK) {
        status =
            grove__soundness_new(work->store, id, &meta, &work->soundness, error_out);
    }
    if (status == GROVE_OK) {
        status =
            grove__past_of_document(&work->past, &work->txn, id, meta.events, error_out);
    }
    if (status == GROVE_OK) {
        status = put_record(work, id, &meta, error_out);
    }
    if (status == GROVE_OK) {
        status = put_clocks(work, error_out);
    }
    if (status == GROVE_OK) {
        status = put_pieces(work, key, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__soundness_end(work->soundness, &counted, error_out);
    }
    if (status == GROVE_OK) {
        status = check_counts(&meta, &counted, error_out);
    }
    grove__soundness_free(work->soundness);
    work->soundness = NULL;
    if (status == GROVE_CORRUPT || status == GROVE_FORMAT_NEWER) {
        name_document(id, error_out);
    }
    work->result.documents++;
    work->result.events += status == GROVE_OK ? meta.events : 0;
    return status;
}

/* --- all --- */

static grove_status put_store(dumping *work, grove_error *error_out)
{
    grove__dump_writer *writer = &work->writer;
    const grove_bytes all = {NULL, 0};
    grove__dump_begin(writer, "grove-dump");
    grove__dump_put_number(writer, "version", GROVE__DUMP_VERSION);
    grove_status status = end_line(work, error_out);
    if (status == GROVE_OK) {
        status = put_all_commits(work, error_out);
    }
    if (status == GROVE_OK) {
        status = each_entry(work, GROVE__TABLE_GROUPS, all, true, put_group, error_out);
    }
    if (status == GROVE_OK) {
        status = each_entry(work, GROVE__TABLE_META, all, false, put_document, error_out);
    }
    if (status == GROVE_OK) {
        grove__dump_begin(writer, "end");
        grove__dump_put_number(writer, "groups", work->result.groups);
        grove__dump_put_number(writer, "documents", work->result.documents);
        status = end_line(work, error_out);
    }
    return status == GROVE_OK && work->text.size > 0 ? hand_out(work, error_out) : status;
}

grove_status grove_store_dump(grove_store *store, grove_write_fn write, void *context,
                              grove_dump_result *result_out, grove_error *error_out)
{
    dumping work = {.store = store, .write = write, .context = context};
    grove_status status =
        grove__txn_begin(&store->kv, GROVE_TXN_READ, &work.txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer_init(&work.text, store->allocator);
    grove_buffer_init(&work.joined, store->allocator);
    grove_buffer_init(&work.name, store->allocator);
    work.writer = grove__dump_writer_to(&work.text);
    status = grove__past_init(&work.past, &work.txn, store->allocator, error_out);
    if (status == GROVE_OK) {
        status = put_store(&work, error_out);
        grove__past_release(&work.past);
    }
    work.result.lines = work.writer.lines;
    grove_buffer_release(&work.name);
    grove_buffer_release(&work.joined);
    grove_buffer_release(&work.text);
    grove__txn_abort(&work.txn);
    if (status == GROVE_OK && result_out != NULL) {
        *result_out = work.result;
    }
    return status;
}
