/* Key vaults: creation, protection, soft delete and purge, throttling windows (sections 2, 3, 8).
 */
#include "models/key_vault.h"

#include "models/access.h"
#include "models/hsm_capacity.h"
#include "models/key.h"
#include "models/key_store.h"
#include "models/key_use.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/network.h"
#include "models/region.h"
#include "models/repairs.h"
#include "models/replica.h"
#include "models/rows.h"
#include "models/scope.h"
#include "models/secret.h"

/* ---- guards ---------------------------------------------------------------------------------- */

uint32_t cmk_key_vault_epoch(const CmkWorld *world, uint32_t row)
{
    return cmk_key_vault(world, (CmkKeyVaultId){row})->epoch;
}

#define USUAL_RETENTION_DAYS 90 /* SD-1 */

static bool name_is_free(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_key_vault_of(world, args)->changed_by;
    const uint32_t state = cmk_key_vault_of(world, args)->state;
    return state == CMK_KEY_VAULT_ABSENT || state == CMK_KEY_VAULT_PURGED;
}

const CmkGuard cmk_guard_name_is_free = {.name = "name-is-free",
                                         .holds = name_is_free,
                                         .status = CMK_STATUS_OF(ALREADY_EXISTS),
                                         .rule = "KVE-17 SD-10 SD-18",
                                         .text = "No key vault in the cloud has this name, deleted "
                                                 "ones included."};

static bool retention_is_in_range(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    const int64_t days = args->num[CMK_KEY_VAULT_RETENTION_DAYS];
    return days == 0 || (days >= 7 && days <= 90); /* SD-1 */
}

const CmkGuard cmk_guard_retention_is_in_range = {.name = "retention-is-in-range",
                                                  .holds = retention_is_in_range,
                                                  .status = CMK_STATUS_OF(BAD_PARAMETER),
                                                  .rule = "SD-1",
                                                  .text =
                                                      "Deleted keys are kept for 7 to 90 days."};

static bool purge_protection_comes_with_soft_delete(const CmkWorld *world, const CmkArgs *args,
                                                    uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    return args->num[CMK_KEY_VAULT_PURGE_PROTECTION] != CMK_SAYS_TRUE ||
           args->num[CMK_KEY_VAULT_SOFT_DELETE] != CMK_SAYS_FALSE;
}

const CmkGuard cmk_guard_purge_protection_comes_with_soft_delete = {
    .name = "purge-protection-comes-with-soft-delete",
    .holds = purge_protection_comes_with_soft_delete,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "SD-3",
    .text = "A key vault with purge protection has soft delete."};

/* Old key vaults may be there from before the scenario: what the world is set up with. */
static bool new_key_vault_has_soft_delete(const CmkWorld *world, const CmkArgs *args,
                                          uint64_t *ret_blame)
{
    (void)ret_blame;
    return !cmk_is_open(world) || args->num[CMK_KEY_VAULT_SOFT_DELETE] != CMK_SAYS_FALSE;
}

const CmkGuard cmk_guard_new_key_vault_has_soft_delete = {
    .name = "new-key-vault-has-soft-delete",
    .holds = new_key_vault_has_soft_delete,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "SD-2",
    .text = "A key vault that is made now has soft delete: only old ones lack it."};

static bool key_vault_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_key_vault_of(world, args)->changed_by;
    return cmk_is_about_hsm(args) || cmk_key_vault_of(world, args)->state == CMK_KEY_VAULT_ACTIVE;
}

const CmkGuard cmk_guard_key_vault_exists = {
    .name = "key-vault-exists",
    .holds = key_vault_exists,
    .status = CMK_STATUS_OF(VAULT_NOT_FOUND),
    .rule = "KVE-19 SD-19",
    .text = "The key vault's name resolves.",
    .repairs = {
        {CMK_OP_KEY_VAULT_RECOVER, cmk_repair_recover_key_vault, "recover the deleted key vault"},
        {CMK_OP_KEY_VAULT_CREATE, cmk_repair_recreate_key_vault,
         "make the purged key vault again, then restore its keys from backups"}}};

/* What is in a deleted key vault nobody can ask for, but the service purges at the date that was
 * set all the same. */
static bool key_vault_lets_purge(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const bool is_kept = cmk_key_vault_of(world, args)->state == CMK_KEY_VAULT_DELETED;
    return (is_kept && args->actor == CMK_ACTOR_PLATFORM) ||
           key_vault_exists(world, args, ret_blame);
}

