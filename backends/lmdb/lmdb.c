#include <grove/sys/backend.h>

extern const grove_backend grove_backend_lmdb;
const grove_backend grove_backend_lmdb = {.abi = GROVE_BACKEND_ABI, .name = "lmdb"};
