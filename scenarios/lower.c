/*
 * Making the world of a scenario: names are declared, then the documented sequence of operations
 * brings everything to life before the start (BV-34), and the timeline is planned.
 */
#include <string.h>

#include "models/key.h"
#include "models/key_store.h"
#include "models/key_vault.h"
#include "scenarios/estate.h"
#include "sim/chance.h"
#include "sim/engine.h"

/* Changes when the same scenario would give another digest. */
#define DIGEST_FORMAT 1

/* After propagation, so that what it ends is over; and for settings to be applied. */
#define MARGIN_US CMK_SECOND_US
#define SETTINGS_US CMK_HOUR_US

typedef struct Building {
    const CmkScenario *scenario;
    const CmkWorldItem *world;
    CmkSim *sim;
    CmkDiagnostics *diagnostics;
    CmkVariant variant;
    uint64_t seed;
    CmkGuardId last_guard; /* of the last refusal */
    GArray *guards;        /* of CmkGuardId: last refusal about each Backup vault */
} Building;

/* One Backup vault: written out, or a member of a fleet. */
typedef struct Vault {
    const CmkBackupVaultItem *item;
    const CmkFleet *fleet; /* NULL: written out */
    uint32_t row;
    uint32_t first_instance;
    int64_t offset_us; /* of its schedules */
} Vault;

/* ---- asking ---------------------------------------------------------------------------------- */

static void remember_refusal(void *self, const CmkWorld *world, const CmkRecord *record)
{
    Building *building = self;
    const uint32_t vault = record->args.ref[CMK_REF_BACKUP_VAULT];
    (void)world;
    if (record->guard != CMK_GUARD_NONE) {
        building->last_guard = record->guard;
        if (vault < building->guards->len) {
            g_array_index(building->guards, CmkGuardId, vault) = record->guard;
        }
    }
}

/* The rules refuse what a node of the file asks for: an error there that names the rule. */
static bool refuse(const Building *building, const CmkNode *node, CmkGuardId guard)
{
    const CmkModel *model = building->sim->model;
    if (building->sim->exhausted != NULL || guard == CMK_GUARD_NONE) {
        cmk_diagnostics_error(building->diagnostics, cmk_node_position(node),
                              "the set-up needs more %s than there is room for",
                              building->sim->exhausted == NULL ? "time" : building->sim->exhausted);
        return false;
    }
    const CmkGuard *row = model->guards[guard];
    cmk_diagnostics_error(building->diagnostics, cmk_node_position(node),
                          "the rules refuse this world (%s): %s", row->rule,
                          model->statuses[row->status].code);
    cmk_diagnostics_hint(building->diagnostics,
                         "this must hold: %s `cmksim explain %s` says what mends it", row->text,
                         row->name);
    return false;
}

static CmkArgs args_of(CmkOpId op)
{
    return (CmkArgs){.op = op, .actor = CMK_ACTOR_SETUP};
}

static bool apply(Building *building, const CmkArgs *args, const CmkNode *node)
{
    const CmkOutcome outcome = cmk_apply(building->sim, args);
    return outcome.status == CMK_STATUS_OK || refuse(building, node, outcome.guard);
}

static bool run_for(Building *building, int64_t duration_us)
{
    const CmkTime until = cmk_world_now(building->sim->world) + duration_us;
    return cmk_engine_run(building->sim, until, NULL, NULL) == CMK_ENGINE_REACHED ||
           refuse(building, building->world->node, CMK_GUARD_NONE);
}

static bool run_propagation(Building *building)
{
    const int64_t *knobs = building->scenario->knobs;
    const int64_t longest =
        MAX(MAX(knobs[CMK_KNOB_ROLE_PROPAGATION], knobs[CMK_KNOB_MANAGEMENT_GROUP_PROPAGATION]),
            knobs[CMK_KNOB_HSM_REPLICATION]);
    return run_for(building, longest + MARGIN_US);
}

/* ---- Backup vaults one by one ---------------------------------------------------------------- */

typedef bool (*VisitVault)(Building *building, const Vault *vault);

static bool visit_members(Building *building, const CmkFleet *fleet, VisitVault visit)
{
    const int64_t uniform_us = fleet->item->vary.schedule.uniform_us;
    for (uint32_t i = 0; i < fleet->count; i++) {
        Vault vault = {.item = fleet->like,
                       .fleet = fleet,
                       .row = fleet->first_vault + i,
                       .first_instance = fleet->first_instance + i * fleet->instance_count};
        if (uniform_us > 0) {
            const CmkStream stream = {.purpose = CMK_CHANCE_FLEET_SCHEDULE, .entity = vault.row};
            vault.offset_us =
                (int64_t)cmk_chance_below(building->seed, stream, 0, (uint64_t)uniform_us);
        }
        if (!visit(building, &vault)) {
            return false; /* what one member lacks all others lack too */
        }
    }
    return true;
}

/* In the order of their rows. */
static bool visit_vaults(Building *building, VisitVault visit)
{
    const GArray *vaults = building->world->backup_vaults;
    const GArray *fleets = building->scenario->estate->fleets;
    uint32_t instance = 1;
    bool is_right = true;
    for (guint i = 0; i < vaults->len; i++) {
        const Vault vault = {.item = &g_array_index(vaults, CmkBackupVaultItem, i),
                             .row = i + 1,
                             .first_instance = instance};
        instance += vault.item->instances == NULL ? 0 : vault.item->instances->len;
        is_right &= visit(building, &vault);
    }
    for (guint i = 0; is_right && i < fleets->len; i++) {
        is_right &= visit_members(building, &g_array_index(fleets, CmkFleet, i), visit);
    }
    return is_right;
}

