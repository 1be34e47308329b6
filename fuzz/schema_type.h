/* A document type with a schema of every sort of field, for batches. */
#ifndef GROVE_FUZZ_SCHEMA_TYPE_H
#define GROVE_FUZZ_SCHEMA_TYPE_H

#include <grove/sys/document_type.h>

static const grove_field_type FUZZ_FIELDS_BYTES[] = {GROVE_FIELD_BYTES};
static const grove_field_type FUZZ_FIELDS_ALL[] = {GROVE_FIELD_UNSIGNED,
                                                   GROVE_FIELD_SIGNED, GROVE_FIELD_BYTES};
static const grove_schema_kind FUZZ_KINDS[] = {{"payload", false, 1, FUZZ_FIELDS_BYTES},
                                               {"all", true, 3, FUZZ_FIELDS_ALL},
                                               {"nothing", false, 0, NULL}};
static const grove_schema FUZZ_SCHEMA = {3, FUZZ_KINDS};

/* Only what decoding and encoding use. */
#define FUZZ_SCHEMA_TYPE_WITH(type_name, type_timed)                      \
    {                                                                     \
        .abi = GROVE_DOCUMENT_TYPE_ABI, .name = (type_name), .format = 1, \
        .schema = &FUZZ_SCHEMA, .timed = (type_timed),                    \
        .operation_check = grove_schema_operation_check,                  \
        .operation_join = grove_schema_operation_join,                    \
        .operation_cut = grove_schema_operation_cut,                      \
        .operations_encode = grove_schema_operations_encode,              \
        .operations_decode = grove_schema_operations_decode,              \
    }
static const grove_timed_type FUZZ_TIMED = {NULL, NULL};
static const grove_document_type FUZZ_SCHEMA_TYPE =
    FUZZ_SCHEMA_TYPE_WITH("fuzz-schema", NULL);
static const grove_document_type FUZZ_TIMED_TYPE =
    FUZZ_SCHEMA_TYPE_WITH("fuzz-timed", &FUZZ_TIMED);

#endif
