/*
 * Which test shows which rule: written by `make coverage` from tests/tables, read by the catalogue.
 *
 * A row of a table, or a test, shows a rule if it names the rule and ends otherwise in a copy of
 * the model that is broken in something that rests on the rule. It shows it coarsely if it notices
 * only that an operation does nothing at all, or that it asks one guard more.
 */
#ifndef CMK_ANALYSIS_COVERAGE_H
#define CMK_ANALYSIS_COVERAGE_H

#include <stdint.h>

typedef enum CmkShownBy {
    CMK_SHOWN_BY_ROW,           /* a row that fails when what rests on the rule is broken */
    CMK_SHOWN_BY_TEST,          /* a test that does, where no row can, for a reason */
    CMK_SHOWN_BY_ROW_COARSELY,  /* a row, coarsely */
    CMK_SHOWN_BY_TEST_COARSELY, /* a test, coarsely */
    CMK_SHOWN_BY_TEST_UNBROKEN, /* a test that names the rule; nothing breaks it, for want of a way
                                 */
    CMK_SHOWN_BY__COUNT
} CmkShownBy;

typedef struct CmkShown {
    const char *rule;  /* "KV-16" */
    const char *table; /* file of tests/tables */
    const char *row;   /* operation, arguments, world, outcome; or the test */
    const char *why;   /* what was broken; of a test also why it takes one */
    CmkShownBy by;
} CmkShown;

/* In the order of the rules. */
const CmkShown *cmk_coverage(uint32_t *ret_count);

#endif
