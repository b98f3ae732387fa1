/* The rules and the arithmetic, judging each other: they agree over the life of a vault, and
 * disagree where a model is broken. */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <string.h>

#include "models/rows.h"
#include "models/sealer.h"
#include "tests/unit/models/estate.h"

typedef struct Sealed {
    CmkSealer sealer;
    Estate *estate;
} Sealed;

static void open_sealed(Sealed *sealed, EstateOptions options)
{
    char error[CMK_ENVELOPE_ERROR_SIZE] = "";
    CmkEnvelopeOptions envelope = cmk_envelope_options(ESTATE_SEED);
    envelope.key_maker = CMK_KEY_MAKER_CALLER; /* only those that are needed */
    *sealed = (Sealed){.sealer.envelope = cmk_envelope_new(&envelope, error)};
    cr_assert_not_null(sealed->sealer.envelope, "%s", error);
    const CmkReader reader = cmk_sealer_reader(&sealed->sealer);
    sealed->estate = estate_new_read(&options, &reader, 1);
    cr_assert_str_eq(sealed->estate->trouble, "");
}

static void close_sealed(Sealed *sealed)
{
    estate_free(sealed->estate);
    cmk_envelope_free(sealed->sealer.envelope);
}

static void expect_check(Sealed *sealed, uint32_t restored, uint32_t refused, uint32_t lost,
                         const char *what)
{
    const CmkRestoreCounts check =
        cmk_sealer_check_all(&sealed->sealer, sealed->estate->sim.model, sealed->estate->sim.world);
    cr_assert_str_eq(sealed->sealer.disagreement, "", "%s: %s", what, sealed->sealer.disagreement);
    cr_assert(check.restored == restored && check.refused == refused && check.lost == lost &&
                  check.mismatch == 0,
              "%s: %u restored, %u refused, %u lost, %u mismatch", what, check.restored,
              check.refused, check.lost, check.mismatch);
}

/* A rotation policy makes versions; with its key vault a key is gone. */
Test(sealer, agrees_when_a_key_vault_is_purged)
{
    Sealed sealed;
    open_sealed(&sealed, (EstateOptions){.retention_days = 100});
    Estate *estate = sealed.estate;
    CmkArgs policy = estate_args(estate, CMK_OP_KEY_SET_ROTATION_POLICY);
    policy.num[0] = 7 * CMK_DAY_US;
    (void)estate_must_apply(estate, policy);
    estate_run(estate, 8 * CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_ROTATION_COMMIT), 1);
    expect_check(&sealed, 8, 0, 0, "a version by the policy");
    (void)estate_must(estate, CMK_OP_KEY_VAULT_DELETE);
    expect_check(&sealed, 0, 8, 0, "deleted");
    (void)estate_must(estate, CMK_OP_KEY_VAULT_RECOVER);
    expect_check(&sealed, 0, 8, 0, "recovered, without roles (SD-16)");
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    expect_check(&sealed, 8, 0, 0, "with its role");
    (void)estate_must(estate, CMK_OP_KEY_VAULT_DELETE);
    estate_run(estate, 90 * CMK_DAY_US);
    expect_check(&sealed, 0, 0, 8, "purged");
    close_sealed(&sealed);
}

static CmkOutcome restore_key(Estate *estate, uint32_t key_vault, uint32_t key)
{
    CmkArgs args = estate_args(estate, CMK_OP_KEY_RESTORE);
    args.ref[CMK_REF_KEY_VAULT] = key_vault;
    args.ref[CMK_REF_KEY] = key;
    args.num[0] = ESTATE_KEY;
    return estate_apply(estate, &args);
}

/* KV-24, OQ-29: what a backup holds is not lost with the key, what is newer is. */
Test(sealer, opens_again_what_a_backup_of_the_key_holds)
{
    for (uint32_t rotations = 0; rotations < 2; rotations++) {
        Sealed sealed;
        open_sealed(&sealed, (EstateOptions){.retention_days = 300});
        Estate *estate = sealed.estate;
        estate_run(estate, CMK_DAY_US);
        (void)estate_must(estate, CMK_OP_KEY_BACKUP);
        if (rotations > 0) {
            (void)estate_must(estate, CMK_OP_KEY_ROTATE);
            estate_run(estate, CMK_DAY_US);
        }
        const uint32_t points = 1 + rotations;
        (void)estate_must(estate, CMK_OP_KEY_DELETE);
        estate_run(estate, 90 * CMK_DAY_US);
        expect_check(&sealed, 0, rotations > 0 ? 0 : points, rotations > 0 ? points : 0, "purged");
        cr_assert_eq(cmk_envelope_is_openable(sealed.sealer.envelope, ESTATE_VAULT),
                     rotations == 0);
        (void)estate_must(estate, CMK_OP_KEY_RESTORE);
        expect_check(&sealed, rotations > 0 ? 0 : points, 0, rotations > 0 ? points : 0,
                     "restored");
        if (rotations == 0) {
            estate_run(estate, CMK_DAY_US);
            (void)estate_must(estate, CMK_OP_BACKUP_RESTORE);
            estate_run(estate, CMK_DAY_US);
            cr_assert_eq(estate_last(estate, CMK_OP_RESTORE_COMMIT)->status, CMK_STATUS_OK);
            expect_check(&sealed, points + 2, 0, 0, "and at work");
        }
        cr_assert_str_eq(estate->trouble, "");
        close_sealed(&sealed);
    }
}

