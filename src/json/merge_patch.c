/* JSON Merge Patch, RFC 7396. */
#include <grove/json.h>

#include "json/set.h"

grove_status grove_json_merge_patch(grove_document *document, grove_bytes text,
                                    grove_bytes metadata, grove_error *error_out)
{
    return grove__json_set_whole(document, text, GROVE__JSON_MERGE, metadata, error_out);
}
