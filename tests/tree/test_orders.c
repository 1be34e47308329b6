/*
 * Whatever the order in which events arrive, the tree is the one that the
 * oracle makes of all of them: all small programs in all causal orders.
 */
#include <criterion/criterion.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "program.h"

enum { REPLICAS = 3, FREE_MAX = 6 };

static tree_program program;
static oracle_state state;

/* --- what a replica may do --- */

/* Nodes are said by their ids; "": the root, of a put a new one; ".": the first
 * whose id the library made. */
typedef struct tree_choice {
    grove_tree_kind kind;
    const char *node;
    const char *parent;
    grove_tree_where where;
    const char *sibling;
} tree_choice;

/* The first are those that have to do with cycles. */
static const tree_choice CHOICES[] = {
    {GROVE_TREE_MOVE, "A", "B", GROVE_TREE_FIRST, NULL},
    {GROVE_TREE_MOVE, "B", "A", GROVE_TREE_LAST, NULL},
    {GROVE_TREE_MOVE, "A", "", GROVE_TREE_FIRST, NULL},
    {GROVE_TREE_PUT, "A", "B", GROVE_TREE_LAST, NULL},
    {GROVE_TREE_PUT, "A", "", GROVE_TREE_LAST, NULL},
    {GROVE_TREE_PUT, "B", "A", GROVE_TREE_FIRST, NULL},
    {GROVE_TREE_PUT, "", "", GROVE_TREE_FIRST, NULL},
    {GROVE_TREE_DELETE, "A", NULL, GROVE_TREE_LAST, NULL},
    {GROVE_TREE_RESTORE, "A", NULL, GROVE_TREE_LAST, NULL},
    {GROVE_TREE_SET, "A", NULL, GROVE_TREE_LAST, NULL},
    {GROVE_TREE_UNSET, "A", NULL, GROVE_TREE_LAST, NULL},
    {GROVE_TREE_MOVE, "B", "", GROVE_TREE_BEFORE, "A"},
    {GROVE_TREE_MOVE, "A", "", GROVE_TREE_AFTER, "B"},
    {GROVE_TREE_MOVE, "B", ".", GROVE_TREE_LAST, NULL},
    {GROVE_TREE_MOVE, ".", "A", GROVE_TREE_FIRST, NULL},
    {GROVE_TREE_PUT, "", "A", GROVE_TREE_LAST, NULL},
    /* The id that the library makes for the first event of replica 0. */
    {GROVE_TREE_PUT, "6d.0", "", GROVE_TREE_LAST, NULL},
    {GROVE_TREE_SET, "", NULL, GROVE_TREE_LAST, NULL},
};

enum { CHOICE_COUNT = sizeof CHOICES / sizeof *CHOICES, CYCLE_CHOICES = 6 };

static uint32_t find(const char *id)
{
    for (uint32_t node = 0; *id == '.' && node < state.count; node++) {
        if (memchr(state.nodes[node].id.bytes, '.', state.nodes[node].id.size) != NULL) {
            return node;
        }
    }
    return oracle_find(&state, grove_bytes_of(id));
}

/* Where a node may go: a parent that is there and not below it, and a sibling
 * that is another child of it. */
static bool find_place(const tree_choice *choice, uint32_t moved,
                       program_place *place_out)
{
    place_out->where = choice->where;
    place_out->sibling = ORACLE_NONE;
    place_out->parent = find(choice->parent);
    if (place_out->parent == ORACLE_NONE ||
        (moved != ORACLE_NONE && oracle_is_above(&state, moved, place_out->parent))) {
        return false;
    }
    if (choice->sibling != NULL) {
        place_out->sibling = find(choice->sibling);
        return place_out->sibling != ORACLE_NONE && place_out->sibling != moved &&
               state.nodes[place_out->sibling].parent == place_out->parent;
    }
    return true;
}

/* Does what a choice says, if the replica can. */
static bool choose(uint32_t replica, const tree_choice *choice)
{
    static const char *const types[] = {"m", "a", "mm"};
    const oracle_set *known = &program.known[replica];
    oracle_event event = {.kind = choice->kind, .anchor = ORACLE_NONE};
    oracle_make(&program.oracle, known, &state);
    bool makes_node = choice->kind == GROVE_TREE_PUT && *choice->node == '\0';
    uint32_t node = makes_node ? ORACLE_NONE : find(choice->node);
    program_place place;
    if (node == ORACLE_NONE && choice->kind != GROVE_TREE_PUT) {
        return false;
    }
    if (choice->parent != NULL) {
        if (!find_place(choice, node, &place)) {
            return false;
        }
        program_go(&program, &state, known, place, node, &event);
    }
    if (choice->kind == GROVE_TREE_PUT) {
        event.id = oracle_bytes_of(choice->node);
        event.type = oracle_bytes_of(types[replica]);
    } else {
        event.node = program_put_of(&program, &state, known, node);
    }
    if (choice->kind <= GROVE_TREE_UNSET) {
        event.write_count = 1;
        event.writes[0].name = oracle_bytes_of("x");
        event.writes[0].value = program_integer(program.oracle.count);
    }
    if (choice->kind == GROVE_TREE_UNSET) {
        event.writes[0].value.size = 0;
    }
    (void)program_add(&program, replica, &event);
    return true;
}

