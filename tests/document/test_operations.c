/* Operations of events from several places, found by clock. */
#include "document/operations.h"
#include "support/faulty_allocator.h"
#include "support/random.h"
#include "support/store_fixture.h"

enum { BATCHES = 3, STORED = 28, EVENTS = 38, OPERATIONS = 10 };

static const char NAME[] = "document";

/* What an event does: it inserts a character, or, without one, deletes. */
typedef struct single {
    uint64_t position;
    char utf8[5];
} single;

/* The document's events by clock. */
typedef struct script {
    single events[EVENTS];
    uint64_t count;
} script;

static void note(script *made, const single *event)
{
    cr_assert_lt(made->count, EVENTS);
    made->events[made->count++] = *event;
}

static size_t character_bytes(const char *utf8)
{
    size_t bytes = 1;
    while (((unsigned char)utf8[bytes] & 0xc0) == 0x80) {
        bytes++;
    }
    return bytes;
}

static void type(store_fixture *fixture, grove_document *document, script *made,
                 uint64_t position, const char *utf8)
{
    insert(fixture, document, position, utf8);
    while (*utf8 != '\0') {
        single event = {position++, ""};
        memcpy(event.utf8, utf8, character_bytes(utf8));
        utf8 += character_bytes(utf8);
        note(made, &event);
    }
}

static void delete_forward(store_fixture *fixture, grove_document *document, script *made,
                           uint64_t position, uint32_t count)
{
    single event = {position, ""};
    assert_ok(fixture, grove_text_delete(document, position, count, &fixture->error));
    while (count-- > 0) {
        note(made, &event);
    }
}

/* The handle makes one operation of such deletions. */
static void delete_backward(store_fixture *fixture, grove_document *document,
                            script *made, uint64_t end, uint32_t count)
{
    while (count-- > 0) {
        delete_forward(fixture, document, made, --end, 1);
    }
}

/* Three batches, of 12, 7 and 9 events, and 10 unsaved ones. */
static grove_document *make_document(store_fixture *fixture, script *made)
{
    grove_document *document = open_manual(fixture, NAME, NULL);
    made->count = 0;
    type(fixture, document, made, 0, "ab\xc3\xb6xyfgh");
    delete_forward(fixture, document, made, 1, 4);
    (void)save(fixture, document);
    delete_backward(fixture, document, made, 4, 2);
    type(fixture, document, made, 0, "\xe6\xbc\xa2jklm");
    (void)save(fixture, document);
    type(fixture, document, made, 3, "nop");
    delete_backward(fixture, document, made, 6, 3);
    type(fixture, document, made, 3, "qr\xf0\x9f\x98\x80");
    (void)save(fixture, document);
    delete_forward(fixture, document, made, 0, 3);
    type(fixture, document, made, 0, "t\xc3\xa9v");
    delete_backward(fixture, document, made, 4, 4);
    cr_assert_eq(statistics_of(fixture, NAME).batches, BATCHES);
    cr_assert_eq(grove_document_clock(document), STORED);
    cr_assert_eq(made->count, EVENTS);
    return document;
}

/* The operation is what the events from `clock` on do, with contents or
 * without. */
static void check_operation(const script *made, uint64_t clock,
                            const grove_operation *operation, bool has_contents)
{
    const char *utf8 = (const char *)operation->content.data;
    size_t bytes = 0;
    for (uint32_t index = 0; index < operation->count; index++) {
        const single *event = &made->events[clock + index];
        uint64_t position = operation->position;
        if (operation->kind == GROVE_TEXT_INSERT) {
            position += index;
        } else if (operation->kind == GROVE_TEXT_BACKSPACE) {
            position += operation->count - 1 - index;
        }
        cr_assert_eq(position, event->position);
        cr_assert_eq(operation->kind == GROVE_TEXT_INSERT, event->utf8[0] != '\0');
        size_t size = has_contents ? strlen(event->utf8) : 0;
        cr_assert_leq(bytes + size, operation->content.size);
        cr_assert(size == 0 || memcmp(utf8 + bytes, event->utf8, size) == 0);
        bytes += size;
    }
    cr_assert_eq(operation->content.size, bytes);
}

