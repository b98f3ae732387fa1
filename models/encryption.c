/* Encryption settings of Backup vaults: what may be asked for, the checks of 9.4, the commit. */
#include "models/encryption.h"

#include "models/access.h"
#include "models/key.h"
#include "models/key_store.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/repairs.h"
#include "models/rows.h"

bool cmk_version_is_usable(const CmkWorld *world, const CmkVersion *version)
{
    return version->is_purged == 0 && version->missing_by == 0 && version->is_enabled != 0 &&
           cmk_version_has_begun(world, version) && cmk_version_has_not_ended(world, version);
}

/* ---- updating the settings: checked at once (9.4, steps 1 to 6) ------------------------------ */

static bool encryption_is_not_turned_off(const CmkWorld *world, const CmkArgs *args,
                                         uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->encryption_by;
    return args->num[0] != CMK_SAYS_FALSE;
}

const CmkGuard cmk_guard_encryption_is_not_turned_off = {
    .name = "encryption-is-not-turned-off",
    .holds = encryption_is_not_turned_off,
    .status = CMK_STATUS_OF(NOT_REVERSIBLE),
    .rule = "BV-18 BV-T10 BV-41 ERR-14",
    .text = "The update does not switch customer-managed keys off."};

static bool inconsistent_is_not_asked_for(const CmkWorld *world, const CmkArgs *args,
                                          uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    return args->num[0] != CMK_SAYS_INCONSISTENT;
}

const CmkGuard cmk_guard_inconsistent_is_not_asked_for = {
    .name = "inconsistent-is-not-asked-for",
    .holds = inconsistent_is_not_asked_for,
    .status = CMK_STATUS_OF(NOT_REVERSIBLE),
    .rule = "BV-T16 BV-41 ERR-14",
    .text = "The update does not ask for the state Inconsistent, which only the service sets."};

static bool infrastructure_stays(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    *ret_blame = vault->changed_by;
    return args->num[1] == 0 ||
           (args->num[1] == CMK_SAYS_TRUE) == (vault->has_infrastructure_encryption != 0);
}

const CmkGuard cmk_guard_infrastructure_stays = {
    .name = "infrastructure-stays",
    .holds = infrastructure_stays,
    .status = CMK_STATUS_OF(NOT_REVERSIBLE),
    .rule = "BV-21 BV-41 ERR-14",
    .text = "The update leaves infrastructure encryption as it was chosen at creation."};

/* What the settings would say after the update. */
typedef struct Target {
    uint32_t key;
    uint32_t pinned;   /* version that the URI names, 0 if none */
    uint32_t version;  /* to wrap with */
    uint32_t identity; /* 0: system-assigned */
} Target;

/* Settings whose key stays go on with the version in use and re-wrap nothing (BV-T8, BV-33): a
 * newer one is taken up by a poll (ROT-13). Only where the one in use does not serve do they go
 * over. */
static uint32_t version_of_same_key(const CmkWorld *world, const CmkBackupVault *vault)
{
    const CmkVersionId active = {vault->active_version};
    return cmk_version_is_usable(world, cmk_version(world, active))
               ? active.i
               : cmk_rotation_target(world, vault).i; /* KV-6, ROT-16 */
}

static Target target_of(const CmkWorld *world, const CmkArgs *args)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    Target target = {.key = vault->key,
                     .pinned = vault->pinned_version,
                     .version = version_of_same_key(world, vault), /* OQ-31 */
                     .identity = vault->identity};
    const CmkKeyId named = {args->ref[CMK_REF_KEY]};
    /* A version that is named but does not exist stays 0: reading it is refused. */
    const bool is_pinned = args->ref[CMK_REF_VERSION] != 0 || args->num[CMK_NUM_VERSION] != 0;
    const bool is_same =
        named.i == vault->key && !is_pinned && vault->pinned_version == 0 &&
        cmk_version_is_usable(world, cmk_version(world, (CmkVersionId){vault->active_version}));
    if (named.i != 0 && !is_same) {
        target.key = named.i;
        target.pinned = args->ref[CMK_REF_VERSION];
        target.version = is_pinned ? target.pinned : cmk_key(world, named)->current_version;
    }
    if (args->num[CMK_NUM_SYSTEM] != 0) {
        target.identity = 0;
    } else if (args->ref[CMK_REF_IDENTITY] != 0) {
        target.identity = args->ref[CMK_REF_IDENTITY];
    }
    return target;
}

