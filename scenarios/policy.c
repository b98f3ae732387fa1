/* What a policy in a scenario means: in the short form one schedule and one retention, in the long
 * form several schedules and rules that keep some backups otherwise. */
#include <string.h>

#include "scenarios/estate.h"

#define RETENTION_YEARS_MAX 10 /* BK-14 */

/* Index into the words of `archive`. */
enum {
    ARCHIVE_AFTER,
    ARCHIVE_IMMEDIATELY,
    ARCHIVE_ON_EXPIRY
};

static bool is_given(CmkPeriod period)
{
    return period.months != 0 || period.us != 0;
}

/* Said as a map, or as a mere period. */
static bool keeps_in_vault(const CmkDatastoresItem *keep)
{
    const bool is_map = keep->node != NULL && cmk_node_kind(keep->node) == CMK_NODE_MAP;
    return is_given(keep->vault) || (is_map && cmk_node_get(keep->node, "vault") != NULL);
}

/* By default or by any rule. */
static bool has_vault(const CmkPolicyItem *policy)
{
    bool is_kept = keeps_in_vault(&policy->datastores);
    for (guint i = 0; policy->retention != NULL && i < policy->retention->len; i++) {
        is_kept |= keeps_in_vault(&g_array_index(policy->retention, CmkRetentionItem, i).keep);
    }
    return is_kept;
}

/* ---- what the world holds -------------------------------------------------------------------- */

static CmkArchiving archiving_of(const CmkArchiveItem *item)
{
    switch (item->when) {
    case ARCHIVE_IMMEDIATELY:
        return CMK_ARCHIVING_IMMEDIATELY;
    case ARCHIVE_ON_EXPIRY:
        return CMK_ARCHIVING_ON_EXPIRY;
    default:
        return is_given(item->after) ? CMK_ARCHIVING_AFTER : CMK_ARCHIVING_NEVER;
    }
}

static CmkRetention retention_of(const CmkDatastoresItem *keep, const CmkArchiveItem *archive)
{
    return (CmkRetention){.criterion = CMK_CRITERION_ALL_BACKUPS,
                          .priority = CMK_PRIORITY_DEFAULT,
                          .archiving = archiving_of(archive),
                          .is_not_copied = !keeps_in_vault(keep),
                          .operational = keep->operational,
                          .vault = keep->vault,
                          .archive_after = archive->after,
                          .archive = archive->keep};
}

static uint32_t bits_of(const GArray *numbers)
{
    uint32_t bits = 0;
    for (guint i = 0; numbers != NULL && i < numbers->len; i++) {
        bits |= UINT32_C(1) << g_array_index(numbers, uint32_t, i);
    }
    return bits;
}

static CmkCalendar calendar_of(const CmkCalendarItem *item)
{
    CmkCalendar calendar = {.days_of_week = bits_of(item->days_of_week),
                            .weeks_of_month = bits_of(item->weeks_of_month),
                            .days_of_month = bits_of(item->days_of_month),
                            .months = bits_of(item->months)};
    const guint count = item->times == NULL ? 0 : MIN(item->times->len, CMK_CALENDAR_TIMES_MAX);
    for (guint i = 0; i < count; i++) {
        calendar.minutes[calendar.time_count++] = g_array_index(item->times, uint32_t, i);
    }
    return calendar;
}

/* What a rule does not say of a store is as in the default one. */
static CmkRetention rule_of(const CmkRetentionItem *item, const CmkPolicyItem *policy)
{
    /* Rarer backups are kept longer, so they go first; the numbers are those of Azure's samples. */
    static const uint32_t priorities[CMK_TAG__COUNT] = {CMK_PRIORITY_DEFAULT, 25, 20, 15, 10};
    CmkRetention rule = retention_of(&item->keep, &item->archive);
    if (!is_given(rule.operational)) {
        rule.operational = policy->datastores.operational;
    }
    if (!keeps_in_vault(&item->keep)) {
        rule.vault = policy->datastores.vault;
        rule.is_not_copied = !keeps_in_vault(&policy->datastores);
    }
    if (item->takes_at.node != NULL) {
        rule.criterion = CMK_CRITERION_CALENDAR;
        rule.calendar = calendar_of(&item->takes_at);
    } else if (cmk_node_get(item->node, "takes") != NULL) {
        rule.criterion = item->takes + 1;
    } else {
        rule.criterion = item->tag - CMK_TAG_DAILY + CMK_CRITERION_FIRST_OF_DAY;
    }
    rule.priority = item->priority != 0 ? (uint32_t)item->priority : priorities[item->tag];
    return rule;
}

