#include <string.h>

#include <criterion/criterion.h>

#include "analysis/condition.h"
#include "tests/unit/analysis/sample_scenario.h"

/* A condition as it would be written in single quotes. */
static char *in_quotes(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "'", -1);
    g_autofree char *doubled = g_strjoinv("''", parts);
    return g_strdup_printf("- '%s'\n", doubled);
}

typedef struct Read {
    SampleScenario *sample;
    CmkNameIndex *names;
    CmkSets *sets;
    CmkCondition *condition;
} Read;

static Read read_yaml(const char *yaml, CmkExpectationKind kind)
{
    Read read = {.sample = sample_scenario_new(yaml), .sets = cmk_sets_new()};
    read.names = cmk_name_index_new(&read.sample->scenario);
    const CmkConditionContext context = {.scenario = &read.sample->scenario,
                                         .names = read.names,
                                         .sets = read.sets,
                                         .diagnostics = read.sample->diagnostics,
                                         .expectation = kind};
    read.condition = cmk_condition_parse(&context, sample_scenario_text(read.sample, 0));
    return read;
}

static Read read_condition(const char *text, CmkExpectationKind kind)
{
    g_autofree char *yaml = in_quotes(text);
    return read_yaml(yaml, kind);
}

static void clear(Read *read)
{
    cmk_condition_free(read->condition);
    cmk_sets_free(read->sets);
    cmk_name_index_free(read->names);
    sample_scenario_free(read->sample);
}

static const CmkDiagnostic *first_error(const Read *read)
{
    return cmk_diagnostics_kept(read->sample->diagnostics) == 0
               ? NULL
               : cmk_diagnostics_get(read->sample->diagnostics, 0);
}

/* ---- what is right --------------------------------------------------------------------------- */

/* What the operands are in the table below. */
static const struct {
    const char *text;
    int64_t value;
} values_of[] = {
    {"jobs().count", 7},
    {"jobs( ).count", 7},
    {"jobs(status = failed).count", 2},
    {"jobs().share", 30000},
    {"jobs().bytes", INT64_C(1) << 30},
    {"jobs().first", SAMPLE_SCENARIO_START + 3 * CMK_DAY_US},
    {"jobs().last", CMK_VALUE_NONE},
    {"backup_vault.bv-prod.encryption", CMK_ENCRYPTION_ENABLED},
    {"backup_vault.bv-prod.identity", 1},
    {"backup_vault.bv-two.identity", CMK_NAME_SYSTEM},
    {"backup_vault.bv-prod.region", 0}, /* filled in: westeurope */
    {"key.kv-prod/backup-kek.enabled", 1},
    {"key.kv-prod/backup-kek.version", 3},
    {"key_vault.kv-prod.retention", 90 * CMK_DAY_US},
    {"fault.revoke.active", 1},
    {"cost.overdue", INT64_C(1500000000)},
    {"cost.net", INT64_C(-250000000)},
    {"restore_check", CMK_RESTORE_CHECK_LOST},
    {"time_to_recover.revoke", 8 * CMK_HOUR_US},
    {"time_to_recover.detach", CMK_VALUE_NONE},
};

static int64_t value_of(const CmkOperand *operand)
{
    if (operand->kind == CMK_OPERAND_LITERAL)
        return operand->value;
    if (strcmp(operand->text, "backup_vault.bv-prod.region") == 0)
        return cmk_region_find("westeurope").i;
    for (size_t i = 0; i < CMK_ARRAY_LEN(values_of); i++) {
        if (strcmp(values_of[i].text, operand->text) == 0)
            return values_of[i].value;
    }
    cr_assert_fail("no value for %s", operand->text);
    return 0;
}

static void take_values(const CmkCondition *condition, int64_t *values)
{
    for (uint32_t i = 0; i < condition->operand_count; i++)
        values[i] = value_of(&condition->operands[i]);
}

