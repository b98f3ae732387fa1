#include "analysis/consequence.h"

#include <string.h>

#include "analysis/set.h"

/* What a touched vault waits for. */
enum {
    WAITS_FOR_SETTINGS = 1,
    WAITS_FOR_A_JOB = 2
};

typedef struct Item {
    CmkFate fate;
    GHashTable *touched; /* faults: row of the Backup vault -> what it waits for; NULL: none yet */
    uint32_t unrecovered;
    CmkTime recovered_at; /* the last time that a touched vault recovered */
} Item;

/* A record that came from the plan, or that was refused because of it. Ascending by seq. */
typedef struct Trace {
    uint64_t seq;
    uint32_t plan;
    uint32_t is_refused;
} Trace;

struct CmkConsequences {
    const CmkScenario *scenario;
    const CmkModel *model;
    Item *items; /* by index in the plan */
    uint32_t count;
    uint32_t unrecovered; /* of all faults together */
    GArray *traces;
};

CmkConsequences *cmk_consequences_new(const CmkScenario *scenario)
{
    CmkConsequences *self = g_new0(CmkConsequences, 1);
    self->scenario = scenario;
    self->count = scenario->plan->len;
    self->items = g_new0(Item, self->count + 1);
    self->traces = g_array_new(FALSE, FALSE, sizeof(Trace));
    return self;
}

void cmk_consequences_free(CmkConsequences *self)
{
    if (self == NULL)
        return;
    for (uint32_t i = 0; i < self->count; i++) {
        if (self->items[i].touched != NULL)
            g_hash_table_unref(self->items[i].touched);
    }
    g_array_unref(self->traces);
    g_free(self->items);
    g_free(self);
}

void cmk_consequences_bind(CmkConsequences *self, const CmkModel *model)
{
    CMK_ASSERT(model != NULL);
    self->model = model;
}

static const CmkPlanned *planned_at(const CmkConsequences *self, uint32_t plan)
{
    CMK_ASSERT(plan >= 1 && plan <= self->count);
    return &g_array_index(self->scenario->plan, CmkPlanned, plan - 1);
}

static Item *item_at(const CmkConsequences *self, uint32_t plan)
{
    CMK_ASSERT(plan >= 1 && plan <= self->count);
    return &self->items[plan - 1];
}

/* The fault that a planned thing is or ends; 0 for a step. */
static uint32_t fault_of(const CmkConsequences *self, uint32_t plan)
{
    if (plan == 0)
        return 0;
    const CmkPlanned *planned = planned_at(self, plan);
    if (planned->kind == CMK_PLAN_FAULT_END)
        return planned->of;
    return planned->kind == CMK_PLAN_FAULT ? plan : 0;
}

