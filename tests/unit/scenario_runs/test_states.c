/*
 * Times in states: what is stored about each region, key vault, Backup vault and instance covers
 * the run from its first record on, each moment once.
 */
#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <sqlite3.h>

#include "analysis/store.h"
#include "tests/unit/scenario_runs/runs.h"

/* In one regions change their state, in the other instances. */
static const char *const scenarios[] = {"scenarios/troubleshooting/regional-failover.yaml",
                                        "scenarios/troubleshooting/restore-to-a-moment.yaml"};

/* The states of a run, by who has them and from when on: name, from, to, end of the run. */
#define STATES                                                                                     \
    "SELECT who, s.from_us, s.to_us, duration_us, v_run.end_us FROM (SELECT kind || name AS who,"  \
    " from_us, to_us, duration_us FROM v_service_states UNION ALL SELECT 'backup_vault' ||"        \
    " backup_vault, from_us, to_us, duration_us FROM v_state_intervals UNION ALL SELECT"           \
    " 'instance' || backup_vault || '/' || instance, from_us, to_us, duration_us FROM"             \
    " v_instance_states) AS s JOIN v_run"                                                          \
    " ORDER BY who, s.from_us, coalesce(s.to_us, v_run.end_us)"

static sqlite3 *stored_run(const char *scenario, const char *path)
{
    g_autoptr(Run) run = run_new(scenario);
    cr_assert_not_null(run);
    const CmkStoreRun about = {.model = cmk_azure_model(),
                               .scenario_name = run->scenario->name,
                               .scenario_text = run->scenario->canonical->str,
                               .version = "0",
                               .crypto_mode = "off",
                               .seed = run->scenario->seed,
                               .start = run->scenario->start,
                               .horizon = run->scenario->end};
    CmkRunStore *store = cmk_store_open(path, &about);
    const CmkExecutionOptions options = {
        .model = cmk_azure_model(), .seed = run->scenario->seed, .store = store};
    cr_assert(run_finish(run, options));
    const CmkStoreResult result = {.world = run->execution->sim.world,
                                   .reason = "",
                                   .digest = "",
                                   .prices = &run->scenario->prices};
    g_autoptr(GError) error = NULL;
    cr_assert(cmk_store_finish(store, &result, &error), "%s", error == NULL ? "" : error->message);
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    return db;
}

/* Adds a row up; each begins where the one before of the same name ended. */
typedef struct Sum {
    char *who; /* NULL before the first */
    int64_t first_us;
    int64_t until_us;
    int64_t sum_us;
    int64_t end_us;
    uint32_t count;
} Sum;

static void check_sum(Sum *sum)
{
    if (sum->who != NULL) {
        cr_expect_eq(sum->until_us, sum->end_us, "%s: not until the end", sum->who);
        cr_expect_eq(sum->sum_us, sum->end_us - sum->first_us, "%s", sum->who);
        sum->count++;
    }
    g_free(sum->who);
    sum->who = NULL;
}

static void add_row(Sum *sum, sqlite3_stmt *row)
{
    const char *who = (const char *)sqlite3_column_text(row, 0);
    const int64_t from_us = sqlite3_column_int64(row, 1);
    const int64_t end_us = sqlite3_column_int64(row, 4);
    if (g_strcmp0(sum->who, who) != 0) {
        check_sum(sum);
        sum->who = g_strdup(who);
        sum->first_us = sum->until_us = from_us;
        sum->sum_us = 0;
    }
    cr_expect_eq(from_us, sum->until_us, "%s: a gap, or twice", who);
    sum->sum_us += sqlite3_column_int64(row, 3);
    sum->end_us = end_us;
    sum->until_us =
        sqlite3_column_type(row, 2) == SQLITE_NULL ? end_us : sqlite3_column_int64(row, 2);
}

static void check_run(const char *scenario)
{
    g_autofree char *directory = g_dir_make_tmp("states-XXXXXX", NULL);
    cr_assert_not_null(directory);
    g_autofree char *path = g_build_filename(directory, "run.db", NULL);
    sqlite3 *db = stored_run(scenario, path);
    sqlite3_stmt *rows = NULL;
    cr_assert_eq(sqlite3_prepare_v2(db, STATES, -1, &rows, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(db));
    Sum sum = {.who = NULL};
    uint32_t intervals = 0;
    while (sqlite3_step(rows) == SQLITE_ROW) {
        add_row(&sum, rows);
        intervals++;
    }
    check_sum(&sum);
    cr_assert_geq(sum.count, 5, "regions, key vaults, Backup vaults, instances: %u", sum.count);
    cr_assert_gt(intervals, sum.count, "some state changes");
    (void)sqlite3_finalize(rows);
    (void)sqlite3_close(db);
    (void)g_unlink(path);
    (void)g_rmdir(directory);
}

Test(states, times_sum_up_to_the_run)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(scenarios); i++) {
        check_run(scenarios[i]);
    }
}
