/* Multi-step work: steps that are refused for a passing reason and tried again, refused for good,
 * refused late; and which code each refusal leads to (design: one request, one operation). */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "models/error_map.h"
#include "tests/unit/models/estate.h"

static Estate *make(const EstateOptions *options)
{
    Estate *estate = estate_new(options);
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

/* Seconds since `from` of each record of `op`, written "1 3 7". */
static const char *times_of(const Estate *estate, CmkOpId op, CmkTime from, char *buf, size_t size)
{
    size_t length = 0;
    buf[0] = '\0';
    const CmkRecord *record = NULL;
    for (uint32_t i = 0; (record = estate_nth(estate, op, i)) != NULL && length + 24 < size; i++) {
        length += (size_t)snprintf(buf + length, size - length, "%s%" PRId64, i == 0 ? "" : " ",
                                   (record->time - from) / CMK_SECOND_US);
    }
    return buf;
}

static void expect_failure(const Estate *estate, const char *code, const char *what)
{
    const CmkRecord *record = estate_last(estate, CMK_OP_TASK_FAIL);
    cr_assert_not_null(record, "%s: no job failed", what);
    const char *got = estate->sim.model->statuses[record->args.num[0]].code;
    cr_assert_str_eq(got, code, "%s: %s instead of %s", what, got, code);
}

/* THR-6, OQ-25: tried again after 1, 2, 4 s, so at seconds 1, 3 and 7; the throttle ends at 5. */
Test(task, a_throttled_settings_update_is_tried_again_until_it_succeeds)
{
    char buf[200];
    Estate *estate = make(NULL);
    estate_run(estate, CMK_MINUTE_US);
    const CmkTime start = cmk_world_now(estate->sim.world);
    estate_rewind(estate);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE);
    CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    update.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
    (void)estate_must_apply(estate, update);
    estate_run(estate, 5 * CMK_SECOND_US);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_UNTHROTTLE);
    estate_run(estate, CMK_MINUTE_US);

    cr_assert_str_eq(times_of(estate, CMK_OP_TASK_RETRY, start, buf, sizeof(buf)), "0 1 3");
    const CmkRecord *retry = NULL;
    for (uint32_t i = 0; (retry = estate_nth(estate, CMK_OP_TASK_RETRY, i)) != NULL; i++) {
        cr_assert_eq(retry->args.num[1] - retry->time, CMK_SECOND_US << i);
        cr_assert_eq(retry->args.num[2], (int64_t)i + 1);
        const CmkRecord *refused = estate_nth(estate, CMK_OP_KEY_GET, i);
        cr_assert_eq(retry->args.cause_seq, refused->seq);
        cr_assert_eq(refused->guard, CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED);
        cr_assert_eq(refused->blame_seq, estate_last(estate, CMK_OP_KEY_VAULT_THROTTLE)->seq);
    }
    /* Four reads of the new key, three of them refused, then one of the old key (BV-37). */
    cr_assert_str_eq(times_of(estate, CMK_OP_KEY_GET, start, buf, sizeof(buf)), "0 1 3 7 7");
    cr_assert_str_eq(times_of(estate, CMK_OP_ENCRYPTION_COMMIT, start, buf, sizeof(buf)), "7");
    cr_assert_eq(estate_count(estate, CMK_OP_TASK_FAIL), 0);
    cr_assert_eq(estate_vault(estate)->key, ESTATE_OTHER_KEY);
    cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED);
    estate_free(estate);
}

/* OQ-25, ERR-12, BV-27, BV-T14 from Enabled and from Disabled; BV-T15. */
Test(task, a_longer_throttle_makes_the_vault_inconsistent_and_a_repeat_repairs_it)
{
    for (int from_disabled = 0; from_disabled <= 1; from_disabled++) {
        char buf[200];
        Estate *estate = make(&(EstateOptions){.has_no_cmk = from_disabled != 0});
        const CmkTime start = cmk_world_now(estate->sim.world);
        const uint32_t key_before = estate_vault(estate)->key;
        estate_rewind(estate);
        (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE);
        CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        update.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
        (void)estate_must_apply(estate, update);
        estate_run(estate, CMK_HOUR_US);
        cr_assert_str_eq(times_of(estate, CMK_OP_KEY_GET, start, buf, sizeof(buf)),
                         "0 1 3 7 15 31");
        cr_assert_eq(estate_count(estate, CMK_OP_TASK_RETRY), 5);
        expect_failure(estate, "CloudServiceRetryableError", "throttled for long");
        cr_assert_eq(estate_last(estate, CMK_OP_TASK_FAIL)->time, start + 31 * CMK_SECOND_US);
        cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_INCONSISTENT);
        cr_assert_eq(estate_vault(estate)->key, key_before, "the old settings stay (OQ-27)");
        cr_assert_eq(estate_vault(estate)->encryption_by,
                     estate_last(estate, CMK_OP_TASK_FAIL)->seq);

        (void)estate_must(estate, CMK_OP_KEY_VAULT_UNTHROTTLE);
        estate_run(estate, 3 * CMK_HOUR_US); /* it does not heal by itself; jobs go on meanwhile */
        cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_INCONSISTENT);
        cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
        (void)estate_must_apply(estate, update);
        estate_run(estate, CMK_MINUTE_US);
        cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED);
        cr_assert_eq(estate_vault(estate)->key, ESTATE_OTHER_KEY);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* BV-27, OQ-13: an internal error in the middle of an update breaks the settings if it lasts longer
 * than the retries; at the commit too, where the key vault has already said yes. */
