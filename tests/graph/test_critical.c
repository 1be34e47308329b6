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

/* What is critical when events follow that have no parent before `bound` - 1:
 * the first list, as far as the bound. */
static bool is_critical_within(const grove__range_list *all, uint64_t clock,
                               uint64_t bound)
{
    for (size_t index = 0; index < all->count; index++) {
        if (clock >= all->items[index].from && clock < all->items[index].end) {
            return clock <= bound;
        }
    }
    return false;
}

static void check_since(const grove__graph *graph, const grove__range_list *all,
                        uint64_t clock, uint64_t bound)
{
    uint64_t newest = clock < graph->end ? clock : graph->end;
    while (newest > graph->base && !is_critical_within(all, newest, bound)) {
        newest--;
    }
    bool is_there = newest <= clock && is_critical_within(all, newest, bound);
    grove__range_list since = {0};
    grove_error error = {0};
    cr_assert_eq(grove__critical_since(graph, clock, bound, &grove__allocator_system,
                                       &since, &error),
                 is_there ? GROVE_OK : GROVE_HISTORY_REMOVED);
    cr_assert_eq(since.count > 0, is_there);
    cr_assert_eq(error.status, is_there ? GROVE_OK : GROVE_HISTORY_REMOVED);
    model_check_ranges(grove__range_list_view(&since));
    if (is_there) {
        /* It may begin earlier, with those directly before the newest. */
        uint64_t first = since.items[0].from;
        cr_assert(first <= newest && newest < since.items[0].end);
        cr_assert(clock >= since.items[0].end || newest == clock);
        for (uint64_t each = first; each <= graph->end + 1; each++) {
            cr_assert_eq(is_critical_within(&since, each, UINT64_MAX),
                         is_critical_within(all, each, bound), "clock %llu",
                         (unsigned long long)each);
        }
    }
    grove__range_list_release(&since, &grove__allocator_system);
}

static void check_since_everywhere(const graph_model *model, uint64_t base)
{
    graph_subject subject;
    subject_init(&subject, model, base, &grove__allocator_system);
    grove__range_list all = {0};
    cr_assert_eq(
        grove__critical_all(&subject.graph, &grove__allocator_system, &all, NULL),
        GROVE_OK);
    for (uint64_t clock = 0; clock <= model->count + 1; clock++) {
        for (uint64_t bound = 0; bound <= model->count + 1; bound++) {
            check_since(&subject.graph, &all, clock, bound);
        }
        check_since(&subject.graph, &all, clock, UINT64_MAX);
    }
    check_since(&subject.graph, &all, UINT64_MAX, UINT64_MAX);
    grove__range_list_release(&all, &grove__allocator_system);
    subject_release(&subject);
}

static void check_since_all_bases(const graph_model *model, void *context)
{
    (void)context;
    for (uint64_t base = 0; base <= model->count; base++) {
        check_since_everywhere(model, base);
    }
}

Test(critical, since_a_clock_are_those_of_all_from_the_newest_before_it_to_the_bound)
{
    for (uint32_t count = 0; count <= 5; count++) {
        model_each(count, 0, check_since_all_bases, NULL);
    }
    test_random random = test_random_of("critical since");
    for (uint32_t round = 0; round < 300; round++) {
        graph_model model;
        model_random(&model, &random, 1 + (uint32_t)test_random_below(&random, 63), 3,
                     round % 4);
        check_since_everywhere(
            &model, round % 2 == 0 ? 0 : test_random_below(&random, model.count + 1));
    }
}

Test(critical, a_bound_is_what_events_to_come_would_do)
{
    test_random random = test_random_of("critical bound");
    for (uint32_t round = 0; round < 500; round++) {
        graph_model model;
        model_random(&model, &random, 1 + (uint32_t)test_random_below(&random, 40), 3,
                     round % 4);
        uint32_t parent = (uint32_t)test_random_below(&random, model.count);
        graph_subject before;
        subject_init(&before, &model, 0, &grove__allocator_system);
        /* An event that has the parent, and one that has all heads. */
        model_add(&model, 7, UINT64_C(1) << parent);
        model_add(&model, 7, model_reduce(&model, model_first(model.count)));
        graph_subject after;
        subject_init(&after, &model, 0, &grove__allocator_system);
        grove__range_list all = {0};
        cr_assert_eq(
            grove__critical_all(&after.graph, &grove__allocator_system, &all, NULL),
            GROVE_OK);
        for (uint64_t clock = 0; clock <= before.graph.end; clock++) {
            grove__range_list since = {0};
            cr_assert_eq(grove__critical_since(&before.graph, clock, (uint64_t)parent + 1,
                                               &grove__allocator_system, &since, NULL),
                         GROVE_OK);
            for (uint64_t each = since.items[0].from; each <= before.graph.end; each++) {
                cr_assert_eq(is_critical_within(&since, each, UINT64_MAX),
                             is_critical_within(&all, each, UINT64_MAX));
            }
            grove__range_list_release(&since, &grove__allocator_system);
        }
        grove__range_list_release(&all, &grove__allocator_system);
        subject_release(&after);
        subject_release(&before);
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
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__range_list clocks = {0};
        grove_status status = grove__critical_since(&subject.graph, 1, UINT64_MAX,
                                                    &faulty.allocator, &clocks, NULL);
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