static const struct {
    const char *text;
    bool holds;
} truths[] = {
    {"jobs().count == 7", true},
    {"jobs().count != 7", false},
    {"jobs().count < 7", false},
    {"jobs().count < 8", true},
    {"jobs().count <= 7", true},
    {"jobs().count <= 6", false},
    {"jobs().count > 7", false},
    {"jobs().count > 6", true},
    {"jobs().count >= 7", true},
    {"jobs().count >= 8", false},
    {"jobs().count > -1", true},
    {"jobs().count==7", true},
    {"7 == jobs().count", true},
    {"8 < jobs().count", false},
    {"jobs( ).count > jobs(status = failed).count", true},
    {"jobs().share == 3%", true},
    {"jobs().share > 3 %", false},
    {"jobs().share < 30001 ppm", true},
    {"jobs().bytes == 1 GiB", true},
    {"jobs().bytes < 1 GB", false},
    {"jobs().first == +3d", true},
    {"jobs().first > +2d23h", true},
    {"jobs().first == 2025-03-06T00:00:00Z", true},
    {"jobs().last < +60d", false},
    {"jobs().last > +0d", false},
    {"not jobs().last > +0d", true},
    {"jobs().last != +0d", false},
    {"+0d < jobs().last", false},
    {"+60d > jobs().last", false},
    {"backup_vault.bv-prod.encryption == Enabled", true},
    {"backup_vault.bv-prod.encryption != Enabled", false},
    {"Inconsistent == backup_vault.bv-prod.encryption", false},
    {"backup_vault.bv-prod.encryption == \"Enabled\"", true},
    {"backup_vault.bv-prod.identity == id-backup", true},
    {"backup_vault.bv-prod.identity == none", false},
    {"backup_vault.bv-two.identity == system", true},
    {"backup_vault.bv-prod.identity == backup_vault.bv-two.identity", false},
    {"backup_vault.bv-prod.region == westeurope", true},
    {"backup_vault.bv-prod.region == \"West Europe\"", true},
    {"backup_vault.bv-prod.region == northeurope", false},
    {"key.kv-prod/backup-kek.enabled == true", true},
    {"key.kv-prod/backup-kek.enabled == false", false},
    {"key.kv-prod/backup-kek.version >= 3", true},
    {"key_vault.kv-prod.retention == 90d", true},
    {"key_vault.kv-prod.retention == P90D", true},
    {"key_vault.kv-prod.retention > 12w", true},
    {"fault.revoke.active == true", true},
    {"cost.overdue > 0 USD", true},
    {"cost.overdue == 1.5 USD", true},
    {"cost.net < 0 USD and cost.net >= -0.25 USD", true},
    {"restore_check == lost", true},
    {"restore_check == ok or restore_check == refused", false},
    {"time_to_recover.revoke <= 8h", true},
    {"time_to_recover.revoke < 8h", false},
    {"time_to_recover.detach < 8h", false},
    {"time_to_recover.detach >= 8h", false},
    /* and binds more than or, not more than both */
    {"jobs().count == 7 or jobs().count == 1 and jobs().count == 2", true},
    {"jobs().count == 1 and jobs().count == 2 or jobs().count == 7", true},
    {"(jobs().count == 7 or jobs().count == 1) and jobs().count == 2", false},
    {"jobs().count == 2 and (jobs().count == 1 or jobs().count == 7)", false},
    {"not jobs().count == 2 and jobs().count == 1", false},
    {"not (jobs().count == 2 and jobs().count == 1)", true},
    {"not jobs().count == 7 or jobs().count == 7", true},
    {"not (not (jobs().count == 7))", true},
    {"((((jobs().count == 7))))", true},
    {"jobs().count > 1 and jobs().count > 2 and jobs().count > 3 and jobs().count > 9", false},
    {"jobs().count > 9 or jobs().count > 8 or jobs().count > 6", true},
};

Test(condition, truth)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(truths); i++) {
        Read read = read_condition(truths[i].text, CMK_EXPECT_FINAL);
        int64_t values[2 * CMK_CONDITION_TESTS_MAX];
        cr_assert(read.condition != NULL, "%s: %s", truths[i].text,
                  first_error(&read) == NULL ? "?" : first_error(&read)->message);
        take_values(read.condition, values);
        cr_assert(cmk_condition_holds(read.condition, values) == truths[i].holds, "%s",
                  truths[i].text);
        GString *why = g_string_new(NULL);
        cmk_condition_explain(read.condition, values, truths[i].holds, read.names, why);
        cr_assert(why->len == 0, "%s is as wanted, yet: %s", truths[i].text, why->str);
        cmk_condition_explain(read.condition, values, !truths[i].holds, read.names, why);
        cr_assert(why->len > 0, "%s lacks a reason", truths[i].text);
        g_string_free(why, TRUE);
        clear(&read);
    }
}

