/* Positions of a text in other units. What else is done with texts is tested
 * by test_model.c and test_document.c. */
#include "support/store_fixture.h"

/* Of 1, 2, 3 and 4 bytes, and one more. */
static const char TEXT[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";

/* The places between characters, by grove_text_unit. */
enum { PLACES = 6 };
static const uint64_t PLACE[3][PLACES] = {
    {0, 1, 2, 3, 4, 5},
    {0, 1, 3, 6, 10, 11},
    {0, 1, 2, 3, 5, 6},
};

static void check_places(store_fixture *fixture, const grove_document *document)
{
    for (int from = 0; from < 3; from++) {
        for (int to = 0; to < 3; to++) {
            for (size_t index = 0; index < PLACES; index++) {
                uint64_t position = 77;
                assert_ok(fixture,
                          grove_text_convert(document, PLACE[from][index],
                                             (grove_text_unit)from, (grove_text_unit)to,
                                             &position, &fixture->error));
                cr_assert_eq(position, PLACE[to][index]);
            }
        }
    }
}

STORE_TEST(text, positions_convert_before_and_after_a_save)
{
    grove_document *document = open_document(fixture, "a");
    insert(fixture, document, 0, TEXT);
    check_places(fixture, document);
    (void)save(fixture, document);
    grove_document_close(document);
    document = open_document(fixture, "a");
    check_places(fixture, document);
    /* An edit moves what comes after it. */
    assert_ok(fixture, grove_text_delete(document, 1, 2, &fixture->error));
    uint64_t position = 0;
    assert_ok(fixture, grove_text_convert(document, 2, GROVE_TEXT_POINTS,
                                          GROVE_TEXT_BYTES, &position, &fixture->error));
    cr_assert_eq(position, 5);
    assert_ok(fixture, grove_text_convert(document, 4, GROVE_TEXT_UTF16, GROVE_TEXT_BYTES,
                                          &position, &fixture->error));
    cr_assert_eq(position, 6);
    grove_document_close(document);
}

STORE_TEST(text, positions_that_are_none_are_refused)
{
    static const struct {
        uint64_t position;
        grove_text_unit unit;
        const char *sentence;
    } table[] = {
        {6, GROVE_TEXT_POINTS, "the text has 5 code points"},
        {12, GROVE_TEXT_BYTES, "the text has 11 bytes"},
        {7, GROVE_TEXT_UTF16, "the text has 6 units of UTF-16"},
        {UINT64_MAX, GROVE_TEXT_UTF16, "beyond the end"},
        {2, GROVE_TEXT_BYTES, "inside a code point"},
        {5, GROVE_TEXT_BYTES, "inside a code point"},
        {9, GROVE_TEXT_BYTES, "inside a code point"},
        {4, GROVE_TEXT_UTF16, "inside a code point"},
        {0, (grove_text_unit)3, "none of grove_text_unit"},
    };
    grove_document *document = open_document(fixture, "a");
    insert(fixture, document, 0, TEXT);
    for (size_t index = 0; index < sizeof table / sizeof *table; index++) {
        for (int wanted = 0; wanted < 3; wanted++) {
            uint64_t position = 77;
            assert_fails(fixture, GROVE_INVALID,
                         grove_text_convert(document, table[index].position,
                                            table[index].unit, (grove_text_unit)wanted,
                                            &position, &fixture->error));
            cr_assert_not_null(strstr(fixture->error.message, table[index].sentence),
                               "%s", fixture->error.message);
            cr_assert_eq(position, 77);
        }
    }
    grove_document_close(document);
}

STORE_TEST(text, positions_of_another_type_are_none)
{
    grove_document *document = open_manual(fixture, "a", grove_type_opaque());
    uint64_t position = 77;
    assert_fails(fixture, GROVE_INVALID,
                 grove_text_convert(document, 0, GROVE_TEXT_POINTS, GROVE_TEXT_BYTES,
                                    &position, &fixture->error));
    cr_assert_eq(position, 77);
    grove_document_close(document);
}
