/* A store that is filled: none before the end, and one after it. */
#include "store/loading.h"
#include "kv/value.h"
#include "support/dump.h"

static grove_bytes key_of(uint32_t *number)
{
    return (grove_bytes){(const uint8_t *)number, sizeof *number};
}

/* Another handle on the same place. */
static grove_status open_another(store_fixture *fixture, grove_store **store_out)
{
    return grove_store_open(fixture->dir.path, &fixture->options, store_out,
                            &fixture->error);
}

static uint64_t entries_of(store_fixture *fixture)
{
    grove_store_statistics statistics;
    assert_ok(fixture,
              grove_store_statistics_get(fixture->store, &statistics, &fixture->error));
    return statistics.backend.entries;
}

Test(loading, makes_a_store_at_its_end_and_not_before)
{
    store_fixture both;
    store_fixture *fixture = &both;
    store_fixture_init(fixture, "memory");
    store_fixture_open(fixture);
    grove__loading loading;
    grove_store *other = NULL;
    assert_ok(fixture, grove__loading_begin(fixture->store, &loading, &fixture->error));
    assert_fails(fixture, GROVE_INVALID, open_another(fixture, &other));
    uint32_t number = 1;
    assert_ok(fixture, grove__loading_put(&loading, GROVE__TABLE_META, key_of(&number),
                                          grove_bytes_of("record"), &fixture->error));
    grove_buffer value;
    grove_buffer_init(&value, fixture->store->allocator);
    grove_buffer_append(&value, "value", 5);
    assert_ok(fixture,
              grove__loading_put_value(&loading, GROVE__TABLE_GROUPS, key_of(&number),
                                       &value, &fixture->error));
    cr_assert_eq(value.size, 0);
    assert_fails(fixture, GROVE_INVALID, open_another(fixture, &other));
    assert_ok(fixture, grove__loading_end(&loading, &fixture->error));
    grove__loading_release(&loading);
    assert_ok(fixture, open_another(fixture, &other));
    cr_assert_eq(entries_of(fixture), 3);
    grove_store_close(other);
    store_fixture_close(fixture);
    store_fixture_release(fixture);
}

STORE_TEST(loading, writes_in_steps)
{
    enum { VALUES = 12, VALUE_BYTES = 1 << 20 };
    grove__loading loading;
    assert_ok(fixture, grove__loading_begin(fixture->store, &loading, &fixture->error));
    uint64_t before = entries_of(fixture);
    uint64_t seen = 0;
    for (uint32_t number = 0; number < VALUES; number++) {
        grove_buffer value;
        grove_buffer_init(&value, fixture->store->allocator);
        uint8_t *room = grove_buffer_reserve(&value, VALUE_BYTES);
        memset(room, (int)number, VALUE_BYTES);
        grove_buffer_grow(&value, VALUE_BYTES);
        assert_ok(fixture,
                  grove__loading_put_value(&loading, GROVE__TABLE_GROUPS, key_of(&number),
                                           &value, &fixture->error));
        cr_assert_leq(loading.bytes, 4 << 20);
        seen += entries_of(fixture) > before;
        before = entries_of(fixture);
    }
    cr_assert_geq(seen, 2);
    assert_ok(fixture, grove__loading_end(&loading, &fixture->error));
    grove__loading_release(&loading);
    grove_buffer joined;
    grove_bytes value;
    grove__txn txn;
    grove_buffer_init(&joined, fixture->store->allocator);
    assert_ok(fixture, grove__txn_begin(&fixture->store->kv, GROVE_TXN_READ, &txn,
                                        &fixture->error));
    for (uint32_t number = 0; number < VALUES; number++) {
        assert_ok(fixture, grove__value_get(&txn, GROVE__TABLE_GROUPS, key_of(&number),
                                            &joined, &value, &fixture->error));
        cr_assert(value.size == VALUE_BYTES && value.data[VALUE_BYTES - 1] == number);
    }
    grove__txn_abort(&txn);
    grove_buffer_release(&joined);
}

