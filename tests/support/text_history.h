/*
 * Histories of a text: events with the pieces in which they are handed in,
 * made at random, cut, put in any order that may happen, and turned into what
 * grove_document_add takes.
 */
#ifndef GROVE_TESTS_TEXT_HISTORY_H
#define GROVE_TESTS_TEXT_HISTORY_H

#include <grove/text.h>

#include "support/graph_model.h"
#include "support/text_oracle.h"

/* Consecutive events that one operation stands for. */
typedef struct text_piece {
    uint32_t first;
    uint32_t end;
    uint32_t run; /* the first event of the operation that it was cut from */
} text_piece;

typedef struct text_history {
    text_oracle oracle;
    /* The event that the same replica made before; TEXT_BEGIN: none. */
    uint32_t before[TEXT_EVENTS_MAX];
    text_piece pieces[TEXT_EVENTS_MAX];
    uint32_t piece_count;
} text_history;

/* What is handed in; points into itself. */
typedef struct text_run {
    grove_event_run run;
    grove_event_id parents[TEXT_PARENTS_MAX];
    char content[TEXT_BYTES_MAX];
} text_run;

static inline void text_history_clear(text_history *history)
{
    text_oracle_clear(&history->oracle);
    history->piece_count = 0;
}

/* Adds an event, as a piece of its own or to the last one. Its sequence is the
 * replica's next. */
static inline void text_history_add(text_history *history, const text_event *event,
                                    bool goes_on)
{
    text_oracle *oracle = &history->oracle;
    uint32_t number = oracle->count;
    uint32_t before = number;
    text_oracle_add(oracle, event);
    history->before[number] = TEXT_BEGIN;
    while (before-- > 0) {
        grove_event_id id = oracle->events[before].id;
        id.sequence++;
        if (text_id_compare(&id, &event->id) == 0) {
            history->before[number] = before;
            break;
        }
    }
    cr_assert((event->id.sequence == 0) == (history->before[number] == TEXT_BEGIN));
    if (!goes_on) {
        history->pieces[history->piece_count++] = (text_piece){number, number, number};
    }
    history->pieces[history->piece_count - 1].end = number + 1;
}

/* --- at random --- */

/* Where somebody works: a version, and where the last edit was. */
typedef struct text_branch {
    uint32_t heads[TEXT_PARENTS_MAX];
    uint32_t head_count;
    uint32_t cursor;
} text_branch;

enum { TEXT_BRANCHES_MAX = 5 };

typedef struct text_maker {
    text_history *history;
    test_random *random;
    text_branch branches[TEXT_BRANCHES_MAX];
    uint32_t branch_count;
    uint32_t replica_count;
    uint64_t next[MODEL_REPLICAS_MAX]; /* sequences */
    uint32_t hot;                      /* an index that many edits are made at */
} text_maker;

static inline uint32_t text_below(text_maker *maker, uint32_t bound)
{
    return (uint32_t)test_random_below(maker->random, bound);
}

/* Adds a head unless one of the branch has it in its history; takes out those
 * that it has. False, and nothing done: there would be too many. */
static inline bool text_branch_add(const text_oracle *oracle, text_branch *branch,
                                   uint32_t head)
{
    uint32_t kept = 0;
    for (uint32_t index = 0; index < branch->head_count; index++) {
        if (oracle->history[branch->heads[index]][head]) {
            return true;
        }
    }
    for (uint32_t index = 0; index < branch->head_count; index++) {
        if (!oracle->history[head][branch->heads[index]]) {
            branch->heads[kept++] = branch->heads[index];
        }
    }
    branch->head_count = kept;
    if (kept == TEXT_PARENTS_MAX) {
        return false;
    }
    branch->heads[branch->head_count++] = head;
    return true;
}

/* One event on a branch, which then stands there. */
static inline void text_make_event(text_maker *maker, text_branch *branch,
                                   uint32_t replica, text_event event, bool goes_on)
{
    event.id = (grove_event_id){model_replica(replica), maker->next[replica]++};
    event.parent_count = branch->head_count;
    memcpy(event.parents, branch->heads, sizeof event.parents);
    text_history_add(maker->history, &event, goes_on);
    branch->heads[0] = maker->history->oracle.count - 1;
    branch->head_count = 1;
}

