/* Which retention rule a backup gets, that a schedule goes on whatever happens, and backups by
 * hand (sections 10.2 and 10.3). */
#include <criterion/criterion.h>

#include <inttypes.h>

#include "models/plan.h"
#include "models/points.h"
#include "models/schedule.h"
#include "tests/unit/models/estate.h"

static Estate *make(const EstateOptions *options)
{
    Estate *estate = estate_new(options);
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

static CmkTime moment(const char *text)
{
    CmkTime time = 0;
    cr_assert(cmk_time_parse(text, &time), "%s", text);
    return time;
}

/* BK-11, BK-12: yearly before monthly before weekly before daily, as the numbers say. */
Test(schedule, a_backup_gets_the_rule_with_the_lowest_number)
{
    CmkPolicy policy = {0};
    for (uint32_t tag = 0; tag < CMK_TAG__COUNT; tag++) {
        policy.retention[tag].criterion =
            tag == CMK_TAG_DEFAULT ? (uint32_t)CMK_CRITERION_ALL_BACKUPS : tag;
        policy.retention[tag].priority = CMK_PRIORITY_DEFAULT - 10 * tag;
    }
    const struct {
        const char *last;
        const char *now;
        CmkTag tag;
    } cases[] = {
        {"2025-03-04T02:00:00Z", "2025-03-04T14:00:00Z", CMK_TAG_DEFAULT},
        {"2025-03-04T23:59:59Z", "2025-03-05T00:00:00Z", CMK_TAG_DAILY},
        {"2025-03-08T02:00:00Z", "2025-03-09T02:00:00Z", CMK_TAG_DAILY}, /* a Sunday */
        {"2025-03-09T23:00:00Z", "2025-03-10T00:00:00Z", CMK_TAG_WEEKLY},
        {"2025-03-03T02:00:00Z", "2025-03-18T02:00:00Z", CMK_TAG_WEEKLY},
        {"2025-03-31T23:00:00Z", "2025-04-01T00:00:00Z", CMK_TAG_MONTHLY},
        {"2024-04-01T00:00:00Z", "2025-04-01T00:00:00Z", CMK_TAG_YEARLY},
        {"2024-12-31T23:00:00Z", "2025-01-01T00:00:00Z", CMK_TAG_YEARLY},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        cr_expect_eq(cmk_schedule_tag(&policy, moment(cases[i].last), moment(cases[i].now)),
                     cases[i].tag, "%s", cases[i].now);
    }
    const CmkTime now = moment("2025-03-04T02:00:00Z");
    cr_expect_eq(cmk_schedule_tag(&policy, 0, now), CMK_TAG_YEARLY, "the very first");
    policy.retention[CMK_TAG_DAILY].priority = 1;
    cr_expect_eq(cmk_schedule_tag(&policy, 0, now), CMK_TAG_DAILY, "numbers decide, not names");
    policy.retention[CMK_TAG_DAILY].priority = CMK_PRIORITY_DEFAULT;
    policy.retention[CMK_TAG_YEARLY].criterion = CMK_CRITERION_ALL_BACKUPS;
    cr_expect_eq(cmk_schedule_tag(&policy, now, now), CMK_TAG_YEARLY, "AllBackup");
}

/* BK-11: by days of the week and of the month, weeks, months and times, of which all have to agree.
 */
Test(schedule, a_rule_may_go_by_the_calendar)
{
    enum {
        MONDAY = 1 << 0,
        SUNDAY = 1 << 6,
        FIRST_WEEK = 1 << 0,
        FOURTH_WEEK = 1 << 3,
        LAST_WEEK = 1 << 4,
        LAST_DAY = 1 << 0,
        MARCH = 1 << 2
    };
    const struct {
        CmkCalendar calendar;
        const char *now;
        bool is_taken;
    } cases[] = {
        {{.days_of_week = SUNDAY}, "2025-03-02T02:00:00Z", true},
        {{.days_of_week = SUNDAY}, "2025-03-03T02:00:00Z", false},
        {{.days_of_week = SUNDAY | MONDAY}, "2025-03-03T02:00:00Z", true},
        {{.days_of_week = SUNDAY, .weeks_of_month = FIRST_WEEK}, "2025-03-02T02:00:00Z", true},
        {{.days_of_week = SUNDAY, .weeks_of_month = FIRST_WEEK}, "2025-03-09T02:00:00Z", false},
        {{.weeks_of_month = FIRST_WEEK}, "2025-03-07T23:59:59Z", true},
        {{.weeks_of_month = FIRST_WEEK}, "2025-03-08T00:00:00Z", false},
        {{.weeks_of_month = FOURTH_WEEK}, "2025-03-28T00:00:00Z", true},
        {{.weeks_of_month = FOURTH_WEEK}, "2025-03-29T00:00:00Z", false},
        {{.weeks_of_month = LAST_WEEK}, "2025-03-24T23:00:00Z", false},
        {{.weeks_of_month = LAST_WEEK}, "2025-03-25T00:00:00Z", true},
        {{.weeks_of_month = LAST_WEEK}, "2025-02-22T00:00:00Z", true},
        {{.days_of_month = 1 << 1 | 1 << 15}, "2025-03-15T02:00:00Z", true},
        {{.days_of_month = 1 << 1 | 1 << 15}, "2025-03-16T02:00:00Z", false},
        {{.days_of_month = LAST_DAY}, "2024-02-29T02:00:00Z", true},
        {{.days_of_month = LAST_DAY}, "2024-02-28T02:00:00Z", false},
        {{.days_of_month = LAST_DAY}, "2025-02-28T02:00:00Z", true},
        {{.months = MARCH}, "2025-03-31T02:00:00Z", true},
        {{.months = MARCH}, "2025-04-01T02:00:00Z", false},
        {{.time_count = 2, .minutes = {120, 870}}, "2025-03-04T14:30:00Z", true},
        {{.time_count = 2, .minutes = {120, 870}}, "2025-03-04T14:31:00Z", false},
        {{.days_of_week = MONDAY, .time_count = 1, .minutes = {120}},
         "2025-03-04T02:00:00Z",
         false},
    };
    CmkPolicy policy = {0};
    policy.retention[CMK_TAG_DEFAULT].priority = CMK_PRIORITY_DEFAULT;
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        policy.utc_offset_us = 0;
        policy.retention[CMK_TAG_WEEKLY] = (CmkRetention){
            .criterion = CMK_CRITERION_CALENDAR, .priority = 1, .calendar = cases[i].calendar};
        const CmkTime now = moment(cases[i].now);
        cr_expect_eq(cmk_schedule_tag(&policy, now, now) == CMK_TAG_WEEKLY, cases[i].is_taken,
                     "%zu: %s", i, cases[i].now);
        policy.utc_offset_us = 5 * CMK_HOUR_US; /* the same by another clock */
        const CmkTime same = now - policy.utc_offset_us;
        cr_expect_eq(cmk_schedule_tag(&policy, same, same) == CMK_TAG_WEEKLY, cases[i].is_taken,
                     "%zu: %s at +05:00", i, cases[i].now);
    }
}

