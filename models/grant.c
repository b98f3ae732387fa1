/* Role assignments and access policies: giving, taking away, propagation (section 3). */
#include "models/access.h"
#include "models/key_store.h"
#include "models/managed_hsm.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/repairs.h"
#include "models/replica.h"
#include "models/rows.h"

/* AC-5 */
#define ACCESS_POLICIES_MAX 1024
/* AC-20: 4000 in a subscription, 500 in a management group. */
#define SUBSCRIPTION_TO_MANAGEMENT_GROUP 8

uint32_t cmk_assignment_epoch(const CmkWorld *world, uint32_t row)
{
    return cmk_assignment(world, (CmkAssignmentId){row})->epoch;
}

/* ---- guards ---------------------------------------------------------------------------------- */

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
    const CmkPrincipalId caller = cmk_access_caller(world, args);
    if (args->ref[CMK_REF_IDENTITY] != 0) {
        *ret_blame = cmk_identity(world, (CmkIdentityId){args->ref[CMK_REF_IDENTITY]})->changed_by;
    } else {
        *ret_blame =
            cmk_backup_vault(world, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]})->system_by;
    }
    if (caller.i != 0 && cmk_principal_is_alive(world, caller)) {
        return true;
    }
    const CmkScopeId moved = cmk_scope_subscription(
        world, cmk_place_of(world, args, CMK_PERMISSION_IDENTITY_WRITE).scope);
    *ret_blame = caller.i != 0 ? cmk_scope(world, moved)->changed_by : *ret_blame;
    return false;
}

static bool scope_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    *ret_blame = vault->changed_by;
    return args->ref[CMK_REF_SCOPE] != 0 || cmk_is_about_hsm(args) ||
           vault->state == CMK_KEY_VAULT_ACTIVE;
}

const CmkGuard cmk_guard_scope_exists = {.name = "scope-exists",
                                         .holds = scope_exists,
                                         .status = CMK_STATUS_OF(VAULT_NOT_FOUND),
                                         .rule = "AC-9",
                                         .text = "What the role is assigned for exists."};

/* Number of role.assign: what kind of principal it is for, as the request says (MI-18). */
#define ASSIGN_PRINCIPAL_TYPE 1

static int64_t type_of_principal(const CmkWorld *world, const CmkPrincipal *principal)
{
    const CmkPerson *person = cmk_person(world, (CmkPersonId){principal->person});
    if (principal->person == 0) {
        return CMK_PRINCIPAL_SERVICE;
    }
    return person->kind == CMK_PERSON_GROUP ? CMK_PRINCIPAL_GROUP : CMK_PRINCIPAL_USER;
}

static bool principal_is_in_directory(const CmkWorld *world, const CmkArgs *args,
                                      uint64_t *ret_blame)
{
    const CmkPrincipal *principal = cmk_principal(world, cmk_access_caller(world, args));
    const CmkTime known_at = principal->made_at + cmk_knob(world, CMK_KNOB_DIRECTORY_REPLICATION);
    *ret_blame = principal->changed_by;
    const bool is_said = args->op == CMK_OP_ROLE_ASSIGN && args->num[ASSIGN_PRINCIPAL_TYPE] != 0;
    if (is_said) { /* nothing is looked up; that a wrong type is refused is assumed */
        return args->num[ASSIGN_PRINCIPAL_TYPE] == type_of_principal(world, principal);
    }
    /* The world was set up long ago and without haste. */
    return !cmk_is_open(world) || cmk_world_now(world) >= known_at;
}

const CmkGuard cmk_guard_principal_is_in_directory = {
    .name = "principal-is-in-directory",
    .holds = principal_is_in_directory,
    .status = CMK_STATUS_OF(PRINCIPAL_NOT_FOUND),
    .rule = "MI-18",
    .text = "The principal is old enough for all of the directory to know it, or the request says "
            "rightly of what type it is."};

static CmkPlace place_of(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_place_of(world, args, CMK_PERMISSION_ROLE_WRITE);
}

/* Where the principal is to be used: groups are of the directory itself. */
static CmkScopeId scope_of_use(const CmkWorld *world, const CmkArgs *args)
{
    const CmkBackupVaultId vault = {args->ref[CMK_REF_BACKUP_VAULT]};
    switch (args->op) {
    case CMK_OP_GROUP_ADD_MEMBER:
        return (CmkScopeId){0};
    case CMK_OP_IDENTITY_ATTACH:
    case CMK_OP_BACKUP_VAULT_CREATE:
        return (CmkScopeId){cmk_backup_vault(world, vault)->resource_group};
    default:
        return place_of(world, args).scope;
    }
}

