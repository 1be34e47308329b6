#include "sequence/tracker_bytes.h"

#include "base/assert.h"
#include "base/error.h"
#include "format/column.h"

#define BEFORE GROVE__SPANS_BEFORE
#define BEFORE_END (BEFORE + GROVE__SPANS_BEFORE_COUNT)
#define NUMBERS_MAX GROVE__WHERE_NUMBERS_MAX

/* The columns, in their order. */
enum { KINDS, COUNTS, GAPS, STATES, LEFTS, RIGHTS, PIECES, TARGETS, COLUMN_COUNT };

/* A span's kind. */
enum {
    KIND_BEFORE = 1, /* of what was before; then the next three are 0 */
    KIND_GAP = 2,    /* it does not begin where the last inserted one ended */
    KIND_LEFT = 4,   /* its left origin is not what stands directly left */
    KIND_RIGHT = 3 << 3,
    KIND_DEAD = 1 << 5,
    KIND_STATE = 3 << 6, /* 3: in its column, less 3 */
    RIGHT_SHIFT = 3,
    STATE_SHIFT = 6,
    STATE_LONG = 3
};

/* Where a right origin is. */
enum {
    RIGHT_BEFORE, /* the next of what was before, or the end after all of it */
    RIGHT_NEXT,   /* the next span's first element */
    RIGHT_SAME,   /* that of the last inserted span */
    RIGHT_OTHER   /* in its column */
};

/* Consecutive events that deleted consecutive elements. */
typedef struct deletions {
    uint32_t count;
    uint32_t target; /* of the first */
    bool is_backward;
} deletions;

/* What deletions after these are expected to begin with, a number less than
 * that of any element included. */
static int64_t target_after(const deletions *run)
{
    int64_t count = run->count;
    return (int64_t)run->target + (run->is_backward ? -count : count);
}

/* --- writing --- */

typedef struct writer {
    grove_buffer columns[COLUMN_COUNT];
    uint32_t next;       /* number after those of the last inserted span */
    uint32_t before_end; /* the same of what was before */
    uint32_t neighbour;  /* the element directly left */
    uint32_t right;      /* right origin of the last inserted span */
    int64_t targets[2];  /* expected: an inserted one, one from before */
} writer;

static void put(writer *to, int column, uint64_t value)
{
    grove__column_put(&to->columns[column], &to->columns[column], value);
}

/* Whether a span is one with that directly left of it, cut somewhere. */
static bool goes_on(const grove__span *span, const grove__span *next)
{
    return next->first == span->first + span->count && next->left == next->first - 1 &&
           next->right == span->right && next->state == span->state &&
           next->is_dead == span->is_dead;
}

/* An origin of what event `first` inserted: inserted before that, or so many
 * elements away from where that stands in what was before. */
static void put_origin(writer *to, int column, uint32_t first, uint32_t origin,
                       uint32_t distance)
{
    if (origin < BEFORE) {
        put(to, column, (uint64_t)(first - 1 - origin) << 1);
    } else {
        put(to, column, (uint64_t)distance << 1 | 1);
    }
}

static int put_gap(writer *to, const grove__span *span)
{
    int64_t gap = (int64_t)span->first - to->next;
    to->next = span->first + span->count;
    if (gap == 0) {
        return 0;
    }
    put(to, GAPS, grove__zigzag(gap));
    return KIND_GAP;
}

static int put_left(writer *to, const grove__span *span)
{
    if (span->left == to->neighbour) {
        return 0;
    }
    /* The beginning is as if it was the element before the first. */
    uint32_t left = span->left == GROVE__SPANS_START ? BEFORE - 1 : span->left;
    put_origin(to, LEFTS, span->first, span->left, to->before_end - 1 - left);
    return KIND_LEFT;
}

static int put_right(writer *to, const grove__span *span, uint32_t following)
{
    /* The end is as if it was the element after the last. */
    uint32_t right = span->right == GROVE__SPANS_END ? BEFORE_END : span->right;
    int way = right == to->before_end    ? RIGHT_BEFORE
              : span->right == following ? RIGHT_NEXT
              : span->right == to->right ? RIGHT_SAME
                                         : RIGHT_OTHER;
    if (way == RIGHT_OTHER) {
        put_origin(to, RIGHTS, span->first, span->right, right - to->before_end);
    }
    to->right = span->right;
    return way << RIGHT_SHIFT;
}

