/* Backup policies: described once for all vaults, and in each vault that uses them (BK-4, BV-10).
 */
#include "models/backup_policy.h"

#include "models/model.h"
#include "models/mutate.h"
#include "models/rows.h"

/* ---- what is in a vault ---------------------------------------------------------------------- */

CmkVaultPolicyId cmk_vault_policy_after(const CmkWorld *world, CmkBackupVaultId vault,
                                        CmkVaultPolicyId id)
{
    uint32_t row = id.i == 0 ? cmk_backup_vault(world, vault)->first_policy
                             : cmk_vault_policy(world, id)->next_of_vault;
    while (row != 0 && cmk_vault_policy(world, (CmkVaultPolicyId){row})->is_there == 0) {
        row = cmk_vault_policy(world, (CmkVaultPolicyId){row})->next_of_vault;
    }
    return (CmkVaultPolicyId){row};
}

/* The row of this policy in the vault, whether or not it is there now; {0} if it never was. */
static CmkVaultPolicyId row_of(const CmkWorld *world, CmkBackupVaultId vault, CmkPolicyId policy)
{
    uint32_t row = cmk_backup_vault(world, vault)->first_policy;
    while (row != 0 && cmk_vault_policy(world, (CmkVaultPolicyId){row})->policy != policy.i) {
        row = cmk_vault_policy(world, (CmkVaultPolicyId){row})->next_of_vault;
    }
    return (CmkVaultPolicyId){row};
}

bool cmk_vault_has_policy(const CmkWorld *world, CmkBackupVaultId vault, CmkPolicyId policy)
{
    return cmk_vault_policy(world, row_of(world, vault, policy))->is_there != 0;
}

static void set_there(CmkSim *sim, CmkVaultPolicyId id, uint32_t is_there)
{
    CmkVaultPolicy *row = cmk_vault_policy_mut(sim, id);
    row->is_there = is_there;
    row->changed_by = cmk_this_seq(sim);
}

void cmk_vault_policy_put(CmkSim *sim, CmkBackupVaultId vault_id, CmkPolicyId policy)
{
    if (cmk_vault_has_policy(sim->world, vault_id, policy)) {
        return;
    }
    CmkVaultPolicyId id = row_of(sim->world, vault_id, policy);
    if (id.i == 0) {
        id.i = cmk_world_row_add(sim->world, CMK_TABLE_VAULT_POLICY);
        CmkVaultPolicy *row = cmk_vault_policy_mut(sim, id);
        CmkBackupVault *vault = cmk_backup_vault_mut(sim, vault_id);
        row->backup_vault = vault_id.i;
        row->policy = policy.i;
        row->next_of_vault = vault->first_policy;
        vault->first_policy = id.i;
    }
    set_there(sim, id, 1);
}

/* ---- guards ---------------------------------------------------------------------------------- */

static CmkBackupVaultId vault_of(const CmkArgs *args)
{
    return (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]};
}

static CmkPolicyId policy_of(const CmkArgs *args)
{
    return (CmkPolicyId){args->ref[CMK_REF_POLICY]};
}

/* Whether the policy of the arguments is in their vault. */
static bool is_in_vault(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkVaultPolicyId id = row_of(world, vault_of(args), policy_of(args));
    *ret_blame = cmk_vault_policy(world, id)->changed_by;
    return cmk_vault_policy(world, id)->is_there != 0;
}

/* Whether any vault may use it, by which it comes to be there. */
static bool is_for_all(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_policy(world, policy_of(args))->changed_by;
    return cmk_policy(world, policy_of(args))->state == CMK_POLICY_ACTIVE;
}

static bool policy_is_absent(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return vault_of(args).i != 0 ? !is_in_vault(world, args, ret_blame)
                                 : !is_for_all(world, args, ret_blame);
}

const CmkGuard cmk_guard_policy_is_absent = {.name = "policy-is-absent",
                                             .holds = policy_is_absent,
                                             .status = CMK_STATUS_OF(CONFLICT),
                                             .rule = "BK-4",
                                             .text = "The policy is not there yet."};

/* Whether the policy once was in the vault, so that its row says what became of it there. */
static bool has_been_in_vault(const CmkWorld *world, const CmkArgs *args)
{
    return row_of(world, vault_of(args), policy_of(args)).i != 0;
}

/* What was deleted from a vault is gone from there, though other vaults may go on using it. */
static bool policy_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return has_been_in_vault(world, args) ? is_in_vault(world, args, ret_blame)
                                          : is_for_all(world, args, ret_blame);
}

static bool create_policy(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_BACKUP_VAULT] = vault_of(refused).i; /* the others asked for none */
    ret->ref[CMK_REF_POLICY] = policy_of(refused).i;
    return cmk_policy(world, policy_of(refused))->state == CMK_POLICY_ABSENT ||
           has_been_in_vault(world, refused);
}

const CmkGuard cmk_guard_policy_exists = {
    .name = "policy-exists",
    .holds = policy_exists,
    .status = CMK_STATUS_OF(NOT_FOUND),
    .rule = "BK-4",
    .text = "The policy is there, and has not been deleted from the Backup vault.",
    .repairs = {{CMK_OP_BACKUP_POLICY_CREATE, create_policy, "create the policy"}}};

