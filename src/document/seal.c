/* Packing the same events into fewer, larger, better compressed batches. */
#include "base/alloc.h"
#include "base/error.h"
#include "document/change.h"

enum { ATTEMPTS_MAX = 16, LEVEL_MAX = 22 };

/* A segment ends before the batch that would bring it over one of these, so
 * that packing and later reading it stay within bounds of memory. */
#define SEGMENT_EVENTS_MAX (UINT64_C(1) << 24)
#define SEGMENT_CONTENT_BYTES_MAX (UINT64_C(1) << 26)

typedef struct seal_work {
    grove_document *document;
    grove__txn *txn;
    grove__change change;
    int32_t level;
    /* Finished blocks one after the other, with where each begins. */
    grove_buffer blocks;
    grove_buffer segments; /* segment records */
    grove__events events;  /* of the segment that grows */
    uint64_t clock;        /* of its first event */
    uint64_t reach;
} seal_work;

typedef struct segment {
    uint64_t clock;
    size_t offset;
    size_t bytes;
} segment;

/* Ends the segment that grows. */
static grove_status finish_segment(seal_work *sealing, grove_error *error_out)
{
    if (sealing->events.count == 0) {
        return GROVE_OK;
    }
    segment added = {sealing->clock, sealing->blocks.size, 0};
    grove__packing packing = grove__batch_packing_sealed(sealing->level);
    packing.packer = &sealing->document->packer;
    grove_status status =
        grove__batch_encode(&sealing->events, sealing->document->type, sealing->reach,
                            packing, &sealing->blocks, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__batch_place(sealing->blocks.data + added.offset, added.clock);
    added.bytes = sealing->blocks.size - added.offset;
    grove_buffer_append(&sealing->segments, &added, sizeof added);
    grove__events_reset(&sealing->events);
    return sealing->segments.failed ? grove__fail_memory(error_out) : GROVE_OK;
}

/* Adds a stored batch to the segment that grows, or begins the next one. */
static grove_status add_batch(seal_work *sealing, const grove__piece *piece,
                              grove__batch_reader *reader, grove__events *events,
                              grove_error *error_out)
{
    grove_document *document = sealing->document;
    grove_status status =
        grove__batch_read(document, sealing->txn, piece->clock, reader, error_out);
    if (status == GROVE_OK) {
        status = grove__batch_decode(&reader->block, document->type, GROVE__DECODE_ALL,
                                     events, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    /* A snapshot's clock is a border: a load then decodes only what follows. */
    bool is_full =
        sealing->events.count + (uint64_t)events->count > SEGMENT_EVENTS_MAX ||
        sealing->events.content.size + events->content.size > SEGMENT_CONTENT_BYTES_MAX ||
        piece->clock == document->meta.snapshot_clock;
    if (is_full) {
        status = finish_segment(sealing, error_out);
    }
    if (sealing->events.count == 0) {
        sealing->clock = piece->clock;
        sealing->reach = piece->clock;
    }
    if (reader->header.reach < sealing->reach) {
        sealing->reach = reader->header.reach;
    }
    if (status == GROVE_OK) {
        status = grove__events_append_list(&sealing->events, document->type, events, 0,
                                           events->count, error_out);
    }
    return status;
}

/* Packs the batches from index `first` on into segments. */
static grove_status pack(seal_work *sealing, const grove__piece *pieces, size_t first,
                         size_t count, grove_error *error_out)
{
    grove_document *document = sealing->document;
    grove__batch_reader reader;
    grove__events events;
    grove__batch_reader_init(&reader, document->allocator);
    grove__events_init(&events, document->allocator);
    grove_status status = GROVE_OK;
    for (size_t index = first; status == GROVE_OK && index < count; index++) {
        status = add_batch(sealing, &pieces[index], &reader, &events, error_out);
    }
    if (status == GROVE_OK) {
        status = finish_segment(sealing, error_out);
    }
    grove__events_release(&events);
    grove__batch_reader_release(&reader);
    return status;
}

/* What is packed anew: from which batch on. */
static grove_status plan(grove_document *document, grove__txn *txn,
                         grove_buffer *pieces_out, size_t *first_out,
                         grove_error *error_out)
{
    grove_status status = grove__pieces_read(document, txn, GROVE__TABLE_EVENTS, SIZE_MAX,
                                             pieces_out, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    const grove__piece *pieces = (const grove__piece *)(const void *)pieces_out->data;
    size_t count = pieces_out->size / sizeof *pieces;
    *first_out = count;
    if (count == 0) {
        return GROVE_OK;
    }
    bool *is_sealed = grove__allocate(document->allocator, count);
    if (is_sealed == NULL) {
        return grove__fail_memory(error_out);
    }
    for (size_t index = 0; index < count; index++) {
        is_sealed[index] =
            pieces[index].clock + pieces[index].events <= document->meta.sealed_clock;
    }
    *first_out = grove__seal_plan(pieces, is_sealed, count);
    grove__deallocate(document->allocator, is_sealed, count);
    return GROVE_OK;
}

static void fill_change(seal_work *sealing, const grove__piece *pieces, size_t first,
                        size_t count)
{
    for (size_t index = first; index < count; index++) {
        grove__change_remove_batch(&sealing->change, sealing->document, &pieces[index]);
    }
    const segment *segments = (const segment *)(const void *)sealing->segments.data;
    for (size_t index = 0; index < sealing->segments.size / sizeof *segments; index++) {
        grove_bytes block = {sealing->blocks.data + segments[index].offset,
                             segments[index].bytes};
        grove__change_put_batch(&sealing->change, sealing->document,
                                segments[index].clock, block);
    }
    sealing->change.meta.sealed_clock = sealing->change.meta.events;
}

static grove_status seal_from(grove_document *document, grove__txn *txn, int32_t level,
                              grove_seal_result *result, grove_error *error_out)
{
    seal_work sealing = {.document = document, .txn = txn, .level = level};
    grove_buffer pieces;
    grove_buffer_init(&pieces, document->allocator);
    grove_buffer_init(&sealing.blocks, document->allocator);
    grove_buffer_init(&sealing.segments, document->allocator);
    grove__events_init(&sealing.events, document->allocator);
    grove__change_init(&sealing.change, document);
    size_t first = 0;
    grove_status status = plan(document, txn, &pieces, &first, error_out);
    const grove__piece *items = (const grove__piece *)(const void *)pieces.data;
    size_t count = pieces.size / sizeof *items;
    if (status == GROVE_OK) {
        status = pack(&sealing, items, first, count, error_out);
    }
    grove__txn_abort(txn);
    grove__packer_release(&document->packer);
    result->batches_before = document->meta.batches;
    result->bytes_before = document->meta.batch_bytes;
    if (status == GROVE_OK && first < count) {
        sealing.change.set.frees_space = true;
        fill_change(&sealing, items, first, count);
        status = grove__change_commit(&sealing.change, document, NULL, NULL, error_out);
    }
    result->batches_after = document->meta.batches;
    result->bytes_after = document->meta.batch_bytes;
    grove__change_release(&sealing.change);
    grove__events_release(&sealing.events);
    grove_buffer_release(&sealing.segments);
    grove_buffer_release(&sealing.blocks);
    grove_buffer_release(&pieces);
    return status;
}

grove_status grove_document_seal(grove_document *document,
                                 const grove_seal_options *options,
                                 grove_seal_result *result_out, grove_error *error_out)
{
    grove_status status = grove__document_check_live(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_seal_options complete = GROVE_SEAL_OPTIONS_INIT;
    bool is_other_size = options != NULL && options->size != sizeof complete;
    if (options != NULL && !is_other_size) {
        complete = *options;
    }
    if (is_other_size || complete.level < 1 || complete.level > LEVEL_MAX) {
        return grove__fail(
            error_out, GROVE_INVALID,
            "grove_seal_options: initialize it with GROVE_SEAL_OPTIONS_INIT; "
            "level may be 1 to %d",
            LEVEL_MAX);
    }
    grove_seal_result result = {0};
    status = GROVE_CONFLICT;
    for (int attempts = 0; status == GROVE_CONFLICT; attempts++) {
        if (attempts == ATTEMPTS_MAX) {
            return grove__fail(error_out, GROVE_BUSY,
                               "others changed the document before each of %d attempts",
                               ATTEMPTS_MAX);
        }
        grove__txn txn;
        status = grove__document_begin_change(document, &txn, error_out);
        if (status == GROVE_OK) {
            status = seal_from(document, &txn, complete.level, &result, error_out);
        } else {
            break;
        }
    }
    if (status == GROVE_OK && result_out != NULL) {
        *result_out = result;
    }
    return status;
}
