#include "sequence/fugue.h"

#include "base/alloc.h"
#include "support/faulty_allocator.h"
#include "support/random.h"

#define NONE GROVE__FUGUE_NONE

/*
 * The model: a set of elements, each known by its rank among all (the later
 * the greater), with the rank of its anchor and a side. Their order is said
 * of each pair by the ways that lead to the two from the beginning: the one
 * that leads left comes first; of two on one side the later is the nearer.
 */
enum { ELEMENTS_MAX = 6, LEFT = 1 };

typedef struct fugue_set {
    uint32_t count;
    uint32_t anchors[ELEMENTS_MAX]; /* a rank below the element's own, or NONE */
    bool is_left[ELEMENTS_MAX];
} fugue_set;

/* Whether an element is another or hangs on it; `*branch` is the last before
 * `top` on the way up. */
static bool hangs_on(const fugue_set *set, uint32_t rank, uint32_t top, uint32_t *branch)
{
    *branch = NONE;
    while (rank != top && rank != NONE) {
        *branch = rank;
        rank = set->anchors[rank];
    }
    return rank == top;
}

static bool model_is_before(const fugue_set *set, uint32_t a, uint32_t b)
{
    uint32_t branch;
    uint32_t other;
    if (hangs_on(set, b, a, &branch)) {
        return !set->is_left[branch];
    }
    if (hangs_on(set, a, b, &branch)) {
        return set->is_left[branch];
    }
    uint32_t top = set->anchors[a];
    while (!hangs_on(set, b, top, &other)) {
        top = set->anchors[top];
    }
    (void)hangs_on(set, a, top, &branch);
    if (set->is_left[branch] != set->is_left[other]) {
        return set->is_left[branch];
    }
    return set->is_left[branch] ? branch < other : branch > other;
}

/* The ranks of those that `known` has, in their order. */
static uint32_t model_list(const fugue_set *set, const bool *known, uint32_t *ranks_out)
{
    uint32_t count = 0;
    for (uint32_t rank = 0; rank < set->count; rank++) {
        uint32_t at = count;
        if (!known[rank]) {
            continue;
        }
        while (at > 0 && model_is_before(set, rank, ranks_out[at - 1])) {
            ranks_out[at] = ranks_out[at - 1];
            at--;
        }
        ranks_out[at] = rank;
        count++;
    }
    return count;
}

/* A list, and the rank of each of its elements. */
typedef struct fugue_view {
    grove__fugue fugue;
    grove__fugue_list list;
    uint32_t ranks[2 * ELEMENTS_MAX];
    uint32_t elements[ELEMENTS_MAX]; /* by rank */
    bool known[ELEMENTS_MAX];
} fugue_view;

static bool is_later(const void *context, uint32_t element, uint32_t other)
{
    const fugue_view *view = context;
    return view->ranks[element] > view->ranks[other];
}

static grove__fugue_order order_of(const fugue_view *view)
{
    return (grove__fugue_order){view, is_later};
}

static void view_init(fugue_view *view, const grove_allocator *allocator)
{
    memset(view, 0, sizeof *view);
    grove__fugue_init(&view->fugue, allocator);
    view->list = (grove__fugue_list)GROVE__FUGUE_EMPTY;
}

static grove__fugue_place place_of(const fugue_view *view, const fugue_set *set,
                                   uint32_t rank)
{
    uint32_t anchor = set->anchors[rank];
    return (grove__fugue_place){anchor == NONE ? NONE : view->elements[anchor],
                                set->is_left[rank]};
}

static void view_add(fugue_view *view, const fugue_set *set, uint32_t rank)
{
    uint32_t element = (uint32_t)view->fugue.count;
    view->ranks[element] = rank;
    view->elements[rank] = element;
    cr_assert(grove__fugue_reserve(&view->fugue, 1));
    grove__fugue_add(&view->fugue, &view->list, order_of(view),
                     place_of(view, set, rank));
    cr_assert_eq(view->fugue.count, element + 1);
    view->known[rank] = true;
}

