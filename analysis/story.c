#include "analysis/story.h"

#include <string.h>

#include "models/error_map.h"

CmkStory *cmk_story_new(const CmkScenario *scenario, const CmkModel *model)
{
    CmkStory *story = g_new0(CmkStory, 1);
    story->scenario = scenario;
    story->model = model;
    story->consequences = cmk_consequences_new(scenario);
    cmk_consequences_bind(story->consequences, model);
    story->failures = g_array_new(FALSE, TRUE, sizeof(CmkFailure));
    story->turns = g_array_new(FALSE, TRUE, sizeof(CmkTurn));
    story->states = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    return story;
}

void cmk_story_free(CmkStory *story)
{
    if (story == NULL) {
        return;
    }
    cmk_consequences_free(story->consequences);
    g_array_unref(story->failures);
    g_array_unref(story->turns);
    g_array_unref(story->states);
    g_free(story);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

/* The first repair of the guard that applies in the world as it is. */
static const char *repair_of(const CmkModel *model, const CmkWorld *world, const CmkRecord *refusal)
{
    const CmkGuard *guard = model->guards[refusal->guard];
    for (uint32_t i = 0; i < CMK_REPAIRS_MAX && guard->repairs[i].op != CMK_OP_NONE; i++) {
        CmkArgs args = {.op = guard->repairs[i].op};
        if (guard->repairs[i].bind(world, &refusal->args, &args)) {
            return guard->repairs[i].text;
        }
    }
    return NULL;
}

static CmkFailure *failure_like(CmkStory *story, const CmkFailure *wanted)
{
    for (guint i = 0; i < story->failures->len; i++) {
        CmkFailure *failure = &g_array_index(story->failures, CmkFailure, i);
        if (failure->kind == wanted->kind && failure->status == wanted->status &&
            failure->guard == wanted->guard && failure->blamed == wanted->blamed &&
            failure->key_vault == wanted->key_vault &&
            failure->managed_hsm == wanted->managed_hsm) {
            return failure;
        }
    }
    /* There are few ways to fail; key vaults of a fleet are told apart up to this many groups. */
    g_array_append_val(story->failures, *wanted);
    return &g_array_index(story->failures, CmkFailure, story->failures->len - 1);
}

static void count_share(CmkFailure *failure, uint32_t backup_vault, uint32_t instance)
{
    for (uint32_t i = 0; i < CMK_FAILURE_SHARES_MAX; i++) {
        CmkFailureShare *share = &failure->shares[i];
        if (share->count == 0) {
            *share = (CmkFailureShare){.backup_vault = backup_vault, .instance = instance};
        }
        if (share->backup_vault == backup_vault && share->instance == instance) {
            share->count++;
            return;
        }
    }
}

static void on_failed_job(CmkStory *story, const CmkWorld *world, const CmkRecord *record,
                          const CmkMeaning *meaning)
{
    const CmkTask *task = cmk_task(world, (CmkTaskId){record->args.ref[CMK_REF_TASK]});
    const bool is_known = story->last_refusal.seq == (uint64_t)record->args.num[1];
    CmkFailure wanted = {.kind = (CmkTaskKind)task->kind,
                         .status = (CmkStatus)record->args.num[0],
                         .blamed = meaning->blamed,
                         .is_seen = cmk_task_facts((CmkTaskKind)task->kind)->is_seen,
                         .first = record->time,
                         .last = record->time};
    if (is_known) {
        wanted.guard = story->last_refusal.guard;
        wanted.key_vault = story->last_refusal.args.ref[CMK_REF_KEY_VAULT];
        wanted.managed_hsm = story->last_refusal.args.ref[CMK_REF_MANAGED_HSM];
        wanted.refusal = story->last_refusal;
        wanted.repair = repair_of(story->model, world, &wanted.refusal);
    }
    CmkFailure *failure = failure_like(story, &wanted);
    failure->last_repair = wanted.repair;
    failure->count++;
    count_share(failure, task->backup_vault, cmk_queue(world, (CmkQueueId){task->queue})->instance);
    failure->last = record->time;
}

uint32_t cmk_job_counts_done(const CmkJobCounts *counts)
{
    return counts->ended[CMK_JOB_COMPLETED] + counts->ended[CMK_JOB_COMPLETED_WITH_WARNINGS];
}

static void on_ended_job(CmkStory *story, const CmkWorld *world, const CmkRecord *record,
                         const CmkMeaning *meaning)
{
    const CmkTask *task = cmk_task(world, (CmkTaskId){cmk_job_ended(record)});
    const CmkJobOutcome outcome = cmk_job_outcome(task);
    story->jobs[task->kind].ended[outcome]++;
    if (outcome == CMK_JOB_FAILED) {
        on_failed_job(story, world, record, meaning);
    }
}

/* ---- turns ----------------------------------------------------------------------------------- */

static void add_turn(CmkStory *story, CmkTurn turn)
{
    story->turn_count++;
    if (story->turns->len < CMK_TURNS_MAX) {
        g_array_append_val(story->turns, turn);
    }
}

static void look_at_vault(CmkStory *story, const CmkWorld *world, uint32_t row, CmkTime time)
{
    if (row >= story->states->len) {
        g_array_set_size(story->states, cmk_world_count(world, CMK_TABLE_BACKUP_VAULT) + 1);
    }
    uint32_t *state = &g_array_index(story->states, uint32_t, row);
    const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){row});
    if (*state == vault->encryption) {
        return;
    }
    const CmkTurn turn = {.time = time,
                          .row = row,
                          .from = (CmkEncryption)*state,
                          .to = (CmkEncryption)vault->encryption};
    *state = vault->encryption;
    if (!cmk_is_open(world) || vault->state == CMK_BACKUP_VAULT_ABSENT) {
        return; /* how the world was set up is not part of the story; settings of a vault that is
                 * deleted do not change but go with it */
    }
    story->settings_changes++;
    add_turn(story, turn);
}

