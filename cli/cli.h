/*
 * The program `grove`: what its verbs share.
 *
 * main.c finds the verb, arguments.c fills one struct of options, the verb's
 * function does the work through include/grove alone and returns an exit code.
 * What it says goes through output.c: a report on stdout, failures on stderr.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grove/grove.h>

#include "id.h"

/* Exit codes; docs/CLI.md lists them. */
enum {
    CLI_OK = 0,
    CLI_NONE = 1,     /* there is no such document, or no store */
    CLI_USAGE = 2,    /* the command line */
    CLI_INPUT = 3,    /* what was given cannot be used: a file, a document */
    CLI_FAILURE = 4,  /* the store, the disk, memory or the output */
    CLI_CONFLICT = 5, /* the document exists already, or others write to it */
    CLI_FOUND = 6     /* verify: there are findings; salvage: something is lost */
};

/* Every option of every verb; a verb takes those in its row of the table. */
typedef struct cli_options {
    const char *store_path;
    const grove_backend *backend;
    grove_durability durability;
    bool json;
    bool vector;
    bool compact;
    bool replay;
    bool has_document;
    bool has_final;
    bool has_count;
    bool has_clock;
    bool has_timeout;
    bool has_depth;
    bool deleted;

    const char *file;
    const char *pointer;
    cli_id document; /* when has_document */
    const char *out;
    const char *agents;
    const char *repository;
    const char *since;
    uint64_t from;
    uint64_t count; /* when has_count */
    uint64_t clock; /* when has_clock */
    uint64_t events;
    uint64_t seed;
    uint64_t final_length; /* when has_final */
    uint64_t batch;        /* 0: all at once */
    uint64_t window;
    uint64_t level;
    cli_id prefix;
    cli_id after;
    uint64_t limit;
    uint64_t rounds;
    uint64_t timeout_s; /* when has_timeout */
    uint32_t depth;     /* when has_depth */
} cli_options;

/* What a long option is called in the tables of options. */
enum {
    CLI_KEY_STORE = 256,
    CLI_KEY_BACKEND,
    CLI_KEY_DURABILITY,
    CLI_KEY_JSON,
    CLI_KEY_DOCUMENT,
    CLI_KEY_OUT,
    CLI_KEY_AGENTS,
    CLI_KEY_REPOSITORY,
    CLI_KEY_AT,
    CLI_KEY_SINCE,
    CLI_KEY_VECTOR,
    CLI_KEY_FROM,
    CLI_KEY_COUNT,
    CLI_KEY_EVENTS,
    CLI_KEY_SEED,
    CLI_KEY_FINAL,
    CLI_KEY_BATCH,
    CLI_KEY_WINDOW,
    CLI_KEY_LEVEL,
    CLI_KEY_PREFIX,
    CLI_KEY_AFTER,
    CLI_KEY_LIMIT,
    CLI_KEY_ROUNDS,
    CLI_KEY_COMPACT,
    CLI_KEY_TIMEOUT,
    CLI_KEY_REPLAY,
    CLI_KEY_DEPTH,
    CLI_KEY_DELETED
};

/* What a verb has to be given. */
enum {
    CLI_NEEDS_FILE = 1u << 0,
    CLI_NEEDS_DOCUMENT = 1u << 1,
    CLI_NEEDS_DOCUMENT_OR_OUT = 1u << 2,
    CLI_NEEDS_OUT = 1u << 3,
    /* The first argument is the store's directory. */
    CLI_TAKES_STORE = 1u << 4,
    /* It has to be there, and the second one is a new directory. */
    CLI_NEEDS_NEW = 1u << 5,
    /* The first argument is the document, and has to be there. */
    CLI_TAKES_DOCUMENT = 1u << 6,
    /* The next one is a file, or a pointer, and need not be there. */
    CLI_TAKES_FILE = 1u << 7,
    CLI_TAKES_POINTER = 1u << 8
};

enum { CLI_VERB_OPTIONS_MAX = 6 };

typedef struct cli_verb {
    const char *name; /* one word or two */
    const char *arguments;
    /* One line, for the table of verbs. */
    const char *purpose;
    /* More about it, for its --help. */
    const char *about;
    /* The options it takes beside those of every verb; 0 behind the last. */
    int keys[CLI_VERB_OPTIONS_MAX + 1];
    uint32_t needs;
    int (*run)(const cli_options *options);
} cli_verb;

/* verbs.c: the table of verbs; the row whose name the words begin with, of
 * which *used_out are its name, or NULL. */
extern const cli_verb CLI_VERBS[];
extern const size_t CLI_VERB_COUNT;
const cli_verb *cli_verb_find(char *const *words, size_t count, size_t *used_out);

/*
 * arguments.c: the options in front of the verb, and the verb, whose index in
 * `argv` comes back. Ends the program on --help, --version and errors.
 */
size_t cli_arguments_global(int argc, char **argv, cli_options *options);
/* The verb's own arguments; argv[0] is the verb's last word. */
void cli_arguments_verb(const cli_verb *verb, int argc, char **argv,
                        cli_options *options);

/* The verbs. */
int cli_import(const cli_options *options);
int cli_import_git(const cli_options *options);
int cli_generate(const cli_options *options);
int cli_export(const cli_options *options);
int cli_merge(const cli_options *options);
int cli_cat(const cli_options *options);
int cli_blame(const cli_options *options);
int cli_info(const cli_options *options);
int cli_list(const cli_options *options);
int cli_compact(const cli_options *options);
int cli_seal(const cli_options *options);
int cli_remove(const cli_options *options);
int cli_dump(const cli_options *options);
int cli_undump(const cli_options *options);
int cli_bench(const cli_options *options);
int cli_stat(const cli_options *options);
int cli_readers(const cli_options *options);
int cli_backup(const cli_options *options);
int cli_watch(const cli_options *options);
int cli_verify(const cli_options *options);
int cli_salvage(const cli_options *options);
int cli_tree_show(const cli_options *options);
int cli_json_get(const cli_options *options);
int cli_json_set(const cli_options *options);
int cli_json_patch(const cli_options *options);
int cli_json_merge_patch(const cli_options *options);

#endif