/* `following`: the first element of the next span. */
static void put_span(writer *to, const grove__span *span, uint32_t following)
{
    uint32_t state = span->state < STATE_LONG ? span->state : STATE_LONG;
    int kind = (int)state << STATE_SHIFT | (span->is_dead ? KIND_DEAD : 0);
    uint32_t count = span->count;
    if (span->first >= BEFORE) {
        kind |= KIND_BEFORE;
        to->before_end = span->first + count;
        count = to->before_end == BEFORE_END ? 0 : count;
    } else {
        kind |= put_gap(to, span);
        kind |= put_left(to, span);
        kind |= put_right(to, span, following);
    }
    put(to, COUNTS, count);
    if (state == STATE_LONG) {
        put(to, STATES, span->state - STATE_LONG);
    }
    grove_buffer_u8(&to->columns[KINDS], (uint8_t)kind);
    to->neighbour = span->first + span->count - 1;
}

static void put_spans(writer *to, const grove__spans *spans)
{
    grove__place place = {0, 0};
    bool has_next = grove__spans_normalize(spans, &place);
    GROVE_ASSERT(has_next);
    grove__span span = *grove__spans_at(spans, place);
    while (has_next) {
        place.index++;
        has_next = grove__spans_normalize(spans, &place);
        const grove__span *next = has_next ? grove__spans_at(spans, place) : NULL;
        if (next != NULL && goes_on(&span, next)) {
            span.count += next->count;
        } else {
            put_span(to, &span, next != NULL ? next->first : GROVE__SPANS_END);
            span = next != NULL ? *next : span;
        }
    }
}

/* The deletions of the piece that begins at `first`; of none, if it is of an
 * insertion. `end_out`: where the next piece begins. */
static deletions deletions_at(const grove__where *where, uint32_t first, uint32_t end,
                              uint32_t *end_out)
{
    grove__where_piece piece = grove__where_find(where, first);
    *end_out = grove__where_next(where, first, end);
    uint32_t count = piece.is_deletion ? *end_out - first : 0;
    return (deletions){count, piece.value, count > 1 && piece.is_backward};
}

/* Makes one of two, if they are. */
static bool join(deletions *run, const deletions *next)
{
    deletions both = *run;
    if (run->count == 1) {
        both.is_backward =
            next->count > 1 ? next->is_backward : next->target < run->target;
    }
    if (next->count == 0 || next->target != target_after(&both) ||
        (next->count > 1 && next->is_backward != both.is_backward)) {
        return false;
    }
    both.count += next->count;
    *run = both;
    return true;
}

static void put_deletions(writer *to, const deletions *run, bool is_rest)
{
    bool is_before = run->target >= BEFORE;
    int64_t difference = run->target - to->targets[is_before];
    put(to, PIECES, is_rest ? 0 : run->count);
    put(to, TARGETS,
        grove__zigzag(difference) << 2 | (is_before ? 2 : 0) |
            (run->is_backward ? 1 : 0));
    to->targets[is_before] = target_after(run);
}

static void put_pieces(writer *to, const grove__where *where, uint32_t event_count)
{
    uint32_t at = 0;
    while (at < event_count) {
        uint32_t end;
        deletions run = deletions_at(where, at, event_count, &end);
        deletions next = {0, 0, false};
        at = end;
        while (run.count > 0 && at < event_count) {
            next = deletions_at(where, at, event_count, &end);
            if (!join(&run, &next)) {
                break;
            }
            at = end;
        }
        if (run.count > 0) {
            put_deletions(to, &run, at == event_count || next.count == 0);
        }
    }
}

grove_status grove__tracker_encode(const grove__tracker *tracker, uint32_t event_count,
                                   grove_buffer *bytes_out)
{
    writer to = {.neighbour = GROVE__SPANS_START,
                 .before_end = BEFORE,
                 .right = GROVE__SPANS_END,
                 .targets = {0, BEFORE}};
    for (int column = 0; column < COLUMN_COUNT; column++) {
        grove_buffer_init(&to.columns[column], bytes_out->allocator);
    }
    put_spans(&to, &tracker->spans);
    put_pieces(&to, &tracker->spans.where, event_count);
    size_t start = bytes_out->size;
    for (int column = 0; column < COLUMN_COUNT - 1; column++) {
        grove_buffer_varint(bytes_out, to.columns[column].size);
    }
    bool failed = false;
    for (int column = 0; column < COLUMN_COUNT; column++) {
        const grove_buffer *from = &to.columns[column];
        failed = failed || from->failed;
        grove_buffer_append(bytes_out, from->data, from->size);
        grove_buffer_release(&to.columns[column]);
    }
    if (failed || bytes_out->failed) {
        bytes_out->size = start;
        return GROVE_NO_MEMORY;
    }
    return GROVE_OK;
}

