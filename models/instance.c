/* The life of a protected instance: backups suspended, protection stopped and resumed, another
 * policy, deletion with and without a way back (BK-15, BK-23, BV-6 to BV-8, COST-19). */
#include "models/backup_policy.h"
#include "models/continuous.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/points.h"
#include "models/rows.h"
#include "models/schedule.h"

/* ---- guards ---------------------------------------------------------------------------------- */

#define IN(state) (UINT32_C(1) << CMK_INSTANCE_##state)

static bool is_in(const CmkWorld *world, const CmkArgs *args, uint32_t states, uint64_t *ret_blame)
{
    *ret_blame = cmk_instance_of(world, args)->changed_by;
    return (states >> cmk_instance_of(world, args)->state & 1) != 0;
}

static bool instance_is_active(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return is_in(world, args, IN(PROTECTED) | IN(SUSPENDED), ret_blame);
}

const CmkGuard cmk_guard_instance_is_active = {
    .name = "instance-is-active",
    .holds = instance_is_active,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "BK-15 BK-23",
    .text = "The instance is protected; its backups may be suspended."};

static bool instance_is_halted(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return is_in(world, args, IN(SUSPENDED) | IN(STOPPED), ret_blame);
}

const CmkGuard cmk_guard_instance_is_halted = {
    .name = "instance-is-halted",
    .holds = instance_is_halted,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "BK-15 BK-23",
    .text = "The backups of the instance are suspended, or its protection is stopped."};

static bool instance_is_kept(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return is_in(world, args, IN(PROTECTED) | IN(SUSPENDED) | IN(STOPPED), ret_blame);
}

const CmkGuard cmk_guard_instance_is_kept = {
    .name = "instance-is-kept",
    .holds = instance_is_kept,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "BK-23 BV-8",
    .text = "The instance has backup data that is not deleted."};

static bool instance_is_soft_deleted(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    return is_in(world, args, IN(SOFT_DELETED), ret_blame);
}

const CmkGuard cmk_guard_instance_is_soft_deleted = {
    .name = "instance-is-soft-deleted",
    .holds = instance_is_soft_deleted,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "BV-6 BV-8 BK-23",
    .text = "The instance is deleted and its data can still be taken back."};

static bool policy_has_the_same_stores(const CmkWorld *world, const CmkArgs *args,
                                       uint64_t *ret_blame)
{
    const CmkPolicyId old_id = {cmk_instance_of(world, args)->policy};
    const CmkPolicy *old = cmk_policy(world, old_id);
    const CmkPolicy *policy = cmk_policy(world, (CmkPolicyId){args->ref[CMK_REF_POLICY]});
    (void)ret_blame;
    return old->has_operational == policy->has_operational && old->has_vault == policy->has_vault;
}

const CmkGuard cmk_guard_policy_has_the_same_stores = {
    .name = "policy-has-the-same-stores",
    .holds = policy_has_the_same_stores,
    .status = CMK_STATUS_OF(POLICY_DOES_NOT_FIT),
    .rule = "BK-4 BK-8",
    .text = "The new policy keeps points in the same stores as the old one."};

/* ---- what is shown --------------------------------------------------------------------------- */

/* Backups to one store may fail while those to the other go on: a snapshot needs no key. */
static bool has_failing_backups(const CmkWorld *world, const CmkInstance *instance)
{
    const int64_t limit = cmk_knob(world, CMK_KNOB_FAILED_BACKUPS_TO_PROTECTION_ERROR);
    uint32_t row = limit != 0 ? instance->first_queue : 0;
    while (row != 0 && cmk_queue(world, (CmkQueueId){row})->failed_backups < limit) {
        row = cmk_queue(world, (CmkQueueId){row})->next_of_instance;
    }
    return row != 0;
}

