/*
 * A picture in the making, as a script of gnuplot: where its parts lie, and the marks that all its
 * panels share. All lengths are pixels of the SVG, from the top left corner.
 *
 * Must not know: what any panel shows.
 */
#ifndef CMK_ANALYSIS_DRAWING_H
#define CMK_ANALYSIS_DRAWING_H

#include "analysis/chart.h"
#include "analysis/chart_data.h"

#define CMK_DRAWING_WIDTH 1000.0
#define CMK_DRAWING_RIGHT_MARGIN 32.0
#define CMK_DRAWING_LABEL_HEIGHT 19.0
#define CMK_DRAWING_NAME_CHARACTERS_MAX 24
#define CMK_DRAWING_LABELLED_WINDOWS_MAX 4

/* Colours by Okabe and Ito and tints of them: to be told apart with any kind of sight; what matters
 * most differs in its pattern too. */
#define CMK_COLOUR_PATTERN "#000000"
#define CMK_COLOUR_FAULT "#cc79a7"
#define CMK_COLOUR_TEXT "#222222"
#define CMK_COLOUR_SOFT "#666666"
#define CMK_COLOUR_GRID "#dddddd"
#define CMK_COLOUR_DONE "#9ecbe8"
#define CMK_COLOUR_FAILED "#d55e00"
#define CMK_COLOUR_HIDDEN "#f0e442"
#define CMK_PATTERN_HIDDEN "5"

/* A panel between two heights. */
typedef struct CmkPanel {
    double top;
    double bottom;
} CmkPanel;

/* A name above the bars: where it stands. */
typedef struct CmkWindowLabel {
    double x; /* of the window's begin */
    double left;
    double right;
    uint32_t row; /* 0 is nearest to the bars */
} CmkWindowLabel;

/* One picture in the making: what is on it, its script so far, and where its parts lie. */
typedef struct CmkDrawing {
    const CmkChartData *data;
    GString *script;
    double height;
    double left;
    CmkPanel bars;
    CmkPanel states;      /* or whatever else is between the bars and the faults, */
    double middle_height; /* if that has a height of its own; 0: lanes of Backup vaults */
    CmkPanel faults;
    CmkWindowLabel labels[CMK_DRAWING_LABELLED_WINDOWS_MAX];
    uint32_t label_count;
    uint32_t label_rows;
} CmkDrawing;

typedef struct CmkLabelStyle {
    const char *colour;
    const char *more; /* further options, NULL: none */
    double size;      /* 0: that of the terminal */
} CmkLabelStyle;

/* One sign of a legend. */
typedef struct CmkSwatch {
    const char *text;
    const char *colour;
    const char *pattern; /* of gnuplot, NULL: plain */
} CmkSwatch;

/* Decides where everything lies; `data` and `script` are set before. */
void cmk_drawing_lay_out(CmkDrawing *drawing);

/* ---- measures and words ---------------------------------------------------------------------- */

/* At most so many characters, the last one an ellipsis if some are left out. Owned by caller. */
char *cmk_drawing_shorten(const char *text, glong characters_max);
/* About how wide a text is, on the generous side. */
double cmk_drawing_width_of(const char *text);
double cmk_drawing_x_of(const CmkDrawing *drawing, CmkTime time);
double cmk_drawing_legend_width(const CmkSwatch *swatches, size_t count);

/* The time from a fault's start to its end or remedy, and the fault's name, owned by the caller. */
const CmkChartSpan *cmk_drawing_window(const CmkChartData *data, guint index);
char *cmk_drawing_window_name(const CmkChartData *data, const CmkChartSpan *window);

/* ---- script ---------------------------------------------------------------------------------- */

/* Each appends to the script: text as it is; a number; a height, which gnuplot counts from the
 * bottom; a moment in seconds. */
void cmk_draw(CmkDrawing *drawing, const char *text);
void cmk_draw_number(CmkDrawing *drawing, double value);
void cmk_draw_height(CmkDrawing *drawing, double y);
void cmk_draw_time(CmkDrawing *drawing, CmkTime time);

/* What comes first: format, size, fonts. */
void cmk_draw_terminal(CmkDrawing *drawing, CmkChartFormat format);
/* Where the panel that is drawn next lies, and its range of time. */
void cmk_draw_place(CmkDrawing *drawing, CmkPanel panel);
/* The windows of the faults, behind everything in the panel that is drawn next. */
void cmk_draw_shades(CmkDrawing *drawing);
void cmk_draw_label(CmkDrawing *drawing, double x, double y, const char *text, CmkLabelStyle style);
void cmk_draw_legend(CmkDrawing *drawing, double x, double y, const CmkSwatch *swatches,
                     size_t count);

#endif
