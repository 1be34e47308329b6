/*
 * Processes are killed with SIGKILL while they save, seal and compact the
 * documents of one store: one of them first, at a random moment, the others a
 * little later. Then the store is opened again. What was acknowledged must be
 * there exactly once, and nothing by halves.
 *
 *   own documents   one process saves each; its edits are a function of their
 *                   number, so the text at any clock is known
 *   a shared one    two processes insert their letters into it; there must be
 *                   as many of each as the replica has events
 *   a shared tree   two processes put nodes into it and move them; there must
 *                   be as many of each as the replica has puts
 *
 * Processes acknowledge through shared memory, after each call that returned.
 * In the control, which must fail, they acknowledge before they save.
 *
 * GROVE_CRASH_ROUNDS says how often.
 */
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "crash/edits.h"
#include "crash/scratch.h"

#ifdef __SANITIZE_ADDRESS__
enum { ROUNDS_DEFAULT = 60 };
#else
enum { ROUNDS_DEFAULT = 300 };
#endif

enum {
    ROUNDS_OF_CONTROL = 100,
    OWN_DOCUMENTS = 2,
    SHARERS = 2, /* of each of the two shared ones */
    DOCUMENTS = OWN_DOCUMENTS + 2,
    SHARED = OWN_DOCUMENTS,
    SHARED_TREE = OWN_DOCUMENTS + 1,
    PROCESSES = OWN_DOCUMENTS + 2 * SHARERS + 2, /* one compacts, one seals */
    LIFE_US = 15000,
    LIFE_AFTER_US = 3000,
    EDITS_MAX = 40,
    LETTERS_MAX = 8
};

/* Shared by all processes. */
typedef struct kill_ledger {
    bool is_control;
    _Atomic uint64_t clocks[OWN_DOCUMENTS]; /* acknowledged events */
    _Atomic uint64_t letters[SHARERS];
    _Atomic uint64_t tree_events[SHARERS];
    _Atomic uint64_t commits[PROCESSES];
    _Atomic uint64_t calls[PROCESSES];
} kill_ledger;

/* One process's view of the work. */
typedef struct kill_worker {
    const char *path;
    uint64_t seed;
    unsigned process;
    test_random random;
    kill_ledger *ledger;
    grove_store *store;
    grove_error error;
} kill_worker;

static const char *const NAMES[DOCUMENTS] = {"own 0", "own 1", "shared", "tree"};

static void need(bool is_fine, const kill_worker *worker, const char *what)
{
    if (!is_fine) {
        (void)fprintf(stderr, "process %u, %s: %s: %s\n", worker->process, what,
                      grove_status_name(worker->error.status), worker->error.message);
        _exit(EDITS_FAILED);
    }
}

static void open_store(kill_worker *worker)
{
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    /* A killed process leaves its writes with the kernel: the sync is no part
     * of what is tested here. */
    options.durability = GROVE_DURABILITY_RELAXED;
    options.size_limit_bytes = UINT64_C(1) << 32;
    need(grove_store_open(worker->path, &options, &worker->store, &worker->error) ==
             GROVE_OK,
         worker, "open the store");
}

/* `replica` NULL: a fresh one. */
static grove_document *open_document(kill_worker *worker, unsigned number,
                                     const char *replica)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    grove_document *document = NULL;
    options.policy.events_min = 100;
    options.policy.cost_percent = 0;
    options.type = number == SHARED_TREE ? grove_type_tree() : grove_type_text();
    if (replica != NULL) {
        options.replica.size = (uint8_t)strlen(replica);
        memcpy(options.replica.bytes, replica, options.replica.size);
    }
    need(grove_document_open(worker->store, grove_bytes_of(NAMES[number]), &options,
                             &document, &worker->error) == GROVE_OK,
         worker, "open a document");
    return document;
}

/* --- what the processes do --- */

/* False: what the handle needs was removed under it by the process that
 * compacts, and nothing was saved. */
static bool save(kill_worker *worker, grove_document *document,
                 _Atomic uint64_t *acknowledged, uint64_t now)
{
    grove_save_result result;
    if (worker->ledger->is_control) {
        *acknowledged = now;
        (void)usleep(2000);
    }
    grove_status status;
    do {
        status = grove_document_save(document, NULL, &result, &worker->error);
        /* Others may be first again and again. */
    } while (status == GROVE_BUSY);
    if (status == GROVE_HISTORY_REMOVED) {
        return false;
    }
    need(status == GROVE_OK, worker, "save");
    *acknowledged = now;
    worker->ledger->commits[worker->process] = result.commit;
    worker->ledger->calls[worker->process]++;
    return true;
}

