#include <errno.h>
#include <pthread.h>

#include "disk_faults.h"
#include "lmdb_fixture.h"

enum { NUMBER_BYTES = 3000 };

static grove_status save_number(lmdb_fixture *fixture, grove_backend_env *env,
                                uint32_t number)
{
    grove_backend_txn *txn = NULL;
    grove_status status =
        fixture->backend->begin(env, GROVE_TXN_WRITE, &txn, &fixture->error);
    if (status != GROVE_OK) {
        return status;
    }
    status = lmdb_put_number(fixture, txn, number, NUMBER_BYTES);
    if (status != GROVE_OK) {
        fixture->backend->abort(txn);
        return status;
    }
    return fixture->backend->commit(txn, &fixture->error);
}

static bool has_number(lmdb_fixture *fixture, grove_backend_env *env, uint32_t number)
{
    grove_backend_txn *txn = lmdb_begin_txn(fixture, env, GROVE_TXN_READ);
    bool has = lmdb_has_number(fixture, txn, number);
    fixture->backend->abort(txn);
    return has;
}

static void assert_refuses(lmdb_fixture *fixture, grove_backend_env *env)
{
    grove_backend_txn *txn = NULL;
    cr_assert_eq(save_number(fixture, env, 99), GROVE_FAILED);
    cr_assert_not_null(strstr(fixture->error.message, "open it again"));
    cr_assert_eq(fixture->backend->begin(env, GROVE_TXN_READ, &txn, &fixture->error),
                 GROVE_FAILED);
    cr_assert_eq(fixture->backend->sync(env, &fixture->error), GROVE_FAILED);
}

/* A store with number 1, in which the n-th call of this kind fails while number
 * 2 is saved; what that gave. */
static grove_status save_with_fault(lmdb_fixture *fixture, grove_backend_env *env,
                                    disk_call call, unsigned nth, int code,
                                    bool *has_failed_out)
{
    cr_assert_eq(save_number(fixture, env, 1), GROVE_OK, "%s", fixture->error.message);
    disk_fault_set(call, nth, code);
    grove_status status = save_number(fixture, env, 2);
    *has_failed_out = disk_fault_clear();
    return status;
}

static bool is_panic(lmdb_fixture *fixture, grove_backend_env *env)
{
    grove_backend_txn *txn = NULL;
    grove_status status =
        fixture->backend->begin(env, GROVE_TXN_READ, &txn, &fixture->error);
    if (status == GROVE_OK) {
        fixture->backend->abort(txn);
    }
    return status == GROVE_FAILED;
}

static void try_fault(grove_durability durability, disk_call call, int code,
                      grove_status wanted, unsigned faults_min)
{
    unsigned nth = 1;
    unsigned panics = 0;
    for (bool has_failed = true; has_failed; nth++) {
        lmdb_fixture fixture;
        lmdb_fixture_make(&fixture);
        fixture.options.durability = durability;
        grove_backend_env *env = lmdb_open_env(&fixture);
        grove_backend_env *other = lmdb_open_env(&fixture);
        grove_status status =
            save_with_fault(&fixture, env, call, nth, code, &has_failed);
        if (!has_failed) {
            cr_assert_eq(status, GROVE_OK, "%s", fixture.error.message);
        } else if (wanted == GROVE_IO || status == GROVE_FAILED) {
            cr_assert(status == wanted || status == GROVE_FAILED);
            assert_refuses(&fixture, env);
            assert_refuses(&fixture, other);
        } else if (is_panic(&fixture, other)) {
            /* It was the header, which LMDB does not write twice. */
            cr_assert_eq(status, wanted);
            panics++;
        } else {
            /* The store is as it was, and goes on. */
            cr_assert_eq(status, wanted, "call %u: %s", nth, fixture.error.message);
            cr_assert(has_number(&fixture, other, 1));
            cr_assert_not(has_number(&fixture, other, 2));
            cr_assert_eq(save_number(&fixture, other, 2), GROVE_OK);
        }
        fixture.backend->close(env);
        fixture.backend->close(other);
        env = lmdb_open_env(&fixture);
        cr_assert(has_number(&fixture, env, 1));
        cr_assert(!has_number(&fixture, env, 2) || status != wanted ||
                  wanted == GROVE_FULL || call == DISK_FDATASYNC);
        cr_assert_eq(save_number(&fixture, env, 3), GROVE_OK);
        cr_assert_eq(fixture.backend->sync(env, &fixture.error), GROVE_OK);
        fixture.backend->close(env);
        lmdb_fixture_remove(&fixture);
    }
    cr_assert_gt(nth - 1, faults_min, "the fault came to nothing");
    cr_assert_leq(panics, 1, "there is one write of the header");
}

