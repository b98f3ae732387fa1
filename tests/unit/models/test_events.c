/* Kinds of timers. */
#include <criterion/criterion.h>

#include <string.h>

#include "models/model.h"

/* OQ-35: faults and platform, changes that arrive, key vaults, polls, jobs, background. */
Test(events, those_of_one_moment_go_by_kind)
{
    const struct {
        const char *name;
        uint32_t class_of_ties;
    } documented[] = {{"plan", 0},
                      {"region", 0},
                      {"arrival", 1},
                      {"propagation", 1},
                      {"membership", 1},
                      {"healing", 1},
                      {"key_settle", 2},
                      {"key_purge", 2},
                      {"key_vault_purge", 2},
                      {"key_rotation", 2},
                      {"key_near_expiry", 2},
                      {"rotation_poll", 3},
                      {"schedule", 4},
                      {"task", 4},
                      {"maintenance", 5}};
    const CmkModel *model = cmk_azure_model();
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
