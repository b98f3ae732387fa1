/* Operations do what they declare (the self-check catches those that do not), each guard says what
 * it is about, and its repairs make it hold. */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "models/rows.h"
#include "models/scope.h"
#include "tests/unit/models/random_plan.h"
#include "tests/unit/sim/abort.h"

/* ---- broken models --------------------------------------------------------------------------- */

/* A copy of the model in which one operation and one guard are others. */
typedef struct Mutant {
    CmkModel model;
    const CmkOperation *operations[CMK_OP__COUNT];
    const CmkGuard *guards[CMK_GUARD__COUNT];
    CmkOperation operation;
    CmkGuard guard;
} Mutant;

static void mutant_init(Mutant *mutant, CmkOpId op, CmkGuardId guard)
{
    mutant->model = *cmk_azure_model();
    memcpy(mutant->operations, mutant->model.operations, sizeof(mutant->operations));
    memcpy(mutant->guards, mutant->model.guards, sizeof(mutant->guards));
    mutant->operation = *mutant->operations[op];
    mutant->operations[op] = &mutant->operation;
    if (guard != CMK_GUARD_NONE) {
        mutant->guard = *mutant->guards[guard];
        mutant->guards[guard] = &mutant->guard;
    }
    mutant->model.operations = mutant->operations;
    mutant->model.guards = mutant->guards;
}

static uint32_t writes_elsewhere(CmkSim *sim, const CmkArgs *args)
{
    CmkRegion *region = cmk_world_row_mut(sim->world, CMK_TABLE_REGION, 1);
    region->epoch++;
    return cmk_op_key_rotate.effect(sim, args);
}

/* Past the accessors, so without the mark that they leave. */
static uint32_t writes_unmarked(CmkSim *sim, const CmkArgs *args)
{
    const CmkRegion *region = cmk_region(sim->world, (CmkRegionId){1});
    ((CmkRegion *)(uintptr_t)region)->epoch++;
    return cmk_op_key_rotate.effect(sim, args);
}

static uint32_t writes_nothing_new(CmkSim *sim, const CmkArgs *args)
{
    (void)cmk_world_row_mut(sim->world, CMK_TABLE_REGION, 1);
    return cmk_op_key_rotate.effect(sim, args);
}

static uint32_t moves_the_clock(CmkSim *sim, const CmkArgs *args)
{
    cmk_world_set_now(sim->world, cmk_world_now(sim->world) + 1);
    return cmk_op_key_rotate.effect(sim, args);
}

static uint32_t breaks_an_invariant(CmkSim *sim, const CmkArgs *args)
{
    CmkBackupVault *vault = cmk_world_row_mut(sim->world, CMK_TABLE_BACKUP_VAULT, ESTATE_VAULT);
    vault->encryption = CMK_ENCRYPTION_DISABLED;
    return cmk_op_key_rotate.effect(sim, args);
}

static uint32_t applies_another(CmkSim *sim, const CmkArgs *args)
{
    const CmkArgs again = *args;
    return cmk_apply(sim, &again).result;
}

static bool changes_its_mind(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    static int calls;
    return calls++ % 2 == 0 && cmk_guard_key_exists.holds(world, args, ret_blame);
}

static bool writes_and_refuses(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)args;
    (void)ret_blame;
    ((CmkRegion *)(uintptr_t)cmk_region(world, (CmkRegionId){1}))->epoch++;
    return false;
}

typedef uint32_t Effect(CmkSim *sim, const CmkArgs *args);
typedef bool Holds(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame);

static void rotate_with(Effect *effect, Holds *holds)
{
    Mutant mutant;
    mutant_init(&mutant, CMK_OP_KEY_ROTATE, CMK_GUARD_KEY_EXISTS);
    mutant.operation.effect = effect != NULL ? effect : mutant.operation.effect;
    mutant.guard.holds = holds != NULL ? holds : mutant.guard.holds;
    if (effect == breaks_an_invariant) {
        mutant.operation.writes |= CMK_BIT(BACKUP_VAULT);
    }
    Estate *estate = estate_new(NULL);
    estate->sim.model = &mutant.model;
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_free(estate);
}

