/*
 * Positions of a text in other units than code points: in bytes of UTF-8, and
 * in 16-bit units of UTF-16, of which a code point of four bytes has two.
 */
#ifndef GROVE_TEXT_UNITS_H
#define GROVE_TEXT_UNITS_H

#include <grove/text.h>

#include "text/rope.h"

/*
 * What a position in one unit is in another. O(log length), as nodes have the
 * sums of points and bytes; with UTF-16 also a look at each leaf before the
 * position that is not ASCII.
 * GROVE_INVALID: no unit; beyond the end; inside a code point.
 */
grove_status grove__units_convert(const grove__rope *rope, uint64_t position,
                                  grove_text_unit unit, grove_text_unit wanted,
                                  uint64_t *position_out, grove_error *error_out);

#endif
