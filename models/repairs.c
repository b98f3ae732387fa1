#include "models/repairs.h"

#include "models/access.h"
#include "models/key.h"
#include "models/key_store.h"
#include "models/key_vault.h"
#include "models/model.h"
#include "models/rows.h"

/* The identity that a request was made with, as the scenario names it. */
static void copy_caller(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_IDENTITY] = refused->ref[CMK_REF_IDENTITY];
    if (refused->ref[CMK_REF_IDENTITY] == 0) {
        ret->ref[CMK_REF_BACKUP_VAULT] = refused->ref[CMK_REF_BACKUP_VAULT];
    }
    (void)world;
}

/* Rights help the principal that the identity has now, not one whose last token was refused. */
static bool is_caller_now(const CmkWorld *world, const CmkArgs *refused)
{
    return refused->ref[CMK_REF_PRINCIPAL] == cmk_access_caller(world, refused).i;
}

static bool assign_role(const CmkWorld *world, const CmkArgs *refused, const char *role,
                        CmkArgs *ret)
{
    const CmkKeyVault *vault =
        cmk_key_vault(world, (CmkKeyVaultId){refused->ref[CMK_REF_KEY_VAULT]});
    copy_caller(world, refused, ret);
    ret->ref[CMK_REF_KEY_VAULT] = refused->ref[CMK_REF_KEY_VAULT];
    ret->num[0] = cmk_role_find(role);
    uint64_t ignored = 0;
    return vault->permission_model == CMK_PERMISSIONS_RBAC && is_caller_now(world, refused) &&
           cmk_guard_assignment_is_new.holds(world, ret, &ignored); /* else it is on its way */
}

bool cmk_repair_assign_role(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    return assign_role(world, refused, "Key Vault Crypto Service Encryption User", ret);
}

bool cmk_repair_assign_secrets_role(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    return assign_role(world, refused, "Key Vault Secrets User", ret);
}

/* Setting a policy replaces it: what it says of the other kind, keys or secrets, stays. */
static bool set_policy(const CmkWorld *world, const CmkArgs *refused, uint64_t permissions,
                       uint64_t kept, CmkArgs *ret)
{
    const CmkKeyVault *vault =
        cmk_key_vault(world, (CmkKeyVaultId){refused->ref[CMK_REF_KEY_VAULT]});
    copy_caller(world, refused, ret);
    ret->ref[CMK_REF_KEY_VAULT] = refused->ref[CMK_REF_KEY_VAULT];
    ret->num[0] = (int64_t)(permissions | (cmk_access_policy_permissions(world, ret) & kept));
    return vault->permission_model == CMK_PERMISSIONS_POLICY && is_caller_now(world, refused);
}

bool cmk_repair_set_policy(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    return set_policy(world, refused,
                      CMK_PERMISSION_GET | CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP,
                      CMK_PERMISSION_SECRETS_ALL, ret);
}

bool cmk_repair_set_secrets_policy(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    return set_policy(world, refused, CMK_PERMISSION_SECRET_GET, CMK_PERMISSION_KEYS_ALL, ret);
}

bool cmk_repair_recreate_key_vault(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const uint32_t row = refused->ref[CMK_REF_KEY_VAULT];
    const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){row});
    ret->ref[CMK_REF_KEY_VAULT] = row;
    ret->ref[CMK_REF_REGION] = vault->region;
    ret->num[CMK_KEY_VAULT_PERMISSION_MODEL] = vault->permission_model;
    ret->num[CMK_KEY_VAULT_SOFT_DELETE] = CMK_SAYS_TRUE; /* as any that is made now: SD-2 */
    ret->num[CMK_KEY_VAULT_PURGE_PROTECTION] =
        vault->has_purge_protection != 0 ? CMK_SAYS_TRUE : CMK_SAYS_FALSE;
    ret->num[CMK_KEY_VAULT_RETENTION_DAYS] = vault->retention_days;
    ret->num[CMK_KEY_VAULT_TIER] = vault->sku;
    return vault->state == CMK_KEY_VAULT_PURGED;
}

bool cmk_repair_recover_key_vault(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkKeyVaultId vault = {refused->ref[CMK_REF_KEY_VAULT]};
    ret->ref[CMK_REF_KEY_VAULT] = vault.i;
    return cmk_key_vault(world, vault)->state == CMK_KEY_VAULT_DELETED;
}

bool cmk_repair_set_soft_delete(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkKeyVaultId vault = {refused->ref[CMK_REF_KEY_VAULT]};
    ret->ref[CMK_REF_KEY_VAULT] = vault.i;
    ret->num[0] = CMK_SAYS_TRUE;
    return cmk_key_vault(world, vault)->has_soft_delete == 0;
}

bool cmk_repair_set_purge_protection(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkKeyVaultId vault = {refused->ref[CMK_REF_KEY_VAULT]};
    ret->ref[CMK_REF_KEY_VAULT] = vault.i;
    ret->num[0] = CMK_SAYS_TRUE;
    return cmk_key_vault(world, vault)->has_purge_protection == 0;
}

