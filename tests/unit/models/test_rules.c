/* The table of rules: its order, looking up, its texts, and that rules and the model's other tables
 * speak of each other. */
#include <criterion/criterion.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "models/error_map.h"
#include "models/model.h"

#define TEXT_MAX 110
#define RULES_MAX 1000

/* ---- order and looking up -------------------------------------------------------------------- */

/* "BV-T5": "BV-T" and 5. */
static uint32_t split(const char *id, char family[16])
{
    uint32_t number = 0;
    int end = 0;
    family[0] = '\0';
    const int fields = sscanf(id, "%15[A-Z-]%u%n", family, &number, &end);
    cr_assert(fields == 2 && id[end] == '\0', "`%s` is not the ID of a rule", id);
    return number;
}

Test(rules, are_in_order_and_unique)
{
    uint32_t count = 0;
    const CmkRule *rules = cmk_rules(&count);
    cr_assert_gt(count, 400);
    cr_assert_lt(count, RULES_MAX);
    for (uint32_t i = 1; i < count; i++) {
        char before[16];
        char family[16];
        const uint32_t number_before = split(rules[i - 1].id, before);
        const uint32_t number = split(rules[i].id, family);
        const int order = strcmp(before, family);
        cr_expect(order < 0 || (order == 0 && number_before < number), "`%s` stands before `%s`",
                  rules[i - 1].id, rules[i].id);
        cr_expect_gt(number, 0);
    }
}

Test(rules, finds_each)
{
    uint32_t count = 0;
    const CmkRule *rules = cmk_rules(&count);
    for (uint32_t i = 0; i < count; i++) {
        const char *id = rules[i].id;
        const size_t length = strlen(id);
        char list[64];
        (void)snprintf(list, sizeof(list), "%s BV-17", id);
        cr_expect_eq(cmk_rule_find(id, length), &rules[i], "%s", id);
        cr_expect_eq(cmk_rule_find(list, length), &rules[i], "%s in a list", id);
        cr_expect_null(cmk_rule_find(list, length + 1), "`%s ` with a blank", id);
        cr_expect_null(cmk_rule_find(id, length + 1), "%s with its end", id);
        const CmkRule *shorter = cmk_rule_find(id, length - 1);
        cr_expect(shorter == NULL || strlen(shorter->id) == length - 1, "%s less a character", id);
    }
}

Test(rules, finds_no_other)
{
    static const char *const unknown[] = {
        "",       " ",       "B",        "BV",         "BV-",  "BV-0",           "BV-017",
        "BV-17 ", " BV-17",  "BV-17a",   "bv-17",      "BV17", "BV-T",           "BV-T0",
        "BV-X1",  "AC-R",    "AC-R99",   "17",         "-17",  "BV-99999999999", "A-1",
        "ZZ-1",   "THR-999", "BV-1\xc3", "BV-17 BV-18"};
    for (size_t i = 0; i < CMK_ARRAY_LEN(unknown); i++) {
        cr_expect_null(cmk_rule_find(unknown[i], strlen(unknown[i])), "`%s`", unknown[i]);
    }
    cr_assert_not_null(cmk_rule_find("BV-17 BV-18", 5));
    cr_assert_str_eq(cmk_rule_find("BV-17 BV-18", 5)->id, "BV-17");
    cr_assert_str_eq(cmk_rule_find("BV-17 BV-18", 4)->id, "BV-1");
    cr_assert_null(cmk_rule_find("BV-17 BV-18", 0));
}

/* ---- what stands in a row -------------------------------------------------------------------- */

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

