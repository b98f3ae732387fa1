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

/* Whether the vault's data is under a customer-managed key, so that jobs on the vault and archive
 * tiers need the key (BV-17, BK-36). */
bool cmk_points_need_key(const CmkWorld *world, CmkBackupVaultId vault);

#endif
