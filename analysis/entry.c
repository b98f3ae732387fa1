#include "analysis/entry.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include <json-glib/json-glib.h>

#define SCHEMA_VERSION 1
#define NAME_COLUMN "name"
#define COLUMNS_MAX 100 /* of a terminal line */

/* ---- making ---------------------------------------------------------------------------------- */

static void clear_property(gpointer data)
{
    CmkProperty *property = data;
    g_free(property->text);
    if (property->list != NULL) {
        g_ptr_array_unref(property->list);
    }
}

CmkEntry *cmk_entry_new(const char *kind, const char *name)
{
    CmkEntry *entry = g_new0(CmkEntry, 1);
    entry->kind = kind;
    entry->name = g_strdup(name);
    entry->properties = g_array_new(FALSE, TRUE, sizeof(CmkProperty));
    g_array_set_clear_func(entry->properties, clear_property);
    return entry;
}

void cmk_entry_free(CmkEntry *entry)
{
    if (entry != NULL) {
        g_array_unref(entry->properties);
        g_free(entry->name);
        g_free(entry);
    }
}

static void free_entry(gpointer data)
{
    cmk_entry_free(data);
}

GPtrArray *cmk_lines_new(void)
{
    return g_ptr_array_new_with_free_func(g_free);
}

GPtrArray *cmk_entries_new(void)
{
    return g_ptr_array_new_with_free_func(free_entry);
}

void cmk_entry_add_text(CmkEntry *entry, CmkPropertyUse use, const char *name, const char *text)
{
    const CmkProperty property = {.name = name,
                                  .use = use,
                                  .shape = CMK_PROPERTY_TEXT,
                                  .text = text == NULL || *text == '\0' ? NULL : g_strdup(text)};
    g_array_append_val(entry->properties, property);
}

void cmk_entry_add_number(CmkEntry *entry, CmkPropertyUse use, const char *name, int64_t number)
{
    const CmkProperty property = {
        .name = name, .use = use, .shape = CMK_PROPERTY_NUMBER, .number = number};
    g_array_append_val(entry->properties, property);
}

static void add_list(CmkEntry *entry, CmkProperty property, GPtrArray *list)
{
    property.list = list;
    g_array_append_val(entry->properties, property);
}

void cmk_entry_add_words(CmkEntry *entry, CmkPropertyUse use, const char *name, const char *words)
{
    GPtrArray *list = cmk_lines_new();
    g_auto(GStrv) parts = g_strsplit(words == NULL ? "" : words, " ", -1);
    for (char **part = parts; *part != NULL; part++) {
        if (**part != '\0') {
            g_ptr_array_add(list, g_strdup(*part));
        }
    }
    add_list(entry, (CmkProperty){.name = name, .use = use, .shape = CMK_PROPERTY_WORDS}, list);
}

void cmk_entry_add_lines(CmkEntry *entry, CmkPropertyUse use, const char *name, GPtrArray *list)
{
    add_list(entry, (CmkProperty){.name = name, .use = use, .shape = CMK_PROPERTY_LINES}, list);
}

void cmk_entry_add_entries(CmkEntry *entry, CmkPropertyUse use, const char *name, GPtrArray *list)
{
    add_list(entry, (CmkProperty){.name = name, .use = use, .shape = CMK_PROPERTY_ENTRIES}, list);
}

static const CmkProperty *property_at(const CmkEntry *entry, guint i)
{
    return &g_array_index(entry->properties, CmkProperty, i);
}

const CmkProperty *cmk_entry_property(const CmkEntry *entry, const char *name)
{
    for (guint i = 0; i < entry->properties->len; i++) {
        if (strcmp(property_at(entry, i)->name, name) == 0) {
            return property_at(entry, i);
        }
    }
    return NULL;
}

char *cmk_entry_property_names(const CmkEntry *entry)
{
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < entry->properties->len; i++) {
        g_string_append_printf(names, "%s%s", i == 0 ? "" : ", ", property_at(entry, i)->name);
    }
    return g_string_free(names, FALSE);
}

