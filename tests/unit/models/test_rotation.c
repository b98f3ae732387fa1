/* Newer versions of the key of the settings are taken up (section 12). */
#include <criterion/criterion.h>

#include "tests/unit/models/estate.h"
#include "tests/unit/models/settings.h"

#define ERR_2 "UserErrorCMKKeyVaultAuthFailure"

static uint32_t active(const Estate *estate)
{
    return cmk_version(estate->sim.world, (CmkVersionId){estate_vault(estate)->active_version})
        ->number;
}

static void set_version(Estate *estate, uint32_t version, int64_t enabled, int64_t expires,
                        int64_t not_before)
{
    CmkArgs args = estate_args(estate, CMK_OP_KEY_UPDATE);
    args.ref[CMK_REF_VERSION] = version;
    args.num[0] = enabled;
    args.num[1] = expires;
    args.num[2] = not_before;
    (void)estate_must_apply(estate, args);
    cr_assert_str_eq(estate->trouble, "");
}

/* ROT-13: at fixed multiples of an hour; ROT-7, ROT-8. */
Test(rotation, rotation_is_taken_up_at_the_next_poll)
{
    Estate *estate = settings_estate(NULL);
    estate_run(estate, 20 * CMK_MINUTE_US);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_rewind(estate);
    estate_run_until(estate, ESTATE_START + CMK_HOUR_US - 1);
    cr_assert_eq(active(estate), 1);
    estate_run(estate, 1);
    cr_assert_eq(active(estate), 2);
    const CmkRecord *commit = estate_last(estate, CMK_OP_ROTATION_COMMIT);
    cr_assert_eq(commit->args.num[0], 1);
    cr_assert_eq(
        cmk_version(estate->sim.world, (CmkVersionId){(uint32_t)commit->args.num[1]})->number, 2);
    /* get; unwrap by the old one; wrap by the new one */
    cr_assert_eq(estate_last(estate, CMK_OP_KEY_UNWRAP)->args.ref[CMK_REF_VERSION], 1);
    cr_assert_eq(estate_last(estate, CMK_OP_KEY_WRAP)->args.ref[CMK_REF_VERSION],
                 (uint32_t)commit->args.num[1]);
    estate_rewind(estate);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_ROTATION_START), 0, "once");
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
    /* Rotated at the very moment of a poll: at the next. Twice before a poll: once, to the newest.
     */
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(active(estate), 4);
    cr_assert_eq(estate_count(estate, CMK_OP_ROTATION_START), 1);
    estate_free(estate);
}

/* ROT-1: a pinned version stays; made versionless, the current one is taken at once. */
Test(rotation, a_pinned_version_is_not_rotated)
{
    Estate *estate = settings_estate(&(EstateOptions){.is_pinned = true});
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_run(estate, 30 * CMK_DAY_US);
    cr_assert_eq(active(estate), 1);
    cr_assert_eq(estate_count(estate, CMK_OP_ROTATION_START), 0);
    CmkArgs args = settings_args(estate, ESTATE_KEY, ESTATE_IDENTITY);
    args.ref[CMK_REF_VERSION] = 0;
    settings_update(estate, args);
    cr_assert_eq(active(estate), 2);
    cr_assert_eq(estate_vault(estate)->pinned_version, 0);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(active(estate), 3);
    estate_free(estate);
}

/* ROT-14: the old version is disabled before the take-up: it fails, jobs fail, until it is back. */
Test(rotation, a_disabled_old_version_stops_the_take_up)
{
    Estate *estate = settings_estate(NULL);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    set_version(estate, 1, 1, 0, 0);
    estate_rewind(estate);
    estate_run(estate, 3 * CMK_HOUR_US + CMK_MINUTE_US);
    cr_assert_eq(active(estate), 1);
    cr_assert_eq(estate_count(estate, CMK_OP_ROTATION_START), 3, "at each poll");
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 0);
    settings_expect_failure(estate, "version-is-enabled", ERR_2, "ERR-M9");
    set_version(estate, 1, 2, 0, 0);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(active(estate), 2);
    estate_rewind(estate);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_ROTATION_START), 0);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
    estate_free(estate);
}

