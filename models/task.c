/*
 * Jobs and other multi-step work: each kind is a list of steps, and each step is one request or one
 * operation of its own, authorised and refused on its own (design: one request, one operation).
 *
 * The driver walks along the list until a step has to wait, is refused for a passing reason and
 * tried again (OQ-25), or is refused for good.
 */
#include <string.h>

#include "models/encryption.h"
#include "models/error_map.h"
#include "models/hsm_capacity.h"
#include "models/key.h"
#include "models/key_store.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/points.h"
#include "models/rows.h"
#include "models/secret.h"

/* ---- the steps of each kind ------------------------------------------------------------------ */

typedef enum StepKind {
    STEP_REQUEST,       /* apply the key request `op`, or Backup's own look at the key */
    STEP_WAIT,          /* let `knob` pass */
    STEP_APPLY,         /* apply `op` */
    STEP_EACH_POINT,    /* apply `op` to each point that is due, if it has a data key of its own
                           after the `repeats` requests before */
    STEP_EACH_DATA_KEY, /* repeat the `repeats` requests before for the data key of each point */
    STEP_END
} StepKind;

/* Key and version of a request: those in use, those to come, the version that the vault has left
 * behind; or those in use, but asked for by the identity in use where another one is to come. */
typedef enum Whose {
    OF_VAULT,
    OF_TARGET,
    OF_OLD_VERSION,
    BY_OLD_IDENTITY
} Whose;

typedef struct Step {
    StepKind kind;
    CmkOpId op;
    CmkKnobId knob;
    Whose whose;
    bool (*is_needed)(const CmkWorld *world, const CmkTask *task); /* NULL: always */
    uint32_t repeats;
} Step;

/* The job works on points under a customer-managed key (BK-36): the one that it restores, those
 * that are due, or the one to come. */
static bool is_under_key(const CmkWorld *world, const CmkTask *task)
{
    const CmkQueueId queue = {task->queue};
    switch ((CmkTaskKind)task->kind) {
    case CMK_TASK_RESTORE:
        return cmk_point_needs_key(world, (CmkPointId){task->point});
    case CMK_TASK_TIERING:
    case CMK_TASK_EXPIRY:
        return cmk_points_due_need_key(world, queue);
    case CMK_TASK_BACKUP:
    case CMK_TASK_BACKUP_ON_DEMAND:
        return cmk_queue(world, queue)->store == CMK_STORE_VAULT &&
               cmk_points_need_key(world, (CmkBackupVaultId){task->backup_vault});
    case CMK_TASK_DELETION:
        return cmk_deletion_needs_key(world, (CmkBackupVaultId){task->backup_vault});
    case CMK_TASK_SETTINGS:
    case CMK_TASK_ROTATION:
    case CMK_TASK__COUNT:
        break;
    }
    return true;
}

/* The data key that the job works with is that of the vault, not those that points have of their
 * own (OQ-28). */
static bool uses_vaults_data_key(const CmkWorld *world, const CmkTask *task)
{
    switch ((CmkTaskKind)task->kind) {
    case CMK_TASK_RESTORE:
        return !cmk_point_has_own_key(world, (CmkPointId){task->point});
    case CMK_TASK_TIERING:
    case CMK_TASK_EXPIRY:
        return !cmk_points_have_own_keys(world, (CmkBackupVaultId){task->backup_vault});
    case CMK_TASK_BACKUP:
    case CMK_TASK_BACKUP_ON_DEMAND:
    case CMK_TASK_DELETION:
    case CMK_TASK_SETTINGS:
    case CMK_TASK_ROTATION:
    case CMK_TASK__COUNT:
        break;
    }
    return true;
}

/* It must ask, since Backup does not hold the data key already (OQ-10). */
static bool needs_key(const CmkWorld *world, const CmkTask *task)
{
    return is_under_key(world, task) &&
           !(uses_vaults_data_key(world, task) &&
             cmk_points_hold_key(world, (CmkBackupVaultId){task->backup_vault}));
}

/* Maintenance opens the data keys of points one by one, when it gets to them. */
static bool is_at_data_key(const CmkWorld *world, const CmkTask *task)
{
    const bool is_of_one_point = task->kind == CMK_TASK_RESTORE || task->at_point != 0;
    return is_of_one_point || uses_vaults_data_key(world, task);
}

static bool needs_data_key(const CmkWorld *world, const CmkTask *task)
{
    return needs_key(world, task) && is_at_data_key(world, task);
}

static bool wraps_data_key(const CmkWorld *world, const CmkTask *task)
{
    return is_under_key(world, task) && is_at_data_key(world, task);
}

/* At its commit the job asks again, or still holds what it has had unwrapped at its start (OQ-24),
 * unless the key version was purged meanwhile, as with any data key that is held (OQ-10). */
static bool asks_again(const CmkWorld *world, const CmkTask *task)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){task->backup_vault});
    return cmk_knob(world, CMK_KNOB_COMMIT_TOUCHES_KEY) != 0 ||
           cmk_version(world, (CmkVersionId){vault->active_version})->is_purged != 0;
}

static bool needs_key_again(const CmkWorld *world, const CmkTask *task)
{
    return needs_key(world, task) && asks_again(world, task);
}

/* After a take-up the version that the vault has left must work for one more backup (ROT-6). It has
 * its turn before the present one, from which on Backup may hold the data key, and as often. */
static bool needs_old_version(const CmkWorld *world, const CmkTask *task)
{
    return needs_key(world, task) &&
           cmk_backup_vault(world, (CmkBackupVaultId){task->backup_vault})->old_version != 0;
}

