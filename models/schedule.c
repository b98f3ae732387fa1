/* Schedules of policies, the backups they start, and backups on demand (section 10.2). */
#include "models/schedule.h"

#include "models/continuous.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/points.h"
#include "models/rows.h"

/* ---- which retention rule -------------------------------------------------------------------- */

/* The number of the day, week, month or year that a moment lies in, by the schedule's own clock.
 * Weeks begin on Monday: 1970-01-01 was a Thursday. */
static int64_t span_of(const CmkPolicy *policy, CmkCriterion criterion, CmkTime time)
{
    const CmkTime local = time + policy->utc_offset_us;
    const CmkCivil civil = cmk_time_to_civil(local);
    const int64_t days = cmk_days_from_date(civil.year, civil.month, civil.day);
    switch (criterion) {
    case CMK_CRITERION_FIRST_OF_DAY:
        return days;
    case CMK_CRITERION_FIRST_OF_WEEK:
        return (days + 3) / 7;
    case CMK_CRITERION_FIRST_OF_MONTH:
        return civil.year * 12 + civil.month;
    case CMK_CRITERION_FIRST_OF_YEAR:
        return civil.year;
    case CMK_CRITERION_NONE:
    case CMK_CRITERION_ALL_BACKUPS:
    case CMK_CRITERION_CALENDAR:
        break;
    }
    CMK_ASSERT(false);
    return 0;
}

static bool has_bit(uint32_t bits, int32_t bit)
{
    return (bits >> bit & 1) != 0;
}

static bool is_at(const CmkCalendar *calendar, uint32_t minute)
{
    for (uint32_t i = 0; i < calendar->time_count; i++) {
        if (calendar->minutes[i] == minute) {
            return true;
        }
    }
    return calendar->time_count == 0;
}

/* Weeks of a month are counted from its first day, and the last one back from its last. */
static bool is_in_calendar(const CmkPolicy *policy, const CmkCalendar *calendar, CmkTime time)
{
    const CmkTime local = time + policy->utc_offset_us;
    const CmkCivil civil = cmk_time_to_civil(local);
    const CmkCivil tomorrow = cmk_time_to_civil(local + CMK_DAY_US);
    const CmkCivil next_week = cmk_time_to_civil(local + 7 * CMK_DAY_US);
    const int32_t day = (int32_t)civil.day;
    const int32_t week = (day - 1) / 7;
    const bool is_in_last_week = next_week.month != civil.month;
    return (calendar->days_of_week == 0 ||
            has_bit(calendar->days_of_week, cmk_time_weekday(local))) &&
           (calendar->weeks_of_month == 0 ||
            (week < 4 && has_bit(calendar->weeks_of_month, week)) ||
            (is_in_last_week && has_bit(calendar->weeks_of_month, 4))) &&
           (calendar->days_of_month == 0 || has_bit(calendar->days_of_month, day) ||
            (tomorrow.day == 1 && has_bit(calendar->days_of_month, 0))) &&
           (calendar->months == 0 || has_bit(calendar->months, (int32_t)civil.month - 1)) &&
           is_at(calendar, (uint32_t)(civil.hour * 60 + civil.minute));
}

static bool takes(const CmkPolicy *policy, const CmkRetention *rule, CmkTime last, CmkTime now)
{
    const CmkCriterion criterion = (CmkCriterion)rule->criterion;
    if (criterion == CMK_CRITERION_CALENDAR) {
        return is_in_calendar(policy, &rule->calendar, now);
    }
    if (criterion == CMK_CRITERION_NONE || criterion == CMK_CRITERION_ALL_BACKUPS) {
        return criterion == CMK_CRITERION_ALL_BACKUPS;
    }
    return last == 0 || span_of(policy, criterion, last) != span_of(policy, criterion, now);
}

CmkTag cmk_schedule_tag(const CmkPolicy *policy, CmkTime last, CmkTime now)
{
    uint32_t best = CMK_TAG_DEFAULT;
    for (uint32_t tag = CMK_TAG_DAILY; tag < CMK_TAG__COUNT; tag++) {
        const CmkRetention *rule = &policy->retention[tag];
        if (rule->priority < policy->retention[best].priority && takes(policy, rule, last, now)) {
            best = tag;
        }
    }
    return (CmkTag)best;
}

