/* Loss of a region, failover, read-only mode, failback (section 6). */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <string.h>

#include "models/region.h"
#include "tests/unit/models/estate.h"

static Estate *make(const EstateOptions *options)
{
    Estate *estate = estate_new(options);
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

static CmkRegionState state_of(const Estate *estate, const char *name)
{
    return cmk_region(estate->sim.world, cmk_region_find(name))->state;
}

static CmkStatus ask(Estate *estate, CmkOpId op)
{
    const CmkArgs args = estate_args(estate, op);
    return cmk_would_apply(&estate->sim, &args).status;
}

typedef struct Mode {
    const char *name;
    CmkTime at; /* since the loss */
    CmkRegionState state;
    CmkStatus read;  /* get, wrap, unwrap */
    CmkStatus write; /* rotate, update, delete, create */
} Mode;

/* OQ-33: 4 h until somebody decides, 5 min of failover, then read-only (REL-4 to REL-9); the region
 * comes back after a day, 5 min later everything works (REL-12). */
Test(region, goes_through_its_states_on_time)
{
    const CmkStatus down = CMK_STATUS_OF(SERVICE_UNAVAILABLE);
    const CmkStatus read_only = CMK_STATUS_OF(KEY_VAULT_READ_ONLY);
    const Mode modes[] = {
        {"lost", 0, CMK_REGION_LOST, down, down},
        {"no decision yet", 4 * CMK_HOUR_US - 1, CMK_REGION_LOST, down, down},
        {"decided", 4 * CMK_HOUR_US, CMK_REGION_FAILING_OVER, down, down},
        {"still failing over", 245 * CMK_MINUTE_US - 1, CMK_REGION_FAILING_OVER, down, down},
        {"failed over", 245 * CMK_MINUTE_US, CMK_REGION_FAILED_OVER, CMK_STATUS_OK, read_only},
        {"the region is back", CMK_DAY_US, CMK_REGION_FAILING_BACK, CMK_STATUS_OK, read_only},
        {"still failing back", CMK_DAY_US + 5 * CMK_MINUTE_US - 1, CMK_REGION_FAILING_BACK,
         CMK_STATUS_OK, read_only},
        {"failed back", CMK_DAY_US + 5 * CMK_MINUTE_US, CMK_REGION_UP, CMK_STATUS_OK,
         CMK_STATUS_OK},
    };
    const CmkOpId reads[] = {CMK_OP_KEY_GET, CMK_OP_KEY_WRAP, CMK_OP_KEY_UNWRAP};
    const CmkOpId writes[] = {CMK_OP_KEY_ROTATE, CMK_OP_KEY_UPDATE, CMK_OP_KEY_DELETE,
                              CMK_OP_KEY_CREATE};
    Estate *estate = make(NULL);
    (void)estate_must(estate, CMK_OP_REGION_LOSE);
    for (size_t i = 0; i < CMK_ARRAY_LEN(modes); i++) {
        const Mode *mode = &modes[i];
        estate_run_until(estate, ESTATE_START + mode->at);
        if (mode->at == CMK_DAY_US) {
            cr_assert_eq(state_of(estate, "westeurope"), CMK_REGION_FAILED_OVER);
            (void)estate_must(estate, CMK_OP_REGION_RETURN);
        }
        cr_assert_eq(state_of(estate, "westeurope"), mode->state, "%s", mode->name);
        for (size_t k = 0; k < CMK_ARRAY_LEN(reads); k++) {
            cr_assert_eq(ask(estate, reads[k]), mode->read, "%s: %s", mode->name,
                         estate->sim.model->operations[reads[k]]->name);
        }
        for (size_t k = 0; k < CMK_ARRAY_LEN(writes); k++) {
            cr_assert_eq(ask(estate, writes[k]), mode->write, "%s: %s", mode->name,
                         estate->sim.model->operations[writes[k]]->name);
        }
        /* REL-10: role assignments are not of the key vault. */
        cr_assert_eq(ask(estate, CMK_OP_ROLE_ASSIGN), CMK_STATUS_OK, "%s", mode->name);
    }
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* REL-9: in read-only mode backups and restores go on, rotation does not. */
Test(region, backups_go_on_after_a_failover_and_rotation_does_not)
{
    Estate *estate = make(NULL);
    estate_run(estate, CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_REGION_LOSE);
    estate_rewind(estate);
    estate_run(estate, 3 * CMK_HOUR_US);
    cr_assert_eq(estate_last(estate, CMK_OP_TASK_FAIL)->args.num[0], CMK_STATUS_OF(RETRYABLE));
    cr_assert_eq(estate_count(estate, CMK_OP_TASK_RETRY), 5);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
    (void)estate_must(estate, CMK_OP_BACKUP_RESTORE);
    estate_run(estate, 2 * CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_RESTORE_COMMIT), 1);
    const CmkOutcome rotate = estate_try(estate, CMK_OP_KEY_ROTATE);
    cr_assert_eq(rotate.guard, CMK_GUARD_KEY_VAULT_IS_WRITABLE);
    (void)estate_must(estate, CMK_OP_REGION_RETURN);
    estate_run(estate, 6 * CMK_MINUTE_US);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_run(estate, 2 * CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_ROTATION_COMMIT), 1);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* REL-8: access policies are of the key vault, so they stand still too, and while nothing answers
 * that is what is said. */
Test(region, access_policies_cannot_change_meanwhile)
{
    Estate *estate = make(&(EstateOptions){.uses_policies = true});
    (void)estate_must(estate, CMK_OP_REGION_LOSE);
    cr_assert_eq(ask(estate, CMK_OP_ACCESS_POLICY_SET), CMK_STATUS_OF(SERVICE_UNAVAILABLE));
    cr_assert_eq(ask(estate, CMK_OP_ACCESS_POLICY_REMOVE), CMK_STATUS_OF(SERVICE_UNAVAILABLE));
    estate_run(estate, 5 * CMK_HOUR_US);
    cr_assert_eq(ask(estate, CMK_OP_ACCESS_POLICY_SET), CMK_STATUS_OF(KEY_VAULT_READ_ONLY));
    cr_assert_eq(ask(estate, CMK_OP_ACCESS_POLICY_REMOVE), CMK_STATUS_OF(KEY_VAULT_READ_ONLY));
    estate_free(estate);
}

/* REL-2: without failover the outage lasts until the region is back. */
Test(region, without_a_pair_nobody_answers_until_the_region_is_back)
{
    Estate *estate = make(NULL);
    CmkArgs args = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    args.ref[CMK_REF_KEY] = ESTATE_SPARE_KEY;
    args.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    (void)estate_must_apply(estate, args);
    estate_run(estate, CMK_DAY_US);
    args = estate_args(estate, CMK_OP_REGION_LOSE);
    args.ref[CMK_REF_REGION] = cmk_region_find("italynorth").i;
    (void)estate_must_apply(estate, args);
    estate_rewind(estate);
    estate_run(estate, 10 * CMK_DAY_US);
    cr_assert_eq(state_of(estate, "italynorth"), CMK_REGION_LOST);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 0);
    args.op = CMK_OP_REGION_RETURN;
    (void)estate_must_apply(estate, args);
    cr_assert_eq(state_of(estate, "italynorth"), CMK_REGION_UP);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* A region that is back before the failover is over needs no failback; old timers are stale. */
Test(region, comes_back_at_any_time)
{
    const struct {
        CmkTime returned; /* since the loss */
        CmkRegionState before;
        CmkRegionState after;
    } cases[] = {{CMK_HOUR_US, CMK_REGION_LOST, CMK_REGION_UP},
                 {4 * CMK_HOUR_US + CMK_MINUTE_US, CMK_REGION_FAILING_OVER, CMK_REGION_UP},
                 {5 * CMK_HOUR_US, CMK_REGION_FAILED_OVER, CMK_REGION_FAILING_BACK}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make(NULL);
        (void)estate_must(estate, CMK_OP_REGION_LOSE);
        cr_assert_eq(estate_try(estate, CMK_OP_REGION_LOSE).guard, CMK_GUARD_REGION_IS_UP);
        estate_run(estate, cases[i].returned);
        cr_assert_eq(state_of(estate, "westeurope"), cases[i].before);
        (void)estate_must(estate, CMK_OP_REGION_RETURN);
        cr_assert_eq(state_of(estate, "westeurope"), cases[i].after);
        cr_assert_eq(estate_try(estate, CMK_OP_REGION_RETURN).guard, CMK_GUARD_REGION_IS_DOWN);
        estate_run(estate, CMK_DAY_US);
        cr_assert_eq(state_of(estate, "westeurope"), CMK_REGION_UP);
        /* Lost again soon: the clock of the decision starts anew. */
        (void)estate_must(estate, CMK_OP_REGION_LOSE);
        estate_run(estate, 4 * CMK_HOUR_US - 1);
        cr_assert_eq(state_of(estate, "westeurope"), CMK_REGION_LOST);
        estate_free(estate);
    }
}

/* The region table, by its sums and its exceptions (REL-2, REL-17). */
Test(region, the_table_is_that_of_the_rules)
{
    uint32_t count = 0;
    const CmkRegionFacts *facts = cmk_region_facts(&count);
    uint32_t paired = 0;
    uint32_t failover = 0;
    uint32_t one_way = 0;
    for (uint32_t i = 1; i < count; i++) {
        cr_assert_eq(cmk_region_find(facts[i].name).i, i, "%s", facts[i].name);
        cr_assert_eq(cmk_region_find(facts[i].display_name).i, i, "%s", facts[i].display_name);
        failover += facts[i].has_key_vault_failover;
        if (facts[i].pair == NULL) {
            cr_assert_not(facts[i].has_key_vault_failover, "%s", facts[i].name);
            continue;
        }
        paired++;
        const CmkRegionId pair = cmk_region_find(facts[i].pair);
        cr_assert_neq(pair.i, 0, "%s: %s", facts[i].name, facts[i].pair);
        one_way += facts[pair.i].pair == NULL || strcmp(facts[pair.i].pair, facts[i].name) != 0;
    }
    cr_assert_eq(one_way, 4, "REL-17: %u", one_way);
    cr_assert_eq(paired - failover, 3, "REL-2: Brazil South, Brazil Southeast, West US 3");
    cr_assert_eq(cmk_region_find("Atlantis").i, 0);
    cr_assert_eq(cmk_region_find("").i, 0);
    cr_assert_eq(cmk_region_find("west").i, 0);
}