/* A vault can be made without an identity. */
static bool principal_is_of_the_tenant(const CmkWorld *world, const CmkArgs *args,
                                       uint64_t *ret_blame)
{
    const CmkPrincipal *principal = cmk_principal(world, cmk_access_caller(world, args));
    const CmkScopeId scope = scope_of_use(world, args);
    const uint64_t moved_by = cmk_scope(world, cmk_scope_subscription(world, scope))->changed_by;
    const bool is_none = args->op == CMK_OP_BACKUP_VAULT_CREATE && args->ref[CMK_REF_KEY] == 0;
    *ret_blame = moved_by > principal->changed_by ? moved_by : principal->changed_by;
    return is_none || principal->tenant == cmk_scope_tenant(world, scope);
}

static bool is_about_identity(const CmkArgs *refused)
{
    return refused->ref[CMK_REF_IDENTITY] != 0 && refused->ref[CMK_REF_GRANTEE] == 0;
}

static bool delete_stranger(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    return is_about_identity(refused) && cmk_repair_delete_identity(world, refused, ret);
}

static bool create_native(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    return is_about_identity(refused) && cmk_repair_create_identity(world, refused, ret);
}

const CmkGuard cmk_guard_principal_is_of_the_tenant = {
    .name = "principal-is-of-the-tenant",
    .holds = principal_is_of_the_tenant,
    .status = CMK_STATUS_OF(PRINCIPAL_OF_ANOTHER_TENANT),
    .rule = "MI-13",
    .text = "The principal is of the tenant in which it is to be used.",
    .repairs = {{CMK_OP_IDENTITY_DELETE, delete_stranger,
                 "delete the identity that stayed behind in another tenant, and create it again"},
                {CMK_OP_IDENTITY_CREATE, create_native, "create the identity again"}}};

static bool assignments_have_room(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkScope *counts =
        cmk_scope(world, cmk_scope_that_counts(world, place_of(world, args).scope));
    int64_t limit = cmk_knob(world, CMK_KNOB_ROLE_ASSIGNMENT_LIMIT);
    const bool is_limited = limit != 0;
    if (counts->kind == CMK_SCOPE_MANAGEMENT_GROUP) {
        limit /= SUBSCRIPTION_TO_MANAGEMENT_GROUP;
    }
    *ret_blame = counts->changed_by;
    return !is_limited || cmk_is_about_hsm(args) || counts->assignment_count < limit;
}

const CmkGuard cmk_guard_assignments_have_room = {
    .name = "assignments-have-room",
    .holds = assignments_have_room,
    .status = CMK_STATUS_OF(ROLE_ASSIGNMENTS_FULL),
    .rule = "AC-20",
    .text = "The subscription or management group has room for another role assignment."};

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
    .rule = "MI-3 MI-5 MI-13",
    .text = "The identity has a principal that can be given rights.",
    .repairs = {
        {CMK_OP_IDENTITY_CREATE, create_caller, "create the identity"},
        {CMK_OP_SYSTEM_IDENTITY_ENABLE, enable_caller, "switch the system-assigned identity on"}}};

static bool is_on_keys(const CmkArgs *args)
{
    return cmk_is_about_hsm(args) &&
           (args->ref[CMK_REF_KEY] != 0 || args->num[CMK_NUM_ALL_KEYS] != 0);
}

/* The assignment that the arguments name: of the given role if one is given, not taken away yet,
 * nor void since its scope moved to another tenant. */
static bool is_meant(const CmkWorld *world, CmkAssignmentId id, const CmkArgs *args)
{
    const CmkAssignment *assignment = cmk_assignment(world, id);
    const CmkAssignmentState state = cmk_assignment_state(world, id);
    const bool is_at_scope = args->ref[CMK_REF_SCOPE] != 0
                                 ? assignment->scope == args->ref[CMK_REF_SCOPE]
                                 : assignment->scope == 0 &&
                                       assignment->key_vault == args->ref[CMK_REF_KEY_VAULT] &&
                                       assignment->managed_hsm == args->ref[CMK_REF_MANAGED_HSM] &&
                                       assignment->key == args->ref[CMK_REF_KEY] &&
                                       (assignment->is_on_keys != 0) == is_on_keys(args);
    return is_at_scope && (args->num[0] == 0 || assignment->role == (uint32_t)args->num[0]) &&
           (state == CMK_ASSIGNMENT_ACTIVE || state == CMK_ASSIGNMENT_GRANTING);
}

