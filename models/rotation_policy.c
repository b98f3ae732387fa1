/* Rotation policies of keys: what a key vault does by itself as a version grows old (section 12).
 */
#include "models/key.h"
#include "models/key_store.h"
#include "models/key_vault.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/rows.h"

/* Slots of key.set_rotation_policy. */
enum {
    ROTATE_AFTER,
    ROTATE_BEFORE_EXPIRY,
    EXPIRY,
    NOTIFY_BEFORE_EXPIRY,
    NOTIFY_AFTER = CMK_NUM_SYSTEM /* it names no identity, so this one is free */
};

/* Nothing happens to a version earlier after its creation, or later before its expiry (ROT-9). */
#define MARGIN_US (7 * CMK_DAY_US)

uint32_t cmk_key_rotation_epoch(const CmkWorld *world, uint32_t row)
{
    return cmk_key(world, (CmkKeyId){row})->rotation_epoch;
}

/* ---- what is to come ------------------------------------------------------------------------- */

/* When the current version is to be replaced; CMK_TIME_MAX: never. */
static CmkTime rotation_time(const CmkKey *key, const CmkVersion *version)
{
    if (key->rotation.rotate_after_us != 0) {
        return version->created + key->rotation.rotate_after_us;
    }
    if (key->rotation.rotate_before_expiry_us != 0 && version->expires != CMK_TIME_MAX) {
        return version->expires - key->rotation.rotate_before_expiry_us;
    }
    return CMK_TIME_MAX;
}

/* When people are told of its age or its coming expiry; CMK_TIME_MAX: never, or they have been
 * told.
 */
static CmkTime notice_time(const CmkKey *key, const CmkVersion *version)
{
    if (key->notified_version == key->current_version) {
        return CMK_TIME_MAX;
    }
    if (key->rotation.notify_after_us != 0) {
        return version->created + key->rotation.notify_after_us;
    }
    if (key->rotation.notify_before_expiry_us != 0 && version->expires != CMK_TIME_MAX) {
        return version->expires - key->rotation.notify_before_expiry_us;
    }
    return CMK_TIME_MAX;
}

static void expect(CmkSim *sim, CmkTime time, uint32_t kind, CmkKeyId id, const CmkArgs *args)
{
    const CmkTime now = cmk_world_now(sim->world);
    if (time != CMK_TIME_MAX) {
        (void)cmk_engine_set_timer(sim, time > now ? time : now, kind, id.i, args);
    }
}

void cmk_key_expect_rotation(CmkSim *sim, CmkKeyId id, const CmkArgs *args)
{
    CmkKey *key = cmk_key_mut(sim, id);
    const CmkVersion *version = cmk_version(sim->world, (CmkVersionId){key->current_version});
    key->rotation_epoch++;
    if (key->state != CMK_KEY_DELETED && key->state != CMK_KEY_DELETING) {
        const CmkTime rotation = rotation_time(key, version);
        const CmkTime notice = notice_time(key, version);
        expect(sim, rotation, CMK_EVENT_KEY_ROTATION, id, args);
        /* Of a version that is rotated out before there is nothing to tell. */
        expect(sim, notice < rotation ? notice : CMK_TIME_MAX, CMK_EVENT_KEY_NEAR_EXPIRY, id, args);
    }
}

CmkVersion *cmk_key_rotate_version(CmkSim *sim, CmkKeyId id)
{
    const CmkKey *key = cmk_key(sim->world, id);
    const CmkVersionId before = {key->current_version};
    CmkVersion *version = cmk_key_add_version(sim, id);
    version->key_ops = cmk_version(sim->world, before)->key_ops;
    if (key->rotation.expiry_us != 0) {
        version->expires = version->created + key->rotation.expiry_us; /* ROT-10 */
    }
    return version;
}

/* ---- setting a policy ------------------------------------------------------------------------ */

/* Whether something can be done so long before or after an end of the validity, which is so long if
 * the policy says so; else it is that of each version. */
static bool is_between(int64_t length_us, int64_t expiry_us)
{
    return length_us == 0 ||
           (length_us >= MARGIN_US && (expiry_us == 0 || expiry_us - length_us >= MARGIN_US));
}

static bool rotation_policy_is_possible(const CmkWorld *world, const CmkArgs *args,
                                        uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    const int64_t after = args->num[ROTATE_AFTER];
    const int64_t before = args->num[ROTATE_BEFORE_EXPIRY];
    const int64_t expiry = args->num[EXPIRY];
    const int64_t notify_after = args->num[NOTIFY_AFTER];
    const int64_t notify_before = args->num[NOTIFY_BEFORE_EXPIRY];
    const bool is_one_each =
        (after == 0 || before == 0) && (notify_after == 0 || notify_before == 0);
    const bool has_expiry = before == 0 || expiry != 0; /* of the versions rotated in */
    return is_one_each && has_expiry && is_between(after, expiry) && is_between(before, expiry) &&
           is_between(notify_after, expiry) && is_between(notify_before, expiry);
}

const CmkGuard cmk_guard_rotation_policy_is_possible = {
    .name = "rotation-policy-is-possible",
    .holds = rotation_policy_is_possible,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "ROT-9",
    .text = "Rotation and notice are each counted from the creation or from the expiry, and come "
            "at least 7 days after the one and 7 days before the other; rotation before the "
            "expiry needs one for the versions rotated in."};

