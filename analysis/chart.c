#include "analysis/chart.h"

#include <string.h>

#include "analysis/chart_parts.h"
#include "analysis/drawing.h"
#include "analysis/gnuplot.h"
#include "analysis/time_axis.h"
#include "models/entities.h"
#include "sim/calendar.h"

#define TITLE_Y 24.0
#define CAPTION_Y 47.0
#define TIME_TITLE_Y 14.0 /* from the bottom */
#define HEADING_RISE 11.0
#define TITLE_CHARACTERS_MAX 80
#define SPAN_WIDTH_MIN 2.0 /* so that a few minutes among weeks are still there to see */

/* Chosen as those in drawing.h. */
#define PATTERN_INCONSISTENT "4"
#define COLOUR_ENABLED "#4db392"
#define COLOUR_INCONSISTENT "#e69f00"
#define COLOUR_DISABLED "#c8c8c8"
#define COLOUR_FAULT_TEXT "#8c2f63"

GQuark cmk_chart_error_quark(void)
{
    return g_quark_from_static_string("cmk_chart_error");
}

/* ---- words and data -------------------------------------------------------------------------- */

/* 12345678 -> "12,345,678" */
char *cmk_chart_grouped(int64_t value)
{
    g_autofree char *digits = g_strdup_printf("%" G_GINT64_FORMAT, value);
    GString *text = g_string_new(NULL);
    const size_t length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-') {
            g_string_append_c(text, ',');
        }
        g_string_append_c(text, digits[i]);
    }
    return g_string_free(text, FALSE);
}

char *cmk_chart_bin_name(const CmkChartData *data)
{
    const int weeks = (int)(data->bin_us / (7 * CMK_DAY_US));
    return weeks > 1                            ? g_strdup_printf("%d weeks", weeks)
           : data->bin_us == CMK_MINUTE_US      ? g_strdup("minute")
           : data->bin_us == 10 * CMK_MINUTE_US ? g_strdup("10 minutes")
           : data->bin_us == CMK_HOUR_US        ? g_strdup("hour")
           : data->bin_us == CMK_DAY_US         ? g_strdup("day")
                                                : g_strdup("week");
}

static void put_blocks(CmkDrawing *drawing)
{
    const CmkChartData *data = drawing->data;
    cmk_draw(drawing,
             "# middle of the bin (s), failed unseen, all failed, all jobs\n$JOBS << EOD\n");
    for (uint32_t i = 0; i < data->bin_count; i++) {
        const CmkChartBin *bin = &data->bins[i];
        const CmkTime from = data->first_bin + (CmkTime)i * data->bin_us;
        cmk_draw_time(drawing, from + data->bin_us / 2);
        g_string_append_printf(
            drawing->script, " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n",
            bin->unseen, bin->unseen + bin->reported, bin->unseen + bin->reported + bin->completed);
    }
    cmk_draw(drawing, "EOD\n");
}

/* Spans of one state, or of all faults, as rectangles: middle, from, to, bottom and top. */
static bool put_span_block(CmkDrawing *drawing, const char *name, const GArray *spans,
                           uint32_t state, uint32_t rows)
{
    const double width = CMK_DRAWING_WIDTH - CMK_DRAWING_RIGHT_MARGIN - drawing->left;
    const CmkTime length_min =
        (CmkTime)((double)(drawing->data->end - drawing->data->start) * SPAN_WIDTH_MIN / width);
    bool has_any = false;
    for (guint i = 0; i < spans->len; i++) {
        const CmkChartSpan *span = &g_array_index(spans, CmkChartSpan, i);
        if (span->state != state) {
            continue;
        }
        if (!has_any) {
            g_string_append_printf(drawing->script, "$%s << EOD\n", name);
            has_any = true;
        }
        const CmkTime to = MAX(span->to, span->from + length_min);
        const double middle = (double)rows - (double)span->lane - 0.5;
        cmk_draw_time(drawing, span->from);
        cmk_draw(drawing, " ");
        cmk_draw_number(drawing, middle);
        cmk_draw(drawing, " ");
        cmk_draw_time(drawing, span->from);
        cmk_draw(drawing, " ");
        cmk_draw_time(drawing, MIN(to, drawing->data->end));
        cmk_draw(drawing, " ");
        cmk_draw_number(drawing, middle - 0.36);
        cmk_draw(drawing, " ");
        cmk_draw_number(drawing, middle + 0.36);
        cmk_draw(drawing, "\n");
    }
    if (has_any) {
        cmk_draw(drawing, "EOD\n");
    }
    return has_any;
}

