/* Runs the tables of this directory (README.md says how they are written) against the model, and
 * against copies of it that are broken in one place each. Started in the root of the sources. */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/models/estate.h"

#define ROWS_MAX 512
#define LINE_MAX_BYTES 512
#define COLUMNS 6

typedef struct Row {
    char file[32];
    uint32_t line;
    char text[LINE_MAX_BYTES]; /* cut into the columns below */
    char *column[COLUMNS];     /* operation, arguments, world, guard, status; rules, NULL if none */
    CmkOpId op;
    CmkGuardId guard;
    CmkStatus status;
    /* The question, once its world is built. */
    Estate *estate;
    CmkArgs args;
} Row;

typedef struct Table {
    Row rows[ROWS_MAX];
    uint32_t count;
} Table;

/* ---- words ----------------------------------------------------------------------------------- */

static const char *const ref_names[CMK_REFS] = {[CMK_REF_BACKUP_VAULT] = "vault",
                                                [CMK_REF_INSTANCE] = "instance",
                                                [CMK_REF_QUEUE] = "queue",
                                                [CMK_REF_POINT] = "point",
                                                [CMK_REF_TASK] = "task",
                                                [CMK_REF_KEY_VAULT] = "kv",
                                                [CMK_REF_KEY] = "key",
                                                [CMK_REF_VERSION] = "version",
                                                [CMK_REF_IDENTITY] = "identity",
                                                [CMK_REF_PRINCIPAL] = "principal",
                                                [CMK_REF_REGION] = "region",
                                                [CMK_REF_POLICY] = "policy",
                                                [CMK_REF_SCOPE] = "scope",
                                                [CMK_REF_GRANTEE] = "grantee",
                                                [CMK_REF_GROUP] = "group",
                                                [CMK_REF_ACTOR] = "actor"};

static const struct {
    uint32_t slot;
    uint32_t value;
    const char *name;
} values[] = {
    {CMK_REF_BACKUP_VAULT, ESTATE_ABSENT_VAULT, "absent"},
    {CMK_REF_INSTANCE, ESTATE_IDLE_INSTANCE, "idle"},
    {CMK_REF_INSTANCE, ESTATE_HOMELESS_INSTANCE, "homeless"},
    {CMK_REF_KEY_VAULT, ESTATE_SPARE_KV, "spare"},
    {CMK_REF_KEY_VAULT, ESTATE_ABSENT_KV, "absent"},
    {CMK_REF_KEY, ESTATE_KEY, "key"},
    {CMK_REF_KEY, ESTATE_OTHER_KEY, "other"},
    {CMK_REF_KEY, ESTATE_SPARE_KEY, "spare"},
    {CMK_REF_KEY, ESTATE_ABSENT_KEY, "absent"},
    {CMK_REF_IDENTITY, ESTATE_OTHER_IDENTITY, "other"},
    {CMK_REF_IDENTITY, ESTATE_LOOSE_IDENTITY, "loose"},
    {CMK_REF_IDENTITY, ESTATE_ABSENT_IDENTITY, "absent"},
};

