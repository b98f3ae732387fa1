/*
 * The language of scenario files: what each map in them may hold, as structs and field tables. All
 * knowledge of keys, types, ranges, defaults and what a key means is here.
 *
 * Must not know: how a world is made from it.
 */
#ifndef CMK_SCENARIOS_LANGUAGE_H
#define CMK_SCENARIOS_LANGUAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "models/model.h"
#include "scenarios/fields.h"

#define CMK_INSTANCE_BYTES_MAX ((int64_t)1 << 50)

/* The `cmksim:` that this program reads. */
#define CMK_LANGUAGE_VERSION 1

/* ---- world ----------------------------------------------------------------------------------- */

typedef struct CmkScopeItem {
    const CmkNode *node;
    const CmkNode *name;
    uint32_t kind; /* CmkScopeKind */
    uint32_t reserved;
    CmkReference in;
} CmkScopeItem;

typedef struct CmkNetworkItem {
    const CmkNode *node;
    const CmkNode *name;
    uint32_t kind; /* CmkNetworkKind */
    CmkAddressRange range;
    uint32_t reserved;
} CmkNetworkItem;

typedef struct CmkUserItem {
    const CmkNode *node;
    const CmkNode *name;
    CmkReference network; /* absent: the open internet */
} CmkUserItem;

typedef struct CmkGroupItem {
    const CmkNode *node;
    const CmkNode *name;
    GArray *members; /* of CmkReference */
} CmkGroupItem;
typedef struct CmkRotationPolicyItem {
    const CmkNode *node; /* NULL: none */
    int64_t rotate_after_us;
    int64_t rotate_before_expiry_us;
    int64_t expiry_us;
    int64_t notify_before_expiry_us;
    int64_t notify_after_us;
} CmkRotationPolicyItem;

typedef struct CmkKeyItem {
    const CmkNode *node;
    const CmkNode *name;
    bool does_exist; /* false: the name only, for a step that creates it */
    bool is_enabled;
    uint32_t type;      /* CmkKeyType */
    uint32_t curve;     /* CmkCurve; 0: the usual one, or none */
    int64_t size_bits;  /* 0: the usual one of the type, or none */
    int64_t versions;   /* how many it has at the start; what is said of the key holds for each */
    CmkTime expires;    /* 0: never */
    CmkTime not_before; /* 0: since it was made */
    GArray *key_ops;    /* of uint32_t: bits of CMK_KEY_OPS_ALL; NULL: what its type can do */
    CmkRotationPolicyItem rotation_policy;
} CmkKeyItem;

typedef struct CmkSecretItem {
    const CmkNode *node;
    const CmkNode *name;
    bool does_exist; /* false: the name only, for a step that puts a secret there */
    bool is_enabled;
} CmkSecretItem;

typedef struct CmkAccessPolicyItem {
    const CmkNode *node;
    CmkReference principal;
    GArray *permissions; /* of uint32_t: index into the vocabulary of permissions */
} CmkAccessPolicyItem;

/* Who may reach a key vault. */
typedef struct CmkNetworkRulesItem {
    const CmkNode *node;     /* NULL: everybody */
    uint32_t public_access;  /* CmkPublicAccess */
    uint32_t default_action; /* CmkDefaultAction */
    uint32_t bypass;         /* CmkBypass */
    uint32_t reserved;
    GArray *rules;             /* these are of CmkReference: networks that the firewall lets in, */
    GArray *perimeter_rules;   /* networks and subscriptions that the perimeter does, */
    GArray *private_endpoints; /* and subnets */
} CmkNetworkRulesItem;

typedef struct CmkKeyVaultItem {
    const CmkNode *node;
    const CmkNode *name;
    uint32_t region;
    uint32_t permission_model; /* CmkPermissionModel */
    uint32_t sku;              /* CmkSku */
    bool has_soft_delete;
    bool has_purge_protection;
    bool does_exist; /* false: the name only, for a step that creates it */
    int64_t retention_days;
    CmkReference resource_group;
    CmkNetworkRulesItem network;
    GArray *keys;            /* of CmkKeyItem */
    GArray *secrets;         /* of CmkSecretItem */
    GArray *access_policies; /* of CmkAccessPolicyItem */
} CmkKeyVaultItem;

typedef struct CmkManagedHsmItem {
    const CmkNode *node;
    const CmkNode *name;
    uint32_t region;
    uint32_t second_region; /* 0: none */
    bool has_purge_protection;
    bool does_exist;   /* false: the name only, for a step that creates it */
    bool is_activated; /* false: provisioned only */
    int64_t retention_days;
    int64_t domain_keys;
    int64_t domain_quorum;
    CmkReference resource_group;
    CmkNetworkRulesItem network;
    GArray *administrators; /* of CmkReference */
    GArray *keys;           /* of CmkKeyItem */
} CmkManagedHsmItem;

