#include "tests/unit/analysis/sample_scenario.h"

#include <string.h>

static void add_name(SampleScenario *sample, const char *kind, const char *name, uint32_t row)
{
    const CmkNamed named = {.kind = kind, .name = name, .row = row};
    g_array_append_val(sample->scenario.named, named);
}

static void clear_planned(gpointer data)
{
    CmkPlanned *planned = data;
    g_free(planned->id);
    g_free(planned->what);
}

static void clear_expectation(gpointer data)
{
    g_free(((CmkExpectation *)data)->text);
}

static void add_plan(SampleScenario *sample, CmkPlanned planned, const char *id, const char *what)
{
    planned.id = g_strdup(id);
    planned.what = g_strdup(what);
    planned.expect_status = planned.expect_status == 0 ? -1 : planned.expect_status - 1;
    g_array_append_val(sample->scenario.plan, planned);
}

static void fill_names(SampleScenario *sample)
{
    add_name(sample, "key_vault", "kv-prod", 1);
    add_name(sample, "managed_hsm", "hsm-prod", 1);
    add_name(sample, "key", "kv-prod/backup-kek", 1);
    add_name(sample, "key", "kv-prod/other", 2);
    add_name(sample, "secret", "kv-prod/login", 1);
    add_name(sample, "identity", "id-backup", 1);
    add_name(sample, "policy", "daily", 1);
    add_name(sample, "backup_vault", "bv-prod", BV_PROD);
    add_name(sample, "backup_vault", "bv-two", BV_TWO);
    add_name(sample, "instance", "bv-prod/orders-db", ORDERS_DB);
    add_name(sample, "instance", "bv-prod/web-disk", WEB_DISK);
    add_name(sample, "instance", "bv-two/media", MEDIA);
    add_name(sample, "instance", "bv-prod/twin", MEDIA + 1);
    add_name(sample, "instance", "bv-two/twin", MEDIA + 2);
}

static void fill_plan(SampleScenario *sample)
{
    add_plan(sample,
             (CmkPlanned){.kind = CMK_PLAN_FAULT, .time = sample_day(20), .op = CMK_OP_ROLE_REMOVE},
             "revoke", "role.revoke");
    add_plan(sample,
             (CmkPlanned){.kind = CMK_PLAN_STEP,
                          .time = sample_day(23),
                          .op = CMK_OP_BACKUP_RESTORE,
                          .expect_status = 1 + CMK_STATUS_OK},
             NULL, "backup.restore");
    add_plan(sample,
             (CmkPlanned){.kind = CMK_PLAN_STEP,
                          .time = sample_day(27),
                          .op = CMK_OP_ROLE_ASSIGN,
                          .remedies = PLAN_REVOKE},
             "regrant", "role.assign");
    add_plan(
        sample,
        (CmkPlanned){.kind = CMK_PLAN_FAULT, .time = sample_day(30), .op = CMK_OP_IDENTITY_DETACH},
        "detach", "identity.detach");
    add_plan(sample,
             (CmkPlanned){.kind = CMK_PLAN_FAULT_END,
                          .time = sample_day(31),
                          .op = CMK_OP_IDENTITY_ATTACH,
                          .of = PLAN_DETACH},
             NULL, "identity.detach");
}

SampleScenario *sample_scenario_new(const char *yaml)
{
    SampleScenario *sample = g_new0(SampleScenario, 1);
    CmkScenario *scenario = &sample->scenario;
    g_autoptr(GBytes) text = g_bytes_new(yaml, strlen(yaml));
    sample->diagnostics = cmk_diagnostics_new("sample.yaml", text);
    scenario->tree = cmk_tree_parse(sample->diagnostics, NULL);
    CMK_ASSERT(scenario->tree != NULL);
    scenario->start = SAMPLE_SCENARIO_START;
    scenario->end = sample_day(60);
    scenario->named = g_array_new(FALSE, TRUE, sizeof(CmkNamed));
    scenario->plan = g_array_new(FALSE, TRUE, sizeof(CmkPlanned));
    g_array_set_clear_func(scenario->plan, clear_planned);
    scenario->expectations = g_array_new(FALSE, TRUE, sizeof(CmkExpectation));
    g_array_set_clear_func(scenario->expectations, clear_expectation);
    fill_names(sample);
    fill_plan(sample);
    return sample;
}

