/*
 * The model of the simulated cloud as a whole, and its constant tables: what those who read a
 * journal need in order to say in words what the numbers in it mean.
 */
#ifndef CMK_MODELS_MODEL_H
#define CMK_MODELS_MODEL_H

#include "models/entities.h"

/* All operations, guards, statuses, events, knobs and invariants. */
const CmkModel *cmk_azure_model(void);

/* ---- making a world -------------------------------------------------------------------------- */

/* How many rows of each kind a world must hold. */
typedef struct CmkLimits {
    uint32_t rows[CMK_TABLE__COUNT]; /* by table; those of the agenda follow from `timers` */
    uint32_t timers;
} CmkLimits;

/* A world without anything in it, at time `setup`, with the given knobs; NULL without memory. */
CmkWorld *cmk_azure_world_new(const CmkLimits *limits, uint64_t seed, CmkTime setup, CmkTime start,
                              const int64_t knobs[CMK_KNOB__COUNT]);

/* Each declares a name: a row that is there, in state absent, before anything lives under it.
 * Allowed before the first operation only. Names need not be unique here. */
uint32_t cmk_declare_name(CmkWorld *world, const char *text);
CmkKeyVaultId cmk_declare_key_vault(CmkWorld *world, const char *name);
CmkKeyId cmk_declare_key(CmkWorld *world, CmkKeyVaultId key_vault, const char *name);
CmkSecretId cmk_declare_secret(CmkWorld *world, CmkKeyVaultId key_vault, const char *name);
/* There from the start, in the default resource group for {0}; `excluded` as in its row. */
CmkResourceGuardId cmk_declare_resource_guard(CmkWorld *world, CmkScopeId resource_group,
                                              uint32_t excluded, const char *name);
CmkManagedHsmId cmk_declare_managed_hsm(CmkWorld *world, const char *name);
CmkKeyId cmk_declare_hsm_key(CmkWorld *world, CmkManagedHsmId managed_hsm, const char *name);
CmkIdentityId cmk_declare_identity(CmkWorld *world, const char *name);
/* It lies in `parent`, {0} if it is the outermost, which may be declared later. */
CmkScopeId cmk_declare_scope(CmkWorld *world, CmkScopeKind kind, CmkScopeId parent,
                             const char *name);
/* Where somebody asks from or is let in; the name in `network` is filled in. */
CmkNetworkId cmk_declare_network(CmkWorld *world, const CmkNetwork *network, const char *name);
/* A user or group, with its principal, there from the start. */
CmkPersonId cmk_declare_person(CmkWorld *world, CmkPersonKind kind, const char *name);
CmkBackupVaultId cmk_declare_backup_vault(CmkWorld *world, const char *name);
CmkInstanceId cmk_declare_instance(CmkWorld *world, CmkBackupVaultId vault, const char *name);
/* By how much the backups of a declared instance come later than its policy says. */
void cmk_delay_instance(CmkWorld *world, CmkInstanceId id, int64_t offset_us);
/* Puts what was declared into another resource group than the default one. */
void cmk_place_key_vault(CmkWorld *world, CmkKeyVaultId id, CmkScopeId resource_group);
void cmk_place_managed_hsm(CmkWorld *world, CmkManagedHsmId id, CmkScopeId resource_group);
void cmk_place_identity(CmkWorld *world, CmkIdentityId id, CmkScopeId resource_group);
/* The network that a user asks from, which else is the open internet. */
void cmk_place_person(CmkWorld *world, CmkPersonId id, CmkNetworkId network);
void cmk_place_backup_vault(CmkWorld *world, CmkBackupVaultId id, CmkScopeId resource_group);
CmkPolicyId cmk_declare_policy(CmkWorld *world, const CmkPolicy *policy, const char *name);
/* Plans an operation for `row->time`: the PLAN timer is set by simulation.open. */
CmkPlanId cmk_declare_plan(CmkWorld *world, const CmkPlanRow *row, const char *name);

/* ---- rules ----------------------------------------------------------------------------------- */