/* ---- declaring ------------------------------------------------------------------------------- */

static void declare_key_vaults(Building *building)
{
    CmkWorld *world = building->sim->world;
    const GArray *vaults = building->world->key_vaults;
    for (guint i = 0; vaults != NULL && i < vaults->len; i++) {
        const CmkKeyVaultItem *vault = &g_array_index(vaults, CmkKeyVaultItem, i);
        const CmkKeyVaultId id = cmk_declare_key_vault(world, cmk_node_text(vault->name));
        CMK_ASSERT(id.i == i + 1);
        if (vault->resource_group.row != 0) {
            cmk_place_key_vault(world, id, (CmkScopeId){vault->resource_group.row});
        }
        for (guint j = 0; vault->keys != NULL && j < vault->keys->len; j++) {
            const CmkKeyItem *key = &g_array_index(vault->keys, CmkKeyItem, j);
            (void)cmk_declare_key(world, id, cmk_node_text(key->name));
        }
        for (guint j = 0; vault->secrets != NULL && j < vault->secrets->len; j++) {
            const CmkSecretItem *secret = &g_array_index(vault->secrets, CmkSecretItem, j);
            (void)cmk_declare_secret(world, id, cmk_node_text(secret->name));
        }
    }
}

/* Their keys have the rows behind those of key vaults. */
static void declare_managed_hsms(Building *building)
{
    CmkWorld *world = building->sim->world;
    const GArray *hsms = building->world->managed_hsms;
    for (guint i = 0; hsms != NULL && i < hsms->len; i++) {
        const CmkManagedHsmItem *hsm = &g_array_index(hsms, CmkManagedHsmItem, i);
        const CmkManagedHsmId id = cmk_declare_managed_hsm(world, cmk_node_text(hsm->name));
        CMK_ASSERT(id.i == i + 1);
        if (hsm->resource_group.row != 0) {
            cmk_place_managed_hsm(world, id, (CmkScopeId){hsm->resource_group.row});
        }
        for (guint j = 0; hsm->keys != NULL && j < hsm->keys->len; j++) {
            const CmkKeyItem *key = &g_array_index(hsm->keys, CmkKeyItem, j);
            (void)cmk_declare_hsm_key(world, id, cmk_node_text(key->name));
        }
    }
}

static void declare_policies(Building *building)
{
    const GArray *policies = building->world->policies;
    for (guint i = 0; policies != NULL && i < policies->len; i++) {
        const CmkPolicyItem *item = &g_array_index(policies, CmkPolicyItem, i);
        const CmkPolicy policy = cmk_policy_of(item);
        (void)cmk_declare_policy(building->sim->world, &policy, cmk_node_text(item->name));
    }
}

static bool declare_vault(Building *building, const Vault *vault)
{
    CmkWorld *world = building->sim->world;
    g_autofree char *member =
        vault->fleet == NULL
            ? NULL
            : cmk_fleet_member_name(vault->fleet, vault->row - vault->fleet->first_vault);
    const CmkBackupVaultId id =
        cmk_declare_backup_vault(world, member != NULL ? member : cmk_node_text(vault->item->name));
    CMK_ASSERT(id.i == vault->row);
    if (vault->item->resource_group.row != 0) {
        cmk_place_backup_vault(world, id, (CmkScopeId){vault->item->resource_group.row});
    }
    const GArray *instances = vault->item->instances;
    for (guint i = 0; instances != NULL && i < instances->len; i++) {
        const CmkInstanceItem *item = &g_array_index(instances, CmkInstanceItem, i);
        const CmkInstanceId instance = cmk_declare_instance(world, id, cmk_node_text(item->name));
        CMK_ASSERT(instance.i == vault->first_instance + i);
        cmk_delay_instance(world, instance, vault->offset_us);
    }
    return true;
}

/* The row of a planned item, given its index + 1; 0 if it is left out. */
static uint32_t plan_row(const GArray *rows, uint32_t plan)
{
    return plan == 0 ? 0 : g_array_index(rows, uint32_t, plan - 1);
}

static void declare_plan(Building *building)
{
    const GArray *plan = building->scenario->plan;
    g_autoptr(GArray) rows = g_array_sized_new(FALSE, TRUE, sizeof(uint32_t), plan->len);
    for (guint i = 0; i < plan->len; i++) {
        const CmkPlanned *planned = &g_array_index(plan, CmkPlanned, i);
        const bool is_of_fault = planned->kind != CMK_PLAN_STEP || planned->remedies != 0;
        uint32_t row = 0;
        if (building->variant == CMK_VARIANT_AS_WRITTEN || !is_of_fault) {
            const CmkPlanRow entry = {.kind = planned->kind,
                                      .remedies = plan_row(rows, planned->remedies),
                                      .of = plan_row(rows, planned->of),
                                      .time = planned->time,
                                      .args = planned->args};
            row = cmk_declare_plan(building->sim->world, &entry, planned->id).i;
        }
        g_array_append_val(rows, row);
    }
}

