#include "git.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "grow.h"
#include "trace.h"
#include "utf8.h"

/* What of a long author's name stays readable. */
enum { NAME_BYTES = GROVE_REPLICA_BYTES_MAX - GIT_OID_HEXSZ };

/* An object's id in a message. */
typedef struct written_id {
    char text[GIT_OID_HEXSZ + 1];
} written_id;

static written_id write_id(const git_oid *id)
{
    written_id written;
    (void)git_oid_tostr(written.text, sizeof written.text, id);
    return written;
}

static grove_status git_failed(grove_error *error_out, const char *what)
{
    const git_error *why = git_error_last();
    return cli_fail(error_out, GROVE_IO, "%s: %.160s", what,
                    why == NULL ? "libgit2 failed" : why->message);
}

static grove_status commit_failed(const git_oid *id, grove_error *error_out)
{
    char what[64 + GIT_OID_HEXSZ];
    (void)snprintf(what, sizeof what, "commit %s cannot be read", write_id(id).text);
    return git_failed(error_out, what);
}

static grove_status out_of_memory(grove_error *error_out)
{
    return cli_fail(error_out, GROVE_NO_MEMORY, "out of memory");
}

/* --- the list of commits --- */

static grove_status append_commit(cli_git *git, const git_oid *id, grove_error *error_out)
{
    cli_git_commit *commits =
        cli_grow(git->commits, &git->capacity, git->count, 1, sizeof *commits);
    if (commits == NULL) {
        return out_of_memory(error_out);
    }
    git->commits = commits;
    commits[git->count++] = (cli_git_commit){.id = *id};
    return GROVE_OK;
}

static grove_status walk_commits(cli_git *git, git_revwalk *walk, grove_error *error_out)
{
    git_oid id;
    grove_status status = GROVE_OK;
    int code = git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL | GIT_SORT_REVERSE);
    code = code == 0 ? git_revwalk_push_head(walk) : code;
    while (status == GROVE_OK && code == 0) {
        code = git_revwalk_next(&id, walk);
        if (code == 0) {
            status = append_commit(git, &id, error_out);
        }
    }
    if (status == GROVE_OK && code != GIT_ITEROVER) {
        status = git_failed(error_out, "the commits cannot be listed");
    }
    return status;
}

static grove_status list_commits(cli_git *git, grove_error *error_out)
{
    git_revwalk *walk = NULL;
    if (git_revwalk_new(&walk, git->repository) != 0) {
        return git_failed(error_out, "the commits cannot be listed");
    }
    grove_status status = walk_commits(git, walk, error_out);
    git_revwalk_free(walk);
    return status;
}

/* A commit's place in the list, for looking it up by its id. */
typedef struct lookup {
    git_oid id;
    size_t index;
} lookup;

static int compare_lookups(const void *left, const void *right)
{
    return git_oid_cmp(&((const lookup *)left)->id, &((const lookup *)right)->id);
}

static lookup *make_lookup(const cli_git *git)
{
    lookup *table = calloc(git->count, sizeof *table);
    if (table != NULL) {
        for (size_t index = 0; index < git->count; index++) {
            table[index] = (lookup){git->commits[index].id, index};
        }
        qsort(table, git->count, sizeof *table, compare_lookups);
    }
    return table;
}

/* --- one commit --- */

static grove_status find_parents(cli_git *git, const git_commit *commit,
                                 const lookup *table, size_t index,
                                 grove_error *error_out)
{
    unsigned count = git_commit_parentcount(commit);
    size_t *parents = cli_grow(git->parents, &git->parent_capacity, git->parent_count,
                               count, sizeof *parents);
    if (parents == NULL) {
        return out_of_memory(error_out);
    }
    git->parents = parents;
    for (unsigned nth = 0; nth < count; nth++) {
        lookup wanted = {*git_commit_parent_id(commit, nth), 0};
        const lookup *found =
            bsearch(&wanted, table, git->count, sizeof *table, compare_lookups);
        if (found == NULL || found->index >= index) {
            return cli_fail(
                error_out, GROVE_IO, "commit %s: its parent %s was not listed before it",
                write_id(&git->commits[index].id).text, write_id(&wanted.id).text);
        }
        parents[git->parent_count++] = found->index;
    }
    git->commits[index].parent_end = git->parent_count;
    return GROVE_OK;
}

static grove_status find_author(cli_git_commit *about, const git_commit *commit,
                                grove_error *error_out)
{
    const git_signature *author = git_commit_author(commit);
    int bytes = snprintf(NULL, 0, "%s <%s>", author->name, author->email);
    char *name = bytes < 0 ? NULL : malloc((size_t)bytes + 1);
    if (name == NULL) {
        return out_of_memory(error_out);
    }
    (void)snprintf(name, (size_t)bytes + 1, "%s <%s>", author->name, author->email);
    grove_status status = GROVE_OK;
    if (bytes <= GROVE_REPLICA_BYTES_MAX) {
        about->author.size = (uint8_t)bytes;
        memcpy(about->author.bytes, name, (size_t)bytes);
    } else {
        git_oid hash;
        about->author.size = GROVE_REPLICA_BYTES_MAX;
        memcpy(about->author.bytes, name, NAME_BYTES);
        if (git_odb_hash(&hash, name, (size_t)bytes, GIT_OBJECT_BLOB) == 0) {
            memcpy(about->author.bytes + NAME_BYTES, write_id(&hash).text, GIT_OID_HEXSZ);
        } else {
            status = git_failed(error_out, "an author's name cannot be hashed");
        }
    }
    free(name);
    int64_t seconds = author->when.time;
    int64_t most = INT64_MAX / 1000;
    about->timestamp = 1000 * (seconds > most ? most : seconds < -most ? -most : seconds);
    return status;
}

