#include <criterion/criterion.h>

#include "base/alloc.h"
#include "sequence/spans.h"
#include "support/faulty_allocator.h"
#include "support/random.h"

enum {
    LEAF = GROVE__SPANS_LEAF,
    NODE = GROVE__SPANS_NODE,
    ITEMS_MAX = 40000,
    /* Each put takes so many numbers, of which the span has some at first. */
    STRIDE = 16
};

/* The obvious: the spans one after the other. */
typedef struct naive_list {
    grove__span items[ITEMS_MAX];
    uint32_t count;
    uint32_t next; /* number */
} naive_list;

static void naive_clear(naive_list *list)
{
    list->count = 1;
    list->next = 0;
    list->items[0] = (grove__span){.first = GROVE__SPANS_BEFORE,
                                   .count = GROVE__SPANS_BEFORE_COUNT,
                                   .left = GROVE__SPANS_START,
                                   .right = GROVE__SPANS_END,
                                   .state = 1};
}

static void naive_put(naive_list *list, uint32_t index, grove__span span)
{
    cr_assert(list->count < ITEMS_MAX && index <= list->count);
    memmove(list->items + index + 1, list->items + index,
            (list->count - index) * sizeof span);
    list->items[index] = span;
    list->count++;
}

static void naive_cut(naive_list *list, uint32_t index, uint32_t count)
{
    grove__span rest = list->items[index];
    rest.first += count;
    rest.count -= count;
    rest.left = rest.first - 1;
    list->items[index].count = count;
    naive_put(list, index + 1, rest);
}

static uint32_t naive_prepare(const grove__span *span)
{
    return span->state == 1 ? span->count : 0;
}

static uint32_t naive_effect(const grove__span *span)
{
    return span->is_dead ? 0 : span->count;
}

static uint32_t naive_locate(const naive_list *list, uint32_t number)
{
    uint32_t index = 0;
    while (number < list->items[index].first ||
           number >= list->items[index].first + list->items[index].count) {
        index++;
        cr_assert_lt(index, list->count);
    }
    return index;
}

/* The place of a span by its index, from the first leaf on. */
static grove__place place_of(const grove__spans *spans, uint32_t index)
{
    grove__place place = {0, 0};
    while (index >= spans->leaves[place.leaf].count &&
           spans->leaves[place.leaf].next != GROVE__SPANS_NONE) {
        index -= spans->leaves[place.leaf].count;
        place.leaf = spans->leaves[place.leaf].next;
    }
    place.index = index;
    return place;
}

/* The same place as the end of the leaf before, if there is one. */
static grove__place place_at_end(const grove__spans *spans, grove__place place)
{
    for (uint32_t leaf = 0; place.index == 0 && leaf < spans->leaf_count; leaf++) {
        if (spans->leaves[leaf].next == place.leaf) {
            return (grove__place){leaf, spans->leaves[leaf].count};
        }
    }
    return place;
}

static void check_span(const grove__span *span, const grove__span *expected)
{
    cr_assert_eq(span->first, expected->first);
    cr_assert_eq(span->count, expected->count);
    cr_assert_eq(span->left, expected->left);
    cr_assert_eq(span->right, expected->right);
    cr_assert_eq(span->state, expected->state);
    cr_assert_eq(span->is_dead, expected->is_dead);
    cr_assert_eq(grove__span_prepare(span), naive_prepare(expected));
    cr_assert_eq(grove__span_effect(span), naive_effect(expected));
}

static void check_valid(const grove__spans *spans)
{
    const char *fault = grove__spans_check(spans);
    cr_assert_null(fault, "%s", fault);
}

/* The same spans in the same order, and the tree is sound. */
static void check_all(const grove__spans *spans, const naive_list *list)
{
    check_valid(spans);
    grove__place place = {0, 0};
    for (uint32_t index = 0; index < list->count; index++) {
        cr_assert(grove__spans_normalize(spans, &place));
        check_span(grove__spans_at(spans, place), &list->items[index]);
        place.index++;
    }
    cr_assert_not(grove__spans_normalize(spans, &place));
}

static void check_place(const grove__spans *spans, grove__place place, uint32_t index)
{
    grove__place expected = place_of(spans, index);
    cr_assert(place.leaf == expected.leaf && place.index == expected.index,
              "span %u is at %u, %u, not %u, %u", index, expected.leaf, expected.index,
              place.leaf, place.index);
}