Test(task, an_internal_error_breaks_the_settings_unless_it_is_short)
{
    for (int at_commit = 0; at_commit <= 1; at_commit++) {
        for (int is_short = 0; is_short <= 1; is_short++) {
            Estate *estate = make(NULL);
            /* A throttled spell lets the error begin between the two looks of Backup itself. */
            CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
            update.ref[CMK_REF_KEY] = at_commit ? ESTATE_SPARE_KEY : ESTATE_OTHER_KEY;
            update.ref[CMK_REF_KEY_VAULT] = at_commit ? ESTATE_SPARE_KV : ESTATE_KV;
            if (at_commit != 0)
                (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE);
            else
                (void)estate_must(estate, CMK_OP_SERVICE_FAIL);
            estate_rewind(estate);
            (void)estate_must_apply(estate, update);
            estate_run(estate, CMK_SECOND_US / 2);
            if (at_commit != 0) {
                (void)estate_must(estate, CMK_OP_SERVICE_FAIL);
                (void)estate_must(estate, CMK_OP_KEY_VAULT_UNTHROTTLE);
            }
            if (is_short != 0) {
                estate_run(estate, 10 * CMK_SECOND_US);
                (void)estate_must(estate, CMK_OP_SERVICE_RECOVER);
            }
            estate_run(estate, CMK_HOUR_US);
            const CmkOpId met = at_commit ? CMK_OP_ENCRYPTION_COMMIT : CMK_OP_ENCRYPTION_VALIDATE;
            cr_assert_eq(estate_nth(estate, met, 0)->status, CMK_STATUS_OF(SERVICE_FAILS));
            cr_assert_eq(estate_count(estate, CMK_OP_TASK_FAIL), (uint32_t)!is_short);
            cr_assert_eq(estate_vault(estate)->encryption,
                         is_short ? CMK_ENCRYPTION_ENABLED : CMK_ENCRYPTION_INCONSISTENT);
            if (is_short == 0) {
                expect_failure(estate, "CloudServiceRetryableError", "it fails for long");
                (void)estate_must(estate, CMK_OP_SERVICE_RECOVER);
                (void)estate_must_apply(estate, update);
                estate_run(estate, CMK_MINUTE_US);
            }
            cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED);
            cr_assert_eq(estate_vault(estate)->key, update.ref[CMK_REF_KEY]);
            cr_assert_str_eq(estate->trouble, "");
            estate_free(estate);
        }
    }
}

