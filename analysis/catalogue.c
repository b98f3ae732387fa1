#include "analysis/catalogue.h"

#include <string.h>

#include "scenarios/diagnostic.h"
#include "sim/base.h"

static const CmkCatalogueKind kinds[] = {
    {"rules", "Rules",
     "The facts and assumptions that the model rests on, and where each comes from. A rule is "
     "modelled if something in the model cites it.",
     NULL, cmk_catalogue_rules},
    {"ops", "Operations",
     "Everything that can change the simulated world; what is a step can stand in a timeline, the "
     "rest is done by faults and by the services. The guards are asked in this order, and the "
     "first that does not hold decides how the operation ends.",
     NULL, cmk_catalogue_operations},
    {"guards", "Guards",
     "What must hold before something may happen, and how the operation ends if it does not.", NULL,
     cmk_catalogue_guards},
    {"errors", "Error codes",
     "The codes that people see, and in how many ways the model comes to each; `cmksim explain "
     "CODE` lists these ways and what mends them. Codes that begin with SimError are the "
     "simulator's own.",
     NULL, cmk_catalogue_errors},
    {"statuses", "Statuses", "How an operation can end. Numbers are stable.", NULL,
     cmk_catalogue_statuses},
    {"roles", "Roles", "The built-in roles, and what each allows.", "guid", cmk_catalogue_roles},
    {"regions", "Regions",
     "The regions, which region each is paired with, and whether its key vaults fail over there.",
     "display_name", cmk_catalogue_regions},
    {"datasources", "Datasources",
     "What can be backed up, how often, and the stores that the backups can lie in. Only the vault "
     "and archive stores depend on the key.",
     "resource_type", cmk_catalogue_datasources},
    {"knobs", "Knobs",
     "What a scenario may set where the documents are silent or the service varies, with the value "
     "in each profile.",
     NULL, cmk_catalogue_knobs},
    {"prices", "Prices", "The price book in US dollars, and whether a source confirms each price.",
     NULL, cmk_catalogue_prices},
    {"faults", "Faults",
     "What a scenario can let go wrong: the operation that happens, the one that ends it, and what "
     "people do to recover.",
     NULL, cmk_catalogue_faults},
    {"profiles", "Profiles",
     "Sets of values of the knobs: all of the first one, and what differs in the others.", NULL,
     cmk_catalogue_profiles},
};

const CmkCatalogueKind *cmk_catalogue_kinds(uint32_t *ret_count)
{
    *ret_count = (uint32_t)CMK_ARRAY_LEN(kinds);
    return kinds;
}

const CmkCatalogueKind *cmk_catalogue_kind(const char *name)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* ---- finding --------------------------------------------------------------------------------- */

static bool is_called(const CmkEntry *entry, const char *aliases, const char *name)
{
    if (g_ascii_strcasecmp(entry->name, name) == 0) {
        return true;
    }
    if (aliases == NULL) {
        return false;
    }
    g_autofree char *alias = cmk_property_text(cmk_entry_property(entry, aliases), " ");
    return g_ascii_strcasecmp(alias, name) == 0;
}

GPtrArray *cmk_catalogue_find(const char *name)
{
    GPtrArray *found = cmk_entries_new();
    for (size_t i = 0; i < CMK_ARRAY_LEN(kinds); i++) {
        g_autoptr(GPtrArray) entries = kinds[i].entries();
        for (guint j = 0; j < entries->len;) {
            if (is_called(g_ptr_array_index(entries, j), kinds[i].aliases, name)) {
                g_ptr_array_add(found, g_ptr_array_steal_index(entries, j));
            } else {
                j++;
            }
        }
    }
    return found;
}

char *cmk_catalogue_suggest(const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < CMK_ARRAY_LEN(kinds); i++) {
        g_autoptr(GPtrArray) entries = kinds[i].entries();
        for (guint j = 0; j < entries->len; j++) {
            const CmkEntry *entry = g_ptr_array_index(entries, j);
            g_ptr_array_add(names, g_strdup(entry->name));
        }
    }
    return g_strdup(cmk_suggest(name, (const char *const *)names->pdata, names->len));
}

/* ---- filters --------------------------------------------------------------------------------- */

/* A word of a name ends before a sign, and before a number that follows a letter: "BV-T|12". */
static bool has_prefix(const char *name, const char *prefix)
{
    const size_t length = strlen(prefix);
    if (length == 0 || g_ascii_strncasecmp(name, prefix, length) != 0) {
        return false;
    }
    const char last = name[length - 1];
    const char next = name[length];
    return (!g_ascii_isalnum(next) && next != '_') ||
           (g_ascii_isalpha(last) && g_ascii_isdigit(next));
}

void cmk_catalogue_keep_prefix(GPtrArray *entries, const char *prefix)
{
    for (guint i = entries->len; i > 0; i--) {
        const CmkEntry *entry = g_ptr_array_index(entries, i - 1);
        if (!has_prefix(entry->name, prefix)) {
            g_ptr_array_remove_index(entries, i - 1);
        }
    }
}

static bool holds(const CmkProperty *property, const char *value)
{
    if (property->list == NULL) {
        g_autofree char *text = cmk_property_text(property, " ");
        return g_ascii_strcasecmp(text, value) == 0;
    }
    for (guint i = 0; i < property->list->len; i++) {
        const void *item = g_ptr_array_index(property->list, i);
        const char *word =
            property->shape == CMK_PROPERTY_ENTRIES ? ((const CmkEntry *)item)->name : item;
        if (g_ascii_strcasecmp(word, value) == 0) {
            return true;
        }
    }
    return false;
}

bool cmk_catalogue_keep_where(GPtrArray *entries, const char *name, const char *value)
{
    for (guint i = entries->len; i > 0; i--) {
        const CmkProperty *property = cmk_entry_property(g_ptr_array_index(entries, i - 1), name);
        if (property == NULL) {
            return false;
        }
        if (!holds(property, value)) {
            g_ptr_array_remove_index(entries, i - 1);
        }
    }
    return true;
}
