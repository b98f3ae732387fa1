#include "tests/unit/models/estate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/access.h"
#include "models/key_vault.h"
#include "models/plan.h"
#include "tests/unit/models/mutant.h"

/* ---- the tape -------------------------------------------------------------------------------- */

static void read_to_tape(void *self, const CmkWorld *world, const CmkRecord *record)
{
    Tape *tape = self;
    (void)world;
    if (tape->count == tape->room) {
        tape->room = tape->room == 0 ? 256 : tape->room * 2;
        tape->records = realloc(tape->records, tape->room * sizeof(*tape->records));
        CMK_ASSERT(tape->records != NULL);
    }
    tape->records[tape->count++] = *record;
}

CmkReader tape_reader(Tape *tape)
{
    return (CmkReader){.read = read_to_tape, .self = tape};
}

const CmkRecord *estate_nth(const Estate *estate, CmkOpId op, uint32_t n)
{
    for (uint32_t i = 0; i < estate->tape.count; i++) {
        if (estate->tape.records[i].args.op == op && n-- == 0) {
            return &estate->tape.records[i];
        }
    }
    return NULL;
}

const CmkRecord *estate_last(const Estate *estate, CmkOpId op)
{
    for (uint32_t i = estate->tape.count; i > 0; i--) {
        if (estate->tape.records[i - 1].args.op == op) {
            return &estate->tape.records[i - 1];
        }
    }
    return NULL;
}

uint32_t estate_count(const Estate *estate, CmkOpId op)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < estate->tape.count; i++) {
        count += estate->tape.records[i].args.op == op;
    }
    return count;
}

void estate_rewind(Estate *estate)
{
    estate->tape.count = 0;
}

/* ---- arguments ------------------------------------------------------------------------------- */

static uint32_t running_task(const CmkWorld *world)
{
    for (uint32_t i = cmk_world_count(world, CMK_TABLE_TASK); i > 0; i--) {
        if (cmk_task(world, (CmkTaskId){i})->state == CMK_TASK_RUNNING) {
            return i;
        }
    }
    return 0;
}

CmkPointId estate_point(const Estate *estate, int64_t choice)
{
    return cmk_plan_choose_point(estate->sim.world,
                                 &(CmkArgs){.op = CMK_OP_BACKUP_RESTORE,
                                            .ref = {[CMK_REF_INSTANCE] = ESTATE_INSTANCE},
                                            .num = {choice}});
}

static void fill_numbers(CmkArgs *args)
{
    switch (args->op) {
    case CMK_OP_KEY_VAULT_CREATE:
        args->num[1] = CMK_SAYS_TRUE; /* soft delete, purge protection */
        args->num[4] = CMK_SAYS_TRUE;
        args->num[2] = 90;
        break;
    case CMK_OP_KEY_CREATE:
    case CMK_OP_KEY_IMPORT:
        args->num[1] = 2048;
        break;
    case CMK_OP_KEY_GET:
    case CMK_OP_KEY_WRAP:
    case CMK_OP_BACKUP_ACCEPT_KEY:
    case CMK_OP_KEY_UNWRAP:
        args->num[0] = 1;
        break;
    case CMK_OP_ROLE_ASSIGN:
        args->num[0] = cmk_role_find("Key Vault Crypto Service Encryption User");
        break;
    case CMK_OP_ACCESS_POLICY_SET:
        args->num[0] = CMK_PERMISSION_GET | CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP;
        break;
    case CMK_OP_KEY_SET_ROTATION_POLICY:
        args->num[0] = 90 * CMK_DAY_US;
        break;
    case CMK_OP_SECRET_UPDATE:
        args->num[0] = CMK_SAYS_FALSE;
        break;
    case CMK_OP_ROLE_PROPAGATE:
    case CMK_OP_MEMBERSHIP_ACT:
        args->num[0] = 1;
        break;
    case CMK_OP_KEY_VAULT_SET_NETWORK:
    case CMK_OP_MANAGED_HSM_SET_NETWORK:
        args->num[1] = CMK_DEFAULT_ACTION_DENY + 1;
        break;
    case CMK_OP_INSTANCE_PROTECT:
        args->num[0] = cmk_datasource_find("AzureDataLakeStorage");
        args->num[1] = 100 * GB;
        args->num[2] = 20000;
        break;
    default:
        break;
    }
}

