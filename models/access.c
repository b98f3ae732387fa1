/* The question who may do what, and the guards that ask it (section 3). */
#include "models/access.h"

#include "models/key_store.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/repairs.h"
#include "models/rows.h"

/* ---- the question ---------------------------------------------------------------------------- */

typedef struct Question {
    const CmkWorld *world;
    CmkPlace place;
    CmkPermissions permissions; /* one of them is enough */
    uint64_t blame;             /* the latest record that took it away or has not given it yet */
} Question;

static void blame(Question *question, uint64_t seq)
{
    question->blame = seq > question->blame ? seq : question->blame;
}

/* AC-9: an assignment is about its scope and everything in it; so is a local one. */
static bool covers(const Question *question, const CmkAssignment *assignment)
{
    const CmkPlace *place = &question->place;
    if (place->managed_hsm.i != 0 || assignment->managed_hsm != 0) { /* HSM-7: by themselves */
        return assignment->managed_hsm == place->managed_hsm.i &&
               (assignment->is_on_keys == 0 || place->is_on_keys) &&
               (assignment->key == 0 || assignment->key == place->key.i);
    }
    if (assignment->scope != 0) {
        return cmk_scope_contains(question->world, (CmkScopeId){assignment->scope}, place->scope);
    }
    return assignment->key_vault == place->key_vault.i &&
           (assignment->key == 0 || assignment->key == place->key.i);
}

/* A group is changed in the directory, which only management groups stand for here. */
static bool covers_directory(const Question *question, const CmkAssignment *assignment)
{
    const CmkScope *scope = cmk_scope(question->world, (CmkScopeId){assignment->scope});
    return question->place.scope.i == 0 && assignment->scope != 0 &&
           scope->kind == CMK_SCOPE_MANAGEMENT_GROUP;
}

/* Of the tenant that the scope belongs to now, and not of one that it has left (MI-13). */
static bool is_of_tenant(const CmkWorld *world, const CmkAssignment *assignment)
{
    const CmkPlace place = cmk_place_of_assignment(world, assignment);
    return assignment->tenant == cmk_scope_tenant(world, place.scope);
}

/* AC-16: the public half of an asymmetric key wraps, encrypts and verifies, and whoever reads the
 * key has it; unless both need an action of their own (OQ-8), as in a Managed HSM. */
static CmkPermissions with_public_half(const Question *question, CmkPermissions permissions)
{
    const CmkWorld *world = question->world;
    const bool has_public_half = cmk_key(world, question->place.key)->type != CMK_KEY_OCT_HSM &&
                                 question->place.managed_hsm.i == 0;
    const bool is_enough = (permissions & CMK_PERMISSION_GET) != 0 && has_public_half &&
                           cmk_knob(world, CMK_KNOB_READ_LETS_WRAP) != 0;
    return is_enough
               ? permissions | CMK_PERMISSION_WRAP | CMK_PERMISSION_ENCRYPT | CMK_PERMISSION_VERIFY
               : permissions;
}

static bool own_roles_let(Question *question, const CmkPrincipal *principal)
{
    const CmkWorld *world = question->world;
    uint32_t row = principal->first_assignment;
    while (row != 0) {
        const CmkAssignment *assignment = cmk_assignment(world, (CmkAssignmentId){row});
        const bool is_about_it =
            covers(question, assignment) || covers_directory(question, assignment);
        const CmkPermissions given =
            with_public_half(question, cmk_role_permissions(assignment->role));
        if (is_about_it && (given & question->permissions) != 0) {
            const bool acts = assignment->state == CMK_ASSIGNMENT_ACTIVE ||
                              assignment->state == CMK_ASSIGNMENT_REMOVING;
            if (acts && is_of_tenant(world, assignment)) {
                return true;
            }
            const CmkPlace place = cmk_place_of_assignment(world, assignment);
            const CmkScopeId moved = cmk_scope_subscription(world, place.scope);
            blame(question, acts ? cmk_scope(world, moved)->changed_by : assignment->changed_by);
        }
        row = assignment->next_of_principal;
    }
    return false;
}

