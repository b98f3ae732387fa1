/*
 * Who may reach the data plane of a store of keys: public access, firewall, bypass, perimeter and
 * private endpoints (section 7). The settings are a row of their own (CmkRuleSet), which a key
 * vault has, and a Managed HSM (HSM-22); nothing here depends on what else these are.
 *
 * Must not know: rights, throttling, what is asked for.
 */
#ifndef CMK_MODELS_NETWORK_H
#define CMK_MODELS_NETWORK_H

#include "models/entities.h"
#include "sim/engine.h"

/* Numbers of key_vault.set_network and managed_hsm.set_network: 1 more than what is meant, 0 where
 * it stays as it is. */
enum {
    CMK_SET_PUBLIC_ACCESS,
    CMK_SET_DEFAULT_ACTION,
    CMK_SET_BYPASS
};

/* At most so many rules of a firewall (NET-4) and private endpoints of a key vault (NET-13). */
#define CMK_SUBNET_RULES_MAX 200
#define CMK_ADDRESS_RULES_MAX 1000
#define CMK_PRIVATE_ENDPOINTS_MAX 64
/* Of a Managed HSM (HSM-22); subnets come by private endpoints only (assumed). */
#define CMK_HSM_ADDRESS_RULES_MAX 10

/* ---- addresses ------------------------------------------------------------------------------- */

/* Whether all of `inner` lies in `outer`: ranges by their prefixes, subnets if they are the same.
 * `inner` {0}, the open internet, lies in nothing but the range of all addresses. */
bool cmk_network_contains(const CmkWorld *world, CmkNetworkId outer, CmkNetworkId inner);

/* Whether no part of a range is private (RFC 1918), as a rule wants it (NET-4). */
bool cmk_network_is_public(const CmkNetwork *range);

/* ---- who is let in --------------------------------------------------------------------------- */

/* The settings of the key vault or Managed HSM that the arguments refer to. */
CmkRuleSetId cmk_network_set_of(const CmkWorld *world, const CmkArgs *args);

/* Whether a store of keys is limited to certain networks, so that no user-assigned identity can
 * open it for Backup (NET-9, OQ-18). */
bool cmk_network_is_limited(const CmkWorld *world, CmkRuleSetId id);

/* Whether Backup gets through to the key vault or HSM of a request, with the identity that it
 * names. Otherwise `ret_blame` is the record that closed the way, or 0. O(rules and endpoints). */
bool cmk_network_lets_backup(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame);

/* The connection of the subnet that the arguments name, to their store of keys or, where the
 * operation is about that, their Backup vault; {0} if there never was one. */
CmkPrivateEndpointId cmk_network_endpoint(const CmkWorld *world, const CmkArgs *args);

/* ---- for effects ----------------------------------------------------------------------------- */

/* Opens a store of keys to everybody, without rules and connections: a new one (NET-1). */
void cmk_network_open(CmkSim *sim, CmkRuleSetId id);

/* A Backup vault that is no more has no private endpoints. */
void cmk_network_disconnect_backup_vault(CmkSim *sim, CmkBackupVaultId id);

/* The numbers that set_network takes to bring back what a call of it overwrites. */
void cmk_network_settings_now(const CmkWorld *world, const CmkArgs *set, int64_t ret[3]);

/* What rules and private endpoints have in common: the store that they are about, and who may set
 * them. Of an HSM that is asked in its first region, as whatever is managed there. */
#define CMK_KEY_VAULT_PARAM                                                                        \
    {                                                                                              \
        "key_vault", CMK_PARAM_KEY_VAULT, 0, 1, CMK_REF_KEY_VAULT                                  \
    }
#define CMK_MANAGED_HSM_PARAM                                                                      \
    {                                                                                              \
        "managed_hsm", CMK_PARAM_MANAGED_HSM, 0, 1, CMK_REF_MANAGED_HSM                            \
    }
#define CMK_GUARDS_TO_SET_NETWORK                                                                  \
    CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_KEY_VAULT_IS_REACHABLE,      \
        CMK_GUARD_KEY_VAULT_IS_WRITABLE
#define CMK_GUARDS_TO_SET_NETWORK_OF_HSM                                                           \
    CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_MANAGED_HSM_EXISTS, CMK_GUARD_MANAGED_HSM_REGION_IS_UP

#endif
