/*
 * What the tests of the program need and the program does not do:
 *
 *   helper opaque STORE ID      makes an opaque document with one event
 *   helper group STORE NAME     saves a group
 *   helper events STORE ID      prints "timestamp position count bytes", the
 *                               replica in hexadecimal and the number of
 *                               parents for each run of events of a document
 *   helper forget STORE COUNT   keeps so many of the newest commits, as far as
 *                               older ones are packed
 *   helper read STORE -         keeps a read transaction open, says so, and
 *                               ends when its input does
 *   helper write STORE -        the same with a write transaction
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grove/grove.h>

static bool print_run(void *context, uint64_t clock, const grove_event_run *run)
{
    (void)context;
    (void)clock;
    printf("%" PRId64 " %" PRIu64 " %" PRIu32 " %zu ", run->timestamp,
           run->operation.position, run->operation.count, run->operation.content.size);
    for (size_t index = 0; index < run->first.replica.size; index++) {
        printf("%02x", run->first.replica.bytes[index]);
    }
    return printf(" %zu\n", run->parent_count) > 0;
}

static grove_status make_opaque(grove_store *store, grove_bytes id, grove_error *error)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    grove_document *document = NULL;
    options.type = grove_type_opaque();
    grove_status status = grove_document_open(store, id, &options, &document, error);
    if (status == GROVE_OK) {
        status = grove_opaque_append(document, grove_bytes_of("payload"), error);
    }
    if (status == GROVE_OK) {
        status = grove_document_save(document, NULL, NULL, error);
    }
    grove_document_close(document);
    return status;
}

static grove_status print_events(grove_store *store, grove_bytes id, grove_error *error)
{
    grove_document *document = NULL;
    grove_status status = grove_document_load(store, id, NULL, &document, error);
    if (status == GROVE_OK) {
        status = grove_document_events(document, 0, print_run, NULL, error);
    }
    grove_document_close(document);
    return status;
}

static void *allocate(void *context, size_t bytes)
{
    (void)context;
    return malloc(bytes);
}

static void *reallocate(void *context, void *memory, size_t bytes_old, size_t bytes_new)
{
    (void)context;
    (void)bytes_old;
    return realloc(memory, bytes_new);
}

static void deallocate(void *context, void *memory, size_t bytes)
{
    (void)context;
    (void)bytes;
    free(memory);
}

static grove_status keep(const char *path, grove_txn_mode mode, grove_error *error)
{
    const grove_backend *backend = grove_backend_find(NULL);
    const char *const table = "store";
    grove_allocator allocator = {NULL, allocate, reallocate, deallocate};
    grove_backend_options options = {.path = path,
                                     .table_names = &table,
                                     .table_count = 1,
                                     .size_limit_bytes = UINT64_C(64) << 30,
                                     .must_exist = true,
                                     .wait_ms_max = 10000,
                                     .allocator = &allocator};
    grove_backend_env *env = NULL;
    grove_backend_txn *txn = NULL;
    grove_status status = backend->open(&options, &env, error);
    if (status != GROVE_OK) {
        return status;
    }
    status = backend->begin(env, mode, &txn, error);
    if (status == GROVE_OK) {
        (void)puts("open");
        (void)fflush(stdout);
        (void)getchar();
        backend->abort(txn);
    }
    backend->close(env);
    return status;
}

static grove_status forget(grove_store *store, const char *count, grove_error *error)
{
    grove_feed_retention retention = {.commits_max = strtoull(count, NULL, 10)};
    uint64_t removed = 1;
    grove_status status = grove_feed_retention_set(store, &retention, error);
    while (status == GROVE_OK && removed > 0) {
        status = grove_feed_trim(store, UINT64_MAX, &removed, error);
    }
    return status;
}

static grove_status work_on(grove_store *store, const char *what, const char *name,
                            grove_error *error)
{
    grove_bytes id = grove_bytes_of(name);
    if (strcmp(what, "opaque") == 0) {
        return make_opaque(store, id, error);
    }
    if (strcmp(what, "group") == 0) {
        return grove_group_save(store, id, id, NULL, error);
    }
    if (strcmp(what, "forget") == 0) {
        return forget(store, name, error);
    }
    return print_events(store, id, error);
}

static grove_status with_store(char **argv, grove_error *error)
{
    grove_store *store = NULL;
    grove_status status = grove_store_open(argv[2], NULL, &store, error);
    if (status == GROVE_OK) {
        status = work_on(store, argv[1], argv[3], error);
    }
    grove_store_close(store);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        return 2;
    }
    grove_error error;
    bool reads = strcmp(argv[1], "read") == 0;
    bool writes = strcmp(argv[1], "write") == 0;
    grove_status status =
        reads || writes ? keep(argv[2], writes ? GROVE_TXN_WRITE : GROVE_TXN_READ, &error)
                        : with_store(argv, &error);
    if (status != GROVE_OK) {
        (void)fprintf(stderr, "helper: %s\n", error.message);
        return 1;
    }
    return 0;
}
