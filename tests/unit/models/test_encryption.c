/* Encryption settings: the transition table BV-T, the order of checks of section 9.4, becoming
 * Inconsistent and healing (BV-29 to BV-31). */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <string.h>

#include "tests/unit/models/estate.h"
#include "tests/unit/models/settings.h"

static void expect_state(const Estate *estate, CmkEncryption wanted, const char *what)
{
    static const char *const names[] = {"Disabled", "Enabled", "Inconsistent"};
    const uint32_t got = estate_vault(estate)->encryption;
    cr_assert_eq(got, wanted, "%s: %s instead of %s", what, names[got], names[wanted]);
}

#define ERR_1 "UserErrorCMKMissingMangedIdentityPermissionOnKeyVault"
#define ERR_2 "UserErrorCMKKeyVaultAuthFailure"
#define ERR_3 "UserErrorCMKSoftDeleteNotEnabledOnKeyVault"
#define ERR_4 "UserErrorCMKPurgeProtectionNotEnabledOnKeyVault"
#define ERR_12 "CloudServiceRetryableError"

/* ---- BV-T ------------------------------------------------------------------------------------ */

/* BV-T1, T5, T6, T10: from nothing to Disabled to Enabled, and never back. */
Test(encryption, is_enabled_once_and_for_all)
{
    Estate *estate = settings_estate(&(EstateOptions){.has_no_cmk = true});
    expect_state(estate, CMK_ENCRYPTION_DISABLED, "T1");
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    settings_update(estate, settings_args(estate, ESTATE_KEY, ESTATE_IDENTITY));
    expect_state(estate, CMK_ENCRYPTION_DISABLED, "T6");
    settings_expect_failure(estate, "role-lets-get", ERR_2, "T6");
    cr_assert_eq(estate_vault(estate)->key, 0);
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    settings_update(estate, settings_args(estate, ESTATE_KEY, ESTATE_IDENTITY));
    expect_state(estate, CMK_ENCRYPTION_ENABLED, "T5");
    CmkArgs off = settings_args(estate, 0, 0);
    off.num[0] = 1;
    cr_assert_eq(estate_apply(estate, &off).status, CMK_STATUS_OF(NOT_REVERSIBLE));
    expect_state(estate, CMK_ENCRYPTION_ENABLED, "T10");
    (void)estate_must(estate, CMK_OP_IDENTITY_DETACH);
    cr_assert_eq(estate_apply(estate, &off).status, CMK_STATUS_OF(NOT_REVERSIBLE));
    expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "T10 from Inconsistent");
    estate_free(estate);
}

/* BV-T7, T8, T9; OQ-31, BV-33. */
Test(encryption, key_and_identity_change_one_at_a_time)
{
    Estate *estate = settings_estate(NULL);
    estate_rewind(estate);
    CmkArgs both = settings_args(estate, ESTATE_OTHER_KEY, ESTATE_OTHER_IDENTITY);
    cr_assert_eq(estate_apply(estate, &both).status, CMK_STATUS_OF(KEY_AND_IDENTITY_TOGETHER));
    /* Pinning is a change of the key URI as well. */
    both.ref[CMK_REF_KEY] = ESTATE_KEY;
    both.ref[CMK_REF_VERSION] = 1;
    cr_assert_eq(estate_apply(estate, &both).status, CMK_STATUS_OF(KEY_AND_IDENTITY_TOGETHER));
    cr_assert_eq(estate_vault(estate)->identity, ESTATE_IDENTITY, "T9: unchanged");

    settings_update(estate, settings_args(estate, ESTATE_KEY, ESTATE_OTHER_IDENTITY));
    expect_state(estate, CMK_ENCRYPTION_ENABLED, "T8");
    cr_assert_eq(estate_vault(estate)->identity, ESTATE_OTHER_IDENTITY);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_GET), 1, "T8: the old identity needs nothing");
    const CmkRecord *commit = estate_last(estate, CMK_OP_ENCRYPTION_COMMIT);
    cr_assert_eq(commit->args.num[0], commit->args.num[1], "T8: no re-wrap");

    /* OQ-31: the identity that is left may lose its rights and go. */
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    CmkArgs gone = estate_args(estate, CMK_OP_IDENTITY_DELETE);
    (void)estate_must_apply(estate, gone);
    expect_state(estate, CMK_ENCRYPTION_ENABLED, "not the identity in use");

    estate_rewind(estate);
    settings_update(estate, settings_args(estate, ESTATE_OTHER_KEY, ESTATE_OTHER_IDENTITY));
    commit = estate_last(estate, CMK_OP_ENCRYPTION_COMMIT);
    cr_assert_eq(commit->args.num[0], 1, "T7: from version 1 of the old key");
    cr_assert_eq(commit->args.num[1], 2);
    /* new: get, wrap, unwrap; old: get, unwrap; new: wrap (BK-34) */
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_GET), 2);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_UNWRAP), 2);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_WRAP), 2);
    cr_assert_eq(cmk_key(estate->sim.world, (CmkKeyId){ESTATE_KEY})->first_user, 0);
    cr_assert_eq(cmk_key(estate->sim.world, (CmkKeyId){ESTATE_OTHER_KEY})->first_user,
                 ESTATE_VAULT);

    settings_update(estate,
                    settings_args(estate, 0, 0)); /* BV-33: nothing given, nothing changes */
    cr_assert_eq(estate_vault(estate)->key, ESTATE_OTHER_KEY);
    cr_assert_eq(estate_vault(estate)->identity, ESTATE_OTHER_IDENTITY);
    expect_state(estate, CMK_ENCRYPTION_ENABLED, "T15");
    estate_free(estate);
}

