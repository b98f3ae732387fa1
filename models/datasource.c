/* Datasources of section 10.1: what each can have, and which policies it can be backed up by. */
#include "models/model.h"
#include "models/rows.h"

#include <string.h>

#define ONE_WEEK                                                                                   \
    {                                                                                              \
        .us = 7 * CMK_DAY_US                                                                       \
    }
#define THREE_MONTHS                                                                               \
    {                                                                                              \
        .months = 3                                                                                \
    }
#define BY_DAY_OR_WEEK (CMK_SCHEDULE_DAILY | CMK_SCHEDULE_WEEKLY)
#define BY_HOUR_OR_DAY (CMK_SCHEDULE_HOURLY | CMK_SCHEDULE_DAILY)

/* Element 0 stands for none. BK-D8 gives no retention: it is that of the other snapshots. */
static const CmkDatasourceFacts datasources[] = {
    {.name = NULL},
    {.name = "AzureDisk",
     .resource_type = "Microsoft.Compute/disks",
     .rule = "BK-D1",
     .has_operational = true,
     .schedules = BY_HOUR_OR_DAY,
     .usual_retention = ONE_WEEK},
    {.name = "AzureBlob",
     .resource_type = "Microsoft.Storage/storageAccounts/blobServices",
     .rule = "BK-D2",
     .has_operational = true,
     .has_vault = true,
     .is_continuous = true,
     .schedules = BY_DAY_OR_WEEK,
     .usual_retention = ONE_WEEK},
    {.name = "AzureDataLakeStorage",
     .resource_type = "Microsoft.Storage/storageAccounts/adlsBlobServices",
     .rule = "BK-D3",
     .has_vault = true,
     .schedules = BY_DAY_OR_WEEK,
     .usual_retention = ONE_WEEK},
    {.name = "AzureDatabaseForPostgreSQL",
     .resource_type = "Microsoft.DBforPostgreSQL/servers/databases",
     .rule = "BK-D4",
     .reads_secret = true,
     .has_vault = true,
     .has_archive = true,
     .is_full_each_time = true,
     .schedules = CMK_SCHEDULE_WEEKLY,
     .usual_retention = THREE_MONTHS},
    {.name = "AzureDatabaseForPostgreSQLFlexibleServer",
     .resource_type = "Microsoft.DBforPostgreSQL/flexibleServers",
     .rule = "BK-D5",
     .reads_secret = true,
     .has_vault = true,
     .has_archive = true,
     .is_full_each_time = true,
     .schedules = CMK_SCHEDULE_WEEKLY,
     .usual_retention = THREE_MONTHS},
    {.name = "AzureDatabaseForMySQL",
     .resource_type = "Microsoft.DBforMySQL/flexibleServers",
     .rule = "BK-D6",
     .has_vault = true,
     .has_archive = true,
     .is_full_each_time = true,
     .schedules = CMK_SCHEDULE_WEEKLY,
     .usual_retention = THREE_MONTHS},
    {.name = "AzureKubernetesService",
     .resource_type = "Microsoft.ContainerService/managedClusters",
     .rule = "BK-D7",
     .has_operational = true,
     .has_vault = true,
     .schedules = BY_HOUR_OR_DAY,
     .usual_retention = ONE_WEEK},
    {.name = "AzureElasticSAN",
     .resource_type = "Microsoft.ElasticSan/elasticSans/volumeGroups",
     .rule = "BK-D8",
     .has_operational = true,
     .schedules = CMK_SCHEDULE_DAILY,
     .usual_retention = ONE_WEEK},
};

const CmkDatasourceFacts *cmk_datasource_facts(uint32_t *ret_count)
{
    *ret_count = (uint32_t)CMK_ARRAY_LEN(datasources);
    return datasources;
}

uint32_t cmk_datasource_find(const char *name)
{
    for (uint32_t i = 1; i < CMK_ARRAY_LEN(datasources); i++) {
        if (strcmp(datasources[i].name, name) == 0) {
            return i;
        }
    }
    return 0;
}

/* ---- what goes with what --------------------------------------------------------------------- */

/* The kind of a schedule: bit of CMK_SCHEDULE_*, 0 if it is none of them. BK-D1 and BK-D7 name
 * PT4H; longer steps that divide a day are taken too (assumed). */
static uint32_t kind_of(CmkPeriod period)
{
    const int64_t hours = period.us / CMK_HOUR_US;
    if (period.months != 0 || period.us % CMK_HOUR_US != 0 || hours < 4) {
        return 0;
    }
    return hours == INT64_C(7) * 24 ? CMK_SCHEDULE_WEEKLY
           : hours == 24            ? CMK_SCHEDULE_DAILY
           : 24 % hours == 0        ? CMK_SCHEDULE_HOURLY
                                    : 0;
}

CmkMisfit cmk_datasource_misfit(const CmkDatasourceFacts *facts, const CmkPolicy *policy)
{
    if (policy->has_operational && !facts->has_operational) {
        return CMK_MISFIT_OPERATIONAL;
    }
    if (policy->has_vault && !facts->has_vault) {
        return CMK_MISFIT_VAULT;
    }
    if (policy->has_archive && !facts->has_archive) {
        return CMK_MISFIT_ARCHIVE;
    }
    if (facts->is_continuous && !policy->has_vault) { /* nothing starts by a schedule (BK-D2) */
        return policy->schedule_count == 0 ? CMK_MISFIT_NONE : CMK_MISFIT_SCHEDULED;
    }
    if (policy->schedule_count == 0) {
        return CMK_MISFIT_UNSCHEDULED;
    }
    for (uint32_t i = 0; i < policy->schedule_count; i++) {
        if ((kind_of(policy->schedules[i].period) & facts->schedules) == 0) {
            return CMK_MISFIT_SCHEDULE;
        }
    }
    return CMK_MISFIT_NONE;
}

static bool datasource_fits_policy(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkInstanceId id = {args->ref[CMK_REF_INSTANCE]};
    const int64_t datasource =
        args->num[0] != 0 ? args->num[0] : cmk_instance(world, id)->datasource;
    const CmkPolicy *policy = cmk_policy(world, (CmkPolicyId){args->ref[CMK_REF_POLICY]});
    (void)ret_blame;
    return cmk_datasource_misfit(&datasources[datasource], policy) == CMK_MISFIT_NONE;
}

const CmkGuard cmk_guard_datasource_fits_policy = {
    .name = "datasource-fits-policy",
    .holds = datasource_fits_policy,
    .status = CMK_STATUS_OF(POLICY_DOES_NOT_FIT),
    .rule = "BK-1",
    .text = "The datasource has each store that the policy keeps points in, and is backed up as "
            "often as the policy says."};
