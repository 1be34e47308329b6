/* Which entries a document has, and whether together they are all of it. */
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/verify.h"

enum { NUMBER_BYTES = 8 };

/* --- the record --- */

static grove_status read_meta(grove__survey *survey)
{
    grove_bytes key = grove__key_view(&survey->prefix);
    grove_bytes bytes;
    grove_status status =
        grove__kv_get(survey->txn, GROVE__TABLE_META, key, &bytes, &survey->error);
    if (status == GROVE_NONE) {
        return GROVE_OK;
    }
    if (status == GROVE_CORRUPT) {
        return grove__survey_judge(survey, status, GROVE_FINDING_UNREADABLE,
                                   GROVE__TABLE_META, key);
    }
    if (status == GROVE_OK) {
        status = grove__meta_record_decode(bytes, &survey->meta, &survey->error);
        survey->has_meta = status == GROVE_OK;
    }
    if (survey->has_meta) {
        survey->type = grove__survey_type(survey->options, survey->meta.type_name);
        if (survey->type != NULL && survey->meta.type_format > survey->type->format) {
            survey->type = NULL;
        }
    }
    return grove__survey_judge(survey, status, GROVE_FINDING_META, GROVE__TABLE_META,
                               key);
}

/* --- entries by the table --- */

grove_status grove__survey_each_row(grove__survey *survey, grove__table table,
                                    grove__survey_take take)
{
    grove_bytes prefix = grove__key_view(&survey->prefix);
    grove__cursor cursor;
    grove_bytes key = prefix;
    grove_bytes value;
    grove_status status = grove__cursor_open(survey->txn, table, &cursor, &survey->error);
    if (status != GROVE_OK) {
        return grove__survey_judge(survey, status, GROVE_FINDING_UNREADABLE, table,
                                   prefix);
    }
    grove_status taken = GROVE_OK;
    status = grove__cursor_seek(&cursor, GROVE_SEEK_AT_OR_AFTER, prefix, &key, &value,
                                &survey->error);
    while (status == GROVE_OK && grove__bytes_begin_with(key, prefix)) {
        taken = take(survey, table, key, value);
        if (taken != GROVE_OK || survey->is_unreadable) {
            break;
        }
        status = grove__cursor_next(&cursor, &key, &value, &survey->error);
    }
    grove__cursor_close(&cursor);
    if (taken != GROVE_OK || status == GROVE_NONE) {
        return taken;
    }
    return grove__survey_judge(survey, status, GROVE_FINDING_UNREADABLE, table, prefix);
}

/* Whether the key is the one that is made of what was read from it. */
static grove_status check_again(grove__survey *survey, grove_bytes key,
                                const grove__key *made)
{
    if (grove__bytes_equal(key, grove__key_view(made))) {
        return GROVE_OK;
    }
    return grove__fail(&survey->error, GROVE_CORRUPT,
                       "the key is not the one that is made of what it says");
}

/* The clock of a key of a batch's or a snapshot's part. */
static grove_status parse_clock(grove__survey *survey, grove_bytes key,
                                uint64_t *clock_out)
{
    uint64_t part;
    grove_status status = grove__key_parse_clock_part(key, &survey->scratch, clock_out,
                                                      &part, &survey->error);
    if (status == GROVE_OK) {
        grove__key made;
        grove__key_of_clock(&made, survey->id, *clock_out);
        grove__key_add_number(&made, part);
        status = check_again(survey, key, &made);
    }
    return status;
}

static grove_status append(grove__survey *survey, grove_buffer *list, const void *item,
                           size_t bytes)
{
    grove_buffer_append(list, item, bytes);
    return list->failed ? grove__fail_memory(&survey->error) : GROVE_OK;
}

