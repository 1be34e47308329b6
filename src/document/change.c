#include "document/change.h"

#include "base/error.h"
#include "commit/commit.h"

void grove__change_init(grove__change *change, grove_document *document)
{
    grove__write_set_init(&change->set, document->allocator);
    change->meta = document->meta;
    change->meta.revision++;
    change->is_corrupt = false;
    grove__key key;
    grove__key_of_document(&key, document->id);
    if (document->exists) {
        uint8_t before[GROVE__META_RECORD_BYTES];
        grove__meta_record_encode(&document->meta, before);
        grove__write_set_expect(&change->set, GROVE__TABLE_META, grove__key_view(&key),
                                &(grove_bytes){before, sizeof before});
    } else {
        grove__write_set_expect(&change->set, GROVE__TABLE_META, grove__key_view(&key),
                                NULL);
    }
}

void grove__change_release(grove__change *change)
{
    grove__write_set_release(&change->set);
}

/* Takes `less` from a counter of the stored record, which may lie. */
static void count_down(grove__change *change, uint64_t *counter, uint64_t less)
{
    change->is_corrupt = change->is_corrupt || less > *counter;
    *counter -= change->is_corrupt ? 0 : less;
}

void grove__change_put_batch(grove__change *change, grove_document *document,
                             uint64_t clock, grove_bytes block)
{
    grove__key key;
    grove__key_of_clock(&key, document->id, clock);
    grove__write_set_put_value(&change->set, GROVE__TABLE_EVENTS, grove__key_view(&key),
                               block);
    change->meta.batches++;
    change->meta.batch_bytes += block.size;
}

void grove__change_remove_batch(grove__change *change, grove_document *document,
                                const grove__piece *batch)
{
    grove__key key;
    grove__key_of_clock(&key, document->id, batch->clock);
    grove__write_set_remove(&change->set, GROVE__TABLE_EVENTS, grove__key_view(&key));
    count_down(change, &change->meta.batches, 1);
    count_down(change, &change->meta.batch_bytes, batch->bytes);
}

void grove__change_put_snapshot(grove__change *change, grove_document *document,
                                uint64_t clock, grove_bytes block)
{
    grove__key key;
    grove__key_of_clock(&key, document->id, clock);
    grove__write_set_put_value(&change->set, GROVE__TABLE_SNAPSHOTS,
                               grove__key_view(&key), block);
    change->meta.snapshots++;
    change->meta.snapshot_bytes += block.size;
    change->meta.snapshot_clock = clock;
    change->meta.newest_snapshot_bytes = block.size;
}

void grove__change_remove_snapshot(grove__change *change, grove_document *document,
                                   const grove__piece *snapshot)
{
    grove__key key;
    grove__key_of_clock(&key, document->id, snapshot->clock);
    grove__write_set_remove(&change->set, GROVE__TABLE_SNAPSHOTS, grove__key_view(&key));
    count_down(change, &change->meta.snapshots, 1);
    count_down(change, &change->meta.snapshot_bytes, snapshot->bytes);
}

grove_status grove__change_commit(grove__change *change, grove_document *document,
                                  grove__txn *writer, uint64_t *commit_out,
                                  grove_error *error_out)
{
    if (change->is_corrupt) {
        if (writer != NULL) {
            grove__txn_abort(writer);
        }
        return grove__fail(
            error_out, GROVE_CORRUPT,
            "the meta record counts fewer batches or snapshots than are stored");
    }
    uint8_t after[GROVE__META_RECORD_BYTES];
    grove__meta_record_encode(&change->meta, after);
    grove__key key;
    grove__key_of_document(&key, document->id);
    grove__write_set_put(&change->set, GROVE__TABLE_META, grove__key_view(&key),
                         (grove_bytes){after, sizeof after});
    grove_status status =
        writer == NULL
            ? grove__commit(document->store, &change->set, commit_out, error_out)
            : grove__commit_within(document->store, writer, &change->set, commit_out,
                                   error_out);
    if (status == GROVE_OK) {
        document->meta = change->meta;
        document->exists = true;
    }
    return status;
}
