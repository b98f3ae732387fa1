#include "tests/unit/analysis/sample_run.h"

#include <unistd.h>

#include <glib/gstdio.h>

#define NAMES_BYTES 65536
#define VAULTS_MAX 64

static void *row_of(CmkWorld *world, uint32_t table, uint32_t row)
{
    return cmk_world_row_mut(world, table, row);
}

static void add_keys(CmkWorld *world)
{
    const CmkKeyVaultId vault = cmk_declare_key_vault(world, "kv-prod");
    const CmkKeyId key = cmk_declare_key(world, vault, "backup-kek");
    for (uint32_t number = 1; number <= 2; number++) {
        CmkVersion *version =
            row_of(world, CMK_TABLE_VERSION, cmk_world_row_add(world, CMK_TABLE_VERSION));
        version->key = key.i;
        version->number = number;
    }
    const CmkIdentityId identity = cmk_declare_identity(world, "id-backup");
    CmkPrincipal *principal =
        row_of(world, CMK_TABLE_PRINCIPAL, cmk_world_row_add(world, CMK_TABLE_PRINCIPAL));
    principal->identity = identity.i;
}

/* The identity, whose principal is gone, may use the key, and alice could once do everything. */
static void add_rights(CmkWorld *world)
{
    const CmkPersonId alice = cmk_declare_person(world, CMK_PERSON_USER, "alice");
    const CmkAssignment assignments[] = {
        {.principal = 1,
         .role = cmk_role_find("Key Vault Crypto Service Encryption User"),
         .key_vault = 1,
         .key = 1,
         .state = CMK_ASSIGNMENT_ACTIVE,
         .changed_by = 1},
        {.principal = cmk_person(world, alice)->principal,
         .role = cmk_role_find("Owner"),
         .scope = CMK_SCOPE_DEFAULT_RESOURCE_GROUP,
         .state = CMK_ASSIGNMENT_REMOVING,
         .changed_by = 2},
        {.principal = 1,
         .role = cmk_role_find("Key Vault Reader"),
         .key_vault = 1,
         .state = CMK_ASSIGNMENT_REMOVED,
         .changed_by = 3}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(assignments); i++) {
        CmkAssignment *row =
            row_of(world, CMK_TABLE_ASSIGNMENT, cmk_world_row_add(world, CMK_TABLE_ASSIGNMENT));
        *row = assignments[i];
    }
}

static void add_vault(CmkWorld *world, uint32_t number)
{
    g_autofree char *vault_name = g_strdup_printf("bv-%u", number);
    g_autofree char *instance_name = g_strdup_printf("db-%u", number);
    const CmkBackupVaultId vault = cmk_declare_backup_vault(world, vault_name);
    const CmkInstanceId instance = cmk_declare_instance(world, vault, instance_name);
    CmkQueue *queue = row_of(world, CMK_TABLE_QUEUE, cmk_world_row_add(world, CMK_TABLE_QUEUE));
    queue->instance = instance.i;
    queue->store = CMK_STORE_VAULT;
    CmkPoint *point = row_of(world, CMK_TABLE_POINT, cmk_world_row_add(world, CMK_TABLE_POINT));
    point->bytes = (int64_t)number << 30;
}

/* In the first vault the policy is there, in the others it is not any more; a vault that had the
 * name of the first before is listed as deleted. */
static void add_vault_policies(CmkWorld *world, uint32_t vaults)
{
    for (uint32_t i = 1; i <= vaults; i++) {
        const uint32_t row = cmk_world_row_add(world, CMK_TABLE_VAULT_POLICY);
        CmkBackupVault *vault = row_of(world, CMK_TABLE_BACKUP_VAULT, i);
        *(CmkVaultPolicy *)row_of(world, CMK_TABLE_VAULT_POLICY, row) =
            (CmkVaultPolicy){.backup_vault = i, .policy = 1, .is_there = i == 1, .changed_by = 4};
        vault->first_policy = row;
        if (i == 1) {
            vault->deleted_from = cmk_region_find("westeurope").i;
            vault->deleted_at = SAMPLE_START;
            vault->deleted_purge_at = SAMPLE_START + 14 * CMK_DAY_US;
            vault->deleted_by = 5;
        }
    }
}

