/* Changing who may reach a key vault or a Managed HSM: public access, default, bypass, and rules
 * for networks and, in a perimeter, for subscriptions. All of it acts at once (NET-14), on the
 * management plane, which no network rule guards (NET-2). */
#include <string.h>

#include "models/key_store.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/network.h"
#include "models/replica.h"
#include "models/rows.h"

/* ---- guards ---------------------------------------------------------------------------------- */

static CmkNetworkRuleKind kind_of(CmkOpId op)
{
    return op == CMK_OP_KEY_VAULT_ADD_PERIMETER_RULE || op == CMK_OP_KEY_VAULT_REMOVE_PERIMETER_RULE
               ? CMK_RULE_OF_PERIMETER
               : CMK_RULE_OF_FIREWALL;
}

/* The row for what the arguments let in or shut out; {0} if there never was a rule for it. */
static CmkNetworkRuleId rule_of(const CmkWorld *world, const CmkArgs *args)
{
    uint32_t row = cmk_rule_set(world, cmk_network_set_of(world, args))->first_rule;
    while (row != 0) {
        const CmkNetworkRule *rule = cmk_network_rule(world, (CmkNetworkRuleId){row});
        if (rule->kind == (uint32_t)kind_of(args->op) &&
            rule->network == args->ref[CMK_REF_NETWORK] &&
            rule->subscription == args->ref[CMK_REF_SCOPE]) {
            break;
        }
        row = rule->next_of_set;
    }
    return (CmkNetworkRuleId){row};
}

static bool network_rule_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkNetworkRule *rule = cmk_network_rule(world, rule_of(world, args));
    *ret_blame = rule->changed_by;
    return rule->is_in_force != 0;
}

const CmkGuard cmk_guard_network_rule_exists = {.name = "network-rule-exists",
                                                .holds = network_rule_exists,
                                                .status = CMK_STATUS_OF(NOT_FOUND),
                                                .rule = "NET-3",
                                                .text = "There is such a rule."};

static bool network_rule_is_new(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return !network_rule_exists(world, args, ret_blame);
}

const CmkGuard cmk_guard_network_rule_is_new = {.name = "network-rule-is-new",
                                                .holds = network_rule_is_new,
                                                .status = CMK_STATUS_OF(CONFLICT),
                                                .rule = "NET-3",
                                                .text = "There is no such rule yet."};

/* A subnet is let in as such, whatever its addresses are. */
static bool network_range_is_public(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkNetworkId id = {args->ref[CMK_REF_NETWORK]};
    (void)ret_blame;
    return id.i == 0 || cmk_network(world, id)->kind == CMK_NETWORK_SUBNET ||
           cmk_network_is_public(cmk_network(world, id));
}

const CmkGuard cmk_guard_network_range_is_public = {
    .name = "network-range-is-public",
    .holds = network_range_is_public,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "NET-4",
    .text = "A rule for addresses names public ones: none of 10.0.0.0/8, 172.16.0.0/12 and "
            "192.168.0.0/16."};

static bool network_rules_have_room(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    static const uint32_t most[][2] = {{[CMK_NETWORK_ADDRESS_RANGE] = CMK_ADDRESS_RULES_MAX,
                                        [CMK_NETWORK_SUBNET] = CMK_SUBNET_RULES_MAX},
                                       {[CMK_NETWORK_ADDRESS_RANGE] = CMK_HSM_ADDRESS_RULES_MAX}};
    const CmkRuleSet *set = cmk_rule_set(world, cmk_network_set_of(world, args));
    const uint32_t kind = cmk_network(world, (CmkNetworkId){args->ref[CMK_REF_NETWORK]})->kind;
    *ret_blame = set->changed_by;
    return set->rule_counts[kind] < most[cmk_is_about_hsm(args)][kind];
}

const CmkGuard cmk_guard_network_rules_have_room = {
    .name = "network-rules-have-room",
    .holds = network_rules_have_room,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "NET-4 HSM-22",
    .text = "The firewall of a key vault has at most 1000 rules for addresses and 200 for subnets, "
            "that of a Managed HSM 10 for addresses and none for subnets."};

static bool managed_hsm_knows_no_perimeter(const CmkWorld *world, const CmkArgs *args,
                                           uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    return args->num[CMK_SET_PUBLIC_ACCESS] != CMK_PUBLIC_ACCESS_SECURED_BY_PERIMETER + 1;
}

const CmkGuard cmk_guard_managed_hsm_knows_no_perimeter = {
    .name = "managed-hsm-knows-no-perimeter",
    .holds = managed_hsm_knows_no_perimeter,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "HSM-22",
    .text = "Public access to a Managed HSM is enabled or disabled: it is in no perimeter."};

/* ---- public access, default, bypass ---------------------------------------------------------- */

