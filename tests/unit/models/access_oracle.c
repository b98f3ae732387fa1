#include "tests/unit/models/access_oracle.h"

#include <string.h>

/* ---- what roles are for, by their names ------------------------------------------------------ */

/* A right: a key operation as access policies name it, or something managed. */
typedef enum Right {
    GET,
    WRAP,
    UNWRAP,
    ROTATE,
    DELETE,
    MANAGE_KEY_VAULT,
    MANAGE_ROLES,
    MANAGE_IDENTITY,
    ASSIGN_IDENTITY,
    MANAGE_BACKUP_VAULT,
    MANAGE_GROUP
} Right;

static bool is_one(const char *role, const char *const *names)
{
    while (*names != NULL && strcmp(*names, role) != 0) {
        names++;
    }
    return *names != NULL;
}

#define ONE_OF(...) is_one(role, (const char *const[]){__VA_ARGS__, NULL})

static bool role_gives(const char *role, Right right)
{
    switch (right) {
    case GET:  /* AC-R1 to AC-R6 */
    case WRAP: /* AC-16: with the right to read comes the public half, which is enough */
        return ONE_OF("Key Vault Administrator", "Key Vault Crypto Officer",
                      "Key Vault Crypto Service Encryption User", "Key Vault Crypto User",
                      "Key Vault Reader");
    case UNWRAP:
        return ONE_OF("Key Vault Administrator", "Key Vault Crypto Officer",
                      "Key Vault Crypto Service Encryption User", "Key Vault Crypto User");
    case ROTATE:
    case DELETE:
        return ONE_OF("Key Vault Administrator", "Key Vault Crypto Officer");
    case MANAGE_KEY_VAULT: /* AC-R8, AC-19 */
        return ONE_OF("Owner", "Contributor", "Key Vault Contributor");
    case MANAGE_ROLES:
        return ONE_OF("Owner", "User Access Administrator");
    case MANAGE_IDENTITY:
        return ONE_OF("Owner", "Contributor", "Managed Identity Contributor");
    case ASSIGN_IDENTITY: /* MI-15 */
        return ONE_OF("Owner", "Contributor", "Managed Identity Operator");
    case MANAGE_BACKUP_VAULT:
        return ONE_OF("Owner", "Contributor", "Backup Contributor");
    case MANAGE_GROUP:
        return ONE_OF("Groups Administrator");
    }
    return false;
}

/* AC-R9: of the eight that Key Vault Data Access Administrator gives out, those that there are. */
static bool is_given_out_by_data_access(const char *role)
{
    return ONE_OF("Key Vault Administrator", "Key Vault Crypto Officer",
                  "Key Vault Crypto Service Encryption User", "Key Vault Crypto User",
                  "Key Vault Reader", "Key Vault Secrets User");
}

static const char *role_name(uint32_t role)
{
    uint32_t count = 0;
    return cmk_role_facts(&count)[role].name;
}

/* ---- where things lie ------------------------------------------------------------------------ */

typedef struct Where {
    uint32_t scope;
    uint32_t key_vault;
    uint32_t key;
} Where;

static bool lies_in(const CmkWorld *world, uint32_t inner, uint32_t outer)
{
    return inner != 0 &&
           (inner == outer || lies_in(world, cmk_scope(world, (CmkScopeId){inner})->parent, outer));
}

/* How often the subscription around a scope has moved. */
static uint32_t moves_of(const CmkWorld *world, uint32_t scope)
{
    if (scope == 0) {
        return 0;
    }
    const CmkScope *row = cmk_scope(world, (CmkScopeId){scope});
    return row->kind == CMK_SCOPE_SUBSCRIPTION ? row->tenant : moves_of(world, row->parent);
}

static bool assignment_is_about(const CmkWorld *world, const CmkAssignment *row, Where where)
{
    if (row->scope != 0) {
        const bool is_of_directory =
            where.scope == 0 &&
            cmk_scope(world, (CmkScopeId){row->scope})->kind == CMK_SCOPE_MANAGEMENT_GROUP;
        return is_of_directory || lies_in(world, where.scope, row->scope);
    }
    return row->key_vault == where.key_vault && (row->key == 0 || row->key == where.key);
}

static bool assignment_is_of_this_tenant(const CmkWorld *world, const CmkAssignment *row)
{
    const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){row->key_vault});
    return row->tenant == moves_of(world, row->scope != 0 ? row->scope : vault->resource_group);
}

/* ---- the question ---------------------------------------------------------------------------- */

