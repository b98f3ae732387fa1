/* The catalogue: entries are printed in each form, and every row of the model's tables is one. */
#include <string.h>

#include <criterion/criterion.h>
#include <json-glib/json-glib.h>

#include "analysis/catalogue.h"
#include "analysis/coverage.h"
#include "faults/catalogue.h"
#include "models/citations.h"
#include "models/error_map.h"

/* ---- printing -------------------------------------------------------------------------------- */

static GPtrArray *two_entries(void)
{
    GPtrArray *entries = cmk_entries_new();
    for (int i = 0; i < 2; i++) {
        GPtrArray *lines = cmk_lines_new();
        g_ptr_array_add(lines, g_strdup("one line"));
        g_ptr_array_add(lines, g_strdup("another"));
        GPtrArray *parts = cmk_entries_new();
        CmkEntry *part = cmk_entry_new("part", "p");
        cmk_entry_add_text(part, CMK_PROPERTY_DETAIL, "must_hold", "It is there.");
        g_ptr_array_add(parts, part);
        CmkEntry *entry = cmk_entry_new("thing", i == 0 ? "a" : "longer");
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "text", i == 0 ? "x|y" : NULL);
        cmk_entry_add_number(entry, CMK_PROPERTY_COLUMN, "number", i);
        cmk_entry_add_words(entry, CMK_PROPERTY_PAGE, "rules", " BV-1  BV-2 ");
        cmk_entry_add_lines(entry, CMK_PROPERTY_DETAIL, "lines", lines);
        cmk_entry_add_entries(entry, CMK_PROPERTY_DETAIL, "parts", parts);
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

Test(catalogue, prints_a_table)
{
    g_autoptr(GPtrArray) entries = two_entries();
    g_autoptr(GString) text = g_string_new(NULL);
    cmk_entries_print_table(entries, text);
    cr_assert_str_eq(text->str, "NAME    TEXT  NUMBER\n"
                                "a       x|y   0\n"
                                "longer        1\n");
    g_ptr_array_set_size(entries, 0);
    g_string_truncate(text, 0);
    cmk_entries_print_table(entries, text);
    cr_assert_str_eq(text->str, "", "nothing at all for nothing");
}

Test(catalogue, prints_all_about_one)
{
    g_autoptr(GPtrArray) entries = two_entries();
    g_autoptr(GString) text = g_string_new(NULL);
    cmk_entry_print(g_ptr_array_index(entries, 1), text);
    cr_assert_str_eq(text->str, "longer (thing)\n"
                                "  number: 1\n"
                                "  rules: BV-1 BV-2\n"
                                "  lines:\n    one line\n    another\n"
                                "  parts:\n    p - must hold: It is there.\n");
}

Test(catalogue, wraps_long_texts)
{
    GString *long_text = g_string_new("word");
    for (int i = 0; i < 60; i++) {
        g_string_append(long_text, " word");
    }
    g_autoptr(CmkEntry) entry = cmk_entry_new("thing", "a");
    g_autofree char *words = g_string_free(long_text, FALSE);
    cmk_entry_add_text(entry, CMK_PROPERTY_DETAIL, "text", words);
    g_autoptr(GString) text = g_string_new(NULL);
    cmk_entry_print(entry, text);
    g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
    cr_assert_eq(g_strv_length(lines), 6);
    for (char **line = lines; *line != NULL; line++) {
        cr_expect_leq(strlen(*line), 100, "%s", *line);
    }
}

Test(catalogue, prints_json_with_keys_in_order)
{
    g_autoptr(GPtrArray) entries = two_entries();
    g_autoptr(GString) text = g_string_new(NULL);
    cmk_entries_print_json(entries, text);
    g_autoptr(JsonParser) parser = json_parser_new();
    cr_assert(json_parser_load_from_data(parser, text->str, -1, NULL));
    JsonObject *root = json_node_get_object(json_parser_get_root(parser));
    cr_assert_eq(json_object_get_int_member(root, "schema_version"), 1);
    JsonObject *entry =
        json_array_get_object_element(json_object_get_array_member(root, "entries"), 1);
    cr_assert(json_object_get_null_member(entry, "text"));
    cr_assert_eq(json_object_get_int_member(entry, "number"), 1);
    cr_assert_eq(json_array_get_length(json_object_get_array_member(entry, "rules")), 2);
    static const char *const keys[] = {"kind", "lines", "name", "number", "parts", "rules", "text"};
    const char *before = text->str;
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *quoted = g_strdup_printf("\n      \"%s\" : ", keys[i]);
        const char *at = strstr(before, quoted);
        cr_assert_not_null(at, "%s comes in its place in %s", keys[i], text->str);
        before = at;
    }
}

