/* How two versions stand to each other. See walk.h for what may be given,
 * what walks cost, and what lies behind a base. */
#ifndef GROVE_GRAPH_DIFFERENCE_H
#define GROVE_GRAPH_DIFFERENCE_H

#include "graph/walk.h"

/* How version a stands to version b. */
typedef enum grove__relation {
    GROVE__RELATION_EQUAL = 0,
    GROVE__RELATION_BEFORE = 1, /* everything in a is in b */
    GROVE__RELATION_AFTER = 2,
    GROVE__RELATION_CONCURRENT = 3
} grove__relation;

/* How a stands to b. Stops as soon as it knows. */
grove_status grove__difference_compare(grove__walk *walk, grove__frontier a,
                                       grove__frontier b, grove__relation *relation_out,
                                       grove_error *error_out);

/* The events only in a's history and only in b's, each ascending and as few
 * ranges as possible. */
grove_status grove__difference_find(grove__walk *walk, grove__frontier a,
                                    grove__frontier b, grove__ranges *only_a_out,
                                    grove__ranges *only_b_out, grove_error *error_out);

/* A version's history, heads included, ascending. With a base, history is
 * needed unless the version has everything behind it, or nothing. */
grove_status grove__difference_history(grove__walk *walk, grove__frontier version,
                                       grove__ranges *history_out,
                                       grove_error *error_out);

/* What lies between two versions and their base. */
typedef struct grove__conflict {
    grove__frontier base;
    const grove__sided_range *ranges; /* ascending */
    size_t range_count;
} grove__conflict;

/*
 * The common base of two versions: a version in the history of both, such
 * that each event in either history is in the base's too, or comes after all
 * of the base. The latter are the conflict set. The base is the newest such
 * version that the walk back meets; it may be empty, and may have several
 * heads. The versions must not be answers of the same walk.
 */
grove_status grove__difference_base(grove__walk *walk, grove__frontier a,
                                    grove__frontier b, grove__conflict *conflict_out,
                                    grove_error *error_out);

#endif
