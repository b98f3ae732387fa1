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
    {"statuses", "Statuses", "How an operation can end. Numbers are stable.", "inner_code",
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
    return *alias != '\0' && g_ascii_strcasecmp(alias, name) == 0;
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

/* The names of all entries, kind by kind. */
static GPtrArray *all_names(void)
{
    GPtrArray *names = cmk_lines_new();
    for (size_t i = 0; i < CMK_ARRAY_LEN(kinds); i++) {
        g_autoptr(GPtrArray) entries = kinds[i].entries();
        for (guint j = 0; j < entries->len; j++) {
            const CmkEntry *entry = g_ptr_array_index(entries, j);
            g_ptr_array_add(names, g_strdup(entry->name));
        }
    }
    return names;
}

/* The kind that has names with this prefix; NULL if none has. */
static const CmkCatalogueKind *kind_of_prefix(const char *prefix)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(kinds); i++) {
        g_autoptr(GPtrArray) entries = kinds[i].entries();
        cmk_catalogue_keep_prefix(entries, prefix);
        if (entries->len > 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* "did you mean `BV-9`? `cmksim list rules BV` names its kin": a near name is not always it. */
static char *near_hint(const char *near)
{
    g_autofree char *family = g_strndup(near, strcspn(near, "-."));
    for (size_t i = 0; i < CMK_ARRAY_LEN(kinds) && strcmp(family, near) != 0; i++) {
        g_autoptr(GPtrArray) kin = kinds[i].entries();
        cmk_catalogue_keep_prefix(kin, family);
        for (guint j = 0; j < kin->len && kin->len > 1; j++) {
            const CmkEntry *entry = g_ptr_array_index(kin, j);
            if (strcmp(entry->name, near) == 0) {
                return g_strdup_printf("did you mean `%s`? `cmksim list %s %s` names its kin", near,
                                       kinds[i].name, family);
            }
        }
    }
    return g_strdup_printf("did you mean `%s`?", near);
}

#define HINTED_NAMES_MAX 6

/* "names with `wrap` in them: `key.wrap`, ..."; NULL if there are none. */
static char *containing_hint(const char *name, const GPtrArray *names)
{
    g_autofree char *wanted = g_ascii_strdown(name, -1);
    g_autoptr(GString) hint = g_string_new(NULL);
    uint32_t count = 0;
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *lower = g_ascii_strdown(g_ptr_array_index(names, i), -1);
        if (strstr(lower, wanted) != NULL) {
            count++;
            if (count <= HINTED_NAMES_MAX) {
                g_string_append_printf(hint, "%s`%s`", count == 1 ? "" : ", ",
                                       (const char *)g_ptr_array_index(names, i));
            }
        }
    }
    const char *more = count > HINTED_NAMES_MAX ? ", ..." : "";
    return count == 0 || *name == '\0'
               ? NULL
               : g_strdup_printf("names with `%s` in them: %s%s", name, hint->str, more);
}

char *cmk_catalogue_hint(const char *name)
{
    const CmkCatalogueKind *kind = kind_of_prefix(name);
    if (kind != NULL) {
        return g_strdup_printf("try `cmksim list %s %s`", kind->name, name);
    }
    g_autoptr(GPtrArray) names = all_names();
    const char *near = cmk_suggest(name, (const char *const *)names->pdata, names->len);
    if (near != NULL) {
        return near_hint(near);
    }
    char *hint = containing_hint(name, names);
    return hint != NULL ? hint : g_strdup("try `cmksim list --help`");
}

/* ---- filters --------------------------------------------------------------------------------- */

/* A word of a name ends before a sign, before a number that follows a letter, and before a capital
 * beside a small one: "BV-T|12", "User|Error|CMKKey|Vault". */
static bool has_prefix(const char *name, const char *prefix)
{
    const size_t length = strlen(prefix);
    if (length == 0 || g_ascii_strncasecmp(name, prefix, length) != 0) {
        return false;
    }
    const char last = name[length - 1];
    const char next = name[length];
    return (!g_ascii_isalnum(next) && next != '_') ||
           (g_ascii_isalpha(last) && g_ascii_isdigit(next)) ||
           (g_ascii_isupper(next) && (g_ascii_islower(last) || g_ascii_islower(name[length + 1])));
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

/* One of the words of a property; its text if it has no list. Owned by the caller. */
static char *value_at(const CmkProperty *property, guint index)
{
    if (property->list == NULL) {
        return cmk_property_text(property, " ");
    }
    const void *item = g_ptr_array_index(property->list, index);
    return g_strdup(property->shape == CMK_PROPERTY_ENTRIES ? ((const CmkEntry *)item)->name
                                                            : (const char *)item);
}

static bool holds(const CmkProperty *property, const char *value)
{
    const guint count = property->list == NULL ? 1 : property->list->len;
    for (guint i = 0; i < count; i++) {
        g_autofree char *word = value_at(property, i);
        if (g_ascii_strcasecmp(word, value) == 0) {
            return true;
        }
    }
    return false;
}

GPtrArray *cmk_catalogue_values(const GPtrArray *entries, const char *name)
{
    GPtrArray *values = cmk_lines_new();
    for (guint i = 0; i < entries->len; i++) {
        const CmkProperty *property = cmk_entry_property(g_ptr_array_index(entries, i), name);
        const guint count = property->list == NULL ? 1 : property->list->len;
        for (guint j = 0; j < count; j++) {
            g_autofree char *value = value_at(property, j);
            if (*value != '\0' &&
                !g_ptr_array_find_with_equal_func(values, value, g_str_equal, NULL)) {
                g_ptr_array_add(values, g_steal_pointer(&value));
            }
        }
    }
    return values;
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
