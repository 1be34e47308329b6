/*
 * Trees of several stores, edited at once, saved, dropped, loaded anew,
 * compacted and exchanged in any order. Whoever knows the same events has the
 * same tree, whichever way they came; and in the end that is the tree which the
 * oracle makes of all events that an archive was sent.
 */
#include <sodium.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "support/exchange.h"
#include "support/random.h"
#include "support/tree_document.h"
#include "tree/operation.h"
#include "tree/oracle.h"

#if defined(GROVE_TINY_LIMITS) || defined(__SANITIZE_ADDRESS__)
enum { ROUNDS = 100, ROUNDS_ON_DISK = 30 };
#else
enum { ROUNDS = 1000, ROUNDS_ON_DISK = 50 };
#endif

enum { SITES = 3, HANDLES = SITES + 1, KNOWN_MAX = 4096, VECTOR_BYTES = 64 };

/* More events than a session has. */
enum { CLOCKS_MAX = ORACLE_EVENTS_MAX };

/* What a tree is when these events are known. */
typedef struct known_digest {
    uint8_t vector[VECTOR_BYTES];
    digest tree;
} known_digest;

typedef struct tally {
    uint64_t edits, refused, cancels, undone, drops, compactions, views;
} tally;

typedef struct session {
    test_random *random;
    peer sites[SITES];
    /* Of each site one, and a second one of the first site's store. */
    grove_document *handles[HANDLES];
    grove_document_options options;
    peer archive;
    known_digest known[KNOWN_MAX];
    uint32_t known_count;
    /* What was stored at a site when its clock was this. */
    digest stored[SITES][CLOCKS_MAX];
    bool is_stored[SITES][CLOCKS_MAX];
    tally *tally;
} session;

static const char *const REPLICAS[HANDLES + 1] = {"m", "a", "mm", "b", "z"};

static uint32_t below(const session *run, uint32_t bound)
{
    return (uint32_t)test_random_below(run->random, bound);
}

static store_fixture *store_of(session *run, uint32_t handle)
{
    return &run->sites[handle % SITES].store;
}

/* --- the same events, the same tree --- */

static void vector_of(store_fixture *store, grove_document *document, uint8_t *vector_out)
{
    grove_version_vector known;
    assert_ok(store, grove_document_version_vector(document, &known, &store->error));
    memset(vector_out, 0, VECTOR_BYTES);
    for (size_t index = 0; index < known.count; index++) {
        const grove_event_id *entry = &known.entries[index];
        for (uint32_t replica = 0; replica < HANDLES; replica++) {
            const grove_event_id name = event_of(REPLICAS[replica], 0);
            if (grove__replica_equal(&name.replica, &entry->replica)) {
                memcpy(vector_out + (size_t)replica * sizeof entry->sequence,
                       &entry->sequence, sizeof entry->sequence);
            }
        }
    }
}

static void check(session *run, store_fixture *store, grove_document *document)
{
    known_digest made;
    if (grove_document_unsaved(document) > 0) {
        return;
    }
    vector_of(store, document, made.vector);
    made.tree = digest_of(document);
    for (uint32_t index = 0; index < run->known_count; index++) {
        if (memcmp(run->known[index].vector, made.vector, VECTOR_BYTES) == 0) {
            cr_assert(digest_equal(run->known[index].tree, made.tree));
            return;
        }
    }
    cr_assert_lt(run->known_count, KNOWN_MAX);
    run->known[run->known_count++] = made;
}

static void check_handle(session *run, uint32_t handle)
{
    grove_document *document = run->handles[handle];
    uint64_t clock = grove_document_clock(document);
    cr_assert_lt(clock, CLOCKS_MAX);
    check(run, store_of(run, handle), document);
    if (grove_document_unsaved(document) == 0) {
        run->stored[handle % SITES][clock] = digest_of(document);
        run->is_stored[handle % SITES][clock] = true;
    }
}

/* --- edits --- */

