/* Dumps that are no dumps: refused, and nothing is left that looks whole. */
#include "support/dump_forge.h"
#include "support/faulty_allocator.h"
#include "support/faulty_backend.h"

#include "kv/kv.h"

/* A text that must be refused, so that there is no store after. */
static void assert_refused(const exported *text, grove_status wanted, size_t place)
{
    store_fixture target;
    store_fixture_init(&target, "memory");
    grove_dump_result result = {.lines = 77};
    grove_status status = undump(&target, exported_view(text), &result);
    cr_assert_eq(status, wanted, "line %zu: %s, %s", place, grove_status_name(status),
                 status == GROVE_OK ? "" : target.error.message);
    cr_assert_eq(target.error.status, wanted);
    cr_assert_eq(result.lines, 77);
    if (wanted == GROVE_MALFORMED) {
        cr_assert(strncmp(target.error.message, "line ", 5) == 0, "%s",
                  target.error.message);
        cr_assert_leq(target.error.offset, text->size);
    }
    status =
        grove_store_open(target.dir.path, &target.options, &target.store, &target.error);
    bool is_none = status == GROVE_OK;
    cr_assert(status == GROVE_INVALID || is_none, "%s", grove_status_name(status));
    if (is_none) {
        /* Nothing was made; this open did. */
        uint64_t commit;
        assert_ok(&target, grove_store_commit(target.store, &commit, &target.error));
        cr_assert_eq(commit, 0);
        cr_assert_leq(place, 1);
        store_fixture_close(&target);
    }
    store_fixture_release(&target);
}

/* A store of few lines that has one of each kind. */
static void make_small(store_fixture *fixture)
{
    dump_save_group(fixture, "group", "state", 5);
    dump_save_group(fixture, "other group", "state", 5);
    dump_make_merged(fixture, dump_odd_id(), 4);
    dump_make_merged(fixture, grove_bytes_of("compacted"), 4);
    dump_compact(fixture, grove_bytes_of("compacted"), 4);
    dump_make_waiting(fixture, grove_bytes_of("waiting"));
    dump_make_bytes(fixture, "box", grove_type_opaque());
    dump_make_past(fixture);
}

static exported small_dump(void)
{
    store_fixture source;
    store_fixture_init(&source, "memory");
    grove_clock clock = {&source, store_fixture_now};
    source.options.clock = &clock;
    store_fixture_open(&source);
    make_small(&source);
    exported whole = dump_of(&source);
    store_fixture_close(&source);
    store_fixture_release(&source);
    return whole;
}

/* --- sums --- */

Test(undump, refuses_a_line_that_was_changed)
{
    exported whole = small_dump();
    size_t line = 1;
    for (size_t at = 0; at < whole.size; at++) {
        uint8_t byte = whole.data[at];
        /* Each line at its ends and at some places between. */
        bool is_edge = at == 0 || byte == '\n' || whole.data[at - 1] == '\n';
        if (is_edge || at % 37 == 0) {
            whole.data[at] ^= 1;
            assert_refused(&whole, GROVE_MALFORMED, line);
            whole.data[at] = byte;
        }
        line += byte == '\n';
    }
    exported_free(&whole);
}

Test(undump, refuses_a_text_that_is_cut_short)
{
    exported whole = small_dump();
    forge all = forge_of(&whole);
    size_t size = 0;
    for (size_t index = 0; index < all.count; index++) {
        exported cut = {whole.data, size, 0, 0};
        assert_refused(&cut, GROVE_MALFORMED, index);
        cut.size += all.lines[index].size / 2;
        assert_refused(&cut, GROVE_MALFORMED, index);
        size += all.lines[index].size;
        cut.size = size - 1;
        assert_refused(&cut, GROVE_MALFORMED, index);
    }
    forge_free(&all);
    exported_free(&whole);
}

Test(undump, refuses_what_follows_the_end)
{
    exported whole = small_dump();
    exported more = {NULL, 0, 0, 0};
    forge_append(&more, whole.data, whole.size);
    forge_append(&more, "\n", 1);
    assert_refused(&more, GROVE_MALFORMED, 2);
    exported_free(&more);
    exported_free(&whole);
}

/* --- lies --- */

/* The text with one change, with its sums as they were and renewed. */
static void assert_both_refused(const forge *all, size_t place)
{
    for (int renew = 0; renew < 2; renew++) {
        exported text = forge_join(all, renew == 1);
        assert_refused(&text, GROVE_MALFORMED, place);
        exported_free(&text);
    }
}

