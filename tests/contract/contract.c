#include "contract.h"

#include "check.h"

static const grove__check_case *const SUITE[] = {
    grove__contract_entries, grove__contract_cursors,   grove__contract_transactions,
    grove__contract_limits,  grove__contract_lasting,   grove__contract_threads,
    grove__contract_turns,   grove__contract_sharing,   grove__contract_copies,
    grove__contract_forks,   grove__contract_processes, grove__contract_random,
};

/* Without all functions nothing can be checked. */
static bool is_complete(const grove_backend *backend)
{
    return backend->open != NULL && backend->close != NULL &&
           backend->is_forked != NULL && backend->sync != NULL &&
           backend->statistics != NULL && backend->readers != NULL &&
           backend->identity != NULL && backend->reclaim != NULL &&
           backend->grow != NULL && backend->copy != NULL && backend->pin_open != NULL &&
           backend->pin_move != NULL && backend->pin_close != NULL &&
           backend->pin_least != NULL && backend->watch_open != NULL &&
           backend->watch_wait != NULL && backend->watch_descriptor != NULL &&
           backend->watch_close != NULL && backend->begin != NULL &&
           backend->commit != NULL && backend->abort != NULL && backend->get != NULL &&
           backend->put != NULL && backend->remove != NULL &&
           backend->cursor_open != NULL && backend->cursor_close != NULL &&
           backend->cursor_seek != NULL && backend->cursor_next != NULL;
}

size_t grove_contract_run(const grove_contract_options *options)
{
    bool is_broken[GROVE_CONTRACT_CLAUSES + 1] = {false};
    size_t count = 0;
    if (!is_complete(options->backend)) {
        const grove_contract_result result = {1, "the table of functions is complete",
                                              GROVE_CONTRACT_FAILED,
                                              "a function is NULL"};
        options->report(options->context, &result);
        return 1;
    }
    for (size_t part = 0; part < sizeof SUITE / sizeof *SUITE; part++) {
        for (const grove__check_case *one = SUITE[part]; one->run != NULL; one++) {
            grove__check check;
            grove_contract_result result;
            if ((options->only_clause != 0 && options->only_clause != one->clause) ||
                (options->only_check != NULL &&
                 strcmp(options->only_check, one->name) != 0)) {
                continue;
            }
            grove__check_run(&check, options, one, &result);
            options->report(options->context, &result);
            if (result.outcome == GROVE_CONTRACT_FAILED && !is_broken[result.clause]) {
                is_broken[result.clause] = true;
                count++;
            }
        }
    }
    return count;
}
