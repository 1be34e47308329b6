/* What an environment should hold: a sorted array for each table. */
#ifndef GROVE_CONTRACT_MODEL_H
#define GROVE_CONTRACT_MODEL_H

#include "check.h"

typedef struct grove__model_entry {
    uint8_t *key;
    size_t key_size;
    uint8_t *value;
    size_t value_size;
} grove__model_entry;

typedef struct grove__model_table {
    grove__model_entry *entries; /* by key */
    size_t count;
    size_t capacity;
} grove__model_table;

typedef struct grove__model {
    grove__model_table tables[GROVE__CHECK_TABLES];
} grove__model;

/* Zeros are an empty model. */
void grove__model_release(grove__model *model);
/* `copy_out` must be empty. */
void grove__model_copy(const grove__model *model, grove__model *copy_out);

/* Where the first key at or after `key` stands; the count if there is none. */
size_t grove__model_find(const grove__model_table *table, grove_bytes key);
/* The entry under exactly this key; NULL when there is none. */
const grove__model_entry *grove__model_get(const grove__model_table *table,
                                           grove_bytes key);
void grove__model_put(grove__model_table *table, grove_bytes key, grove_bytes value);
/* Says whether there was one. */
bool grove__model_remove(grove__model_table *table, grove_bytes key);

static inline grove_bytes grove__model_key(const grove__model_entry *entry)
{
    grove_bytes key = {entry->key, entry->key_size};
    return key;
}

static inline grove_bytes grove__model_value(const grove__model_entry *entry)
{
    grove_bytes value = {entry->value, entry->value_size};
    return value;
}

#endif
