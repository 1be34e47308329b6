/*
 * Exports that are damaged, cut short, or forged with care: an import refuses
 * them and changes nothing, and the next good one works.
 */
#include "base/alloc.h"
#include "format/batch.h"
#include "format/exchange.h"
#include "format/snapshot.h"
#include "support/exchange.h"
#include "text/state.h"

/* --- damage --- */

/* The stores before damaged bytes come: `target` has what it has. */
typedef struct damage {
    peer target;
    exported before; /* what the target has and saved */
    exported good;
    peer_state old;    /* of the target before the import, */
    peer_state wanted; /* and after that of the good export */
} damage;

static void target_begin(damage *work)
{
    peer_init(&work->target, "memory", "tt", NULL);
    if (work->before.size > 0) {
        (void)peer_import(&work->target, &work->before);
        peer_save(&work->target);
    }
}

/* An import of other bytes than were exported. */
static void try_damaged(damage *work, grove_bytes bytes, size_t place)
{
    peer *target = &work->target;
    grove_status status =
        grove_document_import(target->document, bytes, NULL, &target->store.error);
    grove_error error = target->store.error;
    peer_state now = peer_state_of(target);
    if (status == GROVE_OK) {
        cr_assert(peer_states_equal(&now, &work->wanted), "changed at byte %zu", place);
        peer_release(target);
        target_begin(work);
        return;
    }
    cr_assert(status == GROVE_MALFORMED || status == GROVE_FORMAT_NEWER,
              "changed at byte %zu: %s", place, grove_status_name(status));
    cr_assert_eq(error.status, status);
    cr_assert_leq(error.offset, bytes.size);
    cr_assert(peer_states_equal(&now, &work->old), "changed at byte %zu", place);
}

static void try_all_damage(damage *work)
{
    target_begin(work);
    (void)peer_import(&work->target, &work->good);
    work->wanted = peer_state_of(&work->target);
    peer_release(&work->target);
    target_begin(work);
    work->old = peer_state_of(&work->target);
    for (size_t size = 0; size < work->good.size; size++) {
        /* In memory of its own, so that a read beyond it shows. */
        uint8_t *cut = malloc(size + (size == 0));
        memcpy(cut, work->good.data, size);
        try_damaged(work, (grove_bytes){cut, size}, size);
        free(cut);
    }
    for (size_t bit = 0; bit < 8 * work->good.size; bit++) {
        work->good.data[bit / 8] ^= (uint8_t)(1u << (bit & 7));
        try_damaged(work, exported_view(&work->good), bit / 8);
        work->good.data[bit / 8] ^= (uint8_t)(1u << (bit & 7));
    }
    (void)peer_import(&work->target, &work->good);
    peer_state now = peer_state_of(&work->target);
    cr_assert(peer_states_equal(&now, &work->wanted));
    peer_release(&work->target);
    exported_free(&work->before);
    exported_free(&work->good);
}

static void damage_whole(peers *all)
{
    damage work = {.before = {NULL, 0, 0, 0}};
    peer_write(&all->a, 0, "hello world");
    (void)peer_bring(&all->a, &all->b);
    peer_write(&all->b, 5, " big");
    peer_write(&all->a, 2, "!");
    (void)peer_bring(&all->b, &all->a);
    peer_save(&all->a);
    work.good = peer_export(&all->a, NULL);
    try_all_damage(&work);
}

static void damage_part(peers *all)
{
    damage work;
    peer_write(&all->a, 0, "hello world");
    work.before = peer_export(&all->a, NULL);
    (void)peer_bring(&all->a, &all->b);
    peer_save(&all->b);
    peer_write(&all->b, 5, " big");
    peer_write(&all->a, 2, "!");
    (void)peer_bring(&all->b, &all->a);
    peer_write(&all->a, 0, "x");
    work.good = peer_export(&all->a, &all->b);
    try_all_damage(&work);
}

static void damage_snapshot(peers *all)
{
    damage work = {.before = {NULL, 0, 0, 0}};
    peer_write(&all->a, 0, "base");
    peer_compact(&all->a, 0);
    peer_write(&all->a, 4, " and more");
    work.good = peer_export(&all->a, NULL);
    try_all_damage(&work);
}

static void damage_replacement(peers *all)
{
    damage work;
    peer_write(&all->a, 0, "base");
    work.before = peer_export(&all->a, NULL);
    (void)peer_bring(&all->a, &all->b);
    peer_write(&all->b, 4, "b");
    (void)peer_bring(&all->b, &all->a);
    peer_write(&all->a, 0, "a");
    peer_compact(&all->a, 0);
    peer_write(&all->a, 6, " and more");
    work.good = peer_export(&all->a, NULL);
    try_all_damage(&work);
}

