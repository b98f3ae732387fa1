#include "tests/unit/models/random_plan.h"

#include <string.h>

#include "models/network.h"
#include "sim/chance.h"

typedef struct Dice {
    uint64_t seed;
    uint64_t n;
    uint32_t moves; /* how many of the moves there are to choose from */
    bool has_hsm;
    CmkOpId last; /* the move before */
} Dice;

static uint32_t roll(Dice *dice, uint32_t sides)
{
    return (uint32_t)cmk_chance_below(dice->seed, (CmkStream){1, 0}, dice->n++, sides);
}

static const CmkOpId moves[] = {
    CMK_OP_KEY_ROTATE,
    CMK_OP_KEY_BACKUP,
    CMK_OP_KEY_RESTORE,
    CMK_OP_KEY_ROTATE,
    CMK_OP_KEY_IMPORT,
    CMK_OP_KEY_CREATE,
    CMK_OP_KEY_CREATE,
    CMK_OP_KEY_UPDATE,
    CMK_OP_KEY_UPDATE,
    CMK_OP_KEY_UPDATE,
    CMK_OP_KEY_DELETE,
    CMK_OP_KEY_DELETE,
    CMK_OP_KEY_RECOVER,
    CMK_OP_KEY_RECOVER,
    CMK_OP_KEY_PURGE,
    CMK_OP_KEY_SET_ROTATION_POLICY,
    CMK_OP_KEY_BACKUP,
    CMK_OP_KEY_LIST,
    CMK_OP_KEY_LIST_DELETED,
    CMK_OP_KEY_GET_DELETED,
    CMK_OP_KEY_SHOW,
    CMK_OP_KEY_WRAP_DATA,
    CMK_OP_KEY_UNWRAP_DATA,
    CMK_OP_KEY_RELEASE,
    CMK_OP_KEY_ENCRYPT,
    CMK_OP_KEY_DECRYPT,
    CMK_OP_KEY_SIGN,
    CMK_OP_KEY_VERIFY,
    CMK_OP_KEY_VAULT_SET_SOFT_DELETE,
    CMK_OP_KEY_VAULT_SET_PURGE_PROTECTION,
    CMK_OP_KEY_VAULT_DELETE,
    CMK_OP_KEY_VAULT_RECOVER,
    CMK_OP_KEY_VAULT_RECOVER,
    CMK_OP_KEY_VAULT_RECOVER,
    CMK_OP_ROLE_ASSIGN,
    CMK_OP_ROLE_ASSIGN,
    CMK_OP_ROLE_REMOVE,
    CMK_OP_ROLE_REMOVE_ORPHANED,
    CMK_OP_ACCESS_POLICY_SET,
    CMK_OP_ACCESS_POLICY_REMOVE,
    CMK_OP_ACCESS_POLICY_REMOVE_ORPHANED,
    CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL,
    CMK_OP_KEY_VAULT_REDEPLOY_TEMPLATE,
    CMK_OP_GROUP_ADD_MEMBER,
    CMK_OP_GROUP_ADD_MEMBER,
    CMK_OP_GROUP_REMOVE_MEMBER,
    CMK_OP_SUBSCRIPTION_MOVE_TENANT,
    CMK_OP_IDENTITY_CREATE,
    CMK_OP_IDENTITY_DELETE,
    CMK_OP_IDENTITY_ATTACH,
    CMK_OP_IDENTITY_ATTACH,
    CMK_OP_IDENTITY_ATTACH,
    CMK_OP_IDENTITY_ATTACH,
    CMK_OP_IDENTITY_DETACH,
    CMK_OP_IDENTITY_DETACH,
    CMK_OP_SYSTEM_IDENTITY_ENABLE,
    CMK_OP_SYSTEM_IDENTITY_DISABLE,
    CMK_OP_REGION_LOSE,
    CMK_OP_REGION_RETURN,
    CMK_OP_REGION_LOSE_ZONE,
    CMK_OP_REGION_RETURN_ZONE,
    CMK_OP_KEY_VAULT_SET_NETWORK,
    CMK_OP_KEY_VAULT_SET_NETWORK,
    CMK_OP_KEY_VAULT_ADD_NETWORK_RULE,
    CMK_OP_KEY_VAULT_REMOVE_NETWORK_RULE,
    CMK_OP_KEY_VAULT_ADD_PERIMETER_RULE,
    CMK_OP_KEY_VAULT_REMOVE_PERIMETER_RULE,
    CMK_OP_KEY_VAULT_CONNECT_PRIVATE_ENDPOINT,
    CMK_OP_KEY_VAULT_APPROVE_PRIVATE_ENDPOINT,
    CMK_OP_KEY_VAULT_REJECT_PRIVATE_ENDPOINT,
    CMK_OP_KEY_VAULT_DISCONNECT_PRIVATE_ENDPOINT,
    CMK_OP_BACKUP_VAULT_ADD_PRIVATE_ENDPOINT,
    CMK_OP_BACKUP_VAULT_REMOVE_PRIVATE_ENDPOINT,
    CMK_OP_KEY_VAULT_THROTTLE,
    CMK_OP_KEY_VAULT_UNTHROTTLE,
    CMK_OP_SERVICE_FAIL,
    CMK_OP_SERVICE_RECOVER,
    CMK_OP_SERVICE_RECOVER,
    CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION,
    CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION,
    CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION,
    CMK_OP_BACKUP_VAULT_CREATE,
    CMK_OP_BACKUP_VAULT_DELETE,
    CMK_OP_BACKUP_VAULT_MOVE,
    CMK_OP_BACKUP_VAULT_SET_REDUNDANCY,
    CMK_OP_BACKUP_RESTORE,
    CMK_OP_BACKUP_RESTORE,
    CMK_OP_BACKUP_VAULT_ENABLE_CROSS_REGION_RESTORE,
    CMK_OP_BACKUP_RESTORE_IN_PAIR,
    CMK_OP_INSTANCE_PROTECT,
    CMK_OP_BACKUP_POLICY_CREATE,
    CMK_OP_BACKUP_POLICY_DELETE,
    CMK_OP_BACKUP_VAULT_LIST_DELETED,
    CMK_OP_BACKUP_VAULT_GET_DELETED,
    CMK_OP_BACKUP_VAULT_GET_DELETED,
    CMK_OP_BACKUP_RUN,
    CMK_OP_SECRET_SET,
    CMK_OP_SECRET_UPDATE,
    CMK_OP_SECRET_DELETE,
    CMK_OP_SECRET_RECOVER,
    CMK_OP_SECRET_RECOVER,
    CMK_OP_BACKUP_VAULT_SET_CROSS_SUBSCRIPTION_RESTORE,
    CMK_OP_BACKUP_VAULT_SET_RESOURCE_GUARD,
    CMK_OP_BACKUP_VAULT_REMOVE_RESOURCE_GUARD,
    CMK_OP_BACKUP_VAULT_SET_IMMUTABILITY,
    CMK_OP_BACKUP_VAULT_SET_IMMUTABILITY,
    /* From here on in a quarter of the runs only, since they leave few jobs to run. */
    CMK_OP_INSTANCE_SUSPEND_BACKUPS,
    CMK_OP_INSTANCE_STOP_PROTECTION,
    CMK_OP_INSTANCE_RESUME_PROTECTION,
    CMK_OP_INSTANCE_RESUME_PROTECTION,
    CMK_OP_INSTANCE_CHANGE_POLICY,
    CMK_OP_INSTANCE_DELETE,
    CMK_OP_INSTANCE_UNDELETE,
    CMK_OP_INSTANCE_UNDELETE,
    CMK_OP_BACKUP_VAULT_SET_SOFT_DELETE,
};

