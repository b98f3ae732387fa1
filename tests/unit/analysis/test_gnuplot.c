/*
 * gnuplot behind a pipe: every way in which a program can go wrong is an answer, never a crash, a
 * hang, or half a picture. Most programs here are shell scripts that behave badly on purpose.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include <glib/gstdio.h>

#include "analysis/gnuplot.h"
#include "tests/unit/analysis/sample_run.h"

#define LONG_SCRIPT 4000000

typedef struct DrawCase {
    const char *name;
    const char *program; /* text of a shell script, "/..." a program, NULL: gnuplot */
    const char *script;  /* NULL: LONG_SCRIPT bytes of comments */
    const char *file;    /* below the directory of the test */
    CmkGnuplotStatus status;
    const char *message; /* part of it */
} DrawCase;

#define GOOD "set terminal svg\nset output\nplot x\n"

static const DrawCase draw_cases[] = {
    {"a picture", NULL, GOOD, "a.svg", CMK_GNUPLOT_OK, NULL},
    {"into a new directory", NULL, GOOD, "new/deep/a.svg", CMK_GNUPLOT_OK, NULL},
    {"a name like code", NULL, GOOD, "'`touch hit`$(touch hit).svg", CMK_GNUPLOT_OK, NULL},
    {"long, and says much", "#!/bin/sh\nhead -c 3000000 /dev/zero >&2\ncat\n", NULL, "a.svg",
     CMK_GNUPLOT_OK, NULL},
    {"program is not there", "/nowhere/gnuplot", GOOD, "a.svg", CMK_GNUPLOT_MISSING,
     "/nowhere/gnuplot is not there"},
    {"program is a directory", "/", GOOD, "a.svg", CMK_GNUPLOT_SYSTEM, "cannot be started"},
    {"a wrong line", NULL, "set terminal svg\n\nset nonsense 3\nplot x\n", "a.svg",
     CMK_GNUPLOT_FAILED,
     "line 3: unrecognized option - see 'help set'. (the line is: set nonsense 3)"},
    {"no such data", NULL, "set terminal svg\nplot $NO using 1\n", "a.svg", CMK_GNUPLOT_FAILED,
     "line 2"},
    {"nothing drawn", NULL, "set terminal svg\n", "a.svg", CMK_GNUPLOT_FAILED, "drew nothing"},
    {"a block without an end", NULL, "set terminal svg\n$D << EOD\n1 2\n", "a.svg",
     CMK_GNUPLOT_FAILED, "drew nothing"},
    {"goes before it has read", "#!/bin/sh\nexit 0\n", NULL, "a.svg", CMK_GNUPLOT_FAILED,
     "drew nothing"},
    {"says why in its own way", "#!/bin/sh\ncat >/dev/null\necho oh >&2\necho no >&2\nexit 4\n",
     GOOD, "a.svg", CMK_GNUPLOT_FAILED, "refused the script: no"},
    {"says nothing", "#!/bin/sh\ncat >/dev/null\nexit 4\n", GOOD, "a.svg", CMK_GNUPLOT_FAILED,
     "did not say why"},
    {"half a picture", "#!/bin/sh\ncat >/dev/null\necho '<svg'\nexit 1\n", GOOD, "a.svg",
     CMK_GNUPLOT_FAILED, "refused"},
    {"dies", "#!/bin/sh\necho half\nkill -9 $$\n", GOOD, "a.svg", CMK_GNUPLOT_FAILED,
     "ended by signal 9"},
    {"no such place", NULL, GOOD, "file/a.svg", CMK_GNUPLOT_SYSTEM, "not written: Not a directory"},
    {"a directory of that name", NULL, GOOD, "new", CMK_GNUPLOT_SYSTEM, "not written"},
};

static void check_draw(const DrawCase *draw, const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "out", draw->file, NULL);
    g_autofree char *program = g_strdup(draw->program);
    if (draw->program != NULL && draw->program[0] == '#') {
        g_free(program);
        program = g_build_filename(directory, "program", NULL);
        cr_assert(g_file_set_contents(program, draw->program, -1, NULL));
        cr_assert_eq(g_chmod(program, 0755), 0);
    }
    g_autofree char *script = g_strdup(draw->script);
    if (script == NULL) {
        script = g_strnfill(LONG_SCRIPT, '#');
        for (size_t i = 99; i < LONG_SCRIPT; i += 100) {
            script[i] = '\n';
        }
    }
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    (void)g_file_get_contents(path, &before, NULL, NULL);
    g_autofree char *message = NULL;
    const CmkGnuplotStatus status = cmk_gnuplot_draw(program, script, path, &message);
    cr_expect_eq(status, draw->status, "%s: status %d, %s", draw->name, (int)status,
                 message == NULL ? "" : message);
    cr_expect_eq(message == NULL, draw->message == NULL, "%s", draw->name);
    if (draw->message != NULL && message != NULL) {
        cr_expect(strstr(message, draw->message) != NULL, "%s: %s", draw->name, message);
        (void)g_file_get_contents(path, &after, NULL, NULL);
        cr_expect_eq(g_strcmp0(before, after), 0, "%s: another file than before", draw->name);
    } else {
        GStatBuf file;
        cr_expect(g_stat(path, &file) == 0 && file.st_size > 0, "%s: no picture", draw->name);
    }
}

