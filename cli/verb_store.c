/* The verbs about a store that is in use: stat, readers and backup. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "open.h"
#include "output.h"

/* --- stat --- */

/* A process id; 0 stands for nobody. */
static json_t *process_value(uint64_t process)
{
    return process == 0 ? json_null() : cli_number(process);
}

static int stat_in(const cli_options *options, grove_store *store)
{
    grove_error error;
    grove_store_statistics known;
    if (grove_store_statistics_get(store, &known, &error) != GROVE_OK) {
        return cli_failed(&error, "look into the store");
    }
    const grove_backend_statistics *backend = &known.backend;
    return cli_report(
        options,
        json_pack(
            "{ss, ss, so, so, so, so, so, so, so, so, so, so, so, so, so, so, so}",
            "store", options->store_path, "backend", known.backend_name, "commit",
            cli_number(known.commit), "incarnation", cli_hexadecimal(known.incarnation),
            "entries", cli_number(backend->entries), "page_bytes",
            cli_number(backend->page_bytes), "size_bytes",
            cli_number(backend->size_bytes), "free_bytes",
            cli_number(backend->free_bytes), "retained_bytes",
            cli_number(backend->retained_bytes), "size_limit_bytes",
            cli_number(backend->size_limit_bytes), "reserve_bytes",
            cli_number(backend->reserve_bytes), "readers", cli_number(backend->readers),
            "readers_max", cli_number(backend->readers_max), "oldest_reader_process",
            process_value(backend->oldest_reader_process), "oldest_reader_lag",
            cli_number(backend->oldest_reader_lag), "writer_process",
            process_value(backend->writer_process), "writer_ms",
            cli_number(backend->writer_ms)));
}

int cli_stat(const cli_options *options)
{
    return cli_in_store(options, stat_in);
}

/* --- readers --- */

static bool take_reader(void *context, const grove_backend_reader *reader)
{
    json_t *list = context;
    return json_array_append_new(list, json_pack("{so, so}", "process",
                                                 cli_number(reader->process), "lag",
                                                 cli_number(reader->lag))) == 0;
}

static bool print_reader(void *context, const grove_backend_reader *reader)
{
    (void)context;
    return printf("%" PRIu64 " %" PRIu64 "\n", reader->process, reader->lag) > 0;
}

static int readers_in(const cli_options *options, grove_store *store)
{
    json_t *list = options->json ? json_array() : NULL;
    grove_error error;
    grove_status status = grove_store_readers(
        store, options->json ? take_reader : print_reader, list, &error);
    if (status != GROVE_OK) {
        json_decref(list);
        return cli_failed(&error, "list the readers");
    }
    return options->json ? cli_report(options, json_pack("{so}", "readers", list))
                         : CLI_OK;
}

int cli_readers(const cli_options *options)
{
    return cli_in_store(options, readers_in);
}

/* --- backup --- */

static int backup_in(const cli_options *options, grove_store *store)
{
    grove_backup_options wanted = GROVE_BACKUP_OPTIONS_INIT;
    grove_backup_result made;
    grove_error error;
    struct stat about;
    if (lstat(options->file, &about) == 0) {
        return cli_refuse(CLI_CONFLICT,
                          "there is something at %s already: name a new directory",
                          options->file);
    }
    wanted.is_compact = options->compact;
    double begin = cli_now_ms();
    if (grove_store_backup(store, options->file, &wanted, &made, &error) != GROVE_OK) {
        return cli_failed(&error, "back the store up to %s", options->file);
    }
    return cli_report(options, json_pack("{ss, so, so, so}", "backup", options->file,
                                         "commit", cli_number(made.commit), "size_bytes",
                                         cli_number(made.bytes), "backup_ms",
                                         json_real(cli_now_ms() - begin)));
}

int cli_backup(const cli_options *options)
{
    return cli_in_store(options, backup_in);
}
