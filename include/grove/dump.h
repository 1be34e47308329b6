/*
 * Dump and load: a whole store as text, and back.
 *
 * A dump (docs/DUMP.md) says what a store holds, not how a backend keeps it.
 * It is the way between versions of LMDB, between backends, and between
 * machines of other byte order or page size; it can be read and compared by
 * eye. Dumped, loaded and dumped again it is the same, byte for byte. Clocks,
 * revisions, commit numbers and what the feed and grove_document_clock_at say
 * of commits stay what they were.
 *
 * The loaded store is a new one all the same, as a backup is that was put back:
 * it has an incarnation of its own for the commits that come. Tokens of the
 * feed from before the dump stay good there, later ones are GROVE_CONFLICT; and
 * replicas that have events are not continued (`may_continue`).
 */
#ifndef GROVE_DUMP_H
#define GROVE_DUMP_H

#include <grove/document.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What was dumped or loaded. */
typedef struct grove_dump_result {
    uint64_t commit; /* the newest that is in it; 0: none was made */
    uint64_t groups;
    uint64_t documents;
    uint64_t events; /* of all documents, removed ones included */
    uint64_t lines;
    uint64_t bytes;
} grove_dump_result;

/*
 * Writes the whole store, in pieces that make one text one after the other.
 * The text holds one state, that of the commit that the result names, whoever
 * writes meanwhile. Everything is verified as it is read, so that what was
 * dumped can be loaded.
 *
 * Cost: reads, decompresses and writes everything. In memory at a time: one
 * stored value, the graph of one document, and 16 bytes for each commit that
 * changed it and is no longer kept. For as long as it takes, a
 * read transaction is open, and the store cannot use again what others free:
 * `write` should not wait for long, and may put an end to it. `result_out` may
 * be NULL.
 *
 *   GROVE_FAILED   `write` wants no more
 *   GROVE_CORRUPT  the store contradicts itself; the error names the document
 *   GROVE_FORMAT_NEWER, GROVE_IO, GROVE_NO_MEMORY, GROVE_BUSY
 */
GROVE_API grove_status grove_store_dump(grove_store *store, grove_write_fn write,
                                        void *context, grove_dump_result *result_out,
                                        grove_error *error_out);

/*
 * Reads the next piece of something: at most `bytes` bytes go to `room`, their
 * number to *bytes_out; 0 of them are the end. Returns false when it cannot.
 */
typedef bool (*grove_read_fn)(void *context, uint8_t *room, size_t bytes,
                              size_t *bytes_out);

/*
 * Makes a store at `path` from a dump; `options` as for grove_store_open, but
 * must_exist has no meaning, and whatever `durability` says, the store is on
 * disk when this returns GROVE_OK. There must be no store at `path`, or one
 * without a single commit. It is not opened for the caller.
 *
 * The dump is verified line by line, and each record with those before it;
 * whether commits fit each other shows at the end, where the message names the
 * last line. Then commits age as in any store, with a transaction for each 512
 * of them. The store becomes one at the very end: until then, and for good
 * after a failure, what is at `path` is no store, and grove_store_open refuses
 * it. It is then the caller's to remove. In memory at a time: some MB, one
 * stored value, and the graph of one document. `result_out` may be NULL.
 *
 *   GROVE_MALFORMED  not a whole and true dump; the message names the line,
 *                    the offset is where that begins
 *   GROVE_FORMAT_NEWER  a dump of a later version
 *   GROVE_FAILED     `read` could not
 *   GROVE_INVALID    there is a store at `path`, or what grove_store_open says
 *   GROVE_FULL, GROVE_IO, GROVE_NO_MEMORY, GROVE_BUSY
 */
GROVE_API grove_status grove_store_undump(const char *path,
                                          const grove_store_options *options,
                                          grove_read_fn read, void *context,
                                          grove_dump_result *result_out,
                                          grove_error *error_out);

#ifdef __cplusplus
}
#endif

#endif
