/* Entries for the rules: where each comes from, who rests on it, and which tests show it. */
#include <string.h>

#include "analysis/catalogue.h"
#include "analysis/coverage.h"
#include "faults/catalogue.h"
#include "models/citations.h"

/* More than any rule has; test_catalogue.c sees to it. */
#define CITATIONS_MAX 256

static bool is_in_list(const char *ids, const char *id)
{
    g_auto(GStrv) list = g_strsplit(ids, " ", -1);
    return g_strv_contains((const char *const *)list, id);
}

static GPtrArray *citations_of(const CmkModel *model, const CmkRule *rule)
{
    CmkCitation citations[CITATIONS_MAX];
    const uint32_t found = cmk_rule_citations(model, rule, citations, CITATIONS_MAX);
    GPtrArray *lines = cmk_lines_new();
    for (uint32_t i = 0; i < found && i < CITATIONS_MAX; i++) {
        g_autofree char *line = g_strdup_printf("%s %s", citations[i].kind, citations[i].name);
        if (!g_ptr_array_find_with_equal_func(lines, line, g_str_equal, NULL)) {
            g_ptr_array_add(lines, g_steal_pointer(&line));
        }
    }
    uint32_t count = 0;
    const CmkFault *faults = cmk_faults(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (is_in_list(faults[i].rules, rule->id)) {
            g_ptr_array_add(lines, g_strdup_printf("fault %s", faults[i].name));
        }
    }
    return lines;
}

/* Of an open question: which knobs give it another answer. NULL for other rules, and for those that
 * are not modelled. */
static char *choice_of(const CmkModel *model, const CmkRule *rule)
{
    CmkCitation citations[CITATIONS_MAX];
    const uint32_t found = cmk_rule_citations(model, rule, citations, CITATIONS_MAX);
    g_autoptr(GString) text = g_string_new(NULL);
    if (!g_str_has_prefix(rule->id, "OQ-")) {
        return NULL;
    }
    for (uint32_t i = 0; i < found && i < CITATIONS_MAX; i++) {
        if (strcmp(citations[i].kind, "knob") == 0) {
            g_string_append_printf(text, "%s%s", text->len == 0 ? "setting " : ", ",
                                   citations[i].name);
        }
    }
    return text->len == 0 ? NULL : g_strdup(text->str);
}

static const struct {
    const char *how;    /* best first, as CmkShownBy is */
    const char *clause; /* before what was broken */
} ways[CMK_SHOWN_BY__COUNT] = {
    [CMK_SHOWN_BY_ROW] = {"by a row", "fails if "},
    [CMK_SHOWN_BY_TEST] = {"by a test", "fails if "},
    [CMK_SHOWN_BY_ROW_COARSELY] = {"coarsely", "coarsely: fails if "},
    [CMK_SHOWN_BY_TEST_COARSELY] = {"coarsely", "coarsely: fails if "},
    [CMK_SHOWN_BY_TEST_UNBROKEN] = {"by name only", "by name only, nothing that rests on the rule "
                                                    "was broken: "},
};

static GPtrArray *shown_by(const CmkRule *rule)
{
    GPtrArray *lines = cmk_lines_new();
    uint32_t count = 0;
    const CmkShown *shown = cmk_coverage(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(shown[i].rule, rule->id) == 0) {
            g_ptr_array_add(lines, g_strdup_printf("%s: %s - %s%s", shown[i].table, shown[i].row,
                                                   ways[shown[i].by].clause, shown[i].why));
        }
    }
    return lines;
}

/* Who says so. */
static const char *source_of(const CmkRule *rule)
{
    static const struct {
        const char *provenance;
        const char *source;
    } sources[] = {
        {"article", "the vendor's page about customer-managed keys for Backup vaults says so"},
        {"documented", "another public document, public source or record says so"},
        {"inferred", "it follows from what is documented, though no document says it outright"},
        {"assumed", "decided for this model, in part at least: nobody outside says so"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(sources); i++) {
        if (strcmp(sources[i].provenance, rule->provenance) == 0) {
            return sources[i].source;
        }
    }
    return NULL;
}

/* "by a row" and so on, by the best of what shows it, or "not". */
static const char *how_shown(const CmkRule *rule)
{
    CmkShownBy best = CMK_SHOWN_BY__COUNT;
    uint32_t count = 0;
    const CmkShown *shown = cmk_coverage(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(shown[i].rule, rule->id) == 0) {
            best = MIN(best, shown[i].by);
        }
    }
    return best == CMK_SHOWN_BY__COUNT ? "not" : ways[best].how;
}

