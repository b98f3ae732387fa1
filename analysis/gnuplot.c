#define _GNU_SOURCE /* pipe2, environ */
#include "analysis/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <glib/gstdio.h>

/* The first picture after an installation waits for fontconfig's cache: seconds, not minutes. */
#define SILENCE_MAX_MS 120000
#define COMPLAINT_BYTES_MAX 65536
#define PICTURE_BYTES_MAX ((size_t)256 << 20)

enum {
    SCRIPT,
    PICTURE,
    COMPLAINT,
    PIPES
};

/* A running program. Our ends of its pipes; -1: closed. */
typedef struct Child {
    pid_t pid;
    int fd[PIPES];
    GByteArray *picture;
    GString *complaint;
    bool is_silent; /* it was killed because nothing happened */
} Child;

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

/* ---- starting -------------------------------------------------------------------------------- */

/* `theirs` are the ends that become 0, 1 and 2 of the program. */
static int spawn(Child *child, const char *program, const int theirs[PIPES])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t defaults;
    (void)sigemptyset(&none);
    (void)sigemptyset(&defaults);
    (void)sigaddset(&defaults, SIGPIPE);
    (void)sigaddset(&defaults, SIGXFSZ);
    /* -d: no start-up file of the user. With /dev/stdin named as the script, instead of plain
     * standard input, gnuplot stops at the first mistake and says its line. */
    char name[] = "gnuplot";
    char option[] = "-d";
    char script[] = "/dev/stdin";
    char *arguments[] = {name, option, script, NULL};
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0) {
        return code;
    }
    code = posix_spawnattr_init(&attributes);
    for (int i = 0; code == 0 && i < PIPES; i++) {
        code = posix_spawn_file_actions_adddup2(&actions, theirs[i], i);
    }
    if (code == 0) {
        (void)posix_spawnattr_setsigmask(&attributes, &none);
        (void)posix_spawnattr_setsigdefault(&attributes, &defaults);
        (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        code = posix_spawnp(&child->pid, program, &actions, &attributes, arguments, environ);
    }
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* Descriptors below 3 would collide with those that the program gets. */
static int lift(int *fd)
{
    if (*fd > STDERR_FILENO) {
        return 0;
    }
    const int higher = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (higher < 0) {
        return errno;
    }
    (void)close(*fd);
    *fd = higher;
    return 0;
}

static int start(Child *child, const char *program)
{
    int theirs[PIPES] = {-1, -1, -1};
    int code = 0;
    for (int i = 0; code == 0 && i < PIPES; i++) {
        int ends[2] = {-1, -1};
        if (pipe2(ends, O_CLOEXEC) != 0) {
            code = errno;
            break;
        }
        child->fd[i] = ends[i == SCRIPT ? 1 : 0];
        theirs[i] = ends[i == SCRIPT ? 0 : 1];
        code = lift(&child->fd[i]);
        code = code == 0 ? lift(&theirs[i]) : code;
    }
    if (code == 0) {
        code = spawn(child, program, theirs);
    }
    for (int i = 0; i < PIPES; i++) {
        close_fd(&theirs[i]);
    }
    if (code == 0 && fcntl(child->fd[SCRIPT], F_SETFL, O_NONBLOCK) != 0) {
        code = errno;
    }
    return code;
}

/* ---- talking --------------------------------------------------------------------------------- */

static void write_script(Child *child, const char *script, size_t size, size_t *position)
{
    const ssize_t count =
        *position < size ? write(child->fd[SCRIPT], script + *position, size - *position) : 0;
    if (count > 0) {
        *position += (size_t)count;
    }
    const bool is_broken = count < 0 && errno != EAGAIN && errno != EINTR;
    if (is_broken || *position == size) {
        close_fd(&child->fd[SCRIPT]);
    }
}

static void read_pipe(Child *child, int pipe_index)
{
    guint8 bytes[16384];
    const ssize_t count = read(child->fd[pipe_index], bytes, sizeof(bytes));
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (count <= 0) {
        close_fd(&child->fd[pipe_index]);
    } else if (pipe_index == PICTURE && child->picture->len < PICTURE_BYTES_MAX) {
        g_byte_array_append(child->picture, bytes, (guint)count);
    } else if (pipe_index == COMPLAINT && child->complaint->len < COMPLAINT_BYTES_MAX) {
        g_string_append_len(child->complaint, (const char *)bytes, count);
    }
}

/* One loop serves all pipes: a long script, a long picture and a long complaint may each fill one
 * while the other side waits for another. */
static void talk(Child *child, const char *script)
{
    const size_t size = strlen(script);
    size_t position = 0;
    while (child->fd[SCRIPT] >= 0 || child->fd[PICTURE] >= 0 || child->fd[COMPLAINT] >= 0) {
        struct pollfd polled[PIPES] = {{.fd = child->fd[SCRIPT], .events = POLLOUT},
                                       {.fd = child->fd[PICTURE], .events = POLLIN},
                                       {.fd = child->fd[COMPLAINT], .events = POLLIN}};
        const int count = poll(polled, PIPES, SILENCE_MAX_MS);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            child->is_silent = true;
            (void)kill(child->pid, SIGKILL);
            return;
        }
        if (polled[SCRIPT].revents != 0) {
            write_script(child, script, size, &position);
        }
        for (int i = PICTURE; i <= COMPLAINT; i++) {
            if (polled[i].revents != 0) {
                read_pipe(child, i);
            }
        }
    }
}

