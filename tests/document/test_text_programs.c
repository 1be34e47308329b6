/*
 * Random programs over texts: several stores, several handles on each, and what
 * a handle has stored brought to any others, to two of one store too. Whoever
 * knows the same events shows the same text, and so does a copy that makes the
 * edits it is told of.
 */
#include "base/bytes.h"
#include "base/hash.h"
#include "document/document.h"
#include "support/text_copy.h"
#include "support/verified_store.h"

/* More where these did not meet everything; so many at most. */
#if defined(GROVE_TINY_LIMITS) || defined(__SANITIZE_ADDRESS__)
enum { PROGRAMS = 60, PROGRAMS_MAX = 2000 };
#else
enum { PROGRAMS = 300, PROGRAMS_MAX = 2000 };
#endif

enum { STORES = 2, HANDLES = 6, STEPS = 120, KNOWN_MAX = 1024 };

/* A text, by a hash of the version vector of who shows it. */
typedef struct known_text {
    uint64_t vector;
    char text[TEXT_BYTES_MAX];
} known_text;

/* How often it happened: programs without these would test little. */
typedef struct tally {
    uint64_t shared, adopted, removed, aside, behind, equal, same;
} tally;

typedef struct program {
    test_random random;
    peer stores[STORES];
    grove_document *handles[HANDLES];
    text_copy copies[HANDLES];
    unsigned names; /* of replicas; what is lost when a handle is closed is lost */
    uint32_t events;
    known_text *known;
    uint32_t known_count;
    tally *tally;
} program;

static uint32_t below(program *run, uint32_t bound)
{
    return (uint32_t)test_random_below(&run->random, bound);
}

static store_fixture *fixture_of(program *run, uint32_t handle)
{
    return &run->stores[handle % STORES].store;
}

/* --- handles --- */

static void open_handle(program *run, uint32_t handle)
{
    char name[16];
    peer *at = &run->stores[handle % STORES];
    (void)snprintf(name, sizeof name, "%u", run->names++ * 7 % 1000);
    at->options.replica = event_of(name, 0).replica;
    at->options.policy.automatic = below(run, 2) == 0;
    at->options.policy.events_min = below(run, 30);
    peer_open(at);
    run->handles[handle] = at->document;
    text_copy_follow(&run->copies[handle], &at->store, at->document);
}

static void reopen(program *run, uint32_t handle)
{
    grove_document_close(run->handles[handle]);
    open_handle(run, handle);
}

/* Whether a call went through; false: the document was deleted or replaced
 * under the handle, or came with history removed where there was none, and the
 * handle is opened anew. */
static bool went_through(program *run, uint32_t handle, grove_status status)
{
    if (status == GROVE_OK) {
        return true;
    }
    cr_assert(status == GROVE_CONFLICT || status == GROVE_NONE ||
                  status == GROVE_HISTORY_REMOVED,
              "%s", fixture_of(run, handle)->error.message);
    run->tally->behind++;
    reopen(run, handle);
    return false;
}

static uint64_t hash_of(const grove_version_vector *vector)
{
    uint64_t sum = 0;
    for (size_t index = 0; index < vector->count; index++) {
        const grove_event_id *entry = &vector->entries[index];
        sum += grove__hash(grove__replica_bytes(&entry->replica), entry->sequence);
    }
    return sum;
}

static void check(program *run, uint32_t handle)
{
    char text[TEXT_BYTES_MAX];
    store_fixture *fixture = fixture_of(run, handle);
    grove_version_vector vector;
    if (!went_through(run, handle,
                      grove_document_version_vector(run->handles[handle], &vector,
                                                    &fixture->error))) {
        return;
    }
    grove_document *document = run->handles[handle];
    text_copy_check(&run->copies[handle], fixture, document, "a program");
    text_document_read(fixture, document, text);
    uint64_t hash = hash_of(&vector);
    uint64_t events = 0;
    for (size_t index = 0; index < vector.count; index++) {
        events += vector.entries[index].sequence;
    }
    cr_assert_eq(events,
                 grove_document_clock(document) + grove_document_unsaved(document));
    for (uint32_t index = 0; index < run->known_count; index++) {
        if (run->known[index].vector == hash) {
            cr_assert_str_eq(text, run->known[index].text);
            run->tally->same++;
            return;
        }
    }
    cr_assert_lt(run->known_count, KNOWN_MAX);
    run->known[run->known_count].vector = hash;
    memcpy(run->known[run->known_count++].text, text, sizeof text);
}

