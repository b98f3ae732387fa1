#include "analysis/drawing.h"

#include "analysis/gnuplot.h"
#include "models/entities.h"

/* Pixels. */
#define HEIGHT_MIN 640.0
#define BARS_HEIGHT_MIN 260.0
#define LEFT_MARGIN_MIN 72.0
#define LEFT_MARGIN_MAX 200.0
#define HEADER_HEIGHT 88.0
#define FOOTER_HEIGHT 74.0
#define HEADING_HEIGHT 34.0 /* above a panel with lanes */
#define LANE_HEIGHT 20.0
#define CHARACTER_WIDTH 6.9 /* of the font below, on the generous side */
#define SWATCH_WIDTH 22.0
#define SWATCH_HEIGHT 11.0
#define SWATCH_GAP 7.0
#define LEGEND_GAP 18.0

/* ---- words and numbers ----------------------------------------------------------------------- */

void cmk_draw(CmkDrawing *drawing, const char *text)
{
    g_string_append(drawing->script, text);
}

void cmk_draw_number(CmkDrawing *drawing, double value)
{
    cmk_gnuplot_number(drawing->script, value, 4);
}

/* A height on the screen, whose origin is at the bottom. */
void cmk_draw_height(CmkDrawing *drawing, double y)
{
    cmk_draw_number(drawing, 1.0 - y / drawing->height);
}

static double seconds(CmkTime time)
{
    return (double)time / (double)CMK_SECOND_US;
}

void cmk_draw_time(CmkDrawing *drawing, CmkTime time)
{
    cmk_gnuplot_number(drawing->script, seconds(time), 6);
}

char *cmk_drawing_shorten(const char *text, glong characters_max)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    if (g_utf8_strlen(valid, -1) <= characters_max) {
        return g_steal_pointer(&valid);
    }
    g_autofree char *head = g_utf8_substring(valid, 0, characters_max - 1);
    return g_strconcat(head, "\u2026", NULL);
}

double cmk_drawing_width_of(const char *text)
{
    return CHARACTER_WIDTH * (double)g_utf8_strlen(text, -1);
}

double cmk_drawing_x_of(const CmkDrawing *drawing, CmkTime time)
{
    const CmkChartData *data = drawing->data;
    const double share = (double)(time - data->start) / (double)(data->end - data->start);
    return drawing->left + share * (CMK_DRAWING_WIDTH - CMK_DRAWING_RIGHT_MARGIN - drawing->left);
}

/* ---- where things stand ---------------------------------------------------------------------- */

static double left_margin(const CmkChartData *data)
{
    double width = cmk_drawing_width_of("and 10,000 more");
    const bool has_more = data->vault_count > (int64_t)data->vaults->len ||
                          data->fault_count > (int64_t)data->faults->len;
    width = has_more ? width : 0;
    const GPtrArray *lists[] = {data->vaults, data->faults};
    for (size_t i = 0; i < CMK_ARRAY_LEN(lists); i++) {
        for (guint j = 0; j < lists[i]->len; j++) {
            g_autofree char *name = cmk_drawing_shorten(g_ptr_array_index(lists[i], j),
                                                        CMK_DRAWING_NAME_CHARACTERS_MAX);
            width = MAX(width, cmk_drawing_width_of(name));
        }
    }
    return CLAMP(width + 24.0, LEFT_MARGIN_MIN, LEFT_MARGIN_MAX);
}

const CmkChartSpan *cmk_drawing_window(const CmkChartData *data, guint index)
{
    return &g_array_index(data->windows, CmkChartSpan, index);
}

char *cmk_drawing_window_name(const CmkChartData *data, const CmkChartSpan *window)
{
    return cmk_drawing_shorten(g_ptr_array_index(data->faults, window->lane),
                               CMK_DRAWING_NAME_CHARACTERS_MAX);
}

/* Names above the bars, each where its window begins. From right to left, so that a name stands
 * above all that it would run into, and the line below a name passes left of those. */
