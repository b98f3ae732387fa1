#include "scenarios/quantity.h"

#include <stdarg.h>
#include <string.h>

#include <glib.h>

#define NANOS_PER_ONE INT64_C(1000000000)
#define FRACTION_DIGITS_MAX 9
#define SHOWN_BYTES_MAX 40
#define MONTHS_PER_YEAR 12
#define DAYS_PER_WEEK 7
#define PPM_PER_PERCENT 10000
#define CURRENCY_LETTERS 3
/* The longest text with parts that are copied out; no good one is nearly as long. */
#define TEXT_SIZE_MAX 128

_Static_assert(CURRENCY_LETTERS < CMK_CURRENCY_SIZE, "a currency ends with NUL");

/* Products before they are divided; 128 bits hold any int64_t times 10^9. */
__extension__ typedef __int128 Wide;

/* A number with up to nine digits after the point: whole + nanos / 10^9. Not negative. */
typedef struct Decimal {
    int64_t whole;
    int64_t nanos;
    bool has_point;
} Decimal;

typedef enum ReadResult {
    READ_GOOD,
    READ_NONE,
    READ_TOO_LARGE,
    READ_TOO_FINE
} ReadResult;

typedef struct Unit {
    const char *name;
    int64_t size;
} Unit;

/* Writes a message that begins with the text in question, shortened. Returns false, always. */
static bool fail(char message[CMK_MESSAGE_SIZE], const char *text, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static bool fail(char message[CMK_MESSAGE_SIZE], const char *text, const char *format, ...)
{
    CMK_ASSERT(message != NULL);
    size_t shown = strlen(text);
    const bool is_long = shown > SHOWN_BYTES_MAX;
    if (is_long) {
        shown = SHOWN_BYTES_MAX;
        while (shown > 0 && ((unsigned char)text[shown] & 0xC0) == 0x80)
            shown--; /* not within a character */
    }
    const int used =
        g_snprintf(message, CMK_MESSAGE_SIZE, "`%.*s%s` ", (int)shown, text, is_long ? "..." : "");
    CMK_ASSERT(used > 0 && used < CMK_MESSAGE_SIZE);
    va_list arguments;
    va_start(arguments, format);
    g_vsnprintf(message + used, CMK_MESSAGE_SIZE - (gulong)used, format, arguments);
    va_end(arguments);
    return false;
}

static const char *skip_blanks(const char *text)
{
    while (*text == ' ')
        text++;
    return text;
}

/* Reads digits and moves the cursor behind them. */
static ReadResult read_whole(const char **cursor, int64_t *ret_value)
{
    if (!g_ascii_isdigit(**cursor))
        return READ_NONE;
    int64_t value = 0;
    bool is_too_large = false;
    for (; g_ascii_isdigit(**cursor); (*cursor)++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, **cursor - '0', &value))
            is_too_large = true;
    if (is_too_large)
        return READ_TOO_LARGE;
    *ret_value = value;
    return READ_GOOD;
}

/* Reads digits with an optional point and fraction; "1." and ".5" are not numbers. */
static ReadResult read_decimal(const char **cursor, Decimal *ret_decimal)
{
    Decimal decimal = {0};
    const ReadResult result = read_whole(cursor, &decimal.whole);
    if (result != READ_GOOD)
        return result;
    if (**cursor == '.') {
        (*cursor)++;
        int32_t digits = 0;
        bool is_too_fine = false;
        for (; g_ascii_isdigit(**cursor); (*cursor)++, digits++) {
            if (digits < FRACTION_DIGITS_MAX)
                decimal.nanos = decimal.nanos * 10 + (**cursor - '0');
            else if (**cursor != '0')
                is_too_fine = true;
        }
        if (digits == 0)
            return READ_NONE;
        if (is_too_fine)
            return READ_TOO_FINE;
        for (; digits < FRACTION_DIGITS_MAX; digits++)
            decimal.nanos *= 10;
        decimal.has_point = true;
    }
    *ret_decimal = decimal;
    return READ_GOOD;
}

/* decimal * unit. The fraction of one that may be left is dropped, and *ret_is_exact says if there
 * was none. Returns false if the product does not fit. */
