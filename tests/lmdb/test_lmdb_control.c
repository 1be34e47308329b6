#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "disk_faults.h"
#include "lmdb_child.h"
#include "lmdb_fixture.h"

#include "lmdb/lmdb_control.h"

/* A control file of a test's own, and what children need of it. */
typedef struct control_fixture {
    temp_dir dir;
    char path[TEMP_DIR_PATH_BYTES];
    grove__control control;
} control_fixture;

static void control_fixture_make(control_fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    temp_dir_make(&fixture->dir);
    (void)temp_dir_path(&fixture->dir, "grove.lock", fixture->path);
}

static void control_fixture_open(control_fixture *fixture)
{
    cr_assert_eq(grove__control_open(&fixture->control, fixture->path, 0600), 0);
}

static void control_fixture_remove(control_fixture *fixture)
{
    temp_dir_remove(&fixture->dir);
}

/* Opens the file, pins, and stays until it is told. */
static bool pin_until_told(const lmdb_peer *test, void *context)
{
    const control_fixture *fixture = context;
    grove__control control;
    uint64_t pin;
    if (grove__control_open(&control, fixture->path, 0600) != 0 ||
        grove__pin_open(&control, 1, control.seat, &pin) != 0) {
        return false;
    }
    lmdb_peer_tell(test);
    lmdb_peer_wait(test);
    grove__control_close(&control);
    return true;
}

Test(lmdb_control, a_seat_is_taken_for_as_long_as_its_process_lives)
{
    control_fixture fixture;
    control_fixture_make(&fixture);
    control_fixture_open(&fixture);
    const grove__control *control = &fixture.control;
    cr_assert_eq(control->seat, 0);
    cr_assert_eq(atomic_load(&control->map->seats[0]), (uint32_t)getpid());
    lmdb_peer first = lmdb_child_start(pin_until_told, &fixture);
    lmdb_peer_wait(&first);
    lmdb_peer second = lmdb_child_start(pin_until_told, &fixture);
    lmdb_peer_wait(&second);
    cr_assert_eq(atomic_load(&control->map->seats[1]), (uint32_t)first.process);
    cr_assert_eq(atomic_load(&control->map->seats[2]), (uint32_t)second.process);
    cr_assert_eq(grove__pin_least(control, 1), 1);
    for (uint32_t seat = 0; seat < 3; seat++) {
        cr_assert(grove__control_is_alive(control, seat));
    }
    cr_assert_not(grove__control_is_alive(control, 3));
    lmdb_child_kill(&first);
    cr_assert_not(grove__control_is_alive(control, 1));
    cr_assert_eq(grove__pin_least(control, 1), 1, "nobody has looked yet");
    grove__control_reclaim(&fixture.control);
    cr_assert_eq(atomic_load(&control->map->seats[1]), 0);
    cr_assert_eq(grove__pin_least(control, 1), 2, "the living keep theirs");
    lmdb_peer_tell(&second);
    lmdb_child_end(&second);
    cr_assert_eq(atomic_load(&control->map->seats[2]), 0, "it left its seat itself");
    cr_assert_eq(grove__pin_least(control, 1), UINT64_MAX);
    grove__control_close(&fixture.control);
    control_fixture_remove(&fixture);
}

Test(lmdb_control, who_takes_a_dead_process_s_seat_does_not_take_its_pins)
{
    control_fixture fixture;
    control_fixture_make(&fixture);
    control_fixture_open(&fixture);
    lmdb_peer first = lmdb_child_start(pin_until_told, &fixture);
    lmdb_peer_wait(&first);
    lmdb_child_kill(&first);
    cr_assert_eq(grove__pin_least(&fixture.control, 1), 1);
    lmdb_peer second = lmdb_child_start(pin_until_told, &fixture);
    lmdb_peer_wait(&second);
    size_t pins = 0;
    for (size_t index = 0; index < GROVE__PINS_CHUNK; index++) {
        pins += atomic_load(&fixture.control.map->pins[index].owner) != 0;
    }
    cr_assert_eq(pins, 1);
    lmdb_peer_tell(&second);
    lmdb_child_end(&second);
    grove__control_close(&fixture.control);
    control_fixture_remove(&fixture);
}