/* Filters of all kinds, which have no value without a run: here they only have to be understood. */
static const char *const understood[] = {
    "jobs(operation = backup, datastore = vault, status = failed).count >= 8",
    "jobs(seen = nobody, status = failed, fault = revoke, instance = orders-db).count > 0",
    "jobs(vault = bv-prod,instance=bv-prod/orders-db).last <= +60d",
    "jobs(code = UserErrorCMKKeyVaultAuthFailure).count == 0",
    "jobs(code = MISSING_PERMISSION).count == 0",
    "points(overdue = true, lost = false, tier = archive, vault = bv-two).bytes > 1 TiB",
    "points(restorable = true, instance = 'media').share == 100%",
    "vaults(encryption = Inconsistent, region = westeurope, redundancy = geo).share < 1%",
    "requests(operation = key.unwrap, status = refused, key_vault = kv-prod).first > +1d",
    "requests(code = Forbidden, vault = bv-prod).count == 0",
    "requests(operation = key.unwrap, managed_hsm = hsm-prod).count == 0",
    "managed_hsm.hsm-prod.state == Active",
    "instance.web-disk.points < 5 and instance.bv-prod/web-disk.datasource == AzureDisk",
    "region.westeurope.state == FailedOver and identity.id-backup.state != Absent",
    "backup_vault.bv-prod.overdue_bytes <= 0 B and key.kv-prod/other.purge_at > +1d",
    "cost.vault_tier > 1 USD and cost.key_operations < 0.01 USD",
};

Test(condition, understood)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(understood); i++) {
        Read read = read_condition(understood[i], CMK_EXPECT_FINAL);
        cr_assert(read.condition != NULL, "%s: %s", understood[i],
                  first_error(&read) == NULL ? "?" : first_error(&read)->message);
        clear(&read);
    }
}

/* Each field of each kind can be asked for, is documented, and has a value in the sample world. */
Test(condition, every_field)
{
    static const char *const entities[] = {
        "bv-prod",       "kv-prod",   "hsm-prod",   "kv-prod/backup-kek",
        "kv-prod/login", "id-backup", "westeurope", "orders-db"};
    size_t count = 0;
    const CmkStateKind *kinds = cmk_state_kinds(&count);
    CmkWorld *world = sample_scenario_world();
    cr_assert_eq(count, CMK_ARRAY_LEN(entities));
    const CmkStateKind *versions = cmk_state_kind_of_versions();
    for (size_t j = 0; j < versions->count; j++) {
        g_autofree char *text =
            g_strdup_printf("key.kv-prod/backup-kek/2.%s == key.kv-prod/backup-kek/1.%s",
                            versions->fields[j].name, versions->fields[j].name);
        Read read = read_condition(text, CMK_EXPECT_ALWAYS);
        cr_assert(read.condition != NULL, "%s", text);
        cr_assert_eq(read.condition->operands[0].version, 2);
        cr_assert_eq(read.condition->operands[1].version, 1);
        cr_assert_eq(read.condition->operands[0].field, &versions->fields[j]);
        clear(&read);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < kinds[i].count; j++) {
            const CmkStateField *field = &kinds[i].fields[j];
            g_autofree char *text =
                g_strdup_printf("%s.%s.%s == %s.%s.%s", kinds[i].name, entities[i], field->name,
                                kinds[i].name, entities[i], field->name);
            Read read = read_condition(text, CMK_EXPECT_ALWAYS);
            cr_assert(read.condition != NULL, "%s", text);
            const CmkOperand *operand = &read.condition->operands[0];
            const int64_t value = field->get(world, operand->row);
            GString *words = g_string_new(NULL);
            if (field->type.kind == CMK_VALUE_NAME)
                g_string_append(
                    words, cmk_name_index_text(read.names, field->type.names, (uint32_t)value));
            else
                cmk_value_format(&field->type, value, words);
            cr_assert(words->len > 0 && words->str[0] != '?', "%s", text);
            cr_assert(field->doc[0] != '\0' && field->reads != 0);
            g_string_free(words, TRUE);
            clear(&read);
        }
    }
    cmk_world_free(world);
}

/* HSM-5: Succeeded before its security domain is downloaded and Activated after it; Updating is
 * while a second region is being added. */
