/* Recovery points: made, moved to the archive, expired, overdue, restored (section 10). */
#include "models/points.h"

#include "models/continuous.h"
#include "models/key.h"
#include "models/key_store.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/rows.h"
#include "models/schedule.h"
#include "models/secret.h"

#define ARCHIVE_MINIMUM_US (180 * CMK_DAY_US) /* BK-25 */

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

bool cmk_point_has_own_key(const CmkWorld *world, CmkPointId id)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, cmk_point_vault(world, id));
    return cmk_point(world, id)->data_key > vault->data_key;
}

bool cmk_points_have_own_keys(const CmkWorld *world, CmkBackupVaultId vault)
{
    const CmkBackupVault *row = cmk_backup_vault(world, vault);
    return row->last_data_key > row->data_key;
}

/* Whether the data key of the point was given up for another one when its key was lost. */
static bool is_abandoned(const CmkWorld *world, CmkPointId id)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, cmk_point_vault(world, id));
    return cmk_point_needs_key(world, id) && cmk_point(world, id)->data_key < vault->data_key;
}

bool cmk_points_due_need_key(const CmkWorld *world, CmkQueueId queue)
{
    static const CmkDue dues[] = {CMK_DUE_TO_EXPIRE, CMK_DUE_TO_TIER};
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(dues); i++) {
        CmkPointId id = cmk_points_next_due(world, queue, dues[i], (CmkPointId){0});
        while (id.i != 0 && !cmk_point_needs_key(world, id)) {
            id = cmk_points_next_due(world, queue, dues[i], id);
        }
        if (id.i != 0) {
            return true;
        }
    }
    return false;
}

bool cmk_points_hold_key(const CmkWorld *world, CmkBackupVaultId vault)
{
    const CmkBackupVault *row = cmk_backup_vault(world, vault);
    return cmk_world_now(world) < row->dek_known_until &&
           cmk_version(world, (CmkVersionId){row->active_version})->is_purged == 0;
}

static const CmkRetention *retention_of(const CmkWorld *world, const CmkPoint *point)
{
    const CmkInstanceId id = {cmk_queue(world, (CmkQueueId){point->queue})->instance};
    const CmkPolicyId policy_id = {cmk_instance(world, id)->policy};
    return cmk_policy_rule(cmk_policy(world, policy_id), point->tag);
}

static CmkPeriod or_usual(CmkPeriod said, CmkPeriod usual)
{
    return said.months != 0 || said.us != 0 ? said : usual;
}

/* A length that a rule says, as it is meant (OQ-36). */
static CmkPeriod as_meant(const CmkWorld *world, CmkPeriod said)
{
    if (cmk_knob(world, CMK_KNOB_MONTHS_BY_CALENDAR) != 0) {
        return said;
    }
    const int64_t days = said.months / 12 * INT64_C(365) + said.months % 12 * INT64_C(30);
    return (CmkPeriod){.us = said.us + days * CMK_DAY_US};
}

CmkTime cmk_retention_end(const CmkWorld *world, const CmkRetention *rule, CmkPeriod usual,
                          CmkTime created)
{
    const CmkPeriod kept = as_meant(world, or_usual(rule->vault, usual));
    const CmkTime in_vault = cmk_time_add_period(created, kept, 1);
    return rule->archiving == CMK_ARCHIVING_ON_EXPIRY
               ? cmk_time_add_period(in_vault, as_meant(world, rule->archive), 1)
               : in_vault;
}

CmkPeriod cmk_point_retention(const CmkWorld *world, CmkPointId id)
{
    const CmkPoint *point = cmk_point(world, id);
    const CmkRetention *rule = retention_of(world, point);
    const CmkPeriod said = point->tier == CMK_TIER_OPERATIONAL ? rule->operational : rule->vault;
    uint32_t count = 0;
    const CmkInstanceId instance = {cmk_queue(world, (CmkQueueId){point->queue})->instance};
    const CmkDatasourceFacts *facts = cmk_datasource_facts(&count);
    const uint32_t datasource = cmk_instance(world, instance)->datasource;
    return as_meant(world, or_usual(said, facts[datasource].usual_retention));
}

