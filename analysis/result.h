/*
 * All that is known when a run has ended, for those who say it: as text, as JSON, in the store.
 *
 * Must not know: how it was found out.
 */
#ifndef CMK_ANALYSIS_RESULT_H
#define CMK_ANALYSIS_RESULT_H

#include <glib.h>

#include "analysis/story.h"
#include "analysis/verdict.h"
#include "models/sealer.h"
#include "scenarios/scenario.h"

/* One expectation, or the expected status of a step. */
typedef struct CmkClaim {
    const char *text;
    CmkVerdict verdict;
    CmkTime violated_at; /* first moment of violation, negative if there is none */
    const char *detail;  /* values at that moment, NULL if there is nothing to say */
} CmkClaim;

typedef struct CmkResult {
    const CmkScenario *scenario;
    const CmkWorld *world; /* as the run left it */
    const CmkStory *story;
    uint64_t seed;
    CmkVerdict verdict;
    int exit_code;
    const char *reason;   /* one sentence, without a period */
    const GArray *claims; /* of CmkClaim */
    CmkRestoreCounts restore_check;
    CmkCost cost;
    bool has_baseline;
    CmkCost baseline;        /* of the run without faults and the steps that remedy them */
    const char *crypto_mode; /* "all", "sample" or "off" */
    CmkEnvelopeCounters crypto;
    const char *digest;
    const char *crypto_digest; /* NULL: nothing was computed */
    const char *repeat;        /* the command that repeats the run */
    const char *db_path;       /* NULL: no database was written */
} CmkResult;

/* Difference that the faults make: what this run cost more than the one without them, in
 * nano-dollars; negative where it cost less. 0 without a baseline. */
int64_t cmk_result_net_nanos(const CmkResult *result);

/* "3.21 USD", with four decimals below one dollar; rounds to nearest. */
char *cmk_result_money(int64_t nanos);

/* The summary that a person reads in a terminal. */
void cmk_result_print(const CmkResult *result, GString *out);

/* The same as one JSON object with sorted keys and a line feed; byte-identical for equal runs. */
void cmk_result_print_json(const CmkResult *result, GString *out);

#endif
