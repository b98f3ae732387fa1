#include "models/replica.h"

#include "models/managed_hsm.h"
#include "models/mutate.h"

/* ---- keeping what was ------------------------------------------------------------------------ */

/* Whether the last write to a row has reached the pair, so that another one stands for itself. */
static bool is_after(const CmkSim *sim, CmkTime written_at, CmkKnobId lag)
{
    return written_at + cmk_knob(sim->world, lag) <= cmk_world_now(sim->world);
}

static bool is_replicated(const CmkSim *sim, CmkTime written_at)
{
    return is_after(sim, written_at, CMK_KNOB_REPLICATION_LAG);
}

static CmkKnobId lag_of(const CmkKey *key)
{
    return key->managed_hsm != 0 ? CMK_KNOB_HSM_REPLICATION : CMK_KNOB_REPLICATION_LAG;
}

void cmk_replica_keep_key_vault(const CmkSim *sim, CmkKeyVault *vault)
{
    if (is_replicated(sim, vault->written_at)) {
        vault->permission_model_before = vault->permission_model;
        vault->has_soft_delete_before = vault->has_soft_delete;
        vault->has_purge_protection_before = vault->has_purge_protection;
        vault->permission_model_by_before = vault->permission_model_by;
        vault->changed_by_before = vault->changed_by;
    }
    vault->written_at = cmk_world_now(sim->world);
}

void cmk_replica_keep_key(const CmkSim *sim, CmkKey *key)
{
    if (is_after(sim, key->written_at, lag_of(key))) {
        key->state_before = key->state;
        key->version_before = key->current_version;
        key->changed_by_before = key->changed_by;
    }
    key->written_at = cmk_world_now(sim->world);
}

void cmk_replica_keep_version(const CmkSim *sim, CmkVersion *version)
{
    const CmkKey *key = cmk_key(sim->world, (CmkKeyId){version->key});
    if (is_after(sim, version->written_at, lag_of(key))) {
        version->is_enabled_before = version->is_enabled;
        version->key_ops_before = version->key_ops;
        version->not_before_before = version->not_before;
        version->expires_before = version->expires;
        version->changed_by_before = version->changed_by;
    }
    version->written_at = cmk_world_now(sim->world);
}

void cmk_replica_keep_policy(const CmkSim *sim, CmkAccessPolicy *policy)
{
    if (is_replicated(sim, policy->written_at)) {
        policy->permissions_before = policy->permissions;
        policy->changed_by_before = policy->changed_by;
    }
    policy->written_at = cmk_world_now(sim->world);
}

void cmk_replica_keep_rule_set(const CmkSim *sim, CmkRuleSet *set)
{
    if (is_replicated(sim, set->written_at)) {
        set->public_access_before = set->public_access;
        set->default_action_before = set->default_action;
        set->bypass_before = set->bypass;
        set->changed_by_before = set->changed_by;
    }
    set->written_at = cmk_world_now(sim->world);
}

void cmk_replica_keep_network_rule(const CmkSim *sim, CmkNetworkRule *rule)
{
    if (is_replicated(sim, rule->written_at)) {
        rule->is_in_force_before = rule->is_in_force;
        rule->changed_by_before = rule->changed_by;
    }
    rule->written_at = cmk_world_now(sim->world);
}

/* ---- exchanging it --------------------------------------------------------------------------- */

static void exchange(uint32_t *a, uint32_t *b)
{
    const uint32_t was = *a;
    *a = *b;
    *b = was;
}

static void exchange_long(uint64_t *a, uint64_t *b)
{
    const uint64_t was = *a;
    *a = *b;
    *b = was;
}

static void exchange_time(CmkTime *a, CmkTime *b)
{
    const CmkTime was = *a;
    *a = *b;
    *b = was;
}

static bool is_of_region(const CmkWorld *world, uint32_t key_vault, CmkRegionId region)
{
    return cmk_key_vault(world, (CmkKeyVaultId){key_vault})->region == region.i;
}

