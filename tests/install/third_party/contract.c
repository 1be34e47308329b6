#include <stdio.h>

#include <grove/backend_memory.h>
#include <grove/contract.h>

static bool place_make(void *context, grove_contract_place *place_out)
{
    place_out->path[0] = 'p';
    place_out->context = grove_memory_disk_new(NULL);
    (void)context;
    return place_out->context != NULL;
}

static void place_remove(void *context, grove_contract_place *place)
{
    (void)context;
    grove_memory_disk_free(place->context);
}

static bool power_cut(void *context, grove_contract_place *place)
{
    (void)context;
    grove_memory_disk_cut_power(place->context);
    return true;
}

static bool sync_fail(void *context, grove_contract_place *place)
{
    (void)context;
    grove_memory_disk_fail_sync(place->context);
    return true;
}

static void report(void *context, const grove_contract_result *result)
{
    unsigned *checks = context;
    *checks += result->outcome == GROVE_CONTRACT_PASSED;
}

int main(void)
{
    unsigned checks = 0;
    grove_contract_options options = {0};
    options.size = sizeof options;
    options.backend = grove_backend_find("memory");
    options.context = &checks;
    options.place_make = place_make;
    options.place_remove = place_remove;
    options.power_cut = power_cut;
    options.sync_fail = sync_fail;
    options.report = report;
    options.only_clause = 5;
    if (grove_contract_run(&options) != 0 || checks < 3) {
        return 1;
    }
    puts("third party: ok");
    return 0;
}
