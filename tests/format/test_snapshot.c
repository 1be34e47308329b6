#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "format/snapshot.h"
#include "support/faulty_allocator.h"
#include "support/random.h"
#include "support/reseal.h"

static const grove__packing RAW = {0, 0, NULL};
static const grove__packing ZSTD = {3, 64, NULL};

/* Where the fields begin in a block. */
enum { FIELDS = 15, HEAD = FIELDS + 24 };

static grove__head head_of(uint64_t clock, const char *replica, uint64_t sequence)
{
    grove__head head;
    memset(&head, 0, sizeof head);
    head.clock = clock;
    head.id.replica.size = (uint8_t)strlen(replica);
    memcpy(head.id.replica.bytes, replica, strlen(replica));
    head.id.sequence = sequence;
    return head;
}

/* `count` heads, the last at `clock` - 1, with replicas of `replica_bytes`. */
static void make_heads(grove__head *heads, uint32_t count, uint64_t clock,
                       uint8_t replica_bytes)
{
    for (uint32_t index = 0; index < count; index++) {
        memset(&heads[index], 0, sizeof heads[index]);
        heads[index].clock = clock - count + index;
        heads[index].id.replica.size = replica_bytes;
        memset(heads[index].id.replica.bytes, (int)(index & 0xff), replica_bytes);
        heads[index].id.sequence = index;
    }
}

static grove_bytes long_text(void)
{
    static const char text[] =
        "A snapshot is the state at a clock: exactly the first events are in it, and a "
        "snapshot is the state at a clock: exactly the first events are in it. A "
        "snapshot is the state at a clock, and what it lacks is what comes after it.";
    return grove_bytes_of(text);
}

/* Two heads; a raw frame and a compressed one. */
static grove_buffer usual(void)
{
    const grove__head heads[] = {head_of(7, "alice", 5), head_of(99, "bob", 61)};
    const grove__snapshot_header header = {100, 3, 1, 2};
    grove_buffer block;
    grove_buffer_init(&block, &grove__allocator_system);
    cr_assert_eq(
        grove__snapshot_encode(&header, heads,
                               &(grove__snapshot_frames){
                                   grove_bytes_of("structure"), long_text(), {NULL, 0}},
                               ZSTD, &block, NULL),
        GROVE_OK);
    return block;
}

/* Opens the snapshot and reads both frames. */
static grove_status read_all(grove_bytes bytes, grove_error *error_out)
{
    grove__block block;
    grove__snapshot_header header;
    grove_buffer heads;
    grove_buffer frame;
    grove_bytes view;
    grove_buffer_init(&heads, &grove__allocator_system);
    grove_buffer_init(&frame, &grove__allocator_system);
    grove_status status = grove__snapshot_open(bytes, &block, &header, &heads, error_out);
    if (status == GROVE_OK) {
        cr_assert_eq(heads.size, header.head_count * sizeof(grove__head));
    } else {
        cr_assert_eq(heads.size, 0);
    }
    for (uint8_t id = 1; id <= 2 && status == GROVE_OK; id++) {
        status = grove__block_frame_view(&block, id, &frame, &view, error_out);
    }
    grove_buffer_release(&heads);
    grove_buffer_release(&frame);
    return status;
}

Test(snapshot, has_the_fields_that_the_format_says)
{
    static const char expected[] = "\0\0\0\0\0\0\0\144" /* clock 100 */
                                   "\0\0\0\0\0\0\0\3"   /* base clock */
                                   "\0\0\0\1"           /* the type's format */
                                   "\0\0\0\2"           /* heads */
                                   "\0\0\0\0\0\0\0\7"
                                   "\5"
                                   "alice"
                                   "\0\0\0\0\0\0\0\5"
                                   "\0\0\0\0\0\0\0\143"
                                   "\3"
                                   "bob"
                                   "\0\0\0\0\0\0\0\75";
    grove_buffer bytes = usual();
    grove__block block;
    cr_assert_eq(
        grove__block_open(grove_buffer_view(&bytes), GROVE__BLOCK_SNAPSHOT, &block, NULL),
        GROVE_OK);
    cr_assert(grove__bytes_equal(
        block.fields, (grove_bytes){(const uint8_t *)expected, sizeof expected - 1}));
    cr_assert_eq(block.frame_count, 2);
    cr_assert_eq(block.frames[0].codec, GROVE__CODEC_RAW);
    cr_assert_eq(block.frames[1].codec, GROVE__CODEC_ZSTD);
    grove_buffer_release(&bytes);
}