Test(catalogue, prints_a_page)
{
    g_autoptr(GPtrArray) entries = two_entries();
    g_autoptr(GString) text = g_string_new(NULL);
    cmk_entries_print_markdown(entries, text);
    cr_assert_str_eq(text->str, "| name | text | number | rules |\n"
                                "| --- | --- | ---: | --- |\n"
                                "| <a id=\"a\"></a>`a` | x\\|y | 0 | BV-1, BV-2 |\n"
                                "| <a id=\"longer\"></a>`longer` |  | 1 | BV-1, BV-2 |\n");
}

/* ---- what is in it --------------------------------------------------------------------------- */

static guint count_of(const char *name)
{
    g_autoptr(GPtrArray) entries = cmk_catalogue_kind(name)->entries();
    return entries->len;
}

Test(catalogue, has_every_row_of_every_table)
{
    const CmkModel *model = cmk_azure_model();
    uint32_t count = 0;
    cr_expect_eq(count_of("ops"), model->operation_count - 1);
    cr_expect_eq(count_of("guards"), model->guard_count - 1);
    cr_expect_eq(count_of("statuses"), model->status_count);
    cr_expect_eq(count_of("knobs"), model->knob_count);
    (void)cmk_rules(&count);
    cr_expect_eq(count_of("rules"), count);
    (void)cmk_role_facts(&count);
    cr_expect_eq(count_of("roles"), count - 1);
    (void)cmk_region_facts(&count);
    cr_expect_eq(count_of("regions"), count - 1);
    (void)cmk_datasource_facts(&count);
    cr_expect_eq(count_of("datasources"), count - 1);
    (void)cmk_price_book(&count);
    cr_expect_eq(count_of("prices"), count);
    (void)cmk_faults(&count);
    cr_expect_eq(count_of("faults"), count);
    cr_expect_eq(count_of("profiles"), 4);
}

/* Whoever adds a type of parameter or a permission gives it a word in catalogue_model.c. */
Test(catalogue, has_a_word_for_every_parameter_and_permission)
{
    g_autoptr(GPtrArray) operations = cmk_catalogue_operations();
    for (guint i = 0; i < operations->len; i++) {
        const CmkEntry *entry = g_ptr_array_index(operations, i);
        g_autofree char *params = cmk_property_text(cmk_entry_property(entry, "parameters"), "\n");
        cr_expect_null(strstr(params, ": a name"), "%s: %s", entry->name, params);
        g_autofree char *permission =
            cmk_property_text(cmk_entry_property(entry, "permission"), " ");
        cr_expect_null(strstr(permission, "other"), "%s: %s", entry->name, permission);
    }
}

/* All entries of one kind have the same properties in the same order: --where and pages need it. */
Test(catalogue, entries_of_a_kind_are_alike)
{
    uint32_t count = 0;
    const CmkCatalogueKind *kinds = cmk_catalogue_kinds(&count);
    for (uint32_t i = 0; i < count; i++) {
        g_autoptr(GPtrArray) entries = kinds[i].entries();
        const CmkEntry *first = g_ptr_array_index(entries, 0);
        for (guint j = 1; j < entries->len; j++) {
            const CmkEntry *entry = g_ptr_array_index(entries, j);
            cr_assert_eq(entry->properties->len, first->properties->len, "%s", entry->name);
            for (guint k = 0; k < first->properties->len; k++) {
                const CmkProperty *mine = &g_array_index(entry->properties, CmkProperty, k);
                const CmkProperty *other = &g_array_index(first->properties, CmkProperty, k);
                cr_expect_str_eq(mine->name, other->name, "%s", entry->name);
                cr_expect_eq(mine->use, other->use, "%s", entry->name);
                cr_expect_eq(mine->shape, other->shape, "%s", entry->name);
            }
        }
    }
}

Test(catalogue, finds_each_entry_by_its_name)
{
    uint32_t count = 0;
    const CmkCatalogueKind *kinds = cmk_catalogue_kinds(&count);
    for (uint32_t i = 0; i < count; i++) {
        g_autoptr(GPtrArray) entries = kinds[i].entries();
        const CmkEntry *last = g_ptr_array_index(entries, entries->len - 1);
        g_autoptr(GPtrArray) found = cmk_catalogue_find(last->name);
        cr_expect_geq(found->len, 1, "%s", last->name);
    }
    g_autoptr(GPtrArray) none = cmk_catalogue_find("BV-");
    cr_assert_eq(none->len, 0);
}

