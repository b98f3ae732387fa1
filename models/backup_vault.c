/* Backup vaults: made, moved, deleted; and the opening of the scenario. */
#include "models/access.h"
#include "models/encryption.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/network.h"
#include "models/plan.h"
#include "models/repairs.h"
#include "models/rows.h"

uint32_t cmk_backup_vault_epoch(const CmkWorld *world, uint32_t row)
{
    return cmk_backup_vault(world, (CmkBackupVaultId){row})->epoch;
}

void cmk_backup_vault_succeed(CmkSim *sim, CmkBackupVaultId id)
{
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    if (vault->provisioning == CMK_PROVISIONING_FAILED) {
        vault->provisioning = CMK_PROVISIONING_SUCCEEDED;
    }
}

/* ---- whether it is there --------------------------------------------------------------------- */

static bool backup_vault_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->changed_by;
    return cmk_backup_vault_of(world, args)->state == CMK_BACKUP_VAULT_ACTIVE;
}

const CmkGuard cmk_guard_backup_vault_exists = {.name = "backup-vault-exists",
                                                .holds = backup_vault_exists,
                                                .status = CMK_STATUS_OF(NOT_FOUND),
                                                .rule = "BV-1",
                                                .text = "The Backup vault exists."};

/* One that is being made holds its name already. */
static bool backup_vault_is_absent(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return !backup_vault_exists(world, args, ret_blame) &&
           cmk_backup_vault_of(world, args)->provisioning != CMK_PROVISIONING_CREATING;
}

const CmkGuard cmk_guard_backup_vault_is_absent = {.name = "backup-vault-is-absent",
                                                   .holds = backup_vault_is_absent,
                                                   .status = CMK_STATUS_OF(CONFLICT),
                                                   .rule = "BV-1 BV-12",
                                                   .text = "No Backup vault has this name."};

static bool backup_vault_is_moving(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->changed_by;
    return cmk_backup_vault_of(world, args)->provisioning == CMK_PROVISIONING_MOVING;
}

const CmkGuard cmk_guard_backup_vault_is_moving = {.name = "backup-vault-is-moving",
                                                   .holds = backup_vault_is_moving,
                                                   .status = CMK_STATUS_OF(CONFLICT),
                                                   .rule = "BV-13",
                                                   .text = "The Backup vault is on its way."};

static bool backup_vault_is_not_moving(const CmkWorld *world, const CmkArgs *args,
                                       uint64_t *ret_blame)
{
    return !backup_vault_is_moving(world, args, ret_blame);
}

const CmkGuard cmk_guard_backup_vault_is_not_moving = {
    .name = "backup-vault-is-not-moving",
    .holds = backup_vault_is_not_moving,
    .status = CMK_STATUS_OF(VAULT_IS_MOVING),
    .rule = "BV-14 ERR-19",
    .text = "The Backup vault is not on its way to another resource group."};

/* A deletion may have to wait for the key (BK-35): what is put into the vault meanwhile would
 * outlive it (BV-10). */
static bool backup_vault_is_not_being_deleted(const CmkWorld *world, const CmkArgs *args,
                                              uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->changed_by;
    return cmk_backup_vault_of(world, args)->provisioning != CMK_PROVISIONING_DELETING;
}

const CmkGuard cmk_guard_backup_vault_is_not_being_deleted = {
    .name = "backup-vault-is-not-being-deleted",
    .holds = backup_vault_is_not_being_deleted,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "BV-12",
    .text = "The Backup vault is not on its way to being deleted."};

/* ---- making one (9.4) ------------------------------------------------------------------------ */

static bool infrastructure_has_a_key(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    return args->num[1] != CMK_SAYS_TRUE || args->ref[CMK_REF_KEY] != 0;
}

const CmkGuard cmk_guard_infrastructure_has_a_key = {
    .name = "infrastructure-has-a-key",
    .holds = infrastructure_has_a_key,
    .status = CMK_STATUS_OF(INFRASTRUCTURE_NEEDS_KEY),
    .rule = "BV-21",
    .text = "Infrastructure encryption comes together with a customer-managed key."};

static bool creation_identity_is_user_assigned(const CmkWorld *world, const CmkArgs *args,
                                               uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    return args->ref[CMK_REF_KEY] == 0 ||
           (args->num[CMK_NUM_SYSTEM] == 0 && args->ref[CMK_REF_IDENTITY] != 0);
}

