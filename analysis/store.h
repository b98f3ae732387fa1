/*
 * The store: a reader of the journal that leaves a run behind as one SQLite file.
 *
 * Rows are gathered in batches and handed to one thread, which owns the database. The file is
 * written under a temporary name beside the final one (NAME.PID-XXXXXX.tmp) and renamed at the very
 * end, so under the final name there is a complete database or none of this run. What is left of
 * killed runs is removed by the next one that writes there; two runs that write the same file at
 * once both succeed, and the last to finish stays.
 *
 * The same run gives the same contents: no wall clock, nothing of this machine.
 *
 * A failure (no such place, disk full, file too large) neither stops nor disturbs the run: the
 * store goes quiet, removes its file and says at the end what happened. The caller may ask earlier.
 *
 * Must not know: scenario files, expectations, what to do about a failure.
 */
#ifndef CMK_ANALYSIS_STORE_H
#define CMK_ANALYSIS_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "analysis/verdict.h"
#include "models/model.h"
#include "sim/journal.h"

#define CMK_STORE_ERROR (cmk_store_error_quark())
GQuark cmk_store_error_quark(void);

typedef enum CmkStoreError {
    CMK_STORE_ERROR_WRITE,   /* could not be written */
    CMK_STORE_ERROR_READ,    /* could not be read, or is damaged */
    CMK_STORE_ERROR_FOREIGN, /* is not the database of a run */
    CMK_STORE_ERROR_NEWER    /* was made by a newer version of this program */
} CmkStoreError;

/* What the journal table keeps. The numbers are stored. */
typedef enum CmkStoreLevel {
    CMK_STORE_LEVEL_CHANGES, /* all but granted key requests and waiting tasks */
    CMK_STORE_LEVEL_FULL
} CmkStoreLevel;

/* What the run is, known when it begins. Strings are copied; the model must outlive the store. */
typedef struct CmkStoreRun {
    const CmkModel *model;
    const char *scenario_name;
    const char *scenario_text; /* canonical, with all that it takes to run it again */
    const char *version;       /* of this program */
    const char *crypto_mode;   /* "all", "sample" or "off" */
    uint64_t seed;
    CmkTime start;
    CmkTime horizon; /* moment at which the run is to end */
    CmkStoreLevel level;
} CmkStoreRun;

typedef struct CmkStoreExpectation {
    const char *text;
    CmkVerdict verdict;
    CmkTime violated_at; /* first moment of violation, negative if there is none */
    const char *detail;  /* values at that moment, NULL if there is nothing to say */
} CmkStoreExpectation;

/* How the run ended. All is read during cmk_store_finish() only. */
typedef struct CmkStoreResult {
    const CmkWorld *world; /* as the run left it */
    CmkVerdict verdict;
    const char *reason;        /* one sentence */
    const char *digest;        /* as cmk_digest_format() writes it */
    const char *crypto_digest; /* NULL if nothing was computed */
    CmkCost cost;
    bool has_baseline;
    int64_t baseline_nanos;     /* total of the run without faults and remedies */
    const CmkPriceBook *prices; /* of the cost items */
    const CmkCostItem *cost_items;
    uint32_t cost_item_count;
    const CmkStoreExpectation *expectations;
    uint32_t expectation_count;
} CmkStoreResult;

typedef struct CmkRunStore CmkRunStore;

/* Whether a database may take the place of what is at `path`: of nothing, an empty file or an older
 * database of a run, but not of somebody's scenario or of a device. */
bool cmk_store_may_replace(const char *path);

/* Begins a database that will be at `path`; directories that are missing are made. Never NULL: a
 * failure shows in cmk_store_has_failed() and is told by cmk_store_finish(). */
CmkRunStore *cmk_store_open(const char *path, const CmkStoreRun *run);

/* To be added to the journal before the first operation. Not to be called after the store has been
 * finished or abandoned. */
CmkReader cmk_store_reader(CmkRunStore *store);

/* Whether something has gone wrong already, so that a long run can be given up. */
bool cmk_store_has_failed(CmkRunStore *store);

/*
 * Writes what is left, waits until all of it is on the disk, gives the file its name, and frees the
 * store. On failure false and CMK_STORE_ERROR_WRITE (the message names the file and says why); then
 * nothing is left of this run. An older file of that name is replaced on success only.
 */
bool cmk_store_finish(CmkRunStore *store, const CmkStoreResult *result, GError **error);

/* Ends without a result: nothing is left. Frees the store. Accepts NULL. */
void cmk_store_abandon(CmkRunStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmkRunStore, cmk_store_abandon)

/* SHA-256 over everything in a finished database, tables and rows in order of their contents, as
 * hexadecimal text: equal for equal runs, however the files came about. O(n log n). */
char *cmk_store_contents_digest(const char *path, GError **error);

#endif