GPtrArray *cmk_catalogue_rules(void)
{
    const CmkModel *model = cmk_azure_model();
    uint32_t count = 0;
    const CmkRule *rules = cmk_rules(&count);
    GPtrArray *entries = cmk_entries_new();
    for (uint32_t i = 0; i < count; i++) {
        CmkEntry *entry = cmk_entry_new("rule", rules[i].id);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "provenance", rules[i].provenance);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "stage", cmk_rule_stage(model, &rules[i]));
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "text", rules[i].text);
        cmk_entry_add_text(entry, CMK_PROPERTY_DETAIL, "source", source_of(&rules[i]));
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "left_out_because", rules[i].out_of_scope);
        g_autofree char *choice = choice_of(model, &rules[i]);
        cmk_entry_add_text(entry, CMK_PROPERTY_DETAIL, "choice", choice);
        cmk_entry_add_lines(entry, CMK_PROPERTY_DETAIL, "cited_by", citations_of(model, &rules[i]));
        cmk_entry_add_text(entry, CMK_PROPERTY_DETAIL, "shown", how_shown(&rules[i]));
        cmk_entry_add_lines(entry, CMK_PROPERTY_DETAIL, "shown_by", shown_by(&rules[i]));
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

void cmk_catalogue_spell_rules(CmkEntry *entry)
{
    for (guint i = 0; i < entry->properties->len; i++) {
        CmkProperty *property = &g_array_index(entry->properties, CmkProperty, i);
        if (strcmp(property->name, "rules") != 0 || property->shape != CMK_PROPERTY_WORDS) {
            continue;
        }
        GPtrArray *spelled = cmk_entries_new();
        for (guint j = 0; j < property->list->len; j++) {
            const char *id = g_ptr_array_index(property->list, j);
            const CmkRule *rule = cmk_rule_find(id, strlen(id));
            CmkEntry *one = cmk_entry_new("rule", id);
            cmk_entry_add_text(one, CMK_PROPERTY_DETAIL, "provenance",
                               rule == NULL ? NULL : rule->provenance);
            cmk_entry_add_text(one, CMK_PROPERTY_DETAIL, "text", rule == NULL ? NULL : rule->text);
            g_ptr_array_add(spelled, one);
        }
        g_ptr_array_unref(property->list);
        property->list = spelled;
        property->shape = CMK_PROPERTY_ENTRIES;
    }
}

/* ---- coverage -------------------------------------------------------------------------------- */

static void keep(GPtrArray *entries, const char *property, const char *value)
{
    const bool is_known = cmk_catalogue_keep_where(entries, property, value);
    g_assert(is_known);
}

/* Modelled rules that are shown so. */
static GPtrArray *modelled(const char *shown)
{
    GPtrArray *entries = cmk_catalogue_rules();
    keep(entries, "stage", "modelled");
    keep(entries, "shown", shown);
    return entries;
}

static void add_count(CmkEntry *entry, const char *name, GPtrArray *entries)
{
    cmk_entry_add_number(entry, CMK_PROPERTY_COLUMN, name, entries->len);
    g_ptr_array_unref(entries);
}

static GPtrArray *at_stage(const char *stage)
{
    GPtrArray *entries = cmk_catalogue_rules();
    keep(entries, "stage", stage);
    return entries;
}

/* Their names, as a property. Takes the entries over. */
static void add_names(CmkEntry *entry, const char *name, GPtrArray *entries)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < entries->len; i++) {
        g_string_append_printf(names, "%s ", ((CmkEntry *)g_ptr_array_index(entries, i))->name);
    }
    cmk_entry_add_words(entry, CMK_PROPERTY_DETAIL, name, names->str);
    g_ptr_array_unref(entries);
}

CmkEntry *cmk_catalogue_coverage(void)
{
    CmkEntry *entry = cmk_entry_new("coverage", "rules");
    add_count(entry, "rules", cmk_catalogue_rules());
    add_count(entry, "modelled", at_stage("modelled"));
    add_count(entry, "shown_by_a_row", modelled("by a row"));
    add_count(entry, "shown_by_a_test", modelled("by a test"));
    add_count(entry, "shown_coarsely", modelled("coarsely"));
    add_count(entry, "shown_by_name_only", modelled("by name only"));
    add_count(entry, "not_shown", modelled("not"));
    add_count(entry, "later", at_stage("later"));
    add_count(entry, "out_of_scope", at_stage("out of scope"));
    add_names(entry, "modelled_and_shown_coarsely", modelled("coarsely"));
    add_names(entry, "modelled_and_named_only", modelled("by name only"));
    add_names(entry, "modelled_and_not_shown", modelled("not"));
    return entry;
}