static bool needs_old_version_again(const CmkWorld *world, const CmkTask *task)
{
    return needs_old_version(world, task) && asks_again(world, task);
}

/* The point to come gets a data key of its own, which the key has to wrap. */
static bool makes_data_key(const CmkWorld *world, const CmkTask *task)
{
    return cmk_knob(world, CMK_KNOB_DEK_PER_POINT) != 0 && is_under_key(world, task);
}

/* Credentials of the database, which are read before anything else (BK-2, SEC-2). */
static bool reads_secret(const CmkWorld *world, const CmkTask *task)
{
    const CmkQueue *queue = cmk_queue(world, (CmkQueueId){task->queue});
    return cmk_instance(world, (CmkInstanceId){queue->instance})->secret != 0;
}

static bool is_archived(const CmkWorld *world, const CmkTask *task)
{
    return cmk_point(world, (CmkPointId){task->point})->tier == CMK_TIER_ARCHIVE;
}

static bool comes_back(const CmkWorld *world, const CmkTask *task)
{
    return cmk_point_must_come_back(world, (CmkPointId){task->point});
}

static bool comes_back_slowly(const CmkWorld *world, const CmkTask *task)
{
    return comes_back(world, task) && task->priority == CMK_REHYDRATION_STANDARD;
}

static bool comes_back_fast(const CmkWorld *world, const CmkTask *task)
{
    return comes_back(world, task) && task->priority == CMK_REHYDRATION_HIGH;
}

/* The settings have a key of which something is wanted: its data keys are not given up (BK-34). */
static bool keeps_data_keys(const CmkWorld *world, CmkBackupVaultId vault)
{
    return cmk_backup_vault(world, vault)->key != 0 &&
           !cmk_encryption_replaces_lost_key(world, vault);
}

/* The data key is wrapped by another version than the target (BV-37). */
static bool rewraps(const CmkWorld *world, const CmkTask *task)
{
    const CmkBackupVaultId vault = {task->backup_vault};
    return keeps_data_keys(world, vault) &&
           cmk_backup_vault(world, vault)->active_version != task->target_version;
}

static bool tests_old_identity(const CmkWorld *world, const CmkTask *task)
{
    const CmkBackupVaultId vault = {task->backup_vault};
    return cmk_knob(world, CMK_KNOB_IDENTITY_CHANGE_TESTS_OLD_IDENTITY) != 0 &&
           keeps_data_keys(world, vault) &&
           cmk_backup_vault(world, vault)->identity != task->target_identity;
}

/* The data keys of points go to the target too: re-wrapped, or taken over from the platform's key
 * where the vault has had no other (OQ-15, OQ-28). */
static bool takes_points_over(const CmkWorld *world, const CmkTask *task)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){task->backup_vault});
    return rewraps(world, task) ||
           (vault->key == 0 && cmk_knob(world, CMK_KNOB_ENABLING_WRAPS_OLD_POINTS) != 0);
}

static bool wraps_anew(const CmkWorld *world, const CmkTask *task)
{
    return task->at_point != 0 ? takes_points_over(world, task) : rewraps(world, task);
}

#define REQUEST(op, whose, is_needed)                                                              \
    {                                                                                              \
        STEP_REQUEST, op, 0, whose, is_needed, 0                                                   \
    }
#define WAIT(knob, is_needed)                                                                      \
    {                                                                                              \
        STEP_WAIT, 0, knob, OF_VAULT, is_needed, 0                                                 \
    }
#define APPLY(op, whose, is_needed)                                                                \
    {                                                                                              \
        STEP_APPLY, op, 0, whose, is_needed, 0                                                     \
    }
#define EACH_POINT(op, repeats)                                                                    \
    {                                                                                              \
        STEP_EACH_POINT, op, 0, OF_VAULT, NULL, repeats                                            \
    }
#define EACH_DATA_KEY(is_needed, repeats)                                                          \
    {                                                                                              \
        STEP_EACH_DATA_KEY, 0, 0, OF_TARGET, is_needed, repeats                                    \
    }
#define READ_KEY(is_needed)                                                                        \
    REQUEST(CMK_OP_KEY_GET, OF_VAULT, is_needed),                                                  \
        REQUEST(CMK_OP_BACKUP_ACCEPT_KEY, OF_VAULT, is_needed)
#define TOUCH_KEY READ_KEY(needs_key), REQUEST(CMK_OP_KEY_UNWRAP, OF_VAULT, needs_data_key)
#define TOUCH_KEY_AGAIN                                                                            \
    READ_KEY(needs_key_again), REQUEST(CMK_OP_KEY_UNWRAP, OF_VAULT, needs_key_again)
#define READ_SECRET REQUEST(CMK_OP_SECRET_GET, OF_VAULT, reads_secret)
#define END                                                                                        \
    {                                                                                              \
        STEP_END, 0, 0, OF_VAULT, NULL, 0                                                          \
    }

/* BK-30; the key is touched at the start and again at the commit (OQ-24), where a data key for this
 * point alone is wrapped (OQ-28): with the version that is in use when the point is there. */