/* In the order in which names.c counts their rows. */
static void declare_scopes(Building *building)
{
    const GArray *scopes = building->world->scopes;
    for (guint i = 0; scopes != NULL && i < scopes->len; i++) {
        const CmkScopeItem *item = &g_array_index(scopes, CmkScopeItem, i);
        uint32_t parent = item->in.row;
        if (parent == 0 && item->kind == CMK_SCOPE_RESOURCE_GROUP) {
            parent = CMK_SCOPE_DEFAULT_SUBSCRIPTION;
        }
        const CmkScopeId id = cmk_declare_scope(building->sim->world, (CmkScopeKind)item->kind,
                                                (CmkScopeId){parent}, cmk_node_text(item->name));
        CMK_ASSERT(id.i == CMK_SCOPE__FIRST_DECLARED + i);
    }
}

static void declare_networks(Building *building)
{
    const GArray *networks = building->world->networks;
    for (guint i = 0; networks != NULL && i < networks->len; i++) {
        const CmkNetworkItem *item = &g_array_index(networks, CmkNetworkItem, i);
        const CmkNetwork network = {.kind = item->kind,
                                    .address = item->range.address,
                                    .prefix_bits = item->range.prefix_bits};
        (void)cmk_declare_network(building->sim->world, &network, cmk_node_text(item->name));
    }
}

static void declare_people(Building *building)
{
    const GArray *users = building->world->users;
    const GArray *groups = building->world->groups;
    for (guint i = 0; users != NULL && i < users->len; i++) {
        const CmkUserItem *user = &g_array_index(users, CmkUserItem, i);
        const CmkPersonId id =
            cmk_declare_person(building->sim->world, CMK_PERSON_USER, cmk_node_text(user->name));
        cmk_place_person(building->sim->world, id, (CmkNetworkId){user->network.row});
    }
    for (guint i = 0; groups != NULL && i < groups->len; i++) {
        (void)cmk_declare_person(building->sim->world, CMK_PERSON_GROUP,
                                 cmk_node_text(g_array_index(groups, CmkGroupItem, i).name));
    }
}

static void declare_identities(Building *building)
{
    const GArray *identities = building->world->identities;
    for (guint i = 0; identities != NULL && i < identities->len; i++) {
        const CmkIdentityItem *item = &g_array_index(identities, CmkIdentityItem, i);
        const CmkIdentityId id =
            cmk_declare_identity(building->sim->world, cmk_node_text(item->name));
        if (item->resource_group.row != 0) {
            cmk_place_identity(building->sim->world, id, (CmkScopeId){item->resource_group.row});
        }
    }
}

static void declare_resource_guards(Building *building)
{
    const GArray *guards = building->world->resource_guards;
    for (guint i = 0; guards != NULL && i < guards->len; i++) {
        const CmkResourceGuardItem *item = &g_array_index(guards, CmkResourceGuardItem, i);
        uint32_t excluded = 0;
        for (guint j = 0; item->excludes != NULL && j < item->excludes->len; j++) {
            excluded |= 1U << g_array_index(item->excludes, uint32_t, j);
        }
        (void)cmk_declare_resource_guard(building->sim->world,
                                         (CmkScopeId){item->resource_group.row}, excluded,
                                         cmk_node_text(item->name));
    }
}

static void declare_all(Building *building)
{
    declare_scopes(building);
    declare_networks(building);
    declare_people(building);
    declare_key_vaults(building);
    declare_managed_hsms(building);
    declare_identities(building);
    declare_policies(building);
    declare_resource_guards(building);
    (void)visit_vaults(building, declare_vault);
    declare_plan(building);
}

/* ---- key vaults, keys, identities ------------------------------------------------------------ */

static int64_t bits_of(const GArray *words)
{
    int64_t bits = 0;
    for (guint i = 0; words != NULL && i < words->len; i++) {
        bits |= (int64_t)cmk_permission_bits(g_array_index(words, uint32_t, i));
    }
    return bits;
}

static bool set_rotation_policy(Building *building, const CmkRotationPolicyItem *policy,
                                uint32_t row)
{
    if (policy->node == NULL) {
        return true;
    }
    CmkArgs set = args_of(CMK_OP_KEY_SET_ROTATION_POLICY);
    cmk_key_store_refer(building->sim->world, (CmkKeyId){row}, &set);
    cmk_parameters_set(&set, "rotate_after", policy->rotate_after_us);
    cmk_parameters_set(&set, "rotate_before_expiry", policy->rotate_before_expiry_us);
    cmk_parameters_set(&set, "expiry", policy->expiry_us);
    cmk_parameters_set(&set, "notify_before_expiry", policy->notify_before_expiry_us);
    cmk_parameters_set(&set, "notify_after", policy->notify_after_us);
    return apply(building, &set, policy->node);
}

static bool create_key(Building *building, const CmkKeyItem *key, uint32_t row)
{
    if (!key->does_exist) {
        return true;
    }
    CmkArgs create = args_of(CMK_OP_KEY_CREATE);
    cmk_key_store_refer(building->sim->world, (CmkKeyId){row}, &create);
    cmk_parameters_set(&create, "type", key->type);
    if (key->curve != CMK_CURVE_NONE) {
        cmk_parameters_set(&create, "curve", key->curve);
    } else {
        cmk_parameters_set(&create, "size", key->size_bits);
    }
    cmk_parameters_set(&create, "enabled", key->is_enabled ? CMK_SAYS_TRUE : CMK_SAYS_FALSE);
    cmk_parameters_set(&create, "expires", key->expires);
    cmk_parameters_set(&create, "not_before", key->not_before);
    cmk_parameters_set(&create, "key_ops", bits_of(key->key_ops));
    bool is_right = true;
    for (int64_t i = 0; is_right && i < key->versions; i++) { /* KV-10: of the same name */
        is_right = apply(building, &create, key->node);
    }
    return is_right && set_rotation_policy(building, &key->rotation_policy, row);
}