static void save_own(kill_worker *worker, unsigned number)
{
    grove_document *document = open_document(worker, number, NULL);
    for (;;) {
        uint64_t count = 1 + test_random_below(&worker->random, EDITS_MAX);
        need(edits_make(document, worker->seed + number, count, &worker->error) ==
                 GROVE_OK,
             worker, "edit");
        /* Nobody else adds to it, so all that it needs is in the handle. */
        need(save(worker, document, &worker->ledger->clocks[number],
                  grove_document_clock(document) + count),
             worker, "save one's own");
    }
}

static void save_shared(kill_worker *worker, unsigned sharer)
{
    char letters[LETTERS_MAX];
    char replica[2] = {(char)('a' + sharer), '\0'};
    grove_document *document = open_document(worker, SHARED, replica);
    memset(letters, 'a' + (int)sharer, sizeof letters);
    for (;;) {
        uint64_t length = 0;
        uint64_t count = 1 + test_random_below(&worker->random, LETTERS_MAX);
        grove_bytes inserted = {(const uint8_t *)letters, count};
        need(grove_text_length(document, &length, NULL, &worker->error) == GROVE_OK &&
                 grove_text_insert(document,
                                   test_random_below(&worker->random, length + 1),
                                   inserted, &worker->error) == GROVE_OK,
             worker, "insert");
        if (!save(worker, document, &worker->ledger->letters[sharer],
                  grove_document_replica(document).sequence)) {
            grove_document_close(document);
            document = open_document(worker, SHARED, replica);
        }
    }
}

/* Events with even numbers put a node, others move one. */
static grove_status edit_tree(kill_worker *worker, grove_document *tree)
{
    grove_bytes none = {NULL, 0};
    grove_tree_item item = {.type = grove_bytes_of("node")};
    uint64_t number = grove_document_replica(tree).sequence;
    uint64_t count = 0;
    grove_status status = grove_tree_count(tree, &count, &worker->error);
    while (status == GROVE_OK) {
        grove_node node = (grove_node)test_random_below(&worker->random, count);
        grove_tree_place place = {(grove_node)test_random_below(&worker->random, count),
                                  GROVE_TREE_FIRST, 0};
        status = number % 2 == 0
                     ? grove_tree_put(tree, &item, place, none, NULL, &worker->error)
                     : grove_tree_move(tree, node, place, none, &worker->error);
        if (status != GROVE_INVALID) {
            break;
        }
        /* Below itself, or the root: another one. */
        status = GROVE_OK;
    }
    return status;
}

static void save_tree(kill_worker *worker, unsigned sharer)
{
    char replica[2] = {(char)('a' + sharer), '\0'};
    grove_document *tree = open_document(worker, SHARED_TREE, replica);
    for (;;) {
        uint64_t count = 1 + test_random_below(&worker->random, EDITS_MAX);
        for (uint64_t index = 0; index < count; index++) {
            need(edit_tree(worker, tree) == GROVE_OK, worker, "edit a tree");
        }
        if (!save(worker, tree, &worker->ledger->tree_events[sharer],
                  grove_document_replica(tree).sequence)) {
            grove_document_close(tree);
            tree = open_document(worker, SHARED_TREE, replica);
        }
    }
}

/* Another handle each time, as a process that looks after a store would. */
static void rearrange(kill_worker *worker, bool is_compaction)
{
    for (;;) {
        grove_status status;
        unsigned number = (unsigned)test_random_below(&worker->random, DOCUMENTS);
        grove_document *document = open_document(worker, number, NULL);
        if (is_compaction) {
            grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
            options.window_events = test_random_below(&worker->random, 2000);
            status = grove_document_compact(document, &options, NULL, &worker->error);
        } else {
            grove_seal_options options = GROVE_SEAL_OPTIONS_INIT;
            options.level = 5;
            status = grove_document_seal(document, &options, NULL, &worker->error);
        }
        /* Others save all the time, so it may have to give up. */
        need(status == GROVE_OK || status == GROVE_NONE || status == GROVE_BUSY, worker,
             "seal or compact");
        grove_document_close(document);
        worker->ledger->calls[worker->process]++;
    }
}

static void work(kill_worker *worker)
{
    unsigned process = worker->process;
    open_store(worker);
    if (process < OWN_DOCUMENTS) {
        save_own(worker, process);
    } else if (process < OWN_DOCUMENTS + SHARERS) {
        save_shared(worker, process - OWN_DOCUMENTS);
    } else if (process < OWN_DOCUMENTS + 2 * SHARERS) {
        save_tree(worker, process - OWN_DOCUMENTS - SHARERS);
    } else {
        rearrange(worker, process + 1 == PROCESSES);
    }
}

/* --- what is left of it --- */

static bool complain(const char *what, uint64_t found, uint64_t wanted)
{
    (void)fprintf(stderr, "%s: %llu, acknowledged are %llu\n", what,
                  (unsigned long long)found, (unsigned long long)wanted);
    return false;
}

