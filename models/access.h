/*
 * Who may do what with a key: role assignments and access policies (section 3).
 */
#ifndef CMK_MODELS_ACCESS_H
#define CMK_MODELS_ACCESS_H

#include "models/entities.h"

/* Whether the principal has the permission (one CMK_PERMISSION_* bit) on the key now, under the
 * key vault's own permission model. Where it has not, `ret_blame` is the record that took it away,
 * or 0 if it never had it. O(assignments of the principal). */
bool cmk_access_is_granted(const CmkWorld *world, CmkPrincipalId principal, CmkKeyVaultId key_vault,
                           CmkKeyId key, uint32_t permission, uint64_t *ret_blame);

/* The principal that arguments name by identity, or by Backup vault for its system-assigned one;
 * {0} if there is none now. */
CmkPrincipalId cmk_access_caller(const CmkWorld *world, const CmkArgs *args);

#endif