/* Reads the header of a batch. */
static grove_status open_batch(grove__survey *survey, grove_bytes bytes,
                               grove__survey_piece *piece)
{
    grove__block block;
    grove__batch_header header;
    grove_status status = grove__batch_open(bytes, &block, &header, &survey->error);
    if (status != GROVE_OK) {
        return status;
    }
    if (header.first_clock != piece->clock || header.event_count == 0) {
        return grove__fail(&survey->error, GROVE_CORRUPT,
                           "the batch at clock %llu says that it begins at %llu and has "
                           "%lu events",
                           (unsigned long long)piece->clock,
                           (unsigned long long)header.first_clock,
                           (unsigned long)header.event_count);
    }
    piece->events = header.event_count;
    piece->reach = header.reach;
    return GROVE_OK;
}

/* Reads the header of a snapshot, and its heads. */
static grove_status open_snapshot(grove__survey *survey, grove_bytes bytes,
                                  grove__survey_piece *piece)
{
    grove__block block;
    grove__snapshot_header header;
    size_t before = survey->heads.size;
    grove_status status =
        grove__snapshot_open(bytes, &block, &header, &survey->heads, &survey->error);
    if (status != GROVE_OK) {
        return status;
    }
    if (header.clock != piece->clock) {
        survey->heads.size = before;
        return grove__fail(&survey->error, GROVE_CORRUPT,
                           "the snapshot at clock %llu says that it is of clock %llu",
                           (unsigned long long)piece->clock,
                           (unsigned long long)header.clock);
    }
    const grove__head *heads = (const grove__head *)(const void *)survey->heads.data;
    piece->head_first = before / sizeof *heads;
    piece->head_count = header.head_count;
    piece->reach =
        header.head_count == 0 ? UINT64_MAX : heads[piece->head_first].clock + 1;
    return GROVE_OK;
}

/* Takes a part of a batch or a snapshot: the first one stands for all. */
static grove_status take_piece(grove__survey *survey, grove__table table, grove_bytes key,
                               grove_bytes value)
{
    (void)value;
    bool is_batch = table == GROVE__TABLE_EVENTS;
    grove_buffer *list = is_batch ? &survey->batches : &survey->snapshots;
    grove__survey_piece piece;
    memset(&piece, 0, sizeof piece);
    grove_status status = parse_clock(survey, key, &piece.clock);
    if (status != GROVE_OK) {
        return grove__survey_judge(survey, status, GROVE_FINDING_KEY, table, key);
    }
    size_t count;
    const grove__survey_piece *pieces = grove__survey_pieces(list, &count);
    if (count > 0 && pieces[count - 1].clock == piece.clock) {
        return GROVE_OK;
    }
    key.size -= NUMBER_BYTES;
    grove_bytes bytes = {NULL, 0};
    status = grove__survey_value(survey, table, key, &bytes);
    if (status == GROVE_OK) {
        status = is_batch ? open_batch(survey, bytes, &piece)
                          : open_snapshot(survey, bytes, &piece);
    }
    piece.is_sound = status == GROVE_OK;
    piece.bytes = piece.is_sound ? bytes.size : 0;
    status = grove__survey_judge(survey, status,
                                 is_batch ? GROVE_FINDING_BATCH : GROVE_FINDING_SNAPSHOT,
                                 table, key);
    return status == GROVE_OK ? append(survey, list, &piece, sizeof piece) : status;
}

/* The event of a key in table `replicas`, or of one in `pending` without its
 * part. */
static grove_status parse_event(grove__survey *survey, grove_bytes key,
                                grove_event_id *id_out)
{
    grove_event_id id;
    memset(&id, 0, sizeof id);
    grove_status status = grove__key_parse_event(key, &survey->scratch, &id.replica,
                                                 &id.sequence, &survey->error);
    if (status == GROVE_OK) {
        grove__key made;
        grove__key_of_event(&made, survey->id, &id.replica, id.sequence);
        status = check_again(survey, key, &made);
        *id_out = id;
    }
    return status;
}

