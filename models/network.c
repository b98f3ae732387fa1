/* Who may reach a store of keys: addresses, and the answers KVE-4 and KVE-5. */
#include "models/network.h"

#include "models/access.h"
#include "models/key_store.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/region.h"
#include "models/repairs.h"
#include "models/rows.h"
#include "models/scope.h"

/* ---- addresses ------------------------------------------------------------------------------- */

static uint32_t mask_of(uint32_t prefix_bits)
{
    CMK_ASSERT(prefix_bits <= 32);
    return prefix_bits == 0 ? 0 : UINT32_MAX << (32 - prefix_bits);
}

static bool has_prefix(uint32_t address, uint32_t prefix, uint32_t prefix_bits)
{
    return ((address ^ prefix) & mask_of(prefix_bits)) == 0;
}

bool cmk_network_contains(const CmkWorld *world, CmkNetworkId outer, CmkNetworkId inner)
{
    const CmkNetwork *out = cmk_network(world, outer);
    const CmkNetwork *in = cmk_network(world, inner);
    if (out->kind == CMK_NETWORK_SUBNET || in->kind == CMK_NETWORK_SUBNET) {
        return outer.i == inner.i;
    }
    /* Row 0 reads as the range of all addresses, which is what the open internet is. */
    return outer.i != 0 && out->prefix_bits <= in->prefix_bits &&
           has_prefix(in->address, out->address, out->prefix_bits);
}

bool cmk_network_is_public(const CmkNetwork *range)
{
    static const CmkNetwork private_ranges[] = {
        {.address = UINT32_C(10) << 24, .prefix_bits = 8},
        {.address = UINT32_C(172) << 24 | UINT32_C(16) << 16, .prefix_bits = 12},
        {.address = UINT32_C(192) << 24 | UINT32_C(168) << 16, .prefix_bits = 16},
    };
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(private_ranges); i++) {
        const CmkNetwork *other = &private_ranges[i];
        const uint32_t shorter =
            range->prefix_bits < other->prefix_bits ? range->prefix_bits : other->prefix_bits;
        if (has_prefix(range->address, other->address, shorter)) {
            return false; /* one of the two contains the other */
        }
    }
    return true;
}

/* ---- what the settings say ------------------------------------------------------------------- */

CmkRuleSetId cmk_network_set_of(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_key_store_named(world, args).rule_set;
}

static const CmkRuleSet *set_of(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_rule_set(world, cmk_network_set_of(world, args));
}

static bool is_public(const CmkRuleSet *set)
{
    return set->public_access == CMK_PUBLIC_ACCESS_ENABLED;
}

static bool is_open(const CmkRuleSet *set)
{
    return is_public(set) && set->default_action == CMK_DEFAULT_ACTION_ALLOW;
}

bool cmk_network_is_limited(const CmkWorld *world, CmkRuleSetId id)
{
    const CmkRuleSet *set = cmk_rule_set(world, id);
    return cmk_knob(world, CMK_KNOB_CLOSED_COUNTS_AS_LIMITED) != 0
               ? !is_open(set)
               : is_public(set) && set->default_action == CMK_DEFAULT_ACTION_DENY;
}

/* The first rule in force that lets in a caller from this network, or from this subscription; 0 if
 * none does. A later change of a rule is kept in `ret_blame`. */
static uint32_t rule_for(const CmkWorld *world, const CmkRuleSet *set, CmkNetworkRuleKind kind,
                         CmkNetworkId from, CmkScopeId subscription, uint64_t *ret_blame)
{
    uint32_t row = set->first_rule;
    while (row != 0) {
        const CmkNetworkRule *rule = cmk_network_rule(world, (CmkNetworkRuleId){row});
        const bool is_meant =
            rule->kind == (uint32_t)kind &&
            (rule->network != 0 ? cmk_network_contains(world, (CmkNetworkId){rule->network}, from)
                                : subscription.i != 0 && rule->subscription == subscription.i);
        if (is_meant && rule->is_in_force != 0) {
            break;
        }
        if (is_meant && rule->changed_by > *ret_blame) {
            *ret_blame = rule->changed_by;
        }
        row = rule->next_of_set;
    }
    return row;
}

