#include "analysis/field.h"

#include <string.h>

#include "analysis/name_index.h"
#include "models/backup_policy.h"
#include "models/key.h"
#include "models/managed_hsm.h"

/* Words stand in the order of the enumeration in models/entities.h. */
const char *const cmk_words_encryption[] = {"Disabled", "Enabled", "Inconsistent", NULL};
const char *const cmk_words_tier[] = {"operational", "vault", "archive", NULL};
const char *const cmk_words_redundancy[] = {"local", "zone", "geo", NULL};
static const char *const words_presence[] = {"Absent", "Active", NULL};
static const char *const words_provisioning[] = {"None",      "Provisioning", "Updating",
                                                 "Succeeded", "Failed",       NULL};
#define INSTANCE_WORD(id, name) [CMK_INSTANCE_##id] = (name),
/* clang-format off */
static const char *const words_instance[] = {
    [CMK_INSTANCE_ABSENT] = CMK_INSTANCE_NOT_PROTECTED,
    CMK_INSTANCE_STATES(INSTANCE_WORD)
    [CMK_INSTANCE__COUNT] = NULL};
/* clang-format on */
static const char *const words_key[] = {"Absent",   "Active",     "Deleted", "Purged",
                                        "Deleting", "Recovering", NULL};
static const char *const words_region[] = {"Up",         "Lost",        "FailingOver",
                                           "FailedOver", "FailingBack", NULL};
static const char *const words_key_vault[] = {"Absent", "Active", "Deleted", "Purged", NULL};
static const char *const words_recovery[] = {"Purgeable",
                                             "Recoverable+Purgeable",
                                             "Recoverable",
                                             "CustomizedRecoverable+Purgeable",
                                             "CustomizedRecoverable",
                                             NULL};
_Static_assert(CMK_ARRAY_LEN(words_recovery) == CMK_RECOVERY__COUNT + 1, "one word a level");
static const char *const words_key_type[] = {"RSA", "RSA-HSM", "EC", "EC-HSM", "oct-HSM", NULL};
static const char *const words_permissions[] = {"rbac", "policy", NULL};
static const char *const words_secret[] = {"Absent", "Active", "Deleted", NULL};
static const char *const words_soft_delete[] = {"on", "off", "always_on", NULL};
static const char *const words_immutability[] = {"Disabled", "Unlocked", "Locked", NULL};
static const char *const words_cross_subscription[] = {"Enabled", "Disabled", "PermanentlyDisabled",
                                                       NULL};
static const char *const words_sku[] = {"standard", "premium", NULL};
static const char *const words_public_access[] = {"Enabled", "Disabled", "SecuredByPerimeter",
                                                  NULL};
static const char *const words_default_action[] = {"Allow", "Deny", NULL};
static const char *const words_bypass[] = {"AzureServices", "None", NULL};
_Static_assert(CMK_ARRAY_LEN(words_public_access) == CMK_PUBLIC_ACCESS__COUNT + 1 &&
                   CMK_ARRAY_LEN(words_default_action) == CMK_DEFAULT_ACTION__COUNT + 1 &&
                   CMK_ARRAY_LEN(words_bypass) == CMK_BYPASS__COUNT + 1,
               "each network setting has its words");

_Static_assert(CMK_REGION__COUNT == 5, "each state of a region has a word");
_Static_assert(CMK_KEY_PURGED == 3 && CMK_KEY_RECOVERING == 5, "each state of a key has a word");
_Static_assert(CMK_ENCRYPTION_INCONSISTENT == 2, "each state of the settings has a word");

#define OF(word_list)                                                                              \
    {                                                                                              \
        .kind = CMK_VALUE_WORD, .words = (word_list)                                               \
    }
#define NAME_OF(kind_text)                                                                         \
    {                                                                                              \
        .kind = CMK_VALUE_NAME, .names = (kind_text)                                               \
    }
#define PLAIN(kind_id)                                                                             \
    {                                                                                              \
        .kind = CMK_VALUE_##kind_id                                                                \
    }

/* A field that is a member of the row. */
#define MEMBER(function, accessor, handle, member)                                                 \
    static int64_t function(const CmkWorld *world, uint32_t row)                                   \
    {                                                                                              \
        return (int64_t)cmk_##accessor(world, (handle){row})->member;                              \
    }

/* ---- Backup vaults --------------------------------------------------------------------------- */