#define MOVES_OF_INSTANCES 9

/* Of Managed HSMs, in a third of the runs. */
static const CmkOpId hsm_moves[] = {
    CMK_OP_MANAGED_HSM_CREATE,
    CMK_OP_MANAGED_HSM_SET_PURGE_PROTECTION,
    CMK_OP_MANAGED_HSM_EXTEND,
    CMK_OP_MANAGED_HSM_EXTEND,
    CMK_OP_MANAGED_HSM_RETRACT,
    CMK_OP_MANAGED_HSM_RETRACT,
    CMK_OP_MANAGED_HSM_DELETE,
    CMK_OP_MANAGED_HSM_RECOVER,
    CMK_OP_MANAGED_HSM_RECOVER,
    CMK_OP_MANAGED_HSM_RECOVER,
    CMK_OP_MANAGED_HSM_BACKUP,
    CMK_OP_MANAGED_HSM_BACKUP,
    CMK_OP_MANAGED_HSM_RESTORE,
    CMK_OP_MANAGED_HSM_RESTORE,
    CMK_OP_MANAGED_HSM_PURGE,
    CMK_OP_MANAGED_HSM_ACTIVATE,
    CMK_OP_MANAGED_HSM_LOSE_DOMAIN_KEYS,
    CMK_OP_MANAGED_HSM_SET_NETWORK,
    CMK_OP_MANAGED_HSM_ADD_NETWORK_RULE,
    CMK_OP_MANAGED_HSM_ADD_NETWORK_RULE,
    CMK_OP_MANAGED_HSM_REMOVE_NETWORK_RULE,
    CMK_OP_MANAGED_HSM_REMOVE_NETWORK_RULE,
    CMK_OP_MANAGED_HSM_CONNECT_PRIVATE_ENDPOINT,
    CMK_OP_MANAGED_HSM_APPROVE_PRIVATE_ENDPOINT,
    CMK_OP_MANAGED_HSM_REJECT_PRIVATE_ENDPOINT,
    CMK_OP_MANAGED_HSM_DISCONNECT_PRIVATE_ENDPOINT,
};

