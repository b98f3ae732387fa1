#include "analysis/store_fill.h"

#include <string.h>

#include "analysis/store_schema.h"
#include "models/backup_policy.h"
#include "models/citations.h"
#include "models/error_map.h"
#include "models/key_store.h"

/* One small table being filled: binds in order, then puts the row. The first failure stays. */
typedef struct Filler {
    sqlite3 *db;
    sqlite3_stmt *insert;
    int position;
    int code;
} Filler;

static void fill_begin(Filler *filler, const char *table, int column_count)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_printf(sql, "INSERT INTO %s VALUES (", table);
    for (int i = 0; i < column_count; i++) {
        g_string_append(sql, i == 0 ? "?" : ", ?");
    }
    g_string_append_c(sql, ')');
    (void)sqlite3_finalize(filler->insert);
    filler->insert = NULL;
    filler->position = 0;
    if (filler->code == SQLITE_OK) {
        filler->code = sqlite3_prepare_v2(filler->db, sql->str, -1, &filler->insert, NULL);
    }
}

static void fill_number(Filler *filler, int64_t value)
{
    filler->position++;
    if (filler->code == SQLITE_OK) {
        filler->code = sqlite3_bind_int64(filler->insert, filler->position, value);
    }
}

static void fill_null(Filler *filler)
{
    filler->position++;
}

static void fill_reference(Filler *filler, uint32_t row)
{
    if (row == 0) {
        fill_null(filler);
    } else {
        fill_number(filler, row);
    }
}

/* NULL stays NULL; a name from outside may be anything, a database holds UTF-8. */
static void fill_text(Filler *filler, const char *text)
{
    filler->position++;
    if (text != NULL && filler->code == SQLITE_OK) {
        g_autofree char *valid = g_utf8_make_valid(text, -1);
        filler->code =
            sqlite3_bind_text(filler->insert, filler->position, valid, -1, SQLITE_TRANSIENT);
    }
}

static void fill_put(Filler *filler)
{
    filler->position = 0;
    if (filler->code == SQLITE_OK) {
        const int code = sqlite3_step(filler->insert);
        filler->code = code == SQLITE_DONE ? SQLITE_OK : code;
        (void)sqlite3_reset(filler->insert);
        (void)sqlite3_clear_bindings(filler->insert);
    }
}

static void fill_operations(Filler *filler, const CmkModel *model)
{
    fill_begin(filler, "operation", 6);
    for (uint32_t i = 1; i < model->operation_count; i++) {
        const CmkOperation *operation = model->operations[i];
        fill_number(filler, i);
        fill_text(filler, operation->name);
        fill_text(filler, operation->text);
        fill_text(filler, operation->rules);
        fill_text(filler, operation->action);
        fill_text(filler, operation->audit);
        fill_put(filler);
    }
    fill_begin(filler, "guard", 5);
    for (uint32_t i = 1; i < model->guard_count; i++) {
        const CmkGuard *guard = model->guards[i];
        fill_number(filler, i);
        fill_text(filler, guard->name);
        fill_number(filler, guard->status);
        fill_text(filler, guard->rule);
        fill_text(filler, guard->text);
        fill_put(filler);
    }
}

static void fill_statuses(Filler *filler, const CmkModel *model)
{
    fill_begin(filler, "status", 8);
    for (uint32_t i = 0; i < model->status_count; i++) {
        const CmkStatusRow *status = &model->statuses[i];
        fill_number(filler, i);
        fill_number(filler, status->number);
        fill_text(filler, status->name);
        fill_text(filler, status->code);
        fill_text(filler, status->inner);
        fill_reference(filler, status->http);
        fill_text(filler, status->rule);
        fill_text(filler, status->text);
        fill_put(filler);
    }
}

static void fill_errors(Filler *filler)
{
    uint32_t count = 0;
    const CmkErrorFacts *errors = cmk_errors(&count);
    fill_begin(filler, "error", 6);
    for (uint32_t i = 0; i < count; i++) {
        fill_number(filler, errors[i].status);
        fill_text(filler, errors[i].target);
        fill_number(filler, errors[i].is_user_error);
        fill_number(filler, errors[i].is_retryable);
        fill_text(filler, errors[i].action);
        fill_text(filler, errors[i].rule);
        fill_put(filler);
    }
}