static void place_labels(CmkDrawing *drawing)
{
    const CmkChartData *data = drawing->data;
    if (data->windows->len > CMK_DRAWING_LABELLED_WINDOWS_MAX) {
        return; /* the lanes below say it */
    }
    drawing->label_count = data->windows->len;
    for (guint i = data->windows->len; i-- > 0;) {
        CmkWindowLabel *label = &drawing->labels[i];
        g_autofree char *name = cmk_drawing_window_name(data, cmk_drawing_window(data, i));
        label->x = cmk_drawing_x_of(drawing, cmk_drawing_window(data, i)->from);
        label->left = MIN(label->x, CMK_DRAWING_WIDTH - 8.0 - cmk_drawing_width_of(name));
        label->right = label->left + cmk_drawing_width_of(name) + 8.0;
        for (guint j = i + 1; j < data->windows->len; j++) {
            const CmkWindowLabel *other = &drawing->labels[j];
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

void cmk_drawing_lay_out(CmkDrawing *drawing)
{
    const CmkChartData *data = drawing->data;
    drawing->left = left_margin(data);
    place_labels(drawing);
    const double states =
        drawing->middle_height > 0
            ? drawing->middle_height
            : lanes_height(data->vaults->len, data->vault_count > (int64_t)data->vaults->len);
    const double faults =
        lanes_height(data->faults->len, data->fault_count > (int64_t)data->faults->len);
    const double header = HEADER_HEIGHT + CMK_DRAWING_LABEL_HEIGHT * drawing->label_rows;
    drawing->height = MAX(HEIGHT_MIN, header + BARS_HEIGHT_MIN + states + faults + FOOTER_HEIGHT);
    const double bottom = drawing->height - FOOTER_HEIGHT;
    drawing->faults =
        (CmkPanel){.top = bottom - faults + (faults > 0 ? HEADING_HEIGHT : 0), .bottom = bottom};
    drawing->states =
        (CmkPanel){.top = bottom - faults - states + (states > 0 ? HEADING_HEIGHT : 0),
                   .bottom = bottom - faults};
    drawing->bars = (CmkPanel){.top = header, .bottom = bottom - faults - states};
}

/* ---- what all panels share ------------------------------------------------------------------- */

void cmk_draw_terminal(CmkDrawing *drawing, CmkChartFormat format)
{
    const bool is_svg = format == CMK_CHART_SVG;
    cmk_draw(drawing, is_svg ? "set terminal svg size " : "set terminal pngcairo size ");
    cmk_draw_number(drawing, is_svg ? CMK_DRAWING_WIDTH : 2 * CMK_DRAWING_WIDTH);
    cmk_draw(drawing, ",");
    cmk_draw_number(drawing, is_svg ? drawing->height : 2 * drawing->height);
    cmk_draw(drawing, is_svg
                          ? " fixed font 'sans-serif,12' noenhanced name 'cmksim'"
                            " background '#ffffff'\n"
                          : " font 'sans-serif,9' fontscale 2 linewidth 2 dashlength 2 noenhanced"
                            " background '#ffffff'\n");
    cmk_draw(drawing, "set encoding utf8\n"
                      "set locale 'C'\n"
                      "set decimalsign '.'\n"
                      "set style textbox opaque noborder fillcolor rgb '#ffffff' margins 0.4,0.2\n"
                      "set border linecolor rgb '" CMK_COLOUR_SOFT "' linewidth 0.8\n"
                      "set tics textcolor rgb '" CMK_COLOUR_TEXT "'\n"
                      "set tics scale 0.5\n");
}

void cmk_draw_place(CmkDrawing *drawing, CmkPanel panel)
{
    cmk_draw(drawing, "set lmargin at screen ");
    cmk_draw_number(drawing, drawing->left / CMK_DRAWING_WIDTH);
    cmk_draw(drawing, "\nset rmargin at screen ");
    cmk_draw_number(drawing, 1.0 - CMK_DRAWING_RIGHT_MARGIN / CMK_DRAWING_WIDTH);
    cmk_draw(drawing, "\nset tmargin at screen ");
    cmk_draw_height(drawing, panel.top);
    cmk_draw(drawing, "\nset bmargin at screen ");
    cmk_draw_height(drawing, panel.bottom);
    cmk_draw(drawing, "\nset xrange [");
    cmk_draw_time(drawing, drawing->data->start);
    cmk_draw(drawing, ":");
    cmk_draw_time(drawing, drawing->data->end);
    cmk_draw(drawing, "]\n");
}

/* Behind everything in the panel that is drawn next. */
void cmk_draw_shades(CmkDrawing *drawing)
{
    const CmkChartData *data = drawing->data;
    for (guint i = 0; i < data->windows->len; i++) {
        const CmkChartSpan *window = cmk_drawing_window(data, i);
        cmk_draw(drawing, "set object rectangle from ");
        cmk_draw_time(drawing, window->from);
        cmk_draw(drawing, ", graph 0 to ");
        cmk_draw_time(drawing, window->to);
        cmk_draw(drawing, ", graph 1 behind fillcolor rgb '" CMK_COLOUR_FAULT
                          "' fillstyle transparent solid 0.22 noborder\n");
    }
}

void cmk_draw_label(CmkDrawing *drawing, double x, double y, const char *text, CmkLabelStyle style)
{
    cmk_draw(drawing, "set label ");
    cmk_gnuplot_quote(drawing->script, text);
    cmk_draw(drawing, " at screen ");
    cmk_draw_number(drawing, x / CMK_DRAWING_WIDTH);
    cmk_draw(drawing, ", screen ");
    cmk_draw_height(drawing, y);
    cmk_draw(drawing, " left textcolor rgb '");
    cmk_draw(drawing, style.colour);
    cmk_draw(drawing, "'");
    if (style.size > 0) {
        cmk_draw(drawing, " font ',");
        cmk_draw_number(drawing, style.size);
        cmk_draw(drawing, "'");
    }
    if (style.more != NULL) {
        cmk_draw(drawing, style.more);
    }
    cmk_draw(drawing, "\n");
}

/* ---- legends --------------------------------------------------------------------------------- */

double cmk_drawing_legend_width(const CmkSwatch *swatches, size_t count)
{
    double width = 0;
    for (size_t i = 0; i < count; i++) {
        width += SWATCH_WIDTH + SWATCH_GAP + cmk_drawing_width_of(swatches[i].text) + LEGEND_GAP;
    }
    return width - LEGEND_GAP;
}

static void put_swatch(CmkDrawing *drawing, double x, double y, const char *style)
{
    cmk_draw(drawing, "set object rectangle from screen ");
    cmk_draw_number(drawing, x / CMK_DRAWING_WIDTH);
    cmk_draw(drawing, ", screen ");
    cmk_draw_height(drawing, y + SWATCH_HEIGHT / 2);
    cmk_draw(drawing, " to screen ");
    cmk_draw_number(drawing, (x + SWATCH_WIDTH) / CMK_DRAWING_WIDTH);
    cmk_draw(drawing, ", screen ");
    cmk_draw_height(drawing, y - SWATCH_HEIGHT / 2);
    cmk_draw(drawing, style);
    cmk_draw(drawing, "\n");
}

/* gnuplot's own key can show a colour or a pattern, but not one above the other. */
void cmk_draw_legend(CmkDrawing *drawing, double x, double y, const CmkSwatch *swatches,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const CmkSwatch *swatch = &swatches[i];
        g_autofree char *plain =
            g_strdup_printf(" front fillstyle solid noborder fillcolor rgb '%s'", swatch->colour);
        put_swatch(drawing, x, y, plain);
        if (swatch->pattern != NULL) {
            g_autofree char *pattern = g_strdup_printf(
                " front fillstyle transparent pattern %s border rgb '" CMK_COLOUR_PATTERN
                "' fillcolor rgb '" CMK_COLOUR_PATTERN "'",
                swatch->pattern);
            put_swatch(drawing, x, y, pattern);
        }
        x += SWATCH_WIDTH + SWATCH_GAP;
        cmk_draw_label(drawing, x, y, swatch->text, (CmkLabelStyle){.colour = CMK_COLOUR_TEXT});
        x += cmk_drawing_width_of(swatch->text) + LEGEND_GAP;
    }
}