/* The move is about an HSM, or about a key in it. */
static void move_in_hsm(Dice *dice, CmkArgs *args)
{
    if (roll(dice, 2) == 0) {
        args->op = hsm_moves[roll(dice, (uint32_t)CMK_ARRAY_LEN(hsm_moves))];
        args->ref[CMK_REF_MANAGED_HSM] = 1 + roll(dice, 3);
        args->ref[CMK_REF_REGION] = cmk_region_find("uksouth").i;
        if (cmk_azure_model()->operations[args->op]->params[1].type == CMK_PARAM_NETWORK) {
            args->ref[CMK_REF_MANAGED_HSM] = ESTATE_HSM;
            args->ref[CMK_REF_NETWORK] = roll(dice, 2) == 0 ? ESTATE_OFFICE : ESTATE_SUBNET;
        }
        args->num[0] = args->op == CMK_OP_MANAGED_HSM_RESTORE ? ESTATE_HSM : 0;
        if (args->op == CMK_OP_MANAGED_HSM_SET_NETWORK) { /* mostly opens it */
            args->num[CMK_SET_DEFAULT_ACTION] = roll(dice, 4) == 0 ? 2 : 1;
        }
    } else {
        args->ref[CMK_REF_KEY] = ESTATE_HSM_KEY + roll(dice, 3);
        args->ref[CMK_REF_MANAGED_HSM] = ESTATE_HSM;
    }
    args->ref[CMK_REF_KEY_VAULT] = 0;
}

/* Whether the operation is about a key wherever it lives. */
static bool is_about_key(CmkOpId op)
{
    const CmkParam *param = &cmk_azure_model()->operations[op]->params[0];
    return param->type == CMK_PARAM_KEY || param->type == CMK_PARAM_KEY_TARGET;
}

