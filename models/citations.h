/*
 * Who cites whom: which rows of the model's tables, and which code, rest on a rule.
 */
#ifndef CMK_MODELS_CITATIONS_H
#define CMK_MODELS_CITATIONS_H

#include "models/model.h"

typedef struct CmkCitation {
    const char *kind; /* "operation", "guard", "status", "knob", "role", "datasource", "job",
                         "price", "error" or "code" */
    const char *name; /* of the row; of code: the file */
} CmkCitation;

/* Everything that cites the rule, in the order of the tables; gives their number, of which at most
 * `max` are written. O(rows of all tables). */
uint32_t cmk_rule_citations(const CmkModel *model, const CmkRule *rule, CmkCitation *ret_citations,
                            uint32_t max);

/* "modelled" (somebody cites it), "later" or "out of scope". */
const char *cmk_rule_stage(const CmkModel *model, const CmkRule *rule);

/* Calls `visit` for each ID in each row that cites any, known or not. */
typedef void (*CmkVisitCitation)(void *self, const CmkCitation *citation, const char *id,
                                 size_t length);
void cmk_citations_visit(const CmkModel *model, CmkVisitCitation visit, void *self);

#endif
