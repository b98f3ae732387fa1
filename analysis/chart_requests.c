/* The chart of requests: what key vaults were asked for, and how near to their limit. */
#include "analysis/chart.h"
#include "analysis/chart_parts.h"
#include "analysis/gnuplot.h"
#include "analysis/time_axis.h"

#define PEAKS_HEIGHT 230.0 /* with its heading */
#define HEADING_HEIGHT 40.0
#define HEADING_RISE 16.0
#define COLOUR_PEAK "#56b4e9"
#define COLOUR_LIMIT "#000000"
#define PPM_OF_PERCENT 10000.0
#define LOWEST_PEAK 0.01 /* %: a single request on a small key is 0.025 */

/* ---- data ------------------------------------------------------------------------------------ */

static int64_t all_of(const CmkChartLoad *load)
{
    return load->answered + load->throttled + load->refused;
}

static void put_blocks(CmkDrawing *drawing)
{
    const CmkChartData *data = drawing->data;
    cmk_draw(drawing, "# middle of the bin (s), refused, and throttled, all requests, busiest "
                      "window in % of the limit\n$REQUESTS << EOD\n");
    for (uint32_t i = 0; i < data->bin_count; i++) {
        const CmkChartLoad *load = &data->loads[i];
        cmk_draw_time(drawing, data->first_bin + (CmkTime)i * data->bin_us + data->bin_us / 2);
        g_string_append_printf(drawing->script,
                               " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " ",
                               load->refused, load->refused + load->throttled, all_of(load));
        cmk_draw_number(drawing, (double)load->peak_ppm / PPM_OF_PERCENT);
        cmk_draw(drawing, "\n");
    }
    cmk_draw(drawing, "EOD\n");
}

/* ---- panels ---------------------------------------------------------------------------------- */

static void put_header(CmkDrawing *drawing)
{
    const CmkChartData *data = drawing->data;
    CmkChartLoad sum = {0};
    for (uint32_t i = 0; i < data->bin_count; i++) {
        sum.answered += data->loads[i].answered;
        sum.throttled += data->loads[i].throttled;
        sum.refused += data->loads[i].refused;
    }
    g_autofree char *all = cmk_chart_grouped(all_of(&sum));
    g_autofree char *answered = cmk_chart_grouped(sum.answered);
    g_autofree char *throttled = cmk_chart_grouped(sum.throttled);
    g_autofree char *refused = cmk_chart_grouped(sum.refused);
    g_autofree char *counts =
        g_strdup_printf("n = %s requests to key vaults: %s answered, %s throttled, %s refused", all,
                        answered, throttled, refused);
    cmk_chart_put_header(drawing, counts);
}

/* Tics and grid of the scale on the left, and what else both panels with bars have. */
static void put_scale(CmkDrawing *drawing, const char *tics, const char *format)
{
    cmk_draw(drawing, "set border 3\nset ytics nomirror ");
    cmk_draw(drawing, tics);
    cmk_draw(drawing, " textcolor rgb '" CMK_COLOUR_TEXT "'\nset format y '");
    cmk_draw(drawing, format);
    cmk_draw(drawing, "'\nset grid ytics back linecolor rgb '" CMK_COLOUR_GRID "' linewidth 0.8\n"
                      "unset key\nset boxwidth ");
    cmk_draw_time(drawing, drawing->data->bin_us * 4 / 5);
    cmk_draw(drawing, " absolute\n");
}

static void put_range(CmkDrawing *drawing, double bottom, double top)
{
    cmk_draw(drawing, "set yrange [");
    cmk_draw_number(drawing, bottom);
    cmk_draw(drawing, ":");
    cmk_draw_number(drawing, top);
    cmk_draw(drawing, "]\n");
}

static void put_title(CmkDrawing *drawing, const char *title)
{
    cmk_draw(drawing, "set ylabel ");
    cmk_gnuplot_quote(drawing->script, title);
    cmk_draw(drawing, " textcolor rgb '" CMK_COLOUR_TEXT "'\n");
}

static const CmkSwatch swatches[] = {
    {"answered", CMK_COLOUR_DONE, NULL},
    {"throttled (429)", CMK_COLOUR_FAILED, NULL},
    {"refused for another reason", CMK_COLOUR_HIDDEN, CMK_PATTERN_HIDDEN}};

