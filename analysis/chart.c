#include "analysis/chart.h"

#include <string.h>

#include "analysis/chart_data.h"
#include "analysis/gnuplot.h"
#include "models/entities.h"
#include "sim/calendar.h"

/* All lengths in pixels of the SVG, from the top left corner. */
#define WIDTH 1000.0
#define HEIGHT_MIN 640.0
#define BARS_HEIGHT_MIN 260.0
#define RIGHT_MARGIN 32.0
#define LEFT_MARGIN_MIN 72.0
#define LEFT_MARGIN_MAX 200.0
#define TITLE_Y 24.0
#define CAPTION_Y 47.0
#define LEGEND_Y 70.0
#define HEADER_HEIGHT 88.0
#define FOOTER_HEIGHT 74.0
#define TIME_TITLE_Y 14.0   /* from the bottom */
#define HEADING_HEIGHT 34.0 /* above a panel with lanes */
#define HEADING_RISE 11.0
#define LANE_HEIGHT 20.0
#define LABEL_HEIGHT 19.0
#define CHARACTER_WIDTH 6.9 /* of the font below, on the generous side */
#define NAME_CHARACTERS_MAX 24
#define TITLE_CHARACTERS_MAX 80
#define SWATCH_WIDTH 22.0
#define SWATCH_HEIGHT 11.0
#define SWATCH_GAP 7.0
#define LEGEND_GAP 18.0
#define SPAN_WIDTH_MIN 2.0 /* so that a few minutes among weeks are still there to see */
#define LABELLED_WINDOWS_MAX 4
#define TICS_MAX 11

/* Colours by Okabe and Ito and tints of them: to be told apart with any kind of sight; what matters
 * most differs in its pattern too. */
#define COLOUR_COMPLETED "#9ecbe8"
#define COLOUR_REPORTED "#d55e00"
#define COLOUR_UNSEEN "#f0e442"
#define COLOUR_PATTERN "#000000"
#define PATTERN_UNSEEN "5"
#define PATTERN_INCONSISTENT "4"
#define COLOUR_ENABLED "#4db392"
#define COLOUR_INCONSISTENT "#e69f00"
#define COLOUR_DISABLED "#c8c8c8"
#define COLOUR_FAULT "#cc79a7"
#define COLOUR_FAULT_TEXT "#8c2f63"
#define COLOUR_TEXT "#222222"
#define COLOUR_SOFT "#666666"
#define COLOUR_GRID "#dddddd"

GQuark cmk_chart_error_quark(void)
{
    return g_quark_from_static_string("cmk_chart_error");
}

/* A panel between two heights. */
typedef struct Panel {
    double top;
    double bottom;
} Panel;

/* A name above the bars: where it stands. */
typedef struct WindowLabel {
    double x; /* of the window's begin */
    double left;
    double right;
    uint32_t row; /* 0 is nearest to the bars */
} WindowLabel;

typedef struct Drawing {
    const CmkChartData *data;
    GString *script;
    double height;
    double left;
    Panel bars;
    Panel states;
    Panel faults;
    WindowLabel labels[LABELLED_WINDOWS_MAX];
    uint32_t label_count;
    uint32_t label_rows;
} Drawing;

/* ---- words and numbers ----------------------------------------------------------------------- */

static void put(Drawing *drawing, const char *text)
{
    g_string_append(drawing->script, text);
}

static void put_number(Drawing *drawing, double value)
{
    cmk_gnuplot_number(drawing->script, value, 4);
}

/* A height on the screen, whose origin is at the bottom. */
static void put_height(Drawing *drawing, double y)
{
    put_number(drawing, 1.0 - y / drawing->height);
}

static double seconds(CmkTime time)
{
    return (double)time / (double)CMK_SECOND_US;
}

static void put_time(Drawing *drawing, CmkTime time)
{
    cmk_gnuplot_number(drawing->script, seconds(time), 6);
}

static char *shortened(const char *text, glong characters_max)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    if (g_utf8_strlen(valid, -1) <= characters_max) {
        return g_steal_pointer(&valid);
    }
    g_autofree char *head = g_utf8_substring(valid, 0, characters_max - 1);
    return g_strconcat(head, "\u2026", NULL);
}

