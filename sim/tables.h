/*
 * The shapes of the tables that a model is made of: operations, guards, statuses, events, knobs.
 *
 * An operation is the only thing that changes a world. Its guards are asked in order and the first
 * one that does not hold decides the status; if all hold its effect runs. Guards and effects draw
 * no random numbers and call no other operation: an effect may set timers.
 *
 * Must not know: what any operation means.
 */
#ifndef CMK_SIM_TABLES_H
#define CMK_SIM_TABLES_H

#include "sim/agenda.h"
#include "sim/world.h"

typedef struct CmkSim CmkSim;

typedef uint16_t CmkStatus;  /* row of CmkModel.statuses */
typedef uint16_t CmkGuardId; /* row of CmkModel.guards */
typedef uint16_t CmkOpId;    /* row of CmkModel.operations */

/* The statuses every model begins with. */
enum {
    CMK_STATUS_OK = 0,
    CMK_STATUS_LIMIT_REACHED = 1, /* a table of the world is overfull; the run cannot go on */
    CMK_STATUS_FIRST_OF_MODEL = 2
};

/* Row 0 of guards and operations stands for "none". */
#define CMK_GUARD_NONE ((CmkGuardId)0)
#define CMK_OP_NONE ((CmkOpId)0)

/* Arguments of an operation: rows it is about, by role, and plain numbers. The model names the
 * slots; unused ones are 0. */
#define CMK_REFS 20
#define CMK_NUMS 6

/* Who asks for an operation. */
typedef enum CmkActor {
    CMK_ACTOR_PLATFORM, /* time that passes, services at work */
    CMK_ACTOR_SETUP,    /* the world as it is before the scenario starts */
    CMK_ACTOR_STEP,     /* a step of the timeline */
    CMK_ACTOR_FAULT,    /* an injected fault, or its end */
    CMK_ACTOR__COUNT
} CmkActor;

typedef struct CmkArgs {
    CmkOpId op;
    uint16_t actor;     /* CmkActor */
    uint32_t origin;    /* step or fault at the root of the causes, 0 if none */
    uint64_t cause_seq; /* record that brought this about, 0 if none */
    uint32_t ref[CMK_REFS];
    int64_t num[CMK_NUMS];
} CmkArgs;
_Static_assert(sizeof(CmkArgs) == 144, "arguments have no padding");

/* What is kept of every operation that was asked for, refused ones included. Fixed layout,
 * little-endian, no padding: these bytes are what the digest is made of. */
typedef struct CmkRecord {
    uint64_t seq;
    CmkTime time;
    uint64_t blame_seq; /* refused: the record to blame, 0 if none is */
    CmkStatus status;
    CmkGuardId guard; /* refused: the guard that did not hold */
    uint32_t result;  /* row that the effect made or chose, 0 if none */
    CmkArgs args;
} CmkRecord;
_Static_assert(sizeof(CmkRecord) == 176, "a record has no padding");

/* One way to make a guard hold: an operation, with its arguments taken from the refused one. */
typedef struct CmkRepair {
    CmkOpId op;
    /* Fills refs and nums of `ret`, and puts another operation where that is what the same is
     * called there; false where this repair does not apply. */
    bool (*bind)(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);
    const char *text; /* for people: "assign the role again" */
} CmkRepair;

#define CMK_REPAIRS_MAX 8

typedef struct CmkGuard {
    const char *name; /* "caller-is-authorised" */
    /* Pure. When it does not hold it may set `ret_blame` to the sequence number of the record that
     * made it so. */
    bool (*holds)(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame);
    CmkStatus status; /* of the refusal */
    uint16_t reserved;
    uint32_t reserved2;
    const char *rule;                   /* rule ID(s), separated by blanks: "KVE-3 AC-10" */
    const char *text;                   /* what must hold, one sentence */
    CmkRepair repairs[CMK_REPAIRS_MAX]; /* ends at the first with op CMK_OP_NONE */
} CmkGuard;

