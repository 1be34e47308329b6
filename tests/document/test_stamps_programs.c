/*
 * Random programs over documents of a timed type: several stores, several
 * handles on each, and the obvious model of all events that were ever made.
 * Whatever a handle has is told its state with the time that the model finds
 * in the whole graph.
 */
#include "document/document.h"
#include "document/ledger_model.h"
#include "support/exchange.h"
#include "support/random.h"

/* More where these did not meet everything; so many at most. */
#ifdef __SANITIZE_ADDRESS__
enum { PROGRAMS = 20, PROGRAMS_MAX = 600 };
#else
enum { PROGRAMS = 60, PROGRAMS_MAX = 600 };
#endif

enum { STORES = 3, HANDLES = 2, STEPS = 160, OPERATION_EVENTS_MAX = 4 };

/* What a program does beside the usual. */
typedef enum kind {
    ANY_PARENTS, /* events are handed in that go on from any that are known */
    COMPACTIONS, /* history is removed, of what all stores have */
    ANYTHING     /* both, and history is removed anywhere */
} kind;

typedef struct site {
    store_fixture fixture;
    grove_document *handles[HANDLES];
    uint32_t arrived[LEDGER_EVENTS_MAX]; /* events by clock */
    uint32_t arrived_count;
} site;

/* How often it happened: programs without these would test little. */
typedef struct tally {
    uint64_t adopted, brought, removed, refused, settled, views, versions, equal, aside;
    uint64_t snapshots, concurrent;
} tally;

typedef struct program {
    test_random random;
    kind kind;
    site sites[STORES];
    ledger_model made;
    bool is_cut;     /* a store cannot get all that others have */
    uint32_t synced; /* events that all stores had when they were last the same */
    tally *tally;
} program;

static const char NAME[] = "ledger";

static uint32_t below(program *run, uint32_t bound)
{
    return (uint32_t)test_random_below(&run->random, bound);
}

/* --- handles --- */

static store_fixture *fixture_of(program *run, uint32_t handle)
{
    return &run->sites[handle / HANDLES].fixture;
}

static grove_document **place_of(program *run, uint32_t handle)
{
    return &run->sites[handle / HANDLES].handles[handle % HANDLES];
}

static grove_document *document_of(program *run, uint32_t handle)
{
    return *place_of(run, handle);
}

/* The replica of a handle, or of those for whom it hands in events. */
static grove_replica replica_of(uint32_t handle, bool is_far)
{
    grove_replica replica = {.size = (uint8_t)(is_far ? 2 : 1)};
    replica.bytes[0] = (uint8_t)('a' + handle * 5 % 7);
    replica.bytes[1] = 'x';
    return is_far ? replica : (grove_replica){1, {replica.bytes[0]}};
}

static void open_handle(program *run, uint32_t handle)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = &ledger_type;
    options.replica = replica_of(handle, false);
    options.policy.events_min = below(run, 60);
    options.policy.cost_percent = below(run, 60);
    options.policy.uncritical_events = below(run, 60);
    options.policy.automatic = below(run, 3) > 0;
    store_fixture *fixture = fixture_of(run, handle);
    assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of(NAME), &options,
                                           place_of(run, handle), &fixture->error));
    cr_assert_eq(grove_document_damaged_snapshots(document_of(run, handle)), 0);
}

/* Closes a handle and opens it anew; what it had not saved never was. */
static void reload(program *run, uint32_t handle)
{
    for (uint32_t event = 0; event < run->made.count; event++) {
        ledger_made *made = &run->made.events[event];
        made->is_gone = made->is_gone || (made->owner == handle && !made->is_saved);
    }
    grove_document_close(document_of(run, handle));
    open_handle(run, handle);
}

/* How many events of a replica the handle knows. */
static uint64_t knows(const grove_version_vector *vector, const grove_replica *replica)
{
    for (size_t index = 0; index < vector->count; index++) {
        if (ledger_id_is(&vector->entries[index], replica,
                         vector->entries[index].sequence)) {
            return vector->entries[index].sequence;
        }
    }
    return 0;
}

