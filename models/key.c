/* Keys and their versions: creation, rotation, attributes, deletion, purge (sections 1 and 2). */
#include "models/key.h"

#include "models/key_store.h"
#include "models/key_vault.h"
#include "models/managed_hsm.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/repairs.h"
#include "models/replica.h"
#include "models/rows.h"

CmkVersionId cmk_key_version_of(const CmkWorld *world, const CmkArgs *args)
{
    const uint32_t named = args->ref[CMK_REF_VERSION];
    const bool is_named =
        named != 0 || args->num[CMK_NUM_VERSION] != 0 || args->ref[CMK_REF_TASK] != 0;
    return (CmkVersionId){is_named ? named : cmk_key_of(world, args)->current_version};
}

CmkVersionId cmk_key_version_numbered(const CmkWorld *world, CmkKeyId key, int64_t number)
{
    uint32_t row = cmk_key(world, key)->current_version;
    while (row != 0 && cmk_version(world, (CmkVersionId){row})->number != number) {
        row = cmk_version(world, (CmkVersionId){row})->previous;
    }
    return (CmkVersionId){row};
}

uint32_t cmk_key_epoch(const CmkWorld *world, uint32_t row)
{
    return cmk_key(world, (CmkKeyId){row})->epoch;
}

/* ---- types and sizes ------------------------------------------------------------------------- */

bool cmk_key_type_is_rsa(uint32_t type)
{
    return type == CMK_KEY_RSA || type == CMK_KEY_RSA_HSM;
}

bool cmk_key_type_is_ec(uint32_t type)
{
    return type == CMK_KEY_EC || type == CMK_KEY_EC_HSM;
}

bool cmk_key_type_is_hsm(uint32_t type)
{
    return type == CMK_KEY_RSA_HSM || type == CMK_KEY_EC_HSM || type == CMK_KEY_OCT_HSM;
}

uint32_t cmk_key_ops_of_type(uint32_t type)
{
    if (cmk_key_type_is_rsa(type)) {
        return CMK_KEY_OPS_ALL;
    }
    return cmk_key_type_is_ec(type) ? CMK_PERMISSION_SIGN | CMK_PERMISSION_VERIFY
                                    : CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP |
                                          CMK_PERMISSION_ENCRYPT | CMK_PERMISSION_DECRYPT;
}

/* Slots of key.create and key.import; those that it has in common with key.update are named there.
 * It names no version and no identity, so the last two are free. */
enum {
    CREATE_TYPE,
    CREATE_SIZE, /* bits, or CmkCurve of an EC key; 0: the usual one */
    CREATE_EXPIRES,
    CREATE_NOT_BEFORE,
    CREATE_ENABLED,
    CREATE_KEY_OPS
};

static bool makes_key(const CmkArgs *args)
{
    return args->op == CMK_OP_KEY_CREATE || args->op == CMK_OP_KEY_IMPORT;
}

static bool is_one_of(int64_t size, const int64_t sizes[3])
{
    return size == sizes[0] || size == sizes[1] || size == sizes[2];
}

static CmkKeyShape shape_to_create(const CmkArgs *args)
{
    static const int64_t rsa[] = {2048, 3072, 4096}; /* KV-2, as the rest here */
    static const int64_t oct[] = {256, 192, 128};
    static const uint32_t curve_bits[CMK_CURVE__COUNT] = {[CMK_CURVE_P256] = 256,
                                                          [CMK_CURVE_P256K] = 256,
                                                          [CMK_CURVE_P384] = 384,
                                                          [CMK_CURVE_P521] = 521};
    const int64_t size = args->num[CREATE_SIZE];
    CmkKeyShape shape = {.type = (CmkKeyType)args->num[CREATE_TYPE]};
    if (cmk_key_type_is_ec(shape.type)) {
        const bool is_curve = size >= 0 && size < CMK_CURVE__COUNT;
        shape.curve = !is_curve ? CMK_CURVE_NONE : size == 0 ? CMK_CURVE_P256 : (CmkCurve)size;
        shape.size_bits = curve_bits[shape.curve];
        return shape;
    }
    const int64_t *sizes = cmk_key_type_is_rsa(shape.type) ? rsa : oct;
    const int64_t bits = size == 0 ? sizes[0] : size;
    shape.size_bits = is_one_of(bits, sizes) ? (uint32_t)bits : 0;
    return shape;
}