static bool is_wrapped_by(const Sealed *sealed, uint32_t version)
{
    unsigned char blob[CMK_ENVELOPE_WRAPPED_BYTES_MAX];
    uint32_t size = 0;
    return cmk_envelope_peek_wrapped(sealed->sealer.envelope, ESTATE_VAULT, version, blob, &size) ==
           CMK_ENVELOPE_OK;
}

/* ROT-6: the old wrapping stays until the next backup has used it, and no longer; a change of the
 * key or a purge ends it too, be the old version in a backup of the key or not (KV-24). */
Test(sealer, keeps_the_old_wrapping_for_one_more_backup)
{
    enum {
        BACKUP,
        OTHER_KEY,
        PURGE,
        WAYS
    };
    for (int way = 0; way < WAYS; way++) {
        Sealed sealed;
        open_sealed(&sealed, (EstateOptions){.retention_days = 300});
        Estate *estate = sealed.estate;
        estate_run(estate, CMK_DAY_US);
        (void)estate_must(estate, CMK_OP_KEY_BACKUP);
        const uint32_t old_version = estate_vault(estate)->active_version;
        (void)estate_must(estate, CMK_OP_KEY_ROTATE);
        estate_run(estate, CMK_HOUR_US);
        cr_assert(is_wrapped_by(&sealed, old_version), "%d", way);
        if (way == BACKUP) {
            estate_run(estate, 2 * CMK_HOUR_US);
            expect_check(&sealed, 2, 0, 0, "backed up");
        } else if (way == OTHER_KEY) {
            CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
            update.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
            (void)estate_must_apply(estate, update);
            estate_run(estate, CMK_MINUTE_US);
            expect_check(&sealed, 1, 0, 0, "under another key");
        } else {
            (void)estate_must(estate, CMK_OP_KEY_DELETE);
            estate_run(estate, 90 * CMK_DAY_US);
            expect_check(&sealed, 0, 0, 1, "purged");
        }
        cr_assert(!is_wrapped_by(&sealed, old_version), "%d", way);
        cr_assert_str_eq(estate->trouble, "");
        close_sealed(&sealed);
    }
}

/* BV-37, KV-24: the copy in another key vault wraps with the same private key, but has another
 * address: settings change over to it while the old key still works, and no later. */
Test(sealer, works_with_a_copy_in_another_key_vault)
{
    Sealed sealed;
    open_sealed(&sealed, (EstateOptions){.retention_days = 300});
    Estate *estate = sealed.estate;
    estate_run(estate, CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_KEY_BACKUP);
    CmkArgs create = estate_args(estate, CMK_OP_KEY_VAULT_CREATE);
    create.ref[CMK_REF_KEY_VAULT] = ESTATE_ABSENT_KV;
    (void)estate_must_apply(estate, create);
    cr_assert_eq(restore_key(estate, ESTATE_ABSENT_KV, ESTATE_TWIN_KEY).status, CMK_STATUS_OK);
    CmkArgs assign = estate_args(estate, CMK_OP_ROLE_ASSIGN);
    assign.ref[CMK_REF_KEY_VAULT] = ESTATE_ABSENT_KV;
    (void)estate_must_apply(estate, assign);
    CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    update.ref[CMK_REF_KEY_VAULT] = ESTATE_ABSENT_KV;
    update.ref[CMK_REF_KEY] = ESTATE_TWIN_KEY;
    update.ref[CMK_REF_VERSION] = 0;
    (void)estate_must_apply(estate, update);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_vault(estate)->key, ESTATE_TWIN_KEY);
    (void)estate_must(estate, CMK_OP_KEY_DELETE); /* the first one is of no use any more */
    estate_run(estate, 91 * CMK_DAY_US);
    expect_check(&sealed, 93, 0, 0, "under the copy");
    cr_assert_str_eq(estate->trouble, "");
    close_sealed(&sealed);
}

