/*
 * What key vaults count and limit.
 */
#ifndef CMK_MODELS_KEY_VAULT_H
#define CMK_MODELS_KEY_VAULT_H

#include "models/entities.h"

/* Numbers of key_vault.create; what is left out is as usual (SD-1, SD-2). */
enum {
    CMK_KEY_VAULT_PERMISSION_MODEL, /* CmkPermissionModel */
    CMK_KEY_VAULT_SOFT_DELETE,      /* CMK_SAYS_*, on unless said otherwise */
    CMK_KEY_VAULT_RETENTION_DAYS,
    CMK_KEY_VAULT_TIER,            /* CmkSku */
    CMK_KEY_VAULT_PURGE_PROTECTION /* CMK_SAYS_*, off unless said otherwise */
};

/* KVE-19 as far as it does not depend on the key, for people who use or manage keys, where the
 * guards of key vaults hold for requests to Managed HSMs and the other way round; given the two
 * that ask whether there is such a store. What to change something takes besides (REL-7): no part
 * of an HSM is ever read-only. */
#define CMK_GUARDS_TO_REACH(key_vault_is_there, managed_hsm_is_there)                              \
    key_vault_is_there, CMK_GUARD_KEY_VAULT_IS_REACHABLE, managed_hsm_is_there,                    \
        CMK_GUARD_MANAGED_HSM_IS_REACHABLE, CMK_GUARD_CONNECTION_LETS_ACTOR_IN,                    \
        CMK_GUARD_FIREWALL_LETS_ACTOR_IN
#define CMK_GUARDS_TO_BE_LET                                                                       \
    CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED, CMK_GUARD_ROLE_LETS_ACTOR, CMK_GUARD_POLICY_LETS_ACTOR
#define CMK_GUARDS_TO_BE_LET_BY_HSM                                                                \
    CMK_GUARD_MANAGED_HSM_IS_ACTIVATED, CMK_GUARD_MANAGED_HSM_HAS_CAPACITY,                        \
        CMK_GUARD_LOCAL_ROLE_LETS_ACTOR
#define CMK_GUARDS_TO_CHANGE(key_vault_is_there, managed_hsm_is_there)                             \
    CMK_GUARDS_TO_REACH(key_vault_is_there, managed_hsm_is_there), CMK_GUARDS_TO_BE_LET,           \
        CMK_GUARD_KEY_VAULT_IS_WRITABLE, CMK_GUARDS_TO_BE_LET_BY_HSM
#define CMK_GUARDS_TO_ASK_FOR_KEYS                                                                 \
    CMK_GUARDS_TO_REACH(CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_MANAGED_HSM_EXISTS),                 \
        CMK_GUARDS_TO_BE_LET, CMK_GUARDS_TO_BE_LET_BY_HSM
#define CMK_GUARDS_TO_MANAGE_KEYS                                                                  \
    CMK_GUARDS_TO_CHANGE(CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_MANAGED_HSM_EXISTS)

/* The key is there, and not on its way to or from the deleted state. */
#define CMK_GUARDS_KEY_IS_THERE                                                                    \
    CMK_GUARD_KEY_IS_NOT_BEING_DELETED, CMK_GUARD_KEY_IS_NOT_BEING_RECOVERED, CMK_GUARD_KEY_EXISTS

/* What a request takes of the window of its key vault, in units of CMK_WINDOW_WEIGHT (THR-2). */
int64_t cmk_key_vault_request_weight(const CmkWorld *world, const CmkArgs *args);

/* What became of a request, from the key vault's point of view. */
typedef enum CmkRequestFate {
    CMK_REQUEST_NOT_SENT,    /* or none at all: what the key vault does by itself, or the set-up */
    CMK_REQUEST_TURNED_AWAY, /* by the network, an outage or for want of a token */
    CMK_REQUEST_THROTTLED,
    CMK_REQUEST_REFUSED, /* as it has a place in the window, so has what is answered */
    CMK_REQUEST_ANSWERED
} CmkRequestFate;

/* Of an operation that was asked for, and refused by `guard` or by none. */
CmkRequestFate cmk_key_vault_request_fate(const CmkWorld *world, const CmkArgs *args,
                                          CmkGuardId guard);

/* The account function of all requests to the data plane, whoever asks: window and bill (THR-5,
 * COST-23), or the queue of a Managed HSM. */
void cmk_key_vault_count_request(CmkSim *sim, const CmkArgs *args, CmkGuardId guard);

#endif
