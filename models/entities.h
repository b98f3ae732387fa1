/*
 * The rows of the simulated cloud: what each table of the world holds.
 *
 * A row stands for a name in the cloud (an ARM ID, a key URI): it is there from the start and its
 * state says whether something lives under that name. Rows of unnamed things (versions, principals,
 * assignments, points, tasks) are added as they come into being. Fields are plain fixed-width
 * numbers; `changed_by` is the sequence number of the record that last changed the state, `epoch`
 * counts such changes so that timers set before are stale. Handles are row numbers, 0 is none.
 *
 * Everyone may read rows through the accessors at the end; models/mutate.h is for models only.
 */
#ifndef CMK_MODELS_ENTITIES_H
#define CMK_MODELS_ENTITIES_H

#include "models/ids.h"
#include "sim/calendar.h"
#include "sim/world.h"

/* ---- slots of CmkArgs ------------------------------------------------------------------------ */

enum {
    CMK_REF_BACKUP_VAULT,
    CMK_REF_INSTANCE,
    CMK_REF_QUEUE,
    CMK_REF_POINT,
    CMK_REF_TASK,
    CMK_REF_KEY_VAULT,
    CMK_REF_KEY,
    CMK_REF_VERSION,
    CMK_REF_IDENTITY,
    CMK_REF_PRINCIPAL,
    CMK_REF_REGION,
    CMK_REF_POLICY,
    CMK_REF_SCOPE,   /* management group, subscription or resource group */
    CMK_REF_GRANTEE, /* user or group that something is given to or taken from */
    CMK_REF_GROUP,   /* group whose members change */
    CMK_REF_ACTOR,   /* user who asks; 0: somebody who may do everything */
    CMK_REF_MANAGED_HSM,
    CMK_REF_SECRET,
    CMK_REF_NETWORK,        /* virtual network or address range that is let in or asks */
    CMK_REF_RESOURCE_GUARD, /* what critical operations on a Backup vault need the consent of */
    CMK_REF__COUNT
};
_Static_assert(CMK_REF__COUNT == CMK_REFS, "each slot has a name");

/* Numbers of CmkArgs that stand for the same in every operation with such a parameter: 1 for the
 * word "system", and the number of a key's version, 0 where none is named. The timeline turns the
 * number into the row of the version when the moment has come. */
enum {
    CMK_NUM_ALL_KEYS = 3, /* 1 for a scope that is all keys of a Managed HSM: `/keys` */
    CMK_NUM_VERSION = 4,
    CMK_NUM_SYSTEM = 5
};

/* How booleans are passed; 0 stands for "not given". */
enum {
    CMK_SAYS_FALSE = 1,
    CMK_SAYS_TRUE = 2
};

/* What an update may ask the encryption settings to be besides Disabled and Enabled, which are
 * passed like booleans; nobody gets it (BV-T16). */
#define CMK_SAYS_INCONSISTENT 3

/* Types of parameters (CmkParam.type). A key also fills the slot of its key vault or HSM. */
enum {
    CMK_PARAM_BACKUP_VAULT = 1,
    CMK_PARAM_INSTANCE,
    CMK_PARAM_POINT, /* "latest", "oldest" or a moment: a number, see CmkPointChoice */
    CMK_PARAM_KEY_VAULT,
    CMK_PARAM_KEY,        /* "vault/key" */
    CMK_PARAM_KEY_TARGET, /* "vault/key" or "vault/key/2": key and, if given, pinned version */
    CMK_PARAM_IDENTITY,   /* a user-assigned identity */
    CMK_PARAM_CALLER, /* an identity, or a Backup vault (its own slot) for its system-assigned one,
                         or a user or group (the slot of grantees) */
    CMK_PARAM_USER_OR_SYSTEM, /* an identity, or the word "system": then its number is 1 */
    CMK_PARAM_SCOPE,     /* a key vault, a Managed HSM, all keys or one key in it, or what contains
                            key vaults */
    CMK_PARAM_CONTAINER, /* a subscription or management group, as what a scope lies in */
    CMK_PARAM_SUBSCRIPTION,
    CMK_PARAM_RESOURCE_GROUP,
    CMK_PARAM_USER,
    CMK_PARAM_GROUP,
    CMK_PARAM_MEMBER,           /* of a group: as CMK_PARAM_CALLER, but no group */
    CMK_PARAM_PERMISSION_MODEL, /* "rbac" or "access_policy" */
    CMK_PARAM_KEY_SOURCE,       /* another key than the one in its slot: a number */
    CMK_PARAM_MANAGED_HSM,
    CMK_PARAM_KEY_STORE,  /* a key vault or Managed HSM */
    CMK_PARAM_HSM_SOURCE, /* another Managed HSM than the one in its slot: a number */
    CMK_PARAM_ROLE,       /* a role by its display name */
    CMK_PARAM_REGION,
    CMK_PARAM_POLICY,
    CMK_PARAM_PERMISSIONS, /* list of key permissions */
    CMK_PARAM_BOOLEAN,
    CMK_PARAM_INTEGER,
    CMK_PARAM_INSTANT,
    CMK_PARAM_EXPIRY,         /* an instant, or "never": CMK_TIME_MAX */
    CMK_PARAM_DURATION,       /* an exact length of time */
    CMK_PARAM_SKU,            /* "standard" or "premium": CmkSku */
    CMK_PARAM_KEY_TYPE,       /* "RSA", "EC-HSM": CmkKeyType */
    CMK_PARAM_KEY_CURVE,      /* "P-256": CmkCurve */
    CMK_PARAM_KEY_OPS,        /* list of what a key may be used for */
    CMK_PARAM_VERSION,        /* number of a version of the key */
    CMK_PARAM_TAG,            /* name of a retention rule */
    CMK_PARAM_REHYDRATION,    /* "standard" or "high" */
    CMK_PARAM_PRINCIPAL_TYPE, /* CmkPrincipalType by its word */
    CMK_PARAM_SOFT_DELETE,    /* a CmkSoftDelete by its word */
    CMK_PARAM_REDUNDANCY,     /* CmkRedundancy by its word */
    CMK_PARAM_DATASOURCE,     /* by its name in the command line */
    CMK_PARAM_SIZE,           /* bytes */
    CMK_PARAM_SAMPLE,         /* bytes, as few as are encrypted for each recovery point */
    CMK_PARAM_SHARE,          /* parts per million */
    CMK_PARAM_ENCRYPTION,     /* state of the encryption settings by its word, see CMK_SAYS_FALSE */
    CMK_PARAM_IMMUTABILITY,   /* a CmkImmutability by its word */
    CMK_PARAM_CROSS_SUBSCRIPTION, /* a CmkCrossSubscription by its word */
    CMK_PARAM_SECRET,             /* "vault/secret" */
    CMK_PARAM_RESOURCE_GUARD,
    CMK_PARAM_NETWORK,
    CMK_PARAM_NETWORK_OR_SUBSCRIPTION, /* whom a rule of a perimeter lets in: slot by its kind */
    CMK_PARAM_PUBLIC_ACCESS,           /* these: 1 more than what the word stands for */
    CMK_PARAM_DEFAULT_ACTION,
    CMK_PARAM_BYPASS
};

/* Which recovery point of an instance to restore. A number from CMK_POINT__COUNT on is no choice
 * but a moment (CmkTime): the point that was the latest then, or the moment itself where backups
 * are continuous (BK-3). */
typedef enum CmkPointChoice {
    CMK_POINT_LATEST = 1,
    CMK_POINT_OLDEST,
    CMK_POINT_LATEST_OPERATIONAL,
    CMK_POINT_LATEST_VAULT,
    CMK_POINT_LATEST_ARCHIVE,
    CMK_POINT__COUNT
} CmkPointChoice;

/* ---- handles --------------------------------------------------------------------------------- */

