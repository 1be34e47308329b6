/*
 * The state of an opaque document: what the application handed in last, and
 * the payloads of the events after it.
 */
#ifndef GROVE_DOCUMENT_OPAQUE_TYPE_H
#define GROVE_DOCUMENT_OPAQUE_TYPE_H

#include <grove/sys/document_type.h>

typedef struct grove__opaque {
    grove_buffer state;
    bool is_set;
    /* Payloads one after the other, and where each ends. */
    grove_buffer payloads;
    grove_buffer ends; /* size_t */
} grove__opaque;

static inline size_t grove__opaque_count(const grove__opaque *opaque)
{
    return opaque->ends.size / sizeof(size_t);
}

/* `index` is below the count. */
grove_bytes grove__opaque_payload(const grove__opaque *opaque, size_t index);

/* Replaces the state and drops the payloads. GROVE_NO_MEMORY: as it was. */
grove_status grove__opaque_set(grove__opaque *opaque, grove_bytes state);

#endif
