/*
 * Threads with handles of their own save, load, refresh, seal and compact the
 * same documents of one store, on both backends. What was acknowledged must
 * be there, once and in each thread's order, and nothing else.
 *
 * Each event says who made it and which of that thread's events on this
 * document it is. The state of an opaque document is, for each thread, how
 * many there are; a text is one line for each event, the newest first.
 *
 * To see that the test can fail, GROVE_THREADS_CONTROL=1 acknowledges one
 * event that was never saved.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grove/backend_memory.h>
#include <grove/grove.h>

#include "support/random.h"

enum {
    THREADS = 4,
    DOCUMENTS = 3, /* the last one is a text */
    TEXT = DOCUMENTS - 1,
    ROUNDS_DEFAULT = 300,
    LINE_BYTES = 8,
    TEXT_BYTES_MAX = 1 << 22
};

/* How many events of each thread there are. */
typedef struct counts {
    uint32_t of[THREADS];
} counts;

typedef struct worker {
    grove_store *store;
    unsigned number;
    uint64_t rounds;
    test_random random;
    grove_document *handles[DOCUMENTS];
    /* Acknowledged, and made on the open handle but not saved yet. */
    uint32_t saved[DOCUMENTS];
    uint32_t unsaved[DOCUMENTS];
    uint64_t commits;
} worker;

static const char *const IDS[DOCUMENTS] = {"first", "second", "text"};

/* What happened where it must not; the test is over. */
static void die(const char *what, grove_status status, const grove_error *error)
{
    (void)fprintf(stderr, "%s: %s: %s\n", what, grove_status_name(status),
                  error != NULL ? error->message : "");
    _exit(1);
}

static void expect(bool is_so, const char *what)
{
    if (!is_so) {
        die(what, GROVE_OK, NULL);
    }
}

/* Takes one event into the counts; a thread's events come in its order. */
static void count_event(counts *counted, uint32_t thread, uint32_t number)
{
    expect(thread < THREADS && counted->of[thread] == number,
           "an event is lost, doubled or out of order");
    counted->of[thread]++;
}

static counts count_opaque(const grove_document *document)
{
    grove_error error;
    bool is_set;
    grove_bytes state;
    uint64_t payloads;
    counts counted = {{0}};
    grove_status status =
        grove_opaque_state(document, &is_set, &state, &payloads, &error);
    if (status != GROVE_OK) {
        die("state", status, &error);
    }
    if (is_set) {
        expect(state.size == sizeof counted, "a state of another size");
        memcpy(&counted, state.data, sizeof counted);
    }
    for (uint64_t index = 0; index < payloads; index++) {
        grove_bytes payload;
        uint32_t event[2];
        status = grove_opaque_payload(document, index, &payload, &error);
        if (status != GROVE_OK) {
            die("payload", status, &error);
        }
        expect(payload.size == sizeof event, "a payload of another size");
        memcpy(event, payload.data, sizeof event);
        count_event(&counted, event[0], event[1]);
    }
    return counted;
}

static counts count_text(const grove_document *document)
{
    grove_error error;
    uint64_t length = 0;
    uint64_t points = 0;
    size_t bytes = 0;
    counts counted = {{0}};
    char *text = malloc(TEXT_BYTES_MAX);
    expect(text != NULL &&
               grove_text_length(document, &length, NULL, &error) == GROVE_OK &&
               grove_text_read(document, 0, length, text, TEXT_BYTES_MAX, &bytes, &points,
                               &error) == GROVE_OK &&
               bytes % LINE_BYTES == 0,
           "the text is not made of lines");
    for (size_t end = bytes; end > 0; end -= LINE_BYTES) {
        const char *line = text + end - LINE_BYTES;
        count_event(&counted, (uint32_t)(line[0] - '0'),
                    (uint32_t)strtoul(line + 1, NULL, 10));
    }
    free(text);
    return counted;
}

static counts count_document(const grove_document *document, unsigned which)
{
    return which == TEXT ? count_text(document) : count_opaque(document);
}

