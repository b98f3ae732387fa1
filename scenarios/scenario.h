/*
 * A scenario file, read and checked: a fleet, what happens to it, and what should hold.
 *
 * Reading turns text into this structure and reports every mistake with its position. Building
 * lowers it to a world: declares the names, applies the documented sequence of operations before
 * the start with propagation completed, and plans the timeline.
 */
#ifndef CMK_SCENARIOS_SCENARIO_H
#define CMK_SCENARIOS_SCENARIO_H

#include <glib.h>

#include "models/model.h"
#include "scenarios/diagnostic.h"
#include "scenarios/tree.h"
#include "sim/apply.h"

/* The set-up of the world happens this long before the scenario's start (assumed: long ago). */
#define CMK_SCENARIO_SETUP_US (30 * CMK_DAY_US)

typedef enum CmkExpectationKind {
    CMK_EXPECT_ALWAYS,
    CMK_EXPECT_NEVER,
    CMK_EXPECT_FINAL,
    CMK_EXPECT_AT,
    CMK_EXPECT_EVENTUALLY
} CmkExpectationKind;

/* A moment: an instant, or the start or end of a fault, or a step. */
typedef struct CmkMoment {
    CmkTime time;  /* CMK_TIME_MAX: not given */
    uint32_t plan; /* index into CmkScenario.plan + 1, 0: `time` counts */
} CmkMoment;

typedef struct CmkExpectation {
    CmkExpectationKind kind;
    const CmkNode *condition; /* scalar with the condition's text and position */
    CmkMoment from;           /* always: begin; at: the moment; eventually: `after` */
    CmkMoment until;          /* always: end */
    int64_t within_us;        /* eventually */
    char *text;               /* as the user wrote it, one line */
} CmkExpectation;

/* One thing planned: a step, a fault, or the end of a fault. */
typedef struct CmkPlanned {
    char *id;   /* NULL if it has none */
    char *what; /* "role.revoke": the fault or operation as the user named it */
    char *text; /* "role.revoke principal id-backup, scope kv-prod" for people */
    CmkPlanKind kind;
    CmkTime time;
    CmkOpId op;
    uint32_t remedies;     /* index of the fault + 1, 0 if none */
    uint32_t of;           /* end of a fault: index of its start + 1 */
    int32_t expect_status; /* row of the status that the step must end with, -1: any */
    const CmkNode *node;   /* its place in the file */
    CmkArgs args;          /* refs are rows of the world that cmk_scenario_build() makes */
} CmkPlanned;

/* A name in the file and its row in the world. */
typedef struct CmkNamed {
    const char *kind; /* "key_vault", "key", "identity", "policy", "backup_vault", "instance" */
    const char *name; /* key: "vault/key", instance: "vault/instance" */
    uint32_t row;
    uint32_t owner;      /* row of the vault of a key or instance, else 0 */
    const CmkNode *node; /* NULL for members of a fleet */
} CmkNamed;

typedef struct CmkScenario {
    char *path;
    char *name;
    char *summary;
    CmkTime start;
    CmkTime end; /* start + horizon */
    uint64_t seed;
    int32_t profile;
    int64_t knobs[CMK_KNOB__COUNT];
    CmkPriceBook prices;
    GPtrArray *shows;         /* of char *: rule IDs */
    GPtrArray *tags;          /* of char * */
    GArray *plan;             /* of CmkPlanned, in order of time, then of the file */
    GArray *expectations;     /* of CmkExpectation */
    GArray *named;            /* of CmkNamed */
    GString *canonical;       /* what the digest starts from */
    CmkTree *tree;            /* owns the nodes */
    struct CmkEstate *estate; /* the world section, lowered: private to scenarios/ */
} CmkScenario;

/* Reads the text of the collector (cmk_diagnostics_open() for a file); NULL if there was any
 * mistake, all of which are in `diagnostics`. The scenario does not need the collector afterwards.
 */
CmkScenario *cmk_scenario_read(CmkDiagnostics *diagnostics);

/* Accepts NULL. */
void cmk_scenario_free(CmkScenario *scenario);

typedef enum CmkVariant {
    CMK_VARIANT_AS_WRITTEN,
    CMK_VARIANT_WITHOUT_FAULTS /* no faults and none of the steps that remedy them */
} CmkVariant;

/* Makes the world at the scenario's start: sim->world is set (free with cmk_world_free()),
 * operations are applied through `sim`, whose journal's readers see them. sim->model must be set.
 * False if the rules refuse the world: `diagnostics` then names rule and position. */
bool cmk_scenario_build(const CmkScenario *scenario, CmkVariant variant, uint64_t seed, CmkSim *sim,
                        CmkDiagnostics *diagnostics);

/* The row of `kind` called `name`; 0 if there is none. O(1). */
uint32_t cmk_scenario_find(const CmkScenario *scenario, const char *kind, const char *name);

#endif
