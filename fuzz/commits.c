/*
 * Packs of commits: the input is the columns of a pack, in front of them how
 * many commits it says to have. What the decoder takes comes out the same again
 * after another encoding, and no touch names events beyond all clocks.
 */
#include "target.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "format/block.h"
#include "format/commits.h"

enum { FRAME_COLUMNS = 1, FIELDS_BYTES = 12, FIRST = 513 };

static void check_same(const grove__commits *one, const grove__commits *other)
{
    const grove__commits_entry *entries = grove__commits_entries(one);
    const grove__commits_entry *others = grove__commits_entries(other);
    FUZZ_CHECK(one->first == other->first);
    FUZZ_CHECK(one->entries.size == other->entries.size);
    FUZZ_CHECK(one->touches.size == other->touches.size);
    size_t touches = 0;
    for (size_t index = 0; index < grove__commits_count(one); index++) {
        FUZZ_CHECK(entries[index].time == others[index].time);
        FUZZ_CHECK(entries[index].touch_count == others[index].touch_count);
        FUZZ_CHECK(entries[index].meta.size <= GROVE_COMMIT_META_BYTES_MAX);
        FUZZ_CHECK(grove__bytes_equal(entries[index].meta, others[index].meta));
        touches += entries[index].touch_count;
    }
    FUZZ_CHECK(touches == one->touches.size / sizeof(grove__touch));
    for (size_t index = 0; index < touches; index++) {
        const grove__touch *touch = &grove__commits_touches(one)[index];
        const grove__touch *same = &grove__commits_touches(other)[index];
        FUZZ_CHECK(touch->kind == same->kind);
        FUZZ_CHECK(grove__bytes_equal(touch->name, same->name));
        FUZZ_CHECK(touch->first_clock == same->first_clock);
        FUZZ_CHECK(touch->count == same->count);
        FUZZ_CHECK(touch->first_clock + touch->count <= GROVE_DOCUMENT_EVENTS_MAX);
    }
}

static void check_pack(grove_bytes pack)
{
    grove__budget budget;
    grove__commits commits;
    grove__commits again;
    grove_buffer block;
    grove__budget_init(&budget, &grove__allocator_system, FUZZ_MEMORY_BYTES);
    grove__commits_init(&commits, &budget.allocator);
    grove__commits_init(&again, &grove__allocator_system);
    grove_buffer_init(&block, &grove__allocator_system);
    if (grove__commits_read(FIRST, pack, &commits, NULL) == GROVE_OK) {
        FUZZ_CHECK(grove__commits_encode(&commits, &block, NULL) == GROVE_OK);
        FUZZ_CHECK(grove__commits_read(FIRST, grove_buffer_view(&block), &again, NULL) ==
                   GROVE_OK);
        check_same(&commits, &again);
    } else {
        FUZZ_CHECK(commits.entries.size == 0 && commits.touches.size == 0);
    }
    grove_buffer_release(&block);
    grove__commits_release(&again);
    grove__commits_release(&commits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    uint8_t fields[FIELDS_BYTES];
    grove_buffer pack;
    grove_buffer_init(&pack, &grove__allocator_system);
    grove_write_u64(fields, FIRST);
    grove_write_u32(fields + 8, (uint32_t)data[0] << 8 | data[1]);
    const grove__frame frame = {.id = FRAME_COLUMNS, .bytes = {data + 2, size - 2}};
    if (grove__block_encode(GROVE__BLOCK_COMMITS, 0, (grove_bytes){fields, sizeof fields},
                            &frame, 1, &pack, NULL) == GROVE_OK) {
        check_pack(grove_buffer_view(&pack));
    }
    grove_buffer_release(&pack);
    return 0;
}