/* How the estate is built. */
static bool set_option(EstateOptions *options, const char *word)
{
    const struct {
        const char *name;
        bool *is_set;
    } words[] = {
        {"policies", &options->uses_policies},
        {"system", &options->uses_system},
        {"no-cmk", &options->has_no_cmk},
        {"pinned", &options->is_pinned},
        {"not-opened", &options->is_not_opened},
        {"snapshots", &options->has_operational},
        {"no-purge-protection", &options->has_no_purge_protection},
        {"no-spare-soft-delete", &options->spare_has_no_soft_delete},
        {"no-spare-purge-protection", &options->spare_has_no_purge_protection},
    };
    const struct {
        const char *name;
        CmkKnobId knob;
    } knobs[] = {{"same-region", CMK_KNOB_REQUIRE_SAME_REGION},
                 {"disabled-wraps", CMK_KNOB_DISABLED_ALLOWS_PUBLIC_OPS},
                 {"expired-restores", CMK_KNOB_EXPIRED_KEY_RESTORE},
                 {"replaceable", CMK_KNOB_LOST_KEY_CAN_BE_REPLACED}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(words); i++) {
        if (strcmp(words[i].name, word) == 0) {
            return *words[i].is_set = true;
        }
    }
    for (size_t i = 0; i < CMK_ARRAY_LEN(knobs); i++) {
        if (strcmp(knobs[i].name, word) == 0) {
            options->knobs[knobs[i].knob] = 2; /* true */
            return true;
        }
    }
    if (strcmp(word, "deletes-without-key") == 0) {
        options->knobs[CMK_KNOB_EMPTY_VAULT_DELETION_NEEDS_KEY] = 1; /* false */
    } else if (strcmp(word, "premium") == 0) {
        options->sku = CMK_SKU_PREMIUM;
    } else if (strcmp(word, "ec") == 0) {
        options->spare_key_type = CMK_KEY_EC;
    } else if (cmk_profile_find(word) >= 0) {
        options->profile = cmk_profile_find(word);
    } else {
        return false;
    }
    return true;
}

/* "+2h", "-1d", "+20s": microseconds. */
static bool parse_duration(const char *text, int64_t *ret_us)
{
    char *end = NULL;
    const int64_t count = strtoll(text, &end, 10);
    const int64_t unit = *end == 's'   ? CMK_SECOND_US
                         : *end == 'm' ? CMK_MINUTE_US
                         : *end == 'h' ? CMK_HOUR_US
                         : *end == 'd' ? CMK_DAY_US
                                       : 0;
    *ret_us = count * unit;
    return unit != 0 && end[1] == '\0' && (text[0] == '+' || text[0] == '-');
}

static bool parse_value(uint32_t slot, const char *text, int64_t *ret)
{
    char *end = NULL;
    *ret = strtoll(text, &end, 10);
    if (*end == '\0' && end != text) {
        return true;
    }
    if (parse_duration(text, ret)) {
        *ret += ESTATE_START;
        return true;
    }
    for (size_t i = 0; i < CMK_ARRAY_LEN(values); i++) {
        if (values[i].slot == slot && strcmp(values[i].name, text) == 0) {
            *ret = values[i].value;
            return true;
        }
    }
    *ret = strcmp(text, "reader") == 0    ? cmk_role_find("Key Vault Reader")
           : strcmp(text, "secrets") == 0 ? cmk_role_find("Key Vault Secrets User")
           : slot == CMK_REF_REGION       ? cmk_region_find(text).i
                                          : 0;
    return *ret != 0 || strcmp(text, "none") == 0;
}

/* "name=value,name=value" or "-" over the estate's usual arguments. */
static bool parse_args(const Estate *estate, CmkOpId op, const char *text, CmkArgs *ret)
{
    char buf[LINE_MAX_BYTES];
    *ret = estate_args(estate, op);
    (void)snprintf(buf, sizeof(buf), "%s", text);
    char *rest = NULL;
    for (char *word = strtok_r(buf, ",", &rest); word != NULL && strcmp(buf, "-") != 0;
         word = strtok_r(NULL, ",", &rest)) {
        char *equals = strchr(word, '=');
        uint32_t slot = 0;
        int64_t value = 0;
        if (equals == NULL) {
            return false;
        }
        *equals = '\0';
        while (slot < CMK_REFS && strcmp(ref_names[slot], word) != 0) {
            slot++;
        }
        if (!parse_value(slot, equals + 1, &value)) {
            return false;
        }
        if (slot < CMK_REFS) {
            ret->ref[slot] = (uint32_t)value;
        } else if (word[0] == 'n' && word[1] >= '0' && word[1] < '0' + CMK_NUMS) {
            ret->num[word[1] - '0'] = value;
        } else {
            return false;
        }
    }
    return true;
}

/* ---- building one world ---------------------------------------------------------------------- */

/* What the key in use permits, which no operation changes. */
static void take_from_key_ops(Estate *estate, uint32_t permission)
{
    CmkVersion *version = cmk_world_row_mut(estate->sim.world, CMK_TABLE_VERSION,
                                            estate_vault(estate)->active_version);
    version->key_ops &= ~permission;
}