static void add_plan(CmkWorld *world, const SampleStory *story)
{
    for (uint32_t i = 0; i < SAMPLE_FAULTS_MAX && story->faults[i].name != NULL; i++) {
        const SampleFault *fault = &story->faults[i];
        const CmkPlanRow begin = {.kind = CMK_PLAN_FAULT,
                                  .time = fault->begin,
                                  .args = {.op = CMK_OP_ROLE_REMOVE, .actor = CMK_ACTOR_FAULT}};
        const CmkPlanId id = cmk_declare_plan(world, &begin, fault->name);
        const CmkPlanRow remedy = {.kind = CMK_PLAN_STEP,
                                   .time = fault->end,
                                   .remedies = id.i,
                                   .args = {.op = CMK_OP_ROLE_ASSIGN, .actor = CMK_ACTOR_STEP}};
        g_autofree char *name = g_strdup_printf("mend-%u", i + 1);
        (void)cmk_declare_plan(world, &remedy, name);
    }
}

CmkWorld *sample_world(const SampleStory *story)
{
    CmkLimits limits = {.timers = 8};
    for (uint32_t table = 0; table < CMK_TABLE__COUNT; table++) {
        limits.rows[table] = 4 * VAULTS_MAX;
    }
    limits.rows[CMK_TABLE_NAME_BYTES] = NAMES_BYTES;
    const int64_t knobs[CMK_KNOB__COUNT] = {0};
    CmkWorld *world =
        cmk_azure_world_new(&limits, 7, SAMPLE_START - CMK_DAY_US, SAMPLE_START, knobs);
    CMK_ASSERT(world != NULL && story->vaults <= VAULTS_MAX);
    add_keys(world);
    add_rights(world);
    (void)cmk_declare_policy(world, &(CmkPolicy){.has_vault = 1}, "daily");
    for (uint32_t number = 1; number <= story->vaults; number++) {
        add_vault(world, number);
    }
    add_vault_policies(world, story->vaults);
    add_plan(world, story);
    return world;
}

SampleRun sample_begin(const SampleStory *story)
{
    const CmkStoreRun about = {.model = cmk_azure_model(),
                               .scenario_name = story->name,
                               .scenario_text = "cmksim: 1\nname: sample\n",
                               .version = "0.0.0-test",
                               .crypto_mode = "all",
                               .seed = UINT64_MAX,
                               .start = SAMPLE_START,
                               .horizon = SAMPLE_START + story->length,
                               .level = story->level};
    SampleRun run = {.world = sample_world(story), .store = cmk_store_open(story->path, &about)};
    run.reader = cmk_store_reader(run.store);
    run.task = cmk_world_row_add(run.world, CMK_TABLE_TASK);
    return run;
}

uint64_t sample_record(SampleRun *run, CmkTime time, CmkRecord record)
{
    if (time > cmk_world_now(run->world)) {
        cmk_world_set_now(run->world, time);
    }
    record.seq = cmk_world_next_seq(run->world);
    record.time = cmk_world_now(run->world);
    cmk_world_commit_record(run->world, &record, sizeof(record));
    run->reader.read(run->reader.self, run->world, &record);
    return record.seq;
}

static CmkOpId op_that_completes(CmkTaskKind kind)
{
    switch (kind) {
    case CMK_TASK_BACKUP:
    case CMK_TASK_BACKUP_ON_DEMAND:
        return CMK_OP_BACKUP_COMMIT;
    case CMK_TASK_RESTORE:
        return CMK_OP_RESTORE_COMMIT;
    case CMK_TASK_SETTINGS:
        return CMK_OP_ENCRYPTION_COMMIT;
    case CMK_TASK_ROTATION:
        return CMK_OP_ROTATION_COMMIT;
    case CMK_TASK_DELETION:
        return CMK_OP_BACKUP_VAULT_VANISH;
    case CMK_TASK_TIERING:
    case CMK_TASK_EXPIRY:
    case CMK_TASK__COUNT:
        return CMK_OP_TASK_FINISH;
    }
    return CMK_OP_TASK_FINISH;
}

