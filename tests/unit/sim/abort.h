/*
 * Assertions of the engine abort, so each is tried in a child of its own, and its words are read.
 */
#ifndef CMK_TESTS_UNIT_SIM_ABORT_H
#define CMK_TESTS_UNIT_SIM_ABORT_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct AbortCase {
    const char *name;
    const char *words; /* part of what it says on stderr */
    void (*act)(void);
} AbortCase;

/* Whether `act` ends in SIGABRT and says these words; what it said instead goes to stderr. */
static inline bool aborts_as_told(const AbortCase *one)
{
    int ends[2];
    char text[4096];
    size_t length = 0;
    if (pipe(ends) != 0) {
        return false;
    }
    (void)fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(ends[1], STDERR_FILENO);
        one->act();
        _exit(0);
    }
    (void)close(ends[1]);
    for (ssize_t got = 1; got > 0 && length < sizeof(text) - 1;) {
        got = read(ends[0], text + length, sizeof(text) - 1 - length);
        length += got > 0 ? (size_t)got : 0;
    }
    text[length] = '\0';
    (void)close(ends[0]);
    int status = 0;
    (void)waitpid(child, &status, 0);
    const bool is_right =
        WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(text, one->words) != NULL;
    if (!is_right) {
        (void)fprintf(stderr, "%s: status 0x%x, said: %s\n", one->name, (unsigned)status, text);
    }
    return is_right;
}

#endif