static uint32_t network_of(CmkOpId op)
{
    switch (op) {
    case CMK_OP_KEY_VAULT_ADD_NETWORK_RULE:
    case CMK_OP_KEY_VAULT_REMOVE_NETWORK_RULE:
    case CMK_OP_KEY_VAULT_ADD_PERIMETER_RULE:
    case CMK_OP_KEY_VAULT_REMOVE_PERIMETER_RULE:
    case CMK_OP_MANAGED_HSM_ADD_NETWORK_RULE:
    case CMK_OP_MANAGED_HSM_REMOVE_NETWORK_RULE:
        return ESTATE_OFFICE;
    case CMK_OP_KEY_VAULT_CONNECT_PRIVATE_ENDPOINT:
    case CMK_OP_KEY_VAULT_APPROVE_PRIVATE_ENDPOINT:
    case CMK_OP_KEY_VAULT_REJECT_PRIVATE_ENDPOINT:
    case CMK_OP_KEY_VAULT_DISCONNECT_PRIVATE_ENDPOINT:
    case CMK_OP_MANAGED_HSM_CONNECT_PRIVATE_ENDPOINT:
    case CMK_OP_MANAGED_HSM_APPROVE_PRIVATE_ENDPOINT:
    case CMK_OP_MANAGED_HSM_REJECT_PRIVATE_ENDPOINT:
    case CMK_OP_MANAGED_HSM_DISCONNECT_PRIVATE_ENDPOINT:
    case CMK_OP_BACKUP_VAULT_ADD_PRIVATE_ENDPOINT:
    case CMK_OP_BACKUP_VAULT_REMOVE_PRIVATE_ENDPOINT:
        return ESTATE_SUBNET;
    default:
        return 0;
    }
}

static bool is_about_keys(CmkOpId op)
{
    const CmkParam *params = cmk_azure_model()->operations[op]->params;
    for (uint32_t i = 0; i < CMK_PARAMS_MAX && params[i].name != NULL; i++) {
        if (params[i].type == CMK_PARAM_KEY || params[i].type == CMK_PARAM_KEY_TARGET ||
            params[i].type == CMK_PARAM_KEY_STORE || params[i].type == CMK_PARAM_SCOPE) {
            return true;
        }
    }
    return false;
}

/* In an estate with a Managed HSM keys are in there, and roles too. */
static void name_hsm(const Estate *estate, CmkArgs *args)
{
    const char *name = cmk_azure_model()->operations[args->op]->name;
    const CmkManagedHsm *hsm = cmk_managed_hsm(estate->sim.world, (CmkManagedHsmId){ESTATE_HSM});
    if (hsm->state != CMK_MANAGED_HSM_ABSENT && is_about_keys(args->op)) {
        args->ref[CMK_REF_KEY_VAULT] = 0;
        args->ref[CMK_REF_MANAGED_HSM] = ESTATE_HSM;
        args->ref[CMK_REF_KEY] = ESTATE_HSM_KEY;
    }
    if (args->op == CMK_OP_KEY_LIST || args->op == CMK_OP_KEY_LIST_DELETED) {
        args->ref[CMK_REF_KEY] = 0; /* it is about none */
    }
    if (strncmp(name, "managed_hsm.", strlen("managed_hsm.")) == 0) {
        args->ref[CMK_REF_MANAGED_HSM] = ESTATE_HSM;
    }
    if (args->op == CMK_OP_MANAGED_HSM_EXTEND) {
        args->ref[CMK_REF_REGION] = cmk_region_find("uksouth").i;
    }
    if (args->op == CMK_OP_MANAGED_HSM_ACTIVATE || args->op == CMK_OP_MANAGED_HSM_RESTORE) {
        args->ref[CMK_REF_MANAGED_HSM] = ESTATE_NEW_HSM;
    }
    if (args->ref[CMK_REF_MANAGED_HSM] != 0) {
        switch (args->op) {
        case CMK_OP_KEY_CREATE:
        case CMK_OP_KEY_IMPORT:
            args->num[0] = CMK_KEY_RSA_HSM;
            break;
        case CMK_OP_ROLE_ASSIGN:
            args->num[0] = cmk_role_find("Managed HSM Crypto Service Encryption User");
            break;
        case CMK_OP_MANAGED_HSM_CREATE:
            args->num[0] = CMK_SAYS_TRUE;
            break;
        case CMK_OP_MANAGED_HSM_RESTORE:
            args->num[0] = ESTATE_HSM;
            break;
        default:
            break;
        }
    }
}

