/* Policies as a file writes them and what comes of them in a run: when backups begin, where they
 * are kept, and when each of them moves and goes. */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <string.h>

#include "models/points.h"
#include "sim/engine.h"
#include "tests/unit/scenarios/reading.h"

#define WORLD "cmksim: 1\nname: small\nstart: 2025-03-03T00:00:00Z\nhorizon: 90d\nworld:\n"

typedef struct Run {
    CmkScenario *scenario;
    CmkSim sim;
} Run;

/* The small world with this policy, for this datasource. */
static Run begin(const char *policy, const char *datasource)
{
    g_autofree char *written = g_strconcat(
        WORLD KEY_VAULT IDENTITY "  policies:\n    - name: daily\n", policy, VAULT GRANT, NULL);
    g_autoptr(GString) text = g_string_new(written);
    (void)g_string_replace(text, "AzureBlob", datasource, 0);
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(text->str);
    Run run = {.scenario = reading_good(diagnostics)};
    run.sim = reading_build(run.scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    return run;
}

static void run_to(Run *run, CmkTime time)
{
    cr_assert_eq(cmk_engine_run(&run->sim, time, NULL, NULL), CMK_ENGINE_REACHED);
}

static void end(Run *run)
{
    cmk_world_free(run->sim.world);
    cmk_scenario_free(run->scenario);
}

static CmkTime moment(const char *text)
{
    CmkTime time = 0;
    cr_assert(cmk_time_parse(text, &time), "%s", text);
    return time;
}

/* The point in a store of the backup that began then, {0} if there is none. */
static CmkPointId point_of(const Run *run, CmkStore store, CmkTime began)
{
    const CmkWorld *world = run->sim.world;
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_POINT); i++) {
        const CmkPoint *point = cmk_point(world, (CmkPointId){i});
        if (point->is_live != 0 && point->created == began &&
            cmk_queue(world, (CmkQueueId){point->queue})->store == store) {
            return (CmkPointId){i};
        }
    }
    return (CmkPointId){0};
}

static uint32_t live_points(const Run *run)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= cmk_world_count(run->sim.world, CMK_TABLE_POINT); i++) {
        count += cmk_point(run->sim.world, (CmkPointId){i})->is_live;
    }
    return count;
}

/* BK-5: the start has an offset from UTC, and each of several intervals starts backups; of a start
 * in the past only the rhythm counts, and before one to come there is nothing. */
Test(policy_run, each_interval_starts_its_backups_by_its_own_offset)
{
    const struct {
        const char *policy;
        const char *datasource;
        CmkStore store;
        const char *first[4];
    } cases[] = {
        {"      datastores: {vault: P1Y}\n"
         "      schedules: [R/2025-03-03T03:00:00+05:30/P1W, R/2025-03-06T12:00:00+05:30/P1W]\n",
         "AzureDatabaseForMySQL",
         CMK_STORE_VAULT,
         {"2025-03-06T06:30:00Z", "2025-03-09T21:30:00Z", "2025-03-13T06:30:00Z",
          "2025-03-16T21:30:00Z"}},
        {"      datastores: {vault: P1Y}\n      schedule: R/2025-03-05T22:00:00-03:00/P1D\n",
         "AzureBlob",
         CMK_STORE_VAULT,
         {"2025-03-06T01:00:00Z", "2025-03-07T01:00:00Z", "2025-03-08T01:00:00Z",
          "2025-03-09T01:00:00Z"}},
        {"      datastores: {operational: P30D}\n"
         "      schedule: R/2020-01-01T00:15:00+01:00/PT4H\n",
         "AzureDisk",
         CMK_STORE_OPERATIONAL,
         {"2025-03-03T03:15:00Z", "2025-03-03T07:15:00Z", "2025-03-03T11:15:00Z",
          "2025-03-03T15:15:00Z"}},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Run run = begin(cases[i].policy, cases[i].datasource);
        for (uint32_t n = 0; n < 4; n++) {
            const CmkTime began = moment(cases[i].first[n]);
            run_to(&run, began + CMK_HOUR_US);
            cr_expect_neq(point_of(&run, cases[i].store, began).i, 0, "%zu: %s", i,
                          cases[i].first[n]);
            cr_expect_eq(live_points(&run), n + 1, "%zu: no other until %s", i, cases[i].first[n]);
        }
        end(&run);
    }
}

