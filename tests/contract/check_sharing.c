/* Watched calls of what threads and processes share, and states. */
#include <poll.h>

#include "watch.h"

/* States */

void grove__check_save_state(grove__check *check, uint64_t number)
{
    uint8_t bytes[8];
    grove_bytes value = grove__check_number(number, bytes);
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_WRITE);
    grove__check_put(&txn, 0, grove_bytes_of("number"), value);
    grove__check_put(&txn, 1, grove_bytes_of("number"), value);
    grove__check_put(&txn, 2, value, value);
    grove__check_commit(&txn);
}

uint64_t grove__check_state(grove__check *check, uint64_t least, uint64_t most)
{
    grove_bytes value = {NULL, 0};
    uint8_t bytes[8] = {0};
    uint64_t number = 0;
    grove__check_txn txn = grove__check_begin(check, GROVE_TXN_READ);
    if (!grove__check_has_failed(check)) {
        grove_status status =
            grove__check_try_get(&txn, 0, grove_bytes_of("number"), &value);
        grove__check_status(check, status, GROVE_OK, "get of what had to be there");
        if (status == GROVE_OK && value.size == sizeof bytes) {
            memcpy(bytes, value.data, sizeof bytes);
        }
        for (size_t index = 0; index < sizeof bytes; index++) {
            number = number << 8 | bytes[index];
        }
    }
    grove__check_that(check, number >= least && number <= most,
                      "the state is that of commit %llu, not of %llu to %llu",
                      (unsigned long long)number, (unsigned long long)least,
                      (unsigned long long)most);
    grove__check_holds(&txn, 1, grove_bytes_of("number"),
                       grove__check_number(number, bytes));
    for (uint64_t earlier = 1; earlier <= number && number <= most; earlier++) {
        grove_bytes name = grove__check_number(earlier, bytes);
        grove__check_holds(&txn, 2, name, name);
    }
    grove__check_lacks(&txn, 2, grove__check_number(number + 1, bytes));
    grove__check_abort(&txn);
    return grove__check_has_failed(check) ? 0 : number;
}

/* Watches */

grove__check_watch grove__check_watch_open(grove__check *check)
{
    grove__check_watch opened = {check, NULL};
    if (!grove__check_has_failed(check)) {
        grove_error error;
        grove__watch_init(&error);
        void *untouched = check;
        grove_backend_watch *watch = untouched;
        grove_status status = check->backend->watch_open(check->env, &watch, &error);
        grove__watch_error(check, status, &error, "watch_open");
        grove__watch_pointer(check, status, watch, untouched, "watch_open");
        grove__check_status(check, status, GROVE_OK, "watch_open");
        opened.watch = status == GROVE_OK ? watch : NULL;
    }
    return opened;
}

void grove__check_watch_close(grove__check_watch *watch)
{
    if (watch->watch != NULL) {
        watch->check->backend->watch_close(watch->watch);
        watch->watch = NULL;
    }
}

void grove__check_watch_wait(grove__check_watch *watch, uint32_t wait_ms_max,
                             grove_status wanted)
{
    grove__check *check = watch->check;
    if (watch->watch != NULL && !grove__check_has_failed(check)) {
        grove_error error;
        grove__watch_init(&error);
        grove_status status =
            check->backend->watch_wait(watch->watch, wait_ms_max, &error);
        grove__watch_error(check, status, &error, "watch_wait");
        grove__check_status(check, status, wanted,
                            wanted == GROVE_OK ? "watch_wait after a commit"
                                               : "watch_wait without a commit");
    }
}

bool grove__check_watch_poll(const grove__check_watch *watch, int wait_ms_max)
{
    if (watch->watch == NULL || grove__check_has_failed(watch->check)) {
        return true;
    }
    struct pollfd told = {.fd = watch->check->backend->watch_descriptor(watch->watch),
                          .events = POLLIN};
    return poll(&told, 1, wait_ms_max) == 1 && (told.revents & POLLIN) != 0;
}

/* Pins */

uint64_t grove__check_pin_open(grove__check *check, uint64_t name, uint64_t value)
{
    enum { UNTOUCHED = 77777 };
    uint64_t pin = UNTOUCHED;
    if (grove__check_has_failed(check)) {
        return 0;
    }
    grove_error error;
    grove__watch_init(&error);
    grove_status status = check->backend->pin_open(check->env, name, value, &pin, &error);
    grove__watch_error(check, status, &error, "pin_open");
    grove__check_clause(check, 14, status == GROVE_OK || pin == UNTOUCHED,
                        "pin_open failed and wrote its output");
    grove__check_status(check, status, GROVE_OK, "pin_open");
    grove__check_that(check, pin != 0, "pin_open gave pin 0");
    return grove__check_has_failed(check) ? 0 : pin;
}

void grove__check_pin_move(grove__check *check, uint64_t pin, uint64_t value)
{
    if (pin != 0) {
        check->backend->pin_move(check->env, pin, value);
    }
}

void grove__check_pin_close(grove__check *check, uint64_t pin)
{
    if (pin != 0) {
        check->backend->pin_close(check->env, pin);
    }
}

void grove__check_pin_least(grove__check *check, uint64_t name, uint64_t wanted)
{
    if (!grove__check_has_failed(check)) {
        uint64_t least = check->backend->pin_least(check->env, name);
        grove__check_that(check, least == wanted, "the least pin is %llu, not %llu",
                          (unsigned long long)least, (unsigned long long)wanted);
    }
}

void grove__check_reclaim(grove__check *check)
{
    if (!grove__check_has_failed(check)) {
        grove_error error;
        grove__watch_init(&error);
        grove_status status = check->backend->reclaim(check->env, &error);
        grove__watch_error(check, status, &error, "reclaim");
        grove__check_status(check, status, GROVE_OK, "reclaim");
    }
}

/* Growth, copies */

grove_status grove__check_try_grow(grove__check *check)
{
    grove_error error;
    grove__watch_init(&error);
    grove_status status = check->backend->grow(check->env, &error);
    grove__watch_error(check, status, &error, "grow");
    return status;
}

grove_status grove__check_try_copy(grove__check *check, const char *path, bool is_compact)
{
    grove_error error;
    grove__watch_init(&error);
    char *lent = grove__watch_lend_string(path);
    grove_status status = check->backend->copy(check->env, lent, is_compact, &error);
    grove__watch_scribble(check, lent, strlen(path) + 1);
    grove__watch_error(check, status, &error, "copy");
    return status;
}