static inline uint32_t text_pick_index(text_maker *maker, const text_branch *branch,
                                       uint32_t length)
{
    switch (text_below(maker, 5)) {
    case 0:
        return 0;
    case 1:
        return length;
    case 2:
        return maker->hot < length ? maker->hot : length;
    case 3:
        return branch->cursor < length ? branch->cursor : length;
    default:
        return text_below(maker, length + 1);
    }
}

static inline void text_make_insert(text_maker *maker, text_branch *branch,
                                    uint32_t replica, uint32_t length)
{
    static const char *const wide[] = {"\xc3\xa9", "\xe6\xbc\xa2", "\xf0\x9f\x98\x80"};
    uint32_t count = text_below(maker, 2) == 0 ? 1 : 1 + text_below(maker, 8);
    uint32_t index = text_pick_index(maker, branch, length);
    for (uint32_t made = 0; made < count; made++) {
        text_event event = {.index = index + made};
        event.utf8[0] = (char)('a' + text_below(maker, 26));
        if (text_below(maker, 10) == 0) {
            const char *character = wide[text_below(maker, 3)];
            memcpy(event.utf8, character, strlen(character));
        }
        text_make_event(maker, branch, replica, event, made > 0);
    }
    branch->cursor = index + count;
}

static inline void text_make_delete(text_maker *maker, text_branch *branch,
                                    uint32_t replica, uint32_t length)
{
    uint32_t index = text_pick_index(maker, branch, length);
    uint32_t count = 1 + text_below(maker, 5);
    count = count < length ? count : length;
    index = index < length - count ? index : length - count;
    bool backwards = text_below(maker, 2) == 0;
    for (uint32_t made = 0; made < count; made++) {
        text_event event = {.deletes = true};
        event.index = backwards ? index + count - 1 - made : index;
        text_make_event(maker, branch, replica, event, made > 0);
    }
    branch->cursor = index;
}

/* Others' work comes to a branch, or it leaves its own. */
static inline void text_move_branch(text_maker *maker, text_branch *branch)
{
    const text_oracle *oracle = &maker->history->oracle;
    const text_branch *other = &maker->branches[text_below(maker, maker->branch_count)];
    uint32_t choice = text_below(maker, 100);
    if (choice < 15) {
        for (uint32_t index = 0; index < other->head_count; index++) {
            (void)text_branch_add(oracle, branch, other->heads[index]);
        }
    } else if (choice < 19) {
        *branch = *other;
    } else if (choice < 22) {
        branch->heads[0] = text_below(maker, oracle->count);
        branch->head_count = 1;
    } else if (choice < 23) {
        branch->head_count = 0;
    }
}

static inline void text_make_run(text_maker *maker)
{
    const text_oracle *oracle = &maker->history->oracle;
    uint32_t number = text_below(maker, maker->branch_count);
    text_branch *branch = &maker->branches[number];
    uint32_t replica = number % maker->replica_count;
    bool meets = oracle->count > 0 && text_below(maker, 100) < 4;
    if (text_below(maker, 6) == 0) {
        replica = text_below(maker, maker->replica_count);
    }
    if (oracle->count > 0) {
        text_move_branch(maker, branch);
    }
    for (uint32_t event = 0; meets && event < oracle->count; event++) {
        meets = text_branch_add(oracle, branch, event);
    }
    uint32_t length = text_oracle_length(oracle, branch->heads, branch->head_count);
    if (length > 0 && text_below(maker, 100) < 35) {
        text_make_delete(maker, branch, replica, length);
    } else {
        text_make_insert(maker, branch, replica, length);
    }
    for (uint32_t index = 0; meets && index < maker->branch_count; index++) {
        maker->branches[index] = *branch;
    }
}

/*
 * At least `event_count` events of 2 to 5 replicas on up to 5 branches, which
 * meet now and then; now and then a replica works on a branch of another, or
 * a branch goes on from within somebody's run.
 */
static inline void text_history_random(text_history *history, test_random *random,
                                       uint32_t event_count)
{
    text_maker maker = {.history = history, .random = random};
    text_history_clear(history);
    maker.replica_count = 2 + text_below(&maker, 4);
    maker.branch_count = 2 + text_below(&maker, TEXT_BRANCHES_MAX - 1);
    maker.hot = text_below(&maker, 10);
    while (history->oracle.count < event_count) {
        text_make_run(&maker);
    }
}