static bool create_secret(Building *building, const CmkSecretItem *secret, uint32_t vault,
                          uint32_t row)
{
    CmkArgs set = args_of(CMK_OP_SECRET_SET);
    set.ref[CMK_REF_KEY_VAULT] = vault;
    set.ref[CMK_REF_SECRET] = row;
    cmk_parameters_set(&set, "enabled", secret->is_enabled ? CMK_SAYS_TRUE : CMK_SAYS_FALSE);
    return !secret->does_exist || apply(building, &set, secret->node);
}

static bool create_key_vaults(Building *building)
{
    const GArray *vaults = building->world->key_vaults;
    bool is_right = true;
    uint32_t key_row = 0;
    uint32_t secret_row = 0;
    for (guint i = 0; vaults != NULL && i < vaults->len; i++) {
        const CmkKeyVaultItem *vault = &g_array_index(vaults, CmkKeyVaultItem, i);
        CmkArgs create = args_of(CMK_OP_KEY_VAULT_CREATE);
        create.ref[CMK_REF_KEY_VAULT] = i + 1;
        create.ref[CMK_REF_REGION] = vault->region;
        cmk_parameters_set(&create, "permission_model", vault->permission_model);
        cmk_parameters_set(&create, "soft_delete",
                           vault->has_soft_delete ? CMK_SAYS_TRUE : CMK_SAYS_FALSE);
        cmk_parameters_set(&create, "purge_protection",
                           vault->has_purge_protection ? CMK_SAYS_TRUE : CMK_SAYS_FALSE);
        cmk_parameters_set(&create, "retention_days", vault->retention_days);
        cmk_parameters_set(&create, "sku", vault->sku);
        const bool is_made = !vault->does_exist || apply(building, &create, vault->node);
        is_right &= is_made;
        for (guint j = 0; vault->keys != NULL && j < vault->keys->len; j++) {
            const CmkKeyItem *key = &g_array_index(vault->keys, CmkKeyItem, j);
            key_row++;
            is_right &= !is_made || create_key(building, key, key_row);
        }
        for (guint j = 0; vault->secrets != NULL && j < vault->secrets->len; j++) {
            const CmkSecretItem *secret = &g_array_index(vault->secrets, CmkSecretItem, j);
            secret_row++;
            is_right &= !is_made || create_secret(building, secret, i + 1, secret_row);
        }
    }
    return is_right;
}

static bool activate_hsm(Building *building, const CmkManagedHsmItem *hsm, uint32_t row)
{
    CmkArgs args = args_of(CMK_OP_MANAGED_HSM_ACTIVATE);
    args.ref[CMK_REF_MANAGED_HSM] = row;
    cmk_parameters_set(&args, "keys", hsm->domain_keys);
    cmk_parameters_set(&args, "quorum", hsm->domain_quorum);
    bool is_right = apply(building, &args, hsm->node);
    args = args_of(CMK_OP_ROLE_ASSIGN);
    args.ref[CMK_REF_MANAGED_HSM] = row;
    cmk_parameters_set(&args, "role", cmk_role_find("Managed HSM Administrator"));
    for (guint i = 1; hsm->administrators != NULL && i < hsm->administrators->len; i++) {
        const CmkReference *user = &g_array_index(hsm->administrators, CmkReference, i);
        cmk_parameters_put(user, &args);
        is_right &= apply(building, &args, user->node);
    }
    args = args_of(CMK_OP_MANAGED_HSM_EXTEND);
    args.ref[CMK_REF_MANAGED_HSM] = row;
    args.ref[CMK_REF_REGION] = hsm->second_region;
    return is_right && (hsm->second_region == 0 || apply(building, &args, hsm->node));
}

/* The first administrator is named by whoever creates it, the others by that one (HSM-6). */
static bool create_managed_hsm(Building *building, const CmkManagedHsmItem *hsm, uint32_t row)
{
    CmkArgs create = args_of(CMK_OP_MANAGED_HSM_CREATE);
    create.ref[CMK_REF_MANAGED_HSM] = row;
    create.ref[CMK_REF_REGION] = hsm->region;
    cmk_parameters_set(&create, "purge_protection",
                       hsm->has_purge_protection ? CMK_SAYS_TRUE : CMK_SAYS_FALSE);
    cmk_parameters_set(&create, "retention_days", hsm->retention_days);
    if (hsm->administrators != NULL && hsm->administrators->len > 0) {
        cmk_parameters_put(&g_array_index(hsm->administrators, CmkReference, 0), &create);
    }
    return apply(building, &create, hsm->node) &&
           (!hsm->is_activated || activate_hsm(building, hsm, row));
}

static bool create_managed_hsms(Building *building)
{
    const GArray *hsms = building->world->managed_hsms;
    uint32_t key_row = building->scenario->estate->rows[CMK_NAMED_KEY];
    bool is_right = true;
    for (guint i = 0; hsms != NULL && i < hsms->len; i++) {
        const GArray *keys = g_array_index(hsms, CmkManagedHsmItem, i).keys;
        key_row -= keys == NULL ? 0 : keys->len; /* they are the last rows of keys */
    }
    for (guint i = 0; hsms != NULL && i < hsms->len; i++) {
        const CmkManagedHsmItem *hsm = &g_array_index(hsms, CmkManagedHsmItem, i);
        const bool is_made = !hsm->does_exist || create_managed_hsm(building, hsm, i + 1);
        is_right &= is_made;
        for (guint j = 0; hsm->keys != NULL && j < hsm->keys->len; j++) {
            const CmkKeyItem *key = &g_array_index(hsm->keys, CmkKeyItem, j);
            key_row++;
            is_right &= !is_made || create_key(building, key, key_row);
        }
    }
    return is_right;
}

