/* Key vaults: creation, permission model, throttling windows (sections 2, 3, 8). */
#include "models/key_vault.h"

#include "models/key_use.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/region.h"
#include "models/repairs.h"
#include "models/rows.h"

/* ---- guards ---------------------------------------------------------------------------------- */

static const CmkKeyVault *vault_of(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_key_vault(world, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
}

static bool name_is_free(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = vault_of(world, args)->changed_by;
    return vault_of(world, args)->state == CMK_KEY_VAULT_ABSENT;
}

const CmkGuard cmk_guard_name_is_free = {.name = "name-is-free",
                                         .holds = name_is_free,
                                         .status = CMK_STATUS_OF(ALREADY_EXISTS),
                                         .rule = "KVE-17 SD-10",
                                         .text = "No key vault in the cloud has this name."};

static bool retention_is_in_range(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    return args->num[2] >= 7 && args->num[2] <= 90; /* SD-1 */
}

const CmkGuard cmk_guard_retention_is_in_range = {.name = "retention-is-in-range",
                                                  .holds = retention_is_in_range,
                                                  .status = CMK_STATUS_OF(BAD_PARAMETER),
                                                  .rule = "SD-1",
                                                  .text =
                                                      "Deleted keys are kept for 7 to 90 days."};

static bool key_vault_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = vault_of(world, args)->changed_by;
    return vault_of(world, args)->state == CMK_KEY_VAULT_ACTIVE;
}

const CmkGuard cmk_guard_key_vault_exists = {.name = "key-vault-exists",
                                             .holds = key_vault_exists,
                                             .status = CMK_STATUS_OF(VAULT_NOT_FOUND),
                                             .rule = "KVE-19 SD-19",
                                             .text = "The key vault's name resolves."};

static bool key_vault_is_reachable(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkRegionId region = {vault_of(world, args)->region};
    *ret_blame = cmk_region(world, region)->changed_by;
    return cmk_region_answers(world, region);
}

const CmkGuard cmk_guard_key_vault_is_reachable = {
    .name = "key-vault-is-reachable",
    .holds = key_vault_is_reachable,
    .status = CMK_STATUS_OF(SERVICE_UNAVAILABLE),
    .rule = "KVE-18 KVE-19 REL-4",
    .text = "The region of the key vault, or its pair after a failover, answers.",
    .repairs = {{CMK_OP_REGION_RETURN, cmk_repair_return_region,
                 "wait for the failover or for the region to come back"}}};

static bool key_vault_is_writable(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkRegionId region = {vault_of(world, args)->region};
    const CmkRegion *row = cmk_region(world, region);
    *ret_blame = row->state == CMK_REGION_UP ? row->zone_by : row->changed_by;
    return cmk_region_is_writable(world, region);
}

const CmkGuard cmk_guard_key_vault_is_writable = {
    .name = "key-vault-is-writable",
    .holds = key_vault_is_writable,
    .status = CMK_STATUS_OF(KEY_VAULT_READ_ONLY),
    .rule = "REL-3 REL-7 REL-8 REL-9",
    .text = "The key vault takes writes: it is not read-only after a failover, nor in the moment "
            "after the loss of a zone.",
    .repairs = {{CMK_OP_REGION_RETURN, cmk_repair_return_region,
                 "wait until the region is back and the key vault has failed back"}}};

/* ---- throttling (THR-1, THR-2, THR-7) -------------------------------------------------------- */

/* Requests on such a key that one key vault answers in 10 s (THR-1). */
static int64_t window_limit(const CmkKey *key)
{
    const bool is_hsm = key->type == CMK_KEY_RSA_HSM || key->type == CMK_KEY_EC_HSM;
    const bool is_rsa = key->type == CMK_KEY_RSA || key->type == CMK_KEY_RSA_HSM;
    int64_t software = 4000;
    if (is_rsa && key->size_bits == 3072) {
        software = 1000;
    } else if (is_rsa && key->size_bits == 4096) {
        software = 500;
    }
    return is_hsm ? software / 2 : software;
}

static CmkTime window_start(CmkTime now)
{
    return now - now % CMK_WINDOW_US;
}

int64_t cmk_key_vault_request_weight(const CmkWorld *world, CmkKeyId key)
{
    return CMK_WINDOW_WEIGHT / window_limit(cmk_key(world, key));
}

