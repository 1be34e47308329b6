/*
 * The feed: reading the table `commits` in slices, and its retention.
 *
 * A slice is copied as it is stored in one read transaction and taken apart
 * after its end, so that no reader holds pages for as long as its callback
 * takes.
 */
#include <grove/feed.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/hash.h"
#include "commit/age.h"
#include "commit/commit.h"
#include "commit/incarnations.h"
#include "format/commits.h"

/* A slice copies no more entries once it has so many stored bytes. */
#define SLICE_BYTES_MAX ((size_t)1 << 20)

enum { ATTEMPTS_MAX = 16 };

/*
 * A token:
 *   0   1  version: 1
 *   1   7  zeros
 *   8   8  incarnation in which the commit before it was made
 *   16  8  number of that commit
 *   24  8  XXH3-64 of all bytes before, seed 8
 */
enum { TOKEN_VERSION = 1, TOKEN_BODY_BYTES = 24, TOKEN_SEED = 8 };

static void encode_token(uint64_t incarnation, uint64_t commit,
                         grove_feed_token *token_out)
{
    memset(token_out->bytes, 0, sizeof token_out->bytes);
    token_out->bytes[0] = TOKEN_VERSION;
    grove_write_u64(token_out->bytes + 8, incarnation);
    grove_write_u64(token_out->bytes + 16, commit);
    grove_bytes body = {token_out->bytes, TOKEN_BODY_BYTES};
    grove_write_u64(token_out->bytes + TOKEN_BODY_BYTES, grove__hash(body, TOKEN_SEED));
}

static grove_status decode_token(const grove_feed_token *token, uint64_t *incarnation_out,
                                 uint64_t *commit_out, grove_error *error_out)
{
    uint64_t incarnation = grove_read_u64(token->bytes + 8);
    uint64_t commit = grove_read_u64(token->bytes + 16);
    grove_feed_token again;
    encode_token(incarnation, commit, &again);
    if (memcmp(&again, token, sizeof again) != 0) {
        return grove__fail(error_out, GROVE_MALFORMED, "this is no token of a feed");
    }
    *incarnation_out = incarnation;
    *commit_out = commit;
    return GROVE_OK;
}

/* An entry of the table, copied. */
typedef struct slice_entry {
    uint64_t number;
    size_t offset;
    size_t bytes;
} slice_entry;

typedef struct slice {
    uint64_t after; /* the commit before the first that is wanted */
    uint64_t end;   /* one past the last */
    grove_buffer entries;
    grove_buffer bytes;
    grove_buffer incarnations;
    grove__commits commits;
    grove_buffer touches; /* grove_feed_touch records of one commit */
} slice;

static void slice_init(slice *read, const grove_allocator *allocator)
{
    *read = (slice){0};
    grove_buffer_init(&read->entries, allocator);
    grove_buffer_init(&read->bytes, allocator);
    grove_buffer_init(&read->incarnations, allocator);
    grove__commits_init(&read->commits, allocator);
    grove_buffer_init(&read->touches, allocator);
}

static void slice_release(slice *read)
{
    grove_buffer_release(&read->entries);
    grove_buffer_release(&read->bytes);
    grove_buffer_release(&read->incarnations);
    grove__commits_release(&read->commits);
    grove_buffer_release(&read->touches);
}

/* The number of the oldest commit that is kept; GROVE_NONE: there is none. */
static grove_status find_oldest(grove__cursor *cursor, uint64_t *oldest_out,
                                grove_error *error_out)
{
    grove_bytes key = {(const uint8_t *)"", 1};
    grove_bytes value;
    grove_status status =
        grove__cursor_seek(cursor, GROVE_SEEK_AT_OR_AFTER, key, &key, &value, error_out);
    return status == GROVE_OK ? grove__key_parse_commit(key, oldest_out, error_out)
                              : status;
}

