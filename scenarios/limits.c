/* How large a world must be, from the scenario alone. Memory is reserved for these numbers and only
 * touched where it is used, so they are generous where they cannot be exact. */
#include <string.h>

#include "scenarios/estate.h"

/* Jobs of one instance at one time: a backup, tiering and expiry in each of two stores. */
#define TASKS_PER_INSTANCE 6
/* Settings and rotation of one Backup vault. */
#define TASKS_PER_VAULT 2
/* Maintenance, healing and what waits of either under an older epoch. */
#define TIMERS_PER_VAULT 6
/* Rotation poll, purge, rotation and notice, under this epoch and an older one. */
#define TIMERS_PER_KEY 8
/* Its purge, under this epoch and an older one. */
#define TIMERS_PER_KEY_VAULT 2
/* It comes to act, and ceases to. */
#define TIMERS_PER_ASSIGNMENT 2
/* Rotation policies give versions at least this age (ROT-9). */
#define ROTATION_MIN_US (7 * CMK_DAY_US)
#define SPARE 64

typedef struct Counting {
    const CmkScenario *scenario;
    uint64_t rows[CMK_TABLE__COUNT];
    uint64_t timers;
} Counting;

static uint64_t length_of(const GArray *array)
{
    return array == NULL ? 0 : array->len;
}

/* Backups by a policy from the start to the horizon, wherever in a day they are moved to. */
static uint64_t backups_of(const CmkScenario *scenario, const CmkPolicyItem *item)
{
    const CmkPolicy policy = cmk_policy_of(item);
    uint64_t backups = 0;
    for (uint32_t i = 0; i < policy.schedule_count; i++) {
        const CmkSchedule *schedule = &policy.schedules[i];
        const int64_t first =
            cmk_period_first_index(schedule->start, schedule->period, scenario->start);
        const int64_t after =
            cmk_period_first_index(schedule->start, schedule->period, scenario->end + 1);
        backups += (uint64_t)(after - first) + 1;
    }
    return backups;
}

/* What the backups of one instance by this policy take, `times` times. */
static void count_backups(Counting *counting, uint32_t policy_row, uint64_t times)
{
    const GArray *policies = counting->scenario->estate->file.world.policies;
    const CmkPolicyItem *policy = &g_array_index(policies, CmkPolicyItem, policy_row - 1);
    const CmkPolicy made = cmk_policy_of(policy);
    const uint64_t queues = (uint64_t)made.has_operational + made.has_vault;
    counting->rows[CMK_TABLE_QUEUE] += queues * times;
    /* Points that should be gone may all be there still, hence no retention here. */
    counting->rows[CMK_TABLE_POINT] +=
        queues * times * (backups_of(counting->scenario, policy) + 2);
    counting->rows[CMK_TABLE_TASK] += TASKS_PER_INSTANCE * times;
    counting->timers += queues * times;
}

/* A Backup vault that is there `times` times. */
static void count_vault(Counting *counting, const CmkBackupVaultItem *vault, uint64_t times)
{
    const uint64_t identities = length_of(vault->identities);
    counting->rows[CMK_TABLE_ATTACHMENT] += identities * times;
    counting->rows[CMK_TABLE_PRINCIPAL] += identities * times;
    counting->rows[CMK_TABLE_TASK] += TASKS_PER_VAULT * times;
    counting->rows[CMK_TABLE_PRIVATE_ENDPOINT] += length_of(vault->private_endpoints) * times;
    counting->timers += TIMERS_PER_VAULT * times;
    for (guint i = 0; vault->instances != NULL && i < vault->instances->len; i++) {
        const CmkInstanceItem *instance = &g_array_index(vault->instances, CmkInstanceItem, i);
        if (instance->does_exist) {
            counting->rows[CMK_TABLE_VAULT_POLICY] += times; /* if it shares its policy with none */
            count_backups(counting, instance->policy.row, times);
        }
    }
}

/* Grants to a system-assigned identity that a fleet has copies of are given to each copy. */
static uint64_t copies_of(const CmkScenario *scenario, const CmkReference *principal)
{
    uint64_t copies = 1;
    for (guint i = 0; i < scenario->estate->fleets->len; i++) {
        const CmkFleet *fleet = &g_array_index(scenario->estate->fleets, CmkFleet, i);
        if (principal->kind == CMK_NAMED_BACKUP_VAULT && principal->row == fleet->like_row) {
            copies += fleet->count;
        }
    }
    return copies;
}

typedef void (*VisitKey)(Counting *counting, const CmkKeyItem *key);

static void visit_keys(Counting *counting, const GArray *keys, VisitKey visit)
{
    for (guint i = 0; keys != NULL && i < keys->len; i++) {
        visit(counting, &g_array_index(keys, CmkKeyItem, i));
    }
}

