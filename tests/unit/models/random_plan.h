/*
 * Random timelines for an estate: what steps and faults may do, at random times of which many are
 * the same, so that ties are the norm.
 */
#ifndef CMK_TESTS_UNIT_MODELS_RANDOM_PLAN_H
#define CMK_TESTS_UNIT_MODELS_RANDOM_PLAN_H

#include "tests/unit/models/estate.h"

#define RANDOM_PLAN_ROWS 60
#define RANDOM_PLAN_DAYS 24

/* Fills `ret` with RANDOM_PLAN_ROWS rows in the order of their times, all of it decided by `seed`,
 * and gives options that are, too; they refer to `ret`. */
EstateOptions random_plan(uint64_t seed, CmkPlanRow ret[RANDOM_PLAN_ROWS]);

#endif
