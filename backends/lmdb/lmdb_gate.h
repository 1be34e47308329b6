/*
 * The gate in front of LMDB's write lock, which has no order and no time
 * limit: with 8 writers the poorest gets 1 % of the turns of the richest.
 *
 *                 leave: oldest waiter                heir comes
 *   held ─────────────────────────────► offered ─────────────────► held
 *    ▲  │ nobody waits                    │ heir does not come
 *    │  ▼                                 ▼ in time
 *   free ◄────────────────────────────────┘  (whoever looks next takes it)
 *
 * An offer is no gift: an heir that is stopped, or dead, would stop everybody.
 * It stays among the waiters, passed over until it shows up again, and is then
 * the oldest. A holder that is stopped keeps the gate, as it keeps LMDB's lock;
 * one that is dead loses it to the first waiter that looks.
 */
#ifndef GROVE_LMDB_GATE_H
#define GROVE_LMDB_GATE_H

#include "lmdb_control.h"

/* Waits in the order of arrival, until `until_ns` at most. False: it was not
 * our turn by then. */
bool grove__gate_enter(grove__control *control, uint64_t until_ns);
/* Gives the gate to the next. True: there is one. */
bool grove__gate_leave(grove__control *control);

/* Who holds the gate, and for how long; 0 and 0: nobody. A look without the
 * latch, for people. */
void grove__gate_look(const grove__control *control, uint64_t *process_out,
                      uint64_t *held_ms_out);

#endif
