#include "view.h"

#include <string.h>

#include "content.h"

enum { STATE_MAGIC = 0x53545354, AUTHORS_OF_THREAD = 3 };

/* Takes the label in; the first says which document it is. */
static void take_label(stress_board *board, stress_view *view, const stress_label *label)
{
    if (view->document == NO_DOCUMENT) {
        view->document = label->document;
    }
    if (label->document != view->document || label->author >= AUTHORS_MAX ||
        label->cause_author >= AUTHORS_MAX) {
        stress_fail(board, "an event of document %u and author %u lies in document %u",
                    label->document, label->author, view->document);
    }
}

/* An opaque document */

typedef struct state_head {
    uint32_t magic;
    uint32_t document;
    uint32_t count;
    uint32_t check;
} state_head;

typedef struct state_entry {
    uint32_t author;
    uint32_t made;
    uint64_t sum;
} state_entry;

size_t view_state_bytes_max(void)
{
    return sizeof(state_head) + AUTHORS_MAX * sizeof(state_entry);
}

grove_bytes view_state(const stress_view *view, uint8_t *memory)
{
    state_head head = {STATE_MAGIC, view->document, 0, 0};
    uint8_t *entries = memory + sizeof head;
    for (uint32_t author = 0; author < AUTHORS_MAX; author++) {
        if (view->made[author] > 0) {
            state_entry entry = {author, view->made[author], view->sums[author]};
            memcpy(entries + head.count * sizeof entry, &entry, sizeof entry);
            head.count++;
        }
    }
    size_t bytes = head.count * sizeof(state_entry);
    head.check = (uint32_t)stress_hash(entries, bytes, head.document);
    memcpy(memory, &head, sizeof head);
    return (grove_bytes){memory, sizeof head + bytes};
}

static void read_state(stress_board *board, grove_bytes state, stress_view *view)
{
    state_head head;
    if (state.size >= sizeof head) {
        memcpy(&head, state.data, sizeof head);
    }
    if (state.size < sizeof head || head.magic != STATE_MAGIC ||
        state.size != sizeof head + head.count * sizeof(state_entry) ||
        head.check != (uint32_t)stress_hash(state.data + sizeof head,
                                            state.size - sizeof head, head.document)) {
        stress_fail(board, "a state of %zu bytes is not what was handed in", state.size);
    }
    view->document = head.document;
    for (uint32_t index = 0; index < head.count; index++) {
        state_entry entry;
        memcpy(&entry, state.data + sizeof head + index * sizeof entry, sizeof entry);
        view->made[entry.author] = entry.made;
        view->sums[entry.author] = entry.sum;
    }
}

static void take_payload(stress_board *board, grove_bytes payload, stress_view *view)
{
    stress_label label;
    if (!payload_parse(payload, &label)) {
        stress_fail(board, "a payload of %zu bytes is damaged", payload.size);
    }
    take_label(board, view, &label);
    if (label.number != view->made[label.author]) {
        stress_fail(board,
                    "document %u: event %u of author %u where %u is next: lost, doubled "
                    "or out of order",
                    label.document, label.number, label.author, view->made[label.author]);
    }
    view->made[label.author]++;
    view->sums[label.author] += stress_hash(payload.data, payload.size, 0);
    if (label.cause_number >= view->made[label.cause_author]) {
        stress_fail(board,
                    "document %u: event %u of author %u comes before event %u of author "
                    "%u, of which it knew",
                    label.document, label.number, label.author, label.cause_number,
                    label.cause_author);
    }
}

static void read_opaque(stress_board *board, const grove_document *document,
                        stress_view *view)
{
    grove_error error;
    bool is_set;
    grove_bytes state;
    uint64_t payloads;
    (void)stress_answer(board, CALL_READ, WHEN_ANY,
                        grove_opaque_state(document, &is_set, &state, &payloads, &error),
                        &error);
    if (is_set) {
        read_state(board, state, view);
    }
    for (uint64_t index = 0; index < payloads; index++) {
        grove_bytes payload;
        grove_status status = grove_opaque_payload(document, index, &payload, &error);
        if (status != GROVE_OK) {
            (void)stress_answer(board, CALL_READ, WHEN_ANY, status, &error);
        }
        take_payload(board, payload, view);
    }
}

/* A text: of each author lines with numbers that follow each other, in any
 * order. */

typedef struct text_work {
    stress_board *board;
    stress_view *view;
    uint8_t cut[LINE_BYTES_MAX]; /* the begin of a line that goes on */
    size_t cut_bytes;
    uint32_t lines[AUTHORS_MAX];
    uint64_t sums[AUTHORS_MAX];   /* over the hashes of numbers */
    uint32_t caused[AUTHORS_MAX]; /* how many there have to be */
} text_work;