static void fill_numbers(Dice *dice, CmkTime time, CmkArgs *args)
{
    const int64_t windows[] = {0, time - CMK_DAY_US, time + CMK_DAY_US, time + 9 * CMK_DAY_US,
                               CMK_TIME_MAX};
    switch (args->op) {
    case CMK_OP_KEY_CREATE:
    case CMK_OP_KEY_IMPORT:
        args->num[1] = 2048;
        break;
    case CMK_OP_KEY_UPDATE:
        args->num[0] = roll(dice, 3);
        args->num[1] = windows[roll(dice, 5)];
        args->num[2] = windows[roll(dice, 4)];
        args->num[3] = roll(dice, 4) == 0 ? CMK_PERMISSION_WRAP : 0;
        break;
    case CMK_OP_KEY_SET_ROTATION_POLICY:
        args->num[0] = (int64_t)roll(dice, 2) * 8 * CMK_DAY_US;
        args->num[2] = 16 * CMK_DAY_US;
        args->num[3] = 9 * CMK_DAY_US;
        break;
    case CMK_OP_ROLE_ASSIGN:
        args->num[0] = 1 + roll(dice, 21);
        break;
    case CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL:
        args->num[0] = roll(dice, 2);
        break;
    case CMK_OP_KEY_VAULT_SET_NETWORK: /* mostly opens it, since little happens while it is closed
                                        */
        args->num[0] = roll(dice, 4) == 0 ? 1 + roll(dice, CMK_PUBLIC_ACCESS__COUNT) : 1;
        args->num[1] = roll(dice, 4) == 0 ? 1 + roll(dice, CMK_DEFAULT_ACTION__COUNT) : 1;
        args->num[2] = roll(dice, 2) == 0 ? 1 + roll(dice, CMK_BYPASS__COUNT) : 0;
        break;
    case CMK_OP_KEY_VAULT_CONNECT_PRIVATE_ENDPOINT:
        args->num[0] = roll(dice, 3);
        break;
    case CMK_OP_KEY_VAULT_THROTTLE:
        args->num[0] = roll(dice, 3) * (CMK_SHARE_ALL / 4);
        break;
    case CMK_OP_ACCESS_POLICY_SET:
        args->num[0] = roll(dice, 16);
        break;
    case CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION:
        args->num[CMK_NUM_SYSTEM] = roll(dice, 4) == 0;
        break;
    case CMK_OP_BACKUP_VAULT_CREATE:
        args->num[1] = roll(dice, 3);
        break;
    case CMK_OP_BACKUP_RESTORE:
    case CMK_OP_BACKUP_RESTORE_IN_PAIR:
        args->num[0] = roll(dice, 3) != 0 ? 1 + roll(dice, CMK_POINT__COUNT - 1)
                                          : time + CMK_HOUR_US - roll(dice, 90) * CMK_HOUR_US;
        args->num[1] = roll(dice, 2);
        break;
    case CMK_OP_BACKUP_VAULT_SET_SOFT_DELETE:
        args->num[0] = roll(dice, 3);
        args->num[1] = roll(dice, 3) * 14;
        break;
    case CMK_OP_SECRET_UPDATE:
        args->num[0] = CMK_SAYS_FALSE + roll(dice, 2);
        break;
    case CMK_OP_BACKUP_VAULT_SET_IMMUTABILITY: /* seldom for good */
    case CMK_OP_BACKUP_VAULT_SET_CROSS_SUBSCRIPTION_RESTORE:
        args->num[0] = roll(dice, 8) == 0 ? 2 : roll(dice, 2);
        break;
    case CMK_OP_BACKUP_RUN:
        args->num[0] = roll(dice, CMK_TAG__COUNT);
        break;
    case CMK_OP_INSTANCE_PROTECT:
        args->num[0] = 1 + roll(dice, 8);
        args->num[1] = (int64_t)roll(dice, 100) * GB;
        args->num[2] = roll(dice, 100000);
        break;
    default:
        break;
    }
}

/* What comes to something soon after another move only follows it now and then. */
static CmkOpId next_move(Dice *dice)
{
    const bool follows = roll(dice, 2) == 0;
    if (follows && dice->last == CMK_OP_BACKUP_VAULT_CREATE) {
        dice->last = CMK_OP_BACKUP_VAULT_DELETE;
    } else if (follows && dice->last == CMK_OP_BACKUP_VAULT_DELETE) {
        dice->last = CMK_OP_BACKUP_VAULT_GET_DELETED;
    } else {
        dice->last = moves[roll(dice, dice->moves)];
    }
    return dice->last;
}