typedef struct CmkNameId {
    uint32_t i;
} CmkNameId;
typedef struct CmkRegionId {
    uint32_t i;
} CmkRegionId;
typedef struct CmkKeyVaultId {
    uint32_t i;
} CmkKeyVaultId;
typedef struct CmkManagedHsmId {
    uint32_t i;
} CmkManagedHsmId;
typedef struct CmkSecurityDomainId {
    uint32_t i;
} CmkSecurityDomainId;
typedef struct CmkHsmBackupId {
    uint32_t i;
} CmkHsmBackupId;
typedef struct CmkKeptAssignmentId {
    uint32_t i;
} CmkKeptAssignmentId;
typedef struct CmkKeyId {
    uint32_t i;
} CmkKeyId;
typedef struct CmkVersionId {
    uint32_t i;
} CmkVersionId;
typedef struct CmkKeyBackupId {
    uint32_t i;
} CmkKeyBackupId;
typedef struct CmkKeptVersionId {
    uint32_t i;
} CmkKeptVersionId;
typedef struct CmkIdentityId {
    uint32_t i;
} CmkIdentityId;
typedef struct CmkPrincipalId {
    uint32_t i;
} CmkPrincipalId;
typedef struct CmkAssignmentId {
    uint32_t i;
} CmkAssignmentId;
typedef struct CmkAccessPolicyId {
    uint32_t i;
} CmkAccessPolicyId;
typedef struct CmkBackupVaultId {
    uint32_t i;
} CmkBackupVaultId;
typedef struct CmkAttachmentId {
    uint32_t i;
} CmkAttachmentId;
typedef struct CmkPolicyId {
    uint32_t i;
} CmkPolicyId;
typedef struct CmkVaultPolicyId {
    uint32_t i;
} CmkVaultPolicyId;
typedef struct CmkInstanceId {
    uint32_t i;
} CmkInstanceId;
typedef struct CmkQueueId {
    uint32_t i;
} CmkQueueId;
typedef struct CmkPointId {
    uint32_t i;
} CmkPointId;
typedef struct CmkTaskId {
    uint32_t i;
} CmkTaskId;
typedef struct CmkPlanId {
    uint32_t i;
} CmkPlanId;
typedef struct CmkStatementId {
    uint32_t i;
} CmkStatementId;
typedef struct CmkScopeId {
    uint32_t i;
} CmkScopeId;
typedef struct CmkPersonId {
    uint32_t i;
} CmkPersonId;
typedef struct CmkMembershipId {
    uint32_t i;
} CmkMembershipId;
typedef struct CmkSecretId {
    uint32_t i;
} CmkSecretId;
typedef struct CmkResourceGuardId {
    uint32_t i;
} CmkResourceGuardId;
typedef struct CmkNetworkId {
    uint32_t i;
} CmkNetworkId;
typedef struct CmkRuleSetId {
    uint32_t i;
} CmkRuleSetId;
typedef struct CmkNetworkRuleId {
    uint32_t i;
} CmkNetworkRuleId;
typedef struct CmkPrivateEndpointId {
    uint32_t i;
} CmkPrivateEndpointId;
typedef struct CmkSubscriptionMeterId {
    uint32_t i;
} CmkSubscriptionMeterId;

/* ---- tables ---------------------------------------------------------------------------------- */

/* clang-format off: a table, one row a line */
/* ID, accessor, row type, handle type, scratch?, name for messages. */
#define CMK_TABLES(X)                                                                              \
    X(NAME, name_row, CmkNameRow, CmkNameId, 0, "names")                                           \
    X(NAME_BYTES, name_bytes, CmkNameBytes, CmkNameId, 0, "bytes of names")                        \
    X(SETTINGS, settings, CmkSettings, CmkNameId, 0, "settings")                                   \
    X(REGION, region, CmkRegion, CmkRegionId, 0, "regions")                                        \
    X(KEY_VAULT, key_vault, CmkKeyVault, CmkKeyVaultId, 0, "key vaults")                           \
    X(KEY_VAULT_METER, key_vault_meter, CmkKeyVaultMeter, CmkKeyVaultId, 1, "key vault meters")    \
    X(MANAGED_HSM, managed_hsm, CmkManagedHsm, CmkManagedHsmId, 0, "Managed HSMs")                 \
    X(MANAGED_HSM_METER, managed_hsm_meter, CmkManagedHsmMeter, CmkManagedHsmId, 1, "HSM meters")  \
    X(SECURITY_DOMAIN, security_domain, CmkSecurityDomain, CmkSecurityDomainId, 0,                 \
      "security domains")                                                                          \
    X(HSM_BACKUP, hsm_backup, CmkHsmBackup, CmkHsmBackupId, 0, "backups of Managed HSMs")          \
    X(KEPT_ASSIGNMENT, kept_assignment, CmkKeptAssignment, CmkKeptAssignmentId, 0,                 \
      "roles in backups")                                                                          \
    X(KEY, key, CmkKey, CmkKeyId, 0, "keys")                                                       \
    X(VERSION, version, CmkVersion, CmkVersionId, 0, "key versions")                               \
    X(VERSION_USE, version_use, CmkVersionUse, CmkVersionId, 1, "uses of key versions")            \
    X(KEY_BACKUP, key_backup, CmkKeyBackup, CmkKeyBackupId, 0, "backups of keys")                  \
    X(KEPT_VERSION, kept_version, CmkKeptVersion, CmkKeptVersionId, 0, "versions in backups")      \
    X(IDENTITY, identity, CmkIdentity, CmkIdentityId, 0, "user-assigned identities")               \
    X(PRINCIPAL, principal, CmkPrincipal, CmkPrincipalId, 0, "principals")                         \
    X(ASSIGNMENT, assignment, CmkAssignment, CmkAssignmentId, 0, "role assignments")               \
    X(ACCESS_POLICY, access_policy, CmkAccessPolicy, CmkAccessPolicyId, 0, "access policies")      \
    X(BACKUP_VAULT, backup_vault, CmkBackupVault, CmkBackupVaultId, 0, "Backup vaults")            \
    X(GAUGE, gauge, CmkGauge, CmkBackupVaultId, 0, "gauges")                                       \
    X(STATEMENT, statement, CmkStatement, CmkStatementId, 0, "statements of accounts")             \
    X(ATTACHMENT, attachment, CmkAttachment, CmkAttachmentId, 0, "attached identities")            \
    X(POLICY, policy, CmkPolicy, CmkPolicyId, 0, "backup policies")                                \
    X(VAULT_POLICY, vault_policy, CmkVaultPolicy, CmkVaultPolicyId, 0, "policies of vaults")       \
    X(INSTANCE, instance, CmkInstance, CmkInstanceId, 0, "backup instances")                       \
    X(QUEUE, queue, CmkQueue, CmkQueueId, 0, "queues of recovery points")                          \
    X(POINT, point, CmkPoint, CmkPointId, 0, "recovery points")                                    \
    X(TASK, task, CmkTask, CmkTaskId, 0, "running jobs")                                           \
    X(PLAN, plan, CmkPlanRow, CmkPlanId, 0, "planned steps")                                       \
    X(SCOPE, scope, CmkScope, CmkScopeId, 0, "scopes")                                             \
    X(PERSON, person, CmkPerson, CmkPersonId, 0, "users and groups")                               \
    X(MEMBERSHIP, membership, CmkMembership, CmkMembershipId, 0, "memberships in groups")          \
    X(SECRET, secret, CmkSecret, CmkSecretId, 0, "secrets")                                        \
    X(RESOURCE_GUARD, resource_guard, CmkResourceGuard, CmkResourceGuardId, 0, "resource guards")  \
    X(NETWORK, network, CmkNetwork, CmkNetworkId, 0, "networks")                                   \
    X(RULE_SET, rule_set, CmkRuleSet, CmkRuleSetId, 0, "sets of network rules")                    \
    X(NETWORK_RULE, network_rule, CmkNetworkRule, CmkNetworkRuleId, 0, "network rules")            \
    X(PRIVATE_ENDPOINT, private_endpoint, CmkPrivateEndpoint, CmkPrivateEndpointId, 0,             \
      "private endpoints")                                                                         \
    X(SUBSCRIPTION_METER, subscription_meter, CmkSubscriptionMeter, CmkSubscriptionMeterId, 1,     \
      "subscription meters")

/* clang-format on */

enum {
    CMK_TABLE__BEFORE = CMK_TABLE_FIRST_OF_MODEL - 1,
#define X(id, name, type, handle, scratch, text) CMK_TABLE_##id,
    CMK_TABLES(X)
#undef X
    CMK_TABLE__COUNT
};

#define CMK_BIT(table) (UINT64_C(1) << CMK_TABLE_##table)
/* What setting a timer writes. */
#define CMK_BIT_TIMERS (CMK_BIT(TIMER) | CMK_BIT(AGENDA_HEAP))

/* ---- names and settings ---------------------------------------------------------------------- */

typedef struct CmkNameRow {
    uint32_t offset; /* into the bytes of names, which are closed by a zero */
    uint32_t length;
} CmkNameRow;

typedef struct CmkNameBytes {
    char bytes[8];
} CmkNameBytes;

/* One row: what holds for the whole run. */
typedef struct CmkSettings {
    CmkTime start;               /* the scenario's; before it the world is being set up */
    uint64_t opened_by;          /* record of simulation.open, 0 before it */
    uint64_t is_service_failing; /* the Backup service meets internal errors everywhere */
    uint64_t service_by;
    int64_t knobs[CMK_KNOB__COUNT];
} CmkSettings;

/* ---- regions --------------------------------------------------------------------------------- */

typedef enum CmkRegionState {
    CMK_REGION_UP,
    CMK_REGION_LOST,         /* requests fail until somebody decides to fail over */
    CMK_REGION_FAILING_OVER, /* requests still fail */
    CMK_REGION_FAILED_OVER,  /* the pair answers, read-only */
    CMK_REGION_FAILING_BACK, /* the region is back, still read-only */
    CMK_REGION__COUNT
} CmkRegionState;

