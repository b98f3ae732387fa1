/* cmksim list KIND [PREFIX...] */
#include <string.h>

#include "analysis/catalogue.h"
#include "scenarios/diagnostic.h"
#include "scenarios/prices.h"
#include "sim/cli/cli.h"

typedef struct Options {
    char *stage;
    char **where;
    gboolean coverage;
    gboolean json;
    gboolean markdown;
    gboolean template;
} Options;

static void clear_options(Options *options)
{
    g_free(options->stage);
    g_strfreev(options->where);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, clear_options)

static int parse_options(Options *options, int *argc, char ***argv)
{
    GOptionEntry entries[] = {
        {"where", 'w', 0, G_OPTION_ARG_STRING_ARRAY, &options->where,
         "only those with this value, or this word in it; may be repeated", "PROPERTY=VALUE"},
        {"stage", 0, 0, G_OPTION_ARG_STRING, &options->stage,
         "only rules at this stage, as --where stage=...", "modelled|later|out of scope"},
        {"coverage", 0, 0, G_OPTION_ARG_NONE, &options->coverage,
         "rules: how many are modelled and how tests show them; which are shown poorly or not",
         NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options->json,
         "print one JSON object with all properties", NULL},
        {"markdown", 0, 0, G_OPTION_ARG_NONE, &options->markdown,
         "print a page as in docs/reference", NULL},
        {"template", 0, 0, G_OPTION_ARG_NONE, &options->template,
         "prices: print a file to edit, for `prices:` of a scenario", NULL},
        G_OPTION_ENTRY_NULL};
    g_autoptr(GString) description = g_string_new("Kinds:\n");
    uint32_t count = 0;
    const CmkCatalogueKind *kinds = cmk_catalogue_kinds(&count);
    for (uint32_t i = 0; i < count; i++) {
        g_string_append_printf(description, "  %-12s %.*s\n", kinds[i].name,
                               (int)strcspn(kinds[i].text, ".:;,"), kinds[i].text);
    }
    g_string_append(description, "\nExample: cmksim list rules SD --where provenance=assumed\n"
                                 "         cmksim list ops --where guards=key-exists\n"
                                 "         cmksim list prices --template > my-prices.yaml\n\n"
                                 "Exit code 2: a wrong option, kind, prefix, property or value.");
    return cmk_cli_parse("KIND [PREFIX...]",
                         "Lists what the model knows; `cmksim explain NAME` says more about one.",
                         description->str, entries, argc, argv);
}

/* ---- what to list ---------------------------------------------------------------------------- */

static const CmkCatalogueKind *find_kind(const char *name)
{
    const CmkCatalogueKind *kind = cmk_catalogue_kind(name);
    if (kind != NULL) {
        return kind;
    }
    uint32_t count = 0;
    const CmkCatalogueKind *kinds = cmk_catalogue_kinds(&count);
    g_autoptr(GString) all = g_string_new(NULL);
    for (uint32_t i = 0; i < count; i++) {
        const char *const names[] = {kinds[i].name, kinds[i].title}; /* "ops", "Operations" */
        if (cmk_suggest(name, names, G_N_ELEMENTS(names)) != NULL) {
            cmk_cli_error("there is no list of `%s`, did you mean `%s`?", name, kinds[i].name);
            return NULL;
        }
        g_string_append_printf(all, "%s%s", i == 0 ? "" : ", ", kinds[i].name);
    }
    cmk_cli_error("there is no list of `%s`; there are: %s", name, all->str);
    return NULL;
}

/* Those that begin with any of the prefixes; false (told) if there are none with one of them. */
static bool keep_prefixes(GPtrArray **entries, const CmkCatalogueKind *kind, char **prefixes)
{
    if (*prefixes == NULL) {
        return true;
    }
    GPtrArray *kept = cmk_entries_new();
    bool is_right = true;
    for (char **prefix = prefixes; *prefix != NULL && is_right; prefix++) {
        GPtrArray *some = kind->entries();
        cmk_catalogue_keep_prefix(some, *prefix);
        is_right = some->len > 0;
        if (!is_right) {
            g_autofree char *hint = cmk_catalogue_hint(*prefix);
            cmk_cli_error("none of the %s begins with `%s`, %s", kind->name, *prefix, hint);
        }
        g_ptr_array_extend_and_steal(kept, some);
    }
    g_ptr_array_unref(*entries);
    *entries = kept;
    return is_right;
}

#define TOLD_VALUES_MAX 12

/* No entry has the value: says which there are, or which is near. */
static void tell_values(const CmkCatalogueKind *kind, const char *property, const char *value)
{
    g_autoptr(GPtrArray) entries = kind->entries();
    g_autoptr(GPtrArray) values = cmk_catalogue_values(entries, property);
    const char *near = cmk_suggest(value, (const char *const *)values->pdata, values->len);
    if (near != NULL) {
        cmk_cli_error("none of the %s has %s=%s, did you mean `%s`?", kind->name, property, value,
                      near);
    } else if (values->len <= TOLD_VALUES_MAX) {
        g_ptr_array_add(values, NULL);
        g_autofree char *list = g_strjoinv(", ", (char **)values->pdata);
        cmk_cli_error("none of the %s has %s=%s; there are: %s", kind->name, property, value, list);
    } else {
        cmk_cli_error("none of the %s has %s=%s; `cmksim list %s --json` shows what they have",
                      kind->name, property, value, kind->name);
    }
}

