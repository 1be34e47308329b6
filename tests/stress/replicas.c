#include "replicas.h"

#include <stdlib.h>
#include <string.h>

#include "content.h"

enum { ROOM_MIN = 64 };

static void make_room(replicas *table, size_t room)
{
    table->entries = calloc(room, sizeof *table->entries);
    table->room = room;
    table->count = 0;
    if (table->entries == NULL) {
        stress_fail(table->board, "out of memory");
    }
}

void replicas_init(replicas *table, stress_board *board)
{
    table->board = board;
    make_room(table, ROOM_MIN);
}

void replicas_release(replicas *table)
{
    free(table->entries);
}

static replicas_entry *find(replicas *table, const grove_replica *replica)
{
    size_t index = (size_t)stress_hash(replica->bytes, replica->size, 2);
    for (;; index++) {
        replicas_entry *entry = &table->entries[index & (table->room - 1)];
        if (entry->replica.size == 0 ||
            (entry->replica.size == replica->size &&
             memcmp(entry->replica.bytes, replica->bytes, replica->size) == 0)) {
            return entry;
        }
    }
}

uint64_t *replicas_next(replicas *table, const grove_replica *replica)
{
    if (table->count * 2 >= table->room) {
        replicas old = *table;
        make_room(table, old.room * 2);
        for (size_t index = 0; index < old.room; index++) {
            if (old.entries[index].replica.size > 0) {
                *find(table, &old.entries[index].replica) = old.entries[index];
                table->count++;
            }
        }
        replicas_release(&old);
    }
    replicas_entry *entry = find(table, replica);
    if (entry->replica.size == 0) {
        entry->replica = *replica;
        entry->next = 0;
        table->count++;
    }
    return &entry->next;
}