/* Row i of the world goes with row i of cmk_region_facts(). */
typedef struct CmkRegion {
    uint32_t state; /* CmkRegionState */
    uint32_t epoch;
    uint32_t is_zone_lost;
    uint32_t pair;               /* region that this one is paired with, 0: none (REL-17) */
    uint32_t is_service_failing; /* the Backup service there meets internal errors */
    uint32_t reserved;
    CmkTime lost_at;
    CmkTime
        shown_until; /* key vaults are shown as the pair knows them: up to here; 0: as they are */
    CmkTime writes_from; /* after the loss of a zone no write is taken before (REL-3) */
    CmkTime links_from;  /* after a failover no private link works before (REL-11) */
    uint64_t zone_by;
    uint64_t service_by;
    uint64_t changed_by;
} CmkRegion;

/* ---- scopes, users and groups ---------------------------------------------------------------- */

typedef enum CmkScopeKind {
    CMK_SCOPE_MANAGEMENT_GROUP,
    CMK_SCOPE_SUBSCRIPTION,
    CMK_SCOPE_RESOURCE_GROUP
} CmkScopeKind;

/* Resources that say nothing else lie in this resource group of this subscription, which have no
 * names. */
enum {
    CMK_SCOPE_DEFAULT_SUBSCRIPTION = 1,
    CMK_SCOPE_DEFAULT_RESOURCE_GROUP,
    CMK_SCOPE__FIRST_DECLARED
};

/* What contains resources (AC-9): a resource group lies in a subscription, that in a management
 * group, that perhaps in another. */
typedef struct CmkScope {
    uint32_t name;
    uint32_t kind;   /* CmkScopeKind */
    uint32_t parent; /* scope, 0 for the outermost */
    /* Of a subscription: counts its moves to another tenant (MI-13). Those that moved as often are
     * in one tenant (assumed), people and management groups in that of 0. */
    uint32_t tenant;
    /* Role assignments: of a subscription, at it and inside; of a management group, at it (AC-20).
     */
    uint32_t assignment_count;
    uint32_t reserved;
    uint64_t changed_by;
} CmkScope;

typedef enum CmkPersonKind {
    CMK_PERSON_USER,
    CMK_PERSON_GROUP
} CmkPersonKind;

/* A user or group of the directory: there from the start, with a principal of its own. */
typedef struct CmkPerson {
    uint32_t name;
    uint32_t kind; /* CmkPersonKind */
    uint32_t principal;
    uint32_t network; /* from which a user asks, 0: the open internet */
    uint64_t changed_by;
} CmkPerson;

typedef enum CmkMembershipState {
    CMK_MEMBERSHIP_JOINING, /* the member's token does not say so yet (AC-12) */
    CMK_MEMBERSHIP_ACTIVE,
    CMK_MEMBERSHIP_LEAVING, /* the token still says so */
    CMK_MEMBERSHIP_ENDED
} CmkMembershipState;

/* One row for each pair of a principal and a group that it has ever been in. */
typedef struct CmkMembership {
    uint32_t principal;
    uint32_t group; /* person */
    uint32_t state; /* CmkMembershipState */
    uint32_t epoch;
    uint32_t next_of_principal;
    uint32_t reserved;
    uint64_t changed_by;
} CmkMembership;

/* ---- networks (section 7) -------------------------------------------------------------------- */

typedef enum CmkNetworkKind {
    CMK_NETWORK_ADDRESS_RANGE,
    CMK_NETWORK_SUBNET /* of a virtual network: known by its name, its addresses are private */
} CmkNetworkKind;

/* From where somebody asks, or is let in. */
typedef struct CmkNetwork {
    uint32_t name;
    uint32_t kind;        /* CmkNetworkKind */
    uint32_t address;     /* of a range: IPv4, the bits beyond the prefix are 0 */
    uint32_t prefix_bits; /* of a range: 0 to 32 */
} CmkNetwork;

/* The words that the service has for its settings (NET-3); the first of each is what a new store
 * of keys has (NET-1). */
typedef enum CmkPublicAccess {
    CMK_PUBLIC_ACCESS_ENABLED,
    CMK_PUBLIC_ACCESS_DISABLED,
    CMK_PUBLIC_ACCESS_SECURED_BY_PERIMETER,
    CMK_PUBLIC_ACCESS__COUNT
} CmkPublicAccess;
typedef enum CmkDefaultAction {
    CMK_DEFAULT_ACTION_ALLOW,
    CMK_DEFAULT_ACTION_DENY,
    CMK_DEFAULT_ACTION__COUNT
} CmkDefaultAction;
typedef enum CmkBypass {
    CMK_BYPASS_AZURE_SERVICES,
    CMK_BYPASS_NONE,
    CMK_BYPASS__COUNT
} CmkBypass;

/* Who may reach the data plane of one store of keys. */
typedef struct CmkRuleSet {
    uint32_t key_vault;      /* whose it is, or */
    uint32_t managed_hsm;    /* whose (HSM-22) */
    uint32_t public_access;  /* CmkPublicAccess */
    uint32_t default_action; /* CmkDefaultAction */
    uint32_t bypass;         /* CmkBypass */
    uint32_t first_rule;
    uint32_t first_private_endpoint;
    uint32_t rule_counts[2]; /* rules of the firewall in force, by CmkNetworkKind (NET-4) */
    uint32_t private_endpoint_count;
    uint32_t public_access_before; /* before it was written to: see models/replica.h */
    uint32_t default_action_before;
    uint32_t bypass_before;
    uint32_t reserved;
    CmkTime written_at;
    uint64_t changed_by_before;
    uint64_t changed_by;
} CmkRuleSet;

typedef enum CmkNetworkRuleKind {
    CMK_RULE_OF_FIREWALL,
    CMK_RULE_OF_PERIMETER
} CmkNetworkRuleKind;

/* One row for each thing that a set of rules has ever let in: a network, or with a perimeter all
 * that runs in a subscription. */
typedef struct CmkNetworkRule {
    uint32_t rule_set;
    uint32_t kind; /* CmkNetworkRuleKind */
    uint32_t network;
    uint32_t subscription; /* scope */
    uint32_t is_in_force;
    uint32_t is_in_force_before; /* before it was written to: see models/replica.h */
    uint32_t next_of_set;
    uint32_t reserved;
    CmkTime written_at;
    uint64_t changed_by_before;
    uint64_t changed_by;
} CmkNetworkRule;

typedef enum CmkEndpointState {
    CMK_ENDPOINT_DISCONNECTED, /* or never connected */
    CMK_ENDPOINT_PENDING,
    CMK_ENDPOINT_APPROVED,
    CMK_ENDPOINT_REJECTED
} CmkEndpointState;

/* The connection of a subnet to a store of keys or to a Backup vault, one row for each pair of
 * them. */
typedef struct CmkPrivateEndpoint {
    uint32_t network; /* a subnet */
    uint32_t rule_set;
    uint32_t backup_vault;
    uint32_t state; /* CmkEndpointState */
    uint32_t next;  /* of the same rule set or Backup vault */
    uint32_t reserved;
    uint64_t changed_by;
} CmkPrivateEndpoint;

/* ---- key vaults and keys --------------------------------------------------------------------- */

typedef enum CmkKeyVaultState {
    CMK_KEY_VAULT_ABSENT,
    CMK_KEY_VAULT_ACTIVE,
    CMK_KEY_VAULT_DELETED, /* with its content, until it is recovered or purged (SD-22) */
    CMK_KEY_VAULT_PURGED
} CmkKeyVaultState;
typedef enum CmkPermissionModel {
    CMK_PERMISSIONS_RBAC,
    CMK_PERMISSIONS_POLICY
} CmkPermissionModel;
typedef enum CmkSku {
    CMK_SKU_STANDARD,
    CMK_SKU_PREMIUM
} CmkSku;

typedef struct CmkKeyVault {
    uint32_t name;
    uint32_t region;
    uint32_t state;
    uint32_t epoch;
    uint32_t permission_model;
    uint32_t has_soft_delete;
    uint32_t has_purge_protection;
    uint32_t retention_days; /* SD-1 */
    uint32_t sku;
    uint32_t taken_ppm;        /* share of each window that a noisy neighbour takes */
    uint32_t resource_group;   /* scope */
    uint32_t first_assignment; /* made at this key vault or at one of its keys */
    uint32_t first_access_policy;
    uint32_t access_policy_count;
    uint32_t first_key;
    uint32_t permission_model_before; /* before it was written to: see models/replica.h */
    uint32_t has_soft_delete_before;
    uint32_t has_purge_protection_before;
    uint32_t rule_set; /* who may reach its keys: see models/network.h */
    uint32_t reserved;
    CmkTime purge_at; /* of a deleted one (SD-6) */
    CmkTime written_at;
    uint64_t throttled_by;
    uint64_t permission_model_by_before;
    uint64_t permission_model_by;
    uint64_t changed_by_before;
    uint64_t changed_by;
} CmkKeyVault;