static uint32_t needed(const Estate *estate)
{
    const CmkVersionId old = {estate_vault(estate)->old_version};
    return cmk_version(estate->sim.world, old)->number;
}

static Estate *make_rotated(const EstateOptions *options)
{
    Estate *estate = settings_estate(options);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(active(estate), 2);
    return estate;
}

/* ROT-6: disabled too early the old version stops backups, and nothing else, until it is back and
 * one of them is through. */
Test(rotation, the_version_left_is_needed_for_one_more_backup)
{
    Estate *estate = settings_estate(NULL);
    estate_run(estate, CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_run(estate, CMK_HOUR_US);
    cr_assert(active(estate) == 2 && needed(estate) == 1);
    estate_rewind(estate);
    set_version(estate, 1, 1, 0, 0);
    const uint64_t disabling = estate_last(estate, CMK_OP_KEY_UPDATE)->seq;
    (void)estate_must(estate, CMK_OP_BACKUP_RESTORE);
    estate_run(estate, 2 * CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_RESTORE_COMMIT), 1, "restores do not need it");
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 0);
    settings_expect_failure(estate, "old-version-is-enabled", ERR_2, "ERR-M9");
    const CmkRecord *refused = estate_last(estate, CMK_OP_KEY_UNWRAP);
    cr_assert_eq(refused->status, CMK_STATUS_OF(KEY_DISABLED));
    cr_assert(refused->args.ref[CMK_REF_VERSION] == 1 && refused->blame_seq == disabling);
    cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED, "all the while");
    set_version(estate, 1, 2, 0, 0);
    (void)estate_must(estate, CMK_OP_BACKUP_RUN);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1, "one by hand is one more");
    cr_assert_eq(needed(estate), 0);
    set_version(estate, 1, 1, 0, 0);
    estate_rewind(estate);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1, "no harm any more");
    cr_assert_eq(estate_count(estate, CMK_OP_TASK_FAIL), 0);
    estate_free(estate);
}

/* Like the present version it is asked for at both ends of a job, and its age does not matter. */
Test(rotation, the_version_left_is_asked_at_both_ends_of_a_backup)
{
    Estate *estate = make_rotated(NULL);
    set_version(estate, 1, 0, ESTATE_START + CMK_MINUTE_US, 0);
    estate_run(estate, CMK_HOUR_US + CMK_MINUTE_US); /* the backup has begun */
    set_version(estate, 1, 1, 0, 0);
    estate_run(estate, CMK_HOUR_US);
    settings_expect_failure(estate, "old-version-is-enabled", ERR_2, "at its end");
    set_version(estate, 1, 2, 0, 0);
    estate_rewind(estate);
    (void)estate_must(estate, CMK_OP_BACKUP_RUN);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1, "KV-14");
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_UNWRAP), 4);
    estate_free(estate);
}

/* A data key that Backup may hold makes no difference to the first job that must ask for it: the
 * version left has its turn before the present one. */
Test(rotation, the_version_left_is_asked_before_a_data_key_is_held)
{
    EstateOptions options = {0};
    options.knobs[CMK_KNOB_DEK_CACHE] = 1 + CMK_HOUR_US;
    Estate *estate = make_rotated(&options);
    set_version(estate, 1, 1, 0, 0);
    estate_run(estate, 2 * CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 0);
    settings_expect_failure(estate, "old-version-is-enabled", ERR_2, "nothing is held");
    cr_assert_eq(estate_last(estate, CMK_OP_KEY_UNWRAP)->args.ref[CMK_REF_VERSION], 1);
    set_version(estate, 1, 2, 0, 0);
    estate_rewind(estate);
    (void)estate_must(estate, CMK_OP_BACKUP_RUN);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_UNWRAP), 2, "both at the start, then it is held");
    cr_assert_eq(needed(estate), 0);
    estate_free(estate);
}

