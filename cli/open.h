/* Opening and closing what a verb works on. */
#ifndef CLI_OPEN_H
#define CLI_OPEN_H

#include "cli.h"

/*
 * The clock of a store: the system's, or, while somebody else's events are
 * made again, the time at which they were made.
 */
typedef struct cli_clock {
    bool fixed;
    int64_t now;
} cli_clock;

/*
 * Opens the store that the options name. With `must_exist` nothing is created.
 * `clock` (NULL: the system's) is borrowed until close. On failure says why
 * and returns the exit code.
 */
int cli_store_open(const cli_options *options, bool must_exist, cli_clock *clock,
                   grove_store **store_out);

/*
 * Closes the store. After success of a verb that wrote, in a durability mode
 * whose commits do not wait for the disk, makes sure that all is there.
 * Returns `code`, or the code of what failed.
 */
int cli_store_close(const cli_options *options, grove_store *store, int code);

/* Opens the store, which must exist, for `verb`, and closes it after. */
int cli_in_store(const cli_options *options,
                 int (*verb)(const cli_options *options, grove_store *store));

/* Loads the document that the options name, as of the clock that they may
 * name; says why when it cannot. */
int cli_document_load(const cli_options *options, grove_store *store,
                      grove_document **document_out);

/* What is stored of the document that the options name; says why when it
 * cannot tell. */
int cli_document_statistics(const cli_options *options, grove_store *store,
                            grove_document_statistics *statistics_out);

/*
 * Copies the whole text of a document, with a NUL behind it; the caller frees
 * *text_out. GROVE_NO_MEMORY; GROVE_INVALID: it is no text.
 */
grove_status cli_document_text(const grove_document *document, char **text_out,
                               size_t *bytes_out, grove_error *error_out);

/* CLI_OK for a document of this type; else says that `verb` is for those. */
int cli_document_must_be(const cli_options *options,
                         const grove_document_statistics *statistics,
                         const grove_document_type *type, const char *verb);

/* Loads the document that the options name, which has to be of this type. */
int cli_document_load_as(const cli_options *options, grove_store *store,
                         const grove_document_type *type, const char *verb,
                         grove_document **document_out);

#endif
