/* Which row shows which rule: for each rule that a row names, what rests on the rule is broken, one
 * thing after the other, until the row notices. The answers are analysis/coverage.def, which the
 * program is built with; `make coverage` writes it, the test here compares. */
#define _GNU_SOURCE
#include "tests/tables/tables.h"

#include <criterion/criterion.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "models/citations.h"

#define COVERAGE "analysis/coverage.def"
#define CITATIONS_MAX 256

/* A row that names a rule, and something that rests on the rule. */
typedef struct Trial {
    Row *row;
    const char *name; /* of the row that cites the rule */
    char *why;        /* what was broken when the row noticed */
    size_t why_size;
} Trial;

/* ---- ways to break one citation; each true if the row notices -------------------------------- */

/* Asked in the world that the whole model has built. */
static bool notices(const Trial *trial, const Mutant *mutant)
{
    return !is_as_expected(trial->row, &mutant->model);
}

static bool notices_when_built(const Trial *trial, const Variant *variant)
{
    Row copy = *trial->row;
    return is_noticed_when_built(&copy, 1, variant);
}

static bool breaks_guard(const Trial *trial)
{
    const CmkModel *model = cmk_azure_model();
    for (CmkGuardId i = 1; i < model->guard_count; i++) {
        if (strcmp(model->guards[i]->name, trial->name) != 0) {
            continue;
        }
        Mutant mutant;
        mutant_set_guard(&mutant, i, holds_always);
        if (notices(trial, &mutant)) {
            (void)snprintf(trial->why, trial->why_size, "guard %s always holds", trial->name);
            return true;
        }
        mutant_set_guard(&mutant, i, holds_never);
        if (notices(trial, &mutant)) {
            (void)snprintf(trial->why, trial->why_size, "guard %s never holds", trial->name);
            return true;
        }
        (void)snprintf(trial->why, trial->why_size, "operation %s asks %s too",
                       trial->row->column[0], trial->name);
        return mutant_add_guard(&mutant, trial->row->op, i) && notices(trial, &mutant);
    }
    return false;
}

static bool breaks_operation(const Trial *trial)
{
    const CmkModel *model = cmk_azure_model();
    const CmkOpId op = cmk_operation_find(trial->name);
    Mutant mutant;
    for (uint32_t i = 0; i < guards_of(model->operations[op]); i++) {
        mutant_drop_guard(&mutant, op, i);
        if (notices(trial, &mutant)) {
            (void)snprintf(trial->why, trial->why_size, "operation %s does not ask %s", trial->name,
                           model->guards[model->operations[op]->guards[i]]->name);
            return true;
        }
    }
    mutant_drop_effect(&mutant, op);
    (void)snprintf(trial->why, trial->why_size, "operation %s does nothing", trial->name);
    /* First where the row's own words ask for it, then in the whole world if that can be built. */
    const Variant in_steps = {.model = &mutant.model, .knob = -1, .is_in_steps = true};
    const Variant throughout = {.model = &mutant.model, .knob = -1};
    return notices_when_built(trial, &in_steps) || notices_when_built(trial, &throughout);
}

/* Whoever refuses with this status gives another one. */
static bool breaks_status(const Trial *trial)
{
    const CmkStatus status = (CmkStatus)cmk_status_find(trial->name);
    if (trial->row->status != status || trial->row->guard == CMK_GUARD_NONE) {
        return false;
    }
    Mutant mutant;
    mutant_set_guard(&mutant, trial->row->guard,
                     cmk_azure_model()->guards[trial->row->guard]->holds);
    mutant.guard.status = CMK_STATUS_LIMIT_REACHED;
    (void)snprintf(trial->why, trial->why_size, "status %s is another one", trial->name);
    return notices(trial, &mutant);
}

static bool breaks_knob(const Trial *trial)
{
    const int32_t knob = cmk_knob_find(trial->name);
    int64_t values[KNOB_VALUES_MAX];
    const uint32_t count = knob_values(&cmk_azure_model()->knobs[knob], values);
    (void)snprintf(trial->why, trial->why_size, "knob %s has another value", trial->name);
    for (uint32_t i = 0; i < count; i++) {
        const Variant variant = {.model = cmk_azure_model(), .knob = knob, .knob_value = values[i]};
        if (notices_when_built(trial, &variant)) {
            return true;
        }
    }
    return false;
}

/* Those who have the role have every right on keys instead, or on resources, or none. */
static bool breaks_role(const Trial *trial)
{
    const uint32_t others[] = {cmk_role_find("Key Vault Secrets User"),
                               cmk_role_find("Key Vault Administrator"), cmk_role_find("Owner")};
    const uint32_t role = cmk_role_find(trial->name);
    (void)snprintf(trial->why, trial->why_size, "role %s is another one", trial->name);
    for (size_t i = 0; i < CMK_ARRAY_LEN(others); i++) {
        const Variant variant = {
            .model = cmk_azure_model(), .knob = -1, .role = role, .other_role = others[i]};
        if (notices_when_built(trial, &variant)) {
            return true;
        }
    }
    return false;
}

