/*
 * A process is killed with SIGKILL while it saves, seals and compacts one
 * document; then the store is opened again. What was acknowledged must be
 * there, nothing may be there by halves, and the text must be the one that the
 * stored number of events makes.
 *
 * The edits are a function of their number and a seed, so that the parent
 * knows the text at every clock without being told. The child acknowledges
 * through shared memory, after each call that returned.
 *
 * To see that the test can fail, GROVE_CRASH_CONTROL=1 lets the child
 * acknowledge before it saves.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <grove/grove.h>

#include "support/random.h"

enum { ROUNDS_DEFAULT = 60, TEXT_BYTES_MAX = 1 << 22, FAILED = 3 };

/* Shared by parent and child. */
typedef struct crash_ledger {
    volatile uint64_t clock;  /* acknowledged events */
    volatile uint64_t commit; /* and the commit that held them */
    volatile uint64_t calls;
} crash_ledger;

typedef struct text_model {
    char *text;
    size_t length;
    uint64_t clock;
} text_model;

/* What the event of this number does to a text of this length. */
typedef struct edit {
    size_t position;
    char inserted; /* NUL: a deletion */
} edit;

static edit edit_of(uint64_t seed, uint64_t number, size_t length)
{
    test_random random = {seed ^ (number / 16 * 0x9e3779b9u)};
    size_t place = test_random_below(&random, length + 1);
    random.state += number;
    uint64_t drawn = test_random_next(&random);
    /* Runs of 16 events stay close together, as a typist does. */
    size_t position = place + number % 16 <= length ? place + number % 16 : length;
    if (drawn % 4 == 0 && position < length) {
        return (edit){position, '\0'};
    }
    return (edit){position, (char)('a' + drawn % 26)};
}

static void model_advance(text_model *model, uint64_t seed, uint64_t clock)
{
    for (; model->clock < clock; model->clock++) {
        edit next = edit_of(seed, model->clock, model->length);
        char *at = model->text + next.position;
        size_t behind = model->length - next.position;
        if (next.inserted == '\0') {
            memmove(at, at + 1, behind - 1);
            model->length--;
        } else {
            memmove(at + 1, at, behind);
            *at = next.inserted;
            model->length++;
        }
    }
}

static void die(const char *what, const grove_error *error)
{
    (void)fprintf(stderr, "%s: %s\n", what, error->message);
    _exit(FAILED);
}

static grove_document *open_document(const char *path, grove_store **store_out)
{
    grove_error error;
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    /* A killed process leaves its writes with the kernel: the sync is no part
     * of what is tested here. */
    options.durability = GROVE_DURABILITY_RELAXED;
    grove_document_options document_options = GROVE_DOCUMENT_OPTIONS_INIT;
    document_options.policy.events_min = 100;
    document_options.policy.cost_percent = 0;
    grove_document *document = NULL;
    if (grove_store_open(path, &options, store_out, &error) != GROVE_OK) {
        die("open the store", &error);
    }
    if (grove_document_open(*store_out, grove_bytes_of("doc"), &document_options,
                            &document, &error) != GROVE_OK) {
        die("open the document", &error);
    }
    return document;
}

static void edit_and_save(grove_document *document, uint64_t seed, test_random *random,
                          crash_ledger *ledger)
{
    grove_error error;
    uint64_t clock = grove_document_clock(document);
    uint64_t count = 1 + test_random_below(random, 40);
    for (uint64_t number = clock; number < clock + count; number++) {
        uint64_t length;
        if (grove_text_length(document, &length, NULL, &error) != GROVE_OK) {
            die("length", &error);
        }
        edit next = edit_of(seed, number, length);
        grove_status status =
            next.inserted == '\0'
                ? grove_text_delete(document, next.position, 1, &error)
                : grove_text_insert(document, next.position,
                                    (grove_bytes){(const uint8_t *)&next.inserted, 1},
                                    &error);
        if (status != GROVE_OK) {
            die("edit", &error);
        }
    }
    if (getenv("GROVE_CRASH_CONTROL") != NULL) {
        ledger->clock = clock + count;
        (void)usleep(2000);
    }
    grove_save_result result;
    if (grove_document_save(document, NULL, &result, &error) != GROVE_OK) {
        die("save", &error);
    }
    ledger->clock = clock + count;
    ledger->commit = result.commit;
}

