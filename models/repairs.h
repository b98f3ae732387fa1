/*
 * Ways to bind the arguments of a repair to those of the operation that was refused.
 */
#ifndef CMK_MODELS_REPAIRS_H
#define CMK_MODELS_REPAIRS_H

#include "models/entities.h"

/* Assign the role that Backup needs to the caller, on the key vault it was refused at (AC-8). */
bool cmk_repair_assign_role(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);

/* Give the person who asked a local role of the Managed HSM (HSM-7). */
bool cmk_repair_local_role_of_actor(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);

/* Give the caller get, wrap and unwrap by an access policy (AC-7). */
bool cmk_repair_set_policy(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);

/* Let the caller read secrets as well (AC-R10, BK-2). */
bool cmk_repair_assign_secrets_role(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);
bool cmk_repair_set_secrets_policy(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);

/* Of the key vault: make a purged one again as it was; recover it; turn its soft delete or purge
 * protection on. */
bool cmk_repair_recreate_key_vault(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);
bool cmk_repair_recover_key_vault(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);
bool cmk_repair_set_soft_delete(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);
bool cmk_repair_set_purge_protection(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);

/* The same entity: key vault, key, version, identity, Backup vault. */
bool cmk_repair_same_key(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);
/* Of a purged one that somebody has a backup of (KV-24). */
bool cmk_repair_restore_key(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);
bool cmk_repair_enable_version(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);
bool cmk_repair_extend_version(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);
bool cmk_repair_attach_identity(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);
bool cmk_repair_create_identity(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);
/* Only where its principal is of no use any more since its subscription moved (MI-13). */
bool cmk_repair_delete_identity(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);
bool cmk_repair_disable_system(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);
bool cmk_repair_enable_system(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);
bool cmk_repair_unthrottle(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);

/* For a user-assigned identity that is not attached: it may have to be made anew first. */
#define CMK_REPAIRS_ATTACH                                                                         \
    {                                                                                              \
        {CMK_OP_IDENTITY_CREATE, cmk_repair_create_identity, "create the identity again"},         \
        {                                                                                          \
            CMK_OP_IDENTITY_ATTACH, cmk_repair_attach_identity,                                    \
                "attach the identity to the Backup vault again"                                    \
        }                                                                                          \
    }

/* Repeat the update of the encryption settings with what they say now (BV-30, BV-33). */
bool cmk_repair_update_encryption(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret);

#endif
