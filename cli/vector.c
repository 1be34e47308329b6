#include "vector.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "id.h"
#include "input.h"

/* Who takes what jansson writes. */
typedef struct taker {
    grove_write_fn write;
    void *context;
} taker;

static int take(const char *text, size_t bytes, void *context)
{
    const taker *to = context;
    grove_bytes piece = {(const uint8_t *)text, bytes};
    return to->write(to->context, piece) ? 0 : -1;
}

bool cli_vector_write(const grove_version_vector *vector, grove_write_fn write,
                      void *context)
{
    taker to = {write, context};
    json_t *list = json_array();
    bool is_whole = list != NULL;
    for (size_t index = 0; is_whole && index < vector->count; index++) {
        const grove_event_id *entry = &vector->entries[index];
        char text[CLI_ID_TEXT_BYTES];
        grove_bytes replica = {entry->replica.bytes, entry->replica.size};
        cli_id_format(replica, text);
        json_t *item = json_pack("{ss, sI}", "replica", text, "sequence",
                                 (json_int_t)entry->sequence);
        is_whole = json_array_append_new(list, item) == 0;
    }
    is_whole = is_whole && json_dump_callback(list, take, &to, JSON_INDENT(2)) == 0 &&
               take("\n", 1, &to) == 0;
    json_decref(list);
    return is_whole;
}

static bool read_entry(const json_t *item, grove_event_id *entry_out)
{
    const json_t *replica = json_object_get(item, "replica");
    const json_t *sequence = json_object_get(item, "sequence");
    const char *text = json_is_string(replica) ? json_string_value(replica) : "";
    cli_id id = {.size = 0};
    bool is_sound = strlen(text) == json_string_length(replica) &&
                    cli_id_parse(text, &id) == NULL && id.size > 0 &&
                    id.size <= GROVE_REPLICA_BYTES_MAX && json_is_integer(sequence) &&
                    json_integer_value(sequence) >= 0;
    if (is_sound) {
        entry_out->replica.size = (uint8_t)id.size;
        memcpy(entry_out->replica.bytes, id.bytes, id.size);
        entry_out->sequence = (uint64_t)json_integer_value(sequence);
    }
    return is_sound;
}

static grove_status read_entries(const json_t *list, grove_event_id **entries_out,
                                 size_t *count_out, grove_error *error_out)
{
    if (!json_is_array(list)) {
        return cli_fail(error_out, GROVE_MALFORMED, "it is not a list of replicas");
    }
    size_t count = json_array_size(list);
    grove_event_id *entries = calloc(count + 1, sizeof *entries);
    if (entries == NULL) {
        return cli_fail(error_out, GROVE_NO_MEMORY, "out of memory");
    }
    for (size_t index = 0; index < count; index++) {
        if (!read_entry(json_array_get(list, index), &entries[index])) {
            free(entries);
            return cli_fail(error_out, GROVE_MALFORMED,
                            "entry %zu is not a \"replica\" of 1 to %d bytes with a "
                            "\"sequence\" from 0 on",
                            index, GROVE_REPLICA_BYTES_MAX);
        }
    }
    *entries_out = entries;
    *count_out = count;
    return GROVE_OK;
}

grove_status cli_vector_read(const char *path, grove_event_id **entries_out,
                             size_t *count_out, grove_error *error_out)
{
    cli_input input;
    grove_status status = cli_input_open(path, CLI_VECTOR_BYTES_MAX, &input, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    grove_error detail = {.message = ""};
    json_t *list = cli_input_value(&input, &detail);
    status = list == NULL ? detail.status : GROVE_OK;
    if (status == GROVE_OK && !cli_input_at_end(&input)) {
        status = cli_input_unexpected(&input, "the end", &detail);
    }
    if (status == GROVE_OK) {
        status = read_entries(list, entries_out, count_out, &detail);
    }
    json_decref(list);
    cli_input_release(&input);
    return status == GROVE_OK
               ? GROVE_OK
               : cli_fail(error_out, status, "%s: %.200s", path, detail.message);
}
