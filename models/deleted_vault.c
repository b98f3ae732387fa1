/* Backup vaults that are gone: recent interfaces list them for a while, by location (BV-11). There
 * is no way back, nothing is stored or billed and no key is needed; the name is free meanwhile, and
 * what is listed is the last vault that had it. */
#include "models/model.h"
#include "models/mutate.h"
#include "models/rows.h"

uint32_t cmk_deleted_vault_epoch(const CmkWorld *world, uint32_t row)
{
    return cmk_backup_vault(world, (CmkBackupVaultId){row})->deleted_epoch;
}

void cmk_deleted_vault_keep(CmkSim *sim, CmkBackupVaultId id, const CmkArgs *args)
{
    const int64_t kept_us = cmk_knob(sim->world, CMK_KNOB_DELETED_VAULT_KEPT);
    if (kept_us == 0) {
        return;
    }
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    vault->deleted_from = vault->region;
    vault->deleted_group = vault->resource_group;
    vault->deleted_epoch++; /* an earlier one of its name is listed no more */
    vault->deleted_at = cmk_world_now(sim->world);
    vault->deleted_purge_at = vault->deleted_at + kept_us;
    vault->deleted_by = cmk_this_seq(sim);
    (void)cmk_engine_set_timer(sim, vault->deleted_purge_at, CMK_EVENT_DELETED_VAULT, id.i, args);
}

static bool deleted_vault_is_listed(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->deleted_by;
    return cmk_backup_vault_of(world, args)->deleted_from != 0;
}

const CmkGuard cmk_guard_deleted_vault_is_listed = {
    .name = "deleted-vault-is-listed",
    .holds = deleted_vault_is_listed,
    .status = CMK_STATUS_OF(NOT_FOUND),
    .rule = "BV-11",
    .text = "A deleted Backup vault of this name is still listed."};

static uint32_t backup_vault_list_deleted(CmkSim *sim, const CmkArgs *args)
{
    (void)sim;
    return args->ref[CMK_REF_REGION];
}

const CmkOperation cmk_op_backup_vault_list_deleted = {
    .name = "backup_vault.list_deleted",
    .permission = CMK_PERMISSION_BACKUP_OPERATE,
    .text =
        "Somebody asks for the deleted Backup vaults of a region: a run shows whether they may; "
        "which ones there are is in the view v_deleted_backup_vaults.",
    .params = {{"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION},
               {"subscription", CMK_PARAM_SUBSCRIPTION, 0, 0, CMK_REF_SCOPE}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE},
    .effect = backup_vault_list_deleted,
    .rules = "BV-11",
    .action = "Microsoft.DataProtection/locations/deletedVaults/read",
    .az = "az dataprotection backup-vault deleted-vault list",
};

static uint32_t backup_vault_get_deleted(CmkSim *sim, const CmkArgs *args)
{
    (void)sim;
    return args->ref[CMK_REF_BACKUP_VAULT];
}

const CmkOperation cmk_op_backup_vault_get_deleted = {
    .name = "backup_vault.get_deleted",
    .permission = CMK_PERMISSION_BACKUP_OPERATE,
    .text = "Somebody reads a deleted Backup vault: when it was deleted, when it will be purged.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_DELETED_VAULT_IS_LISTED},
    .effect = backup_vault_get_deleted,
    .rules = "BV-11",
    .action = "Microsoft.DataProtection/locations/deletedVaults/read",
    .az = "az dataprotection backup-vault deleted-vault show",
};

static uint32_t backup_vault_purge_deleted(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    vault->deleted_from = 0;
    vault->deleted_group = 0;
    vault->deleted_at = 0;
    vault->deleted_purge_at = 0;
    vault->deleted_by = cmk_this_seq(sim);
    return id.i;
}

const CmkOperation cmk_op_backup_vault_purge_deleted = {
    .name = "backup_vault.purge_deleted",
    .text = "The time of a deleted Backup vault is over: it is listed no more.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT}},
    .guards = {CMK_GUARD_DELETED_VAULT_IS_LISTED},
    .writes = CMK_BIT(BACKUP_VAULT),
    .effect = backup_vault_purge_deleted,
    .rules = "BV-11",
};

void cmk_on_deleted_vault(CmkSim *sim, const CmkTimer *timer)
{
    CmkArgs args = cmk_args_of_timer(CMK_OP_BACKUP_VAULT_PURGE_DELETED, timer);
    args.ref[CMK_REF_BACKUP_VAULT] = timer->subject;
    (void)cmk_apply(sim, &args);
}
