#define _GNU_SOURCE
#include "sim/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writable statics: a signal handler has no other way to reach what it needs. */
static volatile sig_atomic_t last_signal;
static char repeat_command[1024];

/* GLib leaves a `--` where it is if what follows looks like an option. */
static void drop_end_of_options(int *argc, char **argv)
{
    if (*argc > 1 && strcmp(argv[1], "--") == 0) {
        memmove(&argv[1], &argv[2], (size_t)(*argc - 1) * sizeof(*argv)); /* with its NULL */
        --*argc;
    }
}

int cmk_cli_parse(const char *usage, const char *summary, const char *description,
                  GOptionEntry *entries, int *argc, char ***argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(usage);
    g_autoptr(GError) error = NULL;
    g_option_context_set_strict_posix(context, FALSE);
    g_option_context_set_summary(context, summary);
    g_option_context_set_description(context, description);
    g_option_context_add_main_entries(context, entries, NULL);
    /* Not GLib's own --help, which succeeds even where nothing can be written. */
    gboolean wants_help = FALSE;
    const GOptionEntry help[] = {
        {"help", 'h', 0, G_OPTION_ARG_NONE, &wants_help, "print this", NULL}, G_OPTION_ENTRY_NULL};
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_add_main_entries(context, help, NULL);
    g_autofree char *name = g_strdup_printf("cmksim %s", (*argv)[0]);
    g_set_prgname(name);
    if (!g_option_context_parse(context, argc, argv, &error)) {
        cmk_cli_error("%s\nTry `%s --help`.", error->message, name);
        return CMK_EXIT_USAGE;
    }
    if (wants_help) {
        g_autofree char *text = g_option_context_get_help(context, TRUE, NULL);
        return cmk_cli_print(text) ? CMK_EXIT_OK : CMK_EXIT_IO;
    }
    drop_end_of_options(argc, *argv);
    return CMK_CLI_GO_ON;
}

bool cmk_cli_is_file_name(const char *option, const char *value)
{
    if (value == NULL || (*value != '\0' && *value != '-')) {
        return true;
    }
    cmk_cli_error("%s needs the name of a file; `%s` is none%s%s", option, value,
                  *value == '-' ? ", or else written as ./" : "", value);
    return false;
}

void cmk_cli_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    (void)fprintf(stderr, "cmksim: %s\n", message);
}

void cmk_cli_reserve_streams(void)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
        if (fcntl(stream, F_GETFD) == -1 && errno == EBADF) {
            /* Opened the wrong way round, so that using it is an error as before. It takes the
             * lowest number that is free, which is this one. */
            (void)open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}

static void on_interrupt(int signal_number)
{
    last_signal = signal_number;
}

void cmk_cli_catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    (void)sigemptyset(&action.sa_mask);
    action.sa_flags = (int)SA_RESETHAND; /* a second Ctrl-C ends the program at once */
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

int cmk_cli_interrupted(void)
{
    if (last_signal == 0) {
        return 0;
    }
    return last_signal == SIGTERM ? CMK_EXIT_TERMINATED : CMK_EXIT_INTERRUPTED;
}

void cmk_cli_set_repeat(const char *command)
{
    (void)snprintf(repeat_command, sizeof(repeat_command), "repeat: %s\n", command);
}

/* An assertion has failed: what is still safe to do is to say how to come here again. */
static void on_abort(int signal_number)
{
    (void)signal_number;
    ssize_t written = write(STDERR_FILENO, repeat_command, strlen(repeat_command));
    (void)written;
    _exit(CMK_EXIT_INTERNAL);
}

void cmk_cli_catch_aborts(void)
{
    struct sigaction action = {.sa_handler = on_abort};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGABRT, &action, NULL);
}

bool cmk_cli_print(const char *text)
{
    if (fputs(text, stdout) == EOF || fflush(stdout) != 0) {
        if (errno != EPIPE) { /* `| head` has seen enough; that is no mistake */
            cmk_cli_error("cannot write to standard output: %s", g_strerror(errno));
        }
        return false;
    }
    return true;
}
