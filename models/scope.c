/* Scopes: what lies where, and the move of a subscription to another tenant (AC-9, MI-13). */
#include "models/scope.h"

#include "models/model.h"
#include "models/mutate.h"
#include "models/rows.h"

/* The answer about a chain of parents longer than this would be wrong: Azure allows six levels of
 * management groups, and the reader of scenarios refuses circles. */
#define DEPTH_MAX 64

#define ON_KEY_VAULTS                                                                              \
    (CMK_PERMISSION_KEYS_ALL | CMK_PERMISSION_KEY_VAULT_WRITE | CMK_PERMISSION_KEY_VAULT_DELETE)
#define ON_IDENTITIES (CMK_PERMISSION_IDENTITY_WRITE | CMK_PERMISSION_IDENTITY_ASSIGN)
#define ON_BACKUP_VAULTS                                                                           \
    (CMK_PERMISSION_BACKUP_VAULT_WRITE | CMK_PERMISSION_BACKUP_VAULT_DELETE |                      \
     CMK_PERMISSION_BACKUP_OPERATE)
#define ON_ROLES (CMK_PERMISSION_ROLE_WRITE | CMK_PERMISSION_DATA_ROLE_WRITE)
/* What the local roles of a Managed HSM are about. */
#define INSIDE_HSMS                                                                                \
    (CMK_PERMISSION_KEYS_ALL | ON_ROLES | CMK_PERMISSION_SECURITY_DOMAIN |                         \
     CMK_PERMISSION_HSM_BACKUP | CMK_PERMISSION_HSM_RESTORE | CMK_PERMISSION_READ_DELETED)

CmkPlace cmk_place_of_key(const CmkWorld *world, CmkKeyVaultId key_vault, CmkKeyId key)
{
    return (CmkPlace){.scope = {cmk_key_vault(world, key_vault)->resource_group},
                      .key_vault = key_vault,
                      .key = key};
}

/* One that is gone but listed may lie elsewhere than a later one of its name. */
static CmkScopeId group_of_backup_vault(const CmkWorld *world, const CmkArgs *args)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    const bool is_deleted =
        args->op == CMK_OP_BACKUP_VAULT_GET_DELETED && vault->deleted_group != 0;
    return (CmkScopeId){is_deleted ? vault->deleted_group : vault->resource_group};
}

/* As the scope of a role says it, or the key that an operation is about: keys are under `/keys`. */
static CmkPlace place_in_hsm(const CmkWorld *world, const CmkArgs *args, CmkPermissions permission)
{
    const CmkManagedHsmId id = {args->ref[CMK_REF_MANAGED_HSM]};
    const bool is_about_keys =
        (permission & (CMK_PERMISSION_KEYS_ALL | CMK_PERMISSION_READ_DELETED)) != 0;
    const bool is_scope = (permission & ON_ROLES) != 0;
    return (CmkPlace){.scope = {cmk_managed_hsm(world, id)->resource_group},
                      .managed_hsm = id,
                      .key = {is_about_keys || is_scope ? args->ref[CMK_REF_KEY] : 0},
                      .is_on_keys =
                          is_about_keys || (is_scope && (args->ref[CMK_REF_KEY] != 0 ||
                                                         args->num[CMK_NUM_ALL_KEYS] != 0))};
}

