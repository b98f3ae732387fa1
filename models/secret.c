/* Secrets in key vaults: made, disabled, deleted, recovered; and read by Backup (BK-2, KV-18).
 * Their rights are a kind of their own in both permission models. What is written to a secret is in
 * the pair of its region at once (assumed: models/replica.h keeps no copy of it). */
#include "models/secret.h"

#include <stdio.h>

#include "models/access.h"
#include "models/key_vault.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/repairs.h"
#include "models/rows.h"

static bool is_recoverable(const CmkWorld *world, const CmkSecret *secret)
{
    return secret->state == CMK_SECRET_DELETED && cmk_world_now(world) < secret->purge_at;
}

/* ---- guards ---------------------------------------------------------------------------------- */

static bool secret_is_deleted(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_secret_of(world, args)->changed_by;
    return is_recoverable(world, cmk_secret_of(world, args));
}

const CmkGuard cmk_guard_secret_is_deleted = {
    .name = "secret-is-deleted",
    .holds = secret_is_deleted,
    .status = CMK_STATUS_OF(SECRET_NOT_FOUND),
    .rule = "SD-5 SD-6",
    .text = "The secret is deleted and its retention is not over."};

static bool secret_is_not_deleted(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return !secret_is_deleted(world, args, ret_blame);
}

static bool recover(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_SECRET] = refused->ref[CMK_REF_SECRET];
    ret->ref[CMK_REF_KEY_VAULT] = refused->ref[CMK_REF_KEY_VAULT];
    return is_recoverable(world, cmk_secret_of(world, refused));
}

#define RECOVER                                                                                    \
    {                                                                                              \
        CMK_OP_SECRET_RECOVER, recover, "recover the deleted secret"                               \
    }

const CmkGuard cmk_guard_secret_is_not_deleted = {
    .name = "secret-is-not-deleted",
    .holds = secret_is_not_deleted,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "KVE-11 SD-10",
    .text = "No deleted secret holds the name until it is recovered or its retention ends.",
    .repairs = {RECOVER}};

static bool secret_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_secret_of(world, args)->changed_by;
    return cmk_secret_of(world, args)->state == CMK_SECRET_ACTIVE;
}

static bool set_again(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkSecret *secret = cmk_secret_of(world, refused);
    ret->ref[CMK_REF_SECRET] = refused->ref[CMK_REF_SECRET];
    ret->ref[CMK_REF_KEY_VAULT] = refused->ref[CMK_REF_KEY_VAULT];
    return secret->state != CMK_SECRET_ACTIVE && !is_recoverable(world, secret);
}

const CmkGuard cmk_guard_secret_exists = {
    .name = "secret-exists",
    .holds = secret_exists,
    .status = CMK_STATUS_OF(SECRET_NOT_FOUND),
    .rule = "KVE-10 KVE-19",
    .text = "The secret is there and not deleted.",
    .repairs = {RECOVER, {CMK_OP_SECRET_SET, set_again, "put the credentials there once more"}}};

static bool secret_is_enabled(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_secret_of(world, args)->changed_by;
    return cmk_secret_of(world, args)->is_enabled != 0;
}

static bool enable(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_SECRET] = refused->ref[CMK_REF_SECRET];
    ret->ref[CMK_REF_KEY_VAULT] = refused->ref[CMK_REF_KEY_VAULT];
    ret->num[0] = CMK_SAYS_TRUE;
    return cmk_secret_of(world, refused)->is_enabled == 0;
}

const CmkGuard cmk_guard_secret_is_enabled = {
    .name = "secret-is-enabled",
    .holds = secret_is_enabled,
    .status = CMK_STATUS_OF(SECRET_DISABLED),
    .rule = "KV-18 KVE-6 SEC-2",
    .text = "The secret is enabled, without which it cannot even be read.",
    .repairs = {{CMK_OP_SECRET_UPDATE, enable, "enable the secret"}}};

/* Holds when the key vault uses the other permission model, whose own guard then decides. */
static bool lets_read(const CmkWorld *world, const CmkArgs *args, CmkPermissionModel model,
                      uint64_t *ret_blame)
{
    const CmkKeyVaultId key_vault = {args->ref[CMK_REF_KEY_VAULT]};
    return cmk_key_vault(world, key_vault)->permission_model != model ||
           cmk_access_is_granted(world, (CmkPrincipalId){args->ref[CMK_REF_PRINCIPAL]}, key_vault,
                                 (CmkKeyId){0}, CMK_PERMISSION_SECRET_GET, ret_blame);
}

