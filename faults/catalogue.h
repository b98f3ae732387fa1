/*
 * The catalogue of faults: what can go wrong, as a table. A fault is an operation that somebody
 * other than the service carries out; it may have an end, which is an operation too. That a fault
 * ends does not mean that what it broke is whole again: for that there is the heal list.
 *
 * Must not know: files, YAML, the moments at which a scenario injects faults.
 */
#ifndef CMK_FAULTS_CATALOGUE_H
#define CMK_FAULTS_CATALOGUE_H

#include "models/model.h"

/* A parameter that the fault gives itself, in the terms of the operation's parameter table. */
typedef struct CmkFaultValue {
    const char *param; /* NULL: none */
    int64_t value;
} CmkFaultValue;

/* Value of a parameter that stands for the moment of the fault. */
#define CMK_FAULT_NOW INT64_MIN

/* Operations that heal, at most; the list ends at CMK_OP_NONE. */
#define CMK_FAULT_HEALS_MAX 6

typedef struct CmkFault {
    const char *name;    /* "role.revoke" */
    const char *text;    /* what happens, one sentence */
    const char *rules;   /* rule IDs, separated by blanks */
    CmkFaultValue given; /* what the fault adds to its target */
    const char *endless; /* why it has no end, half a sentence; NULL where it has one */
    CmkOpId op;          /* what it lowers to */
    CmkOpId end;         /* what its end lowers to; CMK_OP_NONE: it does not end by itself */
    CmkOpId heals[CMK_FAULT_HEALS_MAX]; /* what people do to recover, in this order */
} CmkFault;

/* All faults, in the order of the alphabet. */
const CmkFault *cmk_faults(uint32_t *ret_count);

/* NULL for an unknown name. O(log faults). */
const CmkFault *cmk_fault_find(const char *name);

/* Puts a value that the fault gives into the arguments of `args->op`; `now` stands for
 * CMK_FAULT_NOW. The operation must have the parameter. */
void cmk_fault_give(const CmkModel *model, const CmkFaultValue *value, CmkTime now, CmkArgs *args);

/* The parameter of an operation called `name`; NULL if it has none. */
const CmkParam *cmk_fault_param(const CmkModel *model, CmkOpId op, const char *name);

#endif