/* ---- panels ---------------------------------------------------------------------------------- */

void cmk_chart_put_header(CmkDrawing *drawing, const char *counts)
{
    const CmkChartData *data = drawing->data;
    g_autofree char *title = cmk_drawing_shorten(data->scenario, TITLE_CHARACTERS_MAX);
    g_autofree char *seed = cmk_drawing_shorten(data->seed, 20);
    g_autofree char *digest = cmk_drawing_shorten(data->digest, 13);
    g_autofree char *caption =
        g_strdup_printf("%s  \u00b7  seed %s  \u00b7  digest %s", counts, seed, digest);
    cmk_draw_label(drawing, 20.0, TITLE_Y, title,
                   (CmkLabelStyle){.colour = CMK_COLOUR_TEXT, .size = 17});
    cmk_draw_label(drawing, 20.0, CAPTION_Y, caption, (CmkLabelStyle){.colour = CMK_COLOUR_SOFT});
    const char *axis = "virtual time (UTC)";
    cmk_draw_label(drawing,
                   (drawing->left + CMK_DRAWING_WIDTH - CMK_DRAWING_RIGHT_MARGIN -
                    cmk_drawing_width_of(axis)) /
                       2,
                   drawing->height - TIME_TITLE_Y, axis,
                   (CmkLabelStyle){.colour = CMK_COLOUR_TEXT});
}

static void put_header(CmkDrawing *drawing)
{
    const CmkChartData *data = drawing->data;
    CmkChartBin sum = {0};
    for (uint32_t i = 0; i < data->bin_count; i++) {
        sum.completed += data->bins[i].completed;
        sum.reported += data->bins[i].reported;
        sum.unseen += data->bins[i].unseen;
    }
    g_autofree char *jobs = cmk_chart_grouped(sum.completed + sum.reported + sum.unseen);
    g_autofree char *completed = cmk_chart_grouped(sum.completed);
    g_autofree char *reported = cmk_chart_grouped(sum.reported);
    g_autofree char *unseen = cmk_chart_grouped(sum.unseen);
    g_autofree char *counts = g_strdup_printf(
        "n = %s jobs: %s completed, %s failed and reported, %s failed with nobody told", jobs,
        completed, reported, unseen);
    cmk_chart_put_header(drawing, counts);
}

void cmk_chart_put_window_labels(CmkDrawing *drawing)
{
    for (uint32_t i = 0; i < drawing->label_count; i++) {
        const CmkWindowLabel *label = &drawing->labels[i];
        const CmkChartSpan *window = cmk_drawing_window(drawing->data, i);
        const double y = drawing->bars.top - CMK_DRAWING_LABEL_HEIGHT * ((double)label->row + 0.5);
        g_autofree char *name = cmk_drawing_window_name(drawing->data, window);
        cmk_draw(drawing, "set arrow from ");
        cmk_draw_time(drawing, window->from);
        cmk_draw(drawing, ", graph 0 to ");
        cmk_draw_time(drawing, window->from);
        cmk_draw(drawing, ", screen ");
        cmk_draw_height(drawing, y + 4.0);
        cmk_draw(drawing, " nohead linewidth 1 linecolor rgb '" COLOUR_FAULT_TEXT "'\n");
        cmk_draw_label(drawing, label->left + 3.0, y, name,
                       (CmkLabelStyle){.colour = COLOUR_FAULT_TEXT, .more = " front boxed"});
    }
}

