/* Making a world: its tables, and the names that are there before anything lives under them. */
#include <ctype.h>
#include <string.h>

#include "models/model.h"

/* The writing accessors of models/mutate.h go through a CmkSim; before the first operation there is
 * none, so rows are reached directly. */
static void *row_mut(CmkWorld *world, uint32_t table, uint32_t row)
{
    CMK_ASSERT(cmk_world_next_seq(world) == 1);
    return cmk_world_row_mut(world, table, row);
}

static uint32_t add(CmkWorld *world, uint32_t table)
{
    CMK_ASSERT(cmk_world_next_seq(world) == 1);
    CMK_ASSERT(cmk_world_has_room(world, table));
    return cmk_world_row_add(world, table);
}

static void fill_specs(CmkTableSpec specs[CMK_TABLE__COUNT], const CmkLimits *limits)
{
    specs[CMK_TABLE_AGENDA_HEAP] = cmk_agenda_heap_spec(limits->timers);
    specs[CMK_TABLE_TIMER] = cmk_agenda_timer_spec(limits->timers);
#define X(id, accessor, type, handle, scratch, text)                                               \
    specs[CMK_TABLE_##id] = (CmkTableSpec){.name = (text),                                         \
                                           .row_size = sizeof(type),                               \
                                           .limit = limits->rows[CMK_TABLE_##id],                  \
                                           .is_scratch = (scratch)};
    CMK_TABLES(X)
#undef X
    uint32_t region_count = 0;
    (void)cmk_region_facts(&region_count);
    specs[CMK_TABLE_SETTINGS].limit = 1;
    specs[CMK_TABLE_REGION].limit = region_count;
    specs[CMK_TABLE_KEY_VAULT_METER].limit = limits->rows[CMK_TABLE_KEY_VAULT];
    specs[CMK_TABLE_RULE_SET].limit =
        limits->rows[CMK_TABLE_KEY_VAULT] + limits->rows[CMK_TABLE_MANAGED_HSM];
    specs[CMK_TABLE_SUBSCRIPTION_METER].limit = limits->rows[CMK_TABLE_SCOPE] * region_count;
    specs[CMK_TABLE_MANAGED_HSM_METER].limit = limits->rows[CMK_TABLE_MANAGED_HSM];
    specs[CMK_TABLE_VERSION_USE].limit = limits->rows[CMK_TABLE_VERSION];
    specs[CMK_TABLE_GAUGE].limit = limits->rows[CMK_TABLE_BACKUP_VAULT] * CMK_GAUGE__COUNT;
}

static void declare_regions(CmkWorld *world)
{
    uint32_t count = 0;
    const CmkRegionFacts *facts = cmk_region_facts(&count);
    for (uint32_t i = 1; i < count; i++) {
        CmkRegion *region = row_mut(world, CMK_TABLE_REGION, add(world, CMK_TABLE_REGION));
        region->pair = facts[i].pair == NULL ? 0 : cmk_region_find(facts[i].pair).i;
    }
}

/* With a meter in each region: only subscriptions use theirs, but a row is found by its number. */
static uint32_t add_scope(CmkWorld *world)
{
    const uint32_t row = add(world, CMK_TABLE_SCOPE);
    const uint32_t regions = cmk_world_count(world, CMK_TABLE_REGION);
    cmk_world_set_count(world, CMK_TABLE_SUBSCRIPTION_METER, row * regions);
    return row;
}

static void declare_default_scopes(CmkWorld *world)
{
    CmkScope *subscription = row_mut(world, CMK_TABLE_SCOPE, add_scope(world));
    subscription->kind = CMK_SCOPE_SUBSCRIPTION;
    CmkScope *group = row_mut(world, CMK_TABLE_SCOPE, add_scope(world));
    group->kind = CMK_SCOPE_RESOURCE_GROUP;
    group->parent = CMK_SCOPE_DEFAULT_SUBSCRIPTION;
    CMK_ASSERT(cmk_world_count(world, CMK_TABLE_SCOPE) == CMK_SCOPE_DEFAULT_RESOURCE_GROUP);
}

CmkWorld *cmk_azure_world_new(const CmkLimits *limits, uint64_t seed, CmkTime setup, CmkTime start,
                              const int64_t knobs[CMK_KNOB__COUNT])
{
    CMK_ASSERT(setup >= 0 && setup <= start);
    CmkTableSpec specs[CMK_TABLE__COUNT];
    memset(specs, 0, sizeof(specs));
    fill_specs(specs, limits);
    CmkWorld *world = cmk_world_new(specs, CMK_TABLE__COUNT, seed);
    if (world == NULL) {
        return NULL;
    }
    CmkSettings *settings = row_mut(world, CMK_TABLE_SETTINGS, add(world, CMK_TABLE_SETTINGS));
    settings->start = start;
    memcpy(settings->knobs, knobs, sizeof(settings->knobs));
    declare_regions(world);
    declare_default_scopes(world);
    cmk_world_set_now(world, setup);
    return world;
}

uint32_t cmk_declare_name(CmkWorld *world, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        return 0;
    }
    CMK_ASSERT(cmk_world_next_seq(world) == 1);
    const size_t length = strlen(text);
    CMK_ASSERT(length < UINT32_MAX / 2);
    /* Names are packed behind one another, with their closing zeros, in 8-byte rows from row 1. */
    const uint32_t rows_before = cmk_world_count(world, CMK_TABLE_NAME_BYTES);
    const uint32_t row = add(world, CMK_TABLE_NAME);
    CmkNameRow *name = row_mut(world, CMK_TABLE_NAME, row);
    const CmkNameRow *last = cmk_world_row(world, CMK_TABLE_NAME, row - 1);
    name->offset = row == 1 ? (uint32_t)sizeof(CmkNameBytes) : last->offset + last->length + 1;
    name->length = (uint32_t)length;
    const uint32_t rows = (uint32_t)((name->offset + length) / sizeof(CmkNameBytes));
    if (rows > rows_before) {
        cmk_world_set_count(world, CMK_TABLE_NAME_BYTES, rows);
    }
    char *bytes = cmk_world_rows_mut(world, CMK_TABLE_NAME_BYTES);
    memcpy(bytes + name->offset, text, length + 1);
    return row;
}