static const Step backup_steps[] = {
    READ_SECRET,
    READ_KEY(needs_key),
    REQUEST(CMK_OP_KEY_UNWRAP, OF_OLD_VERSION, needs_old_version),
    REQUEST(CMK_OP_KEY_UNWRAP, OF_VAULT, needs_data_key),
    WAIT(CMK_KNOB_BACKUP_DURATION, NULL),
    READ_KEY(needs_key_again),
    REQUEST(CMK_OP_KEY_UNWRAP, OF_OLD_VERSION, needs_old_version_again),
    REQUEST(CMK_OP_KEY_UNWRAP, OF_VAULT, needs_key_again),
    REQUEST(CMK_OP_KEY_WRAP, OF_VAULT, makes_data_key),
    APPLY(CMK_OP_BACKUP_COMMIT, OF_VAULT, NULL),
    END};

/* BK-26, BK-31; the key is touched before anything is brought back from the archive (OQ-24). */
static const Step restore_steps[] = {READ_SECRET,
                                     TOUCH_KEY,
                                     WAIT(CMK_KNOB_REHYDRATION, comes_back_slowly),
                                     WAIT(CMK_KNOB_REHYDRATION_HIGH, comes_back_fast),
                                     APPLY(CMK_OP_POINT_REHYDRATE, OF_VAULT, comes_back),
                                     WAIT(CMK_KNOB_RESTORE_DURATION, NULL),
                                     TOUCH_KEY_AGAIN,
                                     APPLY(CMK_OP_RESTORE_COMMIT, OF_VAULT, NULL),
                                     END};

/* BK-32 */
static const Step tiering_steps[] = {TOUCH_KEY, REQUEST(CMK_OP_KEY_WRAP, OF_VAULT, wraps_data_key),
                                     EACH_POINT(CMK_OP_POINT_TIER, 2),
                                     APPLY(CMK_OP_TASK_FINISH, OF_VAULT, NULL), END};

/* BK-33 */
static const Step expiry_steps[] = {TOUCH_KEY, EACH_POINT(CMK_OP_POINT_EXPIRE, 1),
                                    APPLY(CMK_OP_TASK_FINISH, OF_VAULT, NULL), END};

/* 9.4, steps 7 to 15. A request is one operation with the order of KVE-19, which goes before that
 * of steps 7 and 8: a name that does not resolve before a lost region, a token before throttling.
 * With another identity these ask the new one only, or first the old one for what it had (OQ-31).
 */
static const Step settings_steps[] = {
    REQUEST(CMK_OP_KEY_GET, OF_TARGET, NULL),
    APPLY(CMK_OP_ENCRYPTION_VALIDATE, OF_TARGET, NULL),
    REQUEST(CMK_OP_KEY_WRAP, OF_TARGET, NULL),
    REQUEST(CMK_OP_KEY_UNWRAP, OF_TARGET, NULL),
    REQUEST(CMK_OP_KEY_GET, BY_OLD_IDENTITY, tests_old_identity),
    REQUEST(CMK_OP_KEY_UNWRAP, BY_OLD_IDENTITY, tests_old_identity),
    REQUEST(CMK_OP_KEY_GET, OF_VAULT, rewraps),
    REQUEST(CMK_OP_KEY_UNWRAP, OF_VAULT, rewraps),
    REQUEST(CMK_OP_KEY_WRAP, OF_TARGET, wraps_anew),
    EACH_DATA_KEY(takes_points_over, 2),
    APPLY(CMK_OP_ENCRYPTION_COMMIT, OF_TARGET, NULL),
    END};

/* BK-35 */
static const Step deletion_steps[] = {TOUCH_KEY, APPLY(CMK_OP_BACKUP_VAULT_VANISH, OF_VAULT, NULL),
                                      END};

/* ROT-13, ROT-14 */
static const Step rotation_steps[] = {
    REQUEST(CMK_OP_KEY_GET, OF_TARGET, NULL),       REQUEST(CMK_OP_KEY_UNWRAP, OF_VAULT, NULL),
    REQUEST(CMK_OP_KEY_WRAP, OF_TARGET, NULL),      EACH_DATA_KEY(NULL, 2),
    APPLY(CMK_OP_ROTATION_COMMIT, OF_TARGET, NULL), END};

static const Step *const steps_of[CMK_TASK__COUNT] = {
    [CMK_TASK_BACKUP] = backup_steps,           [CMK_TASK_RESTORE] = restore_steps,
    [CMK_TASK_TIERING] = tiering_steps,         [CMK_TASK_EXPIRY] = expiry_steps,
    [CMK_TASK_SETTINGS] = settings_steps,       [CMK_TASK_ROTATION] = rotation_steps,
    [CMK_TASK_BACKUP_ON_DEMAND] = backup_steps, [CMK_TASK_DELETION] = deletion_steps,
};

static const CmkTaskFacts facts_of[CMK_TASK__COUNT] = {
    [CMK_TASK_BACKUP] = {"backup", "backing up", true, "BK-17"},
    [CMK_TASK_RESTORE] = {"restore", "restoring", true, "BK-17"},
    [CMK_TASK_TIERING] = {"tiering", "moving points to the archive", false, "BK-20 BK-21"},
    [CMK_TASK_EXPIRY] = {"expiry", "removing expired points", false, "BK-20 BK-21"},
    [CMK_TASK_SETTINGS] = {"settings", "updating the encryption settings", true, "BV-26"},
    [CMK_TASK_ROTATION] = {"rotation", "taking up a newer key version", false, "ROT-14"},
    [CMK_TASK_BACKUP_ON_DEMAND] = {"on_demand", "backing up by hand", true, "BK-17"},
    [CMK_TASK_DELETION] = {"deletion", "deleting the Backup vault", true, "ERR-7"},
};

const CmkTaskFacts *cmk_task_facts(CmkTaskKind kind)
{
    CMK_ASSERT(kind < CMK_TASK__COUNT);
    return &facts_of[kind];
}

