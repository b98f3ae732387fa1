/*
 * Requests to the data plane of key vaults, each with the checks of KVE-19 in that order: get, wrap
 * and unwrap by the Backup service, after the question whether the Backup vault has the identity to
 * ask with at all; the others by people.
 */
#include "models/key.h"
#include "models/key_store.h"
#include "models/key_vault.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/points.h"
#include "models/repairs.h"
#include "models/rows.h"

static const CmkVersion *version_of(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_version(world, cmk_key_version_of(world, args));
}

/* ---- guards on the version (table 1.1) ------------------------------------------------------- */

#define ENABLE                                                                                     \
    {                                                                                              \
        {                                                                                          \
            CMK_OP_KEY_UPDATE, cmk_repair_enable_version, "enable the key version again"           \
        }                                                                                          \
    }
#define EXTEND                                                                                     \
    {                                                                                              \
        {                                                                                          \
            CMK_OP_KEY_UPDATE, cmk_repair_extend_version, "move the validity of the key version"   \
        }                                                                                          \
    }

static bool version_is_enabled(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = version_of(world, args)->changed_by;
    return version_of(world, args)->is_enabled != 0;
}

const CmkGuard cmk_guard_version_is_enabled = {.name = "version-is-enabled",
                                               .holds = version_is_enabled,
                                               .status = CMK_STATUS_OF(KEY_DISABLED),
                                               .rule = "KV-16 KV-33 KV-34 KVE-6",
                                               .text = "The key version is enabled.",
                                               .repairs = ENABLE};

/* The same of the version that a take-up has left, which nobody looks for who knows that the
 * settings name another one: so it is said. */
static bool old_version_is_enabled(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const uint32_t old_version = cmk_backup_vault_of(world, args)->old_version;
    return old_version == 0 || old_version != cmk_key_version_of(world, args).i ||
           version_is_enabled(world, args, ret_blame);
}

const CmkGuard cmk_guard_old_version_is_enabled = {
    .name = "old-version-is-enabled",
    .holds = old_version_is_enabled,
    .status = CMK_STATUS_OF(KEY_DISABLED),
    .rule = "ROT-6 KV-16 KV-33 KVE-6",
    .text = "The key version that a rotation has left is enabled until one more backup completes.",
    .repairs = {{CMK_OP_KEY_UPDATE, cmk_repair_enable_version,
                 "enable the key version again that the rotation has left; the next backup needs "
                 "it too"}}};

static bool version_is_enabled_for_public_ops(const CmkWorld *world, const CmkArgs *args,
                                              uint64_t *ret_blame)
{
    return cmk_knob(world, CMK_KNOB_DISABLED_ALLOWS_PUBLIC_OPS) != 0 ||
           version_is_enabled(world, args, ret_blame);
}

const CmkGuard cmk_guard_version_is_enabled_for_public_ops = {
    .name = "version-is-enabled-for-public-ops",
    .holds = version_is_enabled_for_public_ops,
    .status = CMK_STATUS_OF(KEY_DISABLED),
    .rule = "KV-16 KV-17 KV-33 KV-34 KVE-6 OQ-7",
    .text = "The key version is enabled, also for what its public key alone could do.",
    .repairs = ENABLE};

static bool version_has_not_expired(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = version_of(world, args)->changed_by;
    return cmk_version_has_not_ended(world, version_of(world, args));
}

const CmkGuard cmk_guard_version_has_not_expired = {.name = "version-has-not-expired",
                                                    .holds = version_has_not_expired,
                                                    .status = CMK_STATUS_OF(KEY_EXPIRED),
                                                    .rule = "KV-13 KV-14 KV-33 KVE-7",
                                                    .text = "The key version has not expired.",
                                                    .repairs = EXTEND};

static bool version_is_yet_valid(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = version_of(world, args)->changed_by;
    return cmk_version_has_begun(world, version_of(world, args));
}

const CmkGuard cmk_guard_version_is_yet_valid = {.name = "version-is-yet-valid",
                                                 .holds = version_is_yet_valid,
                                                 .status = CMK_STATUS_OF(KEY_NOT_YET_VALID),
                                                 .rule = "KV-13 KV-14 KV-33 KVE-7",
                                                 .text = "The key version is already valid.",
                                                 .repairs = EXTEND};

