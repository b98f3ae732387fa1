#include "models/sealer.h"

#include <stdio.h>

#include "models/key.h"
#include "models/managed_hsm.h"
#include "models/model.h"
#include "models/points.h"

/* The platform's own key stands beside the versions of customers' keys. */
#define PLATFORM_VERSION 0
#define PLATFORM_KEY_BITS 2048 /* assumed */

/* The data keys of a Backup vault, one after another: most have only one, others one more for each
 * point (OQ-28). */
static uint32_t dek_of(const CmkWorld *world, CmkBackupVaultId vault, uint32_t data_key)
{
    return data_key * cmk_world_count(world, CMK_TABLE_BACKUP_VAULT) + vault.i;
}

static uint32_t dek_in_use(const CmkWorld *world, CmkBackupVaultId vault)
{
    return dek_of(world, vault, cmk_backup_vault(world, vault)->data_key);
}

static uint32_t dek_of_point(const CmkWorld *world, CmkPointId id)
{
    return dek_of(world, cmk_point_vault(world, id), cmk_point(world, id)->data_key);
}

/* The next point of the vault that has a data key of its own, {0} after the last. O(1) in vaults
 * without such keys. */
static CmkPointId next_own_key(const CmkWorld *world, CmkBackupVaultId vault, CmkPointId after)
{
    if (!cmk_points_have_own_keys(world, vault)) {
        return (CmkPointId){0};
    }
    do {
        after = cmk_points_next_of_vault(world, vault, after);
    } while (after.i != 0 && !cmk_point_has_own_key(world, after));
    return after;
}

/* A key that was restored elsewhere has the private keys that it was backed up with (KV-24). */
static uint32_t private_key_of(const CmkWorld *world, uint32_t version)
{
    return cmk_version_original(world, (CmkVersionId){version}).i;
}

static void must(CmkSealer *sealer, CmkEnvelopeResult result, const char *what, uint32_t row)
{
    if (result != CMK_ENVELOPE_OK && sealer->disagreement[0] == '\0') {
        (void)snprintf(sealer->disagreement, sizeof(sealer->disagreement),
                       "the rules allow %s %u, the arithmetic says: %s (%.120s)", what, row,
                       cmk_envelope_result_text(result), cmk_envelope_error(sealer->envelope));
    }
}

static void on_new_version(CmkSealer *sealer, const CmkWorld *world, CmkVersionId id)
{
    const CmkVersion *version = cmk_version(world, id);
    const bool is_rsa = version->type == CMK_KEY_RSA || version->type == CMK_KEY_RSA_HSM;
    if (is_rsa) { /* no other key ever wraps a data key, KV-5 */
        must(sealer, cmk_envelope_key_create(sealer->envelope, id.i, version->size_bits),
             "making key version", id.i);
    }
}

/* A data key that is there from before is opened and wrapped anew; else it is made now. */
static void on_new_wrapping(CmkSealer *sealer, uint32_t dek, uint32_t old_version,
                            uint32_t new_version)
{
    if (old_version == new_version) {
        return;
    }
    if (!cmk_envelope_knows_dek(sealer->envelope, dek)) {
        must(sealer, cmk_envelope_dek_create(sealer->envelope, dek), "making data key", dek);
        must(sealer, cmk_envelope_wrap(sealer->envelope, dek, new_version), "wrapping data key",
             dek);
        return;
    }
    must(sealer, cmk_envelope_rewrap(sealer->envelope, dek, old_version, new_version),
         "re-wrapping data key", dek);
}

/* The vault's own data key stays wrapped by the version in use and by the one that the next backup
 * needs too (ROT-6). */
static void keep_needed_wraps(CmkSealer *sealer, const CmkWorld *world, CmkBackupVaultId id,
                              uint32_t version)
{
    const uint32_t old_version = cmk_backup_vault(world, id)->old_version;
    cmk_envelope_keep_wraps(sealer->envelope, dek_in_use(world, id), version,
                            old_version != 0 ? private_key_of(world, old_version) : version);
}

/* A vault without settings has its data key wrapped by the platform's key, from its first point on
 * (BV-16, OQ-15). */
