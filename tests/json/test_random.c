/*
 * Random documents and patches: with one replica the tree shows what an obvious
 * implementation makes of jansson's values, step by step, through saves and
 * loads; with two, both show the same in the end.
 */
#include <grove/json.h>

#include "json_document.h"
#include "support/json_model.h"
#include "support/random.h"

static const char *const KEYS[] = {"a", "b", "", "a/b", "m~n", "0", "-", "\xc3\xa4"};

enum { KEY_COUNT = sizeof KEYS / sizeof *KEYS };

static json_t *random_scalar(test_random *random)
{
    switch (test_random_below(random, 8)) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(test_random_below(random, 2));
    case 2:
        return json_real((double)test_random_below(random, 4));
    case 3:
        return json_real((double)(int64_t)test_random_next(random) / 1024.0);
    case 4:
        return json_integer((json_int_t)test_random_next(random));
    case 5:
        return json_stringn("x\0y", test_random_below(random, 4));
    default:
        return json_integer((json_int_t)test_random_below(random, 4));
    }
}

/* Of at most so many levels. */
static json_t *random_value(test_random *random, unsigned levels)
{
    uint64_t kind = test_random_below(random, 4);
    uint64_t count = test_random_below(random, 5);
    if (levels <= 1 || kind < 2) {
        return random_scalar(random);
    }
    json_t *value = kind == 3 ? json_array() : json_object();
    for (uint64_t index = 0; index < count; index++) {
        json_t *child = random_value(random, levels - 1);
        if (kind == 3) {
            (void)json_array_append_new(value, child);
        } else {
            (void)json_object_set_new(value, KEYS[test_random_below(random, KEY_COUNT)],
                                      child);
        }
    }
    return value;
}

/* Changes a few places of a value. */
static void mutate(test_random *random, json_t *value)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 0;
    const char *key = KEYS[test_random_below(random, KEY_COUNT)];
    size_t index = test_random_below(random, count + 1);
    uint64_t what = test_random_below(random, 4);
    json_t *below =
        json_is_array(value) ? json_array_get(value, index) : json_object_get(value, key);
    if (below != NULL && what < 2) {
        mutate(random, below);
    } else if (json_is_array(value) && what == 2) {
        (void)json_array_remove(value, index);
    } else if (json_is_array(value)) {
        (void)json_array_insert_new(value, index, random_value(random, 3));
    } else if (json_is_object(value) && what == 2) {
        (void)json_object_del(value, key);
    } else if (json_is_object(value)) {
        (void)json_object_set_new(value, key, random_value(random, 3));
    }
}

/* A pointer that mostly leads somewhere. */
static void random_pointer(test_random *random, const json_t *at, char *text,
                           size_t bytes)
{
    static const char *const ESCAPED[KEY_COUNT] = {"a",    "b", "",  "a~1b",
                                                   "m~0n", "0", "-", "\xc3\xa4"};
    size_t used = 0;
    text[0] = '\0';
    while (at != NULL && used + 32 < bytes && test_random_below(random, 4) > 0) {
        const char *key = NULL;
        size_t key_number = test_random_below(random, KEY_COUNT);
        if (json_is_array(at)) {
            size_t index = test_random_below(random, json_array_size(at) + 1);
            bool is_behind = test_random_below(random, 6) == 0;
            used += (size_t)snprintf(text + used, bytes - used, is_behind ? "/-" : "/%zu",
                                     index);
            at = is_behind ? NULL : json_array_get(at, index);
            continue;
        }
        for (size_t tries = 0; tries < 4 && json_is_object(at); tries++) {
            key_number = test_random_below(random, KEY_COUNT);
            if (json_object_get(at, KEYS[key_number]) != NULL) {
                break;
            }
        }
        key = ESCAPED[key_number];
        used += (size_t)snprintf(text + used, bytes - used, "/%s", key);
        at = json_object_get(at, KEYS[key_number]);
    }
}

static json_t *random_operation(test_random *random, json_t *document)
{
    static const char *const NAMES[] = {"add",  "add",  "remove", "replace",
                                        "move", "copy", "test",   "move"};
    char path[256];
    char from[256];
    random_pointer(random, document, path, sizeof path);
    random_pointer(random, document, from, sizeof from);
    const char *name = NAMES[test_random_below(random, 8)];
    json_t *value = random_value(random, 3);
    if (strcmp(name, "test") == 0 && test_random_below(random, 3) > 0) {
        json_t *pointer = json_string(path);
        json_model_way way = json_model_way_of(pointer);
        json_t *there = json_model_follow(document, &way, way.count);
        if (there != NULL) {
            json_decref(value);
            value = json_deep_copy(there);
        }
        json_model_way_free(&way);
        json_decref(pointer);
    }
    return json_pack("{ss, ss, ss, so}", "op", name, "path", path, "from", from, "value",
                     value);
}

static json_t *random_patch(test_random *random, json_t *document)
{
    json_t *patch = json_array();
    uint64_t count = 1 + test_random_below(random, 4);
    for (uint64_t index = 0; index < count; index++) {
        (void)json_array_append_new(patch, random_operation(random, document));
    }
    return patch;
}

/* What a step is to do, and what became of it. */
static char *text_of(const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    cr_assert_not_null(text);
    return text;
}

