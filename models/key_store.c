#include "models/key_store.h"

#include "models/managed_hsm.h"
#include "models/region.h"

static CmkKeyStore key_vault_store(const CmkWorld *world, CmkKeyVaultId id)
{
    const CmkKeyVault *vault = cmk_key_vault(world, id);
    return (CmkKeyStore){.key_vault = id,
                         .name = vault->name,
                         .region = {vault->region},
                         .resource_group = {vault->resource_group},
                         .rule_set = {vault->rule_set},
                         .first_key = vault->first_key,
                         .retention_days = vault->retention_days,
                         .has_soft_delete = vault->has_soft_delete != 0,
                         .has_purge_protection = vault->has_purge_protection != 0,
                         .is_there = vault->state == CMK_KEY_VAULT_ACTIVE,
                         .changed_by = vault->changed_by};
}

static CmkKeyStore managed_hsm_store(const CmkWorld *world, CmkManagedHsmId id)
{
    const CmkManagedHsm *hsm = cmk_managed_hsm(world, id);
    return (CmkKeyStore){.managed_hsm = id,
                         .name = hsm->name,
                         .region = {hsm->region},
                         .second_region = {hsm->second_region},
                         .resource_group = {hsm->resource_group},
                         .rule_set = {hsm->rule_set},
                         .first_key = hsm->first_key,
                         .retention_days = hsm->retention_days,
                         .has_soft_delete = true, /* HSM-10, OQ-23 */
                         .has_purge_protection = hsm->has_purge_protection != 0,
                         .is_there = hsm->state == CMK_MANAGED_HSM_ACTIVE,
                         .changed_by = hsm->changed_by};
}

CmkKeyStore cmk_key_store_of(const CmkWorld *world, CmkKeyId key)
{
    const CmkKey *row = cmk_key(world, key);
    return row->managed_hsm != 0 ? managed_hsm_store(world, (CmkManagedHsmId){row->managed_hsm})
                                 : key_vault_store(world, (CmkKeyVaultId){row->key_vault});
}

CmkKeyStore cmk_key_store_named(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_is_about_hsm(args)
               ? managed_hsm_store(world, (CmkManagedHsmId){args->ref[CMK_REF_MANAGED_HSM]})
               : key_vault_store(world, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
}

void cmk_key_store_refer(const CmkWorld *world, CmkKeyId key, CmkArgs *args)
{
    args->ref[CMK_REF_KEY] = key.i;
    args->ref[CMK_REF_KEY_VAULT] = cmk_key(world, key)->key_vault;
    args->ref[CMK_REF_MANAGED_HSM] = cmk_key(world, key)->managed_hsm;
}

void cmk_key_store_copy(const CmkArgs *args, CmkArgs *ret)
{
    ret->ref[CMK_REF_KEY_VAULT] = args->ref[CMK_REF_KEY_VAULT];
    ret->ref[CMK_REF_MANAGED_HSM] = args->ref[CMK_REF_MANAGED_HSM];
}

bool cmk_key_store_answers(const CmkWorld *world, const CmkKeyStore *store)
{
    return store->managed_hsm.i != 0 ? cmk_managed_hsm_answers(world, store->managed_hsm)
                                     : cmk_region_answers(world, store->region);
}

bool cmk_is_request(const CmkWorld *world, const CmkArgs *args)
{
    const bool is_by_store =
        args->actor == CMK_ACTOR_PLATFORM && args->ref[CMK_REF_BACKUP_VAULT] == 0;
    return cmk_is_open(world) && !is_by_store;
}
