/* Role assignments and access policies: giving, taking away, propagation (section 3). */
#include "models/access.h"

#include <string.h>

#include "models/model.h"
#include "models/mutate.h"
#include "models/repairs.h"
#include "models/rows.h"

#define ALL_KEY_PERMISSIONS CMK_PERMISSION_KEYS_ALL
/* AC-16: on an RSA key whoever may read it may also wrap with it. */
#define READ (CMK_PERMISSION_GET | CMK_PERMISSION_LIST | CMK_PERMISSION_WRAP)

/* Key data actions of the built-in roles; element 0 stands for none. */
static const CmkRoleFacts roles[] = {
    {NULL, NULL, NULL, 0, 0},
    {"Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483", "AC-R1",
     ALL_KEY_PERMISSIONS, 0},
    {"Key Vault Crypto Officer", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603", "AC-R2",
     ALL_KEY_PERMISSIONS, 0},
    {"Key Vault Crypto Service Encryption User", "e147488a-f6f5-4113-8e2d-b22465e65bf6", "AC-R3",
     ALL_KEY_PERMISSIONS, 0},
    {"Key Vault Crypto User", "12338af0-0e69-4776-bea7-57ae8d297424", "AC-R4", ALL_KEY_PERMISSIONS,
     0},
    {"Key Vault Crypto Service Release User", "08bbd89e-9f13-488c-ac41-acfcb10c90ab", "AC-R5", 0,
     0},
    {"Key Vault Reader", "21090545-7ca7-4776-b22c-e363652d74d2", "AC-R6 AC-16", READ, 0},
    {"Key Vault Purge Operator", "a68e7c17-0ab2-4c09-9a58-125dae29748c", "AC-R7", 0, 0},
    {"Key Vault Contributor", "f25e0fa2-a7c8-4377-a976-54943a77a395", "AC-R8", 0, 0},
    {"Key Vault Data Access Administrator", "8b54135c-b56d-4d72-a534-26097cfdc8d8", "AC-R9", 0, 0},
    {"Key Vault Secrets User", "4633458b-17de-408a-b874-0445c86b69e6", "AC-R10", 0, 0},
};

const CmkRoleFacts *cmk_role_facts(uint32_t *ret_count)
{
    *ret_count = (uint32_t)CMK_ARRAY_LEN(roles);
    return roles;
}

uint32_t cmk_role_find(const char *name)
{
    for (uint32_t i = 1; i < CMK_ARRAY_LEN(roles); i++) {
        if (strcmp(roles[i].name, name) == 0 || strcmp(roles[i].guid, name) == 0) {
            return i;
        }
    }
    return 0;
}

uint32_t cmk_assignment_epoch(const CmkWorld *world, uint32_t row)
{
    return cmk_assignment(world, (CmkAssignmentId){row})->epoch;
}

/* ---- the question ---------------------------------------------------------------------------- */

static bool covers(const CmkAssignment *assignment, CmkKeyVaultId key_vault, CmkKeyId key)
{
    return assignment->key_vault == key_vault.i &&
           (assignment->key == 0 || assignment->key == key.i); /* AC-9 */
}

static bool role_grants(const CmkWorld *world, const CmkPrincipal *principal,
                        CmkKeyVaultId key_vault, CmkKeyId key, uint32_t permission,
                        uint64_t *ret_blame)
{
    uint64_t blame = 0;
    uint32_t row = principal->first_assignment;
    while (row != 0) {
        const CmkAssignment *assignment = cmk_assignment(world, (CmkAssignmentId){row});
        if (covers(assignment, key_vault, key) &&
            (roles[assignment->role].permissions & permission) != 0) {
            if (assignment->state == CMK_ASSIGNMENT_ACTIVE ||
                assignment->state == CMK_ASSIGNMENT_REMOVING) {
                return true;
            }
            blame = assignment->changed_by > blame ? assignment->changed_by : blame;
        }
        row = assignment->next_of_principal;
    }
    *ret_blame = blame;
    return false;
}

static bool policy_grants(const CmkWorld *world, const CmkPrincipal *principal,
                          CmkKeyVaultId key_vault, uint32_t permission, uint64_t *ret_blame)
{
    uint32_t row = principal->first_access_policy;
    while (row != 0) {
        const CmkAccessPolicy *policy = cmk_access_policy(world, (CmkAccessPolicyId){row});
        if (policy->key_vault == key_vault.i) {
            *ret_blame = policy->changed_by;
            return (policy->permissions & permission) != 0;
        }
        row = policy->next_of_principal;
    }
    return false;
}

