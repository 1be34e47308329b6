#include "crash/power_work.h"

#include "crash/recorder.h"

enum { EDITS_MAX = 40, COMPACT_WINDOW = 200 };

static void need(bool is_fine, const char *what, const grove_error *error)
{
    if (!is_fine) {
        (void)fprintf(stderr, "%s: %s\n", what, error->message);
        _exit(EDITS_FAILED);
    }
}

/* What each subject is called, and the seed of what it holds. */
static void name_subject(uint64_t subject, char name_out[16])
{
    (void)snprintf(name_out, 16, "subject-%llu", (unsigned long long)subject);
}

static grove_bytes state_of(uint64_t seed, uint64_t version, uint8_t *room)
{
    test_random random = {seed ^ (version * 0x9e3779b97f4a7c15u)};
    size_t bytes = 8 + test_random_below(&random, POWER_STATE_BYTES_MAX - 8);
    test_random_bytes(&random, room, bytes);
    return (grove_bytes){room, bytes};
}

static grove_status open_store(const power_work *work, grove_store **store_out,
                               grove_error *error_out)
{
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    options.durability = work->durability;
    options.size_limit_bytes = UINT64_C(1) << 30;
    return grove_store_open(work->path, &options, store_out, error_out);
}

static grove_status open_document(grove_store *store, uint64_t subject,
                                  grove_document **document_out, grove_error *error_out)
{
    char name[16];
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.policy.events_min = 100;
    options.policy.cost_percent = 0;
    name_subject(subject, name);
    return grove_document_open(store, grove_bytes_of(name), &options, document_out,
                               error_out);
}

/* --- the work --- */

typedef struct power_worker {
    const power_work *work;
    unsigned process;
    uint64_t subjects[2]; /* document, group */
    uint64_t version;     /* of the group */
    grove_store *store;
    grove_document *document;
    test_random random;
} power_worker;

static void tell(const power_worker *worker, uint64_t commit, uint64_t subject,
                 uint64_t version)
{
    bool is_durable = worker->work->durability == GROVE_DURABILITY_FULL;
    power_mark mark = {commit, subject, version, is_durable};
    recorder_mark(&mark, sizeof mark);
}

static void save_edits(power_worker *worker)
{
    grove_error error;
    grove_save_result result;
    uint64_t count = 1 + test_random_below(&worker->random, EDITS_MAX);
    uint64_t seed = worker->work->seed + worker->subjects[0];
    need(edits_make(worker->document, seed, count, &error) == GROVE_OK, "edit", &error);
    need(grove_document_save(worker->document, NULL, &result, &error) == GROVE_OK, "save",
         &error);
    tell(worker, result.commit, worker->subjects[0],
         grove_document_clock(worker->document));
}

static void save_group(power_worker *worker)
{
    static uint8_t room[POWER_STATE_BYTES_MAX];
    char name[16];
    uint64_t commit = 0;
    grove_error error;
    worker->version++;
    name_subject(worker->subjects[1], name);
    grove_bytes state =
        state_of(worker->work->seed + worker->subjects[1], worker->version, room);
    need(grove_group_save(worker->store, grove_bytes_of(name), state, &commit, &error) ==
             GROVE_OK,
         "save a group", &error);
    tell(worker, commit, worker->subjects[1], worker->version);
}

/* What was committed before, by whomever, is promised from now on. */
static void sync_store(power_worker *worker)
{
    grove_error error;
    power_mark mark = {0, POWER_SUBJECTS, 0, true};
    need(grove_store_commit(worker->store, &mark.commit, &error) == GROVE_OK &&
             grove_store_sync(worker->store, &error) == GROVE_OK,
         "sync", &error);
    recorder_mark(&mark, sizeof mark);
}

static void rearrange(power_worker *worker, bool is_compaction)
{
    grove_error error;
    grove_status status;
    if (is_compaction) {
        grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
        options.window_events = test_random_below(&worker->random, COMPACT_WINDOW);
        status = grove_document_compact(worker->document, &options, NULL, &error);
    } else {
        grove_seal_options options = GROVE_SEAL_OPTIONS_INIT;
        options.level = 5;
        status = grove_document_seal(worker->document, &options, NULL, &error);
    }
    need(status == GROVE_OK || status == GROVE_NONE, "seal or compact", &error);
}