CmkTime cmk_point_expires(const CmkWorld *world, CmkPointId id)
{
    const CmkPoint *point = cmk_point(world, id);
    if (point->is_span != 0 && point->ended == 0) {
        return CMK_TIME_MAX; /* its last moment is always now */
    }
    const CmkPeriod kept = cmk_point_retention(world, id);
    if (point->tier == CMK_TIER_OPERATIONAL) {
        return cmk_time_add_period(point->is_span != 0 ? point->ended : point->created, kept, 1);
    }
    return cmk_retention_end(world, retention_of(world, point), kept, point->created);
}

CmkTime cmk_point_tier_due(const CmkWorld *world, CmkPointId id)
{
    const CmkPoint *point = cmk_point(world, id);
    const CmkRetention *rule = retention_of(world, point);
    if (point->tier == CMK_TIER_OPERATIONAL) {
        return CMK_TIME_MAX;
    }
    switch ((CmkArchiving)rule->archiving) {
    case CMK_ARCHIVING_NEVER:
        return CMK_TIME_MAX;
    case CMK_ARCHIVING_IMMEDIATELY:
        return point->created;
    case CMK_ARCHIVING_ON_EXPIRY:
        return cmk_time_add_period(point->created, cmk_point_retention(world, id), 1);
    case CMK_ARCHIVING_AFTER:
        return cmk_time_add_period(point->created, as_meant(world, rule->archive_after), 1);
    }
    CMK_ASSERT(false);
    return CMK_TIME_MAX;
}

/* BK-15: while protection is stopped all is kept, while backups are suspended the latest point. */
static bool is_held(const CmkWorld *world, CmkPointId id, CmkDue due)
{
    const CmkQueue *queue = cmk_queue(world, (CmkQueueId){cmk_point(world, id)->queue});
    const CmkInstance *instance = cmk_instance(world, (CmkInstanceId){queue->instance});
    if (instance->state == CMK_INSTANCE_SUSPENDED) {
        return due == CMK_DUE_TO_EXPIRE && queue->last_point == id.i;
    }
    return instance->state != CMK_INSTANCE_PROTECTED;
}

static bool is_due(const CmkWorld *world, CmkPointId id, CmkDue due)
{
    if (id.i == 0 || is_held(world, id, due)) {
        return false;
    }
    const CmkTime time =
        due == CMK_DUE_TO_TIER ? cmk_point_tier_due(world, id) : cmk_point_expires(world, id);
    return time <= cmk_world_now(world);
}

CmkPointId cmk_points_next_due(const CmkWorld *world, CmkQueueId queue, CmkDue due,
                               CmkPointId after)
{
    const CmkFifo *fifos = cmk_queue(world, queue)->fifo;
    uint32_t tag = 0;
    if (after.i != 0) {
        const CmkPointId next = {cmk_point(world, after)->next_of_tag};
        if (is_due(world, next, due)) {
            return next;
        }
        tag = cmk_point(world, after)->tag + 1;
    }
    for (; tag < CMK_TAG__COUNT; tag++) {
        const CmkPointId first = {due == CMK_DUE_TO_TIER ? fifos[tag].next_to_tier
                                                         : fifos[tag].first};
        if (is_due(world, first, due)) {
            return first;
        }
    }
    return (CmkPointId){0};
}

CmkPointId cmk_points_next_of_vault(const CmkWorld *world, CmkBackupVaultId vault, CmkPointId after)
{
    CmkInstanceId instance = {cmk_backup_vault(world, vault)->first_instance};
    CmkQueueId queue = {cmk_instance(world, instance)->first_queue};
    CmkPointId next = {cmk_queue(world, queue)->first_point};
    if (after.i != 0) {
        queue.i = cmk_point(world, after)->queue;
        instance.i = cmk_queue(world, queue)->instance;
        next.i = cmk_point(world, after)->next;
    }
    while (next.i == 0 && instance.i != 0) {
        queue.i = cmk_queue(world, queue)->next_of_instance;
        if (queue.i == 0) {
            instance.i = cmk_instance(world, instance)->next_of_vault;
            queue.i = cmk_instance(world, instance)->first_queue;
        }
        next.i = cmk_queue(world, queue)->first_point;
    }
    return next;
}

bool cmk_point_is_lost(const CmkWorld *world, CmkPointId id)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, cmk_point_vault(world, id));
    return cmk_point_needs_key(world, id) &&
           (cmk_version_is_lost(world, (CmkVersionId){vault->active_version}) ||
            is_abandoned(world, id));
}

