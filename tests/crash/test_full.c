/*
 * Disks that are full, and disks that fail. Each call that writes is tried with
 * its first, second, third … write failing, or done by half, and with a limit
 * on the size of the file that moves by a sector at a time, until it succeeds.
 * It has to say GROVE_FULL, change nothing, and succeed when it is called again
 * with space; what is then stored is what was meant.
 *
 * A sync that fails is a failure of the call; what a store opened afresh holds
 * is whole, and either has what the call meant or not.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "crash/edits.h"
#include "crash/recorder.h"
#include "crash/scratch.h"

enum {
    PATH_BYTES = SCRATCH_PATH_BYTES,
    SAVES = 10,
    EVENTS_OF_SAVE = 60,
    EVENTS_LARGE = 20000,
    STATE_BYTES = 150000,
    HEADER_BYTES = 2 * 4096,
    LIMIT_STEP_BYTES = 3 * 512, /* at every place in a page, in time */
    TRIES_MAX = 2000
};

/* Whether a store refuses all further work after a failed sync, until it is
 * opened anew: then that is tested too. */
enum { STOPS_AFTER_FAILED_SYNC = 1 };

typedef struct full_bench {
    char root[PATH_BYTES];
    char path[PATH_BYTES + 8];
    uint64_t seed;
    grove_store *store;
    grove_document *document;
    grove_error error;
    edits_model model;
    uint8_t state[STATE_BYTES];
} full_bench;

/* What is stored, to see that it did not change. */
typedef struct full_view {
    uint64_t commit;
    uint64_t unsaved;
    uint64_t state_version; /* of the group */
    grove_document_statistics document;
} full_view;

/* A call that writes; `prepare` goes before and meets no fault. */
typedef struct full_call {
    const char *name;
    grove_status (*prepare)(full_bench *bench);
    grove_status (*call)(full_bench *bench);
} full_call;

static void need(bool is_fine, const full_bench *bench, const char *what)
{
    if (!is_fine) {
        (void)fprintf(stderr, "%s: %s\n", what, bench->error.message);
        _exit(EDITS_FAILED);
    }
}

/* --- the calls --- */

static grove_status make_edits(full_bench *bench)
{
    return edits_make(bench->document, bench->seed, EVENTS_OF_SAVE, &bench->error);
}

static grove_status make_many_edits(full_bench *bench)
{
    return edits_make(bench->document, bench->seed, EVENTS_LARGE, &bench->error);
}

static grove_status save(full_bench *bench)
{
    return grove_document_save(bench->document, NULL, NULL, &bench->error);
}

static grove_status do_nothing(full_bench *bench)
{
    (void)bench;
    return GROVE_OK;
}

static grove_status compact(full_bench *bench)
{
    grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
    options.window_events = 0;
    return grove_document_compact(bench->document, &options, NULL, &bench->error);
}

static grove_status seal(full_bench *bench)
{
    grove_seal_options options = GROVE_SEAL_OPTIONS_INIT;
    options.level = 5;
    return grove_document_seal(bench->document, &options, NULL, &bench->error);
}

static grove_status save_group_of(full_bench *bench, uint8_t version)
{
    bench->state[0] = version;
    grove_bytes state = {bench->state, sizeof bench->state};
    return grove_group_save(bench->store, grove_bytes_of("group"), state, NULL,
                            &bench->error);
}

static grove_status save_group(full_bench *bench)
{
    return save_group_of(bench, 2);
}

static grove_status delete_document(full_bench *bench)
{
    return grove_document_delete(bench->store, grove_bytes_of("other"), NULL,
                                 &bench->error);
}

static const full_call CALLS[] = {
    {"save", make_edits, save},
    {"save of many events, with a snapshot", make_many_edits, save},
    {"compact", do_nothing, compact},
    {"seal", do_nothing, seal},
    {"save of a group", do_nothing, save_group},
    {"delete", do_nothing, delete_document},
};

/* --- the store --- */

static grove_status open_store(full_bench *bench)
{
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    options.size_limit_bytes = UINT64_C(1) << 30;
    return grove_store_open(bench->path, &options, &bench->store, &bench->error);
}

static grove_document *open_document(full_bench *bench, const char *id)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.policy.events_min = 5000;
    options.policy.cost_percent = 0;
    grove_document *document = NULL;
    need(grove_document_open(bench->store, grove_bytes_of(id), &options, &document,
                             &bench->error) == GROVE_OK,
         bench, "open a document");
    return document;
}

static void close_all(full_bench *bench)
{
    grove_document_close(bench->document);
    grove_store_close(bench->store);
    bench->document = NULL;
    bench->store = NULL;
}