static double width_of(const char *text)
{
    return CHARACTER_WIDTH * (double)g_utf8_strlen(text, -1);
}

/* 12345678 -> "12,345,678" */
static char *grouped(int64_t value)
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

static double x_of(const Drawing *drawing, CmkTime time)
{
    const CmkChartData *data = drawing->data;
    const double share = (double)(time - data->start) / (double)(data->end - data->start);
    return drawing->left + share * (WIDTH - RIGHT_MARGIN - drawing->left);
}

/* ---- where things stand ---------------------------------------------------------------------- */

static double left_margin(const CmkChartData *data)
{
    double width = width_of("and 10,000 more");
    const bool has_more = data->vault_count > (int64_t)data->vaults->len ||
                          data->fault_count > (int64_t)data->faults->len;
    width = has_more ? width : 0;
    const GPtrArray *lists[] = {data->vaults, data->faults};
    for (size_t i = 0; i < CMK_ARRAY_LEN(lists); i++) {
        for (guint j = 0; j < lists[i]->len; j++) {
            g_autofree char *name = shortened(g_ptr_array_index(lists[i], j), NAME_CHARACTERS_MAX);
            width = MAX(width, width_of(name));
        }
    }
    return CLAMP(width + 24.0, LEFT_MARGIN_MIN, LEFT_MARGIN_MAX);
}

static const CmkChartSpan *window_at(const CmkChartData *data, guint index)
{
    return &g_array_index(data->windows, CmkChartSpan, index);
}

static char *window_name(const CmkChartData *data, const CmkChartSpan *window)
{
    return shortened(g_ptr_array_index(data->faults, window->lane), NAME_CHARACTERS_MAX);
}

/* Names above the bars, each where its window begins. From right to left, so that a name stands
 * above all that it would run into, and the line below a name passes left of those. */
static void place_labels(Drawing *drawing)
{
    const CmkChartData *data = drawing->data;
    if (data->windows->len > LABELLED_WINDOWS_MAX) {
        return; /* the lanes below say it */
    }
    drawing->label_count = data->windows->len;
    for (guint i = data->windows->len; i-- > 0;) {
        WindowLabel *label = &drawing->labels[i];
        g_autofree char *name = window_name(data, window_at(data, i));
        label->x = x_of(drawing, window_at(data, i)->from);
        label->left = MIN(label->x, WIDTH - 8.0 - width_of(name));
        label->right = label->left + width_of(name) + 8.0;
        for (guint j = i + 1; j < data->windows->len; j++) {
            const WindowLabel *other = &drawing->labels[j];
            if (label->right > other->left && label->left < other->right) {
                label->row = MAX(label->row, other->row + 1);
            }
        }
        drawing->label_rows = MAX(drawing->label_rows, label->row + 1);
    }
}

static double lanes_height(guint lanes, bool has_more)
{
    const double rows = (double)lanes + (has_more ? 1.0 : 0.0);
    return lanes == 0 ? 0.0 : HEADING_HEIGHT + LANE_HEIGHT * rows;
}

static void lay_out(Drawing *drawing)
{
    const CmkChartData *data = drawing->data;
    drawing->left = left_margin(data);
    place_labels(drawing);
    const double states =
        lanes_height(data->vaults->len, data->vault_count > (int64_t)data->vaults->len);
    const double faults =
        lanes_height(data->faults->len, data->fault_count > (int64_t)data->faults->len);
    const double header = HEADER_HEIGHT + LABEL_HEIGHT * drawing->label_rows;
    drawing->height = MAX(HEIGHT_MIN, header + BARS_HEIGHT_MIN + states + faults + FOOTER_HEIGHT);
    const double bottom = drawing->height - FOOTER_HEIGHT;
    drawing->faults =
        (Panel){.top = bottom - faults + (faults > 0 ? HEADING_HEIGHT : 0), .bottom = bottom};
    drawing->states = (Panel){.top = bottom - faults - states + (states > 0 ? HEADING_HEIGHT : 0),
                              .bottom = bottom - faults};
    drawing->bars = (Panel){.top = header, .bottom = bottom - faults - states};
}

