#include "floor.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <zstd.h>

enum { KEY_BYTES = 8, PAIR_NUMBERS = 2, VARINT_BYTES_MAX = 10 };

static const size_t MAP_BYTES = (size_t)64 << 30;

typedef struct pair {
    uint64_t of[PAIR_NUMBERS];
} pair;

struct floor_env {
    MDB_env *mdb;
    MDB_txn *reader;
    MDB_dbi table;
    ZSTD_DCtx *unpacker;
    size_t room_bytes;
    uint8_t *stored;   /* parts joined */
    uint8_t *unpacked; /* frames */
    pair *decoded;
    uint8_t *text;
    uint64_t sum; /* keeps the compiler from leaving the work out */
};

floor_env *floor_open(const bench *run, const char *name)
{
    char path[BENCH_PATH_BYTES];
    bench_path(run, name, path);
    floor_env *env = bench_allocate(sizeof *env);
    *env = (floor_env){.unpacker = ZSTD_createDCtx()};
    bench_need(env->unpacker != NULL, "making a zstd context");
    (void)mkdir(path, 0777);
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | MDB_NOSYNC;
    MDB_txn *txn;
    bench_need(mdb_env_create(&env->mdb) == 0 && mdb_env_set_maxdbs(env->mdb, 4) == 0 &&
                   mdb_env_set_mapsize(env->mdb, MAP_BYTES) == 0 &&
                   mdb_env_open(env->mdb, path, flags, 0666) == 0,
               "opening a bare environment");
    bench_need(mdb_txn_begin(env->mdb, NULL, 0, &txn) == 0 &&
                   mdb_dbi_open(txn, "values", MDB_CREATE, &env->table) == 0 &&
                   mdb_txn_commit(txn) == 0,
               "opening a bare table");
    bench_need(mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &env->reader) == 0,
               "beginning a bare reader");
    mdb_txn_reset(env->reader);
    return env;
}

void floor_close(floor_env *env)
{
    mdb_txn_abort(env->reader);
    mdb_env_close(env->mdb);
    (void)ZSTD_freeDCtx(env->unpacker);
    free(env->stored);
    free(env->unpacked);
    free(env->decoded);
    free(env->text);
    free(env);
}

void floor_draft_init(floor_draft *draft, size_t text_bytes)
{
    *draft = (floor_draft){.value = {.text_bytes = text_bytes}};
}

/* Adds a frame, packed where that saves a sixteenth. */
static void add_frame(floor_draft *draft, const void *bytes, size_t count,
                      size_t raw_bytes_max, int level, bool is_varints)
{
    floor_value *value = &draft->value;
    bench_need(value->frame_count < FLOOR_FRAMES_MAX, "adding a frame");
    size_t room = ZSTD_compressBound(count);
    uint8_t *stored = bench_allocate(value->stored_bytes + room);
    if (value->stored_bytes > 0) {
        memcpy(stored, draft->bytes, value->stored_bytes);
    }
    free(draft->bytes);
    draft->bytes = stored;
    floor_frame frame = {count, count, false, is_varints};
    if (count >= raw_bytes_max) {
        size_t packed =
            ZSTD_compress(stored + value->stored_bytes, room, bytes, count, level);
        bench_need(!ZSTD_isError(packed), "compressing");
        if (packed <= count / 16 * 15) {
            frame.stored_bytes = packed;
            frame.is_packed = true;
        }
    }
    if (!frame.is_packed && count > 0) {
        memcpy(stored + value->stored_bytes, bytes, count);
    }
    value->stored_bytes += frame.stored_bytes;
    value->frames[value->frame_count] = frame;
    value->frame_count++;
}

void floor_draft_text(floor_draft *draft, const char *text, size_t bytes,
                      size_t raw_bytes_max, int level)
{
    add_frame(draft, text, bytes, raw_bytes_max, level, false);
}

static size_t put_varint(uint8_t *room, uint64_t number)
{
    size_t count = 0;
    while (number >= 0x80) {
        room[count] = (uint8_t)(number | 0x80);
        number >>= 7;
        count++;
    }
    room[count] = (uint8_t)number;
    return count + 1;
}

/* The difference as a small unsigned number. */
static uint64_t zigzag(uint64_t from, uint64_t to)
{
    uint64_t delta = to - from;
    return (delta << 1) ^ (0 - (delta >> 63));
}

/* Numbers of operations or times, as pairs, while they are written. */
typedef struct pair_writer {
    uint8_t *room;
    size_t bytes;
    uint64_t first;
    uint64_t count; /* 0: nothing is kept back */
} pair_writer;

