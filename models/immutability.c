/* Immutability of the backup data in a vault (BV-9): what it forbids, switching it on, off and on
 * for good. Expiry goes on, and snapshots are none of its business. */
#include "models/immutability.h"

#include "models/model.h"
#include "models/mutate.h"
#include "models/points.h"
#include "models/rows.h"
#include "models/schedule.h"

/* ---- shorter retention ----------------------------------------------------------------------- */

/* Until when a policy keeps a point with this tag that is made now. */
static CmkTime end_of(const CmkWorld *world, const CmkPolicy *policy, uint32_t tag, CmkPeriod usual)
{
    return cmk_retention_end(world, cmk_policy_rule(policy, tag), usual, cmk_world_now(world));
}

bool cmk_retention_is_reduced(const CmkWorld *world, const CmkArgs *args)
{
    uint32_t count = 0;
    const CmkInstance *instance = cmk_instance_of(world, args);
    const CmkPolicy *old = cmk_policy(world, (CmkPolicyId){instance->policy});
    const CmkPolicy *new = cmk_policy(world, (CmkPolicyId){args->ref[CMK_REF_POLICY]});
    const CmkPeriod usual = cmk_datasource_facts(&count)[instance->datasource].usual_retention;
    bool is_reduced = false;
    for (uint32_t tag = 0; tag < CMK_TAG__COUNT; tag++) {
        is_reduced |= end_of(world, new, tag, usual) < end_of(world, old, tag, usual);
    }
    return old->has_vault != 0 && is_reduced;
}

/* Points with each tag are asked about, whether there are any or not: policies are compared. */
static bool retention_is_not_reduced(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    *ret_blame = vault->changed_by;
    return vault->immutability == CMK_IMMUTABILITY_DISABLED ||
           cmk_knob(world, CMK_KNOB_IMMUTABILITY_KEEPS_RETENTION) == 0 ||
           !cmk_retention_is_reduced(world, args);
}

const CmkGuard cmk_guard_retention_is_not_reduced = {
    .name = "retention-is-not-reduced",
    .holds = retention_is_not_reduced,
    .status = CMK_STATUS_OF(VAULT_IS_IMMUTABLE),
    .rule = "BV-9 IMM-1",
    .text = "The vault is not immutable, or the new policy keeps what is in it for as long as the "
            "old one."};

/* ---- deletion -------------------------------------------------------------------------------- */

/* Whether the instance has a point in the vault or the archive whose time is not over. O(points).
 */
static bool has_immutable_point(const CmkWorld *world, const CmkInstance *instance)
{
    uint32_t queue = instance->first_queue;
    for (; queue != 0; queue = cmk_queue(world, (CmkQueueId){queue})->next_of_instance) {
        uint32_t row = cmk_queue(world, (CmkQueueId){queue})->first_point;
        for (; row != 0; row = cmk_point(world, (CmkPointId){row})->next) {
            const CmkPointId id = {row};
            if (cmk_point(world, id)->tier != CMK_TIER_OPERATIONAL &&
                cmk_point_expires(world, id) > cmk_world_now(world)) {
                return true;
            }
        }
    }
    return false;
}

/* Whether one of the instances that wait in the deleted state has. O(points of the vault). */
static bool has_deleted_immutable_point(const CmkWorld *world, const CmkBackupVault *vault)
{
    uint32_t row = vault->first_instance;
    for (; row != 0; row = cmk_instance(world, (CmkInstanceId){row})->next_of_vault) {
        const CmkInstance *instance = cmk_instance(world, (CmkInstanceId){row});
        if (instance->state == CMK_INSTANCE_SOFT_DELETED && has_immutable_point(world, instance)) {
            return true;
        }
    }
    return false;
}

/* Deleting an instance deletes its points, and switching soft delete off those that wait for it
 * (BV-7). */
static bool no_point_is_immutable(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    *ret_blame = vault->changed_by;
    if (vault->immutability == CMK_IMMUTABILITY_DISABLED) {
        return true;
    }
    if (args->op == CMK_OP_INSTANCE_DELETE) {
        return !has_immutable_point(world, cmk_instance_of(world, args));
    }
    return args->num[0] != CMK_SOFT_DELETE_OFF || !has_deleted_immutable_point(world, vault);
}

const CmkGuard cmk_guard_no_point_is_immutable = {
    .name = "no-point-is-immutable",
    .holds = no_point_is_immutable,
    .status = CMK_STATUS_OF(VAULT_IS_IMMUTABLE),
    .rule = "BV-9 IMM-2",
    .text = "The vault is not immutable, or no point that would go is in its vault or archive tier "
            "before its expiry."};

/* ---- the vault's setting --------------------------------------------------------------------- */

/* num[0]: CmkImmutability. */
static bool immutability_is_not_locked(const CmkWorld *world, const CmkArgs *args,
                                       uint64_t *ret_blame)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    *ret_blame = vault->changed_by;
    return vault->immutability != CMK_IMMUTABILITY_LOCKED ||
           args->num[0] == CMK_IMMUTABILITY_LOCKED;
}

const CmkGuard cmk_guard_immutability_is_not_locked = {
    .name = "immutability-is-not-locked",
    .holds = immutability_is_not_locked,
    .status = CMK_STATUS_OF(IMMUTABILITY_LOCKED),
    .rule = "BV-9",
    .text = "The immutability of the Backup vault is not locked."};

static uint32_t backup_vault_set_immutability(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    vault->immutability = (uint32_t)args->num[0];
    vault->changed_by = cmk_this_seq(sim);
    cmk_backup_vault_succeed(sim, id);
    return id.i;
}

const CmkOperation cmk_op_backup_vault_set_immutability = {
    .name = "backup_vault.set_immutability",
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .text = "Backup data of a vault becomes immutable, is so no longer, or for good.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"immutability", CMK_PARAM_IMMUTABILITY, 1, 1, 0}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_RESOURCE_GUARD_CONSENTS,
               CMK_GUARD_BACKUP_VAULT_EXISTS, CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, CMK_GUARD_IMMUTABILITY_IS_NOT_LOCKED},
    .writes = CMK_BIT(BACKUP_VAULT),
    .effect = backup_vault_set_immutability,
    .rules = "BV-9 BV-12",
    .action = "Microsoft.DataProtection/backupVaults/write",
    .az = "az dataprotection backup-vault update --immutability-state",
};
