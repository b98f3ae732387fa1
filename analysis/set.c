#include "analysis/set.h"

#include <string.h>

#include "analysis/field.h"

#define PPM INT64_C(1000000)

enum {
    JOB_OPERATION,
    JOB_STATUS,
    JOB_DATASTORE,
    JOB_VAULT,
    JOB_INSTANCE,
    JOB_SEEN,
    JOB_CODE,
    JOB_FAULT,
    JOB__COUNT
};
enum {
    POINT_OVERDUE,
    POINT_LOST,
    POINT_TIER,
    POINT_VAULT,
    POINT_INSTANCE,
    POINT_RESTORABLE,
    POINT__COUNT
};
enum {
    VAULT_ENCRYPTION,
    VAULT_REGION,
    VAULT_REDUNDANCY,
    VAULT__COUNT
};
enum {
    REQUEST_OPERATION,
    REQUEST_STATUS,
    REQUEST_CODE,
    REQUEST_KEY_VAULT,
    REQUEST_MANAGED_HSM,
    REQUEST_VAULT,
    REQUEST__COUNT
};

_Static_assert((int)JOB__COUNT <= CMK_SET_FILTERS_MAX, "the facts of a job fit");
_Static_assert((int)POINT__COUNT <= CMK_SET_FILTERS_MAX, "the facts of a point fit");

const char *const cmk_words_measure[] = {"count", "share", "bytes", "first", "last", NULL};
static const char *const words_operation[] = {"backup",    "restore",  "tiering",
                                              "expiry",    "settings", "rotation",
                                              "on_demand", "deletion", NULL};
static const char *const words_status[] = {"completed", "completed_with_warnings", "failed",
                                           "cancelled", NULL};
static const char *const words_seen[] = {"nobody", "portal", NULL};
static const char *const words_request[] = {"key.get", "key.wrap", "key.unwrap", NULL};
static const char *const words_answer[] = {"ok", "refused", NULL};

_Static_assert(CMK_ARRAY_LEN(words_operation) == CMK_TASK__COUNT + 1, "each kind has a word");
_Static_assert(CMK_ARRAY_LEN(words_status) == CMK_JOB_OUTCOME__COUNT + 1, "each has a word");
_Static_assert(CMK_ARRAY_LEN(cmk_words_measure) == CMK_MEASURE__COUNT + 1, "each has a word");

#define OF(word_list)                                                                              \
    {                                                                                              \
        .kind = CMK_VALUE_WORD, .words = (word_list)                                               \
    }
#define NAME_OF(kind_text)                                                                         \
    {                                                                                              \
        .kind = CMK_VALUE_NAME, .names = (kind_text)                                               \
    }
#define BOOLEAN                                                                                    \
    {                                                                                              \
        .kind = CMK_VALUE_BOOLEAN                                                                  \
    }
#define CODES                                                                                      \
    {                                                                                              \
        .kind = CMK_VALUE_CODES                                                                    \
    }

static const CmkFilterRow job_filters[] = {
    [JOB_OPERATION] = {"operation", OF(words_operation), false, "what it was to do"},
    [JOB_STATUS] = {"status", OF(words_status), false, "how it ended"},
    [JOB_DATASTORE] = {"datastore", OF(cmk_words_tier), false, "the store it worked on"},
    [JOB_VAULT] = {"vault", NAME_OF("backup_vault"), false, "the Backup vault"},
    [JOB_INSTANCE] = {"instance", NAME_OF("instance"), false, "the backup instance"},
    [JOB_SEEN] = {"seen", OF(words_seen), false, "where a person can see how it ended"},
    [JOB_CODE] = {"code", CODES, false, "the error code of a failed job"},
    [JOB_FAULT] = {"fault", NAME_OF("fault"), false, "the fault that made it fail"},
};

