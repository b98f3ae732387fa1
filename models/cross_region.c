/* Backup vaults when their own region is lost, and restores in its pair (BV-4, BK-27, OQ-34). */
#include "models/model.h"
#include "models/mutate.h"
#include "models/points.h"
#include "models/region.h"
#include "models/repairs.h"
#include "models/rows.h"

/* Of a vault that is not there the request says where it is to be, or where to look for it. */
static CmkRegionId own_region(const CmkWorld *world, const CmkArgs *args)
{
    switch (args->op) {
    case CMK_OP_BACKUP_VAULT_CREATE:
    case CMK_OP_BACKUP_VAULT_LIST_DELETED:
        return (CmkRegionId){args->ref[CMK_REF_REGION]};
    case CMK_OP_BACKUP_VAULT_GET_DELETED:
        return (CmkRegionId){cmk_backup_vault_of(world, args)->deleted_from};
    default:
        return (CmkRegionId){cmk_backup_vault_of(world, args)->region};
    }
}

CmkRegionId cmk_region_of_job(const CmkWorld *world, const CmkArgs *args)
{
    const CmkRegionId own = own_region(world, args);
    const bool is_in_pair = args->op == CMK_OP_BACKUP_RESTORE_IN_PAIR ||
                            cmk_task(world, (CmkTaskId){args->ref[CMK_REF_TASK]})->is_in_pair != 0;
    return is_in_pair ? cmk_region_pair(world, own) : own;
}

/* ---- guards ---------------------------------------------------------------------------------- */

static bool backup_vault_is_reachable(const CmkWorld *world, const CmkArgs *args,
                                      uint64_t *ret_blame)
{
    if (cmk_knob(world, CMK_KNOB_OUTAGE_HITS_BACKUP_VAULTS) == 0) {
        return true;
    }
    const CmkRegionId region = cmk_region_of_job(world, args);
    *ret_blame = cmk_region(world, region)->changed_by;
    return !cmk_region_is_down(world, region);
}

static bool return_region_of_job(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkRegionId region = cmk_region_of_job(world, refused);
    ret->ref[CMK_REF_REGION] = region.i;
    return cmk_region_is_down(world, region);
}

const CmkGuard cmk_guard_backup_vault_is_reachable = {
    .name = "backup-vault-is-reachable",
    .holds = backup_vault_is_reachable,
    .status = CMK_STATUS_OF(BACKUP_VAULT_UNREACHABLE),
    .rule = "OQ-34",
    .text = "The region in which the Backup vault does the work is there.",
    .repairs = {{CMK_OP_REGION_RETURN, return_region_of_job, "wait for the region to come back"}}};

static bool cross_region_restore_is_offered(const CmkWorld *world, const CmkArgs *args,
                                            uint64_t *ret_blame)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    *ret_blame = vault->changed_by;
    return vault->redundancy == CMK_REDUNDANCY_GEO &&
           cmk_region_pair(world, (CmkRegionId){vault->region}).i != 0;
}

const CmkGuard cmk_guard_cross_region_restore_is_offered = {
    .name = "cross-region-restore-is-offered",
    .holds = cross_region_restore_is_offered,
    .status = CMK_STATUS_OF(CROSS_REGION_RESTORE_NOT_OFFERED),
    .rule = "BV-4",
    .text = "The Backup vault is geo-redundant and its region has a pair."};

static bool cross_region_restore_is_on(const CmkWorld *world, const CmkArgs *args,
                                       uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->changed_by;
    return cmk_backup_vault_of(world, args)->has_cross_region_restore != 0;
}

static bool cross_region_restore_is_kept(const CmkWorld *world, const CmkArgs *args,
                                         uint64_t *ret_blame)
{
    return args->num[0] == CMK_REDUNDANCY_GEO ||
           !cross_region_restore_is_on(world, args, ret_blame);
}

const CmkGuard cmk_guard_cross_region_restore_is_kept = {
    .name = "cross-region-restore-is-kept",
    .holds = cross_region_restore_is_kept,
    .status = CMK_STATUS_OF(CROSS_REGION_RESTORE_IS_FINAL),
    .rule = "BV-4",
    .text = "A Backup vault with cross-region restore, which stays on, stays geo-redundant."};

