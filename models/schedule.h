/*
 * When backups start and which retention rule keeps them: what a policy says about time.
 */
#ifndef CMK_MODELS_SCHEDULE_H
#define CMK_MODELS_SCHEDULE_H

#include "models/entities.h"
#include "sim/engine.h"

/* Sets the timer of the queue's next backup, and makes the one before it stale. The first backup
 * is not before the scenario's start. For effects. */
void cmk_schedule_begin(CmkSim *sim, const CmkArgs *args, CmkQueueId queue);

/* No more backups by schedule: the pending timer is stale. For effects. */
void cmk_schedule_end(CmkSim *sim, CmkQueueId queue);

/* The retention rule of a scheduled backup of moment `now`, if the one before it was at `last`
 * (0: there was none): of the rules that take it the one with the lowest number (BK-11, BK-12). */
CmkTag cmk_schedule_tag(const CmkPolicy *policy, CmkTime last, CmkTime now);

#endif
