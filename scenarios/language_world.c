/* The `world` section of the language: the fleet as it is at the start. */
#include "models/envelope.h"
#include "scenarios/language.h"

/* ---- words that only this file needs --------------------------------------------------------- */

static const char *const scope_kind_words[] = {"management_group", "subscription", "resource_group",
                                               NULL};
static const CmkVocabulary scope_kinds = {.what = "a kind of scope", .words = scope_kind_words};
_Static_assert(CMK_SCOPE_MANAGEMENT_GROUP == 0 && CMK_SCOPE_SUBSCRIPTION == 1 &&
                   CMK_SCOPE_RESOURCE_GROUP == 2,
               "word i stands for kind i");

static const char *const sku_words[] = {"standard", "premium", NULL};
const CmkVocabulary cmk_vocabulary_skus = {.what = "a tier of key vaults", .words = sku_words};
_Static_assert(CMK_SKU_STANDARD == 0 && CMK_SKU_PREMIUM == 1, "word i stands for i");

static const char *const network_words[] = {"address_range", "subnet", NULL};
static const CmkVocabulary network_kinds = {.what = "a kind of network", .words = network_words};
_Static_assert(CMK_NETWORK_ADDRESS_RANGE == 0 && CMK_NETWORK_SUBNET == 1, "word i stands for i");

/* NET-3 */
static const char *const access_words[] = {"enabled", "disabled", "secured_by_perimeter", NULL};
const CmkVocabulary cmk_vocabulary_public_access = {.what = "a setting of public access",
                                                    .words = access_words};
static const char *const action_words[] = {"allow", "deny", NULL};
const CmkVocabulary cmk_vocabulary_default_actions = {.what = "a default action",
                                                      .words = action_words};
static const char *const bypass_words[] = {"azure_services", "none", NULL};
const CmkVocabulary cmk_vocabulary_bypasses = {.what = "a bypass", .words = bypass_words};
_Static_assert(CMK_PUBLIC_ACCESS_ENABLED == 0 && CMK_PUBLIC_ACCESS_SECURED_BY_PERIMETER == 2 &&
                   CMK_DEFAULT_ACTION_ALLOW == 0 && CMK_DEFAULT_ACTION_DENY == 1 &&
                   CMK_BYPASS_AZURE_SERVICES == 0 && CMK_BYPASS_NONE == 1,
               "word i stands for i");

/* BV-6 */
static const char *const soft_delete_words[] = {"on", "off", "always_on", NULL};
const CmkVocabulary cmk_vocabulary_soft_delete = {.what = "a setting of soft delete",
                                                  .words = soft_delete_words};
_Static_assert(CMK_SOFT_DELETE_ON == 0 && CMK_SOFT_DELETE_OFF == 1 &&
                   CMK_SOFT_DELETE_ALWAYS_ON == 2,
               "word i stands for i");

#define REGION_DOC "the Azure region, such as westeurope"
#define PRINCIPAL_DOC                                                                              \
    "an identity, a Backup vault for its system-assigned identity, a user or a group"

/* ---- scopes, users, groups ------------------------------------------------------------------- */

/* Lengths of names: those of resource groups, which are the narrowest. */
static const CmkField scope_rows[] = {
    {.name = "name",
     .doc = "the name of a management group, subscription or resource group",
     .type = CMK_FIELD_NAME,
     .is_required = true,
     .offset = offsetof(CmkScopeItem, name),
     .min = 1,
     .max = 90,
     .also = "-_"},
    {.name = "kind",
     .doc = "management_group, subscription or resource_group (AC-9)",
     .type = CMK_FIELD_WORD,
     .is_required = true,
     .offset = offsetof(CmkScopeItem, kind),
     .vocabulary = &scope_kinds},
    {.name = "in",
     .doc = "what it lies in: a resource group in a subscription, that in a management group",
     .type = CMK_FIELD_REFERENCE,
     .offset = offsetof(CmkScopeItem, in),
     .accepts = CMK_PARAM_CONTAINER},
};
static CMK_FIELDS(scope_fields, CmkScopeItem, "a scope", scope_rows);

static const CmkField network_rows[] = {
    {.name = "name",
     .doc = "the name of a network that is let in or asks",
     .type = CMK_FIELD_NAME,
     .is_required = true,
     .offset = offsetof(CmkNetworkItem, name),
     .min = 1,
     .max = 80,
     .also = "-_."},
    {.name = "kind",
     .doc = "address_range, or subnet of a virtual network",
     .type = CMK_FIELD_WORD,
     .is_required = true,
     .offset = offsetof(CmkNetworkItem, kind),
     .vocabulary = &network_kinds},
    {.name = "range",
     .doc =
         "of an address_range: its IPv4 addresses, 203.0.113.0/24; rules take public ones (NET-4)",
     .type = CMK_FIELD_RANGE,
     .offset = offsetof(CmkNetworkItem, range)},
};
static CMK_FIELDS(network_fields, CmkNetworkItem, "a network", network_rows);