/* One operation for each thing that is let in, with the arguments given. */
static bool let_in(Building *building, CmkArgs args, CmkOpId op, const GArray *references)
{
    bool is_right = true;
    args.op = op;
    for (guint i = 0; references != NULL && i < references->len; i++) {
        const CmkReference *reference = &g_array_index(references, CmkReference, i);
        CmkArgs one = args;
        cmk_parameters_put(reference, &one);
        is_right &= apply(building, &one, reference->node);
    }
    return is_right;
}

static bool set_network(Building *building, CmkArgs set, const CmkNetworkRulesItem *network)
{
    cmk_parameters_set(&set, "public_access", network->public_access + 1);
    cmk_parameters_set(&set, "default_action", network->default_action + 1);
    cmk_parameters_set(&set, "bypass", network->bypass + 1);
    return apply(building, &set, network->node);
}

/* A key vault that is made is open to all networks (NET-1). */
static bool close_key_vaults(Building *building)
{
    const GArray *vaults = building->world->key_vaults;
    bool is_right = true;
    for (guint i = 0; vaults != NULL && i < vaults->len; i++) {
        const CmkNetworkRulesItem *network = &g_array_index(vaults, CmkKeyVaultItem, i).network;
        CmkArgs args = args_of(CMK_OP_KEY_VAULT_SET_NETWORK);
        args.ref[CMK_REF_KEY_VAULT] = i + 1;
        if (network->node != NULL) {
            is_right &= set_network(building, args, network);
            is_right &= let_in(building, args, CMK_OP_KEY_VAULT_ADD_NETWORK_RULE, network->rules);
            is_right &= let_in(building, args, CMK_OP_KEY_VAULT_ADD_PERIMETER_RULE,
                               network->perimeter_rules);
            is_right &= let_in(building, args, CMK_OP_KEY_VAULT_CONNECT_PRIVATE_ENDPOINT,
                               network->private_endpoints);
        }
    }
    return is_right;
}

/* So is a Managed HSM (HSM-22). */
static bool close_managed_hsms(Building *building)
{
    const GArray *hsms = building->world->managed_hsms;
    bool is_right = true;
    for (guint i = 0; hsms != NULL && i < hsms->len; i++) {
        const CmkNetworkRulesItem *network = &g_array_index(hsms, CmkManagedHsmItem, i).network;
        CmkArgs args = args_of(CMK_OP_MANAGED_HSM_SET_NETWORK);
        args.ref[CMK_REF_MANAGED_HSM] = i + 1;
        if (network->node != NULL) {
            is_right &= set_network(building, args, network);
            is_right &= let_in(building, args, CMK_OP_MANAGED_HSM_ADD_NETWORK_RULE, network->rules);
            is_right &= let_in(building, args, CMK_OP_MANAGED_HSM_CONNECT_PRIVATE_ENDPOINT,
                               network->private_endpoints);
        }
    }
    return is_right;
}

static bool create_identities(Building *building)
{
    const GArray *identities = building->world->identities;
    bool is_right = true;
    for (guint i = 0; identities != NULL && i < identities->len; i++) {
        const CmkIdentityItem *item = &g_array_index(identities, CmkIdentityItem, i);
        CmkArgs create = args_of(CMK_OP_IDENTITY_CREATE);
        create.ref[CMK_REF_IDENTITY] = i + 1;
        create.ref[CMK_REF_REGION] = item->region;
        is_right &= apply(building, &create, item->node);
    }
    return is_right;
}

/* ---- access ---------------------------------------------------------------------------------- */

/* Applies to the principal, and where that is a vault that fleets are like, to their members. */
static bool apply_to_copies(Building *building, CmkArgs args, const CmkReference *principal,
                            const CmkNode *node)
{
    const GArray *fleets = building->scenario->estate->fleets;
    cmk_parameters_put(principal, &args);
    if (!apply(building, &args, node)) {
        return false;
    }
    for (guint i = 0; principal->kind == CMK_NAMED_BACKUP_VAULT && i < fleets->len; i++) {
        const CmkFleet *fleet = &g_array_index(fleets, CmkFleet, i);
        for (uint32_t j = 0; fleet->like_row == principal->row && j < fleet->count; j++) {
            args.ref[CMK_REF_BACKUP_VAULT] = fleet->first_vault + j;
            if (!apply(building, &args, node)) {
                return false;
            }
        }
    }
    return true;
}

/* Whether the principal is one of those that are there by now: bit per CmkNamedKind. */
static bool is_one_of(const CmkReference *principal, uint32_t named_kinds)
{
    return (named_kinds >> principal->kind & 1) != 0;
}

static bool set_access_policies(Building *building, uint32_t named_kinds)
{
    const GArray *vaults = building->world->key_vaults;
    bool is_right = true;
    for (guint i = 0; vaults != NULL && i < vaults->len; i++) {
        const GArray *policies = g_array_index(vaults, CmkKeyVaultItem, i).access_policies;
        for (guint j = 0; policies != NULL && j < policies->len; j++) {
            const CmkAccessPolicyItem *item = &g_array_index(policies, CmkAccessPolicyItem, j);
            CmkArgs args = args_of(CMK_OP_ACCESS_POLICY_SET);
            args.ref[CMK_REF_KEY_VAULT] = i + 1;
            cmk_parameters_set(&args, "permissions", bits_of(item->permissions));
            if (is_one_of(&item->principal, named_kinds)) {
                is_right &= apply_to_copies(building, args, &item->principal, item->node);
            }
        }
    }
    return is_right;
}

