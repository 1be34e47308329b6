#include "child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output.h"

enum {
    /* Children that may end early before the parent gives up. */
    CHILDREN_MAX = 1000,
    MS = 1000,
    LINE_BYTES_MAX = 1 << 16
};

/* In the order in which they are gone through. */
static const char *const TABLES[] = {"store",     "meta",     "events",
                                     "snapshots", "replicas", "pending",
                                     "groups",    "commits",  "clocks"};
enum { TABLE_COUNT = sizeof TABLES / sizeof *TABLES };

/* --- in the child --- */

void cli_child_say(FILE *out, json_t *thing)
{
    if (thing == NULL || json_dumpf(thing, out, JSON_COMPACT) != 0 ||
        fputc('\n', out) == EOF || fflush(out) != 0) {
        /* Nobody listens, or there is no memory: the parent sees the end. */
        _exit(CLI_FAILURE);
    }
    json_decref(thing);
}

void cli_child_say_at(FILE *out, const char *table, grove_bytes name)
{
    cli_child_say(out, json_pack("{ss, so}", "at", table, "name", cli_id_value(name)));
}

/* Never returns. */
static void be_child(const cli_work *work, const cli_place *after, int writes_to)
{
    static const int SIGNALS[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    struct rlimit no_core = {0, 0};
    for (size_t index = 0; index < sizeof SIGNALS / sizeof *SIGNALS; index++) {
        (void)signal(SIGNALS[index], SIG_DFL);
    }
    (void)setrlimit(RLIMIT_CORE, &no_core);
    /* What loops in damaged pages is not to outlive who would end it. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    FILE *out = fdopen(writes_to, "w");
    if (out == NULL) {
        _exit(CLI_FAILURE);
    }
    int code = work->run(work->context, after, out);
    cli_child_say(out, json_pack("{si}", "done", code));
    _exit(code);
}

/* --- in the parent --- */

/* What a child has said so far. */
typedef struct listener {
    const cli_work *work;
    cli_place at;
    bool is_anywhere;
    bool is_done;
    int code;
    size_t bytes;
    char line[LINE_BYTES_MAX];
} listener;

static const char *table_of(const char *name)
{
    for (size_t index = 0; index < TABLE_COUNT; index++) {
        if (strcmp(TABLES[index], name) == 0) {
            return TABLES[index];
        }
    }
    return NULL;
}

static void take_line(listener *all, size_t bytes)
{
    json_t *said = json_loadb(all->line, bytes, 0, NULL);
    const char *table = json_string_value(json_object_get(said, "at"));
    const char *name = json_string_value(json_object_get(said, "name"));
    const json_t *done = json_object_get(said, "done");
    cli_place at;
    if (table != NULL && name != NULL) {
        at.table = table_of(table);
        if (at.table != NULL && cli_id_parse(name, &at.name) == NULL) {
            all->at = at;
            all->is_anywhere = true;
        }
    }
    if (done != NULL) {
        all->is_done = true;
        all->code = (int)json_integer_value(done);
    }
    if (said != NULL) {
        all->work->take(all->work->context, said);
    }
    json_decref(said);
}

/* Takes the whole lines there are. */
static void take_lines(listener *all)
{
    char *end;
    while ((end = memchr(all->line, '\n', all->bytes)) != NULL) {
        size_t bytes = (size_t)(end - all->line) + 1;
        take_line(all, bytes);
        all->bytes -= bytes;
        memmove(all->line, all->line + bytes, all->bytes);
    }
    if (all->bytes == sizeof all->line) {
        /* No line of ours. */
        all->bytes = 0;
    }
}

/* Listens until the child ends. False: it is stuck. */
static bool listen_to(listener *all, int reads_from)
{
    for (;;) {
        struct pollfd ready = {.fd = reads_from, .events = POLLIN};
        int count = poll(&ready, 1, (int)all->work->patience_s * MS);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return false;
        }
        ssize_t got =
            read(reads_from, all->line + all->bytes, sizeof all->line - all->bytes);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return true;
        }
        all->bytes += (size_t)got;
        take_lines(all);
    }
}

/* Ends with what the child ended with; `how` says it where that was early. */
static void wait_for(pid_t child, const listener *all, bool is_stuck, char *how,
                     size_t how_bytes)
{
    int state = 0;
    if (is_stuck) {
        (void)kill(child, SIGKILL);
    }
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
    }
    if (is_stuck) {
        (void)snprintf(how, how_bytes, "said nothing for %lu seconds",
                       (unsigned long)all->work->patience_s);
    } else if (WIFSIGNALED(state)) {
        (void)snprintf(how, how_bytes, "was ended by signal %d (%s)", WTERMSIG(state),
                       strsignal(WTERMSIG(state)));
    } else {
        (void)snprintf(how, how_bytes, "ended with code %d", WEXITSTATUS(state));
    }
}

/* One child; false: none could be made. */
static bool run_child(const cli_work *work, const cli_place *after, listener *all,
                      char *how, size_t how_bytes)
{
    int ends[2];
    (void)fflush(NULL);
    if (pipe(ends) != 0) {
        return false;
    }
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        be_child(work, after, ends[1]);
    }
    (void)close(ends[1]);
    bool is_stuck = false;
    if (child > 0) {
        is_stuck = !listen_to(all, ends[0]);
    }
    (void)close(ends[0]);
    if (child > 0) {
        wait_for(child, all, is_stuck, how, how_bytes);
    }
    return child > 0;
}

/* Passes over names that begin like this one, then over those that begin like
 * a shorter beginning of it, until nothing is left of it. */
static void pass_over(cli_place *after)
{
    cli_id *name = &after->name;
    name->size -= name->size > 0 ? 1 : 0;
    while (name->size > 0 && name->bytes[name->size - 1] == UINT8_MAX) {
        name->size--;
    }
    if (name->size > 0) {
        name->bytes[name->size - 1]++;
        return;
    }
    size_t table = 0;
    while (table + 1 < TABLE_COUNT && TABLES[table] != after->table) {
        table++;
    }
    after->table = table + 1 < TABLE_COUNT ? TABLES[table + 1] : NULL;
}

int cli_child_work(const cli_work *work)
{
    cli_place after = {.table = NULL};
    listener *all = malloc(sizeof *all);
    if (all == NULL) {
        return cli_refuse(CLI_FAILURE, "out of memory");
    }
    int code = CLI_FAILURE;
    for (int children = 0;; children++) {
        char how[128];
        memset(all, 0, offsetof(listener, line));
        all->work = work;
        if (!run_child(work, &after, all, how, sizeof how)) {
            code = cli_refuse(CLI_FAILURE, "cannot start a process: %s", strerror(errno));
            break;
        }
        if (all->is_done) {
            code = all->code;
            break;
        }
        if (children == 0 && !all->is_anywhere) {
            code = cli_refuse(CLI_FAILURE,
                              "cannot open the store: the process that tried %s", how);
            break;
        }
        if (children == CHILDREN_MAX) {
            code = cli_refuse(CLI_FAILURE, "gave up after %d processes that ended early",
                              children);
            break;
        }
        work->crashed(work->context, all->is_anywhere ? &all->at : &after, how);
        if (all->is_anywhere) {
            after = all->at;
        } else {
            pass_over(&after);
            if (after.table == NULL) {
                code = CLI_OK;
                break;
            }
        }
    }
    free(all);
    return code;
}
