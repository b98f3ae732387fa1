/* Expectations: when each is looked at, what it says, and the verdict of the whole. */
#include <criterion/criterion.h>

#include "tests/unit/analysis/expect_run.h"

#define GIB (INT64_C(1) << 30)

/* ---- always and never ------------------------------------------------------------------------ */

Test(expect, always)
{
    ExpectRun run = expect_begin_one(ENABLED, (CmkExpectation){.kind = CMK_EXPECT_ALWAYS});
    expect_set_encryption(&run, sample_day(1), BV_TWO, CMK_ENCRYPTION_INCONSISTENT);
    expect_check(&run, CMK_VERDICT_HELD, sample_day(60), NULL);

    /* The first violation counts, even if the same instant mends it. */
    run = expect_begin_one(ENABLED, (CmkExpectation){.kind = CMK_EXPECT_ALWAYS});
    expect_set_encryption(&run, sample_day(1), BV_PROD, CMK_ENCRYPTION_ENABLED);
    expect_set_encryption(&run, sample_day(2), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    expect_set_encryption(&run, sample_day(2), BV_PROD, CMK_ENCRYPTION_ENABLED);
    expect_set_encryption(&run, sample_day(3), BV_PROD, CMK_ENCRYPTION_DISABLED);
    expect_finish(&run, sample_day(60));
    cr_assert_eq(expect_result(&run, 0)->verdict, CMK_VERDICT_VIOLATED);
    cr_assert_eq(expect_result(&run, 0)->time, sample_day(2));
    cr_assert_eq(expect_result(&run, 0)->seq, 2);
    cr_assert_str_eq(expect_result(&run, 0)->values, WAS_INCONSISTENT);
    expect_clear(&run);

    /* At the very start, before any record. */
    run = expect_begin_one(IS_INCONSISTENT, (CmkExpectation){.kind = CMK_EXPECT_ALWAYS});
    expect_check(&run, CMK_VERDICT_VIOLATED, sample_day(0),
                 "backup_vault.bv-prod.encryption was Enabled, needed == Inconsistent");
}

Test(expect, never)
{
    ExpectRun run = expect_begin_one("jobs(status = failed).count > 1",
                                     (CmkExpectation){.kind = CMK_EXPECT_NEVER});
    expect_fail_backup(&run, sample_day(1), 0);
    expect_backup(&run, sample_day(2));
    expect_check(&run, CMK_VERDICT_HELD, sample_day(60), NULL);

    run = expect_begin_one("jobs(status = failed).count > 1",
                           (CmkExpectation){.kind = CMK_EXPECT_NEVER});
    expect_fail_backup(&run, sample_day(1), 0);
    expect_fail_backup(&run, sample_day(2), 0);
    expect_fail_backup(&run, sample_day(3), 0);
    expect_check(&run, CMK_VERDICT_VIOLATED, sample_day(2),
                 "jobs(status = failed).count was 2, needed <= 1");
}

Test(expect, always_within_a_window)
{
    const CmkExpectation window = {.kind = CMK_EXPECT_ALWAYS, .from = AT(10), .until = AT(20)};
    /* Before and after it anything may be. */
    ExpectRun run = expect_begin_one(ENABLED, window);
    expect_set_encryption(&run, sample_day(1), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    expect_set_encryption(&run, sample_day(9), BV_PROD, CMK_ENCRYPTION_ENABLED);
    expect_set_encryption(&run, sample_day(20) + 1, BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    expect_check(&run, CMK_VERDICT_HELD, sample_day(20), NULL);

    /* What ends right at its begin was never within it. */
    run = expect_begin_one(ENABLED, window);
    expect_set_encryption(&run, sample_day(1), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    expect_set_encryption(&run, sample_day(10), BV_PROD, CMK_ENCRYPTION_ENABLED);
    expect_check(&run, CMK_VERDICT_HELD, sample_day(20), NULL);

    /* What lasts into it, is. */
    run = expect_begin_one(ENABLED, window);
    expect_set_encryption(&run, sample_day(1), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    expect_set_encryption(&run, sample_day(10) + 1, BV_PROD, CMK_ENCRYPTION_ENABLED);
    expect_check(&run, CMK_VERDICT_VIOLATED, sample_day(10), WAS_INCONSISTENT);

    /* Also if nothing ever happens any more. */
    run = expect_begin_one(ENABLED, window);
    expect_set_encryption(&run, sample_day(1), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    expect_check(&run, CMK_VERDICT_VIOLATED, sample_day(10), WAS_INCONSISTENT);

    /* Its first moment belongs to it, with all that happens then. */
    run = expect_begin_one(ENABLED, window);
    expect_set_encryption(&run, sample_day(10), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    expect_set_encryption(&run, sample_day(10), BV_PROD, CMK_ENCRYPTION_ENABLED);
    expect_check(&run, CMK_VERDICT_VIOLATED, sample_day(10), WAS_INCONSISTENT);

    run = expect_begin_one(IS_INCONSISTENT,
                           (CmkExpectation){.kind = CMK_EXPECT_ALWAYS, .from = AT(0)});
    expect_set_encryption(&run, sample_day(0), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    expect_check(&run, CMK_VERDICT_VIOLATED, sample_day(0),
                 "backup_vault.bv-prod.encryption was Enabled, needed == Inconsistent");

    /* Its last moment belongs to it. */
    run = expect_begin_one(ENABLED, window);
    expect_set_encryption(&run, sample_day(20), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    expect_check(&run, CMK_VERDICT_VIOLATED, sample_day(20), WAS_INCONSISTENT);
}

/* From right after the operation of one planned thing to right before that of another. */
Test(expect, always_between_steps)
{
    const CmkExpectation window = {.kind = CMK_EXPECT_ALWAYS,
                                   .from = {.plan = PLAN_REVOKE, .time = CMK_TIME_MAX},
                                   .until = {.plan = PLAN_REGRANT, .time = CMK_TIME_MAX}};
    const char *active = "fault.revoke.active == true";
    ExpectRun run = expect_begin_one(active, window);
    expect_set_encryption(&run, sample_day(20), BV_PROD, CMK_ENCRYPTION_ENABLED);
    (void)expect_ask(&run, PLAN_REVOKE, CMK_STATUS_OK);
    expect_set_encryption(&run, sample_day(21), BV_PROD, CMK_ENCRYPTION_ENABLED);
    (void)expect_ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    expect_check(&run, CMK_VERDICT_HELD, sample_day(27), NULL);

    run = expect_begin_one(active, window);
    (void)expect_ask(&run, PLAN_REVOKE, CMK_STATUS_OF(NOT_FOUND));
    expect_check(&run, CMK_VERDICT_VIOLATED, sample_day(20),
                 "fault.revoke.active was false, needed == true");

    run = expect_begin_one("fault.revoke.active == false",
                           (CmkExpectation){.kind = CMK_EXPECT_ALWAYS,
                                            .from = {.plan = PLAN_REGRANT, .time = CMK_TIME_MAX}});
    (void)expect_ask(&run, PLAN_REVOKE, CMK_STATUS_OK);
    (void)expect_ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    expect_check(&run, CMK_VERDICT_HELD, sample_day(60), NULL);
}

/* ---- at, eventually, final ------------------------------------------------------------------- */

Test(expect, at)
{
    const CmkExpectation at = {.kind = CMK_EXPECT_AT, .from = AT(10)};
    /* All that happens at the instant counts, what comes after it does not. */
    ExpectRun run = expect_begin_one("jobs().count == 3", at);
    expect_backup(&run, sample_day(9));
    expect_backup(&run, sample_day(10));
    expect_backup(&run, sample_day(10));
    expect_backup(&run, sample_day(10) + 1);
    expect_check(&run, CMK_VERDICT_HELD, sample_day(10), NULL);

    run = expect_begin_one("jobs().count >= 3", at);
    expect_backup(&run, sample_day(9));
    expect_backup(&run, sample_day(10) + 1);
    expect_backup(&run, sample_day(11));
    expect_finish(&run, sample_day(60));
    cr_assert_eq(expect_result(&run, 0)->verdict, CMK_VERDICT_VIOLATED);
    cr_assert_eq(expect_result(&run, 0)->time, sample_day(10));
    cr_assert_eq(expect_result(&run, 0)->seq, 1);
    cr_assert_str_eq(expect_result(&run, 0)->values, "jobs().count was 1, needed >= 3");
    expect_clear(&run);

    /* State fields as well: the world has moved on when that is known. */
    run = expect_begin_one(ENABLED, at);
    expect_set_encryption(&run, sample_day(11), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    expect_check(&run, CMK_VERDICT_HELD, sample_day(10), NULL);

    /* The run ends right there, or just before it. */
    run = expect_begin_one(ENABLED, at);
    expect_finish(&run, sample_day(10));
    cr_assert_eq(expect_result(&run, 0)->verdict, CMK_VERDICT_HELD);
    expect_clear(&run);
    run = expect_begin_one(ENABLED, at);
    expect_finish(&run, sample_day(10) - 1);
    cr_assert_eq(expect_result(&run, 0)->verdict, CMK_VERDICT_UNDECIDED);
    expect_clear(&run);
}

Test(expect, eventually)
{
    const CmkExpectation within = {.kind = CMK_EXPECT_EVENTUALLY,
                                   .from = {.plan = PLAN_REGRANT, .time = CMK_TIME_MAX},
                                   .within_us = 2 * CMK_DAY_US};
    /* It holds at once if it does so after the step; that it held before is of no use. */
    ExpectRun run = expect_begin_one("jobs().count == 1", within);
    expect_backup(&run, sample_day(5));
    (void)expect_ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    expect_check(&run, CMK_VERDICT_HELD, sample_day(27), NULL);

    run = expect_begin_one("jobs().count == 1", within);
    expect_backup(&run, sample_day(5));
    expect_backup(&run, sample_day(6));
    (void)expect_ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    expect_check(&run, CMK_VERDICT_VIOLATED, sample_day(29), "jobs().count was 2, needed == 1");

    /* The last moment belongs to the window. */
    run = expect_begin_one("jobs().count == 1", within);
    (void)expect_ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    expect_backup(&run, sample_day(29));
    expect_check(&run, CMK_VERDICT_HELD, sample_day(29), NULL);

    run = expect_begin_one("jobs().count == 1", within);
    (void)expect_ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    expect_backup(&run, sample_day(29) + 1);
    expect_check(&run, CMK_VERDICT_VIOLATED, sample_day(29), "jobs().count was 0, needed == 1");

    /* Once it has held it may cease to. */
    run = expect_begin_one(ENABLED, within);
    expect_set_encryption(&run, sample_day(26), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    (void)expect_ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    expect_set_encryption(&run, sample_day(28), BV_PROD, CMK_ENCRYPTION_ENABLED);
    expect_set_encryption(&run, sample_day(28), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    expect_check(&run, CMK_VERDICT_HELD, sample_day(28), NULL);

    /* A run that ended within the window says nothing. */
    run = expect_begin_one("jobs().count == 1", within);
    expect_finish(&run, sample_day(28));
    cr_assert_eq(expect_result(&run, 0)->verdict, CMK_VERDICT_UNDECIDED);
    expect_clear(&run);
}

Test(expect, cut_short)
{
    static const CmkExpectationKind kinds[] = {CMK_EXPECT_ALWAYS, CMK_EXPECT_NEVER,
                                               CMK_EXPECT_FINAL};
    for (size_t i = 0; i < CMK_ARRAY_LEN(kinds); i++) {
        const bool is_never = kinds[i] == CMK_EXPECT_NEVER;
        ExpectRun run = expect_begin_one(is_never ? IS_INCONSISTENT : ENABLED,
                                         (CmkExpectation){.kind = kinds[i]});
        expect_finish(&run, sample_day(60) - 1);
        cr_assert_eq(expect_result(&run, 0)->verdict, CMK_VERDICT_UNDECIDED);
        cr_assert_eq(cmk_expect_verdict(run.expect), CMK_VERDICT_UNDECIDED);
        expect_clear(&run);
    }
}

/* ---- conditions on a world of known truth ---------------------------------------------------- */

static const struct {
    const char *text;
    bool holds;
} truths[] = {
    {"jobs().count == 6", true},
    {"jobs(status = failed).count == 3", true},
    {"jobs(status = completed).count == 3", true},
    {"jobs(status = failed).share == 50%", true},
    {"jobs(operation = backup).count == 3", true},
    {"jobs(operation = backup, datastore = vault, status = failed).count == 1", true},
    {"jobs(operation = backup, datastore = operational).count == 1", true},
    {"jobs(datastore = archive).count == 1", true},
    {"jobs(seen = nobody).count == 1", true},
    {"jobs(seen = nobody, status = failed).count == 1", true},
    {"jobs(seen = portal, status = failed).count == 2", true},
    {"jobs(vault = bv-two).count == 1", true},
    {"jobs(instance = bv-prod/web-disk).count == 1", true},
    {"jobs(instance = none).count == 1", true},
    {"jobs(operation = settings).count == 1", true},
    {"jobs(code = UserErrorCMKMissingMangedIdentityPermissionOnKeyVault).count == 2", true},
    {"jobs(code = UserErrorCMKKeyVaultAuthFailure).count == 1", true},
    {"jobs(code = OK).count == 3", true},
    {"jobs(fault = revoke).count == 1", true},
    {"jobs(fault = none, status = failed).count == 2", true},
    {"jobs(operation = backup).bytes == 14 GiB", true},
    {"jobs(operation = restore).bytes == 10 GiB", true},
    {"jobs().first == +21d and jobs().last == +25d", true},
    {"jobs(operation = rotation).first < +60d", false},
    {"requests().count == 3", true},
    {"requests(status = refused).count == 1", true},
    {"requests(operation = key.unwrap).count == 2", true},
    {"requests(operation = key.get, status = ok).count == 1", true},
    {"requests(code = Forbidden).count == 1", true},
    {"requests(code = ForbiddenByRbac).share < 50%", true},
    {"requests(key_vault = kv-prod, vault = bv-prod).count == 3", true},
    {"requests(vault = bv-two).count == 0", true},
    {"requests(status = refused).share > 33% and requests(status = refused).share < 34%", true},
    {"points().count == 3", true},
    {"points().bytes == 15 GiB", true},
    {"points(vault = bv-prod).count == 2", true},
    {"points(instance = orders-db).bytes == 10 GiB", true},
    {"points(tier = operational).bytes == 4 GiB", true},
    {"points(tier = archive).count == 1", true},
    {"points(overdue = true).count == 1", true},
    {"points(overdue = true, tier = archive).bytes == 10 GiB", true},
    {"points(lost = true).count == 0", true},
    {"vaults().count == 2", true},
    {"vaults(encryption = Enabled).share == 100%", true},
    {"vaults(region = westeurope, redundancy = geo).count == 2", true},
    {"vaults(region = northeurope).count == 0", true},
    {"backup_vault.bv-prod.identity == id-backup", true},
    {"backup_vault.bv-two.identity == system", true},
    {"backup_vault.bv-prod.key == kv-prod/backup-kek", true},
    {"backup_vault.bv-prod.key_version == 1", true},
    {"backup_vault.bv-prod.pinned_version == 0", false},
    {"backup_vault.bv-prod.redundancy == geo", true},
    {"key.kv-prod/backup-kek.enabled == true", true},
    {"key.kv-prod/other.enabled == false", true},
    {"key.kv-prod/other.version == 2", true},
    {"key.kv-prod/other.expires > +0d", false},
    {"key.kv-prod/backup-kek/1.enabled == true", true},
    {"key.kv-prod/backup-kek/2.enabled == true", false},
    {"key.kv-prod/other/2.enabled == false", true},
    {"key.kv-prod/other/1.created > +0d", false},
    {"key.kv-prod/other/2.purged == false and key.kv-prod/other/2.wraps == false", true},
    {"key_vault.kv-prod.retention == 90d", true},
    {"key_vault.kv-prod.soft_delete == true", true},
    {"identity.id-backup.state == Active", true},
    {"instance.orders-db.points == 1", true},
    {"instance.media.size == 250 GiB", true},
    {"instance.media.last_backup < +60d", false},
    {"region.westeurope.state == Up", true},
    {"fault.revoke.active == true and fault.detach.active == false", true},
    {"time_to_recover.revoke == 3d", true},
    {"time_to_recover.detach > 0s", false},
    {"restore_check == refused", true},
    {"cost.total == 12 USD", true},
    {"cost.overdue == 2 USD", true},
    {"cost.net == -1 USD", true},
    {"cost.vault_tier == 7.5 USD", true},
    {"cost.key_operations == 0 USD", true},
};

/* Six jobs on days 21 to 25, three requests, three points. */
static void tell(ExpectRun *run)
{
    const uint64_t revoked = expect_ask(run, PLAN_REVOKE, CMK_STATUS_OK);
    const uint64_t refused = expect_refuse(run, sample_day(21), revoked);
    expect_fail_backup(run, sample_day(21), refused);
    const CmkArgs get = {.op = CMK_OP_KEY_GET,
                         .ref = {[CMK_REF_KEY_VAULT] = 1, [CMK_REF_BACKUP_VAULT] = BV_PROD}};
    CmkArgs unwrap = get;
    unwrap.op = CMK_OP_KEY_UNWRAP;
    (void)sample_feed(run->expect, run->world, sample_day(21), (CmkRecord){.args = get});
    (void)sample_feed(run->expect, run->world, sample_day(21), (CmkRecord){.args = unwrap});
    const uint32_t large = sample_point(run->world, ORDERS_DB, CMK_TIER_VAULT, 10 * GIB);
    const SampleJob jobs[] = {
        {.kind = CMK_TASK_BACKUP,
         .op = CMK_OP_BACKUP_COMMIT,
         .vault = BV_PROD,
         .instance = ORDERS_DB,
         .point = large},
        {.kind = CMK_TASK_SETTINGS,
         .op = CMK_OP_TASK_FAIL,
         .vault = BV_PROD,
         .code = CMK_STATUS_OF(MISSING_PERMISSION)},
        {.kind = CMK_TASK_BACKUP,
         .op = CMK_OP_BACKUP_COMMIT,
         .vault = BV_PROD,
         .instance = WEB_DISK,
         .point = sample_point(run->world, WEB_DISK, CMK_TIER_OPERATIONAL, 4 * GIB)},
        {.kind = CMK_TASK_RESTORE,
         .op = CMK_OP_RESTORE_COMMIT,
         .vault = BV_PROD,
         .instance = ORDERS_DB,
         .point = large},
        {.kind = CMK_TASK_TIERING,
         .op = CMK_OP_TASK_FAIL,
         .vault = BV_TWO,
         .instance = MEDIA,
         .code = CMK_STATUS_OF(AUTH_FAILURE)},
    };
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(jobs); i++)
        (void)sample_feed_job(run->expect, run->world,
                              sample_day(23) + (int64_t)i * 12 * CMK_HOUR_US, jobs[i]);
    CmkPoint *point = sample_row(run->world, CMK_TABLE_POINT, large);
    point->tier = CMK_TIER_ARCHIVE;
    point->is_expiry_overdue = 1;
    (void)sample_feed(
        run->expect, run->world, sample_day(26),
        (CmkRecord){.args = {.op = CMK_OP_POINT_TIER, .ref = {[CMK_REF_POINT] = large}}});
    (void)sample_feed(run->expect, run->world, sample_day(26),
                      (CmkRecord){.result = sample_point(run->world, MEDIA, CMK_TIER_VAULT, GIB),
                                  .args = {.op = CMK_OP_BACKUP_COMMIT}});
}

Test(expect, known_truths)
{
    const char *texts[CMK_ARRAY_LEN(truths)];
    CmkExpectation finals[CMK_ARRAY_LEN(truths)];
    for (size_t i = 0; i < CMK_ARRAY_LEN(truths); i++) {
        texts[i] = truths[i].text;
        finals[i] = (CmkExpectation){.kind = CMK_EXPECT_FINAL};
    }
    ExpectRun run = expect_begin(texts, finals, CMK_ARRAY_LEN(truths));
    tell(&run);
    const CmkCostItem items[] = {{.meter = "vault_tier", .nanos = INT64_C(7000000000)},
                                 {.meter = "instances", .nanos = INT64_C(4500000000)},
                                 {.meter = "vault_tier", .nanos = INT64_C(500000000)}};
    const CmkFinalValues final = {
        .restore_check = CMK_RESTORE_CHECK_REFUSED,
        .cost = {.total_nanos = INT64_C(12000000000), .overdue_nanos = INT64_C(2000000000)},
        .has_net = true,
        .net_nanos = INT64_C(-1000000000),
        .items = items,
        .item_count = CMK_ARRAY_LEN(items)};
    expect_finish_with(&run, sample_day(60), &final);
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(truths); i++) {
        const bool holds = expect_result(&run, i)->verdict == CMK_VERDICT_HELD;
        cr_expect(holds == truths[i].holds, "%s: %s", truths[i].text,
                  expect_result(&run, i)->values);
    }
    expect_clear(&run);
}

Test(expect, what_is_not_known_does_not_hold)
{
    const char *texts[] = {"restore_check == ok", "restore_check != ok", "cost.net < 1 USD",
                           "cost.net >= 1 USD"};
    const CmkExpectation finals[] = {{.kind = CMK_EXPECT_FINAL},
                                     {.kind = CMK_EXPECT_FINAL},
                                     {.kind = CMK_EXPECT_FINAL},
                                     {.kind = CMK_EXPECT_FINAL}};
    ExpectRun run = expect_begin(texts, finals, CMK_ARRAY_LEN(texts));
    expect_finish(&run, sample_day(60));
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(texts); i++)
        cr_assert_eq(expect_result(&run, i)->verdict, CMK_VERDICT_VIOLATED, "%s", texts[i]);
    expect_clear(&run);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* All that is planned, or all but the regrant, which only asks. */
static ExpectRun complete_run(bool has_regrant)
{
    ExpectRun run = expect_begin_one(ENABLED, (CmkExpectation){.kind = CMK_EXPECT_ALWAYS});
    (void)expect_refuse(&run, sample_day(21), expect_ask(&run, PLAN_REVOKE, CMK_STATUS_OK));
    const uint64_t seq = expect_ask(&run, PLAN_RESTORE, CMK_STATUS_OK);
    (void)sample_feed_job(run.expect, run.world, sample_day(24),
                          (SampleJob){.kind = CMK_TASK_RESTORE,
                                      .op = CMK_OP_RESTORE_COMMIT,
                                      .vault = BV_PROD,
                                      .instance = ORDERS_DB,
                                      .started_by = seq,
                                      .origin = PLAN_RESTORE});
    if (has_regrant)
        (void)expect_ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    (void)expect_refuse(&run, sample_day(30), expect_ask(&run, PLAN_DETACH, CMK_STATUS_OK));
    expect_finish(&run, sample_day(60));
    return run;
}

Test(expect, verdict_of_the_run)
{
    ExpectRun run = complete_run(true);
    cr_assert_eq(cmk_expect_vacuous_count(run.expect), 0);
    cr_assert_eq(cmk_expect_count(run.expect), 2);
    cr_assert_eq(cmk_expect_verdict(run.expect), CMK_VERDICT_HELD);
    cr_assert_str_eq(expect_result(&run, 0)->text, ENABLED);
    cr_assert_eq(expect_result(&run, 0)->at.column, 3);
    expect_clear(&run);

    run = complete_run(false);
    cr_assert_eq(cmk_expect_vacuous_count(run.expect), 1);
    cr_assert_eq(expect_result(&run, 0)->verdict, CMK_VERDICT_HELD);
    cr_assert_eq(expect_result(&run, 1)->verdict, CMK_VERDICT_HELD);
    cr_assert_eq(cmk_expect_verdict(run.expect), CMK_VERDICT_UNDECIDED);
    expect_clear(&run);
}

Test(expect, wrong_conditions)
{
    SampleScenario *sample =
        sample_scenario_new("- jobs().cuont > 1\n- jobs().count > 1\n- cost.total > 1 USD\n");
    sample_scenario_expect(sample, (CmkExpectation){.kind = CMK_EXPECT_NEVER});
    sample_scenario_expect(sample, (CmkExpectation){.kind = CMK_EXPECT_NEVER});
    sample_scenario_expect(sample, (CmkExpectation){.kind = CMK_EXPECT_NEVER});
    cr_assert(cmk_expect_new(&sample->scenario, sample->diagnostics) == NULL);
    cr_assert_eq(cmk_diagnostics_count(sample->diagnostics), 2);
    cr_assert_eq(cmk_diagnostics_get(sample->diagnostics, 1)->at.line, 3);
    sample_scenario_free(sample);
}

Test(expect, windows_that_cannot_be)
{
    static const CmkExpectation windows[] = {
        {.kind = CMK_EXPECT_ALWAYS, .from = AT(10), .until = AT(9)},
        {.kind = CMK_EXPECT_ALWAYS, .from = AT(61)},
        {.kind = CMK_EXPECT_ALWAYS, .until = AT(-1)},
        {.kind = CMK_EXPECT_AT, .from = AT(61)},
        {.kind = CMK_EXPECT_AT, .from = AT(-1)},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(windows); i++) {
        SampleScenario *sample = sample_scenario_new("- jobs().count > 1\n");
        sample_scenario_expect(sample, windows[i]);
        cr_assert(cmk_expect_new(&sample->scenario, sample->diagnostics) == NULL);
        cr_assert_eq(cmk_diagnostics_count(sample->diagnostics), 1);
        sample_scenario_free(sample);
    }
}
