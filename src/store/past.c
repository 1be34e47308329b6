#include "store/past.h"

#include "base/bytes.h"
#include "base/error.h"
#include "commit/age.h"

enum { NUMBER_BYTES = 8 };

/* A key before all others. */
static grove_bytes first_key(void)
{
    static const uint8_t ZERO = 0;
    return (grove_bytes){&ZERO, 1};
}

static grove_status find_oldest(grove__past *past, grove__txn *txn,
                                grove_error *error_out)
{
    grove__cursor cursor;
    grove_bytes key;
    grove_bytes value;
    grove_status status =
        grove__cursor_open(txn, GROVE__TABLE_COMMITS, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    past->oldest = 1;
    status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, first_key(), &key,
                                &value, error_out);
    if (status == GROVE_OK) {
        status = grove__key_parse_commit(key, &past->oldest, error_out);
    }
    grove__cursor_close(&cursor);
    return status == GROVE_NONE ? GROVE_OK : status;
}

static grove_status check_numbers(const grove__past *past, grove_error *error_out)
{
    bool is_sound = past->oldest > 0 && past->newest < GROVE__PAST_COMMIT_MAX &&
                    past->aging.aged <= past->newest &&
                    past->aging.aged >= past->oldest - 1;
    return is_sound ? GROVE_OK
                    : grove__fail(error_out, GROVE_CORRUPT,
                                  "commits %llu to %llu are kept, and those up to %llu "
                                  "have aged",
                                  (unsigned long long)past->oldest,
                                  (unsigned long long)past->newest,
                                  (unsigned long long)past->aging.aged);
}

static grove_status gather_young(void *context, uint64_t number,
                                 const grove__commits *commits, grove_error *error_out)
{
    grove__past *past = context;
    const grove__touch *touches = grove__commits_touches(commits);
    size_t count = commits->touches.size / sizeof *touches;
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        status = grove__clocks_gather(&past->young, number, &touches[index], error_out);
    }
    return status;
}

/* Whether the young commits can age: as if they did. */
static grove_status check_young(const grove__past *past, grove__txn *txn,
                                grove_error *error_out)
{
    grove__write_set set;
    grove__write_set_init(&set, past->items.allocator);
    grove_status status = grove__clocks_put(&past->young, txn, &set, error_out);
    if (status == GROVE_OK && grove__write_set_has_failed(&set)) {
        status = grove__fail_memory(error_out);
    }
    grove__write_set_release(&set);
    return status;
}