static const CmkField user_rows[] = {
    {.name = "name",
     .doc = "the name of a user, who asks for steps with `as`",
     .type = CMK_FIELD_NAME,
     .is_required = true,
     .offset = offsetof(CmkUserItem, name),
     .min = 1,
     .max = 64,
     .also = "-_"},
    {.name = "network",
     .doc = "the network that the user asks from; the open internet if left out",
     .type = CMK_FIELD_REFERENCE,
     .offset = offsetof(CmkUserItem, network),
     .accepts = CMK_PARAM_NETWORK},
};
static CMK_FIELDS(user_fields, CmkUserItem, "a user", user_rows);

static const CmkField group_rows[] = {
    {.name = "name",
     .doc = "the name of a group",
     .type = CMK_FIELD_NAME,
     .is_required = true,
     .offset = offsetof(CmkGroupItem, name),
     .min = 1,
     .max = 64,
     .also = "-_"},
    {.name = "members",
     .doc = "who is in it: users, identities, Backup vaults for their system-assigned identities",
     .type = CMK_FIELD_REFERENCE,
     .is_list = true,
     .offset = offsetof(CmkGroupItem, members),
     .accepts = CMK_PARAM_MEMBER},
};
static CMK_FIELDS(group_fields, CmkGroupItem, "a group", group_rows);

/* ---- key vaults ------------------------------------------------------------------------------ */

#define ROTATION_MAX_US (366 * CMK_DAY_US * 100)
static const CmkField rotation_policy_rows[] = {
    {.name = "rotate_after",
     .doc = "the age at which a version is replaced: 90d",
     .type = CMK_FIELD_DURATION,
     .offset = offsetof(CmkRotationPolicyItem, rotate_after_us),
     .min = 1,
     .max = ROTATION_MAX_US},
    {.name = "rotate_before_expiry",
     .doc = "how long before its expiry a version is replaced, instead of by its age",
     .type = CMK_FIELD_DURATION,
     .offset = offsetof(CmkRotationPolicyItem, rotate_before_expiry_us),
     .min = 1,
     .max = ROTATION_MAX_US},
    {.name = "expiry",
     .doc = "after which time versions expire that are rotated in (ROT-10)",
     .type = CMK_FIELD_DURATION,
     .offset = offsetof(CmkRotationPolicyItem, expiry_us),
     .min = 1,
     .max = ROTATION_MAX_US},
    {.name = "notify_before_expiry",
     .doc = "how long before the expiry of a version people are told",
     .type = CMK_FIELD_DURATION,
     .offset = offsetof(CmkRotationPolicyItem, notify_before_expiry_us),
     .min = 1,
     .max = ROTATION_MAX_US},
    {.name = "notify_after",
     .doc = "the age of a version at which people are told, instead of before its expiry",
     .type = CMK_FIELD_DURATION,
     .offset = offsetof(CmkRotationPolicyItem, notify_after_us),
     .min = 1,
     .max = ROTATION_MAX_US},
};
static CMK_FIELDS(rotation_policy_fields, CmkRotationPolicyItem, "a rotation policy",
                  rotation_policy_rows);

