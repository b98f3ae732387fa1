/* What a datasource can be backed up by, and how long it is kept (section 10.1). */
#include <criterion/criterion.h>

#include "models/points.h"
#include "tests/unit/models/estate.h"

/* Section 10.1, row by row. */
Test(datasource, schedules_and_retention_are_those_of_the_rules)
{
    const int64_t hours[] = {1, 3, 4, 5, 6, 8, 12, 24, 48, 7 * 24, 14 * 24};
    const struct {
        const char *name;
        const char *fits; /* by hours */
        CmkPeriod retention;
    } cases[] = {{"AzureDisk", "00101111000", {.us = 7 * CMK_DAY_US}},
                 {"AzureBlob", "00000001010", {.us = 7 * CMK_DAY_US}},
                 {"AzureDataLakeStorage", "00000001010", {.us = 7 * CMK_DAY_US}},
                 {"AzureDatabaseForPostgreSQL", "00000000010", {.months = 3}},
                 {"AzureDatabaseForPostgreSQLFlexibleServer", "00000000010", {.months = 3}},
                 {"AzureDatabaseForMySQL", "00000000010", {.months = 3}},
                 {"AzureKubernetesService", "00101111000", {.us = 7 * CMK_DAY_US}},
                 {"AzureElasticSAN", "00000001000", {.us = 7 * CMK_DAY_US}}};
    uint32_t count = 0;
    const CmkDatasourceFacts *all = cmk_datasource_facts(&count);
    cr_assert_eq(count, CMK_ARRAY_LEN(cases) + 1);
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        const CmkDatasourceFacts *facts = &all[cmk_datasource_find(cases[i].name)];
        cr_expect_eq(facts->usual_retention.months, cases[i].retention.months);
        cr_expect_eq(facts->usual_retention.us, cases[i].retention.us);
        for (size_t j = 0; j < CMK_ARRAY_LEN(hours); j++) {
            CmkPolicy policy = {.has_vault = facts->has_vault,
                                .has_operational = facts->has_operational && !facts->has_vault,
                                .schedule_count = 1};
            policy.schedules[0].period.us = hours[j] * CMK_HOUR_US;
            cr_expect_eq(cmk_datasource_misfit(facts, &policy) == CMK_MISFIT_NONE,
                         cases[i].fits[j] == '1', "%s, %d h", cases[i].name, (int)hours[j]);
            policy.schedule_count = 2; /* each one counts */
            policy.schedules[1].period.us = CMK_HOUR_US;
            cr_expect_eq(cmk_datasource_misfit(facts, &policy), CMK_MISFIT_SCHEDULE);
        }
    }
}

/* Where a policy says nothing, a point is kept as its datasource is by default. */
Test(datasource, retention_is_the_usual_one_unless_said)
{
    const struct {
        const char *datasource;
        const char *until;
    } cases[] = {{"AzureDataLakeStorage", "2025-03-10T02:00:00Z"},
                 {"AzureDatabaseForMySQL", "2025-06-03T02:00:00Z"}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = estate_new(&(EstateOptions){.datasource = cases[i].datasource});
        CmkPolicy *policy = cmk_world_row_mut(estate->sim.world, CMK_TABLE_POLICY, ESTATE_POLICY);
        policy->retention[CMK_TAG_DEFAULT].vault.us = 0;
        estate_run(estate, CMK_DAY_US);
        CmkTime until = 0;
        cr_assert(cmk_time_parse(cases[i].until, &until));
        cr_expect_eq(cmk_point_expires(estate->sim.world, (CmkPointId){1}), until, "%s",
                     cases[i].datasource);
        estate_free(estate);
    }
}