Test(undump, refuses_lines_that_were_removed_doubled_or_swapped)
{
    exported whole = small_dump();
    forge all = forge_of(&whole);
    grove_bytes lines[2048];
    cr_assert_lt(all.count, 2047);
    for (size_t place = 0; place < all.count; place++) {
        forge changed = {lines, all.count - 1};
        memcpy(lines, all.lines, place * sizeof *lines);
        memcpy(lines + place, all.lines + place + 1,
               (all.count - place - 1) * sizeof *lines);
        assert_both_refused(&changed, place);

        changed.count = all.count + 1;
        memcpy(lines, all.lines, (place + 1) * sizeof *lines);
        memcpy(lines + place + 1, all.lines + place, (all.count - place) * sizeof *lines);
        assert_both_refused(&changed, place + 1);

        if (place > 0) {
            changed.count = all.count;
            memcpy(lines, all.lines, all.count * sizeof *lines);
            lines[place] = all.lines[place - 1];
            lines[place - 1] = all.lines[place];
            assert_both_refused(&changed, place);
        }
    }
    forge_free(&all);
    exported_free(&whole);
}

/* What a number may be changed to, for nothing else depends on it. */
static bool is_free(const char *line, const char *name)
{
    static const char *const FREE[][2] = {
        {"commits ", "commits_max"},
        {"commits ", "age_ms_max"},
        {"incarnation ", "first"},
        {"incarnation ", "value"},
        {"commit ", "time"},
        {"touched-document ", "clock"},
        {"touched-document ", "count"},
        {"document ", "incarnation"},
        {"document ", "revision"},
        {"document ", "sealed"},
    };
    for (size_t index = 0; index < sizeof FREE / sizeof *FREE; index++) {
        if (strncmp(line, FREE[index][0], strlen(FREE[index][0])) == 0 &&
            strcmp(name, FREE[index][1]) == 0) {
            return true;
        }
    }
    return false;
}

/* Loads a lie that nothing contradicts: it is what is then dumped. */
static void assert_taken(const exported *text)
{
    store_fixture target;
    undump_init(&target, "memory", text);
    exported again = dump_of(&target);
    cr_assert(again.size == text->size &&
              memcmp(again.data, text->data, text->size) == 0);
    exported_free(&again);
    undump_release(&target);
}

/* Line `place` with another number in the field at `at`. */
static void try_number(forge *all, size_t place, const char *line, const char *at,
                       const char *name)
{
    char changed[2048];
    const char *end = at + strspn(at, "0123456789");
    unsigned long long number = strtoull(at, NULL, 10);
    bool is_format = strcmp(name, "format") == 0;
    bool is_version = strcmp(name, "version") == 0;
    grove_bytes kept = all->lines[place];
    (void)snprintf(changed, sizeof changed, "%.*s%llu%s", (int)(at - line), line,
                   number + 1, end);
    all->lines[place] = grove_bytes_of(changed);
    exported text = forge_join(all, true);
    if (is_version) {
        assert_refused(&text, GROVE_FORMAT_NEWER, 0);
    } else if (is_format || is_free(line, name)) {
        assert_taken(&text);
    } else {
        assert_refused(&text, GROVE_MALFORMED, place + 1);
    }
    exported_free(&text);
    all->lines[place] = kept;
}

Test(undump, refuses_every_number_that_another_line_contradicts)
{
    exported whole = small_dump();
    forge all = forge_of(&whole);
    size_t tried = 0;
    for (size_t place = 0; place < all.count; place++) {
        char line[2048] = "";
        memcpy(line, all.lines[place].data, all.lines[place].size);
        char name[64] = "";
        for (char *at = line; (at = strchr(at, ' ')) != NULL;) {
            char *equals = strchr(++at, '=');
            (void)snprintf(name, sizeof name, "%.*s", (int)(equals - at), at);
            bool is_number = equals[1] >= '0' && equals[1] <= '9' &&
                             strcmp(name, "base64") != 0 && strcmp(name, "sum") != 0 &&
                             strcmp(name, "meta") != 0;
            /* Lines of clocks only say what may not be: see below. */
            if (is_number && strncmp(line, "clock ", 6) != 0) {
                try_number(&all, place, line, equals + 1, name);
                tried++;
            }
        }
    }
    cr_assert_gt(tried, 100);
    forge_free(&all);
    exported_free(&whole);
}