void sample_scenario_free(SampleScenario *sample)
{
    g_array_unref(sample->scenario.named);
    g_array_unref(sample->scenario.plan);
    g_array_unref(sample->scenario.expectations);
    cmk_tree_free(sample->scenario.tree);
    cmk_diagnostics_free(sample->diagnostics);
    g_free(sample);
}

const CmkNode *sample_scenario_text(const SampleScenario *sample, uint32_t index)
{
    const CmkNode *text = cmk_node_at(cmk_tree_root(sample->scenario.tree), index);
    CMK_ASSERT(text != NULL);
    return text;
}

void sample_scenario_expect(SampleScenario *sample, CmkExpectation expectation)
{
    const CmkMoment none = {.time = CMK_TIME_MAX};
    expectation.condition = sample_scenario_text(sample, sample->scenario.expectations->len);
    expectation.text = g_strdup(cmk_node_text(expectation.condition));
    if (expectation.from.time == 0)
        expectation.from.time = none.time;
    if (expectation.until.time == 0)
        expectation.until.time = none.time;
    g_array_append_val(sample->scenario.expectations, expectation);
}

CmkTime sample_day(int64_t days)
{
    return SAMPLE_SCENARIO_START + days * CMK_DAY_US;
}

void *sample_row(CmkWorld *world, uint32_t table, uint32_t row)
{
    return cmk_world_row_mut(world, table, row);
}

static void fill_keys(CmkWorld *world)
{
    const CmkKeyVaultId vault = cmk_declare_key_vault(world, "kv-prod");
    CmkKeyVault *key_vault = sample_row(world, CMK_TABLE_KEY_VAULT, vault.i);
    key_vault->state = CMK_KEY_VAULT_ACTIVE;
    key_vault->region = cmk_region_find("westeurope").i;
    key_vault->has_soft_delete = 1;
    key_vault->retention_days = 90;
    static const char *const names[] = {"backup-kek", "other"};
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(names); i++) {
        const CmkKeyId id = cmk_declare_key(world, vault, names[i]);
        const uint32_t row = cmk_world_row_add(world, CMK_TABLE_VERSION);
        CmkVersion *version = sample_row(world, CMK_TABLE_VERSION, row);
        *version = (CmkVersion){
            .key = id.i, .number = 1 + i, .is_enabled = 1 - i, .expires = CMK_TIME_MAX};
        CmkKey *key = sample_row(world, CMK_TABLE_KEY, id.i);
        key->state = CMK_KEY_ACTIVE;
        key->size_bits = 2048;
        key->current_version = row;
        key->version_count = 1;
    }
    (void)cmk_declare_secret(world, vault, "login");
    const CmkManagedHsmId managed_hsm = cmk_declare_managed_hsm(world, "hsm-prod");
    CmkManagedHsm *hsm = sample_row(world, CMK_TABLE_MANAGED_HSM, managed_hsm.i);
    hsm->state = CMK_MANAGED_HSM_ACTIVE;
    hsm->region = cmk_region_find("westeurope").i;
    hsm->retention_days = 90;

    const CmkIdentityId identity = cmk_declare_identity(world, "id-backup");
    ((CmkIdentity *)sample_row(world, CMK_TABLE_IDENTITY, identity.i))->state = CMK_IDENTITY_ACTIVE;
}

static void fill_vault(CmkWorld *world, const char *name, uint32_t identity)
{
    const CmkBackupVaultId id = cmk_declare_backup_vault(world, name);
    CmkBackupVault *vault = sample_row(world, CMK_TABLE_BACKUP_VAULT, id.i);
    vault->state = CMK_BACKUP_VAULT_ACTIVE;
    vault->region = cmk_region_find("westeurope").i;
    vault->redundancy = CMK_REDUNDANCY_GEO;
    vault->encryption = CMK_ENCRYPTION_ENABLED;
    vault->key = 1;
    vault->active_version = 1;
    vault->identity = identity;
}

static void fill_instance(CmkWorld *world, uint32_t vault_row, const char *name, CmkStore store)
{
    const CmkInstanceId id = cmk_declare_instance(world, (CmkBackupVaultId){vault_row}, name);
    const uint32_t queue_row = cmk_world_row_add(world, CMK_TABLE_QUEUE);
    CMK_ASSERT(queue_row == id.i);
    CmkQueue *queue = sample_row(world, CMK_TABLE_QUEUE, queue_row);
    queue->instance = id.i;
    queue->store = store;
    CmkInstance *instance = sample_row(world, CMK_TABLE_INSTANCE, id.i);
    CmkBackupVault *vault = sample_row(world, CMK_TABLE_BACKUP_VAULT, vault_row);
    instance->state = CMK_INSTANCE_PROTECTED;
    instance->first_queue = queue_row;
    instance->size_bytes = INT64_C(250) << 30;
    instance->next_of_vault = vault->first_instance;
    vault->first_instance = id.i;
}

