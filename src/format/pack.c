#include "format/pack.h"

/* For contexts in memory of ours: custom allocation, a decoder in place. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/checked.h"

/*
 * What all decoders of zstd accept without being asked. From LEVEL_WIDE on a
 * window covers the whole frame, up to this: sealed history repeats itself
 * over any distance, and a match finder's memory does not grow with it.
 */
enum { WINDOW_LOG_MAX = 27, LEVEL_WIDE = 16 };

/* zstd does not say how large what it frees is: it stands in front. */
typedef union memory_head {
    size_t bytes;
    max_align_t alignment;
} memory_head;

static void *allocate(void *context, size_t bytes)
{
    size_t bytes_all;
    if (!grove__add_size(bytes, sizeof(memory_head), &bytes_all)) {
        return NULL;
    }
    memory_head *head = grove__allocate(context, bytes_all);
    if (head == NULL) {
        return NULL;
    }
    head->bytes = bytes_all;
    return head + 1;
}

static void deallocate(void *context, void *memory)
{
    if (memory != NULL) {
        memory_head *head = (memory_head *)memory - 1;
        grove__deallocate(context, head, head->bytes);
    }
}

void grove__packer_init(grove__packer *packer, const grove_allocator *allocator)
{
    packer->allocator = allocator;
    packer->compressor = NULL;
    packer->decompressor = NULL;
}

void grove__packer_release(grove__packer *packer)
{
    (void)ZSTD_freeCCtx(packer->compressor);
    /* The decoder is its memory: there is nothing else to free. */
    grove__deallocate(packer->allocator, packer->decompressor, ZSTD_estimateDCtxSize());
    grove__packer_init(packer, packer->allocator);
}

static bool make_compressor(grove__packer *packer)
{
    if (packer->compressor == NULL) {
        /* Opaque pointers of zstd are not const; ours is only read. */
        const grove_allocator *allocator = packer->allocator;
        void *context;
        memcpy(&context, &allocator, sizeof context);
        ZSTD_customMem memory = {allocate, deallocate, context};
        packer->compressor = ZSTD_createCCtx_advanced(memory);
    }
    return packer->compressor != NULL;
}

static bool make_decompressor(grove__packer *packer)
{
    if (packer->decompressor == NULL) {
        size_t bytes = ZSTD_estimateDCtxSize();
        void *memory = grove__allocate(packer->allocator, bytes);
        if (memory == NULL) {
            return false;
        }
        packer->decompressor = ZSTD_initStaticDCtx(memory, bytes);
        GROVE_ASSERT(packer->decompressor == memory);
    }
    return true;
}

/* The least n with 2^n >= bytes. */
static int log2_ceiling(size_t bytes)
{
    int log = 0;
    while (log < WINDOW_LOG_MAX && ((size_t)1 << log) < bytes) {
        log++;
    }
    return log;
}

/* Begins a frame of `bytes` bytes. A zstd code. */
static size_t begin_frame(ZSTD_CCtx *compressor, int level, size_t bytes)
{
    size_t code = ZSTD_CCtx_reset(compressor, ZSTD_reset_session_and_parameters);
    if (!ZSTD_isError(code)) {
        code = ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, level);
    }
    if (!ZSTD_isError(code) && level >= LEVEL_WIDE) {
        ZSTD_bounds bounds = ZSTD_cParam_getBounds(ZSTD_c_windowLog);
        int log = log2_ceiling(bytes);
        code = ZSTD_CCtx_setParameter(compressor, ZSTD_c_windowLog,
                                      log > bounds.lowerBound ? log : bounds.lowerBound);
    }
    /* Content size, no checksum, no dictionary: these are zstd's defaults. */
    if (!ZSTD_isError(code)) {
        code = ZSTD_CCtx_setPledgedSrcSize(compressor, bytes);
    }
    return code;
}

/* Compresses column after column. 0: done; a zstd error; or what is left to
 * write after all the room is taken. */