static void flush_pair(pair_writer *writer)
{
    if (writer->count > 0) {
        writer->bytes += put_varint(writer->room + writer->bytes, writer->first);
        writer->bytes += put_varint(writer->room + writer->bytes, writer->count);
        writer->count = 0;
    }
}

/* Operations as (distance from where the last ended and kind, count). */
static void write_operations(const floor_patches *patches, pair_writer *writer)
{
    enum { INSERT = 0, DELETE = 1, BACKSPACE = 2, KINDS = 3 };
    uint64_t place = 0; /* where the last operation ended */
    uint64_t last = INSERT;
    for (size_t index = patches->from; index < patches->to; index++) {
        const cli_patch *patch = &patches->trace->patches[index];
        if (patch->deleted > 0) {
            bool is_back = patch->position + patch->deleted == place;
            uint64_t kind = is_back ? BACKSPACE : DELETE;
            bool goes_on = writer->count > 0 && kind == last &&
                           (is_back || patch->position == place);
            if (!goes_on) {
                flush_pair(writer);
                writer->first = zigzag(place, patch->position) * KINDS + kind;
            }
            writer->count += patch->deleted;
            last = kind;
            place = patch->position;
        }
        if (patch->inserted > 0) {
            if (writer->count == 0 || last != INSERT || patch->position != place) {
                flush_pair(writer);
                writer->first = zigzag(place, patch->position) * KINDS + INSERT;
            }
            writer->count += patch->inserted;
            last = INSERT;
            place = patch->position + patch->inserted;
        }
    }
    flush_pair(writer);
}

/* Times as (gap, events that came after it). */
static void write_times(const floor_patches *patches, pair_writer *writer)
{
    int64_t now = 0;
    for (size_t index = patches->from; index < patches->to; index++) {
        const cli_patch *patch = &patches->trace->patches[index];
        uint64_t events = patch->deleted + patch->inserted;
        uint64_t gap = zigzag((uint64_t)now, (uint64_t)patch->timestamp);
        if (writer->count == 0 || writer->first != gap) {
            flush_pair(writer);
            writer->first = gap;
        }
        writer->count++;
        if (events > 1) {
            if (gap != 0) {
                flush_pair(writer);
                writer->first = 0;
            }
            writer->count += events - 1;
        }
        now = patch->timestamp;
    }
    flush_pair(writer);
}

void floor_draft_patches(floor_draft *draft, const floor_patches *patches,
                         size_t raw_bytes_max, int level)
{
    enum { PAIRS_MAX = 2 }; /* of a patch: two operations, or two gaps */
    const cli_trace *trace = patches->trace;
    size_t count = patches->to - patches->from;
    size_t text_bytes = 0;
    for (size_t index = patches->from; index < patches->to; index++) {
        text_bytes += trace->patches[index].text_bytes;
    }
    size_t numbers_bytes = count * PAIRS_MAX * PAIR_NUMBERS * VARINT_BYTES_MAX;
    uint8_t *room = bench_allocate(numbers_bytes + text_bytes);
    pair_writer writer = {.room = room};
    write_operations(patches, &writer);
    add_frame(draft, room, writer.bytes, raw_bytes_max, level, true);
    if (patches->with_times) {
        writer.bytes = 0;
        write_times(patches, &writer);
        add_frame(draft, room, writer.bytes, raw_bytes_max, level, true);
    }
    size_t copied = 0;
    for (size_t index = patches->from; index < patches->to; index++) {
        const cli_patch *patch = &trace->patches[index];
        memcpy(room + copied, trace->text + patch->text_offset, patch->text_bytes);
        copied += patch->text_bytes;
    }
    add_frame(draft, room, copied, raw_bytes_max, level, false);
    free(room);
}

void floor_room(floor_env *env, const floor_value *value)
{
    size_t bytes = value->stored_bytes + value->text_bytes;
    for (size_t index = 0; index < value->frame_count; index++) {
        bytes += value->frames[index].raw_bytes;
    }
    if (bytes <= env->room_bytes) {
        return;
    }
    free(env->stored);
    free(env->unpacked);
    free(env->decoded);
    free(env->text);
    env->room_bytes = bytes;
    env->stored = bench_allocate(bytes);
    env->unpacked = bench_allocate(bytes);
    env->decoded = bench_allocate((bytes / PAIR_NUMBERS + 1) * sizeof *env->decoded);
    env->text = bench_allocate(bytes);
    /* Pages that were never touched would be the kernel's time. */
    memset(env->stored, 1, bytes);
    memset(env->unpacked, 1, bytes);
    memset(env->decoded, 1, (bytes / PAIR_NUMBERS + 1) * sizeof *env->decoded);
    memset(env->text, 1, bytes);
}

