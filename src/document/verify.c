#include "document/verify.h"

#include "base/bytes.h"
#include "base/error.h"
#include "kv/value.h"

const char *grove_finding_kind_name(grove_finding_kind kind)
{
    static const char *const NAMES[] = {
        [GROVE_FINDING_KEY] = "key",         [GROVE_FINDING_UNREADABLE] = "unreadable",
        [GROVE_FINDING_STORE] = "store",     [GROVE_FINDING_META] = "meta",
        [GROVE_FINDING_BATCH] = "batch",     [GROVE_FINDING_MISSING] = "missing",
        [GROVE_FINDING_GRAPH] = "graph",     [GROVE_FINDING_SNAPSHOT] = "snapshot",
        [GROVE_FINDING_REPLAY] = "replay",   [GROVE_FINDING_REPLICAS] = "replicas",
        [GROVE_FINDING_PENDING] = "pending", [GROVE_FINDING_ORPHAN] = "orphan",
        [GROVE_FINDING_GROUP] = "group",     [GROVE_FINDING_COMMIT] = "commit",
        [GROVE_FINDING_CLOCKS] = "clocks",   [GROVE_FINDING_CRASH] = "crash",
    };
    return (size_t)kind < sizeof NAMES / sizeof *NAMES ? NAMES[kind] : "?";
}

void grove__findings_add(grove__findings *findings, const grove_finding *what,
                         const grove_error *error)
{
    grove_finding finding = *what;
    finding.offset = error->offset;
    finding.message = error->message;
    findings->count++;
    if (findings->each != NULL && !findings->stopped) {
        findings->stopped = !findings->each(findings->context, &finding);
    }
}

bool grove__finding_is(grove_status status)
{
    switch (status) {
    case GROVE_OK:
    case GROVE_IO:
    case GROVE_NO_MEMORY:
    case GROVE_BUSY:
    case GROVE_FULL:
    case GROVE_FORKED:
    case GROVE_FAILED:
        return false;
    default:
        return true;
    }
}

void grove__survey_init(grove__survey *survey, grove_store *store, grove__txn *txn,
                        grove_bytes id, const grove__survey_options *options,
                        grove__findings *findings)
{
    memset(survey, 0, sizeof *survey);
    survey->store = store;
    survey->txn = txn;
    survey->options = options;
    survey->findings = findings;
    survey->id = id;
    grove__key_of_document(&survey->prefix, id);
    grove_buffer_init(&survey->batches, store->allocator);
    grove_buffer_init(&survey->snapshots, store->allocator);
    grove_buffer_init(&survey->pending, store->allocator);
    grove_buffer_init(&survey->heads, store->allocator);
    grove_buffer_init(&survey->runs, store->allocator);
    grove_buffer_init(&survey->batch_runs, store->allocator);
    grove_buffer_init(&survey->joined, store->allocator);
    grove_buffer_init(&survey->scratch, store->allocator);
    grove__ids_init(&survey->names, store->allocator, 0);
    grove__ids_init(&survey->ids, store->allocator, 0);
    grove__packer_init(&survey->packer, store->allocator);
}

void grove__survey_release(grove__survey *survey)
{
    grove_document_close(survey->draft);
    grove__packer_release(&survey->packer);
    grove__ids_release(&survey->ids);
    grove__ids_release(&survey->names);
    grove_buffer_release(&survey->scratch);
    grove_buffer_release(&survey->joined);
    grove_buffer_release(&survey->batch_runs);
    grove_buffer_release(&survey->runs);
    grove_buffer_release(&survey->heads);
    grove_buffer_release(&survey->pending);
    grove_buffer_release(&survey->snapshots);
    grove_buffer_release(&survey->batches);
}

grove__survey_piece *grove__survey_pieces(const grove_buffer *pieces, size_t *count_out)
{
    *count_out = pieces->size / sizeof(grove__survey_piece);
    return (grove__survey_piece *)(void *)pieces->data;
}

grove_status grove__survey_judge(grove__survey *survey, grove_status status,
                                 grove_finding_kind kind, grove__table table,
                                 grove_bytes key)
{
    if (status == GROVE_FAILED) {
        /* An earlier look ended the transaction: LMDB does that when it finds a
         * page that is none. */
        kind = GROVE_FINDING_UNREADABLE;
    }
    if (kind == GROVE_FINDING_UNREADABLE && status != GROVE_OK) {
        survey->is_unreadable = true;
    }
    if (!grove__finding_is(status) && status != GROVE_FAILED) {
        return status;
    }
    grove_finding what = {.kind = kind,
                          .table = grove__table_name(table),
                          .key = key,
                          .document = survey->id};
    grove__findings_add(survey->findings, &what, &survey->error);
    return GROVE_OK;
}

grove_status grove__survey_value(grove__survey *survey, grove__table table,
                                 grove_bytes key, grove_bytes *value_out)
{
    grove_status status =
        survey->options->is_salvage
            ? grove__value_get_alone(survey->txn, table, key, &survey->joined, value_out,
                                     &survey->error)
            : grove__value_get(survey->txn, table, key, &survey->joined, value_out,
                               &survey->error);
    if (status == GROVE_NONE) {
        return grove__fail(&survey->error, GROVE_CORRUPT, "part 0 of a value is missing");
    }
    return status;
}