/* Names: KV-9. Sizes are checked where the type is known too (KV-2). */
/* clang-format off */
#define KEY_ROWS(usual_type)                                                                      \
    {.name = "name",                                                                               \
     .doc = "the name of a key",                                                                   \
     .type = CMK_FIELD_NAME,                                                                       \
     .is_required = true,                                                                          \
     .offset = offsetof(CmkKeyItem, name),                                                         \
     .min = 1,                                                                                     \
     .max = 127,                                                                                   \
     .also = "-"},                                                                                 \
    {.name = "type",                                                                               \
     .doc = "the type of the key; Backup takes RSA and RSA-HSM (KV-5)",                            \
     .type = CMK_FIELD_WORD,                                                                       \
     .offset = offsetof(CmkKeyItem, type),                                                         \
     .vocabulary = &cmk_vocabulary_key_types,                                                      \
     .fallback = (usual_type)},                                                                    \
    {.name = "size",                                                                               \
     .doc = "bits: 2048, 3072 or 4096 for RSA, which is 2048 if left out; 128, 192 or 256 for oct", \
     .type = CMK_FIELD_INTEGER,                                                                    \
     .offset = offsetof(CmkKeyItem, size_bits),                                                    \
     .min = 1,                                                                                     \
     .max = 4096},                                                                                 \
    {.name = "curve",                                                                              \
     .doc = "of EC keys: P-256, which it is if left out, P-256K, P-384 or P-521",                  \
     .type = CMK_FIELD_WORD,                                                                       \
     .offset = offsetof(CmkKeyItem, curve),                                                        \
     .vocabulary = &cmk_vocabulary_curves},                                                        \
    {.name = "versions",                                                                           \
     .doc =                                                                                        \
         "how many versions the key has at the start, all alike; the last one is the current one", \
     .type = CMK_FIELD_INTEGER,                                                                    \
     .offset = offsetof(CmkKeyItem, versions),                                                     \
     .min = 1,                                                                                     \
     .max = CMK_KEY_BACKUP_VERSIONS_MAX,                                                           \
     .fallback = "1"},                                                                             \
    {.name = "exists",                                                                             \
     .doc = "false for a name only, under which a step creates a key",                             \
     .type = CMK_FIELD_BOOLEAN,                                                                    \
     .offset = offsetof(CmkKeyItem, does_exist),                                                   \
     .fallback = "true"},                                                                          \
    {.name = "enabled",                                                                            \
     .doc = "whether the key is enabled",                                                          \
     .type = CMK_FIELD_BOOLEAN,                                                                    \
     .offset = offsetof(CmkKeyItem, is_enabled),                                                   \
     .fallback = "true"},                                                                          \
    {.name = "expires",                                                                            \
     .doc = "the moment at which the key expires; never if left out",                              \
     .type = CMK_FIELD_INSTANT,                                                                    \
     .offset = offsetof(CmkKeyItem, expires),                                                      \
     .min = 1},                                                                                    \
    {.name = "not_before",                                                                         \
     .doc = "the moment from which the key is valid; since it was made if left out",               \
     .type = CMK_FIELD_INSTANT,                                                                    \
     .offset = offsetof(CmkKeyItem, not_before),                                                   \
     .min = 1},                                                                                    \
    {.name = "key_ops",                                                                            \
     .doc = "what the key may be used for (KV-20): [wrapKey, unwrapKey]; all that its type can do " \
            "if left out",                                                                         \
     .type = CMK_FIELD_WORD,                                                                       \
     .is_list = true,                                                                              \
     .min_items = 1,                                                                               \
     .offset = offsetof(CmkKeyItem, key_ops),                                                      \
     .vocabulary = &cmk_vocabulary_key_ops},                                                       \
    {.name = "rotation_policy",                                                                    \
     .doc = "when the key vault gives it a new version by itself (ROT-9): {rotate_after: 90d}",    \
     .type = CMK_FIELD_MAP,                                                                        \
     .offset = offsetof(CmkKeyItem, rotation_policy),                                              \
     .fields = &rotation_policy_fields}
/* clang-format on */
static const CmkField key_rows[] = {KEY_ROWS("RSA")};
static const CmkField hsm_key_rows[] = {KEY_ROWS("RSA-HSM")}; /* HSM-1 */
static CMK_FIELDS(key_fields, CmkKeyItem, "a key", key_rows);
static CMK_FIELDS(hsm_key_fields, CmkKeyItem, "a key", hsm_key_rows);

/* Names as those of keys. */
static const CmkField secret_rows[] = {
    {.name = "name",
     .doc = "the name of a secret",
     .type = CMK_FIELD_NAME,
     .is_required = true,
     .offset = offsetof(CmkSecretItem, name),
     .min = 1,
     .max = 127,
     .also = "-"},
    {.name = "exists",
     .doc = "false for a name only, under which a step puts a secret",
     .type = CMK_FIELD_BOOLEAN,
     .offset = offsetof(CmkSecretItem, does_exist),
     .fallback = "true"},
    {.name = "enabled",
     .doc = "whether the secret is enabled",
     .type = CMK_FIELD_BOOLEAN,
     .offset = offsetof(CmkSecretItem, is_enabled),
     .fallback = "true"},
};
static CMK_FIELDS(secret_fields, CmkSecretItem, "a secret", secret_rows);

static const CmkField access_policy_rows[] = {
    {.name = "principal",
     .doc = PRINCIPAL_DOC,
     .type = CMK_FIELD_REFERENCE,
     .is_required = true,
     .offset = offsetof(CmkAccessPolicyItem, principal),
     .accepts = CMK_PARAM_CALLER},
    {.name = "permissions",
     .doc = "what it may do with keys, where Backup needs get, wrapKey and unwrapKey (AC-7), and "
            "with secrets: secrets/get (BK-2)",
     .type = CMK_FIELD_WORD,
     .is_required = true,
     .is_list = true,
     .min_items = 1,
     .offset = offsetof(CmkAccessPolicyItem, permissions),
     .vocabulary = &cmk_vocabulary_permissions},
};
static CMK_FIELDS(access_policy_fields, CmkAccessPolicyItem, "an access policy",
                  access_policy_rows);