int64_t cmk_chart_step(int64_t top)
{
    int64_t step = 1;
    for (uint32_t i = 0; top / step >= 6; i++) {
        step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    }
    return step;
}

static int64_t most_jobs(const CmkChartData *data)
{
    int64_t top = 1;
    for (uint32_t i = 0; i < data->bin_count; i++) {
        const CmkChartBin *bin = &data->bins[i];
        top = MAX(top, bin->completed + bin->reported + bin->unseen);
    }
    return top;
}

static const CmkSwatch job_swatches[] = {
    {"completed", CMK_COLOUR_DONE, NULL},
    {"failed and reported", CMK_COLOUR_FAILED, NULL},
    {"failed, nobody told", CMK_COLOUR_HIDDEN, CMK_PATTERN_HIDDEN}};

static void put_bars(CmkDrawing *drawing, bool is_lowest)
{
    const CmkChartData *data = drawing->data;
    const int64_t top = most_jobs(data);
    g_autofree char *bin = cmk_chart_bin_name(data);
    g_autofree char *title = g_strdup_printf("jobs ended per %s", bin);
    cmk_draw_place(drawing, drawing->bars);
    put_header(drawing);
    cmk_draw_legend(drawing, 20.0, CMK_CHART_LEGEND_Y, job_swatches, CMK_ARRAY_LEN(job_swatches));
    cmk_chart_put_window_labels(drawing);
    cmk_draw_shades(drawing);
    cmk_draw_time_axis(drawing, is_lowest ? CMK_TICS_LABELLED : CMK_TICS_PLAIN);
    cmk_draw(drawing, "set border 3\nset ytics nomirror ");
    cmk_draw_number(drawing, (double)cmk_chart_step(top));
    cmk_draw(drawing, top >= 10000 ? "\nset format y '%.0s%c'\n" : "\nset format y '%.0f'\n");
    cmk_draw(drawing, "set grid ytics back linecolor rgb '" CMK_COLOUR_GRID "' linewidth 0.8\n"
                      "set ylabel ");
    cmk_gnuplot_quote(drawing->script, title);
    cmk_draw(drawing, " textcolor rgb '" CMK_COLOUR_TEXT "'\nset yrange [0:");
    cmk_draw_number(drawing, (double)top * 1.1);
    cmk_draw(drawing, "]\nunset key\nset boxwidth ");
    cmk_draw_time(drawing, data->bin_us * 4 / 5);
    cmk_draw(drawing,
             " absolute\n"
             "plot $JOBS using 1:4 with boxes fillstyle solid noborder fillcolor rgb"
             " '" CMK_COLOUR_DONE "', \\\n"
             "     $JOBS using 1:3 with boxes fillstyle solid noborder fillcolor rgb"
             " '" CMK_COLOUR_FAILED "', \\\n"
             "     $JOBS using 1:2 with boxes fillstyle solid noborder fillcolor rgb"
             " '" CMK_COLOUR_HIDDEN "', \\\n"
             "     $JOBS using 1:2 with boxes fillstyle transparent pattern " CMK_PATTERN_HIDDEN
             " border rgb '" CMK_COLOUR_PATTERN "' fillcolor rgb '" CMK_COLOUR_PATTERN "'\n");
}

