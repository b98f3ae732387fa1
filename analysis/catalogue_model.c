/* Entries for the model's own tables: operations, guards, statuses, errors, knobs, profiles. */
#include <string.h>

#include "analysis/catalogue.h"
#include "faults/catalogue.h"
#include "models/error_map.h"
#include "scenarios/language.h"
#include "sim/calendar.h"

/* ---- words ----------------------------------------------------------------------------------- */

/* What a parameter takes, by CMK_PARAM_*. */
static const char *param_type(uint16_t type)
{
    static const char *const words[] = {
        [CMK_PARAM_BACKUP_VAULT] = "a Backup vault",
        [CMK_PARAM_INSTANCE] = "a backup instance",
        [CMK_PARAM_POINT] = "a recovery point: latest, oldest, latest_STORE, or a moment",
        [CMK_PARAM_KEY_VAULT] = "a key vault",
        [CMK_PARAM_KEY] = "a key: vault/key",
        [CMK_PARAM_KEY_TARGET] = "a key or a version of it: vault/key or vault/key/2",
        [CMK_PARAM_IDENTITY] = "a user-assigned identity",
        [CMK_PARAM_CALLER] =
            "an identity, a Backup vault for its system-assigned one, a user or a group",
        [CMK_PARAM_USER_OR_SYSTEM] = "a user-assigned identity, or system",
        [CMK_PARAM_SCOPE] = "a key vault, a Managed HSM, hsm/keys, a key, or what contains them",
        [CMK_PARAM_CONTAINER] = "a subscription or a management group",
        [CMK_PARAM_SUBSCRIPTION] = "a subscription",
        [CMK_PARAM_RESOURCE_GROUP] = "a resource group",
        [CMK_PARAM_USER] = "a user",
        [CMK_PARAM_GROUP] = "a group",
        [CMK_PARAM_MEMBER] = "a user, an identity or a Backup vault",
        [CMK_PARAM_PERMISSION_MODEL] = "rbac or access_policy",
        [CMK_PARAM_KEY_SOURCE] = "a key: vault/key",
        [CMK_PARAM_MANAGED_HSM] = "a Managed HSM",
        [CMK_PARAM_KEY_STORE] = "a key vault or a Managed HSM",
        [CMK_PARAM_HSM_SOURCE] = "a Managed HSM",
        [CMK_PARAM_SKU] = "standard or premium",
        [CMK_PARAM_ROLE] = "a role",
        [CMK_PARAM_REGION] = "a region",
        [CMK_PARAM_POLICY] = "a backup policy",
        [CMK_PARAM_PERMISSIONS] = "a list of permissions",
        [CMK_PARAM_BOOLEAN] = "true or false",
        [CMK_PARAM_INTEGER] = "a number",
        [CMK_PARAM_INSTANT] = "an instant",
        [CMK_PARAM_EXPIRY] = "an instant, or never",
        [CMK_PARAM_DURATION] = "a length of time",
        [CMK_PARAM_KEY_TYPE] = "a type of key: RSA, RSA-HSM, EC, EC-HSM, oct-HSM",
        [CMK_PARAM_KEY_CURVE] = "a curve: P-256, P-384, ...",
        [CMK_PARAM_KEY_OPS] = "a list of what the key may be used for",
        [CMK_PARAM_VERSION] = "the number of a version",
        [CMK_PARAM_TAG] = "a retention rule: default, daily, weekly, monthly, yearly",
        [CMK_PARAM_REHYDRATION] = "standard or high",
        [CMK_PARAM_PRINCIPAL_TYPE] = "User, Group or ServicePrincipal",
        [CMK_PARAM_SOFT_DELETE] = "on, off or always_on",
        [CMK_PARAM_REDUNDANCY] = "local, zone or geo",
        [CMK_PARAM_DATASOURCE] = "a datasource, by its name in the command line",
        [CMK_PARAM_SIZE] = "a size",
        [CMK_PARAM_SAMPLE] = "the size of a sample",
        [CMK_PARAM_SHARE] = "a share",
        [CMK_PARAM_ENCRYPTION] = "Disabled, Enabled or Inconsistent",
        [CMK_PARAM_IMMUTABILITY] = "Disabled, Unlocked or Locked",
        [CMK_PARAM_CROSS_SUBSCRIPTION] = "Enabled, Disabled or PermanentlyDisabled",
        [CMK_PARAM_SECRET] = "a secret",
        [CMK_PARAM_RESOURCE_GUARD] = "a resource guard",
        [CMK_PARAM_NETWORK] = "a network",
        [CMK_PARAM_NETWORK_OR_SUBSCRIPTION] = "a network or a subscription",
        [CMK_PARAM_PUBLIC_ACCESS] = "enabled, disabled or secured_by_perimeter",
        [CMK_PARAM_DEFAULT_ACTION] = "allow or deny",
        [CMK_PARAM_BYPASS] = "azure_services or none",
    };
    const char *word = type < CMK_ARRAY_LEN(words) ? words[type] : NULL;
    return word != NULL ? word : "a name";
}