/* One row of `message`: what is asked for by the row of the query. */
static void fill_message(Filler *filler, const CmkModel *model, const CmkWorld *world,
                         sqlite3_stmt *row)
{
    const CmkStatus code = (CmkStatus)sqlite3_column_int64(row, 0);
    const bool is_known = sqlite3_column_type(row, 1) != SQLITE_NULL;
    CmkRecord refused = {.status = (CmkStatus)sqlite3_column_int64(row, 2)};
    refused.args.op = (CmkOpId)sqlite3_column_int64(row, 1);
    refused.args.ref[CMK_REF_KEY] = (uint32_t)sqlite3_column_int64(row, 3);
    char text[CMK_ERROR_MESSAGE_BYTES];
    (void)cmk_error_message(model, world, code, is_known ? &refused : NULL, text, sizeof(text));
    fill_number(filler, code);
    for (int column = 1; column <= 3; column++) {
        if (sqlite3_column_type(row, column) == SQLITE_NULL) {
            fill_null(filler);
        } else {
            fill_number(filler, sqlite3_column_int64(row, column));
        }
    }
    fill_text(filler, text);
    fill_put(filler);
}

/* The messages of the jobs that failed, which are in the database by now. Jobs that have code and
 * refused request alike have one message, so there are few. */
static void fill_messages(Filler *filler, const CmkModel *model, const CmkWorld *world)
{
    static const char sql[] = "SELECT DISTINCT j.code, r.op, r.status, r.\"key\" FROM job AS j"
                              " LEFT JOIN journal AS r ON r.seq = j.refused_seq"
                              " WHERE j.code IS NOT NULL ORDER BY 1, 2, 3, 4";
    g_autoptr(sqlite3_stmt) rows = NULL;
    fill_begin(filler, "message", 5);
    if (filler->code == SQLITE_OK) {
        filler->code = sqlite3_prepare_v2(filler->db, sql, -1, &rows, NULL);
    }
    while (filler->code == SQLITE_OK) {
        const int code = sqlite3_step(rows);
        if (code != SQLITE_ROW) {
            filler->code = code == SQLITE_DONE ? SQLITE_OK : code;
            break;
        }
        fill_message(filler, model, world, rows);
    }
}

/* How the list of jobs calls what it shows (BK-17), and whether somebody asked for it (BK-16). */
typedef struct Shown {
    const char *as; /* NULL: the documents give it no name */
    bool is_user_triggered;
} Shown;

static const Shown shown_kinds[CMK_TASK__COUNT] = {
    [CMK_TASK_BACKUP] = {"ScheduledBackup", false},
    [CMK_TASK_RESTORE] = {"Restore", true},
    [CMK_TASK_TIERING] = {NULL, false},
    [CMK_TASK_EXPIRY] = {NULL, false},
    [CMK_TASK_SETTINGS] = {NULL, true},
    [CMK_TASK_ROTATION] = {NULL, false},
    [CMK_TASK_BACKUP_ON_DEMAND] = {"OnDemandBackup", true},
    [CMK_TASK_DELETION] = {NULL, true},
};

static void fill_words(Filler *filler)
{
    uint32_t count = 0;
    const CmkStoreWord *words = cmk_store_words(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(words[i].table, words[i - 1].table) != 0) {
            fill_begin(filler, words[i].table, 2);
        }
        fill_number(filler, words[i].code);
        fill_text(filler, words[i].word);
        fill_put(filler);
    }
    fill_begin(filler, "task_kind", 7);
    for (uint32_t kind = 0; kind < CMK_TASK__COUNT; kind++) {
        const CmkTaskFacts *facts = cmk_task_facts((CmkTaskKind)kind);
        fill_number(filler, kind);
        fill_text(filler, facts->name);
        fill_text(filler, facts->verb);
        fill_number(filler, facts->is_seen);
        fill_text(filler, facts->rule);
        fill_text(filler, shown_kinds[kind].as);
        fill_number(filler, shown_kinds[kind].is_user_triggered);
        fill_put(filler);
    }
    fill_begin(filler, "rule", 4);
    const CmkRule *rules = cmk_rules(&count);
    for (uint32_t i = 0; i < count; i++) {
        fill_text(filler, rules[i].id);
        fill_text(filler, rules[i].provenance);
        fill_text(filler, cmk_rule_stage(cmk_azure_model(), &rules[i]));
        fill_text(filler, rules[i].text);
        fill_put(filler);
    }
}