static MDB_val key_of(uint8_t room[KEY_BYTES], uint32_t number, uint32_t part)
{
    for (size_t index = 0; index < 4; index++) {
        room[index] = (uint8_t)(number >> (24 - 8 * index));
        room[4 + index] = (uint8_t)(part >> (24 - 8 * index));
    }
    return (MDB_val){KEY_BYTES, room};
}

floor_value floor_put(floor_env *env, floor_draft *draft, uint32_t number,
                      size_t stored_bytes)
{
    floor_value value = draft->value;
    value.number = number;
    if (value.stored_bytes < stored_bytes) {
        uint8_t *padded = bench_allocate(stored_bytes);
        memset(padded, 0, stored_bytes);
        if (draft->bytes != NULL) {
            memcpy(padded, draft->bytes, value.stored_bytes);
        }
        free(draft->bytes);
        draft->bytes = padded;
        value.stored_bytes = stored_bytes;
    }
    floor_room(env, &value);
    MDB_txn *txn;
    bench_need(mdb_txn_begin(env->mdb, NULL, 0, &txn) == 0, "a bare transaction");
    uint32_t part = 0;
    for (size_t at = 0; at < value.stored_bytes; at += FLOOR_PART_BYTES, part++) {
        uint8_t room[KEY_BYTES];
        MDB_val key = key_of(room, number, part);
        size_t left = value.stored_bytes - at;
        MDB_val data = {left < FLOOR_PART_BYTES ? left : FLOOR_PART_BYTES,
                        draft->bytes + at};
        bench_need(mdb_put(txn, env->table, &key, &data, 0) == 0, "a bare put");
    }
    bench_need(mdb_txn_commit(txn) == 0, "a bare commit");
    free(draft->bytes);
    draft->bytes = NULL;
    return value;
}

static void decode_varints(floor_env *env, const uint8_t *bytes, size_t count)
{
    const uint8_t *end = bytes + count;
    size_t at = 0;
    uint64_t sum = 0;
    while (bytes < end) {
        pair *decoded = &env->decoded[at];
        for (size_t field = 0; field < PAIR_NUMBERS; field++) {
            uint64_t number = 0;
            unsigned shift = 0;
            while (*bytes >= 0x80) {
                number |= (uint64_t)(*bytes & 0x7f) << shift;
                shift += 7;
                bytes++;
            }
            decoded->of[field] = number | (uint64_t)*bytes << shift;
            bytes++;
        }
        sum += decoded->of[0];
        at++;
    }
    env->sum += sum;
}

/* The value's stored bytes: in place when it is one part, else joined. */
static const uint8_t *get(floor_env *env, const floor_value *value)
{
    const uint8_t *bytes = env->stored;
    uint32_t part = 0;
    for (size_t at = 0; at < value->stored_bytes; part++) {
        uint8_t room[KEY_BYTES];
        MDB_val key = key_of(room, value->number, part);
        MDB_val data;
        bench_need(mdb_get(env->reader, env->table, &key, &data) == 0, "a bare get");
        if (data.mv_size == value->stored_bytes) {
            bytes = data.mv_data;
        } else {
            memcpy(env->stored + at, data.mv_data, data.mv_size);
        }
        at += data.mv_size;
    }
    return bytes;
}

double floor_run(floor_env *env, const floor_value *value)
{
    double begun = bench_now_us();
    bench_need(mdb_txn_renew(env->reader) == 0, "renewing a bare reader");
    const uint8_t *stored = get(env, value);
    uint8_t *unpacked = env->unpacked;
    const uint8_t *text = stored;
    size_t text_bytes = 0;
    for (size_t index = 0; index < value->frame_count; index++) {
        const floor_frame *frame = &value->frames[index];
        const uint8_t *raw = stored;
        if (frame->is_packed) {
            size_t bytes = ZSTD_decompressDCtx(env->unpacker, unpacked, frame->raw_bytes,
                                               stored, frame->stored_bytes);
            bench_need(bytes == frame->raw_bytes, "decompressing");
            raw = unpacked;
            unpacked += bytes;
        }
        if (frame->is_varints) {
            decode_varints(env, raw, frame->raw_bytes);
        } else if (frame->raw_bytes >= text_bytes) {
            text = raw;
            text_bytes = frame->raw_bytes;
        }
        stored += frame->stored_bytes;
    }
    size_t copied = text_bytes < value->text_bytes ? text_bytes : value->text_bytes;
    if (copied > 0) {
        memcpy(env->text, text, copied);
        env->sum += env->text[copied / 2];
    }
    mdb_txn_reset(env->reader);
    return bench_now_us() - begun;
}