static grove_node draw_node(session *run, grove_document *tree)
{
    uint64_t count = 0;
    cr_assert_eq(grove_tree_count(tree, &count, NULL), GROVE_OK);
    return (grove_node)test_random_below(run->random, count);
}

/* Mostly one that can be. */
static grove_tree_place draw_place(session *run, grove_document *tree)
{
    grove_tree_place place = {draw_node(run, tree), (grove_tree_where)below(run, 4), 0};
    grove_node sibling = draw_node(run, tree);
    if (place.where == GROVE_TREE_BEFORE || place.where == GROVE_TREE_AFTER) {
        place.sibling = sibling;
        if (sibling != GROVE_NODE_ROOT && below(run, 8) > 0) {
            cr_assert_eq(grove_tree_step(tree, sibling, GROVE_TREE_TO_PARENT, 0,
                                         &place.parent, NULL),
                         GROVE_OK);
        }
    }
    return place;
}

static grove_value draw_value(session *run)
{
    static const char *const texts[] = {"", "text", "t\xc3\xa4xt"};
    switch (below(run, 6)) {
    case 0:
        return grove_value_null();
    case 1:
        return grove_value_boolean(below(run, 2) == 0);
    case 2:
        return grove_value_double((double)below(run, 100) / 8);
    case 3:
        return grove_value_text(grove_bytes_of(texts[below(run, 3)]));
    case 4:
        return grove_value_bytes(grove_bytes_of("\xff\x80"));
    default:
        return grove_value_integer((int64_t)test_random_next(run->random));
    }
}

static grove_status put(session *run, grove_document *tree, grove_bytes metadata)
{
    static const char *const ids[] = {"A", "B", "C", "D", "6d.2"};
    static const char *const types[] = {"", "list", "p"};
    const grove_attribute attributes[] = {{grove_bytes_of("b"), draw_value(run)},
                                          {grove_bytes_of("a"), draw_value(run)}};
    grove_tree_item item = {.type = grove_bytes_of(types[below(run, 3)]),
                            .attributes = attributes,
                            .attribute_count = below(run, 3)};
    grove_tree_place place = draw_place(run, tree);
    if (below(run, 3) > 0) {
        return grove_tree_put(tree, &item, place, metadata, NULL, NULL);
    }
    item.id = grove_bytes_of(ids[below(run, 5)]);
    return below(run, 2) == 0
               ? grove_tree_put(tree, &item, place, metadata, NULL, NULL)
               : grove_tree_put_again(tree, &item, place, metadata, NULL, NULL);
}

static grove_status draw_edit(session *run, grove_document *tree)
{
    static const char *const names[] = {"a", "b", "name"};
    const grove_bytes metadata = below(run, 3) == 0 ? grove_bytes_of("who") : NO_BYTES;
    const grove_bytes name = grove_bytes_of(names[below(run, 3)]);
    const grove_value value = draw_value(run);
    grove_node node = draw_node(run, tree);
    switch (below(run, 10)) {
    case 0:
    case 1:
    case 2:
        return put(run, tree, metadata);
    case 3:
    case 4:
        return grove_tree_move(tree, node, draw_place(run, tree), metadata, NULL);
    case 5:
    case 6:
        return grove_tree_set(tree, node, name, &value, metadata, NULL);
    case 7:
        return grove_tree_unset(tree, node, name, metadata, NULL);
    case 8:
        return grove_tree_delete(tree, node, metadata, NULL);
    default:
        return grove_tree_restore(tree, node, metadata, NULL);
    }
}

/* What is refused changes nothing. */
static void edit(session *run, grove_document *tree)
{
    digest was = digest_of(tree);
    uint64_t unsaved = grove_document_unsaved(tree);
    grove_status status = draw_edit(run, tree);
    run->tally->edits++;
    if (status == GROVE_OK) {
        cr_assert_eq(grove_document_unsaved(tree), unsaved + 1);
        return;
    }
    cr_assert(status == GROVE_INVALID || status == GROVE_NONE ||
              status == GROVE_CONFLICT);
    run->tally->refused++;
    cr_assert_eq(grove_document_unsaved(tree), unsaved);
    cr_assert(digest_equal(digest_of(tree), was));
}

