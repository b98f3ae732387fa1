#include "tests/unit/scenario_runs/runs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#define FILE_SIZE_MAX 1000000

/* ---- files ----------------------------------------------------------------------------------- */

GArray *goldens_read(void)
{
    GArray *goldens = g_array_new(FALSE, TRUE, sizeof(Golden));
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    cr_assert(g_file_get_contents(GOLDENS, &text, NULL, &error), "%s",
              error == NULL ? "" : error->message);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        if (lines[i][0] == '\0' || lines[i][0] == '#') {
            continue;
        }
        Golden golden = {.seed = 0};
        const int fields = sscanf(lines[i], "%127s %" SCNu64 " %32s %" SCNu64, golden.path,
                                  &golden.seed, golden.digest, &golden.records);
        cr_assert_eq(fields, 4, "%s:%u: not `file seed digest records`: %s", GOLDENS, i + 1,
                     lines[i]);
        g_array_append_val(goldens, golden);
    }
    return goldens;
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *scenario_files(void)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) themes = g_dir_open("scenarios", 0, NULL);
    cr_assert_not_null(themes, "run this from the top of the tree");
    for (const char *theme = g_dir_read_name(themes); theme != NULL;
         theme = g_dir_read_name(themes)) {
        g_autofree char *folder = g_build_filename("scenarios", theme, NULL);
        if (g_str_has_suffix(theme, ".yaml")) {
            g_ptr_array_add(files, g_steal_pointer(&folder));
            continue;
        }
        g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL); /* NULL: a plain file */
        for (const char *name = dir == NULL ? NULL : g_dir_read_name(dir); name != NULL;
             name = g_dir_read_name(dir)) {
            if (g_str_has_suffix(name, ".yaml")) {
                g_ptr_array_add(files, g_build_filename(folder, name, NULL));
            }
        }
    }
    g_ptr_array_sort(files, compare_paths);
    return files;
}

/* ---- running --------------------------------------------------------------------------------- */

Run *run_new(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Run) run = g_new0(Run, 1);
    run->diagnostics = cmk_diagnostics_open(path, FILE_SIZE_MAX, &error);
    if (run->diagnostics == NULL) {
        (void)fprintf(stderr, "%s\n", error->message);
        return NULL;
    }
    run->scenario = cmk_scenario_read(run->diagnostics);
    if (run->scenario != NULL) {
        run->expect = cmk_expect_new(run->scenario, run->diagnostics);
    }
    if (run->expect == NULL) {
        (void)cmk_diagnostics_write(run->diagnostics, stderr);
        return NULL;
    }
    return g_steal_pointer(&run);
}

void run_free(Run *run)
{
    if (run == NULL) {
        return;
    }
    cmk_execution_free(run->execution);
    cmk_expect_free(run->expect);
    cmk_scenario_free(run->scenario);
    cmk_diagnostics_free(run->diagnostics);
    g_free(run);
}

static CmkRestoreCheck worst_of(const CmkRestoreCounts *counts)
{
    if (counts->lost > 0) {
        return CMK_RESTORE_CHECK_LOST;
    }
    return counts->refused > 0 ? CMK_RESTORE_CHECK_REFUSED : CMK_RESTORE_CHECK_OK;
}

/* The cost without faults and remedies: what `cost.net` is measured from. */
static int64_t baseline_nanos(Run *run, const CmkExecutionOptions *options)
{
    const CmkExecutionOptions plain = {
        .model = options->model, .seed = options->seed, .variant = CMK_VARIANT_WITHOUT_FAULTS};
    g_autoptr(CmkExecution) baseline = cmk_execution_run(run->scenario, &plain, run->diagnostics);
    return baseline->end == CMK_EXECUTION_DONE
               ? cmk_cost(baseline->sim.world, &run->scenario->prices).total_nanos
               : 0;
}

static bool asks_for_net(const CmkScenario *scenario)
{
    bool asks = false;
    for (guint i = 0; i < scenario->expectations->len; i++) {
        const CmkExpectation *one = &g_array_index(scenario->expectations, CmkExpectation, i);
        asks = asks || strstr(one->text, "cost.net") != NULL;
    }
    return asks;
}

bool run_finish(Run *run, CmkExecutionOptions options)
{
    const int64_t baseline = asks_for_net(run->scenario) ? baseline_nanos(run, &options) : 0;
    options.expect = run->expect;
    run->execution = cmk_execution_run(run->scenario, &options, run->diagnostics);
    CmkExecution *execution = run->execution;
    if (execution->end != CMK_EXECUTION_DONE) {
        (void)cmk_diagnostics_write(run->diagnostics, stderr);
        (void)fprintf(stderr, "%s: ended with %d %s\n", run->scenario->path, (int)execution->end,
                      execution->what == NULL ? "" : execution->what);
        return false;
    }
    const CmkWorld *world = execution->sim.world;
    const CmkRestoreCounts counts = cmk_sealer_check_all(
        execution->envelope == NULL ? NULL : &execution->sealer, execution->sim.model, world);
    g_autofree CmkCostItem *items = g_new0(CmkCostItem, cmk_cost_items_max(world));
    const CmkCost cost = cmk_cost(world, &run->scenario->prices);
    const CmkFinalValues final = {.restore_check = worst_of(&counts),
                                  .cost = cost,
                                  .has_net = true,
                                  .net_nanos = cost.total_nanos - baseline,
                                  .items = items,
                                  .item_count = cmk_cost_items(world, &run->scenario->prices, items,
                                                               cmk_cost_items_max(world))};
    cmk_expect_finish(run->expect, world, &final);
    if (counts.mismatch > 0) {
        (void)fprintf(stderr, "%s: rules and arithmetic disagree about %u points\n",
                      run->scenario->path, counts.mismatch);
    }
    return counts.mismatch == 0;
}

uint64_t run_records(const Run *run)
{
    return cmk_world_next_seq(run->execution->sim.world) - 1;
}
