/*
 * A scenario, its world and its records made by hand, so that expectations can be tested one record
 * at a time, without reading a file and without a simulation.
 *
 * Names: key vault kv-prod with keys kv-prod/backup-kek and kv-prod/other; identity id-backup;
 * Backup vaults bv-prod and bv-two, with instances bv-prod/orders-db, bv-prod/web-disk,
 * bv-two/media; policy daily. Row numbers in this order. Each instance has one queue with its own
 * row number: vault store, but operational for web-disk.
 *
 * Plan: 1 fault `revoke` +20d, 2 step without id +23d backup.restore expecting ok, 3 step `regrant`
 * +27d remedying revoke, 4 fault `detach` +30d, 5 its end +31d. Start 2025-03-03, horizon 60 d.
 */
#ifndef CMK_TESTS_UNIT_ANALYSIS_SAMPLE_SCENARIO_H
#define CMK_TESTS_UNIT_ANALYSIS_SAMPLE_SCENARIO_H

#include "analysis/expect.h"

#define SAMPLE_SCENARIO_START INT64_C(1740960000000000) /* 2025-03-03T00:00:00Z */

enum {
    PLAN_REVOKE = 1,
    PLAN_RESTORE,
    PLAN_REGRANT,
    PLAN_DETACH,
    PLAN_DETACH_END
};
enum {
    BV_PROD = 1,
    BV_TWO
};
enum {
    ORDERS_DB = 1,
    WEB_DISK,
    MEDIA
};

typedef struct SampleScenario {
    CmkScenario scenario;
    CmkDiagnostics *diagnostics;
} SampleScenario;

/* Without expectations; `yaml` is a list of texts. */
SampleScenario *sample_scenario_new(const char *yaml);
void sample_scenario_free(SampleScenario *sample);

/* Item `index` of the list. */
const CmkNode *sample_scenario_text(const SampleScenario *sample, uint32_t index);

/* Adds an expectation on the next item of the list. */
void sample_scenario_expect(SampleScenario *sample, CmkExpectation expectation);

/* Days after the start. */
CmkTime sample_day(int64_t days);

/* The world at the start: both vaults there with CMK, instances protected, no recovery point. */
CmkWorld *sample_scenario_world(void);

void *sample_row(CmkWorld *world, uint32_t table, uint32_t row);

/* A recovery point of an instance. */
uint32_t sample_point(CmkWorld *world, uint32_t instance, CmkTier tier, int64_t bytes);

/* Moves the clock, numbers the record, hands it to the reader. Gives its sequence number. */
uint64_t sample_feed(CmkExpect *expect, CmkWorld *world, CmkTime time, CmkRecord record);

/* A job that ends: `kind` on the instance's queue (0: none), with `op`; TASK_FAIL with `code`, and
 * the record that it is due to. */
typedef struct SampleJob {
    CmkTaskKind kind;
    CmkOpId op;
    uint32_t vault;
    uint32_t instance;
    uint32_t point;
    CmkStatus code;
    uint64_t cause_seq;
    uint64_t started_by;
    uint32_t origin;
} SampleJob;
uint64_t sample_feed_job(CmkExpect *expect, CmkWorld *world, CmkTime time, SampleJob job);

#endif