/* Of key vaults and Managed HSMs. */
static void visit_all_keys(Counting *counting, VisitKey visit)
{
    const GArray *vaults = counting->scenario->estate->file.world.key_vaults;
    const GArray *hsms = counting->scenario->estate->file.world.managed_hsms;
    for (guint i = 0; vaults != NULL && i < vaults->len; i++) {
        visit_keys(counting, g_array_index(vaults, CmkKeyVaultItem, i).keys, visit);
    }
    for (guint i = 0; hsms != NULL && i < hsms->len; i++) {
        visit_keys(counting, g_array_index(hsms, CmkManagedHsmItem, i).keys, visit);
    }
}

/* Versions that a key has from the start. */
static void count_versions(Counting *counting, const CmkKeyItem *key)
{
    counting->rows[CMK_TABLE_VERSION] += (uint64_t)key->versions;
}

static void count_access(Counting *counting)
{
    const CmkWorldItem *world = &counting->scenario->estate->file.world;
    for (guint i = 0; world->grants != NULL && i < world->grants->len; i++) {
        counting->rows[CMK_TABLE_ASSIGNMENT] +=
            copies_of(counting->scenario, &g_array_index(world->grants, CmkGrantItem, i).principal);
    }
    for (guint i = 0; world->managed_hsms != NULL && i < world->managed_hsms->len; i++) {
        counting->rows[CMK_TABLE_ASSIGNMENT] +=
            length_of(g_array_index(world->managed_hsms, CmkManagedHsmItem, i).administrators);
    }
    for (guint i = 0; world->groups != NULL && i < world->groups->len; i++) {
        const GArray *members = g_array_index(world->groups, CmkGroupItem, i).members;
        for (guint j = 0; members != NULL && j < members->len; j++) {
            counting->rows[CMK_TABLE_MEMBERSHIP] +=
                copies_of(counting->scenario, &g_array_index(members, CmkReference, j));
        }
    }
    for (guint i = 0; world->key_vaults != NULL && i < world->key_vaults->len; i++) {
        const GArray *policies =
            g_array_index(world->key_vaults, CmkKeyVaultItem, i).access_policies;
        for (guint j = 0; policies != NULL && j < policies->len; j++) {
            counting->rows[CMK_TABLE_ACCESS_POLICY] += copies_of(
                counting->scenario, &g_array_index(policies, CmkAccessPolicyItem, j).principal);
        }
    }
}

static void count_network(Counting *counting, const CmkNetworkRulesItem *network)
{
    counting->rows[CMK_TABLE_NETWORK_RULE] +=
        length_of(network->rules) + length_of(network->perimeter_rules);
    counting->rows[CMK_TABLE_PRIVATE_ENDPOINT] += length_of(network->private_endpoints);
}

/* What key vaults and Managed HSMs let in from the start. */
static void count_networks(Counting *counting)
{
    const CmkWorldItem *world = &counting->scenario->estate->file.world;
    for (guint i = 0; world->key_vaults != NULL && i < world->key_vaults->len; i++) {
        count_network(counting, &g_array_index(world->key_vaults, CmkKeyVaultItem, i).network);
    }
    for (guint i = 0; world->managed_hsms != NULL && i < world->managed_hsms->len; i++) {
        count_network(counting, &g_array_index(world->managed_hsms, CmkManagedHsmItem, i).network);
    }
}

/* Versions that a rotation policy adds at most. */
static uint64_t rotations_of(const CmkScenario *scenario)
{
    return (uint64_t)((scenario->end - scenario->start + CMK_SCENARIO_SETUP_US) / ROTATION_MIN_US) +
           1;
}

static void count_rotations_of_key(Counting *counting, const CmkKeyItem *key)
{
    counting->rows[CMK_TABLE_VERSION] +=
        key->rotation_policy.node != NULL ? rotations_of(counting->scenario) : 0;
}

/* Versions that rotation policies add, as often as these may; of keys that have one from the start,
 * and of those that get one. */
static void count_rotations(Counting *counting)
{
    const CmkScenario *scenario = counting->scenario;
    const uint64_t each = rotations_of(scenario);
    visit_all_keys(counting, count_rotations_of_key);
    for (guint i = 0; i < scenario->plan->len; i++) {
        const bool gives_policy =
            g_array_index(scenario->plan, CmkPlanned, i).op == CMK_OP_KEY_SET_ROTATION_POLICY;
        counting->rows[CMK_TABLE_VERSION] += gives_policy ? each : 0;
    }
}

