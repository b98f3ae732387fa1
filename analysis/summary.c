/* The summary that a person reads in a terminal, from the top: verdict, what happened, what failed
 * and why, how it ended, what it cost, and on what all of that rests. */
#include "analysis/result.h"

#include <inttypes.h>
#include <string.h>

#include "analysis/catalogue.h"
#include "models/error_map.h"
#include "models/key_store.h"

int64_t cmk_result_net_nanos(const CmkResult *result)
{
    return result->has_baseline ? result->cost.total_nanos - result->baseline.total_nanos : 0;
}

char *cmk_result_money(int64_t nanos)
{
    const char *sign = nanos < 0 ? "-" : "";
    const uint64_t size = nanos < 0 ? (uint64_t)-nanos : (uint64_t)nanos;
    if (size == 0 || size >= UINT64_C(1000000000)) {
        const uint64_t cents = (size + 5000000) / 10000000;
        return g_strdup_printf("%s%" G_GUINT64_FORMAT ".%02" G_GUINT64_FORMAT " USD", sign,
                               cents / 100, cents % 100);
    }
    const uint64_t parts = (size + 50000) / 100000; /* ten-thousandths */
    return g_strdup_printf("%s%" G_GUINT64_FORMAT ".%04" G_GUINT64_FORMAT " USD", sign,
                           parts / 10000, parts % 10000);
}

/* "+20 d 3 h 5 min": from the start of the scenario on. To the second, since moments are compared
 * with each other; a length of time has two units. */
static char *moment(const CmkResult *result, CmkTime time)
{
    static const struct {
        int64_t us;
        const char *name;
    } units[] = {
        {CMK_DAY_US, "d"}, {CMK_HOUR_US, "h"}, {CMK_MINUTE_US, "min"}, {CMK_SECOND_US, "s"}};
    int64_t rest = time - result->scenario->start;
    if (rest < CMK_SECOND_US) { /* or before the start */
        char text[CMK_DURATION_TEXT_SIZE];
        cmk_duration_format(rest, text, sizeof(text));
        return g_strdup_printf("+%s", text);
    }
    GString *text = g_string_new("+");
    for (size_t i = 0; i < CMK_ARRAY_LEN(units); i++) {
        const int64_t count = rest / units[i].us;
        rest %= units[i].us;
        if (count > 0) {
            g_string_append_printf(text, "%s%" PRId64 " %s", text->len > 1 ? " " : "", count,
                                   units[i].name);
        }
    }
    return g_string_free(text, FALSE);
}

static char *duration(int64_t us)
{
    char text[CMK_DURATION_TEXT_SIZE];
    cmk_duration_format(us, text, sizeof(text));
    return g_strdup(text);
}