static bool follow(void *context, uint64_t clock, const grove_event_run *run)
{
    uint64_t *next = context;
    bool is_next = clock == *next;
    *next = clock + run->operation.count;
    return is_next;
}

/* Every event that is stored can be read, one clock after the other. */
static bool are_events_whole(kill_worker *worker, grove_document *document,
                             const char *name)
{
    grove_document_statistics statistics;
    uint64_t next = 0;
    grove_status status = grove_document_statistics_get(
        worker->store, grove_bytes_of(name), &statistics, &worker->error);
    if (status == GROVE_NONE) {
        return grove_document_clock(document) == 0;
    }
    if (status == GROVE_OK) {
        next = statistics.base_clock;
        status = grove_document_events(document, next, follow, &next, &worker->error);
    }
    bool is_whole = status == GROVE_OK && next == grove_document_clock(document) &&
                    grove_document_damaged_snapshots(document) == 0;
    return is_whole || complain(name, next, grove_document_clock(document));
}

static bool check_own(kill_worker *worker, unsigned number, edits_model *model)
{
    grove_document *document = open_document(worker, number, NULL);
    uint64_t clock = grove_document_clock(document);
    uint64_t wanted = worker->ledger->clocks[number];
    /* Nor may it go back behind what was seen after the last kill. */
    wanted = wanted > model->clock ? wanted : model->clock;
    bool is_good = clock >= wanted || complain(NAMES[number], clock, wanted);
    is_good = is_good && are_events_whole(worker, document, NAMES[number]);
    if (is_good && !edits_match(document, model)) {
        is_good = complain("another text at the clock", clock, wanted);
    }
    grove_document_close(document);
    return is_good;
}

static bool count_letters(void *context, grove_bytes utf8)
{
    uint64_t *counts = context;
    for (size_t index = 0; index < utf8.size; index++) {
        size_t letter = (size_t)(utf8.data[index] - 'a');
        counts[letter < SHARERS ? letter : SHARERS]++;
    }
    return true;
}

/* The next sequences of those who share a document. */
static void find_sequences(kill_worker *worker, grove_document *document,
                           uint64_t sequences[SHARERS])
{
    grove_version_vector vector;
    need(grove_document_version_vector(document, &vector, &worker->error) == GROVE_OK,
         worker, "read a version vector");
    for (size_t sharer = 0; sharer < SHARERS; sharer++) {
        sequences[sharer] = 0;
        for (size_t index = 0; index < vector.count; index++) {
            if (vector.entries[index].replica.bytes[0] == 'a' + sharer) {
                sequences[sharer] = vector.entries[index].sequence;
            }
        }
    }
}

static bool check_shared(kill_worker *worker)
{
    uint64_t counts[SHARERS + 1] = {0};
    uint64_t sequences[SHARERS];
    grove_document *document = open_document(worker, SHARED, NULL);
    need(grove_text_each(document, count_letters, counts, &worker->error) == GROVE_OK,
         worker, "look at the shared text");
    find_sequences(worker, document, sequences);
    bool is_good = counts[SHARERS] == 0 && are_events_whole(worker, document, "shared");
    for (size_t sharer = 0; sharer < SHARERS; sharer++) {
        uint64_t wanted = worker->ledger->letters[sharer];
        if (sequences[sharer] < wanted || counts[sharer] != sequences[sharer]) {
            is_good = complain("letters of the shared text", counts[sharer],
                               sequences[sharer]) ||
                      complain("events of the replica", sequences[sharer], wanted);
        }
    }
    grove_document_close(document);
    return is_good;
}

/* Nodes by the replica that put them; `tree` is for their ids. */
typedef struct node_counts {
    const grove_document *tree;
    uint64_t counts[SHARERS + 1];
} node_counts;

static bool count_node(void *context, grove_node node, uint32_t depth)
{
    node_counts *counted = context;
    grove_tree_id_bytes id;
    (void)depth;
    if (node == GROVE_NODE_ROOT) {
        return true;
    }
    /* A replica of one letter, in hexadecimal: 61 or 62. */
    bool is_told = grove_tree_id(counted->tree, node, &id, NULL) == GROVE_OK &&
                   id.size > 2 && id.bytes[0] == '6' && id.bytes[2] == '.';
    size_t sharer = is_told ? (size_t)(id.bytes[1] - '1') : SHARERS;
    counted->counts[sharer < SHARERS ? sharer : SHARERS]++;
    return true;
}

