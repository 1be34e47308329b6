#include "document/pending.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "graph/index.h"
#include "kv/value.h"

static grove__pending_item *items_of(const grove__pending *pending)
{
    return (grove__pending_item *)(void *)pending->items.data;
}

static size_t count_of(const grove__pending *pending)
{
    return pending->items.size / sizeof(grove__pending_item);
}

void grove__pending_init(grove__pending *pending, const grove_allocator *allocator)
{
    *pending = (grove__pending){.is_loaded = false};
    grove_buffer_init(&pending->items, allocator);
}

static void free_item(const grove__pending *pending, grove__pending_item *item)
{
    grove__events_release(item->events);
    grove__deallocate(pending->items.allocator, item->events, sizeof *item->events);
}

void grove__pending_release(grove__pending *pending)
{
    for (size_t index = 0; index < count_of(pending); index++) {
        free_item(pending, &items_of(pending)[index]);
    }
    grove__index_release(&pending->index, pending->items.allocator);
    grove_buffer_release(&pending->items);
}

/* Drops the items for which `is_dropped` says so; order is kept. */
static void drop_items(grove__pending *pending,
                       bool (*is_dropped)(const grove__pending_item *item))
{
    grove__pending_item *items = items_of(pending);
    size_t kept = 0;
    for (size_t index = 0; index < count_of(pending); index++) {
        if (is_dropped(&items[index])) {
            pending->events -= items[index].is_gone ? 0 : items[index].count;
            free_item(pending, &items[index]);
        } else {
            items[kept++] = items[index];
        }
    }
    pending->items.size = kept * sizeof *items;
    grove__index_release(&pending->index, pending->items.allocator);
}

static bool is_stored(const grove__pending_item *item)
{
    return item->is_stored;
}

static bool is_gone(const grove__pending_item *item)
{
    return item->is_gone;
}

static bool is_any(const grove__pending_item *item)
{
    (void)item;
    return true;
}

static bool ids_equal(const grove_event_id *a, const grove_event_id *b)
{
    return a->sequence == b->sequence && grove__replica_equal(&a->replica, &b->replica);
}

static int compare_ids(const grove_event_id *a, const grove_event_id *b)
{
    size_t size = a->replica.size < b->replica.size ? a->replica.size : b->replica.size;
    int order = memcmp(a->replica.bytes, b->replica.bytes, size);
    if (order == 0 && a->replica.size != b->replica.size) {
        order = a->replica.size < b->replica.size ? -1 : 1;
    }
    if (order == 0 && a->sequence != b->sequence) {
        order = a->sequence < b->sequence ? -1 : 1;
    }
    return order;
}

/* --- finding --- */

static const void *item_key(const void *context, uint32_t number)
{
    const grove__pending *pending = context;
    return (const grove__pending_item *)(const void *)pending->items.data + number;
}

/* Of two with one id the one that is stored comes last. */
static int compare_items(const void *key, const void *other)
{
    const grove__pending_item *a = key;
    const grove__pending_item *b = other;
    int order = compare_ids(&a->first, &b->first);
    return order != 0 ? order : (int)a->is_stored - (int)b->is_stored;
}

/* Takes the items into the index that are not there yet. */
static grove_status index_items(grove__pending *pending, grove_error *error_out)
{
    grove__index_rule rule = {pending, item_key, compare_items};
    while (pending->index.count < count_of(pending)) {
        if (!grove__index_reserve(&pending->index, pending->items.allocator)) {
            return grove__fail_memory(error_out);
        }
        grove__index_add(&pending->index, rule, pending->index.count);
    }
    return GROVE_OK;
}

/* How many events from `id` on the item has that begins at it or last before;
 * all items are in the index. */
