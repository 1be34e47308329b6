/* What the checks of the examples of docs/FORMAT.md share. */
#ifndef GROVE_TESTS_FORMAT_EXAMPLES_H
#define GROVE_TESTS_FORMAT_EXAMPLES_H

#include <stdio.h>

#include <criterion/criterion.h>

#include "base/bytes.h"

/* Fails with the bytes that the page should have. */
static inline void assert_bytes(grove_bytes actual, grove_bytes page)
{
    if (grove__bytes_equal(actual, page)) {
        return;
    }
    (void)fprintf(stderr, "the code makes:");
    for (size_t index = 0; index < actual.size; index++) {
        (void)fprintf(stderr, " %02x", actual.data[index]);
    }
    (void)fprintf(stderr, "\n");
    cr_assert(false, "the page says something else than the code");
}

/* Those of batches and schemas: examples_batch.c. */
void check_graph_example(grove_bytes page);
void check_bad_graph_example(grove_bytes page);
void check_timed_graph_example(grove_bytes page);
void check_bad_timed_graph_example(grove_bytes page);
void check_timestamps_example(grove_bytes page);
void check_batch_example(grove_bytes page);
void check_order_example(grove_bytes page);
void check_bad_order_example(grove_bytes page);
void check_schema_example(grove_bytes page);
void check_schema_content_example(grove_bytes page);
void check_bad_schema_example(grove_bytes page);
/* That of the state of a merge: examples_merge.c. */
void check_merge_state_example(grove_bytes page);

/* Those of trees: examples_tree.c. */
void check_tree_operations_example(grove_bytes page);
void check_tree_operations_content_example(grove_bytes page);
void check_tree_state_example(grove_bytes page);
void check_tree_state_content_example(grove_bytes page);
void check_bad_tree_state_example(grove_bytes page);
void check_tree_digest_example(grove_bytes page);

/* Those of exports: examples_exchange.c. */
void check_exchange_example(grove_bytes page);
void check_exchange_ids_example(grove_bytes page);
void check_bad_exchange_ids_example(grove_bytes page);

#endif