/* Several edits that are one, or none. */
static void change(session *run, grove_document *tree)
{
    digest was = digest_of(tree);
    uint64_t unsaved = grove_document_unsaved(tree);
    cr_assert_eq(grove_tree_begin(tree, NULL), GROVE_OK);
    for (uint32_t count = below(run, 6); count > 0; count--) {
        edit(run, tree);
    }
    if (below(run, 2) == 0) {
        cr_assert_eq(grove_tree_end(tree, NULL), GROVE_OK);
        return;
    }
    cr_assert_eq(grove_tree_cancel(tree, NULL), GROVE_OK);
    run->tally->cancels++;
    cr_assert_eq(grove_document_unsaved(tree), unsaved);
    cr_assert(digest_equal(digest_of(tree), was));
}

static void undo(session *run, grove_document *tree)
{
    grove_status status = below(run, 2) == 0 ? grove_tree_undo(tree, NO_BYTES, NULL)
                                             : grove_tree_redo(tree, NO_BYTES, NULL);
    cr_assert(status == GROVE_OK || status == GROVE_NONE);
    run->tally->undone += status == GROVE_OK ? 1 : 0;
}

/* --- handles and stores --- */

static void open_handle(session *run, uint32_t handle)
{
    store_fixture *store = store_of(run, handle);
    run->options.replica = event_of(REPLICAS[handle], 0).replica;
    assert_ok(store,
              grove_document_open(store->store, grove_bytes_of(EXCHANGED), &run->options,
                                  &run->handles[handle], &store->error));
    cr_assert_eq(grove_document_damaged_snapshots(run->handles[handle]), 0);
    check_handle(run, handle);
}

static void save_handle(session *run, uint32_t handle)
{
    (void)save(store_of(run, handle), run->handles[handle]);
    check_handle(run, handle);
}

/* Closes a handle, sometimes with what it did not save, as a process that dies
 * does, and opens it anew. */
static void reopen(session *run, uint32_t handle)
{
    if (below(run, 3) > 0) {
        save_handle(run, handle);
    }
    run->tally->drops += grove_document_unsaved(run->handles[handle]) > 0 ? 1 : 0;
    grove_document_close(run->handles[handle]);
    open_handle(run, handle);
}

static void refresh(session *run, uint32_t handle)
{
    uint64_t events;
    store_fixture *store = store_of(run, handle);
    assert_ok(store,
              grove_document_refresh(run->handles[handle], &events, &store->error));
    check_handle(run, handle);
}

/* What is stored of one handle comes to another. */
static void bring(session *run, uint32_t from, peer *to)
{
    exported whole = {NULL, 0, 0, 0};
    grove_version_vector known;
    grove_import_result result;
    store_fixture *store = store_of(run, from);
    assert_ok(&to->store,
              grove_document_version_vector(to->document, &known, &to->store.error));
    grove_status status = grove_document_export(run->handles[from], &known,
                                                exported_write, &whole, &store->error);
    cr_assert(status == GROVE_OK || status == GROVE_NONE);
    if (status == GROVE_OK) {
        assert_ok(&to->store, grove_document_import(to->document, exported_view(&whole),
                                                    &result, &to->store.error));
        cr_assert_eq(result.aside, 0);
        cr_assert_not(result.adopted);
    }
    exported_free(&whole);
    check(run, &to->store, to->document);
}

static void exchange(session *run, uint32_t from, uint32_t to)
{
    if (from % SITES == to % SITES) {
        refresh(run, to);
        return;
    }
    peer *site = &run->sites[to % SITES];
    site->document = run->handles[to];
    bring(run, from, site);
}

