#include "sim/calendar.h"

#include <string.h>

#define MONTHS_PER_YEAR 12
#define DAYS_PER_ERA 146097          /* 400 Gregorian years */
#define DAYS_0000_03_TO_1970 719468  /* from 0000-03-01 to 1970-01-01 */
#define MONTHS_STEP_MAX 10000000     /* more than CmkTime can span: about 7 million months */
#define OFFSET_MINUTES_MAX (14 * 60) /* the largest offset in use is +14:00 (Line Islands) */

static bool is_leap_year(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t floor_div(int64_t value, int64_t divisor)
{
    CMK_ASSERT(divisor > 0);
    const int64_t quotient = value / divisor;
    return value % divisor < 0 ? quotient - 1 : quotient;
}

int32_t cmk_month_days(int64_t year, int32_t month)
{
    static const int32_t days[MONTHS_PER_YEAR] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    CMK_ASSERT(month >= 1 && month <= MONTHS_PER_YEAR);
    return month == 2 && is_leap_year(year) ? 29 : days[month - 1];
}

/* Years are counted from March, so the leap day is the last day of its year; the length of the
 * months from March on is then the line (153 * month + 2) / 5. */
int64_t cmk_days_from_date(int64_t year, int32_t month, int32_t day)
{
    CMK_ASSERT(year >= -1000000 && year <= 1000000);
    CMK_ASSERT(month >= 1 && month <= MONTHS_PER_YEAR);
    CMK_ASSERT(day >= 1 && day <= 31);
    const int64_t march_year = month <= 2 ? year - 1 : year;
    const int64_t era = floor_div(march_year, 400);
    const int64_t year_of_era = march_year - era * 400;
    const int64_t march_month = (month + 9) % MONTHS_PER_YEAR;
    const int64_t day_of_year = (153 * march_month + 2) / 5 + day - 1;
    const int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_0000_03_TO_1970;
}

/* Fills year, month and day; the inverse of cmk_days_from_date(). */
static void date_from_days(int64_t days, CmkCivil *ret_civil)
{
    const int64_t shifted = days + DAYS_0000_03_TO_1970;
    const int64_t era = floor_div(shifted, DAYS_PER_ERA);
    const int64_t day_of_era = shifted - era * DAYS_PER_ERA;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (DAYS_PER_ERA - 1)) /
        365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t march_month = (5 * day_of_year + 2) / 153;
    const int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
    ret_civil->year = era * 400 + year_of_era + (month <= 2 ? 1 : 0);
    ret_civil->month = (int32_t)month;
    ret_civil->day = (int32_t)(day_of_year - (153 * march_month + 2) / 5 + 1);
}

CmkCivil cmk_time_to_civil(CmkTime time)
{
    const int64_t days = floor_div(time, CMK_DAY_US);
    /* The remainder by %, not by days * CMK_DAY_US, which can lie below INT64_MIN. */
    int64_t us = time % CMK_DAY_US;
    if (us < 0)
        us += CMK_DAY_US;
    CmkCivil civil = {
        .hour = (int32_t)(us / CMK_HOUR_US),
        .minute = (int32_t)(us % CMK_HOUR_US / CMK_MINUTE_US),
        .second = (int32_t)(us % CMK_MINUTE_US / CMK_SECOND_US),
        .us = (int32_t)(us % CMK_SECOND_US),
    };
    date_from_days(days, &civil);
    CMK_ASSERT(civil.day <= cmk_month_days(civil.year, civil.month));
    return civil;
}

/* days * CMK_DAY_US + us; saturates. us: within one day. */
static CmkTime time_from_days(int64_t days, int64_t us)
{
    CMK_ASSERT(us >= 0 && us < CMK_DAY_US);
    /* Days before 1970 go one day towards zero and then back, so the very first moments fit. */
    const int64_t whole_days = days < 0 ? days + 1 : days;
    const int64_t rest_us = days < 0 ? us - CMK_DAY_US : us;
    CmkTime time;
    if (__builtin_mul_overflow(whole_days, CMK_DAY_US, &time) ||
        __builtin_add_overflow(time, rest_us, &time))
        return days < 0 ? INT64_MIN : CMK_TIME_MAX;
    return time;
}

