#include "models/repairs.h"

#include "models/model.h"

/* The identity that a request was made with, as the scenario names it. */
static void copy_caller(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_IDENTITY] = refused->ref[CMK_REF_IDENTITY];
    if (refused->ref[CMK_REF_IDENTITY] == 0) {
        ret->ref[CMK_REF_BACKUP_VAULT] = refused->ref[CMK_REF_BACKUP_VAULT];
    }
    (void)world;
}

bool cmk_repair_assign_role(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkKeyVault *vault =
        cmk_key_vault(world, (CmkKeyVaultId){refused->ref[CMK_REF_KEY_VAULT]});
    copy_caller(world, refused, ret);
    ret->ref[CMK_REF_KEY_VAULT] = refused->ref[CMK_REF_KEY_VAULT];
    ret->num[0] = cmk_role_find("Key Vault Crypto Service Encryption User");
    return vault->permission_model == CMK_PERMISSIONS_RBAC;
}

bool cmk_repair_set_policy(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkKeyVault *vault =
        cmk_key_vault(world, (CmkKeyVaultId){refused->ref[CMK_REF_KEY_VAULT]});
    copy_caller(world, refused, ret);
    ret->ref[CMK_REF_KEY_VAULT] = refused->ref[CMK_REF_KEY_VAULT];
    ret->num[0] = CMK_PERMISSION_GET | CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP;
    return vault->permission_model == CMK_PERMISSIONS_POLICY;
}

bool cmk_repair_same_key(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const uint32_t key = refused->ref[CMK_REF_KEY];
    ret->ref[CMK_REF_KEY] = key;
    ret->ref[CMK_REF_KEY_VAULT] = refused->ref[CMK_REF_KEY_VAULT];
    return cmk_key(world, (CmkKeyId){key})->state == CMK_KEY_DELETED;
}

bool cmk_repair_enable_version(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    (void)world;
    ret->ref[CMK_REF_KEY_VAULT] = refused->ref[CMK_REF_KEY_VAULT];
    ret->ref[CMK_REF_KEY] = refused->ref[CMK_REF_KEY];
    ret->ref[CMK_REF_VERSION] = refused->ref[CMK_REF_VERSION];
    ret->num[0] = 2; /* enabled: true */
    return true;
}

bool cmk_repair_extend_version(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    (void)world;
    ret->ref[CMK_REF_KEY_VAULT] = refused->ref[CMK_REF_KEY_VAULT];
    ret->ref[CMK_REF_KEY] = refused->ref[CMK_REF_KEY];
    ret->ref[CMK_REF_VERSION] = refused->ref[CMK_REF_VERSION];
    ret->num[1] = CMK_TIME_MAX;
    return true;
}

bool cmk_repair_attach_identity(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_BACKUP_VAULT] = refused->ref[CMK_REF_BACKUP_VAULT];
    ret->ref[CMK_REF_IDENTITY] = refused->ref[CMK_REF_IDENTITY];
    return cmk_identity(world, (CmkIdentityId){refused->ref[CMK_REF_IDENTITY]})->state ==
           CMK_IDENTITY_ACTIVE;
}

bool cmk_repair_create_identity(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkIdentity *identity =
        cmk_identity(world, (CmkIdentityId){refused->ref[CMK_REF_IDENTITY]});
    ret->ref[CMK_REF_IDENTITY] = refused->ref[CMK_REF_IDENTITY];
    ret->ref[CMK_REF_REGION] = identity->region;
    return identity->state == CMK_IDENTITY_ABSENT;
}

bool cmk_repair_enable_system(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_BACKUP_VAULT] = refused->ref[CMK_REF_BACKUP_VAULT];
    return cmk_backup_vault(world, (CmkBackupVaultId){refused->ref[CMK_REF_BACKUP_VAULT]})
               ->system_principal == 0;
}

bool cmk_repair_return_region(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_REGION] =
        cmk_key_vault(world, (CmkKeyVaultId){refused->ref[CMK_REF_KEY_VAULT]})->region;
    return true;
}

bool cmk_repair_unthrottle(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_KEY_VAULT] = refused->ref[CMK_REF_KEY_VAULT];
    return cmk_key_vault(world, (CmkKeyVaultId){refused->ref[CMK_REF_KEY_VAULT]})->is_throttled !=
           0;
}

bool cmk_repair_update_encryption(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const uint32_t vault_row = refused->ref[CMK_REF_BACKUP_VAULT];
    const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){vault_row});
    ret->ref[CMK_REF_BACKUP_VAULT] = vault_row;
    ret->ref[CMK_REF_KEY] = vault->key;
    ret->ref[CMK_REF_VERSION] = vault->pinned_version;
    ret->ref[CMK_REF_IDENTITY] = vault->identity;
    return vault->key != 0;
}
