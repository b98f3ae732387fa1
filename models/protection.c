/* Protected instances, the schedule of backups and daily maintenance (section 10). */
#include "models/backup_policy.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/points.h"
#include "models/rows.h"
#include "models/schedule.h"

/* ---- guards ---------------------------------------------------------------------------------- */

static bool instance_is_absent(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkInstance *instance = cmk_instance_of(world, args);
    *ret_blame = instance->changed_by;
    return instance->state == CMK_INSTANCE_ABSENT || instance->state == CMK_INSTANCE_PURGED ||
           instance->state == CMK_INSTANCE_CONFIGURING_FAILED;
}

const CmkGuard cmk_guard_instance_is_absent = {.name = "instance-is-absent",
                                               .holds = instance_is_absent,
                                               .status = CMK_STATUS_OF(CONFLICT),
                                               .rule = "BK-23",
                                               .text =
                                                   "The instance is not protected yet, or nothing "
                                                   "of its deleted backup data is left."};

static bool instance_is_protected(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_instance_of(world, args)->changed_by;
    return cmk_instance_of(world, args)->state == CMK_INSTANCE_PROTECTED;
}

const CmkGuard cmk_guard_instance_is_protected = {.name = "instance-is-protected",
                                                  .holds = instance_is_protected,
                                                  .status = CMK_STATUS_OF(CONFLICT),
                                                  .rule = "BK-23",
                                                  .text = "The instance is protected."};

/* ---- operations ------------------------------------------------------------------------------ */

static void add_queue(CmkSim *sim, const CmkArgs *args, CmkInstanceId id, CmkStore store)
{
    CmkInstance *instance = cmk_instance_mut(sim, id);
    const CmkQueueId queue_id = {cmk_world_row_add(sim->world, CMK_TABLE_QUEUE)};
    CmkQueue *queue = cmk_queue_mut(sim, queue_id);
    queue->instance = id.i;
    queue->store = store;
    queue->next_of_instance = instance->first_queue;
    instance->first_queue = queue_id.i;
    cmk_schedule_begin(sim, args, queue_id);
}

/* Backups begin, and the bill. */
static uint32_t instance_configure(CmkSim *sim, const CmkArgs *args)
{
    const CmkInstanceId id = {args->ref[CMK_REF_INSTANCE]};
    CmkInstance *instance = cmk_instance_mut(sim, id);
    instance->state = CMK_INSTANCE_PROTECTED;
    instance->changed_by = cmk_this_seq(sim);
    const CmkPolicy *policy = cmk_policy(sim->world, (CmkPolicyId){instance->policy});
    if (policy->has_vault) {
        add_queue(sim, args, id, CMK_STORE_VAULT);
    }
    if (policy->has_operational) {
        add_queue(sim, args, id, CMK_STORE_OPERATIONAL);
    }
    if (policy->has_vault) { /* COST-9: snapshots alone bear no fee */
        const CmkBackupVaultId vault = {instance->backup_vault};
        cmk_gauge_add(sim, vault, CMK_GAUGE_INSTANCES, 1);
    }
    return id.i;
}

const CmkOperation cmk_op_instance_configure = {
    .name = "instance.configure",
    .text = "The protection of an instance is configured: its backups are scheduled.",
    .params = {{"instance", CMK_PARAM_INTEGER, 0, 1, CMK_REF_INSTANCE}},
    .guards = {CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_BACKUP_SERVICE_WORKS},
    .writes = CMK_BIT(INSTANCE) | CMK_BIT(QUEUE) | CMK_BIT(POINT) | CMK_BIT(GAUGE) | CMK_BIT_TIMERS,
    .effect = instance_configure,
    .rules = "BK-23",
};

/* num[0]: datasource, num[1]: bytes, num[2]: daily change, num[3]: bytes of a sample, 0: usual. */
static uint32_t instance_protect(CmkSim *sim, const CmkArgs *args)
{
    const CmkInstanceId id = {args->ref[CMK_REF_INSTANCE]};
    CmkInstance *instance = cmk_instance_mut(sim, id);
    instance->datasource = (uint32_t)args->num[0];
    instance->size_bytes = args->num[1];
    instance->daily_change_ppm = args->num[2];
    instance->sample_bytes = (uint32_t)args->num[3];
    instance->secret = args->ref[CMK_REF_SECRET];
    instance->policy = args->ref[CMK_REF_POLICY];
    instance->first_queue = 0; /* what another one of this name left is empty */
    instance->purge_at = 0;
    instance->state = CMK_INSTANCE_CONFIGURING;
    instance->changed_by = cmk_this_seq(sim);
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, (CmkBackupVaultId){instance->backup_vault});
    instance->next_of_vault = vault->first_instance;
    vault->first_instance = id.i;
    cmk_vault_policy_put(sim, (CmkBackupVaultId){instance->backup_vault},
                         (CmkPolicyId){instance->policy});
    return cmk_instance_set_settling(sim, args) ? id.i : instance_configure(sim, args);
}