/* The thread's own events are all in a handle of its own. */
static void check_own(worker *self, unsigned which)
{
    counts counted = count_document(self->handles[which], which);
    expect(counted.of[self->number] == self->saved[which] + self->unsaved[which],
           "a handle lacks events of its thread");
}

static void close_handle(worker *self, unsigned which)
{
    grove_document_close(self->handles[which]);
    self->handles[which] = NULL;
    self->unsaved[which] = 0;
}

static void open_handle(worker *self, unsigned which)
{
    grove_error error;
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = which == TEXT ? grove_type_text() : grove_type_opaque();
    options.policy.events_min = 20;
    options.policy.cost_percent = 0;
    grove_status status = grove_document_open(self->store, grove_bytes_of(IDS[which]),
                                              &options, &self->handles[which], &error);
    if (status != GROVE_OK) {
        die("open", status, &error);
    }
    check_own(self, which);
}

static void make_event(worker *self, unsigned which)
{
    grove_error error;
    grove_status status;
    uint32_t event[2] = {self->number, self->saved[which] + self->unsaved[which]};
    if (which == TEXT) {
        char line[LINE_BYTES + 1];
        (void)snprintf(line, sizeof line, "%u%06u\n", event[0] % 10, event[1] % 1000000);
        status =
            grove_text_insert(self->handles[which], 0,
                              (grove_bytes){(const uint8_t *)line, LINE_BYTES}, &error);
    } else {
        status = grove_opaque_append(self->handles[which],
                                     (grove_bytes){(const uint8_t *)event, sizeof event},
                                     &error);
    }
    if (status != GROVE_OK) {
        die("make an event", status, &error);
    }
    self->unsaved[which]++;
}

/* A text that others changed meanwhile is given up and loaded anew. */
static bool is_overtaken(unsigned which, grove_status status)
{
    return which == TEXT && status == GROVE_UNSUPPORTED;
}

static void save_handle(worker *self, unsigned which)
{
    grove_error error;
    grove_save_result result;
    grove_status status =
        grove_document_save(self->handles[which], NULL, &result, &error);
    if (is_overtaken(which, status)) {
        close_handle(self, which);
        return;
    }
    if (status != GROVE_OK && status != GROVE_BUSY) {
        die("save", status, &error);
    }
    if (status == GROVE_OK) {
        self->saved[which] += self->unsaved[which];
        self->unsaved[which] = 0;
        self->commits += result.commit > 0 ? 1 : 0;
    }
}

static void refresh_handle(worker *self, unsigned which)
{
    grove_error error;
    grove_status status = grove_document_refresh(self->handles[which], NULL, &error);
    if (is_overtaken(which, status)) {
        close_handle(self, which);
        return;
    }
    if (status != GROVE_OK) {
        die("refresh", status, &error);
    }
    check_own(self, which);
}

static void seal_or_compact(worker *self, unsigned which, bool compacts)
{
    grove_error error;
    grove_status status;
    if (compacts) {
        grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
        options.window_events = test_random_below(&self->random, 3) * 20;
        status = grove_document_compact(self->handles[which], &options, NULL, &error);
    } else {
        grove_seal_options options = GROVE_SEAL_OPTIONS_INIT;
        options.level = 1;
        status = grove_document_seal(self->handles[which], &options, NULL, &error);
    }
    /* Not stored yet; a state that somebody has not handed in. */
    bool is_usual = status == GROVE_OK || status == GROVE_NONE || status == GROVE_BUSY ||
                    (compacts && status == GROVE_UNSUPPORTED && which != TEXT);
    if (!is_usual) {
        die(compacts ? "compact" : "seal", status, &error);
    }
}

static void hand_in_state(worker *self, unsigned which)
{
    grove_error error;
    counts counted = count_opaque(self->handles[which]);
    grove_status status = grove_opaque_set_state(
        self->handles[which], (grove_bytes){(const uint8_t *)&counted, sizeof counted},
        &error);
    if (status != GROVE_OK) {
        die("hand in a state", status, &error);
    }
}