static void fill_entity(Filler *filler, uint32_t kind, uint32_t id, const char *name,
                        uint32_t parent_kind, uint32_t parent)
{
    fill_number(filler, kind);
    fill_number(filler, id);
    fill_text(filler, name);
    fill_reference(filler, parent == 0 ? 0 : parent_kind);
    fill_reference(filler, parent);
    fill_put(filler);
}

/* "vault/key", "hsm/key". */
static char *key_name(const CmkWorld *world, uint32_t row)
{
    const CmkKeyId id = {row};
    return g_strdup_printf("%s/%s", cmk_name(world, cmk_key_store_of(world, id).name),
                           cmk_name(world, cmk_key(world, id)->name));
}

static void fill_keys(Filler *filler, const CmkWorld *world)
{
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_KEY_VAULT); i++) {
        const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){i});
        fill_entity(filler, CMK_STORE_ENTITY_KEY_VAULT, i, cmk_name(world, vault->name),
                    CMK_STORE_ENTITY_REGION, vault->region);
    }
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_MANAGED_HSM); i++) {
        const CmkManagedHsm *hsm = cmk_managed_hsm(world, (CmkManagedHsmId){i});
        fill_entity(filler, CMK_STORE_ENTITY_MANAGED_HSM, i, cmk_name(world, hsm->name),
                    CMK_STORE_ENTITY_REGION, hsm->region);
    }
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_KEY); i++) {
        g_autofree char *name = key_name(world, i);
        const CmkKey *key = cmk_key(world, (CmkKeyId){i});
        const bool is_in_hsm = key->managed_hsm != 0;
        fill_entity(filler, CMK_STORE_ENTITY_KEY, i, name,
                    is_in_hsm ? CMK_STORE_ENTITY_MANAGED_HSM : CMK_STORE_ENTITY_KEY_VAULT,
                    is_in_hsm ? key->managed_hsm : key->key_vault);
    }
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_VERSION); i++) {
        const CmkVersion *version = cmk_version(world, (CmkVersionId){i});
        g_autofree char *key = key_name(world, version->key);
        g_autofree char *name = g_strdup_printf("%s/%u", key, version->number);
        fill_entity(filler, CMK_STORE_ENTITY_VERSION, i, name, CMK_STORE_ENTITY_KEY, version->key);
    }
}

/* An identity has one principal after the other, a person the same for good. */
static void fill_principal(Filler *filler, const CmkWorld *world, uint32_t row)
{
    const CmkPrincipal *principal = cmk_principal(world, (CmkPrincipalId){row});
    g_autofree char *text = NULL;
    if (principal->person != 0) {
        const CmkPerson *person = cmk_person(world, (CmkPersonId){principal->person});
        fill_entity(filler, CMK_STORE_ENTITY_PRINCIPAL, row, cmk_name(world, person->name),
                    CMK_STORE_ENTITY_PERSON, principal->person);
    } else if (principal->identity != 0) {
        const CmkIdentity *identity = cmk_identity(world, (CmkIdentityId){principal->identity});
        text = g_strdup_printf("%s (principal %u)", cmk_name(world, identity->name), row);
        fill_entity(filler, CMK_STORE_ENTITY_PRINCIPAL, row, text, CMK_STORE_ENTITY_IDENTITY,
                    principal->identity);
    } else {
        const CmkBackupVault *vault =
            cmk_backup_vault(world, (CmkBackupVaultId){principal->backup_vault});
        text =
            g_strdup_printf("%s system identity (principal %u)", cmk_name(world, vault->name), row);
        fill_entity(filler, CMK_STORE_ENTITY_PRINCIPAL, row, text, CMK_STORE_ENTITY_BACKUP_VAULT,
                    principal->backup_vault);
    }
}

