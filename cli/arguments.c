/*
 * The command line, by glibc's argp: the options of every verb, which may
 * stand before or behind it, and the options of the verb.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "session.h"

static const struct argp_option GLOBAL_OPTIONS[] = {
    {0, 0, 0, 0, "Options of every verb:", 1},
    {"store", CLI_KEY_STORE, "PATH", 0,
     "The store's directory (default grove-data, in the working directory)", 1},
    {"backend", CLI_KEY_BACKEND, "NAME", 0,
     "The engine below: lmdb (default), or memory, which keeps nothing after the end", 1},
    {"durability", CLI_KEY_DURABILITY, "MODE", 0,
     "full (default): every save waits for the disk; relaxed, none: only the end does",
     1},
    {"json", CLI_KEY_JSON, 0, 0, "Print a JSON object", 1},
    {0}};

/* The options of single verbs; a verb's row in the table names its own. */
static const struct argp_option VERB_OPTIONS[] = {
    {"doc", CLI_KEY_DOCUMENT, "ID", 0,
     "The document; a byte that is not printable is written \\xHH, a backslash \\\\", 0},
    {"events", CLI_KEY_EVENTS, "N", 0,
     "Characters inserted and deleted, 1 to 100000000 (default 100000)", 0},
    {"seed", CLI_KEY_SEED, "S", 0, "Decides everything about the session (default 1)", 0},
    {"final", CLI_KEY_FINAL, "LENGTH", 0,
     "Characters left at the end (default two fifths of the events)", 0},
    {"batch", CLI_KEY_BATCH, "N", 0, "Save N events at a time (default: all at once)", 0},
    {"agents", CLI_KEY_AGENTS, "FILE", 0,
     "A JSON list of the names of a concurrent trace's agents (default: their numbers)",
     0},
    {"repo", CLI_KEY_REPOSITORY, "DIR", 0,
     "A directory of the git repository (default: the working directory)", 0},
    {"at", CLI_KEY_AT, "CLOCK", 0,
     "The document as it was when the store had its first CLOCK events", 0},
    {"since", CLI_KEY_SINCE, "FILE", 0,
     "Only what is not in a version vector, which --vector wrote for another store", 0},
    {"vector", CLI_KEY_VECTOR, 0, 0,
     "Write the version vector, which says what this store has, instead of events", 0},
    {"from", CLI_KEY_FROM, "N", 0, "Begin at this character, counted from 0", 0},
    {"count", CLI_KEY_COUNT, "N", 0,
     "So many characters (default: to the end), or commits that are told of (default: "
     "all)",
     0},
    {"depth", CLI_KEY_DEPTH, "N", 0, "Only N levels below the root (default: all)", 0},
    {"deleted", CLI_KEY_DELETED, 0, 0, "Deleted nodes too", 0},
    {"timeout", CLI_KEY_TIMEOUT, "S", 0,
     "Seconds, 0 to 1000000, after which a watch ends (default: never), or a process "
     "that "
     "says nothing is ended (default 60)",
     0},
    {"compact", CLI_KEY_COMPACT, 0, 0,
     "Leave out free pages, which makes a smaller backup and takes longer", 0},
    {"out", CLI_KEY_OUT, "FILE", 0,
     "The file that is written; by generate an editing trace, instead of storing, "
     "compressed when FILE ends in .gz; by dump instead of standard output",
     0},
    {"window", CLI_KEY_WINDOW, "N", 0,
     "The newest events that stay; 0 keeps only the snapshot (default 10000)", 0},
    {"level", CLI_KEY_LEVEL, "N", 0, "zstd level, 1 to 22 (default 19)", 0},
    {"prefix", CLI_KEY_PREFIX, "ID", 0, "Only ids that begin so", 0},
    {"after", CLI_KEY_AFTER, "ID", 0, "Go on behind this id", 0},
    {"limit", CLI_KEY_LIMIT, "N", 0, "At most so many (default: all)", 0},
    {"replay", CLI_KEY_REPLAY, 0, 0,
     "Make the state of each snapshot from the events once more, and compare", 0},
    {"rounds", CLI_KEY_ROUNDS, "N", 0,
     "Loads measured, and ten times as many saves, 1 to 10000 (default 20)", 0}};

enum { VERB_OPTION_COUNT = sizeof VERB_OPTIONS / sizeof *VERB_OPTIONS };