/* A restore in the pair while the own region is lost is proven like any other (OQ-34): the data key
 * is unwrapped and the data comes back. */
Test(sealer, proves_restores_in_the_pair)
{
    Sealed sealed;
    open_sealed(&sealed, (EstateOptions){.redundancy = CMK_REDUNDANCY_GEO,
                                         .knobs = {[CMK_KNOB_OUTAGE_HITS_BACKUP_VAULTS] = 2}});
    Estate *estate = sealed.estate;
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_ENABLE_CROSS_REGION_RESTORE);
    estate_run(estate, CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_REGION_LOSE);
    estate_run(estate, 5 * CMK_HOUR_US);
    const uint64_t before = cmk_envelope_counters(sealed.sealer.envelope).decryptions;
    (void)estate_must(estate, CMK_OP_BACKUP_RESTORE_IN_PAIR);
    estate_run(estate, 2 * CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_RESTORE_COMMIT), 1);
    cr_assert_gt(cmk_envelope_counters(sealed.sealer.envelope).decryptions, before);
    expect_check(&sealed, 1, 0, 0, "restored in the pair");
    close_sealed(&sealed);
}

/* Backups, rotation, a restore, expiry, deletion, recovery, deletion, purge: and what remains. */
Test(sealer, agrees_over_the_whole_life_of_a_vault)
{
    Sealed sealed;
    open_sealed(&sealed, (EstateOptions){.retention_days = 3});
    Estate *estate = sealed.estate;
    estate_run(estate, 2 * CMK_DAY_US);
    expect_check(&sealed, 2, 0, 0, "two backups");
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_ROTATION_COMMIT), 1);
    (void)estate_must(estate, CMK_OP_BACKUP_RESTORE);
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION); /* the same again */
    estate_run(estate, 2 * CMK_DAY_US);
    cr_assert_eq(estate_last(estate, CMK_OP_RESTORE_COMMIT)->status, CMK_STATUS_OK);
    expect_check(&sealed, 3, 0, 0, "rotated, and the oldest points gone");
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    expect_check(&sealed, 0, 3, 0, "no rights");
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    expect_check(&sealed, 0, 3, 0, "deleted: the bytes could come back");
    estate_run(estate, 30 * CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_KEY_RECOVER);
    expect_check(&sealed, 3, 0, 0, "recovered");
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    estate_run(estate, 91 * CMK_DAY_US);
    expect_check(&sealed, 0, 0, 3, "purged");
    cr_assert_not(cmk_envelope_is_openable(sealed.sealer.envelope, ESTATE_VAULT));
    const CmkEnvelopeCounters counters = cmk_envelope_counters(sealed.sealer.envelope);
    cr_assert_geq(counters.unwraps, 2, "by each version at least once");
    cr_assert_geq(counters.encryptions, 5);
    cr_assert_str_eq(estate->trouble, "");
    close_sealed(&sealed);
}

/* All points that can be restored are really decrypted. */
static void expect_proven(Sealed *sealed, uint32_t points, const char *what)
{
    const CmkRestoreCounts check =
        cmk_sealer_check_all(&sealed->sealer, sealed->estate->sim.model, sealed->estate->sim.world);
    cr_assert_eq(check.proven, points, "%s: %u proven", what, check.proven);
}

/* OQ-15: points from before customer-managed keys lie under the same data key, which the platform's
 * key had wrapped. */
Test(sealer, agrees_about_points_older_than_the_key)
{
    Sealed sealed;
    open_sealed(&sealed, (EstateOptions){.has_no_cmk = true, .retention_days = 300});
    Estate *estate = sealed.estate;
    estate_run(estate, CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    estate_run(estate, CMK_DAY_US);
    expect_check(&sealed, 2, 0, 0, "one point of each kind");
    expect_proven(&sealed, 2, "both");
    /* Another key and then a key vault with another kind of key: two re-wraps. */
    CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    update.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
    (void)estate_must_apply(estate, update);
    estate_run(estate, CMK_MINUTE_US);
    expect_check(&sealed, 2, 0, 0, "another key");
    (void)estate_must(estate, CMK_OP_KEY_DELETE); /* the old one: nobody needs it any more */
    estate_run(estate, 91 * CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_PURGE), 1);
    const CmkRestoreCounts check =
        cmk_sealer_check_all(&sealed.sealer, estate->sim.model, estate->sim.world);
    cr_assert_eq(check.lost + check.mismatch + check.refused, 0);
    CmkArgs drop = estate_args(estate, CMK_OP_KEY_DELETE);
    drop.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
    (void)estate_must_apply(estate, drop);
    estate_run(estate, 91 * CMK_DAY_US);
    expect_check(&sealed, 0, 0, check.restored, "all of them are lost");
    cr_assert_str_eq(estate->trouble, "");
    close_sealed(&sealed);
}