/* What passes is only shown: a new policy and a deletion hold at once. */
CmkInstanceState cmk_instance_shown(const CmkWorld *world, CmkInstanceId id)
{
    const CmkInstance *instance = cmk_instance(world, id);
    if (instance->passing != 0) {
        return (CmkInstanceState)instance->passing;
    }
    return instance->state == CMK_INSTANCE_PROTECTED && has_failing_backups(world, instance)
               ? CMK_INSTANCE_ERROR
               : (CmkInstanceState)instance->state;
}

/* Before the scenario begins nothing takes its time. */
bool cmk_instance_set_settling(CmkSim *sim, const CmkArgs *args)
{
    const int64_t duration_us =
        cmk_is_open(sim->world) ? cmk_knob(sim->world, CMK_KNOB_PROTECTION_DURATION) : 0;
    if (duration_us > 0) {
        (void)cmk_engine_set_timer(sim, cmk_world_now(sim->world) + duration_us,
                                   CMK_EVENT_INSTANCE_SETTLE, args->ref[CMK_REF_INSTANCE], args);
    }
    return duration_us > 0;
}

/* ---- protection on and off ------------------------------------------------------------------- */

typedef void (*ForQueue)(CmkSim *sim, const CmkArgs *args, CmkQueueId queue);

static void for_each_queue(CmkSim *sim, const CmkArgs *args, ForQueue action)
{
    uint32_t row = cmk_instance_of(sim->world, args)->first_queue;
    while (row != 0) {
        const uint32_t next = cmk_queue(sim->world, (CmkQueueId){row})->next_of_instance;
        action(sim, args, (CmkQueueId){row});
        row = next;
    }
}

static void settle(CmkSim *sim, const CmkArgs *args, CmkQueueId queue)
{
    (void)args;
    if (cmk_queue_is_continuous(sim->world, queue)) {
        cmk_continuous_settle(sim, queue);
    }
}

static void halt(CmkSim *sim, const CmkArgs *args, CmkQueueId queue)
{
    settle(sim, args, queue);
    cmk_schedule_end(sim, queue);
}

static void forgive(CmkSim *sim, const CmkArgs *args, CmkQueueId queue)
{
    (void)args;
    cmk_points_forgive(sim, queue);
}

static CmkInstance *change_to(CmkSim *sim, const CmkArgs *args, CmkInstanceState state)
{
    CmkInstance *instance = cmk_instance_mut(sim, (CmkInstanceId){args->ref[CMK_REF_INSTANCE]});
    instance->state = state;
    instance->passing = 0;
    instance->epoch++;
    instance->changed_by = cmk_this_seq(sim);
    return instance;
}

static CmkInstance *halt_in(CmkSim *sim, const CmkArgs *args, CmkInstanceState state)
{
    for_each_queue(sim, args, halt);
    CmkInstance *instance = change_to(sim, args, state);
    for_each_queue(sim, args, forgive); /* the new state says which points are still due */
    return instance;
}

#define INSTANCE_PARAM                                                                             \
    {                                                                                              \
        "instance", CMK_PARAM_INSTANCE, 0, 1, CMK_REF_INSTANCE                                     \
    }
#define QUEUES_AND_POINTS                                                                          \
    (CMK_BIT(INSTANCE) | CMK_BIT(QUEUE) | CMK_BIT(POINT) | CMK_BIT(GAUGE) | CMK_BIT_TIMERS)

static uint32_t instance_suspend_backups(CmkSim *sim, const CmkArgs *args)
{
    (void)halt_in(sim, args, CMK_INSTANCE_SUSPENDED);
    return args->ref[CMK_REF_INSTANCE];
}

const CmkOperation cmk_op_instance_suspend_backups = {
    .name = "instance.suspend_backups",
    .permission = CMK_PERMISSION_BACKUP_OPERATE,
    .text = "No new backups are made; points expire, all but the latest one.",
    .params = {INSTANCE_PARAM},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_RESOURCE_GUARD_CONSENTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_INSTANCE_IS_PROTECTED},
    .writes = QUEUES_AND_POINTS,
    .effect = instance_suspend_backups,
    .rules = "BK-15 BK-23",
    .action = "Microsoft.DataProtection/backupVaults/backupInstances/suspendBackups/action",
    .az = "az dataprotection backup-instance suspend-backup",
};

