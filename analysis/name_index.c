#include "analysis/name_index.h"

#include <string.h>

#define SEPARATOR "\n"
/* Row of a short name that several instances have. */
#define AMBIGUOUS (UINT32_MAX - 1)

typedef struct Name {
    const char *kind;
    const char *name;
    uint32_t row;
} Name;

struct CmkNameIndex {
    GArray *names;     /* of Name */
    GHashTable *index; /* "kind\nname" -> row */
};

static char *index_key(const char *kind, const char *name)
{
    return g_strconcat(kind, SEPARATOR, name, NULL);
}

static void add(CmkNameIndex *names, const char *kind, const char *name, uint32_t row)
{
    const Name entry = {.kind = kind, .name = name, .row = row};
    if (name == NULL)
        return;
    g_array_append_val(names->names, entry);
    g_hash_table_insert(names->index, index_key(kind, name), GUINT_TO_POINTER(row));
}

/* An instance is known as vault/instance, and as instance alone while no other is called so. */
static void add_short_name(CmkNameIndex *names, const CmkNamed *named)
{
    const char *slash = strrchr(named->name, '/');
    if (slash == NULL || strcmp(named->kind, "instance") != 0)
        return;
    g_autofree char *key = index_key(named->kind, slash + 1);
    if (g_hash_table_contains(names->index, key))
        g_hash_table_insert(names->index, g_steal_pointer(&key), GUINT_TO_POINTER(AMBIGUOUS));
    else
        add(names, named->kind, slash + 1, named->row);
}

static void add_plan(CmkNameIndex *names, const CmkScenario *scenario)
{
    for (guint i = 0; i < scenario->plan->len; i++) {
        const CmkPlanned *planned = &g_array_index(scenario->plan, CmkPlanned, i);
        if (planned->kind == CMK_PLAN_STEP)
            add(names, "step", planned->id, i + 1);
        else if (planned->kind == CMK_PLAN_FAULT)
            add(names, "fault", planned->id, i + 1);
    }
}

static void add_facts(CmkNameIndex *names)
{
    uint32_t count = 0;
    const CmkRegionFacts *regions = cmk_region_facts(&count);
    for (uint32_t i = 1; i < count; i++)
        add(names, "region", regions[i].name, i);
    const CmkDatasourceFacts *datasources = cmk_datasource_facts(&count);
    for (uint32_t i = 1; i < count; i++)
        add(names, "datasource", datasources[i].name, i);
}

CmkNameIndex *cmk_name_index_new(const CmkScenario *scenario)
{
    CmkNameIndex *names = g_new0(CmkNameIndex, 1);
    names->names = g_array_new(FALSE, FALSE, sizeof(Name));
    names->index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < scenario->named->len; i++) {
        const CmkNamed *named = &g_array_index(scenario->named, CmkNamed, i);
        add(names, named->kind, named->name, named->row);
        add_short_name(names, named);
    }
    add_plan(names, scenario);
    add_facts(names);
    return names;
}

void cmk_name_index_free(CmkNameIndex *names)
{
    if (names == NULL)
        return;
    g_array_unref(names->names);
    g_hash_table_unref(names->index);
    g_free(names);
}

bool cmk_name_index_find(const CmkNameIndex *names, const char *kind, const char *name,
                         uint32_t *ret_row)
{
    CMK_ASSERT(kind != NULL);
    CMK_ASSERT(name != NULL);
    g_autofree char *key = index_key(kind, name);
    gpointer row = NULL;
    if (g_hash_table_lookup_extended(names->index, key, NULL, &row)) {
        if (GPOINTER_TO_UINT(row) == AMBIGUOUS)
            return false;
        *ret_row = GPOINTER_TO_UINT(row);
        return true;
    }
    if (strcmp(kind, "region") == 0 && cmk_region_find(name).i != 0) {
        *ret_row = cmk_region_find(name).i;
        return true;
    }
    if (strcmp(name, "none") == 0) {
        *ret_row = CMK_NAME_NONE;
        return true;
    }
    if (strcmp(name, "system") == 0 && strcmp(kind, "identity") == 0) {
        *ret_row = CMK_NAME_SYSTEM;
        return true;
    }
    return false;
}

const char *cmk_name_index_text(const CmkNameIndex *names, const char *kind, uint32_t row)
{
    if (row == CMK_NAME_NONE)
        return "none";
    if (row == CMK_NAME_SYSTEM)
        return "system";
    for (guint i = 0; i < names->names->len; i++) {
        const Name *entry = &g_array_index(names->names, Name, i);
        if (entry->row == row && strcmp(entry->kind, kind) == 0)
            return entry->name;
    }
    return "?";
}

const char **cmk_name_index_list(const CmkNameIndex *names, const char *kind, size_t *ret_count)
{
    const char **list = g_new0(const char *, names->names->len + 1);
    size_t count = 0;
    for (guint i = 0; i < names->names->len; i++) {
        const Name *entry = &g_array_index(names->names, Name, i);
        if (strcmp(entry->kind, kind) == 0)
            list[count++] = entry->name;
    }
    *ret_count = count;
    return list;
}

const char *cmk_name_index_kind_text(const char *kind)
{
    static const struct {
        const char *kind;
        const char *text;
    } texts[] = {{"backup_vault", "Backup vault"},
                 {"key_vault", "key vault"},
                 {"managed_hsm", "Managed HSM"},
                 {"key", "key"},
                 {"identity", "user-assigned identity"},
                 {"policy", "backup policy"},
                 {"instance", "backup instance"},
                 {"fault", "fault with the id"},
                 {"step", "step with the id"},
                 {"region", "region"},
                 {"datasource", "datasource"}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(texts); i++) {
        if (strcmp(texts[i].kind, kind) == 0)
            return texts[i].text;
    }
    return kind;
}