static void wrap_by_platform(CmkSealer *sealer, uint32_t dek)
{
    if (cmk_envelope_knows_dek(sealer->envelope, dek)) {
        return;
    }
    if (!sealer->has_platform_key) {
        sealer->has_platform_key = true;
        must(sealer, cmk_envelope_key_create(sealer->envelope, PLATFORM_VERSION, PLATFORM_KEY_BITS),
             "making the platform's key", PLATFORM_VERSION);
    }
    on_new_wrapping(sealer, dek, UINT32_MAX, PLATFORM_VERSION);
}

static void on_backup(CmkSealer *sealer, const CmkWorld *world, CmkPointId id)
{
    const CmkPoint *point = cmk_point(world, id);
    const CmkQueue *queue = cmk_queue(world, (CmkQueueId){point->queue});
    const CmkInstance *instance = cmk_instance(world, (CmkInstanceId){queue->instance});
    const CmkBackupVaultId vault_id = {instance->backup_vault};
    const CmkBackupVault *vault = cmk_backup_vault(world, vault_id);
    const uint32_t dek = dek_of_point(world, id);
    if (point->tier == CMK_TIER_OPERATIONAL) {
        return; /* BV-17: snapshots lie with the datasource */
    }
    if (vault->key == 0) {
        wrap_by_platform(sealer, dek);
    } else if (!cmk_envelope_knows_dek(sealer->envelope, dek)) { /* made for this point alone */
        on_new_wrapping(sealer, dek, UINT32_MAX, private_key_of(world, vault->active_version));
    }
    const CmkEnvelopeBackup backup = {
        .point_id = id.i,
        .dek_id = dek,
        .version_id = private_key_of(world, vault->active_version),
        .size_bytes =
            instance->sample_bytes != 0 ? instance->sample_bytes : CMK_ENVELOPE_SAMPLE_BYTES,
        .sample_id = point->created_by,
        .layers = vault->has_infrastructure_encryption ? CMK_LAYERS_DATA_KEY_AND_PLATFORM
                                                       : CMK_LAYERS_DATA_KEY};
    must(sealer, cmk_envelope_backup(sealer->envelope, &backup), "backing up point", id.i);
    if (vault->key != 0) {
        keep_needed_wraps(sealer, world, vault_id, private_key_of(world, vault->active_version));
    }
}

/* Gives `expected` where there is nothing to decrypt: of snapshots. */
static CmkEnvelopeResult restore(CmkSealer *sealer, const CmkWorld *world, CmkPointId id,
                                 CmkEnvelopeResult expected)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, cmk_point_vault(world, id));
    if (cmk_point(world, id)->tier == CMK_TIER_OPERATIONAL) {
        return expected;
    }
    const uint32_t dek = dek_of_point(world, id);
    if (!cmk_envelope_is_openable(sealer->envelope, dek)) {
        return CMK_ENVELOPE_KEY_GONE; /* whatever the vault uses now */
    }
    const uint32_t version = cmk_point_needs_key(world, id)
                                 ? private_key_of(world, vault->active_version)
                                 : PLATFORM_VERSION;
    return cmk_envelope_restore(sealer->envelope, id.i, version);
}

static void expect_lost(CmkSealer *sealer, uint32_t dek, CmkBackupVaultId vault)
{
    if (cmk_envelope_is_openable(sealer->envelope, dek) && sealer->disagreement[0] == '\0') {
        (void)snprintf(sealer->disagreement, sizeof(sealer->disagreement),
                       "the rules say that data key %u is lost, the arithmetic can open it",
                       vault.i);
    }
}

/* Whether somebody has the private key of a version of this key, which is purged: in a backup that
 * can be opened, or under another key (KV-24, HSM-4, HSM-15). */
static bool is_held(const CmkWorld *world, uint32_t version, CmkKeyId purged)
{
    for (uint32_t row = private_key_of(world, version); row != 0;
         row = cmk_version(world, (CmkVersionId){row})->next_copy) {
        const CmkVersion *copy = cmk_version(world, (CmkVersionId){row});
        const CmkSecurityDomainId domain = {copy->kept_under};
        if (copy->is_backed_up != 0 || cmk_security_domain_opens(world, domain) ||
            (copy->key != purged.i && copy->is_purged == 0)) {
            return true;
        }
    }
    return false;
}

/* Whatever is under the key that the vault uses. The version left before may be in a backup, but
 * alone it opens no point by the rules. */