/* Not at once after a failover (REL-11). Those of a Managed HSM lead to whichever region of it
 * answers (assumed): nothing fails over. */
static bool links_work(const CmkWorld *world, const CmkRuleSet *set)
{
    const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){set->key_vault});
    return cmk_region_links_work(world, (CmkRegionId){vault->region});
}

/* Whether an approved private link is there that works: one in this subnet, or any if `from` is
 * {0}, for Backup is let in by each (OQ-17). */
static bool has_link(const CmkWorld *world, const CmkRuleSet *set, CmkNetworkId from,
                     uint64_t *ret_blame)
{
    uint32_t row = set->first_private_endpoint;
    bool is_approved = false;
    while (row != 0 && !is_approved) {
        const CmkPrivateEndpoint *endpoint =
            cmk_private_endpoint(world, (CmkPrivateEndpointId){row});
        const bool is_meant = from.i == 0 || endpoint->network == from.i;
        is_approved = is_meant && endpoint->state == CMK_ENDPOINT_APPROVED;
        if (is_meant && endpoint->changed_by > *ret_blame) {
            *ret_blame = endpoint->changed_by;
        }
        row = endpoint->next;
    }
    if (is_approved && !links_work(world, set)) {
        const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){set->key_vault});
        *ret_blame = cmk_region_blame(world, (CmkRegionId){vault->region});
        return false;
    }
    return is_approved;
}

/* ---- Backup ---------------------------------------------------------------------------------- */

/* Where the Backup vault runs that asks. */
static CmkScopeId subscription_of(const CmkWorld *world, const CmkArgs *args)
{
    const CmkScopeId group = {cmk_backup_vault_of(world, args)->resource_group};
    return cmk_scope_subscription(world, group);
}

/* The trusted-services bypass, which is void in a perimeter (NET-5, NET-6, NET-7). */
static bool passes_as_trusted(const CmkWorld *world, const CmkRuleSet *set)
{
    return set->public_access != CMK_PUBLIC_ACCESS_SECURED_BY_PERIMETER &&
           set->bypass == CMK_BYPASS_AZURE_SERVICES &&
           cmk_knob(world, CMK_KNOB_BYPASS_COVERS_BACKUP) != 0;
}

bool cmk_network_lets_backup(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkRuleSetId id = cmk_network_set_of(world, args);
    const CmkRuleSet *set = cmk_rule_set(world, id);
    if (is_open(set)) {
        return true;
    }
    *ret_blame = set->changed_by;
    const bool is_system = args->ref[CMK_REF_IDENTITY] == 0;
    if (!is_system && cmk_network_is_limited(world, id)) {
        return false; /* NET-9: nothing helps it */
    }
    if (is_system && passes_as_trusted(world, set)) {
        return true;
    }
    const bool is_in_perimeter = set->public_access == CMK_PUBLIC_ACCESS_SECURED_BY_PERIMETER;
    return (is_in_perimeter && rule_for(world, set, CMK_RULE_OF_PERIMETER, (CmkNetworkId){0},
                                        subscription_of(world, args), ret_blame) != 0) ||
           has_link(world, set, (CmkNetworkId){0}, ret_blame);
}

/* Of two guards each decides where the other one holds: which answer there is depends on whether
 * the key vault is open to the public at all (KVE-4, KVE-5). */
static bool firewall_lets_backup_in(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return !is_public(set_of(world, args)) || cmk_network_lets_backup(world, args, ret_blame);
}

static bool connection_lets_backup_in(const CmkWorld *world, const CmkArgs *args,
                                      uint64_t *ret_blame)
{
    return is_public(set_of(world, args)) || cmk_network_lets_backup(world, args, ret_blame);
}

