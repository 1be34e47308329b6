#include "model.h"

#include <stdlib.h>

static uint8_t *copy_bytes(grove_bytes bytes)
{
    uint8_t *copy = grove__check_memory(bytes.size);
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    return copy;
}

void grove__model_release(grove__model *model)
{
    for (size_t table = 0; table < GROVE__CHECK_TABLES; table++) {
        grove__model_table *own = &model->tables[table];
        for (size_t index = 0; index < own->count; index++) {
            free(own->entries[index].key);
            free(own->entries[index].value);
        }
        free(own->entries);
    }
    memset(model, 0, sizeof *model);
}

void grove__model_copy(const grove__model *model, grove__model *copy_out)
{
    for (size_t table = 0; table < GROVE__CHECK_TABLES; table++) {
        const grove__model_table *own = &model->tables[table];
        for (size_t index = 0; index < own->count; index++) {
            grove__model_put(&copy_out->tables[table],
                             grove__model_key(&own->entries[index]),
                             grove__model_value(&own->entries[index]));
        }
    }
}

size_t grove__model_find(const grove__model_table *table, grove_bytes key)
{
    size_t index = table->count;
    while (index > 0 &&
           grove__check_compare(grove__model_key(&table->entries[index - 1]), key) >= 0) {
        index--;
    }
    return index;
}

const grove__model_entry *grove__model_get(const grove__model_table *table,
                                           grove_bytes key)
{
    size_t index = grove__model_find(table, key);
    if (index == table->count ||
        !grove__check_equal(grove__model_key(&table->entries[index]), key)) {
        return NULL;
    }
    return &table->entries[index];
}

void grove__model_put(grove__model_table *table, grove_bytes key, grove_bytes value)
{
    (void)grove__model_remove(table, key);
    if (table->count == table->capacity) {
        size_t capacity = 2 * table->capacity + 8;
        grove__model_entry *entries = grove__check_memory(capacity * sizeof *entries);
        if (table->count > 0) {
            memcpy(entries, table->entries, table->count * sizeof *entries);
        }
        free(table->entries);
        table->entries = entries;
        table->capacity = capacity;
    }
    size_t index = grove__model_find(table, key);
    memmove(&table->entries[index + 1], &table->entries[index],
            (table->count - index) * sizeof *table->entries);
    table->entries[index].key = copy_bytes(key);
    table->entries[index].key_size = key.size;
    table->entries[index].value = copy_bytes(value);
    table->entries[index].value_size = value.size;
    table->count++;
}

bool grove__model_remove(grove__model_table *table, grove_bytes key)
{
    size_t index = grove__model_find(table, key);
    if (grove__model_get(table, key) == NULL) {
        return false;
    }
    free(table->entries[index].key);
    free(table->entries[index].value);
    table->count--;
    memmove(&table->entries[index], &table->entries[index + 1],
            (table->count - index) * sizeof *table->entries);
    return true;
}