/* The subscription has moved to another tenant: the identity is there, its principal is not. */
static void end_principal(Estate *estate)
{
    const uint32_t row =
        cmk_identity(estate->sim.world, (CmkIdentityId){ESTATE_IDENTITY})->principal;
    CmkPrincipal *principal = cmk_world_row_mut(estate->sim.world, CMK_TABLE_PRINCIPAL, row);
    principal->is_alive = 0;
}

/* "+2h", "key.delete" or "key.update(n0=1)". */
static bool take_step(Estate *estate, const char *word)
{
    int64_t duration_us = 0;
    if (strcmp(word, "no-wrap-op") == 0 || strcmp(word, "no-unwrap-op") == 0) {
        take_from_key_ops(estate, word[3] == 'w' ? CMK_PERMISSION_WRAP : CMK_PERMISSION_UNWRAP);
        return true;
    }
    if (strcmp(word, "old-tenant") == 0) {
        end_principal(estate);
        return true;
    }
    if (parse_duration(word, &duration_us)) {
        estate_run(estate, duration_us);
        return true;
    }
    char buf[LINE_MAX_BYTES];
    (void)snprintf(buf, sizeof(buf), "%s", word);
    char *open = strchr(buf, '(');
    if (open != NULL) {
        *open = '\0';
        open[strcspn(open + 1, ")") + 1] = '\0';
    }
    CmkArgs args;
    const CmkOpId op = cmk_operation_find(buf);
    if (op == CMK_OP_NONE || !parse_args(estate, op, open != NULL ? open + 1 : "-", &args)) {
        return false;
    }
    (void)estate_must_apply(estate, args);
    return true;
}

/* NULL when the world and the question are there, else what is wrong. */
static const char *build(Row *row, const CmkModel *model)
{
    EstateOptions options = {.model = model};
    char buf[LINE_MAX_BYTES];
    char *rest = NULL;
    (void)snprintf(buf, sizeof(buf), "%s", row->column[2]);
    char *word = strcmp(buf, "-") == 0 ? NULL : strtok_r(buf, " ", &rest);
    while (word != NULL && set_option(&options, word)) {
        word = strtok_r(NULL, " ", &rest);
    }
    if (options.has_operational) {
        options.datasource = "AzureKubernetesService";
    }
    options.is_not_self_checking = model != cmk_azure_model();
    row->estate = estate_new(&options);
    for (; word != NULL && row->estate->trouble[0] == '\0'; word = strtok_r(NULL, " ", &rest)) {
        if (!take_step(row->estate, word)) {
            return "the world has a word that means nothing";
        }
    }
    if (row->estate->trouble[0] != '\0') {
        return row->estate->trouble;
    }
    return parse_args(row->estate, row->op, row->column[1], &row->args)
               ? NULL
               : "an argument means nothing";
}

static bool is_as_expected(const Row *row, const CmkModel *model)
{
    const CmkSim sim = {.model = model, .world = row->estate->sim.world};
    const CmkOutcome outcome = cmk_would_apply(&sim, &row->args);
    return outcome.guard == row->guard && outcome.status == row->status;
}

/* ---- reading the files ----------------------------------------------------------------------- */

static char *trimmed(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\n", text[length - 1]) != NULL) {
        text[--length] = '\0';
    }
    return text;
}

static CmkGuardId find_guard(const char *name)
{
    const CmkModel *model = cmk_azure_model();
    for (uint32_t i = 1; i < model->guard_count; i++) {
        if (strcmp(model->guards[i]->name, name) == 0) {
            return (CmkGuardId)i;
        }
    }
    return CMK_GUARD_NONE;
}

