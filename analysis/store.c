#include "analysis/store.h"

#include "analysis/set.h"
#include "analysis/store_fill.h"
#include "analysis/store_schema.h"
#include "analysis/store_writer.h"
#include "models/key_vault.h"
#include "models/managed_hsm.h"
#include "models/region.h"

#define NO_STATE UINT32_MAX
#define REQUEST_SLOTS_MIN 1024 /* a power of two */

GQuark cmk_store_error_quark(void)
{
    return g_quark_from_static_string("cmk_store_error");
}

/* What lasts: a state of something, or a fault. */
typedef struct Open {
    CmkTime from;
    uint64_t from_seq;
    uint32_t state; /* as in CmkStoreStateInterval; NO_STATE: not open */
    uint32_t reserved;
} Open;

typedef struct OpenList {
    Open *items; /* by row of the world; element 0 is unused */
    uint32_t count;
} OpenList;

/* Key requests of the current hour: entries in order of their first occurrence, and a table of
 * open addresses that finds them (index + 1, 0: free). */
typedef struct RequestCounts {
    CmkStoreRequestHour *entries;
    uint32_t *slots;
    uint32_t count;
    uint32_t slot_count;
    CmkTime hour;
} RequestCounts;

/* What is asked of one key vault in the current minute, and in the current window of it. */
typedef struct KeyVaultLoad {
    CmkTime window;
    int64_t asked; /* in that window: in units of CMK_WINDOW_WEIGHT */
    CmkStoreRequestMinute row;
} KeyVaultLoad;

typedef struct Loads {
    KeyVaultLoad *items; /* by row of the key vault; element 0 is unused */
    uint32_t count;
    CmkTime minute;
} Loads;

typedef struct JobCounts {
    CmkTime hour;
    uint32_t of_hour[CMK_TASK__COUNT][CMK_JOB_OUTCOME__COUNT];
    CmkStoreCounts counts;
} JobCounts;

struct CmkRunStore {
    CmkStoreWriter *writer;
    CmkStoreRun run;
    char *strings[4]; /* what `run` points to */
    bool has_begun;
    OpenList vaults;
    OpenList regions;
    OpenList key_vaults;
    OpenList managed_hsms;
    OpenList instances;
    OpenList faults;
    RequestCounts requests;
    Loads loads;
    JobCounts jobs;
    const CmkStoreResult *result; /* during cmk_store_finish() */
};

/* ---- states and faults ----------------------------------------------------------------------- */

static void open_list_reach(OpenList *list, uint32_t row)
{
    if (row < list->count) {
        return;
    }
    const uint32_t count = MAX(row + 1, MAX(64, list->count * 2));
    list->items = g_renew(Open, list->items, count);
    for (uint32_t i = list->count; i < count; i++) {
        list->items[i] = (Open){.state = NO_STATE};
    }
    list->count = count;
}

/* The states of one kind of entity. */
static OpenList *states_of(CmkRunStore *store, uint32_t kind)
{
    return kind == CMK_STORE_ENTITY_REGION        ? &store->regions
           : kind == CMK_STORE_ENTITY_KEY_VAULT   ? &store->key_vaults
           : kind == CMK_STORE_ENTITY_MANAGED_HSM ? &store->managed_hsms
           : kind == CMK_STORE_ENTITY_INSTANCE    ? &store->instances
                                                  : &store->vaults;
}

static void put_state(CmkRunStore *store, uint32_t kind, uint32_t entity, CmkTime to,
                      uint64_t to_seq)
{
    const Open *open = &states_of(store, kind)->items[entity];
    CmkStoreStateInterval *row =
        cmk_store_writer_row(store->writer, CMK_STORE_TABLE_STATE_INTERVAL);
    if (row != NULL) {
        *row = (CmkStoreStateInterval){.from = open->from,
                                       .to = to,
                                       .from_seq = open->from_seq,
                                       .to_seq = to_seq,
                                       .kind = kind,
                                       .entity = entity,
                                       .state = open->state};
    }
}