/* What has the path in a commit. Directories and submodules are no files. */
static grove_status find_blob(const cli_git *git, cli_git_commit *about,
                              const git_commit *commit, grove_error *error_out)
{
    git_tree *tree = NULL;
    git_tree_entry *entry = NULL;
    if (git_commit_tree(&tree, commit) != 0) {
        return commit_failed(&about->id, error_out);
    }
    int code = git_tree_entry_bypath(&entry, tree, git->file);
    if (code == 0 && git_tree_entry_type(entry) == GIT_OBJECT_BLOB) {
        about->blob = *git_tree_entry_id(entry);
        about->has_blob = true;
    }
    git_tree_entry_free(entry);
    git_tree_free(tree);
    return code == 0 || code == GIT_ENOTFOUND ? GROVE_OK
                                              : commit_failed(&about->id, error_out);
}

static grove_status read_commit(cli_git *git, const lookup *table, size_t index,
                                grove_error *error_out)
{
    cli_git_commit *about = &git->commits[index];
    git_commit *commit = NULL;
    if (git_commit_lookup(&commit, git->repository, &about->id) != 0) {
        return commit_failed(&about->id, error_out);
    }
    grove_status status = find_parents(git, commit, table, index, error_out);
    if (status == GROVE_OK) {
        status = find_author(about, commit, error_out);
    }
    if (status == GROVE_OK) {
        status = find_blob(git, about, commit, error_out);
    }
    git_commit_free(commit);
    return status;
}

static grove_status read_commits(cli_git *git, grove_error *error_out)
{
    lookup *table = make_lookup(git);
    if (table == NULL) {
        return out_of_memory(error_out);
    }
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < git->count; index++) {
        status = read_commit(git, table, index, error_out);
    }
    free(table);
    return status;
}

static grove_status read_history(cli_git *git, const char *directory,
                                 grove_error *error_out)
{
    if (git_repository_open_ext(&git->repository, directory, 0, NULL) != 0) {
        return git_failed(error_out, "the repository cannot be opened");
    }
    grove_status status = list_commits(git, error_out);
    if (status == GROVE_OK) {
        status = read_commits(git, error_out);
    }
    /* HEAD comes after all others. */
    if (status == GROVE_OK &&
        (git->count == 0 || !git->commits[git->count - 1].has_blob)) {
        status = cli_fail(error_out, GROVE_IO,
                          "there is no file %.160s in HEAD; it is named from the "
                          "repository's top",
                          git->file);
    }
    return status;
}

grove_status cli_git_open(const char *directory, const char *file, cli_git *git_out,
                          grove_error *error_out)
{
    cli_git git = {.file = file};
    if (git_libgit2_init() < 0) {
        return git_failed(error_out, "libgit2 cannot be used");
    }
    grove_status status = read_history(&git, directory, error_out);
    if (status != GROVE_OK) {
        cli_git_close(&git);
        return status;
    }
    *git_out = git;
    return GROVE_OK;
}

void cli_git_close(cli_git *git)
{
    if (git->file == NULL) {
        return;
    }
    free(git->commits);
    free(git->parents);
    git_repository_free(git->repository);
    memset(git, 0, sizeof *git);
    (void)git_libgit2_shutdown();
}

/* --- texts --- */

bool cli_git_same(const cli_git_commit *a, const cli_git_commit *b)
{
    return a->has_blob == b->has_blob &&
           (!a->has_blob || git_oid_equal(&a->blob, &b->blob) != 0);
}

/* Copies the text out of a blob once it is known to be one. */
static grove_status copy_text(const cli_git *git, const cli_git_commit *commit,
                              const git_blob *blob, char **text_out, size_t *bytes_out,
                              grove_error *error_out)
{
    uint64_t bytes = (uint64_t)git_blob_rawsize(blob);
    if (bytes > CLI_TRACE_BYTES_MAX) {
        return cli_fail(error_out, GROVE_LIMIT,
                        "%.80s has %llu bytes in commit %s; the limit is %llu", git->file,
                        (unsigned long long)bytes, write_id(&commit->id).text,
                        (unsigned long long)CLI_TRACE_BYTES_MAX);
    }
    const uint8_t *content = git_blob_rawcontent(blob);
    size_t sound = cli_utf8_check(content, (size_t)bytes);
    if (sound < bytes) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "%.80s is not UTF-8 at byte %zu in commit %s", git->file, sound,
                        write_id(&commit->id).text);
    }
    char *text = malloc((size_t)bytes + 1);
    if (text == NULL) {
        return out_of_memory(error_out);
    }
    if (bytes > 0) {
        memcpy(text, content, (size_t)bytes);
    }
    text[bytes] = '\0';
    *text_out = text;
    *bytes_out = (size_t)bytes;
    return GROVE_OK;
}

grove_status cli_git_text(const cli_git *git, size_t index, char **text_out,
                          size_t *bytes_out, grove_error *error_out)
{
    const cli_git_commit *commit = &git->commits[index];
    if (!commit->has_blob) {
        char *text = calloc(1, 1);
        if (text == NULL) {
            return out_of_memory(error_out);
        }
        *text_out = text;
        *bytes_out = 0;
        return GROVE_OK;
    }
    git_blob *blob = NULL;
    if (git_blob_lookup(&blob, git->repository, &commit->blob) != 0) {
        return commit_failed(&commit->id, error_out);
    }
    grove_status status = copy_text(git, commit, blob, text_out, bytes_out, error_out);
    git_blob_free(blob);
    return status;
}
