/* Keys and their versions: creation, rotation, attributes, deletion, purge (sections 1 and 2). */
#include "models/model.h"
#include "models/mutate.h"
#include "models/repairs.h"
#include "models/replica.h"
#include "models/rows.h"

static const CmkKey *key_of(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_key(world, (CmkKeyId){args->ref[CMK_REF_KEY]});
}

/* The version that the arguments name, which may not exist, or else the current one of the key.
 * Requests of jobs always name one. */
static CmkVersionId version_of(const CmkWorld *world, const CmkArgs *args)
{
    const uint32_t named = args->ref[CMK_REF_VERSION];
    const bool is_named =
        named != 0 || args->num[CMK_NUM_VERSION] != 0 || args->ref[CMK_REF_TASK] != 0;
    return (CmkVersionId){is_named ? named : key_of(world, args)->current_version};
}

uint32_t cmk_key_epoch(const CmkWorld *world, uint32_t row)
{
    return cmk_key(world, (CmkKeyId){row})->epoch;
}

/* ---- guards ---------------------------------------------------------------------------------- */

static bool is_hsm_type(int64_t type)
{
    return type == CMK_KEY_RSA_HSM || type == CMK_KEY_EC_HSM;
}

static bool key_type_fits_sku(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    *ret_blame = vault->changed_by;
    return !is_hsm_type(args->num[0]) || vault->sku == CMK_SKU_PREMIUM;
}

const CmkGuard cmk_guard_key_type_fits_sku = {
    .name = "key-type-fits-sku",
    .holds = key_type_fits_sku,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "KV-3",
    .text = "HSM-protected keys are in premium key vaults only."};

static bool key_size_is_offered(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    const bool is_rsa = args->num[0] == CMK_KEY_RSA || args->num[0] == CMK_KEY_RSA_HSM;
    const int64_t bits = args->num[1];
    return !is_rsa || bits == 2048 || bits == 3072 || bits == 4096;
}

const CmkGuard cmk_guard_key_size_is_offered = {.name = "key-size-is-offered",
                                                .holds = key_size_is_offered,
                                                .status = CMK_STATUS_OF(BAD_PARAMETER),
                                                .rule = "KV-2 KVE-15",
                                                .text = "RSA keys have 2048, 3072 or 4096 bits."};

static bool key_name_is_free(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKey *key = key_of(world, args);
    *ret_blame = key->changed_by;
    return key->state != CMK_KEY_DELETED;
}

const CmkGuard cmk_guard_key_name_is_free = {
    .name = "key-name-is-free",
    .holds = key_name_is_free,
    .status = CMK_STATUS_OF(KEY_IS_DELETED_BUT_RECOVERABLE),
    .rule = "KVE-11 SD-10",
    .text = "No deleted key holds the name.",
    .repairs = {{CMK_OP_KEY_RECOVER, cmk_repair_same_key, "recover the deleted key"}}};

static bool key_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKey *key = key_of(world, args);
    *ret_blame = key->changed_by;
    return key->state == CMK_KEY_ACTIVE;
}

const CmkGuard cmk_guard_key_exists = {
    .name = "key-exists",
    .holds = key_exists,
    .status = CMK_STATUS_OF(KEY_NOT_FOUND),
    .rule = "KVE-10 KV-33 SD-5",
    .text = "The key exists and is not deleted.",
    .repairs = {{CMK_OP_KEY_RECOVER, cmk_repair_same_key, "recover the deleted key"}}};

static bool version_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkVersion *version = cmk_version(world, version_of(world, args));
    *ret_blame = version->missing_by != 0 ? version->missing_by : version->changed_by;
    return version->number != 0 && version->is_purged == 0 && version->missing_by == 0 &&
           version->key == args->ref[CMK_REF_KEY];
}

const CmkGuard cmk_guard_version_exists = {.name = "version-exists",
                                           .holds = version_exists,
                                           .status = CMK_STATUS_OF(KEY_NOT_FOUND),
                                           .rule = "KVE-10 KV-33 REL-13",
                                           .text =
                                               "The version of the key exists and is not purged."};

