/*
 * Queues of recovery points: what is in them, and which points are due.
 */
#ifndef CMK_MODELS_POINTS_H
#define CMK_MODELS_POINTS_H

#include "models/entities.h"
#include "sim/engine.h"

/* What maintenance does to points whose time has come. */
typedef enum CmkDue {
    CMK_DUE_TO_EXPIRE,
    CMK_DUE_TO_TIER
} CmkDue;

/* When its retention is over, and when it is to be in the archive, by the rule that its tag names
 * in the policy of its instance (that of the tag, or else the default one); CMK_TIME_MAX: never.
 * Operations on the instance that change the policy change both. */
CmkTime cmk_point_expires(const CmkWorld *world, CmkPointId id);
CmkTime cmk_point_tier_due(const CmkWorld *world, CmkPointId id);

/* Until when a rule keeps a point made at `created`, in the vault and the archive together; `usual`
 * is for what the rule leaves open. */
CmkTime cmk_retention_end(const CmkWorld *world, const CmkRetention *rule, CmkPeriod usual,
                          CmkTime created);

/* How long its store keeps it: what that rule says, or else what is usual for the datasource. */
CmkPeriod cmk_point_retention(const CmkWorld *world, CmkPointId id);

/* Puts a new point, whose fields are set, at the end of its queue. For effects that write POINT and
 * QUEUE. */
void cmk_points_append(CmkSim *sim, CmkQueueId queue, CmkPointId id);

/* The points of the queue that are due now, rule by rule and the oldest first: the one after
 * `after`, which is due too, or the first where that is {0}; {0} if there is no other. */
CmkPointId cmk_points_next_due(const CmkWorld *world, CmkQueueId queue, CmkDue due,
                               CmkPointId after);

/* The points of the vault, instance by instance and in each store in the order of their backups:
 * the one after `after`, or the first where that is {0}; {0} if there is no other. */
CmkPointId cmk_points_next_of_vault(const CmkWorld *world, CmkBackupVaultId vault,
                                    CmkPointId after);

/* What was overdue in the queue and is not due any more, under the state and the policy that the
 * instance now has, is overdue no longer; the rest goes on to cost (BK-15, BK-22, COST-22). What
 * has become due is found so at the next maintenance. O(points). For effects. */
void cmk_points_forgive(CmkSim *sim, CmkQueueId queue);

/* It is in the archive only, so a restore has to bring it back first (BK-26). */
bool cmk_point_must_come_back(const CmkWorld *world, CmkPointId id);

/* The Backup vault and the instance of a queue. */
CmkBackupVaultId cmk_points_vault(const CmkWorld *world, CmkQueueId queue);

/* Whether new points of the vault are under a customer-managed key, so that backups to the vault
 * tier need it (BV-17, BK-36). */
bool cmk_points_need_key(const CmkWorld *world, CmkBackupVaultId vault);

/* Whether this point is: not snapshots, nor what stayed under platform keys (OQ-15). */
bool cmk_point_needs_key(const CmkWorld *world, CmkPointId id);

/* Whether one of the points that are due to expire or to move to the archive is. O(due points). */
bool cmk_points_due_need_key(const CmkWorld *world, CmkQueueId queue);

/* Whether the point is under a data key that was made for it alone (OQ-28), and not under that of
 * the vault or one that the vault had before. */
bool cmk_point_has_own_key(const CmkWorld *world, CmkPointId id);

/* Whether any point of the vault has had one since the vault got its present data key. O(1). */
bool cmk_points_have_own_keys(const CmkWorld *world, CmkBackupVaultId vault);

/* Backup still holds the vault's data key from an earlier request, so a job need not ask for it
 * (OQ-10). It drops it when the key version that wraps it is purged. */
bool cmk_points_hold_key(const CmkWorld *world, CmkBackupVaultId vault);

#endif