static const CmkField network_rules_rows[] = {
    {.name = "public_access",
     .doc = "enabled, disabled, or secured_by_perimeter (NET-3)",
     .type = CMK_FIELD_WORD,
     .offset = offsetof(CmkNetworkRulesItem, public_access),
     .vocabulary = &cmk_vocabulary_public_access,
     .fallback = "enabled"},
    {.name = "default_action",
     .doc = "what the firewall does with networks that it has no rule for: allow or deny",
     .type = CMK_FIELD_WORD,
     .offset = offsetof(CmkNetworkRulesItem, default_action),
     .vocabulary = &cmk_vocabulary_default_actions,
     .fallback = "allow"},
    {.name = "bypass",
     .doc = "azure_services to let trusted services past the firewall (NET-5), or none",
     .type = CMK_FIELD_WORD,
     .offset = offsetof(CmkNetworkRulesItem, bypass),
     .vocabulary = &cmk_vocabulary_bypasses,
     .fallback = "azure_services"},
    {.name = "rules",
     .doc = "the networks that the firewall lets in",
     .type = CMK_FIELD_REFERENCE,
     .is_list = true,
     .offset = offsetof(CmkNetworkRulesItem, rules),
     .accepts = CMK_PARAM_NETWORK},
    {.name = "perimeter_rules",
     .doc = "the networks and subscriptions that the perimeter lets in (NET-6)",
     .type = CMK_FIELD_REFERENCE,
     .is_list = true,
     .offset = offsetof(CmkNetworkRulesItem, perimeter_rules),
     .accepts = CMK_PARAM_NETWORK_OR_SUBSCRIPTION},
    {.name = "private_endpoints",
     .doc = "the subnets that are connected by approved private endpoints",
     .type = CMK_FIELD_REFERENCE,
     .is_list = true,
     .offset = offsetof(CmkNetworkRulesItem, private_endpoints),
     .accepts = CMK_PARAM_NETWORK},
};
static CMK_FIELDS(network_rules_fields, CmkNetworkRulesItem, "`network`", network_rules_rows);

/* Names: KV-8. Retention: SD-1. Permission model: AC-3. */
static const CmkField key_vault_rows[] = {
    {.name = "name",
     .doc = "the name of a key vault",
     .type = CMK_FIELD_NAME,
     .is_required = true,
     .offset = offsetof(CmkKeyVaultItem, name),
     .min = 3,
     .max = 24,
     .also = "-"},
    {.name = "region",
     .doc = REGION_DOC "; of a key vault that exists it has to be said",
     .type = CMK_FIELD_WORD,
     .offset = offsetof(CmkKeyVaultItem, region),
     .vocabulary = &cmk_vocabulary_regions},
    {.name = "exists",
     .doc = "false for a name only, under which a step creates a key vault",
     .type = CMK_FIELD_BOOLEAN,
     .offset = offsetof(CmkKeyVaultItem, does_exist),
     .fallback = "true"},
    {.name = "permission_model",
     .doc = "who decides about access to keys: rbac for role assignments, or access_policy",
     .type = CMK_FIELD_WORD,
     .offset = offsetof(CmkKeyVaultItem, permission_model),
     .vocabulary = &cmk_vocabulary_permission_models,
     .fallback = "rbac"},
    {.name = "purge_protection",
     .doc = "whether a deleted key is kept until its retention ends; Backup asks for it (BV-39)",
     .type = CMK_FIELD_BOOLEAN,
     .offset = offsetof(CmkKeyVaultItem, has_purge_protection),
     .fallback = "false"},
    {.name = "soft_delete",
     .doc = "whether a deleted key can be recovered; Backup asks for it (BV-39)",
     .type = CMK_FIELD_BOOLEAN,
     .offset = offsetof(CmkKeyVaultItem, has_soft_delete),
     .fallback = "true"},
    {.name = "retention_days",
     .doc = "for how many days a deleted key is kept (SD-1)",
     .type = CMK_FIELD_INTEGER,
     .offset = offsetof(CmkKeyVaultItem, retention_days),
     .min = 7,
     .max = 90,
     .fallback = "90"},
    {.name = "sku",
     .doc = "standard, or premium for keys in a hardware module (KV-3)",
     .type = CMK_FIELD_WORD,
     .offset = offsetof(CmkKeyVaultItem, sku),
     .vocabulary = &cmk_vocabulary_skus,
     .fallback = "standard"},
    {.name = "resource_group",
     .doc = "the resource group that it lies in; one without a name if left out (AC-9)",
     .type = CMK_FIELD_REFERENCE,
     .offset = offsetof(CmkKeyVaultItem, resource_group),
     .accepts = CMK_PARAM_RESOURCE_GROUP},
    {.name = "network",
     .doc = "who may reach its keys; everybody if left out (NET-1)",
     .type = CMK_FIELD_MAP,
     .offset = offsetof(CmkKeyVaultItem, network),
     .fields = &network_rules_fields},
    {.name = "keys",
     .doc = "the keys in it",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkKeyVaultItem, keys),
     .fields = &key_fields},
    {.name = "secrets",
     .doc = "the secrets in it: credentials of databases (BK-2)",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkKeyVaultItem, secrets),
     .fields = &secret_fields},
    {.name = "access_policies",
     .doc = "who may use its keys and secrets where the permission model is access_policy",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkKeyVaultItem, access_policies),
     .fields = &access_policy_fields},
};
static CMK_FIELDS(key_vault_fields, CmkKeyVaultItem, "a key vault", key_vault_rows);

