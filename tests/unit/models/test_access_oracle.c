/* The access rules against their naive restatement, on random states of small worlds. */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdio.h>

#include "sim/chance.h"
#include "tests/unit/models/access_oracle.h"
#include "tests/unit/models/estate.h"

#define SEED UINT64_C(20250303)
#define QUESTIONS 1000000
#define CHANGES_PER_ESTATE 400
#define TRIES_PER_CHANGE 64
#define ROLES 22      /* of Azure, then */
#define LOCAL_ROLES 9 /* of Managed HSMs */

typedef struct Dice {
    uint64_t stream;
    uint64_t n;
} Dice;

static uint32_t roll(Dice *dice, uint32_t sides)
{
    return (uint32_t)cmk_chance_below(SEED, (CmkStream){2, (uint32_t)dice->stream}, dice->n++,
                                      sides);
}

/* How often each guard let a question pass and stopped one, where it had something to decide. */
typedef struct Shares {
    uint64_t passed[CMK_GUARD__COUNT];
    uint64_t stopped[CMK_GUARD__COUNT];
    uint64_t questions;
} Shares;

/* An estate and what was written down about it. */
typedef struct Trial {
    Estate *estate;
    Chronicle chronicle;
    Dice dice;
} Trial;

static const CmkGuardId access_guards[] = {CMK_GUARD_SYSTEM_IDENTITY_IS_ON,
                                           CMK_GUARD_USER_IDENTITY_IS_ATTACHED,
                                           CMK_GUARD_CALLER_IS_KNOWN,
                                           CMK_GUARD_ROLE_LETS_GET,
                                           CMK_GUARD_ROLE_LETS_WRAP,
                                           CMK_GUARD_ROLE_LETS_UNWRAP,
                                           CMK_GUARD_POLICY_LETS_GET,
                                           CMK_GUARD_POLICY_LETS_WRAP,
                                           CMK_GUARD_POLICY_LETS_UNWRAP,
                                           CMK_GUARD_LOCAL_ROLE_LETS_GET,
                                           CMK_GUARD_LOCAL_ROLE_LETS_WRAP,
                                           CMK_GUARD_LOCAL_ROLE_LETS_UNWRAP,
                                           CMK_GUARD_LOCAL_ROLE_LETS_ACTOR,
                                           CMK_GUARD_ROLE_LETS_ACTOR,
                                           CMK_GUARD_POLICY_LETS_ACTOR,
                                           CMK_GUARD_ACTOR_MAY_MANAGE,
                                           CMK_GUARD_ACTOR_MAY_ASSIGN_IDENTITY,
                                           CMK_GUARD_ACTOR_MAY_ASSIGN_ROLES,
                                           CMK_GUARD_ACTOR_MAY_WRITE_THERE};

static bool is_access_guard(CmkGuardId guard)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(access_guards); i++) {
        if (access_guards[i] == guard) {
            return true;
        }
    }
    return false;
}

/* ---- changing the world ---------------------------------------------------------------------- */

static void put_key(Dice *dice, CmkArgs *args)
{
    if (roll(dice, 4) == 0) {
        args->ref[CMK_REF_KEY] = ESTATE_HSM_KEY + roll(dice, 2);
        args->ref[CMK_REF_MANAGED_HSM] = ESTATE_HSM;
        return;
    }
    args->ref[CMK_REF_KEY] = 1 + roll(dice, 3);
    args->ref[CMK_REF_KEY_VAULT] =
        args->ref[CMK_REF_KEY] == ESTATE_SPARE_KEY ? ESTATE_SPARE_KV : ESTATE_KV;
}

/* Rather one that opens keys, or that manages Backup vaults but not their identities. */
static uint32_t random_role(Dice *dice)
{
    static const char *const often[] = {"Backup Contributor", "Backup Contributor", "Contributor",
                                        "Backup Contributor", "Contributor",        "Owner"};
    switch (roll(dice, 4)) {
    case 0:
        return 1 + roll(dice, 4);
    case 1:
        return cmk_role_find(often[roll(dice, CMK_ARRAY_LEN(often))]);
    default:
        return 1 + roll(dice, ROLES);
    }
}

