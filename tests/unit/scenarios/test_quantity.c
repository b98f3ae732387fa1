/* Known answers for every kind of quantity, each with its edges and what is said of a bad text. */
#include "scenarios/quantity.h"

#include <string.h>

#include <criterion/criterion.h>

#define MONTHS_ONLY(n)                                                                             \
    {                                                                                              \
        (n), 0, 0                                                                                  \
    }
#define EXACT(us_)                                                                                 \
    {                                                                                              \
        0, 0, (us_)                                                                                \
    }
#define D CMK_DAY_US
#define H CMK_HOUR_US

/* The message of a refusal is one sentence that quotes the text, fits, and holds the expected part.
 */
static void expect_refusal(bool is_accepted, const char *text, const char *message,
                           const char *part)
{
    cr_expect_not(is_accepted, "`%s` was accepted", text);
    if (is_accepted)
        return;
    cr_expect_eq(message[0], '`', "`%s`: %s", text, message);
    cr_expect_lt(strlen(message), CMK_MESSAGE_SIZE - 1, "`%s`: cut off: %s", text, message);
    cr_expect_not_null(strstr(message, part), "`%s`: %s (lacks `%s`)", text, message, part);
}

typedef struct PeriodRow {
    const char *text;
    CmkPeriod period;
    const char *refusal; /* NULL: accepted */
} PeriodRow;

static const PeriodRow period_rows[] = {
    {"36h", EXACT(36 * H), NULL},
    {"90d", EXACT(90 * D), NULL},
    {"2w", EXACT(14 * D), NULL},
    {"3d2h", EXACT(3 * D + 2 * H), NULL},
    {"3d 2h", EXACT(3 * D + 2 * H), NULL},
    {"1 d 3 h", EXACT(27 * H), NULL},
    {"10m", EXACT(10 * CMK_MINUTE_US), NULL},
    {"10 min", EXACT(10 * CMK_MINUTE_US), NULL},
    {"5s", EXACT(5 * CMK_SECOND_US), NULL},
    {"250ms", EXACT(250 * CMK_MILLISECOND_US), NULL},
    {"1s1us", EXACT(CMK_SECOND_US + 1), NULL},
    {"0s", EXACT(0), NULL},
    {"1.5h", EXACT(90 * CMK_MINUTE_US), NULL},
    {"0.000001s", EXACT(1), NULL},
    {"P7D", EXACT(7 * D), NULL},
    {"P1W", EXACT(7 * D), NULL},
    {"PT4H", EXACT(4 * H), NULL},
    {"PT1M", EXACT(CMK_MINUTE_US), NULL},
    {"PT0.5S", EXACT(500000), NULL},
    {"P3M", MONTHS_ONLY(3), NULL},
    {"P1Y", MONTHS_ONLY(12), NULL},
    {"P1Y2M3W4DT5H6M7S", {14, 0, 25 * D + 5 * H + 6 * CMK_MINUTE_US + 7 * CMK_SECOND_US}, NULL},
    {"P2147483647M", MONTHS_ONLY(INT32_MAX), NULL},
    {"P2147483648M", EXACT(0), "too long"},
    {"P178956970Y7M", MONTHS_ONLY(INT32_MAX), NULL},
    {"P178956970Y8M", EXACT(0), "too long"},
    {"P9223372036854775807Y", EXACT(0), "too long"},
    {"9223372036854775807us", EXACT(INT64_MAX), NULL},
    {"9223372036854775808us", EXACT(0), "too large"},
    {"9223372036854775807ms", EXACT(0), "too long"},
    {"106751991d", EXACT(106751991 * D), NULL},
    {"106751992d", EXACT(0), "too long"},
    {"106751991d4h54.775807s", EXACT(INT64_MAX), NULL},
    {"106751991d 4h 54.775807s", EXACT(INT64_MAX), NULL},
    {"106751991d4h54.775808s", EXACT(0), "too long"},
    {"106751991d5h", EXACT(0), "too long"},
    {"P106751991DT5H", EXACT(0), "too long"},
    {"0.0000001s", EXACT(0), "finer than a microsecond"},
    {"0.5us", EXACT(0), "finer than a microsecond"},
    {"1.0000000000h", EXACT(H), NULL},
    {"1.0000000001h", EXACT(0), "nine digits"},
    {"36", EXACT(0), "lacks a unit"},
    {"36 ", EXACT(0), "lacks a unit"},
    {"", EXACT(0), "number"},
    {"h", EXACT(0), "number"},
    {".5h", EXACT(0), "number"},
    {"5.h", EXACT(0), "number"},
    {"5h ", EXACT(0), "number"},
    {"-5h", EXACT(0), "negative"},
    {"5x", EXACT(0), "unknown unit `x`"},
    {"5H", EXACT(0), "unknown unit `H`"},
    {"5h, 3m", EXACT(0), "number"},
    {"3M", EXACT(0), "P3M"},
    {"1y", EXACT(0), "P1Y"},
    {"2h3d", EXACT(0), "large to small"},
    {"2h3h", EXACT(0), "large to small"},
    {"2m3min", EXACT(0), "large to small"},
    {"5abcdefghijklmnopqrstuvwxyz", EXACT(0), "not a duration"},
    {"P", EXACT(0), "ISO 8601"},
    {"PT", EXACT(0), "ISO 8601"},
    {"P7DT", EXACT(0), "ISO 8601"},
    {"P7", EXACT(0), "ISO 8601"},
    {"P7H", EXACT(0), "ISO 8601"},
    {"PT7D", EXACT(0), "ISO 8601"},
    {"P3D1M", EXACT(0), "ISO 8601"},
    {"P1M1M", EXACT(0), "ISO 8601"},
    {"PT1S1M", EXACT(0), "ISO 8601"},
    {"PT1HT1M", EXACT(0), "ISO 8601"},
    {"PTT1S", EXACT(0), "ISO 8601"},
    {"P-7D", EXACT(0), "ISO 8601"},
    {"P1.5M", EXACT(0), "fraction of a month"},
    {"P7D ", EXACT(0), "ISO 8601"},
    {"p7d", EXACT(0), "number"},
};