/* Text without sums: each line gets its own. */
static exported text_of(const char *const *lines, size_t count)
{
    exported text = {NULL, 0, 0, 0};
    uint64_t sum = 0;
    for (size_t index = 0; index < count; index++) {
        char line[256];
        (void)snprintf(line, sizeof line, "%s sum=0000000000000000\n", lines[index]);
        forge_put(&text, grove_bytes_of(line), &sum);
    }
    return text;
}

#define FIRST "grove-dump version=1"
#define COMMITS_OF(oldest, newest)             \
    "commits oldest=" oldest " newest=" newest \
    " commits_max=0 age_ms_max=0 incarnations=0"
#define INCARNATIONS_OF(newest, count) \
    "commits oldest=1 newest=" newest " commits_max=0 age_ms_max=0 incarnations=" count
#define DOCUMENT_OF(clocks)                                                      \
    "document id=d type=text format=1 incarnation=1 revision=1 events=0 base=0 " \
    "sealed=0 clocks=" clocks

Test(undump, takes_commits_that_touched_nothing)
{
    const char *lines[2100] = {FIRST, COMMITS_OF("1", "2000")};
    static char commits[2000][64];
    for (int index = 0; index < 2000; index++) {
        (void)snprintf(commits[index], sizeof commits[index],
                       "commit number=%d time=-5 meta= touched=0", index + 1);
        lines[index + 2] = commits[index];
    }
    lines[2002] = "end groups=0 documents=0";
    exported text = text_of(lines, 2003);
    assert_taken(&text);
    exported_free(&text);
}

Test(undump, refuses_what_no_line_can_say)
{
    static const char *const TEXTS[][6] = {
        {"grove-dump version=0", COMMITS_OF("1", "0"), "end groups=0 documents=0"},
        {FIRST " more=1", COMMITS_OF("1", "0"), "end groups=0 documents=0"},
        {FIRST, "end groups=0 documents=0"},
        {FIRST, COMMITS_OF("1", "0")},
        {FIRST, COMMITS_OF("1", "0"), "end groups=0 documents=1"},
        {FIRST, COMMITS_OF("1", "0"), "group name=g bytes=0", "end groups=1 documents=0"},
        {FIRST, COMMITS_OF("1", "0"), "group name=g bytes=8589934593",
         "end groups=1 documents=0"},
        {FIRST, COMMITS_OF("1", "0"), "group name=g bytes=1",
         "data base64=AA==", "end groups=1 documents=0"},
        {FIRST, COMMITS_OF("1", "0"), "batch clock=0 bytes=1",
         "end groups=0 documents=0"},
        {FIRST, COMMITS_OF("1", "1"), "commit number=1 time=0 meta= touched=1",
         "touched-group name=", "end groups=0 documents=0"},
        {FIRST, COMMITS_OF("1", "1"), "commit number=1 time=0 meta= touched=1",
         "touched-document id=d clock=281474976710656 count=1",
         "end groups=0 documents=0"},
        {FIRST, COMMITS_OF("1", "1"),
         "commit number=1 time=0 meta= touched=18446744073709551615",
         "end groups=0 documents=0"},
        {FIRST, COMMITS_OF("1", "0"),
         "document id=d type=text format=4294967296 incarnation=1 revision=1 events=0 "
         "base=0 sealed=0 clocks=0",
         "end groups=0 documents=1"},
        {FIRST, COMMITS_OF("1", "0"),
         "document id=d type= format=1 incarnation=1 revision=1 events=0 base=0 sealed=0 "
         "clocks=0",
         "end groups=0 documents=1"},
    };
    for (size_t index = 0; index < sizeof TEXTS / sizeof *TEXTS; index++) {
        size_t count = 0;
        while (count < 6 && TEXTS[index][count] != NULL) {
            count++;
        }
        exported text = text_of(TEXTS[index], count);
        assert_refused(&text, GROVE_MALFORMED, index < 2 ? 1 : 2);
        exported_free(&text);
    }
}

