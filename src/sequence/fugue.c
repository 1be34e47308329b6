#include "sequence/fugue.h"

#include "base/alloc.h"
#include "base/assert.h"

#define NONE GROVE__FUGUE_NONE

void grove__fugue_init(grove__fugue *fugue, const grove_allocator *allocator)
{
    *fugue = (grove__fugue){.allocator = allocator};
}

void grove__fugue_release(grove__fugue *fugue)
{
    grove__deallocate(fugue->allocator, fugue->links,
                      fugue->capacity * sizeof *fugue->links);
    grove__fugue_init(fugue, fugue->allocator);
}

bool grove__fugue_reserve(grove__fugue *fugue, size_t more)
{
    return fugue->count <= NONE && more <= NONE - fugue->count &&
           grove__array_reserve_to(fugue->allocator, (void **)&fugue->links,
                                   &fugue->capacity, fugue->count + more,
                                   sizeof *fugue->links);
}

/* Where the row of elements on one side of an anchor begins. */
static uint32_t *row_of(const grove__fugue *fugue, grove__fugue_list *list,
                        grove__fugue_place place)
{
    if (place.is_left) {
        return &fugue->links[place.anchor].left;
    }
    return place.anchor == NONE ? &list->right : &fugue->links[place.anchor].right;
}

/* The element of a row that is furthest from its anchor. */
static uint32_t furthest(const grove__fugue *fugue, uint32_t element)
{
    while (fugue->links[element].sibling != NONE) {
        element = fugue->links[element].sibling;
    }
    return element;
}

/* The first and the last in order of an element and what hangs on it. */
static uint32_t first_of(const grove__fugue *fugue, uint32_t element)
{
    while (fugue->links[element].left != NONE) {
        element = furthest(fugue, fugue->links[element].left);
    }
    return element;
}

static uint32_t last_of(const grove__fugue *fugue, uint32_t element)
{
    while (fugue->links[element].right != NONE) {
        element = furthest(fugue, fugue->links[element].right);
    }
    return element;
}

/* Links an element after another; NONE: to the beginning. */
static void link_after(grove__fugue *fugue, grove__fugue_list *list, uint32_t element,
                       uint32_t previous)
{
    grove__fugue_links *links = fugue->links;
    uint32_t next = previous == NONE ? list->first : links[previous].next;
    links[element].previous = previous;
    links[element].next = next;
    *(previous == NONE ? &list->first : &links[previous].next) = element;
    *(next == NONE ? &list->last : &links[next].previous) = element;
}

void grove__fugue_add(grove__fugue *fugue, grove__fugue_list *list,
                      grove__fugue_order order, grove__fugue_place place)
{
    GROVE_ASSERT(fugue->count < fugue->capacity);
    GROVE_ASSERT(place.anchor < fugue->count || (place.anchor == NONE && !place.is_left));
    uint32_t element = (uint32_t)fugue->count++;
    grove__fugue_links *links = fugue->links;
    uint32_t *row = row_of(fugue, list, place);
    uint32_t nearer = NONE;
    uint32_t further = *row;
    while (further != NONE && order.is_later(order.context, further, element)) {
        nearer = further;
        further = links[further].sibling;
    }
    links[element] = (grove__fugue_links){
        .anchor = place.anchor & NONE,
        .is_left = place.is_left,
        .right = NONE,
        .left = NONE,
        .sibling = further,
    };
    *(nearer == NONE ? row : &links[nearer].sibling) = element;
    if (place.is_left) {
        uint32_t next = nearer == NONE ? place.anchor : first_of(fugue, nearer);
        link_after(fugue, list, element, links[next].previous);
    } else {
        uint32_t previous = nearer == NONE ? place.anchor : last_of(fugue, nearer);
        link_after(fugue, list, element, previous);
    }
}

void grove__fugue_take_back(grove__fugue *fugue, grove__fugue_list *list)
{
    GROVE_ASSERT(fugue->count > 0);
    uint32_t element = (uint32_t)--fugue->count;
    grove__fugue_links *links = fugue->links;
    grove__fugue_links *gone = &links[element];
    GROVE_ASSERT(gone->right == NONE && gone->left == NONE);
    uint32_t *link =
        row_of(fugue, list, (grove__fugue_place){gone->anchor, gone->is_left});
    while (*link != element) {
        link = &links[*link].sibling;
    }
    *link = gone->sibling;
    *(gone->previous == NONE ? &list->first : &links[gone->previous].next) = gone->next;
    *(gone->next == NONE ? &list->last : &links[gone->next].previous) = gone->previous;
}