/* The state has exactly what the handle knows, with the model's times. */
static void check_handle(program *run, uint32_t handle)
{
    store_fixture *fixture = fixture_of(run, handle);
    grove_document *document = document_of(run, handle);
    grove_version_vector vector;
    assert_ok(fixture, grove_document_version_vector(document, &vector, &fixture->error));
    uint64_t known = 0;
    for (size_t index = 0; index < vector.count; index++) {
        known += vector.entries[index].sequence;
    }
    size_t count;
    const ledger_entry *entries = ledger_entries(document->state, &count);
    cr_assert_eq(count, known);
    for (size_t index = 0; index < count; index++) {
        const ledger_entry *entry = &entries[index];
        const ledger_made *made =
            &run->made
                 .events[ledger_model_find(&run->made, &entry->replica, entry->sequence)];
        cr_assert_lt(entry->sequence, knows(&vector, &entry->replica));
        cr_assert_eq(entry->time, made->time, "told %llu instead of %llu",
                     (unsigned long long)entry->time, (unsigned long long)made->time);
        cr_assert_eq(entry->byte, made->byte);
    }
}

/* --- events --- */

static grove_operation make_operation(program *run, uint8_t *bytes)
{
    uint32_t count = 1 + below(run, OPERATION_EVENTS_MAX);
    test_random_bytes(&run->random, bytes, count);
    return (grove_operation){
        TEST_TYPING_INSERT, count, below(run, 3), {bytes, (size_t)count}};
}

static bool is_full(const program *run)
{
    return run->made.count + OPERATION_EVENTS_MAX > LEDGER_EVENTS_MAX;
}

static void step_make(program *run, uint32_t handle)
{
    uint8_t bytes[OPERATION_EVENTS_MAX];
    uint32_t parents[64];
    store_fixture *fixture = fixture_of(run, handle);
    grove_document *document = document_of(run, handle);
    grove_version version;
    if (is_full(run)) {
        return;
    }
    grove_operation operation = make_operation(run, bytes);
    grove_event_id first = grove_document_replica(document);
    assert_ok(fixture, grove_document_version(document, &version, &fixture->error));
    size_t count = version.head_count;
    cr_assert_leq(count, 64);
    for (size_t index = 0; index < count; index++) {
        parents[index] = ledger_model_find(&run->made, &version.heads[index].replica,
                                           version.heads[index].sequence);
    }
    assert_ok(fixture, grove__document_make(document, &operation, &fixture->error));
    run->tally->concurrent += count > 1;
    ledger_model_make(&run->made, handle, first, parents, count, operation.content);
}

/* Up to three events that the handle knows, none of them after another. */
static size_t choose_parents(program *run, uint32_t handle, uint32_t *parents_out)
{
    store_fixture *fixture = fixture_of(run, handle);
    uint32_t first = run->kind == COMPACTIONS ? run->synced : 0;
    size_t count = 0;
    grove_version_vector vector;
    assert_ok(fixture, grove_document_version_vector(document_of(run, handle), &vector,
                                                     &fixture->error));
    for (uint32_t tries = 0; first < run->made.count && tries < 3; tries++) {
        uint32_t event = first + below(run, run->made.count - first);
        const ledger_made *made = &run->made.events[event];
        bool fits =
            !made->is_gone && made->id.sequence < knows(&vector, &made->id.replica);
        for (size_t index = 0; fits && index < count; index++) {
            uint32_t other = parents_out[index];
            fits = event != other && !ledger_set_has(made->ancestors, other) &&
                   !ledger_set_has(run->made.events[other].ancestors, event);
        }
        if (fits) {
            parents_out[count++] = event;
        }
    }
    return count;
}

