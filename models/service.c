/* Internal errors of the Backup service, which its work meets between the requests to the key vault
 * (ERR-12, OQ-13): fault injection switches them on and off. */
#include "models/model.h"
#include "models/mutate.h"
#include "models/region.h"
#include "models/rows.h"

static const CmkBackupVault *vault_of(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_backup_vault(world, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]});
}

static bool backup_service_works(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkBackupVault *vault = vault_of(world, args);
    const CmkRegion *region = cmk_region(world, cmk_region_of_job(world, args));
    *ret_blame = vault->is_service_failing != 0 ? vault->service_by : region->service_by;
    return vault->is_service_failing == 0 && region->is_service_failing == 0;
}

static bool recover_service(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkBackupVault *vault = vault_of(world, refused);
    const CmkRegionId region = cmk_region_of_job(world, refused);
    if (vault->is_service_failing != 0) {
        ret->ref[CMK_REF_BACKUP_VAULT] = refused->ref[CMK_REF_BACKUP_VAULT];
    } else {
        ret->ref[CMK_REF_REGION] = region.i;
    }
    return vault->is_service_failing != 0 || cmk_region(world, region)->is_service_failing != 0;
}

const CmkGuard cmk_guard_backup_service_works = {
    .name = "backup-service-works",
    .holds = backup_service_works,
    .status = CMK_STATUS_OF(SERVICE_FAILS),
    .rule = "ERR-12 BV-27 BV-41 OQ-13",
    .text = "The Backup service meets no internal error in its work for the Backup vault.",
    .repairs = {
        {CMK_OP_SERVICE_RECOVER, recover_service, "wait until the Backup service works again"}}};

/* Of the vault that is named; else of the region that is named; else of all regions. */
static uint32_t set_failing(CmkSim *sim, const CmkArgs *args, uint32_t is_failing)
{
    const uint32_t named_vault = args->ref[CMK_REF_BACKUP_VAULT];
    const uint32_t named_region = args->ref[CMK_REF_REGION];
    if (named_vault != 0) {
        CmkBackupVault *vault = cmk_backup_vault_mut(sim, (CmkBackupVaultId){named_vault});
        vault->is_service_failing = is_failing;
        vault->service_by = cmk_this_seq(sim);
        return named_vault;
    }
    for (uint32_t i = 1; i <= cmk_world_count(sim->world, CMK_TABLE_REGION); i++) {
        if (named_region == 0 || named_region == i) {
            CmkRegion *region = cmk_region_mut(sim, (CmkRegionId){i});
            region->is_service_failing = is_failing;
            region->service_by = cmk_this_seq(sim);
        }
    }
    return named_region;
}

#define PARAMS                                                                                     \
    {                                                                                              \
        {"vault", CMK_PARAM_BACKUP_VAULT, 0, 0, CMK_REF_BACKUP_VAULT},                             \
        {                                                                                          \
            "region", CMK_PARAM_REGION, 0, 0, CMK_REF_REGION                                       \
        }                                                                                          \
    }

static uint32_t service_fail(CmkSim *sim, const CmkArgs *args)
{
    return set_failing(sim, args, 1);
}

const CmkOperation cmk_op_service_fail = {
    .name = "service.fail",
    .text = "The Backup service meets internal errors: for one Backup vault, in one region, or "
            "everywhere.",
    .params = PARAMS,
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(REGION),
    .effect = service_fail,
    .rules = "ERR-12 OQ-13",
};

static uint32_t service_recover(CmkSim *sim, const CmkArgs *args)
{
    return set_failing(sim, args, 0);
}

const CmkOperation cmk_op_service_recover = {
    .name = "service.recover",
    .text = "The Backup service works again: for one Backup vault, in one region, or everywhere.",
    .params = PARAMS,
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(REGION),
    .effect = service_recover,
    .rules = "ERR-12 OQ-13",
};