/* A backup that did not ask for it is not the one more: it went on with what a restore had had
 * unwrapped, or had begun before the vault left that version. */
Test(rotation, the_version_left_is_needed_until_a_backup_has_asked_for_it)
{
    EstateOptions options = {0};
    options.knobs[CMK_KNOB_DEK_CACHE] = 1 + CMK_HOUR_US;
    Estate *estate = settings_estate(&options);
    estate_run(estate, CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_run(estate, CMK_HOUR_US);
    set_version(estate, 1, 1, 0, 0);
    estate_rewind(estate);
    (void)estate_must(estate, CMK_OP_BACKUP_RESTORE);
    estate_run(estate, CMK_MINUTE_US);
    (void)estate_must(estate, CMK_OP_BACKUP_RUN);
    estate_run(estate, 40 * CMK_MINUTE_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1, "the data key is held");
    cr_assert_eq(needed(estate), 1);
    estate_run(estate, 2 * CMK_HOUR_US);
    (void)estate_must(estate, CMK_OP_BACKUP_RUN);
    estate_run(estate, CMK_MINUTE_US);
    settings_expect_failure(estate, "old-version-is-enabled", ERR_2, "and is held no more");
    estate_free(estate);

    options = (EstateOptions){0};
    options.knobs[CMK_KNOB_COMMIT_TOUCHES_KEY] = 1; /* false */
    estate = settings_estate(&options);
    estate_run(estate, 50 * CMK_MINUTE_US);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    (void)estate_must(estate, CMK_OP_BACKUP_RUN);
    estate_run(estate, 40 * CMK_MINUTE_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
    cr_assert(active(estate) == 2 && needed(estate) == 1, "the take-up was in its midst");
    set_version(estate, 1, 1, 0, 0);
    estate_run(estate, CMK_HOUR_US);
    settings_expect_failure(estate, "old-version-is-enabled", ERR_2, "the next backup");
    estate_free(estate);
}

/* What is remembered of which change, and what ends it. */
Test(rotation, only_a_rotation_leaves_a_version_behind)
{
    EstateOptions forgetful = {0};
    forgetful.knobs[CMK_KNOB_OLD_VERSION_NEEDED_UNTIL_BACKUP] = 1; /* false */
    Estate *estate = make_rotated(&forgetful);
    cr_assert_eq(needed(estate), 0, "the knob");
    estate_free(estate);

    estate = make_rotated(NULL);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_run(estate, CMK_HOUR_US - 1);
    cr_assert(active(estate) == 2 && needed(estate) == 1);
    estate_run(estate, 1);
    cr_assert(active(estate) == 3 && needed(estate) == 2, "rotated again before the backup");
    settings_update(estate, settings_args(estate, 0, ESTATE_IDENTITY));
    cr_assert_eq(needed(estate), 2, "the same settings again");
    CmkArgs args = settings_args(estate, ESTATE_KEY, ESTATE_IDENTITY);
    args.ref[CMK_REF_VERSION] = 1;
    settings_update(estate, args);
    cr_assert(active(estate) == 1 && needed(estate) == 3, "pinned by hand");
    args = settings_args(estate, ESTATE_OTHER_KEY, ESTATE_IDENTITY);
    args.ref[CMK_REF_VERSION] = 0;
    settings_update(estate, args);
    cr_assert(estate_vault(estate)->key == ESTATE_OTHER_KEY && needed(estate) == 0, "another key");
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);

    estate = make_rotated(
        &(EstateOptions){.has_operational = true, .datasource = "AzureKubernetesService"});
    CmkArgs run = estate_args(estate, CMK_OP_BACKUP_START);
    uint32_t row = cmk_instance(estate->sim.world, (CmkInstanceId){ESTATE_INSTANCE})->first_queue;
    while (cmk_queue(estate->sim.world, (CmkQueueId){row})->store == CMK_STORE_VAULT) {
        row = cmk_queue(estate->sim.world, (CmkQueueId){row})->next_of_instance;
    }
    run.ref[CMK_REF_QUEUE] = row;
    (void)estate_must_apply(estate, run);
    estate_run(estate, 40 * CMK_MINUTE_US);
    cr_assert_neq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 0);
    cr_assert_eq(needed(estate), 1, "a snapshot is no backup to the vault tier");
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* A take-up repeats itself: jobs wait for the next poll, and a data key that is held is let go. */
Test(rotation, an_interrupted_take_up_may_stop_jobs)
{
    for (int stops = 0; stops <= 1; stops++) {
        EstateOptions options = {0};
        options.knobs[CMK_KNOB_INTERRUPTED_REWRAP_STOPS_JOBS] = 1 + stops;
        options.knobs[CMK_KNOB_DEK_CACHE] = 1 + CMK_DAY_US;
        Estate *estate = settings_estate(&options);
        estate_run(estate, CMK_DAY_US + CMK_MINUTE_US);
        (void)estate_must(estate, CMK_OP_KEY_ROTATE);
        (void)estate_must(estate, CMK_OP_SERVICE_FAIL);
        estate_run(estate, CMK_HOUR_US);
        cr_assert_eq(active(estate), 1);
        cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED,
                     "a take-up leaves it");
        (void)estate_must(estate, CMK_OP_SERVICE_RECOVER);
        estate_rewind(estate);
        (void)estate_must(estate, CMK_OP_BACKUP_RUN);
        estate_run(estate, 40 * CMK_MINUTE_US);
        cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), (uint32_t)(stops == 0));
        estate_run(estate, 20 * CMK_MINUTE_US);
        cr_assert_eq(active(estate), 2);
        estate_rewind(estate);
        (void)estate_must(estate, CMK_OP_BACKUP_RESTORE);
        estate_run(estate, 2 * CMK_HOUR_US);
        cr_assert_eq(estate_count(estate, CMK_OP_RESTORE_COMMIT), 1);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* However often the key changes while a vault is behind, one look at it is pending: each starts at
 * most one attempt an hour. */
