#include "sim/engine.h"

#include "sim/world_layout.h"

bool cmk_engine_step(CmkSim *sim, CmkTime until)
{
    CmkTime time = 0;
    CmkTimer timer;
    if (!cmk_agenda_pop(sim->world, until, &time, &timer)) {
        return false;
    }
    CMK_ASSERT(time >= sim->world->now);
    sim->world->now = time;
    CMK_ASSERT(timer.kind < sim->model->event_count);
    const CmkEventRow *event = &sim->model->events[timer.kind];
    if (event->epoch_of == NULL || event->epoch_of(sim->world, timer.subject) == timer.epoch) {
        event->handle(sim, &timer);
    }
    return true;
}

static bool is_exhausted(CmkSim *sim)
{
    if (sim->world->overfull != 0) {
        sim->exhausted = cmk_world_overfull_table(sim->world);
    }
    return sim->exhausted != NULL;
}

CmkEngineEnd cmk_engine_run(CmkSim *sim, CmkTime until, bool (*must_stop)(void *self), void *self)
{
    CMK_ASSERT(until >= cmk_world_now(sim->world));
    while (!is_exhausted(sim)) {
        if (!cmk_engine_step(sim, until)) {
            cmk_world_set_now(sim->world, until);
            return CMK_ENGINE_REACHED;
        }
        if (must_stop != NULL && must_stop(self)) {
            return CMK_ENGINE_STOPPED;
        }
    }
    return CMK_ENGINE_LIMIT;
}

CmkTimerId cmk_engine_set_timer(CmkSim *sim, CmkTime time, uint32_t kind, uint32_t subject,
                                const CmkArgs *args)
{
    CMK_ASSERT(kind < sim->model->event_count);
    const CmkEventRow *event = &sim->model->events[kind];
    const CmkTimer timer = {.kind = (uint16_t)kind,
                            .subject = subject,
                            .epoch =
                                event->epoch_of == NULL ? 0 : event->epoch_of(sim->world, subject),
                            .cause_seq = sim->world->next_seq,
                            .origin = args->origin};
    return cmk_engine_repeat_timer(sim, time, &timer);
}

CmkTimerId cmk_engine_repeat_timer(CmkSim *sim, CmkTime time, const CmkTimer *timer)
{
    const CmkModel *model = sim->model;
    const uint32_t class_of_ties = model->class_of_ties == NULL
                                       ? model->events[timer->kind].class_of_ties
                                       : model->class_of_ties(sim->world, timer->kind);
    return cmk_agenda_push(sim->world, time, class_of_ties, timer);
}

CmkArgs cmk_args_of_timer(CmkOpId op, const CmkTimer *timer)
{
    return (CmkArgs){.op = op,
                     .actor = CMK_ACTOR_PLATFORM,
                     .origin = timer->origin,
                     .cause_seq = timer->cause_seq};
}