static void view_check(const fugue_view *view, const fugue_set *set)
{
    uint32_t expected[ELEMENTS_MAX];
    uint32_t count = model_list(set, view->known, expected);
    uint32_t at = view->list.first;
    const char *fault = grove__fugue_check(&view->fugue, &view->list, order_of(view));
    cr_assert_null(fault, "%s", fault);
    for (uint32_t index = 0; index < count; index++) {
        cr_assert_neq(at, NONE);
        cr_assert_eq(view->ranks[at], expected[index]);
        at = view->fugue.links[at].next;
    }
    cr_assert_eq(at, NONE);
}

/* A list with the same elements, numbered in their order, is the same. */
static void check_loaded(const fugue_view *view, const fugue_set *set, uint32_t rank)
{
    fugue_view loaded;
    grove__fugue_place places[ELEMENTS_MAX];
    uint32_t count = 0;
    view_init(&loaded, view->fugue.allocator);
    for (uint32_t at = view->list.first; at != NONE; at = view->fugue.links[at].next) {
        loaded.ranks[count] = view->ranks[at];
        loaded.elements[view->ranks[at]] = count++;
    }
    for (uint32_t index = 0; index < count; index++) {
        places[index] = place_of(&loaded, set, loaded.ranks[index]);
    }
    memcpy(loaded.known, view->known, sizeof loaded.known);
    cr_assert(grove__fugue_reserve(&loaded.fugue, count));
    cr_assert(
        grove__fugue_load(&loaded.fugue, &loaded.list, order_of(&loaded), places, count));
    cr_assert_eq(loaded.fugue.count, count);
    view_check(&loaded, set);
    if (rank != NONE) {
        view_add(&loaded, set, rank);
        view_check(&loaded, set);
    }
    grove__fugue_release(&loaded.fugue);
}

/* Adds it, takes it back, and adds it again: in between all is as before. */
static void add_twice(fugue_view *view, const fugue_set *set, uint32_t rank)
{
    static grove__fugue_links before[ELEMENTS_MAX];
    grove__fugue_list list = view->list;
    uint32_t count = (uint32_t)view->fugue.count;
    for (uint32_t index = 0; index < count; index++) {
        before[index] = view->fugue.links[index];
    }
    view_add(view, set, rank);
    view_check(view, set);
    grove__fugue_take_back(&view->fugue, &view->list);
    view->known[rank] = false;
    cr_assert_eq(view->fugue.count, count);
    cr_assert_eq(memcmp(&list, &view->list, sizeof list), 0);
    for (uint32_t index = 0; index < count; index++) {
        cr_assert_eq(memcmp(&before[index], &view->fugue.links[index], sizeof *before),
                     0);
    }
    view_add(view, set, rank);
    view_check(view, set);
}

/* Goes on to the next set of anchors and sides, of an element one after the
 * other: NONE, then left and right of each before it. False: that was all. */
static bool next_set(fugue_set *set)
{
    for (uint32_t rank = 0; rank < set->count; rank++) {
        if (set->anchors[rank] == NONE) {
            if (rank > 0) {
                set->anchors[rank] = 0;
                set->is_left[rank] = false;
                return true;
            }
        } else if (!set->is_left[rank]) {
            set->is_left[rank] = true;
            return true;
        } else if (set->anchors[rank] + 1 < rank) {
            set->anchors[rank]++;
            set->is_left[rank] = false;
            return true;
        }
        set->anchors[rank] = NONE;
        set->is_left[rank] = false;
    }
    return false;
}

/* The next order of the numbers; false: that was the last. */
static bool next_order(uint32_t *order, uint32_t count)
{
    uint32_t index = count;
    while (index > 1 && order[index - 2] > order[index - 1]) {
        index--;
    }
    if (index <= 1) {
        return false;
    }
    uint32_t larger = count - 1;
    while (order[larger] < order[index - 2]) {
        larger--;
    }
    uint32_t held = order[larger];
    order[larger] = order[index - 2];
    order[index - 2] = held;
    for (uint32_t low = index - 1, high = count - 1; low < high; low++, high--) {
        held = order[low];
        order[low] = order[high];
        order[high] = held;
    }
    return true;
}

static bool is_causal(const fugue_set *set, const uint32_t *order)
{
    bool known[ELEMENTS_MAX] = {false};
    for (uint32_t index = 0; index < set->count; index++) {
        uint32_t anchor = set->anchors[order[index]];
        if (anchor != NONE && !known[anchor]) {
            return false;
        }
        known[order[index]] = true;
    }
    return true;
}

