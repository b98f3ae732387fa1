/* Windows of key vaults and of subscriptions, by numbers that were counted by hand (section 8). */
#include <criterion/criterion.h>

#include "tests/unit/models/estate.h"

/* ---- a world of many key vaults -------------------------------------------------------------- */

enum {
    VAULTS_TOGETHER = 6, /* of the first subscription in West Europe */
    IN_ANOTHER_REGION = VAULTS_TOGETHER + 1,
    IN_ANOTHER_SUBSCRIPTION,
    VAULTS = IN_ANOTHER_SUBSCRIPTION
};

#define OPENED (ESTATE_START + CMK_HOUR_US) /* a full ten of seconds */

typedef struct Park {
    CmkSim sim;
} Park;

static void apply(Park *park, CmkArgs args)
{
    args.actor = CMK_ACTOR_SETUP;
    cr_assert_eq(cmk_apply(&park->sim, &args).status, CMK_STATUS_OK);
}

/* Key vault i has key i, RSA of 4096 bits in hardware: 250 requests fill its window. */
static void make_key_vault(Park *park, uint32_t i)
{
    const char *region = i == IN_ANOTHER_REGION ? "northeurope" : "westeurope";
    apply(park,
          (CmkArgs){.op = CMK_OP_KEY_VAULT_CREATE,
                    .ref = {[CMK_REF_KEY_VAULT] = i, [CMK_REF_REGION] = cmk_region_find(region).i},
                    .num = {[3] = CMK_SKU_PREMIUM}});
    apply(park, (CmkArgs){.op = CMK_OP_KEY_CREATE,
                          .ref = {[CMK_REF_KEY_VAULT] = i, [CMK_REF_KEY] = i},
                          .num = {CMK_KEY_RSA_HSM, 4096}});
}

static Park make_park(void)
{
    CmkLimits limits = {.timers = 64};
    int64_t knobs[CMK_KNOB__COUNT];
    for (uint32_t i = 0; i < CMK_TABLE__COUNT; i++) {
        limits.rows[i] = 64;
    }
    for (uint32_t i = 0; i < CMK_KNOB__COUNT; i++) {
        knobs[i] = cmk_azure_model()->knobs[i].values[0];
    }
    Park park = {.sim = {.model = cmk_azure_model(),
                         .world = cmk_azure_world_new(&limits, ESTATE_SEED, ESTATE_SETUP,
                                                      ESTATE_START, knobs),
                         .is_self_checking = true}};
    CmkWorld *world = park.sim.world;
    const CmkScopeId other =
        cmk_declare_scope(world, CMK_SCOPE_SUBSCRIPTION, (CmkScopeId){0}, "other");
    const CmkScopeId group = cmk_declare_scope(world, CMK_SCOPE_RESOURCE_GROUP, other, "group");
    for (uint32_t i = 1; i <= VAULTS; i++) {
        const CmkKeyVaultId id = cmk_declare_key_vault(world, "kv");
        (void)cmk_declare_key(world, id, "key");
        if (i == IN_ANOTHER_SUBSCRIPTION) {
            cmk_place_key_vault(world, id, group);
        }
    }
    for (uint32_t i = 1; i <= VAULTS; i++) {
        make_key_vault(&park, i);
    }
    cmk_world_set_now(world, OPENED);
    apply(&park, (CmkArgs){.op = CMK_OP_SIMULATION_OPEN});
    return park;
}

static CmkStatus ask(Park *park, uint32_t i)
{
    const CmkArgs args = {.op = CMK_OP_KEY_SHOW,
                          .actor = CMK_ACTOR_STEP,
                          .ref = {[CMK_REF_KEY_VAULT] = i, [CMK_REF_KEY] = i}};
    return cmk_apply(&park->sim, &args).status;
}

/* How many of `count` requests are answered. */
static uint32_t ask_often(Park *park, uint32_t i, uint32_t count)
{
    uint32_t answered = 0;
    for (uint32_t n = 0; n < count; n++) {
        answered += ask(park, i) == CMK_STATUS_OK;
    }
    return answered;
}

/* ---- one key vault --------------------------------------------------------------------------- */

/* THR-2: 248 requests on RSA 4096 and 16 on RSA 2048, both in hardware, fill a window to the brim,
 * in whichever order they come. */