static bool scale(Decimal decimal, int64_t unit, int64_t *ret_value, bool *ret_is_exact)
{
    CMK_ASSERT(decimal.nanos >= 0 && decimal.nanos < NANOS_PER_ONE);
    const Wide fraction = (Wide)decimal.nanos * unit;
    const int64_t from_fraction = (int64_t)(fraction / NANOS_PER_ONE);
    int64_t value;
    if (__builtin_mul_overflow(decimal.whole, unit, &value) ||
        __builtin_add_overflow(value, from_fraction, &value))
        return false;
    *ret_value = value;
    *ret_is_exact = fraction % NANOS_PER_ONE == 0;
    return true;
}

/* Reads letters into word, at most size - 1 of them; false if there are more. */
static bool read_word(const char **cursor, char *word, size_t size)
{
    size_t length = 0;
    for (; g_ascii_isalpha(**cursor); (*cursor)++) {
        if (length + 1 >= size)
            return false;
        word[length++] = **cursor;
    }
    word[length] = '\0';
    return true;
}

/* The row of a unit; count if there is none. */
static size_t find_unit(const Unit *units, size_t count, const char *name)
{
    size_t i = 0;
    while (i < count && strcmp(units[i].name, name) != 0)
        i++;
    return i;
}

/* Durations. */

#define DURATION_EXAMPLE "; write for instance 36h, 90d, 3d2h or P3M"

/* From large to small. */
static const Unit duration_units[] = {
    {"w", DAYS_PER_WEEK *CMK_DAY_US},
    {"d", CMK_DAY_US},
    {"h", CMK_HOUR_US},
    {"m", CMK_MINUTE_US},
    {"min", CMK_MINUTE_US},
    {"s", CMK_SECOND_US},
    {"ms", CMK_MILLISECOND_US},
    {"us", 1},
};

/* Says why a number could not be read. */
static bool fail_number(char *message, const char *text, ReadResult result, const char *example)
{
    if (result == READ_TOO_LARGE)
        return fail(message, text, "is too large%s", example);
    if (result == READ_TOO_FINE)
        return fail(message, text, "has more than nine digits after the point%s", example);
    if (text[0] == '-')
        return fail(message, text, "must not be negative%s", example);
    return fail(message, text, "does not have a number where one must be%s", example);
}

/* Adds decimal * unit to *us. */
static bool add_exact(const char *text, Decimal decimal, int64_t unit, int64_t *us, char *message)
{
    int64_t part;
    bool is_exact;
    if (!scale(decimal, unit, &part, &is_exact) || __builtin_add_overflow(*us, part, us))
        return fail(message, text, "is too long" DURATION_EXAMPLE);
    if (!is_exact)
        return fail(message, text, "is finer than a microsecond" DURATION_EXAMPLE);
    return true;
}

/* Says what is wrong with a unit of a duration. */
static bool fail_duration_unit(char *message, const char *text, const char *word)
{
    if (word[0] == '\0')
        return fail(message, text, "lacks a unit" DURATION_EXAMPLE);
    if (strcmp(word, "M") == 0 || strcmp(word, "mo") == 0 || strcmp(word, "y") == 0)
        return fail(message, text, "has the unit `%s`; months and years are written P3M or P1Y",
                    word);
    return fail(message, text, "has the unknown unit `%s`; units are w d h m s ms us, as in 3d2h",
                word);
}

/* Reads "3d2h"; *ret_us is untouched on failure. */
static bool parse_compact(const char *text, int64_t *ret_us, char *message)
{
    int64_t us = 0;
    int64_t previous_size = INT64_MAX;
    const char *cursor = text;
    do { /* each round consumes at least a digit */
        Decimal decimal;
        const ReadResult result = read_decimal(&cursor, &decimal);
        if (result != READ_GOOD)
            return fail_number(message, text, result, DURATION_EXAMPLE);
        cursor = skip_blanks(cursor);
        char word[16];
        if (!read_word(&cursor, word, sizeof(word)))
            return fail(message, text, "is not a duration" DURATION_EXAMPLE);
        const size_t i = find_unit(duration_units, CMK_ARRAY_LEN(duration_units), word);
        if (i == CMK_ARRAY_LEN(duration_units))
            return fail_duration_unit(message, text, word);
        if (duration_units[i].size >= previous_size)
            return fail(message, text,
                        "must have its units from large to small, each once"
                        ", as in 3d2h");
        previous_size = duration_units[i].size;
        if (!add_exact(text, decimal, duration_units[i].size, &us, message))
            return false;
        if (*cursor == ' ' && *skip_blanks(cursor) != '\0')
            cursor = skip_blanks(cursor);
    } while (*cursor != '\0');
    *ret_us = us;
    return true;
}

