#include <criterion/criterion.h>

#include "base/hash.h"

/* Stored bytes depend on these values: they never change. */
Test(hash, values_are_those_of_xxh3)
{
    static const struct {
        const char *text;
        uint64_t seed;
        uint64_t hash;
    } KNOWN[] = {
        {"", 0, UINT64_C(0x2d06800538d394c2)},
        {"a", 0, UINT64_C(0xe6c632b61e964e1f)},
        {"a", 1, UINT64_C(0xd2f6d0996f37a720)},
        {"grove", 0, UINT64_C(0xbcff750874511022)},
    };
    for (size_t index = 0; index < sizeof KNOWN / sizeof *KNOWN; index++) {
        cr_assert_eq(grove__hash(grove_bytes_of(KNOWN[index].text), KNOWN[index].seed),
                     KNOWN[index].hash, "%zu: %#llx", index,
                     (unsigned long long)grove__hash(grove_bytes_of(KNOWN[index].text),
                                                     KNOWN[index].seed));
    }
}

Test(hash, every_flipped_bit_shows)
{
    uint8_t bytes[300];
    for (size_t index = 0; index < sizeof bytes; index++) {
        bytes[index] = (uint8_t)(index * 7);
    }
    grove_bytes whole = {bytes, sizeof bytes};
    uint64_t hash = grove__hash(whole, 3);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_neq(grove__hash(whole, 3), hash, "%zu", bit);
        cr_assert_neq(grove__hash_u32(whole, 3), (uint32_t)hash, "%zu", bit);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_assert_eq(grove__hash_u32(whole, 3), (uint32_t)hash);
}

Test(hash, no_bytes_may_be_null)
{
    grove_bytes none = {NULL, 0};
    cr_assert_eq(grove__hash(none, 0), grove__hash(grove_bytes_of(""), 0));
}