Test(condition, stages_of_a_managed_hsm)
{
    static const struct {
        CmkManagedHsmState state;
        bool is_extending;
        const char *stage;
    } cases[] = {
        {CMK_MANAGED_HSM_ABSENT, false, "None"},
        {CMK_MANAGED_HSM_PROVISIONED, false, "Succeeded"},
        {CMK_MANAGED_HSM_ACTIVE, false, "Activated"},
        {CMK_MANAGED_HSM_ACTIVE, true, "Updating"},
        {CMK_MANAGED_HSM_DELETED, false, "Deleting"},
        {CMK_MANAGED_HSM_PURGED, false, "None"},
    };
    CmkWorld *world = sample_scenario_world();
    Read read = read_condition("managed_hsm.hsm-prod.provisioning == Activated", CMK_EXPECT_ALWAYS);
    cr_assert_not_null(read.condition);
    const CmkStateField *field = read.condition->operands[0].field;
    const uint32_t row = read.condition->operands[0].row;
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        CmkManagedHsm *hsm = sample_row(world, CMK_TABLE_MANAGED_HSM, row);
        hsm->state = cases[i].state;
        hsm->second_region = cases[i].is_extending ? cmk_region_find("northeurope").i : 0;
        hsm->second_from = cmk_world_now(world) + (cases[i].is_extending ? 1 : 0);
        GString *words = g_string_new(NULL);
        cmk_value_format(&field->type, field->get(world, row), words);
        cr_expect_str_eq(words->str, cases[i].stage);
        g_string_free(words, TRUE);
    }
    clear(&read);
    cmk_world_free(world);
}

Test(condition, words_are_those_of_the_model)
{
    const CmkSetRow *jobs = &cmk_set_rows()[CMK_SET_JOBS];
    cr_assert_str_eq(jobs->filters[0].name, "operation");
    for (uint32_t kind = 0; kind < CMK_TASK__COUNT; kind++)
        cr_assert_str_eq(jobs->filters[0].type.words[kind],
                         cmk_task_facts((CmkTaskKind)kind)->name);
    const CmkSetRow *requests = &cmk_set_rows()[CMK_SET_REQUESTS];
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_neq(cmk_operation_find(requests->filters[0].type.words[i]), CMK_OP_NONE);
}

/* ---- what is wrong --------------------------------------------------------------------------- */

