/*
 * What the parts of the reader share about one scenario: the file as it was read, and the names in
 * it with the rows they will have in the world. Rows are numbered in the order of the file, members
 * of fleets last, and cmk_scenario_build() declares them in that order.
 *
 * For the files in scenarios/ only.
 */
#ifndef CMK_SCENARIOS_ESTATE_H
#define CMK_SCENARIOS_ESTATE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "scenarios/language.h"
#include "scenarios/scenario.h"

/* What a name can stand for (CmkReference.kind). */
typedef enum CmkNamedKind {
    CMK_NAMED_NONE,
    CMK_NAMED_KEY_VAULT,
    CMK_NAMED_KEY,
    CMK_NAMED_MANAGED_HSM,
    CMK_NAMED_HSM_KEYS, /* all keys of a Managed HSM, as a scope: its rows are those of HSMs */
    CMK_NAMED_HSM_KEY,  /* its rows are those of all keys */
    CMK_NAMED_IDENTITY,
    CMK_NAMED_POLICY,
    CMK_NAMED_BACKUP_VAULT,
    CMK_NAMED_INSTANCE,
    CMK_NAMED_RESOURCE_GROUP, /* its rows are those of all scopes */
    CMK_NAMED_SUBSCRIPTION,
    CMK_NAMED_MANAGEMENT_GROUP,
    CMK_NAMED_USER, /* its rows are those of all people */
    CMK_NAMED_GROUP,
    CMK_NAMED_SECRET,
    CMK_NAMED_RESOURCE_GUARD,
    CMK_NAMED_NETWORK,
    CMK_NAMED_SYSTEM, /* no name, but the word `system`: a vault's own identity */
    CMK_NAMED__COUNT
} CmkNamedKind;

/* Purposes of chance that belong to scenarios/. */
enum {
    CMK_CHANCE_FLEET_SCHEDULE = 0x5343
};

/* A fleet and where its rows are: member i has the Backup vault row first_vault + i, and its
 * instances follow one another from first_instance + i * instance_count. */
typedef struct CmkFleet {
    const CmkFleetItem *item;
    const CmkBackupVaultItem *like;
    uint32_t like_row; /* its Backup vault */
    uint32_t count;
    uint32_t first_vault;
    uint32_t first_instance;
    uint32_t instance_count; /* of each vault */
    uint32_t digits;         /* of {n} */
} CmkFleet;

typedef struct CmkEstate {
    CmkFileItem file;
    GArray *fleets;                        /* of CmkFleet */
    GStringChunk *strings;                 /* the names in CmkScenario.named */
    GHashTable *by_name[CMK_NAMED__COUNT]; /* name -> index into CmkScenario.named + 1 */
    uint32_t rows[CMK_NAMED__COUNT];       /* how many rows of each kind there are */
    uint32_t incomplete;                   /* bit per kind of which some names could not be read */
} CmkEstate;

/* ---- names.c --------------------------------------------------------------------------------- */

/* "key_vault", as in CmkNamed.kind. */
const char *cmk_named_kind_text(CmkNamedKind kind);

/* Gives names in the world section their rows and resolves the references in it. */
bool cmk_names_collect(CmkScenario *scenario, CmkDiagnostics *diagnostics);

/* Finds out what a reference stands for; `accepts` is a CMK_PARAM_* type. Reports a miss. */
bool cmk_names_resolve(const CmkScenario *scenario, CmkDiagnostics *diagnostics, uint32_t accepts,
                       CmkReference *reference);

/* Adds a name; of `entry` the kind is filled in and the name copied. Gives the entry that has the
 * name already, or NULL if it was free. */
const CmkNamed *cmk_names_add(CmkScenario *scenario, CmkNamedKind kind, const CmkNamed *entry);

/* ---- fleet.c --------------------------------------------------------------------------------- */

/* Names the members of all fleets, after everything else has its row. */
bool cmk_fleets_collect(CmkScenario *scenario, CmkDiagnostics *diagnostics);

/* The name of member `i`, counted from 0, of a fleet. Free with g_free(). */
char *cmk_fleet_member_name(const CmkFleet *fleet, uint32_t i);

/* ---- parameters.c ---------------------------------------------------------------------------- */

/* Reads `with:` or `target:` into the slots of `args`, whose operation is set; `node` may be NULL.
 * A text stands for the only required parameter. Appends the values to `text` for people. */
bool cmk_parameters_read(const CmkScenario *scenario, CmkDiagnostics *diagnostics,
                         const CmkNode *item, const CmkNode *node, CmkArgs *args, GString *text);

/* Puts a reference that was resolved into the slots of its kind. */
void cmk_parameters_put(const CmkReference *reference, CmkArgs *args);

/* Puts a number into the slot of a parameter that the operation has. */
void cmk_parameters_set(CmkArgs *args, const char *name, int64_t value);

/* ---- prices.c, timeline.c, expectation.c, limits.c ----------------------------------------------
 */

/* Fills in the prices: by default, or from the file that `prices` names. */
bool cmk_prices_read(CmkScenario *scenario, CmkDiagnostics *diagnostics);

bool cmk_timeline_read(CmkScenario *scenario, CmkDiagnostics *diagnostics);
bool cmk_expectations_read(CmkScenario *scenario, CmkDiagnostics *diagnostics);

/* How many rows of each kind the world needs; false and a message if that is more than there can
 * be. */
bool cmk_limits_of(const CmkScenario *scenario, CmkDiagnostics *diagnostics, CmkLimits *ret_limits);

/* ---- policies -------------------------------------------------------------------------------- */

/* What no field table can say about a policy; false with a message. */
bool cmk_policy_check(const CmkPolicyItem *policy, CmkDiagnostics *diagnostics);

/* Whether the datasource of the instance can be backed up by the policy, which must have passed the
 * check (BK-1); false with a message at the instance. */
bool cmk_policy_check_use(const CmkPolicyItem *policy, const CmkInstanceItem *instance,
                          CmkDiagnostics *diagnostics);

/* The policy as the model wants it, without its name. It must have passed the check. */
CmkPolicy cmk_policy_of(const CmkPolicyItem *item);

#endif