grove__fugue_place grove__fugue_between(const grove__fugue *fugue,
                                        const grove__fugue_list *list, uint32_t left,
                                        uint32_t right)
{
    uint32_t row = left == NONE ? list->right : fugue->links[left].right;
    /* Something hangs right of it already: what comes next is nearer, unless
     * it is the end. */
    if (row != NONE && right != NONE) {
        return (grove__fugue_place){right, true};
    }
    return (grove__fugue_place){left, false};
}

/* Links elements whose order is known into rows: the nearest is the last that
 * is added to one. Of those on the left, `previous` is the next nearer. */
static void load_rows(grove__fugue *fugue, grove__fugue_list *list, uint32_t from,
                      uint32_t end)
{
    grove__fugue_links *links = fugue->links;
    for (uint32_t element = from; element < end; element++) {
        if (links[element].is_left) {
            uint32_t *row = &links[links[element].anchor].left;
            links[element].sibling = *row;
            if (*row != NONE) {
                links[*row].previous = element;
            }
            *row = element;
        }
    }
    for (uint32_t element = end; element > from; element--) {
        grove__fugue_links *item = &links[element - 1];
        if (!item->is_left) {
            uint32_t *row =
                row_of(fugue, list, (grove__fugue_place){item->anchor, false});
            item->sibling = *row;
            *row = element - 1;
        }
    }
}

/* The element after one in a walk through a tree of which only the rows are
 * loaded. */
static uint32_t loaded_successor(const grove__fugue *fugue, uint32_t element)
{
    const grove__fugue_links *links = fugue->links;
    if (links[element].right != NONE) {
        return first_of(fugue, links[element].right);
    }
    for (; element != NONE; element = links[element].anchor) {
        uint32_t next =
            links[element].is_left ? links[element].previous : links[element].sibling;
        if (next != NONE) {
            return first_of(fugue, next);
        }
        if (links[element].is_left) {
            return links[element].anchor;
        }
    }
    return NONE;
}

bool grove__fugue_load(grove__fugue *fugue, grove__fugue_list *list,
                       grove__fugue_order order, const grove__fugue_place *places,
                       size_t count)
{
    GROVE_ASSERT(count <= fugue->capacity - fugue->count);
    grove__fugue_links *links = fugue->links;
    uint32_t from = (uint32_t)fugue->count;
    uint32_t end = from + (uint32_t)count;
    for (uint32_t element = from; element < end; element++) {
        grove__fugue_place place = places[element - from];
        links[element] = (grove__fugue_links){
            .anchor = place.anchor & NONE,
            .is_left = place.is_left,
            .next = element + 1 < end ? element + 1 : NONE,
            .previous = NONE,
            .right = NONE,
            .left = NONE,
            .sibling = NONE,
        };
    }
    fugue->count = end;
    *list =
        (grove__fugue_list){from < end ? from : NONE, from < end ? end - 1 : NONE, NONE};
    load_rows(fugue, list, from, end);
    uint32_t expected = list->right == NONE ? NONE : first_of(fugue, list->right);
    for (uint32_t element = from; element < end; element++) {
        uint32_t further = links[element].sibling;
        if (element != expected ||
            (further != NONE && !order.is_later(order.context, element, further))) {
            return false;
        }
        expected = loaded_successor(fugue, element);
    }
    for (uint32_t element = from; element < end; element++) {
        links[element].previous = element > from ? element - 1 : NONE;
    }
    return true;
}

/* The element after one in a walk through the tree. */
static uint32_t successor(const grove__fugue *fugue, uint32_t element)
{
    const grove__fugue_links *links = fugue->links;
    if (links[element].right != NONE) {
        return first_of(fugue, links[element].right);
    }
    while (element != NONE) {
        uint32_t anchor = links[element].anchor;
        if (links[element].is_left) {
            uint32_t nearer = links[anchor].left;
            if (nearer == element) {
                return anchor;
            }
            while (links[nearer].sibling != element) {
                nearer = links[nearer].sibling;
            }
            return first_of(fugue, nearer);
        }
        if (links[element].sibling != NONE) {
            return first_of(fugue, links[element].sibling);
        }
        element = anchor;
    }
    return NONE;
}

const char *grove__fugue_check(const grove__fugue *fugue, const grove__fugue_list *list,
                               grove__fugue_order order)
{
    uint32_t expected = list->right == NONE ? NONE : first_of(fugue, list->right);
    uint32_t previous = NONE;
    for (uint32_t at = list->first; at != NONE; at = fugue->links[at].next) {
        const grove__fugue_links *links = &fugue->links[at];
        if (at != expected) {
            return "the list is not in the order of its tree";
        }
        if (links->previous != previous) {
            return "an element does not know the one before";
        }
        if (links->sibling != NONE && order.is_later(order.context, links->sibling, at)) {
            return "a later element is further away";
        }
        previous = at;
        expected = successor(fugue, at);
    }
    if (expected != NONE || list->last != previous) {
        return "the list ends early";
    }
    return NULL;
}