/* What still lasts when the run has ended. */
static void put_open_states(CmkRunStore *store, uint32_t kind)
{
    const OpenList *list = states_of(store, kind);
    for (uint32_t i = 1; i < list->count; i++) {
        if (list->items[i].state != NO_STATE) {
            put_state(store, kind, i, -1, 0);
        }
    }
}

static void look_at(CmkRunStore *store, const CmkRecord *record, uint32_t kind, uint32_t entity,
                    uint32_t state)
{
    OpenList *list = states_of(store, kind);
    open_list_reach(list, entity);
    Open *open = &list->items[entity];
    if (open->state == state) {
        return;
    }
    if (open->state != NO_STATE) {
        put_state(store, kind, entity, record->time, record->seq);
    }
    *open = (Open){.from = record->time, .from_seq = record->seq, .state = state};
}

static void look_at_vault(CmkRunStore *store, const CmkWorld *world, const CmkRecord *record,
                          uint32_t vault)
{
    const CmkBackupVault *row = cmk_backup_vault(world, (CmkBackupVaultId){vault});
    look_at(store, record, CMK_STORE_ENTITY_BACKUP_VAULT, vault,
            row->state == CMK_BACKUP_VAULT_ACTIVE ? row->encryption : NO_STATE);
}

static uint32_t service_of(const CmkWorld *world, const CmkKeyVault *vault)
{
    const CmkRegionId region = {vault->region};
    if (vault->state != CMK_KEY_VAULT_ACTIVE) {
        return NO_STATE;
    }
    if (!cmk_region_answers(world, region)) {
        return CMK_STORE_SERVICE_UNREACHABLE;
    }
    return cmk_region(world, region)->state == CMK_REGION_UP ? CMK_STORE_SERVICE_AVAILABLE
                                                             : CMK_STORE_SERVICE_READ_ONLY;
}

/* Nothing of an HSM is ever read-only; before it is activated it answers nothing. */
static void look_at_hsm(CmkRunStore *store, const CmkWorld *world, const CmkRecord *record,
                        uint32_t row)
{
    const CmkManagedHsmId id = {row};
    const bool is_there = cmk_managed_hsm(world, id)->state == CMK_MANAGED_HSM_ACTIVE;
    const uint32_t service = cmk_managed_hsm_answers(world, id) ? CMK_STORE_SERVICE_AVAILABLE
                                                                : CMK_STORE_SERVICE_UNREACHABLE;
    look_at(store, record, CMK_STORE_ENTITY_MANAGED_HSM, row, is_there ? service : NO_STATE);
}

/* A region has states from the first record on that names it: of what is made or happens there. */
static void follow_region(CmkRunStore *store, const CmkWorld *world, const CmkRecord *record)
{
    const uint32_t region = record->args.ref[CMK_REF_REGION];
    look_at(store, record, CMK_STORE_ENTITY_REGION, region,
            cmk_region(world, (CmkRegionId){region})->state);
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_KEY_VAULT); i++) {
        const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){i});
        if (vault->region == region) {
            look_at(store, record, CMK_STORE_ENTITY_KEY_VAULT, i, service_of(world, vault));
        }
    }
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_MANAGED_HSM); i++) {
        look_at_hsm(store, world, record, i);
    }
}

/* What a record changes about key vaults: of its region, or the one it names. */
static void follow_services(CmkRunStore *store, const CmkWorld *world, const CmkRecord *record)
{
    const uint64_t writes = store->run.model->operations[record->args.op]->writes;
    const uint32_t key_vault = record->args.ref[CMK_REF_KEY_VAULT];
    if ((writes & CMK_BIT(KEY_VAULT)) != 0 && key_vault != 0) {
        look_at(store, record, CMK_STORE_ENTITY_KEY_VAULT, key_vault,
                service_of(world, cmk_key_vault(world, (CmkKeyVaultId){key_vault})));
    }
    if ((writes & CMK_BIT(MANAGED_HSM)) != 0 && record->args.ref[CMK_REF_MANAGED_HSM] != 0) {
        look_at_hsm(store, world, record, record->args.ref[CMK_REF_MANAGED_HSM]);
    }
    if (record->args.ref[CMK_REF_REGION] != 0 &&
        (writes & (CMK_BIT(REGION) | CMK_BIT(KEY_VAULT) | CMK_BIT(BACKUP_VAULT))) != 0) {
        follow_region(store, world, record);
    }
}