/* Nobody is left alone with a name that nothing has. */
Test(catalogue, hints_at_what_was_meant)
{
    static const struct {
        const char *name;
        const char *hint;
    } cases[] = {
        {"key.unwarp", "did you mean `key.unwrap`? `cmksim list ops key` names its kin"},
        {"BV-999", "did you mean `BV-9`? `cmksim list rules BV` names its kin"},
        {"key-exist", "did you mean `key-exists`? `cmksim list guards key` names its kin"},
        {"westeurop", "did you mean `westeurope`?"},
        {"ERR-M", "try `cmksim list rules ERR-M`"},
        {"NotAttached", "names with `NotAttached` in them: `SimErrorUserIdentityNotAttached`"},
        {"frobnicate", "try `cmksim list --help`"},
        {"", "try `cmksim list --help`"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *hint = cmk_catalogue_hint(cases[i].name);
        cr_expect_str_eq(hint, cases[i].hint, "%s: %s", cases[i].name, hint);
    }
    g_autofree char *many = cmk_catalogue_hint("lets");
    cr_expect(g_str_has_prefix(many, "names with `lets` in them: `") &&
                  g_str_has_suffix(many, "`, ..."),
              "%s", many);
}

/* People see inner codes in the key vault's answers. */
Test(catalogue, finds_statuses_by_their_inner_code)
{
    g_autoptr(GPtrArray) found = cmk_catalogue_find("keydisabled");
    cr_assert_eq(found->len, 1);
    cr_expect_str_eq(((CmkEntry *)g_ptr_array_index(found, 0))->name, "KEY_DISABLED");
    g_autoptr(GPtrArray) none = cmk_catalogue_find("");
    cr_expect_eq(none->len, 0, "most statuses have no inner code");
}

Test(catalogue, names_the_values_that_a_property_has)
{
    g_autoptr(GPtrArray) rules = cmk_catalogue_rules();
    g_autoptr(GPtrArray) values = cmk_catalogue_values(rules, "provenance");
    cr_expect_eq(values->len, 4, "documented, inferred, article, assumed");
    g_autoptr(GPtrArray) operations = cmk_catalogue_operations();
    g_autoptr(GPtrArray) guards = cmk_catalogue_values(operations, "guards");
    cr_expect_eq(guards->len, cmk_azure_model()->guard_count - 1, "each guard once");
}

Test(catalogue, spells_rules_out)
{
    g_autoptr(GPtrArray) found = cmk_catalogue_find("version-is-enabled");
    cr_assert_eq(found->len, 1);
    CmkEntry *entry = g_ptr_array_index(found, 0);
    cmk_catalogue_spell_rules(entry);
    g_autoptr(GString) text = g_string_new(NULL);
    cmk_entry_print(entry, text);
    cr_assert_not_null(strstr(text->str, "    KV-16 - provenance: documented; text: "), "%s",
                       text->str);
}

/* Each cell of the error map is a way to the code that stands in it. */
Test(catalogue, each_row_of_the_error_map_is_a_cause)
{
    const CmkModel *model = cmk_azure_model();
    uint32_t count = 0;
    const CmkErrorRow *rows = cmk_error_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        const CmkStatus statuses[] = {rows[i].settings, rows[i].job};
        for (size_t j = 0; j < G_N_ELEMENTS(statuses); j++) {
            const char *code = model->statuses[statuses[j]].code;
            g_autoptr(GPtrArray) errors = cmk_catalogue_errors();
            cr_assert(
                cmk_catalogue_keep_where(errors, "causes", model->guards[rows[i].guard]->name));
            bool is_found = false;
            for (guint k = 0; k < errors->len; k++) {
                is_found |= strcmp(((CmkEntry *)g_ptr_array_index(errors, k))->name, code) == 0;
            }
            cr_expect(is_found, "%s: %s", rows[i].rule, code);
        }
    }
}

static const CmkEntry *entry_of(const GPtrArray *found)
{
    cr_assert_eq(found->len, 1);
    return g_ptr_array_index(found, 0);
}

