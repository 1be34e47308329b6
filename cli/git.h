/*
 * The history of one file in a git repository, as libgit2 reads it: the commits
 * that HEAD comes from, those first that others come from. Renames are not
 * followed: the file is what has the path.
 */
#ifndef CLI_GIT_H
#define CLI_GIT_H

#include <git2.h>

#include <grove/types.h>

typedef struct cli_git_commit {
    git_oid id;
    /* What has the path there; without one the text is empty. */
    git_oid blob;
    bool has_blob;
    grove_replica author;
    int64_t timestamp;
    /* Of the parents in the list of parents. */
    size_t parent_end;
} cli_git_commit;

typedef struct cli_git {
    const char *file;
    git_repository *repository;
    cli_git_commit *commits;
    size_t count;
    size_t capacity;
    /* Each commit's parents, as indexes of commits before it; they begin where
     * those of the commit before end. */
    size_t *parents;
    size_t parent_count;
    size_t parent_capacity;
} cli_git;

/*
 * Reads the history; `directory` is in the repository, `file` the path from its
 * top, with slashes, and borrowed until close. The caller closes *git_out.
 *
 * An author is "NAME <EMAIL>", in bytes; of one that is longer than a replica
 * may be, the first 24 bytes and the SHA-1 that git gives to a blob of all.
 *
 *   GROVE_IO         no repository, no commits, no such file in HEAD, or
 *                    something cannot be read; the error says which and why
 *   GROVE_NO_MEMORY
 */
grove_status cli_git_open(const char *directory, const char *file, cli_git *git_out,
                          grove_error *error_out);

/* Accepts what is all zero. */
void cli_git_close(cli_git *git);

/* The file in a commit is in the other one too, or in neither. */
bool cli_git_same(const cli_git_commit *a, const cli_git_commit *b);

/*
 * The text of the file in a commit, which the caller frees; it is never NULL.
 *
 *   GROVE_MALFORMED  it is not UTF-8; the error names the commit
 *   GROVE_LIMIT      it has more than CLI_TRACE_BYTES_MAX
 *   GROVE_IO, GROVE_NO_MEMORY
 */
grove_status cli_git_text(const cli_git *git, size_t index, char **text_out,
                          size_t *bytes_out, grove_error *error_out);

#endif
