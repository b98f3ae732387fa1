/* The second dependency of PostgreSQL (BK-2): jobs read a secret with the vault's own identity,
 * before they ask for the key, and say in words of their own what is wrong with it. */
#include <criterion/criterion.h>

#include <string.h>

#include "models/error_map.h"
#include "models/model.h"
#include "tests/unit/models/estate.h"

static Estate *make(EstateOptions options)
{
    options.has_secret = true;
    Estate *estate = estate_new(&options);
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

static void backup(Estate *estate)
{
    estate_rewind(estate);
    (void)estate_must(estate, CMK_OP_BACKUP_RUN);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_str_eq(estate->trouble, "");
}

static const char *code_of_last_job(const Estate *estate)
{
    const CmkRecord *end = estate_last(estate, CMK_OP_TASK_FAIL);
    return end == NULL ? "ok" : estate->sim.model->statuses[end->args.num[0]].code;
}

/* SEC-1, SEC-2: with the system-assigned identity, though the key is opened by another; first, and
 * once. */
Test(secret, jobs_read_it_first_with_the_vaults_own_identity)
{
    Estate *estate = make((EstateOptions){.uses_policies = false});
    const uint32_t system = estate_vault(estate)->system_principal;
    cr_assert(system != 0 && estate_vault(estate)->principal != system);
    backup(estate);
    cr_assert_str_eq(code_of_last_job(estate), "ok");
    cr_assert_eq(estate_count(estate, CMK_OP_SECRET_GET), 1);
    const CmkRecord *read = estate_last(estate, CMK_OP_SECRET_GET);
    cr_assert_eq(read->args.ref[CMK_REF_PRINCIPAL], system);
    cr_assert_eq(read->args.ref[CMK_REF_KEY], 0);
    cr_assert_lt(read->seq, estate_nth(estate, CMK_OP_KEY_GET, 0)->seq);
    estate_rewind(estate);
    (void)estate_must(estate, CMK_OP_BACKUP_RESTORE);
    estate_run(estate, CMK_MINUTE_US);
    cr_assert_eq(estate_count(estate, CMK_OP_SECRET_GET), 1, "a restore needs it too");
    estate_free(estate);
}

/* Nobody else has such a dependency. */
Test(secret, an_instance_without_one_reads_none)
{
    Estate *estate =
        estate_new(&(EstateOptions){.datasource = "AzureDatabaseForPostgreSQLFlexibleServer"});
    estate_run(estate, 8 * CMK_DAY_US);
    cr_assert_gt(estate_count(estate, CMK_OP_BACKUP_COMMIT), 0);
    cr_assert_eq(estate_count(estate, CMK_OP_SECRET_GET), 0);
    estate_free(estate);
}

/* BK-23: what a first attempt said is gone with it. */
Test(secret, an_instance_that_is_protected_anew_reads_what_is_said_then)
{
    EstateOptions options = {.schedule_us = 7 * CMK_DAY_US};
    options.knobs[CMK_KNOB_PROTECTION_DURATION] = CMK_HOUR_US + 1;
    Estate *estate = make(options);
    CmkArgs args = estate_args(estate, CMK_OP_INSTANCE_PROTECT);
    args.ref[CMK_REF_INSTANCE] = ESTATE_IDLE_INSTANCE;
    args.ref[CMK_REF_SECRET] = ESTATE_SECRET;
    args.num[0] = cmk_instance(estate->sim.world, (CmkInstanceId){ESTATE_INSTANCE})->datasource;
    (void)estate_must_apply(estate, args);
    const CmkInstance *instance =
        cmk_instance(estate->sim.world, (CmkInstanceId){ESTATE_IDLE_INSTANCE});
    cr_assert_eq(instance->secret, ESTATE_SECRET);
    (void)estate_must(estate, CMK_OP_SERVICE_FAIL);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(instance->state, CMK_INSTANCE_CONFIGURING_FAILED);
    (void)estate_must(estate, CMK_OP_SERVICE_RECOVER);
    args.ref[CMK_REF_SECRET] = 0;
    (void)estate_must_apply(estate, args);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_str_eq(estate->trouble, "");
    cr_expect_eq(instance->state, CMK_INSTANCE_PROTECTED);
    cr_expect_eq(instance->secret, 0);
    estate_free(estate);
}

/* What goes wrong, and what the job says. The role on the key is there all the time. */
static const struct {
    CmkOpId op;
    const char *code;
    const char *of_other_knob; /* where a disabled secret counts as a refusal */
} troubles[] = {
    {CMK_OP_SECRET_UPDATE, "UserErrorInvalidSecret", "UserErrorMissingPermissionsOnSecretStore"},
    {CMK_OP_SECRET_DELETE, "UserErrorInvalidSecret", "UserErrorInvalidSecret"},
    {CMK_OP_SYSTEM_IDENTITY_DISABLE, "UserErrorMissingPermissionsOnSecretStore",
     "UserErrorMissingPermissionsOnSecretStore"},
    {CMK_OP_ROLE_REMOVE, "UserErrorMissingPermissionsOnSecretStore",
     "UserErrorMissingPermissionsOnSecretStore"},
    {CMK_OP_KEY_VAULT_DELETE, "UserErrorInvalidSecretStore", "UserErrorInvalidSecretStore"},
    {CMK_OP_KEY_VAULT_THROTTLE, "CloudServiceRetryableError", "CloudServiceRetryableError"},
};

Test(secret, each_trouble_has_its_code)
{
    for (size_t i = 0; i < 2 * CMK_ARRAY_LEN(troubles); i++) {
        const size_t row = i / 2;
        EstateOptions options = {.knobs = {[CMK_KNOB_PG_GENERIC_ERROR] = 2}};
        options.knobs[CMK_KNOB_DISABLED_SECRET_IS_FORBIDDEN] = 1 + (int64_t)(i % 2);
        Estate *estate = make(options);
        backup(estate);
        const CmkPointId point = estate_point(estate, CMK_POINT_LATEST);
        CmkGuardId guard = CMK_GUARD_NONE;
        cr_assert_eq(cmk_point_restorable(estate->sim.model, estate->sim.world, point, &guard),
                     CMK_STATUS_OK);
        CmkArgs args = estate_args(estate, troubles[row].op);
        if (troubles[row].op == CMK_OP_ROLE_REMOVE) {
            args.ref[CMK_REF_IDENTITY] = 0; /* the vault's own */
        }
        (void)estate_must_apply(estate, args);
        cr_assert_neq(cmk_point_restorable(estate->sim.model, estate->sim.world, point, &guard),
                      CMK_STATUS_OK, "SEC-2");
        backup(estate);
        const char *code = i % 2 == 0 ? troubles[row].code : troubles[row].of_other_knob;
        cr_expect_str_eq(code_of_last_job(estate), code, "%s",
                         estate->sim.model->operations[troubles[row].op]->name);
        cr_expect_eq(estate_count(estate, CMK_OP_KEY_GET), 0, "it comes first");
        estate_free(estate);
    }
}

/* ERR-23: what the key vault said of the secret, by its address. */
Test(secret, the_message_names_the_secret)
{
    Estate *estate = make((EstateOptions){.uses_policies = true});
    (void)estate_must(estate, CMK_OP_SECRET_UPDATE);
    backup(estate);
    char text[CMK_ERROR_MESSAGE_BYTES];
    const CmkRecord *refused = estate_last(estate, CMK_OP_SECRET_GET);
    const CmkRecord *end = estate_last(estate, CMK_OP_TASK_FAIL);
    (void)cmk_error_message(estate->sim.model, estate->sim.world, (CmkStatus)end->args.num[0],
                            refused, text, sizeof(text));
    cr_expect(strstr(text, "403 Forbidden, inner code SecretDisabled") != NULL, "%s", text);
    cr_expect(strstr(text, "https://kv.vault.azure.net/secrets/secret (secret URI)") != NULL, "%s",
              text);
    estate_free(estate);
}

/* THR-1, COST-11: 4000 requests in 10 seconds, at the price of those on small keys. */
Test(secret, requests_take_their_place_in_the_window_and_in_the_bill)
{
    Estate *estate = make((EstateOptions){.uses_policies = false});
    const CmkKeyVaultMeter before =
        *cmk_key_vault_meter(estate->sim.world, (CmkKeyVaultId){ESTATE_KV});
    for (uint32_t i = 0; i < 4000; i++) {
        cr_assert_eq(estate_try(estate, CMK_OP_SECRET_GET).status, CMK_STATUS_OK, "%u", i);
    }
    cr_assert_eq(estate_try(estate, CMK_OP_SECRET_GET).status, CMK_STATUS_OF(THROTTLED));
    const CmkKeyVaultMeter *meter =
        cmk_key_vault_meter(estate->sim.world, (CmkKeyVaultId){ESTATE_KV});
    cr_assert_eq(meter->requests_2048 - before.requests_2048, 4000);
    cr_assert_eq(meter->requests_other, before.requests_other);
    estate_free(estate);
}

/* Of two rights in one access policy, mending one leaves the other. */
Test(secret, mending_one_kind_of_right_leaves_the_other)
{
    Estate *estate = make((EstateOptions){.uses_policies = true, .uses_system = true});
    CmkArgs set = estate_args(estate, CMK_OP_ACCESS_POLICY_SET);
    set.ref[CMK_REF_IDENTITY] = 0;
    const int64_t keys = set.num[0];
    const struct {
        int64_t left;
        CmkOpId asked;
    } cases[] = {{keys, CMK_OP_SECRET_GET}, {(int64_t)CMK_PERMISSION_SECRET_GET, CMK_OP_KEY_GET}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        set.num[0] = cases[i].left;
        (void)estate_must_apply(estate, set);
        const CmkOutcome refused = estate_try(estate, cases[i].asked);
        cr_assert_eq(refused.status, CMK_STATUS_OF(ACCESS_DENIED));
        const CmkRepair *repair = &estate->sim.model->guards[refused.guard]->repairs[0];
        CmkArgs mend = {.op = repair->op, .actor = CMK_ACTOR_STEP};
        const CmkArgs asked = estate_args(estate, cases[i].asked);
        cr_assert(repair->bind(estate->sim.world, &asked, &mend));
        cr_assert_eq(mend.num[0], keys | (int64_t)CMK_PERMISSION_SECRET_GET);
    }
    estate_free(estate);
}