/* ---- what all panels share ------------------------------------------------------------------- */

static void put_terminal(Drawing *drawing, CmkChartFormat format)
{
    const bool is_svg = format == CMK_CHART_SVG;
    put(drawing, is_svg ? "set terminal svg size " : "set terminal pngcairo size ");
    put_number(drawing, is_svg ? WIDTH : 2 * WIDTH);
    put(drawing, ",");
    put_number(drawing, is_svg ? drawing->height : 2 * drawing->height);
    put(drawing, is_svg ? " fixed font 'sans-serif,12' noenhanced name 'cmksim'"
                          " background '#ffffff'\n"
                        : " font 'sans-serif,9' fontscale 2 linewidth 2 dashlength 2 noenhanced"
                          " background '#ffffff'\n");
    put(drawing, "set encoding utf8\n"
                 "set locale 'C'\n"
                 "set decimalsign '.'\n"
                 "set style textbox opaque noborder fillcolor rgb '#ffffff' margins 0.4,0.2\n"
                 "set border linecolor rgb '" COLOUR_SOFT "' linewidth 0.8\n"
                 "set tics textcolor rgb '" COLOUR_TEXT "'\n"
                 "set tics scale 0.5\n");
}

static void put_blocks(Drawing *drawing)
{
    const CmkChartData *data = drawing->data;
    put(drawing, "# middle of the bin (s), failed unseen, all failed, all jobs\n$JOBS << EOD\n");
    for (uint32_t i = 0; i < data->bin_count; i++) {
        const CmkChartBin *bin = &data->bins[i];
        const CmkTime from = data->first_bin + (CmkTime)i * data->bin_us;
        put_time(drawing, from + data->bin_us / 2);
        g_string_append_printf(
            drawing->script, " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n",
            bin->unseen, bin->unseen + bin->reported, bin->unseen + bin->reported + bin->completed);
    }
    put(drawing, "EOD\n");
}

/* Spans of one state, or of all faults, as rectangles: middle, from, to, bottom and top. */
static bool put_span_block(Drawing *drawing, const char *name, const GArray *spans, uint32_t state,
                           uint32_t rows)
{
    const double width = WIDTH - RIGHT_MARGIN - drawing->left;
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
        put_time(drawing, span->from);
        put(drawing, " ");
        put_number(drawing, middle);
        put(drawing, " ");
        put_time(drawing, span->from);
        put(drawing, " ");
        put_time(drawing, MIN(to, drawing->data->end));
        put(drawing, " ");
        put_number(drawing, middle - 0.36);
        put(drawing, " ");
        put_number(drawing, middle + 0.36);
        put(drawing, "\n");
    }
    if (has_any) {
        put(drawing, "EOD\n");
    }
    return has_any;
}

static void put_place(Drawing *drawing, Panel panel)
{
    put(drawing, "set lmargin at screen ");
    put_number(drawing, drawing->left / WIDTH);
    put(drawing, "\nset rmargin at screen ");
    put_number(drawing, 1.0 - RIGHT_MARGIN / WIDTH);
    put(drawing, "\nset tmargin at screen ");
    put_height(drawing, panel.top);
    put(drawing, "\nset bmargin at screen ");
    put_height(drawing, panel.bottom);
    put(drawing, "\nset xrange [");
    put_time(drawing, drawing->data->start);
    put(drawing, ":");
    put_time(drawing, drawing->data->end);
    put(drawing, "]\n");
}

/* Behind everything in the panel that is drawn next. */
static void put_shades(Drawing *drawing)
{
    const CmkChartData *data = drawing->data;
    for (guint i = 0; i < data->windows->len; i++) {
        const CmkChartSpan *window = window_at(data, i);
        put(drawing, "set object rectangle from ");
        put_time(drawing, window->from);
        put(drawing, ", graph 0 to ");
        put_time(drawing, window->to);
        put(drawing, ", graph 1 behind fillcolor rgb '" COLOUR_FAULT
                     "' fillstyle transparent solid 0.22 noborder\n");
    }
}