static size_t write_columns(ZSTD_CCtx *compressor, const grove__columns *columns,
                            ZSTD_outBuffer *room)
{
    ZSTD_inBuffer input = {columns->bytes.data, 0, 0};
    for (size_t index = 0; index <= columns->cut_count; index++) {
        bool is_last = index == columns->cut_count;
        size_t end = is_last ? columns->bytes.size : columns->cuts[index];
        GROVE_ASSERT(end >= input.pos && end <= columns->bytes.size);
        if (end == input.pos && !is_last) {
            continue;
        }
        input.size = end;
        size_t left;
        do {
            left = ZSTD_compressStream2(compressor, room, &input,
                                        is_last ? ZSTD_e_end : ZSTD_e_flush);
        } while (left > 0 && !ZSTD_isError(left) && room->pos < room->size);
        if (left > 0) {
            return left;
        }
    }
    return 0;
}

grove_status grove__packer_pack(grove__packer *packer, int level,
                                const grove__columns *columns, uint8_t *room,
                                size_t room_bytes, size_t *packed_bytes_out)
{
    if (!make_compressor(packer)) {
        return GROVE_NO_MEMORY;
    }
    ZSTD_CCtx *compressor = packer->compressor;
    size_t packed_bytes = 0;
    size_t code = begin_frame(compressor, level, columns->bytes.size);
    if (!ZSTD_isError(code) && columns->cut_count == 0) {
        /* In one piece zstd needs no window of its own. */
        code = ZSTD_compress2(compressor, room, room_bytes, columns->bytes.data,
                              columns->bytes.size);
        packed_bytes = code;
    } else if (!ZSTD_isError(code)) {
        ZSTD_outBuffer output = {room, room_bytes, 0};
        code = write_columns(compressor, columns, &output);
        packed_bytes = output.pos;
        if (!ZSTD_isError(code) && code > 0) {
            return GROVE_NONE;
        }
    }
    if (ZSTD_isError(code)) {
        return ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation ? GROVE_NO_MEMORY
                                                                       : GROVE_NONE;
    }
    *packed_bytes_out = packed_bytes;
    return GROVE_OK;
}

bool grove__packed_check(grove_bytes packed, uint64_t content_bytes)
{
    /* Of RFC 8878: magic number, frame header descriptor, window. */
    static const uint8_t magic[] = {0x28, 0xb5, 0x2f, 0xfd};
    enum {
        DESCRIPTOR_OFFSET = 4,
        WINDOW_OFFSET = 5,
        SINGLE_SEGMENT = 0x20,
        CHECKSUM_DICTIONARY_RESERVED = 0x0f,
        WINDOW_BYTE_MAX = (WINDOW_LOG_MAX - 10) << 3
    };
    if (packed.size <= WINDOW_OFFSET || memcmp(packed.data, magic, sizeof magic) != 0) {
        return false;
    }
    uint8_t descriptor = packed.data[DESCRIPTOR_OFFSET];
    if ((descriptor & CHECKSUM_DICTIONARY_RESERVED) != 0) {
        return false;
    }
    bool is_window_narrow = (descriptor & SINGLE_SEGMENT) != 0
                                ? content_bytes <= UINT64_C(1) << WINDOW_LOG_MAX
                                : packed.data[WINDOW_OFFSET] <= WINDOW_BYTE_MAX;
    return is_window_narrow &&
           ZSTD_getFrameContentSize(packed.data, packed.size) == content_bytes &&
           ZSTD_findFrameCompressedSize(packed.data, packed.size) == packed.size;
}

grove_status grove__packer_unpack(grove__packer *packer, grove_bytes packed,
                                  uint8_t *room, size_t content_bytes)
{
    if (!make_decompressor(packer)) {
        return GROVE_NO_MEMORY;
    }
    size_t decoded = ZSTD_decompressDCtx(packer->decompressor, room, content_bytes,
                                         packed.data, packed.size);
    return decoded == content_bytes ? GROVE_OK : GROVE_CORRUPT;
}