static void act_elsewhere(void)
{
    rotate_with(writes_elsewhere, NULL);
}

static void act_unmarked(void)
{
    rotate_with(writes_unmarked, NULL);
}

static void act_nothing_new(void)
{
    rotate_with(writes_nothing_new, NULL);
}

static void act_clock(void)
{
    rotate_with(moves_the_clock, NULL);
}

static void act_invariant(void)
{
    rotate_with(breaks_an_invariant, NULL);
}

static void act_nesting(void)
{
    rotate_with(applies_another, NULL);
}

static void act_impure(void)
{
    rotate_with(NULL, changes_its_mind);
}

static void act_refusal(void)
{
    rotate_with(NULL, writes_and_refuses);
}

Test(guards, the_self_check_catches_models_that_break_their_word)
{
    const AbortCase cases[] = {
        {"another table", "key.rotate: wrote a table it may not write: regions", act_elsewhere},
        {"unmarked", "key.rotate: wrote a table it may not write: regions", act_unmarked},
        {"the same bytes", "key.rotate: wrote a table it may not write: regions", act_nothing_new},
        {"clock", "key.rotate: moved the clock", act_clock},
        {"invariant", "key.rotate: an invariant does not hold: a vault with a key", act_invariant},
        {"nesting", "is_applying", act_nesting},
        {"impure guard", "key.rotate: the same arguments gave another world", act_impure},
        {"writing guard", "key.rotate: wrote a table it may not write: regions", act_refusal},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        cr_assert(aborts_as_told(&cases[i]), "%s", cases[i].name);
    }
    rotate_with(NULL, NULL); /* and is silent otherwise */
}

/* ---- what the tables say --------------------------------------------------------------------- */

Test(guards, each_says_what_it_is_about)
{
    const CmkModel *model = cmk_azure_model();
    bool is_used[CMK_GUARD__COUNT] = {false};
    for (uint32_t op = 1; op < model->operation_count; op++) {
        const CmkOperation *operation = model->operations[op];
        cr_assert(operation->name != NULL && strchr(operation->name, '.') != NULL);
        cr_assert_eq(operation->text[strlen(operation->text) - 1], '.', "%s", operation->name);
        cr_assert_eq(cmk_operation_find(operation->name), op, "%s", operation->name);
        bool is_seen[CMK_GUARD__COUNT] = {false};
        for (uint32_t i = 0; operation->guards[i] != CMK_GUARD_NONE; i++) {
            cr_assert_lt(i, CMK_GUARDS_MAX - 1, "%s: the list has no end", operation->name);
            cr_assert_not(is_seen[operation->guards[i]], "%s asks twice", operation->name);
            is_seen[operation->guards[i]] = true;
            is_used[operation->guards[i]] = true;
        }
    }
    for (uint32_t i = 1; i < model->guard_count; i++) {
        const CmkGuard *guard = model->guards[i];
        cr_assert(is_used[i], "no operation asks %s", guard->name);
        cr_assert_gt(guard->status, CMK_STATUS_LIMIT_REACHED, "%s", guard->name);
        cr_assert_gt(strlen(guard->rule), 0, "%s", guard->name);
        cr_assert_eq(guard->text[strlen(guard->text) - 1], '.', "%s", guard->name);
        for (uint32_t k = 1; k < i; k++) {
            cr_assert_str_neq(guard->name, model->guards[k]->name);
        }
    }
    for (uint32_t i = 0; i < model->status_count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            cr_assert_neq(model->statuses[i].number, model->statuses[k].number, "%s",
                          model->statuses[i].name);
        }
    }
}

/* ---- repairs --------------------------------------------------------------------------------- */

/* What came of the repairs of one guard. */
typedef struct Tally {
    uint32_t met;    /* refusals by the guard */
    uint32_t bound;  /* to which a repair applies */
    uint32_t direct; /* the guard holds right after that one operation */
    uint32_t solved; /* it holds after repairs of the repair, and the time that these need */
} Tally;

