#include "format/blocks.h"

/* A failure with everything that belongs to it. */
static void assert_refused(grove_bytes bytes, grove__block_kind kind)
{
    /* Exactly as large as it claims, so that a sanitizer sees a read beyond. */
    uint8_t *copy = malloc(bytes.size > 0 ? bytes.size : 1);
    cr_assert_not_null(copy);
    memcpy(copy, bytes.data, bytes.size);
    grove_error error = {GROVE_OK, UINT64_MAX, ""};
    grove_status status = read_all((grove_bytes){copy, bytes.size}, kind, &error);
    cr_assert(status == GROVE_CORRUPT || status == GROVE_FORMAT_NEWER, "%s",
              grove_status_name(status));
    cr_assert_eq(error.status, status);
    cr_assert_leq(error.offset, bytes.size);
    cr_assert_neq(error.message[0], '\0');
    free(copy);
}

Test(block_damage, every_flipped_bit_is_found)
{
    grove_buffer bytes = mixed_block();
    cr_assert_eq(read_all(grove_buffer_view(&bytes), GROVE__BLOCK_EVENTS, NULL),
                 GROVE_OK);
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_refused(grove_buffer_view(&bytes), GROVE__BLOCK_EVENTS);
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    grove_buffer_release(&bytes);
}

Test(block_damage, every_truncation_and_extension_is_found)
{
    grove_buffer bytes = mixed_block();
    for (size_t size = 0; size < bytes.size; size++) {
        assert_refused((grove_bytes){bytes.data, size}, GROVE__BLOCK_EVENTS);
    }
    grove_buffer_u8(&bytes, 0);
    assert_refused(grove_buffer_view(&bytes), GROVE__BLOCK_EVENTS);
    grove_buffer_release(&bytes);
}

Test(block_damage, another_kind_is_refused)
{
    static const grove__block_kind kinds[] = {GROVE__BLOCK_EVENTS, GROVE__BLOCK_SNAPSHOT,
                                              GROVE__BLOCK_STATE};
    grove_buffer bytes;
    grove_buffer_init(&bytes, &grove__allocator_system);
    for (size_t is = 0; is < 3; is++) {
        grove_buffer_reset(&bytes);
        encode(kinds[is], 0, NULL, 0, &bytes);
        for (size_t asked = 0; asked < 3; asked++) {
            cr_assert_eq(read_all(grove_buffer_view(&bytes), kinds[asked], NULL),
                         is == asked ? GROVE_OK : GROVE_CORRUPT);
        }
    }
    grove_buffer_release(&bytes);
}

/* One lie: other bytes at an offset, then true checksums. */
typedef struct lie {
    const char *what;
    size_t at;
    const char *bytes;
    size_t count;
    grove_status status;
    const char *message;
} lie;