/* BV-T11, BV-T12, BV-29, BV-31, MI-6: the user-assigned identity. */
Test(encryption, a_user_identity_that_comes_back_heals_the_vault_at_once)
{
    Estate *estate = settings_estate(NULL);
    estate_run(estate, CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_IDENTITY_DETACH);
    expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "T11");
    cr_assert_eq(estate_vault(estate)->encryption_by,
                 estate_last(estate, CMK_OP_IDENTITY_DETACH)->seq);
    estate_run(estate, 3 * CMK_HOUR_US);
    settings_expect_failure(estate, "user-identity-is-attached", ERR_1, "backup meanwhile");
    expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "nobody repaired it");
    cr_assert_eq(estate_count(estate, CMK_OP_ENCRYPTION_RESTORE), 0, "and nothing tries to");
    (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
    estate_run(estate, 0);
    expect_state(estate, CMK_ENCRYPTION_ENABLED, "T12");
    const CmkRecord *restore = estate_last(estate, CMK_OP_ENCRYPTION_RESTORE);
    cr_assert_eq(restore->args.cause_seq, estate_last(estate, CMK_OP_IDENTITY_ATTACH)->seq);
    cr_assert_eq(restore->args.actor, CMK_ACTOR_PLATFORM);
    estate_rewind(estate);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
    cr_assert_eq(estate_count(estate, CMK_OP_ENCRYPTION_RESTORE), 0);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* OQ-5: without rights it stays, and is looked at every hour until they are there. */
Test(encryption, healing_waits_for_rights)
{
    for (int uses_policies = 0; uses_policies <= 1; uses_policies++) {
        const CmkOpId take = uses_policies ? CMK_OP_ACCESS_POLICY_REMOVE : CMK_OP_ROLE_REMOVE;
        const CmkOpId give = uses_policies ? CMK_OP_ACCESS_POLICY_SET : CMK_OP_ROLE_ASSIGN;
        Estate *estate = settings_estate(&(EstateOptions){.uses_policies = uses_policies != 0});
        (void)estate_must(estate, CMK_OP_IDENTITY_DETACH);
        (void)estate_must(estate, take);
        (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
        estate_run(estate, 150 * CMK_MINUTE_US);
        expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "attached, no rights");
        cr_assert_eq(estate_count(estate, CMK_OP_ENCRYPTION_RESTORE), 3);
        cr_assert_eq(estate_last(estate, CMK_OP_ENCRYPTION_RESTORE)->blame_seq,
                     estate_last(estate, take)->seq);
        (void)estate_must(estate, give);
        estate_run_until(estate, ESTATE_START + 3 * CMK_HOUR_US - 1);
        expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "not looked at yet");
        estate_run(estate, 1);
        expect_state(estate, CMK_ENCRYPTION_ENABLED, "an hour after the look before");
        estate_rewind(estate);
        estate_run(estate, CMK_DAY_US);
        cr_assert_eq(estate_count(estate, CMK_OP_ENCRYPTION_RESTORE), 0, "and no longer");

        /* Each attaching starts one series of looks, and the one before ends. */
        (void)estate_must(estate, take);
        for (int i = 0; i < 3; i++) {
            (void)estate_must(estate, CMK_OP_IDENTITY_DETACH);
            (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
        }
        estate_rewind(estate);
        estate_run(estate, 10 * CMK_HOUR_US + CMK_MINUTE_US);
        cr_assert_eq(estate_count(estate, CMK_OP_ENCRYPTION_RESTORE), 11);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* OQ-5: not only each hour, but also when work on the vault begins, even if that comes to nothing.
 */
Test(encryption, work_on_the_vault_looks_whether_the_rights_are_back)
{
    const CmkOpId works[] = {CMK_OP_BACKUP_RUN, CMK_OP_BACKUP_RESTORE,
                             CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION};
    for (size_t i = 0; i < CMK_ARRAY_LEN(works); i++) {
        const bool is_update = works[i] == CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION;
        Estate *estate = settings_estate(NULL);
        estate_run(estate, CMK_DAY_US);
        const uint32_t before = estate_vault(estate)->principal;
        (void)estate_must(estate, CMK_OP_IDENTITY_DELETE);
        (void)estate_must(estate, CMK_OP_IDENTITY_CREATE);
        (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
        estate_run(estate, CMK_MINUTE_US);
        (void)estate_must(estate, CMK_OP_BACKUP_RUN);
        estate_run(estate, CMK_MINUTE_US);
        settings_expect_failure(estate, "caller-is-known", ERR_1, "no rights yet");
        expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "no rights yet");
        (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
        estate_run(estate, CMK_MINUTE_US);
        expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "nobody looked");
        CmkArgs args = estate_args(estate, works[i]);
        if (is_update) { /* to a version that is not there: the update itself repairs nothing */
            args.ref[CMK_REF_VERSION] = 0;
            args.num[CMK_NUM_VERSION] = 99;
        }
        estate_rewind(estate);
        (void)estate_must_apply(estate, args);
        estate_run(estate, 40 * CMK_MINUTE_US);
        expect_state(estate, CMK_ENCRYPTION_ENABLED, "the work looked");
        cr_assert_neq(estate_vault(estate)->principal, before);
        cr_assert_eq(estate_count(estate, CMK_OP_ENCRYPTION_RESTORE), 1);
        cr_assert_eq(estate_count(estate, CMK_OP_TASK_FAIL), (uint32_t)is_update);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* OQ-4: deleted and made anew, the identity has a new principal, which needs rights of its own. */
Test(encryption, an_identity_made_anew_heals_only_with_rights)
{
    for (int with_rights = 0; with_rights <= 1; with_rights++) {
        Estate *estate = settings_estate(NULL);
        const uint32_t before = estate_vault(estate)->principal;
        (void)estate_must(estate, CMK_OP_IDENTITY_DELETE);
        expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "T11, deleted");
        (void)estate_must(estate, CMK_OP_IDENTITY_CREATE);
        estate_run(estate, CMK_HOUR_US);
        expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "not attached");
        if (with_rights != 0) {
            (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
        }
        (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
        estate_run(estate, 3 * CMK_HOUR_US);
        expect_state(estate,
                     with_rights != 0 ? CMK_ENCRYPTION_ENABLED : CMK_ENCRYPTION_INCONSISTENT,
                     "OQ-4");
        cr_assert_eq(estate_vault(estate)->principal != before, with_rights != 0);
        cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), (uint32_t)with_rights);
        estate_free(estate);
    }
}

/* OQ-4, the other way: the new principal is nobody whom the settings know, whatever its rights. */
Test(encryption, an_identity_made_anew_may_need_an_update)
{
    EstateOptions options = {0};
    options.knobs[CMK_KNOB_RECREATED_IDENTITY_NEEDS_UPDATE] = 1 + 1;
    Estate *estate = settings_estate(&options);
    (void)estate_must(estate, CMK_OP_IDENTITY_DETACH);
    (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
    estate_run(estate, CMK_SECOND_US);
    expect_state(estate, CMK_ENCRYPTION_ENABLED, "the same one");
    (void)estate_must(estate, CMK_OP_IDENTITY_DELETE);
    (void)estate_must(estate, CMK_OP_IDENTITY_CREATE);
    const uint64_t creation = estate_last(estate, CMK_OP_IDENTITY_CREATE)->seq;
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
    estate_run(estate, 3 * CMK_HOUR_US);
    expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "OQ-4");
    cr_assert_eq(estate_last(estate, CMK_OP_ENCRYPTION_RESTORE)->blame_seq, creation);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 0);
    settings_update(estate, settings_args(estate, ESTATE_KEY, ESTATE_IDENTITY));
    expect_state(estate, CMK_ENCRYPTION_ENABLED, "BV-T13");
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* BV-T13, BV-30, MI-5: the system-assigned identity needs switching on, grants and an update. */
Test(encryption, a_system_identity_needs_grants_and_an_update)
{
    Estate *estate = settings_estate(&(EstateOptions){.uses_system = true});
    const uint32_t before = estate_vault(estate)->principal;
    (void)estate_must(estate, CMK_OP_SYSTEM_IDENTITY_DISABLE);
    expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "T11, off");
    (void)estate_must(estate, CMK_OP_SYSTEM_IDENTITY_ENABLE);
    estate_run(estate, 3 * CMK_HOUR_US);
    expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "on again is not enough");
    cr_assert_neq(estate_vault(estate)->system_principal, before);
    settings_expect_failure(estate, "caller-is-known", ERR_1, "the old principal is gone");
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    estate_run(estate, CMK_DAY_US);
    expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "grants are not enough");
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 0);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    settings_update(estate, estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION));
    expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "an update without grants is not enough");
    settings_expect_failure(estate, "role-lets-get", ERR_2, "update without grants");
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    settings_update(estate, estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION));
    expect_state(estate, CMK_ENCRYPTION_ENABLED, "T13");
    cr_assert_eq(estate_vault(estate)->principal, estate_vault(estate)->system_principal);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* BV-31 is about user-assigned identities: attaching one says nothing to a vault that has lost its
 * system-assigned one. */