/* What a panel with lanes starts from: nothing of the panel before but its time. */
static void put_lanes(CmkDrawing *drawing, CmkPanel panel, const char *heading,
                      const GPtrArray *names, int64_t count)
{
    const bool has_more = count > (int64_t)names->len;
    const uint32_t rows = names->len + (has_more ? 1 : 0);
    cmk_draw(drawing,
             "unset label\nunset arrow\nunset object\nunset ylabel\nunset ytics\nunset grid\n"
             "unset key\nset border 1\n");
    cmk_draw_place(drawing, panel);
    cmk_draw_shades(drawing);
    cmk_draw(drawing, "set yrange [0:");
    cmk_draw_number(drawing, rows);
    cmk_draw(drawing, "]\n");
    cmk_draw_label(drawing, drawing->left, panel.top - HEADING_RISE, heading,
                   (CmkLabelStyle){.colour = CMK_COLOUR_TEXT});
    for (guint i = 0; i < rows; i++) {
        g_autofree char *hidden = cmk_chart_grouped(count - (int64_t)names->len);
        g_autofree char *more = g_strdup_printf("and %s more", hidden);
        g_autofree char *name =
            i < names->len
                ? cmk_drawing_shorten(g_ptr_array_index(names, i), CMK_DRAWING_NAME_CHARACTERS_MAX)
                : g_steal_pointer(&more);
        cmk_draw(drawing, "set label ");
        cmk_gnuplot_quote(drawing->script, name);
        cmk_draw(drawing, " at graph 0, first ");
        cmk_draw_number(drawing, (double)rows - (double)i - 0.5);
        cmk_draw(drawing, " right offset character -0.8, 0 textcolor rgb '");
        cmk_draw(drawing, i < names->len ? CMK_COLOUR_TEXT "'\n" : CMK_COLOUR_SOFT "'\n");
    }
}

typedef struct StateStyle {
    uint32_t state; /* CmkEncryption */
    const char *block;
    CmkSwatch swatch;
} StateStyle;

/* In the order in which they are drawn: what matters most comes last. */
static const StateStyle state_styles[] = {
    {CMK_ENCRYPTION_ENABLED, "ENABLED", {"Enabled", COLOUR_ENABLED, NULL}},
    {CMK_ENCRYPTION_DISABLED, "DISABLED", {"Disabled (platform keys)", COLOUR_DISABLED, NULL}},
    {CMK_ENCRYPTION_INCONSISTENT,
     "INCONSISTENT",
     {"Inconsistent", COLOUR_INCONSISTENT, PATTERN_INCONSISTENT}},
};

static void append_state_plot(GString *plot, const StateStyle *style)
{
    g_string_append_printf(plot,
                           "%s$%s using 1:2:3:4:5:6 with boxxyerror fillstyle solid noborder"
                           " fillcolor rgb '%s'",
                           plot->len == 0 ? "plot " : ", \\\n     ", style->block,
                           style->swatch.colour);
    if (style->swatch.pattern != NULL) {
        g_string_append_printf(plot,
                               ", \\\n     $%s using 1:2:3:4:5:6 with boxxyerror fillstyle"
                               " transparent pattern %s border rgb '" CMK_COLOUR_PATTERN
                               "' fillcolor rgb '" CMK_COLOUR_PATTERN "'",
                               style->block, style->swatch.pattern);
    }
}

static void put_states(CmkDrawing *drawing, bool is_lowest)
{
    const CmkChartData *data = drawing->data;
    const uint32_t rows =
        data->vaults->len + (data->vault_count > (int64_t)data->vaults->len ? 1 : 0);
    put_lanes(drawing, drawing->states, "encryption settings of Backup vaults", data->vaults,
              data->vault_count);
    cmk_draw_time_axis(drawing, is_lowest ? CMK_TICS_LABELLED : CMK_TICS_PLAIN);
    g_autoptr(GString) plot = g_string_new(NULL);
    CmkSwatch swatches[CMK_ARRAY_LEN(state_styles)];
    size_t count = 0;
    for (size_t i = 0; i < CMK_ARRAY_LEN(state_styles); i++) {
        if (put_span_block(drawing, state_styles[i].block, data->states, state_styles[i].state,
                           rows)) {
            append_state_plot(plot, &state_styles[i]);
            swatches[count++] = state_styles[i].swatch;
        }
    }
    if (count > 0) {
        cmk_draw_legend(drawing,
                        CMK_DRAWING_WIDTH - CMK_DRAWING_RIGHT_MARGIN -
                            cmk_drawing_legend_width(swatches, count),
                        drawing->states.top - HEADING_RISE, swatches, count);
    }
    cmk_draw(drawing, count == 0 ? "plot NaN" : plot->str);
    cmk_draw(drawing, "\n");
}