typedef struct Repairing {
    const CmkModel *model;
    Tally of[CMK_GUARD__COUNT];
} Repairing;

static bool holds(const CmkSim *sim, CmkGuardId guard, const CmkArgs *args)
{
    CmkArgs now = *args;
    uint64_t blame = 0;
    if (guard == CMK_GUARD_CALLER_IS_KNOWN) { /* an update binds the settings to the new one */
        const CmkBackupVault *vault = cmk_backup_vault_of(sim->world, args);
        now.ref[CMK_REF_PRINCIPAL] =
            args->op == CMK_OP_SECRET_GET ? vault->system_principal : vault->principal;
    }
    return sim->model->guards[guard]->holds(sim->world, &now, &blame);
}

/* Keeps the last request or check of a settings update that was refused. */
static void read_settings_request(void *self, const CmkWorld *world, const CmkRecord *record)
{
    const bool is_request =
        record->args.op == CMK_OP_KEY_GET || record->args.op == CMK_OP_KEY_WRAP ||
        record->args.op == CMK_OP_KEY_UNWRAP || record->args.op == CMK_OP_ENCRYPTION_VALIDATE;
    (void)world;
    if (is_request && record->args.num[0] == 0 && record->guard != CMK_GUARD_NONE) {
        *(CmkRecord *)self = *record;
    }
}

static bool make_hold(CmkSim *sim, CmkGuardId guard, const CmkArgs *refused, uint32_t depth);

/* Applies a repair; what refuses it, or refuses the job that it starts, is repaired first. */
static void apply_repair(CmkSim *sim, const CmkArgs *args, uint32_t depth)
{
    for (uint32_t attempt = 0; attempt < 8; attempt++) {
        const CmkOutcome outcome = cmk_apply(sim, args);
        CmkRecord refused = {0};
        CmkJournal journal = {0};
        cmk_journal_add(&journal, (CmkReader){read_settings_request, &refused});
        sim->journal = &journal;
        (void)cmk_engine_run(sim, cmk_world_now(sim->world) + CMK_MINUTE_US, NULL, NULL);
        sim->journal = NULL;
        const CmkGuardId guard = outcome.guard != CMK_GUARD_NONE ? outcome.guard : refused.guard;
        if (guard == CMK_GUARD_NONE || depth == 0) {
            return;
        }
        (void)make_hold(sim, guard, outcome.guard != CMK_GUARD_NONE ? args : &refused.args,
                        depth - 1);
    }
}

/* Backward from the guard through its repairs. */
static bool make_hold(CmkSim *sim, CmkGuardId guard, const CmkArgs *refused, uint32_t depth)
{
    const CmkGuard *row = sim->model->guards[guard];
    for (uint32_t i = 0; i < CMK_REPAIRS_MAX && row->repairs[i].op != CMK_OP_NONE; i++) {
        /* There may be several things of the same kind to mend, one after the other. */
        for (uint32_t n = 0; n < 3 && !holds(sim, guard, refused); n++) {
            CmkArgs args = {.op = row->repairs[i].op, .actor = CMK_ACTOR_STEP};
            if (row->repairs[i].bind(sim->world, refused, &args)) {
                apply_repair(sim, &args, depth);
            }
        }
    }
    /* Rights propagate, those at a management group in hours (AC-11); regions fail back. */
    static const int64_t waits[] = {15 * CMK_MINUTE_US, 3 * CMK_HOUR_US};
    for (size_t i = 0; i < CMK_ARRAY_LEN(waits) && !holds(sim, guard, refused); i++) {
        (void)cmk_engine_run(sim, cmk_world_now(sim->world) + waits[i], NULL, NULL);
    }
    return holds(sim, guard, refused);
}

/* Of each run some refusals by each guard, not all of a few runs. */
#define MET_MAX 5

/* A principal gets no rights in another tenant than its own, so nothing helps settings whose key
 * vault did not move along, but a key of the new tenant; nor an instance whose secret is in such a
 * key vault (MI-13). */