static bool own_policy_lets(Question *question, const CmkPrincipal *principal)
{
    uint32_t row = principal->first_access_policy;
    while (row != 0) {
        const CmkAccessPolicy *policy =
            cmk_access_policy(question->world, (CmkAccessPolicyId){row});
        if (policy->key_vault == question->place.key_vault.i) {
            blame(question, policy->changed_by);
            return (policy->permissions & question->permissions) != 0;
        }
        row = policy->next_of_principal;
    }
    return false;
}

typedef bool (*OwnRights)(Question *question, const CmkPrincipal *principal);

/* AC-12: what the groups have counts for those whose token says that they are in them. */
static bool with_groups(Question *question, CmkPrincipalId id, OwnRights own_rights)
{
    const CmkWorld *world = question->world;
    const CmkPrincipal *principal = cmk_principal(world, id);
    if (own_rights(question, principal)) {
        return true;
    }
    uint32_t row = principal->first_membership;
    while (row != 0) {
        const CmkMembership *membership = cmk_membership(world, (CmkMembershipId){row});
        const CmkPerson *group = cmk_person(world, (CmkPersonId){membership->group});
        if (membership->state != CMK_MEMBERSHIP_ACTIVE &&
            membership->state != CMK_MEMBERSHIP_LEAVING) {
            blame(question, membership->changed_by);
        } else if (own_rights(question, cmk_principal(world, (CmkPrincipalId){group->principal}))) {
            return true;
        }
        row = membership->next_of_principal;
    }
    return false;
}

bool cmk_access_roles_let(const CmkWorld *world, CmkPrincipalId principal, CmkPlace place,
                          CmkPermissions permissions, uint64_t *ret_blame)
{
    Question question = {.world = world, .place = place, .permissions = permissions};
    const bool is_let = with_groups(&question, principal, own_roles_let);
    *ret_blame = is_let ? 0 : question.blame;
    return is_let;
}

static bool policies_let(const CmkWorld *world, CmkPrincipalId principal, CmkPlace place,
                         CmkPermissions permissions, uint64_t *ret_blame)
{
    Question question = {.world = world, .place = place, .permissions = permissions};
    const bool is_let = with_groups(&question, principal, own_policy_lets);
    *ret_blame = is_let ? 0 : question.blame;
    return is_let;
}

bool cmk_access_is_granted(const CmkWorld *world, CmkPrincipalId principal, CmkKeyVaultId key_vault,
                           CmkKeyId key, CmkPermissions permission, uint64_t *ret_blame)
{
    const CmkPrincipal *row = cmk_principal(world, principal);
    const CmkKeyVault *vault = cmk_key_vault(world, key_vault);
    const CmkPlace place = cmk_place_of_key(world, key_vault, key);
    const bool is_granted =
        vault->permission_model == CMK_PERMISSIONS_RBAC
            ? cmk_access_roles_let(world, principal, place, permission, ret_blame)
            : policies_let(world, principal, place, permission, ret_blame);
    if (!is_granted && (*ret_blame == 0 || vault->permission_model_by > *ret_blame)) {
        /* It never had it: because the principal is new, or because the model was switched. */
        *ret_blame = row->changed_by > vault->permission_model_by ? row->changed_by
                                                                  : vault->permission_model_by;
    }
    return is_granted;
}

CmkPrincipalId cmk_access_caller(const CmkWorld *world, const CmkArgs *args)
{
    if (args->ref[CMK_REF_GRANTEE] != 0) {
        return (CmkPrincipalId){
            cmk_person(world, (CmkPersonId){args->ref[CMK_REF_GRANTEE]})->principal};
    }
    if (args->ref[CMK_REF_IDENTITY] != 0) {
        return (CmkPrincipalId){
            cmk_identity(world, (CmkIdentityId){args->ref[CMK_REF_IDENTITY]})->principal};
    }
    return (CmkPrincipalId){
        cmk_backup_vault(world, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]})
            ->system_principal};
}

/* ---- principals and their tokens ------------------------------------------------------------- */

