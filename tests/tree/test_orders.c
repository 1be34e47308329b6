/*
 * Whatever the order in which events arrive, the tree is the one that the
 * oracle makes of all of them: all small programs in all causal orders.
 */
#include <criterion/criterion.h>

#include "orders.h"

enum { REPLICAS = 3, FREE_MAX = 6 };

static tree_program program;

/* The first are those that have to do with cycles. */
static const program_edit CHOICES[] = {
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
    static const program_edit puts[] = {
        {GROVE_TREE_PUT, "A", "", GROVE_TREE_LAST, NULL},
        {GROVE_TREE_PUT, "B", "", GROVE_TREE_LAST, NULL},
    };
    program_clear(&program);
    for (uint32_t index = 0; index < all->setup; index++) {
        cr_assert(program_do(&program, 0, &puts[index]));
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
        bool is_done = random == NULL &&
                       program_do(&program, replica, &CHOICES[all->steps[number].choice]);
        for (uint32_t tries = 0; random != NULL && !is_done; tries++) {
            is_done = program_do(&program, replica,
                                 &CHOICES[test_random_below(random, CHOICE_COUNT)]);
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
            orders += orders_check(&program, setup);
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