static bool is_left_behind(const CmkWorld *world, CmkGuardId guard, const CmkArgs *refused)
{
    const bool is_about_tenant = guard == CMK_GUARD_CALLER_IS_KNOWN ||
                                 guard == CMK_GUARD_ROLE_LETS_READ_SECRET ||
                                 guard == CMK_GUARD_POLICY_LETS_READ_SECRET;
    const uint32_t vault = cmk_backup_vault_of(world, refused)->resource_group;
    const uint32_t key_vault = cmk_key_vault_of(world, refused)->resource_group;
    return is_about_tenant && vault != 0 && key_vault != 0 &&
           cmk_scope_tenant(world, (CmkScopeId){vault}) !=
               cmk_scope_tenant(world, (CmkScopeId){key_vault});
}

static void read_refusal(void *self, const CmkWorld *world, const CmkRecord *record)
{
    Repairing *repairing = self;
    const CmkGuard *guard = repairing->model->guards[record->guard];
    const CmkBackupVaultId vault = {record->args.ref[CMK_REF_BACKUP_VAULT]};
    const CmkProvisioning provisioning = cmk_backup_vault(world, vault)->provisioning;
    /* A clone made in the middle of an update would never get on with it, and a vault that is being
     * created or deleted may be gone before anything is repaired. */
    if (guard == NULL || repairing->of[record->guard].met >= MET_MAX ||
        provisioning == CMK_PROVISIONING_UPDATING || provisioning == CMK_PROVISIONING_CREATING ||
        provisioning == CMK_PROVISIONING_DELETING ||
        is_left_behind(world, record->guard, &record->args)) {
        return;
    }
    Tally *tally = &repairing->of[record->guard];
    tally->met++;
    for (uint32_t i = 0; i < CMK_REPAIRS_MAX && guard->repairs[i].op != CMK_OP_NONE; i++) {
        CmkArgs args = {.op = guard->repairs[i].op, .actor = CMK_ACTOR_STEP};
        if (!guard->repairs[i].bind(world, &record->args, &args)) {
            continue;
        }
        CmkSim one = {.model = repairing->model, .world = cmk_world_clone(world)};
        CmkSim many = {.model = repairing->model, .world = cmk_world_clone(world)};
        (void)cmk_apply(&one, &args);
        tally->bound++;
        tally->direct += holds(&one, record->guard, &record->args);
        tally->solved += make_hold(&many, record->guard, &record->args, 4);
        cmk_world_free(one.world);
        cmk_world_free(many.world);
        return;
    }
}

/*
 * What must be met in the random runs, and how far one operation goes. Where it is not the whole
 * way: an identity that was deleted is created, then attached (a); a role acts after its
 * propagation (b); a key in a region that is down or read-only, or a Backup vault that an outage
 * stops, cannot be touched before the region is back (c), which takes the time of a failback (d); a
 * new principal needs rights before the settings can be bound to it (e); a recovery takes some
 * seconds (f); settings that go over to another identity take a moment, and the request that was
 * refused is not theirs any more (g).
 */