CmkKeyShape cmk_key_shape_of(const CmkWorld *world, const CmkArgs *args)
{
    if (makes_key(args)) {
        return shape_to_create(args);
    }
    if (args->op == CMK_OP_KEY_RESTORE) {
        const CmkKeyBackup *backup = cmk_key_backup(world, cmk_key_backup_named(world, args));
        return (CmkKeyShape){
            .type = backup->type, .curve = backup->curve, .size_bits = backup->size_bits};
    }
    const CmkVersion *version = cmk_version(world, cmk_key_version_of(world, args));
    return (CmkKeyShape){.type = version->type, .size_bits = version->size_bits};
}

/* ---- guards ---------------------------------------------------------------------------------- */

static bool key_type_fits_sku(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    *ret_blame = vault->changed_by;
    return cmk_is_about_hsm(args) || !cmk_key_type_is_hsm(cmk_key_shape_of(world, args).type) ||
           vault->sku == CMK_SKU_PREMIUM;
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
    return shape_to_create(args).size_bits != 0;
}

const CmkGuard cmk_guard_key_size_is_offered = {.name = "key-size-is-offered",
                                                .holds = key_size_is_offered,
                                                .status = CMK_STATUS_OF(BAD_PARAMETER),
                                                .rule = "KV-2 KVE-15",
                                                .text = "There are keys of this type with this "
                                                        "size or on this curve."};

/* Slots of key.update. */
enum {
    UPDATE_ENABLED,
    UPDATE_EXPIRES,
    UPDATE_NOT_BEFORE,
    UPDATE_KEY_OPS
};

/* What people say about a version; 0 leaves each as it is. */
typedef struct Attributes {
    int64_t enabled; /* CMK_SAYS_* */
    CmkTime expires; /* CMK_TIME_MAX: never */
    CmkTime not_before;
    int64_t key_ops; /* what it is to be limited to */
} Attributes;

static Attributes attributes_of(const CmkArgs *args)
{
    const int64_t *num = args->num;
    return makes_key(args) ? (Attributes){.enabled = num[CREATE_ENABLED],
                                          .expires = num[CREATE_EXPIRES],
                                          .not_before = num[CREATE_NOT_BEFORE],
                                          .key_ops = num[CREATE_KEY_OPS]}
                           : (Attributes){.enabled = num[UPDATE_ENABLED],
                                          .expires = num[UPDATE_EXPIRES],
                                          .not_before = num[UPDATE_NOT_BEFORE],
                                          .key_ops = num[UPDATE_KEY_OPS]};
}

/* The version that attributes are set of; {0} if it is still to be made. */
static CmkVersionId version_to_set(const CmkWorld *world, const CmkArgs *args)
{
    return makes_key(args) ? (CmkVersionId){0} : cmk_key_version_of(world, args);
}

static bool key_ops_fit_type(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const uint32_t type = makes_key(args) ? shape_to_create(args).type
                                          : cmk_version(world, version_to_set(world, args))->type;
    *ret_blame = cmk_key_of(world, args)->changed_by;
    return (attributes_of(args).key_ops & ~cmk_key_ops_of_type(type)) == 0;
}

const CmkGuard cmk_guard_key_ops_fit_type = {
    .name = "key-ops-fit-type",
    .holds = key_ops_fit_type,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "KV-20 KV-21 KV-22 KVE-15",
    .text = "A key of this type can do what it is to be permitted."};

/* A start that nobody named is that of its making, and keeps nobody from saying that it ended
 * before (assumed). */
static bool validity_is_possible(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkVersion *version = cmk_version(world, version_to_set(world, args));
    const Attributes wanted = attributes_of(args);
    const CmkTime named = version->not_before != version->created ? version->not_before : 0;
    const CmkTime expires = version->number != 0 ? version->expires : CMK_TIME_MAX;
    *ret_blame = version->changed_by;
    return (wanted.not_before != 0 ? wanted.not_before : named) <=
           (wanted.expires != 0 ? wanted.expires : expires);
}

const CmkGuard cmk_guard_validity_is_possible = {
    .name = "validity-is-possible",
    .holds = validity_is_possible,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "KV-13 KVE-15",
    .text = "The validity of the key version begins before it ends."};