const CmkGuard cmk_guard_key_vault_lets_purge = {
    .name = "key-vault-lets-purge",
    .holds = key_vault_lets_purge,
    .status = CMK_STATUS_OF(VAULT_NOT_FOUND),
    .rule = "KVE-19 SD-6 SD-19",
    .text = "The key vault's name resolves, or the service itself purges a key whose date has come "
            "while the key vault is deleted.",
    .repairs = {
        {CMK_OP_KEY_VAULT_RECOVER, cmk_repair_recover_key_vault, "recover the deleted key vault"}}};

/* The one that the key vault is in, or is to be made in. */
static CmkRegionId region_of(const CmkWorld *world, const CmkArgs *args)
{
    return (CmkRegionId){args->op == CMK_OP_KEY_VAULT_CREATE
                             ? args->ref[CMK_REF_REGION]
                             : cmk_key_vault_of(world, args)->region};
}

static bool return_its_region(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_REGION] = region_of(world, refused).i;
    return cmk_region_is_down(world, region_of(world, refused)); /* else it is on its way */
}

static bool key_vault_is_reachable(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkRegionId region = region_of(world, args);
    *ret_blame = cmk_region_blame(world, region);
    return cmk_is_about_hsm(args) || cmk_region_answers(world, region);
}

const CmkGuard cmk_guard_key_vault_is_reachable = {
    .name = "key-vault-is-reachable",
    .holds = key_vault_is_reachable,
    .status = CMK_STATUS_OF(SERVICE_UNAVAILABLE),
    .rule = "KVE-18 KVE-19 REL-4",
    .text = "The region of the key vault, or its pair after a failover, answers.",
    .repairs = {{CMK_OP_REGION_RETURN, return_its_region,
                 "wait for the failover or for the region to come back"}}};

static bool key_vault_is_writable(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkRegionId region = region_of(world, args);
    const CmkRegion *row = cmk_region(world, region);
    *ret_blame = row->state == CMK_REGION_UP ? row->zone_by : row->changed_by;
    return cmk_is_about_hsm(args) || cmk_region_is_writable(world, region);
}

const CmkGuard cmk_guard_key_vault_is_writable = {
    .name = "key-vault-is-writable",
    .holds = key_vault_is_writable,
    .status = CMK_STATUS_OF(KEY_VAULT_READ_ONLY),
    .rule = "REL-3 REL-7 REL-8 REL-9",
    .text = "The key vault takes writes: it is not read-only after a failover, nor in the moment "
            "after the loss of a zone.",
    .repairs = {{CMK_OP_REGION_RETURN, return_its_region,
                 "wait until the region is back and the key vault has failed back"}}};

/* ---- soft delete and purge protection -------------------------------------------------------- */

static bool key_vault_is_deleted(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_key_vault_of(world, args)->changed_by;
    return cmk_key_vault_of(world, args)->state == CMK_KEY_VAULT_DELETED;
}

const CmkGuard cmk_guard_key_vault_is_deleted = {.name = "key-vault-is-deleted",
                                                 .holds = key_vault_is_deleted,
                                                 .status = CMK_STATUS_OF(VAULT_NOT_FOUND),
                                                 .rule = "SD-15 SD-22",
                                                 .text = "The key vault is in the deleted state."};

static bool key_vault_purge_is_allowed(const CmkWorld *world, const CmkArgs *args,
                                       uint64_t *ret_blame)
{
    const CmkKeyVault *vault = cmk_key_vault_of(world, args);
    *ret_blame = vault->changed_by;
    return vault->has_purge_protection == 0 || cmk_world_now(world) >= vault->purge_at;
}

const CmkGuard cmk_guard_key_vault_purge_is_allowed = {
    .name = "key-vault-purge-is-allowed",
    .holds = key_vault_purge_is_allowed,
    .status = CMK_STATUS_OF(METHOD_NOT_ALLOWED),
    .rule = "KVE-16 SD-9",
    .text = "The deleted key vault has no purge protection, or its retention is over."};

static bool is_not_turned_off(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    return args->num[0] != CMK_SAYS_FALSE;
}

const CmkGuard cmk_guard_soft_delete_stays_on = {.name = "soft-delete-stays-on",
                                                 .holds = is_not_turned_off,
                                                 .status = CMK_STATUS_OF(BAD_PARAMETER),
                                                 .rule = "SD-2",
                                                 .text = "Nobody turns soft delete off."};

const CmkGuard cmk_guard_purge_protection_stays_on = {
    .name = "purge-protection-stays-on",
    .holds = is_not_turned_off,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "SD-3",
    .text = "Nobody turns purge protection off, whether it is on yet or not."};