static CmkArgs move(Dice *dice, CmkTime time)
{
    const uint32_t key = 1 + roll(dice, 3);
    CmkArgs args = {
        .op = next_move(dice),
        .actor = CMK_ACTOR_STEP,
        .ref = {[CMK_REF_BACKUP_VAULT] = ESTATE_VAULT,
                [CMK_REF_INSTANCE] = ESTATE_INSTANCE,
                [CMK_REF_KEY] = key,
                [CMK_REF_KEY_VAULT] = key == ESTATE_SPARE_KEY ? ESTATE_SPARE_KV : ESTATE_KV,
                [CMK_REF_IDENTITY] = roll(dice, 3),
                [CMK_REF_REGION] = cmk_region_find(roll(dice, 2) ? "westeurope" : "italynorth").i,
                [CMK_REF_POLICY] = 1 + roll(dice, 2),
                [CMK_REF_GROUP] = ESTATE_GROUP,
                [CMK_REF_NETWORK] = 1 + roll(dice, ESTATE_OTHER_SUBNET),
                [CMK_REF_ACTOR] = roll(dice, 8) == 0 ? ESTATE_ALICE : 0}};
    if (args.op == CMK_OP_SUBSCRIPTION_MOVE_TENANT && roll(dice, 8) != 0) {
        args.op = CMK_OP_KEY_ROTATE; /* few things live on after such a move */
    }
    /* It takes everything else with it, so it is to be rarer than that. */
    if (args.op == CMK_OP_KEY_VAULT_DELETE && roll(dice, 4) != 0) {
        args.op = CMK_OP_KEY_VAULT_RECOVER;
    }
    fill_numbers(dice, time, &args);
    if (dice->has_hsm && roll(dice, 3) != 0 && is_about_key(args.op)) {
        move_in_hsm(dice, &args);
        args.num[0] = args.op == CMK_OP_KEY_CREATE ? CMK_KEY_RSA_HSM : args.num[0];
    }
    switch (args.op) {
    case CMK_OP_KEY_UPDATE:
    case CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION:
        args.num[CMK_NUM_VERSION] = roll(dice, 4); /* which may not exist */
        break;
    case CMK_OP_ROLE_ASSIGN:
    case CMK_OP_ROLE_REMOVE:
    case CMK_OP_ROLE_REMOVE_ORPHANED:
        args.ref[CMK_REF_KEY] = roll(dice, 3) == 0 ? key : 0;
        args.ref[CMK_REF_SCOPE] = roll(dice, 4) == 0 ? 1 + roll(dice, ESTATE_RESOURCE_GROUP) : 0;
        args.ref[CMK_REF_GRANTEE] = roll(dice, 3) == 0 ? 1 + roll(dice, ESTATE_GROUP) : 0;
        if (dice->has_hsm && args.ref[CMK_REF_SCOPE] == 0 && roll(dice, 2) != 0) {
            args.ref[CMK_REF_MANAGED_HSM] = ESTATE_HSM;
            args.ref[CMK_REF_KEY_VAULT] = 0;
            args.ref[CMK_REF_KEY] = args.ref[CMK_REF_KEY] != 0 ? ESTATE_HSM_KEY : 0;
            args.num[0] = cmk_role_find("Managed HSM Crypto Service Encryption User");
        }
        break;
    case CMK_OP_SUBSCRIPTION_MOVE_TENANT:
        args.ref[CMK_REF_SCOPE] = ESTATE_SUBSCRIPTION;
        break;
    case CMK_OP_KEY_VAULT_ADD_PERIMETER_RULE:
    case CMK_OP_KEY_VAULT_REMOVE_PERIMETER_RULE:
        if (roll(dice, 2) == 0) {
            args.ref[CMK_REF_NETWORK] = 0;
            args.ref[CMK_REF_SCOPE] = ESTATE_SUBSCRIPTION;
        }
        break;
    case CMK_OP_KEY_VAULT_CONNECT_PRIVATE_ENDPOINT:
    case CMK_OP_BACKUP_VAULT_ADD_PRIVATE_ENDPOINT:
        args.ref[CMK_REF_NETWORK] = ESTATE_SUBNET;
        break;
    case CMK_OP_IDENTITY_CREATE:
    case CMK_OP_IDENTITY_DELETE:
    case CMK_OP_IDENTITY_ATTACH:
    case CMK_OP_IDENTITY_DETACH:
        args.ref[CMK_REF_IDENTITY] = 1 + roll(dice, 4);
        break;
    case CMK_OP_INSTANCE_CHANGE_POLICY:
        args.ref[CMK_REF_POLICY] = 1 + roll(dice, ESTATE_CONTINUOUS_POLICY);
        break;
    case CMK_OP_BACKUP_VAULT_CREATE:
    case CMK_OP_BACKUP_VAULT_DELETE: /* of the other one, which is empty now and then */
        args.ref[CMK_REF_BACKUP_VAULT] = 1 + roll(dice, 2);
        args.ref[CMK_REF_KEY] = roll(dice, 2) ? key : 0;
        break;
    case CMK_OP_BACKUP_VAULT_MOVE:
    case CMK_OP_BACKUP_VAULT_SET_REDUNDANCY:
        args.ref[CMK_REF_BACKUP_VAULT] = 1 + roll(dice, 2);
        args.ref[CMK_REF_SCOPE] = 1 + roll(dice, 2);
        break;
    case CMK_OP_INSTANCE_PROTECT:
        args.ref[CMK_REF_INSTANCE] = 1 + roll(dice, 3);
        if (args.ref[CMK_REF_INSTANCE] == ESTATE_HOMELESS_INSTANCE) {
            args.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
        }
        args.ref[CMK_REF_POLICY] = 1 + roll(dice, ESTATE_CONTINUOUS_POLICY);
        break;
    case CMK_OP_SECRET_SET:
    case CMK_OP_SECRET_UPDATE:
    case CMK_OP_SECRET_DELETE:
    case CMK_OP_SECRET_RECOVER:
        args.ref[CMK_REF_SECRET] = ESTATE_SECRET;
        args.ref[CMK_REF_KEY] = 0;
        args.ref[CMK_REF_KEY_VAULT] = ESTATE_KV;
        break;
    case CMK_OP_BACKUP_VAULT_SET_RESOURCE_GUARD:
        args.ref[CMK_REF_RESOURCE_GUARD] = 1 + roll(dice, 2);
        break;
    case CMK_OP_BACKUP_RESTORE:
        args.ref[CMK_REF_SCOPE] = roll(dice, 3) == 0 ? 1 : 0; /* the other subscription */
        break;
    case CMK_OP_BACKUP_POLICY_CREATE:
        args.ref[CMK_REF_POLICY] = ESTATE_ABSENT_POLICY;
        args.ref[CMK_REF_BACKUP_VAULT] = roll(dice, 3);
        break;
    case CMK_OP_BACKUP_POLICY_DELETE:
        args.ref[CMK_REF_POLICY] = 1 + roll(dice, ESTATE_CONTINUOUS_POLICY);
        args.ref[CMK_REF_BACKUP_VAULT] = 1 + roll(dice, 2);
        break;
    case CMK_OP_BACKUP_VAULT_GET_DELETED:
        args.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
        break;
    default:
        break;
    }
    return args;
}

