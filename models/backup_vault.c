/* Backup vaults, and the opening of the scenario. */
#include "models/model.h"
#include "models/mutate.h"
#include "models/rows.h"

static const CmkBackupVault *vault_of(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_backup_vault(world, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]});
}

static bool backup_vault_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = vault_of(world, args)->changed_by;
    return vault_of(world, args)->state == CMK_BACKUP_VAULT_ACTIVE;
}

const CmkGuard cmk_guard_backup_vault_exists = {.name = "backup-vault-exists",
                                                .holds = backup_vault_exists,
                                                .status = CMK_STATUS_OF(NOT_FOUND),
                                                .rule = "BV-1",
                                                .text = "The Backup vault exists."};

static bool backup_vault_is_absent(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return !backup_vault_exists(world, args, ret_blame);
}

const CmkGuard cmk_guard_backup_vault_is_absent = {.name = "backup-vault-is-absent",
                                                   .holds = backup_vault_is_absent,
                                                   .status = CMK_STATUS_OF(CONFLICT),
                                                   .rule = "BV-1",
                                                   .text = "No Backup vault has this name."};

static uint32_t backup_vault_create(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    vault->region = args->ref[CMK_REF_REGION];
    vault->redundancy = (uint32_t)args->num[0];
    vault->has_infrastructure_encryption = args->num[1] != 0;
    vault->encryption = CMK_ENCRYPTION_DISABLED; /* BV-16 */
    vault->soft_delete = CMK_SOFT_DELETE_ON;
    vault->soft_delete_days = CMK_SOFT_DELETE_DAYS; /* BV-6 */
    vault->state = CMK_BACKUP_VAULT_ACTIVE;
    vault->epoch++;
    vault->changed_by = cmk_this_seq(sim);
    /* Maintenance runs once an interval at a fixed time of day (OQ-26). */
    const CmkTime now = cmk_world_now(sim->world);
    const CmkTime start = cmk_settings(sim->world, (CmkNameId){1})->start;
    const CmkTime first = (now > start ? now : start) + args->num[2];
    (void)cmk_engine_set_timer(sim, first, CMK_EVENT_MAINTENANCE, id.i, args);
    return id.i;
}

const CmkOperation cmk_op_backup_vault_create = {
    .name = "backup_vault.create",
    .text = "A Backup vault is created, encrypted with platform-managed keys.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION},
               {"redundancy", CMK_PARAM_INTEGER, 1, 1, 0},
               {"infrastructure_encryption", CMK_PARAM_INTEGER, 1, 0, 1},
               {"maintenance_offset_us", CMK_PARAM_INTEGER, 1, 0, 2}},
    .guards = {CMK_GUARD_BACKUP_VAULT_IS_ABSENT},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT_TIMERS,
    .effect = backup_vault_create,
    .rules = "BV-2 BV-16 BV-20 BV-21 BV-T1 OQ-26",
    .action = "Microsoft.DataProtection/backupVaults/write",
    .az = "az dataprotection backup-vault create",
};

static uint32_t simulation_open(CmkSim *sim, const CmkArgs *args)
{
    CmkSettings *settings = cmk_settings_mut(sim, (CmkNameId){1});
    settings->opened_by = cmk_this_seq(sim);
    if (cmk_world_count(sim->world, CMK_TABLE_PLAN) > 0) {
        const CmkPlanRow *first = cmk_plan(sim->world, (CmkPlanId){1});
        (void)cmk_engine_set_timer(sim, first->time, CMK_EVENT_PLAN, 1, args);
    }
    return 0;
}

const CmkOperation cmk_op_simulation_open = {
    .name = "simulation.open",
    .text = "The world is set up; the scenario begins, requests are counted and billed.",
    .writes = CMK_BIT(SETTINGS) | CMK_BIT_TIMERS,
    .effect = simulation_open,
    .rules = "",
};