/* ---- Managed HSMs ---------------------------------------------------------------------------- */

/* Names: as those of key vaults (HSM-1, HSM-13). Retention: HSM-10. Security domain: HSM-4. */
static const CmkField managed_hsm_rows[] = {
    {.name = "name",
     .doc = "the name of a Managed HSM",
     .type = CMK_FIELD_NAME,
     .is_required = true,
     .offset = offsetof(CmkManagedHsmItem, name),
     .min = 3,
     .max = 24,
     .also = "-"},
    {.name = "region",
     .doc = REGION_DOC "; of a Managed HSM that exists it has to be said",
     .type = CMK_FIELD_WORD,
     .offset = offsetof(CmkManagedHsmItem, region),
     .vocabulary = &cmk_vocabulary_regions},
    {.name = "second_region",
     .doc = "the region that it extends to, if any, which doubles its price (HSM-16, HSM-19)",
     .type = CMK_FIELD_WORD,
     .offset = offsetof(CmkManagedHsmItem, second_region),
     .vocabulary = &cmk_vocabulary_regions},
    {.name = "exists",
     .doc = "false for a name only, under which a step creates a Managed HSM",
     .type = CMK_FIELD_BOOLEAN,
     .offset = offsetof(CmkManagedHsmItem, does_exist),
     .fallback = "true"},
    {.name = "activated",
     .doc = "false for one that is provisioned only: its keys cannot be used (HSM-3)",
     .type = CMK_FIELD_BOOLEAN,
     .offset = offsetof(CmkManagedHsmItem, is_activated),
     .fallback = "true"},
    {.name = "purge_protection",
     .doc = "whether it and its keys are kept until their retention ends; Backup asks for it",
     .type = CMK_FIELD_BOOLEAN,
     .offset = offsetof(CmkManagedHsmItem, has_purge_protection),
     .fallback = "false"},
    {.name = "retention_days",
     .doc = "for how many days a deleted HSM or key is kept (HSM-10)",
     .type = CMK_FIELD_INTEGER,
     .offset = offsetof(CmkManagedHsmItem, retention_days),
     .min = 7,
     .max = 90,
     .fallback = "90"},
    {.name = "domain_keys",
     .doc = "how many people keep a key to its security domain (HSM-4)",
     .type = CMK_FIELD_INTEGER,
     .offset = offsetof(CmkManagedHsmItem, domain_keys),
     .min = 1,
     .max = 1000,
     .fallback = "3"},
    {.name = "domain_quorum",
     .doc = "how many of them it takes to open it: 2 to 10 (HSM-4)",
     .type = CMK_FIELD_INTEGER,
     .offset = offsetof(CmkManagedHsmItem, domain_quorum),
     .min = 1,
     .max = 1000,
     .fallback = "2"},
    {.name = "resource_group",
     .doc = "the resource group that it lies in; one without a name if left out (AC-9)",
     .type = CMK_FIELD_REFERENCE,
     .offset = offsetof(CmkManagedHsmItem, resource_group),
     .accepts = CMK_PARAM_RESOURCE_GROUP},
    {.name = "network",
     .doc = "who may reach its keys; everybody if left out. It has no perimeter (HSM-22)",
     .type = CMK_FIELD_MAP,
     .offset = offsetof(CmkManagedHsmItem, network),
     .fields = &network_rules_fields},
    {.name = "administrators",
     .doc = "users with Managed HSM Administrator in it (HSM-6)",
     .type = CMK_FIELD_REFERENCE,
     .is_list = true,
     .offset = offsetof(CmkManagedHsmItem, administrators),
     .accepts = CMK_PARAM_USER},
    {.name = "keys",
     .doc = "the keys in it, of type RSA-HSM if nothing is said",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkManagedHsmItem, keys),
     .fields = &hsm_key_fields},
};
static CMK_FIELDS(managed_hsm_fields, CmkManagedHsmItem, "a Managed HSM", managed_hsm_rows);

/* ---- identities, grants ---------------------------------------------------------------------- */

/* Names: MI-20. */
static const CmkField identity_rows[] = {
    {.name = "name",
     .doc = "the name of a user-assigned identity",
     .type = CMK_FIELD_NAME,
     .is_required = true,
     .offset = offsetof(CmkIdentityItem, name),
     .min = 3,
     .max = 128,
     .also = "-_",
     .begins_plainly = true},
    {.name = "region",
     .doc = REGION_DOC,
     .type = CMK_FIELD_WORD,
     .is_required = true,
     .offset = offsetof(CmkIdentityItem, region),
     .vocabulary = &cmk_vocabulary_regions},
    {.name = "resource_group",
     .doc = "the resource group that it lies in; one without a name if left out (AC-9)",
     .type = CMK_FIELD_REFERENCE,
     .offset = offsetof(CmkIdentityItem, resource_group),
     .accepts = CMK_PARAM_RESOURCE_GROUP},
};
static CMK_FIELDS(identity_fields, CmkIdentityItem, "an identity", identity_rows);

