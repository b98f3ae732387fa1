#include <string.h>

#include <criterion/criterion.h>

#include "analysis/set.h"
#include "tests/unit/analysis/sample_scenario.h"

#define GIB (INT64_C(1) << 30)

/* One run: expectations bound to the sample world. */
typedef struct Run {
    SampleScenario *sample;
    CmkWorld *world;
    CmkExpect *expect;
} Run;

static Run prepare(const char *const *conditions, const CmkExpectation *expectations,
                   uint32_t count)
{
    GString *yaml = g_string_new(NULL);
    for (uint32_t i = 0; i < count; i++)
        g_string_append_printf(yaml, "- \"%s\"\n", conditions[i]);
    if (count == 0)
        g_string_append(yaml, "- nothing\n");
    Run run = {.sample = sample_scenario_new(yaml->str), .world = sample_scenario_world()};
    for (uint32_t i = 0; i < count; i++)
        sample_scenario_expect(run.sample, expectations[i]);
    g_string_free(yaml, TRUE);
    run.expect = cmk_expect_new(&run.sample->scenario, run.sample->diagnostics);
    if (run.expect == NULL)
        cr_assert_fail("%s", cmk_diagnostics_get(run.sample->diagnostics, 0)->message);
    return run;
}

static Run begin(const char *const *conditions, const CmkExpectation *expectations, uint32_t count)
{
    Run run = prepare(conditions, expectations, count);
    cmk_expect_bind(run.expect, cmk_azure_model(), run.world);
    return run;
}

static Run begin_one(const char *condition, CmkExpectation expectation)
{
    return begin(&condition, &expectation, 1);
}

static void finish_with(Run *run, CmkTime time, const CmkFinalValues *final)
{
    if (time > cmk_world_now(run->world))
        cmk_world_set_now(run->world, time);
    cmk_expect_finish(run->expect, run->world, final);
}

static void finish(Run *run, CmkTime time)
{
    const CmkFinalValues final = {.restore_check = CMK_RESTORE_CHECK_NONE};
    finish_with(run, time, &final);
}

static void clear(Run *run)
{
    cmk_expect_free(run->expect);
    cmk_world_free(run->world);
    sample_scenario_free(run->sample);
}

static const CmkExpectResult *result(const Run *run, uint32_t index)
{
    return cmk_expect_result(run->expect, index);
}

/* Ends the run and checks the first expectation. */
static void check(Run *run, CmkVerdict verdict, CmkTime time, const char *values)
{
    finish(run, sample_day(60));
    const CmkExpectResult *first = result(run, 0);
    cr_assert_eq(first->verdict, verdict, "%s: %s", first->text, first->values);
    cr_assert_eq(first->time, time, "%s: after %" G_GINT64_FORMAT " h, %s", first->text,
                 (first->time - SAMPLE_SCENARIO_START) / CMK_HOUR_US, first->values);
    if (values == NULL)
        cr_assert(first->values == NULL);
    else
        cr_assert_str_eq(first->values, values);
    clear(run);
}

static void set_encryption(Run *run, CmkTime time, uint32_t row, CmkEncryption encryption)
{
    CmkBackupVault *vault = sample_row(run->world, CMK_TABLE_BACKUP_VAULT, row);
    vault->encryption = encryption;
    (void)sample_feed(run->expect, run->world, time,
                      (CmkRecord){.args = {.op = CMK_OP_ENCRYPTION_RESTORE,
                                           .ref = {[CMK_REF_BACKUP_VAULT] = row}}});
}

static void backup(Run *run, CmkTime time)
{
    (void)sample_feed_job(run->expect, run->world, time,
                          (SampleJob){.kind = CMK_TASK_BACKUP,
                                      .op = CMK_OP_BACKUP_COMMIT,
                                      .vault = BV_PROD,
                                      .instance = ORDERS_DB});
}

static void fail_backup(Run *run, CmkTime time, uint64_t cause_seq)
{
    (void)sample_feed_job(run->expect, run->world, time,
                          (SampleJob){.kind = CMK_TASK_BACKUP,
                                      .op = CMK_OP_TASK_FAIL,
                                      .vault = BV_PROD,
                                      .instance = ORDERS_DB,
                                      .code = CMK_STATUS_OF(MISSING_PERMISSION),
                                      .cause_seq = cause_seq});
}

/* A restore that is granted has a job. */
static uint64_t ask(Run *run, uint32_t plan, CmkStatus status)
{
    const CmkPlanned *planned = &g_array_index(run->sample->scenario.plan, CmkPlanned, plan - 1);
    const bool is_step = planned->kind == CMK_PLAN_STEP;
    uint32_t job = 0;
    if (planned->op == CMK_OP_BACKUP_RESTORE && status == CMK_STATUS_OK) {
        job = cmk_world_row_add(run->world, CMK_TABLE_TASK);
        ((CmkTask *)cmk_world_row_mut(run->world, CMK_TABLE_TASK, job))->started_by =
            cmk_world_next_seq(run->world);
    }
    return sample_feed(run->expect, run->world, planned->time,
                       (CmkRecord){.status = status,
                                   .result = job,
                                   .args = {.op = planned->op,
                                            .actor = is_step ? CMK_ACTOR_STEP : CMK_ACTOR_FAULT,
                                            .origin = plan}});
}

