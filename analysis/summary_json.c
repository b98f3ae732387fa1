/* The result of a run as one JSON object. Keys are in the order of the alphabet; nothing of the
 * machine, the wall clock or the build is in it. */
#include <inttypes.h>

#include <json-glib/json-glib.h>

#include "analysis/catalogue.h"
#include "analysis/result.h"
#include "models/error_map.h"

static void set_string(JsonBuilder *builder, const char *key, const char *value)
{
    json_builder_set_member_name(builder, key);
    if (value == NULL) {
        json_builder_add_null_value(builder);
    } else {
        json_builder_add_string_value(builder, value);
    }
}

static void set_int(JsonBuilder *builder, const char *key, int64_t value)
{
    json_builder_set_member_name(builder, key);
    json_builder_add_int_value(builder, value);
}

static void set_time(JsonBuilder *builder, const char *key, CmkTime time)
{
    char text[CMK_TIME_TEXT_SIZE];
    cmk_time_format(time, text);
    set_string(builder, key, text);
}

static void begin(JsonBuilder *builder, const char *key)
{
    json_builder_set_member_name(builder, key);
    json_builder_begin_object(builder);
}

static gint compare_knobs(gconstpointer a, gconstpointer b)
{
    const CmkKnob *const *left = a;
    const CmkKnob *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static void add_assumptions(const CmkResult *result, JsonBuilder *builder)
{
    g_autoptr(GPtrArray) assumed = cmk_story_assumptions(result->story);
    json_builder_set_member_name(builder, "assumptions");
    json_builder_begin_array(builder);
    for (guint i = 0; i < assumed->len; i++) {
        json_builder_add_string_value(builder,
                                      ((const CmkRule *)g_ptr_array_index(assumed, i))->id);
    }
    json_builder_end_array(builder);
}

static void add_assumed_settings(const CmkResult *result, JsonBuilder *builder)
{
    const CmkKnob *all = result->story->model->knobs;
    g_autoptr(GPtrArray) knobs = cmk_story_assumed_knobs(result->story);
    g_ptr_array_sort(knobs, compare_knobs);
    begin(builder, "assumed_settings");
    for (guint i = 0; i < knobs->len; i++) {
        const CmkKnob *knob = g_ptr_array_index(knobs, i);
        g_autofree char *value = cmk_knob_text(knob, result->scenario->knobs[knob - all]);
        set_string(builder, knob->name, value);
    }
    json_builder_end_object(builder);
}

static void add_cost(const CmkResult *result, JsonBuilder *builder)
{
    begin(builder, "cost");
    set_string(builder, "currency", "USD");
    json_builder_set_member_name(builder, "net_nanos");
    if (result->has_baseline) {
        json_builder_add_int_value(builder, cmk_result_net_nanos(result));
    } else {
        json_builder_add_null_value(builder);
    }
    set_int(builder, "overdue_nanos", result->cost.overdue_nanos);
    set_int(builder, "total_nanos", result->cost.total_nanos);
    json_builder_end_object(builder);
}

static void add_crypto(const CmkResult *result, JsonBuilder *builder)
{
    begin(builder, "crypto");
    set_int(builder, "decryptions", (int64_t)result->crypto.decryptions);
    set_int(builder, "encryptions", (int64_t)result->crypto.encryptions);
    set_string(builder, "mode", result->crypto_mode);
    set_int(builder, "unwraps", (int64_t)result->crypto.unwraps);
    set_int(builder, "wraps", (int64_t)result->crypto.wraps);
    json_builder_end_object(builder);
}

static void add_claims(const CmkResult *result, JsonBuilder *builder)
{
    json_builder_set_member_name(builder, "expectations");
    json_builder_begin_array(builder);
    for (guint i = 0; i < result->claims->len; i++) {
        const CmkClaim *claim = &g_array_index(result->claims, CmkClaim, i);
        json_builder_begin_object(builder);
        set_string(builder, "detail", claim->detail);
        set_string(builder, "text", claim->text);
        set_string(builder, "verdict", cmk_verdict_word(claim->verdict));
        json_builder_set_member_name(builder, "violated_at");
        if (claim->violated_at >= 0) {
            char text[CMK_TIME_TEXT_SIZE];
            cmk_time_format(claim->violated_at, text);
            json_builder_add_string_value(builder, text);
        } else {
            json_builder_add_null_value(builder);
        }
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

/* As Backup would show it, with the key vault's answer inside (ERR-23). */
static void add_message(const CmkResult *result, const CmkFailure *failure, JsonBuilder *builder)
{
    char text[CMK_ERROR_MESSAGE_BYTES];
    (void)cmk_error_message(cmk_azure_model(), result->world, failure->status, &failure->refusal,
                            text, sizeof(text));
    set_string(builder, "message", text);
}

static void add_failure(const CmkResult *result, const CmkFailure *failure, JsonBuilder *builder)
{
    const CmkModel *model = result->story->model;
    const CmkGuard *guard = model->guards[failure->guard];
    json_builder_begin_object(builder);
    const CmkPlanned *blamed =
        failure->blamed == 0
            ? NULL
            : &g_array_index(result->scenario->plan, CmkPlanned, failure->blamed - 1);
    set_string(builder, "because_of",
               blamed == NULL       ? NULL
               : blamed->id == NULL ? blamed->what
                                    : blamed->id);
    set_string(builder, "code", model->statuses[failure->status].code);
    set_int(builder, "count", failure->count);
    set_time(builder, "first", failure->first);
    set_string(builder, "guard", guard == NULL ? NULL : guard->name);
    set_time(builder, "last", failure->last);
    add_message(result, failure, builder);
    set_string(builder, "operation", cmk_task_facts(failure->kind)->name);
    set_string(builder, "rules", guard == NULL ? NULL : guard->rule);
    set_string(builder, "seen", failure->is_seen ? "portal" : "nobody");
    json_builder_end_object(builder);
}

static void add_failures(const CmkResult *result, JsonBuilder *builder)
{
    json_builder_set_member_name(builder, "failures");
    json_builder_begin_array(builder);
    for (guint i = 0; i < result->story->failures->len; i++) {
        add_failure(result, &g_array_index(result->story->failures, CmkFailure, i), builder);
    }
    json_builder_end_array(builder);
}

static void add_jobs(const CmkResult *result, JsonBuilder *builder)
{
    /* In the order of the alphabet, as everything here. */
    static const CmkTaskKind kinds[] = {
        CMK_TASK_BACKUP,  CMK_TASK_DELETION, CMK_TASK_EXPIRY,   CMK_TASK_BACKUP_ON_DEMAND,
        CMK_TASK_RESTORE, CMK_TASK_ROTATION, CMK_TASK_SETTINGS, CMK_TASK_TIERING};
    begin(builder, "jobs");
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const CmkJobCounts *counts = &result->story->jobs[kinds[i]];
        begin(builder, cmk_task_facts(kinds[i])->name);
        set_int(builder, "cancelled", counts->ended[CMK_JOB_CANCELLED]);
        set_int(builder, "completed", cmk_job_counts_done(counts));
        set_int(builder, "completed_with_warnings", counts->ended[CMK_JOB_COMPLETED_WITH_WARNINGS]);
        set_int(builder, "failed", counts->ended[CMK_JOB_FAILED]);
        json_builder_end_object(builder);
    }
    json_builder_end_object(builder);
}

/* What never became a job, by what let it not begin. */
static void add_kept_from(const CmkResult *result, const char *name, const uint32_t *counts,
                          JsonBuilder *builder)
{
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
    for (uint32_t i = 1; i < CMK_GUARD__COUNT; i++) {
        const uint32_t count = counts[i];
        if (count > 0) {
            json_builder_begin_object(builder);
            set_int(builder, "count", count);
            set_string(builder, "guard", result->story->model->guards[i]->name);
            json_builder_end_object(builder);
        }
    }
    json_builder_end_array(builder);
}

static void add_points(const CmkResult *result, JsonBuilder *builder)
{
    begin(builder, "points");
    set_int(builder, "lost", result->restore_check.lost);
    set_int(builder, "mismatch", result->restore_check.mismatch);
    set_int(builder, "refused", result->restore_check.refused);
    set_int(builder, "restorable", result->restore_check.restored);
    json_builder_end_object(builder);
}

static void build(const CmkResult *result, JsonBuilder *builder)
{
    json_builder_begin_object(builder);
    add_assumed_settings(result, builder);
    add_assumptions(result, builder);
    add_cost(result, builder);
    add_crypto(result, builder);
    set_string(builder, "crypto_digest", result->crypto_digest);
    set_string(builder, "digest", result->digest);
    begin(builder, "exit");
    set_int(builder, "code", result->exit_code);
    set_string(builder, "reason", result->reason);
    json_builder_end_object(builder);
    add_claims(result, builder);
    add_failures(result, builder);
    add_jobs(result, builder);
    set_int(builder, "jobs_in_progress", cmk_tasks_running(result->world));
    add_kept_from(result, "not_configured", result->story->not_configured, builder);
    add_kept_from(result, "not_started", result->story->not_started, builder);
    set_int(builder, "orphaned_assignments", cmk_assignments_orphaned(result->world));
    add_points(result, builder);
    set_int(builder, "records", (int64_t)result->story->records);
    g_autofree char *seed = g_strdup_printf("%" PRIu64, result->seed);
    set_string(builder, "scenario", result->scenario->name);
    set_int(builder, "schema_version", 1);
    set_string(builder, "seed", seed); /* text, since it may need all 64 bits */
    set_string(builder, "verdict", cmk_verdict_word(result->verdict));
    json_builder_end_object(builder);
}

void cmk_result_print_json(const CmkResult *result, GString *out)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    build(result, builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autoptr(JsonGenerator) generator = json_generator_new();
    json_generator_set_root(generator, root);
    json_generator_set_pretty(generator, TRUE);
    g_autofree char *text = json_generator_to_data(generator, NULL);
    g_string_append(out, text);
    g_string_append_c(out, '\n');
}