/* `^` stands before the place that the error names. */
static const struct {
    const char *text;
    const char *message; /* a part of it */
    const char *hint;    /* a part of it, NULL: any */
} mistakes[] = {
    {"^", "the condition ends where something to compare should stand", NULL},
    {"jobs().count^", "the condition ends where a comparison", NULL},
    {"jobs().count ==^", "the condition ends where something to compare", NULL},
    {"jobs().count == 1 and^", "the condition ends where", NULL},
    {"jobs().count == ^1 foo", "cannot be compared with `1 foo`", NULL},
    {"jobs().count > 1 ^) or jobs().count > 2", "there is `)` where `and`, `or` or the end", NULL},
    {"(jobs().count > 1^", "ends where `and`, `or` or `)` should stand", NULL},
    {"backup_vault.bv-prod.encryption == Enabled ^Disabled", "there is `Disabled` where", NULL},
    {"jobs().count ^= 1", "there is `=` where a comparison", "write == to compare"},
    {"jobs().count ^! 1", "there is `!`", NULL},
    {"jobs().count == ^== 1", "there is `==` where something to compare", NULL},
    {"jobs().count == 1 ^== 1", "there is `==` where `and`", NULL},
    {"^and jobs().count == 1", "there is `and`", NULL},
    {"not ^not jobs().count == 1", "there is `not`", NULL},
    {"restore_check == ^'ok", "a quoted text is not closed", NULL},
    {"^backup_valt.bv-prod.encryption == Enabled", "nothing called `backup_valt`", "backup_vault"},
    {"backup_vault.^bv-prdo.encryption == Enabled", "no Backup vault `bv-prdo`", "bv-prod"},
    {"key.kv-prod/backup-kek/1.^enbled == true", "has no field `enbled`", "enabled"},
    {"key.kv-prod/backup-kek/1.^version == 1", "has no field `version`", NULL},
    {"backup_vault.bv-prod.^encrypton == Enabled", "has no field `encrypton`", "encryption"},
    {"^backup_vault.encryption == Enabled", "lacks a field", NULL},
    {"backup_vault.^.encryption == Enabled", "no Backup vault ``", NULL},
    {"backup_vault.^none.encryption == Enabled", "no Backup vault `none`", NULL},
    {"key.^kv-prod/backup-key.enabled == true", "no key `kv-prod/backup-key`",
     "kv-prod/backup-kek"},
    {"region.^westeuropa.state == Up", "no region `westeuropa`", "westeurope"},
    {"backup_vault.bv-prod.encryption == ^enabled", "cannot be compared with `enabled`", "Enabled"},
    {"backup_vault.bv-prod.encryption == ^3", "cannot be compared with `3`", NULL},
    {"backup_vault.bv-prod.identity == ^id-backpu", "no user-assigned identity `id-backpu`",
     "id-backup"},
    {"backup_vault.bv-prod.key == ^system", "no key `system`", NULL},
    {"instance.^twin.state == ProtectionConfigured", "no backup instance `twin`", NULL},
    {"backup_vault.bv-prod.encryption ^> Enabled", "has no order", "use == or !="},
    {"key.kv-prod/backup-kek.enabled ^<= true", "has no order", NULL},
    {"key.kv-prod/backup-kek.enabled == ^yes", "is true or false", NULL},
    {"jobs().count > ^2d", "is a whole number and cannot be compared with `2d`", NULL},
    {"jobs().count == ^Enabled", "is a whole number", NULL},
    {"cost.total > ^5", "is an amount such as 0.50 USD", NULL},
    {"cost.total > ^5 EUR", "is an amount", "in USD"},
    {"jobs().share > ^2", "is a share such as 2%", NULL},
    {"jobs().bytes > ^2", "is a size such as 250 GiB", NULL},
    {"jobs().first > ^soon", "is an instant", NULL},
    {"key_vault.kv-prod.retention == ^P3M", "is a duration", NULL},
    {"jobs().count ^== jobs().share", "they cannot be compared", NULL},
    {"backup_vault.bv-prod.region ^== backup_vault.bv-prod.key", "they cannot be compared", NULL},
    {"backup_vault.bv-prod.encryption ^== key.kv-prod/other.state", "cannot be compared", NULL},
    {"^1 == 1", "neither `1` nor `1`", NULL},
    {"^restore_chek == ok", "neither `restore_chek` nor `ok`", "restore_check"},
    {"^'backup_vault.bv-prod.encryption' == Enabled", "neither", NULL},
    {"^job().count == 1", "no set `job`", "jobs"},
    {"^jobs.count == 1", "in parentheses", "jobs().count"},
    {"jobs()^", "the condition ends where a measure", NULL},
    {"jobs().^cuont == 1", "jobs have no measure `cuont`", "count"},
    {"points().^first > +1d", "points have no measure `first`", "bytes"},
    {"requests().^bytes > 1 B", "requests have no measure `bytes`", NULL},
    {"jobs(^statsu = failed).count == 1", "cannot be filtered by `statsu`", "status"},
    {"points(^status = failed).count == 1", "points cannot be filtered by `status`", NULL},
    {"jobs(status = ^fialed).count == 1", "cannot be compared with `fialed`", "failed"},
    {"jobs(vault = ^bv-three).count == 1", "no Backup vault `bv-three`", NULL},
    {"jobs(fault = ^regrant).count == 1", "no fault with the id `regrant`", "revoke"},
    {"jobs(code = ^UserErrorCMKKeyVaultAuthFailur).count == 1", "no status code",
     "UserErrorCMKKeyVaultAuthFailure"},
    {"jobs(status ^== failed).count == 1", "there is `==` where `=`", "name = value"},
    {"jobs(status = ^).count == 1", "there is `)` where the value", NULL},
    {"jobs(status = failed ^operation = backup).count == 1", "there is `operation` where `,`",
     NULL},
    {"jobs(status = failed, ^).count == 1", "there is `)` where a filter", NULL},
    {"jobs(status = failed^", "the condition ends where `,` or `)`", NULL},
    {"jobs(status = failed, ^status = failed).count == 1", "given twice", NULL},
    {"points(overdue = ^maybe).count == 1", "is true or false", NULL},
    {"cost.^overdu > 0 USD", "no meter `overdu`", "overdue"},
    {"fault.^revok.active == true", "no fault with the id `revok`", "revoke"},
    {"fault.revoke.^state == true", "`fault.ID.active` only", NULL},
    {"time_to_recover.^regrant < 4h", "no fault with the id `regrant`", NULL},
};

