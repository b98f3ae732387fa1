#include "tests/unit/models/settings.h"

#include <criterion/criterion.h>

Estate *settings_estate(const EstateOptions *options)
{
    Estate *estate = estate_new(options);
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

void settings_expect_failure(const Estate *estate, const char *guard, const char *code,
                             const char *what)
{
    const CmkRecord *failed = estate_last(estate, CMK_OP_TASK_FAIL);
    cr_assert_not_null(failed, "%s: nothing failed", what);
    const CmkRecord *refused = NULL;
    for (uint32_t i = 0; i < estate->tape.count; i++) {
        if (estate->tape.records[i].seq == (uint64_t)failed->args.num[1]) {
            refused = &estate->tape.records[i];
        }
    }
    cr_assert_not_null(refused, "%s", what);
    cr_assert_str_eq(estate_guard_name(estate, refused->guard), guard, "%s: %s", what,
                     estate_guard_name(estate, refused->guard));
    const char *got = estate->sim.model->statuses[failed->args.num[0]].code;
    cr_assert_str_eq(got, code, "%s: %s", what, got);
}

CmkArgs settings_args(const Estate *estate, uint32_t key, uint32_t identity)
{
    CmkArgs args = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    args.ref[CMK_REF_KEY] = key;
    args.ref[CMK_REF_IDENTITY] = identity;
    return args;
}

void settings_update(Estate *estate, CmkArgs args)
{
    (void)estate_must_apply(estate, args);
    cr_assert_str_eq(estate->trouble, "");
    estate_run(estate, CMK_MINUTE_US);
}
