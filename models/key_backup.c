/* Backups of keys, and keys that come back from them (KV-24). */
#include "models/key.h"
#include "models/key_store.h"
#include "models/key_vault.h"
#include "models/managed_hsm.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/region.h"
#include "models/replica.h"
#include "models/rows.h"
#include "models/scope.h"

/* Slots of key.restore. */
enum {
    RESTORE_OF,    /* row of the key that was backed up; 0: the one that is restored */
    RESTORE_BACKUP /* 1 for the first of it; 0: the last */
};

/* The key whose backup a request brings. */
static CmkKeyId source_of(const CmkArgs *args)
{
    const uint32_t named = (uint32_t)args->num[RESTORE_OF];
    return (CmkKeyId){named != 0 ? named : args->ref[CMK_REF_KEY]};
}

static uint32_t count_of(const CmkWorld *world, uint32_t backup)
{
    uint32_t count = 0;
    while (backup != 0) {
        count++;
        backup = cmk_key_backup(world, (CmkKeyBackupId){backup})->previous;
    }
    return count;
}

CmkKeyBackupId cmk_key_backup_named(const CmkWorld *world, const CmkArgs *args)
{
    uint32_t row = cmk_key(world, source_of(args))->last_backup;
    const int64_t number = args->num[RESTORE_BACKUP];
    uint32_t count = count_of(world, row);
    if (number > count) {
        return (CmkKeyBackupId){0};
    }
    while (number != 0 && count > number) {
        row = cmk_key_backup(world, (CmkKeyBackupId){row})->previous;
        count--;
    }
    return (CmkKeyBackupId){row};
}

CmkVersionId cmk_version_original(const CmkWorld *world, CmkVersionId id)
{
    const uint32_t original = cmk_version(world, id)->original;
    return (CmkVersionId){original != 0 ? original : id.i};
}

/* The row that stands, or once stood, for a version under the key; {0} if there is none yet. */
static CmkVersionId twin_under(const CmkWorld *world, CmkVersionId original, CmkKeyId key)
{
    uint32_t row = original.i;
    while (row != 0 && cmk_version(world, (CmkVersionId){row})->key != key.i) {
        row = cmk_version(world, (CmkVersionId){row})->next_copy;
    }
    return (CmkVersionId){row};
}

CmkVersionId cmk_version_twin(const CmkWorld *world, CmkVersionId id, CmkKeyId key)
{
    return twin_under(world, cmk_version_original(world, id), key);
}

bool cmk_version_is_lost(const CmkWorld *world, CmkVersionId id)
{
    uint32_t row = cmk_version(world, id)->is_purged != 0 ? cmk_version_original(world, id).i : 0;
    bool is_lost = row != 0;
    while (row != 0 && is_lost) {
        const CmkVersion *version = cmk_version(world, (CmkVersionId){row});
        const CmkSecurityDomainId domain = {version->kept_under};
        is_lost = version->is_purged != 0 && version->is_backed_up == 0 &&
                  !cmk_security_domain_opens(world, domain);
        row = version->next_copy;
    }
    return is_lost;
}

/* ---- guards ---------------------------------------------------------------------------------- */

static bool key_fits_into_backup(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_key_of(world, args)->changed_by;
    return cmk_key_of(world, args)->version_count <= CMK_KEY_BACKUP_VERSIONS_MAX;
}

const CmkGuard cmk_guard_key_fits_into_backup = {.name = "key-fits-into-backup",
                                                 .holds = key_fits_into_backup,
                                                 .status = CMK_STATUS_OF(BAD_PARAMETER),
                                                 .rule = "KV-24",
                                                 .text = "The key has at most 500 versions."};

static bool key_is_absent(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_key_of(world, args)->changed_by;
    return cmk_key_of(world, args)->state != CMK_KEY_ACTIVE;
}

const CmkGuard cmk_guard_key_is_absent = {.name = "key-is-absent",
                                          .holds = key_is_absent,
                                          .status = CMK_STATUS_OF(CONFLICT),
                                          .rule = "KV-9 KV-24",
                                          .text = "No key has the name."};

static bool key_backup_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_key_of(world, args)->changed_by;
    return cmk_key_backup_named(world, args).i != 0;
}

const CmkGuard cmk_guard_key_backup_exists = {.name = "key-backup-exists",
                                              .holds = key_backup_exists,
                                              .status = CMK_STATUS_OF(NOT_FOUND),
                                              .rule = "KV-24",
                                              .text = "Somebody has kept this backup of the key."};

static bool key_backup_has_the_name(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKey *source = cmk_key(world, source_of(args));
    *ret_blame = cmk_key_backup(world, cmk_key_backup_named(world, args))->changed_by;
    return cmk_is_same_name(cmk_name(world, source->name),
                            cmk_name(world, cmk_key_of(world, args)->name));
}

