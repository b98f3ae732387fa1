/* What expectations know of the faults and steps of a scenario. */
#include <string.h>

#include <criterion/criterion.h>

#include "tests/unit/analysis/expect_run.h"

/* ---- faults and steps ------------------------------------------------------------------------ */

static bool is_vacuous(const ExpectRun *run, const char *part)
{
    for (uint32_t i = 0; i < cmk_expect_vacuous_count(run->expect); i++) {
        if (strstr(cmk_expect_vacuous(run->expect, i), part) != NULL)
            return true;
    }
    return false;
}

Test(expect, vacuous)
{
    ExpectRun run = expect_begin(NULL, NULL, 0);
    expect_finish(&run, sample_day(60));
    cr_assert_eq(cmk_expect_vacuous_count(run.expect), 4);
    cr_assert_str_eq(cmk_expect_vacuous(run.expect, 0),
                     "the fault `revoke`, role.revoke at +20d, never began");
    cr_assert_str_eq(cmk_expect_vacuous(run.expect, 1),
                     "the step backup.restore at +23d, was never asked for");
    cr_assert_eq(cmk_expect_verdict(run.expect), CMK_VERDICT_UNDECIDED);
    expect_clear(&run);

    /* Asked for, but without consequence, or refused. */
    run = expect_begin(NULL, NULL, 0);
    (void)expect_ask(&run, PLAN_REVOKE, CMK_STATUS_OK);
    (void)expect_ask(&run, PLAN_DETACH, CMK_STATUS_OF(NOT_FOUND));
    (void)expect_refuse(&run, sample_day(40), 0);
    expect_finish(&run, sample_day(60));
    cr_assert(is_vacuous(&run, "`revoke`, role.revoke at +20d, never met an operation"));
    cr_assert(is_vacuous(&run, "could do nothing: ResourceNotFound"));
    expect_clear(&run);

    /* Blamed at first hand. */
    run = expect_begin(NULL, NULL, 0);
    const uint64_t revoked = expect_ask(&run, PLAN_REVOKE, CMK_STATUS_OK);
    (void)expect_refuse(&run, sample_day(21), revoked);
    (void)expect_ask(&run, PLAN_REGRANT, CMK_STATUS_OK);
    expect_finish(&run, sample_day(60));
    cr_assert(!is_vacuous(&run, "revoke"));
    cr_assert(!is_vacuous(&run, "regrant"));
    cr_assert(is_vacuous(&run, "detach"));
    expect_clear(&run);

    /* Blamed through a record that came from it; also one of its end. */
    run = expect_begin(NULL, NULL, 0);
    (void)expect_ask(&run, PLAN_REVOKE, CMK_STATUS_OK);
    (void)expect_ask(&run, PLAN_DETACH, CMK_STATUS_OK);
    const CmkRecord propagated = {.args = {.op = CMK_OP_ROLE_PROPAGATE, .origin = PLAN_REVOKE}};
    (void)expect_refuse(&run, sample_day(30),
                        sample_feed(run.expect, run.world, sample_day(30), propagated));
    (void)expect_refuse(&run, sample_day(31), expect_ask(&run, PLAN_DETACH_END, CMK_STATUS_OK));
    expect_finish(&run, sample_day(60));
    cr_assert(!is_vacuous(&run, "revoke"));
    cr_assert(!is_vacuous(&run, "detach"));
    expect_clear(&run);
}

/* A fault that breaks the settings has met something, without any refusal. */
static void detach(ExpectRun *run)
{
    CmkBackupVault *vault = sample_row(run->world, CMK_TABLE_BACKUP_VAULT, BV_PROD);
    vault->encryption = CMK_ENCRYPTION_INCONSISTENT;
    vault->encryption_by = cmk_world_next_seq(run->world);
    /* That of the other vault was broken before, by something else. */
    ((CmkBackupVault *)sample_row(run->world, CMK_TABLE_BACKUP_VAULT, BV_TWO))->encryption =
        CMK_ENCRYPTION_INCONSISTENT;
    (void)expect_ask(run, PLAN_DETACH, CMK_STATUS_OK);
}