static bool key_is_deleted(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKey *key = key_of(world, args);
    *ret_blame = key->changed_by;
    return key->state == CMK_KEY_DELETED;
}

const CmkGuard cmk_guard_key_is_deleted = {.name = "key-is-deleted",
                                           .holds = key_is_deleted,
                                           .status = CMK_STATUS_OF(KEY_NOT_FOUND),
                                           .rule = "SD-5",
                                           .text = "The key is in the deleted state."};

static bool purge_is_allowed(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKey *key = key_of(world, args);
    const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){key->key_vault});
    *ret_blame = vault->changed_by;
    return vault->has_purge_protection == 0 || cmk_world_now(world) >= key->purge_at;
}

const CmkGuard cmk_guard_purge_is_allowed = {
    .name = "purge-is-allowed",
    .holds = purge_is_allowed,
    .status = CMK_STATUS_OF(PURGE_REFUSED),
    .rule = "KVE-9 SD-9",
    .text = "The key vault has no purge protection, or the retention of the deleted key is over."};

/* ---- operations ------------------------------------------------------------------------------ */

static CmkVersion *add_version(CmkSim *sim, CmkKey *key, uint32_t key_row)
{
    const CmkVersionId id = {cmk_world_row_add(sim->world, CMK_TABLE_VERSION)};
    CmkVersion *version = cmk_version_mut(sim, id);
    version->key = key_row;
    version->number = ++key->version_count;
    version->is_enabled = 1; /* KV-12 */
    version->key_ops = CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP;
    version->previous = key->current_version;
    version->not_before = cmk_world_now(sim->world); /* KV-12 */
    version->expires = CMK_TIME_MAX;
    version->changed_by = cmk_this_seq(sim);
    version->made_at = cmk_world_now(sim->world);
    cmk_replica_keep_version(sim, version);
    key->current_version = id.i; /* KV-10 */
    return version;
}

static uint32_t key_create(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyId id = {args->ref[CMK_REF_KEY]};
    CmkKey *key = cmk_key_mut(sim, id);
    cmk_replica_keep_key(sim, key);
    const bool is_new = key->state != CMK_KEY_ACTIVE;
    if (is_new) {
        key->current_version = 0;
        key->version_count = 0;
    }
    key->type = (uint32_t)args->num[0];
    key->size_bits = (uint32_t)args->num[1];
    key->state = CMK_KEY_ACTIVE;
    key->epoch++;
    key->changed_by = cmk_this_seq(sim);
    (void)add_version(sim, key, id.i);
    if (!is_new) {
        cmk_rotation_expect(sim, id, args);
    }
    return key->current_version;
}

const CmkOperation cmk_op_key_create = {
    .name = "key.create",
    .permission = CMK_PERMISSION_CREATE,
    .text = "A key is created, or a new version of one that exists (KV-10).",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY},
               {"type", CMK_PARAM_INTEGER, 1, 0, 0},
               {"size", CMK_PARAM_INTEGER, 1, 0, 1}},
    .guards = {CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_KEY_VAULT_IS_REACHABLE,
               CMK_GUARD_ROLE_LETS_ACTOR, CMK_GUARD_POLICY_LETS_ACTOR,
               CMK_GUARD_KEY_VAULT_IS_WRITABLE, CMK_GUARD_KEY_NAME_IS_FREE,
               CMK_GUARD_KEY_TYPE_FITS_SKU, CMK_GUARD_KEY_SIZE_IS_OFFERED},
    .writes = CMK_BIT(KEY) | CMK_BIT(VERSION) | CMK_BIT_TIMERS,
    .effect = key_create,
    .rules = "KV-1 KV-2 KV-9 KV-10 KV-12",
    .action = "Microsoft.KeyVault/vaults/keys/create/action",
    .az = "az keyvault key create",
};

static uint32_t key_rotate(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyId id = {args->ref[CMK_REF_KEY]};
    CmkKey *key = cmk_key_mut(sim, id);
    cmk_replica_keep_key(sim, key);
    (void)add_version(sim, key, id.i);
    cmk_rotation_expect(sim, id, args);
    return key->current_version;
}