static void check_mistake(const char *marked, const char *message, const char *hint,
                          CmkExpectationKind kind)
{
    const char *mark = strchr(marked, '^');
    g_autofree char *text = g_strdup_printf("%.*s%s", (int)(mark - marked), marked, mark + 1);
    Read read = read_condition(text, kind);
    const CmkDiagnostic *error = first_error(&read);
    cr_assert(read.condition == NULL, "%s is taken", text);
    cr_assert(error != NULL, "%s: refused without a word", text);
    /* Quotes within the text take a column more. */
    uint32_t column = 4;
    for (const char *c = marked; c < mark; c++)
        column += *c == '\'' ? 2 : 1;
    cr_assert(error->at.line == 1 && error->at.column == column, "%s: %s at column %u, not %u",
              text, error->message, error->at.column, column);
    if (message[0] != '\0')
        cr_assert(strstr(error->message, message) != NULL, "%s: %s", text, error->message);
    if (hint != NULL)
        cr_assert(error->hint != NULL && strstr(error->hint, hint) != NULL, "%s: %s", text,
                  error->hint);
    clear(&read);
}

Test(condition, mistakes)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(mistakes); i++)
        check_mistake(mistakes[i].text, mistakes[i].message, mistakes[i].hint, CMK_EXPECT_FINAL);
}

/* Right, but not known at the moments that the expectation asks about. */
Test(condition, known_at_the_end_only)
{
    static const char *const texts[] = {"^cost.total > 0 USD", "^restore_check == ok",
                                        "points(^restorable = true).count > 0"};
    static const CmkExpectationKind kinds[] = {CMK_EXPECT_ALWAYS, CMK_EXPECT_NEVER, CMK_EXPECT_AT,
                                               CMK_EXPECT_EVENTUALLY};
    for (size_t i = 0; i < CMK_ARRAY_LEN(texts); i++) {
        for (size_t j = 0; j < CMK_ARRAY_LEN(kinds); j++)
            check_mistake(texts[i], "at the end of the run only", "final", kinds[j]);
    }
    check_mistake("^time_to_recover.revoke < 4h", "cannot hold always", "never", CMK_EXPECT_ALWAYS);
    Read read = read_condition("time_to_recover.revoke < 4h", CMK_EXPECT_NEVER);
    cr_assert(read.condition != NULL);
    clear(&read);
}

/* One that is wrong in several places says so of each. */
Test(condition, several_mistakes)
{
    Read read = read_condition("jobs(statsu = failed, vault = bv-x).count > 1d and "
                               "backup_vault.bv-prod.encryption == enabled or cost.x > 1 USD",
                               CMK_EXPECT_FINAL);
    cr_assert(read.condition == NULL);
    cr_assert_eq(cmk_diagnostics_count(read.sample->diagnostics), 4);
    clear(&read);
}

static char *repeat(const char *before, uint32_t count, const char *middle, const char *after)
{
    GString *text = g_string_new(NULL);
    for (uint32_t i = 0; i < count; i++)
        g_string_append(text, before);
    g_string_append(text, middle);
    for (uint32_t i = 0; i < count; i++)
        g_string_append(text, after);
    return g_string_free(text, FALSE);
}

static bool is_read(const char *text)
{
    Read read = read_condition(text, CMK_EXPECT_FINAL);
    const bool is_right = read.condition != NULL;
    cr_assert(is_right == (first_error(&read) == NULL));
    clear(&read);
    return is_right;
}

Test(condition, limits)
{
    const char *test = "jobs().count > 1";
    g_autofree char *deep = repeat("not (", CMK_CONDITION_DEPTH_MAX, test, ")");
    g_autofree char *too_deep = repeat("(", CMK_CONDITION_DEPTH_MAX + 1, test, ")");
    g_autofree char *abyss = repeat("(", 100000, test, ")");
    g_autofree char *many = repeat("jobs().count > 1 or ", CMK_CONDITION_TESTS_MAX - 1, test, "");
    g_autofree char *too_many = repeat("jobs().count > 1 or ", CMK_CONDITION_TESTS_MAX, test, "");
    g_autofree char *negated = repeat("not (not (not (not (jobs().count > 1)))) and ",
                                      CMK_CONDITION_TESTS_MAX - 1, test, "");
    g_autofree char *worst =
        repeat("jobs().count > 1 or jobs().count > 2 and not (", 31, test, ")");
    cr_assert(is_read(worst));
    cr_assert(is_read(deep));
    cr_assert(!is_read(too_deep));
    cr_assert(!is_read(abyss));
    cr_assert(is_read(many));
    cr_assert(!is_read(too_many));
    cr_assert(!is_read(negated));
}