Test(rules, have_provenance_stage_and_text)
{
    static const char *const provenances[] = {"article", "documented", "inferred", "assumed"};
    static const char *const stages[] = {"modelled", "later", "out of scope"};
    uint32_t count = 0;
    const CmkRule *rules = cmk_rules(&count);
    for (uint32_t i = 0; i < count; i++) {
        const CmkRule *rule = &rules[i];
        cr_expect(is_one_of(rule->provenance, provenances, CMK_ARRAY_LEN(provenances)), "%s: %s",
                  rule->id, rule->provenance);
        cr_expect(is_one_of(rule->stage, stages, CMK_ARRAY_LEN(stages)), "%s: %s", rule->id,
                  rule->stage);
        const size_t length = strlen(rule->text);
        cr_assert_gt(length, 10, "%s", rule->id);
        cr_expect_leq(length, TEXT_MAX, "%s: %zu characters", rule->id, length);
        cr_expect_eq(rule->text[length - 1], '.', "%s: %s", rule->id, rule->text);
        cr_expect_not(islower((unsigned char)rule->text[0]), "%s: %s", rule->id, rule->text);
        cr_expect_null(strstr(rule->text, "  "), "%s: %s", rule->id, rule->text);
        for (size_t j = 0; j < length; j++) {
            cr_expect(isprint((unsigned char)rule->text[j]), "%s: character %zu", rule->id, j);
        }
    }
}

/* Each text says something else. */
Test(rules, have_different_texts)
{
    uint32_t count = 0;
    const CmkRule *rules = cmk_rules(&count);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            cr_expect_str_neq(rules[i].text, rules[j].text, "%s and %s", rules[j].id, rules[i].id);
        }
    }
}

/* ---- who cites whom -------------------------------------------------------------------------- */

/* Which rules the tables of the model cite. */
typedef struct Citations {
    const CmkRule *rules;
    uint32_t count;
    uint32_t in_all;
    bool is_cited[RULES_MAX];
} Citations;

static void cite_one(Citations *citations, const char *where, const char *id, size_t length)
{
    const CmkRule *rule = cmk_rule_find(id, length);
    cr_expect_not_null(rule, "%s cites `%.*s`, which does not exist", where, (int)length, id);
    if (rule != NULL) {
        citations->is_cited[rule - citations->rules] = true;
        citations->in_all++;
        cr_expect_str_eq(rule->stage, "modelled", "%s cites %s, which is `%s`", where, rule->id,
                         rule->stage);
    }
}

/* Each ID of a list separated by single blanks. */
static void cite(Citations *citations, const char *kind, const char *name, const char *ids)
{
    char where[200];
    (void)snprintf(where, sizeof(where), "%s %s", kind, name);
    cr_assert_not_null(ids, "%s: no rules", where);
    const char *at = ids;
    while (*at != '\0') {
        const size_t length = strcspn(at, " ");
        cite_one(citations, where, at, length);
        at += length;
        if (*at == ' ') {
            at++;
            cr_expect_neq(*at, '\0', "%s: blanks in `%s`", where, ids);
        }
    }
}

static void cite_model(Citations *citations, const CmkModel *model)
{
    for (uint32_t i = 1; i < model->operation_count; i++) {
        cite(citations, "operation", model->operations[i]->name, model->operations[i]->rules);
    }
    for (uint32_t i = 1; i < model->guard_count; i++) {
        cite(citations, "guard", model->guards[i]->name, model->guards[i]->rule);
    }
    for (uint32_t i = 0; i < model->status_count; i++) {
        cite(citations, "status", model->statuses[i].name, model->statuses[i].rule);
    }
    for (uint32_t i = 0; i < model->knob_count; i++) {
        cite(citations, "knob", model->knobs[i].name, model->knobs[i].rule);
    }
}

static void cite_facts(Citations *citations)
{
    uint32_t count = 0;
    const CmkRoleFacts *roles = cmk_role_facts(&count);
    for (uint32_t i = 1; i < count; i++) {
        cite(citations, "role", roles[i].name, roles[i].rule);
    }
    const CmkDatasourceFacts *datasources = cmk_datasource_facts(&count);
    for (uint32_t i = 1; i < count; i++) {
        cite(citations, "datasource", datasources[i].name, datasources[i].rule);
    }
    for (int kind = 0; kind < CMK_TASK__COUNT; kind++) {
        const CmkTaskFacts *facts = cmk_task_facts((CmkTaskKind)kind);
        cite(citations, "task", facts->name, facts->rule);
    }
    const CmkPrice *prices = cmk_price_book(&count);
    for (uint32_t i = 0; i < count; i++) {
        cite(citations, "price", prices[i].id, prices[i].rule);
    }
    const CmkErrorRow *errors = cmk_error_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        cite(citations, "error", cmk_azure_model()->guards[errors[i].guard]->name, errors[i].rule);
    }
}

