/*
 * What the commands share: exit codes, how they are found, signals, common messages.
 */
#ifndef CMK_SIM_CLI_CLI_H
#define CMK_SIM_CLI_CLI_H

#include <stdbool.h>

#include <glib.h>

/* Exit codes; stable, listed in --help. */
enum {
    CMK_EXIT_OK = 0,
    CMK_EXIT_VIOLATED = 1,
    CMK_EXIT_USAGE = 2,
    CMK_EXIT_INVALID = 3,
    CMK_EXIT_UNDECIDED = 4,
    CMK_EXIT_MISMATCH = 5,
    CMK_EXIT_MISSING = 69,
    CMK_EXIT_INTERNAL = 70,
    CMK_EXIT_IO = 74,
    CMK_EXIT_INTERRUPTED = 130, /* by SIGINT; SIGTERM gives 143 */
    CMK_EXIT_TERMINATED = 143
};

/* One command of the program. */
typedef struct CmkCommand {
    const char *name;
    const char *text;                  /* what it does, half a sentence */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
} CmkCommand;

int cmk_command_run(int argc, char **argv);
int cmk_command_chart(int argc, char **argv);
int cmk_command_answers(int argc, char **argv);
int cmk_command_list(int argc, char **argv);
int cmk_command_explain(int argc, char **argv);

/* sim/cli/version.c, the only file that knows them. */
const char *cmk_cli_version(void);
const char *cmk_cli_build_id(void);

/* cmk_cli_parse(): the command is to be carried out. */
#define CMK_CLI_GO_ON (-1)

/* Parses the options of one command: strict, `--` ends options. What is left of argv are its
 * arguments. CMK_CLI_GO_ON, or the exit code: --help has been printed, or a mistake told. */
int cmk_cli_parse(const char *usage, const char *summary, const char *description,
                  GOptionEntry *entries, int *argc, char ***argv);

/* Makes sure that a stream which the caller has closed stays unusable: otherwise the next file to
 * be opened would take its number, and what is printed would end up in there. */
void cmk_cli_reserve_streams(void);

/* "cmksim: " and the message on stderr. */
void cmk_cli_error(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Whether the value of an option can be the name of a file; false (told) if it is empty or another
 * option, before which a value was left out. NULL is right: the option was not given. */
bool cmk_cli_is_file_name(const char *option, const char *value);

/* What to do for somebody whose scenario file cannot be read: a file of a near name, or files that
 * there are. NULL if it exists and is no directory. Owned by the caller. */
char *cmk_cli_scenario_hint(const char *path);

/* From here on Ctrl-C and SIGTERM are only noted, so that nothing half-made is left behind. */
void cmk_cli_catch_interrupts(void);

/* 0, or the exit code for the signal that has come. */
int cmk_cli_interrupted(void);

/* From here on an internal error ends with exit code 70 and the command that leads to it. */
void cmk_cli_catch_aborts(void);

/* What an internal error prints last: the command that leads to it again. Copied. */
void cmk_cli_set_repeat(const char *command);

/* Writes results to stdout; false (told) if that fails, for instance because the disk is full. */
bool cmk_cli_print(const char *text);

#endif