/* OQ-15, the other way: what is older stays under the platform's key and outlives the customer's.
 */
Test(sealer, agrees_about_points_that_stay_behind)
{
    Sealed sealed;
    EstateOptions options = {.has_no_cmk = true, .retention_days = 300};
    options.knobs[CMK_KNOB_ENABLING_WRAPS_OLD_POINTS] = 1; /* false */
    open_sealed(&sealed, options);
    estate_run(sealed.estate, CMK_DAY_US);
    expect_proven(&sealed, 1, "under the platform's key");
    (void)estate_must(sealed.estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    estate_run(sealed.estate, CMK_DAY_US);
    expect_check(&sealed, 2, 0, 0, "one point of each kind");
    expect_proven(&sealed, 2, "both");
    (void)estate_must(sealed.estate, CMK_OP_KEY_DELETE);
    estate_run(sealed.estate, 91 * CMK_DAY_US);
    expect_check(&sealed, 1, 0, 1, "only the newer one is lost");
    expect_proven(&sealed, 1, "the older one");
    close_sealed(&sealed);
}

/* OQ-29, OQ-30: a new key opens no old point. */
Test(sealer, agrees_about_points_of_a_key_that_was_replaced)
{
    Sealed sealed;
    EstateOptions options = {.retention_days = 300};
    options.knobs[CMK_KNOB_LOST_KEY_CAN_BE_REPLACED] = 2; /* true */
    open_sealed(&sealed, options);
    Estate *estate = sealed.estate;
    estate_run(estate, CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    estate_run(estate, 90 * CMK_DAY_US);
    CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    update.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
    (void)estate_must_apply(estate, update);
    estate_run(estate, CMK_DAY_US);
    expect_check(&sealed, 1, 0, 1, "one lost, one new");
    expect_proven(&sealed, 1, "the new one");
    cr_assert_str_eq(estate->trouble, "");
    close_sealed(&sealed);
}

/* A vault that is deleted and made again has another data key (OQ-28). */
Test(sealer, agrees_about_a_vault_that_was_made_twice)
{
    Sealed sealed;
    open_sealed(&sealed, (EstateOptions){.is_not_opened = false});
    Estate *estate = sealed.estate;
    for (int i = 0; i < 2; i++) {
        CmkArgs create = estate_args(estate, CMK_OP_BACKUP_VAULT_CREATE);
        create.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
        create.ref[CMK_REF_KEY] = ESTATE_KEY;
        create.ref[CMK_REF_IDENTITY] = ESTATE_IDENTITY;
        (void)estate_must_apply(estate, create);
        estate_run(estate, CMK_MINUTE_US);
        CmkArgs delete = create;
        delete.op = CMK_OP_BACKUP_VAULT_DELETE;
        (void)estate_must_apply(estate, delete);
        estate_run(estate, CMK_MINUTE_US);
    }
    cr_assert_str_eq(estate->trouble, "");
    cr_assert_str_eq(sealed.sealer.disagreement, "");
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_VAULT_VANISH), 2);
    close_sealed(&sealed);
}

/* ---- a data key for each point (OQ-28) ------------------------------------------------------- */

/* Days at two in the morning, daily backups. */
static void open_with_keys_of_points(Sealed *sealed, EstateOptions options, uint32_t days)
{
    options.retention_days = options.retention_days != 0 ? options.retention_days : 300;
    options.knobs[CMK_KNOB_DEK_PER_POINT] = 2; /* true */
    open_sealed(sealed, options);
    estate_run(sealed->estate, days * CMK_DAY_US);
}

/* How many requests of `op` were granted that are about this point, or about none for 0. */
static uint32_t count_about(const Estate *estate, CmkOpId op, uint32_t point)
{
    uint32_t count = 0;
    const CmkRecord *record = NULL;
    for (uint32_t i = 0; (record = estate_nth(estate, op, i)) != NULL; i++) {
        count += record->status == CMK_STATUS_OK && record->args.ref[CMK_REF_POINT] == point;
    }
    return count;
}

