/* Many documents in one store: what does not get slower, counted in calls. */
#include "support/faulty_backend.h"
#include "support/store_fixture.h"

enum { FEW = 20, MANY = 2000, PAGE = 10 };

/* The calls of the backend that each thing took. */
typedef struct call_counts {
    size_t open;
    size_t statistics;
    size_t page;
    size_t load;
} call_counts;

static void make_documents(store_fixture *fixture, int count)
{
    for (int index = 0; index < count; index++) {
        char id[32];
        grove_document *document;
        (void)snprintf(id, sizeof id, "folder/%05d", index);
        assert_ok(fixture, grove_document_open(fixture->store, grove_bytes_of(id), NULL,
                                               &document, &fixture->error));
        assert_ok(fixture,
                  grove_text_insert(document, 0, grove_bytes_of("x"), &fixture->error));
        assert_ok(fixture, grove_document_save(document, NULL, NULL, &fixture->error));
        grove_document_close(document);
    }
}

typedef struct page {
    int count;
    char last[32];
} page;

static bool take_page(void *context, grove_bytes name)
{
    page *taken = context;
    memcpy(taken->last, name.data, name.size);
    taken->last[name.size] = '\0';
    return ++taken->count < PAGE;
}

/* Counts on a store of so many documents. */
static call_counts count_calls(store_fixture *fixture, int documents)
{
    call_counts counts;
    faulty_backend faulty;
    grove_store_statistics statistics;
    grove_document *document;
    page taken = {0, ""};
    make_documents(fixture, documents);
    store_fixture_close(fixture);
    faulty_backend_init(&faulty, fixture->options.backend, SIZE_MAX, GROVE_IO);
    faulty.under_context = fixture->options.backend_context;
    grove_store_options before = fixture->options;
    fixture->options.backend = &faulty.table;
    fixture->options.backend_context = &faulty;
    store_fixture_open(fixture);
    counts.open = faulty.calls;
    assert_ok(fixture,
              grove_store_statistics_get(fixture->store, &statistics, &fixture->error));
    cr_assert_gt(statistics.backend.entries, (uint64_t)documents);
    counts.statistics = faulty.calls - counts.open;
    size_t calls = faulty.calls;
    assert_ok(fixture, grove_document_list(fixture->store, grove_bytes_of("folder/"),
                                           grove_bytes_of("folder/00005"), take_page,
                                           &taken, &fixture->error));
    cr_assert_str_eq(taken.last, "folder/00015");
    counts.page = faulty.calls - calls;
    calls = faulty.calls;
    /* The last one was saved once. */
    char id[32];
    (void)snprintf(id, sizeof id, "folder/%05d", documents - 1);
    assert_ok(fixture, grove_document_load(fixture->store, grove_bytes_of(id), NULL,
                                           &document, &fixture->error));
    counts.load = faulty.calls - calls;
    grove_document_close(document);
    store_fixture_close(fixture);
    faulty_backend_finish(&faulty);
    fixture->options = before;
    store_fixture_open(fixture);
    return counts;
}

STORE_TEST(many, documents_make_neither_opening_nor_statistics_nor_a_load_slower)
{
    call_counts few = count_calls(fixture, FEW);
    call_counts many = count_calls(fixture, MANY);
    cr_assert_eq(many.open, few.open);
    cr_assert_eq(many.statistics, few.statistics);
    cr_assert_eq(many.load, few.load);
    /* A slice is read whole, whatever of it is taken. */
    cr_assert_leq(many.page, 300);
}

typedef struct walk {
    store_fixture *fixture;
    int count;
} walk;

/* Deletes what it is told of. */
static bool delete_each(void *context, grove_bytes name)
{
    walk *self = context;
    self->count++;
    assert_ok(self->fixture, grove_document_delete(self->fixture->store, name, NULL,
                                                   &self->fixture->error));
    return true;
}

STORE_TEST(many, documents_can_be_deleted_while_they_are_listed)
{
    walk self = {fixture, 0};
    make_documents(fixture, 600);
    assert_ok(fixture, grove_document_list(fixture->store, grove_bytes_of("folder/"),
                                           (grove_bytes){NULL, 0}, delete_each, &self,
                                           &fixture->error));
    cr_assert_eq(self.count, 600);
    self.count = 0;
    assert_ok(fixture, grove_document_list(fixture->store, (grove_bytes){NULL, 0},
                                           (grove_bytes){NULL, 0}, delete_each, &self,
                                           &fixture->error));
    cr_assert_eq(self.count, 0);
}
