#include "loans.h"

struct grove__loan {
    grove__loan *before;
    size_t size;
    /* One byte that makes the address odd (L1), then what is lent. */
    uint8_t bytes[];
};

static size_t loan_bytes(size_t size)
{
    return sizeof(grove__loan) + 1 + size;
}

void grove__loans_init(grove__loans *loans, const grove_allocator *allocator)
{
    loans->allocator = allocator;
    loans->last = NULL;
}

grove_status grove__loans_lend_room(grove__loans *loans, size_t size, uint8_t **room_out)
{
    grove__loan *loan =
        loans->allocator->allocate(loans->allocator->context, loan_bytes(size));
    if (loan == NULL) {
        return GROVE_NO_MEMORY;
    }
    loan->before = loans->last;
    loan->size = size;
    memset(loan->bytes, GROVE__LOANS_POISON, 1 + size);
    loans->last = loan;
    *room_out = loan->bytes + 1;
    return GROVE_OK;
}

grove_status grove__loans_lend(grove__loans *loans, grove_bytes bytes,
                               grove_bytes *loan_out)
{
    grove_bytes loan = {NULL, 0};
    if (bytes.size > 0) {
        uint8_t *room;
        grove_status status = grove__loans_lend_room(loans, bytes.size, &room);
        if (status != GROVE_OK) {
            return status;
        }
        memcpy(room, bytes.data, bytes.size);
        loan.data = room;
        loan.size = bytes.size;
    }
    *loan_out = loan;
    return GROVE_OK;
}

void grove__loans_end(grove__loans *loans)
{
    while (loans->last != NULL) {
        grove__loan *loan = loans->last;
        size_t bytes = loan_bytes(loan->size);
        loans->last = loan->before;
        memset(loan, GROVE__LOANS_POISON, bytes);
        loans->allocator->deallocate(loans->allocator->context, loan, bytes);
    }
}
