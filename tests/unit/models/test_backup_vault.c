/* Backup vaults as resources: made with a key in one request, deleted, moved (BV-1 to BV-21, ERR-7
 * to ERR-19), and the knobs of section 16 that belong to them. */
#include <criterion/criterion.h>

#include <string.h>

#include "models/points.h"
#include "tests/unit/models/estate.h"

static Estate *make(const EstateOptions *options)
{
    Estate *estate = estate_new(options);
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

static Estate *make_with(CmkKnobId knob, int64_t value)
{
    EstateOptions options = {0};
    options.knobs[knob] = value + 1;
    return make(&options);
}

static const CmkBackupVault *other_vault(const Estate *estate)
{
    return cmk_backup_vault(estate->sim.world, (CmkBackupVaultId){ESTATE_ABSENT_VAULT});
}

/* Of the vault that is not there yet, with the estate's key and identity. */
static CmkArgs creation(const Estate *estate)
{
    CmkArgs args = estate_args(estate, CMK_OP_BACKUP_VAULT_CREATE);
    args.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
    args.ref[CMK_REF_KEY] = ESTATE_KEY;
    args.ref[CMK_REF_IDENTITY] = ESTATE_IDENTITY;
    args.num[1] = CMK_SAYS_TRUE;
    return args;
}

static void create_other(Estate *estate)
{
    (void)estate_must_apply(estate, creation(estate));
    estate_run(estate, CMK_MINUTE_US);
    cr_assert_str_eq(estate->trouble, "");
}

static CmkOutcome apply_to_other(Estate *estate, CmkOpId op)
{
    CmkArgs args = estate_args(estate, op);
    args.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
    const CmkOutcome outcome = estate_apply(estate, &args);
    estate_run(estate, CMK_MINUTE_US);
    return outcome;
}

static void expect_last_failure(const Estate *estate, CmkStatus wanted, const char *what)
{
    const CmkRecord *failed = estate_last(estate, CMK_OP_TASK_FAIL);
    cr_assert_not_null(failed, "%s: nothing failed", what);
    cr_assert_eq(failed->args.num[0], wanted, "%s: %s", what,
                 estate_status_name(estate, (CmkStatus)failed->args.num[0]));
}

/* ---- making ---------------------------------------------------------------------------------- */

/* BV-T2, BV-12, BV-20, BV-21. */
Test(backup_vault, is_made_with_its_key_in_one_request)
{
    Estate *estate = make(NULL);
    const CmkArgs args = creation(estate);
    (void)estate_must_apply(estate, args);
    cr_assert_eq(other_vault(estate)->provisioning, CMK_PROVISIONING_CREATING);
    cr_assert_neq(other_vault(estate)->state, CMK_BACKUP_VAULT_ACTIVE, "not before the checks");
    cr_assert_eq(apply_to_other(estate, CMK_OP_SYSTEM_IDENTITY_ENABLE).status,
                 CMK_STATUS_OF(NOT_FOUND));
    const CmkBackupVault *vault = other_vault(estate);
    cr_assert_eq(vault->state, CMK_BACKUP_VAULT_ACTIVE);
    cr_assert_eq(vault->provisioning, CMK_PROVISIONING_SUCCEEDED);
    cr_assert_eq(vault->encryption, CMK_ENCRYPTION_ENABLED);
    cr_assert_eq(vault->key, ESTATE_KEY);
    cr_assert_eq(vault->identity, ESTATE_IDENTITY);
    cr_assert_eq(vault->has_infrastructure_encryption, 1);
    (void)apply_to_other(estate, CMK_OP_IDENTITY_DETACH);
    cr_assert_eq(other_vault(estate)->encryption, CMK_ENCRYPTION_INCONSISTENT,
                 "the identity came with the vault");
    estate_free(estate);
}

/* BV-T4, OQ-16: whatever check fails, also for a passing reason, no vault comes of it. */
Test(backup_vault, is_not_made_when_a_check_fails)
{
    static const struct {
        const char *name;
        CmkOpId op;
        int64_t number;
        CmkStatus status;
    } cases[] = {
        {"no rights", CMK_OP_ROLE_REMOVE, 0, CMK_STATUS_OF(AUTH_FAILURE)},
        {"disabled", CMK_OP_KEY_UPDATE, CMK_SAYS_FALSE, CMK_STATUS_OF(AUTH_FAILURE)},
        {"deleted", CMK_OP_KEY_DELETE, 0, CMK_STATUS_OF(AUTH_FAILURE)},
        {"throttled", CMK_OP_KEY_VAULT_THROTTLE, 0, CMK_STATUS_OF(RETRYABLE)},
        {"outage", CMK_OP_REGION_LOSE, 0, CMK_STATUS_OF(RETRYABLE)},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make(NULL);
        CmkArgs trouble = estate_args(estate, cases[i].op);
        trouble.num[0] = cases[i].number;
        (void)estate_must_apply(estate, trouble);
        create_other(estate);
        expect_last_failure(estate, cases[i].status, cases[i].name);
        const CmkBackupVault *vault = other_vault(estate);
        cr_assert_eq(vault->state, CMK_BACKUP_VAULT_ABSENT, "%s", cases[i].name);
        cr_assert_eq(vault->provisioning, CMK_PROVISIONING_FAILED, "%s", cases[i].name);
        cr_assert_eq(vault->encryption, CMK_ENCRYPTION_DISABLED, "%s", cases[i].name);
        cr_assert_eq(vault->key, 0, "%s", cases[i].name);
        CmkCostItem items[64];
        CmkPriceBook book;
        cmk_price_book_init(&book);
        const uint32_t count = cmk_cost_items(estate->sim.world, &book, items, 64);
        for (uint32_t k = 0; k < count && k < 64; k++) {
            cr_assert_neq(items[k].backup_vault, ESTATE_ABSENT_VAULT, "nothing is billed");
        }
        estate_free(estate);
    }
}

/* OQ-16 the other way round: the vault stays, without the key, and can be given one later. */
Test(backup_vault, may_stay_without_the_key_it_was_to_have)
{
    Estate *estate = make_with(CMK_KNOB_FAILED_CREATION_LEAVES_VAULT, 1);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    create_other(estate);
    expect_last_failure(estate, CMK_STATUS_OF(AUTH_FAILURE), "no rights");
    const CmkBackupVault *vault = other_vault(estate);
    cr_assert_eq(vault->state, CMK_BACKUP_VAULT_ACTIVE);
    cr_assert_eq(vault->provisioning, CMK_PROVISIONING_FAILED);
    cr_assert_eq(vault->encryption, CMK_ENCRYPTION_DISABLED);
    cr_assert_eq(vault->key, 0);
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    cr_assert_eq(apply_to_other(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION).status,
                 CMK_STATUS_OK);
    estate_run(estate, CMK_MINUTE_US);
    cr_assert_eq(vault->encryption, CMK_ENCRYPTION_ENABLED, "its identity stayed too");
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* OQ-13: a check that refuses an update leaves the settings as they were, or breaks them too. */
Test(backup_vault, settings_may_break_by_what_a_check_refuses)
{
    for (int64_t breaks = 0; breaks <= 1; breaks++) {
        Estate *estate = make_with(CMK_KNOB_REFUSED_UPDATE_BREAKS_SETTINGS, breaks);
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        (void)estate_must(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        estate_run(estate, CMK_MINUTE_US);
        expect_last_failure(estate, CMK_STATUS_OF(AUTH_FAILURE), "no rights");
        cr_assert_eq(estate_vault(estate)->encryption,
                     breaks ? CMK_ENCRYPTION_INCONSISTENT : CMK_ENCRYPTION_ENABLED);
        (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
        (void)estate_must(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        estate_run(estate, CMK_MINUTE_US);
        cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED, "a repeat repairs");
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* OQ-1: settings go by whether the key can be seen, jobs by rights; or both by rights. */
Test(backup_vault, settings_may_fail_with_the_codes_of_jobs)
{
    for (int64_t like_jobs = 0; like_jobs <= 1; like_jobs++) {
        Estate *estate = make_with(CMK_KNOB_SETTINGS_FAIL_LIKE_JOBS, like_jobs);
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        (void)estate_must(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        estate_run(estate, CMK_MINUTE_US);
        expect_last_failure(
            estate, like_jobs ? CMK_STATUS_OF(MISSING_PERMISSION) : CMK_STATUS_OF(AUTH_FAILURE),
            "no rights");
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* BV-3. */
Test(backup_vault, spreads_its_copies_as_it_was_told_last)
{
    Estate *estate = make(NULL);
    create_other(estate);
    CmkArgs args = estate_args(estate, CMK_OP_BACKUP_VAULT_SET_REDUNDANCY);
    args.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
    args.num[0] = CMK_REDUNDANCY_GEO;
    (void)estate_must_apply(estate, args);
    cr_assert_eq(other_vault(estate)->redundancy, CMK_REDUNDANCY_GEO);
    cr_assert_eq(estate_vault(estate)->redundancy, CMK_REDUNDANCY_LOCAL);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* ---- deleting (BK-35, ERR-7, OQ-21) ---------------------------------------------------------- */

Test(backup_vault, needs_its_key_to_be_deleted)
{
    for (int64_t needs_key = 0; needs_key <= 1; needs_key++) {
        Estate *estate = make_with(CMK_KNOB_EMPTY_VAULT_DELETION_NEEDS_KEY, needs_key);
        create_other(estate);
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        estate_rewind(estate);
        cr_assert_eq(apply_to_other(estate, CMK_OP_BACKUP_VAULT_DELETE).status, CMK_STATUS_OK);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_GET), (uint32_t)needs_key);
        if (needs_key != 0) {
            expect_last_failure(estate, CMK_STATUS_OF(DELETION_FAILED), "ERR-7");
            cr_assert_eq(other_vault(estate)->state, CMK_BACKUP_VAULT_ACTIVE);
            cr_assert_eq(other_vault(estate)->provisioning, CMK_PROVISIONING_FAILED);
            (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
            cr_assert_eq(apply_to_other(estate, CMK_OP_BACKUP_VAULT_DELETE).status, CMK_STATUS_OK);
            cr_assert_eq(estate_last(estate, CMK_OP_KEY_UNWRAP)->status, CMK_STATUS_OK);
        }
        cr_assert_eq(other_vault(estate)->state, CMK_BACKUP_VAULT_ABSENT);
        cr_assert_eq(other_vault(estate)->key, 0);
        const CmkKey *key = cmk_key(estate->sim.world, (CmkKeyId){ESTATE_KEY});
        cr_assert_eq(key->first_user, ESTATE_VAULT, "the key is used by one vault only");
        create_other(estate); /* the name is free again */
        cr_assert_eq(other_vault(estate)->encryption,
                     needs_key ? CMK_ENCRYPTION_ENABLED : CMK_ENCRYPTION_DISABLED);
        estate_free(estate);
    }
}

/* Vaults with platform-managed keys never ask for one, whatever is broken elsewhere. */
Test(backup_vault, without_a_key_is_deleted_without_one)
{
    Estate *estate = make(NULL);
    CmkArgs create = creation(estate);
    create.ref[CMK_REF_KEY] = 0;
    create.num[1] = 0;
    (void)estate_must_apply(estate, create);
    (void)apply_to_other(estate, CMK_OP_SYSTEM_IDENTITY_ENABLE);
    const CmkPrincipalId principal = {other_vault(estate)->system_principal};
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    estate_rewind(estate);
    cr_assert_eq(apply_to_other(estate, CMK_OP_BACKUP_VAULT_DELETE).status, CMK_STATUS_OK);
    cr_assert_eq(other_vault(estate)->state, CMK_BACKUP_VAULT_ABSENT);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_GET), 0);
    cr_assert_eq(cmk_principal(estate->sim.world, principal)->is_alive, 0, "MI-4: it goes along");
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* OQ-21: an Inconsistent vault is deleted when the requests of BK-35 are granted, or when its first
 * key never came to be used. */
Test(backup_vault, that_is_inconsistent_is_deleted_if_its_key_can_be_used)
{
    for (int has_key = 0; has_key <= 1; has_key++) {
        Estate *estate = make(NULL);
        CmkArgs create = creation(estate);
        create.ref[CMK_REF_KEY] = has_key != 0 ? ESTATE_KEY : 0;
        create.num[1] = 0;
        (void)estate_must_apply(estate, create);
        estate_run(estate, CMK_MINUTE_US);
        if (has_key == 0) {
            (void)apply_to_other(estate, CMK_OP_IDENTITY_ATTACH);
        }
        (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE);
        (void)apply_to_other(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        cr_assert_eq(other_vault(estate)->encryption, CMK_ENCRYPTION_INCONSISTENT);
        cr_assert_eq(other_vault(estate)->key, has_key != 0 ? ESTATE_KEY : 0);
        if (has_key != 0) {
            (void)apply_to_other(estate, CMK_OP_BACKUP_VAULT_DELETE);
            expect_last_failure(estate, CMK_STATUS_OF(DELETION_FAILED), "throttled, ERR-M12");
            cr_assert_eq(other_vault(estate)->state, CMK_BACKUP_VAULT_ACTIVE);
            (void)estate_must(estate, CMK_OP_KEY_VAULT_UNTHROTTLE);
        }
        (void)apply_to_other(estate, CMK_OP_BACKUP_VAULT_DELETE);
        cr_assert_eq(other_vault(estate)->state, CMK_BACKUP_VAULT_ABSENT);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* BV-12: what the vault reports is how the last write ended. One that does not wait for the key
 * leaves alone an update that does. */
Test(backup_vault, a_write_that_ends_well_makes_up_for_one_that_failed)
{
    const struct {
        CmkOpId op;
        uint32_t identity;
        int64_t number;
    } writes[] = {
        {CMK_OP_BACKUP_VAULT_SET_REDUNDANCY, 0, CMK_REDUNDANCY_GEO},
        {CMK_OP_BACKUP_VAULT_ENABLE_CROSS_REGION_RESTORE, 0, 0},
        {CMK_OP_BACKUP_VAULT_SET_SOFT_DELETE, 0, CMK_SOFT_DELETE_ON},
        {CMK_OP_IDENTITY_ATTACH, ESTATE_LOOSE_IDENTITY, 0},
        {CMK_OP_IDENTITY_DETACH, ESTATE_LOOSE_IDENTITY, 0},
        {CMK_OP_SYSTEM_IDENTITY_ENABLE, 0, 0},
        {CMK_OP_SYSTEM_IDENTITY_DISABLE, 0, 0},
    };
    Estate *estate = make(NULL);
    create_other(estate);
    for (size_t i = 0; i < CMK_ARRAY_LEN(writes); i++) {
        const char *name = estate->sim.model->operations[writes[i].op]->name;
        CmkArgs write = estate_args(estate, writes[i].op);
        write.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
        write.ref[CMK_REF_IDENTITY] = writes[i].identity;
        write.num[0] = writes[i].number;
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        (void)apply_to_other(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        cr_assert_eq(other_vault(estate)->provisioning, CMK_PROVISIONING_FAILED, "%s", name);
        (void)estate_must_apply(estate, write);
        cr_assert_eq(other_vault(estate)->provisioning, CMK_PROVISIONING_SUCCEEDED, "%s", name);
        (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    }
    CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    update.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
    CmkArgs attach = estate_args(estate, CMK_OP_IDENTITY_ATTACH);
    attach.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
    attach.ref[CMK_REF_IDENTITY] = ESTATE_LOOSE_IDENTITY;
    (void)estate_must_apply(estate, update);
    (void)estate_must_apply(estate, attach);
    cr_assert_eq(other_vault(estate)->provisioning, CMK_PROVISIONING_UPDATING);
    estate_run(estate, CMK_MINUTE_US);
    cr_assert_eq(other_vault(estate)->provisioning, CMK_PROVISIONING_SUCCEEDED);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* BV-10: whoever brought the policy there is to blame, which stays after its last instance, and the
 * repair that is offered helps. */
Test(backup_vault, is_deleted_after_its_policies)
{
    Estate *estate = make(NULL);
    create_other(estate);
    CmkArgs protect = estate_args(estate, CMK_OP_INSTANCE_PROTECT);
    protect.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
    protect.ref[CMK_REF_INSTANCE] = ESTATE_HOMELESS_INSTANCE;
    const uint64_t protected_by = estate_apply(estate, &protect).seq;
    CmkArgs off = estate_args(estate, CMK_OP_BACKUP_VAULT_SET_SOFT_DELETE);
    off.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
    off.num[0] = CMK_SOFT_DELETE_OFF;
    (void)estate_must_apply(estate, off);
    protect.op = CMK_OP_INSTANCE_DELETE;
    (void)estate_must_apply(estate, protect);
    estate_run(estate, CMK_MINUTE_US);

    CmkArgs delete = estate_args(estate, CMK_OP_BACKUP_VAULT_DELETE);
    delete.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
    const CmkOutcome refused = cmk_would_apply(&estate->sim, &delete);
    cr_assert_eq(refused.guard, CMK_GUARD_POLICIES_ARE_DELETED);
    cr_assert_eq(refused.seq, protected_by);
    const CmkRepair *repair = &estate->sim.model->guards[refused.guard]->repairs[0];
    CmkArgs mend = {.op = repair->op, .actor = CMK_ACTOR_STEP};
    cr_assert(repair->bind(estate->sim.world, &delete, &mend));
    (void)estate_must_apply(estate, mend);
    cr_assert_not(repair->bind(estate->sim.world, &delete, &mend), "there are no more");
    (void)estate_must_apply(estate, delete);
    estate_run(estate, CMK_MINUTE_US);
    cr_assert_eq(other_vault(estate)->state, CMK_BACKUP_VAULT_ABSENT);

    create_other(estate); /* another vault of the name has none of its policies */
    (void)estate_must_apply(estate, delete);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* Whoever is refused for want of a policy is helped in that vault; no other comes to have it. */
Test(backup_vault, gets_the_policy_that_it_lacks)
{
    Estate *estate = make(NULL);
    CmkArgs protect = estate_args(estate, CMK_OP_INSTANCE_PROTECT);
    protect.ref[CMK_REF_INSTANCE] = ESTATE_IDLE_INSTANCE;
    protect.ref[CMK_REF_POLICY] = ESTATE_ABSENT_POLICY;
    const CmkOutcome refused = cmk_would_apply(&estate->sim, &protect);
    cr_assert_eq(refused.guard, CMK_GUARD_POLICY_EXISTS);
    const CmkRepair *repair = &estate->sim.model->guards[refused.guard]->repairs[0];
    CmkArgs mend = {.op = repair->op, .actor = CMK_ACTOR_STEP};
    cr_assert(repair->bind(estate->sim.world, &protect, &mend));
    (void)estate_must_apply(estate, mend);
    cr_assert_neq(cmk_would_apply(&estate->sim, &protect).guard, CMK_GUARD_POLICY_EXISTS);
    create_other(estate);
    protect.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
    protect.ref[CMK_REF_INSTANCE] = ESTATE_HOMELESS_INSTANCE;
    cr_assert_eq(cmk_would_apply(&estate->sim, &protect).guard, CMK_GUARD_POLICY_EXISTS);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* While a deletion waits for the key nothing is put into the vault, which would outlive it. */
Test(backup_vault, takes_no_policy_while_it_is_deleted)
{
    Estate *estate = make(NULL);
    create_other(estate);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE);
    CmkArgs args = estate_args(estate, CMK_OP_BACKUP_VAULT_DELETE);
    args.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
    (void)estate_must_apply(estate, args);
    estate_run(estate, CMK_SECOND_US);
    args.op = CMK_OP_BACKUP_POLICY_CREATE;
    cr_assert_eq(cmk_apply(&estate->sim, &args).guard, CMK_GUARD_BACKUP_VAULT_IS_NOT_BEING_DELETED);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_UNTHROTTLE);
    estate_run(estate, CMK_MINUTE_US);
    cr_assert_eq(other_vault(estate)->state, CMK_BACKUP_VAULT_ABSENT);
    create_other(estate);
    (void)estate_must_apply(estate, args);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* BV-11: listed with both moments for as long as the knob says, with its name free meanwhile; of
 * two vaults of one name it is the last one, whose time counts. */
Test(backup_vault, that_is_gone_is_listed_until_it_is_purged)
{
    Estate *estate = make_with(CMK_KNOB_DELETED_VAULT_KEPT, 3 * CMK_DAY_US);
    const CmkTime days[] = {0, CMK_DAY_US};
    for (size_t i = 0; i < CMK_ARRAY_LEN(days); i++) {
        estate_run_until(estate, ESTATE_START + days[i]);
        create_other(estate);
        const CmkTime now = cmk_world_now(estate->sim.world);
        (void)apply_to_other(estate, CMK_OP_BACKUP_VAULT_DELETE);
        cr_assert_eq(other_vault(estate)->deleted_from, cmk_region_find("westeurope").i);
        cr_assert_eq(other_vault(estate)->deleted_at, now);
        cr_assert_eq(other_vault(estate)->deleted_purge_at, now + 3 * CMK_DAY_US);
    }
    const CmkTime purge_at = other_vault(estate)->deleted_purge_at;
    create_other(estate);
    cr_assert_eq(other_vault(estate)->deleted_purge_at, purge_at, "a new vault changes nothing");
    (void)estate_must(estate, CMK_OP_KEY_DELETE); /* nobody needs it for that */
    estate_run_until(estate, purge_at - 1);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_VAULT_PURGE_DELETED), 0);
    estate_run_until(estate, purge_at);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_VAULT_PURGE_DELETED), 1);
    cr_assert_eq(other_vault(estate)->deleted_from, 0);
    cr_assert_eq(other_vault(estate)->state, CMK_BACKUP_VAULT_ACTIVE);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* BV-11: what is listed is not billed, whatever the vault has cost before. */
Test(backup_vault, that_is_listed_costs_nothing)
{
    int64_t nanos[2];
    for (int64_t is_listed = 0; is_listed <= 1; is_listed++) {
        Estate *estate = make_with(CMK_KNOB_DELETED_VAULT_KEPT, is_listed * 14 * CMK_DAY_US);
        CmkPriceBook book;
        cmk_price_book_init(&book);
        create_other(estate);
        (void)apply_to_other(estate, CMK_OP_BACKUP_VAULT_DELETE);
        estate_run(estate, 20 * CMK_DAY_US);
        nanos[is_listed] = cmk_cost(estate->sim.world, &book).total_nanos;
        estate_free(estate);
    }
    cr_assert_gt(nanos[0], 0);
    cr_assert_eq(nanos[0], nanos[1]);
}

/* Maintenance of a vault that is gone does not come back with another one of its name. */
Test(backup_vault, that_is_gone_is_maintained_no_more)
{
    Estate *estate = make_with(CMK_KNOB_DELETED_VAULT_KEPT, 0);
    const uint32_t before = cmk_agenda_count(estate->sim.world);
    for (int i = 0; i < 3; i++) {
        create_other(estate);
        (void)apply_to_other(estate, CMK_OP_BACKUP_VAULT_DELETE);
    }
    estate_run(estate, 3 * CMK_DAY_US);
    cr_assert_leq(cmk_agenda_count(estate->sim.world), before + 1);
    estate_free(estate);
}

/* ---- moving (BV-13, BV-14) ------------------------------------------------------------------- */

Test(backup_vault, answers_nothing_while_it_moves)
{
    EstateOptions options = {.has_no_cmk = true};
    options.knobs[CMK_KNOB_VAULT_MOVE_DURATION] = 2 * CMK_HOUR_US + 1;
    Estate *estate = make(&options);
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_MOVE);
    static const CmkOpId ops[] = {CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION,
                                  CMK_OP_BACKUP_VAULT_DELETE,
                                  CMK_OP_BACKUP_VAULT_MOVE,
                                  CMK_OP_BACKUP_VAULT_SET_REDUNDANCY,
                                  CMK_OP_IDENTITY_ATTACH,
                                  CMK_OP_IDENTITY_DETACH,
                                  CMK_OP_SYSTEM_IDENTITY_ENABLE,
                                  CMK_OP_SYSTEM_IDENTITY_DISABLE,
                                  CMK_OP_INSTANCE_PROTECT,
                                  CMK_OP_BACKUP_RESTORE};
    estate_run(estate, 2 * CMK_HOUR_US - 1);
    for (size_t i = 0; i < CMK_ARRAY_LEN(ops); i++) {
        cr_assert_eq(estate_try(estate, ops[i]).status, CMK_STATUS_OF(VAULT_IS_MOVING), "%s",
                     estate->sim.model->operations[ops[i]]->name);
    }
    estate_run(estate, 1);
    cr_assert_eq(estate_vault(estate)->provisioning, CMK_PROVISIONING_SUCCEEDED);
    cr_assert_eq(estate_vault(estate)->resource_group, ESTATE_OTHER_GROUP);
    cr_assert_eq(estate_try(estate, CMK_OP_SYSTEM_IDENTITY_ENABLE).status, CMK_STATUS_OK);
    estate_free(estate);
}

/* The backup at 02:00 falls into the move of the first day; those of the days after do not. */
Test(backup_vault, goes_on_with_its_schedule_after_a_move)
{
    EstateOptions options = {.has_no_cmk = true};
    options.knobs[CMK_KNOB_VAULT_MOVE_DURATION] = 2 * CMK_HOUR_US + 1;
    Estate *estate = make(&options);
    estate_run(estate, CMK_HOUR_US);
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_MOVE);
    estate_run(estate, 3 * CMK_DAY_US);
    const CmkGuardId guards[] = {CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_NONE,
                                 CMK_GUARD_NONE};
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_START), CMK_ARRAY_LEN(guards));
    for (uint32_t day = 0; day < CMK_ARRAY_LEN(guards); day++) {
        const CmkRecord *record = estate_nth(estate, CMK_OP_BACKUP_START, day);
        cr_assert_eq(record->time, ESTATE_START + day * CMK_DAY_US + 2 * CMK_HOUR_US);
        cr_assert_eq(record->guard, guards[day], "day %u", day);
    }
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 2);
    estate_free(estate);
}

/* ERR-9: an identity that is sound where it is may be a stranger where the vault is to go. */
Test(backup_vault, does_not_move_to_another_tenant_with_its_identities)
{
    Estate *estate = make(&(EstateOptions){.has_no_cmk = true});
    (void)estate_must(estate, CMK_OP_SUBSCRIPTION_MOVE_TENANT);
    (void)estate_must(estate, CMK_OP_IDENTITY_DELETE);
    (void)estate_must(estate, CMK_OP_IDENTITY_CREATE); /* of the new tenant, as the vault is */
    (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
    const CmkOutcome outcome = estate_try(estate, CMK_OP_BACKUP_VAULT_MOVE);
    cr_assert_eq(outcome.status, CMK_STATUS_OF(CROSS_TENANT_MOVE));
    cr_assert_eq(estate_last(estate, CMK_OP_BACKUP_VAULT_MOVE)->blame_seq,
                 estate_last(estate, CMK_OP_SUBSCRIPTION_MOVE_TENANT)->seq);
    for (uint32_t i = ESTATE_IDENTITY; i <= ESTATE_OTHER_IDENTITY; i++) {
        CmkArgs detach = estate_args(estate, CMK_OP_IDENTITY_DETACH);
        detach.ref[CMK_REF_IDENTITY] = i;
        (void)estate_must_apply(estate, detach);
    }
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_MOVE);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* ---- knobs ----------------------------------------------------------------------------------- */

/* OQ-3. */
Test(backup_vault, lost_rights_break_the_settings_only_if_asked_to)
{
    for (int64_t breaks = 0; breaks <= 1; breaks++) {
        Estate *estate = make_with(CMK_KNOB_LOST_RIGHTS_BREAK_SETTINGS, breaks);
        (void)estate_must(estate, CMK_OP_KEY_DELETE);
        estate_run(estate, CMK_DAY_US);
        expect_last_failure(estate, CMK_STATUS_OF(AUTH_FAILURE), "no key");
        cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED, "rights only");
        (void)estate_must(estate, CMK_OP_KEY_RECOVER);
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        estate_run(estate, CMK_DAY_US);
        expect_last_failure(estate, CMK_STATUS_OF(MISSING_PERMISSION), "no rights");
        cr_assert_eq(estate_vault(estate)->encryption,
                     breaks ? CMK_ENCRYPTION_INCONSISTENT : CMK_ENCRYPTION_ENABLED);
        (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
        (void)estate_must(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        estate_run(estate, CMK_MINUTE_US);
        cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED, "repeated");
        estate_free(estate);
    }
}

/* BV-23: a key of the same name is another key, and the backups stay lost. */
Test(backup_vault, a_purged_key_takes_its_points_along)
{
    Estate *estate = make(NULL);
    estate_run(estate, CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    cr_assert_not(cmk_point_is_lost(estate->sim.world, (CmkPointId){1}), "it may be recovered");
    estate_run(estate, 90 * CMK_DAY_US);
    cr_assert(cmk_point_is_lost(estate->sim.world, (CmkPointId){1}));
    (void)estate_must(estate, CMK_OP_KEY_CREATE);
    estate_rewind(estate);
    for (int i = 0; i < 3; i++) {
        CmkArgs restore = estate_args(estate, CMK_OP_BACKUP_RESTORE);
        restore.ref[CMK_REF_POINT] = 1;
        (void)estate_must_apply(estate, restore);
        estate_run(estate, 30 * CMK_DAY_US);
        expect_last_failure(estate, CMK_STATUS_OF(AUTH_FAILURE), "OQ-29, for ever");
    }
    cr_assert_eq(estate_count(estate, CMK_OP_RESTORE_COMMIT), 0);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 0);
    cr_assert(cmk_point_is_lost(estate->sim.world, (CmkPointId){1}));
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* OQ-22, ERR-8: only databases of PostgreSQL, and only for want of rights. */
Test(backup_vault, postgres_jobs_may_fail_with_an_error_of_no_name)
{
    static const char *const datasources[] = {"AzureDatabaseForPostgreSQL",
                                              "AzureDatabaseForMySQL"};
    for (size_t i = 0; i < CMK_ARRAY_LEN(datasources); i++) {
        for (int64_t knob = 0; knob <= 1; knob++) {
            EstateOptions options = {.datasource = datasources[i]};
            options.knobs[CMK_KNOB_PG_GENERIC_ERROR] = knob + 1;
            Estate *estate = make(&options);
            (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
            estate_run(estate, CMK_DAY_US);
            expect_last_failure(estate,
                                i == 0 && knob == 1 ? CMK_STATUS_OF(GENERIC_DATABASE_ERROR)
                                                    : CMK_STATUS_OF(MISSING_PERMISSION),
                                datasources[i]);
            (void)estate_must(estate, CMK_OP_KEY_DELETE);
            (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
            estate_run(estate, CMK_DAY_US);
            expect_last_failure(estate, CMK_STATUS_OF(AUTH_FAILURE), "the key is gone");
            estate_free(estate);
        }
    }
}

/* OQ-2. */
Test(backup_vault, two_codes_change_places_as_in_the_article)
{
    for (int64_t knob = 0; knob <= 1; knob++) {
        for (int lacks_purge = 0; lacks_purge <= 1; lacks_purge++) {
            EstateOptions options = {.spare_has_no_soft_delete = lacks_purge == 0,
                                     .spare_has_no_purge_protection = lacks_purge != 0};
            options.knobs[CMK_KNOB_ARTICLE_LITERAL_SWAP] = knob + 1;
            Estate *estate = make(&options);
            CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
            update.ref[CMK_REF_KEY] = ESTATE_SPARE_KEY;
            (void)estate_must_apply(estate, update);
            estate_run(estate, CMK_MINUTE_US);
            expect_last_failure(estate,
                                (knob != 0) != (lacks_purge != 0)
                                    ? CMK_STATUS_OF(PURGE_PROTECTION_NOT_ENABLED)
                                    : CMK_STATUS_OF(SOFT_DELETE_NOT_ENABLED),
                                "OQ-2");
            estate_free(estate);
        }
    }
}

/* OQ-29, OQ-30: a purged key can be replaced or not; its points are lost either way. */
Test(backup_vault, a_purged_key_may_be_replaced_but_not_its_points)
{
    for (int64_t knob = 0; knob <= 1; knob++) {
        Estate *estate = make_with(CMK_KNOB_LOST_KEY_CAN_BE_REPLACED, knob);
        estate_run(estate, CMK_DAY_US);
        (void)estate_must(estate, CMK_OP_KEY_DELETE);
        CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        update.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
        (void)estate_must_apply(estate, update);
        estate_run(estate, CMK_MINUTE_US);
        expect_last_failure(estate, CMK_STATUS_OF(AUTH_FAILURE_ON_CURRENT_KEY),
                            "deleted is not purged");
        estate_run(estate, 90 * CMK_DAY_US);
        (void)estate_must_apply(estate, update);
        estate_run(estate, CMK_DAY_US + CMK_MINUTE_US);
        cr_assert_eq(estate_vault(estate)->key, knob ? ESTATE_OTHER_KEY : ESTATE_KEY);
        cr_assert(cmk_point_is_lost(estate->sim.world, (CmkPointId){1}));
        CmkGuardId guard = CMK_GUARD_NONE;
        cr_assert_eq(
            cmk_point_restorable(estate->sim.model, estate->sim.world, (CmkPointId){1}, &guard),
            CMK_STATUS_OF(AUTH_FAILURE) * (knob != 0) + CMK_STATUS_OF(KEY_NOT_FOUND) * (knob == 0));
        if (knob != 0) {
            const CmkPointId point = {estate_last(estate, CMK_OP_BACKUP_COMMIT)->result};
            cr_assert_not(cmk_point_is_lost(estate->sim.world, point), "backups go on");
        }
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* OQ-15: points from before need the key, or they stay under the platform's. */
Test(backup_vault, old_points_need_the_key_or_not)
{
    for (int64_t knob = 0; knob <= 1; knob++) {
        EstateOptions options = {.has_no_cmk = true, .retention_days = 300};
        options.knobs[CMK_KNOB_ENABLING_WRAPS_OLD_POINTS] = knob + 1;
        Estate *estate = make(&options);
        estate_run(estate, CMK_DAY_US);
        (void)estate_must(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        estate_run(estate, CMK_DAY_US);
        (void)estate_must(estate, CMK_OP_KEY_DELETE);
        estate_rewind(estate);
        for (uint32_t point = 1; point <= 2; point++) {
            const CmkWorld *world = estate->sim.world;
            CmkArgs restore = estate_args(estate, CMK_OP_BACKUP_RESTORE);
            restore.ref[CMK_REF_POINT] = point;
            const bool is_free = point == 1 && knob == 0;
            cr_assert_eq(cmk_point_needs_key(world, (CmkPointId){point}), !is_free);
            const uint32_t done = estate_count(estate, CMK_OP_RESTORE_COMMIT);
            (void)estate_must_apply(estate, restore);
            estate_run(estate, 2 * CMK_HOUR_US);
            cr_assert_eq(estate_count(estate, CMK_OP_RESTORE_COMMIT) - done, is_free);
        }
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* BV-15: whatever the region of the vault, its key is taken. */
Test(backup_vault, takes_a_key_in_each_region)
{
    uint32_t count = 0;
    (void)cmk_region_facts(&count);
    cr_assert_gt(count, 50);
    for (uint32_t region = 1; region < count; region++) {
        Estate *estate = make(NULL);
        CmkArgs args = creation(estate);
        args.ref[CMK_REF_REGION] = region;
        (void)estate_must_apply(estate, args);
        estate_run(estate, CMK_MINUTE_US);
        cr_expect_eq(other_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED, "%s",
                     cmk_region_facts(&count)[region].name);
        estate_free(estate);
    }
}

/* OQ-28: backups, rotations and changes of the key leave a vault its data key. */
Test(backup_vault, has_one_data_key)
{
    Estate *estate = make(NULL);
    const uint32_t data_key = estate_vault(estate)->data_key;
    estate_run(estate, CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_ROTATION_COMMIT), 1);
    CmkArgs args = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    args.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
    (void)estate_must_apply(estate, args);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_vault(estate)->key, ESTATE_OTHER_KEY);
    cr_assert_eq(estate_vault(estate)->data_key, data_key);
    cr_assert_eq(cmk_world_count(estate->sim.world, CMK_TABLE_POINT), 3);
    for (uint32_t i = 1; i <= 3; i++) {
        cr_assert_eq(cmk_point(estate->sim.world, (CmkPointId){i})->data_key, data_key);
    }
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}