/* Any text at all is either a condition or an error with a place. */
Test(condition, any_text)
{
    static const char *const pieces[] = {"jobs",
                                         "(",
                                         ")",
                                         ".count",
                                         "status",
                                         "=",
                                         "failed",
                                         ",",
                                         "and",
                                         "or",
                                         "not",
                                         "==",
                                         "<",
                                         ">=",
                                         "!",
                                         "7",
                                         "250 GiB",
                                         "+3d",
                                         "'",
                                         "\\\"",
                                         "restore_check",
                                         "ok",
                                         "jobs().count > 1",
                                         "backup_vault.bv-prod.encryption",
                                         "Enabled",
                                         ".",
                                         "fault.",
                                         "cost.x",
                                         "key..",
                                         "-",
                                         "\xC3\xA9",
                                         "points(lost = true).share",
                                         "2%",
                                         "time_to_recover.",
                                         "none",
                                         "region.none.state"};
    GRand *chance = g_rand_new_with_seed(7);
    for (uint32_t i = 0; i < 20000; i++) {
        GString *yaml = g_string_new("- \"");
        const gint count = g_rand_int_range(chance, 0, 12);
        for (gint j = 0; j < count; j++)
            g_string_append_printf(
                yaml, "%s%s", pieces[g_rand_int_range(chance, 0, (gint32)CMK_ARRAY_LEN(pieces))],
                g_rand_boolean(chance) ? " " : "");
        g_string_append(yaml, "\"\n");
        Read read = read_yaml(yaml->str, CMK_EXPECT_FINAL);
        const CmkDiagnostic *error = first_error(&read);
        cr_assert((read.condition == NULL) == (error != NULL), "%s", yaml->str);
        if (error != NULL)
            cr_assert(error->at.line == 1 && error->at.column >= 4 && error->at.column <= yaml->len,
                      "%s: %s at %u:%u", yaml->str, error->message, error->at.line,
                      error->at.column);
        clear(&read);
        g_string_free(yaml, TRUE);
    }
    g_rand_free(chance);
}

/* ---- places ---------------------------------------------------------------------------------- */

/* However the text is written, the place is that of `foo`, which no vault is called. */
static const struct {
    const char *yaml;
    uint32_t line;
    uint32_t column;
} places[] = {
    {"- backup_vault.foo.state == Active\n", 1, 16},
    {"- 'backup_vault.foo.state == Active'\n", 1, 17},
    {"- \"backup_vault.foo.state == Active\"\n", 1, 17},
    {"- restore_check == 'ok' or backup_vault.foo.state == Active\n", 1, 41},
    {"- 'restore_check == ''ok'' or backup_vault.foo.state == Active'\n", 1, 44},
    {"- \"restore_check == \\\"ok\\\" or backup_vault.foo.state == Active\"\n", 1, 44},
    {"- \"restore_check\\x20==\\u0020ok\\tor backup_vault.foo.state == Active\"\n", 1, 49},
    {"- restore_check == ok or\n    backup_vault.foo.state == Active\n", 2, 18},
    {"- restore_check == ok or   \n\n    backup_vault.foo.state == Active\n", 3, 18},
    {"- \"restore_check == ok or\n    backup_vault.foo.state == Active\"\n", 2, 18},
    {"- 'restore_check == ok or\n    backup_vault.foo.state == Active'\n", 2, 18},
    {"- \"restore_check == ok \\\n    or backup_vault.foo.state == Active\"\n", 2, 21},
    {"- >\n  restore_check == ok or\n  backup_vault.foo.state == Active\n", 3, 16},
    {"- |\n  restore_check == ok or\n  backup_vault.foo.state == Active\n", 3, 16},
    {"- >-\n\n  backup_vault.foo.state == Active\n", 3, 16},
    {"# caf\xC3\xA9\n- 'restore_check == ok or backup_vault.foo.state == \"caf\xC3\xA9\"'\n", 2,
     40},
    {"- 'backup_vault.bv-prod.identity == \"caf\xC3\xA9\" or backup_vault.foo.state == Active'\n",
     1, 60},
};

Test(condition, places)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(places); i++) {
        Read read = read_yaml(places[i].yaml, CMK_EXPECT_FINAL);
        bool is_found = false;
        cr_assert(read.condition == NULL, "%s", places[i].yaml);
        for (size_t j = 0; j < cmk_diagnostics_kept(read.sample->diagnostics); j++) {
            const CmkDiagnostic *error = cmk_diagnostics_get(read.sample->diagnostics, j);
            if (strstr(error->message, "`foo`") == NULL)
                continue;
            is_found = true;
            cr_assert(error->at.line == places[i].line && error->at.column == places[i].column,
                      "%s: %u:%u", places[i].yaml, error->at.line, error->at.column);
        }
        cr_assert(is_found, "%s: %s", places[i].yaml,
                  first_error(&read) == NULL ? "?" : first_error(&read)->message);
        clear(&read);
    }
}