Test(encryption, another_identity_that_is_attached_heals_nothing)
{
    Estate *estate = settings_estate(&(EstateOptions){.uses_system = true});
    (void)estate_must(estate, CMK_OP_SYSTEM_IDENTITY_DISABLE);
    CmkArgs attach = estate_args(estate, CMK_OP_IDENTITY_ATTACH);
    attach.ref[CMK_REF_IDENTITY] = ESTATE_LOOSE_IDENTITY;
    (void)estate_must_apply(estate, attach);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_ENCRYPTION_RESTORE), 0);
    expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "still");
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* OQ-30: where only the identity broke, another identity repairs; T15. */
Test(encryption, another_identity_repairs_an_inconsistent_vault)
{
    Estate *estate = settings_estate(NULL);
    (void)estate_must(estate, CMK_OP_IDENTITY_DELETE);
    settings_update(estate, settings_args(estate, ESTATE_KEY, ESTATE_OTHER_IDENTITY));
    expect_state(estate, CMK_ENCRYPTION_ENABLED, "T15");
    /* From a user's to the system's, which is switched on before. */
    CmkArgs to_system = settings_args(estate, ESTATE_KEY, 0);
    to_system.num[CMK_NUM_SYSTEM] = 1;
    cr_assert_eq(estate_apply(estate, &to_system).status,
                 CMK_STATUS_OF(SYSTEM_IDENTITY_NOT_ENABLED));
    (void)estate_must(estate, CMK_OP_SYSTEM_IDENTITY_ENABLE);
    CmkArgs give = estate_args(estate, CMK_OP_ROLE_ASSIGN);
    give.ref[CMK_REF_IDENTITY] = 0;
    (void)estate_must_apply(estate, give);
    settings_update(estate, to_system);
    cr_assert_eq(estate_vault(estate)->identity, 0);
    expect_state(estate, CMK_ENCRYPTION_ENABLED, "system");
    /* The identity not in use may go. */
    (void)estate_must_apply(estate, (CmkArgs){.op = CMK_OP_IDENTITY_DETACH,
                                              .actor = CMK_ACTOR_STEP,
                                              .ref = {[CMK_REF_BACKUP_VAULT] = ESTATE_VAULT,
                                                      [CMK_REF_IDENTITY] = ESTATE_OTHER_IDENTITY}});
    expect_state(estate, CMK_ENCRYPTION_ENABLED, "not in use");
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* OQ-31, the other way: the identity that goes must still have get and unwrap on the key. */
Test(encryption, a_change_of_identity_may_ask_the_old_one)
{
    const struct {
        CmkOpId wrong;
        int64_t number;
        const char *guard;
        CmkStatus status; /* ERR-18; or OK, the identity changes */
    } cases[] = {
        {CMK_OP_NONE, 0, NULL, CMK_STATUS_OK},
        {CMK_OP_ACCESS_POLICY_SET, CMK_PERMISSION_GET | CMK_PERMISSION_UNWRAP, NULL, CMK_STATUS_OK},
        {CMK_OP_ACCESS_POLICY_SET, CMK_PERMISSION_GET | CMK_PERMISSION_WRAP, "policy-lets-unwrap",
         CMK_STATUS_OF(MISSING_PERMISSION_ON_CURRENT_KEY)},
        {CMK_OP_ACCESS_POLICY_REMOVE, 0, "policy-lets-get",
         CMK_STATUS_OF(AUTH_FAILURE_ON_CURRENT_KEY)},
        {CMK_OP_IDENTITY_DETACH, 0, "user-identity-is-attached",
         CMK_STATUS_OF(MISSING_PERMISSION_ON_CURRENT_KEY)},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        EstateOptions options = {.uses_policies = true};
        options.knobs[CMK_KNOB_IDENTITY_CHANGE_TESTS_OLD_IDENTITY] = 1 + 1;
        Estate *estate = settings_estate(&options);
        if (cases[i].wrong != CMK_OP_NONE) {
            CmkArgs args = estate_args(estate, cases[i].wrong);
            args.num[0] = cases[i].number;
            (void)estate_must_apply(estate, args);
        }
        const uint32_t state = estate_vault(estate)->encryption;
        settings_update(estate, settings_args(estate, ESTATE_KEY, ESTATE_OTHER_IDENTITY));
        const bool is_changed = estate_vault(estate)->identity == ESTATE_OTHER_IDENTITY;
        cr_assert_eq(is_changed, cases[i].status == CMK_STATUS_OK, "%zu", i);
        if (!is_changed) {
            const CmkStatusRow *row = &estate->sim.model->statuses[cases[i].status];
            settings_expect_failure(estate, cases[i].guard, row->code, cases[i].guard);
            cr_assert_eq(estate_last(estate, CMK_OP_TASK_FAIL)->args.num[0], cases[i].status);
            expect_state(estate, state, cases[i].guard);
        }
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* OQ-29: where a lost key is replaced by another of its name, nobody can ask for the old one any
 * more, the old identity neither. */
Test(encryption, the_old_identity_is_not_asked_for_a_lost_key)
{
    EstateOptions options = {0};
    options.knobs[CMK_KNOB_IDENTITY_CHANGE_TESTS_OLD_IDENTITY] = 1 + 1;
    options.knobs[CMK_KNOB_LOST_KEY_CAN_BE_REPLACED] = 1 + 1;
    Estate *estate = settings_estate(&options);
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    estate_run(estate, 90 * CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_KEY_CREATE);
    const uint32_t lost = estate_vault(estate)->active_version;
    settings_update(estate, settings_args(estate, ESTATE_KEY, ESTATE_OTHER_IDENTITY));
    cr_assert_eq(estate_vault(estate)->identity, ESTATE_OTHER_IDENTITY);
    cr_assert_neq(estate_vault(estate)->active_version, lost);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* A vault that waits for its identity and then has a failed update no longer heals by itself, and
 * nothing goes on looking at it (BV-T14). */
Test(encryption, a_failed_update_ends_the_healing)
{
    Estate *estate = settings_estate(NULL);
    (void)estate_must(estate, CMK_OP_IDENTITY_DETACH);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
    estate_run(estate, CMK_MINUTE_US);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE);
    settings_update(estate, settings_args(estate, ESTATE_KEY, ESTATE_IDENTITY));
    (void)estate_must(estate, CMK_OP_KEY_VAULT_UNTHROTTLE);
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    estate_rewind(estate);
    estate_run(estate, 5 * CMK_HOUR_US);
    expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "to be repeated by the user");
    cr_assert_eq(estate_count(estate, CMK_OP_ENCRYPTION_RESTORE), 0);
    estate_free(estate);
}

/* ---- the order of checks (9.4) --------------------------------------------------------------- */

typedef struct Check {
    const char *step;
    const char *guard;
    const char *code;
} Check;

/* In descending precedence: at each check everything from it on is wrong. The requests of steps 7,
 * 8 and 14 have the order of KVE-19, where a name that does not resolve comes before the region,
 * and the token before throttling. Step 3 is for new vaults, 5 for those without a key. */
enum {
    AT_1,
    AT_2,
    AT_4,
    AT_8_NAME,
    AT_7_REGION,
    AT_8_TOKEN,
    AT_7_THROTTLED,
    AT_8_GET,
    AT_8_KEY,
    AT_9,
    AT_10,
    AT_11,
    AT_12,
    AT_13,
    AT_14_REGION,
    AT_14_GET,
    AT_14_UNWRAP,
    AT_14_ENABLED,
    AT_15,
    CHECKS
};

static const Check checks[CHECKS] = {
    [AT_1] = {"1", "encryption-is-not-turned-off", "SimErrorCMKNotReversible"},
    [AT_2] = {"2", "key-or-identity-changes-alone", "SimErrorCMKKeyAndIdentityInOneRequest"},
    [AT_4] = {"4", "target-user-identity-is-attached",
              "UserErrorUserIdentityNotFoundOrNotAssociatedWithVault"},
    [AT_8_NAME] = {"8 name", "key-vault-exists", ERR_2},
    [AT_7_REGION] = {"7 region", "key-vault-is-reachable", ERR_12},
    [AT_8_TOKEN] = {"8 token", "caller-is-known", ERR_2},
    [AT_7_THROTTLED] = {"7 throttled", "key-vault-is-not-throttled", ERR_12},
    [AT_8_GET] = {"8 get", "role-lets-get", ERR_2},
    [AT_8_KEY] = {"8 key", "key-exists", ERR_2},
    [AT_9] = {"9", "key-is-rsa", ERR_1},
    [AT_10] = {"10", "soft-delete-is-on", ERR_3},
    [AT_11] = {"11", "purge-protection-is-on", ERR_4},
    [AT_12] = {"12", "target-version-is-usable", ERR_2},
    [AT_13] = {"13", "role-lets-unwrap", ERR_1},
    [AT_14_REGION] = {"14 region", "key-vault-is-reachable", ERR_2},
    [AT_14_GET] = {"14 get", "role-lets-get", ERR_2},
    [AT_14_UNWRAP] = {"14 unwrap", "role-lets-unwrap", ERR_1},
    [AT_14_ENABLED] = {"14 enabled", "version-is-enabled", ERR_2},
    [AT_15] = {"15", "ok", "OK"},
};

static void apply_to_spare(Estate *estate, CmkOpId op, int64_t number)
{
    CmkArgs args = estate_args(estate, op);
    args.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    args.ref[CMK_REF_KEY] =
        op == CMK_OP_ROLE_ASSIGN || op == CMK_OP_ROLE_REMOVE ? 0 : ESTATE_SPARE_KEY;
    args.ref[CMK_REF_VERSION] = 3;
    args.ref[CMK_REF_REGION] = cmk_region_find("italynorth").i;
    args.num[0] = number;
    (void)estate_must_apply(estate, args);
}

static void apply_to_own(Estate *estate, CmkOpId op, int64_t number)
{
    CmkArgs args = estate_args(estate, op);
    args.num[0] = number;
    (void)estate_must_apply(estate, args);
}

/* All that is wrong with the old key at check `from` and after it. */
static void make_old_key_wrong(Estate *estate, size_t from)
{
    if (from <= AT_14_ENABLED) {
        apply_to_own(estate, CMK_OP_KEY_UPDATE, CMK_SAYS_FALSE);
    }
    if (from <= AT_14_UNWRAP) {
        apply_to_own(estate, CMK_OP_ROLE_REMOVE, 0);
        if (from > AT_14_GET) {
            apply_to_own(estate, CMK_OP_ROLE_ASSIGN, cmk_role_find("Key Vault Reader"));
        }
    }
    if (from <= AT_14_REGION) {
        apply_to_own(estate, CMK_OP_REGION_LOSE, 0);
    }
}

/* All that is wrong at check `from` and after it. */
static Estate *make_wrong(size_t from)
{
    Estate *estate =
        settings_estate(&(EstateOptions){.spare_key_type = from <= AT_9 ? CMK_KEY_EC : CMK_KEY_RSA,
                                         .spare_has_no_soft_delete = from <= AT_10,
                                         .spare_has_no_purge_protection = from <= AT_11});
    make_old_key_wrong(estate, from);
    if (from <= AT_13) {
        apply_to_spare(estate, CMK_OP_ROLE_REMOVE, 0);
        if (from > AT_8_GET) {
            apply_to_spare(estate, CMK_OP_ROLE_ASSIGN, cmk_role_find("Key Vault Reader"));
        }
    }
    if (from <= AT_12) {
        apply_to_spare(estate, CMK_OP_KEY_UPDATE, CMK_SAYS_FALSE);
    }
    if (from <= AT_8_KEY) {
        apply_to_spare(estate, CMK_OP_KEY_DELETE, 0);
    }
    if (from <= AT_7_THROTTLED) {
        apply_to_spare(estate, CMK_OP_KEY_VAULT_THROTTLE, 0);
    }
    if (from <= AT_8_TOKEN) { /* the identity stays, its principal does not */
        (void)estate_must(estate, CMK_OP_SUBSCRIPTION_MOVE_TENANT);
    }
    if (from <= AT_8_NAME) {
        apply_to_spare(estate, CMK_OP_KEY_VAULT_DELETE, 0);
    }
    if (from <= AT_7_REGION) {
        apply_to_spare(estate, CMK_OP_REGION_LOSE, 0);
    }
    if (from <= AT_4) {
        (void)estate_must(estate, CMK_OP_IDENTITY_DETACH);
    }
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

Test(encryption, checks_come_in_the_order_of_section_9_4)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(checks); i++) {
        Estate *estate = make_wrong(i);
        CmkArgs args = settings_args(estate, ESTATE_SPARE_KEY,
                                     i <= AT_2 ? ESTATE_LOOSE_IDENTITY : ESTATE_IDENTITY);
        args.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
        args.num[0] = i <= AT_1 ? CMK_SAYS_FALSE : 0;
        const CmkOutcome outcome = estate_apply(estate, &args);
        estate_run(estate, CMK_MINUTE_US);
        if (outcome.status != CMK_STATUS_OK) {
            cr_assert_str_eq(estate_guard_name(estate, outcome.guard), checks[i].guard, "step %s",
                             checks[i].step);
            cr_assert_str_eq(estate->sim.model->statuses[outcome.status].code, checks[i].code,
                             "step %s", checks[i].step);
        } else if (strcmp(checks[i].guard, "ok") != 0) {
            settings_expect_failure(estate, checks[i].guard, checks[i].code, checks[i].step);
            cr_assert_eq(estate_vault(estate)->key, ESTATE_KEY);
        } else {
            cr_assert_eq(estate_vault(estate)->key, ESTATE_SPARE_KEY, "all is well");
        }
        estate_free(estate);
    }
}

/* Step 3 is for new vaults only. The rest is as with an update. */
Test(encryption, a_creation_is_checked_in_the_order_of_section_9_4)
{
    const Check steps[] = {
        {"3", "creation-identity-is-user-assigned", "SimErrorCMKSystemIdentityAtCreation"},
        {"4", "creation-identity-exists", "UserErrorUserIdentityNotFoundOrNotAssociatedWithVault"},
        {"8", "role-lets-get", ERR_2}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(steps); i++) {
        Estate *estate = settings_estate(NULL);
        apply_to_own(estate, CMK_OP_ROLE_REMOVE, 0);
        CmkArgs args = estate_args(estate, CMK_OP_BACKUP_VAULT_CREATE);
        args.ref[CMK_REF_BACKUP_VAULT] = ESTATE_ABSENT_VAULT;
        args.ref[CMK_REF_KEY] = ESTATE_KEY;
        args.ref[CMK_REF_IDENTITY] = i < 2 ? ESTATE_ABSENT_IDENTITY : ESTATE_IDENTITY;
        args.num[CMK_NUM_SYSTEM] = i < 1;
        const CmkOutcome outcome = estate_apply(estate, &args);
        estate_run(estate, CMK_MINUTE_US);
        if (outcome.status == CMK_STATUS_OK) {
            settings_expect_failure(estate, steps[i].guard, steps[i].code, steps[i].step);
        } else {
            cr_assert_str_eq(estate_guard_name(estate, outcome.guard), steps[i].guard);
            cr_assert_str_eq(estate->sim.model->statuses[outcome.status].code, steps[i].code);
        }
        const CmkBackupVaultId id = {ESTATE_ABSENT_VAULT};
        cr_assert_eq(cmk_backup_vault(estate->sim.world, id)->state, CMK_BACKUP_VAULT_ABSENT);
        estate_free(estate);
    }
}

/* OQ-12. */
Test(encryption, a_key_in_another_region_may_be_forbidden)
{
    for (int64_t knob = 0; knob <= 1; knob++) {
        EstateOptions options = {0};
        options.knobs[CMK_KNOB_REQUIRE_SAME_REGION] = knob + 1;
        Estate *estate = settings_estate(&options);
        CmkArgs args = settings_args(estate, ESTATE_SPARE_KEY, ESTATE_IDENTITY);
        cr_assert_eq(estate_apply(estate, &args).status,
                     knob == 0 ? CMK_STATUS_OK : CMK_STATUS_OF(REGION_MISMATCH));
        estate_free(estate);
    }
}

/* ---- what changes nothing -------------------------------------------------------------------- */

/* BV-33: the same settings again, on a vault that is as it should be. */
Test(encryption, the_same_settings_again_change_nothing)
{
    Estate *estate = settings_estate(NULL);
    estate_run(estate, CMK_DAY_US);
    CmkBackupVault before = *estate_vault(estate);
    estate_rewind(estate);
    settings_update(estate, estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION));
    cr_assert_eq(estate_count(estate, CMK_OP_ENCRYPTION_COMMIT), 1);
    before.encryption_by = estate_vault(estate)->encryption_by;
    before.healing_epoch = estate_vault(estate)->healing_epoch;
    cr_assert_eq(memcmp(&before, estate_vault(estate), sizeof(before)), 0);
    estate_free(estate);
}

