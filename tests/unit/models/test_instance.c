/* The life of an instance: suspended, stopped, resumed, under another policy, deleted, taken back,
 * gone; and what it costs meanwhile (BK-15, BK-23, BV-6 to BV-8, COST-19, COST-20). Backups are at
 * 02:00 and are whole copies, maintenance is at 06:00. */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <string.h>

#include "models/gauge.h"
#include "models/points.h"
#include "tests/unit/models/estate.h"

#define SIZE (100 * GB)

static Estate *make(EstateOptions options)
{
    if (options.datasource == NULL) {
        options.datasource = "AzureDatabaseForMySQL";
    }
    options.size_bytes = SIZE;
    Estate *estate = estate_new(&options);
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

static void run_to(Estate *estate, int64_t day)
{
    estate_run_until(estate, ESTATE_START + day * CMK_DAY_US);
}

static uint32_t points_of(const Estate *estate)
{
    return cmk_queue(estate->sim.world, (CmkQueueId){1})->point_count;
}

static int64_t byte_days(const Estate *estate, CmkGaugeKind kind)
{
    const CmkIntegral integral =
        cmk_gauge_integral(estate->sim.world, (CmkBackupVaultId){ESTATE_VAULT}, kind);
    return (int64_t)(integral / (uint64_t)CMK_DAY_US);
}

static int64_t level(const Estate *estate, CmkGaugeKind kind)
{
    return cmk_gauge_level(estate->sim.world, (CmkBackupVaultId){ESTATE_VAULT}, kind);
}

/* BK-15: suspended, points expire but for the latest; stopped, none does; resumed, all again. */
Test(instance, suspended_backups_keep_the_latest_point_and_stopped_protection_all)
{
    const struct {
        CmkOpId op;
        uint32_t left;
        uint32_t expiries;
    } cases[] = {{CMK_OP_INSTANCE_SUSPEND_BACKUPS, 1, 2}, {CMK_OP_INSTANCE_STOP_PROTECTION, 3, 0}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make((EstateOptions){.retention_days = 5});
        run_to(estate, 3);
        (void)estate_must(estate, cases[i].op);
        estate_rewind(estate);
        run_to(estate, 20);
        cr_expect_eq(points_of(estate), cases[i].left, "%u left", points_of(estate));
        cr_expect_eq(estate_count(estate, CMK_OP_BACKUP_START), 0, "no schedule is left");
        cr_expect_eq(estate_count(estate, CMK_OP_EXPIRY_START), cases[i].expiries,
                     "maintenance does not ask for what is held");
        cr_expect_eq(level(estate, CMK_GAUGE_INSTANCES), 1, "it is still charged");
        (void)estate_must(estate, CMK_OP_INSTANCE_RESUME_PROTECTION);
        run_to(estate, 26);
        cr_expect_eq(estate_count(estate, CMK_OP_BACKUP_START), 6, "one a day again");
        cr_expect_eq(points_of(estate), 5, "old points are gone, of the new ones 5 are kept: %u",
                     points_of(estate));
        estate_free(estate);
    }
}

/* What was overdue is not while nothing has to go, and is again when it has. */
Test(instance, stopped_protection_leaves_nothing_overdue)
{
    Estate *estate = make((EstateOptions){.retention_days = 2});
    run_to(estate, 1);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    run_to(estate, 4);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), SIZE);
    (void)estate_must(estate, CMK_OP_INSTANCE_STOP_PROTECTION);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), 0);
    run_to(estate, 6);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), 0);
    (void)estate_must(estate, CMK_OP_INSTANCE_RESUME_PROTECTION);
    run_to(estate, 7);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), SIZE);
    estate_free(estate);
}

/* BK-15, BK-22, COST-22: of what is overdue only the latest point is not due any more while backups
 * are suspended; the rest goes on to cost without a gap. */
