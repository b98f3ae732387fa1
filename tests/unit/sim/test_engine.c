#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "sim/chance.h"
#include "tests/toy/bank.h"
#include "tests/toy/mm1.h"
#include "tests/unit/sim/abort.h"

/* ---- a model that only notes what is called -------------------------------------------------- */

enum {
    TABLE_THING = CMK_TABLE_FIRST_OF_MODEL,
    TABLE_CALL,
    TABLE__COUNT
};
enum {
    EVENT_FREE,
    EVENT_BOUND,
    EVENT_EARLY,
    EVENT__COUNT
};

typedef struct Thing {
    uint32_t epoch;
    uint32_t reserved;
} Thing;

typedef struct Call {
    CmkTime time;
    uint32_t kind;
    uint32_t subject;
} Call;

static uint32_t epoch_of_thing(const CmkWorld *world, uint32_t subject)
{
    const Thing *thing = cmk_world_row(world, TABLE_THING, subject);
    return thing->epoch;
}

static void note(CmkSim *sim, const CmkTimer *timer)
{
    const uint32_t row = cmk_world_row_add(sim->world, TABLE_CALL);
    Call *call = cmk_world_row_mut(sim->world, TABLE_CALL, row);
    *call = (Call){cmk_world_now(sim->world), timer->kind, timer->subject};
}

static const CmkEventRow note_events[EVENT__COUNT] = {
    [EVENT_FREE] = {.name = "free", .class_of_ties = 5, .handle = note},
    [EVENT_BOUND] = {.name = "bound",
                     .class_of_ties = 5,
                     .epoch_of = epoch_of_thing,
                     .handle = note},
    [EVENT_EARLY] = {.name = "early", .class_of_ties = 1, .handle = note},
};

static const CmkModel note_model = {.events = note_events, .event_count = EVENT__COUNT};

static CmkSim note_sim(uint32_t calls_max)
{
    const CmkTableSpec specs[TABLE__COUNT] = {
        [CMK_TABLE_AGENDA_HEAP] = cmk_agenda_heap_spec(50),
        [CMK_TABLE_TIMER] = cmk_agenda_timer_spec(50),
        [TABLE_THING] = {.name = "things", .row_size = sizeof(Thing), .limit = 2},
        [TABLE_CALL] = {.name = "calls", .row_size = sizeof(Call), .limit = calls_max},
    };
    CmkSim sim = {.model = &note_model, .world = cmk_world_new(specs, TABLE__COUNT, 1)};
    (void)cmk_world_row_add(sim.world, TABLE_THING);
    (void)cmk_world_row_add(sim.world, TABLE_THING);
    return sim;
}

static CmkTimerId set(CmkSim *sim, CmkTime time, uint32_t kind, uint32_t subject)
{
    const CmkArgs args = {.origin = 7};
    return cmk_engine_set_timer(sim, time, kind, subject, &args);
}

static Call call_of(const CmkSim *sim, uint32_t row)
{
    return *(const Call *)cmk_world_row(sim->world, TABLE_CALL, row);
}

static uint32_t calls(const CmkSim *sim)
{
    return cmk_world_count(sim->world, TABLE_CALL);
}

