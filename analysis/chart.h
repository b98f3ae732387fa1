/*
 * Pictures of a finished run, drawn by gnuplot from the views of its database.
 *
 * Must not know: tables behind the views, worlds, journals.
 */
#ifndef CMK_ANALYSIS_CHART_H
#define CMK_ANALYSIS_CHART_H

#include <stdbool.h>

#include <glib.h>

#define CMK_CHART_ERROR (cmk_chart_error_quark())
GQuark cmk_chart_error_quark(void);

typedef enum CmkChartError {
    CMK_CHART_ERROR_FORMAT,  /* the file name ends neither in .svg nor in .png */
    CMK_CHART_ERROR_MISSING, /* gnuplot is not there */
    CMK_CHART_ERROR_FAILED,  /* gnuplot refused the script or drew nothing */
    CMK_CHART_ERROR_SYSTEM   /* the file cannot be written, or no program can be started */
} CmkChartError;

typedef enum CmkChartFormat {
    CMK_CHART_SVG,
    CMK_CHART_PNG /* in twice the resolution */
} CmkChartFormat;

/* By the end of the name, .svg or .png in any case; false for another one. */
bool cmk_chart_format_of(const char *path, CmkChartFormat *ret_format);

/*
 * Draws what happened to the jobs of a run: outcomes over virtual time, encryption state of the
 * Backup vaults as lanes, fault windows as lanes and as shades behind everything. Writes out_path
 * whole or not at all. Errors: CMK_STORE_ERROR for the database, CMK_CHART_ERROR for the rest.
 */
bool cmk_chart_outcomes(const char *db_path, const char *out_path, GError **error);

/*
 * Draws what was asked of the key vaults: requests that were answered, throttled or refused over
 * virtual time, and below how much of what a key vault answers in 10 s was asked for, with the
 * limit as a line; fault windows as above. Otherwise likewise.
 */
bool cmk_chart_requests(const char *db_path, const char *out_path, GError **error);

/* The same with another program in place of gnuplot (NULL: gnuplot). */
bool cmk_chart_outcomes_by(const char *program, const char *db_path, const char *out_path,
                           GError **error);

/* Appends the script of that picture; a function of the database's contents and the format only.
 * CMK_STORE_ERROR if the database cannot be read. */
bool cmk_chart_outcomes_script(const char *db_path, CmkChartFormat format, GString *script,
                               GError **error);
bool cmk_chart_requests_script(const char *db_path, CmkChartFormat format, GString *script,
                               GError **error);

#endif