/* What can only be so or not is as in the profile, or one of both. */
static void roll_knobs(Dice *dice, int64_t ret_knobs[CMK_KNOB__COUNT])
{
    const CmkKnob *knobs = cmk_azure_model()->knobs;
    for (uint32_t i = 0; i < CMK_KNOB__COUNT; i++) {
        if (strcmp(knobs[i].type, "boolean") == 0) {
            ret_knobs[i] = roll(dice, 3);
        }
    }
}

EstateOptions random_plan(uint64_t seed, CmkPlanRow ret[RANDOM_PLAN_ROWS])
{
    const uint32_t all = (uint32_t)CMK_ARRAY_LEN(moves);
    Dice dice = {.seed = seed,
                 .moves = seed % 4 == 0 ? all : all - MOVES_OF_INSTANCES,
                 .has_hsm = seed % 3 == 0};
    const bool has_archive = roll(&dice, 3) == 0;
    const char *others[] = {"AzureBlob", "AzureKubernetesService"};
    EstateOptions options = {.uses_policies = roll(&dice, 2),
                             .uses_hsm = dice.has_hsm,
                             .uses_system = roll(&dice, 3) == 0,
                             .has_no_cmk = roll(&dice, 6) == 0,
                             .is_pinned = roll(&dice, 5) == 0,
                             .has_operational = !has_archive && roll(&dice, 2),
                             .archive_days = has_archive ? 1 : 0,
                             .has_secret = has_archive && roll(&dice, 2),
                             .has_rules = roll(&dice, 2),
                             .datasource =
                                 has_archive ? "AzureDatabaseForMySQL" : others[roll(&dice, 2)],
                             .redundancy = roll(&dice, 3),
                             .schedule_us = CMK_HOUR_US * (6 + 6 * (int64_t)roll(&dice, 4)),
                             .retention_days = 1 + roll(&dice, 9),
                             .profile = (int32_t)roll(&dice, CMK_PROFILES_MAX),
                             .knobs = {[CMK_KNOB_DELETED_VAULT_KEPT] = 1 + CMK_DAY_US},
                             .plan = ret,
                             .plan_count = RANDOM_PLAN_ROWS};
    /* In a third of the runs times are whole hours and days, so that everything happens together.
     */
    const int64_t grid = roll(&dice, 3) == 0 ? CMK_HOUR_US * 6 : CMK_SECOND_US;
    int64_t at = 0;
    const uint32_t gap =
        (uint32_t)(2 * RANDOM_PLAN_DAYS * (CMK_DAY_US / CMK_SECOND_US) / RANDOM_PLAN_ROWS);
    for (uint32_t i = 0; i < RANDOM_PLAN_ROWS; i++) {
        at += roll(&dice, 4) == 0 ? 0 : roll(&dice, gap) * CMK_SECOND_US;
        const CmkTime time = ESTATE_START + at - at % grid;
        ret[i] = (CmkPlanRow){.time = time, .args = move(&dice, time)};
    }
    roll_knobs(&dice, options.knobs);
    return options;
}