Test(throttle, the_reference_case_fills_a_window_exactly)
{
    for (int is_reversed = 0; is_reversed <= 1; is_reversed++) {
        Estate *estate = estate_new(&(EstateOptions){.sku = CMK_SKU_PREMIUM,
                                                     .has_no_cmk = true,
                                                     .is_not_opened = true,
                                                     .is_not_self_checking = true,
                                                     .other_key_type = CMK_KEY_RSA_HSM,
                                                     .other_key_bits = 4096});
        CmkArgs create = estate_args(estate, CMK_OP_KEY_CREATE);
        create.ref[CMK_REF_KEY] = ESTATE_ABSENT_KEY;
        create.num[0] = CMK_KEY_RSA_HSM;
        (void)estate_must_apply(estate, create);
        (void)estate_must(estate, CMK_OP_SIMULATION_OPEN);
        const uint32_t keys[] = {ESTATE_OTHER_KEY, ESTATE_ABSENT_KEY};
        const uint32_t counts[] = {248, 16};
        CmkArgs show = estate_args(estate, CMK_OP_KEY_SHOW);
        show.ref[CMK_REF_VERSION] = 0;
        for (int k = 0; k < 2; k++) {
            const int which = is_reversed != 0 ? 1 - k : k;
            show.ref[CMK_REF_KEY] = keys[which];
            for (uint32_t n = 0; n < counts[which]; n++) {
                cr_assert_eq(estate_apply(estate, &show).status, CMK_STATUS_OK, "%d: %u", which, n);
            }
        }
        for (int k = 0; k < 2; k++) {
            show.ref[CMK_REF_KEY] = keys[k];
            cr_expect_eq(estate_apply(estate, &show).status, CMK_STATUS_OF(THROTTLED), "%d", k);
        }
        /* THR-7: until the next full ten of seconds, and not a moment longer. */
        cmk_world_set_now(estate->sim.world, ESTATE_START + CMK_WINDOW_US - 1);
        cr_expect_eq(estate_apply(estate, &show).status, CMK_STATUS_OF(THROTTLED));
        cmk_world_set_now(estate->sim.world, ESTATE_START + CMK_WINDOW_US);
        cr_expect_eq(estate_apply(estate, &show).status, CMK_STATUS_OK);
        cr_expect_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* THR-1: what is about no key has the largest limit. */
Test(throttle, four_thousand_lists_fill_a_window)
{
    Estate *estate = estate_new(&(EstateOptions){.has_no_cmk = true, .is_not_self_checking = true});
    const CmkArgs list = estate_args(estate, CMK_OP_KEY_LIST);
    uint32_t answered = 0;
    while (answered < 5000 && estate_apply(estate, &list).status == CMK_STATUS_OK) {
        answered++;
    }
    cr_expect_eq(answered, 4000);
    estate_free(estate);
}

/* A window that begins anew in the midst of a burst: windows are fixed, so twice as much goes
 * through around their border (THR-7). */
Test(throttle, windows_do_not_slide)
{
    Park park = make_park();
    cmk_world_set_now(park.sim.world, OPENED + CMK_WINDOW_US - 1);
    cr_expect_eq(ask_often(&park, 1, 251), 250);
    cmk_world_set_now(park.sim.world, OPENED + CMK_WINDOW_US);
    cr_expect_eq(ask_often(&park, 1, 251), 250);
    cmk_world_set_now(park.sim.world, OPENED + 2 * CMK_WINDOW_US - 1);
    cr_expect_eq(ask_often(&park, 1, 1), 0);
    cmk_world_free(park.sim.world);
}

/* A noisy neighbour that takes 60 % leaves 100 of 250, and all of it at the end. */
Test(throttle, a_neighbour_takes_its_share)
{
    Park park = make_park();
    apply(&park, (CmkArgs){.op = CMK_OP_KEY_VAULT_THROTTLE,
                           .ref = {[CMK_REF_KEY_VAULT] = 1},
                           .num = {600000}});
    cr_expect_eq(ask_often(&park, 1, 101), 100);
    cr_expect_eq(ask_often(&park, 2, 251), 250, "it is at one key vault");
    cmk_world_set_now(park.sim.world, OPENED + CMK_WINDOW_US);
    apply(&park, (CmkArgs){.op = CMK_OP_KEY_VAULT_THROTTLE, .ref = {[CMK_REF_KEY_VAULT] = 1}});
    cr_expect_eq(ask_often(&park, 1, 1), 0);
    apply(&park, (CmkArgs){.op = CMK_OP_KEY_VAULT_UNTHROTTLE, .ref = {[CMK_REF_KEY_VAULT] = 1}});
    cr_expect_eq(ask_often(&park, 1, 251), 250);
    cmk_world_free(park.sim.world);
}

/* ---- a subscription -------------------------------------------------------------------------- */

/* THR-3: five times as much as one key vault, for all of a subscription in a region; THR-5: what is
 * throttled takes up room in neither window. */
Test(throttle, a_subscription_answers_five_times_as_much_in_a_region)
{
    Park park = make_park();
    for (uint32_t i = 1; i <= VAULTS_TOGETHER - 1; i++) {
        cr_expect_eq(ask_often(&park, i, 240), 240, "%u", i);
    }
    cr_expect_eq(ask_often(&park, VAULTS_TOGETHER, 100), 50, "1250 of all together");
    cr_expect_eq(ask_often(&park, 1, 10), 0, "its own window has room for 10");
    cr_expect_eq(ask_often(&park, IN_ANOTHER_REGION, 251), 250);
    cr_expect_eq(ask_often(&park, IN_ANOTHER_SUBSCRIPTION, 251), 250);
    const CmkKeyVaultMeter *meter = cmk_key_vault_meter(park.sim.world, (CmkKeyVaultId){1});
    cr_expect_eq(meter->window_used, 240 * (CMK_WINDOW_WEIGHT / 250));
    cmk_world_set_now(park.sim.world, OPENED + CMK_WINDOW_US - 1);
    cr_expect_eq(ask_often(&park, 1, 1), 0);
    cmk_world_set_now(park.sim.world, OPENED + CMK_WINDOW_US);
    cr_expect_eq(ask_often(&park, 1, 251), 250);
    cmk_world_free(park.sim.world);
}

/* A key vault that refuses by itself leaves the room of its subscription to the others. */
Test(throttle, a_full_key_vault_does_not_use_up_its_subscription)
{
    Park park = make_park();
    cr_expect_eq(ask_often(&park, 1, 1500), 250);
    for (uint32_t i = 2; i <= VAULTS_TOGETHER - 1; i++) {
        cr_expect_eq(ask_often(&park, i, 250), 250, "%u", i);
    }
    cr_expect_eq(ask_often(&park, VAULTS_TOGETHER, 1), 0);
    cmk_world_free(park.sim.world);
}