static const char *plural(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

static const CmkPlanned *planned(const CmkResult *result, uint32_t index)
{
    return &g_array_index(result->scenario->plan, CmkPlanned, index);
}

static const char *code_of(CmkStatus status)
{
    return status == CMK_STATUS_OK ? "ok" : cmk_azure_model()->statuses[status].code;
}

/* ---- head ------------------------------------------------------------------------------------ */

static void print_head(const CmkResult *result, GString *out)
{
    const CmkScenario *scenario = result->scenario;
    char from[CMK_TIME_TEXT_SIZE];
    char to[CMK_TIME_TEXT_SIZE];
    cmk_time_format(scenario->start, from);
    cmk_time_format(scenario->end, to);
    g_autofree char *length = duration(scenario->end - scenario->start);
    const uint32_t vaults = cmk_world_count(result->world, CMK_TABLE_BACKUP_VAULT);
    const uint32_t instances = cmk_world_count(result->world, CMK_TABLE_INSTANCE);
    g_autofree char *verdict = g_ascii_strup(cmk_verdict_word(result->verdict), -1);
    g_string_append_printf(out, "%s: %s - %s\n", scenario->name, verdict, result->reason);
    if (scenario->summary != NULL && *scenario->summary != '\0') {
        g_string_append_printf(out, "%s\n", scenario->summary);
    }
    g_string_append_printf(out,
                           "\n%s to %s (%s), %u Backup %s with %u protected %s, seed %" PRIu64 "\n",
                           from, to, length, vaults, plural(vaults, "vault", "vaults"), instances,
                           plural(instances, "instance", "instances"), result->seed);
}

/* ---- what happened --------------------------------------------------------------------------- */

static void print_planned(const CmkResult *result, uint32_t index, GString *out)
{
    const CmkPlanned *item = planned(result, index);
    const CmkFate *fate = cmk_consequences_fate(result->story->consequences, index + 1);
    g_autofree char *when = moment(result, item->time);
    const char *kind = item->kind == CMK_PLAN_STEP ? "step" : "fault";
    g_string_append_printf(out, "  %-15s %-5s %-16s %s", when, kind,
                           item->id == NULL ? "" : item->id, item->text);
    if (!fate->is_asked) {
        g_string_append(out, "\n                  -> was not reached\n");
        return;
    }
    const CmkStatus status = fate->status;
    if (item->kind != CMK_PLAN_STEP && status == CMK_STATUS_OK) {
        g_string_append_c(out, '\n');
        return;
    }
    const bool was_expected = item->expect_status == (int32_t)status;
    g_string_append_printf(out, "\n                  -> %s%s%s", code_of(status),
                           was_expected ? ", as expected" : "",
                           fate->is_ended ? "" : ", still running at the end");
    if (fate->is_ended && fate->ended_at > fate->asked_at) {
        g_autofree char *took = duration(fate->ended_at - fate->asked_at);
        g_string_append_printf(out, ", after %s", took);
    }
    g_string_append_c(out, '\n');
}

static void print_plan(const CmkResult *result, GString *out)
{
    if (result->scenario->plan->len == 0) {
        return;
    }
    g_string_append(out, "\nWhat was done\n");
    for (guint i = 0; i < result->scenario->plan->len; i++) {
        print_planned(result, i, out);
    }
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static void print_rules(const char *rules, GString *out)
{
    const char *at = rules;
    const char *separator = "";
    while (*at != '\0') {
        const size_t length = strcspn(at, " ");
        const CmkRule *rule = cmk_rule_find(at, length);
        g_string_append_printf(out, "%s%.*s %s", separator, (int)length, at,
                               rule == NULL ? "?" : rule->provenance);
        separator = ", ";
        at += length + strspn(at + length, " ");
    }
}

static void print_kept_from(const CmkResult *result, const uint32_t *counts, const char *one,
                            const char *many, GString *out)
{
    for (uint32_t i = 1; i < CMK_GUARD__COUNT; i++) {
        const CmkGuard *guard = result->story->model->guards[i];
        if (counts[i] > 0) {
            g_string_append_printf(out, "  %u %s; must hold: %s [", counts[i],
                                   plural(counts[i], one, many), guard->text);
            print_rules(guard->rule, out);
            g_string_append(out, "]\n");
        }
    }
}

/* Backups that were due and never became jobs, and protection that ended before it began: no list
 * of jobs shows them. */
static void print_not_started(const CmkResult *result, GString *out)
{
    print_kept_from(result, result->story->not_started, "scheduled backup did not start",
                    "scheduled backups did not start", out);
    print_kept_from(result, result->story->not_configured,
                    "instance could not be configured for protection, which it shows",
                    "instances could not be configured for protection, which they show", out);
}

static void print_jobs(const CmkResult *result, GString *out)
{
    g_string_append(out, "\nJobs          completed     failed   shown to people\n");
    for (uint32_t kind = 0; kind < CMK_TASK__COUNT; kind++) {
        const CmkJobCounts *counts = &result->story->jobs[kind];
        const CmkTaskFacts *facts = cmk_task_facts((CmkTaskKind)kind);
        const uint32_t *ended = counts->ended;
        const uint32_t warned = ended[CMK_JOB_COMPLETED_WITH_WARNINGS];
        const uint32_t done = cmk_job_counts_done(counts);
        if (done + ended[CMK_JOB_FAILED] > 0) {
            g_string_append_printf(out, "  %-10s %10u %10u   %s\n", facts->name, done,
                                   ended[CMK_JOB_FAILED], facts->is_seen ? "yes" : "no, never");
        }
        if (warned > 0) {
            g_string_append_printf(out, "    %u completed, of which %u with warnings [BK-18]\n",
                                   done, warned);
        }
        if (ended[CMK_JOB_CANCELLED] > 0) {
            g_string_append_printf(out,
                                   "  %u %s %s cancelled, since the instance was deleted [BK-18]\n",
                                   ended[CMK_JOB_CANCELLED], facts->name,
                                   plural(ended[CMK_JOB_CANCELLED], "job was", "jobs were"));
        }
    }
    const uint32_t running = cmk_tasks_running(result->world);
    if (running > 0) {
        g_string_append_printf(out, "  %u %s still in progress at the end.\n", running,
                               plural(running, "job was", "jobs were"));
    }
    if (result->story->retries > 0) {
        g_string_append_printf(out, "  %u %s tried again after a passing trouble.\n",
                               result->story->retries,
                               plural(result->story->retries, "request was", "requests were"));
    }
    print_not_started(result, out);
}

/* "because of: revoke (role.revoke: id-backup on kv-prod)" */
static void print_blamed(const CmkResult *result, const CmkFailure *failure, GString *out)
{
    if (failure->blamed == 0) {
        return;
    }
    const CmkPlanned *blamed = planned(result, failure->blamed - 1);
    g_autofree char *when = moment(result, blamed->time);
    g_string_append_printf(out, "    because of: ");
    if (blamed->kind == CMK_PLAN_STEP) {
        g_string_append_printf(out, "the step at %s%s%s, %s\n", when,
                               blamed->id == NULL ? "" : ", ", blamed->id == NULL ? "" : blamed->id,
                               blamed->text);
    } else if (blamed->id == NULL) {
        g_string_append_printf(out, "%s\n", blamed->text);
    } else {
        g_string_append_printf(out, "%s (%s)\n", blamed->id, blamed->text);
    }
}

/* What would have helped at the first of them, and whether it still would have at the last. */
static void print_repair(const CmkResult *result, const CmkFailure *failure, GString *out)
{
    const CmkGuard *guard = result->story->model->guards[failure->guard];
    const char *advice =
        guard->repairs[0].op == CMK_OP_NONE ? cmk_status_advice(guard->status) : NULL;
    if (failure->repair != NULL) {
        g_string_append_printf(out, "    to repair: %s\n", failure->repair);
    } else if (advice != NULL) { /* no operation would have done */
        g_string_append_printf(out, "    to do: %s\n", advice);
    }
    if (g_strcmp0(failure->repair, failure->last_repair) != 0) {
        g_autofree char *last = moment(result, failure->last);
        g_string_append_printf(out, "    at %s: %s\n", last,
                               failure->last_repair != NULL ? failure->last_repair
                                                            : "nothing would have helped any more");
    }
}

/* " (kv-prod answers 403 Forbidden/KeyDisabled)": what Backup found out by itself has no number. */
static void print_answer(const CmkResult *result, const CmkFailure *failure,
                         const CmkStatusRow *status, GString *out)
{
    if (status->http == 0) {
        return;
    }
    const char *who = "Azure"; /* to a request that was about no key vault or HSM */
    if (failure->key_vault != 0) {
        const CmkKeyVaultId id = {failure->key_vault};
        who = cmk_name(result->world, cmk_key_vault(result->world, id)->name);
    } else if (failure->managed_hsm != 0) {
        const CmkManagedHsmId id = {failure->managed_hsm};
        who = cmk_name(result->world, cmk_managed_hsm(result->world, id)->name);
    }
    g_string_append_printf(out, " (%s answers %u %s%s%s)", who, status->http, status->code,
                           status->inner == NULL ? "" : "/",
                           status->inner == NULL ? "" : status->inner);
}

static void print_cause(const CmkResult *result, const CmkFailure *failure, GString *out)
{
    const CmkGuard *guard = cmk_azure_model()->guards[failure->guard];
    if (failure->guard != CMK_GUARD_NONE) {
        const CmkStatusRow *status = &cmk_azure_model()->statuses[guard->status];
        g_string_append_printf(out, "    why: %s", status->text);
        print_answer(result, failure, status, out);
        g_string_append_printf(out, "\n    must hold: %s [", guard->text);
        print_rules(guard->rule, out);
        g_string_append(out, "]\n");
        print_repair(result, failure, out);
    }
    print_blamed(result, failure, out);
}

/* "of bv-prod/media: 7, bv-prod/orders-db: 1": which instances or vaults it was. */
static void print_shares(const CmkResult *result, const CmkFailure *failure, GString *out)
{
    uint32_t told = 0;
    const char *separator = "    of";
    for (uint32_t i = 0; i < CMK_FAILURE_SHARES_MAX && failure->shares[i].count > 0; i++) {
        const CmkFailureShare *share = &failure->shares[i];
        const CmkBackupVault *vault =
            cmk_backup_vault(result->world, (CmkBackupVaultId){share->backup_vault});
        g_string_append_printf(out, "%s %s", separator, cmk_name(result->world, vault->name));
        if (share->instance != 0) {
            const CmkInstance *instance =
                cmk_instance(result->world, (CmkInstanceId){share->instance});
            g_string_append_printf(out, "/%s", cmk_name(result->world, instance->name));
        }
        g_string_append_printf(out, ": %u", share->count);
        told += share->count;
        separator = ",";
    }
    if (told < failure->count) {
        g_string_append_printf(out, ", others: %u", failure->count - told);
    }
    g_string_append_c(out, '\n');
}

static void print_failures(const CmkResult *result, bool is_seen, GString *out)
{
    const GArray *failures = result->story->failures;
    if (cmk_story_failed(result->story, is_seen) == 0) {
        return;
    }
    g_string_append(out, is_seen ? "\nWhat failed, and people could see it\n"
                                 : "\nWhat failed WITH NO ERROR SHOWN TO ANYBODY\n");
    for (guint i = 0; i < failures->len; i++) {
        const CmkFailure *failure = &g_array_index(failures, CmkFailure, i);
        if (failure->is_seen != is_seen) {
            continue;
        }
        g_autofree char *first = moment(result, failure->first);
        g_autofree char *last = moment(result, failure->last);
        g_autofree char *length = duration(failure->last - failure->first);
        const CmkTaskFacts *facts = cmk_task_facts(failure->kind);
        g_string_append_printf(out, "  %u %s %s, %s", failure->count, facts->name,
                               plural(failure->count, "job", "jobs"), code_of(failure->status));
        if (!is_seen) { /* why nobody sees it */
            g_string_append(out, " [");
            print_rules(facts->rule, out);
            g_string_append_c(out, ']');
        }
        g_string_append_c(out, '\n');
        if (failure->count > 1) {
            g_string_append_printf(out, "    from %s to %s (%s)\n", first, last, length);
        } else {
            g_string_append_printf(out, "    at %s\n", first);
        }
        print_shares(result, failure, out);
        print_cause(result, failure, out);
    }
}

/* ---- how it ended ---------------------------------------------------------------------------- */

static const char *encryption_word(CmkEncryption encryption)
{
    switch (encryption) {
    case CMK_ENCRYPTION_DISABLED:
        return "Disabled";
    case CMK_ENCRYPTION_ENABLED:
        return "Enabled";
    case CMK_ENCRYPTION_INCONSISTENT:
        return "Inconsistent";
    }
    return "?";
}

#define TURNS_SHOWN 16

static char *turn_text(const CmkResult *result, const CmkTurn *turn)
{
    const CmkWorld *world = result->world;
    if (turn->op == CMK_OP_NONE) {
        const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){turn->row});
        return g_strdup_printf("encryption settings of %s: %s -> %s", cmk_name(world, vault->name),
                               encryption_word(turn->from), encryption_word(turn->to));
    }
    if (turn->op == CMK_OP_ROTATION_COMMIT) {
        const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){turn->row});
        return g_strdup_printf("%s takes up the newer version of its key",
                               cmk_name(world, vault->name));
    }
    if (turn->op == CMK_OP_KEY_PURGE) {
        const CmkKeyId key = {turn->row};
        return g_strdup_printf("key %s/%s is purged",
                               cmk_name(world, cmk_key_store_of(world, key).name),
                               cmk_name(world, cmk_key(world, key)->name));
    }
    static const char *const words[CMK_OP__COUNT] = {
        [CMK_OP_REGION_BEGIN_FAILOVER] = "the failover of its key vaults begins",
        [CMK_OP_REGION_COMPLETE_FAILOVER] = "the pair answers for its key vaults, read-only",
        [CMK_OP_REGION_COMPLETE_FAILBACK] = "its key vaults take every request again"};
    uint32_t count = 0;
    return g_strdup_printf("region %s: %s", cmk_region_facts(&count)[turn->row].name,
                           words[turn->op]);
}

