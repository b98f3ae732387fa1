/*
 * Continuous backups (BK-3, BK-D2): a store that keeps each moment of a span of time instead of
 * single recovery points, without a schedule. A span is a row of the table of points, in the queue
 * of its store: it begins with the protection, goes on until backups are halted, and its beginning
 * follows behind as the retention passes. What it keeps are versions in the storage account itself,
 * so Backup stores no bytes for it, and no key is touched (assumed).
 */
#ifndef CMK_MODELS_CONTINUOUS_H
#define CMK_MODELS_CONTINUOUS_H

#include "models/entities.h"
#include "sim/engine.h"

/* Whether the store of this queue is backed up so. */
bool cmk_queue_is_continuous(const CmkWorld *world, CmkQueueId queue);

/* A span begins now, unless one goes on. For effects that write POINT and QUEUE. */
void cmk_continuous_begin(CmkSim *sim, CmkQueueId queue);

/* The span that goes on ends now. For effects that write POINT. */
void cmk_continuous_end(CmkSim *sim, CmkQueueId queue);

/* What the retention has taken from the spans until now stays gone, whatever comes: to be called
 * before the policy or the state of the instance changes. For effects that write POINT. */
void cmk_continuous_settle(CmkSim *sim, CmkQueueId queue);

/* The earliest and the last moment that a point can be restored to: the same but for a span. */
CmkTime cmk_point_first_moment(const CmkWorld *world, CmkPointId id);
CmkTime cmk_point_last_moment(const CmkWorld *world, CmkPointId id);

/* Whether a restore to this moment is one of this point: of a span, if the moment lies in it; of
 * any other, if it was there by then. */
bool cmk_point_covers(const CmkWorld *world, CmkPointId id, CmkTime moment);

#endif