static const struct {
    CmkGuardId guard;
    uint32_t percent; /* of the refusals, at least */
    const char *reason;
} expected[] = {
    {CMK_GUARD_KEY_VAULT_IS_REACHABLE, 100, ""},
    {CMK_GUARD_KEY_VAULT_IS_WRITABLE, 0, "cd"},
    {CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED, 100, ""},
    {CMK_GUARD_CONNECTION_LETS_BACKUP_IN, 20, "g"},
    {CMK_GUARD_FIREWALL_LETS_BACKUP_IN, 20, "g"},
    {CMK_GUARD_CONNECTION_LETS_ACTOR_IN, 20, "c"},
    {CMK_GUARD_FIREWALL_LETS_ACTOR_IN, 20, "c"},
    {CMK_GUARD_USER_IDENTITY_MEETS_OPEN_KEY_VAULT, 20, "c"},
    {CMK_GUARD_KEY_NAME_IS_FREE, 100, ""},
    {CMK_GUARD_KEY_EXISTS, 5, "cf"},
    {CMK_GUARD_SYSTEM_IDENTITY_IS_ON, 90, "c"},
    {CMK_GUARD_USER_IDENTITY_IS_ATTACHED, 10, "a"},
    {CMK_GUARD_CALLER_IS_KNOWN, 0, "e"},
    {CMK_GUARD_ROLE_LETS_GET, 0, "b"},
    {CMK_GUARD_POLICY_LETS_GET, 50, "c"},
    {CMK_GUARD_VERSION_IS_ENABLED, 50, "c"},
    {CMK_GUARD_BACKUP_FINDS_IT_NOT_EXPIRED, 20, "c"},
    {CMK_GUARD_ROLE_LETS_ACTOR, 20, "b"},
    {CMK_GUARD_POLICY_LETS_ACTOR, 50, "c"},
    {CMK_GUARD_ACTOR_MAY_MANAGE, 20, "b"},
    {CMK_GUARD_PRINCIPAL_EXISTS, 90, "c"},
    {CMK_GUARD_IDENTITY_EXISTS, 100, ""},
    {CMK_GUARD_TARGET_SYSTEM_IDENTITY_IS_ON, 100, ""},
    {CMK_GUARD_TARGET_USER_IDENTITY_IS_ATTACHED, 10, "a"},
};

Test(guards, repairs_make_their_guards_hold)
{
    Repairing repairing = {.model = cmk_azure_model()};
    for (uint64_t seed = 1; seed <= 240; seed++) {
        CmkPlanRow rows[RANDOM_PLAN_ROWS];
        EstateOptions options = random_plan(seed, rows);
        options.is_not_self_checking = true;
        for (uint32_t i = 0; i < CMK_GUARD__COUNT; i++) {
            repairing.of[i].met = 0;
        }
        Estate *estate = estate_new_read(&options, &(CmkReader){read_refusal, &repairing}, 1);
        estate_run(estate, RANDOM_PLAN_DAYS * CMK_DAY_US);
        estate_free(estate);
    }
    for (uint32_t i = 1; i < CMK_GUARD__COUNT; i++) {
        const Tally *tally = &repairing.of[i];
        cr_expect_eq(tally->solved, tally->bound, "%s: %u of %u refusals were repaired",
                     repairing.model->guards[i]->name, tally->solved, tally->bound);
    }
    for (size_t i = 0; i < CMK_ARRAY_LEN(expected); i++) {
        const Tally *tally = &repairing.of[expected[i].guard];
        const char *name = repairing.model->guards[expected[i].guard]->name;
        cr_expect_geq(tally->bound, 3, "%s was hardly met: %u", name, tally->bound);
        cr_expect_geq(tally->direct * 100, tally->bound * expected[i].percent,
                      "%s: %u of %u by one operation", name, tally->direct, tally->bound);
    }
}

static CmkOpId first_repair(const Estate *estate, const CmkArgs *refused)
{
    const CmkGuard *guard = estate->sim.model->guards[CMK_GUARD_CALLER_IS_KNOWN];
    for (uint32_t i = 0; i < CMK_REPAIRS_MAX && guard->repairs[i].op != CMK_OP_NONE; i++) {
        CmkArgs args = {.op = guard->repairs[i].op, .actor = CMK_ACTOR_STEP};
        if (guard->repairs[i].bind(estate->sim.world, refused, &args)) {
            return guard->repairs[i].op;
        }
    }
    return CMK_OP_NONE;
}

/* MI-7: an identity made again is attached, then its new principal gets rights, then the settings
 * are bound to it; what is done already is advised no more. */