char *cmk_catalogue_permissions(CmkPermissions permissions)
{
    /* Access policies grant the first ones; these follow them in the order of CMK_PERMISSION_*. */
    static const char *const others[] = {
        "key-vault-write",    "key-vault-delete",    "key-vault-purge",
        "role-write",         "identity-write",      "identity-assign",
        "backup-vault-write", "backup-vault-delete", "backup-operate",
        "group-write",        "data-role-write",     NULL,
        "secrets/get",        "secrets/set",         "secrets/delete",
        "secrets/recover",    "resource-guard-read", "resource-guard-operate",
        "managed-hsm-write",  "security-domain",     "hsm-backup",
        "hsm-restore",        "read-deleted"};
    const char *const *words = cmk_vocabulary_permissions.words;
    enum {
        GRANTED = 20
    }; /* by access policies */
    _Static_assert(CMK_PERMISSION_RELEASE == 1 << (GRANTED - 1) &&
                       CMK_PERMISSION_SECRET_GET == UINT64_C(1) << (GRANTED + 12) &&
                       CMK_PERMISSION_READ_DELETED == UINT64_C(1)
                                                          << (GRANTED + CMK_ARRAY_LEN(others) - 1),
                   "the words are in the order of the bits");
    GString *text = g_string_new(NULL);
    for (uint32_t i = 0; i < GRANTED + CMK_ARRAY_LEN(others); i++) {
        if ((permissions >> i & 1) != 0) {
            g_string_append_printf(text, "%s%s", text->len == 0 ? "" : " ",
                                   i < GRANTED ? words[i] : others[i - GRANTED]);
        }
    }
    return g_string_free(text, FALSE);
}

/* ---- operations ------------------------------------------------------------------------------ */

static GPtrArray *params_of(const CmkOperation *operation)
{
    GPtrArray *lines = cmk_lines_new();
    for (uint32_t i = 0; i < CMK_PARAMS_MAX && operation->params[i].name != NULL; i++) {
        const CmkParam *param = &operation->params[i];
        g_ptr_array_add(lines, g_strdup_printf("%s: %s%s", param->name, param_type(param->type),
                                               param->is_required != 0 ? ", required" : ""));
    }
    return lines;
}

static bool asks(const CmkOperation *operation, CmkGuardId guard)
{
    for (uint32_t i = 0; i < CMK_GUARDS_MAX && operation->guards[i] != CMK_GUARD_NONE; i++) {
        if (operation->guards[i] == guard) {
            return true;
        }
    }
    return false;
}