static void look_at_all_vaults(CmkRunStore *store, const CmkWorld *world, const CmkRecord *record)
{
    const uint32_t count = cmk_world_count(world, CMK_TABLE_BACKUP_VAULT);
    for (uint32_t vault = 1; vault <= count; vault++) {
        look_at_vault(store, world, record, vault);
    }
}

/* An operation on one vault names it; others (an identity, a region) may touch any. */
static void follow_states(CmkRunStore *store, const CmkWorld *world, const CmkRecord *record)
{
    const uint32_t vault = record->args.ref[CMK_REF_BACKUP_VAULT];
    if (vault != 0) {
        look_at_vault(store, world, record, vault);
    } else {
        look_at_all_vaults(store, world, record);
    }
}

/* An instance has states from its first protection on; that it is purged is the last of them. */
static void follow_instance(CmkRunStore *store, const CmkWorld *world, const CmkRecord *record)
{
    const uint32_t row = record->args.ref[CMK_REF_INSTANCE];
    const uint32_t state = cmk_instance_shown(world, (CmkInstanceId){row});
    look_at(store, record, CMK_STORE_ENTITY_INSTANCE, row,
            state == CMK_INSTANCE_ABSENT ? NO_STATE : state);
}

static void put_fault(CmkRunStore *store, uint32_t plan, CmkTime to, uint64_t to_seq)
{
    const Open *open = &store->faults.items[plan];
    CmkStoreFaultWindow *row = cmk_store_writer_row(store->writer, CMK_STORE_TABLE_FAULT_WINDOW);
    if (row != NULL) {
        *row = (CmkStoreFaultWindow){.from = open->from,
                                     .to = to,
                                     .from_seq = open->from_seq,
                                     .to_seq = to_seq,
                                     .plan = plan};
    }
}

static void end_fault(CmkRunStore *store, uint32_t plan, const CmkRecord *record)
{
    if (plan != 0 && plan < store->faults.count && store->faults.items[plan].state != NO_STATE) {
        put_fault(store, plan, record->time, record->seq);
        store->faults.items[plan].state = NO_STATE;
    }
}

