/*
 * Writing rows: for the effects and account functions in models/ only. Each access marks its table
 * as written, which the self-check compares with what the operation declares.
 */
#ifndef CMK_MODELS_MUTATE_H
#define CMK_MODELS_MUTATE_H

#include "models/entities.h"
#include "sim/engine.h"

#define X(id, name, type, handle, scratch, text)                                                   \
    static inline type *cmk_##name##_mut(CmkSim *sim, handle id_of_row)                            \
    {                                                                                              \
        return (type *)cmk_world_row_mut(sim->world, CMK_TABLE_##id, id_of_row.i);                 \
    }
CMK_TABLES(X)
#undef X

/* The sequence number of the operation being applied, for `changed_by`. */
static inline uint64_t cmk_this_seq(const CmkSim *sim)
{
    return cmk_world_next_seq(sim->world);
}

/* Changes the level of a gauge by `delta` now; the level never gets negative. */
void cmk_gauge_add(CmkSim *sim, CmkBackupVaultId vault, CmkGaugeKind kind, int64_t delta);

/* Adds level x time that is not a level over time (early deletion). */
void cmk_gauge_charge(CmkSim *sim, CmkBackupVaultId vault, CmkGaugeKind kind, int64_t level,
                      int64_t duration_us);

/* Puts what was measured so far on a statement, before the terms of the vault change. */
void cmk_gauge_close_account(CmkSim *sim, CmkBackupVaultId id);

/* Lets the settings of every vault that uses this identity, or of this vault's system identity,
 * become Inconsistent (BV-29). */
void cmk_encryption_break(CmkSim *sim, CmkBackupVaultId id);

/* Lets Enabled settings become Inconsistent in a way that only an update repairs (BV-26). */
void cmk_encryption_spoil(CmkSim *sim, CmkBackupVaultId id);

/* Sets a timer to try to restore Inconsistent settings, if the vault is waiting for that. */
void cmk_encryption_expect_healing(CmkSim *sim, CmkBackupVaultId id, const CmkArgs *args);

/* Starts the checks of 9.4 for the settings that the arguments ask for, of a vault that is being
 * made or updated. Gives the row of the task. */
uint32_t cmk_encryption_start(CmkSim *sim, const CmkArgs *args, CmkProvisioning provisioning);

/* Takes the settings away with the vault: back to platform-managed keys for the next of its name.
 */
void cmk_encryption_forget(CmkSim *sim, CmkBackupVaultId id);

/* A write to a Backup vault has ended well, which makes up for one that failed before (BV-12).
 * While other work on it is on its way that goes on. */
void cmk_backup_vault_succeed(CmkSim *sim, CmkBackupVaultId id);

/* Attaches the identity of the arguments to their vault; gives the row of the attachment. */
uint32_t cmk_identity_give(CmkSim *sim, const CmkArgs *args);

/* Detaches all identities of a vault that is no more, and ends its system-assigned one. */
void cmk_identity_take_all(CmkSim *sim, CmkBackupVaultId id);

/* Lists a vault that is gone among the deleted ones of its region, until it is purged (BV-11). */
void cmk_deleted_vault_keep(CmkSim *sim, CmkBackupVaultId id, const CmkArgs *args);

/* Lets the vault use this version of a key, before its settings name the key. One of the same key
 * that it leaves is remembered for one more backup (ROT-6). */
void cmk_rotation_take_up(CmkSim *sim, CmkBackupVaultId id, CmkVersionId version);

/* Sets a timer at the next poll of each vault that uses the key without naming a version. */
void cmk_rotation_expect(CmkSim *sim, CmkKeyId key_id, const CmkArgs *args);

/* A restore of the point that the arguments name; gives the row of the task. */
uint32_t cmk_points_start_restore(CmkSim *sim, const CmkArgs *args);

/* The points that a background job, tiering or expiry, leaves behind in its queue because it failed
 * or could not start: they cost on, and each is noted once (BK-22, COST-22). For handlers. */
void cmk_task_mark_overdue(CmkSim *sim, CmkTaskKind kind, const CmkArgs *of_job);

/* A running task of the given kind, due now; fills what is common to all kinds. */
CmkTaskId cmk_task_start(CmkSim *sim, const CmkArgs *args, CmkTaskKind kind,
                         CmkBackupVaultId vault);

/* Sets a timer at the end of what an instance is asked for; false if that takes no time. */
bool cmk_instance_set_settling(CmkSim *sim, const CmkArgs *args);

/* Ends a task well and hands its row back. */
void cmk_task_complete(CmkSim *sim, CmkTaskId id);

#endif
