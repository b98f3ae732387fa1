#include "tests/unit/models/access_oracle.h"

#include <string.h>

/* ---- what roles are for, by their names ------------------------------------------------------ */

/* A right: a key operation as access policies name it, or something managed. */
typedef enum Right {
    GET,
    LIST,
    WRAP,
    UNWRAP,
    ENCRYPT,
    DECRYPT,
    SIGN,
    VERIFY,
    UPDATE,
    CREATE,
    ROTATE,
    DELETE,
    MANAGE_KEY_VAULT,
    PURGE_KEY_VAULT,
    MANAGE_ROLES,
    MANAGE_IDENTITY,
    ASSIGN_IDENTITY,
    MANAGE_BACKUP_VAULT,
    TAKE_BACKUP_VAULT_AWAY,
    OPERATE_BACKUP,
    MANAGE_GROUP,
    SET_SECRET,
    DELETE_SECRET,
    RECOVER_SECRET,
    MANAGE_HSM,
    LIST_DELETED /* in a Managed HSM, where it is a right of its own */
} Right;

static bool is_one(const char *role, const char *const *names)
{
    while (*names != NULL && strcmp(*names, role) != 0) {
        names++;
    }
    return *names != NULL;
}

#define ONE_OF(...) is_one(role, (const char *const[]){__VA_ARGS__, NULL})

/* AC-R1 to AC-R6, without what follows from reading. */
static bool role_gives_on_keys(const char *role, Right right)
{
    if (right >= SET_SECRET &&
        right <= RECOVER_SECRET) { /* AC-R10: who reads secrets changes none */
        return ONE_OF("Key Vault Administrator");
    }
    if (ONE_OF("Key Vault Administrator", "Key Vault Crypto Officer")) {
        return right <= DELETE;
    }
    if (ONE_OF("Key Vault Crypto User")) {
        return right <= UPDATE;
    }
    return (right <= UNWRAP && ONE_OF("Key Vault Crypto Service Encryption User")) ||
           (right <= LIST && ONE_OF("Key Vault Reader"));
}

static bool role_gives_on_resources(const char *role, Right right)
{
    switch ((int)right) {
    case MANAGE_KEY_VAULT: /* AC-R8, AC-19 */
        return ONE_OF("Owner", "Contributor", "Key Vault Contributor");
    case PURGE_KEY_VAULT: /* SD-7 */
        return ONE_OF("Owner", "Key Vault Purge Operator");
    case MANAGE_ROLES:
        return ONE_OF("Owner", "User Access Administrator");
    case MANAGE_IDENTITY:
        return ONE_OF("Owner", "Contributor", "Managed Identity Contributor");
    case ASSIGN_IDENTITY: /* MI-15 */
        return ONE_OF("Owner", "Contributor", "Managed Identity Operator");
    case MANAGE_BACKUP_VAULT:
        return ONE_OF("Owner", "Contributor", "Backup Contributor");
    case TAKE_BACKUP_VAULT_AWAY:
        return ONE_OF("Owner", "Contributor");
    case OPERATE_BACKUP:
        return ONE_OF("Owner", "Contributor", "Backup Contributor", "Backup Operator");
    case MANAGE_GROUP:
        return ONE_OF("Groups Administrator");
    case MANAGE_HSM: /* HSM-14 */
        return ONE_OF("Owner", "Contributor", "Managed HSM contributor");
    default:
        return false;
    }
}

/* The table of section 4, HSM-R1 to HSM-R9, and HSM-9. */
static bool local_role_gives(const char *role, Right right)
{
    if (right == MANAGE_ROLES) {
        return ONE_OF("Managed HSM Administrator", "Managed HSM Crypto Officer",
                      "Managed HSM Policy Administrator");
    }
    if (right == LIST_DELETED) {
        return ONE_OF("Managed HSM Crypto Officer");
    }
    return (right <= DELETE && ONE_OF("Managed HSM Crypto User")) ||
           (right <= LIST && ONE_OF("Managed HSM Crypto Auditor")) ||
           (right <= UNWRAP && ONE_OF("Managed HSM Crypto Service Encryption User"));
}

/* AC-16: with the right to read comes the public half, which is enough unless OQ-8 says otherwise.
 * All keys of the estate have one. */