/* What followed by itself from what was done. */
static void print_turns(const CmkResult *result, GString *out)
{
    const GArray *turns = result->story->turns;
    const guint shown = MIN(turns->len, TURNS_SHOWN);
    if (shown > 0) {
        g_string_append(out, "\nWhat followed by itself\n");
    }
    for (guint i = 0; i < shown; i++) {
        const CmkTurn *turn = &g_array_index(turns, CmkTurn, i);
        g_autofree char *when = moment(result, turn->time);
        g_autofree char *text = turn_text(result, turn);
        g_string_append_printf(out, "  %-15s %s\n", when, text);
    }
    if (result->story->turn_count > shown) {
        g_string_append_printf(out, "  ... and %u more\n", result->story->turn_count - shown);
    }
}

static void print_states(const CmkResult *result, GString *out)
{
    uint32_t counts[3] = {0, 0, 0};
    uint32_t absent = 0; /* deleted, so they have no settings */
    const uint32_t vaults = cmk_world_count(result->world, CMK_TABLE_BACKUP_VAULT);
    for (uint32_t i = 1; i <= vaults; i++) {
        const CmkBackupVault *vault = cmk_backup_vault(result->world, (CmkBackupVaultId){i});
        if (vault->state == CMK_BACKUP_VAULT_ABSENT) {
            absent++;
        } else {
            counts[vault->encryption]++;
        }
    }
    g_string_append(out, "  encryption settings at the end:");
    const char *separator = "";
    for (uint32_t i = 0; i < 3; i++) {
        if (counts[i] > 0) {
            g_string_append_printf(out, "%s %u %s", separator, counts[i],
                                   encryption_word((CmkEncryption)i));
            separator = ",";
        }
    }
    if (absent > 0) {
        g_string_append_printf(out, "%s %u deleted", separator, absent);
    }
    g_string_append(out, result->story->settings_changes == 0 ? ", never changed\n" : "\n");
}