/* --- reading --- */

typedef struct reader {
    grove__spans *spans;
    uint32_t event_count;
    grove_reader columns[COLUMN_COUNT];
    size_t starts[COLUMN_COUNT]; /* offsets of the columns */
    uint32_t inserted;           /* elements of all inserted spans */
    grove_error *error_out;
} reader;

static uint64_t get(reader *from, int column)
{
    return grove__column_get(&from->columns[column], &from->columns[column]);
}

/* The fault is before where the column has been read to. */
static grove_status fail(const reader *from, int column, const char *fault)
{
    return grove__fail_at(from->error_out, GROVE_CORRUPT,
                          from->starts[column] + from->columns[column].offset,
                          "state of a merge: %s", fault);
}

static grove_status split_columns(reader *from, grove_bytes bytes)
{
    grove_reader all = grove_reader_of(bytes);
    uint64_t sizes[COLUMN_COUNT];
    for (int column = 0; column < COLUMN_COUNT - 1; column++) {
        sizes[column] = grove_reader_varint(&all);
    }
    for (int column = 0; column < COLUMN_COUNT; column++) {
        uint64_t left = grove_reader_left(&all);
        uint64_t size = column == COLUMN_COUNT - 1 ? left : sizes[column];
        if (all.failed || size > left) {
            return grove__fail_at(from->error_out, GROVE_CORRUPT, all.offset,
                                  "state of a merge: %s", "the columns end early");
        }
        from->starts[column] = all.offset;
        from->columns[column] = grove_reader_of(grove_reader_bytes(&all, (size_t)size));
    }
    return GROVE_OK;
}

/* All of a column was needed. */
static grove_status finish(const reader *from, int first_column, int last_column)
{
    for (int column = first_column; column <= last_column; column++) {
        if (!grove_reader_done(&from->columns[column])) {
            return fail(from, column, "a column of another length");
        }
    }
    return GROVE_OK;
}

/* A span of what was before, of which `before_end` comes next. */
static grove_status read_before(reader *from, int kind, uint32_t before_end,
                                grove__span *span)
{
    uint32_t left = BEFORE_END - before_end;
    uint64_t count = get(from, COUNTS);
    count = count == 0 ? left : count;
    if (from->columns[COUNTS].failed || count == 0 || count > left) {
        return fail(from, COUNTS, "more than was before");
    }
    if ((kind & (KIND_GAP | KIND_LEFT | KIND_RIGHT)) != 0) {
        return fail(from, KINDS, "a kind that cannot be");
    }
    span->first = before_end;
    span->count = (uint32_t)count;
    span->left = before_end == BEFORE ? GROVE__SPANS_START : before_end - 1;
    span->right = GROVE__SPANS_END;
    return GROVE_OK;
}

/* An inserted span; its origins are not known yet. */
static grove_status read_inserted(reader *from, int kind, uint32_t next,
                                  grove__span *span)
{
    uint64_t gap = 0;
    if ((kind & KIND_GAP) != 0) {
        gap = (uint64_t)grove__unzigzag(get(from, GAPS));
    }
    uint64_t first = next + gap;
    if (from->columns[GAPS].failed || first >= from->event_count) {
        return fail(from, GAPS, "an insertion that is no event");
    }
    uint64_t count = get(from, COUNTS);
    if (from->columns[COUNTS].failed || count == 0 || count > from->event_count - first ||
        count > from->event_count - from->inserted) {
        return fail(from, COUNTS, "insertions of more events than there are");
    }
    span->first = (uint32_t)first;
    span->count = (uint32_t)count;
    from->inserted += (uint32_t)count;
    return GROVE_OK;
}

static grove_status read_state(reader *from, int kind, grove__span *span)
{
    uint64_t state = (uint64_t)(kind & KIND_STATE) >> STATE_SHIFT;
    if (state == STATE_LONG) {
        uint64_t more = get(from, STATES);
        if (from->columns[STATES].failed || more >= NUMBERS_MAX - STATE_LONG) {
            return fail(from, STATES, "a state that cannot be");
        }
        state += more;
    }
    span->state = (uint32_t)state;
    span->is_dead = (kind & KIND_DEAD) != 0;
    return GROVE_OK;
}

