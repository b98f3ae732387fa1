/*
 * Texts with a unit, turned into exact whole numbers: durations, instants, sizes, shares, money,
 * prices, repeating intervals. No floating point and no locale take part.
 *
 * Each function returns true and fills its result, or returns false, leaves the result alone and
 * puts one sentence into message (CMK_MESSAGE_SIZE bytes, not NULL): what is wrong, and an example
 * of what is right. A value that does not fit is an error, it does not wrap. Texts must not have
 * blanks around.
 *
 * Must not know: YAML, fields, places in files.
 */
#ifndef CMK_SCENARIOS_QUANTITY_H
#define CMK_SCENARIOS_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base.h"
#include "sim/calendar.h"

/* Room for any message with its NUL. */
#define CMK_MESSAGE_SIZE 256

/* A currency has three letters; the rest is zero and makes CmkMoney free of padding. */
#define CMK_CURRENCY_SIZE 8
#define CMK_PRICE_UNIT_SIZE 32

/* An amount of money in 10^-9 of a currency, "USD" for instance. */
typedef struct CmkMoney {
    int64_t nanos;
    char currency[CMK_CURRENCY_SIZE];
} CmkMoney;

/* Money per unit; the text of the unit is kept as it was written: "GiB-month", "10000", "hour". */
typedef struct CmkUnitPrice {
    CmkMoney money;
    char unit[CMK_PRICE_UNIT_SIZE];
} CmkUnitPrice;

/* The moments start, start + period, start + 2 * period ... without end. The period is positive. */
typedef struct CmkRepeat {
    CmkTime start;
    CmkPeriod period;
    int64_t utc_offset_us; /* of the clock that the start is written by */
} CmkRepeat;

/*
 * A length of time: "36h", "3d2h", "1.5 h", "250ms" with the units w d h m (or min) s ms us, each
 * at most once and from large to small; or ISO 8601: "P3M", "P7D", "PT4H", "P1Y2M10DT2H30M". Only
 * ISO has months and years. Never negative.
 */
bool cmk_period_parse(const char *text, CmkPeriod *ret_period, char message[CMK_MESSAGE_SIZE]);

/* As cmk_period_parse(), for places that need an exact length: months and years are an error. */
bool cmk_duration_parse(const char *text, int64_t *ret_us, char message[CMK_MESSAGE_SIZE]);

/* As cmk_period_parse(), for retention: whole days, weeks, months and years, written in these units
 * (BK-13). "default" is a period of zero, no other text is. */
bool cmk_retention_parse(const char *text, CmkPeriod *ret_period, char message[CMK_MESSAGE_SIZE]);

/* An instant: ISO 8601 with a zone (see cmk_time_parse()), or "+" and a period from start on. */
bool cmk_instant_parse(const char *text, CmkTime start, CmkTime *ret_time,
                       char message[CMK_MESSAGE_SIZE]);

/* A size: "250 GiB", "64 KiB", "10 MB", "1.5 TiB", "512 B"; units B, kB to EB by 1000, KiB to EiB
 * by 1024. A part of a byte that is left of a fraction is dropped. */
bool cmk_size_parse(const char *text, int64_t *ret_bytes, char message[CMK_MESSAGE_SIZE]);

/* A share in parts per million: "2%", "0.5 %", "250 ppm". Never negative; may exceed 100%. */
bool cmk_share_parse(const char *text, int64_t *ret_ppm, char message[CMK_MESSAGE_SIZE]);

/* Money: "0.0224 USD", "-3 EUR"; at most nine digits after the point. */
bool cmk_money_parse(const char *text, CmkMoney *ret_money, char message[CMK_MESSAGE_SIZE]);

/* A price: "0.0224 USD/GiB-month", "0.03 USD/10000". Never negative. */
bool cmk_price_parse(const char *text, CmkUnitPrice *ret_price, char message[CMK_MESSAGE_SIZE]);

/* A whole number within min..max, both included: digits, with - in front if negative. */
bool cmk_integer_parse(const char *text, int64_t min, int64_t max, int64_t *ret_value,
                       char message[CMK_MESSAGE_SIZE]);

/* A seed: a whole number of 64 bits without sign, decimal or hexadecimal after 0x. */
bool cmk_seed_parse(const char *text, uint64_t *ret_seed, char message[CMK_MESSAGE_SIZE]);

/* true or false, written so. */
bool cmk_boolean_parse(const char *text, bool *ret_value, char message[CMK_MESSAGE_SIZE]);

/* IPv4 addresses that begin alike. */
typedef struct CmkAddressRange {
    uint32_t address; /* the bits beyond the prefix are 0 */
    uint32_t prefix_bits;
} CmkAddressRange;

/* A range in the notation of CIDR: "203.0.113.0/24", or one address. */
bool cmk_range_parse(const char *text, CmkAddressRange *ret_range, char message[CMK_MESSAGE_SIZE]);

/* An ISO 8601 repeating interval without end: "R/2025-03-03T02:00:00+00:00/P1W". */
bool cmk_repeat_parse(const char *text, CmkRepeat *ret_repeat, char message[CMK_MESSAGE_SIZE]);

#endif