/* --- steps --- */

static void edit(program *run, uint32_t handle)
{
    static const char *const WORDS[] = {"a", "bc", "\xc3\xa4", "xyz", "\xf0\x9f\x8c\xb3"};
    store_fixture *fixture = fixture_of(run, handle);
    grove_document *document = run->handles[handle];
    uint64_t length;
    assert_ok(fixture, grove_text_length(document, &length, NULL, &fixture->error));
    if (run->events + 3 > TEXT_EVENTS_MAX) {
        return;
    }
    run->events += 3;
    if (length > 3 && below(run, 3) == 0) {
        assert_ok(fixture, grove_text_delete(document, below(run, (uint32_t)length - 2),
                                             1 + below(run, 3), &fixture->error));
    } else {
        insert(fixture, document, below(run, (uint32_t)length + 1), WORDS[below(run, 5)]);
    }
    text_copy_follow(&run->copies[handle], fixture, document);
}

static void save_handle(program *run, uint32_t handle)
{
    store_fixture *fixture = fixture_of(run, handle);
    uint64_t unsaved = grove_document_unsaved(run->handles[handle]);
    grove_save_result result;
    grove_status status =
        grove_document_save(run->handles[handle], NULL, &result, &fixture->error);
    if (went_through(run, handle, status)) {
        run->tally->shared += result.events < unsaved;
        cr_assert_eq(grove_document_unsaved(run->handles[handle]), 0);
    }
}

static void refresh_handle(program *run, uint32_t handle)
{
    store_fixture *fixture = fixture_of(run, handle);
    (void)went_through(
        run, handle, grove_document_refresh(run->handles[handle], NULL, &fixture->error));
}

/* What an import into a handle found. */
static void take(program *run, uint32_t handle, const exported *whole)
{
    store_fixture *fixture = fixture_of(run, handle);
    grove_import_result result = {0};
    if (went_through(run, handle,
                     grove_document_import(run->handles[handle], exported_view(whole),
                                           &result, &fixture->error))) {
        run->tally->adopted += result.adopted;
        run->tally->aside += result.aside;
    }
}

/* Brings what a handle of one store has stored to another one's, and now and
 * then to a second one of that. */
static void bring(program *run, uint32_t from, uint32_t to)
{
    store_fixture *source = fixture_of(run, from);
    store_fixture *target = fixture_of(run, to);
    exported whole = {NULL, 0, 0, 0};
    grove_version_vector known;
    bool knows = below(run, 2) == 0;
    grove_status status =
        grove_document_version_vector(run->handles[to], &known, &target->error);
    if (!went_through(run, to, status)) {
        return;
    }
    status = grove_document_export(run->handles[from], knows ? &known : NULL,
                                   exported_write, &whole, &source->error);
    if (status == GROVE_OK) {
        take(run, to, &whole);
        if (below(run, 2) == 0) {
            take(run, (to + STORES) % HANDLES, &whole);
        }
    } else if (status != GROVE_NONE) {
        (void)went_through(run, from, status);
    }
    exported_free(&whole);
}

/* Mostly when all handles of the store are past what goes. */
static void compact_handle(program *run, uint32_t handle)
{
    store_fixture *fixture = fixture_of(run, handle);
    for (uint32_t pass = below(run, 3) > 0 ? 2 * HANDLES : 0; pass > 0; pass--) {
        uint32_t other = pass % HANDLES;
        if (other % STORES == handle % STORES) {
            save_handle(run, other);
        }
    }
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    grove_compact_result result = {0};
    options.window_events = below(run, 30);
    grove_status status =
        grove_document_compact(run->handles[handle], &options, &result, &fixture->error);
    if (status != GROVE_NONE) {
        (void)went_through(run, handle, status);
    }
    run->tally->removed += result.removed_events > 0;
}

/* Where there is one. */
static void delete_document(program *run, uint32_t handle)
{
    store_fixture *fixture = fixture_of(run, handle);
    grove_status status = grove_document_delete(fixture->store, grove_bytes_of(EXCHANGED),
                                                NULL, &fixture->error);
    cr_assert(status == GROVE_OK || status == GROVE_NONE);
}

