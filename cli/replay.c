#include "replay.h"

#include <string.h>

#include "fail.h"
#include "utf8.h"

grove_status cli_replay_save(cli_replay *replay, grove_error *error_out)
{
    if (grove_document_unsaved(replay->document) == 0) {
        return GROVE_OK;
    }
    uint64_t expected = grove_document_clock(replay->document);
    grove_save_result result;
    double begin = cli_now_ms();
    /* Events have the times of the trace; a commit is made now. */
    replay->clock->fixed = false;
    grove_status status =
        grove_document_save(replay->document, &expected, &result, error_out);
    replay->save_ms += cli_now_ms() - begin;
    if (status == GROVE_OK) {
        replay->saves++;
        replay->commit = result.commit;
    }
    return status;
}

/* How many events may be made before the next save; saves when none. */
static grove_status make_room(cli_replay *replay, uint64_t *room_out,
                              grove_error *error_out)
{
    if (replay->batch == 0) {
        *room_out = UINT64_MAX;
        return GROVE_OK;
    }
    uint64_t unsaved = grove_document_unsaved(replay->document);
    if (unsaved >= replay->batch) {
        grove_status status = cli_replay_save(replay, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        unsaved = 0;
    }
    *room_out = replay->batch - unsaved;
    return GROVE_OK;
}

static grove_status delete_characters(cli_replay *replay, const cli_patch *patch,
                                      grove_error *error_out)
{
    uint64_t left = patch->deleted;
    while (left > 0) {
        uint64_t room = 0;
        grove_status status = make_room(replay, &room, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        uint64_t count = left < room ? left : room;
        replay->clock->fixed = true;
        status = grove_text_delete(replay->document, patch->position, count, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        left -= count;
    }
    return GROVE_OK;
}

static grove_status insert_characters(cli_replay *replay, const cli_patch *patch,
                                      grove_error *error_out)
{
    uint64_t position = patch->position;
    uint64_t left = patch->inserted;
    const char *text = replay->trace->text + patch->text_offset;
    size_t bytes_left = patch->text_bytes;
    while (left > 0) {
        uint64_t room = 0;
        grove_status status = make_room(replay, &room, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        uint64_t count = left < room ? left : room;
        size_t bytes =
            count == left ? bytes_left : cli_utf8_prefix(text, bytes_left, count);
        grove_bytes piece = {(const uint8_t *)text, bytes};
        replay->clock->fixed = true;
        status = grove_text_insert(replay->document, position, piece, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        position += count;
        left -= count;
        text += bytes;
        bytes_left -= bytes;
    }
    return GROVE_OK;
}

static grove_status make_edits(cli_replay *replay, grove_error *error_out)
{
    uint64_t events = 0;
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && index < replay->trace->patch_count;
         index++) {
        const cli_patch *patch = &replay->trace->patches[index];
        replay->clock->now = patch->timestamp;
        status = delete_characters(replay, patch, error_out);
        if (status == GROVE_OK) {
            status = insert_characters(replay, patch, error_out);
        }
        events += patch->deleted + patch->inserted;
        if (status == GROVE_OK) {
            cli_progress_at(replay->progress, events);
        }
    }
    replay->clock->fixed = false;
    return status;
}

/* Adds the next events of a concurrent trace. GROVE_NONE: there are no more. */
static grove_status add_run(cli_replay *replay, cli_runs *runs, uint64_t *events,
                            grove_error *error_out)
{
    uint64_t room = 0;
    grove_event_run run;
    grove_error detail;
    grove_status status = make_room(replay, &room, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    status = cli_runs_next(runs, room, &run, &detail);
    if (status == GROVE_OK) {
        status = grove_document_add(replay->document, &run, &detail);
    }
    if (status != GROVE_OK) {
        return cli_fail(error_out, status, "transaction %zu, patch %zu: %.180s",
                        runs->at_transaction, runs->at_patch, detail.message);
    }
    *events += run.operation.count;
    cli_progress_at(replay->progress, *events);
    return GROVE_OK;
}

static grove_status add_events(cli_replay *replay, grove_error *error_out)
{
    cli_runs runs;
    uint64_t events = 0;
    grove_status status = cli_runs_init(&runs, replay->trace, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    while (status == GROVE_OK) {
        status = add_run(replay, &runs, &events, error_out);
    }
    cli_runs_release(&runs);
    return status == GROVE_NONE ? GROVE_OK : status;
}

grove_status cli_replay_run(cli_replay *replay, grove_error *error_out)
{
    bool is_concurrent = replay->trace->transaction_count > 0;
    grove_status status =
        is_concurrent ? add_events(replay, error_out) : make_edits(replay, error_out);
    if (status == GROVE_OK && replay->batch > 0) {
        status = cli_replay_save(replay, error_out);
    }
    return status;
}

/* The part of the expected text that was not met yet. */
typedef struct comparison {
    const char *expected;
    size_t left;
    uint64_t characters;
    bool same;
} comparison;

static bool compare_piece(void *context, grove_bytes piece)
{
    comparison *with = context;
    size_t count = 0;
    size_t end = piece.size < with->left ? piece.size : with->left;
    const char *text = (const char *)piece.data;
    if (end == piece.size && (end == 0 || memcmp(text, with->expected, end) == 0)) {
        count = end;
    }
    while (count < end && text[count] == with->expected[count]) {
        count++;
    }
    with->characters += cli_utf8_length(text, count);
    with->expected += count;
    with->left -= count;
    with->same = count == piece.size;
    return with->same;
}

grove_status cli_replay_check(const cli_replay *replay, grove_error *error_out)
{
    comparison with = {replay->trace->end_text, replay->trace->end_bytes, 0, true};
    grove_status status =
        grove_text_each(replay->document, compare_piece, &with, error_out);
    if (status != GROVE_OK) {
        return status;
    }
    if (!with.same || with.left > 0) {
        return cli_fail(error_out, GROVE_MALFORMED,
                        "the edits do not end in %s: the texts differ from character "
                        "%llu on",
                        replay->end_is, (unsigned long long)with.characters);
    }
    return GROVE_OK;
}
