/*
 * When backups start and which retention rule keeps them: what a policy says about time.
 */
#ifndef CMK_MODELS_SCHEDULE_H
#define CMK_MODELS_SCHEDULE_H

#include "models/entities.h"
#include "sim/engine.h"

/* Sets the timer of the queue's next backup, and makes the one before it stale. The first backup
 * is not before the scenario's start. What is backed up all the time has no timer: its span of time
 * begins now (see models/continuous.h). For effects that write POINT and QUEUE. */
void cmk_schedule_begin(CmkSim *sim, const CmkArgs *args, CmkQueueId queue);

/* No more backups: the pending timer is stale, and the span of time that goes on ends. For effects
 * that write POINT and QUEUE. */
void cmk_schedule_end(CmkSim *sim, CmkQueueId queue);

/* Where backup.run with these arguments keeps its point: the vault if the rule of its tag copies
 * backups there, else the operational store. */
CmkQueueId cmk_schedule_queue_on_demand(const CmkWorld *world, const CmkArgs *run);

/* The rule of a tag; the default one where the policy has no such rule. */
const CmkRetention *cmk_policy_rule(const CmkPolicy *policy, uint32_t tag);

/* The retention rule of a scheduled backup of moment `now`, if the one before it was at `last`
 * (0: there was none): of the rules that take it the one with the lowest number (BK-11, BK-12).
 * Both are moments of the policy's schedule, without what the instance comes later. */
CmkTag cmk_schedule_tag(const CmkPolicy *policy, CmkTime last, CmkTime now);

/* That of the queue's scheduled backup which starts at `started`. */
CmkTag cmk_schedule_tag_of(const CmkWorld *world, CmkQueueId id, CmkTime started);

#endif
