/* Expectations about sets of jobs, points and vaults, which are kept up to date. */
#include <criterion/criterion.h>

#include "analysis/set.h"
#include "tests/unit/analysis/expect_run.h"

#define GIB (INT64_C(1) << 30)

/* ---- sets that are kept up to date ----------------------------------------------------------- */

static void watch_set(const char *condition, void (*change)(ExpectRun *run))
{
    ExpectRun run = expect_begin_one(condition, (CmkExpectation){.kind = CMK_EXPECT_ALWAYS});
    change(&run);
    expect_check(&run, CMK_VERDICT_HELD, sample_day(60), NULL);
}

static void expire(ExpectRun *run)
{
    const uint32_t row = sample_point(run->world, ORDERS_DB, CMK_TIER_VAULT, GIB);
    (void)sample_feed(run->expect, run->world, sample_day(1),
                      (CmkRecord){.result = row, .args = {.op = CMK_OP_BACKUP_COMMIT}});
    ((CmkPoint *)sample_row(run->world, CMK_TABLE_POINT, row))->is_live = 0;
    (void)sample_feed(
        run->expect, run->world, sample_day(2),
        (CmkRecord){.args = {.op = CMK_OP_POINT_EXPIRE, .ref = {[CMK_REF_POINT] = row}}});
}

/* The key of the settings is purged while points depend on it; the snapshot lives on. */
static uint32_t make_points(ExpectRun *run)
{
    const uint32_t rows[] = {sample_point(run->world, ORDERS_DB, CMK_TIER_VAULT, GIB),
                             sample_point(run->world, WEB_DISK, CMK_TIER_OPERATIONAL, GIB),
                             sample_point(run->world, MEDIA, CMK_TIER_ARCHIVE, GIB)};
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(rows); i++)
        (void)sample_feed(run->expect, run->world, sample_day(1),
                          (CmkRecord){.result = rows[i], .args = {.op = CMK_OP_BACKUP_COMMIT}});
    return rows[0];
}

static void purge(ExpectRun *run, CmkTime time)
{
    ((CmkVersion *)sample_row(run->world, CMK_TABLE_VERSION, 1))->is_purged = 1;
    (void)sample_feed(run->expect, run->world, time,
                      (CmkRecord){.args = {.op = CMK_OP_KEY_PURGE, .ref = {[CMK_REF_KEY] = 1}}});
}

Test(expect, points)
{
    watch_set("points().count <= 1 and points(vault = bv-two).count == 0", expire);
    ExpectRun run = expect_begin_one("points().count == 0 and points().bytes == 0 B",
                                     (CmkExpectation){.kind = CMK_EXPECT_FINAL});
    expire(&run);
    expect_check(&run, CMK_VERDICT_HELD, sample_day(60), NULL);

    run = expect_begin_one("points().count > 0", (CmkExpectation){.kind = CMK_EXPECT_NEVER});
    expire(&run);
    expect_check(&run, CMK_VERDICT_VIOLATED, sample_day(1), "points().count was 1, needed <= 0");
}

Test(expect, lost_points)
{
    ExpectRun run = expect_begin_one("points(lost = true).count > 0",
                                     (CmkExpectation){.kind = CMK_EXPECT_NEVER});
    (void)make_points(&run);
    purge(&run, sample_day(5));
    expect_check(&run, CMK_VERDICT_VIOLATED, sample_day(5),
                 "points(lost = true).count was 2, needed <= 0");

    /* Taking up another version brings the points of that one vault back, as far as the table
     * knows. */
    run = expect_begin_one(
        "points(lost = true, vault = bv-prod).count == 0 and points(lost = true).count == 1",
        (CmkExpectation){.kind = CMK_EXPECT_AT, .from = AT(6)});
    (void)make_points(&run);
    purge(&run, sample_day(5));
    ((CmkBackupVault *)sample_row(run.world, CMK_TABLE_BACKUP_VAULT, BV_PROD))->active_version = 2;
    (void)sample_feed(run.expect, run.world, sample_day(6),
                      (CmkRecord){.args = {.op = CMK_OP_ENCRYPTION_COMMIT,
                                           .ref = {[CMK_REF_BACKUP_VAULT] = BV_PROD}}});
    expect_check(&run, CMK_VERDICT_HELD, sample_day(6), NULL);
}