typedef struct IsoUnit {
    char letter;
    bool is_time;   /* stands behind T */
    int32_t months; /* or, if this is 0: */
    int64_t us;
} IsoUnit;

/* In the order in which they must come. */
static const IsoUnit iso_units[] = {
    {'Y', false, MONTHS_PER_YEAR, 0},
    {'M', false, 1, 0},
    {'W', false, 0, DAYS_PER_WEEK *CMK_DAY_US},
    {'D', false, 0, CMK_DAY_US},
    {'H', true, 0, CMK_HOUR_US},
    {'M', true, 0, CMK_MINUTE_US},
    {'S', true, 0, CMK_SECOND_US},
};

/* Adds one part such as 3M to the period. */
static bool add_iso_part(const char *text, Decimal decimal, const IsoUnit *unit, CmkPeriod *period,
                         char *message)
{
    if (unit->months == 0)
        return add_exact(text, decimal, unit->us, &period->us, message);
    if (decimal.has_point)
        return fail(message, text, "has a fraction of a month or year; write for instance P18M");
    int64_t months;
    if (__builtin_mul_overflow(decimal.whole, unit->months, &months) ||
        __builtin_add_overflow(months, period->months, &months) || months > INT32_MAX)
        return fail(message, text, "is too long" DURATION_EXAMPLE);
    period->months = (int32_t)months;
    return true;
}

/* Reads "P1Y2M3DT4H"; the text begins with P. */
static bool parse_iso(const char *text, CmkPeriod *ret_period, char *message)
{
    const char *const malformed =
        "is not an ISO 8601 duration; write for instance P3M, P7D or PT4H";
    CMK_ASSERT(text[0] == 'P');
    CmkPeriod period = {0};
    const char *cursor = text + 1;
    bool is_time = false;
    size_t next_unit = 0;
    do {
        if (*cursor == 'T' && !is_time) {
            is_time = true;
            cursor++;
        }
        Decimal decimal;
        const ReadResult result = read_decimal(&cursor, &decimal);
        if (result == READ_NONE)
            return fail(message, text, "%s", malformed);
        if (result != READ_GOOD)
            return fail_number(message, text, result, DURATION_EXAMPLE);
        size_t i = next_unit;
        while (i < CMK_ARRAY_LEN(iso_units) &&
               (iso_units[i].letter != *cursor || iso_units[i].is_time != is_time))
            i++;
        if (i == CMK_ARRAY_LEN(iso_units))
            return fail(message, text, "%s", malformed);
        if (!add_iso_part(text, decimal, &iso_units[i], &period, message))
            return false;
        next_unit = i + 1;
        cursor++;
    } while (*cursor != '\0');
    *ret_period = period;
    return true;
}

bool cmk_period_parse(const char *text, CmkPeriod *ret_period, char message[CMK_MESSAGE_SIZE])
{
    CMK_ASSERT(text != NULL);
    CMK_ASSERT(ret_period != NULL);
    if (text[0] == 'P')
        return parse_iso(text, ret_period, message);
    int64_t us = 0;
    if (!parse_compact(text, &us, message))
        return false;
    *ret_period = (CmkPeriod){.us = us};
    return true;
}

bool cmk_duration_parse(const char *text, int64_t *ret_us, char message[CMK_MESSAGE_SIZE])
{
    CMK_ASSERT(ret_us != NULL);
    CmkPeriod period;
    if (!cmk_period_parse(text, &period, message))
        return false;
    if (period.months != 0)
        return fail(message, text,
                    "has no exact length, since months differ; write days, "
                    "for instance 90d");
    *ret_us = period.us;
    return true;
}