static bool key_or_identity_changes_alone(const CmkWorld *world, const CmkArgs *args,
                                          uint64_t *ret_blame)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    const Target target = target_of(world, args);
    *ret_blame = vault->encryption_by;
    const bool key_changes = target.key != vault->key || target.pinned != vault->pinned_version;
    const bool identity_changes = target.identity != vault->identity;
    return vault->key == 0 || !(key_changes && identity_changes);
}

const CmkGuard cmk_guard_key_or_identity_changes_alone = {
    .name = "key-or-identity-changes-alone",
    .holds = key_or_identity_changes_alone,
    .status = CMK_STATUS_OF(KEY_AND_IDENTITY_TOGETHER),
    .rule = "BV-35 BV-T9 BV-41 ERR-15",
    .text = "One request changes the key or the identity, not both."};

static bool target_system_identity_is_on(const CmkWorld *world, const CmkArgs *args,
                                         uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->system_by;
    return target_of(world, args).identity != 0 ||
           cmk_backup_vault_of(world, args)->system_principal != 0;
}

const CmkGuard cmk_guard_target_system_identity_is_on = {
    .name = "target-system-identity-is-on",
    .holds = target_system_identity_is_on,
    .status = CMK_STATUS_OF(SYSTEM_IDENTITY_NOT_ENABLED),
    .rule = "BV-34 BV-41 ERR-5 ERR-M1",
    .text = "The system-assigned identity that the settings are to use is on.",
    .repairs = {{CMK_OP_SYSTEM_IDENTITY_ENABLE, cmk_repair_enable_system,
                 "switch the system-assigned identity on and give it its rights"}}};

static bool target_user_identity_is_attached(const CmkWorld *world, const CmkArgs *args,
                                             uint64_t *ret_blame)
{
    CmkArgs question = *args;
    question.ref[CMK_REF_IDENTITY] = target_of(world, args).identity;
    return cmk_guard_user_identity_is_attached.holds(world, &question, ret_blame);
}

const CmkGuard cmk_guard_target_user_identity_is_attached = {
    .name = "target-user-identity-is-attached",
    .holds = target_user_identity_is_attached,
    .status = CMK_STATUS_OF(USER_IDENTITY_NOT_FOUND),
    .rule = "BV-34 BV-41 ERR-6 ERR-M2",
    .text = "The user-assigned identity that the settings are to use exists and is attached.",
    .repairs = CMK_REPAIRS_ATTACH};

static bool settings_have_a_key(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->encryption_by;
    return target_of(world, args).key != 0;
}

/* No key is no key that could be used (9.4, step 5). */
const CmkGuard cmk_guard_settings_have_a_key = {
    .name = "settings-have-a-key",
    .holds = settings_have_a_key,
    .status = CMK_STATUS_OF(AUTH_FAILURE),
    .rule = "BV-41 ERR-2",
    .text = "The settings name a key already, or the update does."};

static bool regions_match(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKeyStore store = cmk_key_store_of(world, (CmkKeyId){target_of(world, args).key});
    const bool is_there = cmk_backup_vault_of(world, args)->state == CMK_BACKUP_VAULT_ACTIVE;
    const uint32_t region =
        is_there ? cmk_backup_vault_of(world, args)->region : args->ref[CMK_REF_REGION];
    *ret_blame = store.changed_by;
    return cmk_knob(world, CMK_KNOB_REQUIRE_SAME_REGION) == 0 || store.region.i == region ||
           store.second_region.i == region || target_of(world, args).key == 0;
}

