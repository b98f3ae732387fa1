/*
 * The timeline: operations planned for known moments, in the world itself, so that a clone carries
 * them out too.
 */
#ifndef CMK_MODELS_PLAN_H
#define CMK_MODELS_PLAN_H

#include "models/entities.h"

/* The live recovery point that a restore means: num[0] is a CmkPointChoice or a moment, and the
 * pair of a region has no snapshots. {0} if there is none. O(points of the instance). */
CmkPointId cmk_plan_choose_point(const CmkWorld *world, const CmkArgs *restore);

/* The kind of the timer for a row: faults, their ends too, come before steps (OQ-35). */
uint32_t cmk_plan_event(const CmkWorld *world, CmkPlanId id);

#endif