/* What says something of commits that are not kept, and what it may not say. */
static const struct {
    const char *lines[8];
    bool is_taken;
} PASTS[] = {
    {{FIRST, COMMITS_OF("4", "4"), "commit number=4 time=0 meta= touched=0",
      DOCUMENT_OF("2"), "clock commit=1 clock=0", "clock commit=3 clock=0",
      "end groups=0 documents=1"},
     true},
    {{FIRST, COMMITS_OF("4", "4"), "commit number=4 time=0 meta= touched=0",
      DOCUMENT_OF("1"), "clock commit=4 clock=0", "end groups=0 documents=1"},
     false},
    {{FIRST, COMMITS_OF("4", "4"), "commit number=4 time=0 meta= touched=0",
      DOCUMENT_OF("1"), "clock commit=0 clock=0", "end groups=0 documents=1"},
     false},
    {{FIRST, COMMITS_OF("4", "4"), "commit number=4 time=0 meta= touched=0",
      DOCUMENT_OF("1"), "clock commit=1 clock=1", "end groups=0 documents=1"},
     false},
    {{FIRST, COMMITS_OF("4", "4"), "commit number=4 time=0 meta= touched=0",
      DOCUMENT_OF("2"), "clock commit=3 clock=0", "clock commit=3 clock=0",
      "end groups=0 documents=1"},
     false},
    /* It was deleted, and made again, in commits that are kept. */
    {{FIRST, COMMITS_OF("4", "4"), "commit number=4 time=0 meta= touched=1",
      "touched-document id=d clock=0 count=0", DOCUMENT_OF("1"), "clock commit=1 clock=0",
      "end groups=0 documents=1"},
     false},
    {{FIRST, COMMITS_OF("4", "4"), "commit number=4 time=0 meta= touched=1",
      "touched-document id=d clock=0 count=0", DOCUMENT_OF("0"),
      "end groups=0 documents=1"},
     true},
    {{FIRST, COMMITS_OF("4", "4"), "commit number=4 time=0 meta= touched=1",
      "touched-document id=e clock=0 count=0", DOCUMENT_OF("1"), "clock commit=1 clock=0",
      "end groups=0 documents=1"},
     true},
    /* Clocks that fall. */
    {{FIRST, COMMITS_OF("1", "1"), "commit number=1 time=0 meta= touched=2",
      "touched-document id=d clock=5 count=5", "touched-document id=d clock=1 count=1",
      DOCUMENT_OF("0"), "end groups=0 documents=1"},
     false},
    /* Commits that no store keeps. */
    {{FIRST, COMMITS_OF("0", "0"), "end groups=0 documents=0"}, false},
    {{FIRST, COMMITS_OF("2", "0"), "end groups=0 documents=0"}, false},
    {{FIRST, COMMITS_OF("2", "1"), "end groups=0 documents=0"}, false},
    {{FIRST, COMMITS_OF("9223372036854775807", "9223372036854775807"),
      "commit number=9223372036854775807 time=0 meta= touched=0",
      "end groups=0 documents=0"},
     true},
    {{FIRST, COMMITS_OF("9223372036854775808", "9223372036854775808"),
      "commit number=9223372036854775808 time=0 meta= touched=0",
      "end groups=0 documents=0"},
     false},
    /* Incarnations. */
    {{FIRST, INCARNATIONS_OF("1", "2"), "incarnation first=0 value=7",
      "incarnation first=1 value=7", "commit number=1 time=0 meta= touched=0",
      "end groups=0 documents=0"},
     true},
    {{FIRST, INCARNATIONS_OF("1", "1"), "incarnation first=2 value=7",
      "commit number=1 time=0 meta= touched=0", "end groups=0 documents=0"},
     false},
    {{FIRST, INCARNATIONS_OF("1", "2"), "incarnation first=1 value=7",
      "incarnation first=1 value=8", "commit number=1 time=0 meta= touched=0",
      "end groups=0 documents=0"},
     false},
    {{FIRST, INCARNATIONS_OF("0", "1000"), "end groups=0 documents=0"}, false},
};

Test(undump, tells_what_may_be_said_of_the_past)
{
    for (size_t index = 0; index < sizeof PASTS / sizeof *PASTS; index++) {
        size_t count = 0;
        while (count < 8 && PASTS[index].lines[count] != NULL) {
            count++;
        }
        exported text = text_of(PASTS[index].lines, count);
        if (PASTS[index].is_taken) {
            assert_taken(&text);
        } else {
            assert_refused(&text, GROVE_MALFORMED, index + 2);
        }
        exported_free(&text);
    }
}

