/*
 * The sets that conditions count: jobs that have ended, recovery points that there are, Backup
 * vaults, and requests on keys; each with filters, kept up to date record by record.
 *
 * Jobs and requests count from the scenario's start on. Recovery points and vaults are those of the
 * moment, looked at once at the start; then only rows that a record may have changed.
 *
 * Must not know: conditions.
 */
#ifndef CMK_ANALYSIS_SET_H
#define CMK_ANALYSIS_SET_H

#include "analysis/value.h"
#include "models/model.h"

/* Rows of the status table, however many of them there are: a code that people see may stand for
 * several. */
typedef struct CmkStatusSet {
    uint64_t bits[(CMK_STATUS__COUNT + 63) / 64]; /* bit i % 64 of word i / 64: status i */
} CmkStatusSet;

typedef enum CmkSetKind {
    CMK_SET_JOBS,
    CMK_SET_POINTS,
    CMK_SET_VAULTS,
    CMK_SET_REQUESTS,
    CMK_SET__COUNT
} CmkSetKind;

typedef enum CmkMeasure {
    CMK_MEASURE_COUNT,
    CMK_MEASURE_SHARE, /* ppm of all members of the same kind of set */
    CMK_MEASURE_BYTES,
    CMK_MEASURE_FIRST, /* instant of the first member, CMK_VALUE_NONE before it */
    CMK_MEASURE_LAST,
    CMK_MEASURE__COUNT
} CmkMeasure;

/* One thing by which the members of a kind of set differ. */
typedef struct CmkFilterRow {
    const char *name;
    CmkType type;
    bool is_final_only; /* too costly to be known at any moment */
    const char *doc;    /* one clause, without a full stop */
} CmkFilterRow;

typedef struct CmkSetRow {
    const char *name; /* "jobs" */
    const CmkFilterRow *filters;
    size_t filter_count;
    uint32_t measures; /* bit per CmkMeasure */
    const char *doc;
} CmkSetRow;

/* The most filters that a kind of set has. */
#define CMK_SET_FILTERS_MAX 8

/* What a member must have. */
typedef struct CmkFilter {
    uint32_t index; /* of CmkSetRow.filters */
    uint32_t reserved;
    int64_t value;      /* as the filter's type says; 0 for codes */
    CmkStatusSet codes; /* for codes: any one of them; else none */
} CmkFilter;

typedef struct CmkSets CmkSets;

void cmk_status_set_add(CmkStatusSet *set, CmkStatus status);
bool cmk_status_set_has(const CmkStatusSet *set, CmkStatus status);
bool cmk_status_set_is_empty(const CmkStatusSet *set);

/* All kinds, CMK_SET__COUNT of them. */
const CmkSetRow *cmk_set_rows(void);

/* The words of measures, in the order of the enumeration, ends at NULL. */
extern const char *const cmk_words_measure[];

CmkSets *cmk_sets_new(void);
void cmk_sets_free(CmkSets *sets);

/* A set to keep; gives its number, for equal sets the same. `filters` in ascending order of index,
 * each at most once. O(sets). */
uint32_t cmk_sets_add(CmkSets *sets, CmkSetKind kind, const CmkFilter *filters, uint32_t count);

CmkSetKind cmk_sets_kind(const CmkSets *sets, uint32_t set);

/* The set shall know the bytes of its members. Before cmk_sets_bind(). */
void cmk_sets_want_bytes(CmkSets *sets, uint32_t set);

/* Begins at the scenario's start, counting what is there. O(recovery points + vaults). */
void cmk_sets_bind(CmkSets *sets, const CmkModel *model, const CmkWorld *world);

/* After a record: `cause` is the index in the plan + 1 of the fault that a failed job is due to, 0
 * if none is. Gives a bit per kind of set that changed. O(sets), where the record names a recovery
 * point or vault; O(points of a vault) where a key version was taken up; O(vaults + the
 * points of those that use the key) after a purge.
 */
uint32_t cmk_sets_read(CmkSets *sets, const CmkWorld *world, const CmkRecord *record,
                       uint32_t cause);

/* Counts the sets with filters that are known at the end only. O(recovery points). */
void cmk_sets_finish(CmkSets *sets, const CmkWorld *world);

/* A measure. For the share, `all` is the number of the set of this kind without filters; a share of
 * nothing is 0, and only none is 0 ppm and only all are 1000000 ppm. */
int64_t cmk_sets_value(const CmkSets *sets, uint32_t set, uint32_t all, CmkMeasure measure);

/* Whether a record ends a job: then the row of its task, which is still readable. 0 if it does not.
 */
uint32_t cmk_job_ended(const CmkRecord *record);

/* How a job ended (BK-18). */
typedef enum CmkJobOutcome {
    CMK_JOB_COMPLETED,
    CMK_JOB_COMPLETED_WITH_WARNINGS,
    CMK_JOB_FAILED,
    CMK_JOB_CANCELLED, /* its instance was deleted meanwhile */
    CMK_JOB_OUTCOME__COUNT
} CmkJobOutcome;

/* Of a task that has ended. */
CmkJobOutcome cmk_job_outcome(const CmkTask *task);

/* Whether it has done what it was to do, with warnings or without. */
bool cmk_job_is_done(CmkJobOutcome outcome);

#endif