/* Puts all spans, except for the origins of inserted ones. */
static grove_status read_spans(reader *from)
{
    grove__place place = {0, 0};
    uint32_t next = 0;
    uint32_t before_end = BEFORE;
    /* What was before comes with the spans. */
    from->spans->leaves[0].count = 0;
    while (grove_reader_left(&from->columns[KINDS]) > 0) {
        grove__span span = {.left = GROVE__SPANS_START, .right = GROVE__SPANS_END};
        int kind = grove_reader_u8(&from->columns[KINDS]);
        bool is_before = (kind & KIND_BEFORE) != 0;
        grove_status status = is_before ? read_before(from, kind, before_end, &span)
                                        : read_inserted(from, kind, next, &span);
        if (status == GROVE_OK) {
            status = read_state(from, kind, &span);
        }
        if (status != GROVE_OK) {
            return status;
        }
        if (!grove__spans_reserve(from->spans)) {
            return grove__fail_memory(from->error_out);
        }
        place = grove__spans_put(from->spans, place, span);
        place.index++;
        if (is_before) {
            before_end = span.first + span.count;
        } else {
            next = span.first + span.count;
        }
    }
    return before_end == BEFORE_END ? finish(from, KINDS, STATES)
                                    : fail(from, COUNTS, "less than was before");
}

/* Whether `count` elements from `first` on were all there before event `end`,
 * up to which `where` has all pieces. */
static bool are_elements(const reader *from, int64_t first, uint32_t count, uint32_t end)
{
    if (first >= BEFORE) {
        return first + count <= BEFORE_END;
    }
    if (first < 0 || first + count > end) {
        return false;
    }
    const grove__where *where = &from->spans->where;
    uint32_t number = (uint32_t)first;
    uint32_t number_end = number + count;
    while (number < number_end) {
        if (grove__where_find(where, number).is_deletion) {
            return false;
        }
        number = grove__where_next(where, number, number_end);
    }
    return true;
}

/* The events from `at` to `end` - 1 have deleted: puts their pieces. */
static grove_status read_pieces(reader *from, uint32_t at, uint32_t end,
                                int64_t targets[2])
{
    while (at < end) {
        uint64_t count = get(from, PIECES);
        count = count == 0 ? end - at : count;
        if (from->columns[PIECES].failed || count > end - at) {
            return fail(from, PIECES, "deletions that are other events");
        }
        uint64_t code = get(from, TARGETS);
        bool is_before = (code & 2) != 0;
        /* The code has two bits less: no sum overflows. */
        int64_t target = targets[is_before] + grove__unzigzag(code >> 2);
        if (from->columns[TARGETS].failed || target < 0 || target > UINT32_MAX ||
            (target >= BEFORE) != is_before) {
            return fail(from, TARGETS, "what was deleted is no element");
        }
        deletions run = {(uint32_t)count, (uint32_t)target, (code & 1) != 0};
        if (!are_elements(from, run.is_backward ? target - run.count + 1 : target,
                          run.count, at)) {
            return fail(from, TARGETS, "what was deleted is no element");
        }
        grove__where_put(&from->spans->where,
                         (grove__where_piece){.first = at,
                                              .value = run.target,
                                              .is_deletion = true,
                                              .is_backward = run.is_backward});
        targets[is_before] = target_after(&run);
        at += run.count;
    }
    return GROVE_OK;
}

/* Goes through all events, and puts deletions where no insertions are. A span
 * that begins within another is stepped over, and then missing. */
static grove_status read_deletions(reader *from)
{
    const grove__spans *spans = from->spans;
    const uint32_t event_count = from->event_count;
    int64_t targets[2] = {0, BEFORE};
    uint32_t found = 0;
    uint32_t at = 0;
    while (at < event_count) {
        uint32_t next = grove__where_next(&spans->where, at - 1, event_count);
        grove_status status = read_pieces(from, at, next, targets);
        if (status != GROVE_OK) {
            return status;
        }
        at = next;
        if (at < event_count) {
            const grove__span *span =
                grove__spans_at(spans, grove__spans_locate(spans, at));
            uint32_t count = span->count - (at - span->first);
            found += count;
            at += count;
        }
    }
    return found == from->inserted ? finish(from, PIECES, TARGETS)
                                   : fail(from, GAPS, "an event was inserted twice");
}