static bool role_gives(const CmkWorld *world, const char *role, Right right)
{
    const bool is_public = right == WRAP || right == ENCRYPT || right == VERIFY;
    const bool is_enough = is_public && cmk_knob(world, CMK_KNOB_READ_LETS_WRAP) != 0;
    return role_gives_on_keys(role, right) || role_gives_on_resources(role, right) ||
           (is_enough && role_gives_on_keys(role, GET));
}

/* AC-R9: of the eight that Key Vault Data Access Administrator gives out, those that there are. */
static bool is_given_out_by_data_access(const char *role)
{
    return ONE_OF("Key Vault Administrator", "Key Vault Crypto Officer",
                  "Key Vault Crypto Service Encryption User", "Key Vault Crypto User",
                  "Key Vault Reader", "Key Vault Secrets User");
}

/* AC-R1 to AC-R6, AC-R10 */
static bool has_data_actions(const char *role)
{
    return is_given_out_by_data_access(role) || ONE_OF("Key Vault Crypto Service Release User");
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
    uint32_t managed_hsm; /* inside this one */
    uint32_t is_on_keys;
} Where;

static bool is_of_kind(const CmkWorld *world, uint32_t scope, CmkScopeKind kind)
{
    return scope != 0 && cmk_scope(world, (CmkScopeId){scope})->kind == (uint32_t)kind;
}

static bool has_moved_since(const Chronicle *chronicle, uint32_t subscription, uint64_t seq)
{
    for (uint32_t i = 0; i < chronicle->move_count; i++) {
        if (chronicle->moves[i].subscription == subscription && chronicle->moves[i].seq > seq) {
            return true;
        }
    }
    return false;
}

/* MI-13: a subscription that has moved lies in no management group any more. */
static uint32_t parent_of(const Oracle *oracle, uint32_t scope)
{
    const bool has_left = is_of_kind(oracle->world, scope, CMK_SCOPE_SUBSCRIPTION) &&
                          has_moved_since(oracle->chronicle, scope, 0);
    return has_left ? 0 : oracle->chronicle->parent[scope];
}

static bool lies_in(const Oracle *oracle, uint32_t inner, uint32_t outer)
{
    return inner != 0 && (inner == outer || lies_in(oracle, parent_of(oracle, inner), outer));
}

/* Whether the subscription around a scope has gone to another tenant since a record. */
static bool has_left_tenant(const Oracle *oracle, uint32_t scope, uint64_t seq)
{
    return scope != 0 && (has_moved_since(oracle->chronicle, scope, seq) ||
                          has_left_tenant(oracle, oracle->chronicle->parent[scope], seq));
}

static uint32_t group_of_key_vault(const Oracle *oracle, uint32_t key_vault)
{
    return cmk_key_vault(oracle->world, (CmkKeyVaultId){key_vault})->resource_group;
}

static uint32_t group_of_hsm(const Oracle *oracle, uint32_t managed_hsm)
{
    return cmk_managed_hsm(oracle->world, (CmkManagedHsmId){managed_hsm})->resource_group;
}

static uint32_t group_of_identity(const Oracle *oracle, uint32_t identity)
{
    return cmk_identity(oracle->world, (CmkIdentityId){identity})->resource_group;
}

static uint32_t group_of_backup_vault(const Oracle *oracle, uint32_t vault)
{
    return cmk_backup_vault(oracle->world, (CmkBackupVaultId){vault})->resource_group;
}

/* HSM-7: `/` is about everything, `/keys` about all keys. */
static bool is_about_inside(const Grant *grant, Where where)
{
    return grant->managed_hsm == where.managed_hsm && where.managed_hsm != 0 &&
           (grant->is_on_keys == 0 || where.is_on_keys != 0) &&
           (grant->key == 0 || grant->key == where.key);
}

static bool is_about(const Oracle *oracle, const Grant *grant, Where where)
{
    if (grant->managed_hsm != 0 || where.managed_hsm != 0) {
        return is_about_inside(grant, where);
    }
    if (grant->scope != 0) {
        const bool is_of_directory =
            where.scope == 0 && is_of_kind(oracle->world, grant->scope, CMK_SCOPE_MANAGEMENT_GROUP);
        return is_of_directory || lies_in(oracle, where.scope, grant->scope);
    }
    return grant->key_vault == where.key_vault && (grant->key == 0 || grant->key == where.key);
}

/* ---- what acts now --------------------------------------------------------------------------- */