const CmkOperation cmk_op_key_rotate = {
    .name = "key.rotate",
    .permission = CMK_PERMISSION_ROTATE,
    .text = "The key gets a new version, which becomes the current one.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY}},
    .guards = {CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_KEY_VAULT_IS_REACHABLE,
               CMK_GUARD_ROLE_LETS_ACTOR, CMK_GUARD_POLICY_LETS_ACTOR,
               CMK_GUARD_KEY_VAULT_IS_WRITABLE, CMK_GUARD_KEY_EXISTS},
    .writes = CMK_BIT(KEY) | CMK_BIT(VERSION) | CMK_BIT_TIMERS,
    .effect = key_rotate,
    .rules = "KV-10 ROT-3 ROT-11",
    .action = "Microsoft.KeyVault/vaults/keys/rotate/action",
    .az = "az keyvault key rotate",
};

/* num[0]: enabled, num[1] and num[2]: instants; 0 leaves each as it is. */
static uint32_t key_update(CmkSim *sim, const CmkArgs *args)
{
    const CmkVersionId id = version_of(sim->world, args);
    CmkVersion *version = cmk_version_mut(sim, id);
    cmk_replica_keep_version(sim, version);
    if (args->num[0] != 0) {
        version->is_enabled = args->num[0] == CMK_SAYS_TRUE;
    }
    if (args->num[1] != 0) {
        version->expires = args->num[1];
    }
    if (args->num[2] != 0) {
        version->not_before = args->num[2];
    }
    version->changed_by = cmk_this_seq(sim);
    cmk_rotation_expect(sim, (CmkKeyId){args->ref[CMK_REF_KEY]}, args);
    return id.i;
}

const CmkOperation cmk_op_key_update = {
    .name = "key.update",
    .permission = CMK_PERMISSION_UPDATE,
    .text = "Attributes of a key version are set: enabled, expiry, start of validity.",
    .params = {{"key", CMK_PARAM_KEY_TARGET, 0, 1, CMK_REF_KEY},
               {"enabled", CMK_PARAM_BOOLEAN, 1, 0, 0},
               {"expires", CMK_PARAM_INSTANT, 1, 0, 1},
               {"not_before", CMK_PARAM_INSTANT, 1, 0, 2}},
    .guards = {CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_KEY_VAULT_IS_REACHABLE,
               CMK_GUARD_ROLE_LETS_ACTOR, CMK_GUARD_POLICY_LETS_ACTOR,
               CMK_GUARD_KEY_VAULT_IS_WRITABLE, CMK_GUARD_KEY_EXISTS, CMK_GUARD_VERSION_EXISTS},
    .writes = CMK_BIT(KEY) | CMK_BIT(VERSION) | CMK_BIT_TIMERS,
    .effect = key_update,
    .rules = "KV-11 KV-19",
    .action = "Microsoft.KeyVault/vaults/keys/update/action",
    .az = "az keyvault key set-attributes",
};

static uint32_t key_delete(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyId id = {args->ref[CMK_REF_KEY]};
    CmkKey *key = cmk_key_mut(sim, id);
    const CmkKeyVault *vault = cmk_key_vault(sim->world, (CmkKeyVaultId){key->key_vault});
    cmk_replica_keep_key(sim, key);
    key->state = CMK_KEY_DELETED;
    key->epoch++;
    key->deleted_at = cmk_world_now(sim->world);
    key->purge_at = key->deleted_at; /* without soft delete nothing is kept */
    if (vault->has_soft_delete) {
        key->purge_at += vault->retention_days * CMK_DAY_US; /* SD-6 */
    }
    key->changed_by = cmk_this_seq(sim);
    (void)cmk_engine_set_timer(sim, key->purge_at, CMK_EVENT_KEY_PURGE, id.i, args);
    return id.i;
}

