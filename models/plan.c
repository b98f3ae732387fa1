#include "models/plan.h"

#include "models/continuous.h"
#include "models/key.h"
#include "models/mutate.h"
#include "models/revert.h"
#include "models/rows.h"

/* num[0] of a restore: a CmkPointChoice, or from CMK_POINT__COUNT on a moment. */
static bool is_chosen(const CmkWorld *world, CmkPointId id, int64_t choice)
{
    const CmkPoint *point = cmk_point(world, id);
    if (choice >= CMK_POINT__COUNT) {
        return cmk_point_covers(world, id, choice);
    }
    switch ((CmkPointChoice)choice) {
    case CMK_POINT_LATEST_OPERATIONAL:
        return point->tier == CMK_TIER_OPERATIONAL;
    case CMK_POINT_LATEST_VAULT:
        return point->tier == CMK_TIER_VAULT;
    case CMK_POINT_LATEST_ARCHIVE:
        return point->tier == CMK_TIER_ARCHIVE;
    case CMK_POINT_LATEST:
    case CMK_POINT_OLDEST:
    case CMK_POINT__COUNT:
        break;
    }
    return true;
}

/* Of one queue. */
static CmkPointId choose_in(const CmkWorld *world, const CmkQueue *queue, int64_t choice)
{
    CmkPointId id = {choice == CMK_POINT_OLDEST ? queue->first_point : queue->last_point};
    while (id.i != 0 && !is_chosen(world, id, choice)) {
        id.i = cmk_point(world, id)->previous;
    }
    return id;
}

CmkPointId cmk_plan_choose_point(const CmkWorld *world, const CmkArgs *restore)
{
    const int64_t choice = restore->num[0];
    CmkQueueId queue = {
        cmk_instance(world, (CmkInstanceId){restore->ref[CMK_REF_INSTANCE]})->first_queue};
    CmkPointId best = {0};
    while (queue.i != 0) {
        const CmkQueue *row = cmk_queue(world, queue);
        const bool is_there =
            restore->op != CMK_OP_BACKUP_RESTORE_IN_PAIR || row->store == CMK_STORE_VAULT;
        const CmkPointId id = is_there ? choose_in(world, row, choice) : (CmkPointId){0};
        const bool is_better =
            choice == CMK_POINT_OLDEST
                ? cmk_point_first_moment(world, id) < cmk_point_first_moment(world, best)
                : cmk_point_last_moment(world, id) > cmk_point_last_moment(world, best);
        best = id.i != 0 && (best.i == 0 || is_better) ? id : best;
        queue.i = row->next_of_instance;
    }
    return best;
}

/* Whether an operation has a parameter that can name a version. */
static bool takes_version(const CmkSim *sim, CmkOpId op)
{
    const CmkOperation *operation = sim->model->operations[op];
    for (uint32_t i = 0; i < CMK_PARAMS_MAX && operation->params[i].name != NULL; i++) {
        if (operation->params[i].type == CMK_PARAM_KEY_TARGET) {
            return true;
        }
    }
    return false;
}

/* Sets a timer for row `subject` at `time`, with the rest as in `timer`. */
static void set_at(CmkSim *sim, const CmkTimer *timer, uint32_t subject, CmkTime time)
{
    CmkTimer next = *timer;
    next.subject = subject;
    (void)cmk_engine_repeat_timer(sim, time, &next);
}

uint32_t cmk_plan_event(const CmkWorld *world, CmkPlanId id)
{
    return cmk_plan(world, id)->kind == CMK_PLAN_STEP ? CMK_EVENT_STEP : CMK_EVENT_FAULT;
}

static void set_for(CmkSim *sim, const CmkTimer *timer, uint32_t subject)
{
    const CmkPlanId id = {subject};
    CmkTimer next = *timer;
    next.kind = (uint16_t)cmk_plan_event(sim->world, id);
    set_at(sim, &next, subject, cmk_plan(sim->world, id)->time);
}

/* The rows are in the order of their times: one timer walks along all but the ends of faults, which
 * come to pass only if their fault did. */