static GPtrArray *guards_of(const CmkModel *model, const CmkOperation *operation)
{
    GPtrArray *entries = cmk_entries_new();
    for (uint32_t i = 0; i < CMK_GUARDS_MAX && operation->guards[i] != CMK_GUARD_NONE; i++) {
        const CmkGuard *guard = model->guards[operation->guards[i]];
        CmkEntry *entry = cmk_entry_new("guard", guard->name);
        cmk_entry_add_text(entry, CMK_PROPERTY_DETAIL, "must_hold", guard->text);
        cmk_entry_add_text(entry, CMK_PROPERTY_DETAIL, "status",
                           model->statuses[guard->status].name);
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

static GPtrArray *tables_of(uint64_t bits)
{
    static const char *const names[CMK_TABLE__COUNT] = {
#define X(id, name, type, handle, scratch, text) [CMK_TABLE_##id] = (text),
        CMK_TABLES(X)
#undef X
    };
    GPtrArray *lines = cmk_lines_new();
    for (uint32_t i = 0; i < CMK_TABLE__COUNT; i++) {
        if ((bits >> i & 1) != 0 && names[i] != NULL) {
            g_ptr_array_add(lines, g_strdup(names[i]));
        }
    }
    return lines;
}

static char *faults_of(CmkOpId op)
{
    uint32_t count = 0;
    const CmkFault *faults = cmk_faults(&count);
    GString *names = g_string_new(NULL);
    for (uint32_t i = 0; i < count; i++) {
        if (faults[i].op == op || faults[i].end == op) {
            g_string_append_printf(names, "%s%s", names->len == 0 ? "" : " ", faults[i].name);
        }
    }
    return g_string_free(names, FALSE);
}

GPtrArray *cmk_catalogue_operations(void)
{
    const CmkModel *model = cmk_azure_model();
    GPtrArray *entries = cmk_entries_new();
    for (uint32_t i = 1; i < model->operation_count; i++) {
        const CmkOperation *operation = model->operations[i];
        g_autofree char *permission = cmk_catalogue_permissions(operation->permission);
        g_autofree char *faults = faults_of((CmkOpId)i);
        CmkEntry *entry = cmk_entry_new("operation", operation->name);
        uint32_t found = 0;
        const bool is_step =
            cmk_vocabulary_find(&cmk_vocabulary_operations, operation->name, &found);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "text", operation->text);
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "step", is_step ? "yes" : "no");
        cmk_entry_add_lines(entry, CMK_PROPERTY_PAGE, "parameters", params_of(operation));
        cmk_entry_add_entries(entry, CMK_PROPERTY_PAGE, "guards", guards_of(model, operation));
        cmk_entry_add_words(entry, CMK_PROPERTY_PAGE, "permission", permission);
        cmk_entry_add_text(entry, CMK_PROPERTY_DETAIL, "action", operation->action);
        cmk_entry_add_text(entry, CMK_PROPERTY_DETAIL, "az", operation->az);
        cmk_entry_add_text(entry, CMK_PROPERTY_DETAIL, "audit", operation->audit);
        cmk_entry_add_lines(entry, CMK_PROPERTY_DETAIL, "writes", tables_of(operation->writes));
        cmk_entry_add_words(entry, CMK_PROPERTY_DETAIL, "faults", faults);
        cmk_entry_add_words(entry, CMK_PROPERTY_PAGE, "rules", operation->rules);
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

/* ---- guards ---------------------------------------------------------------------------------- */

static char *askers_of(const CmkModel *model, CmkGuardId guard)
{
    GString *names = g_string_new(NULL);
    for (uint32_t i = 1; i < model->operation_count; i++) {
        if (asks(model->operations[i], guard)) {
            g_string_append_printf(names, "%s%s", names->len == 0 ? "" : " ",
                                   model->operations[i]->name);
        }
    }
    return g_string_free(names, FALSE);
}

/* The operations that make a guard hold. */
static void add_repairs(const CmkModel *model, const CmkGuard *guard, GPtrArray *lines)
{
    for (uint32_t i = 0; i < CMK_REPAIRS_MAX && guard->repairs[i].op != CMK_OP_NONE; i++) {
        const CmkRepair *repair = &guard->repairs[i];
        g_autofree char *line =
            g_strdup_printf("%s (%s)", repair->text, model->operations[repair->op]->name);
        if (!g_ptr_array_find_with_equal_func(lines, line, g_str_equal, NULL)) {
            g_ptr_array_add(lines, g_steal_pointer(&line));
        }
    }
}

/* What to do about a guard that no operation makes hold. */
static const char *advice_of(const CmkGuard *guard)
{
    return guard->repairs[0].op == CMK_OP_NONE ? cmk_status_advice(guard->status) : NULL;
}

GPtrArray *cmk_catalogue_guards(void)
{
    const CmkModel *model = cmk_azure_model();
    GPtrArray *entries = cmk_entries_new();
    for (uint32_t i = 1; i < model->guard_count; i++) {
        const CmkGuard *guard = model->guards[i];
        g_autofree char *askers = askers_of(model, (CmkGuardId)i);
        GPtrArray *repairs = cmk_lines_new();
        add_repairs(model, guard, repairs);
        CmkEntry *entry = cmk_entry_new("guard", guard->name);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "status",
                           model->statuses[guard->status].name);
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "must_hold", guard->text);
        cmk_entry_add_words(entry, CMK_PROPERTY_PAGE, "asked_by", askers);
        cmk_entry_add_lines(entry, CMK_PROPERTY_PAGE, "repairs", repairs);
        cmk_entry_add_text(entry, CMK_PROPERTY_DETAIL, "to_do", advice_of(guard));
        cmk_entry_add_words(entry, CMK_PROPERTY_COLUMN, "rules", guard->rule);
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

/* ---- statuses and error codes ---------------------------------------------------------------- */

static GPtrArray *guards_ending(const CmkModel *model, CmkStatus status)
{
    GPtrArray *names = cmk_lines_new();
    for (uint32_t i = 1; i < model->guard_count; i++) {
        if (model->guards[i]->status == status) {
            g_ptr_array_add(names, g_strdup(model->guards[i]->name));
        }
    }
    return names;
}

GPtrArray *cmk_catalogue_statuses(void)
{
    const CmkModel *model = cmk_azure_model();
    GPtrArray *entries = cmk_entries_new();
    for (uint32_t i = 0; i < model->status_count; i++) {
        const CmkStatusRow *status = &model->statuses[i];
        CmkEntry *entry = cmk_entry_new("status", status->name);
        cmk_entry_add_number(entry, CMK_PROPERTY_COLUMN, "number", status->number);
        g_autofree char *http = status->http == 0 ? NULL : g_strdup_printf("%u", status->http);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "http", http);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "code", status->code);
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "inner_code", status->inner);
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "text", status->text);
        cmk_entry_add_lines(entry, CMK_PROPERTY_DETAIL, "guards",
                            guards_ending(model, (CmkStatus)i));
        cmk_entry_add_words(entry, CMK_PROPERTY_PAGE, "rules", status->rule);
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