static void look_at_vaults(CmkStory *story, const CmkWorld *world, const CmkRecord *record)
{
    if ((story->model->operations[record->args.op]->writes & CMK_BIT(BACKUP_VAULT)) == 0) {
        return;
    }
    if (record->args.op == CMK_OP_IDENTITY_DELETE) { /* the one that reaches several vaults */
        const uint32_t count = cmk_world_count(world, CMK_TABLE_BACKUP_VAULT);
        for (uint32_t i = 1; i <= count; i++) {
            look_at_vault(story, world, i, record->time);
        }
    } else if (record->args.ref[CMK_REF_BACKUP_VAULT] != 0) {
        look_at_vault(story, world, record->args.ref[CMK_REF_BACKUP_VAULT], record->time);
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

static void on_success(CmkStory *story, const CmkWorld *world, const CmkRecord *record,
                       const CmkMeaning *meaning)
{
    CmkTurn turn = {.time = record->time, .op = record->args.op, .row = record->result};
    if (cmk_job_ended(record) != 0) {
        on_ended_job(story, world, record, meaning);
    }
    switch (record->args.op) {
    case CMK_OP_TASK_RETRY:
        story->retries++;
        break;
    case CMK_OP_ROTATION_COMMIT:
    case CMK_OP_KEY_PURGE:
    case CMK_OP_REGION_BEGIN_FAILOVER:
    case CMK_OP_REGION_COMPLETE_FAILOVER:
    case CMK_OP_REGION_COMPLETE_FAILBACK:
        add_turn(story, turn);
        break;
    default:
        break;
    }
}

static void read_record(void *self, const CmkWorld *world, const CmkRecord *record)
{
    CmkStory *story = self;
    story->records++;
    const CmkMeaning meaning = cmk_consequences_read(story->consequences, world, record);
    if (record->status == CMK_STATUS_OK) {
        look_at_vaults(story, world, record);
    }
    if (!cmk_is_open(world)) {
        return;
    }
    if (record->status != CMK_STATUS_OK) {
        story->has_refused[record->guard] = true;
        story->not_started[record->guard] += record->args.op == CMK_OP_BACKUP_START;
        story->not_configured[record->guard] += record->args.op == CMK_OP_INSTANCE_CONFIGURE;
        story->last_refusal = *record;
        return;
    }
    story->has_applied[record->args.op] = true;
    on_success(story, world, record, &meaning);
}

CmkReader cmk_story_reader(CmkStory *story)
{
    return (CmkReader){.read = read_record, .self = story};
}

uint32_t cmk_story_failed(const CmkStory *story, bool is_seen)
{
    uint32_t count = 0;
    for (guint i = 0; i < story->failures->len; i++) {
        const CmkFailure *failure = &g_array_index(story->failures, CmkFailure, i);
        count += failure->is_seen == is_seen ? failure->count : 0;
    }
    return count;
}

/* ---- assumptions ----------------------------------------------------------------------------- */

/* Adds each ID of a list separated by blanks to the set. */
static void add_rules(GHashTable *set, const char *rules)
{
    const char *at = rules;
    while (at != NULL && *at != '\0') {
        const size_t length = strcspn(at, " ");
        const CmkRule *rule = cmk_rule_find(at, length);
        if (rule != NULL) {
            g_hash_table_add(set, (gpointer)(uintptr_t)rule);
        }
        at += length + strspn(at + length, " ");
    }
}

static bool cites_any(GHashTable *set, const char *rules)
{
    const char *at = rules;
    while (*at != '\0') {
        const size_t length = strcspn(at, " ");
        const CmkRule *rule = cmk_rule_find(at, length);
        if (rule != NULL && g_hash_table_contains(set, rule)) {
            return true;
        }
        at += length + strspn(at + length, " ");
    }
    return false;
}

static gint compare_rules(gconstpointer a, gconstpointer b)
{
    const CmkRule *const *left = a;
    const CmkRule *const *right = b;
    return strcmp((*left)->id, (*right)->id);
}

static bool is_assumed(const char *provenance)
{
    return strcmp(provenance, "assumed") == 0;
}

/* A guard that held decides nothing that people notice, unless a switch says whether it may fail.
 */
static void add_guard_that_held(GHashTable *set, const CmkStory *story, CmkGuardId guard)
{
    const char *rules = story->model->guards[guard]->rule;
    g_autoptr(GHashTable) own = g_hash_table_new(NULL, NULL);
    add_rules(own, rules);
    for (uint32_t i = 0; i < story->model->knob_count; i++) {
        const CmkKnob *knob = &story->model->knobs[i];
        if (strcmp(knob->type, "boolean") == 0 && cites_any(own, knob->rule)) {
            add_rules(set, rules);
        }
    }
}

static void add_operation(GHashTable *set, const CmkStory *story, uint32_t op)
{
    const CmkOperation *operation = story->model->operations[op];
    add_rules(set, operation->rules);
    for (uint32_t i = 0; i < CMK_GUARDS_MAX && operation->guards[i] != CMK_GUARD_NONE; i++) {
        add_guard_that_held(set, story, operation->guards[i]);
    }
}

/* Rules that what happened rests on, those of knobs aside. */
static GHashTable *rules_hit(const CmkStory *story)
{
    GHashTable *hit = g_hash_table_new(NULL, NULL);
    for (uint32_t i = 1; i < story->model->operation_count; i++) {
        if (story->has_applied[i]) {
            add_operation(hit, story, i);
        }
    }
    for (uint32_t i = 1; i < story->model->guard_count; i++) {
        if (story->has_refused[i]) {
            add_rules(hit, story->model->guards[i]->rule);
        }
    }
    for (guint i = 0; i < story->failures->len; i++) {
        const CmkFailure *failure = &g_array_index(story->failures, CmkFailure, i);
        const CmkErrorRow *row = cmk_error_find(failure->guard);
        add_rules(hit, story->model->statuses[failure->status].rule);
        add_rules(hit, cmk_task_facts(failure->kind)->rule);
        add_rules(hit, row == NULL ? NULL : row->rule);
    }
    return hit;
}

/* A knob bears on a run if it decides something that came up, or if the scenario gives it another
 * value than the usual one: then it was meant to. */
static bool bears(const CmkStory *story, GHashTable *hit, uint32_t knob)
{
    const CmkKnob *row = &story->model->knobs[knob];
    return cites_any(hit, row->rule) || story->scenario->knobs[knob] != row->values[0];
}

GPtrArray *cmk_story_assumed_knobs(const CmkStory *story)
{
    g_autoptr(GHashTable) hit = rules_hit(story);
    GPtrArray *assumed = g_ptr_array_new();
    for (uint32_t i = 0; i < story->model->knob_count; i++) {
        const CmkKnob *knob = &story->model->knobs[i];
        if (is_assumed(knob->provenance) && bears(story, hit, i)) {
            g_ptr_array_add(assumed, (gpointer)(uintptr_t)knob);
        }
    }
    return assumed;
}

GPtrArray *cmk_story_assumptions(const CmkStory *story)
{
    g_autoptr(GHashTable) hit = rules_hit(story);
    g_autoptr(GHashTable) all = rules_hit(story); /* a rule of a knob brings no other knob in */
    for (uint32_t i = 0; i < story->model->knob_count; i++) {
        if (bears(story, hit, i)) {
            add_rules(all, story->model->knobs[i].rule);
        }
    }
    GPtrArray *assumed = g_ptr_array_new();
    GHashTableIter iter;
    gpointer key = NULL;
    g_hash_table_iter_init(&iter, all);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const CmkRule *rule = key;
        if (is_assumed(rule->provenance)) {
            g_ptr_array_add(assumed, key);
        }
    }
    g_ptr_array_sort(assumed, compare_rules);
    return assumed;
}
