#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/diagnostic.h"
#include "sim/cli/cli.h"

static const CmkCommand commands[] = {
    {"run", "run a scenario and say what happened", cmk_command_run},
    {"chart", "draw a picture of a finished run", cmk_command_chart},
    {"answers", "say what key vaults and Managed HSMs answered under each fault",
     cmk_command_answers},
    {"list", "list rules, operations, errors and whatever else the model knows", cmk_command_list},
    {"explain", "say what an error code, a rule or anything listed means", cmk_command_explain},
};

static bool print_help(void)
{
    g_autoptr(GString) text = g_string_new(
        "Usage: cmksim COMMAND [OPTION...] FILE...\n\n"
        "Simulates Azure Backup vaults encrypted with customer-managed keys, injects faults, and\n"
        "says which jobs fail, who can see it, what it costs and why.\n\nCommands:\n");
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_string_append_printf(text, "  %-8s %s\n", commands[i].name, commands[i].text);
    }
    g_string_append(text,
                    "\nOptions:\n"
                    "  -h, --help   print this; `cmksim COMMAND --help` explains a command\n"
                    "  --version    print version and build\n"
                    "\nExit codes:\n"
                    "  0   all expectations hold, or there are none\n"
                    "  1   an expectation is violated\n"
                    "  2   wrong use of the command line\n"
                    "  3   the scenario is invalid or cannot be read\n"
                    "  4   undecided: a fault or step met nothing, or the run ended too early\n"
                    "  5   two runs that should be equal differ\n"
                    "  69  a program that was asked for is missing (gnuplot)\n"
                    "  70  internal error, with the command that leads to it\n"
                    "  74  a result cannot be written, or a database not be read\n"
                    "  130 interrupted (143: by SIGTERM)\n"
                    "\nExample: cmksim run scenarios/troubleshooting/permission-revoked.yaml\n");
    return cmk_cli_print(text->str);
}

static const CmkCommand *find_command(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(name, commands[i].name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[G_N_ELEMENTS(commands) + 2] = {"--help", "--version"};
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        names[i + 2] = commands[i].name;
    }
    const char *near = cmk_suggest(name, names, G_N_ELEMENTS(names));
    if (near != NULL) {
        cmk_cli_error("unknown command `%s`, did you mean `%s`?", name, near);
    } else if (g_str_has_suffix(name, ".yaml") || g_str_has_suffix(name, ".yml")) {
        cmk_cli_error("unknown command `%s`; to run this scenario: `cmksim run %s`", name, name);
    } else if (name[0] == '-') {
        cmk_cli_error("the command comes before its options, and `%s` is none\n"
                      "Try `cmksim --help`.",
                      name);
    } else {
        cmk_cli_error("unknown command `%s`\nTry `cmksim --help`.", name);
    }
    return CMK_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    (void)setlocale(LC_ALL, "C"); /* numbers and texts are the same everywhere */
    cmk_cli_reserve_streams();
    cmk_cli_catch_aborts();
    /* A closed pipe or a file size limit is an error to be told, not a reason to die. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) {
        (void)print_help();
        return CMK_EXIT_USAGE;
    }
    const CmkCommand *asked = argc == 3 ? find_command(argv[2]) : NULL;
    if (strcmp(argv[1], "help") == 0 && asked != NULL) {
        char help[] = "--help";
        char *help_argv[] = {argv[2], help, NULL};
        return asked->run(2, help_argv);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        return print_help() ? CMK_EXIT_OK : CMK_EXIT_IO;
    }
    if (strcmp(argv[1], "--version") == 0) {
        g_autofree char *text =
            g_strdup_printf("cmksim %s (%s)\n", cmk_cli_version(), cmk_cli_build_id());
        return cmk_cli_print(text) ? CMK_EXIT_OK : CMK_EXIT_IO;
    }
    const CmkCommand *command = find_command(argv[1]);
    return command != NULL ? command->run(argc - 1, argv + 1) : unknown_command(argv[1]);
}