/* AC-10, AC-11: both ways it takes a while, and what was taken back before it acted never does. */
static bool acts(const Oracle *oracle, const Grant *grant)
{
    const bool is_wide = is_of_kind(oracle->world, grant->scope, CMK_SCOPE_MANAGEMENT_GROUP) &&
                         has_data_actions(role_name(grant->role));
    const bool is_local = grant->managed_hsm != 0; /* OQ-14: in one region, at once */
    const CmkKnobId knob =
        is_wide ? CMK_KNOB_MANAGEMENT_GROUP_PROPAGATION : CMK_KNOB_ROLE_PROPAGATION;
    const int64_t delay_us = is_local ? 0 : cmk_knob(oracle->world, knob);
    const CmkTime now = cmk_world_now(oracle->world);
    const CmkTime from = grant->given_at + delay_us;
    const bool is_taken = grant->taken_at != CMK_TIME_MAX;
    const uint32_t around = is_local            ? group_of_hsm(oracle, grant->managed_hsm)
                            : grant->scope != 0 ? grant->scope
                                                : group_of_key_vault(oracle, grant->key_vault);
    return !grant->is_lost && now >= from &&
           (!is_taken || (grant->taken_at >= from && now < grant->taken_at + delay_us)) &&
           !has_left_tenant(oracle, around, grant->seq);
}

/* When the token of a principal was fetched that it had at `time` (MI-9): one after the other from
 * the beginning on. Without tokens everything is looked up when it is asked for. */
static CmkTime fetched_at(const Oracle *oracle, uint32_t principal, CmkTime time)
{
    const int64_t lifetime_us = cmk_knob(oracle->world, CMK_KNOB_TOKEN_LIFETIME);
    const CmkTime made_at = oracle->chronicle->lives[principal].made_at;
    return lifetime_us == 0 ? time + 1 : made_at + (time - made_at) / lifetime_us * lifetime_us;
}

/* AC-12: as the principal's token has it, by what the directory said when it was fetched. */
static bool counts_as(const Oracle *oracle, uint32_t principal, uint32_t other)
{
    const Chronicle *chronicle = oracle->chronicle;
    const CmkTime fetched = fetched_at(oracle, principal, cmk_world_now(oracle->world));
    bool is_member = principal == other;
    for (uint32_t i = 0; i < chronicle->passage_count && principal != other; i++) {
        const Passage *passage = &chronicle->passages[i];
        const CmkPerson *group = cmk_person(oracle->world, (CmkPersonId){passage->group});
        if (passage->principal == principal && group->principal == other && passage->at < fetched) {
            is_member = passage->is_in != 0;
        }
    }
    return is_member;
}

/* `about`: the role that is to be given, for MANAGE_ROLES. */
static bool roles_give(const Oracle *oracle, uint32_t principal, Where where, Right right,
                       uint32_t about)
{
    const Chronicle *chronicle = oracle->chronicle;
    for (uint32_t i = 0; i < chronicle->grant_count; i++) {
        const Grant *grant = &chronicle->grants[i];
        const char *role = role_name(grant->role);
        const bool gives = grant->managed_hsm != 0
                               ? local_role_gives(role, right)
                               : role_gives(oracle->world, role, right) ||
                                     (right == MANAGE_ROLES && about != 0 &&
                                      strcmp(role, "Key Vault Data Access Administrator") == 0 &&
                                      is_given_out_by_data_access(role_name(about)));
        if (gives && is_about(oracle, grant, where) && acts(oracle, grant) &&
            counts_as(oracle, principal, grant->principal)) {
            return true;
        }
    }
    return false;
}

static bool policies_give(const Oracle *oracle, uint32_t principal, uint32_t key_vault, Right right)
{
    static const uint64_t bits[] = {[SET_SECRET] = CMK_PERMISSION_SECRET_SET,
                                    [DELETE_SECRET] = CMK_PERMISSION_SECRET_DELETE,
                                    [RECOVER_SECRET] = CMK_PERMISSION_SECRET_RECOVER,
                                    [GET] = CMK_PERMISSION_GET,
                                    [LIST] = CMK_PERMISSION_LIST,
                                    [WRAP] = CMK_PERMISSION_WRAP,
                                    [UNWRAP] = CMK_PERMISSION_UNWRAP,
                                    [ENCRYPT] = CMK_PERMISSION_ENCRYPT,
                                    [DECRYPT] = CMK_PERMISSION_DECRYPT,
                                    [SIGN] = CMK_PERMISSION_SIGN,
                                    [VERIFY] = CMK_PERMISSION_VERIFY,
                                    [UPDATE] = CMK_PERMISSION_UPDATE,
                                    [CREATE] = CMK_PERMISSION_CREATE,
                                    [ROTATE] = CMK_PERMISSION_ROTATE,
                                    [DELETE] = CMK_PERMISSION_DELETE};
    const Chronicle *chronicle = oracle->chronicle;
    for (uint32_t i = 0; i < chronicle->permit_count; i++) {
        const Permit *permit = &chronicle->permits[i];
        if (permit->key_vault == key_vault && (permit->permissions & bits[right]) != 0 &&
            counts_as(oracle, principal, permit->principal)) {
            return true;
        }
    }
    return false;
}

