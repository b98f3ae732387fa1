/*
 * The small tables of a run's database, written once at the end: what the codes in the large ones
 * mean, what the entities are called, what the run cost and how it turned out.
 *
 * Must not know: threads, files.
 */
#ifndef CMK_ANALYSIS_STORE_FILL_H
#define CMK_ANALYSIS_STORE_FILL_H

#include <sqlite3.h>

#include "analysis/store.h"

/* Jobs of the whole run. */
typedef struct CmkStoreCounts {
    uint64_t jobs;
    uint64_t failed;
    uint64_t silent; /* of those failed: shown nowhere */
} CmkStoreCounts;

/* Gives an SQLite result code; the first failure ends it. */
int cmk_store_fill(sqlite3 *db, const CmkStoreRun *run, const CmkStoreCounts *counts,
                   const CmkStoreResult *result);

#endif