const CmkGuard cmk_guard_regions_match = {
    .name = "regions-match",
    .holds = regions_match,
    .status = CMK_STATUS_OF(REGION_MISMATCH),
    .rule = "REL-16 OQ-12",
    .text = "Key vault and Backup vault are in one region, where that is required."};

static bool settings_are_not_being_updated(const CmkWorld *world, const CmkArgs *args,
                                           uint64_t *ret_blame)
{
    (void)ret_blame;
    const uint32_t provisioning = cmk_backup_vault_of(world, args)->provisioning;
    return provisioning != CMK_PROVISIONING_UPDATING && provisioning != CMK_PROVISIONING_DELETING;
}

const CmkGuard cmk_guard_settings_are_not_being_updated = {
    .name = "settings-are-not-being-updated",
    .holds = settings_are_not_being_updated,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "BV-12",
    .text = "No update of the encryption settings and no deletion is on its way."};

uint32_t cmk_encryption_start(CmkSim *sim, const CmkArgs *args, CmkProvisioning provisioning)
{
    const CmkBackupVaultId vault = {args->ref[CMK_REF_BACKUP_VAULT]};
    const Target target = target_of(sim->world, args);
    const CmkTaskId id = cmk_task_start(sim, args, CMK_TASK_SETTINGS, vault);
    cmk_backup_vault_mut(sim, vault)->provisioning = provisioning;
    CmkTask *task = cmk_task_mut(sim, id);
    task->target_key = target.key;
    task->target_version = target.version;
    task->target_pinned = target.pinned != 0;
    task->target_identity = target.identity;
    task->target_principal =
        target.identity != 0 ? cmk_identity(sim->world, (CmkIdentityId){target.identity})->principal
                             : cmk_backup_vault(sim->world, vault)->system_principal;
    return id.i;
}

static uint32_t backup_vault_update_encryption(CmkSim *sim, const CmkArgs *args)
{
    return cmk_encryption_start(sim, args, CMK_PROVISIONING_UPDATING);
}

const CmkOperation cmk_op_backup_vault_update_encryption = {
    .name = "backup_vault.update_encryption",
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .text = "The encryption settings of a Backup vault are set: key, identity, or the same again.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"key", CMK_PARAM_KEY_TARGET, 0, 0, CMK_REF_KEY},
               {"identity", CMK_PARAM_USER_OR_SYSTEM, 0, 0, CMK_REF_IDENTITY},
               {"state", CMK_PARAM_ENCRYPTION, 1, 0, 0},
               {"infrastructure", CMK_PARAM_BOOLEAN, 1, 0, 1}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_EXISTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_SETTINGS_ARE_NOT_BEING_UPDATED, CMK_GUARD_ENCRYPTION_IS_NOT_TURNED_OFF,
               CMK_GUARD_INCONSISTENT_IS_NOT_ASKED_FOR, CMK_GUARD_INFRASTRUCTURE_STAYS,
               CMK_GUARD_KEY_OR_IDENTITY_CHANGES_ALONE, CMK_GUARD_TARGET_SYSTEM_IDENTITY_IS_ON,
               CMK_GUARD_TARGET_USER_IDENTITY_IS_ATTACHED, CMK_GUARD_SETTINGS_HAVE_A_KEY,
               CMK_GUARD_USER_IDENTITY_MEETS_OPEN_KEY_VAULT,
               CMK_GUARD_USER_IDENTITY_MEETS_NO_PRIVATE_ENDPOINT, CMK_GUARD_REGIONS_MATCH},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(TASK) | CMK_BIT_TIMERS,
    .effect = backup_vault_update_encryption,
    .rules = "BV-12 BV-18 BV-19 BV-33 BV-35 BV-37 BV-38 BV-41 MI-19 KV-6 OQ-20 OQ-31",
    .action = "Microsoft.DataProtection/backupVaults/write",
    .az = "az dataprotection backup-vault update",
};