/* Lets a repair be about the store of keys of the refused request: what is done to a Managed HSM is
 * another operation than the same done to a key vault. */
static void mend_store(const CmkArgs *refused, CmkArgs *ret)
{
    static const struct {
        CmkOpId of_key_vault;
        CmkOpId of_hsm;
    } twins[] = {
        {CMK_OP_KEY_VAULT_SET_NETWORK, CMK_OP_MANAGED_HSM_SET_NETWORK},
        {CMK_OP_KEY_VAULT_ADD_NETWORK_RULE, CMK_OP_MANAGED_HSM_ADD_NETWORK_RULE},
        {CMK_OP_KEY_VAULT_CONNECT_PRIVATE_ENDPOINT, CMK_OP_MANAGED_HSM_CONNECT_PRIVATE_ENDPOINT},
        {CMK_OP_KEY_VAULT_APPROVE_PRIVATE_ENDPOINT, CMK_OP_MANAGED_HSM_APPROVE_PRIVATE_ENDPOINT},
    };
    cmk_key_store_copy(refused, ret);
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(twins); i++) {
        if (cmk_is_about_hsm(refused) && twins[i].of_key_vault == ret->op) {
            ret->op = twins[i].of_hsm;
        }
    }
}

/* The newest private endpoint of the store in this state, as the arguments of what mends it.
 * Not where the private links would not work, or are of no use. */
static bool find_link(const CmkWorld *world, const CmkArgs *refused, CmkEndpointState state,
                      CmkArgs *ret)
{
    const CmkRuleSetId id = cmk_network_set_of(world, refused);
    uint32_t row = cmk_rule_set(world, id)->first_private_endpoint;
    while (row != 0 &&
           cmk_private_endpoint(world, (CmkPrivateEndpointId){row})->state != (uint32_t)state) {
        row = cmk_private_endpoint(world, (CmkPrivateEndpointId){row})->next;
    }
    mend_store(refused, ret);
    ret->ref[CMK_REF_NETWORK] = cmk_private_endpoint(world, (CmkPrivateEndpointId){row})->network;
    const bool is_barred = refused->ref[CMK_REF_IDENTITY] != 0 && cmk_network_is_limited(world, id);
    return row != 0 && !is_barred && links_work(world, cmk_rule_set(world, id));
}

static bool approve_pending(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    return find_link(world, refused, CMK_ENDPOINT_PENDING, ret);
}

static bool approve_rejected(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    return find_link(world, refused, CMK_ENDPOINT_REJECTED, ret);
}

static bool reconnect(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    return find_link(world, refused, CMK_ENDPOINT_DISCONNECTED, ret);
}

/* After a failover they come back by themselves. */
static bool wait_for_links(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_REGION] = cmk_key_vault_of(world, refused)->region;
    return !links_work(world, set_of(world, refused));
}

static bool let_trusted_pass(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkRuleSet *set = set_of(world, refused);
    mend_store(refused, ret);
    ret->num[CMK_SET_BYPASS] = CMK_BYPASS_AZURE_SERVICES + 1;
    return refused->ref[CMK_REF_IDENTITY] == 0 && set->bypass == CMK_BYPASS_NONE &&
           set->public_access != CMK_PUBLIC_ACCESS_SECURED_BY_PERIMETER &&
           cmk_knob(world, CMK_KNOB_BYPASS_COVERS_BACKUP) != 0;
}

static bool let_subscription_in(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkRuleSet *set = set_of(world, refused);
    mend_store(refused, ret);
    ret->ref[CMK_REF_SCOPE] = subscription_of(world, refused).i;
    return refused->ref[CMK_REF_IDENTITY] == 0 && ret->ref[CMK_REF_SCOPE] != 0 &&
           set->public_access == CMK_PUBLIC_ACCESS_SECURED_BY_PERIMETER;
}