/* As many incarnations as there can be come back, and one more is there. */
Test(undump, takes_as_many_incarnations_as_leave_room_for_its_own)
{
    enum { COUNT = GROVE_INCARNATIONS_MAX - 1 };
    static char texts[2 * COUNT][64];
    static const char *lines[2 * COUNT + 4] = {FIRST, INCARNATIONS_OF("999", "999")};
    cr_assert_eq(COUNT, 999);
    for (int index = 0; index < COUNT; index++) {
        (void)snprintf(texts[index], sizeof *texts, "incarnation first=%d value=%d",
                       index + 1, index);
        (void)snprintf(texts[COUNT + index], sizeof *texts,
                       "commit number=%d time=0 meta= touched=0", index + 1);
        lines[2 + index] = texts[index];
        lines[2 + COUNT + index] = texts[COUNT + index];
    }
    lines[2 + 2 * COUNT] = "end groups=0 documents=0";
    exported text = text_of(lines, 2 * COUNT + 3);
    assert_taken(&text);
    exported_free(&text);
}

Test(undump, takes_each_value_in_one_form_only)
{
    static const char *const FORMS[][2] = {
        {"commit number=", "commit number=0"},
        {"commit number=", "commit number=+"},
        {"commit number=", "commit  number="},
        {"commit number=", "commit Number="},
        {"name=group", "name=%67roup"},
        {"name=other%20group", "name=other%2"},
        {"type=text", "type=te%00xt"},
        {"type=text", "type="},
        {"id=a%00%0A", "id=a%00%0a"},
        {"base=0 ", "base=0 more=0 "},
        {"commits oldest", "Commits oldest"},
        {"meta=m ", "meta=%6D "},
        {"commits_max=", "commits_max=0"},
        {"clock commit=", "clock commit=0"},
        {"first=0", "first=00"},
        {"sealed=0", "sealed=-1"},
        {"events=", "events=99999999999999999999"},
        {"clock=", "clock=281474976710657"},
    };
    exported whole = small_dump();
    forge all = forge_of(&whole);
    for (size_t form = 0; form < sizeof FORMS / sizeof *FORMS; form++) {
        char line[2048] = "";
        size_t place = 0;
        char *found = NULL;
        for (; found == NULL; place++) {
            cr_assert_lt(place, all.count, "%s", FORMS[form][0]);
            memset(line, 0, sizeof line);
            memcpy(line, all.lines[place].data, all.lines[place].size);
            found = strstr(line, FORMS[form][0]);
        }
        char changed[4096];
        grove_bytes kept = all.lines[place - 1];
        (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(found - line), line,
                       FORMS[form][1], found + strlen(FORMS[form][0]));
        all.lines[place - 1] = grove_bytes_of(changed);
        exported text = forge_join(&all, true);
        assert_refused(&text, GROVE_MALFORMED, place);
        exported_free(&text);
        all.lines[place - 1] = kept;
    }
    forge_free(&all);
    exported_free(&whole);
}

/* --- the place and the callback --- */

STORE_TEST(undump, leaves_a_store_that_is_there_alone)
{
    make_small(fixture);
    exported whole = dump_of(fixture);
    exported other = small_dump();
    store_fixture_close(fixture);
    assert_fails(fixture, GROVE_INVALID, undump(fixture, exported_view(&other), NULL));
    store_fixture_open(fixture);
    exported after = dump_of(fixture);
    cr_assert(after.size == whole.size &&
              memcmp(after.data, whole.data, whole.size) == 0);
    exported_free(&whole);
    exported_free(&other);
    exported_free(&after);
}

STORE_TEST(undump, fills_a_store_without_a_commit_once)
{
    exported whole = small_dump();
    store_fixture_close(fixture);
    assert_ok(fixture, undump(fixture, exported_view(&whole), NULL));
    assert_fails(fixture, GROVE_INVALID, undump(fixture, exported_view(&whole), NULL));
    store_fixture_open(fixture);
    exported after = dump_of(fixture);
    cr_assert(after.size == whole.size &&
              memcmp(after.data, whole.data, whole.size) == 0);
    exported_free(&whole);
    exported_free(&after);
}

