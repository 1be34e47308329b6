/* An open document, with what is made on it and not saved yet. */
#ifndef GROVE_STRESS_HANDLE_H
#define GROVE_STRESS_HANDLE_H

#include "ledger.h"
#include "view.h"
#include "worker.h"

typedef struct stress_handle {
    stress_worker *worker;
    grove_document *document;
    uint32_t index; /* on the board */
    uint32_t author;
    uint32_t when; /* circumstances */
    stress_view view;
    stress_floor floor;
    ledger_record own;    /* unsaved; no events: none */
    ledger_record merged; /* unsaved, of the worker's branch */
} stress_handle;

/*
 * Opens what is at a place, or begins it, if `may_begin`; reads and checks it.
 * NULL: there is nothing. `is_named`: as the replica that bears the author's
 * name, which goes on where it was.
 */
stress_handle *handle_open(stress_worker *self, grove_store *store, uint32_t place,
                           uint32_t author, bool may_begin, bool is_named);
/* Drops what was not saved. */
void handle_close(stress_handle *handle);

/* Each false when the document was deleted under the handle. */
bool handle_refresh(stress_handle *handle);
/* Makes up to `count` events; knows of what the author saved before. */
bool handle_make(stress_handle *handle, uint32_t count);
/* Saves; what is not saved for a reason that is in order stays unsaved. */
bool handle_save(stress_handle *handle, bool tells_clock);

/* Reads the document anew and checks what the author made. */
void handle_read(stress_handle *handle);

/* For a branch: makes lines or payloads on any document, numbered from
 * `record->number` + `record->count` on, and adds them to the record. */
void make_events(stress_worker *self, grove_document *document, const stress_view *view,
                 bool is_text, uint32_t count, ledger_record *record);
/* Begins a record of what the document's replica is about to make. */
void record_begin(ledger_record *record, uint32_t author, uint32_t index, uint32_t number,
                  uint32_t gone, const grove_document *document);

#endif