/* The span that has the nth element at the version, by counting. */
static void check_seek(const grove__spans *spans, const naive_list *list, uint64_t nth)
{
    uint64_t left = nth;
    uint64_t effect = 0;
    uint32_t index = 0;
    while (index < list->count && left > naive_prepare(&list->items[index])) {
        left -= naive_prepare(&list->items[index]);
        effect += naive_effect(&list->items[index]);
        index++;
    }
    grove__spans_found found;
    bool is_found = grove__spans_seek(spans, nth, &found);
    cr_assert_eq(is_found, index < list->count);
    if (is_found) {
        check_place(spans, found.place, index);
        cr_assert_eq(found.offset, left - 1);
        cr_assert_eq(found.effect, effect);
    }
}

static uint64_t total_prepare(const naive_list *list)
{
    uint64_t total = 0;
    for (uint32_t index = 0; index < list->count; index++) {
        total += naive_prepare(&list->items[index]);
    }
    return total;
}

static void check_borders_of_seek(const grove__spans *spans, const naive_list *list)
{
    uint64_t total = total_prepare(list);
    if (total > 0) {
        check_seek(spans, list, 1);
        check_seek(spans, list, total);
    }
    check_seek(spans, list, total + 1);
    check_seek(spans, list, UINT32_MAX);
    check_seek(spans, list, (uint64_t)UINT32_MAX + 2);
    check_seek(spans, list, UINT64_MAX);
}

/* All that can be asked of a span and of another one. */
static void check_span_at(const grove__spans *spans, const naive_list *list,
                          uint32_t index, uint32_t other, uint32_t offset)
{
    const grove__span *span = &list->items[index];
    grove__place place = place_of(spans, index);
    check_place(spans, grove__spans_locate(spans, span->first + offset), index);
    cr_assert_eq(naive_locate(list, span->first + offset), index);
    uint64_t effect = 0;
    uint64_t prepare = 0;
    for (uint32_t before = 0; before < index; before++) {
        effect += naive_effect(&list->items[before]);
        prepare += naive_prepare(&list->items[before]);
    }
    cr_assert_eq(grove__spans_effect_before(spans, place), effect);
    if (naive_prepare(span) > 0) {
        check_seek(spans, list, prepare + 1 + offset);
    }
    int order = grove__spans_compare(spans, place, place_of(spans, other));
    cr_assert_eq(order < 0, index < other);
    cr_assert_eq(order > 0, index > other);
}

/* What the random steps work on. */
typedef struct spans_subject {
    grove__spans spans;
    naive_list *list;
    test_random random;
} spans_subject;

static uint32_t below(spans_subject *subject, uint64_t bound)
{
    return (uint32_t)test_random_below(&subject->random, bound);
}

static void subject_init(spans_subject *subject, const char *name)
{
    static naive_list list;
    grove__spans_init(&subject->spans, &grove__allocator_system);
    subject->list = &list;
    naive_clear(&list);
    cr_assert(grove__spans_clear(&subject->spans));
    subject->random = test_random_of(name);
}

static void reserve(spans_subject *subject)
{
    cr_assert(grove__spans_reserve(&subject->spans));
    cr_assert(grove__where_reserve(&subject->spans.where, subject->list->next + STRIDE));
}

static void put(spans_subject *subject, uint32_t index, uint32_t count)
{
    naive_list *list = subject->list;
    reserve(subject);
    grove__span span = {
        .first = list->next,
        .count = count,
        .left = index == 0
                    ? GROVE__SPANS_START
                    : list->items[index - 1].first + list->items[index - 1].count - 1,
        .right = index == list->count ? GROVE__SPANS_END : list->items[index].first,
        .state = below(subject, 3),
        .is_dead = below(subject, 4) == 0,
    };
    list->next += STRIDE;
    grove__place place = place_of(&subject->spans, index);
    if (below(subject, 2) == 0) {
        place = place_at_end(&subject->spans, place);
    }
    place = grove__spans_put(&subject->spans, place, span);
    naive_put(list, index, span);
    check_place(&subject->spans, place, index);
}

static void cut(spans_subject *subject, uint32_t index, uint32_t count)
{
    reserve(subject);
    grove__place place =
        grove__spans_cut(&subject->spans, place_of(&subject->spans, index), count);
    naive_cut(subject->list, index, count);
    check_place(&subject->spans, place, index);
    /* Not the end of a leaf: the rest follows in the same one. */
    check_place(&subject->spans, (grove__place){place.leaf, place.index + 1}, index + 1);
}