/* The resource group of the resource that the principal belongs to; {0} for users and groups. */
static CmkScopeId home_of(const CmkWorld *world, const CmkPrincipal *principal)
{
    const CmkIdentity *identity = cmk_identity(world, (CmkIdentityId){principal->identity});
    const CmkBackupVault *vault =
        cmk_backup_vault(world, (CmkBackupVaultId){principal->backup_vault});
    return (CmkScopeId){principal->identity != 0 ? identity->resource_group
                                                 : vault->resource_group};
}

bool cmk_principal_is_alive(const CmkWorld *world, CmkPrincipalId id)
{
    const CmkPrincipal *principal = cmk_principal(world, id);
    return principal->is_alive != 0 &&
           principal->tenant == cmk_scope_tenant(world, home_of(world, principal));
}

bool cmk_principal_crosses_no_tenant(const CmkWorld *world, CmkPrincipalId id,
                                     CmkBackupVaultId vault, CmkScopeId store, uint64_t *ret_blame)
{
    const CmkPrincipal *principal = cmk_principal(world, id);
    const CmkScopeId places[] = {
        home_of(world, principal), {cmk_backup_vault(world, vault)->resource_group}, store};
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(places); i++) {
        if (principal->tenant != cmk_scope_tenant(world, places[i])) {
            *ret_blame = cmk_scope(world, cmk_scope_subscription(world, places[i]))->changed_by;
            return false;
        }
    }
    return true;
}

/* The first one from this one back that is no more. */
static CmkPrincipalId newest_gone(const CmkWorld *world, uint32_t row)
{
    while (row != 0 && cmk_principal_is_alive(world, (CmkPrincipalId){row})) {
        row = cmk_principal(world, (CmkPrincipalId){row})->previous;
    }
    return (CmkPrincipalId){row};
}

CmkPrincipalId cmk_access_left_behind(const CmkWorld *world, const CmkArgs *args)
{
    const CmkIdentityId identity = {args->ref[CMK_REF_IDENTITY]};
    const CmkBackupVaultId vault = {args->ref[CMK_REF_BACKUP_VAULT]};
    if (args->ref[CMK_REF_GRANTEE] != 0) {
        return (CmkPrincipalId){0}; /* users and groups stay */
    }
    return newest_gone(world, identity.i != 0
                                  ? cmk_identity(world, identity)->last_principal
                                  : cmk_backup_vault(world, vault)->last_system_principal);
}

CmkPrincipalId cmk_access_left_before(const CmkWorld *world, CmkPrincipalId id)
{
    return newest_gone(world, cmk_principal(world, id)->previous);
}

/* MI-9: tokens are fetched one after the other from the moment at which the principal was made. */
CmkTime cmk_principal_token_end(const CmkWorld *world, CmkPrincipalId id)
{
    const int64_t lifetime_us = cmk_knob(world, CMK_KNOB_TOKEN_LIFETIME);
    const CmkTime now = cmk_world_now(world);
    if (lifetime_us == 0) {
        return now;
    }
    const CmkTime made_at = cmk_principal(world, id)->made_at;
    return made_at + ((now - made_at) / lifetime_us + 1) * lifetime_us;
}

bool cmk_principal_token_works(const CmkWorld *world, CmkPrincipalId id, CmkKeyVaultId key_vault)
{
    return cmk_world_now(world) < cmk_principal(world, id)->token_until &&
           cmk_key_vault(world, key_vault)->permission_model == CMK_PERMISSIONS_RBAC;
}

/* ---- what a role assignment is --------------------------------------------------------------- */

CmkAssignmentState cmk_assignment_state(const CmkWorld *world, CmkAssignmentId id)
{
    const CmkAssignment *assignment = cmk_assignment(world, id);
    return is_of_tenant(world, assignment) ? (CmkAssignmentState)assignment->state
                                           : CMK_ASSIGNMENT_REMOVED;
}

bool cmk_assignment_is_orphaned(const CmkWorld *world, CmkAssignmentId id)
{
    const CmkPrincipalId principal = {cmk_assignment(world, id)->principal};
    return cmk_assignment_state(world, id) != CMK_ASSIGNMENT_REMOVED &&
           !cmk_principal_is_alive(world, principal);
}

