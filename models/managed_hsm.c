/* Managed HSMs: creation, protection, regions, soft delete and purge (section 4). */
#include "models/managed_hsm.h"

#include "models/access.h"
#include "models/key.h"
#include "models/key_store.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/network.h"
#include "models/region.h"
#include "models/repairs.h"
#include "models/replica.h"
#include "models/rows.h"

#define USUAL_RETENTION_DAYS 90 /* HSM-10 */
#define HSMS_MAX 5              /* HSM-20: in one region of a subscription, */
#define KEYS_MAX 5000           /* keys in one of them, */
#define VERSIONS_MAX 100        /* and versions of a key */
/* HSM-21: nothing rotates, and nothing expires, before it is so old. */
#define ROTATION_MIN_US (28 * CMK_DAY_US)

uint32_t cmk_managed_hsm_epoch(const CmkWorld *world, uint32_t row)
{
    return cmk_managed_hsm(world, (CmkManagedHsmId){row})->epoch;
}

/* ---- what one can tell about it -------------------------------------------------------------- */

bool cmk_managed_hsm_has_second(const CmkWorld *world, CmkManagedHsmId id)
{
    const CmkManagedHsm *hsm = cmk_managed_hsm(world, id);
    return hsm->second_region != 0 && cmk_world_now(world) >= hsm->second_from;
}

bool cmk_managed_hsm_answers(const CmkWorld *world, CmkManagedHsmId id)
{
    const CmkManagedHsm *hsm = cmk_managed_hsm(world, id);
    return !cmk_region_is_down(world, (CmkRegionId){hsm->region}) ||
           (cmk_managed_hsm_has_second(world, id) &&
            !cmk_region_is_down(world, (CmkRegionId){hsm->second_region}));
}

static bool is_state(const CmkWorld *world, const CmkArgs *args, CmkManagedHsmState state,
                     uint64_t *ret_blame)
{
    *ret_blame = cmk_managed_hsm_of(world, args)->changed_by;
    return cmk_managed_hsm_of(world, args)->state == (uint32_t)state;
}

/* ---- guards on requests about keys: each holds for key vaults -------------------------------- */

static bool managed_hsm_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return !cmk_is_about_hsm(args) ||
           is_state(world, args, CMK_MANAGED_HSM_PROVISIONED, ret_blame) ||
           is_state(world, args, CMK_MANAGED_HSM_ACTIVE, ret_blame);
}

static bool recover_hsm(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_MANAGED_HSM] = refused->ref[CMK_REF_MANAGED_HSM];
    return cmk_managed_hsm_of(world, refused)->state == CMK_MANAGED_HSM_DELETED;
}

const CmkGuard cmk_guard_managed_hsm_exists = {
    .name = "managed-hsm-exists",
    .holds = managed_hsm_exists,
    .status = CMK_STATUS_OF(MANAGED_HSM_NOT_FOUND),
    .rule = "HSM-1 HSM-10 ERR-M5",
    .text = "The Managed HSM's name resolves.",
    .repairs = {{CMK_OP_MANAGED_HSM_RECOVER, recover_hsm, "recover the deleted Managed HSM"}}};

/* As with key vaults, the service itself purges what is in a deleted one when its date comes. */
static bool managed_hsm_lets_purge(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return (args->actor == CMK_ACTOR_PLATFORM &&
            is_state(world, args, CMK_MANAGED_HSM_DELETED, ret_blame)) ||
           managed_hsm_exists(world, args, ret_blame);
}

const CmkGuard cmk_guard_managed_hsm_lets_purge = {
    .name = "managed-hsm-lets-purge",
    .holds = managed_hsm_lets_purge,
    .status = CMK_STATUS_OF(MANAGED_HSM_NOT_FOUND),
    .rule = "HSM-10 SD-6",
    .text = "The Managed HSM's name resolves, or the service itself purges a key whose date has "
            "come while the HSM is deleted.",
    .repairs = {{CMK_OP_MANAGED_HSM_RECOVER, recover_hsm, "recover the deleted Managed HSM"}}};