static void add_schedule(CmkPolicy *policy, const CmkRepeat *repeat)
{
    if (policy->schedule_count == 0) {
        policy->utc_offset_us = repeat->utc_offset_us;
    }
    policy->schedules[policy->schedule_count++] =
        (CmkSchedule){.start = repeat->start, .period = repeat->period};
}

CmkPolicy cmk_policy_of(const CmkPolicyItem *item)
{
    const CmkNode *datastores = item->datastores.node;
    CmkPolicy policy = {.has_operational = cmk_node_get(datastores, "operational") != NULL,
                        .has_vault = has_vault(item)};
    if (item->schedules == NULL && is_given(item->schedule.period)) {
        add_schedule(&policy, &item->schedule);
    }
    for (guint i = 0; item->schedules != NULL && i < item->schedules->len; i++) {
        add_schedule(&policy, &g_array_index(item->schedules, CmkRepeat, i));
    }
    policy.retention[CMK_TAG_DEFAULT] = retention_of(&item->datastores, &item->archive);
    for (guint i = 0; item->retention != NULL && i < item->retention->len; i++) {
        const CmkRetentionItem *rule = &g_array_index(item->retention, CmkRetentionItem, i);
        policy.retention[rule->tag] = rule_of(rule, item);
    }
    for (uint32_t tag = 0; tag < CMK_TAG__COUNT; tag++) {
        policy.has_archive |= policy.retention[tag].archiving != CMK_ARCHIVING_NEVER;
    }
    return policy;
}

/* ---- what no table can say about it ---------------------------------------------------------- */

typedef struct Check {
    const CmkPolicyItem *policy;
    CmkDiagnostics *diagnostics;
} Check;

/* A mistake at the key of the map, or at the map itself. */
static bool refuse(const Check *check, const CmkNode *map, const char *key, const char *what)
{
    const CmkNode *node = cmk_node_get(map, key);
    cmk_diagnostics_error(check->diagnostics, cmk_node_position(node == NULL ? map : node), "%s",
                          what);
    return false;
}

static bool hint(const Check *check, const char *what)
{
    cmk_diagnostics_hint(check->diagnostics, "%s", what);
    return false;
}

static bool check_archive(const Check *check, const CmkNode *map, const CmkArchiveItem *archive)
{
    const bool is_after = archive->when == ARCHIVE_AFTER;
    const char *key = is_after ? "archive_after" : "archive";
    if (archiving_of(archive) != CMK_ARCHIVING_NEVER && check->policy->datastores.node != NULL &&
        !has_vault(check->policy)) {
        refuse(check, map, key, "only points in the vault can move to the archive (BK-24)");
        return hint(check, "add `vault` to `datastores`, or leave this out");
    }
    if (is_given(archive->after) && !is_after) {
        refuse(check, map, "archive_after", "`archive` says another moment than `archive_after`");
        return hint(check, "leave one of the two out");
    }
    if (is_given(archive->keep) != (archive->when == ARCHIVE_ON_EXPIRY)) {
        refuse(check, map, "archive_keep",
               "`archive_keep` and `archive: on_expiry` go together (BK-9)");
        return hint(check, "write both: {archive: on_expiry, archive_keep: P1Y}");
    }
    if (cmk_node_get(map, "archive") != NULL && is_after && !is_given(archive->after)) {
        refuse(check, map, "archive", "`archive: after` needs `archive_after`");
        return hint(check, "add the age: archive_after: P30D");
    }
    return true;
}