/* Where a refused key request leads to a code of the Backup service: a column of the error map. */
typedef struct Context {
    const char *text;
    CmkStatus (*code)(const CmkErrorRow *row);
} Context;

static CmkStatus code_of_settings(const CmkErrorRow *row)
{
    return row->settings;
}

static CmkStatus code_of_job(const CmkErrorRow *row)
{
    return row->job;
}

/* Deleting a Backup vault with a key needs it for these requests, and fails in one way (ERR-7). */
static CmkStatus code_of_deletion(const CmkErrorRow *row)
{
    static const CmkOpId requests[] = {CMK_OP_KEY_GET, CMK_OP_BACKUP_ACCEPT_KEY, CMK_OP_KEY_UNWRAP};
    for (size_t i = 0; i < CMK_ARRAY_LEN(requests); i++) {
        if (asks(cmk_azure_model()->operations[requests[i]], row->guard)) {
            return CMK_STATUS_OF(DELETION_FAILED);
        }
    }
    return CMK_STATUS_OK;
}

/* ERR-8: what the knob pg_generic_error makes of a lack of rights. */
static CmkStatus code_of_postgres(const CmkErrorRow *row)
{
    return row->job == CMK_STATUS_OF(MISSING_PERMISSION) ? CMK_STATUS_OF(GENERIC_DATABASE_ERROR)
                                                         : CMK_STATUS_OK;
}