typedef struct CmkIdentityItem {
    const CmkNode *node;
    const CmkNode *name;
    uint32_t region;
    uint32_t reserved;
    CmkReference resource_group;
} CmkIdentityItem;

typedef struct CmkDatastoresItem {
    const CmkNode *node;
    CmkPeriod operational; /* zero: not kept there */
    CmkPeriod vault;
} CmkDatastoresItem;

/* How points move to the archive: what a policy says of all its points, a rule of its own. */
typedef struct CmkArchiveItem {
    uint32_t when; /* index into the words "after", "immediately", "on_expiry" */
    uint32_t reserved;
    CmkPeriod after; /* zero: not given */
    CmkPeriod keep;  /* with "on_expiry": how long in the archive */
} CmkArchiveItem;

/* Which backups a rule takes by the calendar; each list is NULL where it does not matter. */
typedef struct CmkCalendarItem {
    const CmkNode *node;    /* NULL: the rule says no days or times */
    GArray *days_of_week;   /* of uint32_t, as all: 0 for Monday */
    GArray *weeks_of_month; /* 0 for the first, 4 for the last */
    GArray *days_of_month;  /* 1 to 31, 0 for the last */
    GArray *months;         /* 0 for January */
    GArray *times;          /* minutes of the day */
} CmkCalendarItem;

typedef struct CmkRetentionItem {
    const CmkNode *node;
    uint32_t tag;   /* index into cmk_vocabulary_tags */
    uint32_t takes; /* CmkCriterion - 1 */
    CmkCalendarItem takes_at;
    int64_t priority; /* 0: that of the tag */
    CmkDatastoresItem keep;
    CmkArchiveItem archive;
} CmkRetentionItem;

typedef struct CmkPolicyItem {
    const CmkNode *node;
    const CmkNode *name;
    CmkDatastoresItem datastores;
    CmkArchiveItem archive;
    CmkRepeat schedule; /* one, */
    GArray *schedules;  /* or several: of CmkRepeat */
    GArray *retention;  /* of CmkRetentionItem: rules besides the default one */
    bool does_exist;    /* false: described only, for a step that creates it */
} CmkPolicyItem;

typedef struct CmkEncryptionItem {
    const CmkNode *node; /* NULL: platform-managed keys */
    CmkReference key;
    CmkReference identity;
    bool has_infrastructure;
} CmkEncryptionItem;

typedef struct CmkInstanceItem {
    const CmkNode *node;
    const CmkNode *name;
    uint32_t datasource;
    bool does_exist; /* false: the name only, for a step that protects it */
    int64_t size_bytes;
    int64_t daily_change_ppm;
    int64_t sample_bytes;
    CmkReference policy;
    CmkReference secret;
} CmkInstanceItem;

typedef struct CmkBackupVaultItem {
    const CmkNode *node;
    const CmkNode *name;
    uint32_t region;
    uint32_t redundancy; /* CmkRedundancy */
    bool has_cross_region_restore;
    CmkReference resource_group;
    GArray *identities; /* of CmkReference */
    CmkEncryptionItem encryption;
    uint32_t soft_delete;        /* CmkSoftDelete */
    uint32_t immutability;       /* CmkImmutability */
    uint32_t cross_subscription; /* CmkCrossSubscription */
    uint32_t reserved;
    int64_t soft_delete_us;
    CmkReference resource_guard;
    GArray *private_endpoints; /* of CmkReference: subnets */
    GArray *instances;         /* of CmkInstanceItem */
} CmkBackupVaultItem;

typedef struct CmkResourceGuardItem {
    const CmkNode *node;
    const CmkNode *name;
    CmkReference resource_group;
    GArray *excludes; /* of uint32_t: bits of CmkResourceGuard.excluded */
} CmkResourceGuardItem;

typedef struct CmkGrantItem {
    const CmkNode *node;
    CmkReference principal;
    uint32_t role;
    uint32_t reserved;
    CmkReference scope;
} CmkGrantItem;

typedef struct CmkVaryScheduleItem {
    const CmkNode *node;
    int64_t uniform_us; /* each vault's schedule starts up to this much later; 0: at once */
} CmkVaryScheduleItem;

typedef struct CmkVaryItem {
    const CmkNode *node;
    CmkVaryScheduleItem schedule;
} CmkVaryItem;

typedef struct CmkFleetItem {
    const CmkNode *node;
    int64_t count;
    const CmkNode *name; /* with {n} */
    CmkReference like;
    CmkVaryItem vary;
} CmkFleetItem;

typedef struct CmkWorldItem {
    const CmkNode *node;
    GArray *scopes;          /* of CmkScopeItem */
    GArray *networks;        /* of CmkNetworkItem */
    GArray *users;           /* of CmkUserItem */
    GArray *groups;          /* of CmkGroupItem */
    GArray *key_vaults;      /* of CmkKeyVaultItem */
    GArray *managed_hsms;    /* of CmkManagedHsmItem */
    GArray *identities;      /* of CmkIdentityItem */
    GArray *policies;        /* of CmkPolicyItem */
    GArray *resource_guards; /* of CmkResourceGuardItem */
    GArray *backup_vaults;   /* of CmkBackupVaultItem */
    GArray *grants;          /* of CmkGrantItem */
    GArray *fleets;          /* of CmkFleetItem */
} CmkWorldItem;