/* Attempts are counted for each step: after three at one key vault there are five at the other. */
Test(task, each_step_has_its_own_attempts)
{
    char buf[200];
    Estate *estate = make(NULL);
    const CmkTime start = cmk_world_now(estate->sim.world);
    CmkArgs args = estate_args(estate, CMK_OP_KEY_VAULT_THROTTLE);
    (void)estate_must_apply(estate, args);
    args.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    (void)estate_must_apply(estate, args);
    CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    update.ref[CMK_REF_KEY] = ESTATE_SPARE_KEY;
    (void)estate_must_apply(estate, update);
    estate_run(estate, 5 * CMK_SECOND_US);
    args.op = CMK_OP_KEY_VAULT_UNTHROTTLE;
    (void)estate_must_apply(estate, args);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_str_eq(times_of(estate, CMK_OP_TASK_RETRY, start, buf, sizeof(buf)),
                     "0 1 3 7 8 10 14 22");
    cr_assert_eq(estate_last(estate, CMK_OP_TASK_FAIL)->time, start + 38 * CMK_SECOND_US);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* The knob decides how often; at 0 the first refusal is the last. */
Test(task, the_number_of_retries_is_a_knob)
{
    for (int64_t retries = 0; retries <= 7; retries++) {
        EstateOptions options = {0};
        options.knobs[CMK_KNOB_RETRIES] = retries + 1;
        Estate *estate = make(&options);
        const CmkTime start = cmk_world_now(estate->sim.world);
        (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE);
        (void)estate_must(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        estate_run(estate, CMK_HOUR_US);
        cr_assert_eq(estate_count(estate, CMK_OP_TASK_RETRY), retries);
        cr_assert_eq(estate_last(estate, CMK_OP_TASK_FAIL)->time - start,
                     ((1 << retries) - 1) * CMK_SECOND_US, "%" PRId64 " retries", retries);
        estate_free(estate);
    }
}

/* BK-18: a job that had to try a step again ends well, but with warnings; one that did not, or one
 * that fails, without. */
Test(task, a_job_that_was_tried_again_completes_with_warnings)
{
    for (int warns = 0; warns <= 1; warns++) {
        EstateOptions options = {0};
        options.knobs[CMK_KNOB_RETRIED_JOBS_WARN] = warns + 1;
        Estate *estate = make(&options);
        estate_run(estate, CMK_DAY_US);
        const uint32_t untroubled =
            estate_last(estate, CMK_OP_BACKUP_COMMIT)->args.ref[CMK_REF_TASK];
        cr_assert_eq(cmk_task(estate->sim.world, (CmkTaskId){untroubled})->state,
                     CMK_TASK_COMPLETED);
        (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE);
        (void)estate_must(estate, CMK_OP_BACKUP_RUN);
        estate_run(estate, 2 * CMK_SECOND_US);
        (void)estate_must(estate, CMK_OP_KEY_VAULT_UNTHROTTLE);
        estate_run(estate, CMK_HOUR_US);
        cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 2);
        const uint32_t retried = estate_last(estate, CMK_OP_BACKUP_COMMIT)->args.ref[CMK_REF_TASK];
        cr_assert_eq(cmk_task(estate->sim.world, (CmkTaskId){retried})->state,
                     warns ? CMK_TASK_COMPLETED_WITH_WARNINGS : CMK_TASK_COMPLETED);
        estate_free(estate);
    }
}

/* OQ-24: at its start the job may use the key, at its commit the role is gone. */
Test(task, a_backup_refused_at_its_commit_leaves_no_point_and_names_the_culprit)
{
    Estate *estate = make(NULL);
    estate_run(estate, 2 * CMK_HOUR_US + 10 * CMK_MINUTE_US);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_START), 1);
    cr_assert_eq(estate_last(estate, CMK_OP_KEY_UNWRAP)->status, CMK_STATUS_OK);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    const uint64_t culprit = estate_last(estate, CMK_OP_ROLE_REMOVE)->seq;
    estate_run(estate, CMK_HOUR_US);

    const CmkRecord *refused = estate_last(estate, CMK_OP_KEY_GET);
    cr_assert_eq(refused->time, ESTATE_START + 150 * CMK_MINUTE_US);
    cr_assert_eq(refused->guard, CMK_GUARD_ROLE_LETS_GET);
    cr_assert_str_eq(estate->sim.model->statuses[refused->status].inner, "ForbiddenByRbac");
    cr_assert_eq(refused->blame_seq, culprit);
    const CmkRecord *failed = estate_last(estate, CMK_OP_TASK_FAIL);
    cr_assert_eq(failed->args.cause_seq, refused->seq);
    cr_assert_eq(failed->args.num[1], (int64_t)refused->seq);
    expect_failure(estate, "UserErrorCMKMissingMangedIdentityPermissionOnKeyVault", "commit");
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 0);
    cr_assert_eq(cmk_world_count(estate->sim.world, CMK_TABLE_POINT), 0);
    cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED); /* BV-32, OQ-3 */

    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    estate_run(estate, CMK_DAY_US); /* OQ-25: at the next schedule, not before */
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_START), 2);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
    cr_assert_eq(estate_last(estate, CMK_OP_BACKUP_COMMIT)->time,
                 ESTATE_START + CMK_DAY_US + 150 * CMK_MINUTE_US);
    estate_free(estate);
}

