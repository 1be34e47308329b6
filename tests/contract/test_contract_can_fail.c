#include <stdio.h>
#include <sys/mman.h>

#include <criterion/criterion.h>

#include "broken_backend.h"
#include "contract.h"
#include "support/temp_dir.h"

/* A run of the suite on the broken backend. */
typedef struct run {
    broken_place place;
    grove_memory_disk *disk;
    bool is_shared;
    temp_dir dir; /* if it is */
    unsigned places;
    /* What is looked for among the results. */
    unsigned clause;
    const char *check;
    bool is_found;
    size_t failed, passed;
    char failures[1024];
} run;

static bool make_place(void *context, grove_contract_place *place_out)
{
    run *self = context;
    if (self->place.tickets != NULL) {
        atomic_store(&self->place.tickets->next, 0);
        atomic_store(&self->place.tickets->serving, 0);
    }
    int bytes = snprintf(place_out->path, sizeof place_out->path, "%s/place %u",
                         self->is_shared ? self->dir.path : "", self->places++);
    place_out->context = &self->place;
    return bytes > 0 && (size_t)bytes < sizeof place_out->path;
}

static void remove_place(void *context, grove_contract_place *place)
{
    (void)context;
    (void)place;
}

static bool cut_power(void *context, grove_contract_place *place)
{
    run *self = context;
    (void)place;
    if (!self->is_shared) {
        grove_memory_disk_cut_power(self->disk);
    }
    return !self->is_shared;
}

static bool fail_sync(void *context, grove_contract_place *place)
{
    run *self = context;
    (void)place;
    if (!self->is_shared) {
        grove_memory_disk_fail_sync(self->disk);
    }
    return !self->is_shared;
}

static void report(void *context, const grove_contract_result *result)
{
    run *self = context;
    if (result->outcome != GROVE_CONTRACT_FAILED) {
        self->passed += result->outcome == GROVE_CONTRACT_PASSED;
        return;
    }
    size_t used = strlen(self->failures);
    (void)snprintf(self->failures + used, sizeof self->failures - used,
                   "\n    C%u %s: %s", result->clause, result->name, result->message);
    self->failed++;
    if ((result->clause == self->clause || self->clause == 0) && self->check != NULL &&
        strcmp(result->name, self->check) == 0) {
        self->is_found = true;
    }
}