bool cmk_retention_parse(const char *text, CmkPeriod *ret_period, char message[CMK_MESSAGE_SIZE])
{
    CMK_ASSERT(ret_period != NULL);
    if (strcmp(text, "default") == 0) {
        *ret_period = (CmkPeriod){.us = 0};
        return true;
    }
    CmkPeriod period;
    if (!cmk_period_parse(text, &period, message))
        return false;
    if (period.months == 0 && period.us == 0)
        return fail(message, text, "is no time at all; write for instance P3M");
    /* Whole days may have been written in hours. */
    const bool has_days_only = strpbrk(text, text[0] == 'P' ? "T" : "hms") == NULL;
    if (!has_days_only || period.us % CMK_DAY_US != 0)
        return fail(message, text,
                    "is no retention: that is given in days, weeks, months or years (BK-13); "
                    "write for instance P7D");
    *ret_period = period;
    return true;
}

/* Instants and schedules. */

bool cmk_instant_parse(const char *text, CmkTime start, CmkTime *ret_time,
                       char message[CMK_MESSAGE_SIZE])
{
    CMK_ASSERT(text != NULL);
    CMK_ASSERT(ret_time != NULL);
    if (text[0] != '+') {
        const char *problem = cmk_time_parse_problem(text, ret_time);
        CmkPeriod length = {0};
        if (problem != NULL && cmk_period_parse(text, &length, message))
            return fail(message, text, "is a length of time; write +%s to count from the start",
                        text);
        if (problem != NULL)
            return fail(message, text,
                        "is not an instant: %s; write for instance "
                        "2025-03-03T00:00:00Z, or +3d2h counted from the start",
                        problem);
        return true;
    }
    CmkPeriod period = {0};
    if (!cmk_period_parse(text + 1, &period, message))
        return false;
    const CmkTime time = cmk_time_add_period(start, period, 1);
    if (cmk_time_to_civil(time).year > CMK_YEAR_MAX)
        return fail(message, text, "lies beyond the year %d", CMK_YEAR_MAX);
    *ret_time = time;
    return true;
}

/* Of an instant that cmk_time_parse() accepts: it ends in Z or in an offset such as +05:30. */
static int64_t utc_offset_of(const char *instant)
{
    const size_t length = strlen(instant);
    const char *sign = instant + length - 6;
    if (length < 6 || (*sign != '+' && *sign != '-'))
        return 0;
    const int64_t hours = (sign[1] - '0') * 10 + sign[2] - '0';
    const int64_t minutes = (sign[4] - '0') * 10 + sign[5] - '0';
    const int64_t offset_us = hours * CMK_HOUR_US + minutes * CMK_MINUTE_US;
    return *sign == '+' ? offset_us : -offset_us;
}

bool cmk_repeat_parse(const char *text, CmkRepeat *ret_repeat, char message[CMK_MESSAGE_SIZE])
{
    const char *const example = "; write for instance R/2025-03-03T02:00:00+00:00/P1W";
    CMK_ASSERT(text != NULL);
    CMK_ASSERT(ret_repeat != NULL);
    const char *first_slash = strchr(text, '/');
    const char *second_slash = first_slash == NULL ? NULL : strchr(first_slash + 1, '/');
    if (text[0] != 'R' || second_slash == NULL || strchr(second_slash + 1, '/') != NULL)
        return fail(message, text, "is not a repeating interval%s", example);
    if (first_slash != text + 1)
        return fail(message, text, "must repeat without end, so R and / stand together%s", example);
    char start_text[TEXT_SIZE_MAX];
    const size_t size = (size_t)(second_slash - first_slash - 1);
    if (size >= sizeof(start_text))
        return fail(message, text, "is not a repeating interval%s", example);
    memcpy(start_text, first_slash + 1, size);
    start_text[size] = '\0';
    CmkRepeat repeat = {0};
    const char *problem = cmk_time_parse_problem(start_text, &repeat.start);
    if (problem != NULL)
        return fail(message, text, "has a bad start: %s%s", problem, example);
    const char *period_text = second_slash + 1;
    if (period_text[0] != 'P')
        return fail(message, text, "must end with an ISO 8601 duration such as PT4H%s", example);
    if (!cmk_period_parse(period_text, &repeat.period, message))
        return false;
    if (repeat.period.months == 0 && repeat.period.us == 0)
        return fail(message, text, "repeats after no time at all%s", example);
    repeat.utc_offset_us = utc_offset_of(start_text);
    *ret_repeat = repeat;
    return true;
}

