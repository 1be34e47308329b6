#include "content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC = 0x5354524c, NUMBERS_POINTS = 22, FILL_POINTS = 4, CHECK_POINTS = 5 };

/* Of one to four bytes. */
static const char *const FILLS[] = {"a", "\xc3\xa9", "\xe6\xbc\xa2", "\xf0\x9f\x8c\xb3"};

typedef struct payload_head {
    uint32_t magic;
    uint32_t size;
    stress_label label;
    uint32_t check; /* of the label and what follows the head */
} payload_head;

_Static_assert(sizeof(payload_head) == PAYLOAD_BYTES_MIN, "a payload has room for it");

uint64_t stress_hash(const void *bytes, size_t size, uint64_t seed)
{
    const uint8_t *byte = bytes;
    uint64_t hash = seed ^ UINT64_C(0xcbf29ce484222325);
    for (size_t index = 0; index < size; index++) {
        hash = (hash ^ byte[index]) * UINT64_C(0x100000001b3);
    }
    hash ^= hash >> 29;
    hash *= UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ (hash >> 32);
}

static uint32_t payload_check(const payload_head *head, const uint8_t *rest)
{
    uint64_t hash = stress_hash(&head->label, sizeof head->label, head->size);
    return (uint32_t)stress_hash(rest, head->size - sizeof *head, hash);
}

void payload_make(const stress_label *label, size_t size, uint8_t *bytes_out)
{
    uint8_t *rest = bytes_out + PAYLOAD_BYTES_MIN;
    payload_head head = {MAGIC, (uint32_t)size, *label, 0};
    uint64_t state = stress_hash(label, sizeof *label, size);
    for (size_t index = 0; index < size - PAYLOAD_BYTES_MIN; index++) {
        state = state * UINT64_C(6364136223846793005) + 1;
        rest[index] = (uint8_t)(state >> 56);
    }
    head.check = payload_check(&head, rest);
    memcpy(bytes_out, &head, sizeof head);
}

bool payload_parse(grove_bytes payload, stress_label *label_out)
{
    payload_head head;
    if (payload.size < sizeof head) {
        return false;
    }
    memcpy(&head, payload.data, sizeof head);
    if (head.magic != MAGIC || head.size != payload.size ||
        head.check != payload_check(&head, payload.data + sizeof head)) {
        return false;
    }
    *label_out = head.label;
    return true;
}

static uint32_t line_check(const char *line, size_t bytes)
{
    return (uint32_t)stress_hash(line, bytes, MAGIC) & 0xfffffu;
}

size_t line_make(const stress_label *label, char line_out[LINE_BYTES_MAX])
{
    int size = snprintf(line_out, LINE_BYTES_MAX, "%04x%03x%06x%03x%06x",
                        label->document & 0xffffu, label->author & 0xfffu,
                        label->number & 0xffffffu, label->cause_author & 0xfffu,
                        label->cause_number & 0xffffffu);
    size_t bytes = (size_t)size;
    for (uint32_t fill = 0; fill < FILL_POINTS; fill++) {
        const char *point = FILLS[(label->number >> (2 * fill)) % 4];
        memcpy(line_out + bytes, point, strlen(point));
        bytes += strlen(point);
    }
    size = snprintf(line_out + bytes, LINE_BYTES_MAX - bytes, "%05x\n",
                    line_check(line_out, bytes));
    return bytes + (size_t)size;
}

/* The bytes of so many code points, which UTF-8 that was checked begins with;
 * 0: it has not so many. */
static size_t bytes_of_points(grove_bytes text, uint32_t points)
{
    size_t bytes = 0;
    while (bytes < text.size && points > 0) {
        bytes++;
        while (bytes < text.size && (text.data[bytes] & 0xc0) == 0x80) {
            bytes++;
        }
        points--;
    }
    return points == 0 ? bytes : 0;
}

static uint32_t read_hex(const uint8_t *text, size_t digits)
{
    char number[8];
    memcpy(number, text, digits);
    number[digits] = '\0';
    return (uint32_t)strtoul(number, NULL, 16);
}

bool line_parse(grove_bytes text, stress_label *label_out, size_t *bytes_out)
{
    size_t bytes = bytes_of_points(text, LINE_POINTS);
    if (bytes == 0 || bytes >= LINE_BYTES_MAX || text.data[bytes - 1] != '\n') {
        return false;
    }
    stress_label label = {
        .document = read_hex(text.data, 4),
        .author = read_hex(text.data + 4, 3),
        .number = read_hex(text.data + 7, 6),
        .cause_author = read_hex(text.data + 13, 3),
        .cause_number = read_hex(text.data + 16, 6),
    };
    char line[LINE_BYTES_MAX];
    if (line_make(&label, line) != bytes || memcmp(line, text.data, bytes) != 0) {
        return false;
    }
    *label_out = label;
    *bytes_out = bytes;
    return true;
}

uint64_t event_hash_payload(uint64_t sequence, grove_bytes payload)
{
    return stress_hash(payload.data, payload.size, sequence + 1);
}

uint64_t event_hash_deletion(uint64_t sequence)
{
    return stress_hash("deletion", 8, sequence + 1);
}

uint64_t event_hash_insertion(uint64_t sequence, grove_bytes utf8)
{
    uint64_t sum = 0;
    while (utf8.size > 0) {
        size_t bytes = bytes_of_points(utf8, 1);
        sum += stress_hash(utf8.data, bytes, ++sequence);
        utf8.data += bytes;
        utf8.size -= bytes;
    }
    return sum;
}