const CmkGuard cmk_guard_creation_identity_is_user_assigned = {
    .name = "creation-identity-is-user-assigned",
    .holds = creation_identity_is_user_assigned,
    .status = CMK_STATUS_OF(SYSTEM_IDENTITY_AT_CREATION),
    .rule = "BV-20 BV-22 BV-T3 BV-41 ERR-16",
    .text = "A Backup vault that is made with a key uses a user-assigned identity."};

static bool creation_identity_exists(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    const CmkIdentity *identity = cmk_identity(world, (CmkIdentityId){args->ref[CMK_REF_IDENTITY]});
    *ret_blame = identity->changed_by;
    return args->ref[CMK_REF_KEY] == 0 || identity->state == CMK_IDENTITY_ACTIVE;
}

const CmkGuard cmk_guard_creation_identity_exists = {
    .name = "creation-identity-exists",
    .holds = creation_identity_exists,
    .status = CMK_STATUS_OF(USER_IDENTITY_NOT_FOUND),
    .rule = "BV-41 ERR-6 ERR-M2",
    .text = "The user-assigned identity that the new vault is to use exists.",
    .repairs = {{CMK_OP_IDENTITY_CREATE, cmk_repair_create_identity, "create the identity again"}}};

static uint32_t backup_vault_create(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    vault->region = args->ref[CMK_REF_REGION];
    vault->redundancy = (uint32_t)args->num[0];
    vault->has_infrastructure_encryption = args->num[1] == CMK_SAYS_TRUE;
    vault->encryption = CMK_ENCRYPTION_DISABLED; /* BV-16 */
    vault->soft_delete = CMK_SOFT_DELETE_ON;
    vault->soft_delete_days = CMK_SOFT_DELETE_DAYS; /* BV-6 */
    vault->has_cross_region_restore = 0;
    vault->immutability = CMK_IMMUTABILITY_DISABLED;
    vault->cross_subscription = CMK_CROSS_SUBSCRIPTION_ENABLED; /* XSR-1 */
    vault->epoch++;
    vault->changed_by = cmk_this_seq(sim);
    uint32_t job = 0;
    if (args->ref[CMK_REF_KEY] == 0) {
        vault->state = CMK_BACKUP_VAULT_ACTIVE;
        vault->provisioning = CMK_PROVISIONING_SUCCEEDED;
    } else {
        cmk_identity_give(sim, args);
        job = cmk_encryption_start(sim, args, CMK_PROVISIONING_CREATING);
    }
    /* Maintenance runs once an interval at a fixed time of day (OQ-26). */
    const CmkTime now = cmk_world_now(sim->world);
    const CmkTime start = cmk_settings(sim->world, (CmkNameId){1})->start;
    const CmkTime first = (now > start ? now : start) + args->num[2];
    (void)cmk_engine_set_timer(sim, first, CMK_EVENT_MAINTENANCE, id.i, args);
    return job;
}

const CmkOperation cmk_op_backup_vault_create = {
    .name = "backup_vault.create",
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .text = "A Backup vault is created, with platform-managed keys or, once all checks of the key "
            "have passed, with a customer-managed one.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION},
               {"redundancy", CMK_PARAM_REDUNDANCY, 1, 1, 0},
               {"key", CMK_PARAM_KEY_TARGET, 0, 0, CMK_REF_KEY},
               {"identity", CMK_PARAM_USER_OR_SYSTEM, 0, 0, CMK_REF_IDENTITY},
               {"infrastructure", CMK_PARAM_BOOLEAN, 1, 0, 1},
               {"maintenance_offset_us", CMK_PARAM_INTEGER, 1, 0, 2}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_ACTOR_MAY_ASSIGN_IDENTITY,
               CMK_GUARD_BACKUP_VAULT_IS_ABSENT, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_INFRASTRUCTURE_HAS_A_KEY, CMK_GUARD_CREATION_IDENTITY_IS_USER_ASSIGNED,
               CMK_GUARD_CREATION_IDENTITY_EXISTS, CMK_GUARD_PRINCIPAL_IS_OF_THE_TENANT,
               CMK_GUARD_USER_IDENTITY_MEETS_OPEN_KEY_VAULT, CMK_GUARD_REGIONS_MATCH},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(ATTACHMENT) | CMK_BIT(IDENTITY) | CMK_BIT(TASK) |
              CMK_BIT_TIMERS,
    .effect = backup_vault_create,
    .rules = "BV-2 BV-12 BV-16 BV-20 BV-21 BV-T1 BV-T2 BV-T4 OQ-16 OQ-26",
    .action = "Microsoft.DataProtection/backupVaults/write",
    .az = "az dataprotection backup-vault create",
};