static bool uses_roles(const Oracle *oracle, const CmkArgs *args)
{
    return oracle->chronicle->uses_policies[args->ref[CMK_REF_KEY_VAULT]] == 0;
}

static Where where_of_key(const Oracle *oracle, const CmkArgs *args)
{
    const uint32_t hsm = args->ref[CMK_REF_MANAGED_HSM];
    if (hsm != 0) {
        const bool is_scope = args->op == CMK_OP_ROLE_ASSIGN && args->ref[CMK_REF_KEY] == 0 &&
                              args->num[CMK_NUM_ALL_KEYS] == 0;
        return (Where){group_of_hsm(oracle, hsm), 0, args->ref[CMK_REF_KEY], hsm, !is_scope};
    }
    const uint32_t vault = args->ref[CMK_REF_KEY_VAULT];
    return (Where){group_of_key_vault(oracle, vault), vault, args->ref[CMK_REF_KEY], 0, 0};
}

/* ---- requests of Backup ---------------------------------------------------------------------- */

/* MI-8: of a deleted user-assigned identity, the last token on a key vault with roles. */
static bool has_token(const Oracle *oracle, const CmkArgs *args)
{
    const uint32_t principal = args->ref[CMK_REF_PRINCIPAL];
    const Life *life = &oracle->chronicle->lives[principal];
    const int64_t lifetime_us = cmk_knob(oracle->world, CMK_KNOB_TOKEN_LIFETIME);
    if (life->identity == 0 || life->deleted_at == CMK_TIME_MAX || lifetime_us == 0) {
        return false;
    }
    const CmkTime end = fetched_at(oracle, principal, life->deleted_at) + lifetime_us;
    return cmk_world_now(oracle->world) < end && uses_roles(oracle, args);
}

static bool is_attached(const Oracle *oracle, const CmkArgs *args)
{
    const Chronicle *chronicle = oracle->chronicle;
    for (uint32_t i = 0; i < chronicle->attached_count; i++) {
        const Attached *attached = &chronicle->attached[i];
        if (attached->backup_vault == args->ref[CMK_REF_BACKUP_VAULT] &&
            attached->identity == args->ref[CMK_REF_IDENTITY]) {
            return attached->is_there != 0 || (attached->is_lost != 0 && has_token(oracle, args));
        }
    }
    return false;
}

static bool is_known(const Oracle *oracle, const CmkArgs *args)
{
    const Life *life = &oracle->chronicle->lives[args->ref[CMK_REF_PRINCIPAL]];
    const uint32_t home = life->identity != 0 ? group_of_identity(oracle, life->identity)
                                              : group_of_backup_vault(oracle, life->backup_vault);
    return life->deleted_at == CMK_TIME_MAX && !has_left_tenant(oracle, home, life->seq);
}

/* How often the subscription around a scope had gone to another tenant by a record: those that did
 * as often are in one tenant. */
static uint32_t tenant_of(const Oracle *oracle, uint32_t scope, uint64_t seq)
{
    const Chronicle *chronicle = oracle->chronicle;
    uint32_t moves = 0;
    for (uint32_t i = 0; scope != 0 && i < chronicle->move_count; i++) {
        moves += chronicle->moves[i].subscription == scope && chronicle->moves[i].seq <= seq;
    }
    return scope == 0 ? 0 : moves + tenant_of(oracle, chronicle->parent[scope], seq);
}

/* MI-13, KVE-1: the identity is used by a Backup vault, at a key vault or Managed HSM, of its own
 * tenant. */
