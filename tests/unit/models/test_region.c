/* Loss of a region, failover, read-only mode, failback (section 6). */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <string.h>

#include "models/gauge.h"
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
        CmkArgs assign = estate_args(estate, CMK_OP_ROLE_ASSIGN);
        assign.num[0] = cmk_role_find("Key Vault Reader");
        cr_assert_eq(cmk_would_apply(&estate->sim, &assign).status, CMK_STATUS_OK, "%s",
                     mode->name);
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

/* ---- zones and last writes ------------------------------------------------------------------- */

/* REL-3: the pause begins with the loss and ends by itself, whether or not the zone is back; the
 * record of the loss is to blame. */
Test(region, a_lost_zone_stops_writes_for_a_moment)
{
    for (int is_back = 0; is_back < 2; is_back++) {
        Estate *estate = make(NULL);
        (void)estate_must(estate, CMK_OP_REGION_LOSE_ZONE);
        const CmkRecord *loss = estate_last(estate, CMK_OP_REGION_LOSE_ZONE);
        estate_run(estate, CMK_SECOND_US);
        if (is_back) {
            (void)estate_must(estate, CMK_OP_REGION_RETURN_ZONE);
        } else {
            (void)estate_try(estate, CMK_OP_KEY_ROTATE);
            cr_assert_eq(estate_last(estate, CMK_OP_KEY_ROTATE)->blame_seq, loss->seq);
        }
        cr_assert_eq(ask(estate, CMK_OP_KEY_ROTATE), CMK_STATUS_OF(KEY_VAULT_READ_ONLY));
        cr_assert_eq(ask(estate, CMK_OP_KEY_UNWRAP), CMK_STATUS_OK);
        estate_run_until(estate, loss->time + CMK_MINUTE_US - 1);
        cr_assert_eq(ask(estate, CMK_OP_KEY_UPDATE), CMK_STATUS_OF(KEY_VAULT_READ_ONLY));
        estate_run(estate, 1);
        cr_assert_eq(ask(estate, CMK_OP_KEY_UPDATE), CMK_STATUS_OK);
        estate_free(estate);
    }
}

#define LAG (10 * CMK_MINUTE_US)

static Estate *make_lagging(bool uses_policies)
{
    return make(&(EstateOptions){.uses_policies = uses_policies,
                                 .knobs = {[CMK_KNOB_REPLICATION_LAG] = LAG + 1}});
}

/* Loses the region so long after the last write and waits until the pair answers. */
static void fail_over(Estate *estate, int64_t after_us)
{
    estate_run(estate, after_us);
    (void)estate_must(estate, CMK_OP_REGION_LOSE);
    estate_run(estate, 5 * CMK_HOUR_US);
    cr_assert_eq(state_of(estate, "westeurope"), CMK_REGION_FAILED_OVER);
}

static void fail_back(Estate *estate)
{
    (void)estate_must(estate, CMK_OP_REGION_RETURN);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(state_of(estate, "westeurope"), CMK_REGION_UP);
}

/* REL-13: what was written within the lag before the loss is as it was while the pair answers, what
 * was written before that is there, and afterwards the region's own truth is back. */