uint32_t cmk_assignments_orphaned(const CmkWorld *world)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_ASSIGNMENT); i++) {
        count += cmk_assignment_is_orphaned(world, (CmkAssignmentId){i});
    }
    return count;
}

/* ---- guards on requests ---------------------------------------------------------------------- */

/* Holds when the key vault uses the other permission model, whose own guard then decides, and for
 * Managed HSMs. */
static bool lets(const CmkWorld *world, const CmkArgs *args, CmkPermissionModel model,
                 CmkPermissions permission, uint64_t *ret_blame)
{
    const CmkKeyVaultId key_vault = {args->ref[CMK_REF_KEY_VAULT]};
    const bool is_of_secrets = (permission & CMK_PERMISSION_SECRETS_ALL) != 0;
    if (cmk_is_about_hsm(args) || cmk_key_vault(world, key_vault)->permission_model != model) {
        return true;
    }
    return cmk_access_is_granted(world, (CmkPrincipalId){args->ref[CMK_REF_PRINCIPAL]}, key_vault,
                                 (CmkKeyId){is_of_secrets ? 0 : args->ref[CMK_REF_KEY]}, permission,
                                 ret_blame);
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

/* What the operation takes, of the model as it is: no test breaks this. Whoever may assign roles
 * for data only may do so with those (AC-R9). */
static CmkPermissions permissions_for(const CmkArgs *args)
{
    uint32_t count = 0;
    const CmkRoleFacts *roles = cmk_role_facts(&count);
    const bool is_about_roles = args->op == CMK_OP_ROLE_ASSIGN || args->op == CMK_OP_ROLE_REMOVE ||
                                args->op == CMK_OP_ROLE_REMOVE_ORPHANED;
    const bool is_data_role = is_about_roles && roles[args->num[0]].kind == CMK_ROLE_OF_DATA;
    return cmk_azure_model()->operations[args->op]->permission |
           (is_data_role ? (CmkPermissions)CMK_PERMISSION_DATA_ROLE_WRITE : 0);
}

static CmkPrincipalId actor_of(const CmkWorld *world, const CmkArgs *args)
{
    return (CmkPrincipalId){cmk_person(world, (CmkPersonId){args->ref[CMK_REF_ACTOR]})->principal};
}

/* People who are not named may do everything. */
static bool lets_actor(const CmkWorld *world, const CmkArgs *args, CmkPermissionModel model,
                       uint64_t *ret_blame)
{
    CmkArgs asked = *args;
    asked.ref[CMK_REF_PRINCIPAL] = actor_of(world, args).i;
    return args->ref[CMK_REF_ACTOR] == 0 ||
           lets(world, &asked, model, permissions_for(args), ret_blame);
}

/* The first of the roles that let their holder do one of these and the least besides; 0 if none
 * does. O(roles). */
static uint32_t least_role_for(CmkPermissions permissions)
{
    uint32_t count = 0;
    const CmkRoleFacts *roles = cmk_role_facts(&count);
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        const int bits = __builtin_popcountll(roles[i].permissions);
        if (roles[i].kind != CMK_ROLE_LOCAL && (roles[i].permissions & permissions) != 0 &&
            (best == 0 || bits < __builtin_popcountll(roles[best].permissions))) {
            best = i;
        }
    }
    return best;
}

/* What stands for the directory: O(scopes). */
static CmkScopeId first_management_group(const CmkWorld *world)
{
    const uint32_t count = cmk_world_count(world, CMK_TABLE_SCOPE);
    uint32_t row = 1;
    while (row <= count &&
           cmk_scope(world, (CmkScopeId){row})->kind != CMK_SCOPE_MANAGEMENT_GROUP) {
        row++;
    }
    return (CmkScopeId){row <= count ? row : 0};
}

/* Somebody who may do so assigns the person who was refused a role at the place: at the key vault
 * itself while there is one. */