/* BK-6: 20:00 UTC is the next day at +05:30, and 02:00 UTC the day before at -08:00. */
Test(schedule, days_are_those_of_the_schedules_own_clock)
{
    CmkPolicy policy = {0};
    policy.retention[CMK_TAG_DEFAULT].priority = CMK_PRIORITY_DEFAULT;
    policy.retention[CMK_TAG_DAILY] =
        (CmkRetention){.criterion = CMK_CRITERION_FIRST_OF_DAY, .priority = 1};
    const struct {
        int64_t offset_minutes;
        const char *last;
        const char *now;
        bool is_first;
    } cases[] = {{0, "2025-03-04T10:00:00Z", "2025-03-04T20:00:00Z", false},
                 {330, "2025-03-04T10:00:00Z", "2025-03-04T20:00:00Z", true},
                 {330, "2025-03-04T18:30:00Z", "2025-03-05T18:29:59Z", false},
                 {-480, "2025-03-04T20:00:00Z", "2025-03-05T02:00:00Z", false},
                 {-480, "2025-03-05T07:59:59Z", "2025-03-05T08:00:00Z", true}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        policy.utc_offset_us = cases[i].offset_minutes * CMK_MINUTE_US;
        const CmkTag tag = cmk_schedule_tag(&policy, moment(cases[i].last), moment(cases[i].now));
        cr_expect_eq(tag == CMK_TAG_DAILY, cases[i].is_first, "%zu", i);
    }
}