/* Cuts some of the pieces in two. */
static inline void text_history_cut(text_history *history, test_random *random)
{
    for (uint32_t index = history->piece_count; index-- > 0;) {
        text_piece *piece = &history->pieces[index];
        uint32_t count = piece->end - piece->first;
        if (count < 2 || test_random_below(random, 3) != 0) {
            continue;
        }
        memmove(piece + 1, piece, (history->piece_count - index) * sizeof *piece);
        history->piece_count++;
        piece[0].end = piece->first + 1 + (uint32_t)test_random_below(random, count - 1);
        piece[1].first = piece[0].end;
    }
}

/* --- handing in --- */

/* Whether a document that has the events of `has` takes the event. */
static inline bool text_history_is_ready(const text_history *history, const bool *has,
                                         uint32_t number)
{
    const text_event *event = &history->oracle.events[number];
    bool is_ready = history->before[number] == TEXT_BEGIN || has[history->before[number]];
    for (uint32_t index = 0; index < event->parent_count; index++) {
        is_ready = is_ready && has[event->parents[index]];
    }
    return is_ready;
}

/*
 * All pieces in an order in which they may arrive: any that is ready, or with
 * a likelihood of `percent` the newest of those.
 */
static inline void text_history_order(const text_history *history, test_random *random,
                                      uint32_t percent, uint32_t *order_out)
{
    bool has[TEXT_EVENTS_MAX] = {false};
    uint32_t ready[TEXT_EVENTS_MAX];
    for (uint32_t count = 0; count < history->piece_count; count++) {
        uint32_t ready_count = 0;
        for (uint32_t index = 0; index < history->piece_count; index++) {
            uint32_t first = history->pieces[index].first;
            if (!has[first] && text_history_is_ready(history, has, first)) {
                ready[ready_count++] = index;
            }
        }
        cr_assert_gt(ready_count, 0);
        uint32_t picked = ready[test_random_below(random, ready_count)];
        if (test_random_below(random, 100) < percent) {
            picked = ready[ready_count - 1];
        }
        const text_piece *piece = &history->pieces[picked];
        memset(&has[piece->first], true, piece->end - piece->first);
        order_out[count] = picked;
    }
}

/*
 * How many of the events that are stored, by clock, all others come after,
 * those that nobody was given yet included: what may be removed.
 */
static inline uint32_t text_history_settled(const text_history *history,
                                            const uint32_t *stored, uint32_t stored_count)
{
    const text_oracle *oracle = &history->oracle;
    for (uint32_t settled = stored_count; settled > 0; settled--) {
        bool is_first[TEXT_EVENTS_MAX] = {false};
        bool is_settled = true;
        for (uint32_t clock = 0; clock < settled; clock++) {
            is_first[stored[clock]] = true;
        }
        for (uint32_t event = 0; is_settled && event < oracle->count; event++) {
            for (uint32_t clock = 0; is_settled && clock < settled; clock++) {
                is_settled = is_first[event] || oracle->history[event][stored[clock]];
            }
        }
        if (is_settled) {
            return settled;
        }
    }
    return 0;
}

/* The piece as grove_document_add takes it. */
static inline void text_run_make(const text_oracle *oracle, text_piece piece,
                                 text_run *made_out)
{
    const text_event *first = &oracle->events[piece.first];
    const text_event *last = &oracle->events[piece.end - 1];
    grove_event_run *run = &made_out->run;
    size_t bytes = 0;
    for (uint32_t index = 0; index < first->parent_count; index++) {
        made_out->parents[index] = oracle->events[first->parents[index]].id;
    }
    *run = (grove_event_run){.first = first->id,
                             .parents = made_out->parents,
                             .parent_count = first->parent_count,
                             .timestamp = 1000};
    run->operation = (grove_operation){
        GROVE_TEXT_INSERT, piece.end - piece.first, first->index, {NULL, 0}};
    if (first->deletes) {
        bool backwards = last->index != first->index;
        run->operation.kind = backwards ? GROVE_TEXT_BACKSPACE : GROVE_TEXT_DELETE;
        run->operation.position = last->index;
        return;
    }
    for (uint32_t number = piece.first; number < piece.end; number++) {
        const char *utf8 = oracle->events[number].utf8;
        memcpy(made_out->content + bytes, utf8, strlen(utf8));
        bytes += strlen(utf8);
    }
    run->operation.content = (grove_bytes){(const uint8_t *)made_out->content, bytes};
}

#endif