/* Weight of a full throttling window; each request takes CMK_WINDOW_WEIGHT / limit of it (THR-2).
 */
#define CMK_WINDOW_WEIGHT INT64_C(12000)
#define CMK_WINDOW_US (10 * CMK_SECOND_US)
/* What a subscription has in a region: the windows of so many key vaults (THR-3). */
#define CMK_WINDOWS_OF_SUBSCRIPTION 5
#define CMK_SHARE_ALL 1000000 /* parts per million: the whole */

/* Row (subscription - 1) * regions + region: what the key vaults of a subscription in one region
 * have answered together. */
typedef struct CmkSubscriptionMeter {
    CmkTime window_start;
    int64_t window_used; /* in units of CMK_WINDOW_WEIGHT */
} CmkSubscriptionMeter;

/* Kinds of HSM-protected keys, which are billed for each version in use. */
typedef enum CmkHsmKeys {
    CMK_HSM_KEYS_2048,  /* RSA 2048 (COST-13) */
    CMK_HSM_KEYS_OTHER, /* in tiers by their number (COST-14) */
    CMK_HSM_KEYS__COUNT
} CmkHsmKeys;
#define CMK_HSM_KEY_TIERS 4

/* The versions of one kind that are in use in one key vault: see models/key_use.h. */
typedef struct CmkKeyUse {
    uint32_t first; /* version that was used longest ago */
    uint32_t last;
    uint32_t count;
    uint32_t reserved;
    CmkTime since;                            /* the integrals are up to here */
    uint64_t integrals[CMK_HSM_KEY_TIERS][2]; /* versions x microseconds: low, high */
} CmkKeyUse;

/* Row i goes with version i of an HSM-protected key. */
typedef struct CmkVersionUse {
    uint32_t previous; /* in the order of last use */
    uint32_t next;
    CmkTime last_use; /* 0: never */
} CmkVersionUse;

/* Row i goes with key vault i. */
typedef struct CmkKeyVaultMeter {
    CmkTime window_start;
    int64_t window_used;    /* in units of CMK_WINDOW_WEIGHT */
    int64_t requests_2048;  /* billed requests on RSA 2048 keys since the start (COST-11) */
    int64_t requests_other; /* on other keys (COST-12) */
    int64_t refused;        /* requests refused, whatever the reason */
    int64_t rotations;      /* by rotation policies, since the start (COST-15) */
    CmkKeyUse hsm_keys[CMK_HSM_KEYS__COUNT];
} CmkKeyVaultMeter;

typedef enum CmkKeyType {
    CMK_KEY_RSA,
    CMK_KEY_RSA_HSM,
    CMK_KEY_EC,
    CMK_KEY_EC_HSM,
    CMK_KEY_OCT_HSM,
    CMK_KEY_TYPE__COUNT
} CmkKeyType;
typedef enum CmkCurve { /* KV-2 */
    CMK_CURVE_NONE,     /* of keys that are not EC */
    CMK_CURVE_P256,
    CMK_CURVE_P256K,
    CMK_CURVE_P384,
    CMK_CURVE_P521,
    CMK_CURVE__COUNT
} CmkCurve;
typedef enum CmkKeyState {
    CMK_KEY_ABSENT,
    CMK_KEY_ACTIVE,
    CMK_KEY_DELETED,
    CMK_KEY_PURGED,
    CMK_KEY_DELETING,  /* short states on the way (SD-12) */
    CMK_KEY_RECOVERING /* back to active */
} CmkKeyState;

/* Lengths from the creation of a version, or back from its expiry; 0: not so (ROT-9). */
typedef struct CmkRotationPolicy {
    int64_t rotate_after_us;
    int64_t rotate_before_expiry_us;
    int64_t expiry_us; /* of versions that are rotated in from now on (ROT-10) */
    int64_t notify_before_expiry_us;
    int64_t notify_after_us;
} CmkRotationPolicy;

typedef struct CmkKey {
    uint32_t name;
    uint32_t key_vault;
    uint32_t type;
    uint32_t size_bits;
    uint32_t state;
    uint32_t epoch;
    uint32_t current_version; /* the newest */
    uint32_t version_count;
    uint32_t first_user;   /* Backup vaults whose settings name this key, linked by next_of_key */
    uint32_t poll_epoch;   /* the pending look for a newer version carries it */
    uint32_t state_before; /* before it was written to: see models/replica.h */
    uint32_t version_before;
    uint32_t curve;             /* CmkCurve */
    uint32_t next_of_key_vault; /* or of the Managed HSM */
    uint32_t rotation_epoch;    /* what the rotation policy has pending carries it */
    uint32_t notified_version;  /* the one whose age or coming expiry was told of */
    uint32_t last_backup;
    uint32_t managed_hsm; /* where it lives if it is in no key vault */
    CmkTime deleted_at;
    CmkTime purge_at;     /* SD-6 */
    CmkTime name_free_at; /* of a purged one (SD-13) */
    CmkTime written_at;
    uint64_t changed_by_before;
    CmkRotationPolicy rotation;
    uint64_t changed_by;
} CmkKey;

/* As a secret is only read, its versions do not matter. */
typedef enum CmkSecretState {
    CMK_SECRET_ABSENT,
    CMK_SECRET_ACTIVE,
    CMK_SECRET_DELETED /* can be recovered until purge_at, and is gone from then on (SD-6) */
} CmkSecretState;

/* Credentials of a database that Backup reads (BK-2). */
typedef struct CmkSecret {
    uint32_t name;
    uint32_t key_vault;
    uint32_t state;
    uint32_t is_enabled;
    CmkTime purge_at;
    uint64_t changed_by;
} CmkSecret;

/* What somebody may do: bits of access policies (AC-6), roles (AC-21), CmkVersion.key_ops and
 * CmkOperation.permission. */
enum {
    /* with keys: the words of access policies, in the order of the vocabulary */
    CMK_PERMISSION_GET = 1 << 0,
    CMK_PERMISSION_WRAP = 1 << 1,
    CMK_PERMISSION_UNWRAP = 1 << 2,
    CMK_PERMISSION_LIST = 1 << 3,
    CMK_PERMISSION_CREATE = 1 << 4,
    CMK_PERMISSION_IMPORT = 1 << 5,
    CMK_PERMISSION_UPDATE = 1 << 6,
    CMK_PERMISSION_DELETE = 1 << 7,
    CMK_PERMISSION_RECOVER = 1 << 8,
    CMK_PERMISSION_PURGE = 1 << 9,
    CMK_PERMISSION_BACKUP = 1 << 10,
    CMK_PERMISSION_RESTORE = 1 << 11,
    CMK_PERMISSION_ROTATE = 1 << 12,
    CMK_PERMISSION_GET_ROTATION_POLICY = 1 << 13,
    CMK_PERMISSION_SET_ROTATION_POLICY = 1 << 14,
    CMK_PERMISSION_ENCRYPT = 1 << 15,
    CMK_PERMISSION_DECRYPT = 1 << 16,
    CMK_PERMISSION_SIGN = 1 << 17,
    CMK_PERMISSION_VERIFY = 1 << 18,
    CMK_PERMISSION_RELEASE = 1 << 19,
    CMK_PERMISSION_KEYS_ALL = (1 << 20) - 1,
    CMK_PERMISSION_KEYS_USE = CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP | CMK_PERMISSION_ENCRYPT |
                              CMK_PERMISSION_DECRYPT | CMK_PERMISSION_SIGN | CMK_PERMISSION_VERIFY,
    /* what a key can be limited to (KV-20) */
    CMK_KEY_OPS_ALL = CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP | CMK_PERMISSION_ENCRYPT |
                      CMK_PERMISSION_DECRYPT | CMK_PERMISSION_SIGN | CMK_PERMISSION_VERIFY,
    /* with resources: what roles at a scope allow, access policies never do */
    CMK_PERMISSION_KEY_VAULT_WRITE = 1 << 20, /* properties and access policies */
    CMK_PERMISSION_KEY_VAULT_DELETE = 1 << 21,
    CMK_PERMISSION_KEY_VAULT_PURGE = 1 << 22,
    CMK_PERMISSION_ROLE_WRITE = 1 << 23,
    CMK_PERMISSION_IDENTITY_WRITE = 1 << 24,
    CMK_PERMISSION_IDENTITY_ASSIGN = 1 << 25,
    CMK_PERMISSION_BACKUP_VAULT_WRITE = 1 << 26,  /* vaults, policies, deletion of backups */
    CMK_PERMISSION_BACKUP_VAULT_DELETE = 1 << 27, /* take a vault out of its resource group */
    CMK_PERMISSION_BACKUP_OPERATE = 1 << 28,      /* backups, restores, protection of instances */
    CMK_PERMISSION_GROUP_WRITE = 1 << 29,
    CMK_PERMISSION_DATA_ROLE_WRITE = 1 << 30 /* assign roles for key vault data only (AC-R9) */
};
/* All of them, those included for which an enumeration has no room any more. */
typedef uint64_t CmkPermissions;
/* With secrets: the words of access policies, in the order of their vocabulary, */
#define CMK_PERMISSION_SECRET_GET (UINT64_C(1) << 32)
#define CMK_PERMISSION_SECRET_SET (UINT64_C(1) << 33)
#define CMK_PERMISSION_SECRET_DELETE (UINT64_C(1) << 34)
#define CMK_PERMISSION_SECRET_RECOVER (UINT64_C(1) << 35)
#define CMK_PERMISSION_SECRETS_ALL (UINT64_C(15) << 32)
/* with resource guards, by roles only (MUA-3, MUA-4), */
#define CMK_PERMISSION_RESOURCE_GUARD_READ (UINT64_C(1) << 36)
#define CMK_PERMISSION_RESOURCE_GUARD_OPERATE (UINT64_C(1) << 37)
/* with Managed HSMs as resources: what roles at a scope allow; */
#define CMK_PERMISSION_MANAGED_HSM_WRITE (UINT64_C(1) << 38)
/* and with what is in one, besides keys and the assignment of roles: what its own roles allow. */
#define CMK_PERMISSION_SECURITY_DOMAIN (UINT64_C(1) << 39)
#define CMK_PERMISSION_HSM_BACKUP (UINT64_C(1) << 40)
#define CMK_PERMISSION_HSM_RESTORE (UINT64_C(1) << 41)
#define CMK_PERMISSION_READ_DELETED (UINT64_C(1) << 42)

