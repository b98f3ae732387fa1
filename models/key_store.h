/*
 * Where a key lives: in a key vault or in a Managed HSM, as far as the two are alike (HSM-2).
 *
 * Arguments refer to one of them: with CMK_REF_MANAGED_HSM the slot of the key vault is empty. The
 * guards of key vaults hold for requests to HSMs, and those of HSMs for requests to key vaults, so
 * that operations on keys have one list for both.
 */
#ifndef CMK_MODELS_KEY_STORE_H
#define CMK_MODELS_KEY_STORE_H

#include "models/entities.h"

typedef struct CmkKeyStore {
    CmkKeyVaultId key_vault;     /* {0}: it is a Managed HSM */
    CmkManagedHsmId managed_hsm; /* {0}: it is a key vault */
    uint32_t name;
    CmkRegionId region;
    CmkRegionId second_region; /* of an HSM, {0}: none */
    CmkScopeId resource_group;
    CmkRuleSetId rule_set; /* who may reach it: see models/network.h */
    uint32_t first_key;
    uint32_t retention_days;
    bool has_soft_delete;
    bool has_purge_protection;
    bool is_there; /* neither absent nor deleted, and of an HSM activated */
    uint64_t changed_by;
} CmkKeyStore;

/* Of a key, and of what the arguments refer to. */
CmkKeyStore cmk_key_store_of(const CmkWorld *world, CmkKeyId key);
CmkKeyStore cmk_key_store_named(const CmkWorld *world, const CmkArgs *args);

/* Lets the arguments be about the key: its own slot, and that of where it lives. */
void cmk_key_store_refer(const CmkWorld *world, CmkKeyId key, CmkArgs *args);
/* Lets `ret` be about the same key vault or HSM as `args`. */
void cmk_key_store_copy(const CmkArgs *args, CmkArgs *ret);

/* Whether it answers as far as regions go. */
bool cmk_key_store_answers(const CmkWorld *world, const CmkKeyStore *store);

static inline bool cmk_is_about_hsm(const CmkArgs *args)
{
    return args->ref[CMK_REF_MANAGED_HSM] != 0;
}

/* What is counted and has to wait are requests since the scenario began: the world was set up long
 * ago and without haste, and what a key vault or HSM does by itself is no request. */
bool cmk_is_request(const CmkWorld *world, const CmkArgs *args);

#endif