static const CmkField grant_rows[] = {
    {.name = "principal",
     .doc = PRINCIPAL_DOC,
     .type = CMK_FIELD_REFERENCE,
     .is_required = true,
     .offset = offsetof(CmkGrantItem, principal),
     .accepts = CMK_PARAM_CALLER},
    {.name = "role",
     .doc = "the display name of a role; Backup needs Key Vault Crypto Service Encryption User",
     .type = CMK_FIELD_WORD,
     .is_required = true,
     .offset = offsetof(CmkGrantItem, role),
     .vocabulary = &cmk_vocabulary_roles},
    {.name = "scope",
     .doc = "a key vault, one key as vault/key, or a scope that they lie in (AC-9)",
     .type = CMK_FIELD_REFERENCE,
     .is_required = true,
     .offset = offsetof(CmkGrantItem, scope),
     .accepts = CMK_PARAM_SCOPE},
};
static CMK_FIELDS(grant_fields, CmkGrantItem, "a grant", grant_rows);

/* ---- Backup vaults --------------------------------------------------------------------------- */

static const CmkField encryption_rows[] = {
    {.name = "key",
     .doc = "the key as vault/key, or vault/key/version to pin a version",
     .type = CMK_FIELD_REFERENCE,
     .is_required = true,
     .offset = offsetof(CmkEncryptionItem, key),
     .accepts = CMK_PARAM_KEY_TARGET},
    {.name = "identity",
     .doc = "who opens the key: an identity of the vault, or the word system",
     .type = CMK_FIELD_REFERENCE,
     .is_required = true,
     .offset = offsetof(CmkEncryptionItem, identity),
     .accepts = CMK_PARAM_USER_OR_SYSTEM},
    {.name = "infrastructure",
     .doc = "whether there is a second layer of encryption under a platform key (BV-21)",
     .type = CMK_FIELD_BOOLEAN,
     .offset = offsetof(CmkEncryptionItem, has_infrastructure),
     .fallback = "false"},
};
static CMK_FIELDS(encryption_fields, CmkEncryptionItem, "`encryption`", encryption_rows);

/* What an instance must have besides its name, check_instance() says. */
static const CmkField instance_rows[] = {
    {.name = "name",
     .doc = "the name of a backup instance",
     .type = CMK_FIELD_NAME,
     .is_required = true,
     .offset = offsetof(CmkInstanceItem, name),
     .min = 1,
     .max = 150,
     .also = "-_"},
    {.name = "exists",
     .doc = "false for a name only, under which a step protects something",
     .type = CMK_FIELD_BOOLEAN,
     .offset = offsetof(CmkInstanceItem, does_exist),
     .fallback = "true"},
    {.name = "datasource",
     .doc = "what is backed up, by its name in the Azure command line: AzureDisk",
     .type = CMK_FIELD_WORD,
     .offset = offsetof(CmkInstanceItem, datasource),
     .vocabulary = &cmk_vocabulary_datasources},
    {.name = "size",
     .doc = "how much data it holds: 250 GiB",
     .type = CMK_FIELD_SIZE,
     .offset = offsetof(CmkInstanceItem, size_bytes),
     .min = 1,
     .max = CMK_INSTANCE_BYTES_MAX},
    {.name = "daily_change",
     .doc = "which share of it changes in a day: 2%",
     .type = CMK_FIELD_SHARE,
     .offset = offsetof(CmkInstanceItem, daily_change_ppm),
     .min = 0,
     .max = 1000000},
    {.name = "policy",
     .doc = "the policy that it is backed up by",
     .type = CMK_FIELD_REFERENCE,
     .offset = offsetof(CmkInstanceItem, policy),
     .accepts = CMK_PARAM_POLICY},
    {.name = "secret",
     .doc = "of PostgreSQL: the credentials that its jobs read, as vault/secret (BK-2)",
     .type = CMK_FIELD_REFERENCE,
     .offset = offsetof(CmkInstanceItem, secret),
     .accepts = CMK_PARAM_SECRET},
    {.name = "sample",
     .doc = "size of the sample of its data that is really encrypted for each recovery point",
     .type = CMK_FIELD_SIZE,
     .offset = offsetof(CmkInstanceItem, sample_bytes),
     .min = 1,
     .max = (int64_t)CMK_ENVELOPE_SAMPLE_BYTES_MAX,
     .fallback = "4 KiB"},
};
static CMK_FIELDS(instance_fields, CmkInstanceItem, "a backup instance", instance_rows);