static CmkArgs random_change(Dice *dice)
{
    static const CmkOpId ops[] = {CMK_OP_ROLE_ASSIGN,
                                  CMK_OP_ROLE_ASSIGN,
                                  CMK_OP_ROLE_ASSIGN,
                                  CMK_OP_ROLE_REMOVE,
                                  CMK_OP_ROLE_REMOVE,
                                  CMK_OP_ACCESS_POLICY_SET,
                                  CMK_OP_ACCESS_POLICY_SET,
                                  CMK_OP_ACCESS_POLICY_SET,
                                  CMK_OP_ACCESS_POLICY_SET,
                                  CMK_OP_ACCESS_POLICY_REMOVE,
                                  CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL,
                                  CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL,
                                  CMK_OP_KEY_VAULT_REDEPLOY_TEMPLATE,
                                  CMK_OP_GROUP_ADD_MEMBER,
                                  CMK_OP_GROUP_ADD_MEMBER,
                                  CMK_OP_GROUP_REMOVE_MEMBER,
                                  CMK_OP_IDENTITY_CREATE,
                                  CMK_OP_IDENTITY_CREATE,
                                  CMK_OP_IDENTITY_DELETE,
                                  CMK_OP_IDENTITY_ATTACH,
                                  CMK_OP_IDENTITY_ATTACH,
                                  CMK_OP_IDENTITY_ATTACH,
                                  CMK_OP_IDENTITY_DETACH,
                                  CMK_OP_SYSTEM_IDENTITY_ENABLE,
                                  CMK_OP_SYSTEM_IDENTITY_DISABLE,
                                  CMK_OP_SUBSCRIPTION_MOVE_TENANT,
                                  CMK_OP_KEY_VAULT_DELETE};
    CmkArgs args = {.op = ops[roll(dice, CMK_ARRAY_LEN(ops))], .actor = CMK_ACTOR_STEP};
    do { /* Managed HSMs know of roles only */
        args.ref[CMK_REF_MANAGED_HSM] = 0;
        put_key(dice, &args);
    } while (args.ref[CMK_REF_MANAGED_HSM] != 0 && args.op != CMK_OP_ROLE_ASSIGN &&
             args.op != CMK_OP_ROLE_REMOVE);
    args.ref[CMK_REF_BACKUP_VAULT] = ESTATE_VAULT;
    args.ref[CMK_REF_IDENTITY] = 1 + roll(dice, 4);
    args.ref[CMK_REF_REGION] = 1;
    args.ref[CMK_REF_GROUP] = ESTATE_GROUP;
    switch (args.op) {
    case CMK_OP_ROLE_ASSIGN:
    case CMK_OP_ROLE_REMOVE:
    case CMK_OP_ACCESS_POLICY_SET:
    case CMK_OP_ACCESS_POLICY_REMOVE:
    case CMK_OP_GROUP_ADD_MEMBER:
    case CMK_OP_GROUP_REMOVE_MEMBER:
        args.ref[CMK_REF_IDENTITY] = roll(dice, 5);
        args.ref[CMK_REF_GRANTEE] = roll(dice, 2) == 0 ? roll(dice, ESTATE_GROUP + 1) : 0;
        args.ref[CMK_REF_KEY] *= roll(dice, 2);
        break;
    case CMK_OP_SUBSCRIPTION_MOVE_TENANT:
        args.ref[CMK_REF_SCOPE] =
            roll(dice, 2) == 0 ? ESTATE_SUBSCRIPTION : CMK_SCOPE_DEFAULT_SUBSCRIPTION;
        /* Seldom, since nobody here gets a role there any more (MI-13). */
        args.op = roll(dice, 120) == 0 ? args.op : CMK_OP_ROLE_ASSIGN;
        break;
    case CMK_OP_KEY_VAULT_DELETE:
        args.op = roll(dice, 8) == 0 ? args.op : CMK_OP_ACCESS_POLICY_SET;
        break;
    default:
        break;
    }
    if (args.ref[CMK_REF_MANAGED_HSM] != 0) {
        args.num[0] = roll(dice, 2) == 0 ? cmk_role_find("Managed HSM Crypto User")
                                         : ROLES + 1 + roll(dice, LOCAL_ROLES);
        args.num[CMK_NUM_ALL_KEYS] = roll(dice, 4) == 0;
    } else if (args.op == CMK_OP_ROLE_ASSIGN || args.op == CMK_OP_ROLE_REMOVE) {
        args.num[0] = args.op == CMK_OP_ROLE_ASSIGN ? random_role(dice) : 0;
        args.ref[CMK_REF_SCOPE] = roll(dice, 2) == 0 ? 1 + roll(dice, ESTATE_RESOURCE_GROUP) : 0;
    } else if (args.op == CMK_OP_ACCESS_POLICY_SET) {
        args.num[0] =
            roll(dice, 2) == 0 ? CMK_PERMISSION_KEYS_ALL : 1 + roll(dice, CMK_PERMISSION_KEYS_ALL);
        args.num[0] |= (int64_t)roll(dice, 16) << 32; /* with secrets */
    } else if (args.op == CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL) {
        args.num[0] = roll(dice, 2);
    }
    return args;
}