uint32_t cmk_tasks_running(const CmkWorld *world)
{
    uint32_t running = 0;
    for (uint32_t row = 1; row <= cmk_world_count(world, CMK_TABLE_TASK); row++) {
        running += cmk_task(world, (CmkTaskId){row})->state == CMK_TASK_RUNNING;
    }
    return running;
}

const char *cmk_task_datastore(const CmkWorld *world, const CmkTask *task)
{
    if (task->queue == 0) {
        return "";
    }
    if (task->kind == CMK_TASK_TIERING || (task->point != 0 && is_archived(world, task))) {
        return "archive";
    }
    const bool is_vault = cmk_queue(world, (CmkQueueId){task->queue})->store == CMK_STORE_VAULT;
    return is_vault ? "vault" : "operational";
}

/* ---- operations on tasks --------------------------------------------------------------------- */

CmkTaskId cmk_task_start(CmkSim *sim, const CmkArgs *args, CmkTaskKind kind, CmkBackupVaultId vault)
{
    const CmkTaskId id = {cmk_world_row_add(sim->world, CMK_TABLE_TASK)};
    CmkTask *task = cmk_task_mut(sim, id);
    task->kind = kind;
    task->state = CMK_TASK_RUNNING;
    task->backup_vault = vault.i;
    task->origin = args->origin;
    task->started = cmk_world_now(sim->world);
    task->started_by = cmk_this_seq(sim);
    (void)cmk_engine_set_timer(sim, task->started, CMK_EVENT_TASK, id.i, args);
    return id;
}

void cmk_task_complete(CmkSim *sim, CmkTaskId id)
{
    CmkTask *task = cmk_task_mut(sim, id);
    const bool warns = task->retries != 0 && cmk_knob(sim->world, CMK_KNOB_RETRIED_JOBS_WARN) != 0;
    task->state = warns ? CMK_TASK_COMPLETED_WITH_WARNINGS : CMK_TASK_COMPLETED;
    cmk_world_row_recycle(sim->world, CMK_TABLE_TASK, id.i);
}

static bool task_is_running(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)ret_blame;
    return cmk_task(world, (CmkTaskId){args->ref[CMK_REF_TASK]})->state == CMK_TASK_RUNNING;
}

const CmkGuard cmk_guard_task_is_running = {.name = "task-is-running",
                                            .holds = task_is_running,
                                            .status = CMK_STATUS_OF(CONFLICT),
                                            .rule = "BK-18",
                                            .text = "The job is running."};

/* num[0]: the step to go on with, num[1]: when, num[3]: the point whose data key it is at, num[4]:
 * whether data keys were re-wrapped before. */
static uint32_t task_wait(CmkSim *sim, const CmkArgs *args)
{
    const CmkTaskId id = {args->ref[CMK_REF_TASK]};
    CmkTask *task = cmk_task_mut(sim, id);
    task->step = (uint32_t)args->num[0];
    task->attempt = 0;
    task->at_point = (uint32_t)args->num[3];
    task->at_point_by = cmk_point(sim->world, (CmkPointId){task->at_point})->created_by;
    task->has_rewrapped = (uint32_t)args->num[4];
    (void)cmk_engine_set_timer(sim, args->num[1], CMK_EVENT_TASK, id.i, args);
    return id.i;
}

const CmkOperation cmk_op_task_wait = {
    .name = "task.wait",
    .text = "A job goes on with its work until its next step, or waits for an answer.",
    .params = {{"step", CMK_PARAM_INTEGER, 1, 1, 0},
               {"until", CMK_PARAM_INSTANT, 1, 1, 1},
               {"at_point", CMK_PARAM_INTEGER, 1, 0, 3},
               {"has_rewrapped", CMK_PARAM_INTEGER, 1, 0, 4}},
    .guards = {CMK_GUARD_TASK_IS_RUNNING},
    .writes = CMK_BIT(TASK) | CMK_BIT_TIMERS,
    .effect = task_wait,
    .rules = "OQ-24 THR-8",
};

static uint32_t task_retry(CmkSim *sim, const CmkArgs *args)
{
    const uint32_t row = task_wait(sim, args);
    CmkTask *task = cmk_task_mut(sim, (CmkTaskId){row});
    task->attempt = (uint32_t)args->num[2];
    task->retries++;
    return row;
}

const CmkOperation cmk_op_task_retry = {
    .name = "task.retry",
    .text = "A step met a passing trouble and is tried again after 1, 2, 4, 8, 16 s.",
    .params = {{"step", CMK_PARAM_INTEGER, 1, 1, 0},
               {"until", CMK_PARAM_INSTANT, 1, 1, 1},
               {"attempt", CMK_PARAM_INTEGER, 1, 1, 2},
               {"at_point", CMK_PARAM_INTEGER, 1, 0, 3},
               {"has_rewrapped", CMK_PARAM_INTEGER, 1, 0, 4}},
    .guards = {CMK_GUARD_TASK_IS_RUNNING},
    .writes = CMK_BIT(TASK) | CMK_BIT_TIMERS,
    .effect = task_retry,
    .rules = "OQ-25 THR-6 THR-9",
};

/* A vault whose settings could not be made is not made either (BV-T4), or stays without (OQ-16). */
static void fail_creation(CmkSim *sim, CmkBackupVaultId id)
{
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    cmk_identity_take_all(sim, id);
    vault->provisioning = CMK_PROVISIONING_FAILED;
    vault->epoch++;
    vault->changed_by = cmk_this_seq(sim);
}