bool cmk_point_is_overdue(const CmkWorld *world, CmkPointId id)
{
    const CmkPoint *point = cmk_point(world, id);
    return point->is_expiry_overdue != 0 || point->is_tiering_overdue != 0;
}

/* Of an instance with credentials in a secret (BK-2, SEC-2). */
static CmkOutcome would_read_secret(const CmkSim *sim, CmkPointId id)
{
    const CmkQueueId queue = {cmk_point(sim->world, id)->queue};
    const CmkInstanceId instance = {cmk_queue(sim->world, queue)->instance};
    CmkArgs args = {.op = CMK_OP_SECRET_GET, .actor = CMK_ACTOR_PLATFORM};
    cmk_secret_fill_request(sim->world, instance, &args);
    return args.ref[CMK_REF_SECRET] != 0 ? cmk_would_apply(sim, &args)
                                         : (CmkOutcome){.status = CMK_STATUS_OK};
}

CmkStatus cmk_point_restorable(const CmkModel *model, const CmkWorld *world, CmkPointId id,
                               CmkGuardId *ret_guard)
{
    const CmkBackupVaultId vault_id = cmk_point_vault(world, id);
    const CmkBackupVault *vault = cmk_backup_vault(world, vault_id);
    *ret_guard = CMK_GUARD_NONE;
    if (is_abandoned(world, id)) {
        *ret_guard = CMK_GUARD_POINT_IS_NOT_ABANDONED;
        return CMK_STATUS_OF(AUTH_FAILURE);
    }
    CmkWorld *unchanged = (CmkWorld *)(uintptr_t)world; /* cmk_would_apply() only reads */
    const CmkSim sim = {.model = model, .world = unchanged};
    CmkOutcome outcome = would_read_secret(&sim, id);
    *ret_guard = outcome.guard;
    const bool is_open = !cmk_point_has_own_key(world, id) && cmk_points_hold_key(world, vault_id);
    if (outcome.status != CMK_STATUS_OK || !cmk_point_needs_key(world, id) || is_open) {
        return outcome.status;
    }
    static const CmkOpId ops[] = {CMK_OP_KEY_GET, CMK_OP_BACKUP_ACCEPT_KEY, CMK_OP_KEY_UNWRAP};
    CmkArgs args = {.actor = CMK_ACTOR_PLATFORM};
    args.ref[CMK_REF_BACKUP_VAULT] = vault_id.i;
    cmk_key_store_refer(world, (CmkKeyId){vault->key}, &args);
    args.ref[CMK_REF_VERSION] = vault->active_version;
    args.ref[CMK_REF_IDENTITY] = vault->identity;
    args.ref[CMK_REF_PRINCIPAL] = vault->principal;
    args.num[0] = 1;
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(ops) && outcome.status == CMK_STATUS_OK; i++) {
        args.op = ops[i];
        outcome = cmk_would_apply(&sim, &args);
    }
    *ret_guard = outcome.guard;
    return outcome.status;
}

/* ---- guards ---------------------------------------------------------------------------------- */

static bool point_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkPoint *point = cmk_point_of(world, args);
    const CmkTask *task = cmk_task_of(world, args);
    *ret_blame = point->changed_by;
    /* Rows of points are handed out again: a restore that is under way knows which one it means. */
    return point->is_live != 0 && (task->point_by == 0 || task->point_by == point->created_by);
}

