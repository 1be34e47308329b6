/* Events that are handed in one run at a time. */
#include "base/error.h"
#include "document/addition.h"

static grove_status add_run(grove__addition *adding, grove_error *error_out)
{
    grove_document *document = adding->document;
    grove__frontier parents = {NULL, 0};
    grove_status status = grove__addition_drop_known(adding, error_out);
    if (status == GROVE_OK) {
        status = grove__addition_place(adding, &parents, error_out);
    }
    if (status == GROVE_OK) {
        status =
            grove__document_push(document, adding->txn, &adding->run, parents, error_out);
        document->made_last = document->made_last && status != GROVE_OK;
    }
    return status;
}

grove_status grove_document_add(grove_document *document, const grove_event_run *run,
                                grove_error *error_out)
{
    grove_status status = grove__document_check_live(document, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove__txn txn;
    grove__addition *adding = grove__addition_new(document, &txn);
    if (adding == NULL) {
        return grove__fail_memory(error_out);
    }
    status = grove__addition_begin(adding, run, error_out);
    if (status == GROVE_OK) {
        status = grove__txn_begin(&document->store->kv, GROVE_TXN_READ, &txn, error_out);
    }
    if (status == GROVE_OK) {
        status = add_run(adding, error_out);
        grove__txn_abort(&txn);
    }
    grove__addition_free(adding);
    return status;
}
