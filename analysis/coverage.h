/*
 * Which test shows which rule: written by `make coverage` from tests/tables, read by the catalogue.
 *
 * A row of a table shows a rule if it names the rule and ends otherwise in a copy of the model that
 * is broken in something that rests on the rule.
 */
#ifndef CMK_ANALYSIS_COVERAGE_H
#define CMK_ANALYSIS_COVERAGE_H

#include <stdint.h>

typedef enum CmkShownBy {
    CMK_SHOWN_BY_ROW,       /* a row that fails when what rests on the rule is broken */
    CMK_SHOWN_BY_TEST,      /* a test that no row can replace, for a reason */
    CMK_SHOWN_BY_NAME_ONLY, /* a row that names the rule and fails under nothing that rests on it */
    CMK_SHOWN_BY__COUNT
} CmkShownBy;

typedef struct CmkShown {
    const char *rule;  /* "KV-16" */
    const char *table; /* file of tests/tables */
    const char *row;   /* operation, arguments, world, outcome; or the test */
    const char *why;   /* what was broken; or why it takes a test; "" if nothing */
    CmkShownBy by;
} CmkShown;

/* In the order of the rules. */
const CmkShown *cmk_coverage(uint32_t *ret_count);

#endif