const char *cmk_name(const CmkWorld *world, uint32_t name)
{
    if (name == 0) {
        return "";
    }
    const char *bytes = cmk_world_row(world, CMK_TABLE_NAME_BYTES, 0);
    return bytes + cmk_name_row(world, (CmkNameId){name})->offset;
}

bool cmk_is_same_name(const char *name, const char *written)
{
    for (; *written != '\0'; written++) {
        if (*written == ' ') {
            continue;
        }
        if (tolower((unsigned char)*name) != tolower((unsigned char)*written)) {
            return false;
        }
        name++;
    }
    return *name == '\0';
}

CmkKeyVaultId cmk_declare_key_vault(CmkWorld *world, const char *name)
{
    CmkKeyVaultId id = {add(world, CMK_TABLE_KEY_VAULT)};
    const uint32_t rule_set = add(world, CMK_TABLE_RULE_SET);
    CmkKeyVault *vault = row_mut(world, CMK_TABLE_KEY_VAULT, id.i);
    vault->name = cmk_declare_name(world, name);
    vault->rule_set = rule_set;
    ((CmkRuleSet *)row_mut(world, CMK_TABLE_RULE_SET, rule_set))->key_vault = id.i;
    const uint32_t meter = add(world, CMK_TABLE_KEY_VAULT_METER);
    CMK_ASSERT(meter == id.i);
    cmk_place_key_vault(world, id, (CmkScopeId){CMK_SCOPE_DEFAULT_RESOURCE_GROUP});
    return id;
}

CmkKeyId cmk_declare_key(CmkWorld *world, CmkKeyVaultId key_vault, const char *name)
{
    CmkKeyId id = {add(world, CMK_TABLE_KEY)};
    CmkKey *key = row_mut(world, CMK_TABLE_KEY, id.i);
    key->name = cmk_declare_name(world, name);
    key->key_vault = key_vault.i;
    CmkKeyVault *vault = row_mut(world, CMK_TABLE_KEY_VAULT, key_vault.i);
    key->next_of_key_vault = vault->first_key;
    vault->first_key = id.i;
    return id;
}

CmkSecretId cmk_declare_secret(CmkWorld *world, CmkKeyVaultId key_vault, const char *name)
{
    CmkSecretId id = {add(world, CMK_TABLE_SECRET)};
    CmkSecret *secret = row_mut(world, CMK_TABLE_SECRET, id.i);
    secret->name = cmk_declare_name(world, name);
    secret->key_vault = key_vault.i;
    return id;
}