Test(fugue, every_set_in_every_order_of_arrival_is_the_list_that_the_model_says)
{
    uint64_t orders = 0;
    for (uint32_t count = 0; count < ELEMENTS_MAX; count++) {
        fugue_set set = {.count = count};
        memset(set.anchors, 0xff, sizeof set.anchors);
        for (uint32_t rank = 0; rank < count; rank++) {
            set.anchors[rank] = NONE;
        }
        do {
            uint32_t order[ELEMENTS_MAX] = {0, 1, 2, 3, 4, 5};
            do {
                fugue_view view;
                if (!is_causal(&set, order)) {
                    continue;
                }
                orders++;
                view_init(&view, &grove__allocator_system);
                check_loaded(&view, &set, count > 0 ? order[0] : NONE);
                for (uint32_t index = 0; index < count; index++) {
                    add_twice(&view, &set, order[index]);
                    check_loaded(&view, &set,
                                 index + 1 < count ? order[index + 1] : NONE);
                }
                grove__fugue_release(&view.fugue);
            } while (next_order(order, count));
        } while (next_set(&set));
    }
    (void)fprintf(stderr, "fugue: %llu orders\n", (unsigned long long)orders);
    cr_assert_eq(orders, 15018);
}

/* --- named cases --- */

/* Lists of letters; a capital is later than all before it. */
typedef struct fugue_case {
    const char *claim;
    /* In threes: the element, '<' or '>', its anchor; '.' is the beginning. In
     * the order of arrival; letters later in the alphabet are later. */
    const char *written;
    const char *order;
} fugue_case;

static const fugue_case CASES[] = {
    {"no elements, no list", "", ""},
    {"one right of the beginning", "a>.", "a"},
    {"each right of the one before", "a>. b>a c>b", "abc"},
    {"each left of the one before", "a>. b<a c<b", "cba"},
    {"what is newest stands next to its anchor", "a>. b>a c>a d>a", "adcb"},
    {"on the left as well", "a>. b<a c<a d<a", "bcda"},
    {"and at the beginning", "a>. b>. c>.", "cba"},
    {"what comes late finds its turn", "a>. d>a c>a b>a", "adcb"},
    {"on the left too", "a>. d<a c<a b<a", "bcda"},
    {"what hangs on one stays with it", "a>. b>a d>a e>b f<d c>a", "afdcbe"},
    {"also what hangs left of it", "a>. b>a d>a e<b f>e", "adefb"},
    {"two rows at one place do not mix", "a>. b>a d>b f>d c>a e>c g>e", "acegbdf"},
    {"nor do two rows that arrive in turns", "a>. b>a c>a d>b e>c f>d g>e", "acegbdf"},
    {"nor two that each put backwards", "a>. b>a c>a d<b e<c f<d g<e", "agecfdb"},
    {"nor one of each kind between two", "a>. b>a c<b d<b e>c f<d", "acefdb"},
};

static uint32_t number_of(const fugue_view *view, char letter)
{
    for (uint32_t element = 0; element < view->fugue.count; element++) {
        if (view->ranks[element] == (uint32_t)letter) {
            return element;
        }
    }
    return NONE;
}

static void view_write(fugue_view *view, const char *written)
{
    for (const char *at = written; *at != '\0'; at += at[3] == ' ' ? 4 : 3) {
        const grove__fugue_place place = {number_of(view, at[2]), at[1] == '<'};
        view->ranks[view->fugue.count] = (uint32_t)at[0];
        cr_assert(grove__fugue_reserve(&view->fugue, 1));
        grove__fugue_add(&view->fugue, &view->list, order_of(view), place);
    }
}

Test(fugue, orders_a_list_as_one_finds_by_thought)
{
    for (size_t index = 0; index < sizeof CASES / sizeof *CASES; index++) {
        fugue_view view;
        char text[2 * ELEMENTS_MAX + 1] = {0};
        size_t length = 0;
        view_init(&view, &grove__allocator_system);
        view_write(&view, CASES[index].written);
        for (uint32_t at = view.list.first; at != NONE; at = view.fugue.links[at].next) {
            text[length++] = (char)view.ranks[at];
        }
        cr_expect_str_eq(text, CASES[index].order, "%s: %s instead of %s",
                         CASES[index].claim, text, CASES[index].order);
        cr_expect_null(grove__fugue_check(&view.fugue, &view.list, order_of(&view)));
        grove__fugue_release(&view.fugue);
    }
}