bool cmk_access_is_granted(const CmkWorld *world, CmkPrincipalId principal, CmkKeyVaultId key_vault,
                           CmkKeyId key, uint32_t permission, uint64_t *ret_blame)
{
    const CmkPrincipal *row = cmk_principal(world, principal);
    const CmkKeyVault *vault = cmk_key_vault(world, key_vault);
    *ret_blame = 0;
    const bool is_granted = vault->permission_model == CMK_PERMISSIONS_RBAC
                                ? role_grants(world, row, key_vault, key, permission, ret_blame)
                                : policy_grants(world, row, key_vault, permission, ret_blame);
    if (!is_granted && *ret_blame == 0) {
        /* It never had it: because the principal is new, or because the model was switched. */
        *ret_blame = row->changed_by > vault->permission_model_by ? row->changed_by
                                                                  : vault->permission_model_by;
    }
    return is_granted;
}

CmkPrincipalId cmk_access_caller(const CmkWorld *world, const CmkArgs *args)
{
    if (args->ref[CMK_REF_IDENTITY] != 0) {
        return (CmkPrincipalId){
            cmk_identity(world, (CmkIdentityId){args->ref[CMK_REF_IDENTITY]})->principal};
    }
    return (CmkPrincipalId){
        cmk_backup_vault(world, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]})
            ->system_principal};
}

/* ---- guards on requests ---------------------------------------------------------------------- */

/* Holds when the key vault uses the other permission model, whose own guard then decides. */
static bool lets(const CmkWorld *world, const CmkArgs *args, CmkPermissionModel model,
                 uint32_t permission, uint64_t *ret_blame)
{
    const CmkKeyVaultId key_vault = {args->ref[CMK_REF_KEY_VAULT]};
    if (cmk_key_vault(world, key_vault)->permission_model != model) {
        return true;
    }
    return cmk_access_is_granted(world, (CmkPrincipalId){args->ref[CMK_REF_PRINCIPAL]}, key_vault,
                                 (CmkKeyId){args->ref[CMK_REF_KEY]}, permission, ret_blame);
}

#define ASSIGN_ROLE                                                                                \
    {                                                                                              \
        CMK_OP_ROLE_ASSIGN, cmk_repair_assign_role,                                                \
            "assign Key Vault Crypto Service Encryption User to the identity on the key vault"     \
    }
#define SET_POLICY                                                                                 \
    {                                                                                              \
        CMK_OP_ACCESS_POLICY_SET, cmk_repair_set_policy,                                           \
            "give the identity get, wrapKey and unwrapKey in the key vault's access policies"      \
    }

/* Two guards for each permission: one for each permission model, each with its own answer. */
#define PERMISSION_GUARDS(small, bit, words, action)                                               \
    static bool role_lets_##small(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame) \
    {                                                                                              \
        return lets(world, args, CMK_PERMISSIONS_RBAC, bit, ret_blame);                            \
    }                                                                                              \
    static bool policy_lets_##small(const CmkWorld *world, const CmkArgs *args,                    \
                                    uint64_t *ret_blame)                                           \
    {                                                                                              \
        return lets(world, args, CMK_PERMISSIONS_POLICY, bit, ret_blame);                          \
    }                                                                                              \
    const CmkGuard cmk_guard_role_lets_##small = {                                                 \
        .name = "role-lets-" #small,                                                               \
        .holds = role_lets_##small,                                                                \
        .status = CMK_STATUS_OF(FORBIDDEN_BY_RBAC),                                                \
        .rule = "KVE-3 KVE-19 AC-8 AC-21",                                                         \
        .text = "A role assignment lets the identity " words " (" action ").",                     \
        .repairs = {ASSIGN_ROLE}};                                                                 \
    const CmkGuard cmk_guard_policy_lets_##small = {                                               \
        .name = "policy-lets-" #small,                                                             \
        .holds = policy_lets_##small,                                                              \
        .status = CMK_STATUS_OF(ACCESS_DENIED),                                                    \
        .rule = "KVE-2 KVE-19 AC-7 AC-21",                                                         \
        .text = "An access policy of the key vault lets the identity " words ".",                  \
        .repairs = {SET_POLICY}}