Test(engine, runs_up_to_a_moment_inclusive)
{
    CmkSim sim = note_sim(50);
    (void)set(&sim, 100, EVENT_FREE, 1);
    (void)set(&sim, 101, EVENT_FREE, 2);
    (void)set(&sim, 100, EVENT_EARLY, 3);
    cr_assert_eq(cmk_engine_run(&sim, 99, NULL, NULL), CMK_ENGINE_REACHED);
    cr_assert_eq(calls(&sim), 0);
    cr_assert_eq(cmk_world_now(sim.world), 99);
    cr_assert_eq(cmk_engine_run(&sim, 100, NULL, NULL), CMK_ENGINE_REACHED);
    cr_assert_eq(calls(&sim), 2);
    cr_assert_eq(call_of(&sim, 1).subject, 3, "the class of the event table orders ties");
    cr_assert_eq(call_of(&sim, 2).subject, 1);
    cr_assert_eq(call_of(&sim, 2).time, 100);
    cr_assert_eq(cmk_engine_run(&sim, 100, NULL, NULL), CMK_ENGINE_REACHED,
                 "again changes nothing");
    cr_assert_eq(calls(&sim), 2);
    cr_assert_eq(cmk_engine_run(&sim, 1000, NULL, NULL), CMK_ENGINE_REACHED);
    cr_assert_eq(call_of(&sim, 3).time, 101, "the clock is where the timer was set for");
    cr_assert_eq(cmk_world_now(sim.world), 1000, "and ends where it was told to");
    cr_assert_not(cmk_engine_step(&sim, CMK_TIME_MAX));
    cr_assert_eq(cmk_world_now(sim.world), 1000, "a step with nothing to do moves no clock");
    cmk_world_free(sim.world);
}

Test(engine, stale_timers_do_nothing)
{
    CmkSim sim = note_sim(50);
    (void)set(&sim, 10, EVENT_BOUND, 1);
    (void)set(&sim, 10, EVENT_BOUND, 2);
    (void)set(&sim, 10, EVENT_FREE, 1);
    Thing *thing = cmk_world_row_mut(sim.world, TABLE_THING, 1);
    thing->epoch++;
    (void)set(&sim, 20, EVENT_BOUND, 1);
    cr_assert(cmk_agenda_cancel(sim.world, set(&sim, 15, EVENT_FREE, 2)));
    cr_assert_eq(cmk_engine_run(&sim, 100, NULL, NULL), CMK_ENGINE_REACHED);
    cr_assert_eq(calls(&sim), 3);
    const Call expected[] = {{10, EVENT_BOUND, 2}, {10, EVENT_FREE, 1}, {20, EVENT_BOUND, 1}};
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(expected); i++) {
        const Call call = call_of(&sim, i + 1);
        cr_assert_eq(memcmp(&call, &expected[i], sizeof(call)), 0, "call %u", i);
    }
    cmk_world_free(sim.world);
}

static bool count_down(void *self)
{
    uint32_t *left = self;
    return --*left == 0;
}

static bool count_up(void *self)
{
    uint32_t *count = self;
    ++*count;
    return false;
}

Test(engine, stops_when_told_or_full)
{
    CmkSim sim = note_sim(4);
    for (uint32_t i = 1; i <= 7; i++) {
        (void)set(&sim, 10 * i, EVENT_FREE, 1);
    }
    uint32_t left = 2;
    cr_assert_eq(cmk_engine_run(&sim, 100, count_down, &left), CMK_ENGINE_STOPPED);
    cr_assert_eq(calls(&sim), 2);
    cr_assert_eq(cmk_world_now(sim.world), 20, "the clock stays where it stopped");
    cr_assert_eq(cmk_engine_run(&sim, 40, NULL, NULL), CMK_ENGINE_REACHED, "exactly full is fine");
    cr_assert_eq(calls(&sim), 4);
    cr_assert_eq(cmk_engine_run(&sim, 100, NULL, NULL), CMK_ENGINE_LIMIT);
    cr_assert_eq(calls(&sim), 5);
    cr_assert_str_eq(sim.exhausted, "calls");
    cr_assert_eq(cmk_world_now(sim.world), 50);
    cr_assert_eq(cmk_engine_run(&sim, 100, NULL, NULL), CMK_ENGINE_LIMIT, "and no further");
    cr_assert_eq(calls(&sim), 5);
    cmk_world_free(sim.world);
}