Test(exchange_hostile, each_flipped_bit_and_each_cut_is_refused, .timeout = 300)
{
    run_peers("memory", NULL, damage_whole);
    run_peers("memory", NULL, damage_part);
    run_peers("memory", NULL, damage_snapshot);
    run_peers("memory", NULL, damage_replacement);
}

/* --- forgery --- */

/* An export in the making. */
typedef struct forgery {
    grove_buffer bytes;
    grove__events events;
    uint64_t count; /* events in batches that are finished */
} forgery;

static void forgery_init(forgery *forged)
{
    grove__exchange_header header = {.type_name = "text", .type_format = 1};
    grove_buffer_init(&forged->bytes, &grove__allocator_system);
    grove__events_init(&forged->events, &grove__allocator_system);
    forged->count = 0;
    grove__exchange_header_encode(&header, &forged->bytes);
}

static void forge_run(forgery *forged, grove_event_run run)
{
    grove_error error;
    cr_assert_eq(grove__events_append(&forged->events, grove_type_text(), &run, &error),
                 GROVE_OK, "%s", error.message);
}

static void forge_item(forgery *forged, grove__exchange_kind kind, grove_bytes payload)
{
    grove__exchange_item_encode(kind, payload.size, &forged->bytes);
    grove_buffer_append(&forged->bytes, payload.data, payload.size);
}

/* The events so far become a batch. */
static void forge_batch(forgery *forged)
{
    grove_buffer block;
    grove_buffer_init(&block, &grove__allocator_system);
    cr_assert_eq(grove__batch_encode(&forged->events, grove_type_text(), 0,
                                     grove__batch_packing_usual(), &block, NULL),
                 GROVE_OK);
    forge_item(forged, GROVE__EXCHANGE_BATCH, grove_buffer_view(&block));
    forged->count += forged->events.count;
    grove__events_reset(&forged->events);
    grove_buffer_release(&block);
}

/* The end, with what is left of events before it. */
static exported forge_end(forgery *forged)
{
    if (forged->events.count > 0) {
        forge_batch(forged);
    }
    grove__exchange_end_encode(forged->count, &forged->bytes);
    cr_assert(!forged->bytes.failed);
    exported whole = {malloc(forged->bytes.size), forged->bytes.size, 1, 0};
    memcpy(whole.data, forged->bytes.data, whole.size);
    grove__events_release(&forged->events);
    grove_buffer_release(&forged->bytes);
    return whole;
}

static void refuse(peer *one, forgery *forged, grove_status wanted)
{
    exported whole = forge_end(forged);
    assert_refuses(one, exported_view(&whole), wanted);
    exported_free(&whole);
}

static grove_event_run run_after(const char *replica, uint64_t sequence,
                                 const grove_event_id *parent, uint64_t position,
                                 const char *utf8)
{
    return text_run_of(event_of(replica, sequence), parent, parent == NULL ? 0 : 1,
                       position, utf8);
}

PEERS_TEST(exchange_hostile, refuses_events_that_contradict_themselves)
{
    forgery forged;
    grove_event_id first = event_of("aa", 0);
    grove_event_id last = event_of("aa", 2);
    peer_write(&all->a, 0, "abc");
    peer_insert(&all->a, 0, "u");
    /* Another number of events. */
    forgery_init(&forged);
    forge_run(&forged, run_after("r", 0, &last, 0, "x"));
    forge_batch(&forged);
    forged.count = 2;
    refuse(&all->a, &forged, GROVE_MALFORMED);
    /* Twice in one. */
    forgery_init(&forged);
    forge_run(&forged, run_after("r", 0, &last, 0, "x"));
    forge_batch(&forged);
    forge_run(&forged, run_after("r", 0, &last, 0, "x"));
    refuse(&all->a, &forged, GROVE_MALFORMED);
    /* Beyond the text at its parent, alone and after a good one. */
    forgery_init(&forged);
    forge_run(&forged, run_after("r", 0, &last, 4, "x"));
    refuse(&all->a, &forged, GROVE_MALFORMED);
    forgery_init(&forged);
    forge_run(&forged, run_after("r", 0, &last, 3, "x"));
    forge_run(&forged, run_after("s", 0, &first, 2, "x"));
    refuse(&all->a, &forged, GROVE_MALFORMED);
    /* Parents of which one comes before the other. */
    grove_event_id both[] = {first, last};
    forgery_init(&forged);
    forge_run(&forged, text_run_of(event_of("r", 0), both, 2, 0, "x"));
    refuse(&all->a, &forged, GROVE_MALFORMED);
    /* A run that begins like a known one and goes on differently is new; one
     * that differs where it is known is not. */
    forgery_init(&forged);
    forge_run(&forged, run_after("r", 0, &last, 0, "x"));
    forge_run(&forged, run_after("aa", 1, &first, 0, "b"));
    refuse(&all->a, &forged, GROVE_REPLICA_REUSED);
    peer_check(&all->a, "uabc");
    peer_save(&all->a);
    cr_assert_eq(peer_bring(&all->a, &all->b).events, 4);
}

