/* Encryption settings that become Inconsistent, and those that restore themselves (BV-29 to 31). */
#include "models/access.h"
#include "models/encryption.h"
#include "models/key_store.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/network.h"
#include "models/rows.h"

uint32_t cmk_healing_epoch(const CmkWorld *world, uint32_t row)
{
    return cmk_backup_vault(world, (CmkBackupVaultId){row})->healing_epoch;
}

/* ---- becoming Inconsistent, and waiting to be restored --------------------------------------- */

void cmk_encryption_break(CmkSim *sim, CmkBackupVaultId id)
{
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    if (vault->encryption == CMK_ENCRYPTION_ENABLED) {
        vault->encryption = CMK_ENCRYPTION_INCONSISTENT; /* BV-29, BV-T11 */
        vault->is_broken_by_identity = 1;
        vault->healing_epoch++;
        vault->encryption_by = cmk_this_seq(sim);
    }
}

void cmk_encryption_spoil(CmkSim *sim, CmkBackupVaultId id)
{
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    if (vault->encryption == CMK_ENCRYPTION_ENABLED) {
        vault->encryption = CMK_ENCRYPTION_INCONSISTENT;
        vault->is_broken_by_identity = 0;
        vault->healing_epoch++;
        vault->encryption_by = cmk_this_seq(sim);
    }
}

void cmk_encryption_expect_healing(CmkSim *sim, CmkBackupVaultId id, const CmkArgs *args)
{
    const CmkBackupVault *vault = cmk_backup_vault(sim->world, id);
    if (vault->encryption == CMK_ENCRYPTION_INCONSISTENT && vault->is_broken_by_identity != 0 &&
        vault->identity != 0) {
        cmk_backup_vault_mut(sim, id)->healing_epoch++;
        (void)cmk_engine_set_timer(sim, cmk_world_now(sim->world), CMK_EVENT_HEALING, id.i, args);
    }
}

/* Whether the identity of the settings, as it is now, could work with the key of the settings. */
static bool encryption_can_be_restored(const CmkWorld *world, const CmkArgs *args,
                                       uint64_t *ret_blame)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    const CmkKeyId key_id = {vault->key};
    const CmkKey *key = cmk_key(world, key_id);
    const CmkPrincipalId principal = {
        cmk_identity(world, (CmkIdentityId){vault->identity})->principal};
    const CmkGuard *attached = &cmk_guard_user_identity_is_attached;
    const CmkArgs question = {.ref = {[CMK_REF_BACKUP_VAULT] = args->ref[CMK_REF_BACKUP_VAULT],
                                      [CMK_REF_IDENTITY] = vault->identity}};
    if (vault->encryption != CMK_ENCRYPTION_INCONSISTENT || vault->identity == 0 ||
        vault->is_broken_by_identity == 0) {
        *ret_blame = vault->encryption_by;
        return false;
    }
    if (!attached->holds(world, &question, ret_blame)) {
        return false;
    }
    if (principal.i != vault->principal &&
        cmk_knob(world, CMK_KNOB_RECREATED_IDENTITY_NEEDS_UPDATE) != 0) {
        *ret_blame = cmk_identity(world, (CmkIdentityId){vault->identity})->changed_by;
        return false; /* the name is that of the settings, the principal is not (MI-7) */
    }
    if (!cmk_principal_crosses_no_tenant(
            world, principal, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]},
            cmk_key_store_of(world, key_id).resource_group, ret_blame)) {
        return false; /* it stayed behind in another tenant */
    }
    const uint32_t needed[] = {CMK_PERMISSION_GET, CMK_PERMISSION_WRAP, CMK_PERMISSION_UNWRAP};
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(needed); i++) {
        if (!cmk_access_to_key_is_granted(world, principal, key_id, needed[i], ret_blame)) {
            return false;
        }
    }
    const CmkKeyStore store = cmk_key_store_of(world, key_id);
    const CmkVersion *version = cmk_version(world, (CmkVersionId){vault->active_version});
    if (!cmk_key_store_answers(world, &store)) {
        *ret_blame = cmk_region(world, store.region)->changed_by;
        return false;
    }
    if (!store.is_there) {
        *ret_blame = store.changed_by;
        return false;
    }
    CmkArgs request = question;
    cmk_key_store_refer(world, key_id, &request);
    if (!cmk_network_lets_backup(world, &request, ret_blame)) {
        return false;
    }
    *ret_blame = version->changed_by > key->changed_by ? version->changed_by : key->changed_by;
    return key->state == CMK_KEY_ACTIVE && cmk_version_is_usable(world, version);
}

const CmkGuard cmk_guard_encryption_can_be_restored = {
    .name = "encryption-can-be-restored",
    .holds = encryption_can_be_restored,
    .status = CMK_STATUS_OF(ENCRYPTION_STAYS_INCONSISTENT),
    .rule = "BV-31 OQ-4 OQ-5",
    .text = "The settings became Inconsistent by the loss of a user-assigned identity, which is "
            "attached again and has get, wrap and unwrap on a key that can be reached and used."};

static uint32_t encryption_restore(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    vault->encryption = CMK_ENCRYPTION_ENABLED;
    vault->is_broken_by_identity = 0;
    vault->healing_epoch++;
    vault->principal = cmk_identity(sim->world, (CmkIdentityId){vault->identity})->principal;
    vault->encryption_by = cmk_this_seq(sim);
    return id.i;
}

const CmkOperation cmk_op_encryption_restore = {
    .name = "encryption.restore",
    .text = "Inconsistent settings return to Enabled by themselves once the user-assigned "
            "identity is back with its rights.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT}},
    .guards = {CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, CMK_GUARD_ENCRYPTION_CAN_BE_RESTORED},
    .writes = CMK_BIT(BACKUP_VAULT),
    .effect = encryption_restore,
    .rules = "BV-31 BV-T12 OQ-4 OQ-5",
};

void cmk_on_healing(CmkSim *sim, const CmkTimer *timer)
{
    CmkArgs args = cmk_args_of_timer(CMK_OP_ENCRYPTION_RESTORE, timer);
    args.ref[CMK_REF_BACKUP_VAULT] = timer->subject;
    const CmkOutcome outcome = cmk_apply(sim, &args);
    if (outcome.status != CMK_STATUS_OK) {
        const CmkTime next =
            cmk_world_now(sim->world) + cmk_knob(sim->world, CMK_KNOB_HEALING_INTERVAL);
        (void)cmk_engine_repeat_timer(sim, next, timer);
    }
}
