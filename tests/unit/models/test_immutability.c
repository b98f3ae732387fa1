/* What protects backup data over time (BV-5 to BV-9): immutability keeps points until they expire
 * and lets them go then, whatever else happens. Backups are at 02:00, maintenance is at 06:00. */
#include <criterion/criterion.h>

#include <inttypes.h>

#include "models/points.h"
#include "tests/unit/models/estate.h"
#include "tests/unit/models/random_plan.h"

static Estate *make(void)
{
    Estate *estate =
        estate_new(&(EstateOptions){.datasource = "AzureDatabaseForMySQL", .retention_days = 5});
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

static void set(Estate *estate, CmkOpId op, int64_t value)
{
    CmkArgs args = estate_args(estate, op);
    args.num[0] = value;
    (void)estate_must_apply(estate, args);
    cr_assert_str_eq(estate->trouble, "");
}

static uint32_t points_of(const Estate *estate)
{
    return cmk_queue(estate->sim.world, (CmkQueueId){1})->point_count;
}

/* BV-9: nobody deletes, but time does; and once all points are gone the instance may go too. */
Test(immutability, points_expire_as_ever_and_nothing_else_takes_them)
{
    Estate *estate = make();
    set(estate, CMK_OP_BACKUP_VAULT_SET_IMMUTABILITY, CMK_IMMUTABILITY_LOCKED);
    estate_run(estate, 10 * CMK_DAY_US);
    cr_assert_eq(points_of(estate), 5);
    cr_assert_gt(estate_count(estate, CMK_OP_POINT_EXPIRE), 0);
    cr_assert_eq(estate_try(estate, CMK_OP_INSTANCE_DELETE).status,
                 CMK_STATUS_OF(VAULT_IS_IMMUTABLE));
    (void)estate_must(estate, CMK_OP_INSTANCE_SUSPEND_BACKUPS);
    estate_run(estate, 10 * CMK_DAY_US);
    cr_assert_eq(points_of(estate), 1, "the latest is kept (BK-15), its time is over");
    cr_assert_eq(estate_try(estate, CMK_OP_INSTANCE_DELETE).status, CMK_STATUS_OK);
    estate_free(estate);
}

/* IMM-2: a date that was set before stays, and the points go on it. */
Test(immutability, what_was_deleted_before_keeps_its_date)
{
    Estate *estate = make();
    estate_run(estate, 3 * CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_INSTANCE_DELETE);
    set(estate, CMK_OP_BACKUP_VAULT_SET_IMMUTABILITY, CMK_IMMUTABILITY_UNLOCKED);
    estate_run(estate, 14 * CMK_DAY_US - CMK_SECOND_US);
    cr_assert_eq(points_of(estate), 3);
    estate_run(estate, CMK_SECOND_US);
    cr_assert_eq(points_of(estate), 0);
    cr_assert_eq(cmk_instance(estate->sim.world, (CmkInstanceId){ESTATE_INSTANCE})->state,
                 CMK_INSTANCE_PURGED);
    estate_free(estate);
}

/* OQ-36: a month that begins in March is as long as 31 days, or not. */
Test(immutability, retention_is_compared_as_months_are_meant)
{
    for (uint32_t is_by_calendar = 0; is_by_calendar < 2; is_by_calendar++) {
        EstateOptions options = {.datasource = "AzureDatabaseForMySQL", .retention_days = 31};
        options.knobs[CMK_KNOB_MONTHS_BY_CALENDAR] = is_by_calendar + 1;
        Estate *estate = estate_new(&options);
        set(estate, CMK_OP_BACKUP_VAULT_SET_IMMUTABILITY, CMK_IMMUTABILITY_UNLOCKED);
        CmkPolicy *policy =
            cmk_world_row_mut(estate->sim.world, CMK_TABLE_POLICY, ESTATE_SHORT_POLICY);
        policy->retention[CMK_TAG_DEFAULT].vault = (CmkPeriod){.months = 1};
        CmkArgs args = estate_args(estate, CMK_OP_INSTANCE_CHANGE_POLICY);
        args.ref[CMK_REF_POLICY] = ESTATE_SHORT_POLICY;
        cr_expect_eq(estate_apply(estate, &args).guard,
                     is_by_calendar ? CMK_GUARD_NONE : CMK_GUARD_RETENTION_IS_NOT_REDUCED);
        estate_free(estate);
    }
}

/* A vault that is made again under the name of a protected one is as any new one. */
Test(immutability, a_new_vault_under_an_old_name_is_protected_by_nothing)
{
    Estate *estate = make();
    CmkArgs args = estate_args(estate, CMK_OP_BACKUP_VAULT_CREATE);
    args.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
    (void)estate_must_apply(estate, args);
    static const CmkOpId protections[] = {CMK_OP_BACKUP_VAULT_SET_IMMUTABILITY,
                                          CMK_OP_BACKUP_VAULT_SET_CROSS_SUBSCRIPTION_RESTORE,
                                          CMK_OP_BACKUP_VAULT_SET_RESOURCE_GUARD};
    for (size_t i = 0; i < CMK_ARRAY_LEN(protections); i++) {
        CmkArgs protect = estate_args(estate, protections[i]);
        protect.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
        protect.num[0] = 2;
        (void)estate_must_apply(estate, protect);
    }
    const CmkBackupVaultId id = {ESTATE_ABSENT_VAULT};
    cr_assert_eq(cmk_backup_vault(estate->sim.world, id)->immutability, CMK_IMMUTABILITY_LOCKED);
    CmkArgs delete = estate_args(estate, CMK_OP_BACKUP_VAULT_DELETE);
    delete.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
    (void)estate_must_apply(estate, delete);
    estate_run(estate, CMK_HOUR_US);
    (void)estate_must_apply(estate, args);
    cr_assert_str_eq(estate->trouble, "");
    const CmkBackupVault *vault = cmk_backup_vault(estate->sim.world, id);
    cr_expect_eq(vault->immutability, CMK_IMMUTABILITY_DISABLED);
    cr_expect_eq(vault->cross_subscription, CMK_CROSS_SUBSCRIPTION_ENABLED);
    cr_expect_eq(vault->resource_guard, 0);
    estate_free(estate);
}

/* ---- in any run ------------------------------------------------------------------------------ */

typedef struct Watch {
    uint64_t seed;
    uint64_t immutable_since; /* record that made ESTATE_VAULT immutable, 0 while it is not */
    uint64_t deleted_by;      /* the last deletion of an instance */
    uint32_t expired;
    uint32_t refused;
} Watch;

static void watch(void *self, const CmkWorld *world, const CmkRecord *record)
{
    Watch *seen = self;
    const CmkArgs *args = &record->args;
    const bool is_immutable =
        cmk_backup_vault(world, (CmkBackupVaultId){ESTATE_VAULT})->immutability !=
        CMK_IMMUTABILITY_DISABLED;
    if (!is_immutable) {
        seen->immutable_since = 0;
    } else if (seen->immutable_since == 0) {
        seen->immutable_since = record->seq;
    }
    seen->refused += record->status == CMK_STATUS_OF(VAULT_IS_IMMUTABLE);
    if (record->status != CMK_STATUS_OK) {
        return;
    }
    seen->deleted_by = args->op == CMK_OP_INSTANCE_DELETE ? record->seq : seen->deleted_by;
    const bool is_removal = args->op == CMK_OP_POINT_EXPIRE || args->op == CMK_OP_POINT_PURGE;
    const CmkPointId id = {record->result};
    if (!is_removal || !is_immutable || cmk_point(world, id)->tier == CMK_TIER_OPERATIONAL) {
        return;
    }
    seen->expired += args->op == CMK_OP_POINT_EXPIRE;
    const bool is_over = cmk_point_expires(world, id) <= cmk_world_now(world);
    cr_assert(is_over || (args->op == CMK_OP_POINT_PURGE &&
                          seen->deleted_by < seen->immutable_since), /* IMM-2 */
              "seed %" PRIu64 ", record %" PRIu64, seen->seed, record->seq);
}

/* BV-9, whatever people and time do. */
Test(immutability, no_point_goes_before_its_time_in_any_run)
{
    uint32_t expired = 0;
    uint32_t refused = 0;
    for (uint64_t seed = 1; seed <= 240; seed++) {
        CmkPlanRow rows[RANDOM_PLAN_ROWS];
        EstateOptions options = random_plan(seed, rows);
        options.is_not_self_checking = true;
        Watch seen = {.seed = seed};
        Estate *estate = estate_new_read(&options, &(CmkReader){watch, &seen}, 1);
        set(estate, CMK_OP_BACKUP_VAULT_SET_IMMUTABILITY, CMK_IMMUTABILITY_UNLOCKED);
        estate_run(estate, (RANDOM_PLAN_DAYS + 8) * CMK_DAY_US);
        expired += seen.expired > 0;
        refused += seen.refused > 0;
        estate_free(estate);
    }
    cr_assert_gt(expired, 20, "hardly any run let points expire meanwhile: %u", expired);
    cr_assert_gt(refused, 5, "hardly any run refused anything: %u", refused);
}