char *cmk_property_text(const CmkProperty *property, const char *separator)
{
    if (property->shape == CMK_PROPERTY_NUMBER) {
        return g_strdup_printf("%" PRId64, property->number);
    }
    if (property->shape == CMK_PROPERTY_TEXT) {
        return g_strdup(property->text == NULL ? "" : property->text);
    }
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < property->list->len; i++) {
        g_string_append(text, i == 0 ? "" : separator);
        const void *item = g_ptr_array_index(property->list, i);
        g_string_append(text, property->shape == CMK_PROPERTY_ENTRIES
                                  ? ((const CmkEntry *)item)->name
                                  : (const char *)item);
    }
    return g_string_free(text, FALSE);
}

/* ---- as a table of text ---------------------------------------------------------------------- */

/* A row of cells: the name, then each property that is a column. */
static GPtrArray *cells_of(const CmkEntry *entry)
{
    GPtrArray *cells = cmk_lines_new();
    g_ptr_array_add(cells, g_strdup(entry->name));
    for (guint i = 0; i < entry->properties->len; i++) {
        if (property_at(entry, i)->use == CMK_PROPERTY_COLUMN) {
            g_ptr_array_add(cells, cmk_property_text(property_at(entry, i), " "));
        }
    }
    return cells;
}

static GPtrArray *headings_of(const CmkEntry *entry)
{
    GPtrArray *cells = cmk_lines_new();
    g_ptr_array_add(cells, g_strdup("NAME"));
    for (guint i = 0; i < entry->properties->len; i++) {
        const CmkProperty *property = property_at(entry, i);
        if (property->use == CMK_PROPERTY_COLUMN) {
            g_ptr_array_add(cells, g_strdelimit(g_ascii_strup(property->name, -1), "_", '-'));
        }
    }
    return cells;
}

static glong width_of(const char *text)
{
    return g_utf8_strlen(text, -1);
}

static void print_cells(const GPtrArray *cells, const glong *widths, GString *out)
{
    const gsize start = out->len;
    for (guint i = 0; i < cells->len; i++) {
        const char *cell = g_ptr_array_index(cells, i);
        g_string_append(out, cell);
        for (glong width = width_of(cell); i + 1 < cells->len && width < widths[i] + 2; width++) {
            g_string_append_c(out, ' ');
        }
    }
    while (out->len > start && out->str[out->len - 1] == ' ') {
        g_string_truncate(out, out->len - 1);
    }
    g_string_append_c(out, '\n');
}

void cmk_entries_print_table(const GPtrArray *entries, GString *out)
{
    if (entries->len == 0) {
        return;
    }
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    g_ptr_array_add(rows, headings_of(g_ptr_array_index(entries, 0)));
    for (guint i = 0; i < entries->len; i++) {
        g_ptr_array_add(rows, cells_of(g_ptr_array_index(entries, i)));
    }
    const guint columns = ((const GPtrArray *)g_ptr_array_index(rows, 0))->len;
    g_autoptr(GArray) widths = g_array_new(FALSE, TRUE, sizeof(glong));
    g_array_set_size(widths, columns);
    for (guint i = 0; i < rows->len; i++) {
        const GPtrArray *cells = g_ptr_array_index(rows, i);
        for (guint j = 0; j < columns; j++) {
            glong *width = &g_array_index(widths, glong, j);
            *width = MAX(*width, width_of(g_ptr_array_index(cells, j)));
        }
    }
    for (guint i = 0; i < rows->len; i++) {
        print_cells(g_ptr_array_index(rows, i), (const glong *)(const void *)widths->data, out);
    }
}

/* ---- all about one --------------------------------------------------------------------------- */