/* --- every order --- */

typedef struct tree_outcome {
    tree_digest digest;
    grove_type_buffers snapshot;
    bool is_known;
} tree_outcome;

/* The same knowledge is the same digest and the same bytes. */
static void check_outcome(tree_outcome *expected, const grove__tree *tree)
{
    grove_type_buffers snapshot;
    if (!expected->is_known) {
        expected->is_known = true;
        expected->digest = program_digest(tree);
        program_encode(tree, 0, &expected->snapshot);
        return;
    }
    program_encode(tree, 0, &snapshot);
    cr_assert(program_is_digest(tree, &expected->digest));
    cr_assert(grove__bytes_equal(grove_buffer_view(&snapshot.structure),
                                 grove_buffer_view(&expected->snapshot.structure)));
    cr_assert(grove__bytes_equal(grove_buffer_view(&snapshot.content),
                                 grove_buffer_view(&expected->snapshot.content)));
    program_release(&snapshot);
}

/* How the events of an order are handed in. */
enum { ONE_BY_ONE, RELOADED, IN_TWO, AT_ONCE, WAYS };

static void deliver(grove__tree **tree, const uint32_t *order, uint32_t count,
                    uint32_t way)
{
    uint32_t step = way == AT_ONCE ? count : way == IN_TWO ? (count + 1) / 2 : 1;
    for (uint32_t index = 0; index < count; index += step) {
        uint32_t some = step < count - index ? step : count - index;
        cr_assert_eq(program_apply(&program, *tree, order + index, some, NULL), GROVE_OK);
        if (way == RELOADED) {
            program_reload(tree, 0);
        }
    }
}

/* Each prefix of the order in which the events were made. */
static void check_prefixes(uint32_t first)
{
    static oracle_state expected;
    oracle_set known = {{0}};
    grove__tree *tree = program_tree(&grove__allocator_system);
    for (uint32_t event = 0; event < program.oracle.count; event++) {
        cr_assert_eq(program_apply(&program, tree, &event, 1, NULL), GROVE_OK);
        oracle_include(&known, event);
        if (event >= first) {
            oracle_make(&program.oracle, &known, &expected);
            oracle_compare(&program.oracle, &known, &expected, tree);
        }
    }
    grove__tree_free(tree);
}

/* All events from `first` on in every causal order; how many these are. */
static uint64_t check_orders(uint32_t first)
{
    static oracle_state expected;
    uint32_t order[FREE_MAX];
    uint32_t count = program.oracle.count - first;
    uint64_t orders = 0;
    oracle_set base = {{0}};
    tree_outcome outcome = {.is_known = false};
    for (uint32_t event = 0; event < first; event++) {
        oracle_include(&base, event);
    }
    oracle_set known = base;
    for (uint32_t index = 0; index < count; index++) {
        order[index] = first + index;
        oracle_include(&known, order[index]);
    }
    oracle_make(&program.oracle, &known, &expected);
    check_prefixes(first);
    do {
        static const uint32_t before[] = {0, 1};
        if (!program_is_causal(&program, &base, order, count)) {
            continue;
        }
        grove__tree *tree = program_tree(&grove__allocator_system);
        cr_assert_eq(program_apply(&program, tree, before, first, NULL), GROVE_OK);
        deliver(&tree, order, count, (uint32_t)(orders % WAYS));
        oracle_compare(&program.oracle, &known, &expected, tree);
        check_outcome(&outcome, tree);
        grove__tree_free(tree);
        orders++;
    } while (program_next_order(order, count));
    program_release(&outcome.snapshot);
    return orders;
}

/* --- every program --- */

/* A free event: who makes it, knowing which of those before, and what. */
typedef struct tree_step {
    uint32_t replica;
    uint32_t knows;
    uint32_t choice;
} tree_step;

typedef struct enumeration {
    uint32_t count;
    uint32_t choices; /* 0: drawn */
    uint32_t setup;   /* how many events there are before, which all know */
    tree_step steps[FREE_MAX];
} enumeration;

/* Begins again, with A and B below the root, if there is a setup. */
static void begin(const enumeration *all)
{
    static const tree_choice puts[] = {
        {GROVE_TREE_PUT, "A", "", GROVE_TREE_LAST, NULL},
        {GROVE_TREE_PUT, "B", "", GROVE_TREE_LAST, NULL},
    };
    program_clear(&program);
    for (uint32_t index = 0; index < all->setup; index++) {
        cr_assert(choose(0, &puts[index]));
    }
    for (uint32_t replica = 1; replica < REPLICAS; replica++) {
        program.known[replica] = program.known[0];
    }
}