/* The first of them; 0 if there is none: then `ret_blame` is the record that took the last one
 * away. O(assignments of the principal). */
static uint32_t first_meant(const CmkWorld *world, CmkPrincipalId principal, const CmkArgs *args,
                            uint64_t *ret_blame)
{
    uint32_t row = cmk_principal(world, principal)->first_assignment;
    while (row != 0) {
        const CmkAssignment *assignment = cmk_assignment(world, (CmkAssignmentId){row});
        if (is_meant(world, (CmkAssignmentId){row}, args)) {
            return row;
        }
        *ret_blame = assignment->changed_by > *ret_blame ? assignment->changed_by : *ret_blame;
        row = assignment->next_of_principal;
    }
    return 0;
}

static bool assignment_is_new(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const uint32_t row = first_meant(world, cmk_access_caller(world, args), args, ret_blame);
    *ret_blame = cmk_assignment(world, (CmkAssignmentId){row})->changed_by;
    return row == 0;
}

/* The code is assumed: the rule sheet names none. */
const CmkGuard cmk_guard_assignment_is_new = {
    .name = "assignment-is-new",
    .holds = assignment_is_new,
    .status = CMK_STATUS_OF(ROLE_ASSIGNMENT_EXISTS),
    .rule = "AC-9",
    .text = "The principal does not have this role at exactly this scope yet."};

static bool assignment_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return first_meant(world, cmk_access_caller(world, args), args, ret_blame) != 0;
}

const CmkGuard cmk_guard_assignment_exists = {
    .name = "assignment-exists",
    .holds = assignment_exists,
    .status = CMK_STATUS_OF(NOT_FOUND),
    .rule = "AC-9",
    .text = "The identity has such a role assignment at exactly this scope."};

static bool orphaned_assignment_exists(const CmkWorld *world, const CmkArgs *args,
                                       uint64_t *ret_blame)
{
    CmkPrincipalId principal = cmk_access_left_behind(world, args);
    while (principal.i != 0 && first_meant(world, principal, args, ret_blame) == 0) {
        principal = cmk_access_left_before(world, principal);
    }
    return principal.i != 0;
}

const CmkGuard cmk_guard_orphaned_assignment_exists = {
    .name = "orphaned-assignment-exists",
    .holds = orphaned_assignment_exists,
    .status = CMK_STATUS_OF(NOT_FOUND),
    .rule = "AC-15",
    .text = "A deleted principal of this name left such a role assignment behind at exactly this "
            "scope."};

static uint32_t policy_row_in(const CmkWorld *world, CmkPrincipalId principal, const CmkArgs *args)
{
    uint32_t row = cmk_principal(world, principal)->first_access_policy;
    while (row != 0) {
        const CmkAccessPolicy *policy = cmk_access_policy(world, (CmkAccessPolicyId){row});
        if (policy->key_vault == args->ref[CMK_REF_KEY_VAULT]) {
            return row;
        }
        row = policy->next_of_principal;
    }
    return 0;
}

static uint32_t policy_row_of(const CmkWorld *world, const CmkArgs *args)
{
    return policy_row_in(world, cmk_access_caller(world, args), args);
}

