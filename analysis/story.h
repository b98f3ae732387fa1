/*
 * What a person wants to know about a run, gathered while it goes on: jobs by kind and outcome,
 * failures grouped by what was refused and what is to blame, changes of encryption settings, and
 * which rules and knobs the outcome rests on.
 *
 * Must not know: how any of it is printed or stored.
 */
#ifndef CMK_ANALYSIS_STORY_H
#define CMK_ANALYSIS_STORY_H

#include <glib.h>

#include "analysis/consequence.h"
#include "analysis/set.h"
#include "scenarios/scenario.h"
#include "sim/journal.h"

/* Those of some failed jobs that were about one instance, or about a Backup vault as a whole. */
typedef struct CmkFailureShare {
    uint32_t backup_vault;
    uint32_t instance; /* 0: the vault as a whole */
    uint32_t count;
} CmkFailureShare;

/* Instances and vaults that a failure tells apart; of the others only their jobs are counted. */
#define CMK_FAILURE_SHARES_MAX 4

/* Failed jobs that have all of these in common. */
typedef struct CmkFailure {
    CmkTaskKind kind;
    CmkStatus status;     /* Backup's code */
    CmkGuardId guard;     /* what refused the request */
    uint32_t blamed;      /* fault or step: index into the plan + 1, 0 if none is to blame */
    uint32_t key_vault;   /* that was asked, 0 if none */
    uint32_t managed_hsm; /* that was asked, 0 if none */
    bool is_seen;         /* somebody could see that the job failed (BK-20) */
    uint32_t count;
    CmkTime first;
    CmkTime last;
    CmkFailureShare shares[CMK_FAILURE_SHARES_MAX]; /* the first ones to fail; count 0: none */
    CmkRecord refusal;                              /* of the first of them */
    const char *repair;      /* what would have helped then, NULL if nothing does */
    const char *last_repair; /* and what at the last of them */
} CmkFailure;

/* Something that happened by itself, in consequence of what was done: settings that changed their
 * state, a key that was purged, a region that was failed over, a newer key version taken up. */
typedef struct CmkTurn {
    CmkTime time;
    CmkOpId op;         /* of the record; for settings that changed: CMK_OP_NONE */
    uint32_t row;       /* settings, rotation: Backup vault; purge: key; else region */
    CmkEncryption from; /* of settings */
    CmkEncryption to;
} CmkTurn;

/* Turns that are kept one by one; of the others only the number is known. */
#define CMK_TURNS_MAX 200

typedef struct CmkJobCounts {
    uint32_t ended[CMK_JOB_OUTCOME__COUNT];
} CmkJobCounts;

/* How many have completed, with warnings or without. */
uint32_t cmk_job_counts_done(const CmkJobCounts *counts);

typedef struct CmkStory {
    const CmkScenario *scenario;
    const CmkModel *model;
    CmkConsequences *consequences;
    CmkJobCounts jobs[CMK_TASK__COUNT];
    uint32_t retries;
    uint32_t not_started[CMK_GUARD__COUNT];    /* scheduled backups that this guard let not begin */
    uint32_t not_configured[CMK_GUARD__COUNT]; /* instances whose protection it let not begin */
    GArray *failures;                          /* of CmkFailure, in order of their first moment */
    GArray *turns;                             /* of CmkTurn */
    uint32_t turn_count;
    uint32_t settings_changes;
    uint64_t records;
    bool has_applied[CMK_OP__COUNT]; /* since the start */
    bool has_refused[CMK_GUARD__COUNT];
    CmkRecord last_refusal;
    GArray *states; /* of uint32_t: encryption of each vault when last looked at */
} CmkStory;

/* `scenario` and `model` must outlive it. */
CmkStory *cmk_story_new(const CmkScenario *scenario, const CmkModel *model);

/* Accepts NULL. */
void cmk_story_free(CmkStory *story);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmkStory, cmk_story_free)

/* Add it to the journal before the first operation. */
CmkReader cmk_story_reader(CmkStory *story);

/* Rules that are assumed and that some operation applied, guard that refused (or held, where a
 * switch says whether it may fail) or failed job's code rests on, and those of the knobs that bear
 * on the run: of const CmkRule *, in order of the alphabet, each once. Free the array. */
GPtrArray *cmk_story_assumptions(const CmkStory *story);

/* Knobs whose values are assumed and that bear on the run: they decide something that came up, or
 * the scenario gives them another value than the usual one. Of const CmkKnob *, as in the table;
 * free the array. */
GPtrArray *cmk_story_assumed_knobs(const CmkStory *story);

/* Failed jobs of all kinds: those that somebody could see, or those that nobody could. */
uint32_t cmk_story_failed(const CmkStory *story, bool is_seen);

#endif