Test(region, the_pair_lacks_the_last_writes)
{
    for (int is_late = 0; is_late < 2; is_late++) {
        Estate *estate = make_lagging(false);
        const CmkWorld *world = estate->sim.world;
        CmkArgs update = estate_args(estate, CMK_OP_KEY_UPDATE);
        update.num[0] = CMK_SAYS_FALSE;
        update.num[1] = ESTATE_START + 40 * CMK_DAY_US;
        (void)estate_must_apply(estate, update);
        const uint32_t made = estate_must(estate, CMK_OP_KEY_ROTATE);
        CmkArgs drop = estate_args(estate, CMK_OP_KEY_DELETE);
        drop.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
        (void)estate_must_apply(estate, drop);
        CmkArgs create = estate_args(estate, CMK_OP_KEY_CREATE);
        create.ref[CMK_REF_KEY] = ESTATE_ABSENT_KEY;
        (void)estate_must_apply(estate, create);
        const CmkKey own = *cmk_key(world, (CmkKeyId){ESTATE_KEY});
        const CmkVersion own_version =
            *cmk_version(world, (CmkVersionId){update.ref[CMK_REF_VERSION]});
        fail_over(estate, is_late ? LAG : LAG - 1);
        const CmkVersion *old = cmk_version(world, (CmkVersionId){update.ref[CMK_REF_VERSION]});
        const CmkVersion *new = cmk_version(world, (CmkVersionId){made});
        const uint64_t failover = estate_last(estate, CMK_OP_REGION_COMPLETE_FAILOVER)->seq;
        cr_assert_eq(old->is_enabled, is_late ? 0 : 1);
        cr_assert_eq(old->expires == CMK_TIME_MAX, !is_late);
        cr_assert_eq(new->missing_by, is_late ? 0 : failover);
        cr_assert_eq(cmk_key(world, (CmkKeyId){ESTATE_KEY})->current_version,
                     is_late ? made : update.ref[CMK_REF_VERSION]);
        cr_assert_eq(cmk_key(world, (CmkKeyId){ESTATE_OTHER_KEY})->state,
                     is_late ? CMK_KEY_DELETED : CMK_KEY_ACTIVE);
        cr_assert_eq(cmk_key(world, (CmkKeyId){ESTATE_ABSENT_KEY})->state,
                     is_late ? CMK_KEY_ACTIVE : CMK_KEY_ABSENT);
        fail_back(estate);
        cr_assert_eq(new->missing_by, 0);
        cr_assert_eq(memcmp(old, &own_version, sizeof(own_version)), 0);
        cr_assert_eq(memcmp(cmk_key(world, (CmkKeyId){ESTATE_KEY}), &own, sizeof(own)), 0);
        cr_assert_eq(cmk_key(world, (CmkKeyId){ESTATE_OTHER_KEY})->state, CMK_KEY_DELETED);
        cr_assert_eq(cmk_key(world, (CmkKeyId){ESTATE_ABSENT_KEY})->state, CMK_KEY_ACTIVE);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* An access policy that was taken away in the last moments is there in the pair, so backups work
 * there that did not before; one that was given then is not there. */
Test(region, the_pair_lacks_the_last_access_policies)
{
    Estate *estate = make_lagging(true);
    (void)estate_must(estate, CMK_OP_ACCESS_POLICY_REMOVE);
    cr_assert_eq(ask(estate, CMK_OP_KEY_GET), CMK_STATUS_OF(ACCESS_DENIED));
    fail_over(estate, CMK_MINUTE_US);
    cr_assert_eq(ask(estate, CMK_OP_KEY_GET), CMK_STATUS_OK);
    fail_back(estate);
    cr_assert_eq(ask(estate, CMK_OP_KEY_GET), CMK_STATUS_OF(ACCESS_DENIED));
    (void)estate_must(estate, CMK_OP_ACCESS_POLICY_SET);
    cr_assert_eq(ask(estate, CMK_OP_KEY_GET), CMK_STATUS_OK);
    fail_over(estate, CMK_MINUTE_US);
    cr_assert_eq(ask(estate, CMK_OP_KEY_GET), CMK_STATUS_OF(ACCESS_DENIED));
    fail_back(estate);
    cr_assert_eq(ask(estate, CMK_OP_KEY_GET), CMK_STATUS_OK);
    estate_free(estate);
}

/* The properties of a key vault are written like its content: the pair lacks the last of them. */
Test(region, the_pair_lacks_the_last_properties_of_key_vaults)
{
    for (int is_late = 0; is_late < 2; is_late++) {
        Estate *estate = make(&(EstateOptions){.has_no_soft_delete = true,
                                               .has_no_purge_protection = true,
                                               .has_no_cmk = true,
                                               .knobs = {[CMK_KNOB_REPLICATION_LAG] = LAG + 1}});
        const CmkKeyVault *vault = cmk_key_vault(estate->sim.world, (CmkKeyVaultId){ESTATE_KV});
        (void)estate_must(estate, CMK_OP_KEY_VAULT_SET_SOFT_DELETE);
        (void)estate_must(estate, CMK_OP_KEY_VAULT_SET_PURGE_PROTECTION);
        CmkArgs policies = estate_args(estate, CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL);
        policies.num[0] = CMK_PERMISSIONS_POLICY;
        (void)estate_must_apply(estate, policies);
        const CmkKeyVault own = *vault;
        fail_over(estate, is_late ? LAG : LAG - 1);
        cr_assert_eq(vault->has_soft_delete, (uint32_t)is_late);
        cr_assert_eq(vault->has_purge_protection, (uint32_t)is_late);
        cr_assert_eq(vault->permission_model,
                     is_late ? CMK_PERMISSIONS_POLICY : CMK_PERMISSIONS_RBAC);
        cr_assert_eq(vault->permission_model_by == own.permission_model_by, is_late != 0);
        fail_back(estate);
        cr_assert_eq(memcmp(vault, &own, sizeof(own)), 0);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* Another region's key vaults are left alone, and so is what was purged: that is gone everywhere.
 */
Test(region, the_pair_knows_of_purges_and_nothing_of_other_regions)
{
    Estate *estate = make(&(EstateOptions){.has_no_purge_protection = true,
                                           .has_no_cmk = true,
                                           .knobs = {[CMK_KNOB_REPLICATION_LAG] = LAG + 1}});
    CmkArgs spare = estate_args(estate, CMK_OP_KEY_DELETE);
    spare.ref[CMK_REF_KEY] = ESTATE_SPARE_KEY;
    spare.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    (void)estate_must_apply(estate, spare);
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    (void)estate_must(estate, CMK_OP_KEY_PURGE);
    fail_over(estate, CMK_MINUTE_US);
    const CmkWorld *world = estate->sim.world;
    cr_assert_eq(cmk_key(world, (CmkKeyId){ESTATE_KEY})->state, CMK_KEY_PURGED);
    cr_assert_eq(cmk_key(world, (CmkKeyId){ESTATE_SPARE_KEY})->state, CMK_KEY_DELETED);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* Writes that follow one another within the lag reach the pair together; one after that stands for
 * itself. */
Test(region, the_pair_lacks_the_last_of_several_writes)
{
    const struct {
        int64_t gap_us;
        uint32_t is_enabled; /* in the pair, of 1, then 0, then 1 again */
    } cases[] = {{LAG - 1, 1}, {LAG, 0}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make_lagging(false);
        CmkArgs update = estate_args(estate, CMK_OP_KEY_UPDATE);
        update.num[0] = CMK_SAYS_FALSE;
        (void)estate_must_apply(estate, update);
        estate_run(estate, cases[i].gap_us);
        update.num[0] = CMK_SAYS_TRUE;
        update.num[1] = ESTATE_START + 40 * CMK_DAY_US;
        (void)estate_must_apply(estate, update);
        fail_over(estate, CMK_MINUTE_US);
        const CmkVersion *version =
            cmk_version(estate->sim.world, (CmkVersionId){update.ref[CMK_REF_VERSION]});
        cr_assert_eq(version->is_enabled, cases[i].is_enabled);
        cr_assert_eq(version->expires, CMK_TIME_MAX);
        estate_free(estate);
    }
}

/* ---- Backup vaults --------------------------------------------------------------------------- */

#define STOPS_BACKUP [CMK_KNOB_OUTAGE_HITS_BACKUP_VAULTS] = 2

/* OQ-34: scheduled backups are passed over while the region is lost and go on afterwards; a job
 * that was running fails at its commit. */
Test(region, an_outage_can_stop_backup_vaults)
{
    Estate *estate = make(&(EstateOptions){.knobs = {STOPS_BACKUP}});
    estate_run(estate, 2 * CMK_HOUR_US + CMK_MINUTE_US); /* the backup of 02:00 runs */
    (void)estate_must(estate, CMK_OP_REGION_LOSE);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(estate_last(estate, CMK_OP_TASK_FAIL)->args.num[0], CMK_STATUS_OF(RETRYABLE));
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 0);
    estate_rewind(estate);
    estate_run(estate, 2 * CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_START), 2);
    cr_assert_eq(estate_last(estate, CMK_OP_BACKUP_START)->guard,
                 CMK_GUARD_BACKUP_VAULT_IS_REACHABLE);
    (void)estate_must(estate, CMK_OP_REGION_RETURN);
    estate_rewind(estate);
    estate_run(estate, 2 * CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_START), 2, "once a day, not twice");
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 2);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* COST-22: what maintenance cannot remove or move in a lost region is overdue like after a failure,
 * and no longer once the region is back. */
Test(region, points_are_overdue_in_an_outage_too)
{
    for (int is_tiering = 0; is_tiering < 2; is_tiering++) {
        Estate *estate = make(&(EstateOptions){.datasource = "AzureDatabaseForMySQL",
                                               .schedule_us = 30 * CMK_DAY_US,
                                               .archive_days = is_tiering ? 2 : 0,
                                               .retention_days = is_tiering ? 20 : 2,
                                               .knobs = {STOPS_BACKUP}});
        const CmkGaugeKind kind = is_tiering ? CMK_GAUGE_LATE_TIERING : CMK_GAUGE_OVERDUE_VAULT;
        const CmkBackupVaultId vault = {ESTATE_VAULT};
        estate_run(estate, CMK_DAY_US);
        (void)estate_must(estate, CMK_OP_REGION_LOSE);
        estate_run_until(estate, ESTATE_START + 54 * CMK_HOUR_US - 1); /* maintenance at 06:00 */
        cr_assert_eq(cmk_gauge_level(estate->sim.world, vault, kind), 0);
        estate_run(estate, 1);
        cr_assert_eq(cmk_gauge_level(estate->sim.world, vault, kind), 100 * GB);
        cr_assert_eq(
            estate_last(estate, CMK_OP_POINT_OVERDUE)->args.cause_seq,
            estate_last(estate, is_tiering ? CMK_OP_TIERING_START : CMK_OP_EXPIRY_START)->seq);
        estate_run(estate, 3 * CMK_DAY_US);
        cr_assert_eq(estate_count(estate, CMK_OP_POINT_OVERDUE), 1, "once");
        (void)estate_must(estate, CMK_OP_REGION_RETURN);
        estate_run(estate, CMK_DAY_US);
        cr_assert_eq(cmk_gauge_level(estate->sim.world, vault, kind), 0);
        cr_assert(cmk_gauge_integral(estate->sim.world, vault, kind) ==
                  (CmkIntegral)(100 * GB) * (uint64_t)(4 * CMK_DAY_US));
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* OQ-12: what counts is where the key vault is, unless the knob says otherwise. */
Test(region, an_outage_follows_the_key_vault_unless_told_otherwise)
{
    for (int64_t stops = 0; stops < 2; stops++) {
        Estate *estate =
            make(&(EstateOptions){.knobs = {[CMK_KNOB_OUTAGE_HITS_BACKUP_VAULTS] = stops + 1}});
        CmkArgs args = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        args.ref[CMK_REF_KEY] = ESTATE_SPARE_KEY;
        args.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
        (void)estate_must_apply(estate, args);
        estate_run(estate, CMK_MINUTE_US);
        (void)estate_must(estate, CMK_OP_REGION_LOSE); /* West Europe: only the Backup vault's */
        estate_run(estate, CMK_DAY_US);
        cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), stops == 0 ? 1 : 0);
        estate_free(estate);
    }
}

/* OQ-34, BV-4: while its own region is lost a point comes back in the pair, as soon as the key
 * vault is reachable from there. */
Test(region, points_come_back_in_the_pair_once_the_key_does)
{
    Estate *estate =
        make(&(EstateOptions){.redundancy = CMK_REDUNDANCY_GEO, .knobs = {STOPS_BACKUP}});
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_ENABLE_CROSS_REGION_RESTORE);
    estate_run(estate, CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_REGION_LOSE);
    cr_assert_eq(ask(estate, CMK_OP_BACKUP_RESTORE), CMK_STATUS_OF(BACKUP_VAULT_UNREACHABLE));
    (void)estate_must(estate, CMK_OP_BACKUP_RESTORE_IN_PAIR);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(estate_last(estate, CMK_OP_TASK_FAIL)->args.num[0], CMK_STATUS_OF(RETRYABLE));
    estate_run(estate, 4 * CMK_HOUR_US);
    (void)estate_must(estate, CMK_OP_BACKUP_RESTORE_IN_PAIR);
    estate_run(estate, 2 * CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_RESTORE_COMMIT), 1);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* BK-27, BK-26: an archived point comes back in the pair only while the region is lost, and only
 * after its rehydration. */
Test(region, archived_points_come_back_in_the_pair_in_an_outage_only)
{
    Estate *estate = make(&(EstateOptions){.redundancy = CMK_REDUNDANCY_GEO,
                                           .datasource = "AzureDatabaseForMySQL",
                                           .archive_days = 1,
                                           .retention_days = 20,
                                           .knobs = {STOPS_BACKUP}});
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_ENABLE_CROSS_REGION_RESTORE);
    estate_run(estate, 2 * CMK_DAY_US);
    CmkArgs args = estate_args(estate, CMK_OP_BACKUP_RESTORE_IN_PAIR);
    args.ref[CMK_REF_POINT] = 1;
    cr_assert_eq(cmk_point(estate->sim.world, (CmkPointId){1})->tier, CMK_TIER_ARCHIVE);
    cr_assert_eq(estate_apply(estate, &args).status, CMK_STATUS_OF(POINT_ARCHIVED));
    (void)estate_must(estate, CMK_OP_REGION_LOSE);
    estate_run(estate, 5 * CMK_HOUR_US); /* until the key vault has failed over */
    (void)estate_must_apply(estate, args);
    estate_run(estate, 16 * CMK_HOUR_US - 1); /* 15 h of rehydration, 1 h of restoring */
    cr_assert_eq(estate_count(estate, CMK_OP_RESTORE_COMMIT), 0);
    estate_run(estate, 1);
    cr_assert_eq(estate_count(estate, CMK_OP_RESTORE_COMMIT), 1);
    estate_free(estate);
}

