/* Restores to another subscription than that of the Backup vault (BV-5). */
#include "models/model.h"
#include "models/mutate.h"
#include "models/rows.h"
#include "models/scope.h"

/* ---- guards ---------------------------------------------------------------------------------- */

static bool is_permanent(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_backup_vault_of(world, args)->cross_subscription ==
           CMK_CROSS_SUBSCRIPTION_PERMANENTLY_DISABLED;
}

/* num[0]: CmkCrossSubscription. */
static bool cross_subscription_restore_is_not_final(const CmkWorld *world, const CmkArgs *args,
                                                    uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->changed_by;
    return !is_permanent(world, args) ||
           args->num[0] == CMK_CROSS_SUBSCRIPTION_PERMANENTLY_DISABLED;
}

const CmkGuard cmk_guard_cross_subscription_restore_is_not_final = {
    .name = "cross-subscription-restore-is-not-final",
    .holds = cross_subscription_restore_is_not_final,
    .status = CMK_STATUS_OF(CROSS_SUBSCRIPTION_RESTORE_IS_FINAL),
    .rule = "BV-5",
    .text = "Restores to other subscriptions are not forbidden for good."};

/* Of a restore; without a target it goes where the vault is. */
static bool cross_subscription_restore_is_on(const CmkWorld *world, const CmkArgs *args,
                                             uint64_t *ret_blame)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    const uint32_t target = args->ref[CMK_REF_SCOPE];
    const CmkScopeId own = cmk_scope_subscription(world, (CmkScopeId){vault->resource_group});
    *ret_blame = vault->changed_by;
    return target == 0 || target == own.i ||
           vault->cross_subscription == CMK_CROSS_SUBSCRIPTION_ENABLED;
}

static bool enable_it(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_BACKUP_VAULT] = refused->ref[CMK_REF_BACKUP_VAULT];
    ret->num[0] = CMK_CROSS_SUBSCRIPTION_ENABLED;
    return !is_permanent(world, refused);
}

const CmkGuard cmk_guard_cross_subscription_restore_is_on = {
    .name = "cross-subscription-restore-is-on",
    .holds = cross_subscription_restore_is_on,
    .status = CMK_STATUS_OF(CROSS_SUBSCRIPTION_RESTORE_OFF),
    .rule = "BV-5 XSR-1",
    .text = "The restore stays in the Backup vault's own subscription, or the vault lets it go to "
            "another one.",
    .repairs = {{CMK_OP_BACKUP_VAULT_SET_CROSS_SUBSCRIPTION_RESTORE, enable_it,
                 "enable cross-subscription restore on the Backup vault"}}};

/* ---- the vault's setting --------------------------------------------------------------------- */

static uint32_t backup_vault_set_cross_subscription_restore(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    vault->cross_subscription = (uint32_t)args->num[0];
    vault->changed_by = cmk_this_seq(sim);
    cmk_backup_vault_succeed(sim, id);
    return id.i;
}

const CmkOperation cmk_op_backup_vault_set_cross_subscription_restore = {
    .name = "backup_vault.set_cross_subscription_restore",
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .text = "Restores of a vault may go to other subscriptions, may not, or never again.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"cross_subscription_restore", CMK_PARAM_CROSS_SUBSCRIPTION, 1, 1, 0}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_EXISTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_CROSS_SUBSCRIPTION_RESTORE_IS_NOT_FINAL},
    .writes = CMK_BIT(BACKUP_VAULT),
    .effect = backup_vault_set_cross_subscription_restore,
    .rules = "BV-5 BV-12",
    .action = "Microsoft.DataProtection/backupVaults/write",
    .az = "az dataprotection backup-vault update --cross-subscription-restore-state",
};