CmkResourceGuardId cmk_declare_resource_guard(CmkWorld *world, CmkScopeId resource_group,
                                              uint32_t excluded, const char *name)
{
    CmkResourceGuardId id = {add(world, CMK_TABLE_RESOURCE_GUARD)};
    CmkResourceGuard *guard = row_mut(world, CMK_TABLE_RESOURCE_GUARD, id.i);
    guard->name = cmk_declare_name(world, name);
    guard->resource_group =
        resource_group.i != 0 ? resource_group.i : CMK_SCOPE_DEFAULT_RESOURCE_GROUP;
    guard->excluded = excluded;
    return id;
}

CmkManagedHsmId cmk_declare_managed_hsm(CmkWorld *world, const char *name)
{
    const CmkManagedHsmId id = {add(world, CMK_TABLE_MANAGED_HSM)};
    const uint32_t rule_set = add(world, CMK_TABLE_RULE_SET);
    CmkManagedHsm *hsm = row_mut(world, CMK_TABLE_MANAGED_HSM, id.i);
    hsm->rule_set = rule_set;
    ((CmkRuleSet *)row_mut(world, CMK_TABLE_RULE_SET, rule_set))->managed_hsm = id.i;
    hsm->name = cmk_declare_name(world, name);
    hsm->resource_group = CMK_SCOPE_DEFAULT_RESOURCE_GROUP;
    const uint32_t meter = add(world, CMK_TABLE_MANAGED_HSM_METER);
    CMK_ASSERT(meter == id.i);
    return id;
}

CmkKeyId cmk_declare_hsm_key(CmkWorld *world, CmkManagedHsmId managed_hsm, const char *name)
{
    const CmkKeyId id = {add(world, CMK_TABLE_KEY)};
    CmkKey *key = row_mut(world, CMK_TABLE_KEY, id.i);
    key->name = cmk_declare_name(world, name);
    key->managed_hsm = managed_hsm.i;
    CmkManagedHsm *hsm = row_mut(world, CMK_TABLE_MANAGED_HSM, managed_hsm.i);
    key->next_of_key_vault = hsm->first_key;
    hsm->first_key = id.i;
    return id;
}

CmkIdentityId cmk_declare_identity(CmkWorld *world, const char *name)
{
    CmkIdentityId id = {add(world, CMK_TABLE_IDENTITY)};
    ((CmkIdentity *)row_mut(world, CMK_TABLE_IDENTITY, id.i))->name = cmk_declare_name(world, name);
    cmk_place_identity(world, id, (CmkScopeId){CMK_SCOPE_DEFAULT_RESOURCE_GROUP});
    return id;
}

CmkScopeId cmk_declare_scope(CmkWorld *world, CmkScopeKind kind, CmkScopeId parent,
                             const char *name)
{
    CmkScopeId id = {add_scope(world)};
    CmkScope *scope = row_mut(world, CMK_TABLE_SCOPE, id.i);
    scope->name = cmk_declare_name(world, name);
    scope->kind = kind;
    scope->parent = parent.i;
    return id;
}

CmkPersonId cmk_declare_person(CmkWorld *world, CmkPersonKind kind, const char *name)
{
    const CmkPersonId id = {add(world, CMK_TABLE_PERSON)};
    const uint32_t principal_row = add(world, CMK_TABLE_PRINCIPAL);
    CmkPerson *person = row_mut(world, CMK_TABLE_PERSON, id.i);
    person->name = cmk_declare_name(world, name);
    person->kind = kind;
    person->principal = principal_row;
    CmkPrincipal *principal = row_mut(world, CMK_TABLE_PRINCIPAL, principal_row);
    principal->person = id.i;
    principal->is_alive = 1;
    principal->made_at = cmk_world_now(world);
    return id;
}

CmkNetworkId cmk_declare_network(CmkWorld *world, const CmkNetwork *network, const char *name)
{
    CMK_ASSERT(network->prefix_bits <= 32);
    const CmkNetworkId id = {add(world, CMK_TABLE_NETWORK)};
    CmkNetwork *row = row_mut(world, CMK_TABLE_NETWORK, id.i);
    *row = *network;
    row->name = cmk_declare_name(world, name);
    return id;
}