static const CmkFilterRow point_filters[] = {
    [POINT_OVERDUE] = {"overdue", BOOLEAN, false, "kept past its expiry or move to the archive"},
    [POINT_LOST] = {"lost", BOOLEAN, false, "its last key is purged: nobody will ever read it"},
    [POINT_TIER] = {"tier", OF(cmk_words_tier), false, "where it is kept"},
    [POINT_VAULT] = {"vault", NAME_OF("backup_vault"), false, "the Backup vault"},
    [POINT_INSTANCE] = {"instance", NAME_OF("instance"), false, "the backup instance"},
    [POINT_RESTORABLE] = {"restorable", BOOLEAN, true, "a restore would be let through now"},
};

static const CmkFilterRow vault_filters[] = {
    [VAULT_ENCRYPTION] = {"encryption", OF(cmk_words_encryption), false, "state of the settings"},
    [VAULT_REGION] = {"region", NAME_OF("region"), false, "where it is"},
    [VAULT_REDUNDANCY] = {"redundancy", OF(cmk_words_redundancy), false, "how often data is kept"},
};

static const CmkFilterRow request_filters[] = {
    [REQUEST_OPERATION] = {"operation", OF(words_request), false, "what was asked for"},
    [REQUEST_STATUS] = {"status", OF(words_answer), false, "the answer"},
    [REQUEST_CODE] = {"code", CODES, false, "the code of the answer"},
    [REQUEST_KEY_VAULT] = {"key_vault", NAME_OF("key_vault"), false, "who was asked"},
    [REQUEST_MANAGED_HSM] = {"managed_hsm", NAME_OF("managed_hsm"), false, "or which Managed HSM"},
    [REQUEST_VAULT] = {"vault", NAME_OF("backup_vault"), false, "the Backup vault that asked"},
};

#define MEASURE(id) (UINT32_C(1) << CMK_MEASURE_##id)
#define COUNT_AND_SHARE (MEASURE(COUNT) | MEASURE(SHARE))
#define MOMENTS (MEASURE(FIRST) | MEASURE(LAST))

static const CmkSetRow rows[CMK_SET__COUNT] = {
    [CMK_SET_JOBS] = {"jobs", job_filters, CMK_ARRAY_LEN(job_filters),
                      COUNT_AND_SHARE | MOMENTS | MEASURE(BYTES),
                      "jobs that have ended since the start; bytes: of the recovery points that "
                      "were made or restored"},
    [CMK_SET_POINTS] = {"points", point_filters, CMK_ARRAY_LEN(point_filters),
                        COUNT_AND_SHARE | MEASURE(BYTES), "recovery points that there are"},
    [CMK_SET_VAULTS] = {"vaults", vault_filters, CMK_ARRAY_LEN(vault_filters), COUNT_AND_SHARE,
                        "Backup vaults that there are"},
    [CMK_SET_REQUESTS] = {"requests", request_filters, CMK_ARRAY_LEN(request_filters),
                          COUNT_AND_SHARE | MOMENTS, "requests on keys since the start"},
};

typedef struct Set {
    CmkSetKind kind;
    uint32_t filter_count;
    CmkFilter filters[CMK_SET_FILTERS_MAX];
    bool has_bytes;
    bool is_final_only;
    int64_t count;
    int64_t bytes;
    CmkTime first;
    CmkTime last;
    /* Points and vaults: which rows are in, and with how many bytes they were counted. */
    uint8_t *is_in;
    int64_t *bytes_of;
    uint32_t capacity;
} Set;

struct CmkSets {
    GPtrArray *sets; /* of Set */
    const CmkModel *model;
    uint32_t kinds; /* bit per kind of which there is a set */
};

void cmk_status_set_add(CmkStatusSet *set, CmkStatus status)
{
    CMK_ASSERT(status < CMK_STATUS__COUNT);
    set->bits[status / 64] |= UINT64_C(1) << status % 64;
}

bool cmk_status_set_has(const CmkStatusSet *set, CmkStatus status)
{
    CMK_ASSERT(status < CMK_STATUS__COUNT);
    return (set->bits[status / 64] >> status % 64 & 1) != 0;
}

bool cmk_status_set_is_empty(const CmkStatusSet *set)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(set->bits); i++) {
        if (set->bits[i] != 0)
            return false;
    }
    return true;
}

const CmkSetRow *cmk_set_rows(void)
{
    return rows;
}