/* ---- what it holds --------------------------------------------------------------------------- */

static bool holds_points(const CmkWorld *world, const CmkInstance *instance)
{
    uint32_t row = instance->first_queue;
    while (row != 0 && cmk_queue(world, (CmkQueueId){row})->point_count == 0) {
        row = cmk_queue(world, (CmkQueueId){row})->next_of_instance;
    }
    return row != 0;
}

/* The first instance of the vault that is protected or, if asked for, has points; 0 if none. */
static uint32_t first_holder(const CmkWorld *world, const CmkBackupVault *vault, uint32_t points)
{
    uint32_t row = vault->first_instance;
    while (row != 0) {
        const CmkInstance *instance = cmk_instance(world, (CmkInstanceId){row});
        if ((instance->state != CMK_INSTANCE_ABSENT && instance->state != CMK_INSTANCE_PURGED) ||
            (points != 0 && holds_points(world, instance))) {
            break;
        }
        row = instance->next_of_vault;
    }
    return row;
}

static bool nothing_is_protected(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const uint32_t row = first_holder(world, cmk_backup_vault_of(world, args), 0);
    *ret_blame = cmk_instance(world, (CmkInstanceId){row})->changed_by;
    return row == 0;
}

const CmkGuard cmk_guard_nothing_is_protected = {.name = "nothing-is-protected",
                                                 .holds = nothing_is_protected,
                                                 .status = CMK_STATUS_OF(REDUNDANCY_LOCKED),
                                                 .rule = "BV-3",
                                                 .text = "Nothing is protected in the vault."};

static bool backup_vault_is_empty(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const uint32_t row = first_holder(world, cmk_backup_vault_of(world, args), 1);
    *ret_blame = cmk_instance(world, (CmkInstanceId){row})->changed_by;
    return row == 0;
}

const CmkGuard cmk_guard_backup_vault_is_empty = {
    .name = "backup-vault-is-empty",
    .holds = backup_vault_is_empty,
    .status = CMK_STATUS_OF(BACKUP_VAULT_NOT_EMPTY),
    .rule = "BV-10 ERR-10",
    .text = "The Backup vault holds no instances and no recovery points."};

static uint32_t backup_vault_set_redundancy(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    cmk_gauge_close_account(sim, id);
    vault->redundancy = (uint32_t)args->num[0];
    vault->changed_by = cmk_this_seq(sim);
    cmk_backup_vault_succeed(sim, id);
    return id.i;
}

const CmkOperation cmk_op_backup_vault_set_redundancy = {
    .name = "backup_vault.set_redundancy",
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .text = "Copies of a Backup vault's data are to be spread in another way.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"redundancy", CMK_PARAM_REDUNDANCY, 1, 1, 0}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_EXISTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_NOTHING_IS_PROTECTED, CMK_GUARD_CROSS_REGION_RESTORE_IS_KEPT},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(GAUGE) | CMK_BIT(STATEMENT),
    .effect = backup_vault_set_redundancy,
    .rules = "BV-2 BV-3 BV-4 BV-12",
    .action = "Microsoft.DataProtection/backupVaults/write",
    .az = "az dataprotection backup-vault update",
};

/* ---- deleting one (BK-35) -------------------------------------------------------------------- */

/* Of the state of the settings nothing is asked: the requests of BK-35 tell whether they are broken
 * (OQ-21), and a vault whose first enabling failed has no key to ask for. */
bool cmk_deletion_needs_key(const CmkWorld *world, CmkBackupVaultId id)
{
    return cmk_backup_vault(world, id)->key != 0 &&
           cmk_knob(world, CMK_KNOB_EMPTY_VAULT_DELETION_NEEDS_KEY) != 0;
}

static uint32_t backup_vault_delete(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    cmk_backup_vault_mut(sim, id)->provisioning = CMK_PROVISIONING_DELETING;
    return cmk_task_start(sim, args, CMK_TASK_DELETION, id).i;
}

const CmkOperation cmk_op_backup_vault_delete = {
    .name = "backup_vault.delete",
    .permission = CMK_PERMISSION_BACKUP_VAULT_DELETE,
    .text = "An empty Backup vault is to be deleted; one with a customer-managed key needs it.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_EXISTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_SETTINGS_ARE_NOT_BEING_UPDATED, CMK_GUARD_BACKUP_VAULT_IS_EMPTY,
               CMK_GUARD_POLICIES_ARE_DELETED},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(TASK) | CMK_BIT_TIMERS,
    .effect = backup_vault_delete,
    .rules = "BV-10 BK-35 ERR-7 ERR-10 OQ-21",
    .action = "Microsoft.DataProtection/backupVaults/delete",
    .az = "az dataprotection backup-vault delete",
};

