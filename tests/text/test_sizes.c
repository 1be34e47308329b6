/*
 * How many bytes real histories take, from the directory that GROVE_TRACES
 * names, each as one batch. Sizes depend on nothing but the events and the
 * version of zstd, so that a limit can be kept by a test.
 */
#include "format/batch.h"
#include "support/random_events.h"
#include "support/trace_events.h"

enum { SEALED_LEVEL = 19 };

/* Limits; 0: none. */
typedef struct size_limits {
    size_t history; /* sealed, all but the timestamps */
    size_t sealed;
    size_t saved; /* at once, as usual */
} size_limits;

static size_t frame_bytes(const grove__block *block, uint8_t id)
{
    for (size_t index = 0; index < block->frame_count; index++) {
        if (block->frames[index].id == id) {
            return block->frames[index].stored_bytes;
        }
    }
    return 0;
}

/* The bytes of the batch, which has to come back as it was. */
static size_t packed_bytes(grove__events *events, grove__packing packing,
                           size_t *times_bytes_out)
{
    const grove_document_type *type = grove_type_text();
    grove__events decoded;
    grove_buffer bytes;
    grove__block block;
    grove__batch_header header;
    grove_error error = {GROVE_OK, 0, {0}};
    grove__events_init(&decoded, &grove__allocator_system);
    grove_buffer_init(&bytes, &grove__allocator_system);
    cr_assert_eq(grove__batch_encode(events, type, 0, packing, &bytes, &error), GROVE_OK,
                 "%s", error.message);
    cr_assert_eq(grove__batch_open(grove_buffer_view(&bytes), &block, &header, NULL),
                 GROVE_OK);
    cr_assert_eq(grove__batch_decode(&block, type, GROVE__DECODE_ALL, &decoded, &error),
                 GROVE_OK, "%s", error.message);
    test_events_check_same(events, &decoded);
    for (uint8_t id = GROVE__FRAME_GRAPH; id <= GROVE__FRAME_TIMESTAMPS; id++) {
        (void)fprintf(stderr, " frame %u: %zu,", (unsigned)id, frame_bytes(&block, id));
    }
    *times_bytes_out = frame_bytes(&block, GROVE__FRAME_TIMESTAMPS);
    size_t size = bytes.size;
    grove_buffer_release(&bytes);
    grove__events_release(&decoded);
    return size;
}

static void check_limit(const char *what, size_t bytes, size_t limit)
{
    (void)fprintf(stderr, " %s: %zu bytes\n", what, bytes);
    cr_expect(limit == 0 || bytes <= limit, "%s: %zu bytes, over %zu", what, bytes,
              limit);
}

static void check_trace(const char *name, const char *names_file, uint32_t event_count,
                        size_limits limits)
{
    grove__events events;
    size_t times;
    grove__events_init(&events, &grove__allocator_system);
    trace_events(name, names_file, &events);
    cr_assert_eq(events.count, event_count);
    (void)fprintf(stderr, "%s\n", name);
    size_t sealed =
        packed_bytes(&events, grove__batch_packing_sealed(SEALED_LEVEL), &times);
    check_limit("sealed", sealed, limits.sealed);
    check_limit("sealed, without timestamps", sealed - times, limits.history);
    size_t saved = packed_bytes(&events, grove__batch_packing_usual(), &times);
    check_limit("saved", saved, limits.saved);
    grove__events_release(&events);
}

Test(sizes, a_paper_typed_key_by_key)
{
    check_trace("automerge-paper.json.gz", NULL, 259778,
                (size_limits){69060, 66000, 80000});
}

Test(sizes, a_program)
{
    check_trace("rustcode.json.gz", NULL, 979844, (size_limits){119080, 85000, 105000});
}

Test(sizes, a_component)
{
    check_trace("sveltecomponent.json.gz", NULL, 169517,
                (size_limits){27820, 32000, 38000});
}

Test(sizes, two_who_write_at_once)
{
    check_trace("friendsforever.json.gz", NULL, 26078, (size_limits){21000, 0, 0});
}

Test(sizes, many_who_work_on_long_branches)
{
    check_trace("A2.json.gz", "A2.agents.json", 697638, (size_limits){206730, 0, 0});
}