/* Records of planned things: the start of a fault, its own end, a step that remedies it. */
static void follow_faults(CmkRunStore *store, const CmkWorld *world, const CmkRecord *record)
{
    const CmkPlanRow *plan = cmk_plan(world, (CmkPlanId){record->args.origin});
    switch ((CmkPlanKind)plan->kind) {
    case CMK_PLAN_FAULT:
        open_list_reach(&store->faults, record->args.origin);
        Open *open = &store->faults.items[record->args.origin];
        if (open->state == NO_STATE && record->args.actor == CMK_ACTOR_FAULT) {
            *open = (Open){.from = record->time, .from_seq = record->seq, .state = 0};
        }
        return;
    case CMK_PLAN_FAULT_END:
        end_fault(store, plan->of, record);
        return;
    case CMK_PLAN_STEP:
        end_fault(store, plan->remedies, record);
        return;
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

static bool is_key_request(CmkOpId op)
{
    return op == CMK_OP_KEY_GET || op == CMK_OP_KEY_WRAP || op == CMK_OP_KEY_UNWRAP;
}

static uint32_t slot_of(const RequestCounts *requests, const CmkStoreRequestHour *entry)
{
    const uint64_t mixed =
        (((uint64_t)entry->key << 32) ^ ((uint64_t)entry->op << 16) ^ entry->status) *
        UINT64_C(0x9e3779b97f4a7c15);
    uint32_t slot = (uint32_t)(mixed >> 32) & (requests->slot_count - 1);
    while (requests->slots[slot] != 0) {
        const CmkStoreRequestHour *other = &requests->entries[requests->slots[slot] - 1];
        if (other->key == entry->key && other->op == entry->op && other->status == entry->status) {
            break;
        }
        slot = (slot + 1) & (requests->slot_count - 1);
    }
    return slot;
}

static void requests_grow(RequestCounts *requests)
{
    requests->slot_count = MAX(REQUEST_SLOTS_MIN, requests->slot_count * 2);
    g_free(requests->slots);
    requests->slots = g_new0(uint32_t, requests->slot_count);
    requests->entries = g_renew(CmkStoreRequestHour, requests->entries, requests->slot_count / 2);
    for (uint32_t i = 0; i < requests->count; i++) {
        requests->slots[slot_of(requests, &requests->entries[i])] = i + 1;
    }
}

static void put_requests(CmkRunStore *store)
{
    RequestCounts *requests = &store->requests;
    for (uint32_t i = requests->count; i > 0; i--) {
        /* Last in, first out: so no search ends early at a slot that was cleared. */
        requests->slots[slot_of(requests, &requests->entries[i - 1])] = 0;
    }
    for (uint32_t i = 0; i < requests->count; i++) {
        CmkStoreRequestHour *row =
            cmk_store_writer_row(store->writer, CMK_STORE_TABLE_REQUEST_HOUR);
        if (row != NULL) {
            *row = requests->entries[i];
        }
    }
    requests->count = 0;
}

static void count_request(CmkRunStore *store, const CmkWorld *world, const CmkRecord *record)
{
    RequestCounts *requests = &store->requests;
    const CmkTime hour = record->time - record->time % CMK_HOUR_US;
    if (hour != requests->hour) {
        put_requests(store);
        requests->hour = hour;
    }
    if (requests->count >= requests->slot_count / 2) {
        requests_grow(requests);
    }
    uint32_t key = record->args.ref[CMK_REF_KEY];
    if (key == 0) {
        key = cmk_version(world, (CmkVersionId){record->args.ref[CMK_REF_VERSION]})->key;
    }
    const CmkStoreRequestHour entry = {
        .hour = hour, .key = key, .op = record->args.op, .status = record->status};
    const uint32_t slot = slot_of(requests, &entry);
    if (requests->slots[slot] == 0) {
        requests->entries[requests->count++] = entry;
        requests->slots[slot] = requests->count;
    }
    requests->entries[requests->slots[slot] - 1].count++;
}

/* ---- loads of key vaults --------------------------------------------------------------------- */

/* The minute is over, or the run. */
static void put_loads(CmkRunStore *store)
{
    Loads *loads = &store->loads;
    for (uint32_t i = 1; i < loads->count; i++) {
        const CmkStoreRequestMinute *row = &loads->items[i].row;
        CmkStoreRequestMinute *cell =
            row->answered + row->throttled + row->refused == 0
                ? NULL
                : cmk_store_writer_row(store->writer, CMK_STORE_TABLE_REQUEST_MINUTE);
        if (cell != NULL) {
            *cell = *row;
        }
        loads->items[i] = (KeyVaultLoad){.row = {.key_vault = i}};
    }
}

static KeyVaultLoad *load_of(Loads *loads, uint32_t key_vault)
{
    if (key_vault >= loads->count) {
        const uint32_t count = MAX(key_vault + 1, MAX(16, loads->count * 2));
        loads->items = g_renew(KeyVaultLoad, loads->items, count);
        for (uint32_t i = loads->count; i < count; i++) {
            loads->items[i] = (KeyVaultLoad){.row = {.key_vault = i}};
        }
        loads->count = count;
    }
    return &loads->items[key_vault];
}

/* What a request asks for of its window counts whether it is answered or throttled, so that the
 * peak says by how much there was too much; what is turned away before asks for nothing. */
static void note_load(KeyVaultLoad *load, const CmkWorld *world, const CmkRecord *record)
{
    const CmkTime window = record->time - record->time % CMK_WINDOW_US;
    const CmkKeyVault *vault = cmk_key_vault_of(world, &record->args);
    load->asked = load->window == window ? load->asked : 0;
    load->window = window;
    load->asked += cmk_key_vault_request_weight(world, &record->args);
    const int64_t ppm = load->asked * CMK_SHARE_ALL / CMK_WINDOW_WEIGHT + vault->taken_ppm;
    load->row.peak_ppm = (uint32_t)MIN(MAX(ppm, load->row.peak_ppm), UINT32_MAX);
}

static void count_load(CmkRunStore *store, const CmkWorld *world, const CmkRecord *record)
{
    const CmkRequestFate fate = cmk_key_vault_request_fate(world, &record->args, record->guard);
    if (fate == CMK_REQUEST_NOT_SENT) {
        return;
    }
    const CmkTime minute = record->time - record->time % CMK_MINUTE_US;
    if (minute != store->loads.minute) {
        put_loads(store);
        store->loads.minute = minute;
    }
    KeyVaultLoad *load = load_of(&store->loads, record->args.ref[CMK_REF_KEY_VAULT]);
    load->row.minute = minute;
    load->row.answered += fate == CMK_REQUEST_ANSWERED;
    load->row.throttled += fate == CMK_REQUEST_THROTTLED;
    load->row.refused += fate == CMK_REQUEST_REFUSED || fate == CMK_REQUEST_TURNED_AWAY;
    if (fate != CMK_REQUEST_TURNED_AWAY) {
        note_load(load, world, record);
    }
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static const uint32_t status_of[CMK_JOB_OUTCOME__COUNT] = {
    [CMK_JOB_COMPLETED] = CMK_STORE_JOB_COMPLETED,
    [CMK_JOB_COMPLETED_WITH_WARNINGS] = CMK_STORE_JOB_COMPLETED_WITH_WARNINGS,
    [CMK_JOB_FAILED] = CMK_STORE_JOB_FAILED,
    [CMK_JOB_CANCELLED] = CMK_STORE_JOB_CANCELLED,
};

static void put_job_hours(CmkRunStore *store)
{
    for (uint32_t kind = 0; kind < CMK_TASK__COUNT; kind++) {
        for (uint32_t outcome = 0; outcome < CMK_JOB_OUTCOME__COUNT; outcome++) {
            const uint32_t count = store->jobs.of_hour[kind][outcome];
            CmkStoreJobHour *row =
                count == 0 ? NULL : cmk_store_writer_row(store->writer, CMK_STORE_TABLE_JOB_HOUR);
            if (row != NULL) {
                *row = (CmkStoreJobHour){.hour = store->jobs.hour,
                                         .kind = kind,
                                         .status = status_of[outcome],
                                         .is_seen = cmk_task_facts((CmkTaskKind)kind)->is_seen,
                                         .count = count};
            }
            store->jobs.of_hour[kind][outcome] = 0;
        }
    }
}

/* What ended before the start made the world as it is, and is not a job of this run. */
static void count_job(CmkRunStore *store, const CmkStoreJob *job, CmkJobOutcome outcome)
{
    if (job->ended < store->run.start) {
        return;
    }
    const CmkTime hour = job->ended - job->ended % CMK_HOUR_US;
    if (hour != store->jobs.hour) {
        put_job_hours(store);
        store->jobs.hour = hour;
    }
    const bool has_failed = outcome == CMK_JOB_FAILED;
    store->jobs.of_hour[job->kind][outcome]++;
    store->jobs.counts.jobs++;
    store->jobs.counts.failed += has_failed;
    store->jobs.counts.silent += has_failed && job->is_seen == 0;
}

static uint32_t datastore_of(const CmkWorld *world, const CmkTask *task)
{
    const char *name = cmk_task_datastore(world, task);
    return name[0] == '\0' ? 0 : cmk_store_code("datastore", name);
}

/* What a task tells about itself; `id` tells the job from others. */
static CmkStoreJob job_of(const CmkWorld *world, const CmkTask *task, uint64_t id)
{
    CmkStoreJob job = {.id = id,
                       .started = task->started,
                       .started_by = task->started_by,
                       .bytes = -1,
                       .kind = task->kind,
                       .status = CMK_STORE_JOB_IN_PROGRESS,
                       .backup_vault = task->backup_vault,
                       .datastore = datastore_of(world, task),
                       .point = task->point,
                       .restored_to = task->restored_to,
                       .origin = task->origin,
                       .retries = task->retries,
                       .is_seen = cmk_task_facts((CmkTaskKind)task->kind)->is_seen};
    if (task->queue != 0) {
        job.instance = cmk_queue(world, (CmkQueueId){task->queue})->instance;
        job.policy = cmk_instance(world, (CmkInstanceId){job.instance})->policy;
    }
    return job;
}

static void put_job(CmkRunStore *store, const CmkStoreJob *job)
{
    CmkStoreJob *cell = cmk_store_writer_row(store->writer, CMK_STORE_TABLE_JOB);
    if (cell != NULL) {
        *cell = *job;
    }
}

/* The task is over: its row still holds what it was. */
static void end_job(CmkRunStore *store, const CmkWorld *world, const CmkRecord *record,
                    CmkTaskId id)
{
    const CmkTask *task = cmk_task(world, id);
    const CmkJobOutcome outcome = cmk_job_outcome(task);
    CmkStoreJob job = job_of(world, task, record->seq);
    job.ended = record->time;
    job.status = status_of[outcome];
    if (!cmk_job_is_done(outcome)) {
        job.code = (uint32_t)task->status;
        job.refused_seq = (uint64_t)record->args.num[1];
    } else if (job.point != 0) {
        job.bytes = cmk_point(world, (CmkPointId){job.point})->bytes;
    }
    count_job(store, &job, outcome);
    put_job(store, &job);
}

static void put_jobs_under_way(CmkRunStore *store, const CmkWorld *world)
{
    const uint32_t tasks = cmk_world_count(world, CMK_TABLE_TASK);
    uint64_t id = cmk_world_next_seq(world);
    for (uint32_t row = 1; row <= tasks; row++) {
        const CmkTask *task = cmk_task(world, (CmkTaskId){row});
        if (task->state == CMK_TASK_RUNNING) {
            const CmkStoreJob job = job_of(world, task, id++);
            put_job(store, &job);
        }
    }
}

/* ---- the reader ------------------------------------------------------------------------------ */

static void keep_record(CmkRunStore *store, const CmkRecord *record)
{
    const bool is_of_request =
        is_key_request(record->args.op) || record->args.op == CMK_OP_BACKUP_ACCEPT_KEY;
    const bool is_routine =
        record->args.op == CMK_OP_TASK_WAIT || (record->status == CMK_STATUS_OK && is_of_request);
    if (is_routine && store->run.level == CMK_STORE_LEVEL_CHANGES) {
        return;
    }
    CmkRecord *row = cmk_store_writer_row(store->writer, CMK_STORE_TABLE_JOURNAL);
    if (row != NULL) {
        *row = *record;
    }
}

static void read_record(void *self, const CmkWorld *world, const CmkRecord *record)
{
    CmkRunStore *store = self;
    if (cmk_store_writer_has_failed(store->writer)) {
        return;
    }
    if (!store->has_begun) {
        store->has_begun = true;
        look_at_all_vaults(store, world, record);
    }
    keep_record(store, record);
    count_load(store, world, record);
    if (is_key_request(record->args.op)) {
        count_request(store, world, record);
        return;
    }
    if (record->status != CMK_STATUS_OK) {
        return;
    }
    const CmkTaskId task = {cmk_job_ended(record)};
    if (task.i != 0) {
        end_job(store, world, record, task);
    }
    const uint64_t writes = store->run.model->operations[record->args.op]->writes;
    if ((writes & CMK_BIT(BACKUP_VAULT)) != 0) {
        follow_states(store, world, record);
    }
    if ((writes & CMK_INSTANCE_SHOWN_BY) != 0 && record->args.ref[CMK_REF_INSTANCE] != 0) {
        follow_instance(store, world, record);
    }
    follow_services(store, world, record);
    if (record->args.origin != 0 &&
        (record->args.actor == CMK_ACTOR_FAULT || record->args.actor == CMK_ACTOR_STEP)) {
        follow_faults(store, world, record);
    }
}

CmkRunStore *cmk_store_open(const char *path, const CmkStoreRun *run)
{
    CmkRunStore *store = g_new0(CmkRunStore, 1);
    const char *strings[CMK_ARRAY_LEN(store->strings)] = {run->scenario_name, run->scenario_text,
                                                          run->version, run->crypto_mode};
    for (size_t i = 0; i < CMK_ARRAY_LEN(strings); i++) {
        store->strings[i] = g_strdup(strings[i]);
    }
    store->run = *run;
    store->run.scenario_name = store->strings[0];
    store->run.scenario_text = store->strings[1];
    store->run.version = store->strings[2];
    store->run.crypto_mode = store->strings[3];
    requests_grow(&store->requests);
    store->writer = cmk_store_writer_open(path);
    return store;
}

CmkReader cmk_store_reader(CmkRunStore *store)
{
    return (CmkReader){.read = read_record, .self = store};
}

bool cmk_store_has_failed(CmkRunStore *store)
{
    return cmk_store_writer_has_failed(store->writer);
}

static void store_free(CmkRunStore *store)
{
    g_free(store->requests.entries);
    g_free(store->requests.slots);
    g_free(store->loads.items);
    g_free(store->vaults.items);
    g_free(store->regions.items);
    g_free(store->key_vaults.items);
    g_free(store->managed_hsms.items);
    g_free(store->instances.items);
    g_free(store->faults.items);
    for (size_t i = 0; i < CMK_ARRAY_LEN(store->strings); i++) {
        g_free(store->strings[i]);
    }
    g_free(store);
}

void cmk_store_abandon(CmkRunStore *store)
{
    if (store != NULL) {
        cmk_store_writer_abort(store->writer);
        store_free(store);
    }
}

/* ---- the end ----------------------------------------------------------------------------------
 */

static int fill(void *self, sqlite3 *db)
{
    const CmkRunStore *store = self;
    return cmk_store_fill(db, &store->run, &store->jobs.counts, store->result);
}

bool cmk_store_finish(CmkRunStore *store, const CmkStoreResult *result, GError **error)
{
    put_open_states(store, CMK_STORE_ENTITY_REGION);
    put_open_states(store, CMK_STORE_ENTITY_KEY_VAULT);
    put_open_states(store, CMK_STORE_ENTITY_MANAGED_HSM);
    put_open_states(store, CMK_STORE_ENTITY_BACKUP_VAULT);
    put_open_states(store, CMK_STORE_ENTITY_INSTANCE);
    for (uint32_t plan = 1; plan < store->faults.count; plan++) {
        if (store->faults.items[plan].state != NO_STATE) {
            put_fault(store, plan, -1, 0);
        }
    }
    put_requests(store);
    put_loads(store);
    put_job_hours(store);
    if (result->world != NULL) {
        put_jobs_under_way(store, result->world);
    }
    store->result = result;
    const bool is_good = cmk_store_writer_close(store->writer, fill, store, error);
    store_free(store);
    return is_good;
}