static void expect_points_lost(CmkSealer *sealer, const CmkWorld *world, CmkBackupVaultId vault)
{
    const uint32_t private_key =
        private_key_of(world, cmk_backup_vault(world, vault)->active_version);
    cmk_envelope_keep_wraps(sealer->envelope, dek_in_use(world, vault), private_key, private_key);
    expect_lost(sealer, dek_in_use(world, vault), vault);
    CmkPointId id = next_own_key(world, vault, (CmkPointId){0});
    for (; id.i != 0; id = next_own_key(world, vault, id)) {
        expect_lost(sealer, dek_of_point(world, id), vault);
    }
}

static void on_purge(CmkSealer *sealer, const CmkWorld *world, CmkKeyId key_id)
{
    const CmkKey *key = cmk_key(world, key_id);
    uint32_t row = key->current_version;
    while (row != 0) {
        /* What a backup or another key holds stays. Keys that never were RSA are unknown to the
         * envelope. */
        if (!is_held(world, row, key_id)) {
            (void)cmk_envelope_key_purge(sealer->envelope, private_key_of(world, row));
        }
        row = cmk_version(world, (CmkVersionId){row})->previous;
    }
    row = key->first_user;
    while (row != 0) {
        const CmkBackupVaultId vault = {row};
        if (!is_held(world, cmk_backup_vault(world, vault)->active_version, key_id)) {
            expect_points_lost(sealer, world, vault);
        }
        row = cmk_backup_vault(world, (CmkBackupVaultId){row})->next_of_key;
    }
}

/* Of a key vault or Managed HSM. */
static void on_purge_of_all(CmkSealer *sealer, const CmkWorld *world, uint32_t first_key)
{
    uint32_t row = first_key;
    while (row != 0) {
        const CmkKeyId key = {row};
        on_purge(sealer, world, key);
        row = cmk_key(world, key)->next_of_key_vault;
    }
}

/* What only backups held that nobody can open any more is gone; rare, so that all versions
 * are gone through. */
static void on_domain_lost(CmkSealer *sealer, const CmkWorld *world)
{
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_VERSION); i++) {
        if (cmk_version_is_lost(world, (CmkVersionId){i})) {
            (void)cmk_envelope_key_purge(sealer->envelope, private_key_of(world, i));
        }
    }
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_BACKUP_VAULT); i++) {
        const CmkBackupVaultId vault = {i};
        const CmkVersionId active = {cmk_backup_vault(world, vault)->active_version};
        if (cmk_version_is_lost(world, active)) {
            expect_points_lost(sealer, world, vault);
        }
    }
}

/* The vault's own data key goes from one version to the other, and with it those of its points. */
static void on_commit(CmkSealer *sealer, const CmkWorld *world, const CmkRecord *record)
{
    const CmkBackupVaultId vault = {record->args.ref[CMK_REF_BACKUP_VAULT]};
    const uint32_t old_version = private_key_of(world, (uint32_t)record->args.num[0]);
    const uint32_t new_version = private_key_of(world, (uint32_t)record->args.num[1]);
    on_new_wrapping(sealer, dek_in_use(world, vault), old_version, new_version);
    keep_needed_wraps(sealer, world, vault, new_version);
    CmkPointId id = next_own_key(world, vault, (CmkPointId){0});
    for (; id.i != 0; id = next_own_key(world, vault, id)) {
        on_new_wrapping(sealer, dek_of_point(world, id), old_version, new_version);
        cmk_envelope_keep_wraps(sealer->envelope, dek_of_point(world, id), new_version,
                                new_version);
    }
}

/* A job's request; settings and rotation commit later. What it opens is the data key of the point
 * if that has one of its own, and is still there. */
static void on_unwrap(CmkSealer *sealer, const CmkWorld *world, const CmkRecord *record)
{
    const CmkBackupVaultId vault = {record->args.ref[CMK_REF_BACKUP_VAULT]};
    const CmkPointId point = {record->args.ref[CMK_REF_POINT]};
    const bool is_of_point = cmk_point(world, point)->is_live != 0 &&
                             cmk_point_vault(world, point).i == vault.i &&
                             cmk_point_has_own_key(world, point);
    const uint32_t dek = is_of_point ? dek_of_point(world, point) : dek_in_use(world, vault);
    const uint32_t version = private_key_of(world, record->args.ref[CMK_REF_VERSION]);
    must(sealer, cmk_envelope_unwrap(sealer->envelope, dek, version), "unwrapping data key",
         vault.i);
}

