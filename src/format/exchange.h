/*
 * What one store writes for another: "GROVE_EX". docs/FORMAT.md, "Exchange",
 * is normative.
 *
 * A header, then items, each with its kind and size in front:
 *
 *   offset  size  meaning                    offset  size  meaning
 *   0       8     "GROVE_EX"                 0       1     kind, below
 *   8       1     version: 1                 1       8     bytes of the payload
 *   9       16    type, padded with zeros    9       ..    payload
 *   25      4     format of the type
 *   29      8     XXH3-64 of all before
 *
 * In this order: either nothing, or the ids of all events whose history was
 * removed and a snapshot that has them; batches; the end, whose payload is the
 * number of events in the batches.
 *
 * These are bytes of a peer: every fault is GROVE_MALFORMED with its offset.
 */
#ifndef GROVE_FORMAT_EXCHANGE_H
#define GROVE_FORMAT_EXCHANGE_H

#include <grove/sys/bytes.h>

typedef enum grove__exchange_kind {
    GROVE__EXCHANGE_END = 0,
    GROVE__EXCHANGE_IDS = 1,
    GROVE__EXCHANGE_SNAPSHOT = 2,
    GROVE__EXCHANGE_BATCH = 3
} grove__exchange_kind;

typedef struct grove__exchange_header {
    char type_name[GROVE_TYPE_NAME_BYTES_MAX + 1];
    uint32_t type_format;
} grove__exchange_header;

typedef struct grove__exchange_item {
    grove__exchange_kind kind;
    grove_bytes payload; /* borrowed from what is read */
    uint64_t offset;     /* of the payload */
} grove__exchange_item;

/* Append; the caller checks the buffer for failure. */
void grove__exchange_header_encode(const grove__exchange_header *header,
                                   grove_buffer *bytes_out);
/* What stands before a payload of so many bytes. */
void grove__exchange_item_encode(grove__exchange_kind kind, uint64_t payload_bytes,
                                 grove_buffer *bytes_out);
/* The last item, whole. */
void grove__exchange_end_encode(uint64_t events, grove_buffer *bytes_out);

/* Reads the header. GROVE_MALFORMED; GROVE_FORMAT_NEWER. */
grove_status grove__exchange_header_decode(grove_reader *reader,
                                           grove__exchange_header *header_out,
                                           grove_error *error_out);
/* Reads an item of a known kind; GROVE_MALFORMED also when bytes follow the
 * end. */
grove_status grove__exchange_item_decode(grove_reader *reader,
                                         grove__exchange_item *item_out,
                                         grove_error *error_out);
/* The number in the payload of the end. */
grove_status grove__exchange_end_decode(const grove__exchange_item *item,
                                        uint64_t *events_out, grove_error *error_out);

/* Events of one replica, in the order of clocks from 0 on. */
typedef struct grove__exchange_run {
    uint32_t replica; /* index into the replicas */
    uint64_t sequence;
    uint64_t count;
} grove__exchange_run;

/*
 * The payload of ids: replicas (their number as LEB128; for each its size in
 * one byte and itself), runs (their number; for each the index of its replica
 * and its count, LEB128), and the XXH3-64 of all that. A run's sequence is
 * where the replica's run before it ended. Appends; check for failure.
 */
void grove__exchange_ids_encode(const grove_replica *replicas, size_t replica_count,
                                const grove__exchange_run *runs, size_t run_count,
                                grove_buffer *bytes_out);
/*
 * Appends grove_replica and grove__exchange_run records; *events_out is the sum
 * of the counts. GROVE_MALFORMED: also a replica without events, or a run
 * that could be one with the run before; whether a replica is named twice is
 * not looked at. GROVE_NO_MEMORY. At most some
 * 70 bytes are allocated for each byte of the payload.
 */
grove_status grove__exchange_ids_decode(const grove__exchange_item *item,
                                        const grove_allocator *allocator,
                                        grove_buffer *replicas_out,
                                        grove_buffer *runs_out, uint64_t *events_out,
                                        grove_error *error_out);

#endif