Test(block_damage, a_sealed_lie_is_refused_for_what_it_is)
{
    enum { FIRST = DIRECTORY(6), SECOND = FIRST + ENTRY };
    static const lie lies[] = {
        {"version 0", 8, "\0", 1, GROVE_CORRUPT, "version 0"},
        {"version 2", 8, "\2", 1, GROVE_FORMAT_NEWER, "version 2"},
        {"2^28 + 1 events", 9, "\20\0\0\1", 4, GROVE_CORRUPT, "claims 268435457 events"},
        {"9 frames", 21, "\11", 1, GROVE_CORRUPT, "claims 9 frames"},
        {"255 frames", 21, "\377", 1, GROVE_CORRUPT, "claims 255 frames"},
        {"fields to the end", 13, "\377\377", 2, GROVE_CORRUPT, "fields reach beyond"},
        {"id twice", SECOND, "\1", 1, GROVE_CORRUPT, "frame 1 follows frame 1"},
        {"id descends", SECOND, "\0", 1, GROVE_CORRUPT, "frame 0 follows frame 1"},
        {"codec 2", FIRST + ENTRY_CODEC, "\2", 1, GROVE_CORRUPT, "unknown codec 2"},
        {"codec 255", FIRST + ENTRY_CODEC, "\377", 1, GROVE_CORRUPT, "unknown codec"},
        {"raw larger", FIRST + ENTRY_DECODED, "\0\0\0\6", 4, GROVE_CORRUPT,
         "raw frame 1 claims 6 bytes in 5"},
        {"raw smaller", FIRST + ENTRY_DECODED, "\0\0\0\4", 4, GROVE_CORRUPT,
         "raw frame 1 claims 4 bytes in 5"},
        {"zstd of nothing", SECOND + ENTRY_DECODED, "\0\0\0\0", 4, GROVE_CORRUPT,
         "zstd frame 2 claims 0 bytes"},
        {"zstd of 4 GB", SECOND + ENTRY_DECODED, "\377\377\377\377", 4, GROVE_CORRUPT,
         "zstd frame 2 claims 4294967295 bytes"},
        {"zstd content one more", SECOND + ENTRY_DECODED, "\0\0\2\275", 4, GROVE_CORRUPT,
         "frame 2 is no zstd frame of 701 bytes"},
        {"zstd content one less", SECOND + ENTRY_DECODED, "\0\0\2\273", 4, GROVE_CORRUPT,
         "frame 2 is no zstd frame of 699 bytes"},
        {"raw as zstd", FIRST, "\1\1\0\0\0\5\0\0\0\6", 10, GROVE_CORRUPT,
         "frame 1 is no zstd frame of 6 bytes"},
        {"stored beyond the block", SECOND, "\2\0\0\0\377\377\0\0\377\377", 10,
         GROVE_CORRUPT, "frame 2 reaches beyond"},
        {"stored 4 GB", SECOND, "\2\0\377\377\377\377\377\377\377\377", 10, GROVE_CORRUPT,
         "frame 2 reaches beyond"},
        {"first frame ends early", FIRST, "\1\0\0\0\0\4\0\0\0\4", 10, GROVE_CORRUPT,
         "1 bytes after its last frame"},
    };
    for (size_t index = 0; index < sizeof lies / sizeof *lies; index++) {
        grove_buffer bytes = mixed_block();
        grove_error error;
        memcpy(bytes.data + lies[index].at, lies[index].bytes, lies[index].count);
        reseal(bytes.data, bytes.size);
        cr_assert_eq(read_all(grove_buffer_view(&bytes), GROVE__BLOCK_EVENTS, &error),
                     lies[index].status, "%s", lies[index].what);
        cr_assert_not_null(strstr(error.message, lies[index].message), "%s: %s",
                           lies[index].what, error.message);
        grove_buffer_release(&bytes);
    }
}

Test(block_damage, a_snapshot_or_state_claims_no_events)
{
    grove_buffer bytes = state_of(grove_bytes_of("x"), RAW);
    grove_error error;
    bytes.data[12] = 1;
    reseal(bytes.data, bytes.size);
    cr_assert_eq(read_all(grove_buffer_view(&bytes), GROVE__BLOCK_STATE, &error),
                 GROVE_CORRUPT);
    cr_assert_eq(error.offset, 9);
    grove_buffer_release(&bytes);
}

Test(block_damage, random_sealed_damage_is_refused_or_decodes_to_its_claim)
{
    test_random random = test_random_of("block damage");
    grove_buffer original = mixed_block();
    for (size_t round = 0; round < 20000; round++) {
        size_t size = original.size;
        uint8_t *bytes = malloc(size);
        cr_assert_not_null(bytes);
        memcpy(bytes, original.data, size);
        for (size_t change = 1 + test_random_below(&random, 3); change > 0; change--) {
            bytes[8 + test_random_below(&random, size - 8)] =
                (uint8_t)test_random_next(&random);
        }
        reseal(bytes, size);
        /* read_all compares what comes out with what the directory claims. */
        grove_status status =
            read_all((grove_bytes){bytes, size}, GROVE__BLOCK_EVENTS, NULL);
        cr_assert(status == GROVE_OK || status == GROVE_CORRUPT ||
                  status == GROVE_FORMAT_NEWER);
        free(bytes);
    }
    grove_buffer_release(&original);
}