static const Trace *trace_of(const CmkConsequences *self, uint64_t seq)
{
    guint low = 0;
    guint high = self->traces->len;
    while (low < high) {
        const guint middle = low + (high - low) / 2;
        const Trace *trace = &g_array_index(self->traces, Trace, middle);
        if (trace->seq == seq)
            return trace;
        if (trace->seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void remember(CmkConsequences *self, uint64_t seq, uint32_t plan, bool is_refused)
{
    const Trace trace = {.seq = seq, .plan = plan, .is_refused = is_refused};
    g_array_append_val(self->traces, trace);
}

/* ---- vaults that a fault touched ------------------------------------------------------------- */

static void touch(CmkConsequences *self, uint32_t fault, uint32_t vault, uint32_t waits_for)
{
    Item *item = item_at(self, fault);
    if (item->touched == NULL)
        item->touched = g_hash_table_new(NULL, NULL);
    const guint before =
        GPOINTER_TO_UINT(g_hash_table_lookup(item->touched, GUINT_TO_POINTER(vault)));
    if (before == 0) {
        item->unrecovered++;
        self->unrecovered++;
    }
    g_hash_table_insert(item->touched, GUINT_TO_POINTER(vault),
                        GUINT_TO_POINTER(before | waits_for));
}

/* A vault no longer waits for what `done` says. */
static bool recover(CmkConsequences *self, uint32_t vault, uint32_t done, CmkTime time)
{
    bool is_changed = false;
    for (uint32_t i = 0; i < self->count && self->unrecovered > 0; i++) {
        Item *item = &self->items[i];
        if (item->unrecovered == 0)
            continue;
        const guint before =
            GPOINTER_TO_UINT(g_hash_table_lookup(item->touched, GUINT_TO_POINTER(vault)));
        const guint after = before & ~done;
        if (before == after)
            continue;
        g_hash_table_insert(item->touched, GUINT_TO_POINTER(vault), GUINT_TO_POINTER(after));
        if (after == 0) {
            item->unrecovered--;
            self->unrecovered--;
            item->recovered_at = time;
            is_changed = true;
        }
    }
    return is_changed;
}

/* The vaults whose settings this record changed. */
static bool touch_broken(CmkConsequences *self, const CmkWorld *world, const CmkRecord *record,
                         uint32_t fault)
{
    bool is_changed = false;
    const uint32_t count = cmk_world_count(world, CMK_TABLE_BACKUP_VAULT);
    for (uint32_t row = 1; row <= count; row++) {
        const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){row});
        if (vault->encryption_by != record->seq)
            continue;
        item_at(self, fault)->fate.has_met = true;
        is_changed = true;
        if (vault->encryption == CMK_ENCRYPTION_INCONSISTENT)
            touch(self, fault, row, WAITS_FOR_SETTINGS);
    }
    return is_changed;
}

/* ---- what was asked for ---------------------------------------------------------------------- */

/* Whether a planned thing still waits for its operation, or for one that succeeds: the end of a
 * fault gives back several roles one by one, of which somebody may have given back the first. */
static bool is_awaited(const CmkConsequences *self, uint32_t plan)
{
    const CmkFate *fate = &item_at(self, plan)->fate;
    return !fate->is_asked ||
           (planned_at(self, plan)->kind == CMK_PLAN_FAULT_END && fate->status != CMK_STATUS_OK);
}

/* The planned thing whose own operation this is; 0 if it is a later consequence. */
static uint32_t plan_of(const CmkConsequences *self, const CmkRecord *record)
{
    const uint32_t plan = record->args.origin;
    if (record->args.actor != CMK_ACTOR_STEP && record->args.actor != CMK_ACTOR_FAULT)
        return 0;
    if (plan == 0 || plan > self->count)
        return 0;
    if (is_awaited(self, plan) && planned_at(self, plan)->op == record->args.op)
        return plan;
    /* The end of a fault may bear the fault itself as its origin. */
    for (uint32_t i = plan + 1; i <= self->count; i++) {
        const CmkPlanned *end = planned_at(self, i);
        if (end->kind == CMK_PLAN_FAULT_END && end->of == plan && end->op == record->args.op &&
            is_awaited(self, i))
            return i;
    }
    return 0;
}

static void end_fault(CmkConsequences *self, uint32_t fault)
{
    if (fault != 0)
        item_at(self, fault)->fate.is_active = false;
}

static bool finish_item(CmkConsequences *self, uint32_t plan, const CmkRecord *record,
                        CmkStatus status)
{
    const CmkPlanned *planned = planned_at(self, plan);
    CmkFate *fate = &item_at(self, plan)->fate;
    fate->is_ended = true;
    fate->status = status;
    fate->ended_at = record->time;
    fate->ended_seq = record->seq;
    switch (planned->kind) {
    case CMK_PLAN_STEP:
        if (status == CMK_STATUS_OK)
            end_fault(self, planned->remedies);
        return status == CMK_STATUS_OK && planned->remedies != 0;
    case CMK_PLAN_FAULT:
        return false;
    case CMK_PLAN_FAULT_END: /* refused: somebody was faster, or it cannot be done any more */
        end_fault(self, planned->of);
        return true;
    }
    return false;
}

static bool begin_item(CmkConsequences *self, const CmkWorld *world, uint32_t plan,
                       const CmkRecord *record)
{
    const CmkPlanned *planned = planned_at(self, plan);
    const uint64_t writes = self->model->operations[record->args.op]->writes;
    const bool is_done = record->status == CMK_STATUS_OK;
    CmkFate *fate = &item_at(self, plan)->fate;
    bool is_changed = false;
    fate->is_asked = true;
    fate->status = record->status;
    fate->asked_at = record->time;
    fate->asked_seq = record->seq;
    if (planned->kind != CMK_PLAN_FAULT)
        fate->has_met = true;
    if (is_done && planned->kind == CMK_PLAN_FAULT) {
        fate->is_active = true;
        is_changed = true;
    }
    if (is_done && fault_of(self, plan) != 0 && (writes & CMK_BIT(BACKUP_VAULT)) != 0)
        is_changed |= touch_broken(self, world, record, fault_of(self, plan));
    const bool has_started_job =
        is_done && (writes & CMK_BIT(TASK)) != 0 &&
        cmk_task(world, (CmkTaskId){record->result})->started_by == record->seq;
    if (!has_started_job)
        is_changed |= finish_item(self, plan, record, record->status);
    return is_changed;
}

/* The job that a planned thing started is over. */
static bool end_item(CmkConsequences *self, const CmkTask *task, const CmkRecord *record)
{
    const uint32_t plan = task->origin;
    if (plan == 0 || plan > self->count)
        return false;
    const CmkFate *fate = &item_at(self, plan)->fate;
    if (!fate->is_asked || fate->is_ended || fate->asked_seq != task->started_by)
        return false;
    const bool has_failed = record->args.op == CMK_OP_TASK_FAIL;
    return finish_item(self, plan, record,
                       has_failed ? (CmkStatus)record->args.num[0] : CMK_STATUS_OK);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A refused record: the fault whose doing it blames, or the step. */
static void read_refusal(CmkConsequences *self, const CmkRecord *record, CmkMeaning *meaning)
{
    const Trace *blamed = record->blame_seq == 0 ? NULL : trace_of(self, record->blame_seq);
    if (blamed == NULL)
        return;
    meaning->cause = fault_of(self, blamed->plan);
    meaning->blamed = meaning->cause != 0 ? meaning->cause : blamed->plan;
    if (meaning->cause != 0)
        item_at(self, meaning->cause)->fate.has_met = true;
    remember(self, record->seq, meaning->blamed, true);
}

static bool is_inconsistent(const CmkWorld *world, uint32_t vault)
{
    return cmk_backup_vault(world, (CmkBackupVaultId){vault})->encryption ==
           CMK_ENCRYPTION_INCONSISTENT;
}

static bool was_broken_by(const CmkWorld *world, uint32_t vault, const CmkRecord *record)
{
    return is_inconsistent(world, vault) &&
           cmk_backup_vault(world, (CmkBackupVaultId){vault})->encryption_by == record->seq;
}

static void read_job(CmkConsequences *self, const CmkWorld *world, const CmkRecord *record,
                     uint32_t row, CmkMeaning *meaning)
{
    const CmkTask *task = cmk_task(world, (CmkTaskId){row});
    meaning->is_changed |= end_item(self, task, record);
    if (record->args.op == CMK_OP_TASK_FAIL) {
        /* A job fails because of the request that was refused last. */
        const Trace *refusal = trace_of(self, record->args.cause_seq);
        if (refusal != NULL && refusal->is_refused != 0) {
            meaning->blamed = refusal->plan;
            meaning->cause = fault_of(self, refusal->plan);
        }
        if (meaning->cause != 0) {
            /* A passing trouble during an update leaves Inconsistent settings behind (BV-27). */
            const uint32_t waits = was_broken_by(world, task->backup_vault, record)
                                       ? WAITS_FOR_A_JOB | WAITS_FOR_SETTINGS
                                       : WAITS_FOR_A_JOB;
            touch(self, meaning->cause, task->backup_vault, waits);
            meaning->is_changed = true;
        }
    } else if (self->unrecovered > 0 &&
               strcmp(cmk_task_datastore(world, task), "operational") != 0) {
        meaning->is_changed |= recover(self, task->backup_vault, WAITS_FOR_A_JOB, record->time);
    }
}

CmkMeaning cmk_consequences_read(CmkConsequences *self, const CmkWorld *world,
                                 const CmkRecord *record)
{
    CMK_ASSERT(self->model != NULL);
    CmkMeaning meaning = {.asked = plan_of(self, record)};
    if (record->status != CMK_STATUS_OK)
        read_refusal(self, record, &meaning);
    else if (record->args.origin != 0 && record->args.origin <= self->count)
        remember(self, record->seq, meaning.asked != 0 ? meaning.asked : record->args.origin,
                 false);
    if (meaning.asked != 0)
        meaning.is_changed |= begin_item(self, world, meaning.asked, record);
    const uint32_t task = cmk_job_ended(record);
    if (task != 0)
        read_job(self, world, record, task, &meaning);
    const uint32_t vault = record->args.ref[CMK_REF_BACKUP_VAULT];
    if (self->unrecovered > 0 && vault != 0 && record->status == CMK_STATUS_OK &&
        (self->model->operations[record->args.op]->writes & CMK_BIT(BACKUP_VAULT)) != 0 &&
        !is_inconsistent(world, vault))
        meaning.is_changed |= recover(self, vault, WAITS_FOR_SETTINGS, record->time);
    return meaning;
}

/* ---- asking ---------------------------------------------------------------------------------- */

const CmkFate *cmk_consequences_fate(const CmkConsequences *self, uint32_t plan)
{
    return &item_at(self, plan)->fate;
}

int64_t cmk_consequences_time_to_recover(const CmkConsequences *self, uint32_t fault)
{
    const Item *item = item_at(self, fault);
    if (item->touched == NULL || item->unrecovered > 0)
        return -1;
    return item->recovered_at - item->fate.asked_at;
}

uint32_t cmk_consequences_touched(const CmkConsequences *self, uint32_t fault,
                                  uint32_t *ret_unrecovered)
{
    const Item *item = item_at(self, fault);
    *ret_unrecovered = item->unrecovered;
    return item->touched == NULL ? 0 : g_hash_table_size(item->touched);
}