/* Each rule keeps its own points: 2 days by default, 3 for the first of a day, 4 of a week. */
Test(schedule, each_rule_keeps_its_points_for_its_own_time)
{
    const EstateOptions options = {
        .has_rules = true, .retention_days = 2, .schedule_us = 12 * CMK_HOUR_US};
    Estate *estate = make(&options);
    estate_run(estate, 12 * CMK_DAY_US);
    uint32_t seen[CMK_TAG__COUNT] = {0};
    const CmkQueue *queue = cmk_queue(estate->sim.world, (CmkQueueId){1});
    for (uint32_t tag = 0; tag < CMK_TAG__COUNT; tag++) {
        for (uint32_t row = queue->fifo[tag].first; row != 0;) {
            const CmkPoint *point = cmk_point(estate->sim.world, (CmkPointId){row});
            cr_assert_eq(cmk_point_expires(estate->sim.world, (CmkPointId){row}),
                         point->created + (2 + (int64_t)tag) * CMK_DAY_US);
            seen[tag]++;
            row = point->next_of_tag;
        }
    }
    /* At 00:00 of day 12, after maintenance at 06:00 of day 11: of the backups at 02:00 and 14:00
     * those of each afternoon are by the default rule, those of the morning daily ones, but for
     * day 7, a Monday: weekly, and gone on day 11. */
    cr_assert_eq(seen[CMK_TAG_DEFAULT], 3, "afternoons of days 9 to 11: %u", seen[0]);
    cr_assert_eq(seen[CMK_TAG_DAILY], 3, "mornings of days 9 to 11: %u", seen[1]);
    cr_assert_eq(seen[CMK_TAG_WEEKLY], 0, "%u", seen[2]);
    estate_free(estate);
}

/* A schedule with a period below a backup's duration: what would overlap does not start. */
Test(schedule, a_backup_that_would_overlap_does_not_start)
{
    EstateOptions options = {.schedule_us = 10 * CMK_MINUTE_US};
    Estate *estate = make(&options);
    estate_rewind(estate);
    estate_run(estate, 3 * CMK_HOUR_US);
    uint32_t refused = 0;
    uint32_t started = 0;
    const CmkRecord *record = NULL;
    for (uint32_t i = 0; (record = estate_nth(estate, CMK_OP_BACKUP_START, i)) != NULL; i++) {
        refused += record->guard == CMK_GUARD_NO_BACKUP_IS_UNDER_WAY;
        started += record->status == CMK_STATUS_OK;
    }
    cr_assert_eq(started + refused, 18, "until 03:00: %u, %u", started, refused);
    cr_assert_geq(started, 4);
    cr_assert_geq(refused, 10);
    cr_assert_leq(cmk_world_count(estate->sim.world, CMK_TABLE_TASK), 3, "rows are recycled");
    estate_free(estate);
}

/* BK-17: by hand, besides the schedule, and by another rule if one is named. */
Test(schedule, a_backup_by_hand_is_a_job_of_its_own_kind)
{
    const EstateOptions options = {.has_rules = true};
    Estate *estate = make(&options);
    estate_run(estate, 5 * CMK_HOUR_US);
    CmkArgs args = estate_args(estate, CMK_OP_BACKUP_RUN);
    args.num[0] = CMK_TAG_WEEKLY;
    const uint32_t task = estate_must_apply(estate, args);
    cr_assert_eq(cmk_task(estate->sim.world, (CmkTaskId){task})->kind, CMK_TASK_BACKUP_ON_DEMAND);
    estate_run(estate, CMK_HOUR_US);
    const CmkPointId id = {estate_last(estate, CMK_OP_BACKUP_COMMIT)->result};
    cr_assert_eq(cmk_point(estate->sim.world, id)->tag, CMK_TAG_WEEKLY);
    /* It does not count as the first of its day: the next one of the schedule does. */
    estate_run(estate, CMK_DAY_US);
    const CmkPointId next = {estate_last(estate, CMK_OP_BACKUP_COMMIT)->result};
    cr_assert_eq(cmk_point(estate->sim.world, next)->tag, CMK_TAG_DAILY);
    args.num[0] = CMK_TAG_YEARLY; /* BK-10: the policy has no such rule */
    cr_assert_eq(estate_apply(estate, &args).guard, CMK_GUARD_POLICY_HAS_THE_RETENTION_RULE);
    estate_free(estate);
}

/* BK-17, BK-24: by hand as well the vault gets only what the rule copies there. */
Test(schedule, a_backup_by_hand_goes_where_its_rule_says)
{
    const struct {
        bool is_default_copied, is_weekly_copied;
        CmkTag tag;
        CmkTier tier;
    } cases[] = {{true, true, CMK_TAG_DEFAULT, CMK_TIER_VAULT},
                 {false, true, CMK_TAG_DEFAULT, CMK_TIER_OPERATIONAL},
                 {false, true, CMK_TAG_WEEKLY, CMK_TIER_VAULT},
                 {true, false, CMK_TAG_WEEKLY, CMK_TIER_OPERATIONAL}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make(&(EstateOptions){
            .datasource = "AzureKubernetesService", .has_operational = true, .has_rules = true});
        CmkPolicy *policy = cmk_world_row_mut(estate->sim.world, CMK_TABLE_POLICY, ESTATE_POLICY);
        policy->retention[CMK_TAG_DEFAULT].is_not_copied = !cases[i].is_default_copied;
        policy->retention[CMK_TAG_WEEKLY].is_not_copied = !cases[i].is_weekly_copied;
        estate_run(estate, 5 * CMK_HOUR_US);
        CmkArgs args = estate_args(estate, CMK_OP_BACKUP_RUN);
        args.num[0] = cases[i].tag;
        (void)estate_must_apply(estate, args);
        estate_run(estate, CMK_HOUR_US);
        const CmkRecord *made = estate_last(estate, CMK_OP_BACKUP_COMMIT);
        cr_expect_eq(made->time, ESTATE_START + 5 * CMK_HOUR_US + 30 * CMK_MINUTE_US);
        cr_expect_eq(cmk_point(estate->sim.world, (CmkPointId){made->result})->tier, cases[i].tier,
                     "case %zu", i);
        estate_free(estate);
    }
}

