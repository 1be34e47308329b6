#include "board.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const SHARED_NAMES[SHARED_PLACES] = {
    "log", "log-compacted", "text", "text-compacted", "text-compacted-too"};

/* Writes down a document that is not at its place yet. False: no room. */
static bool add_document(stress_board *board, uint32_t place, uint32_t number,
                         uint32_t *index_out)
{
    uint32_t index = atomic_fetch_add(&board->document_count, 1);
    if (index >= DOCUMENTS_MAX) {
        (void)atomic_fetch_sub(&board->document_count, 1);
        return false;
    }
    stress_document *document = &board->documents[index];
    document->place = place;
    document->number = number;
    document->is_deletable = place >= SHARED_PLACES;
    if (document->is_deletable) {
        document->is_text = place % 2 == 0;
        document->is_compacted = true;
        (void)snprintf(document->id, sizeof document->id, "own-%u", place);
    } else {
        document->is_text = strncmp(SHARED_NAMES[place], "text", 4) == 0;
        document->is_compacted = strstr(SHARED_NAMES[place], "compacted") != NULL;
        (void)snprintf(document->id, sizeof document->id, "%s-%u", SHARED_NAMES[place],
                       number);
    }
    *index_out = index;
    return true;
}

stress_board *stress_board_new(const stress_options *options)
{
    void *memory = mmap(NULL, sizeof(stress_board), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    stress_board *board = memory;
    board->options = *options;
    for (uint32_t place = 0; place < PLACES_MAX; place++) {
        uint32_t index;
        (void)add_document(board, place, 0, &index);
        atomic_store(&board->current[place], index);
    }
    return board;
}

uint32_t stress_place_document(stress_board *board, uint32_t place)
{
    return atomic_load(&board->current[place]);
}

bool stress_place_advance(stress_board *board, uint32_t document)
{
    const stress_document *old = &board->documents[document];
    uint32_t next;
    if (atomic_load(&board->current[old->place]) != document) {
        return true;
    }
    if (!add_document(board, old->place, old->number + 1, &next)) {
        return false;
    }
    (void)atomic_compare_exchange_strong(&board->current[old->place], &document, next);
    return true;
}

bool stress_sabotage(stress_board *board, const char *name)
{
    return strcmp(board->options.sabotage, name) == 0 &&
           !atomic_exchange(&board->was_sabotaged, true);
}

void stress_fail(stress_board *board, const char *format, ...)
{
    /* No stdio: a forked child may have been forked while it was in use. */
    char line[600];
    int begin = snprintf(line, sizeof line, "stress: FAILED (seed %llu, process %ld): ",
                         (unsigned long long)board->options.seed, (long)getpid());
    va_list arguments;
    va_start(arguments, format);
    int rest =
        vsnprintf(line + begin, sizeof line - 1 - (size_t)begin, format, arguments);
    va_end(arguments);
    size_t size = (size_t)begin + (size_t)rest;
    size = size < sizeof line - 2 ? size : sizeof line - 2;
    line[size] = '\n';
    ssize_t written = write(STDERR_FILENO, line, size + 1);
    (void)written;
    (void)atomic_fetch_add(&board->failures, 1);
    atomic_store(&board->is_over, true);
    _exit(1);
}

grove_status stress_store_open(const stress_board *board, grove_durability durability,
                               uint32_t wait_ms_max, grove_store **store_out,
                               grove_error *error_out)
{
    grove_store_options options = GROVE_STORE_OPTIONS_INIT;
    options.backend = grove_backend_find(board->options.backend);
    options.backend_context = board->backend_context;
    options.size_limit_bytes = board->options.size_limit_bytes;
    options.durability = durability;
    options.wait_ms_max = wait_ms_max;
    return grove_store_open(board->options.directory, &options, store_out, error_out);
}