uint64_t cmk_access_policy_permissions(const CmkWorld *world, const CmkArgs *remove)
{
    return cmk_access_policy(world, (CmkAccessPolicyId){policy_row_of(world, remove)})->permissions;
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

/* The policy that a deleted principal of this name left behind in the key vault; 0 if there is
 * none. O(principals of the name and their policies). */
static uint32_t orphaned_policy_row_of(const CmkWorld *world, const CmkArgs *args)
{
    CmkPrincipalId principal = cmk_access_left_behind(world, args);
    while (principal.i != 0) {
        const uint32_t row = policy_row_in(world, principal, args);
        if (cmk_access_policy(world, (CmkAccessPolicyId){row})->permissions != 0) {
            return row;
        }
        principal = cmk_access_left_before(world, principal);
    }
    return 0;
}

static bool orphaned_access_policy_exists(const CmkWorld *world, const CmkArgs *args,
                                          uint64_t *ret_blame)
{
    const CmkPrincipalId newest = cmk_access_left_behind(world, args);
    const uint32_t row = policy_row_in(world, newest, args);
    *ret_blame = cmk_access_policy(world, (CmkAccessPolicyId){row})->changed_by;
    return orphaned_policy_row_of(world, args) != 0;
}

const CmkGuard cmk_guard_orphaned_access_policy_exists = {
    .name = "orphaned-access-policy-exists",
    .holds = orphaned_access_policy_exists,
    .status = CMK_STATUS_OF(NOT_FOUND),
    .rule = "AC-5 AC-15",
    .text = "A deleted principal of this name left an access policy behind in the key vault."};

static bool access_policies_have_room(const CmkWorld *world, const CmkArgs *args,
                                      uint64_t *ret_blame)
{
    uint64_t ignored = 0;
    const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    *ret_blame = vault->changed_by;
    return vault->access_policy_count < ACCESS_POLICIES_MAX ||
           access_policy_exists(world, args, &ignored);
}

const CmkGuard cmk_guard_access_policies_have_room = {
    .name = "access-policies-have-room",
    .holds = access_policies_have_room,
    .status = CMK_STATUS_OF(ACCESS_POLICIES_FULL),
    .rule = "AC-5",
    .text = "The key vault has fewer than 1024 access policies, or one for this principal."};

/* ---- role assignments ------------------------------------------------------------------------ */

/* AC-10, AC-11: what data actions are given for a management group takes long to get to the data. A
 * local role of a Managed HSM acts at once, unless it has to get to a second region (HSM-17). */
static int64_t propagation_of(const CmkWorld *world, const CmkAssignment *assignment)
{
    const CmkManagedHsmId hsm = {assignment->managed_hsm};
    if (hsm.i != 0) {
        return cmk_managed_hsm_has_second(world, hsm) ? cmk_knob(world, CMK_KNOB_HSM_REPLICATION)
                                                      : 0;
    }
    const CmkScope *scope = cmk_scope(world, (CmkScopeId){assignment->scope});
    const bool is_wide = assignment->scope != 0 && scope->kind == CMK_SCOPE_MANAGEMENT_GROUP;
    return cmk_knob(world, is_wide && cmk_role_has_data_actions(assignment->role)
                               ? CMK_KNOB_MANAGEMENT_GROUP_PROPAGATION
                               : CMK_KNOB_ROLE_PROPAGATION);
}

/* By as much as the scope that counts assignments there is concerned. */
static void count_assignment(CmkSim *sim, const CmkAssignment *assignment, int32_t delta)
{
    const CmkPlace place = cmk_place_of_assignment(sim->world, assignment);
    if (assignment->tenant != cmk_scope_tenant(sim->world, place.scope)) {
        return; /* it stayed behind when its subscription moved */
    }
    if (assignment->managed_hsm != 0) {
        return; /* it is inside the HSM, not in Azure */
    }
    CmkScope *counts = cmk_scope_mut(sim, cmk_scope_that_counts(sim->world, place.scope));
    counts->assignment_count = (uint32_t)((int32_t)counts->assignment_count + delta);
    counts->changed_by = cmk_this_seq(sim);
}

void cmk_assignment_end(CmkSim *sim, CmkAssignmentId id)
{
    CmkAssignment *assignment = cmk_assignment_mut(sim, id);
    if (assignment->state == CMK_ASSIGNMENT_ACTIVE ||
        assignment->state == CMK_ASSIGNMENT_GRANTING) {
        count_assignment(sim, assignment, -1);
        assignment->changed_by = cmk_this_seq(sim);
    }
    assignment->state = CMK_ASSIGNMENT_REMOVED;
    assignment->epoch++;
}

static void let_propagate(CmkSim *sim, const CmkArgs *args, uint32_t row)
{
    const CmkTime delay =
        propagation_of(sim->world, cmk_assignment(sim->world, (CmkAssignmentId){row}));
    (void)cmk_engine_set_timer(sim, cmk_world_now(sim->world) + delay, CMK_EVENT_PROPAGATION, row,
                               args);
}

static void link_to_place(CmkSim *sim, CmkAssignmentId id)
{
    CmkAssignment *assignment = cmk_assignment_mut(sim, id);
    if (assignment->key_vault != 0) {
        CmkKeyVault *vault = cmk_key_vault_mut(sim, (CmkKeyVaultId){assignment->key_vault});
        assignment->next_of_key_vault = vault->first_assignment;
        vault->first_assignment = id.i;
    } else if (assignment->managed_hsm != 0) {
        CmkManagedHsm *hsm = cmk_managed_hsm_mut(sim, (CmkManagedHsmId){assignment->managed_hsm});
        assignment->next_of_key_vault = hsm->first_assignment;
        hsm->first_assignment = id.i;
    }
}

/* Local roles are kept by the HSM itself, as keys are. */
#define IN_HSM                                                                                     \
    CMK_GUARD_MANAGED_HSM_EXISTS, CMK_GUARD_MANAGED_HSM_IS_REACHABLE,                              \
        CMK_GUARD_MANAGED_HSM_IS_ACTIVATED

static uint32_t role_assign(CmkSim *sim, const CmkArgs *args)
{
    const CmkPrincipalId principal_id = cmk_access_caller(sim->world, args);
    CmkPrincipal *principal = cmk_principal_mut(sim, principal_id);
    const CmkPlace place = place_of(sim->world, args);
    const CmkAssignmentId id = {cmk_world_row_add(sim->world, CMK_TABLE_ASSIGNMENT)};
    CmkAssignment *assignment = cmk_assignment_mut(sim, id);
    *assignment = (CmkAssignment){.principal = principal_id.i,
                                  .role = (uint32_t)args->num[0],
                                  .key_vault = place.key_vault.i,
                                  .managed_hsm = place.managed_hsm.i,
                                  .is_on_keys = place.is_on_keys,
                                  .key = place.key.i,
                                  .scope = args->ref[CMK_REF_SCOPE],
                                  .tenant = cmk_scope_tenant(sim->world, place.scope),
                                  .next_of_principal = principal->first_assignment,
                                  .changed_by = cmk_this_seq(sim)};
    principal->first_assignment = id.i;
    link_to_place(sim, id);
    count_assignment(sim, assignment, +1);
    const bool is_at_once = propagation_of(sim->world, assignment) == 0;
    assignment->state = is_at_once ? CMK_ASSIGNMENT_ACTIVE : CMK_ASSIGNMENT_GRANTING;
    if (!is_at_once) {
        let_propagate(sim, args, id.i);
    }
    return id.i;
}

const CmkOperation cmk_op_role_assign = {
    .name = "role.assign",
    .text =
        "An identity, user or group is given a role on a key, a key vault or what contains it, or "
        "a local role of a Managed HSM.",
    .params = {{"principal", CMK_PARAM_CALLER, 0, 1, CMK_REF_IDENTITY},
               {"role", CMK_PARAM_ROLE, 1, 1, 0},
               {"scope", CMK_PARAM_SCOPE, 0, 1, CMK_REF_KEY_VAULT},
               {"principal_type", CMK_PARAM_PRINCIPAL_TYPE, 1, 0, ASSIGN_PRINCIPAL_TYPE}},
    .permission = CMK_PERMISSION_ROLE_WRITE,
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_PRINCIPAL_EXISTS, CMK_GUARD_SCOPE_EXISTS,
               IN_HSM, CMK_GUARD_ROLE_FITS_SCOPE, CMK_GUARD_PRINCIPAL_IS_OF_THE_TENANT,
               CMK_GUARD_PRINCIPAL_IS_IN_DIRECTORY, CMK_GUARD_ASSIGNMENT_IS_NEW,
               CMK_GUARD_ASSIGNMENTS_HAVE_ROOM, CMK_GUARD_LOCAL_ASSIGNMENTS_HAVE_ROOM},
    .writes = CMK_BIT(PRINCIPAL) | CMK_BIT(ASSIGNMENT) | CMK_BIT(KEY_VAULT) | CMK_BIT(MANAGED_HSM) |
              CMK_BIT(SCOPE) | CMK_BIT_TIMERS,
    .effect = role_assign,
    .rules = "AC-8 AC-9 AC-10 AC-11 AC-13 AC-20 MI-13 MI-18 REL-10 HSM-7 HSM-8 HSM-17",
    .action = "Microsoft.Authorization/roleAssignments/write",
    .az = "az role assignment create",
};

