/*
 * What others have to know of Managed HSMs (section 4).
 */
#ifndef CMK_MODELS_MANAGED_HSM_H
#define CMK_MODELS_MANAGED_HSM_H

#include "models/gauge.h"
#include "sim/engine.h"

/* Numbers of managed_hsm.create; the retention has the slot that it has for key vaults. */
enum {
    CMK_MANAGED_HSM_PURGE_PROTECTION, /* CMK_SAYS_*, off unless said otherwise */
    CMK_MANAGED_HSM_RETENTION_DAYS = 2
};

/* Numbers of managed_hsm.activate. */
enum {
    CMK_ACTIVATE_KEYS,  /* wrapping keys of the security domain; 0: 3 */
    CMK_ACTIVATE_QUORUM /* so many of them open it; 0: 2 */
};

/* Whether it answers requests about keys, as far as regions go: from its own or from the second
 * one, each of which works while the other is down; nothing ever fails over to the pair of either
 * (HSM-15, HSM-16). */
bool cmk_managed_hsm_answers(const CmkWorld *world, CmkManagedHsmId id);

/* Whether the second region is there to answer: it takes a while to be made (HSM-17). */
bool cmk_managed_hsm_has_second(const CmkWorld *world, CmkManagedHsmId id);

/* Whether enough of those who keep the keys of the security domain still have them (HSM-4). */
bool cmk_security_domain_opens(const CmkWorld *world, CmkSecurityDomainId id);

/* Its keys are counted, deleted ones included (HSM-20); nothing is done for keys in key vaults. For
 * effects that write Managed HSMs. */
void cmk_managed_hsm_count_key(CmkSim *sim, const CmkKey *key, bool is_new);
void cmk_managed_hsm_uncount_key(CmkSim *sim, const CmkKey *key);

/* Regions x microseconds paid for, from the scenario's start to now. */
CmkIntegral cmk_managed_hsm_billed(const CmkWorld *world, CmkManagedHsmId id);

/* The backup that managed_hsm.restore brings; {0} if there is none. O(backups of the HSM). */
CmkHsmBackupId cmk_hsm_backup_named(const CmkWorld *world, const CmkArgs *args);

/* A new security domain. For effects that write Managed HSMs and security domains. */
void cmk_managed_hsm_activate(CmkSim *sim, CmkManagedHsmId id, CmkSecurityDomainId domain);

#endif
