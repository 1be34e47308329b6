/* JSON as text comes in, and numbers go out. The only file that knows what
 * jansson makes of them. */
#ifndef GROVE_JSON_TEXT_H
#define GROVE_JSON_TEXT_H

#include "json/value.h"

/*
 * Reads one JSON value, and nothing behind it. The caller releases *value_out.
 *
 *   GROVE_MALFORMED    it is none, or an object has a key twice; the offset is
 *                      behind what could not be read
 *   GROVE_LIMIT        GROVE_JSON_TEXT_BYTES_MAX, GROVE_JSON_DEPTH_MAX; a
 *                      number that neither fits in 64 bits nor is a finite
 *                      double
 *   GROVE_UNSUPPORTED  a key with U+0000
 *   GROVE_NO_MEMORY
 */
grove_status grove__json_text_read(grove_bytes text, grove__json_value *value_out,
                                   grove_error *error_out);

enum { GROVE__JSON_NUMBER_BYTES = 32 };

/*
 * Writes a finite double with a point or an exponent, in 15 digits if they give
 * it back, else in 16 or 17. Returns the number of bytes, 0 when there is no
 * memory.
 */
size_t grove__json_number_write(double number, char text_out[GROVE__JSON_NUMBER_BYTES]);

#endif