/* The newest version from this one back that was made by then, {0} if none was. */
static uint32_t newest_until(const CmkWorld *world, uint32_t version, CmkTime until)
{
    while (version != 0 && cmk_version(world, (CmkVersionId){version})->created > until) {
        version = cmk_version(world, (CmkVersionId){version})->previous;
    }
    return version;
}

static void exchange_key_vaults(CmkSim *sim, CmkRegionId region, CmkTime until)
{
    for (uint32_t i = 1; i <= cmk_world_count(sim->world, CMK_TABLE_KEY_VAULT); i++) {
        const CmkKeyVault *row = cmk_key_vault(sim->world, (CmkKeyVaultId){i});
        if (row->written_at > until && row->region == region.i) {
            CmkKeyVault *vault = cmk_key_vault_mut(sim, (CmkKeyVaultId){i});
            exchange(&vault->permission_model, &vault->permission_model_before);
            exchange(&vault->has_soft_delete, &vault->has_soft_delete_before);
            exchange(&vault->has_purge_protection, &vault->has_purge_protection_before);
            exchange_long(&vault->permission_model_by, &vault->permission_model_by_before);
            exchange_long(&vault->changed_by, &vault->changed_by_before);
        }
    }
}

/* `missing_by`: 0 when the region shows its own again. */
static void exchange_keys(CmkSim *sim, CmkRegionId region, CmkTime until, uint64_t missing_by)
{
    for (uint32_t i = 1; i <= cmk_world_count(sim->world, CMK_TABLE_KEY); i++) {
        const CmkKey *row = cmk_key(sim->world, (CmkKeyId){i});
        if (row->written_at > until && is_of_region(sim->world, row->key_vault, region)) {
            CmkKey *key = cmk_key_mut(sim, (CmkKeyId){i});
            exchange(&key->state, &key->state_before);
            if (missing_by != 0) {
                key->version_before = newest_until(sim->world, key->current_version, until);
            }
            exchange(&key->current_version, &key->version_before);
            exchange_long(&key->changed_by, &key->changed_by_before);
        }
    }
}

static void exchange_attributes(CmkVersion *version)
{
    exchange(&version->is_enabled, &version->is_enabled_before);
    exchange(&version->key_ops, &version->key_ops_before);
    exchange_time(&version->not_before, &version->not_before_before);
    exchange_time(&version->expires, &version->expires_before);
    exchange_long(&version->changed_by, &version->changed_by_before);
}

/* `missing_by`: what is said of versions that the pair lacks. */
static void exchange_versions(CmkSim *sim, CmkRegionId region, CmkTime until, uint64_t missing_by)
{
    for (uint32_t i = 1; i <= cmk_world_count(sim->world, CMK_TABLE_VERSION); i++) {
        const CmkVersion *row = cmk_version(sim->world, (CmkVersionId){i});
        const uint32_t key_vault = cmk_key(sim->world, (CmkKeyId){row->key})->key_vault;
        if (row->written_at <= until || !is_of_region(sim->world, key_vault, region)) {
            continue;
        }
        CmkVersion *version = cmk_version_mut(sim, (CmkVersionId){i});
        if (version->created > until) {
            version->missing_by = missing_by;
        } else {
            exchange_attributes(version);
        }
    }
}

static void exchange_policies(CmkSim *sim, CmkRegionId region, CmkTime until)
{
    for (uint32_t i = 1; i <= cmk_world_count(sim->world, CMK_TABLE_ACCESS_POLICY); i++) {
        const CmkAccessPolicy *row = cmk_access_policy(sim->world, (CmkAccessPolicyId){i});
        if (row->written_at > until && is_of_region(sim->world, row->key_vault, region)) {
            CmkAccessPolicy *policy = cmk_access_policy_mut(sim, (CmkAccessPolicyId){i});
            exchange_long(&policy->permissions, &policy->permissions_before);
            exchange_long(&policy->changed_by, &policy->changed_by_before);
        }
    }
}

