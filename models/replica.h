/*
 * What the pair of a region knows of the key vaults there: all but the last writes (REL-1, REL-13).
 *
 * Each row that is replicated keeps beside its fields what they were before it was written to. When
 * a failover completes, what the pair lacks is exchanged with what it has instead, and exchanged
 * back when the failback does: in between nobody can write (REL-7), so no guard need know of it,
 * and nothing is slower while no region is lost. Writes to one row that follow one another within
 * the lag reach the pair together, so that all of them are missing if the last is; a purge, and the
 * creation, deletion and recovery of a whole key vault, which Azure's management carries out, reach
 * it at once, as private endpoints do, which are resources of their own (all assumed).
 *
 * For effects in models/ only.
 */
#ifndef CMK_MODELS_REPLICA_H
#define CMK_MODELS_REPLICA_H

#include "models/entities.h"
#include "sim/engine.h"

/* Called before a row is written to; for a new version when it is filled in. */
void cmk_replica_keep_key_vault(const CmkSim *sim, CmkKeyVault *vault);
void cmk_replica_keep_key(const CmkSim *sim, CmkKey *key);
void cmk_replica_keep_version(const CmkSim *sim, CmkVersion *version);
void cmk_replica_keep_policy(const CmkSim *sim, CmkAccessPolicy *policy);
void cmk_replica_keep_rule_set(const CmkSim *sim, CmkRuleSet *set);
void cmk_replica_keep_network_rule(const CmkSim *sim, CmkNetworkRule *rule);

/* Lets the key vaults of a region look as its pair knows them, or as they are again. O(key
 * vaults and their keys, versions and access policies), once for each failover. */
void cmk_replica_show_pair(CmkSim *sim, CmkRegionId region);
void cmk_replica_show_own(CmkSim *sim, CmkRegionId region);

/* The same for Managed HSMs of a region that extend to a second one, which answers at once when the
 * first is lost, and takes writes (HSM-16, HSM-17). What was written meanwhile stays when the first
 * comes back, and what it alone had is there again, unless the same thing was written to. O(keys of
 * such HSMs and their versions). */
void cmk_replica_show_second(CmkSim *sim, CmkRegionId region);
void cmk_replica_show_first(CmkSim *sim, CmkRegionId region);

#endif