/* A look back, at what is still there. */
static void view(session *run, uint32_t handle)
{
    store_fixture *store = store_of(run, handle);
    uint64_t clock = grove_document_clock(run->handles[handle]);
    uint64_t at = test_random_below(run->random, clock + 1);
    grove_document *past = NULL;
    grove_status status = grove_document_load_at(store->store, grove_bytes_of(EXCHANGED),
                                                 at, NULL, &past, &store->error);
    cr_assert(status == GROVE_OK || status == GROVE_NONE ||
              status == GROVE_HISTORY_REMOVED);
    if (status == GROVE_OK) {
        if (run->is_stored[handle % SITES][at]) {
            run->tally->views++;
            cr_assert(digest_equal(digest_of(past), run->stored[handle % SITES][at]));
        }
        grove_document_close(past);
    }
}

/* All get to know all, and then some forget how it came about. */
static void meet(session *run)
{
    for (uint32_t handle = 0; handle < HANDLES; handle++) {
        save_handle(run, handle);
    }
    for (uint32_t handle = 0; handle < HANDLES; handle++) {
        exchange(run, handle, 0);
    }
    save_handle(run, 0);
    bring(run, 0, &run->archive);
    (void)save(&run->archive.store, run->archive.document);
    for (uint32_t handle = 1; handle < HANDLES; handle++) {
        exchange(run, 0, handle);
        save_handle(run, handle);
    }
    for (uint32_t handle = 0; handle < HANDLES; handle++) {
        cr_assert(digest_equal(digest_of(run->handles[handle]),
                               digest_of(run->archive.document)));
        grove_compact_options options = GROVE_COMPACT_OPTIONS_INIT;
        grove_compact_result result = {0};
        options.window_events = below(run, 2) == 0 ? 0 : below(run, 20);
        store_fixture *store = store_of(run, handle);
        if (below(run, 2) == 0) {
            grove_status status = grove_document_compact(run->handles[handle], &options,
                                                         &result, &store->error);
            cr_assert(status == GROVE_OK || status == GROVE_NONE);
            run->tally->compactions += result.removed_events > 0 ? 1 : 0;
            check_handle(run, handle);
        }
    }
}

static void step(session *run)
{
    uint32_t handle = below(run, HANDLES);
    grove_document *tree = run->handles[handle];
    switch (below(run, 20)) {
    case 0:
        change(run, tree);
        break;
    case 1:
        undo(run, tree);
        break;
    case 2:
    case 3:
        save_handle(run, handle);
        break;
    case 4:
        refresh(run, handle);
        break;
    case 5:
        reopen(run, handle);
        break;
    case 6:
    case 7:
    case 8:
        exchange(run, below(run, HANDLES), handle);
        break;
    case 9:
        view(run, handle);
        break;
    case 10:
        if (below(run, 3) == 0) {
            meet(run);
        }
        break;
    default:
        edit(run, tree);
        break;
    }
}

/* --- the oracle's word --- */

typedef struct collection {
    tree_oracle oracle;
    oracle_set all;
    oracle_state state;
} collection;

static uint32_t find_event(const tree_oracle *oracle, const grove_replica *replica,
                           uint64_t sequence)
{
    for (uint32_t event = 0; event < oracle->count; event++) {
        if (oracle->events[event].sequence == sequence &&
            grove__replica_equal(&oracle->replicas[oracle->events[event].replica],
                                 replica)) {
            return event;
        }
    }
    cr_assert(false, "an event that nobody sent");
    return ORACLE_NONE;
}

static uint32_t find_named(const tree_oracle *oracle, const grove_event_id *id,
                           const grove__tree_reference *reference)
{
    grove_replica replica = id->replica;
    uint64_t sequence = id->sequence - reference->number;
    if (reference->kind == GROVE__TREE_REFERENCE_NONE) {
        return ORACLE_NONE;
    }
    if (reference->kind == GROVE__TREE_REFERENCE_OTHER) {
        memset(&replica, 0, sizeof replica);
        replica.size = (uint8_t)reference->replica.size;
        memcpy(replica.bytes, reference->replica.data, replica.size);
        sequence = reference->number;
    }
    return find_event(oracle, &replica, sequence);
}