typedef struct CmkVersion {
    uint32_t key;
    uint32_t number;    /* 1, 2, ... */
    uint32_t is_purged; /* the private key is gone for good */
    uint32_t is_enabled;
    uint32_t key_ops;
    uint32_t previous; /* version, 0 for the first */
    uint32_t type;     /* CmkKeyType */
    uint32_t size_bits;
    uint32_t is_backed_up; /* some backup holds the private key, whatever became of this version */
    uint32_t original;     /* version whose private key this is too; 0: it has its own (KV-24) */
    uint32_t next_copy;    /* of the same private key, from the original on */
    uint32_t kept_under;   /* security domain under which some backup holds the private key */
    CmkTime created;
    CmkTime not_before;
    CmkTime expires;            /* CMK_TIME_MAX: never */
    uint32_t is_enabled_before; /* before it was written to: see models/replica.h */
    uint32_t key_ops_before;
    CmkTime not_before_before;
    CmkTime expires_before;
    CmkTime written_at;
    uint64_t missing_by; /* record of the failover to a pair that lacks the version, 0: none */
    uint64_t changed_by_before;
    uint64_t changed_by;
} CmkVersion;

/* The most versions that a backup of a key holds (KV-24). */
#define CMK_KEY_BACKUP_VERSIONS_MAX 500

/* A sealed copy of a key with all the versions that it had, which somebody keeps outside for good.
 */
typedef struct CmkKeyBackup {
    uint32_t key;
    uint32_t first_kept; /* the newest of the versions in it, as they were; the others follow */
    uint32_t version_count;
    uint32_t type;
    uint32_t curve;
    uint32_t size_bits;
    uint32_t subscription; /* of the key vault: only there it can be opened */
    uint32_t region;       /* likewise, or in its pair */
    uint32_t previous;     /* earlier backup of the key */
    uint32_t domain;       /* security domain that it is sealed under; 0: by a key vault */
    CmkTime created;
    uint64_t changed_by;
} CmkKeyBackup;

/* A version in a backup, with what was said of it then (KV-11). */
typedef struct CmkKeptVersion {
    uint32_t version;
    uint32_t is_enabled;
    uint32_t key_ops;
    uint32_t reserved;
    CmkTime not_before;
    CmkTime expires;
} CmkKeptVersion;

/* ---- Managed HSMs ---------------------------------------------------------------------------- */

typedef enum CmkManagedHsmState {
    CMK_MANAGED_HSM_ABSENT,
    CMK_MANAGED_HSM_PROVISIONED, /* no key can be used before it is activated (HSM-3) */
    CMK_MANAGED_HSM_ACTIVE,
    CMK_MANAGED_HSM_DELETED, /* with its content, until it is recovered or purged (HSM-10) */
    CMK_MANAGED_HSM_PURGED
} CmkManagedHsmState;

typedef struct CmkManagedHsm {
    uint32_t name;
    uint32_t region;
    uint32_t state; /* CmkManagedHsmState */
    uint32_t epoch;
    uint32_t second_region; /* 0: none (HSM-16) */
    uint32_t has_purge_protection;
    uint32_t retention_days;
    uint32_t resource_group; /* scope */
    uint32_t domain;         /* security domain, 0 before activation */
    uint32_t first_assignment;
    uint32_t first_key;
    uint32_t key_count; /* deleted ones included (HSM-13, HSM-20) */
    uint32_t last_backup;
    uint32_t billed_regions; /* that are paid for now (HSM-12, HSM-18) */
    uint32_t rule_set;       /* who may reach its keys: see models/network.h */
    uint32_t reserved;
    CmkTime purge_at;     /* of a deleted one */
    CmkTime second_from;  /* the second region answers from then on (HSM-17) */
    CmkTime shown_until;  /* keys are shown as the second region knows them; 0: as they are */
    CmkTime billed_since; /* the integral is up to here */
    uint64_t billed_low;  /* regions x microseconds, 128 bits */
    uint64_t billed_high;
    uint64_t changed_by;
} CmkManagedHsm;

/* When the work that was taken on will be done: microseconds, and parts of one so that no rate is
 * rounded (models/hsm_capacity.h). Row i goes with Managed HSM i. */
typedef struct CmkManagedHsmMeter {
    CmkTime busy_until;
    int64_t busy_parts;
    int64_t requests;   /* that were granted since the start */
    int64_t refused;    /* whatever the reason */
    int64_t longest_us; /* that anybody waited for an answer */
} CmkManagedHsmMeter;

/* The key to everything an HSM holds, in as many pieces as there are people to keep them. It stays
 * in the world when the HSM goes: with it another one can take the place (HSM-4, HSM-15). */
typedef struct CmkSecurityDomain {
    uint32_t managed_hsm; /* that was activated with it first */
    uint32_t keys;        /* wrapping keys, each kept by somebody */
    uint32_t quorum;      /* so many of them open it */
    uint32_t keys_lost;
    uint64_t changed_by;
} CmkSecurityDomain;

/* A copy of all that is in an HSM, sealed under its security domain and kept outside for good. */
typedef struct CmkHsmBackup {
    uint32_t managed_hsm;
    uint32_t domain;
    uint32_t first_key_backup; /* of the keys in it: rows that follow one another */
    uint32_t key_count;
    uint32_t first_assignment; /* of the local roles in it: likewise */
    uint32_t assignment_count;
    uint32_t previous; /* earlier backup of the HSM */
    uint32_t reserved;
    CmkTime created;
    uint64_t changed_by;
} CmkHsmBackup;

typedef struct CmkKeptAssignment {
    uint32_t assignment;
    uint32_t reserved;
} CmkKeptAssignment;

/* ---- identities and access ------------------------------------------------------------------- */

typedef enum CmkIdentityState {
    CMK_IDENTITY_ABSENT,
    CMK_IDENTITY_ACTIVE
} CmkIdentityState;

typedef struct CmkIdentity {
    uint32_t name;
    uint32_t region;
    uint32_t state;
    uint32_t epoch;
    uint32_t principal; /* of the identity that lives under this name now, 0 if none */
    uint32_t first_attachment;
    uint32_t resource_group; /* scope */
    uint32_t last_principal; /* the newest under this name, deleted ones included */
    uint64_t changed_by;
} CmkIdentity;

/* As those who assign roles may say it (MI-18); 0: they do not. */
typedef enum CmkPrincipalType {
    CMK_PRINCIPAL_USER = 1,
    CMK_PRINCIPAL_GROUP,
    CMK_PRINCIPAL_SERVICE, /* managed identities are service principals */
    CMK_PRINCIPAL__COUNT
} CmkPrincipalType;

typedef struct CmkPrincipal {
    uint32_t identity;     /* user-assigned: the identity, else 0 */
    uint32_t backup_vault; /* system-assigned: the vault, else 0 */
    uint32_t is_alive;     /* 0: deleted; the move of a subscription voids it too (MI-13) */
    uint32_t first_assignment;
    uint32_t first_access_policy;
    uint32_t person; /* user or group, else 0 */
    uint32_t first_membership;
    uint32_t tenant;   /* CmkScope.tenant of its subscription when it was made */
    uint32_t previous; /* the principal before it of the same identity or Backup vault */
    uint32_t reserved;
    CmkTime made_at;
    CmkTime token_until; /* of a deleted one: its last token runs out (MI-8), 0: none is left */
    uint64_t changed_by;
} CmkPrincipal;