/* ---- the region table ------------------------------------------------------------------------ */

typedef struct Documented {
    const char *region;
    const char *pair; /* NULL: none */
    bool has_zones;
    bool has_failover;
    bool is_restricted;
} Documented;

/* Written from the table of section 6, row by row: left column, then right column. */
static const Documented documented[] = {
    {"Australia Central", "Australia Central 2", false, true, false},
    {"Australia East", "Australia Southeast", true, true, false},
    {"Brazil South", "South Central US", true, false, false},
    {"Brazil Southeast", "Brazil South", false, false, true},
    {"Canada Central", "Canada East", true, true, false},
    {"Canada East", "Canada Central", false, true, false},
    {"Central India", "South India", true, true, false},
    {"South India", "Central India", false, true, false},
    {"Central US", "East US 2", true, true, false},
    {"East US 2", "Central US", true, true, false},
    {"East Asia", "Southeast Asia", true, true, false},
    {"Southeast Asia", "East Asia", true, true, false},
    {"East US", "West US", true, true, false},
    {"West US", "East US", false, true, false},
    {"France Central", "France South", true, true, false},
    {"France South", "France Central", false, true, true},
    {"Germany West Central", "Germany North", true, true, false},
    {"Germany North", "Germany West Central", false, true, true},
    {"Japan East", "Japan West", true, true, false},
    {"Japan West", "Japan East", true, true, false},
    {"Korea Central", "Korea South", true, true, false},
    {"Korea South", "Korea Central", false, true, true},
    {"North Central US", "South Central US", false, true, false},
    {"South Central US", "North Central US", true, true, false},
    {"North Europe", "West Europe", true, true, false},
    {"West Europe", "North Europe", true, true, false},
    {"Norway East", "Norway West", true, true, false},
    {"Norway West", "Norway East", false, true, true},
    {"South Africa North", "South Africa West", true, true, false},
    {"South Africa West", "South Africa North", false, true, true},
    {"Sweden Central", "Sweden South", true, true, false},
    {"Switzerland North", "Switzerland West", true, true, false},
    {"UAE North", "UAE Central", true, true, false},
    {"UAE Central", "UAE North", false, true, true},
    {"UK South", "UK West", true, true, false},
    {"UK West", "UK South", false, true, false},
    {"West Central US", "West US 2", false, true, false},
    {"West US 2", "West Central US", true, true, false},
    {"West US 3", "East US", true, false, false},
    {"West India", "South India", false, true, false},
    {"Israel Central", NULL, true, false, false},
    {"Italy North", NULL, true, false, false},
    {"Mexico Central", NULL, true, false, false},
    {"New Zealand North", NULL, true, false, false},
    {"Poland Central", NULL, true, false, false},
    {"Qatar Central", NULL, true, false, false},
    {"Spain Central", NULL, true, false, false},
    {"Indonesia Central", NULL, true, false, false},
};