static uint64_t refuse(Run *run, CmkTime time, uint64_t blame_seq)
{
    return sample_feed(
        run->expect, run->world, time,
        (CmkRecord){.status = CMK_STATUS_OF(FORBIDDEN_BY_RBAC),
                    .blame_seq = blame_seq,
                    .args = {.op = CMK_OP_KEY_UNWRAP,
                             .ref = {[CMK_REF_BACKUP_VAULT] = BV_PROD, [CMK_REF_KEY_VAULT] = 1}}});
}

/* ---- always and never ------------------------------------------------------------------------ */

#define ENABLED "backup_vault.bv-prod.encryption == Enabled"
#define WAS_INCONSISTENT "backup_vault.bv-prod.encryption was Inconsistent, needed == Enabled"
#define IS_INCONSISTENT "backup_vault.bv-prod.encryption == Inconsistent"
#define AT(days)                                                                                   \
    {                                                                                              \
        .time = SAMPLE_SCENARIO_START + (days)*CMK_DAY_US                                          \
    }

Test(expect, always)
{
    Run run = begin_one(ENABLED, (CmkExpectation){.kind = CMK_EXPECT_ALWAYS});
    set_encryption(&run, sample_day(1), BV_TWO, CMK_ENCRYPTION_INCONSISTENT);
    check(&run, CMK_VERDICT_HELD, sample_day(60), NULL);

    /* The first violation counts, even if the same instant mends it. */
    run = begin_one(ENABLED, (CmkExpectation){.kind = CMK_EXPECT_ALWAYS});
    set_encryption(&run, sample_day(1), BV_PROD, CMK_ENCRYPTION_ENABLED);
    set_encryption(&run, sample_day(2), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    set_encryption(&run, sample_day(2), BV_PROD, CMK_ENCRYPTION_ENABLED);
    set_encryption(&run, sample_day(3), BV_PROD, CMK_ENCRYPTION_DISABLED);
    finish(&run, sample_day(60));
    cr_assert_eq(result(&run, 0)->verdict, CMK_VERDICT_VIOLATED);
    cr_assert_eq(result(&run, 0)->time, sample_day(2));
    cr_assert_eq(result(&run, 0)->seq, 2);
    cr_assert_str_eq(result(&run, 0)->values, WAS_INCONSISTENT);
    clear(&run);

    /* At the very start, before any record. */
    run = begin_one(IS_INCONSISTENT, (CmkExpectation){.kind = CMK_EXPECT_ALWAYS});
    check(&run, CMK_VERDICT_VIOLATED, sample_day(0),
          "backup_vault.bv-prod.encryption was Enabled, needed == Inconsistent");
}

Test(expect, never)
{
    Run run =
        begin_one("jobs(status = failed).count > 1", (CmkExpectation){.kind = CMK_EXPECT_NEVER});
    fail_backup(&run, sample_day(1), 0);
    backup(&run, sample_day(2));
    check(&run, CMK_VERDICT_HELD, sample_day(60), NULL);

    run = begin_one("jobs(status = failed).count > 1", (CmkExpectation){.kind = CMK_EXPECT_NEVER});
    fail_backup(&run, sample_day(1), 0);
    fail_backup(&run, sample_day(2), 0);
    fail_backup(&run, sample_day(3), 0);
    check(&run, CMK_VERDICT_VIOLATED, sample_day(2),
          "jobs(status = failed).count was 2, needed <= 1");
}

Test(expect, always_within_a_window)
{
    const CmkExpectation window = {.kind = CMK_EXPECT_ALWAYS, .from = AT(10), .until = AT(20)};
    /* Before and after it anything may be. */
    Run run = begin_one(ENABLED, window);
    set_encryption(&run, sample_day(1), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    set_encryption(&run, sample_day(9), BV_PROD, CMK_ENCRYPTION_ENABLED);
    set_encryption(&run, sample_day(20) + 1, BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    check(&run, CMK_VERDICT_HELD, sample_day(20), NULL);

    /* What ends right at its begin was never within it. */
    run = begin_one(ENABLED, window);
    set_encryption(&run, sample_day(1), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    set_encryption(&run, sample_day(10), BV_PROD, CMK_ENCRYPTION_ENABLED);
    check(&run, CMK_VERDICT_HELD, sample_day(20), NULL);

    /* What lasts into it, is. */
    run = begin_one(ENABLED, window);
    set_encryption(&run, sample_day(1), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    set_encryption(&run, sample_day(10) + 1, BV_PROD, CMK_ENCRYPTION_ENABLED);
    check(&run, CMK_VERDICT_VIOLATED, sample_day(10), WAS_INCONSISTENT);

    /* Also if nothing ever happens any more. */
    run = begin_one(ENABLED, window);
    set_encryption(&run, sample_day(1), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    check(&run, CMK_VERDICT_VIOLATED, sample_day(10), WAS_INCONSISTENT);

    /* Its first moment belongs to it, with all that happens then. */
    run = begin_one(ENABLED, window);
    set_encryption(&run, sample_day(10), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    set_encryption(&run, sample_day(10), BV_PROD, CMK_ENCRYPTION_ENABLED);
    check(&run, CMK_VERDICT_VIOLATED, sample_day(10), WAS_INCONSISTENT);

    run = begin_one(IS_INCONSISTENT, (CmkExpectation){.kind = CMK_EXPECT_ALWAYS, .from = AT(0)});
    set_encryption(&run, sample_day(0), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    check(&run, CMK_VERDICT_VIOLATED, sample_day(0),
          "backup_vault.bv-prod.encryption was Enabled, needed == Inconsistent");

    /* Its last moment belongs to it. */
    run = begin_one(ENABLED, window);
    set_encryption(&run, sample_day(20), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    check(&run, CMK_VERDICT_VIOLATED, sample_day(20), WAS_INCONSISTENT);
}

/* From right after the operation of one planned thing to right before that of another. */
Test(expect, always_between_steps)
{
    const CmkExpectation window = {.kind = CMK_EXPECT_ALWAYS,
                                   .from = {.plan = PLAN_REVOKE, .time = CMK_TIME_MAX},
                                   .until = {.plan = PLAN_REGRANT, .time = CMK_TIME_MAX}};
    const char *active = "fault.revoke.active == true";
    Run run = begin_one(active, window);
    set_encryption(&run, sample_day(20), BV_PROD, CMK_ENCRYPTION_ENABLED);
    (void)ask(&run, PLAN_REVOKE, CMK_STATUS_OK);
    set_encryption(&run, sample_day(21), BV_PROD, CMK_ENCRYPTION_ENABLED);
    (void)ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    check(&run, CMK_VERDICT_HELD, sample_day(27), NULL);

    run = begin_one(active, window);
    (void)ask(&run, PLAN_REVOKE, CMK_STATUS_OF(NOT_FOUND));
    check(&run, CMK_VERDICT_VIOLATED, sample_day(20),
          "fault.revoke.active was false, needed == true");

    run = begin_one("fault.revoke.active == false",
                    (CmkExpectation){.kind = CMK_EXPECT_ALWAYS,
                                     .from = {.plan = PLAN_REGRANT, .time = CMK_TIME_MAX}});
    (void)ask(&run, PLAN_REVOKE, CMK_STATUS_OK);
    (void)ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    check(&run, CMK_VERDICT_HELD, sample_day(60), NULL);
}

/* ---- at, eventually, final ------------------------------------------------------------------- */

Test(expect, at)
{
    const CmkExpectation at = {.kind = CMK_EXPECT_AT, .from = AT(10)};
    /* All that happens at the instant counts, what comes after it does not. */
    Run run = begin_one("jobs().count == 3", at);
    backup(&run, sample_day(9));
    backup(&run, sample_day(10));
    backup(&run, sample_day(10));
    backup(&run, sample_day(10) + 1);
    check(&run, CMK_VERDICT_HELD, sample_day(10), NULL);

    run = begin_one("jobs().count >= 3", at);
    backup(&run, sample_day(9));
    backup(&run, sample_day(10) + 1);
    backup(&run, sample_day(11));
    finish(&run, sample_day(60));
    cr_assert_eq(result(&run, 0)->verdict, CMK_VERDICT_VIOLATED);
    cr_assert_eq(result(&run, 0)->time, sample_day(10));
    cr_assert_eq(result(&run, 0)->seq, 1);
    cr_assert_str_eq(result(&run, 0)->values, "jobs().count was 1, needed >= 3");
    clear(&run);

    /* State fields as well: the world has moved on when that is known. */
    run = begin_one(ENABLED, at);
    set_encryption(&run, sample_day(11), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    check(&run, CMK_VERDICT_HELD, sample_day(10), NULL);

    /* The run ends right there, or just before it. */
    run = begin_one(ENABLED, at);
    finish(&run, sample_day(10));
    cr_assert_eq(result(&run, 0)->verdict, CMK_VERDICT_HELD);
    clear(&run);
    run = begin_one(ENABLED, at);
    finish(&run, sample_day(10) - 1);
    cr_assert_eq(result(&run, 0)->verdict, CMK_VERDICT_UNDECIDED);
    clear(&run);
}

Test(expect, eventually)
{
    const CmkExpectation within = {.kind = CMK_EXPECT_EVENTUALLY,
                                   .from = {.plan = PLAN_REGRANT, .time = CMK_TIME_MAX},
                                   .within_us = 2 * CMK_DAY_US};
    /* It holds at once if it does so after the step; that it held before is of no use. */
    Run run = begin_one("jobs().count == 1", within);
    backup(&run, sample_day(5));
    (void)ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    check(&run, CMK_VERDICT_HELD, sample_day(27), NULL);

    run = begin_one("jobs().count == 1", within);
    backup(&run, sample_day(5));
    backup(&run, sample_day(6));
    (void)ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    check(&run, CMK_VERDICT_VIOLATED, sample_day(29), "jobs().count was 2, needed == 1");

    /* The last moment belongs to the window. */
    run = begin_one("jobs().count == 1", within);
    (void)ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    backup(&run, sample_day(29));
    check(&run, CMK_VERDICT_HELD, sample_day(29), NULL);

    run = begin_one("jobs().count == 1", within);
    (void)ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    backup(&run, sample_day(29) + 1);
    check(&run, CMK_VERDICT_VIOLATED, sample_day(29), "jobs().count was 0, needed == 1");

    /* Once it has held it may cease to. */
    run = begin_one(ENABLED, within);
    set_encryption(&run, sample_day(26), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    (void)ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    set_encryption(&run, sample_day(28), BV_PROD, CMK_ENCRYPTION_ENABLED);
    set_encryption(&run, sample_day(28), BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    check(&run, CMK_VERDICT_HELD, sample_day(28), NULL);

    /* A run that ended within the window says nothing. */
    run = begin_one("jobs().count == 1", within);
    finish(&run, sample_day(28));
    cr_assert_eq(result(&run, 0)->verdict, CMK_VERDICT_UNDECIDED);
    clear(&run);
}

Test(expect, cut_short)
{
    static const CmkExpectationKind kinds[] = {CMK_EXPECT_ALWAYS, CMK_EXPECT_NEVER,
                                               CMK_EXPECT_FINAL};
    for (size_t i = 0; i < CMK_ARRAY_LEN(kinds); i++) {
        const bool is_never = kinds[i] == CMK_EXPECT_NEVER;
        Run run =
            begin_one(is_never ? IS_INCONSISTENT : ENABLED, (CmkExpectation){.kind = kinds[i]});
        finish(&run, sample_day(60) - 1);
        cr_assert_eq(result(&run, 0)->verdict, CMK_VERDICT_UNDECIDED);
        cr_assert_eq(cmk_expect_verdict(run.expect), CMK_VERDICT_UNDECIDED);
        clear(&run);
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
static void tell(Run *run)
{
    const uint64_t revoked = ask(run, PLAN_REVOKE, CMK_STATUS_OK);
    const uint64_t refused = refuse(run, sample_day(21), revoked);
    fail_backup(run, sample_day(21), refused);
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
    Run run = begin(texts, finals, CMK_ARRAY_LEN(truths));
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
    finish_with(&run, sample_day(60), &final);
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(truths); i++) {
        const bool holds = result(&run, i)->verdict == CMK_VERDICT_HELD;
        cr_expect(holds == truths[i].holds, "%s: %s", truths[i].text, result(&run, i)->values);
    }
    clear(&run);
}

Test(expect, what_is_not_known_does_not_hold)
{
    const char *texts[] = {"restore_check == ok", "restore_check != ok", "cost.net < 1 USD",
                           "cost.net >= 1 USD"};
    const CmkExpectation finals[] = {{.kind = CMK_EXPECT_FINAL},
                                     {.kind = CMK_EXPECT_FINAL},
                                     {.kind = CMK_EXPECT_FINAL},
                                     {.kind = CMK_EXPECT_FINAL}};
    Run run = begin(texts, finals, CMK_ARRAY_LEN(texts));
    finish(&run, sample_day(60));
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(texts); i++)
        cr_assert_eq(result(&run, i)->verdict, CMK_VERDICT_VIOLATED, "%s", texts[i]);
    clear(&run);
}

/* ---- sets that are kept up to date ----------------------------------------------------------- */

static void watch_set(const char *condition, void (*change)(Run *run))
{
    Run run = begin_one(condition, (CmkExpectation){.kind = CMK_EXPECT_ALWAYS});
    change(&run);
    check(&run, CMK_VERDICT_HELD, sample_day(60), NULL);
}

static void expire(Run *run)
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
static uint32_t make_points(Run *run)
{
    const uint32_t rows[] = {sample_point(run->world, ORDERS_DB, CMK_TIER_VAULT, GIB),
                             sample_point(run->world, WEB_DISK, CMK_TIER_OPERATIONAL, GIB),
                             sample_point(run->world, MEDIA, CMK_TIER_ARCHIVE, GIB)};
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(rows); i++)
        (void)sample_feed(run->expect, run->world, sample_day(1),
                          (CmkRecord){.result = rows[i], .args = {.op = CMK_OP_BACKUP_COMMIT}});
    return rows[0];
}

static void purge(Run *run, CmkTime time)
{
    ((CmkVersion *)sample_row(run->world, CMK_TABLE_VERSION, 1))->is_purged = 1;
    (void)sample_feed(run->expect, run->world, time,
                      (CmkRecord){.args = {.op = CMK_OP_KEY_PURGE, .ref = {[CMK_REF_KEY] = 1}}});
}

Test(expect, points)
{
    watch_set("points().count <= 1 and points(vault = bv-two).count == 0", expire);
    Run run = begin_one("points().count == 0 and points().bytes == 0 B",
                        (CmkExpectation){.kind = CMK_EXPECT_FINAL});
    expire(&run);
    check(&run, CMK_VERDICT_HELD, sample_day(60), NULL);

    run = begin_one("points().count > 0", (CmkExpectation){.kind = CMK_EXPECT_NEVER});
    expire(&run);
    check(&run, CMK_VERDICT_VIOLATED, sample_day(1), "points().count was 1, needed <= 0");
}

Test(expect, lost_points)
{
    Run run =
        begin_one("points(lost = true).count > 0", (CmkExpectation){.kind = CMK_EXPECT_NEVER});
    (void)make_points(&run);
    purge(&run, sample_day(5));
    check(&run, CMK_VERDICT_VIOLATED, sample_day(5),
          "points(lost = true).count was 2, needed <= 0");

    /* Taking up another version brings the points of that one vault back, as far as the table
     * knows. */
    run = begin_one(
        "points(lost = true, vault = bv-prod).count == 0 and points(lost = true).count == 1",
        (CmkExpectation){.kind = CMK_EXPECT_AT, .from = AT(6)});
    (void)make_points(&run);
    purge(&run, sample_day(5));
    ((CmkBackupVault *)sample_row(run.world, CMK_TABLE_BACKUP_VAULT, BV_PROD))->active_version = 2;
    (void)sample_feed(run.expect, run.world, sample_day(6),
                      (CmkRecord){.args = {.op = CMK_OP_ENCRYPTION_COMMIT,
                                           .ref = {[CMK_REF_BACKUP_VAULT] = BV_PROD}}});
    check(&run, CMK_VERDICT_HELD, sample_day(6), NULL);
}

/* A row that is handed out again is another point. */
Test(expect, recycled_point)
{
    Run run = begin_one("points(tier = vault).bytes == 3 GiB and points(tier = archive).count == 0",
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
    check(&run, CMK_VERDICT_HELD, sample_day(60), NULL);
}

/* An operation that names no vault may have changed all of them. */
Test(expect, vaults)
{
    Run run = begin_one("vaults(encryption = Inconsistent).count >= 2",
                        (CmkExpectation){.kind = CMK_EXPECT_NEVER});
    set_encryption(&run, sample_day(1), BV_TWO, CMK_ENCRYPTION_INCONSISTENT);
    ((CmkBackupVault *)sample_row(run.world, CMK_TABLE_BACKUP_VAULT, BV_PROD))->encryption =
        CMK_ENCRYPTION_INCONSISTENT;
    (void)sample_feed(
        run.expect, run.world, sample_day(2),
        (CmkRecord){.args = {.op = CMK_OP_IDENTITY_DELETE, .ref = {[CMK_REF_IDENTITY] = 1}}});
    check(&run, CMK_VERDICT_VIOLATED, sample_day(2),
          "vaults(encryption = Inconsistent).count was 2, needed < 2");
}

/* A vault that is not there any more is in no set. */
Test(expect, absent_vault)
{
    Run run = begin_one("vaults().count == 1 and vaults(region = westeurope).share == 100%",
                        (CmkExpectation){.kind = CMK_EXPECT_FINAL});
    ((CmkBackupVault *)sample_row(run.world, CMK_TABLE_BACKUP_VAULT, BV_TWO))->state =
        CMK_BACKUP_VAULT_ABSENT;
    set_encryption(&run, sample_day(1), BV_TWO, CMK_ENCRYPTION_ENABLED);
    check(&run, CMK_VERDICT_HELD, sample_day(60), NULL);
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
    Run run =
        prepare((const char *[]){"points().count == 3", "jobs().count == 0"},
                (CmkExpectation[]){{.kind = CMK_EXPECT_ALWAYS}, {.kind = CMK_EXPECT_ALWAYS}}, 2);
    (void)make_points(&run);
    backup(&run, SAMPLE_SCENARIO_START);
    cmk_expect_bind(run.expect, cmk_azure_model(), run.world);
    finish(&run, sample_day(60));
    cr_assert_eq(result(&run, 0)->verdict, CMK_VERDICT_HELD, "%s", result(&run, 0)->values);
    cr_assert_eq(result(&run, 1)->verdict, CMK_VERDICT_HELD, "%s", result(&run, 1)->values);
    clear(&run);
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
        Run run = begin(texts, finals, CMK_ARRAY_LEN(texts));
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
                set_encryption(&run, time, (uint32_t)g_rand_int_range(chance, 1, 3),
                               (CmkEncryption)g_rand_int_range(chance, 0, 3));
        }
        g_rand_free(chance);
        CmkExpect *fresh = cmk_expect_new(&run.sample->scenario, run.sample->diagnostics);
        cmk_expect_bind(fresh, cmk_azure_model(), run.world);
        finish(&run, sample_day(60));
        const CmkFinalValues final = {.restore_check = CMK_RESTORE_CHECK_NONE};
        cmk_expect_finish(fresh, run.world, &final);
        for (uint32_t i = 0; i < CMK_ARRAY_LEN(texts); i++)
            cr_assert_str_eq(result(&run, i)->values, cmk_expect_result(fresh, i)->values,
                             "seed %u", seed);
        cmk_expect_free(fresh);
        clear(&run);
    }
}

/* ---- faults and steps ------------------------------------------------------------------------ */

static bool is_vacuous(const Run *run, const char *part)
{
    for (uint32_t i = 0; i < cmk_expect_vacuous_count(run->expect); i++) {
        if (strstr(cmk_expect_vacuous(run->expect, i), part) != NULL)
            return true;
    }
    return false;
}

Test(expect, vacuous)
{
    Run run = begin(NULL, NULL, 0);
    finish(&run, sample_day(60));
    cr_assert_eq(cmk_expect_vacuous_count(run.expect), 4);
    cr_assert_str_eq(cmk_expect_vacuous(run.expect, 0),
                     "the fault `revoke`, role.revoke at +20d, never began");
    cr_assert_str_eq(cmk_expect_vacuous(run.expect, 1),
                     "the step backup.restore at +23d, was never asked for");
    cr_assert_eq(cmk_expect_verdict(run.expect), CMK_VERDICT_UNDECIDED);
    clear(&run);

    /* Asked for, but without consequence, or refused. */
    run = begin(NULL, NULL, 0);
    (void)ask(&run, PLAN_REVOKE, CMK_STATUS_OK);
    (void)ask(&run, PLAN_DETACH, CMK_STATUS_OF(NOT_FOUND));
    (void)refuse(&run, sample_day(40), 0);
    finish(&run, sample_day(60));
    cr_assert(is_vacuous(&run, "`revoke`, role.revoke at +20d, never met an operation"));
    cr_assert(is_vacuous(&run, "could do nothing: ResourceNotFound"));
    clear(&run);

    /* Blamed at first hand. */
    run = begin(NULL, NULL, 0);
    const uint64_t revoked = ask(&run, PLAN_REVOKE, CMK_STATUS_OK);
    (void)refuse(&run, sample_day(21), revoked);
    (void)ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    finish(&run, sample_day(60));
    cr_assert(!is_vacuous(&run, "revoke"));
    cr_assert(!is_vacuous(&run, "regrant"));
    cr_assert(is_vacuous(&run, "detach"));
    clear(&run);

    /* Blamed through a record that came from it; also one of its end. */
    run = begin(NULL, NULL, 0);
    (void)ask(&run, PLAN_REVOKE, CMK_STATUS_OK);
    (void)ask(&run, PLAN_DETACH, CMK_STATUS_OK);
    const CmkRecord propagated = {.args = {.op = CMK_OP_ROLE_PROPAGATE, .origin = PLAN_REVOKE}};
    (void)refuse(&run, sample_day(30),
                 sample_feed(run.expect, run.world, sample_day(30), propagated));
    (void)refuse(&run, sample_day(31), ask(&run, PLAN_DETACH_END, CMK_STATUS_OK));
    finish(&run, sample_day(60));
    cr_assert(!is_vacuous(&run, "revoke"));
    cr_assert(!is_vacuous(&run, "detach"));
    clear(&run);
}

/* A fault that breaks the settings has met something, without any refusal. */
static void detach(Run *run)
{
    CmkBackupVault *vault = sample_row(run->world, CMK_TABLE_BACKUP_VAULT, BV_PROD);
    vault->encryption = CMK_ENCRYPTION_INCONSISTENT;
    vault->encryption_by = cmk_world_next_seq(run->world);
    /* That of the other vault was broken before, by something else. */
    ((CmkBackupVault *)sample_row(run->world, CMK_TABLE_BACKUP_VAULT, BV_TWO))->encryption =
        CMK_ENCRYPTION_INCONSISTENT;
    (void)ask(run, PLAN_DETACH, CMK_STATUS_OK);
}

Test(expect, settings_broken_and_mended)
{
    static const char *const texts[] = {"time_to_recover.detach == 36h",
                                        "fault.detach.active == false"};
    static const CmkExpectation finals[] = {{.kind = CMK_EXPECT_FINAL}, {.kind = CMK_EXPECT_FINAL}};
    Run run = begin(texts, finals, 2);
    detach(&run);
    uint32_t unrecovered = 0;
    cr_assert_eq(
        cmk_consequences_touched(cmk_expect_consequences(run.expect), PLAN_DETACH, &unrecovered),
        1);
    (void)ask(&run, PLAN_DETACH_END, CMK_STATUS_OK);
    set_encryption(&run, sample_day(30) + 35 * CMK_HOUR_US, BV_PROD, CMK_ENCRYPTION_INCONSISTENT);
    set_encryption(&run, sample_day(30) + 36 * CMK_HOUR_US, BV_PROD, CMK_ENCRYPTION_ENABLED);
    finish(&run, sample_day(60));
    cr_assert(!is_vacuous(&run, "detach"));
    cr_assert_eq(result(&run, 0)->verdict, CMK_VERDICT_HELD, "%s", result(&run, 0)->values);
    cr_assert_eq(result(&run, 1)->verdict, CMK_VERDICT_HELD, "%s", result(&run, 1)->values);
    clear(&run);

    run = begin(texts, finals, 2);
    detach(&run);
    finish(&run, sample_day(60));
    cr_assert_str_eq(result(&run, 0)->values, "time_to_recover.detach was nothing, needed == 36h");
    cr_assert_str_eq(result(&run, 1)->values, "fault.detach.active was true, needed == false");
    clear(&run);
}

static int64_t time_to_recover(const Run *run, uint32_t fault)
{
    return cmk_consequences_time_to_recover(cmk_expect_consequences(run->expect), fault);
}

Test(expect, time_to_recover)
{
    Run run = begin(NULL, NULL, 0);
    const uint64_t revoked = ask(&run, PLAN_REVOKE, CMK_STATUS_OK);
    uint32_t unrecovered = 0;
    cr_assert_eq(time_to_recover(&run, PLAN_REVOKE), -1);
    /* A job that fails for another reason does not count. */
    fail_backup(&run, sample_day(21), refuse(&run, sample_day(21), 0));
    cr_assert_eq(
        cmk_consequences_touched(cmk_expect_consequences(run.expect), PLAN_REVOKE, &unrecovered),
        0);
    fail_backup(&run, sample_day(21), revoked);
    cr_assert_eq(
        cmk_consequences_touched(cmk_expect_consequences(run.expect), PLAN_REVOKE, &unrecovered),
        0);
    fail_backup(&run, sample_day(21), refuse(&run, sample_day(21), revoked));
    fail_backup(&run, sample_day(21), refuse(&run, sample_day(21), revoked));
    cr_assert_eq(
        cmk_consequences_touched(cmk_expect_consequences(run.expect), PLAN_REVOKE, &unrecovered),
        1);
    cr_assert_eq(unrecovered, 1);
    /* A snapshot needs no key, and another vault's job proves nothing. */
    (void)sample_feed_job(run.expect, run.world, sample_day(22),
                          (SampleJob){.kind = CMK_TASK_BACKUP,
                                      .op = CMK_OP_BACKUP_COMMIT,
                                      .vault = BV_PROD,
                                      .instance = WEB_DISK});
    (void)sample_feed_job(run.expect, run.world, sample_day(22),
                          (SampleJob){.kind = CMK_TASK_BACKUP,
                                      .op = CMK_OP_BACKUP_COMMIT,
                                      .vault = BV_TWO,
                                      .instance = MEDIA});
    cr_assert_eq(time_to_recover(&run, PLAN_REVOKE), -1);
    backup(&run, sample_day(24));
    cr_assert_eq(time_to_recover(&run, PLAN_REVOKE), 4 * CMK_DAY_US);
    /* It may be touched again, then the last recovery counts. */
    fail_backup(&run, sample_day(25), refuse(&run, sample_day(25), revoked));
    cr_assert_eq(time_to_recover(&run, PLAN_REVOKE), -1);
    backup(&run, sample_day(28));
    backup(&run, sample_day(29));
    cr_assert_eq(time_to_recover(&run, PLAN_REVOKE), 8 * CMK_DAY_US);
    clear(&run);
}

static const CmkExpectResult *step_result(Run *run)
{
    finish(run, sample_day(60));
    cr_assert_eq(cmk_expect_count(run->expect), 1);
    return result(run, 0);
}

/* The restore of day 23 is expected to end well. */
Test(expect, status_of_a_step)
{
    Run run = begin(NULL, NULL, 0);
    (void)ask(&run, PLAN_RESTORE, CMK_STATUS_OF(POINT_NOT_FOUND));
    const CmkExpectResult *step = step_result(&run);
    cr_assert_eq(step->verdict, CMK_VERDICT_VIOLATED);
    cr_assert_str_eq(step->text, "step at +23d backup.restore: expected ok, got "
                                 "SimErrorRecoveryPointNotFound");
    cr_assert_eq(cmk_expect_verdict(run.expect), CMK_VERDICT_VIOLATED);
    clear(&run);

    run = begin(NULL, NULL, 0);
    step = step_result(&run);
    cr_assert_eq(step->verdict, CMK_VERDICT_UNDECIDED);
    clear(&run);
}

static Run restore(CmkOpId op, uint64_t started_by)
{
    Run run = begin(NULL, NULL, 0);
    const uint64_t seq = ask(&run, PLAN_RESTORE, CMK_STATUS_OK);
    if (op != CMK_OP_NONE)
        (void)sample_feed_job(run.expect, run.world, sample_day(24),
                              (SampleJob){.kind = CMK_TASK_RESTORE,
                                          .op = op,
                                          .vault = BV_PROD,
                                          .instance = ORDERS_DB,
                                          .code = CMK_STATUS_OF(AUTH_FAILURE),
                                          .started_by = started_by == 0 ? seq : started_by,
                                          .origin = PLAN_RESTORE});
    return run;
}

/* The status is that of the job which the operation started. */
Test(expect, status_of_a_job)
{
    Run run = restore(CMK_OP_RESTORE_COMMIT, 0);
    const CmkExpectResult *step = step_result(&run);
    cr_assert_eq(step->verdict, CMK_VERDICT_HELD);
    cr_assert_eq(step->time, sample_day(24));
    clear(&run);

    run = restore(CMK_OP_TASK_FAIL, 0);
    step = step_result(&run);
    cr_assert_eq(step->verdict, CMK_VERDICT_VIOLATED);
    cr_assert_str_eq(step->text, "step at +23d backup.restore: expected ok, got "
                                 "UserErrorCMKKeyVaultAuthFailure");
    cr_assert_eq(step->time, sample_day(24));
    cr_assert_eq(step->seq, 2);
    clear(&run);

    /* Another job of the same origin is not it; one that has not ended says nothing. */
    run = restore(CMK_OP_TASK_FAIL, 77);
    cr_assert_eq(step_result(&run)->verdict, CMK_VERDICT_UNDECIDED);
    clear(&run);
    run = restore(CMK_OP_NONE, 0);
    step = step_result(&run);
    cr_assert_eq(step->verdict, CMK_VERDICT_UNDECIDED);
    cr_assert_str_eq(step->text, "step at +23d backup.restore: expected ok, the job has not ended");
    clear(&run);
}

/* Who writes a code means all statuses that have it; who writes a name means that one. */
Test(expect, status_by_code_and_by_name)
{
    static const struct {
        const char *yaml;
        CmkStatus status;
        CmkVerdict verdict;
    } rows[] = {
        {"- {expect_status: Forbidden}\n", CMK_STATUS_OF(FORBIDDEN_BY_RBAC), CMK_VERDICT_HELD},
        {"- {expect_status: Forbidden}\n", CMK_STATUS_OF(ACCESS_DENIED), CMK_VERDICT_HELD},
        {"- {expect_status: Forbidden}\n", CMK_STATUS_OF(NOT_FOUND), CMK_VERDICT_VIOLATED},
        {"- {expect_status: ACCESS_DENIED}\n", CMK_STATUS_OF(ACCESS_DENIED), CMK_VERDICT_HELD},
        {"- {expect_status: ACCESS_DENIED}\n", CMK_STATUS_OF(FORBIDDEN_BY_RBAC),
         CMK_VERDICT_VIOLATED},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(rows); i++) {
        Run run = {.sample = sample_scenario_new(rows[i].yaml), .world = sample_scenario_world()};
        CmkPlanned *step = &g_array_index(run.sample->scenario.plan, CmkPlanned, PLAN_RESTORE - 1);
        step->node = sample_scenario_text(run.sample, 0);
        step->expect_status = CMK_STATUS_ROW_ACCESS_DENIED;
        run.expect = cmk_expect_new(&run.sample->scenario, run.sample->diagnostics);
        cmk_expect_bind(run.expect, cmk_azure_model(), run.world);
        (void)ask(&run, PLAN_RESTORE, rows[i].status);
        cr_assert_eq(step_result(&run)->verdict, rows[i].verdict, "%s: %s", rows[i].yaml,
                     result(&run, 0)->text);
        cr_assert_eq(result(&run, 0)->at.line, 1);
        clear(&run);
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* All that is planned, or all but the regrant, which only asks. */
static Run complete_run(bool has_regrant)
{
    Run run = begin_one(ENABLED, (CmkExpectation){.kind = CMK_EXPECT_ALWAYS});
    (void)refuse(&run, sample_day(21), ask(&run, PLAN_REVOKE, CMK_STATUS_OK));
    const uint64_t seq = ask(&run, PLAN_RESTORE, CMK_STATUS_OK);
    (void)sample_feed_job(run.expect, run.world, sample_day(24),
                          (SampleJob){.kind = CMK_TASK_RESTORE,
                                      .op = CMK_OP_RESTORE_COMMIT,
                                      .vault = BV_PROD,
                                      .instance = ORDERS_DB,
                                      .started_by = seq,
                                      .origin = PLAN_RESTORE});
    if (has_regrant)
        (void)ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    (void)refuse(&run, sample_day(30), ask(&run, PLAN_DETACH, CMK_STATUS_OK));
    finish(&run, sample_day(60));
    return run;
}

Test(expect, verdict_of_the_run)
{
    Run run = complete_run(true);
    cr_assert_eq(cmk_expect_vacuous_count(run.expect), 0);
    cr_assert_eq(cmk_expect_count(run.expect), 2);
    cr_assert_eq(cmk_expect_verdict(run.expect), CMK_VERDICT_HELD);
    cr_assert_str_eq(result(&run, 0)->text, ENABLED);
    cr_assert_eq(result(&run, 0)->at.column, 3);
    clear(&run);

    run = complete_run(false);
    cr_assert_eq(cmk_expect_vacuous_count(run.expect), 1);
    cr_assert_eq(result(&run, 0)->verdict, CMK_VERDICT_HELD);
    cr_assert_eq(result(&run, 1)->verdict, CMK_VERDICT_HELD);
    cr_assert_eq(cmk_expect_verdict(run.expect), CMK_VERDICT_UNDECIDED);
    clear(&run);
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