/* Who reads of an open question learns which setting answers it otherwise. */
Test(catalogue, each_open_question_is_a_setting)
{
    g_autoptr(GPtrArray) rules = cmk_catalogue_rules();
    uint32_t settings = 0;
    for (guint i = 0; i < rules->len; i++) {
        const CmkEntry *rule = g_ptr_array_index(rules, i);
        const char *choice = cmk_entry_property(rule, "choice")->text;
        const char *stage = cmk_entry_property(rule, "stage")->text;
        if (!g_str_has_prefix(rule->name, "OQ-")) {
            cr_expect_null(choice, "%s", rule->name);
        } else if (strcmp(stage, "modelled") == 0) {
            cr_assert_not_null(choice, "%s: no setting cites it", rule->name);
            settings += strncmp(choice, "setting ", 8) == 0;
        }
    }
    cr_assert_gt(settings, 30);
    g_autoptr(GPtrArray) found = cmk_catalogue_find("OQ-13");
    cr_assert_str_eq(cmk_entry_property(entry_of(found), "choice")->text,
                     "setting refused_update_breaks_settings");
}

/* ERR-7: a vault's deletion asks for the key, hence fails with what refuses these requests, but not
 * with what would refuse to wrap. */
Test(catalogue, deletion_is_a_way_to_its_code)
{
    g_autoptr(GPtrArray) found = cmk_catalogue_find("CloudServiceRetryableError");
    const GPtrArray *ways = cmk_entry_property(entry_of(found), "causes")->list;
    bool is_key_asked = false;
    for (guint i = 0; i < ways->len; i++) {
        const CmkEntry *way = g_ptr_array_index(ways, i);
        const char *when = cmk_entry_property(way, "when")->text;
        is_key_asked |= strcmp(way->name, "key-exists") == 0 &&
                        strcmp(when, "deletion of the Backup vault") == 0;
        cr_expect_str_neq(way->name, "role-lets-wrap");
    }
    cr_expect(is_key_asked);
}

/* ERR-24: the answer of a code to whose error it is, and advice for each of its meanings. */
Test(catalogue, errors_say_what_to_do)
{
    static const struct {
        const char *code;
        const char *is_user_error;
        const char *is_retryable;
        const char *targets;
    } cases[] = {{"CloudServiceRetryableError", "no", "yes", "keyVault encryptionSettings"},
                 {"UserErrorCMKKeyVaultAuthFailure", "yes", "no", "key currentKey"},
                 {"SimErrorGenericDatabaseError", "yes", "no", "backupInstance"},
                 {"KeyNotFound", "", "", ""}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) found = cmk_catalogue_find(cases[i].code);
        const CmkEntry *entry = entry_of(found);
        const char *const names[] = {"is_user_error", "is_retryable", "target"};
        const char *const expected[] = {cases[i].is_user_error, cases[i].is_retryable,
                                        cases[i].targets};
        for (size_t j = 0; j < G_N_ELEMENTS(names); j++) {
            g_autofree char *text = cmk_property_text(cmk_entry_property(entry, names[j]), " ");
            cr_expect_str_eq(text, expected[j], "%s: %s is %s", cases[i].code, names[j], text);
        }
    }
}

static bool is_filled(const CmkEntry *entry, const char *name)
{
    g_autofree char *text = cmk_property_text(cmk_entry_property(entry, name), " ");
    return *text != '\0';
}

/* Meaning, causes, remedy, rules; and of each rule where it comes from. */
Test(catalogue, every_error_is_explained_to_the_end)
{
    static const char *const wanted[] = {"meaning", "causes", "remedies", "rules"};
    g_autoptr(GPtrArray) errors = cmk_catalogue_errors();
    for (guint i = 0; i < errors->len; i++) {
        CmkEntry *entry = g_ptr_array_index(errors, i);
        for (size_t j = 0; j < G_N_ELEMENTS(wanted); j++) {
            cr_expect(is_filled(entry, wanted[j]), "%s has no %s", entry->name, wanted[j]);
        }
        cmk_catalogue_spell_rules(entry);
        const GPtrArray *rules = cmk_entry_property(entry, "rules")->list;
        for (guint j = 0; j < rules->len; j++) {
            const CmkEntry *rule = g_ptr_array_index(rules, j);
            cr_expect(is_filled(rule, "provenance"), "%s: %s", entry->name, rule->name);
        }
    }
}