static oracle_bytes copy_of(grove_bytes bytes)
{
    oracle_bytes copy = {(uint8_t)bytes.size, {0}};
    cr_assert_leq(bytes.size, ORACLE_BYTES_MAX);
    if (bytes.size > 0) {
        memcpy(copy.bytes, bytes.data, bytes.size);
    }
    return copy;
}

static void copy_writes(oracle_event *event, const grove__tree_operation *operation)
{
    grove_reader attributes = grove_reader_of(operation->attributes);
    grove__tree_written written = {operation->name, operation->value};
    if (operation->kind == GROVE_TREE_SET || operation->kind == GROVE_TREE_UNSET) {
        event->writes[event->write_count++] =
            (oracle_write){copy_of(written.name), copy_of(written.value)};
    }
    while (grove__tree_attribute_next(&attributes, &written)) {
        cr_assert_lt(event->write_count, ORACLE_WRITES_MAX);
        event->writes[event->write_count++] =
            (oracle_write){copy_of(written.name), copy_of(written.value)};
    }
}

/* As the archive tells of it: parents say what the event knew. */
static bool collect(void *context, uint64_t clock, const grove_event_run *run)
{
    collection *made = context;
    tree_oracle *oracle = &made->oracle;
    grove__tree_operation operation;
    oracle_event event = {.sequence = run->first.sequence};
    cr_assert_eq(clock, oracle->count);
    cr_assert_eq(grove__tree_operation_decode(&run->operation, &operation, NULL),
                 GROVE_OK);
    for (uint32_t replica = 0; replica < HANDLES; replica++) {
        if (grove__replica_equal(&oracle->replicas[replica], &run->first.replica)) {
            event.replica = replica;
        }
    }
    for (size_t index = 0; index < run->parent_count; index++) {
        uint32_t parent = find_event(oracle, &run->parents[index].replica,
                                     run->parents[index].sequence);
        oracle_include(&event.past, parent);
        oracle_join(&event.past, &oracle->events[parent].past);
    }
    event.kind = operation.kind;
    event.node = find_named(oracle, &run->first, &operation.node);
    event.parent = find_named(oracle, &run->first, &operation.parent);
    event.anchor = find_named(oracle, &run->first, &operation.anchor);
    event.is_left = operation.is_left;
    event.id = copy_of(operation.id);
    event.type = copy_of(operation.type);
    event.metadata = copy_of(operation.metadata);
    copy_writes(&event, &operation);
    oracle_include(&made->all, oracle_add(oracle, &event));
    return true;
}

static void hash_bytes(crypto_generichash_state *state, const oracle_bytes *bytes)
{
    (void)crypto_generichash_update(state, &bytes->size, 1);
    (void)crypto_generichash_update(state, bytes->bytes, bytes->size);
}

/* docs/FORMAT.md, "Digest of a tree"; all sizes are below 128. */
static digest digest_of_state(const collection *made)
{
    static uint32_t path[ORACLE_EVENTS_MAX + 1];
    static uint8_t depths[ORACLE_EVENTS_MAX + 1];
    static uint32_t children[ORACLE_EVENTS_MAX];
    crypto_generichash_state hashing;
    digest done;
    uint32_t open = 1;
    path[0] = 0;
    depths[0] = 0;
    (void)crypto_generichash_init(&hashing, NULL, 0, GROVE_DIGEST_BYTES);
    while (open > 0) {
        uint32_t number = path[--open];
        uint8_t depth = depths[open];
        const oracle_node *node = &made->state.nodes[number];
        const uint8_t flags[] = {node->is_deleted ? 1 : 0,
                                 (uint8_t)node->attribute_count};
        cr_assert_lt(depth, 127);
        (void)crypto_generichash_update(&hashing, &depth, 1);
        hash_bytes(&hashing, &node->id);
        hash_bytes(&hashing, &node->type);
        (void)crypto_generichash_update(&hashing, flags, 2);
        for (uint32_t index = 0; index < node->attribute_count; index++) {
            hash_bytes(&hashing, &node->attributes[index].name);
            hash_bytes(&hashing, &node->attributes[index].value);
        }
        uint32_t count =
            oracle_children(&made->oracle, &made->state, &made->all, number, children);
        for (uint32_t index = count; index > 0; index--) {
            path[open] = children[index - 1];
            depths[open++] = (uint8_t)(depth + 1);
        }
    }
    (void)crypto_generichash_final(&hashing, done.bytes, GROVE_DIGEST_BYTES);
    return done;
}