Test(snapshot, comes_back_as_it_went_in)
{
    static const struct {
        uint64_t clock;
        uint64_t base_clock;
        uint32_t head_count;
        uint8_t replica_bytes;
    } cases[] = {
        {0, 0, 0, 1},
        {1, 0, 1, 1},
        {1, 1, 1, 64},
        {5, 0, 5, 16},
        {5000, 77, 3, 17},
        {5000, 77, 808, 64},
        {5000, 77, 1985, 16},
        {5000, 0, 3639, 1},
        {GROVE_DOCUMENT_EVENTS_MAX, GROVE_DOCUMENT_EVENTS_MAX, 1, 8},
    };
    grove__head *heads = calloc(4000, sizeof *heads);
    cr_assert_not_null(heads);
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove__snapshot_header header = {cases[index].clock, cases[index].base_clock,
                                         UINT32_MAX, cases[index].head_count};
        make_heads(heads, header.head_count, header.clock, cases[index].replica_bytes);
        grove_buffer bytes;
        grove_buffer heads_read;
        grove_buffer frame;
        grove__block block;
        grove__snapshot_header header_read;
        grove_bytes view;
        grove_buffer_init(&bytes, &grove__allocator_system);
        grove_buffer_init(&heads_read, &grove__allocator_system);
        grove_buffer_init(&frame, &grove__allocator_system);
        grove_buffer_append(&heads_read, "before", 6);
        cr_assert_eq(
            grove__snapshot_encode(
                &header, heads,
                &(grove__snapshot_frames){grove_bytes_of(""), long_text(), {NULL, 0}},
                RAW, &bytes, NULL),
            GROVE_OK);
        cr_assert_eq(grove__snapshot_open(grove_buffer_view(&bytes), &block, &header_read,
                                          &heads_read, NULL),
                     GROVE_OK);
        cr_assert_eq(header_read.clock, header.clock);
        cr_assert_eq(header_read.base_clock, header.base_clock);
        cr_assert_eq(header_read.type_format, UINT32_MAX);
        cr_assert_eq(header_read.head_count, header.head_count);
        cr_assert_eq(heads_read.size, 6 + header.head_count * sizeof *heads);
        cr_assert_eq(memcmp(heads_read.data, "before", 6), 0);
        cr_assert_eq(
            memcmp(heads_read.data + 6, heads, header.head_count * sizeof *heads), 0);
        cr_assert_eq(grove__block_frame_view(&block, 1, &frame, &view, NULL), GROVE_OK);
        cr_assert_eq(view.size, 0);
        cr_assert_eq(grove__block_frame_view(&block, 2, &frame, &view, NULL), GROVE_OK);
        cr_assert(grove__bytes_equal(view, long_text()));
        /* Without room for the heads they are checked all the same. */
        cr_assert_eq(grove__snapshot_open(grove_buffer_view(&bytes), &block, &header_read,
                                          NULL, NULL),
                     GROVE_OK);
        grove_buffer_release(&bytes);
        grove_buffer_release(&heads_read);
        grove_buffer_release(&frame);
    }
    free(heads);
}