static bool breaks_datasource(const Trial *trial)
{
    uint32_t count = 0;
    (void)cmk_datasource_facts(&count);
    const uint32_t datasource = cmk_datasource_find(trial->name);
    (void)snprintf(trial->why, trial->why_size, "datasource %s is another one", trial->name);
    for (uint32_t i = 1; i < count; i++) {
        const Variant variant = {.model = cmk_azure_model(),
                                 .knob = -1,
                                 .datasource = datasource,
                                 .other_datasource = i};
        if (notices_when_built(trial, &variant)) {
            return true;
        }
    }
    return false;
}

/* By the kind of what cites a rule. Of the others there is no broken copy to be had: facts that
 * code reads where it stands. What shows them is in elsewhere.tbl. */
static const struct {
    const char *kind;
    bool (*is_noticed)(const Trial *trial);
} breakers[] = {
    {"guard", breaks_guard}, {"status", breaks_status},         {"role", breaks_role},
    {"knob", breaks_knob},   {"datasource", breaks_datasource}, {"operation", breaks_operation},
};

/* ---- the answers ----------------------------------------------------------------------------- */

static void append_row(char **text, size_t *size, const char *rule, const char *by,
                       const char *columns[3])
{
    char *more = NULL;
    const int length = asprintf(&more, "CMK_SHOWN(\"%s\", %s, \"%s\", \"%s\", \"%s\")\n", rule, by,
                                columns[0], columns[1], columns[2]);
    cr_assert_gt(length, 0);
    *text = realloc(*text, *size + (size_t)length + 1);
    cr_assert_not_null(*text);
    memcpy(*text + *size, more, (size_t)length + 1);
    *size += (size_t)length;
    free(more);
}

static bool names_rule(const Row *row, const char *rule)
{
    const size_t length = strlen(rule);
    for (const char *id = row->column[5]; id != NULL && *id != '\0';) {
        const size_t id_length = strcspn(id, " ");
        if (id_length == length && memcmp(id, rule, length) == 0) {
            return true;
        }
        id += id_length;
        id += strspn(id, " ");
    }
    return false;
}

static bool is_shown(const CmkRule *rule, const Trial *trial)
{
    CmkCitation citations[CITATIONS_MAX];
    const uint32_t count = cmk_rule_citations(cmk_azure_model(), rule, citations, CITATIONS_MAX);
    cr_assert_leq(count, CITATIONS_MAX, "%s", rule->id);
    for (size_t i = 0; i < CMK_ARRAY_LEN(breakers); i++) {
        for (uint32_t j = 0; j < count; j++) {
            Trial one = *trial;
            one.name = citations[j].name;
            if (strcmp(citations[j].kind, breakers[i].kind) == 0 && breakers[i].is_noticed(&one)) {
                return true;
            }
        }
    }
    return false;
}

static void add_rows(Table *table, const CmkRule *rule, char **text, size_t *size)
{
    for (uint32_t i = 0; i < table->count; i++) {
        Row *row = &table->rows[i];
        if (!names_rule(row, rule->id)) {
            continue;
        }
        char why[160] = "";
        char row_text[LINE_MAX_BYTES];
        const Trial trial = {.row = row, .why = why, .why_size = sizeof(why)};
        /* One world at a time: a process that holds them all is slow to fork. */
        const Variant unbroken = {.model = cmk_azure_model(), .knob = -1};
        const char *trouble = build(row, &unbroken);
        cr_assert_null(trouble, "%s:%u: %s", row->file, row->line, trouble);
        const bool is_hit = is_shown(rule, &trial);
        estate_free(row->estate);
        row->estate = NULL;
        (void)snprintf(row_text, sizeof(row_text), "%s | %s | %s | %s | %s", row->column[0],
                       row->column[1], row->column[2], row->column[3], row->column[4]);
        append_row(text, size, rule->id, is_hit ? "ROW" : "NAME_ONLY",
                   (const char *[]){row->file, row_text, is_hit ? why : ""});
    }
}

/* ---- tests that stand in for rows ------------------------------------------------------------ */

typedef struct Elsewhere {
    char text[LINE_MAX_BYTES];
    char *column[3]; /* rule, test, reason */
} Elsewhere;

/* Whether a line of the file begins with the text and goes on as a test's head does. */
static bool has_head(const char *path, const char *text)
{
    const size_t length = strlen(text);
    char line[LINE_MAX_BYTES];
    bool is_found = false;
    FILE *source = fopen(path, "r");
    while (source != NULL && !is_found && fgets(line, sizeof(line), source) != NULL) {
        is_found = strncmp(line, text, length) == 0 && strchr("),", line[length]) != NULL;
    }
    if (source != NULL) {
        (void)fclose(source);
    }
    return is_found;
}

