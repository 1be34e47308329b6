#include "sequence/siblings.h"

/* The new element, and what stands around it. */
typedef struct newcomer {
    const grove__spans *spans;
    uint32_t right;
    grove__place cursor;
    bool has_right;
    grove__place right_place; /* of the right origin, unless that is the end */
} newcomer;

/* Whether an element was inserted by an event that was applied. */
static bool is_inserted(uint32_t number)
{
    return number < GROVE__SPANS_BEFORE;
}

/* Whether the left origin of a span that stands right of the cursor stands
 * there too. Only inserted elements do, as all from before are known. */
static bool hangs_on_sibling(const newcomer *new, const grove__span *span)
{
    const grove__spans *spans = new->spans;
    return is_inserted(span->left) &&
           grove__spans_compare(spans, grove__spans_locate(spans, span->left),
                                new->cursor) >= 0;
}

/* Whether the right origin of a span, which is not that of the new element,
 * stands left of it: among those that are not known, then. */
static bool ends_earlier(const newcomer *new, const grove__span *span)
{
    const grove__spans *spans = new->spans;
    return is_inserted(span->right) &&
           (!new->has_right ||
            grove__spans_compare(spans, grove__spans_locate(spans, span->right),
                                 new->right_place) < 0);
}

/* The first element from the cursor on that is known is the right origin. */
static void find_right(newcomer *new)
{
    const grove__spans *spans = new->spans;
    grove__place place = new->cursor;
    new->right = GROVE__SPANS_END;
    while (grove__spans_normalize(spans, &place)) {
        const grove__span *span = grove__spans_at(spans, place);
        if (span->state != 0) {
            new->right = span->first;
            new->right_place = place;
            new->has_right = true;
            return;
        }
        place.index++;
    }
}

grove__siblings_place grove__siblings_find(const grove__spans *spans,
                                           grove__event_order order, uint32_t event,
                                           uint32_t left, grove__place cursor)
{
    newcomer new = {.spans = spans, .cursor = cursor};
    grove__siblings_place found = {.place = cursor};
    if (!grove__spans_normalize(spans, &new.cursor)) {
        found.right = GROVE__SPANS_END;
        return found;
    }
    find_right(&new);
    found.right = new.right;
    uint64_t passed = 0;
    bool is_scanning = false;
    for (grove__place place = new.cursor; grove__spans_normalize(spans, &place);) {
        const grove__span *span = grove__spans_at(spans, place);
        if (span->state != 0) {
            break;
        }
        if (span->left != left) {
            if (!hangs_on_sibling(&new, span)) {
                break;
            }
        } else if (span->right == new.right) {
            if (order.is_before(order.context, event, span->first)) {
                break;
            }
            is_scanning = false;
        } else {
            is_scanning = ends_earlier(&new, span);
        }
        passed += grove__span_effect(span);
        place.index++;
        if (!is_scanning) {
            found.place = place;
            found.passed = passed;
        }
    }
    return found;
}