/* BV-32: whatever becomes of rights and key, jobs fail and the settings say Enabled. */
Test(encryption, jobs_fail_while_the_settings_say_enabled)
{
    const struct {
        const char *name;
        CmkOpId op;
        uint32_t slot;
        int64_t number;
        const char *code;
    } cases[] = {
        {"no rights", CMK_OP_ROLE_REMOVE, 0, 0, ERR_1},
        {"disabled", CMK_OP_KEY_UPDATE, 0, CMK_SAYS_FALSE, ERR_2},
        {"expired", CMK_OP_KEY_UPDATE, 1, ESTATE_START, ERR_2},
        {"not yet valid", CMK_OP_KEY_UPDATE, 2, ESTATE_START + 9 * CMK_DAY_US, ERR_2},
        {"deleted", CMK_OP_KEY_DELETE, 0, 0, ERR_2},
        {"its key vault deleted", CMK_OP_KEY_VAULT_DELETE, 0, 0, ERR_2},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = settings_estate(NULL);
        const uint64_t before = estate_vault(estate)->encryption_by;
        CmkArgs args = estate_args(estate, cases[i].op);
        args.num[cases[i].slot] = cases[i].number;
        (void)estate_must_apply(estate, args);
        estate_run(estate, 2 * CMK_DAY_US);
        cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 0, "%s", cases[i].name);
        cr_assert_eq(estate_count(estate, CMK_OP_TASK_FAIL), 2, "%s", cases[i].name);
        const CmkStatus status = (CmkStatus)estate_last(estate, CMK_OP_TASK_FAIL)->args.num[0];
        cr_assert_str_eq(estate->sim.model->statuses[status].code, cases[i].code, "%s",
                         cases[i].name);
        expect_state(estate, CMK_ENCRYPTION_ENABLED, cases[i].name);
        cr_assert_eq(estate_vault(estate)->encryption_by, before, "%s", cases[i].name);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* ---- the old key (BV-37, ERR-18, OQ-27) ------------------------------------------------------ */

/* BV-37: a change to a key in another key vault needs the old one, which lies elsewhere. What fails
 * there is told apart from the same trouble with the new one. */
Test(encryption, a_change_to_another_key_vault_needs_the_old_key)
{
    const struct {
        const char *name;
        CmkOpId op;
        int64_t number;
        const char *guard;
        CmkStatus status;
        CmkEncryption state;
    } cases[] = {
        {"no rights", CMK_OP_ROLE_REMOVE, 0, "role-lets-get",
         CMK_STATUS_OF(AUTH_FAILURE_ON_CURRENT_KEY), CMK_ENCRYPTION_ENABLED},
        {"deleted", CMK_OP_KEY_DELETE, 0, "key-exists", CMK_STATUS_OF(AUTH_FAILURE_ON_CURRENT_KEY),
         CMK_ENCRYPTION_ENABLED},
        {"disabled", CMK_OP_KEY_UPDATE, CMK_SAYS_FALSE, "version-is-enabled",
         CMK_STATUS_OF(AUTH_FAILURE_ON_CURRENT_KEY), CMK_ENCRYPTION_ENABLED},
        /* OQ-13: step 14 is no internal error, however passing its cause is. */
        {"outage", CMK_OP_REGION_LOSE, 0, "key-vault-is-reachable",
         CMK_STATUS_OF(AUTH_FAILURE_ON_CURRENT_KEY), CMK_ENCRYPTION_ENABLED},
        {"throttled", CMK_OP_KEY_VAULT_THROTTLE, 0, "key-vault-is-not-throttled",
         CMK_STATUS_OF(AUTH_FAILURE_ON_CURRENT_KEY), CMK_ENCRYPTION_ENABLED},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = settings_estate(NULL);
        CmkArgs trouble = estate_args(estate, cases[i].op);
        trouble.num[0] = cases[i].number;
        (void)estate_must_apply(estate, trouble);
        CmkArgs args = settings_args(estate, ESTATE_SPARE_KEY, ESTATE_IDENTITY);
        args.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
        settings_update(estate, args);
        const CmkRecord *failed = estate_last(estate, CMK_OP_TASK_FAIL);
        cr_assert_eq(failed->args.num[0], cases[i].status, "%s: %s", cases[i].name,
                     estate_status_name(estate, (CmkStatus)failed->args.num[0]));
        settings_expect_failure(estate, cases[i].guard,
                                estate->sim.model->statuses[cases[i].status].code, cases[i].name);
        cr_assert_eq(estate_vault(estate)->key, ESTATE_KEY, "%s", cases[i].name);
        expect_state(estate, cases[i].state, cases[i].name);
        estate_free(estate);
    }
}

/* The identity may read the old key but not open it: the other code of ERR-18. */
Test(encryption, a_change_of_the_key_must_open_the_old_one)
{
    Estate *estate = settings_estate(&(EstateOptions){.uses_policies = true});
    CmkArgs set = estate_args(estate, CMK_OP_ACCESS_POLICY_SET);
    set.num[0] = CMK_PERMISSION_GET | CMK_PERMISSION_WRAP;
    (void)estate_must_apply(estate, set);
    CmkArgs args = settings_args(estate, ESTATE_SPARE_KEY, ESTATE_IDENTITY);
    args.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    settings_update(estate, args);
    cr_assert_eq(estate_last(estate, CMK_OP_TASK_FAIL)->args.num[0],
                 CMK_STATUS_OF(MISSING_PERMISSION_ON_CURRENT_KEY));
    estate_free(estate);
}

/* OQ-27, step 15: interrupted after the new key was found good, nothing of the change stays, the
 * settings are Inconsistent and jobs go on with the old key. */
Test(encryption, an_interrupted_rewrap_counts_for_nothing)
{
    Estate *estate = settings_estate(NULL);
    const uint32_t version = estate_vault(estate)->active_version;
    (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE); /* that of the old key */
    CmkArgs args = settings_args(estate, ESTATE_SPARE_KEY, ESTATE_IDENTITY);
    args.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    estate_rewind(estate);
    (void)estate_must_apply(estate, args);
    estate_run(estate, 10 * CMK_SECOND_US);
    cr_assert_eq(estate_last(estate, CMK_OP_KEY_WRAP)->status, CMK_STATUS_OK, "the new key");
    cr_assert_eq(estate_vault(estate)->provisioning, CMK_PROVISIONING_UPDATING);
    CmkArgs late = estate_args(estate, CMK_OP_KEY_VAULT_THROTTLE);
    late.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    (void)estate_must_apply(estate, late);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_UNTHROTTLE);
    estate_run(estate, CMK_MINUTE_US * 2);
    const CmkRecord *unwrap = estate_last(estate, CMK_OP_KEY_UNWRAP);
    cr_assert_eq(unwrap->args.ref[CMK_REF_KEY], ESTATE_KEY, "the old wrapping was opened");
    cr_assert_eq(unwrap->status, CMK_STATUS_OK);
    cr_assert_eq(estate_last(estate, CMK_OP_KEY_WRAP)->status, CMK_STATUS_OF(THROTTLED));
    settings_expect_failure(estate, "key-vault-is-not-throttled", ERR_12, "step 15");
    expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "OQ-27");
    cr_assert_eq(estate_vault(estate)->provisioning, CMK_PROVISIONING_FAILED);
    cr_assert_eq(estate_vault(estate)->key, ESTATE_KEY);
    cr_assert_eq(estate_vault(estate)->active_version, version);
    estate_rewind(estate);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1, "jobs go on");
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* OQ-27, the other way: once a part of the data keys is re-wrapped jobs are refused, until the
 * update goes through. Before that part there is nothing to repeat. */