PERMISSION_GUARDS(get, CMK_PERMISSION_GET, "read the key", "keys/read");
PERMISSION_GUARDS(wrap, CMK_PERMISSION_WRAP, "wrap with the key", "keys/wrap/action");
PERMISSION_GUARDS(unwrap, CMK_PERMISSION_UNWRAP, "unwrap with the key", "keys/unwrap/action");

/* ---- guards on what people ask for ----------------------------------------------------------- */

/* What the operation takes, of the model as it is: no test breaks this. */
static uint32_t permission_for(const CmkArgs *args)
{
    return cmk_azure_model()->operations[args->op]->permission;
}

/* People who are not named may do everything. */
static bool lets_actor(const CmkWorld *world, const CmkArgs *args, CmkPermissionModel model,
                       uint64_t *ret_blame)
{
    const CmkPerson *actor = cmk_person(world, (CmkPersonId){args->ref[CMK_REF_ACTOR]});
    CmkArgs asked = *args;
    asked.ref[CMK_REF_PRINCIPAL] = actor->principal;
    return args->ref[CMK_REF_ACTOR] == 0 ||
           lets(world, &asked, model, permission_for(args), ret_blame);
}

static bool role_lets_actor(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return lets_actor(world, args, CMK_PERMISSIONS_RBAC, ret_blame);
}

static bool policy_lets_actor(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return lets_actor(world, args, CMK_PERMISSIONS_POLICY, ret_blame);
}

const CmkGuard cmk_guard_role_lets_actor = {
    .name = "role-lets-actor",
    .holds = role_lets_actor,
    .status = CMK_STATUS_OF(FORBIDDEN_BY_RBAC),
    .rule = "KVE-3 KVE-19 AC-21",
    .text = "A role assignment lets the person who asks do this with the key."};

const CmkGuard cmk_guard_policy_lets_actor = {
    .name = "policy-lets-actor",
    .holds = policy_lets_actor,
    .status = CMK_STATUS_OF(ACCESS_DENIED),
    .rule = "KVE-2 KVE-19 AC-21",
    .text = "An access policy of the key vault lets the person who asks do this with the key."};

static bool actor_may_manage(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkPerson *actor = cmk_person(world, (CmkPersonId){args->ref[CMK_REF_ACTOR]});
    const CmkPrincipal *principal = cmk_principal(world, (CmkPrincipalId){actor->principal});
    return args->ref[CMK_REF_ACTOR] == 0 ||
           role_grants(world, principal, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]},
                       (CmkKeyId){args->ref[CMK_REF_KEY]}, permission_for(args), ret_blame);
}

const CmkGuard cmk_guard_actor_may_manage = {
    .name = "actor-may-manage",
    .holds = actor_may_manage,
    .status = CMK_STATUS_OF(AUTHORIZATION_FAILED),
    .rule = "AC-9 AC-21",
    .text = "A role at the resource or at what contains it lets the person who asks do this."};

/* ---- guards on giving and taking ------------------------------------------------------------- */

static bool key_vault_uses_policies(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    *ret_blame = vault->permission_model_by;
    return vault->permission_model == CMK_PERMISSIONS_POLICY;
}

const CmkGuard cmk_guard_key_vault_uses_policies = {
    .name = "key-vault-uses-policies",
    .holds = key_vault_uses_policies,
    .status = CMK_STATUS_OF(WRONG_PERMISSION_MODEL),
    .rule = "AC-1 AC-17",
    .text = "The key vault's permission model is access policies."};

static bool principal_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    if (args->ref[CMK_REF_IDENTITY] != 0) {
        *ret_blame = cmk_identity(world, (CmkIdentityId){args->ref[CMK_REF_IDENTITY]})->changed_by;
    } else {
        *ret_blame =
            cmk_backup_vault(world, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]})->system_by;
    }
    return cmk_access_caller(world, args).i != 0;
}

static bool create_caller(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    return refused->ref[CMK_REF_IDENTITY] != 0 && cmk_repair_create_identity(world, refused, ret);
}

static bool enable_caller(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    return refused->ref[CMK_REF_IDENTITY] == 0 && cmk_repair_enable_system(world, refused, ret);
}