static void change(spans_subject *subject, uint32_t index, uint32_t state, bool is_dead)
{
    subject->list->items[index].state = state;
    subject->list->items[index].is_dead = is_dead;
    grove__spans_change(&subject->spans, place_of(&subject->spans, index), state,
                        is_dead);
}

/* Does nothing to a span whose next number is not free. */
static void extend(spans_subject *subject, uint32_t index)
{
    grove__span *span = &subject->list->items[index];
    uint32_t used = (span->first + span->count) % STRIDE;
    if (span->first >= GROVE__SPANS_BEFORE || used == 0) {
        return;
    }
    for (uint32_t other = 0; other < subject->list->count; other++) {
        if (subject->list->items[other].first == span->first + span->count) {
            return;
        }
    }
    uint32_t more = 1 + below(subject, STRIDE - used);
    span->count += more;
    grove__spans_extend(&subject->spans, place_of(&subject->spans, index), more);
}

static void take_step(spans_subject *subject)
{
    uint32_t index = below(subject, subject->list->count);
    const grove__span *span = &subject->list->items[index];
    switch (below(subject, 6)) {
    case 0:
    case 1:
        put(subject, below(subject, subject->list->count + 1),
            1 + below(subject, STRIDE));
        break;
    case 2:
        if (span->count > 1) {
            cut(subject, index,
                1 + below(subject, span->count < 100 ? span->count - 1 : 100));
        }
        break;
    case 3:
    case 4:
        change(subject, index, below(subject, 4), below(subject, 3) == 0);
        break;
    default:
        extend(subject, index);
    }
}

static void look_around(spans_subject *subject)
{
    uint32_t index = below(subject, subject->list->count);
    check_span_at(&subject->spans, subject->list, index,
                  below(subject, subject->list->count),
                  below(subject, subject->list->items[index].count));
    check_span_at(&subject->spans, subject->list, index, index, 0);
    check_borders_of_seek(&subject->spans, subject->list);
    uint64_t total = total_prepare(subject->list);
    if (total > 0) {
        check_seek(&subject->spans, subject->list,
                   1 + test_random_below(&subject->random, total));
    }
}

Test(spans, random_steps_leave_what_they_leave_of_a_list)
{
    spans_subject subject;
    subject_init(&subject, "spans");
    for (uint32_t round = 0; round < 40; round++) {
        for (uint32_t count = 0; count < 200; count++) {
            take_step(&subject);
            check_all(&subject.spans, subject.list);
            look_around(&subject);
        }
        cr_assert(grove__spans_clear(&subject.spans));
        naive_clear(subject.list);
        check_all(&subject.spans, subject.list);
    }
    grove__spans_release(&subject.spans);
}

/* Where the spans of a large sequence are put: at 0, at the end, around one
 * place, anywhere. */
static uint32_t index_of_growth(spans_subject *subject, uint32_t way)
{
    uint32_t count = subject->list->count;
    switch (way) {
    case 0:
        return 0;
    case 1:
        return count;
    case 2:
        return count / 2;
    default:
        return below(subject, count + 1);
    }
}

Test(spans, splits_over_several_levels)
{
    spans_subject subject;
    subject_init(&subject, "spans, splits");
    for (uint32_t way = 0; way < 4; way++) {
        for (uint32_t count = 0; count < 12000; count++) {
            uint32_t index = index_of_growth(&subject, way);
            put(&subject, index, 1 + count % 3);
            if (count % 500 == 0) {
                /* What was before is cut too, here and there. */
                uint32_t before = 0;
                while (subject.list->items[before].count < 1000) {
                    before++;
                }
                cut(&subject, before, 10);
                check_all(&subject.spans, subject.list);
            }
            if (count % 100 == 0) {
                look_around(&subject);
            }
        }
        cr_assert_geq(subject.spans.height, 3);
        check_all(&subject.spans, subject.list);
        for (uint32_t count = 0; count < 2000; count++) {
            take_step(&subject);
        }
        check_all(&subject.spans, subject.list);
        cr_assert(grove__spans_clear(&subject.spans));
        naive_clear(subject.list);
    }
    grove__spans_release(&subject.spans);
}