static void remove_assignment(CmkSim *sim, const CmkArgs *args, CmkAssignmentId id)
{
    CmkAssignment *assignment = cmk_assignment_mut(sim, id);
    /* What does not act yet never will. */
    const bool is_gone =
        propagation_of(sim->world, assignment) == 0 || assignment->state == CMK_ASSIGNMENT_GRANTING;
    cmk_assignment_end(sim, id);
    if (!is_gone) {
        assignment->state = CMK_ASSIGNMENT_REMOVING;
        let_propagate(sim, args, id.i);
    }
}

/* All that the arguments ask for, each with a timer that the world was given room for. Gives the
 * last row, 0 if there is none. O(assignments of the principal). */
static uint32_t remove_from(CmkSim *sim, const CmkArgs *args, CmkPrincipalId principal)
{
    uint32_t removed = 0;
    uint32_t row = cmk_principal(sim->world, principal)->first_assignment;
    while (row != 0) {
        const CmkAssignmentId id = {row};
        if (is_meant(sim->world, id, args)) {
            remove_assignment(sim, args, id);
            removed = row;
        }
        row = cmk_assignment(sim->world, id)->next_of_principal;
    }
    return removed;
}

static uint32_t role_remove(CmkSim *sim, const CmkArgs *args)
{
    return remove_from(sim, args, cmk_access_caller(sim->world, args));
}