static bool assign_roles(Building *building, uint32_t named_kinds)
{
    const GArray *grants = building->world->grants;
    bool is_right = true;
    for (guint i = 0; grants != NULL && i < grants->len; i++) {
        const CmkGrantItem *grant = &g_array_index(grants, CmkGrantItem, i);
        CmkArgs args = args_of(CMK_OP_ROLE_ASSIGN);
        cmk_parameters_put(&grant->scope, &args);
        cmk_parameters_set(&args, "role", grant->role);
        if (is_one_of(&grant->principal, named_kinds)) {
            is_right &= apply_to_copies(building, args, &grant->principal, grant->node);
        }
    }
    return is_right;
}

static bool add_members(Building *building, uint32_t named_kinds)
{
    const GArray *groups = building->world->groups;
    const guint first = building->world->users == NULL ? 1 : building->world->users->len + 1;
    bool is_right = true;
    for (guint i = 0; groups != NULL && i < groups->len; i++) {
        const GArray *members = g_array_index(groups, CmkGroupItem, i).members;
        for (guint j = 0; members != NULL && j < members->len; j++) {
            const CmkReference *member = &g_array_index(members, CmkReference, j);
            CmkArgs args = args_of(CMK_OP_GROUP_ADD_MEMBER);
            args.ref[CMK_REF_GROUP] = first + i; /* rows of groups come behind those of users */
            if (is_one_of(member, named_kinds)) {
                is_right &= apply_to_copies(building, args, member, member->node);
            }
        }
    }
    return is_right;
}

/* What principals of these kinds may do, with propagation completed. */
static bool give_access(Building *building, uint32_t named_kinds)
{
    const bool are_policies_set = set_access_policies(building, named_kinds);
    const bool are_members_added = add_members(building, named_kinds);
    return assign_roles(building, named_kinds) && are_policies_set && are_members_added &&
           run_propagation(building);
}

/* ---- Backup vaults --------------------------------------------------------------------------- */

static bool create_policies(Building *building)
{
    const GArray *policies = building->world->policies;
    bool is_right = true;
    for (guint i = 0; policies != NULL && i < policies->len; i++) {
        const CmkPolicyItem *policy = &g_array_index(policies, CmkPolicyItem, i);
        CmkArgs create = args_of(CMK_OP_BACKUP_POLICY_CREATE);
        create.ref[CMK_REF_POLICY] = i + 1;
        is_right &= !policy->does_exist || apply(building, &create, policy->node);
    }
    return is_right;
}

static const CmkNode *node_of(const Vault *vault, const CmkNode *node)
{
    return vault->fleet == NULL ? node : vault->fleet->item->node;
}

static bool enable_cross_region_restore(Building *building, const Vault *vault)
{
    CmkArgs args = args_of(CMK_OP_BACKUP_VAULT_ENABLE_CROSS_REGION_RESTORE);
    args.ref[CMK_REF_BACKUP_VAULT] = vault->row;
    return !vault->item->has_cross_region_restore ||
           apply(building, &args,
                 node_of(vault, cmk_node_get(vault->item->node, "cross_region_restore")));
}

/* With its key where a user-assigned identity of the vault opens it. A system-assigned one is there
 * only after the vault, so its key comes with an update (BV-20). */
static bool is_made_with_key(const Vault *vault)
{
    const CmkEncryptionItem *encryption = &vault->item->encryption;
    const GArray *identities = vault->item->identities;
    if (encryption->node == NULL || encryption->identity.kind == CMK_NAMED_SYSTEM) {
        return false;
    }
    for (guint i = 0; identities != NULL && i < identities->len; i++) {
        const CmkReference *identity = &g_array_index(identities, CmkReference, i);
        if (identity->kind != CMK_NAMED_SYSTEM && identity->row == encryption->identity.row) {
            return true;
        }
    }
    return false;
}

/* Key and identity of the settings. A version that the key URI names is there by now. */
static void put_encryption(const Building *building, const Vault *vault, CmkArgs *args)
{
    const CmkReference *key = &vault->item->encryption.key;
    cmk_parameters_put(key, args);
    cmk_parameters_put(&vault->item->encryption.identity, args);
    args->ref[CMK_REF_VERSION] =
        cmk_key_version_numbered(building->sim->world, (CmkKeyId){key->row}, key->version).i;
}

static bool create_vault(Building *building, const Vault *vault)
{
    const CmkBackupVaultItem *item = vault->item;
    const int64_t interval_us = building->scenario->knobs[CMK_KNOB_MAINTENANCE_INTERVAL];
    CmkArgs create = args_of(CMK_OP_BACKUP_VAULT_CREATE);
    create.ref[CMK_REF_BACKUP_VAULT] = vault->row;
    create.ref[CMK_REF_REGION] = item->region;
    cmk_parameters_set(&create, "redundancy", item->redundancy);
    cmk_parameters_set(&create, "infrastructure",
                       item->encryption.has_infrastructure ? CMK_SAYS_TRUE : CMK_SAYS_FALSE);
    /* Maintenance follows the vault's time of creation (OQ-26): spread like the schedules. */
    cmk_parameters_set(&create, "maintenance_offset_us", vault->offset_us % interval_us);
    if (is_made_with_key(vault)) {
        put_encryption(building, vault, &create);
    }
    g_array_index(building->guards, CmkGuardId, vault->row) = CMK_GUARD_NONE;
    return apply(building, &create,
                 node_of(vault, is_made_with_key(vault) ? item->encryption.node : item->node));
}

