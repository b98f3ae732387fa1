/* Everything that the future depends on is in the world: a clone taken at any event runs on to the
 * same digest and the same bytes, with the self-check on all the way. */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/chance.h"
#include "tests/unit/models/random_plan.h"

#define SEEDS 120
#define CLONES_PER_RUN 4
#define END (ESTATE_START + (RANDOM_PLAN_DAYS + 8) * CMK_DAY_US)

static Estate *make(uint64_t seed, CmkPlanRow rows[RANDOM_PLAN_ROWS])
{
    const EstateOptions options = random_plan(seed, rows);
    Estate *estate = estate_new(&options);
    cr_assert_str_eq(estate->trouble, "", "seed %" PRIu64 ": %s", seed, estate->trouble);
    return estate;
}

static uint32_t steps_to_end(CmkSim *sim)
{
    uint32_t steps = 0;
    while (cmk_engine_step(sim, END)) {
        steps++;
    }
    cmk_world_set_now(sim->world, END);
    return steps;
}

static void expect_same(const CmkWorld *a, const CmkWorld *b, uint64_t seed, uint32_t moment)
{
    const char *table = "time, sequence or digest";
    cr_assert(cmk_world_equal(a, b, &table), "seed %" PRIu64 ", clone at event %u: %s", seed,
              moment, table);
    cr_assert(cmk_digest_equal(cmk_world_digest(a), cmk_world_digest(b)));
}

/* The original goes on while the clone waits, and is gone before the clone starts. */
Test(world_clone, a_clone_taken_at_any_event_runs_on_to_the_same_end)
{
    uint64_t operations = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        CmkPlanRow rows[RANDOM_PLAN_ROWS];
        Estate *estate = make(seed, rows);
        /* One before anything happened, the others at random events. */
        CmkWorld *clones[CLONES_PER_RUN] = {cmk_world_clone(estate->sim.world)};
        uint32_t moments[CLONES_PER_RUN] = {0};
        for (uint32_t i = 1; i < CLONES_PER_RUN; i++) {
            const CmkStream stream = {2, i};
            moments[i] = moments[i - 1] + (uint32_t)cmk_chance_below(seed, stream, 0, 120);
            for (uint32_t k = moments[i - 1]; k < moments[i]; k++) {
                (void)cmk_engine_step(&estate->sim, END);
            }
            clones[i] = cmk_world_clone(estate->sim.world);
        }
        (void)steps_to_end(&estate->sim);
        operations += cmk_world_next_seq(estate->sim.world) - 1;
        CmkWorld *end = cmk_world_clone(estate->sim.world);
        estate_free(estate);
        for (uint32_t i = 0; i < CLONES_PER_RUN; i++) {
            CmkSim sim = {.model = cmk_azure_model(), .world = clones[i]};
            (void)steps_to_end(&sim);
            expect_same(end, clones[i], seed, moments[i]);
            cmk_world_free(clones[i]);
        }
        cmk_world_free(end);
    }
    cr_assert_gt(operations, SEEDS * 200, "the runs did too little: %" PRIu64, operations);
}

/* The random runs reach what they are meant to reach. */
Test(world_clone, random_runs_meet_most_operations_and_guards)
{
    uint32_t happened[CMK_OP__COUNT] = {0};
    uint32_t refused[CMK_GUARD__COUNT] = {0};
    for (uint64_t seed = 1; seed <= 24 * SEEDS; seed++) {
        CmkPlanRow rows[RANDOM_PLAN_ROWS];
        EstateOptions options = random_plan(seed, rows);
        options.is_not_self_checking = true;
        Estate *estate = estate_new(&options);
        (void)steps_to_end(&estate->sim);
        for (uint32_t i = 0; i < estate->tape.count; i++) {
            const CmkRecord *record = &estate->tape.records[i];
            happened[record->args.op] += record->status == CMK_STATUS_OK;
            refused[record->guard]++;
        }
        estate_free(estate);
    }
    uint32_t guards = 0;
    for (uint32_t i = 1; i < CMK_GUARD__COUNT; i++) {
        guards += refused[i] > 0;
    }
    for (uint32_t i = 1; i < CMK_OP__COUNT; i++) {
        /* Of keys that are purged there are too few in such runs. */
        if (i != CMK_OP_BACKUP_POLICY_CREATE && i != CMK_OP_KEY_PURGE && i != CMK_OP_KEY_RESTORE &&
            i != CMK_OP_KEY_VAULT_PURGE && i != CMK_OP_MANAGED_HSM_PURGE) {
            cr_assert_gt(happened[i], 0, "%s never happened",
                         cmk_azure_model()->operations[i]->name);
        }
    }
    cr_assert_geq(guards, 30, "only %u guards ever refused", guards);
}

/* The same estate built twice is the same; one more operation is not. */
Test(world_clone, the_digest_tells_runs_apart)
{
    CmkPlanRow rows[RANDOM_PLAN_ROWS];
    for (uint64_t seed = 1; seed <= 8; seed++) {
        Estate *a = make(seed, rows);
        (void)steps_to_end(&a->sim);
        Estate *b = make(seed, rows);
        (void)steps_to_end(&b->sim);
        expect_same(a->sim.world, b->sim.world, seed, 0);
        const CmkArgs args = estate_args(b, CMK_OP_KEY_GET); /* whatever comes of it */
        (void)estate_apply(b, &args);
        cr_assert_not(cmk_world_equal(a->sim.world, b->sim.world, NULL));
        cr_assert_not(
            cmk_digest_equal(cmk_world_digest(a->sim.world), cmk_world_digest(b->sim.world)));
        estate_free(a);
        estate_free(b);
    }
}

/* A difference in any table that has rows is seen, and named. */
Test(world_clone, worlds_that_differ_are_told_apart)
{
    CmkPlanRow rows[RANDOM_PLAN_ROWS];
    Estate *estate = make(3, rows);
    for (int i = 0; i < 200; i++) {
        (void)cmk_engine_step(&estate->sim, END);
    }
    uint32_t tried = 0;
    for (uint32_t table = CMK_TABLE_FIRST_OF_MODEL; table < CMK_TABLE__COUNT; table++) {
        const uint32_t count = cmk_world_count(estate->sim.world, table);
        if (count == 0) {
            continue;
        }
        CmkWorld *clone = cmk_world_clone(estate->sim.world);
        char *row = cmk_world_row_mut(clone, table, count);
        row[7] = (char)(row[7] ^ 1);
        const char *name = NULL;
        cr_assert_not(cmk_world_equal(estate->sim.world, clone, &name));
        cr_assert_str_eq(name, cmk_world_table_name(clone, table));
        cmk_world_free(clone);
        tried++;
    }
    cr_assert_gt(tried, 14);
    CmkWorld *clone = cmk_world_clone(estate->sim.world);
    cmk_world_set_now(clone, cmk_world_now(clone) + 1);
    cr_assert_not(cmk_world_equal(estate->sim.world, clone, NULL), "time");
    cmk_world_free(clone);
    clone = cmk_world_clone(estate->sim.world);
    cmk_world_fold(clone, "x", 1);
    cr_assert_not(cmk_world_equal(estate->sim.world, clone, NULL), "digest");
    cmk_world_free(clone);
    estate_free(estate);
}