static uint64_t count_covered(const grove__pending *pending, const grove_event_id *id,
                              bool is_stored)
{
    grove__index_rule rule = {pending, item_key, compare_items};
    const grove__pending_item key = {.first = *id, .is_stored = true};
    uint32_t found = grove__index_at_or_before(&pending->index, rule, &key);
    if (found == GROVE__INDEX_NONE) {
        return 0;
    }
    const grove__pending_item *item = item_key(pending, found);
    uint64_t end = item->first.sequence + item->count;
    bool covers = grove__replica_equal(&item->first.replica, &id->replica) &&
                  end > id->sequence && item->is_stored >= is_stored;
    return covers ? end - id->sequence : 0;
}

/* --- keeping --- */

/* Appends an item for which there is a list. */
static grove_status append_item(grove_document *document, const grove__pending_item *item,
                                grove_error *error_out)
{
    grove__pending *pending = &document->pending;
    if (item->count > GROVE_PENDING_EVENTS_MAX ||
        pending->events > GROVE_PENDING_EVENTS_MAX - item->count) {
        return grove__fail(error_out, GROVE_LIMIT,
                           "more than %u events would wait for others",
                           GROVE_PENDING_EVENTS_MAX);
    }
    grove_buffer_append(&pending->items, item, sizeof *item);
    if (pending->items.failed) {
        pending->items.failed = false;
        return grove__fail_memory(error_out);
    }
    pending->events += item->count;
    pending->is_tried = false;
    return GROVE_OK;
}

static grove__events *new_events(grove_document *document)
{
    grove__events *events = grove__allocate(document->allocator, sizeof *events);
    if (events != NULL) {
        grove__events_init(events, document->allocator);
    }
    return events;
}

/* Keeps a run of which nothing waits yet. */
static grove_status keep(grove_document *document, const grove_event_run *run, bool aside,
                         grove_error *error_out)
{
    grove__pending_item item = {
        .first = run->first, .count = run->operation.count, .is_aside = aside};
    item.events = new_events(document);
    if (item.events == NULL) {
        return grove__fail_memory(error_out);
    }
    grove_status status =
        grove__events_append(item.events, document->type, run, error_out);
    if (status == GROVE_OK) {
        status = append_item(document, &item, error_out);
    }
    if (status != GROVE_OK) {
        free_item(&document->pending, &item);
    }
    return status;
}

grove_status grove__pending_add(grove_document *document, const grove_event_run *run,
                                bool aside, uint64_t *known_out, grove_error *error_out)
{
    const grove_document_type *type = document->type;
    grove_event_run rest = *run;
    grove_event_id parent;
    grove_status status = index_items(&document->pending, error_out);
    uint64_t covered =
        status == GROVE_OK ? count_covered(&document->pending, &rest.first, false) : 0;
    uint64_t known = 0;
    while (covered > 0 && covered < rest.operation.count) {
        grove_operation first;
        grove_operation last;
        type->operation_cut(type, &rest.operation, (uint32_t)covered, &first, &last);
        rest.operation = last;
        rest.first.sequence += covered;
        parent = rest.first;
        parent.sequence--;
        rest.parents = &parent;
        rest.parent_count = 1;
        known += covered;
        covered = count_covered(&document->pending, &rest.first, false);
    }
    if (status == GROVE_OK && covered == 0) {
        status = keep(document, &rest, aside, error_out);
    }
    if (status == GROVE_OK) {
        *known_out = known + (covered == 0 ? 0 : rest.operation.count);
    }
    return status;
}

grove_status grove__pending_mark_of(const grove_document *document,
                                    grove__pending_mark *mark_out, grove_error *error_out)
{
    const grove__pending *pending = &document->pending;
    grove_buffer_init(&mark_out->items, document->allocator);
    grove_buffer_append(&mark_out->items, pending->items.data, pending->items.size);
    mark_out->events = pending->events;
    if (mark_out->items.failed) {
        grove_buffer_release(&mark_out->items);
        return grove__fail_memory(error_out);
    }
    return GROVE_OK;
}

