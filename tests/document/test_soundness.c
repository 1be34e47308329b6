/*
 * One document of two batches, made by two who wrote at once, a snapshot and
 * events that wait; and what is said of it when one piece lies. All blocks are
 * well-formed: only together they show it.
 *
 *     clock  0 1 2   3 4
 *     event  a0a1a2  b0b1      b0 comes after a0
 */
#include "document/soundness.h"
#include "support/exchange.h"

typedef enum one_lie {
    NO_LIE,
    /* runs */
    RUN_GAP_IN_SEQUENCES,
    RUN_TWO_WITH_ONE_CLOCK,
    RUN_BEYOND_THE_END,
    RUN_OUT_OF_ORDER,
    RUN_MISSING,
    RUN_EMPTY,
    RUN_OTHER_REPLICA,
    RUN_OTHER_ORDER,
    RUN_WITHOUT_REPLICA,
    /* batches */
    BATCH_OTHER_REACH,
    BATCH_OTHER_KEY,
    BATCH_OTHER_FIRST_CLOCK,
    BATCH_MISSING,
    BATCH_TWICE,
    BATCH_UNKNOWN_PARENT,
    BATCH_TOO_LONG,
    BATCH_IS_NONE,
    /* snapshots */
    SNAPSHOT_OTHER_HEADS,
    SNAPSHOT_OTHER_CLOCK,
    SNAPSHOT_BEYOND_THE_END,
    SNAPSHOT_TWICE,
    SNAPSHOT_STATE,
    SNAPSHOT_BEFORE_THE_BASE,
    /* events that wait */
    PENDING_TWO_RUNS,
    PENDING_OTHER_KEY,
    PENDING_AT_A_CLOCK,
    PENDING_TWICE,
    /* the record */
    RECORD_TYPE,
    RECORD_BASE,
    RECORD_SEALED,
    RECORD_MORE_EVENTS,
    RECORD_FEWER_EVENTS,
    LIE_COUNT
} one_lie;

typedef struct witness {
    store_fixture *fixture;
    one_lie lie;
    grove__soundness *soundness;
    grove_error *error;
} witness;

static grove_status say_run(witness *work, const char *replica, uint64_t sequence,
                            uint64_t clock, uint64_t count)
{
    grove_event_id id = event_of(replica, sequence);
    return grove__soundness_run(work->soundness, &id, (grove__run_record){clock, count},
                                work->error);
}

static grove_status say_runs(witness *work)
{
    one_lie lie = work->lie;
    grove_status status;
    if (lie == RUN_OUT_OF_ORDER) {
        status = say_run(work, "b", 0, 3, 2);
        return status == GROVE_OK ? say_run(work, "a", 0, 0, 3) : status;
    }
    status = lie == RUN_OTHER_ORDER ? say_run(work, "a", 0, 1, 2)
                                    : say_run(work, "a", 0, 0, 2);
    if (status == GROVE_OK && lie == RUN_OTHER_ORDER) {
        status = say_run(work, "a", 2, 0, 1);
    } else if (status == GROVE_OK) {
        status = say_run(work, "a", lie == RUN_GAP_IN_SEQUENCES ? 3 : 2,
                         lie == RUN_TWO_WITH_ONE_CLOCK ? 1 : 2, lie == RUN_EMPTY ? 0 : 1);
    }
    if (status != GROVE_OK || lie == RUN_MISSING) {
        return status;
    }
    const char *second = lie == RUN_OTHER_REPLICA     ? "c"
                         : lie == RUN_WITHOUT_REPLICA ? ""
                                                      : "b";
    return say_run(work, second, 0, lie == RUN_BEYOND_THE_END ? 4 : 3, 2);
}

/* Encodes runs of a text's events. */
static grove_buffer block_of(witness *work, const grove_event_run *runs, size_t count,
                             uint64_t reach, uint64_t first_clock)
{
    grove__events events;
    grove_buffer block;
    grove__events_init(&events, work->fixture->store->allocator);
    grove_buffer_init(&block, work->fixture->store->allocator);
    for (size_t index = 0; index < count; index++) {
        assert_ok(work->fixture, grove__events_append(&events, grove_type_text(),
                                                      &runs[index], work->error));
    }
    assert_ok(work->fixture,
              grove__batch_encode(&events, grove_type_text(), reach,
                                  grove__batch_packing_usual(), &block, work->error));
    grove__batch_place(block.data, first_clock);
    grove__events_release(&events);
    return block;
}