static uint32_t instance_stop_protection(CmkSim *sim, const CmkArgs *args)
{
    (void)halt_in(sim, args, CMK_INSTANCE_STOPPED);
    return args->ref[CMK_REF_INSTANCE];
}

const CmkOperation cmk_op_instance_stop_protection = {
    .name = "instance.stop_protection",
    .permission = CMK_PERMISSION_BACKUP_OPERATE,
    .text = "No new backups are made, and no point expires.",
    .params = {INSTANCE_PARAM},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_RESOURCE_GUARD_CONSENTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_INSTANCE_IS_ACTIVE},
    .writes = QUEUES_AND_POINTS,
    .effect = instance_stop_protection,
    .rules = "BK-15 BK-23",
    .action = "Microsoft.DataProtection/backupVaults/backupInstances/stopProtection/action",
    .az = "az dataprotection backup-instance stop-protection",
};

static uint32_t instance_resume_protection(CmkSim *sim, const CmkArgs *args)
{
    (void)change_to(sim, args, CMK_INSTANCE_PROTECTED);
    for_each_queue(sim, args, cmk_schedule_begin);
    return args->ref[CMK_REF_INSTANCE];
}

const CmkOperation cmk_op_instance_resume_protection = {
    .name = "instance.resume_protection",
    .permission = CMK_PERMISSION_BACKUP_OPERATE,
    .text = "Backups are made again and points expire again.",
    .params = {INSTANCE_PARAM},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, CMK_GUARD_INSTANCE_IS_HALTED},
    .writes = QUEUES_AND_POINTS,
    .effect = instance_resume_protection,
    .rules = "BK-15 BK-23",
    .action = "Microsoft.DataProtection/backupVaults/backupInstances/resumeProtection/action",
    .az = "az dataprotection backup-instance resume-protection",
};

/* The points that are there are kept by the new policy from now on. */
static void renew(CmkSim *sim, const CmkArgs *args, CmkQueueId queue)
{
    cmk_points_forgive(sim, queue);
    if (cmk_instance_of(sim->world, args)->state == CMK_INSTANCE_PROTECTED) {
        cmk_schedule_begin(sim, args, queue);
    }
}

static uint32_t instance_change_policy(CmkSim *sim, const CmkArgs *args)
{
    CmkInstance *instance = cmk_instance_mut(sim, (CmkInstanceId){args->ref[CMK_REF_INSTANCE]});
    for_each_queue(sim, args, settle);
    instance->policy = args->ref[CMK_REF_POLICY];
    cmk_vault_policy_put(sim, (CmkBackupVaultId){instance->backup_vault},
                         (CmkPolicyId){instance->policy});
    instance->changed_by = cmk_this_seq(sim);
    instance->epoch++; /* only the last of several changes ends the time of being shown */
    instance->passing = cmk_instance_set_settling(sim, args) ? CMK_INSTANCE_UPDATING : 0;
    for_each_queue(sim, args, renew);
    return args->ref[CMK_REF_INSTANCE];
}

const CmkOperation cmk_op_instance_change_policy = {
    .name = "instance.change_policy",
    .permission = CMK_PERMISSION_BACKUP_OPERATE,
    .text = "An instance gets another policy, for its points so far as well.",
    .params = {INSTANCE_PARAM, {"policy", CMK_PARAM_POLICY, 0, 1, CMK_REF_POLICY}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_RESOURCE_GUARD_CONSENTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_INSTANCE_IS_KEPT, CMK_GUARD_POLICY_EXISTS,
               CMK_GUARD_POLICY_HAS_THE_SAME_STORES, CMK_GUARD_DATASOURCE_FITS_POLICY,
               CMK_GUARD_RETENTION_IS_NOT_REDUCED},
    .writes = QUEUES_AND_POINTS | CMK_BIT(VAULT_POLICY) | CMK_BIT(BACKUP_VAULT),
    .effect = instance_change_policy,
    .rules = "BV-10 BK-4 BK-23",
    .action = "Microsoft.DataProtection/backupVaults/backupInstances/write",
    .az = "az dataprotection backup-instance update-policy",
};