typedef struct CmkRule {
    const char *id;           /* "BV-17" */
    const char *provenance;   /* "article", "documented", "inferred" or "assumed" */
    const char *out_of_scope; /* why it is left out; NULL: it is to be modelled */
    const char *text;         /* one sentence */
} CmkRule;

/* NULL for an unknown ID; `length` characters of `id` are looked at. O(log rules). */
const CmkRule *cmk_rule_find(const char *id, size_t length);
const CmkRule *cmk_rules(uint32_t *ret_count);

/* ---- regions --------------------------------------------------------------------------------- */

typedef struct CmkRegionFacts {
    const char *name; /* "westeurope" */
    const char *display_name;
    const char *pair; /* NULL: none */
    bool has_zones;
    bool has_key_vault_failover; /* REL-2 */
    bool is_restricted;
} CmkRegionFacts;

/* Element 0 is empty: region i of the world goes with element i. */
const CmkRegionFacts *cmk_region_facts(uint32_t *ret_count);

/* Accepts "westeurope" and "West Europe", case-insensitively; {0} if unknown. */
CmkRegionId cmk_region_find(const char *name);

/* ---- roles, datasources ---------------------------------------------------------------------- */

typedef enum CmkRoleKind {
    CMK_ROLE_OF_RESOURCES,
    CMK_ROLE_OF_DATA, /* whoever may assign data roles only may assign it (AC-R9) */
    CMK_ROLE_LOCAL    /* of Managed HSMs, where no other role counts (HSM-7) */
} CmkRoleKind;

typedef struct CmkRoleFacts {
    const char *name; /* display name */
    const char *guid;
    const char *rule;
    CmkPermissions permissions; /* that its actions and data actions amount to */
    uint32_t kind;              /* CmkRoleKind */
} CmkRoleFacts;

/* Element 0 is empty. */
const CmkRoleFacts *cmk_role_facts(uint32_t *ret_count);
/* By display name or GUID; 0 if unknown. */
uint32_t cmk_role_find(const char *name);

/* How often a schedule starts backups: bits of CmkDatasourceFacts.schedules. */
enum {
    CMK_SCHEDULE_HOURLY = 1 << 0, /* every 4, 6, 8 or 12 hours */
    CMK_SCHEDULE_DAILY = 1 << 1,
    CMK_SCHEDULE_WEEKLY = 1 << 2
};

typedef struct CmkDatasourceFacts {
    const char *name; /* as in the command line: "AzureDisk" */
    const char *resource_type;
    const char *rule;
    bool has_operational;
    bool has_vault;
    bool has_archive;
    bool reads_secret;      /* it may be got into with credentials out of a secret (BK-2) */
    bool is_full_each_time; /* each backup is a whole copy (BK-7) */
    bool is_continuous;     /* its operational store keeps each moment and has no schedule */
    uint32_t schedules;     /* CMK_SCHEDULE_* */
    CmkPeriod usual_retention;
} CmkDatasourceFacts;

/* Element 0 is empty. */
const CmkDatasourceFacts *cmk_datasource_facts(uint32_t *ret_count);
uint32_t cmk_datasource_find(const char *name);

/* What a policy asks for that a datasource cannot have. */
typedef enum CmkMisfit {
    CMK_MISFIT_NONE,
    CMK_MISFIT_OPERATIONAL, /* it has no operational store */
    CMK_MISFIT_VAULT,       /* it is not kept in the vault */
    CMK_MISFIT_ARCHIVE,
    CMK_MISFIT_SCHEDULE,    /* it is not backed up as often, or as rarely */
    CMK_MISFIT_SCHEDULED,   /* it is backed up all the time, so a schedule would do nothing */
    CMK_MISFIT_UNSCHEDULED, /* it is backed up by a schedule only */
    CMK_MISFIT__COUNT
} CmkMisfit;

/* The first of them (BK-1). O(schedules). */
CmkMisfit cmk_datasource_misfit(const CmkDatasourceFacts *facts, const CmkPolicy *policy);

/* ---- jobs ------------------------------------------------------------------------------------ */