/* ---- timeline and expectations --------------------------------------------------------------- */

typedef struct CmkTimelineItem {
    const CmkNode *node;
    CmkTime at;
    const CmkNode *id;
    const CmkNode *operation;
    CmkReference as;
    const CmkNode *fault;
    const CmkNode *with;
    const CmkNode *target;
    int64_t for_us;
    const CmkNode *remedies;
    const CmkNode *expect_status;
} CmkTimelineItem;

typedef struct CmkAlwaysItem {
    const CmkNode *node;
    const CmkNode *that;
    const CmkNode *from;
    const CmkNode *until;
} CmkAlwaysItem;

typedef struct CmkAtItem {
    const CmkNode *node;
    CmkTime time;
    const CmkNode *that;
} CmkAtItem;

typedef struct CmkEventuallyItem {
    const CmkNode *node;
    const CmkNode *that;
    int64_t within_us;
    const CmkNode *after;
} CmkEventuallyItem;

/* Exactly one of the five is there. */
typedef struct CmkExpectItem {
    const CmkNode *node;
    CmkAlwaysItem always;
    const CmkNode *never;
    const CmkNode *final;
    CmkAtItem at;
    CmkEventuallyItem eventually;
} CmkExpectItem;

/* ---- the file -------------------------------------------------------------------------------- */

typedef struct CmkFileItem {
    const CmkNode *node;
    int64_t version;
    const CmkNode *name;
    const CmkNode *summary;
    GArray *tags;  /* of const CmkNode * */
    GArray *shows; /* of uint32_t: rules */
    CmkTime start;
    CmkPeriod horizon;
    uint64_t seed;
    uint32_t profile;
    const CmkNode *settings;
    const CmkNode *prices;
    CmkWorldItem world;
    GArray *timeline; /* of CmkTimelineItem */
    GArray *expect;   /* of CmkExpectItem */
} CmkFileItem;

/* The table of the whole file, from which all others can be reached. */
const CmkFields *cmk_language_fields(void);

/* The parts of it for `world` and for the policies in there, each in a file of its own. */
extern const CmkFields cmk_language_world_fields;
extern const CmkFields cmk_language_policy_fields;

/* ---- words ----------------------------------------------------------------------------------- */

extern const CmkVocabulary cmk_vocabulary_regions;
extern const CmkVocabulary cmk_vocabulary_roles;
extern const CmkVocabulary cmk_vocabulary_datasources;
extern const CmkVocabulary cmk_vocabulary_rules;
extern const CmkVocabulary cmk_vocabulary_profiles;
extern const CmkVocabulary cmk_vocabulary_knobs;
/* Operations that a step may ask for: those that name what they are about. */
extern const CmkVocabulary cmk_vocabulary_operations;
extern const CmkVocabulary cmk_vocabulary_faults;
/* "ok" and the codes that a step may end with; the number is the row of the status. */
extern const CmkVocabulary cmk_vocabulary_statuses;
/* Word i stands for CmkPermissionModel i. */
extern const CmkVocabulary cmk_vocabulary_permission_models;
/* The names of the retention rules; the number is the CmkTag. */
extern const CmkVocabulary cmk_vocabulary_tags;
/* The number is the CmkSoftDelete. */
extern const CmkVocabulary cmk_vocabulary_skus;
extern const CmkVocabulary cmk_vocabulary_soft_delete;
/* These: what the service's words for network settings stand for. */
extern const CmkVocabulary cmk_vocabulary_public_access;
extern const CmkVocabulary cmk_vocabulary_default_actions;
extern const CmkVocabulary cmk_vocabulary_bypasses;
/* Word i stands for bit i of CMK_PERMISSION_*, but "all" for all of them (AC-6). */
extern const CmkVocabulary cmk_vocabulary_permissions;
uint64_t cmk_permission_bits(uint32_t word);
/* Those of them that a key can be limited to, with the same numbers (KV-20). */
extern const CmkVocabulary cmk_vocabulary_key_ops;
/* "EC-HSM": CmkKeyType, and "P-256K": CmkCurve. */
extern const CmkVocabulary cmk_vocabulary_key_types;
extern const CmkVocabulary cmk_vocabulary_curves;
extern const CmkVocabulary cmk_vocabulary_redundancies;
extern const CmkVocabulary cmk_vocabulary_encryption;
extern const CmkVocabulary cmk_vocabulary_cross_subscription;
extern const CmkVocabulary cmk_vocabulary_immutability;
/* Operations by their names, in the order of CMK_EXCLUDABLE_OPERATIONS. */
extern const CmkVocabulary cmk_vocabulary_excludable; /* index + 1: as CmkArgs has it */

#endif