uint64_t sample_job(SampleRun *run, CmkTaskKind kind, uint32_t vault, CmkTime started,
                    CmkTime ended, uint64_t refused_seq)
{
    CmkTask *task = row_of(run->world, CMK_TABLE_TASK, run->task);
    *task =
        (CmkTask){.kind = kind,
                  .state = refused_seq != 0 ? CMK_TASK_FAILED : CMK_TASK_COMPLETED,
                  .status = refused_seq != 0 ? CMK_STATUS_OF(MISSING_PERMISSION) : CMK_STATUS_OK,
                  .backup_vault = vault,
                  .queue = vault,
                  .started = started,
                  .started_by = 1};
    CmkRecord record = {.args = {.op = op_that_completes(kind)}};
    record.args.ref[CMK_REF_TASK] = run->task;
    record.args.ref[CMK_REF_BACKUP_VAULT] = vault;
    if (refused_seq != 0) {
        record.args.op = CMK_OP_TASK_FAIL;
        record.args.num[0] = CMK_STATUS_OF(MISSING_PERMISSION);
        record.args.num[1] = (int64_t)refused_seq;
    } else if (kind == CMK_TASK_BACKUP) {
        task->point = vault;
        record.result = vault;
    }
    return sample_record(run, ended, record);
}

bool sample_finish(SampleRun *run, GError **error)
{
    const CmkCostItem items[] = {
        {.meter = "vault_tier",
         .backup_vault = 1,
         .from = SAMPLE_START,
         .to = SAMPLE_START + CMK_DAY_US,
         .quantity = 1000,
         .unit = "MB-hours",
         .nanos = 5000},
        {.meter = "overdue_vault_tier",
         .backup_vault = 1,
         .is_overdue = true,
         .from = SAMPLE_START,
         .to = SAMPLE_START + CMK_DAY_US,
         .quantity = 200,
         .unit = "MB-hours",
         .nanos = 1000},
        {.meter = "key_operations",
         .key_vault = 1,
         .from = SAMPLE_START,
         .to = SAMPLE_START + CMK_DAY_US,
         .quantity = 3,
         .unit = "requests",
         .nanos = 30},
    };
    const CmkStoreExpectation expectations[] = {
        {.text = "never: points(lost = true).count > 0",
         .verdict = CMK_VERDICT_HELD,
         .violated_at = -1},
        {.text = "always: backup_vault.bv-1.encryption == Enabled",
         .verdict = CMK_VERDICT_VIOLATED,
         .violated_at = SAMPLE_START + CMK_HOUR_US,
         .detail = "it was Inconsistent"},
    };
    CmkPriceBook prices;
    cmk_price_book_init(&prices);
    const CmkStoreResult result = {.world = run->world,
                                   .verdict = CMK_VERDICT_VIOLATED,
                                   .reason = "one of two expectations does not hold",
                                   .digest = SAMPLE_DIGEST,
                                   .cost = {.total_nanos = 5030, .overdue_nanos = 1000},
                                   .has_baseline = true,
                                   .baseline_nanos = 5100,
                                   .prices = &prices,
                                   .cost_items = items,
                                   .cost_item_count = CMK_ARRAY_LEN(items),
                                   .expectations = expectations,
                                   .expectation_count = CMK_ARRAY_LEN(expectations)};
    const bool is_good = cmk_store_finish(run->store, &result, error);
    cmk_world_free(run->world);
    run->world = NULL;
    return is_good;
}

/* ---- a whole story --------------------------------------------------------------------------- */

static void set_encryption(SampleRun *run, uint32_t vault, CmkTime time, CmkEncryption encryption,
                           CmkOpId op)
{
    CmkBackupVault *row = row_of(run->world, CMK_TABLE_BACKUP_VAULT, vault);
    row->state = CMK_BACKUP_VAULT_ACTIVE;
    row->encryption = encryption;
    CmkRecord record = {.args = {.op = op, .actor = CMK_ACTOR_SETUP}};
    record.args.ref[CMK_REF_BACKUP_VAULT] = vault;
    record.args.ref[CMK_REF_REGION] = 1;
    (void)sample_record(run, time, record);
}

/* The only instance of a Backup vault has its number. */
static void protect(SampleRun *run, uint32_t vault)
{
    CmkInstance *row = row_of(run->world, CMK_TABLE_INSTANCE, vault);
    row->state = CMK_INSTANCE_PROTECTED;
    row->policy = 1;
    CmkRecord record = {.args = {.op = CMK_OP_INSTANCE_PROTECT, .actor = CMK_ACTOR_SETUP}};
    record.args.ref[CMK_REF_BACKUP_VAULT] = vault;
    record.args.ref[CMK_REF_INSTANCE] = vault;
    (void)sample_record(run, 0, record);
}