static bool check_tree(kill_worker *worker)
{
    uint64_t sequences[SHARERS];
    grove_document *tree = open_document(worker, SHARED_TREE, NULL);
    node_counts counted = {.tree = tree};
    need(grove_tree_walk(tree, GROVE_NODE_ROOT, UINT32_MAX, 0, count_node, &counted,
                         &worker->error) == GROVE_OK,
         worker, "look at the shared tree");
    find_sequences(worker, tree, sequences);
    bool is_good = counted.counts[SHARERS] == 0 && are_events_whole(worker, tree, "tree");
    for (size_t sharer = 0; sharer < SHARERS; sharer++) {
        uint64_t wanted = worker->ledger->tree_events[sharer];
        uint64_t puts = (sequences[sharer] + 1) / 2;
        if (sequences[sharer] < wanted || counted.counts[sharer] != puts) {
            is_good =
                complain("nodes of the shared tree", counted.counts[sharer], puts) ||
                complain("events of the replica", sequences[sharer], wanted);
        }
    }
    grove_document_close(tree);
    return is_good;
}

static bool check(const kill_worker *given, edits_model *models)
{
    kill_worker worker = *given;
    uint64_t commit = 0;
    bool is_good = true;
    open_store(&worker);
    need(grove_store_commit(worker.store, &commit, &worker.error) == GROVE_OK, &worker,
         "read the number of the commit");
    for (unsigned process = 0; process < PROCESSES; process++) {
        uint64_t wanted = worker.ledger->commits[process];
        is_good = is_good && (commit >= wanted || complain("commit", commit, wanted));
    }
    for (unsigned number = 0; number < OWN_DOCUMENTS; number++) {
        is_good = is_good && check_own(&worker, number, &models[number]);
    }
    is_good = is_good && check_shared(&worker);
    is_good = is_good && check_tree(&worker);
    grove_store_close(worker.store);
    return is_good;
}

/* --- rounds --- */

/* One life of the processes; false when one ended by itself. */
static bool live_and_die(const kill_worker *given, test_random *random)
{
    pid_t children[PROCESSES];
    bool is_good = true;
    for (unsigned process = 0; process < PROCESSES; process++) {
        kill_worker worker = *given;
        worker.process = process;
        worker.random.state = test_random_next(random);
        children[process] = fork();
        if (children[process] == 0) {
            work(&worker);
        }
    }
    (void)usleep((useconds_t)(1000 + test_random_below(random, LIFE_US)));
    unsigned first = (unsigned)test_random_below(random, PROCESSES);
    (void)kill(children[first], SIGKILL);
    (void)usleep((useconds_t)test_random_below(random, LIFE_AFTER_US));
    for (unsigned process = 0; process < PROCESSES; process++) {
        int status = 0;
        (void)kill(children[process], SIGKILL);
        (void)waitpid(children[process], &status, 0);
        is_good = is_good && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }
    return is_good;
}

/* Until something is wrong, or so many rounds are over. */
static bool run_rounds(uint64_t rounds, test_random *random, kill_ledger *ledger)
{
    char path[SCRATCH_PATH_BYTES];
    kill_worker worker = {.path = path, .seed = random->state, .ledger = ledger};
    edits_model models[OWN_DOCUMENTS];
    scratch_make("kill", path);
    for (unsigned number = 0; number < OWN_DOCUMENTS; number++) {
        edits_model_init(&models[number], worker.seed + number);
    }
    bool is_good = true;
    uint64_t round = 0;
    for (; round < rounds && is_good; round++) {
        is_good = live_and_die(&worker, random) && check(&worker, models);
    }
    uint64_t calls = 0;
    uint64_t events = ledger->letters[0] + ledger->letters[1] + ledger->tree_events[0] +
                      ledger->tree_events[1];
    for (unsigned process = 0; process < PROCESSES; process++) {
        calls += ledger->calls[process];
    }
    for (unsigned number = 0; number < OWN_DOCUMENTS; number++) {
        events += models[number].clock;
        free(models[number].text);
    }
    (void)printf("%s%llu rounds, %llu processes killed, %llu calls that returned, %llu "
                 "events\n",
                 ledger->is_control ? "control: " : "", (unsigned long long)round,
                 (unsigned long long)round * PROCESSES, (unsigned long long)calls,
                 (unsigned long long)events);
    (void)fflush(stdout);
    scratch_remove(path, !is_good && !ledger->is_control);
    return is_good;
}

int main(void)
{
    test_random random = test_random_of("kill");
    const char *given = getenv("GROVE_CRASH_ROUNDS");
    uint64_t rounds = given != NULL ? strtoull(given, NULL, 10) : ROUNDS_DEFAULT;
    kill_ledger *ledger = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ledger == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    bool is_good = run_rounds(rounds, &random, ledger);
    memset(ledger, 0, sizeof *ledger);
    ledger->is_control = true;
    if (is_good && run_rounds(ROUNDS_OF_CONTROL, &random, ledger)) {
        (void)fprintf(stderr, "the control did not fail\n");
        is_good = false;
    }
    (void)munmap(ledger, sizeof *ledger);
    return is_good ? 0 : 1;
}
