/*
 * What LMDB 0.9 keeps in data.mdb, as far as it is looked at here. Numbers
 * are in the machine's byte order and of the width of its size_t.
 *
 *   Pages 0 and 1 are headers; commits write them in turn, and the one with
 *   the larger transaction number counts. Pages 2 to last_page belong to the
 *   trees of that header: each is either in a tree or on the free list, which
 *   is itself a tree, from a transaction number to a list of page numbers,
 *   the largest first.
 *
 *   A page that a transaction took at the end of the file and gave back
 *   before its commit is never written. So a file may soundly end before
 *   last_page; it has been cut short only if a page beyond its end is not on
 *   the free list.
 */
#include "lmdb_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>

#include "lmdb_error.h"

enum {
    VERSION = 1,
    PAGE_BYTES_MIN = 512,
    PAGE_BYTES_MAX = 65536,
    PAGE_BRANCH = 0x01,
    PAGE_LEAF = 0x02,
    PAGE_META = 0x08,
    NODE_BIG = 0x01, /* the data lies on pages of its own */
    NODE_HEADER_BYTES = 8,
    DEPTH_MAX = 32,
    /* How often to look again when the file changes under our eyes. */
    LOOKS_MAX = 4,
    IDS_AT_ONCE = 512
};

#define MAGIC UINT32_C(0xBEEFC0DE)
#define MAGIC_OTHER_ORDER UINT32_C(0xDEC0EFBE)
/* The root of an empty tree. */
#define NO_PAGE SIZE_MAX
/* No file is so long that this many pages overflow an offset. */
#define PAGES_MAX (SIZE_MAX / 2 / PAGE_BYTES_MAX)

typedef struct page_header {
    size_t number;
    uint16_t unused;
    uint16_t flags;
    uint16_t lower; /* end of the node offsets, from the page's begin */
    uint16_t upper;
} page_header;

typedef struct lmdb_tree {
    uint32_t page_bytes; /* only in the free list's */
    uint16_t flags;
    uint16_t depth;
    size_t branch_pages;
    size_t leaf_pages;
    size_t overflow_pages;
    size_t entries;
    size_t root;
} lmdb_tree;

typedef struct lmdb_header {
    uint32_t magic;
    uint32_t version;
    void *address;
    size_t map_bytes;
    lmdb_tree free_list;
    lmdb_tree main;
    size_t last_page;
    size_t transaction;
} lmdb_header;

typedef struct first_bytes {
    page_header page;
    lmdb_header header;
} first_bytes;

typedef struct data_file {
    int descriptor;
    const char *path_shown;
    uint64_t bytes;
} data_file;

/* A walk over the free list. */
typedef struct free_walk {
    const data_file *file;
    const lmdb_header *header;
    uint8_t *page;
    size_t page_bytes;
    /* Pages that the file holds whole. */
    uint64_t pages;
    uint64_t pages_read;
    /* Free pages beyond the file's end. */
    uint64_t missing_free;
} free_walk;