static bool retention_stays(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_key_vault_of(world, args)->changed_by;
    return args->num[1] == 0 || args->num[1] == cmk_key_vault_of(world, args)->retention_days;
}

const CmkGuard cmk_guard_retention_stays = {
    .name = "retention-stays",
    .holds = retention_stays,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "SD-1",
    .text = "The retention is the one that the key vault was created with."};

static bool key_vault_has_soft_delete(const CmkWorld *world, const CmkArgs *args,
                                      uint64_t *ret_blame)
{
    *ret_blame = cmk_key_vault_of(world, args)->changed_by;
    return cmk_key_vault_of(world, args)->has_soft_delete != 0;
}

const CmkGuard cmk_guard_key_vault_has_soft_delete = {
    .name = "key-vault-has-soft-delete",
    .holds = key_vault_has_soft_delete,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "SD-3",
    .text = "The key vault has soft delete, which purge protection needs.",
    .repairs = {{CMK_OP_KEY_VAULT_SET_SOFT_DELETE, cmk_repair_set_soft_delete,
                 "turn the key vault's soft delete on"}}};

/* ---- throttling (THR-1, THR-2, THR-7) -------------------------------------------------------- */

/* Whether a request makes a key or a version, or counts like that: these have limits of their own
 * (THR-1). */
static bool is_creation(CmkOpId op)
{
    return op == CMK_OP_KEY_CREATE || op == CMK_OP_KEY_ROTATE || op == CMK_OP_KEY_RELEASE;
}

/* Such requests that one key vault answers in 10 s (THR-1): those about no key, on secrets that are
 * there and lists, as many as on the smallest. */
static int64_t window_limit(const CmkWorld *world, const CmkArgs *args)
{
    const CmkKeyShape shape = cmk_key_shape_of(world, args);
    const bool is_rsa = cmk_key_type_is_rsa(shape.type);
    int64_t software = 4000;
    if (is_creation(args->op)) {
        software = 20;
    } else if (args->op == CMK_OP_SECRET_SET) {
        software = 300;
    } else if (is_rsa && shape.size_bits == 3072) {
        software = 1000;
    } else if (is_rsa && shape.size_bits == 4096) {
        software = 500;
    }
    return cmk_key_type_is_hsm(shape.type) ? software / 2 : software;
}

static CmkTime window_start(CmkTime now)
{
    return now - now % CMK_WINDOW_US;
}

int64_t cmk_key_vault_request_weight(const CmkWorld *world, const CmkArgs *args)
{
    return CMK_WINDOW_WEIGHT / window_limit(world, args);
}

/* What a window has used up by now, given when the last one that was counted began. */
static int64_t used_now(const CmkWorld *world, CmkTime start, int64_t used)
{
    return start == window_start(cmk_world_now(world)) ? used : 0;
}

/* All key vaults of its subscription in its region are counted together too (THR-3). */
static CmkSubscriptionMeterId subscription_meter_of(const CmkWorld *world, const CmkKeyVault *vault)
{
    const CmkScopeId group = {vault->resource_group};
    const uint32_t subscription = cmk_scope_subscription(world, group).i;
    const uint32_t regions = cmk_world_count(world, CMK_TABLE_REGION);
    return (CmkSubscriptionMeterId){(subscription - 1) * regions + vault->region};
}

static bool subscription_has_room(const CmkWorld *world, const CmkKeyVault *vault, int64_t weight)
{
    const CmkSubscriptionMeter *meter =
        cmk_subscription_meter(world, subscription_meter_of(world, vault));
    return used_now(world, meter->window_start, meter->window_used) + weight <=
           CMK_WINDOWS_OF_SUBSCRIPTION * CMK_WINDOW_WEIGHT;
}

#define RIGHTS_GUARDS 2
/* The guards that ask for rights to keys, one for each permission model: in the list of every
 * request they stand right behind the window. The list of the model as it is: no test breaks this.
 */
static const CmkGuardId *rights_guards(CmkOpId op)
{
    const CmkGuardId *guards = cmk_azure_model()->operations[op]->guards;
    uint32_t window = 0;
    while (guards[window] != CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED) {
        window++;
        CMK_ASSERT(window + RIGHTS_GUARDS < CMK_GUARDS_MAX);
    }
    return &guards[window + 1];
}

/* Where rights are looked at first (OQ-20), a request without them is let through to be refused by
 * the guards that ask for them. */