/* ---- deletion -------------------------------------------------------------------------------- */

/* COST-9: whoever keeps points in the vault tier pays for the instance. */
static void count_instance(CmkSim *sim, const CmkInstance *instance, int64_t change)
{
    if (cmk_policy(sim->world, (CmkPolicyId){instance->policy})->has_vault) {
        const CmkBackupVaultId vault = {instance->backup_vault};
        cmk_gauge_add(sim, vault, CMK_GAUGE_INSTANCES, change);
    }
}

/* The value of the moment of the deletion counts (BV-6); with soft delete off the data goes now. */
static uint32_t instance_delete(CmkSim *sim, const CmkArgs *args)
{
    CmkInstance *instance = halt_in(sim, args, CMK_INSTANCE_SOFT_DELETED);
    const CmkBackupVault *vault =
        cmk_backup_vault(sim->world, (CmkBackupVaultId){instance->backup_vault});
    const CmkTime now = cmk_world_now(sim->world);
    const int64_t free_us = CMK_SOFT_DELETE_DAYS * CMK_DAY_US;
    count_instance(sim, instance, -1);
    instance->purge_at = now;
    if (vault->soft_delete != CMK_SOFT_DELETE_OFF) {
        instance->purge_at = now + vault->soft_delete_days * CMK_DAY_US;
        instance->passing = cmk_instance_set_settling(sim, args) ? CMK_INSTANCE_SOFT_DELETING : 0;
        (void)cmk_engine_set_timer(sim, instance->purge_at - free_us, CMK_EVENT_INSTANCE,
                                   args->ref[CMK_REF_INSTANCE], args);
    }
    (void)cmk_engine_set_timer(sim, instance->purge_at, CMK_EVENT_INSTANCE,
                               args->ref[CMK_REF_INSTANCE], args);
    return args->ref[CMK_REF_INSTANCE];
}

const CmkOperation cmk_op_instance_delete = {
    .name = "instance.delete",
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .text = "An instance and its backup data are deleted, with a way back while soft delete is on.",
    .params = {INSTANCE_PARAM},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_RESOURCE_GUARD_CONSENTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_INSTANCE_IS_KEPT, CMK_GUARD_NO_POINT_IS_IMMUTABLE},
    .writes = QUEUES_AND_POINTS,
    .effect = instance_delete,
    .rules = "BV-6 BK-23",
    .action = "Microsoft.DataProtection/backupVaults/backupInstances/delete",
    .az = "az dataprotection backup-instance delete",
};

static void set_free(CmkSim *sim, CmkInstance *instance, int64_t vault_bytes, int64_t archive_bytes)
{
    const CmkBackupVaultId vault = {instance->backup_vault};
    cmk_gauge_add(sim, vault, CMK_GAUGE_FREE_VAULT, vault_bytes - instance->free_vault_bytes);
    cmk_gauge_add(sim, vault, CMK_GAUGE_FREE_ARCHIVE, archive_bytes - instance->free_archive_bytes);
    instance->free_vault_bytes = vault_bytes;
    instance->free_archive_bytes = archive_bytes;
}

static uint32_t instance_undelete(CmkSim *sim, const CmkArgs *args)
{
    CmkInstance *instance = change_to(sim, args, CMK_INSTANCE_STOPPED); /* BV-8 */
    instance->purge_at = 0;
    set_free(sim, instance, 0, 0);
    count_instance(sim, instance, 1);
    return args->ref[CMK_REF_INSTANCE];
}

