/*
 * Groups of the worker's own: their versions are numbered from 1, and every
 * fourth deletes the group. So from what is found, nothing included, it can be
 * told which versions it may be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "content.h"

enum {
    VERSIONS_PER_DELETION = 4,
    SMALL_BYTES_MAX = 4000,
    /* The last of a worker's groups lets the store grow, and gives way. */
    LARGE = GROUPS - 1,
    LARGE_BYTES_MAX = 1500000
};

static bool is_deletion(uint32_t version)
{
    return version % VERSIONS_PER_DELETION == 0;
}

static void name_group(uint32_t author, uint32_t which, char *name, size_t size)
{
    (void)snprintf(name, size, "group-%u-%u", author, which);
}

/* The version that is there; 0: there is none. */
static uint32_t load_version(stress_worker *self, uint32_t author, uint32_t which)
{
    char name[32];
    grove_error error;
    grove_bytes state;
    name_group(author, which, name, sizeof name);
    worker_begins(self, CALL_GROUP_LOAD);
    grove_status status =
        grove_group_load(self->store, grove_bytes_of(name), &state, &error);
    if (worker_answer(self, CALL_GROUP_LOAD, WHEN_ANY, status, &error) == GROVE_NONE) {
        return 0;
    }
    stress_label label;
    if (!payload_parse(state, &label) || label.author != author ||
        label.document != which) {
        stress_fail(self->board, "the state of group %s is not what was saved", name);
    }
    grove_bytes_free(self->store, state);
    return label.number;
}

static bool may_be_absent(uint32_t least, uint32_t most)
{
    bool may_be = least == 0;
    for (uint32_t version = least; version <= most && !may_be; version++) {
        may_be = is_deletion(version);
    }
    return may_be;
}

static void look_at_group(stress_worker *self)
{
    const stress_options *options = &self->board->options;
    uint32_t author = (worker_below(self, options->processes) * THREADS_MAX +
                       worker_below(self, options->threads)) *
                      AUTHORS_OF_THREAD;
    uint32_t which = worker_below(self, GROUPS);
    const stress_mark *mark = &self->board->groups[author][which];
    uint32_t least = atomic_load(&mark->acked);
    uint32_t version = load_version(self, author, which);
    uint32_t most = atomic_load(&mark->intended);
    if (version == 0 ? !may_be_absent(least, most) : version < least || version > most) {
        stress_fail(self->board,
                    "group %u of author %u has version %u; %u was acknowledged before, "
                    "%u intended by now",
                    which, author, version, least, most);
    }
}

/* What a call that was under way when its process was killed came to. */
static uint32_t resolve_version(stress_worker *self, uint32_t which)
{
    stress_mark *mark = &self->board->groups[self->first_author][which];
    uint32_t acked = atomic_load(&mark->acked);
    uint32_t intended = atomic_load(&mark->intended);
    uint32_t found = load_version(self, self->first_author, which);
    uint32_t version = found;
    if (found == 0) {
        version = is_deletion(intended) ? intended : acked;
    }
    if ((version != acked && version != intended) ||
        (found == 0 && !is_deletion(version))) {
        stress_fail(self->board, "group %u of author %u has version %u, not %u or %u",
                    which, self->first_author, found, acked, intended);
    }
    atomic_store(&mark->acked, version);
    atomic_store(&mark->intended, version);
    return version;
}

static grove_status save_version(stress_worker *self, grove_bytes name, uint32_t which,
                                 uint32_t version, uint64_t *commit_out,
                                 grove_error *error_out)
{
    stress_label label = {which, self->first_author, version, 0, 0};
    size_t bytes = PAYLOAD_BYTES_MIN;
    bytes += worker_below(self, which == LARGE ? LARGE_BYTES_MAX : SMALL_BYTES_MAX);
    uint8_t *state = malloc(bytes);
    if (state == NULL) {
        stress_fail(self->board, "out of memory");
    }
    payload_make(&label, bytes, state);
    worker_begins(self, CALL_GROUP_SAVE);
    grove_status status = grove_group_save(self->store, name, (grove_bytes){state, bytes},
                                           commit_out, error_out);
    free(state);
    return status;
}

void act_group(stress_worker *self)
{
    if (worker_has_chance(self, 40)) {
        look_at_group(self);
        return;
    }
    char name[32];
    grove_error error;
    uint64_t commit = 0;
    uint32_t which = worker_below(self, GROUPS);
    uint32_t version = resolve_version(self, which) + 1;
    stress_mark *mark = &self->board->groups[self->first_author][which];
    stress_call call = is_deletion(version) ? CALL_GROUP_DELETE : CALL_GROUP_SAVE;
    ledger_record record = {.kind = LEDGER_INTENDED,
                            .what = LEDGER_GROUP,
                            .author = self->first_author,
                            .document = which,
                            .number = version};
    name_group(self->first_author, which, name, sizeof name);
    record.call = ledger_new_call(self->board);
    ledger_append(self->board, &record);
    atomic_store(&mark->intended, version);
    worker_begins(self, call);
    grove_status status =
        is_deletion(version)
            ? grove_group_delete(self->store, grove_bytes_of(name), &commit, &error)
            : save_version(self, grove_bytes_of(name), which, version, &commit, &error);
    record.kind = LEDGER_FAILED;
    if (status == GROVE_OK) {
        record.kind = LEDGER_ACKED;
        record.commit = commit;
        worker_takes_commit(self, commit);
        atomic_store(&mark->acked, version);
    } else {
        atomic_store(&mark->intended, version - 1);
    }
    ledger_append(self->board, &record);
    uint32_t when = self->when | worker_when_full(self, status);
    (void)worker_answer(self, call, when, status, &error);
}
