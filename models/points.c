/* Recovery points: made, moved to the archive, expired, overdue, restored (section 10). */
#include "models/points.h"

#include "models/model.h"
#include "models/mutate.h"
#include "models/rows.h"

#define ARCHIVE_MINIMUM_US (180 * CMK_DAY_US) /* BK-25 */

static const CmkTask *task_of(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_task(world, (CmkTaskId){args->ref[CMK_REF_TASK]});
}

static const CmkPoint *point_of(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_point(world, (CmkPointId){args->ref[CMK_REF_POINT]});
}

CmkBackupVaultId cmk_points_vault(const CmkWorld *world, CmkQueueId queue)
{
    const CmkInstanceId instance = {cmk_queue(world, queue)->instance};
    return (CmkBackupVaultId){cmk_instance(world, instance)->backup_vault};
}

CmkBackupVaultId cmk_point_vault(const CmkWorld *world, CmkPointId id)
{
    return cmk_points_vault(world, (CmkQueueId){cmk_point(world, id)->queue});
}

bool cmk_points_need_key(const CmkWorld *world, CmkBackupVaultId vault)
{
    return cmk_backup_vault(world, vault)->key != 0;
}

bool cmk_point_needs_key(const CmkWorld *world, CmkPointId id)
{
    const CmkPoint *point = cmk_point(world, id);
    const CmkBackupVault *vault = cmk_backup_vault(world, cmk_point_vault(world, id));
    return point->tier != CMK_TIER_OPERATIONAL && vault->key != 0 &&
           point->data_key >= vault->platform_data_keys;
}

/* Whether the data key of the point was given up for another one when its key was lost. */
static bool is_abandoned(const CmkWorld *world, CmkPointId id)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, cmk_point_vault(world, id));
    return cmk_point_needs_key(world, id) && cmk_point(world, id)->data_key != vault->data_key;
}

bool cmk_points_due_need_key(const CmkWorld *world, CmkQueueId queue)
{
    const CmkTime now = cmk_world_now(world);
    uint32_t row = cmk_queue(world, queue)->first_point;
    while (row != 0) {
        const CmkPoint *point = cmk_point(world, (CmkPointId){row});
        const bool is_due = point->expires <= now || point->tier_due <= now;
        if (!is_due || cmk_point_needs_key(world, (CmkPointId){row})) {
            return is_due;
        }
        row = point->next;
    }
    return false;
}

CmkPointId cmk_points_due_to_expire(const CmkWorld *world, CmkQueueId queue)
{
    const CmkPointId first = {cmk_queue(world, queue)->first_point};
    const bool is_due = first.i != 0 && cmk_point(world, first)->expires <= cmk_world_now(world);
    return is_due ? first : (CmkPointId){0};
}

CmkPointId cmk_points_due_to_tier(const CmkWorld *world, CmkQueueId queue)
{
    const CmkPointId next = {cmk_queue(world, queue)->next_to_tier};
    const bool is_due = next.i != 0 && cmk_point(world, next)->tier_due <= cmk_world_now(world);
    return is_due ? next : (CmkPointId){0};
}

bool cmk_point_is_lost(const CmkWorld *world, CmkPointId id)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, cmk_point_vault(world, id));
    const CmkVersion *version = cmk_version(world, (CmkVersionId){vault->active_version});
    return cmk_point_needs_key(world, id) && (version->is_purged != 0 || is_abandoned(world, id));
}

bool cmk_point_is_overdue(const CmkWorld *world, CmkPointId id)
{
    const CmkPoint *point = cmk_point(world, id);
    return point->is_expiry_overdue != 0 || point->is_tiering_overdue != 0;
}