static bool key_name_is_free(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKey *key = cmk_key_of(world, args);
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

static bool key_name_is_released(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKey *key = cmk_key_of(world, args);
    *ret_blame = key->changed_by;
    return key->state != CMK_KEY_PURGED || cmk_world_now(world) >= key->name_free_at;
}

const CmkGuard cmk_guard_key_name_is_released = {.name = "key-name-is-released",
                                                 .holds = key_name_is_released,
                                                 .status = CMK_STATUS_OF(KEY_IS_BEING_DELETED),
                                                 .rule = "SD-13",
                                                 .text = "A purged key has set its name free."};

static bool key_is_not_being_deleted(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    const CmkKey *key = cmk_key_of(world, args);
    *ret_blame = key->changed_by;
    return key->state != CMK_KEY_DELETING;
}

const CmkGuard cmk_guard_key_is_not_being_deleted = {
    .name = "key-is-not-being-deleted",
    .holds = key_is_not_being_deleted,
    .status = CMK_STATUS_OF(KEY_IS_BEING_DELETED),
    .rule = "KVE-12 SD-12",
    .text = "The key is not on its way to the deleted state."};

static bool key_is_not_being_recovered(const CmkWorld *world, const CmkArgs *args,
                                       uint64_t *ret_blame)
{
    const CmkKey *key = cmk_key_of(world, args);
    *ret_blame = key->changed_by;
    return key->state != CMK_KEY_RECOVERING;
}

const CmkGuard cmk_guard_key_is_not_being_recovered = {
    .name = "key-is-not-being-recovered",
    .holds = key_is_not_being_recovered,
    .status = CMK_STATUS_OF(KEY_IS_BEING_RECOVERED),
    .rule = "KVE-13 SD-12",
    .text = "The key is not on its way back from the deleted state."};

static bool key_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKey *key = cmk_key_of(world, args);
    *ret_blame = key->changed_by;
    return key->state == CMK_KEY_ACTIVE;
}

const CmkGuard cmk_guard_key_exists = {
    .name = "key-exists",
    .holds = key_exists,
    .status = CMK_STATUS_OF(KEY_NOT_FOUND),
    .rule = "KVE-10 KV-33 SD-5",
    .text = "The key exists and is not deleted.",
    .repairs = {{CMK_OP_KEY_RECOVER, cmk_repair_same_key, "recover the deleted key"},
                {CMK_OP_KEY_RESTORE, cmk_repair_restore_key,
                 "restore the purged key from its last backup"}}};

static bool version_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkVersion *version = cmk_version(world, cmk_key_version_of(world, args));
    *ret_blame = version->missing_by != 0 ? version->missing_by : version->changed_by;
    return version->number != 0 && version->is_purged == 0 && version->missing_by == 0 &&
           version->key == args->ref[CMK_REF_KEY];
}

const CmkGuard cmk_guard_version_exists = {.name = "version-exists",
                                           .holds = version_exists,
                                           .status = CMK_STATUS_OF(KEY_NOT_FOUND),
                                           .rule = "KVE-10 KV-33",
                                           .text =
                                               "The version of the key exists and is not purged."};

static bool key_is_deleted(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkKey *key = cmk_key_of(world, args);
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
    const CmkKey *key = cmk_key_of(world, args);
    const CmkKeyStore store = cmk_key_store_of(world, (CmkKeyId){args->ref[CMK_REF_KEY]});
    *ret_blame = store.changed_by;
    return !store.has_purge_protection || cmk_world_now(world) >= key->purge_at;
}

const CmkGuard cmk_guard_purge_is_allowed = {
    .name = "purge-is-allowed",
    .holds = purge_is_allowed,
    .status = CMK_STATUS_OF(PURGE_REFUSED),
    .rule = "KVE-9 SD-9 HSM-11",
    .text = "The key vault or HSM has no purge protection, or the retention of the deleted key is "
            "over."};

/* ---- versions -------------------------------------------------------------------------------- */

CmkVersion *cmk_key_add_version(CmkSim *sim, CmkKeyId id)
{
    CmkKey *key = cmk_key_mut(sim, id);
    const CmkVersionId version_id = {cmk_world_row_add(sim->world, CMK_TABLE_VERSION)};
    CmkVersion *version = cmk_version_mut(sim, version_id);
    cmk_replica_keep_key(sim, key);
    cmk_replica_keep_version(sim, version);
    version->key = id.i;
    version->number = ++key->version_count;
    version->type = key->type;
    version->size_bits = key->size_bits;
    version->is_enabled = 1; /* KV-12 */
    version->key_ops = cmk_key_ops_of_type(key->type);
    version->previous = key->current_version;
    version->created = cmk_world_now(sim->world);
    version->not_before = version->created; /* KV-12 */
    version->expires = CMK_TIME_MAX;
    version->changed_by = cmk_this_seq(sim);
    key->current_version = version_id.i; /* KV-10 */
    return version;
}

