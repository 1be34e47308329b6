/*
 * A store from its text: docs/DUMP.md. The text is taken line by line; each
 * function takes the lines of one thing, the first of which is `line`, and
 * leaves the one behind them there.
 */
#include <grove/dump.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "commit/age.h"
#include "commit/incarnations.h"
#include "document/soundness.h"
#include "format/dump_line.h"
#include "store/dump_source.h"
#include "store/group.h"
#include "store/loading.h"
#include "store/past.h"

typedef struct undumping {
    grove_store *store;
    grove__loading loading;
    grove__dump_source source;
    uint64_t sum;
    grove__dump_line line; /* the next one */
    grove_error error;     /* of the first failure */
    grove_dump_result result;
    /* Of `past`, what the dump says; and how many items of it there were. */
    grove__past past;
    uint64_t past_count;
    grove_buffer value;
    /* What a commit touched; the names lie one after the other. */
    grove_buffer touches;
    grove_buffer names;
    /* The name of the group, or the id of the document, that came last. */
    size_t name_bytes;
    uint8_t name[GROVE_DOCUMENT_ID_BYTES_MAX];
    grove__soundness *soundness;
} undumping;

_Static_assert(GROVE_GROUP_NAME_BYTES_MAX <= GROVE_DOCUMENT_ID_BYTES_MAX,
               "names of both kinds go to one place");

static grove_bytes view_name(const undumping *work)
{
    return (grove_bytes){work->name, work->name_bytes};
}

/* --- saying what is wrong --- */

/* Of the line that was taken last. */
static grove_status refuse(undumping *work, const char *why)
{
    return grove__fail_at(&work->error, GROVE_MALFORMED, work->source.offset,
                          "line %llu: %s", (unsigned long long)work->source.line, why);
}

/* What a check of stored bytes said in `error`, for bytes handed in. */
static grove_status judge(undumping *work, grove_status status)
{
    if (status == GROVE_OK || status == GROVE_NO_MEMORY || status == GROVE_FORMAT_NEWER ||
        status == GROVE_FAILED) {
        return status;
    }
    grove_error said = work->error;
    return refuse(work, said.message);
}

/* --- lines --- */

/* Makes the next line `line`. */
static grove_status advance(undumping *work)
{
    grove_bytes text;
    grove_status status = grove__dump_source_next(&work->source, &text, &work->error);
    if (status == GROVE_NONE) {
        work->source.line++;
        work->source.offset = work->source.next_offset;
        return refuse(work, "the dump is cut short");
    }
    if (status != GROVE_OK) {
        return judge(work, status);
    }
    return grove__dump_open(text, &work->sum, &work->line)
               ? GROVE_OK
               : refuse(work, "it is damaged, or does not come after the line before it");
}

static bool is_at(undumping *work, const char *word)
{
    return grove__dump_take_word(&work->line, word);
}

/* All fields of the line were taken. */
static grove_status end_line(undumping *work)
{
    return grove__dump_done(&work->line) ? GROVE_OK
                                         : refuse(work, "its fields are none of a dump");
}

/* --- values --- */

/* Takes the size that the line announces, and the lines of the value, into
 * `value`; `line` is then the last of them. */
static grove_status take_value(undumping *work)
{
    uint64_t left = grove__dump_take_number(&work->line, "bytes");
    grove_status status = end_line(work);
    if (status == GROVE_OK && (left == 0 || left > GROVE_VALUE_BYTES_MAX)) {
        status = refuse(work, "no value has so many bytes");
    }
    grove_buffer_reset(&work->value);
    while (status == GROVE_OK && left > 0) {
        size_t before = work->value.size;
        status = advance(work);
        if (status == GROVE_OK && !is_at(work, "data")) {
            status = refuse(work, "it is no line of the value");
        }
        if (status != GROVE_OK) {
            break;
        }
        grove__dump_take_data(&work->line, "base64", &work->value);
        status = end_line(work);
        uint64_t expected = left < GROVE__DUMP_DATA_BYTES ? left : GROVE__DUMP_DATA_BYTES;
        if (work->value.failed) {
            status = grove__fail_memory(&work->error);
        } else if (status == GROVE_OK && work->value.size - before != expected) {
            status = refuse(work, "it has another number of bytes than is due");
        }
        left -= expected;
    }
    return status;
}