const CmkOperation cmk_op_role_remove = {
    .name = "role.remove",
    .text = "Role assignments of an identity at a scope are removed: of one role, or all.",
    .params = {{"principal", CMK_PARAM_CALLER, 0, 1, CMK_REF_IDENTITY},
               {"role", CMK_PARAM_ROLE, 1, 0, 0},
               {"scope", CMK_PARAM_SCOPE, 0, 1, CMK_REF_KEY_VAULT}},
    .permission = CMK_PERMISSION_ROLE_WRITE,
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_PRINCIPAL_EXISTS, IN_HSM,
               CMK_GUARD_ASSIGNMENT_EXISTS},
    .writes = CMK_BIT(ASSIGNMENT) | CMK_BIT(SCOPE) | CMK_BIT_TIMERS,
    .effect = role_remove,
    .rules = "AC-9 AC-10 AC-13",
    .action = "Microsoft.Authorization/roleAssignments/delete",
    .az = "az role assignment delete",
};

static uint32_t role_remove_orphaned(CmkSim *sim, const CmkArgs *args)
{
    uint32_t removed = 0;
    CmkPrincipalId principal = cmk_access_left_behind(sim->world, args);
    while (principal.i != 0) {
        const uint32_t row = remove_from(sim, args, principal);
        removed = row != 0 ? row : removed;
        principal = cmk_access_left_before(sim->world, principal);
    }
    return removed;
}

/* A name that is gone does not find them, as it does not find who had it: whoever cleans up names
 * the object ID that they show, or themselves. Here the name stands for all who had it. */
const CmkOperation cmk_op_role_remove_orphaned = {
    .name = "role.remove_orphaned",
    .text = "Role assignments at a scope that deleted principals of an identity left behind are "
            "removed: of one role, or all.",
    .params = {{"principal", CMK_PARAM_CALLER, 0, 1, CMK_REF_IDENTITY},
               {"role", CMK_PARAM_ROLE, 1, 0, 0},
               {"scope", CMK_PARAM_SCOPE, 0, 1, CMK_REF_KEY_VAULT}},
    .permission = CMK_PERMISSION_ROLE_WRITE,
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, IN_HSM, CMK_GUARD_ORPHANED_ASSIGNMENT_EXISTS},
    .writes = CMK_BIT(ASSIGNMENT) | CMK_BIT(SCOPE) | CMK_BIT_TIMERS,
    .effect = role_remove_orphaned,
    .rules = "AC-9 AC-10 AC-15",
    .action = "Microsoft.Authorization/roleAssignments/delete",
    .az = "az role assignment delete --ids",
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

/* ---- access policies ------------------------------------------------------------------------- */

/* Gives a policy its permissions, 0 for none, and keeps the vault's count of them. */
static void set_permissions(CmkSim *sim, CmkAccessPolicyId id, uint64_t permissions)
{
    CmkAccessPolicy *policy = cmk_access_policy_mut(sim, id);
    CmkKeyVault *vault = cmk_key_vault_mut(sim, (CmkKeyVaultId){policy->key_vault});
    vault->access_policy_count += (permissions != 0) - (uint32_t)(policy->permissions != 0);
    cmk_replica_keep_policy(sim, policy);
    policy->permissions = permissions;
    policy->changed_by = cmk_this_seq(sim);
    if (!cmk_is_open(sim->world)) {
        policy->template_permissions = permissions; /* AC-18: the template made the world */
    }
}

