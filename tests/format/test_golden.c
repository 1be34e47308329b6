/*
 * Files written once and kept: what was readable stays readable, and what was
 * refused stays refused for the same reason. tests/format/golden/ holds them.
 */
#include <stdio.h>

#include "format/blocks.h"
#include "format/snapshot.h"

enum { GOLDEN_BYTES_MAX = 4096, TEXT_BYTES = 1500 };

static grove_buffer golden(const char *name)
{
    char path[512];
    grove_buffer bytes;
    int length =
        snprintf(path, sizeof path, "%s/tests/format/golden/%s", GROVE_SOURCE_DIR, name);
    cr_assert(length > 0 && length < (int)sizeof path);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    grove_buffer_init(&bytes, &grove__allocator_system);
    uint8_t *room = grove_buffer_reserve(&bytes, GOLDEN_BYTES_MAX);
    cr_assert_not_null(room);
    size_t size = fread(room, 1, GOLDEN_BYTES_MAX, file);
    cr_assert(size > 0 && size < GOLDEN_BYTES_MAX);
    grove_buffer_grow(&bytes, size);
    (void)fclose(file);
    return bytes;
}

/* What the large frames hold: numbered lines, cut off. */
static grove_bytes numbered_lines(char *room, size_t room_bytes)
{
    size_t size = 0;
    for (int line = 0; size < TEXT_BYTES; line++) {
        size += (size_t)snprintf(room + size, room_bytes - size,
                                 "line %d of a text that says little more\n", line);
    }
    return (grove_bytes){(const uint8_t *)room, TEXT_BYTES};
}

Test(golden, a_block_with_every_kind_of_frame_is_read)
{
    char room[TEXT_BYTES + 100];
    grove_bytes lines = numbered_lines(room, sizeof room);
    grove_buffer bytes = golden("good-events.block");
    grove__block block;
    cr_assert_eq(
        grove__block_open(grove_buffer_view(&bytes), GROVE__BLOCK_EVENTS, &block, NULL),
        GROVE_OK);
    cr_assert_eq(block.event_count, 7);
    cr_assert_eq(block.frame_count, 5);
    cr_assert(grove__bytes_equal(block.fields, grove_bytes_of("fields")));
    cr_assert_eq(block.frames[0].codec, GROVE__CODEC_RAW);
    assert_frame_is(&block, 1, grove_bytes_of("raw bytes"));
    for (uint8_t id = 2; id <= 4; id++) {
        cr_assert_eq(block.frames[id - 1].codec, GROVE__CODEC_ZSTD);
        assert_frame_is(&block, id, lines);
    }
    assert_frame_is(&block, 200, (grove_bytes){NULL, 0});
    grove_buffer_release(&bytes);
}

Test(golden, a_snapshot_with_two_heads_is_read)
{
    char room[TEXT_BYTES + 100];
    grove_bytes lines = numbered_lines(room, sizeof room);
    grove_buffer bytes = golden("good-two-heads.snapshot");
    grove_buffer heads;
    grove__block block;
    grove__snapshot_header header;
    grove_buffer_init(&heads, &grove__allocator_system);
    cr_assert_eq(
        grove__snapshot_open(grove_buffer_view(&bytes), &block, &header, &heads, NULL),
        GROVE_OK);
    cr_assert_eq(header.clock, 100);
    cr_assert_eq(header.base_clock, 3);
    cr_assert_eq(header.type_format, 1);
    cr_assert_eq(header.head_count, 2);
    const grove__head *head = (const grove__head *)(const void *)heads.data;
    cr_assert_eq(head[0].clock, 7);
    cr_assert_eq(head[0].id.sequence, 5);
    cr_assert(grove__bytes_equal(grove__replica_bytes(&head[0].id.replica),
                                 grove_bytes_of("alice")));
    cr_assert_eq(head[1].clock, 99);
    cr_assert_eq(head[1].id.sequence, 61);
    cr_assert(grove__bytes_equal(grove__replica_bytes(&head[1].id.replica),
                                 grove_bytes_of("bob")));
    assert_frame_is(&block, 1, grove_bytes_of("structure"));
    assert_frame_is(&block, 2, lines);
    grove_buffer_release(&heads);
    grove_buffer_release(&bytes);
}

Test(golden, damaged_blocks_are_refused_for_their_damage)
{
    static const struct {
        const char *name;
        grove_status status;
        const char *message;
    } cases[] = {
        {"bad-truncated.block", GROVE_CORRUPT, "reaches beyond its block"},
        {"bad-frame-order.block", GROVE_CORRUPT, "frame 1 follows frame 1"},
        {"bad-codec.block", GROVE_CORRUPT, "unknown codec 2"},
        {"bad-version.block", GROVE_FORMAT_NEWER, "version 2"},
        {"bad-header-checksum.block", GROVE_CORRUPT, "checksum of a block's header"},
        {"bad-frame-checksum.block", GROVE_CORRUPT, "checksum of frame 4"},
        {"bad-zstd-content-size.block", GROVE_CORRUPT, "frame 2 is no zstd frame"},
        {"bad-zstd-content.block", GROVE_CORRUPT, "frame 2 does not decompress"},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove_error error;
        grove_buffer bytes = golden(cases[index].name);
        cr_assert_eq(read_all(grove_buffer_view(&bytes), GROVE__BLOCK_EVENTS, &error),
                     cases[index].status, "%s", cases[index].name);
        cr_assert_not_null(strstr(error.message, cases[index].message), "%s: %s",
                           cases[index].name, error.message);
        grove_buffer_release(&bytes);
    }
}

Test(golden, damaged_snapshots_are_refused_for_their_damage)
{
    static const struct {
        const char *name;
        const char *message;
    } cases[] = {
        {"bad-base-clock.snapshot", "base clock lies after"},
        {"bad-head-count.snapshot", "claims 3 heads"},
        {"bad-head-order.snapshot", "do not ascend"},
        {"bad-head-replica.snapshot", "replica has 0 bytes"},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        grove_error error;
        grove__block block;
        grove__snapshot_header header;
        grove_buffer bytes = golden(cases[index].name);
        cr_assert_eq(grove__snapshot_open(grove_buffer_view(&bytes), &block, &header,
                                          NULL, &error),
                     GROVE_CORRUPT);
        cr_assert_not_null(strstr(error.message, cases[index].message), "%s: %s",
                           cases[index].name, error.message);
        grove_buffer_release(&bytes);
    }
}
