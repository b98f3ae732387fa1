/* Policies in the `world` section of the language: when backups start, what is kept where and how
 * long. */
#include <string.h>

#include "scenarios/language.h"

/* ---- words ----------------------------------------------------------------------------------- */

static const char *const archive_words[] = {"after", "immediately", "on_expiry", NULL};
static const CmkVocabulary archive_moments = {.what = "a moment to move to the archive",
                                              .words = archive_words};

/* BK-10 */
static const char *const tag_words[] = {"default", "daily", "weekly", "monthly", "yearly", NULL};
const CmkVocabulary cmk_vocabulary_tags = {.what = "a retention rule", .words = tag_words};

/* BK-11 */
static const char *const criterion_words[] = {"first_of_day",  "first_of_week", "first_of_month",
                                              "first_of_year", "all_backups",   NULL};
static const CmkVocabulary criteria = {.what = "a choice of backups", .words = criterion_words};

static const char *const weekday_words[] = {"monday", "tuesday",  "wednesday", "thursday",
                                            "friday", "saturday", "sunday",    NULL};
static const CmkVocabulary weekdays = {.what = "a day of the week", .words = weekday_words};

static const char *const week_words[] = {"first", "second", "third", "fourth", "last", NULL};
static const CmkVocabulary weeks = {.what = "a week of the month", .words = week_words};

static const char *const month_words[] = {"january",  "february", "march",  "april",     "may",
                                          "june",     "july",     "august", "september", "october",
                                          "november", "december", NULL};
static const CmkVocabulary months = {.what = "a month", .words = month_words};

static const char *const day_words[] = {"last", "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",
                                        "9",    "10", "11", "12", "13", "14", "15", "16", "17",
                                        "18",   "19", "20", "21", "22", "23", "24", "25", "26",
                                        "27",   "28", "29", "30", "31", NULL};
static const CmkVocabulary days = {.what = "a day of the month", .words = day_words};

/* "02:30" is minute 150 of the day. */
static bool time_find(const char *word, uint32_t *ret_value)
{
    const bool is_time = strlen(word) == 5 && g_ascii_isdigit(word[0]) &&
                         g_ascii_isdigit(word[1]) && word[2] == ':' && g_ascii_isdigit(word[3]) &&
                         g_ascii_isdigit(word[4]);
    const uint32_t hour = is_time ? (uint32_t)((word[0] - '0') * 10 + word[1] - '0') : 24;
    const uint32_t minute = is_time ? (uint32_t)((word[3] - '0') * 10 + word[4] - '0') : 60;
    if (hour >= 24 || minute >= 60) {
        return false;
    }
    *ret_value = hour * 60 + minute;
    return true;
}

/* An example of how they are written. */
static const char *time_word(uint32_t index)
{
    return index == 0 ? "02:00" : NULL;
}
static const CmkVocabulary times = {
    .what = "a time of the day", .find = time_find, .word = time_word};

_Static_assert(CMK_TAG_DEFAULT == 0 && CMK_TAG_YEARLY == 4, "word i stands for tag i");
_Static_assert(CMK_CRITERION_FIRST_OF_DAY == 1 && CMK_CRITERION_ALL_BACKUPS == 5,
               "word i stands for criterion i + 1");
_Static_assert(CMK_ARRAY_LEN(weekday_words) == 7 + 1 && CMK_ARRAY_LEN(week_words) == 5 + 1 &&
                   CMK_ARRAY_LEN(month_words) == 12 + 1 && CMK_ARRAY_LEN(day_words) == 32 + 1,
               "word i stands for bit i of CmkCalendar");

/* ---- fields ---------------------------------------------------------------------------------- */

static const CmkField datastores_rows[] = {
    {.name = "operational",
     .doc =
         "how long snapshots are kept, or how far back continuous backups reach; left out: there "
         "are none; default: as usual for the datasource",
     .type = CMK_FIELD_RETENTION,
     .offset = offsetof(CmkDatastoresItem, operational)},
    {.name = "vault",
     .doc = "how long recovery points are kept in the vault; left out: there are none; default: as "
            "usual for the datasource",
     .type = CMK_FIELD_RETENTION,
     .offset = offsetof(CmkDatastoresItem, vault)},
};
static CMK_FIELDS(datastores_fields, CmkDatastoresItem, "`datastores`", datastores_rows);

/* Of a policy and of each of its rules (BK-9). */
#define ARCHIVE_ROWS(item)                                                                         \
    {.name = "archive",                                                                            \
     .doc = "when points move to the archive: after (archive_after), immediately, or on_expiry",   \
     .type = CMK_FIELD_WORD,                                                                       \
     .offset = offsetof(item, archive.when),                                                       \
     .vocabulary = &archive_moments,                                                               \
     .fallback = "after"},                                                                         \
        {.name = "archive_after",                                                                  \
         .doc = "the age at which points move from the vault to the archive; left out: never",     \
         .type = CMK_FIELD_PERIOD,                                                                 \
         .offset = offsetof(item, archive.after)},                                                 \
    {                                                                                              \
        .name = "archive_keep",                                                                    \
        .doc = "with `archive: on_expiry`: how long the archive keeps them then",                  \
        .type = CMK_FIELD_RETENTION, .offset = offsetof(item, archive.keep)                        \
    }