CmkStatus cmk_point_restorable(const CmkModel *model, const CmkWorld *world, CmkPointId id,
                               CmkGuardId *ret_guard)
{
    const CmkBackupVaultId vault_id = cmk_point_vault(world, id);
    const CmkBackupVault *vault = cmk_backup_vault(world, vault_id);
    *ret_guard = CMK_GUARD_NONE;
    if (!cmk_point_needs_key(world, id)) {
        return CMK_STATUS_OK;
    }
    if (is_abandoned(world, id)) {
        *ret_guard = CMK_GUARD_POINT_IS_NOT_ABANDONED;
        return CMK_STATUS_OF(AUTH_FAILURE);
    }
    CmkArgs args = {.op = CMK_OP_KEY_GET, .actor = CMK_ACTOR_PLATFORM};
    args.ref[CMK_REF_BACKUP_VAULT] = vault_id.i;
    args.ref[CMK_REF_KEY] = vault->key;
    args.ref[CMK_REF_KEY_VAULT] = cmk_key(world, (CmkKeyId){vault->key})->key_vault;
    args.ref[CMK_REF_VERSION] = vault->active_version;
    args.ref[CMK_REF_IDENTITY] = vault->identity;
    args.ref[CMK_REF_PRINCIPAL] = vault->principal;
    args.num[0] = 1;
    CmkWorld *unchanged = (CmkWorld *)(uintptr_t)world; /* cmk_would_apply() only reads */
    const CmkSim sim = {.model = model, .world = unchanged};
    CmkOutcome outcome = cmk_would_apply(&sim, &args);
    if (outcome.status == CMK_STATUS_OK) {
        args.op = CMK_OP_KEY_UNWRAP;
        outcome = cmk_would_apply(&sim, &args);
    }
    *ret_guard = outcome.guard;
    return outcome.status;
}

/* ---- guards ---------------------------------------------------------------------------------- */

static bool point_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkPoint *point = point_of(world, args);
    const CmkTask *task = task_of(world, args);
    *ret_blame = point->changed_by;
    /* Rows of points are handed out again: a restore that is under way knows which one it means. */
    return point->is_live != 0 && (task->point_by == 0 || task->point_by == point->created_by);
}

const CmkGuard cmk_guard_point_exists = {.name = "point-exists",
                                         .holds = point_exists,
                                         .status = CMK_STATUS_OF(POINT_NOT_FOUND),
                                         .rule = "BK-22",
                                         .text = "There is such a recovery point."};

static bool point_is_not_abandoned(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkPointId id = {args->ref[CMK_REF_POINT]};
    *ret_blame = cmk_backup_vault(world, cmk_point_vault(world, id))->encryption_by;
    return !is_abandoned(world, id);
}

const CmkGuard cmk_guard_point_is_not_abandoned = {
    .name = "point-is-not-abandoned",
    .holds = point_is_not_abandoned,
    .status = CMK_STATUS_OF(AUTH_FAILURE),
    .rule = "OQ-29 OQ-30",
    .text = "The recovery point is not under a data key that was lost and replaced."};

/* ---- making points --------------------------------------------------------------------------- */

static CmkGaugeKind gauge_of(const CmkPoint *point)
{
    switch ((CmkTier)point->tier) {
    case CMK_TIER_OPERATIONAL:
        return CMK_GAUGE_OPERATIONAL;
    case CMK_TIER_VAULT:
        return CMK_GAUGE_VAULT;
    case CMK_TIER_ARCHIVE:
        return CMK_GAUGE_ARCHIVE;
    }
    CMK_ASSERT(false);
    return CMK_GAUGE_VAULT;
}

/* A whole copy, or what has changed since the backup before (BK-7). */
static int64_t bytes_of_backup(const CmkInstance *instance, const CmkQueue *queue, CmkTime now)
{
    uint32_t count = 0;
    const CmkDatasourceFacts *facts = &cmk_datasource_facts(&count)[instance->datasource];
    if (facts->is_full_each_time || queue->point_count == 0) {
        return instance->size_bytes;
    }
    /* Rounded to minutes so that 64 bits are enough for 2^48 bytes and ten years. */
    const int64_t minutes = (now - queue->last_backup) / CMK_MINUTE_US;
    const int64_t per_day = instance->size_bytes / 1000000 * instance->daily_change_ppm;
    const int64_t changed = per_day / (CMK_DAY_US / CMK_MINUTE_US) * minutes;
    return changed < instance->size_bytes ? changed : instance->size_bytes;
}

static void append(CmkSim *sim, CmkQueueId queue_id, CmkPointId id)
{
    CmkQueue *queue = cmk_queue_mut(sim, queue_id);
    CmkPoint *point = cmk_point_mut(sim, id);
    point->previous = queue->last_point;
    if (queue->last_point == 0) {
        queue->first_point = id.i;
    } else {
        cmk_point_mut(sim, (CmkPointId){queue->last_point})->next = id.i;
    }
    queue->last_point = id.i;
    queue->point_count++;
    queue->last_backup = cmk_world_now(sim->world);
    if (queue->next_to_tier == 0 && point->tier_due != CMK_TIME_MAX) {
        queue->next_to_tier = id.i;
    }
}