/* AC-12: as the principal's token has it. */
static bool counts_as(const CmkWorld *world, uint32_t principal, uint32_t other)
{
    const CmkPrincipal *row = cmk_principal(world, (CmkPrincipalId){other});
    const uint32_t count = cmk_world_count(world, CMK_TABLE_MEMBERSHIP);
    bool is_member = false;
    for (uint32_t i = 1; i <= count; i++) {
        const CmkMembership *membership = cmk_membership(world, (CmkMembershipId){i});
        is_member |= membership->principal == principal && membership->group == row->person &&
                     (membership->state == CMK_MEMBERSHIP_ACTIVE ||
                      membership->state == CMK_MEMBERSHIP_LEAVING);
    }
    return principal == other || (row->person != 0 && is_member);
}

/* `about`: the role that is to be given, for MANAGE_ROLES. */
static bool roles_give(const CmkWorld *world, uint32_t principal, Where where, Right right,
                       uint32_t about)
{
    const uint32_t count = cmk_world_count(world, CMK_TABLE_ASSIGNMENT);
    for (uint32_t i = 1; i <= count; i++) {
        const CmkAssignment *row = cmk_assignment(world, (CmkAssignmentId){i});
        const char *role = role_name(row->role);
        const bool gives =
            role_gives(role, right) || (right == MANAGE_ROLES && about != 0 &&
                                        strcmp(role, "Key Vault Data Access Administrator") == 0 &&
                                        is_given_out_by_data_access(role_name(about)));
        const bool acts =
            row->state == CMK_ASSIGNMENT_ACTIVE || row->state == CMK_ASSIGNMENT_REMOVING;
        if (gives && acts && assignment_is_about(world, row, where) &&
            assignment_is_of_this_tenant(world, row) &&
            counts_as(world, principal, row->principal)) {
            return true;
        }
    }
    return false;
}

static bool policies_give(const CmkWorld *world, uint32_t principal, uint32_t key_vault,
                          Right right)
{
    static const uint32_t bits[] = {[GET] = CMK_PERMISSION_GET,
                                    [WRAP] = CMK_PERMISSION_WRAP,
                                    [UNWRAP] = CMK_PERMISSION_UNWRAP,
                                    [ROTATE] = CMK_PERMISSION_ROTATE,
                                    [DELETE] = CMK_PERMISSION_DELETE};
    const uint32_t count = cmk_world_count(world, CMK_TABLE_ACCESS_POLICY);
    for (uint32_t i = 1; i <= count; i++) {
        const CmkAccessPolicy *row = cmk_access_policy(world, (CmkAccessPolicyId){i});
        if (row->key_vault == key_vault && (row->permissions & bits[right]) != 0 &&
            counts_as(world, principal, row->principal)) {
            return true;
        }
    }
    return false;
}

static bool uses_roles(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_key_vault(world, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]})->permission_model ==
           CMK_PERMISSIONS_RBAC;
}

static Where where_of_key(const CmkWorld *world, const CmkArgs *args)
{
    const uint32_t vault = args->ref[CMK_REF_KEY_VAULT];
    return (Where){cmk_key_vault(world, (CmkKeyVaultId){vault})->resource_group, vault,
                   args->ref[CMK_REF_KEY]};
}

/* ---- requests of Backup ---------------------------------------------------------------------- */

/* MI-8: of a deleted principal, the last token on a key vault with roles. */
static bool has_token(const CmkWorld *world, const CmkArgs *args)
{
    const CmkPrincipal *row = cmk_principal(world, (CmkPrincipalId){args->ref[CMK_REF_PRINCIPAL]});
    return row->token_until > cmk_world_now(world) && uses_roles(world, args);
}

static bool is_attached(const CmkWorld *world, const CmkArgs *args)
{
    const uint32_t count = cmk_world_count(world, CMK_TABLE_ATTACHMENT);
    for (uint32_t i = 1; i <= count; i++) {
        const CmkAttachment *row = cmk_attachment(world, (CmkAttachmentId){i});
        if (row->backup_vault == args->ref[CMK_REF_BACKUP_VAULT] &&
            row->identity == args->ref[CMK_REF_IDENTITY]) {
            return row->is_attached != 0 || (row->is_orphaned != 0 && has_token(world, args));
        }
    }
    return false;
}

static bool is_known(const CmkWorld *world, const CmkArgs *args)
{
    const CmkPrincipal *row = cmk_principal(world, (CmkPrincipalId){args->ref[CMK_REF_PRINCIPAL]});
    const uint32_t home =
        row->identity != 0
            ? cmk_identity(world, (CmkIdentityId){row->identity})->resource_group
            : cmk_backup_vault(world, (CmkBackupVaultId){row->backup_vault})->resource_group;
    return row->is_alive != 0 && row->tenant == moves_of(world, home);
}