static void set_attributes(CmkVersion *version, const Attributes *wanted)
{
    if (wanted->enabled != 0) {
        version->is_enabled = wanted->enabled == CMK_SAYS_TRUE;
    }
    version->expires = wanted->expires != 0 ? wanted->expires : version->expires;
    version->not_before = wanted->not_before != 0 ? wanted->not_before : version->not_before;
    version->key_ops = wanted->key_ops != 0 ? (uint32_t)wanted->key_ops : version->key_ops;
}

void cmk_key_destroy(CmkSim *sim, CmkKeyId id)
{
    CmkKey *key = cmk_key_mut(sim, id);
    cmk_managed_hsm_uncount_key(sim, key);
    key->written_at = 0; /* what is destroyed is so in the pair too */
    key->state = CMK_KEY_PURGED;
    key->epoch++;
    key->rotation_epoch++;
    key->name_free_at = cmk_world_now(sim->world) + cmk_knob(sim->world, CMK_KNOB_NAME_RELEASE);
    key->changed_by = cmk_this_seq(sim);
    uint32_t row = key->current_version;
    for (uint32_t left = key->version_count; row != 0 && left > 0; left--) {
        CmkVersion *version = cmk_version_mut(sim, (CmkVersionId){row});
        version->is_purged = 1;
        version->changed_by = cmk_this_seq(sim);
        row = version->previous;
    }
}

/* ---- operations ------------------------------------------------------------------------------ */

static uint32_t key_create(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyId id = {args->ref[CMK_REF_KEY]};
    const CmkKeyShape shape = shape_to_create(args);
    CmkKey *key = cmk_key_mut(sim, id);
    const bool is_new = key->state != CMK_KEY_ACTIVE;
    cmk_replica_keep_key(sim, key);
    cmk_managed_hsm_count_key(sim, key, is_new);
    if (is_new) {
        key->current_version = 0;
        key->version_count = 0;
        key->rotation = (CmkRotationPolicy){0};
    }
    key->type = shape.type;
    key->curve = shape.curve;
    key->size_bits = shape.size_bits;
    key->state = CMK_KEY_ACTIVE;
    key->epoch++;
    key->changed_by = cmk_this_seq(sim);
    const Attributes wanted = attributes_of(args);
    set_attributes(cmk_key_add_version(sim, id), &wanted);
    cmk_key_expect_rotation(sim, id, args);
    if (!is_new) {
        cmk_rotation_expect(sim, id, args);
    }
    return key->current_version;
}

/* What makes a key or a version, of new material or of imported. */
#define MAKING_A_KEY                                                                               \
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY},                                          \
               {"type", CMK_PARAM_KEY_TYPE, 1, 0, CREATE_TYPE},                                    \
               {"size", CMK_PARAM_INTEGER, 1, 0, CREATE_SIZE},                                     \
               {"curve", CMK_PARAM_KEY_CURVE, 1, 0, CREATE_SIZE},                                  \
               {"enabled", CMK_PARAM_BOOLEAN, 1, 0, CREATE_ENABLED},                               \
               {"expires", CMK_PARAM_EXPIRY, 1, 0, CREATE_EXPIRES},                                \
               {"not_before", CMK_PARAM_INSTANT, 1, 0, CREATE_NOT_BEFORE},                         \
               {"key_ops", CMK_PARAM_KEY_OPS, 1, 0, CREATE_KEY_OPS}},                              \
    .guards = {CMK_GUARDS_TO_MANAGE_KEYS,                                                          \
               CMK_GUARD_KEY_IS_NOT_BEING_DELETED,                                                 \
               CMK_GUARD_KEY_IS_NOT_BEING_RECOVERED,                                               \
               CMK_GUARD_KEY_NAME_IS_FREE,                                                         \
               CMK_GUARD_KEY_NAME_IS_RELEASED,                                                     \
               CMK_GUARD_HSM_HAS_ROOM_FOR_KEY,                                                     \
               CMK_GUARD_HSM_HAS_ROOM_FOR_VERSION,                                                 \
               CMK_GUARD_KEY_TYPE_FITS_SKU,                                                        \
               CMK_GUARD_HSM_OFFERS_KEY_TYPE,                                                      \
               CMK_GUARD_KEY_SIZE_IS_OFFERED,                                                      \
               CMK_GUARD_KEY_OPS_FIT_TYPE,                                                         \
               CMK_GUARD_VALIDITY_IS_POSSIBLE},                                                    \
    .writes = CMK_BIT(KEY) | CMK_BIT(VERSION) | CMK_BIT(MANAGED_HSM) | CMK_BIT_TIMERS,             \
    .effect = key_create, .account = cmk_key_vault_count_request