CmkArgs estate_args(const Estate *estate, CmkOpId op)
{
    const CmkWorld *world = estate->sim.world;
    const CmkBackupVault *vault = estate_vault(estate);
    const bool uses_system = vault->key != 0 && vault->identity == 0;
    CmkArgs args = {.op = op,
                    .actor = CMK_ACTOR_STEP,
                    .ref = {[CMK_REF_BACKUP_VAULT] = ESTATE_VAULT,
                            [CMK_REF_INSTANCE] = ESTATE_INSTANCE,
                            [CMK_REF_QUEUE] = cmk_world_count(world, CMK_TABLE_QUEUE) > 0,
                            [CMK_REF_POINT] = estate_point(estate, CMK_POINT_LATEST).i,
                            [CMK_REF_TASK] = running_task(world),
                            [CMK_REF_KEY_VAULT] = ESTATE_KV,
                            [CMK_REF_KEY] = ESTATE_KEY,
                            [CMK_REF_VERSION] = vault->active_version,
                            [CMK_REF_IDENTITY] = uses_system ? 0 : ESTATE_IDENTITY,
                            [CMK_REF_PRINCIPAL] = vault->principal,
                            [CMK_REF_REGION] = cmk_region_find("westeurope").i,
                            [CMK_REF_POLICY] = ESTATE_POLICY,
                            [CMK_REF_GROUP] = ESTATE_GROUP,
                            [CMK_REF_NETWORK] = network_of(op)}};
    fill_numbers(&args);
    name_hsm(estate, &args);
    if (op == CMK_OP_ROLE_ASSIGN || op == CMK_OP_ROLE_REMOVE || op == CMK_OP_ROLE_REMOVE_ORPHANED) {
        args.ref[CMK_REF_KEY] = 0; /* the scope is the key vault */
    }
    if (op == CMK_OP_BACKUP_VAULT_CREATE) { /* with platform-managed keys */
        args.ref[CMK_REF_KEY] = args.ref[CMK_REF_VERSION] = args.ref[CMK_REF_IDENTITY] = 0;
        args.ref[CMK_REF_MANAGED_HSM] = 0;
        args.num[2] = 6 * CMK_HOUR_US; /* maintenance */
    }
    if (op == CMK_OP_BACKUP_VAULT_MOVE) {
        args.ref[CMK_REF_SCOPE] = ESTATE_OTHER_GROUP;
    }
    if (op >= CMK_OP_SECRET_SET && op <= CMK_OP_SECRET_GET) {
        args.ref[CMK_REF_SECRET] = ESTATE_SECRET;
        args.ref[CMK_REF_KEY] = args.ref[CMK_REF_VERSION] = args.ref[CMK_REF_IDENTITY] = 0;
        args.ref[CMK_REF_PRINCIPAL] = vault->system_principal;
    }
    if (op == CMK_OP_BACKUP_VAULT_SET_RESOURCE_GUARD) {
        args.ref[CMK_REF_RESOURCE_GUARD] = ESTATE_RESOURCE_GUARD;
    }
    if (op == CMK_OP_SUBSCRIPTION_MOVE_TENANT) {
        args.ref[CMK_REF_SCOPE] = ESTATE_SUBSCRIPTION;
    }
    if (op == CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION) {
        args.ref[CMK_REF_VERSION] = vault->pinned_version;
        args.num[CMK_NUM_SYSTEM] = uses_system;
    }
    return args;
}

/* ---- applying -------------------------------------------------------------------------------- */

CmkOutcome estate_apply(Estate *estate, const CmkArgs *args)
{
    return cmk_apply(&estate->sim, args);
}

CmkOutcome estate_try(Estate *estate, CmkOpId op)
{
    const CmkArgs args = estate_args(estate, op);
    return estate_apply(estate, &args);
}

uint32_t estate_must_apply(Estate *estate, CmkArgs args)
{
    const CmkOutcome outcome = cmk_apply(&estate->sim, &args);
    if (outcome.status != CMK_STATUS_OK && estate->trouble[0] == '\0') {
        (void)snprintf(estate->trouble, sizeof(estate->trouble), "%s was refused by %s",
                       estate->sim.model->operations[args.op]->name,
                       estate_guard_name(estate, outcome.guard));
    }
    return outcome.result;
}

uint32_t estate_must(Estate *estate, CmkOpId op)
{
    return estate_must_apply(estate, estate_args(estate, op));
}

void estate_run_until(Estate *estate, CmkTime time)
{
    const CmkEngineEnd end = cmk_engine_run(&estate->sim, time, NULL, NULL);
    CMK_ASSERT(end == CMK_ENGINE_REACHED);
}