/* The data key that only this point had goes with it. */
static void on_point_gone(CmkSealer *sealer, const CmkWorld *world, CmkPointId id)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, cmk_point_vault(world, id));
    (void)cmk_envelope_point_drop(sealer->envelope, id.i);
    if (cmk_point_has_own_key(world, id)) {
        (void)cmk_envelope_drop_wrap(sealer->envelope, dek_of_point(world, id),
                                     private_key_of(world, vault->active_version));
    }
}

static void read_record(void *self, const CmkWorld *world, const CmkRecord *record)
{
    CmkSealer *sealer = self;
    if (record->status != CMK_STATUS_OK) {
        return;
    }
    switch (record->args.op) {
    case CMK_OP_KEY_CREATE:
    case CMK_OP_KEY_IMPORT:
    case CMK_OP_KEY_ROTATE:
    case CMK_OP_KEY_ROTATE_IF_DUE:
        on_new_version(sealer, world, (CmkVersionId){record->result});
        break;
    case CMK_OP_ENCRYPTION_COMMIT:
    case CMK_OP_ROTATION_COMMIT:
        on_commit(sealer, world, record);
        break;
    case CMK_OP_KEY_UNWRAP:
        if (record->args.num[0] != 0) {
            on_unwrap(sealer, world, record);
        }
        break;
    case CMK_OP_BACKUP_COMMIT:
        on_backup(sealer, world, (CmkPointId){record->result});
        break;
    case CMK_OP_RESTORE_COMMIT:
        must(sealer, restore(sealer, world, (CmkPointId){record->result}, CMK_ENVELOPE_OK),
             "restoring point", record->result);
        break;
    case CMK_OP_POINT_EXPIRE:
    case CMK_OP_POINT_PURGE:
        on_point_gone(sealer, world, (CmkPointId){record->result});
        break;
    case CMK_OP_KEY_PURGE:
        on_purge(sealer, world, (CmkKeyId){record->args.ref[CMK_REF_KEY]});
        break;
    case CMK_OP_KEY_VAULT_PURGE:
        on_purge_of_all(sealer, world,
                        cmk_key_vault(world, (CmkKeyVaultId){record->result})->first_key);
        break;
    case CMK_OP_MANAGED_HSM_PURGE:
        on_purge_of_all(sealer, world,
                        cmk_managed_hsm(world, (CmkManagedHsmId){record->result})->first_key);
        break;
    case CMK_OP_MANAGED_HSM_LOSE_DOMAIN_KEYS:
        on_domain_lost(sealer, world);
        break;
    default: /* the other operations move no key and no data */
        break;
    }
}

CmkReader cmk_sealer_reader(CmkSealer *sealer)
{
    return (CmkReader){.read = read_record, .self = sealer};
}

CmkRestoreCounts cmk_sealer_check_all(CmkSealer *sealer, const CmkModel *model,
                                      const CmkWorld *world)
{
    CmkRestoreCounts check = {.restored = 0};
    const uint32_t points = cmk_world_count(world, CMK_TABLE_POINT);
    for (uint32_t i = 1; i <= points; i++) {
        const CmkPointId id = {i};
        CmkGuardId guard = CMK_GUARD_NONE;
        if (!cmk_point(world, id)->is_live) {
            continue;
        }
        if (cmk_point_is_lost(world, id)) {
            check.lost++;
            if (sealer != NULL &&
                restore(sealer, world, id, CMK_ENVELOPE_KEY_GONE) != CMK_ENVELOPE_KEY_GONE) {
                check.mismatch++;
            }
        } else if (cmk_point_restorable(model, world, id, &guard) != CMK_STATUS_OK) {
            check.refused++;
        } else {
            const CmkEnvelopeResult result = sealer == NULL
                                                 ? CMK_ENVELOPE_UNKNOWN
                                                 : restore(sealer, world, id, CMK_ENVELOPE_UNKNOWN);
            const bool is_proven = result == CMK_ENVELOPE_OK;
            const bool is_restored = is_proven || result == CMK_ENVELOPE_UNKNOWN;
            check.proven += is_proven;
            check.restored += is_restored;
            check.mismatch += !is_restored;
        }
    }
    return check;
}