/* ---- updating the settings: after the key was read (9.4, steps 9 to 12) ---------------------- */

static CmkKeyStore target_store(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_key_store_of(world, (CmkKeyId){cmk_task_of(world, args)->target_key});
}

static bool key_is_rsa(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkVersion *version =
        cmk_version(world, (CmkVersionId){cmk_task_of(world, args)->target_version});
    *ret_blame = version->changed_by;
    return cmk_key_type_is_rsa(version->type); /* which have no other sizes (KV-2) */
}

const CmkGuard cmk_guard_key_is_rsa = {.name = "key-is-rsa",
                                       .holds = key_is_rsa,
                                       .status = CMK_STATUS_OF(MISSING_PERMISSION),
                                       .rule = "KV-5 BV-36 BV-41 ERR-1 ERR-M8",
                                       .text =
                                           "The key is RSA or RSA-HSM of 2048, 3072 or 4096 bits."};

/* Backup sees it with the key, without rights on the key vault itself (BV-40, KV-27). */
static CmkRecoveryLevel target_recovery_level(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_key_recovery_level(world, (CmkKeyId){cmk_task_of(world, args)->target_key});
}

static bool soft_delete_is_on(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = target_store(world, args).changed_by;
    return cmk_recovery_level_has_soft_delete(target_recovery_level(world, args));
}

const CmkGuard cmk_guard_soft_delete_is_on = {
    .name = "soft-delete-is-on",
    .holds = soft_delete_is_on,
    .status = CMK_STATUS_OF(SOFT_DELETE_NOT_ENABLED),
    .rule = "SD-4 BV-39 BV-42 ERR-3 ERR-M11 KV-27 KV-28",
    .text = "The key vault has soft delete, as every Managed HSM."};

static bool purge_protection_is_on(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKeyStore store = target_store(world, args);
    *ret_blame = store.changed_by;
    const bool is_spared = store.managed_hsm.i != 0 &&
                           cmk_knob(world, CMK_KNOB_HSM_NEEDS_PURGE_PROTECTION) == 0; /* OQ-23 */
    return is_spared || cmk_recovery_level_has_purge_protection(target_recovery_level(world, args));
}

const CmkGuard cmk_guard_purge_protection_is_on = {
    .name = "purge-protection-is-on",
    .holds = purge_protection_is_on,
    .status = CMK_STATUS_OF(PURGE_PROTECTION_NOT_ENABLED),
    .rule = "SD-4 BV-39 ERR-4 ERR-M11 KV-27 KV-28 OQ-23",
    .text = "The key vault or HSM has purge protection."};

static bool target_version_is_usable(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    const CmkVersion *version =
        cmk_version(world, (CmkVersionId){cmk_task_of(world, args)->target_version});
    *ret_blame = version->changed_by;
    return cmk_version_is_usable(world, version);
}

/* The version that the settings are to use, as if the refused operation had named it. */
static CmkArgs naming_target(const CmkWorld *world, const CmkArgs *refused)
{
    const CmkTask *task = cmk_task_of(world, refused);
    CmkArgs named = *refused;
    named.ref[CMK_REF_VERSION] = task->target_version;
    cmk_key_store_refer(world, (CmkKeyId){task->target_key}, &named);
    return named;
}

static bool enable_target(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkArgs named = naming_target(world, refused);
    return cmk_repair_enable_version(world, &named, ret);
}

static bool extend_target(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkArgs named = naming_target(world, refused);
    return cmk_repair_extend_version(world, &named, ret);
}