static bool is_in_its_tenant(const Oracle *oracle, const CmkArgs *args)
{
    const Life *life = &oracle->chronicle->lives[args->ref[CMK_REF_PRINCIPAL]];
    const uint32_t home = life->identity != 0 ? group_of_identity(oracle, life->identity)
                                              : group_of_backup_vault(oracle, life->backup_vault);
    const uint32_t own = tenant_of(oracle, home, life->seq);
    const uint32_t vault = group_of_backup_vault(oracle, args->ref[CMK_REF_BACKUP_VAULT]);
    const uint32_t hsm = args->ref[CMK_REF_MANAGED_HSM];
    const uint32_t asked = hsm != 0 ? group_of_hsm(oracle, hsm)
                                    : group_of_key_vault(oracle, args->ref[CMK_REF_KEY_VAULT]);
    return own == tenant_of(oracle, vault, UINT64_MAX) &&
           own == tenant_of(oracle, asked, UINT64_MAX);
}

CmkGuardId oracle_request(const Oracle *oracle, const CmkArgs *args)
{
    const uint32_t principal = args->ref[CMK_REF_PRINCIPAL];
    const Right right = args->op == CMK_OP_KEY_GET    ? GET
                        : args->op == CMK_OP_KEY_WRAP ? WRAP
                                                      : UNWRAP;
    static const CmkGuardId by_role[] = {[GET] = CMK_GUARD_ROLE_LETS_GET,
                                         [WRAP] = CMK_GUARD_ROLE_LETS_WRAP,
                                         [UNWRAP] = CMK_GUARD_ROLE_LETS_UNWRAP};
    static const CmkGuardId by_policy[] = {[GET] = CMK_GUARD_POLICY_LETS_GET,
                                           [WRAP] = CMK_GUARD_POLICY_LETS_WRAP,
                                           [UNWRAP] = CMK_GUARD_POLICY_LETS_UNWRAP};
    static const CmkGuardId by_local_role[] = {[GET] = CMK_GUARD_LOCAL_ROLE_LETS_GET,
                                               [WRAP] = CMK_GUARD_LOCAL_ROLE_LETS_WRAP,
                                               [UNWRAP] = CMK_GUARD_LOCAL_ROLE_LETS_UNWRAP};
    if (args->ref[CMK_REF_IDENTITY] == 0 &&
        oracle->chronicle->system_principal[args->ref[CMK_REF_BACKUP_VAULT]] == 0) {
        return CMK_GUARD_SYSTEM_IDENTITY_IS_ON;
    }
    if (args->ref[CMK_REF_IDENTITY] != 0 && !is_attached(oracle, args)) {
        return CMK_GUARD_USER_IDENTITY_IS_ATTACHED;
    }
    if ((!is_known(oracle, args) && !has_token(oracle, args)) || !is_in_its_tenant(oracle, args)) {
        return CMK_GUARD_CALLER_IS_KNOWN;
    }
    if (uses_roles(oracle, args)) {
        const bool is_in_hsm = args->ref[CMK_REF_MANAGED_HSM] != 0;
        return roles_give(oracle, principal, where_of_key(oracle, args), right, 0)
                   ? CMK_GUARD_NONE
                   : (is_in_hsm ? by_local_role : by_role)[right];
    }
    return policies_give(oracle, principal, args->ref[CMK_REF_KEY_VAULT], right) ? CMK_GUARD_NONE
                                                                                 : by_policy[right];
}

/* ---- people ---------------------------------------------------------------------------------- */

/* The right that an operation takes, and on what. */
typedef enum Plane {
    ON_KEY,
    ON_KEY_VAULT,
    AROUND_KEY_VAULT, /* its subscription, which deleted ones hang on */
    AROUND_HSM,       /* its resource group */
    ON_SCOPE,         /* or key vault or key, where the request names no scope */
    ON_IDENTITY,
    ON_BACKUP_VAULT,
    IN_DIRECTORY
} Plane;