static uint32_t backup_commit(CmkSim *sim, const CmkArgs *args)
{
    const CmkTaskId task_id = {args->ref[CMK_REF_TASK]};
    const CmkTask *task = cmk_task(sim->world, task_id);
    const CmkQueueId queue_id = {task->queue};
    const CmkQueue *queue = cmk_queue(sim->world, queue_id);
    const CmkInstance *instance = cmk_instance(sim->world, (CmkInstanceId){queue->instance});
    const CmkPolicy *policy = cmk_policy(sim->world, (CmkPolicyId){instance->policy});
    const bool is_vault = queue->store == CMK_STORE_VAULT;
    const CmkPointId id = {cmk_world_row_add(sim->world, CMK_TABLE_POINT)};
    CmkPoint *point = cmk_point_mut(sim, id);
    point->is_live = 1;
    point->queue = queue_id.i;
    point->tier = is_vault ? CMK_TIER_VAULT : CMK_TIER_OPERATIONAL;
    point->created = task->started;
    point->expires = cmk_time_add_period(
        task->started, is_vault ? policy->vault_retention : policy->operational_retention, 1);
    point->tier_due = is_vault && policy->has_archive
                          ? cmk_time_add_period(task->started, policy->archive_after, 1)
                          : CMK_TIME_MAX;
    point->bytes = bytes_of_backup(instance, queue, cmk_world_now(sim->world));
    point->data_key =
        cmk_backup_vault(sim->world, (CmkBackupVaultId){task->backup_vault})->data_key;
    point->created_by = point->changed_by = cmk_this_seq(sim);
    append(sim, queue_id, id);
    cmk_gauge_add(sim, (CmkBackupVaultId){task->backup_vault}, gauge_of(point), point->bytes);
    cmk_task_mut(sim, task_id)->state = CMK_TASK_COMPLETED;
    cmk_task_mut(sim, task_id)->point = id.i;
    cmk_world_row_recycle(sim->world, CMK_TABLE_TASK, task_id.i);
    return id.i;
}

const CmkOperation cmk_op_backup_commit = {
    .name = "backup.commit",
    .text = "A backup job ends well; its recovery point is there.",
    .params = {{"queue", CMK_PARAM_INTEGER, 0, 1, CMK_REF_QUEUE}},
    .guards = {CMK_GUARD_TASK_IS_RUNNING},
    .writes = CMK_BIT(POINT) | CMK_BIT(QUEUE) | CMK_BIT(GAUGE) | CMK_BIT(TASK),
    .effect = backup_commit,
    .rules = "BK-7 BK-24 BK-30 OQ-24",
};

/* ---- moving and removing points -------------------------------------------------------------- */

/* What removing the oldest point frees: a later increment then stands for the whole, so only what
 * it has replaced goes. */
static int64_t freed_bytes(const CmkWorld *world, const CmkPoint *point)
{
    if (point->next == 0) {
        return point->bytes;
    }
    const CmkPoint *next = cmk_point(world, (CmkPointId){point->next});
    return next->bytes < point->bytes ? next->bytes : point->bytes;
}

/* Which gauge counts the point once its expiry is overdue. */
static CmkGaugeKind overdue_gauge_of(const CmkPoint *point)
{
    return point->tier == CMK_TIER_ARCHIVE ? CMK_GAUGE_OVERDUE_ARCHIVE : CMK_GAUGE_OVERDUE_VAULT;
}

static void end_overdue_tiering(CmkSim *sim, CmkBackupVaultId vault, CmkPoint *point)
{
    if (point->is_tiering_overdue != 0) {
        point->is_tiering_overdue = 0;
        cmk_gauge_add(sim, vault, CMK_GAUGE_LATE_TIERING, -point->bytes);
    }
}