Test(snapshot, heads_beyond_a_blocks_fields_are_over_a_limit)
{
    static const struct {
        uint32_t head_count;
        uint8_t replica_bytes;
    } cases[] = {{809, 64}, {1986, 16}, {3640, 1}, {5000, 1}};
    grove__head *heads = calloc(5000, sizeof *heads);
    cr_assert_not_null(heads);
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove__snapshot_header header = {5000, 0, 1, cases[index].head_count};
        make_heads(heads, header.head_count, header.clock, cases[index].replica_bytes);
        grove_buffer bytes;
        grove_error error;
        grove_buffer_init(&bytes, &grove__allocator_system);
        cr_assert_eq(grove__snapshot_encode(&header, heads,
                                            &(grove__snapshot_frames){grove_bytes_of(""),
                                                                      grove_bytes_of(""),
                                                                      {NULL, 0}},
                                            RAW, &bytes, &error),
                     GROVE_LIMIT);
        cr_assert_eq(error.status, GROVE_LIMIT);
        cr_assert_eq(bytes.size, 0);
        grove_buffer_release(&bytes);
    }
    free(heads);
}

/* A failure with everything that belongs to it. */
static void assert_refused(grove_bytes bytes)
{
    uint8_t *copy = malloc(bytes.size > 0 ? bytes.size : 1);
    cr_assert_not_null(copy);
    memcpy(copy, bytes.data, bytes.size);
    grove_error error = {GROVE_OK, UINT64_MAX, ""};
    grove_status status = read_all((grove_bytes){copy, bytes.size}, &error);
    cr_assert(status == GROVE_CORRUPT || status == GROVE_FORMAT_NEWER, "%s",
              grove_status_name(status));
    cr_assert_eq(error.status, status);
    cr_assert_leq(error.offset, bytes.size);
    cr_assert_neq(error.message[0], '\0');
    free(copy);
}

Test(snapshot, every_changed_byte_is_found)
{
    grove_buffer bytes = usual();
    cr_assert_eq(read_all(grove_buffer_view(&bytes), NULL), GROVE_OK);
    for (size_t at = 0; at < bytes.size; at++) {
        for (unsigned change = 1; change < 256; change++) {
            bytes.data[at] ^= (uint8_t)change;
            assert_refused(grove_buffer_view(&bytes));
            bytes.data[at] ^= (uint8_t)change;
        }
    }
    grove_buffer_release(&bytes);
}

Test(snapshot, every_truncation_and_extension_is_found)
{
    grove_buffer bytes = usual();
    for (size_t size = 0; size < bytes.size; size++) {
        assert_refused((grove_bytes){bytes.data, size});
    }
    grove_buffer_u8(&bytes, 0);
    assert_refused(grove_buffer_view(&bytes));
    grove_buffer_release(&bytes);
}

Test(snapshot, a_sealed_lie_is_refused_where_it_stands)
{
    /* The second head begins after the first with its replica of 5 bytes. */
    enum { SECOND = HEAD + 17 + 5 };
    static const struct {
        const char *what;
        size_t at;
        const char *bytes;
        size_t count;
        uint64_t offset;
        const char *message;
    } lies[] = {
        {"a clock over 2^48", FIELDS, "\0\1\0\0\0\0\0\1", 8, FIELDS,
         "clock is 281474976710657"},
        {"a clock of 2^64 - 1", FIELDS, "\377\377\377\377\377\377\377\377", 8, FIELDS,
         "clock is 18446744073709551615"},
        {"a base after the clock", FIELDS + 8, "\0\0\0\0\0\0\0\145", 8, FIELDS + 8,
         "base clock lies after"},
        {"heads at clock 0", FIELDS, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, FIELDS + 20,
         "clock 0 claims 2 heads"},
        {"no heads", FIELDS + 20, "\0\0\0\0", 4, FIELDS + 20, "claims 0 heads"},
        {"one head less", FIELDS + 20, "\0\0\0\1", 4, SECOND, "not its newest event"},
        {"one head more", FIELDS + 20, "\0\0\0\3", 4, FIELDS + 20, "claims 3 heads"},
        {"4 G heads", FIELDS + 20, "\377\377\377\377", 4, FIELDS + 20,
         "claims 4294967295 heads"},
        {"the same clock twice", SECOND, "\0\0\0\0\0\0\0\7", 8, SECOND, "do not ascend"},
        {"a descending clock", SECOND, "\0\0\0\0\0\0\0\6", 8, SECOND, "do not ascend"},
        {"a head at the clock", SECOND, "\0\0\0\0\0\0\0\144", 8, SECOND,
         "do not ascend below"},
        {"a last head before the newest event", SECOND, "\0\0\0\0\0\0\0\142", 8,
         SECOND + 20, "not its newest event"},
        {"a replica of no bytes", SECOND + 8, "\0", 1, SECOND + 8, "0 bytes"},
        {"a replica over the end", SECOND + 8, "\4", 1, SECOND, "end within a head"},
        {"a replica of 255 bytes", SECOND + 8, "\377", 1, SECOND, "end within a head"},
        {"a shorter replica", SECOND + 8, "\2", 1, SECOND + 11,
         "sequence is 7061644215716937728"},
        {"a sequence of 2^48", SECOND + 12, "\0\1\0\0\0\0\0\0", 8, SECOND + 12,
         "sequence is 281474976710656"},
        {"another magic", 0, "GROVE_ST", 8, 0, "GROVE_SN"},
    };
    for (size_t index = 0; index < sizeof lies / sizeof *lies; index++) {
        grove_buffer bytes = usual();
        grove_error error;
        memcpy(bytes.data + lies[index].at, lies[index].bytes, lies[index].count);
        reseal(bytes.data, bytes.size);
        cr_assert_eq(read_all(grove_buffer_view(&bytes), &error), GROVE_CORRUPT, "%s",
                     lies[index].what);
        cr_assert_eq(error.offset, lies[index].offset, "%s: offset %llu, %s",
                     lies[index].what, (unsigned long long)error.offset, error.message);
        cr_assert_not_null(strstr(error.message, lies[index].message), "%s: %s",
                           lies[index].what, error.message);
        grove_buffer_release(&bytes);
    }
}