const CmkGuard cmk_guard_target_version_is_usable = {
    .name = "target-version-is-usable",
    .holds = target_version_is_usable,
    .status = CMK_STATUS_OF(AUTH_FAILURE),
    .rule = "BV-36 BV-41 ERR-2 ERR-M9 ERR-M10",
    .text = "The key version is enabled and inside its validity.",
    .repairs = {{CMK_OP_KEY_UPDATE, enable_target, "enable the key version again"},
                {CMK_OP_KEY_UPDATE, extend_target, "move the validity of the key version"}}};

static uint32_t encryption_validate(CmkSim *sim, const CmkArgs *args)
{
    (void)sim;
    return args->ref[CMK_REF_TASK];
}

const CmkOperation cmk_op_encryption_validate = {
    .name = "encryption.validate",
    .text = "Backup checks what it read about the key and its key vault.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT}},
    .guards = {CMK_GUARD_BACKUP_SERVICE_WORKS, CMK_GUARD_KEY_IS_RSA, CMK_GUARD_SOFT_DELETE_IS_ON,
               CMK_GUARD_PURGE_PROTECTION_IS_ON, CMK_GUARD_TARGET_VERSION_IS_USABLE},
    .effect = encryption_validate,
    .rules = "BV-36 BV-39 BV-40 BV-41 BV-42",
};

/* ---- committing ------------------------------------------------------------------------------ */

static void unlink_from_key(CmkSim *sim, CmkBackupVaultId id, CmkKeyId key_id)
{
    const CmkWorld *world = sim->world;
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    CmkBackupVaultId before = {0}; /* in the list of the key's users; 0: none, it is the first */
    CmkBackupVaultId at = {cmk_key(world, key_id)->first_user};
    while (at.i != id.i) {
        before = at;
        at.i = cmk_backup_vault(world, at)->next_of_key;
        CMK_ASSERT(at.i != 0); /* whoever names a key is in its list */
    }
    if (before.i == 0) {
        cmk_key_mut(sim, key_id)->first_user = vault->next_of_key;
    } else {
        cmk_backup_vault_mut(sim, before)->next_of_key = vault->next_of_key;
    }
    vault->next_of_key = 0;
}

static void link_to_key(CmkSim *sim, CmkBackupVaultId id, CmkKeyId key_id)
{
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    if (vault->key == key_id.i) {
        return;
    }
    if (vault->key != 0) {
        unlink_from_key(sim, id, (CmkKeyId){vault->key});
    }
    CmkKey *key = cmk_key_mut(sim, key_id);
    vault->next_of_key = key->first_user;
    key->first_user = id.i;
    vault->key = key_id.i;
}

bool cmk_encryption_replaces_lost_key(const CmkWorld *world, CmkBackupVaultId id)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, id);
    return vault->key != 0 && cmk_knob(world, CMK_KNOB_LOST_KEY_CAN_BE_REPLACED) != 0 &&
           cmk_version(world, (CmkVersionId){vault->active_version})->is_purged != 0;
}

/* A new data key where the old one is not taken over: it is lost (OQ-29), or stays under the
 * platform's key with the points that it protects (OQ-15). */
static void choose_data_key(CmkSim *sim, CmkBackupVaultId id)
{
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    const bool stays_behind =
        vault->key == 0 && cmk_knob(sim->world, CMK_KNOB_ENABLING_WRAPS_OLD_POINTS) == 0;
    if (stays_behind || cmk_encryption_replaces_lost_key(sim->world, id)) {
        vault->data_key = ++vault->last_data_key;
        vault->dek_known_until = 0;
    }
    if (stays_behind) {
        vault->platform_data_keys = vault->data_key;
    }
}

void cmk_encryption_forget(CmkSim *sim, CmkBackupVaultId id)
{
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    if (vault->key != 0) {
        unlink_from_key(sim, id, (CmkKeyId){vault->key});
    }
    vault->encryption = CMK_ENCRYPTION_DISABLED;
    vault->key = vault->pinned_version = vault->active_version = vault->old_version = 0;
    vault->identity = vault->principal = 0;
    vault->is_broken_by_identity = vault->is_half_rewrapped = 0;
    vault->healing_epoch++;
    vault->data_key = ++vault->last_data_key; /* another vault of this name has another one */
    vault->dek_known_until = 0;
    vault->encryption_by = cmk_this_seq(sim);
}

