/*
 * What became of the things planned: which steps were asked for and how they ended, which faults
 * are at work, what each fault brought about, and how long it took to get over it.
 *
 * A record is traced to a fault by two links alone: its origin, which every timer hands on, and for
 * a refused one the record that its guard blames. Definitions:
 *
 * - A fault is *active* from when its operation succeeded until its end, or until a step that says
 *   it remedies it succeeded (one that starts a job: until that job completed). What else may have
 *   repaired it does not count.
 * - A fault has *met* something if its operation succeeded, and either a request or job was refused
 *   blaming a record that came from it, or its operation (or its end) changed the encryption state
 * of a vault.
 * - A fault *touched* a Backup vault if a job of the vault failed because of it, or its operation
 * (or such a job) left the vault's encryption settings Inconsistent.
 * - A touched vault has *recovered* when, after it was last touched, a job of it has completed that
 *   needs the key (any but on the operational store), if one had failed, and its settings are not
 *   Inconsistent.
 * - The *time to recover* goes from the fault's start to the moment when all touched vaults had
 *   recovered. It is not there while one has not, or if none was touched.
 */
#ifndef CMK_ANALYSIS_CONSEQUENCE_H
#define CMK_ANALYSIS_CONSEQUENCE_H

#include <glib.h>

#include "scenarios/scenario.h"

typedef struct CmkConsequences CmkConsequences;

/* What one record means. Plan rows are indices into the plan + 1, 0 is none. */
typedef struct CmkMeaning {
    uint32_t asked;  /* the planned thing that was asked for just now */
    uint32_t cause;  /* the fault that made a job fail or a request be refused */
    uint32_t blamed; /* that fault, or the step whose doing it was */
    bool is_changed; /* a fault became active or inactive, a vault was touched or recovered */
} CmkMeaning;

/* How one planned thing fared. */
typedef struct CmkFate {
    bool is_asked;
    bool is_ended;    /* is_asked, and the job it started, if it did, is over */
    CmkStatus status; /* is_ended: how it ended; is_asked: how it began */
    CmkTime asked_at;
    CmkTime ended_at;
    uint64_t asked_seq;
    uint64_t ended_seq;
    bool is_active; /* a fault */
    bool has_met;   /* a fault: something; anything else: was asked for */
} CmkFate;

/* The scenario must outlive it. */
CmkConsequences *cmk_consequences_new(const CmkScenario *scenario);
void cmk_consequences_free(CmkConsequences *self);

/* From here on records are read; the model must outlive it. */
void cmk_consequences_bind(CmkConsequences *self, const CmkModel *model);

/* O(log records that came from the plan); the operation of a fault that may change encryption
 * settings takes O(vaults). */
CmkMeaning cmk_consequences_read(CmkConsequences *self, const CmkWorld *world,
                                 const CmkRecord *record);

const CmkFate *cmk_consequences_fate(const CmkConsequences *self, uint32_t plan);

/* Microseconds; -1 if there is none. */
int64_t cmk_consequences_time_to_recover(const CmkConsequences *self, uint32_t fault);

/* How many vaults the fault has touched so far, and how many of them have not recovered. */
uint32_t cmk_consequences_touched(const CmkConsequences *self, uint32_t fault,
                                  uint32_t *ret_unrecovered);

#endif
