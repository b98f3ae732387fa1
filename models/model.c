/* All tables of the model together, and looking things up in them. */
#include "models/model.h"

#include <string.h>

#include "models/backup_policy.h"
#include "models/gauge.h"
#include "models/rows.h"

static const CmkOperation *const operations[CMK_OP__COUNT] = {
#define X(id, name) [CMK_OP_##id] = &cmk_op_##name,
    CMK_OPERATIONS(X)
#undef X
};

static const CmkGuard *const guards[CMK_GUARD__COUNT] = {
#define X(id, name) [CMK_GUARD_##id] = &cmk_guard_##name,
    CMK_GUARDS(X)
#undef X
};

static const CmkStatusRow statuses[CMK_STATUS__COUNT] = {
#define X(id, number_, http_, code_, inner_, rule_, text_)                                         \
    [CMK_STATUS_ROW_##id] = {.name = #id,                                                          \
                             .code = (code_),                                                      \
                             .inner = (inner_),                                                    \
                             .rule = (rule_),                                                      \
                             .text = (text_),                                                      \
                             .number = (number_),                                                  \
                             .http = (http_)},
    CMK_STATUSES(X)
#undef X
};
_Static_assert((int)CMK_STATUS_ROW_OK == (int)CMK_STATUS_OK, "the engine's own statuses are first");
_Static_assert((int)CMK_STATUS_ROW_LIMIT_REACHED == (int)CMK_STATUS_LIMIT_REACHED,
               "the engine's own statuses are first");

static const CmkEventRow events[CMK_EVENT__COUNT] = {
    [CMK_EVENT_REGION].epoch_of = cmk_region_epoch,
    [CMK_EVENT_PROPAGATION].epoch_of = cmk_assignment_epoch,
    [CMK_EVENT_MEMBERSHIP].epoch_of = cmk_membership_epoch,
    [CMK_EVENT_ARRIVAL].epoch_of = cmk_backup_vault_epoch,
    [CMK_EVENT_MAINTENANCE].epoch_of = cmk_backup_vault_epoch,
    [CMK_EVENT_DELETED_VAULT].epoch_of = cmk_deleted_vault_epoch,
    [CMK_EVENT_HEALING].epoch_of = cmk_healing_epoch,
    [CMK_EVENT_KEY_SETTLE].epoch_of = cmk_key_epoch,
    [CMK_EVENT_KEY_PURGE].epoch_of = cmk_key_epoch,
    [CMK_EVENT_KEY_VAULT_PURGE].epoch_of = cmk_key_vault_epoch,
    [CMK_EVENT_MANAGED_HSM_PURGE].epoch_of = cmk_managed_hsm_epoch,
    [CMK_EVENT_KEY_ROTATION].epoch_of = cmk_key_rotation_epoch,
    [CMK_EVENT_KEY_NEAR_EXPIRY].epoch_of = cmk_key_rotation_epoch,
    [CMK_EVENT_ROTATION_POLL].epoch_of = cmk_poll_epoch,
    [CMK_EVENT_INSTANCE_SETTLE].epoch_of = cmk_instance_epoch,
    [CMK_EVENT_INSTANCE].epoch_of = cmk_instance_epoch,
    [CMK_EVENT_SCHEDULE].epoch_of = cmk_schedule_epoch,
#define X(id, name_, class_)                                                                       \
    [CMK_EVENT_##id].name = #name_, [CMK_EVENT_##id].class_of_ties = (class_),                     \
    [CMK_EVENT_##id].handle = cmk_on_##name_,
    CMK_EVENTS(X)
#undef X
};

static const CmkKnob knobs[CMK_KNOB__COUNT] = {
#define X(id, name_, type_, v0, v1, v2, v3, min_, max_, rule_, provenance_, text_)                 \
    [CMK_KNOB_##id] = {.name = (name_),                                                            \
                       .type = (type_),                                                            \
                       .values = {v0, v1, v2, v3},                                                 \
                       .min = (min_),                                                              \
                       .max = (max_),                                                              \
                       .rule = (rule_),                                                            \
                       .provenance = (provenance_),                                                \
                       .text = (text_)},
    CMK_KNOBS(X)
#undef X
};

/* ---- invariants ------------------------------------------------------------------------------ */

/* Every point of a queue is in its chain and in the queue of its rule, there oldest first; adds its
 * bytes to those of its tier. */
static const char *check_queue(const CmkWorld *world, uint32_t row, int64_t sums[3])
{
    const CmkQueue *queue = cmk_queue(world, (CmkQueueId){row});
    uint32_t in_chain = 0;
    uint32_t in_fifo = 0;
    for (uint32_t i = queue->first_point; i != 0; in_chain++) {
        const CmkPoint *point = cmk_point(world, (CmkPointId){i});
        sums[point->tier] += point->bytes;
        if (point->is_live == 0 || point->queue != row) {
            return "a queue holds a point that is not its own";
        }
        i = point->next;
    }
    for (uint32_t tag = 0; tag < CMK_TAG__COUNT; tag++) {
        CmkTime before = 0;
        for (uint32_t i = queue->fifo[tag].first; i != 0; in_fifo++) {
            const CmkPoint *point = cmk_point(world, (CmkPointId){i});
            if (point->tag != tag || point->queue != row || point->created < before) {
                return "the queue of a retention rule is out of order";
            }
            before = point->created;
            i = point->next_of_tag;
        }
    }
    return in_chain == queue->point_count && in_fifo == in_chain ? NULL
                                                                 : "points are counted wrongly";
}

/* Each gauge of stored bytes is the sum over the points that lie there. */
static const char *check_gauges(const CmkWorld *world)
{
    const uint32_t vaults = cmk_world_count(world, CMK_TABLE_BACKUP_VAULT);
    for (uint32_t i = 1; i <= vaults; i++) {
        int64_t sums[3] = {0, 0, 0};
        uint32_t instance = cmk_backup_vault(world, (CmkBackupVaultId){i})->first_instance;
        while (instance != 0) {
            uint32_t queue = cmk_instance(world, (CmkInstanceId){instance})->first_queue;
            while (queue != 0) {
                const char *broken = check_queue(world, queue, sums);
                if (broken != NULL) {
                    return broken;
                }
                queue = cmk_queue(world, (CmkQueueId){queue})->next_of_instance;
            }
            instance = cmk_instance(world, (CmkInstanceId){instance})->next_of_vault;
        }
        const CmkBackupVaultId id = {i};
        if (sums[CMK_TIER_OPERATIONAL] != cmk_gauge_level(world, id, CMK_GAUGE_OPERATIONAL) ||
            sums[CMK_TIER_VAULT] != cmk_gauge_level(world, id, CMK_GAUGE_VAULT) ||
            sums[CMK_TIER_ARCHIVE] != cmk_gauge_level(world, id, CMK_GAUGE_ARCHIVE)) {
            return "stored bytes are not the sum of the points";
        }
    }
    return NULL;
}

static const char *check_encryption(const CmkWorld *world)
{
    const uint32_t vaults = cmk_world_count(world, CMK_TABLE_BACKUP_VAULT);
    for (uint32_t i = 1; i <= vaults; i++) {
        const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){i});
        if (vault->encryption == CMK_ENCRYPTION_ENABLED && vault->key == 0) {
            return "a vault is Enabled without a key";
        }
        if (vault->key != 0 && vault->encryption == CMK_ENCRYPTION_DISABLED) {
            return "a vault with a key went back to platform-managed keys (BV-18)";
        }
        const CmkVersion *version = cmk_version(world, (CmkVersionId){vault->active_version});
        if (vault->key != 0 && version->key != vault->key) {
            return "a vault uses a version of another key than its settings name";
        }
        const CmkVersion *old = cmk_version(world, (CmkVersionId){vault->old_version});
        if (vault->old_version != 0 && (old->key != vault->key || old == version)) {
            return "a vault needs a version that it has not left";
        }
    }
    return NULL;
}