static void reopen(full_bench *bench)
{
    close_all(bench);
    need(open_store(bench) == GROVE_OK, bench, "open the store again");
    bench->document = open_document(bench, "document");
}

static void remove_store(const full_bench *bench)
{
    static const char *const NAMES[] = {"data.mdb", "data.mdb.new", "lock.mdb"};
    char path[2 * PATH_BYTES];
    for (size_t index = 0; index < sizeof NAMES / sizeof *NAMES; index++) {
        (void)snprintf(path, sizeof path, "%s/%s", bench->path, NAMES[index]);
        (void)unlink(path);
    }
    (void)rmdir(bench->path);
}

static void make_store(full_bench *bench)
{
    remove_store(bench);
    need(open_store(bench) == GROVE_OK, bench, "make a store");
    bench->document = open_document(bench, "document");
    for (unsigned index = 0; index < SAVES; index++) {
        need(make_edits(bench) == GROVE_OK && save(bench) == GROVE_OK, bench, "save");
    }
    grove_document *other = open_document(bench, "other");
    need(edits_make(other, bench->seed, EVENTS_OF_SAVE, &bench->error) == GROVE_OK &&
             grove_document_save(other, NULL, NULL, &bench->error) == GROVE_OK &&
             save_group_of(bench, 1) == GROVE_OK,
         bench, "save");
    grove_document_close(other);
}

static full_view view_of(full_bench *bench)
{
    full_view view;
    grove_bytes state;
    memset(&view, 0, sizeof view);
    view.unsaved = grove_document_unsaved(bench->document);
    need(grove_store_commit(bench->store, &view.commit, &bench->error) == GROVE_OK &&
             grove_document_statistics_get(bench->store, grove_bytes_of("document"),
                                           &view.document, &bench->error) == GROVE_OK &&
             grove_group_load(bench->store, grove_bytes_of("group"), &state,
                              &bench->error) == GROVE_OK,
         bench, "look");
    view.state_version = state.data[0];
    bool is_whole = state.size == STATE_BYTES &&
                    memcmp(state.data + 1, bench->state + 1, STATE_BYTES - 1) == 0;
    grove_bytes_free(bench->store, state);
    need(is_whole, bench, "the group's state is another");
    return view;
}

static bool are_same(const full_view *one, const full_view *other)
{
    const grove_document_statistics *a = &one->document;
    const grove_document_statistics *b = &other->document;
    return one->commit == other->commit && one->state_version == other->state_version &&
           a->revision == b->revision && a->events == b->events &&
           a->base_clock == b->base_clock && a->batches == b->batches &&
           a->batch_bytes == b->batch_bytes && a->snapshots == b->snapshots &&
           a->snapshot_bytes == b->snapshot_bytes;
}

static bool follow(void *context, uint64_t clock, const grove_event_run *run)
{
    uint64_t *next = context;
    bool is_next = clock == *next;
    *next = clock + run->operation.count;
    return is_next;
}

/* Opens the store anew: everything in it can be read and fits together. */
static void check_whole(full_bench *bench)
{
    reopen(bench);
    full_view view = view_of(bench);
    uint64_t next = view.document.base_clock;
    need(edits_match(bench->document, &bench->model), bench, "the text is another");
    need(grove_document_damaged_snapshots(bench->document) == 0, bench,
         "a snapshot is damaged");
    need(grove_document_events(bench->document, next, follow, &next, &bench->error) ==
                 GROVE_OK &&
             next == view.document.events,
         bench, "events are missing");
}

/* --- faults --- */

typedef enum full_kind { KIND_NO_SPACE, KIND_SHORT, KIND_LIMIT, KIND_SYNC } full_kind;

static const char *const KIND_NAMES[] = {"no space", "by half", "limit", "sync"};

static void set_limit(rlim_t bytes)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0) {
        limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
        (void)setrlimit(RLIMIT_FSIZE, &limit);
    }
}

static uint64_t file_bytes(const full_bench *bench)
{
    char path[2 * PATH_BYTES];
    struct stat about;
    (void)snprintf(path, sizeof path, "%s/data.mdb", bench->path);
    return stat(path, &about) == 0 ? (uint64_t)about.st_size : 0;
}

static void arm(const full_bench *bench, full_kind kind, uint64_t nth)
{
    static const recorder_fault FAULTS[] = {RECORDER_FAULT_ENOSPC, RECORDER_FAULT_SHORT,
                                            RECORDER_FAULT_NONE, RECORDER_FAULT_SYNC};
    recorder_fail(FAULTS[kind], nth);
    if (kind == KIND_LIMIT) {
        set_limit(file_bytes(bench) + (nth - 1) * LIMIT_STEP_BYTES);
    }
}

