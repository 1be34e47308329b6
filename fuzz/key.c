/* Keys: whatever a parser takes builds to the same bytes again. */
#include "target.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "format/key.h"

static void check_same(const grove__key *again, grove_bytes key)
{
    FUZZ_CHECK(grove__bytes_equal(grove__key_view(again), key));
}

static void check_event(grove_bytes key, grove_buffer *string)
{
    grove_replica replica;
    uint64_t sequence;
    if (grove__key_parse_event(key, string, &replica, &sequence, NULL) == GROVE_OK) {
        grove__key again;
        FUZZ_CHECK(grove__key_check_replica(&replica, NULL) == GROVE_OK);
        grove__key_of_event(&again, grove_buffer_view(string), &replica, sequence);
        check_same(&again, key);
    }
}

static void check_numbered(grove_bytes key, grove_buffer *string)
{
    grove__key again;
    uint64_t first;
    uint64_t second;
    if (grove__key_parse_clock(key, string, &first, NULL) == GROVE_OK) {
        grove__key_of_clock(&again, grove_buffer_view(string), first);
        check_same(&again, key);
    }
    if (grove__key_parse_clock_part(key, string, &first, &second, NULL) == GROVE_OK) {
        grove__key_of_clock(&again, grove_buffer_view(string), first);
        grove__key_add_number(&again, second);
        check_same(&again, key);
    }
    if (grove__key_parse_group_part(key, string, &first, NULL) == GROVE_OK) {
        FUZZ_CHECK(grove__key_check_group(grove_buffer_view(string), NULL) == GROVE_OK);
        grove__key_of_group(&again, grove_buffer_view(string));
        grove__key_add_number(&again, first);
        check_same(&again, key);
    }
    if (grove__key_parse_commit(key, &first, NULL) == GROVE_OK) {
        grove__key_of_commit(&again, first);
        check_same(&again, key);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    grove_bytes key = {data, size};
    grove_buffer string;
    grove_buffer_init(&string, &grove__allocator_system);
    if (grove__key_parse_document(key, &string, NULL) == GROVE_OK) {
        grove_bytes document = grove_buffer_view(&string);
        grove__key again;
        FUZZ_CHECK(grove__key_check_document(document, NULL) == GROVE_OK);
        grove__key_of_document(&again, document);
        check_same(&again, key);
    }
    check_numbered(key, &string);
    check_event(key, &string);
    grove_buffer_release(&string);
    return 0;
}
