/* Continuous backups of blobs and restores to a moment (BK-3, BK-D2, BK-15). The operational store
 * reaches back two days. */
#include <criterion/criterion.h>

#include "models/continuous.h"
#include "models/plan.h"
#include "models/points.h"
#include "tests/unit/models/estate.h"

static Estate *make(void)
{
    Estate *estate =
        estate_new(&(EstateOptions){.has_operational = true, .datasource = "AzureBlob"});
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

static CmkTime at_hour(int64_t hour)
{
    return ESTATE_START + hour * CMK_HOUR_US;
}

static void run_to(Estate *estate, int64_t hour)
{
    estate_run_until(estate, at_hour(hour));
}

/* The queue of the operational store, and its first span. */
static const CmkQueue *queue_of(const Estate *estate)
{
    const CmkQueueId first = {
        cmk_instance(estate->sim.world, (CmkInstanceId){ESTATE_INSTANCE})->first_queue};
    cr_assert(cmk_queue_is_continuous(estate->sim.world, first));
    return cmk_queue(estate->sim.world, first);
}

static CmkPointId span_of(const Estate *estate)
{
    return (CmkPointId){queue_of(estate)->first_point};
}

static void expect_window(const Estate *estate, CmkPointId id, CmkTime first, CmkTime last)
{
    cr_expect_eq(cmk_point_first_moment(estate->sim.world, id), first);
    cr_expect_eq(cmk_point_last_moment(estate->sim.world, id), last);
    cr_expect(cmk_point_covers(estate->sim.world, id, first));
    cr_expect(cmk_point_covers(estate->sim.world, id, last));
    cr_expect_not(cmk_point_covers(estate->sim.world, id, first - 1));
    cr_expect_not(cmk_point_covers(estate->sim.world, id, last + 1));
}

/* Restores what the timeline would choose; gives the record of the request. */
static const CmkRecord *restore(Estate *estate, CmkOpId op, int64_t choice)
{
    CmkArgs args = estate_args(estate, op);
    args.num[0] = choice;
    args.ref[CMK_REF_POINT] = cmk_plan_choose_point(estate->sim.world, &args).i;
    (void)estate_apply(estate, &args);
    return estate_last(estate, op);
}

/* No backup starts by the schedule but for the vault, and no byte is stored. */
Test(continuous, has_no_scheduled_snapshots)
{
    Estate *estate = make();
    run_to(estate, 3 * 24);
    cr_assert_eq(queue_of(estate)->point_count, 1);
    const CmkRecord *record = NULL;
    for (uint32_t i = 0; (record = estate_nth(estate, CMK_OP_BACKUP_START, i)) != NULL; i++) {
        const CmkQueueId queue = {record->args.ref[CMK_REF_QUEUE]};
        cr_assert_eq(cmk_queue(estate->sim.world, queue)->store, CMK_STORE_VAULT);
    }
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_START), 3);
    cr_assert_eq(cmk_point(estate->sim.world, span_of(estate))->bytes, 0);
    estate_free(estate);
}

/* It begins with the protection, before the scenario does, and follows the retention. */
Test(continuous, a_span_reaches_back_as_far_as_the_retention)
{
    Estate *estate = make();
    const CmkTime begun = cmk_point(estate->sim.world, span_of(estate))->created;
    cr_assert_leq(begun, ESTATE_START);
    run_to(estate, 24);
    expect_window(estate, span_of(estate), begun, at_hour(24));
    run_to(estate, 72);
    expect_window(estate, span_of(estate), at_hour(24), at_hour(72));
    run_to(estate, 24 * 20);
    expect_window(estate, span_of(estate), at_hour(24 * 18), at_hour(24 * 20));
    estate_free(estate);
}

/* BK-15: suspended, it passes but for its last moment; stopped, it stays as it is. A new span
 * begins when backups are made again, and the time between is in none. */
Test(continuous, a_halt_ends_the_span)
{
    static const CmkOpId halts[] = {CMK_OP_INSTANCE_SUSPEND_BACKUPS,
                                    CMK_OP_INSTANCE_STOP_PROTECTION};
    for (size_t i = 0; i < CMK_ARRAY_LEN(halts); i++) {
        Estate *estate = make();
        const bool is_kept = halts[i] == CMK_OP_INSTANCE_STOP_PROTECTION;
        run_to(estate, 72);
        (void)estate_must(estate, halts[i]);
        run_to(estate, 96);
        expect_window(estate, span_of(estate), at_hour(is_kept ? 24 : 48), at_hour(72));
        run_to(estate, 24 * 9);
        expect_window(estate, span_of(estate), at_hour(is_kept ? 24 : 72), at_hour(72));
        cr_assert_eq(queue_of(estate)->point_count, 1, "the latest moment stays");
        (void)estate_must(estate, CMK_OP_INSTANCE_RESUME_PROTECTION);
        run_to(estate, 24 * 9 + 1);
        expect_window(estate, (CmkPointId){queue_of(estate)->last_point}, at_hour(24 * 9),
                      at_hour(24 * 9 + 1));
        run_to(estate, 24 * 10);
        cr_assert_eq(queue_of(estate)->point_count, 1, "the old span has passed");
        estate_free(estate);
    }
}