static bool check_creation(Building *building, const Vault *vault)
{
    const CmkBackupVault *row =
        cmk_backup_vault(building->sim->world, (CmkBackupVaultId){vault->row});
    return row->state == CMK_BACKUP_VAULT_ACTIVE ||
           refuse(building, node_of(vault, vault->item->encryption.node),
                  g_array_index(building->guards, CmkGuardId, vault->row));
}

/* All but the one that the vault was made with. */
static bool give_identities(Building *building, const Vault *vault)
{
    const CmkBackupVaultItem *item = vault->item;
    bool is_right = enable_cross_region_restore(building, vault);
    for (guint i = 0; item->identities != NULL && i < item->identities->len; i++) {
        const CmkReference *identity = &g_array_index(item->identities, CmkReference, i);
        CmkArgs args = args_of(identity->kind == CMK_NAMED_SYSTEM ? CMK_OP_SYSTEM_IDENTITY_ENABLE
                                                                  : CMK_OP_IDENTITY_ATTACH);
        args.ref[CMK_REF_BACKUP_VAULT] = vault->row;
        args.ref[CMK_REF_IDENTITY] = identity->row;
        const bool is_there = is_made_with_key(vault) && identity->kind != CMK_NAMED_SYSTEM &&
                              identity->row == item->encryption.identity.row;
        is_right &= is_there || apply(building, &args, node_of(vault, identity->node));
    }
    return is_right;
}

/* What a new vault has anyway is not asked for. */
static bool set_soft_delete(Building *building, const Vault *vault)
{
    const CmkBackupVaultItem *item = vault->item;
    const int64_t days = item->soft_delete_us / CMK_DAY_US;
    if (item->soft_delete == CMK_SOFT_DELETE_ON && days == CMK_SOFT_DELETE_DAYS) {
        return true;
    }
    CmkArgs args = args_of(CMK_OP_BACKUP_VAULT_SET_SOFT_DELETE);
    args.ref[CMK_REF_BACKUP_VAULT] = vault->row;
    cmk_parameters_set(&args, "soft_delete", item->soft_delete);
    cmk_parameters_set(&args, "days", days);
    return apply(building, &args, node_of(vault, item->node));
}

/* Likewise; last, when what the guard protects is there. */
static bool set_protection(Building *building, const Vault *vault)
{
    const CmkBackupVaultItem *item = vault->item;
    const struct {
        CmkOpId op;
        const char *param;
        uint32_t value;
        uint32_t usual;
    } settings[] = {
        {CMK_OP_BACKUP_VAULT_SET_IMMUTABILITY, "immutability", item->immutability,
         CMK_IMMUTABILITY_DISABLED},
        {CMK_OP_BACKUP_VAULT_SET_CROSS_SUBSCRIPTION_RESTORE, "cross_subscription_restore",
         item->cross_subscription, CMK_CROSS_SUBSCRIPTION_ENABLED},
        {CMK_OP_BACKUP_VAULT_SET_RESOURCE_GUARD, "resource_guard", item->resource_guard.row, 0},
    };
    bool is_right = set_soft_delete(building, vault);
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(settings); i++) {
        CmkArgs args = args_of(settings[i].op);
        args.ref[CMK_REF_BACKUP_VAULT] = vault->row;
        cmk_parameters_set(&args, settings[i].param, settings[i].value);
        is_right &= settings[i].value == settings[i].usual ||
                    apply(building, &args, node_of(vault, item->node));
    }
    return is_right;
}

static bool create_vaults(Building *building)
{
    return visit_vaults(building, create_vault) && run_for(building, SETTINGS_US) &&
           visit_vaults(building, check_creation) && visit_vaults(building, give_identities);
}