Test(lmdb_control, pins_grow_with_the_file_up_to_their_limit)
{
    static uint64_t pins[GROVE__PINS_MAX];
    control_fixture fixture;
    struct stat about;
    uint64_t pin;
    control_fixture_make(&fixture);
    control_fixture_open(&fixture);
    for (size_t index = 0; index < GROVE__PINS_MAX; index++) {
        cr_assert_eq(grove__pin_open(&fixture.control, index, index, &pins[index]), 0);
    }
    cr_assert_eq(grove__pin_open(&fixture.control, 1, 1, &pin), ENOLCK);
    cr_assert_eq(grove__pin_least(&fixture.control, GROVE__PINS_MAX - 1),
                 GROVE__PINS_MAX - 1);
    cr_assert_eq(stat(fixture.path, &about), 0);
    cr_assert_geq(about.st_size, (off_t)(GROVE__PINS_MAX * sizeof(grove__pin)));
    cr_assert_geq(about.st_blocks * 512, about.st_size, "it has no holes");
    grove__pin_close(&fixture.control, pins[77]);
    cr_assert_eq(grove__pin_open(&fixture.control, 5, 5, &pin), 0);
    cr_assert_eq(pin, pins[77]);
    grove__control_close(&fixture.control);
    control_fixture_remove(&fixture);
}

Test(lmdb_control, a_full_disk_refuses_more_pins_and_nothing_else)
{
    control_fixture fixture;
    uint64_t pin;
    control_fixture_make(&fixture);
    control_fixture_open(&fixture);
    for (size_t index = 0; index < GROVE__PINS_CHUNK; index++) {
        cr_assert_eq(grove__pin_open(&fixture.control, 1, 10 + index, &pin), 0);
    }
    disk_fault_set(DISK_FALLOCATE, 1, ENOSPC);
    cr_assert_eq(grove__pin_open(&fixture.control, 1, 1, &pin), ENOSPC);
    cr_assert(disk_fault_clear());
    cr_assert_eq(grove__pin_least(&fixture.control, 1), 10);
    cr_assert_eq(grove__pin_open(&fixture.control, 1, 1, &pin), 0);
    cr_assert_eq(grove__pin_least(&fixture.control, 1), 1);
    grove__control_close(&fixture.control);
    control_fixture_remove(&fixture);
}

/* ---- What is there already ---- */

static void write_rubbish(const control_fixture *fixture, size_t bytes)
{
    uint8_t *rubbish = malloc(bytes);
    cr_assert_not_null(rubbish);
    memset(rubbish, 0xa5, bytes);
    lmdb_write_file(fixture->path, rubbish, bytes);
    free(rubbish);
}

Test(lmdb_control, what_a_crash_of_all_left_does_not_matter)
{
    static const size_t SIZES[] = {0, 1, 100, 4096, 100000, 10000000};
    for (size_t index = 0; index < sizeof SIZES / sizeof *SIZES; index++) {
        control_fixture fixture;
        uint64_t pin;
        control_fixture_make(&fixture);
        write_rubbish(&fixture, SIZES[index]);
        control_fixture_open(&fixture);
        cr_assert_eq(grove__pin_least(&fixture.control, 1), UINT64_MAX);
        cr_assert_eq(grove__pin_open(&fixture.control, 1, 1, &pin), 0);
        cr_assert(grove__control_latch(&fixture.control, UINT64_MAX));
        grove__control_unlatch(&fixture.control);
        grove__control_close(&fixture.control);
        control_fixture_remove(&fixture);
    }
}

/* As a process with another build of the library has it. */
static bool use_another_layout(const lmdb_peer *test, void *context)
{
    const control_fixture *fixture = context;
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};
    int file = open(fixture->path, O_RDWR);
    if (file < 0 || fcntl(file, F_SETLK, &lock) != 0) {
        return false;
    }
    lmdb_peer_tell(test);
    lmdb_peer_wait(test);
    return true;
}