CmkPlace cmk_place_of(const CmkWorld *world, const CmkArgs *args, CmkPermissions permission)
{
    const CmkManagedHsmId hsm = {args->ref[CMK_REF_MANAGED_HSM]};
    const CmkScopeId scope = {args->ref[CMK_REF_SCOPE]};
    if ((permission & ON_ROLES) != 0 && scope.i != 0) {
        return (CmkPlace){.scope = scope};
    }
    if ((permission & CMK_PERMISSION_MANAGED_HSM_WRITE) != 0) {
        return (CmkPlace){.scope = {cmk_managed_hsm(world, hsm)->resource_group}};
    }
    if (hsm.i != 0 && (permission & INSIDE_HSMS) != 0) {
        return place_in_hsm(world, args, permission);
    }
    if ((permission & CMK_PERMISSION_KEY_VAULT_PURGE) != 0) { /* deleted ones hang on it: SD-7 */
        const CmkKeyVaultId key_vault = {args->ref[CMK_REF_KEY_VAULT]};
        const CmkScopeId group = {cmk_key_vault(world, key_vault)->resource_group};
        return (CmkPlace){.scope = cmk_scope_subscription(world, group)};
    }
    if ((permission & CMK_PERMISSION_SECRETS_ALL) != 0) {
        return cmk_place_of_key(world, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]},
                                (CmkKeyId){0});
    }
    if ((permission & (ON_KEY_VAULTS | ON_ROLES)) != 0) {
        return cmk_place_of_key(world, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]},
                                (CmkKeyId){args->ref[CMK_REF_KEY]});
    }
    if ((permission & ON_IDENTITIES) != 0) {
        const CmkIdentityId identity = {args->ref[CMK_REF_IDENTITY]};
        return (CmkPlace){.scope = {cmk_identity(world, identity)->resource_group}};
    }
    if ((permission & ON_BACKUP_VAULTS) != 0) { /* what is for all vaults is of the directory */
        return args->ref[CMK_REF_BACKUP_VAULT] == 0
                   ? (CmkPlace){.scope = scope}
                   : (CmkPlace){.scope = group_of_backup_vault(world, args)};
    }
    return (CmkPlace){.scope = {0}};
}

CmkPlace cmk_place_of_assignment(const CmkWorld *world, const CmkAssignment *assignment)
{
    const CmkManagedHsmId hsm = {assignment->managed_hsm};
    if (hsm.i != 0) {
        return (CmkPlace){.scope = {cmk_managed_hsm(world, hsm)->resource_group},
                          .managed_hsm = hsm,
                          .key = {assignment->key},
                          .is_on_keys = assignment->is_on_keys != 0};
    }
    return assignment->scope != 0 ? (CmkPlace){.scope = {assignment->scope}}
                                  : cmk_place_of_key(world, (CmkKeyVaultId){assignment->key_vault},
                                                     (CmkKeyId){assignment->key});
}

bool cmk_scope_contains(const CmkWorld *world, CmkScopeId outer, CmkScopeId inner)
{
    uint32_t row = inner.i;
    for (uint32_t depth = 0; row != 0 && depth < DEPTH_MAX; depth++) {
        if (row == outer.i) {
            return true;
        }
        row = cmk_scope(world, (CmkScopeId){row})->parent;
    }
    return false;
}

CmkScopeId cmk_scope_subscription(const CmkWorld *world, CmkScopeId scope)
{
    const CmkScope *row = cmk_scope(world, scope);
    if (scope.i == 0 || row->kind == CMK_SCOPE_MANAGEMENT_GROUP) {
        return (CmkScopeId){0};
    }
    return row->kind == CMK_SCOPE_SUBSCRIPTION ? scope : (CmkScopeId){row->parent};
}

uint32_t cmk_scope_tenant(const CmkWorld *world, CmkScopeId scope)
{
    return cmk_scope(world, cmk_scope_subscription(world, scope))->tenant;
}

CmkScopeId cmk_scope_that_counts(const CmkWorld *world, CmkScopeId scope)
{
    const CmkScopeId subscription = cmk_scope_subscription(world, scope);
    return subscription.i != 0 ? subscription : scope;
}

/* ---- operations ------------------------------------------------------------------------------ */

/* Principals and assignments remember the tenant they belong to, so that nothing has to go through
 * all of them. The management group stays behind with the old tenant. */
static uint32_t subscription_move_tenant(CmkSim *sim, const CmkArgs *args)
{
    CmkScope *subscription = cmk_scope_mut(sim, (CmkScopeId){args->ref[CMK_REF_SCOPE]});
    subscription->tenant++;
    subscription->parent = 0;
    subscription->assignment_count = 0;
    subscription->changed_by = cmk_this_seq(sim);
    return args->ref[CMK_REF_SCOPE];
}

const CmkOperation cmk_op_subscription_move_tenant = {
    .name = "subscription.move_tenant",
    .permission = CMK_PERMISSION_ROLE_WRITE,
    .text = "A subscription moves to another tenant: its identities are broken until they are made "
            "anew, and its role assignments grant nothing any more.",
    .params = {{"subscription", CMK_PARAM_SUBSCRIPTION, 0, 1, CMK_REF_SCOPE}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE},
    .writes = CMK_BIT(SCOPE),
    .effect = subscription_move_tenant,
    .rules = "MI-13 KVE-1 ERR-M13",
    .action = "Microsoft.Authorization/roleAssignments/write",
};