void estate_run(Estate *estate, int64_t duration_us)
{
    estate_run_until(estate, cmk_world_now(estate->sim.world) + duration_us);
}

const CmkBackupVault *estate_vault(const Estate *estate)
{
    return cmk_backup_vault(estate->sim.world, (CmkBackupVaultId){ESTATE_VAULT});
}

const char *estate_status_name(const Estate *estate, CmkStatus status)
{
    return estate->sim.model->statuses[status].name;
}

const char *estate_guard_name(const Estate *estate, CmkGuardId guard)
{
    return guard == CMK_GUARD_NONE ? "ok" : estate->sim.model->guards[guard]->name;
}

/* ---- building -------------------------------------------------------------------------------- */

static CmkWorld *make_world(const EstateOptions *options, const CmkModel *model)
{
    CmkLimits limits = {.timers = 4096};
    for (uint32_t i = 0; i < CMK_TABLE__COUNT; i++) {
        limits.rows[i] = 256;
    }
    limits.rows[CMK_TABLE_POINT] = 4096;
    limits.rows[CMK_TABLE_PRINCIPAL] = 2048;
    limits.rows[CMK_TABLE_KEPT_VERSION] = 4096;
    limits.rows[CMK_TABLE_ACCESS_POLICY] = 2048;
    int64_t knobs[CMK_KNOB__COUNT];
    const char *broken = mutant_name("knob"); /* what the test asks for is not heard */
    for (uint32_t i = 0; i < CMK_KNOB__COUNT; i++) {
        const CmkKnob *knob = &model->knobs[i];
        const bool is_told =
            options->knobs[i] != 0 && (broken == NULL || strcmp(knob->name, broken) != 0);
        knobs[i] = is_told ? options->knobs[i] - 1 : knob->values[options->profile];
    }
    CmkWorld *world = cmk_azure_world_new(&limits, ESTATE_SEED, ESTATE_SETUP, ESTATE_START, knobs);
    CMK_ASSERT(world != NULL);
    return world;
}