/* BK-36, BV-17: snapshots and vaults with platform-managed keys ask for nothing. */
Test(task, only_jobs_under_a_customer_managed_key_touch_it)
{
    const struct {
        const char *name;
        EstateOptions options;
        uint32_t requests; /* of one day */
        uint32_t points;
    } cases[] = {
        {"vault tier", {0}, 4, 1},
        {"vault tier and snapshots",
         {.has_operational = true, .datasource = "AzureKubernetesService"},
         4,
         2},
        {"platform-managed key", {.has_no_cmk = true}, 0, 1},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make(&cases[i].options);
        estate_rewind(estate);
        estate_run(estate, 5 * CMK_HOUR_US);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_GET) + estate_count(estate, CMK_OP_KEY_UNWRAP),
                     cases[i].requests, "%s", cases[i].name);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_WRAP), 0, "%s", cases[i].name);
        cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), cases[i].points, "%s",
                     cases[i].name);
        estate_free(estate);
    }
}

/* BK-20, BK-21: what people see of each kind of job. */
Test(task, background_work_is_seen_by_nobody)
{
    const struct {
        CmkTaskKind kind;
        const char *name;
        bool is_seen;
    } kinds[] = {{CMK_TASK_BACKUP, "backup", true},
                 {CMK_TASK_RESTORE, "restore", true},
                 {CMK_TASK_TIERING, "tiering", false},
                 {CMK_TASK_EXPIRY, "expiry", false},
                 {CMK_TASK_SETTINGS, "settings", true},
                 {CMK_TASK_ROTATION, "rotation", false},
                 {CMK_TASK_BACKUP_ON_DEMAND, "on_demand", true},
                 {CMK_TASK_DELETION, "deletion", true}};
    cr_assert_eq(CMK_ARRAY_LEN(kinds), (size_t)CMK_TASK__COUNT);
    for (size_t i = 0; i < CMK_ARRAY_LEN(kinds); i++) {
        cr_assert_str_eq(cmk_task_facts(kinds[i].kind)->name, kinds[i].name);
        cr_assert_eq(cmk_task_facts(kinds[i].kind)->is_seen, kinds[i].is_seen, "%s", kinds[i].name);
    }
}

/* ---- the matrix ERR-M, copied from section 11.2 ---------------------------------------------- */

#define ERR_1 "UserErrorCMKMissingMangedIdentityPermissionOnKeyVault"
#define ERR_2 "UserErrorCMKKeyVaultAuthFailure"
#define ERR_5 "UserErrorSystemIdentityNotEnabledWithVault"
#define ERR_6 "UserErrorUserIdentityNotFoundOrNotAssociatedWithVault"
#define ERR_12 "CloudServiceRetryableError"
#define SECRET_RIGHTS "UserErrorMissingPermissionsOnSecretStore"

static const struct {
    const char *rule;
    const char *guard;
    const char *settings;
    const char *job;
} matrix[] = {
    {"ERR-M1", "system-identity-is-on", ERR_5, ERR_1},
    {"ERR-M2", "user-identity-is-attached", ERR_6, ERR_1},
    {"ERR-M3", "role-lets-get", ERR_2, ERR_1},
    {"ERR-M3", "policy-lets-get", ERR_2, ERR_1},
    {"ERR-M4", "role-lets-wrap", ERR_1, ERR_1},
    {"ERR-M4", "policy-lets-wrap", ERR_1, ERR_1},
    {"ERR-M4", "role-lets-unwrap", ERR_1, ERR_1},
    {"ERR-M4", "policy-lets-unwrap", ERR_1, ERR_1},
    {"ERR-M4", "key-ops-include-this", ERR_1, ERR_1},
    {"ERR-M8", "key-type-can-do-this", ERR_1, ERR_1},
    {"ERR-M3", "local-role-lets-get", ERR_2, ERR_1},
    {"ERR-M4", "local-role-lets-wrap", ERR_1, ERR_1},
    {"ERR-M4", "local-role-lets-unwrap", ERR_1, ERR_1},
    {"ERR-M5", "managed-hsm-exists", ERR_2, ERR_2},
    {"ERR-M5", "managed-hsm-is-activated", ERR_2, ERR_2},
    {"ERR-M5", "key-vault-exists", ERR_2, ERR_2},
    {"ERR-M6", "key-is-not-being-deleted", ERR_2, ERR_2},
    {"ERR-M6", "key-is-not-being-recovered", ERR_2, ERR_2},
    {"ERR-M6", "key-exists", ERR_2, ERR_2},
    {"ERR-M6", "version-exists", ERR_2, ERR_2},
    {"ERR-M7", "connection-lets-backup-in", ERR_2, ERR_2},
    {"ERR-M7", "firewall-lets-backup-in", ERR_2, ERR_2},
    {"ERR-M9", "version-is-enabled", ERR_2, ERR_2},
    {"ERR-M9", "old-version-is-enabled", ERR_2, ERR_2},
    {"ERR-M9", "version-is-enabled-for-public-ops", ERR_2, ERR_2},
    {"ERR-M10", "version-has-not-expired", ERR_2, ERR_2},
    {"ERR-M10", "version-is-yet-valid", ERR_2, ERR_2},
    {"ERR-M10", "backup-finds-it-not-expired", ERR_2, ERR_2},
    {"ERR-M10", "backup-finds-it-yet-valid", ERR_2, ERR_2},
    {"ERR-M12", "key-vault-is-reachable", ERR_12, ERR_12},
    {"ERR-M12", "key-vault-is-not-throttled", ERR_12, ERR_12},
    {"ERR-M12", "managed-hsm-is-reachable", ERR_12, ERR_12},
    {"ERR-M12", "managed-hsm-has-capacity", ERR_12, ERR_12},
    {"ERR-M12", "backup-vault-is-reachable", ERR_12, ERR_12},
    {"ERR-M12", "backup-service-works", ERR_12, ERR_12},
    {"ERR-M13", "caller-is-known", ERR_2, ERR_1},
    {"OQ-27", "data-keys-are-rewrapped-wholly", ERR_2, ERR_2},
    {"BK-18", "instance-is-kept", "SimErrorJobCancelled", "SimErrorJobCancelled"},
    {"SEC-1", "role-lets-read-secret", SECRET_RIGHTS, SECRET_RIGHTS},
    {"SEC-1", "policy-lets-read-secret", SECRET_RIGHTS, SECRET_RIGHTS},
    {"SEC-1", "secret-exists", "UserErrorInvalidSecret", "UserErrorInvalidSecret"},
    {"SEC-2", "secret-is-enabled", "UserErrorInvalidSecret", "UserErrorInvalidSecret"},
};

