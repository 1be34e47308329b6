/*
 * Documents of type `text`: reading and editing. Positions and counts are
 * Unicode code points. The handles and their threads: grove/document.h.
 *
 * Edits change the handle's text at once and become events that the next save
 * stores. Every function here says GROVE_INVALID for a document of another
 * type.
 */
#ifndef GROVE_TEXT_H
#define GROVE_TEXT_H

#include <grove/document.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The kinds of a text's operations. An operation's position and count are
 * code points; it stands for `count` events.
 */
enum {
    /* Types `content`, `count` code points of UTF-8, from `position` on. */
    GROVE_TEXT_INSERT = 0,
    /* Each event deletes the character at `position`. No content. A single
     * deletion is of this kind. */
    GROVE_TEXT_DELETE = 1,
    /* Deletes [position, position + count), the last character first. No
     * content; count at least 2. */
    GROVE_TEXT_BACKSPACE = 2
};

/*
 * Inserts UTF-8 text before the character at `position`; the length of the
 * text appends. One event for each code point, one operation for the run.
 * Cost: O(log length) and the bytes. An empty text is no event.
 *
 *   GROVE_INVALID    position beyond the end; not UTF-8 (the offset says
 *                    where)
 *   GROVE_LIMIT, GROVE_NO_MEMORY
 */
GROVE_API grove_status grove_text_insert(grove_document *document, uint64_t position,
                                         grove_bytes utf8, grove_error *error_out);

/*
 * Deletes `count` characters from `position` on: `count` events. Cost:
 * O(log length + count). GROVE_INVALID: the range reaches beyond the end.
 */
GROVE_API grove_status grove_text_delete(grove_document *document, uint64_t position,
                                         uint64_t count, grove_error *error_out);

/* Length in code points, and in bytes of UTF-8; either may be NULL. O(1). */
GROVE_API grove_status grove_text_length(const grove_document *document,
                                         uint64_t *length_out, uint64_t *bytes_out,
                                         grove_error *error_out);

/*
 * Copies up to `count` characters from `position` on as UTF-8 into `buffer`,
 * without a NUL, and tells how many bytes that were. Whole characters only: a
 * buffer too small for all gets as many as fit. *read_out: the characters.
 * GROVE_INVALID: position beyond the end.
 */
GROVE_API grove_status grove_text_read(const grove_document *document, uint64_t position,
                                       uint64_t count, void *buffer, size_t buffer_bytes,
                                       size_t *bytes_out, uint64_t *read_out,
                                       grove_error *error_out);

/*
 * Called for consecutive pieces of UTF-8, each of whole characters and
 * borrowed for the call; returns false to stop.
 */
typedef bool (*grove_text_fn)(void *context, grove_bytes utf8);

/* The whole text, piece by piece, without a copy. */
GROVE_API grove_status grove_text_each(const grove_document *document, grove_text_fn each,
                                       void *context, grove_error *error_out);

/* What positions and lengths of a text are counted in. */
typedef enum grove_text_unit {
    GROVE_TEXT_POINTS = 0, /* Unicode code points, as everywhere else here */
    GROVE_TEXT_BYTES = 1,  /* bytes of UTF-8 */
    GROVE_TEXT_UTF16 = 2   /* 16-bit units of UTF-16, as JavaScript has them */
} grove_text_unit;

/*
 * What a position in one unit is in another. Cost: O(log length) between
 * points and bytes; with UTF-16 one look at each piece of about a kilobyte
 * before the position that is not ASCII.
 * GROVE_INVALID: beyond the end, inside a code point, or no such unit.
 */
GROVE_API grove_status grove_text_convert(const grove_document *document,
                                          uint64_t position, grove_text_unit unit,
                                          grove_text_unit wanted, uint64_t *position_out,
                                          grove_error *error_out);

/* A change of the text that others have made: at `position`, `deleted`
 * characters went and then `inserted` ones came, which are `utf8`. */
typedef struct grove_text_edit {
    uint64_t position;
    uint64_t deleted;
    uint64_t inserted;
    grove_bytes utf8;
} grove_text_edit;

typedef void (*grove_text_edit_fn)(void *context, const grove_text_edit *edit);

/*
 * Asks to be told of each change that a merge makes to the handle's text, in
 * order, each on the text as the one before left it: by refresh, save, compact,
 * add and import, just before they return GROVE_OK or after it was certain that
 * they do not change the text further. Own insertions and deletions are not
 * told. `edit` is borrowed for the call, in which the handle must not be used,
 * nor the store be written: a save may have the store's write lock by then.
 * NULL: nobody listens. When an import adopts a snapshot, the whole text is
 * told as one deletion and one insertion.
 */
GROVE_API grove_status grove_text_on_edit(grove_document *document,
                                          grove_text_edit_fn edited, void *context,
                                          grove_error *error_out);

/* Consecutive characters that one replica typed with one timestamp. */
typedef struct grove_text_authorship {
    uint64_t position;
    uint64_t count;
    /* The first one's event, and the handle's clock of it. A replica of size 0:
     * not known, as its history was removed. */
    grove_event_id event;
    uint64_t clock;
    int64_t timestamp; /* milliseconds since 1970-01-01T00:00:00Z */
} grove_text_authorship;

typedef bool (*grove_text_authorship_fn)(void *context,
                                         const grove_text_authorship *authorship);

/*
 * Who wrote the `count` characters from `position` on, and when, from left to
 * right, until `each` returns false. Cost: a replay of all history that is
 * stored; nothing is kept. GROVE_INVALID: the range reaches beyond the end; a
 * view of the past. GROVE_NONE: another handle deleted the document.
 * GROVE_CORRUPT: stored events are damaged. GROVE_NO_MEMORY.
 */
GROVE_API grove_status grove_text_blame(grove_document *document, uint64_t position,
                                        uint64_t count, grove_text_authorship_fn each,
                                        void *context, grove_error *error_out);

#ifdef __cplusplus
}
#endif

#endif
