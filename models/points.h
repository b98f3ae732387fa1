/*
 * Queues of recovery points: what is in them, and which of them are due.
 */
#ifndef CMK_MODELS_POINTS_H
#define CMK_MODELS_POINTS_H

#include "models/entities.h"

/* The oldest point of the queue if its time is over; {0} if none is due. */
CmkPointId cmk_points_due_to_expire(const CmkWorld *world, CmkQueueId queue);

/* The oldest point still in the vault tier if it should be in the archive by now; {0} if none. */
CmkPointId cmk_points_due_to_tier(const CmkWorld *world, CmkQueueId queue);

/* The Backup vault and the instance of a queue. */
CmkBackupVaultId cmk_points_vault(const CmkWorld *world, CmkQueueId queue);

/* Whether new points of the vault are under a customer-managed key, so that backups to the vault
 * tier need it (BV-17, BK-36). */
bool cmk_points_need_key(const CmkWorld *world, CmkBackupVaultId vault);

/* Whether this point is: not snapshots, nor what stayed under platform keys (OQ-15). */
bool cmk_point_needs_key(const CmkWorld *world, CmkPointId id);

/* Whether one of the points that are due to expire or to move to the archive is. O(due points). */
bool cmk_points_due_need_key(const CmkWorld *world, CmkQueueId queue);

#endif