/* Words of a text, on as many lines as it takes; all but the first begin with `indent` blanks. */
static void print_wrapped(const char *text, guint indent, GString *out)
{
    const char *line = strrchr(out->str, '\n');
    glong column = width_of(line == NULL ? out->str : line + 1);
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    for (char **word = words; *word != NULL; word++) {
        const glong width = width_of(*word);
        if (word != words && column + 1 + width > COLUMNS_MAX) {
            g_string_append_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (word != words) {
            g_string_append_c(out, ' ');
            column++;
        }
        g_string_append(out, *word);
        column += width;
    }
    g_string_append_c(out, '\n');
}

/* "settings: a; must hold: b", the name first. */
static char *one_line_of(const CmkEntry *entry)
{
    GString *text = g_string_new(entry->name);
    for (guint i = 0; i < entry->properties->len; i++) {
        const CmkProperty *property = property_at(entry, i);
        g_autofree char *value = cmk_property_text(property, ", ");
        if (*value != '\0') {
            g_autofree char *name = g_strdelimit(g_strdup(property->name), "_", ' ');
            g_string_append_printf(text, "%s%s: %s", i == 0 ? " - " : "; ", name, value);
        }
    }
    return g_string_free(text, FALSE);
}

/* Lines may have commas in them. */
static const char *separator_of(const CmkProperty *property)
{
    return property->shape == CMK_PROPERTY_LINES ? "; " : ", ";
}

/* Such an entry is easier to read on a line for each of its properties. */
#define PROPERTIES_OF_A_LINE 2

static void print_block(const CmkEntry *entry, GString *out)
{
    g_string_append_printf(out, "    %s\n", entry->name);
    for (guint i = 0; i < entry->properties->len; i++) {
        const CmkProperty *property = property_at(entry, i);
        g_autofree char *value = cmk_property_text(property, separator_of(property));
        if (*value != '\0') {
            g_autofree char *name = g_strdelimit(g_strdup(property->name), "_", ' ');
            g_string_append_printf(out, "      %s: ", name);
            print_wrapped(value, 8, out);
        }
    }
}

static void print_list(const CmkProperty *property, GString *out)
{
    for (guint i = 0; i < property->list->len; i++) {
        const void *item = g_ptr_array_index(property->list, i);
        if (property->shape == CMK_PROPERTY_ENTRIES &&
            ((const CmkEntry *)item)->properties->len > PROPERTIES_OF_A_LINE) {
            print_block(item, out);
            continue;
        }
        g_autofree char *text =
            property->shape == CMK_PROPERTY_ENTRIES ? one_line_of(item) : g_strdup(item);
        g_string_append(out, "    ");
        print_wrapped(text, 6, out);
    }
}

void cmk_entry_print(const CmkEntry *entry, GString *out)
{
    g_string_append_printf(out, "%s (%s)\n", entry->name, entry->kind);
    for (guint i = 0; i < entry->properties->len; i++) {
        const CmkProperty *property = property_at(entry, i);
        g_autofree char *text = cmk_property_text(property, " ");
        if (*text == '\0') {
            continue;
        }
        g_autofree char *name = g_strdelimit(g_strdup(property->name), "_", ' ');
        if (property->shape == CMK_PROPERTY_LINES || property->shape == CMK_PROPERTY_ENTRIES) {
            g_string_append_printf(out, "  %s:\n", name);
            print_list(property, out);
        } else {
            g_string_append_printf(out, "  %s: ", name);
            print_wrapped(text, 4, out);
        }
    }
}

/* ---- as JSON --------------------------------------------------------------------------------- */

/* An entry may hold entries, which hold none: the recursion is two deep. */
/* NOLINTBEGIN(misc-no-recursion) */

static JsonObject *object_of(const CmkEntry *entry);

static JsonNode *node_of(const CmkProperty *property)
{
    if (property->shape == CMK_PROPERTY_NUMBER) {
        return json_node_init_int(json_node_alloc(), property->number);
    }
    if (property->shape == CMK_PROPERTY_TEXT) {
        return property->text == NULL ? json_node_init_null(json_node_alloc())
                                      : json_node_init_string(json_node_alloc(), property->text);
    }
    JsonArray *array = json_array_new();
    for (guint i = 0; i < property->list->len; i++) {
        const void *item = g_ptr_array_index(property->list, i);
        if (property->shape == CMK_PROPERTY_ENTRIES) {
            json_array_add_object_element(array, object_of(item));
        } else {
            json_array_add_string_element(array, item);
        }
    }
    JsonNode *node = json_node_init_array(json_node_alloc(), array);
    json_array_unref(array);
    return node;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const CmkProperty *const *)a)->name, (*(const CmkProperty *const *)b)->name);
}