const CmkOperation cmk_op_instance_protect = {
    .name = "instance.protect",
    .permission = CMK_PERMISSION_BACKUP_OPERATE,
    .text = "An instance is protected by a policy: its backups are scheduled, or go on all the "
            "time.",
    .params = {{"instance", CMK_PARAM_INSTANCE, 0, 1, CMK_REF_INSTANCE},
               {"policy", CMK_PARAM_POLICY, 0, 1, CMK_REF_POLICY},
               {"datasource", CMK_PARAM_DATASOURCE, 1, 1, 0},
               {"size", CMK_PARAM_SIZE, 1, 1, 1},
               {"daily_change", CMK_PARAM_SHARE, 1, 1, 2},
               {"sample", CMK_PARAM_SAMPLE, 1, 0, 3},
               {"secret", CMK_PARAM_SECRET, 0, 0, CMK_REF_SECRET}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_EXISTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_BEING_DELETED, CMK_GUARD_INSTANCE_IS_ABSENT,
               CMK_GUARD_POLICY_EXISTS, CMK_GUARD_DATASOURCE_FITS_POLICY,
               CMK_GUARD_SECRET_FITS_DATASOURCE},
    .writes = CMK_BIT(INSTANCE) | CMK_BIT(QUEUE) | CMK_BIT(POINT) | CMK_BIT(BACKUP_VAULT) |
              CMK_BIT(VAULT_POLICY) | CMK_BIT(GAUGE) | CMK_BIT_TIMERS,
    .effect = instance_protect,
    .rules = "BV-10 BV-12 BV-19 BK-1 BK-2 BK-23",
    .action = "Microsoft.DataProtection/backupVaults/backupInstances/write",
    .az = "az dataprotection backup-instance create",
};

/* ---- maintenance ----------------------------------------------------------------------------- */

static uint32_t start_on_queue(CmkSim *sim, const CmkArgs *args, CmkTaskKind kind)
{
    const CmkTaskId id =
        cmk_task_start(sim, args, kind, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]});
    cmk_task_mut(sim, id)->queue = args->ref[CMK_REF_QUEUE];
    return id.i;
}

static uint32_t tiering_start(CmkSim *sim, const CmkArgs *args)
{
    return start_on_queue(sim, args, CMK_TASK_TIERING);
}

const CmkOperation cmk_op_tiering_start = {
    .name = "tiering.start",
    .text = "In the background, points of an instance that are due move to the archive.",
    .params = {{"queue", CMK_PARAM_INTEGER, 0, 1, CMK_REF_QUEUE}},
    .guards = {CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_INSTANCE_IS_ACTIVE,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE},
    .writes = CMK_BIT(TASK) | CMK_BIT_TIMERS,
    .effect = tiering_start,
    .rules = "BK-20 BK-21 BK-32 OQ-26",
};

static uint32_t expiry_start(CmkSim *sim, const CmkArgs *args)
{
    return start_on_queue(sim, args, CMK_TASK_EXPIRY);
}

const CmkOperation cmk_op_expiry_start = {
    .name = "expiry.start",
    .text = "In the background, points of an instance whose retention is over are removed.",
    .params = {{"queue", CMK_PARAM_INTEGER, 0, 1, CMK_REF_QUEUE}},
    .guards = {CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_INSTANCE_IS_ACTIVE,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE},
    .writes = CMK_BIT(TASK) | CMK_BIT_TIMERS,
    .effect = expiry_start,
    .rules = "BK-20 BK-21 BK-33 OQ-26",
};

/* What cannot start leaves points behind like what fails. */
static void start_or_mark(CmkSim *sim, CmkTaskKind kind, CmkArgs args)
{
    const CmkOutcome outcome = cmk_apply(sim, &args);
    const bool is_put_off = outcome.guard == CMK_GUARD_BACKUP_VAULT_IS_REACHABLE ||
                            outcome.guard == CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING;
    if (is_put_off) {
        args.cause_seq = outcome.seq;
        cmk_task_mark_overdue(sim, kind, &args);
    }
}

static void maintain_queue(CmkSim *sim, const CmkTimer *timer, CmkQueueId queue)
{
    CmkArgs args = cmk_args_of_timer(CMK_OP_EXPIRY_START, timer);
    args.ref[CMK_REF_BACKUP_VAULT] = timer->subject;
    args.ref[CMK_REF_QUEUE] = queue.i;
    args.ref[CMK_REF_INSTANCE] = cmk_queue(sim->world, queue)->instance;
    if (cmk_points_next_due(sim->world, queue, CMK_DUE_TO_EXPIRE, (CmkPointId){0}).i != 0) {
        start_or_mark(sim, CMK_TASK_EXPIRY, args);
    }
    if (cmk_points_next_due(sim->world, queue, CMK_DUE_TO_TIER, (CmkPointId){0}).i != 0) {
        args.op = CMK_OP_TIERING_START;
        start_or_mark(sim, CMK_TASK_TIERING, args);
    }
}

void cmk_on_maintenance(CmkSim *sim, const CmkTimer *timer)
{
    const CmkBackupVault *vault = cmk_backup_vault(sim->world, (CmkBackupVaultId){timer->subject});
    uint32_t instance_row = vault->first_instance;
    while (instance_row != 0) {
        const CmkInstance *instance = cmk_instance(sim->world, (CmkInstanceId){instance_row});
        uint32_t queue_row = instance->first_queue;
        while (queue_row != 0) {
            maintain_queue(sim, timer, (CmkQueueId){queue_row});
            queue_row = cmk_queue(sim->world, (CmkQueueId){queue_row})->next_of_instance;
        }
        instance_row = instance->next_of_vault;
    }
    const CmkTime next =
        cmk_world_now(sim->world) + cmk_knob(sim->world, CMK_KNOB_MAINTENANCE_INTERVAL);
    (void)cmk_engine_repeat_timer(sim, next, timer);
}