/* NET-8: not where the identity is off, or the settings use it already, or it is what asks. */
static bool use_system_identity(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, refused);
    ret->ref[CMK_REF_BACKUP_VAULT] = refused->ref[CMK_REF_BACKUP_VAULT];
    ret->num[CMK_NUM_SYSTEM] = 1;
    return refused->op != CMK_OP_SECRET_GET && vault->key != 0 && vault->identity != 0 &&
           vault->system_principal != 0;
}

static bool open_to_all(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    mend_store(refused, ret);
    ret->num[CMK_SET_PUBLIC_ACCESS] = CMK_PUBLIC_ACCESS_ENABLED + 1;
    ret->num[CMK_SET_DEFAULT_ACTION] = CMK_DEFAULT_ACTION_ALLOW + 1;
    return !is_open(set_of(world, refused));
}

#define USE_SYSTEM                                                                                 \
    {                                                                                              \
        CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION, use_system_identity,                                \
            "let the settings use the system-assigned identity, which trusted services and "       \
            "private endpoints are for"                                                            \
    }
#define OPEN_TO_ALL                                                                                \
    {                                                                                              \
        CMK_OP_KEY_VAULT_SET_NETWORK, open_to_all,                                                 \
            "open the key vault or Managed HSM to all networks"                                    \
    }
#define LET_BACKUP_IN                                                                              \
    {                                                                                              \
        {CMK_OP_REGION_RETURN, wait_for_links,                                                     \
         "wait until private links work again, or the region is back"},                            \
            {CMK_OP_KEY_VAULT_APPROVE_PRIVATE_ENDPOINT, approve_pending,                           \
             "approve the private endpoint that waits for it"},                                    \
            {CMK_OP_KEY_VAULT_APPROVE_PRIVATE_ENDPOINT, approve_rejected,                          \
             "approve the private endpoint that was rejected"},                                    \
            {CMK_OP_KEY_VAULT_CONNECT_PRIVATE_ENDPOINT, reconnect,                                 \
             "connect the private endpoint again"},                                                \
            {CMK_OP_KEY_VAULT_SET_NETWORK, let_trusted_pass,                                       \
             "let trusted services bypass its network rules"},                                     \
            {CMK_OP_KEY_VAULT_ADD_PERIMETER_RULE, let_subscription_in,                             \
             "let the Backup vault's subscription into the perimeter"},                            \
            USE_SYSTEM, OPEN_TO_ALL                                                                \
    }

const CmkGuard cmk_guard_firewall_lets_backup_in = {
    .name = "firewall-lets-backup-in",
    .holds = firewall_lets_backup_in,
    .status = CMK_STATUS_OF(FORBIDDEN_BY_FIREWALL),
    .rule = "KVE-4 KVE-19 NET-1 NET-5 NET-7 NET-8 NET-9 HSM-22 ERR-M7",
    .text = "The firewall of the key vault or Managed HSM lets Backup in: it is open to all "
            "networks, or the "
            "system-assigned identity passes as a trusted service or by a private endpoint.",
    .repairs = LET_BACKUP_IN};

const CmkGuard cmk_guard_connection_lets_backup_in = {
    .name = "connection-lets-backup-in",
    .holds = connection_lets_backup_in,
    .status = CMK_STATUS_OF(FORBIDDEN_BY_CONNECTION),
    .rule = "KVE-5 KVE-19 NET-5 NET-6 NET-8 NET-9 REL-11 HSM-22 ERR-M7",
    .text = "The key vault or Managed HSM has public access, or lets Backup in without: by the "
            "system-assigned "
            "identity as a trusted service, a rule of the perimeter or a private endpoint.",
    .repairs = LET_BACKUP_IN};

/* ---- people ---------------------------------------------------------------------------------- */

