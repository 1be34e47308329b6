/*
 * Typed keys as bytes whose order is the order of the types.
 *
 *   number   8 bytes, big-endian
 *   bytes    groups of 9: eight bytes of the string (the last group padded
 *            with zeros), then a mark: 9 when more groups follow, else how
 *            many of the eight belong to the string (0 to 8; a string that
 *            fills its last group exactly ends with mark 8; the empty string
 *            is one group with mark 0).
 *
 * No encoded string is a prefix of another, order is kept for any bytes, and
 * a string of n bytes never takes more than 9 x ceil(n / 8) (9 for n = 0), so
 * a document's id and a replica's fit one key of every backend: escaping NULs
 * would double the worst case. The coding is known as "memcomparable" from
 * MyRocks (MySQL on RocksDB).
 *
 *   table      key
 *   meta       document
 *   events     document, batch (the clock of its first event) [, part]
 *   snapshots  document, clock [, part]
 *   replicas   document, replica, first sequence of a run
 *   pending    document, replica, sequence
 *   groups     name [, part]
 *   commits    commit
 *   clocks     document, commit
 *
 * Part numbers are appended by kv/value.
 */
#ifndef GROVE_FORMAT_KEY_H
#define GROVE_FORMAT_KEY_H

#include <grove/sys/bytes.h>

#define GROVE__KEY_BYTES_MAX 384

typedef struct grove__key {
    size_t size;
    uint8_t bytes[GROVE__KEY_BYTES_MAX];
} grove__key;

static inline grove_bytes grove__key_view(const grove__key *key)
{
    grove_bytes view = {key->bytes, key->size};
    return view;
}

/* GROVE_INVALID: empty. GROVE_LIMIT: longer than GROVE_DOCUMENT_ID_BYTES_MAX
 * (or GROVE_GROUP_NAME_BYTES_MAX, GROVE_REPLICA_BYTES_MAX); the error names
 * the limit. */
grove_status grove__key_check_document(grove_bytes document, grove_error *error_out);
grove_status grove__key_check_group(grove_bytes name, grove_error *error_out);
grove_status grove__key_check_replica(const grove_replica *replica,
                                      grove_error *error_out);

/* Building: strings must have been checked. */
void grove__key_of_document(grove__key *key_out, grove_bytes document);
void grove__key_of_group(grove__key *key_out, grove_bytes name);
/* <document, clock>: batches and snapshots. */
void grove__key_of_clock(grove__key *key_out, grove_bytes document, uint64_t clock);
/* <document, commit>: how far the document went in commits. */
void grove__key_of_document_commit(grove__key *key_out, grove_bytes document,
                                   uint64_t commit);
/* <document, replica>: the prefix of all runs of a replica. */
void grove__key_of_replica(grove__key *key_out, grove_bytes document,
                           const grove_replica *replica);
/* <document, replica, sequence>. */
void grove__key_of_event(grove__key *key_out, grove_bytes document,
                         const grove_replica *replica, uint64_t sequence);
void grove__key_of_commit(grove__key *key_out, uint64_t commit);
/* Appends a number. */
void grove__key_add_number(grove__key *key, uint64_t number);
/*
 * The bytes with which the keys of all strings that begin with `prefix` (of
 * any length up to 240, also 0) begin. Only a prefix that ends in NULs shares
 * them with others: with what it is without some of these NULs, whose keys
 * lie before that of `prefix` itself. A scan from the key of `prefix` on, for
 * as long as keys begin with these bytes, thus meets the right ones only.
 */
void grove__key_of_prefix(grove__key *key_out, grove_bytes prefix);

/*
 * Taking apart. A string replaces what its buffer holds. Every fault is
 * GROVE_CORRUPT with its offset: a short group, a mark over 9, a last group
 * that adds nothing, padding that is not zero, a string that is empty or too
 * long, a clock or sequence beyond GROVE_DOCUMENT_EVENTS_MAX, bytes left over.
 * Also GROVE_NO_MEMORY. Outputs are then untouched.
 */
/* The document or the group that any key begins with; what follows is not
 * looked at. */
grove_status grove__key_parse_name(grove_bytes key, grove_buffer *name_out,
                                   grove_error *error_out);
grove_status grove__key_parse_document(grove_bytes key, grove_buffer *document_out,
                                       grove_error *error_out);
grove_status grove__key_parse_clock(grove_bytes key, grove_buffer *document_out,
                                    uint64_t *clock_out, grove_error *error_out);
/* <document, clock, part> */
grove_status grove__key_parse_clock_part(grove_bytes key, grove_buffer *document_out,
                                         uint64_t *clock_out, uint64_t *part_out,
                                         grove_error *error_out);
grove_status grove__key_parse_event(grove_bytes key, grove_buffer *document_out,
                                    grove_replica *replica_out, uint64_t *sequence_out,
                                    grove_error *error_out);
/* <name, part> */
grove_status grove__key_parse_group_part(grove_bytes key, grove_buffer *name_out,
                                         uint64_t *part_out, grove_error *error_out);
grove_status grove__key_parse_commit(grove_bytes key, uint64_t *commit_out,
                                     grove_error *error_out);

#endif
