/*
 * The contract of a document type: what a document's operations mean, how
 * they are stored, and how they become a state. The library brings `text` and
 * `opaque`; an application may bring its own.
 *
 * The library owns the event graph (ids, parents, timestamps) and hands a
 * type whole arrays of operations in causal order. A type is pure: no I/O, no
 * clock, no globals; the same calls give the same results.
 *
 * Stored bytes are hostile. operations_decode and state_decode must check
 * what they are given, bound every size before they allocate, and fail with
 * GROVE_CORRUPT (the caller turns that into GROVE_MALFORMED for bytes of a
 * peer) and an offset; they never assert on input.
 *
 * A type's table is borrowed for as long as a document of it is open.
 */
#ifndef GROVE_SYS_DOCUMENT_TYPE_H
#define GROVE_SYS_DOCUMENT_TYPE_H

#include <grove/sys/bytes.h>
#include <grove/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever this table or its rules do. */
#define GROVE_DOCUMENT_TYPE_ABI 2u

/* Capability bits. */
enum {
    /* state_apply does not care in which causal order concurrent events
     * come: it may be handed any of them. A document of a type with neither
     * this bit nor a `merge` refuses them with GROVE_UNSUPPORTED. */
    GROVE_TYPE_CONCURRENT = 1u << 0
};

typedef struct grove_document_type grove_document_type;

/*
 * An array of operations. Contents are borrowed from the bytes they were
 * decoded from, or from the caller.
 */
typedef struct grove_operations {
    const grove_operation *items;
    size_t count;
} grove_operations;

/*
 * Who made the events of some operations, for types with a grove_timed_type:
 * runs of events whose sequences and times go up by one from each to the next.
 * The time of an event is its Lamport time, 1 + the greatest time of a parent,
 * 1 without parents: the library derives it from the graph, so that nobody can
 * choose it. Of two events with different times the later one did not happen
 * before the other; (time, replica, sequence) orders all of them.
 */
typedef struct grove_stamp_run {
    const grove_replica *replica; /* borrowed for the call */
    uint64_t sequence;
    uint64_t time;
    uint32_t count;
} grove_stamp_run;

/* In the order of the operations; the counts add up to theirs. */
typedef struct grove_stamps {
    const grove_stamp_run *items;
    size_t count;
} grove_stamps;

/*
 * The two frames in which a type stores its operations in a batch, or its
 * state in a snapshot. `structure` is what is always needed; `content` is the
 * bulk that some readers skip (for a text, the characters).
 */
typedef struct grove_type_frames {
    grove_bytes structure;
    grove_bytes content;
    /* Only operations_decode sees this set: `content` is empty because nobody
     * asked for it. See there. */
    bool is_content_left_out;
} grove_type_frames;

/*
 * The same two frames while they are written. A frame that consists of columns
 * says where each but the first begins: the compressor then starts new entropy
 * tables there, which saves as much as a frame for each column would.
 */
enum { GROVE_TYPE_CUTS_MAX = 8 };

typedef struct grove_type_buffers {
    grove_buffer structure;
    grove_buffer content;
    size_t structure_cuts[GROVE_TYPE_CUTS_MAX]; /* ascending offsets */
    size_t structure_cut_count;
} grove_type_buffers;

/*
 * A declarative description of a type's operations, for types that need no
 * columns of their own: each kind is a list of fields, which an operation's
 * content holds one after the other (GROVE_FIELD_UNSIGNED as LEB128,
 * _SIGNED as zigzag LEB128, _BYTES as a LEB128 size and that many bytes). At
 * rest each field is a column. Position is stored where `positioned` says so,
 * and is 0 elsewhere; every operation has count 1.
 *
 * The content of a kind with one field of GROVE_FIELD_BYTES and no other is
 * just those bytes, without a size: a batch is decoded without a copy of them.
 *
 * A later version of a type may add kinds at the end; it must not change those
 * that are there.
 */
typedef enum grove_field_type {
    GROVE_FIELD_UNSIGNED = 0,
    GROVE_FIELD_SIGNED = 1,
    GROVE_FIELD_BYTES = 2
} grove_field_type;

typedef struct grove_schema_kind {
    const char *name;
    bool positioned;
    size_t field_count; /* up to GROVE_SCHEMA_FIELDS_MAX */
    const grove_field_type *fields;
} grove_schema_kind;

typedef struct grove_schema {
    size_t kind_count; /* 1 to GROVE_SCHEMA_KINDS_MAX */
    const grove_schema_kind *kinds;
} grove_schema;

/* Whether an event's id comes before another's, by the bytes of the replicas
 * and then by sequence: what decides where nothing else does. Events are named
 * by their clocks. */
typedef struct grove_id_order {
    const void *context;
    bool (*is_before)(const void *context, uint64_t clock, uint64_t other);
} grove_id_order;

