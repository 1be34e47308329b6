#include "lmdb_control.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TRIES_MAX = 40 };

#define MAGIC UINT64_C(0x47524f56454c4b31)
#define NS_PER_S UINT64_C(1000000000)
/* As long as anybody may need for what is done under the latch, and more. */
#define LATCH_NS_MAX (5 * NS_PER_S)

static uint64_t layout_of_this_build(void)
{
    return (uint64_t)sizeof(grove__control_map) << 32 | sizeof(grove__pin) << 16 |
           sizeof(pthread_mutex_t);
}

static off_t bytes_for(uint32_t pins)
{
    return (off_t)(sizeof(grove__control_map) + pins * sizeof(grove__pin));
}

uint64_t grove__now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

struct timespec grove__realtime_after(uint64_t ns)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    ns += (uint64_t)until.tv_nsec;
    until.tv_sec += (time_t)(ns / NS_PER_S);
    until.tv_nsec = (long)(ns % NS_PER_S);
    return until;
}

void grove__word_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t until_ns)
{
    struct timespec until = {(time_t)(until_ns / NS_PER_S), (long)(until_ns % NS_PER_S)};
    (void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET, seen, &until, NULL,
                  FUTEX_BITSET_MATCH_ANY);
}

void grove__word_wake(_Atomic uint32_t *word)
{
    (void)atomic_fetch_add(word, 1);
    (void)syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

/* Locks */

static int set_lock(int descriptor, int command, short type, off_t byte)
{
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int result;
    do {
        result = fcntl(descriptor, command, &lock);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

bool grove__control_is_alive(const grove__control *control, uint32_t seat)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1 + (off_t)seat, .l_len = 1};
    return seat == control->seat || fcntl(control->descriptor, F_GETLK, &lock) != 0 ||
           lock.l_type != F_UNLCK;
}

/* What a process that died with the latch left half done: each change of the
 * gate ends with one store that makes it count, and what came before is written
 * anew by whoever is next. Only an offer can be of two halves. */
static void repair_gate(grove__gate *gate)
{
    gate->heir = 0;
}

bool grove__control_latch(grove__control *control, uint64_t until_ns)
{
    pthread_mutex_t *latch = &control->map->latch;
    int code = pthread_mutex_trylock(latch);
    if (code == EBUSY) {
        uint64_t now = grove__now_ns();
        struct timespec until =
            grove__realtime_after(until_ns > now ? until_ns - now : 0);
        code = pthread_mutex_timedlock(latch, &until);
    }
    if (code == EOWNERDEAD) {
        repair_gate(&control->map->gate);
        code = pthread_mutex_consistent(latch);
    }
    return code == 0;
}

void grove__control_unlatch(grove__control *control)
{
    (void)pthread_mutex_unlock(&control->map->latch);
}

/* Opening */

static int init_latch(pthread_mutex_t *latch)
{
    pthread_mutexattr_t attributes;
    int code = pthread_mutexattr_init(&attributes);
    if (code != 0) {
        return code;
    }
    code = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (code == 0) {
        code = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    }
    if (code == 0) {
        code = pthread_mutex_init(latch, &attributes);
    }
    (void)pthread_mutexattr_destroy(&attributes);
    return code;
}

/* Takes the file's room on the disk, as a page that a full disk does not give
 * would end the process. What it has already is not asked for again, so that
 * opening on a full disk works. */
static int take_room(const grove__control *control, uint32_t pins)
{
    struct stat about;
    off_t bytes = bytes_for(pins);
    if (fstat(control->descriptor, &about) != 0) {
        return errno;
    }
    if (about.st_size >= bytes && (off_t)about.st_blocks * 512 >= bytes) {
        return 0;
    }
    return posix_fallocate(control->descriptor, 0, bytes);
}

/* The content, from nothing: we are alone. */
static int make_content(grove__control *control)
{
    grove__control_map *map = control->map;
    int code = take_room(control, GROVE__PINS_CHUNK);
    if (code != 0) {
        return code;
    }
    /* First of all, so that nobody takes what is half made for whole. */
    map->magic = 0;
    memset(map, 0, (size_t)bytes_for(GROVE__PINS_CHUNK));
    atomic_store(&map->pin_count, GROVE__PINS_CHUNK);
    map->layout = layout_of_this_build();
    code = init_latch(&map->latch);
    if (code == 0) {
        map->magic = MAGIC;
    }
    return code;
}

static int check_content(const grove__control *control)
{
    struct stat about;
    if (fstat(control->descriptor, &about) != 0) {
        return errno;
    }
    const grove__control_map *map = control->map;
    bool is_ours = about.st_size >= bytes_for(GROVE__PINS_CHUNK) && map->magic == MAGIC &&
                   map->layout == layout_of_this_build() &&
                   about.st_size >= bytes_for(atomic_load(&map->pin_count)) &&
                   atomic_load(&map->pin_count) <= GROVE__PINS_MAX;
    return is_ours ? 0 : EPROTO;
}

static void leave_gate(grove__gate *gate, uint32_t seat)
{
    if (gate->holder == seat + 1) {
        gate->holder = 0;
        gate->heir = 0;
    }
    for (uint32_t index = 0; index < GROVE__WAITERS_MAX; index++) {
        if (gate->waiters[index].owner == seat + 1) {
            gate->waiters[index].owner = 0;
        }
    }
}

/* Removes what the last owner of a seat left; the latch is held (L3). */
static void clean_seat(grove__control *control, uint32_t seat)
{
    grove__control_map *map = control->map;
    leave_gate(&map->gate, seat);
    uint32_t count = atomic_load(&map->pin_count);
    for (uint32_t index = 0; index < count; index++) {
        uint32_t owner = seat + 1;
        (void)atomic_compare_exchange_strong(&map->pins[index].owner, &owner, 0);
    }
    atomic_store(&map->seats[seat], 0);
}

static int take_seat(grove__control *control)
{
    uint32_t seat = 0;
    while (seat < GROVE__SEATS_MAX &&
           set_lock(control->descriptor, F_SETLK, F_WRLCK, 1 + (off_t)seat) != 0) {
        seat++;
    }
    if (seat == GROVE__SEATS_MAX) {
        return EAGAIN;
    }
    control->seat = seat;
    if (!grove__control_latch(control, grove__now_ns() + LATCH_NS_MAX)) {
        return EBUSY;
    }
    if (atomic_load(&control->map->seats[seat]) != 0) {
        clean_seat(control, seat);
    }
    atomic_store(&control->map->seats[seat], (uint32_t)getpid());
    grove__control_unlatch(control);
    return 0;
}

/* One try to get the file with its content. EPROTO: what is there is not ours,
 * or whoever was making it died. */
static int share_content(grove__control *control)
{
    int code = set_lock(control->descriptor, F_SETLK, F_WRLCK, 0);
    if (code == 0) {
        code = make_content(control);
    } else if (code == EACCES || code == EAGAIN) {
        code = 0;
    }
    if (code == 0) {
        /* Gives up being alone, or waits until somebody does. */
        code = set_lock(control->descriptor, F_SETLKW, F_RDLCK, 0);
    }
    return code == 0 ? check_content(control) : code;
}

static int open_content(grove__control *control)
{
    int code = share_content(control);
    for (int try = 1; code == EPROTO && try < TRIES_MAX; try++) {
        /* Others may have seen the same and wait for each other to go. */
        struct timespec pause = {0, (getpid() % 16 + 1) * 500000L};
        (void)set_lock(control->descriptor, F_SETLK, F_UNLCK, 0);
        (void)nanosleep(&pause, NULL);
        code = share_content(control);
    }
    return code == 0 ? take_seat(control) : code;
}

int grove__control_open(grove__control *control, const char *path, uint32_t file_mode)
{
    size_t bytes = (size_t)bytes_for(GROVE__PINS_MAX);
    control->descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, (mode_t)file_mode);
    if (control->descriptor < 0) {
        return errno;
    }
    atomic_init(&control->pin_search, 0);
    control->seat = UINT32_MAX;
    void *map =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, control->descriptor, 0);
    int code = map == MAP_FAILED ? errno : 0;
    if (code == 0) {
        control->map = map;
        code = open_content(control);
        if (code != 0) {
            (void)munmap(map, bytes);
        }
    }
    if (code != 0) {
        (void)close(control->descriptor);
    }
    return code;
}