/* Hands in events that go on from anywhere. */
static void step_hand_in(program *run, uint32_t handle)
{
    uint8_t bytes[OPERATION_EVENTS_MAX];
    uint32_t parents[3];
    grove_event_id ids[3];
    store_fixture *fixture = fixture_of(run, handle);
    size_t count = choose_parents(run, handle, parents);
    if (is_full(run) || (count == 0 && run->kind == COMPACTIONS)) {
        return;
    }
    for (size_t index = 0; index < count; index++) {
        ids[index] = run->made.events[parents[index]].id;
    }
    grove_event_run far = {
        .first = {.replica = replica_of(handle, true)},
        .parents = ids,
        .parent_count = count,
        .timestamp = 5,
        .operation = make_operation(run, bytes),
    };
    far.first.sequence = ledger_model_next(&run->made, &far.first.replica);
    grove_status status =
        grove_document_add(document_of(run, handle), &far, &fixture->error);
    if (status == GROVE_OK) {
        ledger_model_make(&run->made, handle, far.first, parents, count,
                          far.operation.content);
        return;
    }
    cr_assert(status == GROVE_HISTORY_REMOVED && run->kind == ANYTHING, "%s",
              fixture->error.message);
    run->tally->refused++;
}

/* --- the store --- */

typedef struct arrival {
    program *run;
    site *at;
} arrival;

static bool take_arrived(void *context, uint64_t clock, const grove_event_run *events)
{
    arrival *work = context;
    cr_assert_eq(clock, work->at->arrived_count);
    for (uint32_t index = 0; index < events->operation.count; index++) {
        work->at->arrived[work->at->arrived_count++] = ledger_model_find(
            &work->run->made, &events->first.replica, events->first.sequence + index);
    }
    return true;
}

static void save_handle(program *run, uint32_t handle)
{
    store_fixture *fixture = fixture_of(run, handle);
    grove_document *document = document_of(run, handle);
    grove_save_result result;
    grove_status status = grove_document_save(document, NULL, &result, &fixture->error);
    if (status == GROVE_CONFLICT) {
        /* The document was replaced by another one's export. */
        reload(run, handle);
        return;
    }
    cr_assert_eq(status, GROVE_OK, "%s", fixture->error.message);
    run->tally->snapshots += result.made_snapshot;
    for (uint32_t event = 0; event < run->made.count; event++) {
        ledger_made *made = &run->made.events[event];
        made->is_saved = made->is_saved || made->owner == handle;
    }
    arrival work = {run, &run->sites[handle / HANDLES]};
    assert_ok(fixture, grove_document_events(document, work.at->arrived_count,
                                             take_arrived, &work, &fixture->error));
    cr_assert_eq(work.at->arrived_count, grove_document_clock(document));
}

static void refresh_handle(program *run, uint32_t handle)
{
    store_fixture *fixture = fixture_of(run, handle);
    grove_status status =
        grove_document_refresh(document_of(run, handle), NULL, &fixture->error);
    if (status == GROVE_NONE) {
        reload(run, handle);
        return;
    }
    cr_assert_eq(status, GROVE_OK, "%s", fixture->error.message);
}

/* Brings what one store has into another one's handle. */
static void bring(program *run, uint32_t from, uint32_t to)
{
    store_fixture *source = fixture_of(run, from);
    store_fixture *target = fixture_of(run, to);
    site *at = &run->sites[to / HANDLES];
    grove_version_vector vector;
    grove_import_result result;
    exported whole = {NULL, 0, 0, 0};
    assert_ok(target, grove_document_version_vector(document_of(run, to), &vector,
                                                    &target->error));
    grove_status status = grove_document_export(document_of(run, from), &vector,
                                                exported_write, &whole, &source->error);
    if (status == GROVE_OK) {
        status = grove_document_import(document_of(run, to), exported_view(&whole),
                                       &result, &target->error);
        if (status == GROVE_OK && result.adopted) {
            const site *other = &run->sites[from / HANDLES];
            memcpy(at->arrived, other->arrived, sizeof at->arrived);
            at->arrived_count = other->arrived_count;
            for (uint32_t handle = 0; handle < HANDLES; handle++) {
                uint32_t beside = to / HANDLES * HANDLES + handle;
                if (beside != to) {
                    reload(run, beside);
                }
            }
            run->tally->adopted++;
        }
        run->tally->brought += status == GROVE_OK && result.events > 0;
        /* With tiny limits not all that was kept aside can wait. */
        run->is_cut = run->is_cut || status == GROVE_LIMIT;
        cr_assert(status == GROVE_OK || status == GROVE_CONFLICT ||
                      (status == GROVE_LIMIT && run->kind == ANYTHING),
                  "%s", target->error.message);
    } else {
        /* Nothing is stored, or it is another document by now. */
        cr_assert(status == GROVE_NONE, "%s", source->error.message);
    }
    exported_free(&whole);
}