static int64_t or_else(int64_t value, int64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static void declare_policies(CmkWorld *world, const EstateOptions *options)
{
    CmkPolicy policy = {.has_vault = 1,
                        .has_operational = options->has_operational,
                        .has_archive = options->archive_days != 0,
                        .schedule_count = 1};
    policy.schedules[0] =
        (CmkSchedule){.start = ESTATE_START - 30 * CMK_DAY_US + 2 * CMK_HOUR_US,
                      .period = {.us = or_else(options->schedule_us, CMK_DAY_US)}};
    CmkRetention *rule = &policy.retention[CMK_TAG_DEFAULT];
    *rule = (CmkRetention){.criterion = CMK_CRITERION_ALL_BACKUPS,
                           .priority = CMK_PRIORITY_DEFAULT,
                           .archiving = options->archive_days != 0 ? CMK_ARCHIVING_AFTER : 0,
                           .operational = {.us = 2 * CMK_DAY_US},
                           .vault = {.us = or_else(options->retention_days, 7) * CMK_DAY_US},
                           .archive_after = {.us = options->archive_days * CMK_DAY_US}};
    for (uint32_t i = 1; options->has_rules && i <= CMK_TAG_MONTHLY; i++) {
        policy.retention[i] = *rule;
        policy.retention[i].criterion = CMK_CRITERION_FIRST_OF_DAY + i - 1;
        policy.retention[i].priority = CMK_PRIORITY_DEFAULT - 10 * i;
        policy.retention[i].vault.us += i * CMK_DAY_US; /* default, daily, weekly, monthly */
        policy.retention[i].operational.us += i * CMK_DAY_US;
    }
    const CmkPolicy usual = policy;
    (void)cmk_declare_policy(world, &policy, "daily");
    policy.has_archive = 1;
    rule->archiving = CMK_ARCHIVING_AFTER;
    rule->archive_after.us = CMK_DAY_US;
    for (uint32_t i = 0; i < 7; i++) { /* daily, as databases have it */
        policy.schedules[i] = (CmkSchedule){.start = policy.schedules[0].start + i * CMK_DAY_US,
                                            .period = {.us = 7 * CMK_DAY_US}};
    }
    policy.schedule_count = 7;
    const CmkPolicy with_archive = policy;
    (void)cmk_declare_policy(world, &with_archive, "with-archive");
    CmkPolicy other = usual;
    other.has_operational = 1;
    other.has_vault = 0;
    (void)cmk_declare_policy(world, &other, "snapshots");
    other = with_archive;
    other.has_archive = options->archive_days != 0;
    other.retention[CMK_TAG_DEFAULT] = usual.retention[CMK_TAG_DEFAULT];
    other.retention[CMK_TAG_DEFAULT].vault.us -= CMK_DAY_US;
    (void)cmk_declare_policy(world, &other, "short");
    other = with_archive;
    other.has_operational = 1;
    (void)cmk_declare_policy(world, &other, "absent");
    other = usual;
    other.has_operational = 1;
    other.has_vault = 0;
    other.schedule_count = 0;
    (void)cmk_declare_policy(world, &other, "continuous");
}

static void place_all(CmkWorld *world)
{
    const CmkScopeId group = {ESTATE_RESOURCE_GROUP};
    cmk_place_key_vault(world, (CmkKeyVaultId){ESTATE_KV}, group);
    cmk_place_key_vault(world, (CmkKeyVaultId){ESTATE_ABSENT_KV}, group);
    for (uint32_t i = ESTATE_IDENTITY; i <= ESTATE_ABSENT_IDENTITY; i++) {
        cmk_place_identity(world, (CmkIdentityId){i}, group);
    }
    for (uint32_t i = ESTATE_HSM; i <= ESTATE_ABSENT_HSM + 3; i++) {
        cmk_place_managed_hsm(world, (CmkManagedHsmId){i}, group);
    }
    cmk_place_backup_vault(world, (CmkBackupVaultId){ESTATE_VAULT}, group);
    cmk_place_backup_vault(world, (CmkBackupVaultId){ESTATE_ABSENT_VAULT}, group);
}

static void declare_access(CmkWorld *world)
{
    CmkScopeId scope =
        cmk_declare_scope(world, CMK_SCOPE_MANAGEMENT_GROUP, (CmkScopeId){0}, "management-group");
    scope = cmk_declare_scope(world, CMK_SCOPE_SUBSCRIPTION, scope, "subscription");
    scope = cmk_declare_scope(world, CMK_SCOPE_RESOURCE_GROUP, scope, "resource-group");
    CMK_ASSERT(scope.i == ESTATE_RESOURCE_GROUP);
    scope = cmk_declare_scope(world, CMK_SCOPE_RESOURCE_GROUP,
                              (CmkScopeId){CMK_SCOPE_DEFAULT_SUBSCRIPTION}, "guards");
    (void)cmk_declare_resource_guard(world, scope, 0, "guard");
    (void)cmk_declare_resource_guard(world, scope, UINT32_MAX, "lenient-guard");
    (void)cmk_declare_person(world, CMK_PERSON_USER, "nobody");
    (void)cmk_declare_person(world, CMK_PERSON_USER, "alice");
    (void)cmk_declare_person(world, CMK_PERSON_GROUP, "group");
}

static void declare_networks(CmkWorld *world)
{
    const uint32_t office = UINT32_C(203) << 24 | UINT32_C(113) << 8;
    const CmkNetwork ranges[] = {
        {.address = office, .prefix_bits = 24},
        {.address = office | 17, .prefix_bits = 32},
        {.address = UINT32_C(192) << 24 | UINT32_C(168) << 16, .prefix_bits = 16}};
    const CmkNetwork subnet = {.kind = CMK_NETWORK_SUBNET};
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(ranges); i++) {
        (void)cmk_declare_network(world, &ranges[i], "range");
    }
    (void)cmk_declare_network(world, &subnet, "subnet");
    (void)cmk_declare_network(world, &subnet, "other-subnet");
}

static void declare_hsms(CmkWorld *world)
{
    const CmkManagedHsmId hsm = cmk_declare_managed_hsm(world, "hsm");
    const CmkManagedHsmId new_hsm = cmk_declare_managed_hsm(world, "new-hsm");
    (void)cmk_declare_hsm_key(world, hsm, "hsm-key");
    (void)cmk_declare_hsm_key(world, hsm, "other-hsm-key");
    (void)cmk_declare_hsm_key(world, hsm, "absent-hsm-key");
    (void)cmk_declare_hsm_key(world, new_hsm, "HSM-Key");
    (void)cmk_declare_managed_hsm(world, "absent-hsm");
    (void)cmk_declare_managed_hsm(world, "fourth-hsm");
    (void)cmk_declare_managed_hsm(world, "fifth-hsm");
    (void)cmk_declare_managed_hsm(world, "sixth-hsm");
}

