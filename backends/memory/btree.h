/*
 * A copy-on-write B-tree: an ordered map from byte strings to byte strings
 * whose old states stay whole for as long as somebody holds their root.
 *
 * Nodes and blobs are counted. A root is shared by counting it once more;
 * whoever changes a tree first replaces each shared node on the way down by a
 * copy of its own. Before, a reader and the committed state hold root A
 * (numbers are references):
 *
 *      committed, reader ─► A2 ──┬─► B1 [ant bee cow]
 *                                ├─► C1 [dog eel fox]
 *                                └─► D1 [gnu hen owl]
 *
 * A writer begins (A3) and puts "elk". A is shared, so the writer copies it,
 * which counts B, C and D twice; C is shared now and copied as well:
 *
 *      committed, reader ─► A2 ──┬──────► B2 [ant bee cow] ◄──┐
 *                                ├─► C1 [dog eel fox]         │
 *                                └──────► D2 [gnu hen owl] ◄─┐│
 *                  writer ─► A'1 ┬───────────────────────────┼┘
 *                                ├─► C'1 [dog eel elk fox]   │
 *                                └───────────────────────────┘
 *
 * A second put to C' finds A' and C' with one reference each and changes them
 * in place. Commit makes A' the committed root and drops A to 1; when the
 * reader ends, A goes, and with it C, while B and D fall back to 1. Abort
 * instead drops A', and A is as if nothing had been.
 *
 *   T1  All leaves have level 0, a node's children one level less than it.
 *   T2  A node has at most SLOTS_MAX slots; at least SLOTS_MIN unless it is
 *       the root. A root above leaves has at least 2; an empty tree has none.
 *   T3  A leaf's slots are entries with ascending keys.
 *   T4  An inner node's slots are children. The key of slot i > 0 separates:
 *       every entry left of it has a smaller key, every entry of child i or
 *       right of it has not. It need not be an entry's key any longer. Slot 0
 *       has none (NULL).
 *   T5  A node that is reached from a root through nodes that all have one
 *       reference belongs to the root's holder alone and may be changed.
 *
 * Separators move when nodes split, join or even out. A leaf copies its first
 * key up; an inner node hands it up:
 *
 *      split of a child       [ … p … ]            [ … p  e … ]
 *      (slots 4 at most)          │           ►        │  │
 *                            [a  c  e  g]           [a c][e g]        leaf
 *                            [-  c  e  g]           [- c][- g]        inner
 */
#ifndef GROVE_MEMORY_BTREE_H
#define GROVE_MEMORY_BTREE_H

#include <grove/sys/backend.h>

#include "heap.h"

#ifdef GROVE_TINY_LIMITS
enum { GROVE__BTREE_SLOTS_MAX = 4 };
#else
enum { GROVE__BTREE_SLOTS_MAX = 32 };
#endif
enum {
    GROVE__BTREE_SLOTS_MIN = GROVE__BTREE_SLOTS_MAX / 2,
    /* No node but the root has fewer than two slots: so many levels hold more
     * entries than there are addresses. */
    GROVE__BTREE_LEVELS_MAX = 64
};

typedef struct grove__btree_node grove__btree_node;

typedef struct grove__btree_slot {
    grove__blob *key;
    union {
        grove__blob *value;       /* in a leaf */
        grove__btree_node *child; /* in an inner node */
    };
} grove__btree_slot;

struct grove__btree_node {
    grove__references references;
    uint32_t level;
    size_t count;
    grove__btree_slot slots[GROVE__BTREE_SLOTS_MAX];
};

typedef struct grove__btree {
    grove__btree_node *root; /* NULL: empty */
    uint64_t entries;
} grove__btree;

/* Another holder of the same state. */
grove__btree grove__btree_share(const grove__btree *tree);
/* Drops the state; frees what nobody else holds. The tree is then empty. */
void grove__btree_release(grove__heap *heap, grove__btree *tree);

/* The value under `key`, borrowed from the tree; NULL when there is none. */
grove__blob *grove__btree_get(const grove__btree *tree, grove_bytes key);

/*
 * Makes or replaces an entry. *value_out is borrowed; its `size` bytes are
 * unset and the caller's to write until it shares the tree. GROVE_FULL,
 * GROVE_NO_MEMORY: the tree has the same entries as before.
 */
grove_status grove__btree_put(grove__heap *heap, grove__btree *tree, grove_bytes key,
                              size_t size, grove__blob **value_out);

/* GROVE_NONE: no such key. GROVE_FULL, GROVE_NO_MEMORY: as with put. */
grove_status grove__btree_remove(grove__heap *heap, grove__btree *tree, grove_bytes key);

typedef enum grove__btree_seek {
    GROVE__BTREE_FIRST_AT_OR_AFTER,
    GROVE__BTREE_FIRST_AFTER,
    GROVE__BTREE_LAST_BEFORE,
    GROVE__BTREE_LAST /* whatever the key */
} grove__btree_seek;

/* The entry found, borrowed from the tree; NULL when there is none. */
const grove__btree_slot *grove__btree_find(const grove__btree *tree,
                                           grove__btree_seek seek, grove_bytes key);

#endif
