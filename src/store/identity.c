#include "store/identity.h"

#include "base/error.h"
#include "base/hash.h"
#include "commit/commit.h"
#include "commit/incarnations.h"
#include "store/loading.h"

enum { ATTEMPTS_MAX = 64 };

/* No document's: their names are hashed with another seed. */
static uint64_t loose_name(void)
{
    return grove__hash(grove_bytes_of("loose"), 1);
}

static grove_bytes store_key(void)
{
    return grove_bytes_of("store");
}

static grove_status read_record(grove_store *store, grove__store_record *record_out,
                                grove_error *error_out)
{
    grove__txn txn;
    grove_status status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_bytes bytes;
    status = grove__kv_get(&txn, GROVE__TABLE_STORE, store_key(), &bytes, error_out);
    if (status == GROVE_OK) {
        status = grove__store_record_decode(bytes, record_out, error_out);
    } else if (status == GROVE_NONE) {
        status = grove__loading_look(&txn, error_out);
    }
    grove__txn_abort(&txn);
    return status;
}

static grove_status append_incarnation(grove_store *store, uint64_t incarnation,
                                       grove__write_set *set, grove_error *error_out)
{
    grove__txn txn;
    grove_status status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status == GROVE_OK) {
        status = grove__incarnations_append(&txn, incarnation, set, error_out);
        grove__txn_abort(&txn);
    }
    return status;
}