MEMBER(vault_state, backup_vault, CmkBackupVaultId, state)
MEMBER(vault_redundancy, backup_vault, CmkBackupVaultId, redundancy)
MEMBER(vault_region, backup_vault, CmkBackupVaultId, region)
MEMBER(vault_key, backup_vault, CmkBackupVaultId, key)
MEMBER(vault_cross_region_restore, backup_vault, CmkBackupVaultId, has_cross_region_restore)
MEMBER(vault_infrastructure, backup_vault, CmkBackupVaultId, has_infrastructure_encryption)

MEMBER(vault_soft_delete, backup_vault, CmkBackupVaultId, soft_delete)
MEMBER(vault_soft_delete_retention, backup_vault, CmkBackupVaultId, soft_delete_days *CMK_DAY_US)
MEMBER(vault_immutability, backup_vault, CmkBackupVaultId, immutability)
MEMBER(vault_cross_subscription, backup_vault, CmkBackupVaultId, cross_subscription)
MEMBER(vault_resource_guard, backup_vault, CmkBackupVaultId, resource_guard)

/* A vault that is not there has no settings, not even those with the platform's keys. */
static int64_t vault_encryption(const CmkWorld *world, uint32_t row)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){row});
    return vault->state == CMK_BACKUP_VAULT_ABSENT ? CMK_VALUE_NONE : vault->encryption;
}

/* Index of words_provisioning (BV-12). */
static int64_t vault_provisioning(const CmkWorld *world, uint32_t row)
{
    switch ((CmkProvisioning)cmk_backup_vault(world, (CmkBackupVaultId){row})->provisioning) {
    case CMK_PROVISIONING_NONE:
        return 0;
    case CMK_PROVISIONING_CREATING:
        return 1;
    case CMK_PROVISIONING_UPDATING:
    case CMK_PROVISIONING_MOVING:
    case CMK_PROVISIONING_DELETING:
        return 2;
    case CMK_PROVISIONING_SUCCEEDED:
        return 3;
    case CMK_PROVISIONING_FAILED:
        return 4;
    }
    CMK_ASSERT(false);
    return 0;
}

static int64_t vault_identity(const CmkWorld *world, uint32_t row)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){row});
    if (vault->encryption == CMK_ENCRYPTION_DISABLED)
        return CMK_NAME_NONE;
    return vault->identity == 0 ? CMK_NAME_SYSTEM : vault->identity;
}

static int64_t number_of_version(const CmkWorld *world, uint32_t version)
{
    return version == 0 ? CMK_VALUE_NONE : cmk_version(world, (CmkVersionId){version})->number;
}

static int64_t vault_key_version(const CmkWorld *world, uint32_t row)
{
    return number_of_version(world,
                             cmk_backup_vault(world, (CmkBackupVaultId){row})->active_version);
}

static int64_t vault_pinned_version(const CmkWorld *world, uint32_t row)
{
    return number_of_version(world,
                             cmk_backup_vault(world, (CmkBackupVaultId){row})->pinned_version);
}

static int64_t vault_old_version(const CmkWorld *world, uint32_t row)
{
    return number_of_version(world, cmk_backup_vault(world, (CmkBackupVaultId){row})->old_version);
}

static int64_t vault_has_system(const CmkWorld *world, uint32_t row)
{
    return cmk_backup_vault(world, (CmkBackupVaultId){row})->system_principal != 0;
}

static int64_t vault_gauge(const CmkWorld *world, uint32_t row, CmkGaugeKind kind)
{
    return cmk_gauge(world, (CmkBackupVaultId){(row - 1) * CMK_GAUGE__COUNT + kind + 1})->level;
}

MEMBER(vault_private_endpoints, backup_vault, CmkBackupVaultId, private_endpoint_count)

static int64_t vault_operational_bytes(const CmkWorld *world, uint32_t row)
{
    return vault_gauge(world, row, CMK_GAUGE_OPERATIONAL);
}

static int64_t vault_vault_bytes(const CmkWorld *world, uint32_t row)
{
    return vault_gauge(world, row, CMK_GAUGE_VAULT);
}

static int64_t vault_archive_bytes(const CmkWorld *world, uint32_t row)
{
    return vault_gauge(world, row, CMK_GAUGE_ARCHIVE);
}

static int64_t vault_overdue_bytes(const CmkWorld *world, uint32_t row)
{
    return vault_gauge(world, row, CMK_GAUGE_OVERDUE_SNAPSHOTS) +
           vault_gauge(world, row, CMK_GAUGE_OVERDUE_VAULT) +
           vault_gauge(world, row, CMK_GAUGE_OVERDUE_ARCHIVE);
}