/* BK-14, counted from the backup on. */
static bool check_length(const Check *check, const CmkNode *map, const char *key,
                         const CmkRetention *rule)
{
    const CmkPeriod most = {.months = 12 * RETENTION_YEARS_MAX};
    const CmkTime limit = cmk_time_add_period(0, most, 1);
    const CmkTime in_vault = cmk_time_add_period(0, rule->vault, 1);
    if (cmk_time_add_period(0, rule->operational, 1) <= limit &&
        cmk_time_add_period(in_vault, rule->archive, 1) <= limit) {
        return true;
    }
    refuse(check, map, key, "backups are kept for at most 10 years (BK-14)");
    return hint(check, "write P10Y or less");
}

static bool check_calendar(const Check *check, const CmkRetentionItem *rule)
{
    const CmkCalendarItem *calendar = &rule->takes_at;
    if (calendar->node == NULL) {
        return true;
    }
    if (cmk_node_get(rule->node, "takes") != NULL) {
        refuse(check, rule->node, "takes_at", "a rule has `takes` or `takes_at`, not both");
        return hint(check, "leave one of the two out");
    }
    if (cmk_node_count(calendar->node) == 0) {
        refuse(check, rule->node, "takes_at", "`takes_at` says no day and no time");
        return hint(check, "write for instance {days_of_week: [sunday]}");
    }
    if (calendar->times != NULL && calendar->times->len > CMK_CALENDAR_TIMES_MAX) {
        refuse(check, calendar->node, "times", "a rule has at most 7 times");
        return hint(check, "leave `times` out to take them all");
    }
    return true;
}

static bool check_rule(const Check *check, const CmkRetentionItem *rule, uint32_t *tags)
{
    bool is_right = check_archive(check, rule->node, &rule->archive);
    if (rule->tag == CMK_TAG_DEFAULT) {
        refuse(check, rule->node, "tag", "the rule default is what `datastores` says (BK-10)");
        return hint(check, "write daily, weekly, monthly or yearly");
    }
    if ((*tags >> rule->tag & 1) != 0) {
        refuse(check, rule->node, "tag", "the policy has this rule already");
        return hint(check, "there is one rule each: daily, weekly, monthly, yearly (BK-10)");
    }
    *tags |= UINT32_C(1) << rule->tag;
    is_right &= check_calendar(check, rule);
    const CmkRetention retention = rule_of(rule, check->policy);
    return check_length(check, rule->node, "keep", &retention) && is_right;
}

static bool check_schedules(const Check *check)
{
    const CmkPolicyItem *policy = check->policy;
    const CmkNode *several = cmk_node_get(policy->node, "schedules");
    const CmkNode *one = cmk_node_get(policy->node, "schedule");
    const CmkNode *datastores = policy->datastores.node;
    const bool needs_none = datastores != NULL && !has_vault(policy);
    if (one == NULL && several == NULL && needs_none) {
        return true; /* of something that is backed up all the time (BK-D2) */
    }
    if ((one != NULL) == (several != NULL)) {
        refuse(check, policy->node, "schedules",
               one == NULL ? "a policy needs the key `schedule`"
                           : "a policy has `schedule` or `schedules`, not both");
        return hint(check, "write when backups start: R/2025-03-03T02:00:00+00:00/P1D");
    }
    const GArray *schedules = policy->schedules;
    if (schedules != NULL && schedules->len > CMK_SCHEDULES_MAX) {
        refuse(check, policy->node, "schedules", "a policy has at most 8 schedules");
        return hint(check, "write a shorter period instead");
    }
    for (guint i = 1; schedules != NULL && i < schedules->len; i++) {
        if (g_array_index(schedules, CmkRepeat, i).utc_offset_us !=
            g_array_index(schedules, CmkRepeat, 0).utc_offset_us) {
            refuse(check, policy->node, "schedules",
                   "the schedules of a policy go by one clock (BK-6)");
            return hint(check, "write all starts with the same offset");
        }
    }
    return true;
}