Test(lmdb_durable, a_flush_that_fails_spoils_the_store_until_it_is_opened_again)
{
    /* Data and header, each with a flush. */
    try_fault(GROVE_DURABILITY_FULL, DISK_FDATASYNC, EIO, GROVE_IO, 2);
    try_fault(GROVE_DURABILITY_RELAXED, DISK_FDATASYNC, EIO, GROVE_IO, 1);
}

Test(lmdb_durable, without_flushes_none_can_fail)
{
    bool has_failed;
    lmdb_fixture fixture;
    lmdb_fixture_make(&fixture);
    grove_backend_env *env = lmdb_open_env(&fixture);
    cr_assert_eq(save_with_fault(&fixture, env, DISK_FDATASYNC, 1, EIO, &has_failed),
                 GROVE_OK);
    cr_assert_not(has_failed);
    disk_fault_set(DISK_FDATASYNC, 1, EIO);
    cr_assert_eq(fixture.backend->sync(env, &fixture.error), GROVE_IO);
    cr_assert(disk_fault_clear());
    assert_refuses(&fixture, env);
    fixture.backend->close(env);
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_durable, a_write_that_fails_spoils_the_store_until_it_is_opened_again)
{
    try_fault(GROVE_DURABILITY_FULL, DISK_WRITE, EIO, GROVE_IO, 1);
}

Test(lmdb_durable, a_full_disk_is_full_and_no_more)
{
    try_fault(GROVE_DURABILITY_FULL, DISK_WRITE, ENOSPC, GROVE_FULL, 1);
    try_fault(GROVE_DURABILITY_FULL, DISK_WRITE, EDQUOT, GROVE_FULL, 1);
}

Test(lmdb_durable, a_write_that_was_only_begun_is_a_full_disk)
{
    try_fault(GROVE_DURABILITY_FULL, DISK_WRITE, 0, GROVE_FULL, 1);
}

typedef struct syncer {
    lmdb_fixture *fixture;
    grove_backend_env *env;
    grove_status status;
} syncer;

static void *sync_once(void *argument)
{
    syncer *self = argument;
    grove_error error;
    self->status = self->fixture->backend->sync(self->env, &error);
    return NULL;
}

/* The kernel tells one of them only. */
Test(lmdb_durable, of_flushes_at_once_none_succeeds_after_one_failed)
{
    enum { THREADS = 4 };
    for (int again = 0; again < 20; again++) {
        pthread_t threads[THREADS];
        syncer syncers[THREADS];
        lmdb_fixture fixture;
        lmdb_fixture_make(&fixture);
        grove_backend_env *env = lmdb_open_env(&fixture);
        cr_assert_eq(save_number(&fixture, env, 1), GROVE_OK);
        disk_fault_set(DISK_FDATASYNC, 1, EIO);
        for (size_t index = 0; index < THREADS; index++) {
            syncers[index] = (syncer){&fixture, env, GROVE_OK};
            cr_assert_eq(
                pthread_create(&threads[index], NULL, sync_once, &syncers[index]), 0);
        }
        for (size_t index = 0; index < THREADS; index++) {
            cr_assert_eq(pthread_join(threads[index], NULL), 0);
            cr_assert_neq(syncers[index].status, GROVE_OK);
        }
        cr_assert(disk_fault_clear());
        fixture.backend->close(env);
        lmdb_fixture_remove(&fixture);
    }
}