static void fail_settings(CmkSim *sim, CmkBackupVaultId id, bool is_interrupted)
{
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    const bool is_creation = vault->provisioning == CMK_PROVISIONING_CREATING;
    if (is_creation && cmk_knob(sim->world, CMK_KNOB_FAILED_CREATION_LEAVES_VAULT) == 0) {
        fail_creation(sim, id);
        return;
    }
    vault->state = CMK_BACKUP_VAULT_ACTIVE;
    vault->provisioning = CMK_PROVISIONING_FAILED;
    if (is_interrupted || cmk_knob(sim->world, CMK_KNOB_REFUSED_UPDATE_BREAKS_SETTINGS) != 0) {
        vault->encryption = CMK_ENCRYPTION_INCONSISTENT; /* BV-27, BV-T14, OQ-13 */
        vault->is_broken_by_identity = 0;
        vault->healing_epoch++; /* only a repeated update repairs it from now on */
        vault->encryption_by = cmk_this_seq(sim);
    }
}

/* OQ-3: the loss of rights leaves the settings as they are, or a job that meets it breaks them. */
static void fail_job(CmkSim *sim, CmkBackupVaultId id, CmkStatus status)
{
    const bool lacks_rights = status == CMK_STATUS_OF(MISSING_PERMISSION) ||
                              status == CMK_STATUS_OF(GENERIC_DATABASE_ERROR);
    if (lacks_rights && cmk_knob(sim->world, CMK_KNOB_LOST_RIGHTS_BREAK_SETTINGS) != 0) {
        cmk_encryption_spoil(sim, id); /* an update repairs it, as after any other failure */
    }
}

/* Whoever cancels a backup knows it: it is no error of the instance. */
static void end_failed_backup(CmkSim *sim, const CmkTask *task)
{
    CmkQueue *queue = cmk_queue_mut(sim, (CmkQueueId){task->queue});
    queue->backup_task = 0;
    queue->failed_backups += task->status != CMK_STATUS_OF(JOB_CANCELLED);
}

/* What is wrapped anew already counts for nothing, or leaves a vault that needs both versions and
 * does nothing with them, nor with a data key that it holds (OQ-27). */
static bool leaves_half(CmkSim *sim, CmkBackupVaultId id, const CmkArgs *args)
{
    if (args->num[3] == 0 || cmk_knob(sim->world, CMK_KNOB_INTERRUPTED_REWRAP_STOPS_JOBS) == 0) {
        return false;
    }
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    vault->is_half_rewrapped = 1;
    vault->dek_known_until = 0;
    vault->encryption_by = cmk_this_seq(sim);
    return true;
}

/* num[0]: Backup's code, num[1]: sequence number of the refusal, num[2]: 1 if it was transient,
 * num[3]: 1 if it was in the midst of re-wrapping. */
static uint32_t task_fail(CmkSim *sim, const CmkArgs *args)
{
    const CmkTaskId id = {args->ref[CMK_REF_TASK]};
    CmkTask *task = cmk_task_mut(sim, id);
    const CmkBackupVaultId vault = {task->backup_vault};
    const bool is_half = leaves_half(sim, vault, args);
    task->state = CMK_TASK_FAILED;
    task->status = (uint64_t)args->num[0];
    switch ((CmkTaskKind)task->kind) {
    case CMK_TASK_SETTINGS:
        fail_settings(sim, vault, is_half || args->num[2] != 0);
        break;
    case CMK_TASK_DELETION:
        cmk_backup_vault_mut(sim, vault)->provisioning = CMK_PROVISIONING_FAILED;
        break;
    case CMK_TASK_ROTATION:
        cmk_backup_vault_mut(sim, vault)->is_rotating = 0; /* ROT-14 */
        break;
    case CMK_TASK_BACKUP:
    case CMK_TASK_BACKUP_ON_DEMAND:
        end_failed_backup(sim, task);
        fail_job(sim, vault, (CmkStatus)task->status);
        break;
    case CMK_TASK_RESTORE:
    case CMK_TASK_TIERING:
    case CMK_TASK_EXPIRY:
    case CMK_TASK__COUNT:
        fail_job(sim, vault, (CmkStatus)task->status);
        break;
    }
    cmk_world_row_recycle(sim->world, CMK_TABLE_TASK, id.i);
    return id.i;
}

const CmkOperation cmk_op_task_fail = {
    .name = "task.fail",
    .text = "A job ends with an error.",
    .params = {{"status", CMK_PARAM_INTEGER, 1, 1, 0},
               {"refused_seq", CMK_PARAM_INTEGER, 1, 1, 1},
               {"is_transient", CMK_PARAM_INTEGER, 1, 1, 2},
               {"is_half_way", CMK_PARAM_INTEGER, 1, 0, 3}},
    .guards = {CMK_GUARD_TASK_IS_RUNNING},
    .writes = CMK_BIT(TASK) | CMK_BIT(QUEUE) | CMK_BIT(BACKUP_VAULT) | CMK_BIT(ATTACHMENT) |
              CMK_BIT(PRINCIPAL),
    .effect = task_fail,
    .rules = "ERR-25 BK-23 BV-28 BV-32 BV-T4 BV-T6 OQ-3 OQ-16 OQ-27",
};

static uint32_t task_finish(CmkSim *sim, const CmkArgs *args)
{
    const CmkTaskId id = {args->ref[CMK_REF_TASK]};
    cmk_task_complete(sim, id);
    return id.i;
}