/*
 * How a type merges concurrent operations, in the manner of Eg-walker: with a
 * walker, a transient structure that turns operations, whose positions hold
 * at the parents of their events, into operations on the state.
 *
 * The library walks: it says which events are taken out of the version that
 * the walker looks at (retreat) and back into it (advance), so that it is that
 * of the parents when an operation is applied. At versions that all later
 * events come after it clears the walker, which then has to know nothing of
 * what was before; operations that nothing is concurrent with go to the state
 * as they are. Events are handed in by clocks, parents first, each once
 * between two clears, none before the base.
 *
 * All functions are mandatory. After a failure a walker is only cleared or
 * freed.
 */
typedef struct grove_merge_type {
    /* `order`'s context is borrowed until walker_free. */
    grove_status (*walker_new)(const grove_document_type *type,
                               const grove_allocator *allocator, grove_id_order order,
                               void **walker_out);
    void (*walker_free)(const grove_document_type *type, void *walker);
    /* Forgets everything: no event from clock `base` on is applied, and the
     * version is that of all before. */
    grove_status (*walker_clear)(const grove_document_type *type, void *walker,
                                 uint64_t base);
    grove_status (*walker_retreat)(const grove_document_type *type, void *walker,
                                   uint64_t from, uint64_t end, grove_error *error_out);
    grove_status (*walker_advance)(const grove_document_type *type, void *walker,
                                   uint64_t from, uint64_t end, grove_error *error_out);
    /*
     * Applies an operation whose first event is at `clock`; the version then
     * includes its events. With `edits_out`, appends to it grove_operation
     * records that do the same to a state in which all events applied before
     * are, and no others; contents are borrowed from the operation's. NULL:
     * the state has them already, and the operation may have no content.
     * GROVE_CORRUPT: there is no such position at the version.
     */
    grove_status (*walker_apply)(const grove_document_type *type, void *walker,
                                 uint64_t clock, const grove_operation *operation,
                                 grove_buffer *edits_out, grove_error *error_out);
    /* Bytes that the walker holds. */
    uint64_t (*walker_bytes)(const grove_document_type *type, const void *walker);
    /*
     * Appends what the walker knows to `bytes_out`: its base is that of the
     * last clear, and exactly the events from there to `end` - 1 are applied.
     * It belongs to the version that the walker looks at, too. The caller
     * compresses it. Of a failure nothing is left in `bytes_out`.
     */
    grove_status (*walker_encode)(const grove_document_type *type, const void *walker,
                                  uint64_t end, grove_buffer *bytes_out);
    /*
     * The way back, in place of a clear: the walker then is as the one that
     * was encoded, with the clocks `base` and `end`, and at that one's version.
     * What it held before is forgotten. GROVE_CORRUPT, with the offset: the
     * bytes are none of so many events. Whatever else they are, further calls
     * may give wrong edits or GROVE_CORRUPT, but stay within their bounds.
     */
    grove_status (*walker_decode)(const grove_document_type *type, void *walker,
                                  uint64_t base, uint64_t end, grove_bytes bytes,
                                  grove_error *error_out);
} grove_merge_type;

/*
 * What a type has that orders events by their stamps, so that any causal order
 * of concurrent events gives the same state: it merges by state_apply alone.
 * Its snapshots know more than what shows: what an event may need that comes
 * late. Where history was removed, such events cannot come any more.
 *
 * All functions are mandatory.
 */
typedef struct grove_timed_type {
    /* As state_encode, without what only an event could need that is
     * concurrent with one whose time is at or below `settled`. */
    grove_status (*state_encode_settled)(const grove_document_type *type,
                                         const void *state, uint64_t settled,
                                         grove_type_buffers *buffers,
                                         grove_error *error_out);
    /*
     * What shows of a state, or can be made to show, as GROVE_DIGEST_BYTES
     * bytes that no two different states share: equal for equal states,
     * however they came to be. GROVE_NO_MEMORY.
     */
    grove_status (*state_digest)(const grove_document_type *type, const void *state,
                                 uint8_t *digest_out, grove_error *error_out);
} grove_timed_type;

/*
 * All functions are mandatory. `type` is the table itself. Where a function
 * may fail, it may always return GROVE_NO_MEMORY.
 */
struct grove_document_type {
    uint32_t abi;     /* GROVE_DOCUMENT_TYPE_ABI */
    const char *name; /* 1 to GROVE_TYPE_NAME_BYTES_MAX bytes; stored */
    /* Version of the bytes this type writes; it reads this and older. */
    uint32_t format;
    uint32_t capabilities; /* GROVE_TYPE_* */
    /* For the grove_schema_* functions; NULL for types with own columns. */
    const grove_schema *schema;
    /* NULL for types that do not merge. */
    const grove_merge_type *merge;
    /* NULL for types that need no stamps; else `merge` is NULL, and
     * `capabilities` has GROVE_TYPE_CONCURRENT. */
    const grove_timed_type *timed;

