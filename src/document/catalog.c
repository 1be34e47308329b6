/* What can be done with documents that are not open: list, delete, look. */
#include "base/error.h"
#include "commit/commit.h"
#include "commit/listing.h"
#include "commit/options.h"
#include "document/document.h"

grove_status grove_document_list(grove_store *store, grove_bytes prefix,
                                 grove_bytes after, grove_list_fn each, void *context,
                                 grove_error *error_out)
{
    return grove__listing_run(store, GROVE__TABLE_META, prefix, after, each, context,
                              error_out);
}

grove_status grove_document_delete(grove_store *store, grove_bytes id,
                                   uint64_t *commit_out, grove_error *error_out)
{
    return grove_document_delete_with(store, id, NULL, commit_out, error_out);
}

grove_status grove_document_delete_with(grove_store *store, grove_bytes id,
                                        const grove_commit_options *options,
                                        uint64_t *commit_out, grove_error *error_out)
{
    grove_bytes meta;
    grove_status status = grove__commit_options_meta(options, &meta, error_out);
    if (status == GROVE_OK) {
        status = grove__key_check_document(id, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    static const grove__table TABLES[] = {
        GROVE__TABLE_META,     GROVE__TABLE_EVENTS,  GROVE__TABLE_SNAPSHOTS,
        GROVE__TABLE_REPLICAS, GROVE__TABLE_PENDING, GROVE__TABLE_CLOCKS,
    };
    grove__key key;
    grove__key_of_document(&key, id);
    grove__write_set set;
    grove__write_set_init(&set, store->allocator);
    grove__write_set_expect_present(&set, GROVE__TABLE_META, grove__key_view(&key));
    for (size_t index = 0; index < sizeof TABLES / sizeof *TABLES; index++) {
        set.frees_space = true;
        grove__write_set_remove(&set, TABLES[index], grove__key_view(&key));
    }
    grove__write_set_touch(&set, &(grove__touch){GROVE__TOUCH_DOCUMENT, id, 0, 0});
    grove__write_set_meta(&set, meta);
    status = grove__commit(store, &set, commit_out, error_out);
    grove__write_set_release(&set);
    if (status == GROVE_CONFLICT) {
        return grove__fail(error_out, GROVE_NONE, "there is no document of this id");
    }
    return status;
}

grove_status grove_document_statistics_get(grove_store *store, grove_bytes id,
                                           grove_document_statistics *statistics_out,
                                           grove_error *error_out)
{
    grove_status status = grove__key_check_document(id, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__txn txn;
    status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__meta_record meta;
    status = grove__document_meta_read(&txn, id, &meta, error_out);
    grove__txn_abort(&txn);
    if (status != GROVE_OK) {
        return status;
    }
    grove_document_statistics statistics = {
        .incarnation = meta.incarnation,
        .revision = meta.revision,
        .events = meta.events,
        .base_clock = meta.base_clock,
        .batches = meta.batches,
        .batch_bytes = meta.batch_bytes,
        .snapshots = meta.snapshots,
        .snapshot_bytes = meta.snapshot_bytes,
        .newest_snapshot_clock = meta.snapshot_clock,
        .newest_snapshot_bytes = meta.newest_snapshot_bytes,
    };
    memcpy(statistics.type_name, meta.type_name, sizeof statistics.type_name);
    *statistics_out = statistics;
    return GROVE_OK;
}
