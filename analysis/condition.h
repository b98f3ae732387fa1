/*
 * A condition of an expectation: read from text, with every name in it checked, into a typed tree.
 *
 *     jobs(operation = backup, status = failed).count >= 8 and not (restore_check == lost)
 *
 * The tree is flat: terms stand behind the terms they are made of, so that it is evaluated by one
 * loop. A test whose value is not there (the first job of none) does not hold, whatever the
 * relation.
 *
 * Must not know: how and when values are taken.
 */
#ifndef CMK_ANALYSIS_CONDITION_H
#define CMK_ANALYSIS_CONDITION_H

#include <glib.h>

#include "analysis/field.h"
#include "analysis/name_index.h"
#include "analysis/set.h"
#include "scenarios/scenario.h"

/* The most that one condition may have, and how deep parentheses and `not` may go. */
#define CMK_CONDITION_TESTS_MAX 64
#define CMK_CONDITION_TERMS_MAX 256
#define CMK_CONDITION_DEPTH_MAX 32

typedef enum CmkOperandKind {
    CMK_OPERAND_LITERAL,
    CMK_OPERAND_FIELD,        /* state field of an entity */
    CMK_OPERAND_FAULT_ACTIVE, /* fault.ID.active */
    CMK_OPERAND_SET,          /* measure of a set */
    CMK_OPERAND_COST,         /* cost.METER */
    CMK_OPERAND_RESTORE_CHECK,
    CMK_OPERAND_TIME_TO_RECOVER, /* time_to_recover.ID */
    CMK_OPERAND__COUNT
} CmkOperandKind;

typedef enum CmkRelation {
    CMK_RELATION_EQUAL,
    CMK_RELATION_NOT_EQUAL,
    CMK_RELATION_LESS,
    CMK_RELATION_LESS_OR_EQUAL,
    CMK_RELATION_GREATER,
    CMK_RELATION_GREATER_OR_EQUAL,
    CMK_RELATION__COUNT
} CmkRelation;

typedef struct CmkOperand {
    CmkOperandKind kind;
    CmkType type;
    int64_t value;              /* of a literal */
    const CmkStateField *field; /* of a field */
    uint32_t row;               /* of the entity; of a fault: index in the plan + 1 */
    uint32_t version;           /* of a key: the number of one of its versions, 0: none is named */
    uint32_t set;
    uint32_t all; /* the set without filters, for a share */
    CmkMeasure measure;
    char *name; /* cost: the meter; literal: the text as written, quotes removed */
    char *text; /* as written, with single blanks */
    size_t offset;
} CmkOperand;

typedef enum CmkTermKind {
    CMK_TERM_TEST,
    CMK_TERM_NOT,
    CMK_TERM_AND,
    CMK_TERM_OR
} CmkTermKind;

/* `left` and `right` are indices of terms before this one, or of the operands of a test. */
typedef struct CmkTerm {
    CmkTermKind kind;
    CmkRelation relation; /* of a test */
    uint32_t left;
    uint32_t right;
} CmkTerm;

typedef struct CmkCondition {
    CmkTerm terms[CMK_CONDITION_TERMS_MAX];
    uint32_t term_count; /* the last one is the whole */
    CmkOperand operands[2 * CMK_CONDITION_TESTS_MAX];
    uint32_t operand_count;
} CmkCondition;

/* What reading a condition needs to know. */
typedef struct CmkConditionContext {
    const CmkScenario *scenario;
    const CmkNameIndex *names;
    CmkSets *sets; /* those that conditions use are added */
    CmkDiagnostics *diagnostics;
    CmkExpectationKind expectation; /* some values are known at certain moments only */
} CmkConditionContext;

/* Reads the text of a scalar. NULL if it is not a condition that can be evaluated: then there is at
 * least one error, at its place in the file. */
CmkCondition *cmk_condition_parse(const CmkConditionContext *context, const CmkNode *scalar);
void cmk_condition_free(CmkCondition *condition);

/* Whether it holds. values: one per operand, CMK_VALUE_NONE for what is not there. */
bool cmk_condition_holds(const CmkCondition *condition, const int64_t *values);

/* Appends why the condition is not as `wanted`: the values of the tests to blame, "jobs().count was
 * 7, needed >= 8". Does nothing if it is as wanted. */
void cmk_condition_explain(const CmkCondition *condition, const int64_t *values, bool wanted,
                           const CmkNameIndex *names, GString *out);

/* The results of `restore_check`, in the order of CmkRestoreCheck, ends at NULL. */
extern const char *const cmk_words_restore_check[];

/* The place in the file of a byte of a scalar's text, however it is quoted or folded; the scalar's
 * own place if it cannot be told. */
CmkPosition cmk_condition_position(const CmkDiagnostics *diagnostics, const CmkNode *scalar,
                                   size_t offset);

#endif
