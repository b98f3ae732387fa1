/* Known answers for the calendar, and a day-by-day count that shares no formula with it. */
#include "sim/calendar.h"

#include <string.h>

#include <criterion/criterion.h>

#define P(months_, us_) ((CmkPeriod){.months = (months_), .us = (us_)})

static bool naive_is_leap(int64_t year)
{
    if (year % 400 == 0)
        return true;
    return year % 4 == 0 && year % 100 != 0;
}

/* Walks from 1600 to 2400, one day at a time, and compares every day in both directions. */
Test(calendar, every_day_of_800_years)
{
    static const int32_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = -135140; /* 1600-01-01: 370 years of which 90 are leap years before 1970-01-01 */
    int32_t weekday = 5;    /* a Saturday */
    for (int64_t year = 1600; year < 2400; year++)
        for (int32_t month = 1; month <= 12; month++) {
            const int32_t length = lengths[month - 1] + (month == 2 && naive_is_leap(year) ? 1 : 0);
            cr_assert_eq(cmk_month_days(year, month), length);
            for (int32_t day = 1; day <= length; day++, days++, weekday = (weekday + 1) % 7) {
                cr_assert_eq(cmk_days_from_date(year, month, day), days);
                const CmkTime last_us = days * CMK_DAY_US + CMK_DAY_US - 1;
                const CmkCivil civil = cmk_time_to_civil(last_us);
                cr_assert(civil.year == year && civil.month == month && civil.day == day,
                          "%lld-%d-%d", (long long)year, month, day);
                cr_assert(civil.hour == 23 && civil.minute == 59 && civil.second == 59 &&
                          civil.us == 999999);
                cr_assert_eq(cmk_time_from_civil(&civil), last_us);
                cr_assert_eq(cmk_time_weekday(last_us), weekday);
            }
        }
    cr_assert_eq(days, 157054); /* 2400-01-01, by GNU date */
}

typedef struct FormatRow {
    CmkTime time;
    const char *text;
} FormatRow;

Test(calendar, format)
{
    static const FormatRow rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {INT64_C(1740960000000000), "2025-03-03T00:00:00Z"},
        {INT64_C(1740960000250000), "2025-03-03T00:00:00.250Z"},
        {INT64_C(1740960000000007), "2025-03-03T00:00:00.000007Z"},
        {INT64_C(1709251199000000), "2024-02-29T23:59:59Z"},
        {INT64_C(4107542400000000), "2100-03-01T00:00:00Z"},
        {INT64_MAX, "294247-01-10T04:00:54.775807Z"},
        {INT64_MIN + 1, "-290308-12-21T19:59:05.224193Z"},
        {INT64_MIN, "-290308-12-21T19:59:05.224192Z"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(rows); i++) {
        char text[CMK_TIME_TEXT_SIZE];
        cmk_time_format(rows[i].time, text);
        cr_expect_str_eq(text, rows[i].text, "got %s, not %s", text, rows[i].text);
        const CmkCivil civil = cmk_time_to_civil(rows[i].time);
        cr_expect_eq(cmk_time_from_civil(&civil), rows[i].time, "%s", rows[i].text);
    }
}

typedef struct ParseRow {
    const char *text;
    const char *formatted; /* NULL: refused */
    const char *problem;   /* a part of the problem */
} ParseRow;