static int64_t vault_policies(const CmkWorld *world, uint32_t row)
{
    const CmkBackupVaultId vault = {row};
    int64_t count = 0;
    CmkVaultPolicyId id = cmk_vault_policy_after(world, vault, (CmkVaultPolicyId){0});
    for (; id.i != 0; id = cmk_vault_policy_after(world, vault, id))
        count++;
    return count;
}

static int64_t vault_deleted(const CmkWorld *world, uint32_t row)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){row});
    return vault->deleted_from == 0 ? CMK_VALUE_NONE : vault->deleted_at;
}

static int64_t vault_scheduled_purge(const CmkWorld *world, uint32_t row)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){row});
    return vault->deleted_from == 0 ? CMK_VALUE_NONE : vault->deleted_purge_at;
}

static const CmkStateField vault_fields[] = {
    {"state", OF(words_presence), CMK_BIT(BACKUP_VAULT), vault_state,
     "whether it has been created"},
    {"provisioning", OF(words_provisioning), CMK_BIT(BACKUP_VAULT), vault_provisioning,
     "what is going on with it: while it moves or is being deleted it is Updating"},
    {"encryption", OF(cmk_words_encryption), CMK_BIT(BACKUP_VAULT), vault_encryption,
     "state of the encryption settings; Disabled means platform-managed keys, nothing that there "
     "is "
     "no vault"},
    {"region", NAME_OF("region"), CMK_BIT(BACKUP_VAULT), vault_region, "where it is"},
    {"redundancy", OF(cmk_words_redundancy), CMK_BIT(BACKUP_VAULT), vault_redundancy,
     "how often data is kept"},
    {"identity", NAME_OF("identity"), CMK_BIT(BACKUP_VAULT), vault_identity,
     "identity of the encryption settings, `system` for the system-assigned one"},
    {"key", NAME_OF("key"), CMK_BIT(BACKUP_VAULT), vault_key, "key of the encryption settings"},
    {"key_version", PLAIN(INTEGER), CMK_BIT(BACKUP_VAULT), vault_key_version,
     "number of the version that the data key is wrapped with"},
    {"pinned_version", PLAIN(INTEGER), CMK_BIT(BACKUP_VAULT), vault_pinned_version,
     "number of the version that the settings name, nothing if they name none"},
    {"old_version", PLAIN(INTEGER), CMK_BIT(BACKUP_VAULT), vault_old_version,
     "number of the version that was left and the next backup needs too, nothing if none is"},
    {"infrastructure_encryption", PLAIN(BOOLEAN), CMK_BIT(BACKUP_VAULT), vault_infrastructure,
     "whether there is a second layer of encryption"},
    {"cross_region_restore", PLAIN(BOOLEAN), CMK_BIT(BACKUP_VAULT), vault_cross_region_restore,
     "whether points can be restored in the pair"},
    {"cross_subscription_restore", OF(words_cross_subscription), CMK_BIT(BACKUP_VAULT),
     vault_cross_subscription, "whether restores may go to other subscriptions"},
    {"soft_delete", OF(words_soft_delete), CMK_BIT(BACKUP_VAULT), vault_soft_delete,
     "whether deleted backup data can be taken back"},
    {"soft_delete_retention", PLAIN(DURATION), CMK_BIT(BACKUP_VAULT), vault_soft_delete_retention,
     "how long deleted backup data is kept"},
    {"immutability", OF(words_immutability), CMK_BIT(BACKUP_VAULT), vault_immutability,
     "whether points stay until they expire"},
    {"resource_guard", NAME_OF("resource_guard"), CMK_BIT(BACKUP_VAULT), vault_resource_guard,
     "the resource guard whose consent critical operations need, `none` if there is none"},
    {"system_identity", PLAIN(BOOLEAN), CMK_BIT(BACKUP_VAULT), vault_has_system,
     "whether the system-assigned identity is on"},
    {"policies", PLAIN(INTEGER), CMK_BIT(BACKUP_VAULT) | CMK_BIT(VAULT_POLICY), vault_policies,
     "backup policies that are in it"},
    {"deleted", PLAIN(INSTANT), CMK_BIT(BACKUP_VAULT), vault_deleted,
     "when the last vault of this name was deleted, nothing unless that is still listed"},
    {"scheduled_purge", PLAIN(INSTANT), CMK_BIT(BACKUP_VAULT), vault_scheduled_purge,
     "until when that is listed"},
    {"private_endpoints", PLAIN(INTEGER), CMK_BIT(BACKUP_VAULT), vault_private_endpoints,
     "subnets that are connected to it"},
    {"operational_bytes", PLAIN(SIZE), CMK_BIT(GAUGE), vault_operational_bytes,
     "data in snapshots"},
    {"vault_bytes", PLAIN(SIZE), CMK_BIT(GAUGE), vault_vault_bytes, "data in the vault tier"},
    {"archive_bytes", PLAIN(SIZE), CMK_BIT(GAUGE), vault_archive_bytes, "data in the archive tier"},
    {"overdue_bytes", PLAIN(SIZE), CMK_BIT(GAUGE), vault_overdue_bytes,
     "data kept past its expiry, in both tiers"},
};