/* Fields of any bytes in a sealed snapshot. */
static grove_status open_fields(grove_bytes fields)
{
    grove_buffer bytes;
    grove_buffer_init(&bytes, &grove__allocator_system);
    cr_assert_eq(
        grove__block_encode(GROVE__BLOCK_SNAPSHOT, 0, fields, NULL, 0, &bytes, NULL),
        GROVE_OK);
    grove_status status = read_all(grove_buffer_view(&bytes), NULL);
    grove_buffer_release(&bytes);
    return status;
}

Test(snapshot, fields_are_refused_at_every_other_length)
{
    grove_buffer bytes = usual();
    grove__block block;
    cr_assert_eq(
        grove__block_open(grove_buffer_view(&bytes), GROVE__BLOCK_SNAPSHOT, &block, NULL),
        GROVE_OK);
    cr_assert_eq(open_fields(block.fields), GROVE_OK);
    for (size_t size = 0; size < block.fields.size; size++) {
        cr_assert_eq(open_fields((grove_bytes){block.fields.data, size}), GROVE_CORRUPT);
    }
    /* In the block other bytes follow the fields. */
    for (size_t more = 1; more < 60; more++) {
        cr_assert_eq(
            open_fields((grove_bytes){block.fields.data, block.fields.size + more}),
            GROVE_CORRUPT);
    }
    grove_buffer_release(&bytes);
}

Test(snapshot, a_replica_of_65_bytes_is_refused)
{
    uint8_t fields[24 + 17 + 65] = {0};
    fields[7] = 1;
    fields[23] = 1;
    for (unsigned bytes = 1; bytes <= 65; bytes++) {
        fields[24 + 8] = (uint8_t)bytes;
        cr_assert_eq(open_fields((grove_bytes){fields, 24 + 17 + bytes}),
                     bytes <= 64 ? GROVE_OK : GROVE_CORRUPT);
    }
}

Test(snapshot, a_snapshot_without_frames_has_an_empty_state)
{
    uint8_t fields[24] = {0};
    cr_assert_eq(open_fields((grove_bytes){fields, sizeof fields}), GROVE_OK);
}

