/*
 * Memory of this room. What comes in as text is held by jansson, whose memory
 * is not the store's; what the room itself holds while a call lasts comes from
 * the same functions, so that a program that gave jansson others has one place
 * for both. They are asked, never set.
 */
#ifndef GROVE_JSON_MEMORY_H
#define GROVE_JSON_MEMORY_H

#include <grove/types.h>

extern const grove_allocator grove__json_allocator;

#endif