/* Whether all `bytes` could be read; an end of file is no error. */
static bool read_at(int descriptor, void *into, size_t bytes, uint64_t offset,
                    size_t *read_out)
{
    size_t done = 0;
    while (done < bytes) {
        ssize_t got = pread(descriptor, (uint8_t *)into + done, bytes - done,
                            (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return false;
        }
        if (got == 0) {
            break;
        }
        done += (size_t)got;
    }
    *read_out = done;
    return true;
}

/* The bytes as a sentence can bear them. */
static void show(const void *bytes, size_t count, char *shown_out)
{
    for (size_t index = 0; index < count; index++) {
        char byte = ((const char *)bytes)[index];
        shown_out[index] = byte >= ' ' && byte <= '~' ? byte : '.';
    }
    shown_out[count] = '\0';
}

static grove_status refuse_foreign(const data_file *file, const first_bytes *first,
                                   grove_error *error_out)
{
    if (first->header.magic == MAGIC_OTHER_ORDER) {
        return grove__lmdb_fail(error_out, GROVE_INVALID,
                                "'%s' was made on a machine of the other byte order; "
                                "dump it there and load the dump here",
                                file->path_shown);
    }
    char shown[17];
    show(first, sizeof shown - 1, shown);
    return grove__lmdb_fail(error_out, GROVE_INVALID,
                            "'%s' is not LMDB's: it begins with \"%s\"; choose another "
                            "directory, or move the file away",
                            file->path_shown, shown);
}

static grove_status refuse_damaged(const data_file *file, const lmdb_header *header,
                                   grove_error *error_out)
{
    return grove__lmdb_fail(error_out, GROVE_INVALID,
                            "'%s' has a damaged header: pages of %lu bytes, the last "
                            "one number %llu; restore it from a backup",
                            file->path_shown, (unsigned long)header->free_list.page_bytes,
                            (unsigned long long)header->last_page);
}

/* What both headers must be. */
static grove_status check_header(const data_file *file, const first_bytes *first,
                                 grove_error *error_out)
{
    const lmdb_header *header = &first->header;
    if ((first->page.flags & PAGE_META) == 0 || header->magic != MAGIC) {
        return refuse_foreign(file, first, error_out);
    }
    if (header->version != VERSION) {
        return grove__lmdb_fail(error_out, GROVE_INVALID,
                                "'%s' is in version %lu of LMDB's format; this program "
                                "reads version %d",
                                file->path_shown, (unsigned long)header->version,
                                VERSION);
    }
    uint32_t page_bytes = header->free_list.page_bytes;
    if (page_bytes < PAGE_BYTES_MIN || page_bytes > PAGE_BYTES_MAX ||
        (page_bytes & (page_bytes - 1)) != 0) {
        return refuse_damaged(file, header, error_out);
    }
    return GROVE_OK;
}

/*
 * Of the header that counts. In the other one they may be at odds: when a
 * commit cannot write its header, LMDB puts back only some fields of it.
 */
static grove_status check_pages(const data_file *file, const lmdb_header *header,
                                grove_error *error_out)
{
    const size_t roots[] = {header->free_list.root, header->main.root};
    bool sound = header->last_page >= 1 && header->last_page < PAGES_MAX;
    for (size_t index = 0; index < 2; index++) {
        sound = sound && (roots[index] == NO_PAGE ||
                          (roots[index] >= 2 && roots[index] <= header->last_page));
    }
    return sound ? GROVE_OK : refuse_damaged(file, header, error_out);
}

static grove_status read_header(const data_file *file, uint64_t offset,
                                lmdb_header *header_out, grove_error *error_out)
{
    first_bytes first;
    size_t got;
    if (!read_at(file->descriptor, &first, sizeof first, offset, &got)) {
        return grove__lmdb_fail_path(error_out, errno, file->path_shown);
    }
    /* Say "not LMDB's" of a short file too, where its bytes show it. */
    if (got < sizeof first && (got < offsetof(first_bytes, header.version) ||
                               (first.header.magic == MAGIC || offset > 0))) {
        return grove__lmdb_fail(error_out, GROVE_INVALID,
                                "'%s' is truncated: it has %llu bytes, which end within "
                                "LMDB's header; restore it from a backup",
                                file->path_shown, (unsigned long long)file->bytes);
    }
    memset((uint8_t *)&first + got, 0, sizeof first - got);
    grove_status status = check_header(file, &first, error_out);
    if (status == GROVE_OK) {
        *header_out = first.header;
    }
    return status;
}

/* The header that counts, and after it the size: commits write data first. */
static grove_status read_headers(data_file *file, lmdb_header *header_out,
                                 grove_error *error_out)
{
    lmdb_header headers[2];
    struct stat about;
    if (fstat(file->descriptor, &about) != 0) {
        return grove__lmdb_fail_path(error_out, errno, file->path_shown);
    }
    file->bytes = (uint64_t)about.st_size;
    grove_status status = read_header(file, 0, &headers[0], error_out);
    if (status == GROVE_OK) {
        uint32_t page_bytes = headers[0].free_list.page_bytes;
        status = read_header(file, page_bytes, &headers[1], error_out);
        if (status == GROVE_OK && headers[1].free_list.page_bytes != page_bytes) {
            status = grove__lmdb_fail(error_out, GROVE_INVALID,
                                      "'%s' has a damaged header: its copies disagree "
                                      "about the page size; restore it from a backup",
                                      file->path_shown);
        }
    }
    if (status != GROVE_OK) {
        return status;
    }
    if (fstat(file->descriptor, &about) != 0) {
        return grove__lmdb_fail_path(error_out, errno, file->path_shown);
    }
    file->bytes = (uint64_t)about.st_size;
    const lmdb_header *newest = &headers[headers[1].transaction > headers[0].transaction];
    status = check_pages(file, newest, error_out);
    if (status == GROVE_OK) {
        *header_out = *newest;
    }
    return status;
}

/* Reads a page of a tree; false when there is no sound one. */
static bool read_page(free_walk *walk, size_t number, page_header *header_out)
{
    size_t got;
    /* A branch page is read before each of its children and once after them:
     * no sound tree makes that more than two reads for a page. */
    if (number < 2 || number >= walk->pages || walk->pages_read++ / 2 > walk->pages ||
        !read_at(walk->file->descriptor, walk->page, walk->page_bytes,
                 (uint64_t)number * walk->page_bytes, &got) ||
        got != walk->page_bytes) {
        return false;
    }
    memcpy(header_out, walk->page, sizeof *header_out);
    return header_out->number == number && header_out->lower >= sizeof *header_out &&
           header_out->lower <= walk->page_bytes &&
           (header_out->flags == PAGE_BRANCH || header_out->flags == PAGE_LEAF);
}

static size_t node_count(const page_header *header)
{
    return (header->lower - sizeof *header) / sizeof(uint16_t);
}

/* A node's header and key lie within the page; NULL when they do not. */
static const uint8_t *find_node(const free_walk *walk, size_t index,
                                uint16_t fields_out[4])
{
    uint16_t offset;
    memcpy(&offset, walk->page + sizeof(page_header) + index * sizeof offset,
           sizeof offset);
    if ((size_t)offset + NODE_HEADER_BYTES > walk->page_bytes) {
        return NULL;
    }
    memcpy(fields_out, walk->page + offset, NODE_HEADER_BYTES);
    const uint8_t *data = walk->page + offset + NODE_HEADER_BYTES;
    return (size_t)(data - walk->page) + fields_out[3] <= walk->page_bytes ? data : NULL;
}

/* The two low fields of a node are its data's size or its child's number. */
static uint32_t node_low(const uint16_t fields[4])
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return fields[0] | (uint32_t)fields[1] << 16;
#else
    return fields[1] | (uint32_t)fields[0] << 16;
#endif
}