void cmk_network_settings_now(const CmkWorld *world, const CmkArgs *set, int64_t ret[3])
{
    const CmkRuleSet *now = cmk_rule_set(world, cmk_network_set_of(world, set));
    ret[CMK_SET_PUBLIC_ACCESS] = now->public_access + 1;
    ret[CMK_SET_DEFAULT_ACTION] = now->default_action + 1;
    ret[CMK_SET_BYPASS] = now->bypass + 1;
}

/* OQ-19: settings with a user-assigned identity stay as they are when their store of keys is
 * closed, or become Inconsistent until somebody updates them. */
static void break_settings(CmkSim *sim, uint32_t first_key)
{
    uint32_t key = first_key;
    for (; key != 0; key = cmk_key(sim->world, (CmkKeyId){key})->next_of_key_vault) {
        uint32_t row = cmk_key(sim->world, (CmkKeyId){key})->first_user;
        for (; row != 0; row = cmk_backup_vault(sim->world, (CmkBackupVaultId){row})->next_of_key) {
            if (cmk_backup_vault(sim->world, (CmkBackupVaultId){row})->identity != 0) {
                cmk_encryption_spoil(sim, (CmkBackupVaultId){row});
            }
        }
    }
}

static uint32_t set_network(CmkSim *sim, const CmkArgs *args)
{
    const CmkRuleSetId id = cmk_network_set_of(sim->world, args);
    CmkRuleSet *set = cmk_rule_set_mut(sim, id);
    const bool was_limited = cmk_network_is_limited(sim->world, id);
    cmk_replica_keep_rule_set(sim, set);
    uint32_t *const settings[] = {[CMK_SET_PUBLIC_ACCESS] = &set->public_access,
                                  [CMK_SET_DEFAULT_ACTION] = &set->default_action,
                                  [CMK_SET_BYPASS] = &set->bypass};
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(settings); i++) {
        *settings[i] = args->num[i] != 0 ? (uint32_t)args->num[i] - 1 : *settings[i];
    }
    set->changed_by = cmk_this_seq(sim);
    if (!was_limited && cmk_network_is_limited(sim->world, id) &&
        cmk_knob(sim->world, CMK_KNOB_LATE_LIMIT_BREAKS_SETTINGS) != 0) {
        break_settings(sim, cmk_key_store_named(sim->world, args).first_key);
    }
    return cmk_is_about_hsm(args) ? args->ref[CMK_REF_MANAGED_HSM] : args->ref[CMK_REF_KEY_VAULT];
}

/* As other properties of key vaults are changed: not while the region is away (REL-8). */

/* The questions OQ-17 and OQ-18 are cited here and not by the guards: they come up only where some
 * key vault is closed. */
const CmkOperation cmk_op_key_vault_set_network = {
    .name = "key_vault.set_network",
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,
    .text = "A key vault is closed to networks or opened to them; what is not said stays.",
    .params = {CMK_KEY_VAULT_PARAM,
               {"public_access", CMK_PARAM_PUBLIC_ACCESS, 1, 0, CMK_SET_PUBLIC_ACCESS},
               {"default_action", CMK_PARAM_DEFAULT_ACTION, 1, 0, CMK_SET_DEFAULT_ACTION},
               {"bypass", CMK_PARAM_BYPASS, 1, 0, CMK_SET_BYPASS}},
    .guards = {CMK_GUARDS_TO_SET_NETWORK},
    .writes = CMK_BIT(RULE_SET) | CMK_BIT(BACKUP_VAULT),
    .effect = set_network,
    .rules = "NET-2 NET-3 NET-14 REL-8 OQ-17 OQ-18 OQ-19",
    .action = "Microsoft.KeyVault/vaults/write",
    .az = "az keyvault update",
    .audit = "VaultPatch",
};

const CmkOperation cmk_op_managed_hsm_set_network = {
    .name = "managed_hsm.set_network",
    .permission = CMK_PERMISSION_MANAGED_HSM_WRITE,
    .text = "A Managed HSM is closed to networks or opened to them; what is not said stays.",
    .params = {CMK_MANAGED_HSM_PARAM,
               {"public_access", CMK_PARAM_PUBLIC_ACCESS, 1, 0, CMK_SET_PUBLIC_ACCESS},
               {"default_action", CMK_PARAM_DEFAULT_ACTION, 1, 0, CMK_SET_DEFAULT_ACTION},
               {"bypass", CMK_PARAM_BYPASS, 1, 0, CMK_SET_BYPASS}},
    .guards = {CMK_GUARDS_TO_SET_NETWORK_OF_HSM, CMK_GUARD_MANAGED_HSM_KNOWS_NO_PERIMETER},
    .writes = CMK_BIT(RULE_SET) | CMK_BIT(BACKUP_VAULT),
    .effect = set_network,
    .rules = "HSM-2 HSM-22 NET-2 NET-3 NET-14 OQ-17 OQ-18 OQ-19",
    .action = "Microsoft.KeyVault/managedHSMs/write",
    .az = "az keyvault update-hsm",
};