/* OQ-36: P1Y2M, by the calendar or in days; what the datasource usually keeps is in months too. */
Test(schedule, months_can_have_30_days)
{
    const CmkPeriod said = {.months = 14, .us = CMK_DAY_US};
    const struct {
        bool is_by_calendar;
        int64_t kept_days;  /* from 2025-03-03 on, to 2026-05-04 by the calendar */
        int64_t usual_days; /* to 2025-06-03 */
    } cases[] = {{true, 427, 92}, {false, 365 + 60 + 1, 90}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        EstateOptions options = {.datasource = "AzureDatabaseForMySQL", .archive_days = 2};
        options.knobs[CMK_KNOB_MONTHS_BY_CALENDAR] = cases[i].is_by_calendar + 1;
        Estate *estate = make(&options);
        estate_run(estate, 5 * CMK_HOUR_US);
        const CmkWorld *world = estate->sim.world;
        CmkPolicy *policy = cmk_world_row_mut(estate->sim.world, CMK_TABLE_POLICY, ESTATE_POLICY);
        CmkRetention *rule = &policy->retention[CMK_TAG_DEFAULT];
        const CmkPointId id = {1};
        const CmkTime created = cmk_point(world, id)->created;
        *rule = (CmkRetention){.criterion = rule->criterion,
                               .archiving = CMK_ARCHIVING_AFTER,
                               .archive_after = said,
                               .vault = said};
        cr_expect_eq(cmk_point_expires(world, id), created + cases[i].kept_days * CMK_DAY_US);
        cr_expect_eq(cmk_point_tier_due(world, id), created + cases[i].kept_days * CMK_DAY_US);
        rule->vault = (CmkPeriod){0};
        cr_expect_eq(cmk_point_expires(world, id), created + cases[i].usual_days * CMK_DAY_US);
        rule->archiving = CMK_ARCHIVING_ON_EXPIRY;
        rule->vault = (CmkPeriod){.us = CMK_DAY_US};
        rule->archive = (CmkPeriod){.months = 3};
        cr_expect_eq(cmk_point_expires(world, id),
                     created + (cases[i].usual_days + 1) * CMK_DAY_US);
        estate_free(estate);
    }
}

/* BK-9: at once, at an age, or when their time in the vault is over. */
Test(schedule, points_go_to_the_archive_when_the_rule_says)
{
    const struct {
        CmkArchiving archiving;
        int64_t tier_days;
        int64_t expiry_days;
    } cases[] = {{CMK_ARCHIVING_NEVER, -1, 7},
                 {CMK_ARCHIVING_IMMEDIATELY, 0, 7},
                 {CMK_ARCHIVING_AFTER, 2, 7},
                 {CMK_ARCHIVING_ON_EXPIRY, 7, 37}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate =
            make(&(EstateOptions){.datasource = "AzureDatabaseForMySQL", .archive_days = 2});
        CmkPolicy *policy = cmk_world_row_mut(estate->sim.world, CMK_TABLE_POLICY, ESTATE_POLICY);
        policy->retention[0].archiving = cases[i].archiving;
        policy->retention[0].archive.us = 30 * CMK_DAY_US;
        estate_run(estate, 5 * CMK_HOUR_US);
        const CmkWorld *world = estate->sim.world;
        const CmkPointId id = {1};
        const CmkTime created = cmk_point(world, id)->created;
        cr_expect_eq(cmk_point_expires(world, id), created + cases[i].expiry_days * CMK_DAY_US);
        cr_expect_eq(cmk_point_tier_due(world, id),
                     cases[i].tier_days < 0 ? CMK_TIME_MAX
                                            : created + cases[i].tier_days * CMK_DAY_US);
        estate_run(estate, 40 * CMK_DAY_US);
        cr_expect_eq(estate_count(estate, CMK_OP_POINT_TIER) > 0,
                     cases[i].archiving != CMK_ARCHIVING_NEVER);
        estate_free(estate);
    }
}