static void change_faults(SampleRun *run, const SampleStory *story, CmkTime from, CmkTime to)
{
    for (uint32_t i = 0; i < SAMPLE_FAULTS_MAX && story->faults[i].name != NULL; i++) {
        const SampleFault *fault = &story->faults[i];
        CmkRecord record = {.args = {.op = CMK_OP_ROLE_REMOVE, .actor = CMK_ACTOR_FAULT}};
        if (fault->begin >= from && fault->begin < to) {
            record.args.origin = 2 * i + 1;
            run->fault_seq[i] = sample_record(run, fault->begin, record);
            if (fault->vault != 0) {
                set_encryption(run, fault->vault, fault->begin, CMK_ENCRYPTION_INCONSISTENT,
                               CMK_OP_IDENTITY_DETACH);
            }
        }
        if (fault->end >= from && fault->end < to) {
            record.args.origin = 2 * i + 2;
            record.args.op = CMK_OP_ROLE_ASSIGN;
            record.args.actor = CMK_ACTOR_STEP;
            (void)sample_record(run, fault->end, record);
            if (fault->vault != 0) {
                set_encryption(run, fault->vault, fault->end, CMK_ENCRYPTION_ENABLED,
                               CMK_OP_ENCRYPTION_RESTORE);
            }
        }
    }
}

static bool is_faulty(const SampleStory *story, CmkTime time, uint32_t *ret_fault)
{
    for (uint32_t i = 0; i < SAMPLE_FAULTS_MAX && story->faults[i].name != NULL; i++) {
        const SampleFault *fault = &story->faults[i];
        if (time >= fault->begin && (fault->end < 0 || time < fault->end)) {
            *ret_fault = i;
            return true;
        }
    }
    return false;
}

/* A backup of each vault, and once a day an expiry job that nobody sees. */
static void run_jobs(SampleRun *run, const SampleStory *story, CmkTime now)
{
    for (uint32_t vault = 1; vault <= story->vaults; vault++) {
        uint32_t fault = 0;
        uint64_t refused_seq = 0;
        CmkRecord request = {.args = {.op = CMK_OP_KEY_UNWRAP}};
        request.args.ref[CMK_REF_KEY_VAULT] = 1;
        request.args.ref[CMK_REF_KEY] = 1;
        request.args.ref[CMK_REF_BACKUP_VAULT] = vault;
        if (is_faulty(story, now, &fault) && vault % 2 == 1) {
            request.status = CMK_STATUS_OF(FORBIDDEN_BY_RBAC);
            request.guard = CMK_GUARD_ROLE_LETS_UNWRAP;
            request.blame_seq = run->fault_seq[fault];
            refused_seq = sample_record(run, now, request);
        } else {
            (void)sample_record(run, now, request);
        }
        (void)sample_job(run, CMK_TASK_BACKUP, vault, now, now, refused_seq);
        if ((now - SAMPLE_START) % CMK_DAY_US < story->backup_every) {
            (void)sample_job(run, CMK_TASK_EXPIRY, vault, now, now, refused_seq);
        }
    }
}

bool sample_tell(const SampleStory *story, GError **error)
{
    SampleRun run = sample_begin(story);
    for (uint32_t vault = 1; vault <= story->vaults; vault++) {
        set_encryption(&run, vault, SAMPLE_START - CMK_DAY_US, CMK_ENCRYPTION_ENABLED,
                       CMK_OP_BACKUP_VAULT_CREATE);
        protect(&run, vault);
    }
    ((CmkSettings *)cmk_world_row_mut(run.world, CMK_TABLE_SETTINGS, 1))->opened_by = 1;
    const CmkTime end = SAMPLE_START + story->length;
    for (CmkTime now = SAMPLE_START; now < end; now += story->backup_every) {
        change_faults(&run, story, now, now + story->backup_every);
        run_jobs(&run, story, now);
    }
    cmk_world_set_now(run.world, end);
    return sample_finish(&run, error);
}

/* ---- files ----------------------------------------------------------------------------------- */

char *sample_directory(void)
{
    char *path = g_dir_make_tmp("cmksim-test-XXXXXX", NULL);
    CMK_ASSERT(path != NULL);
    return path;
}

void sample_remove(const char *directory)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    const char *name = NULL;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
            sample_remove(path);
        } else {
            (void)g_unlink(path);
        }
    }
    (void)g_rmdir(directory);
}

uint32_t sample_count_files(const char *directory)
{
    uint32_t count = 0;
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    while (dir != NULL && g_dir_read_name(dir) != NULL) {
        count++;
    }
    return count;
}