static bool return_region(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkRegionId region = {cmk_managed_hsm_of(world, refused)->region};
    ret->ref[CMK_REF_REGION] = region.i;
    return cmk_region_is_down(world, region);
}

static bool managed_hsm_is_reachable(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    const CmkRegionId region = {cmk_managed_hsm_of(world, args)->region};
    *ret_blame = cmk_region(world, region)->changed_by;
    return !cmk_is_about_hsm(args) ||
           cmk_managed_hsm_answers(world, (CmkManagedHsmId){args->ref[CMK_REF_MANAGED_HSM]});
}

const CmkGuard cmk_guard_managed_hsm_is_reachable = {
    .name = "managed-hsm-is-reachable",
    .holds = managed_hsm_is_reachable,
    .status = CMK_STATUS_OF(MANAGED_HSM_UNREACHABLE),
    .rule = "HSM-15 HSM-16 KVE-19",
    .text = "The region of the Managed HSM answers, or the second one that it extends to.",
    .repairs = {{CMK_OP_REGION_RETURN, return_region,
                 "wait for the region to come back: nothing fails over"}}};

static bool managed_hsm_is_activated(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    return !cmk_is_about_hsm(args) ||
           !is_state(world, args, CMK_MANAGED_HSM_PROVISIONED, ret_blame);
}

static bool activate_hsm(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    (void)world;
    ret->ref[CMK_REF_MANAGED_HSM] = refused->ref[CMK_REF_MANAGED_HSM];
    return true;
}

const CmkGuard cmk_guard_managed_hsm_is_activated = {
    .name = "managed-hsm-is-activated",
    .holds = managed_hsm_is_activated,
    .status = CMK_STATUS_OF(MANAGED_HSM_NOT_ACTIVATED),
    .rule = "HSM-3 ERR-M5",
    .text = "The security domain of the Managed HSM has been downloaded, which activates it.",
    .repairs = {{CMK_OP_MANAGED_HSM_ACTIVATE, activate_hsm,
                 "activate the Managed HSM by downloading its security domain"}}};

/* ---- guards on keys in it -------------------------------------------------------------------- */

static bool hsm_offers_key_type(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)ret_blame;
    return !cmk_is_about_hsm(args) || cmk_key_type_is_hsm(cmk_key_shape_of(world, args).type);
}

const CmkGuard cmk_guard_hsm_offers_key_type = {
    .name = "hsm-offers-key-type",
    .holds = hsm_offers_key_type,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "HSM-1",
    .text = "Keys in a Managed HSM are RSA-HSM, EC-HSM or oct-HSM."};

static bool is_new_key(const CmkKey *key)
{
    return key->state == CMK_KEY_ABSENT || key->state == CMK_KEY_PURGED;
}

static bool hsm_has_room_for_key(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkManagedHsm *hsm = cmk_managed_hsm_of(world, args);
    *ret_blame = hsm->changed_by;
    return !cmk_is_about_hsm(args) || hsm->key_count < KEYS_MAX ||
           !is_new_key(cmk_key_of(world, args));
}

const CmkGuard cmk_guard_hsm_has_room_for_key = {
    .name = "hsm-has-room-for-key",
    .holds = hsm_has_room_for_key,
    .status = CMK_STATUS_OF(MANAGED_HSM_FULL),
    .rule = "HSM-20",
    .text = "The Managed HSM has fewer than 5000 keys, deleted ones included."};

static bool hsm_has_room_for_version(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    const CmkKey *key = cmk_key_of(world, args);
    *ret_blame = key->changed_by;
    return !cmk_is_about_hsm(args) || is_new_key(key) || key->version_count < VERSIONS_MAX;
}

const CmkGuard cmk_guard_hsm_has_room_for_version = {
    .name = "hsm-has-room-for-version",
    .holds = hsm_has_room_for_version,
    .status = CMK_STATUS_OF(MANAGED_HSM_FULL),
    .rule = "HSM-20 HSM-21",
    .text = "The key in the Managed HSM has fewer than 100 versions."};

