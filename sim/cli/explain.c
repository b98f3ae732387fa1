/* cmksim explain NAME... */
#include "analysis/catalogue.h"
#include "sim/cli/cli.h"

/* Appends everything called so; false (told) if there is nothing. */
static bool find(const char *name, GPtrArray *entries)
{
    GPtrArray *found = cmk_catalogue_find(name);
    const bool is_found = found->len > 0;
    if (!is_found) {
        g_autofree char *hint = cmk_catalogue_hint(name);
        cmk_cli_error("nothing is called `%s`, %s", name, hint);
    }
    g_ptr_array_extend_and_steal(entries, found);
    return is_found;
}

int cmk_command_explain(int argc, char **argv)
{
    gboolean json = FALSE;
    GOptionEntry options[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "print one JSON object", NULL},
        G_OPTION_ENTRY_NULL};
    static const char description[] =
        "A name is an error code, a status, a rule, an operation, a guard, a knob, a profile, a\n"
        "role, a region, a datasource, a price or a fault; if several things are called so, all\n"
        "are explained. Upper and lower case are the same; quote names with blanks. `cmksim list`\n"
        "names them all.\n\n"
        "Example: cmksim explain UserErrorCMKKeyVaultAuthFailure BV-29 key.unwrap\n"
        "         cmksim explain \"Key Vault Reader\" westeurope\n\n"
        "Exit code 2: a wrong option, or a name that nothing has; then nothing is explained.";
    const int parsed = cmk_cli_parse("NAME...",
                                     "Says what something means, what it comes from, and what "
                                     "rests on it.",
                                     description, options, &argc, &argv);
    if (parsed != CMK_CLI_GO_ON) {
        return parsed;
    }
    if (argc < 2) {
        cmk_cli_error("say what to explain, for instance `cmksim explain BV-29`\n"
                      "Try `cmksim explain --help`.");
        return CMK_EXIT_USAGE;
    }
    g_autoptr(GPtrArray) entries = cmk_entries_new();
    bool is_found = true;
    for (int i = 1; i < argc; i++) {
        is_found &= find(argv[i], entries);
    }
    if (!is_found) {
        return CMK_EXIT_USAGE;
    }
    for (guint i = 0; i < entries->len; i++) {
        cmk_catalogue_spell_rules(g_ptr_array_index(entries, i));
    }
    g_autoptr(GString) text = g_string_new(NULL);
    if (json) {
        cmk_entries_print_json(entries, text);
    }
    for (guint i = 0; i < entries->len && !json; i++) {
        g_string_append(text, i > 0 ? "\n" : "");
        cmk_entry_print(g_ptr_array_index(entries, i), text);
    }
    return cmk_cli_print(text->str) ? CMK_EXIT_OK : CMK_EXIT_IO;
}
