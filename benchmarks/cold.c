/* Files that the kernel holds nothing of. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "floor.h"

/* Whether no page of the open file is in memory. */
static bool is_cold(int file, size_t bytes)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = (bytes + page_bytes - 1) / page_bytes;
    void *mapped = mmap(NULL, bytes, PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) {
        return false;
    }
    unsigned char *resident = bench_allocate(pages);
    bool is_known = mincore(mapped, bytes, resident) == 0;
    size_t warm = 0;
    for (size_t page = 0; is_known && page < pages; page++) {
        warm += resident[page] & 1u;
    }
    free(resident);
    (void)munmap(mapped, bytes);
    return is_known && warm == 0;
}

bool cold_make(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bench_need(file >= 0, path);
    struct stat status;
    bool is_done = fstat(file, &status) == 0 && fsync(file) == 0 &&
                   posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0;
    is_done = is_done && (status.st_size == 0 || is_cold(file, (size_t)status.st_size));
    (void)close(file);
    return is_done;
}

void cold_write(const char *path, size_t bytes)
{
    uint8_t *room = bench_allocate(bytes);
    memset(room, 0x5a, bytes);
    FILE *file = fopen(path, "wb");
    bench_need(file != NULL && fwrite(room, 1, bytes, file) == bytes && fclose(file) == 0,
               "writing a plain file");
    free(room);
}

double cold_read(const char *path, size_t bytes)
{
    uint8_t *room = bench_allocate(bytes);
    memset(room, 1, bytes);
    double begun = bench_now_us();
    int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t count = 0;
    ssize_t more = 1;
    while (count < bytes && more > 0) {
        more = read(file, room + count, bytes - count);
        count += more > 0 ? (size_t)more : 0;
    }
    double us = bench_now_us() - begun;
    bench_need(count == bytes, "reading a plain file");
    (void)close(file);
    free(room);
    return us;
}
