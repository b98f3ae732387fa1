/*
 * How much a Managed HSM can do (THR-8): it turns nobody away, but who asks has to wait in a queue.
 *
 * A request that is granted takes its place behind those before it, for as long as its operation
 * takes on a key of its size; what is done when is known at once, so there is no event for it.
 * Times are exact: microseconds, and parts of one of which every rate of the table is a divisor.
 */
#ifndef CMK_MODELS_HSM_CAPACITY_H
#define CMK_MODELS_HSM_CAPACITY_H

#include "models/entities.h"
#include "sim/engine.h"

/* Parts of a microsecond: the least common multiple of all rates and numbers of partitions. */
#define CMK_HSM_PARTS INT64_C(1462025737972800)

/* What the HSM carries out in a second on one partition (HSM-27), of the operation and the kind of
 * key that the request is about. */
uint32_t cmk_managed_hsm_rate(const CmkWorld *world, const CmkArgs *args);

/* How long the client would wait for the answer if the request were granted now: whole
 * microseconds, rounded up; 0 while the world is set up. */
int64_t cmk_managed_hsm_wait(const CmkWorld *world, const CmkArgs *args);

/* How long it still is until all that was granted is done. */
int64_t cmk_managed_hsm_backlog(const CmkWorld *world, CmkManagedHsmId id);

/* The account function of requests about keys: places them in the queue, counts refusals. */
void cmk_managed_hsm_count_request(CmkSim *sim, const CmkArgs *args, CmkGuardId guard);

/* A job that waits for an answer for less than this goes on at once: nobody could tell. */
#define CMK_HSM_WAIT_TO_SPEAK_OF CMK_SECOND_US

#endif
