#include "commit/clocks.h"

#include "base/bytes.h"
#include "base/error.h"

enum { NUMBER_BYTES = 8 };

#define NO_TOUCH SIZE_MAX

/* A document, its first and its last touch. */
typedef struct document_touches {
    grove_bytes name;
    size_t first;
    size_t last;
    /* The rows that there are belong to a document that is no more. */
    bool begins_anew;
} document_touches;

typedef struct clock_touch {
    grove__commit_clock item;
    size_t next; /* of the same document */
} clock_touch;

static document_touches *documents_of(const grove__clocks *clocks)
{
    return (document_touches *)(void *)clocks->documents.data;
}

static clock_touch *touches_of(const grove__clocks *clocks)
{
    return (clock_touch *)(void *)clocks->touches.data;
}

static int compare_names(const void *a, const void *b)
{
    return grove__bytes_compare(((const document_touches *)a)->name,
                                ((const document_touches *)b)->name);
}

void grove__clocks_init(grove__clocks *clocks, const grove_allocator *allocator)
{
    *clocks = (grove__clocks){.allocator = allocator};
    grove_buffer_init(&clocks->documents, allocator);
    grove_buffer_init(&clocks->touches, allocator);
}

void grove__clocks_release(grove__clocks *clocks)
{
    grove_buffer_release(&clocks->documents);
    grove_buffer_release(&clocks->touches);
    grove__sorted_release(&clocks->order, clocks->allocator);
}

/* The document of that name, if it was touched; else NULL. */
static document_touches *find_document(const grove__clocks *clocks, grove_bytes name)
{
    document_touches wanted = {name, NO_TOUCH, NO_TOUCH, false};
    grove__sorted_items items = {documents_of(clocks), sizeof wanted, compare_names};
    uint32_t found = grove__sorted_floor(&clocks->order, &items, &wanted);
    bool is_there = found != GROVE__SORTED_NONE &&
                    grove__bytes_equal(documents_of(clocks)[found].name, name);
    return is_there ? &documents_of(clocks)[found] : NULL;
}

/* The same; one that is new is added. NULL: no memory. */
static document_touches *name_document(grove__clocks *clocks, grove_bytes name)
{
    document_touches *found = find_document(clocks, name);
    if (found != NULL) {
        return found;
    }
    document_touches wanted = {name, NO_TOUCH, NO_TOUCH, false};
    grove_buffer_append(&clocks->documents, &wanted, sizeof wanted);
    size_t count = clocks->documents.size / sizeof wanted;
    grove__sorted_items items = {documents_of(clocks), sizeof wanted, compare_names};
    if (clocks->documents.failed ||
        !grove__sorted_cover(&clocks->order, clocks->allocator, &items, count)) {
        return NULL;
    }
    return &documents_of(clocks)[count - 1];
}

grove_status grove__clocks_gather(grove__clocks *clocks, uint64_t commit,
                                  const grove__touch *touch, grove_error *error_out)
{
    if (touch->kind != GROVE__TOUCH_DOCUMENT) {
        return GROVE_OK;
    }
    document_touches *document = name_document(clocks, touch->name);
    if (document == NULL) {
        return grove__fail_memory(error_out);
    }
    if (touch->first_clock == 0) {
        document->first = NO_TOUCH;
        document->begins_anew = true;
    }
    if (touch->count == 0) {
        return GROVE_OK;
    }
    size_t index = clocks->touches.size / sizeof(clock_touch);
    clock_touch added = {{commit, touch->first_clock + touch->count}, NO_TOUCH};
    grove_buffer_append(&clocks->touches, &added, sizeof added);
    if (clocks->touches.failed) {
        return grove__fail_memory(error_out);
    }
    if (document->first == NO_TOUCH) {
        document->first = index;
    } else {
        touches_of(clocks)[document->last].next = index;
    }
    document->last = index;
    return GROVE_OK;
}

bool grove__clocks_begin_anew(const grove__clocks *clocks, grove_bytes name)
{
    const document_touches *document = find_document(clocks, name);
    return document != NULL && document->begins_anew;
}

/* ---- Rows ---- */

/* Seeks the newest row of a document that begins at or before `commit`, and
 * appends what it has. GROVE_NONE: there is none. */