/* Asks for all events of a range in order. Returns how many operations. */
static uint32_t check_in_order(const script *made, grove__operation_list *list,
                               uint64_t from, uint64_t end, bool has_contents)
{
    uint32_t count = 0;
    while (from < end) {
        grove_operation operation = grove__operation_list_get(list, from, end);
        cr_assert_gt(operation.count, 0);
        cr_assert_leq(operation.count, end - from);
        check_operation(made, from, &operation, has_contents || from >= STORED);
        from += operation.count;
        count++;
    }
    return count;
}

/* Asks for some events of a range in any order, and not always to its end. */
static void check_at_random(const script *made, grove__operation_list *list,
                            uint64_t from, uint64_t end, bool has_contents,
                            test_random *random)
{
    for (uint64_t count = 0; count < 2 * (end - from); count++) {
        uint64_t clock = from + test_random_below(random, end - from);
        uint64_t until = clock + 1 + test_random_below(random, end - clock);
        grove_operation operation = grove__operation_list_get(list, clock, until);
        cr_assert_gt(operation.count, 0);
        cr_assert_leq(operation.count, until - clock);
        check_operation(made, clock, &operation, has_contents || clock >= STORED);
    }
}

/* Brings the events of a range together, from the store and the unsaved. */
static grove_status gather(grove_document *document, grove__operation_list *list,
                           uint64_t from, uint64_t end, bool with_contents,
                           grove_error *error)
{
    grove__txn txn;
    grove_status status = GROVE_OK;
    if (from < STORED) {
        status = grove__txn_begin(&document->store->kv, GROVE_TXN_READ, &txn, error);
        if (status == GROVE_OK) {
            status = grove__operation_list_read(list, document, &txn, from,
                                                end < STORED ? end : STORED,
                                                with_contents, error);
            grove__txn_abort(&txn);
        }
    }
    if (status == GROVE_OK && end > STORED) {
        status = grove__operation_list_add(list, &document->unsaved, STORED,
                                           from > STORED ? from : STORED, end, error);
    }
    return status;
}

STORE_TEST(operations, of_any_range_are_those_of_its_events_alone)
{
    script made;
    test_random random = test_random_of("operations");
    grove_document *document = make_document(fixture, &made);
    for (uint64_t from = 0; from < EVENTS; from++) {
        for (uint64_t end = from + 1; end <= EVENTS; end++) {
            bool with_contents = test_random_below(&random, 2) == 0;
            grove__operation_list list;
            grove__operation_list_init(&list, document);
            assert_ok(fixture,
                      gather(document, &list, from, end, with_contents, &fixture->error));
            uint32_t count = check_in_order(&made, &list, from, end, with_contents);
            cr_assert(from > 0 || end < EVENTS || count == OPERATIONS);
            check_at_random(&made, &list, from, end, with_contents, &random);
            grove__operation_list_release(&list);
        }
    }
    grove_document_close(document);
}

STORE_TEST(operations, are_as_long_as_they_were_made)
{
    static const uint32_t counts[OPERATIONS] = {8, 4, 2, 5, 3, 3, 3, 3, 3, 4};
    script made;
    uint64_t clock = 0;
    grove_document *document = make_document(fixture, &made);
    grove__operation_list list;
    grove__operation_list_init(&list, document);
    assert_ok(fixture, gather(document, &list, 0, EVENTS, true, &fixture->error));
    for (size_t index = 0; index < OPERATIONS; index++) {
        for (uint32_t passed = 0; passed < counts[index]; passed++) {
            grove_operation rest =
                grove__operation_list_get(&list, clock + passed, EVENTS);
            cr_assert_eq(rest.count, counts[index] - passed);
        }
        clock += counts[index];
    }
    grove__operation_list_release(&list);
    grove_document_close(document);
}