/* Counts the numbers of missing pages at the head of a list of `ids_bytes`
 * bytes at `offset` of the file. */
static bool count_missing(free_walk *walk, uint64_t offset, uint64_t ids_bytes)
{
    size_t ids[IDS_AT_ONCE];
    size_t got;
    size_t count;
    if (ids_bytes < sizeof count || offset > walk->file->bytes ||
        ids_bytes > walk->file->bytes - offset ||
        !read_at(walk->file->descriptor, &count, sizeof count, offset, &got) ||
        got != sizeof count || count > ids_bytes / sizeof count - 1) {
        return false;
    }
    offset += sizeof count;
    while (count > 0) {
        size_t now = count < IDS_AT_ONCE ? count : IDS_AT_ONCE;
        if (!read_at(walk->file->descriptor, ids, now * sizeof *ids, offset, &got) ||
            got != now * sizeof *ids) {
            return false;
        }
        for (size_t index = 0; index < now; index++) {
            if (ids[index] < walk->pages) {
                return true;
            }
            walk->missing_free += ids[index] <= walk->header->last_page;
        }
        offset += now * sizeof *ids;
        count -= now;
    }
    return true;
}

static bool count_missing_of_leaf(free_walk *walk, size_t page_number, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        uint16_t fields[4];
        const uint8_t *node = find_node(walk, index, fields);
        if (node == NULL) {
            return false;
        }
        const uint8_t *data = node + fields[3];
        uint64_t offset =
            (uint64_t)page_number * walk->page_bytes + (size_t)(data - walk->page);
        if ((fields[2] & NODE_BIG) != 0) {
            size_t first_page;
            if ((size_t)(data - walk->page) + sizeof first_page > walk->page_bytes) {
                return false;
            }
            memcpy(&first_page, data, sizeof first_page);
            if (first_page >= walk->pages) {
                return false;
            }
            offset = (uint64_t)first_page * walk->page_bytes + sizeof(page_header);
        }
        if (!count_missing(walk, offset, node_low(fields))) {
            return false;
        }
    }
    return true;
}