static uint32_t backup_vault_vanish(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    cmk_gauge_close_account(sim, id); /* another vault of this name may have another price */
    cmk_encryption_forget(sim, id);
    cmk_identity_take_all(sim, id);
    cmk_network_disconnect_backup_vault(sim, id);
    vault->state = CMK_BACKUP_VAULT_ABSENT;
    vault->provisioning = CMK_PROVISIONING_NONE;
    vault->first_instance = 0;
    vault->first_policy = 0;
    vault->resource_guard = 0;
    vault->epoch++;
    vault->changed_by = cmk_this_seq(sim);
    cmk_deleted_vault_keep(sim, id, args);
    cmk_task_complete(sim, (CmkTaskId){args->ref[CMK_REF_TASK]});
    return id.i;
}

const CmkOperation cmk_op_backup_vault_vanish = {
    .name = "backup_vault.vanish",
    .text = "A deleted Backup vault is gone, and its system-assigned identity with it.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT}},
    .guards = {CMK_GUARD_TASK_IS_RUNNING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_BACKUP_SERVICE_WORKS},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(KEY) | CMK_BIT(ATTACHMENT) | CMK_BIT(PRINCIPAL) |
              CMK_BIT(TASK) | CMK_BIT(GAUGE) | CMK_BIT(STATEMENT) | CMK_BIT(PRIVATE_ENDPOINT) |
              CMK_BIT_TIMERS,
    .effect = backup_vault_vanish,
    .rules = "BV-10 BV-11 MI-1 BK-35",
};

/* ---- moving one (BV-13, BV-14) --------------------------------------------------------------- */

static bool resource_group_is_another(const CmkWorld *world, const CmkArgs *args,
                                      uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->changed_by;
    return args->ref[CMK_REF_SCOPE] != 0 &&
           args->ref[CMK_REF_SCOPE] != cmk_backup_vault_of(world, args)->resource_group;
}

const CmkGuard cmk_guard_resource_group_is_another = {
    .name = "resource-group-is-another",
    .holds = resource_group_is_another,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "BV-13",
    .text = "The Backup vault is to be moved to another resource group than its own."};

/* As for BV-18 and OQ-21 the state says what a vault is: a first key that met an internal error
 * left it Inconsistent, so it is one with a customer-managed key, though no key is in use yet. */
static bool backup_vault_has_platform_keys(const CmkWorld *world, const CmkArgs *args,
                                           uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->encryption_by;
    return cmk_backup_vault_of(world, args)->encryption == CMK_ENCRYPTION_DISABLED;
}

const CmkGuard cmk_guard_backup_vault_has_platform_keys = {
    .name = "backup-vault-has-platform-keys",
    .holds = backup_vault_has_platform_keys,
    .status = CMK_STATUS_OF(VAULT_MOVE_NOT_SUPPORTED),
    .rule = "BV-13 ERR-13",
    .text = "The Backup vault has platform-managed keys: the state of its settings is Disabled."};

/* The last move to another tenant of the subscription that the vault is in, or is to be in. */
static uint64_t moved_by(const CmkWorld *world, const CmkArgs *args)
{
    const CmkScopeId from = {cmk_backup_vault_of(world, args)->resource_group};
    const CmkScopeId to = {args->ref[CMK_REF_SCOPE]};
    const uint64_t old = cmk_scope(world, cmk_scope_subscription(world, from))->changed_by;
    const uint64_t new = cmk_scope(world, cmk_scope_subscription(world, to))->changed_by;
    return new > old ? new : old;
}

/* An identity outlives the move of its subscription to another tenant, its principal does not; and
 * a vault may move into a subscription of another tenant. */
static bool is_of_tenant(const CmkWorld *world, CmkPrincipalId principal, uint32_t tenant)
{
    return cmk_principal_is_alive(world, principal) &&
           cmk_principal(world, principal)->tenant == tenant;
}