const CmkOperation cmk_op_instance_undelete = {
    .name = "instance.undelete",
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .text = "A deleted instance is taken back: its data is there, its protection is stopped.",
    .params = {INSTANCE_PARAM},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, CMK_GUARD_INSTANCE_IS_SOFT_DELETED},
    .writes = CMK_BIT(INSTANCE) | CMK_BIT(GAUGE),
    .effect = instance_undelete,
    .rules = "BV-8 BK-23 COST-19",
    .action = "Microsoft.DataProtection/backupVaults/deletedBackupInstances/undelete/action",
    .az = "az dataprotection backup-instance deleted-backup-instance undelete",
};

/* Snapshots bill on (COST-20). O(points of the instance), once in its life. */
static uint32_t instance_end_charge(CmkSim *sim, const CmkArgs *args)
{
    CmkInstance *instance = cmk_instance_mut(sim, (CmkInstanceId){args->ref[CMK_REF_INSTANCE]});
    int64_t bytes[3] = {0, 0, 0};
    uint32_t queue = instance->first_queue;
    while (queue != 0) {
        uint32_t row = cmk_queue(sim->world, (CmkQueueId){queue})->first_point;
        while (row != 0) {
            const CmkPoint *point = cmk_point(sim->world, (CmkPointId){row});
            bytes[point->tier] += point->bytes;
            row = point->next;
        }
        queue = cmk_queue(sim->world, (CmkQueueId){queue})->next_of_instance;
    }
    set_free(sim, instance, bytes[CMK_TIER_VAULT], bytes[CMK_TIER_ARCHIVE]);
    return args->ref[CMK_REF_INSTANCE];
}

const CmkOperation cmk_op_instance_end_charge = {
    .name = "instance.end_charge",
    .text = "Of the time that deleted backup data is kept, the last 14 days begin: they are free.",
    .params = {{"instance", CMK_PARAM_INTEGER, 0, 1, CMK_REF_INSTANCE}},
    .guards = {CMK_GUARD_INSTANCE_IS_SOFT_DELETED},
    .writes = CMK_BIT(INSTANCE) | CMK_BIT(GAUGE),
    .effect = instance_end_charge,
    .rules = "COST-19 COST-20",
};

/* ---- time that passes ------------------------------------------------------------------------ */

uint32_t cmk_instance_epoch(const CmkWorld *world, uint32_t row)
{
    return (uint32_t)cmk_instance(world, (CmkInstanceId){row})->epoch;
}

static void purge_points(CmkSim *sim, CmkArgs args, CmkQueueId queue)
{
    args.op = CMK_OP_POINT_PURGE;
    args.ref[CMK_REF_QUEUE] = queue.i;
    for (uint32_t tag = 0; tag < CMK_TAG__COUNT; tag++) {
        uint32_t left = cmk_queue(sim->world, queue)->point_count;
        while (left-- > 0 && cmk_queue(sim->world, queue)->fifo[tag].first != 0) {
            args.ref[CMK_REF_POINT] = cmk_queue(sim->world, queue)->fifo[tag].first;
            (void)cmk_apply(sim, &args);
        }
    }
}

/* Of protection that could not be configured nothing is left in the vault. O(its instances). */
static void take_from_vault(CmkSim *sim, const CmkInstance *instance, uint32_t row)
{
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, (CmkBackupVaultId){instance->backup_vault});
    uint32_t *link = &vault->first_instance;
    while (*link != row) {
        link = &cmk_instance_mut(sim, (CmkInstanceId){*link})->next_of_vault;
    }
    *link = instance->next_of_vault;
}

static uint32_t instance_fail_configuration(CmkSim *sim, const CmkArgs *args)
{
    const uint32_t row = args->ref[CMK_REF_INSTANCE];
    CMK_ASSERT(cmk_instance_of(sim->world, args)->state == CMK_INSTANCE_CONFIGURING);
    take_from_vault(sim, change_to(sim, args, CMK_INSTANCE_CONFIGURING_FAILED), row);
    return row;
}