/* ---- reasons --------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    bool wanted;
    const char *why;
} reasons[] = {
    {"jobs().count >= 8", true, "jobs().count was 7, needed >= 8"},
    {"jobs().count > 6", false, "jobs().count was 7, needed <= 6"},
    {"8 <= jobs().count", true, "jobs().count was 7, needed >= 8"},
    {"jobs( ).count>jobs(status   = failed).count", false,
     "jobs( ).count was 7, jobs(status = failed).count was 2, needed jobs( ).count <= "
     "jobs(status = failed).count"},
    {"jobs().count == 7 and jobs().share < 2% and restore_check == ok", true,
     "jobs().share was 3%, needed < 2%; restore_check was lost, needed == ok"},
    {"jobs().count == 1 or jobs().count == 2", true,
     "jobs().count was 7, needed == 1; jobs().count was 7, needed == 2"},
    {"not (jobs().count == 7 or jobs().count == 2)", true, "jobs().count was 7, needed != 7"},
    {"backup_vault.bv-prod.encryption == Inconsistent", true,
     "backup_vault.bv-prod.encryption was Enabled, needed == Inconsistent"},
    {"backup_vault.bv-two.identity == id-backup", true,
     "backup_vault.bv-two.identity was system, needed == id-backup"},
    {"backup_vault.bv-prod.region == northeurope", true,
     "backup_vault.bv-prod.region was westeurope, needed == northeurope"},
    {"jobs().last > +3d", true, "jobs().last was nothing, needed > +3d"},
    {"jobs().first < 2025-03-05T00:00:00Z", true,
     "jobs().first was 2025-03-06T00:00:00Z, needed < 2025-03-05T00:00:00Z"},
    {"time_to_recover.revoke < 4h", true, "time_to_recover.revoke was 8 h, needed < 4h"},
    {"cost.net > 1 USD", true, "cost.net was -0.25 USD, needed > 1 USD"},
    {"jobs().bytes > 2 GiB", true, "jobs().bytes was 1 GiB, needed > 2 GiB"},
    {"fault.revoke.active == false", true, "fault.revoke.active was true, needed == false"},
};

Test(condition, reasons)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(reasons); i++) {
        Read read = read_condition(reasons[i].text, CMK_EXPECT_FINAL);
        int64_t values[2 * CMK_CONDITION_TESTS_MAX];
        GString *why = g_string_new(NULL);
        cr_assert(read.condition != NULL, "%s", reasons[i].text);
        take_values(read.condition, values);
        cmk_condition_explain(read.condition, values, reasons[i].wanted, read.names, why);
        cr_assert_str_eq(why->str, reasons[i].why);
        g_string_free(why, TRUE);
        clear(&read);
    }
}

Test(condition, values_in_words)
{
    static const struct {
        CmkValueKind kind;
        int64_t value;
        const char *text;
    } rows[] = {
        {CMK_VALUE_SHARE, 1000000, "100%"},
        {CMK_VALUE_SHARE, 1, "0.0001%"},
        {CMK_VALUE_SHARE, 25000, "2.5%"},
        {CMK_VALUE_MONEY, 0, "0.00 USD"},
        {CMK_VALUE_MONEY, -1, "-0.000000001 USD"},
        {CMK_VALUE_MONEY, 12340000000, "12.34 USD"},
        {CMK_VALUE_SIZE, 0, "0 B"},
        {CMK_VALUE_SIZE, 1023, "1023 B"},
        {CMK_VALUE_SIZE, 1536, "1.5 KiB"},
        {CMK_VALUE_SIZE, INT64_C(250) << 30, "250 GiB"},
        {CMK_VALUE_SIZE, INT64_MAX, "7.999 EiB"},
        {CMK_VALUE_INTEGER, -5, "-5"},
        {CMK_VALUE_BOOLEAN, 0, "false"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(rows); i++) {
        const CmkType type = {.kind = rows[i].kind};
        GString *text = g_string_new(NULL);
        cmk_value_format(&type, rows[i].value, text);
        cr_assert_str_eq(text->str, rows[i].text);
        g_string_truncate(text, 0);
        cmk_offset_format(1 + 90 * CMK_MINUTE_US + 23 * CMK_DAY_US, 1, text);
        cr_assert_str_eq(text->str, "+23d1h30m");
        g_string_free(text, TRUE);
    }
}
