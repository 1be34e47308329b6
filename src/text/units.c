#include "text/units.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/utf8.h"

enum { UNITS = GROVE_TEXT_UTF16 + 1 };

static const char *const NAMES[UNITS] = {"code points", "bytes", "units of UTF-16"};

/* A part of the text: a node with all below it, a leaf, or a leaf's start. */
struct part {
    uint64_t points;
    uint64_t bytes;
    grove__rope_child child;
    bool is_leaf;
};

/* A way through the tree to a position, past as large parts as can be. */
struct search {
    const grove__rope *rope;
    grove_text_unit unit;
    bool counts_utf16;
    uint64_t left;          /* from here to the position */
    uint64_t before[UNITS]; /* what was passed, in each unit */
    size_t depth;
    grove__rope_step steps[GROVE__ROPE_HEIGHT_MAX];
};

/* The part at the end of the way. */
static struct part part_at(const struct search *search)
{
    const grove__rope *rope = search->rope;
    bool is_leaf = search->depth == rope->height;
    if (search->depth == 0) {
        return (struct part){rope->points, rope->bytes, rope->root, is_leaf};
    }
    const grove__rope_step *step = &search->steps[search->depth - 1];
    const grove__rope_node *node = step->node;
    return (struct part){node->points[step->index], node->bytes[step->index],
                         node->children[step->index], is_leaf};
}

/* A part in each unit; false if one has to look further down for that. Without
 * a need for it, UTF-16 is not right. */
static bool measure(const struct part *part, bool counts_utf16, uint64_t amounts[UNITS])
{
    amounts[GROVE_TEXT_POINTS] = part->points;
    amounts[GROVE_TEXT_BYTES] = part->bytes;
    amounts[GROVE_TEXT_UTF16] = part->points;
    if (!counts_utf16 || part->points == part->bytes) {
        return true;
    }
    if (!part->is_leaf) {
        return false;
    }
    for (size_t index = 0; index < part->bytes; index++) {
        amounts[GROVE_TEXT_UTF16] += part->child.leaf[index] >= GROVE__UTF8_LEAD_OF_4;
    }
    return true;
}

/* Goes to the part that follows; false at the end of the text. */
static bool go_on(struct search *search)
{
    while (search->depth > 0) {
        grove__rope_step *step = &search->steps[search->depth - 1];
        if (++step->index < step->node->count) {
            return true;
        }
        search->depth--;
    }
    return false;
}

static void pass(struct search *search, const uint64_t amounts[UNITS])
{
    search->left -= amounts[search->unit];
    for (size_t unit = 0; unit < UNITS; unit++) {
        search->before[unit] += amounts[unit];
    }
}

/* Goes to the leaf that the position is inside of; false if it is inside of
 * none: between two, and nothing is left, or beyond the end. */
static bool find_leaf(struct search *search, struct part *leaf_out)
{
    while (search->left > 0) {
        struct part part = part_at(search);
        uint64_t amounts[UNITS];
        bool is_measured = measure(&part, search->counts_utf16, amounts);
        if (is_measured && search->left >= amounts[search->unit]) {
            pass(search, amounts);
            if (!go_on(search)) {
                return false;
            }
        } else if (part.is_leaf) {
            *leaf_out = part;
            return true;
        } else {
            search->steps[search->depth++] = (grove__rope_step){part.child.node, 0};
        }
    }
    return false;
}

/* How many bytes of a leaf make so many units of UTF-16, or one more, where
 * the last is a half of a pair. The leaf has more than these. */
static size_t skip_utf16(grove_bytes leaf, uint64_t units)
{
    size_t byte = 0;
    for (uint64_t skipped = 0; skipped < units;) {
        skipped += leaf.data[byte] >= GROVE__UTF8_LEAD_OF_4 ? 2 : 1;
        do {
            byte++;
        } while (byte < leaf.size && grove__utf8_continues(leaf.data[byte]));
    }
    return byte;
}

/* Passes what of a leaf lies before the position; false if that is inside a
 * code point. */
static bool enter_leaf(struct search *search, const struct part *leaf)
{
    grove_bytes utf8 = {leaf->child.leaf, (size_t)leaf->bytes};
    if (search->unit == GROVE_TEXT_POINTS) {
        utf8.size = grove__utf8_offset(utf8, (size_t)search->left);
    } else if (search->unit == GROVE_TEXT_BYTES) {
        utf8.size = grove__utf8_border(utf8, (size_t)search->left);
    } else {
        utf8.size = skip_utf16(utf8, search->left);
    }
    struct part start = {grove__utf8_count(utf8), utf8.size, leaf->child, true};
    uint64_t amounts[UNITS];
    (void)measure(&start, search->counts_utf16, amounts);
    if (amounts[search->unit] != search->left) {
        return false;
    }
    pass(search, amounts);
    return true;
}

grove_status grove__units_convert(const grove__rope *rope, uint64_t position,
                                  grove_text_unit unit, grove_text_unit wanted,
                                  uint64_t *position_out, grove_error *error_out)
{
    if ((unsigned)unit >= UNITS || (unsigned)wanted >= UNITS) {
        return grove__fail(error_out, GROVE_INVALID, "a unit is none of grove_text_unit");
    }
    struct search search = {
        .rope = rope,
        .unit = unit,
        .counts_utf16 = unit == GROVE_TEXT_UTF16 || wanted == GROVE_TEXT_UTF16,
        .left = position,
    };
    struct part leaf;
    if (find_leaf(&search, &leaf)) {
        if (!enter_leaf(&search, &leaf)) {
            return grove__fail(error_out, GROVE_INVALID,
                               "position %" PRIu64 " in %s is inside a code point",
                               position, NAMES[unit]);
        }
    } else if (search.left > 0) {
        return grove__fail(error_out, GROVE_INVALID,
                           "position %" PRIu64 " is beyond the end; the text has %" PRIu64
                           " %s",
                           position, search.before[unit], NAMES[unit]);
    }
    *position_out = search.before[wanted];
    return GROVE_OK;
}