static grove_status put(undumping *work, grove__table table, const grove__key *key,
                        const void *record, size_t bytes)
{
    return grove__loading_put(&work->loading, table, grove__key_view(key),
                              (grove_bytes){record, bytes}, &work->error);
}

/* The record that `value` holds. */
static grove_status put_record(undumping *work, grove__table table, grove_bytes key)
{
    return work->value.failed
               ? grove__fail_memory(&work->error)
               : grove__loading_put(&work->loading, table, key,
                                    grove_buffer_view(&work->value), &work->error);
}

static grove_status put_value(undumping *work, grove__table table, const grove__key *key)
{
    return grove__loading_put_value(&work->loading, table, grove__key_view(key),
                                    &work->value, &work->error);
}

/* --- commits --- */

/* Puts a commit that touched what has gathered. */
static grove_status put_commit(undumping *work, uint64_t number, int64_t time,
                               grove_bytes meta)
{
    grove__touch *touches = (grove__touch *)(void *)work->touches.data;
    size_t count = work->touches.size / sizeof *touches;
    const uint8_t *name = work->names.data;
    if (work->touches.failed || work->names.failed) {
        return grove__fail_memory(&work->error);
    }
    for (size_t index = 0; index < count; index++) {
        touches[index].name.data = name;
        name += touches[index].name.size;
    }
    grove__key key;
    grove_buffer_reset(&work->value);
    grove__commit_record_encode(time, meta, touches, count, &work->value);
    grove__key_of_commit(&key, number);
    return put_record(work, GROVE__TABLE_COMMITS, grove__key_view(&key));
}

/* Something that a commit touched. */
static grove_status take_touch(undumping *work)
{
    uint8_t name[GROVE_DOCUMENT_ID_BYTES_MAX];
    grove__touch touch = {.kind = GROVE__TOUCH_GROUP};
    if (is_at(work, "touched-group")) {
        touch.name = grove__dump_take_string(&work->line, "name", name,
                                             GROVE_GROUP_NAME_BYTES_MAX);
    } else if (is_at(work, "touched-document")) {
        touch.kind = GROVE__TOUCH_DOCUMENT;
        touch.name = grove__dump_take_string(&work->line, "id", name, sizeof name);
        touch.first_clock = grove__dump_take_number(&work->line, "clock");
        touch.count = grove__dump_take_number(&work->line, "count");
    } else {
        return refuse(work, "it is nothing that a commit touched");
    }
    grove_status status = end_line(work);
    if (status != GROVE_OK) {
        return status;
    }
    if (touch.name.size == 0 || touch.first_clock > GROVE_DOCUMENT_EVENTS_MAX ||
        touch.count > GROVE_DOCUMENT_EVENTS_MAX - touch.first_clock) {
        return refuse(work, "no commit touches that");
    }
    grove_buffer_append(&work->names, name, touch.name.size);
    grove_buffer_append(&work->touches, &touch, sizeof touch);
    return advance(work);
}

static grove_status take_commit(undumping *work, uint64_t number)
{
    uint8_t room[GROVE_COMMIT_META_BYTES_MAX];
    if (!is_at(work, "commit") ||
        grove__dump_take_number(&work->line, "number") != number) {
        return refuse(work, "it is not the commit that is due");
    }
    int64_t time = grove__dump_take_signed(&work->line, "time");
    grove_bytes meta = grove__dump_take_string(&work->line, "meta", room, sizeof room);
    uint64_t touched = grove__dump_take_number(&work->line, "touched");
    grove_status status = end_line(work);
    if (status == GROVE_OK) {
        status = advance(work);
    }
    grove_buffer_reset(&work->touches);
    grove_buffer_reset(&work->names);
    for (uint64_t index = 0; status == GROVE_OK && index < touched; index++) {
        /* Three bytes at least come with each name in the commit's record. */
        if (work->names.size + 3 * index > work->store->kv.backend->value_bytes_max) {
            return refuse(work, "the commit touches more than its record can say");
        }
        status = take_touch(work);
    }
    return status == GROVE_OK ? put_commit(work, number, time, meta) : status;
}

/* The incarnations in which commits were made; those that come will be made in
 * one of the new store's own. */