typedef enum CmkAssignmentState {
    CMK_ASSIGNMENT_GRANTING, /* given, does not act yet (AC-10) */
    CMK_ASSIGNMENT_ACTIVE,
    CMK_ASSIGNMENT_REMOVING, /* taken away, still acts */
    CMK_ASSIGNMENT_REMOVED
} CmkAssignmentState;

typedef struct CmkAssignment {
    uint32_t principal;
    uint32_t role;
    uint32_t key_vault; /* scope: this key vault, */
    uint32_t key;       /* or if not 0 only this key in it */
    uint32_t state;
    uint32_t epoch;
    uint32_t next_of_principal;
    uint32_t next_of_key_vault;
    uint32_t scope;       /* or if not 0 this management group, subscription or resource group */
    uint32_t tenant;      /* CmkScope.tenant of the subscription when it was made (MI-13) */
    uint32_t managed_hsm; /* or if not 0 this Managed HSM: a local one (HSM-7), */
    uint32_t is_on_keys;  /* of all its keys (`/keys`), or if `key` says so of one of them */
    uint64_t changed_by;
} CmkAssignment;

typedef struct CmkAccessPolicy {
    uint32_t principal;
    uint32_t key_vault;
    uint32_t next_of_principal;
    uint32_t next_of_key_vault;
    uint64_t permissions;          /* with keys and secrets; 0: removed */
    uint64_t template_permissions; /* before the scenario began, which deploying restores (AC-18) */
    uint64_t permissions_before;   /* before it was written to: see models/replica.h */
    CmkTime written_at;
    uint64_t changed_by_before;
    uint64_t changed_by;
} CmkAccessPolicy;

/* ---- Backup vaults --------------------------------------------------------------------------- */

typedef enum CmkBackupVaultState {
    CMK_BACKUP_VAULT_ABSENT,
    CMK_BACKUP_VAULT_ACTIVE
} CmkBackupVaultState;
typedef enum CmkRedundancy {
    CMK_REDUNDANCY_LOCAL,
    CMK_REDUNDANCY_ZONE,
    CMK_REDUNDANCY_GEO
} CmkRedundancy;
typedef enum CmkEncryption {
    CMK_ENCRYPTION_DISABLED, /* platform-managed keys */
    CMK_ENCRYPTION_ENABLED,
    CMK_ENCRYPTION_INCONSISTENT
} CmkEncryption;

/* Of backup data (BV-6); the first is what a new vault has. */
typedef enum CmkSoftDelete {
    CMK_SOFT_DELETE_ON,
    CMK_SOFT_DELETE_OFF,
    CMK_SOFT_DELETE_ALWAYS_ON /* for good */
} CmkSoftDelete;
#define CMK_SOFT_DELETE_DAYS 14 /* BV-6: the usual and least; and what is free (COST-19) */
#define CMK_SOFT_DELETE_DAYS_MAX 180

/* Of points in the vault and archive tiers (BV-9); the first is what a new vault has. */
typedef enum CmkImmutability {
    CMK_IMMUTABILITY_DISABLED,
    CMK_IMMUTABILITY_UNLOCKED,
    CMK_IMMUTABILITY_LOCKED /* for good */
} CmkImmutability;

/* Whether restores may go to other subscriptions (BV-5); the first is what a new vault has. */
typedef enum CmkCrossSubscription {
    CMK_CROSS_SUBSCRIPTION_ENABLED,
    CMK_CROSS_SUBSCRIPTION_DISABLED,
    CMK_CROSS_SUBSCRIPTION_PERMANENTLY_DISABLED
} CmkCrossSubscription;

/* What is going on with a vault as a resource (BV-12); moves and deletions show as Updating. */
typedef enum CmkProvisioning {
    CMK_PROVISIONING_NONE, /* there is no vault */
    CMK_PROVISIONING_CREATING,
    CMK_PROVISIONING_UPDATING, /* the encryption settings */
    CMK_PROVISIONING_MOVING,
    CMK_PROVISIONING_DELETING,
    CMK_PROVISIONING_SUCCEEDED,
    CMK_PROVISIONING_FAILED
} CmkProvisioning;

typedef struct CmkBackupVault {
    uint32_t name;
    uint32_t region;
    uint32_t state;
    uint32_t epoch;
    uint32_t redundancy;
    uint32_t has_infrastructure_encryption;
    uint32_t encryption;     /* CmkEncryption */
    uint32_t key;            /* of the settings, 0 before the first */
    uint32_t pinned_version; /* 0: versionless URI */
    uint32_t active_version; /* the data key is wrapped with this one */
    uint32_t identity;  /* user-assigned identity of the settings, 0: the system-assigned one */
    uint32_t principal; /* the settings are bound to this one */
    uint32_t system_principal; /* of the system-assigned identity now, 0 while it is off */
    uint32_t first_attachment;
    uint32_t first_instance;
    uint32_t next_of_key;
    uint32_t healing_epoch;         /* pending attempts to restore the settings carry it */
    uint32_t is_rotating;           /* a take-up of a newer version is on its way */
    uint32_t is_broken_by_identity; /* Inconsistent because the identity went, not by a failure */
    uint32_t provisioning;          /* CmkProvisioning */
    uint32_t soft_delete;           /* CmkSoftDelete */
    uint32_t soft_delete_days;      /* BV-6 */
    uint32_t data_key;              /* its own one; new points are under it or a later one */
    uint32_t platform_data_keys;    /* those below it stay under platform keys (OQ-15) */
    uint32_t resource_group;        /* scope */
    uint32_t moving_to;             /* scope, while it moves */
    uint32_t has_cross_region_restore; /* never off again (BV-4) */
    uint32_t last_statement;           /* accounts closed at other terms than the present ones */
    uint32_t last_system_principal;    /* the newest, deleted ones included */
    uint32_t is_service_failing; /* the Backup service meets internal errors in its work for it */
    uint32_t last_data_key;      /* counts the data keys of this name, those of points included */
    uint32_t first_policy;       /* of those that are or were in it, linked by next_of_vault */
    uint32_t deleted_from;       /* region of the last vault of this name that is gone and still
                                    listed, 0: none is (BV-11) */
    uint32_t deleted_group; /* scope of the same one, where rights to read of it are looked for */
    uint32_t deleted_epoch; /* the pending timer of its purge carries it */
    uint32_t old_version;   /* of its key, that the next backup needs too (ROT-6); 0: none */
    uint32_t is_half_rewrapped;  /* jobs are refused until it is repeated (OQ-27) */
    uint32_t immutability;       /* CmkImmutability */
    uint32_t cross_subscription; /* CmkCrossSubscription */
    uint32_t resource_guard;     /* whose consent critical operations need, 0: nobody's (MUA-1) */
    uint32_t first_private_endpoint; /* of its own, which are not those of its key vault (NET-10) */
    uint32_t private_endpoint_count;
    CmkTime dek_known_until; /* Backup still holds the data key that it had unwrapped (OQ-10) */
    CmkTime deleted_at;      /* of the one that is listed */
    CmkTime deleted_purge_at;
    uint64_t deleted_by;    /* record that last changed these */
    uint64_t encryption_by; /* record that last changed the encryption settings */
    uint64_t system_by;     /* record that last switched the system-assigned identity */
    uint64_t service_by;    /* record that last changed is_service_failing */
    uint64_t changed_by;
} CmkBackupVault;

/* Critical operations on Backup vaults that a resource guard may let go without its consent. */
#define CMK_EXCLUDABLE_OPERATIONS(X)                                                               \
    X(INSTANCE_DELETE)                                                                             \
    X(INSTANCE_STOP_PROTECTION)                                                                    \
    X(INSTANCE_SUSPEND_BACKUPS)                                                                    \
    X(INSTANCE_CHANGE_POLICY)

/* A resource of somebody else's who is to be asked before backup data can be harmed (MUA-1). There
 * from the start. */
typedef struct CmkResourceGuard {
    uint32_t name;
    uint32_t resource_group; /* scope */
    uint32_t excluded;       /* bit per line of CMK_EXCLUDABLE_OPERATIONS */
    uint32_t reserved;
    uint64_t changed_by;
} CmkResourceGuard;