Test(lmdb_control, a_file_of_another_build_is_refused_while_it_is_in_use)
{
    lmdb_fixture fixture;
    control_fixture other;
    grove_backend_env *env = NULL;
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 10, 10);
    memset(&other, 0, sizeof other);
    (void)temp_dir_path(&fixture.dir, "store/grove.lock", other.path);
    write_rubbish(&other, 1000000);
    grove_bytes before = lmdb_read_file(other.path);
    lmdb_peer child = lmdb_child_start(use_another_layout, &other);
    lmdb_peer_wait(&child);
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_INVALID);
    cr_assert_not_null(strstr(fixture.error.message, "another build of the library"));
    grove_bytes after = lmdb_read_file(other.path);
    cr_assert_eq(after.size, before.size);
    cr_assert_arr_eq(after.data, before.data, before.size);
    lmdb_peer_tell(&child);
    lmdb_child_end(&child);
    fixture.backend->close(lmdb_open_env(&fixture));
    free((void *)(uintptr_t)before.data);
    free((void *)(uintptr_t)after.data);
    lmdb_fixture_remove(&fixture);
}

static bool lock_all_seats(const lmdb_peer *test, void *context)
{
    const control_fixture *fixture = context;
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = GROVE__SEATS_MAX};
    int file = open(fixture->path, O_RDWR | O_CREAT, 0600);
    if (file < 0 || fcntl(file, F_SETLK, &lock) != 0) {
        return false;
    }
    lmdb_peer_tell(test);
    lmdb_peer_wait(test);
    return true;
}

Test(lmdb_control, a_process_beyond_the_last_seat_is_told_that_the_store_is_busy)
{
    lmdb_fixture fixture;
    control_fixture other;
    grove_backend_env *env = NULL;
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 10, 10);
    memset(&other, 0, sizeof other);
    (void)temp_dir_path(&fixture.dir, "store/grove.lock", other.path);
    lmdb_peer child = lmdb_child_start(lock_all_seats, &other);
    lmdb_peer_wait(&child);
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_BUSY);
    lmdb_peer_tell(&child);
    lmdb_child_end(&child);
    fixture.backend->close(lmdb_open_env(&fixture));
    lmdb_fixture_remove(&fixture);
}

Test(lmdb_control, a_full_disk_at_opening_is_full_and_nothing_is_left)
{
    lmdb_fixture fixture;
    grove_backend_env *env = NULL;
    lmdb_fixture_make(&fixture);
    lmdb_fill(&fixture, 10, 10);
    disk_fault_set(DISK_FALLOCATE, 1, ENOSPC);
    char control_path[TEMP_DIR_PATH_BYTES];
    cr_assert_eq(unlink(temp_dir_path(&fixture.dir, "store/grove.lock", control_path)),
                 0);
    cr_assert_eq(lmdb_try_open(&fixture, &env), GROVE_FULL);
    cr_assert(disk_fault_clear());
    cr_assert_not_null(strstr(fixture.error.message, "the disk is full"));
    /* What has its room already needs no more. */
    fixture.backend->close(lmdb_open_env(&fixture));
    disk_fault_set(DISK_FALLOCATE, 1, ENOSPC);
    fixture.backend->close(lmdb_open_env(&fixture));
    cr_assert_not(disk_fault_clear());
    lmdb_fixture_remove(&fixture);
}

/* ---- Words that are waited for ---- */

static void *wake(void *argument)
{
    grove__word_wake(argument);
    return NULL;
}

Test(lmdb_control, a_wait_for_a_word_ends_with_its_change_or_its_time)
{
    pthread_t thread;
    _Atomic uint32_t word = 5;
    uint64_t began = grove__now_ns();
    grove__word_wait(&word, 4, began + UINT64_C(20000000000));
    grove__word_wait(&word, 5, began);
    cr_assert_eq(pthread_create(&thread, NULL, wake, &word), 0);
    while (atomic_load(&word) == 5) {
        grove__word_wait(&word, 5, began + UINT64_C(20000000000));
    }
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(atomic_load(&word), 6);
}