const CmkGuard cmk_guard_principal_exists = {
    .name = "principal-exists",
    .holds = principal_exists,
    .status = CMK_STATUS_OF(NOT_FOUND),
    .rule = "MI-3 MI-5",
    .text = "The identity has a principal that can be given rights.",
    .repairs = {
        {CMK_OP_IDENTITY_CREATE, create_caller, "create the identity"},
        {CMK_OP_SYSTEM_IDENTITY_ENABLE, enable_caller, "switch the system-assigned identity on"}}};

/* The assignment that role.remove takes away: of the given role if one is given, still acting. */
static bool is_to_remove(const CmkAssignment *assignment, const CmkArgs *args)
{
    return assignment->key_vault == args->ref[CMK_REF_KEY_VAULT] &&
           assignment->key == args->ref[CMK_REF_KEY] &&
           (args->num[0] == 0 || assignment->role == (uint32_t)args->num[0]) &&
           (assignment->state == CMK_ASSIGNMENT_ACTIVE ||
            assignment->state == CMK_ASSIGNMENT_GRANTING);
}

static bool assignment_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkPrincipal *principal = cmk_principal(world, cmk_access_caller(world, args));
    uint32_t row = principal->first_assignment;
    while (row != 0) {
        const CmkAssignment *assignment = cmk_assignment(world, (CmkAssignmentId){row});
        if (is_to_remove(assignment, args)) {
            return true;
        }
        *ret_blame = assignment->changed_by > *ret_blame ? assignment->changed_by : *ret_blame;
        row = assignment->next_of_principal;
    }
    return false;
}

const CmkGuard cmk_guard_assignment_exists = {
    .name = "assignment-exists",
    .holds = assignment_exists,
    .status = CMK_STATUS_OF(NOT_FOUND),
    .rule = "AC-9",
    .text = "The identity has such a role assignment at exactly this scope."};

static uint32_t policy_row_of(const CmkWorld *world, const CmkArgs *args)
{
    const CmkPrincipal *principal = cmk_principal(world, cmk_access_caller(world, args));
    uint32_t row = principal->first_access_policy;
    while (row != 0) {
        const CmkAccessPolicy *policy = cmk_access_policy(world, (CmkAccessPolicyId){row});
        if (policy->key_vault == args->ref[CMK_REF_KEY_VAULT]) {
            return row;
        }
        row = policy->next_of_principal;
    }
    return 0;
}

static bool access_policy_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const uint32_t row = policy_row_of(world, args);
    const CmkAccessPolicy *policy = cmk_access_policy(world, (CmkAccessPolicyId){row});
    *ret_blame = policy->changed_by;
    return policy->permissions != 0;
}

const CmkGuard cmk_guard_access_policy_exists = {
    .name = "access-policy-exists",
    .holds = access_policy_exists,
    .status = CMK_STATUS_OF(NOT_FOUND),
    .rule = "AC-5",
    .text = "The key vault has an access policy for the identity."};

/* ---- operations ------------------------------------------------------------------------------ */

static void let_propagate(CmkSim *sim, const CmkArgs *args, uint32_t row)
{
    const CmkTime delay = cmk_knob(sim->world, CMK_KNOB_ROLE_PROPAGATION);
    (void)cmk_engine_set_timer(sim, cmk_world_now(sim->world) + delay, CMK_EVENT_PROPAGATION, row,
                               args);
}

