/*
 * Everything that the future depends on is in the world: a clone taken anywhere in a scenario's
 * run goes on to the same bytes as the original.
 */
#include <inttypes.h>

#include <criterion/criterion.h>

#include "tests/unit/scenario_runs/runs.h"

#define CLONES 8

static CmkSim build(const Golden *golden, CmkScenario **ret_scenario)
{
    g_autoptr(CmkDiagnostics) diagnostics = cmk_diagnostics_open(golden->path, 1000000, NULL);
    cr_assert_not_null(diagnostics);
    *ret_scenario = cmk_scenario_read(diagnostics);
    cr_assert_not_null(*ret_scenario, "%s", golden->path);
    CmkSim sim = {.model = cmk_azure_model()};
    cr_assert(
        cmk_scenario_build(*ret_scenario, CMK_VARIANT_AS_WRITTEN, golden->seed, &sim, diagnostics));
    return sim;
}

/* Runs on until there are `records`; a handler of a timer may leave a few more. */
static void run_to_record(CmkSim *sim, CmkTime end, uint64_t records)
{
    while (cmk_world_next_seq(sim->world) <= records && cmk_engine_step(sim, end)) {
    }
}

static void try_clone_at(const Golden *golden, uint64_t record)
{
    CmkScenario *scenario = NULL;
    CmkSim original = build(golden, &scenario);
    const CmkTime last = scenario->end - 1; /* the horizon itself is not part of a run */
    run_to_record(&original, last, record);
    const CmkTime moment = cmk_world_now(original.world);
    CmkSim copy = {.model = original.model, .world = cmk_world_clone(original.world)};
    cr_assert_not_null(copy.world);
    /* The clone first: what the original does afterwards must not matter to it. */
    cr_expect_eq(cmk_engine_run(&copy, last, NULL, NULL), CMK_ENGINE_REACHED);
    cr_expect_eq(cmk_world_now(original.world), moment);
    cr_expect_eq(cmk_engine_run(&original, last, NULL, NULL), CMK_ENGINE_REACHED);
    const char *table = NULL;
    cr_expect(cmk_world_equal(original.world, copy.world, &table),
              "%s: the clone taken at record %" PRIu64 " ends otherwise in %s", golden->path,
              record, table == NULL ? "the digest" : table);
    char digest[CMK_DIGEST_TEXT_SIZE];
    cmk_digest_format(cmk_world_digest(copy.world), digest);
    cr_expect_str_eq(digest, golden->digest,
                     "%s: the clone taken at record %" PRIu64 " ends with %s", golden->path, record,
                     digest);
    cmk_world_free(copy.world);
    cmk_world_free(original.world);
    cmk_scenario_free(scenario);
}

Test(scenario_runs, a_clone_runs_on_to_the_same_digest)
{
    g_autoptr(GArray) goldens = goldens_read();
    g_autoptr(GRand) rand = g_rand_new_with_seed(20250303);
    for (guint i = 0; i < goldens->len; i++) {
        const Golden *golden = &g_array_index(goldens, Golden, i);
        if (g_str_has_prefix(golden->path, CAPACITY) || g_getenv("UPDATE_GOLDENS") != NULL) {
            continue;
        }
        for (guint k = 0; k < CLONES; k++) {
            /* At once, near the end, and anywhere between. */
            const uint64_t any = (uint64_t)g_rand_double_range(rand, 1.0, (double)golden->records);
            try_clone_at(golden, k == 0 ? 1 : k == 1 ? golden->records - 1 : any);
        }
    }
}