static void fill_principals(Filler *filler, const CmkWorld *world)
{
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_IDENTITY); i++) {
        const CmkIdentity *identity = cmk_identity(world, (CmkIdentityId){i});
        fill_entity(filler, CMK_STORE_ENTITY_IDENTITY, i, cmk_name(world, identity->name),
                    CMK_STORE_ENTITY_REGION, identity->region);
    }
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_PERSON); i++) {
        const CmkPerson *person = cmk_person(world, (CmkPersonId){i});
        fill_entity(filler, CMK_STORE_ENTITY_PERSON, i, cmk_name(world, person->name), 0, 0);
    }
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_NETWORK); i++) {
        const CmkNetwork *network = cmk_network(world, (CmkNetworkId){i});
        fill_entity(filler, CMK_STORE_ENTITY_NETWORK, i, cmk_name(world, network->name), 0, 0);
    }
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_PRINCIPAL); i++) {
        fill_principal(filler, world, i);
    }
}

static void fill_secrets_and_guards(Filler *filler, const CmkWorld *world)
{
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_SECRET); i++) {
        const CmkSecret *secret = cmk_secret(world, (CmkSecretId){i});
        fill_entity(filler, CMK_STORE_ENTITY_SECRET, i, cmk_name(world, secret->name),
                    CMK_STORE_ENTITY_KEY_VAULT, secret->key_vault);
    }
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_RESOURCE_GUARD); i++) {
        const CmkResourceGuard *guard = cmk_resource_guard(world, (CmkResourceGuardId){i});
        fill_entity(filler, CMK_STORE_ENTITY_RESOURCE_GUARD, i, cmk_name(world, guard->name),
                    CMK_STORE_ENTITY_SCOPE, guard->resource_group);
    }
}

/* Those in which everything lies that says nothing else have no names in the scenario. */
static void fill_scopes(Filler *filler, const CmkWorld *world)
{
    static const char *const defaults[CMK_SCOPE__FIRST_DECLARED] = {
        [CMK_SCOPE_DEFAULT_SUBSCRIPTION] = "default subscription",
        [CMK_SCOPE_DEFAULT_RESOURCE_GROUP] = "default resource group"};
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_SCOPE); i++) {
        const CmkScope *scope = cmk_scope(world, (CmkScopeId){i});
        const char *name =
            i < CMK_SCOPE__FIRST_DECLARED ? defaults[i] : cmk_name(world, scope->name);
        fill_entity(filler, CMK_STORE_ENTITY_SCOPE, i, name, CMK_STORE_ENTITY_SCOPE, scope->parent);
    }
}

static void fill_protection(Filler *filler, const CmkWorld *world)
{
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_BACKUP_VAULT); i++) {
        const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){i});
        fill_entity(filler, CMK_STORE_ENTITY_BACKUP_VAULT, i, cmk_name(world, vault->name),
                    CMK_STORE_ENTITY_REGION, vault->region);
    }
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_INSTANCE); i++) {
        const CmkInstance *instance = cmk_instance(world, (CmkInstanceId){i});
        fill_entity(filler, CMK_STORE_ENTITY_INSTANCE, i, cmk_name(world, instance->name),
                    CMK_STORE_ENTITY_BACKUP_VAULT, instance->backup_vault);
    }
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_POLICY); i++) {
        const CmkPolicy *policy = cmk_policy(world, (CmkPolicyId){i});
        fill_entity(filler, CMK_STORE_ENTITY_POLICY, i, cmk_name(world, policy->name), 0, 0);
    }
}

/* A step without an `id` is called after its operation. */
static void fill_steps(Filler *filler, const CmkModel *model, const CmkWorld *world)
{
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_PLAN); i++) {
        const CmkPlanRow *plan = cmk_plan(world, (CmkPlanId){i});
        const char *name =
            plan->name != 0 ? cmk_name(world, plan->name) : model->operations[plan->args.op]->name;
        const uint32_t parent = plan->kind == CMK_PLAN_FAULT_END ? plan->of : plan->remedies;
        fill_entity(filler, CMK_STORE_ENTITY_STEP, i, name, CMK_STORE_ENTITY_STEP, parent);
    }
}