static grove_status take_incarnations(undumping *work, uint64_t count)
{
    grove__incarnation items[GROVE_INCARNATIONS_MAX];
    uint64_t end = 0;
    for (uint64_t index = 0; index < count; index++) {
        grove__incarnation *item = &items[index];
        if (!is_at(work, "incarnation")) {
            return refuse(work, "it is not the incarnation that is due");
        }
        item->first_commit = grove__dump_take_number(&work->line, "first");
        item->incarnation = grove__dump_take_number(&work->line, "value");
        grove_status status = end_line(work);
        if (status == GROVE_OK &&
            (item->first_commit < end || item->first_commit > work->past.newest)) {
            status = refuse(work, "the store was not renewed at that commit");
        }
        if (status == GROVE_OK) {
            status = advance(work);
        }
        if (status != GROVE_OK) {
            return status;
        }
        end = item->first_commit + 1;
    }
    items[count] = (grove__incarnation){work->past.newest + 1, work->store->incarnation};
    grove_buffer_reset(&work->value);
    grove__incarnations_record_encode(items, (size_t)count + 1, &work->value);
    return put_record(work, GROVE__TABLE_STORE, grove__incarnations_key());
}

/* What is said of all commits. */
static grove_status take_head(undumping *work)
{
    grove__past *past = &work->past;
    if (!is_at(work, "commits")) {
        return refuse(work, "it does not say how many commits there are");
    }
    past->oldest = grove__dump_take_number(&work->line, "oldest");
    past->newest = grove__dump_take_number(&work->line, "newest");
    past->aging.commits_max = grove__dump_take_number(&work->line, "commits_max");
    past->aging.age_ms_max = grove__dump_take_number(&work->line, "age_ms_max");
    uint64_t incarnations = grove__dump_take_number(&work->line, "incarnations");
    grove_status status = end_line(work);
    if (status != GROVE_OK) {
        return status;
    }
    /* The newest is always kept; where there is none, 1 is the next. */
    uint64_t oldest_max = past->newest > 0 ? past->newest : 1;
    if (past->oldest == 0 || past->oldest > oldest_max ||
        past->newest >= GROVE__PAST_COMMIT_MAX) {
        return refuse(work, "no store keeps these commits");
    }
    if (incarnations > GROVE__DUMP_INCARNATIONS_MAX) {
        return refuse(work, "no store has had so many incarnations");
    }
    /* Until all have aged that are to, they are all kept. */
    uint8_t record[GROVE__AGING_RECORD_BYTES];
    grove__aging_record aging = {past->oldest - 1, 0, 0};
    grove__aging_record_encode(&aging, record);
    status = grove__loading_put(&work->loading, GROVE__TABLE_STORE, grove__age_key(),
                                (grove_bytes){record, sizeof record}, &work->error);
    if (status == GROVE_OK) {
        status = advance(work);
    }
    return status == GROVE_OK ? take_incarnations(work, incarnations) : status;
}

static grove_status take_commits(undumping *work)
{
    grove_status status = take_head(work);
    for (uint64_t number = work->past.oldest;
         status == GROVE_OK && number <= work->past.newest; number++) {
        status = take_commit(work, number);
        work->result.commit = number;
    }
    return status;
}

/* --- groups --- */

/* Takes a name that comes after the one before it; `count` came before. */
static grove_status take_name(undumping *work, const char *field, uint64_t count)
{
    uint8_t name[GROVE_DOCUMENT_ID_BYTES_MAX];
    grove_bytes taken = grove__dump_take_string(&work->line, field, name, sizeof name);
    if (work->line.failed || taken.size == 0) {
        return refuse(work, "it has no name that can be");
    }
    if (count > 0 && grove__bytes_compare(taken, view_name(work)) <= 0) {
        return refuse(work, "it stands out of order");
    }
    memcpy(work->name, name, taken.size);
    work->name_bytes = taken.size;
    return GROVE_OK;
}