static uint32_t access_policy_set(CmkSim *sim, const CmkArgs *args)
{
    const CmkPrincipalId principal_id = cmk_access_caller(sim->world, args);
    uint32_t row = policy_row_of(sim->world, args);
    if (row == 0) {
        CmkPrincipal *principal = cmk_principal_mut(sim, principal_id);
        CmkKeyVault *vault = cmk_key_vault_mut(sim, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
        row = cmk_world_row_add(sim->world, CMK_TABLE_ACCESS_POLICY);
        *cmk_access_policy_mut(sim, (CmkAccessPolicyId){row}) =
            (CmkAccessPolicy){.principal = principal_id.i,
                              .key_vault = args->ref[CMK_REF_KEY_VAULT],
                              .next_of_principal = principal->first_access_policy,
                              .next_of_key_vault = vault->first_access_policy};
        principal->first_access_policy = row;
        vault->first_access_policy = row;
    }
    set_permissions(sim, (CmkAccessPolicyId){row}, (uint64_t)args->num[0]);
    return row;
}

const CmkOperation cmk_op_access_policy_set = {
    .name = "access_policy.set",
    .text = "A key vault's access policy for an identity is set; it acts at once.",
    .params = {{"principal", CMK_PARAM_CALLER, 0, 1, CMK_REF_IDENTITY},
               {"key_vault", CMK_PARAM_KEY_VAULT, 0, 1, CMK_REF_KEY_VAULT},
               {"permissions", CMK_PARAM_PERMISSIONS, 1, 1, 0}},
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_PRINCIPAL_EXISTS, CMK_GUARD_KEY_VAULT_EXISTS,
               CMK_GUARD_KEY_VAULT_IS_REACHABLE, CMK_GUARD_KEY_VAULT_IS_WRITABLE,
               CMK_GUARD_KEY_VAULT_USES_POLICIES, CMK_GUARD_ACCESS_POLICIES_HAVE_ROOM},
    .writes = CMK_BIT(PRINCIPAL) | CMK_BIT(ACCESS_POLICY) | CMK_BIT(KEY_VAULT),
    .effect = access_policy_set,
    .rules = "AC-5 AC-6 AC-7 AC-14 AC-19 REL-8",
    .action = "Microsoft.KeyVault/vaults/accessPolicies/write",
    .az = "az keyvault set-policy",
    .audit = "VaultPatch",
};

static uint32_t access_policy_remove(CmkSim *sim, const CmkArgs *args)
{
    const uint32_t row = policy_row_of(sim->world, args);
    set_permissions(sim, (CmkAccessPolicyId){row}, 0);
    return row;
}

const CmkOperation cmk_op_access_policy_remove = {
    .name = "access_policy.remove",
    .text = "A key vault's access policy for an identity is removed; it acts at once.",
    .params = {{"principal", CMK_PARAM_CALLER, 0, 1, CMK_REF_IDENTITY},
               {"key_vault", CMK_PARAM_KEY_VAULT, 0, 1, CMK_REF_KEY_VAULT}},
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_PRINCIPAL_EXISTS, CMK_GUARD_KEY_VAULT_EXISTS,
               CMK_GUARD_KEY_VAULT_IS_REACHABLE, CMK_GUARD_KEY_VAULT_IS_WRITABLE,
               CMK_GUARD_KEY_VAULT_USES_POLICIES, CMK_GUARD_ACCESS_POLICY_EXISTS},
    .writes = CMK_BIT(ACCESS_POLICY) | CMK_BIT(KEY_VAULT),
    .effect = access_policy_remove,
    .rules = "AC-5 AC-14 REL-8",
    .action = "Microsoft.KeyVault/vaults/accessPolicies/delete",
    .az = "az keyvault delete-policy",
    .audit = "VaultPatch",
};

static uint32_t access_policy_remove_orphaned(CmkSim *sim, const CmkArgs *args)
{
    uint32_t removed = 0;
    uint32_t row = orphaned_policy_row_of(sim->world, args);
    while (row != 0) {
        set_permissions(sim, (CmkAccessPolicyId){row}, 0);
        removed = row;
        row = orphaned_policy_row_of(sim->world, args);
    }
    return removed;
}