static CmkNetworkId network_of_actor(const CmkWorld *world, const CmkArgs *args)
{
    return (CmkNetworkId){cmk_person(world, (CmkPersonId){args->ref[CMK_REF_ACTOR]})->network};
}

/* People who are not named are where they are let in; the service itself asks no network. */
static bool lets_actor(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkRuleSet *set = set_of(world, args);
    if (args->ref[CMK_REF_ACTOR] == 0 || is_open(set)) {
        return true;
    }
    const CmkNetworkId from = network_of_actor(world, args);
    const bool is_in_perimeter = set->public_access == CMK_PUBLIC_ACCESS_SECURED_BY_PERIMETER;
    *ret_blame = set->changed_by;
    if (set->public_access != CMK_PUBLIC_ACCESS_DISABLED &&
        rule_for(world, set, is_in_perimeter ? CMK_RULE_OF_PERIMETER : CMK_RULE_OF_FIREWALL, from,
                 (CmkScopeId){0}, ret_blame) != 0) {
        return true;
    }
    return from.i != 0 && has_link(world, set, from, ret_blame);
}

static bool firewall_lets_actor_in(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return !is_public(set_of(world, args)) || lets_actor(world, args, ret_blame);
}

static bool connection_lets_actor_in(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    return is_public(set_of(world, args)) || lets_actor(world, args, ret_blame);
}

static bool add_rule_for_actor(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkNetworkId from = network_of_actor(world, refused);
    const CmkNetwork *network = cmk_network(world, from);
    mend_store(refused, ret);
    ret->ref[CMK_REF_NETWORK] = from.i;
    uint64_t ignored = 0;
    return from.i != 0 && is_public(set_of(world, refused)) &&
           (network->kind == CMK_NETWORK_SUBNET || cmk_network_is_public(network)) &&
           cmk_guard_network_rules_have_room.holds(world, ret, &ignored);
}

static bool connect_actor(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    const CmkNetworkId from = network_of_actor(world, refused);
    mend_store(refused, ret);
    ret->ref[CMK_REF_NETWORK] = from.i;
    uint64_t ignored = 0;
    return from.i != 0 && cmk_network(world, from)->kind == CMK_NETWORK_SUBNET &&
           cmk_guard_private_endpoint_is_new.holds(world, ret, &ignored) &&
           cmk_guard_private_endpoints_have_room.holds(world, ret, &ignored);
}

#define LET_ACTOR_IN                                                                               \
    {                                                                                              \
        {CMK_OP_KEY_VAULT_ADD_NETWORK_RULE, add_rule_for_actor,                                    \
         "add a rule for the network that the person asks from"},                                  \
            {CMK_OP_KEY_VAULT_CONNECT_PRIVATE_ENDPOINT, connect_actor,                             \
             "connect the subnet that the person asks from by a private endpoint"},                \
            OPEN_TO_ALL                                                                            \
    }

const CmkGuard cmk_guard_firewall_lets_actor_in = {
    .name = "firewall-lets-actor-in",
    .holds = firewall_lets_actor_in,
    .status = CMK_STATUS_OF(FORBIDDEN_BY_FIREWALL),
    .rule = "KVE-4 KVE-19 NET-1 NET-3 HSM-22",
    .text = "The firewall of the key vault or Managed HSM lets the person in: it is open to all "
            "networks, or has a "
            "rule for the network that the person asks from.",
    .repairs = LET_ACTOR_IN};

const CmkGuard cmk_guard_connection_lets_actor_in = {
    .name = "connection-lets-actor-in",
    .holds = connection_lets_actor_in,
    .status = CMK_STATUS_OF(FORBIDDEN_BY_CONNECTION),
    .rule = "KVE-5 KVE-19 NET-3 NET-6 NET-11 HSM-22",
    .text = "The key vault or Managed HSM has public access, or lets the person in without: by a "
            "rule of the "
            "perimeter or a private endpoint where the person is.",
    .repairs = LET_ACTOR_IN};

