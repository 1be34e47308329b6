#include "lmdb_gate.h"

#define MS UINT64_C(1000000)
/* How long an offer stands: some time slices of a busy machine. */
#define OFFER_NS (20 * MS)
/* How often a waiter looks whether the holder lives and the heir came. */
#define LOOK_NS (20 * MS)

#define NO_WAITER UINT32_MAX

/* The oldest waiter that is not known to be away. */
static uint32_t oldest_waiter(const grove__gate *gate)
{
    uint32_t oldest = NO_WAITER;
    for (uint32_t index = 0; index < GROVE__WAITERS_MAX; index++) {
        const grove__gate_waiter *waiter = &gate->waiters[index];
        if (waiter->owner != 0 && waiter->is_absent == 0 &&
            (oldest == NO_WAITER || waiter->ticket < gate->waiters[oldest].ticket)) {
            oldest = index;
        }
    }
    return oldest;
}

static uint32_t add_waiter(grove__control *control)
{
    grove__gate *gate = &control->map->gate;
    for (uint32_t index = 0; index < GROVE__WAITERS_MAX; index++) {
        grove__gate_waiter *waiter = &gate->waiters[index];
        if (waiter->owner == 0) {
            waiter->ticket = gate->tickets++;
            waiter->is_absent = 0;
            waiter->owner = control->seat + 1;
            return index;
        }
    }
    return NO_WAITER;
}

/* Makes the offer to the next, if there is one. */
static uint32_t offer(grove__gate *gate)
{
    uint32_t next = oldest_waiter(gate);
    gate->heir = next == NO_WAITER ? 0 : next + 1;
    gate->offered_until_ns = grove__now_ns() + OFFER_NS;
    return next;
}

/* Whether `self`, NO_WAITER for one who just came, may take the gate. */
static bool may_take(grove__control *control, uint32_t self)
{
    grove__gate *gate = &control->map->gate;
    if (gate->holder != 0) {
        if (grove__control_is_alive(control, gate->holder - 1)) {
            return false;
        }
        gate->holder = 0;
        gate->heir = 0;
    }
    if (gate->heir == 0 || (self != NO_WAITER && gate->heir == self + 1)) {
        return true;
    }
    uint64_t now = grove__now_ns();
    /* A time far ahead is none that we wrote. */
    if (now < gate->offered_until_ns && gate->offered_until_ns - now <= OFFER_NS) {
        return false;
    }
    if (gate->heir <= GROVE__WAITERS_MAX) {
        gate->waiters[gate->heir - 1].is_absent = 1;
    }
    return true;
}

static void take(grove__control *control, uint32_t self)
{
    grove__gate *gate = &control->map->gate;
    if (self != NO_WAITER) {
        gate->waiters[self].owner = 0;
    }
    gate->heir = 0;
    gate->held_since_ns = grove__now_ns();
    gate->holder = control->seat + 1;
}

/* Gives up waiting; an offer made meanwhile goes on to the next. Where whoever
 * has the latch is stopped, the place is given back all the same, and the offer
 * left to expire. */
static void stop_waiting(grove__control *control, uint32_t self)
{
    grove__gate *gate = &control->map->gate;
    bool has_latch = grove__control_latch(control, grove__now_ns() + LOOK_NS);
    gate->waiters[self].owner = 0;
    if (!has_latch) {
        return;
    }
    if (gate->holder == 0 && gate->heir == self + 1) {
        uint32_t next = offer(gate);
        if (next != NO_WAITER) {
            grove__word_wake(&gate->waiters[next].word);
        }
    }
    grove__control_unlatch(control);
}

bool grove__gate_enter(grove__control *control, uint64_t until_ns)
{
    grove__gate *gate = &control->map->gate;
    uint32_t self = NO_WAITER;
    _Atomic uint32_t nobody_s = 0;
    while (grove__control_latch(control, until_ns)) {
        if (may_take(control, self)) {
            take(control, self);
            grove__control_unlatch(control);
            return true;
        }
        if (self == NO_WAITER) {
            self = add_waiter(control);
        } else {
            gate->waiters[self].is_absent = 0;
        }
        /* Who finds no place in the row is woken by nobody. */
        _Atomic uint32_t *word =
            self == NO_WAITER ? &nobody_s : &gate->waiters[self].word;
        uint32_t seen = atomic_load(word);
        grove__control_unlatch(control);
        uint64_t now = grove__now_ns();
        if (now >= until_ns) {
            break;
        }
        uint64_t look = now + LOOK_NS;
        grove__word_wait(word, seen, look < until_ns ? look : until_ns);
    }
    if (self != NO_WAITER) {
        stop_waiting(control, self);
    }
    return false;
}

bool grove__gate_leave(grove__control *control)
{
    grove__gate *gate = &control->map->gate;
    /* Whoever has the latch for longer is stopped; the gate is then found
     * held by us until it goes on, so wait for it. */
    while (!grove__control_latch(control, grove__now_ns() + LOOK_NS)) {
    }
    gate->holder = 0;
    uint32_t next = offer(gate);
    grove__control_unlatch(control);
    if (next == NO_WAITER) {
        return false;
    }
    grove__word_wake(&gate->waiters[next].word);
    return true;
}

void grove__gate_look(const grove__control *control, uint64_t *process_out,
                      uint64_t *held_ms_out)
{
    const grove__gate *gate = &control->map->gate;
    uint32_t holder = atomic_load(&gate->holder);
    uint64_t since = atomic_load(&gate->held_since_ns);
    uint64_t now = grove__now_ns();
    *process_out = 0;
    *held_ms_out = 0;
    if (holder != 0 && holder <= GROVE__SEATS_MAX) {
        *process_out = atomic_load(&control->map->seats[holder - 1]);
        *held_ms_out = now > since ? (now - since) / MS : 0;
    }
}