Test(fugue, lists_do_not_touch_each_other)
{
    fugue_view view;
    grove__fugue_list other = GROVE__FUGUE_EMPTY;
    const grove__fugue_place begin = {NONE, false};
    view_init(&view, &grove__allocator_system);
    cr_assert(grove__fugue_reserve(&view.fugue, 4));
    for (uint32_t element = 0; element < 4; element++) {
        view.ranks[element] = element;
        grove__fugue_add(&view.fugue, element % 2 == 0 ? &view.list : &other,
                         order_of(&view), begin);
    }
    cr_assert_eq(view.list.first, 2);
    cr_assert_eq(view.list.last, 0);
    cr_assert_eq(other.first, 3);
    cr_assert_eq(other.last, 1);
    cr_assert_null(grove__fugue_check(&view.fugue, &view.list, order_of(&view)));
    cr_assert_null(grove__fugue_check(&view.fugue, &other, order_of(&view)));
    grove__fugue_take_back(&view.fugue, &other);
    cr_assert_eq(other.first, 1);
    cr_assert_eq(view.list.first, 2);
    grove__fugue_release(&view.fugue);
}

/* --- loading --- */

/* A set in each order: only that of the model is taken. */
Test(fugue, a_list_loads_in_the_order_of_its_tree_alone)
{
    uint32_t refused = 0;
    for (uint32_t count = 0; count <= 4; count++) {
        fugue_set set = {.count = count};
        for (uint32_t rank = 0; rank < ELEMENTS_MAX; rank++) {
            set.anchors[rank] = NONE;
        }
        do {
            static const bool all[ELEMENTS_MAX] = {true, true, true, true, true, true};
            uint32_t model[ELEMENTS_MAX];
            uint32_t order[ELEMENTS_MAX] = {0, 1, 2, 3, 4, 5};
            (void)model_list(&set, all, model);
            do {
                fugue_view view;
                grove__fugue_place places[ELEMENTS_MAX];
                view_init(&view, &grove__allocator_system);
                for (uint32_t element = 0; element < count; element++) {
                    view.ranks[element] = order[element];
                    view.elements[order[element]] = element;
                }
                for (uint32_t element = 0; element < count; element++) {
                    places[element] = place_of(&view, &set, order[element]);
                }
                cr_assert(grove__fugue_reserve(&view.fugue, count));
                bool is_model = memcmp(order, model, count * sizeof *order) == 0;
                cr_assert_eq(grove__fugue_load(&view.fugue, &view.list, order_of(&view),
                                               places, count),
                             is_model);
                refused += is_model ? 0 : 1;
                grove__fugue_release(&view.fugue);
            } while (next_order(order, count));
        } while (next_set(&set));
    }
    cr_assert_gt(refused, 1000);
}

/* --- between --- */

/* Between any two that stand next to each other once those are left out that
 * `hidden` has, a newest element goes there, in every set. */
static void check_between(const fugue_set *set, uint32_t hidden)
{
    fugue_view view;
    view_init(&view, &grove__allocator_system);
    for (uint32_t rank = 0; rank < set->count; rank++) {
        view_add(&view, set, rank);
    }
    uint32_t left = NONE;
    bool is_end = false;
    while (!is_end) {
        uint32_t right = left == NONE ? view.list.first : view.fugue.links[left].next;
        while (right != NONE && (hidden >> right & 1) != 0) {
            right = view.fugue.links[right].next;
        }
        grove__fugue_place place =
            grove__fugue_between(&view.fugue, &view.list, left, right);
        cr_assert(place.anchor == (place.is_left ? right : left));
        uint32_t element = (uint32_t)view.fugue.count;
        view.ranks[element] = element;
        cr_assert(grove__fugue_reserve(&view.fugue, 1));
        grove__fugue_add(&view.fugue, &view.list, order_of(&view), place);
        cr_assert_null(grove__fugue_check(&view.fugue, &view.list, order_of(&view)));
        uint32_t next = view.fugue.links[element].next;
        while (next != NONE && (hidden >> next & 1) != 0) {
            next = view.fugue.links[next].next;
        }
        cr_assert_eq(next, right);
        uint32_t previous = view.fugue.links[element].previous;
        while (previous != NONE && (hidden >> previous & 1) != 0) {
            previous = view.fugue.links[previous].previous;
        }
        cr_assert_eq(previous, left);
        grove__fugue_take_back(&view.fugue, &view.list);
        is_end = right == NONE;
        left = right;
    }
    grove__fugue_release(&view.fugue);
}