/* Cuts a line into `min` to `max` columns, the rest NULL; false for comments and empty lines. */
static bool cut(char *text, char *columns[], uint32_t min, uint32_t max, const char *file,
                uint32_t line)
{
    text = trimmed(text);
    if (text[0] == '\0' || text[0] == '#') {
        return false;
    }
    uint32_t count = 0;
    memset(columns, 0, max * sizeof(columns[0]));
    for (char *bar = text; bar != NULL && count < max; count++) {
        bar = strchr(text, '|');
        if (bar != NULL) {
            *bar = '\0';
        }
        columns[count] = trimmed(text);
        cr_assert(bar == NULL || count + 1 < max, "%s:%u: too many columns", file, line);
        text = bar + 1;
    }
    cr_assert_geq(count, min, "%s:%u: %u columns are wanted", file, line, min);
    return true;
}

static FILE *open_table(const char *file)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "tests/tables/%s", file);
    FILE *stream = fopen(path, "r");
    cr_assert_not_null(stream, "%s: start me in the root of the sources", path);
    return stream;
}

static void read_table(Table *table, const char *file)
{
    FILE *stream = open_table(file);
    for (uint32_t line = 1; table->count < ROWS_MAX; line++) {
        Row *row = &table->rows[table->count];
        if (fgets(row->text, sizeof(row->text), stream) == NULL) {
            break;
        }
        if (!cut(row->text, row->column, COLUMNS - 1, COLUMNS, file, line)) {
            continue;
        }
        (void)snprintf(row->file, sizeof(row->file), "%s", file);
        row->line = line;
        row->op = cmk_operation_find(row->column[0]);
        row->guard = find_guard(row->column[3]);
        const int32_t status = cmk_status_find(row->column[4]);
        cr_assert(row->op != CMK_OP_NONE && status >= 0 &&
                      (row->guard != CMK_GUARD_NONE || strcmp(row->column[3], "ok") == 0),
                  "%s:%u: no such operation, guard or status", file, line);
        row->status = (CmkStatus)status;
        table->count++;
    }
    cr_assert_lt(table->count, ROWS_MAX, "too many rows");
    (void)fclose(stream);
}

static Table *read_all(void)
{
    static const char *const files[] = {"request.tbl", "key.tbl", "access.tbl", "vault.tbl",
                                        "protection.tbl"};
    Table *table = calloc(1, sizeof(*table));
    cr_assert_not_null(table);
    for (size_t i = 0; i < CMK_ARRAY_LEN(files); i++) {
        read_table(table, files[i]);
    }
    return table;
}

static void free_worlds(Table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        estate_free(table->rows[i].estate);
        table->rows[i].estate = NULL;
    }
}

static void build_all(Table *table, const CmkModel *model)
{
    uint32_t failed = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        Row *row = &table->rows[i];
        const char *trouble = build(row, model);
        failed += trouble != NULL;
        cr_expect_null(trouble, "%s:%u: %s: %s", row->file, row->line, row->column[0], trouble);
    }
    cr_assert_eq(failed, 0);
}

/* ---- the tables against the model ------------------------------------------------------------ */

Test(tables, each_row_ends_as_it_says)
{
    Table *table = read_all();
    build_all(table, cmk_azure_model());
    for (uint32_t i = 0; i < table->count; i++) {
        Row *row = &table->rows[i];
        const CmkOutcome outcome = estate_apply(row->estate, &row->args);
        cr_expect(outcome.guard == row->guard && outcome.status == row->status,
                  "%s:%u: %s | %s | %s: %s %s instead of %s %s", row->file, row->line,
                  row->column[0], row->column[1], row->column[2],
                  estate_guard_name(row->estate, outcome.guard),
                  estate_status_name(row->estate, outcome.status), row->column[3], row->column[4]);
    }
    free_worlds(table);
    free(table);
}

static uint32_t guards_of(const CmkOperation *operation)
{
    uint32_t count = 0;
    while (operation->guards[count] != CMK_GUARD_NONE) {
        count++;
    }
    return count;
}