static void declare(CmkWorld *world, const EstateOptions *options)
{
    declare_networks(world);
    declare_access(world);
    const CmkKeyVaultId key_vault = cmk_declare_key_vault(world, "kv");
    const CmkKeyVaultId spare = cmk_declare_key_vault(world, "spare-kv");
    const CmkKeyVaultId absent_kv = cmk_declare_key_vault(world, "absent-kv");
    (void)cmk_declare_key(world, key_vault, "key");
    (void)cmk_declare_key(world, key_vault, "other-key");
    (void)cmk_declare_key(world, spare, "spare-key");
    (void)cmk_declare_key(world, key_vault, "absent-key");
    (void)cmk_declare_key(world, absent_kv, "key");
    (void)cmk_declare_key(world, spare, "key");
    (void)cmk_declare_secret(world, key_vault, "secret");
    declare_hsms(world);
    (void)cmk_declare_identity(world, "identity");
    (void)cmk_declare_identity(world, "other-identity");
    (void)cmk_declare_identity(world, "loose-identity");
    (void)cmk_declare_identity(world, "absent-identity");
    const CmkBackupVaultId vault = cmk_declare_backup_vault(world, "vault");
    const CmkBackupVaultId absent = cmk_declare_backup_vault(world, "absent-vault");
    (void)cmk_declare_instance(world, vault, "instance");
    (void)cmk_declare_instance(world, vault, "idle-instance");
    (void)cmk_declare_instance(world, absent, "homeless-instance");
    place_all(world);
    declare_policies(world, options);
    for (uint32_t i = 0; i < options->plan_count; i++) {
        (void)cmk_declare_plan(world, &options->plan[i], NULL);
    }
}

/* Without soft delete there is no purge protection either (SD-3). */
static void protect_less(CmkArgs *create, bool has_no_soft_delete, bool has_no_purge_protection)
{
    if (has_no_soft_delete) {
        create->num[1] = CMK_SAYS_FALSE;
    }
    if (has_no_soft_delete || has_no_purge_protection) {
        create->num[4] = CMK_SAYS_FALSE;
    }
}

static void create_hsm_keys(Estate *estate, const EstateOptions *options)
{
    CmkArgs args = estate_args(estate, CMK_OP_MANAGED_HSM_CREATE);
    args.num[0] = options->has_no_purge_protection ? CMK_SAYS_FALSE : CMK_SAYS_TRUE;
    (void)estate_must_apply(estate, args);
    args.ref[CMK_REF_MANAGED_HSM] = ESTATE_NEW_HSM;
    (void)estate_must_apply(estate, args);
    args = estate_args(estate, CMK_OP_MANAGED_HSM_ACTIVATE);
    args.ref[CMK_REF_MANAGED_HSM] = ESTATE_HSM;
    (void)estate_must_apply(estate, args);
    (void)estate_must(estate, CMK_OP_KEY_CREATE);
    args = estate_args(estate, CMK_OP_KEY_CREATE);
    args.ref[CMK_REF_KEY] = ESTATE_OTHER_HSM_KEY;
    args.num[0] = options->other_hsm_key_type != 0 ? options->other_hsm_key_type : CMK_KEY_RSA_HSM;
    args.num[1] = options->other_hsm_key_type != 0 ? 0 : 3072;
    (void)estate_must_apply(estate, args);
}

static void create_keys(Estate *estate, const EstateOptions *options)
{
    CmkArgs args = estate_args(estate, CMK_OP_KEY_VAULT_CREATE);
    args.num[0] = options->uses_policies ? CMK_PERMISSIONS_POLICY : CMK_PERMISSIONS_RBAC;
    protect_less(&args, options->has_no_soft_delete, options->has_no_purge_protection);
    args.num[3] = options->sku;
    (void)estate_must_apply(estate, args);
    protect_less(&args, options->spare_has_no_soft_delete, options->spare_has_no_purge_protection);
    args.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    args.ref[CMK_REF_REGION] = cmk_region_find("italynorth").i;
    (void)estate_must_apply(estate, args);

    (void)estate_must(estate, CMK_OP_KEY_CREATE); /* before any HSM: in the key vault */
    args = estate_args(estate, CMK_OP_KEY_CREATE);
    args.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
    args.num[0] = options->other_key_type;
    args.num[1] = options->other_key_bits != 0 ? options->other_key_bits : 2048;
    (void)estate_must_apply(estate, args);
    args.ref[CMK_REF_KEY] = ESTATE_SPARE_KEY;
    args.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    args.num[0] = options->spare_key_type;
    args.num[1] = options->spare_key_type == CMK_KEY_RSA ? 3072 : 0; /* else: the usual one */
    (void)estate_must_apply(estate, args);
    if (options->uses_hsm) {
        create_hsm_keys(estate, options);
    }
}

