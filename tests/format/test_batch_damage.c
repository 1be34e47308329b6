/* Batches that are damaged, or say what cannot be. */
#include "format/batches.h"
#include "support/faulty_allocator.h"
#include "support/reseal.h"

/* A small batch with all there is in it. */
static void make_sample(test_random *random, const grove_document_type *type,
                        size_t count, grove_buffer *block)
{
    grove__events events;
    test_history history = test_history_generate(random, type, count);
    grove__events_init(&events, &grove__allocator_system);
    test_history_append(&history, 0, history.count, &events);
    encode(&events, type, history.reach, RAW, block);
    grove__events_release(&events);
    test_history_free(&history);
}

Test(batch_damage, every_flipped_bit_and_every_cut_is_found)
{
    test_random random = test_random_of("every_flipped_bit_and_every_cut_is_found");
    grove__events events;
    grove_error error;
    grove__events_init(&events, &grove__allocator_system);
    for (int round = 0; round < 3 * TYPE_COUNT; round++) {
        const grove_document_type *type = TYPES[round % TYPE_COUNT];
        grove_buffer block;
        grove_buffer_init(&block, &grove__allocator_system);
        make_sample(&random, type, 1 + test_random_below(&random, 40), &block);
        for (size_t bit = 0; bit < block.size * 8; bit++) {
            block.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            grove_status status = decode(grove_buffer_view(&block), type,
                                         GROVE__DECODE_ALL, &events, &error);
            cr_assert(status == GROVE_CORRUPT || status == GROVE_FORMAT_NEWER);
            cr_assert_eq(events.count, 0);
            block.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t size = 0; size < block.size; size++) {
            uint8_t *cut = test_allocate(size);
            memcpy(cut, block.data, size);
            cr_assert_eq(decode((grove_bytes){cut, size}, type, GROVE__DECODE_ALL,
                                &events, &error),
                         GROVE_CORRUPT);
            free(cut);
        }
        grove_buffer_release(&block);
    }
    grove__events_release(&events);
}