void grove__pending_rewind(grove_document *document, const grove__pending_mark *mark)
{
    grove__pending *pending = &document->pending;
    size_t count = mark->items.size / sizeof(grove__pending_item);
    for (size_t index = count; index < count_of(pending); index++) {
        free_item(pending, &items_of(pending)[index]);
    }
    if (mark->items.size > 0) {
        memcpy(pending->items.data, mark->items.data, mark->items.size);
    }
    pending->items.size = mark->items.size;
    pending->events = mark->events;
    grove__index_release(&pending->index, pending->items.allocator);
}

void grove__pending_mark_release(grove__pending_mark *mark)
{
    grove_buffer_release(&mark->items);
}

/* --- in the store --- */

grove_status grove__pending_decode(grove_document *document, const grove_event_id *id,
                                   grove_bytes bytes, grove__pending_item *item,
                                   grove_error *error_out)
{
    grove__block block;
    grove__batch_header header;
    grove_status status = grove__batch_open(bytes, &block, &header, error_out);
    if (status == GROVE_OK) {
        block.packer = &document->packer;
        status = grove__batch_decode(&block, document->type,
                                     GROVE__DECODE_ALL | GROVE__DECODE_WAITING,
                                     item->events, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    size_t parents_bytes = GROVE_EVENT_PARENTS_MAX * sizeof(grove_event_id);
    grove_event_id *parents = grove__allocate(document->allocator, parents_bytes);
    if (parents == NULL) {
        return grove__fail_memory(error_out);
    }
    grove__events_cursor cursor;
    grove_event_run run;
    grove__events_cursor_init(&cursor, item->events, document->type, parents);
    bool is_run = grove__events_cursor_next(&cursor, &run) && ids_equal(&run.first, id) &&
                  run.operation.count == item->events->count;
    grove__deallocate(document->allocator, parents, parents_bytes);
    if (!is_run) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "what is stored of an event that waits is not one run of it");
    }
    item->first = run.first;
    item->count = run.operation.count;
    item->is_stored = true;
    return GROVE_OK;
}

/* Reads the item that the cursor is at, whose key is given without its part. */
static grove_status load_item(grove_document *document, grove__txn *txn, grove_bytes key,
                              grove_buffer *joined, grove_error *error_out)
{
    grove_event_id id;
    grove_buffer scratch;
    grove__pending_item item = {.is_stored = true};
    memset(&id, 0, sizeof id);
    grove_buffer_init(&scratch, document->allocator);
    grove_status status =
        grove__key_parse_event(key, &scratch, &id.replica, &id.sequence, error_out);
    grove_buffer_release(&scratch);
    grove_bytes bytes = {NULL, 0};
    if (status == GROVE_OK) {
        status =
            grove__value_get(txn, GROVE__TABLE_PENDING, key, joined, &bytes, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    item.events = new_events(document);
    if (item.events == NULL) {
        return grove__fail_memory(error_out);
    }
    status = grove__pending_decode(document, &id, bytes, &item, error_out);
    if (status == GROVE_OK) {
        status = append_item(document, &item, error_out);
    }
    if (status != GROVE_OK) {
        free_item(&document->pending, &item);
    }
    return status;
}

/* The next key of the document in the table, without its part; GROVE_NONE. */
static grove_status next_key(grove__cursor *cursor, const grove__key *prefix,
                             grove__key *key, grove_error *error_out)
{
    grove_bytes found;
    grove_bytes value;
    grove_status status = grove__cursor_seek(
        cursor, GROVE_SEEK_AT_OR_AFTER, grove__key_view(key), &found, &value, error_out);
    if (status == GROVE_OK && !grove__bytes_begin_with(found, grove__key_view(prefix))) {
        return GROVE_NONE;
    }
    if (status == GROVE_OK && (found.size < 8 || found.size > sizeof key->bytes)) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "a key of table pending has %zu bytes", found.size);
    }
    if (status == GROVE_OK) {
        memcpy(key->bytes, found.data, found.size - 8);
        key->size = found.size - 8;
    }
    return status;
}