static bool hsm_key_has_policy(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkRotationPolicy *policy = &cmk_key_of(world, args)->rotation;
    *ret_blame = cmk_key_of(world, args)->changed_by;
    return !cmk_is_about_hsm(args) || policy->rotate_after_us != 0 ||
           policy->rotate_before_expiry_us != 0 || policy->expiry_us != 0;
}

static bool set_rotation_policy(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    (void)world;
    cmk_key_store_copy(refused, ret);
    ret->ref[CMK_REF_KEY] = refused->ref[CMK_REF_KEY];
    ret->num[0] = ROTATION_MIN_US;
    return true;
}

const CmkGuard cmk_guard_hsm_key_has_policy = {
    .name = "hsm-key-has-policy",
    .holds = hsm_key_has_policy,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "HSM-21 ROT-11",
    .text = "A key in a Managed HSM has a rotation policy before it is rotated, also by hand.",
    .repairs = {{CMK_OP_KEY_SET_ROTATION_POLICY, set_rotation_policy,
                 "set a rotation policy, which rotates every 28 days at most"}}};

static bool hsm_policy_is_possible(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    const CmkRotationPolicy policy = cmk_rotation_policy_asked(args);
    const int64_t before = policy.rotate_before_expiry_us;
    const int64_t age = before != 0 ? policy.expiry_us - before : policy.rotate_after_us;
    const bool has_notice = policy.notify_after_us != 0 || policy.notify_before_expiry_us != 0;
    return !cmk_is_about_hsm(args) ||
           ((age == 0 || age >= ROTATION_MIN_US) &&
            (policy.expiry_us == 0 || policy.expiry_us >= ROTATION_MIN_US) && !has_notice);
}

const CmkGuard cmk_guard_hsm_policy_is_possible = {
    .name = "hsm-policy-is-possible",
    .holds = hsm_policy_is_possible,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "HSM-21",
    .text = "In a Managed HSM versions rotate, and expire, at the age of 28 days at least, and "
            "nobody is told."};

/* ---- guards on its life ---------------------------------------------------------------------- */

static bool managed_hsm_name_is_free(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    return is_state(world, args, CMK_MANAGED_HSM_ABSENT, ret_blame) ||
           is_state(world, args, CMK_MANAGED_HSM_PURGED, ret_blame);
}

const CmkGuard cmk_guard_managed_hsm_name_is_free = {
    .name = "managed-hsm-name-is-free",
    .holds = managed_hsm_name_is_free,
    .status = CMK_STATUS_OF(MANAGED_HSM_EXISTS_ALREADY),
    .rule = "HSM-13",
    .text = "No Managed HSM in the cloud has this name, deleted ones included."};

/* Deleted ones are still there, and paid for (assumed: they count). O(Managed HSMs). */
static bool region_has_room_for_hsm(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkScopeId group = {cmk_managed_hsm_of(world, args)->resource_group};
    const uint32_t subscription = cmk_scope_subscription(world, group).i;
    uint32_t count = 0;
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_MANAGED_HSM); i++) {
        const CmkManagedHsm *hsm = cmk_managed_hsm(world, (CmkManagedHsmId){i});
        const bool is_there =
            hsm->state != CMK_MANAGED_HSM_ABSENT && hsm->state != CMK_MANAGED_HSM_PURGED;
        const CmkScopeId its_group = {hsm->resource_group};
        if (is_there && hsm->region == args->ref[CMK_REF_REGION] &&
            cmk_scope_subscription(world, its_group).i == subscription) {
            *ret_blame = hsm->changed_by > *ret_blame ? hsm->changed_by : *ret_blame;
            count++;
        }
    }
    return count < HSMS_MAX;
}

const CmkGuard cmk_guard_region_has_room_for_hsm = {
    .name = "region-has-room-for-hsm",
    .holds = region_has_room_for_hsm,
    .status = CMK_STATUS_OF(MANAGED_HSM_FULL),
    .rule = "HSM-20",
    .text = "The subscription has fewer than 5 Managed HSMs in the region."};

