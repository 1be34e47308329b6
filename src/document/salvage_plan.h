/* Which of a document's sound pieces make the best document. */
#ifndef GROVE_DOCUMENT_SALVAGE_PLAN_H
#define GROVE_DOCUMENT_SALVAGE_PLAN_H

#include "document/verify.h"

/*
 * Batches from clock `base` to `end` - 1, with the snapshots among them. All
 * events hang on the one before a critical base. With another base, which is a
 * snapshot's clock, there are heads before it that new events would need.
 */
typedef struct grove__salvage_chain {
    bool is_found;
    bool is_critical;
    uint64_t base;
    uint64_t end;
} grove__salvage_chain;

/* The chain of sound pieces that leads furthest; of several those with a
 * critical base come first, then those with more history. */
grove__salvage_chain grove__salvage_choose(const grove__survey *source);

#endif