CmkTag cmk_schedule_tag_of(const CmkWorld *world, CmkQueueId id, CmkTime started)
{
    const CmkQueue *queue = cmk_queue(world, id);
    const CmkInstance *instance = cmk_instance(world, (CmkInstanceId){queue->instance});
    /* While a backup is being made, the next one is not the first of its day any more. */
    const CmkTime under_way = cmk_task(world, (CmkTaskId){queue->backup_task})->started;
    const CmkTime last = under_way != 0 && under_way < started ? under_way : queue->last_scheduled;
    const int64_t offset_us = instance->schedule_offset_us;
    return cmk_schedule_tag(cmk_policy(world, (CmkPolicyId){instance->policy}),
                            last == 0 ? 0 : last - offset_us, started - offset_us);
}

/* ---- when ------------------------------------------------------------------------------------ */

/* The first moment from `from` on at which one of the policy's schedules is due. */
static CmkTime next_backup(const CmkWorld *world, CmkQueueId queue, CmkTime from)
{
    const CmkInstanceId id = {cmk_queue(world, queue)->instance};
    const CmkInstance *instance = cmk_instance(world, id);
    const CmkPolicy *policy = cmk_policy(world, (CmkPolicyId){instance->policy});
    CmkTime best = CMK_TIME_MAX;
    for (uint32_t i = 0; i < policy->schedule_count; i++) {
        const CmkSchedule *schedule = &policy->schedules[i];
        const int64_t index = cmk_period_first_index(schedule->start, schedule->period,
                                                     from - instance->schedule_offset_us);
        const CmkTime time = cmk_time_add_period(schedule->start, schedule->period, index) +
                             instance->schedule_offset_us;
        best = time < best ? time : best;
    }
    return best;
}

void cmk_schedule_begin(CmkSim *sim, const CmkArgs *args, CmkQueueId queue)
{
    const CmkTime now = cmk_world_now(sim->world);
    const CmkTime start = cmk_settings(sim->world, (CmkNameId){1})->start;
    if (cmk_queue_is_continuous(sim->world, queue)) {
        cmk_continuous_begin(sim, queue);
        return;
    }
    cmk_queue_mut(sim, queue)->epoch++;
    (void)cmk_engine_set_timer(sim, next_backup(sim->world, queue, now > start ? now : start),
                               CMK_EVENT_SCHEDULE, queue.i, args);
}

void cmk_schedule_end(CmkSim *sim, CmkQueueId queue)
{
    cmk_queue_mut(sim, queue)->epoch++;
    cmk_continuous_end(sim, queue);
}

uint32_t cmk_schedule_epoch(const CmkWorld *world, uint32_t row)
{
    return cmk_queue(world, (CmkQueueId){row})->epoch;
}

const CmkRetention *cmk_policy_rule(const CmkPolicy *policy, uint32_t tag)
{
    const CmkRetention *rule = &policy->retention[tag];
    return rule->criterion != CMK_CRITERION_NONE ? rule : &policy->retention[CMK_TAG_DEFAULT];
}

/* BK-24: the vault tier gets copies of those backups whose rule says so. */
static bool is_copied(const CmkWorld *world, CmkQueueId id, uint32_t tag)
{
    const CmkQueue *queue = cmk_queue(world, id);
    const CmkInstance *instance = cmk_instance(world, (CmkInstanceId){queue->instance});
    const CmkPolicy *policy = cmk_policy(world, (CmkPolicyId){instance->policy});
    return queue->store != CMK_STORE_VAULT || cmk_policy_rule(policy, tag)->is_not_copied == 0;
}

/* The schedule goes on whatever became of this backup. */
void cmk_on_schedule(CmkSim *sim, const CmkTimer *timer)
{
    const CmkQueueId queue = {timer->subject};
    CmkArgs args = cmk_args_of_timer(CMK_OP_BACKUP_START, timer);
    args.ref[CMK_REF_QUEUE] = queue.i;
    args.ref[CMK_REF_INSTANCE] = cmk_queue(sim->world, queue)->instance;
    args.ref[CMK_REF_BACKUP_VAULT] = cmk_points_vault(sim->world, queue).i;
    CmkTimer next = *timer;
    next.origin = 0; /* the schedule goes on by itself */
    const CmkTag tag = cmk_schedule_tag_of(sim->world, queue, cmk_world_now(sim->world));
    if (is_copied(sim->world, queue, tag)) {
        next.cause_seq = cmk_apply(sim, &args).seq;
    }
    (void)cmk_engine_repeat_timer(
        sim, next_backup(sim->world, queue, cmk_world_now(sim->world) + 1), &next);
}

/* ---- backups --------------------------------------------------------------------------------- */