static uint32_t point_tier(CmkSim *sim, const CmkArgs *args)
{
    const CmkPointId id = {args->ref[CMK_REF_POINT]};
    CmkPoint *point = cmk_point_mut(sim, id);
    const CmkBackupVaultId vault = cmk_point_vault(sim->world, id);
    end_overdue_tiering(sim, vault, point);
    cmk_gauge_add(sim, vault, CMK_GAUGE_VAULT, -point->bytes);
    cmk_gauge_add(sim, vault, CMK_GAUGE_ARCHIVE, point->bytes);
    if (point->is_expiry_overdue != 0) { /* what it costs too much moves with it */
        cmk_gauge_add(sim, vault, CMK_GAUGE_OVERDUE_VAULT, -point->overdue_bytes);
        cmk_gauge_add(sim, vault, CMK_GAUGE_OVERDUE_ARCHIVE, point->overdue_bytes);
    }
    point->tier = CMK_TIER_ARCHIVE;
    point->archived_at = cmk_world_now(sim->world);
    point->changed_by = cmk_this_seq(sim);
    cmk_queue_mut(sim, (CmkQueueId){point->queue})->next_to_tier = point->next;
    return id.i;
}

const CmkOperation cmk_op_point_tier = {
    .name = "point.tier",
    .text = "A recovery point moves from the vault tier to the archive.",
    .params = {{"point", CMK_PARAM_INTEGER, 0, 1, CMK_REF_POINT}},
    .guards = {CMK_GUARD_POINT_EXISTS},
    .writes = CMK_BIT(POINT) | CMK_BIT(QUEUE) | CMK_BIT(GAUGE),
    .effect = point_tier,
    .rules = "BK-24 BK-32",
};

static void unlink_first(CmkSim *sim, const CmkPoint *point)
{
    CmkQueue *queue = cmk_queue_mut(sim, (CmkQueueId){point->queue});
    if (queue->next_to_tier == queue->first_point) {
        queue->next_to_tier = point->next;
    }
    queue->first_point = point->next;
    queue->point_count--;
    if (point->next == 0) {
        queue->last_point = 0;
    } else {
        cmk_point_mut(sim, (CmkPointId){point->next})->previous = 0;
    }
}

/* The next point stands for the whole copy now: it keeps what the oldest held beyond `freed`. */
static void hand_down(CmkSim *sim, const CmkPoint *point, int64_t freed, CmkBackupVaultId vault)
{
    const int64_t kept = point->bytes - freed;
    cmk_gauge_add(sim, vault, gauge_of(point), -point->bytes);
    if (kept > 0) {
        CmkPoint *next = cmk_point_mut(sim, (CmkPointId){point->next});
        cmk_gauge_add(sim, vault, gauge_of(next), kept);
        if (next->is_tiering_overdue != 0) {
            cmk_gauge_add(sim, vault, CMK_GAUGE_LATE_TIERING, kept);
        }
        next->bytes += kept;
    }
}

static uint32_t point_expire(CmkSim *sim, const CmkArgs *args)
{
    const CmkPointId id = {args->ref[CMK_REF_POINT]};
    CmkPoint *point = cmk_point_mut(sim, id);
    const CmkBackupVaultId vault = cmk_point_vault(sim->world, id);
    const CmkTime now = cmk_world_now(sim->world);
    end_overdue_tiering(sim, vault, point);
    if (point->is_expiry_overdue != 0) {
        cmk_gauge_add(sim, vault, overdue_gauge_of(point), -point->overdue_bytes);
    }
    if (point->tier == CMK_TIER_ARCHIVE && now - point->archived_at < ARCHIVE_MINIMUM_US) {
        cmk_gauge_charge(sim, vault, CMK_GAUGE_EARLY_DELETION, point->bytes,
                         ARCHIVE_MINIMUM_US - (now - point->archived_at)); /* COST-21 */
    }
    hand_down(sim, point, freed_bytes(sim->world, point), vault);
    unlink_first(sim, point);
    point->is_live = 0;
    point->changed_by = cmk_this_seq(sim);
    cmk_world_row_recycle(sim->world, CMK_TABLE_POINT, id.i);
    return id.i;
}