static void sync_all(program *run)
{
    for (uint32_t handle = 0; handle < STORES * HANDLES; handle++) {
        save_handle(run, handle);
    }
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t pair = 0; pair < STORES * STORES; pair++) {
            uint32_t to = pair % STORES * HANDLES;
            refresh_handle(run, pair / STORES * HANDLES);
            refresh_handle(run, to);
            if (pair / STORES != pair % STORES) {
                bring(run, pair / STORES * HANDLES, to);
                save_handle(run, to);
            }
        }
    }
    for (uint32_t handle = 0; handle < STORES * HANDLES; handle++) {
        refresh_handle(run, handle);
    }
    run->synced = run->made.count;
}

static uint64_t count_waiting(program *run)
{
    uint64_t waiting = 0;
    for (uint32_t handle = 0; handle < STORES * HANDLES; handle++) {
        store_fixture *fixture = fixture_of(run, handle);
        uint64_t found;
        assert_ok(fixture, grove_document_pending(document_of(run, handle), &found, NULL,
                                                  &fixture->error));
        waiting += found;
    }
    return waiting;
}

/* A store deletes its document, and gets it back from another one. */
static void step_begin_anew(program *run, uint32_t number)
{
    site *at = &run->sites[number];
    uint32_t first = number * HANDLES;
    sync_all(run);
    if (at->arrived_count == 0 || run->is_cut || count_waiting(run) > 0) {
        return;
    }
    assert_ok(&at->fixture, grove_document_delete(at->fixture.store, grove_bytes_of(NAME),
                                                  NULL, &at->fixture.error));
    at->arrived_count = 0;
    for (uint32_t handle = 0; handle < HANDLES; handle++) {
        reload(run, first + handle);
    }
    bring(run, (first + HANDLES) % (STORES * HANDLES), first);
    save_handle(run, first);
    for (uint32_t handle = 0; handle < HANDLES; handle++) {
        reload(run, first + handle);
    }
}

/* Removes history; who loads what is left knows up to which time it is
 * settled. */
static void step_compact(program *run, uint32_t handle)
{
    store_fixture *fixture = fixture_of(run, handle);
    const site *at = &run->sites[handle / HANDLES];
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    grove_compact_result result;
    options.window_events = below(run, 3) == 0 ? 0 : below(run, 60);
    grove_status status = grove_document_compact(document_of(run, handle), &options,
                                                 &result, &fixture->error);
    if (status != GROVE_OK) {
        cr_assert(status == GROVE_NONE || status == GROVE_CONFLICT, "%s",
                  fixture->error.message);
        return;
    }
    uint64_t settled = result.base_clock == 0
                           ? 0
                           : run->made.events[at->arrived[result.base_clock - 1]].time;
    grove_document_options loading = GROVE_DOCUMENT_OPTIONS_INIT;
    loading.type = &ledger_type;
    grove_document *loaded = NULL;
    assert_ok(fixture, grove_document_load(fixture->store, grove_bytes_of(NAME), &loading,
                                           &loaded, &fixture->error));
    cr_assert_eq(((const ledger *)loaded->state)->settled, settled);
    run->tally->removed += result.removed_events > 0;
    run->tally->settled += settled > 0;
    grove_document_close(loaded);
}

static void step_seal(program *run, uint32_t handle)
{
    store_fixture *fixture = fixture_of(run, handle);
    grove_status status =
        grove_document_seal(document_of(run, handle), NULL, NULL, &fixture->error);
    cr_assert(status == GROVE_OK || status == GROVE_NONE || status == GROVE_CONFLICT,
              "%s", fixture->error.message);
}