static grove_status say_batch(witness *work, const grove_event_run *run, uint64_t reach,
                              uint64_t first_clock, uint64_t key)
{
    grove_buffer block = block_of(work, run, 1, reach, first_clock);
    grove_status status = grove__soundness_batch(work->soundness, key,
                                                 grove_buffer_view(&block), work->error);
    grove_buffer_release(&block);
    return status;
}

static grove_status say_batches(witness *work)
{
    one_lie lie = work->lie;
    grove_event_id root = event_of("a", 0);
    grove_event_id unknown = event_of("a", 3);
    grove_event_run first = text_run_of(root, NULL, 0, 0, "abc");
    grove_event_run second =
        text_run_of(event_of("b", 0), lie == BATCH_UNKNOWN_PARENT ? &unknown : &root, 1,
                    1, lie == BATCH_TOO_LONG ? "xyz" : "xy");
    if (lie == BATCH_IS_NONE) {
        return grove__soundness_batch(work->soundness, 0, grove_bytes_of("no block"),
                                      work->error);
    }
    grove_status status = say_batch(work, &first, 0, 0, 0);
    if (status == GROVE_OK && lie == BATCH_TWICE) {
        status = say_batch(work, &first, 0, 0, 0);
    }
    if (status != GROVE_OK || lie == BATCH_MISSING) {
        return status;
    }
    return say_batch(work, &second, lie == BATCH_OTHER_REACH ? 2 : 1,
                     lie == BATCH_OTHER_FIRST_CLOCK ? 4 : 3,
                     lie == BATCH_OTHER_KEY ? 4 : 3);
}

static void add_head(grove__head *head_out, uint64_t clock, const char *replica,
                     uint64_t sequence)
{
    memset(head_out, 0, sizeof *head_out);
    head_out->clock = clock;
    head_out->id = event_of(replica, sequence);
}

static grove_status say_snapshot(witness *work, uint64_t clock, uint64_t key)
{
    one_lie lie = work->lie;
    grove__head heads[2];
    grove_buffer block;
    grove__snapshot_header header = {clock, 0, 1, 2};
    add_head(&heads[0], lie == SNAPSHOT_OTHER_HEADS ? 1 : 2, "a",
             lie == SNAPSHOT_OTHER_HEADS ? 1 : 2);
    add_head(&heads[1], clock - 1, "b", clock - 4);
    if (clock == 2) {
        add_head(&heads[0], 1, "a", 1);
        header.head_count = 1;
    }
    grove_type_buffers state;
    memset(&state, 0, sizeof state);
    grove_buffer_init(&state.structure, work->fixture->store->allocator);
    grove_buffer_init(&state.content, work->fixture->store->allocator);
    grove_buffer_init(&block, work->fixture->store->allocator);
    void *text = NULL;
    const grove_document_type *type = grove_type_text();
    assert_ok(work->fixture,
              type->state_new(type, work->fixture->store->allocator, &text));
    assert_ok(work->fixture, type->state_encode(type, text, &state, work->error));
    type->state_free(type, text);
    grove__snapshot_frames frames = {grove_buffer_view(&state.structure),
                                     grove_buffer_view(&state.content),
                                     {NULL, 0}};
    if (lie == SNAPSHOT_STATE) {
        frames.content = grove_bytes_of("\xff");
    }
    grove__packing packing = {0, 0, NULL};
    assert_ok(work->fixture, grove__snapshot_encode(&header, heads, &frames, packing,
                                                    &block, work->error));
    grove_status status = grove__soundness_snapshot(
        work->soundness, key, grove_buffer_view(&block), work->error);
    grove_buffer_release(&state.structure);
    grove_buffer_release(&state.content);
    grove_buffer_release(&block);
    return status;
}

static grove_status say_snapshots(witness *work)
{
    uint64_t clock = work->lie == SNAPSHOT_BEYOND_THE_END ? 6 : 5;
    grove_status status = say_snapshot(work, 2, 2);
    if (status == GROVE_OK) {
        status = say_snapshot(work, clock, work->lie == SNAPSHOT_OTHER_CLOCK ? 4 : clock);
    }
    return status == GROVE_OK && work->lie == SNAPSHOT_TWICE ? say_snapshot(work, 5, 5)
                                                             : status;
}