/* Spans of single elements until there are `leaves` leaves, and those of
 * number `full` has no room left. */
static void fill(spans_subject *subject, uint32_t leaves, uint32_t full)
{
    cr_assert(grove__spans_clear(&subject->spans));
    naive_clear(subject->list);
    while (subject->spans.leaf_count < leaves) {
        put(subject, 0, 1);
    }
    uint32_t leaf = 0;
    uint32_t index = 0;
    for (uint32_t count = 0; count < full; count++) {
        index += subject->spans.leaves[leaf].count;
        leaf = subject->spans.leaves[leaf].next;
    }
    while (subject->spans.leaves[leaf].count < LEAF) {
        /* Behind the first one, so that it does not go to the leaf before. */
        put(subject, index + 1, 2);
    }
    check_all(&subject->spans, subject->list);
}

Test(spans, a_full_leaf_parts_wherever_a_span_is_put)
{
    spans_subject subject;
    subject_init(&subject, "spans, leaf");
    for (uint32_t index = 0; index <= LEAF; index++) {
        fill(&subject, 1, 0);
        cr_assert_eq(subject.spans.height, 0);
        put(&subject, index, 1);
        cr_assert_eq(subject.spans.height, 1);
        cr_assert_eq(subject.spans.leaf_count, 2);
        check_all(&subject.spans, subject.list);
        cr_assert(grove__spans_clear(&subject.spans));
    }
    for (uint32_t index = 1; index < LEAF; index++) {
        fill(&subject, 1, 0);
        cut(&subject, index, 1);
        cr_assert_eq(subject.spans.leaf_count, 2);
        check_all(&subject.spans, subject.list);
    }
    grove__spans_release(&subject.spans);
}

Test(spans, a_full_root_parts_whichever_of_its_leaves_does)
{
    spans_subject subject;
    subject_init(&subject, "spans, node");
    for (uint32_t full = 0; full < NODE; full++) {
        fill(&subject, NODE, full);
        cr_assert_eq(subject.spans.height, 1);
        cr_assert_eq(subject.spans.nodes[subject.spans.root].count, NODE);
        uint32_t index = 0;
        uint32_t leaf = 0;
        for (uint32_t count = 0; count < full; count++) {
            index += subject.spans.leaves[leaf].count;
            leaf = subject.spans.leaves[leaf].next;
        }
        put(&subject, index + 1, 1);
        cr_assert_eq(subject.spans.height, 2);
        cr_assert_eq(subject.spans.leaf_count, NODE + 1);
        check_all(&subject.spans, subject.list);
        for (uint32_t span = 0; span < subject.list->count; span++) {
            check_span_at(&subject.spans, subject.list, span,
                          below(&subject, subject.list->count), 0);
        }
    }
    grove__spans_release(&subject.spans);
}

Test(spans, what_was_before_is_as_long_as_there_are_numbers)
{
    spans_subject subject;
    subject_init(&subject, "spans, before");
    cr_assert_eq(GROVE__SPANS_BEFORE + GROVE__SPANS_BEFORE_COUNT, GROVE__SPANS_START);
    check_borders_of_seek(&subject.spans, subject.list);
    uint32_t last = GROVE__SPANS_BEFORE_COUNT - 1;
    check_span_at(&subject.spans, subject.list, 0, 0, last);
    cut(&subject, 0, last);
    cut(&subject, 0, 1);
    put(&subject, 2, 3);
    check_all(&subject.spans, subject.list);
    check_span_at(&subject.spans, subject.list, 0, 3, 0);
    check_span_at(&subject.spans, subject.list, 1, 0, last - 2);
    check_span_at(&subject.spans, subject.list, 3, 1, 0);
    check_borders_of_seek(&subject.spans, subject.list);
    grove__spans_release(&subject.spans);
}