/* On both key vaults, in the way that they know, and in the Managed HSM if there is one. */
static void give_rights(Estate *estate, const EstateOptions *options, uint32_t identity)
{
    const CmkOpId op = options->uses_policies ? CMK_OP_ACCESS_POLICY_SET : CMK_OP_ROLE_ASSIGN;
    for (uint32_t key_vault = ESTATE_KV; key_vault <= ESTATE_SPARE_KV; key_vault++) {
        CmkArgs args = estate_args(estate, op);
        args.ref[CMK_REF_IDENTITY] = identity;
        args.ref[CMK_REF_KEY_VAULT] = key_vault;
        if (op == CMK_OP_ROLE_ASSIGN) {
            args.ref[CMK_REF_MANAGED_HSM] = 0;
            args.num[0] = cmk_role_find("Key Vault Crypto Service Encryption User");
        }
        (void)estate_must_apply(estate, args);
    }
    if (options->uses_hsm) {
        CmkArgs args = estate_args(estate, CMK_OP_ROLE_ASSIGN);
        args.ref[CMK_REF_IDENTITY] = identity;
        (void)estate_must_apply(estate, args);
    }
}

static void create_identities(Estate *estate, const EstateOptions *options)
{
    for (uint32_t i = ESTATE_IDENTITY; i <= ESTATE_LOOSE_IDENTITY; i++) {
        CmkArgs args = estate_args(estate, CMK_OP_IDENTITY_CREATE);
        args.ref[CMK_REF_IDENTITY] = i;
        (void)estate_must_apply(estate, args);
        if (i != ESTATE_LOOSE_IDENTITY) {
            args.op = CMK_OP_IDENTITY_ATTACH;
            (void)estate_must_apply(estate, args);
        }
        give_rights(estate, options, i);
    }
    if (options->uses_system) {
        (void)estate_must(estate, CMK_OP_SYSTEM_IDENTITY_ENABLE);
        give_rights(estate, options, 0);
    }
}

/* Read with the vault's own identity, besides whatever right on keys that has. */
static void give_secret(Estate *estate, const EstateOptions *options)
{
    (void)estate_must(estate, CMK_OP_SECRET_SET);
    if (!options->uses_system) {
        (void)estate_must(estate, CMK_OP_SYSTEM_IDENTITY_ENABLE);
    }
    CmkArgs args =
        estate_args(estate, options->uses_policies ? CMK_OP_ACCESS_POLICY_SET : CMK_OP_ROLE_ASSIGN);
    args.ref[CMK_REF_IDENTITY] = 0;
    args.ref[CMK_REF_KEY_VAULT] = ESTATE_KV;
    args.ref[CMK_REF_MANAGED_HSM] = 0;
    args.num[0] = options->uses_policies ? args.num[0] | (int64_t)CMK_PERMISSION_SECRET_GET
                                         : (int64_t)cmk_role_find("Key Vault Secrets User");
    (void)estate_must_apply(estate, args);
}

static void enable_cmk(Estate *estate, const EstateOptions *options)
{
    CmkArgs args = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    if (options->uses_system) {
        args.ref[CMK_REF_IDENTITY] = 0;
        args.num[CMK_NUM_SYSTEM] = 1;
    }
    if (options->is_pinned) {
        args.ref[CMK_REF_VERSION] =
            cmk_key(estate->sim.world, (CmkKeyId){args.ref[CMK_REF_KEY]})->current_version;
    }
    (void)estate_must_apply(estate, args);
    estate_run(estate, CMK_MINUTE_US);
    if (estate_vault(estate)->encryption != CMK_ENCRYPTION_ENABLED && estate->trouble[0] == '\0') {
        (void)snprintf(estate->trouble, sizeof(estate->trouble), "the vault was not Enabled");
    }
}