void power_work_do(const power_work *work, unsigned process)
{
    power_worker worker = {.work = work,
                           .process = process,
                           .subjects = {2 * process, 2 * process + 1},
                           .random = {work->seed + process}};
    grove_error error;
    need(open_store(work, &worker.store, &error) == GROVE_OK, "open the store", &error);
    need(open_document(worker.store, worker.subjects[0], &worker.document, &error) ==
             GROVE_OK,
         "open the document", &error);
    for (uint64_t call = 0; call < work->calls; call++) {
        uint64_t choice = test_random_below(&worker.random, 16);
        if (choice < 2) {
            rearrange(&worker, choice == 0);
        } else if (choice < 4) {
            save_group(&worker);
        } else if (choice == 4 && work->durability == GROVE_DURABILITY_RELAXED) {
            sync_store(&worker);
        } else {
            save_edits(&worker);
        }
    }
    grove_document_close(worker.document);
    grove_store_close(worker.store);
}

/* --- what is left of it --- */

static bool count_events(void *context, uint64_t clock, const grove_event_run *run)
{
    uint64_t *next = context;
    bool is_next = clock == *next;
    *next = clock + run->operation.count;
    return is_next;
}

/* Reads everything of a document, and goes on with it. */
static bool is_document_whole(grove_store *store, uint64_t seed, uint64_t subject,
                              uint64_t version, grove_error *error_out)
{
    static edits_model model;
    char name[16];
    grove_document *document = NULL;
    grove_document_statistics statistics = {.base_clock = 0};
    if (model.text == NULL || model.seed != seed + subject) {
        free(model.text);
        edits_model_init(&model, seed + subject);
    }
    name_subject(subject, name);
    if (open_document(store, subject, &document, error_out) != GROVE_OK) {
        return false;
    }
    bool is_whole = grove_document_clock(document) == version &&
                    grove_document_damaged_snapshots(document) == 0 &&
                    edits_match(document, &model);
    if (is_whole && version > 0) {
        is_whole = grove_document_statistics_get(store, grove_bytes_of(name), &statistics,
                                                 error_out) == GROVE_OK;
        uint64_t next = statistics.base_clock;
        is_whole = is_whole &&
                   grove_document_events(document, next, count_events, &next,
                                         error_out) == GROVE_OK &&
                   next == version;
    }
    is_whole = is_whole &&
               edits_make(document, seed + subject, 1, error_out) == GROVE_OK &&
               grove_document_save(document, NULL, NULL, error_out) == GROVE_OK;
    grove_document_close(document);
    return is_whole;
}

static bool is_group_whole(grove_store *store, uint64_t seed, uint64_t subject,
                           uint64_t version, grove_error *error_out)
{
    static uint8_t room[POWER_STATE_BYTES_MAX];
    char name[16];
    grove_bytes found = {NULL, 0};
    name_subject(subject, name);
    grove_status status =
        grove_group_load(store, grove_bytes_of(name), &found, error_out);
    if (status != GROVE_OK) {
        return status == GROVE_NONE && version == 0;
    }
    grove_bytes state = state_of(seed + subject, version, room);
    bool is_whole = version > 0 && found.size == state.size &&
                    memcmp(found.data, state.data, state.size) == 0;
    grove_bytes_free(store, found);
    return is_whole;
}

power_verdict power_inspect(const power_work *work, const power_ledger *ledger,
                            uint64_t promised, bool is_loud)
{
    grove_error error = {GROVE_OK, 0, "what was found is not what was written"};
    grove_store *store = NULL;
    uint64_t commit = 0;
    power_verdict verdict = POWER_SOUND;
    uint64_t subject = POWER_SUBJECTS;
    if (open_store(work, &store, &error) != GROVE_OK ||
        grove_store_commit(store, &commit, &error) != GROVE_OK ||
        commit > ledger->commits) {
        verdict = POWER_BROKEN;
    } else if (commit < promised) {
        verdict = POWER_LOST;
    }
    for (uint64_t next = 0; next < POWER_SUBJECTS && verdict == POWER_SOUND; next++) {
        uint64_t version = ledger->versions[commit][next];
        bool is_whole = next % 2 == 0
                            ? is_document_whole(store, work->seed, next, version, &error)
                            : is_group_whole(store, work->seed, next, version, &error);
        verdict = is_whole ? POWER_SOUND : POWER_BROKEN;
        subject = next;
    }
    if (is_loud && verdict != POWER_SOUND) {
        (void)fprintf(stderr, "commit %llu of %llu promised, subject %llu: %s\n",
                      (unsigned long long)commit, (unsigned long long)promised,
                      (unsigned long long)subject, error.message);
    }
    grove_store_close(store);
    return verdict;
}
