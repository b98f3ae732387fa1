#include "tests/bench/bench_fleet.h"

#include <stdint.h>
#include <time.h>

#include "analysis/execution.h"

#define FLEET "scenarios/capacity/fleet-smoke.yaml"

typedef struct Counts {
    uint64_t requests;
    uint64_t jobs;
    uint64_t records;
} Counts;

static Counts count_all(const CmkExecution *execution)
{
    Counts counts = {.records = execution->story->records};
    const CmkWorld *world = execution->sim.world;
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_KEY_VAULT); i++) {
        const CmkKeyVaultMeter *meter = cmk_key_vault_meter(world, (CmkKeyVaultId){i});
        counts.requests += (uint64_t)(meter->requests_2048 + meter->requests_other);
    }
    for (uint32_t i = 0; i < CMK_TASK__COUNT; i++) {
        const CmkJobCounts *jobs = &execution->story->jobs[i];
        counts.jobs += cmk_job_counts_done(jobs) + jobs->ended[CMK_JOB_FAILED];
    }
    return counts;
}

static double cpu_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void run(FILE *out, const CmkScenario *scenario, CmkDiagnostics *diagnostics,
                const char *name, bool has_crypto)
{
    const CmkExecutionOptions options = {
        .seed = 1, .has_story = true, .has_crypto = has_crypto, .crypto = CMK_CRYPTO_ALL};
    const double began = cpu_seconds();
    g_autoptr(CmkExecution) execution = cmk_execution_run(scenario, &options, diagnostics);
    const double took = cpu_seconds() - began;
    if (execution->end != CMK_EXECUTION_DONE) {
        (void)fprintf(out, "| %s | did not run to its end | | | | |\n", name);
        return;
    }
    const Counts counts = count_all(execution);
    const uint32_t vaults = cmk_world_count(execution->sim.world, CMK_TABLE_BACKUP_VAULT);
    (void)fprintf(out, "| %s | %.2f | %.0f | %.0f | %.0f | %.0f |\n", name, took,
                  (double)counts.requests / took, (double)counts.jobs / took,
                  took / (double)counts.records * 1e9,
                  (double)cmk_world_used_bytes(execution->sim.world) / vaults);
}

void bench_fleet(FILE *out)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CmkDiagnostics) diagnostics = cmk_diagnostics_open(FLEET, (size_t)1 << 20, &error);
    CmkScenario *scenario = diagnostics == NULL ? NULL : cmk_scenario_read(diagnostics);
    if (scenario == NULL) {
        (void)fprintf(out, "\n%s cannot be read\n", FLEET);
        return;
    }
    (void)fprintf(out, "\n## Fleet: 10,000 vaults, daily backups, 30 days, no store\n\n"
                       "| | CPU s | requests/s | jobs/s | ns/record | bytes/vault |\n"
                       "| --- | ---: | ---: | ---: | ---: | ---: |\n");
    run(out, scenario, diagnostics, "rules only", false);
    run(out, scenario, diagnostics, "with real cryptography", true);
    cmk_scenario_free(scenario);
}