    /*
     * Whether an operation handed in by a caller is well-formed in itself:
     * kind, count against content. GROVE_INVALID says what is wrong,
     * GROVE_LIMIT which limit it exceeds.
     */
    grove_status (*operation_check)(const grove_document_type *type,
                                    const grove_operation *operation,
                                    grove_error *error_out);
    /*
     * Extends `last` by `next`, which the same replica made directly after,
     * when one operation can stand for both: changes last's kind, count and
     * position, and returns true. Contents are not looked at: the joined
     * content is that of `last` followed by that of `next`.
     */
    bool (*operation_join)(const grove_document_type *type, grove_operation *last,
                           const grove_operation *next);
    /*
     * Cuts an operation into its first `count` events (0 < count <
     * operation->count) and the rest; contents are borrowed from
     * `operation`'s. Where it has no content because that was left out when
     * it was decoded, neither part has one.
     */
    void (*operation_cut)(const grove_document_type *type,
                          const grove_operation *operation, uint32_t count,
                          grove_operation *first_out, grove_operation *rest_out);

    /*
     * Appends the columns of the operations of a batch to the two buffers.
     * They come replica after replica, each one's in causal order: of those
     * who write at once, each mostly goes on at a place of its own.
     */
    grove_status (*operations_encode)(const grove_document_type *type,
                                      grove_operations operations,
                                      grove_type_buffers *buffers,
                                      grove_error *error_out);
    /*
     * The way back: appends grove_operation records in the same order to
     * `operations_out` (a buffer of them). Their counts add up to
     * `event_count`, or it is GROVE_CORRUPT. Contents point into
     * `frames.content`, or into `scratch_out`, which has to live as long; a
     * type that appends to it reserves all it needs before it takes a pointer.
     *
     * Merging needs kinds, counts and positions, but no contents. Where
     * `frames.is_content_left_out` is set, the operations are the same but
     * for their contents, which have to be empty, also those that come from
     * `frames.structure`; what can only be checked against the content then
     * goes unchecked.
     */
    grove_status (*operations_decode)(const grove_document_type *type,
                                      grove_type_frames frames, uint64_t event_count,
                                      grove_buffer *operations_out,
                                      grove_buffer *scratch_out, grove_error *error_out);

    /* The state of a document without events. */
    grove_status (*state_new)(const grove_document_type *type,
                              const grove_allocator *allocator, void **state_out);
    void (*state_free)(const grove_document_type *type, void *state);
    /*
     * Applies operations in causal order. Without GROVE_TYPE_CONCURRENT each
     * is made on exactly the state before it. An operation that does not fit
     * the state (a position beyond the end) is GROVE_CORRUPT, with its index
     * as the offset; the state is then as before the first. After
     * GROVE_NO_MEMORY it may hold some of the operations, if there are several.
     * `stamps` are empty unless the type is timed.
     */
    grove_status (*state_apply)(const grove_document_type *type, void *state,
                                grove_operations operations, grove_stamps stamps,
                                grove_error *error_out);
    /* GROVE_NONE: no snapshot can be made of this state now (the application
     * has not handed one in); the buffers are untouched. */
    grove_status (*state_encode)(const grove_document_type *type, const void *state,
                                 grove_type_buffers *buffers, grove_error *error_out);
    grove_status (*state_decode)(const grove_document_type *type,
                                 const grove_allocator *allocator,
                                 grove_type_frames frames, void **state_out,
                                 grove_error *error_out);
    /* Bytes that state_encode would write, roughly, at O(1). */
    uint64_t (*state_bytes)(const grove_document_type *type, const void *state);
};

/* `operations_encode` and `_decode` for types with a schema. An operation
 * that grove_schema_operation_check refuses is refused by encode as well. */
GROVE_API grove_status grove_schema_operations_encode(const grove_document_type *type,
                                                      grove_operations operations,
                                                      grove_type_buffers *buffers,
                                                      grove_error *error_out);
GROVE_API grove_status grove_schema_operations_decode(
    const grove_document_type *type, grove_type_frames frames, uint64_t event_count,
    grove_buffer *operations_out, grove_buffer *scratch_out, grove_error *error_out);
/*
 * `operation_check` for types with a schema: kind, count 1, position 0 unless
 * it has a meaning, fields that fill the content exactly. GROVE_INVALID;
 * GROVE_LIMIT: a content of more than GROVE_CONTENT_BYTES_MAX bytes.
 */
GROVE_API grove_status grove_schema_operation_check(const grove_document_type *type,
                                                    const grove_operation *operation,
                                                    grove_error *error_out);

/* `operation_join` and `operation_cut` for types with a schema: operations of
 * one event each are never joined, and so never cut. */
GROVE_API bool grove_schema_operation_join(const grove_document_type *type,
                                           grove_operation *last,
                                           const grove_operation *next);
GROVE_API_VOID void grove_schema_operation_cut(const grove_document_type *type,
                                               const grove_operation *operation,
                                               uint32_t count, grove_operation *first_out,
                                               grove_operation *rest_out);

/* The built-in types; static. */
GROVE_API const grove_document_type *grove_type_text(void);
GROVE_API const grove_document_type *grove_type_opaque(void);
GROVE_API const grove_document_type *grove_type_tree(void);

#ifdef __cplusplus
}
#endif

#endif