/* The resource is managed in its first region, which another one does not stand in for (assumed).
 */
static CmkRegionId home_of(const CmkWorld *world, const CmkArgs *args)
{
    return (CmkRegionId){args->op == CMK_OP_MANAGED_HSM_CREATE
                             ? args->ref[CMK_REF_REGION]
                             : cmk_managed_hsm_of(world, args)->region};
}

static bool managed_hsm_region_is_up(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    *ret_blame = cmk_region(world, home_of(world, args))->changed_by;
    return !cmk_region_is_down(world, home_of(world, args));
}

static bool return_home(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_REGION] = home_of(world, refused).i;
    return true;
}

const CmkGuard cmk_guard_managed_hsm_region_is_up = {
    .name = "managed-hsm-region-is-up",
    .holds = managed_hsm_region_is_up,
    .status = CMK_STATUS_OF(MANAGED_HSM_UNREACHABLE),
    .rule = "HSM-15 KVE-18",
    .text = "The region in which the Managed HSM is managed answers.",
    .repairs = {{CMK_OP_REGION_RETURN, return_home, "wait for the region to come back"}}};

static bool managed_hsm_is_deleted(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return is_state(world, args, CMK_MANAGED_HSM_DELETED, ret_blame);
}

const CmkGuard cmk_guard_managed_hsm_is_deleted = {.name = "managed-hsm-is-deleted",
                                                   .holds = managed_hsm_is_deleted,
                                                   .status = CMK_STATUS_OF(MANAGED_HSM_NOT_FOUND),
                                                   .rule = "HSM-10 HSM-14",
                                                   .text =
                                                       "The Managed HSM is in the deleted state."};

static bool managed_hsm_purge_is_allowed(const CmkWorld *world, const CmkArgs *args,
                                         uint64_t *ret_blame)
{
    const CmkManagedHsm *hsm = cmk_managed_hsm_of(world, args);
    *ret_blame = hsm->changed_by;
    return hsm->has_purge_protection == 0 || cmk_world_now(world) >= hsm->purge_at;
}

const CmkGuard cmk_guard_managed_hsm_purge_is_allowed = {
    .name = "managed-hsm-purge-is-allowed",
    .holds = managed_hsm_purge_is_allowed,
    .status = CMK_STATUS_OF(METHOD_NOT_ALLOWED),
    .rule = "HSM-11 HSM-12",
    .text = "The deleted Managed HSM has no purge protection, or its retention is over."};

static bool managed_hsm_has_no_second_region(const CmkWorld *world, const CmkArgs *args,
                                             uint64_t *ret_blame)
{
    *ret_blame = cmk_managed_hsm_of(world, args)->changed_by;
    return cmk_managed_hsm_of(world, args)->second_region == 0;
}

const CmkGuard cmk_guard_managed_hsm_has_no_second_region = {
    .name = "managed-hsm-has-no-second-region",
    .holds = managed_hsm_has_no_second_region,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "HSM-16 HSM-18",
    .text = "The Managed HSM extends to no second region: there is one at most, which goes before "
            "the HSM can be deleted.",
    .repairs = {{CMK_OP_MANAGED_HSM_RETRACT, activate_hsm,
                 "remove the second region, which purges it at once"}}};

static bool managed_hsm_has_second_region(const CmkWorld *world, const CmkArgs *args,
                                          uint64_t *ret_blame)
{
    return !managed_hsm_has_no_second_region(world, args, ret_blame);
}

const CmkGuard cmk_guard_managed_hsm_has_second_region = {
    .name = "managed-hsm-has-second-region",
    .holds = managed_hsm_has_second_region,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "HSM-18",
    .text = "The Managed HSM extends to a second region."};