/* Who asks it, and what to do where it does not hold. */
Test(catalogue, every_guard_is_explained_to_the_end)
{
    g_autoptr(GPtrArray) guards = cmk_catalogue_guards();
    for (guint i = 0; i < guards->len; i++) {
        const CmkEntry *entry = g_ptr_array_index(guards, i);
        cr_expect(is_filled(entry, "asked_by"), "%s", entry->name);
        cr_expect_neq(is_filled(entry, "repairs"), is_filled(entry, "to_do"), "%s", entry->name);
    }
}

/* What is modelled says what rests on it, what is not says why. */
Test(catalogue, every_rule_says_where_it_is_used)
{
    g_autoptr(GPtrArray) rules = cmk_catalogue_rules();
    for (guint i = 0; i < rules->len; i++) {
        const CmkEntry *entry = g_ptr_array_index(rules, i);
        const char *stage = cmk_entry_property(entry, "stage")->text;
        cr_expect(is_filled(entry, "source"), "%s", entry->name);
        cr_expect_eq(is_filled(entry, "cited_by"), strcmp(stage, "modelled") == 0, "%s",
                     entry->name);
        cr_expect_eq(is_filled(entry, "left_out_because"), strcmp(stage, "out of scope") == 0, "%s",
                     entry->name);
    }
}

Test(catalogue, keeps_by_prefix_up_to_the_end_of_a_word)
{
    static const struct {
        const char *kind;
        const char *prefix;
        const char *kept;
        const char *left;
    } cases[] = {{"rules", "SD", "SD-9", "THR-1"},
                 {"rules", "BV-1", "BV-1", "BV-10"},
                 {"rules", "BV-T", "BV-T12", "BV-12"},
                 {"ops", "key", "key.get", "key_vault.create"},
                 {"ops", "KEY_VAULT", "key_vault.create", "key.get"},
                 {"regions", "westus", "westus2", "westeurope"},
                 {"errors", "UserErrorCMK", "UserErrorCMKKeyVaultAuthFailure", "Forbidden"},
                 {"errors", "User", "UserErrorSystemIdentityNotEnabledWithVault", "Unauthorized"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) entries = cmk_catalogue_kind(cases[i].kind)->entries();
        cmk_catalogue_keep_prefix(entries, cases[i].prefix);
        bool has_kept = false;
        bool has_left = false;
        for (guint j = 0; j < entries->len; j++) {
            const char *name = ((CmkEntry *)g_ptr_array_index(entries, j))->name;
            has_kept |= strcmp(name, cases[i].kept) == 0;
            has_left |= strcmp(name, cases[i].left) == 0;
        }
        cr_expect(has_kept && !has_left, "%s %s", cases[i].kind, cases[i].prefix);
    }
}

/* ---- coverage -------------------------------------------------------------------------------- */

static int64_t number_of(const CmkEntry *entry, const char *name)
{
    const CmkProperty *property = cmk_entry_property(entry, name);
    cr_assert_not_null(property, "%s", name);
    return property->number;
}

Test(catalogue, coverage_adds_up)
{
    g_autoptr(CmkEntry) entry = cmk_catalogue_coverage();
    cr_assert_eq(number_of(entry, "rules"), number_of(entry, "modelled") +
                                                number_of(entry, "later") +
                                                number_of(entry, "out_of_scope"));
    cr_assert_eq(number_of(entry, "modelled"),
                 number_of(entry, "shown_by_a_row") + number_of(entry, "shown_by_a_test") +
                     number_of(entry, "shown_coarsely") + number_of(entry, "shown_by_name_only") +
                     number_of(entry, "not_shown"));
    cr_assert_eq(number_of(entry, "not_shown"),
                 cmk_entry_property(entry, "modelled_and_not_shown")->list->len);
    cr_assert_gt(number_of(entry, "shown_by_a_row"), 0);
}

Test(catalogue, coverage_is_about_rules_that_are_modelled)
{
    uint32_t count = 0;
    const CmkShown *shown = cmk_coverage(&count);
    cr_assert_gt(count, 0);
    for (uint32_t i = 0; i < count; i++) {
        const CmkRule *rule = cmk_rule_find(shown[i].rule, strlen(shown[i].rule));
        cr_assert_not_null(rule, "%s", shown[i].rule);
        if (shown[i].by != CMK_SHOWN_BY_TEST_UNBROKEN) {
            cr_expect_str_eq(cmk_rule_stage(cmk_azure_model(), rule), "modelled", "%s", rule->id);
        }
        cr_expect_neq(shown[i].why[0], '\0', "%s: %s", rule->id, shown[i].row);
    }
}
