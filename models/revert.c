#include "models/revert.h"

#include <string.h>

#include "models/access.h"
#include "models/mutate.h"
#include "models/network.h"

/* The row that ends a fault, which stands behind it; {0} if it does not end by itself. */
static CmkPlanId end_of(const CmkWorld *world, CmkPlanId fault)
{
    const uint32_t count = cmk_world_count(world, CMK_TABLE_PLAN);
    for (uint32_t row = fault.i + 1; row <= count; row++) {
        const CmkPlanRow *end = cmk_plan(world, (CmkPlanId){row});
        if (end->kind == CMK_PLAN_FAULT_END && end->of == fault.i) {
            return (CmkPlanId){row};
        }
    }
    return (CmkPlanId){0};
}

/* Whether two faults say the same of one target; moments and shares may differ. */
static bool is_alike(const CmkSim *sim, const CmkArgs *a, const CmkArgs *b)
{
    if (a->op != b->op || memcmp(a->ref, b->ref, sizeof(a->ref)) != 0) {
        return false;
    }
    if (a->op == CMK_OP_ROLE_REMOVE && a->num[CMK_NUM_ALL_KEYS] != b->num[CMK_NUM_ALL_KEYS]) {
        return false; /* `/keys` is another scope than `/` (HSM-7) */
    }
    const CmkParam *params = sim->model->operations[a->op]->params;
    bool is_same = true;
    for (uint32_t i = 0; i < CMK_PARAMS_MAX && params[i].name != NULL; i++) {
        if (params[i].is_num != 0) {
            const int64_t left = a->num[params[i].slot];
            const int64_t right = b->num[params[i].slot];
            is_same &= params[i].type == CMK_PARAM_INSTANT
                           ? (left != 0) == (right != 0)
                           : params[i].type == CMK_PARAM_SHARE || left == right;
        }
    }
    return is_same;
}

/* The next fault in force behind row `after` that is like `fault`; {0} if there is none. */
static CmkPlanId next_alike(const CmkSim *sim, CmkPlanId fault, uint32_t after)
{
    const CmkArgs *args = &cmk_plan(sim->world, fault)->args;
    const uint32_t count = cmk_world_count(sim->world, CMK_TABLE_PLAN);
    for (uint32_t row = after + 1; row <= count; row++) {
        const CmkPlanRow *other = cmk_plan(sim->world, (CmkPlanId){row});
        if (row != fault.i && other->is_in_force != 0 && is_alike(sim, &other->args, args)) {
            return (CmkPlanId){row};
        }
    }
    return (CmkPlanId){0};
}

/* Into the end of a fault: what it is about to take away or to overwrite, but for roles, since it
 * may take several. */
static void give_back(const CmkWorld *world, const CmkArgs *fault, CmkArgs *end)
{
    if (end->op == CMK_OP_KEY_UPDATE) {
        const CmkVersion *version = cmk_version(world, (CmkVersionId){fault->ref[CMK_REF_VERSION]});
        const int64_t had[] = {version->is_enabled != 0 ? CMK_SAYS_TRUE : CMK_SAYS_FALSE,
                               version->expires, version->not_before, version->key_ops};
        for (uint32_t i = 0; i < CMK_ARRAY_LEN(had); i++) {
            end->num[i] = fault->num[i] != 0 ? had[i] : 0;
        }
    } else if (end->op == CMK_OP_SECRET_UPDATE) {
        const CmkSecret *secret = cmk_secret_of(world, fault);
        end->num[0] = secret->is_enabled != 0 ? CMK_SAYS_TRUE : CMK_SAYS_FALSE;
    } else if (end->op == CMK_OP_KEY_VAULT_SET_NETWORK) {
        int64_t had[3];
        cmk_network_settings_now(world, fault, had);
        for (uint32_t i = 0; i < CMK_ARRAY_LEN(had); i++) {
            end->num[i] = fault->num[i] != 0 ? had[i] : 0;
        }
    } else if (end->op == CMK_OP_KEY_VAULT_CONNECT_PRIVATE_ENDPOINT) {
        const CmkPrivateEndpoint *endpoint =
            cmk_private_endpoint(world, cmk_network_endpoint(world, fault));
        end->num[0] = endpoint->state == CMK_ENDPOINT_APPROVED ? CMK_SAYS_TRUE : CMK_SAYS_FALSE;
    } else if (end->op == CMK_OP_ROLE_ASSIGN) {
        end->num[CMK_NUM_ALL_KEYS] = fault->num[CMK_NUM_ALL_KEYS];
    } else if (end->op == CMK_OP_ACCESS_POLICY_SET) {
        end->num[0] = (int64_t)cmk_access_policy_permissions(world, fault);
    }
}