/* A row that is handed out again is another point. */
Test(expect, recycled_point)
{
    ExpectRun run = expect_begin_one(
        "points(tier = vault).bytes == 3 GiB and points(tier = archive).count == 0",
        (CmkExpectation){.kind = CMK_EXPECT_FINAL});
    const uint32_t row = make_points(&run);
    CmkPoint *point = sample_row(run.world, CMK_TABLE_POINT, row);
    point->bytes = 3 * GIB;
    (void)sample_feed(run.expect, run.world, sample_day(2),
                      (CmkRecord){.result = row, .args = {.op = CMK_OP_BACKUP_COMMIT}});
    ((CmkPoint *)sample_row(run.world, CMK_TABLE_POINT, 3))->is_live = 0;
    (void)sample_feed(
        run.expect, run.world, sample_day(3),
        (CmkRecord){.args = {.op = CMK_OP_POINT_EXPIRE, .ref = {[CMK_REF_POINT] = 3}}});
    expect_check(&run, CMK_VERDICT_HELD, sample_day(60), NULL);
}

/* An operation that names no vault may have changed all of them. */
Test(expect, vaults)
{
    ExpectRun run = expect_begin_one("vaults(encryption = Inconsistent).count >= 2",
                                     (CmkExpectation){.kind = CMK_EXPECT_NEVER});
    expect_set_encryption(&run, sample_day(1), BV_TWO, CMK_ENCRYPTION_INCONSISTENT);
    ((CmkBackupVault *)sample_row(run.world, CMK_TABLE_BACKUP_VAULT, BV_PROD))->encryption =
        CMK_ENCRYPTION_INCONSISTENT;
    (void)sample_feed(
        run.expect, run.world, sample_day(2),
        (CmkRecord){.args = {.op = CMK_OP_IDENTITY_DELETE, .ref = {[CMK_REF_IDENTITY] = 1}}});
    expect_check(&run, CMK_VERDICT_VIOLATED, sample_day(2),
                 "vaults(encryption = Inconsistent).count was 2, needed < 2");
}

/* A vault that is not there any more is in no set. */
Test(expect, absent_vault)
{
    ExpectRun run =
        expect_begin_one("vaults().count == 1 and vaults(region = westeurope).share == 100%",
                         (CmkExpectation){.kind = CMK_EXPECT_FINAL});
    ((CmkBackupVault *)sample_row(run.world, CMK_TABLE_BACKUP_VAULT, BV_TWO))->state =
        CMK_BACKUP_VAULT_ABSENT;
    expect_set_encryption(&run, sample_day(1), BV_TWO, CMK_ENCRYPTION_ENABLED);
    expect_check(&run, CMK_VERDICT_HELD, sample_day(60), NULL);
}

/* One of millions is more than none, and all but one less than all. */
Test(expect, share_is_never_rounded_to_none_or_all)
{
    CmkSets *sets = cmk_sets_new();
    CmkWorld *world = sample_scenario_world();
    const CmkFilter ok = {.index = 1, .value = 0};
    const CmkFilter refused = {.index = 1, .value = 1};
    const uint32_t all = cmk_sets_add(sets, CMK_SET_REQUESTS, NULL, 0);
    const uint32_t granted = cmk_sets_add(sets, CMK_SET_REQUESTS, &ok, 1);
    const uint32_t denied = cmk_sets_add(sets, CMK_SET_REQUESTS, &refused, 1);
    cmk_sets_bind(sets, cmk_azure_model(), world);
    cr_assert_eq(cmk_sets_value(sets, denied, all, CMK_MEASURE_SHARE), 0);
    CmkRecord record = {.status = CMK_STATUS_OF(THROTTLED), .args = {.op = CMK_OP_KEY_GET}};
    (void)cmk_sets_read(sets, world, &record, 0);
    cr_assert_eq(cmk_sets_value(sets, denied, all, CMK_MEASURE_SHARE), 1000000);
    record.status = CMK_STATUS_OK;
    for (uint32_t i = 0; i < 3000000; i++)
        (void)cmk_sets_read(sets, world, &record, 0);
    cr_assert_eq(cmk_sets_value(sets, denied, all, CMK_MEASURE_SHARE), 1);
    cr_assert_eq(cmk_sets_value(sets, granted, all, CMK_MEASURE_SHARE), 999999);
    cmk_world_free(world);
    cmk_sets_free(sets);
}