Test(instance, suspended_backups_leave_overdue_what_still_expires)
{
    Estate *estate = make((EstateOptions){.retention_days = 2});
    run_to(estate, 2);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    run_to(estate, 4);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), 2 * SIZE);
    const int64_t before = byte_days(estate, CMK_GAUGE_OVERDUE_VAULT);
    (void)estate_must(estate, CMK_OP_INSTANCE_SUSPEND_BACKUPS);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), SIZE);
    run_to(estate, 7);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), SIZE);
    cr_assert_eq(byte_days(estate, CMK_GAUGE_OVERDUE_VAULT) - before, 3 * SIZE);
    estate_free(estate);
}

static void change_policy(Estate *estate, uint32_t policy)
{
    CmkArgs args = estate_args(estate, CMK_OP_INSTANCE_CHANGE_POLICY);
    args.ref[CMK_REF_POLICY] = policy;
    (void)estate_must_apply(estate, args);
}

/* Under a policy that keeps points as long they stay overdue, under one that keeps them longer they
 * do not (COST-22). */
Test(instance, another_policy_forgives_only_what_it_keeps_longer)
{
    Estate *estate =
        make((EstateOptions){.datasource = "AzureDataLakeStorage", .retention_days = 3});
    change_policy(estate, ESTATE_SHORT_POLICY);
    run_to(estate, 2);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    run_to(estate, 3);
    const int64_t overdue = level(estate, CMK_GAUGE_OVERDUE_VAULT); /* the point of day 0 */
    cr_assert_gt(overdue, 0);
    change_policy(estate, ESTATE_SHORT_POLICY);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), overdue, "nothing is another way");
    change_policy(estate, ESTATE_POLICY);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), 0, "it has two hours left");
    run_to(estate, 4);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), overdue);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* Points that are there go by the new policy too. */
Test(instance, another_policy_is_for_the_points_so_far_as_well)
{
    Estate *estate = make((EstateOptions){.retention_days = 5});
    run_to(estate, 4);
    const CmkTime before = cmk_point_expires(estate->sim.world, (CmkPointId){1});
    change_policy(estate, ESTATE_SHORT_POLICY);
    cr_assert_eq(cmk_point_expires(estate->sim.world, (CmkPointId){1}), before - CMK_DAY_US);
    run_to(estate, 5);
    cr_assert_eq(points_of(estate), 4, "one more and one less: %u", points_of(estate));
    cr_assert_eq(estate_count(estate, CMK_OP_POINT_EXPIRE), 1);
    estate_free(estate);
}

static void set_soft_delete(Estate *estate, CmkSoftDelete mode, int64_t days)
{
    CmkArgs args = estate_args(estate, CMK_OP_BACKUP_VAULT_SET_SOFT_DELETE);
    args.num[0] = mode;
    args.num[1] = days;
    (void)estate_must_apply(estate, args);
}

/* COST-19, its own example: 60 days of retention, taken back on day 52: 46 charged, 6 free. */
Test(instance, deleted_data_is_free_in_its_last_14_days)
{
    Estate *estate = make((EstateOptions){.retention_days = 300});
    set_soft_delete(estate, CMK_SOFT_DELETE_ON, 60);
    run_to(estate, 1);
    const int64_t before = byte_days(estate, CMK_GAUGE_VAULT);
    (void)estate_must(estate, CMK_OP_INSTANCE_DELETE);
    cr_assert_eq(level(estate, CMK_GAUGE_INSTANCES), 0);
    run_to(estate, 1 + 52);
    (void)estate_must(estate, CMK_OP_INSTANCE_UNDELETE);
    cr_assert_eq(level(estate, CMK_GAUGE_INSTANCES), 1);
    cr_assert_eq(byte_days(estate, CMK_GAUGE_VAULT) - before, 52 * SIZE);
    cr_assert_eq(byte_days(estate, CMK_GAUGE_FREE_VAULT), 6 * SIZE);
    run_to(estate, 70);
    cr_assert_eq(byte_days(estate, CMK_GAUGE_FREE_VAULT), 6 * SIZE, "charged again");
    cr_assert_eq(points_of(estate), 1, "and no point has gone (BV-8)");
    /* The bill has what is not free: 23 hours of the first day are not even, so at day 70. */
    CmkCostItem items[32];
    CmkPriceBook book;
    cmk_price_book_init(&book);
    const uint32_t count = cmk_cost_items(estate->sim.world, &book, items, CMK_ARRAY_LEN(items));
    int64_t billed = -1;
    for (uint32_t i = 0; i < count; i++) {
        billed = strcmp(items[i].meter, "vault_tier") == 0 ? items[i].quantity : billed;
    }
    const CmkIntegral stored =
        cmk_gauge_integral(estate->sim.world, (CmkBackupVaultId){ESTATE_VAULT}, CMK_GAUGE_VAULT);
    const CmkIntegral mb_hour = (CmkIntegral)1000000 * (uint64_t)CMK_HOUR_US;
    cr_assert_eq(billed, (int64_t)(stored / mb_hour) - 6 * 24 * (SIZE / 1000000));
    estate_free(estate);
}