/* Backup refuses outside the validity even where the key vault would unwrap (OQ-6). */
static bool is_window_ignored(const CmkWorld *world)
{
    return cmk_knob(world, CMK_KNOB_EXPIRED_KEY_RESTORE) != 0;
}

static bool backup_finds_it_not_expired(const CmkWorld *world, const CmkArgs *args,
                                        uint64_t *ret_blame)
{
    return is_window_ignored(world) || version_has_not_expired(world, args, ret_blame);
}

const CmkGuard cmk_guard_backup_finds_it_not_expired = {
    .name = "backup-finds-it-not-expired",
    .holds = backup_finds_it_not_expired,
    .status = CMK_STATUS_OF(KEY_EXPIRED),
    .rule = "OQ-6 ERR-M10",
    .text = "Backup finds the key version not expired before it uses it.",
    .repairs = EXTEND};

static bool backup_finds_it_yet_valid(const CmkWorld *world, const CmkArgs *args,
                                      uint64_t *ret_blame)
{
    return is_window_ignored(world) || version_is_yet_valid(world, args, ret_blame);
}

const CmkGuard cmk_guard_backup_finds_it_yet_valid = {
    .name = "backup-finds-it-yet-valid",
    .holds = backup_finds_it_yet_valid,
    .status = CMK_STATUS_OF(KEY_NOT_YET_VALID),
    .rule = "OQ-6 ERR-M10",
    .text = "Backup finds the key version already valid before it uses it.",
    .repairs = EXTEND};

/* What is asked for, as a bit of CmkVersion.key_ops. */
static uint32_t key_op_of(const CmkArgs *args)
{
    return (uint32_t)cmk_azure_model()->operations[args->op]->permission;
}

static bool key_type_can_do_this(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = version_of(world, args)->changed_by;
    return (cmk_key_ops_of_type(version_of(world, args)->type) & key_op_of(args)) != 0;
}

const CmkGuard cmk_guard_key_type_can_do_this = {
    .name = "key-type-can-do-this",
    .holds = key_type_can_do_this,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "KV-21 KV-22 KVE-15",
    .text = "There is an algorithm for this operation with keys of this type."};

static bool key_ops_include_this(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = version_of(world, args)->changed_by;
    return (version_of(world, args)->key_ops & key_op_of(args)) != 0;
}

static bool permit_all(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkVersionId version = cmk_key_version_of(world, refused);
    cmk_key_store_copy(refused, ret);
    ret->ref[CMK_REF_KEY] = refused->ref[CMK_REF_KEY];
    ret->ref[CMK_REF_VERSION] = version.i;
    ret->num[3] = cmk_key_ops_of_type(cmk_version(world, version)->type);
    return version.i != 0;
}

const CmkGuard cmk_guard_key_ops_include_this = {
    .name = "key-ops-include-this",
    .holds = key_ops_include_this,
    .status = CMK_STATUS_OF(KEY_OPERATION_FORBIDDEN),
    .rule = "KV-20 KVE-8",
    .text = "The key's permitted operations include this one.",
    .repairs = {{CMK_OP_KEY_UPDATE, permit_all, "let the key version do what its type can do"}}};

/* ---- what Backup asks for -------------------------------------------------------------------- */

