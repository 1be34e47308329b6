/*
 * The serializer alone: a sealed history from its block into arrays, beside
 * the plainest thing that gives the same arrays: one zstd frame at the same
 * level with a varint for each number, all text behind. The one place where a
 * benchmark looks behind include/: what is measured here is not public.
 */
#include <stdlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "bench.h"
#include "format/batch.h"

enum { SEALED_LEVEL = 19, REPLICA_BYTES = 16 };

/* What the plain form decodes to, and what it is decoded from. */
typedef struct plain {
    void *packed;
    size_t packed_bytes;
    uint8_t *raw;
    size_t raw_bytes;
    size_t text_bytes;
    grove_operation *operations;
    size_t operation_count;
    grove__time_run *times;
    size_t time_count;
    ZSTD_DCtx *context;
} plain;

/* One operation of `count` events behind all there are. */
static void append(grove__events *events, const cli_patch *patch, uint32_t count,
                   grove_bytes content)
{
    grove_error error;
    grove_event_run run = {.timestamp = patch->timestamp};
    run.first.replica.size = REPLICA_BYTES;
    run.first.sequence = events->count;
    grove_event_id parent = run.first;
    parent.sequence--;
    run.parents = &parent;
    run.parent_count = events->count > 0 ? 1 : 0;
    run.operation =
        (grove_operation){content.size > 0 ? GROVE_TEXT_INSERT : GROVE_TEXT_DELETE, count,
                          patch->position, content};
    bench_must(grove__events_append(events, grove_type_text(), &run, &error), &error,
               "appending events");
}

static void append_trace(grove__events *events, const cli_trace *trace)
{
    for (size_t index = 0; index < trace->patch_count; index++) {
        const cli_patch *patch = &trace->patches[index];
        if (patch->deleted > 0) {
            append(events, patch, (uint32_t)patch->deleted, (grove_bytes){NULL, 0});
        }
        if (patch->inserted > 0) {
            const char *text = trace->text + patch->text_offset;
            append(events, patch, (uint32_t)patch->inserted,
                   (grove_bytes){(const uint8_t *)text, patch->text_bytes});
        }
    }
}

static void write_plain(grove__events *events, grove_buffer *raw)
{
    grove_operations operations = grove__events_operations(events);
    for (size_t index = 0; index < operations.count; index++) {
        const grove_operation *operation = &operations.items[index];
        grove_buffer_u8(raw, (uint8_t)operation->kind);
        grove_buffer_varint(raw, operation->count);
        grove_buffer_varint(raw, operation->position);
        grove_buffer_varint(raw, operation->content.size);
    }
    int64_t time = 0;
    for (size_t index = 0; index < events->time_run_count; index++) {
        grove_buffer_signed(raw, events->time_runs[index].timestamp - time);
        grove_buffer_varint(raw, events->time_runs[index].count);
        time = events->time_runs[index].timestamp;
    }
    grove_buffer_append(raw, events->content.data, events->content.size);
    bench_need(!raw->failed, "writing the plain form");
}

static void plain_init(plain *made, grove__events *events)
{
    grove_buffer raw;
    grove_buffer_init(&raw, &grove__allocator_system);
    write_plain(events, &raw);
    made->raw_bytes = raw.size;
    made->text_bytes = events->content.size;
    made->operation_count = grove__events_operations(events).count;
    made->time_count = events->time_run_count;
    size_t room = ZSTD_compressBound(raw.size);
    made->packed = bench_allocate(room);
    made->packed_bytes =
        ZSTD_compress(made->packed, room, raw.data, raw.size, SEALED_LEVEL);
    bench_need(!ZSTD_isError(made->packed_bytes), "ZSTD_compress");
    made->raw = bench_allocate(raw.size);
    made->operations = bench_allocate(made->operation_count * sizeof *made->operations);
    made->times = bench_allocate(made->time_count * sizeof *made->times);
    made->context = ZSTD_createDCtx();
    bench_need(made->context != NULL, "ZSTD_createDCtx");
    grove_buffer_release(&raw);
}

static void plain_release(plain *made)
{
    (void)ZSTD_freeDCtx(made->context);
    free(made->times);
    free(made->operations);
    free(made->raw);
    free(made->packed);
}