/* As talk(), with SIGPIPE held back from this thread: the program may go before it has read all. */
static void talk_safely(Child *child, const char *script)
{
    sigset_t pipe_signal;
    sigset_t before;
    sigset_t pending;
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    (void)sigpending(&pending);
    const bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    talk(child, script);
    if (!was_pending) {
        const struct timespec now = {0};
        while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR) {
        }
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return status;
}

/* ---- what went wrong ------------------------------------------------------------------------- */

/* The text of a line of the script, from 1; NULL if it has no such line. */
static char *script_line(const char *script, uint64_t number)
{
    const char *line = script;
    for (uint64_t i = 1; line != NULL && i < number; i++) {
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return line == NULL ? NULL : g_strndup(line, strcspn(line, "\n"));
}

/* Of all that it said, the sentence with the line number; else the last line that says anything. */
static char *complaint_of(const Child *child, const char *script)
{
    g_auto(GStrv) lines = g_strsplit(child->complaint->str, "\n", -1);
    const char *last = NULL;
    for (char **line = lines; *line != NULL; line++) {
        const char *place = strstr(g_strstrip(*line), "\" line ");
        if (place != NULL) {
            place += strlen("\" line ");
            g_autofree char *text = script_line(script, g_ascii_strtoull(place, NULL, 10));
            return g_strdup_printf("line %s (the line is: %s)", place,
                                   text == NULL ? "not there" : text);
        }
        last = **line == '\0' ? last : *line;
    }
    return g_strdup(last == NULL ? "it did not say why" : last);
}

static CmkGnuplotStatus judge(const Child *child, const char *program, const char *script,
                              int status, char **ret_message)
{
    if (child->is_silent) {
        *ret_message = g_strdup_printf("%s was stopped: no sign of life for %d seconds", program,
                                       SILENCE_MAX_MS / 1000);
    } else if (status != -1 && WIFSIGNALED(status)) {
        *ret_message = g_strdup_printf("%s was ended by signal %d", program, WTERMSIG(status));
    } else if (status != 0) {
        g_autofree char *complaint = complaint_of(child, script);
        *ret_message = g_strdup_printf("%s refused the script: %s", program, complaint);
    } else if (child->picture->len == 0) {
        g_autofree char *complaint = complaint_of(child, script);
        *ret_message = g_strdup_printf("%s drew nothing: %s", program, complaint);
    } else {
        return CMK_GNUPLOT_OK;
    }
    return CMK_GNUPLOT_FAILED;
}

/* ---- the file -------------------------------------------------------------------------------- */

static bool write_whole(int fd, const GByteArray *bytes)
{
    for (size_t position = 0; position < bytes->len;) {
        const ssize_t count = write(fd, bytes->data + position, bytes->len - position);
        if (count < 0 && errno != EINTR) {
            return false;
        }
        position += count < 0 ? 0 : (size_t)count;
    }
    return true;
}

static CmkGnuplotStatus save(const GByteArray *picture, const char *path, char **ret_message)
{
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *temporary = g_strdup_printf("%s.%d-XXXXXX.tmp", path, (int)getpid());
    int fd = -1;
    if (g_mkdir_with_parents(directory, 0777) == 0) {
        fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0666);
    }
    int code = fd < 0 ? errno : 0;
    if (fd >= 0) {
        code = write_whole(fd, picture) ? 0 : errno;
        code = close(fd) == 0 || code != 0 ? code : errno;
        code = code == 0 && rename(temporary, path) != 0 ? errno : code;
        if (code != 0) {
            (void)unlink(temporary);
        }
    }
    if (code != 0) {
        *ret_message = g_strdup_printf("%s: not written: %s", path, g_strerror(code));
        return CMK_GNUPLOT_SYSTEM;
    }
    return CMK_GNUPLOT_OK;
}