const CmkOperation cmk_op_instance_fail_configuration = {
    .name = "instance.fail_configuration",
    .text = "The protection of an instance could not be configured; somebody may try again.",
    .params = {{"instance", CMK_PARAM_INTEGER, 0, 1, CMK_REF_INSTANCE}},
    .writes = CMK_BIT(INSTANCE) | CMK_BIT(BACKUP_VAULT),
    .effect = instance_fail_configuration,
    .rules = "BK-23",
};

static uint32_t instance_settle(CmkSim *sim, const CmkArgs *args)
{
    const CmkInstanceId id = {args->ref[CMK_REF_INSTANCE]};
    cmk_instance_mut(sim, id)->passing = 0; /* the epoch stays: a purge is still to come */
    return id.i;
}

const CmkOperation cmk_op_instance_settle = {
    .name = "instance.settle",
    .text = "A change of the policy of an instance, or its deletion, is no longer under way.",
    .params = {{"instance", CMK_PARAM_INTEGER, 0, 1, CMK_REF_INSTANCE}},
    .writes = CMK_BIT(INSTANCE),
    .effect = instance_settle,
    .rules = "BK-23",
};

void cmk_on_instance_settle(CmkSim *sim, const CmkTimer *timer)
{
    const CmkInstance *instance = cmk_instance(sim->world, (CmkInstanceId){timer->subject});
    CmkArgs args = cmk_args_of_timer(CMK_OP_INSTANCE_SETTLE, timer);
    args.ref[CMK_REF_INSTANCE] = timer->subject;
    args.ref[CMK_REF_BACKUP_VAULT] = instance->backup_vault;
    if (instance->state == CMK_INSTANCE_CONFIGURING) {
        args.op = CMK_OP_INSTANCE_CONFIGURE;
        const CmkOutcome outcome = cmk_apply(sim, &args);
        if (outcome.status == CMK_STATUS_OK) {
            return;
        }
        args.op = CMK_OP_INSTANCE_FAIL_CONFIGURATION;
        args.cause_seq = outcome.seq;
    }
    (void)cmk_apply(sim, &args);
}

void cmk_on_instance(CmkSim *sim, const CmkTimer *timer)
{
    const CmkInstance *instance = cmk_instance(sim->world, (CmkInstanceId){timer->subject});
    CmkArgs args = cmk_args_of_timer(CMK_OP_INSTANCE_END_CHARGE, timer);
    args.ref[CMK_REF_INSTANCE] = timer->subject;
    args.ref[CMK_REF_BACKUP_VAULT] = instance->backup_vault;
    if (cmk_world_now(sim->world) >= instance->purge_at) {
        uint32_t queue = instance->first_queue;
        while (queue != 0) {
            purge_points(sim, args, (CmkQueueId){queue});
            queue = cmk_queue(sim->world, (CmkQueueId){queue})->next_of_instance;
        }
        args.op = CMK_OP_INSTANCE_PURGE;
    }
    (void)cmk_apply(sim, &args);
}

static uint32_t instance_purge(CmkSim *sim, const CmkArgs *args)
{
    CmkInstance *instance = change_to(sim, args, CMK_INSTANCE_PURGED);
    set_free(sim, instance, 0, 0);
    take_from_vault(sim, instance, args->ref[CMK_REF_INSTANCE]);
    return args->ref[CMK_REF_INSTANCE];
}

const CmkOperation cmk_op_instance_purge = {
    .name = "instance.purge",
    .text =
        "The time of a deleted instance is over; nothing of it is left, and another one may have "
        "its name.",
    .params = {{"instance", CMK_PARAM_INTEGER, 0, 1, CMK_REF_INSTANCE}},
    .guards = {CMK_GUARD_INSTANCE_IS_SOFT_DELETED},
    .writes = CMK_BIT(INSTANCE) | CMK_BIT(GAUGE) | CMK_BIT(BACKUP_VAULT),
    .effect = instance_purge,
    .rules = "BV-6 BV-7",
};