static void restore_each(Sealed *sealed, uint32_t points)
{
    for (uint32_t i = 1; i <= points; i++) {
        CmkArgs args = estate_args(sealed->estate, CMK_OP_BACKUP_RESTORE);
        args.ref[CMK_REF_POINT] = i;
        args.ref[CMK_REF_TASK] = 0; /* the restores before it are other jobs */
        (void)estate_must_apply(sealed->estate, args);
    }
    estate_rewind(sealed->estate);
    estate_run(sealed->estate, CMK_HOUR_US);
    cr_assert_eq(estate_count(sealed->estate, CMK_OP_RESTORE_COMMIT), points);
    for (uint32_t i = 1; i <= points; i++) {
        cr_assert_eq(count_about(sealed->estate, CMK_OP_KEY_UNWRAP, i), 2, "%u", i); /* BK-31 */
    }
    cr_assert_str_eq(sealed->sealer.disagreement, "", "%s", sealed->sealer.disagreement);
}

/* BK-30, ROT-7, BK-34: each backup has its data key wrapped, a take-up opens and re-wraps them all,
 * and then the old version is needed no more. */
Test(sealer, takes_the_data_key_of_each_point_to_a_new_version)
{
    Sealed sealed;
    open_with_keys_of_points(&sealed, (EstateOptions){0}, 30);
    Estate *estate = sealed.estate;
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_WRAP), 1 + 30, "of the settings, of 30 backups");
    CmkArgs disable = estate_args(estate, CMK_OP_KEY_UPDATE);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_rewind(estate);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_ROTATION_COMMIT), 1);
    for (uint32_t point = 0; point <= 30; point++) {
        cr_assert_eq(count_about(estate, CMK_OP_KEY_UNWRAP, point), 1, "%u", point);
        cr_assert_eq(count_about(estate, CMK_OP_KEY_WRAP, point), 1, "%u", point);
    }
    disable.num[0] = CMK_SAYS_FALSE;
    (void)estate_must_apply(estate, disable);
    const CmkVersionId old = {disable.ref[CMK_REF_VERSION]};
    cr_assert_eq(cmk_version(estate->sim.world, old)->is_enabled, 0);
    restore_each(&sealed, 30);
    expect_check(&sealed, 30, 0, 0, "under the new version");
    expect_proven(&sealed, 30, "all of them");
    cr_assert_geq(cmk_envelope_counters(sealed.sealer.envelope).wraps, 2 * 31);
    cr_assert_str_eq(estate->trouble, "");
    close_sealed(&sealed);
}

/* BV-37: to another key, after which the first one can go for good. */
Test(sealer, takes_the_data_key_of_each_point_to_another_key)
{
    Sealed sealed;
    open_with_keys_of_points(&sealed, (EstateOptions){0}, 6);
    Estate *estate = sealed.estate;
    CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    update.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
    update.ref[CMK_REF_VERSION] = 0;
    (void)estate_must_apply(estate, update);
    estate_rewind(estate);
    estate_run(estate, CMK_MINUTE_US);
    cr_assert_eq(estate_count(estate, CMK_OP_ENCRYPTION_COMMIT), 1);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_WRAP), 1 + 7, "tried, then the vault's and 6");
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_UNWRAP), 1 + 7);
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    estate_run(estate, 91 * CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_PURGE), 1);
    restore_each(&sealed, 6);
    expect_check(&sealed, 6 + 91, 0, 0, "without the first key");
    expect_proven(&sealed, 6 + 91, "all of them");
    cr_assert_str_eq(estate->trouble, "");
    close_sealed(&sealed);
}

/* OQ-15: points from before the first key are taken over one by one, or stay where they are. */
Test(sealer, takes_the_data_key_of_each_point_from_the_platform)
{
    for (uint32_t takes_over = 0; takes_over < 2; takes_over++) {
        Sealed sealed;
        EstateOptions options = {.has_no_cmk = true};
        options.knobs[CMK_KNOB_ENABLING_WRAPS_OLD_POINTS] = 1 + takes_over;
        open_with_keys_of_points(&sealed, options, 4);
        Estate *estate = sealed.estate;
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_WRAP), 0);
        expect_proven(&sealed, 4, "under the platform's key");
        (void)estate_must(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        estate_run(estate, CMK_DAY_US);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_WRAP), 1 + 4 * takes_over + 1);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_UNWRAP), 1 + 2, "the settings', a backup's");
        expect_check(&sealed, 5, 0, 0, "before and after");
        expect_proven(&sealed, 5, "all of them");
        (void)estate_must(estate, CMK_OP_KEY_DELETE);
        estate_run(estate, 91 * CMK_DAY_US);
        const uint32_t lost = takes_over ? 5 : 1;
        expect_check(&sealed, 5 - lost, 0, lost, "purged");
        expect_proven(&sealed, 5 - lost, "what stayed behind");
        cr_assert_str_eq(estate->trouble, "");
        close_sealed(&sealed);
    }
}