/* COST-20: snapshots are charged to their end. */
Test(instance, deleted_snapshots_are_never_free)
{
    Estate *estate =
        make((EstateOptions){.has_operational = true, .datasource = "AzureKubernetesService"});
    run_to(estate, 1);
    (void)estate_must(estate, CMK_OP_INSTANCE_DELETE);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(level(estate, CMK_GAUGE_FREE_VAULT), SIZE, "14 days are all free");
    cr_assert_eq(level(estate, CMK_GAUGE_OPERATIONAL), SIZE);
    const int64_t before = byte_days(estate, CMK_GAUGE_OPERATIONAL);
    run_to(estate, 10);
    cr_assert_geq(byte_days(estate, CMK_GAUGE_OPERATIONAL) - before, 8 * SIZE);
    run_to(estate, 16);
    cr_assert_eq(level(estate, CMK_GAUGE_OPERATIONAL), 0, "purged after 14 days");
    cr_assert_eq(level(estate, CMK_GAUGE_VAULT), 0);
    cr_assert_eq(level(estate, CMK_GAUGE_FREE_VAULT), 0);
    estate_free(estate);
}

/* Deletion asks for no key (assumed): what has become useless can be got rid of. */
Test(instance, data_under_a_lost_key_can_be_deleted)
{
    Estate *estate = make((EstateOptions){.retention_days = 5});
    run_to(estate, 3);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    (void)estate_must(estate, CMK_OP_INSTANCE_DELETE);
    run_to(estate, 3 + 14);
    cr_assert_eq(points_of(estate), 0);
    cr_assert_eq(cmk_instance(estate->sim.world, (CmkInstanceId){ESTATE_INSTANCE})->state,
                 CMK_INSTANCE_PURGED);
    estate_free(estate);
}

static uint32_t shown(const Estate *estate, uint32_t instance)
{
    return cmk_instance_shown(estate->sim.world, (CmkInstanceId){instance});
}

/* BK-23: it shows an error after so many failed backups in a row, and goes on to be backed up,
 * until one completes. Backups of a day begin at 02:00 and end at 02:30. */
Test(instance, shows_an_error_while_its_backups_fail)
{
    for (int64_t limit = 0; limit <= 3; limit++) {
        EstateOptions options = {.retention_days = 30};
        options.knobs[CMK_KNOB_FAILED_BACKUPS_TO_PROTECTION_ERROR] = limit + 1;
        Estate *estate = make(options);
        run_to(estate, 1);
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        for (int64_t failed = 1; failed <= 4; failed++) {
            run_to(estate, 1 + failed);
            const bool is_enough = limit != 0 && failed >= limit;
            cr_assert_eq(shown(estate, ESTATE_INSTANCE),
                         is_enough ? CMK_INSTANCE_ERROR : CMK_INSTANCE_PROTECTED,
                         "%" PRId64 " of %" PRId64, failed, limit);
        }
        cr_assert_eq(estate_count(estate, CMK_OP_TASK_FAIL), 4, "it remains scheduled");
        (void)estate_must(estate, CMK_OP_INSTANCE_SUSPEND_BACKUPS);
        cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_SUSPENDED);
        (void)estate_must(estate, CMK_OP_INSTANCE_RESUME_PROTECTION);
        cr_assert_eq(shown(estate, ESTATE_INSTANCE),
                     limit != 0 ? CMK_INSTANCE_ERROR : CMK_INSTANCE_PROTECTED,
                     "none has completed meanwhile");
        (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
        run_to(estate, 6);
        cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_PROTECTED);
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        run_to(estate, 7);
        cr_assert_eq(shown(estate, ESTATE_INSTANCE),
                     limit == 1 ? CMK_INSTANCE_ERROR : CMK_INSTANCE_PROTECTED,
                     "they are counted from the first again");
        estate_free(estate);
    }
}

