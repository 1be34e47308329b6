/*
 * The obvious oracle of merged texts: events of one character each go in,
 * and out comes the text of any version. Written from the definition, with
 * nothing but lists.
 *
 * The text at a version are the characters that an event of its history
 * inserted and none deleted; an event's index counts those of the text at its
 * parents. They stand in one order, which depends on the events alone. A
 * character is inserted between two neighbours: on its left the character at
 * index - 1 of the text at its parents, on its right the one that follows
 * that left neighbour among all characters inserted in the history, deleted
 * or not. The characters are the nodes of a tree, whose root is the beginning
 * of the text, and stand in the order in which one reads it: what hangs left
 * of a node, the node, what hangs right of it.
 *
 *   - A character hangs right of its left neighbour if nothing in its history
 *     does; else it hangs left of its right neighbour.
 *   - Of several that hang left of one node, the smallest id comes first.
 *   - Of several that hang right of one node, the one whose right neighbour
 *     stands last comes first; if they have the same one, the smallest id.
 *   - Ids compare by the bytes of the replica, then by the sequence.
 *
 * That is the FugueMax of Weidner and Kleppmann's "The Art of the Fugue".
 */
#ifndef GROVE_TESTS_TEXT_ORACLE_H
#define GROVE_TESTS_TEXT_ORACLE_H

#include <criterion/criterion.h>

#include <grove/types.h>

enum {
    TEXT_EVENTS_MAX = 512,
    TEXT_PARENTS_MAX = 16,
    /* Neighbours that are no characters. */
    TEXT_BEGIN = TEXT_EVENTS_MAX,
    TEXT_END
};

/* Events are named by their numbers, the order in which the oracle got them. */
typedef struct text_event {
    grove_event_id id;
    uint32_t parents[TEXT_PARENTS_MAX];
    uint32_t parent_count;
    bool deletes;
    uint32_t index;
    char utf8[5]; /* the character that it inserts */
} text_event;

/* A character, by the number of the event that inserted it. */
typedef struct text_node {
    uint32_t parent;
    bool hangs_left;
    uint32_t right; /* neighbour */
} text_node;

typedef struct text_oracle {
    uint32_t count;
    text_event events[TEXT_EVENTS_MAX];
    /* history[a][b]: b is in the history of a, as is a itself. */
    bool history[TEXT_EVENTS_MAX][TEXT_EVENTS_MAX];
    text_node nodes[TEXT_EVENTS_MAX];
    uint32_t targets[TEXT_EVENTS_MAX]; /* the character that it deletes */
    uint32_t order[TEXT_EVENTS_MAX];   /* all characters, from left to right */
    uint32_t order_count;
} text_oracle;

/* Without events. What is left of others is never looked at. */
static inline void text_oracle_clear(text_oracle *oracle)
{
    oracle->count = 0;
    oracle->order_count = 0;
}

