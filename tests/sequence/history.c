#include "history.h"

/* Ranks of replicas: not in the order of their numbers. */
static const uint32_t ranks[HISTORY_REPLICAS_MAX] = {2, 0, 3, 1};

static uint32_t below(random_history *history, uint64_t bound)
{
    return (uint32_t)test_random_below(history->random, bound);
}

static bool is_before(const void *context, uint32_t event, uint32_t other)
{
    const random_history *history = context;
    if (history->ranks[event] != history->ranks[other]) {
        return history->ranks[event] < history->ranks[other];
    }
    return history->sequences[event] < history->sequences[other];
}

void history_init(random_history *history, test_random *random)
{
    memset(history, 0, sizeof *history);
    history->random = random;
    history->is_at_end = below(history, 2) == 0;
    history->window = 2 + below(history, NAIVE_WINDOW_MAX - 1);
    history->replica_count = 2 + below(history, HISTORY_REPLICAS_MAX - 1);
    history->first = below(history, 70);
    history->next = history->first;
}

static uint32_t begin_of(const random_history *history)
{
    return history->is_at_end ? GROVE__SPANS_BEFORE_COUNT - history->window : 0;
}

uint64_t history_outside(const random_history *history, uint64_t position)
{
    return position + begin_of(history);
}

void history_view_init(history_view *view, random_history *history,
                       const grove_allocator *allocator)
{
    view->history = history;
    grove__tracker_init(&view->tracker, allocator,
                        (grove__event_order){history, is_before});
}

void history_view_release(history_view *view)
{
    grove__tracker_release(&view->tracker);
}

void history_view_clear(history_view *view)
{
    const random_history *history = view->history;
    cr_assert_eq(grove__tracker_clear(&view->tracker), GROVE_OK);
    naive_init(&view->naive, view->tracker.order, GROVE__SPANS_BEFORE + begin_of(history),
               history->window);
    view->version = (event_set){{0}};
    view->applied = (event_set){{0}};
}

/* Shifts the range both in the tracker, and one by one in the naive one. */
static void shift(history_view *view, uint32_t from, uint32_t end, bool is_back)
{
    grove_status status = is_back
                              ? grove__tracker_retreat(&view->tracker, from, end, NULL)
                              : grove__tracker_advance(&view->tracker, from, end, NULL);
    cr_assert_eq(status, GROVE_OK);
    for (; from < end; from++) {
        if (is_back) {
            naive_retreat(&view->naive, from);
        } else {
            naive_advance(&view->naive, from);
        }
    }
}

/* Shifts all events that one version has and another has not, in ranges as
 * long as they are or shorter. */
static void shift_all(history_view *view, const event_set *has, const event_set *lacks,
                      bool is_back)
{
    const random_history *history = view->history;
    for (uint32_t from = history->first; from < history->next; from++) {
        uint32_t end = from;
        while (end < history->next && event_set_has(has, end) &&
               !event_set_has(lacks, end) && below(view->history, 8) > 0) {
            end++;
        }
        if (from < end) {
            shift(view, from, end, is_back);
            from = end - 1;
        } else if (event_set_has(has, from) && !event_set_has(lacks, from)) {
            shift(view, from, from + 1, is_back);
        }
    }
}

void history_move(history_view *view, const event_set *version)
{
    cr_assert(event_set_has_all(&view->applied, version));
    event_set old = view->version;
    shift_all(view, &old, version, true);
    shift_all(view, version, &old, false);
    view->version = *version;
}

event_set history_random_version(history_view *view)
{
    random_history *history = view->history;
    event_set version = {{0}};
    if (history->run_count == 0 || below(history, 10) == 0) {
        return version;
    }
    const history_run *run = &history->runs[below(history, history->run_count)];
    uint32_t count = below(history, run->count + 1);
    version = run->version;
    for (uint32_t event = run->from; event < run->from + count; event++) {
        event_set_add(&version, event);
    }
    return event_set_has_all(&view->applied, &version) ? version : (event_set){{0}};
}

static void apply_insertion(history_view *view, const history_run *run, uint32_t from,
                            uint32_t end)
{
    uint64_t position = run->position + (from - run->from);
    uint64_t effect = UINT64_MAX;
    cr_assert_eq(grove__tracker_insert(&view->tracker, from, end - from,
                                       history_outside(view->history, position), &effect,
                                       NULL),
                 GROVE_OK);
    for (uint32_t event = from; event < end; event++) {
        uint64_t expected = naive_insert(&view->naive, event, position + (event - from));
        expected = history_outside(view->history, expected);
        cr_assert_eq(effect + (event - from), expected, "event %u goes to %llu, not %llu",
                     event, (unsigned long long)(effect + (event - from)),
                     (unsigned long long)expected);
    }
}