static bool enable_it(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    uint64_t blame = 0;
    ret->ref[CMK_REF_BACKUP_VAULT] = refused->ref[CMK_REF_BACKUP_VAULT];
    return cross_region_restore_is_offered(world, refused, &blame);
}

const CmkGuard cmk_guard_cross_region_restore_is_on = {
    .name = "cross-region-restore-is-on",
    .holds = cross_region_restore_is_on,
    .status = CMK_STATUS_OF(CROSS_REGION_RESTORE_OFF),
    .rule = "BV-4 OQ-34",
    .text = "Cross-region restore is enabled on the Backup vault.",
    .repairs = {{CMK_OP_BACKUP_VAULT_ENABLE_CROSS_REGION_RESTORE, enable_it,
                 "enable cross-region restore on the Backup vault"}}};

static bool point_is_readable_in_pair(const CmkWorld *world, const CmkArgs *args,
                                      uint64_t *ret_blame)
{
    const CmkPoint *point = cmk_point(world, (CmkPointId){args->ref[CMK_REF_POINT]});
    *ret_blame = point->changed_by;
    return point->tier != CMK_TIER_OPERATIONAL &&
           (!cmk_point_must_come_back(world, (CmkPointId){args->ref[CMK_REF_POINT]}) ||
            cmk_region_is_down(world, (CmkRegionId){cmk_backup_vault_of(world, args)->region}));
}

const CmkGuard cmk_guard_point_is_readable_in_pair = {
    .name = "point-is-readable-in-pair",
    .holds = point_is_readable_in_pair,
    .status = CMK_STATUS_OF(POINT_ARCHIVED),
    .rule = "BK-27 BV-4",
    .text = "The recovery point is no snapshot, and is not in the archive only unless the region "
            "of its Backup vault is lost."};

/* ---- operations ------------------------------------------------------------------------------ */

static uint32_t enable_cross_region_restore(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    if (vault->has_cross_region_restore == 0) {
        cmk_gauge_close_account(sim, id); /* what is stored costs more from now on (COST-4) */
        vault->has_cross_region_restore = 1;
    }
    vault->changed_by = cmk_this_seq(sim);
    cmk_backup_vault_succeed(sim, id);
    return id.i;
}

const CmkOperation cmk_op_backup_vault_enable_cross_region_restore = {
    .name = "backup_vault.enable_cross_region_restore",
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .text = "Points of a geo-redundant Backup vault can be restored in the pair, from now on and "
            "for good.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_EXISTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_CROSS_REGION_RESTORE_IS_OFFERED},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(GAUGE) | CMK_BIT(STATEMENT),
    .effect = enable_cross_region_restore,
    .rules = "BV-4 BV-12 COST-4",
    .action = "Microsoft.DataProtection/backupVaults/write",
    .az = "az dataprotection backup-vault update",
};

static uint32_t backup_restore_in_pair(CmkSim *sim, const CmkArgs *args)
{
    const CmkTaskId id = {cmk_points_start_restore(sim, args)};
    cmk_task_mut(sim, id)->is_in_pair = 1;
    return id.i;
}

const CmkOperation cmk_op_backup_restore_in_pair = {
    .name = "backup.restore_in_pair",
    .permission = CMK_PERMISSION_BACKUP_OPERATE,
    .text = "A restore of a recovery point is started in the pair of the Backup vault's region.",
    .params = {{"instance", CMK_PARAM_INSTANCE, 0, 1, CMK_REF_INSTANCE},
               {"point", CMK_PARAM_POINT, 1, 1, 0}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING,
               CMK_GUARD_INSTANCE_IS_KEPT, CMK_GUARD_MOMENT_IS_COVERED, CMK_GUARD_POINT_EXISTS,
               CMK_GUARD_POINT_IS_NOT_ABANDONED, CMK_GUARD_CROSS_REGION_RESTORE_IS_ON,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, CMK_GUARD_POINT_IS_READABLE_IN_PAIR},
    .writes = CMK_BIT(TASK) | CMK_BIT_TIMERS,
    .effect = backup_restore_in_pair,
    .rules = "BV-4 BK-27 BK-31 OQ-34",
    .action = "Microsoft.DataProtection/backupVaults/backupInstances/restore/action",
    .az = "az dataprotection backup-instance restore trigger",
};
