/*
 * Making the states of snapshots from the events once more.
 *
 * A view of the past goes from snapshot to snapshot. Where all history is
 * there it begins with nothing, else with the oldest snapshot, which then is
 * compared with nothing.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/verify.h"

/* What two states have in common if they are equal: their two frames, or what a
 * timed type says for them. */
typedef struct state_bytes {
    grove_type_buffers buffers;
} state_bytes;

static void state_bytes_init(state_bytes *bytes, const grove_allocator *allocator)
{
    memset(bytes, 0, sizeof *bytes);
    grove_buffer_init(&bytes->buffers.structure, allocator);
    grove_buffer_init(&bytes->buffers.content, allocator);
}

static void state_bytes_release(state_bytes *bytes)
{
    grove_buffer_release(&bytes->buffers.structure);
    grove_buffer_release(&bytes->buffers.content);
}

static bool state_bytes_equal(const state_bytes *a, const state_bytes *b)
{
    return grove__bytes_equal(grove_buffer_view(&a->buffers.structure),
                              grove_buffer_view(&b->buffers.structure)) &&
           grove__bytes_equal(grove_buffer_view(&a->buffers.content),
                              grove_buffer_view(&b->buffers.content));
}

/* Of a timed type the digest: how much a snapshot knows of what does not show
 * depends on when it was made. */
static grove_status describe(grove__survey *survey, const grove_document *view,
                             state_bytes *bytes_out)
{
    const grove_document_type *type = view->type;
    grove_type_buffers *buffers = &bytes_out->buffers;
    if (type->timed == NULL) {
        return type->state_encode(type, view->state, buffers, &survey->error);
    }
    uint8_t digest[GROVE_DIGEST_BYTES];
    grove_status status =
        type->timed->state_digest(type, view->state, digest, &survey->error);
    if (status == GROVE_OK) {
        grove_buffer_append(&buffers->structure, digest, sizeof digest);
        status =
            buffers->structure.failed ? grove__fail_memory(&survey->error) : GROVE_OK;
    }
    return status;
}

/* Describes the state of the snapshot at a clock, as the type does it now. */
static grove_status describe_snapshot(grove__survey *survey, uint64_t clock,
                                      state_bytes *bytes_out)
{
    grove_document *view = NULL;
    grove_status status = grove__survey_draft(survey, &view);
    if (status == GROVE_OK) {
        view->is_past = true;
        view->meta.snapshot_clock = clock;
        view->meta.events = clock;
        view->meta.base_clock = clock;
        status = grove__document_load_state(view, survey->txn, &survey->error);
    }
    if (status == GROVE_OK && view->damaged_snapshots > 0) {
        status = grove__fail(&survey->error, GROVE_CORRUPT,
                             "the snapshot at clock %llu cannot be loaded",
                             (unsigned long long)clock);
    }
    if (status == GROVE_OK) {
        status = describe(survey, view, bytes_out);
    }
    grove_document_close(view);
    return status;
}

/* Compares the state of the view with that of the snapshot at its clock. */
static grove_status compare(grove__survey *survey, grove_document *view, uint64_t clock)
{
    state_bytes made;
    state_bytes stored;
    state_bytes_init(&made, survey->store->allocator);
    state_bytes_init(&stored, survey->store->allocator);
    grove_status status = describe(survey, view, &made);
    if (status == GROVE_OK) {
        status = describe_snapshot(survey, clock, &stored);
    }
    if (status == GROVE_OK && !state_bytes_equal(&made, &stored)) {
        status = grove__fail(&survey->error, GROVE_CORRUPT,
                             "the snapshot at clock %llu is not what the events before "
                             "it make",
                             (unsigned long long)clock);
    } else if (status == GROVE_OK) {
        survey->snapshots_replayed++;
    }
    state_bytes_release(&stored);
    state_bytes_release(&made);
    /* The application keeps the state to itself. */
    return status == GROVE_NONE ? GROVE_OK : status;
}

/* Takes the view to a clock. */
static grove_status go_on(grove__survey *survey, grove_document *view, uint64_t clock,
                          bool *goes_on)
{
    view->meta.events = clock;
    grove_status status = grove__document_load_tail(view, survey->txn, &survey->error);
    *goes_on = status == GROVE_OK;
    survey->replay_end = view->stored;
    return grove__survey_judge(survey, status, GROVE_FINDING_REPLAY, GROVE__TABLE_EVENTS,
                               grove__key_view(&survey->prefix));
}

/* Goes from snapshot to snapshot, and to the end. */
static grove_status replay(grove__survey *survey, grove_document *view)
{
    size_t count;
    grove__survey_piece *snapshots = grove__survey_pieces(&survey->snapshots, &count);
    bool goes_on = true;
    grove_status status = GROVE_OK;
    for (size_t index = 0; status == GROVE_OK && goes_on && index < count; index++) {
        uint64_t clock = snapshots[index].clock;
        if (!snapshots[index].is_sound || clock > survey->graph_end ||
            clock < view->stored ||
            (survey->meta.base_clock > 0 && clock == view->stored)) {
            continue;
        }
        status = go_on(survey, view, clock, &goes_on);
        if (status == GROVE_OK && goes_on) {
            grove__key key;
            grove__key_of_clock(&key, survey->id, clock);
            status = compare(survey, view, clock);
            snapshots[index].is_sound = status == GROVE_OK;
            status = grove__survey_judge(survey, status, GROVE_FINDING_REPLAY,
                                         GROVE__TABLE_SNAPSHOTS, grove__key_view(&key));
        }
    }
    if (status == GROVE_OK && goes_on && survey->graph_end > view->stored) {
        status = go_on(survey, view, survey->graph_end, &goes_on);
    }
    return status;
}

/* The oldest snapshot that is sound; GROVE__NO_SNAPSHOT without any. */
static uint64_t find_oldest(const grove__survey *survey)
{
    size_t count;
    const grove__survey_piece *pieces = grove__survey_pieces(&survey->snapshots, &count);
    for (size_t index = 0; index < count; index++) {
        if (pieces[index].is_sound) {
            return pieces[index].clock;
        }
    }
    return GROVE__NO_SNAPSHOT;
}

grove_status grove__survey_replay(grove__survey *survey)
{
    uint64_t oldest = find_oldest(survey);
    bool from_nothing = survey->meta.base_clock == 0;
    if (survey->type == NULL ||
        (!from_nothing && (oldest == GROVE__NO_SNAPSHOT || oldest > survey->graph_end))) {
        survey->replay_end = survey->meta.base_clock;
        return GROVE_OK;
    }
    grove_document *view = NULL;
    grove_status status = grove__survey_draft(survey, &view);
    if (status != GROVE_OK) {
        return status;
    }
    view->is_past = true;
    view->meta.snapshot_clock = from_nothing ? GROVE__NO_SNAPSHOT : oldest;
    view->meta.events = from_nothing ? 0 : oldest;
    status = grove__document_load_state(view, survey->txn, &survey->error);
    if (status == GROVE_OK) {
        survey->replay_end = view->stored;
        status = replay(survey, view);
    } else {
        status =
            grove__survey_judge(survey, status, GROVE_FINDING_REPLAY,
                                GROVE__TABLE_SNAPSHOTS, grove__key_view(&survey->prefix));
    }
    grove_document_close(view);
    return status;
}
