/* Backup vaults take up newer versions of versionless keys (section 12). */
#include "models/encryption.h"
#include "models/key.h"
#include "models/key_store.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/region.h"
#include "models/rows.h"

uint32_t cmk_poll_epoch(const CmkWorld *world, uint32_t row)
{
    return cmk_key(world, (CmkKeyId){row})->poll_epoch;
}

void cmk_rotation_expect(CmkSim *sim, CmkKeyId key_id, const CmkArgs *args)
{
    cmk_key_mut(sim, key_id)->poll_epoch++; /* this look takes the place of an earlier one */
    /* One timer a key, not one a vault: the handler goes through the vaults that use it. Polls fall
     * on fixed multiples of the interval (ROT-13). */
    const int64_t interval = cmk_knob(sim->world, CMK_KNOB_ROTATION_POLL);
    const CmkTime now = cmk_world_now(sim->world);
    const CmkTime next = now - now % interval + interval;
    (void)cmk_engine_set_timer(sim, next, CMK_EVENT_ROTATION_POLL, key_id.i, args);
}

/* The newest version that is enabled and inside its validity (ROT-16); {0} if none is. */
static CmkVersionId newest_usable(const CmkWorld *world, CmkKeyId key_id)
{
    uint32_t row = cmk_key(world, key_id)->current_version;
    while (row != 0 && !cmk_version_is_usable(world, cmk_version(world, (CmkVersionId){row}))) {
        row = cmk_version(world, (CmkVersionId){row})->previous;
    }
    return (CmkVersionId){row};
}

/* A take-up reads a key that is there and unwraps with the version in use (ROT-14): once that is
 * purged, what bears the name of the key is another one and there is nothing to take up. */
static bool can_be_taken_up(const CmkWorld *world, const CmkBackupVault *vault)
{
    return cmk_key(world, (CmkKeyId){vault->key})->state == CMK_KEY_ACTIVE &&
           cmk_version(world, (CmkVersionId){vault->active_version})->is_purged == 0;
}

/* Whether the settings name no version and the key has a newer one than the vault uses. */
static bool is_behind(const CmkWorld *world, const CmkBackupVault *vault)
{
    const CmkVersionId newest = newest_usable(world, (CmkKeyId){vault->key});
    return can_be_taken_up(world, vault) && vault->pinned_version == 0 && newest.i != 0 &&
           cmk_version(world, newest)->number >
               cmk_version(world, (CmkVersionId){vault->active_version})->number;
}

CmkVersionId cmk_rotation_target(const CmkWorld *world, const CmkBackupVault *vault)
{
    return is_behind(world, vault) ? newest_usable(world, (CmkKeyId){vault->key})
                                   : (CmkVersionId){vault->active_version};
}

/* Whether polls must go on: there is a newer version that can be used, or will be without anybody
 * touching it, because its validity begins later. */
static bool may_be_behind(const CmkWorld *world, const CmkBackupVault *vault)
{
    if (!can_be_taken_up(world, vault)) {
        return false;
    }
    const uint32_t active = cmk_version(world, (CmkVersionId){vault->active_version})->number;
    uint32_t row = cmk_key(world, (CmkKeyId){vault->key})->current_version;
    while (vault->pinned_version == 0 && row != 0) {
        const CmkVersion *version = cmk_version(world, (CmkVersionId){row});
        if (version->number <= active) {
            break;
        }
        if (version->is_enabled != 0 && cmk_version_has_not_ended(world, version)) {
            return true;
        }
        row = version->previous;
    }
    return false;
}

static bool newer_version_is_usable(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    *ret_blame = vault->encryption_by;
    return vault->encryption == CMK_ENCRYPTION_ENABLED && vault->is_rotating == 0 &&
           is_behind(world, vault);
}

const CmkGuard cmk_guard_newer_version_is_usable = {
    .name = "newer-version-is-usable",
    .holds = newer_version_is_usable,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "ROT-1 ROT-2 ROT-3 ROT-13 ROT-16",
    .text = "The settings name no version and the key has a newer one that can be used."};

static uint32_t rotation_start(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId vault_id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, vault_id);
    vault->is_rotating = 1;
    const CmkTaskId id = cmk_task_start(sim, args, CMK_TASK_ROTATION, vault_id);
    CmkTask *task = cmk_task_mut(sim, id);
    task->target_key = vault->key;
    task->target_version = cmk_rotation_target(sim->world, vault).i;
    task->target_identity = vault->identity;
    task->target_principal = vault->principal;
    return id.i;
}