CmkTime cmk_time_from_civil(const CmkCivil *civil)
{
    CMK_ASSERT(civil->hour >= 0 && civil->hour < 24);
    CMK_ASSERT(civil->minute >= 0 && civil->minute < 60);
    CMK_ASSERT(civil->second >= 0 && civil->second < 60);
    CMK_ASSERT(civil->us >= 0 && civil->us < CMK_SECOND_US);
    const int64_t us = civil->hour * CMK_HOUR_US + civil->minute * CMK_MINUTE_US +
                       civil->second * CMK_SECOND_US + civil->us;
    return time_from_days(cmk_days_from_date(civil->year, civil->month, civil->day), us);
}

int32_t cmk_time_weekday(CmkTime time)
{
    const int64_t since_thursday = floor_div(time, CMK_DAY_US); /* 1970-01-01 was a Thursday */
    const int64_t weekday = (since_thursday % 7 + 7 + 3) % 7;
    CMK_ASSERT(weekday >= 0 && weekday < 7);
    return (int32_t)weekday;
}

static CmkTime add_months(CmkTime time, int64_t months)
{
    CMK_ASSERT(months >= -MONTHS_STEP_MAX && months <= MONTHS_STEP_MAX);
    CmkCivil civil = cmk_time_to_civil(time);
    const int64_t month_index = civil.year * MONTHS_PER_YEAR + (civil.month - 1) + months;
    civil.year = floor_div(month_index, MONTHS_PER_YEAR);
    civil.month = (int32_t)(month_index - civil.year * MONTHS_PER_YEAR) + 1;
    const int32_t last_day = cmk_month_days(civil.year, civil.month);
    if (civil.day > last_day)
        civil.day = last_day;
    return cmk_time_from_civil(&civil);
}

CmkTime cmk_time_add_period(CmkTime time, CmkPeriod period, int64_t times)
{
    int64_t months;
    if (__builtin_mul_overflow((int64_t)period.months, times, &months))
        months = (period.months < 0) != (times < 0) ? -MONTHS_STEP_MAX : MONTHS_STEP_MAX;
    if (months > MONTHS_STEP_MAX)
        months = MONTHS_STEP_MAX;
    if (months < -MONTHS_STEP_MAX)
        months = -MONTHS_STEP_MAX;
    const CmkTime base = months == 0 ? time : add_months(time, months);
    if (months != 0 && (base == CMK_TIME_MAX || base == INT64_MIN))
        return base;
    int64_t us;
    if (__builtin_mul_overflow(period.us, times, &us))
        return (period.us < 0) != (times < 0) ? INT64_MIN : CMK_TIME_MAX;
    CmkTime sum;
    if (__builtin_add_overflow(base, us, &sum))
        return us < 0 ? INT64_MIN : CMK_TIME_MAX;
    return sum;
}

int64_t cmk_period_first_index(CmkTime start, CmkPeriod period, CmkTime time)
{
    CMK_ASSERT(period.months >= 0 && period.us >= 0);
    CMK_ASSERT(period.months > 0 || period.us > 0);
    if (time <= start)
        return 0;
    int64_t before = 0; /* start + before * period < time, always */
    int64_t high = 1;
    while (cmk_time_add_period(start, period, high) < time) {
        before = high;
        high = high > INT64_MAX / 2 ? INT64_MAX : high * 2;
        CMK_ASSERT(before < high);
    }
    while (high - before > 1) {
        const int64_t middle = before + (high - before) / 2;
        if (cmk_time_add_period(start, period, middle) < time)
            before = middle;
        else
            high = middle;
    }
    return high;
}

/* Writes value with at least width digits, zeros in front, and returns where it ends. */
static char *put_number(char *out, uint64_t value, int32_t width)
{
    char digits[20];
    int32_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    CMK_ASSERT(count <= (int32_t)CMK_ARRAY_LEN(digits));
    for (int32_t i = count; i < width; i++)
        *out++ = '0';
    while (count > 0)
        *out++ = digits[--count];
    return out;
}