/* A key that is restored elsewhere may have as many versions as a backup holds, or as there are. */
static void count_restores(Counting *counting)
{
    const GArray *plan = counting->scenario->plan;
    const uint64_t versions = counting->rows[CMK_TABLE_VERSION];
    for (guint i = 0; i < plan->len; i++) {
        const bool is_restore = g_array_index(plan, CmkPlanned, i).op == CMK_OP_KEY_RESTORE;
        counting->rows[CMK_TABLE_VERSION] +=
            is_restore ? MIN(versions, CMK_KEY_BACKUP_VERSIONS_MAX) : 0;
    }
}

/* Full backups of Managed HSMs keep each key with its versions and each local role, and a restore
 * makes as many again. */
static void count_hsm_backups(Counting *counting)
{
    const GArray *plan = counting->scenario->plan;
    const uint64_t keys = counting->rows[CMK_TABLE_KEY];
    const uint64_t versions = counting->rows[CMK_TABLE_VERSION];
    const uint64_t assignments = counting->rows[CMK_TABLE_ASSIGNMENT];
    for (guint i = 0; i < plan->len; i++) {
        const CmkOpId op = g_array_index(plan, CmkPlanned, i).op;
        if (op == CMK_OP_MANAGED_HSM_BACKUP) {
            counting->rows[CMK_TABLE_KEY_BACKUP] += keys;
            counting->rows[CMK_TABLE_KEPT_VERSION] += versions;
            counting->rows[CMK_TABLE_KEPT_ASSIGNMENT] += assignments;
        } else if (op == CMK_OP_MANAGED_HSM_RESTORE) {
            counting->rows[CMK_TABLE_VERSION] += versions;
            counting->rows[CMK_TABLE_ASSIGNMENT] += assignments;
        }
    }
}

/* Each backup keeps the versions that the key has by then. */
static void count_kept_versions(Counting *counting)
{
    const GArray *plan = counting->scenario->plan;
    const uint64_t versions = MIN(counting->rows[CMK_TABLE_VERSION], CMK_KEY_BACKUP_VERSIONS_MAX);
    for (guint i = 0; i < plan->len; i++) {
        const bool is_backup = g_array_index(plan, CmkPlanned, i).op == CMK_OP_KEY_BACKUP;
        counting->rows[CMK_TABLE_KEPT_VERSION] += is_backup ? versions : 0;
    }
}

/* What is planned may add rows to each table that its operation writes. */
static void count_plan(Counting *counting)
{
    static const uint32_t growing[] = {
        CMK_TABLE_VERSION,        CMK_TABLE_PRINCIPAL,    CMK_TABLE_ASSIGNMENT,
        CMK_TABLE_ACCESS_POLICY,  CMK_TABLE_ATTACHMENT,   CMK_TABLE_QUEUE,
        CMK_TABLE_POINT,          CMK_TABLE_TASK,         CMK_TABLE_MEMBERSHIP,
        CMK_TABLE_STATEMENT,      CMK_TABLE_KEY_BACKUP,   CMK_TABLE_VAULT_POLICY,
        CMK_TABLE_HSM_BACKUP,     CMK_TABLE_NETWORK_RULE, CMK_TABLE_PRIVATE_ENDPOINT,
        CMK_TABLE_SECURITY_DOMAIN};
    const CmkModel *model = cmk_azure_model();
    const GArray *plan = counting->scenario->plan;
    for (guint i = 0; i < plan->len; i++) {
        const CmkPlanned *planned = &g_array_index(plan, CmkPlanned, i);
        const uint64_t writes = model->operations[planned->op]->writes;
        for (uint32_t j = 0; j < CMK_ARRAY_LEN(growing); j++) {
            counting->rows[growing[j]] +=
                (writes >> growing[j] & 1) != 0 ? CMK_ROWS_PER_OPERATION : 0;
        }
        counting->timers += CMK_ROWS_PER_OPERATION;
        if (planned->args.ref[CMK_REF_POLICY] != 0) { /* instances are backed up by it from then */
            count_backups(counting, planned->args.ref[CMK_REF_POLICY], 1);
        }
        counting->rows[CMK_TABLE_NAME] += planned->id != NULL;
        counting->rows[CMK_TABLE_NAME_BYTES] += planned->id == NULL ? 0 : strlen(planned->id) + 1;
    }
    counting->rows[CMK_TABLE_PLAN] = plan->len;
}

static void count_names(Counting *counting)
{
    const GArray *named = counting->scenario->named;
    uint64_t *bytes = &counting->rows[CMK_TABLE_NAME_BYTES];
    counting->rows[CMK_TABLE_NAME] += named->len;
    for (guint i = 0; i < named->len; i++) {
        *bytes += strlen(g_array_index(named, CmkNamed, i).name) + 1;
    }
    *bytes = *bytes / sizeof(CmkNameBytes) + 2;
}