/* One change that is not refused, so that each question is about another world; and now and then
 * some time. */
static void change(Trial *trial)
{
    static const int64_t waits[] = {CMK_SECOND_US, 5 * CMK_MINUTE_US, 90 * CMK_MINUTE_US,
                                    9 * CMK_HOUR_US};
    CmkStatus status = CMK_STATUS_LIMIT_REACHED;
    for (int i = 0; i < TRIES_PER_CHANGE && status != CMK_STATUS_OK; i++) {
        CmkArgs args = random_change(&trial->dice);
        status = estate_apply(trial->estate, &args).status;
        if (args.op == CMK_OP_KEY_VAULT_DELETE) { /* nobody can ask one that is not there */
            args.op = CMK_OP_KEY_VAULT_RECOVER;
            status = estate_apply(trial->estate, &args).status;
        }
    }
    cr_assert_eq(status, CMK_STATUS_OK, "all of %d changes were refused", TRIES_PER_CHANGE);
    if (roll(&trial->dice, 4) == 0) {
        estate_run(trial->estate, waits[roll(&trial->dice, CMK_ARRAY_LEN(waits))]);
    }
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Whom settings can be bound to: principals of identities and vaults, also those that are gone. */
static uint32_t random_principal(const CmkWorld *world, Dice *dice)
{
    const uint32_t count = cmk_world_count(world, CMK_TABLE_PRINCIPAL);
    if (roll(dice, 4) != 0) { /* rather one that lives: most are dead */
        const CmkIdentityId identity = {roll(dice, 4)};
        const uint32_t id =
            identity.i == 0
                ? cmk_backup_vault(world, (CmkBackupVaultId){ESTATE_VAULT})->system_principal
                : cmk_identity(world, identity)->principal;
        if (id != 0) {
            return id;
        }
    }
    for (;;) {
        const CmkPrincipalId id = {1 + roll(dice, count)};
        if (cmk_principal(world, id)->person == 0) {
            return id.i;
        }
    }
}

static CmkArgs random_request(const CmkWorld *world, Dice *dice)
{
    static const CmkOpId ops[] = {CMK_OP_KEY_GET, CMK_OP_KEY_WRAP, CMK_OP_KEY_UNWRAP};
    CmkArgs args = {.op = ops[roll(dice, 3)], .actor = CMK_ACTOR_PLATFORM};
    put_key(dice, &args);
    args.ref[CMK_REF_BACKUP_VAULT] = ESTATE_VAULT;
    args.ref[CMK_REF_PRINCIPAL] = random_principal(world, dice);
    args.ref[CMK_REF_IDENTITY] =
        cmk_principal(world, (CmkPrincipalId){args.ref[CMK_REF_PRINCIPAL]})->identity;
    args.ref[CMK_REF_VERSION] = cmk_key(world, (CmkKeyId){args.ref[CMK_REF_KEY]})->current_version;
    return args;
}

/* Rather one about a key, where two guards want their share, or one that takes two rights. */
static CmkOpId random_order_of(Dice *dice)
{
    static const CmkOpId rather[] = {CMK_OP_KEY_ROTATE,
                                     CMK_OP_KEY_DECRYPT,
                                     CMK_OP_KEY_ENCRYPT,
                                     CMK_OP_KEY_DELETE,
                                     CMK_OP_SECRET_DELETE,
                                     CMK_OP_IDENTITY_ATTACH,
                                     CMK_OP_IDENTITY_ATTACH,
                                     CMK_OP_BACKUP_VAULT_MOVE,
                                     CMK_OP_BACKUP_VAULT_MOVE,
                                     CMK_OP_BACKUP_VAULT_CREATE,
                                     CMK_OP_BACKUP_VAULT_MOVE,
                                     CMK_OP_BACKUP_VAULT_MOVE,
                                     CMK_OP_BACKUP_VAULT_MOVE,
                                     CMK_OP_BACKUP_VAULT_MOVE,
                                     CMK_OP_IDENTITY_ATTACH,
                                     CMK_OP_IDENTITY_ATTACH,
                                     CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL,
                                     CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL,
                                     CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL,
                                     CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL};
    uint32_t count = 0;
    while (oracle_order(count) != CMK_OP_NONE) {
        count++;
    }
    return roll(dice, 6) != 0 ? rather[roll(dice, CMK_ARRAY_LEN(rather))]
                              : oracle_order(roll(dice, count));
}

static CmkArgs random_order(Dice *dice)
{
    CmkArgs args = {.op = random_order_of(dice), .actor = CMK_ACTOR_STEP};
    put_key(dice, &args);
    args.ref[CMK_REF_BACKUP_VAULT] = ESTATE_VAULT;
    args.ref[CMK_REF_INSTANCE] = ESTATE_INSTANCE;
    args.ref[CMK_REF_IDENTITY] = roll(dice, 4) + (args.op != CMK_OP_BACKUP_VAULT_CREATE);
    args.ref[CMK_REF_GROUP] = ESTATE_GROUP;
    args.ref[CMK_REF_ACTOR] = 1 + roll(dice, 2);
    if (args.op == CMK_OP_ROLE_ASSIGN) {
        args.num[0] = 1 + roll(dice, ROLES);
        args.ref[CMK_REF_KEY] *= roll(dice, 2);
        args.ref[CMK_REF_SCOPE] = roll(dice, 2) == 0 ? 1 + roll(dice, ESTATE_RESOURCE_GROUP) : 0;
        if (args.ref[CMK_REF_SCOPE] != 0) {
            args.ref[CMK_REF_MANAGED_HSM] = 0;
        }
    } else if (args.op == CMK_OP_SUBSCRIPTION_MOVE_TENANT) {
        args.ref[CMK_REF_SCOPE] = ESTATE_SUBSCRIPTION;
    } else if (args.op == CMK_OP_BACKUP_VAULT_MOVE) {
        args.ref[CMK_REF_SCOPE] = roll(dice, 4) != 0 ? ESTATE_OTHER_GROUP : ESTATE_RESOURCE_GROUP;
    }
    if (cmk_azure_model()->operations[args.op]->permission > CMK_PERMISSION_KEYS_ALL &&
        args.op != CMK_OP_ROLE_ASSIGN) {
        args.ref[CMK_REF_KEY] = 0;
        args.ref[CMK_REF_MANAGED_HSM] = 0;
        args.ref[CMK_REF_KEY_VAULT] = ESTATE_KV;
    }
    if ((cmk_azure_model()->operations[args.op]->permission & CMK_PERMISSION_MANAGED_HSM_WRITE) !=
        0) {
        args.ref[CMK_REF_MANAGED_HSM] = ESTATE_HSM;
    }
    return args;
}

/* Whether there was anything to decide: guards hold trivially for the other kind of caller. */
static bool has_a_say(const CmkWorld *world, CmkGuardId guard, const CmkArgs *args)
{
    const bool is_in_hsm = args->ref[CMK_REF_MANAGED_HSM] != 0;
    const bool uses_roles =
        cmk_key_vault(world, (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]})->permission_model ==
        CMK_PERMISSIONS_RBAC;
    switch (guard) {
    case CMK_GUARD_SYSTEM_IDENTITY_IS_ON:
        return args->ref[CMK_REF_IDENTITY] == 0;
    case CMK_GUARD_USER_IDENTITY_IS_ATTACHED:
        return args->ref[CMK_REF_IDENTITY] != 0;
    case CMK_GUARD_ROLE_LETS_GET:
    case CMK_GUARD_ROLE_LETS_WRAP:
    case CMK_GUARD_ROLE_LETS_UNWRAP:
    case CMK_GUARD_ROLE_LETS_ACTOR:
        return uses_roles && !is_in_hsm;
    case CMK_GUARD_LOCAL_ROLE_LETS_GET:
    case CMK_GUARD_LOCAL_ROLE_LETS_WRAP:
    case CMK_GUARD_LOCAL_ROLE_LETS_UNWRAP:
    case CMK_GUARD_LOCAL_ROLE_LETS_ACTOR:
        return is_in_hsm;
    case CMK_GUARD_POLICY_LETS_GET:
    case CMK_GUARD_POLICY_LETS_WRAP:
    case CMK_GUARD_POLICY_LETS_UNWRAP:
    case CMK_GUARD_POLICY_LETS_ACTOR:
        return !uses_roles;
    case CMK_GUARD_ACTOR_MAY_ASSIGN_IDENTITY:
        return args->ref[CMK_REF_IDENTITY] != 0;
    default:
        return true;
    }
}