/* ---- the encryption settings (9.4, step 6) --------------------------------------------------- */

/* What the settings of the arguments will be: key {0} if there is none. */
static uint32_t target_identity(const CmkWorld *world, const CmkArgs *args)
{
    const uint32_t now = cmk_backup_vault_of(world, args)->identity;
    const uint32_t named = args->ref[CMK_REF_IDENTITY];
    return args->num[CMK_NUM_SYSTEM] != 0 ? 0 : named != 0 ? named : now;
}

static CmkKeyId target_key(const CmkWorld *world, const CmkArgs *args)
{
    const uint32_t named = args->ref[CMK_REF_KEY];
    return (CmkKeyId){named != 0 ? named : cmk_backup_vault_of(world, args)->key};
}

static bool user_identity_meets_open_key_vault(const CmkWorld *world, const CmkArgs *args,
                                               uint64_t *ret_blame)
{
    const CmkRuleSetId set = cmk_key_store_of(world, target_key(world, args)).rule_set;
    *ret_blame = cmk_rule_set(world, set)->changed_by;
    return target_identity(world, args) == 0 || !cmk_network_is_limited(world, set);
}

static bool open_target(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    CmkArgs about = *refused;
    cmk_key_store_refer(world, target_key(world, refused), &about);
    return open_to_all(world, &about, ret);
}

const CmkGuard cmk_guard_user_identity_meets_open_key_vault = {
    .name = "user-identity-meets-open-key-vault",
    .holds = user_identity_meets_open_key_vault,
    .status = CMK_STATUS_OF(USER_IDENTITY_NETWORK_RESTRICTED),
    .rule = "NET-9 NET-12 BV-22 BV-41 HSM-2 ERR-17",
    .text =
        "Settings with a user-assigned identity name a key in a key vault or Managed HSM that is "
        "open to all networks.",
    .repairs = {USE_SYSTEM,
                {CMK_OP_KEY_VAULT_SET_NETWORK, open_target,
                 "open the key vault or Managed HSM to all networks"}}};

static bool user_identity_meets_no_private_endpoint(const CmkWorld *world, const CmkArgs *args,
                                                    uint64_t *ret_blame)
{
    const CmkBackupVault *vault = cmk_backup_vault_of(world, args);
    const CmkPrivateEndpointId first = {vault->first_private_endpoint};
    *ret_blame = cmk_private_endpoint(world, first)->changed_by;
    return target_identity(world, args) == 0 || vault->private_endpoint_count == 0;
}

/* The first that there is: one after the other. */
static bool disconnect_one(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    uint32_t row = cmk_backup_vault_of(world, refused)->first_private_endpoint;
    while (row != 0 && cmk_private_endpoint(world, (CmkPrivateEndpointId){row})->state ==
                           CMK_ENDPOINT_DISCONNECTED) {
        row = cmk_private_endpoint(world, (CmkPrivateEndpointId){row})->next;
    }
    ret->ref[CMK_REF_BACKUP_VAULT] = refused->ref[CMK_REF_BACKUP_VAULT];
    ret->ref[CMK_REF_NETWORK] = cmk_private_endpoint(world, (CmkPrivateEndpointId){row})->network;
    return row != 0;
}

const CmkGuard cmk_guard_user_identity_meets_no_private_endpoint = {
    .name = "user-identity-meets-no-private-endpoint",
    .holds = user_identity_meets_no_private_endpoint,
    .status = CMK_STATUS_OF(USER_IDENTITY_NETWORK_RESTRICTED),
    .rule = "NET-10 BV-41 ERR-17",
    .text = "A Backup vault whose settings use a user-assigned identity has no private endpoints "
            "of its own.",
    .repairs = {USE_SYSTEM,
                {CMK_OP_BACKUP_VAULT_REMOVE_PRIVATE_ENDPOINT, disconnect_one,
                 "remove the private endpoint of the Backup vault"}}};
