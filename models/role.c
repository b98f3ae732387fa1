/* The built-in roles: what each lets its holder do (AC-R1 to AC-R10), and those that the management
 * of resources needs. */
#include <string.h>

#include "models/access.h"
#include "models/model.h"

#define READ (CMK_PERMISSION_GET | CMK_PERMISSION_LIST) /* keys/read */
#define MANAGE_KEY_VAULTS (CMK_PERMISSION_KEY_VAULT_WRITE | CMK_PERMISSION_KEY_VAULT_DELETE)
#define MANAGE_BACKUP_VAULTS                                                                       \
    (CMK_PERMISSION_BACKUP_VAULT_WRITE | CMK_PERMISSION_BACKUP_VAULT_DELETE |                      \
     CMK_PERMISSION_BACKUP_OPERATE)
#define USE_RESOURCE_GUARDS                                                                        \
    (CMK_PERMISSION_RESOURCE_GUARD_READ | CMK_PERMISSION_RESOURCE_GUARD_OPERATE)
#define CONTRIBUTE                                                                                 \
    (MANAGE_KEY_VAULTS | MANAGE_BACKUP_VAULTS | CMK_PERMISSION_IDENTITY_WRITE |                    \
     CMK_PERMISSION_IDENTITY_ASSIGN | USE_RESOURCE_GUARDS | CMK_PERMISSION_MANAGED_HSM_WRITE)
/* HSM-9: deleted keys are others' affair; that release is not among what it allows is assumed. */
#define USE_AND_MANAGE_KEYS                                                                        \
    (CMK_PERMISSION_KEYS_ALL &                                                                     \
     ~(CMK_PERMISSION_RECOVER | CMK_PERMISSION_PURGE | CMK_PERMISSION_RELEASE))

/* Element 0 stands for none; the last ones are those of Managed HSMs. What the sources do not say
 * of a role that manages resources is assumed: a Contributor may not purge key vaults (SD-7 names
 * who may), Backup Contributor may not delete or move Backup vaults, Backup Operator may neither
 * change them nor delete backups, and groups are managed by a role of the directory that is
 * assigned at a management group. */
