#include <iostream>

#include <grove/grove.h>

int main(void)
{
    if (strcmp(grove_status_name(GROVE_CONFLICT), "GROVE_CONFLICT") != 0 ||
        grove_backend_find(NULL) == NULL) {
        return 1;
    }
    std::cout << "third party: ok\n";
    return 0;
}