Test(encryption, an_interrupted_rewrap_may_stop_jobs)
{
    for (int has_rewrapped = 0; has_rewrapped <= 1; has_rewrapped++) {
        EstateOptions options = {0};
        options.knobs[CMK_KNOB_INTERRUPTED_REWRAP_STOPS_JOBS] = 1 + 1;
        Estate *estate = settings_estate(&options);
        estate_run(estate, CMK_DAY_US);
        (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE); /* step 14 waits */
        CmkArgs args = settings_args(estate, ESTATE_SPARE_KEY, ESTATE_IDENTITY);
        args.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
        estate_rewind(estate);
        (void)estate_must_apply(estate, args);
        estate_run(estate, 10 * CMK_SECOND_US);
        if (has_rewrapped != 0) {
            (void)estate_must(estate, CMK_OP_SERVICE_FAIL); /* the commit fails */
        } else {
            apply_to_spare(estate, CMK_OP_KEY_VAULT_THROTTLE, 0); /* the wrap fails */
        }
        (void)estate_must(estate, CMK_OP_KEY_VAULT_UNTHROTTLE);
        estate_run(estate, CMK_MINUTE_US);
        expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "OQ-27");
        cr_assert_eq(estate_vault(estate)->key, ESTATE_KEY);
        const uint64_t failure = estate_last(estate, CMK_OP_TASK_FAIL)->seq;
        if (has_rewrapped != 0) {
            (void)estate_must(estate, CMK_OP_SERVICE_RECOVER);
        } else {
            apply_to_spare(estate, CMK_OP_KEY_VAULT_UNTHROTTLE, 0);
        }
        estate_rewind(estate);
        (void)estate_must(estate, CMK_OP_BACKUP_RESTORE);
        estate_run(estate, CMK_DAY_US);
        const uint32_t wanted = has_rewrapped == 0;
        cr_assert_eq(estate_count(estate, CMK_OP_RESTORE_COMMIT), wanted);
        cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), wanted);
        if (has_rewrapped != 0) {
            settings_expect_failure(estate, "data-keys-are-rewrapped-wholly", ERR_2, "OQ-27");
            cr_assert_eq(estate_last(estate, CMK_OP_BACKUP_ACCEPT_KEY)->blame_seq, failure);
        }
        settings_update(estate, args);
        cr_assert_eq(estate_vault(estate)->key, ESTATE_SPARE_KEY);
        estate_rewind(estate);
        estate_run(estate, CMK_DAY_US);
        cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1, "jobs go on");
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* Step 15 too: what passed its check in step 14 and is out of reach when the data keys of points
 * are re-wrapped is a passing trouble in the midst of the work (OQ-13), and not a key of no use. */