/* The first commit of which it is known in which incarnation it was made. */
static uint64_t first_known(const grove_buffer *incarnations)
{
    return ((const grove__incarnation *)(const void *)incarnations->data)->first_commit;
}

/* Where a token lies in a store. */
typedef struct place {
    uint64_t incarnation;
    uint64_t commit;
} place;

/* Whether the store has what the token has seen, and all that came after. */
static grove_status check_place(const slice *read, const place *from, uint64_t oldest,
                                uint64_t newest, grove_error *error_out)
{
    uint64_t incarnation;
    grove_status known =
        grove__incarnations_find(&read->incarnations, from->commit, &incarnation);
    if (from->commit > newest ||
        (known == GROVE_OK && incarnation != from->incarnation)) {
        return grove__fail(error_out, GROVE_CONFLICT,
                           "this store has no such history: commit %llu that was read "
                           "is of another store, or was lost",
                           (unsigned long long)from->commit);
    }
    if (known == GROVE_NONE || from->commit + 1 < oldest) {
        return grove__fail(
            error_out, GROVE_HISTORY_REMOVED,
            "the commits after %llu are no longer kept, the oldest is %llu",
            (unsigned long long)from->commit, (unsigned long long)oldest);
    }
    return GROVE_OK;
}

/* Copies the entries that have the commits of the slice. */
static grove_status copy_entries(slice *read, grove__cursor *cursor,
                                 grove_error *error_out)
{
    grove__key wanted;
    grove_bytes key;
    grove_bytes value;
    grove__key_of_commit(&wanted, read->after + 1);
    /* The key after that: the entry before it has the first commit. */
    grove__key_add_number(&wanted, 0);
    grove_status status = grove__cursor_seek(
        cursor, GROVE_SEEK_BEFORE, grove__key_view(&wanted), &key, &value, error_out);
    while (status == GROVE_OK) {
        slice_entry entry = {0, read->bytes.size, value.size};
        status = grove__key_parse_commit(key, &entry.number, error_out);
        if (status != GROVE_OK || entry.number >= read->end) {
            break;
        }
        grove_buffer_append(&read->bytes, value.data, value.size);
        grove_buffer_append(&read->entries, &entry, sizeof entry);
        if (read->bytes.failed || read->entries.failed) {
            return grove__fail_memory(error_out);
        }
        if (read->bytes.size >= SLICE_BYTES_MAX) {
            break;
        }
        status = grove__cursor_next(cursor, &key, &value, error_out);
    }
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* Finds what is to be read and copies it. `from` NULL: from the oldest. */
static grove_status fill_slice(slice *read, grove__txn *txn, const place *from,
                               uint64_t commits_max, grove_error *error_out)
{
    uint64_t newest = 0;
    uint64_t oldest = 0;
    grove__cursor cursor;
    grove_status status = grove__incarnations_read(txn, &read->incarnations, error_out);
    if (status == GROVE_OK) {
        status = grove__commit_newest(txn, &newest, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__cursor_open(txn, GROVE__TABLE_COMMITS, &cursor, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    status = find_oldest(&cursor, &oldest, error_out);
    status = status == GROVE_NONE ? GROVE_OK : status;
    oldest = grove__max_u64(oldest, first_known(&read->incarnations));
    if (status == GROVE_OK && from != NULL) {
        status = check_place(read, from, oldest, newest, error_out);
    }
    if (status == GROVE_OK) {
        read->after = from != NULL ? from->commit : oldest - (oldest > 0 ? 1 : 0);
        uint64_t left = newest - read->after;
        read->end = read->after + 1 + grove__min_u64(left, commits_max);
        status = left > 0 ? copy_entries(read, &cursor, error_out) : GROVE_OK;
    }
    grove__cursor_close(&cursor);
    return status;
}

/* Hands out the commit at `index` of those that were decoded. */
static grove_status give_commit(slice *read, size_t index, size_t first_touch,
                                grove_feed_fn each, void *context, bool *goes_on,
                                grove_error *error_out)
{
    const grove__touch *touches = grove__commits_touches(&read->commits);
    const grove__commits_entry *entry = &grove__commits_entries(&read->commits)[index];
    grove_feed_commit commit = {
        .number = read->commits.first + index,
        .time = entry->time,
        .meta = entry->meta,
        .touch_count = entry->touch_count,
    };
    (void)grove__incarnations_find(&read->incarnations, commit.number,
                                   &commit.incarnation);
    grove_buffer_reset(&read->touches);
    for (size_t nth = 0; nth < entry->touch_count; nth++) {
        const grove__touch *touch = &touches[first_touch + nth];
        grove_feed_touch given = {(grove_feed_kind)touch->kind, touch->name,
                                  touch->first_clock, touch->count};
        grove_buffer_append(&read->touches, &given, sizeof given);
    }
    if (read->touches.failed) {
        return grove__fail_memory(error_out);
    }
    commit.touches = (const grove_feed_touch *)(const void *)read->touches.data;
    *goes_on = each(context, &commit);
    read->after = commit.number;
    return GROVE_OK;
}

/* Takes an entry apart and hands out what is wanted of it. */
static grove_status give_entry(slice *read, const slice_entry *entry, grove_feed_fn each,
                               void *context, bool *goes_on, grove_error *error_out)
{
    grove_bytes value = {read->bytes.data + entry->offset, entry->bytes};
    grove_status status =
        grove__commits_read(entry->number, value, &read->commits, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    size_t count = grove__commits_count(&read->commits);
    if (entry->number > read->after + 1 || count <= read->after - entry->number + 1) {
        return grove__fail(error_out, GROVE_CORRUPT, "commit %llu is missing",
                           (unsigned long long)(read->after + 1));
    }
    size_t touch = 0;
    for (size_t index = 0; status == GROVE_OK && *goes_on && index < count; index++) {
        uint64_t number = entry->number + index;
        if (number > read->after && number < read->end) {
            status = give_commit(read, index, touch, each, context, goes_on, error_out);
        }
        touch += grove__commits_entries(&read->commits)[index].touch_count;
    }
    return status;
}

static grove_status give_slice(slice *read, grove_feed_fn each, void *context,
                               grove_error *error_out)
{
    const slice_entry *entries = (const slice_entry *)(const void *)read->entries.data;
    size_t count = read->entries.size / sizeof *entries;
    bool goes_on = true;
    grove_status status = GROVE_OK;
    if (count == 0 && read->end > read->after + 1) {
        return grove__fail(error_out, GROVE_CORRUPT, "commit %llu is missing",
                           (unsigned long long)(read->after + 1));
    }
    for (size_t index = 0;
         status == GROVE_OK && goes_on && index < count && read->after + 1 < read->end;
         index++) {
        status = give_entry(read, &entries[index], each, context, &goes_on, error_out);
    }
    return status;
}

grove_status grove_feed_read(grove_store *store, const grove_feed_token *from,
                             uint64_t commits_max, grove_feed_fn each, void *context,
                             grove_feed_result *result_out, grove_error *error_out)
{
    place begin = {0, 0};
    grove__txn txn;
    grove_status status = GROVE_OK;
    if (commits_max == 0) {
        return grove__fail(error_out, GROVE_INVALID, "commits_max is 0");
    }
    if (from != NULL) {
        status = decode_token(from, &begin.incarnation, &begin.commit, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    slice read;
    slice_init(&read, store->allocator);
    status =
        fill_slice(&read, &txn, from != NULL ? &begin : NULL, commits_max, error_out);
    grove__txn_abort(&txn);
    uint64_t before = read.after;
    if (status == GROVE_OK) {
        status = give_slice(&read, each, context, error_out);
    }
    if (status == GROVE_OK || read.after > before) {
        uint64_t incarnation = 0;
        (void)grove__incarnations_find(&read.incarnations, read.after, &incarnation);
        encode_token(incarnation, read.after, &result_out->next);
        result_out->commits = read.after - before;
        status = GROVE_OK;
    }
    slice_release(&read);
    return status;
}

grove_status grove_feed_now(grove_store *store, grove_feed_token *token_out,
                            grove_error *error_out)
{
    grove__txn txn;
    grove_buffer incarnations;
    uint64_t newest = 0;
    uint64_t incarnation = 0;
    grove_status status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer_init(&incarnations, store->allocator);
    status = grove__incarnations_read(&txn, &incarnations, error_out);
    if (status == GROVE_OK) {
        status = grove__commit_newest(&txn, &newest, error_out);
    }
    grove__txn_abort(&txn);
    if (status == GROVE_OK) {
        (void)grove__incarnations_find(&incarnations, newest, &incarnation);
        encode_token(incarnation, newest, token_out);
    }
    grove_buffer_release(&incarnations);
    return status;
}

/* ---- Retention ---- */

grove_status grove_feed_retention_get(grove_store *store,
                                      grove_feed_retention *retention_out,
                                      grove_error *error_out)
{
    grove__txn txn;
    grove__aging_record record;
    grove_status status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__age_read(&txn, &record, error_out);
    grove__txn_abort(&txn);
    if (status == GROVE_OK) {
        *retention_out = (grove_feed_retention){record.commits_max, record.age_ms_max};
    }
    return status;
}

/* Prepares the change from what is stored now. */
static grove_status prepare_retention(grove_store *store,
                                      const grove_feed_retention *retention,
                                      grove__write_set *set, grove_error *error_out)
{
    grove__txn txn;
    grove__aging_record record;
    grove_status status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__age_read(&txn, &record, error_out);
    if (status == GROVE_OK) {
        record.commits_max = retention->commits_max;
        record.age_ms_max = retention->age_ms_max;
        status = grove__age_write(&txn, &record, set, error_out);
    }
    grove__txn_abort(&txn);
    return status;
}

static grove_status fail_busy(grove_error *error_out)
{
    return grove__fail(error_out, GROVE_BUSY,
                       "others aged commits before each of %d attempts", ATTEMPTS_MAX);
}

grove_status grove_feed_retention_set(grove_store *store,
                                      const grove_feed_retention *retention,
                                      grove_error *error_out)
{
    grove_status status = GROVE_CONFLICT;
    for (int attempts = 0; status == GROVE_CONFLICT && attempts < ATTEMPTS_MAX;
         attempts++) {
        grove__write_set set;
        grove__write_set_init(&set, store->allocator);
        status = prepare_retention(store, retention, &set, error_out);
        if (status == GROVE_OK) {
            status = grove__commit(store, &set, NULL, error_out);
        }
        grove__write_set_release(&set);
    }
    return status == GROVE_CONFLICT ? fail_busy(error_out) : status;
}

grove_status grove_feed_trim(grove_store *store, uint64_t commits_max,
                             uint64_t *removed_out, grove_error *error_out)
{
    if (commits_max == 0) {
        return grove__fail(error_out, GROVE_INVALID, "commits_max is 0");
    }
    grove__age_result result = {0, 0, false};
    grove_status status = GROVE_CONFLICT;
    for (int attempts = 0; status == GROVE_CONFLICT && attempts < ATTEMPTS_MAX;
         attempts++) {
        grove__write_set set;
        grove__write_set_init(&set, store->allocator);
        status = grove__age_prepare(store, commits_max, &set, &result, error_out);
        if (status == GROVE_OK) {
            status = grove__commit(store, &set, NULL, error_out);
        }
        grove__write_set_release(&set);
    }
    if (status == GROVE_CONFLICT) {
        return fail_busy(error_out);
    }
    if (status == GROVE_NONE) {
        status = GROVE_OK;
    }
    if (status == GROVE_OK && removed_out != NULL) {
        *removed_out = result.removed;
    }
    return status;
}