static bool is_for_rights_to_refuse(const CmkWorld *world, const CmkArgs *args)
{
    if (cmk_knob(world, CMK_KNOB_THROTTLING_AFTER_AUTHORISATION) == 0) {
        return false;
    }
    const CmkGuardId *guards = rights_guards(args->op);
    for (uint32_t i = 0; i < RIGHTS_GUARDS; i++) {
        uint64_t ignored = 0;
        if (!cmk_azure_model()->guards[guards[i]]->holds(world, args, &ignored)) {
            return true;
        }
    }
    return false;
}

/* A noisy neighbour asks for its share at the beginning of each window, and of this key vault only
 * (assumed): what it takes is not there for others. */
static bool key_vault_is_not_throttled(const CmkWorld *world, const CmkArgs *args,
                                       uint64_t *ret_blame)
{
    if (!cmk_is_request(world, args) || cmk_is_about_hsm(args) ||
        is_for_rights_to_refuse(world, args)) {
        return true;
    }
    const CmkKeyVault *vault = cmk_key_vault_of(world, args);
    const CmkKeyVaultMeter *meter =
        cmk_key_vault_meter(world, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    const int64_t weight = cmk_key_vault_request_weight(world, args);
    const int64_t used = used_now(world, meter->window_start, meter->window_used) + weight;
    const int64_t taken = CMK_WINDOW_WEIGHT * (int64_t)vault->taken_ppm / CMK_SHARE_ALL;
    if (used + taken > CMK_WINDOW_WEIGHT) {
        *ret_blame = taken != 0 ? vault->throttled_by : 0;
        return false;
    }
    return subscription_has_room(world, vault, weight);
}

const CmkGuard cmk_guard_key_vault_is_not_throttled = {
    .name = "key-vault-is-not-throttled",
    .holds = key_vault_is_not_throttled,
    .status = CMK_STATUS_OF(THROTTLED),
    .rule = "KVE-14 THR-1 THR-2 THR-3 THR-7 OQ-20",
    .text =
        "The key vault, and all those of its subscription in the region together, have room for "
        "this request in their windows of 10 s.",
    .repairs = {{CMK_OP_KEY_VAULT_UNTHROTTLE, cmk_repair_unthrottle,
                 "stop whoever else uses up the key vault's requests"}}};

/* How far a request came that a guard refused. Guards that are not listed come later: what reaches
 * authorisation is answered and billed, granted or not (COST-23). What is turned away has no bill
 * and no place in the window (THR-5 KVE-21). */
static CmkRequestFate fate_by(CmkGuardId guard)
{
    static const struct {
        CmkGuardId guard;
        CmkRequestFate fate;
    } early[] = {
        /* its client had nobody to ask, or no identity to ask with */
        {CMK_GUARD_SYSTEM_IDENTITY_IS_ON, CMK_REQUEST_NOT_SENT},
        {CMK_GUARD_USER_IDENTITY_IS_ATTACHED, CMK_REQUEST_NOT_SENT},
        {CMK_GUARD_KEY_VAULT_EXISTS, CMK_REQUEST_NOT_SENT},
        {CMK_GUARD_KEY_VAULT_IS_REACHABLE, CMK_REQUEST_TURNED_AWAY},
        {CMK_GUARD_CONNECTION_LETS_BACKUP_IN, CMK_REQUEST_TURNED_AWAY},
        {CMK_GUARD_FIREWALL_LETS_BACKUP_IN, CMK_REQUEST_TURNED_AWAY},
        {CMK_GUARD_CONNECTION_LETS_ACTOR_IN, CMK_REQUEST_TURNED_AWAY},
        {CMK_GUARD_FIREWALL_LETS_ACTOR_IN, CMK_REQUEST_TURNED_AWAY},
        {CMK_GUARD_CALLER_IS_KNOWN, CMK_REQUEST_TURNED_AWAY},
        {CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED, CMK_REQUEST_THROTTLED},
    };
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(early); i++) {
        if (early[i].guard == guard) {
            return early[i].fate;
        }
    }
    return guard == CMK_GUARD_NONE ? CMK_REQUEST_ANSWERED : CMK_REQUEST_REFUSED;
}

CmkRequestFate cmk_key_vault_request_fate(const CmkWorld *world, const CmkArgs *args,
                                          CmkGuardId guard)
{
    const bool is_counted =
        cmk_azure_model()->operations[args->op]->account == cmk_key_vault_count_request;
    return is_counted && !cmk_is_about_hsm(args) && cmk_is_request(world, args)
               ? fate_by(guard)
               : CMK_REQUEST_NOT_SENT;
}