static const char *check_policies(const CmkWorld *world)
{
    const uint32_t vaults = cmk_world_count(world, CMK_TABLE_BACKUP_VAULT);
    for (uint32_t i = 1; i <= vaults; i++) {
        uint32_t row = cmk_backup_vault(world, (CmkBackupVaultId){i})->first_instance;
        while (row != 0) {
            const CmkInstance *instance = cmk_instance(world, (CmkInstanceId){row});
            if (instance->state != CMK_INSTANCE_PURGED &&
                !cmk_vault_has_policy(world, (CmkBackupVaultId){i},
                                      (CmkPolicyId){instance->policy})) {
                return "an instance uses a policy that is not in its vault (BV-10)";
            }
            row = instance->next_of_vault;
        }
    }
    return NULL;
}

static const char *invariant(const CmkWorld *world)
{
    const char *broken = check_encryption(world);
    broken = broken != NULL ? broken : check_policies(world);
    return broken != NULL ? broken : check_gauges(world);
}

/* Not by kind, only what the timeline says still comes first: it was there before everything. By
 * kind its steps are the first of their class for the same reason. */
enum {
    CLASS_OF_PLAN,
    CLASS_OF_THE_REST
};

static uint32_t class_of_ties(const CmkWorld *world, uint32_t kind)
{
    if (cmk_knob(world, CMK_KNOB_TIES_BY_KIND) != 0) {
        return 2 * events[kind].class_of_ties + (kind != CMK_EVENT_STEP);
    }
    return kind == CMK_EVENT_FAULT || kind == CMK_EVENT_STEP ? CLASS_OF_PLAN : CLASS_OF_THE_REST;
}

static const CmkModel model = {
    .operations = operations,
    .guards = guards,
    .statuses = statuses,
    .events = events,
    .knobs = knobs,
    .operation_count = CMK_OP__COUNT,
    .guard_count = CMK_GUARD__COUNT,
    .status_count = CMK_STATUS__COUNT,
    .event_count = CMK_EVENT__COUNT,
    .knob_count = CMK_KNOB__COUNT,
    .invariant = invariant,
    .class_of_ties = class_of_ties,
};

const CmkModel *cmk_azure_model(void)
{
    return &model;
}

/* ---- looking up ------------------------------------------------------------------------------ */

int32_t cmk_status_find(const char *name)
{
    if (strcmp(name, "ok") == 0) {
        return CMK_STATUS_OK;
    }
    for (uint32_t i = 0; i < CMK_STATUS__COUNT; i++) {
        if (strcmp(statuses[i].name, name) == 0 || strcmp(statuses[i].code, name) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

CmkOpId cmk_operation_find(const char *name)
{
    for (uint32_t i = 1; i < CMK_OP__COUNT; i++) {
        if (strcmp(operations[i]->name, name) == 0) {
            return (CmkOpId)i;
        }
    }
    return CMK_OP_NONE;
}

int32_t cmk_knob_find(const char *name)
{
    for (uint32_t i = 0; i < CMK_KNOB__COUNT; i++) {
        if (strcmp(knobs[i].name, name) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

int32_t cmk_profile_find(const char *name)
{
    static const char *const names[] = {
#define X(profile) #profile,
        CMK_PROFILES(X)
#undef X
    };
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}