/* OQ-29, OQ-30: with the key all of them are lost, and another key opens only what comes later. */
Test(sealer, loses_the_data_key_of_each_point_with_the_key)
{
    Sealed sealed;
    EstateOptions options = {0};
    options.knobs[CMK_KNOB_LOST_KEY_CAN_BE_REPLACED] = 2; /* true */
    open_with_keys_of_points(&sealed, options, 5);
    Estate *estate = sealed.estate;
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    expect_check(&sealed, 0, 5, 0, "deleted");
    estate_run(estate, 91 * CMK_DAY_US);
    expect_check(&sealed, 0, 0, 5, "purged");
    CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    update.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
    update.ref[CMK_REF_VERSION] = 0;
    (void)estate_must_apply(estate, update);
    estate_run(estate, 2 * CMK_DAY_US);
    expect_check(&sealed, 2, 0, 5, "replaced");
    CmkArgs rotate = estate_args(estate, CMK_OP_KEY_ROTATE);
    rotate.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
    (void)estate_must_apply(estate, rotate);
    estate_rewind(estate);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_ROTATION_COMMIT), 1);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_UNWRAP), 1 + 2, "lost ones are left alone");
    expect_check(&sealed, 2, 0, 5, "rotated");
    expect_proven(&sealed, 2, "the new ones");
    cr_assert_str_eq(estate->trouble, "");
    close_sealed(&sealed);
}

/* The vault of a point that goes keeps no way to open it. */
Test(sealer, lets_the_data_key_of_a_point_go_with_it)
{
    Sealed sealed;
    open_with_keys_of_points(&sealed, (EstateOptions){.retention_days = 3}, 3);
    const uint32_t vaults = cmk_world_count(sealed.estate->sim.world, CMK_TABLE_BACKUP_VAULT);
    const uint32_t first = vaults + ESTATE_VAULT; /* its first data key after its own */
    cr_assert(cmk_envelope_is_openable(sealed.sealer.envelope, first));
    estate_run(sealed.estate, CMK_DAY_US);
    cr_assert_eq(estate_count(sealed.estate, CMK_OP_POINT_EXPIRE), 1);
    cr_assert_not(cmk_envelope_is_openable(sealed.sealer.envelope, first));
    expect_check(&sealed, 3, 0, 0, "those that stay");
    close_sealed(&sealed);
}

/* On the hour, when rotations are taken up, and three seconds more the key vault refuses them one
 * of the data keys. */
#define STUBBORN_POINT 5
static bool is_not_stubborn(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)ret_blame;
    const bool is_job = args->num[0] != 0;
    return args->op != CMK_OP_KEY_UNWRAP || is_job || args->ref[CMK_REF_POINT] != STUBBORN_POINT ||
           cmk_world_now(world) % CMK_HOUR_US >= 3 * CMK_SECOND_US;
}

static const CmkGuard stubborn = {.name = "key-vault-is-not-throttled",
                                  .holds = is_not_stubborn,
                                  .status = CMK_STATUS_OF(THROTTLED)};

typedef struct Stubborn {
    CmkModel model;
    const CmkGuard *guards[CMK_GUARD__COUNT];
} Stubborn;

static void stubborn_init(Stubborn *with)
{
    with->model = *cmk_azure_model();
    memcpy(with->guards, with->model.guards, sizeof(with->guards));
    with->guards[CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED] = &stubborn;
    with->model.guards = with->guards;
}

/* THR-6, OQ-27: the walk through the data keys goes on where it was, and then turns to the points
 * that backups of two instances have added meanwhile. */