Test(snapshot, random_sealed_damage_is_refused_or_opens_within_its_rules)
{
    test_random random = test_random_of("snapshot damage");
    grove_buffer original = usual();
    for (size_t round = 0; round < 50000; round++) {
        uint8_t *bytes = malloc(original.size);
        cr_assert_not_null(bytes);
        memcpy(bytes, original.data, original.size);
        for (size_t change = 1 + test_random_below(&random, 4); change > 0; change--) {
            bytes[9 + test_random_below(&random, 140)] =
                (uint8_t)(test_random_next(&random) >> test_random_below(&random, 64));
        }
        reseal(bytes, original.size);
        grove_buffer heads;
        grove__block block;
        grove__snapshot_header header;
        grove_buffer_init(&heads, &grove__allocator_system);
        grove_bytes all = {bytes, original.size};
        if (grove__snapshot_open(all, &block, &header, &heads, NULL) == GROVE_OK) {
            const grove__head *head = (const grove__head *)(const void *)heads.data;
            cr_assert_leq(header.base_clock, header.clock);
            for (uint32_t index = 0; index < header.head_count; index++) {
                cr_assert_lt(head[index].clock, header.clock);
                cr_assert(index == 0 || head[index].clock > head[index - 1].clock);
                cr_assert_geq(head[index].id.replica.size, 1);
                cr_assert_leq(head[index].id.replica.size, GROVE_REPLICA_BYTES_MAX);
            }
        } else {
            cr_assert_eq(heads.size, 0);
        }
        grove_buffer_release(&heads);
        free(bytes);
    }
    grove_buffer_release(&original);
}

Test(snapshot, without_memory_nothing_changes)
{
    const grove__head heads[] = {head_of(7, "alice", 5), head_of(99, "bob", 61)};
    const grove__snapshot_header header = {100, 3, 1, 2};
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove_buffer bytes;
        grove_buffer heads_read;
        grove__block block = {0};
        grove__snapshot_header header_read = {4711, 0, 0, 0};
        grove_buffer_init(&bytes, &faulty.allocator);
        grove_buffer_init(&heads_read, &faulty.allocator);
        grove_status status = grove__snapshot_encode(
            &header, heads,
            &(grove__snapshot_frames){
                grove_bytes_of("structure"), long_text(), {NULL, 0}},
            ZSTD, &bytes, NULL);
        if (status == GROVE_OK) {
            status = grove__snapshot_open(grove_buffer_view(&bytes), &block, &header_read,
                                          &heads_read, NULL);
        } else {
            cr_assert_eq(bytes.size, 0);
            cr_assert_not(bytes.failed);
        }
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        if (faulty.has_failed) {
            cr_assert_eq(heads_read.size, 0);
            cr_assert_not(heads_read.failed);
            cr_assert_eq(header_read.clock, 4711);
        }
        grove_buffer_release(&bytes);
        grove_buffer_release(&heads_read);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
}

/* ---- Times of heads ---- */

static grove__head timed_head(uint64_t clock, uint64_t time)
{
    grove__head head = head_of(clock, "alice", clock);
    head.time = time;
    return head;
}

/* A snapshot at clock 100 with two heads, and these bytes as frame 4. */
static void make_timed(grove_bytes times, grove_buffer *block)
{
    grove_buffer fields;
    grove__frame frame = {GROVE__SNAPSHOT_FRAME_TIMES, times, RAW, NULL, 0};
    grove_buffer_init(&fields, &grove__allocator_system);
    grove_buffer_u64(&fields, 100);
    grove_buffer_u64(&fields, 0);
    grove_buffer_u32(&fields, 1);
    grove_buffer_u32(&fields, 2);
    for (uint64_t clock = 2; clock < 100; clock += 97) {
        grove_buffer_u64(&fields, clock);
        grove_buffer_u8(&fields, 1);
        grove_buffer_u8(&fields, 'a');
        grove_buffer_u64(&fields, clock);
    }
    cr_assert_eq(grove__block_encode(GROVE__BLOCK_SNAPSHOT, 0, grove_buffer_view(&fields),
                                     &frame, 1, block, NULL),
                 GROVE_OK);
    grove_buffer_release(&fields);
}

