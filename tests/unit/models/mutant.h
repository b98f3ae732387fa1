/*
 * Copies of the model that are broken in one place each. What is broken is a sentence, so that a
 * table can name it, a file can record it, and a test can be started with it:
 *
 *     guard NAME always holds              guard NAME never holds
 *     operation NAME does not ask GUARD    operation NAME asks GUARD too
 *     operation NAME does nothing          knob NAME is NUMBER
 *     status NAME is another one           error GUARD is another one
 *     price NAME is another one            job NAME is another one
 *
 * Prices and jobs are no part of CmkModel; broken_facts.c breaks them. "model NAME is a copy" is
 * whole, as are a price and a job that there is not: with these, each test has to pass.
 */
#ifndef CMK_TESTS_UNIT_MODELS_MUTANT_H
#define CMK_TESTS_UNIT_MODELS_MUTANT_H

#include "models/model.h"

/* A test of tests/unit/models that is started with such a sentence here meets a broken model once
 * its estate is built (a knob has the other value from the beginning). */
#define MUTANT_VARIABLE "CMK_TEST_BREAK"
/* What such a test then says if there was no estate to be had; then its failure means nothing. */
#define MUTANT_UNFIT "broken model: there is no estate"

typedef struct Mutant {
    CmkModel model;
    const CmkOperation *operations[CMK_OP__COUNT];
    const CmkGuard *guards[CMK_GUARD__COUNT];
    CmkStatusRow statuses[CMK_STATUS__COUNT];
    CmkKnob knobs[CMK_KNOB__COUNT];
    CmkOperation changed[CMK_OP__COUNT]; /* those that are not the model's own */
    CmkGuard guard;
} Mutant;

/* `mutant` becomes the model that the sentence says, which refers to `mutant` itself; false if that
 * is not of CmkModel, or nothing to break. */
bool mutant_make(Mutant *mutant, const char *sentence);
/* Of the environment; NULL if there is none. The same one at each call. */
const CmkModel *mutant_of_environment(void);
/* If the environment breaks something of this kind ("price"): its name, else NULL. */
const char *mutant_name(const char *kind);

/* For who tries them all; each makes a copy of the model with one thing wrong. */
void mutant_init(Mutant *mutant);
void mutant_set_guard(Mutant *mutant, CmkGuardId guard,
                      bool (*holds)(const CmkWorld *, const CmkArgs *, uint64_t *));
void mutant_drop_guard(Mutant *mutant, CmkOpId op, uint32_t index);
void mutant_swap_guards(Mutant *mutant, CmkOpId op, uint32_t index); /* with the next */
void mutant_drop_effect(Mutant *mutant, CmkOpId op);

bool holds_always(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame);
bool holds_never(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame);

/* CMK_GUARD_NONE if there is no such guard. */
CmkGuardId find_guard(const char *name);
uint32_t guards_of(const CmkOperation *operation);

/* The values of a knob that are worth trying, that of a row's own world among them; gives their
 * number. */
#define KNOB_VALUES_MAX (CMK_PROFILES_MAX + 2)
uint32_t knob_values(const CmkKnob *knob, int64_t ret_values[KNOB_VALUES_MAX]);

#endif