typedef struct LabelStyle {
    const char *colour;
    const char *more; /* further options, NULL: none */
    double size;      /* 0: that of the terminal */
} LabelStyle;

static void put_label(Drawing *drawing, double x, double y, const char *text, LabelStyle style)
{
    put(drawing, "set label ");
    cmk_gnuplot_quote(drawing->script, text);
    put(drawing, " at screen ");
    put_number(drawing, x / WIDTH);
    put(drawing, ", screen ");
    put_height(drawing, y);
    put(drawing, " left textcolor rgb '");
    put(drawing, style.colour);
    put(drawing, "'");
    if (style.size > 0) {
        put(drawing, " font ',");
        put_number(drawing, style.size);
        put(drawing, "'");
    }
    if (style.more != NULL) {
        put(drawing, style.more);
    }
    put(drawing, "\n");
}

/* ---- legends --------------------------------------------------------------------------------- */

typedef struct Swatch {
    const char *text;
    const char *colour;
    const char *pattern; /* of gnuplot, NULL: plain */
} Swatch;

static double width_of_legend(const Swatch *swatches, size_t count)
{
    double width = 0;
    for (size_t i = 0; i < count; i++) {
        width += SWATCH_WIDTH + SWATCH_GAP + width_of(swatches[i].text) + LEGEND_GAP;
    }
    return width - LEGEND_GAP;
}

static void put_swatch(Drawing *drawing, double x, double y, const char *style)
{
    put(drawing, "set object rectangle from screen ");
    put_number(drawing, x / WIDTH);
    put(drawing, ", screen ");
    put_height(drawing, y + SWATCH_HEIGHT / 2);
    put(drawing, " to screen ");
    put_number(drawing, (x + SWATCH_WIDTH) / WIDTH);
    put(drawing, ", screen ");
    put_height(drawing, y - SWATCH_HEIGHT / 2);
    put(drawing, style);
    put(drawing, "\n");
}

/* gnuplot's own key can show a colour or a pattern, but not one above the other. */
static void put_legend(Drawing *drawing, double x, double y, const Swatch *swatches, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const Swatch *swatch = &swatches[i];
        g_autofree char *plain =
            g_strdup_printf(" front fillstyle solid noborder fillcolor rgb '%s'", swatch->colour);
        put_swatch(drawing, x, y, plain);
        if (swatch->pattern != NULL) {
            g_autofree char *pattern = g_strdup_printf(
                " front fillstyle transparent pattern %s border rgb '" COLOUR_PATTERN
                "' fillcolor rgb '" COLOUR_PATTERN "'",
                swatch->pattern);
            put_swatch(drawing, x, y, pattern);
        }
        x += SWATCH_WIDTH + SWATCH_GAP;
        put_label(drawing, x, y, swatch->text, (LabelStyle){.colour = COLOUR_TEXT});
        x += width_of(swatch->text) + LEGEND_GAP;
    }
}

/* ---- the axis of time ------------------------------------------------------------------------ */

/* Distances of tics, the shortest first; months come after these. */
static const CmkTime tic_steps[] = {
    CMK_HOUR_US, 2 * CMK_HOUR_US, 3 * CMK_HOUR_US, 6 * CMK_HOUR_US, 12 * CMK_HOUR_US,
    CMK_DAY_US,  2 * CMK_DAY_US,  7 * CMK_DAY_US,  14 * CMK_DAY_US,
};
static const int64_t tic_months[] = {1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 60000};
static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Text in double quotes, for its line feed: only digits and names of months. */
static void put_tic(Drawing *drawing, CmkTime time, CmkTime step, const CmkTime *previous)
{
    const CmkCivil now = cmk_time_to_civil(time);
    const CmkCivil before = cmk_time_to_civil(previous == NULL ? 0 : *previous);
    const bool is_new_year = previous == NULL || now.year != before.year;
    const bool is_new_day = previous == NULL || now.day != before.day;
    g_autoptr(GString) first = g_string_new(NULL);
    g_autoptr(GString) second = g_string_new(NULL);
    if (step < CMK_DAY_US) {
        g_string_printf(first, "%02d:%02d", now.hour, now.minute);
        if (is_new_day) {
            g_string_printf(second, "%d %s", now.day, month_names[now.month - 1]);
        }
    } else {
        g_string_printf(first, "%d %s", now.day, month_names[now.month - 1]);
    }
    if (is_new_year) {
        g_string_append_printf(second, "%s%" G_GINT64_FORMAT, second->len == 0 ? "" : " ",
                               now.year);
    }
    g_string_append_printf(drawing->script, "%s\"%s%s%s\" ", previous == NULL ? "" : ", ",
                           first->str, second->len == 0 ? "" : "\\n", second->str);
    put_time(drawing, time);
}