const grove_document_type *grove__survey_type(const grove__survey_options *options,
                                              const char *name)
{
    for (size_t index = 0; index < options->type_count; index++) {
        if (strcmp(options->types[index]->name, name) == 0) {
            return options->types[index];
        }
    }
    return grove__document_type_named(name);
}

/* Whether the record counts what was found; not said of what is damaged. */
static grove_status check_counts(grove__survey *survey)
{
    const grove__meta_record *meta = &survey->meta;
    const grove_buffer *tables[] = {&survey->batches, &survey->snapshots};
    const uint64_t counts[] = {meta->batches, meta->snapshots};
    const uint64_t bytes[] = {meta->batch_bytes, meta->snapshot_bytes};
    const char *const names[] = {"batches", "snapshots"};
    grove_status status = GROVE_OK;
    for (size_t table = 0; table < 2 && status == GROVE_OK; table++) {
        size_t count;
        const grove__survey_piece *pieces = grove__survey_pieces(tables[table], &count);
        uint64_t bytes_found = 0;
        bool all_are_sound = true;
        for (size_t index = 0; index < count; index++) {
            bytes_found += pieces[index].bytes;
            all_are_sound = all_are_sound && pieces[index].is_sound;
        }
        if (count != counts[table]) {
            status = grove__fail(&survey->error, GROVE_CORRUPT,
                                 "the record counts %llu %s, and there are %zu",
                                 (unsigned long long)counts[table], names[table], count);
        } else if (all_are_sound && bytes_found != bytes[table]) {
            status = grove__fail(&survey->error, GROVE_CORRUPT,
                                 "the record says that %s have %llu bytes, and they have "
                                 "%llu",
                                 names[table], (unsigned long long)bytes[table],
                                 (unsigned long long)bytes_found);
        }
        status = grove__survey_judge(survey, status, GROVE_FINDING_META,
                                     GROVE__TABLE_META, grove__key_view(&survey->prefix));
    }
    return status;
}

/* Whether the newest snapshot is the one that the record says. */
static grove_status check_newest_snapshot(grove__survey *survey)
{
    const grove__meta_record *meta = &survey->meta;
    size_t count;
    const grove__survey_piece *pieces = grove__survey_pieces(&survey->snapshots, &count);
    uint64_t newest = count == 0 ? GROVE__NO_SNAPSHOT : pieces[count - 1].clock;
    uint64_t bytes = count == 0 ? 0 : pieces[count - 1].bytes;
    bool is_known = count == 0 || pieces[count - 1].is_sound;
    grove_status status = GROVE_OK;
    if (newest != meta->snapshot_clock) {
        status = grove__fail(&survey->error, GROVE_CORRUPT,
                             "the newest snapshot is not the one that the record names, "
                             "at clock %llu",
                             (unsigned long long)meta->snapshot_clock);
    } else if (is_known && bytes != meta->newest_snapshot_bytes) {
        status = grove__fail(&survey->error, GROVE_CORRUPT,
                             "the record says that the newest snapshot has %llu bytes, "
                             "and it has %llu",
                             (unsigned long long)meta->newest_snapshot_bytes,
                             (unsigned long long)bytes);
    }
    return grove__survey_judge(survey, status, GROVE_FINDING_META, GROVE__TABLE_META,
                               grove__key_view(&survey->prefix));
}

/* Whether as many events wait as the record says. */
static grove_status check_pending(grove__survey *survey)
{
    size_t count;
    const grove__survey_piece *pieces = grove__survey_pieces(&survey->pending, &count);
    uint64_t events = 0;
    for (size_t index = 0; index < count; index++) {
        if (!pieces[index].is_sound) {
            return GROVE_OK;
        }
        events += pieces[index].events;
    }
    grove_status status = GROVE_OK;
    if (events != survey->meta.pending) {
        status = grove__fail(&survey->error, GROVE_CORRUPT,
                             "the record says that %llu events wait, and %llu do",
                             (unsigned long long)survey->meta.pending,
                             (unsigned long long)events);
    }
    return grove__survey_judge(survey, status, GROVE_FINDING_META, GROVE__TABLE_META,
                               grove__key_view(&survey->prefix));
}

grove_status grove__survey_make(grove__survey *survey)
{
    grove_status (*const steps[])(grove__survey *) = {
        grove__survey_read_rows, grove__survey_read_events, check_counts,
        check_newest_snapshot, check_pending};
    grove_status status = GROVE_OK;
    for (size_t index = 0; index < sizeof steps / sizeof *steps; index++) {
        bool is_check = index >= 2;
        if (status == GROVE_OK && !survey->is_unreadable &&
            (!is_check || survey->has_meta)) {
            status = steps[index](survey);
        }
    }
    if (status == GROVE_OK && !survey->is_unreadable && survey->options->replay) {
        status = grove__survey_replay(survey);
    }
    /* Last, as it looks into the table `commits`: where that cannot be read,
     * nothing can any more. */
    if (status == GROVE_OK && !survey->is_unreadable && survey->has_meta &&
        !survey->options->is_salvage) {
        status = grove__survey_check_clocks(survey);
    }
    return status;
}