/* Runs self->check, or all checks. */
static size_t run_suite(run *self, broken_fault fault)
{
    grove_contract_options options = {
        .size = sizeof options,
        .backend = self->is_shared ? &broken_shared_backend : &broken_backend,
        .context = self,
        .place_make = make_place,
        .place_remove = remove_place,
        .power_cut = cut_power,
        .sync_fail = fail_sync,
        .report = report,
        .only_check = self->check,
        .seed = 1,
    };
    self->disk = grove_memory_disk_new(NULL);
    cr_assert_not_null(self->disk);
    self->place.fault = fault;
    self->place.under = grove_backend_find(self->is_shared ? "lmdb" : "memory");
    self->place.under_context = self->is_shared ? NULL : self->disk;
    self->place.tickets = mmap(NULL, sizeof *self->place.tickets, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(self->place.tickets, MAP_FAILED);
    if (self->is_shared) {
        temp_dir_make(&self->dir);
    }
    size_t broken = grove_contract_run(&options);
    if (self->is_shared) {
        temp_dir_remove(&self->dir);
    }
    (void)munmap(self->place.tickets, sizeof *self->place.tickets);
    grove_memory_disk_free(self->disk);
    return broken;
}

Test(contract, the_wrapper_alone_breaks_nothing)
{
    run self = {.is_shared = false};
    size_t broken = run_suite(&self, BROKEN_NOTHING);
    cr_assert_eq(broken, 0, "%s", self.failures);
    cr_assert_eq(self.failed, 0);
    cr_assert_gt(self.passed, 70);
}

Test(contract, the_wrapper_of_a_shared_backend_breaks_nothing)
{
    run self = {.is_shared = true};
    size_t broken = run_suite(&self, BROKEN_NOTHING);
    cr_assert_eq(broken, 0, "%s", self.failures);
    cr_assert_gt(self.passed, 75);
}

/* What each fault breaks, and the check that has to say so. */
static const struct {
    broken_fault fault;
    unsigned clause;
    const char *check;
} FAULTS[] = {
    {BROKEN_NUL_ENDS_KEY, 1, "a NUL in a key is a byte like any other"},
    {BROKEN_BYTES_ARE_SIGNED, 1, "keys compare as unsigned bytes, a prefix first"},
    {BROKEN_EMPTY_VALUE_IS_NONE, 1, "a value may be empty"},
    {BROKEN_VALUE_IS_SHORT, 1, "values of every size come back"},
    {BROKEN_LARGE_VALUE_IS_CUT, 1, "values of every size come back"},
    {BROKEN_ONE_TABLE, 1, "tables are apart"},
    {BROKEN_TABLES_BY_INDEX, 1, "tables are known by name"},
    {BROKEN_LONG_KEY_IS_CUT, 1, "keys keep to the limit"},
    {BROKEN_PUT_KEEPS_THE_OLD, 1, "a put replaces what was there"},
    {BROKEN_REMOVE_DOES_NOTHING, 1, "what is removed is gone, and nothing else"},
    {BROKEN_READER_SEES_NEWER, 2, "a reader keeps the state of its begin"},
    {BROKEN_READER_SEES_NEWER, 2, "every reader has a state of its own"},
    {BROKEN_COMMITS_IN_PIECES, 2, "readers see whole commits while a writer goes on"},
    {BROKEN_WRITER_IS_BLIND, 3, "a write transaction sees its own changes"},
    {BROKEN_WRITERS_DO_NOT_WAIT, 3, "a second write transaction waits"},
    {BROKEN_WRITERS_DO_NOT_WAIT, 3, "no update is lost between threads"},
    {BROKEN_WAITERS_TRY_AGAIN, 3, "the turns of those who wait go round"},
    {BROKEN_BUSY_NAMES_NOBODY, 3,
     "a wait that is too long ends, and says who was in the way"},
    {BROKEN_KNOWS_NO_WRITER, 3,
     "a wait that is too long ends, and says who was in the way"},
    {BROKEN_COMMITS_IN_PIECES, 4, "an abort leaves none"},
    {BROKEN_ABORT_COMMITS, 4, "an abort leaves none"},
    {BROKEN_COMMIT_LOSES, 4, "a commit shows all changes to later readers"},
    {BROKEN_COMMIT_LOSES_LAST_PUT, 4, "a commit shows all changes to later readers"},
    {BROKEN_FULL_IS_NOT_DURABLE, 5, "a full commit survives a power cut"},
    {BROKEN_SYNC_DOES_NOTHING, 5,
     "a power cut leaves the state of a commit since the last sync"},
    {BROKEN_SYNC_DOES_NOTHING, 5, "what was synced survives a power cut in every mode"},
    {BROKEN_SYNC_NEVER_FAILS, 5,
     "after a commit that could not be made durable nothing is promised"},
    {BROKEN_SYNC_NEVER_FAILS, 5, "after a sync that failed nothing is promised"},
    {BROKEN_SYNC_TRIES_AGAIN, 5, "after a sync that failed nothing is promised"},
    {BROKEN_VALUES_SHARE_ROOM, 6, "a reader's values stay until it ends"},
    {BROKEN_VALUES_SHARE_ROOM, 6, "a writer's values stay until its next change"},
    {BROKEN_FULL_IS_FOR_EVER, 7, "an abort after GROVE_FULL leaves all as before"},
    {BROKEN_NO_MEMORY_IS_FOR_EVER, 7,
     "an abort after GROVE_NO_MEMORY leaves all as before"},
    {BROKEN_SEEK_SKIPS_EQUAL, 8, "seeks find the entry at, after or before a key"},
    {BROKEN_SEEK_BEFORE_GIVES_EQUAL, 8, "seeks find the entry at, after or before a key"},
    {BROKEN_LAST_IS_FIRST, 8, "seeks find the entry at, after or before a key"},
    {BROKEN_NEXT_SKIPS, 8, "next goes through all entries in order and ends"},
    {BROKEN_NEXT_GOES_ROUND, 8, "next goes through all entries in order and ends"},
    {BROKEN_CURSOR_IS_STALE, 8, "a cursor sees its transaction's changes"},
    {BROKEN_VALUE_IS_SHORT, 8, "a cursor gives the values that were put"},
    {BROKEN_PUT_KEEPS_ITS_KEY, 9, "arguments are not needed after the call"},
    {BROKEN_ONE_THREAD, 10, "threads share an environment"},
    {BROKEN_READER_IS_BOUND, 10, "a read transaction goes from thread to thread"},
    {BROKEN_FORGETS, 11, "opening gives the state of the last commit"},
    {BROKEN_GIVES_BACK_LESS, 11, "opening gives the state of the last commit"},
    {BROKEN_PATH_OPENS_ONCE, 11, "a path may be open twice in a process"},
    {BROKEN_FORGETS, 11, "a path may be open twice in a process"},
    {BROKEN_CLOSE_ENDS_READERS, 11,
     "closing one handle leaves the other's readers and pins"},
    {BROKEN_TAKES_OTHER_OPTIONS, 11, "a second open with other options is refused"},
    {BROKEN_MAKES_WHAT_MUST_EXIST, 12, "what must exist is not made"},
    {BROKEN_FAILED_OPEN_LEAVES_IT, 12, "what must exist is not made"},
    {BROKEN_FAILED_OPEN_LEAVES_IT, 12, "an open that lacks memory leaves nothing behind"},
    {BROKEN_HAS_NO_LIMIT, 13, "an environment keeps to its size limit"},
    {BROKEN_COUNTS_ONE_ENTRY_MORE, 13, "statistics count the entries of the last commit"},
    {BROKEN_COUNTS_NO_READERS, 13, "statistics count readers, up to readers_max"},
    {BROKEN_HAS_ALWAYS_A_SLOT, 13, "statistics count readers, up to readers_max"},
    {BROKEN_HAS_NO_RESERVE, 13, "what is full can be made less full"},
    {BROKEN_RESERVE_IS_FOR_ALL, 13, "what is full can be made less full"},
    {BROKEN_READERS_HAVE_NO_LAG, 13, "readers are listed with their lag"},
    {BROKEN_LISTS_NO_READERS, 13, "readers are listed with their lag"},
    {BROKEN_WRITES_ON_NONE, 14, "outputs are written on success only"},
    {BROKEN_SAYS_NOTHING, 14, "outputs are written on success only"},
    {BROKEN_IS_NEVER_FORKED, 15,
     "in a child of fork everything says so, and the parent goes on"},
    {BROKEN_CHILD_SYNCS, 15,
     "in a child of fork everything says so, and the parent goes on"},
    {BROKEN_CHILD_WATCHES, 15,
     "in a child of fork everything says so, and the parent goes on"},
    {BROKEN_CHILD_CANNOT_OPEN, 15, "a child of fork opens for itself"},
    {BROKEN_WATCH_IS_DEAF, 16, "a watch tells of each commit, and of each once"},
    {BROKEN_WATCH_TELLS_TWICE, 16, "a watch tells of each commit, and of each once"},
    {BROKEN_WATCH_STAYS_READABLE, 16, "a watch tells of each commit, and of each once"},
    {BROKEN_WATCH_IS_SILENT, 16, "who looks when told misses no commit"},
    {BROKEN_WATCH_TELLS_OF_ABORTS, 16, "a watch does not tell of what is no commit"},
    {BROKEN_WATCH_HEARS_ITS_HANDLE, 16, "a watch tells of other handles' commits"},
    {BROKEN_PINS_HAVE_ONE_NAME, 17, "pins give the least of their name"},
    {BROKEN_PINS_DO_NOT_MOVE, 17, "pins give the least of their name"},
    {BROKEN_PINS_STAY, 17, "pins give the least of their name"},
    {BROKEN_PINS_STAY, 17, "threads pin at once"},
    {BROKEN_PINS_ARE_FEW, 17, "there may be many pins"},
    {BROKEN_PINS_ARE_OF_THE_HANDLE, 17, "handles see each other's pins"},
    {BROKEN_COPY_DOES_NOTHING, 18, "a copy holds the last commit, and is apart"},
    {BROKEN_COPY_DOES_NOTHING, 18, "what holds nothing can be copied"},
    {BROKEN_COPY_IS_OF_TWO_COMMITS, 18,
     "a copy that is made while others write is of one commit"},
    {BROKEN_COPY_REPLACES, 18, "a copy replaces nothing"},
    {BROKEN_COPY_IS_NOT_DURABLE, 18, "a copy survives a power cut"},
    {BROKEN_COPY_IS_THE_ORIGINAL, 18,
     "an environment is known again, and a copy is another"},
    {BROKEN_BOOT_IS_FOR_EVER, 18, "an environment is known again, and a copy is another"},
};

/* Some faults show only when threads or processes meet, which a busy machine
 * does not bring about every time. */
enum { TRIES_MAX = 5 };

static run try_fault(broken_fault fault, unsigned clause, const char *check,
                     bool is_shared)
{
    run self = {.is_found = false};
    for (int try = 0; !self.is_found && try < TRIES_MAX; try++) {
        self = (run){.clause = clause, .check = check, .is_shared = is_shared};
        (void)run_suite(&self, fault);
    }
    return self;
}

Test(contract, every_broken_clause_is_reported_by_its_check)
{
    for (size_t index = 0; index < sizeof FAULTS / sizeof *FAULTS; index++) {
        run self = try_fault(FAULTS[index].fault, FAULTS[index].clause,
                             FAULTS[index].check, false);
        cr_expect_gt(self.failed, 0);
        cr_expect(self.is_found, "fault %d is not found by C%u %s; found:%s",
                  (int)FAULTS[index].fault, self.clause, self.check, self.failures);
    }
}

/* The same between processes. */
static const struct {
    broken_fault fault;
    unsigned clause;
    const char *check;
} SHARED_FAULTS[] = {
    {BROKEN_TICKETS_ARE_FINAL, 3, "a holder that is killed is followed by who waits"},
    {BROKEN_TICKETS_ARE_FINAL, 3, "a waiter that is stopped stalls nobody"},
    {BROKEN_TICKETS_ARE_FINAL, 3, "a waiter that is killed stalls nobody"},
    {BROKEN_KNOWS_NO_WRITER, 3,
     "a process that holds the turn is named, and keeps it while it is stopped"},
    {BROKEN_READERS_ARE_OURS, 13,
     "readers of other processes are known, and gone with them"},
    {BROKEN_CHILD_CANNOT_OPEN, 15, "a child of fork outlives its parent"},
    {BROKEN_WATCH_HEARS_ITS_PROCESS, 16,
     "a watch tells of other processes' commits, and misses none"},
    {BROKEN_PINS_ARE_OF_THE_PROCESS, 17,
     "processes see each other's pins, and reclaim takes those of the dead"},
    {BROKEN_COPY_LEAVES_HALF, 18, "a copy that fails leaves nothing"},
    {BROKEN_RECLAIM_DOES_NOTHING, 17,
     "processes see each other's pins, and reclaim takes those of the dead"},
};

Test(contract, what_is_broken_between_processes_is_reported_by_its_check)
{
    for (size_t index = 0; index < sizeof SHARED_FAULTS / sizeof *SHARED_FAULTS;
         index++) {
        run self = try_fault(SHARED_FAULTS[index].fault, SHARED_FAULTS[index].clause,
                             SHARED_FAULTS[index].check, true);
        cr_expect(self.is_found, "fault %d is not found by C%u %s; found:%s",
                  (int)SHARED_FAULTS[index].fault, self.clause, self.check,
                  self.failures);
    }
}

/* Faults that random programs find without being told where to look, and the
 * clause that they put it down to; 0: one of several. */
static const struct {
    broken_fault fault;
    unsigned clause;
} RANDOM_FAULTS[] = {
    {BROKEN_READER_SEES_NEWER, 2},
    {BROKEN_WRITER_IS_BLIND, 3},
    {BROKEN_REMOVE_DOES_NOTHING, 0},
    {BROKEN_VALUE_IS_SHORT, 0},
    {BROKEN_COMMIT_LOSES, 0},
    {BROKEN_ABORT_COMMITS, 0},
    {BROKEN_FORGETS, 11},
    {BROKEN_SEEK_SKIPS_EQUAL, 8},
    {BROKEN_SEEK_BEFORE_GIVES_EQUAL, 8},
    {BROKEN_LAST_IS_FIRST, 8},
    {BROKEN_NEXT_SKIPS, 8},
    {BROKEN_CURSOR_IS_STALE, 8},
    {BROKEN_BYTES_ARE_SIGNED, 8},
    {BROKEN_COUNTS_ONE_ENTRY_MORE, 13},
};

Test(contract, random_programs_find_faults_by_themselves)
{
    for (size_t index = 0; index < sizeof RANDOM_FAULTS / sizeof *RANDOM_FAULTS;
         index++) {
        run self = {.clause = RANDOM_FAULTS[index].clause,
                    .check = "random programs over few keys agree with a model"};
        (void)run_suite(&self, RANDOM_FAULTS[index].fault);
        cr_expect(self.is_found, "fault %d is not put down to C%u; found:%s",
                  (int)RANDOM_FAULTS[index].fault, self.clause, self.failures);
    }
}

Test(contract, a_table_without_all_functions_breaks_clause_1)
{
    static grove_backend incomplete;
    run self = {.clause = 1, .check = "the table of functions is complete"};
    incomplete = broken_backend;
    incomplete.cursor_next = NULL;
    grove_contract_options options = {.size = sizeof options,
                                      .backend = &incomplete,
                                      .context = &self,
                                      .report = report};
    cr_assert_eq(grove_contract_run(&options), 1);
    cr_assert(self.is_found);
}

static bool have_no_place(void *context, grove_contract_place *place_out)
{
    (void)context;
    (void)place_out;
    return false;
}

Test(contract, without_a_place_no_check_passes)
{
    run self = {.clause = 1, .check = ""};
    grove_contract_options options = {.size = sizeof options,
                                      .backend = &broken_backend,
                                      .context = &self,
                                      .place_make = have_no_place,
                                      .place_remove = remove_place,
                                      .power_cut = cut_power,
                                      .sync_fail = fail_sync,
                                      .report = report};
    cr_assert_eq(grove_contract_run(&options), GROVE_CONTRACT_CLAUSES);
    cr_assert_eq(self.passed, 0);
}