/* ---- key vaults and keys --------------------------------------------------------------------- */

MEMBER(key_vault_state, key_vault, CmkKeyVaultId, state)
MEMBER(key_vault_region, key_vault, CmkKeyVaultId, region)
MEMBER(key_vault_permissions, key_vault, CmkKeyVaultId, permission_model)
MEMBER(key_vault_soft_delete, key_vault, CmkKeyVaultId, has_soft_delete)
MEMBER(key_vault_purge_protection, key_vault, CmkKeyVaultId, has_purge_protection)
MEMBER(key_vault_sku, key_vault, CmkKeyVaultId, sku)
MEMBER(key_vault_taken, key_vault, CmkKeyVaultId, taken_ppm)

static int64_t key_vault_throttled(const CmkWorld *world, uint32_t row)
{
    return key_vault_taken(world, row) == CMK_SHARE_ALL;
}

/* Of what is in its own table in this row. */
static const CmkRuleSet *key_vault_rules(const CmkWorld *world, uint32_t row)
{
    const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){row});
    return cmk_rule_set(world, (CmkRuleSetId){vault->rule_set});
}

static const CmkRuleSet *managed_hsm_rules(const CmkWorld *world, uint32_t row)
{
    const CmkManagedHsm *hsm = cmk_managed_hsm(world, (CmkManagedHsmId){row});
    return cmk_rule_set(world, (CmkRuleSetId){hsm->rule_set});
}

static int64_t rules_in_force(const CmkWorld *world, uint32_t first)
{
    int64_t count = 0;
    for (uint32_t rule = first; rule != 0;
         rule = cmk_network_rule(world, (CmkNetworkRuleId){rule})->next_of_set)
        count += cmk_network_rule(world, (CmkNetworkRuleId){rule})->is_in_force;
    return count;
}

static int64_t approved_endpoints(const CmkWorld *world, uint32_t first)
{
    int64_t count = 0;
    for (uint32_t row = first; row != 0;
         row = cmk_private_endpoint(world, (CmkPrivateEndpointId){row})->next)
        count += cmk_private_endpoint(world, (CmkPrivateEndpointId){row})->state ==
                 CMK_ENDPOINT_APPROVED;
    return count;
}

#define OF_RULE_SET(store, name, value)                                                            \
    static int64_t store##_##name(const CmkWorld *world, uint32_t row)                             \
    {                                                                                              \
        const CmkRuleSet *set = store##_rules(world, row);                                         \
        return value;                                                                              \
    }
#define OF_RULE_SETS(store)                                                                        \
    OF_RULE_SET(store, public_access, set->public_access)                                          \
    OF_RULE_SET(store, default_action, set->default_action)                                        \
    OF_RULE_SET(store, bypass, set->bypass)                                                        \
    OF_RULE_SET(store, network_rules, rules_in_force(world, set->first_rule))                      \
    OF_RULE_SET(store, private_endpoints, approved_endpoints(world, set->first_private_endpoint))
OF_RULE_SETS(key_vault)
OF_RULE_SETS(managed_hsm)