bool cmk_repair_same_key(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const uint32_t key = refused->ref[CMK_REF_KEY];
    ret->ref[CMK_REF_KEY] = key;
    cmk_key_store_copy(refused, ret);
    return cmk_key(world, (CmkKeyId){key})->state == CMK_KEY_DELETED;
}

bool cmk_repair_restore_key(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkKey *key = cmk_key(world, (CmkKeyId){refused->ref[CMK_REF_KEY]});
    ret->ref[CMK_REF_KEY] = refused->ref[CMK_REF_KEY];
    cmk_key_store_copy(refused, ret);
    return key->state == CMK_KEY_PURGED && key->last_backup != 0;
}

bool cmk_repair_enable_version(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkVersionId id = cmk_key_version_of(world, refused);
    cmk_key_store_copy(refused, ret);
    ret->ref[CMK_REF_KEY] = refused->ref[CMK_REF_KEY];
    ret->ref[CMK_REF_VERSION] = id.i;
    ret->num[0] = CMK_SAYS_TRUE;
    return cmk_version(world, id)->is_enabled == 0;
}

bool cmk_repair_extend_version(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkVersionId id = cmk_key_version_of(world, refused);
    const CmkVersion *version = cmk_version(world, id);
    const CmkTime now = cmk_world_now(world);
    cmk_key_store_copy(refused, ret);
    ret->ref[CMK_REF_KEY] = refused->ref[CMK_REF_KEY];
    ret->ref[CMK_REF_VERSION] = id.i;
    ret->num[1] = version->expires <= now ? CMK_TIME_MAX : 0;
    ret->num[2] = version->not_before > now ? now : 0;
    return ret->num[1] != 0 || ret->num[2] != 0;
}

/* The user-assigned identity that a request names, or else that of the settings. Secrets are read
 * with the vault's own identity, whatever the settings use (SEC-1). */
static uint32_t user_identity_of(const CmkWorld *world, const CmkArgs *refused)
{
    if (refused->op == CMK_OP_SECRET_GET) {
        return 0;
    }
    const uint32_t named = refused->ref[CMK_REF_IDENTITY];
    const CmkBackupVaultId vault = {refused->ref[CMK_REF_BACKUP_VAULT]};
    return named != 0 ? named : cmk_backup_vault(world, vault)->identity;
}

bool cmk_repair_attach_identity(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkIdentityId identity = {user_identity_of(world, refused)};
    ret->ref[CMK_REF_BACKUP_VAULT] = refused->ref[CMK_REF_BACKUP_VAULT];
    ret->ref[CMK_REF_IDENTITY] = identity.i;
    uint64_t ignored = 0;
    return cmk_identity(world, identity)->state == CMK_IDENTITY_ACTIVE &&
           cmk_guard_identity_is_not_attached.holds(world, ret, &ignored);
}

bool cmk_repair_delete_identity(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkIdentityId id = {user_identity_of(world, refused)};
    const CmkPrincipalId principal = {cmk_identity(world, id)->principal};
    ret->ref[CMK_REF_IDENTITY] = id.i;
    return principal.i != 0 && !cmk_principal_is_alive(world, principal);
}

bool cmk_repair_disable_system(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkBackupVaultId vault = {refused->ref[CMK_REF_BACKUP_VAULT]};
    const CmkPrincipalId principal = {cmk_backup_vault(world, vault)->system_principal};
    ret->ref[CMK_REF_BACKUP_VAULT] = vault.i;
    return user_identity_of(world, refused) == 0 && principal.i != 0 &&
           !cmk_principal_is_alive(world, principal);
}

bool cmk_repair_create_identity(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkIdentityId id = {user_identity_of(world, refused)};
    const CmkIdentity *identity = cmk_identity(world, id);
    ret->ref[CMK_REF_IDENTITY] = id.i;
    ret->ref[CMK_REF_REGION] = identity->region;
    return id.i != 0 && identity->state == CMK_IDENTITY_ABSENT;
}

bool cmk_repair_enable_system(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkBackupVaultId id = {refused->ref[CMK_REF_BACKUP_VAULT]};
    const CmkBackupVault *vault = cmk_backup_vault(world, id);
    ret->ref[CMK_REF_BACKUP_VAULT] = id.i;
    return vault->state == CMK_BACKUP_VAULT_ACTIVE && vault->system_principal == 0 &&
           vault->provisioning != CMK_PROVISIONING_MOVING;
}

bool cmk_repair_unthrottle(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_KEY_VAULT] = refused->ref[CMK_REF_KEY_VAULT];
    return cmk_key_vault(world, (CmkKeyVaultId){refused->ref[CMK_REF_KEY_VAULT]})->taken_ppm != 0;
}

bool cmk_repair_update_encryption(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const uint32_t vault_row = refused->ref[CMK_REF_BACKUP_VAULT];
    const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){vault_row});
    ret->ref[CMK_REF_BACKUP_VAULT] = vault_row;
    ret->ref[CMK_REF_KEY] = vault->key;
    ret->ref[CMK_REF_VERSION] = vault->pinned_version;
    ret->ref[CMK_REF_IDENTITY] = vault->identity;
    return vault->key != 0 && refused->op != CMK_OP_SECRET_GET;
}
