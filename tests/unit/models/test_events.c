/* Kinds of timers. */
#include <criterion/criterion.h>

#include <string.h>

#include "tests/unit/models/estate.h"

/* OQ-35: faults and platform, changes that arrive, key vaults, polls, jobs, background. */
Test(events, those_of_one_moment_go_by_kind)
{
    const struct {
        const char *name;
        uint32_t class_of_ties;
    } documented[] = {{"fault", 0},
                      {"region", 0},
                      {"step", 1},
                      {"arrival", 1},
                      {"propagation", 1},
                      {"membership", 1},
                      {"healing", 1},
                      {"key_settle", 2},
                      {"key_purge", 2},
                      {"key_vault_purge", 2},
                      {"managed_hsm_purge", 2},
                      {"key_rotation", 2},
                      {"key_near_expiry", 2},
                      {"deleted_vault", 2},
                      {"instance_settle", 2},
                      {"instance", 2},
                      {"rotation_poll", 3},
                      {"schedule", 4},
                      {"task", 4},
                      {"maintenance", 5},
                      {"copy", 5}};
    const CmkModel *model = cmk_azure_model();
    cr_expect_eq(CMK_ARRAY_LEN(documented), model->event_count);
    for (size_t i = 0; i < CMK_ARRAY_LEN(documented); i++) {
        uint32_t k = 0;
        while (k < model->event_count && strcmp(model->events[k].name, documented[i].name) != 0) {
            k++;
        }
        cr_assert_lt(k, model->event_count, "%s", documented[i].name);
        cr_expect_eq(model->events[k].class_of_ties, documented[i].class_of_ties, "%s",
                     documented[i].name);
    }
}

/* Sets timers of these kinds for one moment in this order, some of them by way of another timer,
 * and gives the kinds in the order in which they come. */
static void set_and_take(Estate *estate, const uint32_t *kinds, uint32_t *ret_kinds, uint32_t count)
{
    const CmkTime moment = ESTATE_START + 100 * CMK_DAY_US + 1;
    const CmkArgs args = {0};
    for (uint32_t i = 0; i < count; i++) {
        const CmkTimer repeated = {.kind = (uint16_t)kinds[i], .subject = 1};
        if (i % 2 == 0) {
            (void)cmk_engine_set_timer(&estate->sim, moment, kinds[i], 1, &args);
        } else {
            (void)cmk_engine_repeat_timer(&estate->sim, moment, &repeated);
        }
    }
    CmkTime time = 0;
    CmkTimer timer;
    uint32_t taken = 0;
    while (cmk_agenda_pop(estate->sim.world, moment, &time, &timer)) {
        if (time == moment) {
            cr_assert_lt(taken, count);
            ret_kinds[taken++] = timer.kind;
        }
    }
    cr_assert_eq(taken, count);
}

/* OQ-35: or in the order in which they were set, once the timeline has had its turn; a clone goes
 * on in the same way. */
Test(events, those_of_one_moment_can_go_in_the_order_of_setting)
{
    enum {
        COUNT = 7
    };
    static const uint32_t set[COUNT] = {
        CMK_EVENT_MAINTENANCE, CMK_EVENT_SCHEDULE, CMK_EVENT_KEY_PURGE, CMK_EVENT_ARRIVAL,
        CMK_EVENT_STEP,        CMK_EVENT_REGION,   CMK_EVENT_FAULT};
    static const uint32_t by_kind[COUNT] = {
        CMK_EVENT_REGION,    CMK_EVENT_FAULT,    CMK_EVENT_STEP,       CMK_EVENT_ARRIVAL,
        CMK_EVENT_KEY_PURGE, CMK_EVENT_SCHEDULE, CMK_EVENT_MAINTENANCE};
    static const uint32_t in_order[COUNT] = {
        CMK_EVENT_STEP,      CMK_EVENT_FAULT,   CMK_EVENT_MAINTENANCE, CMK_EVENT_SCHEDULE,
        CMK_EVENT_KEY_PURGE, CMK_EVENT_ARRIVAL, CMK_EVENT_REGION};
    for (int64_t is_by_kind = 0; is_by_kind <= 1; is_by_kind++) {
        EstateOptions options = {0};
        options.knobs[CMK_KNOB_TIES_BY_KIND] = is_by_kind + 1;
        Estate *estate = estate_new(&options);
        cr_assert_str_eq(estate->trouble, "");
        CmkWorld *original = estate->sim.world;
        estate->sim.world = cmk_world_clone(original);
        cmk_world_free(original);
        uint32_t taken[COUNT] = {0};
        set_and_take(estate, set, taken, COUNT);
        cr_expect_arr_eq(taken, is_by_kind != 0 ? by_kind : in_order, sizeof(taken), "%d",
                         (int)is_by_kind);
        estate_free(estate);
    }
}