CmkGuardId oracle_request(const CmkWorld *world, const CmkArgs *args)
{
    const CmkBackupVault *vault =
        cmk_backup_vault(world, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]});
    const uint32_t principal = args->ref[CMK_REF_PRINCIPAL];
    const Right right = args->op == CMK_OP_KEY_GET    ? GET
                        : args->op == CMK_OP_KEY_WRAP ? WRAP
                                                      : UNWRAP;
    static const CmkGuardId by_role[] = {CMK_GUARD_ROLE_LETS_GET, CMK_GUARD_ROLE_LETS_WRAP,
                                         CMK_GUARD_ROLE_LETS_UNWRAP};
    static const CmkGuardId by_policy[] = {CMK_GUARD_POLICY_LETS_GET, CMK_GUARD_POLICY_LETS_WRAP,
                                           CMK_GUARD_POLICY_LETS_UNWRAP};
    if (args->ref[CMK_REF_IDENTITY] == 0 && vault->system_principal == 0) {
        return CMK_GUARD_SYSTEM_IDENTITY_IS_ON;
    }
    if (args->ref[CMK_REF_IDENTITY] != 0 && !is_attached(world, args)) {
        return CMK_GUARD_USER_IDENTITY_IS_ATTACHED;
    }
    if (!is_known(world, args) && !has_token(world, args)) {
        return CMK_GUARD_CALLER_IS_KNOWN;
    }
    if (uses_roles(world, args)) {
        return roles_give(world, principal, where_of_key(world, args), right, 0) ? CMK_GUARD_NONE
                                                                                 : by_role[right];
    }
    return policies_give(world, principal, args->ref[CMK_REF_KEY_VAULT], right) ? CMK_GUARD_NONE
                                                                                : by_policy[right];
}

/* ---- people ---------------------------------------------------------------------------------- */

static uint32_t actor_of(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_person(world, (CmkPersonId){args->ref[CMK_REF_ACTOR]})->principal;
}

CmkGuardId oracle_person_on_key(const CmkWorld *world, const CmkArgs *args)
{
    const uint32_t actor = actor_of(world, args);
    const Right right = args->op == CMK_OP_KEY_ROTATE ? ROTATE : DELETE;
    if (uses_roles(world, args)) {
        return roles_give(world, actor, where_of_key(world, args), right, 0)
                   ? CMK_GUARD_NONE
                   : CMK_GUARD_ROLE_LETS_ACTOR;
    }
    return policies_give(world, actor, args->ref[CMK_REF_KEY_VAULT], right)
               ? CMK_GUARD_NONE
               : CMK_GUARD_POLICY_LETS_ACTOR;
}

CmkGuardId oracle_person_manages(const CmkWorld *world, const CmkArgs *args)
{
    const uint32_t actor = actor_of(world, args);
    const Where identity = {
        cmk_identity(world, (CmkIdentityId){args->ref[CMK_REF_IDENTITY]})->resource_group, 0, 0};
    const Where vault = {
        cmk_backup_vault(world, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]})
            ->resource_group,
        0, 0};
    const Where at_scope = {args->ref[CMK_REF_SCOPE], 0, 0};
    const Where where = at_scope.scope != 0 ? at_scope : where_of_key(world, args);
    bool may = false;
    switch (args->op) {
    case CMK_OP_ROLE_ASSIGN:
        may = roles_give(world, actor, where, MANAGE_ROLES, (uint32_t)args->num[0]);
        break;
    case CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL:
        may = roles_give(world, actor, where, MANAGE_ROLES, 0);
        break;
    case CMK_OP_ACCESS_POLICY_SET:
        may = roles_give(world, actor, where_of_key(world, args), MANAGE_KEY_VAULT, 0);
        break;
    case CMK_OP_IDENTITY_CREATE:
        may = roles_give(world, actor, identity, MANAGE_IDENTITY, 0);
        break;
    case CMK_OP_GROUP_ADD_MEMBER:
        may = roles_give(world, actor, (Where){0, 0, 0}, MANAGE_GROUP, 0);
        break;
    case CMK_OP_IDENTITY_ATTACH:
        may = roles_give(world, actor, vault, MANAGE_BACKUP_VAULT, 0);
        if (may && !roles_give(world, actor, identity, ASSIGN_IDENTITY, 0)) {
            return CMK_GUARD_ACTOR_MAY_ASSIGN_IDENTITY;
        }
        break;
    default:
        CMK_ASSERT(false);
    }
    return may ? CMK_GUARD_NONE : CMK_GUARD_ACTOR_MAY_MANAGE;
}