/* Takes a run of a replica; of one that is damaged remembers that it was. */
static grove_status take_run(grove__survey *survey, grove__table table, grove_bytes key,
                             grove_bytes value)
{
    grove_event_id id;
    grove__run_record record;
    grove__survey_run run;
    grove_status status = parse_event(survey, key, &id);
    grove_finding_kind kind = GROVE_FINDING_KEY;
    if (status == GROVE_OK) {
        kind = GROVE_FINDING_REPLICAS;
        status = grove__run_record_decode(value, &record, &survey->error);
    }
    if (status != GROVE_OK) {
        survey->has_damaged_runs = true;
        return grove__survey_judge(survey, status, kind, table, key);
    }
    status = grove__ids_intern(&survey->names, &id.replica, &run.replica, &survey->error);
    if (status != GROVE_OK) {
        return status;
    }
    run.clock = record.clock;
    run.count = record.count;
    run.sequence = id.sequence;
    return append(survey, &survey->runs, &run, sizeof run);
}

/* Takes a part of a run that waits; what is in it is looked at later. */
static grove_status take_waiting(grove__survey *survey, grove__table table,
                                 grove_bytes key, grove_bytes value)
{
    (void)value;
    grove__survey_piece piece;
    memset(&piece, 0, sizeof piece);
    grove_bytes whole = key;
    key.size -= grove__min_u64(key.size, NUMBER_BYTES);
    grove_status status = parse_event(survey, key, &piece.id);
    if (status != GROVE_OK) {
        return grove__survey_judge(survey, status, GROVE_FINDING_KEY, table, whole);
    }
    size_t count;
    const grove__survey_piece *pieces = grove__survey_pieces(&survey->pending, &count);
    if (count > 0 && pieces[count - 1].id.sequence == piece.id.sequence &&
        grove__replica_equal(&pieces[count - 1].id.replica, &piece.id.replica)) {
        return GROVE_OK;
    }
    return append(survey, &survey->pending, &piece, sizeof piece);
}

/* --- all of it --- */

/* What the record may have said, of a document that has none. */
static void guess_meta(grove__survey *survey)
{
    grove__meta_record *meta = &survey->meta;
    memset(meta, 0, sizeof *meta);
    survey->type = survey->options->guess;
    if (survey->type != NULL) {
        memcpy(meta->type_name, survey->type->name, strlen(survey->type->name));
        meta->type_format = survey->type->format;
    }
    size_t count;
    bool has_base = false;
    const grove__survey_piece *pieces = grove__survey_pieces(&survey->batches, &count);
    for (size_t index = 0; index < count; index++) {
        if (pieces[index].is_sound && !has_base) {
            meta->base_clock = pieces[index].clock;
            has_base = true;
        }
        meta->events =
            grove__max_u64(meta->events, pieces[index].clock + pieces[index].events);
    }
    pieces = grove__survey_pieces(&survey->snapshots, &count);
    meta->snapshot_clock = count == 0 ? GROVE__NO_SNAPSHOT : pieces[count - 1].clock;
    if (count > 0) {
        meta->events = grove__max_u64(meta->events, meta->snapshot_clock);
    }
    const grove__survey_run *runs =
        (const grove__survey_run *)(const void *)survey->runs.data;
    for (size_t index = 0; index < survey->runs.size / sizeof *runs; index++) {
        meta->events =
            grove__max_u64(meta->events, runs[index].clock + runs[index].count);
    }
    meta->base_clock = has_base ? meta->base_clock : meta->events;
}

static grove_status report_missing(grove__survey *survey, uint64_t from, uint64_t end)
{
    return grove__survey_judge(
        survey,
        grove__fail(&survey->error, GROVE_CORRUPT,
                    "no batch has the events at clocks %llu to %llu",
                    (unsigned long long)from, (unsigned long long)end - 1),
        GROVE_FINDING_MISSING, GROVE__TABLE_EVENTS, grove__key_view(&survey->prefix));
}

/* A batch that has clocks of the one before it is none of the document's. */
static grove_status report_overlap(grove__survey *survey, grove__survey_piece *piece)
{
    grove__key key;
    grove__key_of_clock(&key, survey->id, piece->clock);
    piece->is_sound = false;
    return grove__survey_judge(
        survey,
        grove__fail(&survey->error, GROVE_CORRUPT,
                    "the batch at clock %llu has clocks of the one before it",
                    (unsigned long long)piece->clock),
        GROVE_FINDING_BATCH, GROVE__TABLE_EVENTS, grove__key_view(&key));
}

