/*
 * Scenario files run whole, as the command line does it, for tests that look at all of them.
 */
#ifndef CMK_TESTS_UNIT_SCENARIO_RUNS_RUNS_H
#define CMK_TESTS_UNIT_SCENARIO_RUNS_RUNS_H

#include <glib.h>

#include "analysis/execution.h"

#define GOLDENS "tests/goldens.txt"
/* These are long; tests/e2e compares their goldens. */
#define CAPACITY "scenarios/capacity/"

/* One line of the goldens. Arrays, since parameters of tests are copied from process to process. */
typedef struct Golden {
    char path[128];
    uint64_t seed;
    char digest[CMK_DIGEST_TEXT_SIZE];
    uint64_t records;
} Golden;

/* The lines of the goldens, in their order: of Golden. Fails the test if one cannot be read. */
GArray *goldens_read(void);

/* Every scenario file below scenarios/, sorted: of char *. */
GPtrArray *scenario_files(void);

/* A scenario that has been read and may run once: expectations are bound to one run. */
typedef struct Run {
    CmkDiagnostics *diagnostics;
    CmkScenario *scenario;
    CmkExpect *expect;
    CmkExecution *execution; /* NULL before it ran */
} Run;

/* Reads; NULL with a line on stderr if the file is no good. */
Run *run_new(const char *path);
void run_free(Run *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Run, run_free)

/* Runs and decides the expectations. False, with a line on stderr, if the run did not come to its
 * end or rules and arithmetic disagree. Options: expect is set here. */
bool run_finish(Run *run, CmkExecutionOptions options);

uint64_t run_records(const Run *run);

#endif
