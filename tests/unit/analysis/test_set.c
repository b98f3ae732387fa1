#include "analysis/set.h"

#include <string.h>

#include <criterion/criterion.h>

#include "tests/unit/analysis/sample_scenario.h"

static uint32_t filter_called(CmkSetKind kind, const char *name)
{
    const CmkSetRow *row = &cmk_set_rows()[kind];
    for (uint32_t i = 0; i < row->filter_count; i++) {
        if (strcmp(row->filters[i].name, name) == 0)
            return i;
    }
    cr_assert_fail("%s have no filter %s", row->name, name);
    return 0;
}

/* However many statuses there are: a set of one has it and no other. */
Test(set, each_status_is_told_from_all_others)
{
    for (uint32_t i = 0; i < CMK_STATUS__COUNT; i++) {
        CmkStatusSet set = {0};
        cr_assert(cmk_status_set_is_empty(&set));
        cmk_status_set_add(&set, (CmkStatus)i);
        cr_assert(!cmk_status_set_is_empty(&set), "status %u", i);
        for (uint32_t j = 0; j < CMK_STATUS__COUNT; j++)
            cr_assert_eq(cmk_status_set_has(&set, (CmkStatus)j), i == j, "%u in {%u}", j, i);
    }
}

/* One set per status, one refusal with each: every set counts its own. */
Test(set, requests_are_counted_by_each_status)
{
    CmkWorld *world = sample_scenario_world();
    CmkSets *sets = cmk_sets_new();
    CmkFilter filter = {.index = filter_called(CMK_SET_REQUESTS, "code")};
    for (uint32_t i = 0; i < CMK_STATUS__COUNT; i++) {
        memset(&filter.codes, 0, sizeof(filter.codes));
        cmk_status_set_add(&filter.codes, (CmkStatus)i);
        cr_assert_eq(cmk_sets_add(sets, CMK_SET_REQUESTS, &filter, 1), i, "status %u is its own",
                     i);
    }
    cmk_sets_bind(sets, cmk_azure_model(), world);
    for (uint32_t i = 0; i < CMK_STATUS__COUNT; i++) {
        const CmkRecord record = {.status = (CmkStatus)i, .args = {.op = CMK_OP_KEY_UNWRAP}};
        (void)cmk_sets_read(sets, world, &record, 0);
    }
    for (uint32_t i = 0; i < CMK_STATUS__COUNT; i++)
        cr_assert_eq(cmk_sets_value(sets, i, i, CMK_MEASURE_COUNT), 1, "status %u", i);
    cmk_sets_free(sets);
    cmk_world_free(world);
}