Test(spans, one_reserve_is_enough_for_four_puts)
{
    faulty_allocator counting;
    faulty_allocator_init(&counting, 0);
    grove__spans spans;
    grove__spans_init(&spans, &counting.allocator);
    cr_assert(grove__spans_clear(&spans));
    uint32_t next = 0;
    for (uint32_t round = 0; round < 3000; round++) {
        cr_assert(grove__spans_reserve(&spans));
        cr_assert(grove__where_reserve(&spans.where, next + 4));
        size_t calls = counting.calls;
        /* The worst: each parts a leaf, a node on each level, and the root. */
        cr_assert_geq(spans.leaf_capacity - spans.leaf_count, 4);
        cr_assert_geq(spans.node_capacity - spans.node_count, 4 * (spans.height + 1));
        for (uint32_t count = 0; count < 4; count++, next++) {
            grove__place place = grove__spans_locate(&spans, GROVE__SPANS_BEFORE);
            (void)grove__spans_put(&spans, place,
                                   (grove__span){.first = next, .count = 1, .state = 1});
        }
        cr_assert_eq(counting.calls, calls);
        cr_assert_eq(grove__spans_bytes(&spans), counting.bytes);
    }
    check_valid(&spans);
    size_t calls = counting.calls;
    cr_assert(grove__spans_clear(&spans));
    cr_assert_eq(counting.calls, calls, "clear keeps the memory");
    cr_assert_eq(grove__spans_bytes(&spans), counting.bytes);
    grove__spans_release(&spans);
    cr_assert_eq(grove__spans_bytes(&spans), 0);
    faulty_allocator_finish(&counting);
}

/* Clears, then puts until something fails. */
static bool put_many(grove__spans *spans)
{
    if (!grove__spans_clear(spans)) {
        return false;
    }
    for (uint32_t number = 0; number < 20 * LEAF; number++) {
        if (!grove__spans_reserve(spans) ||
            !grove__where_reserve(&spans->where, number + 1)) {
            check_valid(spans);
            return false;
        }
        (void)grove__spans_put(spans, (grove__place){0, 0},
                               (grove__span){.first = number, .count = 1, .state = 1});
    }
    check_valid(spans);
    return true;
}

Test(spans, a_failed_allocation_leaves_all_as_it_was)
{
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        faulty_allocator_init(&faulty, nth);
        grove__spans spans;
        grove__spans_init(&spans, &faulty.allocator);
        cr_assert_eq(put_many(&spans), !faulty.has_failed);
        cr_assert(put_many(&spans), "the next time it works");
        cr_assert_eq(grove__spans_bytes(&spans), faulty.bytes);
        grove__spans_release(&spans);
        faulty_allocator_finish(&faulty);
        if (!faulty.has_failed) {
            break;
        }
    }
}

/* Changes a number, and expects the fault that this is; 0 is set to 1. */
static void check_fault(const grove__spans *spans, uint32_t *number, uint32_t value,
                        const char *fault)
{
    uint32_t kept = *number;
    *number = value;
    const char *found = grove__spans_check(spans);
    cr_assert_not_null(found, "no fault where this is one: %s", fault);
    cr_assert_str_eq(found, fault);
    *number = kept;
    check_valid(spans);
}

Test(spans, check_finds_each_kind_of_fault)
{
    spans_subject subject;
    subject_init(&subject, "spans, faults");
    fill(&subject, 2, 1);
    grove__spans *spans = &subject.spans;
    grove__spans_leaf *left = &spans->leaves[0];
    grove__spans_leaf *right = &spans->leaves[1];
    grove__spans_node *root = &spans->nodes[spans->root];
    uint32_t number = left->items[0].first;
    check_fault(spans, &left->count, 0, "a leaf is empty or too full");
    check_fault(spans, &left->count, LEAF + 1, "a leaf is empty or too full");
    check_fault(spans, &left->items[0].count, 0, "a span is empty");
    check_fault(spans, &left->next, GROVE__SPANS_NONE, "a leaf is not linked");
    check_fault(spans, &right->parent, 7, "a child does not know its parent");
    check_fault(spans, &right->slot, 0, "a child does not know its parent");
    check_fault(spans, &root->count, 1, "a node has too few or too many children");
    check_fault(spans, &root->prepare[0], 9999, "a node's sums are not its child's");
    check_fault(spans, &root->effect[1], 9999, "a node's sums are not its child's");
    check_fault(spans, &root->before[0], 9999, "a node's sums are not its child's");
    check_fault(spans, &spans->where.values[number], 1,
                "a span is not where it should be");
    uint32_t before = right->count - 1;
    cr_assert_eq(right->items[before].first, GROVE__SPANS_BEFORE);
    check_fault(spans, &right->items[before].first, GROVE__SPANS_BEFORE + 1,
                "what was before does not ascend");
    check_fault(spans, &right->items[before].count, 9,
                "some of what was before is missing");
    grove__spans_release(spans);
}