static void fill_entities(Filler *filler, const CmkModel *model, const CmkWorld *world)
{
    uint32_t region_count = 0;
    const CmkRegionFacts *regions = cmk_region_facts(&region_count);
    fill_begin(filler, "entity", 5);
    for (uint32_t i = 1; i < region_count; i++) {
        fill_entity(filler, CMK_STORE_ENTITY_REGION, i, regions[i].name, 0, 0);
    }
    fill_keys(filler, world);
    fill_principals(filler, world);
    fill_secrets_and_guards(filler, world);
    fill_scopes(filler, world);
    fill_protection(filler, world);
    fill_steps(filler, model, world);
}

static void fill_assignments(Filler *filler, const CmkWorld *world)
{
    uint32_t role_count = 0;
    const CmkRoleFacts *roles = cmk_role_facts(&role_count);
    fill_begin(filler, "role_assignment", 8);
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_ASSIGNMENT); i++) {
        const CmkAssignmentId id = {i};
        const CmkAssignment *assignment = cmk_assignment(world, id);
        fill_number(filler, i);
        fill_number(filler, assignment->principal);
        fill_text(filler, roles[assignment->role].name);
        if (assignment->scope != 0) {
            fill_number(filler, CMK_STORE_ENTITY_SCOPE);
            fill_number(filler, assignment->scope);
        } else if (assignment->key != 0) {
            fill_number(filler, CMK_STORE_ENTITY_KEY);
            fill_number(filler, assignment->key);
        } else if (assignment->managed_hsm != 0) {
            fill_number(filler, CMK_STORE_ENTITY_MANAGED_HSM);
            fill_number(filler, assignment->managed_hsm);
        } else {
            fill_number(filler, CMK_STORE_ENTITY_KEY_VAULT);
            fill_number(filler, assignment->key_vault);
        }
        fill_number(filler, cmk_assignment_state(world, id));
        fill_number(filler, cmk_assignment_is_orphaned(world, id));
        fill_number(filler, (int64_t)assignment->changed_by);
        fill_put(filler);
    }
}

/* What the scenario describes is an entity; this says in which vaults it is. */
static void fill_vault_policies(Filler *filler, const CmkWorld *world)
{
    fill_begin(filler, "vault_policy", 3);
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_BACKUP_VAULT); i++) {
        const CmkBackupVaultId vault = {i};
        CmkVaultPolicyId id = cmk_vault_policy_after(world, vault, (CmkVaultPolicyId){0});
        for (; id.i != 0; id = cmk_vault_policy_after(world, vault, id)) {
            fill_number(filler, i);
            fill_number(filler, cmk_vault_policy(world, id)->policy);
            fill_number(filler, (int64_t)cmk_vault_policy(world, id)->changed_by);
            fill_put(filler);
        }
    }
}

static void fill_deleted_vaults(Filler *filler, const CmkWorld *world)
{
    fill_begin(filler, "deleted_vault", 5);
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_BACKUP_VAULT); i++) {
        const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){i});
        if (vault->deleted_from != 0) {
            fill_number(filler, i);
            fill_number(filler, vault->deleted_from);
            fill_number(filler, vault->deleted_at);
            fill_number(filler, vault->deleted_purge_at);
            fill_number(filler, (int64_t)vault->deleted_by);
            fill_put(filler);
        }
    }
}

static void fill_costs(Filler *filler, const CmkStoreResult *result)
{
    fill_begin(filler, "cost_item", 11);
    for (uint32_t i = 0; i < result->cost_item_count; i++) {
        const CmkCostItem *item = &result->cost_items[i];
        fill_number(filler, i + 1);
        fill_text(filler, item->meter);
        fill_reference(filler, item->backup_vault);
        fill_reference(filler, item->key_vault);
        fill_reference(filler, item->managed_hsm);
        fill_number(filler, item->is_overdue);
        fill_number(filler, item->from);
        fill_number(filler, item->to);
        fill_number(filler, item->quantity);
        fill_text(filler, item->unit);
        fill_number(filler, item->nanos);
        fill_put(filler);
    }
}

