/*
 * The parts of a picture that several charts have: what stands above and below their panels, and
 * the lanes of faults.
 */
#ifndef CMK_ANALYSIS_CHART_PARTS_H
#define CMK_ANALYSIS_CHART_PARTS_H

#include "analysis/drawing.h"

#define CMK_CHART_LEGEND_Y 70.0

/* 12345678 -> "12,345,678". Owned by caller. */
char *cmk_chart_grouped(int64_t value);

/* "minute", "hour", "2 weeks". Owned by caller. */
char *cmk_chart_bin_name(const CmkChartData *data);

/* A distance of tics, 1, 2 or 5 times a power of ten, of which at most six make up the height. */
int64_t cmk_chart_step(int64_t top);

/* Title and caption, which begins with `counts`, and the title of the axis below all panels. */
void cmk_chart_put_header(CmkDrawing *drawing, const char *counts);

/* The names of the windows with lines down to where they begin. */
void cmk_chart_put_window_labels(CmkDrawing *drawing);

/* The lowest panel, with the axis of time: the faults as lanes. */
void cmk_chart_put_faults(CmkDrawing *drawing);

#endif