Test(engine, hands_causes_on)
{
    CmkSim sim = note_sim(50);
    cmk_world_commit_record(sim.world, "a", 1);
    cmk_world_commit_record(sim.world, "b", 1);
    Thing *thing = cmk_world_row_mut(sim.world, TABLE_THING, 2);
    thing->epoch = 9;
    const CmkTimerId id = set(&sim, 10, EVENT_BOUND, 2);
    cr_assert_neq(id.row, 0);
    CmkTime time = 0;
    CmkTimer timer;
    cr_assert(cmk_agenda_pop(sim.world, 10, &time, &timer));
    cr_assert_eq(timer.epoch, 9);
    cr_assert_eq(timer.cause_seq, 3, "the operation being applied, which gets number 3");
    cr_assert_eq(timer.origin, 7);
    const CmkArgs args = cmk_args_of_timer(5, &timer);
    cr_assert_eq(args.op, 5);
    cr_assert_eq(args.actor, CMK_ACTOR_PLATFORM);
    cr_assert_eq(args.cause_seq, 3);
    cr_assert_eq(args.origin, 7);
    for (uint32_t i = 0; i < CMK_REFS; i++) {
        cr_assert_eq(args.ref[i], 0);
    }
    cmk_world_free(sim.world);
}

static void abort_on_running_back(void)
{
    CmkSim sim = note_sim(5);
    (void)cmk_engine_run(&sim, 10, NULL, NULL);
    (void)cmk_engine_run(&sim, 9, NULL, NULL);
}

static void abort_on_unknown_kind(void)
{
    CmkSim sim = note_sim(5);
    (void)set(&sim, 10, EVENT__COUNT, 1);
}

Test(engine, asserts)
{
    const AbortCase cases[] = {
        {"back", "until >= cmk_world_now", abort_on_running_back},
        {"unknown kind", "event_count", abort_on_unknown_kind},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        cr_assert(aborts_as_told(&cases[i]), "%s", cases[i].name);
    }
}

/* ---- the bank in motion ---------------------------------------------------------------------- */

#define BANK_ACCOUNTS 30
#define BANK_END_US (60 * CMK_SECOND_US)

static CmkSim busy_bank(uint64_t seed)
{
    CmkSim sim = {.model = &bank_model, .world = bank_new(BANK_ACCOUNTS, 1000, seed)};
    bank_populate(&sim, BANK_ACCOUNTS);
    return sim;
}

/* The same bytes with gcc and clang, with and without sanitizers, or this fails. */
Test(engine, golden_digest)
{
    CmkSim sim = busy_bank(1);
    sim.is_self_checking = true;
    cr_assert_eq(cmk_engine_run(&sim, BANK_END_US, NULL, NULL), CMK_ENGINE_REACHED);
    char text[CMK_DIGEST_TEXT_SIZE];
    cmk_digest_format(cmk_world_digest(sim.world), text);
    cr_expect_str_eq(text, "c0b714f53be9490a6369503c17c26b71", "digest %s", text);
    cr_expect_eq(cmk_world_next_seq(sim.world), 1096, "%" PRIu64 " next",
                 cmk_world_next_seq(sim.world));
    uint32_t closed = 0;
    for (uint32_t i = 1; i <= BANK_ACCOUNTS; i++) {
        closed += bank_account(sim.world, i)->is_open == 0 ? 1 : 0;
    }
    cr_expect(closed > 0 && closed < BANK_ACCOUNTS, "%u closed: both kinds occur", closed);
    for (CmkOpId op = BANK_OP_DEPOSIT; op <= BANK_OP_CLOSE; op++) {
        const BankRequest requests = bank_requests(sim.world, op);
        cr_expect(requests.granted > 0 && requests.refused > 0,
                  "operation %u: %" PRIu64 " granted, %" PRIu64 " refused", op, requests.granted,
                  requests.refused);
    }
    cmk_world_free(sim.world);
}