/* What each Backup vault is measured by: gauge row (vault - 1) * CMK_GAUGE__COUNT + kind + 1. */
typedef enum CmkGaugeKind {
    CMK_GAUGE_OPERATIONAL,       /* bytes of snapshots */
    CMK_GAUGE_VAULT,             /* bytes in the vault tier */
    CMK_GAUGE_ARCHIVE,           /* bytes in the archive tier */
    CMK_GAUGE_OVERDUE_SNAPSHOTS, /* bytes of snapshots kept past their expiry */
    CMK_GAUGE_OVERDUE_VAULT,     /* bytes kept in the vault tier past their expiry */
    CMK_GAUGE_OVERDUE_ARCHIVE,   /* bytes kept in the archive tier past their expiry */
    CMK_GAUGE_LATE_TIERING,      /* bytes kept in the vault tier past their move to the archive */
    CMK_GAUGE_EARLY_DELETION,    /* integral only: archive bytes x time short of 180 days */
    CMK_GAUGE_REHYDRATED,        /* bytes of copies that came back from the archive */
    CMK_GAUGE_INSTANCES,         /* protected instances */
    CMK_GAUGE_FREE_VAULT,        /* bytes of deleted data in the vault tier that cost nothing */
    CMK_GAUGE_FREE_ARCHIVE,      /* the same in the archive tier (COST-19) */
    CMK_GAUGE__COUNT
} CmkGaugeKind;

/* What was measured at the terms that a Backup vault had until then: its redundancy, its region and
 * whether it offered cross-region restore have each a price. */
typedef struct CmkStatement {
    uint32_t region;
    uint32_t redundancy;
    uint32_t has_cross_region_restore;
    uint32_t next_of_vault; /* the one before */
    CmkTime from;
    CmkTime to;
    uint64_t integrals[CMK_GAUGE__COUNT][2]; /* low, high: as in CmkGauge */
} CmkStatement;

/* A level and its exact integral over time. */
typedef struct CmkGauge {
    int64_t level;         /* bytes, or instances */
    CmkTime since;         /* the integral is up to here */
    uint64_t integral_low; /* level x microseconds, 128 bits */
    uint64_t integral_high;
} CmkGauge;

typedef struct CmkAttachment {
    uint32_t backup_vault;
    uint32_t identity;
    uint32_t is_attached;
    uint32_t next_of_vault;
    uint32_t next_of_identity;
    uint32_t is_orphaned; /* not detached by anybody: the identity was deleted (MI-8) */
    uint64_t changed_by;
} CmkAttachment;

/* ---- protection ------------------------------------------------------------------------------ */

/* The retention rules that a policy may have (BK-10): what the tag of a point names. */
typedef enum CmkTag {
    CMK_TAG_DEFAULT,
    CMK_TAG_DAILY,
    CMK_TAG_WEEKLY,
    CMK_TAG_MONTHLY,
    CMK_TAG_YEARLY,
    CMK_TAG__COUNT
} CmkTag;

/* Which scheduled backups a retention rule takes (BK-11). */
typedef enum CmkCriterion {
    CMK_CRITERION_NONE, /* the policy has no such rule */
    CMK_CRITERION_FIRST_OF_DAY,
    CMK_CRITERION_FIRST_OF_WEEK,
    CMK_CRITERION_FIRST_OF_MONTH,
    CMK_CRITERION_FIRST_OF_YEAR,
    CMK_CRITERION_ALL_BACKUPS,
    CMK_CRITERION_CALENDAR /* those of certain days and times */
} CmkCriterion;

/* The days and times of CMK_CRITERION_CALENDAR, by the schedule's own clock. A backup is taken that
 * has each kind of them that is not empty. */
typedef struct CmkCalendar {
    uint32_t days_of_week;   /* bit 0: Monday */
    uint32_t weeks_of_month; /* bits 0 to 3: the first to the fourth seven days, bit 4: the last */
    uint32_t days_of_month;  /* bits 1 to 31; bit 0: the last one */
    uint32_t months;         /* bit 0: January */
    uint32_t time_count;
    uint32_t minutes[7]; /* of the day, at which the schedule starts backups */
} CmkCalendar;
#define CMK_CALENDAR_TIMES_MAX 7

/* When points move from the vault to the archive (BK-9). */
typedef enum CmkArchiving {
    CMK_ARCHIVING_NEVER,
    CMK_ARCHIVING_IMMEDIATELY,
    CMK_ARCHIVING_ON_EXPIRY, /* of their time in the vault; then their time in the archive begins */
    CMK_ARCHIVING_AFTER
} CmkArchiving;

typedef struct CmkRetention {
    uint32_t criterion;     /* CmkCriterion */
    uint32_t priority;      /* the lowest number wins (BK-12) */
    uint32_t archiving;     /* CmkArchiving */
    uint32_t is_not_copied; /* its backups stay in the operational tier (BK-24) */
    CmkPeriod operational;  /* zero, also below: what is usual for the datasource */
    CmkPeriod vault;        /* from the backup on, whichever tier the point is in */
    CmkPeriod archive_after;
    CmkPeriod archive; /* with ON_EXPIRY: how long the archive keeps it from then on */
    CmkCalendar calendar;
} CmkRetention;

typedef struct CmkSchedule {
    CmkTime start;
    CmkPeriod period;
} CmkSchedule;

#define CMK_SCHEDULES_MAX 8
#define CMK_PRIORITY_DEFAULT 99 /* of the default rule (BK-12) */

typedef enum CmkPolicyState {
    CMK_POLICY_ABSENT, /* described, but in no vault unless somebody has created it there */
    CMK_POLICY_ACTIVE  /* in each vault from its first use there on */
} CmkPolicyState;

typedef struct CmkPolicy {
    uint32_t name;
    uint32_t has_operational;
    uint32_t has_vault;
    uint32_t has_archive;
    uint32_t schedule_count;
    uint32_t state;
    uint64_t changed_by;
    int64_t utc_offset_us; /* of the schedules' own clock: where a day begins (BK-6) */
    CmkSchedule schedules[CMK_SCHEDULES_MAX];
    CmkRetention retention[CMK_TAG__COUNT]; /* that of DEFAULT is always there */
} CmkPolicy;

/* One row for each pair of a Backup vault and a policy that has ever been in it (BV-10). */
typedef struct CmkVaultPolicy {
    uint32_t backup_vault;
    uint32_t policy;
    uint32_t next_of_vault;
    uint32_t is_there;
    uint64_t changed_by;
} CmkVaultPolicy;

/* The states of BK-23. The last three are never in CmkInstance.state: they are shown over one that
 * is (cmk_instance_shown()). */
typedef enum CmkInstanceState {
    CMK_INSTANCE_ABSENT,
    CMK_INSTANCE_PROTECTED,
    CMK_INSTANCE_SUSPENDED, /* no new backups; points expire, all but the latest (BK-15) */
    CMK_INSTANCE_STOPPED,   /* no new backups, and every point is kept (BK-15) */
    CMK_INSTANCE_SOFT_DELETED,
    CMK_INSTANCE_PURGED,      /* nothing is left, and there is no way back */
    CMK_INSTANCE_CONFIGURING, /* not backed up yet */
    CMK_INSTANCE_CONFIGURING_FAILED,

    CMK_INSTANCE_ERROR,         /* over PROTECTED: its backups fail */
    CMK_INSTANCE_UPDATING,      /* over one that keeps points: its policy has just changed */
    CMK_INSTANCE_SOFT_DELETING, /* over SOFT_DELETED */
    CMK_INSTANCE__COUNT
} CmkInstanceState;

/* What the states are called where people read them (BK-23); `Purged` and, before protection, what
 * stands for 0 are told too, though the service shows nothing for what is gone. Of its other names
 * nothing leads to `Invalid`, for what is configured is not checked again, nor to
 * `RetentionSchedulesSuspended`: whoever stops protection keeps every point (BK-15). */
#define CMK_INSTANCE_NOT_PROTECTED "NotProtected"
#define CMK_INSTANCE_STATES(X)                                                                     \
    X(PROTECTED, "ProtectionConfigured")                                                           \
    X(SUSPENDED, "BackupSchedulesSuspended")                                                       \
    X(STOPPED, "ProtectionStopped")                                                                \
    X(SOFT_DELETED, "SoftDeleted")                                                                 \
    X(PURGED, "Purged")                                                                            \
    X(CONFIGURING, "ConfiguringProtection")                                                        \
    X(CONFIGURING_FAILED, "ConfiguringProtectionFailed")                                           \
    X(ERROR, "ProtectionError")                                                                    \
    X(UPDATING, "UpdatingProtection")                                                              \
    X(SOFT_DELETING, "SoftDeleting")