const CmkOperation cmk_op_key_delete = {
    .name = "key.delete",
    .permission = CMK_PERMISSION_DELETE,
    .text = "The key with all its versions goes to the deleted state, to be purged later.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY}},
    .guards = {CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_KEY_VAULT_IS_REACHABLE,
               CMK_GUARD_ROLE_LETS_ACTOR, CMK_GUARD_POLICY_LETS_ACTOR,
               CMK_GUARD_KEY_VAULT_IS_WRITABLE, CMK_GUARD_KEY_EXISTS},
    .writes = CMK_BIT(KEY) | CMK_BIT_TIMERS,
    .effect = key_delete,
    .rules = "SD-5 SD-6 KV-25",
    .action = "Microsoft.KeyVault/vaults/keys/delete",
    .az = "az keyvault key delete",
};

static uint32_t key_recover(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyId id = {args->ref[CMK_REF_KEY]};
    CmkKey *key = cmk_key_mut(sim, id);
    cmk_replica_keep_key(sim, key);
    key->state = CMK_KEY_ACTIVE; /* with all versions as they were, SD-11 */
    key->epoch++;
    key->changed_by = cmk_this_seq(sim);
    cmk_rotation_expect(sim, id, args);
    return id.i;
}

const CmkOperation cmk_op_key_recover = {
    .name = "key.recover",
    .permission = CMK_PERMISSION_RECOVER,
    .text = "A deleted key comes back with all its versions and the same URIs.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY}},
    .guards = {CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_KEY_VAULT_IS_REACHABLE,
               CMK_GUARD_ROLE_LETS_ACTOR, CMK_GUARD_POLICY_LETS_ACTOR,
               CMK_GUARD_KEY_VAULT_IS_WRITABLE, CMK_GUARD_KEY_IS_DELETED},
    .writes = CMK_BIT(KEY) | CMK_BIT_TIMERS,
    .effect = key_recover,
    .rules = "SD-5 SD-11",
    .action = "Microsoft.KeyVault/vaults/keys/recover/action",
    .az = "az keyvault key recover",
};

static uint32_t key_purge(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyId id = {args->ref[CMK_REF_KEY]};
    CmkKey *key = cmk_key_mut(sim, id);
    key->state = CMK_KEY_PURGED;
    key->written_at = 0; /* what is destroyed is so in the pair too */
    key->epoch++;
    key->changed_by = cmk_this_seq(sim);
    uint32_t row = key->current_version;
    for (uint32_t left = key->version_count; row != 0 && left > 0; left--) {
        CmkVersion *version = cmk_version_mut(sim, (CmkVersionId){row});
        version->is_purged = 1;
        version->changed_by = cmk_this_seq(sim);
        row = version->previous;
    }
    return id.i;
}

const CmkOperation cmk_op_key_purge = {
    .name = "key.purge",
    .permission = CMK_PERMISSION_PURGE,
    .text = "A deleted key is destroyed for good; what only it could open is lost.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY}},
    .guards = {CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_KEY_VAULT_IS_REACHABLE,
               CMK_GUARD_ROLE_LETS_ACTOR, CMK_GUARD_POLICY_LETS_ACTOR,
               CMK_GUARD_KEY_VAULT_IS_WRITABLE, CMK_GUARD_KEY_IS_DELETED,
               CMK_GUARD_PURGE_IS_ALLOWED},
    .writes = CMK_BIT(KEY) | CMK_BIT(VERSION),
    .effect = key_purge,
    .rules = "SD-6 SD-9 BV-23 OQ-29",
    .action = "Microsoft.KeyVault/vaults/keys/purge/action",
    .az = "az keyvault key purge",
};

/* How long the service waits with a purge that an outage of the region does not let through. */
#define PURGE_RETRY_US CMK_HOUR_US

void cmk_on_key_purge(CmkSim *sim, const CmkTimer *timer)
{
    CmkArgs args = cmk_args_of_timer(CMK_OP_KEY_PURGE, timer);
    args.ref[CMK_REF_KEY] = timer->subject;
    args.ref[CMK_REF_KEY_VAULT] = cmk_key(sim->world, (CmkKeyId){timer->subject})->key_vault;
    const CmkOutcome outcome = cmk_apply(sim, &args);
    if (outcome.status != CMK_STATUS_OK) {
        (void)cmk_agenda_push(sim->world, cmk_world_now(sim->world) + PURGE_RETRY_US,
                              sim->model->events[CMK_EVENT_KEY_PURGE].class_of_ties, timer);
    }
}
