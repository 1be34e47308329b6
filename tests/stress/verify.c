/* The library's own check of what is stored: of single documents while others
 * write, and of everything in the end. */
#include <grove/verify.h>

#include "actions.h"
#include "verdict.h"

static bool take_finding(void *context, const grove_finding *finding)
{
    stress_board *board = context;
    stress_fail(board, "verify finds %s in table %s, of document '%.*s': %s",
                grove_finding_kind_name(finding->kind), finding->table,
                (int)finding->document.size, (const char *)finding->document.data,
                finding->message);
}

void act_verify(stress_worker *self)
{
    stress_board *board = self->board;
    uint32_t index = stress_place_document(board, worker_chooses_place(self));
    grove_error error;
    grove_verify_options options = GROVE_VERIFY_OPTIONS_INIT;
    options.replay = worker_has_chance(self, 50);
    options.prefix = grove_bytes_of(board->documents[index].id);
    options.one_document = true;
    worker_begins(self, CALL_VERIFY);
    grove_status status =
        grove_store_verify(self->store, &options, take_finding, board, NULL, &error);
    /* The first save may not have been yet. */
    (void)worker_answer(self, CALL_VERIFY, WHEN_DELETABLE, status, &error);
}

void verdict_verify(stress_board *board, grove_store *store)
{
    grove_error error;
    grove_verify_options options = GROVE_VERIFY_OPTIONS_INIT;
    options.replay = true;
    grove_status status =
        grove_store_verify(store, &options, take_finding, board, NULL, &error);
    (void)stress_answer(board, CALL_VERIFY, WHEN_ANY, status, &error);
}
