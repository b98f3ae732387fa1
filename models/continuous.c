#include "models/continuous.h"

#include "models/model.h"
#include "models/mutate.h"
#include "models/points.h"
#include "models/rows.h"
#include "models/schedule.h"

bool cmk_queue_is_continuous(const CmkWorld *world, CmkQueueId queue)
{
    uint32_t count = 0;
    const CmkQueue *row = cmk_queue(world, queue);
    const CmkInstanceId instance = {row->instance};
    return row->store == CMK_STORE_OPERATIONAL &&
           cmk_datasource_facts(&count)[cmk_instance(world, instance)->datasource].is_continuous;
}

/* ---- spans ----------------------------------------------------------------------------------- */

static bool goes_on(const CmkPoint *point)
{
    return point->is_span != 0 && point->ended == 0;
}

CmkTime cmk_point_last_moment(const CmkWorld *world, CmkPointId id)
{
    const CmkPoint *point = cmk_point(world, id);
    if (point->is_span == 0) {
        return point->created;
    }
    return goes_on(point) ? cmk_world_now(world) : point->ended;
}

CmkTime cmk_point_first_moment(const CmkWorld *world, CmkPointId id)
{
    const CmkPoint *point = cmk_point(world, id);
    const CmkQueue *queue = cmk_queue(world, (CmkQueueId){point->queue});
    const CmkInstance *instance = cmk_instance(world, (CmkInstanceId){queue->instance});
    const bool is_passing =
        instance->state == CMK_INSTANCE_PROTECTED || instance->state == CMK_INSTANCE_SUSPENDED;
    if (point->is_span == 0 || !is_passing) { /* BK-15: what is stopped is kept as it is */
        return point->created;
    }
    const CmkTime last = cmk_point_last_moment(world, id);
    const CmkTime kept_from =
        cmk_time_add_period(cmk_world_now(world), cmk_point_retention(world, id), -1);
    const CmkTime first = kept_from < point->created ? point->created : kept_from;
    return first < last ? first : last; /* BK-15: the latest moment stays */
}

bool cmk_point_covers(const CmkWorld *world, CmkPointId id, CmkTime moment)
{
    const CmkPoint *point = cmk_point(world, id);
    return moment >= cmk_point_first_moment(world, id) &&
           (point->is_span == 0 || moment <= cmk_point_last_moment(world, id));
}

void cmk_continuous_begin(CmkSim *sim, CmkQueueId queue)
{
    const CmkPointId last = {cmk_queue(sim->world, queue)->last_point};
    if (goes_on(cmk_point(sim->world, last))) {
        return;
    }
    const CmkPointId id = {cmk_world_row_add(sim->world, CMK_TABLE_POINT)};
    CmkPoint *point = cmk_point_mut(sim, id);
    point->is_live = 1;
    point->is_span = 1;
    point->queue = queue.i;
    point->tier = CMK_TIER_OPERATIONAL;
    point->created = cmk_world_now(sim->world);
    point->created_by = point->changed_by = cmk_this_seq(sim);
    cmk_points_append(sim, queue, id);
}

void cmk_continuous_end(CmkSim *sim, CmkQueueId queue)
{
    const CmkPointId last = {cmk_queue(sim->world, queue)->last_point};
    if (goes_on(cmk_point(sim->world, last))) {
        cmk_point_mut(sim, last)->ended = cmk_world_now(sim->world);
        cmk_point_mut(sim, last)->changed_by = cmk_this_seq(sim);
    }
}

void cmk_continuous_settle(CmkSim *sim, CmkQueueId queue)
{
    uint32_t row = cmk_queue(sim->world, queue)->first_point;
    while (row != 0) {
        const CmkPointId id = {row};
        cmk_point_mut(sim, id)->created = cmk_point_first_moment(sim->world, id);
        row = cmk_point(sim->world, id)->next;
    }
}

/* ---- guards ---------------------------------------------------------------------------------- */

/* num[0]: a moment, or a CmkPointChoice. */
static bool moment_is_covered(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkPointId point = {args->ref[CMK_REF_POINT]};
    const CmkTime moment = args->num[0];
    if (moment < CMK_POINT__COUNT) {
        return true; /* no moment is asked for */
    }
    *ret_blame = cmk_instance(world, (CmkInstanceId){args->ref[CMK_REF_INSTANCE]})->changed_by;
    return moment <= cmk_world_now(world) && point.i != 0 && cmk_point_covers(world, point, moment);
}

const CmkGuard cmk_guard_moment_is_covered = {
    .name = "moment-is-covered",
    .holds = moment_is_covered,
    .status = CMK_STATUS_OF(MOMENT_NOT_COVERED),
    .rule = "BK-3 BK-D2",
    .text = "A recovery point is as old as the moment asked for, or continuous backups reach back "
            "to it; and it is not still to come."};

static bool store_keeps_single_points(const CmkWorld *world, const CmkArgs *args,
                                      uint64_t *ret_blame)
{
    const CmkQueueId queue = cmk_schedule_queue_on_demand(world, args);
    *ret_blame = cmk_instance_of(world, args)->changed_by;
    return !cmk_queue_is_continuous(world, queue);
}

const CmkGuard cmk_guard_store_keeps_single_points = {
    .name = "store-keeps-single-points",
    .holds = store_keeps_single_points,
    .status = CMK_STATUS_OF(BACKUP_IS_CONTINUOUS),
    .rule = "BK-D2",
    .text = "The store that a backup by hand would go to is not backed up all the time anyway."};