/* A whole number from `low` to `high`, or the end of the program. */
static uint64_t number_argument(struct argp_state *state, const char *option,
                                const char *text, uint64_t low, uint64_t high)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    bool digits = text[0] >= '0' && text[0] <= '9';
    if (!digits || *end != '\0' || errno != 0 || number < low || number > high) {
        argp_error(state, "--%s wants a whole number from %llu to %llu, not '%s'", option,
                   (unsigned long long)low, (unsigned long long)high, text);
    }
    return number;
}

static const grove_backend *backend_argument(struct argp_state *state, const char *name)
{
    const grove_backend *backend = grove_backend_find(name);
    if (backend == NULL) {
        char known[256] = "";
        for (size_t index = 0; grove_backend_name(index) != NULL; index++) {
            size_t used = strlen(known);
            (void)snprintf(known + used, sizeof known - used, " %s",
                           grove_backend_name(index));
        }
        argp_error(state, "there is no backend '%s'; there are:%s", name, known);
    }
    return backend;
}

static grove_durability durability_argument(struct argp_state *state, const char *name)
{
    static const char *const NAMES[] = {"full", "relaxed", "none"};
    static const grove_durability MODES[] = {
        GROVE_DURABILITY_FULL, GROVE_DURABILITY_RELAXED, GROVE_DURABILITY_NONE};
    for (size_t index = 0; index < sizeof NAMES / sizeof *NAMES; index++) {
        if (strcmp(NAMES[index], name) == 0) {
            return MODES[index];
        }
    }
    argp_error(state, "--durability is full, relaxed or none, not '%s'", name);
    return GROVE_DURABILITY_FULL;
}

static cli_id id_argument(struct argp_state *state, const char *option, const char *text,
                          bool may_be_empty)
{
    cli_id id = {.size = 0};
    const char *fault = cli_id_parse(text, &id);
    if (fault == NULL && id.size == 0 && !may_be_empty) {
        fault = "an id has at least 1 byte";
    }
    if (fault != NULL) {
        argp_error(state, "%s '%s': %s", option, text, fault);
    }
    return id;
}

