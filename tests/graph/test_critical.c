#include <criterion/criterion.h>

#include "model.h"
#include "support/faulty_allocator.h"

/* By the definition: one head, and everything else is before or after it. */
static bool is_critical(const graph_model *model, uint64_t clock)
{
    if (clock == 0) {
        return true;
    }
    uint64_t first = model_first(clock);
    if (model_reduce(model, first) != UINT64_C(1) << (clock - 1)) {
        return false;
    }
    for (uint32_t event = (uint32_t)clock; event < model->count; event++) {
        if ((first & ~model->ancestors[event]) != 0) {
            return false;
        }
    }
    return true;
}

static void check_critical(const graph_model *model, uint64_t base)
{
    graph_subject subject;
    subject_init(&subject, model, base, &grove__allocator_system);
    grove__range_list clocks = {0};
    cr_assert_eq(
        grove__critical_all(&subject.graph, &grove__allocator_system, &clocks, NULL),
        GROVE_OK);
    model_check_ranges(grove__range_list_view(&clocks));
    size_t next = 0;
    uint64_t newest = UINT64_MAX;
    for (uint64_t clock = 0; clock <= model->count; clock++) {
        while (next < clocks.count && clocks.items[next].end <= clock) {
            next++;
        }
        bool is_listed = next < clocks.count && clocks.items[next].from <= clock;
        cr_assert_eq(is_listed, clock >= base && is_critical(model, clock));
        newest = is_listed ? clock : newest;
        uint64_t found = UINT64_MAX;
        grove_status status =
            grove__critical_at_or_before(&subject.graph, clock, &found, NULL);
        cr_assert_eq(status, newest == UINT64_MAX ? GROVE_HISTORY_REMOVED : GROVE_OK);
        cr_assert_eq(found, newest);
    }
    grove__range_list_release(&clocks, &grove__allocator_system);
    subject_release(&subject);
}

static void check_all_bases(const graph_model *model, void *context)
{
    (void)context;
    for (uint64_t base = 0; base <= model->count; base++) {
        check_critical(model, base);
    }
}

Test(critical, every_graph_of_up_to_5_events_behind_every_base)
{
    for (uint32_t count = 0; count <= 5; count++) {
        model_each(count, 0, check_all_bases, NULL);
    }
}

Test(critical, random_graphs)
{
    test_random random = test_random_of("critical");
    for (uint32_t round = 0; round < 3000; round++) {
        graph_model model;
        model_random(&model, &random, 1 + (uint32_t)test_random_below(&random, 63), 3,
                     round % 4);
        check_critical(&model,
                       round % 2 == 0 ? 0 : test_random_below(&random, model.count + 1));
    }
}

Test(critical, a_later_event_undoes_it_and_the_hint_stays_behind)
{
    graph_model model = {0};
    model_add(&model, 0, 0);
    model_add(&model, 0, 1);
    graph_subject subject;
    subject_init(&subject, &model, 0, &grove__allocator_system);
    uint64_t found;
    cr_assert(grove__graph_has_one_head(&subject.graph));
    cr_assert_eq(grove__critical_at_or_before(&subject.graph, 2, &found, NULL), GROVE_OK);
    cr_assert_eq(found, 2);
    model_add(&model, 1, 1);
    subject_add(&subject, &model, 2);
    cr_assert_not(grove__graph_has_one_head(&subject.graph));
    cr_assert_eq(grove__critical_at_or_before(&subject.graph, 2, &found, NULL), GROVE_OK);
    cr_assert_eq(found, 1);
    subject_release(&subject);
}

Test(critical, a_failed_allocation_leaves_an_empty_list)
{
    test_random random = {3};
    graph_model model;
    model_random(&model, &random, 60, 2, 2);
    graph_subject subject;
    subject_init(&subject, &model, 0, &grove__allocator_system);
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__range_list clocks = {0};
        grove_status status =
            grove__critical_all(&subject.graph, &faulty.allocator, &clocks, NULL);
        cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
        cr_assert_eq(clocks.count == 0, faulty.has_failed);
        grove__range_list_release(&clocks, &faulty.allocator);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
    subject_release(&subject);
}
