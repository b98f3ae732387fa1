#include "tests/toy/mm1.h"

#include "sim/chance.h"

enum {
    EVENT_ARRIVAL,
    EVENT_DEPARTURE,
    EVENT__COUNT
};
enum {
    STREAM_BETWEEN = 1,
    STREAM_SERVICE
};

typedef struct Arrival {
    CmkTime time;
} Arrival;

const Mm1Server *mm1_server(const CmkWorld *world)
{
    return cmk_world_row(world, MM1_TABLE_SERVER, 1);
}

static void set_timer(CmkSim *sim, uint32_t kind, uint32_t purpose, uint64_t n, int64_t mean_us)
{
    const CmkArgs by_nobody = {.actor = CMK_ACTOR_PLATFORM};
    const int64_t delay =
        cmk_chance_exponential(cmk_world_seed(sim->world), (CmkStream){purpose, 1}, n, mean_us);
    (void)cmk_engine_set_timer(sim, cmk_world_now(sim->world) + delay, kind, 1, &by_nobody);
}

static void serve_next(CmkSim *sim, const Mm1Server *server)
{
    set_timer(sim, EVENT_DEPARTURE, STREAM_SERVICE, server->departed, server->mean_service_us);
}

static void arrive(CmkSim *sim, const CmkTimer *timer)
{
    (void)timer;
    Mm1Server *server = cmk_world_row_mut(sim->world, MM1_TABLE_SERVER, 1);
    CMK_ASSERT(server->arrived - server->departed < MM1_RING_SIZE);
    const uint32_t place = (uint32_t)(server->arrived % MM1_RING_SIZE);
    Arrival *arrival = cmk_world_row_mut(sim->world, MM1_TABLE_RING, 1 + place);
    arrival->time = cmk_world_now(sim->world);
    server->arrived++;
    set_timer(sim, EVENT_ARRIVAL, STREAM_BETWEEN, server->arrived, server->mean_between_us);
    if (server->arrived - server->departed == 1) {
        serve_next(sim, server);
    }
}

static void depart(CmkSim *sim, const CmkTimer *timer)
{
    (void)timer;
    Mm1Server *server = cmk_world_row_mut(sim->world, MM1_TABLE_SERVER, 1);
    const uint32_t place = (uint32_t)(server->departed % MM1_RING_SIZE);
    const Arrival *arrival = cmk_world_row(sim->world, MM1_TABLE_RING, 1 + place);
    server->in_system_us += cmk_world_now(sim->world) - arrival->time;
    server->departed++;
    if (server->arrived > server->departed) {
        serve_next(sim, server);
    }
}

static const CmkEventRow events[EVENT__COUNT] = {
    [EVENT_ARRIVAL] = {.name = "arrival", .handle = arrive},
    [EVENT_DEPARTURE] = {.name = "departure", .handle = depart},
};

const CmkModel mm1_model = {.events = events, .event_count = EVENT__COUNT};

CmkWorld *mm1_new(uint64_t seed, int64_t mean_between_us, int64_t mean_service_us)
{
    const CmkTableSpec specs[MM1_TABLE__COUNT] = {
        [CMK_TABLE_AGENDA_HEAP] = cmk_agenda_heap_spec(4),
        [CMK_TABLE_TIMER] = cmk_agenda_timer_spec(4),
        [MM1_TABLE_SERVER] = {.name = "server", .row_size = sizeof(Mm1Server), .limit = 1},
        [MM1_TABLE_RING] = {.name = "ring",
                            .row_size = sizeof(Arrival),
                            .limit = (uint32_t)MM1_RING_SIZE},
    };
    CmkWorld *world = cmk_world_new(specs, MM1_TABLE__COUNT, seed);
    CMK_ASSERT(world != NULL);
    (void)cmk_world_row_add(world, MM1_TABLE_SERVER);
    cmk_world_set_count(world, MM1_TABLE_RING, (uint32_t)MM1_RING_SIZE);
    Mm1Server *server = cmk_world_row_mut(world, MM1_TABLE_SERVER, 1);
    server->mean_between_us = mean_between_us;
    server->mean_service_us = mean_service_us;
    CmkSim sim = {.model = &mm1_model, .world = world};
    set_timer(&sim, EVENT_ARRIVAL, STREAM_BETWEEN, 0, mean_between_us);
    return world;
}