static const Context contexts[] = {
    {"encryption settings", code_of_settings},
    {"backup and restore jobs", code_of_job},
    {"background work, which nobody sees (tiering, expiry, rotation)", code_of_job},
    {"deletion of the Backup vault", code_of_deletion},
    {"jobs of PostgreSQL, if pg_generic_error says so", code_of_postgres},
};

/* The words of two lists, each once. */
static char *joined(const char *first, const char *second)
{
    g_autofree char *both = g_strdup_printf("%s %s", first, second);
    g_auto(GStrv) words = g_strsplit(both, " ", -1);
    GString *once = g_string_new(NULL);
    for (guint i = 0; words[i] != NULL; i++) {
        guint before = 0;
        while (strcmp(words[before], words[i]) != 0) {
            before++;
        }
        if (before == i && *words[i] != '\0') {
            g_string_append_printf(once, "%s%s", once->len == 0 ? "" : " ", words[i]);
        }
    }
    return g_string_free(once, FALSE);
}

/* One way to come to a code: a guard that does not hold, and what was being done. */
static CmkEntry *way_of(const CmkModel *model, CmkGuardId guard_id, const char *when,
                        const char *rules)
{
    const CmkGuard *guard = model->guards[guard_id];
    g_autofree char *all = joined(rules, guard->rule);
    GPtrArray *repairs = cmk_lines_new();
    add_repairs(model, guard, repairs);
    CmkEntry *way = cmk_entry_new("way", guard->name);
    cmk_entry_add_text(way, CMK_PROPERTY_DETAIL, "must_hold", guard->text);
    cmk_entry_add_text(way, CMK_PROPERTY_DETAIL, "when", when);
    cmk_entry_add_text(way, CMK_PROPERTY_DETAIL, "status", model->statuses[guard->status].name);
    cmk_entry_add_lines(way, CMK_PROPERTY_DETAIL, "repairs", repairs);
    cmk_entry_add_words(way, CMK_PROPERTY_DETAIL, "rules", all);
    return way;
}

/* Refusals that the error map translates into this code, whatever the status behind it. */
static void add_mapped_ways(const CmkModel *model, const char *code, GPtrArray *ways)
{
    uint32_t count = 0;
    const CmkErrorRow *rows = cmk_error_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        g_autoptr(GPtrArray) whens = g_ptr_array_new();
        for (size_t j = 0; j < CMK_ARRAY_LEN(contexts); j++) {
            if (strcmp(model->statuses[contexts[j].code(&rows[i])].code, code) == 0) {
                g_ptr_array_add(whens, (gpointer)(uintptr_t)contexts[j].text);
            }
        }
        if (whens->len > 0) {
            g_ptr_array_add(whens, NULL);
            g_autofree char *when = g_strjoinv("; ", (char **)whens->pdata);
            g_ptr_array_add(ways, way_of(model, rows[i].guard, when, rows[i].rule));
        }
    }
}

/* Refusals that are told as they are. */
static void add_direct_ways(const CmkModel *model, CmkStatus status, GPtrArray *ways)
{
    for (uint32_t i = 1; i < model->guard_count; i++) {
        if (model->guards[i]->status == status) {
            g_autofree char *askers = askers_of(model, (CmkGuardId)i);
            g_auto(GStrv) words = g_strsplit(askers, " ", -1);
            g_autofree char *when = g_strjoinv(", ", words);
            g_ptr_array_add(ways, way_of(model, (CmkGuardId)i, when, model->statuses[status].rule));
        }
    }
}