static bool data_keys_are_rewrapped_wholly(const CmkWorld *world, const CmkArgs *args,
                                           uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->encryption_by;
    return cmk_backup_vault_of(world, args)->is_half_rewrapped == 0;
}

const CmkGuard cmk_guard_data_keys_are_rewrapped_wholly = {
    .name = "data-keys-are-rewrapped-wholly",
    .holds = data_keys_are_rewrapped_wholly,
    .status = CMK_STATUS_OF(AUTH_FAILURE),
    .rule = "OQ-27",
    .text = "No re-wrapping of the vault's data keys has ended half way.",
    .repairs = {{CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION, cmk_repair_update_encryption,
                 "repeat the update of the encryption settings"}}};

/* While an update waits to be tried again its identity may be deleted, whose token still opens the
 * key for a while (MI-8). */
static bool target_identity_is_there(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    const CmkTask *task = cmk_task_of(world, args);
    const CmkIdentity *identity = cmk_identity(world, (CmkIdentityId){task->target_identity});
    *ret_blame = identity->changed_by;
    return task->target_identity == 0 || identity->principal == task->target_principal;
}

const CmkGuard cmk_guard_target_identity_is_there = {
    .name = "target-identity-is-there",
    .holds = target_identity_is_there,
    .status = CMK_STATUS_OF(USER_IDENTITY_NOT_FOUND),
    .rule = "BV-29 BV-38 ERR-6",
    .text =
        "The user-assigned identity that the settings are to use has not been deleted meanwhile.",
    .repairs = CMK_REPAIRS_ATTACH};

static uint32_t encryption_commit(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    const CmkTask task = *cmk_task_of(sim->world, args);
    choose_data_key(sim, id);
    cmk_rotation_take_up(sim, id, (CmkVersionId){task.target_version});
    link_to_key(sim, id, (CmkKeyId){task.target_key});
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    vault->pinned_version = task.target_pinned ? task.target_version : 0;
    vault->identity = task.target_identity;
    vault->principal = task.target_principal;
    vault->state = CMK_BACKUP_VAULT_ACTIVE; /* if it was being made, it is there now (BV-T2) */
    vault->provisioning = CMK_PROVISIONING_SUCCEEDED;
    vault->encryption = CMK_ENCRYPTION_ENABLED;
    vault->is_broken_by_identity = 0;
    vault->healing_epoch++;
    vault->encryption_by = cmk_this_seq(sim);
    cmk_task_complete(sim, (CmkTaskId){args->ref[CMK_REF_TASK]});
    const uint32_t current = cmk_key(sim->world, (CmkKeyId){vault->key})->current_version;
    if (vault->pinned_version == 0 && current != vault->active_version) {
        /* a version made while the update was on its way, which no vault was there to look for */
        cmk_rotation_expect(sim, (CmkKeyId){vault->key}, args);
    }
    return id.i;
}

const CmkOperation cmk_op_encryption_commit = {
    .name = "encryption.commit",
    .text = "The new encryption settings take effect; the data key is wrapped by the new version.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"old_version", CMK_PARAM_INTEGER, 1, 0, 0},
               {"new_version", CMK_PARAM_INTEGER, 1, 0, 1}},
    .guards = {CMK_GUARD_TASK_IS_RUNNING, CMK_GUARD_TARGET_IDENTITY_IS_THERE,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, CMK_GUARD_BACKUP_SERVICE_WORKS},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(KEY) | CMK_BIT(TASK) | CMK_BIT_TIMERS,
    .effect = encryption_commit,
    .rules = "BV-12 BV-T2 BV-T5 BV-T7 BV-T8 BV-T13 BV-T15 BV-33 OQ-15 OQ-29 OQ-30",
};