static error_t parse_global(int key, char *text, struct argp_state *state)
{
    cli_options *options = state->input;
    switch (key) {
    case CLI_KEY_STORE:
        if (*text == '\0') {
            argp_error(state, "--store wants a path");
        }
        options->store_path = text;
        return 0;
    case CLI_KEY_BACKEND:
        options->backend = backend_argument(state, text);
        return 0;
    case CLI_KEY_DURABILITY:
        options->durability = durability_argument(state, text);
        return 0;
    case CLI_KEY_JSON:
        options->json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp GLOBAL_ARGP = {GLOBAL_OPTIONS, parse_global, 0, 0, 0, 0, 0};

/* What the parser of the words before the verb works on. */
typedef struct before_verb {
    cli_options *options;
    size_t verb_at;
} before_verb;

/* NOLINTNEXTLINE(readability-non-const-parameter): argp says what it takes. */
static error_t parse_before_verb(int key, char *text, struct argp_state *state)
{
    before_verb *input = state->input;
    (void)text;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = input->options;
        return 0;
    case ARGP_KEY_ARG:
        /* The rest belongs to the verb. */
        input->verb_at = (size_t)state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which verb? See grove --help");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The end of `grove --help` is the table of verbs; argp frees it. */
static char *help_of_verbs(int key, const char *text, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC) {
        /* argp frees what is not the text itself. */
        return text == NULL ? NULL : strdup(text);
    }
    char *help = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&help, &bytes);
    if (stream == NULL) {
        return NULL;
    }
    (void)fputs("Verbs:\n", stream);
    for (size_t index = 0; index < CLI_VERB_COUNT; index++) {
        (void)fprintf(stream, "  %-16s %s\n", CLI_VERBS[index].name,
                      CLI_VERBS[index].purpose);
    }
    (void)fputs(
        "\ngrove VERB --help tells more about a verb. Exit codes: 0 done, 1 not "
        "there, 2 wrong command line, 3 unusable input, 4 failure of the store or "
        "the disk, 5 exists already or in use, 6 damage was found.",
        stream);
    (void)fclose(stream);
    return help;
}

size_t cli_arguments_global(int argc, char **argv, cli_options *options)
{
    static const struct argp_child CHILDREN[] = {{&GLOBAL_ARGP, 0, NULL, 0}, {0}};
    static const struct argp ARGP = {
        NULL,
        parse_before_verb,
        "VERB [ARGUMENT...]",
        "Keeps event-sourced documents in an embedded store.\v",
        CHILDREN,
        help_of_verbs,
        NULL};
    static char name[] = "grove";
    before_verb input = {options, 0};
    argp_program_version = "grove " GROVE_CLI_VERSION;
    argp_err_exit_status = CLI_USAGE;
    argv[0] = name;
    (void)argp_parse(&ARGP, argc, argv, ARGP_IN_ORDER, NULL, &input);
    return input.verb_at;
}

typedef struct of_verb {
    cli_options *options;
    const cli_verb *verb;
    bool has_session_option;
    bool has_store;
} of_verb;

static error_t parse_number(int key, const char *text, struct argp_state *state,
                            cli_options *options)
{
    switch (key) {
    case CLI_KEY_EVENTS:
        options->events =
            number_argument(state, "events", text, 1, CLI_SESSION_EVENTS_MAX);
        return 0;
    case CLI_KEY_SEED:
        options->seed = number_argument(state, "seed", text, 0, UINT64_MAX);
        return 0;
    case CLI_KEY_FINAL:
        options->final_length =
            number_argument(state, "final", text, 0, CLI_SESSION_EVENTS_MAX);
        options->has_final = true;
        return 0;
    case CLI_KEY_BATCH:
        options->batch = number_argument(state, "batch", text, 1, GROVE_BATCH_EVENTS_MAX);
        return 0;
    case CLI_KEY_WINDOW:
        options->window =
            number_argument(state, "window", text, 0, GROVE_DOCUMENT_EVENTS_MAX);
        return 0;
    case CLI_KEY_LEVEL:
        options->level = number_argument(state, "level", text, 1, 22);
        return 0;
    case CLI_KEY_AT:
        options->clock = number_argument(state, "at", text, 0, GROVE_DOCUMENT_EVENTS_MAX);
        options->has_clock = true;
        return 0;
    case CLI_KEY_FROM:
        options->from = number_argument(state, "from", text, 0, UINT64_MAX);
        return 0;
    case CLI_KEY_COUNT:
        options->count = number_argument(state, "count", text, 0, UINT64_MAX);
        options->has_count = true;
        return 0;
    case CLI_KEY_LIMIT:
        options->limit = number_argument(state, "limit", text, 1, UINT64_MAX);
        return 0;
    case CLI_KEY_TIMEOUT:
        options->timeout_s = number_argument(state, "timeout", text, 0, 1000000);
        options->has_timeout = true;
        return 0;
    case CLI_KEY_DEPTH:
        options->depth = (uint32_t)number_argument(state, "depth", text, 0, UINT32_MAX);
        options->has_depth = true;
        return 0;
    case CLI_KEY_ROUNDS:
        options->rounds = number_argument(state, "rounds", text, 1, 10000);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What no option says by itself: that it is missing, or fits no other. */
static void check_together(struct argp_state *state, const of_verb *input)
{
    const cli_options *options = input->options;
    uint32_t needs = input->verb->needs;
    if ((needs & CLI_NEEDS_FILE) != 0 && options->file == NULL) {
        argp_error(state, "which %.*s?", (int)strcspn(input->verb->arguments, " "),
                   input->verb->arguments);
    }
    if ((needs & CLI_NEEDS_NEW) != 0 && options->out == NULL) {
        argp_error(state, "which DIR, and which NEW one?");
    }
    if ((needs & CLI_TAKES_DOCUMENT) != 0 && !options->has_document) {
        argp_error(state, "which DOC?");
    }
    if (options->has_depth && options->json) {
        argp_error(state, "--depth is for the lines: --json prints the whole tree");
    }
    if ((needs & CLI_NEEDS_DOCUMENT) != 0 && !options->has_document) {
        argp_error(state, "which document? Name it with --doc");
    }
    if ((needs & CLI_NEEDS_OUT) != 0 && options->out == NULL) {
        argp_error(state, "where to? Name a file with --out");
    }
    if (input->verb->run == cli_dump && options->json && options->out == NULL) {
        argp_error(state, "--json and the dump cannot both go to standard output: name "
                          "a file with --out");
    }
    if (options->vector && options->since != NULL) {
        argp_error(state, "--vector writes no events, so --since is of no use with it");
    }
    if ((needs & CLI_NEEDS_DOCUMENT_OR_OUT) != 0 &&
        options->has_document == (options->out != NULL)) {
        argp_error(state, "where to? Give either --doc or --out");
    }
    if (options->out != NULL && options->batch != 0) {
        argp_error(state, "--batch is about saving, and --out saves nothing");
    }
    if (options->has_final && options->final_length > options->events) {
        argp_error(state, "--final %llu: so many characters need as many --events",
                   (unsigned long long)options->final_length);
    }
    if (input->verb->run == cli_bench && options->has_document &&
        input->has_session_option) {
        argp_error(state, "--doc names a document that is there: it goes without "
                          "--events, --seed and --final");
    }
}

/* What stands without an option: a document, a file, a pointer, or
 * directories. */
static void take_argument(struct argp_state *state, of_verb *input, const char *text)
{
    cli_options *options = input->options;
    uint32_t needs = input->verb->needs;
    if ((needs & CLI_TAKES_STORE) != 0 && !input->has_store && *text != '\0') {
        options->store_path = text;
        input->has_store = true;
    } else if ((needs & CLI_NEEDS_NEW) != 0 && options->out == NULL && *text != '\0') {
        options->out = text;
    } else if ((needs & CLI_TAKES_DOCUMENT) != 0 && !options->has_document) {
        options->document = id_argument(state, "DOC", text, false);
        options->has_document = true;
    } else if ((needs & CLI_TAKES_POINTER) != 0 && options->pointer == NULL) {
        options->pointer = text;
    } else if ((needs & (CLI_NEEDS_FILE | CLI_TAKES_FILE)) != 0 &&
               options->file == NULL) {
        options->file = text;
    } else {
        argp_error(state, "what is '%s' for?", text);
    }
}

static error_t parse_of_verb(int key, char *text, struct argp_state *state)
{
    of_verb *input = state->input;
    cli_options *options = input->options;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options;
        return 0;
    case CLI_KEY_DOCUMENT:
        options->document = id_argument(state, "--doc", text, false);
        options->has_document = true;
        return 0;
    case CLI_KEY_PREFIX:
        options->prefix = id_argument(state, "--prefix", text, true);
        return 0;
    case CLI_KEY_AFTER:
        options->after = id_argument(state, "--after", text, true);
        return 0;
    case CLI_KEY_OUT:
        options->out = text;
        return 0;
    case CLI_KEY_AGENTS:
        options->agents = text;
        return 0;
    case CLI_KEY_SINCE:
        options->since = text;
        return 0;
    case CLI_KEY_VECTOR:
        options->vector = true;
        return 0;
    case CLI_KEY_COMPACT:
        options->compact = true;
        return 0;
    case CLI_KEY_REPOSITORY:
        options->repository = text;
        return 0;
    case CLI_KEY_REPLAY:
        options->replay = true;
        return 0;
    case CLI_KEY_DELETED:
        options->deleted = true;
        return 0;
    case ARGP_KEY_ARG:
        take_argument(state, input, text);
        return 0;
    case ARGP_KEY_END:
        check_together(state, input);
        return 0;
    default:
        input->has_session_option |=
            key == CLI_KEY_EVENTS || key == CLI_KEY_SEED || key == CLI_KEY_FINAL;
        return parse_number(key, text, state, options);
    }
}

/* Copies the options that a verb takes, and the empty one that ends them. */
static size_t pick_options(const cli_verb *verb,
                           struct argp_option options_out[CLI_VERB_OPTIONS_MAX + 1])
{
    size_t count = 0;
    for (size_t index = 0; index < VERB_OPTION_COUNT; index++) {
        for (const int *key = verb->keys; *key != 0; key++) {
            if (VERB_OPTIONS[index].key == *key) {
                options_out[count++] = VERB_OPTIONS[index];
            }
        }
    }
    options_out[count] = (struct argp_option){0};
    return count;
}

void cli_arguments_verb(const cli_verb *verb, int argc, char **argv, cli_options *options)
{
    static const struct argp_child CHILDREN[] = {{&GLOBAL_ARGP, 0, NULL, 0}, {0}};
    struct argp_option own[CLI_VERB_OPTIONS_MAX + 1];
    char about[1024];
    char name[64];
    size_t count = pick_options(verb, own);
    (void)snprintf(about, sizeof about, "%s.\v%s", verb->purpose, verb->about);
    (void)snprintf(name, sizeof name, "grove %s", verb->name);
    /* Of an empty list glibc's help leaks what it makes. */
    struct argp argp = {count > 0 ? own : NULL,
                        parse_of_verb,
                        verb->arguments,
                        about,
                        CHILDREN,
                        NULL,
                        NULL};
    of_verb input = {options, verb, false, false};
    argv[0] = name;
    (void)argp_parse(&argp, argc, argv, 0, NULL, &input);
}