Test(encryption, an_old_key_lost_while_points_are_rewrapped_breaks_the_settings)
{
    EstateOptions options = {0};
    options.knobs[CMK_KNOB_DEK_PER_POINT] = 1 + 1;
    Estate *estate = settings_estate(&options);
    estate_run(estate, CMK_DAY_US);
    CmkArgs args = settings_args(estate, ESTATE_SPARE_KEY, ESTATE_IDENTITY);
    args.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    estate_rewind(estate);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE); /* step 14 waits */
    (void)estate_must_apply(estate, args);
    estate_run(estate, 10 * CMK_SECOND_US);
    apply_to_spare(estate, CMK_OP_KEY_VAULT_THROTTLE, 0); /* the wrap of step 15 waits */
    (void)estate_must(estate, CMK_OP_KEY_VAULT_UNTHROTTLE);
    estate_run(estate, 10 * CMK_SECOND_US);
    cr_assert_eq(estate_last(estate, CMK_OP_KEY_WRAP)->status, CMK_STATUS_OF(THROTTLED));
    (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE); /* the data keys of points wait */
    apply_to_spare(estate, CMK_OP_KEY_VAULT_UNTHROTTLE, 0);
    estate_run(estate, CMK_MINUTE_US);
    const CmkRecord *unwrap = estate_last(estate, CMK_OP_KEY_UNWRAP);
    cr_assert_eq(unwrap->args.ref[CMK_REF_KEY], ESTATE_KEY);
    cr_assert_neq(unwrap->args.ref[CMK_REF_POINT], 0);
    settings_expect_failure(estate, "key-vault-is-not-throttled", ERR_12, "OQ-13");
    expect_state(estate, CMK_ENCRYPTION_INCONSISTENT, "OQ-27");
    cr_assert_eq(estate_vault(estate)->key, ESTATE_KEY);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* OQ-27: the point whose data key is the next to be re-wrapped may go while the update waits; those
 * before it have been all the same. */