static grove_status say_waiting(witness *work)
{
    one_lie lie = work->lie;
    grove_event_id parent = event_of("d", 9);
    grove_event_run runs[2] = {text_run_of(event_of("c", 4), &parent, 1, 0, "wait"),
                               text_run_of(event_of("e", 0), &parent, 1, 0, "too")};
    grove_event_id key = event_of(lie == PENDING_OTHER_KEY ? "b" : "c", 4);
    grove_buffer block = block_of(work, runs, lie == PENDING_TWO_RUNS ? 2 : 1, 0,
                                  lie == PENDING_AT_A_CLOCK ? 5 : 0);
    grove_status status = GROVE_OK;
    for (int times = 0; status == GROVE_OK && times < (lie == PENDING_TWICE ? 2 : 1);
         times++) {
        status = grove__soundness_pending(work->soundness, &key,
                                          grove_buffer_view(&block), work->error);
    }
    grove_buffer_release(&block);
    return status;
}

static grove_status tell(witness *work, grove__meta_record *meta_out)
{
    static const struct {
        one_lie lie;
        uint64_t events, base, sealed;
    } RECORDS[] = {{NO_LIE, 5, 0, 3},
                   {RECORD_BASE, 5, 6, 3},
                   {RECORD_SEALED, 5, 0, 6},
                   {RECORD_MORE_EVENTS, 6, 0, 3},
                   {RECORD_FEWER_EVENTS, 4, 0, 3},
                   {SNAPSHOT_BEFORE_THE_BASE, 5, 3, 3}};
    grove__meta_record said = {.type_name = "text", .type_format = 1, .revision = 8};
    for (size_t index = 0; index < sizeof RECORDS / sizeof *RECORDS; index++) {
        if (index == 0 || RECORDS[index].lie == work->lie) {
            said.events = RECORDS[index].events;
            said.base_clock = RECORDS[index].base;
            said.sealed_clock = RECORDS[index].sealed;
        }
    }
    if (work->lie == RECORD_TYPE) {
        said.type_name[0] = '\0';
    }
    grove_status status = grove__soundness_new(work->fixture->store, grove_bytes_of("id"),
                                               &said, &work->soundness, work->error);
    if (status == GROVE_OK) {
        status = say_runs(work);
    }
    if (status == GROVE_OK) {
        status = say_snapshots(work);
    }
    if (status == GROVE_OK) {
        status = say_batches(work);
    }
    if (status == GROVE_OK) {
        status = say_waiting(work);
    }
    if (status == GROVE_OK) {
        status = grove__soundness_end(work->soundness, meta_out, work->error);
    }
    grove__soundness_free(work->soundness);
    return status;
}

STORE_TEST(soundness, of_a_whole_document_is_counted)
{
    grove__meta_record meta;
    witness work = {fixture, NO_LIE, NULL, &fixture->error};
    assert_ok(fixture, tell(&work, &meta));
    cr_assert_eq(meta.revision, 8);
    cr_assert_eq(meta.batches, 2);
    cr_assert_eq(meta.snapshots, 2);
    cr_assert_eq(meta.snapshot_clock, 5);
    cr_assert_eq(meta.pending, 4);
    cr_assert_gt(meta.batch_bytes, 0);
    cr_assert_gt(meta.snapshot_bytes, meta.newest_snapshot_bytes);
}

STORE_TEST(soundness, is_lost_by_every_lie)
{
    for (int lie = NO_LIE + 1; lie < LIE_COUNT; lie++) {
        grove__meta_record meta;
        witness work = {fixture, (one_lie)lie, NULL, &fixture->error};
        grove_status status = tell(&work, &meta);
        bool is_invalid = lie == RUN_WITHOUT_REPLICA;
        cr_assert_eq(status, is_invalid ? GROVE_INVALID : GROVE_CORRUPT, "lie %d: %s",
                     lie, status == GROVE_OK ? "taken" : fixture->error.message);
        cr_assert_eq(fixture->error.status, status);
    }
}