/* By the letters of a case: right of what is before, unless something hangs
 * there and something comes after. */
Test(fugue, a_new_element_hangs_where_nothing_else_does)
{
    static const struct {
        const char *written;
        char left, right; /* '.': the beginning, or the end */
        char anchor;
        bool is_left;
    } cases[] = {
        {"", '.', '.', '.', false},
        {"a>.", '.', 'a', 'a', true},
        {"a>.", 'a', '.', 'a', false},
        {"a>. b>a", 'a', 'b', 'b', true},
        {"a>. b>a", 'b', '.', 'b', false},
        {"a>. b<a", 'b', 'a', 'b', false},
        {"a>. b<a", '.', 'b', 'b', true},
        {"a>. b>a", 'a', '.', 'a', false},
        {"a>. b>a c<b", 'c', 'b', 'c', false},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        fugue_view view;
        view_init(&view, &grove__allocator_system);
        view_write(&view, cases[index].written);
        const grove__fugue_place place = grove__fugue_between(
            &view.fugue, &view.list, number_of(&view, cases[index].left),
            number_of(&view, cases[index].right));
        cr_expect_eq(place.anchor, number_of(&view, cases[index].anchor), "case %zu",
                     index);
        cr_expect_eq(place.is_left, cases[index].is_left, "case %zu", index);
        grove__fugue_release(&view.fugue);
    }
}

Test(fugue, a_new_element_goes_between_any_two_neighbours)
{
    for (uint32_t count = 0; count <= 4; count++) {
        fugue_set set = {.count = count};
        for (uint32_t rank = 0; rank < ELEMENTS_MAX; rank++) {
            set.anchors[rank] = NONE;
        }
        do {
            for (uint32_t hidden = 0; hidden < 1u << count; hidden++) {
                check_between(&set, hidden);
            }
        } while (next_set(&set));
    }
}

/* --- rows --- */

enum { WRITERS = 3, ROW = 40, ALL = WRITERS * ROW };

typedef struct fugue_rows {
    uint32_t ranks[ALL + 1];
} fugue_rows;

static bool rows_is_later(const void *context, uint32_t element, uint32_t other)
{
    const fugue_rows *rows = context;
    return rows->ranks[element] > rows->ranks[other];
}

/* Each writer puts a row, forwards or backwards, at one place; what they put
 * arrives in any order between them. */
static void check_rows(test_random *random, uint32_t backwards)
{
    static fugue_rows rows;
    uint32_t last[WRITERS] = {0, 0, 0};
    uint32_t made[WRITERS] = {0, 0, 0};
    uint32_t writers[ALL + 1] = {WRITERS};
    const grove__fugue_order order = {&rows, rows_is_later};
    grove__fugue fugue;
    grove__fugue_list list = GROVE__FUGUE_EMPTY;
    grove__fugue_init(&fugue, &grove__allocator_system);
    cr_assert(grove__fugue_reserve(&fugue, ALL + 1));
    grove__fugue_add(&fugue, &list, order, (grove__fugue_place){NONE, false});
    while (fugue.count <= ALL) {
        uint32_t writer = (uint32_t)test_random_below(random, WRITERS);
        if (made[writer] == ROW) {
            continue;
        }
        uint32_t element = (uint32_t)fugue.count;
        bool is_left = made[writer] > 0 && (backwards >> writer & 1) != 0;
        made[writer]++;
        rows.ranks[element] = made[writer] * WRITERS + writer;
        writers[element] = writer;
        grove__fugue_add(&fugue, &list, order,
                         (grove__fugue_place){last[writer], is_left});
        last[writer] = element;
    }
    cr_assert_null(grove__fugue_check(&fugue, &list, order));
    uint32_t changes = 0;
    for (uint32_t at = list.first; fugue.links[at].next != NONE;
         at = fugue.links[at].next) {
        changes += writers[at] != writers[fugue.links[at].next] ? 1 : 0;
    }
    cr_assert_eq(changes, WRITERS);
    grove__fugue_release(&fugue);
}