static void step(program *run)
{
    uint32_t handle = below(run, HANDLES);
    uint32_t choice = below(run, 20);
    if (choice < 6) {
        edit(run, handle);
    } else if (choice < 10) {
        save_handle(run, handle);
    } else if (choice < 12) {
        refresh_handle(run, handle);
    } else if (choice < 18) {
        bring(run, below(run, HANDLES), handle);
    } else if (choice < 19) {
        compact_handle(run, handle);
    } else if (below(run, 4) > 0) {
        reopen(run, handle);
    } else {
        delete_document(run, handle);
    }
    check(run, handle);
}

/* --- programs --- */

/* All get to know all, unless what one has needs what another one removed. */
static void check_end(program *run)
{
    char text[TEXT_BYTES_MAX];
    uint64_t waiting = 0;
    for (uint32_t round = 0; round < 3 * HANDLES; round++) {
        save_handle(run, round % HANDLES);
        bring(run, round % HANDLES, (round + 1) % HANDLES);
        save_handle(run, (round + 1) % HANDLES);
    }
    for (uint32_t handle = 0; handle < HANDLES; handle++) {
        uint64_t left;
        store_fixture *fixture = fixture_of(run, handle);
        refresh_handle(run, handle);
        check(run, handle);
        assert_ok(fixture, grove_document_pending(run->handles[handle], &left, NULL,
                                                  &fixture->error));
        waiting += left;
    }
    text_document_read(fixture_of(run, 0), run->handles[0], text);
    for (uint32_t handle = 1; waiting == 0 && handle < HANDLES; handle++) {
        char other[TEXT_BYTES_MAX];
        text_document_read(fixture_of(run, handle), run->handles[handle], other);
        cr_assert_str_eq(other, text);
        run->tally->equal++;
    }
    for (uint32_t at = 0; at < STORES; at++) {
        assert_sound(run->stores[at].store.store, "after a program");
    }
}

static void run_program(program *run, const char *backend)
{
    for (uint32_t at = 0; at < STORES; at++) {
        peer_init(&run->stores[at], backend, "first", NULL);
        grove_document_close(run->stores[at].document);
    }
    for (uint32_t handle = 0; handle < HANDLES; handle++) {
        open_handle(run, handle);
    }
    for (int count = 0; count < STEPS; count++) {
        step(run);
    }
    check_end(run);
    for (uint32_t handle = 0; handle < HANDLES; handle++) {
        grove_document_close(run->handles[handle]);
    }
    for (uint32_t at = 0; at < STORES; at++) {
        store_fixture_close(&run->stores[at].store);
        store_fixture_release(&run->stores[at].store);
    }
}

static bool has_met_everything(const tally *all)
{
    return all->shared > 0 && all->adopted > 0 && all->removed > 0 && all->aside > 0 &&
           all->behind > 0 && all->equal > 0 && all->same > 0;
}

static void run_programs(const char *backend, uint32_t programs, bool meets_everything)
{
    test_random random = test_random_of("text_programs");
    tally all = {0};
    known_text *known = malloc(KNOWN_MAX * sizeof *known);
    cr_assert_not_null(known);
    for (uint32_t count = 0;
         count < programs ||
         (meets_everything && count < PROGRAMS_MAX && !has_met_everything(&all));
         count++) {
        static program run;
        memset(&run, 0, sizeof run);
        run.random = (test_random){test_random_next(&random)};
        run.known = known;
        run.tally = &all;
        run_program(&run, backend);
    }
    free(known);
    (void)fprintf(stderr,
                  "shared %llu, adopted %llu, removed %llu, aside %llu, behind %llu, "
                  "equal %llu, same %llu\n",
                  (unsigned long long)all.shared, (unsigned long long)all.adopted,
                  (unsigned long long)all.removed, (unsigned long long)all.aside,
                  (unsigned long long)all.behind, (unsigned long long)all.equal,
                  (unsigned long long)all.same);
    cr_assert(!meets_everything || has_met_everything(&all));
}

Test(text_programs, who_knows_the_same_shows_the_same_on_lmdb, .timeout = 300)
{
    run_programs("lmdb", PROGRAMS / 10, false);
}

Test(text_programs, who_knows_the_same_shows_the_same_in_memory, .timeout = 300)
{
    run_programs("memory", PROGRAMS, true);
}