const CmkOperation cmk_op_task_finish = {
    .name = "task.finish",
    .text = "A background job ends well.",
    .guards = {CMK_GUARD_TASK_IS_RUNNING},
    .writes = CMK_BIT(TASK),
    .effect = task_finish,
    .rules = "BK-18",
};

/* ---- the driver ------------------------------------------------------------------------------ */

static CmkArgs args_of_task(const CmkWorld *world, const CmkTimer *timer, CmkTaskId id)
{
    const CmkTask *task = cmk_task(world, id);
    CmkArgs args = cmk_args_of_timer(CMK_OP_NONE, timer);
    args.origin = task->origin;
    args.ref[CMK_REF_TASK] = id.i;
    args.ref[CMK_REF_BACKUP_VAULT] = task->backup_vault;
    args.ref[CMK_REF_QUEUE] = task->queue;
    args.ref[CMK_REF_POINT] = task->point;
    args.ref[CMK_REF_INSTANCE] = cmk_queue(world, (CmkQueueId){task->queue})->instance;
    return args;
}

/* The version that opens the data key: the one that closed it; or, where an update of the settings
 * may take it for that, the one with the same private key under the new key (HSM-15). */
static CmkVersionId opening_version(const CmkWorld *world, const CmkTask *task)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){task->backup_vault});
    const CmkVersionId active = {vault->active_version};
    const CmkVersionId twin = cmk_version_twin(world, active, (CmkKeyId){task->target_key});
    const bool is_taken = task->kind == CMK_TASK_SETTINGS && twin.i != 0 &&
                          cmk_knob(world, CMK_KNOB_RESTORED_KEY_REPLACES_OLD) != 0;
    return is_taken ? twin : active;
}

/* Who asks, and for which key: the settings as they are, or as they are to be. */
static void fill_request(const CmkWorld *world, const CmkTask *task, Whose whose, CmkArgs *args)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){task->backup_vault});
    if (args->op == CMK_OP_SECRET_GET) {
        cmk_secret_fill_request(world, (CmkInstanceId){args->ref[CMK_REF_INSTANCE]}, args);
        return;
    }
    const bool is_by_target = task->kind == CMK_TASK_SETTINGS && whose != BY_OLD_IDENTITY;
    const bool is_job = task->kind != CMK_TASK_SETTINGS && task->kind != CMK_TASK_ROTATION;
    const CmkVersionId opening = opening_version(world, task);
    const uint32_t versions[] = {[OF_VAULT] = opening.i,
                                 [OF_TARGET] = task->target_version,
                                 [OF_OLD_VERSION] = vault->old_version,
                                 [BY_OLD_IDENTITY] = opening.i};
    const CmkVersionId version = {versions[whose]};
    const uint32_t key = whose == OF_TARGET ? task->target_key : cmk_version(world, version)->key;
    cmk_key_store_refer(world, (CmkKeyId){key}, args);
    args->ref[CMK_REF_VERSION] = version.i;
    args->ref[CMK_REF_IDENTITY] = is_by_target ? task->target_identity : vault->identity;
    args->ref[CMK_REF_PRINCIPAL] = is_by_target ? task->target_principal : vault->principal;
    args->num[0] = is_job && whose != OF_OLD_VERSION;
}

/* A Managed HSM answers when its queue has come to the request: a job that would notice waits for
 * that, and goes on with the step after it. */
static CmkOutcome ask(CmkSim *sim, const CmkTask *task, uint32_t index, const CmkArgs *args,
                      bool *ret_waits)
{
    const CmkOutcome outcome = cmk_apply(sim, args);
    const CmkManagedHsmId hsm = {args->ref[CMK_REF_MANAGED_HSM]};
    if (outcome.status != CMK_STATUS_OK || hsm.i == 0 || args->op == CMK_OP_BACKUP_ACCEPT_KEY) {
        return outcome;
    }
    const int64_t wait_us = cmk_managed_hsm_backlog(sim->world, hsm);
    if (wait_us < CMK_HSM_WAIT_TO_SPEAK_OF) {
        return outcome;
    }
    CmkArgs wait = *args;
    wait.op = CMK_OP_TASK_WAIT;
    wait.cause_seq = outcome.seq;
    memset(wait.num, 0, sizeof(wait.num));
    wait.num[0] = index + 1;
    wait.num[1] = cmk_world_now(sim->world) + wait_us;
    wait.num[3] = task->at_point;
    wait.num[4] = task->has_rewrapped;
    *ret_waits = true;
    return cmk_apply(sim, &wait);
}

static void go_to(const CmkWorld *world, CmkTask *task, CmkPointId point)
{
    task->at_point = point.i;
    task->at_point_by = cmk_point(world, point)->created_by;
}

/* Applies the operation to each point of the task's queue that is due; the first refusal ends it.
 * It stops before one with a data key of its own that the task is not at yet, and goes to it. */
static CmkOutcome apply_to_due_points(CmkSim *sim, CmkTask *task, CmkArgs *args)
{
    const CmkDue due = args->op == CMK_OP_POINT_TIER ? CMK_DUE_TO_TIER : CMK_DUE_TO_EXPIRE;
    CmkOutcome outcome = {.status = CMK_STATUS_OK};
    const CmkQueueId queue = {task->queue};
    uint32_t left = cmk_queue(sim->world, queue)->point_count;
    while (left-- > 0 && outcome.status == CMK_STATUS_OK) {
        const CmkPointId point = cmk_points_next_due(sim->world, queue, due, (CmkPointId){0});
        const bool has_own_key =
            cmk_point_has_own_key(sim->world, point) && cmk_point_needs_key(sim->world, point);
        if (has_own_key && point.i != task->at_point) {
            go_to(sim->world, task, point);
            return outcome;
        }
        if (point.i == 0) {
            break;
        }
        args->ref[CMK_REF_POINT] = point.i;
        outcome = cmk_apply(sim, args);
    }
    task->at_point = 0;
    return outcome;
}

