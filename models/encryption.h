/*
 * What the encryption settings of Backup vaults are asked from several places: whether a version
 * serves, what they turn into. Only models/ includes it.
 */
#ifndef CMK_MODELS_ENCRYPTION_H
#define CMK_MODELS_ENCRYPTION_H

#include "models/entities.h"

/* Whether Backup may start to use the version: enabled, inside its validity, not purged (BV-36). */
bool cmk_version_is_usable(const CmkWorld *world, const CmkVersion *version);

/* The version that settings which name none use from the next look at the key on: a newer one, or
 * the one in use (ROT-13, ROT-16). O(versions of the key). */
CmkVersionId cmk_rotation_target(const CmkWorld *world, const CmkBackupVault *vault);

/* Whether the vault's key is purged and new settings may name another key all the same, leaving
 * the old points lost (knob lost_key_can_be_replaced, OQ-29, OQ-30). */
bool cmk_encryption_replaces_lost_key(const CmkWorld *world, CmkBackupVaultId id);

/* Whether the vault can be deleted only with its key (BK-35, OQ-21). */
bool cmk_deletion_needs_key(const CmkWorld *world, CmkBackupVaultId id);

#endif
