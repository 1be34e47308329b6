/* C2, C3, C4 and C10 as threads see them. */
#include <time.h>

#include "check.h"

enum { THREADS_MAX = 8 };

/* What each thread of a check is given. */
typedef struct worker {
    grove__check *check;
    uint64_t number;
    /* What a check hands from thread to thread. */
    grove__check_txn txn;
    grove__check_cursor cursor;
    atomic_bool is_ready;
    atomic_bool has_begun;
    atomic_bool *is_over;
} worker;

static void init_worker(worker *self, grove__check *check, uint64_t number)
{
    memset(self, 0, sizeof *self);
    self->check = check;
    self->number = number;
    atomic_init(&self->is_ready, false);
    atomic_init(&self->has_begun, false);
}

/* Runs `work` in `count` threads and waits for all of them. */
static void run_threads(grove__check *check, void *(*work)(void *), worker *workers,
                        size_t count)
{
    pthread_t threads[THREADS_MAX];
    size_t started = 0;
    while (started < count &&
           pthread_create(&threads[started], NULL, work, &workers[started]) == 0) {
        started++;
    }
    grove__check_that(check, started == count, "a thread could not be started");
    for (size_t index = 0; index < started; index++) {
        (void)pthread_join(threads[index], NULL);
    }
}

static void sleep_microseconds(long microseconds)
{
    struct timespec time = {0, microseconds * 1000};
    (void)nanosleep(&time, NULL);
}

static uint64_t number_of(grove_bytes bytes)
{
    uint64_t number = 0;
    for (size_t index = 0; index < bytes.size && index < 8; index++) {
        number = number << 8 | bytes.data[index];
    }
    return number;
}

/* Reads a number; 0 when there is none. */
static uint64_t get_number(grove__check_txn *txn, uint32_t table, grove_bytes key)
{
    grove_bytes value = {NULL, 0};
    if (txn->txn != NULL && !grove__check_has_failed(txn->check)) {
        grove_status status = grove__check_try_get(txn, table, key, &value);
        grove__check_that(txn->check, status == GROVE_OK || status == GROVE_NONE,
                          "get gave %s", grove_status_name(status));
    }
    return number_of(value);
}

/* C3 */

static void *wait_for_turn(void *argument)
{
    worker *self = argument;
    atomic_store(&self->is_ready, true);
    grove__check_txn txn = grove__check_begin(self->check, GROVE_TXN_WRITE);
    atomic_store(&self->has_begun, true);
    grove__check_holds(&txn, 0, grove_bytes_of("key"), grove_bytes_of("first"));
    grove__check_commit(&txn);
    return NULL;
}

static void check_second_writer_waits(grove__check *check)
{
    grove__check_open(check, NULL);
    for (int ends_with_commit = 0; ends_with_commit < 2; ends_with_commit++) {
        worker self;
        pthread_t thread;
        init_worker(&self, check, 0);
        grove__check_save(check, 0, grove_bytes_of("key"), grove_bytes_of("first"));
        grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
        grove_bytes value = grove_bytes_of(ends_with_commit != 0 ? "first" : "lost");
        grove__check_put(&txn, 0, grove_bytes_of("key"), value);
        if (grove__check_has_failed(check) ||
            pthread_create(&thread, NULL, wait_for_turn, &self) != 0) {
            grove__check_that(check, false, "a thread could not be started");
            grove__check_abort(&txn);
            return;
        }
        while (!atomic_load(&self.is_ready)) {
            sleep_microseconds(1000);
        }
        sleep_microseconds(50000);
        grove__check_that(check, !atomic_load(&self.has_begun),
                          "a second write transaction began while one was open");
        if (ends_with_commit != 0) {
            grove__check_commit(&txn);
        } else {
            grove__check_abort(&txn);
        }
        (void)pthread_join(thread, NULL);
    }
}

enum { INCREMENTS = 200, COUNTING_THREADS = 4 };