/* ---- the vault's setting --------------------------------------------------------------------- */

/* num[0]: CmkSoftDelete, num[1]: days, 0 for what it is. Always on is on for no less time, too. */
static bool soft_delete_is_not_final(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    const CmkBackupVault *vault = cmk_backup_vault(world, id);
    *ret_blame = vault->changed_by;
    const bool is_as_long = args->num[1] == 0 || args->num[1] >= vault->soft_delete_days;
    return vault->soft_delete != CMK_SOFT_DELETE_ALWAYS_ON ||
           (args->num[0] == CMK_SOFT_DELETE_ALWAYS_ON && is_as_long);
}

const CmkGuard cmk_guard_soft_delete_is_not_final = {
    .name = "soft-delete-is-not-final",
    .holds = soft_delete_is_not_final,
    .status = CMK_STATUS_OF(SOFT_DELETE_IS_FINAL),
    .rule = "BV-6 IMM-3",
    .text = "Soft delete of the Backup vault is not always on, or stays so for no less time."};

static bool soft_delete_is_in_range(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    return args->num[1] == 0 ||
           (args->num[1] >= CMK_SOFT_DELETE_DAYS && args->num[1] <= CMK_SOFT_DELETE_DAYS_MAX);
}

const CmkGuard cmk_guard_soft_delete_is_in_range = {
    .name = "soft-delete-is-in-range",
    .holds = soft_delete_is_in_range,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "BV-6",
    .text = "Deleted backup data is kept for 14 to 180 days."};

/* BV-7: what is waiting in the deleted state has no time left. */
static void purge_all(CmkSim *sim, const CmkArgs *args, uint32_t row)
{
    while (row != 0) {
        const CmkInstanceId id = {row};
        if (cmk_instance(sim->world, id)->state == CMK_INSTANCE_SOFT_DELETED) {
            CmkInstance *instance = cmk_instance_mut(sim, id);
            instance->epoch++;
            instance->purge_at = cmk_world_now(sim->world);
            (void)cmk_engine_set_timer(sim, instance->purge_at, CMK_EVENT_INSTANCE, row, args);
        }
        row = cmk_instance(sim->world, id)->next_of_vault;
    }
}

static uint32_t backup_vault_set_soft_delete(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    vault->soft_delete = (uint32_t)args->num[0];
    if (args->num[1] != 0) {
        vault->soft_delete_days = (uint32_t)args->num[1];
    }
    vault->changed_by = cmk_this_seq(sim);
    cmk_backup_vault_succeed(sim, id);
    if (vault->soft_delete == CMK_SOFT_DELETE_OFF) {
        purge_all(sim, args, vault->first_instance);
    }
    return id.i;
}

const CmkOperation cmk_op_backup_vault_set_soft_delete = {
    .name = "backup_vault.set_soft_delete",
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .text = "Soft delete of backup data is switched on, off, or on for good.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"soft_delete", CMK_PARAM_SOFT_DELETE, 1, 1, 0},
               {"days", CMK_PARAM_INTEGER, 1, 0, 1}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_RESOURCE_GUARD_CONSENTS,
               CMK_GUARD_BACKUP_VAULT_EXISTS, CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, CMK_GUARD_SOFT_DELETE_IS_NOT_FINAL,
               CMK_GUARD_SOFT_DELETE_IS_IN_RANGE, CMK_GUARD_NO_POINT_IS_IMMUTABLE},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(INSTANCE) | CMK_BIT_TIMERS,
    .effect = backup_vault_set_soft_delete,
    .rules = "BV-6 BV-7 BV-12",
    .action = "Microsoft.DataProtection/backupVaults/write",
    .az = "az dataprotection backup-vault update",
};