void grove__control_close(grove__control *control)
{
    if (grove__control_latch(control, grove__now_ns() + LATCH_NS_MAX)) {
        clean_seat(control, control->seat);
        grove__control_unlatch(control);
    }
    (void)munmap(control->map, (size_t)bytes_for(GROVE__PINS_MAX));
    (void)close(control->descriptor);
}

void grove__control_reclaim(grove__control *control)
{
    if (!grove__control_latch(control, grove__now_ns() + LATCH_NS_MAX)) {
        return;
    }
    for (uint32_t seat = 0; seat < GROVE__SEATS_MAX; seat++) {
        if (atomic_load(&control->map->seats[seat]) != 0 &&
            !grove__control_is_alive(control, seat)) {
            clean_seat(control, seat);
        }
    }
    grove__control_unlatch(control);
}

/* Pins */

/* Makes room for a chunk more in the file, unless somebody else just did. */
static int add_pins(grove__control *control, uint32_t count_seen)
{
    grove__control_map *map = control->map;
    int code = 0;
    if (!grove__control_latch(control, grove__now_ns() + LATCH_NS_MAX)) {
        return EBUSY;
    }
    uint32_t count = atomic_load(&map->pin_count);
    if (count == GROVE__PINS_MAX) {
        code = ENOLCK;
    } else if (count == count_seen) {
        code = take_room(control, count + GROVE__PINS_CHUNK);
        if (code == 0) {
            memset(&map->pins[count], 0, GROVE__PINS_CHUNK * sizeof *map->pins);
            atomic_store(&map->pin_count, count + GROVE__PINS_CHUNK);
        }
    }
    grove__control_unlatch(control);
    return code;
}

