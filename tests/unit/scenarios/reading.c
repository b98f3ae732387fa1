#include "tests/unit/scenarios/reading.h"

#include <string.h>

#include <criterion/criterion.h>

#define FILE_SIZE_MAX 1000000

CmkDiagnostics *reading_of(const char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    return cmk_diagnostics_new("f.yaml", bytes);
}

CmkDiagnostics *reading_of_file(const char *path)
{
    g_autoptr(GError) error = NULL;
    CmkDiagnostics *diagnostics = cmk_diagnostics_open(path, FILE_SIZE_MAX, &error);
    cr_assert_not_null(diagnostics, "%s", error == NULL ? path : error->message);
    return diagnostics;
}

char *reading_messages(const CmkDiagnostics *diagnostics)
{
    GString *text = g_string_new(NULL);
    cmk_diagnostics_print(diagnostics, text);
    return g_string_free(text, FALSE);
}

/* A scenario that must be good. */
CmkScenario *reading_good(CmkDiagnostics *diagnostics)
{
    CmkScenario *scenario = cmk_scenario_read(diagnostics);
    g_autofree char *text = reading_messages(diagnostics);
    cr_assert_not_null(scenario, "%s", text);
    return scenario;
}

/* A world that the rules must let through. */
CmkSim reading_build(const CmkScenario *scenario, CmkVariant variant, uint64_t seed,
                     CmkDiagnostics *diagnostics)
{
    CmkSim sim = {.model = cmk_azure_model(), .is_self_checking = true};
    const bool is_built = cmk_scenario_build(scenario, variant, seed, &sim, diagnostics);
    g_autofree char *text = reading_messages(diagnostics);
    cr_assert(is_built, "%s", text);
    return sim;
}

/* The digest of the world at the start; 0 for a world that cannot be made. */
CmkDigest reading_digest(const char *text, CmkVariant variant, uint64_t seed)
{
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(text);
    CmkScenario *scenario = reading_good(diagnostics);
    CmkSim sim = reading_build(scenario, variant, seed, diagnostics);
    const CmkDigest digest = cmk_world_digest(sim.world);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
    return digest;
}

/* The messages about a text, one line each: "line:column: message | hint". */
char *reading_complaints(const char *text)
{
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(text);
    CmkScenario *scenario = cmk_scenario_read(diagnostics);
    CmkSim sim = {.model = cmk_azure_model()};
    if (scenario != NULL &&
        cmk_scenario_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, &sim, diagnostics)) {
        cmk_world_free(sim.world);
    }
    cmk_scenario_free(scenario);
    GString *lines = g_string_new(NULL);
    for (size_t i = 0; i < cmk_diagnostics_kept(diagnostics); i++) {
        const CmkDiagnostic *error = cmk_diagnostics_get(diagnostics, i);
        g_string_append_printf(lines, "%u:%u: %s%s%s\n", error->at.line, error->at.column,
                               error->message, error->hint == NULL ? "" : " | ",
                               error->hint == NULL ? "" : error->hint);
    }
    return g_string_free(lines, FALSE);
}

const CmkPlanned *reading_planned(const CmkScenario *scenario, guint index)
{
    cr_assert_lt(index, scenario->plan->len);
    return &g_array_index(scenario->plan, CmkPlanned, index);
}

const CmkExpectation *reading_expectation(const CmkScenario *scenario, guint index)
{
    cr_assert_lt(index, scenario->expectations->len);
    return &g_array_index(scenario->expectations, CmkExpectation, index);
}
