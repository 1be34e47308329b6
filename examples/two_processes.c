/*
 * Two processes with one store: a worker writes a diary; a reader is told of
 * each save, takes in what is new, and prints it.
 *
 *   two_processes STORE
 */
#include <grove/grove.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char ENTRY[] = "Dear diary,\n";
enum { DAYS = 3, ENTRY_LENGTH = sizeof ENTRY - 1 };

typedef int job(grove_store *store, grove_document *diary, grove_error *error);

static int work(grove_store *store, grove_document *diary, grove_error *error)
{
    int failed = 0;
    (void)store;
    for (uint64_t day = 0; day < DAYS && !failed; day++) {
        grove_bytes entry = grove_bytes_of(ENTRY);
        failed = grove_text_insert(diary, day * ENTRY_LENGTH, entry, error) ||
                 grove_document_save(diary, NULL, NULL, error);
    }
    return failed;
}

static int follow(grove_store *store, grove_document *diary, grove_error *error)
{
    char text[DAYS * ENTRY_LENGTH];
    size_t seen = 0;
    grove_watch *watch = NULL;
    /* Of saves from here on it tells; those before are found by the refresh. */
    int failed = grove_watch_open(store, &watch, NULL, error) != GROVE_OK;
    while (seen < sizeof text && !failed) {
        size_t bytes = 0;
        uint64_t length = 0;
        failed = grove_document_refresh(diary, NULL, error) ||
                 grove_text_read(diary, seen, sizeof text, text, sizeof text, &bytes,
                                 &length, error);
        fwrite(text, 1, bytes, stdout);
        seen += bytes;
        if (bytes == 0 && !failed) {
            failed = grove_watch_wait(watch, 10000, NULL, error) != GROVE_OK;
        }
    }
    grove_watch_close(watch);
    return failed;
}

/* Each process opens the store for itself: handles do not survive a fork. */
static int run(const char *path, job *todo)
{
    grove_error error = {.message = "nothing came for ten seconds"};
    grove_store *store = NULL;
    grove_document *diary = NULL;
    int failed =
        grove_store_open(path, NULL, &store, &error) ||
        grove_document_open(store, grove_bytes_of("diary"), NULL, &diary, &error) ||
        todo(store, diary, &error);
    if (failed) {
        fprintf(stderr, "%s\n", error.message);
    }
    grove_document_close(diary);
    grove_store_close(store);
    return failed;
}

int main(int argument_count, char **arguments)
{
    const char *path = argument_count > 1 ? arguments[1] : "diary.grove";
    pid_t worker = fork();
    if (worker <= 0) {
        return worker < 0 || run(path, work);
    }
    int status = 0;
    int failed = run(path, follow);
    return waitpid(worker, &status, 0) != worker || status != 0 || failed;
}