/* A snapshot that works tells nothing of the copies in the vault, which alone need the key. */
Test(instance, shows_an_error_while_backups_to_one_store_fail)
{
    EstateOptions options = {.has_operational = true, .datasource = "AzureKubernetesService"};
    Estate *estate = make(options);
    run_to(estate, 1);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    estate_rewind(estate);
    run_to(estate, 2);
    cr_assert_neq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 0, "snapshots");
    cr_assert_eq(estate_count(estate, CMK_OP_TASK_FAIL), 1);
    cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_ERROR);
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    run_to(estate, 3);
    cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_PROTECTED);
    estate_free(estate);
}

static Estate *make_slow(EstateOptions options)
{
    options.retention_days = 30;
    options.knobs[CMK_KNOB_PROTECTION_DURATION] = CMK_HOUR_US + 1;
    options.knobs[CMK_KNOB_OUTAGE_HITS_BACKUP_VAULTS] = 1 + 1;
    return make(options);
}

static void protect_idle(Estate *estate)
{
    CmkArgs args = estate_args(estate, CMK_OP_INSTANCE_PROTECT);
    args.ref[CMK_REF_INSTANCE] = ESTATE_IDLE_INSTANCE;
    (void)estate_must_apply(estate, args);
}

/* BK-23: while it is configured an instance is not backed up, though a backup was due at 02:00, and
 * costs nothing, yet it is one of the vault's. */
Test(instance, is_configured_before_it_is_protected)
{
    Estate *estate = make_slow((EstateOptions){0});
    cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_PROTECTED, "set up long before");
    estate_run(estate, CMK_HOUR_US + 30 * CMK_MINUTE_US);
    protect_idle(estate);
    cr_assert_eq(shown(estate, ESTATE_IDLE_INSTANCE), CMK_INSTANCE_CONFIGURING);
    cr_assert_eq(level(estate, CMK_GAUGE_INSTANCES), 1);
    estate_run(estate, CMK_HOUR_US - 1);
    cr_assert_eq(shown(estate, ESTATE_IDLE_INSTANCE), CMK_INSTANCE_CONFIGURING);
    cr_assert_eq(estate_vault(estate)->first_instance, ESTATE_IDLE_INSTANCE);
    estate_run(estate, 1);
    cr_assert_eq(shown(estate, ESTATE_IDLE_INSTANCE), CMK_INSTANCE_PROTECTED);
    cr_assert_eq(level(estate, CMK_GAUGE_INSTANCES), 2);
    run_to(estate, 1);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_START), 1, "that of the other instance");
    run_to(estate, 2);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_START), 3);
    estate_free(estate);
}

/* BK-23: when its time comes the region is lost or the service fails; then nothing is protected or
 * charged, and somebody may try again. */
