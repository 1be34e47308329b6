/*
 * Every limit of the library. docs/LIMITS.md says what each bounds and why.
 *
 * A build with GROVE_TINY_LIMITS shrinks those that bound pieces of our own
 * structures, so that their edges lie where tests reach them; it neither
 * changes a format nor what an application may do.
 */
#ifndef GROVE_LIMITS_H
#define GROVE_LIMITS_H

/* A document's id, in bytes. At least 1. */
#define GROVE_DOCUMENT_ID_BYTES_MAX 240
/* A group's name, in bytes. At least 1. */
#define GROVE_GROUP_NAME_BYTES_MAX 240
/* A replica's id, in bytes. At least 1. */
#define GROVE_REPLICA_BYTES_MAX 64
/* A document type's name, in bytes, without its NUL. At least 1. */
#define GROVE_TYPE_NAME_BYTES_MAX 15
/* Kinds of operations in a declarative schema, and fields of one kind. At
 * least one kind. Both are part of the stored format. */
#define GROVE_SCHEMA_KINDS_MAX 64
#define GROVE_SCHEMA_FIELDS_MAX 16
/* Parents of one event. */
#define GROVE_EVENT_PARENTS_MAX 1024
/* Events of one batch; also the events one save may hold. */
#define GROVE_BATCH_EVENTS_MAX (1u << 28)
/* Events of one document: clocks and sequences stay below this. */
#define GROVE_DOCUMENT_EVENTS_MAX (UINT64_C(1) << 48)
/* Events of one document that wait for others. */
#ifdef GROVE_TINY_LIMITS
#define GROVE_PENDING_EVENTS_MAX 64
#else
#define GROVE_PENDING_EVENTS_MAX (1u << 20)
#endif
/* What one import may cost: runs of known events that are gone through, and
 * stretches of history that are left and entered while it is merged. */
#define GROVE_IMPORT_STEPS_MAX (UINT64_C(1) << 24)
/* Content of one operation, in bytes. */
#define GROVE_CONTENT_BYTES_MAX (UINT64_C(1) << 30)
/* A tree: a node's id and type, an attribute's name, and the metadata of an
 * event, in bytes. */
#define GROVE_NODE_ID_BYTES_MAX 255
#define GROVE_NODE_TYPE_BYTES_MAX 255
#define GROVE_ATTRIBUTE_NAME_BYTES_MAX 1024
#define GROVE_TREE_METADATA_BYTES_MAX 65536
/* Changes of a tree that a handle can undo, and redo; about half of them when
 * there were more. */
#define GROVE_TREE_UNDO_CHANGES_MAX 1000
/* A JSON text that comes in: its bytes, and how deep it is nested, a scalar
 * being a level. */
#define GROVE_JSON_TEXT_BYTES_MAX (1u << 26)
#define GROVE_JSON_DEPTH_MAX 2048
/* Values that the operations of one JSON patch may copy, all together. */
#define GROVE_JSON_COPIES_MAX (1u << 18)
/* What a caller can write to the record of a commit, in bytes. */
#define GROVE_COMMIT_META_BYTES_MAX 256
/* Incarnations of a store that are remembered with their commits. */
#define GROVE_INCARNATIONS_MAX 1000
/* One frame of a block, decompressed, in bytes: what its directory can say. */
#define GROVE_FRAME_BYTES_MAX UINT64_C(0xffffffff)
/* One stored value (a block, a group's state), in bytes. */
#define GROVE_VALUE_BYTES_MAX (UINT64_C(1) << 33)
/* The size limit of a store, in bytes. */
#define GROVE_STORE_BYTES_MAX (UINT64_C(1) << 46)

/* Pages of a part of a stored value: parts have n x page - 16 bytes. */
#ifdef GROVE_TINY_LIMITS
#define GROVE_PART_PAGES 1
#else
#define GROVE_PART_PAGES 2
#endif

/* What one save may rewrite when it rolls small batches up: no more than
 * these events and these stored bytes. */
#ifdef GROVE_TINY_LIMITS
#define GROVE_ROLLUP_EVENTS_MAX 256
#else
#define GROVE_ROLLUP_EVENTS_MAX 65536
#endif
#define GROVE_ROLLUP_BYTES_MAX (UINT64_C(1) << 20)

#endif