static bool region_can_be_second(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    static const char *const never[] = {"eastus",       "canadaeast",    "westeurope",
                                        "qatarcentral", "polandcentral", "westindia"};
    const uint32_t region = args->ref[CMK_REF_REGION];
    bool is_offered = region != cmk_managed_hsm_of(world, args)->region;
    (void)ret_blame;
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(never); i++) {
        is_offered &= cmk_region_find(never[i]).i != region;
    }
    return is_offered;
}

const CmkGuard cmk_guard_region_can_be_second = {
    .name = "region-can-be-second",
    .holds = region_can_be_second,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "HSM-19",
    .text = "Managed HSMs of other regions may extend to this one."};

/* ---- what it costs (HSM-12, HSM-18) ---------------------------------------------------------- */

CmkIntegral cmk_managed_hsm_billed(const CmkWorld *world, CmkManagedHsmId id)
{
    const CmkManagedHsm *hsm = cmk_managed_hsm(world, id);
    const CmkTime start = cmk_settings(world, (CmkNameId){1})->start;
    const CmkTime since = hsm->billed_since > start ? hsm->billed_since : start;
    const CmkTime now = cmk_world_now(world);
    const CmkIntegral before = (CmkIntegral)hsm->billed_high << 64 | hsm->billed_low;
    return before + (now > since ? (CmkIntegral)hsm->billed_regions * (uint64_t)(now - since) : 0);
}

static void set_billed(CmkSim *sim, CmkManagedHsmId id, uint32_t regions)
{
    const CmkIntegral until_now = cmk_managed_hsm_billed(sim->world, id);
    CmkManagedHsm *hsm = cmk_managed_hsm_mut(sim, id);
    hsm->billed_low = (uint64_t)until_now;
    hsm->billed_high = (uint64_t)(until_now >> 64);
    hsm->billed_since = cmk_world_now(sim->world);
    hsm->billed_regions = regions;
}

/* ---- keys in it ------------------------------------------------------------------------------ */

void cmk_managed_hsm_count_key(CmkSim *sim, const CmkKey *key, bool is_new)
{
    if (key->managed_hsm != 0 && is_new) {
        cmk_managed_hsm_mut(sim, (CmkManagedHsmId){key->managed_hsm})->key_count++;
    }
}

void cmk_managed_hsm_uncount_key(CmkSim *sim, const CmkKey *key)
{
    if (key->managed_hsm != 0) {
        cmk_managed_hsm_mut(sim, (CmkManagedHsmId){key->managed_hsm})->key_count--;
    }
}

/* ---- operations ------------------------------------------------------------------------------ */

#define HSM_PARAM                                                                                  \
    {                                                                                              \
        "managed_hsm", CMK_PARAM_MANAGED_HSM, 0, 1, CMK_REF_MANAGED_HSM                            \
    }
#define TO_MANAGE(guard_of_state)                                                                  \
    CMK_GUARD_ACTOR_MAY_MANAGE, guard_of_state, CMK_GUARD_MANAGED_HSM_REGION_IS_UP
#define HSM_ACTION(verb)                                                                           \
    .permission = CMK_PERMISSION_MANAGED_HSM_WRITE, .action = "Microsoft.KeyVault/"                \
                                                              "managedHSMs/" verb

/* HSM-6: whoever makes it names who looks after what is in it. */
static uint32_t managed_hsm_create(CmkSim *sim, const CmkArgs *args)
{
    const CmkManagedHsmId id = {args->ref[CMK_REF_MANAGED_HSM]};
    const int64_t retention = args->num[CMK_MANAGED_HSM_RETENTION_DAYS];
    CmkManagedHsm *hsm = cmk_managed_hsm_mut(sim, id);
    hsm->region = args->ref[CMK_REF_REGION];
    hsm->second_region = 0;
    hsm->has_purge_protection = args->num[CMK_MANAGED_HSM_PURGE_PROTECTION] == CMK_SAYS_TRUE;
    hsm->retention_days = retention != 0 ? (uint32_t)retention : USUAL_RETENTION_DAYS;
    hsm->domain = 0;
    hsm->state = CMK_MANAGED_HSM_PROVISIONED;
    cmk_network_open(sim, (CmkRuleSetId){hsm->rule_set});
    hsm->epoch++;
    hsm->changed_by = cmk_this_seq(sim);
    set_billed(sim, id, 1);
    if (args->ref[CMK_REF_GRANTEE] != 0) {
        (void)cmk_local_role_give(sim, id, cmk_access_caller(sim->world, args),
                                  cmk_role_find("Managed HSM Administrator"));
    }
    return id.i;
}