static void check_against_oracle(session *run)
{
    static collection made;
    peer *archive = &run->archive;
    oracle_clear(&made.oracle);
    memset(&made.all, 0, sizeof made.all);
    for (uint32_t replica = 0; replica < HANDLES; replica++) {
        made.oracle.replicas[replica] = event_of(REPLICAS[replica], 0).replica;
    }
    assert_ok(&archive->store, grove_document_events(archive->document, 0, collect, &made,
                                                     &archive->store.error));
    oracle_make(&made.oracle, &made.all, &made.state);
    cr_assert(digest_equal(digest_of_state(&made), digest_of(archive->document)));
}

/* --- all of it --- */

static void run_session(session *run, const char *backend, uint32_t steps)
{
    run->known_count = 0;
    memset(run->is_stored, 0, sizeof run->is_stored);
    for (uint32_t site = 0; site < SITES; site++) {
        peer_init(&run->sites[site], backend, REPLICAS[site], grove_type_tree());
        run->handles[site] = run->sites[site].document;
    }
    peer_init(&run->archive, "memory", REPLICAS[HANDLES], grove_type_tree());
    run->options = run->sites[0].options;
    open_handle(run, SITES);
    for (uint32_t count = 0; count < steps; count++) {
        step(run);
    }
    meet(run);
    check_against_oracle(run);
    for (uint32_t handle = 0; handle < HANDLES; handle++) {
        reopen(run, handle);
        cr_assert(digest_equal(digest_of(run->handles[handle]),
                               digest_of(run->archive.document)));
    }
    grove_document_close(run->handles[SITES]);
    for (uint32_t site = 0; site < SITES; site++) {
        run->sites[site].document = run->handles[site];
        peer_release(&run->sites[site]);
    }
    peer_release(&run->archive);
}

static bool has_met_everything(const tally *all)
{
    return all->refused > 0 && all->cancels > 0 && all->undone > 0 && all->drops > 0 &&
           all->compactions > 0 && all->views > 0;
}

/* More rounds where these did not meet everything. */
static void run_sessions(const char *backend, uint32_t rounds, uint32_t steps)
{
    static session run;
    test_random random = test_random_of("tree_random");
    tally happened = {0};
    run.random = &random;
    run.tally = &happened;
    for (uint32_t round = 0;
         round < rounds || (round < 20 * rounds && !has_met_everything(&happened));
         round++) {
        run_session(&run, backend, 1 + below(&run, steps));
    }
    (void)fprintf(
        stderr,
        "tree_random: %llu edits, %llu refused, %llu cancels, %llu undone, "
        "%llu drops, %llu compactions, %llu views\n",
        (unsigned long long)happened.edits, (unsigned long long)happened.refused,
        (unsigned long long)happened.cancels, (unsigned long long)happened.undone,
        (unsigned long long)happened.drops, (unsigned long long)happened.compactions,
        (unsigned long long)happened.views);
    cr_assert(has_met_everything(&happened));
}

Test(tree_random, who_knows_the_same_has_the_same_tree_in_memory)
{
    run_sessions("memory", ROUNDS, 200);
}

Test(tree_random, who_knows_the_same_has_the_same_tree_on_lmdb)
{
    run_sessions("lmdb", ROUNDS_ON_DISK, 200);
}