static const struct {
    CmkOpId op;
    Right right;
    Plane plane;
} orders[] = {
    {CMK_OP_KEY_LIST, LIST, ON_KEY},
    {CMK_OP_KEY_LIST_DELETED, LIST, ON_KEY},
    {CMK_OP_KEY_ENCRYPT, ENCRYPT, ON_KEY},
    {CMK_OP_KEY_DECRYPT, DECRYPT, ON_KEY},
    {CMK_OP_KEY_SIGN, SIGN, ON_KEY},
    {CMK_OP_KEY_VERIFY, VERIFY, ON_KEY},
    {CMK_OP_KEY_UPDATE, UPDATE, ON_KEY},
    {CMK_OP_KEY_CREATE, CREATE, ON_KEY},
    {CMK_OP_KEY_ROTATE, ROTATE, ON_KEY},
    {CMK_OP_KEY_DELETE, DELETE, ON_KEY},
    {CMK_OP_SECRET_SET, SET_SECRET, ON_KEY}, /* no key is named: in the key vault */
    {CMK_OP_SECRET_UPDATE, SET_SECRET, ON_KEY},
    {CMK_OP_SECRET_DELETE, DELETE_SECRET, ON_KEY},
    {CMK_OP_SECRET_RECOVER, RECOVER_SECRET, ON_KEY},
    {CMK_OP_KEY_VAULT_CREATE, MANAGE_KEY_VAULT, ON_KEY_VAULT},
    {CMK_OP_KEY_VAULT_DELETE, MANAGE_KEY_VAULT, ON_KEY_VAULT},
    {CMK_OP_KEY_VAULT_RECOVER, MANAGE_KEY_VAULT, ON_KEY_VAULT},
    {CMK_OP_KEY_VAULT_PURGE, PURGE_KEY_VAULT, AROUND_KEY_VAULT},
    {CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL, MANAGE_KEY_VAULT, ON_KEY_VAULT},
    {CMK_OP_ACCESS_POLICY_SET, MANAGE_KEY_VAULT, ON_KEY_VAULT},
    {CMK_OP_MANAGED_HSM_CREATE, MANAGE_HSM, AROUND_HSM},
    {CMK_OP_MANAGED_HSM_EXTEND, MANAGE_HSM, AROUND_HSM},
    {CMK_OP_MANAGED_HSM_DELETE, MANAGE_HSM, AROUND_HSM},
    {CMK_OP_MANAGED_HSM_RECOVER, MANAGE_HSM, AROUND_HSM},
    {CMK_OP_MANAGED_HSM_PURGE, MANAGE_HSM, AROUND_HSM},
    {CMK_OP_ROLE_ASSIGN, MANAGE_ROLES, ON_SCOPE},
    {CMK_OP_SUBSCRIPTION_MOVE_TENANT, MANAGE_ROLES, ON_SCOPE},
    {CMK_OP_IDENTITY_CREATE, MANAGE_IDENTITY, ON_IDENTITY},
    {CMK_OP_IDENTITY_DELETE, MANAGE_IDENTITY, ON_IDENTITY},
    {CMK_OP_IDENTITY_ATTACH, MANAGE_BACKUP_VAULT, ON_BACKUP_VAULT},
    {CMK_OP_IDENTITY_DETACH, MANAGE_BACKUP_VAULT, ON_BACKUP_VAULT},
    {CMK_OP_BACKUP_VAULT_CREATE, MANAGE_BACKUP_VAULT, ON_BACKUP_VAULT},
    {CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION, MANAGE_BACKUP_VAULT, ON_BACKUP_VAULT},
    {CMK_OP_BACKUP_VAULT_SET_SOFT_DELETE, MANAGE_BACKUP_VAULT, ON_BACKUP_VAULT},
    {CMK_OP_BACKUP_VAULT_DELETE, TAKE_BACKUP_VAULT_AWAY, ON_BACKUP_VAULT},
    {CMK_OP_BACKUP_VAULT_GET_DELETED, OPERATE_BACKUP, ON_BACKUP_VAULT},
    {CMK_OP_BACKUP_POLICY_DELETE, MANAGE_BACKUP_VAULT, ON_BACKUP_VAULT},
    {CMK_OP_BACKUP_VAULT_MOVE, TAKE_BACKUP_VAULT_AWAY, ON_BACKUP_VAULT},
    {CMK_OP_INSTANCE_DELETE, MANAGE_BACKUP_VAULT, ON_BACKUP_VAULT},
    {CMK_OP_INSTANCE_STOP_PROTECTION, OPERATE_BACKUP, ON_BACKUP_VAULT},
    {CMK_OP_BACKUP_RUN, OPERATE_BACKUP, ON_BACKUP_VAULT},
    {CMK_OP_BACKUP_RESTORE, OPERATE_BACKUP, ON_BACKUP_VAULT},
    {CMK_OP_GROUP_ADD_MEMBER, MANAGE_GROUP, IN_DIRECTORY},
};

CmkOpId oracle_order(uint32_t index)
{
    return index < CMK_ARRAY_LEN(orders) ? orders[index].op : CMK_OP_NONE;
}