static const CmkRoleFacts roles[] = {
    {NULL, NULL, NULL, 0, 0},
    {"Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483", "AC-R1",
     CMK_PERMISSION_KEYS_ALL | CMK_PERMISSION_SECRETS_ALL, 1},
    {"Key Vault Crypto Officer", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603", "AC-R2 SD-7",
     CMK_PERMISSION_KEYS_ALL, 1},
    {"Key Vault Crypto Service Encryption User", "e147488a-f6f5-4113-8e2d-b22465e65bf6", "AC-R3",
     READ | CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP, 1},
    {"Key Vault Crypto User", "12338af0-0e69-4776-bea7-57ae8d297424", "AC-R4",
     READ | CMK_PERMISSION_UPDATE | CMK_PERMISSION_BACKUP | CMK_PERMISSION_ENCRYPT |
         CMK_PERMISSION_DECRYPT | CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP |
         CMK_PERMISSION_SIGN | CMK_PERMISSION_VERIFY,
     1},
    {"Key Vault Crypto Service Release User", "08bbd89e-9f13-488c-ac41-acfcb10c90ab", "AC-R5",
     CMK_PERMISSION_RELEASE, 0},
    {"Key Vault Reader", "21090545-7ca7-4776-b22c-e363652d74d2", "AC-R6 AC-16 OQ-8", READ, 1},
    {"Key Vault Purge Operator", "a68e7c17-0ab2-4c09-9a58-125dae29748c", "AC-R7 SD-7",
     CMK_PERMISSION_KEY_VAULT_PURGE, 0},
    {"Key Vault Contributor", "f25e0fa2-a7c8-4377-a976-54943a77a395", "AC-R8 SD-8",
     MANAGE_KEY_VAULTS, 0},
    {"Key Vault Data Access Administrator", "8b54135c-b56d-4d72-a534-26097cfdc8d8", "AC-R9",
     CMK_PERMISSION_DATA_ROLE_WRITE, 0},
    {"Key Vault Secrets User", "4633458b-17de-408a-b874-0445c86b69e6", "AC-R10 BK-2",
     CMK_PERMISSION_SECRET_GET, 1},
    {"Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "SD-7 SD-20",
     CONTRIBUTE | CMK_PERMISSION_ROLE_WRITE | CMK_PERMISSION_KEY_VAULT_PURGE, 0},
    {"Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c", "AC-19 SD-20", CONTRIBUTE, 0},
    {"User Access Administrator", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "AC-19",
     CMK_PERMISSION_ROLE_WRITE, 0},
    {"Managed Identity Contributor", "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59", "MI-15",
     CMK_PERMISSION_IDENTITY_WRITE, 0},
    {"Managed Identity Operator", "f1a07417-d97a-45cb-824c-7a7467783830", "MI-15",
     CMK_PERMISSION_IDENTITY_ASSIGN, 0},
    {"Backup Contributor", "5e467623-bb1f-42f4-a55d-6e525e11384b", "MI-15",
     CMK_PERMISSION_BACKUP_VAULT_WRITE | CMK_PERMISSION_BACKUP_OPERATE, 0},
    {"Backup Operator", "00c29273-979b-4161-815c-10b084fb9324", "MI-15",
     CMK_PERMISSION_BACKUP_OPERATE, 0},
    {"Groups Administrator", "fdd7a751-b60b-444a-984c-02652fe8fa1c", "AC-12",
     CMK_PERMISSION_GROUP_WRITE, 0},
    {"Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7", "MUA-4", CMK_PERMISSION_RESOURCE_GUARD_READ,
     0},
    {"Backup MUA Admin", "c2a970b4-16a7-4a51-8c84-8a8ea6ee0bb8", "MUA-3", USE_RESOURCE_GUARDS, 0},
    {"Backup MUA Operator", "f54b6d04-23c6-443e-b462-9c16ab7b4a52", "MUA-3", USE_RESOURCE_GUARDS,
     0},
    {"Managed HSM contributor", "18500a29-7fe2-46b2-a342-b16a415e101d", "HSM-6 HSM-14",
     CMK_PERMISSION_MANAGED_HSM_WRITE, 0},
    {"Managed HSM Administrator", "a290e904-7015-4bba-90c8-60543313cdb4", "HSM-R1",
     CMK_PERMISSION_ROLE_WRITE | CMK_PERMISSION_SECURITY_DOMAIN | CMK_PERMISSION_HSM_BACKUP |
         CMK_PERMISSION_HSM_RESTORE,
     CMK_ROLE_LOCAL},
    {"Managed HSM Crypto Officer", "515eb02d-2335-4d2d-92f2-b1cbdf9c3778", "HSM-R2 HSM-9 HSM-14",
     CMK_PERMISSION_READ_DELETED | CMK_PERMISSION_RECOVER | CMK_PERMISSION_PURGE |
         CMK_PERMISSION_ROLE_WRITE,
     CMK_ROLE_LOCAL},
    {"Managed HSM Crypto User", "21dbd100-6940-42c2-9190-5d6cb909625b", "HSM-R3 HSM-9",
     USE_AND_MANAGE_KEYS, CMK_ROLE_LOCAL},
    {"Managed HSM Policy Administrator", "4bd23610-cdcf-4971-bdee-bdc562cc28e4", "HSM-R4",
     CMK_PERMISSION_ROLE_WRITE, CMK_ROLE_LOCAL},
    {"Managed HSM Crypto Auditor", "2c18b078-7c48-4d3a-af88-5a3a1b3f82b3", "HSM-R5", READ,
     CMK_ROLE_LOCAL},
    {"Managed HSM Crypto Service Encryption User", "33413926-3206-4cdd-b39a-83574fe37a17",
     "HSM-R6 HSM-8", READ | CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP, CMK_ROLE_LOCAL},
    {"Managed HSM Crypto Service Release User", "21dbd100-6940-42c2-9190-5d6cb909625c", "HSM-R7",
     CMK_PERMISSION_RELEASE, CMK_ROLE_LOCAL},
    {"Managed HSM Backup", "7b127d3c-77bd-4e3e-bbe0-dbb8971fa7f8", "HSM-R8",
     CMK_PERMISSION_HSM_BACKUP, CMK_ROLE_LOCAL},
    {"Managed HSM Restore", "6efe6056-5259-49d2-8b3d-d3d73544b20b", "HSM-R9",
     CMK_PERMISSION_HSM_RESTORE, CMK_ROLE_LOCAL},
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

CmkPermissions cmk_role_permissions(uint32_t role)
{
    CMK_ASSERT(role < CMK_ARRAY_LEN(roles));
    return roles[role].permissions;
}

bool cmk_role_has_data_actions(uint32_t role)
{
    CMK_ASSERT(role < CMK_ARRAY_LEN(roles));
    return roles[role].kind == CMK_ROLE_OF_DATA ||
           (roles[role].permissions & (CMK_PERMISSION_KEYS_ALL | CMK_PERMISSION_SECRETS_ALL)) != 0;
}