static grove_status load_items(grove_document *document, grove__txn *txn,
                               grove_error *error_out)
{
    grove__cursor cursor;
    grove_status status =
        grove__cursor_open(txn, GROVE__TABLE_PENDING, &cursor, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__key prefix;
    grove__key_of_document(&prefix, document->id);
    grove__key key = prefix;
    grove_buffer joined;
    grove_buffer_init(&joined, document->allocator);
    while (status == GROVE_OK) {
        status = next_key(&cursor, &prefix, &key, error_out);
        if (status == GROVE_OK) {
            status = load_item(document, txn, grove__key_view(&key), &joined, error_out);
            /* Parts of this one are passed over. */
            grove__key_add_number(&key, UINT64_MAX);
        }
    }
    grove_buffer_release(&joined);
    grove__cursor_close(&cursor);
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* Lets go of items of the handle's own that others stored as well. */
static grove_status drop_stored_twice(grove_document *document, grove_error *error_out)
{
    grove__pending *pending = &document->pending;
    grove_status status = index_items(pending, error_out);
    for (size_t index = 0; status == GROVE_OK && index < count_of(pending); index++) {
        grove__pending_item *item = &items_of(pending)[index];
        if (!item->is_stored && !item->is_gone &&
            count_covered(pending, &item->first, true) >= item->count) {
            item->is_gone = true;
            pending->events -= item->count;
        }
    }
    return status;
}

grove_status grove__pending_load(grove_document *document, grove__txn *txn,
                                 grove_error *error_out)
{
    grove__pending *pending = &document->pending;
    if (pending->is_loaded && pending->revision == document->meta.revision) {
        return GROVE_OK;
    }
    drop_items(pending, is_stored);
    pending->is_loaded = false;
    grove_status status = GROVE_OK;
    if (document->exists && document->meta.pending > 0) {
        status = load_items(document, txn, error_out);
        if (status == GROVE_LIMIT) {
            /* Together with the handle's own they are too many, because others
             * saved some. Its own go, to be sent again: they must not stand in
             * the way of saving edits. */
            drop_items(pending, is_any);
            status = load_items(document, txn, error_out);
        }
        if (status == GROVE_OK) {
            status = drop_stored_twice(document, error_out);
        }
    }
    pending->is_loaded = status == GROVE_OK;
    pending->revision = document->meta.revision;
    return status;
}

bool grove__pending_has_changes(const grove_document *document)
{
    const grove__pending_item *items = items_of(&document->pending);
    for (size_t index = 0; index < count_of(&document->pending); index++) {
        if (items[index].is_gone == items[index].is_stored) {
            return true;
        }
    }
    return false;
}

/* Appends an item's block, and returns where it begins. */
static grove_status encode_item(grove_document *document, const grove__pending_item *item,
                                grove_buffer *blocks, grove_error *error_out)
{
    grove__packing packing = grove__batch_packing_usual();
    packing.packer = &document->packer;
    return grove__batch_encode(item->events, document->type, 0, packing, blocks,
                               error_out);
}

grove_status grove__pending_save(grove_document *document, grove__change *change,
                                 grove_buffer *blocks, grove_error *error_out)
{
    grove__pending *pending = &document->pending;
    grove__pending_item *items = items_of(pending);
    size_t count = count_of(pending);
    size_t *ends =
        count == 0 ? NULL : grove__allocate(document->allocator, count * sizeof *ends);
    if (count > 0 && ends == NULL) {
        return grove__fail_memory(error_out);
    }
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        if (!items[index].is_gone && !items[index].is_stored) {
            status = encode_item(document, &items[index], blocks, error_out);
        }
        ends[index] = blocks->size;
    }
    /* The blocks no longer move. */
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        grove__key key;
        grove__key_of_event(&key, document->id, &items[index].first.replica,
                            items[index].first.sequence);
        size_t from = index == 0 ? 0 : ends[index - 1];
        if (items[index].is_gone && items[index].is_stored) {
            grove__write_set_remove(&change->set, GROVE__TABLE_PENDING,
                                    grove__key_view(&key));
        } else if (ends[index] > from) {
            grove__write_set_put_value(
                &change->set, GROVE__TABLE_PENDING, grove__key_view(&key),
                (grove_bytes){blocks->data + from, ends[index] - from});
        }
    }
    grove__deallocate(document->allocator, ends, count * sizeof *ends);
    change->meta.pending = pending->events;
    return status;
}