/* What was there at the start is counted; what the set-up did is not. */
Test(expect, start)
{
    ExpectRun run = expect_prepare(
        (const char *[]){"points().count == 3", "jobs().count == 0"},
        (CmkExpectation[]){{.kind = CMK_EXPECT_ALWAYS}, {.kind = CMK_EXPECT_ALWAYS}}, 2);
    (void)make_points(&run);
    expect_backup(&run, SAMPLE_SCENARIO_START);
    cmk_expect_bind(run.expect, cmk_azure_model(), run.world);
    expect_finish(&run, sample_day(60));
    cr_assert_eq(expect_result(&run, 0)->verdict, CMK_VERDICT_HELD, "%s",
                 expect_result(&run, 0)->values);
    cr_assert_eq(expect_result(&run, 1)->verdict, CMK_VERDICT_HELD, "%s",
                 expect_result(&run, 1)->values);
    expect_clear(&run);
}

/* After any sequence of changes the sets are as if counted afresh. */
Test(expect, same_as_counted_afresh)
{
    static const char *const texts[] = {
        "points().count < 0",
        "points(overdue = true).bytes < 0 B and points().bytes < 0 B",
        "points(lost = true, tier = vault).count < 0",
        "points(vault = bv-prod, overdue = false).share < 0 ppm and 0 ppm > points().share",
        "vaults(encryption = Inconsistent).count < 0",
    };
    CmkExpectation finals[CMK_ARRAY_LEN(texts)];
    for (size_t i = 0; i < CMK_ARRAY_LEN(texts); i++)
        finals[i] = (CmkExpectation){.kind = CMK_EXPECT_FINAL};
    for (uint32_t seed = 1; seed <= 20; seed++) {
        ExpectRun run = expect_begin(texts, finals, CMK_ARRAY_LEN(texts));
        GRand *chance = g_rand_new_with_seed(seed);
        for (uint32_t i = 0; i < 400; i++) {
            const CmkTime time = sample_day(0) + (int64_t)i * CMK_HOUR_US;
            const uint32_t count = cmk_world_count(run.world, CMK_TABLE_POINT);
            uint32_t row =
                (uint32_t)g_rand_int_range(chance, 1, (gint32)count + 2 + (gint32)count / 2);
            CmkArgs args = {.op = CMK_OP_POINT_OVERDUE, .ref = {[CMK_REF_POINT] = row}};
            uint32_t made = 0;
            if (row > count) {
                made = sample_point(run.world, (uint32_t)g_rand_int_range(chance, 1, 4),
                                    (CmkTier)g_rand_int_range(chance, 0, 3),
                                    g_rand_int_range(chance, 1, 1000));
                args = (CmkArgs){.op = CMK_OP_BACKUP_COMMIT};
            } else {
                CmkPoint *point = sample_row(run.world, CMK_TABLE_POINT, row);
                point->is_live = g_rand_boolean(chance);
                point->is_expiry_overdue = g_rand_boolean(chance);
                point->tier = (uint32_t)g_rand_int_range(chance, 0, 3);
            }
            (void)sample_feed(run.expect, run.world, time,
                              (CmkRecord){.result = made, .args = args});
            if (g_rand_int_range(chance, 0, 30) == 0)
                purge(&run, time);
            if (g_rand_int_range(chance, 0, 10) == 0)
                expect_set_encryption(&run, time, (uint32_t)g_rand_int_range(chance, 1, 3),
                                      (CmkEncryption)g_rand_int_range(chance, 0, 3));
        }
        g_rand_free(chance);
        CmkExpect *fresh = cmk_expect_new(&run.sample->scenario, run.sample->diagnostics);
        cmk_expect_bind(fresh, cmk_azure_model(), run.world);
        expect_finish(&run, sample_day(60));
        const CmkFinalValues final = {.restore_check = CMK_RESTORE_CHECK_NONE};
        cmk_expect_finish(fresh, run.world, &final);
        for (uint32_t i = 0; i < CMK_ARRAY_LEN(texts); i++)
            cr_assert_str_eq(expect_result(&run, i)->values, cmk_expect_result(fresh, i)->values,
                             "seed %u", seed);
        cmk_expect_free(fresh);
        expect_clear(&run);
    }
}