static bool update_encryption(Building *building, const Vault *vault)
{
    const CmkEncryptionItem *encryption = &vault->item->encryption;
    if (encryption->node == NULL || is_made_with_key(vault)) {
        return true;
    }
    CmkArgs update = args_of(CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    update.ref[CMK_REF_BACKUP_VAULT] = vault->row;
    put_encryption(building, vault, &update);
    g_array_index(building->guards, CmkGuardId, vault->row) = CMK_GUARD_NONE;
    return apply(building, &update, node_of(vault, encryption->node));
}

static bool check_encryption(Building *building, const Vault *vault)
{
    const CmkBackupVault *row =
        cmk_backup_vault(building->sim->world, (CmkBackupVaultId){vault->row});
    if (vault->item->encryption.node == NULL || row->encryption == CMK_ENCRYPTION_ENABLED) {
        return true;
    }
    return refuse(building, node_of(vault, vault->item->encryption.node),
                  g_array_index(building->guards, CmkGuardId, vault->row));
}

static bool connect_vault(Building *building, const Vault *vault)
{
    const GArray *subnets = vault->item->private_endpoints;
    bool is_right = true;
    for (guint i = 0; subnets != NULL && i < subnets->len; i++) {
        const CmkReference *subnet = &g_array_index(subnets, CmkReference, i);
        CmkArgs args = args_of(CMK_OP_BACKUP_VAULT_ADD_PRIVATE_ENDPOINT);
        args.ref[CMK_REF_BACKUP_VAULT] = vault->row;
        cmk_parameters_put(subnet, &args);
        is_right &= apply(building, &args, node_of(vault, subnet->node));
    }
    return is_right;
}

static bool protect_instances(Building *building, const Vault *vault)
{
    const GArray *instances = vault->item->instances;
    bool is_right = true;
    for (guint i = 0; instances != NULL && i < instances->len; i++) {
        const CmkInstanceItem *item = &g_array_index(instances, CmkInstanceItem, i);
        CmkArgs args = args_of(CMK_OP_INSTANCE_PROTECT);
        args.ref[CMK_REF_BACKUP_VAULT] = vault->row;
        args.ref[CMK_REF_INSTANCE] = vault->first_instance + i;
        args.ref[CMK_REF_POLICY] = item->policy.row;
        args.ref[CMK_REF_SECRET] = item->secret.row;
        cmk_parameters_set(&args, "datasource", item->datasource);
        cmk_parameters_set(&args, "size", item->size_bytes);
        cmk_parameters_set(&args, "daily_change", item->daily_change_ppm);
        cmk_parameters_set(&args, "sample", item->sample_bytes);
        is_right &= !item->does_exist || apply(building, &args, node_of(vault, item->node));
    }
    return is_right;
}

/* ---- all together ---------------------------------------------------------------------------- */

/* The order is that of the documentation (BV-34). Each part needs what the ones before it made. */
static bool set_up(Building *building)
{
    return create_key_vaults(building) && close_key_vaults(building) &&
           create_managed_hsms(building) && close_managed_hsms(building) &&
           create_identities(building) &&
           give_access(building,
                       1U << CMK_NAMED_IDENTITY | 1U << CMK_NAMED_USER | 1U << CMK_NAMED_GROUP) &&
           create_policies(building) && create_vaults(building) &&
           visit_vaults(building, set_protection) &&
           give_access(building, 1U << CMK_NAMED_BACKUP_VAULT) &&
           visit_vaults(building, update_encryption) && run_for(building, SETTINGS_US) &&
           visit_vaults(building, check_encryption) && visit_vaults(building, connect_vault) &&
           visit_vaults(building, protect_instances);
}

/* The clock goes to the start, where whatever is due waits for the scenario to be open. */
static bool open_scenario(Building *building)
{
    CmkWorld *world = building->sim->world;
    const CmkTime start = building->scenario->start;
    CMK_ASSERT(cmk_world_now(world) < start);
    if (!run_for(building, start - 1 - cmk_world_now(world))) {
        return false;
    }
    cmk_world_set_now(world, start);
    const CmkArgs open = args_of(CMK_OP_SIMULATION_OPEN);
    return apply(building, &open, building->world->node);
}

/* What the run is about, before its first record: integers of fixed width, the file, the prices. */
static void begin_digest(const Building *building)
{
    const CmkScenario *scenario = building->scenario;
    const uint64_t head[] = {DIGEST_FORMAT,
                             building->seed,
                             (uint64_t)building->variant,
                             (uint64_t)scenario->start,
                             (uint64_t)scenario->end,
                             CMK_KNOB__COUNT,
                             scenario->canonical->len};
    cmk_world_fold(building->sim->world, head, sizeof(head));
    cmk_world_fold(building->sim->world, scenario->knobs, sizeof(scenario->knobs));
    cmk_world_fold(building->sim->world, scenario->canonical->str, scenario->canonical->len);
    cmk_world_fold(building->sim->world, scenario->prices.lines,
                   scenario->prices.count * sizeof(scenario->prices.lines[0]));
}

bool cmk_scenario_build(const CmkScenario *scenario, CmkVariant variant, uint64_t seed, CmkSim *sim,
                        CmkDiagnostics *diagnostics)
{
    CMK_ASSERT(sim->model != NULL);
    CmkLimits limits;
    sim->world = NULL;
    if (!cmk_limits_of(scenario, diagnostics, &limits)) {
        return false;
    }
    const CmkWorldItem *item = &scenario->estate->file.world;
    sim->world = cmk_azure_world_new(&limits, seed, scenario->start - CMK_SCENARIO_SETUP_US,
                                     scenario->start, scenario->knobs);
    if (sim->world == NULL) {
        cmk_diagnostics_error(diagnostics, cmk_node_key_position(item->node),
                              "there is not enough memory for this world");
        cmk_diagnostics_hint(diagnostics, "make the fleet smaller or the horizon shorter");
        return false;
    }
    g_autoptr(GArray) guards = g_array_sized_new(
        FALSE, TRUE, sizeof(CmkGuardId), scenario->estate->rows[CMK_NAMED_BACKUP_VAULT] + 1);
    g_array_set_size(guards, scenario->estate->rows[CMK_NAMED_BACKUP_VAULT] + 1);
    Building building = {.scenario = scenario,
                         .world = item,
                         .sim = sim,
                         .diagnostics = diagnostics,
                         .variant = variant,
                         .seed = seed,
                         .guards = guards};
    declare_all(&building);
    begin_digest(&building);
    /* One reader more while the world is set up, to know which guard refused what. */
    CmkJournal *journal = sim->journal;
    CmkJournal during = journal == NULL ? (CmkJournal){.count = 0} : *journal;
    cmk_journal_add(&during, (CmkReader){.read = remember_refusal, .self = &building});
    sim->journal = &during;
    const bool is_built = set_up(&building) && open_scenario(&building);
    sim->journal = journal;
    if (!is_built) {
        cmk_world_free(sim->world);
        sim->world = NULL;
    }
    return is_built;
}