/* Visits the free list's leaves; false when it cannot be read to its end. */
static bool walk_free_list(free_walk *walk)
{
    struct {
        size_t page;
        size_t next;
    } stack[DEPTH_MAX];
    size_t depth = 0;
    if (walk->header->free_list.root != NO_PAGE) {
        stack[depth].page = walk->header->free_list.root;
        stack[depth++].next = 0;
    }
    while (depth > 0) {
        page_header header;
        size_t page = stack[depth - 1].page;
        if (!read_page(walk, page, &header)) {
            return false;
        }
        size_t next = stack[depth - 1].next++;
        size_t count = node_count(&header);
        if (header.flags == PAGE_LEAF) {
            if (!count_missing_of_leaf(walk, page, count)) {
                return false;
            }
            depth--;
        } else if (next >= count) {
            depth--;
        } else {
            uint16_t fields[4];
            if (depth == DEPTH_MAX || find_node(walk, next, fields) == NULL) {
                return false;
            }
            uint64_t high = sizeof(size_t) > 4 ? (uint64_t)fields[2] << 32 : 0;
            stack[depth].page = (size_t)(high | node_low(fields));
            stack[depth++].next = 0;
        }
    }
    return true;
}

/* Whether every page of the header's that the file lacks is a free one. */
static grove_status check_missing(const data_file *file, const lmdb_header *header,
                                  const grove_allocator *allocator, bool *sound_out,
                                  grove_error *error_out)
{
    size_t page_bytes = header->free_list.page_bytes;
    free_walk walk = {
        .file = file,
        .header = header,
        .page_bytes = page_bytes,
        .pages = file->bytes / page_bytes,
    };
    walk.page = allocator->allocate(allocator->context, page_bytes);
    if (walk.page == NULL) {
        return grove__lmdb_fail_code(error_out, ENOMEM, "check data.mdb");
    }
    *sound_out = walk_free_list(&walk) &&
                 walk.missing_free == (uint64_t)header->last_page + 1 - walk.pages;
    allocator->deallocate(allocator->context, walk.page, page_bytes);
    return GROVE_OK;
}

static grove_status check_file(data_file *file, const grove_allocator *allocator,
                               grove_error *error_out)
{
    lmdb_header header;
    size_t transaction = 0;
    for (size_t look = 0; look < LOOKS_MAX; look++) {
        grove_status status = read_headers(file, &header, error_out);
        if (status != GROVE_OK) {
            return status;
        }
        uint64_t bytes = ((uint64_t)header.last_page + 1) * header.free_list.page_bytes;
        if (file->bytes >= bytes) {
            return GROVE_OK;
        }
        /* The same header twice: nobody rewrote the pages while we walked. */
        if (look > 0 && header.transaction == transaction) {
            return grove__lmdb_fail(error_out, GROVE_INVALID,
                                    "'%s' is truncated: it has %llu of %llu bytes; "
                                    "restore it from a backup",
                                    file->path_shown, (unsigned long long)file->bytes,
                                    (unsigned long long)bytes);
        }
        transaction = header.transaction;
        bool sound = false;
        status = check_missing(file, &header, allocator, &sound, error_out);
        if (status != GROVE_OK || sound) {
            return status;
        }
    }
    /* Others commit to it all the time, so it is alive. */
    return GROVE_OK;
}

grove_status grove__lmdb_file_check(const char *data_path,
                                    const grove_allocator *allocator,
                                    grove_error *error_out)
{
    data_file file = {.path_shown = grove__lmdb_path_tail(data_path)};
    struct stat about;
    /* A device or a pipe must not even be opened. */
    if (stat(data_path, &about) != 0) {
        return errno == ENOENT ? GROVE_NONE
                               : grove__lmdb_fail_path(error_out, errno, data_path);
    }
    if (!S_ISREG(about.st_mode)) {
        return grove__lmdb_fail(error_out, GROVE_INVALID,
                                "'%s' is not a regular file; choose another directory, "
                                "or move it away",
                                file.path_shown);
    }
    file.descriptor = open(data_path, O_RDONLY | O_CLOEXEC);
    if (file.descriptor < 0) {
        return grove__lmdb_fail_path(error_out, errno, data_path);
    }
    grove_status status = check_file(&file, allocator, error_out);
    (void)close(file.descriptor);
    return status;
}