void cmk_place_person(CmkWorld *world, CmkPersonId id, CmkNetworkId network)
{
    ((CmkPerson *)row_mut(world, CMK_TABLE_PERSON, id.i))->network = network.i;
}

void cmk_place_key_vault(CmkWorld *world, CmkKeyVaultId id, CmkScopeId resource_group)
{
    CMK_ASSERT(cmk_scope(world, resource_group)->kind == CMK_SCOPE_RESOURCE_GROUP);
    ((CmkKeyVault *)row_mut(world, CMK_TABLE_KEY_VAULT, id.i))->resource_group = resource_group.i;
}

void cmk_place_managed_hsm(CmkWorld *world, CmkManagedHsmId id, CmkScopeId resource_group)
{
    CMK_ASSERT(cmk_scope(world, resource_group)->kind == CMK_SCOPE_RESOURCE_GROUP);
    CmkManagedHsm *hsm = row_mut(world, CMK_TABLE_MANAGED_HSM, id.i);
    hsm->resource_group = resource_group.i;
}

void cmk_place_identity(CmkWorld *world, CmkIdentityId id, CmkScopeId resource_group)
{
    CMK_ASSERT(cmk_scope(world, resource_group)->kind == CMK_SCOPE_RESOURCE_GROUP);
    ((CmkIdentity *)row_mut(world, CMK_TABLE_IDENTITY, id.i))->resource_group = resource_group.i;
}

void cmk_place_backup_vault(CmkWorld *world, CmkBackupVaultId id, CmkScopeId resource_group)
{
    CMK_ASSERT(cmk_scope(world, resource_group)->kind == CMK_SCOPE_RESOURCE_GROUP);
    CmkBackupVault *vault = row_mut(world, CMK_TABLE_BACKUP_VAULT, id.i);
    vault->resource_group = resource_group.i;
}

CmkBackupVaultId cmk_declare_backup_vault(CmkWorld *world, const char *name)
{
    CmkBackupVaultId id = {add(world, CMK_TABLE_BACKUP_VAULT)};
    ((CmkBackupVault *)row_mut(world, CMK_TABLE_BACKUP_VAULT, id.i))->name =
        cmk_declare_name(world, name);
    cmk_place_backup_vault(world, id, (CmkScopeId){CMK_SCOPE_DEFAULT_RESOURCE_GROUP});
    for (uint32_t kind = 0; kind < CMK_GAUGE__COUNT; kind++) {
        cmk_world_set_count(world, CMK_TABLE_GAUGE, (id.i - 1) * CMK_GAUGE__COUNT + kind + 1);
    }
    return id;
}

CmkInstanceId cmk_declare_instance(CmkWorld *world, CmkBackupVaultId vault, const char *name)
{
    CmkInstanceId id = {add(world, CMK_TABLE_INSTANCE)};
    CmkInstance *instance = row_mut(world, CMK_TABLE_INSTANCE, id.i);
    instance->name = cmk_declare_name(world, name);
    instance->backup_vault = vault.i;
    return id;
}

void cmk_delay_instance(CmkWorld *world, CmkInstanceId id, int64_t offset_us)
{
    CMK_ASSERT(offset_us >= 0);
    ((CmkInstance *)row_mut(world, CMK_TABLE_INSTANCE, id.i))->schedule_offset_us = offset_us;
}

CmkPolicyId cmk_declare_policy(CmkWorld *world, const CmkPolicy *policy, const char *name)
{
    CmkPolicyId id = {add(world, CMK_TABLE_POLICY)};
    CmkPolicy *row = row_mut(world, CMK_TABLE_POLICY, id.i);
    *row = *policy;
    row->name = cmk_declare_name(world, name);
    return id;
}

CmkPlanId cmk_declare_plan(CmkWorld *world, const CmkPlanRow *row, const char *name)
{
    CmkPlanId id = {add(world, CMK_TABLE_PLAN)};
    CmkPlanRow *plan = row_mut(world, CMK_TABLE_PLAN, id.i);
    *plan = *row;
    plan->name = cmk_declare_name(world, name);
    plan->args.origin = id.i;
    return id;
}

int64_t cmk_knob(const CmkWorld *world, CmkKnobId knob)
{
    return cmk_settings(world, (CmkNameId){1})->knobs[knob];
}

bool cmk_is_open(const CmkWorld *world)
{
    return cmk_settings(world, (CmkNameId){1})->opened_by != 0;
}