/* The oldest of the points made after a record. O(points). */
static CmkPointId first_made_after(const CmkWorld *world, CmkBackupVaultId vault, uint64_t seq)
{
    CmkPointId first = {0};
    CmkPointId id = cmk_points_next_of_vault(world, vault, first);
    for (; id.i != 0; id = cmk_points_next_of_vault(world, vault, id)) {
        const uint64_t made_by = cmk_point(world, id)->created_by;
        const bool is_earlier = first.i == 0 || made_by < cmk_point(world, first)->created_by;
        if (made_by > seq && is_earlier && cmk_point_has_own_key(world, id)) {
            first = id;
        }
    }
    return first;
}

/* The next point of the vault with a data key of its own: one after the other, and last those that
 * backups have added while the task waited, wherever they stand. */
static CmkPointId next_own_key(const CmkWorld *world, const CmkTask *task)
{
    const CmkBackupVaultId vault = {task->backup_vault};
    CmkPointId id = {task->at_point};
    if (!cmk_points_have_own_keys(world, vault)) {
        return (CmkPointId){0};
    }
    if (id.i != 0 && task->at_point_by > task->started_by) {
        return first_made_after(world, vault, task->at_point_by);
    }
    do {
        id = cmk_points_next_of_vault(world, vault, id);
        if (id.i == 0) {
            return first_made_after(world, vault, task->started_by);
        }
    } while (!cmk_point_has_own_key(world, id) ||
             cmk_point(world, id)->created_by > task->started_by);
    return id;
}

/* Whether the point at which the task waited for its next try is there no more. */
static bool has_lost_its_point(const CmkWorld *world, const CmkTask *task)
{
    const CmkPoint *point = cmk_point(world, (CmkPointId){task->at_point});
    return point->is_live == 0 || point->created_by != task->at_point_by;
}

/* A point that should be gone need not be moved any more. */
static bool is_known_overdue(const CmkPoint *point, CmkDue due)
{
    return point->is_expiry_overdue != 0 ||
           (due == CMK_DUE_TO_TIER && point->is_tiering_overdue != 0);
}

void cmk_task_mark_overdue(CmkSim *sim, CmkTaskKind kind, const CmkArgs *of_job)
{
    const CmkDue due = kind == CMK_TASK_TIERING ? CMK_DUE_TO_TIER : CMK_DUE_TO_EXPIRE;
    CmkArgs args = *of_job;
    args.op = CMK_OP_POINT_OVERDUE;
    args.ref[CMK_REF_TASK] = 0;
    args.num[0] = due == CMK_DUE_TO_TIER;
    const CmkQueueId queue = {of_job->ref[CMK_REF_QUEUE]};
    CmkPointId id = cmk_points_next_due(sim->world, queue, due, (CmkPointId){0});
    for (; id.i != 0; id = cmk_points_next_due(sim->world, queue, due, id)) {
        args.ref[CMK_REF_POINT] = id.i;
        if (!is_known_overdue(cmk_point(sim->world, id), due)) {
            (void)cmk_apply(sim, &args);
        }
    }
}

/* The key of a request: the settings' present one is checked before it is needed (9.4, step 14) to
 * re-wrap the data keys of points, one after the other (step 15). */
static CmkErrorKey key_of(const CmkTask *task, const Step *step)
{
    if (step->op == CMK_OP_SECRET_GET) {
        return CMK_ERROR_SECRET;
    }
    if (task->kind != CMK_TASK_SETTINGS || step->kind != STEP_REQUEST || step->whose == OF_TARGET) {
        return CMK_ERROR_TARGET_KEY;
    }
    if (step->whose == BY_OLD_IDENTITY) {
        return CMK_ERROR_KEY_OF_OLD_IDENTITY;
    }
    return task->has_rewrapped == 0 ? CMK_ERROR_CURRENT_KEY : CMK_ERROR_REWRAPPED_KEY;
}

/* The step that puts the version of a re-wrapping in use. */
static bool puts_version_in_use(const Step *step)
{
    return step->op == CMK_OP_ENCRYPTION_COMMIT || step->op == CMK_OP_ROTATION_COMMIT;
}

/* Whether data keys have been re-wrapped when an update or take-up ends for good: at a later one of
 * them, or when all are and the new version is not in use yet. */
static bool is_half_way(const CmkWorld *world, const CmkTask *task, const Step *step,
                        CmkGuardId refused_by)
{
    switch ((CmkTaskKind)task->kind) {
    case CMK_TASK_SETTINGS:
    case CMK_TASK_ROTATION:
        return rewraps(world, task) && (task->has_rewrapped != 0 || puts_version_in_use(step)) &&
               refused_by !=
                   CMK_GUARD_TAKE_UP_IS_STILL_DUE; /* another update re-wrapped them all */
    case CMK_TASK_BACKUP:
    case CMK_TASK_BACKUP_ON_DEMAND:
    case CMK_TASK_RESTORE:
    case CMK_TASK_TIERING:
    case CMK_TASK_EXPIRY:
    case CMK_TASK_DELETION:
    case CMK_TASK__COUNT:
        break;
    }
    return false;
}