STORE_TEST(undump, does_not_begin_where_another_did_not_end)
{
    exported whole = small_dump();
    store_fixture_close(fixture);
    assert_fails(fixture, GROVE_MALFORMED,
                 undump(fixture, (grove_bytes){whole.data, whole.size - 30}, NULL));
    assert_fails(fixture, GROVE_INVALID, undump(fixture, exported_view(&whole), NULL));
    cr_assert_not_null(strstr(fixture->error.message, "did not come to its end"));
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_open(fixture->dir.path, &fixture->options, &fixture->store,
                                  &fixture->error));
    fixture->options.must_exist = true;
    assert_fails(fixture, GROVE_INVALID,
                 grove_store_open(fixture->dir.path, &fixture->options, &fixture->store,
                                  &fixture->error));
    exported_free(&whole);
}

Test(undump, takes_pieces_of_any_size)
{
    exported whole = small_dump();
    for (size_t bytes = 1; bytes < 5000; bytes = bytes * 3 + 1) {
        store_fixture target;
        store_fixture_init(&target, "memory");
        dump_reader reader = {exported_view(&whole), bytes, 0};
        assert_ok(&target, grove_store_undump(target.dir.path, &target.options, dump_read,
                                              &reader, NULL, &target.error));
        store_fixture_release(&target);
    }
    exported_free(&whole);
}

Test(undump, says_when_it_cannot_be_read)
{
    exported whole = small_dump();
    for (size_t bytes = 1; bytes < whole.size; bytes += 997) {
        store_fixture target;
        store_fixture_init(&target, "memory");
        dump_reader reader = {exported_view(&whole), 100, bytes};
        assert_fails(&target, GROVE_FAILED,
                     grove_store_undump(target.dir.path, &target.options, dump_read,
                                        &reader, NULL, &target.error));
        store_fixture_release(&target);
    }
    exported_free(&whole);
}

Test(undump, checks_its_options)
{
    exported whole = small_dump();
    store_fixture target;
    store_fixture_init(&target, "memory");
    target.options.size--;
    assert_fails(&target, GROVE_INVALID, undump(&target, exported_view(&whole), NULL));
    store_fixture_release(&target);
    exported_free(&whole);
}

/* --- faults --- */

/* After a failure there is no store, or one without anything. */
static void assert_nothing_whole(store_fixture *target)
{
    grove_store_options options = target->options;
    options.allocator = NULL;
    if (target->disk == NULL) {
        return;
    }
    options.backend = grove_backend_find("memory");
    options.backend_context = target->disk;
    grove_store *store = NULL;
    grove_status status =
        grove_store_open(target->dir.path, &options, &store, &target->error);
    if (status == GROVE_OK) {
        uint64_t commit = 7;
        assert_ok(target, grove_store_commit(store, &commit, &target->error));
        cr_assert_eq(commit, 0);
        grove_store_close(store);
    } else {
        cr_assert_eq(status, GROVE_INVALID, "%s", target->error.message);
    }
}

Test(undump, leaves_no_store_when_memory_ends)
{
    exported whole = small_dump();
    for (size_t nth = 1;; nth++) {
        faulty_allocator faulty;
        store_fixture target;
        faulty_allocator_init(&faulty, nth);
        store_fixture_init(&target, "memory");
        target.options.allocator = &faulty.allocator;
        grove_status status = undump(&target, exported_view(&whole), NULL);
        faulty_allocator_finish(&faulty);
        if (faulty.has_failed) {
            cr_assert_eq(status, GROVE_NO_MEMORY, "allocation %zu: %s", nth,
                         grove_status_name(status));
            assert_nothing_whole(&target);
        } else {
            cr_assert_eq(status, GROVE_OK);
        }
        store_fixture_release(&target);
        if (!faulty.has_failed) {
            break;
        }
    }
    exported_free(&whole);
}

Test(undump, leaves_no_store_when_the_backend_fails)
{
    exported whole = small_dump();
    for (size_t nth = 1;; nth++) {
        faulty_backend faulty;
        store_fixture target;
        store_fixture_init(&target, "memory");
        faulty_backend_init(&faulty, target.options.backend, nth, GROVE_IO);
        faulty.under_context = target.disk;
        target.options.backend = &faulty.table;
        target.options.backend_context = &faulty;
        grove_status status = undump(&target, exported_view(&whole), NULL);
        faulty_backend_finish(&faulty);
        if (faulty.has_failed && status != GROVE_OK) {
            cr_assert_eq(status, GROVE_IO, "call %zu", nth);
            assert_nothing_whole(&target);
        }
        cr_assert(faulty.has_failed || status == GROVE_OK);
        store_fixture_release(&target);
        if (!faulty.has_failed) {
            break;
        }
    }
    exported_free(&whole);
}
