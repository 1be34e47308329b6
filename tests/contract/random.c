/* Random programs against a model: what the other checks did not think of. A
 * disagreement breaks the clause that the call in question is about. */
#include <stdlib.h>

#include "model.h"

enum { READERS = 4, STEPS = 6000 };

typedef struct program {
    grove__check *check;
    uint64_t random;
    size_t keys;            /* how many different ones */
    grove__model committed; /* what a reader sees that begins now */
    grove__model written;   /* what the writer sees */
    grove__check_txn writer;
    struct {
        grove__check_txn txn;
        grove__model model;
    } readers[READERS];
} program;

static uint64_t below(program *self, uint64_t bound)
{
    return grove__check_random(&self->random) % bound;
}

/* One of `keys` keys of many sizes, so that some begin with others; few
 * different bytes, so that they are often near one another. */
static grove_bytes choose_key(program *self, uint8_t *room)
{
    static const uint8_t letters[] = {0, 1, 'a', 0x7f, 0x80, 0xff};
    uint64_t state = below(self, self->keys) * 7919;
    size_t max = self->check->backend->key_bytes_max;
    size_t size = 1 + (size_t)(grove__check_random(&state) % 6);
    if (grove__check_random(&state) % 8 == 0) {
        size = 1 + (size_t)(grove__check_random(&state) % max);
    }
    for (size_t index = 0; index < size; index++) {
        room[index] = letters[grove__check_random(&state) % sizeof letters];
    }
    grove_bytes key = {room, size};
    return key;
}

static void put_something(program *self, uint8_t *room)
{
    size_t page = self->check->backend->page_bytes;
    grove_bytes key = choose_key(self, room);
    uint32_t table = (uint32_t)below(self, GROVE__CHECK_TABLES);
    size_t size = (size_t)below(self, 40);
    if (below(self, 10) == 0) {
        size = (size_t)below(self, 3 * page);
    }
    uint8_t *data = grove__check_bytes(size, grove__check_random(&self->random));
    grove_bytes value = {data, size};
    grove__check_put(&self->writer, table, key, value);
    grove__model_put(&self->written.tables[table], key, value);
    free(data);
}

static void remove_something(program *self, uint8_t *room)
{
    grove_bytes key = choose_key(self, room);
    uint32_t table = (uint32_t)below(self, GROVE__CHECK_TABLES);
    bool was_there = grove__model_remove(&self->written.tables[table], key);
    if (!grove__check_has_failed(self->check)) {
        self->check->clause = 3;
        grove__check_status(self->check,
                            grove__check_try_remove(&self->writer, table, key),
                            was_there ? GROVE_OK : GROVE_NONE, "remove");
    }
}

static void check_get(program *self, grove__check_txn *txn, const grove__model *model,
                      uint8_t *room)
{
    grove_bytes key = choose_key(self, room);
    uint32_t table = (uint32_t)below(self, GROVE__CHECK_TABLES);
    const grove__model_entry *entry = grove__model_get(&model->tables[table], key);
    if (entry == NULL) {
        grove__check_lacks(txn, table, key);
    } else {
        grove__check_holds(txn, table, key, grove__model_value(entry));
    }
}

/* Where a walk is, and what it should find there: past the end, nothing. */
typedef struct walk_place {
    grove__check_txn *txn;
    uint32_t number;
    const grove__model_table *table;
    size_t index;
} walk_place;

/* Whether get, too, contradicts the model: then it is not the cursor. */
static bool get_disagrees(const walk_place *place, grove_status status, grove_bytes key)
{
    grove_bytes value = {NULL, 0};
    if (place->index < place->table->count) {
        const grove__model_entry *entry = &place->table->entries[place->index];
        grove_status got = grove__check_try_get(place->txn, place->number,
                                                grove__model_key(entry), &value);
        if (got != GROVE_OK || !grove__check_equal(value, grove__model_value(entry))) {
            return true;
        }
    }
    return status == GROVE_OK && grove__model_get(place->table, key) == NULL &&
           grove__check_try_get(place->txn, place->number, key, &value) == GROVE_OK;
}

/* The cursor gave what it should have. Else it breaks C8, or what it was used
 * to see breaks the clause that this step is about. */
static void check_entry(const walk_place *place, grove_status status,
                        const grove_bytes given[2])
{
    grove__check *check = place->txn->check;
    bool is_end = place->index >= place->table->count;
    bool is_right = status == (is_end ? GROVE_NONE : GROVE_OK);
    if (is_right && !is_end) {
        const grove__model_entry *entry = &place->table->entries[place->index];
        is_right = grove__check_equal(given[0], grove__model_key(entry)) &&
                   grove__check_equal(given[1], grove__model_value(entry));
    }
    if (!is_right) {
        unsigned clause = get_disagrees(place, status, given[0]) ? check->clause : 8;
        grove__check_clause(check, clause, false,
                            "a cursor gave %s, or another entry than the one of %zu",
                            grove_status_name(status), place->index);
    }
}