CmkWorld *sample_scenario_world(void)
{
    CmkLimits limits = {.timers = 8};
    const int64_t knobs[CMK_KNOB__COUNT] = {0};
    for (uint32_t table = 0; table < CMK_TABLE__COUNT; table++)
        limits.rows[table] = 512;
    CmkWorld *world = cmk_azure_world_new(&limits, 1, SAMPLE_SCENARIO_START - CMK_DAY_US,
                                          SAMPLE_SCENARIO_START, knobs);
    CMK_ASSERT(world != NULL);
    fill_keys(world);
    fill_vault(world, "bv-prod", 1);
    fill_vault(world, "bv-two", 0);
    fill_instance(world, BV_PROD, "orders-db", CMK_STORE_VAULT);
    fill_instance(world, BV_PROD, "web-disk", CMK_STORE_OPERATIONAL);
    fill_instance(world, BV_TWO, "media", CMK_STORE_VAULT);
    cmk_world_set_now(world, SAMPLE_SCENARIO_START);
    return world;
}

uint32_t sample_point(CmkWorld *world, uint32_t instance, CmkTier tier, int64_t bytes)
{
    const uint32_t row = cmk_world_row_add(world, CMK_TABLE_POINT);
    CmkQueue *queue = sample_row(world, CMK_TABLE_QUEUE, instance);
    CmkPoint *point = sample_row(world, CMK_TABLE_POINT, row);
    point->is_live = 1;
    point->queue = instance;
    point->tier = tier;
    point->bytes = bytes;
    point->created = cmk_world_now(world);
    point->previous = queue->last_point;
    if (queue->last_point != 0)
        ((CmkPoint *)sample_row(world, CMK_TABLE_POINT, queue->last_point))->next = row;
    else
        queue->first_point = row;
    queue->last_point = row;
    queue->point_count++;
    return row;
}

uint64_t sample_feed(CmkExpect *expect, CmkWorld *world, CmkTime time, CmkRecord record)
{
    const CmkReader reader = cmk_expect_reader(expect);
    if (time > cmk_world_now(world))
        cmk_world_set_now(world, time);
    record.seq = cmk_world_next_seq(world);
    record.time = cmk_world_now(world);
    cmk_world_commit_record(world, &record, sizeof(record));
    reader.read(reader.self, world, &record);
    return record.seq;
}

uint64_t sample_feed_job(CmkExpect *expect, CmkWorld *world, CmkTime time, SampleJob job)
{
    const uint32_t row = cmk_world_row_add(world, CMK_TABLE_TASK);
    CmkTask *task = sample_row(world, CMK_TABLE_TASK, row);
    const bool has_failed = job.op == CMK_OP_TASK_FAIL;
    task->kind = job.kind;
    task->state = has_failed ? CMK_TASK_FAILED : CMK_TASK_COMPLETED;
    task->status = has_failed ? job.code : CMK_STATUS_OK;
    task->backup_vault = job.vault;
    task->queue = job.instance;
    task->point = job.kind == CMK_TASK_RESTORE ? job.point : 0;
    task->started_by = job.started_by;
    task->origin = job.origin;
    cmk_world_row_recycle(world, CMK_TABLE_TASK, row);
    CmkRecord record = {.args = {.op = job.op,
                                 .origin = job.origin,
                                 .cause_seq = job.cause_seq,
                                 .ref = {[CMK_REF_TASK] = row,
                                         [CMK_REF_BACKUP_VAULT] = job.vault,
                                         [CMK_REF_INSTANCE] = job.instance,
                                         [CMK_REF_QUEUE] = job.instance}}};
    /* Of a job that went well the number means something else. */
    record.args.num[0] = has_failed ? job.code : CMK_STATUS_OF(AUTH_FAILURE);
    if (job.op == CMK_OP_BACKUP_COMMIT)
        record.result = job.point;
    else
        record.args.ref[CMK_REF_POINT] = job.point;
    return sample_feed(expect, world, time, record);
}