Test(rotation, one_look_for_a_newer_version_is_pending)
{
    Estate *estate = estate_new(NULL);
    CmkArgs disable = estate_args(estate, CMK_OP_KEY_UPDATE);
    disable.num[0] = CMK_SAYS_FALSE;
    const uint32_t before = cmk_agenda_count(estate->sim.world);
    (void)estate_must_apply(estate, disable); /* the version in use: every take-up fails */
    for (int i = 0; i < 5; i++) {
        (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    }
    estate_run(estate, CMK_HOUR_US); /* the polls that the changes have asked for */
    const uint32_t pending = cmk_agenda_count(estate->sim.world);
    estate_rewind(estate);
    estate_run(estate, 10 * CMK_HOUR_US);
    cr_expect_eq(estate_count(estate, CMK_OP_ROTATION_START), 10);
    cr_expect_leq(cmk_agenda_count(estate->sim.world), pending);
    cr_expect_leq(pending, before + 1, "%u timers, %u before", pending, before);
    cr_expect_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* ROT-15: an expired old version unwraps all the same, which repairs the vault. */
Test(rotation, rotation_repairs_an_expired_version)
{
    Estate *estate = settings_estate(NULL);
    set_version(estate, 1, 0, ESTATE_START + CMK_HOUR_US, 0);
    estate_run(estate, 3 * CMK_HOUR_US);
    settings_expect_failure(estate, "backup-finds-it-not-expired", ERR_2, "ERR-M10");
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_rewind(estate);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(active(estate), 2);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
    estate_free(estate);
}

/* ROT-16: what cannot be used is passed over, and taken up once it can be. */
Test(rotation, rotation_falls_back_to_the_newest_usable_version)
{
    Estate *estate = settings_estate(NULL);
    const uint32_t second = estate_must(estate, CMK_OP_KEY_ROTATE);
    const uint32_t third = estate_must(estate, CMK_OP_KEY_ROTATE);
    set_version(estate, third, 1, 0, 0);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(estate_vault(estate)->active_version, second, "3 is disabled");
    estate_rewind(estate);
    estate_run(estate, 5 * CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_ROTATION_START), 0);
    cr_assert_eq(cmk_agenda_count(estate->sim.world), 2,
                 "a backup and maintenance are pending, and no poll");
    set_version(estate, third, 2, 0, 0);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(estate_vault(estate)->active_version, third);
    /* A disabled newest one does not make a vault go back to an older one. */
    set_version(estate, third, 1, 0, 0);
    estate_run(estate, 5 * CMK_HOUR_US);
    cr_assert_eq(estate_vault(estate)->active_version, third);
    estate_free(estate);
}

/* ROT-16: a version that becomes valid later is taken up at the poll after that. */
Test(rotation, a_version_that_is_not_yet_valid_is_taken_up_when_it_is)
{
    Estate *estate = settings_estate(NULL);
    const uint32_t second = estate_must(estate, CMK_OP_KEY_ROTATE);
    set_version(estate, second, 0, 0, ESTATE_START + 100 * CMK_HOUR_US + CMK_MINUTE_US);
    estate_run_until(estate, ESTATE_START + 101 * CMK_HOUR_US - 1);
    cr_assert_eq(active(estate), 1);
    estate_run(estate, 1);
    cr_assert_eq(active(estate), 2);
    estate_free(estate);
}

/* BV-T8, BV-33, ROT-13: an update that leaves the key as it is re-wraps nothing; the newer version
 * is taken up by the poll. */
Test(rotation, an_update_leaves_the_version_to_the_poll)
{
    static const uint32_t updates[][2] = {
        {0, 0}, {ESTATE_KEY, ESTATE_IDENTITY}, {0, ESTATE_OTHER_IDENTITY}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(updates); i++) {
        Estate *estate = settings_estate(NULL);
        (void)estate_must(estate, CMK_OP_KEY_ROTATE);
        settings_update(estate, settings_args(estate, updates[i][0], updates[i][1]));
        cr_expect_eq(active(estate), 1, "%zu", i);
        estate_run(estate, CMK_HOUR_US);
        cr_expect_eq(active(estate), 2, "%zu", i);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* A take-up that waits to be tried again meets settings that have moved on: to another key, or to a
 * version that they name. */
Test(rotation, a_take_up_does_not_undo_a_change_of_settings)
{
    for (int is_pinned = 0; is_pinned <= 1; is_pinned++) {
        Estate *estate = settings_estate(NULL);
        (void)estate_must(estate, CMK_OP_KEY_ROTATE);
        estate_run(estate, CMK_HOUR_US - CMK_SECOND_US);
        (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE);
        estate_run(estate, CMK_SECOND_US); /* the poll: throttled, again at 1, 3, 7 s ... */
        estate_run(estate, 4 * CMK_SECOND_US);
        (void)estate_must(estate, CMK_OP_KEY_VAULT_UNTHROTTLE);
        cr_assert_eq(estate_count(estate, CMK_OP_TASK_RETRY), 3);
        const uint32_t key = is_pinned ? ESTATE_KEY : ESTATE_SPARE_KEY;
        CmkArgs args = settings_args(estate, key, ESTATE_IDENTITY);
        args.ref[CMK_REF_VERSION] = is_pinned ? 1 : 0;
        (void)estate_must_apply(estate, args);
        estate_run(estate, CMK_SECOND_US);
        const uint32_t version = estate_vault(estate)->active_version;
        cr_assert_eq(estate_vault(estate)->key, key);
        estate_run(estate, CMK_DAY_US);
        cr_assert_eq(estate_vault(estate)->active_version, version);
        cr_assert_eq(estate_vault(estate)->is_rotating, 0);
        cr_assert_eq(estate_last(estate, CMK_OP_ROTATION_COMMIT)->guard,
                     CMK_GUARD_TAKE_UP_IS_STILL_DUE);
        cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}