/* Which commit was the last before the present incarnation. */
static grove_status find_renewal(grove_store *store, grove_error *error_out)
{
    grove__txn txn;
    grove_buffer list;
    grove_status status = grove__txn_begin(&store->kv, GROVE_TXN_READ, &txn, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_buffer_init(&list, store->allocator);
    status = grove__incarnations_read(&txn, &list, error_out);
    if (status == GROVE_OK) {
        size_t count = list.size / sizeof(grove__incarnation);
        const grove__incarnation *items =
            (const grove__incarnation *)(const void *)list.data;
        uint64_t first = items[count - 1].first_commit;
        store->renewed_after = first > 0 ? first - 1 : 0;
    }
    grove_buffer_release(&list);
    grove__txn_abort(&txn);
    return status;
}

/* Puts `after` in the place of `before`; NULL: there is none. `is_alone`: only
 * if nobody has the store open in a mode that may lose commits. */
static grove_status replace(grove_store *store, const grove__store_record *before,
                            const grove__store_record *after, bool is_alone,
                            grove_error *error_out)
{
    grove_status status = GROVE_OK;
    uint8_t old[GROVE__STORE_RECORD_BYTES];
    uint8_t new[GROVE__STORE_RECORD_BYTES];
    grove_bytes expected = {old, sizeof old};
    grove__write_set set;
    grove__write_set_init(&set, store->allocator);
    if (before != NULL) {
        grove__store_record_encode(before, old);
    }
    grove__write_set_expect(&set, GROVE__TABLE_STORE, store_key(),
                            before != NULL ? &expected : NULL);
    grove__write_set_expect(&set, GROVE__TABLE_STORE, grove__loading_key(), NULL);
    if (is_alone) {
        grove__write_set_expect_pins(&set, loose_name(), UINT64_MAX);
    }
    grove__store_record_encode(after, new);
    grove__write_set_put(&set, GROVE__TABLE_STORE, store_key(),
                         (grove_bytes){new, sizeof new});
    if (before != NULL && before->incarnation != after->incarnation) {
        status = append_incarnation(store, after->incarnation, &set, error_out);
    }
    /* What is full has to open to be made less so. */
    set.frees_space = true;
    if (status == GROVE_OK) {
        status = grove__commit(store, &set, NULL, error_out);
    }
    grove__write_set_release(&set);
    return status;
}

/* What the record has to be, given what it is; `wanted` begins as that. */
static grove_status revise(grove_store *store, const grove_store_options *options,
                           const grove_backend_identity *here,
                           grove__store_record *wanted, grove_error *error_out)
{
    bool is_copy = wanted->place != here->place;
    bool has_lost = wanted->boot != 0 && wanted->boot != here->boot;
    if (has_lost && wanted->durability == GROVE_DURABILITY_NONE &&
        !options->may_be_broken) {
        return grove__fail(error_out, GROVE_CORRUPT,
                           "the store was in use with GROVE_DURABILITY_NONE when the "
                           "machine went down, so it may be broken: salvage it, or set "
                           "may_be_broken");
    }
    if (is_copy || has_lost) {
        wanted->place = here->place;
        wanted->boot = 0;
        wanted->durability = GROVE_DURABILITY_FULL;
        grove_status status = grove__store_random(store, &wanted->incarnation,
                                                  sizeof wanted->incarnation, error_out);
        if (status != GROVE_OK) {
            return status;
        }
    }
    if (options->durability != GROVE_DURABILITY_FULL) {
        wanted->boot = here->boot;
        wanted->durability = options->durability > wanted->durability
                                 ? options->durability
                                 : wanted->durability;
    } else if (wanted->boot != 0 &&
               grove__kv_pin_least(&store->kv, loose_name()) == UINT64_MAX) {
        wanted->boot = 0;
        wanted->durability = GROVE_DURABILITY_FULL;
        return grove__kv_sync(&store->kv, error_out);
    }
    return GROVE_OK;
}

/* One attempt. GROVE_CONFLICT: somebody else did the same. */
static grove_status settle_once(grove_store *store, const grove_store_options *options,
                                const grove_backend_identity *here,
                                grove_error *error_out)
{
    grove__store_record found;
    bool is_loose = options->durability != GROVE_DURABILITY_FULL;
    grove_status status = read_record(store, &found, error_out);
    bool is_new = status == GROVE_NONE && !options->must_exist;
    if (is_new) {
        found = (grove__store_record){.format = GROVE__STORE_FORMAT,
                                      .created = grove__store_now(store),
                                      .place = here->place};
        status = grove__store_random(store, &found.incarnation, sizeof found.incarnation,
                                     error_out);
    }
    grove__store_record wanted = found;
    if (status == GROVE_OK) {
        status = revise(store, options, here, &wanted, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    /* With a mode that may lose commits it is written in any case: whoever
     * takes the mark off at the same moment then meets our pin. */
    bool is_marked = wanted.boot != 0 && wanted.boot == found.boot && !is_new;
    if (is_new || is_loose || wanted.incarnation != found.incarnation ||
        wanted.boot != found.boot) {
        status = replace(store, is_new ? NULL : &found, &wanted,
                         !is_new && found.boot != 0 && wanted.boot == 0 &&
                             wanted.incarnation == found.incarnation,
                         error_out);
    }
    if (status == GROVE_OK && is_loose && !is_marked) {
        status = grove__kv_sync(&store->kv, error_out);
    }
    if (status == GROVE_OK) {
        store->incarnation = wanted.incarnation;
    }
    return status;
}

grove_status grove__identity_settle(grove_store *store,
                                    const grove_store_options *options,
                                    grove_error *error_out)
{
    grove_backend_identity here;
    grove_status status = grove__kv_identity(&store->kv, &here, error_out);
    if (status == GROVE_OK && options->durability != GROVE_DURABILITY_FULL) {
        status =
            grove__kv_pin_open(&store->kv, loose_name(), 0, &store->loose_pin, error_out);
    }
    if (status != GROVE_OK) {
        return status;
    }
    status = GROVE_CONFLICT;
    for (int attempts = 0; status == GROVE_CONFLICT && attempts < ATTEMPTS_MAX;
         attempts++) {
        status = settle_once(store, options, &here, error_out);
    }
    if (status == GROVE_OK) {
        status = find_renewal(store, error_out);
    }
    if (status == GROVE_CONFLICT) {
        status = grove__fail(error_out, GROVE_BUSY,
                             "others changed the store's record before each of %d "
                             "attempts",
                             ATTEMPTS_MAX);
    }
    if (status != GROVE_OK && store->loose_pin != 0) {
        grove__kv_pin_close(&store->kv, store->loose_pin);
        store->loose_pin = 0;
    }
    return status;
}

grove_status grove__identity_look(grove_store *store, grove_error *error_out)
{
    grove__store_record found;
    grove_status status = read_record(store, &found, error_out);
    if (status == GROVE_OK) {
        store->incarnation = found.incarnation;
    }
    bool is_looked_at =
        status == GROVE_NONE || status == GROVE_CORRUPT || status == GROVE_INVALID;
    return is_looked_at ? GROVE_OK : status;
}

grove_status grove__identity_clear(grove_store *store, grove_error *error_out)
{
    grove__store_record found;
    grove_status status = read_record(store, &found, error_out);
    if (status == GROVE_OK && found.boot != 0) {
        grove__store_record cleared = found;
        cleared.boot = 0;
        cleared.durability = GROVE_DURABILITY_FULL;
        status = replace(store, &found, &cleared, true, error_out);
    }
    return status;
}

void grove__identity_leave(grove_store *store)
{
    if (store->loose_pin == 0) {
        return;
    }
    /* Nobody is told of a failure: the mark then stays, which only costs an
     * incarnation. */
    bool is_whole = grove__kv_sync(&store->kv, NULL) == GROVE_OK;
    grove__kv_pin_close(&store->kv, store->loose_pin);
    store->loose_pin = 0;
    if (is_whole && grove__identity_clear(store, NULL) == GROVE_OK) {
        (void)grove__kv_sync(&store->kv, NULL);
    }
}