/* Whether a lane is empty between two places. */
static bool is_free(const CmkDrawing *drawing, uint32_t lane, double left, double right)
{
    bool is_empty = left > drawing->left && right < CMK_DRAWING_WIDTH - CMK_DRAWING_RIGHT_MARGIN;
    for (guint i = 0; i < drawing->data->windows->len; i++) {
        const CmkChartSpan *window = cmk_drawing_window(drawing->data, i);
        is_empty =
            is_empty && (window->lane != lane || cmk_drawing_x_of(drawing, window->to) < left ||
                         cmk_drawing_x_of(drawing, window->from) > right);
    }
    return is_empty;
}

/* How long each window lasted, beside it where there is room. */
static void put_durations(CmkDrawing *drawing, uint32_t rows)
{
    const CmkChartData *data = drawing->data;
    for (guint i = 0;
         i < data->windows->len && data->windows->len <= CMK_DRAWING_LABELLED_WINDOWS_MAX; i++) {
        const CmkChartSpan *window = cmk_drawing_window(data, i);
        char duration[CMK_DURATION_TEXT_SIZE];
        cmk_duration_format(window->to - window->from, duration, sizeof(duration));
        g_autofree char *text =
            g_strconcat(duration, window->is_open != 0 ? ", not ended" : "", NULL);
        const double width = cmk_drawing_width_of(text) + 8.0;
        const double from = cmk_drawing_x_of(drawing, window->from);
        const double to = cmk_drawing_x_of(drawing, window->to);
        const bool is_right = is_free(drawing, window->lane, to + 2.0, to + width);
        if (!is_right && !is_free(drawing, window->lane, from - width, from - 2.0)) {
            continue;
        }
        cmk_draw(drawing, "set label ");
        cmk_gnuplot_quote(drawing->script, text);
        cmk_draw(drawing, " at ");
        cmk_draw_time(drawing, is_right ? window->to : window->from);
        cmk_draw(drawing, ", first ");
        cmk_draw_number(drawing, (double)rows - (double)window->lane - 0.5);
        cmk_draw(drawing,
                 is_right ? " left offset character 0.8, 0" : " right offset character -0.8, 0");
        cmk_draw(drawing, " textcolor rgb '" CMK_COLOUR_SOFT "'\n");
    }
}

void cmk_chart_put_faults(CmkDrawing *drawing)
{
    const CmkChartData *data = drawing->data;
    const uint32_t rows =
        data->faults->len + (data->fault_count > (int64_t)data->faults->len ? 1 : 0);
    put_lanes(drawing, drawing->faults, "faults, from their start to their end or remedy",
              data->faults, data->fault_count);
    put_durations(drawing, rows);
    cmk_draw_time_axis(drawing, CMK_TICS_LABELLED);
    const bool has_any = put_span_block(drawing, "FAULTS", data->windows, 0, rows);
    cmk_draw(drawing, !has_any ? "plot NaN\n"
                               : "plot $FAULTS using 1:2:3:4:5:6 with boxxyerror fillstyle solid"
                                 " noborder fillcolor rgb '" CMK_COLOUR_FAULT "'\n");
}