typedef struct CmkInstance {
    uint32_t name;
    uint32_t backup_vault;
    uint32_t datasource;
    uint32_t policy;
    uint32_t state;
    uint32_t first_queue;
    uint32_t next_of_vault;
    uint32_t sample_bytes; /* size of the sample that is really encrypted for each point */
    uint32_t passing;      /* CmkInstanceState that is shown for a while, 0 if none is */
    uint32_t secret;       /* credentials that its jobs read, 0: none (BK-2) */
    int64_t size_bytes;
    int64_t daily_change_ppm;
    int64_t
        schedule_offset_us; /* later than the policy says, so that a fleet does not start at once */
    CmkTime purge_at;       /* of a soft-deleted one: when its data goes for good */
    int64_t free_vault_bytes; /* of a soft-deleted one: what is not charged any more (COST-19) */
    int64_t free_archive_bytes;
    uint64_t epoch; /* pending timers carry it */
    uint64_t changed_by;
} CmkInstance;

typedef enum CmkStore {
    CMK_STORE_OPERATIONAL,
    CMK_STORE_VAULT
} CmkStore;

/* The points of one retention rule, linked by next_of_tag: since a rule keeps all of them for the
 * same time, the oldest is always the next to go. */
typedef struct CmkFifo {
    uint32_t first;
    uint32_t last;
    uint32_t next_to_tier; /* oldest point that is still in the vault tier, 0 if none */
    uint32_t reserved;
} CmkFifo;

/* The recovery points of one instance in one store: a chain in time, since increments stand on one
 * another, and a queue for each retention rule. */
typedef struct CmkQueue {
    uint32_t instance;
    uint32_t store; /* CmkStore */
    uint32_t first_point;
    uint32_t last_point;
    uint32_t point_count;
    uint32_t next_of_instance;
    uint32_t backup_task;    /* the backup that is under way, 0 if none */
    uint32_t epoch;          /* the pending timer of the schedule carries it */
    uint32_t failed_backups; /* in a row */
    uint32_t reserved;
    CmkFifo fifo[CMK_TAG__COUNT];
    CmkTime last_backup;    /* 0 before the first */
    CmkTime last_scheduled; /* start of the last scheduled backup that ended well, 0 before it */
} CmkQueue;

typedef enum CmkTier {
    CMK_TIER_OPERATIONAL,
    CMK_TIER_VAULT,
    CMK_TIER_ARCHIVE
} CmkTier;

typedef struct CmkPoint {
    uint32_t next_free;
    uint32_t is_live;
    uint32_t queue;
    uint32_t tier;
    uint32_t previous; /* in the chain of its queue */
    uint32_t next;
    uint32_t tag; /* CmkTag: its retention rule, by that of its instance's policy */
    uint32_t next_of_tag;
    uint32_t is_expiry_overdue;
    uint32_t is_tiering_overdue;
    uint32_t data_key; /* of its vault when it was made, or a later one of its own (OQ-28) */
    uint32_t is_span;  /* of continuous backups: each moment from `created` on (BK-D2) */
    CmkTime created;
    CmkTime ended; /* of a span: its last moment, 0 while it goes on */
    CmkTime archived_at;
    CmkTime rehydrated_until; /* a copy of it is in the vault tier too (BK-26); 0: none is */
    int64_t bytes;
    int64_t overdue_bytes; /* what its expiry would have freed when it became overdue */
    uint64_t created_by;   /* also names the sample */
    uint64_t changed_by;
} CmkPoint;

/* How fast a point comes back from the archive (BK-29). */
typedef enum CmkRehydration {
    CMK_REHYDRATION_STANDARD,
    CMK_REHYDRATION_HIGH
} CmkRehydration;

/* ---- jobs ------------------------------------------------------------------------------------ */

typedef enum CmkTaskKind {
    CMK_TASK_BACKUP,
    CMK_TASK_RESTORE,
    CMK_TASK_TIERING,
    CMK_TASK_EXPIRY,
    CMK_TASK_SETTINGS,
    CMK_TASK_ROTATION,
    CMK_TASK_BACKUP_ON_DEMAND,
    CMK_TASK_DELETION, /* of a Backup vault */
    CMK_TASK__COUNT
} CmkTaskKind;

typedef enum CmkTaskState {
    CMK_TASK_RUNNING = 1,
    CMK_TASK_COMPLETED,
    CMK_TASK_COMPLETED_WITH_WARNINGS, /* a step of it had to be tried again (BK-18) */
    CMK_TASK_FAILED
} CmkTaskState;

/* Multi-step work. The row is recycled when it ends; a reader of its last record still sees it. */
typedef struct CmkTask {
    uint32_t next_free;
    uint32_t kind;
    uint32_t state;
    uint32_t step;    /* the next one to do */
    uint32_t attempt; /* retries of that step so far */
    uint32_t backup_vault;
    uint32_t queue;
    uint32_t point;
    uint32_t origin;
    uint32_t target_version;   /* settings, rotation: the version to wrap with */
    uint32_t target_identity;  /* settings: identity to use, 0: system-assigned */
    uint32_t target_principal; /* settings: its principal */
    uint32_t target_pinned;    /* settings: 1 if the URI names the version */
    uint32_t target_key;       /* settings, rotation: the key of that version */
    uint32_t retries;          /* of all steps together */
    uint32_t is_in_pair;       /* a restore that runs in the pair of the vault's region */
    uint32_t tag;              /* CmkTag of a backup on demand */
    uint32_t priority;         /* CmkRehydration of a restore */
    uint32_t at_point;         /* whose own data key the step is about, 0: the vault's (OQ-28) */
    uint32_t old_version;      /* backup: the one left behind that it has unwrapped with (ROT-6) */
    uint32_t has_rewrapped;    /* settings, rotation: the vault's own data key, at least */
    uint32_t reserved;
    uint64_t at_point_by; /* CmkPoint.created_by of that, since points are recycled */
    CmkTime started;
    CmkTime restored_to; /* restore: the moment whose data comes back */
    uint64_t started_by;
    uint64_t point_by; /* restore: CmkPoint.created_by, since points are recycled */
    uint64_t status;   /* CmkStatus of a failed one */
} CmkTask;

/* ---- what is planned ------------------------------------------------------------------------- */

typedef enum CmkPlanKind {
    CMK_PLAN_STEP,
    CMK_PLAN_FAULT,
    CMK_PLAN_FAULT_END /* the fault's own end; `of` is its row */
} CmkPlanKind;

typedef struct CmkPlanRow {
    uint32_t name;     /* the `id` of the scenario, 0 if it has none */
    uint32_t kind;     /* CmkPlanKind */
    uint32_t remedies; /* plan row of the fault that this step remedies, 0 if none */
    uint32_t of;
    uint32_t is_in_force; /* a fault that has acted and is neither over nor remedied */
    uint32_t reserved;
    CmkTime time;
    uint64_t acted_by; /* a fault: the record by which it acted, 0 before */
    CmkArgs args; /* actor and origin included; of a fault and its end as models/revert.h says */
} CmkPlanRow;

/* ---- accessors ------------------------------------------------------------------------------- */

#define X(id, name, type, handle, scratch, text)                                                   \
    _Static_assert(sizeof(type) % 8 == 0, #type " has no padding at its end");                     \
    static inline const type *cmk_##name(const CmkWorld *world, handle id_of_row)                  \
    {                                                                                              \
        return (const type *)cmk_world_row(world, CMK_TABLE_##id, id_of_row.i);                    \
    }
CMK_TABLES(X)
#undef X

/* "cmk_backup_vault_of(world, args)": the row that an operation is about, as its arguments refer to
 * it. */
#define CMK_REFERRED_ROWS(X)                                                                       \
    X(BACKUP_VAULT, backup_vault, CmkBackupVault, CmkBackupVaultId)                                \
    X(INSTANCE, instance, CmkInstance, CmkInstanceId)                                              \
    X(POINT, point, CmkPoint, CmkPointId)                                                          \
    X(TASK, task, CmkTask, CmkTaskId)                                                              \
    X(KEY_VAULT, key_vault, CmkKeyVault, CmkKeyVaultId)                                            \
    X(MANAGED_HSM, managed_hsm, CmkManagedHsm, CmkManagedHsmId)                                    \
    X(KEY, key, CmkKey, CmkKeyId)                                                                  \
    X(IDENTITY, identity, CmkIdentity, CmkIdentityId)                                              \
    X(SECRET, secret, CmkSecret, CmkSecretId)
#define X(id, name, type, handle)                                                                  \
    static inline const type *cmk_##name##_of(const CmkWorld *world, const CmkArgs *args)          \
    {                                                                                              \
        return cmk_##name(world, (handle){args->ref[CMK_REF_##id]});                               \
    }
CMK_REFERRED_ROWS(X)
#undef X

/* The name of a row, closed by a zero; "" for name 0. */
const char *cmk_name(const CmkWorld *world, uint32_t name);

/* Whether something is called `name` when people write `written`: the case does not count, nor do
 * the blanks with which regions are displayed. */
bool cmk_is_same_name(const char *name, const char *written);

/* The value of a knob in this world. */
int64_t cmk_knob(const CmkWorld *world, CmkKnobId knob);

/* Whether the scenario has begun (the set-up before it is over). */
bool cmk_is_open(const CmkWorld *world);

#endif