static void set_free(gpointer data)
{
    Set *set = data;
    g_free(set->is_in);
    g_free(set->bytes_of);
    g_free(set);
}

CmkSets *cmk_sets_new(void)
{
    CmkSets *sets = g_new0(CmkSets, 1);
    sets->sets = g_ptr_array_new_with_free_func(set_free);
    return sets;
}

void cmk_sets_free(CmkSets *sets)
{
    if (sets == NULL)
        return;
    g_ptr_array_unref(sets->sets);
    g_free(sets);
}

static Set *set_at(const CmkSets *sets, uint32_t index)
{
    CMK_ASSERT(index < sets->sets->len);
    return g_ptr_array_index(sets->sets, index);
}

static bool is_same(const Set *set, CmkSetKind kind, const CmkFilter *filters, uint32_t count)
{
    if (set->kind != kind || set->filter_count != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const CmkFilter *kept = &set->filters[i];
        if (kept->index != filters[i].index || kept->value != filters[i].value ||
            memcmp(&kept->codes, &filters[i].codes, sizeof(kept->codes)) != 0)
            return false;
    }
    return true;
}

uint32_t cmk_sets_add(CmkSets *sets, CmkSetKind kind, const CmkFilter *filters, uint32_t count)
{
    CMK_ASSERT(kind < CMK_SET__COUNT);
    CMK_ASSERT(count <= rows[kind].filter_count);
    for (guint i = 0; i < sets->sets->len; i++) {
        if (is_same(set_at(sets, i), kind, filters, count))
            return i;
    }
    Set *set = g_new0(Set, 1);
    set->kind = kind;
    set->filter_count = count;
    set->first = CMK_VALUE_NONE;
    set->last = CMK_VALUE_NONE;
    for (uint32_t i = 0; i < count; i++) {
        CMK_ASSERT(filters[i].index < rows[kind].filter_count);
        CMK_ASSERT(i == 0 || filters[i].index > filters[i - 1].index);
        set->filters[i] = filters[i];
        set->is_final_only |= rows[kind].filters[filters[i].index].is_final_only;
    }
    g_ptr_array_add(sets->sets, set);
    sets->kinds |= UINT32_C(1) << kind;
    return sets->sets->len - 1;
}

CmkSetKind cmk_sets_kind(const CmkSets *sets, uint32_t set)
{
    return set_at(sets, set)->kind;
}

void cmk_sets_want_bytes(CmkSets *sets, uint32_t set)
{
    set_at(sets, set)->has_bytes = true;
}

/* A job that completed with warnings has completed. */
static bool has_fact(CmkSetKind kind, const CmkFilter *filter, int64_t fact)
{
    if (rows[kind].filters[filter->index].type.kind == CMK_VALUE_CODES)
        return cmk_status_set_has(&filter->codes, (CmkStatus)fact);
    if (kind == CMK_SET_JOBS && filter->index == JOB_STATUS && filter->value == CMK_JOB_COMPLETED)
        return cmk_job_is_done((CmkJobOutcome)fact);
    return fact == filter->value;
}

static bool matches(const Set *set, const int64_t facts[CMK_SET_FILTERS_MAX])
{
    for (uint32_t i = 0; i < set->filter_count; i++) {
        const CmkFilter *filter = &set->filters[i];
        if (!has_fact(set->kind, filter, facts[filter->index]))
            return false;
    }
    return true;
}

/* ---- jobs and requests: only ever more ------------------------------------------------------- */

/* Counts a new member in all sets of its kind; whether there was one that has it. */
static bool count_member(CmkSets *sets, CmkSetKind kind, const int64_t *facts, int64_t bytes,
                         CmkTime time)
{
    bool is_counted = false;
    for (guint i = 0; i < sets->sets->len; i++) {
        Set *set = set_at(sets, i);
        if (set->kind != kind || !matches(set, facts))
            continue;
        is_counted = true;
        set->count++;
        set->bytes += bytes;
        set->last = time;
        if (set->first == CMK_VALUE_NONE)
            set->first = time;
    }
    return is_counted;
}