void cmk_revert_prepare(CmkSim *sim, CmkPlanId fault, const CmkArgs *args)
{
    cmk_plan_mut(sim, fault)->args = *args;
    const CmkPlanId end_id = end_of(sim->world, fault);
    if (end_id.i == 0) {
        return;
    }
    CmkArgs *end = &cmk_plan_mut(sim, end_id)->args;
    memcpy(end->ref, args->ref, sizeof(end->ref));
    end->num[CMK_NUM_VERSION] = args->num[CMK_NUM_VERSION];
    give_back(sim->world, args, end);
    /* What a fault in force has overwritten comes back with the last of them. */
    const CmkPlanId held_by = next_alike(sim, fault, 0);
    const CmkPlanId first_end = held_by.i == 0 ? (CmkPlanId){0} : end_of(sim->world, held_by);
    if (first_end.i != 0) {
        memcpy(end->num, cmk_plan(sim->world, first_end)->args.num, sizeof(end->num));
    }
}

void cmk_revert_begin(CmkSim *sim, CmkPlanId fault, uint64_t acted_by)
{
    CmkPlanRow *row = cmk_plan_mut(sim, fault);
    row->is_in_force = 1;
    row->acted_by = acted_by;
}

/* All roles that the fault has taken away, which bear the record of it. O(assignments). */
static void assign_again(CmkSim *sim, CmkPlanId fault, const CmkArgs *end)
{
    const uint64_t taken_by = cmk_plan(sim->world, fault)->acted_by;
    const uint32_t count = cmk_world_count(sim->world, CMK_TABLE_ASSIGNMENT);
    for (uint32_t row = 1; row <= count; row++) {
        const CmkAssignment *taken = cmk_assignment(sim->world, (CmkAssignmentId){row});
        if (taken->changed_by == taken_by) {
            CmkArgs args = *end;
            args.num[0] = taken->role;
            (void)cmk_apply(sim, &args);
        }
    }
}

void cmk_revert_end(CmkSim *sim, CmkPlanId fault, const CmkArgs *end)
{
    if (end->op == CMK_OP_ROLE_ASSIGN) {
        assign_again(sim, fault, end);
    } else {
        (void)cmk_apply(sim, end);
    }
    cmk_revert_finish(sim, fault);
}

void cmk_revert_finish(CmkSim *sim, CmkPlanId fault)
{
    cmk_plan_mut(sim, fault)->is_in_force = 0;
}

CmkTime cmk_revert_waits_until(const CmkSim *sim, CmkPlanId end)
{
    const CmkPlanRow *row = cmk_plan(sim->world, end);
    const CmkPlanId fault = {row->of};
    CmkTime latest = 0;
    CmkPlanId other = next_alike(sim, fault, 0);
    while (other.i != 0) {
        const CmkPlanId its_end = end_of(sim->world, other);
        const CmkTime time = its_end.i == 0 ? CMK_TIME_MAX : cmk_plan(sim->world, its_end)->time;
        const bool is_later = time > row->time || (time == row->time && its_end.i > end.i);
        latest = is_later && time > latest ? time : latest;
        other = next_alike(sim, fault, other.i);
    }
    return latest;
}