static uint32_t role_assign(CmkSim *sim, const CmkArgs *args)
{
    const CmkPrincipalId principal_id = cmk_access_caller(sim->world, args);
    CmkPrincipal *principal = cmk_principal_mut(sim, principal_id);
    CmkKeyVault *key_vault = cmk_key_vault_mut(sim, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    const bool is_at_once = cmk_knob(sim->world, CMK_KNOB_ROLE_PROPAGATION) == 0;
    const CmkAssignmentId id = {cmk_world_row_add(sim->world, CMK_TABLE_ASSIGNMENT)};
    *cmk_assignment_mut(sim, id) =
        (CmkAssignment){.principal = principal_id.i,
                        .role = (uint32_t)args->num[0],
                        .key_vault = args->ref[CMK_REF_KEY_VAULT],
                        .key = args->ref[CMK_REF_KEY],
                        .state = is_at_once ? CMK_ASSIGNMENT_ACTIVE : CMK_ASSIGNMENT_GRANTING,
                        .next_of_principal = principal->first_assignment,
                        .next_of_key_vault = key_vault->first_assignment,
                        .changed_by = cmk_this_seq(sim)};
    principal->first_assignment = id.i;
    key_vault->first_assignment = id.i;
    if (!is_at_once) {
        let_propagate(sim, args, id.i);
    }
    return id.i;
}

const CmkOperation cmk_op_role_assign = {
    .name = "role.assign",
    .text = "An identity is given a role on a key vault or on one key.",
    .params = {{"principal", CMK_PARAM_CALLER, 0, 1, CMK_REF_IDENTITY},
               {"role", CMK_PARAM_ROLE, 1, 1, 0},
               {"scope", CMK_PARAM_SCOPE, 0, 1, CMK_REF_KEY_VAULT}},
    .permission = CMK_PERMISSION_ROLE_WRITE,
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_PRINCIPAL_EXISTS, CMK_GUARD_KEY_VAULT_EXISTS},
    .writes = CMK_BIT(PRINCIPAL) | CMK_BIT(KEY_VAULT) | CMK_BIT(ASSIGNMENT) | CMK_BIT_TIMERS,
    .effect = role_assign,
    .rules = "AC-8 AC-9 AC-10 AC-13 REL-10",
    .action = "Microsoft.Authorization/roleAssignments/write",
    .az = "az role assignment create",
};

static uint32_t role_remove(CmkSim *sim, const CmkArgs *args)
{
    const CmkPrincipal *principal = cmk_principal(sim->world, cmk_access_caller(sim->world, args));
    const bool is_at_once = cmk_knob(sim->world, CMK_KNOB_ROLE_PROPAGATION) == 0;
    uint32_t removed = 0;
    uint32_t row = principal->first_assignment;
    for (uint32_t left = CMK_ROWS_PER_OPERATION; row != 0 && left > 0;) {
        CmkAssignment *assignment = cmk_assignment_mut(sim, (CmkAssignmentId){row});
        if (is_to_remove(assignment, args)) {
            /* What does not act yet never will. */
            const bool is_gone = is_at_once || assignment->state == CMK_ASSIGNMENT_GRANTING;
            assignment->state = is_gone ? CMK_ASSIGNMENT_REMOVED : CMK_ASSIGNMENT_REMOVING;
            assignment->epoch++;
            assignment->changed_by = cmk_this_seq(sim);
            removed = row;
            left--;
            if (!is_gone) {
                let_propagate(sim, args, row);
            }
        }
        row = assignment->next_of_principal;
    }
    return removed;
}

const CmkOperation cmk_op_role_remove = {
    .name = "role.remove",
    .text = "Role assignments of an identity at a scope are removed: of one role, or all.",
    .params = {{"principal", CMK_PARAM_CALLER, 0, 1, CMK_REF_IDENTITY},
               {"role", CMK_PARAM_ROLE, 1, 0, 0},
               {"scope", CMK_PARAM_SCOPE, 0, 1, CMK_REF_KEY_VAULT}},
    .guards = {CMK_GUARD_PRINCIPAL_EXISTS, CMK_GUARD_ASSIGNMENT_EXISTS},
    .writes = CMK_BIT(ASSIGNMENT) | CMK_BIT_TIMERS,
    .effect = role_remove,
    .rules = "AC-9 AC-10 AC-13",
    .action = "Microsoft.Authorization/roleAssignments/delete",
    .az = "az role assignment delete",
};

static uint32_t role_propagate(CmkSim *sim, const CmkArgs *args)
{
    const CmkAssignmentId id = {(uint32_t)args->num[0]};
    CmkAssignment *assignment = cmk_assignment_mut(sim, id);
    assignment->state = assignment->state == CMK_ASSIGNMENT_GRANTING ? CMK_ASSIGNMENT_ACTIVE
                                                                     : CMK_ASSIGNMENT_REMOVED;
    assignment->epoch++;
    if (assignment->state == CMK_ASSIGNMENT_ACTIVE) {
        assignment->changed_by = cmk_this_seq(sim);
    } /* a removal stays the fault of whoever removed it */
    return id.i;
}

const CmkOperation cmk_op_role_propagate = {
    .name = "role.propagate",
    .text = "A role assignment, or its removal, has reached the key vaults and acts from now on.",
    .params = {{"assignment", CMK_PARAM_INTEGER, 1, 1, 0}},
    .writes = CMK_BIT(ASSIGNMENT),
    .effect = role_propagate,
    .rules = "AC-10 OQ-14",
};