/* What a parameter is, for those who read and print arguments. Values from
 * CMK_PARAM_FIRST_OF_MODEL on belong to the model. */
typedef struct CmkParam {
    const char *name; /* as in scenario files */
    uint16_t type;
    uint8_t is_num;      /* 1: num[slot], 0: ref[slot] */
    uint8_t is_required; /* 1: must be given */
    uint32_t slot;
} CmkParam;

#define CMK_GUARDS_MAX 32
#define CMK_PARAMS_MAX 8

typedef struct CmkOperation {
    const char *name;                  /* dotted: "key.unwrap" */
    const char *text;                  /* what it does, one sentence */
    CmkParam params[CMK_PARAMS_MAX];   /* ends at the first without a name */
    CmkGuardId guards[CMK_GUARDS_MAX]; /* in order; ends at CMK_GUARD_NONE */
    uint64_t writes;                   /* bit per table that the effect may write */
    uint32_t (*effect)(CmkSim *sim, const CmkArgs *args); /* gives CmkRecord.result */
    /* Counts a request whether granted or refused (bills, quotas): writes scratch tables only.
     * `guard` is the one that refused, or CMK_GUARD_NONE. NULL where nothing is counted. */
    void (*account)(CmkSim *sim, const CmkArgs *args, CmkGuardId guard);
    const char *rules;   /* rule IDs, separated by blanks */
    const char *action;  /* its name for that permission, NULL if there is none */
    const char *az;      /* the command line it corresponds to, NULL if none */
    const char *audit;   /* what the log of requests calls it, NULL if it names it not */
    uint64_t permission; /* bits that it takes to ask for it, the model's own; 0: none */
} CmkOperation;

typedef struct CmkStatusRow {
    const char *name;  /* "KEY_DISABLED", stable */
    const char *code;  /* as the service prints it: "Forbidden" */
    const char *inner; /* inner code, NULL if none */
    const char *rule;  /* where it comes from */
    const char *text;  /* what it says to people */
    uint32_t number;   /* stable, never reused */
    uint32_t http;     /* 0 where there is none */
} CmkStatusRow;

/* A kind of timer. */
typedef struct CmkEventRow {
    const char *name;
    uint32_t class_of_ties; /* OQ-35: orders events of the same moment */
    uint32_t reserved;
    /* Epoch of the subject now; a timer set under another one is stale. NULL: never stale. */
    uint32_t (*epoch_of)(const CmkWorld *world, uint32_t subject);
    void (*handle)(CmkSim *sim, const CmkTimer *timer);
} CmkEventRow;

/* A modelling option. `value` in each profile; the last of the units is for printing. */
#define CMK_PROFILES_MAX 4
typedef struct CmkKnob {
    const char *name;
    const char *type; /* "duration", "boolean", "integer" */
    int64_t values[CMK_PROFILES_MAX];
    int64_t min;
    int64_t max;
    const char *rule;
    const char *provenance; /* "documented", "inferred" or "assumed" */
    const char *text;
} CmkKnob;

/* All tables together. Rows of operations and guards stand beside the functions they name, so
 * these two are arrays of pointers (element 0 is NULL). A value: a test breaks a rule by putting a
 * changed row into a copy. */
typedef struct CmkModel {
    const CmkOperation *const *operations;
    const CmkGuard *const *guards;
    const CmkStatusRow *statuses;
    const CmkEventRow *events;
    const CmkKnob *knobs;
    uint32_t operation_count;
    uint32_t guard_count;
    uint32_t status_count;
    uint32_t event_count;
    uint32_t knob_count;
    uint32_t reserved;
    /* What must hold in every world; on failure a sentence. NULL if there is nothing to check. */
    const char *(*invariant)(const CmkWorld *world);
    /* The class of ties of a kind of timer in this world. NULL: as the row says, in every world. */
    uint32_t (*class_of_ties)(const CmkWorld *world, uint32_t kind);
} CmkModel;

#endif
