/*
 * A commit that did nothing to the file stands for its parent: `node_of` says
 * for each commit which transaction has its text, and at the version of a
 * transaction the text is that of its commit.
 */
#include "git_trace.h"

#include <stdlib.h>
#include <string.h>

#include "difference.h"
#include "fail.h"
#include "grow.h"
#include "merged.h"
#include "utf8.h"

/* The file did not exist yet. */
#define NO_NODE SIZE_MAX

typedef struct tracing {
    const cli_git *git;
    cli_trace trace;
    cli_merged merged;
    cli_git_facts facts;
    size_t *node_of;   /* of each commit */
    size_t *commit_of; /* of each transaction */
    size_t commit_capacity;
    /* The parents of the commit at hand: transactions, each once. */
    size_t *parents;
    size_t parent_count;
    size_t parent_capacity;
} tracing;

/* An owned text. */
typedef struct own_text {
    char *data;
    size_t bytes;
} own_text;

static grove_status out_of_memory(grove_error *error_out)
{
    return cli_fail(error_out, GROVE_NO_MEMORY, "out of memory");
}

static bool has_parent(const tracing *work, size_t node)
{
    for (size_t index = 0; index < work->parent_count; index++) {
        if (work->parents[index] == node) {
            return true;
        }
    }
    return false;
}

/* Gathers what the commit's parents stand for. */
static grove_status find_parents(tracing *work, size_t commit, grove_error *error_out)
{
    const cli_git *git = work->git;
    size_t begin = commit == 0 ? 0 : git->commits[commit - 1].parent_end;
    size_t end = git->commits[commit].parent_end;
    size_t *parents =
        cli_grow(work->parents, &work->parent_capacity, 0, end - begin, sizeof *parents);
    if (parents == NULL) {
        return out_of_memory(error_out);
    }
    work->parents = parents;
    work->parent_count = 0;
    for (size_t index = begin; index < end; index++) {
        size_t node = work->node_of[git->parents[index]];
        if (node != NO_NODE && !has_parent(work, node)) {
            work->parents[work->parent_count++] = node;
        }
    }
    /* Several may say together what one of them says alone. */
    size_t head = 0;
    if (work->parent_count > 1 &&
        cli_ancestry_version(&work->trace.ancestry, work->parents, work->parent_count,
                             &head, 1) == 1) {
        work->parents[0] = head;
        work->parent_count = 1;
    }
    return GROVE_OK;
}

/* The text that a commit finds. */
static grove_status text_before(tracing *work, own_text *text_out, grove_error *error_out)
{
    if (work->parent_count == 0) {
        text_out->bytes = 0;
        text_out->data = calloc(1, 1);
        return text_out->data == NULL ? out_of_memory(error_out) : GROVE_OK;
    }
    if (work->parent_count == 1) {
        return cli_git_text(work->git, work->commit_of[work->parents[0]], &text_out->data,
                            &text_out->bytes, error_out);
    }
    grove_status status = GROVE_OK;
    if (work->merged.store == NULL) {
        status = cli_merged_open(&work->trace, &work->merged, error_out);
    }
    return status == GROVE_OK
               ? cli_merged_text(&work->merged, work->parents, work->parent_count,
                                 &text_out->data, &text_out->bytes, error_out)
               : status;
}

/* Begins the transaction of a commit. */
static grove_status begin_transaction(tracing *work, size_t commit,
                                      grove_error *error_out)
{
    uint32_t replica = 0;
    size_t *commit_of = cli_grow(work->commit_of, &work->commit_capacity,
                                 work->trace.transaction_count, 1, sizeof *commit_of);
    if (commit_of == NULL) {
        return out_of_memory(error_out);
    }
    work->commit_of = commit_of;
    work->commit_of[work->trace.transaction_count] = commit;
    work->node_of[commit] = work->trace.transaction_count;
    grove_status status = cli_trace_replica(
        &work->trace, &work->git->commits[commit].author, &replica, error_out);
    return status == GROVE_OK ? cli_trace_begin(&work->trace, replica, work->parents,
                                                work->parent_count, error_out)
                              : status;
}

static grove_status add_transaction(tracing *work, size_t commit, grove_error *error_out)
{
    own_text before = {NULL, 0};
    own_text after = {NULL, 0};
    size_t patches = work->trace.patch_count;
    grove_status status = text_before(work, &before, error_out);
    if (status == GROVE_OK) {
        status = cli_git_text(work->git, commit, &after.data, &after.bytes, error_out);
    }
    if (status == GROVE_OK) {
        status = begin_transaction(work, commit, error_out);
    }
    if (status == GROVE_OK) {
        cli_text from = {before.data, before.bytes};
        cli_text to = {after.data, after.bytes};
        status = cli_difference_append(&work->trace, from, to,
                                       work->git->commits[commit].timestamp, error_out);
    }
    bool is_merge = work->parent_count > 1;
    work->facts.commits++;
    work->facts.merges += is_merge ? 1 : 0;
    work->facts.edited += is_merge && work->trace.patch_count > patches ? 1 : 0;
    free(before.data);
    free(after.data);
    return status;
}

static grove_status trace_commit(tracing *work, size_t commit, grove_error *error_out)
{
    const cli_git_commit *about = &work->git->commits[commit];
    grove_status status = find_parents(work, commit, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (work->parent_count == 0 && !about->has_blob) {
        work->node_of[commit] = NO_NODE;
        return GROVE_OK;
    }
    if (work->parent_count == 1 &&
        cli_git_same(about, &work->git->commits[work->commit_of[work->parents[0]]])) {
        work->node_of[commit] = work->parents[0];
        return GROVE_OK;
    }
    return add_transaction(work, commit, error_out);
}

static grove_status set_end(tracing *work, grove_error *error_out)
{
    own_text end = {NULL, 0};
    grove_status status =
        cli_git_text(work->git, work->git->count - 1, &end.data, &end.bytes, error_out);
    if (status == GROVE_OK) {
        status = cli_trace_set_end(&work->trace, end.data, end.bytes, error_out);
        work->trace.length = cli_utf8_length(end.data, end.bytes);
    }
    free(end.data);
    return status;
}

grove_status cli_git_trace(const cli_git *git, cli_trace *trace_out,
                           cli_git_facts *facts_out, grove_error *error_out)
{
    tracing work = {.git = git};
    cli_trace_init(&work.trace);
    work.node_of = calloc(git->count, sizeof *work.node_of);
    grove_status status = work.node_of == NULL ? out_of_memory(error_out) : GROVE_OK;
    for (size_t commit = 0; status == GROVE_OK && commit < git->count; commit++) {
        status = trace_commit(&work, commit, error_out);
    }
    if (status == GROVE_OK) {
        status = set_end(&work, error_out);
    }
    cli_merged_close(&work.merged);
    free(work.node_of);
    free(work.commit_of);
    free(work.parents);
    if (status != GROVE_OK) {
        cli_trace_release(&work.trace);
        return status;
    }
    *trace_out = work.trace;
    *facts_out = work.facts;
    return GROVE_OK;
}
