/* What a made-up writer writes: words, some of them common, some coined. */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* A source of numbers that a seed decides; SplitMix64. */
typedef struct cli_random {
    uint64_t state;
} cli_random;

uint64_t cli_random_next(cli_random *random);

/* A number below `bound`, which is at least 1. */
uint64_t cli_random_below(cli_random *random, uint64_t bound);

enum { CLI_WORD_POINTS_MAX = 24 };

/*
 * Writes the next word, of 1 to CLI_WORD_POINTS_MAX code points, and returns
 * their number. Few words make up most of the text, as they do in any
 * language; a writer's coinages come again.
 */
size_t cli_word(cli_random *random, uint32_t points_out[CLI_WORD_POINTS_MAX]);

#endif