static inline int text_id_compare(const grove_event_id *a, const grove_event_id *b)
{
    size_t common = a->replica.size < b->replica.size ? a->replica.size : b->replica.size;
    int compared = memcmp(a->replica.bytes, b->replica.bytes, common);
    if (compared == 0) {
        compared =
            (a->replica.size > b->replica.size) - (a->replica.size < b->replica.size);
    }
    return compared != 0 ? compared
                         : (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

/* Where a neighbour stands in the order; the end stands behind all. */
static inline uint32_t text_place_of(const text_oracle *oracle, uint32_t character)
{
    uint32_t place = 0;
    while (place < oracle->order_count && oracle->order[place] != character) {
        place++;
    }
    cr_assert(place < oracle->order_count || character == TEXT_END);
    return place;
}

/* The characters of the text at a version, from left to right. `history` says
 * of each event whether it is in the version's history. */
static inline uint32_t text_oracle_visible(const text_oracle *oracle, const bool *history,
                                           uint32_t *characters_out)
{
    bool is_deleted[TEXT_EVENTS_MAX] = {false};
    uint32_t count = 0;
    for (uint32_t event = 0; event < oracle->count; event++) {
        if (history[event] && oracle->events[event].deletes) {
            is_deleted[oracle->targets[event]] = true;
        }
    }
    for (uint32_t place = 0; place < oracle->order_count; place++) {
        uint32_t character = oracle->order[place];
        if (history[character] && !is_deleted[character]) {
            characters_out[count++] = character;
        }
    }
    return count;
}

/* Whether `node` is `above`, or hangs somewhere below it. */
static inline bool text_descends(const text_oracle *oracle, uint32_t node, uint32_t above)
{
    while (node != above && node != TEXT_BEGIN) {
        node = oracle->nodes[node].parent;
    }
    return node == above;
}

/* Whether a new character goes before another that hangs at the same place. */
static inline bool text_goes_before(const text_oracle *oracle, uint32_t fresh,
                                    uint32_t other)
{
    const text_node *a = &oracle->nodes[fresh];
    const text_node *b = &oracle->nodes[other];
    if (!a->hangs_left && a->right != b->right) {
        return text_place_of(oracle, a->right) > text_place_of(oracle, b->right);
    }
    return text_id_compare(&oracle->events[fresh].id, &oracle->events[other].id) < 0;
}

/* Where a node and all that hangs below it begin and end in the order. */
static inline void text_find_subtree(const text_oracle *oracle, uint32_t node,
                                     uint32_t *from_out, uint32_t *end_out)
{
    *from_out = *end_out = text_place_of(oracle, node);
    for (uint32_t place = 0; place < oracle->order_count; place++) {
        if (text_descends(oracle, oracle->order[place], node)) {
            *from_out = place < *from_out ? place : *from_out;
            *end_out = place >= *end_out ? place + 1 : *end_out;
        }
    }
}

/*
 * Where a new character, whose node is known, comes to stand: beside its
 * parent, and what hangs at the same place goes, with all below it, before
 * the new one or behind it.
 */
static inline uint32_t text_find_place(const text_oracle *oracle, uint32_t fresh)
{
    const text_node *node = &oracle->nodes[fresh];
    uint32_t found = 0;
    if (node->parent != TEXT_BEGIN) {
        found = text_place_of(oracle, node->parent) + (node->hangs_left ? 0 : 1);
    }
    for (uint32_t place = 0; place < oracle->order_count; place++) {
        uint32_t other = oracle->order[place];
        uint32_t from;
        uint32_t end;
        if (oracle->nodes[other].parent != node->parent ||
            oracle->nodes[other].hangs_left != node->hangs_left) {
            continue;
        }
        text_find_subtree(oracle, other, &from, &end);
        bool goes_before = text_goes_before(oracle, fresh, other);
        if (node->hangs_left && goes_before && from < found) {
            found = from;
        } else if (!node->hangs_left && !goes_before && end > found) {
            found = end;
        }
    }
    return found;
}

/* Hangs a new character into the tree, as its author's version tells. */
static inline void text_hang(text_oracle *oracle, uint32_t fresh, uint32_t left)
{
    const bool *history = oracle->history[fresh];
    text_node *node = &oracle->nodes[fresh];
    *node = (text_node){left, false, TEXT_END};
    uint32_t place = left == TEXT_BEGIN ? 0 : text_place_of(oracle, left) + 1;
    while (place < oracle->order_count && !history[oracle->order[place]]) {
        place++;
    }
    if (place < oracle->order_count) {
        node->right = oracle->order[place];
    }
    for (place = 0; place < oracle->order_count; place++) {
        uint32_t other = oracle->order[place];
        if (history[other] && oracle->nodes[other].parent == left &&
            !oracle->nodes[other].hangs_left) {
            cr_assert_neq(node->right, TEXT_END);
            node->parent = node->right;
            node->hangs_left = true;
        }
    }
}

static inline void text_insert_character(text_oracle *oracle, uint32_t fresh,
                                         const uint32_t *visible, uint32_t length)
{
    uint32_t index = oracle->events[fresh].index;
    cr_assert_leq(index, length);
    text_hang(oracle, fresh, index == 0 ? TEXT_BEGIN : visible[index - 1]);
    uint32_t place = text_find_place(oracle, fresh);
    memmove(&oracle->order[place + 1], &oracle->order[place],
            (oracle->order_count - place) * sizeof *oracle->order);
    oracle->order[place] = fresh;
    oracle->order_count++;
}

/* Adds the parents' histories to that of which `history` says yes or no. */
static inline void text_oracle_unite(const text_oracle *oracle, const uint32_t *parents,
                                     uint32_t parent_count, bool *history)
{
    for (uint32_t index = 0; index < parent_count; index++) {
        const bool *known = oracle->history[parents[index]];
        for (uint32_t event = 0; event <= parents[index]; event++) {
            history[event] = history[event] || known[event];
        }
    }
}

/* Length of the text at a version, given by events whose histories make it. */
static inline uint32_t text_oracle_length(const text_oracle *oracle,
                                          const uint32_t *heads, uint32_t head_count)
{
    bool history[TEXT_EVENTS_MAX] = {false};
    uint32_t visible[TEXT_EVENTS_MAX];
    text_oracle_unite(oracle, heads, head_count, history);
    return text_oracle_visible(oracle, history, visible);
}

/* Adds an event that lies within the text at its parents. */
static inline void text_oracle_add(text_oracle *oracle, const text_event *event)
{
    uint32_t visible[TEXT_EVENTS_MAX];
    uint32_t fresh = oracle->count;
    cr_assert_lt(fresh, TEXT_EVENTS_MAX);
    oracle->events[fresh] = *event;
    memset(oracle->history[fresh], 0, sizeof oracle->history[fresh]);
    text_oracle_unite(oracle, event->parents, event->parent_count,
                      oracle->history[fresh]);
    uint32_t length = text_oracle_visible(oracle, oracle->history[fresh], visible);
    oracle->count++;
    oracle->history[fresh][fresh] = true;
    if (event->deletes) {
        cr_assert_lt(event->index, length);
        oracle->targets[fresh] = visible[event->index];
    } else {
        text_insert_character(oracle, fresh, visible, length);
    }
}

enum { TEXT_BYTES_MAX = 4 * TEXT_EVENTS_MAX + 1 };

/* The text at a version as UTF-8 with a NUL behind it. */
static inline void text_oracle_text(const text_oracle *oracle, const bool *history,
                                    char text_out[TEXT_BYTES_MAX])
{
    uint32_t visible[TEXT_EVENTS_MAX];
    uint32_t length = text_oracle_visible(oracle, history, visible);
    size_t bytes = 0;
    for (uint32_t index = 0; index < length; index++) {
        const char *utf8 = oracle->events[visible[index]].utf8;
        memcpy(text_out + bytes, utf8, strlen(utf8));
        bytes += strlen(utf8);
    }
    text_out[bytes] = '\0';
}

#endif
