/*
 * One run of a scenario from its set-up to its horizon, with all readers that are asked for. Every
 * command that runs a scenario does it through here.
 *
 * Must not know: options of the command line, how results are printed.
 */
#ifndef CMK_ANALYSIS_EXECUTION_H
#define CMK_ANALYSIS_EXECUTION_H

#include <glib.h>

#include "analysis/expect.h"
#include "analysis/store.h"
#include "analysis/story.h"
#include "models/sealer.h"
#include "scenarios/scenario.h"
#include "sim/engine.h"

typedef struct CmkExecutionOptions {
    const CmkModel *model; /* NULL: cmk_azure_model() */
    uint64_t seed;
    CmkVariant variant;
    bool has_crypto;
    CmkCryptoMode crypto; /* where there is any */
    bool is_self_checking;
    bool is_traced;         /* keeps the digest after each record */
    const GArray *compared; /* trace of another run: the first record that differs is noted */
    CmkExpect *expect;      /* watched, bound and finished by the caller's means; NULL: none */
    CmkRunStore *store;     /* NULL: none */
    bool has_story;
    bool (*must_stop)(void *self, const CmkWorld *world); /* NULL: never */
    void *self;
} CmkExecutionOptions;

typedef enum CmkExecutionEnd {
    CMK_EXECUTION_DONE,
    CMK_EXECUTION_INVALID,      /* the rules refuse the world: see the diagnostics */
    CMK_EXECUTION_LIMIT,        /* a table of the world is full: `what` names it */
    CMK_EXECUTION_DISAGREEMENT, /* rules and arithmetic contradict each other: `what` says how */
    CMK_EXECUTION_STOPPED,      /* must_stop said so */
    CMK_EXECUTION_NO_RESOURCES  /* memory or OpenSSL: `what` says which */
} CmkExecutionEnd;

typedef struct CmkExecution {
    CmkExecutionOptions options;
    const CmkScenario *scenario;
    CmkExecutionEnd end;
    char *what;
    CmkSim sim;
    CmkJournal journal;
    CmkStory *story;       /* NULL if not asked for */
    CmkEnvelope *envelope; /* NULL without cryptography */
    CmkSealer sealer;
    GArray *trace;        /* of uint64_t: low half of the digest after each record */
    CmkRecord difference; /* the first one that differs from `compared`; seq 0: none */
} CmkExecution;

/* Runs to the scenario's end. Never NULL; free with cmk_execution_free(). */
CmkExecution *cmk_execution_run(const CmkScenario *scenario, const CmkExecutionOptions *options,
                                CmkDiagnostics *diagnostics);

/* Accepts NULL. */
void cmk_execution_free(CmkExecution *execution);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmkExecution, cmk_execution_free)

/* Digest of the records, and of the ciphertext (false without cryptography). */
CmkDigest cmk_execution_digest(const CmkExecution *execution);
bool cmk_execution_crypto_digest(const CmkExecution *execution, CmkDigest *ret_digest);

/* Describes one record in a line, for people who look for the place where two runs part. */
char *cmk_execution_describe(const CmkModel *model, const CmkRecord *record);

#endif