/* ---- rules ----------------------------------------------------------------------------------- */

static CmkNetworkRuleId make_rule(CmkSim *sim, const CmkArgs *args)
{
    const CmkRuleSetId set = cmk_network_set_of(sim->world, args);
    const CmkNetworkRuleId id = {cmk_world_row_add(sim->world, CMK_TABLE_NETWORK_RULE)};
    CmkNetworkRule *rule = cmk_network_rule_mut(sim, id);
    rule->rule_set = set.i;
    rule->kind = kind_of(args->op);
    rule->network = args->ref[CMK_REF_NETWORK];
    rule->subscription = args->ref[CMK_REF_SCOPE];
    rule->next_of_set = cmk_rule_set(sim->world, set)->first_rule;
    cmk_rule_set_mut(sim, set)->first_rule = id.i;
    return id;
}

static uint32_t put_in_force(CmkSim *sim, const CmkArgs *args, uint32_t is_in_force)
{
    const CmkNetworkRuleId known = rule_of(sim->world, args);
    const CmkNetworkRuleId id = known.i != 0 ? known : make_rule(sim, args);
    CmkNetworkRule *rule = cmk_network_rule_mut(sim, id);
    cmk_replica_keep_network_rule(sim, rule);
    rule->is_in_force = is_in_force;
    rule->changed_by = cmk_this_seq(sim);
    if (rule->kind == CMK_RULE_OF_FIREWALL) {
        const uint32_t kind = cmk_network(sim->world, (CmkNetworkId){rule->network})->kind;
        uint32_t *count = &cmk_rule_set_mut(sim, (CmkRuleSetId){rule->rule_set})->rule_counts[kind];
        *count = is_in_force != 0 ? *count + 1 : *count - 1;
    }
    return id.i;
}

static uint32_t add_rule(CmkSim *sim, const CmkArgs *args)
{
    return put_in_force(sim, args, 1);
}

static uint32_t remove_rule(CmkSim *sim, const CmkArgs *args)
{
    return put_in_force(sim, args, 0);
}

#define WRITES_RULES (CMK_BIT(RULE_SET) | CMK_BIT(NETWORK_RULE))
#define NETWORK_PARAM                                                                              \
    {                                                                                              \
        "network", CMK_PARAM_NETWORK, 0, 1, CMK_REF_NETWORK                                        \
    }

const CmkOperation cmk_op_key_vault_add_network_rule = {
    .name = "key_vault.add_network_rule",
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,
    .text = "A key vault's firewall lets a network in.",
    .params = {CMK_KEY_VAULT_PARAM, NETWORK_PARAM},
    .guards = {CMK_GUARDS_TO_SET_NETWORK, CMK_GUARD_NETWORK_RULE_IS_NEW,
               CMK_GUARD_NETWORK_RANGE_IS_PUBLIC, CMK_GUARD_NETWORK_RULES_HAVE_ROOM},
    .writes = WRITES_RULES,
    .effect = add_rule,
    .rules = "NET-2 NET-3 NET-4 NET-14 REL-8",
    .action = "Microsoft.KeyVault/vaults/write",
    .az = "az keyvault network-rule add",
    .audit = "VaultPatch",
};

const CmkOperation cmk_op_key_vault_remove_network_rule = {
    .name = "key_vault.remove_network_rule",
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,
    .text = "A key vault's firewall lets a network in no longer.",
    .params = {CMK_KEY_VAULT_PARAM, NETWORK_PARAM},
    .guards = {CMK_GUARDS_TO_SET_NETWORK, CMK_GUARD_NETWORK_RULE_EXISTS},
    .writes = WRITES_RULES,
    .effect = remove_rule,
    .rules = "NET-2 NET-3 NET-14 REL-8",
    .action = "Microsoft.KeyVault/vaults/write",
    .az = "az keyvault network-rule remove",
    .audit = "VaultPatch",
};

const CmkOperation cmk_op_managed_hsm_add_network_rule = {
    .name = "managed_hsm.add_network_rule",
    .permission = CMK_PERMISSION_MANAGED_HSM_WRITE,
    .text = "A Managed HSM's firewall lets a range of addresses in.",
    .params = {CMK_MANAGED_HSM_PARAM, NETWORK_PARAM},
    .guards = {CMK_GUARDS_TO_SET_NETWORK_OF_HSM, CMK_GUARD_NETWORK_RULE_IS_NEW,
               CMK_GUARD_NETWORK_RANGE_IS_PUBLIC, CMK_GUARD_NETWORK_RULES_HAVE_ROOM},
    .writes = WRITES_RULES,
    .effect = add_rule,
    .rules = "HSM-2 HSM-22 NET-2 NET-3 NET-14",
    .action = "Microsoft.KeyVault/managedHSMs/write",
    .az = "az keyvault network-rule add --hsm-name",
};

