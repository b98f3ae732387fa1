#include "analysis/time_axis.h"

#include "sim/calendar.h"

#define TICS_MAX 11

/* Distances of tics, the shortest first; months come after these. */
static const CmkTime tic_steps[] = {
    CMK_MINUTE_US,   5 * CMK_MINUTE_US, 10 * CMK_MINUTE_US, 30 * CMK_MINUTE_US, CMK_HOUR_US,
    2 * CMK_HOUR_US, 3 * CMK_HOUR_US,   6 * CMK_HOUR_US,    12 * CMK_HOUR_US,   CMK_DAY_US,
    2 * CMK_DAY_US,  7 * CMK_DAY_US,    14 * CMK_DAY_US,
};
static const int64_t tic_months[] = {1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 60000};
static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Text in double quotes, for its line feed: only digits and names of months. */
static void put_tic(CmkDrawing *drawing, CmkTime time, CmkTime step, const CmkTime *previous)
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
    cmk_draw_time(drawing, time);
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

/* Tics at multiples of minutes, hours or days from a midnight, or at firsts of months. */
static void put_tics(CmkDrawing *drawing, CmkTicLabels labels)
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
        if (labels == CMK_TICS_LABELLED) {
            put_tic(drawing, time, step == 0 ? CMK_DAY_US : step, has_previous ? &previous : NULL);
        } else {
            cmk_draw(drawing, has_previous ? ", '' " : "'' ");
            cmk_draw_time(drawing, time);
        }
        previous = time;
        has_previous = true;
    }
}

void cmk_draw_time_axis(CmkDrawing *drawing, CmkTicLabels labels)
{
    cmk_draw(drawing, "set xtics nomirror (");
    put_tics(drawing, labels);
    cmk_draw(drawing, ")\n");
}