static void assert_shows(peer *one, const json_t *model, const char *step)
{
    char *text = json_at(one, "");
    if (model == NULL) {
        cr_assert_null(text, "%s", step);
        return;
    }
    cr_assert_not_null(text, "%s", step);
    json_t *shown = json_model_parse(grove_bytes_of(text));
    char *wanted = text_of(model);
    cr_assert(json_equal(shown, model), "%s gives %s and not %s", step, text, wanted);
    json_decref(shown);
    free(wanted);
    free(text);
}

/* One step of both: a patch, a merge patch, or a new value. */
static void do_step(peer *one, test_random *random, json_t **model)
{
    uint64_t what = test_random_below(random, 4);
    size_t failed = 0;
    bool does = true;
    json_t *given = NULL;
    if (what == 0) {
        given = *model == NULL ? random_value(random, 4) : json_deep_copy(*model);
        mutate(random, given);
    } else if (what == 1) {
        given = random_value(random, 4);
    } else {
        given = random_patch(random, *model);
    }
    char *text = text_of(given);
    grove_bytes bytes = grove_bytes_of(text);
    uint64_t events = json_events(one);
    grove_status status = GROVE_OK;
    if (what == 0) {
        status = grove_json_set(one->document, bytes, NOTHING, &one->store.error);
        json_decref(*model);
        *model = json_incref(given);
    } else if (what == 1) {
        status = grove_json_merge_patch(one->document, bytes, NOTHING, &one->store.error);
        json_t *merged = json_model_merge(*model, given);
        json_decref(*model);
        *model = merged;
    } else {
        status = grove_json_patch(one->document, bytes, NOTHING, &one->store.error);
        does = json_model_patch(model, given, &failed);
    }
    cr_assert_eq(status == GROVE_OK, does, "%s: %s", text, one->store.error.message);
    cr_assert(does || one->store.error.offset == failed, "%s: operation %zu, not %s",
              text, failed, one->store.error.message);
    cr_assert(does || json_events(one) == events);
    assert_shows(one, *model, text);
    free(text);
    json_decref(given);
}

Test(json_random, one_replica_shows_what_the_obvious_implementation_says)
{
    test_random random = test_random_of("json_random");
    for (size_t round = 0; round < 300; round++) {
        peer one;
        json_t *model = NULL;
        json_open(&one, "a");
        for (size_t step = 0; step < 30; step++) {
            do_step(&one, &random, &model);
            if (test_random_below(&random, 10) == 0) {
                peer_save(&one);
                if (test_random_below(&random, 3) == 0 &&
                    grove_document_clock(one.document) > 0) {
                    peer_compact(&one, test_random_below(&random, 2));
                }
                peer_reopen(&one);
                assert_shows(&one, model, "loading");
            }
        }
        json_decref(model);
        peer_release(&one);
    }
}

/* After each meeting both show the same, and go on as the model says. */
Test(json_random, two_replicas_show_the_same_whenever_they_meet)
{
    test_random random = test_random_of("json_random");
    for (size_t round = 0; round < 150; round++) {
        peer both[2];
        json_open(&both[0], "a");
        json_open(&both[1], "b");
        for (size_t meeting = 0; meeting < 6; meeting++) {
            for (size_t index = 0; index < 2; index++) {
                char *now = json_at(&both[index], "");
                json_t *model =
                    now == NULL ? NULL : json_model_parse(grove_bytes_of(now));
                uint64_t steps = test_random_below(&random, 4);
                for (uint64_t step = 0; step < steps; step++) {
                    do_step(&both[index], &random, &model);
                }
                json_decref(model);
                free(now);
                peer_save(&both[index]);
            }
            if (grove_document_clock(both[0].document) > 0) {
                (void)peer_bring(&both[0], &both[1]);
            }
            if (grove_document_clock(both[1].document) > 0) {
                (void)peer_bring(&both[1], &both[0]);
            }
            cr_assert(
                json_digests_equal(json_digest_of(&both[0]), json_digest_of(&both[1])));
            char *one = json_at(&both[0], "");
            char *other = json_at(&both[1], "");
            cr_assert_eq(one == NULL, other == NULL);
            cr_assert(one == NULL || strcmp(one, other) == 0);
            free(one);
            free(other);
        }
        peer_release(&both[0]);
        peer_release(&both[1]);
    }
}

Test(json_random, what_was_done_can_be_undone_and_redone)
{
    test_random random = test_random_of("json_random");
    for (size_t round = 0; round < 100; round++) {
        peer one;
        json_t *models[21] = {NULL};
        size_t count = 0;
        json_open(&one, "a");
        for (size_t step = 0; step < 20; step++) {
            json_t *model = json_incref(models[count]);
            uint64_t events = json_events(&one);
            do_step(&one, &random, &model);
            if (json_events(&one) > events) {
                models[++count] = model;
            } else {
                json_decref(model);
            }
        }
        for (size_t left = count; left > 0; left--) {
            json_undo(&one);
            assert_shows(&one, models[left - 1], "undo");
        }
        for (size_t done = 1; done <= count; done++) {
            assert_ok(&one.store,
                      grove_tree_redo(one.document, NOTHING, &one.store.error));
            assert_shows(&one, models[done], "redo");
        }
        for (size_t index = 0; index <= count; index++) {
            json_decref(models[index]);
        }
        peer_release(&one);
    }
}
