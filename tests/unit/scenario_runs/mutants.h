/*
 * Mutants: copies of the model with one thing wrong. What is wrong sets in at the scenario's start,
 * so that the world it starts from is as it should be.
 *
 * One mutant lives at a time: the functions that stand in for the model's have no other way to know
 * which one it is. Use them in a process of their own.
 */
#ifndef CMK_TESTS_UNIT_SCENARIO_RUNS_MUTANTS_H
#define CMK_TESTS_UNIT_SCENARIO_RUNS_MUTANTS_H

#include <glib.h>

#include "scenarios/scenario.h"

typedef enum MutantKind {
    MUTANT_GUARD_HOLDS,    /* a guard that always holds */
    MUTANT_GUARD_REFUSES,  /* a guard that never does */
    MUTANT_EFFECT_DROPPED, /* an operation that changes nothing and says it did */
    MUTANT_EFFECT_SPOILS,  /* an operation that makes encryption settings Inconsistent besides */
    MUTANT_TIMER_IGNORED,  /* events of a kind that nobody handles */
    MUTANT_KNOB            /* a modelling option with another value */
} MutantKind;

typedef struct Mutant {
    MutantKind kind;
    uint32_t row;  /* of the table of guards, operations, events or knobs */
    int64_t value; /* of a knob */
} Mutant;

/* All of them: of Mutant. Knobs take the values of the other profiles and the ends of their range.
 */
GArray *mutants_list(const CmkScenario *scenario);

/* "guard purge-is-allowed always holds" */
char *mutant_name(const Mutant *mutant);

/* The model with this one thing wrong; a wrong knob is set in the scenario instead. */
const CmkModel *mutant_model(const Mutant *mutant, CmkScenario *scenario);

#endif