static bool keep_where(GPtrArray *entries, const CmkCatalogueKind *kind, const char *condition)
{
    g_auto(GStrv) parts = g_strsplit(condition, "=", 2);
    if (g_strv_length(parts) != 2) {
        cmk_cli_error("--where takes PROPERTY=VALUE; `%s` has no `=`", condition);
        return false;
    }
    g_autoptr(GPtrArray) all = kind->entries();
    if (cmk_entry_property(g_ptr_array_index(all, 0), parts[0]) == NULL) {
        g_autofree char *names = cmk_entry_property_names(g_ptr_array_index(all, 0));
        cmk_cli_error("%s have no property `%s`; they have: %s", kind->name, parts[0], names);
        return false;
    }
    (void)cmk_catalogue_keep_where(all, parts[0], parts[1]);
    if (all->len == 0) { /* a slip; nothing left after several conditions is an answer */
        tell_values(kind, parts[0], parts[1]);
        return false;
    }
    return cmk_catalogue_keep_where(entries, parts[0], parts[1]);
}

static bool keep_stage(GPtrArray *entries, const CmkCatalogueKind *kind, const char *stage)
{
    static const char *const stages[] = {"modelled", "later", "out of scope", NULL};
    if (stage == NULL) {
        return true;
    }
    if (!g_strv_contains(stages, stage)) {
        cmk_cli_error("--stage takes one of: modelled, later, out of scope; `%s` is none of them",
                      stage);
        return false;
    }
    g_autofree char *condition = g_strdup_printf("stage=%s", stage);
    return keep_where(entries, kind, condition);
}

/* ---- printing -------------------------------------------------------------------------------- */

static bool print(const GPtrArray *entries, const CmkCatalogueKind *kind, const Options *options)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (options->json) {
        cmk_entries_print_json(entries, text);
    } else if (options->markdown) {
        g_string_append_printf(text,
                               "# %s\n\n%s\n\n"
                               "Written by `make docs` from the tables of the model.\n\n",
                               kind->title, kind->text);
        cmk_entries_print_markdown(entries, text);
    } else if (options->coverage) {
        cmk_entry_print(g_ptr_array_index(entries, 0), text);
    } else {
        cmk_entries_print_table(entries, text);
    }
    return cmk_cli_print(text->str);
}

/* The price book as a file that somebody fills with prices of their own. */
static bool print_template(void)
{
    CmkPriceBook book;
    cmk_price_book_init(&book);
    (void)g_strlcpy(book.name, "my-prices", sizeof(book.name));
    g_autoptr(GString) text = g_string_new(NULL);
    cmk_price_book_format(&book, text);
    return cmk_cli_print(text->str);
}

/* Whether these options make sense together; if not, it is told. */
static bool fit_together(const Options *options, const CmkCatalogueKind *kind, int argc)
{
    const bool has_filter = argc > 2 || options->where != NULL || options->stage != NULL;
    if (options->json && options->markdown) {
        cmk_cli_error("--json and --markdown exclude each other");
        return false;
    }
    if (options->coverage &&
        (strcmp(kind->name, "rules") != 0 || has_filter || options->markdown)) {
        cmk_cli_error("--coverage is about all rules: `cmksim list rules --coverage`");
        return false;
    }
    if (options->template && (strcmp(kind->name, "prices") != 0 || has_filter || options->json ||
                              options->markdown || options->coverage)) {
        cmk_cli_error("--template is a whole price book: `cmksim list prices --template`");
        return false;
    }
    return true;
}

int cmk_command_list(int argc, char **argv)
{
    g_auto(Options) options = {0};
    const int parsed = parse_options(&options, &argc, &argv);
    if (parsed != CMK_CLI_GO_ON) {
        return parsed;
    }
    if (argc < 2) {
        cmk_cli_error("say what to list, for instance `cmksim list errors`\n"
                      "Try `cmksim list --help`.");
        return CMK_EXIT_USAGE;
    }
    const CmkCatalogueKind *kind = find_kind(argv[1]);
    if (kind == NULL) {
        return CMK_EXIT_USAGE;
    }
    if (!fit_together(&options, kind, argc)) {
        return CMK_EXIT_USAGE;
    }
    if (options.template) {
        return print_template() ? CMK_EXIT_OK : CMK_EXIT_IO;
    }
    g_autoptr(GPtrArray) entries = options.coverage ? cmk_entries_new() : kind->entries();
    if (options.coverage) {
        g_ptr_array_add(entries, cmk_catalogue_coverage());
    }
    bool is_right =
        keep_prefixes(&entries, kind, argv + 2) && keep_stage(entries, kind, options.stage);
    for (char **where = options.where; is_right && where != NULL && *where != NULL; where++) {
        is_right = keep_where(entries, kind, *where);
    }
    if (!is_right) {
        return CMK_EXIT_USAGE;
    }
    return print(entries, kind, &options) ? CMK_EXIT_OK : CMK_EXIT_IO;
}