Test(sealer, goes_on_with_the_data_key_that_was_refused)
{
    Stubborn with;
    stubborn_init(&with);
    Sealed sealed;
    open_with_keys_of_points(&sealed, (EstateOptions){.model = &with.model}, 4);
    Estate *estate = sealed.estate;
    CmkArgs other = estate_args(estate, CMK_OP_INSTANCE_PROTECT);
    other.ref[CMK_REF_INSTANCE] = ESTATE_IDLE_INSTANCE;
    (void)estate_must_apply(estate, other);
    estate_run(estate, 4 * CMK_DAY_US + 30 * CMK_MINUTE_US + 2 * CMK_SECOND_US);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    other.num[0] = CMK_TAG_DEFAULT;
    other.op = CMK_OP_BACKUP_RUN; /* in whose chain the walk is no more when it ends */
    (void)estate_must_apply(estate, other);
    (void)estate_must(estate, CMK_OP_BACKUP_RUN);
    estate_rewind(estate);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_ROTATION_COMMIT), 1);
    cr_assert_eq(estate_count(estate, CMK_OP_TASK_RETRY), 2);
    const CmkRecord *retry = estate_last(estate, CMK_OP_TASK_RETRY);
    cr_assert_eq(retry->args.num[3], STUBBORN_POINT);
    cr_assert_eq(estate_last(estate, CMK_OP_ROTATION_COMMIT)->time % CMK_HOUR_US,
                 3 * CMK_SECOND_US);
    const uint32_t points = cmk_world_count(estate->sim.world, CMK_TABLE_POINT);
    cr_assert_eq(points, 4 + 2 * 4 + 2);
    for (uint32_t point = 1; point <= points; point++) {
        cr_assert_eq(count_about(estate, CMK_OP_KEY_UNWRAP, point), 1, "%u", point);
        cr_assert_eq(count_about(estate, CMK_OP_KEY_WRAP, point), 1, "%u", point);
    }
    cr_assert_eq(count_about(estate, CMK_OP_KEY_WRAP, 0), 1 + 2, "the vault's, two of backups");
    expect_check(&sealed, points, 0, 0, "under the new version");
    expect_proven(&sealed, points, "all of them");
    cr_assert_str_eq(estate->trouble, "");
    close_sealed(&sealed);
}

/* While the walk waits at a point, maintenance removes it: it begins again, without that point. */
Test(sealer, begins_again_when_the_refused_point_has_gone)
{
    Stubborn with;
    stubborn_init(&with);
    Sealed sealed;
    EstateOptions options = {.model = &with.model, .retention_days = 5};
    open_with_keys_of_points(&sealed, options, 9);
    Estate *estate = sealed.estate;
    estate_run(estate, 5 * CMK_HOUR_US + CMK_MINUTE_US); /* maintenance is at 06:00 */
    const CmkPointId refused = {STUBBORN_POINT};
    cr_assert_eq(cmk_point(estate->sim.world, refused)->is_live, 1, "the oldest that is left");
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_rewind(estate);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_TASK_RETRY), 1);
    cr_assert_eq(estate_last(estate, CMK_OP_TASK_RETRY)->args.num[3], STUBBORN_POINT);
    cr_assert_eq(estate_last(estate, CMK_OP_POINT_EXPIRE)->result, STUBBORN_POINT);
    cr_assert_eq(estate_last(estate, CMK_OP_ROTATION_COMMIT)->time % CMK_HOUR_US, CMK_SECOND_US);
    const uint32_t points = cmk_world_count(estate->sim.world, CMK_TABLE_POINT);
    cr_assert_eq(points, 6);
    for (uint32_t point = 1; point <= points; point++) {
        cr_assert_eq(count_about(estate, CMK_OP_KEY_WRAP, point), point != STUBBORN_POINT, "%u",
                     point);
    }
    cr_assert_eq(count_about(estate, CMK_OP_KEY_WRAP, 0), 2, "the vault's, twice");
    expect_check(&sealed, 5, 0, 0, "under the new version");
    expect_proven(&sealed, 5, "all of them");
    cr_assert_str_eq(estate->trouble, "");
    close_sealed(&sealed);
}

/* ---- broken models --------------------------------------------------------------------------- */

static uint32_t does_nothing(CmkSim *sim, const CmkArgs *args)
{
    (void)sim;
    return args->ref[CMK_REF_BACKUP_VAULT];
}

typedef struct Mutant {
    CmkModel model;
    const CmkOperation *operations[CMK_OP__COUNT];
    CmkOperation changed[2];
} Mutant;

static void mutant_init(Mutant *mutant)
{
    mutant->model = *cmk_azure_model();
    memcpy(mutant->operations, mutant->model.operations, sizeof(mutant->operations));
    mutant->model.operations = mutant->operations;
}

static CmkOperation *change(Mutant *mutant, CmkOpId op, uint32_t slot)
{
    mutant->changed[slot] = *mutant->operations[op];
    mutant->operations[op] = &mutant->changed[slot];
    return &mutant->changed[slot];
}

/* OQ-24: a job that asks at its start only holds the data key meanwhile; a purge in between, which
 * takes a broken key vault, ends that, in the rules as in the arithmetic. */
