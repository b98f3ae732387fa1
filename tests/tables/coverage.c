/* Which row or test shows which rule: for each rule that one names, what rests on the rule is
 * broken, one thing after the other, until the row or the test notices. The answers are
 * analysis/coverage.def, which the program is built with; `make coverage` writes it, the test here
 * compares. Named tests are tried in named_tests.c. */
#define _GNU_SOURCE
#include "tests/tables/named_tests.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "models/citations.h"

#define COVERAGE "analysis/coverage.def"

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

/* The model as the sentence breaks it; false too if there is nothing to break. */
static bool notices_sentence(const Trial *trial)
{
    Mutant mutant;
    return mutant_make(&mutant, trial->why) && notices(trial, &mutant);
}

static bool breaks_guard(const Trial *trial)
{
    static const char *const ways[] = {"always holds", "never holds"};
    for (size_t i = 0; i < CMK_ARRAY_LEN(ways); i++) {
        (void)snprintf(trial->why, trial->why_size, "guard %s %s", trial->name, ways[i]);
        if (notices_sentence(trial)) {
            return true;
        }
    }
    return false;
}

static bool drops_guard(const Trial *trial)
{
    const CmkModel *model = cmk_azure_model();
    const CmkOperation *operation = model->operations[cmk_operation_find(trial->name)];
    for (uint32_t i = 0; i < guards_of(operation); i++) {
        (void)snprintf(trial->why, trial->why_size, "operation %s does not ask %s", trial->name,
                       model->guards[operation->guards[i]]->name);
        if (notices_sentence(trial)) {
            return true;
        }
    }
    return false;
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

/* One refusal more, though it may have nothing to do with what the rule says. */
static bool adds_guard(const Trial *trial)
{
    (void)snprintf(trial->why, trial->why_size, "operation %s asks %s too", trial->row->column[0],
                   trial->name);
    return notices_sentence(trial);
}

/* All that the operation does is gone, what the rule says with it. */
static bool drops_effect(const Trial *trial)
{
    Mutant mutant;
    (void)snprintf(trial->why, trial->why_size, "operation %s does nothing", trial->name);
    mutant_drop_effect(&mutant, cmk_operation_find(trial->name));
    /* First where the row's own words ask for it, then in the whole world if that can be built. */
    const Variant in_steps = {.model = &mutant.model, .knob = -1, .is_in_steps = true};
    const Variant throughout = {.model = &mutant.model, .knob = -1};
    return notices_when_built(trial, &in_steps) || notices_when_built(trial, &throughout);
}

/* By the kind of what cites a rule, the finest first; the last ones are coarse. Of the other kinds
 * there is no broken copy to be had: facts that code reads where it stands. What shows them is in
 * elsewhere.tbl. */
static const struct {
    const char *kind;
    bool (*is_noticed)(const Trial *trial);
    bool is_coarse;
} breakers[] = {
    {"guard", breaks_guard, false},
    {"status", breaks_status, false},
    {"role", breaks_role, false},
    {"knob", breaks_knob, false},
    {"datasource", breaks_datasource, false},
    {"operation", drops_guard, false},
    {"guard", adds_guard, true},
    {"operation", drops_effect, true},
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

/* How, as coverage.def says it; NULL if the row does not notice. */
static const char *how_shown(const CmkRule *rule, const Trial *trial)
{
    CmkCitation citations[CITATIONS_MAX];
    const uint32_t count = cmk_rule_citations(cmk_azure_model(), rule, citations, CITATIONS_MAX);
    cr_assert_leq(count, CITATIONS_MAX, "%s", rule->id);
    for (size_t i = 0; i < CMK_ARRAY_LEN(breakers); i++) {
        for (uint32_t j = 0; j < count; j++) {
            Trial one = *trial;
            one.name = citations[j].name;
            if (strcmp(citations[j].kind, breakers[i].kind) == 0 && breakers[i].is_noticed(&one)) {
                return breakers[i].is_coarse ? "ROW_COARSELY" : "ROW";
            }
        }
    }
    return NULL;
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
        const char *how = how_shown(rule, &trial);
        estate_free(row->estate);
        row->estate = NULL;
        (void)snprintf(row_text, sizeof(row_text), "%s | %s | %s | %s | %s", row->column[0],
                       row->column[1], row->column[2], row->column[3], row->column[4]);
        cr_expect_not_null(how, "%s:%u: names %s, and does not notice when what cites it is broken",
                           row->file, row->line, rule->id);
        if (how != NULL) {
            append_row(text, size, rule->id, how, (const char *[]){row->file, row_text, why});
        }
    }
}

/* `coverage` is the file as it stands, NULL to try all tests anew. */
static void add_tests(const NamedTests *tests, const CmkRule *rule, const char *coverage,
                      char **text, size_t *size)
{
    for (uint32_t i = 0; i < tests->count; i++) {
        const NamedTest *test = &tests->list[i];
        char sentence[SENTENCE_BYTES];
        char why[LINE_MAX_BYTES];
        if (test->rule != rule) {
            continue;
        }
        const char *how = coverage == NULL ? break_named_test(test, sentence)
                                           : recorded_break(coverage, test, sentence);
        if (how != NULL) {
            (void)snprintf(why, sizeof(why), sentence[0] == '\0' ? "%s%s" : "%s (%s)", sentence,
                           test->reason);
            append_row(text, size, rule->id, how,
                       (const char *[]){"elsewhere.tbl", test->name, why});
        }
    }
}

/* ---- the file -------------------------------------------------------------------------------- */

char *read_coverage(void)
{
    FILE *file = fopen(COVERAGE, "r");
    cr_assert_not_null(file, COVERAGE ": start me in the root of the sources");
    char *text = NULL;
    size_t size = 0;
    if (getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = calloc(1, 1);
    }
    (void)fclose(file);
    return text;
}

static void write_coverage(const char *text)
{
    FILE *file = fopen(COVERAGE, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static char *coverage_of(Table *table, const char *coverage)
{
    static NamedTests tests;
    uint32_t rule_count = 0;
    read_named_tests(&tests);
    char *text = strdup("/* Written by `make coverage`, checked by `make test`. See "
                        "analysis/coverage.h. */\n");
    cr_assert_not_null(text);
    size_t size = strlen(text);
    const CmkRule *rules = cmk_rules(&rule_count);
    for (uint32_t i = 0; i < rule_count; i++) {
        add_rows(table, &rules[i], &text, &size);
        add_tests(&tests, &rules[i], coverage, &text, &size);
    }
    return text;
}

/* Of the tests that elsewhere.tbl names, what the file says of them is taken for granted here. */
Test(coverage, is_up_to_date)
{
    Table *table = read_all();
    char *committed = read_coverage();
    const bool is_update = getenv("UPDATE_COVERAGE") != NULL;
    char *text = coverage_of(table, is_update ? NULL : committed);
    if (is_update) {
        write_coverage(text);
    } else {
        cr_expect(strcmp(text, committed) == 0,
                  COVERAGE " does not say what the tables show: run `make coverage`");
    }
    free(committed);
    free(text);
    free(table);
}

/* Once it is modelled, something must fail without it, or a test must at least have its name. */
Test(coverage, each_modelled_rule_is_shown)
{
    char *text = read_coverage();
    uint32_t count = 0;
    const CmkRule *rules = cmk_rules(&count);
    for (uint32_t i = 0; i < count; i++) {
        char head[64];
        (void)snprintf(head, sizeof(head), "CMK_SHOWN(\"%s\",", rules[i].id);
        const bool is_modelled =
            strcmp(cmk_rule_stage(cmk_azure_model(), &rules[i]), "modelled") == 0;
        cr_expect(!is_modelled || strstr(text, head) != NULL,
                  "%s: no row notices when what cites it is broken, and elsewhere.tbl has no test",
                  rules[i].id);
    }
    free(text);
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
