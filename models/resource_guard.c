/* Multi-user authorization: critical operations on a Backup vault need a role on the resource guard
 * that the vault is tied to, besides those on the vault (MUA-1 to MUA-7). */
#include "models/access.h"
#include "models/immutability.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/rows.h"

static CmkPlace place_of(const CmkWorld *world, uint32_t row)
{
    const CmkResourceGuard *guard = cmk_resource_guard(world, (CmkResourceGuardId){row});
    return (CmkPlace){.scope = {guard->resource_group}};
}

/* ---- the vault is tied to a guard ------------------------------------------------------------ */

static bool resource_guard_is_set(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->changed_by;
    return cmk_backup_vault_of(world, args)->resource_guard != 0;
}

const CmkGuard cmk_guard_resource_guard_is_set = {.name = "resource-guard-is-set",
                                                  .holds = resource_guard_is_set,
                                                  .status = CMK_STATUS_OF(CONFLICT),
                                                  .rule = "MUA-1",
                                                  .text = "The Backup vault has a resource guard."};

/* Else whoever needs a guard's consent could set one of their own instead. */
static bool resource_guard_is_not_set(const CmkWorld *world, const CmkArgs *args,
                                      uint64_t *ret_blame)
{
    return !resource_guard_is_set(world, args, ret_blame);
}

const CmkGuard cmk_guard_resource_guard_is_not_set = {
    .name = "resource-guard-is-not-set",
    .holds = resource_guard_is_not_set,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "MUA-1",
    .text = "The Backup vault has no resource guard yet."};

static bool actor_may_read_resource_guard(const CmkWorld *world, const CmkArgs *args,
                                          uint64_t *ret_blame)
{
    return cmk_access_actor_may(world, args, place_of(world, args->ref[CMK_REF_RESOURCE_GUARD]),
                                CMK_PERMISSION_RESOURCE_GUARD_READ, ret_blame);
}

static bool let_actor_read(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    return cmk_access_let_actor(world, refused,
                                place_of(world, refused->ref[CMK_REF_RESOURCE_GUARD]),
                                CMK_PERMISSION_RESOURCE_GUARD_READ, ret);
}

const CmkGuard cmk_guard_actor_may_read_resource_guard = {
    .name = "actor-may-read-resource-guard",
    .holds = actor_may_read_resource_guard,
    .status = CMK_STATUS_OF(AUTHORIZATION_FAILED),
    .rule = "MUA-4",
    .text = "A role where the resource guard lies lets the person who asks read it.",
    .repairs = {{CMK_OP_ROLE_ASSIGN, let_actor_read,
                 "assign Reader to the person where the resource guard lies"}}};

/* ---- consent --------------------------------------------------------------------------------- */

/* Bit of CmkResourceGuard.excluded; 0 of what no guard can exclude. */
static uint32_t bit_of(CmkOpId op)
{
    static const CmkOpId excludable[] = {
#define X(id) CMK_OP_##id,
        CMK_EXCLUDABLE_OPERATIONS(X)
#undef X
    };
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(excludable); i++) {
        if (excludable[i] == op) {
            return 1U << i;
        }
    }
    return 0;
}

/* Soft delete is switched off, or keeps what is deleted for less time. */
static bool weakens_soft_delete(const CmkBackupVault *vault, const CmkArgs *args)
{
    const bool is_off = args->num[0] == CMK_SOFT_DELETE_OFF;
    return (is_off && vault->soft_delete != CMK_SOFT_DELETE_OFF) ||
           (args->num[1] != 0 && args->num[1] < vault->soft_delete_days);
}

/* Whether what is asked for could harm backup data (MUA-2, MUA-5, MUA-6). */
static bool is_critical(const CmkWorld *world, const CmkArgs *args)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    switch (args->op) {
    case CMK_OP_BACKUP_VAULT_SET_SOFT_DELETE:
        return weakens_soft_delete(vault, args);
    case CMK_OP_BACKUP_VAULT_SET_IMMUTABILITY:
        return args->num[0] == CMK_IMMUTABILITY_DISABLED &&
               vault->immutability != CMK_IMMUTABILITY_DISABLED;
    case CMK_OP_INSTANCE_CHANGE_POLICY:
        return cmk_retention_is_reduced(world, args);
    default:
        return true;
    }
}