/* What is told of the networks of either, in the same words. */
#define NETWORK_FIELDS(store)                                                                      \
    {"public_access", OF(words_public_access), CMK_BIT(RULE_SET), store##_public_access,           \
     "whether it can be reached from the internet at all"},                                        \
        {"default_action", OF(words_default_action), CMK_BIT(RULE_SET), store##_default_action,    \
         "what its firewall does with networks that it has no rule for"},                          \
        {"bypass", OF(words_bypass), CMK_BIT(RULE_SET), store##_bypass,                            \
         "which services pass its firewall"},                                                      \
        {"network_rules", PLAIN(INTEGER), CMK_BIT(RULE_SET) | CMK_BIT(NETWORK_RULE),               \
         store##_network_rules, "rules of its firewall and its perimeter"},                        \
    {                                                                                              \
        "private_endpoints", PLAIN(INTEGER), CMK_BIT(RULE_SET) | CMK_BIT(PRIVATE_ENDPOINT),        \
            store##_private_endpoints, "subnets that are connected and approved"                   \
    }

MEMBER(key_vault_refused, key_vault_meter, CmkKeyVaultId, refused)

static int64_t key_vault_retention(const CmkWorld *world, uint32_t row)
{
    return cmk_key_vault(world, (CmkKeyVaultId){row})->retention_days * CMK_DAY_US;
}

static int64_t key_vault_requests(const CmkWorld *world, uint32_t row)
{
    const CmkKeyVaultMeter *meter = cmk_key_vault_meter(world, (CmkKeyVaultId){row});
    return meter->requests_2048 + meter->requests_other;
}

static const CmkStateField key_vault_fields[] = {
    {"state", OF(words_key_vault), CMK_BIT(KEY_VAULT), key_vault_state,
     "whether it has been created"},
    {"region", NAME_OF("region"), CMK_BIT(KEY_VAULT), key_vault_region, "where it is"},
    {"permission_model", OF(words_permissions), CMK_BIT(KEY_VAULT), key_vault_permissions,
     "who decides: role assignments or access policies"},
    {"soft_delete", PLAIN(BOOLEAN), CMK_BIT(KEY_VAULT), key_vault_soft_delete,
     "whether deleted keys can be recovered"},
    {"purge_protection", PLAIN(BOOLEAN), CMK_BIT(KEY_VAULT), key_vault_purge_protection,
     "whether nobody can purge before the retention ends"},
    {"retention", PLAIN(DURATION), CMK_BIT(KEY_VAULT), key_vault_retention,
     "how long deleted keys are kept"},
    {"sku", OF(words_sku), CMK_BIT(KEY_VAULT), key_vault_sku, "its tier"},
    {"throttled", PLAIN(BOOLEAN), CMK_BIT(KEY_VAULT), key_vault_throttled,
     "whether somebody else takes all its requests"},
    {"taken_by_others", PLAIN(SHARE), CMK_BIT(KEY_VAULT), key_vault_taken,
     "the share of its requests that somebody else takes"},
    NETWORK_FIELDS(key_vault),
    {"requests", PLAIN(INTEGER), CMK_BIT(KEY_VAULT_METER), key_vault_requests,
     "requests on keys that were billed"},
    {"refused", PLAIN(INTEGER), CMK_BIT(KEY_VAULT_METER), key_vault_refused,
     "requests on keys that were refused"},
};

/* ---- Managed HSMs ---- */

static const char *const words_managed_hsm[] = {"Absent",  "NotActivated", "Active",
                                                "Deleted", "Purged",       NULL};
_Static_assert(CMK_MANAGED_HSM_PROVISIONED == 1 && CMK_MANAGED_HSM_PURGED == 4,
               "each state of a Managed HSM has a word");
/* HSM-5, of the names that last: everything but an extension is over in no time. */
static const char *const words_hsm_provisioning[] = {"None",     "Succeeded", "Activated",
                                                     "Updating", "Deleting",  NULL};

MEMBER(managed_hsm_state, managed_hsm, CmkManagedHsmId, state)
MEMBER(managed_hsm_region, managed_hsm, CmkManagedHsmId, region)
MEMBER(managed_hsm_purge_protection, managed_hsm, CmkManagedHsmId, has_purge_protection)
MEMBER(managed_hsm_key_count, managed_hsm, CmkManagedHsmId, key_count)
MEMBER(managed_hsm_requests, managed_hsm_meter, CmkManagedHsmId, requests)
MEMBER(managed_hsm_refused, managed_hsm_meter, CmkManagedHsmId, refused)
MEMBER(managed_hsm_longest_wait, managed_hsm_meter, CmkManagedHsmId, longest_us)

static int64_t managed_hsm_provisioning(const CmkWorld *world, uint32_t row)
{
    const CmkManagedHsmId id = {row};
    const CmkManagedHsm *hsm = cmk_managed_hsm(world, id);
    switch ((CmkManagedHsmState)hsm->state) {
    case CMK_MANAGED_HSM_ABSENT:
    case CMK_MANAGED_HSM_PURGED:
        return 0;
    case CMK_MANAGED_HSM_PROVISIONED:
        return 1;
    case CMK_MANAGED_HSM_ACTIVE:
        return hsm->second_region != 0 && !cmk_managed_hsm_has_second(world, id) ? 3 : 2;
    case CMK_MANAGED_HSM_DELETED:
        return 4;
    }
    CMK_ASSERT(false);
    return 0;
}

static int64_t managed_hsm_second_region(const CmkWorld *world, uint32_t row)
{
    const uint32_t region = cmk_managed_hsm(world, (CmkManagedHsmId){row})->second_region;
    return region != 0 ? region : CMK_NAME_NONE;
}

static int64_t managed_hsm_retention(const CmkWorld *world, uint32_t row)
{
    return cmk_managed_hsm(world, (CmkManagedHsmId){row})->retention_days * CMK_DAY_US;
}

static int64_t managed_hsm_domain_opens(const CmkWorld *world, uint32_t row)
{
    const CmkSecurityDomainId domain = {cmk_managed_hsm(world, (CmkManagedHsmId){row})->domain};
    return cmk_security_domain_opens(world, domain);
}

static const CmkStateField managed_hsm_fields[] = {
    {"state", OF(words_managed_hsm), CMK_BIT(MANAGED_HSM), managed_hsm_state,
     "whether it has been created and activated"},
    {"provisioning", OF(words_hsm_provisioning), CMK_BIT(MANAGED_HSM), managed_hsm_provisioning,
     "its stage as Azure reports it"},
    {"region", NAME_OF("region"), CMK_BIT(MANAGED_HSM), managed_hsm_region, "where it is"},
    {"second_region", NAME_OF("region"), CMK_BIT(MANAGED_HSM), managed_hsm_second_region,
     "the region that it extends to"},
    {"purge_protection", PLAIN(BOOLEAN), CMK_BIT(MANAGED_HSM), managed_hsm_purge_protection,
     "whether nobody can purge before the retention ends"},
    {"retention", PLAIN(DURATION), CMK_BIT(MANAGED_HSM), managed_hsm_retention,
     "how long it and its keys are kept when deleted"},
    {"keys", PLAIN(INTEGER), CMK_BIT(MANAGED_HSM), managed_hsm_key_count,
     "how many keys it holds, deleted ones included"},
    {"domain_opens", PLAIN(BOOLEAN), CMK_BIT(MANAGED_HSM) | CMK_BIT(SECURITY_DOMAIN),
     managed_hsm_domain_opens, "whether a quorum can still open its security domain"},
    NETWORK_FIELDS(managed_hsm),
    {"requests", PLAIN(INTEGER), CMK_BIT(MANAGED_HSM_METER), managed_hsm_requests,
     "requests on keys that were granted"},
    {"refused", PLAIN(INTEGER), CMK_BIT(MANAGED_HSM_METER), managed_hsm_refused,
     "requests on keys that were refused"},
    {"longest_wait", PLAIN(DURATION), CMK_BIT(MANAGED_HSM_METER), managed_hsm_longest_wait,
     "the longest time that anybody had to wait for an answer"},
};

/* ---- keys ---- */

MEMBER(key_state, key, CmkKeyId, state)
MEMBER(key_type, key, CmkKeyId, type)
MEMBER(key_size, key, CmkKeyId, size_bits)
MEMBER(key_version_count, key, CmkKeyId, version_count)

/* ---- versions of keys; row 0 stands for one that there is not ---- */

static int64_t version_number(const CmkWorld *world, uint32_t row)
{
    return row == 0 ? CMK_VALUE_NONE : cmk_version(world, (CmkVersionId){row})->number;
}

MEMBER(version_enabled, version, CmkVersionId, is_enabled)
MEMBER(version_purged, version, CmkVersionId, is_purged)

static int64_t version_expires(const CmkWorld *world, uint32_t row)
{
    const CmkVersion *version = cmk_version(world, (CmkVersionId){row});
    return row == 0 || version->expires == CMK_TIME_MAX ? CMK_VALUE_NONE : version->expires;
}

static int64_t version_not_before(const CmkWorld *world, uint32_t row)
{
    return row == 0 ? CMK_VALUE_NONE : cmk_version(world, (CmkVersionId){row})->not_before;
}

static int64_t version_created(const CmkWorld *world, uint32_t row)
{
    return row == 0 ? CMK_VALUE_NONE : cmk_version(world, (CmkVersionId){row})->created;
}

/* What it is permitted to do (KV-20), whatever state it is in. */
static int64_t version_wraps(const CmkWorld *world, uint32_t row)
{
    return (cmk_version(world, (CmkVersionId){row})->key_ops & CMK_PERMISSION_WRAP) != 0;
}

static int64_t version_unwraps(const CmkWorld *world, uint32_t row)
{
    return (cmk_version(world, (CmkVersionId){row})->key_ops & CMK_PERMISSION_UNWRAP) != 0;
}

#define OF_VERSION(field_name, field_type, function, text)                                         \
    {                                                                                              \
        field_name, PLAIN(field_type), CMK_BIT(KEY) | CMK_BIT(VERSION), function, text             \
    }
static const CmkStateField version_fields[] = {
    OF_VERSION("enabled", BOOLEAN, version_enabled, "whether the version is enabled"),
    OF_VERSION("expires", INSTANT, version_expires, "when it expires, nothing if never"),
    OF_VERSION("not_before", INSTANT, version_not_before, "from when on it is valid"),
    OF_VERSION("created", INSTANT, version_created, "when it was made"),
    OF_VERSION("purged", BOOLEAN, version_purged, "whether its private key is destroyed"),
    OF_VERSION("wraps", BOOLEAN, version_wraps, "whether wrapKey is among its key_ops"),
    OF_VERSION("unwraps", BOOLEAN, version_unwraps, "whether unwrapKey is among its key_ops"),
};

/* The fields of a key that say what its newest version is like. */
#define NEWEST(function, of_version)                                                               \
    static int64_t function(const CmkWorld *world, uint32_t row)                                   \
    {                                                                                              \
        return of_version(world, cmk_key(world, (CmkKeyId){row})->current_version);                \
    }
NEWEST(key_version, version_number)
NEWEST(key_enabled, version_enabled)
NEWEST(key_expires, version_expires)
NEWEST(key_not_before, version_not_before)

static int64_t key_purge_at(const CmkWorld *world, uint32_t row)
{
    const CmkKey *key = cmk_key(world, (CmkKeyId){row});
    return key->state == CMK_KEY_DELETED ? key->purge_at : CMK_VALUE_NONE;
}

static int64_t key_recovery_level(const CmkWorld *world, uint32_t row)
{
    return cmk_key_recovery_level(world, (CmkKeyId){row});
}

static const CmkStateField key_fields[] = {
    {"state", OF(words_key), CMK_BIT(KEY), key_state, "whether it is there"},
    {"enabled", PLAIN(BOOLEAN), CMK_BIT(KEY) | CMK_BIT(VERSION), key_enabled,
     "whether its newest version is enabled"},
    {"version", PLAIN(INTEGER), CMK_BIT(KEY) | CMK_BIT(VERSION), key_version,
     "number of the newest version"},
    {"version_count", PLAIN(INTEGER), CMK_BIT(KEY), key_version_count,
     "how many versions there are"},
    {"expires", PLAIN(INSTANT), CMK_BIT(KEY) | CMK_BIT(VERSION), key_expires,
     "when its newest version expires, nothing if never"},
    {"not_before", PLAIN(INSTANT), CMK_BIT(KEY) | CMK_BIT(VERSION), key_not_before,
     "from when on its newest version is valid"},
    {"purge_at", PLAIN(INSTANT), CMK_BIT(KEY), key_purge_at,
     "when the deleted key is purged, nothing while it is not deleted"},
    {"type", OF(words_key_type), CMK_BIT(KEY), key_type, "the algorithm"},
    {"size", PLAIN(INTEGER), CMK_BIT(KEY), key_size, "its length in bits"},
    {"recovery_level", OF(words_recovery), CMK_BIT(KEY_VAULT) | CMK_BIT(MANAGED_HSM),
     key_recovery_level,
     "what the protection of its key vault or HSM amounts to, as clients read it"},
};

/* ---- the rest -------------------------------------------------------------------------------- */

MEMBER(identity_state, identity, CmkIdentityId, state)
MEMBER(identity_region, identity, CmkIdentityId, region)

static const CmkStateField identity_fields[] = {
    {"state", OF(words_presence), CMK_BIT(IDENTITY), identity_state, "whether it is there"},
    {"region", NAME_OF("region"), CMK_BIT(IDENTITY), identity_region, "where it is"},
};

MEMBER(secret_state, secret, CmkSecretId, state)
MEMBER(secret_enabled, secret, CmkSecretId, is_enabled)

static const CmkStateField secret_fields[] = {
    {"state", OF(words_secret), CMK_BIT(SECRET), secret_state, "whether it is there"},
    {"enabled", PLAIN(BOOLEAN), CMK_BIT(SECRET), secret_enabled, "whether it can be read"},
};

MEMBER(region_state, region, CmkRegionId, state)
MEMBER(region_zone_lost, region, CmkRegionId, is_zone_lost)

static const CmkStateField region_fields[] = {
    {"state", OF(words_region), CMK_BIT(REGION), region_state, "how it fares"},
    {"zone_lost", PLAIN(BOOLEAN), CMK_BIT(REGION), region_zone_lost,
     "whether one of its zones is lost"},
};

static int64_t instance_state(const CmkWorld *world, uint32_t row)
{
    return cmk_instance_shown(world, (CmkInstanceId){row});
}

MEMBER(instance_vault, instance, CmkInstanceId, backup_vault)
MEMBER(instance_datasource, instance, CmkInstanceId, datasource)
MEMBER(instance_policy, instance, CmkInstanceId, policy)
MEMBER(instance_size, instance, CmkInstanceId, size_bytes)

/* An instance has a queue per store, so these loops are short. */
static int64_t instance_points(const CmkWorld *world, uint32_t row)
{
    int64_t count = 0;
    uint32_t queue = cmk_instance(world, (CmkInstanceId){row})->first_queue;
    for (; queue != 0; queue = cmk_queue(world, (CmkQueueId){queue})->next_of_instance)
        count += cmk_queue(world, (CmkQueueId){queue})->point_count;
    return count;
}

static int64_t instance_last_backup(const CmkWorld *world, uint32_t row)
{
    CmkTime last = 0;
    uint32_t queue = cmk_instance(world, (CmkInstanceId){row})->first_queue;
    for (; queue != 0; queue = cmk_queue(world, (CmkQueueId){queue})->next_of_instance)
        last = MAX(last, cmk_queue(world, (CmkQueueId){queue})->last_backup);
    return last == 0 ? CMK_VALUE_NONE : last;
}

static const CmkStateField instance_fields[] = {
    {"state", OF(words_instance), CMK_INSTANCE_SHOWN_BY, instance_state,
     "whether it is protected, and what became of it (BK-23)"},
    {"backup_vault", NAME_OF("backup_vault"), CMK_BIT(INSTANCE), instance_vault,
     "the vault that protects it"},
    {"datasource", NAME_OF("datasource"), CMK_BIT(INSTANCE), instance_datasource, "what it is"},
    {"policy", NAME_OF("policy"), CMK_BIT(INSTANCE), instance_policy, "its backup policy"},
    {"size", PLAIN(SIZE), CMK_BIT(INSTANCE), instance_size, "size of the data it protects"},
    {"points", PLAIN(INTEGER), CMK_BIT(INSTANCE) | CMK_BIT(QUEUE), instance_points,
     "recovery points there are"},
    {"last_backup", PLAIN(INSTANT), CMK_BIT(INSTANCE) | CMK_BIT(QUEUE), instance_last_backup,
     "when the last backup completed, nothing before the first"},
};

static const CmkStateKind kinds[] = {
    {"backup_vault", vault_fields, CMK_ARRAY_LEN(vault_fields)},
    {"key_vault", key_vault_fields, CMK_ARRAY_LEN(key_vault_fields)},
    {"managed_hsm", managed_hsm_fields, CMK_ARRAY_LEN(managed_hsm_fields)},
    {"key", key_fields, CMK_ARRAY_LEN(key_fields)},
    {"secret", secret_fields, CMK_ARRAY_LEN(secret_fields)},
    {"identity", identity_fields, CMK_ARRAY_LEN(identity_fields)},
    {"region", region_fields, CMK_ARRAY_LEN(region_fields)},
    {"instance", instance_fields, CMK_ARRAY_LEN(instance_fields)},
};

const CmkStateKind *cmk_state_kind_of_versions(void)
{
    static const CmkStateKind versions = {"key", version_fields, CMK_ARRAY_LEN(version_fields)};
    return &versions;
}

const CmkStateKind *cmk_state_kinds(size_t *ret_count)
{
    *ret_count = CMK_ARRAY_LEN(kinds);
    return kinds;
}

const CmkStateKind *cmk_state_kind_find(const char *name, size_t length)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(kinds); i++) {
        if (strlen(kinds[i].name) == length && strncmp(kinds[i].name, name, length) == 0)
            return &kinds[i];
    }
    return NULL;
}

const CmkStateField *cmk_state_field_find(const CmkStateKind *kind, const char *name)
{
    for (size_t i = 0; i < kind->count; i++) {
        if (strcmp(kind->fields[i].name, name) == 0)
            return &kind->fields[i];
    }
    return NULL;
}

const char **cmk_state_field_list(const CmkStateKind *kind)
{
    const char **list = g_new0(const char *, kind->count + 1);
    for (size_t i = 0; i < kind->count; i++)
        list[i] = kind->fields[i].name;
    return list;
}