const CmkOperation cmk_op_managed_hsm_remove_network_rule = {
    .name = "managed_hsm.remove_network_rule",
    .permission = CMK_PERMISSION_MANAGED_HSM_WRITE,
    .text = "A Managed HSM's firewall lets a range of addresses in no longer.",
    .params = {CMK_MANAGED_HSM_PARAM, NETWORK_PARAM},
    .guards = {CMK_GUARDS_TO_SET_NETWORK_OF_HSM, CMK_GUARD_NETWORK_RULE_EXISTS},
    .writes = WRITES_RULES,
    .effect = remove_rule,
    .rules = "HSM-2 HSM-22 NET-2 NET-3 NET-14",
    .action = "Microsoft.KeyVault/managedHSMs/write",
    .az = "az keyvault network-rule remove --hsm-name",
};

/* Each key vault is in a perimeter of its own: whoever may write to it sets its rules (assumed). */
#define FROM_PARAM                                                                                 \
    {                                                                                              \
        "from", CMK_PARAM_NETWORK_OR_SUBSCRIPTION, 0, 1, CMK_REF_NETWORK                           \
    }

const CmkOperation cmk_op_key_vault_add_perimeter_rule = {
    .name = "key_vault.add_perimeter_rule",
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,
    .text = "The perimeter of a key vault lets a network in, or what runs in a subscription.",
    .params = {CMK_KEY_VAULT_PARAM, FROM_PARAM},
    .guards = {CMK_GUARDS_TO_SET_NETWORK, CMK_GUARD_NETWORK_RULE_IS_NEW,
               CMK_GUARD_NETWORK_RANGE_IS_PUBLIC},
    .writes = WRITES_RULES,
    .effect = add_rule,
    .rules = "NET-2 NET-6 NET-14 REL-8",
    .action = "Microsoft.Network/networkSecurityPerimeters/profiles/accessRules/write",
    .az = "az network perimeter profile access-rule create",
};

const CmkOperation cmk_op_key_vault_remove_perimeter_rule = {
    .name = "key_vault.remove_perimeter_rule",
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,
    .text = "The perimeter of a key vault lets a network or subscription in no longer.",
    .params = {CMK_KEY_VAULT_PARAM, FROM_PARAM},
    .guards = {CMK_GUARDS_TO_SET_NETWORK, CMK_GUARD_NETWORK_RULE_EXISTS},
    .writes = WRITES_RULES,
    .effect = remove_rule,
    .rules = "NET-2 NET-6 NET-14 REL-8",
    .action = "Microsoft.Network/networkSecurityPerimeters/profiles/accessRules/delete",
    .az = "az network perimeter profile access-rule delete",
};

/* ---- a new store of keys --------------------------------------------------------------------- */

static void end_rules(CmkSim *sim, uint32_t first)
{
    for (uint32_t row = first; row != 0;) {
        CmkNetworkRule *rule = cmk_network_rule_mut(sim, (CmkNetworkRuleId){row});
        if (rule->is_in_force != 0) {
            rule->is_in_force = 0;
            rule->written_at = 0; /* with its key vault it is in the pair at once */
            rule->changed_by = cmk_this_seq(sim);
        }
        row = rule->next_of_set;
    }
}

static void end_connections(CmkSim *sim, uint32_t first)
{
    for (uint32_t row = first; row != 0;) {
        CmkPrivateEndpoint *endpoint = cmk_private_endpoint_mut(sim, (CmkPrivateEndpointId){row});
        if (endpoint->state != CMK_ENDPOINT_DISCONNECTED) {
            endpoint->state = CMK_ENDPOINT_DISCONNECTED;
            endpoint->changed_by = cmk_this_seq(sim);
        }
        row = endpoint->next;
    }
}

void cmk_network_open(CmkSim *sim, CmkRuleSetId id)
{
    CmkRuleSet *set = cmk_rule_set_mut(sim, id);
    end_rules(sim, set->first_rule);
    end_connections(sim, set->first_private_endpoint);
    set->public_access = CMK_PUBLIC_ACCESS_ENABLED;
    set->default_action = CMK_DEFAULT_ACTION_ALLOW;
    set->bypass = CMK_BYPASS_AZURE_SERVICES;
    memset(set->rule_counts, 0, sizeof(set->rule_counts));
    set->private_endpoint_count = 0;
    set->written_at = 0;
    set->changed_by = cmk_this_seq(sim);
}

void cmk_network_disconnect_backup_vault(CmkSim *sim, CmkBackupVaultId id)
{
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    end_connections(sim, vault->first_private_endpoint);
    vault->private_endpoint_count = 0;
}