const CmkGuard cmk_guard_key_backup_has_the_name = {
    .name = "key-backup-has-the-name",
    .holds = key_backup_has_the_name,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "KV-24",
    .text = "The key comes back under the name that it was backed up with."};

static bool key_backup_is_from_here(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKeyBackup *backup = cmk_key_backup(world, cmk_key_backup_named(world, args));
    const CmkKeyStore store = cmk_key_store_named(world, args);
    const uint32_t subscription = cmk_scope_subscription(world, store.resource_group).i;
    const uint32_t pair = cmk_region_pair(world, store.region).i;
    *ret_blame = backup->changed_by;
    if (store.managed_hsm.i != 0 || backup->domain != 0) { /* what seals it opens it (HSM-4) */
        return backup->domain == cmk_managed_hsm(world, store.managed_hsm)->domain;
    }
    return backup->subscription == subscription &&
           (backup->region == store.region.i || (pair != 0 && backup->region == pair));
}

const CmkGuard cmk_guard_key_backup_is_from_here = {
    .name = "key-backup-is-from-here",
    .holds = key_backup_is_from_here,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "KV-24 HSM-4",
    .text = "The backup was taken in a key vault of this subscription and of this region or its "
            "pair, or in a Managed HSM with the same security domain."};

/* ---- backup ---------------------------------------------------------------------------------- */

/* Whoever keeps a backup keeps the private key of each version in it. */
static uint32_t keep_version(CmkSim *sim, CmkVersionId id, uint32_t domain)
{
    CmkVersion *version = cmk_version_mut(sim, id);
    const uint32_t row = cmk_world_row_add(sim->world, CMK_TABLE_KEPT_VERSION);
    if (domain != 0) {
        version->kept_under = domain;
    } else {
        version->is_backed_up = 1;
    }
    *cmk_kept_version_mut(sim, (CmkKeptVersionId){row}) =
        (CmkKeptVersion){.version = id.i,
                         .is_enabled = version->is_enabled,
                         .key_ops = version->key_ops,
                         .not_before = version->not_before,
                         .expires = version->expires};
    return row;
}

/* From the newest back, in rows that follow one another. */
static void keep_versions(CmkSim *sim, uint32_t newest, CmkKeyBackup *backup)
{
    for (uint32_t row = newest; row != 0;
         row = cmk_version(sim->world, (CmkVersionId){row})->previous) {
        const uint32_t kept = keep_version(sim, (CmkVersionId){row}, backup->domain);
        backup->first_kept = backup->version_count == 0 ? kept : backup->first_kept;
        backup->version_count++;
    }
}

CmkKeyBackupId cmk_key_keep(CmkSim *sim, CmkKeyId key_id)
{
    const CmkKey *key = cmk_key(sim->world, key_id);
    const CmkKeyStore store = cmk_key_store_of(sim->world, key_id);
    const CmkKeyBackupId id = {cmk_world_row_add(sim->world, CMK_TABLE_KEY_BACKUP)};
    *cmk_key_backup_mut(sim, id) =
        (CmkKeyBackup){.key = key_id.i,
                       .type = key->type,
                       .curve = key->curve,
                       .size_bits = key->size_bits,
                       .subscription = cmk_scope_subscription(sim->world, store.resource_group).i,
                       .region = store.region.i,
                       .domain = cmk_managed_hsm(sim->world, store.managed_hsm)->domain,
                       .created = cmk_world_now(sim->world),
                       .changed_by = cmk_this_seq(sim)};
    keep_versions(sim, key->current_version, cmk_key_backup_mut(sim, id));
    return id;
}

static uint32_t key_backup(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyId key_id = {args->ref[CMK_REF_KEY]};
    const CmkKeyBackupId id = cmk_key_keep(sim, key_id);
    CmkKey *key = cmk_key_mut(sim, key_id);
    cmk_key_backup_mut(sim, id)->previous = key->last_backup;
    key->last_backup = id.i;
    return id.i;
}

const CmkOperation cmk_op_key_backup = {
    .name = "key.backup",
    .permission = CMK_PERMISSION_BACKUP,
    .text = "Somebody gets a sealed copy of a key with all its versions, and keeps it outside.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY}},
    .guards = {CMK_GUARDS_TO_ASK_FOR_KEYS, CMK_GUARDS_KEY_IS_THERE, CMK_GUARD_KEY_FITS_INTO_BACKUP},
    .writes = CMK_BIT(KEY) | CMK_BIT(VERSION) | CMK_BIT(KEY_BACKUP) | CMK_BIT(KEPT_VERSION),
    .effect = key_backup,
    .account = cmk_key_vault_count_request,
    .rules = "KV-11 KV-24 REL-7",
    .action = "Microsoft.KeyVault/vaults/keys/backup/action",
    .az = "az keyvault key backup",
};

