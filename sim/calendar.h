/*
 * The only place where calendar arithmetic happens: civil dates, months of unequal length, ISO 8601
 * instants and how durations are written for people.
 *
 * The calendar is the proleptic Gregorian one in UTC, without leap seconds. A number of months is
 * kept apart from exact microseconds until it meets a date, since only then its length is known.
 * A result that does not fit CmkTime is CMK_TIME_MAX or INT64_MIN ("never"), it does not wrap.
 *
 * Must not know: time zones with names, the locale, the wall clock.
 */
#ifndef CMK_SIM_CALENDAR_H
#define CMK_SIM_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base.h"

/* Room for any cmk_time_format() result with its NUL. */
#define CMK_TIME_TEXT_SIZE 32

/* Room for any cmk_duration_format() result with its NUL. */
#define CMK_DURATION_TEXT_SIZE 32

/* The years that cmk_time_parse() accepts, both included, as the instant reads in UTC. */
#define CMK_YEAR_MIN 1970
#define CMK_YEAR_MAX 2200

/* A length of time: calendar months, then exact microseconds. Unused space is zero. */
typedef struct CmkPeriod {
    int32_t months;
    int32_t reserved;
    int64_t us;
} CmkPeriod;

_Static_assert(sizeof(CmkPeriod) == 16, "a period is stored in the world, without padding");

/* A moment taken apart. */
typedef struct CmkCivil {
    int64_t year;
    int32_t month;  /* 1..12 */
    int32_t day;    /* 1..31 */
    int32_t hour;   /* 0..23 */
    int32_t minute; /* 0..59 */
    int32_t second; /* 0..59 */
    int32_t us;     /* 0..999999 */
} CmkCivil;

/* Days in a month. month: 1..12. */
int32_t cmk_month_days(int64_t year, int32_t month);

/* Days from 1970-01-01 to a date. year: -1000000..1000000; month: 1..12; day: 1..31, not checked
 * against the month, so day 31 of a short month is the first of the next. */
int64_t cmk_days_from_date(int64_t year, int32_t month, int32_t day);

/* A moment as date and time of day, UTC. */
CmkCivil cmk_time_to_civil(CmkTime time);

/* The moment of a date and a time of day, UTC; saturates. Fields must be in their ranges. */
CmkTime cmk_time_from_civil(const CmkCivil *civil);

/* Day of the week: 0 = Monday ... 6 = Sunday. */
int32_t cmk_time_weekday(CmkTime time);

/*
 * time + times * period, computed from time and not step by step, so the 31st of a month comes back
 * after a short month (OQ-36: P1M keeps the day of the month or takes the last day). Months are
 * added first, then microseconds. times may be negative. Saturates.
 */
CmkTime cmk_time_add_period(CmkTime time, CmkPeriod period, int64_t times);

/*
 * The index n >= 0 of the first of the moments start, start + period, start + 2 * period ... that
 * is not before time. The period must be positive. Takes at most 126 additions of a period.
 */
int64_t cmk_period_first_index(CmkTime start, CmkPeriod period, CmkTime time);

/* "2025-03-03T00:00:00Z"; with a fraction of three or six digits only if there is one. */
void cmk_time_format(CmkTime time, char buf[CMK_TIME_TEXT_SIZE]);

/*
 * Reads an ISO 8601 instant: yyyy-mm-ddThh:mm[:ss[.f]] and then, always, Z or an offset +hh:mm of
 * at most 14 hours. A fraction has one to nine digits, of which those after the sixth are dropped
 * (Azure prints seven). Returns false and leaves ret_time alone if the text is anything else, the
 * day does not exist, or the year in UTC is not within CMK_YEAR_MIN..CMK_YEAR_MAX.
 */
bool cmk_time_parse(const char *text, CmkTime *ret_time);

/* As cmk_time_parse(), but returns NULL for a good instant, else half a sentence (static) saying
 * what is wrong. */
const char *cmk_time_parse_problem(const char *text, CmkTime *ret_time);

/*
 * Writes a duration for people in at most two units: "7 d", "1 d 3 h", "5 s", "250 ms". What is
 * less than the second unit written is dropped, never rounded up. Half days below three days are
 * said in hours: "36 h", "60 h". size_bytes: at least CMK_DURATION_TEXT_SIZE.
 */
void cmk_duration_format(int64_t us, char *buf, size_t size_bytes);

#endif