/* --- the past --- */

/* Exactly the events of a set, with their times. */
static void check_view(program *run, const grove_document *view, const uint64_t *set)
{
    size_t count;
    size_t wanted = 0;
    const ledger_entry *entries = ledger_entries(view->state, &count);
    for (uint32_t event = 0; event < run->made.count; event++) {
        wanted += ledger_set_has(set, event);
    }
    cr_assert_eq(count, wanted);
    for (size_t index = 0; index < count; index++) {
        uint32_t event = ledger_model_find(&run->made, &entries[index].replica,
                                           entries[index].sequence);
        cr_assert(ledger_set_has(set, event));
        cr_assert_eq(entries[index].time, run->made.events[event].time);
    }
}

static void step_look_back(program *run, uint32_t handle)
{
    store_fixture *fixture = fixture_of(run, handle);
    const site *at = &run->sites[handle / HANDLES];
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = &ledger_type;
    grove_document *view = NULL;
    if (at->arrived_count == 0) {
        return;
    }
    uint64_t set[LEDGER_WORDS] = {0};
    uint32_t clock = below(run, at->arrived_count + 1);
    grove_status status = grove_document_load_at(fixture->store, grove_bytes_of(NAME),
                                                 clock, &options, &view, &fixture->error);
    for (uint32_t index = 0; index < clock; index++) {
        ledger_set_add(set, at->arrived[index]);
    }
    if (status == GROVE_OK) {
        check_view(run, view, set);
        grove_document_close(view);
        run->tally->views++;
    }
    cr_assert(status == GROVE_OK || status == GROVE_HISTORY_REMOVED, "%s",
              fixture->error.message);
}

static void step_look_at_version(program *run, uint32_t handle)
{
    store_fixture *fixture = fixture_of(run, handle);
    const site *at = &run->sites[handle / HANDLES];
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = &ledger_type;
    grove_document *view = NULL;
    grove_event_id heads[2];
    uint64_t set[LEDGER_WORDS] = {0};
    for (uint32_t index = 0; at->arrived_count > 0 && index < 2; index++) {
        uint32_t event = at->arrived[below(run, at->arrived_count)];
        heads[index] = run->made.events[event].id;
        ledger_set_add(set, event);
        ledger_set_add_all(set, run->made.events[event].ancestors);
    }
    if (at->arrived_count == 0) {
        return;
    }
    grove_status status = grove_document_load_version(
        fixture->store, grove_bytes_of(NAME), &(grove_version){heads, 2}, &options, &view,
        &fixture->error);
    if (status == GROVE_OK) {
        check_view(run, view, set);
        grove_document_close(view);
        run->tally->versions++;
    }
    cr_assert(status == GROVE_OK || status == GROVE_HISTORY_REMOVED, "%s",
              fixture->error.message);
}

/* --- programs --- */

static void step(program *run)
{
    uint32_t handle = below(run, STORES * HANDLES);
    uint32_t choice = below(run, 100);
    if (choice < 30) {
        step_make(run, handle);
    } else if (choice < 42) {
        step_hand_in(run, handle);
    } else if (choice < 60) {
        save_handle(run, handle);
    } else if (choice < 66) {
        refresh_handle(run, handle);
    } else if (choice < 72) {
        reload(run, handle);
    } else if (choice < 80) {
        bring(run, below(run, STORES * HANDLES), handle);
    } else if (choice < 84) {
        step_seal(run, handle);
    } else if (choice < 89) {
        step_look_back(run, handle);
    } else if (choice < 93) {
        step_look_at_version(run, handle);
    } else if (run->kind != ANY_PARENTS && choice == 93) {
        step_begin_anew(run, handle / HANDLES);
    } else if (run->kind == ANYTHING) {
        step_compact(run, handle);
    } else if (run->kind == COMPACTIONS) {
        sync_all(run);
        step_compact(run, handle);
    }
    check_handle(run, handle);
}