static const CmkField resource_guard_rows[] = {
    {.name = "name",
     .doc = "the name of a resource guard",
     .type = CMK_FIELD_NAME,
     .is_required = true,
     .offset = offsetof(CmkResourceGuardItem, name),
     .min = 1,
     .max = 90,
     .also = "-_"},
    {.name = "resource_group",
     .doc = "the resource group that it lies in, where whoever may consent has a role",
     .type = CMK_FIELD_REFERENCE,
     .offset = offsetof(CmkResourceGuardItem, resource_group),
     .accepts = CMK_PARAM_RESOURCE_GROUP},
    {.name = "excludes",
     .doc = "operations that need no consent: instance.delete, instance.stop_protection, "
            "instance.suspend_backups, instance.change_policy (MUA-2, MUA-6)",
     .type = CMK_FIELD_WORD,
     .is_list = true,
     .min_items = 1,
     .offset = offsetof(CmkResourceGuardItem, excludes),
     .vocabulary = &cmk_vocabulary_excludable},
};
static CMK_FIELDS(resource_guard_fields, CmkResourceGuardItem, "a resource guard",
                  resource_guard_rows);

/* Names: BV-1. Redundancy: BV-2. */
static const CmkField backup_vault_rows[] = {
    {.name = "name",
     .doc = "the name of a Backup vault",
     .type = CMK_FIELD_NAME,
     .is_required = true,
     .offset = offsetof(CmkBackupVaultItem, name),
     .min = 2,
     .max = 50,
     .also = "-"},
    {.name = "region",
     .doc = REGION_DOC,
     .type = CMK_FIELD_WORD,
     .is_required = true,
     .offset = offsetof(CmkBackupVaultItem, region),
     .vocabulary = &cmk_vocabulary_regions},
    {.name = "redundancy",
     .doc = "how copies are spread: local, zone or geo",
     .type = CMK_FIELD_WORD,
     .is_required = true,
     .offset = offsetof(CmkBackupVaultItem, redundancy),
     .vocabulary = &cmk_vocabulary_redundancies},
    {.name = "cross_region_restore",
     .doc = "whether points can be restored in the pair; for redundancy geo only (BV-4)",
     .type = CMK_FIELD_BOOLEAN,
     .offset = offsetof(CmkBackupVaultItem, has_cross_region_restore),
     .fallback = "false"},
    {.name = "resource_group",
     .doc = "the resource group that it lies in; one without a name if left out (AC-9)",
     .type = CMK_FIELD_REFERENCE,
     .offset = offsetof(CmkBackupVaultItem, resource_group),
     .accepts = CMK_PARAM_RESOURCE_GROUP},
    {.name = "identities",
     .doc = "the user-assigned identities attached to it; the word system enables its own (MI-2)",
     .type = CMK_FIELD_REFERENCE,
     .is_list = true,
     .offset = offsetof(CmkBackupVaultItem, identities),
     .accepts = CMK_PARAM_USER_OR_SYSTEM},
    {.name = "encryption",
     .doc = "the customer-managed key; left out: platform-managed keys (BV-16)",
     .type = CMK_FIELD_MAP,
     .offset = offsetof(CmkBackupVaultItem, encryption),
     .fields = &encryption_fields},
    {.name = "soft_delete",
     .doc = "whether deleted backup data can be taken back: on, off, or always_on (BV-6)",
     .type = CMK_FIELD_WORD,
     .offset = offsetof(CmkBackupVaultItem, soft_delete),
     .vocabulary = &cmk_vocabulary_soft_delete,
     .fallback = "on"},
    {.name = "soft_delete_retention",
     .doc = "how long deleted backup data is kept: 14d to 180d (BV-6)",
     .type = CMK_FIELD_DURATION,
     .offset = offsetof(CmkBackupVaultItem, soft_delete_us),
     .min = CMK_SOFT_DELETE_DAYS * CMK_DAY_US,
     .max = CMK_SOFT_DELETE_DAYS_MAX * CMK_DAY_US,
     .fallback = "14d"},
    {.name = "immutability",
     .doc = "whether points may go before they expire: Disabled, Unlocked or Locked (BV-9)",
     .type = CMK_FIELD_WORD,
     .offset = offsetof(CmkBackupVaultItem, immutability),
     .vocabulary = &cmk_vocabulary_immutability,
     .fallback = "Disabled"},
    {.name = "cross_subscription_restore",
     .doc = "whether restores may go to other subscriptions: Enabled, Disabled or "
            "PermanentlyDisabled (BV-5)",
     .type = CMK_FIELD_WORD,
     .offset = offsetof(CmkBackupVaultItem, cross_subscription),
     .vocabulary = &cmk_vocabulary_cross_subscription,
     .fallback = "Enabled"},
    {.name = "resource_guard",
     .doc = "the resource guard whose consent critical operations on it need (MUA-1)",
     .type = CMK_FIELD_REFERENCE,
     .offset = offsetof(CmkBackupVaultItem, resource_guard),
     .accepts = CMK_PARAM_RESOURCE_GUARD},
    {.name = "private_endpoints",
     .doc = "the subnets that are connected to it; none with a user-assigned identity (NET-10)",
     .type = CMK_FIELD_REFERENCE,
     .is_list = true,
     .offset = offsetof(CmkBackupVaultItem, private_endpoints),
     .accepts = CMK_PARAM_NETWORK},
    {.name = "instances",
     .doc = "what it backs up",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkBackupVaultItem, instances),
     .fields = &instance_fields},
};
static CMK_FIELDS(backup_vault_fields, CmkBackupVaultItem, "a Backup vault", backup_vault_rows);

