/*
 * Two processes edit one JSON document at the same time; what they did comes
 * together, and is printed.
 *
 *   json STORE
 */
#include <grove/grove.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const grove_bytes NO_METADATA = {NULL, 0};

/* JSON Merge Patch: members go onto those that are there. */
static const char ORDER[] =
    "{\"guest\":\"Ann\",\"dishes\":[{\"name\":\"soup\",\"count\":1},"
    "{\"name\":\"bread\",\"count\":2}]}";

/* JSON Patch. Neither process knows of the other's. */
static const char *const PATCHES[] = {
    "[{\"op\":\"replace\",\"path\":\"/dishes/0/count\",\"value\":2},"
    "{\"op\":\"add\",\"path\":\"/dishes/-\",\"value\":{\"name\":\"tea\",\"count\":1}}]",
    "[{\"op\":\"test\",\"path\":\"/dishes/0/name\",\"value\":\"soup\"},"
    "{\"op\":\"move\",\"from\":\"/dishes/0\",\"path\":\"/dishes/1\"},"
    "{\"op\":\"add\",\"path\":\"/table\",\"value\":7}]",
};

static bool print(void *context, grove_bytes text)
{
    return fwrite(text.data, 1, text.size, context) == text.size;
}

/* Each process opens the store for itself: handles do not survive a fork. The
 * names make what is printed the same each time; without, they are random. */
static int open_order(const char *path, const char *replica, grove_store **store,
                      grove_document **order, grove_error *error)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = grove_type_tree();
    options.replica.size = 1;
    options.replica.bytes[0] = (uint8_t)replica[0];
    return grove_store_open(path, NULL, store, error) ||
           grove_document_open(*store, grove_bytes_of("order"), &options, order, error);
}

static int done(grove_store *store, grove_document *order, const grove_error *error,
                int failed)
{
    if (failed) {
        fprintf(stderr, "%s\n", error->message);
    }
    grove_document_close(order);
    grove_store_close(store);
    return failed;
}

static int begin(const char *path)
{
    grove_error error;
    grove_store *store = NULL;
    grove_document *order = NULL;
    int failed =
        open_order(path, "m", &store, &order, &error) ||
        grove_json_merge_patch(order, grove_bytes_of(ORDER), NO_METADATA, &error) ||
        grove_document_save(order, NULL, NULL, &error);
    return done(store, order, &error, failed);
}

/* Edits what it has loaded, and saves when the other has done so too. */
static int edit(const char *path, const char *replica, const char *patch, int ready,
                int go)
{
    char byte = 0;
    grove_error error = {.message = "the other process failed"};
    grove_store *store = NULL;
    grove_document *order = NULL;
    int failed = open_order(path, replica, &store, &order, &error) ||
                 grove_json_patch(order, grove_bytes_of(patch), NO_METADATA, &error) ||
                 write(ready, &byte, 1) != 1 || close(ready) != 0 ||
                 read(go, &byte, 1) != 1 ||
                 /* What the other saved first is merged. */
                 grove_document_save(order, NULL, NULL, &error);
    return done(store, order, &error, failed);
}

static int show(const char *path)
{
    grove_error error;
    grove_store *store = NULL;
    grove_document *order = NULL;
    int failed = open_order(path, "m", &store, &order, &error) ||
                 grove_json_get(order, grove_bytes_of(""), print, stdout, &error);
    printf("\n");
    return done(store, order, &error, failed);
}

/* Lets both save when both are ready; if one is not, lets none. */
static int let_go(int ready, int go)
{
    char bytes[2] = {0, 0};
    int failed = read(ready, bytes, 1) != 1 || read(ready, bytes, 1) != 1 ||
                 write(go, bytes, 2) != 2;
    close(go);
    for (int child = 0; child < 2; child++) {
        int status = 0;
        failed = (wait(&status) < 0 || status != 0) || failed;
    }
    return failed;
}

int main(int argument_count, char **arguments)
{
    const char *path = argument_count > 1 ? arguments[1] : "order.grove";
    static const char *const REPLICAS[] = {"a", "b"};
    int ready[2];
    int go[2];
    if (begin(path) || pipe(ready) != 0 || pipe(go) != 0) {
        return 1;
    }
    for (int child = 0; child < 2; child++) {
        if (fork() == 0) {
            close(go[1]);
            return edit(path, REPLICAS[child], PATCHES[child], ready[1], go[0]);
        }
    }
    close(ready[1]);
    return let_go(ready[0], go[1]) || show(path);
}