int grove__pin_open(grove__control *control, uint64_t name, uint64_t value,
                    uint64_t *pin_out)
{
    grove__control_map *map = control->map;
    for (;;) {
        uint32_t count = atomic_load(&map->pin_count);
        uint32_t begin = atomic_load(&control->pin_search);
        for (uint32_t looked = 0; looked < count; looked++) {
            uint32_t index = (begin + looked) % count;
            grove__pin *pin = &map->pins[index];
            uint32_t nobody = 0;
            if (atomic_load(&pin->owner) == 0 &&
                atomic_compare_exchange_strong(&pin->owner, &nobody, control->seat + 1)) {
                atomic_store(&pin->value, value);
                atomic_store(&pin->name, name);
                atomic_store(&control->pin_search, index + 1);
                *pin_out = (uint64_t)index + 1;
                return 0;
            }
        }
        int code = add_pins(control, count);
        if (code != 0) {
            return code;
        }
    }
}

void grove__pin_move(grove__control *control, uint64_t pin, uint64_t value)
{
    atomic_store(&control->map->pins[pin - 1].value, value);
}

void grove__pin_close(grove__control *control, uint64_t pin)
{
    atomic_store(&control->map->pins[pin - 1].owner, 0);
}

uint64_t grove__pin_least(const grove__control *control, uint64_t name)
{
    const grove__control_map *map = control->map;
    uint64_t least = UINT64_MAX;
    uint32_t count = atomic_load(&map->pin_count);
    for (uint32_t index = 0; index < count; index++) {
        const grove__pin *pin = &map->pins[index];
        if (atomic_load(&pin->owner) != 0 && atomic_load(&pin->name) == name) {
            uint64_t value = atomic_load(&pin->value);
            least = value < least ? value : least;
        }
    }
    return least;
}