uint32_t cmk_job_ended(const CmkRecord *record)
{
    if (record->status != CMK_STATUS_OK)
        return 0;
    switch (record->args.op) {
    case CMK_OP_BACKUP_COMMIT:
    case CMK_OP_RESTORE_COMMIT:
    case CMK_OP_TASK_FINISH:
    case CMK_OP_BACKUP_VAULT_VANISH:
    case CMK_OP_TASK_FAIL:
    case CMK_OP_ENCRYPTION_COMMIT:
    case CMK_OP_ROTATION_COMMIT:
        return record->args.ref[CMK_REF_TASK];
    default:
        return 0;
    }
}

CmkJobOutcome cmk_job_outcome(const CmkTask *task)
{
    switch ((CmkTaskState)task->state) {
    case CMK_TASK_COMPLETED:
        return CMK_JOB_COMPLETED;
    case CMK_TASK_COMPLETED_WITH_WARNINGS:
        return CMK_JOB_COMPLETED_WITH_WARNINGS;
    case CMK_TASK_FAILED:
        return task->status == CMK_STATUS_OF(JOB_CANCELLED) ? CMK_JOB_CANCELLED : CMK_JOB_FAILED;
    case CMK_TASK_RUNNING:
        break;
    }
    CMK_ASSERT(false);
    return CMK_JOB_FAILED;
}

bool cmk_job_is_done(CmkJobOutcome outcome)
{
    return outcome == CMK_JOB_COMPLETED || outcome == CMK_JOB_COMPLETED_WITH_WARNINGS;
}

static int64_t tier_of(const char *datastore)
{
    for (int64_t i = 0; cmk_words_tier[i] != NULL; i++) {
        if (strcmp(cmk_words_tier[i], datastore) == 0)
            return i;
    }
    return -1;
}

static int64_t bytes_of_job(const CmkWorld *world, const CmkRecord *record)
{
    uint32_t point = 0;
    if (record->args.op == CMK_OP_BACKUP_COMMIT)
        point = record->result;
    else if (record->args.op == CMK_OP_RESTORE_COMMIT)
        point = record->args.ref[CMK_REF_POINT];
    return point == 0 ? 0 : cmk_point(world, (CmkPointId){point})->bytes;
}

static uint32_t instance_of_task(const CmkWorld *world, const CmkTask *task)
{
    uint32_t queue = task->queue;
    if (queue == 0 && task->point != 0)
        queue = cmk_point(world, (CmkPointId){task->point})->queue;
    return queue == 0 ? 0 : cmk_queue(world, (CmkQueueId){queue})->instance;
}

static bool count_job(CmkSets *sets, const CmkWorld *world, const CmkRecord *record, uint32_t row,
                      uint32_t cause)
{
    const CmkTask *task = cmk_task(world, (CmkTaskId){row});
    const CmkJobOutcome outcome = cmk_job_outcome(task);
    const int64_t facts[CMK_SET_FILTERS_MAX] = {
        [JOB_OPERATION] = task->kind,
        [JOB_STATUS] = outcome,
        [JOB_DATASTORE] = tier_of(cmk_task_datastore(world, task)),
        [JOB_VAULT] = task->backup_vault,
        [JOB_INSTANCE] = instance_of_task(world, task),
        [JOB_SEEN] = cmk_task_facts((CmkTaskKind)task->kind)->is_seen,
        [JOB_CODE] = (int64_t)task->status,
        [JOB_FAULT] = cause,
    };
    return count_member(sets, CMK_SET_JOBS, facts, bytes_of_job(world, record), record->time);
}

static bool count_request(CmkSets *sets, const CmkRecord *record, int64_t operation)
{
    const int64_t facts[CMK_SET_FILTERS_MAX] = {
        [REQUEST_OPERATION] = operation,
        [REQUEST_STATUS] = record->status != CMK_STATUS_OK,
        [REQUEST_CODE] = record->status,
        [REQUEST_KEY_VAULT] = record->args.ref[CMK_REF_KEY_VAULT],
        [REQUEST_MANAGED_HSM] = record->args.ref[CMK_REF_MANAGED_HSM],
        [REQUEST_VAULT] = record->args.ref[CMK_REF_BACKUP_VAULT],
    };
    return count_member(sets, CMK_SET_REQUESTS, facts, 0, record->time);
}