static bool is_nothing(void *context, const grove_finding *finding)
{
    (void)context;
    cr_assert_fail("%s", finding->message);
    return false;
}

/* Nothing is wrong in a store, whether the type is known or not. */
static void check_store(store_fixture *fixture)
{
    const grove_document_type *const types[] = {&ledger_type};
    grove_verify_options options = GROVE_VERIFY_OPTIONS_INIT;
    options.replay = true;
    for (int known = 0; known < 2; known++) {
        options.types = types;
        options.type_count = (size_t)known;
        assert_ok(fixture, grove_store_verify(fixture->store, &options, is_nothing, NULL,
                                              NULL, &fixture->error));
    }
}

/* All stores end with the same, unless what one has needs what another one
 * removed. */
static void check_end(program *run)
{
    sync_all(run);
    uint64_t waiting = count_waiting(run);
    for (uint32_t handle = 0; handle < STORES * HANDLES; handle++) {
        check_handle(run, handle);
    }
    run->tally->aside += waiting > 0;
    run->tally->equal += waiting == 0;
    cr_assert(waiting == 0 || run->kind == ANYTHING);
    waiting += run->is_cut;
    for (uint32_t handle = 1; handle < STORES * HANDLES; handle++) {
        cr_assert(waiting > 0 || ledger_equal(document_of(run, 0)->state,
                                              document_of(run, handle)->state));
    }
    for (uint32_t at = 0; at < STORES; at++) {
        check_store(&run->sites[at].fixture);
    }
}

static void run_program(program *run, const char *backend)
{
    for (uint32_t at = 0; at < STORES; at++) {
        store_fixture_init(&run->sites[at].fixture, backend);
        store_fixture_open(&run->sites[at].fixture);
    }
    for (uint32_t handle = 0; handle < STORES * HANDLES; handle++) {
        open_handle(run, handle);
    }
    for (int count = 0; count < STEPS; count++) {
        step(run);
    }
    check_end(run);
    for (uint32_t handle = 0; handle < STORES * HANDLES; handle++) {
        grove_document_close(document_of(run, handle));
    }
    for (uint32_t at = 0; at < STORES; at++) {
        store_fixture_close(&run->sites[at].fixture);
        store_fixture_release(&run->sites[at].fixture);
    }
}

static bool has_met_everything(const tally *all)
{
    return all->adopted > 0 && all->brought > 0 && all->removed > 0 && all->refused > 0 &&
           all->settled > 0 && all->views > 0 && all->versions > 0 && all->equal > 0 &&
           all->snapshots > 0 && all->concurrent > 0;
}

static void run_programs(const char *backend)
{
    test_random random = test_random_of("stamps_programs");
    tally all = {0};
    for (uint32_t count = 0;
         count < PROGRAMS || (count < PROGRAMS_MAX && !has_met_everything(&all));
         count++) {
        static program run;
        memset(&run, 0, sizeof run);
        run.random = (test_random){test_random_next(&random)};
        run.kind = (kind)(count % 3);
        run.tally = &all;
        run_program(&run, backend);
    }
    (void)fprintf(stderr,
                  "adopted %llu, brought %llu, removed %llu, refused %llu, settled %llu, "
                  "views %llu, versions %llu, equal %llu, aside %llu, snapshots %llu, "
                  "concurrent %llu\n",
                  (unsigned long long)all.adopted, (unsigned long long)all.brought,
                  (unsigned long long)all.removed, (unsigned long long)all.refused,
                  (unsigned long long)all.settled, (unsigned long long)all.views,
                  (unsigned long long)all.versions, (unsigned long long)all.equal,
                  (unsigned long long)all.aside, (unsigned long long)all.snapshots,
                  (unsigned long long)all.concurrent);
    cr_assert(has_met_everything(&all));
}

Test(stamps_programs, every_event_has_the_models_time_on_lmdb, .timeout = 300)
{
    run_programs("lmdb");
}

Test(stamps_programs, every_event_has_the_models_time_in_memory, .timeout = 300)
{
    run_programs("memory");
}