typedef struct CmkTaskFacts {
    const char *name; /* "backup", "restore", "tiering", "expiry", "settings", "rotation" */
    const char *verb; /* "back up" */
    bool is_seen;     /* portal, REST and command line list it (BK-20) */
    const char *rule; /* where is_seen comes from */
} CmkTaskFacts;

const CmkTaskFacts *cmk_task_facts(CmkTaskKind kind);

/* Jobs that are under way now. O(tasks). */
uint32_t cmk_tasks_running(const CmkWorld *world);

/* The store a job of this task works on: "operational", "vault", "archive", "" if none. */
const char *cmk_task_datastore(const CmkWorld *world, const CmkTask *task);

/* ---- instances ------------------------------------------------------------------------------- */

/* The protection state that people are shown (BK-23). */
CmkInstanceState cmk_instance_shown(const CmkWorld *world, CmkInstanceId id);

/* The tables that this depends on. */
#define CMK_INSTANCE_SHOWN_BY (CMK_BIT(INSTANCE) | CMK_BIT(QUEUE))

/* ---- what a point is ------------------------------------------------------------------------- */

/* The last key version that could open the point is purged and in no backup of its key: nobody will
 * ever read it (OQ-29). */
bool cmk_point_is_lost(const CmkWorld *world, CmkPointId id);
bool cmk_point_is_overdue(const CmkWorld *world, CmkPointId id);
CmkBackupVaultId cmk_point_vault(const CmkWorld *world, CmkPointId id);

/* Would a restore of this point be let through now? The first refused request says why not. */
CmkStatus cmk_point_restorable(const CmkModel *model, const CmkWorld *world, CmkPointId id,
                               CmkGuardId *ret_guard);

/* ---- what a role assignment is --------------------------------------------------------------- */

/* REMOVED also where its subscription has moved to another tenant since (MI-13). */
CmkAssignmentState cmk_assignment_state(const CmkWorld *world, CmkAssignmentId id);
/* It is still listed, of a principal that is gone: it grants nothing to anybody (AC-15). */
bool cmk_assignment_is_orphaned(const CmkWorld *world, CmkAssignmentId id);
/* How many are. O(assignments). */
uint32_t cmk_assignments_orphaned(const CmkWorld *world);

/* ---- prices and cost ------------------------------------------------------------------------- */

/* What has a price. */
typedef enum CmkPriceId {
    CMK_PRICE_VAULT_LRS,
    CMK_PRICE_VAULT_ZRS,
    CMK_PRICE_VAULT_GRS,
    CMK_PRICE_VAULT_RAGRS,
    CMK_PRICE_ARCHIVE_LRS,
    CMK_PRICE_ARCHIVE_GRS,
    CMK_PRICE_SNAPSHOT,
    CMK_PRICE_INSTANCE,
    CMK_PRICE_KEY_OPERATIONS_2048,
    CMK_PRICE_KEY_OPERATIONS_OTHER,
    CMK_PRICE_HSM_KEY_2048,
    CMK_PRICE_HSM_KEY_1, /* other HSM-protected keys: the tiers, in order */
    CMK_PRICE_HSM_KEY_2,
    CMK_PRICE_HSM_KEY_3,
    CMK_PRICE_HSM_KEY_4,
    CMK_PRICE_KEY_ROTATION,
    CMK_PRICE_MANAGED_HSM,
    CMK_PRICE__COUNT
} CmkPriceId;

/* A line of the built-in price book. Line i < CMK_PRICE__COUNT is the price of i in every region
 * that has no line of its own further on. */
typedef struct CmkPrice {
    const char *id;     /* "vault_tier_grs" */
    int64_t nanos;      /* nano-dollars per unit */
    const char *unit;   /* "GB-month", "10000-operations", "instance-month" */
    const char *rule;   /* "COST-3" */
    const char *status; /* "verified", "unverified" */
    const char *text;
    const char *region; /* name; NULL: all */
    const char *date;   /* of the source, "" if there is none */
    const char *source; /* "recorded in West Europe" */
    CmkPriceId price;
} CmkPrice;

const CmkPrice *cmk_price_book(uint32_t *ret_count);