/* Regions that the table names as a pair only; a pair without a row of its own has no zones. */
static const Documented named_as_pairs[] = {
    {"Australia Central 2", "Australia Central", false, true, true},
    {"Australia Southeast", "Australia East", false, true, false},
    {"Sweden South", "Sweden Central", false, true, true},
    {"Switzerland West", "Switzerland North", false, true, true},
};

static void check_documented(const CmkWorld *world, const CmkRegionFacts *facts,
                             const Documented *row)
{
    const CmkRegionId id = cmk_region_find(row->region);
    cr_assert_neq(id.i, 0, "%s", row->region);
    cr_assert_str_eq(facts[id.i].display_name, row->region);
    const CmkRegionId pair = row->pair == NULL ? (CmkRegionId){0} : cmk_region_find(row->pair);
    cr_expect(row->pair == NULL || pair.i != 0, "%s", row->region);
    cr_expect_eq(cmk_region_pair(world, id).i, pair.i, "%s: pair", row->region);
    cr_expect_eq(facts[id.i].has_zones, row->has_zones, "%s: zones", row->region);
    cr_expect_eq(facts[id.i].has_key_vault_failover, row->has_failover, "%s: failover",
                 row->region);
    cr_expect_eq(facts[id.i].is_restricted, row->is_restricted, "%s: restricted", row->region);
}

Test(region, each_row_of_the_table_is_that_of_the_document)
{
    Estate *estate = make(&(EstateOptions){0});
    const CmkWorld *world = estate->sim.world;
    uint32_t count = 0;
    const CmkRegionFacts *facts = cmk_region_facts(&count);
    for (size_t i = 0; i < CMK_ARRAY_LEN(documented); i++) {
        check_documented(world, facts, &documented[i]);
    }
    for (size_t i = 0; i < CMK_ARRAY_LEN(named_as_pairs); i++) {
        check_documented(world, facts, &named_as_pairs[i]);
    }
    estate_free(estate);
    cr_assert_eq(count - 1, CMK_ARRAY_LEN(documented) + CMK_ARRAY_LEN(named_as_pairs));
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