Test(quantity, period_and_duration)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(period_rows); i++) {
        const PeriodRow *row = &period_rows[i];
        CmkPeriod period = {-1, -1, -1};
        int64_t us = -1;
        char message[CMK_MESSAGE_SIZE] = "";
        const bool is_accepted = cmk_period_parse(row->text, &period, message);
        if (row->refusal != NULL) {
            expect_refusal(is_accepted, row->text, message, row->refusal);
            cr_expect_eq(period.us, -1, "`%s` must leave the result alone", row->text);
            expect_refusal(cmk_duration_parse(row->text, &us, message), row->text, message,
                           row->refusal);
            continue;
        }
        cr_expect(is_accepted, "`%s`: %s", row->text, message);
        cr_expect_eq(memcmp(&period, &row->period, sizeof(period)), 0, "`%s`: %d months %lld us",
                     row->text, period.months, (long long)period.us);
        const bool is_exact = cmk_duration_parse(row->text, &us, message);
        if (row->period.months != 0)
            expect_refusal(is_exact, row->text, message, "no exact length");
        else
            cr_expect(is_exact && us == row->period.us, "`%s`: %lld us", row->text, (long long)us);
    }
}

/* BK-13: days and longer, in these units and not in others of the same length. */
Test(quantity, retention_is_in_days_or_longer)
{
    static const PeriodRow rows[] = {
        {"P7D", {.us = 7 * CMK_DAY_US}, NULL},
        {"7d", {.us = 7 * CMK_DAY_US}, NULL},
        {"2w1d", {.us = 15 * CMK_DAY_US}, NULL},
        {"P2W", {.us = 14 * CMK_DAY_US}, NULL},
        {"P3M", {.months = 3}, NULL},
        {"P10Y", {.months = 120}, NULL},
        {"P1M1D", {.months = 1, .us = CMK_DAY_US}, NULL},
        {"default", {.us = 0}, NULL},
        {"48h", {.us = 0}, "is no retention"},
        {"1d12h", {.us = 0}, "is no retention"},
        {"1.5d", {.us = 0}, "is no retention"},
        {"PT48H", {.us = 0}, "is no retention"},
        {"P1DT1S", {.us = 0}, "is no retention"},
        {"1440m", {.us = 0}, "is no retention"},
        {"P0D", {.us = 0}, "is no time at all"},
        {"Default", {.us = 0}, "Default"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(rows); i++) {
        CmkPeriod period = {-1, -1, -1};
        char message[CMK_MESSAGE_SIZE] = "";
        const bool is_accepted = cmk_retention_parse(rows[i].text, &period, message);
        if (rows[i].refusal != NULL) {
            expect_refusal(is_accepted, rows[i].text, message, rows[i].refusal);
            cr_expect_eq(period.us, -1, "`%s` must leave the result alone", rows[i].text);
            continue;
        }
        cr_expect(is_accepted, "`%s`: %s", rows[i].text, message);
        cr_expect_eq(period.months, rows[i].period.months, "`%s`", rows[i].text);
        cr_expect_eq(period.us, rows[i].period.us, "`%s`", rows[i].text);
    }
}

typedef struct TextRow {
    const char *text;
    const char *answer;  /* printed form of the result; NULL: refused */
    const char *refusal; /* a part of the message */
} TextRow;

Test(quantity, instant)
{
    static const TextRow rows[] = {
        {"2025-03-05T01:00:00+01:00", "2025-03-05T00:00:00Z", NULL},
        {"+0s", "2025-01-31T00:00:00Z", NULL},
        {"+3d2h", "2025-02-03T02:00:00Z", NULL},
        {"+P1M", "2025-02-28T00:00:00Z", NULL},
        {"+P175Y11M", "2200-12-31T00:00:00Z", NULL},
        {"+P176Y", NULL, "beyond the year 2200"},
        {"+P2147483647M", NULL, "beyond the year 2200"},
        {"+106751991d", NULL, "beyond the year 2200"},
        {"+3", NULL, "lacks a unit"},
        {"+", NULL, "number"},
        {"+-3d", NULL, "negative"},
        {"++3d", NULL, "number"},
        {"-3d", NULL, "+3d2h"},
        {"3d", NULL, "is a length of time; write +3d to count from the start"},
        {"P3M", NULL, "write +P3M"},
        {"2025-03-05", NULL, "time of day is missing"},
        {"2025-03-05T00:00:00", NULL, "zone is missing"},
        {"2025-02-30T00:00:00Z", NULL, "no such day"},
        {"", NULL, "is not an instant"},
    };
    CmkTime start = 0;
    cr_assert(cmk_time_parse("2025-01-31T00:00:00Z", &start));
    for (size_t i = 0; i < CMK_ARRAY_LEN(rows); i++) {
        CmkTime time = -1;
        char message[CMK_MESSAGE_SIZE] = "";
        const bool is_accepted = cmk_instant_parse(rows[i].text, start, &time, message);
        if (rows[i].answer == NULL) {
            expect_refusal(is_accepted, rows[i].text, message, rows[i].refusal);
            cr_expect_eq(time, -1, "`%s` must leave the result alone", rows[i].text);
            continue;
        }
        cr_assert(is_accepted, "`%s`: %s", rows[i].text, message);
        char text[CMK_TIME_TEXT_SIZE];
        cmk_time_format(time, text);
        cr_expect_str_eq(text, rows[i].answer, "`%s`: %s", rows[i].text, text);
    }
}

Test(quantity, repeat)
{
    static const TextRow rows[] = {
        {"R/2025-03-03T02:00:00+00:00/P1W", "2025-03-10T02:00:00Z", NULL},
        {"R/2025-03-03T02:00:00Z/PT4H", "2025-03-03T06:00:00Z", NULL},
        {"R/2025-01-31T02:00:00Z/P1M", "2025-02-28T02:00:00Z", NULL},
        {"R5/2025-03-03T02:00:00Z/P1W", NULL, "without end"},
        {"R/2025-03-03T02:00:00/P1W", NULL, "zone is missing"},
        {"R/2025-03-03T02:00:00Z/1w", NULL, "ISO 8601 duration"},
        {"R/2025-03-03T02:00:00Z/", NULL, "ISO 8601 duration"},
        {"R/2025-03-03T02:00:00Z/PT0S", NULL, "no time at all"},
        {"R/2025-03-03T02:00:00Z/P1X", NULL, "ISO 8601"},
        {"R/2025-03-03T02:00:00Z/P1W/x", NULL, "not a repeating interval"},
        {"R/2025-03-03T02:00:00Z", NULL, "not a repeating interval"},
        {"X/2025-03-03T02:00:00Z/P1W", NULL, "not a repeating interval"},
        {"", NULL, "not a repeating interval"},
        {"R", NULL, "not a repeating interval"},
        {"R//P1W", NULL, "bad start"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(rows); i++) {
        CmkRepeat repeat = {.start = -1};
        char message[CMK_MESSAGE_SIZE] = "";
        const bool is_accepted = cmk_repeat_parse(rows[i].text, &repeat, message);
        if (rows[i].answer == NULL) {
            expect_refusal(is_accepted, rows[i].text, message, rows[i].refusal);
            cr_expect_eq(repeat.start, -1, "`%s` must leave the result alone", rows[i].text);
            continue;
        }
        cr_assert(is_accepted, "`%s`: %s", rows[i].text, message);
        char text[CMK_TIME_TEXT_SIZE];
        cmk_time_format(cmk_time_add_period(repeat.start, repeat.period, 1), text);
        cr_expect_str_eq(text, rows[i].answer, "`%s`: the second is %s", rows[i].text, text);
    }
}

typedef struct NumberRow {
    const char *text;
    int64_t value;
    const char *refusal; /* NULL: accepted */
} NumberRow;

typedef bool NumberParser(const char *text, int64_t *ret_value, char message[CMK_MESSAGE_SIZE]);

static void check_numbers(NumberParser *parse, const NumberRow *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t value = -4711;
        char message[CMK_MESSAGE_SIZE] = "";
        const bool is_accepted = parse(rows[i].text, &value, message);
        if (rows[i].refusal != NULL) {
            expect_refusal(is_accepted, rows[i].text, message, rows[i].refusal);
            cr_expect_eq(value, -4711, "`%s` must leave the result alone", rows[i].text);
            continue;
        }
        cr_expect(is_accepted, "`%s`: %s", rows[i].text, message);
        cr_expect_eq(value, rows[i].value, "`%s`: %lld, not %lld", rows[i].text, (long long)value,
                     (long long)rows[i].value);
    }
}

Test(quantity, size)
{
    static const NumberRow rows[] = {
        {"250 GiB", INT64_C(268435456000), NULL},
        {"250GiB", INT64_C(268435456000), NULL},
        {"64 KiB", 65536, NULL},
        {"10 MB", 10000000, NULL},
        {"1 kB", 1000, NULL},
        {"1 KB", 1000, NULL},
        {"3 TB", INT64_C(3000000000000), NULL},
        {"1.5 TiB", INT64_C(1649267441664), NULL},
        {"0.3 TiB", INT64_C(329853488332), NULL}, /* and 0.8 of a byte */
        {"3 PB", INT64_C(3000000000000000), NULL},
        {"3 PiB", INT64_C(3377699720527872), NULL},
        {"3 GB", INT64_C(3000000000), NULL},
        {"3 EB", INT64_C(3000000000000000000), NULL},
        {"3 MiB", 3145728, NULL},
        {"512 B", 512, NULL},
        {"0 B", 0, NULL},
        {"7 EiB", INT64_C(8070450532247928832), NULL},
        {"7.999999999 EiB", INT64_C(9223372035701854303), NULL},
        {"8 EiB", 0, "too large"},
        {"9.3 EB", 0, "too large"},
        {"9223372036854775807 B", INT64_MAX, NULL},
        {"9223372036854775808 B", 0, "too large"},
        {"9223372036854775807 KiB", 0, "too large"},
        {"1.5 B", 0, "whole number of bytes"},
        {"250", 0, "lacks a unit"},
        {"GiB", 0, "number"},
        {"-1 GiB", 0, "negative"},
        {"250 gib", 0, "did you mean GiB"},
        {"250 Kb", 0, "did you mean kB"},
        {"250 GB/month", 0, "not a size"},
        {"250 Gi", 0, "unknown unit `Gi`"},
        {"1,5 GiB", 0, "not a size"},
        {"1.5 GiB ", 0, "not a size"},
        {"1.0123456789 GiB", 0, "nine digits"},
        {"", 0, "number"},
    };
    check_numbers(cmk_size_parse, rows, CMK_ARRAY_LEN(rows));
}

Test(quantity, share)
{
    static const NumberRow rows[] = {
        {"2%", 20000, NULL},
        {"2 %", 20000, NULL},
        {"0.5%", 5000, NULL},
        {"99.9999%", 999999, NULL},
        {"100%", 1000000, NULL},
        {"250%", 2500000, NULL},
        {"0%", 0, NULL},
        {"0.0001%", 1, NULL},
        {"0.00001%", 0, "one part per million"},
        {"250 ppm", 250, NULL},
        {"1.5ppm", 0, "one part per million"},
        {"922337203685477.5807%", INT64_MAX, NULL},
        {"922337203685477.5808%", 0, "too large"},
        {"2", 0, "lacks its unit"},
        {"%", 0, "number"},
        {"-2%", 0, "negative"},
        {"2%%", 0, "not a share"},
        {"2 percent", 0, "not a share"},
    };
    check_numbers(cmk_share_parse, rows, CMK_ARRAY_LEN(rows));
}

static bool parse_full_integer(const char *text, int64_t *ret_value, char message[CMK_MESSAGE_SIZE])
{
    return cmk_integer_parse(text, INT64_MIN, INT64_MAX, ret_value, message);
}

static bool parse_key_size(const char *text, int64_t *ret_value, char message[CMK_MESSAGE_SIZE])
{
    return cmk_integer_parse(text, 7, 90, ret_value, message);
}

Test(quantity, integer)
{
    static const NumberRow full[] = {
        {"0", 0, NULL},
        {"-0", 0, NULL},
        {"007", 7, NULL},
        {"9223372036854775807", INT64_MAX, NULL},
        {"9223372036854775808", 0, "not within"},
        {"-9223372036854775808", INT64_MIN, NULL},
        {"-9223372036854775809", 0, "not within"},
        {"99999999999999999999999999", 0, "not within"},
        {"18446744073709551617", 0, "not within"},
        {"", 0, "not a whole number"},
        {"-", 0, "not a whole number"},
        {"+5", 0, "not a whole number"},
        {" 5", 0, "not a whole number"},
        {"5 ", 0, "digits only"},
        {"1.0", 0, "digits only"},
        {"10,000", 0, "digits only"},
        {"1e3", 0, "digits only"},
        {"0x10", 0, "digits only"},
    };
    static const NumberRow limited[] = {
        {"6", 0, "not within 7 to 90"},
        {"7", 7, NULL},
        {"90", 90, NULL},
        {"91", 0, "not within 7 to 90"},
        {"x", 0, "for instance 10"},
    };
    check_numbers(parse_full_integer, full, CMK_ARRAY_LEN(full));
    check_numbers(parse_key_size, limited, CMK_ARRAY_LEN(limited));
}

typedef struct SeedRow {
    const char *text;
    uint64_t seed;
    const char *refusal;
} SeedRow;

Test(quantity, seed)
{
    static const SeedRow rows[] = {
        {"1", 1, NULL},
        {"0x2a", 42, NULL},
        {"0xFFffFFffFFffFFff", UINT64_MAX, NULL},
        {"0x10000000000000000", 0, "too large"},
        {"18446744073709551615", UINT64_MAX, NULL},
        {"18446744073709551616", 0, "too large"},
        {"0x", 0, "not a seed"},
        {"2a", 0, "not a seed"},
        {"-1", 0, "not a seed"},
        {"random", 0, "not a seed"},
        {"", 0, "not a seed"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(rows); i++) {
        uint64_t seed = 4711;
        char message[CMK_MESSAGE_SIZE] = "";
        const bool is_accepted = cmk_seed_parse(rows[i].text, &seed, message);
        if (rows[i].refusal != NULL)
            expect_refusal(is_accepted, rows[i].text, message, rows[i].refusal);
        cr_expect_eq(seed, rows[i].refusal != NULL ? 4711 : rows[i].seed, "`%s`", rows[i].text);
    }
}

typedef struct MoneyRow {
    const char *text;
    int64_t nanos;
    const char *currency;
    const char *unit; /* NULL: not a price */
    const char *refusal;
} MoneyRow;

static const MoneyRow money_rows[] = {
    {"0.0224 USD", 22400000, "USD", NULL, NULL},
    {"5 EUR", INT64_C(5000000000), "EUR", NULL, NULL},
    {"5EUR", INT64_C(5000000000), "EUR", NULL, NULL},
    {"-3 USD", INT64_C(-3000000000), "USD", NULL, NULL},
    {"0.000000001 USD", 1, "USD", NULL, NULL},
    {"0.0000000001 USD", 0, NULL, NULL, "nine digits"},
    {"9223372036.854775807 USD", INT64_MAX, "USD", NULL, NULL},
    {"9223372036.854775808 USD", 0, NULL, NULL, "too large"},
    {"9999999999 USD", 0, NULL, NULL, "too large"},
    {"5", 0, NULL, NULL, "currency"},
    {"5 usd", 0, NULL, NULL, "currency"},
    {"5 US", 0, NULL, NULL, "currency"},
    {"USD 5", 0, NULL, NULL, "number"},
    {"--5 USD", 0, NULL, NULL, "negative"},
    {"5 USDX", 0, NULL, NULL, "not an amount"},
    {"5 USD/hour", 0, NULL, NULL, "price per unit"},
    {"0.0224 USD/GiB-month", 22400000, "USD", "GiB-month", NULL},
    {"0.0224 USD/GB-month", 22400000, "USD", "GB-month", NULL},
    {"0.03 USD/10000", 30000000, "USD", "10000", NULL},
    {"1 EUR/hour", INT64_C(1000000000), "EUR", "hour", NULL},
    {"1 EUR/1234567890123456789012345678901", INT64_C(1000000000), "EUR",
     "1234567890123456789012345678901", NULL},
    {"1 EUR/12345678901234567890123456789012", 0, NULL, "", "1 to 31 characters"},
    {"1 EUR/", 0, NULL, "", "1 to 31 characters"},
    {"1 EUR", 0, NULL, "", "per what"},
    {"1 EUR /hour", 0, NULL, "", "per what"},
    {"1 EUR/ hour", 0, NULL, "", "letters, digits"},
    {"-1 EUR/hour", 0, NULL, "", "negative"},
    {"x EUR/hour", 0, NULL, "", "number"},
};

Test(quantity, money_and_price)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(money_rows); i++) {
        const MoneyRow *row = &money_rows[i];
        CmkUnitPrice price = {.money = {.nanos = 4711}};
        char message[CMK_MESSAGE_SIZE] = "";
        const bool is_accepted = row->unit == NULL
                                     ? cmk_money_parse(row->text, &price.money, message)
                                     : cmk_price_parse(row->text, &price, message);
        if (row->refusal != NULL) {
            expect_refusal(is_accepted, row->text, message, row->refusal);
            cr_expect_eq(price.money.nanos, 4711, "`%s` must leave the result alone", row->text);
            continue;
        }
        cr_assert(is_accepted, "`%s`: %s", row->text, message);
        cr_expect_eq(price.money.nanos, row->nanos, "`%s`: %lld", row->text,
                     (long long)price.money.nanos);
        cr_expect_str_eq(price.money.currency, row->currency, "`%s`", row->text);
        cr_expect_str_eq(price.unit, row->unit == NULL ? "" : row->unit, "`%s`", row->text);
    }
}