static const ParseRow parse_rows[] = {
    {"2025-03-03T00:00:00Z", "2025-03-03T00:00:00Z", NULL},
    {"2025-03-03T00:00Z", "2025-03-03T00:00:00Z", NULL},
    {"2025-03-03T02:00:00+00:00", "2025-03-03T02:00:00Z", NULL},
    {"2025-03-03T02:00:00-00:00", "2025-03-03T02:00:00Z", NULL},
    {"2025-03-03T00:30:00+01:00", "2025-03-02T23:30:00Z", NULL},
    {"2025-03-03T23:30:00-05:30", "2025-03-04T05:00:00Z", NULL},
    {"2025-03-03T00:00:00+14:00", "2025-03-02T10:00:00Z", NULL},
    {"2025-03-03T00:00:00+14:01", NULL, "offset"},
    {"2025-03-03T00:00:00+01:60", NULL, "offset"},
    {"2025-03-03T00:00:00.5Z", "2025-03-03T00:00:00.500Z", NULL},
    {"2025-03-03T00:00:00.000001Z", "2025-03-03T00:00:00.000001Z", NULL},
    {"2025-03-03T00:00:00.1234567Z", "2025-03-03T00:00:00.123456Z", NULL},
    {"2025-03-03T00:00:00.999999999Z", "2025-03-03T00:00:00.999999Z", NULL},
    {"2025-03-03T00:00:00.1234567890Z", NULL, "fraction"},
    {"2025-03-03T00:00:00.Z", NULL, "fraction"},
    {"2025-03-03T00:00:00", NULL, "zone is missing"},
    {"2025-03-03", NULL, "time of day is missing"},
    {"2025-03-03 00:00:00Z", NULL, "a T must"},
    {"2025-03-03t00:00:00Z", NULL, "a T must"},
    {"2025-03-03T00:00:00z", NULL, "zone"},
    {"2025-03-03T00:00:00+0100", NULL, "zone"},
    {"2025-03-03T00:00:00+01", NULL, "zone"},
    {"2025-03-03T00:00:00+01:00x", NULL, "zone"},
    {"2025-03-03T00:00:00Z ", NULL, "zone"},
    {"2025-03-03T24:00:00Z", NULL, "no such time"},
    {"2025-03-03T23:60:00Z", NULL, "no such time"},
    {"2025-03-03T23:59:60Z", NULL, "no such time"},
    {"2025-3-03T00:00:00Z", NULL, "year-month-day"},
    {"25-03-03T00:00:00Z", NULL, "year-month-day"},
    {"2025-03-031T00:00:00Z", NULL, "year-month-day"},
    {"", NULL, "year-month-day"},
    {"2025-00-03T00:00:00Z", NULL, "no such month"},
    {"2025-13-03T00:00:00Z", NULL, "no such month"},
    {"2025-03-00T00:00:00Z", NULL, "no such day"},
    {"2025-04-31T00:00:00Z", NULL, "no such day"},
    {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", NULL},
    {"2025-02-29T00:00:00Z", NULL, "no such day"},
    {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z", NULL},
    {"2100-02-29T00:00:00Z", NULL, "no such day"},
    {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", NULL},
    {"1969-12-31T23:59:59Z", NULL, "1970 to 2200"},
    {"1969-12-31T23:30:00-01:00", "1970-01-01T00:30:00Z", NULL},
    {"1970-01-01T00:30:00+01:00", NULL, "1970 to 2200"},
    {"2200-12-31T23:59:59.999999Z", "2200-12-31T23:59:59.999999Z", NULL},
    {"2201-01-01T00:00:00Z", NULL, "1970 to 2200"},
    {"2201-01-01T00:30:00+01:00", "2200-12-31T23:30:00Z", NULL},
    {"9999-12-31T23:59:59Z", NULL, "1970 to 2200"},
};

Test(calendar, parse)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(parse_rows); i++) {
        const ParseRow *row = &parse_rows[i];
        CmkTime time = 4711;
        const char *problem = cmk_time_parse_problem(row->text, &time);
        if (row->formatted == NULL) {
            cr_expect_eq(time, 4711, "`%s` must leave the result alone", row->text);
            cr_expect(problem != NULL && strstr(problem, row->problem) != NULL, "`%s`: %s",
                      row->text, problem == NULL ? "accepted" : problem);
            cr_expect_not(cmk_time_parse(row->text, &time), "`%s`", row->text);
            continue;
        }
        cr_assert_null(problem, "`%s`: %s", row->text, problem);
        char text[CMK_TIME_TEXT_SIZE];
        cmk_time_format(time, text);
        cr_expect_str_eq(text, row->formatted, "`%s` was read as %s", row->text, text);
    }
}

typedef struct AddRow {
    const char *start;
    CmkPeriod period;
    int64_t times;
    const char *sum;
} AddRow;

Test(calendar, add_period)
{
    static const AddRow rows[] = {
        {"2025-01-31T10:00:00Z", {1, 0, 0}, 1, "2025-02-28T10:00:00Z"},
        {"2024-01-31T10:00:00Z", {1, 0, 0}, 1, "2024-02-29T10:00:00Z"},
        {"2025-01-31T10:00:00Z", {1, 0, 0}, 2, "2025-03-31T10:00:00Z"}, /* not from 28 February */
        {"2025-01-31T10:00:00Z", {1, 0, 0}, 3, "2025-04-30T10:00:00Z"},
        {"2025-01-31T10:00:00Z", {1, 0, 0}, 0, "2025-01-31T10:00:00Z"},
        {"2025-03-31T10:00:00Z", {1, 0, 0}, -1, "2025-02-28T10:00:00Z"},
        {"2025-01-15T00:00:00Z", {1, 0, 0}, -1, "2024-12-15T00:00:00Z"},
        {"2025-12-15T00:00:00Z", {1, 0, 0}, 1, "2026-01-15T00:00:00Z"},
        {"2024-02-29T00:00:00Z", {12, 0, 0}, 1, "2025-02-28T00:00:00Z"},
        {"2024-02-29T00:00:00Z", {12, 0, 0}, 4, "2028-02-29T00:00:00Z"},
        {"2025-03-03T00:00:00Z", {3, 0, 0}, 1, "2025-06-03T00:00:00Z"},
        {"2025-01-31T23:30:00Z", {1, 0, 3600000000}, 1, "2025-03-01T00:30:00Z"}, /* months first */
        {"2025-03-03T00:00:00Z", {0, 0, 86400000000}, 7, "2025-03-10T00:00:00Z"},
        {"2025-03-03T00:00:00Z", {0, 0, 1}, -1, "2025-03-02T23:59:59.999999Z"},
        {"2025-03-03T00:00:00Z", {12, 0, 0}, 175, "2200-03-03T00:00:00Z"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(rows); i++) {
        CmkTime start = 0;
        cr_assert(cmk_time_parse(rows[i].start, &start));
        char text[CMK_TIME_TEXT_SIZE];
        cmk_time_format(cmk_time_add_period(start, rows[i].period, rows[i].times), text);
        cr_expect_str_eq(text, rows[i].sum, "row %zu: %s + %lld times is %s, not %s", i,
                         rows[i].start, (long long)rows[i].times, text, rows[i].sum);
    }
}

Test(calendar, add_period_saturates)
{
    const CmkTime day = CMK_DAY_US;
    cr_expect_eq(cmk_time_add_period(INT64_MAX - 1, P(0, 1), 1), INT64_MAX);
    cr_expect_eq(cmk_time_add_period(INT64_MAX - 1, P(0, 1), 2), CMK_TIME_MAX);
    cr_expect_eq(cmk_time_add_period(INT64_MIN, P(0, 1), -1), INT64_MIN);
    cr_expect_eq(cmk_time_add_period(0, P(0, day), INT64_MAX), CMK_TIME_MAX);
    cr_expect_eq(cmk_time_add_period(0, P(0, day), INT64_MIN), INT64_MIN);
    cr_expect_eq(cmk_time_add_period(0, P(0, -day), INT64_MAX), INT64_MIN);
    cr_expect_eq(cmk_time_add_period(0, P(0, INT64_MIN), -1), CMK_TIME_MAX);
    cr_expect_eq(cmk_time_add_period(0, P(1, 0), INT64_MAX), CMK_TIME_MAX);
    cr_expect_eq(cmk_time_add_period(0, P(1, 0), INT64_MIN), INT64_MIN);
    cr_expect_eq(cmk_time_add_period(0, P(INT32_MAX, 0), INT64_MAX), CMK_TIME_MAX);
    cr_expect_eq(cmk_time_add_period(0, P(INT32_MIN, 0), INT64_MAX), INT64_MIN);
    cr_expect_eq(cmk_time_add_period(0, P(INT32_MAX, 0), 1), CMK_TIME_MAX);
    cr_expect_eq(cmk_time_add_period(INT64_MAX, P(0, 0), INT64_MAX), INT64_MAX);
    /* 292277 years is about the span of CmkTime: 2^63 us = 106751991 days. */
    cr_expect_eq(cmk_time_add_period(0, P(0, day), 106751991), 106751991 * day);
    cr_expect_eq(cmk_time_add_period(0, P(0, day), 106751992), CMK_TIME_MAX);
}

/* The index by stepping through the moments one by one. */
static int64_t naive_first_index(CmkTime start, CmkPeriod period, CmkTime time)
{
    int64_t n = 0;
    while (cmk_time_add_period(start, period, n) < time)
        n++;
    return n;
}

Test(calendar, first_index)
{
    static const CmkPeriod periods[] = {
        {1, 0, 0}, {3, 0, 0}, {0, 0, 604800000000}, {0, 0, 14400000000}, {1, 0, 86400000000}};
    CmkTime start = 0;
    cr_assert(cmk_time_parse("2025-01-31T02:00:00Z", &start));
    for (size_t p = 0; p < CMK_ARRAY_LEN(periods); p++)
        for (int64_t n = 0; n < 40; n++) {
            const CmkTime moment = cmk_time_add_period(start, periods[p], n);
            for (int64_t slip = -1; slip <= 1; slip++)
                cr_expect_eq(cmk_period_first_index(start, periods[p], moment + slip),
                             naive_first_index(start, periods[p], moment + slip),
                             "period %zu, moment %lld%+lld", p, (long long)n, (long long)slip);
        }
    cr_expect_eq(cmk_period_first_index(0, P(0, 1), INT64_MAX), INT64_MAX);
    cr_expect_eq(cmk_period_first_index(0, P(0, 1), INT64_MIN), 0);
    cr_expect_eq(cmk_period_first_index(0, P(INT32_MAX, 0), INT64_MAX), 1);
}

Test(calendar, format_duration)
{
    static const FormatRow rows[] = {
        {0, "0 s"},
        {1, "1 us"},
        {999, "999 us"},
        {1000, "1 ms"},
        {1001, "1 ms 1 us"},
        {250 * CMK_MILLISECOND_US, "250 ms"},
        {5 * CMK_SECOND_US, "5 s"},
        {5 * CMK_SECOND_US + 1, "5 s 1 us"},
        {90 * CMK_SECOND_US, "1 min 30 s"},
        {CMK_HOUR_US - 1, "59 min 59 s"}, /* dropped, not rounded up */
        {CMK_HOUR_US, "1 h"},
        {12 * CMK_HOUR_US, "12 h"},
        {24 * CMK_HOUR_US, "1 d"},
        {27 * CMK_HOUR_US, "1 d 3 h"},
        {36 * CMK_HOUR_US - 1, "1 d 11 h"},
        {36 * CMK_HOUR_US, "36 h"},
        {60 * CMK_HOUR_US, "60 h"},
        {72 * CMK_HOUR_US, "3 d"},
        {84 * CMK_HOUR_US, "3 d 12 h"},
        {7 * CMK_DAY_US, "7 d"},
        {7 * CMK_DAY_US + 20 * CMK_MINUTE_US, "7 d 20 min"},
        {7 * CMK_DAY_US + CMK_HOUR_US + 1, "7 d 1 h"},
        {-5 * CMK_SECOND_US, "-5 s"},
        {-27 * CMK_HOUR_US, "-1 d 3 h"},
        {INT64_MAX, "106751991 d 4 h"},
        {INT64_MIN, "-106751991 d 4 h"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(rows); i++) {
        char text[CMK_DURATION_TEXT_SIZE];
        cmk_duration_format(rows[i].time, text, sizeof(text));
        cr_expect_str_eq(text, rows[i].text, "%lld us: got %s, not %s", (long long)rows[i].time,
                         text, rows[i].text);
    }
}
