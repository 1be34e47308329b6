/* The events of a program in every causal order of arrival. */
#ifndef GROVE_TESTS_TREE_ORDERS_H
#define GROVE_TESTS_TREE_ORDERS_H

#include "program.h"

enum { ORDERS_EVENTS_MAX = 8 };

/*
 * Hands all events from `first` on, which are at most ORDERS_EVENTS_MAX, to
 * trees that have those before, in every causal order: one by one, with a
 * snapshot after each, in two parts, at once. Each tree is as the oracle says,
 * and all have the same digest and the same bytes in a snapshot. How many
 * orders there are.
 */
uint64_t orders_check(const tree_program *program, uint32_t first);

#endif
