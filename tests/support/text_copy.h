/* A copy of a document's text that follows it by what the document reports. */
#ifndef GROVE_TESTS_TEXT_COPY_H
#define GROVE_TESTS_TEXT_COPY_H

#include "support/text_document.h"

typedef struct text_copy {
    char text[TEXT_BYTES_MAX];
    /* Characters that the reported edits took out and put in. */
    uint64_t changed;
} text_copy;

/* The byte at which the character at `position` begins; the end is one too. */
static inline size_t text_copy_find(const text_copy *copy, uint64_t position)
{
    size_t byte = 0;
    for (uint64_t passed = 0; passed < position; passed++) {
        cr_assert_neq(copy->text[byte], '\0', "an edit reaches beyond the end");
        do {
            byte++;
        } while (((unsigned char)copy->text[byte] & 0xc0) == 0x80);
    }
    return byte;
}

static inline void text_copy_edit(void *context, const grove_text_edit *edit)
{
    text_copy *copy = context;
    size_t size = strlen(copy->text);
    size_t from = text_copy_find(copy, edit->position);
    size_t end = text_copy_find(copy, edit->position + edit->deleted);
    uint64_t points = 0;
    for (size_t byte = 0; byte < edit->utf8.size; byte++) {
        points += (edit->utf8.data[byte] & 0xc0) != 0x80;
    }
    cr_assert_eq(edit->inserted, points);
    cr_assert_lt(size - (end - from) + edit->utf8.size, sizeof copy->text);
    memmove(copy->text + from + edit->utf8.size, copy->text + end, size + 1 - end);
    if (edit->utf8.size > 0) {
        memcpy(copy->text + from, edit->utf8.data, edit->utf8.size);
    }
    copy->changed += edit->deleted + edit->inserted;
}

/* From here on the copy follows the document. */
static inline void text_copy_follow(text_copy *copy, store_fixture *fixture,
                                    grove_document *document)
{
    text_document_read(fixture, document, copy->text);
    copy->changed = 0;
    assert_ok(fixture,
              grove_text_on_edit(document, text_copy_edit, copy, &fixture->error));
}

static inline void text_copy_check(const text_copy *copy, store_fixture *fixture,
                                   const grove_document *document, const char *place)
{
    char text[TEXT_BYTES_MAX];
    text_document_read(fixture, document, text);
    cr_assert_str_eq(copy->text, text, "%s: the copy says \"%s\", the document \"%s\"",
                     place, copy->text, text);
}

#endif
