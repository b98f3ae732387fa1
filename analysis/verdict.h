/*
 * How a claim about a run can turn out: of one expectation, and of the run as a whole.
 */
#ifndef CMK_ANALYSIS_VERDICT_H
#define CMK_ANALYSIS_VERDICT_H

/* The numbers are stored in databases and never reused. */
typedef enum CmkVerdict {
    CMK_VERDICT_HELD,      /* seen to hold */
    CMK_VERDICT_VIOLATED,  /* seen not to hold */
    CMK_VERDICT_UNDECIDED, /* not met, cut short, or vacuous */
    CMK_VERDICT_UNCHECKED, /* of a run: it was to show nothing, so nothing was looked at */
    CMK_VERDICT__COUNT
} CmkVerdict;

/* "held": how people and programs read it. */
const char *cmk_verdict_word(CmkVerdict verdict);

#endif