static CmkTime choose_step(CmkTime length)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(tic_steps); i++) {
        if (length / tic_steps[i] < TICS_MAX) {
            return tic_steps[i];
        }
    }
    return 0;
}

/* Tics at multiples of hours or days from a midnight, or at firsts of months; only those of the
 * lowest panel have labels. */
static void put_tics(Drawing *drawing, bool has_labels)
{
    const CmkChartData *data = drawing->data;
    const CmkTime length = data->end - data->start;
    const CmkTime step = choose_step(length);
    int64_t months = 0;
    for (size_t i = 0; step == 0 && months == 0; i++) {
        const bool is_enough = length / (30 * CMK_DAY_US * tic_months[i]) < TICS_MAX;
        months = is_enough || i + 1 == CMK_ARRAY_LEN(tic_months) ? tic_months[i] : 0;
    }
    CmkCivil civil = cmk_time_to_civil(data->start);
    civil = (CmkCivil){
        .year = civil.year, .month = step == 0 ? 1 : civil.month, .day = step == 0 ? 1 : civil.day};
    const CmkPeriod period = {.months = (int32_t)months, .us = step};
    const CmkTime origin = cmk_time_from_civil(&civil);
    CmkTime previous = 0;
    bool has_previous = false;
    int64_t index = cmk_period_first_index(origin, period, data->start);
    for (uint32_t i = 0; i < 4 * TICS_MAX; i++, index++) {
        const CmkTime time = cmk_time_add_period(origin, period, index);
        if (time > data->end) {
            break;
        }
        if (has_labels) {
            put_tic(drawing, time, step == 0 ? CMK_DAY_US : step, has_previous ? &previous : NULL);
        } else {
            put(drawing, has_previous ? ", '' " : "'' ");
            put_time(drawing, time);
        }
        previous = time;
        has_previous = true;
    }
}

static void put_time_axis(Drawing *drawing, bool is_lowest)
{
    put(drawing, "set xtics nomirror (");
    put_tics(drawing, is_lowest);
    put(drawing, ")\n");
}

/* "hour", "day", "week", "2 weeks" */
static char *bin_name(const CmkChartData *data)
{
    const int weeks = (int)(data->bin_us / (7 * CMK_DAY_US));
    return weeks > 1                     ? g_strdup_printf("%d weeks", weeks)
           : data->bin_us == CMK_HOUR_US ? g_strdup("hour")
           : data->bin_us == CMK_DAY_US  ? g_strdup("day")
                                         : g_strdup("week");
}

/* ---- panels ---------------------------------------------------------------------------------- */