static void set_for_next(CmkSim *sim, const CmkTimer *timer)
{
    const uint32_t count = cmk_world_count(sim->world, CMK_TABLE_PLAN);
    uint32_t row = timer->subject + 1;
    while (row <= count && cmk_plan(sim->world, (CmkPlanId){row})->kind == CMK_PLAN_FAULT_END) {
        row++;
    }
    if (row <= count) {
        set_for(sim, timer, row);
    }
}

static void set_for_end(CmkSim *sim, const CmkTimer *timer)
{
    const uint32_t count = cmk_world_count(sim->world, CMK_TABLE_PLAN);
    for (uint32_t row = timer->subject + 1; row <= count; row++) {
        const CmkPlanRow *end = cmk_plan(sim->world, (CmkPlanId){row});
        if (end->kind == CMK_PLAN_FAULT_END && end->of == timer->subject) {
            set_for(sim, timer, row);
        }
    }
}

/* The version that an operation is about: that of the number it says. A fault that says none means
 * the one that is current now, and its end means the same one. */
static CmkVersionId version_meant(const CmkSim *sim, const CmkPlanRow *row)
{
    const CmkKeyId key = {row->args.ref[CMK_REF_KEY]};
    const CmkVersionId known = {row->args.ref[CMK_REF_VERSION]};
    if (known.i != 0 || key.i == 0 || !takes_version(sim, row->args.op)) {
        return known;
    }
    if (row->args.num[CMK_NUM_VERSION] != 0) {
        return cmk_key_version_numbered(sim->world, key, row->args.num[CMK_NUM_VERSION]);
    }
    return (CmkVersionId){row->kind == CMK_PLAN_FAULT ? cmk_key(sim->world, key)->current_version
                                                      : 0};
}

/* What the plan says, as it is meant at this moment. */
static CmkArgs args_now(const CmkSim *sim, const CmkPlanRow *row)
{
    CmkArgs args = row->args;
    if (args.op == CMK_OP_BACKUP_RESTORE || args.op == CMK_OP_BACKUP_RESTORE_IN_PAIR) {
        args.ref[CMK_REF_POINT] = cmk_plan_choose_point(sim->world, &args).i;
    }
    args.ref[CMK_REF_VERSION] = version_meant(sim, row).i;
    return args;
}

static void end_fault(CmkSim *sim, const CmkTimer *timer)
{
    const CmkPlanId id = {timer->subject};
    const CmkPlanId fault = {cmk_plan(sim->world, id)->of};
    if (cmk_plan(sim->world, fault)->is_in_force == 0) {
        return; /* a step has remedied it */
    }
    const CmkTime until = cmk_revert_waits_until(sim, id);
    if (until == 0) {
        const CmkArgs args = args_now(sim, cmk_plan(sim->world, id));
        cmk_revert_end(sim, fault, &args);
    } else if (until != CMK_TIME_MAX) {
        set_at(sim, timer, id.i, until);
    }
}

void cmk_on_fault(CmkSim *sim, const CmkTimer *timer)
{
    const CmkPlanId id = {timer->subject};
    if (cmk_plan(sim->world, id)->kind == CMK_PLAN_FAULT_END) {
        end_fault(sim, timer);
        return;
    }
    const CmkArgs args = args_now(sim, cmk_plan(sim->world, id));
    cmk_revert_prepare(sim, id, &args);
    const CmkOutcome outcome = cmk_apply(sim, &args);
    if (outcome.status == CMK_STATUS_OK) {
        cmk_revert_begin(sim, id, outcome.seq);
        set_for_end(sim, timer);
    }
    set_for_next(sim, timer);
}

void cmk_on_step(CmkSim *sim, const CmkTimer *timer)
{
    const CmkPlanRow *row = cmk_plan(sim->world, (CmkPlanId){timer->subject});
    const CmkArgs args = args_now(sim, row);
    if (cmk_apply(sim, &args).status == CMK_STATUS_OK && row->remedies != 0) {
        cmk_revert_finish(sim, (CmkPlanId){row->remedies});
    }
    set_for_next(sim, timer);
}
