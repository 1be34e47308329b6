/* The few types that everything else speaks in. */
#ifndef GROVE_TYPES_H
#define GROVE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <grove/limits.h>
#include <grove/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Borrowed bytes: `size` of them at `data`. NUL has no meaning. `data` may be
 * NULL only when `size` is 0. How long they may be used is said where they
 * are handed out.
 */
typedef struct grove_bytes {
    const uint8_t *data;
    size_t size;
} grove_bytes;

/* The bytes of a C string, without its NUL. Borrows the string. */
static inline grove_bytes grove_bytes_of(const char *string)
{
    grove_bytes bytes;
    bytes.data = (const uint8_t *)string;
    bytes.size = strlen(string);
    return bytes;
}

/*
 * Whoever makes events: 1 to GROVE_REPLICA_BYTES_MAX opaque bytes. Two writers
 * never share one at the same time. `size` 0 means "none given". Bytes beyond
 * `size` have no meaning.
 */
typedef struct grove_replica {
    uint8_t size;
    uint8_t bytes[GROVE_REPLICA_BYTES_MAX];
} grove_replica;

/* The identity of an event: the replica's `sequence`-th event, from 0. */
typedef struct grove_event_id {
    grove_replica replica;
    uint64_t sequence;
} grove_event_id;

/*
 * One operation that `count` consecutive events make together, as the
 * document type defines it: for a text, `count` characters typed from
 * `position` on; for an opaque document one event with a payload.
 */
typedef struct grove_operation {
    uint32_t kind;
    /* Events this operation stands for; at least 1. */
    uint32_t count;
    /* A number with a meaning of the type's; 0 where it has none. */
    uint64_t position;
    /* Bytes with a meaning of the type's. */
    grove_bytes content;
} grove_operation;

/*
 * A run of events as they are handed in and out: the first has the id `first`
 * and the given parents; each further one has the next sequence and the one
 * before it as its only parent. All share one timestamp. The run has
 * `operation.count` events.
 */
typedef struct grove_event_run {
    grove_event_id first;
    const grove_event_id *parents;
    size_t parent_count;
    /* Milliseconds since 1970-01-01T00:00:00Z. */
    int64_t timestamp;
    grove_operation operation;
} grove_event_run;

/*
 * Where memory comes from. All functions are called with `context`, from any
 * thread that uses the store. The table is borrowed until the store is
 * closed.
 */
typedef struct grove_allocator {
    void *context;
    /* `bytes` > 0 bytes aligned for any type, or NULL. */
    void *(*allocate)(void *context, size_t bytes);
    /* As realloc, with the old size given; `memory` is not NULL. */
    void *(*reallocate)(void *context, void *memory, size_t bytes_old, size_t bytes_new);
    /* Gives back what the other two gave, with its size. Accepts NULL. */
    void (*deallocate)(void *context, void *memory, size_t bytes);
} grove_allocator;

/* The time, in milliseconds since 1970-01-01T00:00:00Z. */
typedef struct grove_clock {
    void *context;
    int64_t (*now)(void *context);
} grove_clock;

/*
 * Unpredictable bytes, for replica ids and incarnations. Fills `size` bytes
 * and returns true, or returns false when it cannot.
 */
typedef struct grove_random {
    void *context;
    bool (*fill)(void *context, void *bytes, size_t size);
} grove_random;

/* Bytes of a digest: BLAKE2b-256 (RFC 7693). */
#define GROVE_DIGEST_BYTES 32

/* How a commit survives. See docs/ARCHITECTURE.md, "Durability". */
typedef enum grove_durability {
    /* Acknowledged means on disk. */
    GROVE_DURABILITY_FULL = 0,
    /* A power cut may take the last commits; the store stays whole. */
    GROVE_DURABILITY_RELAXED = 1,
    /* A power cut may take everything. Only for tests and scratch data. */
    GROVE_DURABILITY_NONE = 2
} grove_durability;

#ifdef __cplusplus
}
#endif

#endif