const CmkOperation cmk_op_key_create = {
    .name = "key.create",
    .permission = CMK_PERMISSION_CREATE,
    .text = "A key is created, or a new version of one that exists (KV-10).",
    MAKING_A_KEY,
    .rules = "KV-1 KV-2 KV-4 KV-9 KV-10 KV-12 KV-20",
    .action = "Microsoft.KeyVault/vaults/keys/create/action",
    .az = "az keyvault key create",
    .audit = "KeyCreate",
};

/* Where the material comes from is not modelled: it is as new as that of any other version. */
const CmkOperation cmk_op_key_import = {
    .name = "key.import",
    .permission = CMK_PERMISSION_IMPORT,
    .text = "Key material from outside becomes a key, or a new version of one that exists (KV-10).",
    MAKING_A_KEY,
    .rules = "KV-2 KV-9 KV-10 KV-12 KV-20 AC-21",
    .action = "Microsoft.KeyVault/vaults/keys/import/action",
    .az = "az keyvault key import",
    .audit = "KeyImport",
};

static uint32_t key_rotate(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyId id = {args->ref[CMK_REF_KEY]};
    (void)cmk_key_rotate_version(sim, id);
    cmk_key_expect_rotation(sim, id, args);
    cmk_rotation_expect(sim, id, args);
    return cmk_key(sim->world, id)->current_version;
}

const CmkOperation cmk_op_key_rotate = {
    .name = "key.rotate",
    .permission = CMK_PERMISSION_ROTATE,
    .text = "The key gets a new version, which becomes the current one.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY}},
    .guards = {CMK_GUARDS_TO_MANAGE_KEYS, CMK_GUARDS_KEY_IS_THERE, CMK_GUARD_HSM_KEY_HAS_POLICY,
               CMK_GUARD_HSM_HAS_ROOM_FOR_VERSION},
    .writes = CMK_BIT(KEY) | CMK_BIT(VERSION) | CMK_BIT_TIMERS,
    .effect = key_rotate,
    .account = cmk_key_vault_count_request,
    .rules = "KV-10 ROT-3 ROT-10 ROT-11",
    .action = "Microsoft.KeyVault/vaults/keys/rotate/action",
    .az = "az keyvault key rotate",
    .audit = "KeyRotate",
};

static uint32_t key_update(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyId key_id = {args->ref[CMK_REF_KEY]};
    const CmkVersionId id = cmk_key_version_of(sim->world, args);
    CmkVersion *version = cmk_version_mut(sim, id);
    const Attributes wanted = attributes_of(args);
    cmk_replica_keep_version(sim, version);
    set_attributes(version, &wanted);
    version->changed_by = cmk_this_seq(sim);
    if (wanted.expires != 0) {
        cmk_key_mut(sim, key_id)->notified_version = 0;
        cmk_key_expect_rotation(sim, key_id, args);
    }
    cmk_rotation_expect(sim, key_id, args);
    return id.i;
}

const CmkOperation cmk_op_key_update = {
    .name = "key.update",
    .permission = CMK_PERMISSION_UPDATE,
    .text = "Attributes of a key version are set: enabled, expiry, start of validity, what it "
            "permits.",
    .params = {{"key", CMK_PARAM_KEY_TARGET, 0, 1, CMK_REF_KEY},
               {"enabled", CMK_PARAM_BOOLEAN, 1, 0, UPDATE_ENABLED},
               {"expires", CMK_PARAM_EXPIRY, 1, 0, UPDATE_EXPIRES},
               {"not_before", CMK_PARAM_INSTANT, 1, 0, UPDATE_NOT_BEFORE},
               {"key_ops", CMK_PARAM_KEY_OPS, 1, 0, UPDATE_KEY_OPS}},
    .guards = {CMK_GUARDS_TO_MANAGE_KEYS, CMK_GUARDS_KEY_IS_THERE, CMK_GUARD_VERSION_EXISTS,
               CMK_GUARD_KEY_OPS_FIT_TYPE, CMK_GUARD_VALIDITY_IS_POSSIBLE},
    .writes = CMK_BIT(KEY) | CMK_BIT(VERSION) | CMK_BIT_TIMERS,
    .effect = key_update,
    .account = cmk_key_vault_count_request,
    .rules = "KV-11 KV-12 KV-19 KV-20",
    .action = "Microsoft.KeyVault/vaults/keys/update/action",
    .az = "az keyvault key set-attributes",
    .audit = "KeyUpdate",
};