Test(sealer, agrees_about_a_key_that_is_purged_during_a_job)
{
    Mutant mutant;
    Sealed sealed;
    mutant_init(&mutant);
    EstateOptions options = {.model = &mutant.model, .is_not_self_checking = true};
    options.knobs[CMK_KNOB_COMMIT_TOUCHES_KEY] = 1; /* false */
    open_sealed(&sealed, options);
    estate_run(sealed.estate, CMK_DAY_US + 2 * CMK_HOUR_US + CMK_MINUTE_US);
    (void)estate_must(sealed.estate, CMK_OP_KEY_DELETE);
    change(&mutant, CMK_OP_KEY_PURGE, 0)->guards[0] = CMK_GUARD_NONE;
    (void)estate_must(sealed.estate, CMK_OP_KEY_PURGE);
    estate_run(sealed.estate, CMK_HOUR_US);
    cr_assert_eq(estate_count(sealed.estate, CMK_OP_BACKUP_COMMIT), 1, "the one before");
    cr_assert_eq(estate_count(sealed.estate, CMK_OP_TASK_FAIL), 1);
    expect_check(&sealed, 0, 0, 1, "the point before");
    close_sealed(&sealed);
}

/* Deleted, purged without effect, recovered: the rules allow what nobody can do any more. */
static void purge_without_effect(Sealed *sealed, Mutant *mutant)
{
    change(mutant, CMK_OP_KEY_PURGE, 0)->effect = does_nothing;
    (void)estate_must(sealed->estate, CMK_OP_KEY_DELETE);
    estate_run(sealed->estate, 90 * CMK_DAY_US);
    (void)estate_must(sealed->estate, CMK_OP_KEY_RECOVER);
}

/* Requests are let through whatever happened to the key. */
static void ask_nothing(Sealed *sealed, Mutant *mutant)
{
    change(mutant, CMK_OP_KEY_UNWRAP, 0)->guards[0] = CMK_GUARD_NONE;
    change(mutant, CMK_OP_KEY_GET, 1)->guards[0] = CMK_GUARD_NONE;
    (void)estate_must(sealed->estate, CMK_OP_KEY_DELETE);
    estate_run(sealed->estate, 91 * CMK_DAY_US);
}

/* The data key is wrapped anew, and the vault goes on asking the old version. */
static void rotate_without_effect(Sealed *sealed, Mutant *mutant)
{
    change(mutant, CMK_OP_ROTATION_COMMIT, 0)->effect = does_nothing;
    (void)estate_must(sealed->estate, CMK_OP_KEY_ROTATE);
}

Test(sealer, finds_models_that_are_wrong)
{
    const struct {
        const char *name;
        void (*act)(Sealed *sealed, Mutant *mutant);
        const char *words;
    } cases[] = {
        {"purge without effect", purge_without_effect, "unwrapping data key 1"},
        {"requests without guards", ask_nothing, "unwrapping data key 1"},
        {"rotation without effect", rotate_without_effect, "unwrapping data key 1"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Mutant mutant;
        Sealed sealed;
        mutant_init(&mutant);
        open_sealed(&sealed, (EstateOptions){.model = &mutant.model, .is_not_self_checking = true});
        estate_run(sealed.estate, CMK_DAY_US);
        cr_assert_str_eq(sealed.sealer.disagreement, "", "%s", cases[i].name);
        cases[i].act(&sealed, &mutant);
        estate_run(sealed.estate, CMK_DAY_US);
        cr_assert_str_eq(sealed.estate->trouble, "", "%s", cases[i].name);
        cr_assert_not_null(strstr(sealed.sealer.disagreement, cases[i].words), "%s: \"%s\"",
                           cases[i].name, sealed.sealer.disagreement);
        close_sealed(&sealed);
    }
}

/* A point that the rules call lost and the arithmetic can still open is a mismatch, and so is one
 * that they let through and whose bytes do not come back. */
Test(sealer, counts_what_does_not_match)
{
    Sealed sealed;
    open_sealed(&sealed, (EstateOptions){.is_not_self_checking = true});
    estate_run(sealed.estate, CMK_DAY_US);
    CmkWorld *lost = cmk_world_clone(sealed.estate->sim.world);
    ((CmkVersion *)cmk_world_row_mut(lost, CMK_TABLE_VERSION, 1))->is_purged = 1;
    CmkRestoreCounts check = cmk_sealer_check_all(&sealed.sealer, cmk_azure_model(), lost);
    cr_assert(check.lost == 1 && check.mismatch == 1);
    check = cmk_sealer_check_all(NULL, cmk_azure_model(), lost);
    cr_assert(check.lost == 1 && check.mismatch == 0,
              "without cryptography the rules are believed");
    cmk_world_free(lost);
    cr_assert_eq(cmk_envelope_damage_point(sealed.sealer.envelope, 1, 0, 1), CMK_ENVELOPE_OK);
    check = cmk_sealer_check_all(&sealed.sealer, cmk_azure_model(), sealed.estate->sim.world);
    cr_assert(check.restored == 0 && check.mismatch == 1);
    close_sealed(&sealed);
}