static grove_status read_timed(grove_bytes bytes, const grove_allocator *allocator,
                               grove__head heads[2], grove_error *error_out)
{
    grove__block block;
    grove__snapshot_header header;
    grove_buffer read;
    grove_buffer_init(&read, &grove__allocator_system);
    cr_assert_eq(grove__snapshot_open(bytes, &block, &header, &read, NULL), GROVE_OK);
    cr_assert_eq(header.head_count, 2);
    memcpy(heads, read.data, read.size);
    grove_buffer_release(&read);
    cr_assert(heads[0].time == 0 && heads[1].time == 0);
    return grove__snapshot_times(&block, allocator, heads, 2, error_out);
}

Test(snapshot, has_the_times_of_its_heads)
{
    const grove__head heads[] = {timed_head(7, 8), timed_head(99, 61)};
    const grove__snapshot_header header = {100, 3, 1, 2};
    grove__head read[2];
    bool has_failed = true;
    grove_buffer bytes;
    grove_buffer_init(&bytes, &grove__allocator_system);
    cr_assert_eq(
        grove__snapshot_encode(
            &header, heads,
            &(grove__snapshot_frames){long_text(), long_text(), grove_bytes_of("merge")},
            (grove__packing){3, 1, NULL}, &bytes, NULL),
        GROVE_OK);
    for (size_t nth = 1; has_failed; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove_status status =
            read_timed(grove_buffer_view(&bytes), &faulty.allocator, read, NULL);
        has_failed = faulty.has_failed;
        cr_assert_eq(status, has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(read[0].time, has_failed ? 0 : 8);
        cr_assert_eq(read[1].time, has_failed ? 0 : 61);
        faulty_allocator_finish(&faulty);
    }
    grove_buffer_release(&bytes);
}

Test(snapshot, has_no_more_bytes_without_times)
{
    const grove__head heads[] = {timed_head(0, 0)};
    const grove__snapshot_header header = {1, 0, 1, 1};
    const grove__snapshot_frames frames = {
        grove_bytes_of("a"), grove_bytes_of("b"), {NULL, 0}};
    grove__block block;
    grove_buffer bytes;
    grove_buffer_init(&bytes, &grove__allocator_system);
    cr_assert_eq(grove__snapshot_encode(&header, heads, &frames, RAW, &bytes, NULL),
                 GROVE_OK);
    cr_assert_eq(
        grove__block_open(grove_buffer_view(&bytes), GROVE__BLOCK_SNAPSHOT, &block, NULL),
        GROVE_OK);
    cr_assert_eq(block.frame_count, 2);
    grove_buffer_release(&bytes);
}

Test(snapshot, times_that_cannot_be_are_corrupt)
{
    static const struct {
        const char *name;
        size_t size;
        uint8_t times[12];
        uint64_t offset;
    } cases[] = {
        {"", 2, {3, 100}, 0},
        {"", 2, {1, 1}, 0},
        {"none", 0, {0}, 0},
        {"one", 1, {3}, 1},
        {"cut off", 2, {3, 0x80}, 1},
        {"not the shortest", 3, {3, 0x83, 0}, 1},
        {"three", 3, {3, 3, 3}, 2},
        {"before all others", 2, {0, 3}, 0},
        {"after more than there are", 2, {4, 3}, 0},
        {"the last after more", 2, {3, 101}, 1},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        bool is_right = cases[index].name[0] == '\0';
        grove__head heads[2];
        grove_buffer block;
        grove_error error = {GROVE_OK, 0, {0}};
        grove_buffer_init(&block, &grove__allocator_system);
        make_timed((grove_bytes){cases[index].times, cases[index].size}, &block);
        cr_assert_eq(read_timed(grove_buffer_view(&block), &grove__allocator_system,
                                heads, &error),
                     is_right ? GROVE_OK : GROVE_CORRUPT, "%s", cases[index].name);
        cr_assert_eq(heads[1].time, is_right ? cases[index].times[1] : 0);
        cr_assert(is_right || error.offset == cases[index].offset, "%s",
                  cases[index].name);
        grove_buffer_release(&block);
    }
}