/* Title and caption, and the title of the axis below all panels. */
static void put_header(Drawing *drawing)
{
    const CmkChartData *data = drawing->data;
    CmkChartBin sum = {0};
    for (uint32_t i = 0; i < data->bin_count; i++) {
        sum.completed += data->bins[i].completed;
        sum.reported += data->bins[i].reported;
        sum.unseen += data->bins[i].unseen;
    }
    g_autofree char *title = shortened(data->scenario, TITLE_CHARACTERS_MAX);
    g_autofree char *seed = shortened(data->seed, 20);
    g_autofree char *digest = shortened(data->digest, 13);
    g_autofree char *jobs = grouped(sum.completed + sum.reported + sum.unseen);
    g_autofree char *completed = grouped(sum.completed);
    g_autofree char *reported = grouped(sum.reported);
    g_autofree char *unseen = grouped(sum.unseen);
    g_autofree char *caption = g_strdup_printf(
        "n = %s jobs: %s completed, %s failed and reported, %s failed with nobody told"
        "  \u00b7  seed %s  \u00b7  digest %s",
        jobs, completed, reported, unseen, seed, digest);
    put_label(drawing, 20.0, TITLE_Y, title, (LabelStyle){.colour = COLOUR_TEXT, .size = 17});
    put_label(drawing, 20.0, CAPTION_Y, caption, (LabelStyle){.colour = COLOUR_SOFT});
    const char *axis = "virtual time (UTC)";
    put_label(drawing, (drawing->left + WIDTH - RIGHT_MARGIN - width_of(axis)) / 2,
              drawing->height - TIME_TITLE_Y, axis, (LabelStyle){.colour = COLOUR_TEXT});
}

/* The names of the windows with lines down to where they begin. */
static void put_window_labels(Drawing *drawing)
{
    for (uint32_t i = 0; i < drawing->label_count; i++) {
        const WindowLabel *label = &drawing->labels[i];
        const CmkChartSpan *window = window_at(drawing->data, i);
        const double y = drawing->bars.top - LABEL_HEIGHT * ((double)label->row + 0.5);
        g_autofree char *name = window_name(drawing->data, window);
        put(drawing, "set arrow from ");
        put_time(drawing, window->from);
        put(drawing, ", graph 0 to ");
        put_time(drawing, window->from);
        put(drawing, ", screen ");
        put_height(drawing, y + 4.0);
        put(drawing, " nohead linewidth 1 linecolor rgb '" COLOUR_FAULT_TEXT "'\n");
        put_label(drawing, label->left + 3.0, y, name,
                  (LabelStyle){.colour = COLOUR_FAULT_TEXT, .more = " front boxed"});
    }
}

/* The height of the axis, and a distance of tics, 1, 2 or 5 times a power of ten, at most six. */
static void choose_counts(const CmkChartData *data, int64_t *ret_top, int64_t *ret_step)
{
    int64_t top = 1;
    for (uint32_t i = 0; i < data->bin_count; i++) {
        const CmkChartBin *bin = &data->bins[i];
        top = MAX(top, bin->completed + bin->reported + bin->unseen);
    }
    int64_t step = 1;
    for (uint32_t i = 0; top / step >= 6; i++) {
        step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    }
    *ret_top = top;
    *ret_step = step;
}

static const Swatch job_swatches[] = {{"completed", COLOUR_COMPLETED, NULL},
                                      {"failed and reported", COLOUR_REPORTED, NULL},
                                      {"failed, nobody told", COLOUR_UNSEEN, PATTERN_UNSEEN}};

static void put_bars(Drawing *drawing, bool is_lowest)
{
    const CmkChartData *data = drawing->data;
    int64_t top = 0;
    int64_t step = 0;
    choose_counts(data, &top, &step);
    g_autofree char *bin = bin_name(data);
    g_autofree char *title = g_strdup_printf("jobs ended per %s", bin);
    put_place(drawing, drawing->bars);
    put_header(drawing);
    put_legend(drawing, 20.0, LEGEND_Y, job_swatches, CMK_ARRAY_LEN(job_swatches));
    put_window_labels(drawing);
    put_shades(drawing);
    put_time_axis(drawing, is_lowest);
    put(drawing, "set border 3\nset ytics nomirror ");
    put_number(drawing, (double)step);
    put(drawing, top >= 10000 ? "\nset format y '%.0s%c'\n" : "\nset format y '%.0f'\n");
    put(drawing, "set grid ytics back linecolor rgb '" COLOUR_GRID "' linewidth 0.8\n"
                 "set ylabel ");
    cmk_gnuplot_quote(drawing->script, title);
    put(drawing, " textcolor rgb '" COLOUR_TEXT "'\nset yrange [0:");
    put_number(drawing, (double)top * 1.1);
    put(drawing, "]\nunset key\nset boxwidth ");
    put_time(drawing, data->bin_us * 4 / 5);
    put(drawing, " absolute\n"
                 "plot $JOBS using 1:4 with boxes fillstyle solid noborder fillcolor rgb"
                 " '" COLOUR_COMPLETED "', \\\n"
                 "     $JOBS using 1:3 with boxes fillstyle solid noborder fillcolor rgb"
                 " '" COLOUR_REPORTED "', \\\n"
                 "     $JOBS using 1:2 with boxes fillstyle solid noborder fillcolor rgb"
                 " '" COLOUR_UNSEEN "', \\\n"
                 "     $JOBS using 1:2 with boxes fillstyle transparent pattern " PATTERN_UNSEEN
                 " border rgb '" COLOUR_PATTERN "' fillcolor rgb '" COLOUR_PATTERN "'\n");
}