Test(task, the_error_matrix_is_that_of_the_rules)
{
    const CmkModel *model = cmk_azure_model();
    uint32_t count = 0;
    const CmkErrorRow *rows = cmk_error_rows(&count);
    cr_assert_eq(count, CMK_ARRAY_LEN(matrix));
    for (uint32_t i = 0; i < count; i++) {
        const char *guard = model->guards[rows[i].guard]->name;
        size_t k = 0;
        while (k < CMK_ARRAY_LEN(matrix) && strcmp(matrix[k].guard, guard) != 0) {
            k++;
        }
        cr_assert_lt(k, CMK_ARRAY_LEN(matrix), "%s is not in the matrix", guard);
        cr_assert_str_eq(rows[i].rule, matrix[k].rule, "%s", guard);
        cr_assert_str_eq(model->statuses[rows[i].settings].code, matrix[k].settings, "%s", guard);
        cr_assert_str_eq(model->statuses[rows[i].job].code, matrix[k].job, "%s", guard);
        cr_assert_eq(rows[i].is_transient, strcmp(matrix[k].rule, "ERR-M12") == 0, "%s", guard);
        cr_assert_eq(cmk_error_find(rows[i].guard), &rows[i], "%s has two rows", guard);
    }
    /* Each guard of a key request has its row, or a refusal would end as a code of Key Vault. */
    const CmkOpId requests[] = {CMK_OP_KEY_GET, CMK_OP_KEY_WRAP, CMK_OP_KEY_UNWRAP};
    for (size_t i = 0; i < CMK_ARRAY_LEN(requests); i++) {
        const CmkOperation *operation = model->operations[requests[i]];
        for (uint32_t k = 0; operation->guards[k] != CMK_GUARD_NONE; k++) {
            cr_assert_not_null(cmk_error_find(operation->guards[k]), "%s",
                               model->guards[operation->guards[k]]->name);
        }
    }
}

/* ---- ends of jobs (each cell of the matrix by what really happens: test_error_matrix.c) ---------
 */