Test(engine, clones_run_on_to_the_same_digest)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        CmkSim straight = busy_bank(seed);
        uint32_t timers = 0;
        (void)cmk_engine_run(&straight, BANK_END_US, count_up, &timers);

        CmkSim sim = busy_bank(seed);
        uint32_t left = 1 + (uint32_t)cmk_chance_below(seed, (CmkStream){99, 0}, 0, timers - 1);
        cr_assert_eq(cmk_engine_run(&sim, BANK_END_US, count_down, &left), CMK_ENGINE_STOPPED,
                     "seed %" PRIu64, seed);
        CmkSim clone = {.model = &bank_model, .world = cmk_world_clone(sim.world)};
        CmkWorld *kept = cmk_world_clone(sim.world);
        (void)cmk_engine_run(&sim, BANK_END_US, NULL, NULL);
        (void)cmk_engine_run(&clone, BANK_END_US, NULL, NULL);

        const char *differs = NULL;
        cr_assert(cmk_world_equal(straight.world, sim.world, &differs), "seed %" PRIu64 ": %s",
                  seed, differs);
        cr_assert(cmk_world_equal(sim.world, clone.world, &differs), "seed %" PRIu64 ": %s", seed,
                  differs);
        cr_assert(cmk_digest_equal(cmk_world_digest(sim.world), cmk_world_digest(clone.world)));
        cr_assert_not(cmk_world_equal(kept, sim.world, NULL), "and a clone that waits stays");
        cmk_world_free(straight.world);
        cmk_world_free(sim.world);
        cmk_world_free(clone.world);
        cmk_world_free(kept);
    }
}

/* A wait in two parts is the same wait; and the bank's world is replaced by a clone of itself after
 * every few timers without anybody noticing. */
Test(engine, does_not_notice_stops_and_clones)
{
    for (uint64_t seed = 100; seed < 110; seed++) {
        CmkSim straight = busy_bank(seed);
        (void)cmk_engine_run(&straight, BANK_END_US, NULL, NULL);
        CmkSim moved = busy_bank(seed);
        for (CmkTime until = 0; until <= BANK_END_US; until += CMK_SECOND_US / 3) {
            (void)cmk_engine_run(&moved, until, NULL, NULL);
            CmkWorld *next = cmk_world_clone(moved.world);
            cmk_world_free(moved.world);
            moved.world = next;
        }
        (void)cmk_engine_run(&moved, BANK_END_US, NULL, NULL);
        cr_assert(cmk_world_equal(straight.world, moved.world, NULL), "seed %" PRIu64, seed);
        cmk_world_free(straight.world);
        cmk_world_free(moved.world);
    }
}

/* ---- theory ---------------------------------------------------------------------------------- */

/* One server, load 0.9: the mean time in system is 1 / (1 - 0.9) = 10 service times. */
Test(engine, mm1_agrees_with_theory)
{
    enum {
        BATCHES = 40,
        BATCH = 50000
    };
    const double student_99_percent = 2.708; /* two-sided, 39 degrees of freedom */
    CmkSim sim = {.model = &mm1_model, .world = mm1_new(1, 10 * CMK_SECOND_US, 9 * CMK_SECOND_US)};
    double sum = 0, squares = 0;
    Mm1Server before = *mm1_server(sim.world);
    for (uint32_t batch = 0; batch <= BATCHES; batch++) {
        while (mm1_server(sim.world)->departed - before.departed < BATCH) {
            cr_assert(cmk_engine_step(&sim, CMK_TIME_MAX));
        }
        const Mm1Server after = *mm1_server(sim.world);
        const double mean = (double)(after.in_system_us - before.in_system_us) /
                            (double)(after.departed - before.departed) /
                            (double)after.mean_service_us;
        before = after;
        if (batch > 0) { /* the first one warms up */
            sum += mean;
            squares += mean * mean;
        }
    }
    const double mean = sum / BATCHES;
    const double error = sqrt((squares / BATCHES - mean * mean) / (BATCHES - 1));
    const double half_width = student_99_percent * error;
    cr_assert_lt(fabs(mean - 10), half_width, "time in system %.3f +- %.3f", mean, half_width);
    cr_assert_lt(half_width, 0.5, "%.3f: tight enough to say something", half_width);
    cmk_world_free(sim.world);
}