static void count(Counting *counting)
{
    const CmkEstate *estate = counting->scenario->estate;
    const CmkWorldItem *world = &estate->file.world;
    uint64_t *rows = counting->rows;
    rows[CMK_TABLE_KEY_VAULT] = estate->rows[CMK_NAMED_KEY_VAULT];
    rows[CMK_TABLE_KEY] = estate->rows[CMK_NAMED_KEY];
    rows[CMK_TABLE_SECRET] = estate->rows[CMK_NAMED_SECRET];
    rows[CMK_TABLE_RESOURCE_GUARD] = estate->rows[CMK_NAMED_RESOURCE_GUARD];
    rows[CMK_TABLE_MANAGED_HSM] = estate->rows[CMK_NAMED_MANAGED_HSM];
    rows[CMK_TABLE_SECURITY_DOMAIN] = estate->rows[CMK_NAMED_MANAGED_HSM];
    rows[CMK_TABLE_IDENTITY] = estate->rows[CMK_NAMED_IDENTITY];
    rows[CMK_TABLE_PRINCIPAL] = estate->rows[CMK_NAMED_IDENTITY] + estate->rows[CMK_NAMED_USER];
    rows[CMK_TABLE_SCOPE] = estate->rows[CMK_NAMED_RESOURCE_GROUP];
    rows[CMK_TABLE_PERSON] = estate->rows[CMK_NAMED_USER];
    rows[CMK_TABLE_NETWORK] = estate->rows[CMK_NAMED_NETWORK];
    rows[CMK_TABLE_BACKUP_VAULT] = estate->rows[CMK_NAMED_BACKUP_VAULT];
    rows[CMK_TABLE_POLICY] = estate->rows[CMK_NAMED_POLICY];
    rows[CMK_TABLE_INSTANCE] = estate->rows[CMK_NAMED_INSTANCE];
    for (guint i = 0; i < world->backup_vaults->len; i++) {
        count_vault(counting, &g_array_index(world->backup_vaults, CmkBackupVaultItem, i), 1);
    }
    for (guint i = 0; i < estate->fleets->len; i++) {
        const CmkFleet *fleet = &g_array_index(estate->fleets, CmkFleet, i);
        count_vault(counting, fleet->like, fleet->count);
    }
    visit_all_keys(counting, count_versions);
    count_access(counting);
    count_networks(counting);
    count_plan(counting);
    count_rotations(counting);
    count_restores(counting);
    count_hsm_backups(counting);
    count_kept_versions(counting);
    count_names(counting);
    counting->timers +=
        rows[CMK_TABLE_TASK] + TIMERS_PER_ASSIGNMENT * rows[CMK_TABLE_ASSIGNMENT] +
        TIMERS_PER_KEY * rows[CMK_TABLE_KEY] +
        TIMERS_PER_KEY_VAULT * (rows[CMK_TABLE_KEY_VAULT] + rows[CMK_TABLE_MANAGED_HSM]);
}

static bool refuse(const CmkScenario *scenario, CmkDiagnostics *diagnostics, uint64_t number,
                   const char *what, uint64_t most)
{
    cmk_diagnostics_error(diagnostics, cmk_node_key_position(scenario->estate->file.world.node),
                          "this world is too large: it needs room for %" G_GUINT64_FORMAT
                          " %s, and there is room for %" G_GUINT64_FORMAT,
                          number, what, most);
    cmk_diagnostics_hint(diagnostics, "make the fleet smaller, the horizon shorter, or back up "
                                      "less often");
    return false;
}

bool cmk_limits_of(const CmkScenario *scenario, CmkDiagnostics *diagnostics, CmkLimits *ret_limits)
{
    static const char *const names[CMK_TABLE__COUNT] = {
#define X(id, name, type, handle, scratch, text) [CMK_TABLE_##id] = (text),
        CMK_TABLES(X)
#undef X
    };
    Counting counting = {.scenario = scenario};
    count(&counting);
    const uint64_t most = INT32_MAX;
    memset(ret_limits, 0, sizeof(*ret_limits));
    for (uint32_t table = CMK_TABLE_FIRST_OF_MODEL; table < CMK_TABLE__COUNT; table++) {
        const uint64_t needed = counting.rows[table] + SPARE;
        if (needed > most) {
            return refuse(scenario, diagnostics, needed, names[table], most);
        }
        ret_limits->rows[table] = (uint32_t)needed;
    }
    const uint64_t timers = counting.timers + SPARE;
    if (timers > CMK_TIMERS_MAX) {
        return refuse(scenario, diagnostics, timers, "pending timers", CMK_TIMERS_MAX);
    }
    ret_limits->timers = (uint32_t)timers;
    return true;
}
