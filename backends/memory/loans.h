/*
 * What a transaction has handed out: copies that are overwritten and given
 * back the moment the caller may no longer use them (C6), so that a caller
 * who still does reads nonsense, and under AddressSanitizer is stopped.
 *
 *   L1  Every loan begins at an odd address: nobody was promised alignment.
 *   L2  Fresh room and ended loans hold GROVE__LOANS_POISON in every byte, so
 *       that room the caller did not fill shows as well.
 *   L3  A loan of no bytes is NULL: nobody was promised a pointer.
 */
#ifndef GROVE_MEMORY_LOANS_H
#define GROVE_MEMORY_LOANS_H

#include <grove/types.h>

enum { GROVE__LOANS_POISON = 0xDB };

typedef struct grove__loan grove__loan;

typedef struct grove__loans {
    const grove_allocator *allocator;
    grove__loan *last;
} grove__loans;

void grove__loans_init(grove__loans *loans, const grove_allocator *allocator);
/* Lends a copy of `bytes` until grove__loans_end. GROVE_NO_MEMORY. */
grove_status grove__loans_lend(grove__loans *loans, grove_bytes bytes,
                               grove_bytes *loan_out);
/* Lends room; never NULL. GROVE_NO_MEMORY. */
grove_status grove__loans_lend_room(grove__loans *loans, size_t size, uint8_t **room_out);
/* Poisons everything that is lent, and takes it back. */
void grove__loans_end(grove__loans *loans);

#endif