/* What was accepted keeps all rules and is what it says: it comes back. */
static void check_accepted(grove__events *events, const grove_document_type *type)
{
    grove__events again;
    grove_buffer block;
    grove__events_init(&again, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    test_events_check_ids(events);
    encode(events, type, 0, RAW, &block);
    decode_all(grove_buffer_view(&block), type, &again);
    test_events_check_same(events, &again);
    grove_buffer_release(&block);
    grove__events_release(&again);
}

Test(batch_damage, a_lie_behind_right_checksums_is_refused_or_keeps_all_rules)
{
    test_random random =
        test_random_of("a_lie_behind_right_checksums_is_refused_or_keeps_all_rules");
    size_t accepted = 0;
    size_t refused = 0;
    grove__events events;
    grove_error error;
    grove__events_init(&events, &grove__allocator_system);
    for (int round = 0; round < 60; round++) {
        const grove_document_type *type = TYPES[round % TYPE_COUNT];
        grove_buffer block;
        grove_buffer_init(&block, &grove__allocator_system);
        make_sample(&random, type, 1 + test_random_below(&random, 30), &block);
        uint8_t *lie = test_allocate(block.size);
        for (size_t at = 8; at < block.size; at++) {
            memcpy(lie, block.data, block.size);
            lie[at] = (uint8_t)(lie[at] + (round % 2 == 0 ? 1 : 0xff));
            if (test_chance(&random, 20)) {
                lie[test_random_below(&random, block.size)] ^= 1;
            }
            reseal(lie, block.size);
            grove_status status = decode((grove_bytes){lie, block.size}, type,
                                         GROVE__DECODE_ALL, &events, &error);
            if (status == GROVE_OK) {
                accepted++;
                check_accepted(&events, type);
                continue;
            }
            refused++;
            cr_assert(status == GROVE_CORRUPT || status == GROVE_FORMAT_NEWER);
            cr_assert_leq(error.offset, block.size);
            cr_assert_eq(events.count, 0);
        }
        free(lie);
        grove_buffer_release(&block);
    }
    cr_assert_gt(accepted, 100);
    cr_assert_gt(refused, 1000);
    grove__events_release(&events);
}

/* ---- Lies that are made on purpose ---- */

/* A frame of graph or timestamps that says what cannot be. */
typedef struct lie {
    const char *name;
    const char *fault; /* what the error says */
    uint32_t event_count;
    size_t size;
    uint8_t frame[40];
} lie;

#define LIE(name, fault, events, ...)                                \
    {                                                                \
        (name), (fault), (events), sizeof((uint8_t[]){__VA_ARGS__}), \
        {                                                            \
            __VA_ARGS__                                              \
        }                                                            \
    }
#define A 1, 1, 'a'                                    /* one replica, "a" */
#define A_B 2, 1, 'a', 1, 'b'                          /* two */
#define LEB48 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40 /* 2^48 */

static const lie GRAPH_LIES[] = {
    /* First what is true: a.0 as a root; a.7 after a.6, outside. */
    LIE("", "", 1, A, 1, 1, 0, 1),
    LIE("", "", 1, A, 1, 1, 1, 14, 0),
    /* a.0, b.0 after a.0, a.1 after a.0 only. */
    LIE("", "", 3, A_B, 3, 2, 0, 0, 0, 2, 0, 1, 1, 0),
    {"no frame", "the replicas end early", 1, 0, {0}},
    LIE("no replica", "more runs than events, or none", 1, 0),
    LIE("no replica but runs", "no replica", 1, 0, 1, 1, 0, 1),
    LIE("replica without bytes", "a replica that cannot be", 1, 1, 0, 1, 1, 0, 1),
    LIE("replica too long", "a replica that cannot be", 1, 1, 65, 'a'),
    LIE("replica cut off", "a replica that cannot be", 1, 1, 2, 'a'),
    LIE("replica twice", "a replica twice", 1, 2, 1, 'a', 1, 'a', 1, 1, 0, 1),
    LIE("replica not used", "a replica without an event", 1, A_B, 1, 1, 0, 1),
    LIE("replicas without end", "a replica that cannot be", 1, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 1),
    LIE("no id runs", "more runs than events, or none", 1, A, 0, 1, 1),
    LIE("no parent runs", "more runs than events, or none", 1, A, 1, 0, 0),
    LIE("id runs beyond events", "more runs than events, or none", 1, A, 2, 1, 0, 0, 0,
        1),
    LIE("parent runs beyond events", "more runs than events, or none", 1, A, 1, 2, 0, 0,
        1, 1),
    LIE("id run of no replica", "an id run of no replica", 1, A, 1, 1, 2, 1),
    LIE("id run of more events", "id runs of more events than there are", 2, A_B, 2, 1, 1,
        0, 2, 1),
    LIE("id run in two pieces", "an id run in two pieces", 2, A, 2, 1, 0, 0, 0, 1),
    LIE("jump of nothing", "a jump that is none", 1, A, 1, 1, 1, 0, 1),
    LIE("jump cut off", "the columns end early", 1, A, 1, 1, 1),
    LIE("jump below 0", "sequences that are too large", 1, A, 1, 1, 1, 1, 1),
    LIE("sequence at the limit", "sequences that are too large", 1, A, 1, 1, 1, 0x80,
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 1),
    LIE("id twice", "an id twice", 3, A_B, 3, 1, 0, 0, 0, 2, 1, 1, 1),
    LIE("first without predecessor", "the first has none before", 1, A, 1, 1, 0, 0),
    LIE("predecessor in other words", "a predecessor among others, alone", 1, A, 1, 1, 1,
        14, 2, 0),
    LIE("predecessor outside by its id", "a predecessor by its id", 1, A, 1, 1, 1, 14, 2,
        1, 6),
    LIE("predecessor inside by its distance", "a predecessor by its distance", 3, A_B, 3,
        2, 0, 0, 0, 2, 0, 1, 1, 2, 4),
    LIE("parent that goes without saying", "parents that go without saying", 2, A, 1, 2,
        0, 0, 1, 0),
    LIE("parent before the first", "a parent before the first event", 1, A, 1, 1, 0, 2,
        2),
    LIE("parents cut off", "the columns end early", 1, A, 1, 1, 0, 3, 2),
    LIE("outside of no replica", "a parent outside that cannot be", 1, A, 1, 1, 0, 2, 3,
        5),
    LIE("outside cut off", "a parent outside that cannot be", 1, A, 1, 1, 0, 2, 1),
    LIE("outside at the limit", "a parent outside that cannot be", 1, A_B, 1, 1, 0, 2, 3,
        LEB48),
    LIE("outside that comes later", "an id after one that has it as a parent", 2, A_B, 2,
        1, 0, 0, 2, 2, 3, 0),
    LIE("outside that is before", "a parent that is not outside", 2, A_B, 2, 2, 0, 0, 2,
        0, 1, 2, 1, 0),
    LIE("parent that is the event", "a parent that is not outside", 1, A, 1, 1, 0, 2, 1,
        0),
    LIE("predecessor that comes later", "an id after one that has it as a parent", 2, A,
        2, 1, 0, 1, 1, 2, 3, 0),
    LIE("parent twice", "a parent twice", 2, A_B, 2, 2, 0, 0, 2, 0, 1, 3, 2, 2),
    LIE("parent twice, outside", "a parent twice", 1, A_B, 1, 1, 0, 3, 3, 3, 9, 9),
    LIE("too many parents", "too many parents", 1, A, 1, 1, 0, 0x82, 0x08),
    LIE("parents without end", "too many parents", 1, A, 1, 1, 0, 255, 255, 255, 255,
        127),
    LIE("parents of no event", "parents of an event after the last", 2, A, 1, 2, 0, 1, 1,
        1),
    LIE("bytes left over", "bytes after the last", 1, A, 1, 1, 0, 1, 0),
};

static const lie TIMED_LIES[] = {
    /* First what is true: a root; a.7 after a.6, outside, of the time 300; a.7
     * after that and b.3. */
    LIE("", "", 1, A, 1, 1, 0, 1),
    LIE("", "", 1, A, 1, 1, 1, 14, 0, 0xac, 2),
    LIE("", "", 1, A_B, 1, 1, 1, 14, 3, 0, 3, 3, 0xac, 2, 1),
    LIE("", "", 1, A, 1, 1, 1, 14, 0, 255, 255, 255, 255, 255, 255, 0x3f),
    LIE("no times", "a time that cannot be", 1, A, 1, 1, 1, 14, 0),
    LIE("time cut off", "a time that cannot be", 1, A, 1, 1, 1, 14, 0, 0xac),
    LIE("time before all others", "a time that cannot be", 1, A, 1, 1, 1, 14, 0, 0),
    LIE("time beyond the limit", "a time that cannot be", 1, A, 1, 1, 1, 14, 0, LEB48),
    LIE("time that leads beyond it", "a time that cannot be", 2, A, 1, 1, 1, 14, 0, 255,
        255, 255, 255, 255, 255, 0x3f),
    LIE("one of two", "a time that cannot be", 1, A_B, 1, 1, 1, 14, 3, 0, 3, 3, 7),
    LIE("too many", "more times than parents", 1, A, 1, 1, 1, 14, 0, 7, 7),
    LIE("of a root", "more times than parents", 1, A, 1, 1, 0, 1, 7),
    LIE("sequences cut off", "the columns end early", 1, A_B, 1, 1, 0, 2, 3),
};

static const lie TIMES_LIES[] = {
    /* First what is true: 0 for all; 1, then 3 (unit 2); -1, then 1000. */
    LIE("", "", 2, 0, 1, 1, 1, 0x0f, 0),
    LIE("", "", 2, 2, 2, 2, 1, 0x07, 0x00, 0),
    LIE("", "", 40, 1, 7, 2, 3, 0x07, 0xff, 0, 192, 7, 94),
    {"no frame", "columns that are not there", 1, 0, {0}},
    LIE("cut off", "columns that are not there", 1, 0, 1),
    LIE("no unit", "a unit of 0", 1, 0, 0, 1, 1, 0x07, 0),
    LIE("column of heads too long", "columns that are not there", 1, 0, 1, 3, 0, 0x07, 0),
    LIE("column of firsts too long", "columns that are not there", 1, 0, 1, 1, 2, 0x07,
        0),
    LIE("first without its gap", "a gap or count that cannot be", 1, 0, 1, 1, 1, 0x00, 0),
    LIE("first with another gap", "a gap or count that cannot be", 1, 0, 1, 1, 1, 0x07,
        3),
    LIE("gap of nothing", "a gap or count that cannot be", 2, 0, 1, 2, 2, 0x07, 0x07, 0,
        0),
    LIE("short gap in other words", "a gap or count that cannot be", 2, 0, 1, 2, 2, 0x07,
        0x07, 0, 2),
    LIE("gap cut off", "a gap or count that cannot be", 2, 0, 1, 2, 1, 0x07, 0x07, 0),
    LIE("rest cut off", "a gap or count that cannot be", 2, 0, 1, 2, 2, 0x07, 0x07, 0,
        200),
    LIE("gap beyond all numbers", "a gap or count that cannot be", 2, 0, 255, 255, 255,
        255, 255, 255, 255, 255, 127, 2, 1, 0x07, 0x01, 0),
    LIE("fewer than events", "fewer than events", 3, 0, 1, 1, 1, 0x0f, 0),
    LIE("more than events", "more than events", 1, 0, 1, 1, 1, 0x0f, 0),
    LIE("more than all events", "more than events", 40, 0, 1, 1, 2, 0xff, 0, 247, 255,
        255, 255, 255, 255, 255, 255, 127),
    LIE("a count that wraps to 1", "more than events", 1, 0, 1, 1, 2, 0xff, 0, 247, 0x21,
        0xcf, 255, 255, 255, 255, 255, 255),
    LIE("heads left over", "bytes after the last", 1, 0, 1, 2, 1, 0x07, 0x00, 0),
    LIE("firsts left over", "bytes after the last", 1, 0, 1, 1, 2, 0x07, 0, 0),
    LIE("rests left over", "bytes after the last", 1, 0, 1, 1, 1, 0x07, 0, 0),
};

/* A block of one frame; the heads are what makes the table's truths true. */
static void make_block(uint8_t frame, const lie *each, const char *heads,
                       size_t head_bytes, grove_buffer *block)
{
    grove_buffer fields;
    grove_buffer_init(&fields, &grove__allocator_system);
    grove_buffer_u64(&fields, 0);
    grove_buffer_u64(&fields, 0);
    grove_buffer_append(&fields, heads, head_bytes);
    grove__frame one = {frame, {each->frame, each->size}, RAW, NULL, 0};
    cr_assert_eq(grove__block_encode(GROVE__BLOCK_EVENTS, each->event_count,
                                     grove_buffer_view(&fields), &one, 1, block, NULL),
                 GROVE_OK);
    grove_buffer_release(&fields);
}

static void check_lies(uint8_t frame, const grove_document_type *type, uint32_t part,
                       const lie *lies, size_t count, const char *prefix)
{
    grove__events events;
    grove__events_init(&events, &grove__allocator_system);
    for (size_t index = 0; index < count; index++) {
        const lie *each = &lies[index];
        bool is_true = each->name[0] == '\0';
        grove_buffer block;
        grove_error error;
        grove_buffer_init(&block, &grove__allocator_system);
        bool is_two = is_true && each->event_count == 3;
        make_block(frame, each, is_two ? "\2\1\1" : "\1\1", is_two ? 3 : 2, &block);
        grove_status status =
            decode(grove_buffer_view(&block), type, part, &events, &error);
        cr_assert_eq(status, is_true ? GROVE_OK : GROVE_CORRUPT, "%zu %s: %s", index,
                     each->name, error.message);
        if (!is_true) {
            char message[GROVE_ERROR_MESSAGE_BYTES];
            (void)snprintf(message, sizeof message, "%s: %s", prefix, each->fault);
            cr_assert_str_eq(error.message, message, "%s", each->name);
            cr_assert_leq(error.offset, each->size, "%s", each->name);
            cr_assert_eq(events.count, 0);
        }
        grove_buffer_release(&block);
    }
    grove__events_release(&events);
}

Test(batch_damage, a_graph_that_cannot_be_is_corrupt)
{
    check_lies(GROVE__FRAME_GRAPH, &test_type_typing, GROVE__DECODE_GRAPH, GRAPH_LIES,
               sizeof GRAPH_LIES / sizeof *GRAPH_LIES, "graph");
}

Test(batch_damage, a_timed_graph_that_cannot_be_is_corrupt)
{
    check_lies(GROVE__FRAME_GRAPH, &ledger_type, GROVE__DECODE_GRAPH, TIMED_LIES,
               sizeof TIMED_LIES / sizeof *TIMED_LIES, "graph");
}

/* a.7 after a.6, outside, which has the time 9. */
static const lie TIMED = LIE("", "", 1, A, 1, 1, 1, 14, 0, 9);
static const lie UNTIMED = LIE("", "", 1, A, 1, 1, 1, 14, 0);

Test(batch_damage, times_are_there_when_the_type_has_them_and_the_events_a_place)
{
    static const struct {
        const lie *graph;
        const grove_document_type *type;
        uint32_t parts;
        uint64_t time; /* of the parent; UINT64_MAX: corrupt */
    } cases[] = {
        {&TIMED, &ledger_type, 0, 9},
        {&UNTIMED, &ledger_type, 0, UINT64_MAX},
        {&TIMED, &ledger_type, GROVE__DECODE_WAITING, UINT64_MAX},
        {&UNTIMED, &ledger_type, GROVE__DECODE_WAITING, 0},
        {&TIMED, &test_type_typing, 0, UINT64_MAX},
        {&UNTIMED, &test_type_typing, 0, 0},
        {&TIMED, NULL, 0, 9},
        {&UNTIMED, NULL, 0, 0},
        {&TIMED, NULL, GROVE__DECODE_WAITING, UINT64_MAX},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        bool is_right = cases[index].time != UINT64_MAX;
        grove__events events;
        grove_buffer block;
        grove_error error;
        grove__events_init(&events, &grove__allocator_system);
        grove_buffer_init(&block, &grove__allocator_system);
        make_block(GROVE__FRAME_GRAPH, cases[index].graph, "\1\1", 2, &block);
        cr_assert_eq(decode(grove_buffer_view(&block), cases[index].type,
                            GROVE__DECODE_GRAPH | cases[index].parts, &events, &error),
                     is_right ? GROVE_OK : GROVE_CORRUPT, "%zu: %s", index,
                     error.message);
        cr_assert(!is_right || events.parents[0].time == cases[index].time);
        cr_assert(!is_right || grove__event_ids_time(&events, 0) ==
                                   cases[index].time + (cases[index].time > 0));
        grove_buffer_release(&block);
        grove__events_release(&events);
    }
}

Test(batch_damage, timestamps_that_cannot_be_are_corrupt)
{
    check_lies(GROVE__FRAME_TIMESTAMPS, &test_type_typing, GROVE__DECODE_TIMESTAMPS,
               TIMES_LIES, sizeof TIMES_LIES / sizeof *TIMES_LIES, "timestamps");
}

Test(batch_damage, frames_of_no_events_are_corrupt)
{
    static const lie one = {"", "", 0, 1, {0}};
    for (uint8_t frame = 1; frame <= 4; frame++) {
        grove__events events;
        grove_buffer block;
        grove_error error;
        grove__events_init(&events, &grove__allocator_system);
        grove_buffer_init(&block, &grove__allocator_system);
        make_block(frame, &one, "\0", 1, &block);
        cr_assert_eq(decode(grove_buffer_view(&block), &test_type_typing,
                            GROVE__DECODE_ALL, &events, &error),
                     GROVE_CORRUPT);
        grove_buffer_release(&block);
        grove__events_release(&events);
    }
}

typedef struct heads_lie {
    const char *name;
    size_t size;
    const char *heads;
    bool is_seen_at_open; /* else only against the graph */
} heads_lie;

Test(batch_damage, heads_that_are_not_those_of_the_graph_are_corrupt)
{
    /* a.0, b.0 after a.0, a.1 after a.0: two heads. */
    static const lie graph = LIE("", "", 3, A_B, 3, 2, 0, 0, 0, 2, 0, 1, 1, 0);
    static const heads_lie lies[] = {
        {"none", 0, "", true},
        {"cut off", 2, "\2\1", true},
        {"left over", 4, "\2\1\1\1", true},
        {"not the last", 2, "\1\2", true},
        {"same twice", 3, "\2\1\0", true},
        {"before the first", 3, "\2\1\3", true},
        {"more than events", 5, "\4\1\1\1\1", true},
        {"one", 2, "\1\1", false},
        {"another", 3, "\2\1\2", false},
        {"not listed", 1, "\0", false},
    };
    grove__events events;
    grove__events_init(&events, &grove__allocator_system);
    for (size_t index = 0; index < sizeof lies / sizeof *lies; index++) {
        grove_buffer block;
        grove__block opened;
        grove__batch_header header;
        grove_error error;
        grove_buffer_init(&block, &grove__allocator_system);
        make_block(GROVE__FRAME_GRAPH, &graph, lies[index].heads, lies[index].size,
                   &block);
        cr_assert_eq(grove__batch_open(grove_buffer_view(&block), &opened, &header, NULL),
                     lies[index].is_seen_at_open ? GROVE_CORRUPT : GROVE_OK, "%s",
                     lies[index].name);
        cr_assert_eq(decode(grove_buffer_view(&block), &test_type_typing,
                            GROVE__DECODE_GRAPH, &events, &error),
                     GROVE_CORRUPT, "%s", lies[index].name);
        cr_assert_leq(error.offset, block.size);
        grove_buffer_release(&block);
    }
    grove__events_release(&events);
}

Test(batch_damage, a_reach_although_an_event_is_a_root_is_corrupt)
{
    grove__events events;
    grove_buffer block;
    grove_error error;
    grove__events_init(&events, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    append(&events, id_of("a", 0), NULL, 0, deletes(1));
    encode(&events, &test_type_typing, 0, RAW, &block);
    const uint8_t reach[8] = {0, 0, 0, 0, 0, 0, 0, 1};
    grove__block_patch_fields(block.data, 8, reach, sizeof reach);
    cr_assert_eq(decode(grove_buffer_view(&block), &test_type_typing, GROVE__DECODE_GRAPH,
                        &events, &error),
                 GROVE_CORRUPT);
    const uint8_t too_far[8] = {0, 1, 0, 0, 0, 0, 0, 1};
    grove__block_patch_fields(block.data, 8, too_far, sizeof too_far);
    cr_assert_eq(decode(grove_buffer_view(&block), &test_type_typing, 0, &events, &error),
                 GROVE_CORRUPT);
    grove_buffer_release(&block);
    grove__events_release(&events);
}

/* ---- Memory ---- */

Test(batch_damage, a_lie_costs_no_more_memory_than_its_size_allows)
{
    /* Claims of 2^28 of everything. */
    static const lie lies[] = {
        {"replicas", "", GROVE_BATCH_EVENTS_MAX, 5, {0x80, 0x80, 0x80, 0x80, 0x01}},
        {"id runs", "", GROVE_BATCH_EVENTS_MAX, 9, {A, 0x80, 0x80, 0x80, 0x80, 0x01, 1}},
        {"parent runs",
         "",
         GROVE_BATCH_EVENTS_MAX,
         9,
         {A, 1, 0x80, 0x80, 0x80, 0x80, 0x01}},
    };
    for (size_t index = 0; index < sizeof lies / sizeof *lies; index++) {
        grove__budget budget;
        grove__events events;
        grove_buffer block;
        grove_error error;
        grove__budget_init(&budget, &grove__allocator_system, 4096);
        grove__events_init(&events, &budget.allocator);
        grove_buffer_init(&block, &grove__allocator_system);
        make_block(GROVE__FRAME_GRAPH, &lies[index], "\1\1", 2, &block);
        cr_assert_eq(decode(grove_buffer_view(&block), &test_type_typing,
                            GROVE__DECODE_GRAPH, &events, &error),
                     GROVE_CORRUPT, "%s: %s", lies[index].name, error.message);
        grove_buffer_release(&block);
        grove__events_release(&events);
        cr_assert_eq(atomic_load(&budget.used), 0);
    }
}

Test(batch_damage, what_decoding_takes_is_bounded_by_the_frames)
{
    enum { REPLICAS = 60000, FACTOR = 150 };
    /* The dearest of all: replicas of two bytes, each with one event. */
    faulty_allocator counting;
    grove__events events;
    grove__events decoded;
    grove_buffer block;
    faulty_allocator_init(&counting, 0);
    grove__events_init(&events, &grove__allocator_system);
    grove__events_init(&decoded, &counting.allocator);
    grove_buffer_init(&block, &grove__allocator_system);
    for (unsigned number = 0; number < REPLICAS; number++) {
        grove_event_id id = id_of("xx", 0);
        id.replica.bytes[0] = (uint8_t)number;
        id.replica.bytes[1] = (uint8_t)(number >> 8);
        append(&events, id, NULL, 0, deletes(1));
    }
    encode(&events, &test_type_typing, 0, RAW, &block);
    decode_all(grove_buffer_view(&block), &test_type_typing, &decoded);
    cr_assert_lt(counting.bytes_peak, block.size * FACTOR, "%zu times",
                 counting.bytes_peak / block.size);
    grove_buffer_release(&block);
    grove__events_release(&events);
    grove__events_release(&decoded);
    faulty_allocator_finish(&counting);
}
