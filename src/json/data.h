/* The words of plain data; docs/JSON.md describes it. */
#ifndef GROVE_JSON_DATA_H
#define GROVE_JSON_DATA_H

/* What a node has. */
#define GROVE__DATA_ID "id"
#define GROVE__DATA_TYPE "type"
#define GROVE__DATA_DELETED "deleted"
#define GROVE__DATA_ATTRIBUTES "attrs"
#define GROVE__DATA_CHILDREN "children"

/* Objects for what JSON has no form for: bytes, and doubles by their bits. */
#define GROVE__DATA_BYTES "bytes"
#define GROVE__DATA_DOUBLE "double"

#endif