static void *work(void *context)
{
    worker *self = context;
    for (uint64_t round = 0; round < self->rounds; round++) {
        unsigned which = (unsigned)test_random_below(&self->random, DOCUMENTS);
        if (self->handles[which] == NULL) {
            open_handle(self, which);
        }
        uint64_t choice = test_random_below(&self->random, 20);
        if (choice < 10) {
            make_event(self, which);
            save_handle(self, which);
        } else if (choice < 12) {
            make_event(self, which);
        } else if (choice < 14) {
            refresh_handle(self, which);
        } else if (choice < 15) {
            close_handle(self, which);
        } else if (choice < 17) {
            seal_or_compact(self, which, choice == 16);
        } else if (which != TEXT) {
            hand_in_state(self, which);
        } else {
            seal_or_compact(self, which, true);
        }
    }
    for (unsigned which = 0; which < DOCUMENTS; which++) {
        close_handle(self, which);
    }
    return NULL;
}

/* The store after all threads ended, against what they were told. */
static void check_store(grove_store *store, const worker *workers)
{
    grove_error error;
    uint64_t commits = 0;
    uint64_t commit = 0;
    for (unsigned which = 0; which < DOCUMENTS; which++) {
        grove_document *document = NULL;
        grove_status status = grove_document_load(store, grove_bytes_of(IDS[which]), NULL,
                                                  &document, &error);
        if (status != GROVE_OK) {
            die("load what is left", status, &error);
        }
        counts counted = count_document(document, which);
        for (unsigned thread = 0; thread < THREADS; thread++) {
            expect(counted.of[thread] == workers[thread].saved[which],
                   "what is stored is not what was acknowledged");
        }
        expect(grove_document_damaged_snapshots(document) == 0, "a damaged snapshot");
        grove_document_close(document);
    }
    for (unsigned thread = 0; thread < THREADS; thread++) {
        commits += workers[thread].commits;
    }
    expect(grove_store_commit(store, &commit, &error) == GROVE_OK && commit == commits,
           "commits have other numbers than 1, 2, 3 …");
}

static void run_backend(const char *backend, const char *path, uint64_t rounds,
                        test_random *random)
{
    grove_error error;
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    grove_store *store = NULL;
    options.backend = grove_backend_find(backend);
    options.durability = GROVE_DURABILITY_NONE;
    grove_status status = grove_store_open(path, &options, &store, &error);
    if (status != GROVE_OK) {
        die("open the store", status, &error);
    }
    worker workers[THREADS];
    pthread_t threads[THREADS];
    for (unsigned thread = 0; thread < THREADS; thread++) {
        workers[thread] = (worker){.store = store, .number = thread, .rounds = rounds};
        workers[thread].random.state = test_random_next(random);
        expect(pthread_create(&threads[thread], NULL, work, &workers[thread]) == 0,
               "no thread");
    }
    for (unsigned thread = 0; thread < THREADS; thread++) {
        (void)pthread_join(threads[thread], NULL);
    }
    if (getenv("GROVE_THREADS_CONTROL") != NULL) {
        workers[0].saved[0]++;
    }
    check_store(store, workers);
    grove_store_close(store);
    (void)printf("%s: %d threads, %llu rounds each\n", backend, THREADS,
                 (unsigned long long)rounds);
}

int main(void)
{
    test_random random = test_random_of("threads");
    const char *given = getenv("GROVE_THREADS_ROUNDS");
    uint64_t rounds = given != NULL ? strtoull(given, NULL, 10) : ROUNDS_DEFAULT;
    char path[] = "/tmp/grove-threads-XXXXXX";
    expect(mkdtemp(path) != NULL, "no directory");
    run_backend("memory", path, rounds, &random);
    run_backend("lmdb", path, rounds, &random);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", path);
    return system(command) == 0 ? 0 : 1;
}