const CmkGuard cmk_guard_point_exists = {.name = "point-exists",
                                         .holds = point_exists,
                                         .status = CMK_STATUS_OF(POINT_NOT_FOUND),
                                         .rule = "BK-8",
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

void cmk_points_append(CmkSim *sim, CmkQueueId queue_id, CmkPointId id)
{
    CmkQueue *queue = cmk_queue_mut(sim, queue_id);
    CmkPoint *point = cmk_point_mut(sim, id);
    CmkFifo *fifo = &queue->fifo[point->tag];
    point->previous = queue->last_point;
    if (queue->last_point == 0) {
        queue->first_point = id.i;
    } else {
        cmk_point_mut(sim, (CmkPointId){queue->last_point})->next = id.i;
    }
    queue->last_point = id.i;
    queue->point_count++;
    queue->last_backup = cmk_world_now(sim->world);
    if (fifo->last == 0) {
        fifo->first = id.i;
    } else {
        cmk_point_mut(sim, (CmkPointId){fifo->last})->next_of_tag = id.i;
    }
    fifo->last = id.i;
    if (fifo->next_to_tier == 0 && queue->store == CMK_STORE_VAULT) {
        fifo->next_to_tier = id.i;
    }
}

/* The retention rule of the point that a job is to make. */
static CmkTag tag_of(const CmkWorld *world, const CmkTask *task)
{
    if (task->kind == CMK_TASK_BACKUP_ON_DEMAND) {
        return (CmkTag)task->tag;
    }
    return cmk_schedule_tag_of(world, (CmkQueueId){task->queue}, task->started);
}

/* That of the vault, or one made for this backup alone (OQ-28). */
static uint32_t data_key_of_backup(CmkSim *sim, CmkBackupVaultId id, const CmkPoint *point)
{
    if (point->tier == CMK_TIER_OPERATIONAL || cmk_knob(sim->world, CMK_KNOB_DEK_PER_POINT) == 0) {
        return cmk_backup_vault(sim->world, id)->data_key;
    }
    return ++cmk_backup_vault_mut(sim, id)->last_data_key;
}

/* That was the one more backup of ROT-6, unless it went on with a data key that Backup held, or had
 * begun before the vault left this version: then the next one is. */
static void end_need_of_old_version(CmkSim *sim, const CmkTask *task)
{
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, (CmkBackupVaultId){task->backup_vault});
    if (vault->old_version == task->old_version) {
        vault->old_version = 0;
    }
}

static uint32_t backup_commit(CmkSim *sim, const CmkArgs *args)
{
    const CmkTaskId task_id = {args->ref[CMK_REF_TASK]};
    const CmkTask *task = cmk_task(sim->world, task_id);
    const CmkQueueId queue_id = {task->queue};
    CmkQueue *queue = cmk_queue_mut(sim, queue_id);
    const CmkInstance *instance = cmk_instance(sim->world, (CmkInstanceId){queue->instance});
    const CmkPointId id = {cmk_world_row_add(sim->world, CMK_TABLE_POINT)};
    CmkPoint *point = cmk_point_mut(sim, id);
    point->is_live = 1;
    point->queue = queue_id.i;
    point->tier = queue->store == CMK_STORE_VAULT ? CMK_TIER_VAULT : CMK_TIER_OPERATIONAL;
    point->created = task->started;
    point->tag = tag_of(sim->world, task);
    point->bytes = bytes_of_backup(instance, queue, cmk_world_now(sim->world));
    point->data_key = data_key_of_backup(sim, (CmkBackupVaultId){task->backup_vault}, point);
    point->created_by = point->changed_by = cmk_this_seq(sim);
    cmk_points_append(sim, queue_id, id);
    end_need_of_old_version(sim, task);
    queue->backup_task = 0;
    queue->failed_backups = 0;
    if (task->kind == CMK_TASK_BACKUP) {
        queue->last_scheduled = task->started;
    }
    cmk_gauge_add(sim, (CmkBackupVaultId){task->backup_vault}, gauge_of(point), point->bytes);
    cmk_task_mut(sim, task_id)->point = id.i;
    cmk_task_complete(sim, task_id);
    return id.i;
}

const CmkOperation cmk_op_backup_commit = {
    .name = "backup.commit",
    .text = "A backup job ends well; its recovery point is there.",
    .params = {{"queue", CMK_PARAM_INTEGER, 0, 1, CMK_REF_QUEUE}},
    .guards = {CMK_GUARD_TASK_IS_RUNNING, CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING,
               CMK_GUARD_INSTANCE_IS_KEPT, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_BACKUP_SERVICE_WORKS},
    .writes =
        CMK_BIT(POINT) | CMK_BIT(QUEUE) | CMK_BIT(GAUGE) | CMK_BIT(TASK) | CMK_BIT(BACKUP_VAULT),
    .effect = backup_commit,
    .rules = "BK-7 BK-10 BK-11 BK-12 BK-23 BK-24 BK-30 OQ-24 ROT-6",
};

/* ---- moving and removing points -------------------------------------------------------------- */

