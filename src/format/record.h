/*
 * Small records: fixed fields, big-endian, each ending in the XXH3-64 of all
 * bytes before it. The seed is the record's kind, so that one in the place of
 * another shows.
 */
#ifndef GROVE_FORMAT_RECORD_H
#define GROVE_FORMAT_RECORD_H

#include <grove/sys/bytes.h>

/*
 * The store's own record: table `store`, key "store".
 *   0   4  format of the store: 1
 *   4   8  incarnation
 *   12  8  created, ms since 1970 UTC
 *   20  8  place: which copy of the store this is; the backend's number
 *   28  8  boot: since when the machine runs in which the store is, or was,
 *          used with a durability other than full; the backend's number, 0
 *          when it is not used so
 *   36  1  the least durability since: 0 full, 1 relaxed, 2 none
 *   37  8  checksum, seed 1
 */
enum { GROVE__STORE_RECORD_BYTES = 45, GROVE__STORE_FORMAT = 1 };

typedef struct grove__store_record {
    uint32_t format;
    uint64_t incarnation;
    int64_t created;
    uint64_t place;
    uint64_t boot;
    grove_durability durability;
} grove__store_record;

void grove__store_record_encode(const grove__store_record *record,
                                uint8_t bytes_out[GROVE__STORE_RECORD_BYTES]);
/* GROVE_CORRUPT; GROVE_FORMAT_NEWER. */
grove_status grove__store_record_decode(grove_bytes bytes,
                                        grove__store_record *record_out,
                                        grove_error *error_out);

/*
 * What is stored of a document: table `meta`.
 *   0    1   format of the record: 1
 *   1    16  name of the type, padded with zeros, at least one
 *   17   4   format of the type
 *   21   8   incarnation of the document
 *   29   8   revision: counts every change of what is stored
 *   37   8   events: clocks 0 to events - 1 are taken
 *   45   8   base clock: events before it were removed
 *   53   8   batches
 *   61   8   bytes of their blocks
 *   69   8   snapshots
 *   77   8   bytes of their blocks
 *   85   8   clock of the newest snapshot, 2^64 - 1 for none
 *   93   8   bytes of its block
 *   101  8   sealed clock: a seal packed the events before it
 *   109  8   events in table `pending`
 *   117  8   checksum, seed 2
 */
enum { GROVE__META_RECORD_BYTES = 125 };

#define GROVE__NO_SNAPSHOT UINT64_MAX

typedef struct grove__meta_record {
    char type_name[GROVE_TYPE_NAME_BYTES_MAX + 1];
    uint32_t type_format;
    uint64_t incarnation;
    uint64_t revision;
    uint64_t events;
    uint64_t base_clock;
    uint64_t batches;
    uint64_t batch_bytes;
    uint64_t snapshots;
    uint64_t snapshot_bytes;
    uint64_t snapshot_clock;
    uint64_t newest_snapshot_bytes;
    uint64_t sealed_clock;
    uint64_t pending;
} grove__meta_record;

void grove__meta_record_encode(const grove__meta_record *record,
                               uint8_t bytes_out[GROVE__META_RECORD_BYTES]);
/* GROVE_CORRUPT, also for clocks that contradict each other;
 * GROVE_FORMAT_NEWER. */
grove_status grove__meta_record_decode(grove_bytes bytes, grove__meta_record *record_out,
                                       grove_error *error_out);

/*
 * A run of one replica's events with consecutive clocks: table `replicas`.
 * The key has the first sequence.
 *   0   8  clock of the first event
 *   8   8  events
 *   16  8  checksum, seed 3
 */
enum { GROVE__RUN_RECORD_BYTES = 24 };

typedef struct grove__run_record {
    uint64_t clock;
    uint64_t count;
} grove__run_record;

void grove__run_record_encode(const grove__run_record *record,
                              uint8_t bytes_out[GROVE__RUN_RECORD_BYTES]);
grove_status grove__run_record_decode(grove_bytes bytes, grove__run_record *record_out,
                                      grove_error *error_out);

/*
 * What a commit touched: table `commits`, as the commit was made.
 *   0   1  format of the record: 1
 *   1   .. time, ms since 1970 UTC, zigzag LEB128
 *   ..  .. size of the meta, LEB128, and the meta: bytes of the caller's
 *   ..  .. number of things touched, LEB128; for each:
 *            1   kind: 0 group, 1 document
 *            ..  size of the name, LEB128, and the name
 *            ..  for a document: first clock and count of the events it got,
 *                LEB128; 0 and 0 when it was deleted
 *   ..  8  checksum, seed 4
 */
typedef enum grove__touch_kind {
    GROVE__TOUCH_GROUP = 0,
    GROVE__TOUCH_DOCUMENT = 1
} grove__touch_kind;

typedef struct grove__touch {
    grove__touch_kind kind;
    grove_bytes name;
    uint64_t first_clock;
    uint64_t count;
} grove__touch;

/* Appends; the caller checks `record_out` for failure. */
void grove__commit_record_encode(int64_t time, grove_bytes meta,
                                 const grove__touch *touches, size_t touch_count,
                                 grove_buffer *record_out);
/* Appends grove__touch records, whose names borrow from `bytes`, as does the
 * meta. GROVE_CORRUPT; GROVE_FORMAT_NEWER; GROVE_NO_MEMORY. */
grove_status grove__commit_record_decode(grove_bytes bytes, int64_t *time_out,
                                         grove_bytes *meta_out, grove_buffer *touches_out,
                                         grove_error *error_out);

/*
 * How far commits have aged, and how long they are kept: table `store`, key
 * "aging". A store without it has aged none and keeps all.
 *   0   1  format of the record: 1
 *   1   8  aged: commits up to this number are in table `clocks`, and packed or
 *          removed
 *   9   8  commits kept at most, 0 for all
 *   17  8  ms for which they are kept at most, 0 for ever
 *   25  8  checksum, seed 5
 */
enum { GROVE__AGING_RECORD_BYTES = 33 };

typedef struct grove__aging_record {
    uint64_t aged;
    uint64_t commits_max;
    uint64_t age_ms_max;
} grove__aging_record;

void grove__aging_record_encode(const grove__aging_record *record,
                                uint8_t bytes_out[GROVE__AGING_RECORD_BYTES]);
/* GROVE_CORRUPT; GROVE_FORMAT_NEWER. */
grove_status grove__aging_record_decode(grove_bytes bytes,
                                        grove__aging_record *record_out,
                                        grove_error *error_out);

/*
 * The incarnations that a store had: table `store`, key "incarnations". A store
 * without it has had one, that of its record.
 *   0   1     format of the record: 1
 *   1   4     how many, 1 to GROVE_INCARNATIONS_MAX
 *   5   16*n  each: the first commit made in it (8), the incarnation (8);
 *             first commits ascend
 *   ..  8     checksum, seed 6
 */
typedef struct grove__incarnation {
    uint64_t first_commit;
    uint64_t incarnation;
} grove__incarnation;

/* Appends; the caller checks `record_out` for failure. */
void grove__incarnations_record_encode(const grove__incarnation *items, size_t count,
                                       grove_buffer *record_out);
/* Appends grove__incarnation records. GROVE_CORRUPT; GROVE_FORMAT_NEWER;
 * GROVE_NO_MEMORY. */
grove_status grove__incarnations_record_decode(grove_bytes bytes, grove_buffer *items_out,
                                               grove_error *error_out);

#endif