#define REQUEST_PARAMS                                                                             \
    {                                                                                              \
        {"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},                             \
            {"key", CMK_PARAM_KEY_TARGET, 0, 1, CMK_REF_KEY},                                      \
            {"identity", CMK_PARAM_IDENTITY, 0, 0, CMK_REF_IDENTITY},                              \
        {                                                                                          \
            "for_job", CMK_PARAM_INTEGER, 1, 0, 0                                                  \
        }                                                                                          \
    }
/* KVE-19 as far as it does not depend on what is asked for. */
#define AT_THE_DOOR                                                                                \
    CMK_GUARD_CONNECTION_LETS_BACKUP_IN, CMK_GUARD_FIREWALL_LETS_BACKUP_IN,                        \
        CMK_GUARD_CALLER_IS_KNOWN, CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED
#define TO_THE_DOOR                                                                                \
    CMK_GUARD_SYSTEM_IDENTITY_IS_ON, CMK_GUARD_USER_IDENTITY_IS_ATTACHED,                          \
        CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_KEY_VAULT_IS_REACHABLE,                              \
        CMK_GUARD_MANAGED_HSM_EXISTS, CMK_GUARD_MANAGED_HSM_IS_REACHABLE, AT_THE_DOOR
/* In a Managed HSM. */
#define INSIDE CMK_GUARD_MANAGED_HSM_IS_ACTIVATED, CMK_GUARD_MANAGED_HSM_HAS_CAPACITY
/* What any use of a key wants of it, whoever asks. */
#define FOUND CMK_GUARDS_KEY_IS_THERE, CMK_GUARD_VERSION_EXISTS
#define INSIDE_ITS_WINDOW CMK_GUARD_VERSION_HAS_NOT_EXPIRED, CMK_GUARD_VERSION_IS_YET_VALID

/* A granted request changes nothing but the meters. */
static uint32_t request(CmkSim *sim, const CmkArgs *args)
{
    return cmk_key_version_of(sim->world, args).i;
}

/* What the log of the key vault calls each request: KV-32, here and wherever `audit` is said. */
const CmkOperation cmk_op_key_get = {
    .name = "key.get",
    .permission = CMK_PERMISSION_GET,
    .text = "Backup reads the key with the identity of the encryption settings.",
    .params = REQUEST_PARAMS,
    .guards = {TO_THE_DOOR, CMK_GUARD_ROLE_LETS_GET, CMK_GUARD_POLICY_LETS_GET, INSIDE,
               CMK_GUARD_LOCAL_ROLE_LETS_GET, FOUND},
    .effect = request,
    .account = cmk_key_vault_count_request,
    .rules = "KVE-19 KV-18 BK-37",
    .action = "Microsoft.KeyVault/vaults/keys/read",
    .audit = "KeyGet",
};

const CmkOperation cmk_op_key_wrap = {
    .name = "key.wrap",
    .permission = CMK_PERMISSION_WRAP,
    .text = "Backup has a data key wrapped by the key version.",
    .params = REQUEST_PARAMS,
    .guards = {TO_THE_DOOR, CMK_GUARD_ROLE_LETS_WRAP, CMK_GUARD_POLICY_LETS_WRAP, INSIDE,
               CMK_GUARD_LOCAL_ROLE_LETS_WRAP, FOUND, CMK_GUARD_KEY_TYPE_CAN_DO_THIS,
               CMK_GUARD_VERSION_IS_ENABLED_FOR_PUBLIC_OPS, INSIDE_ITS_WINDOW,
               CMK_GUARD_KEY_OPS_INCLUDE_THIS},
    .effect = request,
    .account = cmk_key_vault_count_request,
    .rules = "KVE-19 KV-21 KV-31 BK-37",
    .action = "Microsoft.KeyVault/vaults/keys/wrap/action",
    .audit = "KeyWrap",
};

const CmkOperation cmk_op_backup_accept_key = {
    .name = "backup.accept_key",
    .text = "Backup looks at its data keys and at what it has read of the key, and goes on or not.",
    .params = REQUEST_PARAMS,
    .guards = {CMK_GUARD_DATA_KEYS_ARE_REWRAPPED_WHOLLY, CMK_GUARD_BACKUP_FINDS_IT_NOT_EXPIRED,
               CMK_GUARD_BACKUP_FINDS_IT_YET_VALID, CMK_GUARD_BACKUP_SERVICE_WORKS},
    .effect = request,
    .rules = "OQ-6 OQ-27 ERR-M10",
};

/* num[0]: 1 when a job asks, which may go on with the vault's data key for a while (OQ-10);
 * settings and rotation use it once, and so does a backup what an old version gives (ROT-6), of
 * which it takes a note; nobody comes back soon to the own key of a point. */
static uint32_t key_unwrap(CmkSim *sim, const CmkArgs *args)
{
    const int64_t cache_us = cmk_knob(sim->world, CMK_KNOB_DEK_CACHE);
    const CmkPointId point = {args->ref[CMK_REF_POINT]};
    if (cache_us > 0 && args->num[0] != 0 && !cmk_point_has_own_key(sim->world, point)) {
        const CmkBackupVaultId vault = {args->ref[CMK_REF_BACKUP_VAULT]};
        cmk_backup_vault_mut(sim, vault)->dek_known_until = cmk_world_now(sim->world) + cache_us;
    }
    if (args->ref[CMK_REF_TASK] != 0 &&
        args->ref[CMK_REF_VERSION] == cmk_backup_vault_of(sim->world, args)->old_version) {
        cmk_task_mut(sim, (CmkTaskId){args->ref[CMK_REF_TASK]})->old_version =
            args->ref[CMK_REF_VERSION];
    }
    return args->ref[CMK_REF_VERSION];
}

const CmkOperation cmk_op_key_unwrap = {
    .name = "key.unwrap",
    .permission = CMK_PERMISSION_UNWRAP,
    .text = "Backup has its data key unwrapped by the key version that wrapped it.",
    .params = REQUEST_PARAMS,
    .guards = {TO_THE_DOOR, CMK_GUARD_ROLE_LETS_UNWRAP, CMK_GUARD_POLICY_LETS_UNWRAP, INSIDE,
               CMK_GUARD_LOCAL_ROLE_LETS_UNWRAP, FOUND, CMK_GUARD_KEY_TYPE_CAN_DO_THIS,
               CMK_GUARD_OLD_VERSION_IS_ENABLED, CMK_GUARD_VERSION_IS_ENABLED,
               CMK_GUARD_KEY_OPS_INCLUDE_THIS},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(TASK),
    .effect = key_unwrap,
    .account = cmk_key_vault_count_request,
    .rules = "KVE-19 KV-14 KV-31 ROT-6 ROT-8 BK-37",
    .action = "Microsoft.KeyVault/vaults/keys/unwrap/action",
    .audit = "KeyUnwrap",
};

/* BK-2: a request like those on keys, but with the Backup vault's own identity, whatever the
 * encryption settings use (SEC-1). */
static uint32_t secret_get(CmkSim *sim, const CmkArgs *args)
{
    (void)sim;
    return args->ref[CMK_REF_SECRET];
}

const CmkOperation cmk_op_secret_get = {
    .name = "secret.get",
    .permission = CMK_PERMISSION_SECRET_GET,
    .text = "Backup reads the credentials of a database with the vault's system-assigned identity.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"secret", CMK_PARAM_SECRET, 0, 1, CMK_REF_SECRET}},
    .guards = {CMK_GUARD_SYSTEM_IDENTITY_IS_ON, CMK_GUARD_KEY_VAULT_EXISTS,
               CMK_GUARD_KEY_VAULT_IS_REACHABLE, AT_THE_DOOR, CMK_GUARD_ROLE_LETS_READ_SECRET,
               CMK_GUARD_POLICY_LETS_READ_SECRET, CMK_GUARD_SECRET_EXISTS,
               CMK_GUARD_SECRET_IS_ENABLED},
    .effect = secret_get,
    .account = cmk_key_vault_count_request,
    .rules = "KVE-19 KV-18 BK-2 SEC-1",
    .action = "Microsoft.KeyVault/vaults/secrets/getSecret/action",
    .audit = "SecretGet",
};

/* ---- what people ask for --------------------------------------------------------------------- */

/* They change nothing, so the pair of a lost region answers them too (REL-7). */
#define PERSONS_REQUEST                                                                            \
    .params = {{"key", CMK_PARAM_KEY_TARGET, 0, 1, CMK_REF_KEY}}, .effect = request,               \
    .account = cmk_key_vault_count_request

static uint32_t key_list(CmkSim *sim, const CmkArgs *args)
{
    (void)sim;
    return args->ref[CMK_REF_KEY_VAULT];
}

const CmkOperation cmk_op_key_list = {
    .name = "key.list",
    .permission = CMK_PERMISSION_LIST,
    .text = "Somebody lists the keys of a key vault.",
    .params = {{"key_vault", CMK_PARAM_KEY_STORE, 0, 1, CMK_REF_KEY_VAULT}},
    .guards = {CMK_GUARDS_TO_ASK_FOR_KEYS},
    .effect = key_list,
    .account = cmk_key_vault_count_request,
    .rules = "KVE-19 KV-18 REL-7",
    .action = "Microsoft.KeyVault/vaults/keys/read",
    .az = "az keyvault key list",
};

/* SD-5: what the deleted state lets through, beside recovery and purge. */
const CmkOperation cmk_op_key_list_deleted = {
    .name = "key.list_deleted",
    .permission = CMK_PERMISSION_LIST,
    .text = "Somebody lists the deleted keys of a key vault.",
    .params = {{"key_vault", CMK_PARAM_KEY_STORE, 0, 1, CMK_REF_KEY_VAULT}},
    .guards = {CMK_GUARDS_TO_ASK_FOR_KEYS},
    .effect = key_list,
    .account = cmk_key_vault_count_request,
    .rules = "KVE-19 SD-5 REL-7",
    .action = "Microsoft.KeyVault/vaults/keys/read",
    .az = "az keyvault key list-deleted",
};

static uint32_t key_get_deleted(CmkSim *sim, const CmkArgs *args)
{
    (void)sim;
    return args->ref[CMK_REF_KEY];
}

const CmkOperation cmk_op_key_get_deleted = {
    .name = "key.get_deleted",
    .permission = CMK_PERMISSION_GET,
    .text = "Somebody reads a deleted key.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY}},
    .guards = {CMK_GUARDS_TO_ASK_FOR_KEYS, CMK_GUARD_KEY_IS_NOT_BEING_DELETED,
               CMK_GUARD_KEY_IS_NOT_BEING_RECOVERED, CMK_GUARD_KEY_IS_DELETED},
    .effect = key_get_deleted,
    .account = cmk_key_vault_count_request,
    .rules = "KVE-19 SD-5 REL-7",
    .action = "Microsoft.KeyVault/vaults/keys/read",
    .az = "az keyvault key show-deleted",
};

/* As Backup does by key.get, key.wrap and key.unwrap, but for nobody's settings. */
const CmkOperation cmk_op_key_show = {
    .name = "key.show",
    .permission = CMK_PERMISSION_GET,
    .text = "Somebody reads a key version.",
    PERSONS_REQUEST,
    .guards = {CMK_GUARDS_TO_ASK_FOR_KEYS, FOUND},
    .rules = "KVE-19 KV-18 REL-7",
    .action = "Microsoft.KeyVault/vaults/keys/read",
    .az = "az keyvault key show",
    .audit = "KeyGet",
};

const CmkOperation cmk_op_key_wrap_data = {
    .name = "key.wrap_data",
    .permission = CMK_PERMISSION_WRAP,
    .text = "Somebody has a key of their own wrapped by a key version.",
    PERSONS_REQUEST,
    .guards = {CMK_GUARDS_TO_ASK_FOR_KEYS, FOUND, CMK_GUARD_KEY_TYPE_CAN_DO_THIS,
               CMK_GUARD_VERSION_IS_ENABLED_FOR_PUBLIC_OPS, INSIDE_ITS_WINDOW,
               CMK_GUARD_KEY_OPS_INCLUDE_THIS},
    .rules = "KVE-19 KV-21 REL-7",
    .action = "Microsoft.KeyVault/vaults/keys/wrap/action",
    .az = "az rest --method post",
    .audit = "KeyWrap",
};

const CmkOperation cmk_op_key_unwrap_data = {
    .name = "key.unwrap_data",
    .permission = CMK_PERMISSION_UNWRAP,
    .text = "Somebody has a key of their own unwrapped by a key version.",
    PERSONS_REQUEST,
    .guards = {CMK_GUARDS_TO_ASK_FOR_KEYS, FOUND, CMK_GUARD_KEY_TYPE_CAN_DO_THIS,
               CMK_GUARD_VERSION_IS_ENABLED, CMK_GUARD_KEY_OPS_INCLUDE_THIS},
    .rules = "KVE-19 KV-14 REL-7",
    .action = "Microsoft.KeyVault/vaults/keys/unwrap/action",
    .az = "az rest --method post",
    .audit = "KeyUnwrap",
};

/* Which keys are exportable, and what their release policies say, no rule tells: assumed to be in
 * order. The window does not matter (KV-14). */
const CmkOperation cmk_op_key_release = {
    .name = "key.release",
    .permission = CMK_PERMISSION_RELEASE,
    .text = "Somebody has a key version released to a trusted environment.",
    PERSONS_REQUEST,
    .guards = {CMK_GUARDS_TO_ASK_FOR_KEYS, FOUND, CMK_GUARD_VERSION_IS_ENABLED},
    .rules = "KVE-19 KV-14 AC-R5",
    .action = "Microsoft.KeyVault/vaults/keys/release/action",
    .az = "az rest --method post",
};

const CmkOperation cmk_op_key_encrypt = {
    .name = "key.encrypt",
    .permission = CMK_PERMISSION_ENCRYPT,
    .text = "Somebody encrypts with a key version.",
    PERSONS_REQUEST,
    .guards = {CMK_GUARDS_TO_ASK_FOR_KEYS, FOUND, CMK_GUARD_KEY_TYPE_CAN_DO_THIS,
               CMK_GUARD_VERSION_IS_ENABLED_FOR_PUBLIC_OPS, INSIDE_ITS_WINDOW,
               CMK_GUARD_KEY_OPS_INCLUDE_THIS},
    .rules = "KVE-19 KV-23 REL-7",
    .action = "Microsoft.KeyVault/vaults/keys/encrypt/action",
    .az = "az keyvault key encrypt",
};

const CmkOperation cmk_op_key_decrypt = {
    .name = "key.decrypt",
    .permission = CMK_PERMISSION_DECRYPT,
    .text = "Somebody decrypts with a key version.",
    PERSONS_REQUEST,
    .guards = {CMK_GUARDS_TO_ASK_FOR_KEYS, FOUND, CMK_GUARD_KEY_TYPE_CAN_DO_THIS,
               CMK_GUARD_VERSION_IS_ENABLED, CMK_GUARD_KEY_OPS_INCLUDE_THIS},
    .rules = "KVE-19 KV-14 KV-23 REL-7",
    .action = "Microsoft.KeyVault/vaults/keys/decrypt/action",
    .az = "az keyvault key decrypt",
};

const CmkOperation cmk_op_key_sign = {
    .name = "key.sign",
    .permission = CMK_PERMISSION_SIGN,
    .text = "Somebody signs with a key version.",
    PERSONS_REQUEST,
    .guards = {CMK_GUARDS_TO_ASK_FOR_KEYS, FOUND, CMK_GUARD_KEY_TYPE_CAN_DO_THIS,
               CMK_GUARD_VERSION_IS_ENABLED, INSIDE_ITS_WINDOW, CMK_GUARD_KEY_OPS_INCLUDE_THIS},
    .rules = "KVE-19 REL-7",
    .action = "Microsoft.KeyVault/vaults/keys/sign/action",
    .az = "az keyvault key sign",
};

const CmkOperation cmk_op_key_verify = {
    .name = "key.verify",
    .permission = CMK_PERMISSION_VERIFY,
    .text = "Somebody verifies a signature with a key version.",
    PERSONS_REQUEST,
    .guards = {CMK_GUARDS_TO_ASK_FOR_KEYS, FOUND, CMK_GUARD_KEY_TYPE_CAN_DO_THIS,
               CMK_GUARD_VERSION_IS_ENABLED_FOR_PUBLIC_OPS, CMK_GUARD_KEY_OPS_INCLUDE_THIS},
    .rules = "KVE-19 KV-14 REL-7",
    .action = "Microsoft.KeyVault/vaults/keys/verify/action",
    .az = "az keyvault key verify",
};