/* What has passed under one policy, or before a stop, does not come back. */
Test(continuous, what_has_passed_stays_gone)
{
    Estate *estate = make();
    run_to(estate, 72);
    (void)estate_must(estate, CMK_OP_INSTANCE_SUSPEND_BACKUPS);
    run_to(estate, 96);
    (void)estate_must(estate, CMK_OP_INSTANCE_STOP_PROTECTION);
    run_to(estate, 24 * 9);
    expect_window(estate, span_of(estate), at_hour(48), at_hour(72));
    estate_free(estate);

    estate = make();
    run_to(estate, 72);
    CmkPolicy *other = cmk_world_row_mut(estate->sim.world, CMK_TABLE_POLICY, ESTATE_SHORT_POLICY);
    other->retention[CMK_TAG_DEFAULT].operational.us = 5 * CMK_DAY_US;
    CmkArgs args = estate_args(estate, CMK_OP_INSTANCE_CHANGE_POLICY);
    args.ref[CMK_REF_POLICY] = ESTATE_SHORT_POLICY;
    (void)estate_must_apply(estate, args);
    cr_assert_str_eq(estate->trouble, "");
    run_to(estate, 96);
    expect_window(estate, span_of(estate), at_hour(24), at_hour(96));
    cr_assert_eq(queue_of(estate)->point_count, 1, "and the span goes on");
    estate_free(estate);
}

/* A restore to a moment: from the span exactly, else from the latest point of the vault before it;
 * in the pair, which has no snapshots, always so. The job remembers to which moment. */
Test(continuous, a_restore_goes_to_the_moment_or_the_point_before)
{
    const struct {
        CmkOpId op;
        int64_t choice;
        CmkTime restored_to; /* 0: refused */
        CmkTier tier;
    } cases[] = {
        {CMK_OP_BACKUP_RESTORE, at_hour(50) + 7, at_hour(50) + 7, CMK_TIER_OPERATIONAL},
        {CMK_OP_BACKUP_RESTORE, at_hour(48), at_hour(48), CMK_TIER_OPERATIONAL},
        {CMK_OP_BACKUP_RESTORE, at_hour(48) - 1, at_hour(26), CMK_TIER_VAULT},
        {CMK_OP_BACKUP_RESTORE, at_hour(26), at_hour(26), CMK_TIER_VAULT},
        {CMK_OP_BACKUP_RESTORE, at_hour(26) - 1, at_hour(2), CMK_TIER_VAULT},
        {CMK_OP_BACKUP_RESTORE, at_hour(2) - 1, 0, CMK_TIER_VAULT},
        {CMK_OP_BACKUP_RESTORE, at_hour(96) + 1, 0, CMK_TIER_VAULT},
        {CMK_OP_BACKUP_RESTORE, CMK_POINT_LATEST, at_hour(96), CMK_TIER_OPERATIONAL},
        {CMK_OP_BACKUP_RESTORE, CMK_POINT_LATEST_VAULT, at_hour(74), CMK_TIER_VAULT},
        {CMK_OP_BACKUP_RESTORE, CMK_POINT_OLDEST, at_hour(2), CMK_TIER_VAULT},
        {CMK_OP_BACKUP_RESTORE_IN_PAIR, at_hour(50) + 7, at_hour(50), CMK_TIER_VAULT},
        {CMK_OP_BACKUP_RESTORE_IN_PAIR, CMK_POINT_LATEST, at_hour(74), CMK_TIER_VAULT},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = estate_new(&(EstateOptions){
            .has_operational = true, .datasource = "AzureBlob", .redundancy = CMK_REDUNDANCY_GEO});
        (void)estate_must(estate, CMK_OP_BACKUP_VAULT_ENABLE_CROSS_REGION_RESTORE);
        run_to(estate, 96);
        cr_assert_str_eq(estate->trouble, "");
        const CmkRecord *record = restore(estate, cases[i].op, cases[i].choice);
        if (cases[i].restored_to == 0) {
            cr_expect_eq(record->guard, CMK_GUARD_MOMENT_IS_COVERED, "case %zu", i);
        } else {
            const CmkTask *task = cmk_task(estate->sim.world, (CmkTaskId){record->result});
            const CmkPoint *point = cmk_point(estate->sim.world, (CmkPointId){task->point});
            cr_expect_eq(record->status, CMK_STATUS_OK, "case %zu", i);
            cr_expect_eq(task->restored_to, cases[i].restored_to, "case %zu", i);
            cr_expect_eq(point->tier, cases[i].tier, "case %zu", i);
        }
        estate_free(estate);
    }
}

/* BK-36: with the key disabled a span is restored and a point of the vault is not. */
Test(continuous, touches_no_key)
{
    Estate *estate = make();
    run_to(estate, 96);
    CmkArgs disable = estate_args(estate, CMK_OP_KEY_UPDATE);
    disable.num[0] = CMK_SAYS_FALSE;
    (void)estate_must_apply(estate, disable);
    estate_rewind(estate);
    (void)restore(estate, CMK_OP_BACKUP_RESTORE, at_hour(90));
    run_to(estate, 97);
    estate_run(estate, CMK_MINUTE_US);
    cr_assert_eq(estate_count(estate, CMK_OP_RESTORE_COMMIT), 1);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_GET), 0);
    (void)restore(estate, CMK_OP_BACKUP_RESTORE, at_hour(30));
    estate_run(estate, CMK_MINUTE_US);
    cr_assert_eq(estate_count(estate, CMK_OP_TASK_FAIL), 1);
    estate_free(estate);
}

/* With the instance the span goes too. */
Test(continuous, goes_with_its_instance)
{
    Estate *estate = make();
    run_to(estate, 96);
    (void)estate_must(estate, CMK_OP_INSTANCE_DELETE);
    run_to(estate, 120);
    expect_window(estate, span_of(estate), at_hour(48), at_hour(96));
    estate_run(estate, 14 * CMK_DAY_US);
    cr_assert_eq(queue_of(estate)->point_count, 0);
    estate_free(estate);
}
