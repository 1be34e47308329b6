/* Groups: a whole state under a name. */
#include "store/group.h"

#include "base/alloc.h"
#include "base/error.h"
#include "commit/commit.h"
#include "commit/listing.h"
#include "commit/options.h"
#include "format/block.h"
#include "kv/value.h"

enum { FRAME_STATE = 1, LEVEL = 3, RAW_BYTES_MAX = 256 };

grove_status grove_group_save(grove_store *store, grove_bytes name, grove_bytes state,
                              uint64_t *commit_out, grove_error *error_out)
{
    return grove_group_save_with(store, name, state, NULL, commit_out, error_out);
}

grove_status grove_group_save_with(grove_store *store, grove_bytes name,
                                   grove_bytes state, const grove_commit_options *options,
                                   uint64_t *commit_out, grove_error *error_out)
{
    grove_bytes meta;
    grove_status status = grove__commit_options_meta(options, &meta, error_out);
    if (status == GROVE_OK) {
        status = grove__key_check_group(name, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer block;
    grove_buffer_init(&block, store->allocator);
    grove__frame frame = {
        .id = FRAME_STATE, .bytes = state, .packing = {LEVEL, RAW_BYTES_MAX, NULL}};
    status = grove__block_encode(GROVE__BLOCK_STATE, 0, (grove_bytes){NULL, 0}, &frame, 1,
                                 &block, error_out);
    if (status == GROVE_OK) {
        grove__key key;
        grove__key_of_group(&key, name);
        grove__write_set set;
        grove__write_set_init(&set, store->allocator);
        grove__write_set_put_value(&set, GROVE__TABLE_GROUPS, grove__key_view(&key),
                                   grove_buffer_view(&block));
        grove__write_set_touch(&set, &(grove__touch){GROVE__TOUCH_GROUP, name, 0, 0});
        grove__write_set_meta(&set, meta);
        status = grove__commit(store, &set, commit_out, error_out);
        grove__write_set_release(&set);
    }
    grove_buffer_release(&block);
    return status;
}

/* The state in a block; where it has to be decoded it goes to `decoded`. */
static grove_status view_state(grove_bytes bytes, grove_buffer *decoded,
                               grove_bytes *state_out, grove_error *error_out)
{
    grove__block block;
    grove_status status = grove__block_open(bytes, GROVE__BLOCK_STATE, &block, error_out);
    return status == GROVE_OK ? grove__block_frame_view(&block, FRAME_STATE, decoded,
                                                        state_out, error_out)
                              : status;
}

grove_status grove__group_check(grove_store *store, grove_bytes bytes,
                                grove_error *error_out)
{
    grove_buffer decoded;
    grove_bytes state;
    grove_buffer_init(&decoded, store->allocator);
    grove_status status = view_state(bytes, &decoded, &state, error_out);
    grove_buffer_release(&decoded);
    return status;
}

/* The state in a block, as one allocation of exactly its size. */
static grove_status copy_state(grove_store *store, grove_bytes bytes,
                               grove_bytes *state_out, grove_error *error_out)
{
    grove_buffer decoded;
    grove_buffer_init(&decoded, store->allocator);
    grove_bytes state;
    grove_status status = view_state(bytes, &decoded, &state, error_out);
    if (status == GROVE_OK) {
        uint8_t *copy = NULL;
        if (state.size > 0) {
            copy = grove__allocate(store->allocator, state.size);
        }
        if (state.size > 0 && copy == NULL) {
            status = grove__fail_memory(error_out);
        } else {
            if (state.size > 0) {
                memcpy(copy, state.data, state.size);
            }
            *state_out = (grove_bytes){copy, state.size};
        }
    }
    grove_buffer_release(&decoded);
    return status;
}

grove_status grove_group_load(grove_store *store, grove_bytes name,
                              grove_bytes *state_out, grove_error *error_out)
{
    grove_status status = grove__key_check_group(name, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__txn txn;
    status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__key key;
    grove__key_of_group(&key, name);
    grove_buffer joined;
    grove_buffer_init(&joined, store->allocator);
    grove_bytes bytes;
    status = grove__value_get(&txn, GROVE__TABLE_GROUPS, grove__key_view(&key), &joined,
                              &bytes, error_out);
    if (status == GROVE_OK) {
        status = copy_state(store, bytes, state_out, error_out);
    } else if (status == GROVE_NONE) {
        (void)grove__fail(error_out, GROVE_NONE, "there is no group of this name");
    }
    grove_buffer_release(&joined);
    grove__txn_abort(&txn);
    return status;
}

grove_status grove_group_delete(grove_store *store, grove_bytes name,
                                uint64_t *commit_out, grove_error *error_out)
{
    return grove_group_delete_with(store, name, NULL, commit_out, error_out);
}

grove_status grove_group_delete_with(grove_store *store, grove_bytes name,
                                     const grove_commit_options *options,
                                     uint64_t *commit_out, grove_error *error_out)
{
    grove_bytes meta;
    grove_status status = grove__commit_options_meta(options, &meta, error_out);
    if (status == GROVE_OK) {
        status = grove__key_check_group(name, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    grove__key key;
    grove__key_of_group(&key, name);
    grove__key first_part = key;
    grove__key_add_number(&first_part, 0);
    grove__write_set set;
    grove__write_set_init(&set, store->allocator);
    grove__write_set_expect_present(&set, GROVE__TABLE_GROUPS,
                                    grove__key_view(&first_part));
    set.frees_space = true;
    grove__write_set_remove(&set, GROVE__TABLE_GROUPS, grove__key_view(&key));
    grove__write_set_touch(&set, &(grove__touch){GROVE__TOUCH_GROUP, name, 0, 0});
    grove__write_set_meta(&set, meta);
    status = grove__commit(store, &set, commit_out, error_out);
    grove__write_set_release(&set);
    if (status == GROVE_CONFLICT) {
        return grove__fail(error_out, GROVE_NONE, "there is no group of this name");
    }
    return status;
}

grove_status grove_group_list(grove_store *store, grove_bytes prefix, grove_bytes after,
                              grove_list_fn each, void *context, grove_error *error_out)
{
    return grove__listing_run(store, GROVE__TABLE_GROUPS, prefix, after, each, context,
                              error_out);
}