Test(encryption, a_rewrap_is_half_done_though_the_point_it_was_at_is_gone)
{
    EstateOptions options = {0};
    options.knobs[CMK_KNOB_DEK_PER_POINT] = 1 + 1;
    options.knobs[CMK_KNOB_INTERRUPTED_REWRAP_STOPS_JOBS] = 1 + 1;
    Estate *estate = settings_estate(&options);
    estate_run(estate, CMK_DAY_US);
    CmkArgs args = settings_args(estate, ESTATE_SPARE_KEY, ESTATE_IDENTITY);
    args.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE); /* step 14 waits */
    (void)estate_must_apply(estate, args);
    estate_run(estate, 10 * CMK_SECOND_US);
    apply_to_spare(estate, CMK_OP_KEY_VAULT_THROTTLE, 0); /* the wrap of step 15 waits */
    (void)estate_must(estate, CMK_OP_KEY_VAULT_UNTHROTTLE);
    estate_run(estate, 10 * CMK_SECOND_US);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE); /* the data key of the point waits */
    apply_to_spare(estate, CMK_OP_KEY_VAULT_UNTHROTTLE, 0);
    estate_run(estate, 10 * CMK_SECOND_US);
    CmkArgs expire = estate_args(estate, CMK_OP_POINT_EXPIRE);
    expire.ref[CMK_REF_POINT] = estate_last(estate, CMK_OP_KEY_UNWRAP)->args.ref[CMK_REF_POINT];
    cr_assert_neq(expire.ref[CMK_REF_POINT], 0);
    (void)estate_must_apply(estate, expire);
    estate_run(estate, CMK_MINUTE_US);
    settings_expect_failure(estate, "key-vault-is-not-throttled", ERR_12, "OQ-13");
    cr_assert_neq(estate_vault(estate)->is_half_rewrapped, 0);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}
