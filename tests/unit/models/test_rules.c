/* The table of rules: its order, looking up, its texts, and that rules and the model's other tables
 * speak of each other. */
#include <criterion/criterion.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "models/citations.h"
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

Test(rules, have_provenance_and_text)
{
    static const char *const provenances[] = {"article", "documented", "inferred", "assumed"};
    uint32_t count = 0;
    const CmkRule *rules = cmk_rules(&count);
    for (uint32_t i = 0; i < count; i++) {
        const CmkRule *rule = &rules[i];
        cr_expect(is_one_of(rule->provenance, provenances, CMK_ARRAY_LEN(provenances)), "%s: %s",
                  rule->id, rule->provenance);
        cr_expect(rule->out_of_scope == NULL || strlen(rule->out_of_scope) > 10, "%s: no reason",
                  rule->id);
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

typedef struct Citations {
    uint32_t count;
    bool has_code;
} Citations;

static void check_citation(void *self, const CmkCitation *citation, const char *id, size_t length)
{
    Citations *citations = self;
    const CmkRule *rule = cmk_rule_find(id, length);
    citations->count++;
    cr_assert_not_null(rule, "%s %s cites `%.*s`, which does not exist", citation->kind,
                       citation->name, (int)length, id);
    cr_expect_null(rule->out_of_scope, "%s %s cites %s, which is out of scope", citation->kind,
                   citation->name, rule->id);
    if (strcmp(citation->kind, "code") == 0) {
        citations->has_code = true;
        cr_expect(file_cites(citation->name, rule->id), "%s does not cite %s", citation->name,
                  rule->id);
        cr_expect_eq(cmk_rule_citations(cmk_azure_model(), rule, NULL, 0), 1,
                     "%s is cited by a table too: it need not be on the list of code", rule->id);
    }
}

Test(rules, cited_ones_exist_and_are_in_scope)
{
    Citations citations = {.count = 0};
    cmk_citations_visit(cmk_azure_model(), check_citation, &citations);
    cr_expect_gt(citations.count, 250);
    cr_expect(citations.has_code);
    const CmkModel *model = cmk_azure_model();
    for (uint32_t i = 1; i < model->guard_count; i++) {
        cr_expect_str_neq(model->guards[i]->rule, "", "guard %s", model->guards[i]->name);
    }
}

Test(rules, know_who_cites_them)
{
    const CmkRule *rule = cmk_rule_find("SD-6", 4);
    CmkCitation found[8];
    const uint32_t count = cmk_rule_citations(cmk_azure_model(), rule, found, 8);
    cr_assert_geq(count, 2);
    cr_expect_str_eq(found[0].kind, "operation");
    cr_expect_str_eq(found[0].name, "key_vault.delete");
    cr_expect_str_eq(cmk_rule_stage(cmk_azure_model(), rule), "modelled");
    cr_expect_str_eq(cmk_rule_stage(cmk_azure_model(), cmk_rule_find("KV-26", 5)), "out of scope");
    const CmkRule unheard_of = {.id = "XX-1"};
    cr_expect_str_eq(cmk_rule_stage(cmk_azure_model(), &unheard_of), "later");
}