void cmk_time_format(CmkTime time, char buf[CMK_TIME_TEXT_SIZE])
{
    const CmkCivil civil = cmk_time_to_civil(time);
    char *out = buf;
    if (civil.year < 0)
        *out++ = '-';
    out = put_number(out, (uint64_t)(civil.year < 0 ? -civil.year : civil.year), 4);
    *out++ = '-';
    out = put_number(out, (uint64_t)civil.month, 2);
    *out++ = '-';
    out = put_number(out, (uint64_t)civil.day, 2);
    *out++ = 'T';
    out = put_number(out, (uint64_t)civil.hour, 2);
    *out++ = ':';
    out = put_number(out, (uint64_t)civil.minute, 2);
    *out++ = ':';
    out = put_number(out, (uint64_t)civil.second, 2);
    if (civil.us != 0) {
        const bool is_whole_ms = civil.us % CMK_MILLISECOND_US == 0;
        *out++ = '.';
        out = put_number(out, (uint64_t)(is_whole_ms ? civil.us / CMK_MILLISECOND_US : civil.us),
                         is_whole_ms ? 3 : 6);
    }
    *out++ = 'Z';
    *out = '\0';
    CMK_ASSERT(out - buf < CMK_TIME_TEXT_SIZE);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads exactly count digits and moves the cursor behind them. count: 1..9. */
static bool read_digits(const char **cursor, int32_t count, int32_t *ret_value)
{
    CMK_ASSERT(count >= 1 && count <= 9);
    int32_t value = 0;
    for (int32_t i = 0; i < count; i++) {
        if (!is_digit((*cursor)[i]))
            return false;
        value = value * 10 + ((*cursor)[i] - '0');
    }
    *cursor += count;
    *ret_value = value;
    return true;
}

static bool read_char(const char **cursor, char expected)
{
    if (**cursor != expected)
        return false;
    (*cursor)++;
    return true;
}

/* Reads .f with one to nine digits; keeps six. */
static bool read_fraction(const char **cursor, int32_t *ret_us)
{
    int32_t us = 0;
    int32_t count = 0;
    while (count < 10 && is_digit((*cursor)[count])) {
        if (count < 6)
            us = us * 10 + ((*cursor)[count] - '0');
        count++;
    }
    if (count == 0 || count > 9)
        return false;
    for (int32_t i = count; i < 6; i++)
        us *= 10;
    *cursor += count;
    *ret_us = us;
    return true;
}

static const char *read_date(const char **cursor, CmkCivil *civil)
{
    int32_t year = 0;
    if (!read_digits(cursor, 4, &year) || !read_char(cursor, '-') ||
        !read_digits(cursor, 2, &civil->month) || !read_char(cursor, '-') ||
        !read_digits(cursor, 2, &civil->day) || is_digit(**cursor))
        return "the date must read year-month-day";
    civil->year = year;
    if (civil->month < 1 || civil->month > MONTHS_PER_YEAR)
        return "there is no such month";
    if (civil->day < 1 || civil->day > cmk_month_days(year, civil->month))
        return "that month has no such day";
    return NULL;
}

static const char *read_time_of_day(const char **cursor, CmkCivil *civil)
{
    const char *const malformed = "the time of day must read hours:minutes:seconds";
    if (**cursor == '\0')
        return "the time of day is missing";
    if (!read_char(cursor, 'T'))
        return "a T must stand between date and time of day";
    if (!read_digits(cursor, 2, &civil->hour) || !read_char(cursor, ':') ||
        !read_digits(cursor, 2, &civil->minute))
        return malformed;
    if (read_char(cursor, ':')) {
        if (!read_digits(cursor, 2, &civil->second))
            return malformed;
        if (read_char(cursor, '.') && !read_fraction(cursor, &civil->us))
            return "a fraction of a second has one to nine digits";
    }
    if (civil->hour > 23 || civil->minute > 59 || civil->second > 59)
        return "there is no such time of day";
    return NULL;
}

/* Reads Z or +hh:mm, which must end the text. */
static const char *read_zone(const char *cursor, int32_t *ret_offset_minutes)
{
    if (*cursor == '\0')
        return "the time zone is missing, Z or an offset such as +01:00";
    if (strcmp(cursor, "Z") == 0) {
        *ret_offset_minutes = 0;
        return NULL;
    }
    const bool is_west = *cursor == '-';
    int32_t hours = 0;
    int32_t minutes = 0;
    if (!read_char(&cursor, is_west ? '-' : '+') || !read_digits(&cursor, 2, &hours) ||
        !read_char(&cursor, ':') || !read_digits(&cursor, 2, &minutes) || *cursor != '\0')
        return "it must end with a time zone, Z or an offset such as +01:00";
    const int32_t offset = hours * 60 + minutes;
    if (minutes > 59 || offset > OFFSET_MINUTES_MAX)
        return "there is no such time zone offset";
    *ret_offset_minutes = is_west ? -offset : offset;
    return NULL;
}

const char *cmk_time_parse_problem(const char *text, CmkTime *ret_time)
{
    CMK_ASSERT(text != NULL);
    CMK_ASSERT(ret_time != NULL);
    CmkCivil civil = {0};
    int32_t offset_minutes = 0;
    const char *cursor = text;
    const char *problem = read_date(&cursor, &civil);
    if (problem == NULL)
        problem = read_time_of_day(&cursor, &civil);
    if (problem == NULL)
        problem = read_zone(cursor, &offset_minutes);
    if (problem != NULL)
        return problem;
    const CmkTime time = cmk_time_from_civil(&civil) - offset_minutes * CMK_MINUTE_US;
    const int64_t utc_year = cmk_time_to_civil(time).year;
    if (utc_year < CMK_YEAR_MIN || utc_year > CMK_YEAR_MAX)
        return "only the years 1970 to 2200 (UTC) are possible";
    *ret_time = time;
    return NULL;
}

bool cmk_time_parse(const char *text, CmkTime *ret_time)
{
    return cmk_time_parse_problem(text, ret_time) == NULL;
}

typedef struct DurationUnit {
    uint64_t us;
    const char *name;
} DurationUnit;

/* Appends "12 h", with a blank before it unless it is the first. */
static char *put_unit(char *out, const char *start, uint64_t count, const char *name)
{
    if (out != start && out[-1] != '-')
        *out++ = ' ';
    out = put_number(out, count, 1);
    *out++ = ' ';
    for (; *name != '\0'; name++)
        *out++ = *name;
    return out;
}

void cmk_duration_format(int64_t us, char *buf, size_t size_bytes)
{
    static const DurationUnit units[] = {
        {(uint64_t)CMK_DAY_US, "d"},          {(uint64_t)CMK_HOUR_US, "h"},
        {(uint64_t)CMK_MINUTE_US, "min"},     {(uint64_t)CMK_SECOND_US, "s"},
        {(uint64_t)CMK_MILLISECOND_US, "ms"}, {1, "us"},
    };
    CMK_ASSERT(buf != NULL);
    CMK_ASSERT(size_bytes >= CMK_DURATION_TEXT_SIZE);
    uint64_t rest = us < 0 ? -(uint64_t)us : (uint64_t)us;
    char *out = buf;
    if (us < 0)
        *out++ = '-';
    const uint64_t half_day_us = (uint64_t)(CMK_DAY_US / 2);
    const bool is_half_days =
        rest % half_day_us == 0 && rest / half_day_us % 2 == 1 && rest < 6 * half_day_us;
    uint32_t written = 0;
    for (size_t i = is_half_days ? 1 : 0; i < CMK_ARRAY_LEN(units) && written < 2; i++) {
        const uint64_t count = rest / units[i].us;
        rest %= units[i].us;
        if (count == 0)
            continue;
        out = put_unit(out, buf, count, units[i].name);
        written++;
    }
    if (written == 0)
        out = put_unit(out, buf, 0, "s");
    *out = '\0';
    CMK_ASSERT(out - buf < CMK_DURATION_TEXT_SIZE);
}
