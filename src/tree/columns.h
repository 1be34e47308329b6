/*
 * A tree as the columns of a snapshot: what state_encode.c writes and
 * state_decode.c reads. docs/FORMAT.md, "Tree snapshots", is normative.
 *
 * The frame `structure` begins with the size of each column as LEB128, then
 * come the columns in their order, all numbers LEB128. Nodes are numbered as
 * they are first met: the root is 0; then the places of node 0, of node 1, and
 * so on, each in the order of its list; the node of a place that was not met
 * before is the next.
 *
 *   HEAD        settled, how many: nodes, attributes, deletions, replicas,
 *               names; of each replica and name its size; of each name a bit
 *   COUNTS      of each node: how many places are below it
 *   PLACES      of each place: bits 0 and 1: 0 the node's base, 1 a move that
 *               may be undone, 2 neither; 4: made by a move, not a put; 8: the
 *               node was met before; 16: a put whose event the node's id names
 *   NODES       of each place of a node that was met before: the node
 *   REPLICAS    of each place, then each stamp that has one: the replica
 *   SEQUENCES   of the same: the difference to the replica's last, zigzag
 *   TIMES       of the same: time less sequence, as the difference to the
 *               replica's last, zigzag
 *   ANCHORS     of each place: 0: right of the one before it in the list, or
 *               of the beginning; else 1 + 2 x the distance back to the anchor
 *               (zigzag; the beginning is before the first) + 1 if left of it
 *   TYPES       of each node but the root: the name that is its type
 *   IDS         of each node but the root: the size of its id, 0: it is named
 *               by the event of one of its puts
 *   DELETIONS   of each deletion: the distance from the node of the one
 *               before, from 0, less 1, twice, + 1 if it is deleted; its stamp
 *   ATTRIBUTES  of each attribute: 2 x the name, + 1 if it is another node
 *               than that of the one before (first: than the root)
 *   OWNERS      of those + 1: the distance from the node before, less 1
 *   SIZES       of each attribute: 2 x the size of its value, 0: unset; + 1 if
 *               it has a stamp of its own, else it is that of the last put
 *
 * The frame `content`: the replicas, the names, the ids that were given, the
 * values of attributes as operation.h has them.
 */
#ifndef GROVE_TREE_COLUMNS_H
#define GROVE_TREE_COLUMNS_H

enum grove__tree_column {
    COLUMN_HEAD,
    COLUMN_COUNTS,
    COLUMN_PLACES,
    COLUMN_NODES,
    COLUMN_REPLICAS,
    COLUMN_SEQUENCES,
    COLUMN_TIMES,
    COLUMN_ANCHORS,
    COLUMN_TYPES,
    COLUMN_IDS,
    COLUMN_DELETIONS,
    COLUMN_ATTRIBUTES,
    COLUMN_OWNERS,
    COLUMN_SIZES,
    COLUMN_COUNT
};

enum {
    PLACE_BASE = 0,
    PLACE_MOVE = 1,
    PLACE_EMPTY = 2,
    PLACE_ROLE = 3, /* the bits of these */
    PLACE_IS_NO_PUT = 4,
    PLACE_IS_MET = 8,
    PLACE_NAMES_NODE = 16,
    PLACE_BITS_END = 32
};

#endif
