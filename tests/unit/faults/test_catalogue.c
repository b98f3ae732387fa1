/*
 * The catalogue of faults: each row can be lowered, and says how it ends and what heals it.
 */
#include "faults/catalogue.h"

#include <string.h>

#include <criterion/criterion.h>

Test(catalogue, rows_are_complete_and_in_order)
{
    uint32_t count = 0;
    const CmkFault *faults = cmk_faults(&count);
    cr_assert_geq(count, 11);
    for (uint32_t i = 0; i < count; i++) {
        const CmkFault *fault = &faults[i];
        cr_assert(i == 0 || strcmp(faults[i - 1].name, fault->name) < 0, "%s is out of order",
                  fault->name);
        cr_assert_eq(cmk_fault_find(fault->name), fault);
        cr_assert_eq(fault->text[strlen(fault->text) - 1], '.', "%s", fault->name);
        cr_assert_neq(fault->op, CMK_OP_NONE, "%s", fault->name);
        cr_assert_eq(fault->end == CMK_OP_NONE, fault->endless != NULL,
                     "%s either ends or says why not", fault->name);
        cr_assert(fault->heals[0] != CMK_OP_NONE || fault->end == CMK_OP_NONE,
                  "%s ends, so something heals it", fault->name);
    }
}

Test(catalogue, unknown_names_are_not_found)
{
    cr_assert_null(cmk_fault_find(""));
    cr_assert_null(cmk_fault_find("role.revok"));
    cr_assert_null(cmk_fault_find("role.revoke "));
    cr_assert_null(cmk_fault_find("zzz"));
}

/* Whether the operation has the parameter that the fault gives, as a number. */
static void check_given(const CmkFault *fault, CmkOpId op, const CmkFaultValue *value)
{
    if (value->param != NULL) {
        const CmkParam *param = cmk_fault_param(cmk_azure_model(), op, value->param);
        cr_assert_not_null(param, "%s", fault->name);
        cr_assert_eq(param->is_num, 1, "%s", fault->name);
    }
}

/* What the end needs by reference comes from the target of the fault, so the fault must have it. */
static void check_end(const CmkModel *model, const CmkFault *fault)
{
    const CmkOperation *end = model->operations[fault->end];
    for (uint32_t i = 0; i < CMK_PARAMS_MAX && end->params[i].name != NULL; i++) {
        const CmkParam *param = &end->params[i];
        if (param->is_required != 0 && param->is_num == 0) {
            const CmkParam *same = cmk_fault_param(model, fault->op, param->name);
            cr_assert_not_null(same, "%s: %s", fault->name, param->name);
            cr_assert_eq(same->slot, param->slot, "%s: %s", fault->name, param->name);
        }
    }
}

Test(catalogue, operations_take_what_faults_give)
{
    const CmkModel *model = cmk_azure_model();
    uint32_t count = 0;
    const CmkFault *faults = cmk_faults(&count);
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_lt(faults[i].op, model->operation_count);
        check_given(&faults[i], faults[i].op, &faults[i].given);
        if (faults[i].end != CMK_OP_NONE) {
            check_end(model, &faults[i]);
        }
    }
}

/* Each rule that a row names is in the table of rules. */
Test(catalogue, rules_are_known)
{
    uint32_t count = 0;
    const CmkFault *faults = cmk_faults(&count);
    for (uint32_t i = 0; i < count; i++) {
        const char *rule = faults[i].rules;
        while (*rule != '\0') {
            const size_t length = strcspn(rule, " ");
            cr_assert_not_null(cmk_rule_find(rule, length), "%s: %.*s", faults[i].name, (int)length,
                               rule);
            rule += length;
            rule += strspn(rule, " ");
        }
    }
}

Test(catalogue, values_are_given_to_the_arguments)
{
    const CmkModel *model = cmk_azure_model();
    const CmkFault *expire = cmk_fault_find("key.expire");
    CmkArgs args = {.op = expire->op};
    cmk_fault_give(model, &expire->given, 4711, &args);
    const CmkParam *expires = cmk_fault_param(model, expire->op, "expires");
    cr_assert_eq(args.num[expires->slot], 4711, "the moment of the fault");
    const CmkFault *revoke = cmk_fault_find("role.revoke");
    CmkArgs untouched = {.op = revoke->op};
    cmk_fault_give(model, &revoke->given, 4711, &untouched);
    cr_assert_eq(memcmp(&untouched, &(CmkArgs){.op = revoke->op}, sizeof(untouched)), 0);
    cr_assert_null(cmk_fault_param(model, revoke->op, "nothing"));
}
