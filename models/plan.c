#include "models/plan.h"

#include "models/mutate.h"
#include "models/rows.h"

static bool is_chosen(const CmkPoint *point, CmkPointChoice choice)
{
    switch (choice) {
    case CMK_POINT_LATEST:
    case CMK_POINT_OLDEST:
        return true;
    case CMK_POINT_LATEST_OPERATIONAL:
        return point->tier == CMK_TIER_OPERATIONAL;
    case CMK_POINT_LATEST_ARCHIVE:
        return point->tier == CMK_TIER_ARCHIVE;
    }
    return false;
}

CmkPointId cmk_plan_choose_point(const CmkWorld *world, CmkInstanceId instance,
                                 CmkPointChoice choice)
{
    uint32_t best = 0;
    uint32_t queue_row = cmk_instance(world, instance)->first_queue;
    while (queue_row != 0) {
        const CmkQueue *queue = cmk_queue(world, (CmkQueueId){queue_row});
        uint32_t row = choice == CMK_POINT_OLDEST ? queue->first_point : queue->last_point;
        while (row != 0 && !is_chosen(cmk_point(world, (CmkPointId){row}), choice)) {
            row = cmk_point(world, (CmkPointId){row})->previous;
        }
        if (row != 0) {
            const CmkTime created = cmk_point(world, (CmkPointId){row})->created;
            const CmkTime so_far = cmk_point(world, (CmkPointId){best})->created;
            const bool is_better =
                best == 0 || (choice == CMK_POINT_OLDEST ? created < so_far : created > so_far);
            best = is_better ? row : best;
        }
        queue_row = queue->next_of_instance;
    }
    return (CmkPointId){best};
}

/* The version of the key with this number, among those that live now; {0} if there is none. */
static CmkVersionId version_numbered(const CmkWorld *world, CmkKeyId key, int64_t number)
{
    uint32_t row = cmk_key(world, key)->current_version;
    while (row != 0 && cmk_version(world, (CmkVersionId){row})->number != number) {
        row = cmk_version(world, (CmkVersionId){row})->previous;
    }
    return (CmkVersionId){row};
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

/* Sets a timer for row `subject` at its own time, with the rest as in `timer`. */
static void set_for(CmkSim *sim, const CmkTimer *timer, uint32_t subject)
{
    CmkTimer next = *timer;
    next.subject = subject;
    (void)cmk_agenda_push(sim->world, cmk_plan(sim->world, (CmkPlanId){subject})->time,
                          sim->model->events[CMK_EVENT_PLAN].class_of_ties, &next);
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

void cmk_on_plan(CmkSim *sim, const CmkTimer *timer)
{
    const CmkPlanId id = {timer->subject};
    const CmkPlanRow *row = cmk_plan(sim->world, id);
    CmkArgs args = row->args;
    if (args.op == CMK_OP_BACKUP_RESTORE || args.op == CMK_OP_BACKUP_RESTORE_IN_PAIR) {
        args.ref[CMK_REF_POINT] =
            cmk_plan_choose_point(sim->world, (CmkInstanceId){args.ref[CMK_REF_INSTANCE]},
                                  (CmkPointChoice)args.num[0])
                .i;
    }
    if (args.ref[CMK_REF_KEY] != 0 && args.num[CMK_NUM_VERSION] != 0 &&
        takes_version(sim, args.op)) {
        args.ref[CMK_REF_VERSION] = version_numbered(sim->world, (CmkKeyId){args.ref[CMK_REF_KEY]},
                                                     args.num[CMK_NUM_VERSION])
                                        .i;
    }
    const CmkOutcome outcome = cmk_apply(sim, &args);
    if (row->kind == CMK_PLAN_FAULT && outcome.status == CMK_STATUS_OK) {
        set_for_end(sim, timer);
    }
    if (row->kind != CMK_PLAN_FAULT_END) {
        set_for_next(sim, timer);
    }
}