static bool role_lets_read_secret(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return lets_read(world, args, CMK_PERMISSIONS_RBAC, ret_blame);
}

const CmkGuard cmk_guard_role_lets_read_secret = {
    .name = "role-lets-read-secret",
    .holds = role_lets_read_secret,
    .status = CMK_STATUS_OF(FORBIDDEN_BY_RBAC),
    .rule = "KVE-3 KVE-19 AC-R10 BK-2",
    .text = "A role assignment lets the identity read secrets (secrets/getSecret/action).",
    .repairs = {{CMK_OP_ROLE_ASSIGN, cmk_repair_assign_secrets_role,
                 "assign Key Vault Secrets User to the identity on the key vault"}}};

static bool policy_lets_read_secret(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return lets_read(world, args, CMK_PERMISSIONS_POLICY, ret_blame);
}

const CmkGuard cmk_guard_policy_lets_read_secret = {
    .name = "policy-lets-read-secret",
    .holds = policy_lets_read_secret,
    .status = CMK_STATUS_OF(ACCESS_DENIED),
    .rule = "KVE-2 KVE-19 BK-2",
    .text = "An access policy of the key vault lets the identity read secrets.",
    .repairs = {{CMK_OP_ACCESS_POLICY_SET, cmk_repair_set_secrets_policy,
                 "give the identity get for secrets in the key vault's access policies"}}};

/* Of an instance that is to be protected. */
static bool secret_fits_datasource(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    uint32_t count = 0;
    (void)world;
    (void)ret_blame;
    return args->ref[CMK_REF_SECRET] == 0 ||
           cmk_datasource_facts(&count)[args->num[0]].reads_secret;
}

const CmkGuard cmk_guard_secret_fits_datasource = {
    .name = "secret-fits-datasource",
    .holds = secret_fits_datasource,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "BK-2",
    .text = "Only databases are got into with credentials out of a secret."};

/* ---- operations ------------------------------------------------------------------------------ */

#define SECRET_PARAM                                                                               \
    {                                                                                              \
        "secret", CMK_PARAM_SECRET, 0, 1, CMK_REF_SECRET                                           \
    }

/* KVE-19 as for keys, but never in a Managed HSM, which has keys only (HSM-1). */
#define TO_MANAGE                                                                                  \
    CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_KEY_VAULT_IS_REACHABLE,                                  \
        CMK_GUARD_CONNECTION_LETS_ACTOR_IN, CMK_GUARD_FIREWALL_LETS_ACTOR_IN,                      \
        CMK_GUARDS_TO_BE_LET, CMK_GUARD_KEY_VAULT_IS_WRITABLE

static CmkSecret *change(CmkSim *sim, const CmkArgs *args, CmkSecretState state)
{
    CmkSecret *secret = cmk_secret_mut(sim, (CmkSecretId){args->ref[CMK_REF_SECRET]});
    secret->state = state;
    secret->changed_by = cmk_this_seq(sim);
    return secret;
}

/* A new version takes the place of the one before it, disabled as that may have been. */
static uint32_t secret_set(CmkSim *sim, const CmkArgs *args)
{
    change(sim, args, CMK_SECRET_ACTIVE)->is_enabled = args->num[0] != CMK_SAYS_FALSE;
    return args->ref[CMK_REF_SECRET];
}

const CmkOperation cmk_op_secret_set = {
    .name = "secret.set",
    .permission = CMK_PERMISSION_SECRET_SET,
    .text = "A secret is put into a key vault, or gets a new value.",
    .params = {SECRET_PARAM, {"enabled", CMK_PARAM_BOOLEAN, 1, 0, 0}},
    .guards = {TO_MANAGE, CMK_GUARD_SECRET_IS_NOT_DELETED},
    .writes = CMK_BIT(SECRET),
    .effect = secret_set,
    .account = cmk_key_vault_count_request,
    .rules = "KVE-19 BK-2",
    .action = "Microsoft.KeyVault/vaults/secrets/setSecret/action",
    .az = "az keyvault secret set",
    .audit = "SecretSet",
};

/* What is not said stays as it is. */
static uint32_t secret_update(CmkSim *sim, const CmkArgs *args)
{
    CmkSecret *secret = change(sim, args, CMK_SECRET_ACTIVE);
    if (args->num[0] != 0) {
        secret->is_enabled = args->num[0] == CMK_SAYS_TRUE;
    }
    return args->ref[CMK_REF_SECRET];
}

