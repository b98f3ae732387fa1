#include "tests/unit/analysis/expect_run.h"

#include <criterion/criterion.h>

ExpectRun expect_prepare(const char *const *conditions, const CmkExpectation *expectations,
                         uint32_t count)
{
    GString *yaml = g_string_new(NULL);
    for (uint32_t i = 0; i < count; i++)
        g_string_append_printf(yaml, "- \"%s\"\n", conditions[i]);
    if (count == 0)
        g_string_append(yaml, "- nothing\n");
    ExpectRun run = {.sample = sample_scenario_new(yaml->str), .world = sample_scenario_world()};
    for (uint32_t i = 0; i < count; i++)
        sample_scenario_expect(run.sample, expectations[i]);
    g_string_free(yaml, TRUE);
    run.expect = cmk_expect_new(&run.sample->scenario, run.sample->diagnostics);
    if (run.expect == NULL)
        cr_assert_fail("%s", cmk_diagnostics_get(run.sample->diagnostics, 0)->message);
    return run;
}

ExpectRun expect_begin(const char *const *conditions, const CmkExpectation *expectations,
                       uint32_t count)
{
    ExpectRun run = expect_prepare(conditions, expectations, count);
    cmk_expect_bind(run.expect, cmk_azure_model(), run.world);
    return run;
}

ExpectRun expect_begin_one(const char *condition, CmkExpectation expectation)
{
    return expect_begin(&condition, &expectation, 1);
}

void expect_finish_with(ExpectRun *run, CmkTime time, const CmkFinalValues *final)
{
    if (time > cmk_world_now(run->world))
        cmk_world_set_now(run->world, time);
    cmk_expect_finish(run->expect, run->world, final);
}

void expect_finish(ExpectRun *run, CmkTime time)
{
    const CmkFinalValues final = {.restore_check = CMK_RESTORE_CHECK_NONE};
    expect_finish_with(run, time, &final);
}

void expect_clear(ExpectRun *run)
{
    cmk_expect_free(run->expect);
    cmk_world_free(run->world);
    sample_scenario_free(run->sample);
}

const CmkExpectResult *expect_result(const ExpectRun *run, uint32_t index)
{
    return cmk_expect_result(run->expect, index);
}

/* Ends the run and checks the first expectation. */
void expect_check(ExpectRun *run, CmkVerdict verdict, CmkTime time, const char *values)
{
    expect_finish(run, sample_day(60));
    const CmkExpectResult *first = expect_result(run, 0);
    cr_assert_eq(first->verdict, verdict, "%s: %s", first->text, first->values);
    cr_assert_eq(first->time, time, "%s: after %" G_GINT64_FORMAT " h, %s", first->text,
                 (first->time - SAMPLE_SCENARIO_START) / CMK_HOUR_US, first->values);
    if (values == NULL)
        cr_assert(first->values == NULL);
    else
        cr_assert_str_eq(first->values, values);
    expect_clear(run);
}

void expect_set_encryption(ExpectRun *run, CmkTime time, uint32_t row, CmkEncryption encryption)
{
    CmkBackupVault *vault = sample_row(run->world, CMK_TABLE_BACKUP_VAULT, row);
    vault->encryption = encryption;
    (void)sample_feed(run->expect, run->world, time,
                      (CmkRecord){.args = {.op = CMK_OP_ENCRYPTION_RESTORE,
                                           .ref = {[CMK_REF_BACKUP_VAULT] = row}}});
}

void expect_backup(ExpectRun *run, CmkTime time)
{
    (void)sample_feed_job(run->expect, run->world, time,
                          (SampleJob){.kind = CMK_TASK_BACKUP,
                                      .op = CMK_OP_BACKUP_COMMIT,
                                      .vault = BV_PROD,
                                      .instance = ORDERS_DB});
}

void expect_fail_backup(ExpectRun *run, CmkTime time, uint64_t cause_seq)
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
uint64_t expect_ask(ExpectRun *run, uint32_t plan, CmkStatus status)
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

uint64_t expect_refuse(ExpectRun *run, CmkTime time, uint64_t blame_seq)
{
    return sample_feed(
        run->expect, run->world, time,
        (CmkRecord){.status = CMK_STATUS_OF(FORBIDDEN_BY_RBAC),
                    .blame_seq = blame_seq,
                    .args = {.op = CMK_OP_KEY_UNWRAP,
                             .ref = {[CMK_REF_BACKUP_VAULT] = BV_PROD, [CMK_REF_KEY_VAULT] = 1}}});
}