static void *increment(void *argument)
{
    worker *self = argument;
    grove_bytes key = grove_bytes_of("counter");
    uint8_t bytes[8];
    for (int step = 0; step < INCREMENTS; step++) {
        grove__check_txn txn = grove__check_begin(self->check, GROVE_TXN_WRITE);
        uint64_t number = get_number(&txn, 0, key);
        /* Others should be tempted. */
        if (step % 4 == 0) {
            sleep_microseconds(100);
        }
        grove__check_put(&txn, 0, key, grove__check_number(number + 1, bytes));
        if (step % 10 == 9) {
            /* One that is taken back counts for nothing. */
            grove__check_abort(&txn);
        } else {
            grove__check_commit(&txn);
        }
    }
    return NULL;
}

static void check_no_update_is_lost(grove__check *check)
{
    worker workers[COUNTING_THREADS];
    uint8_t bytes[8];
    grove__check_open(check, NULL);
    for (size_t index = 0; index < COUNTING_THREADS; index++) {
        init_worker(&workers[index], check, index);
    }
    run_threads(check, increment, workers, COUNTING_THREADS);
    grove__check_finds(
        check, 0, grove_bytes_of("counter"),
        grove__check_number(COUNTING_THREADS * (INCREMENTS - INCREMENTS / 10), bytes));
}

/* C2, C4: money goes from account to account, and the sum stays. */

enum { ACCOUNTS = 50, TRANSFERS = 400, SUM = 1000 * ACCOUNTS };

static void *transfer(void *argument)
{
    worker *self = argument;
    uint64_t random = self->number;
    uint8_t from_key[8];
    uint8_t to_key[8];
    uint8_t amount[8];
    for (int step = 0; step < TRANSFERS; step++) {
        uint64_t from = grove__check_random(&random) % ACCOUNTS;
        uint64_t to =
            (from + 1 + grove__check_random(&random) % (ACCOUNTS - 1)) % ACCOUNTS;
        grove_bytes from_name = grove__check_number(from, from_key);
        grove_bytes to_name = grove__check_number(to, to_key);
        uint32_t from_table = (uint32_t)(from % 2);
        uint32_t to_table = (uint32_t)(to % 2);
        grove__check_txn txn = grove__check_begin(self->check, GROVE_TXN_WRITE);
        uint64_t has = get_number(&txn, from_table, from_name);
        uint64_t moved = has / 3;
        grove__check_put(&txn, from_table, from_name,
                         grove__check_number(has - moved, amount));
        has = get_number(&txn, to_table, to_name);
        grove__check_put(&txn, to_table, to_name,
                         grove__check_number(has + moved, amount));
        grove__check_commit(&txn);
    }
    atomic_store(self->is_over, true);
    return NULL;
}

static uint64_t sum_of_accounts(grove__check_txn *txn)
{
    uint8_t key[8];
    uint64_t sum = 0;
    for (uint64_t account = 0; account < ACCOUNTS; account++) {
        sum +=
            get_number(txn, (uint32_t)(account % 2), grove__check_number(account, key));
    }
    return sum;
}

static void *audit(void *argument)
{
    worker *self = argument;
    bool is_over = false;
    while (!is_over && !grove__check_has_failed(self->check)) {
        is_over = atomic_load(self->is_over);
        grove__check_txn txn = grove__check_begin(self->check, GROVE_TXN_READ);
        for (int again = 0; again < 2; again++) {
            uint64_t sum = sum_of_accounts(&txn);
            grove__check_that(self->check, sum == SUM,
                              "a reader's sum is %llu, not %d: it sees half a commit, or "
                              "two states",
                              (unsigned long long)sum, (int)SUM);
        }
        grove__check_abort(&txn);
    }
    return NULL;
}

static void *transfer_or_audit(void *argument)
{
    worker *self = argument;
    return self->number == 0 ? transfer(self) : audit(self);
}