static int64_t request_of(CmkOpId op)
{
    switch (op) {
    case CMK_OP_KEY_GET:
        return 0;
    case CMK_OP_KEY_WRAP:
        return 1;
    case CMK_OP_KEY_UNWRAP:
        return 2;
    default:
        return -1;
    }
}

/* ---- points and vaults: rows that come and go ------------------------------------------------ */

static void make_room(Set *set, uint32_t row)
{
    if (row < set->capacity)
        return;
    const uint32_t capacity = MAX(row + 1, set->capacity * 2 + 64);
    set->is_in = g_realloc(set->is_in, capacity);
    memset(set->is_in + set->capacity, 0, capacity - set->capacity);
    if (set->has_bytes) {
        set->bytes_of = g_renew(int64_t, set->bytes_of, capacity);
        memset(set->bytes_of + set->capacity, 0,
               (capacity - set->capacity) * sizeof(set->bytes_of[0]));
    }
    set->capacity = capacity;
}

/* Whether the set changed. */
static bool put_row(Set *set, uint32_t row, bool is_in, int64_t bytes)
{
    make_room(set, row);
    const bool was_in = set->is_in[row] != 0;
    bool is_changed = was_in != is_in;
    set->count += (int64_t)is_in - (int64_t)was_in;
    set->is_in[row] = is_in;
    if (set->has_bytes) {
        const int64_t counted = is_in ? bytes : 0;
        is_changed = is_changed || counted != set->bytes_of[row];
        set->bytes += counted - set->bytes_of[row];
        set->bytes_of[row] = counted;
    }
    return is_changed;
}

static bool put_point(CmkSets *sets, const CmkWorld *world, uint32_t row, bool is_final)
{
    const CmkPointId id = {row};
    const CmkPoint *point = cmk_point(world, id);
    int64_t facts[CMK_SET_FILTERS_MAX] = {0};
    bool is_changed = false;
    if (point->is_live != 0) {
        CmkGuardId guard = CMK_GUARD_NONE;
        facts[POINT_OVERDUE] = cmk_point_is_overdue(world, id);
        facts[POINT_LOST] = cmk_point_is_lost(world, id);
        facts[POINT_TIER] = point->tier;
        facts[POINT_INSTANCE] = cmk_queue(world, (CmkQueueId){point->queue})->instance;
        facts[POINT_VAULT] = cmk_point_vault(world, id).i;
        if (is_final)
            facts[POINT_RESTORABLE] =
                cmk_point_restorable(sets->model, world, id, &guard) == CMK_STATUS_OK;
    }
    for (guint i = 0; i < sets->sets->len; i++) {
        Set *set = set_at(sets, i);
        if (set->kind != CMK_SET_POINTS || set->is_final_only != is_final)
            continue;
        const bool is_in = point->is_live != 0 && matches(set, facts);
        is_changed |= put_row(set, row, is_in, point->bytes);
    }
    return is_changed;
}

static bool put_vault(CmkSets *sets, const CmkWorld *world, uint32_t row)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){row});
    const int64_t facts[CMK_SET_FILTERS_MAX] = {[VAULT_ENCRYPTION] = vault->encryption,
                                                [VAULT_REGION] = vault->region,
                                                [VAULT_REDUNDANCY] = vault->redundancy};
    bool is_changed = false;
    for (guint i = 0; i < sets->sets->len; i++) {
        Set *set = set_at(sets, i);
        if (set->kind != CMK_SET_VAULTS)
            continue;
        const bool is_in = vault->state == CMK_BACKUP_VAULT_ACTIVE && matches(set, facts);
        is_changed |= put_row(set, row, is_in, 0);
    }
    return is_changed;
}

static bool put_all_points(CmkSets *sets, const CmkWorld *world, bool is_final)
{
    bool is_changed = false;
    const uint32_t count = cmk_world_count(world, CMK_TABLE_POINT);
    for (uint32_t row = 1; row <= count; row++)
        is_changed |= put_point(sets, world, row, is_final);
    return is_changed;
}