static void plain_decode(plain *made)
{
    size_t bytes = ZSTD_decompressDCtx(made->context, made->raw, made->raw_bytes,
                                       made->packed, made->packed_bytes);
    bench_need(bytes == made->raw_bytes, "ZSTD_decompressDCtx");
    grove_reader reader = grove_reader_of((grove_bytes){made->raw, made->raw_bytes});
    const uint8_t *text = made->raw + made->raw_bytes - made->text_bytes;
    for (size_t index = 0; index < made->operation_count; index++) {
        grove_operation *operation = &made->operations[index];
        operation->kind = grove_reader_u8(&reader);
        operation->count = (uint32_t)grove_reader_varint(&reader);
        operation->position = grove_reader_varint(&reader);
        operation->content.data = text;
        operation->content.size = (size_t)grove_reader_varint(&reader);
        text += operation->content.size;
    }
    int64_t time = 0;
    for (size_t index = 0; index < made->time_count; index++) {
        time += grove_reader_signed(&reader);
        made->times[index].timestamp = time;
        made->times[index].count = (uint32_t)grove_reader_varint(&reader);
    }
    bench_need(!reader.failed && text == made->raw + made->raw_bytes, "decoding");
}

/* The block, decoded whole with all its checks. */
static void block_decode(const grove_buffer *sealed, grove__packer *packer,
                         grove__events *decoded)
{
    grove_error error;
    grove__block block;
    grove__batch_header header;
    bench_must(grove__batch_open(grove_buffer_view(sealed), &block, &header, &error),
               &error, "opening a batch");
    block.packer = packer;
    bench_must(grove__batch_decode(&block, grove_type_text(), GROVE__DECODE_ALL, decoded,
                                   &error),
               &error, "decoding a batch");
}

static void measure(bench *run, const char *name, const cli_trace *trace)
{
    grove_error error;
    grove__events events;
    grove__events decoded;
    grove__packer packer;
    grove_buffer sealed;
    plain made;
    bench_samples *times = bench_allocate(2 * sizeof *times);
    grove__events_init(&events, &grove__allocator_system);
    grove__events_init(&decoded, &grove__allocator_system);
    grove__packer_init(&packer, &grove__allocator_system);
    grove_buffer_init(&sealed, &grove__allocator_system);
    append_trace(&events, trace);
    bench_must(grove__batch_encode(&events, grove_type_text(), 0,
                                   grove__batch_packing_sealed(SEALED_LEVEL), &sealed,
                                   &error),
               &error, "encoding a batch");
    plain_init(&made, &events);
    times[0].count = 0;
    times[1].count = 0;
    double loop_begun = bench_now_us();
    while (bench_goes_on(run, &times[0], loop_begun, 7)) {
        double begun = bench_now_us();
        block_decode(&sealed, &packer, &decoded);
        bench_add(&times[0], bench_now_us() - begun);
        begun = bench_now_us();
        plain_decode(&made);
        bench_add(&times[1], bench_now_us() - begun);
    }
    bench_need(decoded.count == trace->events, "counting the decoded events");
    char row[96];
    (void)snprintf(row, sizeof row, "sealed block to arrays, %s", name);
    bench_row(run, "decode", row, trace->events, &times[0]);
    (void)snprintf(row, sizeof row, "one zstd frame of varints to arrays, %s", name);
    bench_row(run, "decode", row, trace->events, &times[1]);
    (void)snprintf(row, sizeof row, "decode-sealed-%s", name);
    bench_bar(run, row, bench_median(&times[1]) / bench_median(&times[0]), 0.8,
              "of the floor's rate", true);
    plain_release(&made);
    grove_buffer_release(&sealed);
    grove__packer_release(&packer);
    grove__events_release(&decoded);
    grove__events_release(&events);
    free(times);
}

void bench_decode(bench *run)
{
    bench_title("Decoding a sealed history");
    cli_trace trace;
    bool is_tiny = run->options.size == BENCH_TINY;
    bench_session(is_tiny ? 2000 : 100000, is_tiny ? 800 : 40000, &trace);
    measure(run, "session", &trace);
    cli_trace_release(&trace);
    const char *const names[] = {"automerge-paper", "rustcode", "sveltecomponent"};
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        if (bench_trace(run, names[index], &trace)) {
            measure(run, names[index], &trace);
            cli_trace_release(&trace);
        }
    }
}