STORE_TEST(operations, of_several_ranges_leave_out_what_lies_between)
{
    static const uint64_t ranges[][2] = {{2, 5},   {6, 7},   {11, 13}, {15, 20},
                                         {22, 23}, {27, 30}, {32, 33}, {35, EVENTS}};
    enum { RANGES = sizeof ranges / sizeof *ranges };
    script made;
    test_random random = test_random_of("operations of several ranges");
    grove_document *document = make_document(fixture, &made);
    grove__operation_list list;
    grove__operation_list_init(&list, document);
    for (size_t index = 0; index < RANGES; index++) {
        assert_ok(fixture, gather(document, &list, ranges[index][0], ranges[index][1],
                                  index % 2 == 0, &fixture->error));
    }
    for (int count = 0; count < 200; count++) {
        size_t index = test_random_below(&random, RANGES);
        uint64_t from = ranges[index][0];
        uint64_t end = ranges[index][1];
        (void)check_in_order(&made, &list, from, end, index % 2 == 0);
        check_at_random(&made, &list, from, end, index % 2 == 0, &random);
        /* Beyond what the list has, an operation ends where its range does. */
        grove_operation last = grove__operation_list_get(&list, end - 1, UINT64_MAX);
        cr_assert_eq(last.count, 1);
    }
    grove__operation_list_release(&list);
    grove_document_close(document);
}

STORE_TEST(operations, of_events_outside_a_list_are_none)
{
    script made;
    grove_document *document = make_document(fixture, &made);
    grove__operation_list list;
    grove__operation_list_init(&list, document);
    assert_ok(fixture, grove__operation_list_add(&list, &document->unsaved, STORED, 0,
                                                 STORED, &fixture->error));
    assert_ok(fixture, grove__operation_list_add(&list, &document->unsaved, STORED,
                                                 EVENTS, EVENTS + 5, &fixture->error));
    cr_assert_eq(list.items.size, 0);
    assert_ok(fixture, grove__operation_list_add(&list, &document->unsaved, STORED, 0,
                                                 UINT64_MAX, &fixture->error));
    cr_assert_eq(check_in_order(&made, &list, STORED, EVENTS, true), 3);
    grove__operation_list_release(&list);
    grove_document_close(document);
}

STORE_TEST(operations, of_a_batch_that_is_not_there_are_corrupt)
{
    script made;
    grove__txn txn;
    grove_document *document = make_document(fixture, &made);
    grove__operation_list list;
    grove__operation_list_init(&list, document);
    assert_ok(fixture, grove__txn_begin(&document->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    assert_fails(fixture, GROVE_CORRUPT,
                 grove__operation_list_read(&list, document, &txn, STORED - 1, EVENTS,
                                            true, &fixture->error));
    assert_fails(fixture, GROVE_CORRUPT,
                 grove__operation_list_read(&list, document, &txn, STORED, EVENTS, false,
                                            &fixture->error));
    grove__txn_abort(&txn);
    grove__operation_list_release(&list);
    grove_document_close(document);
}

/* Gathers everything while the n-th allocation fails. True: none did. */
static bool gather_with_failure(store_fixture *fixture, size_t nth, bool with_contents)
{
    script made;
    faulty_allocator faulty;
    faulty_allocator_init(&faulty, 0);
    fixture->options.allocator = &faulty.allocator;
    store_fixture_open(fixture);
    grove_document *document = make_document(fixture, &made);
    grove__operation_list list;
    grove__operation_list_init(&list, document);
    faulty.fails_at = faulty.calls + nth;
    grove_status status =
        gather(document, &list, 0, EVENTS, with_contents, &fixture->error);
    faulty.fails_at = 0;
    cr_assert_eq(status, faulty.has_failed ? GROVE_NO_MEMORY : GROVE_OK);
    if (status == GROVE_OK) {
        (void)check_in_order(&made, &list, 0, EVENTS, with_contents);
    }
    grove__operation_list_release(&list);
    grove_document_close(document);
    assert_ok(fixture, grove_document_delete(fixture->store, grove_bytes_of(NAME), NULL,
                                             &fixture->error));
    store_fixture_close(fixture);
    faulty_allocator_finish(&faulty);
    fixture->options.allocator = NULL;
    return !faulty.has_failed;
}

STORE_TEST(operations, leak_nothing_when_an_allocation_fails)
{
    store_fixture_close(fixture);
    for (int contents = 0; contents < 2; contents++) {
        size_t nth = 1;
        while (!gather_with_failure(fixture, nth, contents == 1)) {
            nth++;
        }
        cr_assert_gt(nth, 5);
    }
    store_fixture_open(fixture);
}