CmkGnuplotStatus cmk_gnuplot_draw(const char *program, const char *script, const char *path,
                                  char **ret_message)
{
    const char *name = program == NULL ? CMK_GNUPLOT_PROGRAM : program;
    Child child = {.fd = {-1, -1, -1}};
    child.picture = g_byte_array_new();
    child.complaint = g_string_new(NULL);
    CmkGnuplotStatus result = CMK_GNUPLOT_OK;
    const int code = start(&child, name);
    if (child.pid != 0) {
        talk_safely(&child, script);
    }
    for (int i = 0; i < PIPES; i++) {
        close_fd(&child.fd[i]);
    }
    if (child.pid != 0) {
        result = judge(&child, name, script, wait_for(child.pid), ret_message);
    } else {
        result = code == ENOENT ? CMK_GNUPLOT_MISSING : CMK_GNUPLOT_SYSTEM;
        *ret_message = code == ENOENT
                           ? g_strdup_printf("the program %s is not there", name)
                           : g_strdup_printf("%s cannot be started: %s", name, g_strerror(code));
    }
    if (result == CMK_GNUPLOT_OK) {
        result = save(child.picture, path, ret_message);
    }
    g_byte_array_unref(child.picture);
    (void)g_string_free(child.complaint, TRUE);
    return result;
}

/* ---- text of scripts ------------------------------------------------------------------------- */

void cmk_gnuplot_quote(GString *script, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_string_append_c(script, '\'');
    for (char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        const gunichar character = g_utf8_get_char(at);
        const GUnicodeType type = g_unichar_type(character);
        if (character == '\'') {
            g_string_append(script, "\u2019");
        } else if (!g_unichar_isprint(character) || type == G_UNICODE_LINE_SEPARATOR ||
                   type == G_UNICODE_PARAGRAPH_SEPARATOR) {
            g_string_append_c(script, ' ');
        } else {
            g_string_append_unichar(script, character);
        }
    }
    g_string_append_c(script, '\'');
}

void cmk_gnuplot_number(GString *script, double value, int digits)
{
    char format[8];
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    (void)g_snprintf(format, sizeof(format), "%%.%df", CLAMP(digits, 0, 9));
    (void)g_ascii_formatd(text, sizeof(text), format, value);
    if (strchr(text, '.') != NULL) {
        size_t length = strlen(text);
        while (text[length - 1] == '0') {
            text[--length] = '\0';
        }
        if (text[length - 1] == '.') {
            text[--length] = '\0';
        }
    }
    g_string_append(script, strcmp(text, "-0") == 0 ? "0" : text);
}
