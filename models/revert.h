/*
 * How a fault ends: it gives back what was there when it acted, and only when no other fault of its
 * kind holds the same target any longer. What was there is kept in the plan, with the end.
 *
 * Must not know: the catalogue of faults. Which operation ends which fault is said by the plan.
 */
#ifndef CMK_MODELS_REVERT_H
#define CMK_MODELS_REVERT_H

#include "models/entities.h"
#include "sim/apply.h"

/* Before a fault acts with `args`: notes the target it means now and, in its end, what is there.
 * O(plan). */
void cmk_revert_prepare(CmkSim *sim, CmkPlanId fault, const CmkArgs *args);

/* A fault has acted by this record, or is over. */
void cmk_revert_begin(CmkSim *sim, CmkPlanId fault, uint64_t acted_by);
void cmk_revert_finish(CmkSim *sim, CmkPlanId fault);

/* A fault ends, with `end` as the plan says it now. What is refused somebody else has done, or it
 * cannot be done: the fault is over in any case. */
void cmk_revert_end(CmkSim *sim, CmkPlanId fault, const CmkArgs *end);

/* When the end of a fault may act: the end of the last fault of the same kind on the same target,
 * CMK_TIME_MAX if that has none; 0 if none lasts longer. O(plan), for each such fault. */
CmkTime cmk_revert_waits_until(const CmkSim *sim, CmkPlanId end);

#endif