bool cmk_policy_check(const CmkPolicyItem *policy, CmkDiagnostics *diagnostics)
{
    const Check check = {.policy = policy, .diagnostics = diagnostics};
    const CmkNode *datastores = policy->datastores.node;
    if (policy->node == NULL) {
        return true; /* it could not be read, which is a mistake already */
    }
    if (datastores != NULL && cmk_node_count(datastores) == 0) {
        refuse(&check, policy->node, "datastores", "the policy keeps recovery points nowhere");
        return hint(&check, "write {operational: P7D}, {vault: P3M} or both");
    }
    const CmkRetention usual = retention_of(&policy->datastores, &policy->archive);
    bool is_right = check_archive(&check, policy->node, &policy->archive);
    is_right &= check_length(&check, policy->node, "datastores", &usual);
    is_right &= check_schedules(&check);
    uint32_t tags = 0;
    for (guint i = 0; policy->retention != NULL && i < policy->retention->len; i++) {
        const CmkRetentionItem *rule = &g_array_index(policy->retention, CmkRetentionItem, i);
        if (rule->node != NULL) {
            is_right &= check_rule(&check, rule, &tags);
        }
    }
    return is_right;
}

/* ---- what is backed up by it ----------------------------------------------------------------- */

static const struct {
    const char *says; /* behind the name of the datasource */
    const char *hint;
} misfits[CMK_MISFIT__COUNT] = {
    [CMK_MISFIT_NONE] = {NULL, NULL},
    [CMK_MISFIT_OPERATIONAL] = {"has no operational store",
                                "leave `operational` out of the policy"},
    [CMK_MISFIT_VAULT] = {"is not kept in the vault", "leave `vault` out of the policy"},
    [CMK_MISFIT_ARCHIVE] = {"has no archive", "leave the archive out of the policy"},
    [CMK_MISFIT_SCHEDULE] = {"is not backed up by such a schedule", NULL},
    [CMK_MISFIT_SCHEDULED] = {"is backed up all the time in its operational store, so a schedule "
                              "would do nothing",
                              "leave `schedule` out of the policy"},
    [CMK_MISFIT_UNSCHEDULED] = {"is backed up by a schedule only",
                                "add `schedule` to the policy: R/2025-03-03T02:00:00+00:00/P1D"},
};

/* "write a period of P1D or P1W" */
static void hint_schedules(uint32_t schedules, CmkDiagnostics *diagnostics)
{
    static const struct {
        uint32_t bit;
        const char *text;
    } kinds[] = {{CMK_SCHEDULE_HOURLY, "PT4H, PT6H, PT8H, PT12H"},
                 {CMK_SCHEDULE_DAILY, "P1D"},
                 {CMK_SCHEDULE_WEEKLY, "P1W"}};
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < CMK_ARRAY_LEN(kinds); i++) {
        if ((schedules & kinds[i].bit) != 0) {
            g_string_append_printf(text, "%s%s", text->len == 0 ? "" : " or ", kinds[i].text);
        }
    }
    cmk_diagnostics_hint(diagnostics, "let the policy's schedules end in %s", text->str);
}

bool cmk_policy_check_use(const CmkPolicyItem *policy, const CmkInstanceItem *instance,
                          CmkDiagnostics *diagnostics)
{
    uint32_t count = 0;
    const CmkDatasourceFacts *facts = &cmk_datasource_facts(&count)[instance->datasource];
    const CmkPolicy made = cmk_policy_of(policy);
    const CmkMisfit misfit = cmk_datasource_misfit(facts, &made);
    if (misfit == CMK_MISFIT_NONE) {
        return true;
    }
    cmk_diagnostics_error(diagnostics, cmk_node_position(instance->policy.node), "%s %s (%s)",
                          facts->name, misfits[misfit].says, facts->rule);
    if (misfits[misfit].hint != NULL) {
        cmk_diagnostics_hint(diagnostics, "%s", misfits[misfit].hint);
    } else {
        hint_schedules(facts->schedules, diagnostics);
    }
    return false;
}