/* BK-11: all lists that are given have to agree. */
static const CmkField calendar_rows[] = {
    {.name = "days_of_week",
     .doc = "monday to sunday",
     .type = CMK_FIELD_WORD,
     .is_list = true,
     .min_items = 1,
     .offset = offsetof(CmkCalendarItem, days_of_week),
     .vocabulary = &weekdays},
    {.name = "weeks_of_month",
     .doc = "first to fourth, last: the first seven days of a month, and so on",
     .type = CMK_FIELD_WORD,
     .is_list = true,
     .min_items = 1,
     .offset = offsetof(CmkCalendarItem, weeks_of_month),
     .vocabulary = &weeks},
    {.name = "days_of_month",
     .doc = "1 to 31, last",
     .type = CMK_FIELD_WORD,
     .is_list = true,
     .min_items = 1,
     .offset = offsetof(CmkCalendarItem, days_of_month),
     .vocabulary = &days},
    {.name = "months",
     .doc = "january to december",
     .type = CMK_FIELD_WORD,
     .is_list = true,
     .min_items = 1,
     .offset = offsetof(CmkCalendarItem, months),
     .vocabulary = &months},
    {.name = "times",
     .doc = "times at which the schedule starts backups, by its own clock: \"02:00\"",
     .type = CMK_FIELD_WORD,
     .is_list = true,
     .min_items = 1,
     .offset = offsetof(CmkCalendarItem, times),
     .vocabulary = &times},
};
static CMK_FIELDS(calendar_fields, CmkCalendarItem, "`takes_at`", calendar_rows);

static const CmkField retention_rows[] = {
    {.name = "tag",
     .doc = "the rule: daily, weekly, monthly or yearly; `datastores` is that of default",
     .type = CMK_FIELD_WORD,
     .is_required = true,
     .offset = offsetof(CmkRetentionItem, tag),
     .vocabulary = &cmk_vocabulary_tags},
    {.name = "takes",
     .doc = "which backups it keeps; left out: the first of its day, week, month or year (BK-11)",
     .type = CMK_FIELD_WORD,
     .offset = offsetof(CmkRetentionItem, takes),
     .vocabulary = &criteria},
    {.name = "takes_at",
     .doc = "instead of `takes`: days and times of the backups that it keeps (BK-11)",
     .type = CMK_FIELD_MAP,
     .offset = offsetof(CmkRetentionItem, takes_at),
     .fields = &calendar_fields},
    {.name = "priority",
     .doc = "which rule wins where several take a backup: that with the lowest number (BK-12)",
     .type = CMK_FIELD_INTEGER,
     .offset = offsetof(CmkRetentionItem, priority),
     .min = 1,
     .max = CMK_PRIORITY_DEFAULT - 1},
    {.name = "keep",
     .doc = "how long: P12W in the vault, or {operational: P7D, vault: P12W}",
     .type = CMK_FIELD_MAP,
     .is_required = true,
     .offset = offsetof(CmkRetentionItem, keep),
     .shorthand = "vault",
     .fields = &datastores_fields},
    ARCHIVE_ROWS(CmkRetentionItem),
};
static CMK_FIELDS(retention_fields, CmkRetentionItem, "a retention rule", retention_rows);

static const CmkField policy_rows[] = {
    {.name = "name",
     .doc = "the name of a policy",
     .type = CMK_FIELD_NAME,
     .is_required = true,
     .offset = offsetof(CmkPolicyItem, name),
     .min = 1,
     .max = 150,
     .also = "-_"},
    {.name = "exists",
     .doc = "false for a policy that is described here and created by a step",
     .type = CMK_FIELD_BOOLEAN,
     .offset = offsetof(CmkPolicyItem, does_exist),
     .fallback = "true"},
    {.name = "datastores",
     .doc = "where recovery points are kept, and how long: {operational: P7D, vault: P3M}",
     .type = CMK_FIELD_MAP,
     .is_required = true,
     .offset = offsetof(CmkPolicyItem, datastores),
     .fields = &datastores_fields},
    ARCHIVE_ROWS(CmkPolicyItem),
    {.name = "schedule",
     .doc = "when backups start (BK-5): R/2025-03-03T02:00:00+00:00/P1D; what is backed up all the "
            "time has none",
     .type = CMK_FIELD_REPEAT,
     .offset = offsetof(CmkPolicyItem, schedule)},
    {.name = "schedules",
     .doc = "instead of `schedule`: several, of which each starts backups",
     .type = CMK_FIELD_REPEAT,
     .is_list = true,
     .min_items = 1,
     .offset = offsetof(CmkPolicyItem, schedules)},
    {.name = "retention",
     .doc = "rules by which some backups are kept otherwise than `datastores` says (BK-10)",
     .type = CMK_FIELD_MAP,
     .is_list = true,
     .offset = offsetof(CmkPolicyItem, retention),
     .fields = &retention_fields},
};
CMK_FIELDS(cmk_language_policy_fields, CmkPolicyItem, "a policy", policy_rows);