static void cite_all(Citations *citations)
{
    memset(citations, 0, sizeof(*citations));
    citations->rules = cmk_rules(&citations->count);
    cr_assert_lt(citations->count, RULES_MAX);
    cite_model(citations, cmk_azure_model());
    cite_facts(citations);
}

Test(rules, are_cited_by_tables)
{
    Citations citations;
    cite_all(&citations);
    cr_expect_gt(citations.in_all, 250);
    const CmkModel *model = cmk_azure_model();
    for (uint32_t i = 1; i < model->guard_count; i++) {
        cr_expect_str_neq(model->guards[i]->rule, "", "guard %s", model->guards[i]->name);
    }
}

/* Rules that no row of a table cites, since they shape the code itself or what may be written in a
 * scenario: where that is. */
static const struct {
    const char *id;
    const char *file;
} in_code[] = {
    {"BK-34", "models/task.c"},
    {"BV-17", "models/sealer.c"},
    {"BV-22", "scenarios/scenario.c"},
    {"BV-27", "models/task.c"},
    {"BV-30", "models/repairs.h"},
    {"BV-37", "models/task.c"},
    {"BV-T14", "models/task.c"},
    {"COST-23", "models/key_vault.c"},
    {"COST-25", "models/price.c"},
    {"KV-8", "scenarios/language_world.c"},
    {"MI-20", "scenarios/language_world.c"},
    {"OQ-13", "models/task.c"},
    {"OQ-28", "models/sealer.c"},
    {"OQ-35", "models/ids.h"},
    {"OQ-36", "sim/calendar.h"},
    {"THR-5", "models/key_vault.c"},
};

static bool is_word(const char *line, const char *at, size_t length)
{
    const bool is_start = at == line || (!isalnum((unsigned char)at[-1]) && at[-1] != '-');
    return is_start && !isalnum((unsigned char)at[length]);
}

/* Whether a line of the file has the ID as a word. */
static bool file_cites(const char *path, const char *id)
{
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s: cannot be read; tests run in the top directory", path);
    char line[1024];
    bool is_found = false;
    while (!is_found && fgets(line, sizeof(line), file) != NULL) {
        const char *at = line;
        while (!is_found && (at = strstr(at, id)) != NULL) {
            is_found = is_word(line, at, strlen(id));
            at++;
        }
    }
    (void)fclose(file);
    return is_found;
}

Test(rules, modelled_ones_are_cited)
{
    Citations citations;
    cite_all(&citations);
    for (size_t i = 0; i < CMK_ARRAY_LEN(in_code); i++) {
        const CmkRule *rule = cmk_rule_find(in_code[i].id, strlen(in_code[i].id));
        cr_assert_not_null(rule, "%s", in_code[i].id);
        bool *is_cited = &citations.is_cited[rule - citations.rules];
        cr_expect_not(*is_cited, "%s is cited by a table: take it off the list", rule->id);
        cr_expect_str_eq(rule->stage, "modelled", "%s", rule->id);
        cr_expect(file_cites(in_code[i].file, rule->id), "%s does not cite %s", in_code[i].file,
                  rule->id);
        *is_cited = true;
    }
    for (uint32_t i = 0; i < citations.count; i++) {
        const bool is_modelled = strcmp(citations.rules[i].stage, "modelled") == 0;
        cr_expect_eq(is_modelled, citations.is_cited[i], "%s is `%s` and cited by %s",
                     citations.rules[i].id, citations.rules[i].stage,
                     citations.is_cited[i] ? "somebody" : "nobody");
    }
}
