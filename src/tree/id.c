/*
 * The ids of nodes. A given one is bytes of the caller's. One that the library
 * makes is printed when it is asked for: the replica in hexadecimal, a dot,
 * the sequence of the event that put the node; what is kept is that event.
 */
#include "base/bytes.h"
#include "tree/index.h"

static const char DIGITS[] = "0123456789abcdef";

void grove__tree_extend_id(grove_tree_id_bytes *id, uint64_t number)
{
    uint64_t unit = 1;
    while (number / unit >= 10) {
        unit *= 10;
    }
    id->bytes[id->size++] = '.';
    for (; unit > 0; unit /= 10) {
        id->bytes[id->size++] = (uint8_t)DIGITS[number / unit % 10];
    }
}

void grove__tree_print_id(grove_bytes replica, uint64_t sequence,
                          grove_tree_id_bytes *id_out)
{
    id_out->size = 0;
    for (size_t index = 0; index < replica.size; index++) {
        id_out->bytes[id_out->size++] = (uint8_t)DIGITS[replica.data[index] >> 4];
        id_out->bytes[id_out->size++] = (uint8_t)DIGITS[replica.data[index] & 15];
    }
    grove__tree_extend_id(id_out, sequence);
}

/* The value of a digit in hexadecimal; 16: it is none. */
static unsigned digit_of(uint8_t byte)
{
    for (unsigned value = 0; value < 16; value++) {
        if (byte == (uint8_t)DIGITS[value]) {
            return value;
        }
    }
    return 16;
}

/* The event that an id of this form names. False: it has another form. */
static bool parse_id(grove_bytes id, grove_replica *replica_out, uint64_t *sequence_out)
{
    size_t at = 0;
    grove_replica replica = {0};
    while (at + 1 < id.size && digit_of(id.data[at]) < 16 &&
           digit_of(id.data[at + 1]) < 16 && replica.size < GROVE_REPLICA_BYTES_MAX) {
        unsigned byte = digit_of(id.data[at]) << 4 | digit_of(id.data[at + 1]);
        replica.bytes[replica.size++] = (uint8_t)byte;
        at += 2;
    }
    if (replica.size == 0 || at + 1 >= id.size || id.data[at] != '.') {
        return false;
    }
    size_t first = ++at;
    uint64_t sequence = 0;
    for (; at < id.size && sequence < GROVE_DOCUMENT_EVENTS_MAX; at++) {
        unsigned digit = digit_of(id.data[at]);
        if (digit >= 10 || (id.data[first] == '0' && at > first)) {
            return false;
        }
        sequence = sequence * 10 + digit;
    }
    *replica_out = replica;
    *sequence_out = sequence;
    return at == id.size && sequence < GROVE_DOCUMENT_EVENTS_MAX;
}

bool grove__tree_is_printed_id(grove_bytes id)
{
    grove_replica replica;
    uint64_t sequence;
    return parse_id(id, &replica, &sequence);
}

uint32_t grove__tree_place_of(const grove__tree *tree, grove_bytes replica,
                              uint64_t sequence)
{
    uint32_t number = grove__names_find(&tree->replicas, replica);
    return number == GROVE__NAMES_NONE ? GROVE__TREE_NONE
                                       : grove__tree_find_place(tree, number, sequence);
}

/* The place of the put that an id names; _NONE. */
static uint32_t find_named_put(const grove__tree *tree, grove_bytes id)
{
    grove_replica replica;
    uint64_t sequence;
    if (!parse_id(id, &replica, &sequence)) {
        return GROVE__TREE_NONE;
    }
    uint32_t place = grove__tree_place_of(tree, grove__replica_bytes(&replica), sequence);
    return place != GROVE__TREE_NONE && tree->places[place].is_put ? place
                                                                   : GROVE__TREE_NONE;
}

uint32_t grove__tree_naming_put(const grove__tree *tree, uint32_t node)
{
    const grove__tree_node *record = &tree->nodes[node];
    if (record->id == GROVE__TREE_NONE) {
        return record->made;
    }
    if (tree->printed_ids == 0) {
        return GROVE__TREE_NONE;
    }
    uint32_t place = find_named_put(tree, grove__names_at(&tree->ids, record->id));
    return place != GROVE__TREE_NONE && tree->places[place].node == node
               ? place
               : GROVE__TREE_NONE;
}

uint32_t grove__tree_find_printed(const grove__tree *tree, grove_bytes id)
{
    uint32_t place = find_named_put(tree, id);
    if (place == GROVE__TREE_NONE) {
        return GROVE__TREE_NONE;
    }
    uint32_t node = tree->places[place].node;
    bool is_its_id =
        tree->nodes[node].id == GROVE__TREE_NONE && tree->nodes[node].made == place;
    return is_its_id ? node : GROVE__TREE_NONE;
}

uint32_t grove__tree_find(const grove__tree *tree, grove_bytes id)
{
    if (id.size == 0) {
        return GROVE_NODE_ROOT;
    }
    uint32_t number = grove__names_find(&tree->ids, id);
    if (number != GROVE__NAMES_NONE && number < tree->id_count &&
        tree->id_nodes[number] != GROVE__TREE_NONE) {
        return tree->id_nodes[number];
    }
    return grove__tree_find_printed(tree, id);
}

void grove__tree_id(const grove__tree *tree, uint32_t node, grove_tree_id_bytes *id_out)
{
    const grove__tree_node *record = &tree->nodes[node];
    if (node == GROVE_NODE_ROOT) {
        id_out->size = 0;
    } else if (record->id == GROVE__TREE_NONE) {
        grove__stamp stamp = tree->places[record->made].stamp;
        grove__tree_print_id(
            grove__names_at(&tree->replicas, grove__stamp_replica(stamp)),
            grove__stamp_sequence(stamp), id_out);
    } else {
        grove_bytes id = grove__names_at(&tree->ids, record->id);
        memcpy(id_out->bytes, id.data, id.size);
        id_out->size = id.size;
    }
}
