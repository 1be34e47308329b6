/*
 * JSON in documents of type `tree`: any JSON document, edited by several
 * replicas at once, and trees as plain data. docs/JSON.md shows both on
 * examples.
 *
 * A document has one JSON value, whose objects, arrays and scalars are nodes
 * of the tree, so that concurrent edits merge: an object's members one by one,
 * also where two replicas make the same member; an array's elements one by
 * one, in their order; of two scalars for one place the latest wins. What else
 * is in the tree is left alone.
 *
 * JSON is RFC 8259 in UTF-8. Integers are those of int64_t, and not the same
 * as doubles: 1 comes back as 1 and 1.0 as 1.0. Every integer and every finite
 * double comes back exactly. A text may have U+0000, a key may not. Text that
 * comes in has at most GROVE_JSON_TEXT_BYTES_MAX bytes and
 * GROVE_JSON_DEPTH_MAX levels, a scalar being a level; what a document has may
 * be deeper. Text that goes out is in its shortest form, without blanks.
 *
 * Each function that changes a document makes one change of it
 * (grove_tree_begin), which is one step for grove_tree_undo; of a failure
 * nothing is left, and no event is made for what is so already. Within a
 * change that the caller began they say GROVE_INVALID, as they do for a
 * document of another type and, but for those that write text, for a view of
 * the past. `metadata` is kept with each event, as in grove_tree_put. Failures
 * of the tree come through as they are: GROVE_LIMIT, GROVE_NO_MEMORY.
 *
 * While a call lasts, what it read of a text is held in memory of jansson's
 * allocator, which is not the store's; the library does not change that one.
 * Where that has no more for a string, jansson takes it for no JSON, and so the
 * status is GROVE_MALFORMED instead of GROVE_NO_MEMORY.
 * Threads: as with all functions of a handle.
 */
#ifndef GROVE_JSON_H
#define GROVE_JSON_H

#include <grove/document.h>
#include <grove/tree.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- any JSON document --- */

/*
 * Sets the value of a document, by events for what differs: members of objects
 * by their keys; of an array with as many elements as before each by itself,
 * of another what is left between the equal elements at its front and its end
 * is replaced. Cost: O(text + nodes compared, log n each); an array's elements
 * may be compared once for each level they lie deep.
 *
 *   GROVE_MALFORMED    no JSON, or an object has a key twice; the offset is the
 *                      byte behind what could not be read
 *   GROVE_LIMIT        too long, too deep; a number beyond int64_t, or beyond
 *                      the doubles
 *   GROVE_UNSUPPORTED  a key has U+0000
 */
GROVE_API grove_status grove_json_set(grove_document *document, grove_bytes text,
                                      grove_bytes metadata, grove_error *error_out);

/*
 * Writes the value that a JSON Pointer (RFC 6901) leads to, "" being the whole
 * one, in pieces. An object's members come in the order in which they were put.
 * Needs no memory for the value, however deep it is. Works on views of the
 * past. Cost: O(nodes below it), and O(elements) for each array on the way.
 *
 *   GROVE_INVALID      the pointer is none, then the offset says where; or it
 *                      leads nowhere. A document without a value has no ""
 *   GROVE_UNSUPPORTED  the pointer has U+0000
 *   GROVE_FAILED       `write` wants no more
 */
GROVE_API grove_status grove_json_get(const grove_document *document, grove_bytes pointer,
                                      grove_write_fn write, void *context,
                                      grove_error *error_out);

/*
 * Applies a JSON Patch (RFC 6902), one operation after the other, all or none.
 * "replace", and "add" where there is a member already, set it as
 * grove_json_set does. "move" of an element to an array keeps its identity:
 * edits of it that others make at the same time move along; any other "move"
 * is a copy and a removal. "test" compares numbers by what they are worth.
 * Removing "" leaves a document without a value.
 *
 * Failures of the text: as of grove_json_set. Of the operations the offset is
 * the index of the one that failed, and the message names it and its path:
 *
 *   GROVE_INVALID      a pointer is none or leads nowhere; a value would move
 *                      into itself; a member of the operation is missing, or
 *                      there is no such operation
 *   GROVE_CONFLICT     a "test" found another value
 *   GROVE_UNSUPPORTED  a pointer has U+0000
 *   GROVE_LIMIT        "copy" and "move" copy more than GROVE_JSON_COPIES_MAX
 *                      values: each can double a document
 */
GROVE_API grove_status grove_json_patch(grove_document *document, grove_bytes text,
                                        grove_bytes metadata, grove_error *error_out);

/* Applies a JSON Merge Patch (RFC 7396) to the document's value, or to none.
 * Cost and failures: as grove_json_set. */
GROVE_API grove_status grove_json_merge_patch(grove_document *document, grove_bytes text,
                                              grove_bytes metadata,
                                              grove_error *error_out);

/* --- trees as plain data --- */

/*
 * Writes a node and all below it as JSON, in pieces:
 *
 *   {"id":"a","type":"list","attrs":{"title":"x"},"children":[...]}
 *
 * "attrs", in the order of their names, and "children" are left out where
 * there are none. With GROVE_TREE_DELETED_TOO in `flags`, deleted nodes are
 * written as well, and say "deleted":true. What JSON has no form for is an
 * object in the value's place: {"bytes":"00ff"} for bytes, also for an id that
 * is not UTF-8; {"double":"7ff8000000000000"}, the bits, for a double that is
 * not finite. Where a name has U+0000, "attrs" is a list of pairs. Equal trees
 * have equal texts. Works on views of the past.
 *
 * Cost: O(nodes + bytes); needs no memory for the nodes, however deep they
 * are. GROVE_FAILED: `write` wants no more.
 */
GROVE_API grove_status grove_tree_write_data(const grove_document *document,
                                             grove_node node, unsigned flags,
                                             grove_write_fn write, void *context,
                                             grove_error *error_out);

/*
 * Puts what grove_tree_write_data wrote, or the like, at a place: the node and
 * all below it, as one change. With ids for all nodes, writing gives the same
 * text again. A node without "id", or with an empty one, gets one that is made;
 * without "type" its type is empty. *node_out (may be NULL) is the first node.
 *
 *   GROVE_MALFORMED    as of grove_json_set
 *   GROVE_INVALID      JSON of another shape; there is no such place; a name
 *                      twice
 *   GROVE_CONFLICT     there is a node with one of the ids
 *   GROVE_LIMIT        as of grove_json_set; each level of nodes takes two of
 *                      JSON. An id, a type, a name or the metadata is too long
 *   GROVE_UNSUPPORTED  a key has U+0000
 */
GROVE_API grove_status grove_tree_put_data(grove_document *document,
                                           grove_tree_place place, grove_bytes text,
                                           grove_bytes metadata, grove_node *node_out,
                                           grove_error *error_out);

#ifdef __cplusplus
}
#endif

#endif