Test(gnuplot, draws_or_says_why_not)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *out = g_build_filename(directory, "out", NULL);
    g_autofree char *file = g_build_filename(out, "file", NULL);
    cr_assert_eq(g_mkdir(out, 0755), 0);
    cr_assert(g_file_set_contents(file, "x", 1, NULL));
    for (size_t i = 0; i < CMK_ARRAY_LEN(draw_cases); i++) {
        check_draw(&draw_cases[i], directory);
    }
    cr_expect_not(g_file_test("hit", G_FILE_TEST_EXISTS));
    /* a.svg, one with a strange name, file, new: nothing temporary. */
    cr_expect_eq(sample_count_files(out), 4);
    /* The signal that a broken pipe sends did not come, and is not waiting. */
    sigset_t pending;
    cr_expect(sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 0);
    sample_remove(directory);
}

Test(gnuplot, quotes_any_text)
{
    const struct {
        const char *text;
        const char *quoted;
    } cases[] = {
        {"", "''"},
        {"plain", "'plain'"},
        {"'it's '' so'", "'\u2019it\u2019s \u2019\u2019 so\u2019'"},
        {"`touch hit` \"$x\" @m %d \\n {/*2 big} a_b^c",
         "'`touch hit` \"$x\" @m %d \\n {/*2 big} a_b^c'"},
        {"two\nlines\r\tand\x01\x7f more", "'two lines  and   more'"},
        {"\xc3\xa4 \xe2\x80\xa6 \xff!", "'\xc3\xa4 \xe2\x80\xa6 \xef\xbf\xbd!'"},
        {"\xe2\x80\xa8\xc2\x85", "'  '"}, /* line separators of Unicode */
        {"ends in \\", "'ends in \\'"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        g_autoptr(GString) script = g_string_new(NULL);
        cmk_gnuplot_quote(script, cases[i].text);
        cr_expect_str_eq(script->str, cases[i].quoted, "%s", script->str);
    }
}

/* What was quoted means itself: gnuplot prints it as it is, and runs nothing of it. */
Test(gnuplot, is_not_fooled_by_text)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "a.svg", NULL);
    g_autofree char *hit = g_build_filename(directory, "hit", NULL);
    g_autofree char *text =
        g_strdup_printf("''`touch %s` '; system(\"touch %s\") & <b> %%d '\\", hit, hit);
    g_autoptr(GString) script =
        g_string_new("set terminal svg noenhanced\nset encoding utf8\nset title ");
    cmk_gnuplot_quote(script, text);
    g_string_append(script, "\nset label ");
    cmk_gnuplot_quote(script, text);
    g_string_append(script, " at 0,0\nplot x\n");
    g_autofree char *message = NULL;
    const CmkGnuplotStatus status = cmk_gnuplot_draw(NULL, script->str, path, &message);
    cr_expect_eq(status, CMK_GNUPLOT_OK, "%s", message == NULL ? "" : message);
    cr_expect_not(g_file_test(hit, G_FILE_TEST_EXISTS));
    g_autofree char *picture = NULL;
    cr_assert(g_file_get_contents(path, &picture, NULL, NULL));
    cr_expect_not_null(strstr(picture, "`touch "));
    cr_expect_not_null(strstr(picture, "&amp; &lt;b> %d \u2019\\"));
    sample_remove(directory);
}

Test(gnuplot, writes_numbers_in_no_locale)
{
    const struct {
        double value;
        int digits;
        const char *text;
    } cases[] = {
        {0, 4, "0"},
        {-0.00001, 4, "0"},
        {0.5, 4, "0.5"},
        {1.0 / 3, 4, "0.3333"},
        {1000, 4, "1000"},
        {1000000, 0, "1000000"},
        {-2.50, 2, "-2.5"},
        {1740960000, 6, "1740960000"},
        {1740960000.25, 6, "1740960000.25"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        g_autoptr(GString) script = g_string_new(NULL);
        cmk_gnuplot_number(script, cases[i].value, cases[i].digits);
        cr_expect_str_eq(script->str, cases[i].text, "%s", script->str);
    }
}
