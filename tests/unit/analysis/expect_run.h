/*
 * A run in which expectations are watched, made by hand from the sample scenario: what happens in
 * it is told record by record.
 */
#ifndef CMK_TESTS_UNIT_ANALYSIS_EXPECT_RUN_H
#define CMK_TESTS_UNIT_ANALYSIS_EXPECT_RUN_H

#include "tests/unit/analysis/sample_scenario.h"

#define ENABLED "backup_vault.bv-prod.encryption == Enabled"
#define WAS_INCONSISTENT "backup_vault.bv-prod.encryption was Inconsistent, needed == Enabled"
#define IS_INCONSISTENT "backup_vault.bv-prod.encryption == Inconsistent"
#define AT(days)                                                                                   \
    {                                                                                              \
        .time = SAMPLE_SCENARIO_START + (days)*CMK_DAY_US                                          \
    }

/* One run: expectations bound to the sample world. */
typedef struct ExpectRun {
    SampleScenario *sample;
    CmkWorld *world;
    CmkExpect *expect;
} ExpectRun;

ExpectRun expect_prepare(const char *const *conditions, const CmkExpectation *expectations,
                         uint32_t count);
ExpectRun expect_begin(const char *const *conditions, const CmkExpectation *expectations,
                       uint32_t count);
ExpectRun expect_begin_one(const char *condition, CmkExpectation expectation);
void expect_finish_with(ExpectRun *run, CmkTime time, const CmkFinalValues *final);
void expect_finish(ExpectRun *run, CmkTime time);
void expect_clear(ExpectRun *run);
const CmkExpectResult *expect_result(const ExpectRun *run, uint32_t index);
/* Ends the run and checks the first expectation. */
void expect_check(ExpectRun *run, CmkVerdict verdict, CmkTime time, const char *values);
void expect_set_encryption(ExpectRun *run, CmkTime time, uint32_t row, CmkEncryption encryption);
void expect_backup(ExpectRun *run, CmkTime time);
void expect_fail_backup(ExpectRun *run, CmkTime time, uint64_t cause_seq);
/* A restore that is granted has a job. */
uint64_t expect_ask(ExpectRun *run, uint32_t plan, CmkStatus status);
uint64_t expect_refuse(ExpectRun *run, CmkTime time, uint64_t blame_seq);

#endif