const CmkOperation cmk_op_rotation_start = {
    .name = "rotation.start",
    .text = "A Backup vault finds a newer version of its versionless key and takes it up.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT}},
    .guards = {CMK_GUARD_BACKUP_VAULT_EXISTS, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_NEWER_VERSION_IS_USABLE},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(TASK) | CMK_BIT_TIMERS,
    .effect = rotation_start,
    .rules = "ROT-1 ROT-3 ROT-13 ROT-16 OQ-9",
};

/* While a take-up waits to be tried again the settings may move on to another key or version. */
static bool take_up_is_still_due(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    const CmkTask *task = cmk_task_of(world, args);
    *ret_blame = vault->encryption_by;
    return vault->key == task->target_key && vault->pinned_version == 0 &&
           cmk_version(world, (CmkVersionId){task->target_version})->number >
               cmk_version(world, (CmkVersionId){vault->active_version})->number;
}

const CmkGuard cmk_guard_take_up_is_still_due = {
    .name = "take-up-is-still-due",
    .holds = take_up_is_still_due,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "ROT-1 ROT-14",
    .text = "The settings still name the key, without a version, and use an older version of it."};

/* Only the version left last is remembered: it has opened what an earlier one had wrapped. One of
 * another key was changed and not rotated, and one that is purged would stop backups for good. */
void cmk_rotation_take_up(CmkSim *sim, CmkBackupVaultId id, CmkVersionId version)
{
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    const CmkVersion *left = cmk_version(sim->world, (CmkVersionId){vault->active_version});
    if (left->key != cmk_version(sim->world, version)->key || left->is_purged != 0) {
        vault->old_version = 0;
    } else if (vault->active_version != version.i &&
               cmk_knob(sim->world, CMK_KNOB_OLD_VERSION_NEEDED_UNTIL_BACKUP) != 0) {
        vault->old_version = vault->active_version;
    }
    vault->active_version = version.i;
    vault->is_half_rewrapped = 0;
}

static uint32_t rotation_commit(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    cmk_rotation_take_up(sim, id, (CmkVersionId){cmk_task_of(sim->world, args)->target_version});
    vault->is_rotating = 0;
    vault->encryption_by = cmk_this_seq(sim);
    cmk_task_complete(sim, (CmkTaskId){args->ref[CMK_REF_TASK]});
    return id.i;
}

const CmkOperation cmk_op_rotation_commit = {
    .name = "rotation.commit",
    .text = "The data key is unwrapped by the old version and wrapped by the new one.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"old_version", CMK_PARAM_INTEGER, 1, 0, 0},
               {"new_version", CMK_PARAM_INTEGER, 1, 0, 1}},
    .guards = {CMK_GUARD_TASK_IS_RUNNING, CMK_GUARD_TAKE_UP_IS_STILL_DUE,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, CMK_GUARD_BACKUP_SERVICE_WORKS},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(TASK),
    .effect = rotation_commit,
    .rules = "ROT-7 ROT-8 ROT-14 ROT-15",
};

void cmk_on_rotation_poll(CmkSim *sim, const CmkTimer *timer)
{
    const CmkKeyId key_id = {timer->subject};
    /* A pair may lack the version that the own region shows again after its return (REL-13). */
    bool is_awaited = !cmk_region_is_up(sim->world, cmk_key_store_of(sim->world, key_id).region);
    uint32_t row = cmk_key(sim->world, key_id)->first_user;
    while (row != 0) {
        const CmkBackupVault *vault = cmk_backup_vault(sim->world, (CmkBackupVaultId){row});
        /* Look again later, whether it works out now or not. */
        is_awaited = is_awaited || may_be_behind(sim->world, vault);
        if (is_behind(sim->world, vault)) {
            CmkArgs args = cmk_args_of_timer(CMK_OP_ROTATION_START, timer);
            args.ref[CMK_REF_BACKUP_VAULT] = row;
            args.ref[CMK_REF_KEY] = key_id.i;
            if (cmk_would_apply(sim, &args).status == CMK_STATUS_OK) {
                (void)cmk_apply(sim, &args);
            }
        }
        row = vault->next_of_key;
    }
    if (is_awaited) {
        const CmkTime next =
            cmk_world_now(sim->world) + cmk_knob(sim->world, CMK_KNOB_ROTATION_POLL);
        (void)cmk_engine_repeat_timer(sim, next, timer);
    }
}
