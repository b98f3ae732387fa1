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

void cmk_on_plan(CmkSim *sim, const CmkTimer *timer)
{
    const CmkPlanId id = {timer->subject};
    const CmkPlanRow *row = cmk_plan(sim->world, id);
    CmkArgs args = row->args;
    if (args.op == CMK_OP_BACKUP_RESTORE) {
        args.ref[CMK_REF_POINT] =
            cmk_plan_choose_point(sim->world, (CmkInstanceId){args.ref[CMK_REF_INSTANCE]},
                                  (CmkPointChoice)args.num[0])
                .i;
    }
    if (args.ref[CMK_REF_KEY] != 0 && args.num[CMK_NUM_VERSION] != 0) {
        args.ref[CMK_REF_VERSION] = version_numbered(sim->world, (CmkKeyId){args.ref[CMK_REF_KEY]},
                                                     args.num[CMK_NUM_VERSION])
                                        .i;
    }
    (void)cmk_apply(sim, &args);
    if (id.i < cmk_world_count(sim->world, CMK_TABLE_PLAN)) {
        /* The rows are in the order of their times; one timer walks along them. */
        CmkTimer next = *timer;
        next.subject = id.i + 1;
        (void)cmk_agenda_push(sim->world, cmk_plan(sim->world, (CmkPlanId){next.subject})->time,
                              sim->model->events[CMK_EVENT_PLAN].class_of_ties, &next);
    }
}
