#include "words.h"

/* By how common they are, roughly. */
static const char *const COMMON[] = {
    "the",     "of",      "and",    "a",       "to",       "in",       "is",
    "that",    "it",      "we",     "for",     "as",       "with",     "be",
    "this",    "are",     "on",     "by",      "an",       "not",      "which",
    "can",     "or",      "from",   "when",    "one",      "each",     "has",
    "have",    "if",      "at",     "two",     "their",    "all",      "more",
    "but",     "then",    "what",   "so",      "there",    "other",    "no",
    "only",    "text",    "after",  "before",  "event",    "document", "same",
    "some",    "order",   "where",  "every",   "new",      "between",  "because",
    "state",   "time",    "may",    "must",    "would",    "version",  "first",
    "last",    "how",     "since",  "change",  "replica",  "edit",     "both",
    "does",    "into",    "over",   "than",    "these",    "point",    "such",
    "also",    "given",   "merge",  "store",   "history",  "position", "page",
    "without", "through", "while",  "branch",  "write",    "read",     "call",
    "long",    "small",   "large",  "number",  "until",    "however",  "example",
    "insert",  "delete",  "result", "paper",   "section",  "user",     "system",
    "network", "server",  "local",  "remote",  "together", "possible", "algorithm",
    "several", "another", "common", "general", "follow",   "present",  "consider",
    "simple",  "return",  "value",  "table",   "figure",   "replay",   "snapshot"};

static const char *const SYLLABLES[] = {"ba",  "cor", "de",  "fen", "gra", "hi",  "jo",
                                        "kel", "lu",  "mor", "nu",  "or",  "pe",  "qui",
                                        "ra",  "sto", "ti",  "ul",  "ver", "wex", "za"};

/* Outside ASCII: of two, three and four bytes in UTF-8. */
static const uint32_t FOREIGN[][7] = {{'c', 'a', 'f', 0xE9, 0},
                                      {'n', 'a', 0xEF, 'v', 'e', 0},
                                      {0xDC, 'b', 'u', 'n', 'g', 0},
                                      {'Z', 0xFC, 'r', 'i', 'c', 'h', 0},
                                      {0x2014, 0},
                                      {0x65E5, 0x672C, 0},
                                      {0x1F333, 0},
                                      {0x2264, 0}};

enum {
    COMMON_COUNT = sizeof COMMON / sizeof *COMMON,
    SYLLABLE_COUNT = sizeof SYLLABLES / sizeof *SYLLABLES,
    FOREIGN_COUNT = sizeof FOREIGN / sizeof *FOREIGN,
    /* How many words a writer coins. */
    COINED_COUNT = 4000
};

uint64_t cli_random_next(cli_random *random)
{
    random->state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t mixed = random->state;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ (mixed >> 31);
}

uint64_t cli_random_below(cli_random *random, uint64_t bound)
{
    return cli_random_next(random) % bound;
}

/* A number below `bound` that is more often small: the cube of an even one. */
static uint64_t mostly_small(cli_random *random, uint64_t bound)
{
    uint64_t even = cli_random_below(random, 1000);
    return even * even * even * bound / 1000000000;
}

static size_t put_ascii(const char *word, uint32_t *points_out)
{
    size_t count = 0;
    for (; word[count] != '\0'; count++) {
        points_out[count] = (uint32_t)(unsigned char)word[count];
    }
    return count;
}

static size_t put_coined(uint64_t which, uint32_t *points_out)
{
    cli_random spelling = {which};
    size_t syllables = 2 + (size_t)cli_random_below(&spelling, 3);
    size_t count = 0;
    for (size_t index = 0; index < syllables; index++) {
        const char *syllable = SYLLABLES[cli_random_below(&spelling, SYLLABLE_COUNT)];
        count += put_ascii(syllable, points_out + count);
    }
    return count;
}

size_t cli_word(cli_random *random, uint32_t points_out[CLI_WORD_POINTS_MAX])
{
    uint64_t kind = cli_random_below(random, 1000);
    if (kind < 5) {
        const uint32_t *word = FOREIGN[cli_random_below(random, FOREIGN_COUNT)];
        size_t count = 0;
        for (; word[count] != 0; count++) {
            points_out[count] = word[count];
        }
        return count;
    }
    if (kind < 180) {
        return put_coined(mostly_small(random, COINED_COUNT), points_out);
    }
    return put_ascii(COMMON[mostly_small(random, COMMON_COUNT)], points_out);
}
