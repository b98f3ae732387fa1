/* Internal errors of the Backup service, which its work meets between the requests to the key vault
 * (ERR-12, OQ-13): fault injection switches them on and off. */
#include "models/model.h"
#include "models/mutate.h"
#include "models/region.h"
#include "models/rows.h"

/* Row 1 of the settings says whether it fails everywhere; vault, region and everywhere are told
 * apart, so what is said of one of them leaves the others as they are. */
static const CmkSettings *everywhere(const CmkWorld *world)
{
    return cmk_settings(world, (CmkNameId){1});
}

static bool backup_service_works(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    const CmkRegion *region = cmk_region(world, cmk_region_of_job(world, args));
    *ret_blame = vault->is_service_failing != 0    ? vault->service_by
                 : region->is_service_failing != 0 ? region->service_by
                                                   : everywhere(world)->service_by;
    return vault->is_service_failing == 0 && region->is_service_failing == 0 &&
           everywhere(world)->is_service_failing == 0;
}

static bool recover_service(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkRegionId region = cmk_region_of_job(world, refused);
    if (cmk_backup_vault_of(world, refused)->is_service_failing != 0) {
        ret->ref[CMK_REF_BACKUP_VAULT] = refused->ref[CMK_REF_BACKUP_VAULT];
        return true;
    }
    if (cmk_region(world, region)->is_service_failing != 0) {
        ret->ref[CMK_REF_REGION] = region.i;
        return true;
    }
    return everywhere(world)->is_service_failing != 0;
}

const CmkGuard cmk_guard_backup_service_works = {
    .name = "backup-service-works",
    .holds = backup_service_works,
    .status = CMK_STATUS_OF(SERVICE_FAILS),
    .rule = "ERR-12 BV-27 BV-41 OQ-13",
    .text = "The Backup service meets no internal error in its work for the Backup vault.",
    .repairs = {
        {CMK_OP_SERVICE_RECOVER, recover_service, "wait until the Backup service works again"}}};

/* Of the vault that is named; else of the region that is named; else everywhere. */
static uint32_t set_failing(CmkSim *sim, const CmkArgs *args, uint32_t is_failing)
{
    const CmkBackupVaultId vault = {args->ref[CMK_REF_BACKUP_VAULT]};
    const CmkRegionId region = {args->ref[CMK_REF_REGION]};
    if (vault.i != 0) {
        cmk_backup_vault_mut(sim, vault)->is_service_failing = is_failing;
        cmk_backup_vault_mut(sim, vault)->service_by = cmk_this_seq(sim);
        return vault.i;
    }
    if (region.i != 0) {
        cmk_region_mut(sim, region)->is_service_failing = is_failing;
        cmk_region_mut(sim, region)->service_by = cmk_this_seq(sim);
        return region.i;
    }
    CmkSettings *settings = cmk_settings_mut(sim, (CmkNameId){1});
    settings->is_service_failing = is_failing;
    settings->service_by = cmk_this_seq(sim);
    return 0;
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
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(REGION) | CMK_BIT(SETTINGS),
    .effect = service_fail,
    .rules = "ERR-12 OQ-13",
};

static uint32_t service_recover(CmkSim *sim, const CmkArgs *args)
{
    return set_failing(sim, args, 0);
}

const CmkOperation cmk_op_service_recover = {
    .name = "service.recover",
    .text =
        "The Backup service works again where it was said to fail: for one Backup vault, in one "
        "region, or everywhere.",
    .params = PARAMS,
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(REGION) | CMK_BIT(SETTINGS),
    .effect = service_recover,
    .rules = "ERR-12 OQ-13",
};
