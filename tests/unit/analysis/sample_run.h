/*
 * A run without a simulation: a small world and records made by hand, fed to the store as the
 * journal would. For tests of the store and of what reads its databases.
 */
#ifndef CMK_TESTS_UNIT_ANALYSIS_SAMPLE_RUN_H
#define CMK_TESTS_UNIT_ANALYSIS_SAMPLE_RUN_H

#include "analysis/store.h"

#define SAMPLE_START INT64_C(1740960000000000) /* 2025-03-03T00:00:00Z */
#define SAMPLE_FAULTS_MAX 8
#define SAMPLE_DIGEST "0123456789abcdef0123456789abcdef"

typedef struct SampleRun {
    CmkWorld *world;
    CmkRunStore *store;
    CmkReader reader;
    uint32_t task;
    uint64_t fault_seq[SAMPLE_FAULTS_MAX]; /* records that the story's faults were */
} SampleRun;

/* A fault with its names; `end` < 0: it never ends. */
typedef struct SampleFault {
    const char *name;
    CmkTime begin;
    CmkTime end;
    uint32_t vault; /* that is Inconsistent while it lasts, 0: none */
} SampleFault;

typedef struct SampleStory {
    const char *path;
    const char *name;
    CmkTime length;
    uint32_t vaults;      /* each with one instance: at most 64 */
    CmkTime backup_every; /* of each vault */
    CmkStoreLevel level;
    SampleFault faults[SAMPLE_FAULTS_MAX];
} SampleStory;

/* A world as it is before the first operation: key vault kv-prod with backup-kek (versions 1 and
 * 2), identity id-backup, user alice, role assignments of both, and vaults bv-1 ... with an
 * instance db-1 ... each; the plan has two rows for each fault of the story: 2 i + 1 is the fault,
 * 2 i + 2 the step that remedies it. */
CmkWorld *sample_world(const SampleStory *story);

/* Opens the store for that world. */
SampleRun sample_begin(const SampleStory *story);

/* Moves the clock, numbers the record, hands it to the store. Gives its sequence number. */
uint64_t sample_record(SampleRun *run, CmkTime time, CmkRecord record);

/* A job of the given kind on the vault's queue, ended at `ended`; `refused_seq` 0: it completed. */
uint64_t sample_job(SampleRun *run, CmkTaskKind kind, uint32_t vault, CmkTime started,
                    CmkTime ended, uint64_t refused_seq);

/* Ends the run with a fixed result; frees the world. */
bool sample_finish(SampleRun *run, GError **error);

/* The whole story: set-up, jobs and faults over time, result. */
bool sample_tell(const SampleStory *story, GError **error);

/* A fresh directory below the one for temporary files; sample_remove() empties and removes it. */
char *sample_directory(void);
void sample_remove(const char *directory);

/* How many entries the directory has. */
uint32_t sample_count_files(const char *directory);

#endif