/* Sizes and shares. */

#define SIZE_EXAMPLE "; write for instance 250 GiB, 64 KiB or 10 MB"

static const Unit size_units[] = {
    {"B", 1},
    {"kB", INT64_C(1000)},
    {"MB", INT64_C(1000000)},
    {"GB", INT64_C(1000000000)},
    {"TB", INT64_C(1000000000000)},
    {"PB", INT64_C(1000000000000000)},
    {"EB", INT64_C(1000000000000000000)},
    {"KB", INT64_C(1000)}, /* behind kB, which is what we suggest */
    {"KiB", INT64_C(1) << 10},
    {"MiB", INT64_C(1) << 20},
    {"GiB", INT64_C(1) << 30},
    {"TiB", INT64_C(1) << 40},
    {"PiB", INT64_C(1) << 50},
    {"EiB", INT64_C(1) << 60},
};

/* Says what is wrong with a unit of a size. */
static bool fail_size_unit(char *message, const char *text, const char *word)
{
    if (word[0] == '\0')
        return fail(message, text, "lacks a unit" SIZE_EXAMPLE);
    for (size_t i = 0; i < CMK_ARRAY_LEN(size_units); i++)
        if (g_ascii_strcasecmp(size_units[i].name, word) == 0)
            return fail(message, text, "has the unit `%s`; did you mean %s?", word,
                        size_units[i].name);
    return fail(message, text, "has the unknown unit `%s`" SIZE_EXAMPLE, word);
}

bool cmk_size_parse(const char *text, int64_t *ret_bytes, char message[CMK_MESSAGE_SIZE])
{
    CMK_ASSERT(text != NULL);
    CMK_ASSERT(ret_bytes != NULL);
    const char *cursor = text;
    Decimal decimal;
    const ReadResult result = read_decimal(&cursor, &decimal);
    if (result != READ_GOOD)
        return fail_number(message, text, result, SIZE_EXAMPLE);
    cursor = skip_blanks(cursor);
    char word[16];
    if (!read_word(&cursor, word, sizeof(word)) || *cursor != '\0')
        return fail(message, text, "is not a size" SIZE_EXAMPLE);
    const size_t i = find_unit(size_units, CMK_ARRAY_LEN(size_units), word);
    if (i == CMK_ARRAY_LEN(size_units))
        return fail_size_unit(message, text, word);
    int64_t bytes;
    bool is_exact;
    if (!scale(decimal, size_units[i].size, &bytes, &is_exact))
        return fail(message, text, "is too large; less than 8 EiB can be counted");
    if (size_units[i].size == 1 && decimal.nanos != 0)
        return fail(message, text, "is not a whole number of bytes" SIZE_EXAMPLE);
    *ret_bytes = bytes;
    return true;
}

#define SHARE_EXAMPLE "; write for instance 2% or 0.5%"

bool cmk_share_parse(const char *text, int64_t *ret_ppm, char message[CMK_MESSAGE_SIZE])
{
    CMK_ASSERT(text != NULL);
    CMK_ASSERT(ret_ppm != NULL);
    const char *cursor = text;
    Decimal decimal;
    const ReadResult result = read_decimal(&cursor, &decimal);
    if (result != READ_GOOD)
        return fail_number(message, text, result, SHARE_EXAMPLE);
    cursor = skip_blanks(cursor);
    if (*cursor == '\0')
        return fail(message, text, "lacks its unit%s", SHARE_EXAMPLE);
    const bool is_percent = strcmp(cursor, "%") == 0;
    if (!is_percent && strcmp(cursor, "ppm") != 0)
        return fail(message, text, "is not a share%s", SHARE_EXAMPLE);
    int64_t ppm;
    bool is_exact;
    if (!scale(decimal, is_percent ? PPM_PER_PERCENT : 1, &ppm, &is_exact))
        return fail(message, text, "is too large%s", SHARE_EXAMPLE);
    if (!is_exact)
        return fail(message, text, "is finer than one part per million, which is 0.0001%%");
    *ret_ppm = ppm;
    return true;
}