static void count(Shares *shares, const CmkWorld *world, const CmkArgs *args, CmkGuardId stopped_by)
{
    const CmkGuardId *guards = cmk_azure_model()->operations[args->op]->guards;
    shares->questions++;
    for (uint32_t i = 0; guards[i] != CMK_GUARD_NONE && guards[i] != stopped_by; i++) {
        shares->passed[guards[i]] += has_a_say(world, guards[i], args);
    }
    shares->stopped[stopped_by]++;
}

static void ask(Trial *trial, Shares *shares)
{
    const CmkWorld *world = trial->estate->sim.world;
    const Oracle oracle = {.chronicle = &trial->chronicle, .world = world};
    const bool is_request = roll(&trial->dice, 5) < 3;
    const CmkArgs args =
        is_request ? random_request(world, &trial->dice) : random_order(&trial->dice);
    const CmkGuardId expected =
        is_request ? oracle_request(&oracle, &args) : oracle_person(&oracle, &args);
    const CmkGuardId guard = cmk_would_apply(&trial->estate->sim, &args).guard;
    cr_assert_eq(
        is_access_guard(guard) ? guard : CMK_GUARD_NONE, expected,
        "seed %" PRIu64 ", estate %" PRIu64 ", draw %" PRIu64 ": %s: %s instead of %s", SEED,
        trial->dice.stream, trial->dice.n, cmk_azure_model()->operations[args.op]->name,
        estate_guard_name(trial->estate, guard), estate_guard_name(trial->estate, expected));
    count(shares, world, &args, expected);
}