static bool put_all_vaults(CmkSets *sets, const CmkWorld *world)
{
    bool is_changed = false;
    const uint32_t count = cmk_world_count(world, CMK_TABLE_BACKUP_VAULT);
    for (uint32_t row = 1; row <= count; row++)
        is_changed |= put_vault(sets, world, row);
    return is_changed;
}

static bool put_points_of_queue(CmkSets *sets, const CmkWorld *world, uint32_t queue)
{
    bool is_changed = false;
    uint32_t point = cmk_queue(world, (CmkQueueId){queue})->first_point;
    for (; point != 0; point = cmk_point(world, (CmkPointId){point})->next)
        is_changed |= put_point(sets, world, point, false);
    return is_changed;
}

static bool put_points_of_vault(CmkSets *sets, const CmkWorld *world, uint32_t vault)
{
    bool is_changed = false;
    uint32_t instance = cmk_backup_vault(world, (CmkBackupVaultId){vault})->first_instance;
    for (; instance != 0;
         instance = cmk_instance(world, (CmkInstanceId){instance})->next_of_vault) {
        uint32_t queue = cmk_instance(world, (CmkInstanceId){instance})->first_queue;
        for (; queue != 0; queue = cmk_queue(world, (CmkQueueId){queue})->next_of_instance)
            is_changed |= put_points_of_queue(sets, world, queue);
    }
    return is_changed;
}

/* The vaults whose data key is wrapped by a version of this key. */
static bool put_points_of_key(CmkSets *sets, const CmkWorld *world, uint32_t key)
{
    bool is_changed = false;
    const uint32_t count = cmk_world_count(world, CMK_TABLE_BACKUP_VAULT);
    for (uint32_t row = 1; row <= count; row++) {
        const uint32_t version = cmk_backup_vault(world, (CmkBackupVaultId){row})->active_version;
        if (version != 0 && cmk_version(world, (CmkVersionId){version})->key == key)
            is_changed |= put_points_of_vault(sets, world, row);
    }
    return is_changed;
}

/* Of a key vault or Managed HSM. */
static bool put_points_of_keys(CmkSets *sets, const CmkWorld *world, uint32_t first_key)
{
    bool is_changed = false;
    uint32_t row = first_key;
    while (row != 0) {
        is_changed |= put_points_of_key(sets, world, row);
        row = cmk_key(world, (CmkKeyId){row})->next_of_key_vault;
    }
    return is_changed;
}

/* What only backups of HSMs could open may be anywhere. */
static bool put_points_of_all(CmkSets *sets, const CmkWorld *world)
{
    bool is_changed = false;
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_BACKUP_VAULT); i++)
        is_changed |= put_points_of_vault(sets, world, i);
    return is_changed;
}

/* Points that may have become lost, or found, since the keys of their vaults changed (OQ-29). */
static bool read_keys(CmkSets *sets, const CmkWorld *world, const CmkRecord *record)
{
    switch (record->args.op) {
    case CMK_OP_KEY_PURGE:
        return put_points_of_key(sets, world, record->args.ref[CMK_REF_KEY]);
    case CMK_OP_KEY_VAULT_PURGE:
        return put_points_of_keys(sets, world,
                                  cmk_key_vault(world, (CmkKeyVaultId){record->result})->first_key);
    case CMK_OP_MANAGED_HSM_PURGE:
        return put_points_of_keys(
            sets, world, cmk_managed_hsm(world, (CmkManagedHsmId){record->result})->first_key);
    case CMK_OP_MANAGED_HSM_LOSE_DOMAIN_KEYS:
        return put_points_of_all(sets, world);
    case CMK_OP_ENCRYPTION_COMMIT:
    case CMK_OP_ROTATION_COMMIT:
        return put_points_of_vault(sets, world, record->args.ref[CMK_REF_BACKUP_VAULT]);
    default:
        return false;
    }
}