STORE_TEST(loading, begins_in_an_empty_store_only)
{
    grove__loading loading;
    assert_ok(fixture, grove_group_save(fixture->store, grove_bytes_of("g"),
                                        grove_bytes_of("s"), NULL, &fixture->error));
    assert_fails(fixture, GROVE_INVALID,
                 grove__loading_begin(fixture->store, &loading, &fixture->error));
    assert_ok(fixture, grove_group_delete(fixture->store, grove_bytes_of("g"), NULL,
                                          &fixture->error));
    assert_fails(fixture, GROVE_INVALID,
                 grove__loading_begin(fixture->store, &loading, &fixture->error));
}

Test(loading, does_not_go_on_when_somebody_ended_it)
{
    store_fixture both;
    store_fixture *fixture = &both;
    store_fixture_init(fixture, "memory");
    store_fixture_open(fixture);
    grove_store *other = NULL;
    grove__loading loading;
    grove__loading second;
    assert_ok(fixture, open_another(fixture, &other));
    assert_ok(fixture, grove__loading_begin(fixture->store, &loading, &fixture->error));
    assert_fails(fixture, GROVE_CONFLICT,
                 grove__loading_begin(other, &second, &fixture->error));
    /* As if by a program that knows nothing of loading. */
    grove__write_set set;
    grove__write_set_init(&set, other->allocator);
    grove__write_set_remove(&set, GROVE__TABLE_STORE, grove__loading_key());
    assert_ok(fixture, grove__commit(other, &set, NULL, &fixture->error));
    grove__write_set_release(&set);
    assert_fails(fixture, GROVE_CONFLICT, grove__loading_end(&loading, &fixture->error));
    grove__loading_release(&loading);
    grove_store_close(other);
    store_fixture_close(fixture);
    store_fixture_release(fixture);
}

/* --- power cuts --- */

static exported some_dump(void)
{
    store_fixture source;
    store_fixture_init(&source, "memory");
    store_fixture_open(&source);
    dump_make_store(&source, 5);
    dump_make_past(&source);
    exported whole = dump_of(&source);
    undump_release(&source);
    return whole;
}

Test(loading, is_on_disk_at_its_end_whatever_the_durability)
{
    store_fixture target;
    exported whole = some_dump();
    store_fixture_init(&target, "memory");
    target.options.durability = GROVE_DURABILITY_NONE;
    assert_ok(&target, undump(&target, exported_view(&whole), NULL));
    grove_memory_disk_cut_power(target.disk);
    target.options.durability = GROVE_DURABILITY_FULL;
    store_fixture_open(&target);
    exported again = dump_of(&target);
    cr_assert(again.size == whole.size &&
              memcmp(again.data, whole.data, whole.size) == 0);
    exported_free(&again);
    exported_free(&whole);
    undump_release(&target);
}

/* Gives a dump, and cuts the power on the way. */
typedef struct cutting_reader {
    dump_reader reader;
    grove_memory_disk *disk;
    size_t left; /* pieces until then */
} cutting_reader;

static bool read_and_cut(void *context, uint8_t *room, size_t bytes, size_t *bytes_out)
{
    cutting_reader *work = context;
    if (work->left == 0) {
        grove_memory_disk_cut_power(work->disk);
        return false;
    }
    work->left--;
    return dump_read(&work->reader, room, bytes, bytes_out);
}

Test(loading, is_no_store_when_the_power_was_cut_on_the_way)
{
    exported whole = some_dump();
    for (size_t pieces = 2; pieces < whole.size / 4096; pieces++) {
        store_fixture target;
        store_fixture_init(&target, "memory");
        cutting_reader work = {{exported_view(&whole), 4096, 0}, target.disk, pieces};
        assert_fails(&target, GROVE_FAILED,
                     grove_store_undump(target.dir.path, &target.options, read_and_cut,
                                        &work, NULL, &target.error));
        assert_fails(&target, GROVE_INVALID,
                     grove_store_open(target.dir.path, &target.options, &target.store,
                                      &target.error));
        store_fixture_release(&target);
    }
    exported_free(&whole);
}