/* BK-4, BK-8: each rule keeps its backups in each store for its own time. Day 0 is a Monday, so its
 * backup is the week's; that of the day after is by the rule that `datastores` is. */
Test(policy_run, each_rule_has_a_lifecycle_for_each_store)
{
    Run run = begin("      datastores: {operational: P3D, vault: P10D}\n"
                    "      schedule: R/2025-03-03T02:00:00Z/P1D\n"
                    "      retention:\n"
                    "        - {tag: weekly, keep: {operational: P5D, vault: P20D}}\n",
                    "AzureKubernetesService");
    const struct {
        int64_t day;
        CmkStore store;
        int64_t days;
    } cases[] = {{0, CMK_STORE_OPERATIONAL, 5},
                 {0, CMK_STORE_VAULT, 20},
                 {1, CMK_STORE_OPERATIONAL, 3},
                 {1, CMK_STORE_VAULT, 10}};
    for (int64_t day = 2; day <= 22; day++) {
        const CmkTime now = run.scenario->start + day * CMK_DAY_US + CMK_HOUR_US;
        run_to(&run, now);
        for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
            const CmkTime began = run.scenario->start + cases[i].day * CMK_DAY_US + 2 * CMK_HOUR_US;
            const CmkTime expires = began + cases[i].days * CMK_DAY_US;
            const bool is_there = point_of(&run, cases[i].store, began).i != 0;
            /* Maintenance comes once a day. */
            cr_expect(is_there || now >= expires, "%zu, day %" PRId64 ": gone too early", i, day);
            cr_expect(!is_there || now < expires + CMK_DAY_US, "%zu, day %" PRId64 ": still there",
                      i, day);
        }
    }
    end(&run);
}

/* BK-8: when a point is copied to the archive, and how long it lives, is for each rule as its own
 * lifecycle says. The backup of day 0 is the month's, that of day 3 by no rule, that of day 7 the
 * week's. */
Test(policy_run, each_lifecycle_moves_its_points_in_its_own_time)
{
    Run run =
        begin("      datastores: {vault: P30D}\n"
              "      archive_after: P10D\n"
              "      schedules: [R/2025-03-03T02:00:00Z/P1W, R/2025-03-06T02:00:00Z/P1W]\n"
              "      retention:\n"
              "        - {tag: weekly, keep: P40D, archive_after: P15D}\n"
              "        - {tag: monthly, keep: P12D, archive: on_expiry, archive_keep: P60D}\n",
              "AzureDatabaseForMySQL");
    const struct {
        int64_t day;
        int64_t days_in_vault;
        int64_t days;
    } cases[] = {{0, 12, 12 + 60}, {3, 10, 30}, {7, 15, 40}};
    for (int64_t day = 1; day <= 75; day++) {
        const CmkTime now = run.scenario->start + day * CMK_DAY_US + CMK_HOUR_US;
        run_to(&run, now);
        for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
            const int64_t age = day - cases[i].day; /* all but an hour, and the last maintenance */
            const CmkTime began = run.scenario->start + cases[i].day * CMK_DAY_US + 2 * CMK_HOUR_US;
            const CmkPointId id = point_of(&run, CMK_STORE_VAULT, began);
            const bool is_archived =
                cmk_point(run.sim.world, id)->tier == CMK_TIER_ARCHIVE && id.i != 0;
            cr_expect(age < 1 || age > cases[i].days || id.i != 0,
                      "%zu, day %" PRId64 ": gone too early", i, day);
            cr_expect(age <= cases[i].days + 1 || id.i == 0, "%zu, day %" PRId64 ": still there", i,
                      day);
            cr_expect(age > cases[i].days_in_vault || !is_archived,
                      "%zu, day %" PRId64 ": moved too early", i, day);
            cr_expect(age <= cases[i].days_in_vault + 1 || is_archived || id.i == 0,
                      "%zu, day %" PRId64 ": not moved", i, day);
        }
    }
    end(&run);
}
