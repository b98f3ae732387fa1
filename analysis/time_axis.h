/*
 * The axis of time below a panel: tics at round moments, as many as there is room for.
 */
#ifndef CMK_ANALYSIS_TIME_AXIS_H
#define CMK_ANALYSIS_TIME_AXIS_H

#include "analysis/drawing.h"

typedef enum CmkTicLabels {
    CMK_TICS_PLAIN,
    CMK_TICS_LABELLED /* with dates; of the lowest panel, for all of them */
} CmkTicLabels;

/* Of the panel that is drawn next. */
void cmk_draw_time_axis(CmkDrawing *drawing, CmkTicLabels labels);

#endif
