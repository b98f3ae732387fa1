#include "analysis/value.h"

#include <string.h>

#include "scenarios/quantity.h"
#include "sim/calendar.h"

_Static_assert(CMK_VALUE_MESSAGE_SIZE >= CMK_MESSAGE_SIZE, "messages fit");

bool cmk_type_equal(const CmkType *a, const CmkType *b)
{
    return a->kind == b->kind && a->words == b->words && g_strcmp0(a->names, b->names) == 0;
}

bool cmk_type_is_ordered(const CmkType *type)
{
    return type->kind != CMK_VALUE_BOOLEAN && type->kind != CMK_VALUE_WORD &&
           type->kind != CMK_VALUE_NAME && type->kind != CMK_VALUE_CODES;
}

const char *cmk_type_text(const CmkType *type)
{
    static const char *const texts[CMK_VALUE_KIND__COUNT] = {
        [CMK_VALUE_BOOLEAN] = "true or false",
        [CMK_VALUE_INTEGER] = "a whole number",
        [CMK_VALUE_DURATION] = "a duration such as 36h",
        [CMK_VALUE_INSTANT] = "an instant such as +27d",
        [CMK_VALUE_MONEY] = "an amount such as 0.50 USD",
        [CMK_VALUE_SIZE] = "a size such as 250 GiB",
        [CMK_VALUE_SHARE] = "a share such as 2%",
        [CMK_VALUE_WORD] = "a word",
        [CMK_VALUE_NAME] = "a name",
        [CMK_VALUE_CODES] = "a status code",
    };
    CMK_ASSERT(type->kind < CMK_VALUE_KIND__COUNT);
    return texts[type->kind];
}

size_t cmk_words_count(const char *const *words)
{
    size_t count = 0;
    while (words[count] != NULL)
        count++;
    return count;
}

static bool parse_word(const CmkType *type, const char *text, int64_t *ret_value, char *message)
{
    for (size_t i = 0; type->words[i] != NULL; i++) {
        if (strcmp(type->words[i], text) == 0) {
            *ret_value = (int64_t)i;
            return true;
        }
    }
    (void)g_snprintf(message, CMK_VALUE_MESSAGE_SIZE, "`%s` is none of its words", text);
    return false;
}

static bool parse_boolean(const char *text, int64_t *ret_value, char *message)
{
    bool is_true = false;
    if (!cmk_boolean_parse(text, &is_true, message))
        return false;
    *ret_value = is_true;
    return true;
}

/* Prices are in US dollars (COST-1), so nothing else can be compared with a cost. */
static bool parse_dollars(const char *text, int64_t *ret_value, char *message)
{
    CmkMoney money = {0};
    if (!cmk_money_parse(text, &money, message))
        return false;
    if (strcmp(money.currency, "USD") != 0) {
        (void)g_snprintf(message, CMK_VALUE_MESSAGE_SIZE, "costs are in USD, not in %.3s",
                         money.currency);
        return false;
    }
    *ret_value = money.nanos;
    return true;
}

bool cmk_value_parse(const CmkType *type, const char *text, CmkTime start, int64_t *ret_value,
                     char message[CMK_VALUE_MESSAGE_SIZE])
{
    CMK_ASSERT(text != NULL);
    switch (type->kind) {
    case CMK_VALUE_BOOLEAN:
        return parse_boolean(text, ret_value, message);
    case CMK_VALUE_INTEGER:
        return cmk_integer_parse(text, INT64_MIN + 1, INT64_MAX, ret_value, message);
    case CMK_VALUE_DURATION:
        return cmk_duration_parse(text, ret_value, message);
    case CMK_VALUE_INSTANT:
        return cmk_instant_parse(text, start, ret_value, message);
    case CMK_VALUE_MONEY:
        return parse_dollars(text, ret_value, message);
    case CMK_VALUE_SIZE:
        return cmk_size_parse(text, ret_value, message);
    case CMK_VALUE_SHARE:
        return cmk_share_parse(text, ret_value, message);
    case CMK_VALUE_WORD:
        return parse_word(type, text, ret_value, message);
    case CMK_VALUE_NAME:
    case CMK_VALUE_CODES:
    case CMK_VALUE_KIND__COUNT:
        break;
    }
    CMK_ASSERT(false);
    return false;
}