static void print_recoveries(const CmkResult *result, GString *out)
{
    for (guint i = 0; i < result->scenario->plan->len; i++) {
        const CmkPlanned *item = planned(result, i);
        uint32_t open = 0;
        if (item->kind != CMK_PLAN_FAULT) {
            continue;
        }
        const uint32_t touched =
            cmk_consequences_touched(result->story->consequences, i + 1, &open);
        const int64_t took = cmk_consequences_time_to_recover(result->story->consequences, i + 1);
        if (touched == 0) {
            continue;
        }
        g_string_append_printf(
            out, "  %s touched %u Backup %s: ", item->id == NULL ? item->what : item->id, touched,
            plural(touched, "vault", "vaults"));
        if (took >= 0) {
            g_autofree char *length = duration(took);
            g_string_append_printf(out, "recovered %s after it began\n", length);
        } else {
            g_string_append_printf(out, "%u not recovered at the end\n", open);
        }
    }
}

/* What a deleted identity leaves behind lets nobody in, but somebody has to clean it up. */
static void print_orphans(const CmkResult *result, GString *out)
{
    const uint32_t count = cmk_assignments_orphaned(result->world);
    if (count > 0) {
        g_string_append_printf(out, "  %u role %s of a principal that is gone [AC-15]\n", count,
                               plural(count, "assignment is", "assignments are"));
    }
}