grove_status grove__past_init(grove__past *past_out, grove__txn *txn,
                              const grove_allocator *allocator, grove_error *error_out)
{
    grove__past past = {.oldest = 1};
    grove__clocks_init(&past.young, allocator);
    grove_buffer_init(&past.items, allocator);
    grove_status status = grove__age_read(txn, &past.aging, error_out);
    if (status == GROVE_OK) {
        status = grove__commit_newest(txn, &past.newest, error_out);
    }
    if (status == GROVE_OK) {
        status = find_oldest(&past, txn, error_out);
    }
    if (status == GROVE_OK) {
        status = check_numbers(&past, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__age_each_young(txn, allocator, past.aging.aged, gather_young,
                                       &past, error_out);
    }
    if (status == GROVE_OK) {
        status = check_young(&past, txn, error_out);
    }
    if (status != GROVE_OK) {
        grove__past_release(&past);
        return status;
    }
    *past_out = past;
    return GROVE_OK;
}

void grove__past_release(grove__past *past)
{
    grove__clocks_release(&past->young);
    grove_buffer_release(&past->items);
}

/* Drops the items that are not before the oldest commit. */
static void cut_items(grove__past *past)
{
    const grove__commit_clock *items = grove__past_items(past);
    size_t count = grove__past_item_count(past);
    while (count > 0 && items[count - 1].commit >= past->oldest) {
        count--;
    }
    past->items.size = count * sizeof *items;
}

/* Takes in the row under a key. */
typedef grove_status (*row_fn)(grove__past *past, void *context, grove_bytes key,
                               grove_bytes row, grove_error *error_out);

/* Calls `each` for the rows whose keys begin with `prefix`. */
static grove_status each_row(grove__past *past, grove__txn *txn, grove_bytes prefix,
                             row_fn each, void *context, grove_error *error_out)
{
    grove__cursor cursor;
    grove_bytes key;
    grove_bytes row;
    grove_status status =
        grove__cursor_open(txn, GROVE__TABLE_CLOCKS, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status =
        grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER,
                           prefix.size > 0 ? prefix : first_key(), &key, &row, error_out);
    while (status == GROVE_OK && grove__bytes_begin_with(key, prefix)) {
        status = key.size < NUMBER_BYTES
                     ? grove__fail(error_out, GROVE_CORRUPT,
                                   "a row of clocks has a key of %zu bytes", key.size)
                     : each(past, context, key, row, error_out);
        if (status == GROVE_OK) {
            status = grove__cursor_next(&cursor, &key, &row, error_out);
        }
    }
    grove__cursor_close(&cursor);
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* Appends a row's items. */
static grove_status take_row(grove__past *past, void *context, grove_bytes key,
                             grove_bytes row, grove_error *error_out)
{
    (void)context;
    uint64_t commit = grove_read_u64(key.data + key.size - NUMBER_BYTES);
    return grove__clock_row_decode(commit, row, &past->items, error_out);
}

static grove_status check_items(const grove__past *past, uint64_t events,
                                grove_error *error_out)
{
    const grove__commit_clock *items = grove__past_items(past);
    grove__commit_clock last = {0, 0};
    for (size_t index = 0; index < grove__past_item_count(past); index++) {
        if (!grove__past_follows(past, &last, &items[index], events)) {
            return grove__fail(error_out, GROVE_CORRUPT,
                               "the rows of clocks contradict each other at commit %llu",
                               (unsigned long long)items[index].commit);
        }
        last = items[index];
    }
    return GROVE_OK;
}

grove_status grove__past_of_document(grove__past *past, grove__txn *txn,
                                     grove_bytes document, uint64_t events,
                                     grove_error *error_out)
{
    grove__key prefix;
    grove_buffer_reset(&past->items);
    if (past->oldest == 1 || grove__clocks_begin_anew(&past->young, document)) {
        return GROVE_OK;
    }
    grove__key_of_document(&prefix, document);
    grove_status status =
        each_row(past, txn, grove__key_view(&prefix), take_row, NULL, error_out);
    if (status == GROVE_OK) {
        cut_items(past);
        status = check_items(past, events, error_out);
    }
    return status;
}

typedef struct counting {
    grove_buffer name;
    uint64_t count;
} counting;

static grove_status count_row(grove__past *past, void *context, grove_bytes key,
                              grove_bytes row, grove_error *error_out)
{
    counting *work = context;
    grove_status status = grove__key_parse_name(key, &work->name, error_out);
    if (status != GROVE_OK ||
        grove__clocks_begin_anew(&past->young, grove_buffer_view(&work->name))) {
        return status;
    }
    grove_buffer_reset(&past->items);
    status = take_row(past, NULL, key, row, error_out);
    if (status == GROVE_OK) {
        cut_items(past);
        work->count += grove__past_item_count(past);
    }
    return status;
}

static grove_status count_rows(grove__past *past, grove__txn *txn, uint64_t count,
                               grove_error *error_out)
{
    counting work = {.count = 0};
    grove_buffer_init(&work.name, past->items.allocator);
    grove_status status =
        each_row(past, txn, (grove_bytes){NULL, 0}, count_row, &work, error_out);
    grove_buffer_release(&work.name);
    if (status == GROVE_OK && work.count != count) {
        status = grove__fail(error_out, GROVE_CORRUPT,
                             "a document has clocks from before it was made");
    }
    return status;
}

grove_status grove__past_check(grove_store *store, uint64_t count, grove_error *error_out)
{
    grove__txn txn;
    grove__past past;
    grove_status status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__past_init(&past, &txn, store->allocator, error_out);
    if (status == GROVE_OK) {
        status = count > 0 ? count_rows(&past, &txn, count, error_out) : GROVE_OK;
        grove__past_release(&past);
    }
    grove__txn_abort(&txn);
    return status;
}
