#include <grove/sys/backend.h>

extern const grove_backend grove_backend_memory;
const grove_backend grove_backend_memory = {.abi = GROVE_BACKEND_ABI, .name = "memory"};