/* Whether the key is on its way for a while, of which a timer tells the end (SD-12). */
static bool goes_on(CmkSim *sim, const CmkArgs *args, CmkKnobId duration)
{
    const int64_t duration_us = cmk_knob(sim->world, duration);
    if (duration_us > 0) {
        (void)cmk_engine_set_timer(sim, cmk_world_now(sim->world) + duration_us,
                                   CMK_EVENT_KEY_SETTLE, args->ref[CMK_REF_KEY], args);
    }
    return duration_us > 0;
}

static uint32_t key_delete(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyId id = {args->ref[CMK_REF_KEY]};
    CmkKey *key = cmk_key_mut(sim, id);
    cmk_replica_keep_key(sim, key);
    key->epoch++;
    key->deleted_at = cmk_world_now(sim->world);
    key->changed_by = cmk_this_seq(sim);
    key->state = goes_on(sim, args, CMK_KNOB_KEY_DELETING) ? CMK_KEY_DELETING : CMK_KEY_DELETED;
    const uint32_t days = cmk_key_recoverable_days(sim->world, id);
    /* Without soft delete nothing is kept longer than the deletion takes. */
    key->purge_at = key->deleted_at +
                    (days != 0 ? days * CMK_DAY_US : cmk_knob(sim->world, CMK_KNOB_KEY_DELETING));
    (void)cmk_engine_set_timer(sim, key->purge_at, CMK_EVENT_KEY_PURGE, id.i, args);
    cmk_key_expect_rotation(sim, id, args);
    return id.i;
}

const CmkOperation cmk_op_key_delete = {
    .name = "key.delete",
    .permission = CMK_PERMISSION_DELETE,
    .text = "The key with all its versions goes to the deleted state, to be purged later.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY}},
    .guards = {CMK_GUARDS_TO_MANAGE_KEYS, CMK_GUARDS_KEY_IS_THERE},
    .writes = CMK_BIT(KEY) | CMK_BIT_TIMERS,
    .effect = key_delete,
    .account = cmk_key_vault_count_request,
    .rules = "SD-5 SD-6 SD-12 SD-22 KV-25",
    .action = "Microsoft.KeyVault/vaults/keys/delete",
    .az = "az keyvault key delete",
    .audit = "KeyDelete",
};

static uint32_t key_recover(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyId id = {args->ref[CMK_REF_KEY]};
    CmkKey *key = cmk_key_mut(sim, id);
    cmk_replica_keep_key(sim, key);
    key->epoch++;
    key->changed_by = cmk_this_seq(sim);
    /* With all versions as they were, SD-11. */
    key->state = goes_on(sim, args, CMK_KNOB_KEY_RECOVERING) ? CMK_KEY_RECOVERING : CMK_KEY_ACTIVE;
    cmk_key_expect_rotation(sim, id, args);
    cmk_rotation_expect(sim, id, args);
    return id.i;
}

const CmkOperation cmk_op_key_recover = {
    .name = "key.recover",
    .permission = CMK_PERMISSION_RECOVER,
    .text = "A deleted key comes back with all its versions and the same URIs.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY}},
    .guards = {CMK_GUARDS_TO_MANAGE_KEYS, CMK_GUARD_KEY_IS_NOT_BEING_DELETED,
               CMK_GUARD_KEY_IS_NOT_BEING_RECOVERED, CMK_GUARD_KEY_IS_DELETED},
    .writes = CMK_BIT(KEY) | CMK_BIT_TIMERS,
    .effect = key_recover,
    .account = cmk_key_vault_count_request,
    .rules = "SD-5 SD-11 SD-12 SD-22",
    .action = "Microsoft.KeyVault/vaults/keys/recover/action",
    .az = "az keyvault key recover",
    .audit = "KeyRecover",
};