/* A seek and some steps; with `is_whole`, everything in the table. */
static void check_walk(program *self, grove__check_txn *txn, const grove__model *model,
                       bool is_whole, uint8_t *room)
{
    grove__check *check = self->check;
    uint32_t number = (uint32_t)below(self, GROVE__CHECK_TABLES);
    const grove__model_table *table = &model->tables[number];
    grove_seek seek = below(self, 2) == 0 ? GROVE_SEEK_AT_OR_AFTER : GROVE_SEEK_BEFORE;
    grove_bytes key = below(self, 8) == 0 ? grove__check_empty() : choose_key(self, room);
    uint64_t steps = below(self, 6);
    if (is_whole) {
        seek = GROVE_SEEK_AT_OR_AFTER;
        key = grove__check_empty();
        steps = UINT64_MAX;
    }
    /* Before the first comes what is past the end: nothing. */
    size_t index = grove__model_find(table, key);
    if (seek == GROVE_SEEK_BEFORE) {
        index = key.size == 0 ? table->count : index;
        index = index == 0 ? table->count : index - 1;
    }
    grove_bytes given[2] = {{NULL, 0}, {NULL, 0}};
    walk_place place = {txn, number, table, index};
    grove__check_cursor cursor = grove__check_cursor_open(txn, number);
    if (!grove__check_has_failed(check)) {
        grove_status status =
            grove__check_try_seek(&cursor, seek, key, &given[0], &given[1]);
        check_entry(&place, status, given);
    }
    while (steps > 0 && place.index < table->count && !grove__check_has_failed(check)) {
        grove_status status = grove__check_try_next(&cursor, &given[0], &given[1]);
        place.index++;
        check_entry(&place, status, given);
        steps--;
    }
    grove__check_cursor_close(&cursor);
}

static void check_reader(program *self, size_t slot, uint8_t *room)
{
    grove__check_txn *txn = &self->readers[slot].txn;
    const grove__model *model = &self->readers[slot].model;
    self->check->clause = 2;
    if (txn->txn == NULL) {
        *txn = grove__check_begin(self->check, GROVE_TXN_READ);
        grove__model_copy(&self->committed, &self->readers[slot].model);
        return;
    }
    switch (below(self, 6)) {
    case 0:
        check_walk(self, txn, model, true, room);
        grove__check_abort(txn);
        grove__model_release(&self->readers[slot].model);
        break;
    case 1:
    case 2:
        check_walk(self, txn, model, false, room);
        break;
    default:
        check_get(self, txn, model, room);
        break;
    }
}

static void step_writer(program *self, uint8_t *room)
{
    self->check->clause = 3;
    if (self->writer.txn == NULL) {
        self->writer = grove__check_begin(self->check, GROVE_TXN_WRITE);
        return;
    }
    uint64_t chosen = below(self, 40);
    if (chosen < 18) {
        put_something(self, room);
    } else if (chosen < 26) {
        remove_something(self, room);
    } else if (chosen < 31) {
        check_get(self, &self->writer, &self->written, room);
    } else if (chosen < 36) {
        check_walk(self, &self->writer, &self->written, chosen == 35, room);
    } else if (chosen < 38) {
        self->check->clause = 4;
        grove__check_commit(&self->writer);
        grove__model_release(&self->committed);
        grove__model_copy(&self->written, &self->committed);
    } else if (chosen == 38) {
        grove__check_abort(&self->writer);
        grove__model_release(&self->written);
        grove__model_copy(&self->committed, &self->written);
    }
}

/* Everything that was committed is there, and nothing else. */
static void check_all(program *self, unsigned clause, uint8_t *room)
{
    self->check->clause = clause;
    uint64_t entries = 0;
    grove__check_txn txn = grove__check_begin(self->check, GROVE_TXN_READ);
    for (uint32_t table = 0; table < GROVE__CHECK_TABLES; table++) {
        entries += self->committed.tables[table].count;
        for (size_t index = 0; index < self->committed.tables[table].count; index++) {
            const grove__model_entry *entry =
                &self->committed.tables[table].entries[index];
            grove__check_holds(&txn, table, grove__model_key(entry),
                               grove__model_value(entry));
        }
    }
    for (int again = 0; again < 6; again++) {
        check_walk(self, &txn, &self->committed, true, room);
    }
    grove__check_abort(&txn);
    grove_backend_statistics statistics = grove__check_statistics(self->check);
    grove__check_clause(
        self->check, 13, statistics.entries == entries, "entries is %llu, not %llu",
        (unsigned long long)statistics.entries, (unsigned long long)entries);
}

static void end_transactions(program *self)
{
    grove__check_abort(&self->writer);
    grove__model_release(&self->written);
    grove__model_copy(&self->committed, &self->written);
    for (size_t slot = 0; slot < READERS; slot++) {
        grove__check_abort(&self->readers[slot].txn);
        grove__model_release(&self->readers[slot].model);
    }
}

static void run_program(grove__check *check, uint64_t seed, size_t keys)
{
    program self;
    memset(&self, 0, sizeof self);
    self.check = check;
    self.random = seed;
    self.keys = keys;
    self.writer.check = check;
    uint8_t *room = grove__check_memory(check->backend->key_bytes_max);
    grove__check_open(check, NULL);
    for (int step = 0; step < STEPS && !grove__check_has_failed(check); step++) {
        if (below(&self, 3) == 0) {
            check_reader(&self, (size_t)below(&self, READERS), room);
        } else {
            step_writer(&self, room);
        }
        if (below(&self, 700) == 0) {
            end_transactions(&self);
            check_all(&self, 4, room);
            grove__check_reopen(check, NULL);
            check_all(&self, 11, room);
        }
    }
    end_transactions(&self);
    check_all(&self, 4, room);
    grove__model_release(&self.committed);
    grove__model_release(&self.written);
    grove__check_close(check);
    free(room);
}

static void check_few_keys(grove__check *check)
{
    run_program(check, check->options->seed, 40);
}

static void check_many_keys(grove__check *check)
{
    run_program(check, check->options->seed + 1, 2000);
}

const grove__check_case grove__contract_random[] = {
    {4, "random programs over few keys agree with a model", check_few_keys},
    {4, "random programs over many keys agree with a model", check_many_keys},
    {0, NULL, NULL},
};