static void work(const char *path, uint64_t seed, uint64_t round, crash_ledger *ledger)
{
    grove_error error;
    grove_store *store = NULL;
    grove_document *document = open_document(path, &store);
    test_random random = {seed + round};
    for (;;) {
        uint64_t choice = test_random_below(&random, 40);
        grove_status status = GROVE_OK;
        if (choice == 0) {
            grove_seal_options options = GROVE_SEAL_OPTIONS_INIT;
            options.level = 5;
            status = grove_document_seal(document, &options, NULL, &error);
        } else if (choice == 1) {
            grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
            options.window_events = test_random_below(&random, 2000);
            status = grove_document_compact(document, &options, NULL, &error);
        } else {
            edit_and_save(document, seed, &random, ledger);
        }
        if (status != GROVE_OK && status != GROVE_NONE) {
            die("seal or compact", &error);
        }
        ledger->calls++;
    }
}

/* The store as the killed process left it, against the model. */
static bool check(const char *path, uint64_t seed, const crash_ledger *ledger,
                  text_model *model)
{
    grove_error error;
    grove_store *store = NULL;
    grove_document *document = open_document(path, &store);
    uint64_t clock = grove_document_clock(document);
    uint64_t commit = 0;
    uint64_t length = 0;
    uint64_t points = 0;
    size_t bytes = 0;
    static char text[TEXT_BYTES_MAX];
    bool is_good = clock >= ledger->clock && clock >= model->clock &&
                   grove_document_damaged_snapshots(document) == 0;
    if (!is_good) {
        (void)fprintf(stderr, "acknowledged were %llu events, stored are %llu\n",
                      (unsigned long long)ledger->clock, (unsigned long long)clock);
    } else {
        model_advance(model, seed, clock);
        is_good = grove_store_commit(store, &commit, &error) == GROVE_OK &&
                  commit >= ledger->commit &&
                  grove_text_length(document, &length, NULL, &error) == GROVE_OK &&
                  grove_text_read(document, 0, length, text, sizeof text, &bytes, &points,
                                  &error) == GROVE_OK &&
                  bytes == model->length && memcmp(text, model->text, bytes) == 0;
        if (!is_good) {
            (void)fprintf(stderr, "the text at clock %llu is another\n",
                          (unsigned long long)clock);
        }
    }
    grove_document_close(document);
    grove_store_close(store);
    return is_good;
}

/* One life of a child; false when it, or what it left, was wrong. */
static bool run_round(const char *path, uint64_t seed, uint64_t round,
                      crash_ledger *ledger, text_model *model, test_random *random)
{
    pid_t child = fork();
    if (child == 0) {
        work(path, seed, round, ledger);
    }
    (void)usleep((useconds_t)(1000 + test_random_below(random, 40000)));
    (void)kill(child, SIGKILL);
    int status = 0;
    (void)waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
        (void)fprintf(stderr, "the child ended by itself\n");
        return false;
    }
    return check(path, seed, ledger, model);
}

int main(void)
{
    test_random random = test_random_of("crash");
    uint64_t seed = random.state;
    const char *given = getenv("GROVE_CRASH_ROUNDS");
    uint64_t rounds = given != NULL ? strtoull(given, NULL, 10) : ROUNDS_DEFAULT;
    char path[] = "/tmp/grove-crash-XXXXXX";
    crash_ledger *ledger = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    text_model model = {malloc(TEXT_BYTES_MAX), 0, 0};
    if (mkdtemp(path) == NULL || ledger == MAP_FAILED || model.text == NULL) {
        (void)fprintf(stderr, "cannot begin\n");
        return 1;
    }
    bool is_good = true;
    uint64_t round = 0;
    for (; round < rounds && is_good && model.length < TEXT_BYTES_MAX / 2; round++) {
        is_good = run_round(path, seed, round, ledger, &model, &random);
    }
    (void)printf("%llu kills, %llu calls that returned, %llu events\n",
                 (unsigned long long)round, (unsigned long long)ledger->calls,
                 (unsigned long long)model.clock);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (!is_good) {
        (void)printf("what is left: %s\n", path);
    } else if (system(command) != 0) {
        (void)fprintf(stderr, "cannot remove %s\n", path);
    }
    free(model.text);
    (void)munmap(ledger, sizeof *ledger);
    return is_good ? 0 : 1;
}