static void apply_deletion(history_view *view, const history_run *run, uint32_t from,
                           uint32_t end)
{
    while (from < end) {
        grove__deletion deletion = {0, 0, false};
        uint64_t position = history_outside(view->history, run->position);
        /* Backwards, the events from `end` on delete what stands left. */
        uint32_t rest = run->from + run->count - end;
        position += run->is_backward ? rest : 0;
        cr_assert_eq(grove__tracker_delete(&view->tracker, from, end - from, position,
                                           run->is_backward, &deletion, NULL),
                     GROVE_OK);
        cr_assert(deletion.count > 0 && deletion.count <= end - from);
        for (uint32_t index = 0; index < deletion.count; index++, from++) {
            uint32_t left = run->from + run->count - from - 1;
            naive_deletion expected = naive_delete(
                &view->naive, from, run->position + (run->is_backward ? left : 0));
            cr_assert_eq(deletion.was_dead, expected.was_dead);
            uint64_t effect = deletion.position;
            if (run->is_backward && !deletion.was_dead) {
                effect += deletion.count - 1 - index;
            }
            cr_assert_eq(effect, history_outside(view->history, expected.effect));
        }
    }
}

void history_apply(history_view *view, const history_run *run, uint32_t from,
                   uint32_t end)
{
    event_set version = run->version;
    for (uint32_t event = run->from; event < from; event++) {
        event_set_add(&version, event);
    }
    history_move(view, &version);
    if (run->is_deletion) {
        apply_deletion(view, run, from, end);
    } else {
        apply_insertion(view, run, from, end);
    }
    for (uint32_t event = from; event < end; event++) {
        event_set_add(&view->version, event);
        event_set_add(&view->applied, event);
    }
}

/* What the replica has seen; sometimes it sees what another has, sometimes it
 * begins somewhere in the past. */
static event_set version_to_edit(history_view *view, uint32_t replica)
{
    random_history *history = view->history;
    event_set version = history->seen[replica];
    if (below(history, 5) == 0) {
        event_set_join(&version, &history->seen[below(history, history->replica_count)]);
    }
    if (below(history, 12) == 0) {
        version = history_random_version(view);
    }
    if (below(history, 12) == 0) {
        event_set other = history_random_version(view);
        event_set_join(&version, &other);
    }
    return version;
}

/* Where an edit begins that touches positions from `low` to `high`. */
static uint64_t random_position(random_history *history, uint32_t replica, uint64_t low,
                                uint64_t high)
{
    uint64_t position = low + test_random_below(history->random, high - low + 1);
    uint32_t choice = below(history, 10);
    if (choice < 4) {
        position = history->cursors[replica];
    } else if (choice < 7) {
        /* Where the others are too. */
        uint64_t offset = below(history, 3);
        position = !history->is_at_end ? low + offset
                   : high > offset     ? high - offset
                                       : low;
    }
    return position < low ? low : position > high ? high : position;
}

void history_grow(history_view *view)
{
    random_history *history = view->history;
    cr_assert_lt(history->run_count, HISTORY_RUNS_MAX);
    uint32_t replica = below(history, history->replica_count);
    history_run *run = &history->runs[history->run_count];
    *run = (history_run){.from = history->next,
                         .count = 1 + below(history, HISTORY_RUN_MAX),
                         .version = version_to_edit(view, replica)};
    history_move(view, &run->version);
    uint64_t low = history->is_at_end ? 1 : 0;
    uint64_t high = naive_prepare(&view->naive) - (history->is_at_end ? 0 : 1);
    run->is_deletion = below(history, 5) < 2 && high - low >= run->count;
    run->is_backward = run->is_deletion && below(history, 2) == 0;
    run->position = random_position(history, replica, low,
                                    run->is_deletion ? high - run->count : high);
    history->cursors[replica] = run->position + (run->is_deletion ? 0 : run->count);
    for (uint32_t event = run->from; event < run->from + run->count; event++) {
        history->ranks[event] = ranks[replica];
        history->sequences[event] = history->next++;
    }
    history->run_count++;
    history_apply(view, run, run->from, run->from + run->count);
    event_set_join(&history->seen[replica], &view->version);
}