/* What a panel with lanes starts from: nothing of the panel before but its time. */
static void put_lanes(Drawing *drawing, Panel panel, const char *heading, const GPtrArray *names,
                      int64_t count)
{
    const bool has_more = count > (int64_t)names->len;
    const uint32_t rows = names->len + (has_more ? 1 : 0);
    put(drawing, "unset label\nunset arrow\nunset object\nunset ylabel\nunset ytics\nunset grid\n"
                 "unset key\nset border 1\n");
    put_place(drawing, panel);
    put_shades(drawing);
    put(drawing, "set yrange [0:");
    put_number(drawing, rows);
    put(drawing, "]\n");
    put_label(drawing, drawing->left, panel.top - HEADING_RISE, heading,
              (LabelStyle){.colour = COLOUR_TEXT});
    for (guint i = 0; i < rows; i++) {
        g_autofree char *hidden = grouped(count - (int64_t)names->len);
        g_autofree char *more = g_strdup_printf("and %s more", hidden);
        g_autofree char *name = i < names->len
                                    ? shortened(g_ptr_array_index(names, i), NAME_CHARACTERS_MAX)
                                    : g_steal_pointer(&more);
        put(drawing, "set label ");
        cmk_gnuplot_quote(drawing->script, name);
        put(drawing, " at graph 0, first ");
        put_number(drawing, (double)rows - (double)i - 0.5);
        put(drawing, " right offset character -0.8, 0 textcolor rgb '");
        put(drawing, i < names->len ? COLOUR_TEXT "'\n" : COLOUR_SOFT "'\n");
    }
}

typedef struct StateStyle {
    uint32_t state; /* CmkEncryption */
    const char *block;
    Swatch swatch;
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
                               " transparent pattern %s border rgb '" COLOUR_PATTERN
                               "' fillcolor rgb '" COLOUR_PATTERN "'",
                               style->block, style->swatch.pattern);
    }
}

static void put_states(Drawing *drawing, bool is_lowest)
{
    const CmkChartData *data = drawing->data;
    const uint32_t rows =
        data->vaults->len + (data->vault_count > (int64_t)data->vaults->len ? 1 : 0);
    put_lanes(drawing, drawing->states, "encryption settings of Backup vaults", data->vaults,
              data->vault_count);
    put_time_axis(drawing, is_lowest);
    g_autoptr(GString) plot = g_string_new(NULL);
    Swatch swatches[CMK_ARRAY_LEN(state_styles)];
    size_t count = 0;
    for (size_t i = 0; i < CMK_ARRAY_LEN(state_styles); i++) {
        if (put_span_block(drawing, state_styles[i].block, data->states, state_styles[i].state,
                           rows)) {
            append_state_plot(plot, &state_styles[i]);
            swatches[count++] = state_styles[i].swatch;
        }
    }
    if (count > 0) {
        put_legend(drawing, WIDTH - RIGHT_MARGIN - width_of_legend(swatches, count),
                   drawing->states.top - HEADING_RISE, swatches, count);
    }
    put(drawing, count == 0 ? "plot NaN" : plot->str);
    put(drawing, "\n");
}