/* ---- restore --------------------------------------------------------------------------------- */

/* The same private key and identifier under another key. */
static uint32_t copy_version(CmkSim *sim, CmkVersionId original, CmkKeyId key)
{
    const uint32_t row = cmk_world_row_add(sim->world, CMK_TABLE_VERSION);
    CmkVersion *copy = cmk_version_mut(sim, (CmkVersionId){row});
    CmkVersion *first = cmk_version_mut(sim, original);
    *copy = *first;
    copy->key = key.i;
    copy->previous = 0;
    copy->missing_by = 0;
    copy->original = original.i;
    first->next_copy = row;
    return row;
}

/* Gives the row under `key` of a version in the backup, which is as it was then. */
static uint32_t bring_back(CmkSim *sim, const CmkKeptVersion *kept, CmkKeyId key)
{
    const CmkVersionId original = cmk_version_original(sim->world, (CmkVersionId){kept->version});
    uint32_t row = twin_under(sim->world, original, key).i;
    row = row != 0 ? row : copy_version(sim, original, key);
    CmkVersion *version = cmk_version_mut(sim, (CmkVersionId){row});
    version->is_purged = 0;
    version->is_enabled = kept->is_enabled;
    version->key_ops = kept->key_ops;
    version->not_before = kept->not_before;
    version->expires = kept->expires;
    version->changed_by = cmk_this_seq(sim);
    version->written_at = 0; /* what comes back is back in the pair too, as what is destroyed */
    return row;
}

void cmk_key_bring_back(CmkSim *sim, CmkKeyId id, CmkKeyBackupId from, const CmkArgs *args)
{
    const CmkKeyBackup *backup = cmk_key_backup(sim->world, from);
    uint32_t newer = 0;
    CmkKey *key = cmk_key_mut(sim, id);
    cmk_managed_hsm_count_key(sim, key, true); /* nothing has the name, or did before its purge */
    key->current_version = 0;
    for (uint32_t i = 0; i < backup->version_count; i++) {
        const CmkKeptVersionId kept = {backup->first_kept + i};
        const uint32_t row = bring_back(sim, cmk_kept_version(sim->world, kept), id);
        if (newer == 0) {
            key->current_version = row;
        } else {
            cmk_version_mut(sim, (CmkVersionId){newer})->previous = row;
        }
        newer = row;
    }
    key->version_count = backup->version_count;
    key->type = backup->type;
    key->curve = backup->curve;
    key->size_bits = backup->size_bits;
    key->rotation = (CmkRotationPolicy){0}; /* assumed: the copy is of the key alone */
    key->state = CMK_KEY_ACTIVE;
    key->written_at = 0;
    key->epoch++;
    key->changed_by = cmk_this_seq(sim);
    cmk_key_expect_rotation(sim, id, args);
    cmk_rotation_expect(sim, id, args);
}

static uint32_t key_restore(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyId id = {args->ref[CMK_REF_KEY]};
    cmk_key_bring_back(sim, id, cmk_key_backup_named(sim->world, args), args);
    return id.i;
}

const CmkOperation cmk_op_key_restore = {
    .name = "key.restore",
    .permission = CMK_PERMISSION_RESTORE,
    .text = "A key comes back from a backup with the versions, identifiers and attributes that it "
            "had then.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY},
               {"of", CMK_PARAM_KEY_SOURCE, 1, 0, RESTORE_OF},
               {"backup", CMK_PARAM_INTEGER, 1, 0, RESTORE_BACKUP}},
    .guards = {CMK_GUARDS_TO_MANAGE_KEYS, CMK_GUARD_KEY_IS_NOT_BEING_DELETED,
               CMK_GUARD_KEY_IS_NOT_BEING_RECOVERED, CMK_GUARD_KEY_NAME_IS_FREE,
               CMK_GUARD_KEY_NAME_IS_RELEASED, CMK_GUARD_KEY_IS_ABSENT, CMK_GUARD_KEY_BACKUP_EXISTS,
               CMK_GUARD_KEY_BACKUP_HAS_THE_NAME, CMK_GUARD_KEY_BACKUP_IS_FROM_HERE,
               CMK_GUARD_HSM_HAS_ROOM_FOR_KEY, CMK_GUARD_KEY_TYPE_FITS_SKU},
    .writes = CMK_BIT(KEY) | CMK_BIT(VERSION) | CMK_BIT(MANAGED_HSM) | CMK_BIT_TIMERS,
    .effect = key_restore,
    .account = cmk_key_vault_count_request,
    .rules = "KV-10 KV-11 KV-24",
    .action = "Microsoft.KeyVault/vaults/keys/restore/action",
    .az = "az keyvault key restore",
};