static void exchange_rule_sets(CmkSim *sim, CmkRegionId region, CmkTime until)
{
    for (uint32_t i = 1; i <= cmk_world_count(sim->world, CMK_TABLE_RULE_SET); i++) {
        const CmkRuleSet *row = cmk_rule_set(sim->world, (CmkRuleSetId){i});
        if (row->written_at > until && is_of_region(sim->world, row->key_vault, region)) {
            CmkRuleSet *set = cmk_rule_set_mut(sim, (CmkRuleSetId){i});
            exchange(&set->public_access, &set->public_access_before);
            exchange(&set->default_action, &set->default_action_before);
            exchange(&set->bypass, &set->bypass_before);
            exchange_long(&set->changed_by, &set->changed_by_before);
        }
    }
}

static void exchange_network_rules(CmkSim *sim, CmkRegionId region, CmkTime until)
{
    for (uint32_t i = 1; i <= cmk_world_count(sim->world, CMK_TABLE_NETWORK_RULE); i++) {
        const CmkNetworkRule *row = cmk_network_rule(sim->world, (CmkNetworkRuleId){i});
        const uint32_t key_vault =
            cmk_rule_set(sim->world, (CmkRuleSetId){row->rule_set})->key_vault;
        if (row->written_at > until && is_of_region(sim->world, key_vault, region)) {
            CmkNetworkRule *rule = cmk_network_rule_mut(sim, (CmkNetworkRuleId){i});
            exchange(&rule->is_in_force, &rule->is_in_force_before);
            exchange_long(&rule->changed_by, &rule->changed_by_before);
        }
    }
}

static void exchange_all(CmkSim *sim, CmkRegionId region, CmkTime until, uint64_t missing_by)
{
    exchange_key_vaults(sim, region, until);
    exchange_keys(sim, region, until, missing_by);
    exchange_versions(sim, region, until, missing_by);
    exchange_policies(sim, region, until);
    exchange_rule_sets(sim, region, until);
    exchange_network_rules(sim, region, until);
}

void cmk_replica_show_pair(CmkSim *sim, CmkRegionId region)
{
    const int64_t lag = cmk_knob(sim->world, CMK_KNOB_REPLICATION_LAG);
    CmkRegion *row = cmk_region_mut(sim, region);
    if (lag > 0 && row->shown_until == 0) {
        row->shown_until = row->lost_at - lag;
        exchange_all(sim, region, row->shown_until, cmk_this_seq(sim));
    }
}

void cmk_replica_show_own(CmkSim *sim, CmkRegionId region)
{
    CmkRegion *row = cmk_region_mut(sim, region);
    if (row->shown_until != 0) {
        exchange_all(sim, region, row->shown_until, 0);
        row->shown_until = 0;
    }
}

/* ---- the second region of Managed HSMs ------------------------------------------------------- */

/* Versions that the second region lacks are out of the chain, attributes are as they were. */
static void show_key_of_second(CmkSim *sim, CmkKeyId id, CmkTime until)
{
    CmkKey *key = cmk_key_mut(sim, id);
    for (uint32_t row = key->current_version; row != 0;
         row = cmk_version(sim->world, (CmkVersionId){row})->previous) {
        CmkVersion *version = cmk_version_mut(sim, (CmkVersionId){row});
        if (version->created > until) {
            version->missing_by = cmk_this_seq(sim);
        } else if (version->written_at > until) {
            exchange_attributes(version);
        }
    }
    key->current_version = newest_until(sim->world, key->current_version, until);
    if (key->written_at > until) {
        exchange(&key->state, &key->state_before);
        exchange_long(&key->changed_by, &key->changed_by_before);
    }
}

/* Whether something was written when the second region was on its own: that stays. */
static bool is_written_since(CmkTime written_at, CmkTime lost_at)
{
    return written_at >= lost_at;
}

/* Back into the chain, by its number; if there is another one of that number, which was made in its
 * place meanwhile, it is gone. */
