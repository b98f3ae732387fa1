/* What to say to somebody who named a scenario file that cannot be read. */
#include <string.h>

#include "scenarios/diagnostic.h"
#include "sim/cli/cli.h"

/* Enough for every file that comes with the program; a hint need not be complete. */
#define FILES_MAX 500
#define NAMED_MAX 3

/* Adds the scenario files right in a directory, and its subdirectories to `ret_below` if given. */
static void add_files(const char *path, GPtrArray *files, GPtrArray *ret_below)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name = NULL;
    while (dir != NULL && files->len < FILES_MAX && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *full =
            strcmp(path, ".") == 0 ? g_strdup(name) : g_build_filename(path, name, NULL);
        if (g_str_has_suffix(name, ".yaml") && g_file_test(full, G_FILE_TEST_IS_REGULAR)) {
            g_ptr_array_add(files, g_steal_pointer(&full));
        } else if (ret_below != NULL && g_file_test(full, G_FILE_TEST_IS_DIR)) {
            g_ptr_array_add(ret_below, g_steal_pointer(&full));
        }
    }
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The scenario files in a directory and in those right below it, in order. */
static GPtrArray *files_under(const char *path)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) below = g_ptr_array_new_with_free_func(g_free);
    add_files(path, files, below);
    for (guint i = 0; i < below->len; i++) {
        add_files(g_ptr_array_index(below, i), files, NULL);
    }
    g_ptr_array_sort(files, compare_paths);
    return files;
}

/* "permission-revoked" of "scenarios/troubleshooting/permission-revoked.yaml". */
static char *stem_of(const char *path)
{
    char *name = g_path_get_basename(path);
    if (g_str_has_suffix(name, ".yaml")) {
        name[strlen(name) - strlen(".yaml")] = '\0';
    }
    return name;
}

/* The file whose name is nearest to that of `path`; NULL if none is near. */
static const char *nearest(const char *path, const GPtrArray *files)
{
    g_autoptr(GPtrArray) stems = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < files->len; i++) {
        g_ptr_array_add(stems, stem_of(g_ptr_array_index(files, i)));
    }
    g_autofree char *wanted = stem_of(path);
    const char *near = cmk_suggest(wanted, (const char *const *)stems->pdata, stems->len);
    for (guint i = 0; i < files->len; i++) {
        if (near == g_ptr_array_index(stems, i)) {
            return g_ptr_array_index(files, i);
        }
    }
    return NULL;
}

static char *named(const GPtrArray *files)
{
    GString *text = g_string_new("Name one scenario file, for instance ");
    for (guint i = 0; i < files->len && i < NAMED_MAX; i++) {
        g_string_append_printf(text, "%s`%s`", i == 0 ? "" : ", ",
                               (const char *)g_ptr_array_index(files, i));
    }
    return g_string_free(text, FALSE);
}

char *cmk_cli_scenario_hint(const char *path)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_autoptr(GPtrArray) inside = files_under(path);
        return inside->len > 0 ? named(inside) : g_strdup("There is no scenario file in it.");
    }
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        return NULL;
    }
    g_autofree char *dir = g_path_get_dirname(path);
    const char *const places[] = {dir, "scenarios"};
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autoptr(GPtrArray) files = files_under(places[i]);
        const char *near = nearest(path, files);
        if (near != NULL) {
            return g_strdup_printf("did you mean `%s`?", near);
        }
    }
    g_autoptr(GPtrArray) known = files_under("scenarios");
    return known->len > 0 ? named(known)
                          : g_strdup("Name a scenario file; `cmksim run --help` says how.");
}