/* Each pair has a row or a reason, and no reason stands where there is a row. */
Test(tables, each_pair_of_operation_and_guard_has_its_row)
{
    const CmkModel *model = cmk_azure_model();
    Table *table = read_all();
    static bool has_row[CMK_OP__COUNT][CMK_GUARD__COUNT];
    static bool is_excused[CMK_OP__COUNT][CMK_GUARD__COUNT];
    for (uint32_t i = 0; i < table->count; i++) {
        has_row[table->rows[i].op][table->rows[i].guard] = true;
    }
    char text[LINE_MAX_BYTES];
    char *column[3];
    FILE *stream = open_table("unreachable.tbl");
    for (uint32_t line = 1; fgets(text, sizeof(text), stream) != NULL; line++) {
        if (cut(text, column, 3, 3, "unreachable.tbl", line)) {
            const CmkOpId op = cmk_operation_find(column[0]);
            const CmkGuardId guard = find_guard(column[1]);
            cr_assert(op != CMK_OP_NONE && guard != CMK_GUARD_NONE && column[2][0] != '\0',
                      "unreachable.tbl:%u", line);
            is_excused[op][guard] = true;
        }
    }
    (void)fclose(stream);
    uint32_t pairs = 0;
    for (uint32_t op = 1; op < model->operation_count; op++) {
        const CmkOperation *operation = model->operations[op];
        cr_expect(has_row[op][CMK_GUARD_NONE], "%s has no row that ends well", operation->name);
        for (uint32_t i = 0; i < guards_of(operation); i++, pairs++) {
            const CmkGuardId guard = operation->guards[i];
            cr_expect(has_row[op][guard] != is_excused[op][guard],
                      "%s, %s: no row and no reason, or both", operation->name,
                      model->guards[guard]->name);
        }
    }
    cr_expect_geq(pairs, 100, "%u pairs", pairs);
    free(table);
}

/* ---- broken models --------------------------------------------------------------------------- */

typedef struct Mutant {
    CmkModel model;
    const CmkOperation *operations[CMK_OP__COUNT];
    const CmkGuard *guards[CMK_GUARD__COUNT];
    CmkOperation operation;
    CmkGuard guard;
} Mutant;

static void mutant_init(Mutant *mutant)
{
    mutant->model = *cmk_azure_model();
    memcpy(mutant->operations, mutant->model.operations, sizeof(mutant->operations));
    memcpy(mutant->guards, mutant->model.guards, sizeof(mutant->guards));
    mutant->model.operations = mutant->operations;
    mutant->model.guards = mutant->guards;
}

static void mutant_change_operation(Mutant *mutant, CmkOpId op)
{
    mutant_init(mutant);
    mutant->operation = *mutant->operations[op];
    mutant->operations[op] = &mutant->operation;
}

static bool holds_always(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)args;
    (void)ret_blame;
    return true;
}

static uint32_t does_nothing(CmkSim *sim, const CmkArgs *args)
{
    (void)sim;
    (void)args;
    return 0;
}

/* Guards only: the worlds are those of the model, so asking is enough. */
static bool is_noticed(const Table *table, const Mutant *mutant)
{
    for (uint32_t i = 0; i < table->count; i++) {
        if (!is_as_expected(&table->rows[i], &mutant->model)) {
            return true;
        }
    }
    return false;
}

/* Effects: each world is built by the broken model, in a process of its own, which may die of it.
 */
static bool is_noticed_when_built(Table *table, const Mutant *mutant)
{
    (void)fflush(NULL);
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        int is_seen = 0;
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(2);
        }
        for (uint32_t i = 0; i < table->count && is_seen == 0; i++) {
            table->rows[i].estate = NULL;
            is_seen = build(&table->rows[i], &mutant->model) != NULL ||
                      !is_as_expected(&table->rows[i], &mutant->model);
        }
        _exit(is_seen);
    }
    int status = 0;
    (void)waitpid(child, &status, 0);
    cr_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 2, "/dev/null does not open");
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* What nobody notices, as survivors.tbl writes it: "swap | key.get | a b". */
typedef struct Survivors {
    char text[128][128];
    bool is_excused[128];
    uint32_t count;
    uint32_t tried;
} Survivors;