void cmk_on_propagation(CmkSim *sim, const CmkTimer *timer)
{
    CmkArgs args = cmk_args_of_timer(CMK_OP_ROLE_PROPAGATE, timer);
    args.num[0] = timer->subject;
    (void)cmk_apply(sim, &args);
}

static uint32_t access_policy_set(CmkSim *sim, const CmkArgs *args)
{
    const CmkPrincipalId principal_id = cmk_access_caller(sim->world, args);
    uint32_t row = policy_row_of(sim->world, args);
    if (row == 0) {
        CmkPrincipal *principal = cmk_principal_mut(sim, principal_id);
        CmkKeyVault *key_vault =
            cmk_key_vault_mut(sim, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
        row = cmk_world_row_add(sim->world, CMK_TABLE_ACCESS_POLICY);
        *cmk_access_policy_mut(sim, (CmkAccessPolicyId){row}) =
            (CmkAccessPolicy){.principal = principal_id.i,
                              .key_vault = args->ref[CMK_REF_KEY_VAULT],
                              .next_of_principal = principal->first_access_policy,
                              .next_of_key_vault = key_vault->first_access_policy};
        principal->first_access_policy = row;
        key_vault->first_access_policy = row;
    }
    CmkAccessPolicy *policy = cmk_access_policy_mut(sim, (CmkAccessPolicyId){row});
    policy->permissions = (uint32_t)args->num[0];
    policy->changed_by = cmk_this_seq(sim);
    return row;
}

const CmkOperation cmk_op_access_policy_set = {
    .name = "access_policy.set",
    .text = "A key vault's access policy for an identity is set; it acts at once.",
    .params = {{"principal", CMK_PARAM_CALLER, 0, 1, CMK_REF_IDENTITY},
               {"key_vault", CMK_PARAM_KEY_VAULT, 0, 1, CMK_REF_KEY_VAULT},
               {"permissions", CMK_PARAM_PERMISSIONS, 1, 1, 0}},
    .guards = {CMK_GUARD_PRINCIPAL_EXISTS, CMK_GUARD_KEY_VAULT_EXISTS,
               CMK_GUARD_KEY_VAULT_IS_REACHABLE, CMK_GUARD_KEY_VAULT_IS_WRITABLE,
               CMK_GUARD_KEY_VAULT_USES_POLICIES},
    .writes = CMK_BIT(PRINCIPAL) | CMK_BIT(KEY_VAULT) | CMK_BIT(ACCESS_POLICY),
    .effect = access_policy_set,
    .rules = "AC-5 AC-6 AC-7 AC-14 REL-8",
    .action = "Microsoft.KeyVault/vaults/accessPolicies/write",
    .az = "az keyvault set-policy",
};

static uint32_t access_policy_remove(CmkSim *sim, const CmkArgs *args)
{
    const uint32_t row = policy_row_of(sim->world, args);
    CmkAccessPolicy *policy = cmk_access_policy_mut(sim, (CmkAccessPolicyId){row});
    policy->permissions = 0;
    policy->changed_by = cmk_this_seq(sim);
    return row;
}

const CmkOperation cmk_op_access_policy_remove = {
    .name = "access_policy.remove",
    .text = "A key vault's access policy for an identity is removed; it acts at once.",
    .params = {{"principal", CMK_PARAM_CALLER, 0, 1, CMK_REF_IDENTITY},
               {"key_vault", CMK_PARAM_KEY_VAULT, 0, 1, CMK_REF_KEY_VAULT}},
    .guards = {CMK_GUARD_PRINCIPAL_EXISTS, CMK_GUARD_KEY_VAULT_EXISTS,
               CMK_GUARD_KEY_VAULT_IS_REACHABLE, CMK_GUARD_KEY_VAULT_IS_WRITABLE,
               CMK_GUARD_KEY_VAULT_USES_POLICIES, CMK_GUARD_ACCESS_POLICY_EXISTS},
    .writes = CMK_BIT(ACCESS_POLICY),
    .effect = access_policy_remove,
    .rules = "AC-5 AC-14 REL-8",
    .action = "Microsoft.KeyVault/vaults/accessPolicies/delete",
    .az = "az keyvault delete-policy",
};