/* Both windows, of the key vault and of its subscription. */
static void fill_windows(CmkSim *sim, const CmkArgs *args, CmkKeyVaultMeter *meter)
{
    const CmkTime start = window_start(cmk_world_now(sim->world));
    const int64_t weight = cmk_key_vault_request_weight(sim->world, args);
    CmkSubscriptionMeter *all = cmk_subscription_meter_mut(
        sim, subscription_meter_of(sim->world, cmk_key_vault_of(sim->world, args)));
    meter->window_used = used_now(sim->world, meter->window_start, meter->window_used) + weight;
    meter->window_start = start;
    all->window_used = used_now(sim->world, all->window_start, all->window_used) + weight;
    all->window_start = start;
}

/* Whether it came as far as authorisation, which is looked at before the window (OQ-20), but not
 * into the window: then it has a bill, but no place. */
static bool is_stopped_before_window(const CmkWorld *world, CmkOpId op, CmkGuardId guard)
{
    if (cmk_knob(world, CMK_KNOB_THROTTLING_AFTER_AUTHORISATION) == 0 || guard == CMK_GUARD_NONE) {
        return false;
    }
    const CmkGuardId *rights = rights_guards(op);
    return guard == CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED || guard == rights[0] ||
           guard == rights[1];
}

void cmk_key_vault_count_request(CmkSim *sim, const CmkArgs *args, CmkGuardId guard)
{
    if (cmk_is_about_hsm(args)) {
        cmk_managed_hsm_count_request(sim, args, guard);
        return;
    }
    const CmkRequestFate fate = fate_by(guard);
    if (fate == CMK_REQUEST_NOT_SENT || !cmk_is_request(sim->world, args)) {
        return;
    }
    CmkKeyVaultMeter *meter =
        cmk_key_vault_meter_mut(sim, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    meter->refused += guard != CMK_GUARD_NONE;
    const bool is_before = is_stopped_before_window(sim->world, args->op, guard);
    if (fate == CMK_REQUEST_TURNED_AWAY || (fate == CMK_REQUEST_THROTTLED && !is_before)) {
        return;
    }
    if (!is_before) {
        fill_windows(sim, args, meter);
    }
    const CmkKeyShape shape = cmk_key_shape_of(sim->world, args);
    /* A list is about no key: it costs as little as a small one. */
    const bool is_cheap =
        args->ref[CMK_REF_KEY] == 0 || (cmk_key_type_is_rsa(shape.type) && shape.size_bits == 2048);
    meter->requests_2048 += is_cheap;   /* COST-11 */
    meter->requests_other += !is_cheap; /* COST-12 */
    const uint32_t use = CMK_PERMISSION_GET | CMK_PERMISSION_KEYS_USE;
    if (guard == CMK_GUARD_NONE && (sim->model->operations[args->op]->permission & use) != 0) {
        cmk_key_use_note(sim, cmk_key_version_of(sim->world, args));
    }
}

/* ---- operations ------------------------------------------------------------------------------ */

static uint32_t key_vault_create(CmkSim *sim, const CmkArgs *args)
{
    CmkKeyVault *vault = cmk_key_vault_mut(sim, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    vault->region = args->ref[CMK_REF_REGION];
    const int64_t retention = args->num[CMK_KEY_VAULT_RETENTION_DAYS];
    vault->permission_model = (uint32_t)args->num[CMK_KEY_VAULT_PERMISSION_MODEL];
    vault->has_soft_delete = args->num[CMK_KEY_VAULT_SOFT_DELETE] != CMK_SAYS_FALSE;
    vault->has_purge_protection = args->num[CMK_KEY_VAULT_PURGE_PROTECTION] == CMK_SAYS_TRUE;
    vault->retention_days = retention != 0 ? (uint32_t)retention : USUAL_RETENTION_DAYS;
    vault->sku = (uint32_t)args->num[CMK_KEY_VAULT_TIER];
    vault->state = CMK_KEY_VAULT_ACTIVE;
    cmk_network_open(sim, (CmkRuleSetId){vault->rule_set});
    vault->epoch++;
    vault->written_at = 0; /* as a whole it is in the pair at once: see models/replica.h */
    vault->changed_by = vault->permission_model_by = cmk_this_seq(sim);
    return args->ref[CMK_REF_KEY_VAULT];
}

const CmkOperation cmk_op_key_vault_create = {
    .name = "key_vault.create",
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,
    .text = "A key vault is created.",
    .params = {{"key_vault", CMK_PARAM_KEY_VAULT, 0, 1, CMK_REF_KEY_VAULT},
               {"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION},
               {"permission_model", CMK_PARAM_PERMISSION_MODEL, 1, 0,
                CMK_KEY_VAULT_PERMISSION_MODEL},
               {"soft_delete", CMK_PARAM_BOOLEAN, 1, 0, CMK_KEY_VAULT_SOFT_DELETE},
               {"purge_protection", CMK_PARAM_BOOLEAN, 1, 0, CMK_KEY_VAULT_PURGE_PROTECTION},
               {"retention_days", CMK_PARAM_INTEGER, 1, 0, CMK_KEY_VAULT_RETENTION_DAYS},
               {"sku", CMK_PARAM_SKU, 1, 0, CMK_KEY_VAULT_TIER}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_KEY_VAULT_IS_REACHABLE,
               CMK_GUARD_KEY_VAULT_IS_WRITABLE, CMK_GUARD_NAME_IS_FREE,
               CMK_GUARD_RETENTION_IS_IN_RANGE, CMK_GUARD_PURGE_PROTECTION_COMES_WITH_SOFT_DELETE,
               CMK_GUARD_NEW_KEY_VAULT_HAS_SOFT_DELETE},
    .writes =
        CMK_BIT(KEY_VAULT) | CMK_BIT(RULE_SET) | CMK_BIT(NETWORK_RULE) | CMK_BIT(PRIVATE_ENDPOINT),
    .effect = key_vault_create,
    .rules = "SD-1 SD-2 SD-3 AC-1 AC-3 NET-1 REL-4 REL-7 REL-8",
    .action = "Microsoft.KeyVault/vaults/write",
    .az = "az keyvault create",
};

static uint32_t set_taken(CmkSim *sim, const CmkArgs *args, uint32_t taken_ppm)
{
    CmkKeyVault *vault = cmk_key_vault_mut(sim, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    vault->taken_ppm = taken_ppm;
    vault->throttled_by = cmk_this_seq(sim);
    return args->ref[CMK_REF_KEY_VAULT];
}

static uint32_t key_vault_throttle(CmkSim *sim, const CmkArgs *args)
{
    return set_taken(sim, args, args->num[0] != 0 ? (uint32_t)args->num[0] : CMK_SHARE_ALL);
}

const CmkOperation cmk_op_key_vault_throttle = {
    .name = "key_vault.throttle",
    .text = "Somebody else uses up all requests that the key vault answers, or a share of them.",
    .params = {{"key_vault", CMK_PARAM_KEY_VAULT, 0, 1, CMK_REF_KEY_VAULT},
               {"share", CMK_PARAM_SHARE, 1, 0, 0}},
    .guards = {CMK_GUARD_KEY_VAULT_EXISTS},
    .writes = CMK_BIT(KEY_VAULT),
    .effect = key_vault_throttle,
    .rules = "KVE-14 THR-2",
};

static uint32_t key_vault_unthrottle(CmkSim *sim, const CmkArgs *args)
{
    return set_taken(sim, args, 0);
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

/* ---- protection ------------------------------------------------------------------------------ */

/* Properties of a key vault are changed on the management plane, which asks who it is before it
 * tells whether there is anything; and not while the region is away (REL-8). */
#define TO_MANAGE(guard_of_state)                                                                  \
    CMK_GUARD_ACTOR_MAY_MANAGE, guard_of_state, CMK_GUARD_KEY_VAULT_IS_REACHABLE,                  \
        CMK_GUARD_KEY_VAULT_IS_WRITABLE
#define KEY_VAULT_PARAM                                                                            \
    {                                                                                              \
        "key_vault", CMK_PARAM_KEY_VAULT, 0, 1, CMK_REF_KEY_VAULT                                  \
    }

static uint32_t key_vault_set_soft_delete(CmkSim *sim, const CmkArgs *args)
{
    CmkKeyVault *vault = cmk_key_vault_mut(sim, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    cmk_replica_keep_key_vault(sim, vault);
    vault->has_soft_delete = 1;
    vault->changed_by = cmk_this_seq(sim);
    return args->ref[CMK_REF_KEY_VAULT];
}

const CmkOperation cmk_op_key_vault_set_soft_delete = {
    .name = "key_vault.set_soft_delete",
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,
    .text = "A key vault gets soft delete, once and for all.",
    .params = {KEY_VAULT_PARAM,
               {"enabled", CMK_PARAM_BOOLEAN, 1, 0, 0},
               {"retention_days", CMK_PARAM_INTEGER, 1, 0, 1}},
    .guards = {TO_MANAGE(CMK_GUARD_KEY_VAULT_EXISTS), CMK_GUARD_SOFT_DELETE_STAYS_ON,
               CMK_GUARD_RETENTION_STAYS},
    .writes = CMK_BIT(KEY_VAULT),
    .effect = key_vault_set_soft_delete,
    .rules = "SD-1 SD-2 REL-8",
    .action = "Microsoft.KeyVault/vaults/write",
    .az = "az keyvault update",
    .audit = "VaultPatch",
};

static uint32_t key_vault_set_purge_protection(CmkSim *sim, const CmkArgs *args)
{
    CmkKeyVault *vault = cmk_key_vault_mut(sim, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    cmk_replica_keep_key_vault(sim, vault);
    vault->has_purge_protection = 1;
    vault->changed_by = cmk_this_seq(sim);
    return args->ref[CMK_REF_KEY_VAULT];
}

const CmkOperation cmk_op_key_vault_set_purge_protection = {
    .name = "key_vault.set_purge_protection",
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,
    .text = "A key vault gets purge protection, once and for all.",
    .params = {KEY_VAULT_PARAM, {"enabled", CMK_PARAM_BOOLEAN, 1, 0, 0}},
    .guards = {TO_MANAGE(CMK_GUARD_KEY_VAULT_EXISTS), CMK_GUARD_PURGE_PROTECTION_STAYS_ON,
               CMK_GUARD_KEY_VAULT_HAS_SOFT_DELETE},
    .writes = CMK_BIT(KEY_VAULT),
    .effect = key_vault_set_purge_protection,
    .rules = "SD-3 REL-8",
    .action = "Microsoft.KeyVault/vaults/write",
    .az = "az keyvault update",
    .audit = "VaultPatch",
};

/* ---- deletion -------------------------------------------------------------------------------- */

/* Role assignments at the key vault or its keys go with it and do not come back (SD-15). */
static void lose_assignments(CmkSim *sim, CmkKeyVaultId id)
{
    uint32_t row = cmk_key_vault(sim->world, id)->first_assignment;
    while (row != 0) {
        const CmkAssignmentId assignment = {row};
        if (cmk_assignment(sim->world, assignment)->state != CMK_ASSIGNMENT_REMOVED) {
            cmk_assignment_end(sim, assignment);
        }
        row = cmk_assignment(sim->world, assignment)->next_of_key_vault;
    }
}

static uint32_t key_vault_delete(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyVaultId id = {args->ref[CMK_REF_KEY_VAULT]};
    CmkKeyVault *vault = cmk_key_vault_mut(sim, id);
    vault->state = CMK_KEY_VAULT_DELETED;
    vault->taken_ppm = 0; /* who used it up has nothing to ask any more */
    vault->epoch++;
    vault->purge_at = cmk_world_now(sim->world); /* without soft delete nothing is kept */
    if (vault->has_soft_delete != 0) {
        vault->purge_at += vault->retention_days * CMK_DAY_US; /* SD-6 */
    }
    vault->changed_by = cmk_this_seq(sim);
    if (cmk_knob(sim->world, CMK_KNOB_RECOVERED_VAULT_KEEPS_ASSIGNMENTS) == 0) {
        lose_assignments(sim, id);
    }
    (void)cmk_engine_set_timer(sim, vault->purge_at, CMK_EVENT_KEY_VAULT_PURGE, id.i, args);
    return id.i;
}

const CmkOperation cmk_op_key_vault_delete = {
    .name = "key_vault.delete",
    .permission = CMK_PERMISSION_KEY_VAULT_DELETE,
    .text = "A key vault goes to the deleted state with its keys; role assignments at it are lost.",
    .params = {KEY_VAULT_PARAM},
    .guards = {TO_MANAGE(CMK_GUARD_KEY_VAULT_EXISTS)},
    .writes = CMK_BIT(KEY_VAULT) | CMK_BIT(ASSIGNMENT) | CMK_BIT(SCOPE) | CMK_BIT_TIMERS,
    .effect = key_vault_delete,
    .rules = "SD-6 SD-15 SD-16 SD-22",
    .action = "Microsoft.KeyVault/vaults/delete",
    .az = "az keyvault delete",
    .audit = "VaultDelete",
};

static uint32_t key_vault_recover(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyVaultId id = {args->ref[CMK_REF_KEY_VAULT]};
    CmkKeyVault *vault = cmk_key_vault_mut(sim, id);
    vault->state = CMK_KEY_VAULT_ACTIVE; /* access policies are its own properties: SD-17 */
    vault->epoch++;
    vault->changed_by = cmk_this_seq(sim);
    uint32_t row = vault->first_key;
    while (row != 0) {
        const CmkKeyId key = {row};
        cmk_key_resume(sim, key, args);
        row = cmk_key(sim->world, key)->next_of_key_vault;
    }
    return id.i;
}

const CmkOperation cmk_op_key_vault_recover = {
    .name = "key_vault.recover",
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,
    .text = "A deleted key vault comes back with its keys and access policies, but without the "
            "role assignments.",
    .params = {KEY_VAULT_PARAM},
    .guards = {TO_MANAGE(CMK_GUARD_KEY_VAULT_IS_DELETED)},
    .writes = CMK_BIT(KEY_VAULT) | CMK_BIT(KEY) | CMK_BIT_TIMERS,
    .effect = key_vault_recover,
    .rules = "SD-9 SD-15 SD-16 SD-17 SD-20 SD-22 OQ-32",
    .action = "Microsoft.KeyVault/vaults/write",
    .az = "az keyvault recover",
    .audit = "VaultRecover",
};

/* Another key vault of this name would have no access policies. */
static void lose_access_policies(CmkSim *sim, CmkKeyVaultId id)
{
    uint32_t row = cmk_key_vault(sim->world, id)->first_access_policy;
    while (row != 0) {
        CmkAccessPolicy *policy = cmk_access_policy_mut(sim, (CmkAccessPolicyId){row});
        policy->permissions = 0;
        policy->template_permissions = 0;
        policy->changed_by = cmk_this_seq(sim);
        row = policy->next_of_key_vault;
    }
    cmk_key_vault_mut(sim, id)->access_policy_count = 0;
}

static uint32_t key_vault_purge(CmkSim *sim, const CmkArgs *args)
{
    const CmkKeyVaultId id = {args->ref[CMK_REF_KEY_VAULT]};
    CmkKeyVault *vault = cmk_key_vault_mut(sim, id);
    vault->state = CMK_KEY_VAULT_PURGED;
    vault->epoch++;
    vault->changed_by = cmk_this_seq(sim);
    lose_access_policies(sim, id);
    lose_assignments(sim, id); /* if they outlived its deletion */
    uint32_t row = vault->first_key;
    while (row != 0) {
        const CmkKeyId key_id = {row};
        const CmkKey *key = cmk_key(sim->world, key_id);
        if (key->state != CMK_KEY_ABSENT && key->state != CMK_KEY_PURGED) {
            cmk_key_destroy(sim, key_id);
        }
        /* The names in another key vault of this name are free. */
        cmk_key_mut(sim, key_id)->name_free_at = cmk_world_now(sim->world);
        row = key->next_of_key_vault;
    }
    cmk_secrets_destroy(sim, id);
    return id.i;
}

const CmkOperation cmk_op_key_vault_purge = {
    .name = "key_vault.purge",
    .permission = CMK_PERMISSION_KEY_VAULT_PURGE,
    .text = "A deleted key vault is destroyed for good with all its keys.",
    .params = {KEY_VAULT_PARAM},
    .guards = {TO_MANAGE(CMK_GUARD_KEY_VAULT_IS_DELETED), CMK_GUARD_KEY_VAULT_PURGE_IS_ALLOWED},
    .writes = CMK_BIT(KEY_VAULT) | CMK_BIT(KEY) | CMK_BIT(VERSION) | CMK_BIT(ACCESS_POLICY) |
              CMK_BIT(ASSIGNMENT) | CMK_BIT(SCOPE) | CMK_BIT(SECRET),
    .effect = key_vault_purge,
    .rules = "SD-6 SD-7 SD-9 SD-22",
    .action = "Microsoft.KeyVault/locations/deletedVaults/purge/action",
    .az = "az keyvault purge",
};

/* How long the service waits with a purge that an outage of the region does not let through. */
#define PURGE_RETRY_US CMK_HOUR_US

void cmk_on_key_vault_purge(CmkSim *sim, const CmkTimer *timer)
{
    CmkArgs args = cmk_args_of_timer(CMK_OP_KEY_VAULT_PURGE, timer);
    args.ref[CMK_REF_KEY_VAULT] = timer->subject;
    if (cmk_apply(sim, &args).status != CMK_STATUS_OK) {
        (void)cmk_engine_repeat_timer(sim, cmk_world_now(sim->world) + PURGE_RETRY_US, timer);
    }
}