/* ERR-M13 and M4 with roles need two steps: a new principal without and with rights; a reader. */
Test(task, a_new_principal_and_a_mere_reader_have_their_codes)
{
    Estate *estate = make(&(EstateOptions){.uses_system = true});
    (void)estate_must(estate, CMK_OP_SYSTEM_IDENTITY_DISABLE);
    (void)estate_must(estate, CMK_OP_SYSTEM_IDENTITY_ENABLE);
    estate_run(estate, 3 * CMK_HOUR_US);
    cr_assert_eq(estate_last(estate, CMK_OP_KEY_GET)->guard, CMK_GUARD_CALLER_IS_KNOWN);
    expect_failure(estate, ERR_1, "ERR-M13");
    estate_free(estate);

    estate = make(NULL);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    CmkArgs args = estate_args(estate, CMK_OP_ROLE_ASSIGN);
    args.num[0] = cmk_role_find("Key Vault Reader");
    (void)estate_must_apply(estate, args);
    estate_run(estate, 3 * CMK_HOUR_US);
    cr_assert_eq(estate_last(estate, CMK_OP_KEY_GET)->status, CMK_STATUS_OK);
    cr_assert_eq(estate_last(estate, CMK_OP_KEY_UNWRAP)->guard, CMK_GUARD_ROLE_LETS_UNWRAP);
    expect_failure(estate, ERR_1, "ERR-M4, OQ-8");
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    estate_run(estate, CMK_MINUTE_US);
    cr_assert_eq(estate_last(estate, CMK_OP_KEY_WRAP)->status, CMK_STATUS_OK, "AC-16");
    expect_failure(estate, ERR_1, "ERR-M4, settings");
    estate_free(estate);
}

/* BK-20, ERR-M: expiry fails like any job, in the dark, and is tried again every day (BK-22). */
Test(task, background_work_fails_silently_and_comes_back)
{
    Estate *estate = make(&(EstateOptions){.retention_days = 1});
    estate_run(estate, 30 * CMK_HOUR_US - CMK_SECOND_US); /* maintenance is at 06:00 */
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    estate_rewind(estate);
    estate_run(estate, 3 * CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_EXPIRY_START), 3);
    const CmkRecord *overdue = estate_nth(estate, CMK_OP_POINT_OVERDUE, 0);
    cr_assert_eq(overdue->time, ESTATE_START + 30 * CMK_HOUR_US);
    cr_assert_eq(overdue->args.actor, CMK_ACTOR_PLATFORM);
    cr_assert_eq(estate_count(estate, CMK_OP_POINT_EXPIRE), 0);
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_POINT_EXPIRE), 2);
    estate_free(estate);
}

/* OQ-10: within the hour after an unwrap jobs ask for nothing, whatever became of the rights; then
 * they ask again. Without a cache the commit half an hour later fails already. */
Test(task, a_held_data_key_carries_jobs_past_a_revocation)
{
    const struct {
        const char *profile;
        uint32_t failed_at_once;
    } cases[] = {{"instant", 1}, {"cached", 0}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        const EstateOptions options = {.profile = cmk_profile_find(cases[i].profile)};
        Estate *estate = make(&options);
        estate_rewind(estate);
        estate_run(estate, 2 * CMK_HOUR_US + CMK_MINUTE_US); /* a backup is under way */
        (void)estate_must(estate, CMK_OP_KEY_DELETE);
        estate_run(estate, 40 * CMK_MINUTE_US);
        cr_expect_eq(estate_count(estate, CMK_OP_TASK_FAIL), cases[i].failed_at_once, "%s",
                     cases[i].profile);
        cr_expect_eq(estate_count(estate, CMK_OP_KEY_UNWRAP), 1);
        (void)estate_must(estate, CMK_OP_BACKUP_RUN);
        estate_run(estate, 0);
        cr_expect_eq(estate_count(estate, CMK_OP_TASK_FAIL), 2 * cases[i].failed_at_once);
        estate_run(estate, CMK_HOUR_US);
        (void)estate_must(estate, CMK_OP_BACKUP_RUN);
        estate_run(estate, 0);
        cr_expect_eq(estate_last(estate, CMK_OP_KEY_GET)->status, CMK_STATUS_OF(KEY_NOT_FOUND));
        estate_free(estate);
    }
}

/* ---- a data key for each point (OQ-28) ------------------------------------------------------- */

static const CmkRecord *expect_request(const Estate *estate, CmkOpId op, uint32_t n, uint32_t point,
                                       const CmkRecord *after)
{
    const CmkRecord *record = estate_nth(estate, op, n);
    cr_assert_not_null(record);
    cr_assert_eq(record->status, CMK_STATUS_OK);
    cr_assert_eq(record->args.ref[CMK_REF_POINT], point);
    cr_assert(after == NULL || record->seq > after->seq);
    return record;
}

/* BK-32, BK-33: maintenance needs the one data key of the vault once for all points that are due,
 * or that of each of them when it gets to it. */
