/*
 * Expectations: what a scenario says should hold, watched while it runs.
 *
 * - `always` and `never` look at the world after every record of their window, and at the start.
 * - `at` looks at the state in which the instant ended.
 * - `eventually` holds from the first moment within its window at which its condition held.
 * - `final` looks at the end. A run that ended before its horizon leaves it undecided.
 * - `expect_status` of a step is an expectation too: with how the operation ended, or the job that
 * it started.
 *
 * A window that begins with a step or a fault begins right after its operation, one that ends with
 * it right before.
 *
 * Use: cmk_expect_new() when the scenario has been read; reader into the journal; cmk_expect_bind()
 * when the world has been built and nothing has run yet; at the end cmk_expect_finish().
 */
#ifndef CMK_ANALYSIS_EXPECT_H
#define CMK_ANALYSIS_EXPECT_H

#include <glib.h>

#include "analysis/consequence.h"
#include "analysis/verdict.h"
#include "scenarios/scenario.h"
#include "sim/journal.h"

/* How the restores of all remaining points at the end turned out: the worst of them. */
typedef enum CmkRestoreCheck {
    CMK_RESTORE_CHECK_OK,
    CMK_RESTORE_CHECK_REFUSED,  /* not let through, though the bytes are there */
    CMK_RESTORE_CHECK_LOST,     /* the last key is purged */
    CMK_RESTORE_CHECK_MISMATCH, /* other bytes came back */
    CMK_RESTORE_CHECK_NONE,     /* not done: tests of it do not hold */
    CMK_RESTORE_CHECK__COUNT
} CmkRestoreCheck;

/* What is known at the end only. Read during cmk_expect_finish(). */
typedef struct CmkFinalValues {
    CmkRestoreCheck restore_check;
    CmkCost cost;
    bool has_net;
    int64_t net_nanos;        /* this run less the same run without faults and remedies */
    const CmkCostItem *items; /* of cmk_cost_items() */
    uint32_t item_count;
} CmkFinalValues;

/* What became of one expectation. Texts belong to the CmkExpect. */
typedef struct CmkExpectResult {
    const char
        *text; /* as the user wrote it; "step at +23d backup.restore: expected ok, got ..." */
    CmkVerdict verdict;
    CmkTime time; /* violated: first moment; held: when that was decided; undecided: the end */
    uint64_t seq; /* the last record before that moment; 0: none since the start */
    const char *values; /* violated: the values to blame, "jobs().count was 7, needed >= 8" */
    CmkPosition at;     /* in the file */
} CmkExpectResult;

typedef struct CmkExpect CmkExpect;

/* Reads all conditions of the scenario, which must outlive the result. NULL if there is a mistake
 * in any: all are in `diagnostics`. */
CmkExpect *cmk_expect_new(const CmkScenario *scenario, CmkDiagnostics *diagnostics);

/* Accepts NULL. */
void cmk_expect_free(CmkExpect *expect);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmkExpect, cmk_expect_free)

/* Reads records from cmk_expect_bind() on; those before, of the set-up, it lets pass. */
CmkReader cmk_expect_reader(CmkExpect *expect);

/* Begins at the world as it is, at the scenario's start. The model must outlive the result. Once
 * only. O(recovery points + vaults), where conditions ask for them. */
void cmk_expect_bind(CmkExpect *expect, const CmkModel *model, const CmkWorld *world);

/* Decides what is left; the world as the run left it. Once only. */
void cmk_expect_finish(CmkExpect *expect, const CmkWorld *world, const CmkFinalValues *final);

/* After cmk_expect_finish(): expectations in the order of the file, then steps with an
 * expect_status in the order of the plan. */
uint32_t cmk_expect_count(const CmkExpect *expect);
const CmkExpectResult *cmk_expect_result(const CmkExpect *expect, uint32_t index);

/* One sentence for each fault and step that met nothing, so that the run is vacuous. */
uint32_t cmk_expect_vacuous_count(const CmkExpect *expect);
const char *cmk_expect_vacuous(const CmkExpect *expect, uint32_t index);

/* Of the run: violated if any expectation is; else undecided if any is, or if it is vacuous. */
CmkVerdict cmk_expect_verdict(const CmkExpect *expect);

/* What became of faults and steps, at any time. */
const CmkConsequences *cmk_expect_consequences(const CmkExpect *expect);

#endif