const CmkOperation cmk_op_point_expire = {
    .name = "point.expire",
    .text = "The oldest recovery point of a queue is removed, its retention being over.",
    .params = {{"point", CMK_PARAM_INTEGER, 0, 1, CMK_REF_POINT}},
    .guards = {CMK_GUARD_POINT_EXISTS},
    .writes = CMK_BIT(POINT) | CMK_BIT(QUEUE) | CMK_BIT(GAUGE),
    .effect = point_expire,
    .rules = "BK-8 BK-25 BK-33 COST-21",
};

/* num[0]: 0 its expiry is overdue, 1 its move to the archive. */
static uint32_t point_overdue(CmkSim *sim, const CmkArgs *args)
{
    const CmkPointId id = {args->ref[CMK_REF_POINT]};
    CmkPoint *point = cmk_point_mut(sim, id);
    const CmkBackupVaultId vault = cmk_point_vault(sim->world, id);
    if (args->num[0] != 0) {
        point->is_tiering_overdue = 1;
        cmk_gauge_add(sim, vault, CMK_GAUGE_LATE_TIERING, point->bytes);
    } else {
        end_overdue_tiering(sim, vault, point); /* it should not be there at all */
        point->is_expiry_overdue = 1;
        point->overdue_bytes = freed_bytes(sim->world, point);
        cmk_gauge_add(sim, vault, overdue_gauge_of(point), point->overdue_bytes);
    }
    point->changed_by = cmk_this_seq(sim);
    return id.i;
}

const CmkOperation cmk_op_point_overdue = {
    .name = "point.overdue",
    .text = "A recovery point stays although it should be gone or in the archive, and costs on.",
    .params = {{"point", CMK_PARAM_INTEGER, 0, 1, CMK_REF_POINT},
               {"is_tiering", CMK_PARAM_INTEGER, 1, 0, 0}},
    .guards = {CMK_GUARD_POINT_EXISTS},
    .writes = CMK_BIT(POINT) | CMK_BIT(GAUGE),
    .effect = point_overdue,
    .rules = "BK-20 BK-22 BV-24 COST-22",
};

/* ---- restoring ------------------------------------------------------------------------------- */

static uint32_t backup_restore(CmkSim *sim, const CmkArgs *args)
{
    const CmkPointId point_id = {args->ref[CMK_REF_POINT]};
    const CmkBackupVaultId vault = cmk_point_vault(sim->world, point_id);
    const CmkTaskId id = cmk_task_start(sim, args, CMK_TASK_RESTORE, vault);
    CmkTask *task = cmk_task_mut(sim, id);
    task->point = point_id.i;
    task->point_by = cmk_point(sim->world, point_id)->created_by;
    task->queue = cmk_point(sim->world, point_id)->queue;
    return id.i;
}

const CmkOperation cmk_op_backup_restore = {
    .name = "backup.restore",
    .text = "A restore of a recovery point is started.",
    .params = {{"instance", CMK_PARAM_INSTANCE, 0, 1, CMK_REF_INSTANCE},
               {"point", CMK_PARAM_POINT, 1, 1, 0}},
    .guards = {CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_POINT_EXISTS,
               CMK_GUARD_POINT_IS_NOT_ABANDONED},
    .writes = CMK_BIT(TASK) | CMK_BIT_TIMERS,
    .effect = backup_restore,
    .rules = "BK-26 BK-31 BK-36",
    .action = "Microsoft.DataProtection/backupVaults/backupInstances/restore/action",
    .az = "az dataprotection backup-instance restore trigger",
};

static uint32_t restore_commit(CmkSim *sim, const CmkArgs *args)
{
    const CmkTaskId id = {args->ref[CMK_REF_TASK]};
    cmk_task_mut(sim, id)->state = CMK_TASK_COMPLETED;
    cmk_world_row_recycle(sim->world, CMK_TABLE_TASK, id.i);
    return args->ref[CMK_REF_POINT];
}

const CmkOperation cmk_op_restore_commit = {
    .name = "restore.commit",
    .text = "A restore job ends well; the data of the recovery point is back.",
    .params = {{"point", CMK_PARAM_INTEGER, 0, 1, CMK_REF_POINT}},
    .guards = {CMK_GUARD_TASK_IS_RUNNING, CMK_GUARD_POINT_EXISTS, CMK_GUARD_POINT_IS_NOT_ABANDONED},
    .writes = CMK_BIT(TASK),
    .effect = restore_commit,
    .rules = "BK-31 OQ-24",
};