const CmkOperation cmk_op_managed_hsm_create = {
    .name = "managed_hsm.create",
    .text = "A Managed HSM is provisioned; its keys cannot be used before it is activated.",
    .params = {HSM_PARAM,
               {"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION},
               {"purge_protection", CMK_PARAM_BOOLEAN, 1, 0, CMK_MANAGED_HSM_PURGE_PROTECTION},
               {"retention_days", CMK_PARAM_INTEGER, 1, 0, CMK_MANAGED_HSM_RETENTION_DAYS},
               {"administrator", CMK_PARAM_USER, 0, 0, CMK_REF_GRANTEE}},
    .guards = {TO_MANAGE(CMK_GUARD_MANAGED_HSM_NAME_IS_FREE), CMK_GUARD_RETENTION_IS_IN_RANGE,
               CMK_GUARD_REGION_HAS_ROOM_FOR_HSM},
    .writes = CMK_BIT(MANAGED_HSM) | CMK_BIT(PRINCIPAL) | CMK_BIT(ASSIGNMENT) | CMK_BIT(RULE_SET) |
              CMK_BIT(NETWORK_RULE) | CMK_BIT(PRIVATE_ENDPOINT),
    .effect = managed_hsm_create,
    .rules = "HSM-1 HSM-2 HSM-3 HSM-6 HSM-10 HSM-11 HSM-13 COST-16",
    HSM_ACTION("write"),
    .az = "az keyvault create --hsm-name",
};

static uint32_t managed_hsm_set_purge_protection(CmkSim *sim, const CmkArgs *args)
{
    CmkManagedHsm *hsm =
        cmk_managed_hsm_mut(sim, (CmkManagedHsmId){args->ref[CMK_REF_MANAGED_HSM]});
    hsm->has_purge_protection = 1;
    hsm->changed_by = cmk_this_seq(sim);
    return args->ref[CMK_REF_MANAGED_HSM];
}

const CmkOperation cmk_op_managed_hsm_set_purge_protection = {
    .name = "managed_hsm.set_purge_protection",
    .text = "A Managed HSM gets purge protection, once and for all.",
    .params = {HSM_PARAM, {"enabled", CMK_PARAM_BOOLEAN, 1, 0, 0}},
    .guards = {TO_MANAGE(CMK_GUARD_MANAGED_HSM_EXISTS), CMK_GUARD_PURGE_PROTECTION_STAYS_ON},
    .writes = CMK_BIT(MANAGED_HSM),
    .effect = managed_hsm_set_purge_protection,
    .rules = "HSM-11",
    HSM_ACTION("write"),
    .az = "az keyvault update-hsm --enable-purge-protection",
};

static uint32_t managed_hsm_extend(CmkSim *sim, const CmkArgs *args)
{
    const CmkManagedHsmId id = {args->ref[CMK_REF_MANAGED_HSM]};
    CmkManagedHsm *hsm = cmk_managed_hsm_mut(sim, id);
    hsm->second_region = args->ref[CMK_REF_REGION];
    hsm->second_from = cmk_world_now(sim->world) + cmk_knob(sim->world, CMK_KNOB_HSM_EXTENSION);
    hsm->changed_by = cmk_this_seq(sim);
    set_billed(sim, id, 2); /* from when it is asked for (assumed) */
    return id.i;
}

const CmkOperation cmk_op_managed_hsm_extend = {
    .name = "managed_hsm.extend",
    .text = "A Managed HSM is extended to a second region, which answers too when it is made.",
    .params = {HSM_PARAM, {"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION}},
    .guards = {TO_MANAGE(CMK_GUARD_MANAGED_HSM_EXISTS), CMK_GUARD_MANAGED_HSM_IS_ACTIVATED,
               CMK_GUARD_MANAGED_HSM_HAS_NO_SECOND_REGION, CMK_GUARD_REGION_CAN_BE_SECOND,
               CMK_GUARD_REGION_IS_UP},
    .writes = CMK_BIT(MANAGED_HSM),
    .effect = managed_hsm_extend,
    .rules = "HSM-16 HSM-17 HSM-18 HSM-19 COST-18",
    HSM_ACTION("write"),
    .az = "az keyvault region add",
};

static uint32_t managed_hsm_retract(CmkSim *sim, const CmkArgs *args)
{
    const CmkManagedHsmId id = {args->ref[CMK_REF_MANAGED_HSM]};
    CmkManagedHsm *hsm = cmk_managed_hsm_mut(sim, id);
    hsm->second_region = 0; /* purged at once (HSM-18) */
    hsm->changed_by = cmk_this_seq(sim);
    set_billed(sim, id, 1);
    return id.i;
}

const CmkOperation cmk_op_managed_hsm_retract = {
    .name = "managed_hsm.retract",
    .text = "A Managed HSM gives its second region up, where it is purged at once.",
    .params = {HSM_PARAM},
    .guards = {TO_MANAGE(CMK_GUARD_MANAGED_HSM_EXISTS), CMK_GUARD_MANAGED_HSM_HAS_SECOND_REGION},
    .writes = CMK_BIT(MANAGED_HSM),
    .effect = managed_hsm_retract,
    .rules = "HSM-18 COST-18",
    HSM_ACTION("write"),
    .az = "az keyvault region remove",
};

/* Its local roles are inside it: they go and come back with it (inferred), and what it costs stays
 * as it is (HSM-12). */
static uint32_t managed_hsm_delete(CmkSim *sim, const CmkArgs *args)
{
    const CmkManagedHsmId id = {args->ref[CMK_REF_MANAGED_HSM]};
    CmkManagedHsm *hsm = cmk_managed_hsm_mut(sim, id);
    hsm->state = CMK_MANAGED_HSM_DELETED;
    hsm->epoch++;
    hsm->purge_at = cmk_world_now(sim->world) + hsm->retention_days * CMK_DAY_US;
    hsm->changed_by = cmk_this_seq(sim);
    (void)cmk_engine_set_timer(sim, hsm->purge_at, CMK_EVENT_MANAGED_HSM_PURGE, id.i, args);
    return id.i;
}

const CmkOperation cmk_op_managed_hsm_delete = {
    .name = "managed_hsm.delete",
    .text = "A Managed HSM goes to the deleted state with its keys and local roles; it is paid for "
            "until it is purged.",
    .params = {HSM_PARAM},
    .guards = {TO_MANAGE(CMK_GUARD_MANAGED_HSM_EXISTS), CMK_GUARD_MANAGED_HSM_HAS_NO_SECOND_REGION},
    .writes = CMK_BIT(MANAGED_HSM) | CMK_BIT_TIMERS,
    .effect = managed_hsm_delete,
    .rules = "HSM-10 HSM-12 HSM-18 COST-24",
    HSM_ACTION("delete"),
    .az = "az keyvault delete --hsm-name",
};

static uint32_t managed_hsm_recover(CmkSim *sim, const CmkArgs *args)
{
    const CmkManagedHsmId id = {args->ref[CMK_REF_MANAGED_HSM]};
    CmkManagedHsm *hsm = cmk_managed_hsm_mut(sim, id);
    hsm->state = hsm->domain != 0 ? CMK_MANAGED_HSM_ACTIVE : CMK_MANAGED_HSM_PROVISIONED;
    hsm->epoch++;
    hsm->changed_by = cmk_this_seq(sim);
    uint32_t row = hsm->first_key;
    while (row != 0) {
        cmk_key_resume(sim, (CmkKeyId){row}, args);
        row = cmk_key(sim->world, (CmkKeyId){row})->next_of_key_vault;
    }
    return id.i;
}

const CmkOperation cmk_op_managed_hsm_recover = {
    .name = "managed_hsm.recover",
    .text = "A deleted Managed HSM comes back with its keys and local roles.",
    .params = {HSM_PARAM},
    .guards = {TO_MANAGE(CMK_GUARD_MANAGED_HSM_IS_DELETED)},
    .writes = CMK_BIT(MANAGED_HSM) | CMK_BIT(KEY) | CMK_BIT_TIMERS,
    .effect = managed_hsm_recover,
    .rules = "HSM-10 HSM-14",
    HSM_ACTION("write"),
    .az = "az keyvault recover --hsm-name",
};

static void lose_assignments(CmkSim *sim, CmkManagedHsmId id)
{
    uint32_t row = cmk_managed_hsm(sim->world, id)->first_assignment;
    while (row != 0) {
        const CmkAssignmentId assignment = {row};
        if (cmk_assignment(sim->world, assignment)->state != CMK_ASSIGNMENT_REMOVED) {
            cmk_assignment_end(sim, assignment);
        }
        row = cmk_assignment(sim->world, assignment)->next_of_key_vault;
    }
}

static uint32_t managed_hsm_purge(CmkSim *sim, const CmkArgs *args)
{
    const CmkManagedHsmId id = {args->ref[CMK_REF_MANAGED_HSM]};
    CmkManagedHsm *hsm = cmk_managed_hsm_mut(sim, id);
    hsm->state = CMK_MANAGED_HSM_PURGED;
    hsm->epoch++;
    hsm->changed_by = cmk_this_seq(sim);
    set_billed(sim, id, 0);
    lose_assignments(sim, id);
    uint32_t row = hsm->first_key;
    while (row != 0) {
        const CmkKeyId key_id = {row};
        const CmkKey *key = cmk_key(sim->world, key_id);
        if (!is_new_key(key)) {
            cmk_key_destroy(sim, key_id);
        }
        /* The names in another HSM of this name are free. */
        cmk_key_mut(sim, key_id)->name_free_at = cmk_world_now(sim->world);
        row = key->next_of_key_vault;
    }
    return id.i;
}

const CmkOperation cmk_op_managed_hsm_purge = {
    .name = "managed_hsm.purge",
    .text = "A deleted Managed HSM is destroyed for good with all its keys, and paid for no more.",
    .params = {HSM_PARAM},
    .guards = {TO_MANAGE(CMK_GUARD_MANAGED_HSM_IS_DELETED), CMK_GUARD_MANAGED_HSM_PURGE_IS_ALLOWED},
    .writes = CMK_BIT(MANAGED_HSM) | CMK_BIT(KEY) | CMK_BIT(VERSION) | CMK_BIT(ASSIGNMENT),
    .effect = managed_hsm_purge,
    .rules = "HSM-11 HSM-12 HSM-13 HSM-14 COST-24",
    .permission = CMK_PERMISSION_MANAGED_HSM_WRITE,
    .action = "Microsoft.KeyVault/locations/deletedManagedHsms/purge/action",
    .az = "az keyvault purge --hsm-name",
};

/* How long the service waits with a purge that an outage of the region does not let through. */
#define PURGE_RETRY_US CMK_HOUR_US

void cmk_on_managed_hsm_purge(CmkSim *sim, const CmkTimer *timer)
{
    CmkArgs args = cmk_args_of_timer(CMK_OP_MANAGED_HSM_PURGE, timer);
    args.ref[CMK_REF_MANAGED_HSM] = timer->subject;
    if (cmk_apply(sim, &args).status != CMK_STATUS_OK) {
        (void)cmk_agenda_push(sim->world, cmk_world_now(sim->world) + PURGE_RETRY_US,
                              sim->model->events[CMK_EVENT_MANAGED_HSM_PURGE].class_of_ties, timer);
    }
}
