/*
 * Backup policies of vaults. The list of the scenario describes policies by name; one of it is in a
 * vault from the moment something there first uses it, or somebody creates it there, until somebody
 * deletes it (BV-10); from then on only creating it there again brings it back.
 */
#ifndef CMK_MODELS_BACKUP_POLICY_H
#define CMK_MODELS_BACKUP_POLICY_H

#include "models/entities.h"

/* The policies that are in the vault, one after the other: the first for {0}, {0} after the last.
 */
CmkVaultPolicyId cmk_vault_policy_after(const CmkWorld *world, CmkBackupVaultId vault,
                                        CmkVaultPolicyId id);

/* Whether the policy is in the vault. O(policies of the vault). */
bool cmk_vault_has_policy(const CmkWorld *world, CmkBackupVaultId vault, CmkPolicyId policy);

/* The policy is in the vault from now on, unless it is there already. For effects. */
void cmk_vault_policy_put(CmkSim *sim, CmkBackupVaultId vault, CmkPolicyId policy);

#endif
