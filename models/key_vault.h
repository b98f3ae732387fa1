/*
 * What key vaults count and limit.
 */
#ifndef CMK_MODELS_KEY_VAULT_H
#define CMK_MODELS_KEY_VAULT_H

#include "models/entities.h"

/* Bits of key_vault.create's parameter `protection`. */
enum {
    CMK_KEY_VAULT_SOFT_DELETE = 1,
    CMK_KEY_VAULT_PURGE_PROTECTION = 2
};

/* What one request on the key takes of the window, in units of CMK_WINDOW_WEIGHT (THR-2). */
int64_t cmk_key_vault_request_weight(const CmkWorld *world, CmkKeyId key);

/* The account function of key requests: window and bill (THR-5, COST-23). */
void cmk_key_vault_count_request(CmkSim *sim, const CmkArgs *args, CmkGuardId guard);

#endif
