/*
 * Making a tree show a value, by the events that this takes and no others.
 */
#ifndef GROVE_JSON_SET_H
#define GROVE_JSON_SET_H

#include "json/put.h"

/* How a value goes onto what is there. */
typedef enum grove__json_mode {
    /* What is there shows exactly the value in the end. */
    GROVE__JSON_EXACT = 0,
    /* As JSON Merge Patch has it: an object's members go onto those of the
     * object that is there, and null takes one away. */
    GROVE__JSON_MERGE = 1,
    /* The same where there was no object: null stands for no member. */
    GROVE__JSON_STRIP = 2
} grove__json_mode;

/*
 * Sets what is at the target, or puts it there, to item `index` of the
 * change's value. Of an array with as many elements as before each is set by
 * itself; else those that differ are replaced, from the first to the last.
 */
grove_status grove__json_assign(const grove__json_change *change,
                                const grove__json_target *target, size_t index,
                                grove__json_mode mode, grove_error *error_out);

/* Reads a text and sets the document's value to it, as one change. */
grove_status grove__json_set_whole(grove_document *document, grove_bytes text,
                                   grove__json_mode mode, grove_bytes metadata,
                                   grove_error *error_out);

#endif
