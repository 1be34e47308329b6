/*
 * Work in a process of its own, because what it reads may end the process that
 * reads it.
 *
 * The child tells where it is before it looks there, and what it finds, in
 * lines of JSON through a pipe. When it ends before it said that it is done,
 * the parent makes another child that goes on behind the place where the first
 * one was.
 */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <stdio.h>

#include <jansson.h>

#include "cli.h"

/* A place in a store: a table, and in it a name. */
typedef struct cli_place {
    const char *table; /* one of the store's tables; NULL: none yet */
    cli_id name;
} cli_place;

/* What goes on in the child, and what comes of it in the parent. */
typedef struct cli_work {
    void *context;
    /* Goes on behind `after` and says what it finds to `out`; returns the exit
     * code, 0 when it is done. */
    int (*run)(void *context, const cli_place *after, FILE *out);
    /* Takes what the child said, which is borrowed. */
    void (*take)(void *context, const json_t *said);
    /* The child ended at a place, in the way that is told. */
    void (*crashed)(void *context, const cli_place *at, const char *how);
    /* Without a word for so long a child is taken for stuck, and ended. */
    uint32_t patience_s;
} cli_work;

/* Says one thing to the parent; takes it over. */
void cli_child_say(FILE *out, json_t *thing);
/* Says where it is. */
void cli_child_say_at(FILE *out, const char *table, grove_bytes name);

/*
 * Lets children do the work. The exit code of the last one; CLI_FAILURE when
 * one ended before it was anywhere, or too many did.
 */
int cli_child_work(const cli_work *work);

#endif