static void judge(Survivors *survivors, bool is_seen, const char *change, const char *operation,
                  const char *guards)
{
    survivors->tried++;
    if (!is_seen) {
        cr_assert_lt(survivors->count, CMK_ARRAY_LEN(survivors->text), "too many survivors");
        (void)snprintf(survivors->text[survivors->count], sizeof(survivors->text[0]),
                       "%s | %s | %s", change, operation, guards);
        survivors->count++;
    }
}

static void try_guards(const Table *table, Survivors *survivors)
{
    const CmkModel *model = cmk_azure_model();
    for (uint32_t i = 1; i < model->guard_count; i++) {
        Mutant mutant;
        mutant_init(&mutant);
        mutant.guard = *model->guards[i];
        mutant.guard.holds = holds_always;
        mutant.guards[i] = &mutant.guard;
        judge(survivors, is_noticed(table, &mutant), "always", "-", model->guards[i]->name);
    }
}

static void try_lists(const Table *table, Survivors *survivors)
{
    const CmkModel *model = cmk_azure_model();
    for (uint32_t op = 1; op < model->operation_count; op++) {
        const CmkOperation *operation = model->operations[op];
        const uint32_t count = guards_of(operation);
        for (uint32_t i = 0; i < count; i++) {
            Mutant mutant;
            const char *first = model->guards[operation->guards[i]]->name;
            mutant_change_operation(&mutant, (CmkOpId)op);
            memmove(&mutant.operation.guards[i], &operation->guards[i + 1],
                    (count - i) * sizeof(CmkGuardId));
            judge(survivors, is_noticed(table, &mutant), "drop", operation->name, first);
            if (i + 1 == count) {
                break;
            }
            char both[96];
            (void)snprintf(both, sizeof(both), "%s %s", first,
                           model->guards[operation->guards[i + 1]]->name);
            mutant_change_operation(&mutant, (CmkOpId)op);
            mutant.operation.guards[i] = operation->guards[i + 1];
            mutant.operation.guards[i + 1] = operation->guards[i];
            judge(survivors, is_noticed(table, &mutant), "swap", operation->name, both);
        }
    }
}

static void try_effects(Table *table, Survivors *survivors)
{
    const CmkModel *model = cmk_azure_model();
    for (uint32_t op = 1; op < model->operation_count; op++) {
        Mutant mutant;
        mutant_change_operation(&mutant, (CmkOpId)op);
        mutant.operation.effect = does_nothing;
        judge(survivors, is_noticed_when_built(table, &mutant), "no effect",
              model->operations[op]->name, "-");
    }
}

/* Strikes off what survivors.tbl knows; what it knows and did not survive is out of date. */
static void excuse(Survivors *survivors)
{
    char text[LINE_MAX_BYTES];
    char line_text[LINE_MAX_BYTES];
    char *column[4];
    FILE *stream = open_table("survivors.tbl");
    for (uint32_t line = 1; fgets(text, sizeof(text), stream) != NULL; line++) {
        if (!cut(text, column, 4, 4, "survivors.tbl", line)) {
            continue;
        }
        (void)snprintf(line_text, sizeof(line_text), "%s | %s | %s", column[0], column[1],
                       column[2]);
        uint32_t i = 0;
        while (i < survivors->count && strcmp(survivors->text[i], line_text) != 0) {
            i++;
        }
        cr_expect(i < survivors->count && column[3][0] != '\0',
                  "survivors.tbl:%u: it is noticed after all, or has no reason", line);
        if (i < survivors->count) {
            survivors->is_excused[i] = true;
        }
    }
    (void)fclose(stream);
}

Test(tables, each_broken_model_is_noticed)
{
    Table *table = read_all();
    build_all(table, cmk_azure_model());
    Survivors survivors = {.count = 0};
    try_guards(table, &survivors);
    try_lists(table, &survivors);
    free_worlds(table);
    try_effects(table, &survivors);
    excuse(&survivors);
    for (uint32_t i = 0; i < survivors.count; i++) {
        cr_expect(survivors.is_excused[i], "nobody notices: %s", survivors.text[i]);
    }
    (void)fprintf(stderr, "tables: %u broken models, all noticed but %u (survivors.tbl)\n",
                  survivors.tried, survivors.count);
    free(table);
}