static grove_status take_group(undumping *work)
{
    grove_status status = take_name(work, "name", work->result.groups);
    if (status == GROVE_OK) {
        status = take_value(work);
    }
    if (status == GROVE_OK) {
        status =
            judge(work, grove__group_check(work->store, grove_buffer_view(&work->value),
                                           &work->error));
    }
    if (status == GROVE_OK) {
        grove__key key;
        grove__key_of_group(&key, view_name(work));
        status = put_value(work, GROVE__TABLE_GROUPS, &key);
    }
    work->result.groups++;
    return status == GROVE_OK ? advance(work) : status;
}

/* --- documents --- */

/* Puts the items that have gathered as a row. */
static grove_status put_clocks(undumping *work)
{
    grove_buffer *items = &work->past.items;
    const grove__commit_clock *first = grove__past_items(&work->past);
    size_t count = grove__past_item_count(&work->past);
    if (items->failed) {
        return grove__fail_memory(&work->error);
    }
    if (count == 0) {
        return GROVE_OK;
    }
    grove__key key;
    grove_buffer_reset(&work->value);
    grove__clock_row_encode(first, count, &work->value);
    grove__key_of_document_commit(&key, view_name(work), first->commit);
    work->past_count += count;
    grove_buffer_reset(items);
    return put_record(work, GROVE__TABLE_CLOCKS, grove__key_view(&key));
}

/* How far a document of `events` events went in commits that are not kept. */
static grove_status take_clocks(undumping *work, uint64_t count, uint64_t events)
{
    grove__commit_clock last = {0, 0};
    grove_status status = GROVE_OK;
    grove_buffer_reset(&work->past.items);
    for (uint64_t index = 0; status == GROVE_OK && index < count; index++) {
        if (!is_at(work, "clock")) {
            return refuse(work, "it is not the clock that is due");
        }
        grove__commit_clock item;
        item.commit = grove__dump_take_number(&work->line, "commit");
        item.clock = grove__dump_take_number(&work->line, "clock");
        status = end_line(work);
        if (status == GROVE_OK &&
            !grove__past_follows(&work->past, &last, &item, events)) {
            status = refuse(work, "the document did not go so far in that commit");
        }
        last = item;
        grove_buffer_append(&work->past.items, &item, sizeof item);
        if (status == GROVE_OK &&
            grove__past_item_count(&work->past) >= GROVE__CLOCK_ROW_COMMITS) {
            status = put_clocks(work);
        }
        if (status == GROVE_OK) {
            status = advance(work);
        }
    }
    return status == GROVE_OK ? put_clocks(work) : status;
}

/* The id of a run's first event. */
static grove_event_id take_id(undumping *work)
{
    grove_event_id id;
    memset(&id, 0, sizeof id);
    id.replica.size =
        (uint8_t)grove__dump_take_string(&work->line, "replica", id.replica.bytes,
                                         sizeof id.replica.bytes)
            .size;
    id.sequence = grove__dump_take_number(&work->line, "sequence");
    return id;
}

static grove_status take_run(undumping *work)
{
    grove_event_id id = take_id(work);
    grove__run_record run;
    run.clock = grove__dump_take_number(&work->line, "clock");
    run.count = grove__dump_take_number(&work->line, "count");
    grove_status status = end_line(work);
    if (status == GROVE_OK) {
        status =
            judge(work, grove__soundness_run(work->soundness, &id, run, &work->error));
    }
    if (status == GROVE_OK) {
        uint8_t record[GROVE__RUN_RECORD_BYTES];
        grove__key key;
        grove__run_record_encode(&run, record);
        grove__key_of_event(&key, view_name(work), &id.replica, id.sequence);
        status = put(work, GROVE__TABLE_REPLICAS, &key, record, sizeof record);
    }
    return status == GROVE_OK ? advance(work) : status;
}

/* A snapshot or a batch. */
static grove_status take_piece(undumping *work, grove__table table,
                               grove_status (*check)(grove__soundness *soundness,
                                                     uint64_t clock, grove_bytes bytes,
                                                     grove_error *error_out))
{
    uint64_t clock = grove__dump_take_number(&work->line, "clock");
    grove_status status = take_value(work);
    if (status == GROVE_OK) {
        status = judge(work, check(work->soundness, clock,
                                   grove_buffer_view(&work->value), &work->error));
    }
    if (status == GROVE_OK) {
        grove__key key;
        grove__key_of_clock(&key, view_name(work), clock);
        status = put_value(work, table, &key);
    }
    return status == GROVE_OK ? advance(work) : status;
}