/* As role.remove_orphaned: the name stands for the object IDs of all who had it. */
const CmkOperation cmk_op_access_policy_remove_orphaned = {
    .name = "access_policy.remove_orphaned",
    .text = "Access policies of a key vault that deleted principals of an identity left behind are "
            "removed.",
    .params = {{"principal", CMK_PARAM_CALLER, 0, 1, CMK_REF_IDENTITY},
               {"key_vault", CMK_PARAM_KEY_VAULT, 0, 1, CMK_REF_KEY_VAULT}},
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_KEY_VAULT_EXISTS,
               CMK_GUARD_KEY_VAULT_IS_REACHABLE, CMK_GUARD_KEY_VAULT_IS_WRITABLE,
               CMK_GUARD_KEY_VAULT_USES_POLICIES, CMK_GUARD_ORPHANED_ACCESS_POLICY_EXISTS},
    .writes = CMK_BIT(ACCESS_POLICY) | CMK_BIT(KEY_VAULT),
    .effect = access_policy_remove_orphaned,
    .rules = "AC-5 AC-15 REL-8",
    .action = "Microsoft.KeyVault/vaults/accessPolicies/delete",
    .az = "az keyvault delete-policy --object-id",
    .audit = "VaultPatch",
};

/* ---- the key vault as a whole ---------------------------------------------------------------- */

static uint32_t key_vault_set_permission_model(CmkSim *sim, const CmkArgs *args)
{
    CmkKeyVault *vault = cmk_key_vault_mut(sim, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    cmk_replica_keep_key_vault(sim, vault);
    vault->permission_model = (uint32_t)args->num[0];
    vault->permission_model_by = cmk_this_seq(sim);
    return args->ref[CMK_REF_KEY_VAULT];
}

const CmkOperation cmk_op_key_vault_set_permission_model = {
    .name = "key_vault.set_permission_model",
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,
    .text = "The key vault goes over to roles or to access policies; what the other said is void "
            "at once.",
    .params = {{"key_vault", CMK_PARAM_KEY_VAULT, 0, 1, CMK_REF_KEY_VAULT},
               {"permission_model", CMK_PARAM_PERMISSION_MODEL, 1, 1, 0}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_ACTOR_MAY_ASSIGN_ROLES,
               CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_KEY_VAULT_IS_REACHABLE,
               CMK_GUARD_KEY_VAULT_IS_WRITABLE},
    .writes = CMK_BIT(KEY_VAULT),
    .effect = key_vault_set_permission_model,
    .rules = "AC-1 AC-2 AC-19",
    .action = "Microsoft.KeyVault/vaults/write",
    .az = "az keyvault update --enable-rbac-authorization",
    .audit = "VaultPatch",
};

/* All access policies become what they were before the scenario began. O(access policies). */
static uint32_t key_vault_redeploy_template(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyVaultId id = {args->ref[CMK_REF_KEY_VAULT]};
    uint32_t row = cmk_key_vault(sim->world, id)->first_access_policy;
    while (row != 0) {
        const CmkAccessPolicy *policy = cmk_access_policy(sim->world, (CmkAccessPolicyId){row});
        if (policy->permissions != policy->template_permissions) {
            set_permissions(sim, (CmkAccessPolicyId){row}, policy->template_permissions);
        }
        row = policy->next_of_key_vault;
    }
    return id.i;
}

const CmkOperation cmk_op_key_vault_redeploy_template = {
    .name = "key_vault.redeploy_template",
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,
    .text = "The key vault's template is deployed again: its access policies are those from before "
            "the scenario began, and no others.",
    .params = {{"key_vault", CMK_PARAM_KEY_VAULT, 0, 1, CMK_REF_KEY_VAULT}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_KEY_VAULT_EXISTS,
               CMK_GUARD_KEY_VAULT_IS_REACHABLE, CMK_GUARD_KEY_VAULT_IS_WRITABLE},
    .writes = CMK_BIT(KEY_VAULT) | CMK_BIT(ACCESS_POLICY),
    .effect = key_vault_redeploy_template,
    .rules = "AC-18",
    .action = "Microsoft.KeyVault/vaults/write",
    .az = "az deployment group create",
    .audit = "VaultPatch",
};