CmkRotationPolicy cmk_rotation_policy_asked(const CmkArgs *args)
{
    return (CmkRotationPolicy){.rotate_after_us = args->num[ROTATE_AFTER],
                               .rotate_before_expiry_us = args->num[ROTATE_BEFORE_EXPIRY],
                               .expiry_us = args->num[EXPIRY],
                               .notify_before_expiry_us = args->num[NOTIFY_BEFORE_EXPIRY],
                               .notify_after_us = args->num[NOTIFY_AFTER]};
}

static uint32_t key_set_rotation_policy(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyId id = {args->ref[CMK_REF_KEY]};
    CmkKey *key = cmk_key_mut(sim, id);
    key->rotation = cmk_rotation_policy_asked(args);
    key->notified_version = 0;
    cmk_key_expect_rotation(sim, id, args);
    return id.i;
}

const CmkOperation cmk_op_key_set_rotation_policy = {
    .name = "key.set_rotation_policy",
    .permission = CMK_PERMISSION_SET_ROTATION_POLICY,
    .text = "A key's rotation policy is set: when it gets a new version by itself, when that one "
            "expires, and when people are told.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY},
               {"rotate_after", CMK_PARAM_DURATION, 1, 0, ROTATE_AFTER},
               {"rotate_before_expiry", CMK_PARAM_DURATION, 1, 0, ROTATE_BEFORE_EXPIRY},
               {"expiry", CMK_PARAM_DURATION, 1, 0, EXPIRY},
               {"notify_before_expiry", CMK_PARAM_DURATION, 1, 0, NOTIFY_BEFORE_EXPIRY},
               {"notify_after", CMK_PARAM_DURATION, 1, 0, NOTIFY_AFTER}},
    .guards = {CMK_GUARDS_TO_MANAGE_KEYS, CMK_GUARDS_KEY_IS_THERE,
               CMK_GUARD_ROTATION_POLICY_IS_POSSIBLE, CMK_GUARD_HSM_POLICY_IS_POSSIBLE},
    .writes = CMK_BIT(KEY) | CMK_BIT_TIMERS,
    .effect = key_set_rotation_policy,
    .account = cmk_key_vault_count_request,
    .rules = "ROT-9 ROT-10",
    .action = "Microsoft.KeyVault/vaults/keys/rotationPolicy/write",
    .az = "az keyvault key rotation-policy update",
};

/* ---- what the key vault does by itself ------------------------------------------------------- */

static uint32_t key_rotate_if_due(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyId id = {args->ref[CMK_REF_KEY]};
    (void)cmk_key_rotate_version(sim, id);
    cmk_key_expect_rotation(sim, id, args);
    cmk_rotation_expect(sim, id, args);
    return cmk_key(sim->world, id)->current_version;
}

static void count_rotation(CmkSim *sim, const CmkArgs *args, CmkGuardId guard)
{
    if (guard == CMK_GUARD_NONE && cmk_is_open(sim->world) && !cmk_is_about_hsm(args)) {
        const CmkKeyVaultId vault = {args->ref[CMK_REF_KEY_VAULT]};
        cmk_key_vault_meter_mut(sim, vault)
            ->rotations++; /* COST-15; in an HSM they are free: HSM-21 */
    }
}

const CmkOperation cmk_op_key_rotate_if_due = {
    .name = "key.rotate_if_due",
    .text = "The key vault gives a key a new version, as its rotation policy says.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY}},
    .guards = {CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_KEY_VAULT_IS_REACHABLE,
               CMK_GUARD_KEY_VAULT_IS_WRITABLE, CMK_GUARD_MANAGED_HSM_EXISTS,
               CMK_GUARD_MANAGED_HSM_IS_REACHABLE, CMK_GUARD_KEY_EXISTS,
               CMK_GUARD_HSM_HAS_ROOM_FOR_VERSION},
    .writes = CMK_BIT(KEY) | CMK_BIT(VERSION) | CMK_BIT_TIMERS,
    .effect = key_rotate_if_due,
    .account = count_rotation,
    .rules = "KV-10 ROT-9 ROT-10 ROT-12",
    .audit = "KeyRotateIfDue",
};

static uint32_t key_notify_near_expiry(CmkSim *sim, const CmkArgs *args)
{
    CmkKey *key = cmk_key_mut(sim, (CmkKeyId){args->ref[CMK_REF_KEY]});
    key->notified_version = key->current_version;
    return key->current_version;
}

const CmkOperation cmk_op_key_notify_near_expiry = {
    .name = "key.notify_near_expiry",
    .text =
        "People are told that the current version of a key expires soon, or has reached an age.",
    .params = {{"key", CMK_PARAM_KEY, 0, 1, CMK_REF_KEY}},
    .guards = {CMK_GUARD_KEY_VAULT_EXISTS, CMK_GUARD_KEY_VAULT_IS_REACHABLE, CMK_GUARD_KEY_EXISTS},
    .writes = CMK_BIT(KEY),
    .effect = key_notify_near_expiry,
    .rules = "ROT-9",
};

static void act(CmkSim *sim, const CmkTimer *timer, CmkOpId op)
{
    CmkArgs args = cmk_args_of_timer(op, timer);
    cmk_key_store_refer(sim->world, (CmkKeyId){timer->subject}, &args);
    if (cmk_apply(sim, &args).status != CMK_STATUS_OK) {
        cmk_key_retry(sim, timer);
    }
}

void cmk_on_key_rotation(CmkSim *sim, const CmkTimer *timer)
{
    act(sim, timer, CMK_OP_KEY_ROTATE_IF_DUE);
}

void cmk_on_key_near_expiry(CmkSim *sim, const CmkTimer *timer)
{
    act(sim, timer, CMK_OP_KEY_NOTIFY_NEAR_EXPIRY);
}