CmkQueueId cmk_schedule_queue_on_demand(const CmkWorld *world, const CmkArgs *run)
{
    const CmkQueueId first = {cmk_instance_of(world, run)->first_queue};
    const CmkQueueId next = {cmk_queue(world, first)->next_of_instance};
    const bool is_next = next.i != 0 && cmk_queue(world, next)->store == CMK_STORE_VAULT &&
                         is_copied(world, next, (uint32_t)run->num[0]);
    return is_next ? next : first;
}

/* The queue that the operation names, or else means. */
static CmkQueueId queue_of(const CmkWorld *world, const CmkArgs *args)
{
    return args->op == CMK_OP_BACKUP_RUN ? cmk_schedule_queue_on_demand(world, args)
                                         : (CmkQueueId){args->ref[CMK_REF_QUEUE]};
}

static bool no_backup_is_under_way(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const uint32_t row = cmk_queue(world, queue_of(world, args))->backup_task;
    *ret_blame = cmk_task(world, (CmkTaskId){row})->started_by;
    return row == 0;
}

const CmkGuard cmk_guard_no_backup_is_under_way = {
    .name = "no-backup-is-under-way",
    .holds = no_backup_is_under_way,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "BK-18",
    .text = "No other backup of the instance to this store is under way."};

/* The rule that keeps the point of a backup by hand is named, and is one of the policy's. */
static bool policy_has_the_retention_rule(const CmkWorld *world, const CmkArgs *args,
                                          uint64_t *ret_blame)
{
    const CmkInstance *instance = cmk_instance_of(world, args);
    const CmkPolicy *policy = cmk_policy(world, (CmkPolicyId){instance->policy});
    *ret_blame = instance->changed_by;
    return policy->retention[args->num[0]].criterion != CMK_CRITERION_NONE;
}

const CmkGuard cmk_guard_policy_has_the_retention_rule = {
    .name = "policy-has-the-retention-rule",
    .holds = policy_has_the_retention_rule,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "BK-10 BK-17",
    .text = "The policy has the retention rule that is to keep the backup, or none is named."};

static uint32_t start_backup(CmkSim *sim, const CmkArgs *args, CmkTaskKind kind)
{
    const CmkQueueId queue = queue_of(sim->world, args);
    const CmkTaskId id =
        cmk_task_start(sim, args, kind, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]});
    cmk_task_mut(sim, id)->queue = queue.i;
    cmk_queue_mut(sim, queue)->backup_task = id.i;
    return id.i;
}

static uint32_t backup_start(CmkSim *sim, const CmkArgs *args)
{
    return start_backup(sim, args, CMK_TASK_BACKUP);
}

const CmkOperation cmk_op_backup_start = {
    .name = "backup.start",
    .text = "A scheduled backup job starts.",
    .params = {{"queue", CMK_PARAM_INTEGER, 0, 1, CMK_REF_QUEUE}},
    .guards = {CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_INSTANCE_IS_PROTECTED,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, CMK_GUARD_NO_BACKUP_IS_UNDER_WAY},
    .writes = CMK_BIT(TASK) | CMK_BIT(QUEUE) | CMK_BIT_TIMERS,
    .effect = backup_start,
    .rules = "BK-5 BK-30 BK-36",
};

/* num[0]: CmkTag of the point to come; the default one unless another is asked for. */
static uint32_t backup_run(CmkSim *sim, const CmkArgs *args)
{
    const uint32_t row = start_backup(sim, args, CMK_TASK_BACKUP_ON_DEMAND);
    cmk_task_mut(sim, (CmkTaskId){row})->tag = (uint32_t)args->num[0];
    return row;
}

const CmkOperation cmk_op_backup_run = {
    .name = "backup.run",
    .permission = CMK_PERMISSION_BACKUP_OPERATE,
    .text = "Somebody starts a backup of an instance by hand.",
    .params = {{"instance", CMK_PARAM_INSTANCE, 0, 1, CMK_REF_INSTANCE},
               {"tag", CMK_PARAM_TAG, 1, 0, 0}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING,
               CMK_GUARD_INSTANCE_IS_PROTECTED, CMK_GUARD_STORE_KEEPS_SINGLE_POINTS,
               CMK_GUARD_POLICY_HAS_THE_RETENTION_RULE, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_NO_BACKUP_IS_UNDER_WAY},
    .writes = CMK_BIT(TASK) | CMK_BIT(QUEUE) | CMK_BIT_TIMERS,
    .effect = backup_run,
    .rules = "BK-10 BK-17 BK-24 BK-30 BK-36",
    .action = "Microsoft.DataProtection/backupVaults/backupInstances/backup/action",
    .az = "az dataprotection backup-instance adhoc-backup",
};