static Where where_of(const Oracle *oracle, Plane plane, const CmkArgs *args)
{
    switch (plane) {
    case ON_KEY:
    case ON_KEY_VAULT:
        return where_of_key(oracle, args);
    case AROUND_KEY_VAULT: {
        const uint32_t group = group_of_key_vault(oracle, args->ref[CMK_REF_KEY_VAULT]);
        return (Where){oracle->chronicle->parent[group], 0, 0, 0, 0};
    }
    case AROUND_HSM:
        return (Where){group_of_hsm(oracle, args->ref[CMK_REF_MANAGED_HSM]), 0, 0, 0, 0};
    case ON_SCOPE:
        return args->ref[CMK_REF_SCOPE] != 0 ? (Where){args->ref[CMK_REF_SCOPE], 0, 0, 0, 0}
                                             : where_of_key(oracle, args);
    case ON_IDENTITY:
        return (Where){group_of_identity(oracle, args->ref[CMK_REF_IDENTITY]), 0, 0, 0, 0};
    case ON_BACKUP_VAULT:
        return (Where){group_of_backup_vault(oracle, args->ref[CMK_REF_BACKUP_VAULT]), 0, 0, 0, 0};
    case IN_DIRECTORY:
        break;
    }
    return (Where){0, 0, 0, 0, 0};
}

static CmkGuardId ask_on_key(const Oracle *oracle, uint32_t actor, Right right, const CmkArgs *args)
{
    if (args->ref[CMK_REF_MANAGED_HSM] != 0) {
        const Right asked = args->op == CMK_OP_KEY_LIST_DELETED ? LIST_DELETED : right;
        return roles_give(oracle, actor, where_of_key(oracle, args), asked, 0)
                   ? CMK_GUARD_NONE
                   : CMK_GUARD_LOCAL_ROLE_LETS_ACTOR;
    }
    if (uses_roles(oracle, args)) {
        return roles_give(oracle, actor, where_of_key(oracle, args), right, 0)
                   ? CMK_GUARD_NONE
                   : CMK_GUARD_ROLE_LETS_ACTOR;
    }
    return policies_give(oracle, actor, args->ref[CMK_REF_KEY_VAULT], right)
               ? CMK_GUARD_NONE
               : CMK_GUARD_POLICY_LETS_ACTOR;
}

CmkGuardId oracle_person(const Oracle *oracle, const CmkArgs *args)
{
    const uint32_t actor =
        cmk_person(oracle->world, (CmkPersonId){args->ref[CMK_REF_ACTOR]})->principal;
    uint32_t i = 0;
    while (orders[i].op != args->op) {
        i++;
        CMK_ASSERT(i < CMK_ARRAY_LEN(orders));
    }
    if (orders[i].plane == ON_KEY) {
        return ask_on_key(oracle, actor, orders[i].right, args);
    }
    const uint32_t about = args->op == CMK_OP_ROLE_ASSIGN ? (uint32_t)args->num[0] : 0;
    const Where where = where_of(oracle, orders[i].plane, args);
    if (!roles_give(oracle, actor, where, orders[i].right, about)) {
        return CMK_GUARD_ACTOR_MAY_MANAGE;
    }
    const Where there = {args->ref[CMK_REF_SCOPE], 0, 0, 0, 0};
    if (args->op == CMK_OP_BACKUP_VAULT_MOVE &&
        !roles_give(oracle, actor, there, MANAGE_BACKUP_VAULT, 0)) {
        return CMK_GUARD_ACTOR_MAY_WRITE_THERE;
    }
    if (args->op == CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL && /* AC-19 */
        !roles_give(oracle, actor, where, MANAGE_ROLES, 0)) {
        return CMK_GUARD_ACTOR_MAY_ASSIGN_ROLES;
    }
    /* MI-15: whoever attaches an identity needs a right on that, too. */
    const bool attaches =
        args->op == CMK_OP_IDENTITY_ATTACH ||
        (args->op == CMK_OP_BACKUP_VAULT_CREATE && args->ref[CMK_REF_IDENTITY] != 0);
    const Where identity = where_of(oracle, ON_IDENTITY, args);
    return attaches && !roles_give(oracle, actor, identity, ASSIGN_IDENTITY, 0)
               ? CMK_GUARD_ACTOR_MAY_ASSIGN_IDENTITY
               : CMK_GUARD_NONE;
}