static void put_counts(CmkDrawing *drawing)
{
    const CmkChartData *data = drawing->data;
    int64_t top = 1;
    for (uint32_t i = 0; i < data->bin_count; i++) {
        top = MAX(top, all_of(&data->loads[i]));
    }
    g_autofree char *bin = cmk_chart_bin_name(data);
    g_autofree char *title = g_strdup_printf("requests per %s", bin);
    cmk_draw_place(drawing, drawing->bars);
    put_header(drawing);
    cmk_draw_legend(drawing, 20.0, CMK_CHART_LEGEND_Y, swatches, CMK_ARRAY_LEN(swatches));
    cmk_chart_put_window_labels(drawing);
    cmk_draw_shades(drawing);
    cmk_draw_time_axis(drawing, CMK_TICS_PLAIN);
    put_title(drawing, title);
    g_autofree char *tics = g_strdup_printf("%" G_GINT64_FORMAT, cmk_chart_step(top));
    put_scale(drawing, tics, top >= 10000 ? "%.0s%c" : "%.0f");
    put_range(drawing, 0, (double)top * 1.1);
    cmk_draw(drawing,
             "plot $REQUESTS using 1:4 with boxes fillstyle solid noborder fillcolor rgb"
             " '" CMK_COLOUR_DONE "', \\\n"
             "     $REQUESTS using 1:3 with boxes fillstyle solid noborder fillcolor rgb"
             " '" CMK_COLOUR_FAILED "', \\\n"
             "     $REQUESTS using 1:2 with boxes fillstyle solid noborder fillcolor rgb"
             " '" CMK_COLOUR_HIDDEN "', \\\n"
             "     $REQUESTS using 1:2 with boxes fillstyle transparent pattern " CMK_PATTERN_HIDDEN
             " border rgb '" CMK_COLOUR_PATTERN "' fillcolor rgb '" CMK_COLOUR_PATTERN "'\n");
}

/* From a fraction of the limit to beyond ten times of it: a fleet may be far from the limit or
 * far above it, and one wants to see by how many times. */
static double highest_peak(const CmkChartData *data)
{
    double top = 1000.0;
    for (uint32_t i = 0; i < data->bin_count; i++) {
        top = MAX(top, (double)data->loads[i].peak_ppm / PPM_OF_PERCENT);
    }
    return top;
}

static void put_peaks(CmkDrawing *drawing, bool is_lowest)
{
    cmk_draw(drawing, "unset label\nunset arrow\nunset object\nunset ylabel\nunset ytics\n"
                      "unset grid\n");
    cmk_draw_place(drawing, drawing->states);
    cmk_draw_label(drawing, drawing->left, drawing->states.top - HEADING_RISE,
                   "busiest 10 seconds of a key vault: what was asked for, retries included, in % "
                   "of what it answers in 10 seconds",
                   (CmkLabelStyle){.colour = CMK_COLOUR_TEXT});
    cmk_draw_shades(drawing);
    cmk_draw_time_axis(drawing, is_lowest ? CMK_TICS_LABELLED : CMK_TICS_PLAIN);
    put_title(drawing, "% of limit (log scale)");
    cmk_draw(drawing, "set logscale y 10\nunset mytics\n");
    put_scale(drawing, "10", "%.12g");
    put_range(drawing, LOWEST_PEAK, highest_peak(drawing->data) * 2.0);
    cmk_draw(drawing,
             "set arrow from graph 0, first 100 to graph 1, first 100 nohead front"
             " linewidth 1.2 linecolor rgb '" COLOUR_LIMIT "'\n"
             "set label 'limit (100 %)' at graph 1, first 100 right offset character -0.6, 0.6"
             " front boxed textcolor rgb '" COLOUR_LIMIT "'\n"
             "plot $REQUESTS using 1:($5 > 0 ? $5 : NaN) with boxes fillstyle solid noborder"
             " fillcolor rgb '" COLOUR_PEAK "', 0.001 notitle\n"
             "unset logscale y\n");
}

bool cmk_chart_requests_script(const char *db_path, CmkChartFormat format, GString *script,
                               GError **error)
{
    g_autoptr(CmkChartData) data = cmk_chart_data_read_loads(db_path, error);
    if (data == NULL) {
        return false;
    }
    CmkDrawing drawing = {.data = data, .script = script, .middle_height = PEAKS_HEIGHT};
    const bool has_faults = data->faults->len > 0;
    cmk_drawing_lay_out(&drawing);
    drawing.states.top += HEADING_HEIGHT - 34.0;
    cmk_draw_terminal(&drawing, format);
    put_blocks(&drawing);
    cmk_draw(&drawing, "set multiplot\n\n# requests\n");
    put_counts(&drawing);
    cmk_draw(&drawing, "\n# busiest windows\n");
    put_peaks(&drawing, !has_faults);
    if (has_faults) {
        cmk_draw(&drawing, "\n# faults\n");
        cmk_chart_put_faults(&drawing);
    }
    cmk_draw(&drawing, "\nunset multiplot\n");
    return true;
}