/* Whether a lane is empty between two places. */
static bool is_free(const Drawing *drawing, uint32_t lane, double left, double right)
{
    bool is_empty = left > drawing->left && right < WIDTH - RIGHT_MARGIN;
    for (guint i = 0; i < drawing->data->windows->len; i++) {
        const CmkChartSpan *window = window_at(drawing->data, i);
        is_empty = is_empty && (window->lane != lane || x_of(drawing, window->to) < left ||
                                x_of(drawing, window->from) > right);
    }
    return is_empty;
}

/* How long each window lasted, beside it where there is room. */
static void put_durations(Drawing *drawing, uint32_t rows)
{
    const CmkChartData *data = drawing->data;
    for (guint i = 0; i < data->windows->len && data->windows->len <= LABELLED_WINDOWS_MAX; i++) {
        const CmkChartSpan *window = window_at(data, i);
        char duration[CMK_DURATION_TEXT_SIZE];
        cmk_duration_format(window->to - window->from, duration, sizeof(duration));
        g_autofree char *text =
            g_strconcat(duration, window->is_open != 0 ? ", not ended" : "", NULL);
        const double width = width_of(text) + 8.0;
        const double from = x_of(drawing, window->from);
        const double to = x_of(drawing, window->to);
        const bool is_right = is_free(drawing, window->lane, to + 2.0, to + width);
        if (!is_right && !is_free(drawing, window->lane, from - width, from - 2.0)) {
            continue;
        }
        put(drawing, "set label ");
        cmk_gnuplot_quote(drawing->script, text);
        put(drawing, " at ");
        put_time(drawing, is_right ? window->to : window->from);
        put(drawing, ", first ");
        put_number(drawing, (double)rows - (double)window->lane - 0.5);
        put(drawing,
            is_right ? " left offset character 0.8, 0" : " right offset character -0.8, 0");
        put(drawing, " textcolor rgb '" COLOUR_SOFT "'\n");
    }
}

static void put_faults(Drawing *drawing)
{
    const CmkChartData *data = drawing->data;
    const uint32_t rows =
        data->faults->len + (data->fault_count > (int64_t)data->faults->len ? 1 : 0);
    put_lanes(drawing, drawing->faults, "faults, from their start to their end or remedy",
              data->faults, data->fault_count);
    put_durations(drawing, rows);
    put_time_axis(drawing, true);
    const bool has_any = put_span_block(drawing, "FAULTS", data->windows, 0, rows);
    put(drawing, !has_any ? "plot NaN\n"
                          : "plot $FAULTS using 1:2:3:4:5:6 with boxxyerror fillstyle solid"
                            " noborder fillcolor rgb '" COLOUR_FAULT "'\n");
}

static void put_picture(Drawing *drawing, CmkChartFormat format)
{
    const CmkChartData *data = drawing->data;
    const bool has_states = data->vaults->len > 0;
    const bool has_faults = data->faults->len > 0;
    lay_out(drawing);
    put_terminal(drawing, format);
    put_blocks(drawing);
    put(drawing, "set multiplot\n\n# jobs\n");
    put_bars(drawing, !has_states && !has_faults);
    if (has_states) {
        put(drawing, "\n# encryption settings\n");
        put_states(drawing, !has_faults);
    }
    if (has_faults) {
        put(drawing, "\n# faults\n");
        put_faults(drawing);
    }
    put(drawing, "\nunset multiplot\n");
}

bool cmk_chart_outcomes_script(const char *db_path, CmkChartFormat format, GString *script,
                               GError **error)
{
    g_autoptr(CmkChartData) data = cmk_chart_data_read(db_path, error);
    if (data == NULL) {
        return false;
    }
    Drawing drawing = {.data = data, .script = script};
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

bool cmk_chart_outcomes_by(const char *program, const char *db_path, const char *out_path,
                           GError **error)
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
    if (!cmk_chart_outcomes_script(db_path, format, script, error)) {
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

bool cmk_chart_outcomes(const char *db_path, const char *out_path, GError **error)
{
    return cmk_chart_outcomes_by(NULL, db_path, out_path, error);
}
