/*
 * A CRDT of one's own on opaque documents: a counter that two replicas change
 * without asking each other.
 *
 * Each event's payload is a change, as text. Changes commute, so concurrent
 * ones need no merging: the value is the sum of all. The library stores the
 * events and the state; what they mean is this program's affair.
 *
 *   counter STORE
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <grove/grove.h>

typedef struct counter {
    grove_document *document;
} counter;

static grove_status counter_open(counter *gate, grove_store *store, const char *who,
                                 grove_error *error_out)
{
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    options.type = grove_type_opaque();
    options.replica.size = (uint8_t)strlen(who);
    memcpy(options.replica.bytes, who, options.replica.size);
    return grove_document_open(store, grove_bytes_of("visitors"), &options,
                               &gate->document, error_out);
}

static grove_status counter_add(counter *gate, int64_t change, grove_error *error_out)
{
    char payload[24];
    int size = snprintf(payload, sizeof payload, "%+" PRId64, change);
    grove_bytes bytes = {(const uint8_t *)payload, (size_t)size};
    grove_status status = grove_opaque_append(gate->document, bytes, error_out);
    if (status == GROVE_OK) {
        status = grove_document_save(gate->document, NULL, NULL, error_out);
    }
    return status;
}

/* A number as counter_add and counter_fold wrote it. */
static int64_t number_of(grove_bytes bytes)
{
    char text[24] = {0};
    memcpy(text, bytes.data, bytes.size < sizeof text ? bytes.size : sizeof text - 1);
    return strtoll(text, NULL, 10);
}

/* The state that was handed in last, and every change after it. */
static grove_status counter_value(counter *gate, int64_t *value_out,
                                  uint64_t *payloads_out, grove_error *error_out)
{
    bool is_set = false;
    grove_bytes state = {NULL, 0};
    uint64_t payloads = 0;
    grove_status status =
        grove_opaque_state(gate->document, &is_set, &state, &payloads, error_out);
    int64_t value = status == GROVE_OK && is_set ? number_of(state) : 0;
    for (uint64_t index = 0; status == GROVE_OK && index < payloads; index++) {
        grove_bytes payload;
        status = grove_opaque_payload(gate->document, index, &payload, error_out);
        if (status == GROVE_OK) {
            value += number_of(payload);
        }
    }
    if (status == GROVE_OK) {
        *value_out = value;
        *payloads_out = payloads;
    }
    return status;
}

/* Hands in the value as the state, so that a load reads no older changes. */
static grove_status counter_fold(counter *gate, grove_error *error_out)
{
    int64_t value = 0;
    uint64_t payloads = 0;
    grove_status status = counter_value(gate, &value, &payloads, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    char text[24];
    int size = snprintf(text, sizeof text, "%" PRId64, value);
    grove_bytes state = {(const uint8_t *)text, (size_t)size};
    status = grove_opaque_set_state(gate->document, state, error_out);
    if (status == GROVE_OK) {
        status = grove_document_compact(gate->document, NULL, NULL, error_out);
    }
    return status;
}

static grove_status say(grove_store *store, const char *when, grove_error *error_out)
{
    counter reader = {NULL};
    int64_t value = 0;
    uint64_t payloads = 0;
    grove_status status = counter_open(&reader, store, "reader", error_out);
    if (status == GROVE_OK) {
        status = counter_value(&reader, &value, &payloads, error_out);
    }
    if (status == GROVE_OK) {
        printf("%s: %" PRId64 ", from %" PRIu64 " changes after the state\n", when, value,
               payloads);
    }
    grove_document_close(reader.document);
    return status;
}

static grove_status run(grove_store *store, counter *east, counter *west,
                        grove_error *error_out)
{
    grove_status status = counter_open(east, store, "east gate", error_out);
    if (status == GROVE_OK) {
        status = counter_open(west, store, "west gate", error_out);
    }
    /* Neither gate knows of the other's changes: they are concurrent. */
    const int64_t changes[] = {5, 3, -2, 10};
    for (size_t index = 0; status == GROVE_OK && index < 4; index++) {
        status = counter_add(index % 2 == 0 ? east : west, changes[index], error_out);
    }
    if (status == GROVE_OK) {
        status = say(store, "both gates", error_out);
    }
    if (status == GROVE_OK) {
        status = grove_document_refresh(east->document, NULL, error_out);
    }
    if (status == GROVE_OK) {
        status = counter_fold(east, error_out);
    }
    if (status == GROVE_OK) {
        status = counter_add(west, 1, error_out);
    }
    if (status == GROVE_OK) {
        status = say(store, "later", error_out);
    }
    return status;
}

int main(int argument_count, char **arguments)
{
    if (argument_count != 2) {
        fprintf(stderr, "usage: counter STORE\n");
        return 2;
    }
    grove_error error;
    grove_store *store = NULL;
    counter east = {NULL};
    counter west = {NULL};
    grove_status status = grove_store_open(arguments[1], NULL, &store, &error);
    if (status == GROVE_OK) {
        status = run(store, &east, &west, &error);
    }
    if (status != GROVE_OK) {
        fprintf(stderr, "%s: %s\n", grove_status_name(error.status), error.message);
    }
    grove_document_close(east.document);
    grove_document_close(west.document);
    grove_store_close(store);
    return status == GROVE_OK ? 0 : 1;
}
