/*
 * What a tree has to be, computed in the most obvious way: from all events
 * that are known, sorted by their stamps, one after the other. Quadratic and
 * worse, and without cleverness; nothing of src/tree/ but the encoding of
 * operations and the reading of what is compared.
 *
 * Siblings are ordered as sequence/fugue.h says, pair by pair.
 */
#ifndef GROVE_TESTS_TREE_ORACLE_H
#define GROVE_TESTS_TREE_ORACLE_H

#include "support/random.h"
#include "tree/tree.h"

enum {
    ORACLE_EVENTS_MAX = 1024,
    ORACLE_REPLICAS_MAX = 6,
    ORACLE_BYTES_MAX = 31,
    ORACLE_WRITES_MAX = 3,
    ORACLE_NAMES_MAX = 16,
    ORACLE_CONTENT_MAX = 400,
    ORACLE_NONE = ORACLE_EVENTS_MAX /* the root; the beginning of a list */
};

typedef struct oracle_bytes {
    uint8_t size;
    uint8_t bytes[ORACLE_BYTES_MAX];
} oracle_bytes;

/* A set of events. */
typedef struct oracle_set {
    uint64_t words[ORACLE_EVENTS_MAX / 64];
} oracle_set;

typedef struct oracle_write {
    oracle_bytes name;
    oracle_bytes value; /* encoded; empty: unset */
} oracle_write;

typedef struct oracle_event {
    uint32_t replica;
    uint64_t sequence;
    uint64_t time; /* 1 + the greatest of `past` */
    oracle_set past;
    grove_tree_kind kind;
    uint32_t node;   /* a put of it; of a put: unused */
    uint32_t parent; /* a put of it */
    uint32_t anchor; /* a put or a move */
    bool is_left;
    oracle_bytes id; /* empty: the library's */
    oracle_bytes type;
    oracle_write writes[ORACLE_WRITES_MAX]; /* of a put, ascending; of a set */
    uint32_t write_count;
    oracle_bytes metadata;
    uint8_t content[ORACLE_CONTENT_MAX];
    size_t content_bytes;
} oracle_event;

typedef struct tree_oracle {
    grove_replica replicas[ORACLE_REPLICAS_MAX];
    oracle_event events[ORACLE_EVENTS_MAX];
    uint32_t count;
} tree_oracle;

typedef struct oracle_node {
    oracle_bytes id;
    uint32_t place;  /* the event that put it where it stands */
    uint32_t parent; /* a node; itself: the root */
    oracle_bytes type;
    bool is_deleted;
    oracle_write attributes[ORACLE_NAMES_MAX]; /* ascending; none is unset */
    uint32_t attribute_count;
} oracle_node;

/* Node 0 is the root. */
typedef struct oracle_state {
    oracle_node nodes[ORACLE_EVENTS_MAX + 1];
    uint32_t count;
    uint32_t node_of[ORACLE_EVENTS_MAX + 1]; /* of a put or a move */
} oracle_state;

static inline bool oracle_has(const oracle_set *set, uint32_t event)
{
    return (set->words[event / 64] >> event % 64 & 1) != 0;
}
static inline void oracle_include(oracle_set *set, uint32_t event)
{
    set->words[event / 64] |= UINT64_C(1) << event % 64;
}
/* The union of both. */
void oracle_join(oracle_set *set, const oracle_set *other);
/* Whether all of one are in the other. */
bool oracle_is_within(const oracle_set *set, const oracle_set *other);

oracle_bytes oracle_bytes_of(const char *text);
grove_bytes oracle_view(const oracle_bytes *bytes);

/* No events; the replicas' names are such that neither their order nor their
 * sizes are that of their numbers. */
void oracle_clear(tree_oracle *oracle);

/* Adds an event, which has everything but its time and its content. */
uint32_t oracle_add(tree_oracle *oracle, const oracle_event *event);

/* Whether an event comes after another: by time, replica, sequence. */
bool oracle_is_later(const tree_oracle *oracle, uint32_t event, uint32_t other);

/* The state of those events, with which is all that they know. */
void oracle_make(const tree_oracle *oracle, const oracle_set *known,
                 oracle_state *state_out);

/* The puts and moves to below a node, in the order of its list. */
uint32_t oracle_places(const tree_oracle *oracle, const oracle_state *state,
                       const oracle_set *known, uint32_t node, uint32_t *events_out);

/* Those of them where nodes stand: its children, deleted or not. */
uint32_t oracle_children(const tree_oracle *oracle, const oracle_state *state,
                         const oracle_set *known, uint32_t node, uint32_t *nodes_out);

/* The node with an id; ORACLE_NONE. */
uint32_t oracle_find(const oracle_state *state, grove_bytes id);

/* Whether a node is another or above it. */
bool oracle_is_above(const oracle_state *state, uint32_t node, uint32_t below);

/* Fails the test where the tree is not in that state, or is unsound. */
void oracle_compare(const tree_oracle *oracle, const oracle_set *known,
                    const oracle_state *state, const grove__tree *tree);

#endif