/* One estate, which changes before each question. */
static void try_estate(uint64_t number, Shares *shares)
{
    static Trial trial; /* too large for the stack */
    trial = (Trial){.dice = {.stream = number}};
    const CmkReader reader = chronicle_reader(&trial.chronicle);
    trial.estate = estate_new_read(
        &(EstateOptions){.uses_policies = number % 2,
                         .has_no_cmk = true,
                         .uses_hsm = true,
                         .is_not_self_checking = true,
                         .profile = cmk_profile_find(number % 3 ? "realistic" : "instant"),
                         .knobs = {[CMK_KNOB_READ_LETS_WRAP] = 1 + (number % 4 != 0)}},
        &reader, 1);
    for (int i = 0; i < CHANGES_PER_ESTATE; i++) {
        change(&trial);
        ask(&trial, shares);
    }
    estate_free(trial.estate);
}

Test(access_oracle, guards_agree_with_the_rules_told_again)
{
    uint32_t roles = 0;
    (void)cmk_role_facts(&roles);
    cr_assert_eq(roles, ROLES + LOCAL_ROLES + 1);
    static Shares shares;
    for (uint64_t i = 1; shares.questions < QUESTIONS; i++) {
        try_estate(i, &shares);
    }
    (void)fprintf(stderr,
                  "access oracle: %" PRIu64 " questions about as many worlds, seed %" PRIu64 "\n",
                  shares.questions, SEED);
    for (size_t i = 0; i < CMK_ARRAY_LEN(access_guards); i++) {
        const CmkGuardId guard = access_guards[i];
        const char *name = cmk_azure_model()->guards[guard]->name;
        (void)fprintf(stderr, "  %-26s passed %4.1f %%, stopped %4.1f %%\n", name,
                      100.0 * (double)shares.passed[guard] / (double)shares.questions,
                      100.0 * (double)shares.stopped[guard] / (double)shares.questions);
        /* Key vaults of both models and a Managed HSM share the questions. */
        cr_expect_geq(shares.passed[guard] * 200, shares.questions, "%s passes too few", name);
        cr_expect_geq(shares.stopped[guard] * 200, shares.questions, "%s stops too few", name);
    }
}
