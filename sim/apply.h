/*
 * The one function that changes a world.
 */
#ifndef CMK_SIM_APPLY_H
#define CMK_SIM_APPLY_H

#include "sim/journal.h"
#include "sim/tables.h"

struct CmkSim {
    const CmkModel *model;
    CmkWorld *world;
    CmkJournal *journal; /* NULL: nobody reads */
    /* Checks each operation against what it declares (slow); a breach is an internal error. */
    bool is_self_checking;
    bool is_applying; /* operations never nest, and readers apply none */
    /* Set when a table has grown beyond its limit: its name. The engine stops. */
    const char *exhausted;
};

typedef struct CmkOutcome {
    CmkStatus status;
    CmkGuardId guard;
    uint32_t result;
    uint64_t seq;
} CmkOutcome;

/* Asks the guards in order; if all hold runs the effect; records, folds, tells the readers. The
 * operation that takes a table beyond its limit still happens and sets `sim->exhausted`; those
 * after it end with CMK_STATUS_LIMIT_REACHED and leave no record (seq 0).
 * Takes at least O(guards); the rest is the effect's. */
CmkOutcome cmk_apply(CmkSim *sim, const CmkArgs *args);

/* What cmk_apply() would decide, changing nothing: for plans and questions. `seq` is the record to
 * blame for a refusal, 0 if there is none. */
CmkOutcome cmk_would_apply(const CmkSim *sim, const CmkArgs *args);

#endif