PEERS_TEST(exchange_hostile, refuses_items_in_another_order)
{
    static const grove__exchange_kind ORDERS[][3] = {
        {GROVE__EXCHANGE_SNAPSHOT, GROVE__EXCHANGE_IDS, GROVE__EXCHANGE_BATCH},
        {GROVE__EXCHANGE_IDS, GROVE__EXCHANGE_BATCH, GROVE__EXCHANGE_SNAPSHOT},
        {GROVE__EXCHANGE_IDS, GROVE__EXCHANGE_IDS, GROVE__EXCHANGE_SNAPSHOT},
        {GROVE__EXCHANGE_BATCH, GROVE__EXCHANGE_IDS, GROVE__EXCHANGE_SNAPSHOT},
        {GROVE__EXCHANGE_IDS, GROVE__EXCHANGE_SNAPSHOT, GROVE__EXCHANGE_SNAPSHOT},
        {GROVE__EXCHANGE_SNAPSHOT, GROVE__EXCHANGE_BATCH, GROVE__EXCHANGE_BATCH},
        {GROVE__EXCHANGE_BATCH, GROVE__EXCHANGE_END, GROVE__EXCHANGE_BATCH},
    };
    for (size_t index = 0; index < sizeof ORDERS / sizeof *ORDERS; index++) {
        forgery forged;
        forgery_init(&forged);
        for (size_t item = 0; item < 3; item++) {
            forge_item(&forged, ORDERS[index][item], (grove_bytes){NULL, 0});
        }
        refuse(&all->a, &forged, GROVE_MALFORMED);
    }
}

PEERS_TEST(exchange_hostile, lets_events_wait_whose_parents_nobody_has)
{
    forgery forged;
    grove_event_id nobody = event_of("nobody", 5);
    forgery_init(&forged);
    forge_run(&forged, run_after("r", 0, &nobody, 0, "x"));
    forge_run(&forged, run_after("s", 7, NULL, 0, "gap"));
    exported whole = forge_end(&forged);
    cr_assert_eq(peer_import(&all->a, &whole).waiting, 4);
    peer_write(&all->a, 0, "text");
    peer_reopen(&all->a);
    assert_waiting(&all->a, 4, 0);
    peer_check(&all->a, "text");
    exported_free(&whole);
}

PEERS_TEST(exchange_hostile, keeps_waiting_events_aside_that_turn_out_wrong)
{
    forgery forged;
    grove_event_id parents[] = {event_of("q", 0), event_of("q", 1)};
    forgery_init(&forged);
    forge_run(&forged, text_run_of(event_of("r", 0), parents, 2, 0, "x"));
    exported whole = forge_end(&forged);
    cr_assert_eq(peer_import(&all->a, &whole).waiting, 1);
    exported_free(&whole);
    forgery_init(&forged);
    forge_run(&forged, run_after("q", 0, NULL, 0, "ab"));
    whole = forge_end(&forged);
    /* One parent comes before the other, which nobody could know. */
    cr_assert_eq(peer_import(&all->a, &whole).events, 2);
    assert_waiting(&all->a, 1, 1);
    peer_save(&all->a);
    peer_reopen(&all->a);
    assert_waiting(&all->a, 1, 1);
    peer_check(&all->a, "ab");
    exported_free(&whole);
}

/* A place beyond the text shows only when the parents have come; it must not
 * keep these, or the document's own events, from being taken in and saved. */