const CmkOperation cmk_op_secret_update = {
    .name = "secret.update",
    .permission = CMK_PERMISSION_SECRET_SET,
    .text = "A secret is enabled or disabled.",
    .params = {SECRET_PARAM, {"enabled", CMK_PARAM_BOOLEAN, 1, 0, 0}},
    .guards = {TO_MANAGE, CMK_GUARD_SECRET_EXISTS},
    .writes = CMK_BIT(SECRET),
    .effect = secret_update,
    .account = cmk_key_vault_count_request,
    .rules = "KVE-19 KV-18",
    .action = "Microsoft.KeyVault/vaults/secrets/setSecret/action",
    .az = "az keyvault secret set-attributes",
    .audit = "SecretUpdate",
};

/* SD-6: as with keys, for as long as the key vault keeps what is deleted. */
static uint32_t secret_delete(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyVault *vault =
        cmk_key_vault(sim->world, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    const int64_t kept_us = vault->has_soft_delete != 0 ? vault->retention_days * CMK_DAY_US : 0;
    change(sim, args, CMK_SECRET_DELETED)->purge_at = cmk_world_now(sim->world) + kept_us;
    return args->ref[CMK_REF_SECRET];
}

const CmkOperation cmk_op_secret_delete = {
    .name = "secret.delete",
    .permission = CMK_PERMISSION_SECRET_DELETE,
    .text = "A secret is deleted, and can be recovered while its key vault keeps it.",
    .params = {SECRET_PARAM},
    .guards = {TO_MANAGE, CMK_GUARD_SECRET_EXISTS},
    .writes = CMK_BIT(SECRET),
    .effect = secret_delete,
    .account = cmk_key_vault_count_request,
    .rules = "KVE-19 SD-5 SD-6",
    .action = "Microsoft.KeyVault/vaults/secrets/delete",
    .az = "az keyvault secret delete",
    .audit = "SecretDelete",
};

static uint32_t secret_recover(CmkSim *sim, const CmkArgs *args)
{
    change(sim, args, CMK_SECRET_ACTIVE)->purge_at = 0;
    return args->ref[CMK_REF_SECRET];
}

const CmkOperation cmk_op_secret_recover = {
    .name = "secret.recover",
    .permission = CMK_PERMISSION_SECRET_RECOVER,
    .text = "A deleted secret is recovered.",
    .params = {SECRET_PARAM},
    .guards = {TO_MANAGE, CMK_GUARD_SECRET_IS_DELETED},
    .writes = CMK_BIT(SECRET),
    .effect = secret_recover,
    .account = cmk_key_vault_count_request,
    .rules = "KVE-19 SD-5 SD-6",
    .action = "Microsoft.KeyVault/vaults/secrets/recover/action",
    .az = "az keyvault secret recover",
    .audit = "SecretRecover",
};

/* ---- for others ------------------------------------------------------------------------------ */

void cmk_secrets_destroy(CmkSim *sim, CmkKeyVaultId key_vault)
{
    const uint32_t count = cmk_world_count(sim->world, CMK_TABLE_SECRET);
    for (uint32_t row = 1; row <= count; row++) {
        CmkSecret *secret = cmk_secret_mut(sim, (CmkSecretId){row});
        if (secret->key_vault == key_vault.i && secret->state != CMK_SECRET_ABSENT) {
            secret->state = CMK_SECRET_ABSENT;
            secret->changed_by = cmk_this_seq(sim);
        }
    }
}

void cmk_secret_fill_request(const CmkWorld *world, CmkInstanceId instance, CmkArgs *args)
{
    const CmkInstance *row = cmk_instance(world, instance);
    const CmkBackupVaultId vault = {row->backup_vault};
    args->ref[CMK_REF_BACKUP_VAULT] = vault.i;
    args->ref[CMK_REF_SECRET] = row->secret;
    args->ref[CMK_REF_KEY_VAULT] = cmk_secret(world, (CmkSecretId){row->secret})->key_vault;
    args->ref[CMK_REF_PRINCIPAL] = cmk_backup_vault(world, vault)->system_principal;
}

void cmk_secret_uri_format(const CmkWorld *world, CmkSecretId id, char ret[CMK_SECRET_URI_SIZE])
{
    const CmkSecret *secret = cmk_secret(world, id);
    const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){secret->key_vault});
    (void)snprintf(ret, CMK_SECRET_URI_SIZE, "https://%.24s.vault.azure.net/secrets/%.127s",
                   cmk_name(world, vault->name), cmk_name(world, secret->name));
}