/* What removing a point frees: the next increment in the chain then stands for both, so only what
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
    static const CmkGaugeKind kinds[] = {[CMK_TIER_OPERATIONAL] = CMK_GAUGE_OVERDUE_SNAPSHOTS,
                                         [CMK_TIER_VAULT] = CMK_GAUGE_OVERDUE_VAULT,
                                         [CMK_TIER_ARCHIVE] = CMK_GAUGE_OVERDUE_ARCHIVE};
    return kinds[point->tier];
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
    cmk_queue_mut(sim, (CmkQueueId){point->queue})->fifo[point->tag].next_to_tier =
        point->next_of_tag;
    return id.i;
}

const CmkOperation cmk_op_point_tier = {
    .name = "point.tier",
    .text = "A recovery point moves from the vault tier to the archive.",
    .params = {{"point", CMK_PARAM_INTEGER, 0, 1, CMK_REF_POINT}},
    .guards = {CMK_GUARD_POINT_EXISTS, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_BACKUP_SERVICE_WORKS},
    .writes = CMK_BIT(POINT) | CMK_BIT(QUEUE) | CMK_BIT(GAUGE),
    .effect = point_tier,
    .rules = "BK-24 BK-28 BK-32",
};

/* Out of the chain, in the middle of which it may be, and from the head of its rule's queue. */
static void unlink_point(CmkSim *sim, CmkPointId id)
{
    const CmkPoint *point = cmk_point(sim->world, id);
    CmkQueue *queue = cmk_queue_mut(sim, (CmkQueueId){point->queue});
    CmkFifo *fifo = &queue->fifo[point->tag];
    CMK_ASSERT(fifo->first == id.i);
    if (fifo->next_to_tier == id.i) {
        fifo->next_to_tier = point->next_of_tag;
    }
    fifo->first = point->next_of_tag;
    fifo->last = fifo->first == 0 ? 0 : fifo->last;
    if (point->previous == 0) {
        queue->first_point = point->next;
    } else {
        cmk_point_mut(sim, (CmkPointId){point->previous})->next = point->next;
    }
    if (point->next == 0) {
        queue->last_point = point->previous;
    } else {
        cmk_point_mut(sim, (CmkPointId){point->next})->previous = point->previous;
    }
    queue->point_count--;
}

/* The next point of the chain stands for both now: it keeps what this one held beyond `freed`. */
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
        if (next->rehydrated_until != 0) {
            cmk_gauge_add(sim, vault, CMK_GAUGE_REHYDRATED, kept);
        }
        next->bytes += kept;
    }
}

static void end_copy(CmkSim *sim, CmkBackupVaultId vault, CmkPoint *point)
{
    if (point->rehydrated_until != 0) {
        point->rehydrated_until = 0;
        cmk_gauge_add(sim, vault, CMK_GAUGE_REHYDRATED, -point->bytes);
    }
}

static void end_overdue_expiry(CmkSim *sim, CmkBackupVaultId vault, CmkPoint *point)
{
    if (point->is_expiry_overdue != 0) {
        cmk_gauge_add(sim, vault, overdue_gauge_of(point), -point->overdue_bytes);
        point->is_expiry_overdue = 0;
        point->overdue_bytes = 0;
    }
}

void cmk_points_forgive(CmkSim *sim, CmkQueueId queue)
{
    const CmkBackupVaultId vault = cmk_points_vault(sim->world, queue);
    CmkPointId id = {cmk_queue(sim->world, queue)->first_point};
    while (id.i != 0) {
        CmkPoint *point = cmk_point_mut(sim, id);
        if (!is_due(sim->world, id, CMK_DUE_TO_TIER)) {
            end_overdue_tiering(sim, vault, point);
        }
        if (!is_due(sim->world, id, CMK_DUE_TO_EXPIRE)) {
            end_overdue_expiry(sim, vault, point);
        }
        id.i = point->next;
    }
}

/* Takes away a point that is the oldest of its rule. */
static uint32_t remove_point(CmkSim *sim, const CmkArgs *args)
{
    const CmkPointId id = {args->ref[CMK_REF_POINT]};
    CmkPoint *point = cmk_point_mut(sim, id);
    const CmkBackupVaultId vault = cmk_point_vault(sim->world, id);
    const CmkTime now = cmk_world_now(sim->world);
    end_overdue_tiering(sim, vault, point);
    end_overdue_expiry(sim, vault, point);
    end_copy(sim, vault, point);
    if (point->tier == CMK_TIER_ARCHIVE && now - point->archived_at < ARCHIVE_MINIMUM_US) {
        cmk_gauge_charge(sim, vault, CMK_GAUGE_EARLY_DELETION, point->bytes,
                         ARCHIVE_MINIMUM_US - (now - point->archived_at)); /* COST-21 */
    }
    hand_down(sim, point, freed_bytes(sim->world, point), vault);
    unlink_point(sim, id);
    point->is_live = 0;
    point->changed_by = cmk_this_seq(sim);
    cmk_world_row_recycle(sim->world, CMK_TABLE_POINT, id.i);
    return id.i;
}