bool cmk_access_let_actor(const CmkWorld *world, const CmkArgs *refused, CmkPlace place,
                          CmkPermissions permissions, CmkArgs *ret)
{
    const CmkKeyVault *vault = cmk_key_vault(world, place.key_vault);
    const CmkScopeId around = place.scope.i != 0 ? place.scope : first_management_group(world);
    const uint32_t tenant = cmk_principal(world, actor_of(world, refused))->tenant;
    ret->ref[CMK_REF_GRANTEE] = refused->ref[CMK_REF_ACTOR];
    if (place.key_vault.i != 0 && vault->state == CMK_KEY_VAULT_ACTIVE) {
        ret->ref[CMK_REF_KEY_VAULT] = place.key_vault.i;
    } else {
        ret->ref[CMK_REF_SCOPE] = around.i;
    }
    ret->num[0] = least_role_for(permissions);
    uint64_t ignored = 0;
    return around.i != 0 && ret->num[0] != 0 && tenant == cmk_scope_tenant(world, around) &&
           cmk_guard_assignment_is_new.holds(world, ret, &ignored);
}

static bool let_actor_manage(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkPermissions permissions = permissions_for(refused);
    const CmkPlace place = cmk_place_of(world, refused, permissions);
    if (place.managed_hsm.i != 0) {
        return cmk_repair_local_role_of_actor(world, refused, ret);
    }
    return cmk_access_let_actor(world, refused, place, permissions, ret);
}

static bool let_actor_use_key(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkKeyVaultId key_vault = {refused->ref[CMK_REF_KEY_VAULT]};
    const CmkPlace place = cmk_place_of_key(world, key_vault, (CmkKeyId){0});
    return cmk_key_vault(world, key_vault)->permission_model == CMK_PERMISSIONS_RBAC &&
           cmk_access_let_actor(world, refused, place, permissions_for(refused), ret);
}

/* Besides what the person's policy says already: setting one replaces it. */
static bool let_actor_by_policy(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkKeyVaultId key_vault = {refused->ref[CMK_REF_KEY_VAULT]};
    CmkPermissions permissions = permissions_for(refused);
    uint32_t row = cmk_principal(world, actor_of(world, refused))->first_access_policy;
    while (row != 0) {
        const CmkAccessPolicy *policy = cmk_access_policy(world, (CmkAccessPolicyId){row});
        permissions |= policy->key_vault == key_vault.i ? policy->permissions : 0U;
        row = policy->next_of_principal;
    }
    ret->ref[CMK_REF_GRANTEE] = refused->ref[CMK_REF_ACTOR];
    ret->ref[CMK_REF_KEY_VAULT] = key_vault.i;
    ret->num[0] = (int64_t)permissions;
    return cmk_key_vault(world, key_vault)->permission_model == CMK_PERMISSIONS_POLICY;
}

static bool let_actor_assign(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkPermissions permission = CMK_PERMISSION_IDENTITY_ASSIGN;
    return cmk_access_let_actor(world, refused, cmk_place_of(world, refused, permission),
                                permission, ret);
}

static bool let_actor_assign_roles(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkPermissions permission = CMK_PERMISSION_ROLE_WRITE;
    return cmk_access_let_actor(world, refused, cmk_place_of(world, refused, permission),
                                permission, ret);
}

static bool let_actor_write_there(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkPlace there = {.scope = {refused->ref[CMK_REF_SCOPE]}};
    return cmk_access_let_actor(world, refused, there, CMK_PERMISSION_BACKUP_VAULT_WRITE, ret);
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
    .rule = "KVE-3 KVE-19 AC-21 SD-7",
    .text = "A role assignment lets the person who asks do this with the key or secret.",
    .repairs = {{CMK_OP_ROLE_ASSIGN, let_actor_use_key,
                 "give the person a role on the key vault that allows it"}}};