static void print_end(const CmkResult *result, GString *out)
{
    const CmkRestoreCounts *check = &result->restore_check;
    g_string_append(out, "\nHow it ended\n");
    print_states(result, out);
    print_recoveries(result, out);
    const uint32_t points = check->restored + check->refused + check->lost;
    if (points == 0) {
        g_string_append(out, "  no recovery point remains\n");
        return;
    }
    g_string_append_printf(out, "  %u recovery %s: %u can be restored", points,
                           plural(points, "point remains", "points remain"), check->restored);
    if (check->proven > 0) {
        g_string_append_printf(out, " (%u decrypted and compared", check->proven);
        if (check->proven < check->restored) {
            g_string_append_printf(out, ", %u not under the key", check->restored - check->proven);
        }
        g_string_append_c(out, ')');
    }
    if (check->refused > 0) {
        g_string_append_printf(out, ", %u cannot now but could again", check->refused);
    }
    if (check->lost > 0) {
        g_string_append_printf(out, ", %u %s LOST: the only key that could open %s is purged",
                               check->lost, plural(check->lost, "IS", "ARE"),
                               plural(check->lost, "it", "them"));
    }
    g_string_append_c(out, '\n');
    print_orphans(result, out);
}

/* ---- cost ------------------------------------------------------------------------------------ */

