/* The table of verbs. docs/CLI.md says the same; a test compares. */
#include <string.h>

#include "cli.h"

const cli_verb CLI_VERBS[] = {
    {.name = "import",
     .arguments = "FILE --doc ID",
     .purpose = "Store an editing trace as a new text document",
     .about = "FILE is an editing trace, sequential or concurrent, in JSON or JSON "
              "compressed by gzip. Its edits are made in a new document and "
              "saved, in one go unless --batch is given. When they do not end in "
              "the trace's endContent, nothing is saved.",
     .keys = {CLI_KEY_DOCUMENT, CLI_KEY_BATCH, CLI_KEY_AGENTS},
     .needs = CLI_NEEDS_FILE | CLI_NEEDS_DOCUMENT,
     .run = cli_import},
    {.name = "import-git",
     .arguments = "FILE --doc ID",
     .purpose = "Store the git history of a file as a new text document",
     .about = "FILE is named from the top of the repository. Every commit that HEAD "
              "comes from and that changed it becomes edits of its author, made on "
              "the commits before; where a merge is not what merging the texts "
              "makes, the merge has edits too. Renames are not followed. When the "
              "edits do not end in the file as it is in HEAD, nothing is saved.",
     .keys = {CLI_KEY_DOCUMENT, CLI_KEY_REPOSITORY, CLI_KEY_BATCH},
     .needs = CLI_NEEDS_FILE | CLI_NEEDS_DOCUMENT,
     .run = cli_import_git},
    {.name = "generate",
     .arguments = "--doc ID | --out FILE",
     .purpose = "Make up an editing session",
     .about = "Typing in bursts, mistakes taken back, jumps, pastes, passages "
              "thrown away. The session is stored as a new document, or written "
              "as an editing trace. The same options give the same events, times "
              "included.",
     .keys = {CLI_KEY_DOCUMENT, CLI_KEY_EVENTS, CLI_KEY_SEED, CLI_KEY_FINAL,
              CLI_KEY_BATCH, CLI_KEY_OUT},
     .needs = CLI_NEEDS_DOCUMENT_OR_OUT,
     .run = cli_generate},
    {.name = "export",
     .arguments = "--doc ID --out FILE",
     .purpose = "Write the events of a document for another store",
     .about = "With --vector, what this store has of the document is written, and with "
              "--since the other store's export then leaves that out.",
     .keys = {CLI_KEY_DOCUMENT, CLI_KEY_OUT, CLI_KEY_SINCE, CLI_KEY_VECTOR},
     .needs = CLI_NEEDS_DOCUMENT | CLI_NEEDS_OUT,
     .run = cli_export},
    {.name = "merge",
     .arguments = "FILE --doc ID",
     .purpose = "Take in what another store has exported",
     .about = "FILE is what export wrote. The document need not be there. Events that "
              "depend on unknown ones are kept and wait for them.",
     .keys = {CLI_KEY_DOCUMENT},
     .needs = CLI_NEEDS_FILE | CLI_NEEDS_DOCUMENT,
     .run = cli_merge},
    {.name = "cat",
     .arguments = "--doc ID",
     .purpose = "Print the text of a document",
     .about = "The bytes of the text and nothing else; with --json, an object "
              "with the text. With --at, a text of the past.",
     .keys = {CLI_KEY_DOCUMENT, CLI_KEY_AT},
     .needs = CLI_NEEDS_DOCUMENT,
     .run = cli_cat},
    {.name = "blame",
     .arguments = "--doc ID",
     .purpose = "Say who wrote what of a text, and when",
     .about = "One line for each stretch that one replica wrote at one time: the time, "
              "the replica, the text as a JSON string.",
     .keys = {CLI_KEY_DOCUMENT, CLI_KEY_FROM, CLI_KEY_COUNT},
     .needs = CLI_NEEDS_DOCUMENT,
     .run = cli_blame},
    {.name = "info",
     .arguments = "--doc ID",
     .purpose = "Say what is stored of a document",
     .about = "Bytes are those of stored blocks, without keys and unused parts of "
              "pages.",
     .keys = {CLI_KEY_DOCUMENT},
     .needs = CLI_NEEDS_DOCUMENT,
     .run = cli_info},
    {.name = "ls",
     .arguments = "",
     .purpose = "List the documents of a store",
     .about = "One id a line, in the order of their bytes, written so that --doc "
              "takes it.",
     .keys = {CLI_KEY_PREFIX, CLI_KEY_AFTER, CLI_KEY_LIMIT},
     .needs = 0,
     .run = cli_list},
    {.name = "compact",
     .arguments = "--doc ID",
     .purpose = "Make a snapshot and remove the history before a window",
     .about = "What is removed cannot be had back.",
     .keys = {CLI_KEY_DOCUMENT, CLI_KEY_WINDOW},
     .needs = CLI_NEEDS_DOCUMENT,
     .run = cli_compact},
    {.name = "seal",
     .arguments = "--doc ID",
     .purpose = "Pack the history tighter and keep all of it",
     .about = "The document reads the same before and after.",
     .keys = {CLI_KEY_DOCUMENT, CLI_KEY_LEVEL},
     .needs = CLI_NEEDS_DOCUMENT,
     .run = cli_seal},
    {.name = "rm",
     .arguments = "--doc ID",
     .purpose = "Remove a document and all its history",
     .about = "What is removed cannot be had back.",
     .keys = {CLI_KEY_DOCUMENT},
     .needs = CLI_NEEDS_DOCUMENT,
     .run = cli_remove},
    {.name = "stat",
     .arguments = "",
     .purpose = "Say how large a store is, and who uses it",
     .about = "It takes no longer for a large store than for a small one, and waits "
              "for nobody.",
     .keys = {0},
     .needs = 0,
     .run = cli_stat},
    {.name = "readers",
     .arguments = "",
     .purpose = "List who reads a store just now",
     .about = "One line for each open read transaction: the process, and how many "
              "write transactions were committed since it began. What these freed "
              "cannot be used again before it ends.",
     .keys = {0},
     .needs = 0,
     .run = cli_readers},
    {.name = "watch",
     .arguments = "",
     .purpose = "Tell of each commit as it is made",
     .about = "The first line is the number of the newest commit when the watch "
              "began. Each one after it is a commit of whichever process, told when "
              "it is made: its number, its time, and what it touched.",
     .keys = {CLI_KEY_TIMEOUT, CLI_KEY_COUNT},
     .needs = 0,
     .run = cli_watch},
    {.name = "backup",
     .arguments = "PATH",
     .purpose = "Copy a store that is in use",
     .about = "PATH becomes a store of its own, with exactly the state of one commit, "
              "and must not be there before. Others may go on writing.",
     .keys = {CLI_KEY_COMPACT},
     .needs = CLI_NEEDS_FILE,
     .run = cli_backup},
    {.name = "dump",
     .arguments = "",
     .purpose = "Write the whole store as text",
     .about = "The text is for undump, which may run elsewhere: with another backend, "
              "another version of LMDB, on another kind of machine. It goes to standard "
              "output, or to a file, which is there when it is whole. Everything is "
              "verified on the way.",
     .keys = {CLI_KEY_OUT},
     .needs = 0,
     .run = cli_dump},
    {.name = "undump",
     .arguments = "FILE",
     .purpose = "Make a new store of what dump wrote",
     .about = "FILE is - for standard input. The store is the directory that --store "
              "names, which must not be there; it is there when all of the dump was "
              "found to be true. With the backend memory the dump is checked and "
              "nothing is made.",
     .keys = {0},
     .needs = CLI_NEEDS_FILE,
     .run = cli_undump},
    {.name = "verify",
     .arguments = "[DIR]",
     .purpose = "Check everything that is stored",
     .about = "DIR is the store, in place of --store. Each finding is a line: what is "
              "wrong, in which table, of which document, under which key. The work is "
              "done in a process of its own, for a damaged file can end the process "
              "that reads it. The exit code is 6 when there are findings.",
     .keys = {CLI_KEY_DOCUMENT, CLI_KEY_REPLAY, CLI_KEY_TIMEOUT},
     .needs = CLI_TAKES_STORE,
     .run = cli_verify},
    {.name = "salvage",
     .arguments = "DIR NEW",
     .purpose = "Copy what is sound of a damaged store into a new one",
     .about = "DIR is the damaged store, which is only read; NEW, which must not exist, "
              "is made and has no findings in the end. Each line says what is lost. The "
              "exit code is 6 when something is.",
     .keys = {CLI_KEY_TIMEOUT},
     .needs = CLI_TAKES_STORE | CLI_NEEDS_NEW,
     .run = cli_salvage},
    {.name = "tree show",
     .arguments = "DOC",
     .purpose = "Print the nodes of a tree",
     .about = "One line for each node, indented below its parent: its type, its id, its "
              "attributes. With --json, the tree as plain data.",
     .keys = {CLI_KEY_AT, CLI_KEY_DEPTH, CLI_KEY_DELETED},
     .needs = CLI_TAKES_DOCUMENT,
     .run = cli_tree_show},
    {.name = "json get",
     .arguments = "DOC [POINTER]",
     .purpose = "Print the JSON of a tree",
     .about = "POINTER is a JSON Pointer to a value in it, as /a/0; without it, all is "
              "printed.",
     .keys = {CLI_KEY_AT},
     .needs = CLI_TAKES_DOCUMENT | CLI_TAKES_POINTER,
     .run = cli_json_get},
    {.name = "json set",
     .arguments = "DOC [FILE]",
     .purpose = "Set the JSON of a tree",
     .about = "FILE is JSON; without it, or with -, standard input is read. Only what "
              "differs is changed. The document is made when it is not there.",
     .keys = {0},
     .needs = CLI_TAKES_DOCUMENT | CLI_TAKES_FILE,
     .run = cli_json_set},
    {.name = "json patch",
     .arguments = "DOC [FILE]",
     .purpose = "Apply a JSON Patch to a tree",
     .about = "FILE is a JSON Patch (RFC 6902); without it, or with -, standard input is "
              "read. All of its operations are done, or none.",
     .keys = {0},
     .needs = CLI_TAKES_DOCUMENT | CLI_TAKES_FILE,
     .run = cli_json_patch},
    {.name = "json merge-patch",
     .arguments = "DOC [FILE]",
     .purpose = "Apply a JSON Merge Patch to a tree",
     .about = "FILE is a JSON Merge Patch (RFC 7396); without it, or with -, standard "
              "input is read.",
     .keys = {0},
     .needs = CLI_TAKES_DOCUMENT | CLI_TAKES_FILE,
     .run = cli_json_merge_patch},
    {.name = "bench",
     .arguments = "[--doc ID]",
     .purpose = "Measure saving and loading of a document",
     .about = "A made-up session, or a copy of a stored document, is saved and "
              "loaded in a scratch store beside the store, which is removed in "
              "the end.",
     .keys = {CLI_KEY_DOCUMENT, CLI_KEY_EVENTS, CLI_KEY_SEED, CLI_KEY_FINAL,
              CLI_KEY_ROUNDS},
     .needs = 0,
     .run = cli_bench},
};

const size_t CLI_VERB_COUNT = sizeof CLI_VERBS / sizeof *CLI_VERBS;

/* How many of the words make up the name, which may be two; 0: they do not. */
static size_t match_name(const char *name, char *const *words, size_t count)
{
    const char *blank = strchr(name, ' ');
    if (blank == NULL) {
        return strcmp(name, words[0]) == 0 ? 1 : 0;
    }
    size_t first = (size_t)(blank - name);
    bool matches = count > 1 && strlen(words[0]) == first &&
                   strncmp(name, words[0], first) == 0 &&
                   strcmp(blank + 1, words[1]) == 0;
    return matches ? 2 : 0;
}

const cli_verb *cli_verb_find(char *const *words, size_t count, size_t *used_out)
{
    for (size_t index = 0; index < CLI_VERB_COUNT; index++) {
        size_t used = match_name(CLI_VERBS[index].name, words, count);
        if (used > 0) {
            *used_out = used;
            return &CLI_VERBS[index];
        }
    }
    return NULL;
}