static grove_status take_pending(undumping *work)
{
    grove_event_id id = take_id(work);
    grove_status status = take_value(work);
    if (status == GROVE_OK) {
        status = judge(work, grove__soundness_pending(work->soundness, &id,
                                                      grove_buffer_view(&work->value),
                                                      &work->error));
    }
    if (status == GROVE_OK) {
        grove__key key;
        grove__key_of_event(&key, view_name(work), &id.replica, id.sequence);
        status = put_value(work, GROVE__TABLE_PENDING, &key);
    }
    return status == GROVE_OK ? advance(work) : status;
}

/* A document's first line; *clocks_out: how many lines of clocks follow. */
static grove_status take_record(undumping *work, grove__meta_record *meta_out,
                                uint64_t *clocks_out)
{
    grove__meta_record meta;
    memset(&meta, 0, sizeof meta);
    grove_status status = take_name(work, "id", work->result.documents);
    if (status != GROVE_OK) {
        return status;
    }
    (void)grove__dump_take_string(&work->line, "type", (uint8_t *)meta.type_name,
                                  GROVE_TYPE_NAME_BYTES_MAX);
    uint64_t format = grove__dump_take_number(&work->line, "format");
    meta.type_format = (uint32_t)format;
    meta.incarnation = grove__dump_take_number(&work->line, "incarnation");
    meta.revision = grove__dump_take_number(&work->line, "revision");
    meta.events = grove__dump_take_number(&work->line, "events");
    meta.base_clock = grove__dump_take_number(&work->line, "base");
    meta.sealed_clock = grove__dump_take_number(&work->line, "sealed");
    *clocks_out = grove__dump_take_number(&work->line, "clocks");
    status = end_line(work);
    if (status == GROVE_OK && format != meta.type_format) {
        status = refuse(work, "no type has such a format");
    }
    if (status == GROVE_OK) {
        *meta_out = meta;
    }
    return status;
}

/* The lines of a document behind its first: kind after kind. */
static grove_status take_pieces(undumping *work)
{
    grove_status status = GROVE_OK;
    while (status == GROVE_OK && is_at(work, "run")) {
        status = take_run(work);
    }
    while (status == GROVE_OK && is_at(work, "snapshot")) {
        status = take_piece(work, GROVE__TABLE_SNAPSHOTS, grove__soundness_snapshot);
    }
    while (status == GROVE_OK && is_at(work, "batch")) {
        status = take_piece(work, GROVE__TABLE_EVENTS, grove__soundness_batch);
    }
    while (status == GROVE_OK && is_at(work, "pending")) {
        status = take_pending(work);
    }
    return status;
}

static grove_status take_document(undumping *work)
{
    uint64_t clocks;
    grove__meta_record meta;
    grove_status status = take_record(work, &meta, &clocks);
    if (status == GROVE_OK) {
        status = judge(work, grove__soundness_new(work->store, view_name(work), &meta,
                                                  &work->soundness, &work->error));
    }
    if (status == GROVE_OK) {
        status = advance(work);
    }
    if (status == GROVE_OK) {
        status = take_clocks(work, clocks, meta.events);
    }
    if (status == GROVE_OK) {
        status = take_pieces(work);
    }
    if (status == GROVE_OK) {
        status = judge(work, grove__soundness_end(work->soundness, &meta, &work->error));
    }
    if (status == GROVE_OK) {
        uint8_t record[GROVE__META_RECORD_BYTES];
        grove__key key;
        grove__meta_record_encode(&meta, record);
        grove__key_of_document(&key, view_name(work));
        status = put(work, GROVE__TABLE_META, &key, record, sizeof record);
        work->result.events += meta.events;
    }
    work->result.documents++;
    grove__soundness_free(work->soundness);
    work->soundness = NULL;
    return status;
}

/* --- all --- */

static grove_status take_first(undumping *work)
{
    grove_status status = advance(work);
    if (status != GROVE_OK) {
        return status;
    }
    bool is_dump = is_at(work, "grove-dump");
    uint64_t version = grove__dump_take_number(&work->line, "version");
    if (!is_dump || work->line.failed || version == 0) {
        return refuse(work, "this is no dump");
    }
    if (version > GROVE__DUMP_VERSION) {
        return grove__fail(&work->error, GROVE_FORMAT_NEWER,
                           "a dump of version %llu; this library knows up to %d",
                           (unsigned long long)version, GROVE__DUMP_VERSION);
    }
    return end_line(work);
}