static void link_again(CmkSim *sim, CmkVersionId id)
{
    CmkVersion *version = cmk_version_mut(sim, id);
    CmkKey *key = cmk_key_mut(sim, (CmkKeyId){version->key});
    uint32_t newer = 0;
    uint32_t row = key->current_version;
    while (row != 0 && cmk_version(sim->world, (CmkVersionId){row})->number > version->number) {
        newer = row;
        row = cmk_version(sim->world, (CmkVersionId){row})->previous;
    }
    version->missing_by = 0;
    if (row != 0 && cmk_version(sim->world, (CmkVersionId){row})->number == version->number) {
        version->is_purged = 1;
        return;
    }
    version->previous = row;
    *(newer == 0 ? &key->current_version : &cmk_version_mut(sim, (CmkVersionId){newer})->previous) =
        id.i;
}

static void show_key_of_first(CmkSim *sim, CmkKeyId id, CmkTime until, CmkTime lost_at)
{
    CmkKey *key = cmk_key_mut(sim, id);
    if (key->written_at > until && !is_written_since(key->written_at, lost_at)) {
        exchange(&key->state, &key->state_before);
        exchange_long(&key->changed_by, &key->changed_by_before);
    }
    for (uint32_t row = key->current_version; row != 0;
         row = cmk_version(sim->world, (CmkVersionId){row})->previous) {
        CmkVersion *version = cmk_version_mut(sim, (CmkVersionId){row});
        if (version->created <= until && version->written_at > until &&
            !is_written_since(version->written_at, lost_at)) {
            exchange_attributes(version);
        }
    }
}

static void show_hsm(CmkSim *sim, CmkManagedHsmId id, CmkTime until, CmkTime lost_at)
{
    uint32_t row = cmk_managed_hsm(sim->world, id)->first_key;
    while (row != 0) {
        if (lost_at == 0) {
            show_key_of_second(sim, (CmkKeyId){row}, until);
        } else {
            show_key_of_first(sim, (CmkKeyId){row}, until, lost_at);
        }
        row = cmk_key(sim->world, (CmkKeyId){row})->next_of_key_vault;
    }
}

void cmk_replica_show_second(CmkSim *sim, CmkRegionId region)
{
    const int64_t lag = cmk_knob(sim->world, CMK_KNOB_HSM_REPLICATION);
    for (uint32_t i = 1; i <= cmk_world_count(sim->world, CMK_TABLE_MANAGED_HSM); i++) {
        const CmkManagedHsmId id = {i};
        const CmkManagedHsm *hsm = cmk_managed_hsm(sim->world, id);
        if (hsm->region == region.i && lag > 0 && cmk_managed_hsm_has_second(sim->world, id)) {
            cmk_managed_hsm_mut(sim, id)->shown_until = cmk_world_now(sim->world) - lag;
            show_hsm(sim, id, hsm->shown_until, 0);
        }
    }
}

void cmk_replica_show_first(CmkSim *sim, CmkRegionId region)
{
    const CmkTime lost_at = cmk_region(sim->world, region)->lost_at;
    for (uint32_t i = 1; i <= cmk_world_count(sim->world, CMK_TABLE_MANAGED_HSM); i++) {
        const CmkManagedHsmId id = {i};
        const CmkManagedHsm *hsm = cmk_managed_hsm(sim->world, id);
        if (hsm->region == region.i && hsm->shown_until != 0) {
            show_hsm(sim, id, hsm->shown_until, lost_at);
            cmk_managed_hsm_mut(sim, id)->shown_until = 0;
        }
    }
    for (uint32_t i = 1; i <= cmk_world_count(sim->world, CMK_TABLE_VERSION); i++) {
        const CmkVersion *version = cmk_version(sim->world, (CmkVersionId){i});
        const CmkKey *key = cmk_key(sim->world, (CmkKeyId){version->key});
        const CmkManagedHsmId hsm = {key->managed_hsm};
        if (version->missing_by != 0 && hsm.i != 0 &&
            cmk_managed_hsm(sim->world, hsm)->region == region.i) {
            link_again(sim, (CmkVersionId){i});
        }
    }
}
