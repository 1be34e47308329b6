/* grove: documents in a store, from the command line. */

#include "cli.h"
#include "output.h"

int main(int argc, char **argv)
{
    cli_options options = {.store_path = "grove-data",
                           .durability = GROVE_DURABILITY_FULL,
                           .repository = ".",
                           .events = 100000,
                           .seed = 1,
                           .window = 10000,
                           .level = 19,
                           .limit = UINT64_MAX,
                           .rounds = 20};
    options.backend = grove_backend_find(NULL);
    size_t at = cli_arguments_global(argc, argv, &options);
    size_t words = 0;
    const cli_verb *verb = cli_verb_find(argv + at, (size_t)argc - at, &words);
    if (verb == NULL) {
        return cli_refuse(CLI_USAGE, "there is no verb '%s': see grove --help", argv[at]);
    }
    at += words - 1;
    cli_arguments_verb(verb, argc - (int)at, argv + at, &options);
    return cli_output_finish(verb->run(&options));
}