/* What Backup advises for each meaning of a code, by what it is about; other codes have none. */
static void add_advice(CmkEntry *entry, const CmkModel *model, const char *code)
{
    const CmkErrorFacts *first = NULL;
    GPtrArray *advice = cmk_entries_new();
    for (uint32_t i = 0; i < model->status_count; i++) {
        const CmkErrorFacts *facts = cmk_error_facts((CmkStatus)i);
        if (facts == NULL || strcmp(model->statuses[i].code, code) != 0) {
            continue;
        }
        first = first == NULL ? facts : first;
        CmkEntry *one = cmk_entry_new("advice", facts->target);
        cmk_entry_add_text(one, CMK_PROPERTY_DETAIL, "recommended_action", facts->action);
        g_ptr_array_add(advice, one);
    }
    /* One code has one answer to these two (ERR-24). */
    const char *user_error = first == NULL ? NULL : first->is_user_error ? "yes" : "no";
    const char *retryable = first == NULL ? NULL : first->is_retryable ? "yes" : "no";
    cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "is_user_error", user_error);
    cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "is_retryable", retryable);
    cmk_entry_add_entries(entry, CMK_PROPERTY_DETAIL, "target", advice);
}

/* What mends any of the ways, each once, and likewise what they rest on. */
static GPtrArray *united(const GPtrArray *ways, const char *name)
{
    GPtrArray *lines = cmk_lines_new();
    for (guint i = 0; i < ways->len; i++) {
        const GPtrArray *list = cmk_entry_property(g_ptr_array_index(ways, i), name)->list;
        for (guint j = 0; j < list->len; j++) {
            const char *line = g_ptr_array_index(list, j);
            if (!g_ptr_array_find_with_equal_func(lines, line, g_str_equal, NULL)) {
                g_ptr_array_add(lines, g_strdup(line));
            }
        }
    }
    return lines;
}

/* What mends the ways to a code: the operations, and advice where there is none. */
static GPtrArray *remedies_of(const GPtrArray *ways)
{
    GPtrArray *lines = united(ways, "repairs");
    for (guint i = 0; i < ways->len; i++) {
        const CmkEntry *way = g_ptr_array_index(ways, i);
        const int32_t status = cmk_status_find(cmk_entry_property(way, "status")->text);
        const char *advice = cmk_entry_property(way, "repairs")->list->len > 0
                                 ? NULL
                                 : cmk_status_advice((CmkStatus)status);
        if (advice != NULL && !g_ptr_array_find_with_equal_func(lines, advice, g_str_equal, NULL)) {
            g_ptr_array_add(lines, g_strdup(advice));
        }
    }
    return lines;
}

static bool is_first_of_code(const CmkModel *model, uint32_t status)
{
    for (uint32_t i = 0; i < status; i++) {
        if (strcmp(model->statuses[i].code, model->statuses[status].code) == 0) {
            return false;
        }
    }
    return true;
}

static CmkEntry *error_of(const CmkModel *model, uint32_t first)
{
    const char *code = model->statuses[first].code;
    GPtrArray *ways = cmk_entries_new();
    GPtrArray *others = cmk_lines_new();
    g_autoptr(GString) own = g_string_new(NULL);
    add_mapped_ways(model, code, ways);
    for (uint32_t i = first; i < model->status_count; i++) {
        if (strcmp(model->statuses[i].code, code) == 0) {
            if (i != first) {
                g_ptr_array_add(others, g_strdup(model->statuses[i].text));
            }
            g_string_append_printf(own, "%s ", model->statuses[i].rule);
            add_direct_ways(model, (CmkStatus)i, ways);
        }
    }
    g_autoptr(GPtrArray) rules = united(ways, "rules");
    g_ptr_array_add(rules, NULL);
    g_autofree char *of_ways = g_strjoinv(" ", (char **)rules->pdata);
    g_autofree char *all_rules = joined(own->str, of_ways);
    g_autoptr(CmkEntry) entry = cmk_entry_new("error", code);
    cmk_entry_add_number(entry, CMK_PROPERTY_COLUMN, "ways", ways->len);
    cmk_entry_add_number(entry, CMK_PROPERTY_COLUMN, "meanings", others->len + 1);
    cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "meaning", model->statuses[first].text);
    cmk_entry_add_lines(entry, CMK_PROPERTY_PAGE, "other_meanings", others);
    add_advice(entry, model, code);
    cmk_entry_add_entries(entry, CMK_PROPERTY_PAGE, "causes", ways);
    cmk_entry_add_lines(entry, CMK_PROPERTY_PAGE, "remedies", remedies_of(ways));
    cmk_entry_add_words(entry, CMK_PROPERTY_DETAIL, "rules", all_rules);
    return ways->len > 0 ? g_steal_pointer(&entry) : NULL;
}

