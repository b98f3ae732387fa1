/*
 * Requests to the data plane of key vaults: get, wrap and unwrap, each with the checks of KVE-19 in
 * that order, after the question whether the Backup vault has the identity to ask with at all.
 */
#include "models/key_vault.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/repairs.h"
#include "models/rows.h"

static const CmkVersion *version_of(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_version(world, (CmkVersionId){args->ref[CMK_REF_VERSION]});
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
    .rule = "KV-16 KV-33 KVE-6 OQ-7",
    .text = "The key version is enabled, also for what its public key alone could do.",
    .repairs = ENABLE};

static bool version_has_not_expired(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = version_of(world, args)->changed_by;
    return cmk_world_now(world) < version_of(world, args)->expires; /* KV-13 */
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
    return version_of(world, args)->not_before <= cmk_world_now(world); /* KV-13 */
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

static bool key_ops_include_wrap(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = version_of(world, args)->changed_by;
    return (version_of(world, args)->key_ops & CMK_PERMISSION_WRAP) != 0;
}

const CmkGuard cmk_guard_key_ops_include_wrap = {
    .name = "key-ops-include-wrap",
    .holds = key_ops_include_wrap,
    .status = CMK_STATUS_OF(KEY_OPERATION_FORBIDDEN),
    .rule = "KV-20 KVE-8",
    .text = "The key's permitted operations include wrapKey."};

static bool key_ops_include_unwrap(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = version_of(world, args)->changed_by;
    return (version_of(world, args)->key_ops & CMK_PERMISSION_UNWRAP) != 0;
}

const CmkGuard cmk_guard_key_ops_include_unwrap = {
    .name = "key-ops-include-unwrap",
    .holds = key_ops_include_unwrap,
    .status = CMK_STATUS_OF(KEY_OPERATION_FORBIDDEN),
    .rule = "KV-20 KVE-8",
    .text = "The key's permitted operations include unwrapKey."};

/* ---- operations ------------------------------------------------------------------------------ */

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
#define TO_THE_DOOR                                                                                \
    CMK_GUARD_SYSTEM_IDENTITY_IS_ON, CMK_GUARD_USER_IDENTITY_IS_ATTACHED,                          \
        CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_KEY_VAULT_IS_REACHABLE, CMK_GUARD_CALLER_IS_KNOWN,   \
        CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED

/* A granted request changes nothing but the meters. */
static uint32_t request(CmkSim *sim, const CmkArgs *args)
{
    (void)sim;
    return args->ref[CMK_REF_VERSION];
}

const CmkOperation cmk_op_key_get = {
    .name = "key.get",
    .text = "Backup reads the key with the identity of the encryption settings.",
    .params = REQUEST_PARAMS,
    .guards = {TO_THE_DOOR, CMK_GUARD_ROLE_LETS_GET, CMK_GUARD_POLICY_LETS_GET,
               CMK_GUARD_KEY_EXISTS, CMK_GUARD_VERSION_EXISTS},
    .effect = request,
    .account = cmk_key_vault_count_request,
    .rules = "KVE-19 KV-18 BK-37",
    .action = "Microsoft.KeyVault/vaults/keys/read",
};

const CmkOperation cmk_op_key_wrap = {
    .name = "key.wrap",
    .text = "Backup has a data key wrapped by the key version.",
    .params = REQUEST_PARAMS,
    .guards = {TO_THE_DOOR, CMK_GUARD_ROLE_LETS_WRAP, CMK_GUARD_POLICY_LETS_WRAP,
               CMK_GUARD_KEY_EXISTS, CMK_GUARD_VERSION_EXISTS,
               CMK_GUARD_VERSION_IS_ENABLED_FOR_PUBLIC_OPS, CMK_GUARD_VERSION_HAS_NOT_EXPIRED,
               CMK_GUARD_VERSION_IS_YET_VALID, CMK_GUARD_KEY_OPS_INCLUDE_WRAP},
    .effect = request,
    .account = cmk_key_vault_count_request,
    .rules = "KVE-19 KV-21 KV-31 BK-37",
    .action = "Microsoft.KeyVault/vaults/keys/wrap/action",
};

const CmkOperation cmk_op_backup_accept_key = {
    .name = "backup.accept_key",
    .text = "Backup looks at what it has read of the key, and takes it or does not.",
    .params = REQUEST_PARAMS,
    .guards = {CMK_GUARD_BACKUP_FINDS_IT_NOT_EXPIRED, CMK_GUARD_BACKUP_FINDS_IT_YET_VALID},
    .effect = request,
    .rules = "OQ-6 ERR-M10",
};

/* num[0]: 1 when a job asks, which may go on with the data key for a while (OQ-10); settings and
 * rotation use it once. */
static uint32_t key_unwrap(CmkSim *sim, const CmkArgs *args)
{
    const int64_t cache_us = cmk_knob(sim->world, CMK_KNOB_DEK_CACHE);
    if (cache_us > 0 && args->num[0] != 0) {
        const CmkBackupVaultId vault = {args->ref[CMK_REF_BACKUP_VAULT]};
        cmk_backup_vault_mut(sim, vault)->dek_known_until = cmk_world_now(sim->world) + cache_us;
    }
    return args->ref[CMK_REF_VERSION];
}

const CmkOperation cmk_op_key_unwrap = {
    .name = "key.unwrap",
    .text = "Backup has its data key unwrapped by the key version that wrapped it.",
    .params = REQUEST_PARAMS,
    .guards = {TO_THE_DOOR, CMK_GUARD_ROLE_LETS_UNWRAP, CMK_GUARD_POLICY_LETS_UNWRAP,
               CMK_GUARD_KEY_EXISTS, CMK_GUARD_VERSION_EXISTS, CMK_GUARD_VERSION_IS_ENABLED,
               CMK_GUARD_KEY_OPS_INCLUDE_UNWRAP},
    .writes = CMK_BIT(BACKUP_VAULT),
    .effect = key_unwrap,
    .account = cmk_key_vault_count_request,
    .rules = "KVE-19 KV-14 KV-31 ROT-8 BK-37",
    .action = "Microsoft.KeyVault/vaults/keys/unwrap/action",
};