void grove__pending_saved(grove_document *document)
{
    grove__pending *pending = &document->pending;
    drop_items(pending, is_gone);
    for (size_t index = 0; index < count_of(pending); index++) {
        items_of(pending)[index].is_stored = true;
    }
    pending->is_loaded = true;
    pending->revision = document->meta.revision;
}

/* --- placing --- */

/* What an item waits for. */
typedef struct wait_entry {
    grove_event_id missing;
    uint32_t item;
} wait_entry;

/* The items that wait, found by what they wait for; and the runs that were
 * placed and not followed up yet. */
typedef struct placing {
    grove_document *document;
    grove__addition *adding;
    grove_buffer entries; /* wait_entry records, only ever appended */
    grove__index index;
    grove_buffer placed; /* numbers of items */
} placing;

static const void *entry_key(const void *context, uint32_t number)
{
    const placing *work = context;
    return (const wait_entry *)(const void *)work->entries.data + number;
}

static int compare_entries(const void *key, const void *other)
{
    const wait_entry *a = key;
    const wait_entry *b = other;
    int order = compare_ids(&a->missing, &b->missing);
    if (order == 0 && a->item != b->item) {
        order = a->item < b->item ? -1 : 1;
    }
    return order;
}

static grove_status add_entry(placing *work, uint32_t item, grove_error *error_out)
{
    grove__index_rule rule = {work, entry_key, compare_entries};
    wait_entry entry = {work->adding->missing, item};
    size_t count = work->entries.size / sizeof entry;
    uint32_t found = grove__index_at_or_before(&work->index, rule, &entry);
    if (found != GROVE__INDEX_NONE &&
        compare_entries(&entry, entry_key(work, found)) == 0) {
        return GROVE_OK;
    }
    grove_buffer_append(&work->entries, &entry, sizeof entry);
    if (work->entries.failed ||
        !grove__index_reserve(&work->index, work->document->allocator)) {
        return grove__fail_memory(error_out);
    }
    grove__index_add(&work->index, rule, (uint32_t)count);
    return GROVE_OK;
}

/* Finds the place of an item. GROVE_DUPLICATE: it is known by now. */
static grove_status place_item(grove_document *document, grove__addition *adding,
                               const grove__pending_item *item,
                               grove__frontier *parents_out, grove_error *error_out)
{
    grove__events_cursor cursor;
    grove_event_run run;
    grove__events_cursor_init(&cursor, item->events, document->type, adding->given);
    (void)grove__events_cursor_next(&cursor, &run);
    adding->waits = false;
    grove_status status = grove__addition_begin(adding, &run, error_out);
    if (status == GROVE_OK) {
        status = grove__addition_drop_known(adding, error_out);
    }
    return status == GROVE_OK ? grove__addition_place(adding, parents_out, error_out)
                              : status;
}

/* Whether an item that has no place, and waits for nothing, never gets one. */
static bool is_final(grove_status status)
{
    return status == GROVE_HISTORY_REMOVED || status == GROVE_REPLICA_REUSED ||
           status == GROVE_UNSUPPORTED || status == GROVE_INVALID ||
           status == GROVE_LIMIT;
}