/* ---- fleets ---------------------------------------------------------------------------------- */

static const CmkField vary_schedule_rows[] = {
    {.name = "uniform",
     .doc = "the schedule of each vault starts later by a time drawn evenly below this one",
     .type = CMK_FIELD_DURATION,
     .is_required = true,
     .offset = offsetof(CmkVaryScheduleItem, uniform_us),
     .min = CMK_SECOND_US,
     .max = 366 * CMK_DAY_US},
};
static CMK_FIELDS(vary_schedule_fields, CmkVaryScheduleItem, "`schedule`", vary_schedule_rows);

static const CmkField vary_rows[] = {
    {.name = "schedule",
     .doc = "by how much the start of the schedules varies: {uniform: 24h}",
     .type = CMK_FIELD_MAP,
     .offset = offsetof(CmkVaryItem, schedule),
     .fields = &vary_schedule_fields},
    CMK_FIELD_OF_LATER("size", "the distribution of the sizes"),
    CMK_FIELD_OF_LATER("region", "the regions that the vaults are spread over"),
};
static CMK_FIELDS(vary_fields, CmkVaryItem, "`vary`", vary_rows);

static const CmkField fleet_rows[] = {
    {.name = "count",
     .doc = "how many Backup vaults there are besides the one they are like",
     .type = CMK_FIELD_INTEGER,
     .is_required = true,
     .offset = offsetof(CmkFleetItem, count),
     .min = 1,
     .max = 1000000},
    {.name = "name",
     .doc = "the names of the vaults, with {n} for the number: \"bv-{n}\"",
     .type = CMK_FIELD_TEXT,
     .is_required = true,
     .offset = offsetof(CmkFleetItem, name)},
    {.name = "like",
     .doc = "the Backup vault that each one is like, with the same key, identity and policies",
     .type = CMK_FIELD_REFERENCE,
     .is_required = true,
     .offset = offsetof(CmkFleetItem, like),
     .accepts = CMK_PARAM_BACKUP_VAULT},
    {.name = "vary",
     .doc = "what differs from vault to vault",
     .type = CMK_FIELD_MAP,
     .offset = offsetof(CmkFleetItem, vary),
     .fields = &vary_fields},
    CMK_FIELD_OF_LATER("keys", "whether the vaults share a key"),
    CMK_FIELD_OF_LATER("per_key_vault", "how many vaults have their keys in one key vault"),
};
static CMK_FIELDS(fleet_fields, CmkFleetItem, "a fleet", fleet_rows);

static const CmkField world_rows[] = {
    {.name = "scopes",
     .doc = "management groups, subscriptions and resource groups",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkWorldItem, scopes),
     .fields = &scope_fields},
    {.name = "networks",
     .doc = "networks that rules let in, and people ask from",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkWorldItem, networks),
     .fields = &network_fields},
    {.name = "users",
     .doc = "people who ask for steps",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkWorldItem, users),
     .fields = &user_fields},
    {.name = "groups",
     .doc = "groups of users and identities",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkWorldItem, groups),
     .fields = &group_fields},
    {.name = "key_vaults",
     .doc = "key vaults with their keys",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkWorldItem, key_vaults),
     .fields = &key_vault_fields},
    {.name = "managed_hsms",
     .doc = "Managed HSMs with their keys",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkWorldItem, managed_hsms),
     .fields = &managed_hsm_fields},
    {.name = "identities",
     .doc = "user-assigned identities",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkWorldItem, identities),
     .fields = &identity_fields},
    {.name = "policies",
     .doc = "backup policies",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkWorldItem, policies),
     .fields = &cmk_language_policy_fields},
    {.name = "resource_guards",
     .doc = "resource guards, which consent to critical operations or do not (MUA-1)",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkWorldItem, resource_guards),
     .fields = &resource_guard_fields},
    {.name = "backup_vaults",
     .doc = "Backup vaults with what they back up",
     .type = CMK_FIELD_MAP,
     .is_required = true,
     .is_list = true,
     .min_items = 1,
     .offset = offsetof(CmkWorldItem, backup_vaults),
     .fields = &backup_vault_fields},
    {.name = "grants",
     .doc = "role assignments on keys, key vaults and what they lie in",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkWorldItem, grants),
     .fields = &grant_fields},
    {.name = "fleets",
     .doc = "many Backup vaults like one that is written out",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkWorldItem, fleets),
     .fields = &fleet_fields},
};
CMK_FIELDS(cmk_language_world_fields, CmkWorldItem, "`world`", world_rows);