Test(fugue, rows_of_several_writers_do_not_mix)
{
    test_random random = test_random_of("fugue");
    for (uint32_t backwards = 0; backwards < 1u << WRITERS; backwards++) {
        for (uint32_t round = 0; round < 20; round++) {
            check_rows(&random, backwards);
        }
    }
}

/* --- memory and limits --- */

Test(fugue, without_memory_there_is_no_room_and_nothing_has_changed)
{
    size_t nth = 1;
    bool has_failed = true;
    for (; has_failed; nth++) {
        static const fugue_set set = {
            3, {NONE, 0, 0, NONE, NONE, NONE}, {false, true, false}};
        faulty_allocator faulty;
        fugue_view view;
        faulty_allocator_init(&faulty, nth);
        view_init(&view, &faulty.allocator);
        if (grove__fugue_reserve(&view.fugue, 1)) {
            view_add(&view, &set, 0);
        }
        view_check(&view, &set);
        if (view.known[0] && grove__fugue_reserve(&view.fugue, 100)) {
            view_add(&view, &set, 1);
            view_add(&view, &set, 2);
        }
        view_check(&view, &set);
        cr_assert_eq(view.fugue.count, view.known[1] ? 3 : view.known[0] ? 1 : 0);
        grove__fugue_release(&view.fugue);
        faulty_allocator_finish(&faulty);
        has_failed = faulty.has_failed;
    }
    cr_assert_geq(nth, 3);
}

Test(fugue, more_elements_than_there_are_numbers_find_no_room)
{
    faulty_allocator faulty;
    grove__fugue fugue;
    grove__fugue_list list = GROVE__FUGUE_EMPTY;
    faulty_allocator_init(&faulty, 0);
    grove__fugue_init(&fugue, &faulty.allocator);
    cr_assert(grove__fugue_reserve(&fugue, 1));
    grove__fugue_add(&fugue, &list, (grove__fugue_order){NULL, NULL},
                     (grove__fugue_place){NONE, false});
    faulty.fails_at = faulty.calls + 1;
    cr_assert_not(grove__fugue_reserve(&fugue, NONE - 1));
    cr_assert(faulty.has_failed, "up to the limit memory decides");
    size_t calls = faulty.calls;
    cr_assert_not(grove__fugue_reserve(&fugue, NONE));
    cr_assert_not(grove__fugue_reserve(&fugue, SIZE_MAX));
    cr_assert_eq(faulty.calls, calls, "beyond it nobody asks");
    cr_assert_eq(fugue.count, 1);
    grove__fugue_release(&fugue);
    faulty_allocator_finish(&faulty);
}

/* --- the check --- */

/* Where its links are not as they were the check says what is wrong. */
Test(fugue, a_check_finds_each_link_that_is_wrong)
{
    static const fugue_set set = {
        4, {NONE, 0, 0, 0, NONE, NONE}, {false, true, false, false}};
    fugue_view view;
    view_init(&view, &grove__allocator_system);
    for (uint32_t rank = 0; rank < set.count; rank++) {
        view_add(&view, &set, rank);
    }
    view_check(&view, &set);
    const grove__fugue_order order = order_of(&view);
    grove__fugue_links *links = view.fugue.links;
    uint32_t *const wrong[] = {
        &view.list.first, &view.list.last,    &links[1].next,    &links[0].next,
        &links[0].right,  &links[1].previous, &links[3].sibling, &links[0].left,
    };
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        uint32_t held = *wrong[index];
        *wrong[index] = held == NONE ? 0 : NONE;
        cr_expect_not_null(grove__fugue_check(&view.fugue, &view.list, order), "link %zu",
                           index);
        *wrong[index] = held;
    }
    view.ranks[2] = 9;
    cr_expect_not_null(grove__fugue_check(&view.fugue, &view.list, order));
    view.ranks[2] = 2;
    view_check(&view, &set);
    grove__fugue_release(&view.fugue);
}