/* An origin of an inserted span: `event` is its first, and `before` what stands
 * on that side of it in what was before; `step` leads away from it. */
static int64_t read_origin(reader *from, int column, uint32_t event, uint32_t before,
                           int step)
{
    uint64_t code = get(from, column);
    uint64_t distance = code >> 1;
    if (distance > BEFORE) {
        return -1;
    }
    return (code & 1) == 0 ? (int64_t)event - 1 - (int64_t)distance
                           : before + step * (int64_t)distance;
}

/* Reads and verifies a span's origins; what is known are the kinds. */
typedef struct surroundings {
    uint32_t before_end;
    uint32_t neighbour;
    uint32_t right;
} surroundings;

static grove_status read_left(reader *from, int kind, const surroundings *around,
                              grove__span *span)
{
    int64_t left = around->neighbour;
    if ((kind & KIND_LEFT) != 0) {
        left = read_origin(from, LEFTS, span->first, around->before_end - 1, -1);
        left = left == BEFORE - 1 ? GROVE__SPANS_START : left;
    }
    if (from->columns[LEFTS].failed ||
        (left != GROVE__SPANS_START && !are_elements(from, left, 1, span->first))) {
        return fail(from, LEFTS, "a left origin that is no element");
    }
    span->left = (uint32_t)left;
    return GROVE_OK;
}

static grove_status read_right(reader *from, int kind, const surroundings *around,
                               uint32_t following, grove__span *span)
{
    int64_t right = around->before_end;
    switch ((kind & KIND_RIGHT) >> RIGHT_SHIFT) {
    case RIGHT_NEXT:
        right = following;
        break;
    case RIGHT_SAME:
        right = around->right;
        break;
    case RIGHT_OTHER:
        right = read_origin(from, RIGHTS, span->first, around->before_end, 1);
        break;
    default:
        break;
    }
    right = right == BEFORE_END ? GROVE__SPANS_END : right;
    if (from->columns[RIGHTS].failed ||
        (right != GROVE__SPANS_END && !are_elements(from, right, 1, span->first)) ||
        (right >= BEFORE && right < around->before_end)) {
        return fail(from, RIGHTS, "a right origin that is no element");
    }
    span->right = (uint32_t)right;
    return GROVE_OK;
}

/* All spans and deletions are there: the origins can be told from numbers that
 * are none. */
static grove_status read_origins(reader *from)
{
    grove__spans *spans = from->spans;
    surroundings around = {BEFORE, GROVE__SPANS_START, GROVE__SPANS_END};
    from->columns[KINDS].offset = 0;
    grove__place place = {0, 0};
    while (grove__spans_normalize(spans, &place)) {
        grove__span *span = &spans->leaves[place.leaf].items[place.index];
        int kind = grove_reader_u8(&from->columns[KINDS]);
        place.index++;
        if (span->first >= BEFORE) {
            around.before_end = span->first + span->count;
        } else {
            uint32_t following = grove__spans_normalize(spans, &place)
                                     ? grove__spans_at(spans, place)->first
                                     : GROVE__SPANS_END;
            grove_status status = read_left(from, kind, &around, span);
            if (status == GROVE_OK) {
                status = read_right(from, kind, &around, following, span);
            }
            if (status != GROVE_OK) {
                return status;
            }
            around.right = span->right;
        }
        around.neighbour = span->first + span->count - 1;
    }
    return finish(from, LEFTS, RIGHTS);
}

grove_status grove__tracker_decode(grove__tracker *tracker, uint32_t event_count,
                                   grove_bytes bytes, grove_error *error_out)
{
    reader from = {
        .spans = &tracker->spans, .event_count = event_count, .error_out = error_out};
    if (event_count > NUMBERS_MAX) {
        return grove__fail(error_out, GROVE_CORRUPT, "state of a merge: %s",
                           "more events than there can be");
    }
    grove_status status = split_columns(&from, bytes);
    if (status == GROVE_OK && (!grove__spans_clear(from.spans) ||
                               !grove__where_reserve(&from.spans->where, event_count))) {
        return grove__fail_memory(error_out);
    }
    if (status == GROVE_OK) {
        status = read_spans(&from);
    }
    if (status == GROVE_OK) {
        status = read_deletions(&from);
    }
    return status == GROVE_OK ? read_origins(&from) : status;
}