static bool read_points(CmkSets *sets, const CmkWorld *world, const CmkRecord *record,
                        uint64_t writes)
{
    bool is_changed = read_keys(sets, world, record);
    if ((writes & CMK_BIT(POINT)) == 0)
        return is_changed;
    const uint32_t named = record->args.ref[CMK_REF_POINT];
    if (named != 0)
        is_changed |= put_point(sets, world, named, false);
    /* The result may be a row of another table: then the look at the point of that number is in
     * vain. */
    if (record->result != 0 && record->result != named &&
        record->result <= cmk_world_count(world, CMK_TABLE_POINT))
        is_changed |= put_point(sets, world, record->result, false);
    return is_changed;
}

static bool read_vaults(CmkSets *sets, const CmkWorld *world, const CmkRecord *record,
                        uint64_t writes)
{
    const uint32_t named = record->args.ref[CMK_REF_BACKUP_VAULT];
    if ((writes & CMK_BIT(BACKUP_VAULT)) == 0)
        return false;
    /* What names no vault may have changed any: the end of an identity that many use. */
    return named == 0 ? put_all_vaults(sets, world) : put_vault(sets, world, named);
}

/* ---- all together ---------------------------------------------------------------------------- */

static bool has_kind(const CmkSets *sets, CmkSetKind kind)
{
    return (sets->kinds >> kind & 1) != 0;
}

void cmk_sets_bind(CmkSets *sets, const CmkModel *model, const CmkWorld *world)
{
    CMK_ASSERT(model != NULL);
    sets->model = model;
    if (has_kind(sets, CMK_SET_POINTS))
        (void)put_all_points(sets, world, false);
    if (has_kind(sets, CMK_SET_VAULTS))
        (void)put_all_vaults(sets, world);
}

uint32_t cmk_sets_read(CmkSets *sets, const CmkWorld *world, const CmkRecord *record,
                       uint32_t cause)
{
    CMK_ASSERT(sets->model != NULL);
    const CmkOperation *operation = sets->model->operations[record->args.op];
    const bool is_done = record->status == CMK_STATUS_OK;
    const int64_t request = request_of(record->args.op);
    const uint32_t task = has_kind(sets, CMK_SET_JOBS) ? cmk_job_ended(record) : 0;
    uint32_t changed = 0;
    if (task != 0 && count_job(sets, world, record, task, cause))
        changed |= UINT32_C(1) << CMK_SET_JOBS;
    if (request >= 0 && has_kind(sets, CMK_SET_REQUESTS) && count_request(sets, record, request))
        changed |= UINT32_C(1) << CMK_SET_REQUESTS;
    if (is_done && has_kind(sets, CMK_SET_POINTS) &&
        read_points(sets, world, record, operation->writes))
        changed |= UINT32_C(1) << CMK_SET_POINTS;
    if (is_done && has_kind(sets, CMK_SET_VAULTS) &&
        read_vaults(sets, world, record, operation->writes))
        changed |= UINT32_C(1) << CMK_SET_VAULTS;
    return changed;
}

void cmk_sets_finish(CmkSets *sets, const CmkWorld *world)
{
    for (guint i = 0; i < sets->sets->len; i++) {
        if (set_at(sets, i)->is_final_only) {
            (void)put_all_points(sets, world, true);
            return;
        }
    }
}

static int64_t share_of(int64_t count, int64_t all)
{
    if (count == 0)
        return 0;
    if (count == all)
        return PPM;
    CMK_ASSERT(count < all);
    CMK_ASSERT(count <= INT64_MAX / PPM);
    const int64_t ppm = count * PPM / all;
    return CLAMP(ppm, 1, PPM - 1);
}

int64_t cmk_sets_value(const CmkSets *sets, uint32_t set_index, uint32_t all, CmkMeasure measure)
{
    const Set *set = set_at(sets, set_index);
    switch (measure) {
    case CMK_MEASURE_COUNT:
        return set->count;
    case CMK_MEASURE_SHARE:
        return share_of(set->count, set_at(sets, all)->count);
    case CMK_MEASURE_BYTES:
        return set->bytes;
    case CMK_MEASURE_FIRST:
        return set->first;
    case CMK_MEASURE_LAST:
        return set->last;
    case CMK_MEASURE__COUNT:
        break;
    }
    CMK_ASSERT(false);
    return 0;
}