static grove_status read_row(grove__txn *txn, grove_bytes document, uint64_t commit,
                             grove_buffer *items, grove_error *error_out)
{
    grove__cursor cursor;
    grove__key prefix;
    grove__key behind;
    grove_bytes key;
    grove_bytes row;
    grove__key_of_document(&prefix, document);
    grove__key_of_document_commit(&behind, document, commit);
    /* The key after that one. */
    behind.bytes[behind.size++] = 0;
    grove_status status =
        grove__cursor_open(txn, GROVE__TABLE_CLOCKS, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = grove__cursor_seek(&cursor, GROVE_SEEK_BEFORE, grove__key_view(&behind),
                                &key, &row, error_out);
    if (status == GROVE_OK && !grove__bytes_begin_with(key, grove__key_view(&prefix))) {
        status = GROVE_NONE;
    }
    if (status == GROVE_OK) {
        status = key.size != prefix.size + NUMBER_BYTES
                     ? grove__fail(error_out, GROVE_CORRUPT,
                                   "a row of clocks has a key of another table")
                     : grove__clock_row_decode(grove_read_u64(key.data + prefix.size),
                                               row, items, error_out);
    }
    grove__cursor_close(&cursor);
    return status;
}

/* Adds the rows that `items` fill to the set. */
static grove_status put_rows(grove__write_set *set, grove_bytes document,
                             const grove_buffer *items, grove_buffer *row,
                             grove_error *error_out)
{
    const grove__commit_clock *next =
        (const grove__commit_clock *)(const void *)items->data;
    size_t left = items->size / sizeof *next;
    while (left > 0) {
        size_t taken =
            left < GROVE__CLOCK_ROW_COMMITS ? left : (size_t)GROVE__CLOCK_ROW_COMMITS;
        grove__key key;
        grove_buffer_reset(row);
        grove__clock_row_encode(next, taken, row);
        if (row->failed) {
            return grove__fail_memory(error_out);
        }
        grove__key_of_document_commit(&key, document, next->commit);
        grove__write_set_put(set, GROVE__TABLE_CLOCKS, grove__key_view(&key),
                             grove_buffer_view(row));
        next += taken;
        left -= taken;
    }
    return GROVE_OK;
}

/* Appends what was gathered of a document, which comes after what there is. */
static grove_status append_touches(const grove__clocks *clocks,
                                   const document_touches *document, grove_buffer *items,
                                   grove_error *error_out)
{
    grove__commit_clock last = {0, 0};
    if (items->size > 0) {
        memcpy(&last, items->data + items->size - sizeof last, sizeof last);
    }
    for (size_t index = document->first; index != NO_TOUCH;
         index = touches_of(clocks)[index].next) {
        const grove__commit_clock *item = &touches_of(clocks)[index].item;
        if (!grove__clocks_follow(&last, item)) {
            return grove__fail(
                error_out, GROVE_CORRUPT,
                "commit %llu takes a document back from clock %llu to %llu",
                (unsigned long long)item->commit, (unsigned long long)last.clock,
                (unsigned long long)item->clock);
        }
        last = *item;
        grove_buffer_append(items, item, sizeof *item);
    }
    return items->failed ? grove__fail_memory(error_out) : GROVE_OK;
}

static grove_status put_document(const grove__clocks *clocks,
                                 const document_touches *document, grove__txn *txn,
                                 grove__write_set *set, grove_buffer *items,
                                 grove_buffer *row, grove_error *error_out)
{
    grove__key key;
    grove_bytes meta;
    grove_buffer_reset(items);
    grove__key_of_document(&key, document->name);
    if (document->begins_anew) {
        grove__write_set_remove(set, GROVE__TABLE_CLOCKS, grove__key_view(&key));
    }
    grove_status status =
        grove__kv_get(txn, GROVE__TABLE_META, grove__key_view(&key), &meta, error_out);
    if (status != GROVE_OK || document->first == NO_TOUCH) {
        return status == GROVE_NONE ? GROVE_OK : status;
    }
    /* Who deletes it meanwhile would not find the rows. */
    grove__write_set_expect_present(set, GROVE__TABLE_META, grove__key_view(&key));
    if (!document->begins_anew) {
        status = read_row(txn, document->name, UINT64_MAX, items, error_out);
    }
    if (status == GROVE_OK || status == GROVE_NONE) {
        status = append_touches(clocks, document, items, error_out);
    }
    return status == GROVE_OK ? put_rows(set, document->name, items, row, error_out)
                              : status;
}

grove_status grove__clocks_put(const grove__clocks *clocks, grove__txn *txn,
                               grove__write_set *set, grove_error *error_out)
{
    grove_buffer items;
    grove_buffer row;
    grove_buffer_init(&items, clocks->allocator);
    grove_buffer_init(&row, clocks->allocator);
    grove_status status = GROVE_OK;
    size_t count = clocks->documents.size / sizeof(document_touches);
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        status = put_document(clocks, &documents_of(clocks)[index], txn, set, &items,
                              &row, error_out);
    }
    grove_buffer_release(&row);
    grove_buffer_release(&items);
    return status;
}

grove_status grove__clocks_find(grove__txn *txn, const grove_allocator *allocator,
                                grove_bytes document, uint64_t commit,
                                uint64_t *clock_out, grove_error *error_out)
{
    grove_buffer items;
    grove_buffer_init(&items, allocator);
    grove_status status = read_row(txn, document, commit, &items, error_out);
    if (status == GROVE_OK) {
        const grove__commit_clock *item =
            (const grove__commit_clock *)(const void *)items.data;
        size_t index = items.size / sizeof *item;
        /* The first is at or before the commit: it is in the row's key. */
        while (item[index - 1].commit > commit) {
            index--;
        }
        *clock_out = item[index - 1].clock;
    }
    grove_buffer_release(&items);
    return status;
}