/* Whether the batches cover the clocks from the base to the end. Where one is
 * damaged nobody knows where it ended. */
static grove_status check_cover(grove__survey *survey)
{
    size_t count;
    grove__survey_piece *pieces = grove__survey_pieces(&survey->batches, &count);
    uint64_t next = survey->meta.base_clock;
    bool is_known = true;
    grove_status status = GROVE_OK;
    if (count > 0 && pieces[0].clock < next) {
        status = grove__survey_judge(
            survey,
            grove__fail(&survey->error, GROVE_CORRUPT,
                        "there is a batch at clock %llu, before the base clock %llu",
                        (unsigned long long)pieces[0].clock, (unsigned long long)next),
            GROVE_FINDING_META, GROVE__TABLE_META, grove__key_view(&survey->prefix));
        next = pieces[0].clock;
    }
    for (size_t index = 0; status == GROVE_OK && index < count; index++) {
        grove__survey_piece *piece = &pieces[index];
        if (is_known && piece->clock > next) {
            status = report_missing(survey, next, piece->clock);
        }
        if (piece->is_sound && is_known && piece->clock < next) {
            status = report_overlap(survey, piece);
            continue;
        }
        is_known = piece->is_sound || (is_known && piece->clock < next);
        next = piece->is_sound ? piece->clock + piece->events : next;
    }
    if (status == GROVE_OK && is_known && next < survey->meta.events) {
        status = report_missing(survey, next, survey->meta.events);
    }
    if (status == GROVE_OK && next > survey->meta.events) {
        status = grove__survey_judge(
            survey,
            grove__fail(&survey->error, GROVE_CORRUPT,
                        "the record says that there are %llu events, and the batches end "
                        "at clock %llu",
                        (unsigned long long)survey->meta.events,
                        (unsigned long long)next),
            GROVE_FINDING_META, GROVE__TABLE_META, grove__key_view(&survey->prefix));
    }
    return status;
}

/* Whether the runs of replicas are of exactly the events that there were. */
static grove_status check_runs(grove__survey *survey)
{
    uint64_t end = 0;
    grove_status status = grove__survey_make_ids(survey, &end);
    if (status != GROVE_OK || survey->ids_are_sound || survey->has_damaged_runs ||
        !survey->has_meta) {
        return status;
    }
    status =
        grove__fail(&survey->error, GROVE_CORRUPT,
                    "the runs of replicas say which events the clocks up to %llu "
                    "have, and then leave some out or contradict each other; the "
                    "document has %llu",
                    (unsigned long long)end, (unsigned long long)survey->meta.events);
    return grove__survey_judge(survey, status, GROVE_FINDING_REPLICAS,
                               GROVE__TABLE_REPLICAS, grove__key_view(&survey->prefix));
}

grove_status grove__survey_read_rows(grove__survey *survey)
{
    static const struct {
        grove__table table;
        grove__survey_take take;
    } ROWS[] = {{GROVE__TABLE_EVENTS, take_piece},
                {GROVE__TABLE_SNAPSHOTS, take_piece},
                {GROVE__TABLE_REPLICAS, take_run},
                {GROVE__TABLE_PENDING, take_waiting}};
    grove_status status = read_meta(survey);
    for (size_t index = 0; index < sizeof ROWS / sizeof *ROWS; index++) {
        if (status == GROVE_OK && !survey->is_unreadable) {
            status = grove__survey_each_row(survey, ROWS[index].table, ROWS[index].take);
        }
    }
    if (status != GROVE_OK || survey->is_unreadable) {
        return status;
    }
    if (!survey->has_meta) {
        guess_meta(survey);
    }
    status = check_cover(survey);
    return status == GROVE_OK ? check_runs(survey) : status;
}