/* A decimal fraction of 10^digits, without closing zeros but at least `digits_min` after the point.
 */
static void format_decimal(int64_t value, uint32_t digits, uint32_t digits_min, GString *out)
{
    uint64_t magnitude = value < 0 ? UINT64_C(0) - (uint64_t)value : (uint64_t)value;
    uint64_t scale = 1;
    for (uint32_t i = 0; i < digits; i++)
        scale *= 10;
    uint64_t fraction = magnitude % scale;
    uint32_t shown = digits;
    while (shown > digits_min && fraction % 10 == 0) {
        fraction /= 10;
        shown--;
    }
    g_string_append_printf(out, "%s%" G_GUINT64_FORMAT, value < 0 ? "-" : "", magnitude / scale);
    if (shown > 0)
        g_string_append_printf(out, ".%0*" G_GUINT64_FORMAT, (int)shown, fraction);
}

/* In the largest unit of which there is at least one, exact to three digits after the point. */
static void format_size(int64_t bytes, GString *out)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    uint32_t unit = 0;
    while (unit + 1 < CMK_ARRAY_LEN(units) && bytes >> (10 * (unit + 1)) > 0)
        unit++;
    const int64_t whole = bytes >> (10 * unit);
    const int64_t rest = unit == 0 ? 0 : (bytes - (whole << (10 * unit))) >> (10 * (unit - 1));
    format_decimal(whole * 1000 + rest * 1000 / 1024, 3, 0, out);
    g_string_append_printf(out, " %s", units[unit]);
}

static void format_duration(int64_t us, GString *out)
{
    char text[CMK_DURATION_TEXT_SIZE];
    cmk_duration_format(us, text, sizeof(text));
    g_string_append(out, text);
}

void cmk_value_format(const CmkType *type, int64_t value, GString *out)
{
    char text[CMK_TIME_TEXT_SIZE];
    if (value == CMK_VALUE_NONE) {
        g_string_append(out, "nothing");
        return;
    }
    switch (type->kind) {
    case CMK_VALUE_BOOLEAN:
        g_string_append(out, value != 0 ? "true" : "false");
        return;
    case CMK_VALUE_INTEGER:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, value);
        return;
    case CMK_VALUE_DURATION:
        format_duration(value, out);
        return;
    case CMK_VALUE_INSTANT:
        cmk_time_format(value, text);
        g_string_append(out, text);
        return;
    case CMK_VALUE_MONEY:
        format_decimal(value, 9, 2, out);
        g_string_append(out, " USD");
        return;
    case CMK_VALUE_SIZE:
        format_size(value, out);
        return;
    case CMK_VALUE_SHARE:
        format_decimal(value, 4, 0, out);
        g_string_append_c(out, '%');
        return;
    case CMK_VALUE_WORD:
        CMK_ASSERT(value >= 0 && (size_t)value < cmk_words_count(type->words));
        g_string_append(out, type->words[value]);
        return;
    case CMK_VALUE_NAME:
    case CMK_VALUE_CODES:
    case CMK_VALUE_KIND__COUNT:
        break;
    }
    CMK_ASSERT(false);
}

void cmk_offset_format(CmkTime time, CmkTime start, GString *out)
{
    static const struct {
        const char *unit;
        int64_t us;
    } units[] = {{"d", CMK_DAY_US},    {"h", CMK_HOUR_US},         {"m", CMK_MINUTE_US},
                 {"s", CMK_SECOND_US}, {"ms", CMK_MILLISECOND_US}, {"us", 1}};
    int64_t rest = time - start;
    g_string_append_c(out, rest < 0 ? '-' : '+');
    rest = rest < 0 ? -rest : rest;
    if (rest == 0)
        g_string_append(out, "0s");
    for (size_t i = 0; i < CMK_ARRAY_LEN(units); i++) {
        if (rest / units[i].us > 0)
            g_string_append_printf(out, "%" G_GINT64_FORMAT "%s", rest / units[i].us,
                                   units[i].unit);
        rest %= units[i].us;
    }
}
