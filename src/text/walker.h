/*
 * The walker of text documents: operations on a tracker (sequence/tracker.h),
 * whose elements are code points. See grove/sys/document_type.h for the
 * functions, docs/REPLAY.md for the whole on an example.
 */
#ifndef GROVE_TEXT_WALKER_H
#define GROVE_TEXT_WALKER_H

#include <grove/sys/document_type.h>

#include "sequence/tracker.h"

typedef struct grove__text_walker {
    const grove_allocator *allocator;
    grove_id_order order;
    uint64_t base; /* the clock of event number 0 of the tracker */
    grove__tracker tracker;
} grove__text_walker;

extern const grove_merge_type grove__text_merge;

#endif