Test(expect, settings_broken_and_mended)
{
    static const char *const texts[] = {"time_to_recover.detach == 36h",
                                        "fault.detach.active == false"};
    static const CmkExpectation finals[] = {{.kind = CMK_EXPECT_FINAL}, {.kind = CMK_EXPECT_FINAL}};
    ExpectRun run = expect_begin(texts, finals, 2);
    detach(&run);
    uint32_t unrecovered = 0;
    cr_assert_eq(
        cmk_consequences_touched(cmk_expect_consequences(run.expect), PLAN_DETACH, &unrecovered),
        1);
    (void)expect_ask(&run, PLAN_DETACH_END, CMK_STATUS_OK);
    expect_set_encryption(&run, sample_day(30) + 35 * CMK_HOUR_US, BV_PROD,
                          CMK_ENCRYPTION_INCONSISTENT);
    expect_set_encryption(&run, sample_day(30) + 36 * CMK_HOUR_US, BV_PROD, CMK_ENCRYPTION_ENABLED);
    expect_finish(&run, sample_day(60));
    cr_assert(!is_vacuous(&run, "detach"));
    cr_assert_eq(expect_result(&run, 0)->verdict, CMK_VERDICT_HELD, "%s",
                 expect_result(&run, 0)->values);
    cr_assert_eq(expect_result(&run, 1)->verdict, CMK_VERDICT_HELD, "%s",
                 expect_result(&run, 1)->values);
    expect_clear(&run);

    run = expect_begin(texts, finals, 2);
    detach(&run);
    expect_finish(&run, sample_day(60));
    cr_assert_str_eq(expect_result(&run, 0)->values,
                     "time_to_recover.detach was nothing, needed == 36h");
    cr_assert_str_eq(expect_result(&run, 1)->values,
                     "fault.detach.active was true, needed == false");
    expect_clear(&run);
}

/* An end that is refused is one: somebody was faster. Of several requests one success counts. */
Test(expect, ends_that_are_refused)
{
    ExpectRun run = expect_begin(NULL, NULL, 0);
    const CmkConsequences *consequences = cmk_expect_consequences(run.expect);
    (void)expect_ask(&run, PLAN_DETACH, CMK_STATUS_OK);
    cr_assert(cmk_consequences_fate(consequences, PLAN_DETACH)->is_active);
    (void)expect_ask(&run, PLAN_DETACH_END, CMK_STATUS_OF(CONFLICT));
    cr_assert(!cmk_consequences_fate(consequences, PLAN_DETACH)->is_active);
    cr_assert_eq(cmk_consequences_fate(consequences, PLAN_DETACH_END)->status,
                 CMK_STATUS_OF(CONFLICT));
    (void)expect_ask(&run, PLAN_DETACH_END, CMK_STATUS_OK);
    (void)expect_ask(&run, PLAN_DETACH_END, CMK_STATUS_OF(CONFLICT));
    cr_assert_eq(cmk_consequences_fate(consequences, PLAN_DETACH_END)->status, CMK_STATUS_OK);
    expect_clear(&run);
}

static int64_t time_to_recover(const ExpectRun *run, uint32_t fault)
{
    return cmk_consequences_time_to_recover(cmk_expect_consequences(run->expect), fault);
}

Test(expect, time_to_recover)
{
    ExpectRun run = expect_begin(NULL, NULL, 0);
    const uint64_t revoked = expect_ask(&run, PLAN_REVOKE, CMK_STATUS_OK);
    uint32_t unrecovered = 0;
    cr_assert_eq(time_to_recover(&run, PLAN_REVOKE), -1);
    /* A job that fails for another reason does not count. */
    expect_fail_backup(&run, sample_day(21), expect_refuse(&run, sample_day(21), 0));
    cr_assert_eq(
        cmk_consequences_touched(cmk_expect_consequences(run.expect), PLAN_REVOKE, &unrecovered),
        0);
    expect_fail_backup(&run, sample_day(21), revoked);
    cr_assert_eq(
        cmk_consequences_touched(cmk_expect_consequences(run.expect), PLAN_REVOKE, &unrecovered),
        0);
    expect_fail_backup(&run, sample_day(21), expect_refuse(&run, sample_day(21), revoked));
    expect_fail_backup(&run, sample_day(21), expect_refuse(&run, sample_day(21), revoked));
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
    expect_backup(&run, sample_day(24));
    cr_assert_eq(time_to_recover(&run, PLAN_REVOKE), 4 * CMK_DAY_US);
    /* It may be touched again, then the last recovery counts. */
    expect_fail_backup(&run, sample_day(25), expect_refuse(&run, sample_day(25), revoked));
    cr_assert_eq(time_to_recover(&run, PLAN_REVOKE), -1);
    expect_backup(&run, sample_day(28));
    expect_backup(&run, sample_day(29));
    cr_assert_eq(time_to_recover(&run, PLAN_REVOKE), 8 * CMK_DAY_US);
    expect_clear(&run);
}