static bool resource_guard_consents(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    const CmkResourceGuardId id = {vault->resource_guard};
    const bool is_excluded = (cmk_resource_guard(world, id)->excluded & bit_of(args->op)) != 0;
    if (id.i == 0 || is_excluded || !is_critical(world, args)) {
        return true;
    }
    const bool consents = cmk_access_actor_may(world, args, place_of(world, id.i),
                                               CMK_PERMISSION_RESOURCE_GUARD_OPERATE, ret_blame);
    if (!consents && *ret_blame == 0) {
        *ret_blame = vault->changed_by;
    }
    return consents;
}

static bool let_actor_operate(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const uint32_t guard = cmk_backup_vault_of(world, refused)->resource_guard;
    return cmk_access_let_actor(world, refused, place_of(world, guard),
                                CMK_PERMISSION_RESOURCE_GUARD_OPERATE, ret);
}

const CmkGuard cmk_guard_resource_guard_consents = {
    .name = "resource-guard-consents",
    .holds = resource_guard_consents,
    .status = CMK_STATUS_OF(RESOURCE_GUARD_REFUSES),
    .rule = "MUA-2 MUA-3 MUA-5 MUA-6 MUA-7",
    .text = "No resource guard has to consent to this, or a role where it lies lets the person who "
            "asks carry out critical operations.",
    .repairs = {{CMK_OP_ROLE_ASSIGN, let_actor_operate,
                 "have the guard's owner assign Backup MUA Operator to the person for as long as "
                 "it takes"}}};

/* ---- operations ------------------------------------------------------------------------------ */

static uint32_t tie(CmkSim *sim, const CmkArgs *args, uint32_t guard)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    vault->resource_guard = guard;
    vault->changed_by = cmk_this_seq(sim);
    cmk_backup_vault_succeed(sim, id);
    return id.i;
}

static uint32_t backup_vault_set_resource_guard(CmkSim *sim, const CmkArgs *args)
{
    return tie(sim, args, args->ref[CMK_REF_RESOURCE_GUARD]);
}

const CmkOperation cmk_op_backup_vault_set_resource_guard = {
    .name = "backup_vault.set_resource_guard",
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .text = "A Backup vault is tied to a resource guard, whose consent critical operations on it "
            "need from now on.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"resource_guard", CMK_PARAM_RESOURCE_GUARD, 0, 1, CMK_REF_RESOURCE_GUARD}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_ACTOR_MAY_READ_RESOURCE_GUARD,
               CMK_GUARD_BACKUP_VAULT_EXISTS, CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, CMK_GUARD_RESOURCE_GUARD_IS_NOT_SET},
    .writes = CMK_BIT(BACKUP_VAULT),
    .effect = backup_vault_set_resource_guard,
    .rules = "MUA-1 MUA-4 BV-12",
    .action = "Microsoft.DataProtection/backupVaults/backupResourceGuardProxies/write",
    .az = "az dataprotection backup-vault resource-guard-mapping create",
};

static uint32_t backup_vault_remove_resource_guard(CmkSim *sim, const CmkArgs *args)
{
    return tie(sim, args, 0);
}

const CmkOperation cmk_op_backup_vault_remove_resource_guard = {
    .name = "backup_vault.remove_resource_guard",
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .text = "A Backup vault is tied to its resource guard no longer.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_RESOURCE_GUARD_CONSENTS,
               CMK_GUARD_BACKUP_VAULT_EXISTS, CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, CMK_GUARD_RESOURCE_GUARD_IS_SET},
    .writes = CMK_BIT(BACKUP_VAULT),
    .effect = backup_vault_remove_resource_guard,
    .rules = "MUA-1 MUA-2 BV-12",
    .action = "Microsoft.DataProtection/backupVaults/backupResourceGuardProxies/delete",
    .az = "az dataprotection backup-vault resource-guard-mapping delete",
};
