/*
 * When small pieces become large ones. Pure: sizes in, decisions out.
 *
 * Batches roll up as they are written. With fan-out f, a piece of level
 * floor(log_f(events)) is joined with the pieces before it once f - 1 of them
 * in a row are of its level or lower; the result may cascade. So each level
 * has fewer than f pieces, and each event is rewritten once a level: saving
 * one event at a time for ever leaves a logarithmic number of batches until
 * they reach the bounds of GROVE_ROLLUP_*, at a logarithmic cost. The scheme
 * is that of log-structured merge trees with tiers.
 */
#ifndef GROVE_ROLLUP_ROLLUP_H
#define GROVE_ROLLUP_ROLLUP_H

#include <grove/types.h>

/* A batch or a snapshot, as far as these decisions look at it. */
typedef struct grove__piece {
    uint64_t clock;  /* of its first event; of a snapshot, its clock */
    uint64_t events; /* of a snapshot: 0 */
    uint64_t bytes;  /* stored */
} grove__piece;

typedef struct grove__rollup_limits {
    uint64_t events_max;
    uint64_t bytes_max;
    uint32_t fan_out; /* 2 or more */
} grove__rollup_limits;

/* What a save uses: GROVE_ROLLUP_*, fan-out 8. */
grove__rollup_limits grove__rollup_limits_usual(void);

/*
 * How many of the last pieces become one: 0 for none, else at least 2.
 * `pieces` ascend by clock; the last one is what is being written. The last
 * `joined` (at least 1) are joined in any case, as far as the limits allow:
 * when a snapshot is made, all that came since the one before.
 */
size_t grove__rollup_plan(const grove__piece *pieces, size_t count, size_t joined,
                          const grove__rollup_limits *limits);

/*
 * Which pieces a seal packs together: the index of the first one, from which
 * all to the end become one segment (or more, where something bounds a
 * segment); `count` when there is nothing to gain. From the newest back, a
 * piece that a seal made stays as it is once it holds more than twice the
 * events of all that come after it. Segments so grow geometrically, and
 * sealing again and again rewrites each event a logarithmic number of times.
 */
size_t grove__seal_plan(const grove__piece *pieces, const bool *is_sealed, size_t count);

/*
 * Which snapshots to drop when one at `clock` is made: sets drop_out[i] for
 * each of the existing ones (ascending by clock). The new one and the newest
 * existing one are kept. Of those before, one is dropped when its neighbours,
 * the last one kept and the next older one, lie within a factor of two of each
 * other in distance from `clock`: what is left grows apart geometrically. Of
 * these only as many are kept, newest first, as together take bytes_max.
 */
void grove__thin_snapshots(const grove__piece *snapshots, size_t count, uint64_t clock,
                           uint64_t bytes_max, bool *drop_out);

#endif
