/*
 * What one can tell about a key from its row, and the few things that effects in more than one file
 * do to keys (sections 1 and 2).
 */
#ifndef CMK_MODELS_KEY_H
#define CMK_MODELS_KEY_H

#include "models/entities.h"
#include "sim/engine.h"

/* ---- type and size (KV-1, KV-2) -------------------------------------------------------------- */

typedef struct CmkKeyShape {
    CmkKeyType type;
    CmkCurve curve;     /* of EC keys */
    uint32_t size_bits; /* 0: no such key exists */
} CmkKeyShape;

bool cmk_key_type_is_rsa(uint32_t type);
bool cmk_key_type_is_ec(uint32_t type);
bool cmk_key_type_is_hsm(uint32_t type);

/* The key that a request is about: of key.create and key.restore the one to be made, else the one
 * that is there. */
CmkKeyShape cmk_key_shape_of(const CmkWorld *world, const CmkArgs *args);

/* What such a key can do at all, and may do unless limited: CMK_PERMISSION_* bits (KV-21, KV-22).
 */
uint32_t cmk_key_ops_of_type(uint32_t type);

/* ---- versions -------------------------------------------------------------------------------- */

/* The version that the arguments name, which may not exist, or else the current one of the key.
 * Requests of jobs always name one. */
CmkVersionId cmk_key_version_of(const CmkWorld *world, const CmkArgs *args);

/* The version with this number among those that the key has now; {0} if there is none.
 * O(versions of the key). */
CmkVersionId cmk_key_version_numbered(const CmkWorld *world, CmkKeyId key, int64_t number);

/* Whether its validity has begun, and has not ended, as a key vault sees it that forgives a clock a
 * little (KV-13, KV-15). */
bool cmk_version_has_begun(const CmkWorld *world, const CmkVersion *version);
bool cmk_version_has_not_ended(const CmkWorld *world, const CmkVersion *version);

/* Adds a version, which becomes the current one and may do what its type can do (KV-10, KV-12). For
 * effects that write keys and versions. */
CmkVersion *cmk_key_add_version(CmkSim *sim, CmkKeyId id);

/* Destroys the key with all its versions (SD-6). For effects that write keys and versions. */
void cmk_key_destroy(CmkSim *sim, CmkKeyId id);

/* Sets the timers of the rotation policy again, which rests while the key vault is deleted. For
 * effects that write keys and timers. */
void cmk_key_resume(CmkSim *sim, CmkKeyId id, const CmkArgs *args);

/* ---- backups of keys (KV-24) ----------------------------------------------------------------- */

/* The backup that key.restore brings; {0} if there is none. O(backups of the key). */
CmkKeyBackupId cmk_key_backup_named(const CmkWorld *world, const CmkArgs *args);

/* A backup of the key, kept for a backup of its HSM or linked by the caller. For effects that write
 * versions, backups of keys and what is in them. */
CmkKeyBackupId cmk_key_keep(CmkSim *sim, CmkKeyId id);

/* The key becomes what is in the backup. For effects that write Managed HSMs, keys, versions and
 * timers. */
void cmk_key_bring_back(CmkSim *sim, CmkKeyId id, CmkKeyBackupId from, const CmkArgs *args);

/* The version under `key` that has the same private key as this one: a copy of it, the one that it
 * is a copy of, or another copy of that; {0} if there never was one. O(copies). */
CmkVersionId cmk_version_twin(const CmkWorld *world, CmkVersionId id, CmkKeyId key);

/* The version whose private key and identifier this one has, mostly itself. */
CmkVersionId cmk_version_original(const CmkWorld *world, CmkVersionId id);

/* Whether its private key is gone for good: purged wherever it was, and in no backup that anybody
 * can open (OQ-29, HSM-4). O(copies). */
bool cmk_version_is_lost(const CmkWorld *world, CmkVersionId id);

/* ---- rotation policies (ROT-9) --------------------------------------------------------------- */

/* The policy that the arguments of key.set_rotation_policy ask for. */
CmkRotationPolicy cmk_rotation_policy_asked(const CmkArgs *args);

/* Adds a version as the rotation policy wants it (ROT-10). */
CmkVersion *cmk_key_rotate_version(CmkSim *sim, CmkKeyId id);

/* Sets the timers of the rotation policy for the current version; earlier ones become stale. For
 * effects that write keys and timers. */
void cmk_key_expect_rotation(CmkSim *sim, CmkKeyId id, const CmkArgs *args);

/* Tries again in an hour what an outage of the region did not let through; not while the key vault
 * is deleted. */
void cmk_key_retry(CmkSim *sim, const CmkTimer *timer);

/* ---- what clients read (KV-6, KV-7, KV-27, KV-28) -------------------------------------------- */

typedef enum CmkRecoveryLevel {
    CMK_RECOVERY_PURGEABLE,
    CMK_RECOVERY_RECOVERABLE_PURGEABLE,
    CMK_RECOVERY_RECOVERABLE,
    CMK_RECOVERY_CUSTOMIZED_RECOVERABLE_PURGEABLE,
    CMK_RECOVERY_CUSTOMIZED_RECOVERABLE,
    CMK_RECOVERY__COUNT
} CmkRecoveryLevel;

CmkRecoveryLevel cmk_key_recovery_level(const CmkWorld *world, CmkKeyId id);
/* "CustomizedRecoverable+Purgeable" */
const char *cmk_recovery_level_text(CmkRecoveryLevel level);
bool cmk_recovery_level_has_soft_delete(CmkRecoveryLevel level);
bool cmk_recovery_level_has_purge_protection(CmkRecoveryLevel level);
/* Days for which a deleted key is kept; 0 without soft delete. */
uint32_t cmk_key_recoverable_days(const CmkWorld *world, CmkKeyId id);

#define CMK_VERSION_TEXT_SIZE 33
#define CMK_KEY_URI_SIZE 256

/* 32 lower-case hexadecimal digits, from the seed of the run and the row. */
void cmk_version_format(const CmkWorld *world, CmkVersionId id, char ret[CMK_VERSION_TEXT_SIZE]);

/* "https://VAULT.vault.azure.net/keys/NAME", or that of a Managed HSM, with "/VERSION" unless
 * `version` is {0}. Names beyond
 * the limits of KV-8 and KV-9 are cut. */
void cmk_key_uri_format(const CmkWorld *world, CmkKeyId id, CmkVersionId version,
                        char ret[CMK_KEY_URI_SIZE]);

#endif