/* Money. */

#define MONEY_EXAMPLE "; write for instance 0.0224 USD"
#define PRICE_EXAMPLE "; write for instance 0.0224 USD/GiB-month or 0.03 USD/10000"

/* Reads "0.0224 USD" and moves the cursor behind it; the sign has been read. */
static bool read_money(const char *text, const char **cursor, CmkMoney *ret_money, char *message,
                       const char *example)
{
    Decimal decimal;
    const ReadResult result = read_decimal(cursor, &decimal);
    if (result != READ_GOOD)
        return fail_number(message, text, result, example);
    CmkMoney money = {0};
    bool is_exact;
    if (!scale(decimal, NANOS_PER_ONE, &money.nanos, &is_exact))
        return fail(message, text, "is too large, more than nine thousand millions%s", example);
    CMK_ASSERT(is_exact);
    *cursor = skip_blanks(*cursor);
    for (size_t i = 0; i < CURRENCY_LETTERS; i++) {
        if (!g_ascii_isupper((*cursor)[i]))
            return fail(message, text, "lacks a currency, three capital letters%s", example);
        money.currency[i] = (*cursor)[i];
    }
    *cursor += CURRENCY_LETTERS;
    *ret_money = money;
    return true;
}

bool cmk_money_parse(const char *text, CmkMoney *ret_money, char message[CMK_MESSAGE_SIZE])
{
    CMK_ASSERT(text != NULL);
    CMK_ASSERT(ret_money != NULL);
    const bool is_negative = text[0] == '-';
    const char *cursor = is_negative ? text + 1 : text;
    CmkMoney money = {0};
    if (!read_money(text, &cursor, &money, message, MONEY_EXAMPLE))
        return false;
    if (*cursor == '/')
        return fail(message, text, "is a price per unit, not an amount" MONEY_EXAMPLE);
    if (*cursor != '\0')
        return fail(message, text, "is not an amount of money" MONEY_EXAMPLE);
    if (is_negative)
        money.nanos = -money.nanos;
    *ret_money = money;
    return true;
}

bool cmk_price_parse(const char *text, CmkUnitPrice *ret_price, char message[CMK_MESSAGE_SIZE])
{
    CMK_ASSERT(text != NULL);
    CMK_ASSERT(ret_price != NULL);
    const char *cursor = text;
    CmkUnitPrice price = {0};
    if (!read_money(text, &cursor, &price.money, message, PRICE_EXAMPLE))
        return false;
    if (*cursor != '/')
        return fail(message, text, "does not say per what" PRICE_EXAMPLE);
    cursor++;
    const size_t size = strlen(cursor);
    if (size == 0 || size >= sizeof(price.unit))
        return fail(message, text, "must say per what in 1 to %d characters" PRICE_EXAMPLE,
                    CMK_PRICE_UNIT_SIZE - 1);
    for (size_t i = 0; i < size; i++)
        if (!g_ascii_isalnum(cursor[i]) && cursor[i] != '-')
            return fail(message, text, "must say per what in letters, digits and -" PRICE_EXAMPLE);
    memcpy(price.unit, cursor, size);
    *ret_price = price;
    return true;
}

/* Numbers and booleans. */

bool cmk_integer_parse(const char *text, int64_t min, int64_t max, int64_t *ret_value,
                       char message[CMK_MESSAGE_SIZE])
{
    CMK_ASSERT(text != NULL);
    CMK_ASSERT(min <= max);
    const bool is_negative = text[0] == '-';
    const char *cursor = is_negative ? text + 1 : text;
    bool is_in_range = true;
    int64_t value = 0;
    if (!g_ascii_isdigit(*cursor))
        return fail(message, text, "is not a whole number; write for instance %" G_GINT64_FORMAT,
                    max < 10 ? max : MAX(min, 10));
    for (; g_ascii_isdigit(*cursor); cursor++) {
        /* Downwards if negative, so that INT64_MIN can be read. */
        const int64_t digit = *cursor - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, is_negative ? -digit : digit, &value))
            is_in_range = false;
    }
    if (*cursor != '\0')
        return fail(message, text,
                    "is not a whole number; write digits only, without unit, point "
                    "or separators");
    if (!is_in_range || value < min || value > max)
        return fail(message, text, "is not within %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, min,
                    max);
    *ret_value = value;
    return true;
}