static void check_readers_see_whole_commits(grove__check *check)
{
    enum { THREADS = 4 };
    worker workers[THREADS];
    atomic_bool is_over;
    uint8_t key[8];
    uint8_t amount[8];
    atomic_init(&is_over, false);
    grove__check_open(check, NULL);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    for (uint64_t account = 0; account < ACCOUNTS; account++) {
        grove__check_put(&txn, (uint32_t)(account % 2), grove__check_number(account, key),
                         grove__check_number(SUM / ACCOUNTS, amount));
    }
    grove__check_commit(&txn);
    for (size_t index = 0; index < THREADS; index++) {
        init_worker(&workers[index], check, index);
        workers[index].is_over = &is_over;
    }
    run_threads(check, transfer_or_audit, workers, THREADS);
}

/* C10 */

static void *work_alone(void *argument)
{
    worker *self = argument;
    uint8_t key[8];
    uint8_t value[8];
    for (uint64_t step = 0; step < 40; step++) {
        grove_bytes name = grove__check_number(self->number * 1000 + step, key);
        grove__check_save(self->check, 0, name, grove__check_number(step, value));
        grove__check_finds(self->check, 0, name, grove__check_number(step, value));
        grove__check_txn txn = grove__check_begin(self->check, GROVE_TXN_READ);
        grove__check_cursor cursor = grove__check_cursor_open(&txn, 0);
        grove__check_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, name, name);
        grove__check_cursor_close(&cursor);
        grove__check_abort(&txn);
        (void)grove__check_statistics(self->check);
        if (step % 10 == 0) {
            grove__check_sync(self->check);
        }
    }
    return NULL;
}

static void check_threads_share_an_environment(grove__check *check)
{
    worker workers[THREADS_MAX];
    grove__check_open(check, NULL);
    for (size_t index = 0; index < THREADS_MAX; index++) {
        init_worker(&workers[index], check, index);
    }
    run_threads(check, work_alone, workers, THREADS_MAX);
}

static void *go_on(void *argument)
{
    worker *self = argument;
    grove__check_next(&self->cursor, grove_bytes_of("b"));
    grove__check_holds(&self->txn, 0, grove_bytes_of("b"), grove_bytes_of("2"));
    return NULL;
}

static void *end_reader(void *argument)
{
    worker *self = argument;
    grove__check_next(&self->cursor, grove_bytes_of("c"));
    grove__check_cursor_close(&self->cursor);
    grove__check_abort(&self->txn);
    return NULL;
}

static void check_readers_travel(grove__check *check)
{
    worker self;
    init_worker(&self, check, 0);
    grove__check_open(check, NULL);
    grove__check_save(check, 0, grove_bytes_of("a"), grove_bytes_of("1"));
    grove__check_save(check, 0, grove_bytes_of("b"), grove_bytes_of("2"));
    grove__check_save(check, 0, grove_bytes_of("c"), grove_bytes_of("3"));
    self.txn = grove__check_begin(check, GROVE_TXN_READ);
    self.cursor = grove__check_cursor_open(&self.txn, 0);
    grove__check_seek(&self.cursor, GROVE_SEEK_AT_OR_AFTER, grove_bytes_of("a"),
                      grove_bytes_of("a"));
    grove__check_save(check, 0, grove_bytes_of("b"), grove_bytes_of("changed"));
    run_threads(check, go_on, &self, 1);
    grove__check_txn other = grove__check_begin(check, GROVE_TXN_READ);
    grove__check_holds(&other, 0, grove_bytes_of("b"), grove_bytes_of("changed"));
    grove__check_abort(&other);
    run_threads(check, end_reader, &self, 1);
    grove__check_cursor_close(&self.cursor);
    grove__check_abort(&self.txn);
    grove_backend_statistics statistics = grove__check_statistics(check);
    grove__check_that(check, statistics.readers == 0, "%u readers are left",
                      statistics.readers);
}

const grove__check_case grove__contract_threads[] = {
    {2, "readers see whole commits while a writer goes on",
     check_readers_see_whole_commits},
    {3, "a second write transaction waits", check_second_writer_waits},
    {3, "no update is lost between threads", check_no_update_is_lost},
    {10, "threads share an environment", check_threads_share_an_environment},
    {10, "a read transaction goes from thread to thread", check_readers_travel},
    {0, NULL, NULL},
};