static uint32_t key_purge(CmkSim *sim, const CmkArgs *args)
{
    cmk_key_destroy(sim, (CmkKeyId){args->ref[CMK_REF_KEY]});
    return args->ref[CMK_REF_KEY];
}

const CmkOperation cmk_op_key_purge = {
    .name = "key.purge",
    .permission = CMK_PERMISSION_PURGE,
    .text = "A deleted key is destroyed for good; what only it could open is lost.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY}},
    .guards = {CMK_GUARDS_TO_CHANGE(CMK_GUARD_KEY_VAULT_LETS_PURGE,
                                    CMK_GUARD_MANAGED_HSM_LETS_PURGE),
               CMK_GUARD_KEY_IS_NOT_BEING_DELETED, CMK_GUARD_KEY_IS_NOT_BEING_RECOVERED,
               CMK_GUARD_KEY_IS_DELETED, CMK_GUARD_PURGE_IS_ALLOWED},
    .writes = CMK_BIT(KEY) | CMK_BIT(VERSION) | CMK_BIT(MANAGED_HSM),
    .effect = key_purge,
    .account = cmk_key_vault_count_request,
    .rules = "SD-6 SD-9 SD-13 SD-22 BV-23 OQ-29",
    .action = "Microsoft.KeyVault/vaults/keys/purge/action",
    .az = "az keyvault key purge",
    .audit = "KeyPurge",
};

static uint32_t settled(uint32_t state)
{
    if (state == CMK_KEY_RECOVERING) {
        return CMK_KEY_ACTIVE;
    }
    return state == CMK_KEY_DELETING ? CMK_KEY_DELETED : state;
}

/* The epoch stays as it is: the purge that is pending since the deletion is still to come. What a
 * pair shows, or does not show yet, settles too. */
static uint32_t key_settle(CmkSim *sim, const CmkArgs *args)
{
    CmkKey *key = cmk_key_mut(sim, (CmkKeyId){args->ref[CMK_REF_KEY]});
    if (key->state == CMK_KEY_RECOVERING) {
        key->changed_by = cmk_this_seq(sim);
    } /* a deletion stays the fault of whoever asked for it */
    key->state = settled(key->state);
    key->state_before = settled(key->state_before);
    return args->ref[CMK_REF_KEY];
}

const CmkOperation cmk_op_key_settle = {
    .name = "key.settle",
    .text = "The deletion or recovery of a key comes to its end.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY}},
    .writes = CMK_BIT(KEY),
    .effect = key_settle,
    .rules = "SD-12 SD-22",
};

/* ---- what comes to pass by itself ------------------------------------------------------------ */

static CmkArgs args_about(const CmkSim *sim, CmkOpId op, const CmkTimer *timer)
{
    CmkArgs args = cmk_args_of_timer(op, timer);
    cmk_key_store_refer(sim->world, (CmkKeyId){timer->subject}, &args);
    return args;
}

void cmk_on_key_settle(CmkSim *sim, const CmkTimer *timer)
{
    const CmkArgs args = args_about(sim, CMK_OP_KEY_SETTLE, timer);
    (void)cmk_apply(sim, &args);
}

/* How long the service waits with what an outage of the region does not let through. */
#define RETRY_US CMK_HOUR_US

static void retry(CmkSim *sim, const CmkTimer *timer)
{
    (void)cmk_engine_repeat_timer(sim, cmk_world_now(sim->world) + RETRY_US, timer);
}

void cmk_key_retry(CmkSim *sim, const CmkTimer *timer)
{
    if (cmk_key_store_of(sim->world, (CmkKeyId){timer->subject}).is_there) {
        retry(sim, timer);
    } /* while the key vault is deleted nothing rotates in it: cmk_key_resume() */
}

void cmk_on_key_purge(CmkSim *sim, const CmkTimer *timer)
{
    const CmkArgs args = args_about(sim, CMK_OP_KEY_PURGE, timer);
    if (cmk_apply(sim, &args).status != CMK_STATUS_OK) {
        retry(sim, timer);
    }
}

void cmk_key_resume(CmkSim *sim, CmkKeyId id, const CmkArgs *args)
{
    if (cmk_key(sim->world, id)->state == CMK_KEY_ACTIVE) {
        cmk_key_expect_rotation(sim, id, args);
    }
}
