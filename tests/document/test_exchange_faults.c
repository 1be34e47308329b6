/*
 * Each allocation of an exchange fails once: of an export, an import that
 * merges, one that makes events wait, one that adopts, and of a save with
 * events that wait. The handle is as it was, or says that it has failed;
 * nothing leaks, and the next try goes through.
 */
#include "support/exchange.h"
#include "support/faulty_allocator.h"

/* What stores without faults have exported for the one with them. */
typedef struct parcel {
    exported base;     /* what it has from the start */
    exported late;     /* depends on `missing` */
    exported missing;  /* depends on `base` alone */
    exported snapshot; /* has all that, and more */
} parcel;

static void parcel_make(parcel *made)
{
    peer a;
    peer b;
    peer_init(&a, "memory", "aa", NULL);
    peer_init(&b, "memory", "bb", NULL);
    peer_write(&a, 0, "base");
    made->base = peer_export(&a, NULL);
    (void)peer_bring(&a, &b);
    peer_save(&b);
    peer_write(&b, 4, "b");
    made->missing = peer_export(&b, &a);
    (void)peer_bring(&b, &a);
    peer_write(&a, 5, "a");
    made->late = peer_export(&a, &b);
    peer_compact(&a, 0);
    peer_write(&a, 6, " more");
    made->snapshot = peer_export(&a, NULL);
    peer_release(&a);
    peer_release(&b);
}

static void parcel_free(parcel *made)
{
    exported_free(&made->base);
    exported_free(&made->late);
    exported_free(&made->missing);
    exported_free(&made->snapshot);
}

static grove_status import(peer *one, const exported *whole)
{
    return grove_document_import(one->document, exported_view(whole), NULL,
                                 &one->store.error);
}

static grove_status step_export(peer *one, const parcel *given)
{
    exported whole = {NULL, 0, 0, 0};
    (void)given;
    grove_status status = grove_document_export(one->document, NULL, exported_write,
                                                &whole, &one->store.error);
    exported_free(&whole);
    return status;
}

static grove_status step_wait(peer *one, const parcel *given)
{
    return import(one, &given->late);
}

static grove_status step_merge(peer *one, const parcel *given)
{
    return import(one, &given->missing);
}

static grove_status step_adopt(peer *one, const parcel *given)
{
    return import(one, &given->snapshot);
}

static grove_status step_save(peer *one, const parcel *given)
{
    (void)given;
    return grove_document_save(one->document, NULL, NULL, &one->store.error);
}

/* A step, and those that come before it without a fault. */
typedef struct scenario {
    const char *name;
    grove_status (*step)(peer *one, const parcel *given);
    bool own, waits, is_saved, merges;
} scenario;

static const scenario SCENARIOS[] = {
    {"export", step_export, .own = true, .waits = true, .is_saved = true},
    {"wait", step_wait, .own = true},
    {"merge", step_merge, .own = true},
    {"merge what waited", step_merge, .own = true, .waits = true},
    {"merge what waited in the store", step_merge, .own = true, .waits = true,
     .is_saved = true},
    {"adopt", step_adopt, .own = false},
    {"adopt beside what waits", step_adopt, .waits = true, .is_saved = true},
    {"save what waits", step_save, .own = true, .waits = true},
    {"save what waited", step_save, .waits = true, .is_saved = true, .merges = true},
};

static void prepare(peer *one, const scenario *is, const parcel *given)
{
    cr_assert_eq(import(one, &given->base), GROVE_OK);
    peer_save(one);
    if (is->own) {
        peer_write(one, 0, "own");
    }
    if (is->waits) {
        cr_assert_eq(step_wait(one, given), GROVE_OK);
    }
    if (is->is_saved) {
        peer_save(one);
        peer_reopen(one);
    }
    if (is->merges) {
        cr_assert_eq(step_merge(one, given), GROVE_OK);
    }
}

/* Whether the handle still serves; one that has failed is opened anew. */
static bool serves(peer *one)
{
    grove_version_vector vector;
    grove_status status =
        grove_document_version_vector(one->document, &vector, &one->store.error);
    if (status == GROVE_OK) {
        return true;
    }
    cr_assert_eq(status, GROVE_FAILED);
    peer_reopen(one);
    return false;
}

/* Takes the step with the nth allocation failing. False: there was none. */
static bool run_scenario(const scenario *is, const parcel *given, size_t nth,
                         peer_state *wanted)
{
    peer one;
    faulty_allocator faulty;
    faulty_allocator_init(&faulty, 0);
    peer_init_with(&one, "memory", "cc", NULL, &faulty.allocator);
    prepare(&one, is, given);
    peer_state before = peer_state_of(&one);
    faulty.calls = 0;
    faulty.fails_at = nth;
    grove_status status = is->step(&one, given);
    faulty.fails_at = 0;
    if (status != GROVE_OK) {
        cr_assert_eq(status, GROVE_NO_MEMORY, "%s, allocation %zu: %s", is->name, nth,
                     grove_status_name(status));
        cr_assert_eq(one.store.error.status, status);
        if (serves(&one)) {
            peer_state after = peer_state_of(&one);
            cr_assert(peer_states_equal(&before, &after), "%s, allocation %zu", is->name,
                      nth);
        }
        cr_assert_eq(is->step(&one, given), GROVE_OK, "%s, allocation %zu, again: %s",
                     is->name, nth, one.store.error.message);
    }
    peer_state now = peer_state_of(&one);
    if (nth == 0) {
        *wanted = now;
    }
    cr_assert(peer_states_equal(wanted, &now), "%s, allocation %zu: \"%s\"", is->name,
              nth, now.text);
    peer_save(&one);
    peer_reopen(&one);
    peer_state stored = peer_state_of(&one);
    cr_assert_str_eq(stored.text, wanted->text);
    cr_assert_eq(stored.waiting, wanted->waiting);
    peer_release(&one);
    faulty_allocator_finish(&faulty);
    return faulty.has_failed;
}

Test(exchange_faults, each_allocation_fails_once, .timeout = 300)
{
    parcel given;
    parcel_make(&given);
    for (size_t index = 0; index < sizeof SCENARIOS / sizeof *SCENARIOS; index++) {
        peer_state wanted;
        size_t nth = 0;
        (void)run_scenario(&SCENARIOS[index], &given, nth, &wanted);
        do {
            nth++;
        } while (run_scenario(&SCENARIOS[index], &given, nth, &wanted));
        cr_assert_gt(nth, 5, "%s", SCENARIOS[index].name);
    }
    parcel_free(&given);
}