/* A smaller difference than this is not printed as one. */
#define NET_SHOWN_NANOS 50000

static void print_cost(const CmkResult *result, GString *out)
{
    const int64_t net = cmk_result_net_nanos(result);
    g_autofree char *total = cmk_result_money(result->cost.total_nanos);
    g_autofree char *overdue = cmk_result_money(result->cost.overdue_nanos);
    g_autofree char *net_text = cmk_result_money(net);
    g_string_append(out, "\nCost\n");
    g_string_append_printf(out, "  total    %14s\n", total);
    g_string_append_printf(
        out,
        "  overdue  %14s   of it for data kept after the maintenance that should "
        "have removed or moved it\n",
        overdue);
    if (!result->has_baseline) {
        g_string_append(out, "  net            0.00 USD   there are no faults to compare with\n");
        return;
    }
    const char *meaning = "no difference to the same run without the faults";
    if (net < -NET_SHOWN_NANOS && result->story->jobs[CMK_TASK_BACKUP].ended[CMK_JOB_FAILED] > 0) {
        meaning = "less than without the faults: failed backups store nothing";
    } else if (net < -NET_SHOWN_NANOS) {
        meaning = "less than the same run without the faults and their remedies";
    } else if (net > NET_SHOWN_NANOS) {
        meaning = "more than the same run without the faults and their remedies";
    }
    g_string_append_printf(out, "  net      %14s   %s\n", net_text, meaning);
}

/* ---- expectations and footing ---------------------------------------------------------------- */

