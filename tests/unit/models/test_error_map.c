/* The catalogue of Backup's codes (section 11.1) and the message that people see (ERR-23). */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "models/error_map.h"
#include "models/key.h"
#include "tests/unit/models/estate.h"

/* ERR-24: the prefix decides; simulated codes (ERR-22) stand for user errors. */
Test(error_map, says_of_each_code_whose_error_it_is)
{
    const CmkModel *model = cmk_azure_model();
    uint32_t count = 0;
    const CmkErrorFacts *errors = cmk_errors(&count);
    cr_assert_geq(count, 17);
    for (uint32_t i = 0; i < count; i++) {
        const CmkStatusRow *row = &model->statuses[errors[i].status];
        const bool is_cloud = strncmp(row->code, "Cloud", 5) == 0;
        cr_expect(is_cloud || strncmp(row->code, "UserError", 9) == 0 ||
                      strncmp(row->code, "SimError", 8) == 0,
                  "%s", row->code);
        cr_expect_eq(errors[i].is_user_error, !is_cloud, "%s", row->code);
        cr_expect_eq(errors[i].is_retryable, is_cloud, "%s", row->code);
        cr_expect_not_null(strstr(row->rule, errors[i].rule), "%s: %s", row->name, errors[i].rule);
        cr_expect_gt(strlen(errors[i].action), 10, "%s", row->code);
        cr_expect_eq(cmk_error_facts(errors[i].status), &errors[i], "%s twice", row->name);
    }
    cr_assert_null(cmk_error_facts(CMK_STATUS_OF(KEY_DISABLED)), "a code of key vaults");
}

/* ERR-22: a code that no document has starts with SimError, and the others are spelt as there. */
Test(error_map, invents_no_code_that_looks_real)
{
    const struct {
        const char *rule;
        const char *code;
    } documented[] = {{"ERR-1", "UserErrorCMKMissingMangedIdentityPermissionOnKeyVault"},
                      {"ERR-2", "UserErrorCMKKeyVaultAuthFailure"},
                      {"ERR-3", "UserErrorCMKSoftDeleteNotEnabledOnKeyVault"},
                      {"ERR-4", "UserErrorCMKPurgeProtectionNotEnabledOnKeyVault"},
                      {"ERR-5", "UserErrorSystemIdentityNotEnabledWithVault"},
                      {"ERR-6", "UserErrorUserIdentityNotFoundOrNotAssociatedWithVault"},
                      {"ERR-7", "CloudServiceRetryableError"},
                      {"ERR-9", "UserErrorCrossTenantMSIMoveNotSupported"},
                      {"ERR-12", "CloudServiceRetryableError"},
                      {"ERR-18", "UserErrorCMKMissingMangedIdentityPermissionOnKeyVault"},
                      {"ERR-18", "UserErrorCMKKeyVaultAuthFailure"},
                      {"ERR-19", "UserErrorBackupVaultResourceMoveInProgress"},
                      {"SEC-1", "UserErrorInvalidSecret"},
                      {"SEC-1", "UserErrorInvalidSecretStore"},
                      {"SEC-1", "UserErrorMissingPermissionsOnSecretStore"}};
    const CmkModel *model = cmk_azure_model();
    uint32_t count = 0;
    uint32_t real = 0;
    const CmkErrorFacts *errors = cmk_errors(&count);
    for (uint32_t i = 0; i < count; i++) {
        const char *code = model->statuses[errors[i].status].code;
        bool is_documented = false;
        for (size_t k = 0; k < CMK_ARRAY_LEN(documented); k++) {
            is_documented = is_documented || (strcmp(documented[k].rule, errors[i].rule) == 0 &&
                                              strcmp(documented[k].code, code) == 0);
        }
        cr_expect(is_documented != (strncmp(code, "SimError", 8) == 0), "%s: %s", errors[i].rule,
                  code);
        real += is_documented;
    }
    cr_expect_eq(real, CMK_ARRAY_LEN(documented));
}

/* Each code that the matrix ERR-M can give is in the catalogue. */
Test(error_map, knows_each_code_of_the_matrix)
{
    uint32_t count = 0;
    const CmkErrorRow *rows = cmk_error_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        cr_expect_not_null(cmk_error_facts(rows[i].settings), "%s", rows[i].rule);
        cr_expect_not_null(cmk_error_facts(rows[i].job), "%s", rows[i].rule);
    }
}

/* ERR-23, against a message written out. */
Test(error_map, nests_the_answer_of_the_key_vault)
{
    Estate *estate = estate_new(NULL);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    estate_run(estate, CMK_DAY_US);
    const CmkRecord *failed = estate_last(estate, CMK_OP_TASK_FAIL);
    const CmkRecord *refused = estate_last(estate, CMK_OP_KEY_GET);
    cr_assert_eq(refused->seq, (uint64_t)failed->args.num[1]);
    char text[CMK_ERROR_MESSAGE_BYTES];
    const uint32_t length =
        cmk_error_message(estate->sim.model, estate->sim.world, (CmkStatus)failed->args.num[0],
                          refused, text, sizeof(text));
    char version[CMK_VERSION_TEXT_SIZE];
    char expected[CMK_ERROR_MESSAGE_BYTES];
    cmk_version_format(estate->sim.world, (CmkVersionId){refused->args.ref[CMK_REF_VERSION]},
                       version);
    (void)snprintf(expected, sizeof(expected),
                   "UserErrorCMKMissingMangedIdentityPermissionOnKeyVault: the Backup vault's "
                   "identity may not use the key. The key vault answered: 403 Forbidden, inner "
                   "code ForbiddenByRbac, action Microsoft.KeyVault/vaults/keys/read, resource "
                   "https://kv.vault.azure.net/keys/key/%s (key URI). Give the identity of the "
                   "encryption settings get, wrap and unwrap on an RSA key, then repeat the "
                   "operation.",
                   version);
    cr_assert_str_eq(text, expected);
    cr_assert_eq(length, strlen(text));
    char tiny[9];
    cr_assert_eq(cmk_error_message(estate->sim.model, estate->sim.world,
                                   CMK_STATUS_OF(AUTH_FAILURE), NULL, tiny, sizeof(tiny)),
                 8);
    cr_assert_str_eq(tiny, "UserErro");
    estate_free(estate);
}

/* What Backup finds out by itself nests nothing. */
Test(error_map, has_no_answer_where_the_key_vault_gave_none)
{
    Estate *estate = estate_new(NULL);
    (void)estate_must(estate, CMK_OP_IDENTITY_DETACH);
    estate_run(estate, CMK_DAY_US);
    char text[CMK_ERROR_MESSAGE_BYTES];
    (void)cmk_error_message(estate->sim.model, estate->sim.world, CMK_STATUS_OF(MISSING_PERMISSION),
                            estate_last(estate, CMK_OP_KEY_GET), text, sizeof(text));
    cr_assert_null(strstr(text, "answered"), "%s", text);
    estate_free(estate);
}
