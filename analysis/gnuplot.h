/*
 * gnuplot as a program behind a pipe: a script goes in, a picture comes out.
 *
 * The picture travels through the program's standard output, so no file name ever stands in a
 * script, and it is this module that writes the file: under a temporary name, renamed only if there
 * is a whole picture. Text of users goes into scripts through cmk_gnuplot_quote() only.
 *
 * Must not know: databases, or what is drawn. Safe in any thread; no signal escapes.
 */
#ifndef CMK_ANALYSIS_GNUPLOT_H
#define CMK_ANALYSIS_GNUPLOT_H

#include <glib.h>

typedef enum CmkGnuplotStatus {
    CMK_GNUPLOT_OK,
    CMK_GNUPLOT_MISSING, /* the program is not there */
    CMK_GNUPLOT_FAILED,  /* it refused the script, drew nothing, died or hung */
    CMK_GNUPLOT_SYSTEM   /* this machine: pipes, processes, the file */
} CmkGnuplotStatus;

/* The program that is looked for where none is given. */
#define CMK_GNUPLOT_PROGRAM "gnuplot"

/*
 * Lets `program` (NULL: CMK_GNUPLOT_PROGRAM; without a slash it is looked for in the PATH) draw the
 * script into the file `path`. On any status but OK `ret_message` is set to a sentence, to be freed
 * with g_free(), and a file that was there before stays as it was. If the script is wrong, the
 * message has the number and the text of its line.
 */
CmkGnuplotStatus cmk_gnuplot_draw(const char *program, const char *script, const char *path,
                                  char **ret_message);

/* Appends `text` as a string constant of gnuplot: in single quotes, where neither backticks nor
 * backslashes nor macros mean anything. An apostrophe becomes a typographic one, since gnuplot 5.4
 * takes a doubled one for the end of the string where it comes first or after another. Control
 * characters become blanks, what is not UTF-8 a replacement character; so the script needs
 * `set encoding utf8`. Not for formats and labels of tics, where `%` is special. */
void cmk_gnuplot_quote(GString *script, const char *text);

/* Appends a number with at most `digits` (0..9) digits after the point, in no locale. */
void cmk_gnuplot_number(GString *script, double value, int digits);

#endif