Test(task, maintenance_opens_the_data_key_of_each_point)
{
    for (uint32_t i = 0; i < 4; i++) {
        const bool is_per_point = i % 2 != 0;
        const bool is_tiering = i / 2 != 0;
        EstateOptions options = {.datasource = "AzureDatabaseForMySQL",
                                 .archive_days = is_tiering ? 2 : 0,
                                 .retention_days = is_tiering ? 300 : 2};
        options.knobs[CMK_KNOB_DEK_PER_POINT] = 1 + is_per_point;
        Estate *estate = make(&options);
        const CmkOpId op = is_tiering ? CMK_OP_POINT_TIER : CMK_OP_POINT_EXPIRE;
        estate_run(estate, 2 * CMK_DAY_US + 5 * CMK_HOUR_US); /* maintenance is at 06:00 */
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        estate_run(estate, 2 * CMK_DAY_US);
        (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
        estate_rewind(estate);
        estate_run(estate, 2 * CMK_HOUR_US);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_GET), 1);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_UNWRAP), is_per_point ? 3 : 1);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_WRAP), !is_tiering    ? 0U
                                                            : is_per_point ? 3U
                                                                           : 1U);
        cr_assert_eq(estate_count(estate, op), 3);
        cr_assert_eq(estate_count(estate, CMK_OP_TASK_FINISH), 1);
        const CmkRecord *before = NULL;
        for (uint32_t n = 0; is_per_point && n < 3; n++) {
            before = expect_request(estate, CMK_OP_KEY_UNWRAP, n, n + 1, before);
            if (is_tiering) {
                before = expect_request(estate, CMK_OP_KEY_WRAP, n, n + 1, before);
            }
            before = expect_request(estate, op, n, n + 1, before);
        }
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* The data key of this point is refused to everybody for the first three seconds of each hour. */
#define STUBBORN_POINT 2
static bool is_not_stubborn(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)ret_blame;
    return args->op != CMK_OP_KEY_UNWRAP || args->ref[CMK_REF_POINT] != STUBBORN_POINT ||
           cmk_world_now(world) % CMK_HOUR_US >= 3 * CMK_SECOND_US;
}

/* What was moved before a refusal stays moved; without more attempts the rest is overdue, with them
 * it follows (OQ-25, BK-22). */
Test(task, maintenance_goes_on_with_the_data_key_that_was_refused)
{
    static const CmkGuard stubborn = {.name = "key-vault-is-not-throttled",
                                      .holds = is_not_stubborn,
                                      .status = CMK_STATUS_OF(THROTTLED)};
    for (int64_t retries = 0; retries < 3; retries++) {
        CmkModel model = *cmk_azure_model();
        const CmkGuard *guards[CMK_GUARD__COUNT];
        memcpy(guards, model.guards, sizeof(guards));
        guards[CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED] = &stubborn;
        model.guards = guards;
        EstateOptions options = {.model = &model, .retention_days = 2};
        options.knobs[CMK_KNOB_DEK_PER_POINT] = 2; /* true */
        options.knobs[CMK_KNOB_RETRIES] = retries + 1;
        Estate *estate = make(&options);
        estate_run(estate, 2 * CMK_DAY_US + 5 * CMK_HOUR_US);
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        estate_run(estate, 2 * CMK_DAY_US);
        (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
        estate_rewind(estate);
        estate_run(estate, 2 * CMK_HOUR_US);
        const bool is_enough = retries == 2; /* after 1 and 2 seconds */
        cr_assert_eq(estate_count(estate, CMK_OP_TASK_RETRY), retries);
        cr_assert_eq(estate_count(estate, CMK_OP_TASK_FAIL), !is_enough);
        cr_assert_eq(estate_count(estate, CMK_OP_POINT_EXPIRE), is_enough ? 3 : 1);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_UNWRAP),
                     1 + (is_enough ? 2 + 2 : retries + 1));
        for (uint32_t i = 1; i <= 3; i++) {
            const CmkPoint *point = cmk_point(estate->sim.world, (CmkPointId){i});
            cr_assert_eq(point->is_live != 0 && point->is_expiry_overdue != 0, !is_enough && i > 1,
                         "point %u, %" PRId64 " retries", i, retries);
        }
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* BK-30: the point is there only if its data key was wrapped, and nothing is when no key is. */
Test(task, a_backup_has_its_data_key_wrapped_before_its_commit)
{
    const struct {
        const char *name;
        EstateOptions options;
        uint32_t wraps;
        bool may_wrap;
    } cases[] = {
        {"vault tier", {.uses_policies = true}, 1, true},
        {"not allowed to wrap", {.uses_policies = true}, 1, false},
        {"vault tier and snapshots",
         {.has_operational = true, .datasource = "AzureKubernetesService", .uses_policies = true},
         1,
         true},
        {"platform-managed key", {.has_no_cmk = true, .uses_policies = true}, 0, true},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        EstateOptions options = cases[i].options;
        options.knobs[CMK_KNOB_DEK_PER_POINT] = 2; /* true */
        Estate *estate = make(&options);
        CmkArgs set = estate_args(estate, CMK_OP_ACCESS_POLICY_SET);
        set.num[0] = CMK_PERMISSION_GET | CMK_PERMISSION_UNWRAP |
                     (cases[i].may_wrap ? CMK_PERMISSION_WRAP : 0U);
        (void)estate_must_apply(estate, set);
        estate_rewind(estate);
        estate_run(estate, 5 * CMK_HOUR_US);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_WRAP), cases[i].wraps, "%s", cases[i].name);
        cr_assert_eq(estate_count(estate, CMK_OP_TASK_FAIL), !cases[i].may_wrap, "%s",
                     cases[i].name);
        const uint32_t points = cmk_world_count(estate->sim.world, CMK_TABLE_POINT);
        cr_assert_eq(points, cases[i].options.has_operational ? 2U : cases[i].may_wrap);
        for (uint32_t row = 1; row <= points; row++) {
            const CmkPoint *point = cmk_point(estate->sim.world, (CmkPointId){row});
            const uint32_t own = estate_vault(estate)->data_key;
            cr_assert_eq(point->data_key, point->tier == CMK_TIER_OPERATIONAL ? own : own + 1, "%s",
                         cases[i].name);
        }
        estate_free(estate);
    }
}