/* What is called `id`, of which `length` characters are looked at; CMK_PRICE__COUNT if nothing. */
CmkPriceId cmk_price_find(const char *id, size_t length);

/* A price in one region, or in all that have none of their own. No padding: part of the digest. */
typedef struct CmkPriceLine {
    uint32_t price;  /* CmkPriceId */
    uint32_t region; /* CmkRegionId, 0: all */
    int64_t nanos;
} CmkPriceLine;

#define CMK_PRICE_LINES_MAX 256
#define CMK_PRICE_BOOK_NAME_SIZE 64 /* with its NUL */
#define CMK_PRICE_BOOK_DATE_SIZE 16
#define CMK_PRICE_NANOS_MAX (INT64_C(1000) * 1000000000) /* so that no sum overflows */

/* The prices of a run. The first CMK_PRICE__COUNT lines are those of all regions, in order. */
typedef struct CmkPriceBook {
    char name[CMK_PRICE_BOOK_NAME_SIZE];
    char date[CMK_PRICE_BOOK_DATE_SIZE];
    uint32_t count;
    uint32_t reserved;
    CmkPriceLine lines[CMK_PRICE_LINES_MAX];
} CmkPriceBook;

/* The built-in prices. */
void cmk_price_book_init(CmkPriceBook *book);

/* Sets a price, 0 to CMK_PRICE_NANOS_MAX, in a region or with {0} in all that have no own. False if
 * there is no room for one more line. O(lines). */
bool cmk_price_book_set(CmkPriceBook *book, CmkPriceId price, CmkRegionId region, int64_t nanos);

/* Takes away what is said of single regions, before a price for all of them is set. O(lines). */
void cmk_price_book_forget_regions(CmkPriceBook *book, CmkPriceId price);

/* O(lines) */
int64_t cmk_price_of(const CmkPriceBook *book, CmkPriceId price, CmkRegionId region);

/* The line of the built-in book for exactly this region, or {0} for all; NULL if it has none. */
const CmkPrice *cmk_price_built_in(CmkPriceId price, CmkRegionId region);

/* One line of the bill. */
typedef struct CmkCostItem {
    const char *meter;     /* "vault_tier", "overdue_vault_tier", "key_operations", ... */
    uint32_t backup_vault; /* row, 0 if none */
    uint32_t key_vault;    /* row, 0 if none */
    uint32_t managed_hsm;  /* row, 0 if none */
    bool is_overdue;       /* counted in `overdue` as a part of the bill, not on top of it */
    CmkTime from;
    CmkTime to;
    int64_t quantity; /* in `unit`, rounded down: MB-hours for storage, requests, instance-hours */
    const char *unit;
    int64_t nanos; /* nano-dollars */
} CmkCostItem;

/* The bill from the scenario's start to now, item by item; gives the number of items, of which at
 * most `max` are written. Items of nothing are left out. */
uint32_t cmk_cost_items(const CmkWorld *world, const CmkPriceBook *book, CmkCostItem *ret_items,
                        uint32_t max);

/* The most items cmk_cost_items() can give for this world. */
uint32_t cmk_cost_items_max(const CmkWorld *world);

/* The names that CmkCostItem.meter can have; ends at NULL. */
const char *const *cmk_cost_meters(void);

/* Sums of items: everything billed, and what of it is for overdue data (design: never negative). */
typedef struct CmkCost {
    int64_t total_nanos;
    int64_t overdue_nanos;
} CmkCost;
CmkCost cmk_cost(const CmkWorld *world, const CmkPriceBook *book);

/* ---- printing arguments ---------------------------------------------------------------------- */

/* The row of the status called `name` or coded `name` ("ok", "UserError..."); -1 if unknown. */
int32_t cmk_status_find(const char *name);

/* The operation called `name`; 0 if unknown. */
CmkOpId cmk_operation_find(const char *name);

/* The knob called `name`; -1 if unknown. */
int32_t cmk_knob_find(const char *name);

#define CMK_PROFILES(X) X(instant) X(realistic) X(cached) X(slow)
/* Index of a profile; -1 if unknown. */
int32_t cmk_profile_find(const char *name);

#endif