grove_status grove__pending_count_aside(grove_document *document, grove__addition *adding,
                                        uint64_t *events_out, grove_error *error_out)
{
    grove__pending_item *items = items_of(&document->pending);
    uint64_t events = 0;
    for (size_t index = 0; index < count_of(&document->pending); index++) {
        grove__frontier parents;
        if (items[index].is_gone) {
            continue;
        }
        grove_status status =
            place_item(document, adding, &items[index], &parents, error_out);
        bool is_aside = !adding->waits && is_final(status);
        if (status != GROVE_OK && status != GROVE_DUPLICATE && !adding->waits &&
            !is_aside) {
            return status;
        }
        items[index].is_aside = is_aside;
        events += is_aside ? items[index].count : 0;
    }
    *events_out = events;
    return GROVE_OK;
}

/* Looks whether an item has a place now. */
static grove_status try_item(placing *work, uint32_t number, grove_error *error_out)
{
    grove__pending *pending = &work->document->pending;
    grove__pending_item *item = &items_of(pending)[number];
    if (item->is_gone) {
        return GROVE_OK;
    }
    grove__frontier parents = {NULL, 0};
    grove_status status =
        place_item(work->document, work->adding, item, &parents, error_out);
    if (status != GROVE_OK && work->adding->waits) {
        return add_entry(work, number, error_out);
    }
    if (status == GROVE_OK) {
        status = grove__document_append(work->document, &work->adding->run, parents,
                                        error_out);
        if (status == GROVE_OK) {
            grove_buffer_append(&work->placed, &number, sizeof number);
            status = work->placed.failed ? grove__fail_memory(error_out) : GROVE_OK;
        }
    }
    if (status == GROVE_OK || status == GROVE_DUPLICATE) {
        item->is_gone = true;
        pending->events -= item->count;
        return GROVE_OK;
    }
    if (is_final(status)) {
        /* Kept and counted, for whoever looks. */
        item->is_aside = true;
        return GROVE_OK;
    }
    return status;
}

/* Tries the items that wait for one of the events of an item. */
static grove_status follow(placing *work, uint32_t number, grove_error *error_out)
{
    grove__index_rule rule = {work, entry_key, compare_entries};
    const grove__pending_item *item = &items_of(&work->document->pending)[number];
    wait_entry from = {item->first, 0};
    uint64_t end = item->first.sequence + item->count;
    grove_status status = GROVE_OK;
    uint32_t found = grove__index_at_or_before(&work->index, rule, &from);
    if (found == GROVE__INDEX_NONE ||
        compare_entries(entry_key(work, found), &from) != 0) {
        found = grove__index_after(&work->index, rule, &from);
    }
    while (status == GROVE_OK && found != GROVE__INDEX_NONE) {
        wait_entry entry = *(const wait_entry *)entry_key(work, found);
        if (!grove__replica_equal(&entry.missing.replica, &from.missing.replica) ||
            entry.missing.sequence >= end) {
            break;
        }
        status = try_item(work, entry.item, error_out);
        found = grove__index_after(&work->index, rule, &entry);
    }
    return status;
}

grove_status grove__pending_place(grove_document *document, grove__addition *adding,
                                  grove_error *error_out)
{
    placing work = {.document = document, .adding = adding};
    grove_buffer_init(&work.entries, document->allocator);
    grove_buffer_init(&work.placed, document->allocator);
    grove_status status = GROVE_OK;
    size_t count = count_of(&document->pending);
    for (size_t number = 0; status == GROVE_OK && number < count; number++) {
        status = try_item(&work, (uint32_t)number, error_out);
    }
    while (status == GROVE_OK && work.placed.size > 0) {
        uint32_t number;
        work.placed.size -= sizeof number;
        memcpy(&number, work.placed.data + work.placed.size, sizeof number);
        status = follow(&work, number, error_out);
    }
    document->pending.is_tried = status == GROVE_OK;
    grove__index_release(&work.index, document->allocator);
    grove_buffer_release(&work.entries);
    grove_buffer_release(&work.placed);
    return status;
}