/* In a file of the directory, or of one in it. */
static bool has_head_within(const char *directory, const char *text, uint32_t depth)
{
    DIR *stream = opendir(directory);
    bool is_found = false;
    for (struct dirent *entry = stream == NULL ? NULL : readdir(stream); entry != NULL && !is_found;
         entry = readdir(stream)) {
        char path[512];
        (void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        is_found = entry->d_name[0] != '.' &&
                   (depth > 0 ? has_head_within(path, text, depth - 1) : has_head(path, text));
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
    return is_found;
}

/* "price/each_item_is_billed": Test(price, each_item_is_billed) in a unit test; or a file. */
static bool test_exists(const char *name)
{
    const size_t suite = strcspn(name, "/");
    char text[160];
    if (strchr(name, '.') != NULL) {
        FILE *file = fopen(name, "r");
        return file != NULL && fclose(file) == 0;
    }
    (void)snprintf(text, sizeof(text), "Test(%.*s, %s", (int)suite, name,
                   name[suite] == '\0' ? "" : name + suite + 1);
    return has_head_within("tests/unit", text, 1);
}

static void read_elsewhere(Elsewhere *tests, uint32_t *ret_count)
{
    FILE *stream = open_table("elsewhere.tbl");
    uint32_t count = 0;
    for (uint32_t line = 1; count < ROWS_MAX; line++) {
        Elsewhere *test = &tests[count];
        if (fgets(test->text, sizeof(test->text), stream) == NULL) {
            break;
        }
        if (cut(test->text, test->column, 3, 3, "elsewhere.tbl", line)) {
            cr_expect(cmk_rule_find(test->column[0], strlen(test->column[0])) != NULL &&
                          test_exists(test->column[1]) && test->column[2][0] != '\0',
                      "elsewhere.tbl:%u: no such rule, no such test, or no reason", line);
            count++;
        }
    }
    (void)fclose(stream);
    *ret_count = count;
}

static void add_tests(const Elsewhere *tests, uint32_t count, const CmkRule *rule, char **text,
                      size_t *size)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(tests[i].column[0], rule->id) == 0) {
            append_row(text, size, rule->id, "TEST",
                       (const char *[]){"elsewhere.tbl", tests[i].column[1], tests[i].column[2]});
        }
    }
}

/* ---- the file -------------------------------------------------------------------------------- */

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s: start me in the root of the sources", path);
    char *text = NULL;
    size_t size = 0;
    if (getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = calloc(1, 1);
    }
    (void)fclose(file);
    return text;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file, "%s", path);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static char *coverage_of(Table *table)
{
    static Elsewhere tests[ROWS_MAX];
    uint32_t test_count = 0;
    uint32_t rule_count = 0;
    read_elsewhere(tests, &test_count);
    char *text = strdup("/* Written by `make coverage`, checked by `make test`. See "
                        "analysis/coverage.h. */\n");
    cr_assert_not_null(text);
    size_t size = strlen(text);
    const CmkRule *rules = cmk_rules(&rule_count);
    for (uint32_t i = 0; i < rule_count; i++) {
        add_rows(table, &rules[i], &text, &size);
        add_tests(tests, test_count, &rules[i], &text, &size);
    }
    return text;
}

Test(coverage, is_up_to_date)
{
    Table *table = read_all();
    char *text = coverage_of(table);
    if (getenv("UPDATE_COVERAGE") != NULL) {
        write_file(COVERAGE, text);
    } else {
        char *committed = read_file(COVERAGE);
        cr_expect(strcmp(text, committed) == 0,
                  COVERAGE " does not say what the tables show: run `make coverage`");
        free(committed);
    }
    free(text);
    free(table);
}

/* "RULE", as a line of the coverage by a row that notices or by a test of elsewhere.tbl. */
static bool is_shown_in(const char *text, const char *rule)
{
    static const char *const by[] = {"ROW", "TEST"};
    for (size_t i = 0; i < CMK_ARRAY_LEN(by); i++) {
        char line[64];
        (void)snprintf(line, sizeof(line), "CMK_SHOWN(\"%s\", %s,", rule, by[i]);
        if (strstr(text, line) != NULL) {
            return true;
        }
    }
    return false;
}

/* Once it is modelled, something must fail without it. */
Test(coverage, each_modelled_rule_is_shown)
{
    Table *table = read_all();
    char *text = coverage_of(table);
    uint32_t count = 0;
    const CmkRule *rules = cmk_rules(&count);
    for (uint32_t i = 0; i < count; i++) {
        const bool is_modelled =
            strcmp(cmk_rule_stage(cmk_azure_model(), &rules[i]), "modelled") == 0;
        cr_expect(!is_modelled || is_shown_in(text, rules[i].id),
                  "%s: no row notices when what cites it is broken, and elsewhere.tbl has no test",
                  rules[i].id);
    }
    free(text);
    free(table);
}

/* A rule that a row names exists, and something cites it. */
Test(coverage, rows_name_rules_of_the_model)
{
    Table *table = read_all();
    for (uint32_t i = 0; i < table->count; i++) {
        const Row *row = &table->rows[i];
        for (const char *id = row->column[5]; id != NULL && *id != '\0';) {
            const size_t length = strcspn(id, " ");
            const CmkRule *rule = cmk_rule_find(id, length);
            cr_expect(rule != NULL && rule->out_of_scope == NULL,
                      "%s:%u: `%.*s` is no rule, or one that is out of scope", row->file, row->line,
                      (int)length, id);
            id += length;
            id += strspn(id, " ");
        }
    }
    free(table);
}