Test(guards, repairs_of_an_identity_made_again_go_on)
{
    for (int uses_policies = 0; uses_policies <= 1; uses_policies++) {
        Estate *estate = estate_new(&(EstateOptions){.uses_policies = uses_policies != 0});
        const CmkArgs get = estate_args(estate, CMK_OP_KEY_GET);
        (void)estate_must(estate, CMK_OP_IDENTITY_DELETE);
        cr_expect_eq(first_repair(estate, &get), CMK_OP_IDENTITY_CREATE);
        (void)estate_must(estate, CMK_OP_IDENTITY_CREATE);
        cr_expect_eq(first_repair(estate, &get), CMK_OP_IDENTITY_ATTACH);
        (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
        const CmkOpId give = uses_policies ? CMK_OP_ACCESS_POLICY_SET : CMK_OP_ROLE_ASSIGN;
        cr_expect_eq(first_repair(estate, &get), give);
        (void)estate_must(estate, give);
        cr_expect_eq(first_repair(estate, &get), CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        estate_free(estate);
    }
}

/* Guards that the random runs do not meet, by hand: rights to get are there, others are not, and a
 * version out of its window. */
Test(guards, repairs_of_rarer_refusals)
{
    const struct {
        bool uses_policies;
        CmkOpId request;
        CmkGuardId guard;
    } cases[] = {
        {false, CMK_OP_KEY_UNWRAP, CMK_GUARD_ROLE_LETS_UNWRAP},
        {true, CMK_OP_KEY_UNWRAP, CMK_GUARD_POLICY_LETS_UNWRAP},
        {true, CMK_OP_KEY_WRAP, CMK_GUARD_POLICY_LETS_WRAP},
        {false, CMK_OP_KEY_WRAP, CMK_GUARD_ROLE_LETS_WRAP},
        {false, CMK_OP_KEY_WRAP, CMK_GUARD_VERSION_IS_ENABLED_FOR_PUBLIC_OPS},
        {false, CMK_OP_KEY_WRAP, CMK_GUARD_VERSION_HAS_NOT_EXPIRED},
        {false, CMK_OP_KEY_WRAP, CMK_GUARD_VERSION_IS_YET_VALID},
        {false, CMK_OP_BACKUP_ACCEPT_KEY, CMK_GUARD_BACKUP_FINDS_IT_NOT_EXPIRED},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = estate_new(&(EstateOptions){.uses_policies = cases[i].uses_policies});
        CmkArgs policy = estate_args(estate, CMK_OP_ACCESS_POLICY_SET);
        policy.num[0] = CMK_PERMISSION_GET;
        CmkArgs set = estate_args(estate, CMK_OP_KEY_UPDATE);
        switch (cases[i].guard) {
        case CMK_GUARD_ROLE_LETS_UNWRAP:
        case CMK_GUARD_ROLE_LETS_WRAP:
            (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
            break;
        case CMK_GUARD_POLICY_LETS_UNWRAP:
        case CMK_GUARD_POLICY_LETS_WRAP:
            (void)estate_must_apply(estate, policy);
            break;
        case CMK_GUARD_VERSION_IS_ENABLED_FOR_PUBLIC_OPS:
            set.num[0] = 1;
            (void)estate_must_apply(estate, set);
            break;
        case CMK_GUARD_VERSION_HAS_NOT_EXPIRED:
        case CMK_GUARD_BACKUP_FINDS_IT_NOT_EXPIRED:
            set.num[1] = ESTATE_START;
            (void)estate_must_apply(estate, set);
            break;
        default:
            set.num[2] = ESTATE_START + CMK_DAY_US;
            (void)estate_must_apply(estate, set);
            break;
        }
        const CmkArgs request = estate_args(estate, cases[i].request);
        const CmkOutcome outcome = estate_apply(estate, &request);
        const char *name = estate_guard_name(estate, cases[i].guard);
        cr_assert_eq(outcome.guard, cases[i].guard, "%s: %s", name,
                     estate_guard_name(estate, outcome.guard));
        CmkArgs repair = {.op = estate->sim.model->guards[outcome.guard]->repairs[0].op};
        cr_assert(estate->sim.model->guards[outcome.guard]->repairs[0].bind(estate->sim.world,
                                                                            &request, &repair));
        (void)estate_must_apply(estate, repair);
        cr_assert_eq(estate_apply(estate, &request).status, CMK_STATUS_OK, "%s", name);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}