PEERS_TEST(exchange_hostile, a_waiting_event_beyond_the_text_blocks_nobody)
{
    forgery forged;
    grove_event_id parent = event_of("q", 0);
    forgery_init(&forged);
    forge_run(&forged, run_after("r", 0, &parent, 100, "x"));
    exported whole = forge_end(&forged);
    cr_assert_eq(peer_import(&all->a, &whole).waiting, 1);
    peer_save(&all->a);
    exported_free(&whole);
    forgery_init(&forged);
    forge_run(&forged, run_after("q", 0, NULL, 0, "a"));
    whole = forge_end(&forged);
    cr_assert_eq(peer_import(&all->a, &whole).events, 1);
    peer_check(&all->a, "a");
    peer_write(&all->a, 1, "b");
    peer_reopen(&all->a);
    peer_check(&all->a, "ab");
    exported_free(&whole);
}

/* --- forged snapshots --- */

/* What a forged export with a snapshot says; good unless it is changed. */
typedef struct claim {
    const char *replicas[3];
    size_t replica_count;
    grove__exchange_run runs[3];
    size_t run_count;
    const char *text;
    grove__snapshot_header header;
    grove__head heads[2];
    grove_event_run run; /* after what was removed */
} claim;

/* aa 0 to 1 and bb 0 were removed; bb 1 is retained, cc 0 not in the state. */
static claim good_claim(void)
{
    static const grove_event_id parent = {.replica = {2, "bb"}, .sequence = 0};
    claim good = {.replicas = {"aa", "bb"},
                  .replica_count = 2,
                  .runs = {{0, 0, 2}, {1, 0, 1}},
                  .run_count = 2,
                  .text = "abc"};
    good.header = (grove__snapshot_header){3, 3, 1, 1};
    good.heads[0] = (grove__head){2, event_of("bb", 0), 0};
    good.run = text_run_of(event_of("bb", 1), &parent, 1, 3, "d");
    return good;
}

static void forge_state(const char *utf8, grove_type_buffers *buffers)
{
    const grove_document_type *type = grove_type_text();
    void *state;
    grove_operation operation = {GROVE_TEXT_INSERT, (uint32_t)strlen(utf8), 0,
                                 grove_bytes_of(utf8)};
    cr_assert_eq(type->state_new(type, &grove__allocator_system, &state), GROVE_OK);
    cr_assert_eq(type->state_apply(type, state, (grove_operations){&operation, 1},
                                   (grove_stamps){NULL, 0}, NULL),
                 GROVE_OK);
    grove_buffer_init(&buffers->structure, &grove__allocator_system);
    grove_buffer_init(&buffers->content, &grove__allocator_system);
    cr_assert_eq(type->state_encode(type, state, buffers, NULL), GROVE_OK);
    type->state_free(type, state);
}

static void forge_claim(forgery *forged, const claim *says)
{
    grove_type_buffers frames = {.structure_cut_count = 0};
    grove_replica replicas[3];
    grove_buffer payload;
    grove_buffer_init(&payload, &grove__allocator_system);
    for (size_t index = 0; index < says->replica_count; index++) {
        replicas[index] = event_of(says->replicas[index], 0).replica;
    }
    forgery_init(forged);
    grove__exchange_ids_encode(replicas, says->replica_count, says->runs, says->run_count,
                               &payload);
    forge_item(forged, GROVE__EXCHANGE_IDS, grove_buffer_view(&payload));
    grove_buffer_reset(&payload);
    forge_state(says->text, &frames);
    cr_assert_eq(grove__snapshot_encode(
                     &says->header, says->heads,
                     &(grove__snapshot_frames){grove_buffer_view(&frames.structure),
                                               grove_buffer_view(&frames.content),
                                               {NULL, 0}},
                     grove__batch_packing_usual(), &payload, NULL),
                 GROVE_OK);
    forge_item(forged, GROVE__EXCHANGE_SNAPSHOT, grove_buffer_view(&payload));
    grove_buffer_release(&payload);
    grove_buffer_release(&frames.structure);
    grove_buffer_release(&frames.content);
    if (says->run.operation.count > 0) {
        forge_run(forged, says->run);
    }
}

static void refuse_claim(peers *all, const claim *says)
{
    forgery forged;
    forge_claim(&forged, says);
    refuse(&all->c, &forged, GROVE_MALFORMED);
}

PEERS_TEST(exchange_hostile, adopts_a_forgery_that_says_nothing_wrong)
{
    claim says = good_claim();
    forgery forged;
    forge_claim(&forged, &says);
    exported whole = forge_end(&forged);
    cr_assert(peer_import(&all->c, &whole).adopted);
    peer_check(&all->c, "abcd");
    peer_reopen(&all->c);
    cr_assert_eq(grove_document_damaged_snapshots(all->c.document), 0);
    peer_check(&all->c, "abcd");
    exported_free(&whole);
}

