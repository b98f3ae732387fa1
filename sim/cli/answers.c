/* cmksim answers DB */
#include "analysis/answers.h"
#include "analysis/store.h"
#include "sim/cli/cli.h"

static bool print(const GPtrArray *entries, bool is_json)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (is_json) {
        cmk_entries_print_json(entries, text);
    } else if (entries->len == 0) {
        g_string_append(text, "no job failed because of a fault\n");
    } else {
        cmk_entries_print_table(entries, text);
    }
    return cmk_cli_print(text->str);
}

int cmk_command_answers(int argc, char **argv)
{
    gboolean json = FALSE;
    GOptionEntry entries[] = {{"json", 0, 0, G_OPTION_ARG_NONE, &json,
                               "print one JSON object, with guards and rules", NULL},
                              G_OPTION_ENTRY_NULL};
    static const char description[] = "One line for each fault, store of keys, kind of job and "
                                      "answer. Answers are those of the key\n"
                                      "vault or Managed HSM, or of Backup itself if it asked "
                                      "nobody; codes are what Backup shows.\n\n"
                                      "Example: cmksim answers out/same-ten-faults.db";
    const int parsed = cmk_cli_parse(
        "DB", "Says what key vaults and Managed HSMs answered while faults were in force.",
        description, entries, &argc, &argv);
    if (parsed != CMK_CLI_GO_ON) {
        return parsed;
    }
    if (argc != 2) {
        cmk_cli_error("give one database, for instance `cmksim answers out/NAME.db`\n"
                      "Try `cmksim answers --help`.");
        return CMK_EXIT_USAGE;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) answers = cmk_answers_read(argv[1], &error);
    if (answers == NULL) {
        cmk_cli_error("%s", error->message);
        cmk_cli_error("`cmksim run SCENARIO` leaves a database; its summary says where");
        return error->code == CMK_STORE_ERROR_READ ? CMK_EXIT_IO : CMK_EXIT_INVALID;
    }
    return print(answers, json) ? CMK_EXIT_OK : CMK_EXIT_IO;
}