/* Whether the fault was met; *of_header_out: by a write to LMDB's header. */
static bool disarm(full_kind kind, grove_status status, bool *of_header_out)
{
    uint64_t offset = 0;
    set_limit(RLIM_INFINITY);
    bool is_met = recorder_mend(&offset);
    *of_header_out = is_met && kind != KIND_SYNC && offset < HEADER_BYTES;
    return kind == KIND_LIMIT ? status != GROVE_OK : is_met;
}

/* What a call says that met the fault. */
static bool is_right(full_kind kind, grove_status status)
{
    return kind == KIND_SYNC ? status == GROVE_IO || status == GROVE_FAILED
                             : status == GROVE_FULL;
}

/* After a sync, or a write of the header, failed, nobody knows what the disk
 * has: it may be either, in a store that is opened anew. */
static void go_on_anew(full_bench *bench, const full_call *call, const full_view *before)
{
    check_whole(bench);
    full_view after = view_of(bench);
    if (!are_same(before, &after)) {
        need(after.commit >= before->commit &&
                 after.document.events >= before->document.events,
             bench, "the store went back");
        return;
    }
    need(call->prepare(bench) == GROVE_OK && call->call(bench) == GROVE_OK, bench,
         "the call in a store that was opened anew");
}

/* One try; false: the fault lay behind the call, which did its work. */
static bool try_call(full_bench *bench, const full_call *call, full_kind kind,
                     uint64_t nth)
{
    bool of_header;
    make_store(bench);
    need(call->prepare(bench) == GROVE_OK, bench, "prepare");
    full_view before = view_of(bench);
    arm(bench, kind, nth);
    grove_status status = call->call(bench);
    bool is_met = disarm(kind, status, &of_header);
    need(is_met ? is_right(kind, status) : status == GROVE_OK, bench,
         grove_status_name(status));
    if (is_met && kind == KIND_SYNC && STOPS_AFTER_FAILED_SYNC) {
        need(call->call(bench) == GROVE_FAILED, bench, "a call after a failed sync");
    }
    if (is_met && (of_header || kind == KIND_SYNC)) {
        go_on_anew(bench, call, &before);
    } else if (is_met) {
        full_view after = view_of(bench);
        need(are_same(&before, &after) && before.unsaved == after.unsaved, bench,
             "something changed");
        need(call->call(bench) == GROVE_OK, bench, "the call with space");
    }
    check_whole(bench);
    close_all(bench);
    return is_met;
}

static bool try_to_create(full_bench *bench, full_kind kind, uint64_t nth)
{
    bool of_header;
    remove_store(bench);
    arm(bench, kind, nth);
    grove_status status = open_store(bench);
    bool is_met = disarm(kind, status, &of_header);
    need(is_met ? is_right(kind, status) : status == GROVE_OK, bench,
         grove_status_name(status));
    if (is_met) {
        need(open_store(bench) == GROVE_OK, bench, "opening with space");
    }
    close_all(bench);
    return is_met;
}

static uint64_t try_kind(full_bench *bench, const full_call *call, full_kind kind)
{
    uint64_t nth = 1;
    while (nth < TRIES_MAX && (call == NULL ? try_to_create(bench, kind, nth)
                                            : try_call(bench, call, kind, nth))) {
        nth++;
    }
    /* A small call may fit into pages that the file has already. */
    need((nth > 1 || kind == KIND_LIMIT) && nth < TRIES_MAX, bench,
         "no fault was met, or faults without end");
    (void)printf("%-40s %-10s %4llu faults\n", call == NULL ? "create" : call->name,
                 KIND_NAMES[kind], (unsigned long long)(nth - 1));
    (void)fflush(stdout);
    return nth - 1;
}

int main(void)
{
    static full_bench bench;
    test_random random = test_random_of("full");
    uint64_t faults = 0;
    bench.seed = random.state;
    edits_model_init(&bench.model, bench.seed);
    test_random_bytes(&random, bench.state, sizeof bench.state);
    scratch_make("full", bench.root);
    (void)snprintf(bench.path, sizeof bench.path, "%s/store", bench.root);
    /* The limit is to be a status, not a signal. */
    (void)signal(SIGXFSZ, SIG_IGN);
    recorder_options options = {bench.root, NULL, 0};
    need(recorder_begin(&options), &bench, "recorder_begin");
    for (full_kind kind = KIND_NO_SPACE; kind <= KIND_SYNC; kind++) {
        faults += try_kind(&bench, NULL, kind);
        for (size_t index = 0; index < sizeof CALLS / sizeof *CALLS; index++) {
            faults += try_kind(&bench, &CALLS[index], kind);
        }
    }
    scratch_remove(bench.root, false);
    (void)printf("%llu faults\n", (unsigned long long)faults);
    free(bench.model.text);
    return 0;
}