PEERS_TEST(exchange_hostile, refuses_snapshots_of_other_versions)
{
    claim says = good_claim();
    says.header.clock = 4; /* of all events, with the head of three */
    says.heads[0].clock = 3;
    refuse_claim(all, &says);
    says = good_claim();
    says.header.clock = 2;
    says.header.base_clock = 2;
    says.heads[0] = (grove__head){1, event_of("aa", 1), 0};
    refuse_claim(all, &says);
    says = good_claim();
    says.header.clock = 5;
    says.heads[0] = (grove__head){4, event_of("bb", 2), 0};
    refuse_claim(all, &says);
    says = good_claim();
    says.heads[0].id = event_of("aa", 1);
    refuse_claim(all, &says);
    says = good_claim();
    says.heads[0].id.sequence = 7;
    refuse_claim(all, &says);
    says = good_claim();
    says.header.head_count = 2;
    says.heads[1] = says.heads[0];
    says.heads[0] = (grove__head){1, event_of("aa", 1), 0};
    refuse_claim(all, &says);
}

PEERS_TEST(exchange_hostile, refuses_ids_that_cannot_be)
{
    claim says = good_claim();
    says.replicas[0] = "bb"; /* twice, also when it made the last event */
    refuse_claim(all, &says);
    says = good_claim();
    says.replicas[2] = "aa";
    says.replica_count = 3;
    says.runs[2] = (grove__exchange_run){2, 0, 1};
    says.run_count = 3;
    says.header = (grove__snapshot_header){4, 4, 1, 1};
    says.heads[0] = (grove__head){3, event_of("aa", 0), 0};
    says.run.operation.count = 0;
    refuse_claim(all, &says);
    says = good_claim();
    says.replicas[2] = "cc"; /* without events */
    says.replica_count = 3;
    refuse_claim(all, &says);
    says = good_claim();
    says.runs[1].replica = 2;
    refuse_claim(all, &says);
    says = good_claim();
    says.runs[1].count = GROVE_DOCUMENT_EVENTS_MAX;
    refuse_claim(all, &says);
    says = good_claim();
    says.runs[1].count = UINT64_MAX - 1;
    refuse_claim(all, &says);
    says = good_claim();
    says.run_count = 0;
    says.replica_count = 0;
    refuse_claim(all, &says);
}

PEERS_TEST(exchange_hostile, refuses_retained_events_that_do_not_go_on)
{
    const grove_event_id before = event_of("aa", 1);
    claim says = good_claim();
    says.run.first.sequence = 2; /* a gap */
    refuse_claim(all, &says);
    says = good_claim();
    says.run.first.sequence = 0; /* removed already */
    says.run.parent_count = 0;
    refuse_claim(all, &says);
    /* The base is not critical. */
    says = good_claim();
    says.run.parent_count = 0;
    refuse_claim(all, &says);
    says = good_claim();
    says.run.parents = &before;
    refuse_claim(all, &says);
    says = good_claim();
    says.run.operation.position = 4;
    refuse_claim(all, &says);
}

/* --- graphs that take long --- */

enum { CHAIN = 18000 };

static void forge_chain(forgery *forged, const char *replica)
{
    static char letters[CHAIN + 1];
    memset(letters, replica[0], CHAIN);
    forge_run(forged, run_after(replica, 0, NULL, 0, letters));
}

/* Two chains, and events that each merge a place of one with some place of the
 * other: whoever goes from one of these to the next crosses much of a chain. */
static void check_quadratic(peers *all)
{
    forgery forged;
    uint64_t place = 1;
    forgery_init(&forged);
    forge_chain(&forged, "x");
    forge_chain(&forged, "y");
    for (uint64_t index = 0; index < CHAIN; index++) {
        place = (place * 3877 + 29573) % CHAIN;
        grove_event_id parents[] = {event_of("x", index), event_of("y", place)};
        forge_run(&forged, text_run_of(event_of("z", index), parents, 2, 0, "z"));
    }
    peer_write(&all->a, 0, "text");
    exported whole = forge_end(&forged);
    assert_refuses(&all->a, exported_view(&whole), GROVE_LIMIT);
    exported_free(&whole);
    peer_write(&all->a, 4, "!");
    peer_check(&all->a, "text!");
}

Test(exchange_hostile, refuses_a_graph_that_cannot_be_merged_in_good_time, .timeout = 300)
{
    run_peers("memory", NULL, check_quadratic);
}