static JsonObject *object_of(const CmkEntry *entry)
{
    CmkProperty kind = {.name = "kind", .text = (char *)(uintptr_t)entry->kind};
    CmkProperty name = {.name = NAME_COLUMN, .text = entry->name};
    g_autoptr(GPtrArray) properties = g_ptr_array_new();
    g_ptr_array_add(properties, &kind);
    g_ptr_array_add(properties, &name);
    for (guint i = 0; i < entry->properties->len; i++) {
        g_ptr_array_add(properties, (gpointer)(uintptr_t)property_at(entry, i));
    }
    g_ptr_array_sort(properties, compare_names);
    JsonObject *object = json_object_new();
    for (guint i = 0; i < properties->len; i++) {
        const CmkProperty *property = g_ptr_array_index(properties, i);
        json_object_set_member(object, property->name, node_of(property));
    }
    return object;
}

/* NOLINTEND(misc-no-recursion) */

void cmk_entries_print_json(const GPtrArray *entries, GString *out)
{
    JsonArray *array = json_array_new();
    for (guint i = 0; i < entries->len; i++) {
        json_array_add_object_element(array, object_of(g_ptr_array_index(entries, i)));
    }
    JsonObject *object = json_object_new();
    json_object_set_array_member(object, "entries", array);
    json_object_set_int_member(object, "schema_version", SCHEMA_VERSION);
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), object);
    json_object_unref(object);
    g_autofree char *text = json_to_string(root, TRUE);
    g_string_append_printf(out, "%s\n", text);
}

/* ---- as a page ------------------------------------------------------------------------------- */

static bool is_on_page(const CmkProperty *property)
{
    return property->use != CMK_PROPERTY_DETAIL;
}

static void print_cell(const char *text, GString *out)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (strchr("|<*_\\", *c) != NULL) {
            g_string_append_c(out, '\\');
        }
        g_string_append_c(out, *c);
    }
    g_string_append(out, " |");
}

void cmk_entries_print_markdown(const GPtrArray *entries, GString *out)
{
    if (entries->len == 0) {
        return;
    }
    const CmkEntry *first = g_ptr_array_index(entries, 0);
    GString *line = g_string_new("| --- |");
    g_string_append(out, "| " NAME_COLUMN " |");
    for (guint i = 0; i < first->properties->len; i++) {
        if (is_on_page(property_at(first, i))) {
            g_autofree char *name = g_strdelimit(g_strdup(property_at(first, i)->name), "_", ' ');
            g_string_append_printf(out, " %s |", name);
            g_string_append(line, property_at(first, i)->shape == CMK_PROPERTY_NUMBER ? " ---: |"
                                                                                      : " --- |");
        }
    }
    g_string_append_printf(out, "\n%s\n", line->str);
    g_string_free(line, TRUE);
    for (guint i = 0; i < entries->len; i++) {
        const CmkEntry *entry = g_ptr_array_index(entries, i);
        g_string_append_printf(out, "| <a id=\"%s\"></a>`%s` |", entry->name, entry->name);
        for (guint j = 0; j < entry->properties->len; j++) {
            if (is_on_page(property_at(entry, j))) {
                const CmkProperty *property = property_at(entry, j);
                g_autofree char *text = cmk_property_text(property, separator_of(property));
                g_string_append_c(out, ' ');
                print_cell(text, out);
            }
        }
        g_string_append_c(out, '\n');
    }
}