/* OQ-10: what Backup holds after a backup is the data key of the vault, and opens no point that has
 * its own. */
Test(task, the_data_keys_of_points_are_not_held)
{
    for (uint32_t is_per_point = 0; is_per_point < 2; is_per_point++) {
        EstateOptions options = {.profile = cmk_profile_find("cached")};
        options.knobs[CMK_KNOB_DEK_PER_POINT] = 1 + is_per_point;
        Estate *estate = make(&options);
        estate_run(estate, 2 * CMK_HOUR_US + 31 * CMK_MINUTE_US); /* within the hour of a backup */
        estate_rewind(estate);
        (void)estate_must(estate, CMK_OP_BACKUP_RESTORE);
        estate_run(estate, CMK_MINUTE_US);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_GET), is_per_point);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_UNWRAP), is_per_point);
        (void)estate_must(estate, CMK_OP_BACKUP_RUN);
        estate_run(estate, CMK_MINUTE_US);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_UNWRAP), is_per_point, "the vault's is held");
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        CmkGuardId guard = CMK_GUARD_NONE;
        const CmkStatus status =
            cmk_point_restorable(estate->sim.model, estate->sim.world, (CmkPointId){1}, &guard);
        cr_assert_eq(status == CMK_STATUS_OK, !is_per_point);
        estate_run(estate, 50 * CMK_MINUTE_US); /* what is held is not held longer by the restore */
        estate_rewind(estate);
        (void)estate_must(estate, CMK_OP_BACKUP_RUN);
        estate_run(estate, CMK_MINUTE_US);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_GET), 1);
        estate_free(estate);
    }
}

/* ---- how often a job asks (OQ-24) ------------------------------------------------------------ */

/* Rights that go while a job runs stop it at its commit, or only the next one. */
Test(task, the_second_look_at_the_key_is_a_knob)
{
    for (uint32_t asks_again = 0; asks_again < 2; asks_again++) {
        EstateOptions options = {0};
        options.knobs[CMK_KNOB_COMMIT_TOUCHES_KEY] = 1 + asks_again;
        Estate *estate = make(&options);
        estate_rewind(estate);
        estate_run(estate, CMK_DAY_US);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_GET), 1 + asks_again);
        cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_ACCEPT_KEY), 1 + asks_again);
        cr_assert_eq(estate_count(estate, CMK_OP_KEY_UNWRAP), 1 + asks_again);
        (void)estate_must(estate, CMK_OP_BACKUP_RESTORE);
        (void)estate_must(estate, CMK_OP_BACKUP_RUN);
        estate_run(estate, CMK_MINUTE_US);
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        estate_rewind(estate);
        estate_run(estate, CMK_HOUR_US);
        cr_assert_eq(estate_count(estate, CMK_OP_TASK_FAIL), 2 * asks_again);
        cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1 - asks_again);
        cr_assert_eq(estate_count(estate, CMK_OP_RESTORE_COMMIT), 1 - asks_again);
        (void)estate_must(estate, CMK_OP_BACKUP_RUN);
        estate_run(estate, CMK_MINUTE_US);
        cr_assert_eq(estate_last(estate, CMK_OP_KEY_GET)->guard, CMK_GUARD_ROLE_LETS_GET);
        estate_free(estate);
    }
}