static bool key_vault_is_not_throttled(const CmkWorld *world, const CmkArgs *args,
                                       uint64_t *ret_blame)
{
    if (!cmk_is_open(world)) {
        return true; /* the world was set up long ago and without haste */
    }
    const CmkKeyVault *vault = vault_of(world, args);
    if (vault->is_throttled) {
        *ret_blame = vault->throttled_by;
        return false;
    }
    const CmkKeyVaultMeter *meter =
        cmk_key_vault_meter(world, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    if (meter->window_start != window_start(cmk_world_now(world))) {
        return true;
    }
    return meter->window_used +
               cmk_key_vault_request_weight(world, (CmkKeyId){args->ref[CMK_REF_KEY]}) <=
           CMK_WINDOW_WEIGHT;
}

const CmkGuard cmk_guard_key_vault_is_not_throttled = {
    .name = "key-vault-is-not-throttled",
    .holds = key_vault_is_not_throttled,
    .status = CMK_STATUS_OF(THROTTLED),
    .rule = "KVE-14 THR-1 THR-2 THR-7",
    .text = "The key vault has room for this request in its window of 10 s.",
    .repairs = {{CMK_OP_KEY_VAULT_UNTHROTTLE, cmk_repair_unthrottle,
                 "stop whoever else uses up the key vault's requests"}}};

void cmk_key_vault_count_request(CmkSim *sim, const CmkArgs *args, CmkGuardId guard)
{
    if (guard == CMK_GUARD_KEY_VAULT_EXISTS || guard == CMK_GUARD_SYSTEM_IDENTITY_IS_ON ||
        guard == CMK_GUARD_USER_IDENTITY_IS_ATTACHED || !cmk_is_open(sim->world)) {
        return; /* no request left the Backup service, or it is not simulated time yet */
    }
    CmkKeyVaultMeter *meter =
        cmk_key_vault_meter_mut(sim, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    meter->refused += guard != CMK_GUARD_NONE;
    if (guard == CMK_GUARD_KEY_VAULT_IS_REACHABLE ||
        guard == CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED || guard == CMK_GUARD_CALLER_IS_KNOWN) {
        return; /* THR-5; COST-23: only what reaches authorisation is billed */
    }
    const CmkKeyId key_id = {args->ref[CMK_REF_KEY]};
    const CmkKey *key = cmk_key(sim->world, key_id);
    const CmkTime start = window_start(cmk_world_now(sim->world));
    if (meter->window_start != start) {
        meter->window_start = start;
        meter->window_used = 0;
    }
    meter->window_used += cmk_key_vault_request_weight(sim->world, key_id);
    const bool is_2048 =
        (key->type == CMK_KEY_RSA || key->type == CMK_KEY_RSA_HSM) && key->size_bits == 2048;
    meter->requests_2048 += is_2048;   /* COST-11 */
    meter->requests_other += !is_2048; /* COST-12 */
    if (guard == CMK_GUARD_NONE) {
        cmk_key_use_note(sim, (CmkVersionId){args->ref[CMK_REF_VERSION]});
    }
}

/* ---- operations ------------------------------------------------------------------------------ */

static uint32_t key_vault_create(CmkSim *sim, const CmkArgs *args)
{
    CmkKeyVault *vault = cmk_key_vault_mut(sim, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    vault->region = args->ref[CMK_REF_REGION];
    vault->permission_model = (uint32_t)args->num[0];
    vault->has_soft_delete = (args->num[1] & CMK_KEY_VAULT_SOFT_DELETE) != 0;
    vault->has_purge_protection = (args->num[1] & CMK_KEY_VAULT_PURGE_PROTECTION) != 0;
    vault->retention_days = (uint32_t)args->num[2];
    vault->sku = (uint32_t)args->num[3];
    vault->state = CMK_KEY_VAULT_ACTIVE;
    vault->epoch++;
    vault->changed_by = vault->permission_model_by = cmk_this_seq(sim);
    return args->ref[CMK_REF_KEY_VAULT];
}

const CmkOperation cmk_op_key_vault_create = {
    .name = "key_vault.create",
    .text = "A key vault is created.",
    .params = {{"key_vault", CMK_PARAM_KEY_VAULT, 0, 1, CMK_REF_KEY_VAULT},
               {"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION},
               {"permission_model", CMK_PARAM_INTEGER, 1, 0, 0},
               {"protection", CMK_PARAM_INTEGER, 1, 0, 1},
               {"retention_days", CMK_PARAM_INTEGER, 1, 1, 2},
               {"sku", CMK_PARAM_INTEGER, 1, 0, 3}},
    .guards = {CMK_GUARD_NAME_IS_FREE, CMK_GUARD_RETENTION_IS_IN_RANGE},
    .writes = CMK_BIT(KEY_VAULT),
    .effect = key_vault_create,
    .rules = "SD-1 SD-2 SD-3 AC-1 AC-3",
    .action = "Microsoft.KeyVault/vaults/write",
    .az = "az keyvault create",
};

static uint32_t set_throttled(CmkSim *sim, const CmkArgs *args, uint32_t is_throttled)
{
    CmkKeyVault *vault = cmk_key_vault_mut(sim, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    vault->is_throttled = is_throttled;
    vault->throttled_by = cmk_this_seq(sim);
    return args->ref[CMK_REF_KEY_VAULT];
}

static uint32_t key_vault_throttle(CmkSim *sim, const CmkArgs *args)
{
    return set_throttled(sim, args, 1);
}

const CmkOperation cmk_op_key_vault_throttle = {
    .name = "key_vault.throttle",
    .text = "Somebody else uses up all requests that the key vault answers.",
    .params = {{"key_vault", CMK_PARAM_KEY_VAULT, 0, 1, CMK_REF_KEY_VAULT}},
    .guards = {CMK_GUARD_KEY_VAULT_EXISTS},
    .writes = CMK_BIT(KEY_VAULT),
    .effect = key_vault_throttle,
    .rules = "KVE-14 THR-2",
};

static uint32_t key_vault_unthrottle(CmkSim *sim, const CmkArgs *args)
{
    return set_throttled(sim, args, 0);
}

const CmkOperation cmk_op_key_vault_unthrottle = {
    .name = "key_vault.unthrottle",
    .text = "The key vault has room for requests again.",
    .params = {{"key_vault", CMK_PARAM_KEY_VAULT, 0, 1, CMK_REF_KEY_VAULT}},
    .guards = {CMK_GUARD_KEY_VAULT_EXISTS},
    .writes = CMK_BIT(KEY_VAULT),
    .effect = key_vault_unthrottle,
    .rules = "KVE-14 THR-2",
};