/* Digits at the cursor, which moves behind them; -1 if there are none or the number is too large.
 */
static int32_t take_number(const char **cursor, int32_t max)
{
    int32_t value = g_ascii_isdigit(**cursor) ? 0 : -1;
    for (; g_ascii_isdigit(**cursor) && value >= 0; (*cursor)++) {
        value = value * 10 + (**cursor - '0');
        value = value <= max ? value : -1;
    }
    return value;
}

bool cmk_range_parse(const char *text, CmkAddressRange *ret_range, char message[CMK_MESSAGE_SIZE])
{
    CMK_ASSERT(text != NULL);
    const char *cursor = text;
    uint32_t address = 0;
    if (strchr(text, ':') != NULL)
        return fail(message, text, "is an IPv6 range, which network rules do not take (NET-4)");
    for (int i = 0; i < 4; i++) {
        const int32_t byte = take_number(&cursor, 255);
        if (byte < 0 || (i < 3 && *cursor != '.'))
            return fail(message, text, "is not a range of addresses; write 203.0.113.0/24");
        cursor += i < 3;
        address = address << 8 | (uint32_t)byte;
    }
    int32_t bits = 32;
    if (*cursor == '/') {
        cursor++;
        bits = take_number(&cursor, 32);
    }
    if (bits < 0 || *cursor != '\0')
        return fail(message, text, "is not a range of addresses; write 203.0.113.0/24");
    const uint32_t mask = bits == 0 ? 0 : UINT32_MAX << (32 - bits);
    if ((address & ~mask) != 0)
        return fail(message, text, "has bits set beyond its prefix of %d bits", bits);
    *ret_range = (CmkAddressRange){.address = address, .prefix_bits = (uint32_t)bits};
    return true;
}

bool cmk_seed_parse(const char *text, uint64_t *ret_seed, char message[CMK_MESSAGE_SIZE])
{
    CMK_ASSERT(text != NULL);
    CMK_ASSERT(ret_seed != NULL);
    const bool is_hexadecimal = g_str_has_prefix(text, "0x");
    const uint64_t base = is_hexadecimal ? 16 : 10;
    const char *cursor = is_hexadecimal ? text + 2 : text;
    uint64_t value = 0;
    bool is_too_large = false;
    const char *const first = cursor;
    for (; is_hexadecimal ? g_ascii_isxdigit(*cursor) : g_ascii_isdigit(*cursor); cursor++)
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, (uint64_t)g_ascii_xdigit_value(*cursor), &value))
            is_too_large = true;
    if (cursor == first || *cursor != '\0')
        return fail(message, text, "is not a seed; write a whole number such as 42 or 0x2a");
    if (is_too_large)
        return fail(message, text,
                    "is too large for a seed of 64 bits; the largest is %" G_GUINT64_FORMAT,
                    UINT64_MAX);
    *ret_seed = value;
    return true;
}

bool cmk_boolean_parse(const char *text, bool *ret_value, char message[CMK_MESSAGE_SIZE])
{
    static const char *const yes_words[] = {"yes", "on", "y", "1", "true"};
    static const char *const no_words[] = {"no", "off", "n", "0", "false"};
    CMK_ASSERT(text != NULL);
    CMK_ASSERT(ret_value != NULL);
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *ret_value = text[0] == 't';
        return true;
    }
    for (size_t i = 0; i < CMK_ARRAY_LEN(yes_words); i++)
        if (g_ascii_strcasecmp(text, yes_words[i]) == 0)
            return fail(message, text, "is not a boolean; did you mean true?");
    for (size_t i = 0; i < CMK_ARRAY_LEN(no_words); i++)
        if (g_ascii_strcasecmp(text, no_words[i]) == 0)
            return fail(message, text, "is not a boolean; did you mean false?");
    return fail(message, text, "is not a boolean; write true or false");
}