/* The last line, and that nothing follows. */
static grove_status take_end(undumping *work)
{
    if (!is_at(work, "end")) {
        return refuse(work, "nothing of this kind can come here");
    }
    uint64_t groups = grove__dump_take_number(&work->line, "groups");
    uint64_t documents = grove__dump_take_number(&work->line, "documents");
    grove_status status = end_line(work);
    if (status == GROVE_OK &&
        (groups != work->result.groups || documents != work->result.documents)) {
        status = refuse(work, "it counts other groups or documents than there were");
    }
    if (status != GROVE_OK) {
        return status;
    }
    work->result.lines = work->source.line;
    work->result.bytes = work->source.next_offset;
    grove_bytes more;
    status = grove__dump_source_next(&work->source, &more, &work->error);
    if (status == GROVE_NONE) {
        return GROVE_OK;
    }
    return status == GROVE_OK ? refuse(work, "something follows the end")
                              : judge(work, status);
}

static grove_status take_content(undumping *work)
{
    grove_status status = advance(work);
    if (status == GROVE_OK) {
        status = take_commits(work);
    }
    while (status == GROVE_OK && is_at(work, "group")) {
        status = take_group(work);
    }
    while (status == GROVE_OK && is_at(work, "document")) {
        status = take_document(work);
    }
    return status == GROVE_OK ? take_end(work) : status;
}

/* Lets the commits age. Only now it shows whether they fit each other. */
static grove_status age(undumping *work)
{
    grove_status status =
        grove__loading_age(&work->loading, &work->past.aging, &work->error);
    if (status == GROVE_OK) {
        status = grove__past_check(work->store, work->past_count, &work->error);
    }
    return status == GROVE_CORRUPT ? judge(work, status) : status;
}

/* Fills the store, which is open. */
static grove_status fill(undumping *work)
{
    grove_status status = grove__loading_begin(work->store, &work->loading, &work->error);
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer_init(&work->value, work->store->allocator);
    grove_buffer_init(&work->touches, work->store->allocator);
    grove_buffer_init(&work->names, work->store->allocator);
    grove_buffer_init(&work->past.items, work->store->allocator);
    status = take_content(work);
    if (status == GROVE_OK) {
        status = age(work);
    }
    if (status == GROVE_OK) {
        status = grove__loading_end(&work->loading, &work->error);
    }
    grove__soundness_free(work->soundness);
    grove_buffer_release(&work->past.items);
    grove_buffer_release(&work->names);
    grove_buffer_release(&work->touches);
    grove_buffer_release(&work->value);
    grove__loading_release(&work->loading);
    return status;
}

grove_status grove_store_undump(const char *path, const grove_store_options *options,
                                grove_read_fn read, void *context,
                                grove_dump_result *result_out, grove_error *error_out)
{
    grove_store_options wanted = GROVE_STORE_OPTIONS_INIT;
    if (options != NULL && options->size != sizeof *options) {
        return grove__fail(error_out, GROVE_INVALID,
                           "the options are of another size than this library's");
    }
    if (options != NULL) {
        wanted = *options;
    }
    /* What makes it a store must not reach the disk before the rest. */
    wanted.durability = GROVE_DURABILITY_FULL;
    wanted.must_exist = false;
    undumping work = {.store = NULL};
    grove__dump_source_init(&work.source,
                            wanted.allocator != NULL ? wanted.allocator
                                                     : &grove__allocator_system,
                            read, context);
    /* Nothing is made of what is no dump at all. */
    grove_status status = take_first(&work);
    if (status == GROVE_OK) {
        status = grove_store_open(path, &wanted, &work.store, &work.error);
    }
    if (status == GROVE_OK) {
        status = fill(&work);
        grove_store_close(work.store);
    }
    grove__dump_source_release(&work.source);
    if (status == GROVE_OK && result_out != NULL) {
        *result_out = work.result;
    }
    if (status != GROVE_OK && error_out != NULL) {
        *error_out = work.error;
    }
    return status;
}
