/*
 * What is written in documents: each payload, and each line of a text, says in
 * which document it is, whose it is, its number, what its author knew of
 * another one, and bears a checksum over all of it.
 */
#ifndef GROVE_STRESS_CONTENT_H
#define GROVE_STRESS_CONTENT_H

#include <grove/types.h>

typedef struct stress_label {
    uint32_t document;
    uint32_t author;
    uint32_t number;
    /* An event that came before this one; the event itself: none. */
    uint32_t cause_author;
    uint32_t cause_number;
} stress_label;

enum {
    /* A line is 32 code points: five numbers, four to fill, five for the
     * checksum, and the end of the line. */
    LINE_POINTS = 32,
    LINE_BYTES_MAX = 48,
    PAYLOAD_BYTES_MIN = 32,
    PAYLOAD_BYTES_MAX = 8192
};

uint64_t stress_hash(const void *bytes, size_t size, uint64_t seed);

/* Writes a payload of `size` bytes. */
void payload_make(const stress_label *label, size_t size, uint8_t *bytes_out);
/* False: it is none that was made here. */
bool payload_parse(grove_bytes payload, stress_label *label_out);

/* Returns the bytes of the line. */
size_t line_make(const stress_label *label, char line_out[LINE_BYTES_MAX]);
/* Reads the line that the text begins with; false: it begins with none. */
bool line_parse(grove_bytes text, stress_label *label_out, size_t *bytes_out);

/* What an event adds to the sum of a replica's: by its sequence and content. */
uint64_t event_hash_payload(uint64_t sequence, grove_bytes payload);
uint64_t event_hash_deletion(uint64_t sequence);
/* The sum over the events of an insertion, one for each code point. */
uint64_t event_hash_insertion(uint64_t sequence, grove_bytes utf8);

#endif