static bool identities_are_of_the_tenant(const CmkWorld *world, const CmkArgs *args,
                                         uint64_t *ret_blame)
{
    const CmkPrincipalId system = {cmk_backup_vault_of(world, args)->system_principal};
    const uint32_t tenant = cmk_scope_tenant(world, (CmkScopeId){args->ref[CMK_REF_SCOPE]});
    *ret_blame = moved_by(world, args);
    if (system.i != 0 && !is_of_tenant(world, system, tenant)) {
        return false;
    }
    uint32_t row = cmk_backup_vault_of(world, args)->first_attachment;
    while (row != 0) {
        const CmkAttachment *attachment = cmk_attachment(world, (CmkAttachmentId){row});
        const CmkIdentity *identity = cmk_identity(world, (CmkIdentityId){attachment->identity});
        if (attachment->is_attached != 0 &&
            !is_of_tenant(world, (CmkPrincipalId){identity->principal}, tenant)) {
            return false;
        }
        row = attachment->next_of_vault;
    }
    return true;
}

const CmkGuard cmk_guard_identities_are_of_the_tenant = {
    .name = "identities-are-of-the-tenant",
    .holds = identities_are_of_the_tenant,
    .status = CMK_STATUS_OF(CROSS_TENANT_MOVE),
    .rule = "ERR-9",
    .text = "Each identity of the Backup vault is of the tenant that the vault is to be in."};

static uint32_t backup_vault_move(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    vault->provisioning = CMK_PROVISIONING_MOVING;
    vault->moving_to = args->ref[CMK_REF_SCOPE];
    vault->changed_by = cmk_this_seq(sim);
    const CmkTime end =
        cmk_world_now(sim->world) + cmk_knob(sim->world, CMK_KNOB_VAULT_MOVE_DURATION);
    (void)cmk_engine_set_timer(sim, end, CMK_EVENT_ARRIVAL, id.i, args);
    return id.i;
}

const CmkOperation cmk_op_backup_vault_move = {
    .name = "backup_vault.move",
    .permission = CMK_PERMISSION_BACKUP_VAULT_DELETE,
    .text = "A Backup vault with platform-managed keys moves to another resource group.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"resource_group", CMK_PARAM_RESOURCE_GROUP, 0, 1, CMK_REF_SCOPE}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_ACTOR_MAY_WRITE_THERE,
               CMK_GUARD_BACKUP_VAULT_EXISTS, CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, CMK_GUARD_SETTINGS_ARE_NOT_BEING_UPDATED,
               CMK_GUARD_BACKUP_VAULT_HAS_PLATFORM_KEYS, CMK_GUARD_IDENTITIES_ARE_OF_THE_TENANT,
               CMK_GUARD_RESOURCE_GROUP_IS_ANOTHER},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT_TIMERS,
    .effect = backup_vault_move,
    .rules = "BV-13 BV-14 ERR-9 ERR-13",
    .action = "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action",
    .az = "az resource move",
};

static uint32_t backup_vault_arrive(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    vault->resource_group = vault->moving_to;
    vault->moving_to = 0;
    vault->provisioning = CMK_PROVISIONING_SUCCEEDED;
    vault->changed_by = cmk_this_seq(sim);
    return id.i;
}

const CmkOperation cmk_op_backup_vault_arrive = {
    .name = "backup_vault.arrive",
    .text = "A Backup vault has arrived in its new resource group.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT}},
    .guards = {CMK_GUARD_BACKUP_VAULT_IS_MOVING},
    .writes = CMK_BIT(BACKUP_VAULT),
    .effect = backup_vault_arrive,
    .rules = "BV-13 BV-14",
};

void cmk_on_arrival(CmkSim *sim, const CmkTimer *timer)
{
    CmkArgs args = cmk_args_of_timer(CMK_OP_BACKUP_VAULT_ARRIVE, timer);
    args.ref[CMK_REF_BACKUP_VAULT] = timer->subject;
    (void)cmk_apply(sim, &args);
}

/* ---- the opening ----------------------------------------------------------------------------- */

static uint32_t simulation_open(CmkSim *sim, const CmkArgs *args)
{
    CmkSettings *settings = cmk_settings_mut(sim, (CmkNameId){1});
    settings->opened_by = cmk_this_seq(sim);
    if (cmk_world_count(sim->world, CMK_TABLE_PLAN) > 0) {
        const CmkPlanId first = {1};
        (void)cmk_engine_set_timer(sim, cmk_plan(sim->world, first)->time,
                                   cmk_plan_event(sim->world, first), first.i, args);
    }
    return 0;
}

const CmkOperation cmk_op_simulation_open = {
    .name = "simulation.open",
    .text = "The world is set up; the scenario begins, requests are counted and billed.",
    .writes = CMK_BIT(SETTINGS) | CMK_BIT_TIMERS,
    .effect = simulation_open,
    .rules = "",
};