/* Prices that are not as by default have been given by the user. */
static void fill_prices(Filler *filler, const CmkPriceBook *book)
{
    uint32_t count = 0;
    fill_begin(filler, "price", 7);
    for (uint32_t i = 0; i < book->count; i++) {
        const CmkPriceLine *line = &book->lines[i];
        const CmkPrice *facts = &cmk_price_book(&count)[line->price];
        const CmkPrice *usual =
            cmk_price_built_in((CmkPriceId)line->price, (CmkRegionId){line->region});
        const bool is_usual = usual != NULL && usual->nanos == line->nanos;
        fill_text(filler, facts->id);
        fill_text(filler, cmk_region_facts(&count)[line->region].name);
        fill_number(filler, line->nanos);
        fill_text(filler, facts->unit);
        fill_text(filler, is_usual ? usual->rule : facts->rule);
        fill_text(filler, is_usual ? usual->status : "given");
        fill_text(filler, is_usual ? usual->source : book->name);
        fill_put(filler);
    }
}

static void fill_expectations(Filler *filler, const CmkStoreResult *result)
{
    fill_begin(filler, "expectation_result", 5);
    for (uint32_t i = 0; i < result->expectation_count; i++) {
        const CmkStoreExpectation *expectation = &result->expectations[i];
        fill_number(filler, i + 1);
        fill_text(filler, expectation->text);
        fill_number(filler, expectation->verdict);
        if (expectation->violated_at < 0) {
            fill_null(filler);
        } else {
            fill_number(filler, expectation->violated_at);
        }
        fill_text(filler, expectation->detail);
        fill_put(filler);
    }
}

static void fill_run(Filler *filler, const CmkStoreRun *run, const CmkStoreCounts *counts,
                     const CmkStoreResult *result)
{
    char seed[24];
    (void)g_snprintf(seed, sizeof(seed), "%" G_GUINT64_FORMAT, run->seed);
    fill_begin(filler, "run", 22);
    fill_number(filler, 1);
    fill_text(filler, run->scenario_name);
    fill_text(filler, run->scenario_text);
    fill_text(filler, seed);
    fill_text(filler, run->version);
    fill_text(filler, run->crypto_mode);
    fill_number(filler, run->level);
    fill_number(filler, run->start);
    fill_number(filler, run->horizon);
    fill_number(filler, cmk_world_now(result->world));
    fill_number(filler, result->verdict);
    fill_text(filler, result->reason);
    fill_text(filler, result->digest);
    fill_text(filler, result->crypto_digest);
    fill_number(filler, (int64_t)cmk_world_next_seq(result->world) - 1);
    fill_number(filler, (int64_t)counts->jobs);
    fill_number(filler, (int64_t)counts->failed);
    fill_number(filler, (int64_t)counts->silent);
    fill_number(filler, result->cost.total_nanos);
    fill_number(filler, result->cost.overdue_nanos);
    if (result->has_baseline) {
        fill_number(filler, result->baseline_nanos);
    } else {
        fill_null(filler);
    }
    fill_text(filler, CMK_STORE_CURRENCY);
    fill_put(filler);
}

int cmk_store_fill(sqlite3 *db, const CmkStoreRun *run, const CmkStoreCounts *counts,
                   const CmkStoreResult *result)
{
    Filler filler = {.db = db, .code = SQLITE_OK};
    fill_words(&filler);
    fill_operations(&filler, run->model);
    fill_statuses(&filler, run->model);
    fill_errors(&filler);
    fill_messages(&filler, run->model, result->world);
    fill_entities(&filler, run->model, result->world);
    fill_assignments(&filler, result->world);
    fill_vault_policies(&filler, result->world);
    fill_deleted_vaults(&filler, result->world);
    fill_costs(&filler, result);
    fill_prices(&filler, result->prices);
    fill_expectations(&filler, result);
    fill_run(&filler, run, counts, result);
    (void)sqlite3_finalize(filler.insert);
    return filler.code;
}