static void create_policies(Estate *estate)
{
    for (uint32_t i = ESTATE_POLICY; i <= ESTATE_CONTINUOUS_POLICY; i++) {
        CmkArgs args = estate_args(estate, CMK_OP_BACKUP_POLICY_CREATE);
        args.ref[CMK_REF_POLICY] = i;
        args.ref[CMK_REF_BACKUP_VAULT] = 0; /* for all vaults, as a scenario does */
        if (i != ESTATE_ABSENT_POLICY) {
            (void)estate_must_apply(estate, args);
        }
    }
}

/* Who counts by hand wants schedules that not every datasource may have: while somebody looks there
 * is an allowed one, which begins at the same moment. */
static void protect(Estate *estate, const EstateOptions *options)
{
    CmkArgs args = estate_args(estate, CMK_OP_INSTANCE_PROTECT);
    if (options->datasource != NULL) {
        args.num[0] = cmk_datasource_find(options->datasource);
    }
    if (options->has_secret) {
        args.num[0] = cmk_datasource_find("AzureDatabaseForPostgreSQLFlexibleServer");
        args.ref[CMK_REF_SECRET] = ESTATE_SECRET;
    }
    args.num[1] = or_else(options->size_bytes, args.num[1]);
    args.num[2] = or_else(options->daily_change_ppm, args.num[2]);
    uint32_t count = 0;
    CmkPolicy *policy = cmk_world_row_mut(estate->sim.world, CMK_TABLE_POLICY, ESTATE_POLICY);
    const CmkSchedule wanted = policy->schedules[0];
    const CmkDatasourceFacts *facts = &cmk_datasource_facts(&count)[args.num[0]];
    if (cmk_datasource_misfit(facts, policy) == CMK_MISFIT_SCHEDULE) {
        const bool is_weekly = (facts->schedules & CMK_SCHEDULE_WEEKLY) != 0;
        const int64_t first = cmk_period_first_index(wanted.start, wanted.period, ESTATE_START);
        policy->schedules[0] =
            (CmkSchedule){.start = cmk_time_add_period(wanted.start, wanted.period, first),
                          .period = {.us = (is_weekly ? 7 : 1) * CMK_DAY_US}};
    }
    (void)estate_must_apply(estate, args);
    policy->schedules[0] = wanted;
}

static void build(Estate *estate, const EstateOptions *options)
{
    create_keys(estate, options);
    CmkArgs args = estate_args(estate, CMK_OP_BACKUP_VAULT_CREATE);
    args.num[0] = options->redundancy;
    (void)estate_must_apply(estate, args);
    create_identities(estate, options);
    if (options->has_secret) {
        give_secret(estate, options);
    }
    estate_run(estate, CMK_HOUR_US); /* rights propagate */
    if (!options->has_no_cmk && estate->trouble[0] == '\0') {
        enable_cmk(estate, options);
    }
    create_policies(estate);
    protect(estate, options);
    estate_run_until(estate, ESTATE_START);
    if (!options->is_not_opened) {
        (void)estate_must(estate, CMK_OP_SIMULATION_OPEN);
    }
}

/* From here on. The estate itself is the whole model's, so that a test fails by what it asks. */
static void break_model(Estate *estate, const CmkModel *broken)
{
    if (estate->trouble[0] != '\0') {
        (void)fprintf(stderr, "%s: %s\n", MUTANT_UNFIT, estate->trouble);
    }
    estate->sim.model = broken;
}

Estate *estate_new_read(const EstateOptions *options, const CmkReader *readers, uint32_t count)
{
    static const EstateOptions usual = {0};
    options = options != NULL ? options : &usual;
    const CmkModel *broken = options->model != NULL ? NULL : mutant_of_environment();
    Estate *estate = calloc(1, sizeof(*estate));
    CMK_ASSERT(estate != NULL);
    estate->sim =
        (CmkSim){.model = options->model != NULL ? options->model : cmk_azure_model(),
                 .world = make_world(options, broken != NULL ? broken : cmk_azure_model()),
                 .journal = &estate->journal,
                 .is_self_checking = !options->is_not_self_checking};
    cmk_journal_add(&estate->journal, tape_reader(&estate->tape));
    for (uint32_t i = 0; i < count; i++) {
        cmk_journal_add(&estate->journal, readers[i]);
    }
    declare(estate->sim.world, options);
    build(estate, options);
    if (broken != NULL) {
        break_model(estate, broken);
    }
    return estate;
}

Estate *estate_new(const EstateOptions *options)
{
    return estate_new_read(options, NULL, 0);
}

void estate_free(Estate *estate)
{
    if (estate != NULL) {
        cmk_world_free(estate->sim.world);
        free(estate->tape.records);
        free(estate);
    }
}