/* Sets what the replica of a step knows. False: nobody can know just this, or
 * the same graph has its events in another order as well. */
static bool learn(const enumeration *all, uint32_t number)
{
    const tree_step *at = &all->steps[number];
    oracle_set *known = &program.known[at->replica];
    for (uint32_t other = 0; other < number; other++) {
        uint32_t event = all->setup + other;
        bool is_known = (at->knows >> other & 1) != 0;
        if (!is_known && oracle_has(known, event)) {
            return false;
        }
        if (is_known) {
            oracle_include(known, event);
            oracle_join(known, &program.oracle.events[event].past);
        }
    }
    for (uint32_t other = 0; other < number; other++) {
        if ((at->knows >> other & 1) == 0 && oracle_has(known, all->setup + other)) {
            return false;
        }
    }
    return number == 0 || (at->knows >> (number - 1) & 1) != 0 ||
           at->replica > all->steps[number - 1].replica;
}

/* Goes on to the next step at `number`, and to the first of all after it.
 * False: that was the last. */
static bool advance(enumeration *all, uint32_t number)
{
    for (uint32_t at = number + 1; at < all->count; at++) {
        all->steps[at] = (tree_step){0};
    }
    for (uint32_t at = number + 1; at > 0; at--) {
        tree_step *last = &all->steps[at - 1];
        if (++last->choice < all->choices) {
            return true;
        }
        last->choice = 0;
        if (++last->knows < 1u << (at - 1)) {
            return true;
        }
        last->knows = 0;
        if (++last->replica < REPLICAS) {
            return true;
        }
        last->replica = 0;
    }
    return false;
}

/* Makes the events; the number of the first that cannot be, or `count`. */
static uint32_t build(const enumeration *all, test_random *random)
{
    begin(all);
    for (uint32_t number = 0; number < all->count; number++) {
        uint32_t replica = all->steps[number].replica;
        if (!learn(all, number)) {
            return number;
        }
        bool is_done =
            random == NULL && choose(replica, &CHOICES[all->steps[number].choice]);
        for (uint32_t tries = 0; random != NULL && !is_done; tries++) {
            is_done = choose(replica, &CHOICES[test_random_below(random, CHOICE_COUNT)]);
        }
        if (!is_done) {
            return number;
        }
    }
    return all->count;
}

static void check_all(uint32_t count, uint32_t setup, uint32_t choices,
                      test_random *random, uint32_t draws)
{
    enumeration all = {.count = count, .choices = choices, .setup = setup};
    uint64_t programs = 0;
    uint64_t orders = 0;
    bool is_more = true;
    while (is_more) {
        uint32_t built = build(&all, random);
        for (uint32_t draw = 0; built == count && draw < draws; draw++) {
            orders += check_orders(setup);
            programs++;
            if (random != NULL) {
                built = build(&all, random);
            }
        }
        is_more = advance(&all, built == count ? count - 1 : built);
    }
    (void)fprintf(stderr, "orders: %u events: %llu programs, %llu orders\n", count,
                  (unsigned long long)programs, (unsigned long long)orders);
    cr_assert_gt(programs, 0);
}

/* How many free events: GROVE_TREE_EVENTS, for longer runs. */
static uint32_t events_max(uint32_t usual)
{
    const char *given = getenv("GROVE_TREE_EVENTS");
    uint32_t count = given == NULL ? usual : (uint32_t)strtoul(given, NULL, 10);
    return count > FREE_MAX ? FREE_MAX : count;
}

Test(orders, of_all_moves_and_puts_of_two_nodes_give_one_tree)
{
    for (uint32_t count = 1; count <= events_max(3); count++) {
        check_all(count, 2, CYCLE_CHOICES, NULL, 1);
    }
}

Test(orders, of_all_operations_of_two_on_two_nodes_give_one_tree)
{
    for (uint32_t count = 1; count <= events_max(2); count++) {
        check_all(count, 2, CHOICE_COUNT, NULL, 1);
    }
}

Test(orders, of_all_operations_on_an_empty_tree_give_one_tree)
{
    for (uint32_t count = 1; count <= events_max(3); count++) {
        check_all(count, 0, CHOICE_COUNT, NULL, 1);
    }
}

Test(orders, of_drawn_operations_on_every_graph_give_one_tree)
{
    test_random random = test_random_of("orders");
    for (uint32_t count = 1; count <= events_max(5); count++) {
        check_all(count, 2, 0, &random, count < 5 ? 20 : 4);
        check_all(count, 0, 0, &random, count < 5 ? 20 : 4);
    }
}
