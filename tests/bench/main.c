/* bench [NAME...]: runs the benchmarks named, or all; Markdown on stdout. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench_engine.h"
#include "tests/bench/bench_envelope.h"
#include "tests/bench/bench_fleet.h"

static const struct {
    const char *name;
    void (*run)(FILE *out);
} benches[] = {
    {"engine", bench_engine},
    {"envelope", bench_envelope},
    {"fleet", bench_fleet},
};

#define BENCH_COUNT (sizeof(benches) / sizeof(benches[0]))

static bool is_known(const char *name)
{
    for (size_t i = 0; i < BENCH_COUNT; i++) {
        if (strcmp(benches[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return true;
        }
    }
    return argc == 1;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!is_known(argv[i])) {
            (void)fprintf(stderr, "bench: no benchmark is called '%s'; there are:", argv[i]);
            for (size_t b = 0; b < BENCH_COUNT; b++) {
                (void)fprintf(stderr, " %s", benches[b].name);
            }
            (void)fputc('\n', stderr);
            return 2;
        }
    }
    for (size_t b = 0; b < BENCH_COUNT; b++) {
        if (is_wanted(benches[b].name, argc, argv)) {
            benches[b].run(stdout);
        }
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