static void print_claims(const CmkResult *result, GString *out)
{
    if (result->claims->len == 0) {
        return;
    }
    g_string_append(out, "\nExpectations\n");
    for (guint i = 0; i < result->claims->len; i++) {
        const CmkClaim *claim = &g_array_index(result->claims, CmkClaim, i);
        const char *word = cmk_verdict_word(claim->verdict);
        g_autofree char *loud = g_ascii_strup(word, -1); /* to be found in a long list */
        g_string_append_printf(out, "  %-9s %s\n",
                               claim->verdict == CMK_VERDICT_VIOLATED ? loud : word, claim->text);
        if (claim->verdict == CMK_VERDICT_HELD) {
            continue;
        }
        if (claim->violated_at >= 0) {
            g_autofree char *when = moment(result, claim->violated_at);
            g_string_append_printf(out, "            first at %s", when);
            g_string_append_printf(out, "%s%s\n", claim->detail == NULL ? "" : ": ",
                                   claim->detail == NULL ? "" : claim->detail);
        } else if (claim->detail != NULL) {
            g_string_append_printf(out, "            %s\n", claim->detail);
        }
    }
}

/* "2 wraps, " */
static void print_count(uint64_t count, const char *what, const char *then, GString *out)
{
    g_string_append_printf(out, "%" PRIu64 " %s%s%s", count, what, plural(count, "", "s"), then);
}

static void print_footing(const CmkResult *result, GString *out)
{
    const CmkEnvelopeCounters *crypto = &result->crypto;
    if (strcmp(result->crypto_mode, "off") == 0) {
        g_string_append(out, "\nCryptography: off, nothing was computed.\n");
    } else {
        g_string_append_printf(out, "\nCryptography: %s; really computed: ", result->crypto_mode);
        print_count(crypto->wraps, "wrap", ", ", out);
        print_count(crypto->unwraps, "unwrap", ", ", out);
        print_count(crypto->encryptions, "encryption", ", ", out);
        print_count(crypto->decryptions, "decryption", ".\n", out);
    }
    g_string_append_printf(out, "Digest %s", result->digest);
    if (result->crypto_digest != NULL) {
        g_string_append_printf(out, ", of the ciphertext %s", result->crypto_digest);
    }
    g_string_append_printf(out, "\nRepeat: %s\n", result->repeat);
    if (result->db_path != NULL) {
        g_string_append_printf(out, "Database: %s\n", result->db_path);
    }
    g_autoptr(GPtrArray) assumed = cmk_story_assumptions(result->story);
    g_string_append_printf(out, "\nThis is a model. What it says here rests on %u assumed %s:\n",
                           assumed->len, plural(assumed->len, "rule", "rules"));
    for (guint i = 0; i < assumed->len; i++) {
        const CmkRule *rule = g_ptr_array_index(assumed, i);
        g_string_append_printf(out, "  %-8s %s\n", rule->id, rule->text);
    }
}

#define KNOBS_OF_A_LINE 3

/* What is assumed in numbers, which `settings` of a scenario can change. */
static void print_knobs(const CmkResult *result, GString *out)
{
    const CmkKnob *all = result->story->model->knobs;
    g_autoptr(GPtrArray) knobs = cmk_story_assumed_knobs(result->story);
    if (knobs->len == 0) {
        return;
    }
    g_string_append_printf(out, "and on %u %s whose value is assumed (`cmksim explain NAME`):",
                           knobs->len, plural(knobs->len, "knob", "knobs"));
    for (guint i = 0; i < knobs->len; i++) {
        const CmkKnob *knob = g_ptr_array_index(knobs, i);
        g_autofree char *value = cmk_knob_text(knob, result->scenario->knobs[knob - all]);
        g_string_append_printf(out, "%s%s: %s", i % KNOBS_OF_A_LINE == 0 ? "\n  " : ", ",
                               knob->name, value);
    }
    g_string_append_c(out, '\n');
}

void cmk_result_print(const CmkResult *result, GString *out)
{
    print_head(result, out);
    print_plan(result, out);
    print_turns(result, out);
    print_jobs(result, out);
    print_failures(result, true, out);
    print_failures(result, false, out);
    print_end(result, out);
    print_cost(result, out);
    print_claims(result, out);
    print_footing(result, out);
    print_knobs(result, out);
}