const CmkOperation cmk_op_point_expire = {
    .name = "point.expire",
    .text = "The oldest recovery point of a retention rule is removed, its time being over.",
    .params = {{"point", CMK_PARAM_INTEGER, 0, 1, CMK_REF_POINT}},
    .guards = {CMK_GUARD_POINT_EXISTS, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_BACKUP_SERVICE_WORKS},
    .writes = CMK_BIT(POINT) | CMK_BIT(QUEUE) | CMK_BIT(GAUGE),
    .effect = remove_point,
    .rules = "BK-8 BK-13 BK-25 BK-33 COST-21",
};

const CmkOperation cmk_op_point_purge = {
    .name = "point.purge",
    .text = "A recovery point of a deleted instance is destroyed.",
    .params = {{"point", CMK_PARAM_INTEGER, 0, 1, CMK_REF_POINT}},
    .guards = {CMK_GUARD_INSTANCE_IS_SOFT_DELETED, CMK_GUARD_POINT_EXISTS},
    .writes = CMK_BIT(POINT) | CMK_BIT(QUEUE) | CMK_BIT(GAUGE),
    .effect = remove_point,
    .rules = "BV-6 BV-7 BK-25 COST-21",
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

/* num[0]: a CmkPointChoice or a moment. */
static CmkTime moment_of(const CmkWorld *world, const CmkArgs *args)
{
    const CmkPointId id = {args->ref[CMK_REF_POINT]};
    if (args->num[0] >= CMK_POINT__COUNT && cmk_point(world, id)->is_span != 0) {
        return args->num[0];
    }
    return args->num[0] == CMK_POINT_OLDEST ? cmk_point_first_moment(world, id)
                                            : cmk_point_last_moment(world, id);
}

uint32_t cmk_points_start_restore(CmkSim *sim, const CmkArgs *args)
{
    const CmkPointId point_id = {args->ref[CMK_REF_POINT]};
    const CmkBackupVaultId vault = cmk_point_vault(sim->world, point_id);
    const CmkTaskId id = cmk_task_start(sim, args, CMK_TASK_RESTORE, vault);
    CmkTask *task = cmk_task_mut(sim, id);
    task->point = point_id.i;
    task->point_by = cmk_point(sim->world, point_id)->created_by;
    task->restored_to = moment_of(sim->world, args);
    task->queue = cmk_point(sim->world, point_id)->queue;
    task->priority = (uint32_t)args->num[1];
    return id.i;
}

static uint32_t backup_restore(CmkSim *sim, const CmkArgs *args)
{
    return cmk_points_start_restore(sim, args);
}

const CmkOperation cmk_op_backup_restore = {
    .name = "backup.restore",
    .permission = CMK_PERMISSION_BACKUP_OPERATE,
    .text = "A restore of a recovery point is started.",
    .params = {{"instance", CMK_PARAM_INSTANCE, 0, 1, CMK_REF_INSTANCE},
               {"point", CMK_PARAM_POINT, 1, 1, 0},
               {"priority", CMK_PARAM_REHYDRATION, 1, 0, 1},
               {"subscription", CMK_PARAM_SUBSCRIPTION, 0, 0, CMK_REF_SCOPE}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING,
               CMK_GUARD_INSTANCE_IS_KEPT, CMK_GUARD_MOMENT_IS_COVERED, CMK_GUARD_POINT_EXISTS,
               CMK_GUARD_POINT_IS_NOT_ABANDONED, CMK_GUARD_CROSS_SUBSCRIPTION_RESTORE_IS_ON,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE},
    .writes = CMK_BIT(TASK) | CMK_BIT_TIMERS,
    .effect = backup_restore,
    .rules = "BK-3 BK-26 BK-31 BK-36 BV-5",
    .action = "Microsoft.DataProtection/backupVaults/backupInstances/restore/action",
    .az = "az dataprotection backup-instance restore trigger",
};

bool cmk_point_must_come_back(const CmkWorld *world, CmkPointId id)
{
    const CmkPoint *point = cmk_point(world, id);
    return point->tier == CMK_TIER_ARCHIVE && point->rehydrated_until <= cmk_world_now(world);
}

/* The copy goes with its point, if that goes earlier. */
static uint32_t point_rehydrate(CmkSim *sim, const CmkArgs *args)
{
    const CmkPointId id = {args->ref[CMK_REF_POINT]};
    CmkPoint *point = cmk_point_mut(sim, id);
    const CmkBackupVaultId vault = cmk_point_vault(sim->world, id);
    end_copy(sim, vault, point); /* one whose time is over at this very moment */
    point->rehydrated_until =
        cmk_world_now(sim->world) + cmk_knob(sim->world, CMK_KNOB_REHYDRATION_KEPT);
    point->changed_by = cmk_this_seq(sim);
    cmk_gauge_add(sim, vault, CMK_GAUGE_REHYDRATED, point->bytes);
    (void)cmk_engine_set_timer(sim, point->rehydrated_until, CMK_EVENT_COPY, id.i, args);
    return id.i;
}

const CmkOperation cmk_op_point_rehydrate = {
    .name = "point.rehydrate",
    .text = "A copy of an archived point has come back to the vault tier, to be restored.",
    .params = {{"point", CMK_PARAM_INTEGER, 0, 1, CMK_REF_POINT}},
    .guards = {CMK_GUARD_TASK_IS_RUNNING, CMK_GUARD_POINT_EXISTS},
    .writes = CMK_BIT(POINT) | CMK_BIT(GAUGE) | CMK_BIT_TIMERS,
    .effect = point_rehydrate,
    .rules = "BK-26 BK-29",
};

static uint32_t point_drop_copy(CmkSim *sim, const CmkArgs *args)
{
    const CmkPointId id = {args->ref[CMK_REF_POINT]};
    end_copy(sim, cmk_point_vault(sim->world, id), cmk_point_mut(sim, id));
    cmk_point_mut(sim, id)->changed_by = cmk_this_seq(sim);
    return id.i;
}

const CmkOperation cmk_op_point_drop_copy = {
    .name = "point.drop_copy",
    .text = "The copy of an archived point in the vault tier has had its time; it is removed.",
    .params = {{"point", CMK_PARAM_INTEGER, 0, 1, CMK_REF_POINT}},
    .guards = {CMK_GUARD_POINT_EXISTS},
    .writes = CMK_BIT(POINT) | CMK_BIT(GAUGE),
    .effect = point_drop_copy,
    .rules = "BK-26",
};

/* Of a point that is gone, or back again since, another timer tells the end of its copy. */
void cmk_on_copy(CmkSim *sim, const CmkTimer *timer)
{
    const CmkPoint *point = cmk_point(sim->world, (CmkPointId){timer->subject});
    if (point->is_live != 0 && point->rehydrated_until == cmk_world_now(sim->world)) {
        CmkArgs args = cmk_args_of_timer(CMK_OP_POINT_DROP_COPY, timer);
        args.ref[CMK_REF_POINT] = timer->subject;
        args.ref[CMK_REF_BACKUP_VAULT] =
            cmk_point_vault(sim->world, (CmkPointId){timer->subject}).i;
        (void)cmk_apply(sim, &args);
    }
}

static uint32_t restore_commit(CmkSim *sim, const CmkArgs *args)
{
    cmk_task_complete(sim, (CmkTaskId){args->ref[CMK_REF_TASK]});
    return args->ref[CMK_REF_POINT];
}

const CmkOperation cmk_op_restore_commit = {
    .name = "restore.commit",
    .text = "A restore job ends well; the data of the recovery point is back.",
    .params = {{"point", CMK_PARAM_INTEGER, 0, 1, CMK_REF_POINT}},
    .guards = {CMK_GUARD_TASK_IS_RUNNING, CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, CMK_GUARD_POINT_EXISTS,
               CMK_GUARD_POINT_IS_NOT_ABANDONED, CMK_GUARD_BACKUP_SERVICE_WORKS},
    .writes = CMK_BIT(TASK),
    .effect = restore_commit,
    .rules = "BK-31 OQ-24",
};