static void put_picture(CmkDrawing *drawing, CmkChartFormat format)
{
    const CmkChartData *data = drawing->data;
    const bool has_states = data->vaults->len > 0;
    const bool has_faults = data->faults->len > 0;
    cmk_drawing_lay_out(drawing);
    cmk_draw_terminal(drawing, format);
    put_blocks(drawing);
    cmk_draw(drawing, "set multiplot\n\n# jobs\n");
    put_bars(drawing, !has_states && !has_faults);
    if (has_states) {
        cmk_draw(drawing, "\n# encryption settings\n");
        put_states(drawing, !has_faults);
    }
    if (has_faults) {
        cmk_draw(drawing, "\n# faults\n");
        cmk_chart_put_faults(drawing);
    }
    cmk_draw(drawing, "\nunset multiplot\n");
}

bool cmk_chart_outcomes_script(const char *db_path, CmkChartFormat format, GString *script,
                               GError **error)
{
    g_autoptr(CmkChartData) data = cmk_chart_data_read(db_path, error);
    if (data == NULL) {
        return false;
    }
    CmkDrawing drawing = {.data = data, .script = script};
    put_picture(&drawing, format);
    return true;
}

/* ---- drawing --------------------------------------------------------------------------------- */

bool cmk_chart_format_of(const char *path, CmkChartFormat *ret_format)
{
    g_autofree char *lower = g_ascii_strdown(path, -1);
    if (g_str_has_suffix(lower, ".svg")) {
        *ret_format = CMK_CHART_SVG;
        return true;
    }
    if (g_str_has_suffix(lower, ".png")) {
        *ret_format = CMK_CHART_PNG;
        return true;
    }
    return false;
}

static CmkChartError error_of(CmkGnuplotStatus status)
{
    switch (status) {
    case CMK_GNUPLOT_MISSING:
        return CMK_CHART_ERROR_MISSING;
    case CMK_GNUPLOT_FAILED:
        return CMK_CHART_ERROR_FAILED;
    case CMK_GNUPLOT_SYSTEM:
    case CMK_GNUPLOT_OK:
        return CMK_CHART_ERROR_SYSTEM;
    }
    return CMK_CHART_ERROR_SYSTEM;
}

typedef bool WriteScript(const char *db_path, CmkChartFormat format, GString *script,
                         GError **error);

static bool draw_by(const char *program, WriteScript *write, const char *db_path,
                    const char *out_path, GError **error)
{
    CmkChartFormat format = CMK_CHART_SVG;
    if (!cmk_chart_format_of(out_path, &format)) {
        const char *dot = strrchr(out_path, '.');
        const int stem =
            dot == NULL || strchr(dot, '/') != NULL ? (int)strlen(out_path) : (int)(dot - out_path);
        g_set_error(error, CMK_CHART_ERROR, CMK_CHART_ERROR_FORMAT,
                    "%s: a chart is an .svg or a .png, for instance %.*s.svg", out_path, stem,
                    out_path);
        return false;
    }
    g_autoptr(GString) script = g_string_new(NULL);
    if (!write(db_path, format, script, error)) {
        return false;
    }
    g_autofree char *message = NULL;
    const CmkGnuplotStatus status = cmk_gnuplot_draw(program, script->str, out_path, &message);
    if (status != CMK_GNUPLOT_OK) {
        g_set_error(error, CMK_CHART_ERROR, (int)error_of(status), "no chart: %s%s", message,
                    status == CMK_GNUPLOT_MISSING ? " (Debian: gnuplot-nox)" : "");
    }
    return status == CMK_GNUPLOT_OK;
}

bool cmk_chart_outcomes_by(const char *program, const char *db_path, const char *out_path,
                           GError **error)
{
    return draw_by(program, cmk_chart_outcomes_script, db_path, out_path, error);
}

bool cmk_chart_outcomes(const char *db_path, const char *out_path, GError **error)
{
    return cmk_chart_outcomes_by(NULL, db_path, out_path, error);
}

bool cmk_chart_requests(const char *db_path, const char *out_path, GError **error)
{
    return draw_by(NULL, cmk_chart_requests_script, db_path, out_path, error);
}