const CmkGuard cmk_guard_policy_lets_actor = {
    .name = "policy-lets-actor",
    .holds = policy_lets_actor,
    .status = CMK_STATUS_OF(ACCESS_DENIED),
    .rule = "KVE-2 KVE-19 AC-21 SD-7",
    .text = "An access policy of the key vault lets the person who asks do this with the key or "
            "secret.",
    .repairs = {{CMK_OP_ACCESS_POLICY_SET, let_actor_by_policy,
                 "give the person the permission in the key vault's access policies"}}};

bool cmk_access_actor_may(const CmkWorld *world, const CmkArgs *args, CmkPlace place,
                          CmkPermissions permissions, uint64_t *ret_blame)
{
    return args->ref[CMK_REF_ACTOR] == 0 ||
           cmk_access_roles_let(world, actor_of(world, args), place, permissions, ret_blame);
}

static bool may_manage(const CmkWorld *world, const CmkArgs *args, CmkPermissions permissions,
                       uint64_t *ret_blame)
{
    return cmk_access_actor_may(world, args, cmk_place_of(world, args, permissions), permissions,
                                ret_blame);
}

static bool actor_may_manage(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return may_manage(world, args, permissions_for(args), ret_blame);
}

const CmkGuard cmk_guard_actor_may_manage = {
    .name = "actor-may-manage",
    .holds = actor_may_manage,
    .status = CMK_STATUS_OF(AUTHORIZATION_FAILED),
    .rule = "AC-9 AC-19 AC-21 SD-7 SD-8 SD-20",
    .text = "A role at the resource or at what contains it lets the person who asks do this.",
    .repairs = {{CMK_OP_ROLE_ASSIGN, let_actor_manage,
                 "give the person a role there that allows it, or let somebody ask who has one"}}};

/* Whoever may switch the permission model decides who gets in: else a Contributor could let itself
 * into a key vault that uses roles. */
static bool actor_may_assign_roles(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return may_manage(world, args, CMK_PERMISSION_ROLE_WRITE, ret_blame);
}

const CmkGuard cmk_guard_actor_may_assign_roles = {
    .name = "actor-may-assign-roles",
    .holds = actor_may_assign_roles,
    .status = CMK_STATUS_OF(AUTHORIZATION_FAILED),
    .rule = "AC-19",
    .text = "A role at the key vault or at what contains it lets the person who asks assign roles "
            "there.",
    .repairs = {{CMK_OP_ROLE_ASSIGN, let_actor_assign_roles,
                 "give the person User Access Administrator there, or let somebody ask who has "
                 "it"}}};

/* A vault can be made without an identity. */
static bool actor_may_assign_identity(const CmkWorld *world, const CmkArgs *args,
                                      uint64_t *ret_blame)
{
    return args->ref[CMK_REF_IDENTITY] == 0 ||
           may_manage(world, args, CMK_PERMISSION_IDENTITY_ASSIGN, ret_blame);
}

const CmkGuard cmk_guard_actor_may_assign_identity = {
    .name = "actor-may-assign-identity",
    .holds = actor_may_assign_identity,
    .status = CMK_STATUS_OF(AUTHORIZATION_FAILED),
    .rule = "MI-15",
    .text = "A role at the identity or at what contains it lets the person who asks attach it.",
    .repairs = {{CMK_OP_ROLE_ASSIGN, let_actor_assign,
                 "assign Managed Identity Operator to the person where the identity lies"}}};

/* What moves is new where it goes (assumed: the sources name the place it comes from only). */
static bool actor_may_write_there(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkPlace there = {.scope = {args->ref[CMK_REF_SCOPE]}};
    return cmk_access_actor_may(world, args, there, CMK_PERMISSION_BACKUP_VAULT_WRITE, ret_blame);
}

const CmkGuard cmk_guard_actor_may_write_there = {
    .name = "actor-may-write-there",
    .holds = actor_may_write_there,
    .status = CMK_STATUS_OF(AUTHORIZATION_FAILED),
    .rule = "AC-9 BV-13",
    .text = "A role at the resource group that the Backup vault moves to, or at what contains it, "
            "lets the person who asks make Backup vaults there.",
    .repairs = {{CMK_OP_ROLE_ASSIGN, let_actor_write_there,
                 "assign Backup Contributor to the person at that resource group"}}};
