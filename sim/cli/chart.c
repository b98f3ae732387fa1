/* cmksim chart KIND DB -o FILE */
#include <string.h>

#include "analysis/chart.h"
#include "analysis/store.h"
#include "sim/cli/cli.h"

static int exit_code_of(const GError *error)
{
    if (error->domain == CMK_CHART_ERROR && error->code == CMK_CHART_ERROR_MISSING) {
        return CMK_EXIT_MISSING;
    }
    if (error->domain == CMK_CHART_ERROR && error->code == CMK_CHART_ERROR_FORMAT) {
        return CMK_EXIT_USAGE;
    }
    if (error->domain == CMK_STORE_ERROR && error->code != CMK_STORE_ERROR_READ) {
        return CMK_EXIT_INVALID;
    }
    return CMK_EXIT_IO;
}

static const struct {
    const char *name;
    bool (*draw)(const char *db_path, const char *out_path, GError **error);
} kinds[] = {{"outcomes", cmk_chart_outcomes}, {"requests", cmk_chart_requests}};

int cmk_command_chart(int argc, char **argv)
{
    g_autofree char *out = NULL;
    GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &out, "the picture, .svg or .png", "FILE"},
        G_OPTION_ENTRY_NULL};
    static const char description[] =
        "Kinds:\n"
        "  outcomes   outcomes of jobs over time, states of the encryption settings, faults\n"
        "  requests   requests to key vaults over time, and how near they came to the limit\n\n"
        "Example: cmksim chart outcomes out/permission-revoked.db -o outcomes.svg";
    const int parsed =
        cmk_cli_parse("KIND DB -o FILE", "Draws a picture of a finished run with gnuplot.",
                      description, entries, &argc, &argv);
    if (parsed != CMK_CLI_GO_ON) {
        return parsed;
    }
    if (!cmk_cli_is_file_name("-o", out)) {
        return CMK_EXIT_USAGE;
    }
    if (argc != 3 || out == NULL) {
        cmk_cli_error("give a kind, a database and -o FILE, for instance `cmksim chart outcomes "
                      "out/NAME.db -o NAME.svg`\nTry `cmksim chart --help`.");
        return CMK_EXIT_USAGE;
    }
    size_t kind = 0;
    while (kind < CMK_ARRAY_LEN(kinds) && strcmp(argv[1], kinds[kind].name) != 0) {
        kind++;
    }
    if (kind == CMK_ARRAY_LEN(kinds)) {
        cmk_cli_error("there is no chart of kind `%s`; there are: outcomes, requests", argv[1]);
        return CMK_EXIT_USAGE;
    }
    g_autoptr(GError) error = NULL;
    if (!kinds[kind].draw(argv[2], out, &error)) {
        cmk_cli_error("%s", error->message);
        if (error->domain == CMK_STORE_ERROR && error->code != CMK_STORE_ERROR_NEWER) {
            cmk_cli_error("`cmksim run SCENARIO` leaves a database that can be drawn; its summary "
                          "says where");
        }
        return exit_code_of(error);
    }
    return CMK_EXIT_OK;
}