static uint64_t hash_number(uint32_t number)
{
    return stress_hash(&number, sizeof number, 1);
}

static void take_line(text_work *work, grove_bytes line)
{
    stress_label label;
    size_t bytes;
    if (!line_parse(line, &label, &bytes) || bytes != line.size) {
        stress_fail(work->board, "a text has a line that nobody wrote: '%.*s'",
                    (int)line.size, (const char *)line.data);
    }
    take_label(work->board, work->view, &label);
    uint32_t *first = &work->view->gone[label.author];
    uint32_t *end = &work->view->made[label.author];
    bool is_first = work->lines[label.author]++ == 0;
    *first = is_first || label.number < *first ? label.number : *first;
    *end = is_first || label.number >= *end ? label.number + 1 : *end;
    work->sums[label.author] += hash_number(label.number);
    uint32_t *caused = &work->caused[label.cause_author];
    *caused = label.cause_number >= *caused ? label.cause_number + 1 : *caused;
}

static bool take_text(void *context, grove_bytes utf8)
{
    text_work *work = context;
    for (size_t index = 0; index < utf8.size; index++) {
        work->cut[work->cut_bytes++] = utf8.data[index];
        if (utf8.data[index] == '\n' || work->cut_bytes == sizeof work->cut) {
            take_line(work, (grove_bytes){work->cut, work->cut_bytes});
            work->cut_bytes = 0;
        }
    }
    return true;
}

static void check_lines(const text_work *work)
{
    const stress_view *view = work->view;
    for (uint32_t author = 0; author < AUTHORS_MAX; author++) {
        uint64_t sum = 0;
        for (uint32_t number = view->gone[author]; number < view->made[author];
             number++) {
            sum += hash_number(number);
        }
        if (work->lines[author] != view->made[author] - view->gone[author] ||
            work->sums[author] != sum) {
            stress_fail(work->board,
                        "document %u has %u lines of author %u, numbers %u to %u: lost "
                        "or doubled",
                        view->document, work->lines[author], author, view->gone[author],
                        view->made[author]);
        }
        if (work->caused[author] > view->made[author]) {
            stress_fail(work->board,
                        "document %u has %u lines of author %u, and one that was written "
                        "knowing of %u",
                        view->document, view->made[author], author, work->caused[author]);
        }
    }
}

static void read_text(stress_board *board, const grove_document *document,
                      stress_view *view)
{
    grove_error error;
    text_work work = {.board = board, .view = view};
    (void)stress_answer(board, CALL_READ, WHEN_ANY,
                        grove_text_each(document, take_text, &work, &error), &error);
    if (work.cut_bytes != 0) {
        stress_fail(board, "document %u ends within a line", view->document);
    }
    check_lines(&work);
}

void view_read(stress_board *board, const grove_document *document, bool is_text,
               stress_view *view_out)
{
    memset(view_out, 0, sizeof *view_out);
    view_out->document = NO_DOCUMENT;
    if (is_text) {
        read_text(board, document, view_out);
    } else {
        read_opaque(board, document, view_out);
    }
}

/* Bounds */

void floor_take(stress_board *board, uint32_t document, stress_floor *floor_out)
{
    for (uint32_t author = 0; author < AUTHORS_MAX; author++) {
        floor_out->made[author] = atomic_load(&board->made[document][author].acked);
        floor_out->gone[author] = atomic_load(&board->gone[document][author].acked);
    }
}

static void check_bounds(stress_board *board, uint32_t document, uint32_t author,
                         const char *what, uint32_t shown, uint32_t least, uint32_t most)
{
    if (shown < least || shown > most) {
        stress_fail(board,
                    "document %u shows %u %s of author %u; %u were acknowledged before, "
                    "%u intended by now",
                    document, shown, what, author, least, most);
    }
}

void view_check(stress_board *board, const stress_view *view, uint32_t document,
                const stress_floor *floor, uint32_t own)
{
    if (view->document != NO_DOCUMENT && view->document != document) {
        stress_fail(board, "document %u is in the place of document %u", view->document,
                    document);
    }
    for (uint32_t author = 0; author < AUTHORS_MAX; author++) {
        if (author >= own && author < own + AUTHORS_OF_THREAD) {
            continue;
        }
        check_bounds(board, document, author, "events", view->made[author],
                     floor->made[author],
                     atomic_load(&board->made[document][author].intended));
        check_bounds(board, document, author, "deletions", view->gone[author],
                     floor->gone[author],
                     atomic_load(&board->gone[document][author].intended));
    }
}