Test(quantity, boolean)
{
    static const TextRow rows[] = {
        {"true", "true", NULL},
        {"false", "false", NULL},
        {"True", NULL, "did you mean true"},
        {"yes", NULL, "did you mean true"},
        {"on", NULL, "did you mean true"},
        {"1", NULL, "did you mean true"},
        {"no", NULL, "did you mean false"},
        {"OFF", NULL, "did you mean false"},
        {"0", NULL, "did you mean false"},
        {"maybe", NULL, "write true or false"},
        {"", NULL, "write true or false"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(rows); i++)
        for (int before = 0; before < 2; before++) {
            bool value = before == 1;
            char message[CMK_MESSAGE_SIZE] = "";
            const bool is_accepted = cmk_boolean_parse(rows[i].text, &value, message);
            if (rows[i].answer == NULL)
                expect_refusal(is_accepted, rows[i].text, message, rows[i].refusal);
            else
                cr_expect(is_accepted && value == (rows[i].answer[0] == 't'), "`%s`", rows[i].text);
            if (rows[i].answer == NULL)
                cr_expect_eq(value, before == 1, "`%s`", rows[i].text);
        }
}

/* A long text is shortened in messages, and never in the middle of a character. */
Test(quantity, long_texts_in_messages)
{
    char text[2001];
    for (size_t offset = 0; offset < 3; offset++) {
        memset(text, 'x', offset);
        for (size_t i = offset; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xE2\x82\xAC", 4); /* the euro sign */
        int64_t us = 0;
        char message[CMK_MESSAGE_SIZE] = "";
        cr_assert_not(cmk_duration_parse(text, &us, message));
        const char *dots = strstr(message, "...` ");
        cr_assert_not_null(dots, "%s", message);
        cr_expect_eq((size_t)(dots - message - 1) % 3, offset, "%s", message);
        cr_expect_not(cmk_instant_parse(text, 0, &us, message));
        cr_expect_lt(strlen(message), CMK_MESSAGE_SIZE - 1);
        CmkRepeat repeat;
        text[0] = 'R';
        text[1] = '/';
        text[1000] = '/';
        cr_expect_not(cmk_repeat_parse(text, &repeat, message));
    }
}
