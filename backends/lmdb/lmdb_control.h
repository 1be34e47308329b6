/*
 * grove.lock: what the processes that share an environment tell each other,
 * in a file that each of them maps.
 *
 *   byte 0      locked to read by whoever has it open. Who can lock it to write
 *               is alone and makes the content anew: so what a crash of all, or
 *               of the machine, left there does not matter.
 *   byte 1 + n  locked to write by the process in seat n, for as long as it
 *               lives. The kernel takes the lock back, so a seat whose byte is
 *               not locked is of a dead process.
 *
 * fcntl locks belong to the process: a child of fork does not have them, and
 * any close of the file would drop them. So a process has the file open once
 * (lmdb_shared.h), and a child never closes what it inherited.
 *
 *   L1  The latch guards the gate and the seats. It is held for some hundred
 *       instructions and no system call but fcntl. Who dies with it leaves the
 *       gate to be repaired by the next.
 *   L2  Pins, `synced` and `rung` are atomic and need no latch.
 *   L3  A seat is made free of what its last owner left with the latch held
 *       and its byte not locked by anybody else; its new owner locks first,
 *       then cleans, then begins to use it.
 */
#ifndef GROVE_LMDB_CONTROL_H
#define GROVE_LMDB_CONTROL_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include <grove/sys/backend.h>

enum {
    GROVE__SEATS_MAX = 1024,
    GROVE__WAITERS_MAX = 256,
    /* Pins come in chunks, as the file grows. */
    GROVE__PINS_CHUNK = 512,
    GROVE__PINS_MAX = 512 * GROVE__PINS_CHUNK
};

/* A thread that waits for the gate. */
typedef struct grove__gate_waiter {
    _Atomic uint32_t word;  /* a futex, changed to wake it */
    _Atomic uint32_t owner; /* its seat + 1; 0: nobody */
    uint64_t ticket;        /* the order of arrival */
    uint32_t is_absent;     /* did not take its turn, and was not seen since */
} grove__gate_waiter;

/* Who has it and since when is atomic for those who look without the latch. */
typedef struct grove__gate {
    _Atomic uint32_t holder; /* its seat + 1; 0: the gate is free */
    uint32_t heir;           /* the waiter to whom it is offered + 1; 0: nobody */
    _Atomic uint64_t held_since_ns;
    uint64_t offered_until_ns;
    uint64_t tickets;
    grove__gate_waiter waiters[GROVE__WAITERS_MAX];
} grove__gate;

typedef struct grove__pin {
    _Atomic uint32_t owner; /* a seat + 1; 0: free */
    _Atomic uint64_t name;
    _Atomic uint64_t value;
} grove__pin;

typedef struct grove__control_map {
    uint64_t magic;
    uint64_t layout; /* sizes of what follows, for builds that differ */
    pthread_mutex_t latch;
    /* The newest transaction known to be on disk, and the newest that
     * watchers were told of. `sync_word` is a futex, changed with `synced`. */
    _Atomic uint64_t synced;
    _Atomic uint64_t rung;
    _Atomic uint32_t sync_word;
    _Atomic uint32_t pin_count;               /* as many as the file has room for */
    _Atomic uint32_t seats[GROVE__SEATS_MAX]; /* process ids; 0: free */
    grove__gate gate;
    grove__pin pins[]; /* GROVE__PINS_MAX in the map, pin_count in the file */
} grove__control_map;

typedef struct grove__control {
    int descriptor;
    grove__control_map *map;
    uint32_t seat;               /* ours */
    _Atomic uint32_t pin_search; /* where the next look for a free pin begins */
} grove__control;

/* Opens or makes the file and takes a seat. Returns 0 or an errno; EPROTO: it
 * is of another build of the library and in use. */
int grove__control_open(grove__control *control, const char *path, uint32_t file_mode);
void grove__control_close(grove__control *control);

/* Waits until `until_ns` at most. False: no latch. */
bool grove__control_latch(grove__control *control, uint64_t until_ns);
void grove__control_unlatch(grove__control *control);

/* Whether the process of a seat lives; ours does. */
bool grove__control_is_alive(const grove__control *control, uint32_t seat);

/* Frees the seats of the dead with all that they left. */
void grove__control_reclaim(grove__control *control);

/* Pins, as in grove_backend. Return 0 or an errno: ENOLCK when there are too
 * many. */
int grove__pin_open(grove__control *control, uint64_t name, uint64_t value,
                    uint64_t *pin_out);
void grove__pin_move(grove__control *control, uint64_t pin, uint64_t value);
void grove__pin_close(grove__control *control, uint64_t pin);
uint64_t grove__pin_least(const grove__control *control, uint64_t name);

/* The monotonic clock, which all processes of a machine share. */
uint64_t grove__now_ns(void);

/* In so long, by the clock of POSIX's timed waits. */
struct timespec grove__realtime_after(uint64_t ns);

/* Waits for a change of *word, which was `seen`, until `until_ns` at most; may
 * return earlier. */
void grove__word_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t until_ns);
/* Changes *word and wakes all that wait for it. */
void grove__word_wake(_Atomic uint32_t *word);

#endif