static void fail(CmkSim *sim, const CmkTask *task, const Step *step, CmkArgs args,
                 const CmkOutcome *refusal)
{
    const CmkErrorRow *row = cmk_error_find(refusal->guard);
    const CmkErrorKey key = key_of(task, step);
    args.op = CMK_OP_TASK_FAIL;
    args.cause_seq = refusal->seq;
    args.num[0] = cmk_error_status(sim->world, task, refusal, key);
    args.num[1] = (int64_t)refusal->seq;
    args.num[2] = row != NULL && row->is_transient &&
                  (key == CMK_ERROR_TARGET_KEY || key == CMK_ERROR_REWRAPPED_KEY); /* OQ-13 */
    args.num[3] = is_half_way(sim->world, task, step, refusal->guard);
    (void)cmk_apply(sim, &args);
    if (task->kind == CMK_TASK_TIERING || task->kind == CMK_TASK_EXPIRY) {
        cmk_task_mark_overdue(sim, (CmkTaskKind)task->kind, &args);
    }
}

/* Tries the step again later if its refusal may pass and there are attempts left (OQ-25). */
static bool is_retried(CmkSim *sim, const CmkTask *task, uint32_t step, uint32_t attempt,
                       CmkArgs args, const CmkOutcome *refusal)
{
    const CmkErrorRow *row = cmk_error_find(refusal->guard);
    const bool is_left = (int64_t)attempt < cmk_knob(sim->world, CMK_KNOB_RETRIES);
    if (row == NULL || !row->is_transient || !is_left) {
        return false;
    }
    args.op = CMK_OP_TASK_RETRY;
    args.cause_seq = refusal->seq;
    args.num[0] = step;
    args.num[1] = cmk_world_now(sim->world) + (CMK_SECOND_US << attempt); /* THR-6 */
    args.num[2] = attempt + 1;
    args.num[3] = task->at_point;
    args.num[4] = task->has_rewrapped;
    (void)cmk_apply(sim, &args);
    return true;
}

/* Carries out one step; `ret_waits` says that the task goes on at another time. */
static CmkOutcome carry_out(CmkSim *sim, CmkTask *task, const Step *step, uint32_t index,
                            CmkArgs args, bool *ret_waits)
{
    args.op = step->op;
    switch (step->kind) {
    case STEP_REQUEST:
        fill_request(sim->world, task, step->whose, &args);
        return ask(sim, task, index, &args, ret_waits);
    case STEP_WAIT:
        args.op = CMK_OP_TASK_WAIT;
        args.num[0] = index + 1;
        args.num[1] = cmk_world_now(sim->world) + cmk_knob(sim->world, step->knob);
        args.num[3] = task->at_point;
        args.num[4] = task->has_rewrapped;
        *ret_waits = true;
        return cmk_apply(sim, &args);
    case STEP_APPLY:
        if (puts_version_in_use(step)) {
            args.num[0] = cmk_backup_vault(sim->world, (CmkBackupVaultId){task->backup_vault})
                              ->active_version;
            args.num[1] = task->target_version;
        }
        return cmk_apply(sim, &args);
    case STEP_EACH_POINT:
        return apply_to_due_points(sim, task, &args);
    case STEP_EACH_DATA_KEY:
        task->has_rewrapped = 1;
        go_to(sim->world, task, next_own_key(sim->world, task));
        return (CmkOutcome){.status = CMK_STATUS_OK};
    case STEP_END:
        break;
    }
    CMK_ASSERT(false);
    return (CmkOutcome){0};
}

/* Whether an identity that came back has its rights is looked at when work on its vault begins, and
 * not only each hour (OQ-5). */
static void restore_settings_first(CmkSim *sim, const CmkTask *task, CmkArgs args)
{
    args.op = CMK_OP_ENCRYPTION_RESTORE;
    const bool is_first_step = task->step == 0 && task->attempt == 0;
    if (is_first_step && cmk_would_apply(sim, &args).status == CMK_STATUS_OK) {
        (void)cmk_apply(sim, &args);
    }
}

void cmk_on_task(CmkSim *sim, const CmkTimer *timer)
{
    const CmkTaskId id = {timer->subject};
    CmkTask task = *cmk_task(sim->world, id); /* the row is recycled at the end */
    CmkArgs args = args_of_task(sim->world, timer, id);
    const Step *steps = steps_of[task.kind];
    uint32_t attempt = task.attempt;
    restore_settings_first(sim, &task, args);
    if (has_lost_its_point(sim->world, &task)) {
        task.at_point = 0;
    }
    for (uint32_t i = task.step; steps[i].kind != STEP_END; i++) {
        if (steps[i].is_needed != NULL && !steps[i].is_needed(sim->world, &task)) {
            continue;
        }
        bool waits = false;
        args.ref[CMK_REF_POINT] = task.at_point != 0 ? task.at_point : task.point;
        const CmkOutcome outcome = carry_out(sim, &task, &steps[i], i, args, &waits);
        if (waits || outcome.status == CMK_STATUS_LIMIT_REACHED) {
            return;
        }
        if (outcome.status != CMK_STATUS_OK) {
            if (!is_retried(sim, &task, i, attempt, args, &outcome)) {
                fail(sim, &task, &steps[i], args, &outcome);
            }
            return;
        }
        attempt = 0;
        if (steps[i].repeats != 0 && task.at_point != 0) {
            i -= steps[i].repeats + 1; /* before the requests that it repeats */
        }
    }
}