static bool vault_of_policy_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return vault_of(args).i == 0 || cmk_guard_backup_vault_exists.holds(world, args, ret_blame);
}

const CmkGuard cmk_guard_vault_of_policy_exists = {
    .name = "vault-of-policy-exists",
    .holds = vault_of_policy_exists,
    .status = CMK_STATUS_OF(NOT_FOUND),
    .rule = "BV-1",
    .text = "The Backup vault exists, if the policy is to be created in one."};

const CmkGuard cmk_guard_policy_is_in_vault = {.name = "policy-is-in-vault",
                                               .holds = is_in_vault,
                                               .status = CMK_STATUS_OF(NOT_FOUND),
                                               .rule = "BK-4 BV-10",
                                               .text = "The policy is in the Backup vault."};

/* A deleted instance that can be taken back comes back with its policy, so it still uses it. */
static bool policy_is_not_in_use(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    uint32_t row = cmk_backup_vault_of(world, args)->first_instance;
    while (row != 0) {
        const CmkInstance *instance = cmk_instance(world, (CmkInstanceId){row});
        if (instance->policy == policy_of(args).i && instance->state != CMK_INSTANCE_PURGED) {
            *ret_blame = instance->changed_by;
            return false;
        }
        row = instance->next_of_vault;
    }
    return true;
}

const CmkGuard cmk_guard_policy_is_not_in_use = {
    .name = "policy-is-not-in-use",
    .holds = policy_is_not_in_use,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "BV-10",
    .text = "No instance of the Backup vault uses the policy, nor a deleted one that can be taken "
            "back."};

static bool policies_are_deleted(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkVaultPolicyId id =
        cmk_vault_policy_after(world, vault_of(args), (CmkVaultPolicyId){0});
    *ret_blame = cmk_vault_policy(world, id)->changed_by;
    return id.i == 0;
}

static bool delete_policy(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkVaultPolicyId id =
        cmk_vault_policy_after(world, vault_of(refused), (CmkVaultPolicyId){0});
    ret->ref[CMK_REF_BACKUP_VAULT] = vault_of(refused).i;
    ret->ref[CMK_REF_POLICY] = cmk_vault_policy(world, id)->policy;
    return id.i != 0;
}

const CmkGuard cmk_guard_policies_are_deleted = {
    .name = "policies-are-deleted",
    .holds = policies_are_deleted,
    .status = CMK_STATUS_OF(BACKUP_VAULT_NOT_EMPTY),
    .rule = "BV-10 ERR-10",
    .text = "There are no backup policies in the Backup vault.",
    .repairs = {{CMK_OP_BACKUP_POLICY_DELETE, delete_policy, "delete the policy"}}};

/* ---- operations ------------------------------------------------------------------------------ */

/* What the policy says is in its row already (see models/entities.h). */
static uint32_t backup_policy_create(CmkSim *sim, const CmkArgs *args)
{
    if (vault_of(args).i != 0) {
        cmk_vault_policy_put(sim, vault_of(args), policy_of(args));
        return policy_of(args).i;
    }
    CmkPolicy *policy = cmk_policy_mut(sim, policy_of(args));
    policy->state = CMK_POLICY_ACTIVE;
    policy->changed_by = cmk_this_seq(sim);
    return policy_of(args).i;
}

const CmkOperation cmk_op_backup_policy_create = {
    .name = "backup_policy.create",
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .text = "A backup policy is created: schedule, stores, retention; in one Backup vault, or in "
            "each by the time that it is used there, unless it has been deleted from it.",
    .params = {{"policy", CMK_PARAM_POLICY, 0, 1, CMK_REF_POLICY},
               {"vault", CMK_PARAM_BACKUP_VAULT, 0, 0, CMK_REF_BACKUP_VAULT}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_VAULT_OF_POLICY_EXISTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_BEING_DELETED, CMK_GUARD_POLICY_IS_ABSENT},
    .writes = CMK_BIT(POLICY) | CMK_BIT(VAULT_POLICY) | CMK_BIT(BACKUP_VAULT),
    .effect = backup_policy_create,
    .rules = "BK-4 BK-5 BK-8 BK-9 BV-10 BV-12",
    .action = "Microsoft.DataProtection/backupVaults/backupPolicies/write",
    .az = "az dataprotection backup-policy create",
};

static uint32_t backup_policy_delete(CmkSim *sim, const CmkArgs *args)
{
    set_there(sim, row_of(sim->world, vault_of(args), policy_of(args)), 0);
    return policy_of(args).i;
}

const CmkOperation cmk_op_backup_policy_delete = {
    .name = "backup_policy.delete",
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .text = "A backup policy that nothing uses any more is deleted from its Backup vault.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"policy", CMK_PARAM_POLICY, 0, 1, CMK_REF_POLICY}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_EXISTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_POLICY_IS_IN_VAULT, CMK_GUARD_POLICY_IS_NOT_IN_USE},
    .writes = CMK_BIT(VAULT_POLICY),
    .effect = backup_policy_delete,
    .rules = "BK-4 BV-10",
    .action = "Microsoft.DataProtection/backupVaults/backupPolicies/delete",
    .az = "az dataprotection backup-policy delete",
};
