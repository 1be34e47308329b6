#include "commit/incarnations.h"

#include "base/error.h"

grove_bytes grove__incarnations_key(void)
{
    return grove_bytes_of("incarnations");
}

static size_t count_of(const grove_buffer *list)
{
    return list->size / sizeof(grove__incarnation);
}

static grove__incarnation *items_of(const grove_buffer *list)
{
    return (grove__incarnation *)(void *)list->data;
}

/* The list of a store that has had one incarnation, that of its record. */
static grove_status begin_list(grove__txn *txn, grove_buffer *list,
                               grove_error *error_out)
{
    grove_bytes bytes;
    grove__store_record record;
    grove_status status = grove__kv_get(txn, GROVE__TABLE_STORE, grove_bytes_of("store"),
                                        &bytes, error_out);
    if (status == GROVE_NONE) {
        return grove__fail(error_out, GROVE_CORRUPT, "the store has no record of itself");
    }
    if (status == GROVE_OK) {
        status = grove__store_record_decode(bytes, &record, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove__incarnation first = {0, record.incarnation};
    grove_buffer_append(list, &first, sizeof first);
    return list->failed ? grove__fail_memory(error_out) : GROVE_OK;
}

grove_status grove__incarnations_read(grove__txn *txn, grove_buffer *list_out,
                                      grove_error *error_out)
{
    grove_bytes bytes;
    grove_buffer_reset(list_out);
    grove_status status = grove__kv_get(txn, GROVE__TABLE_STORE,
                                        grove__incarnations_key(), &bytes, error_out);
    if (status == GROVE_OK) {
        return grove__incarnations_record_decode(bytes, list_out, error_out);
    }
    return status == GROVE_NONE ? begin_list(txn, list_out, error_out) : status;
}

grove_status grove__incarnations_find(const grove_buffer *list, uint64_t commit,
                                      uint64_t *incarnation_out)
{
    const grove__incarnation *items = items_of(list);
    size_t index = count_of(list);
    while (index > 0 && items[index - 1].first_commit > commit) {
        index--;
    }
    if (index == 0) {
        return GROVE_NONE;
    }
    *incarnation_out = items[index - 1].incarnation;
    return GROVE_OK;
}

/* Adds one to the list, within its limit. */
static void extend_list(grove_buffer *list, grove__incarnation added)
{
    size_t count = count_of(list);
    grove__incarnation *items = items_of(list);
    if (items[count - 1].first_commit == added.first_commit) {
        items[count - 1] = added;
        return;
    }
    if (count >= GROVE_INCARNATIONS_MAX) {
        memmove(items, items + 1, (count - 1) * sizeof *items);
        list->size -= sizeof *items;
    }
    grove_buffer_append(list, &added, sizeof added);
}

/* Has the set expect what the table `store` has under a key. */
static grove_status expect_as_is(grove__txn *txn, grove_bytes key, grove__write_set *set,
                                 grove_error *error_out)
{
    grove_bytes value;
    grove_status status = grove__kv_get(txn, GROVE__TABLE_STORE, key, &value, error_out);
    if (status == GROVE_OK || status == GROVE_NONE) {
        grove__write_set_expect(set, GROVE__TABLE_STORE, key,
                                status == GROVE_OK ? &value : NULL);
        status = GROVE_OK;
    }
    return status;
}

grove_status grove__incarnations_append(grove__txn *txn, uint64_t incarnation,
                                        grove__write_set *set, grove_error *error_out)
{
    grove_buffer list;
    grove_buffer record;
    grove_buffer_init(&list, set->bytes.allocator);
    grove_buffer_init(&record, set->bytes.allocator);
    uint64_t newest = 0;
    grove_status status = grove__incarnations_read(txn, &list, error_out);
    if (status == GROVE_OK) {
        status = grove__commit_newest(txn, &newest, error_out);
    }
    if (status == GROVE_OK) {
        status = expect_as_is(txn, grove__incarnations_key(), set, error_out);
    }
    if (status == GROVE_OK) {
        extend_list(&list, (grove__incarnation){newest + 1, incarnation});
        grove__incarnations_record_encode(items_of(&list), count_of(&list), &record);
        status = list.failed || record.failed ? grove__fail_memory(error_out) : GROVE_OK;
    }
    if (status == GROVE_OK) {
        grove__key next;
        grove__key_of_commit(&next, newest + 1);
        grove__write_set_expect(set, GROVE__TABLE_COMMITS, grove__key_view(&next), NULL);
        grove__write_set_put(set, GROVE__TABLE_STORE, grove__incarnations_key(),
                             grove_buffer_view(&record));
    }
    grove_buffer_release(&record);
    grove_buffer_release(&list);
    return status;
}