GPtrArray *cmk_catalogue_errors(void)
{
    const CmkModel *model = cmk_azure_model();
    GPtrArray *entries = cmk_entries_new();
    for (uint32_t i = CMK_STATUS_FIRST_OF_MODEL; i < model->status_count; i++) {
        CmkEntry *entry = is_first_of_code(model, i) ? error_of(model, i) : NULL;
        if (entry != NULL) {
            g_ptr_array_add(entries, entry);
        }
    }
    return entries;
}

/* ---- knobs and profiles ---------------------------------------------------------------------- */

#define X(name) #name,
static const char *const profiles[] = {CMK_PROFILES(X)};
#undef X
_Static_assert(CMK_ARRAY_LEN(profiles) <= CMK_PROFILES_MAX, "each profile has its values");

char *cmk_knob_text(const CmkKnob *knob, int64_t value)
{
    if (strcmp(knob->type, "duration") == 0) {
        char text[CMK_DURATION_TEXT_SIZE];
        cmk_duration_format(value, text, sizeof(text));
        return g_strdup(text);
    }
    if (strcmp(knob->type, "boolean") == 0) {
        return g_strdup(value != 0 ? "true" : "false");
    }
    return g_strdup_printf("%" G_GINT64_FORMAT, value);
}

GPtrArray *cmk_catalogue_knobs(void)
{
    const CmkModel *model = cmk_azure_model();
    GPtrArray *entries = cmk_entries_new();
    for (uint32_t i = 0; i < model->knob_count; i++) {
        const CmkKnob *knob = &model->knobs[i];
        CmkEntry *entry = cmk_entry_new("knob", knob->name);
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "text", knob->text);
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "type", knob->type);
        for (size_t j = 0; j < CMK_ARRAY_LEN(profiles); j++) {
            g_autofree char *value = cmk_knob_text(knob, knob->values[j]);
            cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, profiles[j], value);
        }
        g_autofree char *min = cmk_knob_text(knob, knob->min);
        g_autofree char *max = cmk_knob_text(knob, knob->max);
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "from", min);
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "to", max);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "provenance", knob->provenance);
        cmk_entry_add_words(entry, CMK_PROPERTY_PAGE, "rules", knob->rule);
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

GPtrArray *cmk_catalogue_profiles(void)
{
    const CmkModel *model = cmk_azure_model();
    GPtrArray *entries = cmk_entries_new();
    for (size_t i = 0; i < CMK_ARRAY_LEN(profiles); i++) {
        GPtrArray *lines = cmk_lines_new();
        for (uint32_t j = 0; j < model->knob_count; j++) {
            const CmkKnob *knob = &model->knobs[j];
            if (i == 0 || knob->values[i] != knob->values[0]) {
                g_autofree char *value = cmk_knob_text(knob, knob->values[i]);
                g_ptr_array_add(lines, g_strdup_printf("%s=%s", knob->name, value));
            }
        }
        g_autofree char *text = i == 0 ? g_strdup("all values; a scenario without a profile has it")
                                       : g_strdup_printf("where it differs from %s", profiles[0]);
        CmkEntry *entry = cmk_entry_new("profile", profiles[i]);
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "text", text);
        cmk_entry_add_number(entry, CMK_PROPERTY_COLUMN, "values", lines->len);
        cmk_entry_add_lines(entry, CMK_PROPERTY_PAGE, "sets", lines);
        g_ptr_array_add(entries, entry);
    }
    return entries;
}
