/*
 * The obvious model of all events that several replicas made in documents of
 * ledger_type.h: each with all its ancestors, and the Lamport time that
 * follows from them.
 */
#ifndef GROVE_TESTS_LEDGER_MODEL_H
#define GROVE_TESTS_LEDGER_MODEL_H

#include "support/ledger_type.h"

enum { LEDGER_EVENTS_MAX = 448, LEDGER_WORDS = LEDGER_EVENTS_MAX / 64 };

typedef struct ledger_made {
    grove_event_id id;
    uint64_t ancestors[LEDGER_WORDS];
    uint64_t time;
    uint8_t byte;
    uint32_t owner; /* the handle that made it */
    bool is_saved;
    bool is_gone; /* its handle was closed without a save */
} ledger_made;

typedef struct ledger_model {
    ledger_made events[LEDGER_EVENTS_MAX];
    uint32_t count;
} ledger_model;

static inline bool ledger_set_has(const uint64_t *set, uint32_t event)
{
    return (set[event / 64] >> event % 64 & 1) != 0;
}

static inline void ledger_set_add(uint64_t *set, uint32_t event)
{
    set[event / 64] |= UINT64_C(1) << event % 64;
}

static inline void ledger_set_add_all(uint64_t *set, const uint64_t *others)
{
    for (size_t word = 0; word < LEDGER_WORDS; word++) {
        set[word] |= others[word];
    }
}

static inline bool ledger_id_is(const grove_event_id *id, const grove_replica *replica,
                                uint64_t sequence)
{
    return id->sequence == sequence && id->replica.size == replica->size &&
           memcmp(id->replica.bytes, replica->bytes, replica->size) == 0;
}

static inline uint32_t ledger_model_find(const ledger_model *model,
                                         const grove_replica *replica, uint64_t sequence)
{
    uint32_t event = 0;
    while (event < model->count &&
           (model->events[event].is_gone ||
            !ledger_id_is(&model->events[event].id, replica, sequence))) {
        event++;
    }
    cr_assert_lt(event, model->count, "an event that nobody made");
    return event;
}

static inline void ledger_model_make_one(ledger_model *model, uint32_t owner,
                                         const grove_event_id *id,
                                         const uint32_t *parents, size_t parent_count,
                                         uint8_t byte)
{
    cr_assert_lt(model->count, LEDGER_EVENTS_MAX);
    ledger_made *made = &model->events[model->count++];
    *made = (ledger_made){.id = *id, .byte = byte, .owner = owner, .time = 1};
    for (size_t index = 0; index < parent_count; index++) {
        const ledger_made *parent = &model->events[parents[index]];
        made->time = parent->time >= made->time ? parent->time + 1 : made->time;
        ledger_set_add(made->ancestors, parents[index]);
        ledger_set_add_all(made->ancestors, parent->ancestors);
    }
}

/* The events of an operation: each but the first has the one before. */
static inline void ledger_model_make(ledger_model *model, uint32_t owner,
                                     grove_event_id first, const uint32_t *parents,
                                     size_t parent_count, grove_bytes bytes)
{
    ledger_model_make_one(model, owner, &first, parents, parent_count, bytes.data[0]);
    for (size_t index = 1; index < bytes.size; index++) {
        uint32_t before = model->count - 1;
        first.sequence++;
        ledger_model_make_one(model, owner, &first, &before, 1, bytes.data[index]);
    }
}

/* The sequence of a replica's next event. */
static inline uint64_t ledger_model_next(const ledger_model *model,
                                         const grove_replica *replica)
{
    uint64_t next = 0;
    for (uint32_t event = 0; event < model->count; event++) {
        const ledger_made *made = &model->events[event];
        next += !made->is_gone && ledger_id_is(&made->id, replica, made->id.sequence);
    }
    return next;
}

#endif