Test(instance, may_fail_to_be_configured)
{
    const CmkOpId troubles[][2] = {{CMK_OP_REGION_LOSE, CMK_OP_REGION_RETURN},
                                   {CMK_OP_SERVICE_FAIL, CMK_OP_SERVICE_RECOVER}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(troubles); i++) {
        Estate *estate = make_slow((EstateOptions){0});
        estate_run(estate, 3 * CMK_HOUR_US);
        protect_idle(estate);
        (void)estate_must(estate, troubles[i][0]);
        estate_run(estate, CMK_HOUR_US);
        cr_assert_eq(shown(estate, ESTATE_IDLE_INSTANCE), CMK_INSTANCE_CONFIGURING_FAILED);
        cr_assert_eq(estate_vault(estate)->first_instance, ESTATE_INSTANCE, "none of the vault's");
        cr_assert_eq(level(estate, CMK_GAUGE_INSTANCES), 1);
        (void)estate_must(estate, troubles[i][1]);
        estate_run(estate, CMK_HOUR_US);
        cr_assert_eq(shown(estate, ESTATE_IDLE_INSTANCE), CMK_INSTANCE_CONFIGURING_FAILED);
        protect_idle(estate);
        estate_run(estate, CMK_HOUR_US);
        cr_assert_eq(shown(estate, ESTATE_IDLE_INSTANCE), CMK_INSTANCE_PROTECTED);
        cr_assert_eq(level(estate, CMK_GAUGE_INSTANCES), 2);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* BK-23: a new policy and a deletion hold at once and are shown as under way for a while; the last
 * operation says for how long. */
Test(instance, changes_and_deletions_are_shown_while_they_last)
{
    Estate *estate = make_slow((EstateOptions){.datasource = "AzureDataLakeStorage"});
    run_to(estate, 3);
    change_policy(estate, ESTATE_SHORT_POLICY);
    cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_UPDATING);
    estate_run(estate, CMK_HOUR_US - 1);
    change_policy(estate, ESTATE_POLICY);
    estate_run(estate, CMK_HOUR_US - 1);
    cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_UPDATING);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_START), 3);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_PROTECTED);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_START), 4, "it is backed up meanwhile");
    (void)estate_must(estate, CMK_OP_INSTANCE_STOP_PROTECTION);
    change_policy(estate, ESTATE_SHORT_POLICY);
    cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_UPDATING);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_STOPPED);
    (void)estate_must(estate, CMK_OP_INSTANCE_DELETE);
    cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_SOFT_DELETING);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_SOFT_DELETED);
    run_to(estate, 30);
    cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_PURGED, "the purge came as ever");
    estate_free(estate);
}

/* BK-23, BV-7: soft delete is switched off while the deletion lasts. */
Test(instance, a_purge_ends_what_is_shown)
{
    Estate *estate = make_slow((EstateOptions){0});
    run_to(estate, 3);
    (void)estate_must(estate, CMK_OP_INSTANCE_DELETE);
    set_soft_delete(estate, CMK_SOFT_DELETE_OFF, 0);
    estate_run(estate, 1);
    cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_PURGED);
    estate_free(estate);
}

/* BV-6: once nothing of it is left, an instance of the same name can be protected as any other; it
 * has no points before its first backup, and is deleted and purged like the first one. */
Test(instance, can_be_protected_anew_once_it_is_purged)
{
    Estate *estate = estate_new(NULL);
    const CmkArgs protect = estate_args(estate, CMK_OP_INSTANCE_PROTECT);
    for (int64_t life = 0; life < 2; life++) {
        run_to(estate, 2 + life * 30);
        cr_expect_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 2);
        (void)estate_must(estate, CMK_OP_INSTANCE_DELETE);
        cr_expect_eq(estate_apply(estate, &protect).guard, CMK_GUARD_INSTANCE_IS_ABSENT);
        run_to(estate, 30 + life * 30);
        cr_expect_eq(estate_vault(estate)->first_instance, 0, "it is in its vault no more");
        estate_rewind(estate);
        (void)estate_must_apply(estate, protect);
    }
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* BK-18: a job that was under way when its instance was deleted leaves no point. */
Test(instance, a_backup_of_a_deleted_instance_is_cancelled_at_its_commit)
{
    Estate *estate = make((EstateOptions){.retention_days = 5});
    estate_run(estate, 2 * CMK_HOUR_US + CMK_MINUTE_US);
    (void)estate_must(estate, CMK_OP_INSTANCE_DELETE);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_TASK_FAIL), 1);
    cr_assert_eq(estate_last(estate, CMK_OP_TASK_FAIL)->args.num[0], CMK_STATUS_OF(JOB_CANCELLED));
    cr_assert_eq(points_of(estate), 0);
    (void)estate_must(estate, CMK_OP_INSTANCE_UNDELETE);
    (void)estate_must(estate, CMK_OP_INSTANCE_RESUME_PROTECTION);
    cr_assert_eq(shown(estate, ESTATE_INSTANCE), CMK_INSTANCE_PROTECTED, "it has not failed");
    estate_free(estate);
}