static const CmkExpectResult *step_result(ExpectRun *run)
{
    expect_finish(run, sample_day(60));
    cr_assert_eq(cmk_expect_count(run->expect), 1);
    return expect_result(run, 0);
}

/* The restore of day 23 is expected to end well. */
Test(expect, status_of_a_step)
{
    ExpectRun run = expect_begin(NULL, NULL, 0);
    (void)expect_ask(&run, PLAN_RESTORE, CMK_STATUS_OF(POINT_NOT_FOUND));
    const CmkExpectResult *step = step_result(&run);
    cr_assert_eq(step->verdict, CMK_VERDICT_VIOLATED);
    cr_assert_str_eq(step->text, "step at +23d backup.restore: expected ok, got "
                                 "SimErrorRecoveryPointNotFound");
    cr_assert_eq(cmk_expect_verdict(run.expect), CMK_VERDICT_VIOLATED);
    expect_clear(&run);

    run = expect_begin(NULL, NULL, 0);
    step = step_result(&run);
    cr_assert_eq(step->verdict, CMK_VERDICT_UNDECIDED);
    expect_clear(&run);
}

static ExpectRun restore(CmkOpId op, uint64_t started_by)
{
    ExpectRun run = expect_begin(NULL, NULL, 0);
    const uint64_t seq = expect_ask(&run, PLAN_RESTORE, CMK_STATUS_OK);
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
    ExpectRun run = restore(CMK_OP_RESTORE_COMMIT, 0);
    const CmkExpectResult *step = step_result(&run);
    cr_assert_eq(step->verdict, CMK_VERDICT_HELD);
    cr_assert_eq(step->time, sample_day(24));
    expect_clear(&run);

    run = restore(CMK_OP_TASK_FAIL, 0);
    step = step_result(&run);
    cr_assert_eq(step->verdict, CMK_VERDICT_VIOLATED);
    cr_assert_str_eq(step->text, "step at +23d backup.restore: expected ok, got "
                                 "UserErrorCMKKeyVaultAuthFailure");
    cr_assert_eq(step->time, sample_day(24));
    cr_assert_eq(step->seq, 2);
    expect_clear(&run);

    /* Another job of the same origin is not it; one that has not ended says nothing. */
    run = restore(CMK_OP_TASK_FAIL, 77);
    cr_assert_eq(step_result(&run)->verdict, CMK_VERDICT_UNDECIDED);
    expect_clear(&run);
    run = restore(CMK_OP_NONE, 0);
    step = step_result(&run);
    cr_assert_eq(step->verdict, CMK_VERDICT_UNDECIDED);
    cr_assert_str_eq(step->text, "step at +23d backup.restore: expected ok, the job has not ended");
    expect_clear(&run);
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
        ExpectRun run = {.sample = sample_scenario_new(rows[i].yaml),
                         .world = sample_scenario_world()};
        CmkPlanned *step = &g_array_index(run.sample->scenario.plan, CmkPlanned, PLAN_RESTORE - 1);
        step->node = sample_scenario_text(run.sample, 0);
        step->expect_status = CMK_STATUS_ROW_ACCESS_DENIED;
        run.expect = cmk_expect_new(&run.sample->scenario, run.sample->diagnostics);
        cmk_expect_bind(run.expect, cmk_azure_model(), run.world);
        (void)expect_ask(&run, PLAN_RESTORE, rows[i].status);
        cr_assert_eq(step_result(&run)->verdict, rows[i].verdict, "%s: %s", rows[i].yaml,
                     expect_result(&run, 0)->text);
        cr_assert_eq(expect_result(&run, 0)->at.line, 1);
        expect_clear(&run);
    }
}
